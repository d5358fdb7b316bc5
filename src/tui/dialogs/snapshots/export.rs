//! Sending a snapshot into a vault, as a generation: which vault, and what to find it by.

use super::super::super::actions::{Act, Action, At, Context, read_only};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::screens::snapshots::{at, no_snapshot, snapshot, words};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::{Choice, Entry, Form};
use super::super::form_dialog;
use super::short;
use crate::engine::Task;
use crate::engine::question::SnapshotAt;
use crate::snapshot::Target;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::form("snapshot-export", "Send a snapshot into a vault");

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-export.send", "send it", "Send it into the vault; the job shows how it goes", &["Enter", "Ctrl-s"], At::Only(&[CONTEXT]), send)
        .hint(1).unless(read_only),
];

/// A snapshot to be sent.
#[derive(Debug)]
pub struct Exporting {
    at: SnapshotAt,
    what: String,
    vaults: Vec<String>,
    form: Form,
}

/// Why nothing can be sent.
pub(crate) fn why_not(model: &Model) -> Option<String> {
    let none = || {
        let none = model.vaults.all.is_empty();
        none.then(|| "There is no vault yet to send it into: 2, then n makes one.".into())
    };
    read_only(model).or_else(|| no_snapshot(model)).or_else(none)
}

/// Opens it on the snapshot under the cursor.
pub fn open(act: &mut Act) {
    let model = &*act.model;
    let Some(row) = snapshot(model) else { return };
    let target = &row.snapshot.target;
    let becomes = match target {
        Target::Folder(_) => "a generation of its files, under the paths they have",
        Target::Image(_) | Target::Machine(_) => {
            "a generation of its disks; what RAM held is not in it. Of the next one only what has changed is read"
        }
        Target::Ebs(_) => "a generation of its disk, if that can be read from here",
    };
    let vaults: Vec<String> = model.vaults.all.iter().map(|row| row.name.clone()).collect();
    let choices = vaults
        .iter()
        .map(|vault| Choice::new(text::escape(vault.as_bytes()), ""))
        .collect();
    let here = model.vaults.list.current().map(|row| &row.name);
    let chosen = vaults.iter().position(|vault| Some(vault) == here).unwrap_or(0);
    let what = words::target(target);
    let form = Form::new(vec![
        Entry::note("what", "of", &format!("{what}, {}", short(model, &row.snapshot))),
        Entry::note("becomes", "becomes", becomes),
        Entry::choice("vault", "into", choices, chosen),
        Entry::text("tags", "tags", "").help("Labels to find the generation by, with blanks between them."),
        Entry::toggle("try", "only try", false).help("Counts what would be stored, and stores nothing."),
    ]);
    let dialog = Exporting {
        at: at(row),
        what,
        vaults,
        form,
    };
    act.model.push(dialog);
}

fn send(act: &mut Act) {
    with_top::<Exporting>(act, |dialog, act| {
        let Some(vault) = dialog.vaults.get(dialog.form.chosen("vault")).cloned() else {
            return Then::Keep;
        };
        let dry_run = dialog.form.on("try");
        let (what, to) = (&dialog.what, text::escape(vault.as_bytes()));
        let title = match dry_run {
            true => format!("Try a snapshot of {what} to {to}, storing nothing"),
            false => format!("Send a snapshot of {what} to {to}"),
        };
        let task = Task::SendSnapshot {
            vault,
            at: dialog.at.clone(),
            tags: dialog.form.text("tags").split_whitespace().map(str::to_owned).collect(),
            dry_run,
        };
        act.effects.push(Effect::Start {
            task: Box::new(task),
            title,
        });
        Then::Close
    });
}

impl Dialog for Exporting {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn form(&mut self) -> Option<&mut Form> {
        Some(&mut self.form)
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        form_dialog(
            model,
            canvas,
            "Send a snapshot into a vault",
            &[],
            &self.form,
            ("", Role::Dim),
            CONTEXT,
        );
    }
}

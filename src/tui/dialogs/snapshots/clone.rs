//! Making a volume, folder or image of its own of a snapshot: where.

use super::super::super::actions::{Act, Action, At, Context, read_only};
use super::super::super::asking::{Told, abandon};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::screens::snapshots::{at, snapshot, words};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::{Entry, Form};
use super::super::form_dialog;
use super::{Completed, short, start, suggestion};
use crate::engine::question::SnapshotAt;
use crate::engine::{Answer, Question, SnapshotTask};
use crate::snapshot::Target;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::form("snapshot-clone", "Clone a snapshot");
const SLOT: &str = "snapshots.clone";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-clone.make", "make it", "Make it; the snapshot stays as it is", &["Enter", "Ctrl-s"], At::Only(&[CONTEXT]), make).hint(1)
        .unless(read_only),
];

/// A clone being asked for.
#[derive(Debug)]
pub struct Cloning {
    at: SnapshotAt,
    what: String,
    form: Form,
    completed: Completed,
}

/// Opens it on the snapshot under the cursor.
pub fn open(act: &mut Act) {
    let model = &*act.model;
    let Some(row) = snapshot(model) else { return };
    let target = &row.snapshot.target;
    let date = text::stamp(row.snapshot.taken.seconds, &model.zone);
    let date: String = date.chars().take(10).collect();
    let (place, help) = match target {
        Target::Folder(_) => (
            format!("{}-{date}", target.to_string().trim_end_matches('/')),
            "A path that does not exist yet, on the same filesystem. It shares its blocks with the snapshot and can be written to.",
        ),
        Target::Image(path) => (
            format!("{}-{date}.qcow2", path.with_extension("").display()),
            "A path that does not exist yet: an image of its own, to start a machine from.",
        ),
        Target::Machine(name) => (
            format!("{}/{name}-{date}.qcow2", model.home.trim_end_matches('/')),
            "A path that does not exist yet: an image of its disk, or a folder of images where it has several.",
        ),
        Target::Ebs(_) => (
            "zone:".into(),
            "zone:eu-west-1a makes a volume in that zone, region:eu-central-1 a copy of the snapshot in that region.",
        ),
    };
    let form = Form::new(vec![
        Entry::note(
            "what",
            "of",
            &format!("{}, {}", words::target(target), short(model, &row.snapshot)),
        ),
        Entry::text("place", "to", &place).help(help),
    ]);
    let dialog = Cloning {
        at: at(row),
        what: words::target(target),
        completed: Completed::of(&form, "place"),
        form,
    };
    act.model.push(dialog);
}

fn make(act: &mut Act) {
    with_top::<Cloning>(act, |dialog, act| {
        let typed = dialog.form.text("place").trim();
        let is_path = !matches!(dialog.at.target, Target::Ebs(_));
        let place = match is_path {
            true => act.model.expand_home(typed),
            false => typed.to_owned(),
        };
        if is_path && !place.starts_with('/') {
            dialog.form.set_problem("place", "Give its whole path, from / or ~ on.");
            return Then::Keep;
        }
        let title = format!(
            "Clone a snapshot of {} to {}",
            dialog.what,
            text::escape(place.as_bytes())
        );
        let task = SnapshotTask::Clone {
            at: dialog.at.clone(),
            place,
        };
        start(act, task, title);
        Then::Close
    });
}

fn take_folders(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let Answer::Disk(found) = told.answer else { return };
    let typed = model
        .dialog::<Cloning>()
        .map(|dialog| dialog.form.text("place").to_owned());
    let suggestion = suggestion(model, typed, &found);
    if let Some(dialog) = model.dialog_mut::<Cloning>() {
        dialog.form.suggest("place", suggestion);
    }
}

impl Dialog for Cloning {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn form(&mut self) -> Option<&mut Form> {
        Some(&mut self.form)
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        self.completed.fetch(&self.form, SLOT, take_folders, model, effects);
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        form_dialog(
            model,
            canvas,
            "Clone a snapshot",
            &[],
            &self.form,
            ("", Role::Dim),
            CONTEXT,
        );
    }
}

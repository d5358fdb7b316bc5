//! Bringing files back out of a snapshot: where to, and what becomes of what is there.

use std::path::PathBuf;

use super::super::super::actions::{Act, Action, At, Context, read_only};
use super::super::super::asking::{Told, abandon};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::screens::snapshots::words;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::{Choice, Entry, Form};
use super::super::confirm::Confirm;
use super::super::form_dialog;
use super::browse::{Browse, path_words};
use super::{Completed, short, start, suggestion};
use crate::engine::question::{Overwrite, SnapshotAt, TreePath};
use crate::engine::{Answer, Question, SnapshotTask};
use crate::snapshot::{Snapshot, Target};
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::form("snapshot-restore", "Restore out of a snapshot");
const SLOT: &str = "snapshots.restore";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-restore.go", "restore", "Restore; asks first where something there could be overwritten", &["Enter"], At::Only(&[CONTEXT]), go)
        .hint(1).unless(read_only),
];

/// What becomes of what is there, in the order the form offers it.
const EXISTING: [(Overwrite, &str, &str); 4] = [
    (
        Overwrite::Never,
        "stays",
        "What is there stays as it is: only what is missing comes back.",
    ),
    (
        Overwrite::IfChanged,
        "if changed",
        "Files that differ are overwritten; size and time tell.",
    ),
    (
        Overwrite::IfNewer,
        "if older",
        "Only files older than those in the snapshot are overwritten.",
    ),
    (Overwrite::Always, "always", "Every file is made as it was."),
];

/// A restore being asked for.
#[derive(Debug)]
pub struct Restoring {
    at: SnapshotAt,
    paths: Vec<TreePath>,
    what: String,
    form: Form,
    completed: Completed,
}

/// Opens it for these paths.
pub(super) fn open(act: &mut Act, snapshot: &Snapshot, paths: Vec<TreePath>) {
    let model = &*act.model;
    let what = match paths.as_slice() {
        [one] => path_words(one).trim_start_matches('/').to_owned(),
        many => text::counted(many.len() as u64, "item", "items"),
    };
    let what = if what.is_empty() { "everything".to_owned() } else { what };
    let from = format!("{}, {}", words::target(&snapshot.target), short(model, snapshot));
    let target = format!("{}/restored", model.home.trim_end_matches('/'));
    let mut places = vec![Choice::new(
        "folder",
        "Into the folder below, with their paths from the volume's root.",
    )];
    if matches!(snapshot.target, Target::Folder(_)) {
        places.push(Choice::new(
            "in place",
            "To where they were. Asks for the volume's name if something there could be overwritten.",
        ));
    }
    let existing = EXISTING.iter().map(|(_, word, help)| Choice::new(*word, *help));
    let form = Form::new(vec![
        Entry::note(
            "what",
            "restore",
            &text::cut_middle(&what, 200, model.look.symbols.more),
        ),
        Entry::note("from", "of", &from),
        Entry::choice("to", "to", places, 0),
        Entry::text("folder", "folder", &target)
            .help("From / or ~ on; it is made if it is not there. Tab completes it."),
        Entry::choice("existing", "existing", existing.collect(), 1),
    ]);
    let dialog = Restoring {
        at: SnapshotAt {
            target: snapshot.target.clone(),
            id: snapshot.id.clone(),
        },
        paths,
        what,
        completed: Completed::of(&form, "folder"),
        form,
    };
    act.model.push(dialog);
}

impl Restoring {
    fn in_place(&self) -> bool {
        self.form.chosen("to") == 1
    }
}

fn go(act: &mut Act) {
    with_top::<Restoring>(act, |dialog, act| {
        let in_place = dialog.in_place();
        let folder = act.model.expand_home(dialog.form.text("folder").trim());
        if !in_place && !folder.starts_with('/') {
            dialog
                .form
                .set_problem("folder", "Give the folder's whole path, from / or ~ on.");
            dialog.form.focus("folder");
            return Then::Keep;
        }
        let overwrite = EXISTING[dialog.form.chosen("existing").min(EXISTING.len() - 1)].0;
        let place = match in_place {
            true => words::target(&dialog.at.target),
            false => text::escape(folder.as_bytes()),
        };
        let title = format!("Restore {} to {place}", dialog.what);
        let task = SnapshotTask::RestoreFiles {
            at: dialog.at.clone(),
            paths: dialog.paths.clone(),
            to: (!in_place).then(|| PathBuf::from(folder)),
            overwrite,
        };
        let begin = move |act: &mut Act| {
            act.model.dismiss::<Restoring>();
            if let Some(browse) = act.model.dialog_mut::<Browse>() {
                browse.picked.clear();
            }
            start(act, task, title);
        };
        if overwrite == Overwrite::Never {
            begin(act);
            return Then::Close;
        }
        let sentence = format!(
            "Restores {} to {place}. Files there of the same names are overwritten, and what they hold now is lost.",
            dialog.what
        );
        let confirm = Confirm::ask(act, "Restore over what is there?", sentence, begin);
        match in_place {
            true => act.model.push(confirm.by_name(words::typed_name(&dialog.at.target))),
            false => act.model.push(confirm),
        }
        Then::Keep
    });
}

fn take_folders(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let Answer::Disk(found) = told.answer else { return };
    let typed = model
        .dialog::<Restoring>()
        .map(|dialog| dialog.form.text("folder").to_owned());
    let suggestion = suggestion(model, typed, &found);
    if let Some(dialog) = model.dialog_mut::<Restoring>() {
        dialog.form.suggest("folder", suggestion);
    }
}

impl Dialog for Restoring {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn form(&mut self) -> Option<&mut Form> {
        Some(&mut self.form)
    }

    fn edited(&mut self, _: &mut Model, _: &mut Vec<Effect>) {
        let shown = !self.in_place();
        self.form.show("folder", shown);
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
            "Restore out of a snapshot",
            &[],
            &self.form,
            ("", Role::Dim),
            CONTEXT,
        );
    }
}

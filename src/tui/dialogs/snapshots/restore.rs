//! Bringing files back out of a snapshot: where to, and what becomes of what is there.

use std::path::PathBuf;

use super::super::super::actions::{Act, Action, At, Context, read_only};
use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::keys::{Code, Key};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::screens::snapshots::words;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::{Choice, Entry, Form};
use super::super::confirm::Confirm;
use super::super::form_dialog;
use super::super::restore::{chosen_overwrite, existing};
use super::browse::{Browse, path_words};
use super::{Completed, short, start, suggestion};
use crate::engine::question::{Overwrite, SnapshotAt, SnapshotReplaces, TreePath};
use crate::engine::{Answer, Question, SnapshotTask};
use crate::snapshot::{Snapshot, Target};
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::form("snapshot-restore", "Restore out of a snapshot");
const SLOT: &str = "snapshots.restore";
const REPLACES: &str = "snapshots.replaces";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-restore.go", "restore", "Restore; asks first where something there could be overwritten", &["Enter"], At::Only(&[CONTEXT]), go)
        .hint(1).unless(read_only),
];

/// A restore being asked for.
#[derive(Debug)]
pub struct Restoring {
    at: SnapshotAt,
    paths: Vec<TreePath>,
    what: String,
    form: Form,
    completed: Completed,
    /// Whether it is being found out what would be written over.
    looking: bool,
    problem: String,
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
        existing(),
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
        looking: false,
        problem: String::new(),
    };
    act.model.push(dialog);
}

impl Restoring {
    fn in_place(&self) -> bool {
        self.form.chosen("to") == 1
    }
}

/// Restores, or finds out first what that would write over.
fn go(act: &mut Act) {
    with_top::<Restoring>(act, |dialog, act| {
        let folder = act.model.expand_home(dialog.form.text("folder").trim());
        if !dialog.in_place() && !folder.starts_with('/') {
            dialog
                .form
                .set_problem("folder", "Give the folder's whole path, from / or ~ on.");
            dialog.form.focus("folder");
            return Then::Keep;
        }
        dialog.problem.clear();
        let asked = SnapshotReplaces {
            at: dialog.at.clone(),
            paths: dialog.paths.clone(),
            to: (!dialog.in_place()).then(|| PathBuf::from(folder)),
            overwrite: chosen_overwrite(&dialog.form),
        };
        if asked.overwrite == Overwrite::Never {
            begin(act, asked, &dialog.what);
            return Then::Close;
        }
        abandon(act.model, REPLACES, act.effects);
        dialog.looking = true;
        ask(
            act.model,
            REPLACES,
            Question::SnapshotReplaces(asked),
            take_replaced,
            act.effects,
        );
        Then::Keep
    });
}

/// Starts it.
fn begin(act: &mut Act, asked: SnapshotReplaces, what: &str) {
    if let Some(browse) = act.model.dialog_mut::<Browse>() {
        browse.picked.clear();
    }
    let title = format!("Restore {what} to {}", place(&asked));
    let task = SnapshotTask::RestoreFiles {
        at: asked.at,
        paths: asked.paths,
        to: asked.to,
        overwrite: asked.overwrite,
    };
    start(act, task, title);
}

/// Where it goes, safe to show.
fn place(asked: &SnapshotReplaces) -> String {
    match &asked.to {
        Some(folder) => text::escape(folder.as_os_str().as_encoded_bytes()),
        None => words::target(&asked.at.target),
    }
}

/// What is there is known: where nothing is written over there is nothing to ask.
fn take_replaced(model: &mut Model, asked: &Question, told: Told, effects: &mut Vec<Effect>) {
    let Question::SnapshotReplaces(asked) = asked else {
        return;
    };
    let Some(dialog) = model.dialog_mut::<Restoring>().filter(|dialog| dialog.looking) else {
        return;
    };
    dialog.looking = false;
    let what = dialog.what.clone();
    let found = match told.answer {
        Answer::SnapshotReplaced(found) => found,
        other => {
            dialog.problem = match failed(other) {
                Load::Failed(why) => text::escape(why.as_bytes()),
                _ => String::new(),
            };
            return;
        }
    };
    let asked = asked.clone();
    let act = &mut Act {
        model,
        key: Key::plain(Code::Enter),
        effects,
    };
    if found.files == 0 {
        act.model.dismiss::<Restoring>();
        return begin(act, asked, &what);
    }
    let sentence = format!(
        "Restores {what} to {}. {} overwritten, and what is in them now ({}) is lost.",
        place(&asked),
        text::counted(found.files, "file there is", "files there are"),
        text::bytes(found.bytes)
    );
    let in_place = asked.to.is_none().then(|| words::typed_name(&asked.at.target));
    let confirm = Confirm::ask(act, "Restore over what is there?", sentence, move |act| {
        act.model.dismiss::<Restoring>();
        begin(act, asked, &what);
    });
    match in_place {
        Some(name) => act.model.push(confirm.by_name(name)),
        None => act.model.push(confirm),
    }
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

    fn edited(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        let shown = !self.in_place();
        self.form.show("folder", shown);
        // What was asked is no longer what is wanted.
        abandon(model, REPLACES, effects);
        self.looking = false;
        self.problem.clear();
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        self.completed.fetch(&self.form, SLOT, take_folders, model, effects);
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
        abandon(model, REPLACES, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let looking = format!("looking at what is there{}", model.look.symbols.more);
        let standing = match (self.problem.as_str(), self.looking) {
            ("", true) => (looking.as_str(), Role::Dim),
            ("", false) => ("", Role::Dim),
            (problem, _) => (problem, Role::Danger),
        };
        form_dialog(
            model,
            canvas,
            "Restore out of a snapshot",
            &[],
            &self.form,
            standing,
            CONTEXT,
        );
    }
}

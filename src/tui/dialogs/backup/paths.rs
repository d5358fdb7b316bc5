//! Backing up paths that no plan names, once.

use std::path::PathBuf;

use super::super::super::actions::{Act, Context, read_only};
use super::super::super::asking::{Told, abandon, ask};
use super::super::super::complete;
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::{Choice, Entry, Form};
use super::super::{frame, keys_line, room};
use super::{Backup, PATHS};
use crate::engine::{Answer, Question, Task};
use crate::text;

const FOLDERS: &str = "backup.folders";

/// What to back up, and where to.
#[derive(Debug)]
struct Paths {
    form: Form,
    vaults: Vec<String>,
    /// The text that completions were last asked for.
    completed: String,
}

/// Why no paths can be backed up.
pub(super) fn why_not(model: &Model) -> Option<String> {
    match model.vaults.all.is_empty() {
        true => Some("There is no vault yet to back up into.".into()),
        false => read_only(model),
    }
}

/// Opens the form.
pub(super) fn open(act: &mut Act) {
    let here = act.model.vaults.list.current().map(|row| row.name.clone());
    let vaults: Vec<String> = act.model.vaults.all.iter().map(|row| row.name.clone()).collect();
    let at = vaults
        .iter()
        .position(|vault| Some(vault) == here.as_ref())
        .unwrap_or(0);
    let words = vaults.iter().map(|vault| Choice::new(vault.as_str(), "")).collect();
    let form = Form::new(vec![
        Entry::list(
            "paths",
            "paths",
            Vec::new(),
            "a whole path, then Enter; Tab completes it",
        )
        .help("Files and folders, each from / or ~ on."),
        Entry::choice("vault", "into", words, at),
        Entry::list(
            "excludes",
            "leave out",
            Vec::new(),
            "a pattern such as *.tmp, then Enter",
        )
        .help("Globs: what they match is not backed up."),
        Entry::text("tags", "tags", "").help("Labels to find the generation by, with blanks between them."),
        Entry::toggle("try", "only try", false).help("Counts what would be stored, and stores nothing."),
    ]);
    act.model.push(Paths {
        form,
        vaults,
        completed: String::new(),
    });
}

/// Starts the backup.
pub(super) fn start(act: &mut Act) {
    let mut started = false;
    with_top::<Paths>(act, |dialog, act| {
        let typed = dialog.form.rows("paths");
        let paths: Vec<PathBuf> = typed.iter().map(|path| act.model.expand_home(path).into()).collect();
        let wrong = paths.iter().find(|path| !path.is_absolute());
        let problem = match (paths.is_empty(), wrong) {
            (true, _) => "Name at least one path.".to_owned(),
            (_, Some(path)) => format!(
                "{} is no whole path: write it out from / or ~.",
                text::escape(path.as_os_str().as_encoded_bytes())
            ),
            _ => String::new(),
        };
        if !problem.is_empty() {
            dialog.form.set_problem("paths", problem);
            dialog.form.focus("paths");
            return Then::Keep;
        }
        let Some(vault) = dialog.vaults.get(dialog.form.chosen("vault")).cloned() else {
            return Then::Keep;
        };
        let dry_run = dialog.form.on("try");
        let what = match paths.as_slice() {
            [one] => text::escape(one.as_os_str().as_encoded_bytes()),
            many => text::counted(many.len() as u64, "path", "paths"),
        };
        let to = text::escape(vault.as_bytes());
        let title = match dry_run {
            true => format!("Try {what} to {to}, storing nothing"),
            false => format!("Back up {what} to {to}"),
        };
        let task = Task::Paths {
            vault,
            paths,
            excludes: dialog.form.rows("excludes"),
            tags: dialog.form.text("tags").split_whitespace().map(str::to_owned).collect(),
            dry_run,
        };
        act.effects.push(Effect::Start {
            task: Box::new(task),
            title,
        });
        started = true;
        Then::Close
    });
    if started {
        act.model.dismiss::<Backup>();
    }
}

/// The path that is being typed.
fn typed(form: &Form) -> String {
    match form.focused() {
        "paths" => form.typed("paths").to_owned(),
        _ => String::new(),
    }
}

fn take_folders(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let Answer::Disk(found) = told.answer else { return };
    let Some(typed) = model.dialog::<Paths>().map(|dialog| typed(&dialog.form)) else {
        return;
    };
    let suggestion = complete::suggestion(model, &typed, &found);
    if let Some(dialog) = model.dialog_mut::<Paths>() {
        dialog.form.suggest("paths", suggestion);
    }
}

impl Dialog for Paths {
    fn context(&self) -> Context {
        PATHS
    }

    fn form(&mut self) -> Option<&mut Form> {
        Some(&mut self.form)
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        let typed = typed(&self.form);
        if typed != self.completed && !model.asks(FOLDERS) {
            if let Some(question) = complete::question(model, &typed) {
                ask(model, FOLDERS, question, take_folders, effects);
            }
            self.completed = typed;
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, FOLDERS, effects);
    }

    fn replaces_below(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let height = self.form.height(room(canvas) as u16);
        let inside = frame(canvas, height + 4, "Back up paths now", Role::Focus);
        let area = ratatui::layout::Rect {
            y: inside.y + 1,
            height: inside.height.saturating_sub(4),
            ..inside
        };
        self.form.draw(canvas, area);
        keys_line(model, canvas, inside, PATHS);
    }
}

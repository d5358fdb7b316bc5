//! The screen Files: a folder of one generation, one point in time.
//!
//! The folder stays when another generation is chosen, so that one looks at one place through time. `select` is what is
//! chosen for a restore: rules, so that all of a million files are one step.

mod select;
pub(crate) mod view;

use std::collections::HashMap;

use super::super::actions::{self, Act, Action, At, Context, Danger};
use super::super::asking::{Told, ask, failed};
use super::super::dialogs::{backup, restore};
use super::super::model::{Load, Model, Screen};
use super::super::msg::Effect;
use super::super::theme::Role;
use super::super::window::Window;
pub use select::Selected;
pub(crate) use select::to_restore;

use crate::engine::question::{EntryRow, FolderWindow, TreePath};
use crate::engine::{Answer, Question};
use crate::text;
use crate::vault::{Id, NodeType};

/// Where keys go.
pub const CONTEXT: Context = Context::screen("files", "Files");

/// What one can do here.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("files.open", "open", "Into the folder", &["Enter", "l", "→"], At::Only(&[CONTEXT]), open).hint(1),
    Action::new("files.back", "back", "To the folder that holds this; from the top to the generations", &["h", "Backspace", "←"],
        At::Only(&[CONTEXT]), back).hint(2),
    Action::new("files.select", "select", "Select or unselect, and go down", &["Space"], At::Only(&[CONTEXT]), select::select).hint(3)
        .unless(nothing),
    Action::new("files.restore", "restore", "Restore the selection, or the row under the cursor", &["r"], At::Only(&[CONTEXT]),
        restore::open).danger(Danger::Plan).hint(4).unless(restore::why_not),
    Action::new("files.backup", "back up", "Run a plan's backup now", &["b"], At::Only(&[CONTEXT]), backup::open).hint(60)
        .unless(actions::read_only),
    Action::new("files.all", "all", "Select everything in this folder", &["a"], At::Only(&[CONTEXT]), select::all).unless(not_whole),
    Action::new("files.range", "range", "Start a range; Space or v again selects it", &["v"], At::Only(&[CONTEXT]), select::range)
        .unless(nothing),
    Action::new("files.invert", "invert", "Turn this folder's selection into its opposite", &["*"], At::Only(&[CONTEXT]), select::invert)
        .unless(not_whole),
    Action::new("files.unselect", "unselect", "Forget the whole selection", &["u"], At::Only(&[CONTEXT]), select::clear)
        .unless(|model| model.selected().is_none().then(|| "Nothing is selected.".into())),
];

/// A folder of the generation under the cursor.
#[derive(Debug, Default)]
pub struct Files {
    /// Whose: vault and generation.
    pub of: Option<(String, Id)>,
    /// Which folder.
    pub folder: TreePath,
    /// Its entries.
    pub list: Window<EntryRow>,
    /// Whether they are here.
    pub load: Load,
    /// Only names that hold this.
    pub filter: String,
    /// Where a range starts.
    pub anchor: Option<u64>,
    /// Where the cursor was in folders one left, by path.
    pub left_at: HashMap<TreePath, u64>,
    /// Whether a folder that holds nothing but one folder is passed through: until the first answer after a generation
    /// is opened, and while one goes down.
    pub pass_through: bool,
}

fn nothing(model: &Model) -> Option<String> {
    let none = model.files.list.total().unwrap_or(0) == 0;
    none.then(|| "There is nothing here to select.".into())
}

fn not_whole(model: &Model) -> Option<String> {
    let filtered = !model.files.filter.is_empty();
    nothing(model).or_else(|| filtered.then(|| "Acts on the whole folder: clear the filter with Esc first.".into()))
}

pub(super) fn layout(model: &mut Model) {
    let rows = u64::from(model.body_rows());
    model.files.list.resize(rows);
}

/// Asks for rows of the folder, and for the weight of what is selected: one question at a time, so that a cursor held
/// down does not pile them up; the next is asked when the answer comes, for where the cursor is by then.
pub(super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    follow_generation(model);
    if model.screen == Screen::Files
        && !model.asks("files.folder")
        && !matches!(model.files.load, Load::Failed(_) | Load::Locked)
        && let Some((first, rows)) = model.files.list.missing()
        && let Some(question) = folder_question(model, first, rows)
    {
        if model.files.load == Load::Idle {
            model.files.load = Load::Loading;
        }
        ask(model, "files.folder", question, take_folder, effects);
    }
    select::fetch(model, effects);
}

/// The question for rows of the folder shown.
fn folder_question(model: &Model, first: u64, rows: u32) -> Option<Question> {
    let files = &model.files;
    let (vault, generation) = files.of.clone()?;
    Some(Question::Folder {
        vault,
        generation,
        folder: files.folder.clone(),
        order: Default::default(),
        filter: files.filter.clone(),
        first,
        near: None,
        rows,
    })
}

/// Whether a question for rows was about the folder shown.
fn is_shown(model: &Model, asked: &Question) -> bool {
    match (asked, folder_question(model, 0, 0)) {
        (
            Question::Folder {
                vault,
                generation,
                folder,
                filter,
                ..
            },
            Some(Question::Folder {
                vault: now_vault,
                generation: now_generation,
                folder: now_folder,
                filter: now_filter,
                ..
            }),
        ) => (vault, generation, folder, filter) == (&now_vault, &now_generation, &now_folder, &now_filter),
        _ => false,
    }
}

fn take_folder(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    if !is_shown(model, asked) {
        return;
    }
    let files = &mut model.files;
    match told.answer {
        Answer::Folder(FolderWindow { first, rows, total, .. }) => {
            files.load = Load::Ready;
            files.list.accept(first, rows, total);
            pass_through(model);
        }
        Answer::NoSuchFolder if !files.folder.is_empty() => {
            let gone = files.folder.pop().unwrap_or_default();
            show_folder(model, 0);
            let gone = text::escape(&gone);
            model.say(
                Role::Dim,
                format!("{gone} is not in this generation; here is the folder that would hold it."),
            );
        }
        Answer::NoSuchFolder => files.load = Load::Failed("This generation holds nothing.".to_owned()),
        other => files.load = failed(other),
    }
}

/// The files follow the generation under the cursor; the folder stays, so that one looks at one place through time.
fn follow_generation(model: &mut Model) {
    let wanted = match (&model.generations.vault, model.generations.list.current()) {
        (Some(vault), Some(row)) => Some((vault.clone(), row.id)),
        _ => None,
    };
    if model.files.of == wanted {
        return;
    }
    let files = &mut model.files;
    let same_vault = matches!((&files.of, &wanted), (Some((old, _)), Some((new, _))) if old == new) || wanted.is_none();
    files.of = wanted;
    files.anchor = None;
    files.load = Load::Idle;
    if same_vault {
        let cursor = files.list.cursor();
        files.list.start_at(cursor);
    } else {
        files.folder.clear();
        files.left_at.clear();
        files.filter.clear();
        files.pass_through = true;
        files.list.start_at(0);
    }
}

/// Shows the files of the generation under the cursor, from the first folder that holds more than one.
pub(super) fn enter_generation(model: &mut Model) {
    if model.files.folder.is_empty() {
        model.files.pass_through = true;
        pass_through(model);
    }
}

fn open(act: &mut Act) {
    let model = &mut *act.model;
    match model.files.list.current() {
        Some(row) if row.kind == NodeType::Dir => {
            let name = row.name.clone();
            enter(model, name);
        }
        Some(_) => model.say(Role::Dim, "A file: Space selects it, r restores it."),
        None => {}
    }
}

/// Goes into a folder.
fn enter(model: &mut Model, name: Vec<u8>) {
    let files = &mut model.files;
    files.left_at.insert(files.folder.clone(), files.list.cursor());
    files.folder.push(name);
    let cursor = files.left_at.get(&files.folder).copied().unwrap_or(0);
    show_folder(model, cursor);
}

/// Shows `files.folder` anew.
fn show_folder(model: &mut Model, cursor: u64) {
    let files = &mut model.files;
    files.filter.clear();
    files.anchor = None;
    files.load = Load::Idle;
    files.list.start_at(cursor);
}

/// Shows a path of a generation: its folder, with the cursor on it where that is known by then.
pub(crate) fn reveal(model: &mut Model, vault: &str, generation: Id, path: &[Vec<u8>]) {
    let Some((_, folder)) = path.split_last() else { return };
    if model.generations.vault.as_deref() != Some(vault) {
        let vault = text::escape(vault.as_bytes());
        return model.say(
            Role::Warning,
            format!("Open the vault {vault} first: the file is there."),
        );
    }
    let (first, rows) = model.generations.list.held();
    if let Some(at) = rows.iter().position(|row| row.id == generation) {
        model.generations.list.go(first + at as u64);
    }
    model.screen = Screen::Files;
    follow_generation(model);
    model.files.pass_through = false;
    model.files.folder = folder.to_vec();
    show_folder(model, 0);
}

/// Goes on into a folder that is all there is in this one: backups start at the root, people do not.
fn pass_through(model: &mut Model) {
    let files = &mut model.files;
    if !files.pass_through || files.list.total().is_none() {
        return;
    }
    match files.list.get(0) {
        Some(row) if files.list.total() == Some(1) && row.kind == NodeType::Dir && files.folder.len() < 64 => {
            let name = row.name.clone();
            enter(model, name);
        }
        _ => files.pass_through = false,
    }
}

fn back(act: &mut Act) {
    let model = &mut *act.model;
    if model.files.folder.is_empty() {
        model.screen = Screen::Vaults;
        model.pane = super::vaults::Pane::Generations;
        return;
    }
    model.files.pass_through = false;
    let left = (model.files.folder.clone(), model.files.list.cursor());
    model.files.left_at.insert(left.0, left.1);
    model.files.folder.pop();
    let cursor = model.files.left_at.get(&model.files.folder).copied().unwrap_or(0);
    show_folder(model, cursor);
}

/// Leaves the range; whether there was one.
pub(super) fn escape(model: &mut Model) -> bool {
    model.files.anchor.take().is_some()
}

pub(super) fn set_filter(model: &mut Model, wanted: &str) {
    model.files.filter = wanted.to_owned();
    model.files.anchor = None;
    model.files.load = Load::Idle;
    model.files.list.start_at(0);
}

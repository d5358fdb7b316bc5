//! The screen Files: a folder of one generation, one point in time.
//!
//! The folder stays when another generation is chosen, so that one looks at one place through time. `ask` reads it, `select`
//! is what is chosen for a restore: rules, so that all of a million files are one step. `weigh` counts what folders weigh,
//! `side` is the pane beside the list, `travel` the versions of what the cursor is on. `view` draws the list, `side_view` the
//! pane.

mod ask;
mod select;
pub mod side;
pub(crate) mod side_view;
pub mod travel;
pub(crate) mod view;
mod weigh;

use std::collections::HashMap;

use super::super::actions::{self, Act, Action, At, Context, Danger};
use super::super::dialogs::{backup, compare, look, restore, sort, versions};
use super::super::model::{Load, Model, Screen};
use super::super::theme::Role;
use super::super::window::Window;
pub(super) use ask::fetch;
pub use select::Selected;
pub(crate) use select::to_restore;

use crate::catalog::Totals;
use crate::engine::question::{EntryRow, FolderOrder, TreePath};
use crate::text;
use crate::vault::{Id, NodeType};

/// Where keys go.
pub const CONTEXT: Context = Context::screen("files", "Files");

/// What one can do here.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("files.open", "open", "Into the folder; a file is shown as text or bytes", &["Enter", "l", "→"], At::Only(&[CONTEXT]), open)
        .hint(1).unless(nothing_to_open),
    Action::new("files.back", "back", "To the folder that holds this; from the top to the generations", &["h", "Backspace", "←"],
        At::Only(&[CONTEXT]), back).hint(2),
    Action::new("files.select", "select", "Select or unselect, and go down", &["Space"], At::Only(&[CONTEXT]), select::select).hint(3)
        .unless(nothing),
    Action::new("files.restore", "restore", "Restore the selection, or the row under the cursor", &["r"], At::Only(&[CONTEXT]),
        restore::open).danger(Danger::Plan).hint(4).unless(restore::why_not),
    Action::new("files.older", "older", "This entry's version before the one shown: back in time", &["<"], At::Only(&[CONTEXT]),
        |act| travel::step(act, travel::Way::Older)).hint(5).unless(no_entry),
    Action::new("files.newer", "newer", "This entry's version after the one shown", &[">"], At::Only(&[CONTEXT]),
        |act| travel::step(act, travel::Way::Newer)).hint(6).unless(no_entry),
    Action::new("files.versions", "versions", "All versions of this entry: when, how much, in which generations", &["V"],
        At::Only(&[CONTEXT]), versions::open).hint(7).unless(no_entry),
    Action::new("files.compare", "diff", "Compare this file with its version before", &["d"], At::Only(&[CONTEXT]),
        compare::with_older).hint(8).unless(no_file),
    Action::new("files.compare-disk", "diff disk", "Compare this file with the one on the disk now", &["D"], At::Only(&[CONTEXT]),
        compare::with_disk).hint(9).unless(no_file),
    Action::new("files.sort", "sort", "In which order: name, size, time", &["s"], At::Only(&[CONTEXT]), sort::open).hint(10),
    Action::new("files.side", "preview", "The pane beside: preview, versions, none", &["p"], At::Only(&[CONTEXT]),
        |act| change_side(act.model, 1)).hint(20).unless(narrow),
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
    /// In which order they come.
    pub order: FolderOrder,
    /// What the heaviest of them weighs, as far as is known.
    pub heaviest: u64,
    /// What the folder weighs in all, if that is known.
    pub below: Option<Totals>,
    /// The name to put the cursor on once rows arrive.
    pub want: Option<Vec<u8>>,
    /// How far the folders' weights are known.
    pub weighing: weigh::Weighing,
    /// The pane beside the list.
    pub side: side::Side,
    /// The versions of an entry.
    pub travel: travel::Travel,
    /// Where a range starts.
    pub anchor: Option<u64>,
    /// Where the cursor was in folders one left, by path.
    pub left_at: HashMap<TreePath, u64>,
    /// Whether a folder that holds nothing but one folder is passed through: until the first answer after a generation
    /// is opened, and while one goes down.
    pub pass_through: bool,
}

/// An entry of a generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// Name or folder of the vault.
    pub vault: String,
    /// The generation.
    pub generation: Id,
    /// Its path.
    pub path: TreePath,
    /// What is known of it.
    pub row: EntryRow,
}

/// What the cursor is on.
pub fn spot(model: &Model) -> Option<Spot> {
    let (vault, generation) = model.files.of.clone()?;
    let row = model.files.list.current()?.clone();
    let mut path = model.files.folder.clone();
    path.push(row.name.clone());
    Some(Spot {
        vault,
        generation,
        path,
        row,
    })
}

fn no_entry(model: &Model) -> Option<String> {
    model
        .files
        .list
        .current()
        .is_none()
        .then(|| "The cursor is on nothing.".into())
}

fn no_file(model: &Model) -> Option<String> {
    let file = model.files.list.current().is_some_and(|row| row.kind == NodeType::File);
    (!file).then(|| "Only files are compared line by line; the cursor is on none.".into())
}

/// The vault shown has other generations, or was unlocked: what is known of versions is not all.
pub(crate) fn vault_changed(model: &mut Model) {
    model.files.travel.forget();
    if matches!(model.files.side.load, Load::Locked | Load::Failed(_)) {
        model.files.side.load = Load::Idle;
    }
}

pub(super) fn narrow(model: &Model) -> Option<String> {
    (!model.is_wide()).then(|| "There is no room beside the list: Enter shows a file, V its versions.".into())
}

/// Shows something else in the pane beside the list.
pub(super) fn change_side(model: &mut Model, by: isize) {
    if model.is_wide() {
        model.files.side.show = model.files.side.show.next(by);
    }
}

/// Puts the folder in another order; the cursor stays on its entry.
pub(crate) fn set_order(model: &mut Model, order: FolderOrder) {
    let files = &mut model.files;
    if files.order == order {
        return;
    }
    files.order = order;
    files.anchor = None;
    files.want = files.list.current().map(|row| row.name.clone());
    files.load = Load::Idle;
    files.list.start_at(0);
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
        if files.want.is_none() {
            files.want = files.list.current().map(|row| row.name.clone());
        }
        files.list.start_at(cursor);
    } else {
        files.folder.clear();
        files.left_at.clear();
        files.filter.clear();
        files.want = None;
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

fn nothing_to_open(model: &Model) -> Option<String> {
    let files = &model.files;
    let why = match files.list.total() {
        _ if files.list.current().is_some() => return None,
        Some(0) => "There is nothing here to open.",
        _ if matches!(files.load, Load::Failed(_) | Load::Locked) => "There is nothing here to open.",
        _ => "This row is still being read: press again.",
    };
    Some(why.into())
}

fn open(act: &mut Act) {
    let model = &mut *act.model;
    match model.files.list.current() {
        Some(row) if row.kind == NodeType::Dir => {
            let name = row.name.clone();
            enter(model, name);
        }
        Some(row) if row.kind == NodeType::File => look::open(act),
        Some(_) => model.say(
            Role::Dim,
            "Neither a folder nor a file: Space selects it, r restores it.",
        ),
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
    files.want = None;
    files.anchor = None;
    files.load = Load::Idle;
    files.list.start_at(cursor);
}

/// Shows a path of a generation: its folder, with the cursor on it where that is known by then.
pub(crate) fn reveal(model: &mut Model, vault: &str, generation: Id, path: &[Vec<u8>]) {
    let Some((name, folder)) = path.split_last() else {
        return;
    };
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
    model.files.want = Some(name.clone());
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
    model.files.want = None;
    model.files.filter = wanted.to_owned();
    model.files.anchor = None;
    model.files.load = Load::Idle;
    model.files.list.start_at(0);
}

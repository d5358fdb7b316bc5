//! Moving among vaults, generations and files, and selecting.

use super::super::actions::ActionId;
use super::super::model::{FolderAsk, Generations, Load, Model, Overlay, Pane, Purpose, Selected};
use super::super::msg::Effect;
use super::super::theme::Role;
use super::super::{text, view};
use super::{abandon, ask};
use crate::engine::Selection;
use crate::engine::question::{GenerationRow, SelectionRules, TreePath, VaultRow};
use crate::vault::NodeType;

/// The longest range that is selected row by row.
const RANGE_LIMIT: u64 = 10_000;

/// Moves the cursor of the list that has the keys.
pub(super) fn step(model: &mut Model, id: ActionId) {
    macro_rules! step {
        ($list:expr) => {{
            let list = $list;
            match id {
                ActionId::Up => list.step(-1),
                ActionId::Down => list.step(1),
                ActionId::PageUp => list.step(-list.page()),
                ActionId::PageDown => list.step(list.page()),
                ActionId::Top => list.go(0),
                _ => list.go(u64::MAX),
            }
        }};
    }
    match model.overlays.last_mut() {
        None => match model.focus {
            Pane::Vaults => step!(&mut model.vaults.list),
            Pane::Generations => step!(&mut model.generations.list),
            Pane::Files => step!(&mut model.files.list),
        },
        Some(Overlay::Jobs(list)) => step!(list),
        Some(Overlay::Report(report)) => step!(&mut report.list),
        Some(Overlay::BackupChoice(list, _)) => step!(list),
        Some(Overlay::RestorePlan(plan)) => step!(&mut plan.list),
        Some(_) => {}
    }
}

/// The panes follow the vault under the cursor.
pub(super) fn follow_vault(model: &mut Model, vault: Option<String>) {
    if model.vaults.load == Load::Ready && model.generations.vault != vault {
        let mut list = std::mem::take(&mut model.generations.list);
        list.start_at(0);
        model.generations = Generations {
            vault,
            list,
            ..Generations::default()
        };
    }
}

/// The files follow the generation under the cursor; the folder stays, so that one looks at one place through time.
pub(super) fn follow_generation(model: &mut Model) {
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

/// Opens what the cursor is on.
pub(super) fn open(model: &mut Model) {
    match model.focus {
        Pane::Vaults => {
            if model.generations.load == Load::Locked {
                super::dialogs::ask_password(model, String::new());
            } else {
                model.password_asked = None;
                model.focus = Pane::Generations;
            }
        }
        Pane::Generations => {
            model.focus = Pane::Files;
            if model.files.folder.is_empty() {
                model.files.pass_through = true;
                pass_through(model);
            }
        }
        Pane::Files => match model.files.list.current() {
            Some(row) if row.kind == NodeType::Dir => {
                let name = row.name.clone();
                enter(model, name);
            }
            Some(_) => model.say(Role::Dim, "A file: Space selects it, r restores it."),
            None => {}
        },
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
pub(super) fn show_folder(model: &mut Model, cursor: u64) {
    let files = &mut model.files;
    files.filter.clear();
    files.anchor = None;
    files.load = Load::Idle;
    files.list.start_at(cursor);
}

/// Goes on into a folder that is all there is in this one: backups start at the root, people do not.
pub(super) fn pass_through(model: &mut Model) {
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

/// Goes to what holds this.
pub(super) fn back(model: &mut Model) {
    match model.focus {
        Pane::Vaults => {}
        Pane::Generations => model.focus = Pane::Vaults,
        Pane::Files if model.files.folder.is_empty() => model.focus = Pane::Generations,
        Pane::Files => {
            model.files.pass_through = false;
            let left = (model.files.folder.clone(), model.files.list.cursor());
            model.files.left_at.insert(left.0, left.1);
            model.files.folder.pop();
            let cursor = model.files.left_at.get(&model.files.folder).copied().unwrap_or(0);
            show_folder(model, cursor);
        }
    }
}

/// Goes to the pane `by` places on, around.
pub(super) fn change_pane(model: &mut Model, by: usize) {
    const PANES: [Pane; 3] = [Pane::Vaults, Pane::Generations, Pane::Files];
    let at = PANES.iter().position(|pane| *pane == model.focus).unwrap_or(0);
    model.focus = PANES[(at + by) % 3];
}

/// Leaves the range, then the filter.
pub(super) fn escape(model: &mut Model) {
    if model.focus == Pane::Files && model.files.anchor.take().is_some() {
        return;
    }
    set_filter(model, "");
    model.notice = None;
}

/// Reads the lists anew.
pub(super) fn reload(model: &mut Model) {
    model.vaults.load = Load::Idle;
    model.generations.load = Load::Idle;
    model.files.load = Load::Idle;
    model.files.list.forget();
}

/// The filter of the focused pane.
pub(super) fn filter(model: &Model) -> &str {
    match model.focus {
        Pane::Vaults => &model.vaults.filter,
        Pane::Generations => &model.generations.filter,
        Pane::Files => &model.files.filter,
    }
}

/// Filters the focused pane.
pub(super) fn set_filter(model: &mut Model, wanted: &str) {
    if filter(model) == wanted {
        return;
    }
    match model.focus {
        Pane::Vaults => {
            model.vaults.filter = wanted.to_owned();
            show_vaults(model);
        }
        Pane::Generations => {
            model.generations.filter = wanted.to_owned();
            show_generations(model);
        }
        Pane::Files => {
            model.files.filter = wanted.to_owned();
            model.files.anchor = None;
            model.files.load = Load::Idle;
            model.files.list.start_at(0);
        }
    }
}

/// Shows the vaults that the filter lets through; the cursor stays on its vault.
pub(super) fn show_vaults(model: &mut Model) {
    let on = model
        .wanted_vault
        .clone()
        .or_else(|| model.vaults.list.current().map(|row| row.name.clone()));
    let filter = model.vaults.filter.to_lowercase();
    let fits = |row: &&VaultRow| row.name.to_lowercase().contains(&filter) || row.location.contains(&filter);
    let rows: Vec<VaultRow> = model.vaults.all.iter().filter(fits).cloned().collect();
    let at = rows
        .iter()
        .position(|row| Some(&row.name) == on.as_ref() || Some(&row.location) == on.as_ref());
    let total = rows.len() as u64;
    model.vaults.list.accept(0, rows, total);
    if let Some(at) = at {
        model.vaults.list.go(at as u64);
    }
}

/// Shows the generations that the filter lets through; the cursor stays on its generation.
pub(super) fn show_generations(model: &mut Model) {
    let on = model.generations.list.current().map(|row| row.id);
    let filter = model.generations.filter.to_lowercase();
    let (zone, now) = (&model.zone, model.now.unix);
    let fits = |row: &&GenerationRow| {
        // What the row shows is what one filters by: the date, and how long ago it was.
        let stamp = format!("{}  {}", text::stamp(row.time, zone), text::ago(row.time, now));
        let mut texts = [stamp.as_str(), &row.host]
            .into_iter()
            .chain(row.paths.iter().chain(&row.tags).map(|s| &**s));
        filter.is_empty() || texts.any(|t| t.to_lowercase().contains(&filter)) || row.id.short().starts_with(&filter)
    };
    let rows: Vec<GenerationRow> = model.generations.all.iter().filter(fits).cloned().collect();
    let at = rows.iter().position(|row| Some(row.id) == on);
    let total = rows.len() as u64;
    model.generations.list.accept(0, rows, total);
    if let Some(at) = at {
        model.generations.list.go(at as u64);
    }
}

/// A selection as the engine takes it.
pub(super) fn rules(selection: &Selection) -> SelectionRules {
    selection
        .rules()
        .map(|(path, include)| (path.clone(), include))
        .collect()
}

/// The path of an entry of the folder shown.
fn path_of(folder: &TreePath, name: &[u8]) -> TreePath {
    let mut path = folder.clone();
    path.push(name.to_vec());
    path
}

/// Changes the selection of the generation shown; what it weighs is counted anew.
fn change(model: &mut Model, effects: &mut Vec<Effect>, how: impl FnOnce(&mut Selection)) {
    let Some((_, generation)) = model.files.of.clone() else {
        return;
    };
    let selected: &mut Selected = model.selections.entry(generation).or_default();
    how(&mut selected.selection);
    selected.counted = false;
    if selected.selection.is_empty() {
        model.selections.remove(&generation);
    }
    abandon(model, |purpose| *purpose == Purpose::Totals(generation), effects);
}

/// Selects or unselects the row, or ends a range.
pub(super) fn select(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.files.anchor.is_some() {
        return range(model, effects);
    }
    let Some(row) = model.files.list.current() else { return };
    let path = path_of(&model.files.folder, &row.name);
    change(model, effects, |selection| selection.toggle(&path));
    model.files.list.step(1);
}

/// Starts a range, or selects it.
pub(super) fn range(model: &mut Model, effects: &mut Vec<Effect>) {
    let cursor = model.files.list.cursor();
    let Some(anchor) = model.files.anchor.take() else {
        model.files.anchor = Some(cursor);
        return;
    };
    let (from, to) = (anchor.min(cursor), anchor.max(cursor));
    if to - from >= RANGE_LIMIT {
        model.say(
            Role::Warning,
            "A range takes at most 10,000 rows. Select all with a, then unselect what you do not want.",
        );
        return;
    }
    let Some((vault, generation)) = model.files.of.clone() else {
        return;
    };
    let names: Option<Vec<Vec<u8>>> = (from..=to)
        .map(|at| model.files.list.get(at).map(|r| r.name.clone()))
        .collect();
    match names {
        Some(names) => select_names(model, names, effects),
        None => {
            let rows = u32::try_from(to - from + 1).unwrap_or(u32::MAX);
            let (folder, filter) = (model.files.folder.clone(), model.files.filter.clone());
            let wanted = FolderAsk {
                vault,
                generation,
                folder,
                filter,
                first: from,
                rows,
            };
            let question = wanted.question();
            ask(model, Purpose::Range(wanted), question, effects);
        }
    }
}

/// Selects these entries of the folder shown.
pub(super) fn select_names(model: &mut Model, names: Vec<Vec<u8>>, effects: &mut Vec<Effect>) {
    let folder = model.files.folder.clone();
    change(model, effects, |selection| {
        for name in names {
            selection.set(&path_of(&folder, &name), true);
        }
    });
}

/// All of the folder, its opposite, or nothing at all.
pub(super) fn select_folder(model: &mut Model, id: ActionId, effects: &mut Vec<Effect>) {
    let folder = model.files.folder.clone();
    model.files.anchor = None;
    change(model, effects, |selection| match id {
        ActionId::SelectAll => selection.set(&folder, true),
        ActionId::Invert => selection.invert(&folder),
        _ => selection.clear(),
    });
}

/// What would be restored now: the rules, and in words. `None` while the row is on its way.
pub(super) fn to_restore(model: &Model) -> Option<(SelectionRules, String)> {
    if model.focus == Pane::Generations {
        let row = model.generations.list.current()?;
        let stamp = text::stamp(row.time, &model.zone);
        return Some((vec![(Vec::new(), true)], format!("everything of {stamp}")));
    }
    if let Some(selected) = model.selected().filter(|s| !s.selection.is_empty()) {
        return Some((rules(&selected.selection), view::selection_words(selected)));
    }
    let row = model.files.list.current()?;
    let what = text::escape(&row.name) + if row.kind == NodeType::Dir { "/" } else { "" };
    Some((vec![(path_of(&model.files.folder, &row.name), true)], what))
}

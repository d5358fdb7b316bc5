//! What is selected in a generation, as rules.

use super::super::super::actions::Act;
use super::super::super::asking::{Told, abandon, ask, complain};
use super::super::super::model::{Model, Screen};
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::ask::{folder_question, is_shown};
use crate::engine::question::{SelectionRules, Totals, TreePath};
use crate::engine::{Answer, Question, Selection};
use crate::text;
use crate::vault::NodeType;

/// The longest range that is selected row by row.
const RANGE_LIMIT: u64 = 10_000;

/// What is selected in a generation.
#[derive(Debug, Default, Clone)]
pub struct Selected {
    /// The rules.
    pub selection: Selection,
    /// What they pick weighs, as far as is known.
    pub totals: Option<Totals>,
    /// Whether the totals are of these rules and final.
    pub counted: bool,
}

impl Selected {
    /// What is selected, in words.
    pub fn words(&self) -> String {
        let items = self.selection.rules().filter(|(_, include)| *include).count() as u64;
        let left_out = self.selection.rules().count() as u64 - items;
        let mut out = text::counted(items, "item", "items");
        if left_out > 0 {
            out.push_str(&format!(" without {}", text::count(left_out)));
        }
        out
    }
}

impl Model {
    /// What is selected in the generation shown.
    pub fn selected(&self) -> Option<&Selected> {
        self.selections.get(&self.files.of.as_ref()?.1)
    }
}

/// Asks what the selection weighs, if that is not known.
pub(super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some((vault, generation)) = model.files.of.clone()
        && let Some(selected) = model.selections.get(&generation)
        && !selected.counted
        && !selected.selection.is_empty()
        && !model.asks("files.totals")
    {
        let rules = rules(&selected.selection);
        let question = Question::Totals {
            vault,
            generation,
            rules,
        };
        ask(model, "files.totals", question, take_totals, effects);
    }
}

fn take_totals(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Totals {
        generation, rules: of, ..
    } = asked
    else {
        return;
    };
    let Some(selected) = model.selections.get_mut(generation) else {
        return;
    };
    if rules(&selected.selection) != *of {
        return;
    }
    match told.answer {
        Answer::Totals(totals) => {
            selected.totals = Some(totals);
            selected.counted = told.complete;
        }
        other => {
            selected.counted = true;
            selected.totals = None;
            complain(model, other);
        }
    }
}

/// A selection as the engine takes it.
fn rules(selection: &Selection) -> SelectionRules {
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
    abandon(model, "files.totals", effects);
}

/// Selects or unselects the row, or ends a range.
pub(super) fn select(act: &mut Act) {
    let model = &mut *act.model;
    if model.files.anchor.is_some() {
        return range(act);
    }
    let Some(row) = model.files.list.current() else {
        model.say(Role::Warning, "This row is still being read: press again.");
        return;
    };
    let path = path_of(&model.files.folder, &row.name);
    change(model, act.effects, |selection| selection.toggle(&path));
    model.files.list.step(1);
}

/// Starts a range, or selects it.
pub(super) fn range(act: &mut Act) {
    let model = &mut *act.model;
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
    let names: Option<Vec<Vec<u8>>> = (from..=to)
        .map(|at| model.files.list.get(at).map(|r| r.name.clone()))
        .collect();
    match names {
        Some(names) => select_names(model, names, act.effects),
        None => {
            let rows = u32::try_from(to - from + 1).unwrap_or(u32::MAX);
            if let Some(question) = folder_question(model, from, rows) {
                ask(model, "files.range", question, take_range, act.effects);
            }
        }
    }
}

fn take_range(model: &mut Model, asked: &Question, told: Told, effects: &mut Vec<Effect>) {
    let window = match told.answer {
        Answer::Folder(window) => window,
        other => return complain(model, other),
    };
    let Question::Folder { first, rows, .. } = asked else {
        return;
    };
    if is_shown(model, asked) {
        let skip = usize::try_from(first.saturating_sub(window.first)).unwrap_or(usize::MAX);
        let names = window.rows.into_iter().skip(skip).take(*rows as usize);
        let names = names.map(|row| row.name).collect();
        select_names(model, names, effects);
    }
}

/// Selects these entries of the folder shown.
fn select_names(model: &mut Model, names: Vec<Vec<u8>>, effects: &mut Vec<Effect>) {
    let folder = model.files.folder.clone();
    change(model, effects, |selection| {
        for name in names {
            selection.set(&path_of(&folder, &name), true);
        }
    });
}

/// All of the folder.
pub(super) fn all(act: &mut Act) {
    whole(act, |selection, folder| selection.set(folder, true));
}

/// The opposite of what is selected in the folder.
pub(super) fn invert(act: &mut Act) {
    whole(act, |selection, folder| selection.invert(folder));
}

/// Nothing at all.
pub(super) fn clear(act: &mut Act) {
    whole(act, |selection, _| selection.clear());
}

fn whole(act: &mut Act, how: impl FnOnce(&mut Selection, &TreePath)) {
    let folder = act.model.files.folder.clone();
    act.model.files.anchor = None;
    change(act.model, act.effects, |selection| how(selection, &folder));
}

/// What would be restored now: the rules, and in words. `None` while the row is on its way.
pub(crate) fn to_restore(model: &Model) -> Option<(SelectionRules, String)> {
    if model.screen != Screen::Files {
        let row = model.generations.list.current()?;
        let stamp = text::stamp(row.time, &model.zone);
        return Some((vec![(Vec::new(), true)], format!("everything of {stamp}")));
    }
    if let Some(selected) = model.selected().filter(|s| !s.selection.is_empty()) {
        return Some((rules(&selected.selection), selected.words()));
    }
    let row = model.files.list.current()?;
    let what = text::escape(&row.name) + if row.kind == NodeType::Dir { "/" } else { "" };
    Some((vec![(path_of(&model.files.folder, &row.name), true)], what))
}

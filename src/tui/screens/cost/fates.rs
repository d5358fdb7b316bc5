//! The generations and what becomes of each: the list, and marking some of them by hand.

use super::super::super::actions::Act;
use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::files;
use super::super::search;
use super::ask;
use crate::engine::question::Fate;
use crate::retention;
use crate::vault::Id;

/// Whether a generation is protected: no rule takes it, nor does a mark.
pub(super) fn is_protected(model: &Model, id: Id) -> bool {
    let rows = &model.generations.all;
    rows.iter()
        .any(|row| row.id == id && retention::is_protected(&row.tags))
}

/// Shows those that go, or all; the cursor stays on its generation.
pub(super) fn show(model: &mut Model) {
    let Some((_, what)) = ask::shown(model) else {
        model.cost.known.fates.hold(Vec::new());
        return;
    };
    let all = model.cost.all;
    let rows: Vec<Fate> = what.fates.iter().filter(|fate| all || !fate.stays).cloned().collect();
    let fates = &mut model.cost.known.fates;
    let on = fates.current().map(|fate| fate.id);
    let at = rows.iter().position(|fate| Some(fate.id) == on);
    fates.hold(rows);
    if let Some(at) = at {
        fates.go(at as u64);
    }
}

/// Shows all, or only those that go.
pub(super) fn toggle_all(act: &mut Act) {
    act.model.cost.all = !act.model.cost.all;
    show(act.model);
}

/// Lets a generation go whatever the rule says, or takes that back.
pub(super) fn mark(act: &mut Act) {
    let model = &mut *act.model;
    let Some(id) = model.cost.known.fates.current().map(|fate| fate.id) else {
        return;
    };
    if is_protected(model, id) {
        return model.say(
            Role::Warning,
            "It is protected: nothing takes it while it has the tag protected (e on screen 2 takes the tag away).",
        );
    }
    let Some(draft) = super::draft_mut(model) else { return };
    let mut rule = draft.rule.clone();
    let marked = rule.marked.contains(&id);
    match marked {
        true => rule.marked.retain(|marked| *marked != id),
        false => rule.marked.push(id),
    }
    draft.change(rule);
    if model.cost.all {
        model.cost.known.fates.step(1);
    }
}

/// Goes to the files of the generation under the cursor.
pub(super) fn open_generation(act: &mut Act) {
    let model = &mut *act.model;
    let Some(id) = model.cost.known.fates.current().map(|fate| fate.id) else {
        return;
    };
    let at = model.generations.list.held().1.iter().position(|row| row.id == id);
    match at {
        Some(at) => {
            model.generations.list.go(at as u64);
            act.model.screen = super::super::super::model::Screen::Files;
            files::enter_generation(act.model);
        }
        None => model.say(Role::Warning, "The list of generations does not show this one."),
    }
}

/// Goes to the lost version under the cursor, in the last generation that holds it.
pub(super) fn go_to_lost(act: &mut Act) {
    let model = &mut *act.model;
    let Some(vault) = model.generations.vault.clone() else {
        return;
    };
    let Some(row) = model.cost.lost.list.current() else {
        return;
    };
    let (generation, path) = (row.generation, row.path.clone());
    search::go_to(model, &vault, generation, path);
}

/// Why there is no generation to do something with.
pub(super) fn none_here(model: &Model) -> Option<String> {
    let none = model.cost.known.fates.current().is_none();
    none.then(|| "There is no generation here; a shows all of them.".into())
}

//! Points in time marked for comparing, and generations staged for deletion: nothing is done before `w` reviews it.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::super::super::actions::Act;
use super::super::super::jobs::Job;
use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use crate::engine::JobKind;
use crate::engine::question::GenerationRow;
use crate::vault::Id;

/// What is staged for deletion, by vault.
pub type Staged = super::super::super::staged::Staged<String, Id>;

/// What is staged in the vault that is shown.
pub(crate) fn staged(model: &Model) -> Vec<Id> {
    let vault = model.generations.vault.as_deref().unwrap_or_default();
    model.staged.of(vault)
}

/// The same, to look each generation up in.
pub(super) fn staged_set(model: &Model) -> HashSet<Id> {
    staged(model).into_iter().collect()
}

/// The rows of what is staged, newest first.
pub(super) fn staged_rows(model: &Model) -> Vec<GenerationRow> {
    let staged = staged_set(model);
    let rows = model.generations.all.iter().filter(|row| staged.contains(&row.id));
    rows.cloned().collect()
}

/// Why there is nothing to review or to take back.
pub(in super::super) fn nothing_staged(model: &Model) -> Option<String> {
    staged(model)
        .is_empty()
        .then(|| "Nothing is staged for deletion: d on a generation stages it.".into())
}

/// Why what is staged cannot be reviewed now: of what is not in the list nothing could be said.
pub(super) fn cannot_review(model: &Model) -> Option<String> {
    let why = || match model.generations.load {
        Load::Failed(_) | Load::Locked => "The generations cannot be read: there is nothing to review them by.",
        _ => "The generations are still being read: press again.",
    };
    nothing_staged(model)
        .or_else(|| {
            is_deleting(model).then(|| "Generations of this vault are being deleted: J shows how far that is.".into())
        })
        .or_else(|| (!all_listed(model)).then(|| why().into()))
}

/// Whether generations of the vault that is shown are being deleted. What is staged stays so until it is gone: the job may be
/// refused, stopped, or about others.
pub(super) fn is_deleting(model: &Model) -> bool {
    let here =
        |job: &Job| job.info.kind == JobKind::Forget && Some(&job.info.vault) == model.generations.vault.as_ref();
    model.jobs.running().any(here)
}

/// Whether all that is staged is in the list.
pub(super) fn all_listed(model: &Model) -> bool {
    let staged = staged_set(model);
    let listed = model.generations.all.iter().filter(|row| staged.contains(&row.id));
    listed.count() == staged.len()
}

/// The generations that keys act on: the range, else those selected, else the one under the cursor.
pub(super) fn chosen(model: &Model) -> Vec<GenerationRow> {
    let generations = &model.generations;
    if generations.anchor.is_none() && !generations.picked.is_empty() {
        let rows = generations
            .all
            .iter()
            .filter(|row| generations.picked.contains(&row.id));
        return rows.cloned().collect();
    }
    ranged(model)
}

/// Nothing is selected or ranged over any more.
pub(super) fn release(model: &mut Model) {
    model.generations.anchor = None;
    model.generations.picked.clear();
}

/// Selects what the range holds or the cursor is on; if all of that is selected, leaves it again.
pub(super) fn pick(act: &mut Act) {
    let model = &mut *act.model;
    let ids: Vec<Id> = ranged(model).iter().map(|row| row.id).collect();
    let picked = &mut model.generations.picked;
    if ids.iter().all(|id| picked.contains(id)) {
        ids.iter().for_each(|id| _ = picked.remove(id));
    } else {
        picked.extend(ids);
    }
    if model.generations.anchor.take().is_none() {
        model.generations.list.step(1);
    }
}

/// Selects all that are shown, or none.
pub(super) fn pick_all(act: &mut Act) {
    let generations = &mut act.model.generations;
    let shown: Vec<Id> = generations.list.held().1.iter().map(|row| row.id).collect();
    if shown.iter().all(|id| generations.picked.contains(id)) {
        generations.picked.clear();
    } else {
        generations.picked.extend(shown);
    }
}

/// Selects those shown that are not, and no others.
pub(super) fn invert(act: &mut Act) {
    let generations = &mut act.model.generations;
    let shown = generations.list.held().1.iter().map(|row| row.id);
    generations.picked = shown.filter(|id| !generations.picked.contains(id)).collect();
}

/// The numbers of the rows that the range being made holds.
pub(super) fn in_range(model: &Model) -> Option<RangeInclusive<u64>> {
    let anchor = model.generations.anchor?;
    Some(model.generations.list.range(|row| row.id == anchor))
}

/// The range, else the generation under the cursor.
fn ranged(model: &Model) -> Vec<GenerationRow> {
    let list = &model.generations.list;
    let cursor = list.cursor();
    let rows = in_range(model).unwrap_or(cursor..=cursor);
    rows.filter_map(|row| list.get(row).cloned()).collect()
}

/// Marks a point in time, or takes the mark away; a third one takes the place of the first.
pub(super) fn mark(act: &mut Act) {
    let generations = &mut act.model.generations;
    let Some(id) = generations.list.current().map(|row| row.id) else {
        return;
    };
    if generations.marks.contains(&id) {
        generations.marks.retain(|mark| *mark != id);
        return;
    }
    if generations.marks.len() >= 2 {
        generations.marks.remove(0);
    }
    generations.marks.push(id);
}

/// The marks with their letters: A is the older point in time.
pub(super) fn marks(model: &Model) -> Vec<(&'static str, &GenerationRow)> {
    let all = &model.generations.all;
    let mut rows: Vec<&GenerationRow> = model
        .generations
        .marks
        .iter()
        .filter_map(|id| all.iter().find(|row| row.id == *id))
        .collect();
    rows.sort_by_key(|row| row.time);
    ["A", "B"].into_iter().zip(rows).collect()
}

/// Begins or leaves a range.
pub(super) fn range(act: &mut Act) {
    let generations = &mut act.model.generations;
    generations.anchor = match generations.anchor {
        Some(_) => None,
        None => generations.list.current().map(|row| row.id),
    };
}

/// Stages the chosen for deletion; if all of them are already, takes that back.
pub(super) fn stage(act: &mut Act) {
    let model = &mut *act.model;
    let ids: Vec<Id> = chosen(model).iter().map(|row| row.id).collect();
    let Some(vault) = model.generations.vault.clone().filter(|_| !ids.is_empty()) else {
        return;
    };
    let one = ids.len() == 1;
    model.staged.turn(vault, ids);
    release(model);
    if one {
        // To the next one, so that several are staged by as many strokes.
        model.generations.list.step(1);
    }
}

/// Takes back the last step.
pub(super) fn undo(act: &mut Act) {
    let model = &mut *act.model;
    let Some(vault) = model.generations.vault.clone() else {
        return;
    };
    let last = model.staged.undo(&vault);
    let (_, rows) = model.generations.list.held();
    // Where it happened is in sight.
    if let Some(at) = rows.iter().position(|row| Some(row.id) == last) {
        model.generations.list.go(at as u64);
    }
}

/// Keeps one that was staged.
pub(super) fn keep(model: &mut Model, id: Id) {
    if let Some(vault) = model.generations.vault.clone() {
        model.staged.keep(vault, id);
    }
}

/// Generations that are gone are neither marked nor staged.
pub(super) fn forget_gone(model: &mut Model) {
    let all: HashSet<Id> = model.generations.all.iter().map(|row| row.id).collect();
    let is_there = |id: &Id| all.contains(id);
    model.generations.marks.retain(is_there);
    model.generations.picked.retain(is_there);
    let vault = model.generations.vault.clone().unwrap_or_default();
    if model.staged.retain(&vault, is_there) {
        model.say(Role::Warning, "Some of what was staged for deletion is gone already.");
    }
}

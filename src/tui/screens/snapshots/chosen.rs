//! What is selected, marked for comparing, and staged for deletion: nothing is done before `w` reviews it.

use std::collections::HashSet;

use super::super::super::actions::Act;
use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use super::{no_target, snapshot};
use crate::engine::JobKind;
use crate::engine::question::{SnapshotRow, SnapshotTargetRow};
use crate::snapshot::{MadeBy, SnapshotId, Target};
use crate::text;

fn target_of(row: &SnapshotTargetRow) -> Target {
    row.found.target.clone()
}

pub(super) fn id_of(row: &SnapshotRow) -> SnapshotId {
    row.snapshot.id.clone()
}

/// Why the target under the cursor cannot be selected.
pub(super) fn cannot_pick(model: &Model) -> Option<String> {
    no_target(model).or_else(|| {
        let row = model.snapshots.targets.list.current()?;
        row.found.problem.as_deref().map(|why| text::escape(why.as_bytes()))
    })
}

/// Selects a target, or leaves it again.
pub(super) fn pick_target(act: &mut Act) {
    let targets = &mut act.model.snapshots.targets;
    targets.picks.pick(&mut targets.list, target_of);
}

/// Selects all that can be snapshotted, or none.
pub(super) fn pick_targets(act: &mut Act) {
    let targets = &mut act.model.snapshots.targets;
    targets.picks.all(&targets.list, target_of);
    leave_unable(act.model);
}

/// Selects those that are not.
pub(super) fn invert_targets(act: &mut Act) {
    let targets = &mut act.model.snapshots.targets;
    targets.picks.invert(&targets.list, target_of);
    leave_unable(act.model);
}

/// What cannot be snapshotted is not selected.
fn leave_unable(model: &mut Model) {
    let targets = &mut model.snapshots.targets;
    let able = |target: &Target| {
        let row = targets.all.iter().find(|row| row.found.target == *target);
        row.is_some_and(|row| row.found.problem.is_none())
    };
    targets.picks.retain(able);
}

/// The targets to take snapshots of: those selected, else the one whose snapshots are shown or the cursor is on.
pub(crate) fn to_take(model: &Model) -> Vec<&SnapshotTargetRow> {
    let targets = &model.snapshots.targets;
    let picks = &targets.picks;
    if !picks.is_empty() {
        let picked = targets.all.iter().filter(|row| picks.holds(&row.found.target));
        return picked.collect();
    }
    targets.list.current().into_iter().collect()
}

/// Marks a snapshot, or takes the mark away; a third one takes the place of the first.
pub(super) fn mark(act: &mut Act) {
    let Some(id) = snapshot(act.model).map(id_of) else {
        return;
    };
    let marks = &mut act.model.snapshots.taken.marks;
    if marks.contains(&id) {
        marks.retain(|mark| *mark != id);
        return;
    }
    if marks.len() >= 2 {
        marks.remove(0);
    }
    marks.push(id);
}

/// The marks with their letters: A is the older one.
pub(crate) fn marks(model: &Model) -> Vec<(&'static str, &SnapshotRow)> {
    let taken = &model.snapshots.taken;
    let marked = taken.all.iter().filter(|row| taken.marks.contains(&row.snapshot.id));
    // They are listed newest first.
    ["A", "B"].into_iter().zip(marked.rev()).collect()
}

/// Selects what the range holds or the cursor is on.
pub(super) fn pick(act: &mut Act) {
    let taken = &mut act.model.snapshots.taken;
    taken.picks.pick(&mut taken.list, id_of);
}

/// Selects all that are shown, or none.
pub(super) fn pick_all(act: &mut Act) {
    let taken = &mut act.model.snapshots.taken;
    taken.picks.all(&taken.list, id_of);
}

/// Selects those that are not.
pub(super) fn invert(act: &mut Act) {
    let taken = &mut act.model.snapshots.taken;
    taken.picks.invert(&taken.list, id_of);
}

/// Begins or leaves a range.
pub(super) fn range(act: &mut Act) {
    let taken = &mut act.model.snapshots.taken;
    taken.picks.range(&taken.list, id_of);
}

/// What is staged of the target that is shown.
pub(crate) fn staged(model: &Model) -> Vec<SnapshotId> {
    let of = model.snapshots.taken.of.as_ref();
    of.map(|of| model.snapshots.staged.of(of)).unwrap_or_default()
}

/// The rows of what is staged, newest first.
pub(crate) fn staged_rows(model: &Model) -> Vec<SnapshotRow> {
    let staged: HashSet<SnapshotId> = staged(model).into_iter().collect();
    let rows = model.snapshots.taken.all.iter();
    rows.filter(|row| staged.contains(&row.snapshot.id)).cloned().collect()
}

/// Why there is nothing to review or to take back.
pub(super) fn nothing_staged(model: &Model) -> Option<String> {
    staged(model)
        .is_empty()
        .then(|| "Nothing is staged for deletion: d on a snapshot stages it.".into())
}

/// Why what is staged cannot be reviewed now: of what is not in the list nothing could be said.
pub(super) fn cannot_review(model: &Model) -> Option<String> {
    let why = || match model.snapshots.taken.load {
        Load::Failed(_) | Load::Locked => "The snapshots cannot be read: there is nothing to review them by.",
        _ => "The snapshots are still being read: press again.",
    };
    nothing_staged(model)
        .or_else(|| is_deleting(model).then(|| "Snapshots are being deleted: J shows how far that is.".into()))
        .or_else(|| (!all_listed(model)).then(|| why().into()))
}

/// Whether snapshots are being deleted. What is staged stays so until it is gone: the job may be refused or stopped.
pub(super) fn is_deleting(model: &Model) -> bool {
    let mut running = model.jobs.running();
    running.any(|job| job.info.kind == JobKind::DeleteSnapshots)
}

/// Whether all that is staged is in the list.
pub(crate) fn all_listed(model: &Model) -> bool {
    staged_rows(model).len() == staged(model).len()
}

/// Why a snapshot cannot be deleted from here.
fn undeletable(row: &SnapshotRow) -> Option<&'static str> {
    match &row.snapshot {
        snapshot if snapshot.protected => Some("It is protected: nothing deletes it. L takes the protection away."),
        snapshot if snapshot.made_by == MadeBy::Other => Some("Another program made it: that one deletes it too."),
        _ => None,
    }
}

/// Stages the chosen for deletion; if all of them are already, takes that back. What is protected is left out.
pub(super) fn stage(act: &mut Act) {
    let model = &mut *act.model;
    let taken = &model.snapshots.taken;
    let Some(of) = taken.of.clone() else { return };
    let chosen = taken.picks.chosen(&taken.all, &taken.list, id_of);
    let all = chosen.len();
    let ids: Vec<SnapshotId> = chosen
        .iter()
        .filter(|row| undeletable(row).is_none())
        .map(|row| id_of(row))
        .collect();
    let refused = chosen.iter().find_map(|row| undeletable(row));
    let left = all - ids.len();
    if let Some(why) = refused {
        let said = match all {
            1 => why.to_owned(),
            _ => format!(
                "{} left out, protected or made by other programs.",
                text::counted(left as u64, "snapshot is", "snapshots are")
            ),
        };
        model.say(Role::Warning, said);
    }
    if ids.is_empty() {
        return;
    }
    model.snapshots.staged.turn(of, ids);
    model.snapshots.taken.picks.release();
    if all == 1 {
        // To the next one, so that several are staged by as many strokes.
        model.snapshots.taken.list.step(1);
    }
}

/// Takes back the last step.
pub(super) fn undo(act: &mut Act) {
    let snapshots = &mut act.model.snapshots;
    let Some(of) = &snapshots.taken.of else { return };
    let last = snapshots.staged.undo(of);
    let (_, rows) = snapshots.taken.list.held();
    // Where it happened is in sight.
    if let Some(at) = rows.iter().position(|row| Some(&row.snapshot.id) == last.as_ref()) {
        snapshots.taken.list.go(at as u64);
    }
}

/// Keeps one that was staged.
pub(crate) fn keep(model: &mut Model, id: SnapshotId) {
    if let Some(of) = model.snapshots.taken.of.clone() {
        model.snapshots.staged.keep(of, id);
    }
}

/// Snapshots that are gone are neither selected nor marked nor staged, and protected ones not staged.
pub(super) fn forget_gone(model: &mut Model) {
    let snapshots = &mut model.snapshots;
    let all = &snapshots.taken.all;
    let is_there = |id: &SnapshotId| all.iter().any(|row| row.snapshot.id == *id);
    snapshots.taken.marks.retain(is_there);
    let left = snapshots.taken.picks.retain(is_there);
    let Some(of) = &snapshots.taken.of else { return };
    let can_go = |id: &SnapshotId| {
        all.iter()
            .any(|row| row.snapshot.id == *id && undeletable(row).is_none())
    };
    if snapshots.staged.retain(of, can_go) {
        model.say(
            Role::Warning,
            "Some of what was staged for deletion is gone already, or protected.",
        );
    } else if left {
        model.say(
            Role::Warning,
            "The snapshot where the range began is gone: begin it again.",
        );
    }
}

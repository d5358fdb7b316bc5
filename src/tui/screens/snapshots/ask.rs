//! What the screen asks for: the targets, told as found and then with what they have, and the snapshots of the one under
//! the cursor once it rests, told without sizes and then with them.

use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::dialogs::snapshots::policies;
use super::super::super::model::{Load, Model, Screen};
use super::super::super::msg::Effect;
use super::super::super::window::Window;
use super::super::cost;
use super::{Pane, Taken, chosen, show_taken, show_targets, words};
use crate::engine::question::{SnapshotRow, SnapshotTargetRow};
use crate::engine::{Answer, Question};
use crate::snapshot::Target;

const TARGETS: &str = "snapshots.targets";
const TAKEN: &str = "snapshots.taken";

/// Milliseconds that the cursor rests before another target's snapshots are asked for.
const REST: u64 = 160;

/// Gives the lists the heights they have on the screen.
pub(in super::super) fn layout(model: &mut Model) {
    let rows = u64::from(model.body_rows());
    let below = u64::from(super::details::rows_below(model));
    // The list of targets has two rows each and no column heads.
    model.snapshots.targets.list.resize(rows.div_ceil(2));
    model.snapshots.taken.list.resize(rows.saturating_sub(below));
}

/// Asks for what the screen shows and what is not here.
pub(in super::super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.screen != Screen::Snapshots {
        return;
    }
    let targets = &mut model.snapshots.targets;
    let wanted = targets.load == Load::Idle || targets.old;
    if wanted && !model.asks(TARGETS) {
        let targets = &mut model.snapshots.targets;
        targets.old = false;
        if targets.load == Load::Idle {
            targets.load = Load::Loading;
        }
        ask(model, TARGETS, Question::SnapshotTargets, take_targets, effects);
    }
    follow(model, effects);
    // What is staged can be reviewed from each pane.
    let staged = !chosen::staged(model).is_empty();
    let shown = model.is_wide() || model.snapshots.pane != Pane::Targets || staged;
    let taken = &model.snapshots.taken;
    let wanted = taken.load == Load::Idle || taken.old;
    if shown
        && wanted
        && !model.asks(TAKEN)
        && let Some(target) = taken.of.clone()
    {
        let taken = &mut model.snapshots.taken;
        taken.old = false;
        if taken.load == Load::Idle {
            taken.load = Load::Loading;
        }
        ask(model, TAKEN, Question::Snapshots { target }, take_taken, effects);
    }
}

/// The snapshots shown follow the target under the cursor once it rests; at once where they have the keys.
fn follow(model: &mut Model, effects: &mut Vec<Effect>) {
    let now = model.now.millis;
    let at_once = model.snapshots.pane != Pane::Targets;
    let on = model.snapshots.targets.list.current();
    let on = on.map(|row| row.found.target.clone());
    let taken = &mut model.snapshots.taken;
    if taken.of == on {
        taken.wanted = None;
        return;
    }
    let rests = match (&taken.wanted, &on) {
        (Some((wanted, due)), Some(on)) => wanted == on && now >= *due,
        _ => false,
    };
    if taken.of.is_none() || on.is_none() || at_once || rests {
        let mut list: Window<SnapshotRow> = std::mem::take(&mut taken.list);
        list.start_at(0);
        *taken = Taken {
            of: on,
            list,
            ..Taken::default()
        };
        abandon(model, TAKEN, effects);
    } else if taken.wanted.as_ref().map(|(wanted, _)| wanted) != on.as_ref() {
        taken.wanted = on.map(|on| (on, now + REST));
        effects.push(Effect::Wake(now + REST));
    }
}

fn take_targets(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let targets = &mut model.snapshots.targets;
    let mut rows = match told.answer {
        Answer::SnapshotTargets(rows) => rows,
        other => {
            targets.load = failed(other);
            return;
        }
    };
    if !told.complete {
        // What was known before is shown until it is told anew.
        for row in &mut rows {
            let known = targets.all.iter().find(|old| old.found.target == row.found.target);
            if let Some(old) = known {
                row.last.clone_from(&old.last);
                row.snapshots = old.snapshots;
                row.taken = old.taken;
                row.warnings.clone_from(&old.warnings);
            }
        }
    }
    let order = |row: &SnapshotTargetRow| {
        (
            row.found.problem.is_some(),
            words::rank(row.found.kind),
            row.name.clone(),
        )
    };
    rows.sort_by_cached_key(order);
    targets.all = rows;
    targets.load = Load::Ready;
    let all = &targets.all;
    targets
        .picks
        .retain(|target| all.iter().any(|row| row.found.target == *target));
    show_targets(model);
}

fn take_taken(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Snapshots { target } = asked else { return };
    let taken = &mut model.snapshots.taken;
    if taken.of.as_ref() != Some(target) {
        return;
    }
    match told.answer {
        Answer::Snapshots(list) => {
            let mut rows = list.rows;
            rows.reverse();
            if !list.sized {
                // Sizes that were known before are shown until they are told anew.
                for row in &mut rows {
                    let known = taken.all.iter().find(|old| old.snapshot.id == row.snapshot.id);
                    if let Some(old) = known {
                        row.size = old.size;
                        row.monthly = old.monthly;
                    }
                }
            }
            taken.sized = list.sized;
            taken.notes = list.notes;
            taken.all = rows;
            taken.load = Load::Ready;
            chosen::forget_gone(model);
            show_taken(model);
            tell_target(model);
        }
        other => {
            taken.load = failed(other);
            taken.all.clear();
            taken.list.hold(Vec::new());
        }
    }
}

/// What is listed is newer than what the list of targets says.
fn tell_target(model: &mut Model) {
    let taken = &model.snapshots.taken;
    let (of, count) = (taken.of.clone(), taken.all.len() as u64);
    let last = taken.all.first().map(|row| row.snapshot.clone());
    let row = model.snapshots.targets.all.iter_mut();
    let row = row.into_iter().find(|row| Some(&row.found.target) == of.as_ref());
    let Some(row) = row else { return };
    if row.snapshots != Some(count) || row.last != last {
        row.snapshots = Some(count);
        row.last = last;
        show_targets(model);
    }
}

/// A target has other snapshots now.
pub(crate) fn changed(model: &mut Model, target: &Target) {
    let snapshots = &mut model.snapshots;
    snapshots.targets.old = true;
    if snapshots.taken.of.as_ref() == Some(target) {
        snapshots.taken.old = true;
    }
    policies::reload(model);
    cost::snapshots_changed(model);
}

/// A job has ended: there may be a volume more.
pub(in super::super) fn stale(model: &mut Model) {
    model.snapshots.targets.old = true;
}

/// Reads the lists anew.
pub(in super::super) fn reload(model: &mut Model) {
    let snapshots = &mut model.snapshots;
    // What failed begins anew; what is here stays in sight meanwhile.
    for (load, old) in [
        (&mut snapshots.targets.load, &mut snapshots.targets.old),
        (&mut snapshots.taken.load, &mut snapshots.taken.old),
    ] {
        match load {
            Load::Ready => *old = true,
            _ => *load = Load::Idle,
        }
    }
}

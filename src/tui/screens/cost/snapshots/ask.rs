//! What this side asks: what the snapshots of each target take, told first as they are listed and then sized, and what would
//! be under the rule that is tried out. An answer to something no longer wanted is dropped; what was shown before stays until
//! the new one is here.

use super::super::super::super::asking::{Told, ask, failed};
use super::super::super::super::model::{Load, Model};
use super::super::super::super::msg::Effect;
use super::super::super::super::window::Window;
use super::super::rule::Rule;
use super::super::{Draft, edit};
use super::{OfSnapshots, listed, tried};
use crate::config::SnapshotPolicy;
use crate::engine::question::{SnapshotCostRow, SnapshotFate, SnapshotWhatIf};
use crate::engine::{Answer, Question};
use crate::vault::generation::GroupBy;

const COSTS: &str = "cost.snapshots";
const WHAT_IF: &str = "cost.snapshot-what-if";

/// What is known of what would be.
#[derive(Debug, Default)]
pub struct Known {
    /// The last answer, and to what.
    answer: Option<(SnapshotPolicy, SnapshotWhatIf)>,
    /// What was answered last whole, be it with a failure; asked again when it is no more.
    answered: Option<SnapshotPolicy>,
    /// How the last question went.
    pub load: Load,
    /// Its snapshots, as the list shows them.
    pub fates: Window<SnapshotFate>,
}

/// What was answered, if it is about the policy that is looked at.
pub(super) fn shown(model: &Model) -> Option<(&SnapshotPolicy, &SnapshotWhatIf)> {
    let name = super::policy_name(model)?;
    let (asked, what) = model.cost.snapshots.known.answer.as_ref()?;
    (asked.name == *name).then_some((asked, what))
}

/// The same, if it is the answer to what the rule says now.
pub(super) fn fresh(model: &Model) -> Option<(&SnapshotPolicy, &SnapshotWhatIf)> {
    let (asked, what) = shown(model)?;
    (tried(model).as_ref() == Some(asked) && model.cost.snapshots.known.load == Load::Ready).then_some((asked, what))
}

/// Asks for what is shown and not here.
pub(in super::super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    let side = &model.cost.snapshots;
    let wanted = side.load == Load::Idle || side.old;
    if wanted && !model.asks(COSTS) {
        let side = &mut model.cost.snapshots;
        side.old = false;
        if side.load == Load::Idle {
            side.load = Load::Loading;
        }
        ask(model, COSTS, Question::SnapshotCosts, take_costs, effects);
    }
    follow(model);
    let Some(wanted) = tried(model) else { return };
    let known = &model.cost.snapshots.known;
    if known.answered.as_ref() == Some(&wanted) || model.asks(WHAT_IF) {
        return;
    }
    if shown(model).is_none() {
        let known = &mut model.cost.snapshots.known;
        known.load = Load::Loading;
        known.fates.hold(Vec::new());
    }
    let question = Question::SnapshotWhatIf(Box::new(wanted));
    ask(model, WHAT_IF, question, take_what_if, effects);
}

/// A policy seen for the first time starts with its own rule; one that was not changed here follows the config.
fn follow(model: &mut Model) {
    let Some(policy) = super::policy(model) else { return };
    let (name, start) = (policy.name.clone(), Rule::of(policy.keep.clone(), GroupBy::default()));
    let drafts = &mut model.cost.snapshots.drafts;
    let draft = drafts.entry(name).or_insert_with(|| Draft::new(start.clone()));
    draft.follow(start);
}

fn take_costs(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let side = &mut model.cost.snapshots;
    match told.answer {
        Answer::SnapshotCosts(mut rows) => {
            // Sizes that were known before are shown until they are told anew.
            let (_, before) = side.rows.held();
            for row in rows.iter_mut().filter(|row| !row.sized) {
                let same = |old: &&SnapshotCostRow| {
                    old.sized && old.target == row.target && old.cost.snapshots == row.cost.snapshots
                };
                if let Some(old) = before.iter().find(same) {
                    row.cost = old.cost.clone();
                    row.sized = true;
                }
            }
            let on = side.rows.current().map(|row| row.target.clone());
            side.wanted = side.wanted.take().or(on);
            // What takes most is what one looks for.
            rows.sort_by_key(|row| std::cmp::Reverse((row.cost.exclusive, row.cost.snapshots)));
            side.rows.hold(rows);
            find_wanted(side);
            side.load = Load::Ready;
        }
        other => side.load = failed(other),
    }
}

/// Puts the cursor on the target that is wanted, if it is here.
pub(super) fn find_wanted(side: &mut OfSnapshots) {
    let (_, rows) = side.rows.held();
    let at = rows.iter().position(|row| Some(&row.target) == side.wanted.as_ref());
    if let Some(at) = at {
        side.rows.go(at as u64);
        side.wanted = None;
    }
}

fn take_what_if(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::SnapshotWhatIf(asked) = asked else { return };
    if tried(model).as_ref() != Some(&**asked) {
        return;
    }
    let known = &mut model.cost.snapshots.known;
    if told.complete {
        known.answered = Some((**asked).clone());
    }
    match told.answer {
        Answer::SnapshotWhatIf(what) => {
            known.answer = Some(((**asked).clone(), *what));
            known.load = Load::Ready;
            show_fates(model);
        }
        other => known.load = failed(other),
    }
}

/// Shows the snapshots that go, or all; the cursor stays on its snapshot.
pub(super) fn show_fates(model: &mut Model) {
    let all = model.cost.snapshots.all;
    let rows = shown(model).map_or_else(Vec::new, |(_, what)| listed(&what.fates, all));
    let fates = &mut model.cost.snapshots.known.fates;
    let on = fates.current().map(|fate| fate.row.snapshot.id.clone());
    let at = rows.iter().position(|fate| Some(&fate.row.snapshot.id) == on.as_ref());
    fates.hold(rows);
    if let Some(at) = at {
        fates.go(at as u64);
    }
}

/// Snapshots are others now, or a policy is: asks again.
pub(in super::super) fn changed(model: &mut Model) {
    let side = &mut model.cost.snapshots;
    side.old |= side.load == Load::Ready;
    side.known.answered = None;
    super::super::ask::config_changed(model);
    edit::settle(model);
}

/// Reads it all anew.
pub(in super::super) fn reload(model: &mut Model) {
    if model.cost.snapshots.load != Load::Ready {
        model.cost.snapshots.load = Load::Idle;
    }
    changed(model);
}

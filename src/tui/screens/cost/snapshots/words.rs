//! What snapshots cost and what a rule would change, in sentences. Pure.

use super::super::super::super::theme::Role;
use crate::config::SnapshotPolicy;
use crate::engine::question::{SnapshotCostRow, SnapshotFate, SnapshotWhatIf, SnapshotsAt};
use crate::text;

/// Bytes that come back at least; `…` while they are not known yet.
pub(super) fn freed(side: &SnapshotsAt, sized: bool, more: &str) -> String {
    match (sized, side.go > 0 && side.go == side.unknown) {
        (_, true) if sized => "not known".to_owned(),
        (false, _) if side.go > 0 => more.to_owned(),
        _ => text::bytes(side.freed),
    }
}

/// What a month costs less, at least.
pub(super) fn saved(side: &SnapshotsAt) -> String {
    match side.saved {
        Some(money) => money.to_string(),
        None if side.go == 0 => "nothing".to_owned(),
        None => "not known".to_owned(),
    }
}

/// What a target's snapshots take, in short.
pub(super) fn taken(row: &SnapshotCostRow, more: &str) -> String {
    match row.sized {
        _ if !row.problem.is_empty() => "?".to_owned(),
        false => more.to_owned(),
        true if row.cost.unknown == row.cost.snapshots => "?".to_owned(),
        true => text::bytes(row.cost.exclusive),
    }
}

/// What its snapshots take and cost, in sentences.
pub(super) fn of_target(row: &SnapshotCostRow, more: &str) -> Vec<(String, Role)> {
    let escape = |text: &str| text::escape(text.as_bytes());
    if !row.problem.is_empty() {
        return vec![(escape(&row.problem), Role::Warning)];
    }
    let cost = &row.cost;
    let count = text::counted(cost.snapshots, "snapshot", "snapshots");
    let mut said = vec![match row.sized {
        false => (format!("{count}; what they take is being found out{more}"), Role::Dim),
        true if cost.unknown == cost.snapshots => (format!("{count}; what they take is not known."), Role::Warning),
        true => (
            format!(
                "{count} that take {} alone, in sum: at least that comes back if all go.",
                text::bytes(cost.exclusive)
            ),
            Role::Text,
        ),
    }];
    if row.sized && cost.unknown > 0 && cost.unknown < cost.snapshots {
        let unknown = text::counted(cost.unknown, "snapshot", "snapshots");
        said.push((
            format!("Of {unknown} it is not known, and not in the sum."),
            Role::Warning,
        ));
    }
    match (cost.monthly, &cost.price) {
        (Some(monthly), Some(price)) => {
            said.push((format!("{monthly} a month at least, {}.", escape(price)), Role::Text));
        }
        _ if !row.unpriced.is_empty() => said.push((
            format!("What they cost is not known: {}.", escape(&row.unpriced)),
            Role::Dim,
        )),
        _ => {}
    }
    said
}

/// What must be said of the rule that is tried out, a sentence each.
pub(super) fn of_rule(policy: &SnapshotPolicy, what: &SnapshotWhatIf) -> Vec<(String, Role)> {
    let mut said = Vec::new();
    let count = |wanted: &dyn Fn(&SnapshotFate) -> bool| what.fates.iter().filter(|fate| wanted(fate)).count() as u64;
    let more = count(&|fate| fate.goes && !fate.goes_now);
    if more > 0 {
        let points = text::counted(more, "point in time that stays now", "points in time that stay now");
        said.push((format!("{points} would be lost for ever."), Role::Danger));
    }
    let rescued = count(&|fate| fate.goes_now && !fate.goes);
    if rescued > 0 {
        let snapshots = text::counted(
            rescued,
            "snapshot that goes as it is would stay",
            "snapshots that go as it is would stay",
        );
        said.push((format!("{snapshots}."), Role::Good));
    }
    let spared: Vec<String> = [(what.by_hand, "no policy took"), (what.protected, "protected")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{} {words}", text::count(*count)))
        .collect();
    if !spared.is_empty() {
        said.push((format!("Stay whatever the rule: {}.", spared.join(", ")), Role::Text));
    }
    if policy.targets.len() > 1 {
        let targets = text::escape(policy.targets.join(", ").as_bytes());
        said.push((
            format!("The policy takes {targets}: the figures are of all of them."),
            Role::Warning,
        ));
    }
    if let Some(limit) = policy.limit {
        said.push((
            format!("At most {limit} of a target, as the policy says: the oldest goes first."),
            Role::Dim,
        ));
    }
    if what.after.unknown > 0 && what.sized {
        let unknown = text::counted(what.after.unknown, "snapshot", "snapshots");
        said.push((
            format!("What {unknown} would free is not known, and not in the sum."),
            Role::Warning,
        ));
    }
    if what.after.go > 1 {
        said.push((
            "What several share comes back with the last of them: these are the least.".to_owned(),
            Role::Dim,
        ));
    }
    said.extend(
        what.notes
            .iter()
            .map(|note| (format!("{}.", text::escape(note.as_bytes())), Role::Dim)),
    );
    said
}

//! What a rule says, as text and as JSON.

use std::collections::HashMap;

use crate::cli::context::Context;
use crate::cli::output::{Align, Table, counted, escape};
use crate::cli::{Failure, generations};
use crate::retention::{Budget, Fitted, Group, Kept, Outcome, Reason};
use crate::vault::{Generation, Id};

/// A group as JSON; what it is not formed by is null.
#[derive(Debug, serde::Serialize)]
pub(super) struct GroupTold<'a> {
    host: Option<&'a String>,
    paths: Option<&'a Vec<String>>,
    tags: Option<&'a Vec<String>>,
    keep: &'a [Kept],
    remove: Vec<Gone>,
}

#[derive(Debug, serde::Serialize)]
struct Gone {
    id: Id,
}

/// The groups as JSON.
pub(super) fn groups(outcome: &Outcome) -> Vec<GroupTold<'_>> {
    fn one(group: &Group) -> GroupTold<'_> {
        GroupTold {
            host: group.key.host.as_ref(),
            paths: group.key.paths.as_ref(),
            tags: group.key.tags.as_ref(),
            keep: &group.kept,
            remove: group.removed.iter().map(|id| Gone { id: *id }).collect(),
        }
    }
    outcome.groups.iter().map(one).collect()
}

/// How it went with the budget.
pub(super) fn budget(fitted: Fitted, budget: &Budget) -> String {
    let number = |gone: usize| counted(gone as u64, "generation", "generations");
    match fitted {
        Fitted::Fits { gone: 0 } => format!("what is kept fits in {budget} as it is"),
        Fitted::Fits { gone } => format!(
            "{} less, the least valuable, so that the rest fits in {budget}",
            number(gone)
        ),
        Fitted::TooMuch { gone } => format!(
            "what must stay does not fit in {budget}, even with {} less: without --dry-run nothing would be deleted",
            number(gone)
        ),
    }
}

/// A table a group: what stays and why, then what goes.
pub(super) fn print(context: &Context, outcome: &Outcome, chosen: &[Generation]) -> Result<(), Failure> {
    if context.out.quiet {
        return Ok(());
    }
    let by_id: HashMap<Id, &Generation> = chosen.iter().map(|generation| (generation.id, generation)).collect();
    for group in &outcome.groups {
        let words = generations::group_words(&group.key);
        if !words.is_empty() {
            context.out.line(words)?;
        }
        let number = |n: usize| counted(n as u64, "generation", "generations");
        if !group.kept.is_empty() {
            context.out.line(format!("keep {}:", number(group.kept.len())))?;
            stay(context, group, &by_id).print(&context.out)?;
        }
        if !group.removed.is_empty() {
            context.out.line(format!("delete {}:", number(group.removed.len())))?;
            let going = group.removed.iter().filter_map(|id| by_id.get(id).copied());
            generations::table(context, going).print(&context.out)?;
        }
        context.out.line("")?;
    }
    Ok(())
}

fn stay(context: &Context, group: &Group, by_id: &HashMap<Id, &Generation>) -> Table {
    let mut table = Table::new(&[
        ("Id", Align::Left),
        ("Time", Align::Left),
        ("Host", Align::Left),
        ("Tags", Align::Left),
        ("Why", Align::Left),
    ]);
    for kept in &group.kept {
        let Some(generation) = by_id.get(&kept.id) else {
            continue;
        };
        let reasons: Vec<String> = kept.reasons.iter().map(Reason::to_string).collect();
        table.row(vec![
            kept.id.short(),
            context.out.time(&generation.time),
            escape(generation.hostname.as_bytes()),
            escape(generation.tags.join(",").as_bytes()),
            escape(reasons.join("; ").as_bytes()),
        ]);
    }
    table
}

//! `coffer cost snapshots`: what snapshots take and cost, and what would come back if some went. What another rule of a policy
//! would change is in `snapshot_rule`.

use std::collections::BTreeSet;

use serde_json::json;

use super::snapshot_rule::RuleAsked;
use super::{money, print_notes};
use crate::cli::Failure;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{Align, Table, bytes, count, counted, escape};
use crate::engine::costs::snapshots::SnapshotCost;
use crate::engine::question::SnapshotList;
use crate::snapshot::{SnapshotId, Target};

/// Say what snapshots take beside their volume and what that costs; with --without, what comes back when some go; with
/// --keep-…, what another rule of a policy would change
///
/// Each snapshot is counted by what would come back if it alone went. What several share comes back only when all of them
/// go, so sums are the least that comes back. Prices are named by what keeps a snapshot, below [snapshot-prices] in the config.
/// With a rule nothing is changed: coffer snapshot policy add NAME … --replace writes it into the config.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Of what [all that is known]
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// Only what would come back if these went
    #[arg(long, value_name = "ID", num_args = 1.., requires = "target")]
    without: Vec<String>,
    #[command(flatten)]
    rule: RuleAsked,
}

const EXAMPLES: &str = "\
Examples:
  coffer cost snapshots
  coffer cost snapshots /srv --without 3f2a 91bc
  coffer cost snapshots /srv --keep-last 24 --keep-daily 7
  coffer cost snapshots --json";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let engine = &context.engine;
        if self.rule.is_given() {
            let Some(target) = &self.target else {
                return Err(Failure::usage(
                    "of which target? A rule is tried out on one: coffer cost snapshots TARGET --keep-last 24",
                ));
            };
            if !self.without.is_empty() {
                return Err(Failure::usage("either --without or a rule: both say what goes"));
            }
            return self.rule.run(context, &engine.target(target)?);
        }
        let targets: Vec<Target> = match &self.target {
            Some(text) => vec![engine.target(text)?],
            None => engine.targets(),
        };
        let mut ids: BTreeSet<SnapshotId> = BTreeSet::new();
        for text in &self.without {
            ids.insert(engine.find_snapshot(text, targets.first())?.id);
        }
        let mut costs: Vec<(SnapshotCost, Vec<String>)> = Vec::new();
        for target in &targets {
            context.stopped()?;
            let mut list = match engine.snapshot_list(target) {
                Ok(list) => list,
                Err(error) if self.target.is_none() => {
                    context.out.problem(b"", &error.to_string());
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            engine.size_snapshots(&mut list, &context.cancel)?;
            if !list.rows.is_empty() {
                let notes = unpriced(context, &list).into_iter().chain(list.notes.iter().cloned());
                costs.push((engine.snapshot_cost(&list, &ids)?, notes.collect()));
            }
        }
        print(context, &costs, !ids.is_empty())
    }
}

/// Why what is listed has no price.
fn unpriced(context: &Context, list: &SnapshotList) -> Option<String> {
    let kind = list.rows.first()?.snapshot.kind;
    context.engine.snapshots_unpriced(kind)
}

/// `costs` with what is to be said of each.
fn print(context: &Context, costs: &[(SnapshotCost, Vec<String>)], going: bool) -> Result<Exit, Failure> {
    let out = &context.out;
    if out.json {
        for (cost, notes) in costs {
            out.value(&json!({
                "target": cost.target.to_string(),
                "snapshots": cost.snapshots,
                "exclusive_bytes": cost.exclusive,
                "unknown": cost.unknown,
                "price": cost.price,
                "monthly": cost.monthly,
                "notes": notes,
            }))?;
        }
        return Ok(Exit::Done);
    }
    if costs.is_empty() {
        out.remark("No snapshots.")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("Target", Align::Left),
        ("Snapshots", Align::Right),
        (if going { "Freed, at least" } else { "Alone, in sum" }, Align::Right),
        ("A month", Align::Right),
        ("Price", Align::Left),
    ]);
    for (cost, _) in costs {
        let known = cost.unknown < cost.snapshots;
        table.row(vec![
            escape(cost.target.to_string().as_bytes()),
            count(cost.snapshots),
            if known { bytes(cost.exclusive) } else { "?".into() },
            money(cost.monthly),
            escape(cost.price.as_deref().unwrap_or_default().as_bytes()),
        ]);
    }
    table.print(out)?;
    let unknown: u64 = costs.iter().map(|(cost, _)| cost.unknown).sum();
    if unknown > 0 {
        let snapshots = counted(unknown, "snapshot", "snapshots");
        out.remark(format!(
            "What {snapshots} would free is not known, and not in the sums."
        ))?;
    }
    // Of many, what is the same of all is told once, and what is of one alone when that one is asked for.
    let told = match costs {
        [(_, notes)] => notes.clone(),
        several => {
            let mut of_all: Vec<String> = several.iter().filter_map(|(_, notes)| notes.first().cloned()).collect();
            of_all.dedup();
            of_all.retain(|note| several.iter().filter(|(_, notes)| notes.contains(note)).count() > 1);
            of_all
        }
    };
    print_notes(context, &told)?;
    Ok(Exit::Done)
}

//! `coffer forget`: deletes generations, by hand or by a rule.

mod told;

use std::collections::HashSet;

use serde_json::json;

use super::args::FilterArgs;
use super::context::{Context, Showing, exit_of};
use super::exit::Exit;
use super::keep::{self, KeepArgs};
use super::output::{counted, escape};
use super::prune::HowArgs;
use super::{Failure, generations, select};
use crate::config::PlanConfig;
use crate::engine::{Error, Task, TaskOutcome};
use crate::retention::{self, Fitted, Outcome, Policy, apply, fit};
use crate::vault::generation::{Filter, GroupBy, resolve};
use crate::vault::prune::PruneFigures;
use crate::vault::{self, Generation, Id};

/// Delete generations, by hand or by a rule of what stays
///
/// By hand: ids must be given in full or by their beginning, so nothing is asked. By rule: generations are grouped by host and
/// paths (see --group-by); in each group stays whatever any of the --keep options keeps, or the rule of a plan; the rest is
/// deleted. --dry-run shows what stays and why, and what would go. Where restic has a rule, it keeps the same here.
///
/// A generation with the tag "protected" is never deleted, and no group is emptied unless --allow-empty says so. The space
/// comes back when the vault is pruned: at once with --prune, if anything was deleted.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Ids of generations, or unique beginnings of them
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Also where nothing would be left of a group
    #[arg(long)]
    allow_empty: bool,
    /// Say what would be deleted, delete nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Give back the space at once, if anything was deleted
    #[arg(long, conflicts_with = "dry_run")]
    prune: bool,
    #[command(flatten)]
    keep: KeepArgs,
    /// The rule of this plan, on the generations of its host and just its paths
    #[arg(long, value_name = "NAME", conflicts_with_all = ["host", "tag", "path"])]
    plan: Option<String>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten, next_help_heading = "With --prune")]
    how: HowArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer forget --vault /srv/backup --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run
  coffer forget --vault /srv/backup --keep-period 730 --keep-min 3 --prune
  coffer forget --vault /srv/backup --keep-within 1m --keep-within-weekly 1y --keep-tag golden --host web1
  coffer forget --vault /srv/backup --keep-period 730 --fit-size 500G --dry-run
  coffer forget --plan home --dry-run --json
  coffer forget --vault /srv/backup 4bba301e 79766175";

/// What a rule is applied to.
struct Ruled {
    policy: Policy,
    by: GroupBy,
    filter: Filter,
    /// Only generations of just these paths.
    paths: Option<Vec<String>>,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if !self.dry_run {
            context.writes()?;
        }
        self.how.options()?;
        if self.how.is_given() && !self.prune {
            return Err(Failure::usage(
                "how packs are dealt with is said with --prune, or to coffer prune",
            ));
        }
        let plan = self.plan.as_deref().map(|name| context.engine.plan(name)).transpose()?;
        let vault = vault(context, plan.as_ref())?;
        if !self.ids.is_empty() {
            return self.by_hand(context, &vault);
        }
        let all = context.reading_of(&vault)?.vault().generations()?;
        let Some(ruled) = self.ruled(context, plan, &all)? else {
            return Err(Failure::usage(
                "nothing says what stays: give a rule such as --keep-daily 7, a plan, or the ids of what is to go",
            ));
        };
        self.by_rule(context, &vault, &all, &ruled)
    }

    fn by_hand(&self, context: &Context, vault: &str) -> Result<Exit, Failure> {
        let rule = self.keep.is_given() || self.plan.is_some();
        if rule || !select::filter(&self.filter).is_empty() {
            return Err(Failure::usage("give ids or a rule, not both: ids alone say what goes"));
        }
        // Only what is named is read, so that it works beside a generation that is damaged.
        let reading = context.reading_of(vault)?;
        let mut chosen: Vec<Generation> = Vec::new();
        let mut damaged: Vec<Id> = Vec::new();
        for text in &self.ids {
            keep::check_id(text)?;
            let found = resolve(reading.vault(), text, &Filter::default(), &context.out.zone);
            let generation = match (found, text.parse()) {
                // Deleting is what can be done about it; only the whole id says for sure that it is meant.
                (Err(vault::Error::Damaged { .. }), Ok(id)) => {
                    damaged.push(id);
                    continue;
                }
                (found, _) => found?,
            };
            if chosen.iter().all(|other| other.id != generation.id) {
                chosen.push(generation);
            }
        }
        drop(reading);
        // The job looks too; here it is told before the list of what would go, and in a dry run.
        if let Some(generation) = chosen.iter().find(|one| retention::is_protected(&one.tags)) {
            return Err(Error::Protected { id: generation.id }.into());
        }
        let mut ids: Vec<Id> = chosen.iter().map(|generation| generation.id).collect();
        damaged.retain(|id| !ids.contains(id));
        damaged.sort_unstable();
        damaged.dedup();
        for id in &damaged {
            context
                .out
                .remark(format!("{id} is damaged: what it holds is not known"))?;
        }
        ids.extend(damaged);
        if !context.out.json && !context.out.quiet {
            generations::table(context, &chosen).print(&context.out)?;
        }
        let (exit, pruned) = self.delete(context, vault, &ids)?;
        if context.out.json {
            let mut value = json!({ "dry_run": self.dry_run, "removed": ids });
            if let Some(pruned) = pruned {
                value["pruned"] = json!(pruned);
            }
            context.out.value(&value)?;
        }
        self.remark(context, ids.len(), pruned)?;
        Ok(exit)
    }

    /// The rule; `None` when nothing says one.
    fn ruled(&self, context: &Context, plan: Option<PlanConfig>, all: &[Generation]) -> Result<Option<Ruled>, Failure> {
        let given = self.keep.policy(all)?;
        let Some(plan) = plan else {
            return Ok(given.map(|(policy, by)| Ruled {
                policy,
                by,
                filter: select::filter(&self.filter),
                paths: None,
            }));
        };
        if given.is_some() {
            return Err(Failure::usage(
                "--plan brings its own rule: leave the --keep options out, or give --host and --path instead of the plan",
            ));
        }
        let host = plan.host.unwrap_or_else(|| context.engine.settings().host.clone());
        let paths = plan.paths.iter().map(|path| path.to_string_lossy().into_owned());
        Ok(Some(Ruled {
            policy: plan.retention,
            by: GroupBy::HOST_AND_PATHS,
            filter: Filter::of_texts(&[host], &[], &[]),
            paths: Some(sorted(paths)),
        }))
    }

    fn by_rule(&self, context: &Context, vault: &str, all: &[Generation], ruled: &Ruled) -> Result<Exit, Failure> {
        let counts = |generation: &&Generation| {
            let paths = || sorted(generation.paths.iter().cloned());
            ruled.filter.matches(generation) && ruled.paths.as_ref().is_none_or(|wanted| *wanted == paths())
        };
        let chosen: Vec<Generation> = all.iter().filter(counts).cloned().collect();
        let now = (context.engine.settings().clock)();
        let mut outcome = apply(&ruled.policy, &chosen, ruled.by, now, &context.out.zone);
        if let Some(budget) = &ruled.policy.fit {
            let open = context.open(vault)?;
            // What the rule is not about stays, and takes its share of the budget.
            let others = all
                .iter()
                .filter(|generation| !counts(generation))
                .map(|generation| generation.id);
            let others: HashSet<Id> = others.collect();
            fit(&mut outcome, &chosen, budget, now, |kept| {
                let kept = kept.union(&others).copied().collect();
                context.engine.fits(&open, vault, &kept, budget, &context.cancel)
            })?;
        }
        self.check(&outcome)?;
        let gone = outcome.removed();
        if !context.out.json {
            told::print(context, &outcome, &chosen)?;
        }
        let (exit, pruned) = self.delete(context, vault, &gone)?;
        if context.out.json {
            context.out.value(&told::groups(&outcome))?;
            if let Some(pruned) = &pruned {
                context.out.value(pruned)?;
            }
        }
        if chosen.is_empty() {
            let which = match &ruled.paths {
                Some(paths) => format!("{} and just {}", ruled.filter.describe(), paths.join(", ")),
                None => ruled.filter.describe(),
            };
            let gap = if which.is_empty() { "" } else { " " };
            let which = escape(which.as_bytes());
            context
                .out
                .remark(format!("no generation{gap}{which}: nothing to do"))?;
            return Ok(exit);
        }
        if let (Some(fitted), Some(budget)) = (outcome.budget, &ruled.policy.fit) {
            context.out.remark(told::budget(fitted, budget))?;
        }
        self.remark(context, gone.len(), pruned)?;
        Ok(exit)
    }

    /// Refuses what a user cannot have meant.
    fn check(&self, outcome: &Outcome) -> Result<(), Failure> {
        // A dry run shows what must stay.
        if !self.dry_run && matches!(outcome.budget, Some(Fitted::TooMuch { .. })) {
            return Err(Failure::failed(
                "the budget cannot be kept: what must stay (the newest of each group, what is protected, named, or not \
                 chosen) takes more by itself; so nothing was deleted",
            ));
        }
        let emptied: Vec<String> = outcome.emptied().map(generations::group_words).collect();
        if !emptied.is_empty() && !self.allow_empty {
            let some: Vec<&str> = emptied.iter().take(5).map(String::as_str).collect();
            let more = match emptied.len() - some.len() {
                0 => String::new(),
                n => format!(" and of {}", counted(n as u64, "more group", "more groups")),
            };
            return Err(Failure::failed(format!(
                "nothing would be left of {}{more}; so nothing was deleted. Keep at least --keep-last 1, narrow the command \
                 with --host, --tag or --path, or give --allow-empty",
                some.join("; of ")
            )));
        }
        Ok(())
    }

    /// Deletes, unless this is a dry run, and prunes if asked to and anything goes.
    fn delete(&self, context: &Context, vault: &str, ids: &[Id]) -> Result<(Exit, Option<PruneFigures>), Failure> {
        if self.dry_run || ids.is_empty() {
            return Ok((Exit::Done, None));
        }
        let prune = match self.prune {
            true => Some(self.how.options()?),
            false => None,
        };
        let task = Task::Forget {
            vault: vault.to_owned(),
            ids: ids.to_vec(),
            prune,
        };
        let outcome = context.job(vault, task, Showing::ISSUES)?;
        let pruned = match &outcome {
            TaskOutcome::Forget { pruned, .. } => *pruned,
            _ => None,
        };
        Ok((exit_of(&outcome), pruned))
    }

    fn remark(&self, context: &Context, gone: usize, pruned: Option<PruneFigures>) -> Result<(), Failure> {
        let number = counted(gone as u64, "generation", "generations");
        if self.dry_run {
            return context.out.remark(format!("would delete {number}"));
        }
        match pruned {
            Some(figures) => {
                context.out.remark(format!("deleted {number}"))?;
                let lines = super::prune::told(&figures, false);
                lines.into_iter().try_for_each(|line| context.out.remark(line))
            }
            None if gone == 0 => context.out.remark(format!("deleted {number}")),
            None => context.out.remark(format!(
                "deleted {number}; their space comes back when the vault is pruned"
            )),
        }
    }
}

/// The vault meant: `--vault`, else the plan's only one, else the config's.
fn vault(context: &Context, plan: Option<&PlanConfig>) -> Result<String, Failure> {
    match plan.map(|plan| plan.vaults.as_slice()) {
        Some([only]) if context.global.vault.is_none() => Ok(only.clone()),
        _ => context.vault(),
    }
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts.dedup();
    texts
}

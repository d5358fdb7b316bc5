//! `coffer cost snapshots TARGET --keep-…`: what another rule of a policy would change, before anything is changed.

use serde_json::{Value, json};

use super::{gap, money, print_notes, time};
use crate::cli::Failure;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::keep::RuleArgs;
use crate::cli::output::{Align, Table, bytes, counted, escape};
use crate::config::SnapshotPolicy;
use crate::engine::question::{SnapshotFate, SnapshotWhatIf, SnapshotsAt};
use crate::retention::Policy;
use crate::snapshot::Target;

/// A rule to try out, and whose.
#[derive(Debug, clap::Args)]
pub(super) struct RuleAsked {
    /// Try the rule out on this policy [the only one that takes TARGET]
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    #[command(flatten)]
    keep: RuleArgs,
    /// All that are younger than this many days stay, and the newest whatever its age
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    keep_days: Option<u32>,
}

impl RuleAsked {
    /// Whether any option says what is to stay, or of whom.
    pub(super) fn is_given(&self) -> bool {
        self.policy.is_some() || !self.rule().is_empty()
    }

    fn rule(&self) -> Policy {
        let mut keep = self.keep.policy();
        if let Some(days) = self.keep_days {
            keep.period = Policy::of_days(days).period;
        }
        keep
    }

    pub(super) fn run(&self, context: &Context, target: &Target) -> Result<Exit, Failure> {
        let engine = &context.engine;
        let keep = self.rule();
        if keep.is_empty() {
            return Err(Failure::usage(
                "what is to stay? Give --keep-last 24, --keep-daily 7, --keep-days 30 or the like",
            ));
        }
        if !keep.tags.is_empty() {
            return Err(Failure::usage("snapshots have no tags: --keep-tag is for generations"));
        }
        let policy = SnapshotPolicy {
            keep,
            // It is tried out on all that are there.
            since: None,
            ..self.policy_of(context, target)?
        };
        let mut lists = Vec::new();
        for text in &policy.targets {
            context.stopped()?;
            let mut list = engine.snapshot_list(&engine.target(text)?)?;
            engine.size_snapshots(&mut list, &context.cancel)?;
            lists.push(list);
        }
        let what = engine.snapshot_what_if(&policy, &lists)?;
        if context.out.json {
            context.out.value(&described(&policy, &what))?;
            return Ok(Exit::Done);
        }
        print(context, &policy, &what)
    }

    /// The policy that is meant.
    fn policy_of(&self, context: &Context, target: &Target) -> Result<SnapshotPolicy, Failure> {
        let engine = &context.engine;
        let names = engine.policies_on(target);
        match (&self.policy, names.as_slice()) {
            (Some(name), _) if names.contains(name) => Ok(engine.snapshot_policy(name)?),
            (Some(name), _) => {
                engine.snapshot_policy(name)?;
                Err(Failure::usage(format!("snapshot policy {name} does not take {target}")))
            }
            (None, [one]) => Ok(engine.snapshot_policy(one)?),
            (None, []) => Err(Failure::usage(format!(
                "no snapshot policy takes {target}, so nothing goes by itself: coffer snapshot policy add NAME {target} --keep-last 24"
            ))),
            (None, several) => Err(Failure::usage(format!(
                "{target} is taken by {}: say which with --policy NAME",
                several.join(", ")
            ))),
        }
    }
}

fn described(policy: &SnapshotPolicy, what: &SnapshotWhatIf) -> Value {
    let side = |side: &SnapshotsAt| {
        json!({
            "go": side.go,
            "freed_bytes_at_least": side.freed,
            "unknown": side.unknown,
            "saved_monthly_at_least": side.saved,
            "stay": side.stay,
            "oldest": side.oldest.map(time),
            "largest_gap_seconds": side.largest_gap,
        })
    };
    let fate = |fate: &SnapshotFate| {
        let snapshot = &fate.row.snapshot;
        json!({
            "id": snapshot.id,
            "target": snapshot.target.to_string(),
            "taken": snapshot.taken.to_string(),
            "protected": snapshot.protected,
            "goes_now": fate.goes_now,
            "goes": fate.goes,
            "why": fate.row.fate,
            "exclusive_bytes": fate.row.size.and_then(|size| size.exclusive),
            "monthly": fate.row.monthly,
        })
    };
    json!({
        "policy": policy.name,
        "targets": policy.targets,
        "keeps": policy.keep.to_string(),
        "now": side(&what.now),
        "after": side(&what.after),
        "not_by_policies": what.by_hand,
        "protected": what.protected,
        "snapshots": what.fates.iter().map(fate).collect::<Vec<_>>(),
        "notes": what.notes,
    })
}

fn print(context: &Context, policy: &SnapshotPolicy, what: &SnapshotWhatIf) -> Result<Exit, Failure> {
    let out = &context.out;
    out.line(format!(
        "policy {} of {}, if it kept {}",
        escape(policy.name.as_bytes()),
        escape(policy.targets.join(", ").as_bytes()),
        policy.keep
    ))?;
    let freed = |side: &SnapshotsAt| match side.go > side.unknown || side.go == 0 {
        true => bytes(side.freed),
        false => "?".to_owned(),
    };
    let oldest = |side: &SnapshotsAt| side.oldest.map(|at| out.time(&super::seconds(at))).unwrap_or_default();
    let mut table = Table::new(&[("", Align::Left), ("Now", Align::Right), ("After", Align::Right)]);
    let (now, after) = (&what.now, &what.after);
    for (label, now, after) in [
        ("go with the next run", now.go.to_string(), after.go.to_string()),
        ("come back, at least", freed(now), freed(after)),
        ("saved a month, at least", money(now.saved), money(after.saved)),
        ("stay", now.stay.to_string(), after.stay.to_string()),
        ("oldest that stays", oldest(now), oldest(after)),
        ("largest gap", gap(now.largest_gap), gap(after.largest_gap)),
    ] {
        table.row(vec![label.to_owned(), now, after]);
    }
    table.print(out)?;
    if after.unknown > 0 {
        let snapshots = counted(after.unknown, "snapshot", "snapshots");
        out.remark(format!(
            "What {snapshots} would free is not known, and not in the sums."
        ))?;
    }
    let spared = [(what.by_hand, "no policy took"), (what.protected, "protected")];
    for (count, words) in spared.iter().filter(|(count, _)| *count > 0) {
        let snapshots = counted(*count, "snapshot stays", "snapshots stay");
        out.remark(format!("{snapshots} whatever the rule: {words}."))?;
    }
    let several = policy.targets.len() > 1;
    let going: Vec<&SnapshotFate> = what.fates.iter().filter(|fate| fate.goes).collect();
    if !going.is_empty() {
        out.line("")?;
        out.line("Lost for ever, these points in time:")?;
        for fate in &going {
            let snapshot = &fate.row.snapshot;
            let alone = fate.row.size.and_then(|size| size.exclusive).map_or("?".into(), bytes);
            let mut line = format!("  {}  {}  {alone} alone", snapshot.id, out.time(&snapshot.taken));
            if several {
                line.push_str(&format!("  {}", escape(snapshot.target.to_string().as_bytes())));
            }
            if fate.goes_now {
                line.push_str("  (goes as it is, too)");
            }
            out.line(line)?;
        }
    }
    let rescued = what.fates.iter().filter(|fate| fate.goes_now && !fate.goes).count() as u64;
    if rescued > 0 {
        let snapshots = counted(rescued, "snapshot that goes", "snapshots that go");
        out.remark(format!("{snapshots} as it is would stay."))?;
    }
    print_notes(context, &what.notes)?;
    Ok(Exit::Done)
}

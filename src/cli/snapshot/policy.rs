//! `coffer snapshot policy`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::take::HowArgs;
use super::{Context, Exit, Failure, job, target_text, value};
use crate::cli::keep::RuleArgs;
use crate::cli::output::{Align, Table, counted, escape};
use crate::config::{SnapshotPolicy, edit};
use crate::engine::question::SnapshotPolicyRow;
use crate::engine::{Error, SnapshotOutcome, SnapshotTask};
use crate::schedule::Schedule;
use crate::vault::Time;

/// How many of the snapshots that a rule lets go are named.
const SHOWN: usize = 10;

/// Manage snapshot policies: what is taken when, and what of it stays
///
/// Only what policies took goes by their rules; what was taken by hand never goes by itself, and nothing that is protected
/// goes at all. Coffer does not run by itself: let cron or a timer start coffer snapshot policy run NAME.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  coffer snapshot policy add hourly /srv --at 'mon-fri 12:00' --at 'daily 20:00' --keep-last 24 --limit 64
  coffer snapshot policy run hourly";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the policies of the config
    #[command(after_help = "Example:\n  coffer snapshot policy list")]
    List,
    /// Show a policy, and what becomes of its snapshots
    #[command(after_help = "Example:\n  coffer snapshot policy show hourly")]
    Show {
        /// The name
        name: String,
    },
    /// Write a policy into the config
    #[command(
        after_help = "Example:\n  coffer snapshot policy add hourly /srv --at hourly --keep-last 24 --keep-daily 7"
    )]
    Add(Box<AddArgs>),
    /// Take a policy out of the config; its snapshots stay
    #[command(after_help = "Example:\n  coffer snapshot policy remove hourly")]
    Remove {
        /// The name
        name: String,
    },
    /// Take what a policy takes, then delete what its rule does not keep
    #[command(after_help = "Example:\n  coffer snapshot policy run hourly")]
    Run {
        /// The name
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// The name
    name: String,
    /// What is taken, all at one moment
    #[arg(value_name = "TARGET", required = true)]
    targets: Vec<String>,
    /// When, such as "mon-fri 12:00" or "every 6 hours"; may be given several times
    #[arg(long, value_name = "WHEN")]
    at: Vec<Schedule>,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    keep: RuleArgs,
    /// All that are younger than this many days stay, and the newest whatever its age
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    keep_days: Option<u32>,
    /// The most that policies may have of one target: the oldest goes first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Change the policy of this name
    #[arg(long)]
    replace: bool,
    /// Whether the rule counts for the snapshots that are there, where it lets some of them go: count, or spare
    #[arg(long, value_name = "HOW", value_enum)]
    existing: Option<Existing>,
}

/// What a new rule does to the snapshots that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Existing {
    /// It counts for them too.
    Count,
    /// They stay until they are deleted by hand, or the limit takes them.
    Spare,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::List => list(context),
            Command::Show { name } => show(context, &name),
            Command::Add(args) => add(context, *args),
            Command::Remove { name } => remove(context, &name),
            Command::Run { name } => run(context, name),
        }
    }
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let rows = context.engine.snapshot_policies();
    if context.out.json {
        context.out.value(&rows.iter().map(described).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        context.out.remark(
            "The config names no snapshot policy. Add one: coffer snapshot policy add NAME TARGET --keep-last 24",
        )?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("Name", Align::Left),
        ("Targets", Align::Left),
        ("When", Align::Left),
        ("Keeps", Align::Left),
        ("Has", Align::Right),
        ("Last", Align::Left),
        ("Next", Align::Left),
    ]);
    for row in &rows {
        table.row(vec![
            escape(row.name.as_bytes()),
            escape(row.targets.join(", ").as_bytes()),
            row.when.clone(),
            row.keeps.clone(),
            row.snapshots.to_string(),
            row.last.map(|last| context.out.time(&last)).unwrap_or_default(),
            next(context, row),
        ]);
    }
    table.print(&context.out)?;
    for row in rows.iter().filter(|row| !row.problem.is_empty()) {
        context.out.problem(row.name.as_bytes(), &row.problem);
    }
    Ok(Exit::Done)
}

/// When it is due next, by the clocks of this machine.
fn next(context: &Context, row: &SnapshotPolicyRow) -> String {
    let stamp = |at: i64| crate::text::stamp(at, &context.out.zone);
    row.next.map(stamp).unwrap_or_default()
}

fn described(row: &SnapshotPolicyRow) -> Value {
    json!({
        "name": row.name,
        "targets": row.targets,
        "when": row.when,
        "keeps": row.keeps,
        "consistency": row.consistency,
        "snapshots": row.snapshots,
        "going": row.going,
        "last": row.last.map(|last| last.to_string()),
        "next": row.next.and_then(|at| jiff::Timestamp::from_second(at).ok()).map(|at| at.to_string()),
        "problem": row.problem,
    })
}

fn show(context: &Context, name: &str) -> Result<Exit, Failure> {
    let policy = context.engine.snapshot_policy(name)?;
    let row = context
        .engine
        .snapshot_policies()
        .into_iter()
        .find(|row| row.name == policy.name);
    let Some(row) = row else { return Ok(Exit::Done) };
    if context.out.json {
        context.out.value(&described(&row))?;
        return Ok(Exit::Done);
    }
    let level = row.consistency.map(|level| level.to_string());
    let since = policy
        .since
        .map(|since| format!("what was taken from {} on", context.out.time(&since)));
    let lines = [
        ("targets", escape(row.targets.join(", ").as_bytes())),
        ("when", row.when.clone()),
        ("next", next(context, &row)),
        ("keeps", row.keeps.clone()),
        ("counts for", since.unwrap_or_default()),
        ("consistency", level.unwrap_or_default()),
        ("hooks", escape(policy.hooks.join(", ").as_bytes())),
        ("before", escape(policy.before.unwrap_or_default().as_bytes())),
        ("after", escape(policy.after.unwrap_or_default().as_bytes())),
        ("problem", escape(row.problem.as_bytes())),
    ];
    for (what, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        context.out.line(format!("{what:<12} {text}"))?;
    }
    for target in policy
        .targets
        .iter()
        .filter_map(|text| context.engine.target(text).ok())
    {
        for row in context
            .engine
            .snapshot_list(&target)?
            .rows
            .iter()
            .filter(|row| !row.fate.is_empty())
        {
            context.out.line(format!(
                "{:<12} {}  {}  {}",
                row.snapshot.id,
                context.out.time(&row.snapshot.taken),
                target_text(&target),
                row.fate
            ))?;
        }
    }
    Ok(Exit::Done)
}

fn add(context: &Context, args: AddArgs) -> Result<Exit, Failure> {
    let mut keep = args.keep.policy();
    if let Some(days) = args.keep_days {
        keep.period = crate::retention::Policy::of_days(days).period;
    }
    if keep.is_empty() {
        return Err(Failure::usage(
            "what is to stay? Give --keep-last 24, --keep-daily 7, --keep-days 30 or the like",
        ));
    }
    if !keep.tags.is_empty() {
        return Err(Failure::usage("snapshots have no tags: --keep-tag is for generations"));
    }
    // A relative path would mean another place to cron.
    let mut targets = Vec::new();
    for text in &args.targets {
        let target = context.engine.target(text)?;
        context.engine.provider(&target)?;
        targets.push(target.to_string());
    }
    let (consistency, hooks) = args.how.asked();
    for hook in &hooks.ready {
        hook.parse::<crate::snapshot::hooks::Ready>().map_err(Failure::usage)?;
    }
    let mut policy = SnapshotPolicy {
        name: args.name,
        targets,
        at: args.at,
        consistency,
        hooks: hooks.ready,
        before: hooks.before,
        after: hooks.after,
        hook_seconds: hooks.seconds,
        keep,
        since: None,
        limit: args.limit,
    };
    policy.since = settle(context, &policy, args.existing, args.replace)?;
    let file = &context.engine.settings().config_path;
    let write = match args.replace {
        true => edit::replace_snapshot_policy,
        false => edit::add_snapshot_policy,
    };
    edit::change(file, |text| write(text, file, &policy)).map_err(Error::from)?;
    if context.out.json {
        context
            .out
            .value(&json!({ "name": policy.name, "targets": policy.targets, "keeps": policy.keep.to_string() }))?;
    }
    let name = escape(policy.name.as_bytes());
    context
        .out
        .remark(format!("wrote snapshot policy {name} into {}", file.display()))?;
    context.out.remark(format!(
        "Run it now, and from cron or a timer: coffer snapshot policy run {name}"
    ))?;
    Ok(Exit::Done)
}

/// Whether a new rule counts for the snapshots that are there, which is asked for where it would let more of them go than
/// go now: since when it counts, `None` for always. A policy of a name that is gone takes up what that one took.
fn settle(
    context: &Context,
    policy: &SnapshotPolicy,
    existing: Option<Existing>,
    replace: bool,
) -> Result<Option<Time>, Failure> {
    let more = match context.engine.preview_policy(policy) {
        Ok(preview) => {
            let mut more = preview.go;
            more.retain(|one| !preview.go_now.contains(one));
            more
        }
        Err(error) if replace && existing.is_none() => return Err(error.into()),
        Err(error) => {
            let text = format!("what becomes of the snapshots that are there cannot be told: {error}");
            context.out.remark(escape(text.as_bytes()))?;
            Vec::new()
        }
    };
    let number = counted(more.len() as u64, "snapshot", "snapshots");
    let show = |title: String| -> Result<(), Failure> {
        context.out.remark(title)?;
        for one in more.iter().take(SHOWN) {
            context.out.remark(format!(
                "  {}  {}  {}",
                one.id,
                context.out.time(&one.taken),
                target_text(&one.target)
            ))?;
        }
        match more.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            rest => context.out.remark(format!("  and {rest} more")),
        }
    };
    match existing {
        None if !more.is_empty() => {
            show(format!("By this rule there would go what stays now, {number}:"))?;
            Err(Failure::usage(
                "say --existing count if the rule is to count for them, or --existing spare to keep them until they are \
                 deleted by hand",
            ))
        }
        Some(Existing::Spare) => {
            if !more.is_empty() {
                show(format!("What this rule would let go stays, {number}:"))?;
            }
            Ok(Some((context.engine.settings().clock)()))
        }
        _ if !more.is_empty() => show(format!("With the next run there goes what stays now, {number}:")).map(|()| None),
        _ => Ok(None),
    }
}

fn remove(context: &Context, name: &str) -> Result<Exit, Failure> {
    let file = &context.engine.settings().config_path;
    edit::change(file, |text| edit::remove_snapshot_policy(text, file, name)).map_err(Error::from)?;
    if context.out.json {
        context.out.value(&json!({ "removed": name }))?;
    }
    context.out.remark(format!(
        "removed snapshot policy {} from the config; its snapshots stay",
        escape(name.as_bytes())
    ))?;
    Ok(Exit::Done)
}

fn run(context: &Context, policy: String) -> Result<Exit, Failure> {
    if let SnapshotOutcome::Policy { taken, deleted } = job(context, SnapshotTask::RunPolicy { policy })? {
        if context.out.json {
            let values = |all: &[crate::snapshot::Snapshot]| all.iter().map(|one| value(one, None)).collect::<Vec<_>>();
            context
                .out
                .value(&json!({ "taken": values(&taken), "deleted": values(&deleted) }))?;
            return Ok(Exit::Done);
        }
        super::take::tell(context, &taken)?;
        for snapshot in deleted {
            context.out.remark(format!(
                "deleted {}  {}  {}",
                snapshot.id,
                target_text(&snapshot.target),
                context.out.time(&snapshot.taken)
            ))?;
        }
    }
    Ok(Exit::Done)
}

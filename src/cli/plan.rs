//! `coffer plan`: the plans in the config.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueHint};
use serde_json::{Value, json};

use super::context::Context;
use super::exit::Exit;
use super::from_snapshot::FromSnapshotArgs;
use super::keep::RuleArgs;
use super::output::{Align, Table, escape};
use super::{Failure, backup};
use crate::config::{DEFAULT_HOOK_MINUTES, DEFAULT_RETENTION_DAYS, Hooks, PlanConfig, edit};
use crate::engine::Error;
use crate::retention::Period;
use crate::schedule::Schedule;

/// Manage plans: what is backed up into which vault
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  coffer plan add home /home --vault main --exclude '*.tmp'
  coffer plan run home";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the plans of the config
    #[command(after_help = "Example:\n  coffer plan list")]
    List,
    /// Write a plan into the config; --vault says where it stores
    #[command(after_help = "Example:\n  coffer plan add home /home --vault main --exclude '*.tmp' --tag nightly")]
    Add(Box<AddArgs>),
    /// Take a plan out of the config; its generations stay
    #[command(after_help = "Example:\n  coffer plan remove home")]
    Remove {
        /// The name
        name: String,
    },
    /// Back a plan up now, as `coffer backup --plan` does
    #[command(after_help = "Example:\n  coffer plan run home")]
    Run {
        /// The name
        name: String,
        /// Say what would be stored, store nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Show a plan
    #[command(after_help = "Example:\n  coffer plan show home")]
    Show {
        /// The name
        name: String,
    },
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// The name
    name: String,
    /// Folders and files to back up
    #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Leave out what matches this glob
    #[arg(short, long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Read globs to leave out from this file, one a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    exclude_file: Vec<PathBuf>,
    /// Leave out the content of folders marked as caches by a CACHEDIR.TAG
    #[arg(long)]
    exclude_caches: bool,
    /// Leave out files larger than this (500K, 20M, 1.5G)
    #[arg(long, value_name = "SIZE", value_parser = super::args::size)]
    exclude_larger_than: Option<u64>,
    /// Do not cross into other filesystems
    #[arg(short = 'x', long)]
    one_file_system: bool,
    /// Label its generations
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    tag: Vec<String>,
    /// Say that they were made on this host
    #[arg(short = 'H', long, value_name = "HOST")]
    host: Option<String>,
    /// When it is to run, such as "daily 02:00": kept and shown; start it by cron or a timer, Coffer does not yet
    #[arg(long, value_name = "WHEN")]
    schedule: Option<Schedule>,
    /// Run this command in sh before anything is read; if it fails, nothing is backed up
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString)]
    run_before: Option<String>,
    /// Run this command in sh after the backup, whatever came of it (COFFER_RESULT: done, failed or cancelled)
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString)]
    run_after: Option<String>,
    /// How many minutes each of the two may take
    #[arg(long, value_name = "MINUTES", default_value_t = DEFAULT_HOOK_MINUTES, value_parser = clap::value_parser!(u32).range(1..=1440))]
    hook_minutes: u32,
    #[command(flatten)]
    snapshot: FromSnapshotArgs,
    #[command(flatten)]
    rule: RuleArgs,
    /// All of its generations younger than this many days stay [default: 730, without any of the other keep rules]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    retention_days: Option<u32>,
    /// With a period: so many of the newest of each host and paths stay whatever their age [default: 1]
    #[arg(long, value_name = "N")]
    keep_min: Option<u32>,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::List => list(context),
            Command::Add(args) => add(context, *args),
            Command::Remove { name } => remove(context, &name),
            Command::Run { name, dry_run } => backup::run_plan(context, name, dry_run),
            Command::Show { name } => show(context, &name),
        }
    }
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let config = context.engine.config();
    if context.out.json {
        let plans: Vec<Value> = config.plans.iter().map(described).collect();
        context.out.value(&plans)?;
        return Ok(Exit::Done);
    }
    if config.plans.is_empty() {
        context
            .out
            .remark("The config names no plan. Add one: coffer plan add NAME PATH… --vault VAULT")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[("Name", Align::Left), ("Vault", Align::Left), ("Paths", Align::Left)]);
    for plan in &config.plans {
        table.row(vec![
            escape(plan.name.as_bytes()),
            escape(plan.vaults.join(", ").as_bytes()),
            joined(&plan.paths),
        ]);
    }
    table.print(&context.out)?;
    Ok(Exit::Done)
}

fn add(context: &Context, args: AddArgs) -> Result<Exit, Failure> {
    let absolute = |paths: Vec<PathBuf>| -> Result<Vec<PathBuf>, Failure> {
        let one = |path: PathBuf| {
            std::path::absolute(&path).map_err(|e| Failure::failed(format!("cannot find {}: {e}", path.display())))
        };
        paths.into_iter().map(one).collect()
    };
    let mut retention = args.rule.policy();
    let days = args.retention_days;
    let days = days.or((!retention.keeps()).then_some(DEFAULT_RETENTION_DAYS));
    if days.is_none() && args.keep_min.is_some() {
        return Err(Failure::usage(
            "--keep-min goes with --retention-days: with other keep rules, give --keep-last",
        ));
    }
    retention.period = days.map(|days| Period {
        days,
        floor: args.keep_min.unwrap_or(1),
    });
    let plan = PlanConfig {
        name: args.name,
        paths: absolute(args.paths)?,
        vaults: vec![context.vault()?],
        excludes: args.exclude,
        exclude_files: absolute(args.exclude_file)?,
        exclude_caches: args.exclude_caches,
        one_file_system: args.one_file_system,
        exclude_larger_than: args.exclude_larger_than,
        tags: args.tag,
        host: args.host,
        schedule: args.schedule,
        hooks: Hooks {
            before: args.run_before,
            after: args.run_after,
            minutes: args.hook_minutes,
        },
        snapshot: args.snapshot.asked(),
        retention,
    };
    let file = &context.engine.settings().config_path;
    edit::change(file, |text| edit::add_plan(text, file, &plan)).map_err(Error::from)?;
    if context.out.json {
        context.out.value(&described(&plan))?;
    }
    context.out.remark(format!(
        "added plan {} to {}",
        escape(plan.name.as_bytes()),
        file.display()
    ))?;
    context
        .out
        .remark(format!("Run it now: coffer plan run {}", plan.name))?;
    Ok(Exit::Done)
}

fn remove(context: &Context, name: &str) -> Result<Exit, Failure> {
    let file = &context.engine.settings().config_path;
    edit::change(file, |text| edit::remove_plan(text, file, name)).map_err(Error::from)?;
    if context.out.json {
        context.out.value(&json!({ "removed": name }))?;
    }
    context.out.remark(format!(
        "removed plan {} from the config; its generations stay",
        escape(name.as_bytes())
    ))?;
    Ok(Exit::Done)
}

fn show(context: &Context, name: &str) -> Result<Exit, Failure> {
    let plan = context.engine.plan(name)?;
    if context.out.json {
        context.out.value(&described(&plan))?;
        return Ok(Exit::Done);
    }
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let larger = plan
        .exclude_larger_than
        .map_or_else(|| "no limit".to_owned(), super::output::bytes);
    let lines = [
        ("paths", joined(&plan.paths)),
        ("vaults", plan.vaults.join(", ")),
        ("excludes", plan.excludes.join(", ")),
        ("exclude files", joined(&plan.exclude_files)),
        ("no caches", yes(plan.exclude_caches)),
        ("one filesystem", yes(plan.one_file_system)),
        ("largest file", larger),
        ("tags", plan.tags.join(", ")),
        (
            "host",
            plan.host
                .clone()
                .unwrap_or_else(|| context.engine.settings().host.clone()),
        ),
        (
            "schedule",
            plan.schedule.map(|schedule| schedule.words()).unwrap_or_default(),
        ),
        ("before", plan.hooks.before.clone().unwrap_or_default()),
        ("after", plan.hooks.after.clone().unwrap_or_default()),
        ("from snapshot", from_snapshot(&plan)),
        ("kept", escape(plan.retention.to_string().as_bytes())),
    ];
    for (what, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        context.out.line(format!("{what:<15} {text}"))?;
    }
    Ok(Exit::Done)
}

/// How a plan reads from a snapshot, in a few words; empty when it does not.
fn from_snapshot(plan: &PlanConfig) -> String {
    let Some(from) = &plan.snapshot else {
        return String::new();
    };
    let mut words = vec![if from.or_live { "where possible" } else { "yes" }.to_owned()];
    words.extend(from.consistency.map(|level| format!("{level} consistency")));
    words.extend(from.hooks.iter().cloned());
    escape(words.join(", ").as_bytes())
}

fn described(plan: &PlanConfig) -> Value {
    let texts = |paths: &[PathBuf]| -> Vec<String> { paths.iter().map(|p| p.to_string_lossy().into_owned()).collect() };
    json!({
        "name": plan.name,
        "paths": texts(&plan.paths),
        "vaults": plan.vaults,
        "excludes": plan.excludes,
        "exclude_files": texts(&plan.exclude_files),
        "exclude_caches": plan.exclude_caches,
        "one_file_system": plan.one_file_system,
        "exclude_larger_than": plan.exclude_larger_than,
        "tags": plan.tags,
        "host": plan.host,
        "schedule": plan.schedule.map(|schedule| schedule.to_string()),
        "run_before": plan.hooks.before,
        "run_after": plan.hooks.after,
        "snapshot": plan.snapshot.as_ref().map(|from| json!({
            "where_possible": from.or_live,
            "consistency": from.consistency,
            "hooks": from.hooks,
            "run_before": from.before,
            "run_after": from.after,
        })),
        "retention": plan.retention.to_string(),
        "retention_days": plan.retention.period.map(|period| period.days),
    })
}

fn joined(paths: &[PathBuf]) -> String {
    let one = |path: &PathBuf| escape(Path::as_os_str(path).as_encoded_bytes());
    paths.iter().map(one).collect::<Vec<_>>().join(", ")
}

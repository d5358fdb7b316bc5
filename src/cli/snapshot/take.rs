//! `coffer snapshot take`.

use super::{Context, Exit, Failure, job, target_text, value};
use crate::cli::output::escape;
use crate::engine::question::{SnapshotHooks, TakeAsked};
use crate::engine::{SnapshotOutcome, SnapshotTask};
use crate::snapshot::{Consistency, MadeBy, Snapshot};

/// Take a snapshot of a volume or machine, or of several at one moment
///
/// Several are taken all or none, with the writers of all of them held meanwhile.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    what: WhatArgs,
}

#[derive(Debug, clap::Args)]
struct WhatArgs {
    /// What: a path on btrfs or XFS, a machine's name, a qcow2 image, ebs:VOLUME
    #[arg(value_name = "TARGET", required = true)]
    targets: Vec<String>,
    /// What you call it
    #[arg(short, long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    label: String,
    /// Let nothing delete it, until coffer snapshot protect --off
    #[arg(long)]
    protect: bool,
    #[command(flatten)]
    how: HowArgs,
}

/// Take snapshots of several volumes and machines at one moment, all or none
///
/// As coffer snapshot take with several targets: their writers are held in the order given, all are taken, and they go on
/// in reverse order. How long they were held is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  coffer snapshot group /srv/data /srv/log web --label 'before the upgrade'")]
pub struct GroupArgs {
    #[command(flatten)]
    what: WhatArgs,
}

impl GroupArgs {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.what.targets.as_slice() {
            [_, _, ..] => self.what.run(context),
            _ => Err(Failure::usage(
                "a group has two targets or more; of one: coffer snapshot take",
            )),
        }
    }
}

/// How it is taken.
#[derive(Debug, clap::Args)]
pub(super) struct HowArgs {
    /// What it must hold whole: crash, filesystem, application or memory [else: the best without hooks and RAM]
    #[arg(long, value_name = "LEVEL")]
    consistency: Option<Consistency>,
    /// Tell a database: postgresql, sqlite, mysql, redis or mongodb; for one that is not found with :PATH, its data
    /// folder or file, or of mysql and redis its socket
    #[arg(long, value_name = "NAME[:PATH]")]
    hook: Vec<String>,
    /// Run this command in sh before anything is held; if it fails, nothing is taken. What it tells programs is not known:
    /// --consistency application says that it tells all
    #[arg(long, value_name = "COMMAND")]
    run_before: Option<String>,
    /// Run this command in sh afterwards, whatever came of it (COFFER_RESULT: done, failed or cancelled)
    #[arg(long, value_name = "COMMAND")]
    run_after: Option<String>,
    /// How many seconds each command and hook may take
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    hook_seconds: Option<u64>,
}

impl HowArgs {
    pub(super) fn asked(self) -> (Option<Consistency>, SnapshotHooks) {
        let hooks = SnapshotHooks {
            ready: self.hook,
            before: self.run_before,
            after: self.run_after,
            seconds: self.hook_seconds,
        };
        (self.consistency, hooks)
    }
}

const EXAMPLES: &str = "\
Examples:
  coffer snapshot take /srv --label 'before the upgrade'
  coffer snapshot take /srv/pg --hook postgresql --consistency application
  coffer snapshot take web --consistency memory
  coffer snapshot take /srv/data /srv/log web";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        self.what.run(context)
    }
}

impl WhatArgs {
    fn run(self, context: &Context) -> Result<Exit, Failure> {
        let targets = self.targets.iter().map(|text| context.engine.target(text));
        let targets = targets.collect::<Result<Vec<_>, _>>()?;
        let (consistency, hooks) = self.how.asked();
        let asked = TakeAsked {
            targets,
            consistency,
            label: self.label,
            protected: self.protect,
            hooks,
            made_by: MadeBy::Hand,
        };
        if let SnapshotOutcome::Taken(taken) = job(context, SnapshotTask::Take(Box::new(asked)))? {
            tell(context, &taken)?;
        }
        Ok(Exit::Done)
    }
}

/// Says what was taken.
pub(super) fn tell(context: &Context, taken: &[Snapshot]) -> Result<(), Failure> {
    for snapshot in taken {
        if context.out.json {
            context.out.value(&value(snapshot, None))?;
            continue;
        }
        let held = match snapshot.pause {
            Some(pause) => format!(", writers held for {pause} ms"),
            None => String::new(),
        };
        context.out.line(format!(
            "{}  {}  {} consistency{held}",
            snapshot.id,
            target_text(&snapshot.target),
            snapshot.consistency
        ))?;
        for note in &snapshot.notes {
            context.out.remark(format!("  {}", escape(note.as_bytes())))?;
        }
    }
    Ok(())
}

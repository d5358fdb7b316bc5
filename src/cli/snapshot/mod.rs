//! `coffer snapshot`: a whole volume or machine at one moment, and back again.

mod change;
mod export;
mod files;
mod hidden;
mod list;
mod policy;
mod rollback;
mod show;
mod take;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::context::{Context, Showing};
use super::exit::Exit;
use super::output::escape;
use crate::engine::question::SnapshotAt;
use crate::engine::{SnapshotOutcome, SnapshotTask, Task, TaskOutcome};
use crate::snapshot::{MadeBy, Size, Snapshot, Target};

pub use hidden::{HoldSqlite, Watchdog};

/// Take, list and bring back snapshots: a whole volume or machine at one moment
///
/// A snapshot lies on the disk it protects: it undoes mistakes in seconds, and is lost with the disk. It is not a backup.
/// TARGET is a path on btrfs or XFS, a machine's name, a qcow2 image, or ebs:VOLUME.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  coffer snapshot take /srv --label 'before the upgrade'
  coffer snapshot list /srv
  coffer snapshot rollback 4bba301e0a12";

#[derive(Debug, Subcommand)]
enum Command {
    Take(take::Args),
    Group(take::GroupArgs),
    List(list::Args),
    Show(show::Args),
    Ls(files::LsArgs),
    Restore(files::RestoreArgs),
    Rollback(rollback::Args),
    Clone(change::CloneArgs),
    Export(export::Args),
    Delete(change::DeleteArgs),
    Protect(change::ProtectArgs),
    Policy(Box<policy::Args>),
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::Take(args) => args.run(context),
            Command::List(args) => args.run(context),
            Command::Group(args) => args.run(context),
            Command::Show(args) => args.run(context),
            Command::Ls(args) => args.run(context),
            Command::Restore(args) => args.run(context),
            Command::Policy(args) => args.run(context),
            Command::Rollback(args) => args.run(context),
            Command::Clone(args) => args.run(context),
            Command::Export(args) => args.run(context),
            Command::Delete(args) => args.run(context),
            Command::Protect(args) => args.run(context),
        }
    }
}

/// Which snapshot a command is about.
#[derive(Debug, clap::Args)]
struct One {
    /// The snapshot: its id or the beginning of it
    #[arg(value_name = "ID")]
    id: String,
    /// Look at this target only, instead of all that are known
    #[arg(long, value_name = "TARGET")]
    of: Option<String>,
}

impl One {
    fn find(&self, context: &Context) -> Result<Snapshot, Failure> {
        find(context, &self.id, self.of.as_deref())
    }
}

fn find(context: &Context, id: &str, of: Option<&str>) -> Result<Snapshot, Failure> {
    let of = of.map(|text| context.engine.target(text)).transpose()?;
    Ok(context.engine.find_snapshot(id, of.as_ref())?)
}

fn at(snapshot: &Snapshot) -> SnapshotAt {
    SnapshotAt {
        target: snapshot.target.clone(),
        id: snapshot.id.clone(),
    }
}

/// Runs a job on snapshots to its end.
fn job(context: &Context, task: SnapshotTask) -> Result<SnapshotOutcome, Failure> {
    context.writes()?;
    let job = context.engine.start(Task::Snapshot(task))?;
    match context.watch(&job, Showing::ALL)? {
        TaskOutcome::Snapshot(outcome) => Ok(outcome),
        _ => Err(Failure::failed("the job did something else; please report it")),
    }
}

/// A target for people.
fn target_text(target: &Target) -> String {
    escape(target.to_string().as_bytes())
}

/// Who made a snapshot, in a word or two.
fn made_by(snapshot: &Snapshot) -> String {
    match &snapshot.made_by {
        MadeBy::Hand => "by hand".into(),
        MadeBy::Policy(name) => format!("policy {}", escape(name.as_bytes())),
        MadeBy::Safety(to) => format!("before going back to {to}"),
        MadeBy::Backup => "for a backup".into(),
        MadeBy::Other => "another program".into(),
    }
}

/// A snapshot for programs.
fn value(snapshot: &Snapshot, size: Option<Size>) -> Value {
    let (maker, detail) = match &snapshot.made_by {
        MadeBy::Hand => ("hand", None),
        MadeBy::Policy(name) => ("policy", Some(name.clone())),
        MadeBy::Safety(to) => ("safety", Some(to.to_string())),
        MadeBy::Backup => ("backup", None),
        MadeBy::Other => ("other", None),
    };
    json!({
        "id": snapshot.id,
        "kind": snapshot.kind,
        "target": snapshot.target.to_string(),
        "taken": snapshot.taken.to_string(),
        "consistency": snapshot.consistency,
        "label": snapshot.label,
        "protected": snapshot.protected,
        "made_by": maker,
        "made_for": detail,
        "until": snapshot.until.map(|until| until.to_string()),
        "group": snapshot.group,
        "pause_ms": snapshot.pause,
        "notes": snapshot.notes,
        "handle": snapshot.handle,
        "size": size,
    })
}

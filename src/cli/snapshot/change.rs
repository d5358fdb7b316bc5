//! `coffer snapshot clone`, `delete` and `protect`.

use serde_json::json;

use super::{Context, Exit, Failure, One, at, find, job, value};
use crate::cli::output::{counted, escape};
use crate::engine::{SnapshotOutcome, SnapshotTask};
use crate::snapshot::{Error, Labels, Target};

/// Make a volume, folder or image of its own of a snapshot
///
/// It shares its blocks with the snapshot and can be written to; the snapshot stays as it is. A cloud's snapshot becomes a
/// volume in a zone, or a copy in another region.
#[derive(Debug, clap::Args)]
#[command(after_help = CLONE_EXAMPLES)]
pub struct CloneArgs {
    #[command(flatten)]
    one: One,
    /// Where: a path that does not exist yet; of a cloud's volume zone:ZONE or region:REGION
    #[arg(value_name = "PLACE")]
    place: String,
}

const CLONE_EXAMPLES: &str = "\
Examples:
  coffer snapshot clone 4bba301e0a12 /srv-as-it-was
  coffer snapshot clone 79766175b3c4 zone:eu-west-1a
  coffer snapshot clone 79766175b3c4 region:eu-central-1";

impl CloneArgs {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let snapshot = self.one.find(context)?;
        let place = match snapshot.target {
            Target::Folder(_) | Target::Image(_) | Target::Machine(_) => std::path::absolute(&self.place)
                .map(|path| path.to_string_lossy().into_owned())
                .map_err(|error| Failure::failed(format!("cannot find {}: {error}", self.place)))?,
            _ => self.place,
        };
        let task = SnapshotTask::Clone {
            at: at(&snapshot),
            place,
        };
        if let SnapshotOutcome::Cloned(made) = job(context, task)? {
            if context.out.json {
                context.out.value(&json!({ "snapshot": snapshot.id, "made": made }))?;
            }
            context.out.remark(format!("made {}", escape(made.as_bytes())))?;
        }
        Ok(Exit::Done)
    }
}

/// Delete snapshots
///
/// Ids must be given in full or by their beginning, so nothing is asked. Nothing is deleted when one of them is protected.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  coffer snapshot delete 4bba301e0a12 79766175b3c4")]
pub struct DeleteArgs {
    /// Ids, or beginnings of them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Look at this target only, instead of all that are known
    #[arg(long, value_name = "TARGET")]
    of: Option<String>,
    /// Say what would be deleted, delete nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

impl DeleteArgs {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut chosen = Vec::new();
        for id in &self.ids {
            let snapshot = find(context, id, self.of.as_deref())?;
            if snapshot.protected {
                return Err(crate::engine::Error::from(Error::Protected(snapshot.id.to_string())).into());
            }
            let at = at(&snapshot);
            if !chosen.contains(&at) {
                chosen.push(at);
            }
        }
        if !self.dry_run {
            job(context, SnapshotTask::Delete(chosen.clone()))?;
        }
        if context.out.json {
            let ids: Vec<_> = chosen.iter().map(|at| &at.id).collect();
            context.out.value(&json!({ "dry_run": self.dry_run, "removed": ids }))?;
        }
        let number = counted(chosen.len() as u64, "snapshot", "snapshots");
        context.out.remark(match self.dry_run {
            true => format!("would delete {number}"),
            false => format!("deleted {number}"),
        })?;
        Ok(Exit::Done)
    }
}

/// Protect a snapshot from being deleted, or give it another label
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ProtectArgs {
    #[command(flatten)]
    one: One,
    /// Take the protection away
    #[arg(long)]
    off: bool,
    /// Give it this label too
    #[arg(short, long, value_name = "TEXT")]
    label: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  coffer snapshot protect 4bba301e0a12 --label 'release 12'
  coffer snapshot protect 4bba301e0a12 --off";

impl ProtectArgs {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.writes()?;
        let snapshot = self.one.find(context)?;
        let labels = Labels {
            label: self.label.unwrap_or_else(|| snapshot.label.clone()),
            protected: !self.off,
        };
        let said = context.engine.label_snapshot(&at(&snapshot), &labels)?;
        if context.out.json {
            let now = context.engine.snapshot(&at(&snapshot))?;
            context.out.value(&value(&now, None))?;
        }
        context.out.remark(escape(said.as_bytes()))?;
        Ok(Exit::Done)
    }
}

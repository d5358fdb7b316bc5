//! The options that let a backup read from a fresh snapshot: of `coffer backup` and of plans.

use crate::config::FromSnapshot;
use crate::snapshot::Consistency;
use crate::snapshot::hooks::Ready;

/// Reading from a snapshot.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "From a snapshot")]
pub struct FromSnapshotArgs {
    /// Read from a snapshot taken for this and deleted afterwards: all is of one moment. With =where-possible, what lies on
    /// neither btrfs nor XFS is read as it is, and told
    #[arg(long, value_name = "WHERE", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "everywhere")]
    pub from_snapshot: Option<Where>,
    /// What the snapshot must hold whole: crash, filesystem or application [else: the best without hooks]
    #[arg(long, value_name = "LEVEL", requires = "from_snapshot")]
    snapshot_consistency: Option<Consistency>,
    /// Tell a database before the snapshot: postgresql, sqlite, mysql, redis or mongodb, with :PATH for one that is not found
    #[arg(long, value_name = "NAME[:PATH]", value_parser = ready_made, requires = "from_snapshot")]
    snapshot_hook: Vec<String>,
    /// Run this command in sh before the snapshot; if it fails, nothing is backed up
    #[arg(long, value_name = "COMMAND", requires = "from_snapshot")]
    snapshot_run_before: Option<String>,
    /// Run this command in sh once the snapshot is there, before the backup has begun to read
    #[arg(long, value_name = "COMMAND", requires = "from_snapshot")]
    snapshot_run_after: Option<String>,
    /// How many seconds each of these commands and hooks may take
    #[arg(long, value_name = "SECONDS", requires = "from_snapshot", value_parser = clap::value_parser!(u64).range(1..=3600))]
    snapshot_hook_seconds: Option<u64>,
}

fn ready_made(text: &str) -> Result<String, String> {
    text.parse::<Ready>().map(|_| text.to_owned())
}

/// What must lie in a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Where {
    /// Everything, or nothing is backed up.
    Everywhere,
    /// What can; the rest is read as it is.
    WherePossible,
}

impl FromSnapshotArgs {
    /// What they say; `None` when the live files are to be read.
    pub fn asked(&self) -> Option<FromSnapshot> {
        let place = self.from_snapshot?;
        Some(FromSnapshot {
            or_live: place == Where::WherePossible,
            consistency: self.snapshot_consistency,
            hooks: self.snapshot_hook.clone(),
            before: self.snapshot_run_before.clone(),
            after: self.snapshot_run_after.clone(),
            hook_seconds: self.snapshot_hook_seconds,
        })
    }
}

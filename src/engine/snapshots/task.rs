//! What a job on snapshots can be asked to do, and what comes of it.

use std::path::PathBuf;

use crate::engine::JobKind;
use crate::engine::question::{Overwrite, SnapshotAt, TakeAsked, TreePath};
use crate::snapshot::{Consistency, RollbackPlan, RolledBack, Snapshot};
use crate::text::{bytes, counted};

/// What a job on snapshots can be asked to do.
#[derive(Debug)]
pub enum SnapshotTask {
    /// Takes one, or several at one moment.
    Take(Box<TakeAsked>),
    /// Goes back to one, by a plan that was shown.
    RollBack(Box<RollbackPlan>),
    /// Deletes some. Nothing is deleted when one of them is protected.
    Delete(Vec<SnapshotAt>),
    /// Makes a volume, folder or image of its own of one.
    Clone {
        /// Of which.
        at: SnapshotAt,
        /// Where: a path, or what the provider calls a place.
        place: String,
    },
    /// Copies files and folders out of one.
    RestoreFiles {
        /// Of which.
        at: SnapshotAt,
        /// What, from the target's root; the root itself is everything.
        paths: Vec<TreePath>,
        /// The folder they go to, with their paths from the target's root below it; `None` puts them where they were.
        to: Option<PathBuf>,
        /// What happens to what is there already.
        overwrite: Overwrite,
    },
    /// Runs a policy of the config: takes, then deletes what its rule does not keep.
    RunPolicy {
        /// Its name.
        policy: String,
    },
}

/// What came of it.
#[derive(Debug)]
pub enum SnapshotOutcome {
    /// Those that were taken.
    Taken(Vec<Snapshot>),
    /// It is as it was.
    RolledBack {
        /// To which.
        to: Box<Snapshot>,
        /// How.
        done: RolledBack,
    },
    /// Those that are gone.
    Deleted(Vec<SnapshotAt>),
    /// What was made: a path, or what the provider calls it.
    Cloned(String),
    /// Files were copied.
    Restored {
        /// Files and everything else that is no folder.
        files: u64,
        /// Their bytes.
        bytes: u64,
        /// Left alone, since they were there.
        skipped: u64,
        /// What could not be copied; reported one by one.
        errors: u64,
    },
    /// A policy ran.
    Policy {
        /// What it took.
        taken: Vec<Snapshot>,
        /// What its rule let go.
        deleted: Vec<Snapshot>,
    },
}

impl SnapshotTask {
    /// What kind of job it makes.
    pub fn kind(&self) -> JobKind {
        match self {
            SnapshotTask::Take(_) | SnapshotTask::RunPolicy { .. } => JobKind::Snapshot,
            SnapshotTask::RollBack(_) => JobKind::Rollback,
            SnapshotTask::Delete(_) => JobKind::DeleteSnapshots,
            SnapshotTask::Clone { .. } => JobKind::CloneSnapshot,
            SnapshotTask::RestoreFiles { .. } => JobKind::RestoreSnapshot,
        }
    }
}

impl SnapshotOutcome {
    /// How many entries failed.
    pub fn problems(&self) -> u64 {
        match self {
            SnapshotOutcome::Restored { errors, .. } => *errors,
            _ => 0,
        }
    }

    /// One line for people: what was done.
    pub fn summary(&self) -> String {
        let many = |n: usize| counted(n as u64, "snapshot", "snapshots");
        match self {
            SnapshotOutcome::Taken(taken) => match taken.as_slice() {
                [one] => format!(
                    "snapshot {}, {} consistency{}",
                    one.id,
                    one.consistency,
                    held(one.pause)
                ),
                several => {
                    let pause = several.iter().filter_map(|one| one.pause).max();
                    let how = match several.iter().any(|one| one.consistency == Consistency::Crash) {
                        true => "one after the other",
                        false => "at one moment",
                    };
                    format!("{} {how}{}", many(several.len()), held(pause))
                }
            },
            SnapshotOutcome::RolledBack { to, done } => match &done.safety {
                Some(safety) => format!("rolled back to {}, {}; before: {safety}", to.id, done.verified),
                None => format!("rolled back to {}, {}", to.id, done.verified),
            },
            SnapshotOutcome::Deleted(gone) => format!("{} deleted", many(gone.len())),
            SnapshotOutcome::Cloned(place) => format!("made {place}"),
            SnapshotOutcome::Restored {
                files,
                bytes: size,
                skipped,
                errors: _,
            } => {
                let mut text = format!("{} restored ({})", counted(*files, "file", "files"), bytes(*size));
                if *skipped > 0 {
                    text.push_str(&format!(", {skipped} left alone"));
                }
                text
            }
            SnapshotOutcome::Policy { taken, deleted } => {
                format!("{} taken, {} deleted", many(taken.len()), many(deleted.len()))
            }
        }
    }
}

fn held(pause: Option<u64>) -> String {
    pause
        .map(|pause| format!(", writers held for {pause} ms"))
        .unwrap_or_default()
}

//! What a job can be asked to do, and what comes of it.

use std::path::PathBuf;
use std::sync::Arc;

use super::{JobKind, SnapshotOutcome, SnapshotTask};
use crate::backup::{self, BackupOptions};
use crate::config::FromSnapshot;
use crate::engine::question::SnapshotAt;
use crate::restore::{self, RestoreOptions, RestoreOutcome};
use crate::text::{bytes, count, counted};
use crate::vault::change::TagChange;
use crate::vault::check::{DataSubset, Report};
use crate::vault::prune::{PruneFigures, PruneOptions};
use crate::vault::{Generation, Id};

/// What a job can be asked to do. `vault` is what the user wrote: a name of the config, or a folder.
#[derive(Debug)]
pub enum Task {
    /// Runs a plan of the config into its vault (or one of its vaults): [`Task::Backup`] with
    /// [`Engine::plan_options`](super::Engine::plan_options).
    Plan {
        /// The plan's name.
        plan: String,
        /// Which of its vaults; the first when `None`.
        vault: Option<String>,
        /// Count what would be stored, store nothing.
        dry_run: bool,
    },
    /// Backs up.
    Backup {
        /// The vault.
        vault: String,
        /// The plan it is a run of: runs of one plan never overlap.
        plan: Option<String>,
        /// What and how.
        options: Box<BackupOptions>,
        /// Whether and how it reads from a fresh snapshot.
        snapshot: Option<FromSnapshot>,
    },
    /// Sends a snapshot into a vault.
    Export {
        /// The vault.
        vault: String,
        /// Which snapshot.
        at: SnapshotAt,
        /// How; what and when comes from the snapshot.
        options: Box<BackupOptions>,
    },
    /// Sends a snapshot into a vault, with this machine's defaults.
    SendSnapshot {
        /// The vault.
        vault: String,
        /// Which snapshot.
        at: SnapshotAt,
        /// Labels of the generation.
        tags: Vec<String>,
        /// Count what would be stored, store nothing.
        dry_run: bool,
    },
    /// Backs up paths without a plan, with this machine's defaults.
    Paths {
        /// The vault.
        vault: String,
        /// Absolute paths.
        paths: Vec<PathBuf>,
        /// Globs of what is left out.
        excludes: Vec<String>,
        /// Labels.
        tags: Vec<String>,
        /// Count what would be stored, store nothing.
        dry_run: bool,
    },
    /// Restores.
    Restore {
        /// The vault.
        vault: String,
        /// What and how.
        what: RestoreWhat,
    },
    /// Carries out the plan of this number, from [`Answer::RestorePreview`](super::Answer::RestorePreview).
    PlannedRestore {
        /// The number.
        plan: u64,
    },
    /// Checks a vault.
    Check {
        /// The vault.
        vault: String,
        /// How much of the data is read.
        data: DataSubset,
    },
    /// Deletes generations, and gives back the space of what no other reaches if asked to: both under one lock.
    Forget {
        /// The vault.
        vault: String,
        /// Which, in full.
        ids: Vec<Id>,
        /// How to prune afterwards; not at all when `None`.
        prune: Option<PruneOptions>,
    },
    /// Gives back the space of what no generation reaches any more.
    Prune {
        /// The vault.
        vault: String,
        /// How.
        options: PruneOptions,
        /// Only plan it.
        dry_run: bool,
    },
    /// Changes the labels of generations.
    Tag {
        /// The vault.
        vault: String,
        /// Which, in full.
        ids: Vec<Id>,
        /// How.
        change: TagChange,
    },
    /// Removes stale locks, or all of them.
    Unlock {
        /// The vault.
        vault: String,
        /// Fresh ones too.
        all: bool,
    },
    /// Something with snapshots.
    Snapshot(SnapshotTask),
}

/// What to restore.
#[derive(Debug)]
pub enum RestoreWhat {
    /// Plan and execute in one go.
    Options(Box<Generation>, Box<RestoreOptions>),
    /// A plan that was shown before.
    Plan(Arc<restore::Plan>),
}

/// What came of a job.
#[derive(Debug)]
pub enum TaskOutcome {
    /// A backup.
    Backup(Box<backup::Outcome>),
    /// A restore.
    Restore(RestoreOutcome),
    /// A check.
    Check(Box<Report>),
    /// Generations were deleted.
    Forget {
        /// Which.
        gone: Vec<Id>,
        /// What the prune after it did, if one was asked for.
        pruned: Option<PruneFigures>,
    },
    /// What a prune did, or would do.
    Prune(PruneFigures),
    /// The generations that changed: before and after.
    Tag(Vec<(Id, Id)>),
    /// How many locks were removed.
    Unlock(usize),
    /// What was done with snapshots.
    Snapshot(SnapshotOutcome),
}

impl Task {
    /// What kind of job it makes.
    pub fn kind(&self) -> JobKind {
        match self {
            Task::Plan { dry_run: true, .. }
            | Task::SendSnapshot { dry_run: true, .. }
            | Task::Paths { dry_run: true, .. } => JobKind::DryBackup,
            Task::Backup { options, .. } | Task::Export { options, .. } if options.dry_run => JobKind::DryBackup,
            Task::Plan { .. }
            | Task::Backup { .. }
            | Task::Export { .. }
            | Task::SendSnapshot { .. }
            | Task::Paths { .. } => JobKind::Backup,
            Task::Restore { .. } | Task::PlannedRestore { .. } => JobKind::Restore,
            Task::Check { .. } => JobKind::Check,
            Task::Forget { .. } => JobKind::Forget,
            Task::Prune { .. } => JobKind::Prune,
            Task::Tag { .. } => JobKind::Tag,
            Task::Unlock { .. } => JobKind::Unlock,
            Task::Snapshot(task) => task.kind(),
        }
    }
}

impl TaskOutcome {
    /// The exit code a command ends with: 3 when a backup left something out that it could not read, 1 when a restore or a
    /// check found errors, else 0.
    pub fn exit_code(&self) -> u8 {
        match self {
            TaskOutcome::Backup(outcome) if outcome.unreadable > 0 => 3,
            TaskOutcome::Restore(outcome) if outcome.errors > 0 => 1,
            TaskOutcome::Check(report) if !report.is_sound() => 1,
            TaskOutcome::Snapshot(outcome) if outcome.problems() > 0 => 1,
            _ => 0,
        }
    }

    /// How many entries failed.
    pub fn problems(&self) -> u64 {
        match self {
            TaskOutcome::Backup(outcome) => outcome.unreadable,
            TaskOutcome::Restore(outcome) => outcome.errors,
            TaskOutcome::Check(report) => report.errors_found,
            TaskOutcome::Snapshot(outcome) => outcome.problems(),
            _ => 0,
        }
    }

    /// One line for people: what was done.
    pub fn summary(&self) -> String {
        match self {
            TaskOutcome::Backup(outcome) => {
                let s = &outcome.summary;
                let amounts = format!(
                    "{} new, {} changed of {}, {} added",
                    count(s.files_new),
                    count(s.files_changed),
                    counted(s.total_files_processed, "file", "files"),
                    bytes(s.data_added_packed)
                );
                // What is needed most comes first: where there is little room the end is cut off.
                match &outcome.generation {
                    Some(generation) => format!("{amounts}; generation {}", generation.id.short()),
                    None if outcome.skipped_unchanged => format!("nothing changed, no generation saved: {amounts}"),
                    None => format!("dry run: {amounts}"),
                }
            }
            TaskOutcome::Restore(outcome) => {
                let mut text = format!(
                    "{} written ({}), {} right already",
                    counted(outcome.files_written, "file", "files"),
                    bytes(outcome.bytes_written),
                    count(outcome.files_unchanged)
                );
                for (number, what) in [(outcome.skipped, "left alone"), (outcome.deleted, "deleted")] {
                    if number > 0 {
                        text.push_str(&format!(", {} {what}", count(number)));
                    }
                }
                text
            }
            TaskOutcome::Check(report) => {
                let found = match report.errors_found {
                    0 => "no errors".into(),
                    1 => "1 ERROR".into(),
                    errors => format!("{errors} ERRORS"),
                };
                let generations = counted(report.generations, "generation", "generations");
                let (packs, read) = (counted(report.packs, "pack", "packs"), report.packs_read);
                format!("{found} in {generations} and {packs} ({read} of them read whole)")
            }
            TaskOutcome::Forget { gone, pruned } => {
                let forgotten = format!("{} forgotten", counted(gone.len() as u64, "generation", "generations"));
                match pruned {
                    Some(figures) => format!("{forgotten}, {}", given_back(figures)),
                    None => forgotten,
                }
            }
            TaskOutcome::Prune(figures) => given_back(figures),
            TaskOutcome::Tag(changed) => {
                format!("{} changed", counted(changed.len() as u64, "generation", "generations"))
            }
            TaskOutcome::Snapshot(outcome) => outcome.summary(),
            TaskOutcome::Unlock(locks) => format!("{} removed", counted(*locks as u64, "lock", "locks")),
        }
    }
}

fn given_back(figures: &PruneFigures) -> String {
    format!(
        "{} packs deleted, {} rewritten, {} given back",
        count(figures.packs_deleted + figures.packs_unindexed),
        count(figures.packs_repacked),
        bytes(figures.bytes_freed + figures.leftover_bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_show_in_the_exit_code() {
        let restored = |errors| {
            TaskOutcome::Restore(RestoreOutcome {
                errors,
                ..RestoreOutcome::default()
            })
        };
        assert_eq!(
            (restored(0).exit_code(), restored(2).exit_code(), restored(2).problems()),
            (0, 1, 2)
        );
        assert_eq!(TaskOutcome::Unlock(3).summary(), "3 locks removed");
    }

    #[test]
    fn forgetting_says_what_the_prune_gave_back() {
        let forgotten = |pruned| {
            TaskOutcome::Forget {
                gone: vec![Id([1; 32]), Id([2; 32])],
                pruned,
            }
            .summary()
        };
        assert_eq!(forgotten(None), "2 generations forgotten");
        let figures = PruneFigures {
            packs_deleted: 3,
            packs_repacked: 1,
            bytes_freed: 5 << 20,
            ..PruneFigures::default()
        };
        assert_eq!(
            forgotten(Some(figures)),
            "2 generations forgotten, 3 packs deleted, 1 rewritten, 5.0 MiB given back"
        );
    }
}

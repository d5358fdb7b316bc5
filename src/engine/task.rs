//! What a job can be asked to do, and what comes of it.

use super::JobKind;
use crate::vault::Id;

/// What a job can be asked to do. (`Backup { vault, plan, options }`, `Restore { vault, generation, options, plan }` and
/// `Check { vault, data }` join as their rooms land, with the rooms' own options.) `vault` is what the user wrote: a name of the config, or a folder.
#[derive(Debug, Clone)]
pub enum Task {
    /// Runs a plan of the config into its vault (or one of its vaults).
    Plan {
        /// The plan's name.
        plan: String,
        /// Which of its vaults; the first when `None`.
        vault: Option<String>,
        /// Count what would be stored, store nothing.
        dry_run: bool,
    },
    /// Executes a plan that [`super::Question::PlanRestore`] made, by its number; the engine knows vault and generation.
    PlannedRestore {
        /// The plan's number.
        plan: u64,
    },
    /// Deletes generations.
    Forget {
        /// The vault.
        vault: String,
        /// Which, in full.
        ids: Vec<Id>,
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
}

/// How labels change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagChange {
    /// Put these on, unless they are.
    Add(Vec<String>),
    /// Take these off, where they are.
    Remove(Vec<String>),
    /// Exactly these.
    Set(Vec<String>),
}

/// What came of a job.
#[derive(Debug)]
pub enum TaskOutcome {
    /// The generations that are gone.
    Forget(Vec<Id>),
    /// The generations that changed: before and after.
    Tag(Vec<(Id, Id)>),
    /// How many locks were removed.
    Unlock(u64),
}

impl Task {
    /// What kind of job it makes.
    pub fn kind(&self) -> JobKind {
        match self {
            Task::Plan { .. } => JobKind::Backup,
            Task::PlannedRestore { .. } => JobKind::Restore,
            Task::Forget { .. } => JobKind::Forget,
            Task::Tag { .. } => JobKind::Tag,
            Task::Unlock { .. } => JobKind::Unlock,
        }
    }
}

impl TaskOutcome {
    /// The exit code a command ends with: 3 when a backup skipped unreadable files, 1 when a check found errors, else 0.
    pub fn exit_code(&self) -> u8 {
        0
    }
}

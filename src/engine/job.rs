//! Jobs: work on its own thread that can be watched, stopped and waited for.

use std::sync::Arc;
use std::time::Duration;

use super::{Result, TaskOutcome};
use crate::progress::{Cancel, Progress};
use crate::vault::Time;

/// Which job, unique in the catalog's history.
pub type JobId = i64;

/// What kind of work a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Files into a vault.
    Backup,
    /// Files out of a vault.
    Restore,
    /// Is the vault whole?
    Check,
    /// Generations deleted.
    Forget,
    /// Labels changed.
    Tag,
    /// Locks removed.
    Unlock,
}

impl JobKind {
    /// The word for it, as in the history.
    pub fn word(self) -> &'static str {
        match self {
            JobKind::Backup => "backup",
            JobKind::Restore => "restore",
            JobKind::Check => "check",
            JobKind::Forget => "forget",
            JobKind::Tag => "tag",
            JobKind::Unlock => "unlock",
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// At work.
    Running,
    /// Asked to stop, not stopped yet.
    Cancelling,
    /// Stopped on request; `cleaned`: its locks are gone from the vault.
    Cancelled {
        /// Whether its locks are gone.
        cleaned: bool,
    },
    /// Finished. `problems` of the entries failed (exit code 3, or 1 for a check).
    Done {
        /// One line for people: what was done.
        summary: String,
        /// How many entries failed.
        problems: u64,
    },
    /// Failed.
    Failed {
        /// The error's text.
        error: String,
        /// What a command would end with.
        exit_code: u8,
    },
}

impl JobState {
    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        !matches!(self, JobState::Running | JobState::Cancelling)
    }

    /// The word for it, as in the history.
    pub fn word(&self) -> &'static str {
        match self {
            JobState::Running => "running",
            JobState::Cancelling => "cancelling",
            JobState::Cancelled { .. } => "cancelled",
            JobState::Done { .. } => "done",
            JobState::Failed { .. } => "failed",
        }
    }
}

/// One thing that went wrong within a job that went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobIssue {
    /// The entry's path, raw bytes; empty when it is not about one.
    pub path: Vec<u8>,
    /// What went wrong, in words.
    pub text: String,
}

/// What a job is: told at its start, never changing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInfo {
    /// Its number.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// The vault, as the user names it.
    pub vault: String,
    /// The plan it is a run of.
    pub plan: Option<String>,
    /// When it started.
    pub started: Time,
}

/// A running or ended job. Dropping the handle neither stops nor waits for the job.
#[derive(Debug, Clone)]
pub struct JobHandle {
    /// What it is.
    pub info: Arc<JobInfo>,
    /// How far it has come: sample it a few times a second.
    pub progress: Arc<Progress>,
    cancel: Cancel,
}

impl JobHandle {
    /// Its number.
    pub fn id(&self) -> JobId {
        self.info.id
    }
    /// Asks it to stop: it goes to `Cancelling`, and to `Cancelled` within a second.
    pub fn cancel(&self) {
        self.cancel.cancel();
        todo!()
    }
    /// Where it stands.
    pub fn state(&self) -> JobState {
        todo!()
    }
    /// Issues reported so far, from the `after`th on (the first 10,000 are kept). For printing them as they come.
    pub fn issues_after(&self, after: usize) -> Vec<JobIssue> {
        let _ = after;
        todo!()
    }
    /// Waits until it has ended, at most this long; whether it has.
    pub fn wait_for(&self, time: Duration) -> bool {
        let _ = time;
        todo!()
    }
    /// Waits until it has ended and takes its result (which only the first caller gets; later ones get `Usage`).
    pub fn wait(&self) -> Result<TaskOutcome> {
        todo!()
    }
}

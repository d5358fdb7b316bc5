//! Jobs: work on its own thread that can be watched, stopped and waited for.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::hub::Hub;
use crate::engine::{Error, Event, JobKind, LogLine, Result, TaskOutcome};
use crate::progress::{Cancel, Progress};
use crate::text::said;
use crate::vault::Time;

/// Which job, unique in the catalog's history.
pub type JobId = i64;

/// How many issues of a job are kept.
const KEPT_ISSUES: usize = 10_000;

/// How many lines of a job's log are kept.
const KEPT_LINES: usize = 1_000;

/// Tells the time.
pub(in crate::engine) type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// At work.
    Running,
    /// Asked to stop, not stopped yet.
    Cancelling,
    /// Stopped on request.
    Cancelled {
        /// Whether its locks are gone from the vault.
        cleaned: bool,
    },
    /// Finished.
    Done {
        /// One line for people: what was done.
        summary: String,
        /// How many entries failed (a backup then exits with 3, a check or restore with 1).
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
    /// What went wrong, in words, without the path.
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

/// A running or ended job. Clones are the same job. Dropping it neither stops nor waits for the job.
#[derive(Debug, Clone)]
pub struct JobHandle {
    /// What it is.
    pub info: Arc<JobInfo>,
    /// How far it has come: sample it a few times a second.
    pub progress: Arc<Progress>,
    shared: Arc<Shared>,
}

struct Shared {
    cancel: Cancel,
    clock: Clock,
    title: Mutex<String>,
    log: Mutex<Log>,
    hub: Arc<Hub>,
    status: Mutex<Status>,
    ended: Condvar,
    issues: Mutex<Issues>,
}

#[derive(Debug)]
struct Status {
    state: JobState,
    result: Option<Result<TaskOutcome>>,
    ended_at: Option<Time>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// What it did when. Kept here until the engine has written it into the catalog, and afterwards for those who ask.
#[derive(Debug, Default)]
struct Log {
    lines: Vec<LogLine>,
    /// How many of them are in the catalog.
    written: usize,
}

#[derive(Debug, Default)]
struct Issues {
    kept: Vec<JobIssue>,
    count: u64,
}

impl JobHandle {
    /// A job that is about to run. Tells the subscribers.
    pub(in crate::engine) fn new(info: JobInfo, hub: Arc<Hub>, clock: Clock) -> JobHandle {
        let info = Arc::new(info);
        hub.send(Event::JobStarted(info.clone()));
        let status = Status {
            state: JobState::Running,
            result: None,
            ended_at: None,
        };
        let shared = Shared {
            cancel: Cancel::default(),
            clock,
            title: Mutex::default(),
            log: Mutex::default(),
            hub,
            status: Mutex::new(status),
            ended: Condvar::new(),
            issues: Mutex::default(),
        };
        JobHandle {
            info,
            progress: Arc::default(),
            shared: Arc::new(shared),
        }
    }

    /// Its number.
    pub fn id(&self) -> JobId {
        self.info.id
    }

    /// Asks it to stop: it goes to `Cancelling`, and to `Cancelled` within a second (or ends as it would have, if it was
    /// at its end anyway).
    pub fn cancel(&self) {
        self.cancel_with("asked to stop");
    }

    /// The same, with these words in the log.
    pub(in crate::engine) fn cancel_with(&self, words: &str) {
        let mut status = self.status();
        if status.state == JobState::Running {
            self.note(words);
            status.state = JobState::Cancelling;
            self.shared.cancel.cancel();
            self.tell(JobState::Cancelling);
        }
    }

    /// Where it stands.
    pub fn state(&self) -> JobState {
        self.status().state.clone()
    }

    /// When it ended.
    pub fn ended_at(&self) -> Option<Time> {
        self.status().ended_at
    }

    /// Issues reported so far, from the `after`th on (the first 10,000 are kept). For printing them as they come.
    pub fn issues_after(&self, after: usize) -> Vec<JobIssue> {
        self.issues().kept.get(after..).unwrap_or_default().to_vec()
    }

    /// How many issues were reported so far, kept or not.
    pub fn issue_count(&self) -> u64 {
        self.issues().count
    }

    /// What it is called; empty when nobody gave it a name.
    pub fn title(&self) -> String {
        self.shared.title.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(in crate::engine) fn set_title(&self, title: &str) {
        *self.shared.title.lock().unwrap_or_else(PoisonError::into_inner) = title.to_owned();
    }

    /// What it did so far, with times.
    pub fn log(&self) -> Vec<LogLine> {
        self.lines().lines.clone()
    }

    /// Adds a line to its log. Only to memory: the engine writes it down when the job comes by.
    pub(in crate::engine) fn note(&self, text: impl Into<String>) {
        let line = LogLine {
            time: (self.shared.clock)(),
            text: said(text.into()),
        };
        let mut log = self.lines();
        if log.lines.len() < KEPT_LINES {
            log.lines.push(line);
        }
    }

    /// Hands the lines that are not in the catalog yet to `write`, with the number of the first.
    pub(in crate::engine) fn write_log<E>(
        &self,
        write: impl FnOnce(usize, &[LogLine]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (first, new) = {
            let log = self.lines();
            (log.written, log.lines.get(log.written..).unwrap_or_default().to_vec())
        };
        if !new.is_empty() {
            write(first, &new)?;
            let mut log = self.lines();
            log.written = log.written.max(first + new.len());
        }
        Ok(())
    }

    /// All lines are to be written anew: the catalog may have been deleted since.
    pub(in crate::engine) fn rewrite_log(&self) {
        self.lines().written = 0;
    }

    /// Waits until it has ended, at most this long; whether it has.
    pub fn wait_for(&self, time: Duration) -> bool {
        let until = Instant::now().checked_add(time);
        let mut status = self.status();
        while !status.state.has_ended() {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            let left = left.unwrap_or(Duration::from_secs(3600));
            status = self
                .shared
                .ended
                .wait_timeout(status, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    /// Waits until it has ended and takes its result (which only the first caller gets; later ones get `Usage`).
    pub fn wait(&self) -> Result<TaskOutcome> {
        while !self.wait_for(Duration::MAX) {}
        let taken = || {
            Err(Error::Usage(format!(
                "the result of job {} was taken already",
                self.id()
            )))
        };
        self.status().result.take().unwrap_or_else(taken)
    }

    /// The request to stop, for those who do the work.
    pub(in crate::engine) fn cancel_flag(&self) -> &Cancel {
        &self.shared.cancel
    }

    /// Writes down an issue. From any thread.
    pub(in crate::engine) fn report(&self, path: &[u8], text: String) {
        let mut issues = self.issues();
        issues.count += 1;
        if issues.kept.len() < KEPT_ISSUES {
            issues.kept.push(JobIssue {
                path: path.to_vec(),
                text: said(text),
            });
        }
    }

    /// It has ended. Wakes who waits and tells the subscribers.
    pub(in crate::engine) fn end(&self, state: JobState, result: Result<TaskOutcome>, at: Time) {
        let mut status = self.status();
        *status = Status {
            state: state.clone(),
            result: Some(result),
            ended_at: Some(at),
        };
        self.shared.ended.notify_all();
        self.tell(state);
    }

    /// Called with the status locked, so that states are told in their order.
    fn tell(&self, state: JobState) {
        self.shared.hub.send(Event::JobChanged {
            job: self.info.clone(),
            state,
        });
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.shared.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> MutexGuard<'_, Log> {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issues(&self) -> MutexGuard<'_, Issues> {
        self.shared.issues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

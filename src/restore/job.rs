//! What all threads of one execution share: the plan, counters, and where problems go.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;

use super::metadata::Rules;
use super::{Error, Issue, IssueKind, Plan, RestoreOutcome};
use crate::progress::{Cancel, Progress};
use crate::vault::IndexedVault;

/// One execution.
pub(super) struct Job<'a> {
    pub vault: &'a IndexedVault,
    pub plan: &'a Plan,
    pub rules: Rules,
    pub progress: &'a Progress,
    pub cancel: &'a Cancel,
    pub report: &'a (dyn Fn(Issue) + Sync),
    /// This process's user and group.
    pub user: (u32, u32),
    /// The vault's own folder.
    pub protected: Option<(u64, u64)>,
    pub counters: Counters,
    /// Unfinished files that are open.
    pub open_files: AtomicUsize,
    stop: AtomicBool,
    fatal: Mutex<Option<Error>>,
}

/// [`RestoreOutcome`] while it grows.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub files_written: AtomicU64,
    pub files_unchanged: AtomicU64,
    pub skipped: AtomicU64,
    pub folders: AtomicU64,
    pub others: AtomicU64,
    pub deleted: AtomicU64,
    pub bytes_written: AtomicU64,
    pub bytes_fetched: AtomicU64,
    pub files_verified: AtomicU64,
    pub errors: AtomicU64,
    pub warnings: AtomicU64,
}

/// Adds to a counter.
pub(super) fn add(counter: &AtomicU64, number: u64) {
    counter.fetch_add(number, Ordering::Relaxed);
}

impl<'a> Job<'a> {
    pub fn new(
        vault: &'a IndexedVault,
        plan: &'a Plan,
        progress: &'a Progress,
        cancel: &'a Cancel,
        report: &'a (dyn Fn(Issue) + Sync),
    ) -> Job<'a> {
        let user = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Job {
            vault,
            plan,
            rules: Rules {
                owner: plan.options.owner,
                root: user.0 == 0,
            },
            progress,
            cancel,
            report,
            user,
            protected: super::place::protected(vault),
            counters: Counters::default(),
            open_files: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            fatal: Mutex::new(None),
        }
    }

    /// Reports a problem with one entry.
    pub fn issue(&self, path: &[u8], kind: IssueKind, error: String) {
        if kind.is_warning() {
            add(&self.counters.warnings, 1);
        } else {
            add(&self.counters.errors, 1);
            add(&self.progress.errors, 1);
        }
        (self.report)(Issue {
            path: path.to_vec(),
            kind,
            error,
        });
    }

    /// Reports that the system refused something; a full disk ends the job.
    pub fn refused(&self, path: &[u8], action: &str, error: Errno) {
        if matches!(error, Errno::NOSPC | Errno::DQUOT | Errno::ROFS) {
            let path = String::from_utf8_lossy(path).into_owned();
            self.end(Error::NoSpace {
                path,
                source: error.into(),
            });
        } else {
            self.issue(path, IssueKind::Failed, format!("cannot {action}: {error}"));
        }
    }

    /// Ends the job with an error; the first one counts.
    pub fn end(&self, error: Error) {
        self.fatal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether everybody is to stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.cancel.is_cancelled()
    }

    /// What ended the job early, if anything.
    pub fn fatal(&self) -> Result<(), Error> {
        self.cancel.check()?;
        self.fatal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .map_or(Ok(()), Err)
    }

    /// The counts so far.
    pub fn outcome(&self) -> RestoreOutcome {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        RestoreOutcome {
            files_written: get(&counters.files_written),
            files_unchanged: get(&counters.files_unchanged),
            skipped: get(&counters.skipped),
            folders: get(&counters.folders),
            others: get(&counters.others),
            deleted: get(&counters.deleted),
            bytes_written: get(&counters.bytes_written),
            bytes_fetched: get(&counters.bytes_fetched),
            files_verified: get(&counters.files_verified),
            errors: get(&counters.errors),
            warnings: get(&counters.warnings),
        }
    }
}

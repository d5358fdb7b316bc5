//! How far a piece of work has come, and how it is told to stop: the two values every long operation takes.
//!
//! The rooms count into a [`Progress`] with relaxed atomics (no lock on a hot path); whoever shows it samples it a few
//! times a second. A [`Cancel`] is checked at least once per file or blob, so that a stop takes well under a second.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counters of one running operation. Totals are zero until they are known.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files finished.
    pub files_done: AtomicU64,
    /// Files to do, as far as is known by now.
    pub files_total: AtomicU64,
    /// Bytes finished.
    pub bytes_done: AtomicU64,
    /// Bytes to do, as far as is known by now.
    pub bytes_total: AtomicU64,
    /// Whether the totals are final.
    pub totals_known: AtomicBool,
    /// Entries that failed and were reported.
    pub errors: AtomicU64,
    current: Mutex<Vec<u8>>,
}

/// A [`Progress`] at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgressSample {
    /// Files finished.
    pub files_done: u64,
    /// Files to do, as far as is known by now.
    pub files_total: u64,
    /// Bytes finished.
    pub bytes_done: u64,
    /// Bytes to do, as far as is known by now.
    pub bytes_total: u64,
    /// Whether the totals are final.
    pub totals_known: bool,
    /// Entries that failed and were reported.
    pub errors: u64,
    /// What is being worked on: a path's raw bytes, or a word for the phase. May be empty.
    pub current: Vec<u8>,
}

impl Progress {
    /// Adds one finished file of `bytes` bytes.
    pub fn file_done(&self, bytes: u64) {
        self.files_done.fetch_add(1, Ordering::Relaxed);
        self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Says what is being worked on. Skips silently when another thread is just saying so too: it is only for show.
    pub fn set_current(&self, what: &[u8]) {
        if let Ok(mut current) = self.current.try_lock() {
            current.clear();
            current.extend_from_slice(what);
        }
    }

    /// All counters at this moment.
    pub fn sample(&self) -> ProgressSample {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ProgressSample {
            files_done: get(&self.files_done),
            files_total: get(&self.files_total),
            bytes_done: get(&self.bytes_done),
            bytes_total: get(&self.bytes_total),
            totals_known: self.totals_known.load(Ordering::Relaxed),
            errors: get(&self.errors),
            current: self.current.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// A request to stop, shared between whoever asks and whoever works. Clones share one flag.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

/// The work was stopped on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

impl Cancel {
    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether a stop was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Errors with [`Cancelled`] once a stop was asked for.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() { Err(Cancelled) } else { Ok(()) }
    }
}

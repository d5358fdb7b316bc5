//! Locks as restic takes, refreshes and respects them.
//!
//! A lock is a small file in the vault. Taking one: look whether another is in the way, write ours, wait a moment, look
//! again (two programs may have written at the same time: then both give up). Whoever takes a shared lock need not sit the
//! moment out: a thread looks again meanwhile, and [`LockGuard::check`] waits for it. The same thread writes the lock anew
//! every five minutes and deletes the one before; others take it for stale after half an hour. Before an index file or a
//! generation is saved [`LockWatch::confirm`] also looks whether the lock's file is still there: whoever took it away may
//! have deleted the packs that would be told of. [`file`] knows what is in a lock; here is how it is held. [`release_all`]
//! is for whoever ends the process.

mod file;

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

pub use file::{Lock, Presence};

use super::{Error, Id, Result, Vault};
use crate::storage::{FileKind, StorageError};

/// What a lock is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockKind {
    /// To read: others may read and add beside. Left out when the vault is used without locks.
    Reading,
    /// To add: others may read and add beside.
    Shared,
    /// Nobody else may use the vault.
    Exclusive,
}

/// How long things take; other values are for tests.
#[derive(Debug, Clone, Copy)]
struct Timing {
    /// Between writing a lock and looking again.
    settle: Duration,
    /// Age at which a lock is refreshed.
    refresh: Duration,
    /// Age at which it counts as lost: well before others take it for stale.
    lost: Duration,
    /// How often the age is looked at. The machine may sleep in between, so that waiting for the right time is not enough.
    poll: Duration,
}

const TIMING: Timing = Timing {
    settle: Duration::from_millis(200),
    refresh: Duration::from_secs(5 * 60),
    lost: Duration::from_secs(22 * 60 + 30),
    poll: Duration::from_secs(15),
};

/// All locks this process holds.
static HELD: Registry = Registry(Mutex::new(Vec::new()));

/// Places where this process could not delete a lock of its own.
static LEFT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Whether a lock of this process was left behind in the vault at a place since this was last asked.
pub fn left_behind(place: &str) -> bool {
    relock(&LEFT).remove(place)
}

/// Deletes all locks this process holds, before it ends on a signal or an error. Operations that still run find their
/// lock lost at its next check.
pub fn release_all() {
    HELD.release_all();
}

struct Registry(Mutex<Vec<Weak<Held>>>);

impl Registry {
    fn add(&self, held: &Arc<Held>) {
        let mut all = relock(&self.0);
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(held));
    }

    fn release_all(&self) {
        let all = std::mem::take(&mut *relock(&self.0));
        for held in all.iter().filter_map(Weak::upgrade) {
            held.release("the program is ending");
        }
    }
}

/// A lock held. A thread refreshes it every five minutes; dropping it deletes the lock file.
#[derive(Debug)]
pub struct LockGuard {
    /// `None` when the vault is used without locks.
    held: Option<(Arc<Held>, Option<JoinHandle<()>>)>,
}

/// What guard, refreshing thread and registry share.
#[derive(Debug)]
struct Held {
    vault: Vault,
    kind: LockKind,
    timing: Timing,
    state: Mutex<State>,
    /// Tells of every change of the state.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// The lock file, once there is one.
    id: Option<Id>,
    /// When it was written, by the clock on the wall: that one goes on while the machine sleeps.
    written: SystemTime,
    /// Whether the second look found nothing in the way.
    confirmed: bool,
    /// Set once it is given up or lost: why.
    over: Option<Over>,
}

/// Why a lock does not hold any more.
#[derive(Debug, Clone)]
enum Over {
    /// Another was written at the same time.
    Locked { exclusive: bool, holder: String },
    /// Anything else, in words.
    Lost(String),
}

impl Over {
    fn error(&self, vault: &Vault) -> Error {
        let place = vault.place();
        match self.clone() {
            Over::Locked { exclusive, holder } => Error::Locked {
                place,
                exclusive,
                holder,
            },
            Over::Lost(why) => Error::LockLost { place, why },
        }
    }
}

impl LockGuard {
    pub(super) fn take(vault: &Vault, kind: LockKind) -> Result<LockGuard> {
        LockGuard::take_with(vault, kind, TIMING, &HELD)
    }

    fn take_with(vault: &Vault, kind: LockKind, timing: Timing, registry: &Registry) -> Result<LockGuard> {
        if kind == LockKind::Reading && vault.leaves_out_locks() {
            return Ok(LockGuard { held: None });
        }
        check_others(vault, kind, None)?;
        let state = State {
            id: None,
            written: SystemTime::now(),
            confirmed: false,
            over: None,
        };
        let held = Arc::new(Held {
            vault: vault.clone(),
            kind,
            timing,
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        // Registered first: a signal while the lock is being taken must not leave it behind.
        registry.add(&held);
        let mut guard = LockGuard {
            held: Some((held.clone(), None)),
        };
        let id = held.write_first()?;
        let keeper = held.clone();
        let thread = std::thread::Builder::new()
            .name("lock".into())
            .spawn(move || keeper.keep(&id));
        let thread = thread.map_err(|error| Error::Internal(format!("no thread to keep the lock: {error}")))?;
        guard.held = Some((held, Some(thread)));
        if kind == LockKind::Exclusive {
            guard.check()?;
        }
        Ok(guard)
    }

    /// For those who write under the lock while another holds the guard.
    pub fn watch(&self) -> LockWatch {
        LockWatch(self.held.as_ref().map(|(held, _)| held.clone()))
    }

    /// Its kind; `None` when the vault is used without locks.
    pub fn kind(&self) -> Option<LockKind> {
        self.held.as_ref().map(|(held, _)| held.kind)
    }

    /// Errors with `LockLost` once the lock could not be refreshed for 22.5 minutes, and with `Locked` when another program
    /// took one at the same moment; checked before each important write.
    pub fn check(&self) -> Result<()> {
        match &self.held {
            Some((held, _)) => held.standing(&held.decided()),
            None => Ok(()),
        }
    }
}

/// Asks whether a lock still holds; does not hold it.
#[derive(Debug, Clone)]
pub struct LockWatch(Option<Arc<Held>>);

impl LockWatch {
    /// Errors once the lock is known to be lost or given up. Waits for no second look: for writes that harm nobody when there
    /// was no lock, such as packs.
    pub fn check_known(&self) -> Result<()> {
        match &self.0 {
            Some(held) => held.standing(&relock(&held.state)),
            None => Ok(()),
        }
    }

    /// [`LockGuard::check`], and that the lock's file is still there.
    pub fn confirm(&self) -> Result<()> {
        let Some(held) = &self.0 else { return Ok(()) };
        let mut state = held.decided();
        held.standing(&state)?;
        held.look(&mut state)?;
        held.standing(&state)
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        if let Some((held, thread)) = self.held.take() {
            held.release("it was released");
            if let Some(thread) = thread {
                let _ = thread.join();
            }
        }
    }
}

impl Held {
    /// The state, once the second look is done or the lock is over.
    fn decided(&self) -> MutexGuard<'_, State> {
        let undecided = |state: &mut State| !state.confirmed && state.over.is_none();
        let waited = self.changed.wait_while(relock(&self.state), undecided);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Errors if the lock is over, or too old to rely on.
    fn standing(&self, state: &State) -> Result<()> {
        match &state.over {
            Some(over) => Err(over.error(&self.vault)),
            None if age(state) > self.timing.lost => {
                Err(Over::Lost("it was not refreshed in time".into()).error(&self.vault))
            }
            None => Ok(()),
        }
    }

    /// Ends it if its file is gone: whoever deleted it took this program for dead, and may have deleted what it relies on.
    fn look(&self, state: &mut State) -> Result<(), StorageError> {
        let Some(id) = state.id else { return Ok(()) };
        match self.vault.storage().size(FileKind::Lock, &id) {
            Ok(_) => Ok(()),
            Err(StorageError::NotFound { .. }) => {
                state.id = None;
                self.end(state, Over::Lost("someone else removed it".into()));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn write_first(&self) -> Result<Id> {
        let mut state = relock(&self.state);
        if let Some(over) = &state.over {
            return Err(over.error(&self.vault));
        }
        let id = self
            .vault
            .write_lock(&Lock::ours(self.kind))
            .map_err(|error| self.explain(error))?;
        state.id = Some(id);
        state.written = SystemTime::now();
        Ok(id)
    }

    /// A place that cannot be written to can still be read: says how.
    fn explain(&self, error: Error) -> Error {
        match error {
            Error::Storage(StorageError::Io { source, .. }) if is_read_only(&source) => Error::CannotLock {
                place: self.vault.place(),
                source,
            },
            error => error,
        }
    }

    /// Deletes the lock file and ends the refreshing. Harmless when done before.
    fn release(&self, why: &str) {
        self.end(&mut relock(&self.state), Over::Lost(why.to_owned()));
    }

    fn end(&self, state: &mut State, over: Over) {
        if let Some(id) = state.id.take()
            && let Err(error) = self.vault.remove_lock(&id)
        {
            tracing::warn!("the lock could not be removed: {error}");
            relock(&LEFT).insert(self.vault.place());
        }
        state.over.get_or_insert(over);
        self.changed.notify_all();
    }

    /// The thread's work: the second look, then refreshing.
    fn keep(&self, first: &Id) {
        let open = |state: &mut State| state.over.is_none();
        let state = relock(&self.state);
        let waited = self.changed.wait_timeout_while(state, self.timing.settle, open);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
        let looked = check_others(&self.vault, self.kind, Some(first));
        let mut state = relock(&self.state);
        match looked {
            _ if state.over.is_some() => {}
            Ok(()) => {
                state.confirmed = true;
                self.changed.notify_all();
            }
            Err(Error::Locked { exclusive, holder, .. }) => self.end(&mut state, Over::Locked { exclusive, holder }),
            Err(error) => self.end(&mut state, Over::Lost(error.to_string())),
        }
        while state.over.is_none() {
            let waited = self.changed.wait_timeout_while(state, self.timing.poll, open);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.over.is_none() && age(&state) >= self.timing.refresh {
                self.refresh(&mut state);
            }
        }
    }

    /// Writes the lock anew and deletes the one before. Failures are tried again until it is too late.
    fn refresh(&self, state: &mut State) {
        if let Err(error) = self.look(state) {
            return self.not_refreshed(state, &error.into());
        }
        let Some(old) = state.id else { return };
        match self.vault.write_lock(&Lock::ours(self.kind)) {
            Ok(new) => {
                state.id = Some(new);
                state.written = SystemTime::now();
                match self.vault.remove_lock(&old) {
                    Ok(true) => {}
                    Ok(false) => {
                        // The new one goes too.
                        self.end(state, Over::Lost("someone else removed it".into()));
                    }
                    Err(error) => tracing::warn!("the lock before could not be removed: {error}"),
                }
            }
            Err(error) => self.not_refreshed(state, &error),
        }
    }

    fn not_refreshed(&self, state: &mut State, error: &Error) {
        tracing::warn!("the lock could not be refreshed: {error}");
        if age(state) > self.timing.lost {
            self.end(state, Over::Lost(format!("it could not be refreshed: {error}")));
        }
    }
}

/// Errors when another's lock is in the way of one of this kind.
fn check_others(vault: &Vault, kind: LockKind, ours: Option<&Id>) -> Result<()> {
    for id in vault.lock_ids()? {
        if Some(&id) == ours {
            continue;
        }
        let lock = match vault.read_lock(&id) {
            // Released since it was listed.
            Err(error) if file::is_gone(&error) => continue,
            lock => lock.map_err(|error| {
                error.advise(|| {
                    let place = vault.place();
                    format!("if no program uses the vault, run: coffer unlock --remove-all --vault {place}")
                })
            })?,
        };
        if lock.exclusive || kind == LockKind::Exclusive {
            return Err(Error::Locked {
                place: vault.place(),
                exclusive: lock.exclusive,
                holder: lock.to_string(),
            });
        }
    }
    Ok(())
}

/// How long ago the lock was written. A clock that was set back counts as no time.
fn age(state: &State) -> Duration {
    state.written.elapsed().unwrap_or_default()
}

fn is_read_only(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

fn relock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

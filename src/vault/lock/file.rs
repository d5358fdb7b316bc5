//! What is in a lock file, who holds it, and when it may be taken away.

use std::fmt;

use rustix::io::Errno;
use rustix::process::{Pid, getgid, getpid, getuid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::LockKind;
use crate::storage::{FileKind, StorageError};
use crate::vault::repository::now;
use crate::vault::{Error, Id, Result, Time, Vault};

/// After so long without a refresh a lock is stale, seconds.
const STALE_AFTER: i64 = 30 * 60;

/// A lock as stored; the field order is the stored one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The name of its file; not stored in it.
    #[serde(skip, default = "no_id")]
    pub id: Id,
    /// When it was taken or last refreshed.
    pub time: Time,
    /// Whether nobody else may use the vault.
    pub exclusive: bool,
    /// Where its holder runs.
    #[serde(default)]
    pub hostname: String,
    /// Who runs it.
    #[serde(default)]
    pub username: String,
    /// Its process.
    #[serde(default)]
    pub pid: i64,
    /// Who runs it, as a number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uid: u32,
    /// By which group.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gid: u32,
}

fn no_id() -> Id {
    Id::ZERO
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Others wrote these names: nothing in them may move the cursor.
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(80).collect::<String>();
        let (username, hostname) = (clean(&self.username), clean(&self.hostname));
        write!(f, "{username}@{hostname}, process {}, since {}", self.pid, self.time)
    }
}

/// What can be said of a lock's holder from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is this very process.
    Ours,
    /// Its process runs on this machine.
    Runs,
    /// It was on this machine, and no such process runs.
    Gone,
    /// It is on another machine: nothing can be said.
    Elsewhere,
}

impl Lock {
    /// What can be said of its holder from here.
    pub fn presence(&self) -> Presence {
        if self.hostname != hostname() {
            Presence::Elsewhere
        } else if self.pid == i64::from(getpid().as_raw_nonzero().get()) {
            Presence::Ours
        } else if process_runs(self.pid) {
            Presence::Runs
        } else {
            Presence::Gone
        }
    }

    /// A lock of this process, now.
    pub(super) fn ours(kind: LockKind) -> Lock {
        let uid = getuid();
        let username = uzers::get_user_by_uid(uid.as_raw());
        Lock {
            id: Id::ZERO,
            time: now(),
            exclusive: kind == LockKind::Exclusive,
            hostname: hostname(),
            username: username
                .map(|user| user.name().to_string_lossy().into_owned())
                .unwrap_or_default(),
            pid: i64::from(getpid().as_raw_nonzero().get()),
            uid: uid.as_raw(),
            gid: getgid().as_raw(),
        }
    }

    /// Whether its holder is surely or very likely gone: not refreshed for 30 minutes, or a process of this machine that
    /// does not run any more. Only [`Vault::unlock`] acts on this: a stale lock still locks.
    pub fn is_stale(&self) -> bool {
        now().seconds.saturating_sub(self.time.seconds) > STALE_AFTER
            || (self.hostname == hostname() && !process_runs(self.pid))
    }
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn process_runs(pid: i64) -> bool {
    match i32::try_from(pid).ok().filter(|pid| *pid > 0).and_then(Pid::from_raw) {
        // It may run and belong to someone else.
        Some(pid) => test_kill_process(pid) != Err(Errno::SRCH),
        None => false,
    }
}

impl Vault {
    /// The locks on this vault, oldest first. Empty files, which an interrupted program leaves, are passed over.
    pub fn locks(&self) -> Result<Vec<Lock>> {
        let mut locks = Vec::new();
        for id in self.lock_ids()? {
            match self.read_lock(&id) {
                Ok(lock) => locks.push(lock),
                Err(error) if is_gone(&error) => {}
                Err(error) => return Err(error),
            }
        }
        locks.sort_by_key(|lock| (lock.time.instant(), lock.id));
        Ok(locks)
    }

    /// The locks on this vault by their files' names, those that cannot be read too: to show them. Empty files are passed
    /// over.
    pub fn locks_as_found(&self) -> Result<Vec<(Id, Result<Lock>)>> {
        let mut locks = Vec::new();
        for id in self.lock_ids()? {
            match self.read_lock(&id) {
                Err(error) if is_gone(&error) => {}
                lock => locks.push((id, lock)),
            }
        }
        Ok(locks)
    }

    /// Deletes stale locks, or with `all` every lock; returns how many. Deleting the lock of a running program makes it
    /// stop, or makes it and others spoil each other's work.
    pub fn unlock(&self, all: bool) -> Result<usize> {
        let mut removed = 0;
        if all {
            let mut ids = Vec::new();
            self.storage().list(FileKind::Lock, &mut |id, _| ids.push(id))?;
            for id in ids {
                removed += usize::from(self.remove_lock(&id)?);
            }
            return Ok(removed);
        }
        for id in self.lock_ids()? {
            // One that cannot be read tells nothing about its holder: it stays until all are to go.
            if self.read_lock(&id).is_ok_and(|lock| lock.is_stale()) {
                removed += usize::from(self.remove_lock(&id)?);
            }
        }
        Ok(removed)
    }

    /// The ids of lock files that are not empty.
    pub(super) fn lock_ids(&self) -> Result<Vec<Id>> {
        let mut ids = Vec::new();
        self.storage().list(FileKind::Lock, &mut |id, size| {
            if size > 0 {
                ids.push(id);
            }
        })?;
        Ok(ids)
    }

    pub(super) fn read_lock(&self, id: &Id) -> Result<Lock> {
        let plain = self.read_file(FileKind::Lock, id)?;
        let mut lock: Lock = serde_json::from_slice(&plain).map_err(|error| self.damaged(FileKind::Lock, id, error))?;
        lock.id = *id;
        Ok(lock)
    }

    pub(super) fn write_lock(&self, lock: &Lock) -> Result<Id> {
        let plain = serde_json::to_vec(lock).map_err(|error| Error::Internal(error.to_string()))?;
        self.write_file(FileKind::Lock, &plain)
    }

    /// Deletes a lock file; false when it was gone before.
    pub(super) fn remove_lock(&self, id: &Id) -> Result<bool> {
        match self.remove_file(FileKind::Lock, id) {
            Ok(()) => Ok(true),
            Err(error) if is_gone(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn is_gone(error: &Error) -> bool {
    matches!(error, Error::Storage(StorageError::NotFound { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::testing::test_vault;

    fn lock(age_seconds: i64, hostname: &str, pid: i64) -> Lock {
        let mut lock = Lock::ours(LockKind::Shared);
        lock.time.seconds -= age_seconds;
        lock.hostname = hostname.into();
        lock.pid = pid;
        lock
    }

    /// A process that has run and is gone.
    fn dead_pid() -> i64 {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        i64::from(child.id())
    }

    #[test]
    fn bytes_are_restics() {
        let lock = Lock {
            id: Id::ZERO,
            time: Time::parse("2026-11-22T21:45:00.5+01:00").unwrap(),
            exclusive: true,
            hostname: "host".into(),
            username: "user".into(),
            pid: 42,
            uid: 1000,
            gid: 0,
        };
        let json = serde_json::to_string(&lock).unwrap();
        insta::assert_snapshot!(json, @r#"{"time":"2026-11-22T21:45:00.5+01:00","exclusive":true,"hostname":"host","username":"user","pid":42,"uid":1000}"#);
        assert_eq!(serde_json::from_str::<Lock>(&json).unwrap(), lock);
        insta::assert_snapshot!(lock.to_string(), @"user@host, process 42, since 2026-11-22T21:45:00.5+01:00");
        let hostile = Lock {
            username: "a\x1b[2J\nb".into(),
            ..lock
        };
        insta::assert_snapshot!(hostile.to_string(), @"a[2Jb@host, process 42, since 2026-11-22T21:45:00.5+01:00");
    }

    #[test]
    fn stale_is_old_or_dead_on_this_machine() {
        let here = hostname();
        let ours = i64::from(std::process::id());
        assert!(!lock(0, &here, ours).is_stale());
        assert!(!lock(1790, &here, ours).is_stale());
        assert!(lock(1810, &here, ours).is_stale());
        assert_eq!(lock(0, &here, ours).presence(), Presence::Ours);
        assert_eq!(lock(0, &here, 1).presence(), Presence::Runs);
        assert_eq!(lock(0, &here, dead_pid()).presence(), Presence::Gone);
        assert_eq!(lock(0, "elsewhere", ours).presence(), Presence::Elsewhere);
        assert!(lock(0, &here, dead_pid()).is_stale());
        assert!(!lock(0, "elsewhere", dead_pid()).is_stale());
        assert!(lock(0, &here, -1).is_stale());
        assert!(!lock(0, &here, 1).is_stale());
    }

    #[test]
    fn unlock_takes_stale_ones_only_unless_told() {
        let (_folder, vault) = test_vault();
        let fresh = vault.write_lock(&lock(0, "elsewhere", 1)).unwrap();
        vault.write_lock(&lock(4000, "elsewhere", 1)).unwrap();
        vault.write_lock(&lock(10, &hostname(), dead_pid())).unwrap();
        let damaged = Id::of(b"damaged");
        vault.storage().write(FileKind::Lock, &damaged, &[b"nonsense"]).unwrap();
        vault.storage().write(FileKind::Lock, &Id::of(b"empty"), &[]).unwrap();

        let found = vault.locks_as_found().unwrap();
        assert_eq!(
            (found.len(), found.iter().filter(|(_, lock)| lock.is_err()).count()),
            (4, 1)
        );
        let error = vault.locks().unwrap_err().to_string();
        assert!(error.contains(&damaged.to_string()), "{error}");
        assert_eq!(vault.unlock(false).unwrap(), 2);
        assert!(vault.lock_ids().unwrap().contains(&fresh));
        assert_eq!(vault.unlock(true).unwrap(), 3);
        assert_eq!(vault.locks().unwrap(), []);
        assert_eq!(vault.unlock(true).unwrap(), 0);
    }

    proptest::proptest! {
        #[test]
        fn locks_come_back_and_print_on_one_line(
            seconds in 0i64..4_000_000_000, hostname in ".*", username in ".*", pid: i64, uid: u32, exclusive: bool,
        ) {
            let time = Time { seconds, nanos: 5, offset: -7200 };
            let lock = Lock { id: Id::ZERO, time, exclusive, hostname, username, pid, uid, gid: 0 };
            let json = serde_json::to_string(&lock).unwrap();
            proptest::prop_assert_eq!(&serde_json::from_str::<Lock>(&json).unwrap(), &lock);
            proptest::prop_assert!(!lock.to_string().chars().any(char::is_control));
            // Whatever process id it claims, asking for it is safe.
            lock.is_stale();
        }
    }
}

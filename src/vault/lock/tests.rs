use std::time::Instant;

use super::*;
use crate::vault::Password;
use crate::vault::testing::{PASSWORD, Tampered, storage, test_vault};

const FAST: Timing = Timing {
    settle: Duration::from_millis(1),
    refresh: Duration::from_millis(5),
    lost: Duration::from_secs(60),
    poll: Duration::from_millis(5),
};

fn take(vault: &Vault, kind: LockKind) -> Result<LockGuard> {
    LockGuard::take_with(
        vault,
        kind,
        Timing {
            refresh: TIMING.refresh,
            ..FAST
        },
        &HELD,
    )
}

/// Waits for something another thread does.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn shared_locks_go_together_and_exclusive_ones_with_none() {
    let (_folder, vault) = test_vault();
    let one = take(&vault, LockKind::Shared).unwrap();
    let two = take(&vault, LockKind::Shared).unwrap();
    let error = take(&vault, LockKind::Exclusive).unwrap_err();
    assert!(matches!(error, Error::Locked { exclusive: false, .. }), "{error}");
    drop((one, two));
    assert_eq!(vault.locks().unwrap(), []);
    let alone = take(&vault, LockKind::Exclusive).unwrap();
    assert!(vault.locks().unwrap()[0].exclusive);
    for kind in [LockKind::Reading, LockKind::Shared, LockKind::Exclusive] {
        let error = take(&vault, kind).unwrap_err();
        assert!(matches!(error, Error::Locked { exclusive: true, .. }), "{error}");
    }
    alone.check().unwrap();
    drop(alone);
    assert_eq!(vault.locks().unwrap(), []);
}

#[test]
fn an_old_lock_still_locks_and_an_empty_file_does_not() {
    let (_folder, vault) = test_vault();
    vault.storage().write(FileKind::Lock, &Id::of(b""), &[]).unwrap();
    drop(take(&vault, LockKind::Exclusive).unwrap());
    let mut old = Lock::ours(LockKind::Exclusive);
    old.time = super::super::Time::parse("2020-01-01T00:00:00Z").unwrap();
    vault.write_lock(&old).unwrap();
    assert!(matches!(take(&vault, LockKind::Shared), Err(Error::Locked { .. })));
}

#[test]
fn of_two_at_once_none_gets_an_exclusive_lock_beside_the_other() {
    let (_folder, vault) = test_vault();
    let timing = Timing {
        settle: Duration::from_millis(100),
        ..TIMING
    };
    let taken: Vec<_> = std::thread::scope(|scope| {
        let start = || scope.spawn(|| LockGuard::take_with(&vault, LockKind::Exclusive, timing, &HELD));
        let threads = [start(), start(), start()];
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(taken.iter().filter(|guard| guard.is_ok()).count() <= 1);
    drop(taken);
    assert_eq!(vault.locks().unwrap(), []);
}

#[test]
fn a_shared_lock_gives_way_to_an_exclusive_one_written_at_the_same_moment() {
    let (folder, other) = test_vault();
    let mut tampered = Tampered::new(storage(&folder));
    let theirs = other.clone();
    // Between the first look and the second.
    tampered.on_write = Box::new(move |_, _| {
        theirs.write_lock(&Lock::ours(LockKind::Exclusive)).unwrap();
        Ok(())
    });
    let vault = Vault::open(Arc::new(tampered), &Password::new(PASSWORD), None).unwrap();
    let guard = take(&vault, LockKind::Shared).unwrap();
    let error = guard.check().unwrap_err();
    assert!(matches!(error, Error::Locked { exclusive: true, .. }), "{error}");
    let left = vault.locks().unwrap();
    assert!(left.len() == 1 && left[0].exclusive, "{left:?}");
}

#[test]
fn a_damaged_lock_says_how_to_get_rid_of_it() {
    let (_folder, vault) = test_vault();
    vault
        .storage()
        .write(FileKind::Lock, &Id::of(b"x"), &[b"junk"])
        .unwrap();
    let error = take(&vault, LockKind::Shared).unwrap_err().to_string();
    assert!(error.contains("run: coffer unlock --remove-all --vault /"), "{error}");
    assert_eq!(vault.unlock(true).unwrap(), 1);
    take(&vault, LockKind::Shared).unwrap();
}

#[test]
fn a_lock_released_before_the_second_look_is_gone_at_once() {
    let (_folder, vault) = test_vault();
    let timing = Timing {
        settle: Duration::from_secs(60),
        ..TIMING
    };
    let start = Instant::now();
    drop(LockGuard::take_with(&vault, LockKind::Shared, timing, &HELD).unwrap());
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(vault.lock_ids().unwrap(), []);
}

#[test]
fn a_refreshed_lock_is_a_new_file() {
    let (_folder, vault) = test_vault();
    let guard = LockGuard::take_with(&vault, LockKind::Shared, FAST, &HELD).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    until("a refresh", || {
        seen.extend(vault.lock_ids().unwrap());
        seen.len() > 3
    });
    guard.check().unwrap();
    drop(guard);
    assert_eq!(vault.lock_ids().unwrap(), []);
}

#[test]
fn a_lock_taken_away_is_noticed() {
    let (_folder, vault) = test_vault();
    let guard = LockGuard::take_with(&vault, LockKind::Shared, FAST, &HELD).unwrap();
    guard.check().unwrap();
    until("losing the lock", || {
        vault.unlock(true).unwrap();
        guard.check().is_err()
    });
    let error = guard.check().unwrap_err().to_string();
    assert!(error.contains("someone else removed it"), "{error}");
    drop(guard);
    assert_eq!(vault.lock_ids().unwrap(), []);
}

#[test]
fn a_lock_that_cannot_be_refreshed_is_lost_in_the_end() {
    let (folder, vault) = test_vault();
    let timing = Timing {
        lost: Duration::from_millis(30),
        ..FAST
    };
    let guard = LockGuard::take_with(&vault, LockKind::Shared, timing, &HELD).unwrap();
    until("the second look", || {
        relock(&guard.held.as_ref().unwrap().0.state).confirmed
    });
    // A file where the folder was: neither looking nor writing works.
    std::fs::remove_dir_all(folder.path().join("locks")).unwrap();
    std::fs::write(folder.path().join("locks"), "").unwrap();
    until("losing the lock", || guard.check().is_err());
    assert!(matches!(guard.check(), Err(Error::LockLost { .. })));
}

#[test]
fn ending_the_process_leaves_no_lock() {
    let (_folder, vault) = test_vault();
    let registry = Registry(Mutex::new(Vec::new()));
    let guards: Vec<_> = (0..3)
        .map(|_| LockGuard::take_with(&vault, LockKind::Shared, FAST, &registry).unwrap())
        .collect();
    registry.release_all();
    assert_eq!(vault.lock_ids().unwrap(), []);
    for guard in &guards {
        let error = guard.check().unwrap_err().to_string();
        assert!(error.contains("the program is ending"), "{error}");
    }
    drop(guards);
    assert_eq!(vault.lock_ids().unwrap(), []);
}

#[test]
fn without_locks_whoever_writes_takes_one_all_the_same() {
    let (_folder, vault) = test_vault();
    let vault = vault.without_locks();
    let guard = take(&vault, LockKind::Reading).unwrap();
    guard.check().unwrap();
    assert_eq!(vault.lock_ids().unwrap(), []);
    for kind in [LockKind::Shared, LockKind::Exclusive] {
        let _guard = take(&vault, kind).unwrap();
        assert_eq!(vault.lock_ids().unwrap().len(), 1);
    }
}

#[test]
fn a_place_that_cannot_be_written_to_says_what_to_do() {
    for kind in [
        std::io::ErrorKind::PermissionDenied,
        std::io::ErrorKind::ReadOnlyFilesystem,
    ] {
        assert!(is_read_only(&kind.into()));
    }
    assert!(!is_read_only(&std::io::ErrorKind::StorageFull.into()));
    let error = Error::CannotLock {
        place: "/v".into(),
        source: std::io::Error::from_raw_os_error(30),
    };
    insta::assert_snapshot!(error, @"cannot write a lock into /v: Read-only file system (os error 30); to read from it all the same, when nothing else changes it, use --no-lock");
}

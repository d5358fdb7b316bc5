//! Keeps a snapshot from being deleted while it is read, which may take hours: whoever reads shares a lock on its folder on
//! the shelf, whoever deletes must have it alone. The system lets go of it when a process dies.
//!
//! What has no folder (other programs' snapshots), or one that this user may not open, is not kept. What does not live here:
//! the lock on a whole shelf, which is held while something there is made or deleted (`shelf`).

use std::fs::File;

use rustix::fs::{FlockOperation, Mode, OFlags};

use super::shelf::Shelf;
use super::{Error, Result, SnapshotId};

/// A snapshot that stays there until this is dropped.
#[derive(Debug)]
pub struct Reading(#[allow(dead_code)] File);

fn folder(shelf: &Shelf, id: &SnapshotId) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = rustix::fs::open(shelf.folder(id), flags, Mode::empty());
    open.ok().map(File::from)
}

/// Keeps one there; `None` where that cannot be had.
pub(super) fn begin(shelf: &Shelf, id: &SnapshotId) -> Result<Option<Reading>> {
    let Some(open) = folder(shelf, id) else { return Ok(None) };
    match rustix::fs::flock(&open, FlockOperation::NonBlockingLockShared) {
        // Somebody deletes it just now, or has done so since it was opened.
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::NoSnapshot(id.to_string())),
        Ok(()) if folder(shelf, id).is_none() => Err(Error::NoSnapshot(id.to_string())),
        Ok(()) => Ok(Some(Reading(open))),
        // A filesystem without such locks.
        Err(_) => Ok(None),
    }
}

/// Makes sure that nobody reads one, now and until this is dropped: it is about to go.
pub(super) fn nobody(shelf: &Shelf, id: &SnapshotId) -> Result<Option<Reading>> {
    let Some(open) = folder(shelf, id) else { return Ok(None) };
    match rustix::fs::flock(&open, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::BeingRead(id.to_string())),
        Ok(()) => Ok(Some(Reading(open))),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_not_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf {
            path: folder.path().into(),
            inside: false,
        };
        let id = SnapshotId("aaaaaaaaaaaa".into());
        assert!(begin(&shelf, &id).unwrap().is_none(), "there is none");
        std::fs::create_dir(shelf.folder(&id)).unwrap();
        let one = begin(&shelf, &id).unwrap().unwrap();
        let other = begin(&shelf, &id).unwrap();
        drop(one);
        let refused = nobody(&shelf, &id).unwrap_err().to_string();
        assert!(refused.contains("is being read"), "{refused}");
        drop(other);
        let gone = nobody(&shelf, &id).unwrap();
        assert!(matches!(begin(&shelf, &id), Err(Error::NoSnapshot(_))));
        drop(gone);
        begin(&shelf, &id).unwrap().unwrap();
    }
}

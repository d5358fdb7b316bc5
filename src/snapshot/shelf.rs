//! Where the snapshots of folders stand: `.coffer-snapshots`, beside the folder, or within it where it is a mount of its own
//! and nothing beside it is on the same filesystem.
//!
//! ```text
//! .coffer-snapshots/          on btrfs a subvolume itself, so that no snapshot holds what lies in it
//!   lock                      held while something here is made, swapped or deleted
//!   <id>/record.json          what is known of the snapshot
//!   <id>/files                the snapshot
//!   <id>.part/                one that is being made or deleted
//! ```

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use super::record::Record;
use super::system::{errno, io_error, is_root};
use super::{Error, Result, Snapshot, SnapshotId, Target, mounts, trust};

/// The folder's name: left out of backups and of snapshots.
pub const SHELF: &str = ".coffer-snapshots";

/// How often a shelf that somebody else holds is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// How long a record may be held: it is read and written within milliseconds.
const RECORDS: Duration = Duration::from_secs(5);

/// The folder of a target's snapshots. It need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shelf {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it lies within the target.
    pub inside: bool,
}

/// Held while a shelf is changed.
#[derive(Debug)]
pub(super) struct Held(#[allow(dead_code)] std::fs::File);

impl Shelf {
    /// Where a target's new snapshots go.
    pub fn of(target: &Path) -> Shelf {
        let is_mount = mounts::all().iter().any(|mount| mount.point == target);
        match target.parent() {
            Some(parent) if !is_mount => Shelf {
                path: parent.join(SHELF),
                inside: false,
            },
            _ => Shelf::inside(target),
        }
    }

    fn inside(target: &Path) -> Shelf {
        Shelf {
            path: target.join(SHELF),
            inside: true,
        }
    }

    /// Where a target may have snapshots: it may have been mounted otherwise when they were taken.
    pub fn all_of(target: &Path) -> Vec<Shelf> {
        let mut all = vec![Shelf::of(target)];
        if !all[0].inside {
            all.push(Shelf::inside(target));
        }
        all
    }

    /// The folder of one snapshot.
    pub fn folder(&self, id: &SnapshotId) -> PathBuf {
        self.path.join(&id.0)
    }

    /// The folder of one that is being made or deleted.
    pub fn part(&self, id: &SnapshotId) -> PathBuf {
        self.path.join(format!("{id}.part"))
    }

    /// The files of one.
    pub fn files(&self, id: &SnapshotId) -> PathBuf {
        self.folder(id).join("files")
    }

    /// The record of one.
    pub fn record(&self, id: &SnapshotId) -> PathBuf {
        self.folder(id).join("record.json")
    }

    /// Opens it, if it may be believed.
    pub fn open(&self) -> Result<OwnedFd> {
        trust::open(&self.path)
    }

    /// The same by what was opened, whatever has its name by now. Only paths are had of it, while it is open.
    pub fn through(&self, open: &OwnedFd) -> Shelf {
        Shelf {
            path: trust::path_of(open),
            inside: self.inside,
        }
    }

    /// Refuses one that is there and may not be believed.
    pub fn check(&self) -> Result<()> {
        match self.open() {
            Err(Error::Io { .. }) | Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Keeps everybody else from changing it, until dropped. Not waited for: who holds it may take hours.
    pub fn hold(&self) -> Result<Held> {
        let path = self.path.join("lock");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.open()?, "lock", flags, Mode::from_raw_mode(0o600));
        let file = std::fs::File::from(file.map_err(errno("open", &path))?);
        self.lock(file)
    }

    /// Keeps everybody else from changing what is known of the snapshots, also while one is being made: a copy of hours keeps
    /// nobody from protecting another. The folder itself is locked, since on a full disk no file more can be made.
    pub fn hold_records(&self) -> Result<Held> {
        let until = Instant::now() + RECORDS;
        loop {
            match self.lock(self.open()?.into()) {
                Err(Error::Occupied(_)) if Instant::now() < until => std::thread::sleep(LOOK / 10),
                done => return done,
            }
        }
    }

    fn lock(&self, file: std::fs::File) -> Result<Held> {
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Held(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Occupied(self.path.clone())),
            Err(error) => Err(errno("lock", &self.path)(error)),
        }
    }

    /// The snapshots here that are of a target, each with its record and as it is called now. What has no sound record is
    /// none of ours.
    pub fn records(&self, target: &Path) -> Result<Vec<(Snapshot, Record)>> {
        let listed = self.open().and_then(|open| {
            let entries = std::fs::read_dir(trust::path_of(&open));
            entries
                .map(|entries| (entries, open))
                .map_err(io_error("list", &self.path))
        });
        let (entries, open) = match listed {
            Ok(listed) => listed,
            // Nor is there one in a folder that is none.
            Err(Error::Io { source, .. })
                if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Ok(Vec::new());
            }
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied && !is_root() => {
                return Err(Error::Rights {
                    what: format!("listing the snapshots in {}", self.path.display()),
                    help: "run it with sudo, or as the user who took them".into(),
                });
            }
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let Some(id) = entry.file_name().to_str().map(|name| SnapshotId(name.into())) else {
                continue;
            };
            if !id.is_sound() {
                continue;
            }
            let Ok(record) = Record::read(&self.through(&open).record(&id)) else {
                continue;
            };
            if !self.is_of(&record, target) || record.snapshot.id != id {
                continue;
            }
            let mut snapshot = record.snapshot.clone();
            snapshot.target = Target::Folder(target.to_path_buf());
            snapshot.handle = path_text(&self.files(&id));
            found.push((snapshot, record));
        }
        Ok(found)
    }

    /// The snapshots of a target on all its shelves. Whoever may write into the target can put one within, so that one is
    /// passed over where it may not be believed; see [`Shelf::passed_over`].
    pub fn all_records(target: &Path) -> Result<Vec<(Snapshot, Record)>> {
        let mut found = Vec::new();
        for (n, shelf) in Shelf::all_of(target).into_iter().enumerate() {
            match shelf.records(target) {
                Ok(records) => found.extend(records),
                Err(error) if n > 0 && shelf.is_of_others() => tracing::warn!("{error}"),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// What must be known of a shelf that is passed over.
    pub fn passed_over(target: &Path) -> Option<String> {
        let other = Shelf::all_of(target).into_iter().skip(1).find(Shelf::is_of_others)?;
        let why = other.open().err()?;
        Some(format!(
            "snapshots that were taken of what is mounted here may be missing: {why}"
        ))
    }

    /// Whether there is something in its place that may not be believed.
    fn is_of_others(&self) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let own = [0, rustix::process::geteuid().as_raw()];
        let is_others = |about: std::fs::Metadata| !own.contains(&about.uid());
        let is_believed = !matches!(self.open(), Err(Error::Cannot { .. }));
        !is_believed || self.path.symlink_metadata().is_ok_and(is_others)
    }

    /// One that lies within its target stays its own, wherever that is mounted.
    fn is_of(&self, record: &Record, target: &Path) -> bool {
        let named = record.snapshot.target == Target::Folder(target.to_path_buf());
        let inside = record.details.get("inside").and_then(serde_json::Value::as_bool) == Some(true);
        named || (self.inside && inside)
    }
}

/// The folders in which a target's snapshots are, if it has any, by device and inode: backups leave them out.
pub fn identities(target: &Path) -> Vec<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let shelves = Shelf::all_of(target).into_iter();
    let about = shelves.filter_map(|shelf| shelf.path.symlink_metadata().ok());
    about.map(|about| (about.dev(), about.ino())).collect()
}

/// The shelf on which a snapshot lies, by the path of its files.
pub(super) fn shelf_of(files: &Path) -> Option<Shelf> {
    let path = files.parent()?.parent()?;
    (path.file_name()? == SHELF).then(|| Shelf {
        path: path.to_path_buf(),
        inside: false,
    })
}

/// Whether a path lies on a shelf: what is there is a snapshot, and none is taken of it.
pub(super) fn is_shelved(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == SHELF)
}

/// A path as a handle. Paths that are no text are escaped; they are never opened by their handle alone.
pub(super) fn path_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => crate::text::escape(path.as_os_str().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::testing;

    #[test]
    fn only_sound_records_of_the_target_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("srv");
        std::fs::create_dir(&target).unwrap();
        let shelf = Shelf::of(&target);
        assert_eq!(
            (shelf.path.as_path(), shelf.inside),
            (folder.path().join(SHELF).as_path(), false)
        );
        assert!(shelf.records(&target).unwrap().is_empty(), "it need not exist");
        let put = |id: &str, of: &Path| {
            std::fs::create_dir_all(shelf.path.join(id)).unwrap();
            let mut snapshot = testing::snapshot(id, 5);
            snapshot.target = Target::Folder(of.into());
            let record = Record::new(snapshot, serde_json::Value::Null);
            record.write(&shelf.path.join(id).join("record.json")).unwrap();
        };
        put("aaaaaaaaaaaa", &target);
        put("bbbbbbbbbbbb", Path::new("/other"));
        put("cccccccccccc.part", &target);
        std::fs::create_dir(shelf.path.join("dddddddddddd")).unwrap();
        // What others put within does not keep them from being found.
        let within = target.join(SHELF);
        std::os::unix::fs::symlink("/etc", &within).unwrap();
        assert!(Shelf::passed_over(&target).unwrap().contains("no folder but a link"));
        let found = Shelf::all_records(&target).unwrap();
        assert_eq!(found.len(), 1);
        std::fs::remove_file(&within).unwrap();
        std::fs::create_dir(&within).unwrap();
        assert_eq!(Shelf::passed_over(&target), None);
        assert!(found[0].0.handle.ends_with(".coffer-snapshots/aaaaaaaaaaaa/files"));
    }

    #[test]
    fn two_do_not_change_a_shelf_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf {
            path: folder.path().into(),
            inside: false,
        };
        let held = shelf.hold().unwrap();
        assert!(shelf.hold().unwrap_err().to_string().contains("another job"));
        // What is known of the snapshots can be changed meanwhile.
        drop(shelf.hold_records().unwrap());
        drop(held);
        shelf.hold().unwrap();
    }
}

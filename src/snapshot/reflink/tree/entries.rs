//! Copying one entry: further names of one file, and whether the copy has its owner and mode.

use std::ffi::OsStr;
use std::hash::BuildHasher as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Stat};

use super::{Job, NAMED, is_gone, lock};
use crate::snapshot::Result;
use crate::snapshot::copy::{self, kind, status};
use crate::snapshot::system::io_error;

/// The copy of a file with several names.
pub(super) struct Link {
    /// A name of it.
    path: PathBuf,
    /// Its inode.
    inode: u64,
    /// A hash of what the file was when it was copied.
    stamp: u64,
}

impl Job<'_> {
    /// Whether the copy of a file with several names is the one last made of it, as the file is now. A name whose own stamp
    /// has not changed may still be one of an earlier copy.
    pub(super) fn is_last_copy(&self, target: &OwnedFd, name: &OsStr, stat: &Stat) -> bool {
        if stat.st_nlink < 2 {
            return true;
        }
        let links = lock(&self.links);
        let Some(last) = links.get(&(stat.st_dev, stat.st_ino)) else {
            return false;
        };
        let here = status(target.as_fd(), name);
        last.stamp == self.hash(stat) && here.is_ok_and(|here| here.st_ino == last.inode)
    }

    /// Anything else, made anew: a further name of a file that was copied as it is now becomes a further name of the copy.
    pub(super) fn entry(
        &self,
        source: &OwnedFd,
        target: &OwnedFd,
        path: &Path,
        name: &OsStr,
        stat: &Stat,
    ) -> Result<()> {
        self.progress.set_current(path.as_os_str().as_bytes());
        if stat.st_nlink < 2 {
            return self.copied(source, target, path, name, stat).map(drop);
        }
        // Held while it is copied, so that a second name met meanwhile waits for the first.
        let mut links = lock(&self.links);
        let key = (stat.st_dev, stat.st_ino);
        let stamp = self.hash(stat);
        if let Some(last) = links.get(&key).filter(|last| last.stamp == stamp)
            && last.path != path
            && rustix::fs::linkat(&self.target, last.path.as_path(), target, name, AtFlags::empty()).is_ok()
        {
            // By that name there may be something else by now.
            if status(target.as_fd(), name).is_ok_and(|here| here.st_ino == last.inode) {
                self.progress.file_done(0);
                return Ok(());
            }
            self.remove(target, path)?;
        }
        if let Some(inode) = self.copied(source, target, path, name, stat)? {
            let path = path.to_path_buf();
            links.insert(key, Link { path, inode, stamp });
        }
        Ok(())
    }

    /// Copies one entry; gives the copy's inode, or `None` when there is nothing to copy any more.
    fn copied(
        &self,
        source: &OwnedFd,
        target: &OwnedFd,
        path: &Path,
        name: &OsStr,
        stat: &Stat,
    ) -> Result<Option<u64>> {
        match copy::entry(source.as_fd(), name, stat, target.as_fd(), name, self.sharing) {
            Ok(bytes) => {
                let copy = status(target.as_fd(), name).map_err(io_error("look at the copy of", path))?;
                if let Some(origins) = self.origins {
                    origins.add(copy.st_ino, stat);
                }
                self.liken(path, stat, &copy);
                self.progress.file_done(bytes);
                Ok(Some(copy.st_ino))
            }
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(io_error("copy", &self.from.join(path))(error)),
        }
    }

    /// Writes down whether a copy has the owner, group and mode of what it is a copy of.
    pub(super) fn liken(&self, path: &Path, stat: &Stat, copy: &Stat) {
        let mode = |stat: &Stat| match kind(stat) {
            FileType::Symlink => 0,
            _ => stat.st_mode & 0o7777,
        };
        let like = (stat.st_uid, stat.st_gid, mode(stat)) == (copy.st_uid, copy.st_gid, mode(copy));
        let key = self.hasher.hash_one(path.as_os_str());
        let mut unlike = lock(&self.unlike);
        if like {
            unlike.remove(&key);
        } else {
            let named = (unlike.len() < NAMED).then(|| path.to_path_buf());
            unlike.insert(key, named);
        }
    }
}

//! What the entries of a reflink copy were called by the filesystem: their inodes, and when they last changed. A copy has
//! inodes and times of change of its own, so a backup that reads from it could not tell what has changed since the last one.
//!
//! Written beside the copy when it is made, read back once by a backup. Numbers, not names: an entry is looked up by its inode
//! in the copy.

use std::collections::HashMap;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::Stat;

use super::system::io_error;
use super::{Error, Result};

/// The file's name in the snapshot's folder.
pub(super) const FILE: &str = "origins";

/// What the file begins with.
const MAGIC: &[u8; 8] = b"CFRORIG1";

/// Four numbers of eight bytes each, the lowest byte first.
const ENTRY: usize = 32;

/// What an entry was when it was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Its inode.
    pub inode: u64,
    /// When it last changed: seconds since 1970, and nanoseconds from there on.
    pub ctime: (i64, u32),
}

/// The origins of a copy's entries, by their inodes in the copy.
#[derive(Debug, Default)]
pub struct Origins {
    /// Sorted by the first number.
    entries: Vec<(u64, Origin)>,
}

impl Origins {
    /// What the entry of this inode in the copy was.
    pub fn of(&self, inode: u64) -> Option<Origin> {
        let found = self.entries.binary_search_by_key(&inode, |(copy, _)| *copy).ok()?;
        self.entries.get(found).map(|(_, origin)| *origin)
    }

    /// Reads what [`Gathered::write`] wrote.
    pub(super) fn read(file: &Path) -> Result<Origins> {
        let broken = || Error::Record {
            path: file.to_path_buf(),
            why: "this is no list of what was copied".into(),
        };
        let bytes = std::fs::read(file).map_err(io_error("read", file))?;
        let body = bytes.strip_prefix(MAGIC).ok_or_else(broken)?;
        if body.len() % ENTRY != 0 {
            return Err(broken());
        }
        let number = |entry: &[u8], n: usize| {
            let bytes = entry.get(n * 8..).and_then(|rest| rest.first_chunk());
            u64::from_le_bytes(bytes.copied().unwrap_or_default())
        };
        let entry = |entry: &[u8]| {
            let origin = Origin {
                inode: number(entry, 1),
                ctime: (
                    number(entry, 2).cast_signed(),
                    u32::try_from(number(entry, 3)).unwrap_or(0),
                ),
            };
            (number(entry, 0), origin)
        };
        let entries: Vec<(u64, Origin)> = body.chunks_exact(ENTRY).map(entry).collect();
        match entries.is_sorted_by_key(|(copy, _)| *copy) {
            true => Ok(Origins { entries }),
            false => Err(broken()),
        }
    }
}

/// Origins while a tree is copied, by several threads.
#[derive(Debug, Default)]
pub(super) struct Gathered(Mutex<HashMap<u64, Origin>>);

impl Gathered {
    /// The entry of this inode is a copy of what `stat` tells of. A later word counts.
    pub fn add(&self, inode: u64, stat: &Stat) {
        let origin = Origin {
            inode: stat.st_ino,
            ctime: (stat.st_ctime, u32::try_from(stat.st_ctime_nsec).unwrap_or(0)),
        };
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(inode, origin);
    }

    /// Writes them down.
    pub fn write(self, file: &Path) -> Result<()> {
        let known = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<(u64, Origin)> = known.into_iter().collect();
        entries.sort_unstable_by_key(|(copy, _)| *copy);
        let open = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file)
            .map_err(io_error("create", file))?;
        let mut out = BufWriter::new(open);
        let written = out.write_all(MAGIC).and_then(|()| {
            entries.iter().try_for_each(|(copy, origin)| {
                let numbers = [
                    *copy,
                    origin.inode,
                    origin.ctime.0.cast_unsigned(),
                    origin.ctime.1.into(),
                ];
                numbers
                    .iter()
                    .try_for_each(|number| out.write_all(&number.to_le_bytes()))
            })
        });
        written.and_then(|()| out.flush()).map_err(io_error("write", file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_gathered_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let stat = rustix::fs::stat(folder.path()).unwrap();
        let gathered = Gathered::default();
        for inode in [9, 3, u64::MAX, 9] {
            gathered.add(inode, &stat);
        }
        gathered.write(&file).unwrap();
        let origins = Origins::read(&file).unwrap();
        let origin = origins.of(u64::MAX).unwrap();
        assert_eq!(origin.inode, stat.st_ino);
        assert_eq!(origin.ctime.0, stat.st_ctime);
        assert_eq!((origins.of(9), origins.of(4)), (Some(origin), None));
        std::fs::write(&file, b"CFRORIG1xx").unwrap();
        assert!(
            Origins::read(&file)
                .unwrap_err()
                .to_string()
                .contains("no list of what was copied")
        );
    }
}

//! What a copy alone takes: the extents of its files that the filesystem does not mark as shared (`FS_IOC_FIEMAP`,
//! linux/fiemap.h).

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::ioctl::{Opcode, Updater, ioctl, opcode};

use crate::snapshot::system::io_error;
use crate::snapshot::{Result, Size};

/// Extents asked for at once.
const AT_ONCE: usize = 128;
/// It is the file's last one.
const LAST: u32 = 0x1;
/// Where it lies is not decided yet.
const UNDECIDED: u32 = 0x2;
/// It has no blocks of its own but lies in the filesystem's records.
const INLINE: u32 = 0x200;
/// Others use it too.
const SHARED: u32 = 0x2000;

#[repr(C)]
#[derive(Clone, Copy)]
struct Extent {
    logical: u64,
    physical: u64,
    length: u64,
    reserved: [u64; 2],
    flags: u32,
    more: [u32; 3],
}

/// `struct fiemap` without its extents, which is what the request's number is made of.
#[repr(C)]
struct Head {
    start: u64,
    length: u64,
    flags: u32,
    mapped: u32,
    count: u32,
    reserved: u32,
}

#[repr(C)]
struct Map {
    head: Head,
    extents: [Extent; AT_ONCE],
}

const FIEMAP: Opcode = opcode::read_write::<Head>(b'f', 11);

/// An extent of a file that has a place on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::snapshot) struct Piece {
    /// Where in the file.
    pub logical: u64,
    /// Where on the disk.
    pub physical: u64,
    /// How long.
    pub length: u64,
    /// Whether others use it too.
    pub shared: bool,
}

/// The extents of a file. Those without blocks of their own are left out.
pub(in crate::snapshot) fn pieces(file: &File) -> io::Result<Vec<Piece>> {
    let mut found = Vec::new();
    let mut start = 0;
    loop {
        let mut map = Box::new(Map {
            head: Head {
                start,
                length: u64::MAX - start,
                flags: 0,
                mapped: 0,
                count: u32::try_from(AT_ONCE).unwrap_or(0),
                reserved: 0,
            },
            extents: [Extent {
                logical: 0,
                physical: 0,
                length: 0,
                reserved: [0; 2],
                flags: 0,
                more: [0; 3],
            }; AT_ONCE],
        });
        // SAFETY: the request is FIEMAP's; the kernel writes the head and as many extents as the head says there is room for.
        unsafe { ioctl(file.as_fd(), Updater::<FIEMAP, Map>::new(&mut map)) }?;
        let mapped = usize::try_from(map.head.mapped).unwrap_or(0).min(AT_ONCE);
        for extent in &map.extents[..mapped] {
            start = extent.logical + extent.length;
            if extent.flags & (INLINE | UNDECIDED) == 0 {
                found.push(Piece {
                    logical: extent.logical,
                    physical: extent.physical,
                    length: extent.length,
                    shared: extent.flags & SHARED != 0,
                });
            }
            if extent.flags & LAST != 0 {
                return Ok(found);
            }
        }
        if mapped == 0 {
            return Ok(found);
        }
    }
}

/// What a tree weighs, and what of it is its own.
pub(super) fn size(root: &Path) -> Result<Size> {
    let mut logical = 0;
    let mut exclusive = 0;
    let mut seen = std::collections::HashSet::new();
    let mut folders: Vec<PathBuf> = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(io_error("list", &folder))?.flatten() {
            let path = entry.path();
            let about = entry.metadata().map_err(io_error("look at", &path))?;
            if about.is_dir() {
                folders.push(path);
            } else if about.is_file() && seen.insert(about.ino()) {
                logical += about.len();
                let open = std::fs::OpenOptions::new()
                    .read(true)
                    .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
                    .open(&path);
                let file = open.map_err(io_error("open", &path))?;
                let pieces = pieces(&file).map_err(io_error("ask for the blocks of", &path))?;
                exclusive += pieces
                    .iter()
                    .filter(|piece| !piece.shared)
                    .map(|piece| piece.length)
                    .sum::<u64>();
            }
        }
    }
    Ok(Size {
        logical: Some(logical),
        exclusive: Some(exclusive),
        exact: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_have_the_kernels_sizes() {
        assert_eq!(std::mem::size_of::<Head>(), 32);
        assert_eq!(std::mem::size_of::<Extent>(), 56);
    }

    #[test]
    fn a_file_of_its_own_shares_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, vec![1; 1 << 20]).unwrap();
        let file = File::open(&path).unwrap();
        file.sync_all().unwrap();
        // Not every filesystem tells.
        if let Ok(pieces) = pieces(&file) {
            assert_eq!(pieces.iter().map(|piece| piece.length).sum::<u64>(), 1 << 20);
            assert!(pieces.iter().all(|piece| !piece.shared));
        }
    }
}

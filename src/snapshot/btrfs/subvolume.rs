//! What btrfs says of a subvolume, by the ioctls that need no rights (Linux 4.18; `linux/btrfs.h` has the structures).
//!
//! `btrfs subvolume list` needs root and prints names as they are, newlines included; these give raw names to everyone.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::ioctl::{Getter, Updater, ioctl, opcode};

use crate::snapshot::Result;
use crate::snapshot::system::{errno, io_error};

/// `f_type` of statfs.
const MAGIC: i64 = 0x9123_683e;
/// The inode of every subvolume's root.
const ROOT_INODE: u64 = 256;
/// Flag of a subvolume that cannot be written to.
const READ_ONLY: u64 = 1;
/// The top level's id.
pub(super) const TOP_LEVEL: u64 = 5;

/// A subvolume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subvolume {
    /// Where it is.
    pub path: PathBuf,
    /// Its number.
    pub id: u64,
    /// Its id.
    pub uuid: [u8; 16],
    /// Of which one it is a snapshot; zeros for none.
    pub parent: [u8; 16],
    /// Whether it cannot be written to.
    pub read_only: bool,
    /// When it was made, seconds since 1970.
    pub made: i64,
    /// When anything in it last changed: seconds since 1970, and nanoseconds from there on. What is written counts from when it
    /// goes to the disk, at the latest.
    pub changed: (u64, u32),
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Timespec {
    seconds: u64,
    nanos: u32,
}

/// `struct btrfs_ioctl_get_subvol_info_args`.
#[repr(C)]
struct Info {
    id: u64,
    name: [u8; 256],
    parent_id: u64,
    folder_inode: u64,
    generation: u64,
    flags: u64,
    uuid: [u8; 16],
    parent_uuid: [u8; 16],
    received_uuid: [u8; 16],
    transactions: [u64; 4],
    changed: Timespec,
    made: Timespec,
    sent: Timespec,
    received: Timespec,
    reserved: [u64; 8],
}

/// `struct btrfs_ioctl_get_subvol_rootref_args`.
#[repr(C)]
struct Children {
    from: u64,
    children: [[u64; 2]; 255],
    count: u8,
    align: [u8; 7],
}

/// `struct btrfs_ioctl_ino_lookup_user_args`.
#[repr(C)]
struct Lookup {
    folder: u64,
    id: u64,
    name: [u8; 256],
    path: [u8; 3824],
}

const GET_INFO: rustix::ioctl::Opcode = opcode::read::<Info>(0x94, 60);
const GET_CHILDREN: rustix::ioctl::Opcode = opcode::read_write::<Children>(0x94, 61);
const LOOK_UP: rustix::ioctl::Opcode = opcode::read_write::<Lookup>(0x94, 62);

/// Whether a path is on btrfs.
pub(in crate::snapshot) fn is_btrfs(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|about| about.f_type == MAGIC)
}

/// Whether a path is the root of a subvolume.
pub(in crate::snapshot) fn is_root_of_subvolume(path: &Path) -> bool {
    let is_root = |about: std::fs::Metadata| about.is_dir() && about.ino() == ROOT_INODE;
    path.symlink_metadata().is_ok_and(is_root) && is_btrfs(path)
}

/// The subvolume that holds a path on btrfs.
pub(in crate::snapshot) fn holder(path: &Path) -> Option<&Path> {
    path.ancestors().find(|above| is_root_of_subvolume(above))
}

impl Subvolume {
    /// What is known of the subvolume whose root is at `path`.
    pub fn at(path: &Path) -> Result<Subvolume> {
        // A link could lead to another subvolume than the one that is meant.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(errno("open", path))?;
        // SAFETY: the opcode is that of this structure, which the kernel fills and every bit pattern of which is valid.
        let info = unsafe { ioctl(folder.as_fd(), Getter::<GET_INFO, Info>::new()) };
        let info = info.map_err(errno("ask btrfs about", path))?;
        Ok(Subvolume {
            path: path.to_path_buf(),
            id: info.id,
            uuid: info.uuid,
            parent: info.parent_uuid,
            read_only: info.flags & READ_ONLY != 0,
            made: i64::try_from(info.made.seconds).unwrap_or(0),
            changed: (info.changed.seconds, info.changed.nanos),
        })
    }

    /// The subvolumes whose roots lie directly within this one. Those behind folders that this user may not enter are left
    /// out, as are those over which something else is mounted.
    pub fn children(&self) -> Result<Vec<PathBuf>> {
        let folder = std::fs::File::open(&self.path).map_err(io_error("open", &self.path))?;
        let mut paths = Vec::new();
        let mut from = 0;
        loop {
            let mut asked = Children {
                from,
                children: [[0; 2]; 255],
                count: 0,
                align: [0; 7],
            };
            // SAFETY: the opcode is that of this structure; the kernel writes into it and nowhere else.
            let done = unsafe { ioctl(folder.as_fd(), Updater::<GET_CHILDREN, Children>::new(&mut asked)) };
            let more = match done {
                Ok(()) => false,
                // More than fit into one answer.
                Err(Errno::OVERFLOW) => true,
                Err(error) => return Err(errno("list the subvolumes of", &self.path)(error)),
            };
            for [id, folder_inode] in asked.children.iter().take(usize::from(asked.count)) {
                let mut lookup = Lookup {
                    folder: *folder_inode,
                    id: *id,
                    name: [0; 256],
                    path: [0; 3824],
                };
                // SAFETY: as above.
                let found = unsafe { ioctl(folder.as_fd(), Updater::<LOOK_UP, Lookup>::new(&mut lookup)) };
                if found.is_ok() {
                    let relative = [text(&lookup.path), text(&lookup.name)].concat();
                    let path = self.path.join(OsStr::from_bytes(&relative));
                    if is_root_of_subvolume(&path) {
                        paths.push(path);
                    }
                }
                from = id.saturating_add(1);
            }
            if !more || asked.count == 0 {
                return Ok(paths);
            }
        }
    }

    /// This one and all below it that can be seen, parents first.
    pub fn family(path: &Path) -> Vec<Subvolume> {
        let mut found: Vec<Subvolume> = Subvolume::at(path).into_iter().collect();
        let mut next = 0;
        while let Some(one) = found.get(next) {
            let children = one.children().unwrap_or_default();
            found.extend(children.iter().filter_map(|path| Subvolume::at(path).ok()));
            next += 1;
        }
        found
    }
}

/// Bytes up to the first NUL.
fn text(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// An id of btrfs, as its own programs write it.
pub(super) fn uuid_text(uuid: &[u8; 16]) -> String {
    let hex = data_encoding::HEXLOWER.encode(uuid);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_have_the_kernels_sizes() {
        assert_eq!(std::mem::size_of::<Info>(), 504);
        assert_eq!(std::mem::size_of::<Children>(), 4096);
        assert_eq!(std::mem::size_of::<Lookup>(), 4096);
        assert_eq!(uuid_text(&[0xab; 16]), "abababab-abab-abab-abab-abababababab");
    }
}

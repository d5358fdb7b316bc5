//! The target's filesystem, one step at a time: every call is relative to an open folder and follows no symlink.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::walk::MAX_DEPTH;
use crate::progress::Cancel;
use crate::vault::tree::is_safe_name;
use crate::vault::{IndexedVault, NodeType};

/// What `lstat` says of an entry, in types that do not differ between machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Status {
    pub kind: NodeType,
    /// Permission bits with set-id and sticky bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub mtime: (i64, u32),
    pub ctime: (i64, u32),
    pub inode: u64,
    pub device: u64,
    pub links: u64,
    pub special: u64,
}

impl Status {
    #[allow(clippy::unnecessary_cast)] // the field types differ between architectures
    pub fn of(stat: &Stat) -> Status {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => NodeType::Dir,
            FileType::Symlink => NodeType::Symlink,
            FileType::BlockDevice => NodeType::Dev,
            FileType::CharacterDevice => NodeType::CharDev,
            FileType::Fifo => NodeType::Fifo,
            FileType::Socket => NodeType::Socket,
            _ => NodeType::File,
        };
        Status {
            kind,
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime: (stat.st_mtime as i64, stat.st_mtime_nsec as u32),
            ctime: (stat.st_ctime as i64, stat.st_ctime_nsec as u32),
            inode: stat.st_ino as u64,
            device: stat.st_dev as u64,
            links: stat.st_nlink as u64,
            special: stat.st_rdev as u64,
        }
    }

    /// Of an open file.
    pub fn of_open(file: impl AsFd) -> Result<Status, Errno> {
        rustix::fs::fstat(file).map(|stat| Status::of(&stat))
    }

    /// Of an entry of an open folder; `None` when there is none.
    pub fn at(folder: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Status>, Errno> {
        match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Status::of(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether this is the very same state of the very same file.
    pub fn is_same(&self, other: &Status) -> bool {
        let key = |s: &Status| (s.device, s.inode, s.size, s.mtime, s.ctime);
        key(self) == key(other)
    }
}

/// Opens a folder that is an entry of an open folder. A symlink is an error.
pub(super) fn open_folder(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty())
}

/// The same through a symlink: only for folders above what was backed up, when restoring in place, where the machine's own
/// layout decides.
pub(super) fn open_folder_through(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty())
}

/// [`open_folder`], of one on which nothing is mounted, not even a folder of the same filesystem: else [`Errno::XDEV`].
fn open_unmounted(folder: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat2(folder, name, flags, Mode::empty(), ResolveFlags::NO_XDEV) {
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::NOSYS | Errno::PERM) => open_folder(folder, name),
        opened => opened,
    }
}

/// Opens the folder at a relative path, one step after the other; an empty path is the folder itself.
pub(super) fn open_path(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut folder = rustix::io::dup(root)?;
    for part in path.split(|&b| b == b'/').filter(|part| !part.is_empty()) {
        folder = open_folder(folder.as_fd(), part)?;
    }
    Ok(folder)
}

/// Of the entry at a relative path, reached without following a symlink.
pub(super) fn status_of_path(root: &OwnedFd, path: &[u8]) -> Result<Option<Status>, Errno> {
    let (folder, name) = split_path(path);
    Status::at(open_path(root.as_fd(), folder)?.as_fd(), name)
}

/// A path's folder (perhaps empty) and its last name.
pub(super) fn split_path(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&b| b == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

/// A path to an entry of an open folder for the calls that know no folder handle (extended attributes).
pub(super) fn process_path(folder: BorrowedFd<'_>, name: &[u8]) -> Vec<u8> {
    let mut path = format!("/proc/self/fd/{}/", folder.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    path
}

/// Files are written under such a name until they are complete, when they replace another or come in more than one piece.
pub(super) const PART_PREFIX: &[u8] = b".coffer-part-";

/// The name under which `name` is written: always the same, so that a later restore finds what is there and goes on.
pub(super) fn part_name(name: &[u8]) -> Vec<u8> {
    let hash = Sha256::digest(name);
    let mut part = PART_PREFIX.to_vec();
    for byte in &hash[..8] {
        part.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    part
}

/// Whether [`part_name`] makes such names. An entry of a generation that has one is what a restore left that broke off; to
/// restore it could give its content to the file that is written under this name.
pub fn is_part_name(name: &[u8]) -> bool {
    let hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    name.strip_prefix(PART_PREFIX)
        .is_some_and(|hash| hash.len() == 16 && hash.iter().all(hex))
}

/// Calls `each` with every name in an open folder but `.` and `..`.
pub(super) fn read_names(
    folder: BorrowedFd<'_>,
    each: &mut dyn FnMut(&[u8]) -> Result<(), Errno>,
) -> Result<(), Errno> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if is_safe_name(name) {
            each(name)?;
        }
    }
    Ok(())
}

/// Whether an open folder has no entries.
pub(super) fn is_empty_folder(folder: BorrowedFd<'_>) -> Result<bool, Errno> {
    let mut empty = true;
    read_names(folder, &mut |_| {
        empty = false;
        Ok(())
    })?;
    Ok(empty)
}

/// What deleting takes care of.
pub(super) struct Deletion<'a> {
    /// A folder (device and inode) that is never deleted: the vault's own.
    pub protected: Option<(u64, u64)>,
    /// Checked for each entry.
    pub cancel: &'a Cancel,
    /// Entries deleted or counted.
    pub entries: u64,
    /// Bytes of the regular files among them.
    pub bytes: u64,
}

/// Why something was not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotDeleted {
    /// Another filesystem is mounted there, or another folder.
    Mounted,
    /// The vault lies there.
    Vault,
    /// The work was stopped.
    Stopped,
    /// The system refused.
    System(Errno),
}

impl From<Errno> for NotDeleted {
    fn from(error: Errno) -> NotDeleted {
        NotDeleted::System(error)
    }
}

impl std::fmt::Display for NotDeleted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NotDeleted::Mounted => f.write_str("something else is mounted there; it was not deleted"),
            NotDeleted::Vault => f.write_str("the vault itself lies there; it was not deleted"),
            NotDeleted::Stopped => f.write_str("stopped"),
            NotDeleted::System(error) => write!(f, "cannot delete it: {error}"),
        }
    }
}

impl Deletion<'_> {
    /// Counts an entry and all below it, and errors if something there must stay.
    pub fn count(&mut self, folder: BorrowedFd<'_>, name: &[u8]) -> Result<(), NotDeleted> {
        let device = Status::of_open(folder)?.device;
        self.visit(folder, name, device, 0, false)
    }

    /// Deletes an entry and all below it. Never goes into what is mounted there, never follows a symlink.
    pub fn delete(&mut self, folder: BorrowedFd<'_>, name: &[u8]) -> Result<(), NotDeleted> {
        let device = Status::of_open(folder)?.device;
        self.visit(folder, name, device, 0, true)
    }

    fn visit(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &[u8],
        device: u64,
        depth: usize,
        delete: bool,
    ) -> Result<(), NotDeleted> {
        self.cancel.check().map_err(|_| NotDeleted::Stopped)?;
        let Some(status) = Status::at(folder, name)? else {
            return Ok(());
        };
        if status.device != device {
            return Err(NotDeleted::Mounted);
        }
        if status.kind == NodeType::Dir {
            if self.protected == Some((status.device, status.inode)) {
                return Err(NotDeleted::Vault);
            }
            if depth >= MAX_DEPTH {
                return Err(NotDeleted::System(Errno::NAMETOOLONG));
            }
            let inner = match open_unmounted(folder, name) {
                Err(Errno::ACCESS) if delete => {
                    rustix::fs::chmodat(folder, name, Mode::RWXU, AtFlags::empty())?;
                    open_unmounted(folder, name)?
                }
                Err(Errno::XDEV) => return Err(NotDeleted::Mounted),
                opened => opened?,
            };
            if delete && status.mode & 0o300 != 0o300 {
                rustix::fs::fchmod(&inner, Mode::RWXU)?;
            }
            let mut names = Vec::new();
            read_names(inner.as_fd(), &mut |name| {
                names.push(name.to_vec());
                Ok(())
            })?;
            for name in names {
                self.visit(inner.as_fd(), &name, device, depth + 1, delete)?;
            }
        }
        if delete {
            let flags = if status.kind == NodeType::Dir {
                AtFlags::REMOVEDIR
            } else {
                AtFlags::empty()
            };
            rustix::fs::unlinkat(folder, name, flags)?;
        }
        self.entries += 1;
        if status.kind == NodeType::File {
            self.bytes += status.size;
        }
        Ok(())
    }
}

/// The vault's own folder, if it lies on this machine.
pub(super) fn protected(vault: &IndexedVault) -> Option<(u64, u64)> {
    let stat = rustix::fs::stat(vault.vault().storage().local_folder()?).ok()?;
    let status = Status::of(&stat);
    Some((status.device, status.inode))
}

/// Lets this process open as many files as the system grants it, and returns how many that is.
pub(super) fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    const ENOUGH: u64 = 16_384;
    let limit = getrlimit(Resource::Nofile);
    let now = limit.current.unwrap_or(u64::MAX);
    let wanted = limit.maximum.unwrap_or(u64::MAX).min(ENOUGH);
    if now < wanted
        && setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(wanted),
                ..limit
            },
        )
        .is_ok()
    {
        return wanted;
    }
    now
}

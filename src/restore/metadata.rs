//! Owner, mode, times and extended attributes: comparing and setting them.
//!
//! The order matters: extended attributes of users while the file is still writable for its owner; owner; mode (a change of
//! owner clears set-id bits); ACLs and capabilities (a change of owner clears them too); times last.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::IssueKind;
use super::place::{Status, process_path};
use crate::vault::tree::Xattr;
use crate::vault::{Node, NodeType, Time};

/// How metadata is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// Set owner and group.
    pub owner: bool,
    /// This process is root.
    pub root: bool,
}

/// Where problems with one entry's metadata go.
pub(super) type Report<'a> = &'a mut dyn FnMut(IssueKind, String);

/// Attributes that the system makes by itself: neither compared nor removed.
fn is_of_the_system(name: &[u8]) -> bool {
    matches!(
        name,
        b"security.selinux" | b"security.ima" | b"security.evm" | b"system.nfs4_acl"
    )
}

/// Attributes that a change of owner or mode would spoil.
fn comes_late(name: &[u8]) -> bool {
    name.starts_with(b"security.") || name.starts_with(b"system.")
}

impl Rules {
    /// The permission bits an entry is to have, when it will belong to `uid` and `gid`.
    pub fn mode(&self, node: &Node, uid: u32, gid: u32) -> u32 {
        let mode = node.unix_permissions();
        if (uid, gid) == (node.uid, node.gid) || node.is_dir() {
            mode
        } else {
            mode & !0o6000
        }
    }

    /// Whether an entry's owner, mode or modification time is not as in the generation.
    pub fn differs(&self, node: &Node, now: &Status) -> bool {
        (self.owner && (now.uid, now.gid) != (node.uid, node.gid))
            || (node.kind != NodeType::Symlink && now.mode != self.mode(node, now.uid, now.gid))
            || now.mtime != (node.mtime.seconds, node.mtime.nanos)
    }

    /// Sets everything on an open file or folder that is in state `now`. `clean`: it was just made and can have no
    /// attributes that do not belong.
    pub fn apply_open(&self, file: BorrowedFd<'_>, node: &Node, now: &Status, clean: bool, report: Report<'_>) {
        let target = Object::Open(file);
        self.xattrs_early(&target, node, clean, report);
        let mut mode_now = now.mode;
        let (mut uid, mut gid) = (now.uid, now.gid);
        if self.owner && (uid, gid) != (node.uid, node.gid) {
            match rustix::fs::fchown(file, Some(Uid::from_raw(node.uid)), Some(Gid::from_raw(node.gid))) {
                Ok(()) => {
                    (uid, gid) = (node.uid, node.gid);
                    mode_now &= !0o6000;
                }
                Err(error) => report(IssueKind::Metadata, owner_error(node, error)),
            }
        }
        let mode = self.mode(node, uid, gid);
        if mode != mode_now
            && let Err(error) = rustix::fs::fchmod(file, Mode::from_raw_mode(mode))
        {
            report(IssueKind::Metadata, format!("cannot set its mode to {mode:o}: {error}"));
        }
        self.xattrs_late(&target, node, report);
        if let Err(error) = rustix::fs::futimens(file, &times(node)) {
            report(IssueKind::Metadata, format!("cannot set its times: {error}"));
        } else if is_unusual(&node.mtime)
            && let Ok(now) = Status::of_open(file)
        {
            check_time(node, &now, report);
        }
    }

    /// Sets everything on an entry that cannot be opened (a symlink, a device) or that need not be.
    pub fn apply_at(&self, folder: BorrowedFd<'_>, name: &[u8], node: &Node, clean: bool, report: Report<'_>) {
        let now = match Status::at(folder, name) {
            Ok(Some(now)) => now,
            Ok(None) => return report(IssueKind::Metadata, "it vanished before its metadata was set".into()),
            Err(error) => return report(IssueKind::Metadata, format!("cannot look at it: {error}")),
        };
        let path = process_path(folder, name);
        let target = Object::Path(&path);
        self.xattrs_early(&target, node, clean, report);
        let (mut uid, mut gid) = (now.uid, now.gid);
        if self.owner && (uid, gid) != (node.uid, node.gid) {
            let (owner, group) = (Some(Uid::from_raw(node.uid)), Some(Gid::from_raw(node.gid)));
            match rustix::fs::chownat(folder, name, owner, group, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(()) => (uid, gid) = (node.uid, node.gid),
                Err(error) => report(IssueKind::Metadata, owner_error(node, error)),
            }
        }
        let mode = self.mode(node, uid, gid);
        if now.kind != NodeType::Symlink
            && (mode != now.mode || mode & 0o6000 != 0)
            && let Err(error) = chmod_nofollow(folder, name, mode)
        {
            report(IssueKind::Metadata, format!("cannot set its mode to {mode:o}: {error}"));
        }
        self.xattrs_late(&target, node, report);
        if let Err(error) = rustix::fs::utimensat(folder, name, &times(node), AtFlags::SYMLINK_NOFOLLOW) {
            report(IssueKind::Metadata, format!("cannot set its times: {error}"));
        } else if is_unusual(&node.mtime)
            && let Ok(Some(now)) = Status::at(folder, name)
        {
            check_time(node, &now, report);
        }
    }

    fn xattrs_early(&self, target: &Object<'_>, node: &Node, clean: bool, report: Report<'_>) {
        if !clean && let Ok(names) = target.names() {
            for name in names.iter().filter(|name| !is_of_the_system(name)) {
                if !node.xattrs.iter().any(|xattr| xattr.name == **name)
                    && let Err(error) = target.remove(name)
                    && error != Errno::NODATA
                {
                    self.xattr_error(name, "remove", error, report);
                }
            }
        }
        for xattr in node.xattrs.iter().filter(|xattr| !comes_late(&xattr.name)) {
            self.set_xattr(target, xattr, report);
        }
    }

    fn xattrs_late(&self, target: &Object<'_>, node: &Node, report: Report<'_>) {
        for xattr in node.xattrs.iter().filter(|xattr| comes_late(&xattr.name)) {
            self.set_xattr(target, xattr, report);
        }
    }

    fn set_xattr(&self, target: &Object<'_>, xattr: &Xattr, report: Report<'_>) {
        if xattr.name.contains(&0) {
            return report(
                IssueKind::Metadata,
                "an extended attribute's name holds a zero byte; it was left out".into(),
            );
        }
        if let Err(error) = target.set(xattr) {
            self.xattr_error(&xattr.name, "set", error, report);
        }
    }

    fn xattr_error(&self, name: &[u8], action: &str, error: Errno, report: Report<'_>) {
        let privileged = name.starts_with(b"security.") || name.starts_with(b"trusted.");
        let kind = if !self.root && privileged {
            IssueKind::NotRestored
        } else {
            IssueKind::Metadata
        };
        let name = String::from_utf8_lossy(name);
        report(
            kind,
            format!("cannot {action} its extended attribute {name:?}: {error}"),
        );
    }
}

/// Whether an existing entry's extended attributes are as in the generation. `true` when that cannot be found out.
pub(super) fn same_xattrs(folder: BorrowedFd<'_>, name: &[u8], node: &Node) -> bool {
    let path = process_path(folder, name);
    let target = Object::Path(&path);
    let Ok(names) = target.names() else { return true };
    let names: Vec<&Vec<u8>> = names.iter().filter(|name| !is_of_the_system(name)).collect();
    let wanted = node.xattrs.iter().filter(|xattr| !is_of_the_system(&xattr.name));
    wanted.clone().count() == names.len() && wanted.into_iter().all(|xattr| target.holds(xattr))
}

/// Whether a folder gives its entries an ACL of its own making.
pub(super) fn has_default_acl(folder: BorrowedFd<'_>) -> bool {
    let name = b"system.posix_acl_default".as_slice();
    rustix::fs::fgetxattr_query(folder, name).is_ok()
}

/// What extended attributes are set on.
enum Object<'a> {
    Open(BorrowedFd<'a>),
    Path(&'a [u8]),
}

impl Object<'_> {
    fn names(&self) -> Result<Vec<Vec<u8>>, Errno> {
        let mut buffer = [0_u8; 1024];
        let read = match self {
            Object::Open(file) => rustix::fs::flistxattr(file, buffer.as_mut_slice()),
            Object::Path(path) => rustix::fs::llistxattr(*path, buffer.as_mut_slice()),
        };
        let list = match read {
            Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
            Ok(length) => buffer[..length].to_vec(),
            Err(Errno::RANGE) => {
                let mut large = vec![0_u8; 65_536]; // the most that Linux hands out
                let length = match self {
                    Object::Open(file) => rustix::fs::flistxattr(file, large.as_mut_slice())?,
                    Object::Path(path) => rustix::fs::llistxattr(*path, large.as_mut_slice())?,
                };
                large.truncate(length);
                large
            }
            Err(error) => return Err(error),
        };
        Ok(list
            .split(|&b| b == 0)
            .filter(|name| !name.is_empty())
            .map(<[u8]>::to_vec)
            .collect())
    }

    fn holds(&self, xattr: &Xattr) -> bool {
        // One byte more than expected, so that a longer value shows.
        let mut value = vec![0_u8; xattr.value.len() + 1];
        let name = xattr.name.as_slice();
        let read = match self {
            Object::Open(file) => rustix::fs::fgetxattr(file, name, value.as_mut_slice()),
            Object::Path(path) => rustix::fs::lgetxattr(*path, name, value.as_mut_slice()),
        };
        read.is_ok_and(|length| value[..length] == *xattr.value)
    }

    fn set(&self, xattr: &Xattr) -> Result<(), Errno> {
        let (name, flags) = (xattr.name.as_slice(), XattrFlags::empty());
        match self {
            Object::Open(file) => rustix::fs::fsetxattr(file, name, &xattr.value, flags),
            Object::Path(path) => rustix::fs::lsetxattr(*path, name, &xattr.value, flags),
        }
    }

    fn remove(&self, name: &[u8]) -> Result<(), Errno> {
        match self {
            Object::Open(file) => rustix::fs::fremovexattr(file, name),
            Object::Path(path) => rustix::fs::lremovexattr(*path, name),
        }
    }
}

/// Changes an entry's mode, and never that of a symlink's target: through a handle that only stands for the entry.
pub(super) fn chmod_nofollow(folder: BorrowedFd<'_>, name: &[u8], mode: u32) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle: OwnedFd = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    if Status::of_open(&handle)?.kind == NodeType::Symlink {
        return Err(Errno::LOOP);
    }
    let path = process_path(handle.as_fd(), b"");
    let path = path.strip_suffix(b"/").unwrap_or(&path);
    rustix::fs::chmodat(rustix::fs::CWD, path, Mode::from_raw_mode(mode), AtFlags::empty())
}

/// A node's times as the system takes them.
pub(super) fn times(node: &Node) -> Timestamps {
    let spec = |time: &Time| Timespec {
        tv_sec: time.seconds,
        tv_nsec: i64::from(time.nanos.min(999_999_999)),
    };
    Timestamps {
        last_access: spec(&node.atime),
        last_modification: spec(&node.mtime),
    }
}

/// Whether a time is one that some filesystem cannot hold.
fn is_unusual(time: &Time) -> bool {
    i32::try_from(time.seconds).is_err()
}

fn check_time(node: &Node, now: &Status, report: Report<'_>) {
    if now.mtime.0 != node.mtime.seconds {
        let text = format!(
            "its time {} is outside what this filesystem can store; the nearest was set",
            node.mtime
        );
        report(IssueKind::TimeRange, text);
    }
}

fn owner_error(node: &Node, error: Errno) -> String {
    format!("cannot set its owner to {}:{}: {error}", node.uid, node.gid)
}

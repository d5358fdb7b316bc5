//! Deleting a copy, with whatever its files are marked with.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode};

use crate::snapshot::copy::{kind, names, open_folder, os, status};

/// Deletes an entry with all that is below it, also what is marked as not to be changed. Where another filesystem is mounted
/// within, or another subvolume begins, it stops: what is there is none of the copy.
pub(super) fn remove_all(folder: &OwnedFd, name: &OsStr) -> io::Result<()> {
    use rustix::fs::IFlags;
    use rustix::io::Errno;
    let loosen = |fd: &OwnedFd| {
        if let Ok(flags) = rustix::fs::ioctl_getflags(fd) {
            let _ = rustix::fs::ioctl_setflags(fd, flags - (IFlags::IMMUTABLE | IFlags::APPEND));
        }
    };
    let stat = match status(folder.as_fd(), name) {
        Ok(stat) => stat,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if kind(&stat) == FileType::Directory {
        if stat.st_dev != rustix::fs::fstat(folder)?.st_dev {
            let why = format!(
                "another filesystem or subvolume is at {}: unmount it or move it away",
                crate::text::escape(name.as_bytes())
            );
            return Err(io::Error::new(io::ErrorKind::CrossesDevices, why));
        }
        let inner = open_folder(folder.as_fd(), Path::new(name))?;
        loosen(&inner);
        // Its owner may have taken the right to write from itself.
        if stat.st_mode & 0o700 != 0o700 {
            let _ = rustix::fs::fchmod(&inner, Mode::from_raw_mode(0o700));
        }
        for entry in names(inner.as_fd())? {
            remove_all(&inner, os(&entry))?;
        }
        return Ok(rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)?);
    }
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Err(Errno::PERM) => {
            if let Ok(open) = open_flags(folder, name) {
                loosen(&open);
            }
            Ok(rustix::fs::unlinkat(folder, name, AtFlags::empty())?)
        }
        done => Ok(done?),
    }
}

fn open_flags(folder: &OwnedFd, name: &OsStr) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::OFlags;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    rustix::fs::openat(folder, name, flags, Mode::empty())
}

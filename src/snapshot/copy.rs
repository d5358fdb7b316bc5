//! One entry of a filesystem to another place, with all its metadata, sharing its blocks where the filesystem can.
//!
//! Everything goes from an open file to an open file, relative to open folders: nothing is followed that somebody puts in
//! the way meanwhile. Walking is the caller's.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, SeekFrom, Stat, Timespec, Timestamps, Uid, XattrFlags,
};
use rustix::io::Errno;

/// Whether blocks are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// They must be: what cannot be shared is an error.
    Must,
    /// Where that is possible; else they are copied.
    May,
}

/// Opens a folder below another, without following links on the way.
pub(super) fn open_folder(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    Ok(rustix::fs::openat2(root, path, flags, Mode::empty(), resolve)?)
}

/// What `lstat` says of a name in a folder.
pub(super) fn status(folder: BorrowedFd<'_>, name: &OsStr) -> io::Result<Stat> {
    Ok(rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// What kind of entry it is.
pub(super) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// The names in a folder.
pub(super) fn names(folder: BorrowedFd<'_>) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_bytes() != b"." && name.to_bytes() != b".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

/// A name as std has it.
pub(super) fn os(name: &CStr) -> &OsStr {
    OsStr::from_bytes(name.to_bytes())
}

/// A path to a name in an open folder, for calls that take nothing else.
fn by_process(folder: BorrowedFd<'_>, name: &OsStr) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name)
}

/// Makes what is no folder anew under a name that is free. Gives its bytes.
pub(super) fn entry(
    from: BorrowedFd<'_>,
    name: &OsStr,
    stat: &Stat,
    to: BorrowedFd<'_>,
    new: &OsStr,
    sharing: Sharing,
) -> io::Result<u64> {
    match kind(stat) {
        FileType::RegularFile => return file(from, name, to, new, sharing),
        FileType::Symlink => {
            let target = rustix::fs::readlinkat(from, name, Vec::new())?;
            rustix::fs::symlinkat(&target, to, new)?;
        }
        other @ (FileType::Fifo | FileType::Socket | FileType::BlockDevice | FileType::CharacterDevice) => {
            rustix::fs::mknodat(to, new, other, Mode::from_raw_mode(0o600), stat.st_rdev)?;
        }
        _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "it is of an unknown kind")),
    }
    named_metadata(&by_process(from, name), stat, to, new)?;
    Ok(0)
}

/// The content and metadata of a file.
fn file(from: BorrowedFd<'_>, name: &OsStr, to: BorrowedFd<'_>, new: &OsStr, sharing: Sharing) -> io::Result<u64> {
    // Not waited for, should a pipe have taken its place.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let source = match rustix::fs::openat(from, name, flags | OFlags::NOATIME, Mode::empty()) {
        // Only the owner may leave the time of access as it is.
        Err(Errno::PERM) => rustix::fs::openat(from, name, flags, Mode::empty())?,
        opened => opened?,
    };
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let copy = rustix::fs::openat(to, new, flags, Mode::from_raw_mode(0o600))?;
    // Compression and the like must be set while it is empty.
    flags_before(&source, &copy);
    match rustix::fs::ioctl_ficlone(&copy, &source) {
        Ok(()) => {}
        Err(Errno::OPNOTSUPP | Errno::XDEV | Errno::INVAL | Errno::NOTTY | Errno::ACCESS)
            if sharing == Sharing::May =>
        {
            copy_data(&source, &copy)?;
        }
        Err(error) => return Err(error.into()),
    }
    let stat = rustix::fs::fstat(&source)?;
    open_metadata(source.as_fd(), &stat, copy.as_fd())?;
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// Copies content, holes as holes.
fn copy_data(source: &OwnedFd, copy: &OwnedFd) -> io::Result<()> {
    let size = u64::try_from(rustix::fs::fstat(source)?.st_size).unwrap_or(0);
    let mut at = 0;
    let mut buffer = vec![0; 1 << 18];
    while at < size {
        let data = match rustix::fs::seek(source, SeekFrom::Data(at)) {
            Ok(data) => data,
            // Nothing but a hole is left.
            Err(Errno::NXIO) => break,
            // A filesystem that knows no holes.
            Err(_) => at,
        };
        let end = rustix::fs::seek(source, SeekFrom::Hole(data)).unwrap_or(size).min(size);
        let mut at_data = data;
        while at_data < end {
            let wanted = usize::try_from(end - at_data).unwrap_or(usize::MAX).min(buffer.len());
            let read = rustix::io::pread(source, &mut buffer[..wanted], at_data)?;
            if read == 0 {
                break;
            }
            let mut written = 0;
            while written < read {
                let n = rustix::io::pwrite(copy, &buffer[written..read], at_data + written as u64)?;
                written += n;
            }
            at_data += read as u64;
        }
        if at_data < end {
            // It was cut meanwhile.
            break;
        }
        at = end;
    }
    Ok(rustix::fs::ftruncate(copy, size)?)
}

/// Flags that only count for what is written after them: no copy-on-write, compression.
fn flags_before(source: &OwnedFd, copy: &OwnedFd) {
    use rustix::fs::IFlags;
    if let Ok(flags) = rustix::fs::ioctl_getflags(source) {
        let early = flags & (IFlags::NOCOW | IFlags::COMPRESSED);
        if !early.is_empty() {
            let _ = rustix::fs::ioctl_setflags(copy, early);
        }
    }
}

/// Owner, mode, attributes, flags and times of an open file or folder. The order matters: a change of owner clears set-id
/// bits and capabilities; flags may forbid all further changes; times last.
pub(super) fn open_metadata(from: BorrowedFd<'_>, stat: &Stat, to: BorrowedFd<'_>) -> io::Result<()> {
    owner(rustix::fs::fchown(
        to,
        Some(Uid::from_raw(stat.st_uid)),
        Some(Gid::from_raw(stat.st_gid)),
    ))?;
    rustix::fs::fchmod(to, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
    let here = |fd: BorrowedFd<'_>| PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()));
    attributes(&here(from), &here(to), true)?;
    rustix::fs::futimens(to, &times(stat))?;
    flags_after(from, to);
    Ok(())
}

/// The same of what is not opened: a link, a pipe, a device.
fn named_metadata(from: &Path, stat: &Stat, to: BorrowedFd<'_>, new: &OsStr) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    owner(rustix::fs::chownat(
        to,
        new,
        Some(uid),
        Some(gid),
        AtFlags::SYMLINK_NOFOLLOW,
    ))?;
    if kind(stat) != FileType::Symlink {
        rustix::fs::chmodat(to, new, Mode::from_raw_mode(stat.st_mode & 0o7777), AtFlags::empty())?;
    }
    attributes(from, &by_process(to, new), false)?;
    rustix::fs::utimensat(to, new, &times(stat), AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(())
}

/// Without root the owner stays ours, as with every copy.
fn owner(done: rustix::io::Result<()>) -> io::Result<()> {
    match done {
        Err(Errno::PERM) if !super::system::is_root() => Ok(()),
        done => Ok(done?),
    }
}

/// Gives a folder back the times it had: some filesystems take it for a change when it is moved or when something in it is.
pub(super) fn set_times(path: &Path, stat: &Stat) -> io::Result<()> {
    Ok(rustix::fs::utimensat(
        rustix::fs::CWD,
        path,
        &times(stat),
        AtFlags::SYMLINK_NOFOLLOW,
    )?)
}

/// The same of an open file or folder.
pub(super) fn set_open_times(open: BorrowedFd<'_>, stat: &Stat) -> io::Result<()> {
    Ok(rustix::fs::futimens(open, &times(stat))?)
}

fn times(stat: &Stat) -> Timestamps {
    let time = |seconds: i64, nanos| Timespec {
        tv_sec: seconds,
        #[allow(clippy::cast_possible_wrap)] // below a thousand million
        tv_nsec: nanos as i64,
    };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}

/// Makes the extended attributes of `to` those of `from`, ACLs and capabilities with them. `follow`: the paths are links
/// to open files.
fn attributes(from: &Path, to: &Path, follow: bool) -> io::Result<()> {
    let list = |path: &Path| -> io::Result<Vec<Vec<u8>>> {
        let mut buffer = vec![0; 1 << 16];
        let read = match follow {
            true => rustix::fs::listxattr(path, &mut buffer),
            false => rustix::fs::llistxattr(path, &mut buffer),
        };
        match read {
            Ok(n) => Ok(buffer[..n]
                .split(|byte| *byte == 0)
                .filter(|name| !name.is_empty())
                .map(<[u8]>::to_vec)
                .collect()),
            Err(Errno::OPNOTSUPP) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    };
    let wanted = list(from)?;
    for name in list(to)?
        .iter()
        .filter(|name| !wanted.contains(name) && !is_of_the_system(name))
    {
        let _ = match follow {
            true => rustix::fs::removexattr(to, name.as_slice()),
            false => rustix::fs::lremovexattr(to, name.as_slice()),
        };
    }
    for name in &wanted {
        let mut value = vec![0; 1 << 16];
        let read = match follow {
            true => rustix::fs::getxattr(from, name.as_slice(), &mut value),
            false => rustix::fs::lgetxattr(from, name.as_slice(), &mut value),
        };
        let Ok(n) = read else { continue };
        let set = match follow {
            true => rustix::fs::setxattr(to, name.as_slice(), &value[..n], XattrFlags::empty()),
            false => rustix::fs::lsetxattr(to, name.as_slice(), &value[..n], XattrFlags::empty()),
        };
        match set {
            Ok(()) => {}
            // Some may only be set by root, some are the system's own or not known to the other filesystem.
            Err(Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP | Errno::INVAL)
                if is_of_the_system(name) || !super::system::is_root() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Attributes that the system makes by itself.
fn is_of_the_system(name: &[u8]) -> bool {
    matches!(
        name,
        b"security.selinux" | b"security.ima" | b"security.evm" | b"btrfs.compression"
    )
}

/// `chattr`'s flags that a user may change.
fn flags_after(from: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    use rustix::fs::IFlags;
    let kept = IFlags::APPEND
        | IFlags::IMMUTABLE
        | IFlags::NODUMP
        | IFlags::NOATIME
        | IFlags::SYNC
        | IFlags::DIRSYNC
        | IFlags::NOCOW
        | IFlags::COMPRESSED;
    if let (Ok(wanted), Ok(now)) = (rustix::fs::ioctl_getflags(from), rustix::fs::ioctl_getflags(to)) {
        let new = (now - kept) | (wanted & kept);
        if new != now {
            let _ = rustix::fs::ioctl_setflags(to, new);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};

    use super::*;

    #[test]
    fn a_copy_has_content_holes_mode_attributes_and_times() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let source = std::fs::File::create(path.join("a")).unwrap();
        source.write_all_at(b"start", 0).unwrap();
        source.write_all_at(b"end", 40 << 20).unwrap();
        source.set_permissions(std::fs::Permissions::from_mode(0o641)).unwrap();
        let has_attributes = xattr::set(path.join("a"), "user.note", b"x").is_ok();
        let past = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(1_000_000_000, 5);
        source.set_modified(past).unwrap();
        std::os::unix::fs::symlink("nowhere", path.join("l")).unwrap();
        let open = std::fs::File::open(path).unwrap();
        for name in ["a", "l"] {
            let name = OsStr::new(name);
            let stat = status(open.as_fd(), name).unwrap();
            let new = OsStr::from_bytes(&[b"new-", name.as_bytes()].concat()).to_owned();
            entry(open.as_fd(), name, &stat, open.as_fd(), &new, Sharing::May).unwrap();
        }
        let (before, after) = (
            path.join("a").metadata().unwrap(),
            path.join("new-a").metadata().unwrap(),
        );
        assert_eq!(
            std::fs::read(path.join("a")).unwrap(),
            std::fs::read(path.join("new-a")).unwrap()
        );
        assert_eq!(
            (before.mode(), before.mtime(), before.mtime_nsec()),
            (after.mode(), after.mtime(), after.mtime_nsec())
        );
        assert!(after.blocks() * 512 < 1 << 20, "holes stay holes");
        if has_attributes {
            assert_eq!(
                xattr::get(path.join("new-a"), "user.note").unwrap().as_deref(),
                Some(b"x".as_slice())
            );
        }
        assert_eq!(std::fs::read_link(path.join("new-l")).unwrap(), Path::new("nowhere"));
    }

    #[test]
    fn links_on_the_way_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("d")).unwrap();
        std::os::unix::fs::symlink("d", folder.path().join("l")).unwrap();
        let root = std::fs::File::open(folder.path()).unwrap();
        assert!(open_folder(root.as_fd(), Path::new("d")).is_ok());
        assert!(open_folder(root.as_fd(), Path::new("l")).is_err());
        assert!(open_folder(root.as_fd(), Path::new("..")).is_err());
    }
}

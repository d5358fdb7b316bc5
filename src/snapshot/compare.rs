//! How two trees differ: a snapshot and another, or the present.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, Stat};

use super::copy::{kind, names, open_folder, os, status};
use super::reflink::pieces;
use super::system::io_error;
use super::{Result, SHELF};
use crate::progress::Cancel;

/// How closely it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Files of the same size and time are the same.
    Quick,
    /// Content is compared, unless it lies in the same blocks.
    Whole,
}

/// How an entry differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Differs {
    /// Only the second tree has it.
    Added,
    /// Only the first one has it.
    Gone,
    /// Other content, or another kind of entry.
    Content,
    /// Other owner, mode or times.
    Attributes,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where, from the roots.
    pub path: PathBuf,
    /// How.
    pub how: Differs,
    /// Sizes before and after, of files.
    pub sizes: (Option<u64>, Option<u64>),
}

/// Tells the differences, folders before what is in them; what is below a folder that only one has is not told one by one.
/// Stops when `tell` says no. Snapshots within are passed over.
pub fn trees(
    before: &Path,
    after: &Path,
    how: How,
    cancel: &Cancel,
    tell: &mut dyn FnMut(Difference) -> bool,
) -> Result<()> {
    let open = |path: &Path| File::open(path).map(OwnedFd::from).map_err(io_error("open", path));
    let (roots, paths) = ((open(before)?, open(after)?), (before, after));
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        cancel.check()?;
        let of = |root: &OwnedFd, path: &Path| {
            let failed = |action| io_error(action, &path.join(&folder));
            let open = open_folder(root.as_fd(), &folder).map_err(failed("open"))?;
            let mut entries = BTreeMap::new();
            for name in names(open.as_fd()).map_err(failed("list"))? {
                let name = os(&name).to_owned();
                // One that vanishes meanwhile is gone.
                if name != SHELF
                    && let Ok(stat) = status(open.as_fd(), &name)
                {
                    entries.insert(name, stat);
                }
            }
            Ok::<_, super::Error>((open, entries))
        };
        let (a, mut b) = (of(&roots.0, paths.0)?, of(&roots.1, paths.1)?);
        let mut inner = Vec::new();
        for (name, old) in &a.1 {
            let path = folder.join(name);
            let Some(new) = b.1.remove(name) else {
                if !tell(difference(path, Differs::Gone, Some(old), None)) {
                    return Ok(());
                }
                continue;
            };
            let differs = entry(&a.0, &b.0, name, old, &new, how).map_err(io_error("read", &paths.1.join(&path)))?;
            if let Some(differs) = differs
                && !tell(difference(path.clone(), differs, Some(old), Some(&new)))
            {
                return Ok(());
            }
            let both = kind(old) == FileType::Directory && kind(&new) == FileType::Directory;
            // What is mounted, or another subvolume, is no part of it.
            let within =
                |stat: &Stat, root: &OwnedFd| rustix::fs::fstat(root).is_ok_and(|own| own.st_dev == stat.st_dev);
            if both && within(old, &a.0) && within(&new, &b.0) {
                inner.push(path);
            }
        }
        for (name, new) in &b.1 {
            if !tell(difference(folder.join(name), Differs::Added, None, Some(new))) {
                return Ok(());
            }
        }
        folders.extend(inner.into_iter().rev());
    }
    Ok(())
}

fn difference(path: PathBuf, how: Differs, before: Option<&Stat>, after: Option<&Stat>) -> Difference {
    let size = |stat: Option<&Stat>| {
        let stat = stat.filter(|stat| kind(stat) == FileType::RegularFile)?;
        u64::try_from(stat.st_size).ok()
    };
    Difference {
        path,
        how,
        sizes: (size(before), size(after)),
    }
}

/// How one entry that both have differs.
fn entry(a: &OwnedFd, b: &OwnedFd, name: &OsStr, old: &Stat, new: &Stat, how: How) -> io::Result<Option<Differs>> {
    if kind(old) != kind(new) {
        return Ok(Some(Differs::Content));
    }
    let attributes = |stat: &Stat| {
        (
            stat.st_mode,
            stat.st_uid,
            stat.st_gid,
            stat.st_rdev,
            stat.st_mtime,
            stat.st_mtime_nsec,
        )
    };
    let same_attributes = attributes(old) == attributes(new);
    let time = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec);
    let same_content = match kind(old) {
        FileType::RegularFile if old.st_size != new.st_size => false,
        FileType::RegularFile if how == How::Quick => time(old) == time(new),
        FileType::RegularFile => same_file(&open_file(a, name)?, &open_file(b, name)?)?,
        FileType::Symlink => {
            rustix::fs::readlinkat(a, name, Vec::new())? == rustix::fs::readlinkat(b, name, Vec::new())?
        }
        _ => true,
    };
    // A folder's own time says that something in it came or went, which is told by itself.
    let same_attributes = match (kind(old), how) {
        (FileType::Directory, How::Quick) => {
            let attributes = |stat: &Stat| (stat.st_mode, stat.st_uid, stat.st_gid);
            attributes(old) == attributes(new)
        }
        _ => same_attributes,
    };
    Ok(match (same_content, same_attributes) {
        (false, _) => Some(Differs::Content),
        (true, false) => Some(Differs::Attributes),
        (true, true) => None,
    })
}

fn open_file(folder: &OwnedFd, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let name = std::ffi::CString::new(name.as_bytes())?;
    Ok(File::from(rustix::fs::openat(
        folder,
        name.as_c_str(),
        flags,
        Mode::empty(),
    )?))
}

/// Whether two files of one size hold the same: by their blocks where both lie in the same ones, else byte by byte.
fn same_file(a: &File, b: &File) -> io::Result<bool> {
    if let (Ok(one), Ok(other)) = (pieces(a), pieces(b)) {
        let places = |pieces: Vec<super::reflink::Piece>| {
            pieces
                .iter()
                .map(|piece| (piece.logical, piece.physical, piece.length))
                .collect::<Vec<_>>()
        };
        let (one, other) = (places(one), places(other));
        if !one.is_empty() && one == other {
            return Ok(true);
        }
    }
    let mut buffers = (vec![0; 1 << 17], vec![0; 1 << 17]);
    loop {
        let n = fill(a, &mut buffers.0)?;
        let m = fill(b, &mut buffers.1)?;
        if buffers.0[..n] != buffers.1[..m] {
            return Ok(false);
        }
        if n == 0 {
            return Ok(true);
        }
    }
}

fn fill(mut from: &File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_of_differences_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        let past = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        let put = |path: PathBuf, text: &str| {
            std::fs::write(&path, text).unwrap();
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(past)
                .unwrap();
        };
        for root in [&a, &b] {
            std::fs::create_dir_all(root.join("d")).unwrap();
            std::fs::create_dir_all(root.join(SHELF)).unwrap();
            put(root.join("same"), "x");
        }
        put(a.join("d/secret"), "one");
        put(b.join("d/secret"), "two");
        put(a.join("gone"), "");
        put(b.join("d/new"), "");
        put(b.join(SHELF).join("more"), "");
        std::os::unix::fs::symlink("x", a.join("link")).unwrap();
        std::os::unix::fs::symlink("y", b.join("link")).unwrap();
        let told = |how| {
            let mut told = Vec::new();
            trees(&a, &b, how, &Cancel::default(), &mut |found| {
                if found.path != Path::new("d") {
                    told.push((found.path.to_str().unwrap().to_owned(), found.how));
                }
                true
            })
            .unwrap();
            told.sort_by(|a, b| a.0.cmp(&b.0));
            told
        };
        let own = |path: &str, how| (path.to_owned(), how);
        let quick = [
            own("d/new", Differs::Added),
            own("gone", Differs::Gone),
            own("link", Differs::Content),
        ];
        assert_eq!(told(How::Quick), quick, "size and time are the same");
        assert!(told(How::Whole).contains(&own("d/secret", Differs::Content)));
    }
}

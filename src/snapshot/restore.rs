//! Single files and folders out of a snapshot, with all their metadata; blocks are shared where snapshot and destination
//! are on one filesystem that can.
//!
//! What is there already is replaced in one step or left alone. One entry that fails is told and the rest goes on. Names of
//! one file stay names of one file, as far as they are restored together.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, Stat};

use super::copy::{self, Sharing, kind, names, open_folder, open_metadata, os, status};
use super::system::io_error;
use super::{Error, Result, SHELF, Work};
use crate::restore::Overwrite;

/// What was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// Files and everything else that is no folder.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Left alone, since they were there.
    pub skipped: u64,
    /// What could not be copied.
    pub errors: u64,
}

/// Copies `paths`, relative to the snapshot's `root`, to the same paths below `to`, which is made if it is not there. The
/// empty path is everything. `report` takes what failed, entry by entry.
pub fn restore(
    root: &Path,
    paths: &[PathBuf],
    to: &Path,
    overwrite: Overwrite,
    work: &Work,
    report: &dyn Fn(&Path, String),
) -> Result<Restored> {
    let made = to.symlink_metadata().is_err();
    std::fs::create_dir_all(to).map_err(io_error("create", to))?;
    let open = |path: &Path| {
        std::fs::File::open(path)
            .map(OwnedFd::from)
            .map_err(io_error("open", path))
    };
    let job = Job {
        source: open(root)?,
        target: open(to)?,
        overwrite,
        work,
        report,
        links: RefCell::default(),
    };
    let mut done = Restored::default();
    for path in paths {
        if path.components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err(Error::Cannot {
                what: format!("restore {}", path.display()),
                why: "name a path within the snapshot, without . and ..".into(),
            });
        }
        job.path(path, &mut done)?;
    }
    // A folder that was made for all of it is the target's root: nobody else may look into what was private.
    if made && paths.iter().any(|path| path.as_os_str().is_empty()) {
        rustix::fs::fstat(&job.source)
            .map_err(io::Error::from)
            .and_then(|stat| open_metadata(job.source.as_fd(), &stat, job.target.as_fd()))
            .map_err(io_error("set the metadata of", to))?;
    }
    Ok(done)
}

/// Why what was asked for cannot be found in the snapshot.
fn not_there(asked: &Path, at: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let (what, at) = (format!("restore {}", asked.display()), at.to_path_buf());
    move |error| match error.kind() {
        io::ErrorKind::NotFound => Error::Cannot {
            what,
            why: "the snapshot has nothing of this name (coffer snapshot ls shows what it has)".into(),
        },
        _ => io_error("open", &at)(error),
    }
}

struct Job<'a> {
    source: OwnedFd,
    target: OwnedFd,
    overwrite: Overwrite,
    work: &'a Work<'a>,
    report: &'a dyn Fn(&Path, String),
    /// Files with several names: by device and inode in the snapshot, the name under which one is at the destination.
    links: RefCell<HashMap<(u64, u64), PathBuf>>,
}

impl Job<'_> {
    /// One path that was asked for, with the folders above it.
    fn path(&self, path: &Path, done: &mut Restored) -> Result<()> {
        let (mut source, mut target) = (self.again(&self.source)?, self.again(&self.target)?);
        let (Some(name), Some(above)) = (path.file_name(), path.parent()) else {
            return self.folder(&source, &target, Path::new(""), done);
        };
        let mut so_far = PathBuf::new();
        for part in above {
            so_far.push(part);
            (source, target, _) = self.enter(&source, &target, part).map_err(not_there(path, &so_far))?;
        }
        match status(source.as_fd(), name) {
            Ok(_) => self.entry(&source, &target, path, name, done),
            Err(error) => Err(not_there(path, path)(error)),
        }
    }

    fn again(&self, folder: &OwnedFd) -> Result<OwnedFd> {
        folder.try_clone().map_err(io_error("open", Path::new("a folder")))
    }

    /// The folder of this name on both sides; made on the other if it is not there, and whether it was.
    fn enter(&self, source: &OwnedFd, target: &OwnedFd, name: &OsStr) -> io::Result<(OwnedFd, OwnedFd, bool)> {
        let inner = open_folder(source.as_fd(), Path::new(name))?;
        let made = match rustix::fs::mkdirat(target, name, Mode::from_raw_mode(0o700)) {
            Ok(()) => true,
            Err(rustix::io::Errno::EXIST) => false,
            Err(error) => return Err(error.into()),
        };
        let other = open_folder(target.as_fd(), Path::new(name))?;
        if made {
            let stat = rustix::fs::fstat(&inner)?;
            open_metadata(inner.as_fd(), &stat, other.as_fd())?;
        }
        Ok((inner, other, made))
    }

    fn entry(&self, source: &OwnedFd, target: &OwnedFd, path: &Path, name: &OsStr, done: &mut Restored) -> Result<()> {
        self.work.cancel.check()?;
        self.work.progress.set_current(path.as_os_str().as_bytes());
        let mut failed = |error: io::Error| {
            done.errors += 1;
            (self.report)(path, error.to_string());
        };
        let stat = match status(source.as_fd(), name) {
            Ok(stat) => stat,
            Err(error) => {
                failed(error);
                return Ok(());
            }
        };
        if kind(&stat) == FileType::Directory {
            let (inner, other, made) = match self.enter(source, target, name) {
                Ok(entered) => entered,
                Err(error) => {
                    failed(error);
                    return Ok(());
                }
            };
            self.folder(&inner, &other, path, done)?;
            // What was put into it has changed its time.
            if (made || self.overwrite != Overwrite::Never)
                && let Err(error) = open_metadata(inner.as_fd(), &stat, other.as_fd())
            {
                done.errors += 1;
                (self.report)(path, error.to_string());
            }
            return Ok(());
        }
        let there = status(target.as_fd(), name).ok();
        if let Some(there) = &there
            && stays(self.overwrite, &stat, there)
        {
            if is_same(&stat, there) {
                self.remember(path, &stat);
            }
            done.skipped += 1;
            return Ok(());
        }
        match self.put(source, target, path, name, &stat, there.is_some()) {
            Ok(bytes) => {
                self.remember(path, &stat);
                done.files += 1;
                done.bytes += bytes;
                self.work.progress.file_done(bytes);
            }
            Err(error) => failed(error),
        }
        Ok(())
    }

    fn folder(&self, source: &OwnedFd, target: &OwnedFd, path: &Path, done: &mut Restored) -> Result<()> {
        let listed = names(source.as_fd()).map_err(io_error("list", path))?;
        for name in &listed {
            let name = os(name);
            if name != SHELF {
                self.entry(source, target, &path.join(name), name, done)?;
            }
        }
        Ok(())
    }

    /// Remembers where a file with several names is now.
    fn remember(&self, path: &Path, stat: &Stat) {
        if stat.st_nlink > 1 {
            let mut links = self.links.borrow_mut();
            links
                .entry((stat.st_dev, stat.st_ino))
                .or_insert_with(|| path.to_path_buf());
        }
    }

    /// Makes one entry; what is there is replaced in one step.
    fn put(
        &self,
        source: &OwnedFd,
        target: &OwnedFd,
        path: &Path,
        name: &OsStr,
        stat: &Stat,
        replace: bool,
    ) -> io::Result<u64> {
        let make = |new: &OsStr| match self.link(path, stat, target, new) {
            true => Ok(0),
            false => copy::entry(source.as_fd(), name, stat, target.as_fd(), new, Sharing::May),
        };
        if !replace {
            return make(name);
        }
        let mut part = OsString::from(format!(".coffer-{}-", std::process::id()));
        part.push(OsStr::from_bytes(&name.as_bytes()[..name.len().min(200)]));
        let made = make(&part).and_then(|bytes| Ok(rustix::fs::renameat(target, &part, target, name).map(|()| bytes)?));
        // Also after success: a name of the very file that was to be replaced is left by renaming.
        let _ = rustix::fs::unlinkat(target, &part, AtFlags::empty());
        made
    }

    /// A further name of a file that was restored before; whether that could be made. Without it is copied once more.
    fn link(&self, path: &Path, stat: &Stat, target: &OwnedFd, new: &OsStr) -> bool {
        if stat.st_nlink < 2 {
            return false;
        }
        let links = self.links.borrow();
        let Some(first) = links.get(&(stat.st_dev, stat.st_ino)).filter(|first| *first != path) else {
            return false;
        };
        let (Some(above), Some(name)) = (first.parent(), first.file_name()) else {
            return false;
        };
        let Ok(folder) = open_folder(self.target.as_fd(), above) else {
            return false;
        };
        // What is there may have been changed since.
        let is_it = status(folder.as_fd(), name).is_ok_and(|there| is_same(stat, &there));
        is_it && rustix::fs::linkat(&folder, name, target, new, AtFlags::empty()).is_ok()
    }
}

/// Whether what is there is left alone.
pub(super) fn stays(overwrite: Overwrite, old: &Stat, there: &Stat) -> bool {
    let time = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec);
    match overwrite {
        Overwrite::Never => true,
        Overwrite::Always => false,
        Overwrite::IfNewer => time(old) <= time(there),
        Overwrite::IfChanged => is_same(old, there),
    }
}

/// Whether what is there is what the snapshot has, by kind, size and time.
fn is_same(old: &Stat, there: &Stat) -> bool {
    let time = |stat: &Stat| (stat.st_mtime, stat.st_mtime_nsec);
    kind(old) == kind(there) && old.st_size == there.st_size && time(old) == time(there)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::progress::{Cancel, Progress};
    use crate::snapshot::testing;

    #[test]
    fn files_come_back_to_their_places_and_newer_ones_stay_if_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let (root, to) = (folder.path().join("snap"), folder.path().join("live"));
        std::fs::create_dir_all(root.join("d/e")).unwrap();
        std::fs::create_dir_all(root.join(SHELF)).unwrap();
        std::fs::write(root.join("d/e/old"), "then").unwrap();
        std::fs::write(root.join("d/gone"), "gone").unwrap();
        std::fs::create_dir_all(to.join("d/e")).unwrap();
        std::fs::write(to.join("d/e/old"), "now, and longer").unwrap();
        let issues = RefCell::new(Vec::new());
        let run = |paths: &[&str], overwrite| {
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            let work = Work {
                progress: &Progress::default(),
                cancel: &Cancel::default(),
                note: &|_| {},
                now: &|| testing::time(0),
                safety_days: None,
                patience: std::time::Duration::ZERO,
            };
            let report = |path: &Path, why: String| issues.borrow_mut().push(format!("{}: {why}", path.display()));
            restore(&root, &paths, &to, overwrite, &work, &report)
        };
        let read = |path: &str| std::fs::read_to_string(to.join(path)).unwrap();
        let done = run(&["d"], Overwrite::Never).unwrap();
        assert_eq!((done.files, done.skipped, read("d/gone").as_str()), (1, 1, "gone"));
        assert_eq!(read("d/e/old"), "now, and longer");
        let done = run(&["d/e/old"], Overwrite::Always).unwrap();
        assert_eq!((done.files, done.bytes, read("d/e/old").as_str()), (1, 4, "then"));
        assert!(run(&["../live"], Overwrite::Always).is_err());
        assert!(run(&["nowhere"], Overwrite::Always).is_err());
        run(&[""], Overwrite::IfChanged).unwrap();
        assert!(!to.join(SHELF).exists());

        std::fs::hard_link(root.join("d/gone"), root.join("d/e/second")).unwrap();
        std::fs::hard_link(root.join("d/gone"), root.join("third")).unwrap();
        std::fs::write(to.join("third"), "another one").unwrap();
        let inode = |path: &str| std::os::unix::fs::MetadataExt::ino(&to.join(path).metadata().unwrap());
        run(&[""], Overwrite::Always).unwrap();
        // Also over names that are one file already.
        run(&[""], Overwrite::Always).unwrap();
        assert_eq!(
            (inode("d/gone"), inode("d/gone")),
            (inode("d/e/second"), inode("third"))
        );
        std::fs::remove_file(to.join("d/e/second")).unwrap();
        run(&["d"], Overwrite::IfChanged).unwrap();
        assert!(to.join("d/e/second").exists());
        assert_eq!(
            std::fs::read_dir(to.join("d/e")).unwrap().count(),
            2,
            "nothing is left over"
        );
        assert_eq!(*issues.borrow(), Vec::<String>::new());
    }
}

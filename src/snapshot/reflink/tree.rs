//! Copying a whole tree by sharing its blocks, by several threads, in passes: the first one copies everything, each further
//! one what has changed since it was copied. Once a pass finds nothing changed there was a moment, the beginning of that
//! pass, at which all was as in the copy.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, FileType, Mode, Stat};

use crate::progress::{Cancel, Progress};
use crate::snapshot::copy::{self, Sharing, kind, names, open_folder, open_metadata, os, status};
use crate::snapshot::origins::Gathered;
use crate::snapshot::system::{errno, io_error};
use crate::snapshot::{Error, Result, SHELF};

/// How many passes are made after the first before it is given up that everything stands still.
const PASSES: usize = 4;
/// Threads: the work is the filesystem's, which takes some at once.
const THREADS: usize = 4;
/// How many paths that would not stand still are named.
const NAMED: usize = 5;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Taken {
    /// What changed in the last pass, a few of the paths; empty when everything stood still.
    pub moving: Vec<PathBuf>,
    /// How many that were.
    pub changed: u64,
    /// Filesystems that are mounted within, which are not in the copy.
    pub mounts: Vec<PathBuf>,
}

/// Copies what is below `from` into `to`, a folder that does not exist yet. `origins` is told what each entry is a copy of.
pub(super) fn copy_tree(
    from: &Path,
    to: &Path,
    origins: Option<&Gathered>,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<Taken> {
    std::fs::create_dir(to).map_err(io_error("create", to))?;
    let source = open(from)?;
    let target = open(to)?;
    let device = rustix::fs::fstat(&source).map_err(errno("look at", from))?.st_dev;
    let job = Job {
        from,
        source,
        target,
        device,
        hasher: RandomState::new(),
        origins,
        progress,
        cancel,
        stamps: Mutex::default(),
        links: Mutex::default(),
        state: Mutex::default(),
        wake: Condvar::new(),
    };
    let mut taken = Taken::default();
    for pass in 0..=PASSES {
        let (changed, moving, mounts) = job.pass(pass == 0)?;
        taken = Taken {
            moving,
            changed,
            mounts,
        };
        if pass > 0 && changed == 0 {
            break;
        }
    }
    Ok(taken)
}

fn open(path: &Path) -> Result<OwnedFd> {
    std::fs::File::open(path)
        .map(OwnedFd::from)
        .map_err(io_error("open", path))
}

struct Job<'a> {
    from: &'a Path,
    source: OwnedFd,
    target: OwnedFd,
    device: u64,
    hasher: RandomState,
    origins: Option<&'a Gathered>,
    progress: &'a Progress,
    cancel: &'a Cancel,
    /// By a path's hash a hash of what the entry was when it was copied.
    stamps: Mutex<HashMap<u64, u64>>,
    /// Files with several names: by device and inode the first name met.
    links: Mutex<HashMap<(u64, u64), PathBuf>>,
    state: Mutex<State>,
    wake: Condvar,
}

/// One pass.
#[derive(Default)]
struct State {
    waiting: VecDeque<PathBuf>,
    busy: usize,
    /// Folders whose metadata is set at the end, parents before what is in them.
    folders: Vec<PathBuf>,
    changed: u64,
    moving: Vec<PathBuf>,
    mounts: Vec<PathBuf>,
    failed: Option<Error>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Job<'_> {
    fn pass(&self, first: bool) -> Result<(u64, Vec<PathBuf>, Vec<PathBuf>)> {
        {
            let mut state = lock(&self.state);
            *state = State::default();
            state.waiting.push_back(PathBuf::new());
        }
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(THREADS));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| self.work(first));
            }
        });
        let mut state = std::mem::take(&mut *lock(&self.state));
        if let Some(error) = state.failed {
            return Err(error);
        }
        // What is within first: setting it changes nothing above.
        state.folders.sort_unstable();
        for folder in state.folders.iter().rev() {
            self.finish_folder(folder)?;
        }
        Ok((state.changed, state.moving, state.mounts))
    }

    fn work(&self, first: bool) {
        while let Some(folder) = self.next() {
            let done = self
                .cancel
                .check()
                .map_err(Error::from)
                .and_then(|()| self.folder(&folder, first));
            let mut state = lock(&self.state);
            state.busy -= 1;
            if let Err(error) = done {
                state.failed.get_or_insert(error);
            }
            drop(state);
            self.wake.notify_all();
        }
    }

    fn next(&self) -> Option<PathBuf> {
        let mut state = lock(&self.state);
        loop {
            if state.failed.is_some() {
                return None;
            }
            if let Some(folder) = state.waiting.pop_back() {
                state.busy += 1;
                return Some(folder);
            }
            if state.busy == 0 {
                return None;
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// One folder: its entries are copied where they have changed, those that are gone are deleted.
    fn folder(&self, folder: &Path, first: bool) -> Result<()> {
        let failed = |action| io_error(action, &self.from.join(folder));
        let source = match open_folder(self.source.as_fd(), folder) {
            Ok(source) => source,
            // It vanished; the pass after this one sees its parent changed.
            Err(error) if is_gone(&error) => return Ok(()),
            Err(error) => return Err(failed("open")(error)),
        };
        let target = match open_folder(self.target.as_fd(), folder) {
            Ok(target) => target,
            Err(error) if is_gone(&error) => return Ok(()),
            Err(error) => return Err(failed("open the copy of")(error)),
        };
        let listed = names(source.as_fd()).map_err(failed("list"))?;
        let mut touched = first;
        if !first {
            let here: HashSet<&[u8]> = listed.iter().map(|name| name.to_bytes()).collect();
            for old in names(target.as_fd()).map_err(failed("list the copy of"))? {
                if !here.contains(old.to_bytes()) {
                    self.remove(&target, &folder.join(os(&old)))?;
                    self.note(&folder.join(os(&old)));
                    touched = true;
                }
            }
        }
        for name in &listed {
            let name = os(name);
            if name == SHELF {
                continue;
            }
            let path = folder.join(name);
            let stat = match status(source.as_fd(), name) {
                Ok(stat) => stat,
                Err(error) if is_gone(&error) => continue,
                Err(error) => return Err(io_error("look at", &self.from.join(&path))(error)),
            };
            let is_folder = kind(&stat) == FileType::Directory;
            let changed = self.stamp(&path, &stat);
            if is_folder {
                touched |= self.sub_folder(&target, &path, name, &stat)?;
                if changed {
                    lock(&self.state).folders.push(path.clone());
                }
            } else if changed {
                touched = true;
                if !first {
                    self.remove(&target, &path)?;
                    self.note(&path);
                }
                self.entry(&source, &target, &path, name, &stat)?;
            }
        }
        if touched {
            lock(&self.state).folders.push(folder.to_path_buf());
        }
        Ok(())
    }

    /// A folder within: made if it is not there, and waiting for its turn; whether it was made.
    fn sub_folder(&self, target: &OwnedFd, path: &Path, name: &OsStr, stat: &Stat) -> Result<bool> {
        let made = match rustix::fs::mkdirat(target, name, Mode::from_raw_mode(0o700)) {
            Ok(()) => true,
            Err(rustix::io::Errno::EXIST) => {
                let is_folder = status(target.as_fd(), name).is_ok_and(|there| kind(&there) == FileType::Directory);
                if !is_folder {
                    self.remove(target, path)?;
                    rustix::fs::mkdirat(target, name, Mode::from_raw_mode(0o700)).map_err(errno("create", path))?;
                }
                !is_folder
            }
            Err(error) => return Err(errno("create", path)(error)),
        };
        let mut state = lock(&self.state);
        if stat.st_dev == self.device {
            state.waiting.push_back(path.to_path_buf());
            drop(state);
            self.wake.notify_one();
        } else {
            state.mounts.push(path.to_path_buf());
        }
        Ok(made)
    }

    /// Anything else, made anew: a further name of a file that was copied becomes a further name of the copy.
    fn entry(&self, source: &OwnedFd, target: &OwnedFd, path: &Path, name: &OsStr, stat: &Stat) -> Result<()> {
        self.progress.set_current(path.as_os_str().as_bytes());
        let several = stat.st_nlink > 1;
        if several {
            // Held while it is copied, so that a second name met meanwhile waits for the first.
            let mut links = lock(&self.links);
            let key = (stat.st_dev, stat.st_ino);
            if let Some(other) = links.get(&key)
                && other != path
                && rustix::fs::linkat(&self.target, other.as_path(), target, name, AtFlags::empty()).is_ok()
            {
                self.progress.file_done(0);
                return Ok(());
            }
            let done = self.copied(source, target, path, name, stat);
            links.insert(key, path.to_path_buf());
            return done;
        }
        self.copied(source, target, path, name, stat)
    }

    fn copied(&self, source: &OwnedFd, target: &OwnedFd, path: &Path, name: &OsStr, stat: &Stat) -> Result<()> {
        match copy::entry(source.as_fd(), name, stat, target.as_fd(), name, Sharing::Must) {
            Ok(bytes) => {
                if let Some(origins) = self.origins {
                    let copy = status(target.as_fd(), name).map_err(io_error("look at the copy of", path))?;
                    origins.add(copy.st_ino, stat);
                }
                self.progress.file_done(bytes);
                Ok(())
            }
            Err(error) if is_gone(&error) => Ok(()),
            Err(error) => Err(io_error("copy", &self.from.join(path))(error)),
        }
    }

    /// Deletes an entry of the copy.
    fn remove(&self, target: &OwnedFd, path: &Path) -> Result<()> {
        let name = path.file_name().unwrap_or_default();
        remove_all(target, name).map_err(io_error("delete the copy of", path))
    }

    fn note(&self, path: &Path) {
        let mut state = lock(&self.state);
        state.changed += 1;
        if state.moving.len() < NAMED {
            state.moving.push(path.to_path_buf());
        }
    }

    /// Writes down what an entry is now; whether that is something new.
    fn stamp(&self, path: &Path, stat: &Stat) -> bool {
        let now = self.hasher.hash_one((
            (stat.st_dev, stat.st_ino, stat.st_mode, stat.st_size, stat.st_nlink),
            (stat.st_uid, stat.st_gid),
            (stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec),
        ));
        let key = self.hasher.hash_one(path.as_os_str());
        lock(&self.stamps).insert(key, now) != Some(now)
    }

    /// Owner, mode, attributes and times of a folder, after all within is there.
    fn finish_folder(&self, folder: &Path) -> Result<()> {
        let Ok(source) = open_folder(self.source.as_fd(), folder) else {
            return Ok(());
        };
        let Ok(target) = open_folder(self.target.as_fd(), folder) else {
            return Ok(());
        };
        rustix::fs::fstat(&source)
            .map_err(io::Error::from)
            .and_then(|stat| {
                if let Some(origins) = self.origins {
                    origins.add(rustix::fs::fstat(&target)?.st_ino, &stat);
                }
                open_metadata(source.as_fd(), &stat, target.as_fd())
            })
            .map_err(io_error("set the metadata of the copy of", &self.from.join(folder)))
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound)
}

/// Deletes an entry with all that is below it, also what is marked as not to be changed.
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
        Err(error) if is_gone(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    if kind(&stat) == FileType::Directory {
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

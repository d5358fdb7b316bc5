//! Copying a whole tree by sharing its blocks, by several threads, in passes: the first one copies everything, each further
//! one what has changed since it was copied. Once a pass finds nothing changed there was a moment, the beginning of that
//! pass, at which all was as in the copy.

mod entries;

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::fs::{FileType, Mode, Stat};

use self::entries::Link;
use super::remove::remove_all;

use crate::progress::{Cancel, Progress};
use crate::snapshot::copy::{Sharing, kind, names, open_folder, open_metadata, os, status};
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
    /// How many entries have another owner, group or mode than what they are copies of: without root most can be given to
    /// nobody else.
    pub unlike: u64,
    /// A few of them.
    pub unlike_named: Vec<PathBuf>,
}

/// Makes the folder that a copy goes into, for its owner alone until all is there. Whose place is taken gets an error, and
/// what is there is not to be deleted.
pub(super) fn make_root(to: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().mode(0o700).create(to);
    made.map_err(io_error("create", to))
}

/// Copies what is below `from` into `to`, an empty folder. `origins` is told what each entry is a copy of.
pub(super) fn copy_tree(
    from: &Path,
    to: &Path,
    origins: Option<&Gathered>,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<Taken> {
    let job = Job {
        origins,
        ..Job::new(from, to, Sharing::Must, progress, cancel)?
    };
    let mut taken = Taken::default();
    for pass in 0..=PASSES {
        (taken.changed, taken.moving, taken.mounts) = job.pass(pass == 0)?;
        if pass > 0 && taken.changed == 0 {
            break;
        }
    }
    let unlike = std::mem::take(&mut *lock(&job.unlike));
    taken.unlike = unlike.len() as u64;
    taken.unlike_named = unlike.into_values().flatten().take(NAMED).collect();
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
    sharing: Sharing,
    hasher: RandomState,
    origins: Option<&'a Gathered>,
    progress: &'a Progress,
    cancel: &'a Cancel,
    /// By a path's hash a hash of what the entry was when it was copied.
    stamps: Mutex<HashMap<u64, u64>>,
    /// Files with several names, by device and inode: the copy last made of each.
    links: Mutex<HashMap<(u64, u64), Link>>,
    /// By a path's hash those entries that are not as what they are copies of; a few are named.
    unlike: Mutex<HashMap<u64, Option<PathBuf>>>,
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

impl<'a> Job<'a> {
    fn new(from: &'a Path, to: &Path, sharing: Sharing, progress: &'a Progress, cancel: &'a Cancel) -> Result<Job<'a>> {
        let source = open(from)?;
        Ok(Job {
            from,
            device: rustix::fs::fstat(&source).map_err(errno("look at", from))?.st_dev,
            source,
            target: open(to)?,
            sharing,
            hasher: RandomState::new(),
            origins: None,
            progress,
            cancel,
            stamps: Mutex::default(),
            links: Mutex::default(),
            unlike: Mutex::default(),
            state: Mutex::default(),
            wake: Condvar::new(),
        })
    }

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
            let changed = self.stamp(&path, &stat) | !(is_folder || self.is_last_copy(&target, name, &stat));
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
        let now = self.hash(stat);
        let key = self.hasher.hash_one(path.as_os_str());
        lock(&self.stamps).insert(key, now) != Some(now)
    }

    /// What an entry is, as a number.
    fn hash(&self, stat: &Stat) -> u64 {
        self.hasher.hash_one((
            (stat.st_dev, stat.st_ino, stat.st_mode, stat.st_size, stat.st_nlink),
            (stat.st_uid, stat.st_gid),
            (stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec),
        ))
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
                open_metadata(source.as_fd(), &stat, target.as_fd())?;
                self.liken(folder, &stat, &rustix::fs::fstat(&target)?);
                Ok(())
            })
            .map_err(io_error("set the metadata of the copy of", &self.from.join(folder)))
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    /// A source and an empty place for its copy.
    fn folders() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::create_dir(&from).unwrap();
        make_root(&to).unwrap();
        (folder, from, to)
    }

    #[test]
    fn all_names_of_a_file_are_names_of_its_last_copy() {
        let (_folder, from, to) = folders();
        std::fs::write(from.join("a"), "then").unwrap();
        std::fs::hard_link(from.join("a"), from.join("b")).unwrap();
        let (progress, cancel) = (Progress::default(), Cancel::default());
        let job = Job::new(&from, &to, Sharing::May, &progress, &cancel).unwrap();
        // The first pass comes to one name before the file changes and to the other one afterwards.
        let met = |name: &str| {
            let stat = status(job.source.as_fd(), OsStr::new(name)).unwrap();
            job.stamp(Path::new(name), &stat);
            let (name, path) = (OsStr::new(name), Path::new(name));
            job.entry(&job.source, &job.target, path, name, &stat).unwrap();
        };
        met("a");
        std::fs::write(from.join("a"), "later, and longer").unwrap();
        met("b");
        let passes = (0..PASSES).take_while(|_| job.pass(false).unwrap().0 > 0).count();
        assert!(passes < PASSES, "it comes to rest");
        for name in ["a", "b"] {
            assert_eq!(std::fs::read_to_string(to.join(name)).unwrap(), "later, and longer");
        }
        let inode = |name: &str| to.join(name).metadata().unwrap().ino();
        assert_eq!(inode("a"), inode("b"));
    }

    #[test]
    fn what_cannot_have_its_owner_is_counted() {
        let (_folder, from, to) = folders();
        std::fs::write(from.join("a"), "x").unwrap();
        let (progress, cancel) = (Progress::default(), Cancel::default());
        let job = Job::new(&from, &to, Sharing::May, &progress, &cancel).unwrap();
        job.pass(true).unwrap();
        assert!(lock(&job.unlike).is_empty());
        // As the kernel leaves it when an owner cannot be given away.
        let stat = status(job.source.as_fd(), OsStr::new("a")).unwrap();
        let mut other = stat;
        other.st_uid += 1;
        job.liken(Path::new("a"), &stat, &other);
        assert_eq!(
            lock(&job.unlike).values().flatten().collect::<Vec<_>>(),
            [Path::new("a")]
        );
        job.liken(Path::new("a"), &stat, &stat);
        assert!(lock(&job.unlike).is_empty());
    }

    #[test]
    fn a_place_that_is_taken_stays_as_it_is() {
        let (_folder, from, _) = folders();
        assert!(make_root(&from).is_err());
    }
}

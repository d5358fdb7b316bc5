//! Who runs what, across processes: files in the data folder that are kept locked while something runs. The system lets go
//! of them when a process dies, however it dies.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::vault::Id;

/// This process's own mark, and the plans it runs.
#[derive(Debug)]
pub(in crate::engine) struct Runs {
    folder: PathBuf,
    token: String,
    /// The mark's file, once there is a job.
    mark: Mutex<Option<File>>,
    plans: Arc<Mutex<HashSet<String>>>,
}

/// A plan's run: until this is dropped no other starts.
#[derive(Debug)]
pub(in crate::engine) struct PlanRun {
    plan: String,
    plans: Arc<Mutex<HashSet<String>>>,
    _file: Option<File>,
}

impl Runs {
    pub(in crate::engine) fn new(data: &Path) -> Runs {
        let mut random = [0; 8];
        // Without randomness the process number alone must do: it is unique among those that run.
        let _ = getrandom::fill(&mut random);
        let token = format!("{}-{:016x}", std::process::id(), u64::from_le_bytes(random));
        Runs {
            folder: data.join("run"),
            token,
            mark: Mutex::default(),
            plans: Arc::default(),
        }
    }

    /// Where the marks are.
    pub(in crate::engine) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The marks of other processes that run, as far as they can be seen.
    pub(in crate::engine) fn others(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut tokens: Vec<String> = names
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".lock").map(str::to_owned))
            .filter(|token| *token != self.token && !token.starts_with("plan-") && self.is_alive(token))
            .collect();
        tokens.sort();
        tokens
    }

    /// This process's mark, kept locked from now on.
    pub(in crate::engine) fn token(&self) -> &str {
        let mut mark = self.mark.lock().unwrap_or_else(PoisonError::into_inner);
        if mark.is_none() {
            match hold(&self.folder, &self.token) {
                Ok(file) => *mark = Some(file),
                // Other processes will take this one's jobs for dead, and delete the snapshots that its backups read from.
                Err(e) => tracing::warn!("cannot mark this process as running in {}: {e}", self.folder.display()),
            }
        }
        &self.token
    }

    /// Whether the process with this mark runs.
    pub(in crate::engine) fn is_alive(&self, token: &str) -> bool {
        if token == self.token {
            return true;
        }
        let path = self.folder.join(format!("{token}.lock"));
        let Ok(file) = OpenOptions::new().read(true).open(&path) else {
            return false;
        };
        match file.try_lock_shared() {
            Ok(()) => {
                let _ = std::fs::remove_file(&path);
                let _ = std::fs::remove_file(super::post::socket(&self.folder, token));
                false
            }
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => false,
        }
    }

    /// Marks a plan as running; `None` when it is running already, here or in another process.
    pub(in crate::engine) fn start_plan(&self, plan: &str) -> Option<PlanRun> {
        if !self
            .plans
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(plan.to_owned())
        {
            return None;
        }
        let mut run = PlanRun {
            plan: plan.to_owned(),
            plans: self.plans.clone(),
            _file: None,
        };
        let name = format!("plan-{}", Id::of(plan.as_bytes()).short());
        match open(&self.folder, &name) {
            Ok(file) => match file.try_lock() {
                Ok(()) => run._file = Some(file),
                Err(TryLockError::WouldBlock) => return None,
                Err(TryLockError::Error(e)) => tracing::warn!("cannot lock plan {plan} against other processes: {e}"),
            },
            // A backup is worth more than this guard.
            Err(e) => tracing::warn!("cannot lock plan {plan} against other processes: {e}"),
        }
        Some(run)
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        if self.mark.get_mut().unwrap_or_else(PoisonError::into_inner).is_some() {
            let _ = std::fs::remove_file(self.folder.join(format!("{}.lock", self.token)));
        }
    }
}

impl Drop for PlanRun {
    fn drop(&mut self) {
        self.plans
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.plan);
    }
}

fn open(folder: &Path, name: &str) -> io::Result<File> {
    use std::os::unix::fs::DirBuilderExt as _;
    // Nobody else's business, nor anybody else's to stop.
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(mark(folder, name))
}

/// A mark's file, locked. Whoever looks between its making and its locking takes it for a dead process's and deletes it:
/// then it is made again.
fn hold(folder: &Path, name: &str) -> io::Result<File> {
    loop {
        let file = open(folder, name)?;
        // Whoever looks lets go of it at once.
        file.lock()?;
        let (locked, named) = (file.metadata()?, std::fs::metadata(mark(folder, name)));
        match named {
            Ok(named) if (named.dev(), named.ino()) == (locked.dev(), locked.ino()) => return Ok(file),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
}

fn mark(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_of_a_plan_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (Runs::new(folder.path()), Runs::new(folder.path()));
        let run = here.start_plan("etc").unwrap();
        assert!(here.start_plan("etc").is_none() && there.start_plan("etc").is_none());
        assert!(there.start_plan("home").is_some());
        drop(run);
        let run = there.start_plan("etc").unwrap();
        assert!(here.start_plan("etc").is_none());
        drop(run);
        assert!(here.start_plan("etc").is_some());
    }

    #[test]
    fn a_mark_that_is_looked_at_while_it_is_made_is_one_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (here, done) = (Runs::new(folder.path()), std::sync::atomic::AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    here.others();
                }
            });
            let alive = |_| {
                let there = Runs::new(folder.path());
                here.is_alive(there.token())
            };
            let all = (0..500).all(alive);
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(all);
        });
    }

    #[test]
    fn a_process_is_alive_while_it_holds_its_mark() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (Runs::new(folder.path()), Runs::new(folder.path()));
        let token = there.token().to_owned();
        assert!(here.is_alive(&token) && here.is_alive(here.token()));
        drop(there);
        assert!(!here.is_alive(&token));
        // One that died left its file behind, unlocked.
        std::fs::write(folder.path().join("run/77-aa.lock"), "").unwrap();
        assert!(!here.is_alive("77-aa"));
        assert!(!folder.path().join("run/77-aa.lock").exists());
    }
}

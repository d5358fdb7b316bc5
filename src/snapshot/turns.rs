//! Whose turn it is: of the jobs that take snapshots onto one shelf at the same time, each waits for the one before, while
//! nothing is held of its own yet: no writer, no database. Those that go back do not wait: what they were to do has been
//! shown for the state of then.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::run::Request;
use super::shelf::{Held, LOOK, Shelf};
use super::{Error, Result, Work};

/// The shelves that are held for a request. Let go of when dropped.
#[derive(Debug, Default)]
pub(super) struct Turns(BTreeMap<PathBuf, Held>);

impl Turns {
    /// Waits for the shelves that are there already: a machine whose RAM is being saved could not even be asked what can be
    /// had of it.
    pub fn first(request: &Request, work: &Work) -> Result<Turns> {
        let shelves = request.targets.iter().map(|(provider, target, _)| {
            let shelf = provider.shelf(target, false).ok().flatten();
            shelf.filter(|path| path.is_dir())
        });
        let mut turns = Turns::default();
        for path in shelves.flatten().collect::<BTreeSet<_>>() {
            match hold(&path, work) {
                Ok(held) => drop(turns.0.insert(path, held)),
                Err(error @ (Error::Occupied(_) | Error::Cancelled(_))) => return Err(error),
                // Whether this user may is told by asking what can be had.
                Err(_) => {}
            }
        }
        Ok(turns)
    }

    /// Waits for all of them, made where they are not there.
    pub fn all(self, request: &Request, work: &Work) -> Result<Turns> {
        let shelves = request
            .targets
            .iter()
            .map(|(provider, target, _)| provider.shelf(target, true));
        let shelves: BTreeSet<PathBuf> = shelves.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        if self.0.keys().eq(&shelves) {
            return Ok(self);
        }
        // Everybody takes them in the same order, or two groups would wait for each other.
        drop(self);
        let held = shelves
            .into_iter()
            .map(|path| hold(&path, work).map(|held| (path, held)));
        held.collect::<Result<_>>().map(Turns)
    }
}

fn hold(path: &Path, work: &Work) -> Result<Held> {
    let shelf = Shelf {
        path: path.to_path_buf(),
        inside: false,
    };
    shelf.wait(work)
}

impl Shelf {
    /// Keeps everybody else from changing it, until dropped; waits for its turn as long as the work has patience, and says so.
    pub fn wait(&self, work: &Work) -> Result<Held> {
        let until = Instant::now() + work.patience;
        let mut said = false;
        loop {
            match self.hold() {
                Err(Error::Occupied(_)) if Instant::now() < until => {}
                done => return done,
            }
            if !said {
                (work.note)(format!(
                    "waits for another job that works on the snapshots in {}",
                    self.path.display()
                ));
                work.progress.set_current(b"waiting for another job");
                said = true;
            }
            work.cancel.check()?;
            std::thread::sleep(LOOK);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;
    use crate::progress::{Cancel, Progress};
    use crate::snapshot::testing;

    #[test]
    fn a_turn_is_waited_for_with_patience_and_a_stop_ends_the_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf {
            path: folder.path().into(),
            inside: false,
        };
        let (progress, cancel) = (Progress::default(), Cancel::default());
        let wait = |patience: u64, note: &dyn Fn(String)| {
            let work = Work {
                progress: &progress,
                cancel: &cancel,
                note,
                now: &|| testing::time(0),
                safety_days: None,
                patience: Duration::from_secs(patience),
            };
            shelf.wait(&work)
        };
        let held = shelf.hold().unwrap();
        assert!(matches!(wait(0, &|_| {}), Err(Error::Occupied(_))));
        // Its holder lets go only when it has heard that somebody waits.
        let (tell, told) = channel();
        let other = std::thread::spawn(move || {
            let said: String = told.recv().unwrap();
            drop(held);
            said
        });
        let again = wait(600, &|line| tell.send(line).unwrap()).unwrap();
        assert!(other.join().unwrap().contains("waits for another job"));
        let stop = |_| cancel.cancel();
        assert!(matches!(wait(600, &stop), Err(Error::Cancelled(_))));
        drop(again);
    }
}

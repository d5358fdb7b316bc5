//! Paths as the system knows them, without waiting for a mount that does not answer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{TryRecvError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a path may take to be looked up.
const MOMENT: Duration = Duration::from_secs(2);

/// Paths that did not answer and still do not: nobody waits for them again.
static SILENT: Silent = Silent(Mutex::new(BTreeSet::new()));

struct Silent(Mutex<BTreeSet<PathBuf>>);

/// A path as the system knows it, so that one vault has one name; one that is not there, or does not answer, stays as it is,
/// absolute.
pub(super) fn real(path: &Path) -> PathBuf {
    let look = |path: &Path| std::fs::canonicalize(path).ok();
    let real = SILENT.look(path, MOMENT, look);
    real.or_else(|| std::path::absolute(path).ok())
        .unwrap_or_else(|| path.to_path_buf())
}

impl Silent {
    /// What `look` gives for a path, on a thread of its own; nothing if that takes too long, or does so already.
    fn look(
        &'static self,
        path: &Path,
        moment: Duration,
        look: impl FnOnce(&Path) -> Option<PathBuf> + Send + 'static,
    ) -> Option<PathBuf> {
        if self.paths().contains(path) {
            return None;
        }
        let (tell, told) = channel();
        let asked = path.to_path_buf();
        let work = move || {
            let _ = tell.send(look(&asked));
            self.paths().remove(&asked);
        };
        std::thread::Builder::new().name("look".into()).spawn(work).ok()?;
        if let Ok(real) = told.recv_timeout(moment) {
            return real;
        }
        // Whoever answers just now is not silent, and has removed what is not there yet.
        let mut silent = self.paths();
        match told.try_recv() {
            Ok(real) => real,
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                silent.insert(path.to_path_buf());
                None
            }
        }
    }

    fn paths(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_does_not_answer_is_waited_for_once() {
        static SILENT: Silent = Silent(Mutex::new(BTreeSet::new()));
        let path = Path::new("/mnt/nas");
        let (answer, answers) = channel::<()>();
        let dead = move |_: &Path| answers.recv().ok().map(|()| PathBuf::from("/real"));
        assert_eq!(SILENT.look(path, Duration::from_millis(1), dead), None);
        // Nobody is asked again, and another path is not kept from being looked up.
        let found = |path: &Path| Some(path.join("real"));
        assert_eq!(SILENT.look(path, Duration::from_secs(60), found), None);
        let other = SILENT.look(Path::new("/srv"), Duration::from_secs(60), found);
        assert_eq!(other, Some("/srv/real".into()));
        answer.send(()).unwrap();
        while SILENT.paths().contains(path) {
            std::thread::yield_now();
        }
        assert_eq!(
            SILENT.look(path, Duration::from_secs(60), found),
            Some("/mnt/nas/real".into())
        );
    }
}

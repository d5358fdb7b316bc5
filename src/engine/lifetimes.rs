//! Which generations reach what, of each vault: kept in the data folder, brought up to date when somebody asks.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::{Engine, Error, OpenVault, Result};
use crate::lifetimes::{self, Lifetimes};
use crate::progress::{Cancel, Progress};
use crate::vault::{Id, LockKind};

/// How often is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// How many vaults' are kept in memory.
const KEPT: usize = 8;

/// What was read of vaults, by their ids, the last used at the end.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Vec<(String, Arc<Lifetimes>)>>);

impl Cache {
    /// What the file on disk says, read at most once.
    fn get(&self, vault: &str) -> Option<Arc<Lifetimes>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|(id, _)| id == vault)?;
        let (id, lifetimes) = kept.remove(at);
        // Another process may have brought it up to date.
        lifetimes.is_current().then(|| {
            kept.push((id, lifetimes.clone()));
            lifetimes
        })
    }

    fn put(&self, vault: &str, lifetimes: Lifetimes) -> Arc<Lifetimes> {
        let lifetimes = Arc::new(lifetimes);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(id, _)| id != vault);
        kept.push((vault.to_owned(), lifetimes.clone()));
        if kept.len() > KEPT {
            kept.remove(0);
        }
        lifetimes
    }
}

impl Engine {
    fn lifetimes_folder(&self) -> PathBuf {
        self.settings().data.join("lifetimes")
    }

    /// Which generations of a vault reach what, as it is now. The first time all its trees are read, which takes a while;
    /// later only those that are new. `tell` hears now and then how many trees are read, and how many there are to read as
    /// far as is known.
    pub fn lifetimes(
        &self,
        open: &OpenVault,
        cancel: &Cancel,
        tell: &mut dyn FnMut(u64, u64),
    ) -> Result<Arc<Lifetimes>> {
        self.bring_lifetimes(open, true, cancel, tell)
    }

    /// The same without a lock, for what nobody waits for: it stands in no job's way. Trees that are taken away meanwhile
    /// were those of generations that are gone, as is found the next time.
    pub(super) fn lifetimes_quietly(&self, open: &OpenVault, cancel: &Cancel) -> Result<Arc<Lifetimes>> {
        self.bring_lifetimes(open, false, cancel, &mut |_, _| {})
    }

    fn bring_lifetimes(
        &self,
        open: &OpenVault,
        locked: bool,
        cancel: &Cancel,
        tell: &mut dyn FnMut(u64, u64),
    ) -> Result<Arc<Lifetimes>> {
        let vault = open.vault();
        let known = self.lifetimes_of(vault.id())?;
        let mut generations = vault.generations()?;
        let knows = |ids: &[Id]| known.as_ref().is_some_and(|known| known.knows(ids));
        let ids: Vec<Id> = generations.iter().map(|generation| generation.id).collect();
        // While trees are read, nobody may take them away. What was found without the lock may be gone already.
        let mut lock = None;
        if locked && !knows(&ids) {
            lock = Some(vault.lock(LockKind::Reading)?);
            generations = vault.generations()?;
        }
        let indexed = open.indexed(cancel)?;
        let ids = generations.iter().map(|generation| &generation.id);
        if let Some(known) = known
            && known.is_up_to_date(ids, &indexed.index().files())
        {
            return Ok(known);
        }
        let folder = self.lifetimes_folder();
        let progress = Progress::default();
        let count = |of: &std::sync::atomic::AtomicU64| of.load(Ordering::Relaxed);
        let (done, when_done) = std::sync::mpsc::channel();
        let updated = std::thread::scope(|scope| {
            let (progress, generations, indexed, folder) = (&progress, &generations, &indexed, &folder);
            scope.spawn(move || {
                let updated = lifetimes::update(folder, vault.id(), generations, indexed, progress, cancel);
                // The one who waits is there until it hears of it.
                let _ = done.send(updated);
            });
            loop {
                match when_done.recv_timeout(TELL_EVERY) {
                    Ok(updated) => return Ok(updated?),
                    Err(RecvTimeoutError::Timeout) => {
                        tell(count(&progress.files_done), count(&progress.files_total));
                    }
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(Error::Panicked {
                            what: "finding out which generations reach what".into(),
                            text: "its thread ended".into(),
                        });
                    }
                }
            }
        })?;
        drop(lock);
        tracing::debug!(
            "lifetimes of {}: {} generations added, {} gone, {} trees read{}",
            open.name(),
            updated.added,
            updated.gone,
            count(&progress.files_done),
            if updated.rewritten { ", written anew" } else { "" }
        );
        Ok(self.0.lifetimes.put(vault.id(), updated.lifetimes))
    }

    /// What is known of the vault at a place (its key in the catalog) without asking it; `None` when nothing is.
    pub fn lifetimes_known(&self, place: &str) -> Option<Arc<Lifetimes>> {
        let vaults = self.catalog().vaults().ok()?;
        let record = vaults.into_iter().find(|record| record.place == place)?;
        self.lifetimes_of(&record.id).ok().flatten()
    }

    /// What is on disk of a vault, by its id.
    fn lifetimes_of(&self, vault: &str) -> Result<Option<Arc<Lifetimes>>> {
        if let Some(kept) = self.0.lifetimes.get(vault) {
            return Ok(Some(kept));
        }
        let known = lifetimes::known(&self.lifetimes_folder(), vault)?;
        Ok(known.map(|known| self.0.lifetimes.put(vault, known)))
    }
}

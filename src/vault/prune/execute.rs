//! Doing what a plan says, so that the vault is whole at every moment.

use std::sync::atomic::Ordering;

use super::plan::{self, PrunePlan};
use super::{PruneFigures, copy, index_files};
use crate::progress::{Cancel, Progress};
use crate::storage::{FileKind, StorageError};
use crate::vault::lock::LockGuard;
use crate::vault::{BlobKind, Error, Id, Result};

impl PrunePlan {
    /// Carries the plan out; the caller holds an exclusive lock. Returns what was done: the plan's figures, with what blobs
    /// that were compressed came to.
    ///
    /// Progress counts packs read and deleted as files, bytes as those read of packs. Cancelling is safe at any moment, and
    /// so is a kill: the next prune finishes.
    ///
    /// Errors: the vault is not as it was when the plan was made (nothing is done then), a lost lock, a blob that cannot be
    /// read, the storage's own.
    pub fn execute(self, lock: &LockGuard, progress: &Progress, cancel: &Cancel) -> Result<PruneFigures> {
        lock.check_exclusive()?;
        let vault = self.vault.vault().clone();
        if plan::state(&vault)? != self.state {
            return Err(Error::Selection(
                "the vault has changed since this was planned; nothing was deleted: plan it again".into(),
            ));
        }
        let mut figures = self.decision.figures;
        let unindexed: Vec<Id> = self.contents.unindexed.iter().map(|pack| pack.id).collect();
        let leaving = self.leaving();
        let steps = unindexed.len() as u64 + leaving.len() as u64 + figures.packs_repacked;
        progress.files_done.store(0, Ordering::Relaxed);
        progress.files_total.store(steps, Ordering::Relaxed);
        progress.bytes_total.store(figures.bytes_read, Ordering::Relaxed);
        progress.totals_known.store(true, Ordering::Relaxed);

        vault.storage().leftovers(true)?;
        progress.set_current(b"packs no index tells of");
        self.delete(&unindexed, lock, progress, cancel)?;
        if figures.packs_repacked > 0 {
            progress.set_current(b"repacking");
            let planned = figures.packs_new;
            let done = copy::run(&self, lock, progress, cancel)?;
            figures.packs_new = done.packs;
            figures.bytes_written = done.pack_bytes;
            figures.puts = figures.puts - planned - self.decision.new_index + done.packs + done.index_files;
            figures.sum_up();
        }
        if !leaving.is_empty() || figures.packs_missing > 0 {
            progress.set_current(b"index");
            self.vault.refresh(cancel)?;
            self.prove()?;
            lock.check()?;
            let leaves = |id: &Id| self.leaves(id);
            let old = &self.decision.old_index;
            let new = index_files::rewrite(&vault, old, &leaves, cancel)?;
            lock.check()?;
            for file in old {
                vault.remove_file(FileKind::Index, file)?;
            }
            if let Err(error) = self.vault.index().leave_out(&leaves, old, &new) {
                // Only a copy: what reads the vault next brings it up to date.
                tracing::warn!("the local index cannot be written: {error}");
            }
            progress.set_current(b"deleting");
            self.delete(&leaving, lock, progress, cancel)?;
        }
        Ok(figures)
    }

    /// Deletes packs that nothing refers to.
    fn delete(&self, packs: &[Id], lock: &LockGuard, progress: &Progress, cancel: &Cancel) -> Result<()> {
        for (n, id) in packs.iter().enumerate() {
            cancel.check()?;
            if n % 64 == 0 {
                lock.check()?;
            }
            match self.vault.vault().remove_file(FileKind::Pack, id) {
                Ok(()) | Err(Error::Storage(StorageError::NotFound { .. })) => {}
                Err(error) => return Err(error),
            }
            progress.files_done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Looks, before anything is deleted, whether every blob in use lies in a pack that stays.
    fn prove(&self) -> Result<()> {
        let mut missing = None;
        let mut blob: Option<(BlobKind, Id, bool)> = None;
        let mut seen = 0u64;
        let mut close = |blob: Option<(BlobKind, Id, bool)>| {
            if let Some((kind, id, stays)) = blob
                && self.used.contains(kind, &id)
            {
                seen += 1;
                if !stays {
                    missing = missing.or(Some((kind, id)));
                }
            }
        };
        self.vault.index().for_each(&mut |kind, id, location| {
            let stays = !self.leaves(&location.pack);
            match &mut blob {
                Some((last_kind, last_id, last)) if (*last_kind, *last_id) == (kind, id) => *last |= stays,
                _ => close(blob.replace((kind, id, stays))),
            }
        });
        close(blob);
        match missing {
            Some((kind, id)) => Err(Error::Internal(format!(
                "{kind:?} blob {id} would be lost; nothing was deleted"
            ))),
            None if seen != self.decision.figures.blobs_used => Err(Error::Internal(format!(
                "{seen} of {} blobs in use were found again; nothing was deleted",
                self.decision.figures.blobs_used
            ))),
            None => Ok(()),
        }
    }
}

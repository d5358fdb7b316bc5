//! Doing what a plan says, so that the vault is whole at every moment.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::plan::{self, PrunePlan};
use super::{PruneFigures, index_files};
use crate::progress::{Cancel, Progress};
use crate::storage::{FileKind, StorageError};
use crate::vault::compress::Scratch;
use crate::vault::crew::threads;
use crate::vault::index::Location;
use crate::vault::lock::LockGuard;
use crate::vault::pack::PackBlob;
use crate::vault::writer::{BlobWriter, WriterOptions};
use crate::vault::{BlobKind, Error, Id, IndexedVault, Result};

/// Blobs this close to one another in a pack are read in one go, bytes.
const GAP: u32 = 256 << 10;
/// The longest piece of a pack that is read in one go, bytes.
const PIECE: u32 = 16 << 20;

impl PrunePlan {
    /// Carries the plan out; the caller holds an exclusive lock. Returns what was done: the plan's figures.
    ///
    /// Progress counts packs read and deleted as files, bytes as those of packs read. Cancelling is safe at any moment, and
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
        let deletions = self.unindexed.len() + self.leaving.len();
        let steps = deletions + self.repack.len();
        progress.files_done.store(0, Ordering::Relaxed);
        progress.files_total.store(steps as u64, Ordering::Relaxed);
        progress
            .bytes_total
            .store(self.figures.bytes_repacked, Ordering::Relaxed);
        progress.totals_known.store(true, Ordering::Relaxed);

        vault.storage().leftovers(true)?;
        progress.set_current(b"packs no index tells of");
        self.delete(&self.unindexed, lock, progress, cancel)?;
        if !self.repack.is_empty() {
            progress.set_current(b"repacking");
            self.repack(lock, progress, cancel)?;
        }
        if !self.leaving.is_empty() || !self.missing.is_empty() {
            progress.set_current(b"index");
            self.vault.refresh(cancel)?;
            self.prove()?;
            lock.check()?;
            let leaves = |id: &Id| self.leaving.contains(id) || self.missing.contains(id);
            let old = index_files::rewrite(&vault, &leaves, cancel)?;
            lock.check()?;
            for file in &old {
                vault.remove_file(FileKind::Index, file)?;
            }
            progress.set_current(b"deleting");
            let mut leaving: Vec<Id> = self.leaving.iter().copied().collect();
            leaving.sort_unstable();
            self.delete(&leaving, lock, progress, cancel)?;
            self.vault.refresh(cancel)?;
        }
        Ok(self.figures)
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

    /// Writes what is used of the packs to be read into new ones, and index files that tell of them.
    fn repack(&self, lock: &LockGuard, progress: &Progress, cancel: &Cancel) -> Result<()> {
        let options = WriterOptions {
            pack_size: self.options.pack_size,
            ..WriterOptions::default()
        };
        let writer = BlobWriter::new(&self.vault, options)?;
        let wanted = self.wanted()?;
        let next = AtomicUsize::new(0);
        let failure: Mutex<Option<Error>> = Mutex::new(None);
        let worker = || {
            let mut copier = Copier {
                plan: self,
                writer: &writer,
                bytes: Vec::new(),
                plain: Vec::new(),
                scratch: Scratch::default(),
            };
            while let Some((pack, blobs)) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                let stop = failure.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                if stop || cancel.is_cancelled() {
                    return;
                }
                let copied = lock.check().and_then(|()| copier.copy(pack, blobs, progress, cancel));
                if let Err(error) = copied {
                    failure
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .get_or_insert(error);
                    return;
                }
                progress.files_done.fetch_add(1, Ordering::Relaxed);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads().min(wanted.len()) {
                scope.spawn(worker);
            }
            worker();
        });
        cancel.check()?;
        if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error);
        }
        writer.finish()?;
        Ok(())
    }

    /// The packs to be read, each with what is kept of it, by offset.
    fn wanted(&self) -> Result<Vec<(Id, Vec<PackBlob>)>> {
        let mut wanted = Vec::with_capacity(self.repack.len());
        self.vault.index().for_each_pack(|id, blobs| {
            if self.repack.binary_search(id).is_ok() {
                let mut kept: Vec<PackBlob> = blobs.iter().filter(|blob| self.keeps(id, blob)).copied().collect();
                // Two entries for one blob in one pack are one blob.
                kept.dedup_by_key(|blob| (blob.kind, blob.id));
                wanted.push((*id, kept));
            }
            Ok::<(), Error>(())
        })?;
        Ok(wanted)
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
            let stays = !self.leaving.contains(&location.pack) && !self.missing.contains(&location.pack);
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
            None if seen != self.figures.blobs_used => Err(Error::Internal(format!(
                "{seen} of {} blobs in use were found again; nothing was deleted",
                self.figures.blobs_used
            ))),
            None => Ok(()),
        }
    }
}

/// One thread that copies blobs.
struct Copier<'a> {
    plan: &'a PrunePlan,
    writer: &'a BlobWriter,
    /// A piece of a pack.
    bytes: Vec<u8>,
    plain: Vec<u8>,
    scratch: Scratch,
}

impl Copier<'_> {
    fn vault(&self) -> &IndexedVault {
        &self.plan.vault
    }

    /// Copies these blobs of a pack, in pieces.
    fn copy(&mut self, pack: &Id, blobs: &[PackBlob], progress: &Progress, cancel: &Cancel) -> Result<()> {
        let mut rest = blobs;
        while let Some(first) = rest.first() {
            cancel.check()?;
            let end = |blob: &PackBlob| blob.offset.saturating_add(blob.length);
            let mut last = end(first);
            let mut count = 1;
            for blob in &rest[1..] {
                let near = blob.offset.saturating_sub(last) <= GAP;
                if !near || end(blob).saturating_sub(first.offset) > PIECE {
                    break;
                }
                last = last.max(end(blob));
                count += 1;
            }
            let (piece, after) = rest.split_at(count);
            self.copy_piece(pack, piece, last)?;
            let read = u64::from(last.saturating_sub(first.offset));
            progress.bytes_done.fetch_add(read, Ordering::Relaxed);
            rest = after;
        }
        Ok(())
    }

    fn copy_piece(&mut self, pack: &Id, blobs: &[PackBlob], end: u32) -> Result<()> {
        let Some(start) = blobs.first().map(|blob| blob.offset) else {
            return Ok(());
        };
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.resize(end.saturating_sub(start) as usize, 0);
        let storage = self.vault().vault().storage().clone();
        let read = storage.read_at(FileKind::Pack, pack, start.into(), &mut bytes);
        // A piece that cannot be read is tried blob by blob: other packs may hold them too.
        let readable = read.is_ok();
        for blob in blobs {
            let from = (blob.offset - start) as usize;
            let sealed = bytes.get(from..from + blob.length as usize).filter(|_| readable);
            self.copy_blob(pack, blob, sealed)?;
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Copies one blob as it is sealed, after it was opened and compared with its id; or compresses it.
    fn copy_blob(&mut self, pack: &Id, blob: &PackBlob, sealed: Option<&[u8]>) -> Result<()> {
        let location = Location {
            pack: *pack,
            offset: blob.offset,
            length: blob.length,
            uncompressed: blob.uncompressed,
        };
        let vault = self.plan.vault.clone();
        let opened = sealed.is_some_and(|sealed| {
            let mut opened = sealed.to_vec();
            let plain = &mut self.plain;
            let opened = vault.open_blob(blob.kind, &blob.id, &location, &mut opened, &mut self.scratch, plain);
            opened.is_ok()
        });
        let compress = self.plan.options.repack_uncompressed && blob.uncompressed.is_none();
        match sealed {
            Some(sealed) if opened && !compress => self.writer.copy(blob.kind, blob.id, sealed, blob.uncompressed),
            _ => {
                if !opened {
                    // Once more from there, then from any other pack.
                    vault.blob_into(blob.kind, &blob.id, &mut self.scratch, &mut self.plain)?;
                }
                self.writer
                    .store_again(blob.kind, blob.id, &self.plain, &mut self.scratch)
            }
        }
    }
}

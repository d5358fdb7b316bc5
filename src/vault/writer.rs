//! Storing new blobs: dedup → compress → seal → verify → pack → store → index.
//!
//! Many threads call [`BlobWriter::add`]; each brings its own [`Scratch`]. Hashing, compression, sealing and verification
//! happen on the caller's thread, outside any lock; only the copy into the open pack is under a short one. Full packs go to
//! the storing threads over a bounded channel, and whoever finds it full waits: that is what bounds memory. An index file
//! is saved for every 50,000 blobs or ten minutes, and at [`BlobWriter::finish`]; from then on its blobs are known by the
//! vault's index, and the writer forgets them.

mod claims;
mod store;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use self::claims::{Claim, Claims};
use self::store::Store;
pub(super) use self::store::index_is_due;
use super::compress::{Level, Scratch};
use super::crypto::{NONCE_SIZE, OVERHEAD};
use super::lock::LockWatch;
use super::pack::{self, PackBuilder};
use super::repository::Compression;
use super::{BlobKind, Error, Id, IndexedVault, Result};

/// How blobs are stored.
#[derive(Debug, Clone)]
pub struct WriterOptions {
    /// How data is compressed.
    pub compression: Compression,
    /// Target size of a pack in bytes, 4–128 MiB; 16 MiB by default.
    pub pack_size: u32,
    /// Count what would be stored, store nothing.
    pub dry_run: bool,
    /// Save index files also because time has passed. Without it, how many there will be is known from the packs.
    pub timed_index: bool,
    /// The lock that is written under: once it is lost nothing more is stored, and above all no index file is saved, since
    /// the packs it would tell of may have been deleted.
    pub lock: Option<LockWatch>,
}

impl Default for WriterOptions {
    fn default() -> WriterOptions {
        WriterOptions {
            compression: Compression::Auto,
            pack_size: pack::DEFAULT_PACK_SIZE,
            dry_run: false,
            timed_index: true,
            lock: None,
        }
    }
}

/// What adding a blob did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// The blob's id.
    pub id: Id,
    /// Whether it was new to the vault.
    pub new: bool,
    /// Bytes it takes in its pack, its entry in the header included, if new.
    pub stored: u32,
}

/// What a writer stored in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriterTotals {
    /// New data blobs.
    pub data_blobs: u64,
    /// New tree blobs.
    pub tree_blobs: u64,
    /// Bytes of new blobs before compression.
    pub added: u64,
    /// Bytes of new blobs as stored in packs, their entries in headers included.
    pub added_packed: u64,
    /// Packs that were stored.
    pub packs: u64,
    /// Their bytes.
    pub pack_bytes: u64,
    /// Index files that were saved.
    pub index_files: u64,
}

#[derive(Debug, Default)]
struct Counters {
    data_blobs: AtomicU64,
    tree_blobs: AtomicU64,
    added: AtomicU64,
    added_packed: AtomicU64,
}

/// Stores blobs in a vault. Share it by reference or `Arc` between threads.
#[derive(Debug)]
pub struct BlobWriter {
    vault: IndexedVault,
    options: WriterOptions,
    claims: Arc<Claims>,
    counters: Counters,
    /// The open packs: of data, of trees.
    open: [Mutex<PackBuilder>; 2],
    store: Store,
}

impl BlobWriter {
    /// A writer into this vault. The caller holds a lock.
    pub fn new(vault: &IndexedVault, options: WriterOptions) -> Result<BlobWriter> {
        let sizes = pack::MIN_PACK_SIZE..=pack::MAX_PACK_SIZE;
        if !sizes.contains(&options.pack_size) {
            return Err(Error::Unsupported {
                place: vault.vault().place(),
                what: format!(
                    "a pack size of {} bytes; choose one from 4 MiB to 128 MiB",
                    options.pack_size
                ),
            });
        }
        let claims = Arc::new(Claims::default());
        Ok(BlobWriter {
            store: Store::new(vault, claims.clone(), &options),
            vault: vault.clone(),
            options,
            claims,
            counters: Counters::default(),
            open: Default::default(),
        })
    }

    /// Stores a blob unless the vault (or this writer) has it. An empty one is never stored.
    pub fn add(&self, kind: BlobKind, plain: &[u8], scratch: &mut Scratch) -> Result<Added> {
        self.store.check()?;
        let id = Id::of(plain);
        let known = Added {
            id,
            new: false,
            stored: 0,
        };
        if plain.is_empty() || !self.claim(kind, &id) {
            return Ok(known);
        }
        // Others now take this blob for stored: from here on a failure is one of the whole writer.
        let _unwinding = FailOnPanic(&self.store);
        let result = self.add_new(kind, id, plain, scratch);
        result
            .map_err(|error| self.store.fail(error))
            .map(|stored| Added { id, new: true, stored })
    }

    /// Whether this call is the one that has to store the blob.
    fn claim(&self, kind: BlobKind, id: &Id) -> bool {
        let index = self.vault.index();
        loop {
            let epoch = self.claims.epoch();
            if index.contains(kind, id) {
                return false;
            }
            match self.claims.claim(kind, id, epoch) {
                Claim::Taken => return false,
                Claim::Yours => return true,
                // Claims have moved to the index since it was asked.
                Claim::AskAgain => {}
            }
        }
    }

    fn add_new(&self, kind: BlobKind, id: Id, plain: &[u8], scratch: &mut Scratch) -> Result<u32> {
        let uncompressed = self.seal_blob(kind, id, plain, false, scratch)?;
        let sealed = plain_or_packed(&scratch.sealed, self.options.dry_run);
        let stored = (sealed + pack::entry_size(uncompressed.is_some())) as u64;
        let counters = &self.counters;
        let blobs = match kind {
            BlobKind::Data => &counters.data_blobs,
            BlobKind::Tree => &counters.tree_blobs,
        };
        blobs.fetch_add(1, Ordering::Relaxed);
        counters.added.fetch_add(plain.len() as u64, Ordering::Relaxed);
        counters.added_packed.fetch_add(stored, Ordering::Relaxed);
        if !self.options.dry_run {
            self.place(kind, id, &scratch.sealed, uncompressed)?;
        }
        Ok(stored.try_into().unwrap_or(u32::MAX))
    }

    /// Brings the blob sealed and verified (in a dry run: neither) into `scratch.sealed`; its length before compression if
    /// it is compressed.
    fn seal_blob(
        &self,
        kind: BlobKind,
        id: Id,
        plain: &[u8],
        always: bool,
        scratch: &mut Scratch,
    ) -> Result<Option<u32>> {
        let length = u32::try_from(plain.len())
            .map_err(|_| Error::Internal(format!("{kind:?} blob {id} has {} bytes", plain.len())))?;
        let uncompressed = self.pack_blob(kind, plain, always, scratch)?.then_some(length);
        if !self.options.dry_run {
            let key = self.vault.vault().key();
            key.seal_tail(&mut scratch.sealed, 0)?;
            verify(key, id, plain, uncompressed, scratch)?;
        }
        Ok(uncompressed)
    }

    /// Brings the blob as it is to be sealed into `scratch.sealed`, behind room for the nonce; tells whether compressed.
    fn pack_blob(&self, kind: BlobKind, plain: &[u8], always: bool, scratch: &mut Scratch) -> Result<bool> {
        let level = match (self.vault.vault().version(), kind) {
            (1, _) => None,
            (_, BlobKind::Tree) => Some(Level::for_trees(self.options.compression)),
            (_, BlobKind::Data) => Level::for_data(self.options.compression),
        };
        let sealed = &mut scratch.sealed;
        sealed.clear();
        sealed.extend_from_slice(&[0; NONCE_SIZE]);
        if let Some(level) = level {
            let packed = scratch.codec.compress_append(plain, level, sealed);
            let packed = packed.map_err(|bad| Error::Internal(format!("zstd failed: {bad}")))?;
            if packed < plain.len() || always || kind == BlobKind::Tree {
                return Ok(true);
            }
            sealed.truncate(NONCE_SIZE);
        }
        sealed.extend_from_slice(plain);
        Ok(false)
    }

    /// Copies a sealed blob into the open pack of its kind, and sends that off when it is full. The lock is held while
    /// sending, so that threads that wait hold no full pack each.
    fn place(&self, kind: BlobKind, id: Id, sealed: &[u8], uncompressed: Option<u32>) -> Result<()> {
        let target = self.options.pack_size;
        if sealed.len() >= target as usize {
            let mut own = PackBuilder::default();
            own.push(kind, id, sealed, uncompressed)?;
            return self.store.send(own);
        }
        let mut open = self.open[kind as usize].lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_empty() {
            *open = PackBuilder::with_buffer(self.store.buffer());
        }
        open.push(kind, id, sealed, uncompressed)?;
        if open.is_full(target) {
            self.store.send(std::mem::take(&mut *open))?;
        }
        Ok(())
    }

    /// Stores a blob that the vault has once more, as it is sealed: it moves to another pack. The caller has verified it.
    /// Blobs come into packs in the order of these calls.
    pub(super) fn copy(&self, kind: BlobKind, id: Id, sealed: &[u8], uncompressed: Option<u32>) -> Result<()> {
        self.store.check()?;
        self.place(kind, id, sealed, uncompressed)
            .map_err(|error| self.store.fail(error))
    }

    /// Brings a blob's content into `scratch.sealed` as [`BlobWriter::copy`] takes it: sealed and verified. Returns its
    /// length before compression if it is compressed; with `always` it is, even if that does not make it smaller.
    pub(super) fn seal(
        &self,
        kind: BlobKind,
        id: Id,
        plain: &[u8],
        always: bool,
        scratch: &mut Scratch,
    ) -> Result<Option<u32>> {
        self.store.check()?;
        let sealed = self.seal_blob(kind, id, plain, always, scratch);
        sealed.map_err(|error| self.store.fail(error))
    }

    /// Whether the vault, or this writer, has the blob.
    pub fn has(&self, kind: BlobKind, id: &Id) -> bool {
        // In this order: claims move to the index, never back.
        self.claims.contains(kind, id) || self.vault.index().contains(kind, id)
    }

    /// What was stored so far.
    pub fn totals(&self) -> WriterTotals {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WriterTotals {
            data_blobs: get(&self.counters.data_blobs),
            tree_blobs: get(&self.counters.tree_blobs),
            added: get(&self.counters.added),
            added_packed: get(&self.counters.added_packed),
            packs: get(&self.store.stored().packs),
            pack_bytes: get(&self.store.stored().bytes),
            index_files: get(&self.store.stored().index_files),
        }
    }

    /// Stores what is open, saves the index. Until this returns, no generation may refer to the blobs.
    /// Dropping a writer without `finish` also tries to store open packs and the index, so that the next run reuses them;
    /// but not when the lock was lost.
    pub fn finish(mut self) -> Result<WriterTotals> {
        self.flush()?;
        Ok(self.totals())
    }

    fn flush(&mut self) -> Result<()> {
        for open in &mut self.open {
            let open = std::mem::take(open.get_mut().unwrap_or_else(PoisonError::into_inner));
            if !open.is_empty() {
                self.store.send(open)?;
            }
        }
        self.store.finish()
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if let Err(error) = self.flush() {
            tracing::debug!("what was added is not all stored: {error}");
        }
    }
}

/// A panic on a caller's thread leaves a claim behind that nobody fulfils: the writer must not finish well.
struct FailOnPanic<'a>(&'a Store);

impl Drop for FailOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .fail(Error::Internal("a thread died while it stored a blob".into()));
        }
    }
}

/// How many bytes a blob takes when sealed: in a dry run it is not.
fn plain_or_packed(sealed: &[u8], dry_run: bool) -> usize {
    if dry_run {
        sealed.len() - NONCE_SIZE + OVERHEAD
    } else {
        sealed.len()
    }
}

/// Opens what was just sealed and compares it with what it was made of: what memory or processor got wrong must not reach
/// the vault under a name that promises it is right.
fn verify(
    key: &super::crypto::MasterKey,
    id: Id,
    plain: &[u8],
    uncompressed: Option<u32>,
    scratch: &mut Scratch,
) -> Result<()> {
    let Scratch {
        codec,
        packed,
        sealed,
        check,
    } = scratch;
    let wrong = |what: String| {
        let advice = "the memory or the processor of this machine may be failing";
        Error::Internal(format!("blob {id} was not what it should be after {what}: {advice}"))
    };
    key.open_into(sealed, packed)
        .map_err(|bad| wrong(format!("encryption ({bad})")))?;
    let opened = match uncompressed {
        None => packed,
        Some(length) => {
            let result = codec.decompress(packed, length as usize, check);
            result.map_err(|bad| wrong(format!("compression ({bad})")))?;
            check
        }
    };
    if opened != plain {
        return Err(wrong("compression".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Storing new blobs: dedup → compress → seal → verify → pack → store → index.
//!
//! Many threads call [`BlobWriter::add`]; each brings its own [`Scratch`]. Full packs go to a storing thread over a short
//! bounded channel. An index file is saved for every 50,000 blobs or ten minutes, and at [`BlobWriter::finish`].

use super::compress::Scratch;
use super::repository::Compression;
use super::{BlobKind, Id, IndexedVault, Result};

/// How blobs are stored.
#[derive(Debug, Clone)]
pub struct WriterOptions {
    /// How data is compressed.
    pub compression: Compression,
    /// Target size of a pack in bytes, 4–128 MiB; 16 MiB by default.
    pub pack_size: u32,
    /// Count what would be stored, store nothing.
    pub dry_run: bool,
}

/// What adding a blob did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// The blob's id.
    pub id: Id,
    /// Whether it was new to the vault.
    pub new: bool,
    /// Bytes it takes in its pack, if new.
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
    /// Bytes of new blobs as stored in packs.
    pub added_packed: u64,
}

/// Stores blobs in a vault. Share it by reference or `Arc` between threads.
#[derive(Debug)]
pub struct BlobWriter {}

impl BlobWriter {
    /// A writer into this vault. The caller holds a lock.
    pub fn new(vault: &IndexedVault, options: WriterOptions) -> Result<BlobWriter> {
        todo!()
    }
    /// Stores a blob unless the vault (or this writer) has it.
    pub fn add(&self, kind: BlobKind, plain: &[u8], scratch: &mut Scratch) -> Result<Added> {
        todo!()
    }
    /// Whether the vault, or this writer, has the blob.
    pub fn has(&self, kind: BlobKind, id: &Id) -> bool {
        todo!()
    }
    /// Stores what is open, saves the index. Until this returns, no generation may refer to the blobs.
    /// Dropping a writer without `finish` also tries to store open packs and the index, so that the next run reuses them.
    pub fn finish(self) -> Result<WriterTotals> {
        todo!()
    }
}

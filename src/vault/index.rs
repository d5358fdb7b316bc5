//! Which pack holds which blob. Entries are compact and sorted in segment files on local disk (one or more per vault,
//! each covering some of the vault's index files), mapped into memory and searched in place: opening costs next to nothing
//! and the heap does not grow with the vault.

use super::{BlobKind, Id};

/// Where a blob lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// The pack file.
    pub pack: Id,
    /// Offset in it, bytes.
    pub offset: u32,
    /// Bytes there, the 32 of encryption overhead included.
    pub length: u32,
    /// Bytes before compression; `None` when stored uncompressed.
    pub uncompressed: Option<u32>,
}

impl Location {
    /// Bytes of the blob's content.
    pub fn plain_length(&self) -> u32 {
        self.uncompressed.unwrap_or(self.length.saturating_sub(32))
    }
}

/// The opened index.
#[derive(Debug)]
pub struct Index {}

impl Index {
    /// Where a blob lies, any one place.
    pub fn find(&self, kind: BlobKind, id: &Id) -> Option<Location> {
        todo!()
    }
    /// Every place a blob lies.
    pub fn find_all(&self, kind: BlobKind, id: &Id) -> Vec<Location> {
        todo!()
    }
    /// Calls `each` for every entry, duplicates included, sorted by (kind, id).
    pub fn for_each(&self, each: &mut dyn FnMut(BlobKind, Id, Location)) {
        todo!()
    }
    /// Number of entries.
    pub fn len(&self) -> u64 {
        todo!()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

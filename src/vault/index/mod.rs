//! Which pack holds which blob. Entries are compact and sorted in segment files on local disk (a few per vault, each
//! covering some of the vault's index files), mapped into memory and searched in place: opening costs next to nothing and
//! the heap does not grow with the vault.
//!
//! `json` reads and writes the vault's index files; `segment` is the local file's form and the search in it; `build` makes
//! segments from entries or from other segments, `merge` goes through several as if they were one; `cache` keeps the local
//! segments in step with the vault; `scan` answers questions about all entries, `marks` is a set of
//! blobs.

mod build;
mod cache;
pub mod json;
mod marks;
mod merge;
mod scan;
mod segment;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use marks::{BlobMarks, Mark};
pub use scan::{IndexTotals, KindTotals, PackInfo};

use self::segment::Segment;
use super::pack::PackBlob;
use super::{BlobKind, Error, Id, Result};

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

/// The opened index. What a [`super::writer::BlobWriter`] adds to the vault is in it once its index file is saved.
#[derive(Debug)]
pub struct Index {
    /// Where segments are kept.
    folder: PathBuf,
    /// Replaced as a whole, so that a scan works on one state.
    segments: RwLock<Arc<Vec<Arc<Segment>>>>,
    /// Held by whoever is about to replace the segments.
    changing: Mutex<()>,
}

impl Index {
    fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, segments: Vec<Arc<Segment>>) {
        *self.segments.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(segments);
    }

    /// Whether a blob is in the index.
    pub fn contains(&self, kind: BlobKind, id: &Id) -> bool {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.iter().any(|segment| !segment.find(kind, id).is_empty())
    }

    /// Where a blob lies, any one place.
    pub fn find(&self, kind: BlobKind, id: &Id) -> Option<Location> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.iter().find_map(|segment| {
            let entries = segment.find(kind, id);
            entries.iter().find_map(|raw| segment.location(kind, raw))
        })
    }

    /// Every place a blob lies.
    pub fn find_all(&self, kind: BlobKind, id: &Id) -> Vec<Location> {
        let mut all: Vec<Location> = Vec::new();
        for segment in self.segments().iter() {
            for raw in segment.find(kind, id) {
                all.extend(segment.location(kind, raw).filter(|location| !all.contains(location)));
            }
        }
        all
    }

    /// Number of entries. One that two index files list may count twice; [`Index::totals`] counts exactly.
    pub fn len(&self) -> u64 {
        self.segments().iter().map(|segment| segment.len()).sum()
    }

    /// The index files whose entries it has, as it was last brought up to date.
    pub fn files(&self) -> Vec<Id> {
        self.segments()
            .iter()
            .flat_map(|segment| segment.files().collect::<Vec<_>>())
            .collect()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

//! A set of a vault's blobs, one bit each, whatever their number: for questions that must count every blob once.

use std::sync::Arc;

use super::segment::Segment;
use super::{Index, Location};
use crate::vault::{BlobKind, Id};

/// What marking a blob told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It was not marked before, and lies here.
    First(Location),
    /// It was marked before.
    Again,
    /// The index does not have it.
    Missing,
}

/// A set of blobs of the index as it was when the set was made.
#[derive(Debug)]
pub struct BlobMarks {
    segments: Arc<Vec<Arc<Segment>>>,
    bits: Vec<u64>,
}

impl Index {
    /// An empty set of this index's blobs.
    pub fn marks(&self) -> BlobMarks {
        let segments = self.segments();
        let entries: usize = segments.iter().map(|segment| entries_of(segment)).sum();
        BlobMarks {
            segments,
            bits: vec![0; entries.div_ceil(64)],
        }
    }
}

fn entries_of(segment: &Segment) -> usize {
    segment.entries(BlobKind::Data).len() + segment.entries(BlobKind::Tree).len()
}

impl BlobMarks {
    /// Marks a blob. One that several packs hold is one blob.
    pub fn mark(&mut self, kind: BlobKind, id: &Id) -> Mark {
        let Some((bit, location)) = self.place(kind, id) else {
            return Mark::Missing;
        };
        let Some(word) = self.bits.get_mut(bit / 64) else {
            return Mark::Missing;
        };
        let mask = 1 << (bit % 64);
        if *word & mask != 0 {
            return Mark::Again;
        }
        *word |= mask;
        Mark::First(location)
    }

    /// Whether a blob is marked.
    pub fn contains(&self, kind: BlobKind, id: &Id) -> bool {
        self.place(kind, id)
            .and_then(|(bit, _)| self.bits.get(bit / 64).map(|word| word >> (bit % 64) & 1 == 1))
            .unwrap_or(false)
    }

    /// A blob's bit, that of its first entry, and where it lies.
    fn place(&self, kind: BlobKind, id: &Id) -> Option<(usize, Location)> {
        let mut base = 0;
        for segment in self.segments.iter() {
            let found = segment.find(kind, id);
            if let Some(location) = found.iter().find_map(|raw| segment.location(kind, raw)) {
                let entries = segment.entries(kind);
                let first = (found.as_ptr().addr() - entries.as_ptr().addr()) / size_of_val(&entries[0]);
                let trees = match kind {
                    BlobKind::Data => 0,
                    BlobKind::Tree => segment.entries(BlobKind::Data).len(),
                };
                return Some((base + trees + first, location));
            }
            base += entries_of(segment);
        }
        None
    }
}

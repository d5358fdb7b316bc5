//! Going through the entries of several segments as if they were one.

use std::sync::Arc;

use super::segment::{RELEASE, RawEntry, Segment, entry_offset, entry_pack};
use super::{BlobKind, Id};

/// The entries of a kind of some segments, sorted by (blob id, pack id, offset). There are never many segments, so that
/// finding the least head by looking at each is the fastest way.
pub(super) struct Merge<'a> {
    kind: BlobKind,
    heads: Vec<Head<'a>>,
}

struct Head<'a> {
    source: usize,
    segment: &'a Segment,
    first: &'a RawEntry,
    rest: &'a [RawEntry],
}

impl Head<'_> {
    fn key(&self) -> (&[u8], Option<Id>, u32) {
        (
            &self.first[..32],
            self.segment.pack_id(entry_pack(self.first)),
            entry_offset(self.first),
        )
    }

    fn is_before(&self, other: &Head<'_>) -> bool {
        match self.first[..32].cmp(&other.first[..32]) {
            std::cmp::Ordering::Equal => self.key() < other.key(),
            order => order.is_lt(),
        }
    }
}

impl<'a> Merge<'a> {
    pub fn new(sources: &'a [Arc<Segment>], kind: BlobKind) -> Merge<'a> {
        let heads = sources.iter().enumerate().filter_map(|(source, segment)| {
            let (first, rest) = segment.entries(kind).split_first()?;
            Some(Head {
                source,
                segment,
                first,
                rest,
            })
        });
        Merge {
            kind,
            heads: heads.collect(),
        }
    }

    /// The next entry and the number of the segment it is from.
    pub fn next(&mut self) -> Option<(usize, &'a RawEntry)> {
        let mut least = 0;
        for n in 1..self.heads.len() {
            if self.heads[n].is_before(&self.heads[least]) {
                least = n;
            }
        }
        let head = self.heads.get_mut(least)?;
        let entry = (head.source, head.first);
        if head.rest.len() % RELEASE == 0 {
            // What is before `entry` is not looked at again; `entry` itself may be, and is then brought back.
            let passed = head.segment.entries(self.kind).len() - head.rest.len();
            head.segment.release(self.kind, passed.saturating_sub(RELEASE)..passed);
        }
        match head.rest.split_first() {
            Some((first, rest)) => (head.first, head.rest) = (first, rest),
            None => drop(self.heads.swap_remove(least)),
        }
        Some(entry)
    }
}

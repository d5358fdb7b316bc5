//! Questions about all entries: in the order of blobs, in the order of packs, and sums.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::merge::Merge;
use super::segment::{PackSums, RELEASE, Segment, entry_blob, entry_pack, pack_record_id};
use super::{BlobKind, Id, Index, Location, PackBlob};

/// How many entries [`Index::for_each_pack`] holds at a time: 15 MB.
const GROUP: u64 = 1 << 18;

/// What the index says of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackInfo {
    /// The pack file.
    pub id: Id,
    /// The exact size its file must have, bytes.
    pub size: u64,
    /// Bytes of its blobs, encryption overhead included.
    pub blob_bytes: u64,
    /// Its blobs.
    pub blobs: u64,
    /// Whether a data blob is in it.
    pub data: bool,
    /// Whether a tree blob is in it.
    pub trees: bool,
}

/// Sums over the blobs of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KindTotals {
    /// Different blobs.
    pub blobs: u64,
    /// Their bytes before compression.
    pub plain: u64,
    /// Their bytes in packs, encryption overhead included.
    pub stored: u64,
    /// How many of them are compressed.
    pub compressed: u64,
    /// Further copies of them.
    pub duplicates: u64,
    /// Bytes of these copies in packs.
    pub duplicate_bytes: u64,
}

/// Sums over all blobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IndexTotals {
    /// Data blobs.
    pub data: KindTotals,
    /// Tree blobs.
    pub trees: KindTotals,
}

impl Index {
    /// Calls `each` for every entry, duplicates included, sorted by (kind, id). An entry that two index files list comes
    /// once.
    pub fn for_each(&self, each: &mut dyn FnMut(BlobKind, Id, Location)) {
        let segments = self.segments();
        for kind in [BlobKind::Data, BlobKind::Tree] {
            let mut merge = Merge::new(&segments, kind);
            let mut last = None;
            while let Some((source, raw)) = merge.next() {
                let Some(location) = segments.get(source).and_then(|segment| segment.location(kind, raw)) else {
                    continue;
                };
                let entry = (entry_blob(kind, raw).id, location);
                if last != Some(entry) {
                    last = Some(entry);
                    each(kind, entry.0, location);
                }
            }
        }
    }

    /// Sums over all blobs; goes through all entries.
    pub fn totals(&self) -> IndexTotals {
        let mut totals = IndexTotals::default();
        let mut last = None;
        self.for_each(&mut |kind, id, location| {
            let sums = match kind {
                BlobKind::Data => &mut totals.data,
                BlobKind::Tree => &mut totals.trees,
            };
            if last == Some((kind, id)) {
                sums.duplicates += 1;
                sums.duplicate_bytes += u64::from(location.length);
            } else {
                last = Some((kind, id));
                sums.blobs += 1;
                sums.plain += u64::from(location.plain_length());
                sums.stored += u64::from(location.length);
                sums.compressed += u64::from(location.uncompressed.is_some());
            }
        });
        totals
    }

    /// Calls `each` for every pack, sorted by id.
    pub fn packs(&self, each: &mut dyn FnMut(PackInfo)) {
        let segments = self.segments();
        // A pack that two segments know may have entries of its own in each, or the same ones: only counting tells.
        let mut shared: BTreeMap<Id, PackSums> = BTreeMap::new();
        merge_packs(&segments, |id, at| {
            if at.len() > 1 {
                shared.insert(*id, PackSums::default());
            }
        });
        if !shared.is_empty() {
            self.for_each(&mut |kind, _, location| {
                if let Some(sums) = shared.get_mut(&location.pack) {
                    sums.add(kind, location.length, location.uncompressed.is_some());
                }
            });
        }
        merge_packs(&segments, |id, at| {
            let sums = match (shared.get(id), at.first()) {
                (Some(sums), _) => *sums,
                (None, Some(&(source, number))) => PackSums::from_bytes(&segments[source].packs()[number]),
                (None, None) => return,
            };
            each(PackInfo {
                id: *id,
                size: sums.size(),
                blob_bytes: sums.bytes,
                blobs: u64::from(sums.plain) + u64::from(sums.compressed),
                data: sums.data,
                trees: sums.trees,
            });
        });
    }

    /// Calls `each` for every pack, sorted by id, with its blobs, sorted by offset. Goes through all entries once for
    /// each quarter of a million of them. Stops at the first error of `each`.
    pub fn for_each_pack<E>(&self, mut each: impl FnMut(&Id, &[PackBlob]) -> Result<(), E>) -> Result<(), E> {
        let segments = self.segments();
        let mut group = Group::new(&segments);
        let mut result = Ok(());
        merge_packs(&segments, |id, at| {
            if result.is_err() {
                return;
            }
            let count = at.iter().map(|&(source, number)| {
                let sums = PackSums::from_bytes(&segments[source].packs()[number]);
                u64::from(sums.plain) + u64::from(sums.compressed)
            });
            let count = count.sum();
            if !group.packs.is_empty() && group.entries + count > GROUP {
                result = group.flush(&mut each);
            }
            group.add(*id, at, count);
        });
        result?;
        group.flush(&mut each)
    }
}

/// Some packs that follow one another, whose entries are collected in one go through all entries.
struct Group<'a> {
    segments: &'a [Arc<Segment>],
    packs: Vec<Id>,
    /// For each segment, the first of its packs in the group, and for each from there on its place in `packs`.
    places: Vec<(usize, Vec<u32>)>,
    entries: u64,
}

impl<'a> Group<'a> {
    fn new(segments: &'a [Arc<Segment>]) -> Group<'a> {
        Group {
            segments,
            packs: Vec::new(),
            places: vec![(0, Vec::new()); segments.len()],
            entries: 0,
        }
    }

    fn add(&mut self, id: Id, at: &[(usize, usize)], entries: u64) {
        for &(source, number) in at {
            let (first, places) = &mut self.places[source];
            if places.is_empty() {
                *first = number;
            }
            places.push(self.packs.len() as u32);
        }
        self.packs.push(id);
        self.entries += entries;
    }

    fn flush<E>(&mut self, each: &mut impl FnMut(&Id, &[PackBlob]) -> Result<(), E>) -> Result<(), E> {
        let mut blobs: Vec<(u32, PackBlob)> = Vec::with_capacity(self.entries.min(2 * GROUP) as usize);
        for (segment, (first, places)) in self.segments.iter().zip(&self.places) {
            if places.is_empty() {
                continue;
            }
            for kind in [BlobKind::Data, BlobKind::Tree] {
                for (n, part) in segment.entries(kind).chunks(RELEASE).enumerate() {
                    for raw in part {
                        let place = (entry_pack(raw) as usize).checked_sub(*first);
                        let place = place.and_then(|place| places.get(place));
                        blobs.extend(place.map(|place| (*place, entry_blob(kind, raw))));
                    }
                    segment.release(kind, n * RELEASE..n * RELEASE + part.len());
                }
            }
        }
        blobs.sort_unstable_by_key(|(place, blob)| (*place, blob.offset, blob.length, blob.kind, blob.id));
        blobs.dedup();
        let mut list = Vec::new();
        let mut rest = blobs.as_slice();
        for (place, id) in self.packs.iter().enumerate() {
            let here = rest.partition_point(|(at, _)| *at as usize <= place);
            let (of_pack, after) = rest.split_at(here);
            rest = after;
            list.clear();
            list.extend(of_pack.iter().map(|(_, blob)| *blob));
            each(id, &list)?;
        }
        *self = Group::new(self.segments);
        Ok(())
    }
}

/// Calls `each` with every pack, sorted by id, and where it is: (segment, number there).
fn merge_packs(segments: &[Arc<Segment>], mut each: impl FnMut(&Id, &[(usize, usize)])) {
    let mut next = vec![0; segments.len()];
    let mut at = Vec::new();
    loop {
        let head = |source: usize, next: &[usize]| segments[source].packs().get(next[source]).map(pack_record_id);
        let Some(id) = (0..segments.len()).filter_map(|source| head(source, &next)).min() else {
            return;
        };
        at.clear();
        for source in 0..segments.len() {
            if head(source, &next) == Some(id) {
                at.push((source, next[source]));
                next[source] += 1;
            }
        }
        each(&id, &at);
    }
}

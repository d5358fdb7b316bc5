//! The tables of a qcow2 image, read in place: where each cluster of the disk lies, now and in each snapshot.
//!
//! Two states hold the same at a place exactly when they refer to the same cluster of the file there, since a cluster that
//! a snapshot refers to is never written to again: so what differs is known without reading any content, also while a
//! machine writes to the image. The format is QEMU's (docs/interop/qcow2.rst), versions 2 and 3.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::snapshot::system::io_error;
use crate::snapshot::{Error, Result};

const MAGIC: u32 = 0x5146_49fb;
/// The bits of an entry that are an offset into the file.
pub(super) const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
pub(super) const COMPRESSED: u64 = 1 << 62;
const ZERO: u64 = 1;
/// Incompatible features: dirty, corrupt, external data file, compression type, extended tables.
const DATA_FILE: u64 = 1 << 2;
const EXTENDED: u64 = 1 << 4;
const KNOWN: u64 = 0b1_1111;
/// QEMU's own limits: 32 MiB of first-level table, 65536 snapshots.
pub(super) const MOST_L1: u64 = (32 << 20) / 8;
const MOST_SNAPSHOTS: u32 = 65_536;

/// A table of second-level tables: what the disk is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) offset: u64,
    pub(super) entries: u64,
    /// The disk's size, bytes.
    size: u64,
}

/// One snapshot of the image's table. As long as the image has this very one, what it refers to is as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    id: Vec<u8>,
    name: Vec<u8>,
    /// Seconds since 1970, and nanoseconds from there on.
    taken: (u32, u32),
    root: Root,
}

/// Which state of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State<'a> {
    /// As it is now.
    Now,
    /// As in the snapshot that qcow2 calls so (its number, as text).
    Snapshot(&'a str),
}

/// Where a range of the disk lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: zeros, or what the backing image has.
    Nowhere,
    /// Zeros.
    Zeros,
    /// In the file, from this offset on, or by this entry of its own (compressed clusters).
    File(u64),
}

/// A range of the disk that lies in one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// From where on the disk, bytes.
    pub start: u64,
    /// How much, bytes.
    pub length: u64,
    /// Where it lies.
    pub place: Place,
}

/// An image whose tables can be read.
#[derive(Debug)]
pub struct Tables {
    file: File,
    path: PathBuf,
    pub(super) cluster_bits: u32,
    /// Bytes of an entry of a second-level table.
    entry_size: u64,
    active: Root,
    snapshots: Vec<Entry>,
    pub(super) refcounts: u64,
    pub(super) refcount_clusters: u64,
    pub(super) refcount_order: u32,
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_be_bytes(value)
}

fn be64(bytes: &[u8], at: usize) -> u64 {
    u64::from(be32(bytes, at)) << 32 | u64::from(be32(bytes, at + 4))
}

fn be16(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

impl Tables {
    /// Opens an image, for reading only.
    pub fn open(path: &Path) -> Result<Tables> {
        let file = File::open(path).map_err(io_error("open", path))?;
        let mut header = [0; 112];
        // Version 2 ends earlier, but no image is as short.
        file.read_exact_at(&mut header, 0).map_err(io_error("read", path))?;
        let broken = |why: &str| Error::Record {
            path: path.to_path_buf(),
            why: why.to_owned(),
        };
        let version = be32(&header, 4);
        if be32(&header, 0) != MAGIC || !(2..=3).contains(&version) {
            return Err(broken("this is no qcow2 image of version 2 or 3"));
        }
        let incompatible = if version >= 3 { be64(&header, 72) } else { 0 };
        if incompatible & !KNOWN != 0 || incompatible & DATA_FILE != 0 {
            return Err(broken("it keeps its data in a way whose tables Coffer does not read"));
        }
        let cluster_bits = be32(&header, 20);
        let refcount_order = if version >= 3 { be32(&header, 96) } else { 4 };
        if !(9..=21).contains(&cluster_bits) || refcount_order > 6 {
            return Err(broken("its header makes no sense"));
        }
        let mut tables = Tables {
            file,
            path: path.to_path_buf(),
            cluster_bits,
            entry_size: if incompatible & EXTENDED != 0 { 16 } else { 8 },
            active: Root {
                offset: be64(&header, 40),
                entries: u64::from(be32(&header, 36)),
                size: be64(&header, 24),
            },
            snapshots: Vec::new(),
            refcounts: be64(&header, 48),
            refcount_clusters: u64::from(be32(&header, 56)),
            refcount_order,
        };
        tables.snapshots = tables.read_snapshots(be32(&header, 60), be64(&header, 64))?;
        let roots = tables.snapshots.iter().map(|entry| &entry.root);
        if roots.chain([&tables.active]).any(|root| root.entries > MOST_L1) {
            return Err(broken("its tables make no sense"));
        }
        Ok(tables)
    }

    fn read_snapshots(&self, count: u32, mut at: u64) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        for _ in 0..count.min(MOST_SNAPSHOTS) {
            let fixed = self.bytes(at, 40)?;
            let (id, name) = (usize::from(be16(&fixed, 12)), usize::from(be16(&fixed, 14)));
            let extra = be32(&fixed, 36) as usize;
            if extra > 4096 {
                return Err(self.broken("its list of snapshots makes no sense"));
            }
            let rest = self.bytes(at.saturating_add(40), extra + id + name)?;
            found.push(Entry {
                id: rest[extra..extra + id].to_vec(),
                name: rest[extra + id..].to_vec(),
                taken: (be32(&fixed, 16), be32(&fixed, 20)),
                root: Root {
                    offset: be64(&fixed, 0),
                    entries: u64::from(be32(&fixed, 8)),
                    size: if extra >= 16 { be64(&rest, 8) } else { self.active.size },
                },
            });
            at = at.saturating_add((40 + extra + id + name + 7) as u64) & !7;
        }
        Ok(found)
    }

    pub(super) fn broken(&self, why: &str) -> Error {
        Error::Record {
            path: self.path.clone(),
            why: why.to_owned(),
        }
    }

    pub(super) fn bytes(&self, at: u64, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, at)
            .map_err(io_error("read", &self.path))?;
        Ok(bytes)
    }

    pub(super) fn words(&self, at: u64, count: u64) -> Result<Vec<u64>> {
        let length = usize::try_from(count * 8).map_err(|_| self.broken("its tables make no sense"))?;
        let bytes = self.bytes(at, length)?;
        Ok(bytes.chunks_exact(8).map(|word| be64(word, 0)).collect())
    }

    pub(super) fn root(&self, state: State) -> Result<&Root> {
        match state {
            State::Now => Ok(&self.active),
            State::Snapshot(id) => Ok(&self.entry(id)?.root),
        }
    }

    /// The snapshot that qcow2 calls so.
    pub(super) fn entry(&self, id: &str) -> Result<&Entry> {
        let found = self.snapshots.iter().find(|entry| entry.id == id.as_bytes());
        found.ok_or_else(|| self.broken(&format!("it has no snapshot {id}")))
    }

    /// Whether the image still has a snapshot that it had.
    pub(super) fn has(&self, entry: &Entry) -> bool {
        self.snapshots.contains(entry)
    }

    /// Bytes of a cluster.
    pub fn cluster(&self) -> u64 {
        1 << self.cluster_bits
    }

    /// Entries of a second-level table.
    fn per_table(&self) -> u64 {
        self.cluster() / self.entry_size
    }

    /// The second-level tables of the disk itself, without the RAM that may lie behind it: their offsets, 0 for none.
    fn tables_of(&self, root: &Root) -> Result<Vec<u64>> {
        let bytes = self.per_table() * self.cluster();
        let needed = root.size.div_ceil(bytes);
        if needed > MOST_L1 {
            return Err(self.broken("its size makes no sense"));
        }
        let mut tables = self.words(root.offset, root.entries.min(needed))?;
        tables.iter_mut().for_each(|entry| *entry &= OFFSET);
        tables.resize(usize::try_from(needed).unwrap_or(usize::MAX), 0);
        Ok(tables)
    }

    /// Whether the disk is the same in two states, for sure. When one of them was changed since, it may be the same and this
    /// be false all the same.
    pub fn same(&self, one: State, other: State) -> Result<bool> {
        let (one, other) = (self.root(one)?, self.root(other)?);
        Ok(one.size == other.size && self.tables_of(one)? == self.tables_of(other)?)
    }

    /// Where each cluster that one second-level table stands for lies. Version 3's subclusters are told by their cluster.
    pub(super) fn clusters(&self, table: u64) -> Result<Vec<(Place, u64)>> {
        let count = self.per_table();
        if table == 0 {
            return Ok(vec![(Place::Nowhere, 0); usize::try_from(count).unwrap_or(0)]);
        }
        let words = self.words(table, self.cluster() / 8)?;
        let step = if self.entry_size == 16 { 2 } else { 1 };
        let place = |words: &[u64]| {
            let entry = words[0];
            let bitmap = words.get(1).copied().unwrap_or(0);
            let place = match entry {
                _ if entry & COMPRESSED != 0 => Place::File(entry & !(1 << 63)),
                _ if entry & OFFSET != 0 && step == 1 && entry & ZERO != 0 => Place::Zeros,
                _ if entry & OFFSET != 0 => Place::File(entry & OFFSET),
                _ if bitmap != 0 || (step == 1 && entry & ZERO != 0) => Place::Zeros,
                _ => Place::Nowhere,
            };
            (place, bitmap)
        };
        Ok(words.chunks_exact(step).map(place).collect())
    }

    /// Where the disk lies in a state, in order and without gaps, pieces that follow each other in the file as one.
    pub fn extents(&self, state: State) -> Result<Vec<Extent>> {
        let root = self.root(state)?;
        let mut found: Vec<Extent> = Vec::new();
        let mut start = 0;
        for table in self.tables_of(root)? {
            let (clusters, each) = match table {
                0 => (vec![(Place::Nowhere, 0)], self.per_table() * self.cluster()),
                table => (self.clusters(table)?, self.cluster()),
            };
            for (place, _) in clusters {
                let length = each.min(root.size.saturating_sub(start));
                if length == 0 {
                    break;
                }
                match found.last_mut() {
                    Some(last) if follows(last, place) => last.length += length,
                    _ => found.push(Extent { start, length, place }),
                }
                start += length;
            }
        }
        Ok(found)
    }

    /// The ranges of the disk that may differ between two states, in order: those that lie elsewhere. What is outside them
    /// is the same for sure.
    pub fn changed(&self, from: State, to: State) -> Result<Vec<Range<u64>>> {
        let (from, to) = (self.root(from)?, self.root(to)?);
        let size = to.size;
        let (mut old, new) = (self.tables_of(from)?, self.tables_of(to)?);
        old.resize(new.len(), 0);
        let per_table = self.per_table() * self.cluster();
        let mut found: Vec<Range<u64>> = Vec::new();
        for (n, (old, new)) in old.iter().zip(&new).enumerate() {
            if old == new {
                continue;
            }
            let mut start = n as u64 * per_table;
            for (old, new) in self.clusters(*old)?.iter().zip(&self.clusters(*new)?) {
                let end = (start + self.cluster()).min(size);
                if old != new && start < end {
                    match found.last_mut() {
                        Some(last) if last.end == start => last.end = end,
                        _ => found.push(start..end),
                    }
                }
                start += self.cluster();
            }
        }
        if from.size < size {
            found.push(from.size..size);
        }
        Ok(found)
    }
}

fn follows(last: &Extent, place: Place) -> bool {
    match (last.place, place) {
        (Place::File(before), Place::File(now)) => now & COMPRESSED == 0 && before + last.length == now,
        (before, now) => before == now,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const CLUSTER: u64 = 1 << 16;

    /// An image of 1 GiB with one snapshot, number 1. Both have cluster 0 of the disk in one place (cluster 5 of the file);
    /// cluster 3 was written to since the snapshot (8, now 10); the second table (clusters 8192 and on) is shared.
    pub(in crate::snapshot::qcow2) fn image() -> Vec<u8> {
        let mut bytes = vec![0; 12 * CLUSTER as usize];
        let mut put = |at: u64, value: &[u8]| bytes[at as usize..at as usize + value.len()].copy_from_slice(value);
        let cluster = |n: u64| (n * CLUSTER).to_be_bytes();
        put(0, &MAGIC.to_be_bytes());
        put(4, &3u32.to_be_bytes());
        put(20, &16u32.to_be_bytes());
        put(24, &(1u64 << 30).to_be_bytes());
        put(36, &2u32.to_be_bytes());
        put(40, &cluster(3));
        put(48, &cluster(1));
        put(56, &1u32.to_be_bytes());
        put(60, &1u32.to_be_bytes());
        put(64, &cluster(9));
        put(96, &4u32.to_be_bytes());
        put(100, &104u32.to_be_bytes());
        put(CLUSTER, &cluster(2));
        for (n, count) in [1u16, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 2].into_iter().enumerate() {
            put(2 * CLUSTER + 2 * n as u64, &count.to_be_bytes());
        }
        let copied = |n: u64| ((n * CLUSTER) | (1 << 63)).to_be_bytes();
        // Now: tables 4 and 11; then: 7 and 11.
        put(3 * CLUSTER, &copied(4));
        put(3 * CLUSTER + 8, &cluster(11));
        put(4 * CLUSTER, &cluster(5));
        put(4 * CLUSTER + 24, &copied(10));
        put(6 * CLUSTER, &cluster(7));
        put(6 * CLUSTER + 8, &cluster(11));
        put(7 * CLUSTER, &cluster(5));
        put(7 * CLUSTER + 24, &cluster(8));
        put(9 * CLUSTER, &cluster(6));
        put(9 * CLUSTER + 8, &2u32.to_be_bytes());
        put(9 * CLUSTER + 12, &[0, 1, 0, 1]);
        put(9 * CLUSTER + 40, b"1x");
        bytes
    }

    fn open(bytes: &[u8]) -> Result<Tables> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Tables::open(file.path())
    }

    #[test]
    fn what_differs_and_what_a_snapshot_alone_takes_is_told_by_the_tables() {
        let tables = open(&image()).unwrap();
        let then = State::Snapshot("1");
        assert!(!tables.same(State::Now, then).unwrap() && tables.same(then, then).unwrap());
        let changed = tables.changed(then, State::Now).unwrap();
        assert_eq!((changed.len(), changed[0].clone()), (1, 3 * CLUSTER..4 * CLUSTER));
        // One cluster of data, its table, and the first-level table.
        assert_eq!(tables.exclusive("1").unwrap(), 3 * CLUSTER);
        assert!(tables.exclusive("2").is_err());
        let entry = tables.entry("1").unwrap();
        assert!(tables.entry("2").is_err() && tables.has(entry));
        let mut later = image();
        // Another one of that name: its nanoseconds tell.
        later[9 * CLUSTER as usize + 23] = 1;
        assert!(!open(&later).unwrap().has(entry));
        let extents = tables.extents(State::Now).unwrap();
        let told: Vec<(u64, u64, Place)> = extents
            .iter()
            .map(|extent| (extent.start / CLUSTER, extent.length / CLUSTER, extent.place))
            .collect();
        assert_eq!(
            told,
            [
                (0, 1, Place::File(5 * CLUSTER)),
                (1, 2, Place::Nowhere),
                (3, 1, Place::File(10 * CLUSTER)),
                (4, 16380, Place::Nowhere)
            ]
        );
    }

    #[test]
    fn no_bytes_bring_it_down() {
        let whole = image();
        let mut random = 1u64;
        let mut next = |below: usize| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % below
        };
        for _ in 0..500 {
            let mut bytes = whole.clone();
            for _ in 0..1 + next(4) {
                let cluster = [0, 0, 0, 1, 2, 3, 4, 6, 7, 9][next(10)] << 16;
                bytes[cluster + next(112)] = next(256) as u8;
            }
            bytes.truncate(if next(4) == 0 { next(whole.len()) } else { whole.len() });
            let Ok(tables) = open(&bytes) else { continue };
            // A disk of petabytes takes its time to be told.
            if tables.active.size > 1 << 40 || tables.snapshots.iter().any(|one| one.root.size > 1 << 40) {
                continue;
            }
            let _ = tables.extents(State::Now);
            let _ = tables.changed(State::Snapshot("1"), State::Now);
            let _ = tables.exclusive("1");
        }
    }
}

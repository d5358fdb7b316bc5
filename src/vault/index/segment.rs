//! A segment: the sorted entries of some index files, in one local file that is mapped and searched in place.
//!
//! ```text
//! header  128 bytes: magic, counts, the two checksums, a checksum of the header itself
//! data    48 bytes an entry, sorted by (blob id, pack, offset)
//! trees   the same
//! tables  for each of the two: where the entries with given first bits start, one u32 a bucket and one more
//! packs   56 bytes a pack, sorted by id; entries refer to a pack by its number here
//! files   32 bytes an index file: those whose entries are here, sorted
//! ```
//! All numbers are little-endian. A segment is written once, under a temporary name, and never changed. It can be lost or
//! damaged at any time: opening checks that the header and the list of files are whole and that every section is within
//! the file, small ones are checked completely, and searching relies on nothing that was not checked.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use memmap2::{Advice, Mmap, UncheckedAdvice};
use sha2::{Digest, Sha256};

use super::{BlobKind, Id, Location};
use crate::vault::pack::{self, PackBlob};

pub(super) const MAGIC: [u8; 8] = *b"CofferI1";
pub(super) const HEADER: usize = 128;
pub(super) const ENTRY: usize = 48;
pub(super) const PACK: usize = 56;
const FILE: usize = 32;
/// A scan gives memory back after so many entries: 3 MB.
pub(super) const RELEASE: usize = 1 << 16;
/// Segments up to this size, bytes, are checked completely when opened; larger ones are flushed to disk when written.
pub(super) const SMALL: u64 = 4 << 20;

/// An entry's bytes: blob id, pack number, offset, length, length before compression (0: not compressed).
pub(super) type RawEntry = [u8; ENTRY];

pub(super) fn number(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn long_number(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

pub(super) fn raw_entry(id: &Id, pack: u32, offset: u32, length: u32, uncompressed: Option<u32>) -> RawEntry {
    let mut raw = [0; ENTRY];
    raw[..32].copy_from_slice(&id.0);
    for (n, value) in [pack, offset, length, uncompressed.unwrap_or(0)]
        .into_iter()
        .enumerate()
    {
        raw[32 + 4 * n..36 + 4 * n].copy_from_slice(&value.to_le_bytes());
    }
    raw
}

pub(super) fn entry_id(raw: &RawEntry) -> Id {
    let mut id = Id::ZERO;
    id.0.copy_from_slice(&raw[..32]);
    id
}

pub(super) fn entry_pack(raw: &RawEntry) -> u32 {
    number(raw, 32)
}

pub(super) fn entry_offset(raw: &RawEntry) -> u32 {
    number(raw, 36)
}

pub(super) fn entry_blob(kind: BlobKind, raw: &RawEntry) -> PackBlob {
    let uncompressed = number(raw, 44);
    PackBlob {
        kind,
        id: entry_id(raw),
        offset: entry_offset(raw),
        length: number(raw, 40),
        uncompressed: (uncompressed != 0).then_some(uncompressed),
    }
}

/// How many of the first bits of an id choose its bucket: about sixteen entries share one.
pub(super) fn bucket_bits(entries: u64) -> u32 {
    (entries / 16).checked_ilog2().map_or(0, |bits| bits.min(24))
}

pub(super) fn bucket(id: &[u8], bits: u32) -> usize {
    let first = id.first_chunk::<4>().map_or(0, |first| u32::from_be_bytes(*first));
    (u64::from(first) >> (32 - bits)) as usize
}

/// What a segment knows of a pack, summed over its entries here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PackSums {
    /// Bytes of the blobs.
    pub bytes: u64,
    /// Blobs stored uncompressed.
    pub plain: u32,
    /// Blobs stored compressed.
    pub compressed: u32,
    /// Whether a data blob is in it.
    pub data: bool,
    /// Whether a tree blob is in it.
    pub trees: bool,
}

impl PackSums {
    pub fn add(&mut self, kind: BlobKind, length: u32, compressed: bool) {
        self.bytes = self.bytes.saturating_add(u64::from(length));
        let count = if compressed {
            &mut self.compressed
        } else {
            &mut self.plain
        };
        *count = count.saturating_add(1);
        match kind {
            BlobKind::Data => self.data = true,
            BlobKind::Tree => self.trees = true,
        }
    }

    pub fn size(&self) -> u64 {
        pack::pack_size(self.bytes, self.plain.into(), self.compressed.into())
    }

    pub fn to_bytes(self, id: &Id) -> [u8; PACK] {
        let mut raw = [0; PACK];
        raw[..32].copy_from_slice(&id.0);
        raw[32..40].copy_from_slice(&self.bytes.to_le_bytes());
        raw[40..44].copy_from_slice(&self.plain.to_le_bytes());
        raw[44..48].copy_from_slice(&self.compressed.to_le_bytes());
        raw[48] = u8::from(self.data) + 2 * u8::from(self.trees);
        raw
    }

    pub fn from_bytes(raw: &[u8; PACK]) -> PackSums {
        PackSums {
            bytes: long_number(raw, 32),
            plain: number(raw, 40),
            compressed: number(raw, 44),
            data: raw[48] & 1 != 0,
            trees: raw[48] & 2 != 0,
        }
    }
}

/// The counts in a header, from which every section's place follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub data: u64,
    pub trees: u64,
    pub packs: u64,
    pub files: u64,
    pub data_bits: u32,
    pub tree_bits: u32,
}

impl Counts {
    /// The header's bytes.
    pub fn header(&self, files: &[u8; 32], body: &[u8; 32]) -> [u8; HEADER] {
        let mut raw = [0; HEADER];
        raw[..8].copy_from_slice(&MAGIC);
        for (n, count) in [self.data, self.trees, self.packs, self.files].into_iter().enumerate() {
            raw[8 + 8 * n..16 + 8 * n].copy_from_slice(&count.to_le_bytes());
        }
        raw[40..44].copy_from_slice(&self.data_bits.to_le_bytes());
        raw[44..48].copy_from_slice(&self.tree_bits.to_le_bytes());
        raw[48..80].copy_from_slice(files);
        raw[80..112].copy_from_slice(body);
        let check = Sha256::digest(&raw[..112]);
        raw[112..].copy_from_slice(&check[..16]);
        raw
    }

    fn parse(raw: &[u8]) -> Option<Counts> {
        let raw = raw.first_chunk::<HEADER>()?;
        if raw[..8] != MAGIC || Sha256::digest(&raw[..112])[..16] != raw[112..] {
            return None;
        }
        Some(Counts {
            data: long_number(raw, 8),
            trees: long_number(raw, 16),
            packs: long_number(raw, 24),
            files: long_number(raw, 32),
            data_bits: number(raw, 40),
            tree_bits: number(raw, 44),
        })
    }
}

/// Where the sections are, all within the file.
#[derive(Debug, Clone)]
struct Layout {
    data: Range<usize>,
    trees: Range<usize>,
    data_table: Range<usize>,
    tree_table: Range<usize>,
    packs: Range<usize>,
    files: Range<usize>,
}

impl Layout {
    fn new(counts: &Counts, length: usize) -> Option<Layout> {
        if counts.data_bits > 24 || counts.tree_bits > 24 {
            return None;
        }
        let mut at = HEADER;
        let mut section = |count: u64, size: usize| -> Option<Range<usize>> {
            // Entries and packs are counted in 32 bits by tables and entries.
            let count = usize::try_from(u32::try_from(count).ok()?).ok()?;
            let start = at;
            at = at.checked_add(count.checked_mul(size)?)?;
            Some(start..at)
        };
        let layout = Layout {
            data: section(counts.data, ENTRY)?,
            trees: section(counts.trees, ENTRY)?,
            data_table: section((1 << counts.data_bits) + 1, 4)?,
            tree_table: section((1 << counts.tree_bits) + 1, 4)?,
            packs: section(counts.packs, PACK)?,
            files: section(counts.files, FILE)?,
        };
        (at == length).then_some(layout)
    }
}

/// One opened segment.
#[derive(Debug)]
pub(super) struct Segment {
    map: Mmap,
    layout: Layout,
    counts: Counts,
    path: PathBuf,
    /// Whether every byte is as it was written, once that was looked at.
    sound: OnceLock<bool>,
}

impl Segment {
    /// Opens a segment file; `None` when it is damaged or no segment (nobody needs to know why: it is made again).
    pub fn open(path: &Path) -> std::io::Result<Option<Segment>> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        if length < HEADER as u64 || usize::try_from(length).is_err() {
            return Ok(None);
        }
        // SAFETY: segment files are private to this program's cache folder, written under another name and renamed,
        // never changed or truncated afterwards; a file that is deleted stays mapped.
        let map = unsafe { Mmap::map(&file)? };
        let Some(counts) = Counts::parse(&map) else {
            return Ok(None);
        };
        let Some(layout) = Layout::new(&counts, map.len()) else {
            return Ok(None);
        };
        // Lookups jump about: reading ahead would only fill memory.
        let _ = map.advise(Advice::Random);
        let segment = Segment {
            map,
            layout,
            counts,
            path: path.to_owned(),
            sound: OnceLock::new(),
        };
        let whole = segment.files_are_whole() && (length > SMALL || segment.verify());
        Ok(whole.then_some(segment))
    }

    fn files_are_whole(&self) -> bool {
        Sha256::digest(self.section(&self.layout.files))[..] == self.map[48..80]
    }

    /// Whether every byte is as it was written. Looked at once: whoever misses many blobs asks for each of them.
    pub fn verify(&self) -> bool {
        *self.sound.get_or_init(|| {
            let body = &self.map[HEADER..self.layout.files.start];
            Sha256::digest(body)[..] == self.map[80..112]
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of entries.
    pub fn len(&self) -> u64 {
        self.counts.data + self.counts.trees
    }

    fn section(&self, range: &Range<usize>) -> &[u8] {
        self.map.get(range.clone()).unwrap_or_default()
    }

    /// The entries of a kind, sorted.
    pub fn entries(&self, kind: BlobKind) -> &[RawEntry] {
        let range = match kind {
            BlobKind::Data => &self.layout.data,
            BlobKind::Tree => &self.layout.trees,
        };
        self.section(range).as_chunks().0
    }

    /// Gives back the memory of some entries that a scan has left behind; they stay in the system's page cache.
    pub fn release(&self, kind: BlobKind, entries: Range<usize>) {
        let section = match kind {
            BlobKind::Data => &self.layout.data,
            BlobKind::Tree => &self.layout.trees,
        };
        let at = |entry: usize| {
            section
                .start
                .saturating_add(entry.saturating_mul(ENTRY))
                .min(section.end)
        };
        let (start, end) = (at(entries.start), at(entries.end));
        // SAFETY: the map is shared and read-only, so that dropping its pages changes nothing: they are read from the
        // same file again when they are next used.
        let _ = unsafe {
            self.map
                .unchecked_advise_range(UncheckedAdvice::DontNeed, start, end - start)
        };
    }

    /// The packs, sorted by id.
    pub fn packs(&self) -> &[[u8; PACK]] {
        self.section(&self.layout.packs).as_chunks().0
    }

    /// The index files covered, sorted.
    pub fn files(&self) -> impl Iterator<Item = Id> + '_ {
        let (files, _) = self.section(&self.layout.files).as_chunks::<FILE>();
        files.iter().map(|file| Id(*file))
    }

    pub fn pack_id(&self, pack: u32) -> Option<Id> {
        self.packs().get(pack as usize).map(pack_record_id)
    }

    /// The entries of one blob.
    pub fn find(&self, kind: BlobKind, id: &Id) -> &[RawEntry] {
        let entries = self.entries(kind);
        let (table, bits) = match kind {
            BlobKind::Data => (&self.layout.data_table, self.counts.data_bits),
            BlobKind::Tree => (&self.layout.tree_table, self.counts.tree_bits),
        };
        let table = self.section(table);
        let at = 4 * bucket(&id.0, bits);
        let (from, to) = (number(table, at) as usize, number(table, at + 4) as usize);
        let Some(bucket) = entries.get(from..to) else {
            return &[];
        };
        let first = bucket.partition_point(|raw| raw[..32] < id.0[..]);
        let bucket = &bucket[first..];
        let same = bucket.iter().take_while(|raw| raw[..32] == id.0).count();
        &bucket[..same]
    }

    /// An entry as others see it; `None` when its pack number is impossible (damage).
    pub fn location(&self, kind: BlobKind, raw: &RawEntry) -> Option<Location> {
        let blob = entry_blob(kind, raw);
        Some(Location {
            pack: self.pack_id(entry_pack(raw))?,
            offset: blob.offset,
            length: blob.length,
            uncompressed: blob.uncompressed,
        })
    }
}

pub(super) fn pack_record_id(raw: &[u8; PACK]) -> Id {
    let mut id = Id::ZERO;
    id.0.copy_from_slice(&raw[..32]);
    id
}

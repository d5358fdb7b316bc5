//! The local file, read as if its parts were one.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use memmap2::Mmap;

use super::bytes::{number32, number64};
use super::numbers::Key;
use super::part::{Item, Part, Section};
use super::record::{Known, Lacking, Layout, RECORD, Record};
use super::spans::{MixMap, Packed, Span};
use super::{Error, Result, Sums, local};

/// Which file it was: another one has taken its place when this differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Identity {
    /// That of the file at a path; `None` when there is none.
    pub fn of(path: &Path) -> Option<Identity> {
        std::fs::metadata(path).ok().map(|metadata| Identity::new(&metadata))
    }

    fn new(metadata: &Metadata) -> Identity {
        Identity {
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// The opened file.
#[derive(Debug)]
pub(super) struct State {
    pub path: Arc<Path>,
    pub identity: Identity,
    /// Where the last part ends.
    pub end: u64,
    pub parts: Vec<Part>,
    pub layout: Layout,
    /// Sorted by number.
    pub generations: Vec<Known>,
    /// Keys of the vault's index files, sorted.
    pub index_files: Vec<Key>,
    pub lacking: Vec<Lacking>,
    /// The contents of single blobs that are part of others as well.
    pub alone: MixMap<u32, u32>,
    /// Items whose set is not that of their record.
    moved: [MixMap<u32, u32>; 3],
}

/// The part of a number, and its place there.
fn locate(parts: &[Part], of: impl Fn(&Part) -> (u32, u32), n: u32) -> Option<(&Part, u64)> {
    let after = parts.partition_point(|part| of(part).0 <= n);
    let mut candidates = parts[..after].iter().rev();
    let part = candidates.find(|part| of(part).1 > 0)?;
    let at = n - of(part).0;
    (at < of(part).1).then_some((part, u64::from(at)))
}

impl State {
    /// Opens it; `None` when there is none that can be used: then it is made anew.
    pub fn open(path: &Path, vault: &[u8; 16]) -> Result<Option<State>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(local("open", path))?,
        };
        // Asked before it is mapped: what is added meanwhile makes it another one.
        let metadata = file.metadata().map_err(local("look at", path))?;
        if metadata.len() == 0 {
            return Ok(None);
        }
        // SAFETY: the file is private to this program; it is replaced as a whole or grows at its end, and what is mapped of
        // it is never changed: only a part that was cut off, which nobody looks at, is.
        let map = Arc::new(unsafe { Mmap::map(&file) }.map_err(local("read", path))?);
        let path: Arc<Path> = path.into();
        let (mut parts, mut end) = (Vec::<Part>::new(), 0);
        while let Some((part, next)) = Part::open(&map, &path, end, vault) {
            parts.push(part);
            end = next;
        }
        let Some(last) = parts.last() else { return Ok(None) };
        let mut state = State {
            identity: Identity::new(&metadata),
            end: end as u64,
            layout: serde_json::from_slice(last.all(Section::Layout)?).map_err(|_| Error::Damaged {
                file: path.to_path_buf(),
            })?,
            generations: chunks(last.all(Section::Generations)?).map(Known::decode).collect(),
            index_files: chunks(last.all(Section::IndexFiles)?).copied().collect(),
            lacking: chunks(last.all(Section::Missing)?).map(Lacking::decode).collect(),
            alone: MixMap::default(),
            moved: Default::default(),
            parts,
            path,
        };
        for part in &state.parts {
            let pair = |raw: &[u8; 8]| (number32(raw, 0), number32(raw, 4));
            state.alone.extend(chunks(part.all(Section::Alone)?).map(pair));
            for item in Item::ALL {
                let moved = chunks(part.all(Section::Moved(item))?).map(pair);
                state.moved[item as usize].extend(moved);
            }
        }
        Ok(Some(state))
    }

    fn damaged(&self) -> Error {
        Error::Damaged {
            file: self.path.to_path_buf(),
        }
    }

    /// How many of a kind there are.
    pub fn count(&self, item: Item) -> u32 {
        let last = self.parts.last().map(|part| part.counts);
        last.map_or(0, |counts| counts.first[item as usize] + counts.items[item as usize])
    }

    /// How many sets there are.
    pub fn sets(&self) -> u32 {
        let last = self.parts.last().map(|part| part.counts);
        last.map_or(0, |counts| counts.first_set + counts.sets)
    }

    fn part(&self, item: Item, n: u32) -> Result<(&Part, u64)> {
        let of = |part: &Part| (part.counts.first[item as usize], part.counts.items[item as usize]);
        locate(&self.parts, of, n).ok_or_else(|| self.damaged())
    }

    /// The number of a key.
    pub fn number(&self, item: Item, key: &Key) -> Result<Option<u32>> {
        for part in &self.parts {
            if let Some(number) = find(part, item, key)? {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// An item.
    pub fn record(&self, item: Item, n: u32) -> Result<Record> {
        let (part, at) = self.part(item, n)?;
        let at = at * RECORD as u64;
        let mut record = Record::decode(part.bytes(Section::Records(item), at, at + RECORD as u64)?);
        if let Some(word) = self.moved[item as usize].get(&n) {
            record.word = *word;
        }
        Ok(record)
    }

    /// What a folder or a content refers to; empty for a tree that could not be read.
    pub fn edges(&self, item: Item, n: u32) -> Result<&[u8]> {
        let (part, at) = self.part(item, n)?;
        let offsets = part.bytes(Section::Offsets(item), 8 * at, 8 * at + 16)?;
        part.bytes(Section::Edges(item), number64(offsets, 0), number64(offsets, 8))
    }

    /// A set, as it lies: with the part whose spans a larger one refers to.
    fn packed(&self, set: u32) -> Result<(&Part, Packed)> {
        let of = |part: &Part| (part.counts.first_set, part.counts.sets);
        let (part, at) = locate(&self.parts, of, set).ok_or_else(|| self.damaged())?;
        let raw = part.bytes(Section::Sets, 8 * at, 8 * at + 8)?;
        Ok((part, Packed(number64(raw, 0))))
    }

    /// Puts a set's spans into `spans`.
    pub fn spans(&self, set: u32, spans: &mut Vec<Span>) -> Result<()> {
        spans.clear();
        let (part, packed) = self.packed(set)?;
        unpack(part, packed, spans)
    }

    /// Calls `each` for all sets by number, with their spans.
    pub fn each_set(&self, mut each: impl FnMut(u32, &[Span])) -> Result<()> {
        let mut spans = Vec::new();
        let mut number = 0;
        for part in &self.parts {
            for raw in chunks::<8>(part.all(Section::Sets)?) {
                spans.clear();
                unpack(part, Packed(number64(raw, 0)), &mut spans)?;
                each(number, &spans);
                number += 1;
            }
        }
        Ok(())
    }

    /// Calls `each` with what is added to the sums of sets.
    pub fn each_sum(&self, mut each: impl FnMut(u32, Sums)) -> Result<()> {
        for part in &self.parts {
            let bytes = part.all(Section::Sums)?;
            let read = super::bytes::take;
            let (mut at, mut set) = (0, 0_u64);
            while at < bytes.len() {
                let mut next = || read(bytes, &mut at).ok_or_else(|| self.damaged());
                set += next()?;
                let mut fields = [0; 7];
                for field in &mut fields {
                    *field = super::bytes::unfold(next()?) as u64;
                }
                each(
                    u32::try_from(set).map_err(|_| self.damaged())?,
                    Sums::from_fields(fields),
                );
            }
        }
        Ok(())
    }
}

/// Writes down what is added to the sum of a set; sets come in the order of their numbers, `last` is the one before.
pub(super) fn put_sums(out: &mut Vec<u8>, last: &mut u32, set: u32, sums: &Sums) {
    super::bytes::put(out, u64::from(set - *last));
    *last = set;
    for field in sums.fields() {
        super::bytes::put(out, super::bytes::fold(field as i64));
    }
}

/// Writes down a set: its span, or where its spans are.
pub(super) fn put_set(sets: &mut Vec<u8>, more: &mut Vec<u8>, spans: &[Span]) -> Result<()> {
    let packed = match spans {
        [] => Packed::EMPTY,
        [span] => Packed::span(*span),
        spans => {
            // In units of eight bytes, which leaves room for 32 GB of them.
            let at = u32::try_from(more.len() / 8).map_err(|_| Error::TooMany("sets of generations"))?;
            more.extend_from_slice(&(spans.len() as u64).to_le_bytes());
            for (first, last) in spans {
                more.extend_from_slice(&first.to_le_bytes());
                more.extend_from_slice(&last.to_le_bytes());
            }
            Packed::many(at)
        }
    };
    sets.extend_from_slice(&packed.0.to_le_bytes());
    Ok(())
}

fn unpack(part: &Part, packed: Packed, spans: &mut Vec<Span>) -> Result<()> {
    if let Some(span) = packed.single() {
        spans.push(span);
    } else if let Some(at) = packed.number() {
        // A place in units of eight bytes: their count there, the spans behind it.
        let at = 8 * u64::from(at);
        let count = number64(part.bytes(Section::Spans, at, at + 8)?, 0);
        let end = at.saturating_add(8).saturating_add(count.saturating_mul(8));
        let raw = chunks(part.bytes(Section::Spans, at + 8, end)?);
        spans.extend(raw.map(|raw: &[u8; 8]| (number32(raw, 0), number32(raw, 4))));
    }
    Ok(())
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = &[u8; N]> {
    bytes.as_chunks::<N>().0.iter()
}

/// Bytes of a key with its number.
pub(super) const ENTRY: usize = 20;

/// The number of a key in one part. Keys are hashes, so that where one must be follows from its first bits, give or take.
fn find(part: &Part, item: Item, key: &Key) -> Result<Option<u32>> {
    let section = Section::Keys(item);
    let count = part.length(section) / ENTRY as u64;
    let read = |n: u64| part.bytes(section, n * ENTRY as u64, (n + 1) * ENTRY as u64);
    let first = key.first_chunk::<8>().map_or(0, |first| u64::from_be_bytes(*first));
    let guess = ((u128::from(first) * u128::from(count)) >> 64) as u64;
    // The answer is in `low..high`.
    let (mut low, mut high, mut step) = (0, count, 16);
    while low < guess.saturating_sub(step) {
        if read(guess - step)?[..16] <= key[..] {
            low = guess - step;
            break;
        }
        high = guess - step;
        step *= 4;
    }
    step = 16;
    while guess + step < high {
        if read(guess + step)?[..16] > key[..] {
            high = guess + step;
            break;
        }
        low = low.max(guess + step);
        step *= 4;
    }
    while low < high {
        let middle = low.midpoint(high);
        let entry = read(middle)?;
        match entry[..16].cmp(&key[..]) {
            std::cmp::Ordering::Equal => return Ok(Some(number32(entry, 16))),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(None)
}

//! One part of the local file: sections of bytes, each block of which has a checksum that is looked at when the block is
//! first used, so that opening costs nothing however much there is, and nothing wrong is ever believed.
//!
//! ```text
//! header   magic, length of the part, counts, where each section is, checksums of the table and of the header itself
//! body     the sections, one after the other
//! table    the first eight bytes of the SHA-256 of each 4096 bytes of the body
//! ```
//! All numbers are little-endian. The header is written last: a part that was cut off has none, and is not there.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memmap2::Mmap;
use sha2::{Digest, Sha256};

use super::bytes::{number32, number64};
use super::{Error, Result, local};

/// First bytes of a part. The last one is the version of the whole form.
const MAGIC: [u8; 8] = *b"CofferL1";
/// Bytes that share a checksum.
const BLOCK: usize = 4096;
/// Bytes of a checksum.
const SUM: usize = 8;

/// The things that are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Item {
    /// Folders.
    Tree,
    /// Data blobs.
    Blob,
    /// Contents of files that are not one blob of their own.
    Content,
}

impl Item {
    pub const ALL: [Item; 3] = [Item::Tree, Item::Blob, Item::Content];
}

/// The sections of a part. What is said to be "all" replaces what earlier parts have of it, the rest adds to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// How generations are numbered: JSON.
    Layout,
    /// All generations.
    Generations,
    /// All index files of the vault.
    IndexFiles,
    /// All that the vault lacks.
    Missing,
    /// Blobs that are a content and part of another: pairs of blob and content.
    Alone,
    /// Sets, eight bytes each.
    Sets,
    /// The spans of those sets that have several.
    Spans,
    /// What is added to the sums of sets.
    Sums,
    /// Keys and numbers, sorted.
    Keys(Item),
    /// Set and weight of each new item.
    Records(Item),
    /// Items of earlier parts whose set is another now.
    Moved(Item),
    /// Where the edges of each new item start.
    Offsets(Item),
    /// Edges.
    Edges(Item),
}

const SECTIONS: usize = 8 + 5 * 3;

impl Section {
    fn number(self) -> usize {
        match self {
            Section::Layout => 0,
            Section::Generations => 1,
            Section::IndexFiles => 2,
            Section::Missing => 3,
            Section::Alone => 4,
            Section::Sets => 5,
            Section::Spans => 6,
            Section::Sums => 7,
            Section::Keys(item) => 8 + item as usize,
            Section::Records(item) => 11 + item as usize,
            Section::Moved(item) => 14 + item as usize,
            Section::Offsets(item) => 17 + item as usize,
            Section::Edges(item) => 20 + item as usize,
        }
    }
}

/// What a part adds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// The number of its first item of each kind.
    pub first: [u32; 3],
    /// How many of each it has.
    pub items: [u32; 3],
    /// The number of its first set.
    pub first_set: u32,
    /// How many sets it has.
    pub sets: u32,
}

/// magic, length, vault, counts, sections, where the table is, its checksum, the header's checksum
const HEADER: usize = 8 + 8 + 16 + 8 * 4 + SECTIONS * 16 + 8 + 16 + 16;

/// Writes a part, section after section.
pub(super) struct PartWriter {
    out: BufWriter<File>,
    path: PathBuf,
    start: u64,
    /// Bytes of the body so far.
    at: u64,
    block: Vec<u8>,
    sums: Vec<u8>,
    sections: [(u64, u64); SECTIONS],
    current: Option<usize>,
}

impl PartWriter {
    /// Starts a part at a place of a file, where nothing is behind it.
    pub fn new(file: File, path: &Path, start: u64) -> Result<PartWriter> {
        let mut out = BufWriter::with_capacity(1 << 18, file);
        let begin = |out: &mut BufWriter<File>| {
            out.seek(SeekFrom::Start(start))?;
            out.write_all(&[0; HEADER])
        };
        begin(&mut out).map_err(local("write", path))?;
        Ok(PartWriter {
            out,
            path: path.to_owned(),
            start,
            at: 0,
            block: Vec::with_capacity(BLOCK),
            sums: Vec::new(),
            sections: [(0, 0); SECTIONS],
            current: None,
        })
    }

    /// What is written from now on belongs to this section, which comes only once.
    pub fn section(&mut self, section: Section) {
        self.end_section();
        self.current = Some(section.number());
        self.sections[section.number()].0 = self.at;
    }

    fn end_section(&mut self) {
        if let Some(current) = self.current.take() {
            self.sections[current].1 = self.at - self.sections[current].0;
        }
    }

    /// Adds bytes to the section.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(local("write", &self.path))?;
        self.at += bytes.len() as u64;
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK {
                self.sums.extend_from_slice(&sum(&self.block));
                self.block.clear();
            }
        }
        Ok(())
    }

    /// Writes a whole section.
    pub fn whole(&mut self, section: Section, bytes: &[u8]) -> Result<()> {
        self.section(section);
        self.write(bytes)
    }

    /// Ends the part: from now on it is there. Gives the file, for what else is to be done with it.
    pub fn finish(mut self, vault: &[u8; 16], counts: &Counts) -> Result<File> {
        self.end_section();
        if !self.block.is_empty() {
            self.sums.extend_from_slice(&sum(&self.block));
        }
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(&MAGIC);
        let length = HEADER as u64 + self.at + self.sums.len() as u64;
        header.extend_from_slice(&length.to_le_bytes());
        header.extend_from_slice(vault);
        let numbers = counts.first.iter().chain(&counts.items);
        for number in numbers.chain([&counts.first_set, &counts.sets]) {
            header.extend_from_slice(&number.to_le_bytes());
        }
        for (from, length) in self.sections {
            header.extend_from_slice(&from.to_le_bytes());
            header.extend_from_slice(&length.to_le_bytes());
        }
        header.extend_from_slice(&self.at.to_le_bytes());
        header.extend_from_slice(&Sha256::digest(&self.sums)[..16]);
        let check = Sha256::digest(&header);
        header.extend_from_slice(&check[..16]);
        let mut end = || {
            self.out.write_all(&self.sums)?;
            self.out.flush()?;
            self.out.get_ref().sync_data()?;
            self.out.seek(SeekFrom::Start(self.start))?;
            self.out.write_all(&header)?;
            self.out.flush()?;
            self.out.get_ref().sync_data()
        };
        end().map_err(local("write", &self.path))?;
        let path = self.path;
        self.out
            .into_inner()
            .map_err(|error| local("write", &path)(error.into_error()))
    }
}

fn sum(block: &[u8]) -> [u8; SUM] {
    let mut sum = [0; SUM];
    sum.copy_from_slice(&Sha256::digest(block)[..SUM]);
    sum
}

/// A part that is there.
#[derive(Debug)]
pub(super) struct Part {
    map: Arc<Mmap>,
    path: Arc<Path>,
    /// The body in the map.
    body: Range<usize>,
    /// The table in the map.
    table: Range<usize>,
    sections: [(u64, u64); SECTIONS],
    /// What it adds to.
    pub counts: Counts,
    /// Blocks that were found to be whole, a bit each.
    whole: Vec<AtomicU64>,
}

impl Part {
    /// The part that starts at a place, and where the next one does; `None` when no whole one of this vault is there.
    pub fn open(map: &Arc<Mmap>, path: &Arc<Path>, start: usize, vault: &[u8; 16]) -> Option<(Part, usize)> {
        let header = map.get(start..start.checked_add(HEADER)?)?;
        let (checked, check) = header.split_at(HEADER - 16);
        if header[..8] != MAGIC || Sha256::digest(checked)[..16] != *check || header[16..32] != *vault {
            return None;
        }
        let end = start.checked_add(usize::try_from(number64(header, 8)).ok()?)?;
        let number = |n: usize| number32(header, 32 + 4 * n);
        let counts = Counts {
            first: [number(0), number(1), number(2)],
            items: [number(3), number(4), number(5)],
            first_set: number(6),
            sets: number(7),
        };
        let mut sections = [(0, 0); SECTIONS];
        for (n, section) in sections.iter_mut().enumerate() {
            let at = 64 + 16 * n;
            *section = (number64(header, at), number64(header, at + 8));
        }
        let at = 64 + 16 * SECTIONS;
        let body = start + HEADER;
        let table = body.checked_add(usize::try_from(number64(header, at)).ok()?)?;
        if table > end || Sha256::digest(map.get(table..end)?)[..16] != header[at + 8..at + 24] {
            return None;
        }
        let blocks = (end - table) / SUM;
        let part = Part {
            map: map.clone(),
            path: path.clone(),
            body: body..table,
            table: table..end,
            sections,
            counts,
            whole: std::iter::repeat_with(AtomicU64::default)
                .take(blocks.div_ceil(64))
                .collect(),
        };
        Some((part, end))
    }

    fn damaged(&self) -> Error {
        Error::Damaged {
            file: self.path.to_path_buf(),
        }
    }

    /// How many bytes a section has.
    pub fn length(&self, section: Section) -> u64 {
        self.sections[section.number()].1
    }

    /// Some bytes of a section, all of which are as they were written.
    pub fn bytes(&self, section: Section, from: u64, to: u64) -> Result<&[u8]> {
        let (start, length) = self.sections[section.number()];
        if from > to || to > length {
            return Err(self.damaged());
        }
        let range = || Some((usize::try_from(start + from).ok()?, usize::try_from(start + to).ok()?));
        let (from, to) = range().ok_or_else(|| self.damaged())?;
        if from < to {
            for block in from / BLOCK..=(to - 1) / BLOCK {
                self.check(block)?;
            }
        }
        let body = self.map.get(self.body.clone()).unwrap_or_default();
        body.get(from..to).ok_or_else(|| self.damaged())
    }

    /// A whole section.
    pub fn all(&self, section: Section) -> Result<&[u8]> {
        self.bytes(section, 0, self.length(section))
    }

    fn check(&self, block: usize) -> Result<()> {
        let word = self.whole.get(block / 64).ok_or_else(|| self.damaged())?;
        if word.load(Ordering::Relaxed) >> (block % 64) & 1 == 1 {
            return Ok(());
        }
        let from = self.body.start + block * BLOCK;
        let bytes = self.map.get(from..self.body.end.min(from + BLOCK)).unwrap_or_default();
        let at = self.table.start + block * SUM;
        if self.map.get(at..at + SUM) != Some(&sum(bytes)[..]) {
            return Err(self.damaged());
        }
        word.fetch_or(1 << (block % 64), Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn map(path: &Path) -> Arc<Mmap> {
        // SAFETY: the file is the test's own.
        Arc::new(unsafe { Mmap::map(&File::open(path).unwrap()).unwrap() })
    }

    /// Two parts: what sections they have, and their file.
    fn sample() -> (tempfile::TempDir, PathBuf, u64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut first = PartWriter::new(File::create(&path).unwrap(), &path, 0).unwrap();
        first.whole(Section::Keys(Item::Content), &[7; 10_000]).unwrap();
        first.section(Section::Sets);
        first.write(&[1; 5]).unwrap();
        first.write(&[2; 5]).unwrap();
        let counts = Counts {
            first: [1, 2, 3],
            items: [4, 5, 6],
            first_set: 7,
            sets: 8,
        };
        let file = first.finish(&[9; 16], &counts).unwrap();
        let end = file.metadata().unwrap().len();
        let mut second = PartWriter::new(file, &path, end).unwrap();
        second.whole(Section::Sums, b"sums").unwrap();
        second.finish(&[9; 16], &Counts::default()).unwrap();
        (folder, path, end)
    }

    fn parts(path: &Path) -> Vec<Part> {
        let (map, path) = (map(path), Arc::from(path));
        let (mut parts, mut at) = (Vec::new(), 0);
        while let Some((part, next)) = Part::open(&map, &path, at, &[9; 16]) {
            parts.push(part);
            at = next;
        }
        parts
    }

    #[test]
    fn sections_come_back() {
        let (_folder, path, _) = sample();
        let parts = parts(&path);
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].all(Section::Keys(Item::Content)).unwrap(), [7; 10_000]);
        assert_eq!(parts[0].bytes(Section::Sets, 4, 6).unwrap(), [1, 2]);
        assert_eq!(parts[0].counts.items, [4, 5, 6]);
        assert_eq!(parts[1].all(Section::Sums).unwrap(), b"sums");
        assert_eq!(parts[1].all(Section::Spans).unwrap(), b"");
        assert!(parts[0].bytes(Section::Sets, 4, 11).is_err());
        assert!(
            Part::open(&map(&path), &Arc::from(&*path), 0, &[8; 16]).is_none(),
            "another vault's"
        );
    }

    #[test]
    fn a_part_that_is_cut_off_is_not_there_and_the_one_before_it_is() {
        let (_folder, path, end) = sample();
        let whole = fs::read(&path).unwrap();
        for length in (end as usize..whole.len()).step_by(37) {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(parts(&path).len(), 1, "{length}");
        }
    }

    #[test]
    fn no_changed_byte_goes_unnoticed() {
        let (_folder, path, end) = sample();
        let whole = fs::read(&path).unwrap();
        for at in (0..end as usize).step_by(61) {
            let mut changed = whole.clone();
            changed[at] ^= 8;
            fs::write(&path, &changed).unwrap();
            let noticed = match parts(&path).first() {
                None => true,
                Some(part) => part.all(Section::Keys(Item::Content)).is_err() || part.all(Section::Sets).is_err(),
            };
            assert!(noticed, "byte {at}");
        }
    }
}

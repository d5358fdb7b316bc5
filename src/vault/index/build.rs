//! Making segments: from entries in memory, or by merging segments. Neither needs more memory for a larger vault, but for
//! a few bytes a pack.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::merge::Merge;
use super::segment::{
    Counts, HEADER, PackSums, RawEntry, SMALL, Segment, bucket, bucket_bits, entry_blob, entry_offset, entry_pack,
    pack_record_id, raw_entry,
};
use super::{BlobKind, Error, Id, Result};
use crate::vault::crypto::random_bytes;
use crate::vault::pack::PackBlob;

/// Ending of a segment's name.
pub(super) const ENDING: &str = "segment";
/// Ending of the name of a segment that is being written.
pub(super) const TEMPORARY: &str = "temporary";

pub(super) fn local(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.display().to_string();
    move |source| Error::Local { action, path, source }
}

/// Entries in memory, on their way into a segment.
#[derive(Debug, Default)]
pub(super) struct Batch {
    data: Vec<RawEntry>,
    trees: Vec<RawEntry>,
    packs: Vec<Id>,
    files: Vec<Id>,
}

impl Batch {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.data.len() + self.trees.len()
    }

    /// Whether no index file is in it.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Starts a pack; the blobs pushed with the number returned are in it. Its id can be set later.
    pub fn pack(&mut self, id: Id) -> u32 {
        self.packs.push(id);
        (self.packs.len() - 1) as u32
    }

    /// Sets the id of a pack.
    pub fn name_pack(&mut self, number: u32, id: Id) {
        if let Some(pack) = self.packs.get_mut(number as usize) {
            *pack = id;
        }
    }

    /// Adds a blob of a pack.
    pub fn push(&mut self, pack: u32, blob: &PackBlob) {
        let raw = raw_entry(&blob.id, pack, blob.offset, blob.length, blob.uncompressed);
        match blob.kind {
            BlobKind::Data => self.data.push(raw),
            BlobKind::Tree => self.trees.push(raw),
        }
    }

    /// Says that all entries of an index file are in it.
    pub fn cover(&mut self, file: Id) {
        self.files.push(file);
    }

    /// How full it is, to come back to with [`Batch::truncate`].
    pub fn mark(&self) -> [usize; 3] {
        [self.data.len(), self.trees.len(), self.packs.len()]
    }

    /// Forgets what was added since a mark was taken.
    pub fn truncate(&mut self, [data, trees, packs]: [usize; 3]) {
        self.data.truncate(data);
        self.trees.truncate(trees);
        self.packs.truncate(packs);
    }

    /// Writes all of it as a segment and leaves it empty.
    pub fn write(&mut self, folder: &Path) -> Result<Segment> {
        let mut packs = std::mem::take(&mut self.packs);
        let numbered = packs.clone();
        packs.sort_unstable();
        packs.dedup();
        let numbers: Vec<u32> = numbered
            .iter()
            .map(|id| packs.binary_search(id).map_or(u32::MAX, |at| at as u32))
            .collect();
        for entries in [&mut self.data, &mut self.trees] {
            for raw in entries.iter_mut() {
                let pack = numbers.get(entry_pack(raw) as usize).copied().unwrap_or(u32::MAX);
                raw[32..36].copy_from_slice(&pack.to_le_bytes());
            }
            entries.sort_unstable_by(|a, b| order(a).cmp(&order(b)));
            entries.dedup();
        }
        let [data, trees] = [self.data.len() as u64, self.trees.len() as u64];
        let mut writer = SegmentWriter::new(folder, data, trees, packs.len())?;
        for (kind, entries) in [(BlobKind::Data, &mut self.data), (BlobKind::Tree, &mut self.trees)] {
            for raw in entries.iter() {
                writer.push(kind, raw)?;
            }
            entries.clear();
        }
        let mut files = std::mem::take(&mut self.files);
        files.sort_unstable();
        files.dedup();
        writer.finish(&mut packs.into_iter(), &mut files.into_iter())
    }
}

/// The order of entries of a kind in a segment. Pack numbers sort as pack ids.
fn order(raw: &RawEntry) -> (&[u8], u32, u32) {
    (&raw[..32], entry_pack(raw), entry_offset(raw))
}

/// Merges segments into one that covers all that they cover.
pub(super) fn merge(sources: &[Arc<Segment>], folder: &Path) -> Result<Segment> {
    let files = sources.iter().flat_map(|source| source.files()).collect();
    merge_without(sources, folder, &|_| false, files)
}

/// Merges segments into one without the packs that leave. It covers these index files, which must tell of just the rest.
pub(super) fn merge_without(
    sources: &[Arc<Segment>],
    folder: &Path,
    leaves: &dyn Fn(&Id) -> bool,
    mut files: Vec<Id>,
) -> Result<Segment> {
    let (packs, numbers) = merge_packs(sources, leaves);
    let count = |kind| sources.iter().map(|source| source.entries(kind).len() as u64).sum();
    let mut writer = SegmentWriter::new(folder, count(BlobKind::Data), count(BlobKind::Tree), packs.len())?;
    for kind in [BlobKind::Data, BlobKind::Tree] {
        let mut merge = Merge::new(sources, kind);
        while let Some((source, raw)) = merge.next() {
            let mut raw = *raw;
            let pack = numbers
                .get(source)
                .and_then(|numbers| numbers.get(entry_pack(&raw) as usize));
            // An impossible number is damage in the cache: better no merged segment than one with a hole in it.
            let Some(pack) = pack else {
                return Err(Error::Internal("an entry of the local index refers to no pack".into()));
            };
            if *pack == LEFT_OUT {
                continue;
            }
            raw[32..36].copy_from_slice(&pack.to_le_bytes());
            writer.push(kind, &raw)?;
        }
    }
    let ids = packs.iter().map(|&(source, number)| {
        sources
            .get(source as usize)
            .and_then(|source| source.pack_id(number))
            .unwrap_or(Id::ZERO)
    });
    files.sort_unstable();
    files.dedup();
    writer.finish(&mut { ids }, &mut files.into_iter())
}

/// The new number of a pack that is left out.
const LEFT_OUT: u32 = u32::MAX;

/// All packs of some segments in order, each as a source and its number there, and for each source the new number of
/// each of its packs.
fn merge_packs(sources: &[Arc<Segment>], leaves: &dyn Fn(&Id) -> bool) -> (Vec<(u32, u32)>, Vec<Vec<u32>>) {
    let mut packs: Vec<(u32, u32)> = Vec::new();
    let mut numbers: Vec<Vec<u32>> = sources
        .iter()
        .map(|source| Vec::with_capacity(source.packs().len()))
        .collect();
    let mut last = None;
    loop {
        let heads = sources
            .iter()
            .zip(&numbers)
            .enumerate()
            .filter_map(|(n, (source, numbers))| source.packs().get(numbers.len()).map(|raw| (pack_record_id(raw), n)));
        let Some((id, source)) = heads.min() else {
            break;
        };
        let number = numbers[source].len() as u32;
        if leaves(&id) {
            numbers[source].push(LEFT_OUT);
            continue;
        }
        if last != Some(id) {
            packs.push((source as u32, number));
            last = Some(id);
        }
        numbers[source].push((packs.len() - 1) as u32);
    }
    (packs, numbers)
}

/// A segment file that is being written, front to back.
struct SegmentWriter {
    out: Output,
    counts: Counts,
    data_table: Vec<u32>,
    tree_table: Vec<u32>,
    sums: Vec<PackSums>,
    last: Option<(BlobKind, RawEntry)>,
}

impl SegmentWriter {
    /// Starts a segment of at most so many entries.
    fn new(folder: &Path, data: u64, trees: u64, packs: usize) -> Result<SegmentWriter> {
        if data.max(trees) > u64::from(u32::MAX) {
            return Err(Error::Unsupported {
                place: folder.display().to_string(),
                what: "the vault has more than four thousand million blobs of a kind".into(),
            });
        }
        let counts = Counts {
            data: 0,
            trees: 0,
            packs: 0,
            files: 0,
            data_bits: bucket_bits(data),
            tree_bits: bucket_bits(trees),
        };
        Ok(SegmentWriter {
            out: Output::new(folder)?,
            counts,
            data_table: Vec::with_capacity((1 << counts.data_bits) + 1),
            tree_table: Vec::with_capacity((1 << counts.tree_bits) + 1),
            sums: vec![PackSums::default(); packs],
            last: None,
        })
    }

    /// Appends an entry: data before trees, each in order. One that is equal to the last is passed over.
    fn push(&mut self, kind: BlobKind, raw: &RawEntry) -> Result<()> {
        if self.last.as_ref() == Some(&(kind, *raw)) {
            return Ok(());
        }
        self.last = Some((kind, *raw));
        let (count, table, bits) = match kind {
            BlobKind::Data => (&mut self.counts.data, &mut self.data_table, self.counts.data_bits),
            BlobKind::Tree => (&mut self.counts.trees, &mut self.tree_table, self.counts.tree_bits),
        };
        let bucket = bucket(raw, bits);
        while table.len() <= bucket {
            table.push(*count as u32);
        }
        *count += 1;
        if let Some(sums) = self.sums.get_mut(entry_pack(raw) as usize) {
            let blob = entry_blob(kind, raw);
            sums.add(kind, blob.length, blob.uncompressed.is_some());
        }
        self.out.write(raw)
    }

    fn finish(mut self, packs: &mut dyn Iterator<Item = Id>, files: &mut dyn Iterator<Item = Id>) -> Result<Segment> {
        self.data_table
            .resize((1 << self.counts.data_bits) + 1, self.counts.data as u32);
        self.tree_table
            .resize((1 << self.counts.tree_bits) + 1, self.counts.trees as u32);
        for table in [&self.data_table, &self.tree_table] {
            for start in table {
                self.out.write(&start.to_le_bytes())?;
            }
        }
        for (id, sums) in packs.zip(&self.sums) {
            self.out.write(&sums.to_bytes(&id))?;
            self.counts.packs += 1;
        }
        let body = std::mem::take(&mut self.out.hash).finalize().into();
        for file in files {
            self.out.write(&file.0)?;
            self.counts.files += 1;
        }
        let files = std::mem::take(&mut self.out.hash).finalize().into();
        self.out.finish(&self.counts.header(&files, &body))
    }
}

/// The file under its temporary name, and the checksum of what went into it. Deleted unless finished.
struct Output {
    file: BufWriter<File>,
    hash: Sha256,
    path: PathBuf,
    size: u64,
    finished: bool,
}

impl Output {
    fn new(folder: &Path) -> Result<Output> {
        let mut random = [0; 16];
        random_bytes(&mut random)?;
        let name = data_encoding::HEXLOWER.encode(&random);
        let path = folder.join(name).with_extension(TEMPORARY);
        let file = File::options()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(local("create", &path))?;
        let mut output = Output {
            file: BufWriter::with_capacity(64 * 1024, file),
            hash: Sha256::new(),
            path,
            size: HEADER as u64,
            finished: false,
        };
        output
            .file
            .write_all(&[0; HEADER])
            .map_err(local("write", &output.path))?;
        Ok(output)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).map_err(local("write", &self.path))
    }

    fn finish(mut self, header: &[u8; HEADER]) -> Result<Segment> {
        let done = self.path.with_extension(ENDING);
        let write = |out: &mut Output| -> io::Result<()> {
            out.file.flush()?;
            out.file.seek(SeekFrom::Start(0))?;
            out.file.write_all(header)?;
            out.file.flush()?;
            if out.size > SMALL {
                // It will not be read whole when it is opened: a power cut must not leave holes in it.
                out.file.get_ref().sync_data()?;
            }
            fs::rename(&out.path, &done)
        };
        write(&mut self).map_err(local("write", &self.path))?;
        self.finished = true;
        let opened = Segment::open(&done).map_err(local("open", &done))?;
        opened.ok_or_else(|| Error::Damaged {
            file: done.display().to_string(),
            what: "it is not what was just written; is the disk failing?".into(),
        })
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.path);
        }
    }
}

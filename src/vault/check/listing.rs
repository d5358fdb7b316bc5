//! Key files, index files, and the packs there are against those the index tells of.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::finding::{Collector, FindingKind, count};
use super::threads;
use crate::progress::Cancel;
use crate::storage::{FileKind, StorageError};
use crate::vault::compress::Codec;
use crate::vault::index::{Index, json};
use crate::vault::pack::{self, PackBlob};
use crate::vault::repository::read_key_file;
use crate::vault::{BlobKind, Error, Id, Result, Vault};

/// A pack that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackSize {
    pub(super) id: Id,
    /// Bytes of its file.
    pub(super) size: u64,
}

/// Reads every key file.
pub(super) fn check_keys(vault: &Vault, report: &Collector<'_>) -> Result<()> {
    for id in vault.list_files(FileKind::Key)? {
        match read_key_file(&**vault.storage(), &id) {
            Ok(_) | Err(Error::Storage(StorageError::NotFound { .. })) => {}
            Err(error) => report.error(FindingKind::BadKey, vault.place_of(FileKind::Key, &id), reason(error)),
        }
    }
    Ok(())
}

/// Reads every index file and compares what they tell of packs with the packs that are there. Returns those that are in
/// both, sorted by id.
pub(super) fn check_packs(vault: &Vault, report: &Collector<'_>, cancel: &Cancel) -> Result<Vec<PackSize>> {
    let indexed = read_index_files(vault, report, cancel)?;
    let mut there = Vec::new();
    vault
        .storage()
        .list(FileKind::Pack, &mut |id, size| there.push(PackSize { id, size }))?;
    there.sort_unstable_by_key(|pack| pack.id);

    let place = |id: &Id| vault.place_of(FileKind::Pack, id);
    let mut rest = there.iter().peekable();
    let mut both = Vec::with_capacity(there.len());
    for group in indexed.chunk_by(|a, b| a.id == b.id) {
        let told = group[0];
        count(&report.packs, 1);
        check_duplicates(group, report, &place);
        if told.mixed && vault.version() > 1 {
            let what = "it holds both data and trees, which restic does not do in version 2";
            report.warning(FindingKind::MixedPack, place(&told.id), what);
        }
        while let Some(orphan) = rest.next_if(|pack| pack.id < told.id) {
            report_orphan(orphan, report, &place);
        }
        match rest.next_if(|pack| pack.id == told.id) {
            None => {
                let what = format!(
                    "the index tells of this pack with {} blobs, but it is not there",
                    told.blobs
                );
                report.error(FindingKind::MissingPack, place(&told.id), what);
            }
            Some(pack) => {
                if !group.iter().any(|told| told.size == pack.size) {
                    let what = format!(
                        "it has {} bytes, but by the index it must have {}",
                        pack.size, told.size
                    );
                    report.error(FindingKind::PackSize, place(&told.id), what);
                }
                both.push(*pack);
            }
        }
    }
    rest.for_each(|orphan| report_orphan(orphan, report, &place));
    Ok(both)
}

fn report_orphan(pack: &PackSize, report: &Collector<'_>, place: &dyn Fn(&Id) -> String) {
    let what = format!(
        "no index file tells of this pack ({} bytes): an interrupted backup leaves such, and a prune removes them",
        pack.size
    );
    report.warning(FindingKind::OrphanPack, place(&pack.id), what);
}

/// A pack may be in several index files only if they say the same, as after an interrupted prune.
fn check_duplicates(group: &[IndexedPack], report: &Collector<'_>, place: &dyn Fn(&Id) -> String) {
    let [first, others @ ..] = group else { return };
    if others.is_empty() {
        return;
    }
    if others.iter().all(|other| other.digest == first.digest) {
        let what = format!("it is in the index {} times", group.len());
        report.warning(FindingKind::DuplicatePack, place(&first.id), what);
    } else {
        let what = format!("it is in the index {} times, and not with the same blobs", group.len());
        report.error(FindingKind::DuplicatePack, place(&first.id), what);
    }
}

/// What an index file tells of a pack.
#[derive(Debug, Clone, Copy)]
struct IndexedPack {
    id: Id,
    /// The exact size its file must have.
    size: u64,
    /// A hash of its entries, to compare.
    digest: u64,
    blobs: u32,
    mixed: bool,
}

/// Reads all index files; returns what they tell of packs, sorted by id.
fn read_index_files(vault: &Vault, report: &Collector<'_>, cancel: &Cancel) -> Result<Vec<IndexedPack>> {
    let files = vault.list_files(FileKind::Index)?;
    let next = AtomicUsize::new(0);
    let all = Mutex::new(Vec::new());
    let worker = || {
        let mut codec = Codec::default();
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed))
            && !cancel.is_cancelled()
        {
            let place = vault.place_of(FileKind::Index, file);
            let json = match vault.read_file_with(FileKind::Index, file, &mut codec) {
                Ok(json) => json,
                Err(error) => {
                    report.error(FindingKind::BadIndex, place, reason(error));
                    continue;
                }
            };
            let mut sink = PackSink {
                place: &place,
                report,
                packs: Vec::new(),
                blobs: Vec::new(),
            };
            if let Err(error) = json::parse(&json, &mut sink) {
                report.error(
                    FindingKind::BadIndex,
                    &place,
                    format!("it is not an index file: {error}"),
                );
                continue;
            }
            count(&report.index_files, 1);
            all.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .append(&mut sink.packs);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads().min(files.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    cancel.check()?;
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_unstable_by_key(|pack: &IndexedPack| (pack.id, pack.digest));
    Ok(all)
}

/// Sums up the packs of one index file.
struct PackSink<'a, 'p> {
    place: &'a str,
    report: &'a Collector<'p>,
    packs: Vec<IndexedPack>,
    /// Those of the pack that is being read.
    blobs: Vec<PackBlob>,
}

impl json::Sink for PackSink<'_, '_> {
    fn pack(&mut self) {
        self.blobs.clear();
    }

    fn blob(&mut self, blob: &PackBlob) {
        self.blobs.push(*blob);
    }

    fn pack_end(&mut self, id: Id) {
        // restic writes them in no particular order.
        self.blobs.sort_unstable_by_key(|blob| (blob.offset, blob.id));
        let mut hash = DefaultHasher::new();
        let (mut end, mut compressed, mut gap) = (0u64, 0u64, None);
        let (mut trees, mut data) = (false, false);
        for blob in &self.blobs {
            if u64::from(blob.offset) != end {
                gap.get_or_insert(blob.offset);
            }
            end += u64::from(blob.length);
            compressed += u64::from(blob.uncompressed.is_some());
            trees |= blob.kind == BlobKind::Tree;
            data |= blob.kind == BlobKind::Data;
            (blob.kind, blob.id, blob.offset, blob.length, blob.uncompressed).hash(&mut hash);
        }
        if let Some(offset) = gap {
            let what = format!("what it tells of pack {id} leaves a gap or overlaps at byte {offset}");
            self.report.error(FindingKind::BadIndexEntry, self.place, what);
        }
        let count = self.blobs.len() as u64;
        self.packs.push(IndexedPack {
            id,
            size: pack::pack_size(end, count - compressed, compressed),
            digest: hash.finish(),
            blobs: u32::try_from(count).unwrap_or(u32::MAX),
            mixed: trees && data,
        });
    }
}

/// The index without the files that cannot be read (which are reported by then). A local copy that is damaged is made anew.
pub(super) fn load_index(vault: &Vault, cancel: &Cancel) -> Result<Index> {
    let load = || Index::load_reporting(vault, cancel, &|_, _| Ok(()));
    let index = load()?;
    if index.verify_cache().is_ok() {
        return Ok(index);
    }
    drop(index);
    let index = load()?;
    index.verify_cache()?;
    Ok(index)
}

/// An error without the file's name, which the finding has.
pub(super) fn reason(error: Error) -> String {
    match error {
        Error::Damaged { what, .. } => what,
        error => error.to_string(),
    }
}

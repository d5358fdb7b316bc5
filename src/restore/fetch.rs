//! From packs to files: blobs that files need are gathered into batches, sorted by pack, read in runs, opened on all cores
//! and written.
//!
//! A batch bounds memory whatever the generation's size. Backups store blobs about in the order of the walk, so a batch
//! still finds nearly all it needs from a pack side by side.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use super::Error;
use super::file::FileTask;
use super::job::{Job, add};
use super::walk::is_about_one_blob;
use crate::storage::FileKind;
use crate::vault::compress::Scratch;
use crate::vault::index::Location;
use crate::vault::{BlobKind, Id};

/// Most files of a batch.
pub(super) const FILES: usize = 4096;
/// Most pieces of a batch.
pub(super) const NEEDS: usize = 32_768;
/// Bytes of a pack that are read at once, unless one blob is larger.
const RUN: u64 = 1 << 20;
/// Unneeded bytes between two blobs that are read along rather than making two reads.
const GAP: u64 = 32 << 10;
/// Files without content that are done as one piece of work.
const PLAIN: usize = 64;

/// A piece of a file and where its blob lies.
#[derive(Debug, Clone, Copy)]
struct Need {
    id: Id,
    pack: u32,
    offset: u32,
    length: u32,
    uncompressed: Option<u32>,
    file: u32,
    at: u64,
}

/// Files and what they need.
#[derive(Default)]
pub(super) struct Batch<'a> {
    files: Vec<Arc<FileTask<'a>>>,
    needs: Vec<Need>,
    /// Files that need no blob.
    plain: Vec<u32>,
    /// In the order of their first use.
    packs: Vec<Id>,
    pack_numbers: HashMap<Id, u32>,
    /// Folders that the files keep open.
    folders: usize,
    last_folder: Option<u32>,
}

/// Work for one thread.
pub(super) enum Work<'a> {
    /// Needs that lie side by side in one pack.
    Run(Arc<Batch<'a>>, Range<usize>),
    /// Files that need no blob.
    Plain(Arc<Batch<'a>>, Range<usize>),
}

/// Gathers batches and hands out their work.
pub(super) struct Gather<'a> {
    job: &'a Job<'a>,
    work: Sender<Work<'a>>,
    batch: Batch<'a>,
    /// Folders that a batch may keep open.
    folders: usize,
}

impl<'a> Gather<'a> {
    pub fn new(job: &'a Job<'a>, work: Sender<Work<'a>>, folders: usize) -> Gather<'a> {
        Gather {
            job,
            work,
            batch: Batch::default(),
            folders,
        }
    }

    /// Adds a file in the folder of this number with the pieces to be written: offset and blob.
    pub fn add(&mut self, file: FileTask<'a>, folder: u32, pieces: impl Iterator<Item = (u64, Id, Location)>) {
        let file = Arc::new(file);
        self.keep(&file, folder);
        if file.needs_nothing() {
            let number = self.number();
            self.batch.plain.push(number);
        }
        for (at, id, location) in pieces {
            if self.batch.needs.len() >= NEEDS {
                self.flush();
                self.keep(&file, folder);
            }
            let next = u32::try_from(self.batch.packs.len()).unwrap_or(u32::MAX);
            let pack = *self.batch.pack_numbers.entry(location.pack).or_insert(next);
            if pack == next {
                self.batch.packs.push(location.pack);
            }
            let file = self.number();
            let Location {
                offset,
                length,
                uncompressed,
                ..
            } = location;
            self.batch.needs.push(Need {
                id,
                pack,
                offset,
                length,
                uncompressed,
                file,
                at,
            });
        }
        if self.batch.files.len() >= FILES || self.batch.folders > self.folders {
            self.flush();
        }
    }

    fn keep(&mut self, file: &Arc<FileTask<'a>>, folder: u32) {
        self.batch.files.push(Arc::clone(file));
        if self.batch.last_folder != Some(folder) {
            self.batch.last_folder = Some(folder);
            self.batch.folders += 1;
        }
    }

    /// The number of the file added last.
    fn number(&self) -> u32 {
        u32::try_from(self.batch.files.len())
            .unwrap_or(u32::MAX)
            .saturating_sub(1)
    }

    /// Hands out what has been gathered.
    pub fn flush(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        batch.pack_numbers = HashMap::new();
        batch
            .needs
            .sort_unstable_by_key(|need| (need.pack, need.offset, need.file, need.at));
        let batch = Arc::new(batch);
        let mut start = 0;
        while start < batch.needs.len() && !self.job.is_stopped() {
            let end = start + run_length(&batch.needs[start..]);
            // The workers outlive this end, so it cannot fail.
            let _ = self.work.send(Work::Run(Arc::clone(&batch), start..end));
            start = end;
        }
        let mut start = 0;
        while start < batch.plain.len() && !self.job.is_stopped() {
            let end = (start + PLAIN).min(batch.plain.len());
            let _ = self.work.send(Work::Plain(Arc::clone(&batch), start..end));
            start = end;
        }
    }
}

/// How many of these sorted needs are read at once.
fn run_length(needs: &[Need]) -> usize {
    run_of(needs.iter().map(|need| (need.pack, need.offset, need.length)))
}

/// How many of these pieces, sorted by pack and offset, are read at once: each its pack's number, offset and length.
pub(super) fn run_of(mut pieces: impl Iterator<Item = (u32, u32, u32)>) -> usize {
    let Some((pack, first, length)) = pieces.next() else {
        return 0;
    };
    let mut end = u64::from(first) + u64::from(length);
    let fits = |&(of, offset, length): &(u32, u32, u32)| {
        let (start, stop) = (u64::from(offset), u64::from(offset) + u64::from(length));
        let fits = of == pack && start <= end + GAP && (stop - u64::from(first) <= RUN || offset == first);
        end = end.max(stop);
        fits
    };
    1 + pieces.take_while(fits).count()
}

/// A thread's buffers.
#[derive(Default)]
struct Buffers {
    sealed: Vec<u8>,
    plain: Vec<u8>,
    scratch: Scratch,
}

/// Does work until there is no more. When the job is stopped, what is left is let go of.
pub(super) fn work(job: &Job<'_>, queue: &Receiver<Work<'_>>) {
    let mut buffers = Buffers::default();
    for work in queue {
        if job.is_stopped() {
            continue;
        }
        match work {
            Work::Run(batch, range) => run(job, &batch, &batch.needs[range], &mut buffers),
            Work::Plain(batch, range) => {
                for &number in &batch.plain[range] {
                    if job.is_stopped() {
                        break;
                    }
                    if let Some(file) = batch.files.get(number as usize) {
                        file.finish_without_pieces();
                    }
                }
            }
        }
    }
}

fn run(job: &Job<'_>, batch: &Batch<'_>, needs: &[Need], buffers: &mut Buffers) {
    let (Some(first), Some(pack)) = (
        needs.first(),
        needs.first().and_then(|need| batch.packs.get(need.pack as usize)),
    ) else {
        return;
    };
    if let Some(file) = batch.files.get(first.file as usize) {
        job.progress.set_current(&file.path());
    }
    let start = first.offset;
    let ends = needs.iter().map(|need| need.offset.saturating_add(need.length));
    let length = (ends.max().unwrap_or(start) - start) as usize;
    // An index can claim blobs of any length; nothing is read beyond what one blob may have.
    let sane = u64::try_from(length).is_ok_and(|length| length <= RUN.max(u64::from(first.length)) * 2)
        && first.length <= crate::vault::compress::MAX_DATA_BLOB.saturating_add(1024);
    buffers.sealed.clear();
    let storage = job.vault.vault().storage();
    let read = sane && {
        buffers.sealed.resize(length, 0);
        storage
            .read_at(FileKind::Pack, pack, u64::from(start), &mut buffers.sealed)
            .is_ok()
    };
    if read {
        add(&job.counters.bytes_fetched, length as u64);
    }
    let same_blob = |a: &Need, b: &Need| (a.offset, a.id) == (b.offset, b.id);
    for uses in needs.chunk_by(same_blob) {
        if job.is_stopped() {
            return;
        }
        let Some(need) = uses.first() else { continue };
        let location = Location {
            pack: *pack,
            offset: need.offset,
            length: need.length,
            uncompressed: need.uncompressed,
        };
        let opened = read && {
            let from = (need.offset - start) as usize;
            let Buffers { sealed, plain, scratch } = &mut *buffers;
            let sealed = sealed.get_mut(from..from + need.length as usize);
            sealed.is_some_and(|sealed| {
                job.vault
                    .open_blob(BlobKind::Data, &need.id, &location, sealed, scratch, plain)
                    .is_ok()
            })
        };
        // Anything wrong: the vault tries again, and other packs that hold the blob.
        let opened = match opened {
            true => Ok(()),
            false => job
                .vault
                .blob_into(BlobKind::Data, &need.id, &mut buffers.scratch, &mut buffers.plain),
        };
        match opened {
            Ok(()) => {
                for need in uses {
                    if let Some(file) = batch.files.get(need.file as usize) {
                        file.write(need.at, &buffers.plain);
                    }
                }
            }
            Err(error) if is_about_one_blob(&error) => {
                let reason = error.to_string();
                for need in uses {
                    if let Some(file) = batch.files.get(need.file as usize) {
                        file.miss(&reason);
                    }
                }
            }
            Err(error) => return job.end(Error::Vault(error)),
        }
    }
}

//! Keeping the local segments in step with the vault's index files.
//!
//! Opening lists both, takes the segments whose index files are all still there, and reads only the files that none of
//! them covers. Any number of processes may do so at once: segments are made under names of their own and never changed,
//! a segment that is deleted stays usable for whoever has it open, and what is missing is made again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use super::build::{self, Batch, ENDING, TEMPORARY, local};
use super::json::Sink;
use super::segment::Segment;
use super::{Error, Id, Index, Result};
use crate::progress::Cancel;
use crate::storage::FileKind;
use crate::vault::Vault;
use crate::vault::pack::PackBlob;

/// A batch of this many entries becomes a segment: 12 MB for each thread that reads index files.
const BATCH: usize = 1 << 18;
/// With more segments than this, looking in each costs more than merging them once.
const MANY: usize = 6;
/// The most segments that are merged at once.
const AT_ONCE: usize = 16;
/// Threads that read index files, at most.
const THREADS: usize = 4;
/// A temporary file this old was left by a process that died.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

/// Told of an index file that cannot be read: returns the error to stop, or nothing to go on without that file.
pub type OnBadFile<'a> = &'a (dyn Fn(Id, Error) -> Result<()> + Sync);

impl Index {
    /// Brings the local segments up to date with the vault and opens them. An index file that cannot be read is an error.
    pub fn load(vault: &Vault, cancel: &Cancel) -> Result<Index> {
        Index::load_reporting(vault, cancel, &refuse)
    }

    /// The same, but `on_bad` decides about index files that cannot be read.
    pub fn load_reporting(vault: &Vault, cancel: &Cancel, on_bad: OnBadFile) -> Result<Index> {
        let folder = vault.cache_folder()?.join("index");
        fs::create_dir_all(&folder).map_err(local("create", &folder))?;
        let segments = load(vault, &folder, cancel, on_bad)?;
        Ok(Index {
            folder,
            segments: RwLock::new(Arc::new(segments)),
            changing: Mutex::default(),
        })
    }

    /// Takes in what other processes did to the vault since it was opened.
    pub fn refresh(&self, vault: &Vault, cancel: &Cancel) -> Result<()> {
        let _changing = self.change();
        self.replace(load(vault, &self.folder, cancel, &refuse)?);
        Ok(())
    }

    /// Takes in an index file that was just saved, from the entries it was made of.
    pub(in crate::vault) fn publish(&self, file: Id, packs: &[(Id, Vec<PackBlob>)]) -> Result<()> {
        let mut batch = Batch::default();
        for (id, blobs) in packs {
            let pack = batch.pack(*id);
            blobs.iter().for_each(|blob| batch.push(pack, blob));
        }
        batch.cover(file);
        let segment = Arc::new(batch.write(&self.folder)?);
        let _changing = self.change();
        let mut segments = Vec::clone(&self.segments());
        segments.push(segment);
        self.replace(segments);
        Ok(())
    }

    /// Takes in that index files were written anew without the packs that leave, so that none has to be read for it:
    /// `new` files tell of what the `old` ones told, without these packs.
    pub(in crate::vault) fn leave_out(&self, leaves: &dyn Fn(&Id) -> bool, old: &[Id], new: &[Id]) -> Result<()> {
        let _changing = self.change();
        let segments = self.segments();
        let (touched, mut rest): (Vec<_>, Vec<_>) = segments
            .iter()
            .cloned()
            .partition(|segment| segment.files().any(|file| old.contains(&file)));
        if touched.is_empty() {
            return Ok(());
        }
        let files = touched.iter().flat_map(|segment| segment.files());
        let files = files
            .filter(|file| !old.contains(file))
            .chain(new.iter().copied())
            .collect();
        let merged = build::merge_without(&touched, &self.folder, leaves, files)?;
        for segment in &touched {
            let _ = fs::remove_file(segment.path());
        }
        rest.push(Arc::new(merged));
        self.replace(rest);
        Ok(())
    }

    /// Merges segments if there are many. Failing to is no error: it only makes searching slower.
    pub(in crate::vault) fn tidy(&self) {
        let _changing = self.change();
        let segments = self.segments();
        if segments.len() > MANY {
            self.replace(merge_many(Vec::clone(&segments), &self.folder));
        }
    }

    /// Reads every segment whole and compares it with its checksum. One that is damaged is deleted, and the error says
    /// so: for when a blob was not found or not where it should be.
    pub fn verify_cache(&self) -> Result<()> {
        for segment in self.segments().iter() {
            if !segment.verify() {
                let _ = fs::remove_file(segment.path());
                return Err(Error::Damaged {
                    file: segment.path().display().to_string(),
                    what: "this local copy of the index was wrong and has been deleted; run the command again".into(),
                });
            }
        }
        Ok(())
    }
}

/// No index file may be missing.
fn refuse(_: Id, error: Error) -> Result<()> {
    Err(error.advise(|| {
        "coffer check tells what else is damaged, and restic's command repair index makes the index anew from the packs".into()
    }))
}

/// The segments that cover the vault's index files, each once.
fn load(vault: &Vault, folder: &Path, cancel: &Cancel, on_bad: OnBadFile) -> Result<Vec<Arc<Segment>>> {
    // In this order a segment made meanwhile covers no file that the listing lacks.
    let found = find_segments(folder)?;
    let mut files = BTreeSet::new();
    vault.storage().list(FileKind::Index, &mut |id, _| {
        files.insert(id);
    })?;
    let (mut segments, missing) = choose(found, files);
    if !missing.is_empty() {
        segments.extend(read_files(vault, folder, &missing, cancel, on_bad)?);
    }
    if segments.len() > MANY {
        segments = merge_many(segments, folder);
    }
    Ok(segments)
}

/// Opens what is whole in the folder and deletes the rest.
fn find_segments(folder: &Path) -> Result<Vec<Arc<Segment>>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(local("list", folder))? {
        let entry = entry.map_err(local("list", folder))?;
        let path = entry.path();
        match path.extension().and_then(|ending| ending.to_str()) {
            // One that another process deletes at this moment is no loss; one that cannot be opened is made again.
            Some(ENDING) => match Segment::open(&path) {
                Ok(Some(segment)) => found.push(Arc::new(segment)),
                Ok(None) => drop(fs::remove_file(&path)),
                Err(_) => {}
            },
            Some(TEMPORARY) => {
                let age = entry
                    .metadata()
                    .and_then(|metadata| metadata.modified())
                    .ok()
                    .and_then(|t| t.elapsed().ok());
                if age.is_some_and(|age| age > ABANDONED) {
                    let _ = fs::remove_file(&path);
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Of the segments found, those that cover only `files` and none that another one covers, the larger first; and the files
/// that none covers. The others are deleted.
fn choose(mut found: Vec<Arc<Segment>>, files: BTreeSet<Id>) -> (Vec<Arc<Segment>>, Vec<Id>) {
    found.sort_by_key(|segment| std::cmp::Reverse(segment.len()));
    let mut missing = files;
    let mut chosen = Vec::new();
    for segment in found {
        // A file that is not missing any more is gone from the vault, or covered by a segment chosen before.
        if segment.files().all(|file| missing.contains(&file)) {
            segment.files().for_each(|file| {
                missing.remove(&file);
            });
            chosen.push(segment);
        } else {
            let _ = fs::remove_file(segment.path());
        }
    }
    (chosen, missing.into_iter().collect())
}

/// Reads index files on a few threads, each of which fills its own batches.
fn read_files(
    vault: &Vault,
    folder: &Path,
    files: &[Id],
    cancel: &Cancel,
    on_bad: OnBadFile,
) -> Result<Vec<Arc<Segment>>> {
    let next = AtomicUsize::new(0);
    let made = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        let mut batch = Batch::default();
        let flush = |batch: &mut Batch| -> Result<()> {
            let segment = Arc::new(batch.write(folder)?);
            let full = {
                let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
                made.push(segment);
                (made.len() >= AT_ONCE).then(|| std::mem::take(&mut *made))
            };
            if let Some(full) = full {
                let merged = merge_many(full, folder);
                made.lock().unwrap_or_else(PoisonError::into_inner).extend(merged);
            }
            Ok(())
        };
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            cancel.check()?;
            if let Err(error) = read_file(vault, file, &mut batch) {
                // The others need not go on when this stops.
                on_bad(*file, error).inspect_err(|_| next.store(files.len(), Ordering::Relaxed))?;
            }
            if batch.len() >= BATCH {
                flush(&mut batch)?;
            }
        }
        if !batch.is_empty() {
            flush(&mut batch)?;
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism()
        .map_or(1, |n| n.get())
        .min(THREADS)
        .min(files.len());
    if threads <= 1 {
        work()?;
    } else {
        std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            handles.into_iter().try_for_each(|handle| {
                handle
                    .join()
                    .unwrap_or_else(|_| Err(Error::Internal("a thread that reads index files died".into())))
            })
        })?;
    }
    Ok(made.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Adds an index file's entries to a batch, all or none.
fn read_file(vault: &Vault, file: &Id, batch: &mut Batch) -> Result<()> {
    let json = vault.read_file(FileKind::Index, file)?;
    let mark = batch.mark();
    let mut sink = BatchSink { batch, pack: 0 };
    let parsed = super::json::parse(&json, &mut sink);
    parsed.map_err(|error| {
        batch.truncate(mark);
        Error::Damaged {
            file: vault.storage().describe_file(FileKind::Index, file),
            what: format!("it is no valid index: {error}"),
        }
    })?;
    batch.cover(*file);
    Ok(())
}

struct BatchSink<'a> {
    batch: &'a mut Batch,
    pack: u32,
}

impl Sink for BatchSink<'_> {
    fn pack(&mut self) {
        self.pack = self.batch.pack(Id::ZERO);
    }
    fn blob(&mut self, blob: &PackBlob) {
        self.batch.push(self.pack, blob);
    }
    fn pack_end(&mut self, id: Id) {
        self.batch.name_pack(self.pack, id);
    }
}

/// Merges the smaller segments until each is at least twice as large as all the smaller ones together: so each entry is
/// written again only as often as the vault doubles. When that fails (a full disk), the segments stay as they are.
fn merge_many(mut segments: Vec<Arc<Segment>>, folder: &Path) -> Vec<Arc<Segment>> {
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.len()));
    let mut smaller = 0;
    let mut from = segments.len();
    for (n, segment) in segments.iter().enumerate().rev() {
        if n + 1 < segments.len() && segment.len() <= 2 * smaller {
            from = n;
        }
        smaller += segment.len();
    }
    // Never so many at once that finding the least entry takes long; what is left over comes the next time.
    let from = from
        .max(segments.len().saturating_sub(AT_ONCE))
        .min(segments.len().saturating_sub(2));
    let merged = match build::merge(&segments[from..], folder) {
        Ok(merged) => merged,
        Err(_) => return segments,
    };
    for segment in segments.drain(from..) {
        let _ = fs::remove_file(segment.path());
    }
    segments.push(Arc::new(merged));
    if segments.len() > AT_ONCE {
        merge_many(segments, folder)
    } else {
        segments
    }
}

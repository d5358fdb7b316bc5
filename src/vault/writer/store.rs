//! The storing side of a writer: threads that seal, hash and write full packs, and save index files.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::WriterOptions;
use super::claims::Claims;
use crate::storage::{FileKind, StorageError};
use crate::vault::index::json;
use crate::vault::lock::LockWatch;
use crate::vault::pack::{PackBlob, PackBuilder};
use crate::vault::{Error, Id, IndexedVault, Result};

/// One hashes while the other waits for the disk. With as many packs in the channel, two wait and two are stored.
const THREADS: usize = 2;
const CHANNEL: usize = 1;
/// Packs larger than this are stored by one thread and wait in no channel, to keep memory bounded.
const LARGE: u32 = 32 << 20;
/// Room in a pack's buffer beyond the target size: for the last blob and the header.
const SPARE: usize = 2 << 20;
/// An index file is saved when so many blobs are stored …
const INDEX_BLOBS: usize = 50_000;
/// … or so many bytes of packs (what is in no index file is lost to a program that is killed) …
const INDEX_BYTES: u64 = 8 << 30;
/// … or, for a backup, so much time has passed since the last one.
const INDEX_TIME: Duration = Duration::from_secs(10 * 60);

/// Whether packs of so many blobs and bytes that are in no index file make one due.
pub(in crate::vault) fn index_is_due(blobs: usize, bytes: u64) -> bool {
    blobs >= INDEX_BLOBS || bytes >= INDEX_BYTES
}

/// What was stored.
#[derive(Debug, Default)]
pub(super) struct Stored {
    pub packs: AtomicU64,
    pub bytes: AtomicU64,
    pub index_files: AtomicU64,
}

/// The storing threads' owner.
#[derive(Debug)]
pub(super) struct Store {
    shared: Arc<Shared>,
    sender: Option<Sender<Numbered>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    wanted_threads: usize,
    pack_size: u32,
    /// How many packs were handed over.
    sent: AtomicU64,
}

/// A full pack on its way, with its number.
type Numbered = (u64, PackBuilder);

#[derive(Debug)]
struct Shared {
    vault: IndexedVault,
    claims: Arc<Claims>,
    receiver: Receiver<Numbered>,
    /// Buffers of stored packs, to be filled again.
    buffers: Mutex<Vec<Vec<u8>>>,
    pending: Mutex<Pending>,
    /// Save index files also because time has passed.
    timed: bool,
    lock: Option<LockWatch>,
    stored: Stored,
    failed: AtomicBool,
    failure: Mutex<Option<Error>>,
}

/// A stored pack: its name, its size and what is in it.
type StoredPack = (Id, u64, Vec<PackBlob>);

/// Packs that are stored but in no index file yet. They come into index files in the order in which they were handed over,
/// whichever thread is faster, so that it is known beforehand how many files it takes.
#[derive(Debug)]
struct Pending {
    /// By number, those that wait for one before them.
    waiting: BTreeMap<u64, StoredPack>,
    /// The number that comes next.
    next: u64,
    packs: Vec<(Id, Vec<PackBlob>)>,
    blobs: usize,
    bytes: u64,
    saved: Instant,
}

impl Pending {
    /// The packs of the next index file, if one is due.
    fn due(&mut self, timed: bool) -> Option<Vec<(Id, Vec<PackBlob>)>> {
        while !index_is_due(self.blobs, self.bytes)
            && let Some(pack) = self.waiting.remove(&self.next)
        {
            self.next += 1;
            self.take(pack);
        }
        let late = timed && self.saved.elapsed() >= INDEX_TIME;
        (index_is_due(self.blobs, self.bytes) || late).then(|| self.all())
    }

    fn take(&mut self, (id, size, blobs): StoredPack) {
        self.blobs += blobs.len();
        self.bytes += size;
        self.packs.push((id, blobs));
    }

    fn all(&mut self) -> Vec<(Id, Vec<PackBlob>)> {
        self.saved = Instant::now();
        (self.blobs, self.bytes) = (0, 0);
        std::mem::take(&mut self.packs)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// The threads start with the first pack: a backup without changes needs none.
    pub fn new(vault: &IndexedVault, claims: Arc<Claims>, options: &WriterOptions) -> Store {
        let pack_size = options.pack_size;
        let large = pack_size > LARGE;
        let (sender, receiver) = bounded(if large { 0 } else { CHANNEL });
        Store {
            shared: Arc::new(Shared {
                vault: vault.clone(),
                claims,
                receiver,
                buffers: Mutex::default(),
                pending: Mutex::new(Pending {
                    waiting: BTreeMap::new(),
                    next: 0,
                    packs: Vec::new(),
                    blobs: 0,
                    bytes: 0,
                    saved: Instant::now(),
                }),
                timed: options.timed_index,
                lock: options.lock.clone(),
                stored: Stored::default(),
                failed: AtomicBool::new(false),
                failure: Mutex::default(),
            }),
            sender: Some(sender),
            threads: Mutex::default(),
            wanted_threads: if large { 1 } else { THREADS },
            pack_size,
            sent: AtomicU64::new(0),
        }
    }

    /// Hands over a pack; waits while too many are under way.
    pub fn send(&self, pack: PackBuilder) -> Result<()> {
        self.check()?;
        self.start()?;
        let sender = self
            .sender
            .as_ref()
            .ok_or_else(|| Error::Internal("the writer is finished".into()))?;
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        sender
            .send((number, pack))
            .map_err(|_| Error::Internal("the storing threads are gone".into()))
    }

    fn start(&self) -> Result<()> {
        let mut threads = lock(&self.threads);
        while threads.len() < self.wanted_threads {
            let shared = self.shared.clone();
            let thread = std::thread::Builder::new()
                .name("store".into())
                .spawn(move || shared.work());
            threads.push(thread.map_err(|error| Error::Internal(format!("no thread can be started: {error}")))?);
        }
        Ok(())
    }

    /// An empty buffer for a pack, used before if there is one. A new one has room for a full pack from the start, since
    /// room that is not used takes no memory, but copying to larger and larger ones takes time.
    pub fn buffer(&self) -> Vec<u8> {
        let used = lock(&self.shared.buffers).pop();
        used.unwrap_or_else(|| Vec::with_capacity(self.pack_size as usize + SPARE))
    }

    /// Errors once something has failed.
    pub fn check(&self) -> Result<()> {
        if !self.shared.failed.load(Ordering::Acquire) {
            return Ok(());
        }
        let failure = lock(&self.shared.failure);
        Err(failure
            .as_ref()
            .map_or_else(|| Error::Internal("storing failed".into()), again))
    }

    /// Makes every later call fail with this error, too.
    pub fn fail(&self, error: Error) -> Error {
        self.shared.fail(&error);
        error
    }

    /// Waits until all packs are stored, and saves the last index file. Harmless when called again.
    pub fn finish(&mut self) -> Result<()> {
        self.sender = None;
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            if thread.join().is_err() {
                self.shared.fail(&Error::Internal("a storing thread died".into()));
            }
        }
        // Even after a failure, and after a pack that was not stored: what is in the vault should be found there by the next
        // run.
        let saved = self.shared.save_rest();
        self.check()?;
        saved
    }

    /// What was stored so far.
    pub fn stored(&self) -> &Stored {
        &self.shared.stored
    }
}

impl Shared {
    fn work(&self) {
        // The receiver never closes before the sender, so that nobody waits for ever, even after a failure.
        for (number, pack) in &self.receiver {
            if self.failed.load(Ordering::Acquire) {
                continue;
            }
            if let Err(error) = self.store(number, pack) {
                self.fail(&error);
            }
        }
    }

    fn store(&self, number: u64, pack: PackBuilder) -> Result<()> {
        self.lock.as_ref().map_or(Ok(()), LockWatch::check_known)?;
        let vault = self.vault.vault();
        let sealed = pack.seal(vault.key())?;
        vault.storage().write(FileKind::Pack, &sealed.id, &[&sealed.bytes])?;
        let size = sealed.bytes.len() as u64;
        self.stored.packs.fetch_add(1, Ordering::Relaxed);
        self.stored.bytes.fetch_add(size, Ordering::Relaxed);
        {
            let mut buffers = lock(&self.buffers);
            if buffers.len() <= THREADS {
                buffers.push(sealed.bytes);
            }
        }
        lock(&self.pending)
            .waiting
            .insert(number, (sealed.id, size, sealed.blobs));
        self.save_due()
    }

    /// Saves the index files that are due.
    fn save_due(&self) -> Result<()> {
        loop {
            let due = lock(&self.pending).due(self.timed);
            match due {
                Some(packs) => self.save_index(packs)?,
                None => return Ok(()),
            }
        }
    }

    /// Saves index files of everything that is stored.
    fn save_rest(&self) -> Result<()> {
        self.save_due()?;
        let packs = {
            let mut pending = lock(&self.pending);
            let waiting = std::mem::take(&mut pending.waiting);
            waiting.into_values().for_each(|pack| pending.take(pack));
            pending.all()
        };
        self.save_index(packs)
    }

    fn save_index(&self, packs: Vec<(Id, Vec<PackBlob>)>) -> Result<()> {
        if packs.is_empty() {
            return Ok(());
        }
        self.lock.as_ref().map_or(Ok(()), LockWatch::confirm)?;
        let mut text = Vec::with_capacity(packs.iter().map(|(_, blobs)| 100 + 200 * blobs.len()).sum());
        json::start(&mut text);
        packs
            .iter()
            .for_each(|(id, blobs)| json::write_pack(&mut text, id, blobs));
        json::end(&mut text);
        let file = self.vault.vault().write_file(FileKind::Index, &text)?;
        self.stored.index_files.fetch_add(1, Ordering::Relaxed);
        drop(text);
        match self.vault.index().publish(file, &packs) {
            Ok(()) => {
                let blobs = packs.iter().flat_map(|(_, blobs)| blobs);
                self.claims.release(blobs.map(|blob| (blob.kind, blob.id)));
                self.vault.index().tidy();
            }
            // The vault is as it should be; only this run has to go on remembering these blobs itself.
            Err(error) => tracing::warn!("the local index cannot be written: {error}"),
        }
        Ok(())
    }

    fn fail(&self, error: &Error) {
        lock(&self.failure).get_or_insert_with(|| again(error));
        self.failed.store(true, Ordering::Release);
    }
}

/// The same error once more: several threads have to be told of one.
fn again(error: &Error) -> Error {
    let io = |source: &std::io::Error| match source.raw_os_error() {
        Some(code) => std::io::Error::from_raw_os_error(code),
        None => std::io::Error::new(source.kind(), source.to_string()),
    };
    match error {
        Error::Storage(StorageError::Io { action, what, source }) => Error::Storage(StorageError::Io {
            action,
            what: what.clone(),
            source: io(source),
        }),
        Error::Storage(StorageError::NotFound { what }) => {
            Error::Storage(StorageError::NotFound { what: what.clone() })
        }
        Error::Local { action, path, source } => Error::Local {
            action,
            path: path.clone(),
            source: io(source),
        },
        Error::Damaged { file, what } => Error::Damaged {
            file: file.clone(),
            what: what.clone(),
        },
        Error::Locked {
            place,
            exclusive,
            holder,
        } => Error::Locked {
            place: place.clone(),
            exclusive: *exclusive,
            holder: holder.clone(),
        },
        Error::LockLost { place, why } => Error::LockLost {
            place: place.clone(),
            why: why.clone(),
        },
        Error::Cancelled(cancelled) => Error::Cancelled(*cancelled),
        Error::Internal(text) => Error::Internal(text.clone()),
        other => Error::Internal(other.to_string()),
    }
}

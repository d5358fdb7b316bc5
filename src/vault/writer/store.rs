//! The storing side of a writer: threads that seal, hash and write full packs, and save index files.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::claims::Claims;
use crate::storage::{FileKind, StorageError};
use crate::vault::index::json;
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
/// … or so much time has passed since the last one.
const INDEX_TIME: Duration = Duration::from_secs(10 * 60);

/// Everything is in the vault.
#[derive(Debug)]
pub(super) struct Stored;

/// The storing threads' owner.
#[derive(Debug)]
pub(super) struct Store {
    shared: Arc<Shared>,
    sender: Option<Sender<PackBuilder>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    wanted_threads: usize,
    pack_size: u32,
}

#[derive(Debug)]
struct Shared {
    vault: IndexedVault,
    claims: Arc<Claims>,
    receiver: Receiver<PackBuilder>,
    /// Buffers of stored packs, to be filled again.
    buffers: Mutex<Vec<Vec<u8>>>,
    pending: Mutex<Pending>,
    failed: AtomicBool,
    failure: Mutex<Option<Error>>,
}

/// Packs that are stored but in no index file yet.
#[derive(Debug)]
struct Pending {
    packs: Vec<(Id, Vec<PackBlob>)>,
    blobs: usize,
    saved: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// The threads start with the first pack: a backup without changes needs none.
    pub fn new(vault: &IndexedVault, claims: Arc<Claims>, pack_size: u32) -> Store {
        let large = pack_size > LARGE;
        let (sender, receiver) = bounded(if large { 0 } else { CHANNEL });
        Store {
            shared: Arc::new(Shared {
                vault: vault.clone(),
                claims,
                receiver,
                buffers: Mutex::default(),
                pending: Mutex::new(Pending {
                    packs: Vec::new(),
                    blobs: 0,
                    saved: Instant::now(),
                }),
                failed: AtomicBool::new(false),
                failure: Mutex::default(),
            }),
            sender: Some(sender),
            threads: Mutex::default(),
            wanted_threads: if large { 1 } else { THREADS },
            pack_size,
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
        sender
            .send(pack)
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
    pub fn finish(&mut self) -> Result<Stored> {
        self.sender = None;
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            if thread.join().is_err() {
                self.shared.fail(&Error::Internal("a storing thread died".into()));
            }
        }
        // Even after a failure: what is in the vault should be found there by the next run.
        let saved = self.shared.save_index(0);
        self.check()?;
        saved.map(|()| Stored)
    }
}

impl Shared {
    fn work(&self) {
        // The receiver never closes before the sender, so that nobody waits for ever, even after a failure.
        for pack in &self.receiver {
            if self.failed.load(Ordering::Acquire) {
                continue;
            }
            if let Err(error) = self.store(pack) {
                self.fail(&error);
            }
        }
    }

    fn store(&self, pack: PackBuilder) -> Result<()> {
        let vault = self.vault.vault();
        let sealed = pack.seal(vault.key())?;
        vault.storage().write(FileKind::Pack, &sealed.id, &[&sealed.bytes])?;
        {
            let mut buffers = lock(&self.buffers);
            if buffers.len() <= THREADS {
                buffers.push(sealed.bytes);
            }
        }
        {
            let mut pending = lock(&self.pending);
            pending.blobs += sealed.blobs.len();
            pending.packs.push((sealed.id, sealed.blobs));
        }
        self.save_index(INDEX_BLOBS)
    }

    /// Saves an index file if so many blobs are in none, or it is time to.
    fn save_index(&self, blobs: usize) -> Result<()> {
        let packs = {
            let mut pending = lock(&self.pending);
            if pending.blobs < blobs && pending.saved.elapsed() < INDEX_TIME {
                return Ok(());
            }
            pending.saved = Instant::now();
            pending.blobs = 0;
            std::mem::take(&mut pending.packs)
        };
        if packs.is_empty() {
            return Ok(());
        }
        let mut text = Vec::with_capacity(packs.iter().map(|(_, blobs)| 100 + 200 * blobs.len()).sum());
        json::start(&mut text);
        packs
            .iter()
            .for_each(|(id, blobs)| json::write_pack(&mut text, id, blobs));
        json::end(&mut text);
        let file = self.vault.vault().write_file(FileKind::Index, &text)?;
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
        Error::Cancelled(cancelled) => Error::Cancelled(*cancelled),
        Error::Internal(text) => Error::Internal(text.clone()),
        other => Error::Internal(other.to_string()),
    }
}

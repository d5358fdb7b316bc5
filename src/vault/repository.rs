//! Making and opening a vault.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use super::config::{self, Config};
use super::crypto::{MasterKey, random_bytes};
use super::key::{self, KeyError, KeyFile, ScryptParameters};
use super::lock::{LockGuard, LockKind};
use super::{Error, Id, IndexedVault, Result, Time, chunker};
use crate::progress::Cancel;
use crate::storage::{FileKind, Storage, StorageError};

/// A password's bytes, wiped when dropped, never shown.
#[derive(Clone)]
pub struct Password(pub Zeroizing<Vec<u8>>);

impl Password {
    /// A password from bytes or text.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Password {
        Password(Zeroizing::new(bytes.into()))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// How new blobs are compressed (version 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// zstd 3 where it pays.
    #[default]
    Auto,
    /// None for data; trees always.
    Off,
    /// As small as possible.
    Max,
}

/// How a vault is made.
#[derive(Debug, Clone)]
pub struct CreateOptions {
    /// 1 or 2.
    pub version: u32,
    /// The chunker's polynomial; random when `None`.
    pub polynomial: Option<u64>,
    /// Who makes it, for the key file.
    pub username: String,
    /// Where, for the key file.
    pub hostname: String,
    /// A key derivation cheap enough for tests; `None` calibrates as restic does.
    pub scrypt: Option<ScryptParameters>,
}

/// An opened vault: password known, config read. Clones share it.
#[derive(Debug, Clone)]
pub struct Vault {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    storage: Arc<dyn Storage>,
    config: Config,
    master: MasterKey,
    /// The key file that opened it.
    key: Id,
    /// The folder for all vaults' caches, if the caller has one.
    cache: Option<PathBuf>,
    /// What stands in for it otherwise: removed with the last clone.
    temporary: OnceLock<TemporaryFolder>,
    no_lock: bool,
}

impl Vault {
    /// Makes a vault. Errors when one is there.
    pub fn create(storage: Arc<dyn Storage>, password: &Password, options: &CreateOptions) -> Result<Vault> {
        let place = storage.describe();
        if !(1..=2).contains(&options.version) {
            let what = format!("version {} cannot be made; choose 1 or 2", options.version);
            return Err(Error::Unsupported { place, what });
        }
        refuse_existing(&*storage, &place)?;
        let polynomial = match options.polynomial {
            Some(polynomial) if !chunker::is_irreducible(polynomial) => {
                let what = format!("the chunker polynomial {polynomial:x} is not irreducible of degree 53");
                return Err(Error::Unsupported { place, what });
            }
            Some(polynomial) => polynomial,
            None => random_polynomial()?,
        };
        let mut id = [0; 32];
        random_bytes(&mut id)?;
        let config = Config {
            version: options.version,
            id: Id(id).to_string(),
            polynomial,
        };
        let cost = options.scrypt.map_or_else(ScryptParameters::calibrate, Ok)?;
        let master = MasterKey::random()?;
        let key = KeyFile::seal(&master, &password.0, cost, now(), &options.username, &options.hostname)?;

        storage.create_layout()?;
        let bytes = key.encode().map_err(|error| Error::Internal(error.to_string()))?;
        let key = Id::of(&bytes);
        storage.write(FileKind::Key, &key, &[&bytes])?;
        let plain = config.encode().map_err(|error| Error::Internal(error.to_string()))?;
        let mut sealed = Vec::new();
        master.seal_append(&plain, &mut sealed)?;
        // Last, since from here on it is a vault.
        match storage.write(FileKind::Config, &Id::ZERO, &[&sealed]) {
            Err(StorageError::Io { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists => {
                // Someone else made one here meanwhile, to which our key is none.
                let _ = storage.remove(FileKind::Key, &key);
                return Err(Error::Exists { place });
            }
            written => written?,
        }
        Ok(Vault::assemble(storage, config, master, key, None))
    }

    /// Opens a vault. `cache` is the folder for all vaults' local caches (`<cache>/<vault id>/…`); `None` keeps what it
    /// must in a temporary folder.
    pub fn open(storage: Arc<dyn Storage>, password: &Password, cache: Option<PathBuf>) -> Result<Vault> {
        match storage.size(FileKind::Config, &Id::ZERO) {
            Ok(_) => {}
            Err(StorageError::NotFound { .. }) => {
                return Err(Error::NoVault {
                    place: storage.describe(),
                });
            }
            Err(error) => return Err(error.into()),
        }
        let (key, master) = find_key(&*storage, password)?;
        let damaged = |what: String| Error::Damaged {
            file: storage.describe_file(FileKind::Config, &Id::ZERO),
            what,
        };
        // No name to compare it with: the MAC tells whether the read went wrong.
        let mut sealed = storage.read(FileKind::Config, &Id::ZERO, config::MAX_SIZE)?;
        if master.open_in_place(&mut sealed.clone()).is_err() {
            sealed = storage.read(FileKind::Config, &Id::ZERO, config::MAX_SIZE)?;
        }
        let plain = master
            .open_in_place(&mut sealed)
            .map_err(|error| damaged(error.to_string()))?;
        let config = Config::decode(plain).map_err(damaged)?;
        Ok(Vault::assemble(storage, config, master, key, cache))
    }

    fn assemble(
        storage: Arc<dyn Storage>,
        config: Config,
        master: MasterKey,
        key: Id,
        cache: Option<PathBuf>,
    ) -> Vault {
        let inner = Inner {
            storage,
            config,
            master,
            key,
            cache,
            temporary: OnceLock::new(),
            no_lock: false,
        };
        Vault { inner: Arc::new(inner) }
    }

    /// The same vault, whose [`Vault::lock`] takes no locks for reading: for places that cannot be written to. Whoever
    /// writes takes one all the same. Must be called before the vault is shared.
    pub fn without_locks(self) -> Vault {
        match Arc::try_unwrap(self.inner) {
            Ok(inner) => Vault {
                inner: Arc::new(Inner { no_lock: true, ..inner }),
            },
            Err(inner) => Vault { inner },
        }
    }

    /// Whether locks for reading are left out.
    pub fn leaves_out_locks(&self) -> bool {
        self.inner.no_lock
    }

    /// Where it lies, for messages.
    pub fn place(&self) -> String {
        self.inner.storage.describe()
    }

    /// The vault's own id: 64 hex digits.
    pub fn id(&self) -> &str {
        &self.inner.config.id
    }

    /// 1 or 2.
    pub fn version(&self) -> u32 {
        self.inner.config.version
    }

    /// The chunker's polynomial.
    pub fn polynomial(&self) -> u64 {
        self.inner.config.polynomial
    }

    /// The storage under it.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.inner.storage
    }

    /// The key that seals and opens everything in it.
    pub fn key(&self) -> &MasterKey {
        &self.inner.master
    }

    /// The key file that the password opened.
    pub fn key_id(&self) -> Id {
        self.inner.key
    }

    /// The place of one of its files, for messages.
    pub fn place_of(&self, kind: FileKind, id: &Id) -> String {
        self.inner.storage.describe_file(kind, id)
    }

    /// An error that names one of its files.
    pub fn damaged(&self, kind: FileKind, id: &Id, what: impl ToString) -> Error {
        Error::Damaged {
            file: self.place_of(kind, id),
            what: what.to_string(),
        }
    }

    /// This vault's own cache folder, made if need be.
    pub fn cache_folder(&self) -> Result<PathBuf> {
        let (folder, tagged) = match &self.inner.cache {
            Some(cache) => (cache.join(self.id()), Some(cache)),
            None => (self.temporary_folder()?.to_owned(), None),
        };
        make_private_folder(&folder)?;
        if let Some(cache) = tagged {
            write_cache_tag(cache)?;
        }
        Ok(folder)
    }

    fn temporary_folder(&self) -> Result<&Path> {
        if self.inner.temporary.get().is_none() {
            let mut random = [0; 8];
            random_bytes(&mut random)?;
            let name = format!("coffer-{}-{:016x}", std::process::id(), u64::from_le_bytes(random));
            let folder = TemporaryFolder(std::env::temp_dir().join(name));
            make_private_folder(&folder.0)?;
            // Another thread may have been faster: then ours goes again.
            let _ = self.inner.temporary.set(folder);
        }
        match self.inner.temporary.get() {
            Some(folder) => Ok(&folder.0),
            None => Err(Error::Internal("the temporary folder was set and is not there".into())),
        }
    }

    /// Takes a lock as restic does, and keeps it fresh until the guard is dropped. Waits for nothing.
    pub fn lock(&self, kind: LockKind) -> Result<LockGuard> {
        LockGuard::take(self, kind)
    }

    /// Brings the local index up to date with the vault's (reads only index files not seen before) and opens it.
    pub fn indexed(&self, cancel: &Cancel) -> Result<IndexedVault> {
        IndexedVault::open(self, cancel)
    }
}

/// The system's time, in UTC: for key files and locks, whose times mean nothing but "now".
pub(super) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: since.subsec_nanos(),
        offset: 0,
    }
}

fn random_polynomial() -> Result<u64> {
    let mut failed = None;
    let polynomial = chunker::random_polynomial(&mut || {
        let mut random = [0; 8];
        match random_bytes(&mut random) {
            Ok(()) => u64::from_le_bytes(random),
            Err(error) => {
                failed = Some(error);
                // A number that ends the search; the error is what is returned.
                0x25_b468_838d_cb75
            }
        }
    });
    failed.map_or(Ok(polynomial), Err)
}

/// Errors when there is a vault, or what is left of one.
fn refuse_existing(storage: &dyn Storage, place: &str) -> Result<()> {
    let mut found = false;
    storage.list(FileKind::Config, &mut |_, _| found = true)?;
    if found {
        return Err(Error::Exists {
            place: place.to_owned(),
        });
    }
    for (kind, what) in [(FileKind::Key, "key files"), (FileKind::Generation, "generations")] {
        storage.list(kind, &mut |_, _| found = true)?;
        if found {
            let what = format!(
                "it holds {what} but no config, so it is a damaged vault or one whose making was interrupted; nothing \
                 was changed: choose another folder, or delete this one if nothing in it is needed"
            );
            return Err(Error::Unsupported {
                place: place.to_owned(),
                what,
            });
        }
    }
    Ok(())
}

/// Tries the key files in listing order. One that cannot be read shuts nobody out whose own opens; if none does, it is told.
fn find_key(storage: &dyn Storage, password: &Password) -> Result<(Id, MasterKey)> {
    let mut ids = Vec::new();
    storage.list(FileKind::Key, &mut |id, _| ids.push(id))?;
    let mut tried = 0;
    let mut bad = None;
    for id in &ids {
        let opened = read_key_file(storage, id).map(|file| file.open(&password.0));
        let error = match opened {
            Ok(Ok(master)) => return Ok((*id, master)),
            Ok(Err(KeyError::Password)) => {
                tried += 1;
                continue;
            }
            // Removed since it was listed.
            Err(Error::Storage(StorageError::NotFound { .. })) => continue,
            Ok(Err(KeyError::Bad(what))) => Error::Damaged {
                file: storage.describe_file(FileKind::Key, id),
                what,
            },
            Err(error) => error,
        };
        bad.get_or_insert(error);
    }
    if tried == 0 {
        if let Some(bad) = bad {
            return Err(bad);
        }
        let what = "it has a config but no key file, so nothing in it can be read".to_owned();
        return Err(Error::Damaged {
            file: storage.describe(),
            what,
        });
    }
    Err(Error::WrongPassword {
        place: storage.describe(),
        keys: tried,
        bad: bad.map(|bad| bad.to_string()),
    })
}

/// Reads a key file and compares it with its name.
pub(super) fn read_key_file(storage: &dyn Storage, id: &Id) -> Result<KeyFile> {
    let bytes = super::files::read_verified(storage, FileKind::Key, id, key::MAX_SIZE)?;
    KeyFile::decode(&bytes).map_err(|what| Error::Damaged {
        file: storage.describe_file(FileKind::Key, id),
        what,
    })
}

/// A folder that goes with the last clone of the vault that needed it.
#[derive(Debug)]
struct TemporaryFolder(PathBuf);

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn make_private_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| Error::Local {
        action: "create",
        path: folder.display().to_string(),
        source,
    })
}

/// Marks a folder as one that backups may leave out.
fn write_cache_tag(cache: &Path) -> Result<()> {
    const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
        # This folder holds copies of what is in Coffer's vaults. It can be deleted at any time.\n\
        # See https://bford.info/cachedir/ for what this file means.\n";
    let path = cache.join("CACHEDIR.TAG");
    if path.exists() {
        return Ok(());
    }
    std::fs::write(&path, TAG).map_err(|source| Error::Local {
        action: "write",
        path: path.display().to_string(),
        source,
    })
}

#[cfg(test)]
mod tests;

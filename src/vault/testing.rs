//! What the tests of many rooms need: a small vault in a folder of its own.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::key::ScryptParameters;
use super::{CreateOptions, Id, Password, Vault};
use crate::storage::{FileKind, Listed, LocalStorage, Storage, StorageError};

/// The password of [`test_vault`].
pub const PASSWORD: &str = "test";

/// How test vaults are made: key derivation costs nothing, the polynomial is always the same.
pub fn test_options(version: u32) -> CreateOptions {
    CreateOptions {
        version,
        polynomial: Some(0x25_b468_838d_cb75),
        username: "tester".into(),
        hostname: "test-host".into(),
        scrypt: Some(ScryptParameters::FOR_TESTS),
    }
}

/// An empty vault of version 2 and its folder.
pub fn test_vault() -> (TempDir, Vault) {
    test_vault_of(2)
}

/// An empty vault of a version, and its folder.
pub fn test_vault_of(version: u32) -> (TempDir, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::create(storage(&folder), &Password::new(PASSWORD), &test_options(version)).unwrap();
    (folder, vault)
}

/// The storage of a test vault's folder.
pub fn storage(folder: &TempDir) -> Arc<LocalStorage> {
    Arc::new(LocalStorage::new(folder.path()))
}

/// What is done to the bytes of a read: file, offset, the bytes read.
type OnRead = Box<dyn Fn(FileKind, &Id, u64, &mut [u8]) -> Result<(), StorageError> + Send + Sync>;
/// What is done before a write.
type OnWrite = Box<dyn Fn(FileKind, &Id) -> Result<(), StorageError> + Send + Sync>;
/// What is done before a file is deleted.
type OnRemove = OnWrite;

/// How often a storage was asked.
#[derive(Debug, Default)]
pub struct Requests {
    /// Reads of files or of a part of one.
    pub gets: AtomicU64,
    /// Files written.
    pub puts: AtomicU64,
    /// Files deleted.
    pub deletes: AtomicU64,
    /// Listings.
    pub lists: AtomicU64,
}

/// A storage that fails, or returns other bytes, when a test wants it to, and counts what it is asked.
pub struct Tampered {
    inner: Arc<dyn Storage>,
    /// What it was asked.
    pub requests: Arc<Requests>,
    /// Called after each read of a range, with what was read.
    pub on_read: OnRead,
    /// Called before each write.
    pub on_write: OnWrite,
    /// Called before each deletion.
    pub on_remove: OnRemove,
}

impl Tampered {
    /// One that does nothing of its own yet.
    pub fn new(inner: Arc<dyn Storage>) -> Tampered {
        Tampered {
            inner,
            requests: Arc::default(),
            on_read: Box::new(|_, _, _, _| Ok(())),
            on_write: Box::new(|_, _| Ok(())),
            on_remove: Box::new(|_, _| Ok(())),
        }
    }
}

impl fmt::Debug for Tampered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tampered")
    }
}

impl Storage for Tampered {
    fn describe(&self) -> String {
        self.inner.describe()
    }
    fn local_folder(&self) -> Option<&std::path::Path> {
        self.inner.local_folder()
    }
    fn describe_file(&self, kind: FileKind, id: &Id) -> String {
        self.inner.describe_file(kind, id)
    }
    fn create_layout(&self) -> Result<(), StorageError> {
        self.inner.create_layout()
    }
    fn list(&self, kind: FileKind, each: &mut dyn FnMut(Id, u64)) -> Result<(), StorageError> {
        self.requests.lists.fetch_add(1, Ordering::Relaxed);
        self.inner.list(kind, each)
    }
    fn list_dated(&self, kind: FileKind, each: &mut dyn FnMut(Listed)) -> Result<(), StorageError> {
        self.requests.lists.fetch_add(1, Ordering::Relaxed);
        self.inner.list_dated(kind, each)
    }
    fn size(&self, kind: FileKind, id: &Id) -> Result<u64, StorageError> {
        self.inner.size(kind, id)
    }
    fn read(&self, kind: FileKind, id: &Id, limit: u64) -> Result<Vec<u8>, StorageError> {
        self.requests.gets.fetch_add(1, Ordering::Relaxed);
        self.inner.read(kind, id, limit)
    }
    fn read_at(&self, kind: FileKind, id: &Id, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.requests.gets.fetch_add(1, Ordering::Relaxed);
        self.inner.read_at(kind, id, offset, buffer)?;
        (self.on_read)(kind, id, offset, buffer)
    }
    fn write(&self, kind: FileKind, id: &Id, parts: &[&[u8]]) -> Result<(), StorageError> {
        self.requests.puts.fetch_add(1, Ordering::Relaxed);
        (self.on_write)(kind, id)?;
        self.inner.write(kind, id, parts)
    }
    fn remove(&self, kind: FileKind, id: &Id) -> Result<(), StorageError> {
        self.requests.deletes.fetch_add(1, Ordering::Relaxed);
        (self.on_remove)(kind, id)?;
        self.inner.remove(kind, id)
    }
}

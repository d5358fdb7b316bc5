//! Making and opening a vault.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::lock::{LockGuard, LockKind};
use super::{Generation, Id, IndexedVault, Result};
use crate::progress::Cancel;
use crate::storage::{FileKind, Storage};

/// A password's bytes, wiped when dropped, never shown.
#[derive(Clone)]
pub struct Password(pub Zeroizing<Vec<u8>>);

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
    pub scrypt: Option<super::key::ScryptParameters>,
}

/// An opened vault: password known, config read. Clones share it.
#[derive(Debug, Clone)]
pub struct Vault {
    // private: Arc of storage, config, master key, cache folder
}

impl Vault {
    /// Makes a vault. Errors when one is there.
    pub fn create(storage: Arc<dyn Storage>, password: &Password, options: &CreateOptions) -> Result<Vault> {
        todo!()
    }
    /// Opens a vault. `cache` is the folder for all vaults' local caches (`<cache>/<vault id>/…`); `None` keeps what it
    /// must in a temporary folder.
    pub fn open(storage: Arc<dyn Storage>, password: &Password, cache: Option<PathBuf>) -> Result<Vault> {
        todo!()
    }
    /// Where it lies, for messages.
    pub fn place(&self) -> String {
        todo!()
    }
    /// The vault's own id: 64 hex digits.
    pub fn id(&self) -> &str {
        todo!()
    }
    /// 1 or 2.
    pub fn version(&self) -> u32 {
        todo!()
    }
    /// The chunker's polynomial.
    pub fn polynomial(&self) -> u64 {
        todo!()
    }
    /// The storage under it.
    pub fn storage(&self) -> &Arc<dyn Storage> {
        todo!()
    }
    /// The key that seals and opens everything in it.
    pub fn key(&self) -> &super::crypto::MasterKey {
        todo!()
    }
    /// This vault's own cache folder, made if need be.
    pub fn cache_folder(&self) -> Result<PathBuf> {
        todo!()
    }
    /// Takes a lock as restic does, and keeps it fresh until the guard is dropped. Waits for nothing.
    pub fn lock(&self, kind: LockKind) -> Result<LockGuard> {
        todo!()
    }
    /// All generations, oldest first. A damaged file is an error that names it.
    pub fn generations(&self) -> Result<Vec<Generation>> {
        todo!()
    }
    /// Stores a generation; returns its id.
    pub fn save_generation(&self, generation: &Generation) -> Result<Id> {
        todo!()
    }
    /// Reads and decodes an encrypted whole file (generation, index, lock): hash checked, retried once.
    pub fn read_file(&self, kind: FileKind, id: &Id) -> Result<Vec<u8>> {
        todo!()
    }
    /// Encodes (compresses in version 2), encrypts and stores a whole file; returns its id.
    pub fn write_file(&self, kind: FileKind, plain: &[u8]) -> Result<Id> {
        todo!()
    }
    /// Deletes a file.
    pub fn remove_file(&self, kind: FileKind, id: &Id) -> Result<()> {
        todo!()
    }
    /// Brings the local index up to date with the vault's (reads only index files not seen before) and opens it.
    pub fn indexed(&self, cancel: &Cancel) -> Result<IndexedVault> {
        todo!()
    }
}

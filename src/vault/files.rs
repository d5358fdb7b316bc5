//! Whole files of a vault: generations, index files, locks. Each is named by the hash of its stored bytes, which is checked
//! at every read; a read that goes wrong is tried once more.

use super::compress::Codec;
use super::{Error, Id, Result, Vault, crypto};
use crate::storage::{FileKind, Storage, StorageError};

/// The most bytes a file may take as stored: what is larger is damage or malice.
fn max_stored(kind: FileKind) -> u64 {
    match kind {
        FileKind::Config | FileKind::Key | FileKind::Lock => 1 << 20,
        FileKind::Generation => 32 << 20,
        FileKind::Index => 64 << 20,
        FileKind::Pack => u64::from(u32::MAX),
    }
}

/// The most bytes a file may have once decompressed.
fn max_plain(kind: FileKind) -> usize {
    match kind {
        FileKind::Config | FileKind::Key | FileKind::Lock => 1 << 20,
        FileKind::Generation => 64 << 20,
        FileKind::Index | FileKind::Pack => 128 << 20,
    }
}

impl Vault {
    /// Reads and decodes an encrypted whole file (generation, index, lock): hash checked, retried once.
    pub fn read_file(&self, kind: FileKind, id: &Id) -> Result<Vec<u8>> {
        self.read_file_with(kind, id, &mut Codec::default())
    }

    /// The same with a decompression context that is reused.
    pub fn read_file_with(&self, kind: FileKind, id: &Id, codec: &mut Codec) -> Result<Vec<u8>> {
        let mut sealed = read_verified(&**self.storage(), kind, id, max_stored(kind))?;
        self.key()
            .open_in_place(&mut sealed)
            .map_err(|error| self.damaged(kind, id, error))?;
        sealed.truncate(sealed.len() - crypto::MAC_SIZE);
        sealed.drain(..crypto::NONCE_SIZE);
        let plain = sealed;
        if self.version() == 1 {
            return Ok(plain);
        }
        codec
            .decode_file(plain, max_plain(kind))
            .map_err(|error| self.damaged(kind, id, error))
    }

    /// Encodes (compresses in version 2), encrypts and stores a whole file; returns its id.
    pub fn write_file(&self, kind: FileKind, plain: &[u8]) -> Result<Id> {
        let sealed = self.seal_file(plain)?;
        let id = Id::of(&sealed);
        self.storage().write(kind, &id, &[&sealed])?;
        Ok(id)
    }

    /// The stored bytes of a whole file.
    fn seal_file(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = Vec::new();
        if self.version() == 1 {
            self.key().seal_append(plain, &mut sealed)?;
        } else {
            let packed = Codec::default()
                .encode_file(plain)
                .map_err(|error| Error::Internal(error.to_string()))?;
            self.key().seal_append(&packed, &mut sealed)?;
        }
        Ok(sealed)
    }

    /// Deletes a file.
    pub fn remove_file(&self, kind: FileKind, id: &Id) -> Result<()> {
        Ok(self.storage().remove(kind, id)?)
    }

    /// The ids of all files of a kind, sorted.
    pub fn list_files(&self, kind: FileKind) -> Result<Vec<Id>> {
        let mut ids = Vec::new();
        self.storage().list(kind, &mut |id, _| ids.push(id))?;
        ids.sort_unstable();
        Ok(ids)
    }
}

/// Reads a whole file whose name is the hash of its bytes, and compares; once more if that or the read goes wrong.
pub(super) fn read_verified(storage: &dyn Storage, kind: FileKind, id: &Id, limit: u64) -> Result<Vec<u8>> {
    let read = || {
        let bytes = storage.read(kind, id, limit)?;
        let hash = Id::of(&bytes);
        if hash != *id {
            let what = format!("its content has the hash {} and not the one in its name", hash.short());
            return Err(Error::Damaged {
                file: storage.describe_file(kind, id),
                what,
            });
        }
        Ok(bytes)
    };
    match read() {
        Err(Error::Damaged { .. } | Error::Storage(StorageError::Io { .. } | StorageError::Short { .. })) => read(),
        done => done,
    }
}

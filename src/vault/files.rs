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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::vault::testing::{test_vault, test_vault_of};

    #[test]
    fn files_come_back_in_both_versions() {
        for version in [1, 2] {
            let (_folder, vault) = test_vault_of(version);
            for plain in [&b"{}"[..], b"[1,2]", &b"{\"long\":1}".repeat(1000)] {
                let id = vault.write_file(FileKind::Index, plain).unwrap();
                assert_eq!(vault.read_file(FileKind::Index, &id).unwrap(), plain);
                let stored = vault.storage().read(FileKind::Index, &id, 1 << 20).unwrap();
                assert_eq!(Id::of(&stored), id);
                assert!(version == 2 || stored.len() == plain.len() + crypto::OVERHEAD);
            }
            assert_eq!(vault.list_files(FileKind::Index).unwrap().len(), 3);
        }
    }

    #[test]
    fn version_2_reads_plain_json_too_and_version_1_nothing_else() {
        let write = |vault: &Vault, plain: &[u8]| {
            let mut sealed = Vec::new();
            vault.key().seal_append(plain, &mut sealed).unwrap();
            let id = Id::of(&sealed);
            vault.storage().write(FileKind::Generation, &id, &[&sealed]).unwrap();
            id
        };
        let (_folder, vault) = test_vault();
        let id = write(&vault, b"{}");
        assert_eq!(vault.read_file(FileKind::Generation, &id).unwrap(), b"{}");
        for bad in [&b""[..], b"\x01{}", b"\x02nonsense", b" {}"] {
            let id = write(&vault, bad);
            let error = vault.read_file(FileKind::Generation, &id).unwrap_err();
            assert!(
                matches!(&error, Error::Damaged { file, .. } if file.contains(&id.to_string())),
                "{error}"
            );
        }
        let (_folder, old) = test_vault_of(1);
        let id = write(&old, b"\x02as it is");
        assert_eq!(old.read_file(FileKind::Generation, &id).unwrap(), b"\x02as it is");
    }

    #[test]
    fn any_damage_is_refused_with_the_files_name() {
        let (_folder, vault) = test_vault();
        let id = vault.write_file(FileKind::Index, b"{\"packs\":[]}").unwrap();
        let place = vault.place_of(FileKind::Index, &id);
        let whole = fs::read(&place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x40;
            fs::write(&place, &flipped).unwrap();
            let error = vault.read_file(FileKind::Index, &id).unwrap_err();
            assert!(
                matches!(&error, Error::Damaged { file, .. } if *file == place),
                "{error}"
            );
            // Not even under the name that its bytes now have.
            let other = Id::of(&flipped);
            vault.storage().write(FileKind::Index, &other, &[&flipped]).unwrap();
            assert!(matches!(
                vault.read_file(FileKind::Index, &other),
                Err(Error::Damaged { .. })
            ));
        }
        fs::File::create(&place).unwrap().set_len(65 << 20).unwrap();
        let error = vault.read_file(FileKind::Index, &id).unwrap_err();
        assert!(
            matches!(error, Error::Storage(StorageError::TooLarge { .. })),
            "{error}"
        );
    }

    type Answer = Result<Vec<u8>, StorageError>;

    /// A storage whose first reads go wrong.
    #[derive(Debug)]
    struct Flaky {
        reads: AtomicU32,
        answers: Mutex<Vec<Answer>>,
    }

    impl Storage for Flaky {
        fn describe(&self) -> String {
            "flaky".into()
        }
        fn describe_file(&self, _: FileKind, id: &Id) -> String {
            id.to_string()
        }
        fn create_layout(&self) -> Result<(), StorageError> {
            unreachable!()
        }
        fn list(&self, _: FileKind, _: &mut dyn FnMut(Id, u64)) -> Result<(), StorageError> {
            unreachable!()
        }
        fn size(&self, _: FileKind, _: &Id) -> Result<u64, StorageError> {
            unreachable!()
        }
        fn read(&self, _: FileKind, _: &Id, _: u64) -> Result<Vec<u8>, StorageError> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            self.answers.lock().unwrap().remove(0)
        }
        fn read_at(&self, _: FileKind, _: &Id, _: u64, _: &mut [u8]) -> Result<(), StorageError> {
            unreachable!()
        }
        fn write(&self, _: FileKind, _: &Id, _: &[&[u8]]) -> Result<(), StorageError> {
            unreachable!()
        }
        fn remove(&self, _: FileKind, _: &Id) -> Result<(), StorageError> {
            unreachable!()
        }
    }

    #[test]
    fn a_read_gone_wrong_is_tried_once_more() {
        let good = || Ok(b"good".to_vec());
        let bad = || Ok(b"bad".to_vec());
        let io = || {
            Err(StorageError::Io {
                action: "read",
                what: "x".into(),
                source: std::io::Error::other("cable"),
            })
        };
        let gone = || Err(StorageError::NotFound { what: "x".into() });
        let cases: [(Vec<Answer>, u32, bool); 7] = [
            (vec![good()], 1, true),
            (vec![bad(), good()], 2, true),
            (vec![io(), good()], 2, true),
            (vec![bad(), bad()], 2, false),
            (vec![bad(), io()], 2, false),
            (vec![io(), gone()], 2, false),
            (vec![gone()], 1, false),
        ];
        for (answers, reads, works) in cases {
            let flaky = Flaky {
                reads: AtomicU32::new(0),
                answers: Mutex::new(answers),
            };
            let read = read_verified(&flaky, FileKind::Index, &Id::of(b"good"), 100);
            assert_eq!(read.is_ok(), works);
            assert_eq!(flaky.reads.load(Ordering::Relaxed), reads);
        }
    }
}

//! Reading blobs and trees: every blob is decrypted, decompressed and compared with its id; a failed read is tried again,
//! then taken from another pack that holds the same blob.

use std::sync::{Arc, Mutex, PoisonError};

use super::compress::{BadFrame, MAX_DATA_BLOB, MAX_TREE_BLOB, Scratch};
use super::crypto::{BadMac, MasterKey, OVERHEAD};
use super::index::{Index, Location};
use super::{BlobKind, Error, Id, Result, Tree, Vault};
use crate::progress::Cancel;
use crate::storage::FileKind;

/// Sealed blobs longer than this are compared with the size of their pack before memory is taken for them.
const LARGE: u32 = 16 << 20;

/// How many sets of contexts and buffers are kept for the readers that bring none, and how large a one, bytes.
const KEPT: (usize, usize) = (8, 32 << 20);

/// A vault whose index is at hand. Clones share it; all methods may be called from many threads.
#[derive(Debug, Clone)]
pub struct IndexedVault {
    vault: Vault,
    index: Arc<Index>,
    /// For the readers that bring none.
    scratches: Arc<Mutex<Vec<Scratch>>>,
}

/// A blob's bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBlob {
    /// It was not sealed with the vault's key, or was changed since.
    #[error(transparent)]
    Mac(#[from] BadMac),
    /// It does not decompress as it should.
    #[error(transparent)]
    Frame(#[from] BadFrame),
    /// Its content has another hash than its id.
    #[error("its content has the id {0}")]
    Hash(Id),
    /// Its length is beyond what is read.
    #[error("it claims {claimed} bytes, more than the {limit} that are read")]
    TooLarge {
        /// Bytes it claims.
        claimed: u64,
        /// Bytes that would be read.
        limit: u64,
    },
}

/// Decrypts, decompresses and verifies a sealed blob (in place) into `out`, which is cleared first.
pub(super) fn open_sealed(
    key: &MasterKey,
    kind: BlobKind,
    id: &Id,
    uncompressed: Option<u32>,
    sealed: &mut [u8],
    scratch: &mut super::compress::Codec,
    out: &mut Vec<u8>,
) -> Result<(), BadBlob> {
    let plain = key.open_in_place(sealed)?;
    match uncompressed {
        None => {
            out.clear();
            out.extend_from_slice(plain);
        }
        Some(claimed) => {
            check_length(kind, claimed)?;
            scratch.decompress(plain, claimed as usize, out)?;
        }
    }
    let got = Id::of(out);
    if got != *id {
        return Err(BadBlob::Hash(got));
    }
    Ok(())
}

fn check_length(kind: BlobKind, claimed: u32) -> Result<(), BadBlob> {
    let limit = match kind {
        BlobKind::Data => MAX_DATA_BLOB,
        BlobKind::Tree => MAX_TREE_BLOB,
    };
    if claimed > limit {
        let (claimed, limit) = (claimed.into(), limit.into());
        return Err(BadBlob::TooLarge { claimed, limit });
    }
    Ok(())
}

impl IndexedVault {
    /// Brings the local index up to date with the vault's and opens it.
    pub fn open(vault: &Vault, cancel: &Cancel) -> Result<IndexedVault> {
        Ok(IndexedVault::with_index(vault.clone(), Index::load(vault, cancel)?))
    }

    /// A vault with an index that was loaded in a special way.
    pub fn with_index(vault: Vault, index: Index) -> IndexedVault {
        IndexedVault {
            vault,
            index: Arc::new(index),
            scratches: Arc::default(),
        }
    }

    /// The vault itself.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The index.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Takes in what other programs added to the vault or removed from it since it was opened.
    pub fn refresh(&self, cancel: &Cancel) -> Result<()> {
        self.index.refresh(&self.vault, cancel)
    }

    /// A blob's content, verified.
    pub fn blob(&self, kind: BlobKind, id: &Id) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        self.with_scratch(|scratch| self.blob_into(kind, id, scratch, &mut out))?;
        Ok(out)
    }

    /// Lends contexts and buffers that were used before, if there are any.
    fn with_scratch<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let kept = || self.scratches.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = kept().pop().unwrap_or_default();
        let done = work(&mut scratch);
        let mut kept = kept();
        if kept.len() < KEPT.0 && scratch.size() <= KEPT.1 {
            kept.push(scratch);
        }
        done
    }

    /// The same into a buffer that is reused (cleared first), with reused decompression state.
    pub fn blob_into(&self, kind: BlobKind, id: &Id, scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<()> {
        let Some(location) = self.index.find(kind, id) else {
            // A blob can also seem to be missing because the local copy of the index is damaged.
            self.index.verify_cache()?;
            return Err(Error::MissingBlob { kind, id: *id });
        };
        match self.blob_at(kind, id, &location, scratch, out) {
            Ok(()) => Ok(()),
            Err(first) => self.blob_again(kind, id, &location, first, scratch, out),
        }
    }

    /// The second try at the same place, then every other place.
    #[cold]
    fn blob_again(
        &self,
        kind: BlobKind,
        id: &Id,
        location: &Location,
        first: Error,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        tracing::debug!("reading {kind:?} blob {id} again: {first}");
        let mut causes = match self.blob_at(kind, id, location, scratch, out) {
            Ok(()) => return Ok(()),
            Err(error) => vec![error.to_string()],
        };
        for other in self.index.find_all(kind, id).iter().filter(|other| *other != location) {
            match self.blob_at(kind, id, other, scratch, out) {
                Ok(()) => return Ok(()),
                Err(error) => causes.push(error.to_string()),
            }
        }
        out.clear();
        self.index.verify_cache()?;
        Err(Error::BadBlob {
            kind,
            id: *id,
            what: causes.join("; "),
        })
    }

    /// One try at one place. The error names the pack file.
    fn blob_at(
        &self,
        kind: BlobKind,
        id: &Id,
        location: &Location,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let bad = |bad: BadBlob| self.vault.damaged(FileKind::Pack, &location.pack, bad);
        let storage = self.vault.storage();
        let length = location.length as usize;
        if location.length > LARGE {
            check_length(kind, location.length.saturating_sub(OVERHEAD as u32)).map_err(bad)?;
            let size = storage.size(FileKind::Pack, &location.pack)?;
            let end = u64::from(location.offset) + u64::from(location.length);
            if end > size {
                let what = format!("the index says that blob {id} ends at byte {end}, but it has {size}");
                return Err(self.vault.damaged(FileKind::Pack, &location.pack, what));
            }
        }
        let Scratch { sealed, codec, .. } = scratch;
        if sealed.len() < length {
            sealed.resize(length, 0);
        }
        let sealed = &mut sealed[..length];
        storage.read_at(FileKind::Pack, &location.pack, location.offset.into(), sealed)?;
        open_sealed(self.vault.key(), kind, id, location.uncompressed, sealed, codec, out).map_err(bad)
    }

    /// Decrypts, decompresses and verifies one blob from bytes read from a pack at `location` (for readers that fetch a
    /// whole range of a pack at once). Tries nothing else: after an error [`IndexedVault::blob_into`] does.
    pub fn open_blob(
        &self,
        kind: BlobKind,
        id: &Id,
        location: &Location,
        sealed: &mut [u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        open_sealed(
            self.vault.key(),
            kind,
            id,
            location.uncompressed,
            sealed,
            &mut scratch.codec,
            out,
        )
        .map_err(|bad| self.vault.damaged(FileKind::Pack, &location.pack, bad))
    }

    /// A folder's listing, verified and parsed.
    pub fn tree(&self, id: &Id) -> Result<Tree> {
        self.with_scratch(|scratch| {
            let mut bytes = std::mem::take(&mut scratch.check);
            let tree = self.blob_into(BlobKind::Tree, id, scratch, &mut bytes).and_then(|()| {
                Tree::decode(&bytes).map_err(|bad| Error::BadBlob {
                    kind: BlobKind::Tree,
                    id: *id,
                    what: bad.to_string(),
                })
            });
            scratch.check = bytes;
            tree
        })
    }
}

#[cfg(test)]
mod tests;

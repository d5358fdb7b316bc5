//! Reading blobs and trees: every blob is decrypted, decompressed and compared with its id; a failed read is tried again,
//! then taken from another pack that holds the same blob.

use super::compress::Scratch;
use super::index::Location;
use super::{BlobKind, Id, Result, Tree, Vault};

/// A vault whose index is at hand. Clones share it; all methods may be called from many threads.
#[derive(Debug, Clone)]
pub struct IndexedVault {
    // private: Vault, Arc<Index>
}

impl IndexedVault {
    /// The vault itself.
    pub fn vault(&self) -> &Vault {
        todo!()
    }
    /// The index.
    pub fn index(&self) -> &super::index::Index {
        todo!()
    }
    /// A blob's content, verified.
    pub fn blob(&self, kind: BlobKind, id: &Id) -> Result<Vec<u8>> {
        todo!()
    }
    /// The same into a buffer that is reused (cleared first), with reused decompression state.
    pub fn blob_into(&self, kind: BlobKind, id: &Id, scratch: &mut Scratch, out: &mut Vec<u8>) -> Result<()> {
        todo!()
    }
    /// Decrypts, decompresses and verifies one blob from bytes read from a pack at `location` (for readers that fetch a
    /// whole range of a pack at once).
    pub fn open_blob(
        &self,
        kind: BlobKind,
        id: &Id,
        location: &Location,
        sealed: &mut [u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        todo!()
    }
    /// A folder's listing, verified and parsed.
    pub fn tree(&self, id: &Id) -> Result<Tree> {
        todo!()
    }
}

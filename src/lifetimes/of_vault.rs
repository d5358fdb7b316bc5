//! A vault as a source.

use super::source::{Folder, Source, Weight};
use crate::vault::compress::Scratch;
use crate::vault::tree::{BadTree, Node, decode_each};
use crate::vault::{BlobKind, Error, Id, IndexedVault, Result};

/// One thread's buffers.
#[derive(Default)]
pub struct VaultScratch {
    codec: Scratch,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for VaultScratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultScratch")
    }
}

/// A buffer that grew beyond this, bytes, is not kept for the next tree.
const KEPT: usize = 16 << 20;

impl Source for IndexedVault {
    type Scratch = VaultScratch;

    fn read(&self, tree: &Id, scratch: &mut VaultScratch, folder: &mut Folder) -> Result<()> {
        let VaultScratch { codec, bytes } = scratch;
        self.blob_into(BlobKind::Tree, tree, codec, bytes)?;
        let decoded = decode_each(bytes, &mut |node: Node| {
            folder.folders.extend(node.subtree);
            folder.file(node.content.into_iter().flatten());
            Ok::<(), BadTree>(())
        });
        if bytes.capacity() > KEPT {
            *bytes = Vec::new();
        }
        decoded.map_err(|bad| Error::BadBlob {
            kind: BlobKind::Tree,
            id: *tree,
            what: bad.to_string(),
        })
    }

    fn weigh(&self, kind: BlobKind, id: &Id) -> Option<Weight> {
        self.index().find(kind, id).map(|location| Weight {
            sealed: location.length,
            plain: location.plain_length(),
            compressed: location.uncompressed.is_some(),
        })
    }

    fn weigh_all(&self, each: &mut dyn FnMut(BlobKind, &Id, Weight)) {
        self.index().for_each(&mut |kind, id, location| {
            let weight = Weight {
                sealed: location.length,
                plain: location.plain_length(),
                compressed: location.uncompressed.is_some(),
            };
            each(kind, &id, weight);
        });
    }

    fn index_files(&self) -> Vec<Id> {
        self.index().files()
    }
}

//! What a restore reads and costs, told beforehand.

use super::bills;
use crate::cost::Bill;
use crate::engine::{Engine, OpenVault, Result};
use crate::progress::{Cancel, Progress};
use crate::query::{Depth, list};
use crate::restore::{Counted, Reads};
use crate::storage::FileKind;
use crate::vault::lock::LockKind;
use crate::vault::{BlobKind, Error, Generation, Id};

/// What a restore reads.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreCost {
    /// Of files' content.
    pub content: Counted,
    /// Folders that are read, one request each.
    pub folders: u64,
    /// Their bytes.
    pub folder_bytes: u64,
    /// Reads in all.
    pub requests: u64,
    /// Bytes that are fetched in all.
    pub fetched: u64,
    /// What it costs; `None` when the price is not known.
    pub bill: Option<Bill>,
    /// For people: the price's name.
    pub price: Option<String>,
    /// What must be said.
    pub notes: Vec<String>,
}

impl Engine {
    /// What restoring a generation, or what lies at a path in it, reads and costs: into an empty folder.
    pub fn restore_cost(
        &self,
        open: &OpenVault,
        vault: &str,
        generation: &Generation,
        path: &[u8],
        cancel: &Cancel,
    ) -> Result<RestoreCost> {
        let lock = open.vault().lock(LockKind::Reading)?;
        let indexed = open.indexed(cancel)?;
        let mut reads = Reads::default();
        let (mut folders, mut folder_bytes, mut missing) = (0u64, 0u64, 0u64);
        let mut folder = |id: &Id| {
            if let Some(location) = indexed.index().find(BlobKind::Tree, id) {
                folders += 1;
                folder_bytes += u64::from(location.length);
            }
        };
        folder(&generation.tree);
        let progress = Progress::default();
        list(
            &indexed,
            &generation.tree,
            path,
            Depth::All,
            &progress,
            cancel,
            &mut |entry| {
                if let Some(subtree) = &entry.node.subtree {
                    folder(subtree);
                }
                if let Some(content) = &entry.node.content {
                    let pieces = content.iter().filter_map(|id| {
                        let found = indexed.index().find(BlobKind::Data, id);
                        missing += u64::from(found.is_none());
                        found
                    });
                    reads.file(entry.node.size, pieces);
                }
                Ok::<(), Error>(())
            },
        )?;
        drop(lock);
        let content = reads.finish();
        let mut stored = 0u64;
        let storage = open.vault().storage();
        let listed = storage.list(FileKind::Pack, &mut |_, size| stored = stored.saturating_add(size));
        listed.map_err(Error::from)?;
        let (requests, fetched) = (content.reads + folders, content.bytes_read + folder_bytes);
        let priced = self.price_of(vault)?;
        let mut notes: Vec<String> = priced.problem.into_iter().collect();
        if missing > 0 {
            bills::note(
                &mut notes,
                format!("{missing} blobs are missing from the vault: files will lack content (coffer check)"),
            );
        }
        let bill = bills::restore(priced.price.as_ref(), fetched, requests, stored, &mut notes);
        Ok(RestoreCost {
            content,
            folders,
            folder_bytes,
            requests,
            fetched,
            bill,
            price: priced.price.as_ref().map(bills::price_words),
            notes,
        })
    }
}

//! A prune that is decided: of the vault as it is, with what its generations use.

use super::contents::Contents;
use super::decide::Fate;
use super::foresee::Decision;
use super::{PruneFigures, PruneOptions, used};
use crate::progress::{Cancel, Progress};
use crate::storage::FileKind;
use crate::vault::index::BlobMarks;
use crate::vault::{Error, Id, IndexedVault, Result, Vault};

/// The class of blobs that a generation reaches. All others are of class 0.
const USED: u32 = 1;

/// Whether a class of blobs is in use.
pub(super) fn in_use(class: u32) -> bool {
    class == USED
}

/// What a prune would do. Made by [`PrunePlan::make`], done by [`PrunePlan::execute`].
#[derive(Debug)]
pub struct PrunePlan {
    pub(super) vault: IndexedVault,
    pub(super) options: PruneOptions,
    /// Tells whether the vault is still as it was.
    pub(super) state: Id,
    pub(super) used: BlobMarks,
    pub(super) contents: Contents,
    pub(super) decision: Decision,
}

/// What tells a vault's state from another: which generations and which index files there are.
pub(super) fn state(vault: &Vault) -> Result<Id> {
    let mut bytes = Vec::new();
    for kind in [FileKind::Generation, FileKind::Index] {
        for id in vault.list_files(kind)? {
            bytes.extend_from_slice(&id.0);
        }
        bytes.push(0);
    }
    Ok(Id::of(&bytes))
}

impl PrunePlan {
    /// Looks at the whole vault and decides. Reads every unique tree; counts them into `progress` as files.
    ///
    /// Errors: a generation or a tree that cannot be read, a blob or a pack in use that is not there or has another size
    /// than the index says. The vault is then damaged, and nothing should be deleted: `coffer check` tells what it affects.
    pub fn make(
        vault: &IndexedVault,
        options: &PruneOptions,
        progress: &Progress,
        cancel: &Cancel,
    ) -> Result<PrunePlan> {
        progress.set_current(b"index");
        let state = state(vault.vault())?;
        vault.refresh(cancel)?;
        progress.set_current(b"generations");
        // From the vault itself, not from a cache: of one that cannot be read, what it holds would go.
        let generations = vault.vault().generations_stored()?;
        cancel.check()?;
        progress.set_current(b"folders");
        let used = used::find(vault, &generations, progress, cancel)?;
        progress.set_current(b"packs");
        let classify = |kind, id: &Id| if used.marks.contains(kind, id) { USED } else { 0 };
        let contents = Contents::read(vault, &classify, cancel)?;
        let mut decision = contents.decide(&in_use, options)?;
        let figures = &mut decision.figures;
        if (figures.blobs_used, figures.trees) != (used.blobs, used.trees) {
            return Err(Error::Internal(format!(
                "{} blobs are in use, but {} were found in packs; nothing was deleted",
                used.blobs, figures.blobs_used
            )));
        }
        figures.generations = generations.len() as u64;
        Ok(PrunePlan {
            vault: vault.clone(),
            options: options.clone(),
            state,
            used: used.marks,
            contents,
            decision,
        })
    }

    /// What it comes to.
    pub fn figures(&self) -> &PruneFigures {
        &self.decision.figures
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let figures = self.figures();
        figures.deletes == 0 && figures.packs_missing == 0 && figures.leftover_files == 0
    }

    /// What becomes of a pack the index tells of.
    pub(super) fn fate(&self, pack: &Id) -> Option<Fate> {
        let at = self.contents.packs.binary_search_by_key(pack, |pack| pack.id).ok()?;
        self.decision.fates.get(at).copied()
    }

    /// Whether a pack goes, be it there or not.
    pub(super) fn leaves(&self, pack: &Id) -> bool {
        matches!(self.fate(pack), Some(Fate::Repack | Fate::Delete))
    }

    /// The packs that go and are there, sorted.
    pub(super) fn leaving(&self) -> Vec<Id> {
        let packs = self.contents.packs.iter().zip(&self.decision.fates);
        let leaving = packs.filter(|(pack, fate)| pack.size.is_some() && **fate != Fate::Keep);
        leaving.map(|(pack, _)| pack.id).collect()
    }
}

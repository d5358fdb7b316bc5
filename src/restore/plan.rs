//! What a restore would do, entry by entry.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::{Error, Issue, RestoreOptions, RestoreOutcome, Result};
use crate::progress::{Cancel, Progress};
use crate::vault::{Generation, IndexedVault, NodeType};

/// What would happen to one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It does not exist and would be made.
    Create,
    /// It exists with other content (or as something else) and would be replaced, or written where it is wrong.
    Overwrite,
    /// Its content is right; its metadata would be set.
    Metadata,
    /// It is as in the generation.
    Unchanged,
    /// It exists and would be left alone because of the [`Overwrite`](super::Overwrite) choice.
    Skip,
    /// It is not in the generation and would be deleted, with all below it.
    Delete,
    /// It cannot be restored.
    Problem(Problem),
}

/// Why an entry cannot be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// Its name cannot be made safely.
    UnsafeName,
    /// An earlier entry of the folder has the same name.
    DuplicateName,
    /// A folder that is not empty stands where it belongs.
    InTheWay,
    /// A folder's listing is missing or damaged; the folder is made, nothing in it.
    UnreadableFolder,
    /// A blob of its content is in no pack.
    MissingBlob,
    /// Nested deeper than 1,000 folders.
    TooDeep,
    /// A socket, or a kind of entry this program does not know.
    NotRestorable,
}

/// Counts of a plan. Entries of all kinds are counted by action; bytes are bytes of content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Entries that would be made: regular files.
    pub create_files: u64,
    /// Entries that would be made: folders.
    pub create_folders: u64,
    /// Entries that would be made: symlinks, fifos, devices.
    pub create_others: u64,
    /// Entries that would be overwritten.
    pub overwrite: u64,
    /// Entries whose metadata would be set.
    pub metadata: u64,
    /// Entries that are right.
    pub unchanged: u64,
    /// Entries that would be left alone.
    pub skip: u64,
    /// Entries that would be deleted (a folder counts with everything in it).
    pub delete: u64,
    /// Bytes of the files that would be deleted.
    pub delete_bytes: u64,
    /// Entries that cannot be restored.
    pub problems: u64,
    /// Regular files in the selection.
    pub files: u64,
    /// Bytes of content in the selection.
    pub bytes: u64,
    /// Bytes of content that would be written.
    pub write_bytes: u64,
    /// Bytes that would be read from packs: each blob once.
    pub fetch_bytes: u64,
}

/// One entry of a plan, as [`Plan::for_each`] shows it.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its path in the generation, raw bytes.
    pub path: &'a [u8],
    /// What it is in the generation; for [`Action::Delete`], what it is now.
    pub kind: NodeType,
    /// Bytes of content (files).
    pub size: u64,
    /// What would happen.
    pub action: Action,
}

/// What a restore would do. Holds about a byte for each entry.
#[derive(Debug)]
pub struct Plan {
    generation: Generation,
    options: RestoreOptions,
    totals: Totals,
}

impl Plan {
    /// The generation restored.
    pub fn generation(&self) -> &Generation {
        &self.generation
    }

    /// What was asked for.
    pub fn options(&self) -> &RestoreOptions {
        &self.options
    }

    /// The counts.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Where a path of the generation goes, for messages.
    pub fn target_path(&self, path: &[u8]) -> PathBuf {
        let _ = path;
        PathBuf::new()
    }

    /// Calls `each` for every entry in the order of the walk: a folder, the files in it, then its subfolders (what would
    /// be deleted in a folder comes right after it). Reads the trees again.
    pub fn for_each(
        &self,
        vault: &IndexedVault,
        cancel: &Cancel,
        each: &mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let _ = (vault, cancel, each);
        Err(Error::Refused("not there yet".into()))
    }
}

/// Finds out what a restore would do: reads the trees, looks at the target, hashes existing files where the choice of
/// [`Overwrite`](super::Overwrite) needs it. Changes nothing.
pub fn plan(
    vault: &IndexedVault,
    generation: &Generation,
    options: &RestoreOptions,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<Plan> {
    let _ = (vault, generation, options, progress, cancel);
    Err(Error::Refused("not there yet".into()))
}

/// Carries a plan out. Problems with single entries go to `report` and the rest goes on; a full disk, a vault that cannot
/// be read at all or a stop end it, and what is finished by then stays. Running the same restore again goes on from there.
pub fn execute(
    vault: &IndexedVault,
    plan: &Plan,
    progress: &Progress,
    cancel: &Cancel,
    report: &(dyn Fn(Issue) + Sync),
) -> Result<RestoreOutcome> {
    let _ = (vault, plan, progress, cancel, report);
    Err(Error::Refused("not there yet".into()))
}

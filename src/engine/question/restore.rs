//! A restore as it is asked for, and what it would do.

use std::path::PathBuf;

use super::TreePath;
use crate::restore::{Class, Difference, State};
use crate::vault::Id;

/// What happens to a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    /// It is overwritten.
    Always,
    /// It is overwritten where its content differs.
    #[default]
    IfChanged,
    /// It is overwritten where the generation's is newer.
    IfNewer,
    /// It stays.
    Never,
}

/// A selection as rules, each for a path and everything below it, until a rule further down says otherwise; what no rule
/// covers is not chosen.
pub type SelectionRules = Vec<(TreePath, bool)>;

/// What is to be restored, where to, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreRequest {
    /// Name or folder.
    pub vault: String,
    /// Whose.
    pub generation: Id,
    /// See [`SelectionRules`].
    pub rules: SelectionRules,
    /// Where things land.
    pub landing: Landing,
    /// What happens to files that are there already.
    pub overwrite: Overwrite,
    /// Whether what the generation does not have is deleted, within the folders picked.
    pub delete: bool,
}

/// Where restored things land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// Below this folder, with their full paths.
    Below(PathBuf),
    /// Directly in this folder: of the paths only what the picked things do not share.
    Flat(PathBuf),
    /// Where they were.
    InPlace,
    /// In their original folder, beside what is there, under a name with this date; one file or folder at a time.
    Beside {
        /// The date in the name.
        stamp: String,
    },
}

/// What a restore would do, in full.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RestorePreview {
    /// The plan's number, to start it by.
    pub plan: u64,
    /// The folder under which everything is written.
    pub base: PathBuf,
    /// Files that would be made.
    pub create_files: u64,
    /// Folders that would be made.
    pub create_folders: u64,
    /// Symlinks, fifos and devices that would be made.
    pub create_others: u64,
    /// Entries that would be overwritten.
    pub overwrite: u64,
    /// Of these, files that changed on disk after the generation.
    pub overwrite_newer: u64,
    /// Bytes of the existing files that would be overwritten.
    pub overwrite_bytes: u64,
    /// Entries that are right already (at most their metadata is set).
    pub keep: u64,
    /// Entries that are there and are left alone because of the choice of [`Overwrite`].
    pub left: u64,
    /// Entries that would be deleted, all in deleted folders counted.
    pub delete: u64,
    /// Bytes of the files that would be deleted.
    pub delete_bytes: u64,
    /// Entries that cannot be restored.
    pub problems: u64,
    /// Bytes of content picked.
    pub bytes: u64,
    /// Bytes of content that would be written.
    pub write_bytes: u64,
    /// Bytes of content that are there already.
    pub right_bytes: u64,
    /// Stored bytes to fetch from the vault, each blob once; what is right on disk is not fetched.
    pub fetch_bytes: u64,
    /// How many rows the list of conflicts has: overwritten, left, deleted, problems. A deleted folder is one row.
    pub conflicts: [u64; 4],
    /// The room there is.
    pub room: Room,
    /// What to know before saying yes, in sentences, the gravest first.
    pub warnings: Vec<String>,
}

/// How much room there is for a restore.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Room {
    /// Bytes free, if that can be told.
    pub free_bytes: Option<u64>,
    /// Entries that can still be made, where the filesystem counts them.
    pub free_entries: Option<u64>,
    /// The folder that exists: the target, or the nearest one above it.
    pub on: PathBuf,
    /// Whether this user may write there.
    pub writable: bool,
}

/// Which window of a restore plan's conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictsAsked {
    /// The plan's number.
    pub plan: u64,
    /// Only these; all, when there is none.
    pub classes: Vec<Class>,
    /// The first row wanted (clamped to what there is).
    pub first: u64,
    /// How many rows.
    pub rows: u32,
}

/// Rows of a restore plan's conflicts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConflictWindow {
    /// The number of the first row given.
    pub first: u64,
    /// The rows.
    pub rows: Vec<ConflictRow>,
    /// How many rows there are.
    pub total: u64,
    /// How many more there are that are only counted.
    pub beyond: u64,
}

/// One entry that a restore would change, pass over or fail on.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictRow {
    /// Its path in the generation.
    pub path: TreePath,
    /// Where it is on disk.
    pub place: PathBuf,
    /// What would happen to it.
    pub class: Class,
    /// How what is there differs, as far as it matters most.
    pub difference: Option<Difference>,
    /// What the generation has.
    pub then: Option<State>,
    /// What is there now.
    pub now: Option<State>,
    /// Why it cannot be restored, in words.
    pub why: String,
}

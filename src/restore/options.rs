//! What is asked of a restore.

use std::path::PathBuf;

use super::Selection;

/// Where files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Into this folder, made if need be. A whole generation keeps its absolute paths below it; of `GENERATION:PATH` the
    /// content of the folder PATH goes straight into it (a file goes into it under its own name).
    Folder(PathBuf),
    /// To the original absolute paths.
    InPlace,
}

/// What happens to files that exist already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overwrite {
    /// Make them as in the generation. Content is compared by hash: what is right is not written again.
    #[default]
    Always,
    /// The same, but a file of the right size and modification time is taken as right (unless
    /// [`RestoreOptions::verify`] is set).
    IfChanged,
    /// Only files whose modification time is before the generation's.
    IfNewer,
    /// Leave whatever exists.
    Never,
}

/// What to restore, where to and how.
#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The path in the generation to restore; empty or `/` for all of it.
    pub subtree: Vec<u8>,
    /// Where files go.
    pub target: Target,
    /// Which entries.
    pub selection: Selection,
    /// Another name for the one file that [`RestoreOptions::subtree`] names; a folder keeps its name.
    pub name: Option<Vec<u8>>,
    /// What happens to files that exist already.
    pub overwrite: Overwrite,
    /// Delete what the generation does not have: only within folders that the generation holds in full (not in the
    /// folders above what was backed up) and that the selection takes in.
    pub delete: bool,
    /// Leave holes where content is zero.
    pub sparse: bool,
    /// Compare existing files by content, and read every written file again at the end.
    pub verify: bool,
    /// Set owner and group. Without it files belong to whoever restores, and set-id bits are not set for files whose
    /// owner differs.
    pub owner: bool,
    /// Worker threads; 0 for one a core.
    pub threads: usize,
}

impl RestoreOptions {
    /// Everything to `target`, with the defaults: overwrite always, owners set if this process is root.
    pub fn new(target: Target) -> RestoreOptions {
        RestoreOptions {
            subtree: Vec::new(),
            target,
            selection: Selection::All,
            name: None,
            overwrite: Overwrite::Always,
            delete: false,
            sparse: false,
            verify: false,
            owner: rustix::process::geteuid().is_root(),
            threads: 0,
        }
    }
}

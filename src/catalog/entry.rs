//! What the catalog tells about a folder's entries.

use crate::vault::{Id, NodeType, Time};

/// One entry of a folder, as the catalog keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The raw name, any bytes: escape it before it is shown.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: NodeType,
    /// Go's `FileMode` bits, as in the vault.
    pub mode: u32,
    /// Bytes of content (files).
    pub size: u64,
    /// Time of last change of content.
    pub mtime: Time,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// The tree of a folder.
    pub subtree: Option<Id>,
    /// Raw target of a symlink.
    pub link_target: Vec<u8>,
    /// Tells a file's content from another's: a hash over its blobs' ids. `None` for what has no content.
    pub content: Option<u64>,
    /// What lies below a folder, where it is known by now.
    pub below: Option<Totals>,
}

/// What a folder or a selection weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Files and everything else that is no folder.
    pub files: u64,
    /// Folders.
    pub folders: u64,
    /// Bytes of content.
    pub bytes: u64,
}

/// What a folder is sorted by. Ties go by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortKey {
    /// Raw name bytes.
    #[default]
    Name,
    /// Size; a folder counts what lies below it, where known.
    Size,
    /// Time of last change of content.
    Modified,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// How a folder is shown: order and filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FolderView {
    /// What it is sorted by.
    pub sort: SortKey,
    /// Which end comes first.
    pub direction: Direction,
    /// Folders before everything else.
    pub folders_first: bool,
    /// Only names that hold these bytes (ASCII letters in either case); empty shows all.
    pub filter: Vec<u8>,
}

/// Where a window starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// At the row with this number, from 0. Beyond the end: the last full window.
    Row(u64),
    /// At the first row whose name is this or comes after it (views sorted by name); at the row with exactly this name
    /// in other views, or their start.
    Name(Vec<u8>),
    /// So that the last row is the last of the window.
    End,
}

/// Some rows of a folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Window {
    /// The number of the first row, from 0.
    pub first: u64,
    /// The rows.
    pub rows: Vec<Entry>,
    /// How many rows there are in all (in this view).
    pub total: u64,
}

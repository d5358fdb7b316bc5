//! The versions of what lies at a path.

use std::path::PathBuf;

use super::rows::EntryRow;
use crate::vault::Id;

/// The versions of a file or folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Versions {
    /// Newest first; two that follow each other differ.
    pub versions: Vec<VersionRow>,
    /// Generations looked at so far; they follow one another in time.
    pub looked: u64,
    /// Generations of this machine that back the path up.
    pub of: u64,
    /// Whether the newest of them was looked at.
    pub newest_seen: bool,
    /// Whether the oldest of them was looked at.
    pub oldest_seen: bool,
    /// What lies there on this machine's disk now; `None` when the generations are of another machine, and until all is
    /// looked at.
    pub disk: Option<DiskNow>,
}

/// A stretch of generations in which a path holds the same.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRow {
    /// What is there; `None`: it is deleted.
    pub entry: Option<EntryRow>,
    /// Tells contents apart; versions with the same one hold the same.
    pub content: Option<u64>,
    /// What sets it apart from the version before it.
    pub change: VersionChange,
    /// The generations that hold it and when they were made (in seconds since 1970), newest first; never empty.
    pub held: Vec<(Id, i64)>,
}

/// What sets a version apart from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionChange {
    /// There was none before it.
    Added,
    /// The content, a folder's tree or a link's target.
    Content,
    /// Permissions or owner only.
    Access,
    /// Another kind of thing: a file became a folder.
    Kind,
    /// It is not there any more.
    Deleted,
}

/// What lies at a path on this machine's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskNow {
    /// Nothing, or nothing that may be looked at.
    Gone {
        /// Where.
        path: PathBuf,
    },
    /// Something.
    There {
        /// Where.
        path: PathBuf,
        /// Bytes of a file.
        size: Option<u64>,
        /// Last change, in seconds since 1970.
        mtime: i64,
        /// Whether size and time are those of the newest version.
        like_newest: bool,
    },
}

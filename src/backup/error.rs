//! What stops a backup, and what it only reports.

use std::path::PathBuf;

use crate::progress::Cancelled;
use crate::vault;

/// What stops a backup: no generation is saved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// A glob is wrong.
    #[error(transparent)]
    Pattern(#[from] BadPattern),
    /// No path was given, or none of them exists.
    #[error("there is nothing to back up: {0}")]
    Nothing(String),
    /// A path was given that cannot be stored in a generation.
    #[error("cannot back up {}: {why}", path.display())]
    Target {
        /// The path.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A disk cannot be read.
    #[error("cannot read the disk of {}: {source}; no generation was saved", path.display())]
    Disk {
        /// The file it would be in the generation.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// Standard input failed, or the command whose output is backed up.
    #[error("cannot read {name} from standard input: {source}; no generation was saved")]
    Stdin {
        /// The name it would have in the generation.
        name: String,
        /// The system's own error.
        source: std::io::Error,
    },
}

impl From<Cancelled> for Error {
    fn from(cancelled: Cancelled) -> Error {
        Error::Vault(cancelled.into())
    }
}

impl Error {
    /// Whether the backup was stopped on request, which is no failure.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Error::Vault(vault::Error::Cancelled(_)))
    }
}

/// A glob that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern {pattern:?} is wrong: {why}")]
pub struct BadPattern {
    /// The pattern as it was given.
    pub pattern: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Something about one entry that the user should know; the backup goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The entry's path, raw bytes.
    pub path: Vec<u8>,
    /// What kind of thing happened.
    pub what: IssueKind,
    /// The whole story in words.
    pub error: String,
}

/// What happened to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IssueKind {
    /// It could not be read: it is not in the generation.
    Unreadable,
    /// It was there when its folder was listed and gone when it was read: it is not in the generation.
    Vanished,
    /// Its size or time changed while it was read: the generation holds what was read, perhaps a mixture of both states.
    ChangedWhileRead,
    /// It is in the generation, but some of its metadata could not be read.
    IncompleteMetadata,
    /// Its blobs were missing from the vault; it was read again, which puts them back.
    Healed,
    /// The parent generation's listing of this folder could not be read; all files in it were read again.
    ParentUnreadable,
    /// This generation of the vault could not be read: it was not thought of as a parent.
    GenerationUnreadable,
}

impl IssueKind {
    /// Whether the generation lacks something because of it: exit code 3.
    pub fn is_loss(self) -> bool {
        matches!(
            self,
            IssueKind::Unreadable | IssueKind::Vanished | IssueKind::IncompleteMetadata
        )
    }
}

impl std::fmt::Display for Issue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.what {
            IssueKind::Unreadable => "not backed up",
            IssueKind::Vanished => "vanished, not backed up",
            IssueKind::ChangedWhileRead => "changed while it was read",
            IssueKind::IncompleteMetadata => "backed up with incomplete metadata",
            IssueKind::Healed => "read again",
            IssueKind::ParentUnreadable => "read again",
            IssueKind::GenerationUnreadable => "not compared with",
        };
        write!(f, "{}: {what}: {}", String::from_utf8_lossy(&self.path), self.error)
    }
}

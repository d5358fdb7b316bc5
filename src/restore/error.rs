//! What ends a restore, and what is reported while it goes on.

use std::io;
use std::path::PathBuf;

use crate::progress::Cancelled;
use crate::vault;

/// Shorthand for results in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What ends a restore or a dump.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The vault failed in a way that leaves nothing to go on with.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The path is not in the generation.
    #[error("{path} is not in generation {generation}; coffer ls {generation} lists what is")]
    NotInGeneration {
        /// The path asked for.
        path: String,
        /// The generation, short.
        generation: String,
    },
    /// The path is not of the kind needed.
    #[error("{path} is {found}, not {wanted}")]
    WrongKind {
        /// The path asked for.
        path: String,
        /// What it is, with its article.
        found: &'static str,
        /// What is needed, with its article.
        wanted: &'static str,
    },
    /// A glob pattern is not valid.
    #[error("bad pattern {pattern:?}: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// The request would be dangerous or has no meaning.
    #[error("{0}")]
    Refused(String),
    /// The target folder cannot be used.
    #[error("cannot {action} {path:?}: {source}")]
    Target {
        /// `make`, `open`, …
        action: &'static str,
        /// The folder.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// The target's disk is full (or its quota used up, or it became read-only).
    #[error("stopped at {path}: {source}; make room and run the same restore again: it goes on where it stopped")]
    NoSpace {
        /// The entry being written.
        path: String,
        /// The system's own error.
        source: io::Error,
    },
    /// A file's content cannot be read, and the stream it goes to cannot be taken back.
    #[error("{path} cannot be read, the output ends in it: {source}")]
    Content {
        /// The file.
        path: String,
        /// What is wrong in the vault.
        source: vault::Error,
    },
    /// The stream that a dump writes to failed.
    #[error("cannot write the output: {0}")]
    Output(#[source] io::Error),
    /// A generation with more entries than this program handles (a hostile vault can claim any number).
    #[error("the generation has more than {0} entries; restore a part of it")]
    TooMany(u64),
    /// The work was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// What went wrong with one entry, or could not be restored exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IssueKind {
    /// Its content or listing in the vault is damaged or missing. The file is not restored; what could be read of a
    /// large file is kept beside it under the name the error gives.
    Damaged,
    /// Its name cannot be made safely (empty, `.`, `..`, `/` or NUL in it), or the folders are nested too deeply.
    UnsafeName,
    /// Another entry of the same folder has this name; the first one was taken.
    DuplicateName,
    /// Something else stands where it belongs, and was not removed.
    InTheWay,
    /// It could not be written, made or deleted.
    Failed,
    /// Its content is right, some of its metadata is not.
    Metadata,
    /// It is of a kind that is not restored (a socket; a device, without the privilege to make it).
    NotRestored,
    /// Its time is outside what the filesystem can store.
    TimeRange,
    /// Reading it back gave other content than was written.
    VerifyFailed,
}

impl IssueKind {
    /// Whether no content is lost by it: a warning rather than an error.
    pub fn is_warning(self) -> bool {
        matches!(self, IssueKind::NotRestored | IssueKind::TimeRange)
    }
}

/// One entry that is not, or not exactly, as in the generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// The entry's path in the generation, raw bytes.
    pub path: Vec<u8>,
    /// What kind of problem.
    pub kind: IssueKind,
    /// What happened and what it means, without the path.
    pub error: String,
}

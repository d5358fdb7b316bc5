//! Every way a vault can fail, in words that say what, where and what to do next.

use super::{BlobKind, Id};
use crate::progress::Cancelled;
use crate::storage::StorageError;

/// Shorthand for results in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong with a vault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no vault at this place. Exit code 10.
    #[error(
        "there is no vault at {place}: is the path right, is its disk mounted? A new one is made with: coffer init --vault {place}"
    )]
    NoVault {
        /// Folder or address.
        place: String,
    },
    /// A vault is there already.
    #[error("{place} holds a vault already; nothing was changed")]
    Exists {
        /// Folder or address.
        place: String,
    },
    /// No key opens with this password. Exit code 12.
    #[error(
        "wrong password for {place}: {} with it{}",
        if *.keys == 1 { "its one key does not open".to_owned() } else { format!("none of its {} keys opens", .keys) },
        .bad.as_ref().map(|bad| format!("; one more cannot be tried: {bad}")).unwrap_or_default()
    )]
    WrongPassword {
        /// Folder or address.
        place: String,
        /// How many keys were tried.
        keys: usize,
        /// What is wrong with a key file that could not be tried, if there is one.
        bad: Option<String>,
    },
    /// Someone else's lock is in the way. Exit code 11.
    #[error("{place} is locked{}: {holder}; if that program is gone, run: coffer unlock --vault {place}", if *.exclusive { " exclusively" } else { "" })]
    Locked {
        /// Folder or address.
        place: String,
        /// Whether the lock in the way is exclusive.
        exclusive: bool,
        /// Who holds it: user, host, process id, since when.
        holder: String,
    },
    /// No lock can be written there.
    #[error(
        "cannot write a lock into {place}: {source}; to read from it all the same, when nothing else changes it, use --no-lock"
    )]
    CannotLock {
        /// Folder or address.
        place: String,
        /// The system's own error.
        source: std::io::Error,
    },
    /// Our own lock could not be kept alive, so that going on would be unsafe.
    #[error("the lock on {place} was lost ({why}); the operation was stopped to be safe: run it again")]
    LockLost {
        /// Folder or address.
        place: String,
        /// Why it could not be refreshed.
        why: String,
    },
    /// The vault's version or settings are not ones this program knows.
    #[error("{place}: {what}")]
    Unsupported {
        /// Folder or address.
        place: String,
        /// What is not supported.
        what: String,
    },
    /// A file of the vault is damaged or is not what it should be.
    #[error("{file} is damaged: {what}")]
    Damaged {
        /// The file's place.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// A blob is in no pack that can be read.
    #[error("{kind:?} blob {id} is missing from the vault's index; coffer check tells what it affects")]
    MissingBlob {
        /// Data or tree.
        kind: BlobKind,
        /// The blob.
        id: Id,
    },
    /// A blob's bytes are wrong in every pack that holds it.
    #[error("{kind:?} blob {id} cannot be read: {what}")]
    BadBlob {
        /// Data or tree.
        kind: BlobKind,
        /// The blob.
        id: Id,
        /// What is wrong, with the pack files.
        what: String,
    },
    /// No generation, or more than one, answers to what was asked for.
    #[error("{0}")]
    Selection(String),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The local cache or another local file failed.
    #[error("cannot {action} {path}: {source}")]
    Local {
        /// `read`, `write`, …
        action: &'static str,
        /// The local file.
        path: String,
        /// The system's own error.
        source: std::io::Error,
    },
    /// The system gave no random numbers.
    #[error("the system gives no random numbers ({0}); nothing can be encrypted without them")]
    Random(String),
    /// The work was stopped on request. Exit code 130.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// Anything that cannot be (a bug): the text says which assumption failed.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// The same; of a damaged file it also says what to do.
    pub(super) fn advise(self, advice: impl FnOnce() -> String) -> Error {
        match self {
            Error::Damaged { file, what } => Error::Damaged {
                file,
                what: format!("{what}; {}", advice()),
            },
            other => other,
        }
    }
}

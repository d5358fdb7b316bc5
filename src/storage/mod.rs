//! Where a vault's bytes lie. A [`Storage`] knows files by kind and name, nothing of what is in them.
//!
//! The trait blocks: it is called from the engine's worker threads, and how many of them there are is the bound on
//! parallel requests. A remote backend drives its own runtime inside the call.

pub mod local;

pub use local::LocalStorage;

use crate::vault::Id;

/// The kinds of file in a vault, each with its own folder (restic's layout).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// `config`, the one file without an id: pass [`Id::ZERO`].
    Config,
    /// `keys/<id>`
    Key,
    /// `snapshots/<id>`
    Generation,
    /// `index/<id>`
    Index,
    /// `locks/<id>`
    Lock,
    /// `data/<first two digits>/<id>`
    Pack,
}

/// What went wrong in a storage, with the file's place in words.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The file or the whole vault is not there.
    #[error("{what} does not exist")]
    NotFound {
        /// Path or address.
        what: String,
    },
    /// A read asked for bytes beyond the end of the file.
    #[error("{what} is too short: {wanted} bytes wanted at offset {offset}")]
    Short {
        /// Path or address.
        what: String,
        /// Offset of the read.
        offset: u64,
        /// Bytes wanted.
        wanted: usize,
    },
    /// A file is larger than any sane one of its kind.
    #[error("{what} is too large: more than {limit} bytes; it is damaged or not what it should be")]
    TooLarge {
        /// Path or address.
        what: String,
        /// The most that is taken, bytes.
        limit: u64,
    },
    /// The system refused.
    #[error("cannot {action} {what}: {source}")]
    Io {
        /// `read`, `write`, `list`, `delete`, `create`, …
        action: &'static str,
        /// Path or address.
        what: String,
        /// The system's own error.
        source: std::io::Error,
    },
}

/// Files that are none of the vault's: what a program that was killed left half written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leftovers {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A file, as a listing tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub id: Id,
    /// Its size, bytes.
    pub size: u64,
    /// When it was written, seconds since 1970, if the storage knows. A vault that was copied has the copy's times, unless
    /// the copying kept them.
    pub modified: Option<i64>,
}

/// One place for a vault's files.
pub trait Storage: Send + Sync + std::fmt::Debug {
    /// The place as a user would write it, for messages.
    fn describe(&self) -> String;

    /// The folder it lies in, if that is one of this machine.
    fn local_folder(&self) -> Option<&std::path::Path> {
        None
    }

    /// The place of one file as a user would write it, for messages.
    fn describe_file(&self, kind: FileKind, id: &Id) -> String;

    /// Makes the empty layout (all folders). Harmless when it exists.
    fn create_layout(&self) -> Result<(), StorageError>;

    /// Calls `each` with name and size in bytes of every file of a kind, in no order. Names that are not 64 hex digits
    /// are passed over. A missing folder lists nothing.
    fn list(&self, kind: FileKind, each: &mut dyn FnMut(Id, u64)) -> Result<(), StorageError>;

    /// The same, with the time each file was written where the storage knows it.
    fn list_dated(&self, kind: FileKind, each: &mut dyn FnMut(Listed)) -> Result<(), StorageError> {
        self.list(kind, &mut |id, size| {
            each(Listed {
                id,
                size,
                modified: None,
            });
        })
    }

    /// The size of a file in bytes, or [`StorageError::NotFound`].
    fn size(&self, kind: FileKind, id: &Id) -> Result<u64, StorageError>;

    /// The whole file. At most `limit` bytes: a larger file is an error (hostile vaults).
    fn read(&self, kind: FileKind, id: &Id, limit: u64) -> Result<Vec<u8>, StorageError>;

    /// Fills `buffer` from `offset` on, or errors.
    fn read_at(&self, kind: FileKind, id: &Id, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError>;

    /// Writes a whole file from `parts`, in order, so that it is there completely and durably or not at all.
    /// Writing a name that exists replaces it (the content is the same: names are content hashes); but `config` is never
    /// replaced: that is [`StorageError::Io`] of the kind `AlreadyExists`.
    fn write(&self, kind: FileKind, id: &Id, parts: &[&[u8]]) -> Result<(), StorageError>;

    /// Deletes a file. A file that is not there is [`StorageError::NotFound`].
    fn remove(&self, kind: FileKind, id: &Id) -> Result<(), StorageError>;

    /// Finds temporary files that a program left when it was killed (old enough that none can be at work on them), and
    /// deletes them if asked to. The caller then holds an exclusive lock. A storage that leaves none has none.
    fn leftovers(&self, _delete: bool) -> Result<Leftovers, StorageError> {
        Ok(Leftovers::default())
    }
}

//! Files to chunks to blobs: walking, metadata, excludes, the pipeline that stores a generation.
//!
//! What lives here: [`run`], which walks the live filesystem and stores what it finds as one generation, and what it
//! takes to say which files are meant ([`options`], [`exclude`], [`pattern`], [`targets`]). What does not: how blobs are
//! compressed, sealed and packed ([`crate::vault::writer`]), which plan runs when, or anything a user sees.
//!
//! How data passes: a fixed set of workers shares one stack of jobs. A folder's job lists it, compares each
//! entry with the parent generation's tree, and leaves more jobs: one for each subfolder, one for each batch of files that
//! must be read. A worker reads a file into its own buffer, cuts it into chunks and hands them to the blob writer; chunks
//! of a large file are offered to idle workers. Whoever finishes a folder's last entry encodes its tree, stores it and
//! tells the parent folder. The root's end is the backup's: the writer is flushed, then the generation is saved.
//!
//! Memory is bounded whatever the input: each worker has one buffer of a chunk and some read-ahead, the chunks on offer
//! are counted, and the stack is worked off depth first.

pub mod error;
pub mod exclude;
pub mod metadata;
pub mod options;
pub mod pattern;
pub mod targets;

pub use error::{BadPattern, Error, Issue, IssueKind};
pub use exclude::Exclude;
pub use options::{BackupOptions, Clock, Outcome, ParentChoice, StdinSource};

use crate::progress::{Cancel, Progress};
use crate::vault::IndexedVault;

/// Shorthand for results in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Backs up what the options say. The caller holds a shared lock. Entries that cannot be read or change meanwhile are
/// told to `report`, from any thread, and left out or stored as they were read; the generation is saved all the same.
///
/// After a stop or an error no generation is saved, but what was stored is indexed, so that the next run finds it.
pub fn run(
    vault: &IndexedVault,
    options: &BackupOptions,
    progress: &Progress,
    cancel: &Cancel,
    report: &(dyn Fn(Issue) + Sync),
) -> Result<Outcome> {
    let _ = (vault, options, progress, cancel, report);
    todo!()
}

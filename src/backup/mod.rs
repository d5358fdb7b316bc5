//! Files to chunks to blobs: walking, metadata, excludes, the pipeline that stores a generation.
//!
//! What lives here: [`run`], which walks the live filesystem and stores what it finds as one generation, and what it
//! takes to say which files are meant ([`options`], [`exclude`], [`pattern`], [`targets`]). What does not: how blobs are
//! compressed, sealed and packed ([`crate::vault::writer`]), which plan runs when, or anything a user sees.
//!
//! How data passes: a fixed set of workers shares one stack of jobs (`queue`). A folder's job lists it, compares each
//! entry with the parent generation's tree, and leaves more jobs: one for each subfolder, one for each batch of files that
//! must be read. A worker reads a file into its own buffer, cuts it into chunks and hands them to the blob writer; chunks
//! of a large file are offered to idle workers. Whoever finishes a folder's last entry encodes its tree, stores it and
//! tells the parent folder. The root's end is the backup's: the writer is flushed, then the generation is saved.
//!
//! Memory is bounded whatever the input: each worker has one buffer of a chunk and some read-ahead, the chunks on offer
//! are counted, and the stack is worked off depth first.

mod content;
mod count;
pub mod disk;
mod entry;
pub mod error;
pub mod exclude;
mod folder;
mod listing;
pub mod metadata;
pub mod options;
mod parent;
pub mod pattern;
mod queue;
mod run;
mod stream;
pub mod tally;
pub mod targets;
#[cfg(test)]
mod tests;
pub mod view;
mod walk;
mod worker;

pub use error::{BadPattern, Error, Issue, IssueKind};
pub use exclude::Exclude;
pub use options::{BackupOptions, Clock, Outcome, ParentChoice, StdinSource};
pub use run::run;
pub use view::View;

/// Shorthand for results in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

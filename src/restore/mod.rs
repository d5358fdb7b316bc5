//! Blobs back to files: what a restore would do, doing it, and archives to standard output.
//!
//! What lives here: [`plan`] compares a generation (or part of it) with the target and yields a [`Plan`], which can be
//! shown and counted; [`execute`] takes that same value and carries it out; [`dump_file`] and [`dump_archive`] write to a
//! stream and touch no file. What does not: choosing the generation ([`crate::vault`]), asking the user, locks (the caller
//! holds a shared one).
//!
//! How data passes: a walk reads the generation's trees in a fixed order and numbers the entries. The plan keeps one byte
//! for each (its [`Action`]) and little more, so that a million files cost megabytes; listing or executing the plan walks
//! the same trees again. Execution makes folders in the walking thread, collects the blobs that files need into windows,
//! sorts each window by pack, and lets all cores read runs of a pack, open the blobs and write them to their files. A
//! folder gets its metadata when the last entry in it is finished.
//!
//! Vaults are hostile until shown otherwise: names are checked, every step into a folder is relative to the folder above
//! and follows no symlink, so that nothing is ever written outside the target.

mod compare;
mod conflict;
mod dump;
mod error;
mod execute;
mod fetch;
mod file;
mod folder;
mod job;
mod judge;
mod links;
mod look;
mod metadata;
mod options;
mod place;
mod plan;
mod planner;
mod reads;
mod relink;
mod roots;
mod selection;
mod special;
mod tar;
#[cfg(test)]
mod tests;
mod verify;
mod walk;
mod weigh;
mod zip;

pub use conflict::{Class, Conflict, Conflicts, Difference, State};
pub use dump::{ArchiveFormat, dump_archive, dump_file};
pub use error::{Error, Issue, IssueKind, Result};
pub use execute::execute;
pub use options::{Overwrite, RestoreOptions, Target};
pub use place::is_part_name;
pub use plan::{Action, Entry, Plan, Problem, Totals};
pub use planner::plan;
pub use reads::{Counted, Reads};
pub use selection::{Measure, Rules, Selection, measure};
pub use walk::is_folder;

/// What a restore did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RestoreOutcome {
    /// Files written, wholly or in part (hard links included).
    pub files_written: u64,
    /// Files whose content was right already.
    pub files_unchanged: u64,
    /// Entries left alone because of the [`Overwrite`] choice.
    pub skipped: u64,
    /// Folders made or brought up to date.
    pub folders: u64,
    /// Symlinks, fifos and devices made.
    pub others: u64,
    /// Entries deleted because the generation does not have them (a folder counts with all that was in it).
    pub deleted: u64,
    /// Bytes of content written.
    pub bytes_written: u64,
    /// Bytes read from packs.
    pub bytes_fetched: u64,
    /// Files whose content was read back and compared ([`RestoreOptions::verify`]).
    pub files_verified: u64,
    /// Entries that are not as in the generation, each reported as an [`Issue`].
    pub errors: u64,
    /// What could not be restored exactly but loses no content, each reported as an [`Issue`].
    pub warnings: u64,
}

/// How many threads work: as many as there are cores, but no more than memory is meant for.
fn threads(wanted: usize) -> usize {
    const MOST: usize = 16;
    match wanted {
        0 => std::thread::available_parallelism().map_or(2, usize::from).min(MOST),
        wanted => wanted.min(64),
    }
}

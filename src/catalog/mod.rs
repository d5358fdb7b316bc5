//! What is known without asking a vault (rebuildable), and what happened (job history), in SQLite.
//!
//! One file, `catalog.db`, in the data folder: vaults seen, their generations, the unique trees read so far, and the
//! history of jobs. It can be deleted at any time, even while Coffer runs: it is made again and fills up as vaults are
//! read. A damaged file is moved aside. Several processes may use it at once.
//!
//! - `file` opens, migrates and repairs the file and hands out connections;
//! - `schema` holds the tables, a step for each version;
//! - `vaults` remembers vaults and their generations, so that lists are there while a vault is offline;
//! - `trees` stores each unique tree once, rows numbered folders first, then by name, so that any window of a folder is a
//!   range of the primary key and a name is found by bisection; `view` gives windows in other orders and under filters;
//! - `search` finds entries by name in all generations; `sweep` drops trees that none reaches any more;
//! - `history` keeps jobs, their logs and their issues.
//!
//! What does not live here: reading a vault (the engine does, and stores what it read here).

mod entry;
mod file;
mod history;
mod schema;
mod search;
mod sweep;
#[cfg(test)]
mod tests;
mod trees;
mod vaults;
mod view;

use std::path::PathBuf;

pub use entry::{Direction, Entry, FolderView, Position, SortKey, Totals, Window};
pub use file::Catalog;
pub use history::{JobEnd, JobRecord, LogLine};
pub use search::{Coverage, Hit, Presence, Searched, Wanted};
pub use trees::StoredTree;
pub use vaults::{GenerationGroup, VaultRecord};

/// What went wrong with the catalog. None of it touches a vault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A newer Coffer made it.
    #[error("{} was made by a newer version of coffer (its catalog has version {version}, this one knows {known}): use that version, or move the file away: all but the job history comes back by itself", .file.display())]
    Newer {
        /// The catalog's file.
        file: PathBuf,
        /// Its version.
        version: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// SQLite could not.
    #[error("cannot use the catalog {}: {source}", .file.display())]
    Sqlite {
        /// The catalog's file.
        file: PathBuf,
        /// SQLite's own error.
        source: rusqlite::Error,
    },
    /// The system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// `create`, `lock`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
}

/// Shorthand for results in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

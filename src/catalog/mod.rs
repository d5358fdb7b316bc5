//! What is known without asking a vault (rebuildable), and what happened (job history), in SQLite.
//!
//! One file, `catalog.db`, in the data folder: vaults seen, their generations, the unique trees read so far, and the
//! history of jobs. It can be deleted at any time, even while Coffer runs: it is made again and fills up as vaults are
//! read. A damaged file is moved aside. Several processes may use it at once.
//!
//! - `file` opens, migrates and repairs the file and hands out connections;
//! - `vaults` and `generations` remember what vaults hold, so that lists are there while a vault is offline;
//! - `trees` stores each unique tree once, rows numbered in name order, so that any window of a folder is a range of the
//!   primary key; `listing` gives windows by other orders and filters;
//! - `history` keeps jobs and their issues.
//!
//! What does not live here: reading a vault (the engine does, and stores what it read).

mod entry;

pub use entry::{Direction, Entry, FolderView, Position, SortKey, Totals, Window};

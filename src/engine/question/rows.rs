//! Rows of lists and windows of them: vaults, plans, generations, entries, jobs.

use std::path::PathBuf;

use crate::catalog::{Direction, SortKey, Totals};
use crate::engine::{JobInfo, JobState};
use crate::progress::ProgressSample;
use crate::schedule::Schedule;
use crate::vault::{Id, NodeType, Time};

/// A vault as listed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VaultRow {
    /// Its name in the config, or its folder.
    pub name: String,
    /// Where it lies, as text.
    pub location: String,
    /// How many generations, if known.
    pub generations: Option<u64>,
    /// When the newest was made, in seconds since 1970.
    pub latest: Option<i64>,
    /// Stored bytes, if known.
    pub stored: Option<u64>,
    /// What is wrong with it, empty if nothing is known to be.
    pub problem: String,
}

/// What ran into a vault, and what is to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VaultRuns {
    /// The runs of plans, newest first, failed ones with them.
    pub runs: Vec<JobRow>,
    /// The schedules of the plans that write to it.
    pub schedules: Vec<Schedule>,
}

/// A plan as listed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanRow {
    /// Its name.
    pub name: String,
    /// The vault it writes to.
    pub vault: String,
    /// What it backs up.
    pub paths: Vec<PathBuf>,
}

/// A generation as listed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GenerationRow {
    /// Its id.
    pub id: Id,
    /// When, in seconds since 1970.
    pub time: i64,
    /// Where it was made.
    pub host: String,
    /// What was backed up.
    pub paths: Vec<String>,
    /// Labels.
    pub tags: Vec<String>,
    /// Files it holds, if its summary says so.
    pub files: Option<u64>,
    /// What its files weigh, if its summary says so.
    pub logical: Option<u64>,
    /// Stored bytes it brought, if its summary says so.
    pub added: Option<u64>,
    /// The generation it was compared with; without one it read every file anew.
    pub parent: Option<Id>,
    /// By whom.
    pub user: String,
    /// The program that made it.
    pub program: String,
    /// Files that were new and files that had changed, if its summary says so.
    pub changes: Option<(u64, u64)>,
    /// How many seconds it took, if its summary says so.
    pub took: Option<u64>,
}

/// In which order a folder's entries come. Ties go by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FolderOrder {
    /// By what.
    pub key: SortKey,
    /// Which end comes first.
    pub direction: Direction,
    /// Folders before everything else.
    pub folders_first: bool,
}

impl Default for FolderOrder {
    /// Folders first, then by name: the one order that costs nothing.
    fn default() -> Self {
        FolderOrder {
            key: SortKey::Name,
            direction: Direction::Ascending,
            folders_first: true,
        }
    }
}

/// Rows of a folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FolderWindow {
    /// The number of the first row given.
    pub first: u64,
    /// The rows.
    pub rows: Vec<EntryRow>,
    /// How many rows the folder has (under the filter).
    pub total: u64,
    /// The row of the name that was to be near, if it is there.
    pub at: Option<u64>,
    /// What the heaviest entry of the folder weighs, as far as is known, whatever the filter: bars are measured by it.
    pub heaviest: u64,
    /// What the whole folder weighs, if that is known.
    pub below: Option<Totals>,
}

/// How far the weighing of a folder's folders is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Weighed {
    /// Folders whose weight is known now.
    pub known: u64,
    /// Folders in it.
    pub of: u64,
    /// What was found since the last answer: a folder's raw name, and what lies below it.
    pub found: Vec<(Vec<u8>, Totals)>,
}

/// An entry of a folder as listed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EntryRow {
    /// Its raw name.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: NodeType,
    /// Content of a file; for a folder what lies below it, where the catalog knows.
    pub size: Option<u64>,
    /// How many entries lie below a folder, where the catalog knows.
    pub entries: Option<u64>,
    /// Last change of content, in seconds since 1970.
    pub mtime: i64,
    /// Permission bits as `chmod` takes them.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Raw target of a symlink.
    pub link_target: Vec<u8>,
}

/// One job, of this process, of another or of the history.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRow {
    /// What it is.
    pub info: JobInfo,
    /// What it is called; empty when nobody gave it a name.
    pub title: String,
    /// Where it stands. Jobs of a process that died are `Failed`.
    pub state: JobState,
    /// When it ended.
    pub ended: Option<Time>,
    /// How far it has come; at its end for ended ones.
    pub progress: ProgressSample,
    /// How many issues it reported.
    pub issues: u64,
    /// Whether it is a job of this process: its events and its progress come without asking again.
    pub here: bool,
}

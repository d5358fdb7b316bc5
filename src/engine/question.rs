//! What the interface asks without ever waiting, and what it is told: plain values, each question with a request's id
//! that its answer carries, so that answers nobody waits for any more can be dropped.
//!
//! Every list comes as a window: the interface holds about three screens of rows, whatever the total.

use std::path::PathBuf;

use std::sync::Arc;

pub use super::changes::{Change, ChangeRow, ChangeTotals, ChangesAsked, ChangesWindow, Compared};
pub use super::content::{Comparison, Content, DiffLine, FileAt, Form, ImageFormat, ImageSize, Side, TextDiff};
use super::overview::Overview;
pub use super::search::{FoundRow, FoundWindow, Kinds, Presence, Search, SearchAsked, SearchedVault, Standing};
use super::setup::{Changed, ConfigNow, CountExcludes, DiskWindow, KeyRow, ListDisk, LockRow, Tally};
pub use super::versions::on_disk_path;
use super::{JobId, JobInfo, JobIssue, JobState, LogLine};
pub use crate::catalog::{Direction, SortKey, Totals};
use crate::progress::ProgressSample;
pub use crate::restore::{Class, Difference, State};
use crate::schedule::Schedule;
use crate::vault::{Id, NodeType, Time};

/// Tells answers apart.
pub type RequestId = u64;

/// Raw names from a generation's root, without a leading slash; empty is the root.
pub type TreePath = Vec<Vec<u8>>;

/// A question to the engine.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// The configured vaults (and those opened by folder), with what is known of each without waiting.
    Vaults,
    /// The plans of the config.
    Plans,
    /// All generations of a vault, newest first. Opens the vault if its password is known or needs none.
    Generations {
        /// Name or folder.
        vault: String,
    },
    /// A window of a folder's entries.
    Folder {
        /// Name or folder.
        vault: String,
        /// Whose.
        generation: Id,
        /// Which folder.
        folder: TreePath,
        /// In which order.
        order: FolderOrder,
        /// Only names that hold this text, whatever the case; empty for all.
        filter: String,
        /// The first row wanted (clamped to what there is).
        first: u64,
        /// A name to have in the middle of the window, if it is there: then `first` does not count.
        near: Option<Vec<u8>>,
        /// How many rows.
        rows: u32,
    },
    /// What lies below each folder in a folder, counted where it is not known yet → [`Answer::Weighed`] in parts. Windows
    /// of that folder tell the sizes from then on.
    Weigh {
        /// Name or folder.
        vault: String,
        /// Whose.
        generation: Id,
        /// Which folder.
        folder: TreePath,
    },
    /// The versions of what lies at a path, through all generations of the same machine that back it up →
    /// [`Answer::Versions`] in parts, from the given generation on both ways.
    Versions {
        /// Name or folder.
        vault: String,
        /// Where to begin.
        generation: Id,
        /// The file or folder; empty is the root.
        path: TreePath,
    },
    /// The start of a file's content.
    Content {
        /// The file.
        file: FileAt,
        /// At most so many bytes of it.
        limit: u64,
    },
    /// How two files differ.
    Compare {
        /// The older one.
        before: FileAt,
        /// The newer one.
        after: FileAt,
    },
    /// Entries by name, in all generations of all vaults or of one, in parts.
    Search(SearchAsked),
    /// What changed from one generation of a vault to another, in parts.
    Changes(ChangesAsked),
    /// What a selection weighs.
    Totals {
        /// Name or folder.
        vault: String,
        /// Whose.
        generation: Id,
        /// See [`SelectionRules`].
        rules: SelectionRules,
    },
    /// What is protected and what is not. Answered twice: from what is known, then with the vaults looked for.
    Overview,
    /// The runs of plans into a vault, and when they are due.
    Runs {
        /// Name or folder.
        vault: String,
    },
    /// What restoring a selection would do, in full. The engine keeps the plan; its number starts the job. Told on the
    /// way: [`Answer::RestorePlanning`].
    PreviewRestore(RestoreRequest),
    /// What a prune would do: [`crate::vault::prune::PrunePlan`] with the default options.
    PlanPrune {
        /// Name or folder.
        vault: String,
    },
    /// A window of what a restore plan would change among that which is there already.
    RestoreConflicts(ConflictsAsked),
    /// The config as it is used now.
    Config,
    /// A window of a folder of the live filesystem.
    Disk(ListDisk),
    /// What a plan would take and leave out, in parts.
    Excludes(CountExcludes),
    /// A vault's keys, the one in use first.
    Keys {
        /// Name or folder.
        vault: String,
    },
    /// A vault's locks, oldest first.
    Locks {
        /// Name or folder.
        vault: String,
    },
    /// Jobs of this process, of others that run, and of the history, newest first.
    Jobs {
        /// At most this many.
        limit: u32,
    },
    /// What went wrong within a job.
    Issues {
        /// The job.
        job: JobId,
    },
    /// What a job did when.
    JobLog {
        /// The job.
        job: JobId,
    },
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

/// What happens to a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overwrite {
    /// It is overwritten.
    Always,
    /// It is overwritten where its content differs.
    #[default]
    IfChanged,
    /// It is overwritten where the generation's is newer.
    IfNewer,
    /// It stays.
    Never,
}

/// A selection as rules, each for a path and everything below it, until a rule further down says otherwise; what no rule
/// covers is not chosen.
pub type SelectionRules = Vec<(TreePath, bool)>;

/// The engine's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To [`Question::Vaults`].
    Vaults(Vec<VaultRow>),
    /// To [`Question::Plans`].
    Plans(Vec<PlanRow>),
    /// To [`Question::Generations`].
    Generations(Vec<GenerationRow>),
    /// To [`Question::Folder`].
    Folder(FolderWindow),
    /// To [`Question::Weigh`].
    Weighed(Weighed),
    /// To [`Question::Versions`].
    Versions(Versions),
    /// To [`Question::Content`].
    Content(Content),
    /// To [`Question::Compare`].
    Comparison(Comparison),
    /// To [`Question::Search`].
    Found(FoundWindow),
    /// To [`Question::Changes`].
    Changes(ChangesWindow),
    /// To [`Question::Totals`].
    Totals(Totals),
    /// To [`Question::PreviewRestore`], while it is being found out: what has been looked at so far.
    RestorePlanning {
        /// Files.
        files: u64,
        /// Their bytes.
        bytes: u64,
    },
    /// To [`Question::PreviewRestore`].
    RestorePreview(Box<RestorePreview>),
    /// To [`Question::RestoreConflicts`].
    RestoreConflicts(ConflictWindow),
    /// To [`Question::Overview`].
    Overview(Box<Overview>),
    /// To [`Question::Runs`].
    Runs(VaultRuns),
    /// To [`Question::Jobs`].
    Jobs(Vec<JobRow>),
    /// To [`Question::Issues`].
    Issues(Vec<JobIssue>),
    /// To [`Question::Config`].
    Config(ConfigNow),
    /// To [`Question::Disk`].
    Disk(DiskWindow),
    /// To [`Question::Excludes`].
    Excludes(Tally),
    /// To [`Question::Keys`].
    Keys(Vec<KeyRow>),
    /// To [`Question::Locks`].
    Locks(Vec<LockRow>),
    /// To [`super::Engine::ask_change`]: it is done.
    Changed(Changed),
    /// To [`Question::JobLog`].
    JobLog(Vec<LogLine>),
    /// To [`Question::PlanPrune`].
    PrunePlan(crate::vault::prune::PruneFigures),
    /// To [`super::Engine::ask_open`]: the vault is open; ask again what could not be answered.
    Opened {
        /// Name or folder.
        vault: String,
    },
    /// The vault cannot be opened without a password from the user; the text says what was wrong with the last one, if
    /// one was given.
    PasswordNeeded {
        /// Name or folder.
        vault: String,
        /// Why the last one did not do, empty if none was given.
        problem: String,
    },
    /// The folder is not in this generation.
    NoSuchFolder,
    /// It did not work: what, where, what to do.
    Failed(String),
}

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

/// The versions of a file or folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Versions {
    /// Newest first; two that follow each other differ.
    pub versions: Vec<VersionRow>,
    /// Generations looked at so far; they follow one another in time.
    pub looked: u64,
    /// Generations of this machine that back the path up.
    pub of: u64,
    /// Whether the newest of them was looked at.
    pub newest_seen: bool,
    /// Whether the oldest of them was looked at.
    pub oldest_seen: bool,
    /// What lies there on this machine's disk now; `None` when the generations are of another machine, and until all is
    /// looked at.
    pub disk: Option<DiskNow>,
}

/// A stretch of generations in which a path holds the same.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRow {
    /// What is there; `None`: it is deleted.
    pub entry: Option<EntryRow>,
    /// Tells contents apart; versions with the same one hold the same.
    pub content: Option<u64>,
    /// What sets it apart from the version before it.
    pub change: VersionChange,
    /// The generations that hold it and when they were made (in seconds since 1970), newest first; never empty.
    pub held: Vec<(Id, i64)>,
}

/// What sets a version apart from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionChange {
    /// There was none before it.
    Added,
    /// The content, a folder's tree or a link's target.
    Content,
    /// Permissions or owner only.
    Access,
    /// Another kind of thing: a file became a folder.
    Kind,
    /// It is not there any more.
    Deleted,
}

/// What lies at a path on this machine's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskNow {
    /// Nothing, or nothing that may be looked at.
    Gone {
        /// Where.
        path: PathBuf,
    },
    /// Something.
    There {
        /// Where.
        path: PathBuf,
        /// Bytes of a file.
        size: Option<u64>,
        /// Last change, in seconds since 1970.
        mtime: i64,
        /// Whether size and time are those of the newest version.
        like_newest: bool,
    },
}

/// What is to be restored, where to, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreRequest {
    /// Name or folder.
    pub vault: String,
    /// Whose.
    pub generation: Id,
    /// See [`SelectionRules`].
    pub rules: SelectionRules,
    /// Where things land.
    pub landing: Landing,
    /// What happens to files that are there already.
    pub overwrite: Overwrite,
    /// Whether what the generation does not have is deleted, within the folders picked.
    pub delete: bool,
}

/// Where restored things land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// Below this folder, with their full paths.
    Below(PathBuf),
    /// Directly in this folder: of the paths only what the picked things do not share.
    Flat(PathBuf),
    /// Where they were.
    InPlace,
    /// In their original folder, beside what is there, under a name with this date; one file or folder at a time.
    Beside {
        /// The date in the name.
        stamp: String,
    },
}

/// What a restore would do, in full.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RestorePreview {
    /// The plan's number, to start it by.
    pub plan: u64,
    /// The folder under which everything is written.
    pub base: PathBuf,
    /// Files that would be made.
    pub create_files: u64,
    /// Folders that would be made.
    pub create_folders: u64,
    /// Symlinks, fifos and devices that would be made.
    pub create_others: u64,
    /// Entries that would be overwritten.
    pub overwrite: u64,
    /// Of these, files that changed on disk after the generation.
    pub overwrite_newer: u64,
    /// Bytes of the existing files that would be overwritten.
    pub overwrite_bytes: u64,
    /// Entries that are right already (at most their metadata is set).
    pub keep: u64,
    /// Entries that are there and are left alone because of the choice of [`Overwrite`].
    pub left: u64,
    /// Entries that would be deleted, all in deleted folders counted.
    pub delete: u64,
    /// Bytes of the files that would be deleted.
    pub delete_bytes: u64,
    /// Entries that cannot be restored.
    pub problems: u64,
    /// Bytes of content picked.
    pub bytes: u64,
    /// Bytes of content that would be written.
    pub write_bytes: u64,
    /// Bytes of content that are there already.
    pub right_bytes: u64,
    /// Stored bytes to fetch from the vault, each blob once; what is right on disk is not fetched.
    pub fetch_bytes: u64,
    /// How many rows the list of conflicts has: overwritten, left, deleted, problems. A deleted folder is one row.
    pub conflicts: [u64; 4],
    /// The room there is.
    pub room: Room,
    /// What to know before saying yes, in sentences, the gravest first.
    pub warnings: Vec<String>,
}

/// How much room there is for a restore.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Room {
    /// Bytes free, if that can be told.
    pub free_bytes: Option<u64>,
    /// Entries that can still be made, where the filesystem counts them.
    pub free_entries: Option<u64>,
    /// The folder that exists: the target, or the nearest one above it.
    pub on: PathBuf,
    /// Whether this user may write there.
    pub writable: bool,
}

/// Which window of a restore plan's conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictsAsked {
    /// The plan's number.
    pub plan: u64,
    /// Only these; all, when there is none.
    pub classes: Vec<Class>,
    /// The first row wanted (clamped to what there is).
    pub first: u64,
    /// How many rows.
    pub rows: u32,
}

/// Rows of a restore plan's conflicts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConflictWindow {
    /// The number of the first row given.
    pub first: u64,
    /// The rows.
    pub rows: Vec<ConflictRow>,
    /// How many rows there are.
    pub total: u64,
    /// How many more there are that are only counted.
    pub beyond: u64,
}

/// One entry that a restore would change, pass over or fail on.
#[derive(Debug, Clone, PartialEq)]
pub struct ConflictRow {
    /// Its path in the generation.
    pub path: TreePath,
    /// Where it is on disk.
    pub place: PathBuf,
    /// What would happen to it.
    pub class: Class,
    /// How what is there differs, as far as it matters most.
    pub difference: Option<Difference>,
    /// What the generation has.
    pub then: Option<State>,
    /// What is there now.
    pub now: Option<State>,
    /// Why it cannot be restored, in words.
    pub why: String,
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

/// What an engine tells those who subscribed.
#[derive(Debug, Clone)]
pub enum Event {
    /// The answer to a question. A long [`Question::Totals`] gives several: `complete` is the last.
    Answer {
        /// The question's number.
        request: RequestId,
        /// The answer.
        answer: Answer,
        /// Whether no more answers to this question come.
        complete: bool,
    },
    /// A job has started. Never dropped.
    JobStarted(Arc<JobInfo>),
    /// A job has gone to another state; the last one [`JobState::has_ended`]. Never dropped.
    JobChanged {
        /// The job.
        job: Arc<JobInfo>,
        /// Where it stands now.
        state: JobState,
    },
    /// What is known of a vault has changed (generations added or removed, opened): ask again.
    VaultChanged {
        /// Name or folder.
        vault: String,
    },
    /// More of a vault can be searched than before, or its reading has ended.
    Catalogued {
        /// Name or folder.
        vault: String,
    },
    /// Something worth telling that belongs to no question: a catalog that was rebuilt, for one.
    Warning(String),
}

/// The queue of questions is full: try again after the next answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many questions are waiting")]
pub struct Busy;

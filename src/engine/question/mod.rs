//! What the interface asks without ever waiting, and what it is told: plain values, each question with a request's id
//! that its answer carries, so that answers nobody waits for any more can be dropped.
//!
//! Every list comes as a window: the interface holds about three screens of rows, whatever the total. Here are the questions,
//! the answers and the events; `rows` is what lists are made of, `versions` and `restore` what those two topics tell.

mod cost;
mod restore;
mod rows;
mod snapshots;
mod versions;

use std::sync::Arc;

pub use cost::*;
pub use restore::*;
pub use rows::*;
pub use snapshots::*;
pub use versions::*;

pub use crate::catalog::{Direction, SortKey, Totals};
use crate::config::SnapshotPolicy;
pub use crate::engine::changes::{Change, ChangeRow, ChangeTotals, ChangesAsked, ChangesWindow, Compared};
pub use crate::engine::content::{Comparison, Content, DiffLine, FileAt, Form, ImageFormat, ImageSize, Side, TextDiff};
use crate::engine::overview::Overview;
pub use crate::engine::search::{FoundRow, FoundWindow, Kinds, Presence, Search, SearchAsked, SearchedVault, Standing};
use crate::engine::setup::{Changed, ConfigNow, CountExcludes, DiskWindow, KeyRow, ListDisk, LockRow, Tally};
pub use crate::engine::versions::on_disk_path;
use crate::engine::{JobId, JobInfo, JobIssue, JobState, LogLine};
pub use crate::restore::{Class, Difference, State};
use crate::snapshot::replaced::Replaced;
use crate::snapshot::{RollbackPlan, Target};
use crate::vault::Id;

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
    /// What would be if a rule, a price or a schedule changed → [`Answer::WhatIf`].
    WhatIf(WhatIfAsked),
    /// A window of the file versions that would be lost, in parts.
    Lost(LostAsked),
    /// What each generation of a vault weighs and costs.
    GenerationCosts {
        /// Name or folder.
        vault: String,
    },
    /// What each vault costs, from what is known without opening it.
    VaultCosts,
    /// The price book.
    Prices,
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
    /// What can be snapshotted on this machine and by the config → [`Answer::SnapshotTargets`], twice: as found, then with
    /// the snapshots of each.
    SnapshotTargets,
    /// What can be had of a target now, and who writes there.
    SnapshotAbility {
        /// Of what.
        target: Target,
    },
    /// The snapshots of a target → [`Answer::Snapshots`], twice: without sizes, then with them.
    Snapshots {
        /// Of what.
        target: Target,
    },
    /// What going back to a snapshot would do. Carried out by [`SnapshotTask::RollBack`](crate::engine::SnapshotTask).
    PlanRollback {
        /// To which.
        at: SnapshotAt,
        /// Whether a snapshot of the present is taken first.
        safety: bool,
    },
    /// A window of a folder in a snapshot.
    SnapshotFolder(ListSnapshotFolder),
    /// What restoring files out of a snapshot would write over.
    SnapshotReplaces(SnapshotReplaces),
    /// What differs between two snapshots, or one and the present, in parts.
    CompareSnapshots(CompareSnapshots),
    /// The snapshot policies of the config.
    SnapshotPolicies,
    /// What the snapshots of each target cost → [`Answer::SnapshotCosts`] in parts.
    SnapshotCosts,
    /// What would be if a policy were this one, of a name that may be new → [`Answer::SnapshotWhatIf`], twice unless the
    /// sizes are known: without them, then with them.
    SnapshotWhatIf(Box<SnapshotPolicy>),
    /// What brings each volume, machine and path back, and how far.
    Coverage,
}

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
    /// To [`Question::WhatIf`].
    WhatIf(Box<WhatIf>),
    /// To a question that needs to know which generations reach what, while that is being found out: folders read, and
    /// how many there are as far as is known.
    Measuring {
        /// Read.
        done: u64,
        /// There are.
        of: u64,
    },
    /// To [`Question::Lost`].
    Lost(LostWindow),
    /// To [`Question::GenerationCosts`].
    GenerationCosts(GenerationCosts),
    /// To [`Question::VaultCosts`].
    VaultCosts(Vec<VaultCost>),
    /// To [`Question::Prices`].
    Prices(Vec<PriceRow>),
    /// To [`Question::RestoreConflicts`].
    RestoreConflicts(ConflictWindow),
    /// To [`Question::Overview`].
    Overview(Box<Overview>),
    /// To [`Question::Runs`].
    Runs(VaultRuns),
    /// To [`Question::Jobs`].
    Jobs(Vec<JobRow>),
    /// To [`Question::SnapshotTargets`].
    SnapshotTargets(Vec<SnapshotTargetRow>),
    /// To [`Question::SnapshotAbility`].
    SnapshotAbility(Box<SnapshotAbility>),
    /// To [`Question::Snapshots`].
    Snapshots(SnapshotList),
    /// To [`Question::PlanRollback`].
    RollbackPlan(Box<RollbackPlan>),
    /// To [`Question::SnapshotFolder`].
    SnapshotFolder(SnapshotFolder),
    /// To [`Question::SnapshotReplaces`].
    SnapshotReplaced(Replaced),
    /// To [`Question::CompareSnapshots`].
    SnapshotChanges(SnapshotChanges),
    /// To [`Question::SnapshotPolicies`].
    SnapshotPolicies(Vec<SnapshotPolicyRow>),
    /// To [`Question::SnapshotCosts`].
    SnapshotCosts(Vec<SnapshotCostRow>),
    /// To [`Question::SnapshotWhatIf`].
    SnapshotWhatIf(Box<SnapshotWhatIf>),
    /// To [`Question::Coverage`].
    Coverage(Vec<CoverageRow>),
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
    /// To [`crate::engine::Engine::ask_change`]: it is done.
    Changed(Changed),
    /// To [`Question::JobLog`].
    JobLog(Vec<LogLine>),
    /// To [`Question::PlanPrune`].
    PrunePlan(crate::vault::prune::PruneFigures),
    /// To [`crate::engine::Engine::ask_open`]: the vault is open; ask again what could not be answered.
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
    /// A job has a name for people now.
    JobNamed {
        /// Its number.
        job: JobId,
        /// The name.
        title: String,
    },
    /// A job that was asked for could not be started: why. Never dropped.
    NotStarted(String),
    /// What is known of a vault has changed (generations added or removed, opened): ask again.
    VaultChanged {
        /// Name or folder.
        vault: String,
    },
    /// The snapshots of a target have changed: ask again.
    SnapshotsChanged {
        /// Of what.
        target: Target,
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

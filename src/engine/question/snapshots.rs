//! What the interface asks about snapshots, and what it is told.

use std::path::PathBuf;

use super::{EntryRow, FolderOrder, Overwrite, TreePath};
use crate::cost::Money;
use crate::engine::costs::snapshots::SnapshotCost;
use crate::snapshot::{Ability, Consistency, Found, MadeBy, Size, Snapshot, SnapshotId, Target};
use crate::vault::Time;

/// One snapshot of one target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotAt {
    /// Of what.
    pub target: Target,
    /// Which.
    pub id: SnapshotId,
}

/// What can be snapshotted, or could, with what is known of it. Told first as found, then with its snapshots.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotTargetRow {
    /// What was found.
    pub found: Found,
    /// The user's name for it: a machine's, or the path.
    pub name: String,
    /// Its newest snapshot, whoever made it; `None` with none, or while it is not known.
    pub last: Option<Snapshot>,
    /// How many it has; `None` while that is not known, or when it cannot be listed.
    pub snapshots: Option<u64>,
    /// The policies of the config that take it.
    pub policies: Vec<String>,
    /// What its snapshots take beside it, bytes, where that is known without counting.
    pub taken: Option<u64>,
    /// What must be said of it, a sentence each: "snapshots only, on the same disk: a dead disk loses both".
    pub warnings: Vec<String>,
}

/// What can be had of a target now.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotAbility {
    /// Of what.
    pub target: Target,
    /// As its provider tells.
    pub ability: Ability,
    /// The ready-made hooks that fit those who write there: `postgresql`, `sqlite`.
    pub hooks: Vec<String>,
}

/// The snapshots of a target. Told first without sizes, then with them.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotList {
    /// Of what.
    pub target: Target,
    /// Oldest first.
    pub rows: Vec<SnapshotRow>,
    /// Whether they are sized.
    pub sized: bool,
    /// What must be said of all, a sentence each: "quotas are off: what each one takes alone is counted by its extents".
    pub notes: Vec<String>,
}

/// A snapshot as listed.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotRow {
    /// What it is.
    pub snapshot: Snapshot,
    /// What it takes; `None` while not known, or when it cannot be told.
    pub size: Option<Size>,
    /// What it costs a month; `None` when a price is not known.
    pub monthly: Option<Money>,
    /// What becomes of it by its policy: `kept: daily, weekly`, `goes with the next run`; empty for those that never go by
    /// themselves.
    pub fate: String,
}

/// A window of a folder in a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct ListSnapshotFolder {
    /// In which one.
    pub at: SnapshotAt,
    /// Which folder, from the target's root.
    pub folder: TreePath,
    /// In which order.
    pub order: FolderOrder,
    /// Only names that hold this text, whatever the case; empty for all.
    pub filter: String,
    /// The first row wanted (clamped to what there is).
    pub first: u64,
    /// A name to have in the middle of the window, if it is there: then `first` does not count.
    pub near: Option<Vec<u8>>,
    /// How many rows.
    pub rows: u32,
}

/// Rows of a folder in a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotFolder {
    /// In which one.
    pub at: SnapshotAt,
    /// Which folder.
    pub folder: TreePath,
    /// The number of the first row given.
    pub first: u64,
    /// The rows.
    pub rows: Vec<EntryRow>,
    /// How many rows the folder has (under the filter).
    pub total: u64,
    /// The row of the name that was to be near, if it is there.
    pub row_of_near: Option<u64>,
    /// Where the file lies on this machine while it is looked at, for previews (`FileAt::Disk`).
    pub on_disk: Option<PathBuf>,
    /// Why it cannot be listed, as a sentence; empty when it can.
    pub problem: String,
}

/// What differs between two snapshots of a target, or between one and the present.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareSnapshots {
    /// The older one.
    pub before: SnapshotAt,
    /// The newer one; `None` is the present.
    pub after: Option<SnapshotId>,
    /// The first row wanted.
    pub first: u64,
    /// How many rows.
    pub rows: u32,
}

/// Some of the differences, by path.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotChanges {
    /// The number of the first row given.
    pub first: u64,
    /// The rows.
    pub rows: Vec<SnapshotChange>,
    /// How many there are, as far as they are found.
    pub total: u64,
    /// Whether all are found.
    pub whole: bool,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotChange {
    /// Where, from the target's root.
    pub path: TreePath,
    /// How: added, gone, or changed.
    pub how: SnapshotChangeKind,
    /// The size before and after, of files.
    pub sizes: (Option<u64>, Option<u64>),
}

/// How an entry differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SnapshotChangeKind {
    /// Only the newer has it.
    Added,
    /// Only the older has it.
    Gone,
    /// Other content.
    Content,
    /// Other owner, mode, time or attributes; the same content.
    Attributes,
}

/// A policy of the config, for lists.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotPolicyRow {
    /// Its name.
    pub name: String,
    /// What it takes, at one moment.
    pub targets: Vec<String>,
    /// When, in words.
    pub when: String,
    /// What it keeps, in words: `the last 24, 7 daily; at most 64 of a volume`.
    pub keeps: String,
    /// The level it asks for.
    pub consistency: Option<Consistency>,
    /// How many snapshots it has.
    pub snapshots: u64,
    /// How many of them go with its next run.
    pub going: u64,
    /// Its newest.
    pub last: Option<Time>,
    /// When it is due next, seconds since 1970; `None` without a schedule.
    pub next: Option<i64>,
    /// What is wrong with it, a sentence; empty when nothing is.
    pub problem: String,
}

/// What a change of a policy's rule would do to the snapshots it has.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotPolicyPreview {
    /// Its name.
    pub name: String,
    /// Those that go if the new rule counts for them too.
    pub go: Vec<Snapshot>,
    /// Those that go under the rule as it is.
    pub go_now: Vec<Snapshot>,
}

/// A restore out of a snapshot, before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotReplaces {
    /// Out of which.
    pub at: SnapshotAt,
    /// What, from its root.
    pub paths: Vec<TreePath>,
    /// The folder they go to; where they were, when `None`.
    pub to: Option<PathBuf>,
    /// What becomes of what is there.
    pub overwrite: Overwrite,
}

/// What the snapshots of a target cost. Told first without sizes, then sized one target after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotCostRow {
    /// Of what.
    pub target: Target,
    /// The policies of the config that take it.
    pub policies: Vec<String>,
    /// What they cost, sums of what each takes alone; while not sized, only how many there are.
    pub cost: SnapshotCost,
    /// Whether they are sized.
    pub sized: bool,
    /// Why there is no price, a sentence; empty when there is one.
    pub unpriced: String,
    /// Why they cannot be listed, a sentence; empty when they can.
    pub problem: String,
}

/// What would be if a policy were another one. It counts for all snapshots that the policy has, unless it says since when.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotWhatIf {
    /// The policy's name.
    pub policy: String,
    /// The snapshots of all its targets, oldest first, with what becomes of each.
    pub fates: Vec<SnapshotFate>,
    /// Whether they are sized.
    pub sized: bool,
    /// As the config is.
    pub now: SnapshotsAt,
    /// If the policy were this one.
    pub after: SnapshotsAt,
    /// How many no rule takes: those that policies did not make.
    pub by_hand: u64,
    /// How many nothing deletes, of those that policies made.
    pub protected: u64,
    /// What must be said beside the figures, a sentence each.
    pub notes: Vec<String>,
}

/// What becomes of a snapshot now, and if a policy were another one.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotFate {
    /// Which; its fate is what becomes of it then.
    pub row: SnapshotRow,
    /// Whether it goes with the next run as the config is.
    pub goes_now: bool,
    /// Whether it goes if the policy is the other one.
    pub goes: bool,
}

/// What goes of some targets' snapshots, and what is left.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SnapshotsAt {
    /// How many go.
    pub go: u64,
    /// What comes back if they go, bytes: at least this, since what they share is not counted.
    pub freed: u64,
    /// Of how many of them that is not known.
    pub unknown: u64,
    /// What that saves a month, at least; `None` when no price is named, or no size is known.
    pub saved: Option<Money>,
    /// How many stay.
    pub stay: u64,
    /// When the oldest that stays was taken, seconds since 1970.
    pub oldest: Option<i64>,
    /// The longest time between two neighbours of one target that stay, seconds.
    pub largest_gap: Option<i64>,
}

/// What brings a volume, machine or path back, and how far.
#[derive(Debug, Clone, PartialEq)]
pub struct CoverageRow {
    /// What: a path, a machine's name, an image.
    pub what: String,
    /// A word for what it is: `path`, `volume`, `machine`, `image`.
    pub kind: &'static str,
    /// Its last backup, seconds since 1970.
    pub last_backup: Option<i64>,
    /// Its last snapshot, seconds since 1970.
    pub last_snapshot: Option<i64>,
    /// The oldest moment that can be brought back, seconds since 1970.
    pub oldest: Option<i64>,
    /// The longest time between two neighbouring moments, seconds.
    pub largest_gap: Option<i64>,
    /// The vaults that hold it.
    pub vaults: Vec<String>,
    /// How many snapshots it has.
    pub snapshots: u64,
    /// The best level of them.
    pub consistency: Option<Consistency>,
    /// Who brings back one file that was deleted: `snapshots and 2 vaults`; empty when nobody does.
    pub one_file: String,
    /// Who brings back the whole state.
    pub whole_state: String,
    /// Who brings it back after the loss of its disk.
    pub after_disk: String,
    /// Who brings it back after the loss of this place.
    pub after_site: String,
    /// Copies against the rule of three copies on two media with one elsewhere, the live one counted: copies, media,
    /// elsewhere.
    pub copies: (u32, u32, u32),
    /// Plain warnings, a sentence each.
    pub warnings: Vec<String>,
}

/// A new snapshot's outer side: what the user chooses when taking one.
#[derive(Debug, Clone, PartialEq)]
pub struct TakeAsked {
    /// What, all at one moment, all or none.
    pub targets: Vec<Target>,
    /// The level wanted: less is an error. The best that can be had without hooks and without RAM when `None`.
    pub consistency: Option<Consistency>,
    /// What the user calls it.
    pub label: String,
    /// Whether nothing is to delete it.
    pub protected: bool,
    /// Ready-made hooks by name, and commands of the user's own.
    pub hooks: SnapshotHooks,
    /// Who takes it.
    pub made_by: MadeBy,
}

/// What is done around taking.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotHooks {
    /// Ready-made ones: `postgresql`, `sqlite:/srv/app.db`, …
    pub ready: Vec<String>,
    /// Run by the shell before anything is frozen; if it fails, nothing is taken.
    pub before: Option<String>,
    /// Run by the shell after everything is thawed, whatever came of it.
    pub after: Option<String>,
    /// How long each may take, seconds; 60 when `None`.
    pub seconds: Option<u64>,
}

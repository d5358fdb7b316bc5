//! Machines and snapshot policies, as the user describes them.

use std::path::PathBuf;

use crate::retention::Policy;
use crate::schedule::Schedule;
use crate::snapshot::Consistency;
use crate::vault::Time;

/// A machine that QEMU runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineConfig {
    /// Its name, unique.
    pub name: String,
    /// The socket of its QMP monitor, absolute.
    pub qmp: PathBuf,
    /// The socket of its guest agent, if it has one.
    pub agent: Option<PathBuf>,
}

/// How a plan reads from a fresh snapshot, which is taken for that and deleted afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FromSnapshot {
    /// Whether what lies on nothing that can be snapshotted is read as it is; else nothing is backed up then.
    pub or_live: bool,
    /// The level wanted; the best without hooks when `None`.
    pub consistency: Option<Consistency>,
    /// Ready-made hooks: `postgresql`, `sqlite:/srv/app.db`.
    pub hooks: Vec<String>,
    /// Run by the shell before the snapshot; if it fails, nothing is backed up.
    pub before: Option<String>,
    /// Run by the shell once the snapshot is there.
    pub after: Option<String>,
    /// How many seconds each of these may take; the usual limit when `None`.
    pub hook_seconds: Option<u64>,
}

/// A snapshot policy: what is taken when, and what stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPolicy {
    /// Its name, unique.
    pub name: String,
    /// What is taken, all at one moment: paths, machines, images, `ebs:VOLUME`; at least one.
    pub targets: Vec<String>,
    /// When: any of these. Kept and shown; cron or a timer runs it.
    pub at: Vec<Schedule>,
    /// The level wanted; the best without hooks and RAM when `None`.
    pub consistency: Option<Consistency>,
    /// Ready-made hooks: `postgresql`, `sqlite:/srv/app.db`.
    pub hooks: Vec<String>,
    /// Run by the shell before anything is held; if it fails, nothing is taken.
    pub before: Option<String>,
    /// Run by the shell afterwards.
    pub after: Option<String>,
    /// How many seconds each of these may take; the usual limit when `None`.
    pub hook_seconds: Option<u64>,
    /// What of its snapshots stays.
    pub keep: Policy,
    /// From when on the rule counts: what was taken before stays until it is deleted by hand, or the limit takes it.
    pub since: Option<Time>,
    /// How many snapshots a target may have that were taken by policies, whatever the rules say: the oldest goes first.
    pub limit: Option<u32>,
}

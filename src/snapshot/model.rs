//! The words of snapshots.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::text;
use crate::vault::Time;

/// What takes and keeps a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A btrfs subvolume.
    Btrfs,
    /// A copy of a folder whose files share their blocks with the originals (btrfs, XFS).
    Reflink,
    /// An image of a machine that does not run, by qcow2's own snapshots.
    Qcow2,
    /// A running machine, by QEMU.
    Qemu,
    /// A volume of a cloud, by the EC2 interface.
    Ebs,
}

impl Kind {
    /// All.
    pub const ALL: [Kind; 5] = [Kind::Btrfs, Kind::Reflink, Kind::Qcow2, Kind::Qemu, Kind::Ebs];

    /// Its word, as in the config and in `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Btrfs => "btrfs",
            Kind::Reflink => "reflink",
            Kind::Qcow2 => "qcow2",
            Kind::Qemu => "qemu",
            Kind::Ebs => "ebs",
        }
    }
}

/// How much of what was going on a snapshot holds whole. Each level has all that the ones below it have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consistency {
    /// As after pulling the power cable: what was written to the disk, at one moment.
    Crash,
    /// The filesystem was frozen: all that programs had handed to it is there.
    Filesystem,
    /// Programs were told, by hooks: databases have their transactions whole.
    Application,
    /// RAM and devices are in it: programs run on where they were.
    Memory,
}

impl Consistency {
    /// All, the weakest first.
    pub const ALL: [Consistency; 4] = [
        Consistency::Crash,
        Consistency::Filesystem,
        Consistency::Application,
        Consistency::Memory,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Consistency::Crash => "crash",
            Consistency::Filesystem => "filesystem",
            Consistency::Application => "application",
            Consistency::Memory => "memory",
        }
    }
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Consistency {
    type Err = String;

    fn from_str(text: &str) -> Result<Consistency, String> {
        let found = Consistency::ALL.into_iter().find(|level| level.word() == text);
        found.ok_or_else(|| format!("{text:?} is no consistency: it can be crash, filesystem, application or memory"))
    }
}

/// What is snapshotted, as the user names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// A folder: a btrfs subvolume, or one on a filesystem that can share blocks. Absolute.
    Folder(PathBuf),
    /// An image file of a machine that does not run. Absolute.
    Image(PathBuf),
    /// A machine of the config.
    Machine(String),
    /// A cloud's volume, by its id there.
    Ebs(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Folder(path) | Target::Image(path) => write!(f, "{}", path.display()),
            Target::Machine(name) => f.write_str(name),
            Target::Ebs(volume) => write!(f, "ebs:{volume}"),
        }
    }
}

/// A snapshot's name: twelve hex digits, chosen at random when it is taken. One that another program made has those of a
/// hash of what that program calls it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SnapshotId(pub String);

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who made a snapshot, which says whether it may go by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MadeBy {
    /// A person: never goes by itself.
    Hand,
    /// A policy of this name: goes by its rule.
    Policy(String),
    /// A rollback to the snapshot of this id, beforehand.
    Safety(SnapshotId),
    /// A backup that read from it; goes when that ends.
    Backup,
    /// Another program.
    Other,
}

/// A volume or machine at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its name.
    pub id: SnapshotId,
    /// What keeps it.
    pub kind: Kind,
    /// Of what.
    pub target: Target,
    /// When.
    pub taken: Time,
    /// What it holds whole.
    pub consistency: Consistency,
    /// What the user calls it; may be empty.
    #[serde(default)]
    pub label: String,
    /// Whether nothing deletes it.
    #[serde(default)]
    pub protected: bool,
    /// Who made it.
    pub made_by: MadeBy,
    /// From when on it goes by itself, unless it is protected: what a rollback kept beforehand. `None` when no day was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Those taken at the same moment share this; `None` when it was taken alone.
    #[serde(default)]
    pub group: Option<String>,
    /// How long writers were held, milliseconds; `None` when they were not.
    #[serde(default)]
    pub pause: Option<u64>,
    /// What must be known of it, a sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Whether all of it is there.
    #[serde(default, skip_serializing_if = "Whole::is_whole")]
    pub whole: Whole,
    /// What its system calls it: a path, a tag, an id.
    pub handle: String,
}

/// Whether all of a snapshot is there. A cloud writes one for hours after it was taken, and may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whole {
    /// All of it.
    #[default]
    Yes,
    /// It is still being written.
    Soon,
    /// It never will be: it brings back nothing.
    Never,
}

impl Whole {
    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        *self == Whole::Yes
    }
}

impl Snapshot {
    /// When it was taken, for people: the date and minute where it was taken.
    pub fn when(&self) -> String {
        let offset = Offset::from_seconds(self.taken.offset).unwrap_or(Offset::UTC);
        text::stamp(self.taken.seconds, &offset.to_time_zone())
    }
}

/// What a snapshot takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Size {
    /// What the volume weighs in it, bytes, where known.
    pub logical: Option<u64>,
    /// What would come back if it alone went, bytes, where known.
    pub exclusive: Option<u64>,
    /// Whether that is counted to the byte, or as near as its system tells.
    pub exact: bool,
}

/// A process that writes to a target, or keeps it in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Writer {
    /// Its number; [`Writer::KERNEL`] for the kernel itself.
    pub pid: u32,
    /// Its program's name.
    pub name: String,
    /// The database it is, where that is known: `PostgreSQL`.
    pub database: Option<String>,
    /// What of the target it has open, a few paths.
    pub files: Vec<PathBuf>,
}

impl Writer {
    /// Stands for the kernel, which no process is of this number.
    pub const KERNEL: u32 = 0;
}

impl fmt::Display for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == Writer::KERNEL {
            return write!(f, "{}", self.name.escape_debug());
        }
        write!(f, "{} ({})", self.name.escape_debug(), self.pid)
    }
}

/// What a provider can do with a target now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ability {
    /// The levels that can be had now, the weakest first; empty when none can.
    pub levels: Vec<Consistency>,
    /// Why no higher one, or none at all, and what would help, a sentence each.
    pub hints: Vec<String>,
    /// Who writes there now.
    pub writers: Vec<Writer>,
}

/// Something on this machine that can be snapshotted, or could if it were not for what stands against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// What.
    pub target: Target,
    /// By what.
    pub kind: Kind,
    /// What it is, in a few words: `subvolume of /dev/vda`, `running, QEMU 7.2, 2 disks`.
    pub about: String,
    /// What it weighs, bytes, where that is cheap to know.
    pub size: Option<u64>,
    /// Why it cannot be snapshotted now, and what would help; `None` when it can.
    pub problem: Option<String>,
}

/// What a rollback would do. Carried out as it is, or refused if things have changed since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RollbackPlan {
    /// To which snapshot.
    pub to: Snapshot,
    /// What is lost, a sentence each: "everything written to /srv since 2026-11-02 14:00 (3 files differ, …)".
    pub loses: Vec<String>,
    /// What happens, step by step, for people.
    pub steps: Vec<String>,
    /// Whether a snapshot of the present is taken first.
    pub safety: bool,
    /// Snapshots that go with it: the later ones, on systems where they cannot stay.
    pub takes_along: Vec<SnapshotId>,
    /// What stands against it: with any of these it is refused.
    pub obstacles: Vec<String>,
    /// Tells whether things are as they were when the plan was made.
    pub state: String,
}

/// What a rollback did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RolledBack {
    /// The snapshot of the state before; `None` when none was wanted.
    pub safety: Option<SnapshotId>,
    /// How it was made sure that all is as in the snapshot, for people.
    pub verified: String,
}

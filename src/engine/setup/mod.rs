//! What setting up asks and changes, as plain values: the config itself, the live filesystem for pickers, a vault's keys
//! and locks, and the changes that are answered like questions.

pub(super) mod change;
pub(super) mod disk;
pub(super) mod holders;
mod keys;

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::question::SnapshotAt;
use crate::backup::Exclude;
use crate::backup::pattern::components;
pub use crate::backup::tally::{Tally, Weight};
use crate::config::{Config, PlanConfig, SnapshotPolicy, VaultConfig};
use crate::snapshot::Labels;
use crate::vault::key::ScryptParameters;
use crate::vault::{Id, NodeType, Password};

/// The config as it is used now, and where things of it lie.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigNow {
    /// What it says.
    pub config: Arc<Config>,
    /// The file it is in (which may not exist yet).
    pub file: PathBuf,
    /// This machine's name.
    pub host: String,
}

/// Asks for a window of a folder of the live filesystem.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListDisk {
    /// Which folder.
    pub folder: PathBuf,
    /// Only names that hold this text, whatever the case; empty for all.
    pub filter: String,
    /// Names that start with a dot too.
    pub hidden: bool,
    /// Nothing but folders.
    pub folders_only: bool,
    /// The first row wanted (clamped to what there is).
    pub first: u64,
    /// How many rows.
    pub rows: u32,
}

/// Rows of a folder of the live filesystem: folders first, then by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DiskWindow {
    /// Which folder.
    pub folder: PathBuf,
    /// The number of the first row given.
    pub first: u64,
    /// The rows.
    pub rows: Vec<DiskRow>,
    /// How many rows the folder has (under the filter).
    pub total: u64,
    /// Why it cannot be listed, as a sentence; empty when it can.
    pub problem: String,
}

/// An entry of a folder of the live filesystem.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DiskRow {
    /// Its raw name.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: NodeType,
    /// Whether one can go into it: a folder, or a link to one.
    pub folder: bool,
    /// Content of a file.
    pub size: Option<u64>,
    /// Last change of content, in seconds since 1970.
    pub mtime: Option<i64>,
    /// Whether a folder can be listed.
    pub readable: bool,
}

/// Asks what a plan would take and what it would leave out → [`Tally`], in parts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CountExcludes {
    /// What is backed up.
    pub paths: Vec<PathBuf>,
    /// Patterns; each is counted by itself.
    pub excludes: Vec<String>,
    /// Files with more patterns.
    pub exclude_files: Vec<PathBuf>,
    /// Leave out folders marked as caches.
    pub caches: bool,
    /// Stay on the filesystems of the paths.
    pub one_file_system: bool,
    /// Leave out larger files.
    pub larger_than: Option<u64>,
}

/// A key of a vault: a password that opens it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KeyRow {
    /// Its id.
    pub id: Id,
    /// Whether the vault is open with it now.
    pub current: bool,
    /// Who made it.
    pub user: String,
    /// Where.
    pub host: String,
    /// When, in seconds since 1970.
    pub made: Option<i64>,
    /// What is wrong with its file; empty when nothing is.
    pub problem: String,
}

/// A lock on a vault.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LockRow {
    /// Its file.
    pub id: Id,
    /// Who took it.
    pub user: String,
    /// Where.
    pub host: String,
    /// Its process there.
    pub pid: i64,
    /// When it was taken or last refreshed, in seconds since 1970.
    pub since: Option<i64>,
    /// Whether nobody else may use the vault.
    pub exclusive: bool,
    /// What can be said of its process from here.
    pub holder: Holder,
    /// Whether unlocking removes it without being told to remove all.
    pub stale: bool,
    /// Why it cannot be read; empty when it can.
    pub problem: String,
}

/// What can be said of a lock's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Holder {
    /// It is this program.
    Coffer,
    /// It runs on this machine.
    Runs,
    /// It ran on this machine and is gone.
    Gone,
    /// It is on another machine.
    #[default]
    Elsewhere,
}

/// A change of the config or of a vault's keys → [`crate::engine::Answer::Changed`], or `Failed`, or `PasswordNeeded`. The new
/// config is in use once it is answered.
#[derive(Debug, Clone)]
pub enum Change {
    /// Writes a plan: in the place of the one called `was`, or at the end.
    SavePlan {
        /// The name it had.
        was: Option<String>,
        /// What it is now.
        plan: Box<PlanConfig>,
    },
    /// Takes a plan out of the config. Its generations stay.
    RemovePlan {
        /// Its name.
        plan: String,
    },
    /// Makes a vault, or takes one that is there, and names it in the config.
    SaveVault(Box<NewVault>),
    /// Names a vault's price in the config, or takes its name out.
    SetPrice {
        /// The vault's name.
        vault: String,
        /// An id of the price book.
        price: Option<String>,
    },
    /// Takes a vault out of the config. Its data stays.
    RemoveVault {
        /// Its name.
        vault: String,
    },
    /// Gives a snapshot another label, protects it or stops that.
    LabelSnapshot {
        /// Which.
        at: SnapshotAt,
        /// What it is to have from now on.
        labels: Labels,
    },
    /// Writes a snapshot policy into the config.
    SaveSnapshotPolicy {
        /// The policy.
        policy: Box<SnapshotPolicy>,
        /// Whether there is none of this name yet; else it takes the place of the one there is.
        new: bool,
        /// Whether what its rule would let go of what was taken before now stays all the same.
        spare: bool,
    },
    /// Takes a snapshot policy out of the config. Its snapshots stay.
    RemoveSnapshotPolicy {
        /// Its name.
        policy: String,
    },
    /// Adds a password to a vault.
    AddKey {
        /// Name or folder.
        vault: String,
        /// The new password.
        password: Password,
    },
    /// Takes a password from a vault.
    RemoveKey {
        /// Name or folder.
        vault: String,
        /// Which key.
        key: Id,
    },
    /// Replaces the password that the vault is open with; a password file that the config names gets the new one.
    ChangePassword {
        /// Name or folder.
        vault: String,
        /// The new password.
        password: Password,
    },
}

/// A vault to be made or taken in.
#[derive(Debug, Clone)]
pub struct NewVault {
    /// What the config is to say of it. A password file that is not there is written, for this user alone; one that is
    /// there, or a command, must give the password.
    pub vault: VaultConfig,
    /// Whether it is to be made; else it must be there.
    pub create: bool,
    /// The password as typed; `None` to take what the config's source gives.
    pub password: Option<Password>,
    /// A key derivation cheap enough for tests; `None` calibrates.
    pub scrypt: Option<ScryptParameters>,
}

/// What a change came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// What was done, as a sentence.
    pub text: String,
    /// What is left for the user to do, as a sentence; empty when nothing is.
    pub remark: String,
}

/// Whether a plan of these paths and excludes would back up the vault that lies at `place`: into itself, growing each time.
pub fn backs_up_vault(paths: &[PathBuf], excludes: &[String], place: &Path) -> bool {
    if !paths.iter().any(|path| place.starts_with(path)) {
        return false;
    }
    let mut exclude = Exclude::default();
    for pattern in excludes {
        // One that is no pattern is complained of elsewhere.
        let _ = exclude.add(pattern, false);
    }
    !exclude.path_is_out(&components(place.as_os_str().as_bytes()), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_within_its_own_plan_is_seen() {
        let holds = |path: &str, excludes: &[&str]| {
            let excludes: Vec<String> = excludes.iter().map(ToString::to_string).collect();
            backs_up_vault(&[path.into()], &excludes, Path::new("/home/anna/backup/home"))
        };
        assert!(holds("/home", &[]) && holds("/", &["*.tmp", "["]) && holds("/home/anna/backup/home", &[]));
        assert!(!holds("/home/anna/docs", &[]));
        assert!(!holds("/home", &["/home/anna/backup/home"]) && !holds("/home", &["backup"]));
    }
}

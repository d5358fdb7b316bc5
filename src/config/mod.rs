//! The user's TOML (vaults, plans, interface, keys) and the folders Coffer uses.
//!
//! [`Folders`] says where the config, the cache and the data lie: the only place besides `main` that reads the environment
//! or the home folder. [`Config::load`] reads the file into plain values; every complaint names the file and the line, and
//! an unknown key comes with the key that was probably meant. [`edit`] adds and removes vaults and plans in the text itself,
//! so that comments and layout stay the user's. What does not live here: opening anything, or asking for a password.
//!
//! ```toml
//! [vaults.home]
//! path = "/srv/backup/home"
//! password-file = "/etc/coffer/home.password"   # or: password-command = "pass show coffer/home"
//! compression = "auto"                           # auto, off or max
//! pack-size = "16M"                              # 4M to 128M
//! price = "aws-s3-standard-us-east-1"            # an id of the price book: coffer prices list
//!
//! [plans.etc]
//! paths = ["/etc", "/root"]
//! vault = "home"                                 # or: vaults = ["home", "away"]
//! excludes = ["*.tmp"]
//! exclude-files = ["/etc/coffer/excludes"]
//! exclude-caches = true
//! one-file-system = true
//! exclude-larger-than = "2G"
//! tags = ["daily"]
//! host = "web1"
//! schedule = "daily 02:00"                      # kept and shown; cron or a timer runs it for now
//! run-before = "pg_dumpall > /var/backups/pg.sql"   # fails: nothing is backed up
//! run-after = "logger backup $COFFER_RESULT"
//! hook-minutes = 60                              # how long each of the two may take
//! snapshot = true                                # read from a fresh snapshot; "where-possible": and live what lies on none
//! snapshot-hook = "postgresql"                   # or: snapshot-hooks = [...]; also snapshot-consistency,
//!                                                # snapshot-run-before, snapshot-run-after, snapshot-hook-seconds
//! retention-days = 730                           # all that are younger stay; 730 when no key says what stays
//! keep-min = 1                                   # with it: so many of the newest whatever their age
//! keep-last = 10                                 # this and the next ones: a number, or "unlimited"
//! keep-daily = 7                                 # also -hourly, -weekly, -monthly, -quarterly, -yearly
//! keep-within = "14d"                            # years, months, days, hours before the newest: "2y5m7d3h"
//! keep-within-daily = "3m"                       # also -hourly, -weekly, -monthly, -quarterly, -yearly
//! keep-tags = ["release,web", "golden"]          # with both of these tags, or with that one
//!
//! [machines.web]
//! qmp = "/run/web.qmp"                           # QEMU's -qmp unix:…,server=on,wait=off
//! agent = "/run/web.agent"
//!
//! [clouds.frankfurt]                             # volumes: ebs:frankfurt/vol-…, or ebs:vol-… with one cloud
//! region = "eu-central-1"
//! endpoint = "https://ec2.{region}.example.org"  # Amazon's own without it; http:// only on this machine, or with
//! allow-http = true
//! profile = "backup"                             # of ~/.aws/credentials; AWS_ACCESS_KEY_ID and so on, or its default, without
//! credentials-command = "aws configure export-credentials"   # instead: prints JSON, or lines as in that file
//! wait-seconds = 21600                           # how long the cloud may take to write a snapshot
//!
//! [snapshots.working-hours]
//! target = "/srv"                                # or: targets = ["/srv", "web"], taken at one moment
//! at = "mon-fri 12:00"                           # or a list; cron or a timer runs it
//! hook = "postgresql"                            # or: hooks = [...]; run-before, run-after, hook-seconds
//! consistency = "application"
//! keep-last = 24                                 # the keep keys of plans, but for tags
//! limit = 64                                     # of a target, of all policies; the oldest goes first
//! since = "2026-11-02T14:00:00+01:00"            # what was taken before is not touched by this rule
//!
//! [snapshots]
//! safety-days = 14                               # what a rollback keeps beforehand goes then by itself, or "unlimited"
//!
//! [snapshot-prices]                              # what a snapshot's own bytes cost, by what keeps it
//! btrfs = "own-disk"                             # also reflink, qcow2, qemu, ebs: ids of the price book
//! ```
//!
//! A generation stays if any of these keeps it. A plan with other keep keys has no period unless `retention-days` gives one.
//!
//! `[interface]` and `[keys]` are in [`Interface`]. What is wrong in those two is told by the interface and by
//! `coffer doctor`; it stops no command, since a backup at night needs neither theme nor keys. The same holds for the user's
//! own prices in `prices.toml` beside the config ([`Prices`]).

mod clouds;
pub mod edit;
mod folders;
mod interface;
mod parse;
pub mod prices;
mod snapshots;
mod suggest;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use clouds::{CloudConfig, CloudSurroundings, CredentialSource, DEFAULT_WAIT_SECONDS};
pub use folders::{Folders, FoldersGiven};
pub use interface::{Binding, Colours, Interface, Mouse, Named, Problem, StartAt, SymbolSet, ThemeName};
pub use parse::parse_size;
pub use prices::Prices;
pub use snapshots::{FromSnapshot, MachineConfig, SnapshotPolicy};
pub use suggest::suggest;

use crate::retention::{Many, Policy};
use crate::schedule::Schedule;
use crate::snapshot::Kind;
use crate::vault::repository::Compression;

/// How long a plan's generations are kept unless it says otherwise, in days; the newest of each host and paths always.
pub const DEFAULT_RETENTION_DAYS: u32 = 730;

/// How many days what a rollback keeps beforehand stays unless the config says otherwise: as long as clouds keep what was
/// deleted by mistake.
pub const DEFAULT_SAFETY_DAYS: u32 = 14;

/// How long a plan's commands may take unless it says otherwise, in minutes.
pub const DEFAULT_HOOK_MINUTES: u32 = 60;

/// The user's vaults and plans, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Where backups live.
    pub vaults: Vec<VaultConfig>,
    /// What is backed up.
    pub plans: Vec<PlanConfig>,
    /// The machines that QEMU runs.
    pub machines: Vec<MachineConfig>,
    /// The clouds whose volumes are snapshotted.
    pub clouds: Vec<CloudConfig>,
    /// Which snapshots are taken when.
    pub snapshots: Vec<SnapshotPolicy>,
    /// How many days what a rollback keeps beforehand stays; [`DEFAULT_SAFETY_DAYS`] when `None`.
    pub safety_days: Option<Many>,
    /// The ids of the prices of snapshots, by what keeps them.
    pub snapshot_prices: BTreeMap<Kind, String>,
    /// How the interface looks and which keys it hears.
    pub interface: Interface,
    /// The price book: what ships with Coffer; [`Config::load`] adds the user's own.
    pub prices: Prices,
}

/// One vault, as the user describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultConfig {
    /// Its name, unique.
    pub name: String,
    /// The folder it lies in, absolute (`~/` expanded; relative paths start at the config file's folder).
    pub path: PathBuf,
    /// Where its password comes from, when not from a prompt.
    pub password: Option<PasswordSource>,
    /// How new blobs are compressed; the vault's default when `None`.
    pub compression: Option<Compression>,
    /// Target size of a pack in bytes; 16 MiB when `None`.
    pub pack_size: Option<u32>,
    /// The id of its price in the price book.
    pub price: Option<String>,
}

/// Where a password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// A file that holds it; white space at both ends is not part of it, UTF-16 with a byte order mark is understood.
    File(PathBuf),
    /// A program and its arguments; its standard output is the password. A command given as one string runs in `sh -c`.
    Command(Vec<String>),
}

impl PasswordSource {
    /// A command written as one string: run by the shell.
    pub fn shell(command: &str) -> PasswordSource {
        PasswordSource::Command(vec!["sh".into(), "-c".into(), command.into()])
    }
}

/// One plan, as the user describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanConfig {
    /// Its name, unique.
    pub name: String,
    /// What is backed up: absolute paths, at least one.
    pub paths: Vec<PathBuf>,
    /// The vaults it goes to, at least one, each a known name.
    pub vaults: Vec<String>,
    /// Patterns of what is left out.
    pub excludes: Vec<String>,
    /// Files with more such patterns, one a line.
    pub exclude_files: Vec<PathBuf>,
    /// Leave out folders marked by a `CACHEDIR.TAG`.
    pub exclude_caches: bool,
    /// Stay on the filesystems of the given paths.
    pub one_file_system: bool,
    /// Leave out files larger than this many bytes.
    pub exclude_larger_than: Option<u64>,
    /// Labels put on its generations.
    pub tags: Vec<String>,
    /// The host name written into its generations, when not the machine's own.
    pub host: Option<String>,
    /// When it is to run, by cron or a timer: Coffer does not run plans by itself yet.
    pub schedule: Option<Schedule>,
    /// What runs before and after it.
    pub hooks: Hooks,
    /// Whether and how it reads from a fresh snapshot; the live files when `None`.
    pub snapshot: Option<FromSnapshot>,
    /// Which of its generations stay.
    pub retention: Policy,
}

impl Default for PlanConfig {
    /// A plan of nothing, kept for [`DEFAULT_RETENTION_DAYS`].
    fn default() -> PlanConfig {
        PlanConfig {
            name: String::new(),
            paths: Vec::new(),
            vaults: Vec::new(),
            excludes: Vec::new(),
            exclude_files: Vec::new(),
            exclude_caches: false,
            one_file_system: false,
            exclude_larger_than: None,
            tags: Vec::new(),
            host: None,
            schedule: None,
            hooks: Hooks::default(),
            snapshot: None,
            retention: Policy::of_days(DEFAULT_RETENTION_DAYS),
        }
    }
}

/// The commands that a plan runs before and after its backup, in `sh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    /// Before anything is read; if it fails, nothing is backed up.
    pub before: Option<String>,
    /// After it, whatever came of it: `COFFER_RESULT` is `done`, `failed` or `cancelled`.
    pub after: Option<String>,
    /// How long each may take, in minutes.
    pub minutes: u32,
}

impl Default for Hooks {
    fn default() -> Self {
        Hooks {
            before: None,
            after: None,
            minutes: DEFAULT_HOOK_MINUTES,
        }
    }
}

impl Hooks {
    /// How long each may take.
    pub fn limit(&self) -> std::time::Duration {
        std::time::Duration::from_secs(u64::from(self.minutes) * 60)
    }
}

/// What is wrong with the user's file, or with reading it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not what it should be.
    #[error("{}:{line}: {what}", .file.display())]
    Invalid {
        /// The config file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// The system refused.
    #[error("cannot {action} {}: {source}", .file.display())]
    Io {
        /// `read`, `write`, …
        action: &'static str,
        /// The file or folder.
        file: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// The user has no home folder to derive Coffer's folders from.
    #[error("there is no home folder to keep {0} in; set {1}")]
    NoHome(&'static str, &'static str),
    /// No price of the book has this id.
    #[error("there is no price {id:?}: {hint}")]
    NoPrice {
        /// What was asked for.
        id: String,
        /// What to do about it.
        hint: String,
    },
    /// A change of the file that makes no sense: adding a name that exists, removing one that does not.
    #[error("{0}")]
    Edit(String),
}

/// Shorthand for results in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Config {
    /// Reads the config, and the user's own prices beside it. A file that is not there is an empty config.
    pub fn load(file: &Path) -> Result<Config> {
        match std::fs::read_to_string(file) {
            Ok(text) => Ok(Config::parse(&text, file)?.with_prices(&text, file)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Config::default().with_prices("", file)),
            Err(source) => Err(Error::Io {
                action: "read",
                file: file.into(),
                source,
            }),
        }
    }

    /// Reads the config from its text; `file` is for messages and for relative paths.
    pub fn parse(text: &str, file: &Path) -> Result<Config> {
        parse::parse(text, file)
    }

    /// The vault of this name.
    pub fn vault(&self, name: &str) -> Option<&VaultConfig> {
        self.vaults.iter().find(|v| v.name == name)
    }

    /// The machine of this name.
    pub fn machine(&self, name: &str) -> Option<&MachineConfig> {
        self.machines.iter().find(|machine| machine.name == name)
    }

    /// The snapshot policy of this name.
    pub fn snapshot_policy(&self, name: &str) -> Option<&SnapshotPolicy> {
        self.snapshots.iter().find(|policy| policy.name == name)
    }

    /// How many days what a rollback keeps beforehand stays; for ever when `None`.
    pub fn safety_days(&self) -> Option<u32> {
        match self.safety_days {
            None => Some(DEFAULT_SAFETY_DAYS),
            Some(Many::Of(days)) => Some(days),
            Some(Many::All) => None,
        }
    }

    /// The plan of this name.
    pub fn plan(&self, name: &str) -> Option<&PlanConfig> {
        self.plans.iter().find(|p| p.name == name)
    }
}
/// The stores that restic knows by a word and a colon.
const STORES: [&str; 9] = ["s3", "sftp", "rest", "b2", "azure", "gs", "swift", "rclone", "oss"];

/// Why the place of a vault, as it was written, is no folder, if it names a store elsewhere: taken for a folder's name it
/// would silently be one here. `./s3:x` is a folder.
pub fn not_a_folder(place: &str) -> Option<String> {
    let (store, _) = place.split_once(':')?;
    STORES.contains(&store).then(|| {
        format!(
            "{place:?} is on a {store} store, and Coffer keeps vaults in folders only so far: mount the store and give the folder"
        )
    })
}

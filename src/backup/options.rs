//! What a backup is asked to do, and what it did.

use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;

use super::disk::DiskSource;
use super::{Exclude, View};
use crate::vault::generation::Summary;
use crate::vault::repository::Compression;
use crate::vault::{Generation, Id, Time};

/// What to back up, how, and as whose generation.
#[derive(Debug)]
pub struct BackupOptions {
    /// Files and folders: absolute, or relative to `working_folder`. Ignored with `stdin`.
    pub paths: Vec<PathBuf>,
    /// What relative paths are relative to (they keep their relative form in the generation). Absolute.
    pub working_folder: PathBuf,
    /// What to leave out.
    pub exclude: Exclude,
    /// Back up one stream instead of files.
    pub stdin: Option<StdinSource>,
    /// Back up disks of machines instead of files.
    pub disks: Vec<DiskSource>,
    /// Labels.
    pub tags: Vec<String>,
    /// Whose generation it is; also decides about the parent.
    pub host: String,
    /// The user's name.
    pub user: String,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The moment the generation stands for. Newer generations are no parents.
    pub time: Time,
    /// What time it is, for the summary's start and end.
    pub clock: Clock,
    /// The zone in which times are written.
    pub zone: TimeZone,
    /// The generation to compare with.
    pub parent: ParentChoice,
    /// Read and count everything, store nothing.
    pub dry_run: bool,
    /// Save no generation when its tree equals the parent's.
    pub skip_if_unchanged: bool,
    /// Store times of last access (otherwise they repeat the time of last change).
    pub with_atime: bool,
    /// How new blobs are compressed.
    pub compression: Compression,
    /// Target size of a pack in bytes.
    pub pack_size: u32,
    /// Worker threads; `None` is one for each core, sixteen at most.
    pub threads: Option<usize>,
    /// Count everything first, beside the backup, so that progress has totals. Costs a second walk.
    pub count_totals: bool,
    /// Where things are read, if not where they lie.
    pub view: View,
    /// Recorded in the generation: program and version.
    pub program_version: String,
}

impl Default for BackupOptions {
    fn default() -> BackupOptions {
        BackupOptions {
            paths: Vec::new(),
            working_folder: PathBuf::from("/"),
            exclude: Exclude::default(),
            stdin: None,
            disks: Vec::new(),
            tags: Vec::new(),
            host: String::new(),
            user: String::new(),
            uid: 0,
            gid: 0,
            time: Time::default(),
            clock: Clock(Arc::new(Time::default)),
            zone: TimeZone::UTC,
            parent: ParentChoice::Auto,
            dry_run: false,
            skip_if_unchanged: false,
            with_atime: false,
            compression: Compression::Auto,
            pack_size: 16 << 20,
            threads: None,
            count_totals: false,
            view: View::default(),
            program_version: concat!("coffer ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// What tells the time: passed in, so that tests decide.
#[derive(Clone)]
pub struct Clock(pub Arc<dyn Fn() -> Time + Send + Sync>);

impl Clock {
    /// The time it is.
    pub fn now(&self) -> Time {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// Which generation a backup is compared with, so that unchanged files are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParentChoice {
    /// The newest of the same host and paths, not newer than the backup.
    #[default]
    Auto,
    /// This one.
    Id(Id),
    /// None: read every file.
    None,
}

/// A stream to back up as one file.
pub struct StdinSource {
    /// The file's path in the generation: `name` or `/folder/name`.
    pub name: String,
    /// The bytes. Taken once, by [`run`](super::run()).
    pub reader: Mutex<Option<Box<dyn Read + Send>>>,
}

impl std::fmt::Debug for StdinSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StdinSource")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What a backup did.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The generation as saved; `None` after a dry run, or when it was skipped because nothing changed.
    pub generation: Option<Generation>,
    /// The generation it was compared with.
    pub parent: Option<Id>,
    /// Counts and bytes.
    pub summary: Summary,
    /// The root folder's tree.
    pub tree: Id,
    /// Entries that the generation lacks or holds incompletely because they could not be read: exit code 3 when not 0.
    pub unreadable: u64,
    /// Files whose content changed while it was read.
    pub changed_while_read: u64,
    /// Whether no generation was saved because nothing changed.
    pub skipped_unchanged: bool,
    /// Of disks: how many bytes of them were read.
    pub bytes_read: Option<u64>,
    /// Where the files were read, a line each, if not all of them where they lie.
    pub read_from: Vec<String>,
}

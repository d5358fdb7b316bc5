//! What a check finds, and the report of it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::progress::Progress;

/// The most findings that are kept, of errors and of warnings: more are only counted.
const MOST: usize = 10_000;

/// The kinds of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// A key file is damaged.
    BadKey,
    /// An index file cannot be read.
    BadIndex,
    /// An index file tells of a pack what cannot be.
    BadIndexEntry,
    /// Several index files tell of one pack. (An error when they tell different things, else a warning.)
    DuplicatePack,
    /// A pack that the index tells of is not there.
    MissingPack,
    /// A pack has another size than the index tells.
    PackSize,
    /// A pack is in no index file: what an interrupted backup leaves, until a prune. (A warning.)
    OrphanPack,
    /// A pack holds both data and trees, which is not done in version 2. (A warning.)
    MixedPack,
    /// A generation file cannot be read.
    BadGeneration,
    /// A folder's listing is in no pack.
    MissingTree,
    /// A folder's listing cannot be read.
    BadTree,
    /// A folder's entries are not sorted by name.
    Unsorted,
    /// A folder has two entries of the same name.
    DuplicateName,
    /// A name that cannot be a file's, such as `..` or one with a slash.
    UnsafeName,
    /// An entry lacks what its type must have.
    BadNode,
    /// Folders nest deeper than any real ones.
    TooDeep,
    /// Part of a file's content is in no pack.
    MissingBlob,
    /// A file's size is not that of its content.
    WrongSize,
    /// A pack cannot be read, or its bytes are not those in its name.
    BadPack,
    /// A pack's header tells something else than the index.
    HeaderMismatch,
    /// A blob's bytes are not those in its name.
    BadBlob,
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind of thing it is.
    pub kind: FindingKind,
    /// The place of the vault's file it is in or leads from.
    pub file: String,
    /// The folder or file of the generation `file`, if it is about one: `/` and its names, made printable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {path}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// What a check found, and how much it looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What is wrong. At most ten thousand; `errors_found` counts all.
    pub errors: Vec<Finding>,
    /// What is not as it should be but loses nothing.
    pub warnings: Vec<Finding>,
    /// How many errors there are.
    pub errors_found: u64,
    /// How many warnings there are.
    pub warnings_found: u64,
    /// Generations read.
    pub generations: u64,
    /// Unique trees read.
    pub trees: u64,
    /// Entries in them.
    pub entries: u64,
    /// Index files read.
    pub index_files: u64,
    /// Packs that the index tells of.
    pub packs: u64,
    /// Packs read whole.
    pub packs_read: u64,
    /// Blobs verified in them.
    pub blobs_read: u64,
    /// Their bytes in the packs.
    pub bytes_read: u64,
}

impl Report {
    /// Whether no error was found.
    pub fn is_sound(&self) -> bool {
        self.errors_found == 0
    }
}

/// Takes findings and counts from many threads.
pub(super) struct Collector<'a> {
    progress: &'a Progress,
    found: Mutex<Report>,
    pub(super) generations: AtomicU64,
    pub(super) trees: AtomicU64,
    pub(super) entries: AtomicU64,
    pub(super) index_files: AtomicU64,
    pub(super) packs: AtomicU64,
    pub(super) packs_read: AtomicU64,
    pub(super) blobs_read: AtomicU64,
    pub(super) bytes_read: AtomicU64,
}

impl<'a> Collector<'a> {
    pub(super) fn new(progress: &'a Progress) -> Collector<'a> {
        Collector {
            progress,
            found: Mutex::default(),
            generations: AtomicU64::new(0),
            trees: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            index_files: AtomicU64::new(0),
            packs: AtomicU64::new(0),
            packs_read: AtomicU64::new(0),
            blobs_read: AtomicU64::new(0),
            bytes_read: AtomicU64::new(0),
        }
    }

    /// An error in or at a file of the vault.
    pub(super) fn error(&self, kind: FindingKind, file: impl Into<String>, what: impl ToString) {
        self.add_error(Finding {
            kind,
            file: file.into(),
            path: None,
            what: what.to_string(),
        });
    }

    /// An error, whole.
    pub(super) fn add_error(&self, finding: Finding) {
        self.progress.errors.fetch_add(1, Ordering::Relaxed);
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.errors_found += 1;
        if found.errors.len() < MOST {
            found.errors.push(finding);
        }
    }

    /// A warning about a file of the vault.
    pub(super) fn warning(&self, kind: FindingKind, file: impl Into<String>, what: impl ToString) {
        let finding = Finding {
            kind,
            file: file.into(),
            path: None,
            what: what.to_string(),
        };
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.warnings_found += 1;
        if found.warnings.len() < MOST {
            found.warnings.push(finding);
        }
    }

    /// The report.
    pub(super) fn finish(self) -> Report {
        let get = |counter: AtomicU64| counter.into_inner();
        let mut report = self.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.generations = get(self.generations);
        report.trees = get(self.trees);
        report.entries = get(self.entries);
        report.index_files = get(self.index_files);
        report.packs = get(self.packs);
        report.packs_read = get(self.packs_read);
        report.blobs_read = get(self.blobs_read);
        report.bytes_read = get(self.bytes_read);
        report
    }
}

/// Adds to a counter.
pub(super) fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

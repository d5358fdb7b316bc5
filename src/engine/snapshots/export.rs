//! Sending snapshots into vaults: the files of a subvolume or folder as a generation of that, the disks of an image or a
//! machine as a generation of their content, of which only what has changed since the last one is read.
//!
//! A disk becomes two files: `<image>.raw`, its content, and `<image>.json`, which tells what it was and lets the next export
//! find out what has changed. What does not live here: reading images (`crate::snapshot::qcow2`), chunks (`crate::backup`).

use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bridge::{read_from, view};
use crate::backup::BackupOptions;
use crate::backup::disk::{Disk, DiskSource};
use crate::engine::question::SnapshotAt;
use crate::engine::{Engine, JobHandle, OpenVault, Result, TaskOutcome};
use crate::snapshot::cover::{Cover, Lies};
use crate::snapshot::qcow2::content::{Below, Content};
use crate::snapshot::qcow2::format::{State, Tables};
use crate::snapshot::{self, DiskOf, Kind, Provider, SHELF, Snapshot, Target, Within};

/// The version of the text beside a disk.
const VERSION: u32 = 1;

/// What the text beside a disk says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    version: u32,
    /// The snapshot it is of.
    snapshot: Snapshot,
    /// The image's path.
    image: String,
    /// What the image was.
    format: String,
    /// The disk's size, bytes.
    virtual_size: u64,
    /// What the image calls the snapshot: its number there, its name, and when it was taken.
    within: Within,
    /// The images that this one stood on, whose content is in the file too.
    stands_on: Vec<Below>,
    /// How to bring it back.
    bring_back: String,
}

/// The disk of an image in a snapshot, as a backup reads it.
#[derive(Debug)]
struct Exported {
    image: PathBuf,
    content: Content,
    within: Within,
    /// All snapshots that the image has now.
    all: Vec<Within>,
    /// The snapshot, and what keeps it.
    snapshot: Snapshot,
    keeper: Arc<dyn Provider>,
}

impl Disk for Exported {
    fn size(&self) -> u64 {
        self.content.size()
    }

    fn zeros_at(&self, at: u64) -> u64 {
        self.content.zeros_at(at)
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.content.read_at(at, into)
    }

    /// As long as the image still has the snapshot that was exported, no cluster of it was written to since: what lies
    /// elsewhere now has changed, and nothing else.
    fn changed_since(&self, about: &[u8]) -> Option<Vec<Range<u64>>> {
        let before: About = serde_json::from_slice(about).ok()?;
        let same = before.version == VERSION
            && before.image == self.image.to_string_lossy()
            && before.stands_on == self.content.below()
            && self.content.below_is_told();
        if !same {
            return None;
        }
        if !self.all.contains(&before.within) {
            return self.recorded_since(&before);
        }
        if before.within == self.within {
            return Some(Vec::new());
        }
        let tables = Tables::open(&self.image).ok()?;
        let (from, to) = (State::Snapshot(&before.within.id), State::Snapshot(&self.within.id));
        tables.changed(from, to).ok()
    }

    fn is_still_there(&self) -> io::Result<()> {
        self.content.is_still_there().map_err(io::Error::other)
    }
}

impl Exported {
    /// Where the snapshot that was exported is gone, what the machine recorded of what it has written since, if it did.
    fn recorded_since(&self, before: &About) -> Option<Vec<Range<u64>>> {
        if before.virtual_size != self.content.size() {
            return None;
        }
        let recorded = self
            .keeper
            .changed_since(&self.snapshot, &self.image, &before.within.name);
        recorded.unwrap_or_else(|error| {
            tracing::warn!("all of {} is read: {error}", self.image.display());
            None
        })
    }
}

impl Engine {
    /// Sends a snapshot into a vault.
    pub(in crate::engine) fn export(
        &self,
        open: &OpenVault,
        at: &SnapshotAt,
        options: &mut BackupOptions,
        job: &JobHandle,
    ) -> Result<TaskOutcome> {
        let snapshot = self.snapshot(at)?;
        let keeper = self.keeper(&snapshot)?;
        options.time = snapshot.taken;
        match (&snapshot.target, snapshot.kind) {
            (Target::Folder(path), Kind::Btrfs | Kind::Reflink) => {
                let files = [keeper.files(&snapshot)?];
                let shelf = path.join(SHELF);
                let below = PathBuf::new();
                let found = Cover {
                    targets: vec![snapshot.target.clone()],
                    places: vec![(path.clone(), Lies::In { target: 0, below }), (shelf, Lies::OnShelf)],
                    obstacles: Vec::new(),
                };
                options.paths = vec![path.clone()];
                options.view = view(&found, std::slice::from_ref(&snapshot), &files)?;
                for note in &snapshot.notes {
                    job.report(path.as_os_str().as_bytes(), note.clone());
                }
                self.read_it(open, options, vec![read_from(&snapshot)], job)
            }
            _ => {
                let _reading = keeper.keep_there(&snapshot)?;
                let disks = keeper.disks(&snapshot)?;
                options.paths.clear();
                options.disks = disks
                    .iter()
                    .map(|disk| source(&snapshot, disk, &keeper))
                    .collect::<snapshot::Result<_>>()?;
                let told = disks
                    .iter()
                    .map(|disk| format!("{} from snapshot {}", disk.image.display(), snapshot.id));
                let mut told: Vec<String> = told.collect();
                if disks.iter().any(|disk| disk.ram > 0) {
                    told.push("the RAM of the machine is in the snapshot only, not in the generation".into());
                }
                self.read_it(open, options, told, job)
            }
        }
    }
}

/// The file of a generation that holds the content of an image.
pub(super) fn content_path(image: &Path) -> PathBuf {
    with_ending(image, ".raw")
}

/// A path with something behind its name.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn source(snapshot: &Snapshot, disk: &DiskOf, keeper: &Arc<dyn Provider>) -> snapshot::Result<DiskSource> {
    let content = Content::open(&disk.image, State::Snapshot(&disk.within.id))?;
    let path = content_path(&disk.image);
    let about = About {
        version: VERSION,
        snapshot: snapshot.clone(),
        image: disk.image.to_string_lossy().into_owned(),
        format: "qcow2".into(),
        virtual_size: content.size(),
        within: disk.within.clone(),
        stands_on: content.below().to_vec(),
        bring_back: format!(
            "restore {} and convert it: qemu-img convert -f raw -O qcow2 RESTORED NEW.qcow2",
            path.display()
        ),
    };
    let mut text = serde_json::to_vec_pretty(&about).map_err(|error| snapshot::Error::Record {
        path: path.clone(),
        why: error.to_string(),
    })?;
    text.push(b'\n');
    Ok(DiskSource {
        path,
        about_path: with_ending(&disk.image, ".json"),
        about: text,
        disk: Box::new(Exported {
            image: disk.image.clone(),
            content,
            within: disk.within.clone(),
            all: disk.all.clone(),
            snapshot: snapshot.clone(),
            keeper: keeper.clone(),
        }),
    })
}

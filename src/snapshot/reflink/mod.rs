//! Snapshots of folders on filesystems that can share blocks between files (XFS, btrfs): a copy of the folder, beside it,
//! that takes next to nothing until either side changes.
//!
//! Such a copy is made file by file; each one is of one moment, all of them are only when nothing is written meanwhile.
//! `tree` finds that out, and says so when it was not. The filesystem cannot be frozen, since the copy is written to it; so
//! the writers are held where more than a crash's consistency is wanted. `extents` counts what a copy alone takes,
//! `rollback` goes back.

mod extents;
mod rollback;
mod tree;

pub(super) use extents::{Piece, pieces};

use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::databases::Database;
use super::hold::hold;
use super::record::{Record, sync_folder};
use super::resolve::kind_of;
use super::shelf::{Shelf, is_shelved, path_text, shelf_of};
use super::system::{errno, io_error, is_root};
use super::writers::{Place, seen};
use super::{
    Ability, Consistency, Error, Files, Found, Frozen, Kind, Labels, Order, Provider, Result, RollbackPlan, RolledBack,
    Size, Snapshot, Target, Work, Writer, mounts,
};

/// Makes snapshots of folders by sharing their blocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reflink;

fn path_of(target: &Target) -> Result<&Path> {
    match (target, kind_of(target)?) {
        (Target::Folder(path), Kind::Reflink) => Ok(path),
        _ => Err(Error::Unable {
            target: target.to_string(),
            why: "it is no folder on a filesystem that shares blocks".into(),
        }),
    }
}

fn files_of(snapshot: &Snapshot) -> Result<PathBuf> {
    let path = PathBuf::from(&snapshot.handle);
    match path.is_dir() && is_shelved(&path) {
        true => Ok(path),
        false => Err(Error::NoSnapshot(snapshot.id.to_string())),
    }
}

fn shelf(snapshot: &Snapshot) -> Result<Shelf> {
    shelf_of(Path::new(&snapshot.handle)).ok_or_else(|| Error::NoSnapshot(snapshot.id.to_string()))
}

/// Whether the filesystem shares blocks: tried out with two small files beside the snapshots-to-be, which are gone at once.
fn shares_blocks(place: &Path) -> Result<(), String> {
    let folder = if place.is_dir() { Some(place) } else { place.parent() };
    let Some(folder) = folder else { return Ok(()) };
    let file = |tag: &str| {
        let path = folder.join(format!(".coffer-try-{}-{tag}", std::process::id()));
        let open = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path);
        let _ = std::fs::remove_file(&path);
        open
    };
    let tried = file("a").and_then(|a| {
        use std::io::Write as _;
        (&a).write_all(&[0; 4096])?;
        Ok(rustix::fs::ioctl_ficlone(file("b")?, &a)?)
    });
    match tried {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(format!(
            "its copy would be in {}, where you may not write: use sudo",
            folder.display()
        )),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::OPNOTSUPP.raw_os_error()) => Err(format!(
            "the filesystem of {} cannot share blocks: XFS can if it was made with reflink=1 (mkfs.xfs does so since 2018)",
            folder.display()
        )),
        Err(error) => Err(format!("{} does not take a copy: {error}", folder.display())),
    }
}

/// Machines are held by themselves: one that stands still cannot answer.
fn is_machine(writer: &Writer) -> bool {
    writer.name.starts_with("qemu-") || writer.name.starts_with("kvm")
}

fn make(shelf: &Shelf) -> Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(&shelf.path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(io_error("create", &shelf.path)(error)),
        _ => Ok(()),
    }
}

/// Deletes what processes that died left on the shelf.
fn sweep(shelf: &Shelf) {
    for entry in std::fs::read_dir(&shelf.path).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let left = Path::new(&name)
            .extension()
            .is_some_and(|extension| extension == "part" || extension == "gone");
        // Subvolumes are btrfs's to put right.
        if left && !super::btrfs::subvolume::is_root_of_subvolume(&entry.path().join("files")) {
            discard(&entry.path());
        }
    }
}

fn discard(path: &Path) {
    if let Err(error) = delete_tree(path) {
        tracing::warn!("{error}");
    }
}

fn delete_tree(path: &Path) -> Result<()> {
    let parent = path.parent().unwrap_or(path);
    let open = std::fs::File::open(parent).map_err(io_error("open", parent))?;
    tree::remove_all(&open.into(), path.file_name().unwrap_or_default()).map_err(io_error("delete", path))
}

/// A copy is where it is.
#[derive(Debug)]
struct Standing(PathBuf);

impl Files for Standing {
    fn root(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Provider for Reflink {
    fn kind(&self) -> Kind {
        Kind::Reflink
    }

    /// Mounted filesystems, those with the reason why not. Which of the folders on them matter nobody can tell.
    fn discover(&self) -> Vec<Found> {
        let mut seen = std::collections::BTreeSet::new();
        let all = mounts::all().into_iter();
        let on_disks = all.filter(|mount| {
            mount.source.as_encoded_bytes().starts_with(b"/dev/")
                && mount.kind != "btrfs"
                && mount.root == Path::new("/")
        });
        on_disks
            .filter(|mount| seen.insert(mount.device.clone()))
            .map(|mount| {
                let target = Target::Folder(mount.point.clone());
                let shelf = Shelf::of(&mount.point);
                Found {
                    problem: match kind_of(&target) {
                        Ok(_) => shares_blocks(&shelf.path).err(),
                        Err(Error::Unable { why, .. }) => Some(why),
                        Err(error) => Some(error.to_string()),
                    },
                    target,
                    kind: Kind::Reflink,
                    about: format!(
                        "{} on {}, and each folder there",
                        mount.kind,
                        mount.source.to_string_lossy()
                    ),
                    size: None,
                }
            })
            .collect()
    }

    fn preflight(&self, target: &Target) -> Result<Ability> {
        let path = path_of(target)?;
        let seen = seen(&Place::named(path));
        if let Err(why) = shares_blocks(&Shelf::of(path).path) {
            return Ok(Ability {
                levels: Vec::new(),
                hints: vec![why],
                writers: seen.writers,
            });
        }
        let mut levels = vec![Consistency::Crash];
        let mut hints = Vec::new();
        if let Some(subvolume) = super::btrfs::subvolume::holder(path) {
            hints.push(format!(
                "it lies in the subvolume {0}: a snapshot of that is quicker and of one moment (coffer snapshot take {0})",
                subvolume.display()
            ));
        }
        if seen.all || is_root() {
            levels.push(Consistency::Filesystem);
        } else {
            hints.push(
                "the files of other users' processes cannot be seen without root: with sudo those that write here are held \
                 while it is copied"
                    .into(),
            );
        }
        for kind in Database::ALL {
            if seen
                .writers
                .iter()
                .any(|writer| writer.database.as_deref() == Some(kind.name()))
            {
                hints.push(kind.advice().to_owned());
            }
        }
        Ok(Ability {
            levels,
            hints,
            writers: seen.writers,
        })
    }

    fn freeze(&self, target: &Target, limit: Duration) -> Result<Option<Box<dyn Frozen>>> {
        let path = path_of(target)?;
        let held = hold(&Place::named(path), limit, &is_machine)?;
        Ok(held.map(|held| Box::new(held) as Box<dyn Frozen>))
    }

    fn take(&self, target: &Target, order: &Order, work: &Work) -> Result<Snapshot> {
        let path = path_of(target)?;
        let shelf = Shelf::of(path);
        make(&shelf)?;
        let _held = shelf.hold()?;
        sweep(&shelf);
        let part = shelf.part(&order.id);
        std::fs::create_dir(&part).map_err(io_error("create", &part))?;
        let taken = (|| {
            let copied = tree::copy_tree(path, &part.join("files"), work.progress, work.cancel)?;
            let (consistency, notes) = judge(&copied, order.consistency)?;
            let snapshot = Snapshot {
                id: order.id.clone(),
                kind: Kind::Reflink,
                target: target.clone(),
                taken: work.now,
                consistency,
                label: order.label.clone(),
                protected: order.protected,
                made_by: order.made_by.clone(),
                group: order.group.clone(),
                pause: None,
                notes,
                handle: path_text(&shelf.files(&order.id)),
            };
            // What was copied must be on the disk before it is called a snapshot.
            let open = std::fs::File::open(&part).map_err(io_error("open", &part))?;
            rustix::fs::syncfs(&open).map_err(errno("sync", &part))?;
            let details = json!({ "inside": shelf.inside });
            Record::new(snapshot.clone(), details).write(&part.join("record.json"))?;
            std::fs::rename(&part, shelf.folder(&order.id)).map_err(io_error("rename", &part))?;
            sync_folder(&shelf.path)?;
            Ok(snapshot)
        })();
        if taken.is_err() {
            discard(&part);
        }
        taken
    }

    fn amend(&self, snapshot: &Snapshot) -> Result<()> {
        let shelf = shelf(snapshot)?;
        let _held = shelf.hold()?;
        let file = shelf.record(&snapshot.id);
        let mut record = Record::read(&file)?;
        record.snapshot.pause = snapshot.pause;
        record.snapshot.notes.clone_from(&snapshot.notes);
        record.snapshot.consistency = snapshot.consistency;
        record.write(&file)
    }

    fn list(&self, target: &Target) -> Result<Vec<Snapshot>> {
        let path = path_of(target)?;
        let mut found = Vec::new();
        for shelf in Shelf::all_of(path) {
            let records = shelf.records(path)?.into_iter().map(|(snapshot, _)| snapshot);
            found.extend(records.filter(|snapshot| snapshot.kind == Kind::Reflink));
        }
        found.sort_by(|a, b| (a.taken.seconds, a.taken.nanos, &a.id).cmp(&(b.taken.seconds, b.taken.nanos, &b.id)));
        Ok(found)
    }

    fn relabel(&self, snapshot: &Snapshot, labels: &Labels) -> Result<Snapshot> {
        let shelf = shelf(snapshot)?;
        let _held = shelf.hold()?;
        let file = shelf.record(&snapshot.id);
        let mut record = Record::read(&file)?;
        record.snapshot.label.clone_from(&labels.label);
        record.snapshot.protected = labels.protected;
        record.write(&file)?;
        Ok(Snapshot {
            label: labels.label.clone(),
            protected: labels.protected,
            ..snapshot.clone()
        })
    }

    fn size(&self, snapshot: &Snapshot) -> Result<Size> {
        extents::size(&files_of(snapshot)?)
    }

    fn sizing(&self, _: &Target) -> Result<Option<String>> {
        Ok(Some(
            "what a copy takes is counted by the blocks that nothing else shares, without the filesystem's own records"
                .into(),
        ))
    }

    fn plan_rollback(&self, snapshot: &Snapshot, safety: bool) -> Result<RollbackPlan> {
        rollback::plan(snapshot, safety)
    }

    fn roll_back(&self, plan: &RollbackPlan, work: &Work) -> Result<RolledBack> {
        rollback::carry_out(plan, work)
    }

    fn clone_to(&self, snapshot: &Snapshot, place: &str, work: &Work) -> Result<String> {
        let (files, place) = (files_of(snapshot)?, Path::new(place));
        let unable = |why: &str| Error::Unable {
            target: place.display().to_string(),
            why: why.into(),
        };
        if !place.is_absolute() || place.symlink_metadata().is_ok() {
            return Err(unable("name a place that is not there yet, as an absolute path"));
        }
        let parent = place.parent().filter(|parent| parent.is_dir());
        let parent = parent.ok_or_else(|| unable("its parent folder is not there: make it first"))?;
        let device = |path: &Path| path.metadata().map(|about| about.dev()).ok();
        if device(parent) != device(&files) {
            return Err(unable(
                "a clone shares its blocks with the snapshot, so it must be on the same filesystem; to copy the files \
                 elsewhere: coffer snapshot restore",
            ));
        }
        if let Err(error) = tree::copy_tree(&files, place, work.progress, work.cancel) {
            discard(place);
            return Err(error);
        }
        Ok(path_text(place))
    }

    fn delete(&self, snapshot: &Snapshot, _: &Work) -> Result<()> {
        let shelf = shelf(snapshot)?;
        let _held = shelf.hold()?;
        let folder = shelf.folder(&snapshot.id);
        if Record::read(&shelf.record(&snapshot.id))?.snapshot.protected {
            return Err(Error::Protected(snapshot.id.to_string()));
        }
        let gone = folder.with_extension("gone");
        std::fs::rename(&folder, &gone).map_err(io_error("rename", &folder))?;
        delete_tree(&gone)
    }

    fn files(&self, snapshot: &Snapshot) -> Result<Box<dyn Files>> {
        let path = files_of(snapshot)?;
        match std::fs::read_dir(&path) {
            Ok(_) => Ok(Box::new(Standing(path))),
            Err(error) => Err(io_error("open", &path)(error)),
        }
    }
}

/// What level a copy has, by whether all stood still, and what must be known of it.
fn judge(copied: &tree::Taken, wanted: Consistency) -> Result<(Consistency, Vec<String>)> {
    let mut notes = Vec::new();
    if !copied.mounts.is_empty() {
        let names: Vec<String> = copied.mounts.iter().take(3).map(|path| path_text(path)).collect();
        notes.push(format!("what is mounted within ({}) is not in it", names.join(", ")));
    }
    if copied.changed == 0 {
        return Ok((wanted, notes));
    }
    let names: Vec<String> = copied.moving.iter().map(|path| path_text(path)).collect();
    notes.push(format!(
        "not of one moment: {} changed while it was copied ({}), each of them whole, but not all as of the same instant",
        crate::text::counted(copied.changed, "entry", "entries"),
        names.join(", ")
    ));
    match wanted {
        Consistency::Crash => Ok((Consistency::Crash, notes)),
        // Its writers were held, or nobody had it open when it began; others came.
        wanted => Err(Error::Level {
            target: "the folder".into(),
            wanted,
            why: format!(
                "{}; --consistency crash takes it all the same and says so on it",
                notes.pop().unwrap_or_default()
            ),
        }),
    }
}

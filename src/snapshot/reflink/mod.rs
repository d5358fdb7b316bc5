//! Snapshots of folders on filesystems that can share blocks between files (XFS, btrfs): a copy of the folder, beside it,
//! that takes next to nothing until either side changes.
//!
//! Such a copy is made file by file; each one is of one moment, all of them are only when nothing is written meanwhile.
//! `tree` finds that out, and says so when it was not. The filesystem cannot be frozen, since the copy is written to it; so
//! the writers are held where more than a crash's consistency is wanted. `extents` counts what a copy alone takes,
//! `rollback` goes back, `shelves` keeps the snapshots of folders within where they are, and `settle` puts right what
//! processes that died left.

mod extents;
mod remove;
mod rollback;
mod settle;
mod shelves;
mod tree;

pub(super) use extents::{Piece, pieces};
use settle::{delete_tree, discard, sweep};

use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use serde_json::json;

use super::btrfs::subvolume::holder;
use super::hold::hold;
use super::origins::{self, Gathered};
use super::record::{Record, sync_folder};
use super::resolve::kind_of;
use super::shelf::{Shelf, is_shelved, path_text, shelf_of};
use super::standing::{self, is_machine};
use super::system::{errno, io_error, is_root};
use super::writers::{Place, seen};
use super::{
    Ability, Consistency, Error, Files, Found, Frozen, Kind, Labels, MadeBy, NotHeld, Order, Provider, Result,
    RollbackPlan, RolledBack, Size, Snapshot, SnapshotId, Target, Work, mounts, trust,
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
    match trust::is_folder(&path) && is_shelved(&path) {
        true => Ok(path),
        false => Err(Error::NoSnapshot(snapshot.id.to_string())),
    }
}

fn shelf(snapshot: &Snapshot) -> Result<Shelf> {
    shelf_of(Path::new(&snapshot.handle)).ok_or_else(|| Error::NoSnapshot(snapshot.id.to_string()))
}

/// Whether the filesystem shares blocks: tried out with two small files where the snapshots go. They have no names, so the
/// folder's time stays, and nothing is left whatever happens.
fn shares_blocks(place: &Path) -> Result<(), String> {
    use std::io::Write as _;
    let folder = if place.is_dir() { Some(place) } else { place.parent() };
    let Some(folder) = folder else { return Ok(()) };
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = || rustix::fs::openat(CWD, folder, flags, Mode::from_raw_mode(0o600)).map(std::fs::File::from);
    let files = match (file(), file()) {
        (Ok(a), Ok(b)) => (a, b),
        // It knows no files without names: copying will tell.
        (Err(Errno::OPNOTSUPP), _) => return Ok(()),
        (Err(Errno::ACCESS | Errno::PERM), _) => {
            return Err(format!(
                "its copy would be in {}, where you may not write: use sudo",
                folder.display()
            ));
        }
        (Err(error), _) | (_, Err(error)) => return Err(format!("{} does not take a copy: {error}", folder.display())),
    };
    let written = (&files.0).write_all(&[0; 4096]);
    let tried = written.and_then(|()| Ok(rustix::fs::ioctl_ficlone(&files.1, &files.0)?));
    match tried {
        Ok(()) => Ok(()),
        Err(error) if error.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) => Err(format!(
            "the filesystem of {} cannot share blocks: XFS can if it was made with reflink=1 (mkfs.xfs does so since 2018)",
            folder.display()
        )),
        Err(error) => Err(format!("{} does not take a copy: {error}", folder.display())),
    }
}

fn make(shelf: &Shelf) -> Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(&shelf.path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(io_error("create", &shelf.path)(error)),
        _ => Ok(()),
    }
}

/// What a record remembers of a copy: which folder it is, so that it is known for whole.
fn details(shelf: &Shelf, files: &Path) -> Result<serde_json::Value> {
    let inode = files.symlink_metadata().map_err(io_error("look at", files))?.ino();
    Ok(json!({ "inside": shelf.inside, "inode": inode }))
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
        let shelf = Shelf::of(path);
        let believed = shelf.check().map_err(|error| error.to_string());
        if let Err(why) = believed.and_then(|()| shares_blocks(&shelf.path)) {
            return Ok(Ability {
                levels: Vec::new(),
                hints: vec![why],
                writers: seen.writers,
            });
        }
        let mut levels = vec![Consistency::Crash];
        let mut hints = Vec::new();
        if let Some(subvolume) = holder(path) {
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
        hints.extend(Shelf::passed_over(path));
        hints.extend(standing::disks_run_on(&seen.writers));
        hints.extend(standing::advice(&seen.writers));
        Ok(Ability {
            levels,
            hints,
            writers: seen.writers,
        })
    }

    fn freeze(&self, target: &Target, limit: Duration) -> Result<Option<Box<dyn Frozen>>, NotHeld> {
        let path = path_of(target)?;
        let held = hold(&Place::named(path), limit, &is_machine)?;
        Ok(held.map(|held| Box::new(held) as Box<dyn Frozen>))
    }

    fn shelf(&self, target: &Target, create: bool) -> Result<Option<PathBuf>> {
        let shelf = Shelf::of(path_of(target)?);
        if create {
            make(&shelf)?;
        }
        Ok(Some(shelf.path))
    }

    fn take(&self, target: &Target, order: &Order, work: &Work) -> Result<Snapshot> {
        let path = path_of(target)?;
        let shelf = Shelf::of(path);
        sweep(&shelf);
        let part = shelf.part(&order.id);
        std::fs::create_dir(&part).map_err(io_error("create", &part))?;
        // A backup that reads from it must be able to tell what has not changed since the last one.
        let origins = Gathered::default();
        let taken = (|| {
            let files = part.join("files");
            tree::make_root(&files)?;
            let copied = tree::copy_tree(path, &files, Some(&origins), work.progress, work.cancel)?;
            if copied.unlike > 0 && order.made_by == MadeBy::Backup {
                return Err(owners_lost(&copied, path));
            }
            let (consistency, notes) = judge(&copied, order.consistency)?;
            let mut snapshot = standing::ordered(Kind::Reflink, path, order, &shelf, work);
            snapshot.consistency = consistency;
            snapshot.notes.extend(notes);
            origins.write(&part.join(origins::FILE))?;
            // What was copied must be on the disk before it is called a snapshot.
            let open = std::fs::File::open(&part).map_err(io_error("open", &part))?;
            rustix::fs::syncfs(&open).map_err(errno("sync", &part))?;
            let mut details = details(&shelf, &files)?;
            details[UNLIKE] = copied.unlike.into();
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
        standing::amend(&shelf(snapshot)?, snapshot)
    }

    fn list(&self, target: &Target) -> Result<Vec<Snapshot>> {
        let path = match target {
            // Also one that is gone.
            Target::Folder(path) => path,
            _ => path_of(target)?,
        };
        let records = Shelf::all_records(path)?.into_iter().map(|(snapshot, _)| snapshot);
        let mut found: Vec<Snapshot> = records.filter(|snapshot| snapshot.kind == Kind::Reflink).collect();
        standing::sort(&mut found);
        Ok(found)
    }

    fn relabel(&self, snapshot: &Snapshot, labels: &Labels) -> Result<Snapshot> {
        standing::relabel(&shelf(snapshot)?, snapshot, labels)
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
        let device = |path: &Path| path.metadata().map(|about| about.dev()).ok();
        standing::check_place(place, |parent| device(parent) == device(&files))?;
        let _reading = standing::files(files.clone())?;
        tree::make_root(place)?;
        let copied = tree::copy_tree(&files, place, None, work.progress, work.cancel);
        match copied.and_then(|copied| unchanged(&snapshot.id, copied)) {
            Ok(copied) => (unlike(&copied).into_iter()).for_each(work.note),
            Err(error) => {
                discard(place);
                return Err(error);
            }
        }
        Ok(path_text(place))
    }

    fn delete(&self, snapshot: &Snapshot, work: &Work) -> Result<()> {
        let shelf = shelf(snapshot)?;
        let _held = shelf.wait(work)?;
        sweep(&shelf);
        let aside = standing::set_aside(&shelf, &snapshot.id)?;
        delete_tree(&aside.path).map_err(|error| standing::called(error, &shelf.folder(&snapshot.id)))
    }

    fn files(&self, snapshot: &Snapshot) -> Result<Box<dyn Files>> {
        standing::files(files_of(snapshot)?)
    }
}

/// In a record: how many entries do not have the owner, group or mode of what they are copies of.
const UNLIKE: &str = "unlike";

/// What must be known of a copy whose entries could not all have their owners.
fn unlike(copied: &tree::Taken) -> Option<String> {
    let names: Vec<String> = copied.unlike_named.iter().map(|path| path_text(path)).collect();
    let names = if copied.unlike > names.len() as u64 {
        format!("{}, …", names.join(", "))
    } else {
        names.join(", ")
    };
    (copied.unlike > 0).then(|| {
        format!(
            "{} not the owner, group or mode of what was copied ({names}), since only root can give files to others",
            crate::text::counted(copied.unlike, "entry has", "entries have"),
        )
    })
}

/// Refuses a copy of a snapshot that did not stand still: somebody writes to it or deletes it.
fn unchanged(id: &SnapshotId, copied: tree::Taken) -> Result<tree::Taken> {
    match copied.moving.first() {
        None => Ok(copied),
        Some(first) => Err(Error::Cannot {
            what: format!("copy snapshot {id}"),
            why: format!(
                "it changes while it is copied ({} was one): nothing may write to the files of a snapshot; take another one",
                first.display()
            ),
        }),
    }
}

/// Why no backup is made of such a copy.
fn owners_lost(copied: &tree::Taken, path: &Path) -> Error {
    Error::Rights {
        what: format!("backing up {} from a copy of it", path.display()),
        help: format!(
            "run it with sudo, or back up without --from-snapshot: in the copy {}",
            unlike(copied).unwrap_or_default()
        ),
    }
}

/// What level a copy has, by whether all stood still, and what must be known of it.
fn judge(copied: &tree::Taken, wanted: Consistency) -> Result<(Consistency, Vec<String>)> {
    let mut notes = Vec::new();
    if !copied.mounts.is_empty() {
        let names: Vec<String> = copied.mounts.iter().take(3).map(|path| path_text(path)).collect();
        notes.push(format!("what is mounted within ({}) is not in it", names.join(", ")));
    }
    notes.extend(unlike(copied));
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

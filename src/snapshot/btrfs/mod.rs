//! Snapshots of btrfs subvolumes: read-only ones on a shelf beside the subvolume, see [`SHELF`](crate::snapshot::SHELF).
//!
//! `subvolume` asks the kernel, `tool` runs the `btrfs` program, `find` looks for subvolumes and for snapshots that others
//! made, `take` makes and deletes, `rollback` goes back, for which `boot` tells what the next start would mount, `exchange` puts one in the place of another and `remount`
//! sees to mounts. What btrfs cannot: freeze itself while it makes a snapshot. One that is made while programs write holds
//! all that was synced and all that was written before it began, but of what is written meanwhile perhaps the later without
//! the earlier; so the writers are held where more is wanted.

mod boot;
mod exchange;
mod find;
mod remount;
mod rollback;
pub(super) mod subvolume;
mod take;
mod tool;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::subvolume::{Subvolume, holder, is_btrfs, is_root_of_subvolume};
use super::hold::hold;
use super::shelf::{Shelf, is_shelved, shelf_of};
use super::standing::{self, is_machine};
use super::system::is_root;
use super::writers::{Place, Seen, seen};
use super::{
    Ability, Consistency, Error, Files, Found, Frozen, Kind, Labels, MadeBy, NotHeld, Order, Provider, Result,
    RollbackPlan, RolledBack, Size, Snapshot, Target, Work,
};

/// Makes snapshots of btrfs subvolumes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Btrfs;

/// The target's path, if it is the root of a subvolume.
fn path_of(target: &Target) -> Result<&Path> {
    let unable = |why: String| {
        Err(Error::Unable {
            target: target.to_string(),
            why,
        })
    };
    let Target::Folder(path) = target else {
        return unable("it is no btrfs subvolume".into());
    };
    if is_root_of_subvolume(path) {
        return match is_shelved(path) {
            true => unable("it is a snapshot itself, or lies among them; clone it first: coffer snapshot clone".into()),
            false => Ok(path),
        };
    }
    if !path.exists() {
        return unable("there is no such folder".into());
    }
    unable(match (is_btrfs(path), holder(path)) {
        (true, Some(above)) => format!(
            "it is a folder within the subvolume {}: take a snapshot of that",
            above.display()
        ),
        _ => "it is not on btrfs".into(),
    })
}

/// The snapshot's files, which must still be there.
fn files_of(snapshot: &Snapshot) -> Result<PathBuf> {
    let path = PathBuf::from(&snapshot.handle);
    match is_root_of_subvolume(&path) {
        true => Ok(path),
        false => Err(Error::NoSnapshot(snapshot.id.to_string())),
    }
}

/// Refuses what is not ours to change.
fn own(snapshot: &Snapshot) -> Result<Shelf> {
    match shelf_of(Path::new(&snapshot.handle)) {
        Some(shelf) if snapshot.made_by != MadeBy::Other => Ok(shelf),
        _ => Err(Error::Cannot {
            what: format!("change snapshot {}", snapshot.id),
            why: format!(
                "another program made it, so that one changes and deletes it (or: btrfs subvolume delete {})",
                crate::text::escape(snapshot.handle.as_bytes())
            ),
        }),
    }
}

/// The subvolumes that lie below a folder.
pub(super) fn within(folder: &Path) -> Vec<PathBuf> {
    let Some(above) = holder(folder).and_then(|above| Subvolume::at(above).ok()) else {
        return Vec::new();
    };
    let children = above.children().unwrap_or_default();
    children.into_iter().filter(|child| child.starts_with(folder)).collect()
}

/// What of the levels can be had, by who writes.
fn ability(path: &Path, seen: Seen) -> Ability {
    let mut hints = Vec::new();
    let mut levels = vec![Consistency::Crash];
    if let Err(why) = may_take(path) {
        return Ability {
            levels: Vec::new(),
            hints: vec![why],
            writers: seen.writers,
        };
    }
    let foreign = !is_root() && seen.writers.iter().any(|writer| !is_own(writer.pid));
    if foreign || (!is_root() && !seen.all) {
        hints.push(
            "not all processes that may write here can be seen and held without root: with sudo the snapshot holds all \
             that they had handed to the filesystem"
                .into(),
        );
    } else {
        levels.push(Consistency::Filesystem);
    }
    hints.extend(Shelf::passed_over(path));
    hints.extend(standing::disks_run_on(&seen.writers));
    hints.extend(standing::advice(&seen.writers));
    Ability {
        levels,
        hints,
        writers: seen.writers,
    }
}

/// Whether this user could take one; why not, and what would help.
fn may_take(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;
    if !tool::BTRFS.is_there() {
        return Err("the program btrfs is not installed: install btrfs-progs".into());
    }
    Shelf::of(path).check().map_err(|error| error.to_string())?;
    if is_root() {
        return Ok(());
    }
    let own = rustix::process::geteuid().as_raw();
    if path.symlink_metadata().is_ok_and(|about| about.uid() != own) {
        return Err("the subvolume belongs to somebody else: use sudo".into());
    }
    let shelf = Shelf::of(path);
    let place = if shelf.path.exists() {
        Some(shelf.path.as_path())
    } else {
        shelf.path.parent()
    };
    match place.map(|place| rustix::fs::access(place, rustix::fs::Access::WRITE_OK)) {
        Some(Err(_)) => Err(format!(
            "its snapshots go to {}, where you may not write: use sudo, or have that folder made yours",
            shelf.path.display()
        )),
        _ => Ok(()),
    }
}

fn is_own(pid: u32) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let about = std::fs::metadata(format!("/proc/{pid}"));
    about.is_ok_and(|about| about.uid() == rustix::process::geteuid().as_raw())
}

impl Provider for Btrfs {
    fn kind(&self) -> Kind {
        Kind::Btrfs
    }

    fn discover(&self) -> Vec<Found> {
        find::subvolumes()
    }

    fn preflight(&self, target: &Target) -> Result<Ability> {
        let path = path_of(target)?;
        Ok(ability(path, seen(&Place::filesystem(path))))
    }

    fn freeze(&self, target: &Target, limit: Duration) -> Result<Option<Box<dyn Frozen>>, NotHeld> {
        let path = path_of(target)?;
        let held = hold(&Place::filesystem(path), limit, &is_machine)?;
        // What they had handed over goes to the disk now, so that nothing of it is on its way while the snapshot is made.
        let folder = std::fs::File::open(path).map_err(super::system::io_error("open", path))?;
        rustix::fs::syncfs(&folder).map_err(super::system::errno("sync", path))?;
        Ok(held.map(|held| Box::new(held) as Box<dyn Frozen>))
    }

    fn shelf(&self, target: &Target, make: bool) -> Result<Option<PathBuf>> {
        let shelf = Shelf::of(path_of(target)?);
        if make {
            take::make(&shelf)?;
        }
        Ok(Some(shelf.path))
    }

    fn take(&self, target: &Target, order: &Order, work: &Work) -> Result<Snapshot> {
        take::take(path_of(target)?, order, work)
    }

    fn amend(&self, snapshot: &Snapshot) -> Result<()> {
        standing::amend(&own(snapshot)?, snapshot)
    }

    fn list(&self, target: &Target) -> Result<Vec<Snapshot>> {
        match target {
            Target::Folder(path) => find::snapshots(path),
            _ => find::snapshots(path_of(target)?),
        }
    }

    fn relabel(&self, snapshot: &Snapshot, labels: &Labels) -> Result<Snapshot> {
        standing::relabel(&own(snapshot)?, snapshot, labels)
    }

    fn size(&self, snapshot: &Snapshot) -> Result<Size> {
        let files = Subvolume::at(&files_of(snapshot)?)?;
        Ok(tool::size(&files)?.0)
    }

    fn sizing(&self, target: &Target) -> Result<Option<String>> {
        Ok(tool::size(&Subvolume::at(path_of(target)?)?)?.1)
    }

    fn plan_rollback(&self, snapshot: &Snapshot, safety: bool) -> Result<RollbackPlan> {
        rollback::plan(snapshot, safety)
    }

    fn roll_back(&self, plan: &RollbackPlan, work: &Work) -> Result<RolledBack> {
        rollback::carry_out(plan, work)
    }

    fn clone_to(&self, snapshot: &Snapshot, place: &str, _: &Work) -> Result<String> {
        take::clone_to(&files_of(snapshot)?, Path::new(place))
    }

    fn delete(&self, snapshot: &Snapshot, work: &Work) -> Result<()> {
        take::delete(&own(snapshot)?, snapshot, work)
    }

    fn files(&self, snapshot: &Snapshot) -> Result<Box<dyn Files>> {
        standing::files(files_of(snapshot)?)
    }
}

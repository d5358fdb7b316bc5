//! Snapshots within qcow2 images of machines that do not run.
//!
//! `format` reads an image's tables: what differs, and whether a disk is a snapshot's; `refcounts` counts what a snapshot
//! alone takes. `image` runs `qemu-img`, `kept` keeps what qcow2 does not (labels, levels) in `records`, `offline` takes, goes back and
//! deletes in one image or in all of a machine, `files` and `partitions` show the files of one, `content` reads a disk. What does not live here:
//! machines that run; `qemu` asks those, and comes here for what their images hold.

pub mod content;
mod files;
pub mod format;
mod image;
mod kept;
mod offline;
mod partitions;
mod records;
mod refcounts;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) use files::{Looked, open as open_files};
pub(super) use image::{Info, changes_by_nbd};
pub(super) use kept::{Disk, begin, forget, left_over, make_shelf, may_go, name_of, shelf};
pub(super) use kept::{amend, images_of, keep_there, record_of, relabel};
pub(super) use offline::{Images, refuse};

use super::shelf::path_text;
use super::writers::{Place, seen};
use super::{
    Ability, Consistency, DiskOf, Error, Files, Found, Frozen, Kind, Labels, NotHeld, Order, Provider, Reading, Result,
    RollbackPlan, RolledBack, Size, Snapshot, Target, Within, Work,
};

/// Makes snapshots within qcow2 images.
#[derive(Debug, Clone)]
pub struct Qcow2 {
    /// A folder of ours, for what is mounted to look into images.
    pub scratch: PathBuf,
}

fn path_of(target: &Target) -> Result<&Path> {
    match target {
        Target::Image(path) => Ok(path),
        _ => Err(Error::Unable {
            target: target.to_string(),
            why: "it is no image".into(),
        }),
    }
}

fn images(target: &Target) -> Result<Images<'_>> {
    Images::read(Kind::Qcow2, target, &[path_of(target)?.to_path_buf()])
}

/// Refuses to change by one image what was taken of several.
fn alone(images: &Images, snapshot: &Snapshot) -> Result<()> {
    let Some((_, record)) = record_of(&images.disks, snapshot)? else {
        return Ok(());
    };
    let others = images_of(&record).into_iter().filter(|image| image.exists()).count();
    match &record.snapshot.target {
        Target::Machine(name) if others > 1 => Err(Error::Unable {
            target: format!("snapshot {}", snapshot.id),
            why: format!(
                "it is of all {others} disks of the machine {name}: name that one (--of {name}; coffer machine add, if the \
                 config has none of this name)"
            ),
        }),
        _ => Ok(()),
    }
}

impl Provider for Qcow2 {
    fn kind(&self) -> Kind {
        Kind::Qcow2
    }

    /// Nothing: disks are not searched for images; those that were snapshotted before are known.
    fn discover(&self) -> Vec<Found> {
        Vec::new()
    }

    fn preflight(&self, target: &Target) -> Result<Ability> {
        let path = path_of(target)?;
        let info = Info::read(path)?;
        let seen = seen(&Place::named(path));
        let mut ability = Ability {
            levels: vec![Consistency::Crash],
            hints: vec![
                "shut the machine down properly first: then all that its programs wrote is whole; for more, take the \
                 snapshot of the running machine (coffer machine add)"
                    .into(),
            ],
            writers: seen.writers,
        };
        let problem = if !ability.writers.is_empty() {
            Some(format!(
                "a machine that runs has it open: take the snapshot of that (coffer machine add NAME --qmp SOCKET, then coffer \
                 snapshot take NAME), or shut it down; its process is {}",
                ability.writers[0]
            ))
        } else if info.corrupt {
            Some("it is marked as broken: repair it first (qemu-img check -r all)".into())
        } else if rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_err() {
            Some("you may not write to it, and its snapshots lie within it: use sudo".into())
        } else {
            None
        };
        if let Some(problem) = problem {
            ability.levels.clear();
            ability.hints = vec![problem];
        }
        Ok(ability)
    }

    /// Nobody writes to it.
    fn freeze(&self, _: &Target, _: Duration) -> Result<Option<Box<dyn Frozen>>, NotHeld> {
        Ok(None)
    }

    fn shelf(&self, target: &Target, make: bool) -> Result<Option<PathBuf>> {
        let shelf = match make {
            true => images(target)?.shelf()?,
            false => kept::shelf(path_of(target)?),
        };
        Ok(Some(shelf.path))
    }

    fn take(&self, target: &Target, order: &Order, work: &Work) -> Result<Snapshot> {
        images(target)?.take(order, work)
    }

    fn amend(&self, snapshot: &Snapshot) -> Result<()> {
        amend(&images(&snapshot.target)?.disks, snapshot)
    }

    fn list(&self, target: &Target) -> Result<Vec<Snapshot>> {
        Ok(images(target)?.list())
    }

    fn relabel(&self, snapshot: &Snapshot, labels: &Labels) -> Result<Snapshot> {
        relabel(&images(&snapshot.target)?.disks, snapshot, labels)
    }

    fn sizing(&self, target: &Target) -> Result<Option<String>> {
        let open = !seen(&Place::named(path_of(target)?)).writers.is_empty();
        Ok(open.then(|| "the image is written to now: sizes may be a moment old".into()))
    }

    fn size(&self, snapshot: &Snapshot) -> Result<Size> {
        let open = !seen(&Place::named(path_of(&snapshot.target)?)).writers.is_empty();
        images(&snapshot.target)?.size(snapshot, !open)
    }

    fn plan_rollback(&self, snapshot: &Snapshot, safety: bool) -> Result<RollbackPlan> {
        let images = images(&snapshot.target)?;
        let mut plan = images.plan(snapshot, safety);
        if let Err(error) = alone(&images, snapshot) {
            plan.loses.push(format!("{error}; the other disks do not go back."));
        }
        Ok(plan)
    }

    fn roll_back(&self, plan: &RollbackPlan, work: &Work) -> Result<RolledBack> {
        images(&plan.to.target)?.carry_out(plan, work)
    }

    fn clone_to(&self, snapshot: &Snapshot, place: &str, work: &Work) -> Result<String> {
        images(&snapshot.target)?.clone_to(snapshot, place, work)
    }

    fn delete(&self, snapshot: &Snapshot, work: &Work) -> Result<()> {
        let images = images(&snapshot.target)?;
        alone(&images, snapshot)?;
        images.delete(snapshot, work)
    }

    fn keep_there(&self, snapshot: &Snapshot) -> Result<Option<Reading>> {
        keep_there(&images(&snapshot.target)?.disks, snapshot)
    }

    fn disks(&self, snapshot: &Snapshot) -> Result<Vec<DiskOf>> {
        disks_of(&images(&snapshot.target)?, snapshot)
    }

    fn files(&self, snapshot: &Snapshot) -> Result<Box<dyn Files>> {
        files_in(&images(&snapshot.target)?, snapshot, &self.scratch)
    }
}

/// The disks of a snapshot in some images.
pub(super) fn disks_of(images: &Images, snapshot: &Snapshot) -> Result<Vec<DiskOf>> {
    let within = |part: &image::Internal| Within {
        id: part.id.clone(),
        name: part.name.clone(),
        taken: part.taken,
    };
    let parts = images.whole(snapshot)?;
    let disks = parts.into_iter().map(|(disk, part)| DiskOf {
        image: disk.image.clone(),
        within: within(part),
        all: disk.info.snapshots.iter().map(within).collect(),
        ram: part.ram,
    });
    Ok(disks.collect())
}

/// The files of a snapshot in some images.
pub(super) fn files_in(images: &Images, snapshot: &Snapshot, scratch: &Path) -> Result<Box<dyn Files>> {
    let parts = images.whole(snapshot)?;
    let looked: Vec<Looked> = parts
        .iter()
        .map(|(disk, part)| Looked {
            image: &disk.image,
            part,
            size: disk.info.virtual_size,
        })
        .collect();
    let reading = keep_there(&images.disks, snapshot)?;
    open_files(&format!("snapshot {}", snapshot.id), &looked, scratch, reading)
}

/// An image's path for messages and records.
pub(super) fn shown(image: &Path) -> String {
    path_text(image)
}

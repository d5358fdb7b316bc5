//! Snapshots in images that nobody has open: those of a machine that does not run, all of them or none.
//!
//! `qemu-img` locks an image while it works on it, so a machine that is started meanwhile is refused by QEMU itself.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::format::{State, Tables};
use super::image::{self, Internal};
use super::kept::{self, Disk};
use super::records::{self, CutOff};
use crate::snapshot::shelf::{Shelf, path_text};
use crate::snapshot::standing::check_place;
use crate::snapshot::system::io_error;
use crate::snapshot::writers::{Place, seen};
use crate::snapshot::{
    Consistency, Error, Kind, Order, Result, RollbackPlan, RolledBack, Size, Snapshot, SnapshotId, Target, Work,
};
use crate::text::bytes;

/// Whose images they are.
#[derive(Debug)]
pub(in crate::snapshot) struct Images<'a> {
    pub kind: Kind,
    pub target: &'a Target,
    pub disks: Vec<Disk>,
}

impl<'a> Images<'a> {
    /// Looks at images.
    pub fn read(kind: Kind, target: &'a Target, images: &[PathBuf]) -> Result<Images<'a>> {
        let disks = images.iter().map(|image| Disk::read(image)).collect::<Result<_>>()?;
        Ok(Images { kind, target, disks })
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.disks.iter().map(|disk| disk.image.clone()).collect()
    }

    /// The shelf beside the first image, made if it is not there.
    pub fn shelf(&self) -> Result<Shelf> {
        match self.disks.first() {
            Some(disk) => kept::make_shelf(&disk.image),
            None => Err(self.unable("it has no disk that can keep a snapshot")),
        }
    }

    fn unable(&self, why: &str) -> Error {
        Error::Unable {
            target: self.target.to_string(),
            why: why.to_owned(),
        }
    }

    /// The snapshots there are, oldest first.
    pub fn list(&self) -> Vec<Snapshot> {
        kept::list(self.kind, self.target, &self.disks)
    }

    /// Where a snapshot is in each image.
    pub fn parts<'s>(&'s self, of: &Snapshot) -> Vec<(&'s Disk, Option<&'s Internal>)> {
        self.disks.iter().map(|disk| (disk, disk.find(of))).collect()
    }

    /// The same; it must be in each.
    pub fn whole<'s>(&'s self, of: &Snapshot) -> Result<Vec<(&'s Disk, &'s Internal)>> {
        let found = self
            .parts(of)
            .into_iter()
            .map(|(disk, part)| part.map(|part| (disk, part)));
        let found: Option<Vec<_>> = found.collect();
        found
            .filter(|found| !found.is_empty())
            .ok_or_else(|| Error::NoSnapshot(of.id.to_string()))
    }

    /// Deletes what processes that died left in the images. Hold the shelf.
    fn sweep(&self, shelf: &Shelf) -> Result<()> {
        for id in kept::left_over(shelf, &self.paths()) {
            for disk in &self.disks {
                if let Some(part) = disk.info.named(&kept::name_of(&id)) {
                    image::delete(&disk.image, part)?;
                }
            }
            kept::forget(shelf, &id);
        }
        Ok(())
    }

    /// Takes one while the shelf is held.
    pub fn take(&self, order: &Order, work: &Work) -> Result<Snapshot> {
        let shelf = self.shelf()?;
        self.sweep(&shelf)?;
        self.refuse_mixed()?;
        self.make(&shelf, order, work)
    }

    /// Refuses to take one while the disks may be of two moments.
    pub(super) fn refuse_mixed(&self) -> Result<()> {
        match records::cut_off(&self.disks).first() {
            None => Ok(()),
            Some(CutOff { before, to, .. }) => Err(self.unable(&format!(
                "going back to {to} was cut off, so that its disks are of two moments: go back to that again (coffer snapshot \
                 rollback {to}) or to what was before ({before}); to keep them as they are, delete the latter (coffer \
                 snapshot delete {before})"
            ))),
        }
    }

    /// Takes one on a shelf that was put right.
    fn make(&self, shelf: &Shelf, order: &Order, work: &Work) -> Result<Snapshot> {
        let name = kept::name_of(&order.id);
        let mut snapshot = order.snapshot(self.kind, self.target.clone(), name.clone(), work);
        let off = "taken while the machine was off: if it had been shut down properly, all is whole";
        snapshot.notes.push(off.into());
        let begun = kept::begin(shelf, &snapshot, &self.paths())?;
        let mut done: Vec<&Path> = Vec::new();
        for disk in &self.disks {
            let made = work.cancel.check().map_err(Error::from);
            if let Err(error) = made.and_then(|()| image::create(&disk.image, &name)) {
                let undone = done.into_iter().map(|image| {
                    let part = Disk::read(image)?;
                    part.info.named(&name).map_or(Ok(()), |one| image::delete(image, one))
                });
                if undone.collect::<Result<()>>().is_err() {
                    begun.leave();
                }
                return Err(error);
            }
            done.push(&disk.image);
        }
        begun.keep()?;
        Ok(snapshot)
    }

    /// Deletes one from all images.
    pub fn delete(&self, snapshot: &Snapshot, work: &Work) -> Result<()> {
        let going = kept::may_go(&self.disks, snapshot, |shelf| shelf.wait(work))?;
        let mut found = false;
        for (disk, part) in self.parts(snapshot) {
            if let Some(part) = part {
                image::delete(&disk.image, part)?;
                found = true;
            }
        }
        if let Some(going) = going {
            going.forget();
        }
        match found {
            true => Ok(()),
            false => Err(Error::NoSnapshot(snapshot.id.to_string())),
        }
    }

    /// What one takes; `exact` where nobody writes to the images.
    pub fn size(&self, snapshot: &Snapshot, exact: bool) -> Result<Size> {
        let (mut logical, mut exclusive) = (0, Some(0));
        for (disk, part) in self.whole(snapshot)? {
            logical += disk.info.virtual_size + part.ram;
            let own = Tables::open(&disk.image).and_then(|tables| tables.exclusive(&part.id));
            exclusive = exclusive.zip(own.ok()).map(|(sum, own)| sum + own);
        }
        Ok(Size {
            logical: Some(logical),
            exclusive,
            exact: exact && exclusive.is_some(),
        })
    }

    /// Makes new images of one: a file for one disk, a folder of them for several.
    pub fn clone_to(&self, snapshot: &Snapshot, place: &str, work: &Work) -> Result<String> {
        let place = Path::new(place);
        check_place(place, |_| true)?;
        let _reading = kept::keep_there(&self.disks, snapshot)?;
        let parts = self.whole(snapshot)?;
        if let [(disk, part)] = parts.as_slice() {
            image::convert(&disk.image, part, place, work.cancel)?;
            return Ok(path_text(place));
        }
        std::fs::create_dir(place).map_err(io_error("create", place))?;
        let mut made: Vec<PathBuf> = Vec::new();
        for (n, (disk, part)) in parts.into_iter().enumerate() {
            let mut to = place.join(disk.image.file_name().unwrap_or_default());
            if to.exists() {
                to = place.join(format!("disk{n}.qcow2"));
            }
            if let Err(error) = image::convert(&disk.image, part, &to, work.cancel) {
                made.iter().for_each(|image| drop(std::fs::remove_file(image)));
                let _ = std::fs::remove_dir(place);
                return Err(error);
            }
            made.push(to);
        }
        Ok(path_text(place))
    }

    /// What going back would lose, a sentence for each image.
    pub fn loses(&self, snapshot: &Snapshot, safety: bool) -> Vec<String> {
        let mut loses = Vec::new();
        for (disk, part) in self.parts(snapshot) {
            let Some(part) = part else { continue };
            let shown = disk.image.display();
            let changed = Tables::open(&disk.image)
                .and_then(|tables| tables.changed(State::Snapshot(&part.id), State::Now))
                .map(|ranges| ranges.iter().map(|range| range.end - range.start).sum::<u64>());
            loses.push(match changed {
                Ok(0) => format!("Nothing of {shown}: it is as it was then."),
                Ok(changed) => format!(
                    "What was written to {shown} since {}: up to {} of {} differ.",
                    snapshot.when(),
                    bytes(changed),
                    bytes(disk.info.virtual_size)
                ),
                Err(_) => format!("What was written to {shown} since {}.", snapshot.when()),
            });
        }
        if safety {
            loses.push("All of it stays in the safety snapshot. Later snapshots stay too.".into());
        } else {
            loses.push("Later snapshots stay.".into());
        }
        loses
    }

    /// What stands against going back.
    fn obstacles(&self, snapshot: &Snapshot) -> Vec<String> {
        let record = kept::record_of(&self.disks, snapshot);
        let mut found: Vec<String> = record.err().map(|error| error.to_string()).into_iter().collect();
        for (disk, part) in self.parts(snapshot) {
            let shown = disk.image.display();
            if part.is_none() {
                found.push(format!("{shown} has no part of this snapshot"));
            }
            if disk.info.corrupt {
                found.push(format!(
                    "{shown} is marked as broken: repair it first (qemu-img check -r all {shown})"
                ));
            }
            for bitmap in &disk.info.bitmaps {
                found.push(format!(
                    "{shown} has the dirty bitmap {0:?}, and qcow2 does not go back with one: remove it (qemu-img bitmap \
                     --remove {shown} {0}); the next incremental backup that uses it will be a full one",
                    bitmap
                ));
            }
            if rustix::fs::access(&disk.image, rustix::fs::Access::WRITE_OK).is_err() {
                found.push(format!("you may not write to {shown}: use sudo"));
            }
            let holders = seen(&Place::named(&disk.image)).holders;
            found.extend(
                holders
                    .iter()
                    .map(|holder| format!("{holder} has {shown} open: shut that machine down, or end it, first")),
            );
        }
        found
    }

    fn state(&self, snapshot: &Snapshot, safety: bool) -> String {
        let of = |disk: &Disk| {
            let about = std::fs::metadata(&disk.image);
            about.map_or_else(
                |error| error.to_string(),
                |about| format!("{}:{}.{}", about.ino(), about.mtime(), about.mtime_nsec()),
            )
        };
        let all: Vec<String> = self.disks.iter().map(of).collect();
        format!("off {} {safety} {}", snapshot.id, all.join(" "))
    }

    /// What going back would do.
    pub fn plan(&self, snapshot: &Snapshot, safety: bool) -> RollbackPlan {
        let mut steps = vec![match safety {
            true => "The present state of the disk becomes the safety snapshot.".to_owned(),
            false => "The present state is not kept: it cannot be brought back.".to_owned(),
        }];
        steps.push("The image's tables are made those of the snapshot, and compared with them.".into());
        if snapshot.consistency == Consistency::Memory {
            steps.push(format!(
                "The machine does not run, so only its disk goes back; to go on in RAM too, start QEMU with -loadvm {}.",
                snapshot.handle
            ));
        }
        RollbackPlan {
            state: self.state(snapshot, safety),
            to: snapshot.clone(),
            loses: self.loses(snapshot, safety),
            steps,
            safety,
            takes_along: Vec::new(),
            obstacles: self.obstacles(snapshot),
        }
    }

    /// Goes back.
    pub fn carry_out(&self, plan: &RollbackPlan, work: &Work) -> Result<RolledBack> {
        let snapshot = &plan.to;
        for disk in &self.disks {
            if !seen(&Place::named(&disk.image)).holders.is_empty() {
                return Err(image::busy(&disk.image));
            }
        }
        refuse(plan, &self.state(snapshot, plan.safety), self.obstacles(snapshot))?;
        let parts = self.whole(snapshot)?;
        let shelf = self.shelf()?;
        let _held = shelf.hold()?;
        self.sweep(&shelf)?;
        work.cancel.check()?;
        // Also when none is wanted: should one image fail, the others go back to it.
        let order = Order::safety(SnapshotId::random()?, snapshot, Consistency::Crash, work);
        let before = self.make(&shelf, &order, work)?;
        let several = self.disks.len() > 1;
        if several && let Err(error) = records::mark(&shelf, &before.id, Some(&snapshot.id)) {
            Images::read(self.kind, self.target, &self.paths())?.delete_held(&shelf, &before)?;
            return Err(error);
        }
        let gone_back = parts.iter().try_for_each(|(disk, part)| {
            image::apply(&disk.image, part)?;
            image::check(&disk.image)?;
            let same = Tables::open(&disk.image)?.same(State::Now, State::Snapshot(&part.id))?;
            match same {
                true => Ok(()),
                false => Err(Error::NotTheSame {
                    what: path_text(&disk.image),
                    difference: "its tables are not those of the snapshot".into(),
                    safety: before.id.to_string(),
                }),
            }
        });
        if let Err(error) = gone_back {
            if self.undo(&before, work) && several {
                records::mark(&shelf, &before.id, None)?;
            }
            return Err(error);
        }
        // It has gone back, whatever becomes of what was before.
        if let Err(error) = self.tidy(&shelf, (!plan.safety).then_some(&before)) {
            (work.note)(format!("went back, but not all is put in order: {error}"));
        }
        Ok(RolledBack {
            safety: plan.safety.then(|| before.id.clone()),
            verified: "every block of the disk is the snapshot's, and the image's tables agree with each other".into(),
        })
    }

    /// All disks are of one moment again; what was before goes if it is not to be kept.
    fn tidy(&self, shelf: &Shelf, dropped: Option<&Snapshot>) -> Result<()> {
        let now = Images::read(self.kind, self.target, &self.paths())?;
        for cut_off in records::cut_off(&now.disks) {
            records::mark(&cut_off.shelf, &cut_off.before, None)?;
        }
        dropped.map_or(Ok(()), |before| now.delete_held(shelf, before))
    }

    /// Back to what was before; whether all are.
    fn undo(&self, before: &Snapshot, work: &Work) -> bool {
        let mut all = true;
        for disk in &self.disks {
            let undone = Disk::read(&disk.image).and_then(|now| match now.find(before) {
                Some(part) => image::apply(&disk.image, part),
                None => Ok(()),
            });
            all &= undone.is_ok();
            (work.note)(match undone {
                Ok(()) => format!("{} is as it was before", disk.image.display()),
                Err(error) => format!("{} could not be put back: {error}", disk.image.display()),
            });
        }
        all
    }

    fn delete_held(&self, shelf: &Shelf, snapshot: &Snapshot) -> Result<()> {
        for (disk, part) in self.whole(snapshot)? {
            image::delete(&disk.image, part)?;
        }
        kept::forget(shelf, &snapshot.id);
        Ok(())
    }
}

/// Refuses a plan that has obstacles, or that is no longer true.
pub(in crate::snapshot) fn refuse(plan: &RollbackPlan, state: &str, obstacles: Vec<String>) -> Result<()> {
    if plan.state == state && obstacles.is_empty() {
        return Ok(());
    }
    Err(Error::NotNow {
        what: plan.to.target.to_string(),
        why: obstacles
            .into_iter()
            .next()
            .unwrap_or_else(|| "things have changed since the plan was made: make it again".into()),
    })
}

//! A machine that runs: what its monitor tells, and snapshots of it while it does.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::find::{self, Process};
use super::qmp::Qmp;
use super::watch::Watch;
use super::wire::Unreached;
use super::{Machine, bitmaps};
use crate::snapshot::qcow2::{self, Disk, Images, Info};
use crate::snapshot::shelf::Shelf;
use crate::snapshot::{Consistency, Error, Kind, MadeBy, Order, Result, Snapshot, SnapshotId, Target, Work};

/// A disk that keeps snapshots, and what QEMU calls it.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub node: String,
    pub disk: Disk,
    /// The names of our bitmaps that record what is written to it.
    pub recorded: Vec<String>,
    /// Those of ours that do not: left by a process that died.
    pub left: Vec<String>,
}

/// A machine that runs.
#[derive(Debug)]
pub(super) struct Live {
    pub name: String,
    pub qmp: Qmp,
    /// `running`, `paused`, …
    pub status: String,
    /// The disks that it writes to, all of them qcow2 unless there is a `problem`.
    pub devices: Vec<Device>,
    /// Why no snapshot can be had, and what would help.
    pub problem: Option<String>,
    /// Whether that is over by itself soon.
    pub passing: bool,
    /// What must be known of each snapshot.
    pub notes: Vec<String>,
}

/// What is asked of each device that QEMU lists.
enum Listed {
    Disk(Device),
    /// Holds the firmware's settings, and no snapshots.
    Firmware,
    /// Is written to, and keeps no snapshots: why.
    Unable(String),
    /// The same, for now.
    Passing(String),
    /// Is only read, or empty.
    Other,
}

fn listed(entry: &Value, process: Option<&Process>) -> Listed {
    let inserted = &entry["inserted"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if inserted.is_null() || inserted["ro"].as_bool() == Some(true) {
        return Listed::Other;
    }
    let (file, format) = (text(&inserted["image"]["filename"]), text(&inserted["drv"]));
    let shown = match file.is_empty() {
        true => text(&inserted["node-name"]),
        false => file.clone(),
    };
    if format != "qcow2" {
        if text(&entry["qdev"]).contains("flash") {
            return Listed::Firmware;
        }
        return match format.as_str() {
            "copy-before-write" | "mirror_top" | "commit_top" | "backup-top" | "preallocate" | "snapshot-access" => {
                Listed::Passing(format!(
                    "another program copies its disk {shown} just now: wait for that"
                ))
            }
            _ => Listed::Unable(format!(
                "its disk {shown} is of the format {format}, which keeps no snapshots: shut the machine down and convert it \
                 (qemu-img convert -O qcow2)"
            )),
        };
    }
    let Some(image) = find::absolute(&file, process) else {
        return Listed::Unable(format!(
            "where its disk {shown} lies is not known: start QEMU with its path in full"
        ));
    };
    let mut info = Info::of(&inserted["image"]);
    let (mut recorded, mut left) = (Vec::new(), Vec::new());
    // Those that are only in RAM too.
    for bitmap in inserted["dirty-bitmaps"].as_array().into_iter().flatten() {
        let name = text(&bitmap["name"]);
        if bitmaps::is_own(bitmap) {
            let records = bitmap["recording"].as_bool() == Some(true) && bitmap["inconsistent"].as_bool() != Some(true);
            let of = if records { &mut recorded } else { &mut left };
            of.push(name);
            continue;
        }
        if !info.bitmaps.contains(&name) {
            info.bitmaps.push(name);
        }
    }
    Listed::Disk(Device {
        node: text(&inserted["node-name"]),
        disk: Disk { image, info },
        recorded,
        left,
    })
}

impl Live {
    /// Asks a machine. `patience` is how long it may take to greet.
    pub fn open(machine: &Machine, patience: Duration) -> Result<Result<Live>, Unreached> {
        let qmp = Qmp::open(&machine.name, &machine.qmp, patience)?;
        Ok(Live::look(machine, qmp))
    }

    fn look(machine: &Machine, mut qmp: Qmp) -> Result<Live> {
        let mut live = Live {
            name: machine.name.clone(),
            status: qmp.status()?,
            devices: Vec::new(),
            problem: None,
            passing: false,
            notes: Vec::new(),
            qmp,
        };
        live.look_again()?;
        Ok(live)
    }

    /// Asks again for the disks and their snapshots.
    pub fn look_again(&mut self) -> Result<()> {
        let process = find::serving(self.qmp.path());
        let blocks = self.qmp.ask("query-block", json!({}))?;
        self.devices.clear();
        self.notes.clear();
        self.problem = None;
        self.passing = false;
        for entry in blocks.as_array().map(Vec::as_slice).unwrap_or_default() {
            match listed(entry, process.as_ref()) {
                Listed::Disk(device) => self.devices.push(device),
                Listed::Firmware => self
                    .notes
                    .push("the firmware's settings (UEFI variables) lie in a raw file, and are not in it".into()),
                Listed::Unable(why) => self.problem = Some(why),
                Listed::Passing(why) => {
                    self.passing = true;
                    self.problem.get_or_insert(why);
                }
                Listed::Other => {}
            }
        }
        // In one order, whatever QEMU lists first: the first one holds the RAM and has the records beside it.
        self.devices.sort_by(|a, b| a.disk.image.cmp(&b.disk.image));
        if self.devices.is_empty() && self.problem.is_none() {
            self.problem =
                Some("it has no disk that it writes to, and RAM is kept within one: give it a qcow2 image".into());
        }
        if let Some(device) = self.devices.iter().find(|device| !device.disk.image.is_file()) {
            self.problem = Some(format!(
                "its disk {} cannot be seen from here: run Coffer where QEMU runs, with its rights",
                device.disk.image.display()
            ));
        }
        Ok(())
    }

    /// The images of its disks.
    pub fn images(&self) -> Vec<PathBuf> {
        self.devices.iter().map(|device| device.disk.image.clone()).collect()
    }

    /// The disks as the rest of the room knows them.
    pub fn as_images<'a>(&self, target: &'a Target) -> Images<'a> {
        Images {
            kind: Kind::Qemu,
            target,
            disks: self.devices.iter().map(|device| device.disk.clone()).collect(),
        }
    }

    /// Whether all disks are the same as before.
    pub fn nodes(&self) -> Vec<&str> {
        self.devices.iter().map(|device| device.node.as_str()).collect()
    }

    fn refuse(&self) -> Result<&Device> {
        match (&self.problem, self.devices.first()) {
            (None, Some(first)) => Ok(first),
            (Some(why), _) => Err(Error::Unable {
                target: self.name.clone(),
                why: why.clone(),
            }),
            (None, None) => Err(Error::Unable {
                target: self.name.clone(),
                why: "it has no disk that can keep a snapshot".into(),
            }),
        }
    }

    /// The shelf beside its first disk.
    pub fn shelf(&self) -> Result<Shelf> {
        qcow2::make_shelf(&self.refuse()?.disk.image)
    }

    /// Deletes a snapshot from the disks that have it. It is gone when this is done.
    fn erase(&mut self, name: &str) -> Result<()> {
        self.look_again()?;
        let having = self
            .devices
            .iter()
            .filter(|device| device.disk.info.named(name).is_some());
        let nodes: Vec<String> = having.map(|device| device.node.clone()).collect();
        if nodes.is_empty() {
            return Ok(());
        }
        self.qmp
            .job("snapshot-delete", json!({ "tag": name, "devices": nodes }), &mut || {})?;
        self.look_again()?;
        match self.devices.iter().any(|device| device.disk.info.named(name).is_some()) {
            false => Ok(()),
            true => Err(Error::Refused {
                who: format!("QEMU (machine {})", self.name),
                what: format!("deleting the snapshot {name}"),
                said: "it said that it was done, and the snapshot is still there".into(),
            }),
        }
    }

    /// Deletes what processes that died left. Hold the shelf.
    pub fn sweep(&mut self, shelf: &Shelf) -> Result<()> {
        for id in qcow2::left_over(shelf, &self.images()) {
            self.erase(&qcow2::name_of(&id))?;
            qcow2::forget(shelf, &id);
        }
        Ok(())
    }

    /// Takes one while the shelf is held.
    pub fn take(&mut self, shelf: &Shelf, target: &Target, order: &Order, work: &Work) -> Result<Snapshot> {
        let first = self.refuse()?.node.clone();
        let name = qcow2::name_of(&order.id);
        let mut snapshot = order.snapshot(Kind::Qemu, target.clone(), name.clone(), work);
        snapshot.notes.extend(self.notes.iter().cloned());
        let begun = qcow2::begin(shelf, &snapshot, &self.images())?;
        work.cancel.check()?;
        let since = Instant::now();
        let with_ram = order.consistency == Consistency::Memory;
        // What is only taken to go back to it soon is never exported.
        let begin = match order.made_by {
            MadeBy::Safety(_) => Vec::new(),
            _ => self.bitmaps_begin(&name),
        };
        let made = match with_ram {
            true => {
                // They begin a little before: rather too much is recorded than too little.
                if !begin.is_empty()
                    && let Err(error) = self.qmp.ask("transaction", json!({ "actions": begin }))
                {
                    tracing::warn!("{error}");
                }
                let arguments = json!({ "tag": name, "vmstate": first, "devices": self.nodes() });
                let mut watch = Watch::out(self, work);
                self.qmp.job("snapshot-save", arguments, &mut || watch.look())
            }
            false => {
                let actions: Vec<Value> = self
                    .nodes()
                    .iter()
                    .map(|node| {
                        let data = json!({ "device": node, "name": name });
                        json!({ "type": "blockdev-snapshot-internal-sync", "data": data })
                    })
                    .collect();
                // All or nothing happens in one moment; where bitmaps cannot be had, without them.
                let both = [begin.as_slice(), &actions].concat();
                let done = match self.qmp.ask("transaction", json!({ "actions": both })) {
                    Err(Error::Refused { .. }) if !begin.is_empty() => {
                        self.qmp.ask("transaction", json!({ "actions": actions }))
                    }
                    done => done,
                };
                done.map(drop)
            }
        };
        if with_ram {
            snapshot.pause = Some(u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX));
        }
        // QEMU answers nothing while it works, so a request to stop is heard only now.
        let whole = made
            .and_then(|()| Ok(work.cancel.check()?))
            .and_then(|()| self.look_again())
            .and_then(|()| self.holds(&name, with_ram));
        if let Err(error) = whole {
            // Only then are its bitmaps among those that are known.
            let _ = self.look_again();
            self.drop_bitmaps_of(&name);
            if let Err(left) = self.erase(&name) {
                (work.note)(format!("{name} could not be deleted from the disks again: {left}"));
                begun.leave();
            }
            return Err(error);
        }
        begun.keep()?;
        self.drop_old_bitmaps();
        Ok(snapshot)
    }

    /// Whether a snapshot is in all disks, with RAM if that is wanted.
    fn holds(&self, name: &str, with_ram: bool) -> Result<()> {
        let parts: Option<Vec<u64>> = self
            .devices
            .iter()
            .map(|device| device.disk.info.named(name).map(|part| part.ram))
            .collect();
        match parts {
            Some(ram) if !with_ram || ram.iter().any(|bytes| *bytes > 0) => Ok(()),
            _ => Err(Error::Refused {
                who: format!("QEMU (machine {})", self.name),
                what: "taking the snapshot".into(),
                said: "it said that it was done, and the disks do not have it whole".into(),
            }),
        }
    }

    /// Deletes one.
    pub fn delete(&mut self, target: &Target, snapshot: &Snapshot, work: &Work) -> Result<()> {
        let images = self.as_images(target);
        let going = qcow2::may_go(&images.disks, snapshot, |shelf| shelf.wait(work))?;
        if images.parts(snapshot).iter().all(|(_, part)| part.is_none()) {
            return Err(Error::NoSnapshot(snapshot.id.to_string()));
        }
        self.erase(&snapshot.handle)?;
        if let Some(going) = going {
            going.forget();
        }
        Ok(())
    }

    /// Takes away a snapshot that was only made for the while.
    pub fn discard(&mut self, shelf: &Shelf, id: &SnapshotId) -> Result<()> {
        self.erase(&qcow2::name_of(id))?;
        qcow2::forget(shelf, id);
        Ok(())
    }
}

/// The images of a machine, for messages.
pub(super) fn names(images: &[PathBuf]) -> String {
    let names: Vec<String> = images
        .iter()
        .map(|image: &PathBuf| qcow2::shown(Path::new(image)))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_told_from_what_keeps_no_snapshots() {
        let entry = |ro: bool, format: &str, qdev: &str| {
            json!({ "qdev": qdev, "inserted": {
                "ro": ro, "drv": format, "node-name": "n0",
                "image": { "filename": "/vm/a.img", "format": format, "virtual-size": 5 },
            }})
        };
        let of = |entry: Value| match listed(&entry, None) {
            Listed::Disk(device) => format!("disk {} {}", device.node, device.disk.image.display()),
            Listed::Firmware => "firmware".into(),
            Listed::Unable(why) => why,
            Listed::Passing(why) => format!("passing: {why}"),
            Listed::Other => "other".into(),
        };
        assert_eq!(of(entry(false, "qcow2", "d")), "disk n0 /vm/a.img");
        assert_eq!(of(entry(true, "raw", "d")), "other");
        assert_eq!(of(entry(false, "raw", "/machine/system.flash1")), "firmware");
        assert!(of(entry(false, "raw", "d")).contains("/vm/a.img is of the format raw"));
        assert!(of(entry(false, "mirror_top", "d")).starts_with("passing: another program"));
        assert_eq!(of(json!({ "device": "cd0" })), "other");
    }
}

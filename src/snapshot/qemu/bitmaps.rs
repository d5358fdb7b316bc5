//! What was written to the disks of a machine since a snapshot, known also when that is gone: dirty bitmaps of QEMU's.
//!
//! One begins with each snapshot, on each disk, and records from then on. They are in RAM only: when QEMU ends they are gone,
//! so none can be left in an image that was not brought up to date, and none bars the way of `qemu-img`. QEMU loads no
//! snapshot while there are any; so they are taken away before. Which of two snapshots came first is told by a number in
//! their names, not by a clock. What does not live here: reading disks, and what has changed between two snapshots that are
//! both there, which the tables of the image tell (`qcow2`).

use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::live::{Device, Live};
use super::qmp::Qmp;
use crate::snapshot::qcow2::changes_by_nbd;
use crate::snapshot::{Error, Result, SnapshotId};

/// So many are kept on a disk: of the newest snapshot and of the one before.
const KEPT: usize = 2;

/// What begins the names of ours.
const PREFIX: &str = "coffer-";
/// What begins those of the copies that are read, and of their exports.
const COPY: &str = "coffer-copy-";

/// Whether QEMU's bitmap is one of ours, by its name and since it is in RAM only.
pub(super) fn is_own(bitmap: &Value) -> bool {
    let named = bitmap["name"].as_str().is_some_and(|name| name.starts_with(PREFIX));
    named && bitmap["persistent"].as_bool() == Some(false)
}

/// The snapshot and the number of a bitmap: `coffer-<id>-<number>`.
fn parts(name: &str) -> Option<(&str, u64)> {
    let (snapshot, number) = name.rsplit_once('-')?;
    let id = snapshot.strip_prefix(PREFIX)?;
    let is_id = SnapshotId(id.to_owned()).is_sound();
    number.parse().ok().filter(|_| is_id).map(|number| (snapshot, number))
}

/// The number of a snapshot's bitmap among some.
fn number_of(bitmaps: &[String], snapshot: &str) -> Option<(String, u64)> {
    bitmaps.iter().find_map(|name| {
        let (of, number) = parts(name)?;
        (of == snapshot).then(|| (name.clone(), number))
    })
}

impl Live {
    /// What lets bitmaps begin with a snapshot, as actions of a transaction.
    pub fn bitmaps_begin(&self, snapshot: &str) -> Vec<Value> {
        let numbers = self.devices.iter().flat_map(|device| &device.recorded);
        let next = numbers
            .filter_map(|name| parts(name))
            .map(|(_, number)| number + 1)
            .max()
            .unwrap_or(1);
        let name = format!("{snapshot}-{next}");
        let add = |node: &str| {
            let data = json!({ "node": node, "name": name, "persistent": false });
            json!({ "type": "block-dirty-bitmap-add", "data": data })
        };
        self.nodes().into_iter().map(add).collect()
    }

    /// Takes away those of ours that are chosen. What QEMU does not let go stays: it is in its way alone.
    fn drop_bitmaps(&mut self, goes: impl Fn(&[String], &str) -> bool) {
        for device in &self.devices {
            let all = device.recorded.iter().chain(&device.left);
            for name in all.filter(|name| goes(&device.recorded, name)) {
                let arguments = json!({ "node": device.node, "name": name });
                if let Err(error) = self.qmp.ask("block-dirty-bitmap-remove", arguments) {
                    tracing::warn!("{error}");
                }
            }
        }
    }

    /// Takes away that of a snapshot that was not made.
    pub fn drop_bitmaps_of(&mut self, snapshot: &str) {
        self.drop_bitmaps(|_, name| parts(name).is_some_and(|(of, _)| of == snapshot));
    }

    /// Takes away all but the newest ones.
    pub fn drop_old_bitmaps(&mut self) {
        self.drop_bitmaps(|all, name| {
            let Some((_, own)) = parts(name) else { return true };
            let later = all
                .iter()
                .filter_map(|other| parts(other))
                .filter(|(_, number)| *number > own);
            later.count() >= KEPT
        });
    }

    /// Takes all of ours away: QEMU loads no snapshot while there are any.
    pub fn drop_all_bitmaps(&mut self) -> Result<()> {
        self.look_again()?;
        self.drop_bitmaps(|_, _| true);
        self.look_again()?;
        self.refuse_bitmaps(|device| device.recorded.iter().chain(&device.left).next())
    }

    /// Ends what processes that died had QEMU show, and takes away the copies that it showed: it lets none go meanwhile.
    /// Refused where one stays all the same.
    pub fn end_left_over(&mut self) -> Result<()> {
        let socket = socket_beside(self.qmp.path());
        // Where somebody listens there it is QEMU, for one of ours; its exports go with it.
        if UnixStream::connect(&socket).is_ok() {
            self.qmp.ask("nbd-server-stop", json!({}))?;
        }
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!("cannot delete {}: {error}", socket.display());
            }
            _ => {}
        }
        self.drop_bitmaps(|_, name| name.starts_with(COPY));
        self.look_again()?;
        self.refuse_bitmaps(|device| device.left.iter().find(|name| name.starts_with(COPY)))
    }

    fn refuse_bitmaps<'a>(&'a self, stays: impl Fn(&'a Device) -> Option<&'a String>) -> Result<()> {
        let found = self.devices.iter().find_map(|device| Some((device, stays(device)?)));
        match found {
            None => Ok(()),
            Some((device, name)) => Err(Error::Unable {
                target: self.name.clone(),
                why: format!(
                    "QEMU does not let the dirty bitmap {name} of its disk {} go, which is Coffer's: end what reads it (QMP: \
                     query-block-exports, block-export-del), then try again",
                    device.disk.image.display()
                ),
            }),
        }
    }

    /// The ranges of a disk that may differ between a snapshot that is gone and a later one; `None` where nothing recorded
    /// that. What was written after the later one is among them.
    pub fn changed_since(&mut self, image: &Path, gone: &str, now: &str) -> Result<Option<Vec<Range<u64>>>> {
        let Some(device) = self.devices.iter().find(|device| device.disk.image == image) else {
            return Ok(None);
        };
        let (Some((bitmap, before)), Some((_, after))) =
            (number_of(&device.recorded, gone), number_of(&device.recorded, now))
        else {
            return Ok(None);
        };
        // It records what came after its snapshot, not what came before.
        if before >= after {
            return Ok(None);
        }
        let node = device.node.clone();
        self.end_left_over()?;
        let at = socket_beside(self.qmp.path());
        Reading::begin(&mut self.qmp, &node, &bitmap, &at)?.ranges().map(Some)
    }
}

/// Where QEMU listens for the while: beside its monitor, where it may make sockets and nobody else who may not.
fn socket_beside(qmp: &Path) -> PathBuf {
    let mut path = qmp.as_os_str().to_owned();
    path.push(".coffer");
    path.into()
}

/// A copy of a bitmap that QEMU shows by NBD, until this is dropped.
struct Reading<'a> {
    qmp: &'a mut Qmp,
    node: &'a str,
    copy: String,
    socket: &'a Path,
    listens: bool,
}

/// What the disk is called there.
const EXPORT: &str = "changes";

impl<'a> Reading<'a> {
    fn begin(qmp: &'a mut Qmp, node: &'a str, bitmap: &str, socket: &'a Path) -> Result<Reading<'a>> {
        // One that goes on recording is not shown; a copy of it stands still.
        let copy = format!("{COPY}{}", SnapshotId::random()?);
        let arguments = json!({ "node": node, "name": copy, "persistent": false, "disabled": true });
        qmp.ask("block-dirty-bitmap-add", arguments)?;
        let mut reading = Reading {
            qmp,
            node,
            copy,
            socket,
            listens: false,
        };
        let arguments = json!({ "node": node, "target": reading.copy, "bitmaps": [bitmap] });
        reading.qmp.ask("block-dirty-bitmap-merge", arguments)?;
        let address = json!({ "type": "unix", "data": { "path": socket } });
        // Refused where another program has it listen already; that one's is left alone.
        reading
            .qmp
            .ask("nbd-server-start", json!({ "addr": address, "max-connections": 1 }))?;
        reading.listens = true;
        let arguments = json!({
            "type": "nbd", "id": reading.copy, "node-name": node, "name": EXPORT, "writable": false,
            "bitmaps": [reading.copy],
        });
        reading.qmp.ask("block-export-add", arguments)?;
        Ok(reading)
    }

    /// What is marked. It must be as much as QEMU itself says.
    fn ranges(self) -> Result<Vec<Range<u64>>> {
        let told = self.qmp.ask("query-block", json!({}))?;
        let disks = told.as_array().into_iter().flatten();
        let inserted = disks
            .map(|disk| &disk["inserted"])
            .find(|disk| disk["node-name"] == self.node);
        let mut bitmaps = inserted
            .and_then(|disk| disk["dirty-bitmaps"].as_array())
            .into_iter()
            .flatten();
        let marked = bitmaps.find(|one| one["name"] == self.copy.as_str());
        let number = |name: &str| marked.and_then(|one| one[name].as_u64()).filter(|number| *number > 0);
        let ranges = changes_by_nbd(self.socket, EXPORT, &self.copy)?;
        // Its last mark may reach beyond the end of the disk.
        let mark = number("granularity").unwrap_or(1);
        let sum: u64 = ranges
            .iter()
            .map(|range| range.end.next_multiple_of(mark) - range.start)
            .sum();
        let count = marked.and_then(|one| one["count"].as_u64());
        match count == Some(sum) {
            true => Ok(ranges),
            false => Err(Error::Refused {
                who: "QEMU".into(),
                what: "telling what has changed".into(),
                said: format!("{sum} bytes by NBD, and by its monitor {}", count.unwrap_or(0)),
            }),
        }
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut ask = |command: &str, arguments: Value| {
            if let Err(error) = self.qmp.ask(command, arguments) {
                tracing::warn!("{error}");
            }
        };
        if self.listens {
            // Its exports go with it.
            ask("nbd-server-stop", json!({}));
            let _ = std::fs::remove_file(self.socket);
        }
        ask(
            "block-dirty-bitmap-remove",
            json!({ "node": self.node, "name": self.copy }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_snapshot_and_what_came_first() {
        assert_eq!(parts("coffer-a1b2c3d4e5f6-7"), Some(("coffer-a1b2c3d4e5f6", 7)));
        for other in [
            "coffer-copy-a1b2c3d4e5f6",
            "coffer-a1b2c3d4e5f6",
            "coffer-x-7",
            "daily",
            "coffer-",
        ] {
            assert_eq!(parts(other), None, "{other}");
        }
        let all = ["daily".to_owned(), "coffer-a1b2c3d4e5f6-7".to_owned()];
        assert_eq!(
            number_of(&all, "coffer-a1b2c3d4e5f6").map(|(_, number)| number),
            Some(7)
        );
        assert_eq!(number_of(&all, "coffer-000000000000"), None);
        let bitmap = |name: &str, persistent: bool| json!({ "name": name, "persistent": persistent });
        assert!(is_own(&bitmap("coffer-a1b2c3d4e5f6-7", false)));
        assert!(!is_own(&bitmap("coffer-a1b2c3d4e5f6-7", true)) && !is_own(&bitmap("daily", false)));
    }
}

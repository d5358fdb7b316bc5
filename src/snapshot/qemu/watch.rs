//! How far QEMU is with a machine's RAM. While it writes or reads that, its monitor answers nothing, and nothing can stop it;
//! so it is told from outside: by what its process has written or read so far, and by how the image has grown.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use serde_json::json;

use super::find;
use super::live::Live;
use super::qmp::Qmp;
use crate::snapshot::Work;
use crate::text::bytes;

/// Which way the RAM goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Out,
    In,
}

/// Looks after one piece of QEMU's work.
pub(super) struct Watch<'a> {
    work: &'a Work<'a>,
    way: Way,
    pid: Option<u32>,
    /// The image that the RAM is written to.
    image: Option<PathBuf>,
    /// What had been moved before, by the process and into the image.
    before: (u64, u64),
    /// At most so many bytes are moved, so far as is known.
    total: u64,
    said_no: bool,
}

impl<'a> Watch<'a> {
    /// RAM is about to be written into the first image.
    pub fn out(live: &mut Live, work: &'a Work<'a>) -> Watch<'a> {
        let pid = find::serving(live.qmp.path()).map(|process| process.pid);
        let image = live.devices.first().map(|device| device.disk.image.clone());
        // Pages that the guest never used are not written: QEMU does not hold them either.
        let resident = pid
            .and_then(|pid| number(&format!("/proc/{pid}/status"), "VmRSS"))
            .map(|kib| kib << 10);
        let ram = ram(&mut live.qmp);
        let total = ram.min(resident.unwrap_or(u64::MAX));
        (work.note)(match ram {
            0 => "writes the machine's RAM: it stands still until that is done".into(),
            ram => format!(
                "writes the machine's RAM, at most {}: it stands still until that is done",
                bytes(ram)
            ),
        });
        Watch::new(work, Way::Out, pid, image, total)
    }

    /// So many bytes of RAM and devices are about to be read.
    pub fn back(live: &Live, total: u64, work: &'a Work<'a>) -> Watch<'a> {
        let pid = find::serving(live.qmp.path()).map(|process| process.pid);
        (work.note)(format!("reads {} of RAM and devices", bytes(total)));
        Watch::new(work, Way::In, pid, None, total)
    }

    fn new(work: &'a Work<'a>, way: Way, pid: Option<u32>, image: Option<PathBuf>, total: u64) -> Watch<'a> {
        let mut watch = Watch {
            work,
            way,
            pid,
            image,
            before: (0, 0),
            total,
            said_no: false,
        };
        watch.before = watch.moved();
        work.progress.set_current(match way {
            Way::Out => b"writing the machine's RAM",
            Way::In => b"reading the machine's RAM",
        });
        work.progress.bytes_done.store(0, Ordering::Relaxed);
        work.progress.bytes_total.store(total, Ordering::Relaxed);
        work.progress.totals_known.store(total > 0, Ordering::Relaxed);
        watch
    }

    /// Bytes since their beginning: of the process, and of the image.
    fn moved(&self) -> (u64, u64) {
        let name = match self.way {
            Way::Out => "wchar",
            Way::In => "rchar",
        };
        let process = self.pid.and_then(|pid| number(&format!("/proc/{pid}/io"), name));
        let image = self.image.as_ref().and_then(|image| image.metadata().ok());
        (process.unwrap_or(0), image.map_or(0, |about| about.blocks() * 512))
    }

    /// Tells how far it is; and, to who wants it to stop, that it cannot.
    pub fn look(&mut self) {
        let now = self.moved();
        // Space of snapshots that are gone is written to without the image growing; not every way of writing is counted as
        // the process's. The larger one is nearer.
        let done = now
            .0
            .saturating_sub(self.before.0)
            .max(now.1.saturating_sub(self.before.1));
        self.work
            .progress
            .bytes_done
            .store(done.min(self.total), Ordering::Relaxed);
        if self.work.cancel.is_cancelled() && !self.said_no {
            self.said_no = true;
            let (line, short): (_, &[u8]) = match self.way {
                Way::Out => (
                    "asked to stop: QEMU cannot be interrupted while it writes RAM; when that is done the snapshot is deleted \
                     again, and the machine is as it was",
                    b"stopping: QEMU cannot be interrupted while it writes RAM",
                ),
                Way::In => (
                    "asked to stop, too late: QEMU cannot be interrupted while it reads RAM, and going back is carried out",
                    b"cannot be stopped any longer: QEMU reads the RAM",
                ),
            };
            (self.work.note)(line.into());
            self.work.progress.set_current(short);
        }
    }
}

/// What a machine has of RAM now, bytes; 0 when QEMU does not say.
fn ram(qmp: &mut Qmp) -> u64 {
    let told = qmp.ask("query-memory-size-summary", json!({})).unwrap_or_default();
    let part = |name: &str| told[name].as_u64().unwrap_or(0);
    part("base-memory") + part("plugged-memory")
}

/// A number that the kernel tells in lines of `name: number`.
fn number(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let lines: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(':')).collect();
    lines.get(name)?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_in_what_the_kernel_tells() {
        let own = |file: &str, name: &str| number(&format!("/proc/self/{file}"), name);
        assert!(own("status", "VmRSS").unwrap() > 0);
        assert!(own("io", "rchar").unwrap() > 0);
        assert_eq!(own("io", "no such line"), None);
        assert_eq!(number("/proc/self/nowhere", "rchar"), None);
    }
}

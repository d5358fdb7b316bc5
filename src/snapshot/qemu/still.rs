//! Machines that stand still for a while: several of one moment with their RAM, and one that goes back. They go on whatever
//! happens, by a watchdog if need be.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use super::PATIENCE;
use super::live::Live;
use super::qmp::Qmp;
use super::wire::Unreached;
use crate::snapshot::{Error, Frozen, Result};

/// How long it is tried to let one go on.
const GO_ON: Duration = Duration::from_secs(15);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(100);

/// What a watchdog must do for a machine that stands still.
pub(super) fn remedy(socket: &Path) -> String {
    format!("cont:{}", socket.display())
}

/// Lets a machine go on. Not one that was left half-way to another state: its disks and its RAM are not of one moment. Nothing
/// is to be done for one that has ended, or runs.
pub fn go_on(socket: &Path) -> Result<()> {
    let unable = |why: &str| Error::Unable {
        target: format!("the machine on {}", socket.display()),
        why: why.to_owned(),
    };
    let mut qmp = match Qmp::open(&socket.display().to_string(), socket, PATIENCE) {
        Ok(qmp) => qmp,
        Err(Unreached::Off(_)) => return Ok(()),
        Err(error) => return Err(error.about("the machine")),
    };
    if qmp.status()? == "running" {
        return Ok(());
    }
    let jobs = qmp.ask("query-jobs", json!({}))?;
    for job in jobs.as_array().map(Vec::as_slice).unwrap_or_default() {
        if !job["id"].as_str().is_some_and(|id| id.starts_with("coffer-")) {
            continue;
        }
        if job["status"] != "concluded" {
            return Err(unable("QEMU is still at a snapshot of it"));
        }
        if job["type"] == "snapshot-load" && !job["error"].is_null() {
            return Err(unable(
                "it could not be made what it was in a snapshot, and is left standing still",
            ));
        }
    }
    qmp.ask("cont", json!({})).map(drop)
}

/// A machine that stands still so that others can be saved of the same moment.
#[derive(Debug)]
pub(super) struct Still {
    machine: String,
    socket: PathBuf,
    since: Instant,
    goes: bool,
}

/// Stops a machine that runs; `None` for one that stands still already.
pub(super) fn stop(live: &mut Live) -> Result<Option<Still>> {
    if live.status != "running" {
        return Ok(None);
    }
    let still = Still {
        machine: live.name.clone(),
        socket: live.qmp.path().to_path_buf(),
        since: Instant::now(),
        goes: false,
    };
    live.qmp.ask("stop", json!({}))?;
    Ok(Some(still))
}

impl Still {
    fn end(&mut self) -> Result<()> {
        let until = Instant::now() + GO_ON;
        loop {
            match go_on(&self.socket) {
                Ok(()) => break,
                Err(error) if Instant::now() >= until => return Err(error),
                Err(_) => std::thread::sleep(AGAIN),
            }
        }
        self.goes = true;
        Ok(())
    }
}

impl Frozen for Still {
    fn thaw(mut self: Box<Self>) -> Result<Duration> {
        self.end()?;
        Ok(self.since.elapsed())
    }

    fn remedy(&self) -> String {
        remedy(&self.socket)
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        if !self.goes
            && let Err(error) = self.end()
        {
            tracing::warn!("{}: {error}", self.machine);
        }
    }
}

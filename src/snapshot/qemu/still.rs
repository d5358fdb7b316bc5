//! Machines that stand still for a while: several of one moment with their RAM, and one that goes back. They go on whatever
//! happens, by a watchdog if need be.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;

use super::PATIENCE;
use super::live::Live;
use super::qmp::Qmp;
use super::wire::Unreached;
use crate::snapshot::{Error, Frozen, NotHeld, Result};

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

/// Stops a machine that runs; `None` for one that stands still already. It goes on when this fails, unless that is said to be
/// doubtful: what took too long may still come.
pub(super) fn stop(live: Live) -> Result<Option<Still>, NotHeld> {
    match live.status.as_str() {
        "running" => stop_within(live, GO_ON).map(Some),
        _ => Ok(None),
    }
}

fn stop_within(mut live: Live, limit: Duration) -> Result<Still, NotHeld> {
    let mut still = Still {
        machine: live.name.clone(),
        socket: live.qmp.path().to_path_buf(),
        since: Instant::now(),
        goes: false,
    };
    let stopped = live.qmp.ask("stop", json!({}));
    // Its monitor serves one at a time: who lets it go on must get in.
    drop(live);
    match stopped {
        Ok(_) => Ok(still),
        Err(error) => {
            let doubtful = still.end(limit).is_err();
            still.goes = true;
            Err(NotHeld { error, doubtful })
        }
    }
}

impl Still {
    fn end(&mut self, limit: Duration) -> Result<()> {
        let until = Instant::now() + limit;
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
        self.end(GO_ON)?;
        Ok(self.since.elapsed())
    }

    fn remedy(&self) -> String {
        remedy(&self.socket)
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        if !self.goes
            && let Err(error) = self.end(GO_ON)
        {
            tracing::warn!("{}: {error}", self.machine);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use serde_json::Value;

    use super::*;
    use crate::snapshot::qemu::Machine;

    /// A monitor that serves one after the other. It stops its machine and says so in a way that nobody understands.
    struct Monitor {
        runs: AtomicBool,
        /// Whether it lets anybody in.
        serves: AtomicBool,
    }

    impl Monitor {
        fn serve(&self, client: &UnixStream) -> std::io::Result<()> {
            let version = json!({ "qemu": { "major": 9, "minor": 0, "micro": 0 } });
            writeln!(&*client, "{}", json!({ "QMP": { "version": version } }))?;
            for line in BufReader::new(client).lines() {
                let asked: Value = serde_json::from_str(&line?)?;
                let answer = match asked["execute"].as_str() {
                    Some("stop") => {
                        self.runs.store(false, Ordering::SeqCst);
                        writeln!(&*client, "?")?;
                        continue;
                    }
                    Some("cont") => {
                        self.runs.store(true, Ordering::SeqCst);
                        json!({})
                    }
                    Some("query-status") => match self.runs.load(Ordering::SeqCst) {
                        true => json!({ "status": "running" }),
                        false => json!({ "status": "paused" }),
                    },
                    _ => json!([]),
                };
                writeln!(&*client, "{}", json!({ "return": answer, "id": asked["id"] }))?;
            }
            Ok(())
        }
    }

    #[test]
    fn a_machine_that_could_not_be_stopped_goes_on_or_that_is_doubtful() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine {
            name: "web".into(),
            qmp: folder.path().join("qmp"),
            agent: None,
        };
        let listener = UnixListener::bind(&machine.qmp).unwrap();
        let monitor = Arc::new(Monitor {
            runs: true.into(),
            serves: true.into(),
        });
        let other = monitor.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if other.serves.load(Ordering::SeqCst) {
                    let _ = other.serve(&client);
                }
            }
        });
        let runs = || monitor.runs.load(Ordering::SeqCst);
        let open = || Live::open(&machine, PATIENCE).unwrap().unwrap();
        let not = stop_within(open(), GO_ON).unwrap_err();
        assert!(not.error.to_string().contains("no JSON"), "{not:?}");
        assert!(!not.doubtful && runs());
        // It stopped, and lets nobody in any more.
        let live = open();
        monitor.serves.store(false, Ordering::SeqCst);
        let not = stop_within(live, Duration::ZERO).unwrap_err();
        assert!(not.doubtful && !runs());
    }
}

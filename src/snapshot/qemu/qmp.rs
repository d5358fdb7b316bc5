//! QEMU's machine protocol (QMP): commands and answers as lines of JSON, with events in between that are passed over.
//!
//! Taking, loading and deleting a snapshot with RAM are jobs of QEMU's: started by a command, looked after until they are
//! concluded, then dismissed. QEMU does them in one go and answers nothing meanwhile, so they cannot be cut short.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::wire::{Unreached, Wire};
use crate::snapshot::{Error, Result, SnapshotId};

/// How long an answer may take that needs no work.
const ANSWER: Duration = Duration::from_secs(20);

/// How long a job may take: it writes or reads all of the machine's RAM.
const JOB: Duration = Duration::from_secs(30 * 60);

/// How often it is told how far it is while no answer comes.
const GLANCE: Duration = Duration::from_millis(200);

/// How often a job is looked after.
const LOOK: Duration = Duration::from_millis(20);

/// A monitor that is open: nobody else can use it meanwhile.
#[derive(Debug)]
pub(super) struct Qmp {
    wire: Wire,
    who: String,
    path: PathBuf,
    /// QEMU's version: `10.0.2`.
    pub version: String,
}

impl Qmp {
    /// Opens the monitor of a machine; `patience` is how long it may take to greet.
    pub fn open(machine: &str, socket: &Path, patience: Duration) -> Result<Qmp, Unreached> {
        let mut wire = Wire::open(socket, patience)?;
        let until = Instant::now() + patience;
        let shown = socket.display();
        let silent = |why: String| Unreached::Silent(why);
        let greeting = loop {
            let line = wire.line(until).map_err(|error| silent(error.to_string()))?;
            let line = line.ok_or_else(|| {
                silent(format!(
                    "another program holds its QMP socket {shown}, which serves one at a time: end that one, or give QEMU a \
                     second socket for Coffer (-qmp unix:PATH,server=on,wait=off)"
                ))
            })?;
            let value: Value = serde_json::from_slice(&line).unwrap_or_default();
            // The answer to one who did not wait for it comes to whoever is next.
            if ["return", "error", "event"].iter().all(|key| value.get(key).is_none()) {
                break value;
            }
        };
        let version = &greeting["QMP"]["version"]["qemu"];
        let part = |name: &str| version[name].as_u64();
        let (Some(major), Some(minor), Some(micro)) = (part("major"), part("minor"), part("micro")) else {
            return Err(silent(format!(
                "what listens on {shown} is no QMP monitor: name the socket of QEMU's option -qmp"
            )));
        };
        let mut qmp = Qmp {
            wire,
            who: format!("QEMU (machine {machine})"),
            path: socket.to_path_buf(),
            version: format!("{major}.{minor}.{micro}"),
        };
        qmp.ask("qmp_capabilities", json!({}))
            .map_err(|error| silent(error.to_string()))?;
        Ok(qmp)
    }

    /// Has a command carried out; what it returns.
    pub fn ask(&mut self, command: &str, arguments: Value) -> Result<Value> {
        self.ask_within(command, arguments, ANSWER, &mut || {})
    }

    /// The same; `look` is called every now and then until the answer is there.
    fn ask_within(
        &mut self,
        command: &str,
        arguments: Value,
        limit: Duration,
        look: &mut dyn FnMut(),
    ) -> Result<Value> {
        let id = SnapshotId::random()?.0;
        self.wire
            .send(&json!({ "execute": command, "arguments": arguments, "id": id }))?;
        let until = Instant::now() + limit;
        loop {
            let Some(line) = self.wire.line(until.min(Instant::now() + GLANCE))? else {
                if Instant::now() < until {
                    look();
                    continue;
                }
                return Err(Error::TimedOut {
                    what: format!("{}: {command}", self.who),
                    seconds: limit.as_secs(),
                    then: String::new(),
                });
            };
            let mut answer: Value = serde_json::from_slice(&line).map_err(|error| Error::Refused {
                who: self.who.clone(),
                what: command.to_owned(),
                said: format!("an answer that is no JSON ({error})"),
            })?;
            if answer["id"] != id {
                // An event, or the answer to what nobody waits for any longer.
                continue;
            }
            return match answer.get("error") {
                None => Ok(answer["return"].take()),
                Some(error) => Err(Error::Refused {
                    who: self.who.clone(),
                    what: command.to_owned(),
                    said: error["desc"].as_str().unwrap_or("it did not say why").to_owned(),
                }),
            };
        }
    }

    /// Has a job done, to its end. `look` is called every now and then meanwhile.
    pub fn job(&mut self, command: &str, mut arguments: Value, look: &mut dyn FnMut()) -> Result<()> {
        let id = format!("coffer-{}", SnapshotId::random()?);
        arguments["job-id"] = json!(id);
        self.ask_within(command, arguments, JOB, look)?;
        let until = Instant::now() + JOB;
        loop {
            let jobs = self.ask_within("query-jobs", json!({}), JOB, look)?;
            let jobs = jobs.as_array().map(Vec::as_slice).unwrap_or_default();
            let Some(job) = jobs.iter().find(|job| job["id"] == id.as_str()) else {
                return Err(Error::Refused {
                    who: self.who.clone(),
                    what: command.to_owned(),
                    said: "somebody else dismissed its job: whether it was done is not known".into(),
                });
            };
            if job["status"] == "concluded" {
                let error = job["error"].as_str().map(str::to_owned);
                self.ask("job-dismiss", json!({ "id": id }))?;
                return match error {
                    None => Ok(()),
                    Some(said) => Err(Error::Refused {
                        who: self.who.clone(),
                        what: command.to_owned(),
                        said,
                    }),
                };
            }
            if Instant::now() >= until {
                return Err(Error::TimedOut {
                    what: format!("{}: {command}", self.who),
                    seconds: JOB.as_secs(),
                    then: "; QEMU may still be at it".into(),
                });
            }
            look();
            std::thread::sleep(LOOK);
        }
    }

    /// The run state: `running`, `paused`, …
    pub fn status(&mut self) -> Result<String> {
        let status = self.ask("query-status", json!({}))?;
        Ok(status["status"].as_str().unwrap_or("unknown").to_owned())
    }

    /// The socket.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

//! The agent within a guest (`qemu-ga`), which freezes and thaws the guest's filesystems.
//!
//! Its socket serves one client at a time and keeps what was said to nobody, so each conversation begins by agreeing on a
//! number. No conversation is kept open while the guest is frozen: the watchdog must get in.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::wire::{Unreached, Wire};
use crate::snapshot::{Error, Frozen, NotHeld, Result, SnapshotId};

/// How long the agent may take to answer what needs no work. A guest that is busy needs its time, and without an answer the
/// snapshot has a lower level.
const ANSWER: Duration = Duration::from_secs(10);
/// How long thawing is tried.
const THAW: Duration = Duration::from_secs(60);
/// The same when something went wrong before: the watchdog goes on trying, for longer than any guest may take.
const THAW_ONCE_MORE: Duration = Duration::from_secs(10);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(100);

/// Begins an answer in a conversation that is in step again.
const SENTINEL: u8 = 0xff;

/// An agent that answered.
#[derive(Debug)]
pub(super) struct Agent {
    wire: Wire,
    socket: PathBuf,
}

impl Agent {
    /// Opens the conversation.
    pub fn open(socket: &Path) -> Result<Agent, Unreached> {
        let mut wire = Wire::open(socket, ANSWER)?;
        let silent = |why: String| Unreached::Silent(why);
        let number = SnapshotId::random().map_err(|error| silent(error.to_string()))?;
        // Fits what every JSON parser takes for a whole number.
        let number = u64::from_str_radix(&number.0, 16).unwrap_or(1);
        let ask = format!(
            "{}\n",
            json!({ "execute": "guest-sync-delimited", "arguments": { "id": number } })
        );
        let mut bytes = vec![SENTINEL];
        bytes.extend_from_slice(ask.as_bytes());
        wire.send_raw(&bytes).map_err(|error| silent(error.to_string()))?;
        let until = Instant::now() + ANSWER;
        loop {
            let line = wire.line(until).map_err(|error| silent(error.to_string()))?;
            let Some(line) = line else {
                return Err(silent(format!(
                    "its guest agent does not answer on {}: start qemu-guest-agent within the guest (or another program \
                     holds the socket)",
                    socket.display()
                )));
            };
            let answer = line.rsplit(|byte| *byte == SENTINEL).next().unwrap_or_default();
            let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
            if answer["return"].as_u64() == Some(number) {
                return Ok(Agent {
                    wire,
                    socket: socket.to_path_buf(),
                });
            }
        }
    }

    /// Has a command carried out; what it returns.
    pub fn ask(&mut self, command: &str, limit: Duration) -> Result<Value> {
        self.wire.send(&json!({ "execute": command }))?;
        let line = self.wire.line(Instant::now() + limit)?.ok_or_else(|| Error::TimedOut {
            what: format!("the guest agent on {}: {command}", self.socket.display()),
            seconds: limit.as_secs(),
            then: String::new(),
        })?;
        let mut answer: Value = serde_json::from_slice(&line).unwrap_or_default();
        match answer.get_mut("return") {
            Some(value) => Ok(value.take()),
            None => Err(Error::Refused {
                who: format!("the guest agent on {}", self.socket.display()),
                what: command.to_owned(),
                said: answer["error"]["desc"]
                    .as_str()
                    .unwrap_or("it did not say why")
                    .to_owned(),
            }),
        }
    }

    /// Puts thawing behind a freezing that takes too long: the agent does one thing after the other, whoever is there to
    /// hear of it. Whether it has done so.
    fn thaw_behind(&mut self) -> bool {
        let asked = self.wire.send(&json!({ "execute": "guest-fsfreeze-thaw" }));
        let until = Instant::now() + THAW_ONCE_MORE;
        // The first answer is that to freezing.
        let mut answer = || self.wire.line(until).ok().flatten();
        asked.is_ok() && answer().is_some() && answer().is_some_and(|line| line.starts_with(b"{\"return\""))
    }

    /// Whether the guest's filesystems are frozen.
    pub fn is_frozen(&mut self) -> Result<bool> {
        Ok(self.ask("guest-fsfreeze-status", ANSWER)? == "frozen")
    }
}

/// What a watchdog must do for a guest.
pub(super) fn remedy(socket: &Path) -> String {
    format!("agent:{}", socket.display())
}

/// Thaws a guest, trying again while the agent cannot be reached; how many filesystems were frozen until now. Nothing is to
/// be done for a machine that has ended.
pub fn thaw_within(socket: &Path, limit: Duration) -> Result<u64> {
    let until = Instant::now() + limit;
    loop {
        let tried = match Agent::open(socket) {
            Ok(mut agent) => agent.ask("guest-fsfreeze-thaw", limit),
            Err(Unreached::Off(_)) => return Ok(0),
            Err(error) => Err(error.about("the guest")),
        };
        match tried {
            Ok(count) => return Ok(count.as_u64().unwrap_or(0)),
            Err(error) if Instant::now() >= until => return Err(error),
            Err(_) => std::thread::sleep(AGAIN),
        }
    }
}

/// A guest whose filesystems are frozen.
#[derive(Debug)]
pub(super) struct FrozenGuest {
    machine: String,
    socket: PathBuf,
    since: Instant,
    thawed: bool,
}

impl FrozenGuest {
    /// Freezes the filesystems of a guest. When this fails, none is frozen unless that is said to be doubtful.
    pub fn freeze(machine: &str, socket: &Path, limit: Duration) -> Result<FrozenGuest, NotHeld> {
        let mut agent = Agent::open(socket).map_err(|error| error.about(machine))?;
        if agent.is_frozen()? {
            return Err(Error::Unable {
                target: machine.to_owned(),
                why:
                    "the filesystems of its guest are frozen already, by another program: wait for that, or thaw them \
                      (guest-fsfreeze-thaw)"
                        .into(),
            }
            .into());
        }
        // From here on it is thawed whatever comes.
        let mut frozen = FrozenGuest {
            machine: machine.to_owned(),
            socket: socket.to_path_buf(),
            since: Instant::now(),
            thawed: false,
        };
        let count = agent.ask("guest-fsfreeze-freeze", limit).map_err(|error| {
            let behind = matches!(error, Error::TimedOut { .. }) && agent.thaw_behind();
            // It serves one at a time.
            drop(agent);
            let thawed = behind || thaw_within(socket, THAW_ONCE_MORE).is_ok();
            frozen.thawed = true;
            not_frozen(error, thawed)
        })?;
        match count.as_u64() {
            None | Some(0) => {
                frozen.thawed = true;
                Err(Error::Unable {
                    target: machine.to_owned(),
                    why: "its guest has no filesystem that can be frozen; --consistency crash takes it without".into(),
                }
                .into())
            }
            Some(_) => Ok(frozen),
        }
    }
}

/// What must be said where freezing was begun and failed.
fn not_frozen(error: Error, thawed: bool) -> NotHeld {
    let error = match error {
        Error::TimedOut { what, seconds, .. } => Error::TimedOut {
            what,
            seconds,
            then: match thawed {
                true => "; it was thawed again".into(),
                false => format!("; {DOUBTFUL}"),
            },
        },
        error => error,
    };
    NotHeld {
        error,
        doubtful: !thawed,
    }
}

/// What must be known of a guest that is perhaps frozen later.
pub(super) const DOUBTFUL: &str = "its filesystems may be frozen when it is done: they are told to thaw, and a watchdog sees \
                                   to that for 15 minutes. Should the guest hang later: guest-fsfreeze-thaw";

impl Frozen for FrozenGuest {
    fn thaw(mut self: Box<Self>) -> Result<Duration> {
        let count = thaw_within(&self.socket, THAW)?;
        self.thawed = true;
        let held = self.since.elapsed();
        match count {
            0 => Err(Error::TimedOut {
                what: format!("holding the guest of {}", self.machine),
                seconds: held.as_secs(),
                then: "; it was thawed by the watchdog or by another program before all was done".into(),
            }),
            _ => Ok(held),
        }
    }

    fn remedy(&self) -> String {
        remedy(&self.socket)
    }
}

impl Drop for FrozenGuest {
    fn drop(&mut self) {
        if !self.thawed
            && let Err(error) = thaw_within(&self.socket, THAW_ONCE_MORE)
        {
            tracing::warn!("{error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::os::unix::net::UnixListener;

    use super::*;

    /// An agent that has frozen its guest only when it is told to thaw it.
    fn slow(listener: &UnixListener) -> Vec<String> {
        let (stream, _) = listener.accept().unwrap();
        let mut told = Vec::new();
        for line in BufReader::new(&stream).split(b'\n').map_while(Result::ok) {
            let line = line.strip_prefix(&[SENTINEL]).unwrap_or(&line).to_vec();
            let asked: Value = serde_json::from_slice(&line).unwrap();
            let command = asked["execute"].as_str().unwrap();
            let answers = match command {
                "guest-sync-delimited" => vec![asked["arguments"]["id"].clone()],
                "guest-fsfreeze-status" => vec![json!("thawed")],
                "guest-fsfreeze-freeze" => Vec::new(),
                _ => vec![json!(1), json!(1)],
            };
            for answer in answers {
                writeln!(&stream, "{}", json!({ "return": answer })).unwrap();
            }
            told.push(command.to_owned());
        }
        told
    }

    #[test]
    fn thawing_is_told_behind_a_freezing_that_takes_too_long() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let listener = UnixListener::bind(&socket).unwrap();
        let agent = std::thread::spawn(move || slow(&listener));
        let late = FrozenGuest::freeze("web", &socket, Duration::from_millis(100)).unwrap_err();
        assert!(late.error.to_string().contains("it was thawed again"), "{late:?}");
        assert!(!late.doubtful);
        let told = agent.join().unwrap();
        assert_eq!(told[2..], ["guest-fsfreeze-freeze", "guest-fsfreeze-thaw"]);
    }
}

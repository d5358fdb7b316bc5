//! Thaw always happens: a process of its own that lets frozen writers go on should Coffer die or hang while they are held.
//!
//! It is started before anything is frozen, in a session of its own, deaf to the signals that end a terminal's programs, and
//! is told by a pipe what to do:
//!
//! ```text
//! limit 30              after so many seconds it acts in any case
//! remedy mount:/srv     what to do, in this order
//! armed                 from now on (answered by `ready`)
//! remedy agent:/run/a   more
//! done                  all is thawed: it ends
//! ```
//!
//! When the pipe closes without `done`, or the limit passes, it carries out the remedies, the last one first, and ends. A
//! remedy that is no longer needed does no harm. A guest or a machine that does not answer is tried again for a quarter of an hour,
//! a program that fails for a minute.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::{Error, Result};

/// The hidden subcommand.
pub const COMMAND: &str = "thaw-watchdog";

/// How long a machine is tried again: a guest that is still busy with freezing does not answer.
const MACHINE: Duration = Duration::from_secs(15 * 60);
/// How long a program is: its database may only now take the lock that is to be taken away, and one that somebody else takes
/// later is not ours.
const PROGRAM: Duration = Duration::from_secs(60);
/// How long one try may take, so that others have their turn.
const TRY: Duration = Duration::from_secs(10);
/// Between two tries.
const AGAIN: Duration = Duration::from_secs(1);
/// How long it is waited for when it acts: what takes longer it does alone.
const WAIT: Duration = Duration::from_secs(15);
/// How often it is looked after meanwhile.
const LOOK: Duration = Duration::from_millis(5);
/// How long it may take to start.
const START: Duration = Duration::from_secs(20);

/// Carries out a remedy.
fn carry_out(remedy: &str) -> Result<()> {
    match remedy.split_once(':') {
        Some(("mount", path)) => super::freeze::thaw(Path::new(path)).map(drop),
        Some(("agent", socket)) => super::qemu::thaw_within(Path::new(socket), TRY).map(drop),
        Some(("cont", socket)) => super::qemu::go_on(Path::new(socket)),
        Some(("run", words)) => run(words),
        _ => Err(Error::Unable {
            target: remedy.to_owned(),
            why: "this remedy is not known".into(),
        }),
    }
}

/// Runs a program; its words are a JSON list.
fn run(words: &str) -> Result<()> {
    let failed = |said: String| Error::Command {
        command: words.to_owned(),
        said,
    };
    let words: Vec<String> = serde_json::from_str(words).map_err(|error| failed(error.to_string()))?;
    let [program, arguments @ ..] = words.as_slice() else {
        return Err(failed("it is empty".into()));
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status().map_err(|error| failed(error.to_string()))?;
    match status.success() {
        true => Ok(()),
        false => Err(failed(status.to_string())),
    }
}

/// The watchdog's own side: reads orders until told that all is done, and acts if that does not come. Gives how many
/// remedies failed.
pub fn watch(orders: impl Read + Send + 'static, mut answers: impl Write) -> usize {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(orders).lines() {
            let Ok(line) = line else { break };
            if tell.send(line).is_err() {
                break;
            }
        }
    });
    let mut remedies: Vec<String> = Vec::new();
    let mut limit = Duration::from_secs(60);
    let mut until = None;
    loop {
        let order = match until {
            None => told.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => told.recv_timeout(Instant::duration_since(&until, Instant::now())),
        };
        let order = match order {
            Ok(order) => order,
            Err(_) => break,
        };
        match order.split_once(' ').unwrap_or((order.as_str(), "")) {
            ("limit", seconds) => limit = Duration::from_secs(seconds.parse().unwrap_or(60)),
            ("remedy", remedy) => remedies.push(remedy.to_owned()),
            ("armed", _) => {
                until = Some(Instant::now() + limit);
                let _ = answers.write_all(b"ready\n").and_then(|()| answers.flush());
            }
            ("done", _) => return 0,
            _ => {}
        }
    }
    carry_out_all(&remedies, carry_out, patience, AGAIN)
}

/// How long a remedy that fails is tried again.
fn patience(remedy: &str) -> Duration {
    match remedy.split_once(':') {
        Some(("agent" | "cont", _)) => MACHINE,
        Some(("run", _)) => PROGRAM,
        _ => Duration::ZERO,
    }
}

/// Carries out all remedies, the last one first, and those that fail again until they succeed or their time is up; how many
/// failed.
fn carry_out_all(
    remedies: &[String],
    mut carry_out: impl FnMut(&str) -> Result<()>,
    patience: impl Fn(&str) -> Duration,
    again: Duration,
) -> usize {
    let begin = Instant::now();
    let mut left: Vec<&String> = remedies.iter().rev().collect();
    let mut given_up = 0;
    loop {
        left.retain(|remedy| carry_out(remedy).is_err());
        let failed = left.len();
        left.retain(|remedy| begin.elapsed() < patience(remedy));
        given_up += failed - left.len();
        if left.is_empty() {
            return given_up;
        }
        std::thread::sleep(again);
    }
}

/// A watchdog at work.
#[derive(Debug)]
pub struct Watchdog {
    child: Child,
    orders: Option<ChildStdin>,
}

/// What starts one.
#[derive(Debug, Clone)]
pub struct Starter {
    /// The program: this one.
    pub program: PathBuf,
}

impl Starter {
    /// Starts a watchdog that acts after `limit`. It is ready when this returns.
    pub fn start(&self, remedies: &[String], limit: Duration) -> Result<Watchdog> {
        let failed = |said: String| Error::Command {
            command: "starting the watchdog".into(),
            said: format!("{said}; nothing was frozen"),
        };
        let mut child = Command::new(&self.program)
            .arg(COMMAND)
            .env_remove("COFFER_PASSWORD")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Keys of the terminal reach its group only; the program itself begins a session of its own.
            .process_group(0)
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let orders = child.stdin.take();
        let answers = child.stdout.take();
        let mut watchdog = Watchdog { child, orders };
        watchdog.tell(&format!("limit {}", limit.as_secs().max(1)))?;
        remedies
            .iter()
            .try_for_each(|remedy| watchdog.tell(&format!("remedy {remedy}")))?;
        watchdog.tell("armed")?;
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = answers.map(|answers| BufReader::new(answers).read_line(&mut line));
            let _ = tell.send(matches!(read, Some(Ok(1..))) && line == "ready\n");
        });
        match told.recv_timeout(START) {
            Ok(true) => Ok(watchdog),
            Ok(false) => Err(failed("it ended at once".into())),
            Err(_) => Err(failed("it did not answer".into())),
        }
    }
}

impl Watchdog {
    fn tell(&mut self, order: &str) -> Result<()> {
        let orders = self.orders.as_mut().map(|orders| writeln!(orders, "{order}"));
        match orders {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(Error::Command {
                command: "telling the watchdog".into(),
                said: error.to_string(),
            }),
            None => Ok(()),
        }
    }

    /// One more thing to do.
    pub fn add(&mut self, remedy: &str) -> Result<()> {
        self.tell(&format!("remedy {remedy}"))
    }

    /// All is thawed.
    pub fn done(mut self) {
        let _ = self.tell("done");
    }
}

impl Drop for Watchdog {
    /// Without `done` it acts now.
    fn drop(&mut self) {
        drop(self.orders.take());
        let until = Instant::now() + WAIT;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
    }
}

/// Makes this process one that is ended by nothing but its work: a session of its own, deaf to what ends a terminal's
/// programs.
pub fn detach() {
    // Refused to the leader of a process group; it has no terminal's keys all the same.
    let _ = rustix::process::setsid();
    use signal_hook::consts::signal::{SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP};
    for signal in [SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP] {
        // Heard and forgotten.
        let _ = signal_hook::flag::register(signal, std::sync::Arc::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a watchdog on orders; the files that its remedies made.
    fn acts(orders: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let orders = orders.replace('%', folder.path().to_str().unwrap());
        watch(std::io::Cursor::new(orders.into_bytes()), Vec::new());
        let mut names: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn it_acts_when_the_pipe_closes_and_not_when_all_is_done() {
        let orders = "limit 60\nremedy run:[\"touch\",\"%/a\"]\narmed\nremedy run:[\"touch\",\"%/b\"]\n";
        assert_eq!(acts(orders), ["a", "b"]);
        assert!(acts(&format!("{orders}done\n")).is_empty());
    }

    #[test]
    fn it_acts_at_the_limit_while_the_pipe_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("made");
        let (reader, mut writer) = std::io::pipe().unwrap();
        writeln!(
            writer,
            "limit 1\nremedy run:[\"touch\",{:?}]\narmed",
            made.to_str().unwrap()
        )
        .unwrap();
        let mut said = Vec::new();
        assert_eq!(watch(reader, &mut said), 0);
        assert!(made.exists());
        assert_eq!(said, b"ready\n");
        drop(writer);
    }

    #[test]
    fn machines_and_programs_are_tried_again_and_nothing_else() {
        let remedies = ["mount:/a", "agent:/b", "run:[]", "cont:/c"].map(str::to_owned);
        let mut tried = Vec::new();
        let fails = |remedy: &str| {
            tried.push(remedy.to_owned());
            match tried.len() {
                // The agent at its fourth try, the program at its second.
                5 | 8 => Ok(()),
                _ if remedy == "cont:/c" => Ok(()),
                _ => Err(Error::NoSnapshot(String::new())),
            }
        };
        let failed = carry_out_all(&remedies, fails, patience, Duration::ZERO);
        assert_eq!(failed, 1, "the mount");
        assert_eq!(
            tried,
            [
                "cont:/c", "run:[]", "agent:/b", "mount:/a", "run:[]", "agent:/b", "agent:/b", "agent:/b"
            ]
        );
        let never = carry_out_all(
            &remedies,
            |_| Err(Error::NoSnapshot(String::new())),
            |_| Duration::ZERO,
            AGAIN,
        );
        assert_eq!(never, 4);
    }

    #[test]
    fn what_it_does_not_know_is_counted_and_the_rest_is_done() {
        let orders = "remedy nonsense\narmed\n";
        assert_eq!(watch(std::io::Cursor::new(orders), Vec::new()), 1);
    }
}

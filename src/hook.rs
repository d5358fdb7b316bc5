//! The commands that run before and after a piece of work: each with a time limit, in a process group of its own, with what
//! it prints in the job's log.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::progress::{Cancel, Cancelled};

/// More of what a command prints is not kept.
const KEPT: usize = 16 << 10;
/// How many of its last lines go into the log.
const SHOWN_LINES: usize = 8;
/// How long a command that is asked to end may take to.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked after.
const LOOK: Duration = Duration::from_millis(50);

/// Why a command did not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was stopped on request.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// It failed, or took too long: how.
    #[error("{0}")]
    Failed(String),
}

/// A command to run beside a piece of work.
pub struct Hook<'a> {
    /// When it runs: `before` or `after`.
    pub when: &'static str,
    /// What: `the backup`.
    pub what: &'static str,
    /// What `sh` runs.
    pub command: &'a str,
    /// How long it may take.
    pub limit: Duration,
    /// What it finds in its environment.
    pub environment: &'a [(&'static str, String)],
    /// The request that ends it, if there is one that may.
    pub cancel: Option<&'a Cancel>,
    /// Takes a line for the log.
    pub note: &'a dyn Fn(String),
}

impl Hook<'_> {
    /// Runs it to its end, or to the time limit. The process is not ended meanwhile: a command that stands with its pipes
    /// closed dies of its next word.
    pub fn run(&self) -> Result<(), Error> {
        let _owed = crate::ending::owe();
        let when = self.when;
        (self.note)(format!("runs the command {when} {}", self.what));
        let mut child = Command::new("sh")
            .args(["-c", self.command])
            // The vault's password is no business of theirs.
            .env_remove("COFFER_PASSWORD")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(|error| Error::Failed(format!("it cannot be started: {error}")))?;
        let said = Arc::new(Mutex::new(Vec::new()));
        let readers = [
            child.stdout.take().map(|from| keep(from, &said)),
            child.stderr.take().map(|from| keep(from, &said)),
        ];
        let ended = self.wait(&mut child);
        // A child of its own that lives on may hold the pipes open: what it says is not waited for.
        let patience = Instant::now() + Duration::from_secs(1);
        while readers.iter().flatten().any(|thread| !thread.is_finished()) && Instant::now() < patience {
            std::thread::sleep(LOOK);
        }
        let said = said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8_lossy(&said).into_owned();
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .collect();
        let first = lines.len().saturating_sub(SHOWN_LINES);
        for line in &lines[first..] {
            let line: String = line.chars().take(300).collect();
            (self.note)(format!("{when}: {line}"));
        }
        match ended? {
            status if status.success() => Ok(()),
            status => Err(Error::Failed(match lines.last() {
                Some(line) => format!("{status}: {}", line.chars().take(300).collect::<String>()),
                None => status.to_string(),
            })),
        }
    }

    fn wait(&self, child: &mut Child) -> Result<ExitStatus, Error> {
        let until = Instant::now() + self.limit;
        loop {
            if let Some(status) = child.try_wait().map_err(|error| Error::Failed(error.to_string()))? {
                return Ok(status);
            }
            if self.cancel.is_some_and(Cancel::is_cancelled) {
                end(child);
                return Err(Error::Cancelled(Cancelled));
            }
            if Instant::now() >= until {
                end(child);
                let limit = self.limit.as_secs();
                return Err(Error::Failed(match limit {
                    0..=119 => format!("it took longer than {limit} seconds"),
                    _ => format!("it took longer than {} minutes", limit / 60),
                }));
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Ends a command with all it started: first by asking.
pub(crate) fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let tell = |signal| group.map(|group| kill_process_group(group, signal));
    tell(Signal::TERM);
    let until = Instant::now() + GRACE;
    while Instant::now() < until {
        if !matches!(child.try_wait(), Ok(None)) {
            break;
        }
        std::thread::sleep(LOOK);
    }
    // Whatever of its group is left.
    tell(Signal::KILL);
    let _ = child.wait();
}

fn keep(mut from: impl std::io::Read + Send + 'static, said: &Arc<Mutex<Vec<u8>>>) -> std::thread::JoinHandle<()> {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.extend_from_slice(&buffer[..n]);
            let surplus = said.len().saturating_sub(KEPT);
            said.drain(..surplus);
        }
    })
}

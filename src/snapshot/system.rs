//! Programs of the system, run so that what they say can be read: in the C locale, in UTC, with nothing to read.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::{Error, Result};

/// A program and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Program {
    /// Its name.
    pub name: &'static str,
    /// Debian's package of it.
    pub package: &'static str,
    /// What it is needed for, for messages.
    pub what: &'static str,
}

impl Program {
    /// Whether it can be found.
    pub fn is_there(&self) -> bool {
        // Root's programs are not always on a user's search path.
        let usual = [
            "/usr/local/sbin",
            "/usr/local/bin",
            "/usr/sbin",
            "/usr/bin",
            "/sbin",
            "/bin",
        ];
        usual.iter().any(|folder| Path::new(folder).join(self.name).exists())
    }

    /// Runs it to its end, whatever comes of it.
    pub fn output(&self, arguments: &[&OsStr]) -> Result<Output> {
        self.command(arguments)
            .output()
            .map_err(|error| self.not_started(error))
    }

    /// Runs it to its end, or ends it at the time limit.
    pub fn output_within(&self, arguments: &[&OsStr], limit: Duration) -> Result<Output> {
        self.within(self.command(arguments), limit)
    }

    /// The same of a command of this program that was made ready otherwise.
    pub fn within(&self, mut command: Command, limit: Duration) -> Result<Output> {
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        let mut child = child.map_err(|error| self.not_started(error))?;
        let pipes: [Option<Box<dyn io::Read + Send>>; 2] = [
            child.stdout.take().map(|out| Box::new(out) as _),
            child.stderr.take().map(|out| Box::new(out) as _),
        ];
        let (tell, told) = channel();
        for (n, pipe) in pipes.into_iter().enumerate() {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut text));
                let _ = tell.send((n, text));
            });
        }
        let until = Instant::now() + limit;
        let mut texts = [Vec::new(), Vec::new()];
        for _ in 0..texts.len() {
            // Both end with the program, or a little after it has closed them.
            match told.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok((n, text)) => texts[n] = text,
                Err(_) => {
                    crate::hook::end(&mut child);
                    return Err(Error::TimedOut {
                        what: format!("{} ({})", self.name, self.what),
                        seconds: limit.as_secs(),
                        then: "; it was ended".into(),
                    });
                }
            }
        }
        let [stdout, stderr] = texts;
        let status = child.wait().map_err(|error| self.not_started(error))?;
        Ok(Output { status, stdout, stderr })
    }

    /// The command, for those who want its pipes.
    pub fn command(&self, arguments: &[&OsStr]) -> Command {
        let mut command = Command::new(self.name);
        command
            .args(arguments)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .env_remove("COFFER_PASSWORD")
            .stdin(Stdio::null());
        command
    }

    /// Why it could not be started.
    pub fn not_started(&self, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::NotFound => Error::Missing {
                program: self.name,
                what: self.what,
                package: self.package,
            },
            _ => Error::Command {
                command: self.name.into(),
                said: error.to_string(),
            },
        }
    }

    /// Runs it; what it printed, or why it failed. A refusal for want of rights is told with `help`.
    pub fn run(&self, arguments: &[&OsStr], help: &str) -> Result<Output> {
        let output = self.output(arguments)?;
        if output.status.success() {
            return Ok(output);
        }
        let said = said(&output);
        let told: Vec<OsString> = std::iter::once(OsString::from(self.name))
            .chain(arguments.iter().map(OsString::from))
            .collect();
        let command = crate::text::escape(told.join(OsStr::new(" ")).as_encoded_bytes());
        Err(
            match said.contains("Operation not permitted") || said.contains("Permission denied") {
                true if !help.is_empty() => Error::Rights {
                    what: command,
                    help: help.to_owned(),
                },
                _ => Error::Command { command, said },
            },
        )
    }
}

/// What a program complained of: its last line on standard error, without its own prefix. One that is marked as an error
/// counts before warnings that follow it.
pub(super) fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let error = lines.iter().rev().find_map(|line| line.strip_prefix("ERROR: "));
    match error.or(lines.last().copied()) {
        Some(line) => line.to_owned(),
        None => output.status.to_string(),
    }
}

/// Whether there was no room left on a filesystem.
pub(super) fn is_full(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull)
}

/// An error of the system, with the file it is about.
pub(super) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_path_buf();
    move |source| Error::Io { action, path, source }
}

/// The same for system calls that are not std's.
pub(super) fn errno(action: &'static str, path: &Path) -> impl FnOnce(rustix::io::Errno) -> Error + use<> {
    let into = io_error(action, path);
    move |errno| into(errno.into())
}

/// Whether this process may do what only root may.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_ended_at_its_limit() {
        const SH: Program = Program {
            name: "sh",
            package: "dash",
            what: "a test",
        };
        let words = |text: &'static str| ["-c", text].map(OsStr::new);
        let output = SH.output_within(&words("echo out; echo no >&2; exit 3"), Duration::from_secs(60));
        let output = output.unwrap();
        assert_eq!(
            (output.stdout.as_slice(), output.status.code()),
            (&b"out\n"[..], Some(3))
        );
        assert_eq!(said(&output), "no");
        let begin = Instant::now();
        let late = SH.output_within(&words("sleep 100 & wait"), Duration::from_millis(100));
        assert!(matches!(late, Err(Error::TimedOut { .. })));
        assert!(begin.elapsed() < Duration::from_secs(50), "with all it started");
    }

    #[test]
    fn an_error_is_told_before_the_warnings_around_it() {
        let output = |text: &str| Output {
            status: std::os::unix::process::ExitStatusExt::from_raw(256),
            stdout: Vec::new(),
            stderr: text.into(),
        };
        let denied = "WARNING: cannot read default subvolume id\nERROR: Could not destroy subvolume: Operation not permitted\n\
            WARNING: deletion failed with EPERM\n";
        assert_eq!(
            said(&output(denied)),
            "Could not destroy subvolume: Operation not permitted"
        );
        assert_eq!(said(&output("one\ntwo\n\n")), "two");
        assert_eq!(said(&output("")), "exit status: 1");
    }
}

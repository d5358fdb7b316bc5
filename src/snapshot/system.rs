//! Programs of the system, run so that what they say can be read: in the C locale, in UTC, with nothing to read.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

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

/// What a program complained of: its last line on standard error, without its own prefix.
pub(super) fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    match lines.next_back() {
        Some(line) => line.trim_start_matches("ERROR: ").to_owned(),
        None => output.status.to_string(),
    }
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

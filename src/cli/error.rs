//! Failures as the user meets them: one clear message on standard error, with what to do next, and an exit code.

use std::io::{self, Write};

use super::exit::Exit;
use crate::text::said;
use crate::{catalog, engine, restore, vault};

/// Why a command ended early.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// A failure with its own exit code. The message says what, where and what to do next.
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure {
            exit,
            message: said(message.into()),
        }
    }

    /// An ordinary failure.
    pub fn failed(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Failed, message)
    }

    /// The arguments do not fit together.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, message)
    }

    /// Stopped by a signal.
    pub fn interrupted() -> Failure {
        Failure::new(Exit::Interrupted, "interrupted")
    }

    /// How the process ends.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Says it on standard error: a line, or a JSON object. A reader that went away is told nothing.
    pub fn print(&self, json: bool) {
        if self.exit == Exit::ClosedPipe {
            return;
        }
        let line = if json {
            serde_json::json!({ "type": "error", "code": self.exit.number(), "message": self.message }).to_string()
        } else {
            format!("coffer: {}", self.message)
        };
        // Nothing can be said about a failure to say something.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Failure {
        let exit = match error.exit_code() {
            10 => Exit::NoVault,
            11 => Exit::Locked,
            12 => Exit::WrongPassword,
            130 => return Failure::interrupted(),
            _ if matches!(error, engine::Error::Usage(_)) => Exit::Usage,
            _ => Exit::Failed,
        };
        Failure::new(exit, error.to_string())
    }
}

impl From<vault::Error> for Failure {
    fn from(error: vault::Error) -> Failure {
        engine::Error::from(error).into()
    }
}

impl From<restore::Error> for Failure {
    fn from(error: restore::Error) -> Failure {
        match error {
            restore::Error::Vault(error) => error.into(),
            restore::Error::Output(error) => error.into(),
            restore::Error::Cancelled(_) => Failure::interrupted(),
            restore::Error::WrongKind { found: "a folder", .. } => {
                Failure::failed(format!("{error}; write it as an archive: --archive tar"))
            }
            other => Failure::failed(other.to_string()),
        }
    }
}

impl From<catalog::Error> for Failure {
    fn from(error: catalog::Error) -> Failure {
        Failure::failed(error.to_string())
    }
}

impl From<crate::progress::Cancelled> for Failure {
    fn from(_: crate::progress::Cancelled) -> Failure {
        Failure::interrupted()
    }
}

/// Only writes to standard output become failures this way: everything else has an error of its own that names the file.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Failure::new(Exit::ClosedPipe, "standard output was closed");
        }
        // The system refuses writes to a terminal that is gone before SIGHUP has been heard.
        if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) && super::signals::line_is_gone() {
            return Failure::interrupted();
        }
        Failure::failed(format!("cannot write to standard output: {error}"))
    }
}

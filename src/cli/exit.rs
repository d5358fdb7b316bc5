//! How the process ends. The numbers are restic's, so that scripts written for it go on working.

use std::process::ExitCode;

/// The process's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All done.
    Done,
    /// It failed.
    Failed,
    /// The arguments make no sense (what clap itself says with 2).
    Usage,
    /// The backup is there, but some files could not be read.
    Incomplete,
    /// There is no vault at that place.
    NoVault,
    /// Someone else's lock is in the way.
    Locked,
    /// The password opens no key.
    WrongPassword,
    /// Stopped by a signal.
    Interrupted,
    /// Whoever read standard output went away: the number a shell shows for a process that SIGPIPE ended.
    ClosedPipe,
}

impl Exit {
    /// The number.
    pub fn number(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Incomplete => 3,
            Exit::NoVault => 10,
            Exit::Locked => 11,
            Exit::WrongPassword => 12,
            Exit::Interrupted => 130,
            Exit::ClosedPipe => 141,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.number())
    }
}

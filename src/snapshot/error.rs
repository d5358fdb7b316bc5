//! What can go wrong with snapshots.

use std::path::PathBuf;

use super::model::{Consistency, Writer};

/// Shorthand for results in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with what to do next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The target cannot be snapshotted by anything here.
    #[error("{target} cannot be snapshotted: {why}")]
    Unable {
        /// The target as the user names it.
        target: String,
        /// Why, and what would help.
        why: String,
    },
    /// The level asked for cannot be had.
    #[error("{target} cannot be snapshotted with {wanted} consistency now: {why}")]
    Level {
        /// The target as the user names it.
        target: String,
        /// What was wanted.
        wanted: Consistency,
        /// Why not, and what would help.
        why: String,
    },
    /// Something stands against what is to be done with a snapshot or beside it.
    #[error("cannot {what}: {why}")]
    Cannot {
        /// What is to be done: `roll /srv back`.
        what: String,
        /// Why not, and what would help.
        why: String,
    },
    /// More rights are needed.
    #[error("{what} needs more rights: {help}")]
    Rights {
        /// What was to be done, and on what.
        what: String,
        /// `run it with sudo, or …`.
        help: String,
    },
    /// A program of the system that is needed is not there.
    #[error("{program} is needed for {what} and is not installed: install {package}")]
    Missing {
        /// The program.
        program: &'static str,
        /// What for.
        what: &'static str,
        /// Debian's package of it.
        package: &'static str,
    },
    /// Processes are in the way.
    #[error("{what} is in use by {}: end them first, then try again", .holders.iter().map(Writer::to_string).collect::<Vec<_>>().join(", "))]
    Busy {
        /// What is in use.
        what: String,
        /// By whom.
        holders: Vec<Writer>,
    },
    /// Going back is refused: something stands against it, or things have changed since the plan was made.
    #[error("{what} cannot go back now: {why}")]
    NotNow {
        /// The target.
        what: String,
        /// Why, and what would help.
        why: String,
    },
    /// A snapshot's files cannot be shown.
    #[error("the files of {what} cannot be shown: {why}")]
    NoFiles {
        /// The snapshot.
        what: String,
        /// Why, and what would help.
        why: String,
    },
    /// Another job works there.
    #[error("another job works on the snapshots in {}: wait for it to end (coffer jobs), then try again", .0.display())]
    Occupied(PathBuf),
    /// There is no such snapshot.
    #[error("there is no snapshot {0}; coffer snapshot list shows them")]
    NoSnapshot(String),
    /// There is no such snapshot among those that can be seen, which are not all.
    #[error("there is no snapshot {id} among those that can be seen; some cannot: {why}")]
    NotSeen {
        /// The id that was looked for.
        id: String,
        /// What kept some of them from being seen.
        why: String,
    },
    /// It is protected.
    #[error("snapshot {0} is protected: take the protection away first (coffer snapshot protect --off {0})")]
    Protected(String),
    /// It is read, and deleting it would take away what is being read.
    #[error(
        "snapshot {0} is being read by another job, or looked into: wait for that to end (coffer jobs), then try again"
    )]
    BeingRead(String),
    /// The other side (QEMU, its guest agent, the cloud) said no.
    #[error("{who} refused {what}: {said}")]
    Refused {
        /// Who.
        who: String,
        /// What was asked.
        what: String,
        /// Its own words.
        said: String,
    },
    /// Something took too long.
    #[error("{what} took longer than {seconds} seconds{then}")]
    TimedOut {
        /// What.
        what: String,
        /// The limit.
        seconds: u64,
        /// What was done about it, starting with `; `; empty when nothing was.
        then: String,
    },
    /// A command around the snapshot failed.
    #[error("the command {when} the snapshot failed: {why}")]
    Hook {
        /// `before` or `after`.
        when: &'static str,
        /// Why.
        why: String,
    },
    /// After the rollback it is not what it should be.
    #[error(
        "{what} was rolled back but does not equal the snapshot: {difference}; the state before is kept as snapshot {safety}"
    )]
    NotTheSame {
        /// What.
        what: String,
        /// The first difference found.
        difference: String,
        /// The safety snapshot; `none` when there is none.
        safety: String,
    },
    /// A program of the system failed.
    #[error("{command} failed: {said}")]
    Command {
        /// The command, for people.
        command: String,
        /// What it said on standard error.
        said: String,
    },
    /// The system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// `read`, `write`, `open`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own error.
        source: std::io::Error,
    },
    /// What lies beside a snapshot cannot be understood.
    #[error("{}: {why}", .path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A cloud.
    #[error(transparent)]
    Cloud(Box<super::ebs::Fault>),
    /// Told to stop.
    #[error(transparent)]
    Cancelled(#[from] crate::progress::Cancelled),
}

/// Writers could not be held.
#[derive(Debug)]
pub struct NotHeld {
    /// Why not.
    pub error: Error,
    /// Whether they may be held all the same, now or in a moment, by what was begun and is not known to be undone.
    pub doubtful: bool,
}

impl From<Error> for NotHeld {
    /// Nothing was begun.
    fn from(error: Error) -> NotHeld {
        NotHeld { error, doubtful: false }
    }
}

impl From<super::ebs::Fault> for Error {
    fn from(fault: super::ebs::Fault) -> Error {
        Error::Cloud(Box::new(fault))
    }
}

//! What Coffer starts itself as processes of their own: not for people.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::exit::Exit;
use crate::snapshot::hooks::sqlite;
use crate::snapshot::watchdog;

/// Let writers go on that are held for a snapshot, should Coffer die meanwhile
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  coffer thaw-watchdog")]
pub struct Watchdog {}

impl Watchdog {
    /// Watches, until all is done or it had to act.
    pub fn run(&self) -> Exit {
        watchdog::detach();
        match watchdog::watch(std::io::stdin(), std::io::stdout()) {
            0 => Exit::Done,
            _ => Exit::Failed,
        }
    }
}

/// Hold SQLite databases for a snapshot, until standard input ends
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  coffer hold-sqlite 60 30 /srv/app.db")]
pub struct HoldSqlite {
    /// How long to wait for a transaction that runs
    seconds: u64,
    /// How long to hold them at most
    hold: u64,
    /// The databases
    files: Vec<PathBuf>,
}

impl HoldSqlite {
    /// Holds them.
    pub fn run(&self) -> Exit {
        let (limit, hold) = (Duration::from_secs(self.seconds), Duration::from_secs(self.hold));
        match sqlite::hold(&self.files, limit, hold, std::io::stdin(), std::io::stdout()) {
            Ok(()) => Exit::Done,
            Err(error) => {
                eprintln!("{error}");
                Exit::Failed
            }
        }
    }
}

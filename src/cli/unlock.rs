//! `coffer unlock`: removes locks left behind.

/// Remove locks that programs left behind: those older than 30 minutes or of a process on this machine that is gone
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Remove all locks, even those of programs that may still run
    #[arg(long)]
    remove_all: bool,
}

const EXAMPLES: &str = "\
Example:
  coffer unlock --vault /srv/backup";

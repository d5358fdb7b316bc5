//! `coffer jobs`: what was done on this machine, and how it went.

use clap::Subcommand;

/// Show the history of jobs on this machine: backups, restores, checks
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Only the newest N
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  coffer jobs
  coffer jobs show 17";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show one job with everything it reported
    #[command(after_help = "Example:\n  coffer jobs show 17")]
    Show {
        /// The job's number
        id: i64,
    },
}

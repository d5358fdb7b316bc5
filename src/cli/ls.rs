//! `coffer ls`: the files of a generation.

use super::args::FilterArgs;

/// List the files of a generation: all of them, or one folder's entries when a path is given
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which generation: an id or the beginning of one, `latest`, or a time
    #[arg(value_name = "GENERATION")]
    generation: String,
    /// List these: a folder with its entries, or a file
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Show mode, owner, size and time
    #[arg(short, long)]
    long: bool,
    /// With a path: everything below it
    #[arg(short = 'R', long)]
    recursive: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer ls --vault /srv/backup latest
  coffer ls --vault /srv/backup latest /etc/nginx --long
  coffer ls --vault /srv/backup 2026-08-01 /srv --recursive --json";

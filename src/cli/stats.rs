//! `coffer stats`: what generations weigh.

use super::args::FilterArgs;

/// Show what generations weigh: logical and stored bytes, deduplication and compression
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only these generations; all when none is given
    #[arg(value_name = "GENERATION")]
    generations: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer stats --vault /srv/backup
  coffer stats --vault /srv/backup latest --json";

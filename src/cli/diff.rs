//! `coffer diff`: what changed between two generations.

use super::args::FilterArgs;

/// Show what changed from one generation to another
///
/// Each line starts with + (new), - (gone), M (content changed), T (type changed) or, with --metadata, U (only metadata
/// changed).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The older generation: an id or the beginning of one, `latest`, or a time; with :PATH a folder of it
    #[arg(value_name = "A")]
    a: String,
    /// The newer one
    #[arg(value_name = "B")]
    b: String,
    /// Also list entries of which only owner, mode, times or attributes changed
    #[arg(long)]
    metadata: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer diff --vault /srv/backup 2026-08-01 latest
  coffer diff --vault /srv/backup 4bba301e:/etc 79766175:/etc --metadata";

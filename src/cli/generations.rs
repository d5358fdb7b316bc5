//! `coffer generations`: what a vault holds.

use super::args::FilterArgs;

/// List the generations of a vault, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only these: ids, beginnings of ids, `latest`, or times
    #[arg(value_name = "GENERATION")]
    ids: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Only those made at or after this time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only those made at or before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only the newest N (of each host and paths)
    #[arg(long, value_name = "N")]
    latest: Option<usize>,
    /// Show them in groups: any of host, paths, tags, with commas between
    #[arg(short, long, value_name = "host,paths,tags")]
    group_by: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  coffer generations --vault /srv/backup
  coffer generations --vault /srv/backup --host web1 --since 2026-08-01 --group-by host,paths
  coffer generations --vault /srv/backup --json | jq '.[].id'";

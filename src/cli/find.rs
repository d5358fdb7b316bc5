//! `coffer find`: which generations hold a file.

use clap::ValueEnum;

use super::args::FilterArgs;

/// Find files in all generations by name or glob, type, size and time
///
/// A pattern without a slash is matched with names, one with a slash with whole paths; `*`, `?`, `[…]` and `**` are globs.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Names, paths or globs
    #[arg(value_name = "PATTERN", required = true)]
    patterns: Vec<String>,
    /// Upper and lower case are equal
    #[arg(short, long)]
    ignore_case: bool,
    /// Only in these generations
    #[arg(short, long, value_name = "GENERATION")]
    generation: Vec<String>,
    /// Only entries of this type
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    kind: Vec<TypeArg>,
    /// Only files of this size: +1M larger, -1M smaller, 1M exactly
    #[arg(long, value_name = "[+-]SIZE", allow_hyphen_values = true)]
    size: Vec<String>,
    /// Only entries changed at or after this time (or this long ago: 7d, 12h)
    #[arg(long, value_name = "TIME")]
    newer: Option<String>,
    /// Only entries changed at or before this time (or this long ago: 7d, 12h)
    #[arg(long, value_name = "TIME")]
    older: Option<String>,
    /// Show mode, owner, size and time
    #[arg(short, long)]
    long: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer find --vault /srv/backup nginx.conf
  coffer find --vault /srv/backup '*.sql' --size +10M --newer 2026-08-01
  coffer find --vault /srv/backup '/home/*/.ssh/**' --generation latest --json";

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum TypeArg {
    #[value(alias = "f")]
    File,
    #[value(alias = "d")]
    Dir,
    #[value(alias = "l")]
    Symlink,
    #[value(alias = "b")]
    Dev,
    #[value(alias = "c")]
    Chardev,
    #[value(alias = "p")]
    Fifo,
    #[value(alias = "s")]
    Socket,
}

//! `coffer restore`: brings files back.

use std::path::PathBuf;

use clap::{ValueEnum, ValueHint};

use super::args::FilterArgs;

/// Bring files back, whole or in part, to a folder of your choice or to where they were
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("where").args(["target", "in_place"]).required(true))]
pub struct Args {
    /// Which generation: an id or the beginning of one, `latest`, or a time (the last one at or before it);
    /// with :PATH only that file or folder of it, placed directly in the target
    #[arg(value_name = "GENERATION[:PATH]")]
    generation: String,
    /// Restore into this folder
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    target: Option<PathBuf>,
    /// Restore to where the files were when they were backed up
    #[arg(long)]
    in_place: bool,
    /// Restore only what matches this glob
    #[arg(short, long, value_name = "GLOB")]
    include: Vec<String>,
    /// Leave out what matches this glob
    #[arg(short, long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// What to do with files that are there already
    #[arg(long, value_enum, default_value_t = OverwriteArg::Always)]
    overwrite: OverwriteArg,
    /// Delete what is in the target but not in the generation
    #[arg(long)]
    delete: bool,
    /// Leave holes where files hold long runs of zeros
    #[arg(long)]
    sparse: bool,
    /// Read every restored file again and compare it with the vault
    #[arg(long)]
    verify: bool,
    /// Do not set owner and group
    #[arg(long)]
    no_owner: bool,
    /// Say exactly what would happen, change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer restore --vault /srv/backup latest --target /tmp/all
  coffer restore --vault /srv/backup 2026-08-01:/etc/nginx --target /tmp/nginx
  coffer restore --vault /srv/backup 4bba301e --in-place --include '/home/anna/**' --overwrite if-newer --dry-run";

/// What to do with files that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OverwriteArg {
    /// Make them as they were
    Always,
    /// Only those whose size or time of change differs
    IfChanged,
    /// Only those older than in the generation
    IfNewer,
    /// Leave them
    Never,
}

//! `coffer dump`: a file, or a folder as an archive, to standard output.

use clap::ValueEnum;

use super::args::FilterArgs;

/// Write one file, or a folder as a tar or zip archive, to standard output
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which generation: an id or the beginning of one, `latest`, or a time
    #[arg(value_name = "GENERATION")]
    generation: String,
    /// The file or folder in it
    #[arg(value_name = "PATH")]
    file: String,
    /// Write an archive; folders need it
    #[arg(short, long, value_enum, value_name = "tar|zip")]
    archive: Option<ArchiveArg>,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer dump --vault /srv/backup latest /etc/fstab
  coffer dump --vault /srv/backup latest /srv/www --archive tar | tar -xC /tmp
  coffer dump --vault /srv/backup 2026-08-01 / --archive zip > all.zip";

/// The archive's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum ArchiveArg {
    Tar,
    Zip,
}

//! `coffer backup`: stores a generation.

use std::path::PathBuf;

use clap::ValueHint;

use super::init::CompressionArg;

/// Back files up: store a generation of them in the vault
///
/// Exit code 3 says that the generation is there but some files could not be read.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files and folders to back up
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Back up what this plan of the config says: its paths, excludes, vault and tags
    #[arg(long, value_name = "NAME", conflicts_with_all = ["paths", "files_from", "stdin"])]
    pub plan: Option<String>,
    /// Read more paths from this file, one a line; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files_from: Vec<PathBuf>,
    /// Store standard input as one file
    #[arg(long, conflicts_with_all = ["paths", "files_from"])]
    pub stdin: bool,
    /// The file's name in the generation, with --stdin
    #[arg(long, value_name = "NAME", default_value = "stdin", requires = "stdin")]
    pub stdin_filename: String,

    /// Leave out what matches this glob
    #[arg(short, long, value_name = "GLOB", help_heading = "What to leave out")]
    pub exclude: Vec<String>,
    /// The same, upper and lower case being equal
    #[arg(long, value_name = "GLOB", help_heading = "What to leave out")]
    pub iexclude: Vec<String>,
    /// Read globs to leave out from this file, one a line; # starts a comment
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What to leave out")]
    pub exclude_file: Vec<PathBuf>,
    /// The same, upper and lower case being equal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What to leave out")]
    pub iexclude_file: Vec<PathBuf>,
    /// Leave out the content of folders that hold a file of this name (NAME:HEADER: that starts with HEADER)
    #[arg(long, value_name = "NAME[:HEADER]", help_heading = "What to leave out")]
    pub exclude_if_present: Vec<String>,
    /// Leave out the content of folders marked as caches by a CACHEDIR.TAG
    #[arg(long, help_heading = "What to leave out")]
    pub exclude_caches: bool,
    /// Leave out files larger than this (500K, 20M, 1.5G)
    #[arg(long, value_name = "SIZE", value_parser = super::args::size, help_heading = "What to leave out")]
    pub exclude_larger_than: Option<u64>,
    /// Follow the rules of .gitignore files found on the way
    #[arg(long, help_heading = "What to leave out")]
    pub gitignore: bool,
    /// Do not cross into other filesystems
    #[arg(short = 'x', long, help_heading = "What to leave out")]
    pub one_file_system: bool,

    /// Label the generation (again for more labels)
    #[arg(long, value_name = "TAG", value_delimiter = ',', help_heading = "The generation")]
    pub tag: Vec<String>,
    /// Say that it was made on this host
    #[arg(short = 'H', long, value_name = "HOST", help_heading = "The generation")]
    pub host: Option<String>,
    /// Say that it was made at this time (RFC 3339, such as 2026-08-01T12:00:00Z)
    #[arg(long, value_name = "TIME", help_heading = "The generation")]
    pub time: Option<String>,
    /// Compare with this generation instead of the newest one of the same host and paths
    #[arg(long, value_name = "ID", help_heading = "The generation")]
    pub parent: Option<String>,
    /// Compare with no generation: read every file again
    #[arg(short, long, conflicts_with = "parent", help_heading = "The generation")]
    pub force: bool,
    /// Store no generation when nothing changed
    #[arg(long, help_heading = "The generation")]
    pub skip_if_unchanged: bool,
    /// Store the time of last access too
    #[arg(long, help_heading = "The generation")]
    pub with_atime: bool,

    /// Say what would be stored, store nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How new data is compressed
    #[arg(long, value_enum, value_name = "auto|off|max")]
    pub compression: Option<CompressionArg>,
    /// Size of the vault's pack files, in MiB
    #[arg(long, value_name = "MiB", value_parser = clap::value_parser!(u32).range(4..=128))]
    pub pack_size: Option<u32>,
}

const EXAMPLES: &str = "\
Examples:
  coffer backup --vault /srv/backup /etc /home --exclude '*.tmp' --exclude-caches
  coffer backup --plan home
  pg_dump shop | coffer backup --vault /srv/backup --stdin --stdin-filename shop.sql";

//! `coffer check`: is the vault sound?

/// Check that a vault is sound: its structure, and on request its data
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Read and verify all data too
    #[arg(long, conflicts_with = "read_data_subset")]
    read_data: bool,
    /// Read and verify a part of the data: the n-th of t parts (1/7), a random share (5%), or a random amount (2G)
    #[arg(long, value_name = "n/t|P%|SIZE")]
    read_data_subset: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  coffer check --vault /srv/backup
  coffer check --vault /srv/backup --read-data-subset 1/7";

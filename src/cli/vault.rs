//! `coffer vault`: the vaults in the config.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

/// Manage the vaults named in the config
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  coffer vault list
  coffer vault add home /srv/backup --password-file ~/.backup-password";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the vaults of the config
    #[command(after_help = "Example:\n  coffer vault list")]
    List,
    /// Give a vault a name in the config (the vault itself is made by `coffer init`)
    #[command(after_help = "Example:\n  coffer vault add home /srv/backup --password-file ~/.backup-password")]
    Add {
        /// The name
        name: String,
        /// Its folder
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        place: PathBuf,
    },
    /// Take a vault out of the config; its data stays
    #[command(after_help = "Example:\n  coffer vault remove home")]
    Remove {
        /// The name
        name: String,
    },
    /// Show what the config and the vault itself say
    #[command(after_help = "Example:\n  coffer vault show home")]
    Show {
        /// The name
        name: String,
    },
}

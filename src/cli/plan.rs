//! `coffer plan`: the plans in the config.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

/// Manage plans: what is backed up into which vault
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  coffer plan add home /home --vault main --exclude '*.tmp'
  coffer plan run home";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the plans of the config
    #[command(after_help = "Example:\n  coffer plan list")]
    List,
    /// Write a plan into the config; --vault says where it stores
    #[command(after_help = "Example:\n  coffer plan add home /home --vault main --exclude '*.tmp' --tag nightly")]
    Add {
        /// The name
        name: String,
        /// Folders and files to back up, absolute
        #[arg(value_name = "PATH", required = true, value_hint = ValueHint::AnyPath)]
        paths: Vec<PathBuf>,
        /// Leave out what matches this glob
        #[arg(short, long, value_name = "GLOB")]
        exclude: Vec<String>,
        /// Label its generations
        #[arg(long, value_name = "TAG", value_delimiter = ',')]
        tag: Vec<String>,
    },
    /// Take a plan out of the config; its generations stay
    #[command(after_help = "Example:\n  coffer plan remove home")]
    Remove {
        /// The name
        name: String,
    },
    /// Back a plan up now, as `coffer backup --plan` does
    #[command(after_help = "Example:\n  coffer plan run home")]
    Run {
        /// The name
        name: String,
        /// Say what would be stored, store nothing
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Show a plan
    #[command(after_help = "Example:\n  coffer plan show home")]
    Show {
        /// The name
        name: String,
    },
}

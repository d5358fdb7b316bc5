//! `coffer demo`: a vault to look around in.

use std::path::PathBuf;

use clap::ValueHint;

/// Make a vault with a dozen generations of an invented server and open the interface on it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only make it, in this folder, and print where things are
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    headless: Option<PathBuf>,
    /// Make it anew, even if there is one already
    #[arg(long)]
    fresh: bool,
}

const EXAMPLES: &str = "\
Examples:
  coffer demo
  coffer demo --headless /tmp/demo";

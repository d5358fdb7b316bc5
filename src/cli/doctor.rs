//! `coffer doctor`: is everything in place?

/// Check that everything is in place: config, folders, vaults, passwords, terminal; says what to do where it is not
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

const EXAMPLES: &str = "\
Example:
  coffer doctor";

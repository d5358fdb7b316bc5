//! `coffer forget`: deletes generations by hand.

/// Delete generations by hand
///
/// Ids must be given in full or by their beginning, so nothing is asked; --dry-run shows what would go. The space comes
/// back when the vault is pruned.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Ids of generations, or unique beginnings of them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Say what would be deleted, delete nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  coffer forget --vault /srv/backup 4bba301e --dry-run
  coffer forget --vault /srv/backup 4bba301e 79766175";

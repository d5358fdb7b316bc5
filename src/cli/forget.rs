//! `coffer forget`: deletes generations by hand.

use serde_json::json;

use super::context::{Context, Showing, exit_of};
use super::exit::Exit;
use super::output::counted;
use super::{Failure, generations, select};
use crate::engine::Task;
use crate::vault::Id;

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

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let vault = context.vault()?;
        if !self.dry_run {
            context.writes()?;
        }
        let chosen = {
            let reading = context.reading()?;
            let mut chosen = Vec::new();
            for text in &self.ids {
                // `latest` and times move on between two runs of a script: what is deleted is named.
                if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(Failure::usage(format!(
                        "{text:?} is no id; coffer generations lists them"
                    )));
                }
                let generation = select::one(context, reading.vault(), text)?;
                if !chosen
                    .iter()
                    .any(|other: &crate::vault::Generation| other.id == generation.id)
                {
                    chosen.push(generation);
                }
            }
            chosen
        };
        let ids: Vec<Id> = chosen.iter().map(|generation| generation.id).collect();
        let exit = match self.dry_run {
            true => Exit::Done,
            false => exit_of(&context.job(
                &vault,
                Task::Forget {
                    vault: vault.clone(),
                    ids: ids.clone(),
                    prune: None,
                },
                Showing::ISSUES,
            )?),
        };
        if context.out.json {
            context.out.value(&json!({ "dry_run": self.dry_run, "removed": ids }))?;
            return Ok(exit);
        }
        if !context.out.quiet {
            generations::table(context, &chosen).print(&context.out)?;
        }
        let number = counted(ids.len() as u64, "generation", "generations");
        context.out.remark(match self.dry_run {
            true => format!("would delete {number}"),
            false => format!("deleted {number}; their space comes back when the vault is pruned"),
        })?;
        Ok(exit)
    }
}

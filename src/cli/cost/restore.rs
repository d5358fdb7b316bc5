//! `coffer cost restore`: what a restore reads and costs, before it is started.

use serde_json::json;

use super::{lines_of, print_notes};
use crate::cli::args::FilterArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{bytes, count};
use crate::cli::{Failure, select};

/// Say what restoring a generation, or a part of it, reads from the vault and costs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The generation: an id or its beginning, latest, or a time; with :PATH only what lies there
    #[arg(value_name = "GENERATION[:PATH]")]
    generation: String,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer cost restore --vault home latest
  coffer cost restore --vault home 2026-08-01:/srv/www --json";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let vault = context.vault()?;
        let open = context.open(&vault)?;
        let (generation, path) = select::with_path(context, open.vault(), &self.generation, &self.filter)?;
        let cost = context
            .engine
            .restore_cost(&open, &vault, &generation, &path, &context.cancel)?;
        let content = &cost.content;
        let mut notes = cost.notes.clone();
        notes.extend(cost.bill.iter().flat_map(|bill| bill.notes.iter().cloned()));
        if context.out.json {
            context.out.value(&json!({
                "generation": generation.id,
                "files": content.files,
                "content_bytes": content.bytes,
                "fetched_bytes": cost.fetched,
                "requests": cost.requests,
                "packs": content.packs,
                "folders": cost.folders,
                "folder_bytes": cost.folder_bytes,
                "price": cost.price,
                "currency": cost.bill.as_ref().map(|bill| bill.total.currency.code()),
                "cost": cost.bill.as_ref().map(|bill| bill.total.units()),
                "bill": cost.bill,
                "notes": notes,
            }))?;
            return Ok(Exit::Done);
        }
        let out = &context.out;
        out.line(format!(
            "{} files with {}: {} to fetch in {} requests, from {} packs and {} folders",
            count(content.files),
            bytes(content.bytes),
            bytes(cost.fetched),
            count(cost.requests),
            count(content.packs),
            count(cost.folders)
        ))?;
        match (&cost.bill, &cost.price) {
            (Some(bill), Some(price)) => out.line(format!("{}  ({price})", bill.total))?,
            _ => out.line("cost unknown")?,
        }
        lines_of(context, cost.bill.as_ref())?;
        print_notes(context, &notes)?;
        Ok(Exit::Done)
    }
}

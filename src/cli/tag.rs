//! `coffer tag`: edits the tags of generations.

use serde_json::json;

use super::args::FilterArgs;
use super::context::{Context, Showing, exit_of};
use super::exit::Exit;
use super::output::counted;
use super::{Failure, select};
use crate::engine::{Task, TaskOutcome};
use crate::vault::Id;
use crate::vault::change::TagChange;

/// Edit the tags of generations
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("edit").args(["add", "remove", "set"]).required(true).multiple(true))]
pub struct Args {
    /// Add this tag
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    add: Vec<String>,
    /// Remove this tag
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    remove: Vec<String>,
    /// Replace all tags by this one (an empty text: by none)
    #[arg(long, value_name = "TAG", value_delimiter = ',', conflicts_with_all = ["add", "remove"])]
    set: Vec<String>,
    /// Ids of generations, or unique beginnings of them, or `latest`
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer tag --vault /srv/backup --add before-upgrade latest
  coffer tag --vault /srv/backup --set nightly,db 4bba301e 79766175";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.writes()?;
        let vault = context.vault()?;
        let ids: Vec<Id> = {
            let reading = context.reading()?;
            let chosen = select::several(context, reading.vault(), &self.ids, &self.filter)?;
            chosen.iter().map(|generation| generation.id).collect()
        };
        let clean = |tags: Vec<String>| -> Vec<String> {
            tags.into_iter()
                .map(|tag| tag.trim().to_owned())
                .filter(|tag| !tag.is_empty())
                .collect()
        };
        let mut changes = Vec::new();
        if !self.set.is_empty() {
            changes.push(TagChange::Set(clean(self.set)));
        }
        if !self.add.is_empty() {
            changes.push(TagChange::Add(clean(self.add)));
        }
        if !self.remove.is_empty() {
            changes.push(TagChange::Remove(clean(self.remove)));
        }
        // A generation's id changes with its tags: each pair tells where one went, the next change starts from there.
        let mut now = ids.clone();
        let mut exit = Exit::Done;
        for change in changes {
            let task = Task::Tag {
                vault: vault.clone(),
                ids: now.clone(),
                change,
            };
            let outcome = context.job(&vault, task, Showing::ISSUES)?;
            if let TaskOutcome::Tag(pairs) = &outcome {
                for (before, after) in pairs {
                    now.iter_mut().filter(|id| *id == before).for_each(|id| *id = *after);
                }
            }
            exit = exit_of(&outcome);
        }
        let moved: Vec<(Id, Id)> = ids
            .into_iter()
            .zip(now)
            .filter(|(before, after)| before != after)
            .collect();
        for (before, after) in &moved {
            if context.out.json {
                context.out.value(&json!({ "before": before, "after": after }))?;
            }
            context
                .out
                .remark(format!("{} is now {}", before.short(), after.short()))?;
        }
        context.out.remark(format!(
            "changed {}",
            counted(moved.len() as u64, "generation", "generations")
        ))?;
        Ok(exit)
    }
}

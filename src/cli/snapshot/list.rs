//! `coffer snapshot list`.

use serde_json::json;

use super::{Context, Exit, Failure, made_by, target_text, value};
use crate::cli::output::{Align, Table, bytes, escape};
use crate::engine::question::SnapshotList;
use crate::snapshot::{Found, MadeBy, Target};

/// List the snapshots of a target, or of all that can be snapshotted
///
/// Alone is what would come back if that one snapshot went.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Of what [all that is known]
    #[arg(value_name = "TARGET")]
    target: Option<String>,
    /// List what can be snapshotted here and in the clouds, and why the rest cannot
    #[arg(long, conflicts_with = "target")]
    targets: bool,
    /// Do not ask how much each one takes
    #[arg(long)]
    no_sizes: bool,
}

const EXAMPLES: &str = "\
Examples:
  coffer snapshot list /srv
  coffer snapshot list --targets
  coffer snapshot list --json";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.targets {
            let mut found = context.engine.found_targets();
            let complain = |error: String| context.out.problem(b"", &error);
            context.engine.survey_targets(&mut found, complain);
            return targets(context, &found);
        }
        let targets: Vec<Target> = match &self.target {
            Some(text) => vec![context.engine.target(text)?],
            None => context.engine.targets(),
        };
        let mut lists = Vec::new();
        for target in &targets {
            context.stopped()?;
            let mut list = match context.engine.snapshot_list(target) {
                Ok(list) => list,
                Err(error) if self.target.is_none() => {
                    context.out.problem(b"", &error.to_string());
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if !self.no_sizes {
                context.engine.size_snapshots(&mut list, &context.cancel)?;
            }
            lists.push(list);
        }
        print(context, &lists)
    }
}

fn print(context: &Context, lists: &[SnapshotList]) -> Result<Exit, Failure> {
    let rows = lists.iter().flat_map(|list| &list.rows);
    if context.out.json {
        for row in rows {
            context.out.value(&value(&row.snapshot, row.size))?;
        }
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("ID", Align::Left),
        ("Taken", Align::Left),
        ("Level", Align::Left),
        ("Alone", Align::Right),
        ("Made", Align::Left),
        ("Target", Align::Left),
        ("Label", Align::Left),
    ]);
    for row in rows {
        let snapshot = &row.snapshot;
        let alone = row.size.and_then(|size| Some((size.exclusive?, size.exact)));
        let mut label = escape(snapshot.label.as_bytes());
        if snapshot.protected {
            label = format!("[protected] {label}").trim_end().to_owned();
        }
        table.row(vec![
            snapshot.id.to_string(),
            context.out.time(&snapshot.taken),
            snapshot.consistency.to_string(),
            match alone {
                Some((size, true)) => bytes(size),
                Some((size, false)) => format!("~{}", bytes(size)),
                None => "?".into(),
            },
            match (&snapshot.made_by, &snapshot.until) {
                // Its label says the rest.
                (MadeBy::Safety(_), Some(until)) if !snapshot.protected => {
                    format!("safety until {}", context.out.time(until))
                }
                (MadeBy::Safety(_), _) => "safety".into(),
                _ => made_by(snapshot),
            },
            target_text(&snapshot.target),
            label,
        ]);
    }
    if table.is_empty() {
        context.out.remark(
            "No snapshots. Take one: coffer snapshot take TARGET; coffer snapshot list --targets says of what",
        )?;
        return Ok(Exit::Done);
    }
    table.print(&context.out)?;
    for note in lists
        .iter()
        .flat_map(|list| list.notes.iter().map(move |note| (&list.target, note)))
    {
        context
            .out
            .remark(format!("{}: {}", target_text(note.0), escape(note.1.as_bytes())))?;
    }
    Ok(Exit::Done)
}

fn targets(context: &Context, found: &[Found]) -> Result<Exit, Failure> {
    if context.out.json {
        for one in found {
            context.out.value(&json!({
                "target": one.target.to_string(),
                "kind": one.kind,
                "about": one.about,
                "size": one.size,
                "problem": one.problem,
            }))?;
        }
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[("Target", Align::Left), ("What", Align::Left), ("Now", Align::Left)]);
    for one in found {
        table.row(vec![
            target_text(&one.target),
            escape(one.about.as_bytes()),
            match &one.problem {
                None => "can be snapshotted".into(),
                Some(problem) => escape(problem.as_bytes()),
            },
        ]);
    }
    match table.is_empty() {
        true => context.out.remark("Nothing here can be snapshotted.")?,
        false => table.print(&context.out)?,
    }
    Ok(Exit::Done)
}

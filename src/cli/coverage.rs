//! `coffer coverage`: what brings each volume, machine and path back, and how far.

use serde_json::json;

use super::Failure;
use super::context::Context;
use super::exit::Exit;
use super::output::{Align, Table, counted, escape, span};
use crate::engine::question::CoverageRow;

/// Show what brings each volume, machine and path back, and what is missing
///
/// Per thing: its last backup and snapshot, whether one file, the whole state, and all of it after the loss of the disk or of
/// the site can be brought back, and copies against the rule of three copies on two media, one of them elsewhere. Worked out
/// from what is known without opening a vault. With -v, or for one thing, it is said who brings back what, how far back it
/// goes and where the gaps are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  coffer coverage\n  coffer coverage /srv\n  coffer coverage --json")]
pub struct Args {
    /// Only this path, machine or volume
    what: Option<String>,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut rows = context.engine.coverage(&context.cancel)?;
        if let Some(what) = &self.what {
            let absolute = std::path::absolute(what).map(|path| path.display().to_string());
            rows.retain(|row| row.what == *what || absolute.as_ref().is_ok_and(|path| row.what == *path));
            if rows.is_empty() {
                return Err(Failure::failed(format!(
                    "nothing is known of {}: coffer coverage lists all that is",
                    escape(what.as_bytes())
                )));
            }
        }
        if context.out.json {
            for row in &rows {
                context.out.value(&value(row))?;
            }
            return Ok(Exit::Done);
        }
        if rows.is_empty() {
            let others = context.engine.config().plans.len() as u64;
            let planned = match others {
                0 => "Nothing is planned".to_owned(),
                n => format!("No plan is of this machine ({} of others)", counted(n, "is", "are")),
            };
            context.out.remark(format!(
                "{planned}, and nothing here can be snapshotted: coffer plan add"
            ))?;
        } else if self.what.is_some() || context.out.verbose > 0 {
            each(context, &rows)?;
        } else {
            table(context, &rows)?;
        }
        Ok(Exit::Done)
    }
}

/// A line each.
fn table(context: &Context, rows: &[CoverageRow]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("What", Align::Left),
        ("Last backup", Align::Left),
        ("Last snapshot", Align::Left),
        ("File", Align::Left),
        ("All", Align::Left),
        ("Disk lost", Align::Left),
        ("Site lost", Align::Left),
        ("Copies", Align::Right),
    ]);
    let brings = |who: &str| if who.is_empty() { "NO" } else { "yes" }.to_owned();
    for row in rows {
        table.row(vec![
            escape(row.what.as_bytes()),
            moment(context, row.last_backup),
            moment(context, row.last_snapshot),
            brings(&row.one_file),
            brings(&row.whole_state),
            brings(&row.after_disk),
            brings(&row.after_site),
            format!("{} of 3", row.copies.0),
        ]);
    }
    table.print(&context.out)?;
    let risky = rows.iter().filter(|row| row.after_disk.is_empty()).count() as u64;
    if risky > 0 {
        let things = counted(risky, "thing does", "things do");
        context.out.remark(format!(
            "{things} not outlive the loss of the disk. Who brings back what, and every warning: coffer coverage -v"
        ))?;
    }
    Ok(())
}

/// Some lines each.
fn each(context: &Context, rows: &[CoverageRow]) -> Result<(), Failure> {
    for row in rows {
        let name = escape(row.what.as_bytes());
        context.out.line(format!("{name} ({})", row.kind))?;
        for (what, text) in lines(context, row) {
            context.out.line(format!("  {what:<16} {text}"))?;
        }
    }
    Ok(())
}

fn moment(context: &Context, at: Option<i64>) -> String {
    at.map_or_else(|| "none".to_owned(), |at| crate::text::stamp(at, &context.out.zone))
}

fn lines(context: &Context, row: &CoverageRow) -> Vec<(&'static str, String)> {
    let who = |text: &str| match text {
        "" => "nobody".to_owned(),
        text => escape(text.as_bytes()),
    };
    let (copies, media, elsewhere) = row.copies;
    let gap = |gap: i64| span(u64::try_from(gap).unwrap_or(0));
    let mut lines = vec![
        ("last backup", moment(context, row.last_backup)),
        ("last snapshot", moment(context, row.last_snapshot)),
        ("one file", who(&row.one_file)),
        ("whole state", who(&row.whole_state)),
        ("after disk loss", who(&row.after_disk)),
        ("after site loss", who(&row.after_site)),
        ("oldest", moment(context, row.oldest)),
        ("largest gap", row.largest_gap.map(gap).unwrap_or_default()),
        (
            "copies",
            format!("{copies} of 3, on {media} of 2 media, {elsewhere} of 1 elsewhere"),
        ),
    ];
    lines.extend(
        row.warnings
            .iter()
            .map(|warning| ("warning", escape(warning.as_bytes()))),
    );
    lines.retain(|(_, text)| !text.is_empty());
    lines
}

fn value(row: &CoverageRow) -> serde_json::Value {
    json!({
        "what": row.what,
        "kind": row.kind,
        "last_backup": row.last_backup,
        "last_snapshot": row.last_snapshot,
        "oldest": row.oldest,
        "largest_gap_seconds": row.largest_gap,
        "vaults": row.vaults,
        "snapshots": row.snapshots,
        "consistency": row.consistency,
        "one_file": row.one_file,
        "whole_state": row.whole_state,
        "after_disk_loss": row.after_disk,
        "after_site_loss": row.after_site,
        "copies": row.copies.0,
        "media": row.copies.1,
        "elsewhere": row.copies.2,
        "warnings": row.warnings,
    })
}

//! `coffer coverage`: what brings each volume, machine and path back, and how far.

use serde_json::json;

use super::Failure;
use super::context::Context;
use super::exit::Exit;
use super::output::{escape, span};
use crate::engine::question::CoverageRow;

/// Show what brings each volume, machine and path back, and what is missing
///
/// Per thing: its last backup and snapshot, who brings back one file, the whole state, and all of it after the loss of the
/// disk or of the site, how far back it goes, and copies against the rule of three copies on two media, one of them
/// elsewhere. Worked out from what is known without opening a vault.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  coffer coverage\n  coffer coverage --json")]
pub struct Args {}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let rows = context.engine.coverage(&context.cancel)?;
        if context.out.json {
            for row in &rows {
                context.out.value(&value(row))?;
            }
            return Ok(Exit::Done);
        }
        if rows.is_empty() {
            context
                .out
                .remark("Nothing is planned, and nothing here can be snapshotted: coffer plan add")?;
        }
        for row in &rows {
            context
                .out
                .line(format!("{} ({})", escape(row.what.as_bytes()), row.kind))?;
            for (what, text) in lines(context, row) {
                context.out.line(format!("  {what:<16} {text}"))?;
            }
        }
        Ok(Exit::Done)
    }
}

fn lines(context: &Context, row: &CoverageRow) -> Vec<(&'static str, String)> {
    let moment = |at: Option<i64>| at.map_or_else(|| "none".to_owned(), |at| crate::text::stamp(at, &context.out.zone));
    let who = |text: &str| match text {
        "" => "nobody".to_owned(),
        text => escape(text.as_bytes()),
    };
    let (copies, media, elsewhere) = row.copies;
    let gap = |gap: i64| span(u64::try_from(gap).unwrap_or(0));
    let mut lines = vec![
        ("last backup", moment(row.last_backup)),
        ("last snapshot", moment(row.last_snapshot)),
        ("one file", who(&row.one_file)),
        ("whole state", who(&row.whole_state)),
        ("after disk loss", who(&row.after_disk)),
        ("after site loss", who(&row.after_site)),
        ("oldest", moment(row.oldest)),
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

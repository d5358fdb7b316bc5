//! `coffer diff`: what changed between two generations.

use serde_json::json;

use super::args::FilterArgs;
use super::context::Context;
use super::exit::Exit;
use super::output::{Streaming, bytes, count, escape};
use super::{Failure, select};
use crate::progress::Progress;
use crate::query::diff::{Difference, Side};
use crate::query::{Change, DiffOptions, DiffSummary, Scratch, diff, lookup};
use crate::vault::{Id, IndexedVault, Vault};

/// Show what changed from one generation to another
///
/// Each line starts with + (new), - (gone), M (content changed), T (type changed) or, with --metadata, U (only metadata
/// changed).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The older generation: an id or the beginning of one, `latest`, or a time; with :PATH a folder of it
    #[arg(value_name = "A")]
    a: String,
    /// The newer one
    #[arg(value_name = "B")]
    b: String,
    /// Also list entries of which only owner, mode, times or attributes changed
    #[arg(long)]
    metadata: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer diff --vault /srv/backup 2026-08-01 latest
  coffer diff --vault /srv/backup 4bba301e:/etc 79766175:/etc --metadata";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (reading, vault) = context.reading_indexed()?;
        let (before, a) = self.side(context, reading.vault(), &vault, &self.a)?;
        let (after, b) = self.side(context, reading.vault(), &vault, &self.b)?;
        let options = DiffOptions {
            metadata: self.metadata,
            exact_blobs: true,
        };
        let mut streaming = Streaming::default();
        let compared = diff(
            &vault,
            [&a, &b],
            options,
            &Progress::default(),
            &context.cancel,
            &mut |difference| streaming.on(print(context, &difference)),
        );
        let summary = streaming.end(compared)?;
        if context.out.json {
            let mut line = serde_json::to_value(summary).map_err(std::io::Error::from)?;
            if let Some(fields) = line.as_object_mut() {
                fields.insert("type".into(), "summary".into());
                fields.insert("before".into(), json!(before));
                fields.insert("after".into(), json!(after));
            }
            context.out.value(&line)?;
        } else {
            for line in told(&summary) {
                context.out.remark(line)?;
            }
        }
        Ok(Exit::Done)
    }

    /// The generation and the tree that `GENERATION[:PATH]` stands for.
    fn side(&self, context: &Context, vault: &Vault, indexed: &IndexedVault, text: &str) -> Result<(Id, Id), Failure> {
        let (generation, path) = select::with_path(context, vault, text, &self.filter)?;
        let node = lookup(indexed, &generation.tree, &path, &mut Scratch::default())?;
        let tree = match node {
            None => generation.tree,
            Some(node) => node.subtree.ok_or_else(|| {
                Failure::failed(format!(
                    "{} is no folder in generation {}",
                    escape(&path),
                    generation.id.short()
                ))
            })?,
        };
        Ok((generation.id, tree))
    }
}

fn print(context: &Context, difference: &Difference<'_>) -> Result<(), Failure> {
    let modifier = match (difference.change, difference.suspicious) {
        (Change::Added, _) => "+",
        (Change::Removed, _) => "-",
        (Change::Content, false) => "M",
        (Change::Content, true) => "M?",
        (Change::Metadata, _) => "U",
        (Change::Type, _) => "T",
    };
    let folder = difference.after.or(difference.before).is_some_and(|node| node.is_dir());
    let mut path = difference.path.to_vec();
    if folder {
        path.push(b'/');
    }
    match context.out.json {
        true => context.out.value(&json!({
            "type": "change", "modifier": modifier, "path": String::from_utf8_lossy(&path),
            "size_before": difference.before.map(|node| node.size), "size_after": difference.after.map(|node| node.size),
        })),
        false => context.out.line(format!("{modifier:<4} {}", escape(&path))),
    }
}

fn told(summary: &DiffSummary) -> Vec<String> {
    let side = |what: &str, side: &Side| {
        let (files, dirs, others) = (count(side.files), count(side.dirs), count(side.others));
        let blobs = count(side.data_blobs + side.tree_blobs);
        format!(
            "{what:<9} {files} files, {dirs} folders, {others} others; {} in {blobs} blobs",
            bytes(side.bytes)
        )
    };
    let mut lines = vec![
        String::new(),
        side("Added:", &summary.added),
        side("Removed:", &summary.removed),
    ];
    lines.push(format!("{:<9} {} files", "Changed:", count(summary.changed_files)));
    if summary.changed_metadata > 0 {
        lines.push(format!("{:<9} metadata of {}", "", count(summary.changed_metadata)));
    }
    lines
}

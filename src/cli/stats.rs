//! `coffer stats`: what generations weigh.

use serde_json::json;

use super::args::FilterArgs;
use super::context::Context;
use super::exit::Exit;
use super::output::{Align, Table, bytes, count};
use super::{Failure, select};
use crate::progress::Progress;
use crate::query::{Stats, Weight, stats};
use crate::vault::{Id, Time};

/// Show what generations weigh: logical and stored bytes, deduplication and compression
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only these generations; all when none is given
    #[arg(value_name = "GENERATION")]
    generations: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer stats --vault /srv/backup
  coffer stats --vault /srv/backup latest --json";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (reading, vault) = context.reading_indexed()?;
        let generations = select::several(context, reading.vault(), &self.generations, &self.filter)?;
        let mut each = Vec::new();
        let weighed = stats(
            &vault,
            &generations,
            &Progress::default(),
            &context.cancel,
            &mut |generation, weight| {
                each.push((generation.id, generation.time, *weight));
                Ok(())
            },
        )?;
        if context.out.json {
            context.out.value(&json!({
                "generations": weighed.generations,
                "files": weighed.logical.files,
                "dirs": weighed.logical.dirs,
                "others": weighed.logical.others,
                "logical_bytes": weighed.logical.bytes,
                "data_blobs": weighed.data_blobs,
                "tree_blobs": weighed.tree_blobs,
                "unique_bytes": weighed.unique_bytes,
                "stored_bytes": weighed.stored_bytes,
                "missing_blobs": weighed.missing,
                "deduplication_ratio": weighed.deduplication(),
                "compression_ratio": weighed.compression(),
                "each": each.iter().map(|(id, time, weight)| json!({
                    "generation": id, "time": time, "files": weight.files, "dirs": weight.dirs,
                    "others": weight.others, "logical_bytes": weight.bytes,
                })).collect::<Vec<_>>(),
            }))?;
        } else {
            print(context, &weighed, &each)?;
        }
        Ok(if weighed.missing > 0 { Exit::Failed } else { Exit::Done })
    }
}

fn print(context: &Context, weighed: &Stats, each: &[(Id, Time, Weight)]) -> Result<(), Failure> {
    if !few(each) {
        context.out.remark(format!(
            "{} generations (--verbose lists them)",
            count(weighed.generations)
        ))?;
    }
    if few(each) || context.out.verbose > 0 {
        let columns = [
            ("Id", Align::Left),
            ("Time", Align::Left),
            ("Files", Align::Right),
            ("Logical", Align::Right),
        ];
        let mut table = Table::new(&columns);
        for (id, time, weight) in each {
            table.row(vec![
                id.short(),
                context.out.time(time),
                count(weight.files),
                bytes(weight.bytes),
            ]);
        }
        if !table.is_empty() {
            table.print(&context.out)?;
            context.out.line("")?;
        }
    }
    let times = |ratio: Option<f64>| ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}×"));
    let logical = &weighed.logical;
    let lines = [
        (
            "logical",
            format!(
                "{} in {} files and {} folders, all generations restored",
                bytes(logical.bytes),
                count(logical.files),
                count(logical.dirs)
            ),
        ),
        (
            "unique",
            format!(
                "{} in {} blobs (deduplication {})",
                bytes(weighed.unique_bytes),
                count(weighed.data_blobs + weighed.tree_blobs),
                times(weighed.deduplication())
            ),
        ),
        (
            "stored",
            format!(
                "{} (compression {})",
                bytes(weighed.stored_bytes),
                times(weighed.compression())
            ),
        ),
    ];
    for (what, text) in lines {
        context.out.line(format!("{what:<8} {text}"))?;
    }
    if weighed.missing > 0 {
        let missing = count(weighed.missing);
        context.out.problem(
            b"",
            &format!("{missing} blobs are missing from the vault: coffer check tells what that affects"),
        );
    }
    Ok(())
}

/// Whether there is room for a line each.
fn few(each: &[(Id, Time, Weight)]) -> bool {
    each.len() <= 20
}

//! `coffer find`: which generations hold a file.

use clap::ValueEnum;

use super::args::{self, FilterArgs};
use super::context::Context;
use super::exit::Exit;
use super::output::{Streaming, escape};
use super::{Failure, entry, select};
use crate::progress::Progress;
use crate::query::{Find, Patterns, find};
use crate::vault::{Generation, Id, NodeType};

/// Find files in all generations by name or glob, type, size and time
///
/// A pattern without a slash is matched with names, one with a slash with whole paths; `*`, `?`, `[…]` and `**` are globs.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Names, paths or globs
    #[arg(value_name = "PATTERN", required = true)]
    patterns: Vec<String>,
    /// Upper and lower case are equal
    #[arg(short, long)]
    ignore_case: bool,
    /// Only in these generations
    #[arg(short, long, value_name = "GENERATION")]
    generation: Vec<String>,
    /// Only entries of this type
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    kind: Vec<TypeArg>,
    /// Only files of this size: +1M larger, -1M smaller, 1M exactly
    #[arg(long, value_name = "[+-]SIZE", allow_hyphen_values = true)]
    size: Vec<String>,
    /// Only entries changed at or after this time (or this long ago: 7d, 12h)
    #[arg(long, value_name = "TIME")]
    newer: Option<String>,
    /// Only entries changed at or before this time (or this long ago: 7d, 12h)
    #[arg(long, value_name = "TIME")]
    older: Option<String>,
    /// Show mode, owner, size and time
    #[arg(short, long)]
    long: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer find --vault /srv/backup nginx.conf
  coffer find --vault /srv/backup '*.sql' --size +10M --newer 2026-08-01
  coffer find --vault /srv/backup '/home/*/.ssh/**' --generation latest --json";

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum TypeArg {
    #[value(alias = "f")]
    File,
    #[value(alias = "d")]
    Dir,
    #[value(alias = "l")]
    Symlink,
    #[value(alias = "b")]
    Dev,
    #[value(alias = "c")]
    Chardev,
    #[value(alias = "p")]
    Fifo,
    #[value(alias = "s")]
    Socket,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let query = self.query(context)?;
        let (reading, vault) = context.reading_indexed()?;
        let generations = select::several(context, reading.vault(), &self.generation, &self.filter)?;
        let mut streaming = Streaming::default();
        let mut told: Option<Id> = None;
        let found = find(
            &vault,
            &generations,
            query,
            &Progress::default(),
            &context.cancel,
            &mut |generation, found| {
                let path = found.path;
                streaming.on(if context.out.json {
                    let mut value = entry::value(path, found.node);
                    if let Some(fields) = value.as_object_mut() {
                        fields.insert("generation".into(), serde_json::json!(generation.id));
                    }
                    context.out.value(&value)
                } else {
                    let head = if told == Some(generation.id) {
                        Ok(())
                    } else {
                        heading(context, generation, told.is_some())
                    };
                    told = Some(generation.id);
                    head.and_then(|()| entry::print(&context.out, path, found.node, self.long))
                })
            },
        );
        streaming.end(found)?;
        if told.is_none() && !context.out.json {
            let which = if generations.len() == 1 {
                "generation"
            } else {
                "generations"
            };
            context
                .out
                .remark(format!("nothing found in {} {which}", generations.len()))?;
        }
        Ok(Exit::Done)
    }

    fn query(&self, context: &Context) -> Result<Find, Failure> {
        let patterns = Patterns::new(&self.patterns, self.ignore_case).map_err(|e| Failure::usage(e.to_string()))?;
        let now = (context.engine.settings().clock)();
        let moment = |text: &Option<String>| match text {
            Some(text) => args::time_or_age(text, &context.out.zone, &now)
                .map(|time| Some(time.instant()))
                .map_err(Failure::usage),
            None => Ok(None),
        };
        let mut query = Find::new(patterns);
        query.kinds = self.kind.iter().map(|kind| NodeType::from(*kind)).collect();
        query.since = moment(&self.newer)?;
        query.until = moment(&self.older)?;
        for text in &self.size {
            let (smallest, largest) = bounds(text).map_err(Failure::usage)?;
            query.smallest = query.smallest.max(smallest);
            query.largest = [query.largest, largest].into_iter().flatten().min();
        }
        Ok(query)
    }
}

/// The bounds that `+SIZE`, `-SIZE` or `SIZE` stand for: larger, smaller, exactly.
fn bounds(text: &str) -> Result<(Option<u64>, Option<u64>), String> {
    if let Some(size) = text.strip_prefix('+') {
        return Ok((Some(args::size(size)?.saturating_add(1)), None));
    }
    if let Some(size) = text.strip_prefix('-') {
        return match args::size(size)? {
            0 => Err(format!("{text:?}: no file is smaller than nothing")),
            size => Ok((None, Some(size - 1))),
        };
    }
    let size = args::size(text)?;
    Ok((Some(size), Some(size)))
}

fn heading(context: &Context, generation: &Generation, gap: bool) -> Result<(), Failure> {
    if context.out.quiet {
        return Ok(());
    }
    let (id, time) = (generation.id.short(), context.out.time(&generation.time));
    let host = escape(generation.hostname.as_bytes());
    context.out.line(format!(
        "{}generation {id} of {time} on {host}",
        if gap { "\n" } else { "" }
    ))
}

impl From<TypeArg> for NodeType {
    fn from(kind: TypeArg) -> NodeType {
        match kind {
            TypeArg::File => NodeType::File,
            TypeArg::Dir => NodeType::Dir,
            TypeArg::Symlink => NodeType::Symlink,
            TypeArg::Dev => NodeType::Dev,
            TypeArg::Chardev => NodeType::CharDev,
            TypeArg::Fifo => NodeType::Fifo,
            TypeArg::Socket => NodeType::Socket,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn sizes_bound_from_below_above_or_both() {
        assert_eq!(bounds("+1K"), Ok((Some(1025), None)));
        assert_eq!(bounds("-1K"), Ok((None, Some(1023))));
        assert_eq!(bounds("1K"), Ok((Some(1024), Some(1024))));
        assert!(bounds("-0").is_err() && bounds("+x").is_err());
    }
}

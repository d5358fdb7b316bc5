//! `coffer generations`: what a vault holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::args::FilterArgs;
use super::context::Context;
use super::exit::Exit;
use super::output::{Align, Table, bytes, counted, escape};
use super::{Failure, select};
use crate::vault::Generation;
use crate::vault::generation::{GroupBy, GroupKey, group, resolve_all};

/// List the generations of a vault, oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only these: ids, beginnings of ids, `latest`, or times
    #[arg(value_name = "GENERATION")]
    ids: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
    /// Only those made at or after this time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only those made at or before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only the newest N (of each host and paths)
    #[arg(long, value_name = "N")]
    latest: Option<usize>,
    /// Show them in groups: any of host, paths, tags, with commas between
    #[arg(short, long, value_name = "host,paths,tags")]
    group_by: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  coffer generations --vault /srv/backup
  coffer generations --vault /srv/backup --host web1 --since 2026-08-01 --group-by host,paths
  coffer generations --vault /srv/backup --json | jq '.[].id'";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let by = match &self.group_by {
            Some(text) => Some(text.parse::<GroupBy>().map_err(Failure::usage)?),
            None => None,
        };
        let mut filter = select::filter(&self.filter);
        select::range(context, &mut filter, self.since.as_ref(), self.until.as_ref())?;
        let reading = context.reading()?;
        let mut generations = resolve_all(reading.vault(), &self.ids, &filter, &context.out.zone)?;
        drop(reading);
        if let Some(number) = self.latest {
            newest(&mut generations, number);
        }
        match by {
            Some(by) => print_groups(context, &group(&generations, by))?,
            None if context.out.json => {
                let values: Vec<Value> = generations.iter().map(value).collect();
                context.out.value(&values)?;
            }
            None if generations.is_empty() => {
                let which = filter.describe();
                let gap = if which.is_empty() { "" } else { " " };
                context.out.remark(format!("no generation{gap}{which}"))?;
            }
            None => print(context, &generations)?,
        }
        Ok(Exit::Done)
    }
}

/// Keeps the newest `number` of each host and paths.
fn newest(generations: &mut Vec<Generation>, number: usize) {
    let mut seen: BTreeMap<GroupKey, usize> = BTreeMap::new();
    let mut kept: Vec<Generation> = Vec::new();
    for generation in generations.drain(..).rev() {
        let count = seen
            .entry(GroupKey::of(&generation, GroupBy::HOST_AND_PATHS))
            .or_default();
        *count += 1;
        if *count <= number {
            kept.push(generation);
        }
    }
    kept.reverse();
    *generations = kept;
}

fn print(context: &Context, generations: &[Generation]) -> Result<(), Failure> {
    table(context, generations).print(&context.out)?;
    context
        .out
        .remark(counted(generations.len() as u64, "generation", "generations"))
}

fn print_groups(context: &Context, groups: &BTreeMap<GroupKey, Vec<&Generation>>) -> Result<(), Failure> {
    if context.out.json {
        let values = groups.iter().map(|(key, members)| {
            let members: Vec<Value> = members.iter().map(|generation| value(generation)).collect();
            json!({ "group_key": key, "generations": members })
        });
        return context.out.value(&values.collect::<Vec<_>>());
    }
    for (n, (key, members)) in groups.iter().enumerate() {
        if n > 0 {
            context.out.line("")?;
        }
        context.out.line(group_words(key))?;
        let members: Vec<Generation> = members.iter().map(|generation| (*generation).clone()).collect();
        print(context, &members)?;
    }
    Ok(())
}

/// What a group shares, for people; empty for the one group of all.
pub(super) fn group_words(key: &GroupKey) -> String {
    let list = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| escape(text.as_bytes())).collect();
        texts.join(", ")
    };
    let host = key.host.iter().map(|host| format!("host {}", escape(host.as_bytes())));
    let paths = key.paths.iter().map(|paths| format!("paths {}", list(paths)));
    let tags = key.tags.iter().map(|tags| match tags.is_empty() {
        true => "no tags".to_owned(),
        false => format!("tags {}", list(tags)),
    });
    host.chain(paths).chain(tags).collect::<Vec<_>>().join(", ")
}

/// A generation as JSON: its stored fields, and its id.
pub(super) fn value(generation: &Generation) -> Value {
    let mut value = serde_json::to_value(generation).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("id".into(), json!(generation.id));
        fields.insert("short_id".into(), generation.id.short().into());
    }
    value
}

/// Generations as a table for people.
pub(super) fn table<'a>(context: &Context, generations: impl IntoIterator<Item = &'a Generation>) -> Table {
    let mut table = Table::new(&[
        ("Id", Align::Left),
        ("Time", Align::Left),
        ("Host", Align::Left),
        ("Files", Align::Right),
        ("Size", Align::Right),
        ("Added", Align::Right),
        ("Tags", Align::Left),
        ("Paths", Align::Left),
    ]);
    for generation in generations {
        let list = |texts: &[String]| {
            texts
                .iter()
                .map(|text| escape(text.as_bytes()))
                .collect::<Vec<_>>()
                .join(",")
        };
        let summary = generation.summary.as_ref();
        let told = |text: Option<String>| text.unwrap_or_else(|| "?".to_owned());
        table.row(vec![
            generation.id.short(),
            context.out.time(&generation.time),
            escape(generation.hostname.as_bytes()),
            told(summary.map(|s| super::output::count(s.total_files_processed))),
            told(summary.map(|s| bytes(s.total_bytes_processed))),
            told(summary.map(|s| bytes(s.data_added_packed))),
            list(&generation.tags),
            list(&generation.paths),
        ]);
    }
    table
}

//! `coffer cost what-if`: what a rule or a choice frees, saves, costs and loses, before anything is done.

use serde_json::json;

use super::{gap, ids, lines_of, money, print_notes, seconds, time};
use crate::cli::Failure;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::keep::{self, KeepArgs};
use crate::cli::output::{Align, Table, bytes, count, counted, escape};
use crate::cost::Money;
use crate::engine::OpenVault;
use crate::engine::question::{Fate, LostAsked, LostRow, StayRule, VaultAt, WhatIf, WhatIfAsked};
use crate::text::stamp;
use crate::vault::Id;

/// So many generations that go are listed unless more are asked for.
const ROWS: usize = 20;
/// So many lost versions are asked for at once.
const WINDOW: u32 = 10_000;

/// Say what would be if: which generations go, what is freed, saved, paid once and lost for ever
///
/// Nothing is changed. Give a rule as coffer forget takes it, or --remove with ids; with neither everything stays, which
/// with --price or --every tells what another price or schedule does.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// These generations go: ids, or unique beginnings of them
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',')]
    remove: Vec<String>,
    /// Another price of the price book, as if the vault moved there (coffer prices list)
    #[arg(long, value_name = "PRICE")]
    price: Option<String>,
    /// As if a generation were made every so many hours from now on (for the next twelve months)
    #[arg(long, value_name = "HOURS", value_parser = hours)]
    every: Option<f64>,
    /// List the versions of files that would be lost for ever
    #[arg(long)]
    lost: bool,
    #[command(flatten)]
    keep: KeepArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer cost what-if --vault home --keep-period 180
  coffer cost what-if --vault home --keep-daily 7 --keep-weekly 8 --keep-monthly 24 --json
  coffer cost what-if --vault home --remove 4bba301e 79766175 --lost
  coffer cost what-if --vault home --price backblaze-b2
  coffer cost what-if --vault home --fit-size 500G --every 6";

fn hours(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(hours) if (1.0..=100_000.0).contains(&hours) => Ok(hours),
        _ => Err(format!("{text:?} is no number of hours from 1 to 100000")),
    }
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let vault = context.vault()?;
        let open = context.open(&vault)?;
        let generations = context.engine.generations(&open)?;
        let go = self
            .remove
            .iter()
            .map(|text| keep::id(text, &generations))
            .collect::<Result<Vec<Id>, _>>()?;
        let rule = match self.keep.policy(&generations)? {
            Some((policy, by)) => StayRule::Policy(Box::new(policy), by),
            None => StayRule::All,
        };
        let asked = WhatIfAsked {
            vault,
            rule,
            go,
            price: self.price,
            every_hours: self.every,
        };
        let found = context.engine.what_if(&open, &asked, &context.cancel)?;
        let lost = match self.lost {
            true => Some(lost(context, &open, &asked)?),
            false => None,
        };
        if context.out.json {
            json_of(context, &found, lost.as_deref())?;
        } else {
            print(context, &found, lost.as_deref())?;
        }
        Ok(Exit::Done)
    }
}

/// All that would be lost (as far as a list holds it).
fn lost(context: &Context, open: &OpenVault, what_if: &WhatIfAsked) -> Result<Vec<LostRow>, Failure> {
    let mut rows = Vec::new();
    loop {
        let asked = LostAsked {
            what_if: what_if.clone(),
            first: rows.len() as u64,
            rows: WINDOW,
        };
        let window = context.engine.lost_versions(open, &asked, &context.cancel)?;
        // A window reaches back where the list ends.
        let known = rows.len() as u64 - window.first.min(rows.len() as u64);
        let before = rows.len();
        rows.extend(window.rows.into_iter().skip(known as usize));
        if rows.len() == before {
            return Ok(rows);
        }
    }
}

/// All that must be said, each note of a bill with what it is about.
fn notes(found: &WhatIf) -> Vec<String> {
    let mut notes = found.notes.clone();
    let both = |note: &&String| {
        let now = found.now.monthly.as_ref();
        now.is_some_and(|bill| bill.notes.contains(note))
    };
    let bills = [
        ("a month", &found.now.monthly),
        ("a month, after", &found.after.monthly),
        ("once", &found.one_off),
        ("a whole restore", &found.now.restore),
    ];
    for (about, bill) in bills {
        for note in bill.iter().flat_map(|bill| &bill.notes) {
            if about != "a month, after" || !both(&note) {
                notes.push(format!("{about}: {note}"));
            }
        }
    }
    notes
}

fn json_of(context: &Context, found: &WhatIf, lost: Option<&[LostRow]>) -> Result<(), Failure> {
    let units = |bill: &Option<crate::cost::Bill>| bill.as_ref().map(|bill| bill.total.units());
    let currency = |bill: &Option<crate::cost::Bill>| bill.as_ref().map(|bill| bill.total.currency.code().to_owned());
    let side = |side: &VaultAt| {
        json!({
            "generations": side.generations, "stored_bytes": side.stored, "data_bytes": side.data,
            "folder_bytes": side.folders, "unused_bytes": side.unused, "price": side.price,
            "monthly": side.monthly, "oldest": side.oldest.map(time), "largest_gap_seconds": side.largest_gap,
            "restore_newest": side.restore,
        })
    };
    let month = |month: &crate::cost::projection::Estimate| json!({ "likely_bytes": month.likely, "low_bytes": month.low, "high_bytes": month.high });
    let moneys = |moneys: &[Money]| json!(moneys.iter().map(|money| money.units()).collect::<Vec<_>>());
    let gone = || found.fates.iter().filter(|fate| !fate.stays);
    let mut value = json!({
        "freed_bytes": found.freed.stored,
        "reclaimed_bytes": found.reclaimed,
        "rewritten_bytes": found.rewritten,
        "stored_before": found.now.stored,
        "stored_after": found.after.stored,
        "currency": currency(&found.now.monthly).or_else(|| currency(&found.after.monthly)),
        "currency_after": currency(&found.after.monthly),
        "monthly_before": units(&found.now.monthly),
        "monthly_after": units(&found.after.monthly),
        "saved_monthly": found.saved.map(Money::units),
        "one_off": units(&found.one_off),
        "one_off_bill": found.one_off,
        "payback_months": found.payback_months,
        "generations_removed": gone().count(),
        "removed": ids(gone().map(|fate| fate.id)),
        "kept": found.fates.iter().filter(|fate| fate.stays).map(|fate| {
            json!({ "id": fate.id, "reasons": fate.reasons })
        }).collect::<Vec<_>>(),
        "versions_lost": found.lost.0,
        "versions_lost_bytes": found.lost.1,
        "before": side(&found.now),
        "after": side(&found.after),
        "projection": found.projection.as_ref().map(|ahead| json!({
            "past_bytes": ahead.past,
            "before": ahead.now.iter().map(month).collect::<Vec<_>>(),
            "after": ahead.after.iter().map(month).collect::<Vec<_>>(),
            "before_monthly": moneys(&ahead.now_monthly),
            "after_monthly": moneys(&ahead.after_monthly),
            "error": ahead.error,
        })),
        "notes": notes(found),
    });
    if let Some(lost) = lost {
        let row = |row: &LostRow| {
            json!({
                "path": String::from_utf8_lossy(&path(row)), "size": row.size, "mtime": time(row.mtime),
                "generation": row.generation, "time": time(row.time), "other_version_kept": row.other_kept,
            })
        };
        value["lost"] = lost.iter().map(row).collect();
    }
    context.out.value(&value)
}

fn path(row: &LostRow) -> Vec<u8> {
    let mut path = vec![b'/'];
    path.extend(row.path.join(&b'/'));
    path
}

fn print(context: &Context, found: &WhatIf, lost: Option<&[LostRow]>) -> Result<(), Failure> {
    let out = &context.out;
    let (now, after) = (&found.now, &found.after);
    let columns = [
        ("", Align::Left),
        ("Now", Align::Right),
        ("After", Align::Right),
        ("Change", Align::Right),
    ];
    let mut table = Table::new(&columns);
    let mut sizes = |what: &str, now: u64, after: u64, words: fn(u64) -> String| {
        let change = match after.cmp(&now) {
            std::cmp::Ordering::Less => format!("−{}", words(now - after)),
            std::cmp::Ordering::Equal => String::new(),
            std::cmp::Ordering::Greater => format!("+{}", words(after - now)),
        };
        table.row(vec![what.into(), words(now), words(after), change]);
    };
    sizes("generations", now.generations, after.generations, count);
    sizes("stored", now.stored, after.stored, bytes);
    sizes("  files", now.data, after.data, bytes);
    sizes("  folders", now.folders, after.folders, bytes);
    sizes("  unused", now.unused, after.unused, bytes);
    let monthly = |side: &VaultAt| side.monthly.as_ref().map(|bill| bill.total);
    let less = found.saved.map(|saved| Money {
        nanos: -saved.nanos,
        ..saved
    });
    table.row(vec![
        "a month".into(),
        money(monthly(now)),
        money(monthly(after)),
        less.map_or_else(String::new, |less| match less.nanos {
            0 => String::new(),
            1.. => format!("+{less}"),
            nanos => format!("−{}", Money { nanos: -nanos, ..less }),
        }),
    ]);
    let day = |at: Option<i64>| at.map_or_else(|| "–".to_owned(), |at| stamp(at, &out.zone));
    table.row(vec!["oldest".into(), day(now.oldest), day(after.oldest), String::new()]);
    table.row(vec![
        "largest gap".into(),
        gap(now.largest_gap),
        gap(after.largest_gap),
        String::new(),
    ]);
    let restore = |side: &VaultAt| money(side.restore.as_ref().map(|bill| bill.total));
    table.row(vec![
        "a whole restore".into(),
        restore(now),
        restore(after),
        String::new(),
    ]);
    table.print(out)?;
    out.line("")?;
    out.line(format!(
        "freed: {}; a prune gives back {} and writes {} anew for it",
        bytes(found.freed.stored),
        bytes(found.reclaimed),
        bytes(found.rewritten)
    ))?;
    out.line(format!(
        "lost for ever: {} with {}",
        counted(found.lost.0, "version of a file", "versions of files"),
        bytes(found.lost.1)
    ))?;
    if let Some(bill) = &found.one_off {
        out.line(format!("once: {}", bill.total))?;
        lines_of(context, Some(bill))?;
        match found.payback_months {
            Some(months) if bill.total.nanos > 0 => out.line(format!("paid back after {months:.1} months"))?,
            None if bill.total.nanos > 0 => out.line("never paid back: nothing is saved")?,
            _ => {}
        }
    }
    if let Some(ahead) = &found.projection
        && let (Some(now), Some(after)) = (ahead.now.last(), ahead.after.last())
    {
        out.line(format!(
            "in a year: {} ({} to {}) instead of {} ({} to {}){}",
            bytes(after.likely),
            bytes(after.low),
            bytes(after.high),
            bytes(now.likely),
            bytes(now.low),
            bytes(now.high),
            ahead.error.map_or_else(String::new, |error| {
                format!(
                    "; on this vault's own past the method was off by {:.0} %",
                    error * 100.0
                )
            })
        ))?;
    }
    gone(context, found)?;
    if let Some(lost) = lost {
        lost_table(context, lost)?;
    }
    print_notes(context, &notes(found))
}

fn lost_table(context: &Context, lost: &[LostRow]) -> Result<(), Failure> {
    context.out.line("")?;
    let columns = [
        ("Lost", Align::Right),
        ("Changed", Align::Left),
        ("In", Align::Left),
        ("Path", Align::Left),
        ("", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for row in lost {
        table.row(vec![
            bytes(row.size),
            context.out.time(&seconds(row.mtime)),
            row.generation.short(),
            escape(&path(row)),
            if row.other_kept {
                "another version stays"
            } else {
                "no version stays"
            }
            .into(),
        ]);
    }
    table.print(&context.out)
}

/// The generations that go.
fn gone(context: &Context, found: &WhatIf) -> Result<(), Failure> {
    let gone: Vec<&Fate> = found.fates.iter().filter(|fate| !fate.stays).collect();
    if gone.is_empty() {
        return context.out.line("no generation goes");
    }
    let shown = if context.out.verbose > 0 {
        gone.len()
    } else {
        ROWS.min(gone.len())
    };
    context.out.line("")?;
    let columns = [
        ("Goes", Align::Left),
        ("Time", Align::Left),
        ("Host", Align::Left),
        ("Paths", Align::Left),
        ("Alone", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for fate in &gone[..shown] {
        table.row(vec![
            fate.id.short(),
            context.out.time(&seconds(fate.time)),
            escape(fate.host.as_bytes()),
            escape(fate.paths.join(", ").as_bytes()),
            bytes(fate.exclusive),
        ]);
    }
    table.print(&context.out)?;
    if shown < gone.len() {
        let more = count((gone.len() - shown) as u64);
        context.out.remark(format!("and {more} more: --verbose lists all"))?;
    }
    Ok(())
}

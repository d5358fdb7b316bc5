//! `coffer cost`: what a vault costs, what would change if generations went, what a restore costs.
//!
//! The bill and its breakdowns are here; `what_if`, `restore`, `snapshots` and `snapshot_rule` are the other forms.

mod restore;
mod snapshot_rule;
mod snapshots;
mod what_if;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::Failure;
use super::context::Context;
use super::exit::Exit;
use super::output::{Align, Table, bytes, count, escape, span};
use crate::cost::{Bill, Money};
use crate::engine::question::{StayRule, WhatIf, WhatIfAsked};
use crate::vault::{Id, Time};

/// So many rows are shown unless more are asked for.
const ROWS: usize = 20;

/// Show what a vault costs and what makes it grow; or, with a command, what a change or a restore would cost
///
/// Figures are exact: each stored byte is known by which generations need it. The first time all folders of the vault are
/// read for that; afterwards only what is new. Prices come from the price book (coffer prices list) by the name that the
/// vault has in the config.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Break it down: what each generation, each plan (host and paths) or each folder takes
    #[arg(long, value_enum, value_name = "generation|plan|path")]
    by: Option<By>,
    /// With --by path: how many folders deep, from where they part on
    #[arg(long, value_name = "N", default_value_t = 3, requires = "by")]
    depth: usize,
}

const EXAMPLES: &str = "\
Examples:
  coffer cost --vault home
  coffer cost --vault home --by path --depth 4
  coffer cost what-if --vault home --keep-daily 7 --keep-weekly 8 --keep-monthly 24
  coffer cost restore --vault home latest:/srv/www
  coffer cost snapshots
  coffer cost snapshots /srv --keep-last 24 --keep-daily 7";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Generation,
    Plan,
    Path,
}

#[derive(Debug, Subcommand)]
enum Command {
    WhatIf(Box<what_if::Args>),
    Restore(restore::Args),
    Snapshots(Box<snapshots::Args>),
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match (self.command, self.by) {
            (Some(_), Some(_)) => Err(Failure::usage(
                "--by breaks a vault's bill down; it says nothing to a what-if, a restore or snapshots",
            )),
            (Some(Command::WhatIf(args)), None) => args.run(context),
            (Some(Command::Restore(args)), None) => args.run(context),
            (Some(Command::Snapshots(args)), None) => args.run(context),
            (None, Some(By::Plan)) => plans(context),
            (None, Some(By::Path)) => folders(context, self.depth),
            (None, by) => bill(context, by.is_some()),
        }
    }
}

/// The vault as it is: its bill, and what each generation takes.
fn bill(context: &Context, generations: bool) -> Result<Exit, Failure> {
    let (vault, found) = ask(context, StayRule::All)?;
    let now = &found.now;
    if context.out.json {
        let rows = found.fates.iter().map(|fate| {
            json!({
                "id": fate.id, "time": time(fate.time), "host": fate.host, "paths": fate.paths,
                "exclusive_bytes": fate.exclusive, "added_bytes": fate.added,
            })
        });
        context.out.value(&json!({
            "vault": vault,
            "price": now.price,
            "currency": now.monthly.as_ref().map(|bill| bill.total.currency.code()),
            "monthly": now.monthly.as_ref().map(|bill| bill.total.units()),
            "bill": now.monthly,
            "restore_newest": now.restore.as_ref().map(|bill| bill.total.units()),
            "stored_bytes": now.stored,
            "data_bytes": now.data,
            "folder_bytes": now.folders,
            "unused_bytes": now.unused,
            "generations": rows.collect::<Vec<_>>(),
            "notes": now_notes(&found),
        }))?;
        return Ok(Exit::Done);
    }
    let out = &context.out;
    if !generations {
        match (&now.price, &now.monthly) {
            (Some(price), Some(bill)) => out.line(format!("{} a month  ({price})", bill.total))?,
            (Some(price), None) => out.line(format!("cost unknown  ({price})"))?,
            (None, _) => out.line("cost unknown: the vault names no price")?,
        }
        lines_of(context, now.monthly.as_ref())?;
        out.line(format!(
            "{} stored: {} of files, {} of folders, {} that nothing needs",
            bytes(now.stored),
            bytes(now.data),
            bytes(now.folders),
            bytes(now.unused)
        ))?;
        if let Some(bill) = &now.restore {
            out.line(format!("{} to restore the newest generation once", bill.total))?;
        }
        out.line("")?;
    }
    let columns = [
        ("Id", Align::Left),
        ("Time", Align::Left),
        ("Host", Align::Left),
        ("Paths", Align::Left),
        ("Alone", Align::Right),
        ("Added", Align::Right),
    ];
    let all = generations || out.verbose > 0;
    let shown = if all {
        found.fates.len()
    } else {
        ROWS.min(found.fates.len())
    };
    let mut table = Table::new(&columns);
    for fate in &found.fates[..shown] {
        table.row(vec![
            fate.id.short(),
            out.time(&seconds(fate.time)),
            escape(fate.host.as_bytes()),
            escape(fate.paths.join(", ").as_bytes()),
            bytes(fate.exclusive),
            bytes(fate.added),
        ]);
    }
    table.print(out)?;
    if shown < found.fates.len() {
        let more = count((found.fates.len() - shown) as u64);
        out.remark(format!("{more} older ones: --by generation lists all"))?;
    }
    out.remark("Alone: stored bytes that no other generation needs. Added: that no older one has.")?;
    print_notes(context, &now_notes(&found))?;
    Ok(Exit::Done)
}

fn plans(context: &Context) -> Result<Exit, Failure> {
    let vault = context.vault()?;
    let open = context.open(&vault)?;
    let shares = context.engine.plan_shares(&open, &vault, &context.cancel)?;
    if context.out.json {
        let rows = shares.iter().map(|share| {
            json!({
                "host": share.key.host, "paths": share.key.paths, "generations": share.generations,
                "newest": time(share.newest), "stored_bytes": share.stored, "exclusive_bytes": share.exclusive,
                "added_30_days_bytes": share.lately, "monthly": share.monthly.map(Money::units),
                "currency": share.monthly.map(|money| money.currency.code().to_owned()),
            })
        });
        context.out.value(&rows.collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    let columns = [
        ("Host", Align::Left),
        ("Paths", Align::Left),
        ("Generations", Align::Right),
        ("Needs", Align::Right),
        ("Alone", Align::Right),
        ("Added in 30 days", Align::Right),
        ("A month", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for share in &shares {
        let paths = share.key.paths.as_deref().unwrap_or_default().join(", ");
        table.row(vec![
            escape(share.key.host.as_deref().unwrap_or_default().as_bytes()),
            escape(paths.as_bytes()),
            count(share.generations),
            bytes(share.stored),
            bytes(share.exclusive),
            bytes(share.lately),
            money(share.monthly),
        ]);
    }
    table.print(&context.out)?;
    context
        .out
        .remark("Alone: what would be freed without all of its generations; A month: what that saves.")?;
    Ok(Exit::Done)
}

fn folders(context: &Context, depth: usize) -> Result<Exit, Failure> {
    let vault = context.vault()?;
    let open = context.open(&vault)?;
    let shares = context.engine.folder_shares(&open, depth, &context.cancel)?;
    let path = |path: &[Vec<u8>]| -> Vec<u8> {
        let mut joined = vec![b'/'];
        joined.extend(path.join(&b'/'));
        joined
    };
    if context.out.json {
        let rows = shares.iter().map(|share| {
            json!({
                "path": String::from_utf8_lossy(&path(&share.path)),
                "newest_bytes": share.newest, "all_bytes": share.all, "old_only_bytes": share.old,
            })
        });
        context.out.value(&rows.collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    let shown = if context.out.verbose > 0 {
        shares.len()
    } else {
        ROWS.min(shares.len())
    };
    let columns = [
        ("Only in old ones", Align::Right),
        ("In the newest", Align::Right),
        ("In all", Align::Right),
        ("Folder", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for share in &shares[..shown] {
        table.row(vec![
            bytes(share.old),
            bytes(share.newest),
            bytes(share.all),
            escape(&path(&share.path)),
        ]);
    }
    table.print(&context.out)?;
    if shown < shares.len() {
        let more = count((shares.len() - shown) as u64);
        context
            .out
            .remark(format!("{more} more folders: --verbose lists all"))?;
    }
    context
        .out
        .remark("Stored bytes, with all that lies below; what two folders share counts in both.")?;
    Ok(Exit::Done)
}

/// What would be under a rule, of the vault meant.
fn ask(context: &Context, rule: StayRule) -> Result<(String, WhatIf), Failure> {
    let vault = context.vault()?;
    let open = context.open(&vault)?;
    let asked = WhatIfAsked {
        vault: vault.clone(),
        rule,
        go: Vec::new(),
        price: None,
        every_hours: None,
    };
    let found = context.engine.what_if(&open, &asked, &context.cancel)?;
    Ok((vault, found))
}

/// The notes that are about the vault as it is.
fn now_notes(found: &WhatIf) -> Vec<String> {
    let mut notes = found.notes.clone();
    for (about, bill) in [("a month", &found.now.monthly), ("a whole restore", &found.now.restore)] {
        let of_bill = bill.iter().flat_map(|bill| &bill.notes);
        notes.extend(of_bill.map(|note| format!("{about}: {note}")));
    }
    notes
}

fn lines_of(context: &Context, bill: Option<&Bill>) -> Result<(), Failure> {
    let Some(bill) = bill else { return Ok(()) };
    for line in &bill.lines {
        context.out.line(format!("  {}  {}", line.amount, line.what))?;
    }
    Ok(())
}

fn print_notes(context: &Context, notes: &[String]) -> Result<(), Failure> {
    for note in notes {
        context.out.remark(format!("Note: {note}."))?;
    }
    Ok(())
}

fn money(amount: Option<Money>) -> String {
    amount.map_or_else(|| "–".to_owned(), |amount| amount.to_string())
}

/// An instant for scripts.
fn time(at: i64) -> Value {
    json!(seconds(at).to_string())
}

fn seconds(at: i64) -> Time {
    Time {
        seconds: at,
        nanos: 0,
        offset: 0,
    }
}

/// Days and hours of a gap.
fn gap(seconds: Option<i64>) -> String {
    seconds.map_or_else(|| "–".to_owned(), |gap| span(u64::try_from(gap).unwrap_or(0)))
}

fn ids(ids: impl Iterator<Item = Id>) -> Value {
    json!(ids.collect::<Vec<_>>())
}

//! The price book's text to prices, with the line of every complaint.

mod values;

use std::collections::BTreeMap;
use std::path::Path;

use toml::de::DeTable;

use self::values::{amount, array, confidence, currency_of, date, fee, money, months, size};
use super::table::{Source, Table};
use crate::config::{Error, Result};
use crate::cost::price::{Base, Disk, Egress, Month, PARTS, Requests, Step, Storage, Tier, Unit};
use crate::cost::{Confidence, Currency, Fee, Price};

const KEYS: &[&str] = &[
    "vendor",
    "name",
    "region",
    "currency",
    "date",
    "source",
    "confidence",
    "confidence-of",
    "unit",
    "month",
    "storage",
    "tiers",
    "steps",
    "disk",
    "base",
    "included",
    "free",
    "floor",
    "minimum-days",
    "minimum-object",
    "whole-units",
    "requests",
    "retrieval",
    "egress",
    "egress-free",
    "egress-free-times",
    "client",
    "replication",
    "remarks",
];
const REQUEST_KEYS: &[&str] = &[
    "per",
    "put",
    "get",
    "list",
    "delete",
    "retrieve",
    "free-puts",
    "free-gets",
];

/// Reads `[prices.ID]` tables, in the order of the text. `own`: whether it is the user's own file.
pub(in crate::config) fn prices(text: &str, file: &Path, own: bool) -> Result<Vec<Price>> {
    let source = Source { text, file };
    let top = DeTable::parse(text).map_err(|e| source.error(e.span().map_or(0, |span| span.start), e.message()))?;
    let top = Table::new(&source, "the price book", 0, top.get_ref());
    top.only(&["prices"])?;
    let read = |(id, at, table): (String, usize, Table)| price(&id, at, &table, own);
    top.tables("prices")?.into_iter().map(read).collect()
}

/// The line of a vault's `price` in the config's text, from 1; `None` when it is written in no way that is known.
pub(in crate::config) fn line_of_price(text: &str, file: &Path, vault: &str) -> Option<usize> {
    let source = Source { text, file };
    let top = DeTable::parse(text).ok()?;
    let vaults = Table::new(&source, "the config", 0, top.get_ref())
        .tables("vaults")
        .ok()?;
    let (.., table) = vaults.into_iter().find(|(name, ..)| name == vault)?;
    Some(source.line(table.get("price")?.span().start))
}

fn price(id: &str, at: usize, table: &Table, own: bool) -> Result<Price> {
    table.only(KEYS)?;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if id.is_empty() || !id.chars().all(good) {
        let what = format!("{id:?} cannot be a price's id: small letters, digits, - and . only");
        return Err(table.source.error(at, &what));
    }
    let text = |key: &str| table.string(key).map(|found| found.map(|(text, _)| text));
    let needed = |key: &str, example: &str| text(key)?.ok_or_else(|| table.missing(at, example));
    let currency = currency_of(table, at)?;
    let unit = unit(table)?;
    let storage = storage(table, at, currency)?;
    let by_size = matches!(storage, Storage::Rate(_));
    let disk = matches!(storage, Storage::Disk(_));
    // A disk of one's own asks nothing for being read.
    let otherwise = if disk { Fee::Free } else { Fee::Unknown };
    let minimum_days = whole(table, "minimum-days")?;
    for key in ["minimum-days", "floor", "free"] {
        if let (Some(value), false) = (table.get(key), by_size) {
            let what = format!("{key} goes with storage or tiers: a plan or a disk costs the same either way");
            return Err(table.source.error(value.span().start, &what));
        }
    }
    Ok(Price {
        id: id.into(),
        vendor: needed("vendor", "vendor = \"who asks it\"")?,
        name: needed("name", "name = \"of what\"")?,
        region: text("region")?,
        currency,
        date: date(table)?,
        source: text("source")?.unwrap_or_else(|| "your own".into()),
        confidence: confidence(table, "confidence")?.unwrap_or(Confidence::User),
        confidence_of: confidence_of(table)?,
        own,
        unit,
        month: month(table)?,
        base: base(table, currency)?,
        storage,
        free: size(table, "free")?,
        floor: size(table, "floor")?,
        minimum_days,
        minimum_object: minimum_object(table)?,
        whole_units: table.boolean("whole-units")?,
        requests: requests(table, currency, otherwise)?,
        retrieval: fee(table, "retrieval", currency, otherwise)?,
        egress: egress(table, currency, otherwise)?,
        client: fee(table, "client", currency, Fee::Free)?,
        replication: fee(table, "replication", currency, otherwise)?,
        remarks: table.strings("remarks")?.into_iter().map(|(text, _)| text).collect(),
    })
}

fn unit(table: &Table) -> Result<Unit> {
    match table.string("unit")? {
        None => Ok(Unit::GB),
        Some((text, _)) if text == "GB" => Ok(Unit::GB),
        Some((text, _)) if text == "GiB" => Ok(Unit::GiB),
        Some((text, at)) => {
            let what = format!("unit is {text:?}: it can be \"GB\" (a thousand million bytes) or \"GiB\" (2^30 bytes)");
            Err(table.source.error(at, &what))
        }
    }
}

fn month(table: &Table) -> Result<Month> {
    const MONTHS: [Month; 3] = [Month::Days30, Month::Hours730, Month::Calendar];
    match table.string("month")? {
        None => Ok(Month::Calendar),
        Some((text, at)) => MONTHS.into_iter().find(|month| month.name() == text).ok_or_else(|| {
            let what = format!("month is {text:?}: it can be \"30 days\", \"730 hours\" or \"calendar\"");
            table.source.error(at, &what)
        }),
    }
}

fn storage(table: &Table, at: usize, currency: Currency) -> Result<Storage> {
    let ways = ["storage", "tiers", "steps", "disk"];
    let given: Vec<_> = ways.iter().filter_map(|key| Some((*key, table.get(key)?))).collect();
    let key = match given.as_slice() {
        [] => {
            return Err(table.missing(
                at,
                "storage = 0.01 (a GB and month), storage = \"unknown\", tiers, steps or disk",
            ));
        }
        [(key, _)] => *key,
        [_, (key, value), ..] => {
            let what = format!("give one of storage, tiers, steps and disk, not {key} too");
            return Err(table.source.error(value.span().start, &what));
        }
    };
    match key {
        "storage" => Ok(match fee(table, key, currency, Fee::Unknown)? {
            Fee::Unknown => Storage::Unknown,
            rate => Storage::Rate(vec![Tier { up_to: None, rate }]),
        }),
        "tiers" => tiers(table, currency),
        "steps" => steps(table, currency),
        _ => disk(table, currency),
    }
}

fn tiers(table: &Table, currency: Currency) -> Result<Storage> {
    let mut tiers: Vec<Tier> = Vec::new();
    let tables = array(table, "tiers")?;
    let last = tables.len().saturating_sub(1);
    for (n, (at, tier)) in tables.iter().enumerate() {
        tier.only(&["up-to", "rate"])?;
        let up_to = tier.get("up-to").map(|_| size(tier, "up-to")).transpose()?;
        let rising = tiers.last().is_none_or(|before| before.up_to < up_to);
        if (up_to.is_none() && n < last) || (up_to.is_some() && !rising) {
            let what = "tiers rise, each up-to larger than the one before; only the last may have none";
            return Err(table.source.error(*at, what));
        }
        if tier.get("rate").is_none() {
            return Err(tier.missing(*at, "rate = 0.01"));
        }
        let rate = fee(tier, "rate", currency, Fee::Unknown)?;
        tiers.push(Tier { up_to, rate });
    }
    Ok(Storage::Rate(tiers))
}

fn steps(table: &Table, currency: Currency) -> Result<Storage> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, step) in array(table, "steps")? {
        step.only(&["size", "monthly"])?;
        let bytes = size(&step, "size")?;
        if bytes <= steps.last().map_or(0, |before| before.bytes) {
            return Err(table
                .source
                .error(at, "steps rise, each size larger than the one before"));
        }
        let monthly = money(&step, "monthly", currency)?.ok_or_else(|| step.missing(at, "monthly = 3.20"))?;
        steps.push(Step { bytes, monthly });
    }
    Ok(Storage::Steps(steps))
}

fn disk(table: &Table, currency: Currency) -> Result<Storage> {
    let Some(disk) = table.table("disk", "the disk")? else {
        return Ok(Storage::Unknown);
    };
    disk.only(&["price", "size", "years"])?;
    let lacks = |example| disk.missing(0, example);
    let bytes = size(&disk, "size")?;
    if bytes == 0 {
        return Err(lacks("size = \"8 TB\""));
    }
    Ok(Storage::Disk(Disk {
        price: money(&disk, "price", currency)?.ok_or_else(|| lacks("price = 180"))?,
        bytes,
        months: months(&disk)?.ok_or_else(|| lacks("years = 5 (how long it is to last)"))?,
    }))
}

fn base(table: &Table, currency: Currency) -> Result<Option<Base>> {
    let included = size(table, "included")?;
    match (money(table, "base", currency)?, table.get("included")) {
        (Some(monthly), _) => Ok(Some(Base { monthly, included })),
        (None, None) => Ok(None),
        (None, Some(value)) => {
            let what = "included goes with base = 6.49, the monthly fee it is included in";
            Err(table.source.error(value.span().start, what))
        }
    }
}

fn requests(table: &Table, currency: Currency, otherwise: Fee) -> Result<Requests> {
    let all = |fee| Requests {
        per: 1000,
        put: fee,
        get: fee,
        list: fee,
        // Nobody asks for deleting, and nobody has an archive unless it is said.
        delete: Fee::Free,
        retrieve: Fee::Free,
        free_puts: 0,
        free_gets: 0,
    };
    if table.get("requests").is_some_and(|value| !value.get_ref().is_table()) {
        return match fee(table, "requests", currency, otherwise)? {
            Fee::Of(_) => {
                let at = table.get("requests").map_or(0, |value| value.span().start);
                let what =
                    "requests must be \"free\", \"unknown\" or { per = 1000, put = 0.005, get = 0.0004, list = 0.005 }";
                Err(table.source.error(at, what))
            }
            fee => Ok(all(fee)),
        };
    }
    let Some(requests) = table.table("requests", "requests")? else {
        return Ok(all(otherwise));
    };
    requests.only(REQUEST_KEYS)?;
    let number = |key: &str, usual: u64| match requests.integer(key)? {
        None => Ok(usual),
        Some((n, at)) => {
            let what = format!("{key} is a number of requests, 1 or more");
            let number = u64::try_from(n).ok().filter(|n| *n > 0);
            number.ok_or_else(|| requests.source.error(at, &what))
        }
    };
    Ok(Requests {
        per: number("per", 1000)?,
        put: fee(&requests, "put", currency, Fee::Unknown)?,
        get: fee(&requests, "get", currency, Fee::Unknown)?,
        list: fee(&requests, "list", currency, Fee::Unknown)?,
        delete: fee(&requests, "delete", currency, Fee::Free)?,
        retrieve: fee(&requests, "retrieve", currency, Fee::Free)?,
        free_puts: number("free-puts", 0)?,
        free_gets: number("free-gets", 0)?,
    })
}

fn egress(table: &Table, currency: Currency, otherwise: Fee) -> Result<Egress> {
    let free_hundredths = match table.get("egress-free-times") {
        None => 0,
        Some(_) => amount(table, "egress-free-times")?
            .and_then(|times| u64::try_from(times / 10_000_000).ok())
            .unwrap_or(0),
    };
    Ok(Egress {
        rate: fee(table, "egress", currency, otherwise)?,
        free: size(table, "egress-free")?,
        free_hundredths,
    })
}

fn minimum_object(table: &Table) -> Result<u64> {
    let bytes = size(table, "minimum-object")?;
    match table.get("minimum-object") {
        Some(value) if !bytes.is_power_of_two() => {
            let what = "minimum-object is a power of two, such as \"128 KiB\"";
            Err(table.source.error(value.span().start, what))
        }
        _ => Ok(bytes),
    }
}

fn confidence_of(table: &Table) -> Result<BTreeMap<String, Confidence>> {
    let mut all = BTreeMap::new();
    if let Some(parts) = table.table("confidence-of", "confidence-of")? {
        parts.only(PARTS)?;
        for part in PARTS {
            all.extend(confidence(&parts, part)?.map(|confidence| (part.to_string(), confidence)));
        }
    }
    Ok(all)
}

fn whole(table: &Table, key: &str) -> Result<u32> {
    match table.integer(key)? {
        None => Ok(0),
        Some((n, at)) => u32::try_from(n).map_err(|_| -> Error {
            let what = format!("{key} is a number of days, 0 or more");
            table.source.error(at, &what)
        }),
    }
}

#[cfg(test)]
mod tests;

//! The values that only a price book has: money without its currency, sizes that say which gigabyte they mean, dates.

use toml::de::DeValue;

use super::super::table::Table;
use crate::config::Result;
use crate::cost::{Confidence, Currency, Fee, Money, decimal};

/// In which currency a table's amounts are.
pub(super) fn currency_of(table: &Table, at: usize) -> Result<Currency> {
    match table.string("currency")? {
        None => Err(table.missing(at, "currency = \"USD\"")),
        Some((text, at)) => Currency::parse(&text).ok_or_else(|| {
            let what = format!("{text:?} is no currency: write its code of three letters, such as \"EUR\"");
            table.source.error(at, &what)
        }),
    }
}

/// A number without sign, in billionths: exactly as it is written.
pub(super) fn amount(table: &Table, key: &str) -> Result<Option<i128>> {
    let Some(value) = table.get(key) else { return Ok(None) };
    let read = match value.get_ref() {
        DeValue::Float(number) => decimal(number.as_str()),
        DeValue::Integer(number) if number.radix() == 10 => decimal(number.as_str()),
        DeValue::String(text) => decimal(text),
        _ => None,
    };
    let wanted = "a number, 0 or more, with at most nine digits behind the point";
    read.map(Some).ok_or_else(|| table.wrong(key, value, wanted))
}

pub(super) fn money(table: &Table, key: &str, currency: Currency) -> Result<Option<Money>> {
    Ok(amount(table, key)?.map(|nanos| Money { nanos, currency }))
}

/// A number, `"free"` or `"unknown"`.
pub(super) fn fee(table: &Table, key: &str, currency: Currency, otherwise: Fee) -> Result<Fee> {
    let Some(value) = table.get(key) else {
        return Ok(otherwise);
    };
    match value.get_ref().as_str() {
        Some("unknown") => Ok(Fee::Unknown),
        Some("free") => Ok(Fee::Free),
        Some(text) if decimal(text).is_none() => {
            let what = format!("{key} is {text:?}: it can be a number, \"free\" or \"unknown\"");
            Err(table.source.error(value.span().start, &what))
        }
        _ => Ok(match money(table, key, currency)? {
            Some(money) if money.nanos > 0 => Fee::Of(money),
            _ => Fee::Free,
        }),
    }
}

/// Bytes, named by a unit that says whether it counts by 1000 or by 1024; 0 when it is not there.
pub(super) fn size(table: &Table, key: &str) -> Result<u64> {
    let Some((text, at)) = table.string(key)? else {
        return Ok(0);
    };
    parse_size(&text).ok_or_else(|| {
        let what = format!("{key} is {text:?}: write a size such as \"1 TB\" (by thousands) or \"1 TiB\" (by 1024)");
        table.source.error(at, &what)
    })
}

fn parse_size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(digits);
    let unit: u128 = match unit.trim() {
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "PB" => 1_000_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        "PiB" => 1 << 50,
        _ => return None,
    };
    let number = u128::try_from(decimal(number)?).ok()?;
    u64::try_from(number.checked_mul(unit)? / 1_000_000_000).ok()
}

/// The months of `years`.
pub(super) fn months(table: &Table) -> Result<Option<u32>> {
    let Some(years) = amount(table, "years")? else {
        return Ok(None);
    };
    let months = u32::try_from(years * 12 / 1_000_000_000)
        .ok()
        .filter(|months| (1..=1200).contains(months));
    let at = table.get("years").map_or(0, |value| value.span().start);
    let what = "years is how long the disk is to last: a month to a hundred years";
    months.map(Some).ok_or_else(|| table.source.error(at, what))
}

/// A year, a month or a day.
pub(super) fn date(table: &Table) -> Result<Option<String>> {
    let Some((text, at)) = table.string("date")? else {
        return Ok(None);
    };
    let whole = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        _ => text.clone(),
    };
    if whole.len() == 10 && whole.parse::<jiff::civil::Date>().is_ok() {
        return Ok(Some(text));
    }
    let what = format!("{text:?} is no date: write \"2026\", \"2026-05\" or \"2026-05-20\"");
    Err(table.source.error(at, &what))
}

pub(super) fn confidence(table: &Table, key: &str) -> Result<Option<Confidence>> {
    const ALL: [Confidence; 4] = [
        Confidence::Vendor,
        Confidence::ThirdParty,
        Confidence::User,
        Confidence::Unconfirmed,
    ];
    let Some((text, at)) = table.string(key)? else {
        return Ok(None);
    };
    let found = ALL.into_iter().find(|confidence| confidence.name() == text);
    found.map(Some).ok_or_else(|| {
        let names = ALL.map(Confidence::name).join(", ");
        table.source.error(at, &format!("{key} is {text:?}: it can be {names}"))
    })
}

/// The tables of an array, with their offsets; at least one.
pub(super) fn array<'a>(table: &Table<'a>, key: &str) -> Result<Vec<(usize, Table<'a>)>> {
    let Some(value) = table.get(key) else {
        return Ok(Vec::new());
    };
    let wanted = "an array of tables: [{ … }, { … }]";
    let DeValue::Array(values) = value.get_ref() else {
        return Err(table.wrong(key, value, wanted));
    };
    if values.is_empty() {
        return Err(table.source.error(value.span().start, &format!("{key} is empty")));
    }
    let each = |value: &'a toml::Spanned<DeValue<'a>>| match value.get_ref() {
        DeValue::Table(inner) => {
            let at = value.span().start;
            Ok((at, Table::new(table.source, &format!("an entry of {key}"), at, inner)))
        }
        _ => Err(table.wrong(key, value, wanted)),
    };
    values.iter().map(each).collect()
}

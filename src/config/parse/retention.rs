//! The keep keys of a plan: what of its generations stays.

use super::super::{DEFAULT_RETENTION_DAYS, Error, Result};
use super::table::Table;
use crate::retention::{Bucket, Many, Period, Policy, Span};

/// How many of each bucket are kept, by [`Bucket`] in its order.
pub(in crate::config) const COUNTS: [&str; Bucket::ALL.len()] = [
    "keep-hourly",
    "keep-daily",
    "keep-weekly",
    "keep-monthly",
    "keep-quarterly",
    "keep-yearly",
];

/// For how long one of each bucket is kept, by [`Bucket`] in its order.
pub(in crate::config) const WITHINS: [&str; Bucket::ALL.len()] = [
    "keep-within-hourly",
    "keep-within-daily",
    "keep-within-weekly",
    "keep-within-monthly",
    "keep-within-quarterly",
    "keep-within-yearly",
];

/// The other keys that are read here.
pub(in crate::config) const OTHERS: [&str; 5] = ["retention-days", "keep-min", "keep-last", "keep-within", "keep-tags"];

/// The rule of a plan. Without any key but `keep-min` it is the period of [`DEFAULT_RETENTION_DAYS`].
pub(super) fn retention(table: &Table) -> Result<Policy> {
    let mut policy = Policy {
        last: many(table, "keep-last")?,
        within: span(table, "keep-within")?,
        ..Policy::default()
    };
    for bucket in Bucket::ALL {
        let n = bucket as usize;
        policy.buckets[n] = many(table, COUNTS[n])?;
        policy.within_buckets[n] = span(table, WITHINS[n])?;
    }
    for (list, _) in table.strings("keep-tags")? {
        policy
            .tags
            .push(list.split(',').map(|tag| tag.trim().to_owned()).collect());
    }
    let whole = |key: &str, least: u32| -> Result<Option<(u32, usize)>> {
        let Some((n, at)) = table.integer(key)? else {
            return Ok(None);
        };
        let number = u32::try_from(n).ok().filter(|n| *n >= least);
        let what = || {
            format!(
                "{key} is a number{}, {least} or more",
                if least > 0 { " of days" } else { "" }
            )
        };
        let number = number.ok_or_else(|| table.source.error(at, &what()))?;
        Ok(Some((number, at)))
    };
    let days = whole("retention-days", 1)?.map(|(days, _)| days);
    let days = days.or((!policy.keeps()).then_some(DEFAULT_RETENTION_DAYS));
    let floor = whole("keep-min", 0)?;
    policy.period = match (days, floor) {
        (Some(days), floor) => Some(Period {
            days,
            floor: floor.map_or(1, |(floor, _)| floor),
        }),
        (None, None) => None,
        (None, Some((_, at))) => {
            let what = "keep-min goes with retention-days: with other keep keys, say keep-last";
            return Err(table.source.error(at, what));
        }
    };
    Ok(policy)
}

fn many(table: &Table, key: &str) -> Result<Option<Many>> {
    let Some(value) = table.get(key) else { return Ok(None) };
    let at = value.span().start;
    let many = match value.get_ref().as_str() {
        Some(text) => text.parse().ok(),
        None => table
            .integer(key)?
            .and_then(|(n, _)| u32::try_from(n).ok())
            .map(Many::Of),
    };
    let wrong = || -> Error {
        let what = format!("{key} is a number of generations, 1 or more, or \"unlimited\"; leave the key out for none");
        table.source.error(at, &what)
    };
    many.filter(|many| *many != Many::Of(0)).map(Some).ok_or_else(wrong)
}

fn span(table: &Table, key: &str) -> Result<Option<Span>> {
    let Some((text, at)) = table.string(key)? else {
        return Ok(None);
    };
    let span: Span = text
        .parse()
        .map_err(|error| table.source.error(at, &format!("{key}: {error}")))?;
    match span.is_zero() {
        true => Err(table
            .source
            .error(at, &format!("{key} is a span of nothing: leave it out"))),
        false => Ok(Some(span)),
    }
}

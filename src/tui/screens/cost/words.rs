//! Rules, sizes and money in words. Pure.

use crate::cost::{Bill, Money};
use crate::engine::question::WhatIf;
use crate::retention::Many;
use crate::text;
use crate::tui::theme::{Role, Symbols};
use crate::vault::generation::GroupBy;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// A period: `730 days (2 years)` where that says more.
pub(super) fn days(days: u32) -> String {
    let told = text::counted(u64::from(days), "day", "days");
    match days {
        365 => format!("{told} (1 year)"),
        _ if days > 0 && days.is_multiple_of(365) => format!("{told} ({} years)", days / 365),
        _ => told,
    }
}

/// How many are kept.
pub(super) fn many(many: Many) -> String {
    match many {
        Many::Of(n) => text::count(u64::from(n)),
        // As it is typed, in the config and on command lines.
        Many::All => many.to_string(),
    }
}

/// Lists of tags as they are typed: `weekly a+b`; `none` is "no tags".
pub(super) fn tags(lists: &[Vec<String>]) -> String {
    let list = |tags: &Vec<String>| match tags.is_empty() {
        true => "none".to_owned(),
        false => tags.join("+"),
    };
    lists.iter().map(list).collect::<Vec<_>>().join(", ")
}

/// What the rule is applied to each of.
pub(super) fn group(by: GroupBy) -> String {
    let parts = [(by.host, "host"), (by.paths, "paths"), (by.tags, "tags")];
    let parts: Vec<&str> = parts.into_iter().filter(|(on, _)| *on).map(|(_, word)| word).collect();
    match parts.is_empty() {
        true => "all together".to_owned(),
        false => parts.join(", "),
    }
}

/// A size one chose: without a `.0`.
pub(super) fn size(bytes: u64) -> String {
    text::bytes(bytes).replace(".0 ", " ")
}

/// A text as the symbols can show it: signs of currencies as their codes.
pub(crate) fn plain(symbols: &Symbols, text: &str) -> String {
    if !symbols.rule.is_ascii() || text.is_ascii() {
        return text.to_owned();
    }
    let codes = [
        ("CN¥", "CNY "),
        ("JP¥", "JPY "),
        ("€", "EUR "),
        ("£", "GBP "),
        ("¥", "JPY "),
    ];
    codes
        .iter()
        .fold(text.to_owned(), |text, (sign, code)| text.replace(sign, code))
}

/// How often a backup is made.
pub(super) fn every(hours: f64) -> String {
    match hours {
        1.0 => "every hour".to_owned(),
        24.0 => "every day".to_owned(),
        168.0 => "every week".to_owned(),
        hours if hours > 24.0 && hours % 168.0 == 0.0 => format!("every {} weeks", hours / 168.0),
        hours if hours > 24.0 && hours % 24.0 == 0.0 => format!("every {} days", hours / 24.0),
        hours => format!("every {hours} hours"),
    }
}

/// A time between two generations.
pub(crate) fn gap(seconds: i64) -> String {
    match seconds {
        ..=7_199 => format!("{} min", seconds.max(0) / 60),
        7_200..=172_799 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", (seconds + DAY / 2) / DAY),
    }
}

/// Days of a month, on average.
const DAYS: f64 = 365.25 / 12.0;

/// Some months: `6 days`, `1.3 months`, `14 months`.
pub(super) fn months(months: f64) -> String {
    match months {
        months if months * DAYS < 1.0 => "under a day".to_owned(),
        months if months < 1.0 => text::counted((months * DAYS).round() as u64, "day", "days"),
        months if months < 9.95 => format!("{months:.1} months"),
        months => format!("{months:.0} months"),
    }
}

/// A difference of counts: `-5`, `+3`, `0`.
pub(super) fn change(now: u64, after: u64) -> String {
    signed(now, after, text::count)
}

/// A difference of bytes.
pub(super) fn bytes_change(now: u64, after: u64) -> String {
    signed(now, after, text::bytes)
}

fn signed(now: u64, after: u64, tell: fn(u64) -> String) -> String {
    match after.cmp(&now) {
        std::cmp::Ordering::Less => format!("-{}", tell(now - after)),
        std::cmp::Ordering::Equal => "0".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", tell(after - now)),
    }
}

/// A difference of money, `?` when one of both is not known.
pub(super) fn money_change(now: Option<&Bill>, after: Option<&Bill>) -> String {
    let difference = now.zip(after).and_then(|(now, after)| after.total.minus(now.total));
    match difference {
        None => "?".to_owned(),
        Some(difference) if difference.nanos > 0 => format!("+{difference}"),
        Some(difference) => difference.to_string(),
    }
}

/// What would happen, in sentences, each with how it is meant: what goes, what comes back, what it saves and costs, what is
/// lost.
pub(super) fn sentences(what: &WhatIf) -> Vec<(String, Role)> {
    vec![going(what), freed(what), saved(what), once(what), lost(what)]
}

/// The same but for how many go: what comes back, what it saves and costs, what is lost.
pub(in super::super) fn figures(what: &WhatIf) -> Vec<(String, Role)> {
    vec![freed(what), saved(what), once(what), lost(what)]
}

/// What goes and what that frees, in two sentences.
pub(crate) fn in_short(what: &WhatIf) -> String {
    format!("{} {}", going(what).0, freed(what).0)
}

/// What must be said besides: by the engine, and on the bills.
pub(super) fn notes(what: &WhatIf) -> Vec<(String, Role)> {
    let mut notes: Vec<&String> = what.notes.iter().collect();
    let bills = [&what.after.monthly, &what.one_off, &what.now.monthly];
    for note in bills.into_iter().flatten().flat_map(|bill| &bill.notes) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    let harmless = |note: &String| text::escape(note.as_bytes());
    notes.into_iter().map(|note| (harmless(note), Role::Warning)).collect()
}

fn going(what: &WhatIf) -> (String, Role) {
    let all = what.fates.len() as u64;
    let gone = what.fates.iter().filter(|fate| !fate.stays).count() as u64;
    let of = text::counted(all, "generation", "generations");
    match gone {
        0 if all == 1 => ("The only generation stays.".to_owned(), Role::Text),
        0 => (
            format!("No generation goes: all {} stay.", text::count(all)),
            Role::Text,
        ),
        1 if all == 1 => (
            "The only generation goes: the vault will be empty.".to_owned(),
            Role::Danger,
        ),
        gone if gone == all => (format!("All {of} go: the vault will be empty."), Role::Danger),
        1 => (format!("1 of {of} goes."), Role::Text),
        gone => (format!("{} of {of} go.", text::count(gone)), Role::Text),
    }
}

/// Whether anything goes: if not, nothing is paid for it.
pub(super) fn goes(what: &WhatIf) -> bool {
    what.fates.iter().any(|fate| !fate.stays)
}

fn freed(what: &WhatIf) -> (String, Role) {
    if what.freed.stored == 0 && what.reclaimed == 0 {
        return ("No space is freed.".to_owned(), Role::Text);
    }
    let mut words = format!(
        "{} are freed; prune really gives back {}",
        text::bytes(what.freed.stored),
        text::bytes(what.reclaimed)
    );
    if what.rewritten > 0 {
        words.push_str(&format!(" and rewrites {} for it", text::bytes(what.rewritten)));
    }
    if what.reclaimed < what.freed.stored {
        let left = text::bytes(what.freed.stored - what.reclaimed);
        words.push_str(&format!("; {left} stay unused in packs"));
    }
    words.push('.');
    (words, Role::Text)
}

fn saved(what: &WhatIf) -> (String, Role) {
    let Some(saved) = what.saved else {
        let why = match (&what.now.monthly, &what.after.monthly) {
            (None, _) => "the vault's price is not named (p names it)",
            (_, None) => "the other price is not known",
            _ => "the two prices are in different currencies",
        };
        return (format!("What it saves is not known: {why}."), Role::Warning);
    };
    match saved.nanos {
        0 => ("It saves nothing a month.".to_owned(), Role::Warning),
        n if n > 0 => (format!("It saves {saved} a month."), Role::Good),
        _ => {
            let more = Money {
                nanos: -saved.nanos,
                ..saved
            };
            (format!("It costs {more} more a month."), Role::Warning)
        }
    }
}

fn once(what: &WhatIf) -> (String, Role) {
    let Some(bill) = &what.one_off else {
        return ("What it costs once is not known.".to_owned(), Role::Dim);
    };
    if bill.total.nanos == 0 || !goes(what) {
        return ("It costs nothing once.".to_owned(), Role::Text);
    }
    let pays = match (what.payback_months, what.saved) {
        (Some(after), _) => format!("what it saves pays for that in {}", months(after)),
        (None, Some(_)) => "nothing it saves ever pays for that".to_owned(),
        (None, None) => "whether that pays is not known".to_owned(),
    };
    (format!("It costs {} once; {pays}.", bill.total), Role::Text)
}

fn lost(what: &WhatIf) -> (String, Role) {
    let (versions, bytes) = what.lost;
    match versions {
        0 => ("No file version is lost.".to_owned(), Role::Text),
        1 => (
            format!("1 file version is lost for ever: {}.", text::bytes(bytes)),
            Role::Danger,
        ),
        versions => (
            format!(
                "{} file versions are lost for ever: {}.",
                text::count(versions),
                text::bytes(bytes)
            ),
            Role::Danger,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read_as_people_say_them() {
        assert_eq!(
            [1, 180, 365, 730].map(days),
            ["1 day", "180 days", "365 days (1 year)", "730 days (2 years)"]
        );
        assert_eq!(
            [1.0, 6.0, 24.0, 48.0, 168.0, 336.0].map(every),
            [
                "every hour",
                "every 6 hours",
                "every day",
                "every 2 days",
                "every week",
                "every 2 weeks"
            ]
        );
        assert_eq!(
            [60, 7_200, 86_400, 31 * DAY].map(gap),
            ["1 min", "2 hours", "24 hours", "31 days"]
        );
        assert_eq!(tags(&[vec!["a".into(), "b".into()], Vec::new()]), "a+b, none");
        assert_eq!(change(14, 9), "-5");
        assert_eq!(
            (bytes_change(2048, 2048), bytes_change(1024, 2048)),
            ("0".into(), "+1.0 KiB".into())
        );
        assert_eq!(
            [0.01, 0.2, 1.34, 14.0].map(months),
            ["under a day", "6 days", "1.3 months", "14 months"]
        );
    }
}

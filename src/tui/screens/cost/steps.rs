//! By how much a field of a rule changes at one stroke: the amounts people think in, and one at a time for the rest. Pure.

use crate::cost::Money;
use crate::retention::{Bucket, Many, Span};

/// Which way, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// To the next larger amount people think in.
    More,
    /// To the next smaller one.
    Less,
    /// One more.
    MoreFine,
    /// One less.
    LessFine,
}

impl Step {
    fn is_up(self) -> bool {
        matches!(self, Step::More | Step::MoreFine)
    }

    fn is_fine(self) -> bool {
        matches!(self, Step::MoreFine | Step::LessFine)
    }
}

/// Days a period goes by.
const DAYS: &[u32] = &[
    1, 3, 7, 14, 30, 60, 90, 120, 180, 270, 365, 545, 730, 1095, 1460, 1825, 2555, 3650, 7300,
];
/// Days that a period starts with.
const FIRST_DAYS: u32 = 730;
const LAST: &[u32] = &[1, 2, 3, 5, 7, 10, 14, 20, 30, 50, 100, 200, 500, 1000];
const HOURLY: &[u32] = &[1, 6, 12, 24, 48, 72, 168, 336, 720];
const DAILY: &[u32] = &[1, 3, 7, 10, 14, 21, 30, 60, 90, 180, 365];
const WEEKLY: &[u32] = &[1, 2, 4, 5, 8, 12, 26, 52, 104, 260];
const MONTHLY: &[u32] = &[1, 3, 6, 12, 18, 24, 36, 60, 120];
const QUARTERLY: &[u32] = &[1, 2, 4, 8, 12, 20, 40];
const YEARLY: &[u32] = &[1, 2, 3, 5, 7, 10, 20, 30];
/// Bytes in a GiB.
const GIB: u64 = 1 << 30;
/// GiB a budget goes by: in the units that sizes are shown in.
const SIZES: &[u64] = &[
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1024, 2048, 5120, 10_240, 20_480, 51_200, 102_400,
];
/// Hundredths of a currency's unit a budget goes by.
const CENTS: &[i128] = &[
    10, 20, 50, 100, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 7_000, 10_000, 20_000, 50_000, 100_000,
    200_000, 500_000, 1_000_000,
];
/// Billionths in a hundredth.
const CENT: i128 = 10_000_000;
/// Hours between two backups.
const HOURS: &[u32] = &[1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336, 720];

/// The next amount of a ladder, up or down; `None` at its end.
fn next<T: Copy + PartialOrd>(ladder: &[T], now: T, up: bool) -> Option<T> {
    if up {
        ladder.iter().copied().find(|step| *step > now)
    } else {
        ladder.iter().rev().copied().find(|step| *step < now)
    }
}

/// The largest amount of a ladder that is below something, or its smallest.
fn below<T: Copy + PartialOrd>(ladder: &[T], top: T) -> Option<T> {
    next(ladder, top, false).or(ladder.first().copied())
}

/// Days of a period. It never steps to nothing: a rule without its period may keep nothing at all.
pub(super) fn days(now: Option<u32>, step: Step) -> u32 {
    let Some(now) = now else { return FIRST_DAYS };
    match step {
        Step::MoreFine => now.saturating_add(1),
        Step::LessFine => now.saturating_sub(1).max(1),
        _ => next(DAYS, now, step.is_up()).unwrap_or(now),
    }
}

/// How many of the newest stay whatever their age.
pub(super) fn floor(now: u32, step: Step) -> u32 {
    match step {
        Step::MoreFine => now.saturating_add(1),
        Step::LessFine => now.saturating_sub(1),
        _ => next(LAST, now, step.is_up()).unwrap_or(if step.is_up() { now } else { 0 }),
    }
}

/// How many are kept; below the first step none, above the last one all.
fn many(now: Option<Many>, step: Step, ladder: &[u32]) -> Option<Many> {
    match (now, step.is_up()) {
        (None | Some(Many::Of(0)), true) if step.is_fine() => Some(Many::Of(1)),
        (None | Some(Many::Of(0)), true) => ladder.first().map(|first| Many::Of(*first)),
        (None | Some(Many::Of(0)), false) => None,
        (Some(Many::All), true) => Some(Many::All),
        (Some(Many::All), false) => ladder.last().map(|last| Many::Of(*last)),
        (Some(Many::Of(n)), true) if step.is_fine() => Some(Many::Of(n.saturating_add(1))),
        (Some(Many::Of(n)), true) => Some(next(ladder, n, true).map_or(Many::All, Many::Of)),
        (Some(Many::Of(n)), false) if step.is_fine() => (n > 1).then(|| Many::Of(n - 1)),
        (Some(Many::Of(n)), false) => next(ladder, n, false).map(Many::Of),
    }
}

/// How many of the newest are kept.
pub(super) fn last(now: Option<Many>, step: Step) -> Option<Many> {
    many(now, step, LAST)
}

/// How many of a bucket are kept.
pub(super) fn bucket(of: Bucket, now: Option<Many>, step: Step) -> Option<Many> {
    let ladder = match of {
        Bucket::Hour => HOURLY,
        Bucket::Day => DAILY,
        Bucket::Week => WEEKLY,
        Bucket::Month => MONTHLY,
        Bucket::Quarter => QUARTERLY,
        Bucket::Year => YEARLY,
    };
    many(now, step, ladder)
}

/// About how many hours a span has: to order spans, not to count by.
fn hours(span: Span) -> u64 {
    let days = u64::from(span.years) * 365 + u64::from(span.months) * 30 + u64::from(span.days);
    days * 24 + u64::from(span.hours)
}

/// A span before the newest generation.
pub(super) fn span(now: Option<Span>, step: Step) -> Option<Span> {
    let days = |days| Span {
        days,
        ..Span::default()
    };
    let months = |months| Span {
        months,
        ..Span::default()
    };
    let years = |years| Span {
        years,
        ..Span::default()
    };
    let ladder = [
        days(1),
        days(3),
        days(7),
        days(14),
        months(1),
        months(2),
        months(3),
        months(6),
        years(1),
        years(2),
        years(3),
        years(5),
        years(10),
    ];
    let Some(now) = now else {
        return step.is_up().then(|| months(1));
    };
    match step {
        Step::MoreFine => Some(Span {
            days: now.days.saturating_add(1),
            ..now
        }),
        Step::LessFine if now.days > 0 => Some(Span {
            days: now.days - 1,
            ..now
        })
        .filter(|span| *span != Span::default()),
        Step::LessFine => Some(now),
        Step::More => ladder.into_iter().find(|span| hours(*span) > hours(now)).or(Some(now)),
        Step::Less => ladder.into_iter().rev().find(|span| hours(*span) < hours(now)),
    }
}

/// Bytes that all of it may take; from nothing to just below what it takes now.
pub(super) fn size(now: Option<u64>, stored: Option<u64>, step: Step) -> Option<u64> {
    let Some(now) = now else {
        let below = below(SIZES, stored.map_or(u64::MAX, |stored| stored.div_ceil(GIB)));
        return below.filter(|_| step.is_up()).map(|gib| gib * GIB);
    };
    match step {
        Step::MoreFine => Some(now.saturating_add(GIB)),
        Step::LessFine => Some(now.saturating_sub(GIB)).filter(|left| *left > 0),
        Step::More => next(SIZES, now / GIB, true).map(|gib| gib * GIB).or(Some(now)),
        Step::Less => next(SIZES, now.div_ceil(GIB), false).map(|gib| gib * GIB),
    }
}

/// Money that it may cost a month; from nothing to just below what it costs now, in that currency. `None` without one.
pub(super) fn cost(now: Option<Money>, monthly: Option<Money>, step: Step) -> Option<Money> {
    let Some(now) = now else {
        let monthly = monthly.filter(|_| step.is_up())?;
        let cents = below(CENTS, monthly.nanos / CENT)?;
        return Some(Money {
            nanos: cents * CENT,
            ..monthly
        });
    };
    let cents = now.nanos / CENT;
    let cents = match step {
        Step::MoreFine => Some(cents.saturating_add(CENTS[0])),
        Step::LessFine => Some(cents.saturating_sub(CENTS[0])).filter(|left| *left > 0),
        Step::More => next(CENTS, cents, true).or(Some(cents)),
        Step::Less => next(CENTS, cents, false),
    };
    cents.map(|cents| Money {
        nanos: cents.saturating_mul(CENT),
        ..now
    })
}

/// Hours between two backups; more is more often.
pub(super) fn every(now: Option<f64>, step: Step) -> Option<f64> {
    let Some(now) = now else { return Some(24.0) };
    match step {
        Step::MoreFine => Some((now - 1.0).max(1.0)),
        Step::LessFine => Some(now + 1.0),
        _ => HOURS
            .iter()
            .map(|hours| f64::from(*hours))
            .filter(|hours| if step.is_up() { *hours < now } else { *hours > now })
            .reduce(|a, b| if step.is_up() { a.max(b) } else { a.min(b) })
            .or(Some(now)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cost::Currency;

    fn usd(cents: i128) -> Money {
        Money {
            nanos: cents * CENT,
            currency: Currency::USD,
        }
    }

    #[test]
    fn a_period_goes_by_the_amounts_people_think_in() {
        assert_eq!(days(None, Step::Less), 730, "what a plan without a rule has");
        assert_eq!(days(Some(730), Step::Less), 545);
        assert_eq!(days(Some(180), Step::Less), 120);
        assert_eq!(days(Some(400), Step::More), 545);
        assert_eq!((days(Some(1), Step::Less), days(Some(1), Step::LessFine)), (1, 1));
        assert_eq!(days(Some(180), Step::LessFine), 179);
    }

    #[test]
    fn counts_go_from_none_to_all() {
        assert_eq!(last(None, Step::Less), None);
        assert_eq!(last(None, Step::More), Some(Many::Of(1)));
        assert_eq!(last(Some(Many::Of(1)), Step::Less), None);
        assert_eq!(last(Some(Many::Of(1000)), Step::More), Some(Many::All));
        assert_eq!(last(Some(Many::All), Step::LessFine), Some(Many::Of(1000)));
        assert_eq!(bucket(Bucket::Day, Some(Many::Of(7)), Step::More), Some(Many::Of(10)));
        assert_eq!(
            bucket(Bucket::Month, Some(Many::Of(12)), Step::MoreFine),
            Some(Many::Of(13))
        );
        assert_eq!(bucket(Bucket::Year, Some(Many::Of(1)), Step::LessFine), None);
    }

    #[test]
    fn spans_and_frequencies() {
        let months = |months| {
            Some(Span {
                months,
                ..Span::default()
            })
        };
        assert_eq!(span(None, Step::More), months(1));
        assert_eq!(span(months(6), Step::Less), months(3));
        assert_eq!(
            span(
                Some(Span {
                    days: 1,
                    ..Span::default()
                }),
                Step::Less
            ),
            None
        );
        assert_eq!(
            span(
                Some(Span {
                    days: 1,
                    ..Span::default()
                }),
                Step::LessFine
            ),
            None
        );
        assert_eq!(every(None, Step::More), Some(24.0));
        assert_eq!(every(Some(24.0), Step::More), Some(12.0), "more is more often");
        assert_eq!(every(Some(24.0), Step::Less), Some(48.0));
        assert_eq!(every(Some(1.0), Step::More), Some(1.0));
    }

    #[test]
    fn budgets_start_just_below_what_there_is() {
        assert_eq!(size(None, Some(22 * GIB), Step::More), Some(20 * GIB));
        assert_eq!(size(Some(GIB), None, Step::Less), None);
        assert_eq!(cost(None, Some(usd(54)), Step::More), Some(usd(50)));
        assert_eq!(cost(None, None, Step::More), None, "of no currency");
        assert_eq!(cost(Some(usd(50)), None, Step::More), Some(usd(100)));
        assert_eq!(cost(Some(usd(10)), None, Step::LessFine), None);
    }

    proptest! {
        #[test]
        fn stepping_never_leaves_the_sensible(steps in prop::collection::vec(0usize..4, 0..80), stored: u64) {
            let all = [Step::More, Step::Less, Step::MoreFine, Step::LessFine];
            let (mut d, mut c, mut s, mut b, mut m, mut e) = (None, None, None, None, None, None);
            for step in steps {
                let step = all[step];
                d = Some(days(d, step));
                c = bucket(Bucket::Week, c, step);
                s = span(s, step);
                b = size(b, Some(stored), step);
                m = cost(m, Some(usd(i128::from(stored) / 1_000_000_000)), step);
                e = every(e, step);
                prop_assert!(d >= Some(1) && c != Some(Many::Of(0)) && s != Some(Span::default()));
                prop_assert!(b != Some(0) && m.is_none_or(|m| m.nanos > 0) && e.is_none_or(|e| e >= 1.0));
            }
        }
    }
}

//! Which stretch of the calendar a moment lies in, and how far back a span reaches.
//!
//! A generation's own zone offset says which hour, day or week it was made in. A span is counted back in the local zone where
//! that is the zone the moment is told in, so that "six months before noon" is noon; a moment told in another zone keeps its
//! offset, since nothing says which zone that was. Both are what restic 0.18 does (observed).

use jiff::tz::TimeZone;

use super::{Bucket, Span};
use crate::vault::Time;
use crate::vault::time::{civil, days};

const DAY: i64 = 86_400;

/// The local date and the second of its day.
fn local(time: &Time) -> (i64, i64) {
    let local = time.seconds.saturating_add(time.offset.into());
    (local.div_euclid(DAY), local.rem_euclid(DAY))
}

/// A number for the stretch that a moment lies in, in its own zone: the same for all moments of one stretch and for no other.
pub(super) fn stretch(bucket: Bucket, time: &Time) -> i64 {
    let (day, second) = local(time);
    match bucket {
        Bucket::Hour => day * 24 + second / 3600,
        Bucket::Day => day,
        // 1970-01-01 was a Thursday. ISO weeks begin on Monday, also those that begin in the year before.
        Bucket::Week => (day + 3).div_euclid(7),
        Bucket::Month | Bucket::Quarter | Bucket::Year => {
            let (year, month, _) = civil(day);
            match bucket {
                Bucket::Month => year * 12 + month - 1,
                Bucket::Quarter => year * 4 + (month - 1) / 3,
                _ => year,
            }
        }
    }
}

/// The instant that lies a span before a moment: seconds and nanoseconds. A day that the month does not have is the so-many-th
/// after its beginning (a month before 31 March is 3 March, or 2 March in a leap year).
pub(super) fn before(time: &Time, span: Span, zone: &TimeZone) -> (i64, u32) {
    let (day, second) = local(time);
    let (year, month, day_of_month) = civil(day);
    let months = year * 12 + month - 1 - i64::from(span.years) * 12 - i64::from(span.months);
    let first = days(months.div_euclid(12), months.rem_euclid(12) + 1, 1);
    let wall = (first + day_of_month - 1 - i64::from(span.days)) * DAY + second;
    (instant(wall, time, zone) - i64::from(span.hours) * 3600, time.nanos)
}

/// The instant of a wall clock reading, in the zone that `told` is told in.
fn instant(wall: i64, told: &Time, zone: &TimeZone) -> i64 {
    // Restic stores UTC as `Z`, which is never the local zone to it.
    if told.offset == 0 || offset(zone, told.seconds) != told.offset {
        return wall - i64::from(told.offset);
    }
    // Near a change of the clocks a reading means two instants or none. As Go has it: the offset that holds at the reading
    // taken for UTC leads to an instant, and the offset that holds there is the answer's.
    match offset(zone, wall) {
        0 => wall,
        near => wall - i64::from(offset(zone, wall - i64::from(near))),
    }
}

/// The zone's offset at an instant, in seconds; beyond the years that are known, that of their end.
fn offset(zone: &TimeZone, seconds: i64) -> i32 {
    let known = seconds.clamp(jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
    jiff::Timestamp::from_second(known).map_or(0, |at| zone.to_offset(at).seconds())
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    fn back(text: &str, span: &str, zone: &str) -> String {
        let (seconds, nanos) = before(&at(text), span.parse().unwrap(), &TimeZone::get(zone).unwrap());
        Time {
            seconds,
            nanos,
            offset: 0,
        }
        .to_string()
    }

    #[test]
    fn spans_reach_back_over_the_calendar() {
        let cases = [
            // Months before days before hours, and days that a month does not have run over.
            ("2026-03-31T12:00:00Z", "1m", "2026-03-03T12:00:00Z"),
            ("2024-03-31T12:00:00Z", "1m", "2024-03-02T12:00:00Z"),
            ("2024-02-29T12:00:00.5Z", "1y", "2023-03-01T12:00:00.5Z"),
            ("2026-01-15T00:00:00Z", "2y5m7d3h", "2023-08-07T21:00:00Z"),
            ("2026-01-15T00:00:00Z", "14m", "2024-11-15T00:00:00Z"),
            // In the local zone, noon stays noon over a change of the clocks…
            ("2026-07-01T12:00:00+02:00", "6m", "2026-01-01T11:00:00Z"),
            // …but hours are hours, and other zones have but their offset.
            ("2026-07-01T12:00:00+02:00", "4344h", "2026-01-01T10:00:00Z"),
            ("2026-07-01T12:00:00+09:00", "6m", "2026-01-01T03:00:00Z"),
            ("2026-07-01T10:00:00Z", "6m", "2026-01-01T10:00:00Z"),
            // A reading that the clocks leapt over, and one that they showed twice.
            ("2026-04-29T02:30:00+02:00", "1m", "2026-03-29T01:30:00Z"),
            ("2026-11-25T02:30:00+01:00", "1m", "2026-10-25T01:30:00Z"),
        ];
        for (time, span, expected) in cases {
            assert_eq!(back(time, span, "Europe/Berlin"), expected, "{span} before {time}");
        }
    }

    #[test]
    fn absurd_spans_reach_beyond_everything() {
        let all = Span {
            years: u32::MAX,
            months: u32::MAX,
            days: u32::MAX,
            hours: u32::MAX,
        };
        let (seconds, _) = before(&at("9999-12-31T23:59:59Z"), all, &TimeZone::UTC);
        assert!(seconds < at("0000-01-01T00:00:00Z").seconds);
    }

    proptest! {
        /// Told by another calendar.
        #[test]
        fn stretches_are_those_of_the_calendar(
            seconds in -60_000_000_000_i64..60_000_000_000, apart in -40_000_000_i64..40_000_000, minutes in -840..840_i32,
        ) {
            let named = |time: &Time| {
                let at = time.storable().to_string();
                let date: Date = at[..10].parse().unwrap();
                let week = date.iso_week_date();
                [
                    at[..13].to_owned(),
                    at[..10].to_owned(),
                    format!("{} {}", week.year(), week.week()),
                    at[..7].to_owned(),
                    format!("{} {}", &at[..4], (date.month() - 1) / 3),
                    at[..4].to_owned(),
                ]
            };
            let one = Time { seconds, nanos: 0, offset: minutes * 60 };
            let other = Time { seconds: seconds + apart, ..one };
            let (names, others) = (named(&one), named(&other));
            for (n, bucket) in Bucket::ALL.into_iter().enumerate() {
                let same = stretch(bucket, &one) == stretch(bucket, &other);
                prop_assert_eq!(same, names[n] == others[n], "{:?} of {} and {}", bucket, one, other);
            }
        }
    }
}

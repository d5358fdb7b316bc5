//! Spans, instants and ages as people read them.

use jiff::tz::{Offset, TimeZone};

/// A span of seconds: `0:07`, `12:34`, `1:02:03`, `2 d 3 h`.
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}:{:02}", seconds % 60),
        (0, _) => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
        _ => format!("{days} d {hours} h"),
    }
}

/// An instant as a local date and minute: `2026-08-22 03:00`.
pub fn stamp(seconds: i64, zone: &TimeZone) -> String {
    let shown = jiff::Timestamp::from_second(seconds).map(|at| {
        let offset: Offset = zone.to_offset(at);
        offset.to_datetime(at)
    });
    match shown {
        Ok(at) => {
            format!(
                "{:04}-{:02}-{:02} {:02}:{:02}",
                at.year(),
                at.month(),
                at.day(),
                at.hour(),
                at.minute()
            )
        }
        Err(_) => "out of range".to_owned(),
    }
}

/// How long ago, roughly: `just now`, `5 min ago`, `3 months ago`; `in the future` for clocks that disagree.
pub fn ago(then: i64, now: i64) -> String {
    let seconds = now.saturating_sub(then);
    // To the nearest, so that 90 days are three months.
    let told = |unit: i64, one: &str, many: &str| {
        let n = seconds.saturating_add(unit / 2) / unit;
        format!("{n} {} ago", if n == 1 { one } else { many })
    };
    match seconds {
        ..=-61 => "in the future".to_owned(),
        -60..=59 => "just now".to_owned(),
        60..=3569 => told(60, "min", "min"),
        3570..=84_599 => told(3600, "hour", "hours"),
        84_600..=1_166_399 => told(86_400, "day", "days"),
        1_166_400..=5_140_799 => told(604_800, "week", "weeks"),
        5_140_800..=60_999_999 => told(2_629_800, "month", "months"),
        _ => told(31_557_600, "year", "years"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_ages_read_well() {
        assert_eq!(
            [7, 754, 3723, 183_600].map(span),
            ["0:07", "12:34", "1:02:03", "2 d 3 h"]
        );
        assert_eq!(
            [0, 300, 7_900_000].map(|s| ago(0, s)),
            ["just now", "5 min ago", "3 months ago"]
        );
    }

    #[test]
    fn stamps_are_in_the_given_zone() {
        assert_eq!(stamp(1_787_360_400, &TimeZone::UTC), "2026-08-22 01:00");
        assert_eq!(
            stamp(1_787_360_400, &TimeZone::fixed(jiff::tz::offset(2))),
            "2026-08-22 03:00"
        );
        assert_eq!(stamp(i64::MAX, &TimeZone::UTC), "out of range");
    }
}

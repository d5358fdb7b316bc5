//! When plans run: what the user writes, as a value.
//!
//! [`Schedule`] reads a short text such as `daily 02:00`, says it in plain words, and tells when it is due next. What does not live here yet: running
//! anything. Until that is there, schedules are kept and shown, and cron or a timer of the system starts `coffer plan run`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// When a plan is to run. Times are the machine's local ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Each hour, so many minutes past it: `hourly`, `hourly 15`.
    Hourly {
        /// 0 to 59.
        minute: u8,
    },
    /// Each so many hours, counted from midnight: `every 6 hours`. Divides 24.
    Hours {
        /// 2, 3, 4, 6, 8 or 12.
        every: u8,
    },
    /// On some days of the week: `daily 02:00`, `mon,thu 21:30`, `weekly sun 03:00`.
    Days {
        /// Monday first.
        on: [bool; 7],
        /// When.
        at: TimeOfDay,
    },
    /// Each month: `monthly 1 04:00`.
    Monthly {
        /// 1 to 28, so that each month has it.
        day: u8,
        /// When.
        at: TimeOfDay,
    },
}

/// Hour and minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// What a schedule can be, for messages.
pub const EXAMPLES: &str = "daily 02:00, mon,thu 21:30, weekly sun 03:00, monthly 1 04:00, every 6 hours, hourly 15";

/// The text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no schedule: {why}; it can be {EXAMPLES}")]
pub struct BadSchedule {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

const WEEK: [(&str, &str); 7] = [
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
];

impl FromStr for Schedule {
    type Err = BadSchedule;

    fn from_str(text: &str) -> Result<Schedule, BadSchedule> {
        let bad = |why: String| BadSchedule {
            text: text.to_owned(),
            why,
        };
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        match words.as_slice() {
            [] => Err(bad("it is empty".into())),
            ["hourly"] => Ok(Schedule::Hourly { minute: 0 }),
            ["hourly", minute] => match minute.trim_start_matches(':').parse() {
                Ok(minute) if minute < 60 => Ok(Schedule::Hourly { minute }),
                _ => Err(bad(format!("{minute} is no minute of an hour"))),
            },
            ["every", "hour"] => Ok(Schedule::Hourly { minute: 0 }),
            ["every", number, "hours" | "hour" | "h"] => match number.parse() {
                Ok(1) => Ok(Schedule::Hourly { minute: 0 }),
                Ok(every @ (2 | 3 | 4 | 6 | 8 | 12)) => Ok(Schedule::Hours { every }),
                _ => Err(bad("the hours must divide a day: 1, 2, 3, 4, 6, 8 or 12".into())),
            },
            ["daily" | "weekly" | "monthly"] => Err(bad("it lacks a time, such as 02:00".into())),
            ["daily", at] => Ok(Schedule::Days {
                on: [true; 7],
                at: time(at).map_err(bad)?,
            }),
            ["monthly", day, at] => match day.trim_end_matches('.').parse() {
                Ok(day @ 1..=28) => Ok(Schedule::Monthly {
                    day,
                    at: time(at).map_err(bad)?,
                }),
                _ => Err(bad(
                    "the day of the month can be 1 to 28, so that each month has it".into()
                )),
            },
            ["weekly", days, at] | [days, at] => Ok(Schedule::Days {
                on: week(days).map_err(bad)?,
                at: time(at).map_err(bad)?,
            }),
            _ => Err(bad("it cannot be understood".into())),
        }
    }
}

fn time(text: &str) -> Result<TimeOfDay, String> {
    let no_time = || format!("{text} is no time such as 02:00");
    let (hour, minute) = text.split_once(':').ok_or_else(no_time)?;
    let number = |part: &str, below: u8| {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|n| digits && *n < below)
    };
    match (number(hour, 24), number(minute, 60)) {
        (Some(hour), Some(minute)) if minute < 60 => Ok(TimeOfDay { hour, minute }),
        _ => Err(no_time()),
    }
}

fn week(text: &str) -> Result<[bool; 7], String> {
    let mut on = [false; 7];
    for word in text.split(',').filter(|word| !word.is_empty()) {
        // `mon`, `monday` and what lies between.
        let day = |word: &str| {
            let fits = |(short, long): &(&str, &str)| word.starts_with(short) && long.to_lowercase().starts_with(word);
            WEEK.iter()
                .position(fits)
                .ok_or_else(|| format!("{word} is no day of the week"))
        };
        match word {
            "weekdays" => on[..5].fill(true),
            "weekends" => on[5..].fill(true),
            _ => match word.split_once('-') {
                None => on[day(word)?] = true,
                Some((first, last)) => {
                    let (first, last) = (day(first)?, day(last)?);
                    if first > last {
                        return Err(format!("{word} goes backwards"));
                    }
                    on[first..=last].fill(true);
                }
            },
        }
    }
    if on.contains(&true) {
        Ok(on)
    } else {
        Err("it names no day".into())
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl fmt::Display for Schedule {
    /// The text that [`Schedule::from_str`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Hourly { minute: 0 } => f.write_str("hourly"),
            Schedule::Hourly { minute } => write!(f, "hourly {minute}"),
            Schedule::Hours { every } => write!(f, "every {every} hours"),
            Schedule::Days { on, at } if *on == [true; 7] => write!(f, "daily {at}"),
            Schedule::Days { on, at } => {
                let days: Vec<&str> = days(on).map(|(short, _)| *short).collect();
                write!(f, "{} {at}", days.join(","))
            }
            Schedule::Monthly { day, at } => write!(f, "monthly {day} {at}"),
        }
    }
}

fn days(on: &[bool; 7]) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    WEEK.iter().zip(*on).filter_map(|(day, on)| on.then_some(day))
}

impl Schedule {
    /// In plain words: `every day at 02:00`.
    pub fn words(&self) -> String {
        match self {
            Schedule::Hourly { minute: 0 } => "every hour, on the hour".into(),
            Schedule::Hourly { minute: 1 } => "every hour, 1 minute past it".into(),
            Schedule::Hourly { minute } => format!("every hour, {minute} minutes past it"),
            Schedule::Hours { every } => format!("every {every} hours, from midnight on"),
            Schedule::Days { on, at } if *on == [true; 7] => format!("every day at {at}"),
            Schedule::Days { on, at } => {
                let days: Vec<&str> = days(on).map(|(_, long)| *long).collect();
                let days = match days.as_slice() {
                    [] => String::new(),
                    [one] => (*one).to_owned(),
                    [some @ .., last] => format!("{} and {last}", some.join(", ")),
                };
                format!("every {days} at {at}")
            }
            Schedule::Monthly { day, at } => format!("on day {day} of every month at {at}"),
        }
    }

    /// The first moment after `after` at which it is due by the clocks of a zone; both in seconds since 1970. Where a day
    /// lacks the time, since clocks are put forward, it is due as much later; where a day has it twice, at the first one.
    pub fn next(&self, after: i64, zone: &TimeZone) -> Option<i64> {
        let from = Timestamp::from_second(after).ok()?;
        if let Schedule::Hourly { minute } = self {
            // By the minute, since an hour can come twice and zones differ by half hours too.
            let first = after.div_euclid(60) * 60;
            let is_due = |at: &i64| {
                let local = Timestamp::from_second(*at).map(|at| zone.to_datetime(at).minute());
                *at > after && local.is_ok_and(|now| i16::from(now) == i16::from(*minute))
            };
            return (0..=180).map(|minutes| first + 60 * minutes).find(is_due);
        }
        let today = zone.to_datetime(from).date();
        // Each month has the day within 31 days of the last one.
        (0..=32).find_map(|days| {
            let date = today.checked_add(Span::new().days(days)).ok()?;
            let times = self.times_on(date).into_iter().filter_map(|time| {
                let local = date.at(i8::try_from(time.hour).ok()?, i8::try_from(time.minute).ok()?, 0, 0);
                zone.to_timestamp(local).ok().map(Timestamp::as_second)
            });
            times.filter(|at| *at > after).min()
        })
    }

    /// The times of a day, but for those of every hour.
    fn times_on(&self, date: Date) -> Vec<TimeOfDay> {
        match self {
            Schedule::Hourly { .. } => Vec::new(),
            Schedule::Hours { every } => {
                let hours = (0..24).step_by(usize::from(*every).max(1));
                hours.map(|hour| TimeOfDay { hour, minute: 0 }).collect()
            }
            Schedule::Days { on, at } => {
                let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
                on.get(weekday).filter(|on| **on).map(|_| *at).into_iter().collect()
            }
            Schedule::Monthly { day, at } => match i16::from(date.day()) == i16::from(*day) {
                true => vec![*at],
                false => Vec::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use proptest::prelude::*;

    fn words(text: &str) -> String {
        match text.parse::<Schedule>() {
            Ok(schedule) => format!("{schedule} = {}", schedule.words()),
            Err(error) => error.why,
        }
    }

    #[test]
    fn schedules_are_read_and_said_in_words() {
        let texts = [
            "Daily 2:00",
            "mon,Thursday 21:30",
            "weekly sun 03:00",
            "weekdays 12:00",
            "mon-wed,sat 1:05",
            "monthly 1 04:00",
            "every 6 hours",
            "every hour",
            "hourly",
            "hourly :15",
        ];
        let shown: Vec<String> = texts.iter().map(|text| words(text)).collect();
        assert_snapshot!(shown.join("\n"), @r"
        daily 02:00 = every day at 02:00
        mon,thu 21:30 = every Monday and Thursday at 21:30
        sun 03:00 = every Sunday at 03:00
        mon,tue,wed,thu,fri 12:00 = every Monday, Tuesday, Wednesday, Thursday and Friday at 12:00
        mon,tue,wed,sat 01:05 = every Monday, Tuesday, Wednesday and Saturday at 01:05
        monthly 1 04:00 = on day 1 of every month at 04:00
        every 6 hours = every 6 hours, from midnight on
        hourly = every hour, on the hour
        hourly = every hour, on the hour
        hourly 15 = every hour, 15 minutes past it
        ");
    }

    #[test]
    fn the_next_moment_is_found_over_weeks_months_and_changed_clocks() {
        let next = |text: &str, from: &str| {
            let zone = TimeZone::get("Europe/Berlin").unwrap();
            let from: Timestamp = from.parse().unwrap();
            let at = text.parse::<Schedule>().unwrap().next(from.as_second(), &zone).unwrap();
            Timestamp::from_second(at)
                .unwrap()
                .to_zoned(zone)
                .strftime("%a %F %R %z")
                .to_string()
        };
        let from = "2026-11-29T14:00:00Z"; // a Sunday, 15:00 there
        let shown = [
            next("hourly", from),
            next("hourly 15", from),
            next("every 6 hours", from),
            next("daily 15:00", from),
            next("mon,thu 21:30", from),
            next("monthly 28 04:00", from),
            // Clocks are put forward from 02:00 to 03:00, and back from 03:00 to 02:00.
            next("daily 02:30", "2026-03-28T12:00:00Z"),
            next("daily 02:30", "2026-10-24T12:00:00Z"),
            next("hourly", "2026-10-25T00:00:00Z"),
        ];
        assert_snapshot!(shown.join("\n"), @r"
        Sun 2026-11-29 16:00 +0100
        Sun 2026-11-29 15:15 +0100
        Sun 2026-11-29 18:00 +0100
        Mon 2026-11-30 15:00 +0100
        Mon 2026-11-30 21:30 +0100
        Mon 2026-12-28 04:00 +0100
        Sun 2026-03-29 03:30 +0200
        Sun 2026-10-25 02:30 +0200
        Sun 2026-10-25 02:00 +0100
        ");
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        let texts = [
            "",
            "daily",
            "daily 24:00",
            "daily noon",
            "hourly 60",
            "every 5 hours",
            "monthly 31 01:00",
            "fri-mon 01:00",
            "m 01:00",
            ", 01:00",
            "now and then at times",
        ];
        let shown: Vec<String> = texts.iter().map(|text| words(text)).collect();
        assert_snapshot!(shown.join("\n"), @r"
        it is empty
        it lacks a time, such as 02:00
        24:00 is no time such as 02:00
        noon is no time such as 02:00
        60 is no minute of an hour
        the hours must divide a day: 1, 2, 3, 4, 6, 8 or 12
        the day of the month can be 1 to 28, so that each month has it
        fri-mon goes backwards
        m is no day of the week
        it names no day
        it cannot be understood
        ");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(on: [bool; 7], hour in 0u8..24, minute in 0u8..60, day in 1u8..=28, kind in 0..3) {
            let at = TimeOfDay { hour, minute };
            prop_assume!(on.contains(&true));
            let schedule = match kind {
                0 => Schedule::Days { on, at },
                1 => Schedule::Monthly { day, at },
                _ => Schedule::Hourly { minute },
            };
            prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
        }

        #[test]
        fn any_text_does(text in "[a-z0-9:,. -]{0,24}") {
            if let Ok(schedule) = text.parse::<Schedule>() {
                prop_assert_eq!(schedule.to_string().parse(), Ok(schedule));
            }
        }
    }
}

//! Points in time as the vault stores them: an instant and the zone offset it was written with.
//!
//! [`Time`] is the value, [`Zone`] tells the offset of a local zone at an instant, quickly enough to ask three times a
//! file. Only the text form of RFC 3339 that restic reads is ever written.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// An instant with nanoseconds and the offset of the zone it is told in, as in RFC 3339. Ordering and equality for
/// "is this file unchanged" go by instant: use [`Time::same_instant`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    pub seconds: i64,
    /// 0 to 999,999,999, always counting forward from `seconds`.
    pub nanos: u32,
    /// Seconds east of UTC, a whole number of minutes.
    pub offset: i32,
}

const DAY: i64 = 86_400;
/// The longest text [`Time::write`] makes: `9999-12-31T23:59:59.999999999+23:59`.
const LONGEST: usize = 35;
/// 0000-01-01 and the day after 9999-12-31, as days since 1970-01-01.
const FIRST_DAY: i64 = -719_528;
const END_DAY: i64 = 2_932_897;

impl Time {
    /// Whether both are the same instant, whatever their offsets.
    pub fn same_instant(&self, other: &Time) -> bool {
        (self.seconds, self.nanos) == (other.seconds, other.nanos)
    }

    /// Seconds and nanoseconds, for ordering by instant.
    pub fn instant(&self) -> (i64, u32) {
        (self.seconds, self.nanos)
    }

    /// The instant as jiff has it; `None` beyond the years it knows (−9999 to 9999).
    pub fn timestamp(&self) -> Option<Timestamp> {
        Timestamp::new(self.seconds, i32::try_from(self.nanos).ok()?).ok()
    }

    /// The same instant told in UTC.
    pub fn utc(self) -> Time {
        Time { offset: 0, ..self }
    }

    /// The time that is stored for this one: restic's format holds the years 0000 to 9999 (of the local zone), others
    /// are moved into the nearest of these, month, day and time of day kept. Offsets that RFC 3339 cannot say (parts of
    /// a minute, a day or more) become UTC.
    pub fn storable(self) -> Time {
        let offset = if self.offset % 60 == 0 && i64::from(self.offset.abs()) < DAY {
            self.offset
        } else {
            0
        };
        let local = self.seconds.saturating_add(i64::from(offset));
        let day = local.div_euclid(DAY);
        let moved = if (FIRST_DAY..END_DAY).contains(&day) {
            day
        } else {
            let (_, month, day_of_month) = civil(day);
            // A 29 February becomes 1 March in 9999, as day arithmetic has it.
            days(if day < FIRST_DAY { 0 } else { 9999 }, month, day_of_month)
        };
        let seconds = moved * DAY + local.rem_euclid(DAY) - i64::from(offset);
        Time {
            seconds,
            nanos: self.nanos.min(999_999_999),
            offset,
        }
    }

    /// Reads RFC 3339 as restic does: upper-case `T` and `Z`, whole-minute offsets, a fraction of any length of which
    /// nine digits count.
    pub fn parse(text: &str) -> Option<Time> {
        Time::parse_bytes(text.as_bytes())
    }

    /// [`Time::parse`] of bytes.
    pub fn parse_bytes(text: &[u8]) -> Option<Time> {
        let (head, mut rest) = text.split_at_checked(19)?;
        let two = |at: usize| -> Option<i64> { Some(digit(*head.get(at)?)? * 10 + digit(*head.get(at + 1)?)?) };
        if (head[4], head[7], head[10], head[13], head[16]) != (b'-', b'-', b'T', b':', b':') {
            return None;
        }
        let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
        let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
        if !(1..=12).contains(&month)
            || day < 1
            || day > days_in(year, month)
            || hour > 23
            || minute > 59
            || second > 59
        {
            return None;
        }
        let mut nanos = 0;
        if let [b'.', fraction @ ..] = rest {
            let length = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if length == 0 {
                return None;
            }
            let digits = fraction[..length].iter().map(|b| u32::from(b - b'0'));
            nanos = digits
                .chain(std::iter::repeat(0))
                .take(9)
                .fold(0, |nanos, digit| nanos * 10 + digit);
            rest = &fraction[length..];
        }
        let offset = match *rest {
            [b'Z'] => 0,
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
                let (hours, minutes) = (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let east = i32::try_from(hours * 3600 + minutes * 60).ok()?;
                if sign == b'-' { -east } else { east }
            }
            _ => return None,
        };
        let seconds = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second - i64::from(offset);
        Some(Time { seconds, nanos, offset })
    }

    /// Appends RFC 3339 as restic writes it: fraction trimmed, `Z` for UTC, made [storable](Time::storable) first.
    pub fn write(&self, out: &mut Vec<u8>) {
        let (text, length) = self.text();
        out.extend_from_slice(&text[..length]);
    }

    /// The text form in a fixed buffer, and its length.
    fn text(&self) -> ([u8; LONGEST], usize) {
        let time = self.storable();
        let local = time.seconds + i64::from(time.offset);
        let (year, month, day) = civil(local.div_euclid(DAY));
        let second = local.rem_euclid(DAY);
        let mut text = *b"0000-00-00T00:00:00.000000000+00:00";
        let mut put = |at: usize, n: i64| {
            text[at] = b'0' + (n / 10 % 10) as u8;
            text[at + 1] = b'0' + (n % 10) as u8;
        };
        put(0, year / 100);
        put(2, year % 100);
        put(5, month);
        put(8, day);
        put(11, second / 3600);
        put(14, second / 60 % 60);
        put(17, second % 60);
        let mut length = 19;
        if time.nanos != 0 {
            let (mut rest, mut at) = (time.nanos, 28);
            while at > 19 {
                text[at] = b'0' + (rest % 10) as u8;
                if rest % 10 != 0 && length == 19 {
                    length = at + 1;
                }
                rest /= 10;
                at -= 1;
            }
        }
        if time.offset == 0 {
            text[length] = b'Z';
            return (text, length + 1);
        }
        let minutes = time.offset.unsigned_abs() / 60;
        let pair = |n: u32| [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        let ([h1, h2], [m1, m2]) = (pair(minutes / 60), pair(minutes % 60));
        let sign = if time.offset < 0 { b'-' } else { b'+' };
        text[length..length + 6].copy_from_slice(&[sign, h1, h2, b':', m1, m2]);
        (text, length + 6)
    }
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar. Years are counted from March, so that the leap day
/// is the last of its year.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days`]: year, month, day.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, length) = self.text();
        f.pad(std::str::from_utf8(&text[..length]).map_err(|_| fmt::Error)?)
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Time::parse(&text).ok_or_else(|| serde::de::Error::custom(format_args!("{text:?} is not an RFC 3339 time")))
    }
}

/// A local zone whose offset can be asked for cheaply: the changes between 1900 and 2100 are looked up once and kept in
/// a table, so that threads share it without a lock.
#[derive(Debug, Clone)]
pub struct Zone {
    zone: TimeZone,
    /// From when on which offset holds; ascending, the first entry at the table's begin.
    changes: Vec<(i64, i32)>,
}

const TABLE_BEGIN: i64 = -2_208_988_800; // 1900-01-01
const TABLE_END: i64 = 4_102_444_800; // 2100-01-01

impl Zone {
    /// Looks up the zone's changes.
    pub fn new(zone: TimeZone) -> Zone {
        let mut changes = vec![(TABLE_BEGIN, exact_offset(&zone, TABLE_BEGIN))];
        if let Ok(begin) = Timestamp::from_second(TABLE_BEGIN) {
            let following = zone
                .following(begin)
                .map(|change| (change.timestamp().as_second(), change.offset().seconds()));
            changes.extend(following.take_while(|(from, _)| *from < TABLE_END));
        }
        Zone { zone, changes }
    }

    /// UTC.
    pub fn utc() -> Zone {
        Zone::new(TimeZone::UTC)
    }

    /// The offset at an instant, seconds east of UTC: possibly with seconds, as local mean times had.
    pub fn offset(&self, seconds: i64) -> i32 {
        if !(TABLE_BEGIN..TABLE_END).contains(&seconds) {
            return exact_offset(&self.zone, seconds);
        }
        let after = self.changes.partition_point(|(from, _)| *from <= seconds);
        self.changes[after.saturating_sub(1)].1
    }

    /// The time to store for an instant in this zone.
    pub fn time(&self, seconds: i64, nanos: u32) -> Time {
        Time {
            seconds,
            nanos,
            offset: self.offset(seconds),
        }
        .storable()
    }

    /// The time to store for a [`Timestamp`] in this zone.
    pub fn time_of(&self, timestamp: Timestamp) -> Time {
        // jiff counts nanoseconds back from the second before 1970.
        let nanos = timestamp.as_nanosecond();
        let seconds = nanos.div_euclid(1_000_000_000) as i64;
        self.time(seconds, nanos.rem_euclid(1_000_000_000) as u32)
    }
}

/// The offset as the zone's data has it; instants beyond jiff's years take that of its last moment.
fn exact_offset(zone: &TimeZone, seconds: i64) -> i32 {
    let clamped = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(clamped).map_or(0, |timestamp| zone.to_offset(timestamp).seconds())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::new(TimeZone::get(name).unwrap())
    }

    /// Each line as restic 0.14 and 0.18 store the instant, but for those with an offset that is not of whole minutes:
    /// restic cuts the seconds off and so stores another instant; ours are true, in UTC.
    #[test]
    fn writes_what_restic_writes() {
        let cases = [
            ("Europe/Berlin", 0, 0, "1970-01-01T01:00:00+01:00"),
            ("Europe/Berlin", -1, 999_999_999, "1970-01-01T00:59:59.999999999+01:00"),
            ("Europe/Berlin", -2_147_483_648, 0, "1901-12-13T21:45:52+01:00"),
            ("Europe/Berlin", 10_413_792_000, 0, "2300-01-01T01:00:00+01:00"),
            (
                "Europe/Berlin",
                253_402_300_799,
                999_999_999,
                "9999-01-01T00:59:59.999999999+01:00",
            ),
            ("Europe/Berlin", 253_402_300_800, 0, "9999-01-01T01:00:00+01:00"),
            ("Europe/Berlin", 506_808_057_600, 0, "9999-02-09T01:00:00+01:00"),
            ("Europe/Berlin", 253_402_299_000, 0, "9999-01-01T00:30:00+01:00"),
            ("Europe/Berlin", 9_223_372_036, 0, "2262-04-12T01:47:16+02:00"),
            (
                "Europe/Berlin",
                1_711_846_799,
                999_999_999,
                "2024-03-31T01:59:59.999999999+01:00",
            ),
            ("Europe/Berlin", 1_711_846_800, 0, "2024-03-31T03:00:00+02:00"),
            (
                "Europe/Berlin",
                123_456_789,
                12_300_000,
                "1973-11-29T22:33:09.0123+01:00",
            ),
            ("Europe/Berlin", 123_456_789, 1, "1973-11-29T22:33:09.000000001+01:00"),
            ("Asia/Kolkata", 0, 0, "1970-01-01T05:30:00+05:30"),
            ("Asia/Kolkata", 9_223_372_037, 5, "2262-04-12T05:17:17.000000005+05:30"),
            ("America/New_York", 0, 0, "1969-12-31T19:00:00-05:00"),
            ("UTC", -62_167_219_201, 0, "0000-12-31T23:59:59Z"),
            ("UTC", -186_501_657_600, 0, "0000-12-31T00:00:00Z"),
            ("UTC", -62_167_219_200, 0, "0000-01-01T00:00:00Z"),
            // Local mean time, +05:21:10 and +00:53:28.
            ("Asia/Kolkata", -2_147_483_648, 0, "1901-12-13T20:45:52Z"),
            ("Europe/Berlin", -3_784_320_000, 0, "1850-01-30T00:00:00Z"),
        ];
        for (name, seconds, nanos, expected) in cases {
            assert_eq!(
                zone(name).time(seconds, nanos).to_string(),
                expected,
                "{name} {seconds}"
            );
        }
    }

    #[test]
    fn leap_day_beyond_9999_becomes_first_of_march() {
        let leap = Time {
            seconds: days(10_000, 2, 29) * DAY,
            nanos: 0,
            offset: 0,
        };
        assert_eq!(leap.to_string(), "9999-03-01T00:00:00Z");
        for seconds in [i64::MIN, i64::MAX] {
            for offset in [0, 3600, -3600, i32::MAX, i32::MIN + 1] {
                let text = Time {
                    seconds,
                    nanos: u32::MAX,
                    offset,
                }
                .to_string();
                assert!(Time::parse(&text).is_some(), "{text}");
            }
        }
    }

    #[test]
    fn reads_only_what_restic_reads() {
        let good = [
            ("1970-01-01T00:00:00Z", (0, 0, 0)),
            ("1970-01-01T00:00:00+00:00", (0, 0, 0)),
            ("1970-01-01T00:00:00.1234567891+01:00", (-3600, 123_456_789, 3600)),
            (
                "2000-02-29T12:34:56.5-23:59",
                (951_827_696 + 86_340, 500_000_000, -86_340),
            ),
        ];
        for (text, (seconds, nanos, offset)) in good {
            assert_eq!(Time::parse(text), Some(Time { seconds, nanos, offset }), "{text}");
        }
        let bad = [
            "",
            "1970-01-01",
            "1970-01-01T00:00:00",
            "1970-01-01 00:00:00Z",
            "1970-01-01t00:00:00Z",
            "1970-01-01T00:00:00z",
            "1970-01-01T00:00:00+0100",
            "1970-01-01T00:00:00+01:00:00",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00,5Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:60:00Z",
            "1970-01-01T00:00:60Z",
            "1970-13-01T00:00:00Z",
            "1970-00-01T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "1970-04-31T00:00:00Z",
            "1970-01-00T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "1970-01-01T00:00:00+24:00",
            "1970-01-01T00:00:00+01:60",
            "1970-01-01T00:00:00Zé",
            "1970-01-01T00:00:0éZ",
        ];
        for text in bad {
            assert_eq!(Time::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_table_agrees_with_the_zone() {
        for name in [
            "Europe/Berlin",
            "Asia/Kolkata",
            "America/New_York",
            "Africa/Casablanca",
            "UTC",
        ] {
            let zone = zone(name);
            for (from, _) in zone.changes.clone() {
                for seconds in [from - 1, from, from + 1, from + 86_400 * 40] {
                    assert_eq!(
                        zone.offset(seconds),
                        exact_offset(&zone.zone, seconds),
                        "{name} {seconds}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn text_round_trip(seconds in -62_167_132_800_i64..253_402_214_400, nanos in 0..1_000_000_000_u32, minutes in -1439..1440_i32) {
            let time = Time { seconds, nanos, offset: minutes * 60 };
            prop_assert_eq!(Time::parse(&time.to_string()), Some(time));
        }

        #[test]
        fn agrees_with_jiff(seconds in -62_167_132_800_i64..253_402_214_400, nanos in 0..1_000_000_000_u32) {
            let time = Time { seconds, nanos, offset: 0 };
            let theirs: Timestamp = time.to_string().parse().unwrap();
            prop_assert_eq!(Some(theirs), time.timestamp());
            prop_assert_eq!(Zone::utc().time_of(theirs), time);
        }

        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Time::parse_bytes(&bytes);
        }

        #[test]
        fn storable_is_stored_unchanged(seconds: i64, nanos: u32, offset: i32) {
            let time = Time { seconds, nanos, offset }.storable();
            prop_assert_eq!(time.storable(), time);
            prop_assert_eq!(Time::parse(&time.to_string()), Some(time));
        }
    }
}

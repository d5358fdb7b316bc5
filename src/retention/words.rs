//! How rules are written: numbers (`7`, `unlimited`), spans (`2y5m7d3h`) and the names of buckets.

use std::fmt;
use std::str::FromStr;

use super::{Bucket, Budget, Many, Period, Policy, Span};
use crate::text::{bytes, counted};

/// A text that is no number or span of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadWord {
    /// Not a number of generations.
    #[error("{0:?} is no number of generations: give a whole number, or unlimited")]
    Many(String),
    /// Not a span.
    #[error(
        "{0:?} is no span of time: give years, months, days and hours such as 1y6m, 14d or 36h, each with its number before \
         it and no spaces"
    )]
    Span(String),
}

impl FromStr for Many {
    type Err = BadWord;

    /// Reads a whole number, or `unlimited` or `-1` for all.
    fn from_str(text: &str) -> Result<Many, BadWord> {
        match text.trim() {
            "unlimited" | "-1" => Ok(Many::All),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map(Many::Of).map_err(|_| BadWord::Many(text.into()))
            }
            _ => Err(BadWord::Many(text.into())),
        }
    }
}

impl fmt::Display for Many {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Many::Of(n) => n.fmt(f),
            Many::All => f.pad("unlimited"),
        }
    }
}

impl Span {
    /// Whether it has no length.
    pub fn is_zero(self) -> bool {
        self == Span::default()
    }
}

impl FromStr for Span {
    type Err = BadWord;

    /// Reads `2y5m7d3h`: units in any order, each at most once.
    fn from_str(text: &str) -> Result<Span, BadWord> {
        let bad = || BadWord::Span(text.into());
        let mut parts: [Option<u32>; 4] = [None; 4];
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(bad());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number = rest[..digits].parse::<u32>().map_err(|_| bad())?;
            let unit = rest[digits..].chars().next().ok_or_else(bad)?;
            let place = "ymdh".find(unit).ok_or_else(bad)?;
            if parts[place].replace(number).is_some() {
                return Err(bad());
            }
            rest = &rest[digits + 1..];
        }
        let [years, months, days, hours] = parts.map(Option::unwrap_or_default);
        Ok(Span {
            years,
            months,
            days,
            hours,
        })
    }
}

impl fmt::Display for Span {
    /// As restic writes it: what is zero is left out, but for a span of nothing, which is `0h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.pad("0h");
        }
        for (number, unit) in [
            (self.years, 'y'),
            (self.months, 'm'),
            (self.days, 'd'),
            (self.hours, 'h'),
        ] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        Ok(())
    }
}

impl Bucket {
    /// `hourly`, `daily`, …: as options and reasons call it.
    pub fn adjective(self) -> &'static str {
        match self {
            Bucket::Hour => "hourly",
            Bucket::Day => "daily",
            Bucket::Week => "weekly",
            Bucket::Month => "monthly",
            Bucket::Quarter => "quarterly",
            Bucket::Year => "yearly",
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Budget::Size(size) => f.pad(&bytes(*size)),
            Budget::Cost(money) => write!(f, "{money} a month"),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", counted(self.days.into(), "day", "days"))?;
        match self.floor {
            0 => f.write_str(" and not longer"),
            1 => Ok(()),
            floor => write!(f, ", the newest {floor} longer"),
        }
    }
}

impl fmt::Display for Policy {
    /// In short, a word or two a part: `730 days, last 3, daily 7, daily within 3m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.period.iter().map(Period::to_string).collect();
        parts.extend(self.last.map(|many| format!("last {many}")));
        for bucket in Bucket::ALL {
            let many = self.bucket(bucket);
            parts.extend(many.map(|many| format!("{} {many}", bucket.adjective())));
        }
        parts.extend(self.within.map(|span| format!("within {span}")));
        for bucket in Bucket::ALL {
            let span = self.within_bucket(bucket);
            parts.extend(span.map(|span| format!("{} within {span}", bucket.adjective())));
        }
        parts.extend(self.tags.iter().map(|list| match list.join(",").as_str() {
            "" => "without tags".to_owned(),
            list => format!("tags {list}"),
        }));
        parts.extend(self.ids.iter().map(|id| format!("id {}", id.short())));
        parts.extend(self.fit.iter().map(|budget| format!("what fits in {budget}")));
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;
    use crate::vault::Id;

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            " ",
            "5",
            "d",
            "5w",
            "1d 3h",
            "-1d",
            "1d2d",
            "99999999999d",
            "1D",
            "1.5y",
            "3é",
        ] {
            assert_eq!(text.parse::<Span>(), Err(BadWord::Span(text.into())));
        }
        for text in ["", "-2", "+3", "many", "1.5", "99999999999", "٣"] {
            assert!(text.parse::<Many>().is_err(), "{text}");
        }
        assert_snapshot!("5w".parse::<Span>().unwrap_err(), @r#""5w" is no span of time: give years, months, days and hours such as 1y6m, 14d or 36h, each with its number before it and no spaces"#);
        assert_snapshot!("x".parse::<Many>().unwrap_err(), @r#""x" is no number of generations: give a whole number, or unlimited"#);
    }

    #[test]
    fn rules_are_written_as_restic_writes_them() {
        for text in ["2y5m7d3h", "7d", "3h", "1y3h"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("3h2y".parse::<Span>().unwrap().to_string(), "2y3h");
        assert_eq!("0d".parse::<Span>().unwrap().to_string(), "0h");
        assert_eq!("-1".parse::<Many>().unwrap().to_string(), "unlimited");
    }

    #[test]
    fn rules_are_told_in_short() {
        assert_eq!(Policy::of_days(730).to_string(), "730 days");
        assert_eq!(Budget::Cost("10 USD".parse().unwrap()).to_string(), "$10.00 a month");
        let period = |days, floor| Period { days, floor }.to_string();
        assert_eq!(
            (period(1, 0), period(2, 3)),
            ("1 day and not longer".into(), "2 days, the newest 3 longer".into())
        );
        let mut policy = Policy {
            last: Some(Many::Of(3)),
            within: "14d".parse().ok(),
            tags: vec![vec!["a".into(), "b".into()], vec![String::new()]],
            ids: vec![Id([0xab; 32])],
            fit: Some(Budget::Size(500 << 30)),
            ..Policy::of_days(30)
        };
        policy.buckets[Bucket::Day as usize] = Some(Many::All);
        policy.within_buckets[Bucket::Month as usize] = "1y".parse().ok();
        assert_snapshot!(policy, @"30 days, last 3, daily unlimited, within 14d, monthly within 1y, tags a,b, without tags, id abababab, what fits in 500.0 GiB");
    }

    proptest! {
        #[test]
        fn spans_are_read_back(years: u32, months in 0u32..100, days: u32, hours in 0u32..3) {
            let span = Span { years, months, days, hours };
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,12}") {
            let _ = (text.parse::<Span>(), text.parse::<Many>());
        }
    }
}

//! The options of keep rules, as `coffer forget` and `coffer cost what-if` take them.

use super::Failure;
use super::args;
use crate::cost::Money;
use crate::retention::{Bucket, Budget, Many, Period, Policy, Span};
use crate::vault::generation::{GroupBy, Selector};
use crate::vault::{Generation, Id};

/// What stays, as a plan of the config can say it too.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "What stays (whatever any of these keeps)")]
pub struct RuleArgs {
    /// The newest N of each group (or `unlimited`, here and below)
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_last: Option<Many>,
    /// The newest of each of the last N hours that have any
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_hourly: Option<Many>,
    /// The newest of each of the last N days that have any
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_daily: Option<Many>,
    /// The newest of each of the last N weeks that have any (Monday to Sunday)
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_weekly: Option<Many>,
    /// The newest of each of the last N months that have any
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_monthly: Option<Many>,
    /// The newest of each of the last N quarters that have any
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_quarterly: Option<Many>,
    /// The newest of each of the last N years that have any
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    keep_yearly: Option<Many>,
    /// All made within this time (2y5m7d3h) before the newest of the group
    #[arg(long, value_name = "DURATION")]
    keep_within: Option<Span>,
    /// The newest of each hour within this time before the newest of the group
    #[arg(long, value_name = "DURATION")]
    keep_within_hourly: Option<Span>,
    /// The newest of each day within it
    #[arg(long, value_name = "DURATION")]
    keep_within_daily: Option<Span>,
    /// The newest of each week within it
    #[arg(long, value_name = "DURATION")]
    keep_within_weekly: Option<Span>,
    /// The newest of each month within it
    #[arg(long, value_name = "DURATION")]
    keep_within_monthly: Option<Span>,
    /// The newest of each quarter within it
    #[arg(long, value_name = "DURATION")]
    keep_within_quarterly: Option<Span>,
    /// The newest of each year within it
    #[arg(long, value_name = "DURATION")]
    keep_within_yearly: Option<Span>,
    /// All with this tag (TAG,TAG: with all of these; given again: or these; '': without any)
    #[arg(long, value_name = "TAG")]
    keep_tag: Vec<String>,
}

/// What stays.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "What stays (whatever any of these keeps)")]
pub struct KeepArgs {
    #[command(flatten)]
    rule: RuleArgs,
    /// This generation, by its id or the beginning of it
    #[arg(long, value_name = "ID")]
    keep_id: Vec<String>,
    /// All younger than this many days, and the newest of each group whatever its age
    #[arg(long, value_name = "DAYS")]
    keep_period: Option<u32>,
    /// With --keep-period: so many of the newest of each group whatever their age [default: 1]
    #[arg(long, value_name = "N", requires = "keep_period")]
    keep_min: Option<u32>,
    /// What fits in this size (500G) of what the rest keeps, or of all: the least valuable leave first
    ///
    /// Whoever would leave the smallest hole in its group, measured by its age, leaves first; so what is old is thinned out
    /// before what is new. A group becomes shorter from its old end only when each of its generations is about 2.4 times as
    /// old as the one before. The newest of each group, protected generations and those of --keep-id never leave. The size is
    /// that of the whole vault after a prune: what --host, --tag and --path leave out counts too.
    #[arg(long, value_name = "SIZE", value_parser = args::size)]
    fit_size: Option<u64>,
    /// The same for what it costs a month at the vault's price (10 USD, 8.50 EUR)
    #[arg(long, value_name = "MONEY", conflicts_with = "fit_size")]
    fit_cost: Option<Money>,
    /// Form groups by any of host, paths, tags, each with its own counts; '' makes one group of all
    #[arg(long, value_name = "WORDS", default_value = "host,paths", hide_default_value = false)]
    group_by: GroupBy,
}

impl RuleArgs {
    /// The rule that the options make; it may be an empty one.
    pub fn policy(&self) -> Policy {
        Policy {
            last: self.keep_last,
            buckets: by_bucket(
                self.keep_hourly,
                self.keep_daily,
                self.keep_weekly,
                self.keep_monthly,
                self.keep_quarterly,
                self.keep_yearly,
            ),
            within: self.keep_within,
            within_buckets: by_bucket(
                self.keep_within_hourly,
                self.keep_within_daily,
                self.keep_within_weekly,
                self.keep_within_monthly,
                self.keep_within_quarterly,
                self.keep_within_yearly,
            ),
            tags: self
                .keep_tag
                .iter()
                .map(|list| list.split(',').map(|tag| tag.trim().to_owned()).collect())
                .collect(),
            ..Policy::default()
        }
    }
}

impl KeepArgs {
    /// Whether any option says what stays.
    pub(super) fn is_given(&self) -> bool {
        !self.rule.policy().is_empty()
            || !self.keep_id.is_empty()
            || self.keep_period.is_some()
            || self.fit_size.is_some()
            || self.fit_cost.is_some()
    }

    /// The rule that the options make, and what it groups by; `None` when no option says what stays. `generations` are those
    /// that ids are looked up in.
    pub fn policy(&self, generations: &[Generation]) -> Result<Option<(Policy, GroupBy)>, Failure> {
        let policy = Policy {
            ids: self
                .keep_id
                .iter()
                .map(|text| id(text, generations))
                .collect::<Result<_, _>>()?,
            period: self.keep_period.map(|days| Period {
                days,
                floor: self.keep_min.unwrap_or(1),
            }),
            fit: self.fit_size.map(Budget::Size).or(self.fit_cost.map(Budget::Cost)),
            ..self.rule.policy()
        };
        Ok((!policy.is_empty()).then_some((policy, self.group_by)))
    }
}

/// Refuses what is no id: `latest` and times move on between two runs of a script, and what is deleted is named.
pub(super) fn check_id(text: &str) -> Result<(), Failure> {
    match text.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(()),
        false => Err(Failure::usage(format!(
            "{text:?} is no id; coffer generations lists them"
        ))),
    }
}

pub(super) fn id(text: &str, generations: &[Generation]) -> Result<Id, Failure> {
    check_id(text)?;
    let selector = Selector::parse(text, &jiff::tz::TimeZone::UTC)?;
    Ok(selector.pick(generations, &Default::default())?.id)
}

/// By [`Bucket`] in its order.
fn by_bucket<T>(
    hourly: Option<T>,
    daily: Option<T>,
    weekly: Option<T>,
    monthly: Option<T>,
    quarterly: Option<T>,
    yearly: Option<T>,
) -> [Option<T>; Bucket::ALL.len()] {
    [hourly, daily, weekly, monthly, quarterly, yearly]
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::vault::generation::tests_support::generation;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        keep: KeepArgs,
    }

    fn read(words: &[&str]) -> Result<Option<(Policy, GroupBy)>, String> {
        let line = Line::try_parse_from(std::iter::once(&"x").chain(words)).map_err(|e| e.to_string())?;
        let generations = [generation(0xab, 1), generation(0xac, 2)];
        line.keep
            .policy(&generations)
            .map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn options_make_a_rule() {
        let (policy, by) = read(&[
            "--keep-last",
            "unlimited",
            "--keep-hourly",
            "-1",
            "--keep-quarterly",
            "3",
            "--keep-within",
            "1y2d",
            "--keep-within-yearly",
            "9y",
            "--keep-tag",
            "a, b",
            "--keep-tag",
            "",
            "--keep-id",
            "ABAB",
            "--keep-period",
            "730",
            "--fit-size",
            "500G",
        ])
        .unwrap()
        .unwrap();
        let mut expected = Policy {
            last: Some(Many::All),
            within: Some(Span {
                years: 1,
                days: 2,
                ..Span::default()
            }),
            tags: vec![vec!["a".into(), "b".into()], vec![String::new()]],
            ids: vec![Id([0xab; 32])],
            period: Some(Period { days: 730, floor: 1 }),
            fit: Some(Budget::Size(500 << 30)),
            ..Policy::default()
        };
        expected.buckets[Bucket::Hour as usize] = Some(Many::All);
        expected.buckets[Bucket::Quarter as usize] = Some(Many::Of(3));
        expected.within_buckets[Bucket::Year as usize] = Some(Span {
            years: 9,
            ..Span::default()
        });
        assert_eq!((policy, by), (expected, GroupBy::HOST_AND_PATHS));
    }

    #[test]
    fn a_budget_of_money_is_one() {
        let (policy, _) = read(&["--fit-cost", "8.50 EUR"]).unwrap().unwrap();
        assert_eq!(policy.to_string(), "what fits in €8.50 a month");
    }

    #[test]
    fn what_says_nothing_or_nonsense_is_told() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["--keep-last", "0", "--group-by", ""]), Ok(None));
        for (words, told) in [
            (&["--keep-within", "5w"][..], "14d"),
            (&["--keep-daily", "many"], "unlimited"),
            (&["--keep-min", "3"], "--keep-period"),
            (&["--keep-id", "latest"], "no id"),
            (&["--fit-cost", "10"], "names no currency"),
            (&["--fit-cost", "10 USD", "--fit-size", "1G"], "cannot be used with"),
            (&["--keep-id", "abad"], "no generation's id begins with abad"),
            (&["--group-by", "colour"], "host, paths, tags"),
        ] {
            let error = read(words).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}

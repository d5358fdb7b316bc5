//! What the fields of a rule are called, what they mean and what they hold, in words. Pure.

use super::rule::{Around, Field, Rule};
use super::words;
use crate::retention::{Bucket, Budget, Many, Period, Span};
use crate::text;

impl Field {
    /// Its label.
    pub fn label(self) -> &'static str {
        match self {
            Field::Keep => "keep",
            Field::Days => "period",
            Field::Floor => "at least",
            Field::Last => "last",
            Field::Bucket(Bucket::Hour) | Field::WithinBucket(Bucket::Hour) => "hourly",
            Field::Bucket(Bucket::Day) | Field::WithinBucket(Bucket::Day) => "daily",
            Field::Bucket(Bucket::Week) | Field::WithinBucket(Bucket::Week) => "weekly",
            Field::Bucket(Bucket::Month) | Field::WithinBucket(Bucket::Month) => "monthly",
            Field::Bucket(Bucket::Quarter) | Field::WithinBucket(Bucket::Quarter) => "quarterly",
            Field::Bucket(Bucket::Year) | Field::WithinBucket(Bucket::Year) => "yearly",
            Field::Within => "within",
            Field::Tags => "tags",
            Field::Group => "of each",
            Field::Size => "size",
            Field::Cost => "a month",
            Field::Price => "price",
            Field::Every => "a backup",
        }
    }

    /// What it means, a line.
    pub fn help(self) -> &'static str {
        match self {
            Field::Keep => "What stays: what the rule below says, or everything but the generations marked with d.",
            Field::Days => "Everything younger than so many days stays.",
            Field::Floor => "So many of the newest stay whatever their age.",
            Field::Last => "So many of the newest stay.",
            Field::Bucket(_) => "The newest of each of so many hours, days, weeks and so on stays.",
            Field::Within => "Everything made within this span before the newest one stays: 14d, 6m, 2y5m7d3h.",
            Field::Tags => "What has one of these tags stays. Several at once: a+b; none at all: none.",
            Field::Group => "The rule is applied to the generations of each of these by themselves.",
            Field::Size => "The least valuable go until the rest fits: 500GiB, 2TiB.",
            Field::Cost => "The least valuable go until the rest costs no more than this a month.",
            Field::Price => "What the vault's storage costs from then on; Enter or p chooses from the book.",
            Field::Every => "How often a backup is made from then on: changes the projection only.",
            Field::WithinBucket(_) => "The newest of each hour, day, week and so on within this span stays.",
        }
    }

    /// Its value in words.
    pub fn words(self, rule: &Rule, around: &Around) -> String {
        let none = || "not set".to_owned();
        let policy = &rule.policy;
        match self {
            Field::Keep if rule.everything => "everything".to_owned(),
            Field::Keep => "what the rule says".to_owned(),
            Field::Days => policy.period.map_or_else(none, |period| words::days(period.days)),
            Field::Floor => match policy.period {
                Some(Period { floor: 0, .. }) => "none of the newest".to_owned(),
                Some(Period { floor, .. }) => format!("{} newest", text::count(u64::from(floor))),
                None => "no period".to_owned(),
            },
            Field::Last => policy.last.map_or_else(none, words::many),
            Field::Bucket(bucket) => policy.bucket(bucket).map_or_else(none, words::many),
            Field::Within => policy.within.map_or_else(none, |span| span.to_string()),
            Field::WithinBucket(bucket) => policy.within_bucket(bucket).map_or_else(none, |span| span.to_string()),
            Field::Tags if policy.tags.is_empty() => none(),
            Field::Tags => text::escape(words::tags(&policy.tags).as_bytes()),
            Field::Group => words::group(rule.group),
            Field::Size => match &policy.fit {
                Some(Budget::Size(bytes)) => words::size(*bytes),
                _ => none(),
            },
            Field::Cost => match &policy.fit {
                Some(Budget::Cost(money)) => money.to_string(),
                _ => none(),
            },
            Field::Price => match &rule.price {
                Some(id) => {
                    let row = around.prices.iter().find(|row| row.id == *id);
                    text::escape(row.map_or(id.as_str(), |row| &row.name).as_bytes())
                }
                None => around
                    .own_price
                    .map_or_else(|| "not named".to_owned(), |name| text::escape(name.as_bytes())),
            },
            Field::Every => rule
                .every_hours
                .map_or_else(|| "as often as now".to_owned(), words::every),
        }
    }

    /// Its value as one would type it; `None` where nothing is typed.
    pub fn typed(self, rule: &Rule) -> Option<String> {
        let policy = &rule.policy;
        let many = |many: Option<Many>| many.map(|many| many.to_string()).unwrap_or_default();
        let span = |span: Option<Span>| span.map(|span| span.to_string()).unwrap_or_default();
        Some(match self {
            Field::Keep | Field::Group | Field::Price => return None,
            Field::Days => policy.period.map(|period| period.days.to_string()).unwrap_or_default(),
            Field::Floor => policy.period?.floor.to_string(),
            Field::Last => many(policy.last),
            Field::Bucket(bucket) => many(policy.bucket(bucket)),
            Field::Within => span(policy.within),
            Field::WithinBucket(bucket) => span(policy.within_bucket(bucket)),
            Field::Tags => words::tags(&policy.tags),
            Field::Size => match &policy.fit {
                Some(Budget::Size(bytes)) => words::size(*bytes).replace(' ', ""),
                _ => String::new(),
            },
            Field::Cost => match &policy.fit {
                Some(Budget::Cost(money)) => money.exactly(),
                _ => String::new(),
            },
            Field::Every => rule.every_hours.map(|hours| format!("{hours}")).unwrap_or_default(),
        })
    }
}

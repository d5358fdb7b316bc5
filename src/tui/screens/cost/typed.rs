//! What one types into a field of the rule, and what it means. Pure.

use super::rule::{Around, Field, Rule};
use crate::config::parse_size;
use crate::cost::Money;
use crate::retention::{Budget, Many, Period, Span};

/// Takes a text as a field's value; says what is wrong with it and what would be right. An empty text is no value.
pub(super) fn set(rule: &mut Rule, field: Field, text: &str, around: &Around) -> Result<(), String> {
    let text = text.trim();
    if text.is_empty() {
        field.clear(rule);
        return Ok(());
    }
    let policy = &mut rule.policy;
    match field {
        Field::Keep | Field::Group | Field::Price => return Err("This is chosen, not typed.".into()),
        Field::Days => {
            let days = number(text.trim_end_matches(['d', ' ']))?;
            if days == 0 {
                return Err("A period has at least one day.".into());
            }
            let floor = policy.period.map_or(1, |period| period.floor);
            policy.period = Some(Period { days, floor });
        }
        Field::Floor => {
            let floor = number(text)?;
            match &mut policy.period {
                Some(period) => period.floor = floor,
                None => return Err("This belongs to the period, which is not set.".into()),
            }
        }
        Field::Last => policy.last = many(text)?,
        Field::Bucket(bucket) => policy.buckets[bucket as usize] = many(text)?,
        Field::Within => policy.within = span(text)?,
        Field::WithinBucket(bucket) => policy.within_buckets[bucket as usize] = span(text)?,
        Field::Tags => policy.tags = tags(text),
        Field::Size => {
            let bytes = parse_size(text).filter(|bytes| *bytes > 0);
            let bytes = bytes.ok_or("A size is a number and a unit: 500GiB, 2TiB.")?;
            policy.fit = Some(Budget::Size(bytes));
        }
        Field::Cost => policy.fit = Some(Budget::Cost(money(text, &policy.fit, around)?)),
        Field::Every => {
            let hours = text.trim_end_matches(['h', ' ']).parse::<f64>().ok();
            let hours = hours.filter(|hours| hours.is_finite() && (0.25..=87_600.0).contains(hours));
            rule.every_hours = Some(hours.ok_or("Hours between two backups: 6, 24, 168.")?);
            return Ok(());
        }
    }
    rule.everything = false;
    Ok(())
}

fn number(text: &str) -> Result<u32, String> {
    text.replace(',', "")
        .parse()
        .map_err(|_| "A whole number goes here.".to_owned())
}

/// How many are kept, as typed; nought is no count at all. Says what would be right.
pub(crate) fn many(text: &str) -> Result<Option<Many>, String> {
    let text = text.to_ascii_lowercase().replace("all", "unlimited");
    let many: Many = text
        .parse()
        .map_err(|_| "How many: a whole number, or unlimited.".to_owned())?;
    Ok(Some(many).filter(|many| *many != Many::Of(0)))
}

/// A span: `2y5m7d3h`; a number alone is days.
fn span(text: &str) -> Result<Option<Span>, String> {
    let text = text.to_ascii_lowercase();
    let text = match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("{text}d"),
        false => text,
    };
    let span: Span = text
        .parse()
        .map_err(|_| "A span is 14d, 6m, 2y5m7d3h: years, months, days, hours.".to_owned())?;
    Ok(Some(span).filter(|span| !span.is_zero()))
}

/// Tags: lists parted by commas, several that go together joined by `+`; `none` is "no tags".
fn tags(text: &str) -> Vec<Vec<String>> {
    let mut lists: Vec<Vec<String>> = Vec::new();
    for list in text.split(',').map(str::trim).filter(|list| !list.is_empty()) {
        let tags: Vec<String> = match list {
            "none" => Vec::new(),
            list => list
                .split('+')
                .map(|tag| tag.trim().to_owned())
                .filter(|tag| !tag.is_empty())
                .collect(),
        };
        if !lists.contains(&tags) {
            lists.push(tags);
        }
    }
    lists
}

/// Money with its currency, or a number alone: of the currency that the budget is in, or the vault's price.
fn money(text: &str, now: &Option<Budget>, around: &Around) -> Result<Money, String> {
    let money = text.parse::<Money>().or_else(|why| {
        let currency = match now {
            Some(Budget::Cost(money)) => Some(money.currency),
            _ => around.monthly.map(|monthly| monthly.currency),
        };
        let text = currency.map(|currency| format!("{text} {currency}"));
        text.and_then(|text| text.parse().ok()).ok_or(why)
    });
    let money = money.map_err(|why| format!("{why}."))?;
    match money.nanos > 0 {
        true => Ok(money),
        false => Err("An amount above nothing goes here: 5, 12.50 USD.".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Currency;
    use crate::retention::{Bucket, Policy};
    use crate::vault::generation::GroupBy;

    const AROUND: Around = Around {
        stored: None,
        monthly: Some(Money {
            nanos: 540_000_000,
            currency: Currency::USD,
        }),
        own_price: None,
        prices: &[],
    };

    fn rule() -> Rule {
        Rule::of(
            Policy {
                period: Some(Period { days: 730, floor: 2 }),
                ..Policy::default()
            },
            GroupBy::HOST_AND_PATHS,
        )
    }

    fn typed(field: Field, text: &str) -> Result<String, String> {
        let mut rule = rule();
        set(&mut rule, field, text, &AROUND)?;
        Ok(field.words(&rule, &AROUND))
    }

    #[test]
    fn texts_mean_what_people_write() {
        let good = [
            (Field::Days, "180d", "180 days"),
            (Field::Days, "1,095", "1,095 days (3 years)"),
            (Field::Days, "", "not set"),
            (Field::Floor, "3", "3 newest"),
            (Field::Last, "all", "unlimited"),
            (Field::Bucket(Bucket::Week), "0", "not set"),
            (Field::Within, "2y5m7d3h", "2y5m7d3h"),
            (Field::Within, "30", "30d"),
            (Field::WithinBucket(Bucket::Day), "6m", "6m"),
            (Field::Tags, "weekly, a+b,weekly, none", "weekly, a+b, none"),
            (Field::Size, "500 GiB", "500 GiB"),
            (Field::Cost, "$12.50", "$12.50"),
            (Field::Every, "6h", "every 6 hours"),
        ];
        for (field, text, words) in good {
            assert_eq!(typed(field, text).as_deref(), Ok(words), "{text}");
        }
        let bad = [
            (Field::Days, "0"),
            (Field::Days, "soon"),
            (Field::Last, "x"),
            (Field::Within, "5m3m"),
            (Field::Within, "y"),
            (Field::Size, "much"),
            (Field::Cost, "-3"),
            (Field::Every, "0"),
            (Field::Every, "NaN"),
        ];
        for (field, text) in bad {
            assert!(typed(field, text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_to_be_typed_means_the_same() {
        let mut rule = rule();
        for (field, text) in [
            (Field::Days, "90"),
            (Field::Floor, "3"),
            (Field::Last, "unlimited"),
            (Field::Within, "1y2d"),
            (Field::Tags, "a+b, none"),
            (Field::Size, "20GiB"),
            (Field::Every, "48"),
        ] {
            set(&mut rule, field, text, &AROUND).unwrap();
            let shown = field.typed(&rule).unwrap();
            let before = rule.clone();
            set(&mut rule, field, &shown, &AROUND).unwrap();
            assert_eq!(rule, before, "{shown}");
        }
    }
}

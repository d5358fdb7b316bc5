//! What is tried out: a rule, a price, a frequency, generations marked by hand; its fields and how each is changed. Pure.

use super::steps::{self, Step};
use crate::cost::Money;
use crate::engine::question::{PriceRow, StayRule, WhatIfAsked};
use crate::retention::{Bucket, Budget, Period, Policy};
use crate::vault::Id;
use crate::vault::generation::GroupBy;

/// What is tried out.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Whether everything stays but what is marked, whatever the policy says.
    pub everything: bool,
    /// What stays.
    pub policy: Policy,
    /// Of what each.
    pub group: GroupBy,
    /// Another price, by its id.
    pub price: Option<String>,
    /// Hours between two backups from then on, when that changes.
    pub every_hours: Option<f64>,
    /// Generations that go whatever the policy says.
    pub marked: Vec<Id>,
}

impl Rule {
    /// A rule that is only a policy.
    pub fn of(policy: Policy, group: GroupBy) -> Rule {
        Rule {
            everything: false,
            policy,
            group,
            price: None,
            every_hours: None,
            marked: Vec::new(),
        }
    }

    /// Whether it says what stays: a rule without parts would keep nothing.
    pub fn says_something(&self) -> bool {
        self.everything || !self.policy.is_empty()
    }

    /// What to ask of it; `None` of a rule that says nothing.
    pub fn asked(&self, vault: &str) -> Option<WhatIfAsked> {
        let rule = match (self.everything, self.marked.is_empty()) {
            _ if !self.says_something() => return None,
            (true, true) => StayRule::All,
            (true, false) => StayRule::Without(self.marked.clone()),
            (false, _) => StayRule::Policy(Box::new(self.policy.clone()), self.group),
        };
        Some(WhatIfAsked {
            vault: vault.to_owned(),
            rule,
            go: match self.everything {
                true => Vec::new(),
                false => self.marked.clone(),
            },
            price: self.price.clone(),
            every_hours: self.every_hours,
        })
    }
}

/// A field of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// What stays at all: what the rule says, or everything.
    Keep,
    /// The period, in days.
    Days,
    /// How many of the newest stay whatever their age.
    Floor,
    /// How many of the newest.
    Last,
    /// How many of each bucket.
    Bucket(Bucket),
    /// All within a span.
    Within,
    /// By tags.
    Tags,
    /// Of what each.
    Group,
    /// What all of it may take.
    Size,
    /// What it may cost.
    Cost,
    /// At which price.
    Price,
    /// How often a backup is made.
    Every,
    /// One of each bucket within a span.
    WithinBucket(Bucket),
}

/// What the fields' steps and words need to know besides the rule.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around<'a> {
    /// What the vault stores now.
    pub stored: Option<u64>,
    /// What it costs a month now.
    pub monthly: Option<Money>,
    /// The price that the vault itself names, for people.
    pub own_price: Option<&'a str>,
    /// The price book.
    pub prices: &'a [PriceRow],
}

impl Field {
    /// Changes it by a step; why it cannot be, if so.
    pub fn step(self, rule: &mut Rule, step: Step, around: &Around) -> Result<(), String> {
        match self {
            Field::Keep => {
                rule.everything = !rule.everything;
                return Ok(());
            }
            Field::Price => return step_price(rule, step, around),
            Field::Every => {
                rule.every_hours = steps::every(rule.every_hours, step);
                return Ok(());
            }
            _ => {}
        }
        let policy = &mut rule.policy;
        match self {
            Field::Days => {
                let days = steps::days(policy.period.map(|period| period.days), step);
                let floor = policy.period.map_or(1, |period| period.floor);
                policy.period = Some(Period { days, floor });
            }
            Field::Floor => match &mut policy.period {
                Some(period) => period.floor = steps::floor(period.floor, step),
                None => return Err("This belongs to the period, which is not set.".into()),
            },
            Field::Last => policy.last = steps::last(policy.last, step),
            Field::Bucket(bucket) => {
                policy.buckets[bucket as usize] = steps::bucket(bucket, policy.bucket(bucket), step);
            }
            Field::Within => policy.within = steps::span(policy.within, step),
            Field::WithinBucket(bucket) => {
                policy.within_buckets[bucket as usize] = steps::span(policy.within_bucket(bucket), step);
            }
            Field::Tags => return Err("Enter types the tags.".into()),
            Field::Group => rule.group = step_group(rule.group, step),
            Field::Size => {
                let now = match policy.fit {
                    Some(Budget::Size(bytes)) => Some(bytes),
                    _ => None,
                };
                policy.fit = steps::size(now, around.stored, step).map(Budget::Size);
            }
            Field::Cost => {
                let now = match policy.fit {
                    Some(Budget::Cost(money)) => Some(money),
                    _ => None,
                };
                if now.is_none() && around.monthly.is_none() {
                    return Err("What the vault costs is not known: p names its price.".into());
                }
                policy.fit = steps::cost(now, around.monthly, step).map(Budget::Cost);
            }
            Field::Keep | Field::Price | Field::Every => {}
        }
        rule.everything = false;
        Ok(())
    }

    /// Sets it to nothing.
    pub fn clear(self, rule: &mut Rule) {
        let policy = &mut rule.policy;
        match self {
            Field::Keep => rule.everything = true,
            Field::Days => policy.period = None,
            Field::Floor => {
                if let Some(period) = &mut policy.period {
                    period.floor = 0;
                }
            }
            Field::Last => policy.last = None,
            Field::Bucket(bucket) => policy.buckets[bucket as usize] = None,
            Field::Within => policy.within = None,
            Field::WithinBucket(bucket) => policy.within_buckets[bucket as usize] = None,
            Field::Tags => policy.tags.clear(),
            Field::Group => rule.group = GroupBy::default(),
            Field::Size | Field::Cost => policy.fit = None,
            Field::Price => rule.price = None,
            Field::Every => rule.every_hours = None,
        }
    }
}

fn step_price(rule: &mut Rule, step: Step, around: &Around) -> Result<(), String> {
    let prices = around.prices;
    if prices.is_empty() {
        return Err("The price book is not there yet.".into());
    }
    // The vault's own price comes before the book's first.
    let now = rule
        .price
        .as_ref()
        .and_then(|id| prices.iter().position(|row| row.id == *id));
    let to = match (now, step) {
        (None, Step::More | Step::MoreFine) => Some(0),
        (None, _) => Some(prices.len() - 1),
        (Some(at), Step::More | Step::MoreFine) => Some(at + 1).filter(|at| *at < prices.len()),
        (Some(at), _) => at.checked_sub(1),
    };
    rule.price = to.and_then(|at| prices.get(at)).map(|row| row.id.clone());
    Ok(())
}

fn step_group(now: GroupBy, step: Step) -> GroupBy {
    let by = |host, paths, tags| GroupBy { host, paths, tags };
    let all = [
        by(true, true, false),
        by(true, false, false),
        by(false, true, false),
        by(false, false, true),
        by(true, true, true),
        by(true, false, true),
        by(false, true, true),
        by(false, false, false),
    ];
    let at = all.iter().position(|group| *group == now).unwrap_or(0);
    let step = if matches!(step, Step::More | Step::MoreFine) {
        1
    } else {
        all.len() - 1
    };
    all[(at + step) % all.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(days: u32, floor: u32) -> Policy {
        Policy {
            period: Some(Period { days, floor }),
            ..Policy::default()
        }
    }

    #[test]
    fn what_is_asked_follows_from_the_fields() {
        let mut rule = Rule::of(period(730, 1), GroupBy::HOST_AND_PATHS);
        let by_policy = rule.asked("home").unwrap();
        assert!(matches!(by_policy.rule, StayRule::Policy(..)) && by_policy.go.is_empty());
        rule.marked = vec![Id::of(b"a")];
        assert_eq!(rule.asked("home").unwrap().go, [Id::of(b"a")]);
        rule.everything = true;
        let without = rule.asked("home").unwrap();
        assert_eq!(
            (without.rule, without.go.len()),
            (StayRule::Without(vec![Id::of(b"a")]), 0)
        );
        rule.marked.clear();
        assert_eq!(rule.asked("home").unwrap().rule, StayRule::All);
        rule.everything = false;
        rule.policy = Policy::default();
        assert_eq!(rule.asked("home"), None, "a rule that keeps nothing is not asked about");
    }

    #[test]
    fn a_step_of_the_rule_puts_the_rule_in_force() {
        let mut rule = Rule::of(period(730, 1), GroupBy::HOST_AND_PATHS);
        rule.everything = true;
        let around = Around::default();
        Field::Days.step(&mut rule, Step::Less, &around).unwrap();
        assert!(!rule.everything);
        assert_eq!(rule.policy.period, Some(Period { days: 545, floor: 1 }));
        Field::Days.clear(&mut rule);
        assert!(Field::Floor.step(&mut rule, Step::More, &around).is_err());
        assert!(Field::Cost.step(&mut rule, Step::More, &around).is_err());
        assert!(Field::Tags.step(&mut rule, Step::More, &around).is_err());
    }

    #[test]
    fn a_budget_is_of_one_kind() {
        let around = Around {
            stored: Some(22 << 30),
            monthly: Some(Money {
                nanos: 540_000_000,
                currency: crate::cost::Currency::USD,
            }),
            ..Around::default()
        };
        let mut rule = Rule::of(period(730, 1), GroupBy::HOST_AND_PATHS);
        Field::Size.step(&mut rule, Step::More, &around).unwrap();
        assert_eq!(Field::Size.words(&rule, &around), "20 GiB");
        Field::Cost.step(&mut rule, Step::More, &around).unwrap();
        assert_eq!(Field::Size.words(&rule, &around), "not set");
        assert!(matches!(rule.policy.fit, Some(Budget::Cost(_))));
    }

    #[test]
    fn prices_go_round_by_the_vaults_own() {
        let row = |id: &str| PriceRow {
            id: id.into(),
            name: id.to_uppercase(),
            terms: String::new(),
            source: String::new(),
            own: false,
        };
        let prices = [row("a"), row("b")];
        let around = Around {
            own_price: Some("mine"),
            prices: &prices,
            ..Around::default()
        };
        let mut rule = Rule::of(period(730, 1), GroupBy::HOST_AND_PATHS);
        let mut seen = Vec::new();
        for _ in 0..3 {
            Field::Price.step(&mut rule, Step::More, &around).unwrap();
            seen.push(Field::Price.words(&rule, &around));
        }
        assert_eq!(seen, ["A", "B", "mine"]);
        Field::Price.step(&mut rule, Step::Less, &around).unwrap();
        assert_eq!(rule.price.as_deref(), Some("b"));
    }

    #[test]
    fn every_grouping_can_be_reached() {
        let mut seen = Vec::new();
        let mut group = GroupBy::HOST_AND_PATHS;
        for _ in 0..8 {
            assert!(!seen.contains(&group));
            seen.push(group);
            group = step_group(group, Step::More);
        }
        assert_eq!(group, GroupBy::HOST_AND_PATHS);
        assert_eq!(step_group(group, Step::Less), seen[7]);
    }
}

//! The keep keys of a plan as they are written.

use crate::config::DEFAULT_RETENTION_DAYS;
use crate::config::parse::retention::{COUNTS, WITHINS};
use crate::retention::{Bucket, Many, Period, Policy};

/// What is written of a plan's rule: nothing of the usual period. Rules by id and budgets are none of a plan's.
pub(in crate::config) fn values(policy: &Policy) -> Vec<(&'static str, String)> {
    let mut values = Vec::new();
    let others = Policy {
        period: None,
        ..policy.clone()
    };
    if let Some(Period { days, floor }) = policy.period {
        if days != DEFAULT_RETENTION_DAYS || others.keeps() {
            values.push(("retention-days", days.to_string()));
        }
        if floor != 1 {
            values.push(("keep-min", floor.to_string()));
        }
    }
    let mut many = |key, many: Option<Many>| match many {
        Some(Many::Of(n)) => values.push((key, n.to_string())),
        Some(Many::All) => values.push((key, super::string("unlimited"))),
        None => {}
    };
    many("keep-last", policy.last);
    for bucket in Bucket::ALL {
        many(COUNTS[bucket as usize], policy.bucket(bucket));
    }
    if let Some(span) = policy.within {
        values.push(("keep-within", super::string(&span.to_string())));
    }
    for bucket in Bucket::ALL {
        if let Some(span) = policy.within_bucket(bucket) {
            values.push((WITHINS[bucket as usize], super::string(&span.to_string())));
        }
    }
    if !policy.tags.is_empty() {
        let lists: Vec<String> = policy.tags.iter().map(|list| list.join(",")).collect();
        values.push(("keep-tags", super::array(&lists)));
    }
    values
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::super::add_plan;
    use super::*;
    use crate::config::{Config, PlanConfig};
    use crate::retention::Span;

    /// Rules as plans have them.
    pub(in super::super) fn rules() -> impl Strategy<Value = Policy> {
        let many = || prop::option::weighted(0.2, prop_oneof![Just(Many::All), (1u32..1000).prop_map(Many::Of)]);
        let span = || {
            let span = (0u32..3, 0u32..14, 0u32..99, 1u32..30);
            let span = span.prop_map(|(years, months, days, hours)| Span {
                years,
                months,
                days,
                hours,
            });
            prop::option::weighted(0.2, span)
        };
        let tags = prop::collection::vec(prop::collection::vec("[a-z\"\\\\é]{0,4}", 1..3), 0..3);
        let period = (1u32..2000, 0u32..4).prop_map(|(days, floor)| Period { days, floor });
        let usual = Just(Period {
            days: DEFAULT_RETENTION_DAYS,
            floor: 1,
        });
        let period = prop_oneof![Just(None), period.prop_map(Some), usual.prop_map(Some)];
        (
            many(),
            prop::array::uniform6(many()),
            span(),
            prop::array::uniform6(span()),
            tags,
            period,
        )
            .prop_map(|(last, buckets, within, within_buckets, tags, period)| {
                let mut policy = Policy {
                    last,
                    buckets,
                    within,
                    within_buckets,
                    tags,
                    period,
                    ..Policy::default()
                };
                if !policy.keeps() {
                    policy = Policy::of_days(DEFAULT_RETENTION_DAYS);
                }
                policy
            })
    }

    #[test]
    fn a_rule_is_written_key_by_key() {
        let file = Path::new("/etc/coffer/config.toml");
        let mut plan = PlanConfig {
            name: "p".into(),
            paths: vec!["/p".into()],
            vaults: vec!["a".into()],
            ..PlanConfig::default()
        };
        let text = "[vaults.a]\npath = \"/a\"\n";
        plan.retention = Policy {
            last: Some(Many::All),
            within: "14d".parse().ok(),
            tags: vec![vec!["a".into(), "b".into()], vec![String::new()]],
            period: Some(Period { days: 730, floor: 3 }),
            ..Policy::default()
        };
        plan.retention.buckets[Bucket::Quarter as usize] = Some(Many::Of(4));
        plan.retention.within_buckets[Bucket::Day as usize] = "3m".parse().ok();
        let text = add_plan(text, file, &plan).unwrap();
        assert_snapshot!(text, @r#"
        [vaults.a]
        path = "/a"

        [plans.p]
        paths = ["/p"]
        vault = "a"
        retention-days = 730
        keep-min = 3
        keep-last = "unlimited"
        keep-quarterly = 4
        keep-within = "14d"
        keep-within-daily = "3m"
        keep-tags = ["a,b", ""]
        "#);
        assert_eq!(Config::parse(&text, file).unwrap().plans, [plan]);
    }
}

//! Rules against a model that is as simple as it is slow, and cases whose answers are known.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::convert::Infallible;

use insta::{assert_compact_debug_snapshot, assert_snapshot};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::fit::leaving;
use super::*;
use crate::vault::generation::tests_support::generation;
use crate::vault::generation::{GroupBy, GroupKey};
use crate::vault::{Generation, Id, Time};

const NOW: &str = "2026-11-29T12:00:00Z";

fn now() -> Time {
    Time::parse(NOW).unwrap()
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

/// Generations at these times, numbered from 1 in their ids.
fn history(times: &[&str]) -> Vec<Generation> {
    let each = times.iter().zip(1..).map(|(text, id)| Generation {
        time: Time::parse(text).unwrap(),
        ..generation(id, 0)
    });
    each.collect()
}

/// What a rule says, a line each: what stays with its reasons, then what goes.
fn told(outcome: &Outcome, generations: &[Generation]) -> String {
    let time = |id: &Id| generations.iter().find(|g| g.id == *id).unwrap().time.to_string();
    let mut lines = Vec::new();
    for group in &outcome.groups {
        for kept in &group.kept {
            let reasons: Vec<String> = kept.reasons.iter().map(Reason::to_string).collect();
            lines.push(format!("{} {}", time(&kept.id), reasons.join("; ")));
        }
        lines.extend(group.removed.iter().map(|id| format!("{} -", time(id))));
    }
    lines.join("\n")
}

fn buckets(pairs: &[(Bucket, Many)]) -> [Option<Many>; 6] {
    let mut buckets = [None; 6];
    pairs
        .iter()
        .for_each(|(bucket, many)| buckets[*bucket as usize] = Some(*many));
    buckets
}

#[test]
fn every_rule_gives_its_reason() {
    let mut generations = history(&[
        "2026-11-29T03:00:00+01:00",
        "2026-11-28T03:00:00+01:00",
        "2026-11-28T02:00:00+01:00",
        "2026-10-31T03:00:00+01:00",
        "2026-09-30T03:00:00+02:00",
        "2026-06-30T03:00:00+02:00",
        "2025-12-31T03:00:00+01:00",
        "2025-12-30T03:00:00+01:00",
        "2025-12-29T03:00:00+01:00",
    ]);
    generations[4].tags = vec!["release".into(), "web".into()];
    generations[5].tags = vec![PROTECTED_TAG.into()];
    let mut policy = Policy {
        last: Some(Many::Of(1)),
        buckets: buckets(&[
            (Bucket::Day, Many::Of(2)),
            (Bucket::Week, Many::Of(1)),
            (Bucket::Quarter, Many::Of(2)),
        ]),
        within: Some("1d".parse().unwrap()),
        tags: vec![vec!["web".into(), "release".into()]],
        ids: vec![generations[7].id],
        ..Policy::default()
    };
    policy.within_buckets[Bucket::Year as usize] = Some("2y".parse().unwrap());
    let outcome = apply(&policy, &generations, GroupBy::HOST_AND_PATHS, now(), &berlin());
    assert_snapshot!(told(&outcome, &generations), @"
    2026-11-29T03:00:00+01:00 within 1d; last snapshot; daily snapshot; weekly snapshot; quarterly snapshot; yearly within 2y
    2026-11-28T03:00:00+01:00 daily snapshot
    2026-09-30T03:00:00+02:00 has tags [web, release]; quarterly snapshot
    2026-06-30T03:00:00+02:00 protected
    2025-12-31T03:00:00+01:00 yearly within 2y
    2025-12-30T03:00:00+01:00 named by id
    2025-12-29T03:00:00+01:00 oldest yearly within 2y
    2026-11-28T02:00:00+01:00 -
    2026-10-31T03:00:00+01:00 -
    ");
    let policy = Policy {
        period: Some(Period { days: 30, floor: 4 }),
        ..Policy::default()
    };
    let outcome = apply(&policy, &generations, GroupBy::HOST_AND_PATHS, now(), &berlin());
    assert_snapshot!(told(&outcome, &generations), @"
    2026-11-29T03:00:00+01:00 younger than 30 days; newest 4
    2026-11-28T03:00:00+01:00 younger than 30 days; newest 4
    2026-11-28T02:00:00+01:00 younger than 30 days; newest 4
    2026-10-31T03:00:00+01:00 younger than 30 days; newest 4
    2026-06-30T03:00:00+02:00 protected
    2026-09-30T03:00:00+02:00 -
    2025-12-31T03:00:00+01:00 -
    2025-12-30T03:00:00+01:00 -
    2025-12-29T03:00:00+01:00 -
    ");
}

#[test]
fn the_oldest_stays_while_a_count_is_left() {
    let generations = history(&[
        "2026-07-01T12:00:00Z",
        "2026-07-01T01:30:00Z",
        "2026-01-01T11:30:00Z",
        "2026-01-01T11:20:00Z",
        "2026-01-01T11:10:00Z",
    ]);
    let policy = Policy {
        buckets: buckets(&[(Bucket::Day, Many::Of(10)), (Bucket::Month, Many::Of(2))]),
        ..Policy::default()
    };
    let outcome = apply(&policy, &generations, GroupBy::default(), now(), &TimeZone::UTC);
    assert_snapshot!(told(&outcome, &generations), @"
    2026-07-01T12:00:00Z daily snapshot; monthly snapshot
    2026-01-01T11:30:00Z daily snapshot; monthly snapshot
    2026-01-01T11:10:00Z oldest daily snapshot
    2026-07-01T01:30:00Z -
    2026-01-01T11:20:00Z -
    ");
}

#[test]
fn spans_count_from_the_newest_that_is_not_in_the_future() {
    let generations = history(&[
        "2027-01-01T00:00:00Z",
        "2026-11-20T00:00:00Z",
        "2026-11-19T00:00:00Z",
        "2026-11-18T00:00:00Z",
    ]);
    let policy = Policy {
        within: Some("2d".parse().unwrap()),
        ..Policy::default()
    };
    let outcome = apply(&policy, &generations, GroupBy::default(), now(), &TimeZone::UTC);
    assert_snapshot!(told(&outcome, &generations), @"
    2027-01-01T00:00:00Z within 2d
    2026-11-20T00:00:00Z within 2d
    2026-11-19T00:00:00Z within 2d
    2026-11-18T00:00:00Z -
    ");
    // When all are in the future, all are within.
    let before = Time::parse("2020-01-01T00:00:00Z").unwrap();
    let outcome = apply(&policy, &generations, GroupBy::default(), before, &TimeZone::UTC);
    assert_eq!(outcome.kept().len(), 4);
}

#[test]
fn a_period_leaves_the_newest_alone_whatever_the_clocks_said() {
    let generations = history(&["2027-01-01T00:00:00Z", "2020-03-01T00:00:00Z", "2020-02-01T00:00:00Z"]);
    let outcome = apply(
        &Policy::of_days(730),
        &generations,
        GroupBy::default(),
        now(),
        &TimeZone::UTC,
    );
    assert_snapshot!(told(&outcome, &generations), @"
    2027-01-01T00:00:00Z younger than 730 days
    2020-03-01T00:00:00Z newest one
    2020-02-01T00:00:00Z -
    ");
}

#[test]
fn groups_that_would_be_emptied_are_named() {
    let mut generations = history(&["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]);
    generations[0].hostname = "web".into();
    generations[1].hostname = "db".into();
    generations[1].tags = vec!["x".into()];
    generations[2].hostname = "db".into();
    let policy = Policy {
        tags: vec![vec!["x".into()]],
        ..Policy::default()
    };
    let by: GroupBy = "host".parse().unwrap();
    let outcome = apply(&policy, &generations, by, now(), &TimeZone::UTC);
    let emptied: Vec<_> = outcome.emptied().map(|key| key.host.clone().unwrap()).collect();
    assert_eq!(emptied, ["web"]);
    assert_eq!(outcome.removed(), [generations[2].id, generations[0].id]);
    // A rule that says nothing takes nothing, even where nobody refused it.
    let outcome = apply(&Policy::default(), &generations, by, now(), &TimeZone::UTC);
    assert_eq!((outcome.removed().len(), outcome.emptied().count()), (0, 0));
    assert!(
        outcome
            .groups
            .iter()
            .flat_map(|group| &group.kept)
            .all(|kept| kept.reasons == [Reason::NoRule])
    );
}

#[test]
fn lists_of_tags_are_read_as_restic_reads_them() {
    let mut generations = history(&["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]);
    generations[0].tags = vec!["a".into(), "b".into()];
    let kept = |list: &[&str]| {
        let policy = Policy {
            tags: vec![list.iter().map(|tag| (*tag).to_owned()).collect()],
            ..Policy::default()
        };
        let outcome = apply(&policy, &generations, GroupBy::default(), now(), &TimeZone::UTC);
        let kept = outcome.kept();
        generations
            .iter()
            .map(|generation| kept.contains(&generation.id))
            .collect::<Vec<_>>()
    };
    assert_eq!(kept(&["b", "a"]), [true, false]);
    assert_eq!(kept(&["a", "c"]), [false, false]);
    assert_eq!(kept(&[]), [false, true]);
    assert_eq!(kept(&[""]), [false, true]);
    assert_eq!(kept(&["", "c"]), [false, true]);
    assert_eq!(kept(&["c", ""]), [false, false]);
}

/// Daily generations of some days up to now, newest first.
fn daily(days: u8) -> Vec<Generation> {
    let start = now().seconds;
    (0..days)
        .map(|n| generation(n + 1, start - i64::from(n) * 86_400 - 3600))
        .collect()
}

/// What is left, in days, when so many may stay.
fn ladder(generations: &[Generation], most: usize) -> Vec<i64> {
    let mut outcome = apply(&budget_only(), generations, GroupBy::default(), now(), &TimeZone::UTC);
    let weigh = |kept: &HashSet<Id>| Ok::<_, Infallible>(kept.len() <= most);
    fit(&mut outcome, generations, &Budget::Size(1), now(), weigh).unwrap();
    let kept = outcome.kept();
    let left = generations.iter().filter(|generation| kept.contains(&generation.id));
    left.map(|generation| (now().seconds - generation.time.seconds) / 86_400)
        .collect()
}

fn budget_only() -> Policy {
    Policy {
        fit: Some(Budget::Size(1)),
        ..Policy::default()
    }
}

#[test]
fn a_budget_thins_out_what_is_old_and_keeps_the_reach() {
    let generations = daily(100);
    assert_eq!(ladder(&generations, 100).len(), 100);
    assert_compact_debug_snapshot!(ladder(&generations, 40), @"[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 39, 43, 47, 51, 55, 59, 63, 67, 71, 75, 83, 91, 99]");
    assert_compact_debug_snapshot!(ladder(&generations, 12), @"[0, 1, 2, 3, 5, 7, 11, 19, 35, 51, 67, 99]");
    assert_compact_debug_snapshot!(ladder(&generations, 6), @"[0, 1, 3, 7, 35, 99]");
    assert_eq!(ladder(&generations, 1), [0]);
    // Nothing fits: the newest stays.
    assert_eq!(ladder(&generations, 0), [0]);
}

#[test]
fn what_must_stay_stays_and_says_so() {
    let mut generations = daily(6);
    generations[3].tags = vec![PROTECTED_TAG.into()];
    generations[0].time.seconds += 40 * 86_400;
    let policy = Policy {
        ids: vec![generations[5].id],
        buckets: buckets(&[(Bucket::Day, Many::All)]),
        ..budget_only()
    };
    let by = GroupBy::default();
    let fitted = |most: usize| {
        let mut outcome = apply(&policy, &generations, by, now(), &TimeZone::UTC);
        let weigh = |kept: &HashSet<Id>| Ok::<_, Infallible>(kept.len() <= most);
        fit(&mut outcome, &generations, &Budget::Size(500_000_000_000), now(), weigh).unwrap();
        (told(&outcome, &generations), outcome.budget.unwrap())
    };
    let (text, budget) = fitted(4);
    assert_eq!(budget, Fitted::Fits { gone: 2 });
    assert_snapshot!(text, @"
    2027-01-08T11:00:00Z daily snapshot; fits in 465.7 GiB
    2026-11-28T11:00:00Z daily snapshot; fits in 465.7 GiB
    2026-11-26T11:00:00Z protected; daily snapshot; fits in 465.7 GiB
    2026-11-24T11:00:00Z named by id; daily snapshot; fits in 465.7 GiB
    2026-11-27T11:00:00Z -
    2026-11-25T11:00:00Z -
    ");
    let (text, budget) = fitted(3);
    assert_eq!(budget, Fitted::TooMuch { gone: 2 });
    assert_snapshot!(text, @"
    2027-01-08T11:00:00Z daily snapshot
    2026-11-28T11:00:00Z daily snapshot
    2026-11-26T11:00:00Z protected; daily snapshot
    2026-11-24T11:00:00Z named by id; daily snapshot
    2026-11-27T11:00:00Z -
    2026-11-25T11:00:00Z -
    ");
    assert_eq!(fitted(6).1, Fitted::Fits { gone: 0 });
}

#[test]
fn a_budget_that_cannot_be_weighed_is_no_answer() {
    let generations = daily(3);
    let mut outcome = apply(&budget_only(), &generations, GroupBy::default(), now(), &TimeZone::UTC);
    let before = outcome.clone();
    assert_eq!(
        fit(&mut outcome, &generations, &Budget::Size(1), now(), |_| Err("no")),
        Err("no")
    );
    assert_eq!(outcome, before);
}

#[test]
fn few_weighings_are_enough() {
    let start = now().seconds;
    let number = |n: u32| Id::of(&n.to_le_bytes());
    let generations: Vec<Generation> = (0..5000)
        .map(|n| Generation {
            id: number(n),
            ..generation(0, start - i64::from(n) * 4000 - 1)
        })
        .collect();
    let mut outcome = apply(&budget_only(), &generations, GroupBy::default(), now(), &TimeZone::UTC);
    let mut weighed = 0;
    let weigh = |kept: &HashSet<Id>| {
        weighed += 1;
        Ok::<_, Infallible>(kept.len() <= 1234)
    };
    fit(&mut outcome, &generations, &Budget::Size(1), now(), weigh).unwrap();
    assert_eq!(outcome.kept().len(), 1234);
    assert!(weighed <= 15, "{weighed}");
}

// The model: each rule by its definition, for one generation at a time.

/// How each bucket calls the stretch of a moment, by another calendar.
fn name(bucket: Bucket, time: &Time) -> String {
    let text = time.to_string();
    let date: Date = text[..10].parse().unwrap();
    let week = date.iso_week_date();
    match bucket {
        Bucket::Hour => text[..13].into(),
        Bucket::Day => text[..10].into(),
        Bucket::Week => format!("{}-W{}", week.year(), week.week()),
        Bucket::Month => text[..7].into(),
        Bucket::Quarter => format!("{}-Q{}", &text[..4], (date.month() + 2) / 3),
        Bucket::Year => text[..4].into(),
    }
}

/// The model counts spans with jiff, and its histories are told in UTC, where there is but one way to.
fn from(latest: &Time, span: Span) -> (i64, u32) {
    let at: DateTime = latest.to_string()[..19].parse().unwrap();
    let months = i32::from(at.year()) * 12 + i32::from(at.month()) - 1 - (span.years * 12 + span.months) as i32;
    let month = Date::new((months.div_euclid(12)) as i16, (months.rem_euclid(12) + 1) as i8, 1).unwrap();
    let date = month
        .checked_add(jiff::Span::new().days(i64::from(at.day()) - 1 - i64::from(span.days)))
        .unwrap();
    let at = date
        .to_datetime(at.time())
        .checked_sub(jiff::Span::new().hours(span.hours))
        .unwrap();
    (
        at.to_zoned(TimeZone::UTC).unwrap().timestamp().as_second(),
        latest.nanos,
    )
}

fn naive(policy: &Policy, all: &[Generation], by: GroupBy, now: Time) -> Vec<(GroupKey, Vec<(Id, bool)>)> {
    let mut keys: Vec<GroupKey> = all.iter().map(|one| GroupKey::of(one, by)).collect();
    keys.sort();
    keys.dedup();
    let mut out = Vec::new();
    for key in keys {
        let mut members: Vec<&Generation> = all.iter().filter(|one| GroupKey::of(one, by) == key).collect();
        members.sort_by_key(|one| (Reverse(one.time.instant()), one.id));
        let past: Vec<&&Generation> = members
            .iter()
            .filter(|one| one.time.instant() < now.instant())
            .collect();
        let is_within = |one: &Generation, span: Span| match past.first() {
            _ if span == Span::default() => false,
            Some(latest) => one.time.instant() > from(&latest.time, span),
            None => true,
        };
        // Whether one is the newest of its stretch among those at `places`, or the last of all.
        let heads = |bucket: Bucket, places: &[usize]| -> Vec<usize> {
            let names: Vec<String> = places.iter().map(|at| name(bucket, &members[*at].time)).collect();
            let is_head = |n: usize| n == 0 || names[n] != names[n - 1] || places[n] + 1 == members.len();
            (0..places.len()).filter(|n| is_head(*n)).map(|n| places[n]).collect()
        };
        let everywhere: Vec<usize> = (0..members.len()).collect();
        let stays = |at: usize| {
            let one = members[at];
            let among = |many: Option<Many>, places: &[usize]| match many {
                None => false,
                Some(Many::Of(n)) => places.iter().take(n as usize).any(|place| *place == at),
                Some(Many::All) => places.contains(&at),
            };
            let spanned = |bucket: Bucket, span: Span| {
                let places: Vec<usize> = (0..members.len()).filter(|at| is_within(members[*at], span)).collect();
                heads(bucket, &places).contains(&at)
            };
            one.tags.iter().any(|tag| tag == "protected")
                || policy.ids.contains(&one.id)
                || policy
                    .tags
                    .iter()
                    .any(|list| list.iter().all(|tag| one.tags.contains(tag)))
                || policy.within.is_some_and(|span| is_within(one, span))
                || among(policy.last, &everywhere)
                || Bucket::ALL
                    .iter()
                    .any(|bucket| among(policy.bucket(*bucket), &heads(*bucket, &everywhere)))
                || Bucket::ALL
                    .iter()
                    .any(|bucket| policy.within_bucket(*bucket).is_some_and(|span| spanned(*bucket, span)))
                || policy.period.is_some_and(|period| {
                    let age = i128::from(now.seconds - one.time.seconds) * 1_000_000_000 + i128::from(now.nanos)
                        - i128::from(one.time.nanos);
                    let newer = members[..at]
                        .iter()
                        .filter(|other| other.time.instant() <= now.instant())
                        .count();
                    age < i128::from(period.days) * 86_400_000_000_000 || newer < period.floor as usize
                })
        };
        let fates = (0..members.len()).map(|at| (members[at].id, stays(at))).collect();
        out.push((key, fates));
    }
    out
}

/// Generations of one to three series, some in the same second, some in the future.
fn histories() -> impl Strategy<Value = Vec<Generation>> {
    let steps = prop_oneof![Just(0i64), 1i64..7200, 3600i64..200_000, 86_400i64..9_000_000];
    let one = (
        steps,
        0u32..3,
        0u8..3,
        prop::sample::subsequence(vec!["a", "b", "protected"], 0..=2),
    );
    (prop::collection::vec(one, 1..40), -2_000_000i64..200_000_000).prop_map(|(ones, begin)| {
        let mut seconds = now().seconds - begin;
        let ones = ones.into_iter().zip(1u8..).map(|((step, nanos, host, tags), id)| {
            seconds += step;
            let mut one = generation(id.wrapping_mul(101), seconds);
            one.time.nanos = nanos;
            one.hostname = format!("h{host}");
            one.tags = tags.into_iter().map(str::to_owned).collect();
            one
        });
        ones.collect()
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    let many =
        || prop_oneof![5 => Just(None), 1 => Just(Some(Many::All)), 6 => (0u32..6).prop_map(|n| Some(Many::Of(n)))];
    let span = || {
        let span = (0u32..2, 0u32..14, 0u32..40, 0u32..30).prop_map(|(years, months, days, hours)| Span {
            years,
            months,
            days,
            hours,
        });
        prop::option::weighted(0.2, span)
    };
    let tags = prop::collection::vec(
        prop::sample::subsequence(vec!["a".to_owned(), "b".to_owned()], 1..=2),
        0..2,
    );
    let period = prop::option::weighted(
        0.3,
        (0u32..500, 0u32..4).prop_map(|(days, floor)| Period { days, floor }),
    );
    let id = prop::option::weighted(0.3, (1u8..40).prop_map(|id| Id([id.wrapping_mul(101); 32])));
    (
        many(),
        prop::array::uniform6(many()),
        span(),
        prop::array::uniform6(span()),
        tags,
        period,
        id,
    )
        .prop_map(|(last, buckets, within, within_buckets, tags, period, id)| Policy {
            last,
            buckets,
            within,
            within_buckets,
            tags,
            ids: id.into_iter().collect(),
            period,
            fit: None,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn rules_agree_with_their_definitions(policy in policies(), generations in histories(), host: bool, tags: bool) {
        prop_assume!(!policy.is_empty());
        let by = GroupBy { host, paths: false, tags };
        let outcome = apply(&policy, &generations, by, now(), &TimeZone::UTC);
        let found: Vec<(GroupKey, Vec<(Id, bool)>)> = outcome.groups.iter().map(|group| {
            let times: HashMap<Id, _> = generations.iter().map(|one| (one.id, one.time.instant())).collect();
            let kept = group.kept.iter().map(|kept| (kept.id, true));
            let mut fates: Vec<_> = kept.chain(group.removed.iter().map(|id| (*id, false))).collect();
            fates.sort_by_key(|(id, _)| (Reverse(times[id]), *id));
            (group.key.clone(), fates)
        }).collect();
        prop_assert_eq!(found, naive(&policy, &generations, by, now()));
        // Whoever stays has a reason.
        prop_assert!(outcome.groups.iter().flat_map(|group| &group.kept).all(|kept| !kept.reasons.is_empty()));
    }

    /// Who leaves next is found anew each time by looking at all.
    #[test]
    fn the_order_of_leaving_is_by_rank(policy in policies(), generations in histories(), host: bool) {
        let by = GroupBy { host, paths: false, tags: false };
        let outcome = apply(&policy, &generations, by, now(), &TimeZone::UTC);
        let mut series: Vec<Vec<&Generation>> = outcome.groups.iter().map(|group| {
            group.kept.iter().map(|kept| generations.iter().find(|one| one.id == kept.id).unwrap()).collect()
        }).collect();
        let mut expected = Vec::new();
        let named: HashSet<Id> = policy.ids.iter().copied().collect();
        let newest_past: HashSet<Id> = series.iter().filter_map(|all| all.iter().find(|one| one.time.instant() <= now().instant())).map(|one| one.id).collect();
        loop {
            let mut ranks = BTreeMap::new();
            for (n, all) in series.iter().enumerate() {
                for at in 1..all.len() {
                    let one = all[at];
                    if one.tags.iter().any(|tag| tag == PROTECTED_TAG) || named.contains(&one.id) || newest_past.contains(&one.id) {
                        continue;
                    }
                    let age = i128::from((now().seconds - one.time.seconds).max(1));
                    let hole = all.get(at + 1).map_or(2 * age, |older| i128::from(all[at - 1].time.seconds - older.time.seconds));
                    // The whole of the ratio and what is left of it, exact enough for these ages.
                    let rank = hole * 1_000_000_000_000_000_000_000 / age;
                    ranks.insert((rank, one.time.seconds, one.id), (n, at));
                }
            }
            let Some((n, at)) = ranks.into_values().next() else { break };
            expected.push(series[n].remove(at).id);
        }
        prop_assert_eq!(leaving(&outcome, &generations, now()), expected);
    }

    /// No more leaves than must, the reasons are complete, and nothing is lost.
    #[test]
    fn a_budget_takes_the_fewest(policy in policies(), generations in histories(), weights in prop::collection::vec(1u64..1000, 40), share in 0u64..110) {
        let policy = Policy { fit: Some(Budget::Size(1)), ..policy };
        let mut outcome = apply(&policy, &generations, GroupBy::default(), now(), &TimeZone::UTC);
        let order = leaving(&outcome, &generations, now());
        let before = outcome.kept();
        // Each weighs something of its own, and all together the heaviest of them once more: a sum that is none of parts.
        let weigh = |kept: &HashSet<Id>| {
            let each = kept.iter().map(|id| weights[usize::from(id.0[0]) % 40]);
            each.clone().sum::<u64>() + each.max().unwrap_or(0)
        };
        let most = weigh(&before) * share / 100;
        fit(&mut outcome, &generations, &Budget::Size(most), now(), |kept| Ok::<_, Infallible>(weigh(kept) <= most)).unwrap();
        let first = (0..=order.len()).find(|gone| {
            let kept = before.iter().filter(|id| !order[..*gone].contains(id)).copied().collect();
            weigh(&kept) <= most
        });
        let gone: HashSet<Id> = order[..first.unwrap_or(order.len())].iter().copied().collect();
        prop_assert_eq!(outcome.kept(), before.difference(&gone).copied().collect::<HashSet<_>>());
        prop_assert_eq!(outcome.budget, Some(match first {
            Some(gone) => Fitted::Fits { gone },
            None => Fitted::TooMuch { gone: order.len() },
        }));
        prop_assert_eq!(outcome.kept().len() + outcome.removed().len(), generations.len());
        prop_assert!(outcome.groups.iter().flat_map(|group| &group.kept).all(|kept| !kept.reasons.is_empty()));
    }
}

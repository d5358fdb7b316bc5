//! What becomes of the snapshots that policies took: by the rule of each, and by the limit of their target.
//!
//! Rules are those of generations ([`crate::retention`]). What a rollback kept goes from the day on that was told when it was
//! taken. What a person took and what another program made never goes by itself, and nothing that is protected goes at all.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::{MadeBy, Snapshot, SnapshotId, Whole};
use crate::retention::{self, Policy};
use crate::vault::generation::GroupBy;
use crate::vault::{Generation, Id, Time};

/// How much later than now a snapshot may have been taken, seconds: clocks of others are not quite ours.
const SKEW: i64 = 600;

/// Whether a snapshot is of a time that is yet to come: then this clock is wrong now, or was then.
fn is_ahead(snapshot: &Snapshot, now: Time) -> bool {
    matches!(snapshot.made_by, MadeBy::Policy(_)) && snapshot.taken.seconds > now.seconds.saturating_add(SKEW)
}

/// The newest of a target's snapshots if it is of a time that is yet to come: nothing goes by rules while that is so.
pub fn ahead(snapshots: &[Snapshot], now: Time) -> Option<&Snapshot> {
    let ahead = snapshots.iter().filter(|snapshot| is_ahead(snapshot, now));
    ahead.max_by_key(|snapshot| snapshot.taken.seconds)
}

/// What one policy keeps.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule<'a> {
    /// The policy's name.
    pub name: &'a str,
    /// What of its snapshots stays.
    pub keep: &'a Policy,
    /// What was taken before is not touched by the rule.
    pub since: Option<Time>,
}

/// What becomes of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// Which.
    pub id: SnapshotId,
    /// Whether it goes when its policy runs next; what a rollback kept, with the next policy or rollback there.
    pub goes: bool,
    /// Why, in words; empty for what never goes by itself.
    pub words: String,
}

/// The fates of all snapshots of one target, in their order. `limit` is the most that policies may have there together.
pub fn fates(snapshots: &[Snapshot], rules: &[Rule], limit: Option<u32>, now: Time, zone: &TimeZone) -> Vec<Fate> {
    let mut fates: Vec<Fate> = snapshots
        .iter()
        .map(|snapshot| Fate {
            id: snapshot.id.clone(),
            goes: false,
            words: String::new(),
        })
        .collect();
    for rule in rules {
        judge(snapshots, rule, now, zone, &mut fates);
    }
    for (snapshot, fate) in snapshots.iter().zip(&mut fates) {
        if let Some(until) = snapshot.until.filter(|_| matches!(snapshot.made_by, MadeBy::Safety(_))) {
            let day = crate::text::stamp(until.seconds, zone);
            fate.goes = !snapshot.protected && until.seconds <= now.seconds;
            fate.words = match (snapshot.protected, fate.goes) {
                (true, _) => "kept: protected".into(),
                (false, true) => format!("goes: was to stay until {day}"),
                (false, false) => format!("goes by itself from {day} on"),
            };
        }
    }
    let automatic = |n: &usize| matches!(snapshots[*n].made_by, MadeBy::Policy(_));
    for n in (0..snapshots.len()).filter(automatic) {
        if snapshots[n].protected {
            fates[n].words = "kept: protected".into();
        } else if fates[n].words.is_empty() {
            fates[n].words = "kept: its policy is gone".into();
        }
    }
    if let Some(limit) = limit {
        let mut left: Vec<usize> = (0..snapshots.len())
            .filter(automatic)
            .filter(|n| !fates[*n].goes && !snapshots[*n].protected && !is_ahead(&snapshots[*n], now))
            .filter(|n| snapshots[*n].whole.is_whole())
            .collect();
        left.sort_by_key(|n| (snapshots[*n].taken.seconds, snapshots[*n].taken.nanos));
        let surplus = left.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
        for n in left.into_iter().take(surplus) {
            fates[n].goes = true;
            fates[n].words = format!("goes: more than {limit} of this target");
        }
    }
    if ahead(snapshots, now).is_some() {
        for n in (0..snapshots.len()).filter(automatic) {
            if fates[n].goes {
                fates[n].goes = false;
                fates[n].words = "kept for now: the newest one is later than the clock".into();
            }
        }
    }
    fates
}

fn judge(snapshots: &[Snapshot], rule: &Rule, now: Time, zone: &TimeZone, fates: &mut [Fate]) {
    let is_own = |snapshot: &Snapshot| snapshot.made_by == MadeBy::Policy(rule.name.to_owned());
    let is_old = |snapshot: &Snapshot| {
        let moment = |time: &Time| (time.seconds, time.nanos);
        rule.since.is_some_and(|since| moment(&snapshot.taken) < moment(&since))
    };
    let mut numbers: HashMap<Id, usize> = HashMap::new();
    let mut generations = Vec::new();
    for (n, snapshot) in snapshots.iter().enumerate().filter(|(_, snapshot)| is_own(snapshot)) {
        if is_old(snapshot) {
            fates[n].words = "kept: taken before its rule was changed".into();
            continue;
        }
        // What brings back nothing uses up nothing of what the rule keeps either.
        match snapshot.whole {
            Whole::Yes => {}
            Whole::Soon => {
                fates[n].words = "kept: it is still being written".into();
                continue;
            }
            Whole::Never => {
                fates[n].goes = !snapshot.protected;
                fates[n].words = "goes: it could not be written, and brings back nothing".into();
                continue;
            }
        }
        // They use up nothing of what the rule keeps.
        if is_ahead(snapshot, now) {
            fates[n].words = "kept: taken later than the clock says it is".into();
            continue;
        }
        let generation = generation(snapshot);
        numbers.insert(generation.id, n);
        generations.push(generation);
    }
    let all = GroupBy {
        host: false,
        paths: false,
        tags: false,
    };
    let outcome = retention::apply(rule.keep, &generations, all, now, zone);
    for group in outcome.groups {
        for kept in group.kept {
            if let Some(n) = numbers.get(&kept.id) {
                let reasons: Vec<String> = kept.reasons.iter().map(ToString::to_string).collect();
                fates[*n].words = format!("kept: {}", reasons.join(", "));
            }
        }
        for gone in group.removed {
            if let Some(n) = numbers.get(&gone) {
                fates[*n].goes = true;
                fates[*n].words = "goes: its rule does not keep it".into();
            }
        }
    }
}

/// A snapshot as the rules of generations see it.
fn generation(snapshot: &Snapshot) -> Generation {
    let tags = match snapshot.protected {
        true => vec![retention::PROTECTED_TAG.to_owned()],
        false => Vec::new(),
    };
    Generation {
        id: Id::of(snapshot.id.0.as_bytes()),
        time: snapshot.taken,
        parent: None,
        tree: Id::ZERO,
        paths: Vec::new(),
        hostname: String::new(),
        username: String::new(),
        uid: 0,
        gid: 0,
        excludes: Vec::new(),
        tags,
        original: None,
        program_version: String::new(),
        summary: None,
        unknown: serde_json::Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::retention::{Many, Period};
    use crate::snapshot::testing;

    const DAY: i64 = 86_400;

    fn shown(snapshots: &[Snapshot], rules: &[Rule], limit: Option<u32>) -> String {
        let fates = fates(snapshots, rules, limit, testing::time(100 * DAY), &TimeZone::UTC);
        let lines = fates
            .iter()
            .map(|fate| format!("{} {} {}", fate.id, fate.goes, fate.words));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn taken(id: &str, day: i64, made_by: MadeBy) -> Snapshot {
        Snapshot {
            made_by,
            ..testing::snapshot(id, day * DAY)
        }
    }

    #[test]
    fn rules_and_limits_take_only_what_policies_took() {
        let policy = || MadeBy::Policy("daily".into());
        let mut snapshots = vec![
            taken("a", 10, MadeBy::Hand),
            taken("b", 11, policy()),
            taken("c", 12, policy()),
            taken("d", 13, policy()),
            taken("e", 14, MadeBy::Policy("gone".into())),
            taken("f", 15, MadeBy::Other),
            taken("g", 16, policy()),
        ];
        snapshots[1].protected = true;
        let keep = Policy {
            last: Some(Many::Of(2)),
            ..Policy::default()
        };
        let mut rule = Rule {
            name: "daily",
            keep: &keep,
            since: None,
        };
        insta::assert_snapshot!(shown(&snapshots, std::slice::from_ref(&rule), None), @r"
        a false 
        b false kept: protected
        c true goes: its rule does not keep it
        d false kept: last snapshot
        e false kept: its policy is gone
        f false 
        g false kept: last snapshot
        ");
        rule.since = Some(testing::time(13 * DAY));
        insta::assert_snapshot!(shown(&snapshots, &[rule], Some(2)), @r"
        a false 
        b false kept: protected
        c true goes: more than 2 of this target
        d true goes: more than 2 of this target
        e false kept: its policy is gone
        f false 
        g false kept: last snapshot
        ");
    }

    #[test]
    fn what_is_not_whole_counts_for_nothing() {
        let one = |id: &str, day: i64, whole: Whole, protected: bool| Snapshot {
            whole,
            protected,
            ..taken(id, day, MadeBy::Policy("daily".into()))
        };
        let snapshots = [
            one("a", 10, Whole::Yes, false),
            one("b", 11, Whole::Yes, false),
            one("c", 12, Whole::Soon, false),
            one("d", 13, Whole::Never, false),
            one("e", 14, Whole::Never, true),
        ];
        let keep = Policy {
            last: Some(Many::Of(1)),
            ..Policy::default()
        };
        let rule = Rule {
            name: "daily",
            keep: &keep,
            since: None,
        };
        insta::assert_snapshot!(shown(&snapshots, &[rule], Some(1)), @r"
        a true goes: its rule does not keep it
        b false kept: last snapshot
        c false kept: it is still being written
        d true goes: it could not be written, and brings back nothing
        e false kept: protected
        ");
    }

    #[test]
    fn nothing_goes_while_the_clock_is_behind() {
        let policy = || MadeBy::Policy("daily".into());
        let keep = Policy {
            last: Some(Many::Of(1)),
            ..Policy::default()
        };
        let rule = Rule {
            name: "daily",
            keep: &keep,
            since: None,
        };
        let mut snapshots = vec![
            taken("a", 90, policy()),
            taken("b", 99, policy()),
            taken("c", 200, policy()),
            taken("d", 201, policy()),
        ];
        assert_eq!(
            ahead(&snapshots, testing::time(100 * DAY)).map(|one| one.id.0.as_str()),
            Some("d")
        );
        insta::assert_snapshot!(shown(&snapshots, std::slice::from_ref(&rule), Some(1)), @r"
        a false kept for now: the newest one is later than the clock
        b false kept: last snapshot
        c false kept: taken later than the clock says it is
        d false kept: taken later than the clock says it is
        ");
        // A cloud's clock may be a little ahead.
        snapshots.truncate(2);
        snapshots.push(Snapshot {
            made_by: policy(),
            ..testing::snapshot("c", 100 * DAY + 60)
        });
        insta::assert_snapshot!(shown(&snapshots, &[rule], None), @r"
        a true goes: its rule does not keep it
        b true goes: its rule does not keep it
        c false kept: last snapshot
        ");
    }

    #[test]
    fn what_a_rollback_kept_goes_from_the_day_that_was_told() {
        let safety = |id: &str, until: Option<i64>, protected: bool| Snapshot {
            until: until.map(|day| testing::time(day * DAY)),
            protected,
            ..taken(id, 80, MadeBy::Safety(SnapshotId("0".repeat(12))))
        };
        let snapshots = [
            safety("a", None, false),
            safety("b", Some(100), false),
            safety("c", Some(101), false),
            safety("d", Some(100), true),
            // Only what a rollback kept.
            Snapshot {
                until: Some(testing::time(1)),
                ..taken("e", 80, MadeBy::Hand)
            },
        ];
        insta::assert_snapshot!(shown(&snapshots, &[], Some(0)), @r"
        a false 
        b true goes: was to stay until 1970-04-11 00:00
        c false goes by itself from 1970-04-12 00:00 on
        d false kept: protected
        e false 
        ");
    }

    fn maker() -> impl Strategy<Value = MadeBy> {
        prop_oneof![
            Just(MadeBy::Hand),
            Just(MadeBy::Other),
            Just(MadeBy::Backup),
            Just(MadeBy::Safety(SnapshotId("a".repeat(12)))),
            "[abc]".prop_map(MadeBy::Policy),
        ]
    }

    proptest! {
        /// Whatever the rules, the limit and the clock: what a person took, what is protected and what others made stays, and
        /// what a rollback kept until its day.
        #[test]
        fn only_what_policies_took_and_rollbacks_kept_ever_goes(
            made in proptest::collection::vec((maker(), 0..200_i64, any::<bool>(), proptest::option::of(0..200_i64)), 0..24),
            last in 0..4_u32,
            days in 1..50_u32,
            limit in proptest::option::of(0..4_u32),
            since in proptest::option::of(0..200_i64),
            now in 0..400_i64,
        ) {
            let snapshots: Vec<Snapshot> = made
                .iter()
                .enumerate()
                .map(|(n, (made_by, day, protected, until))| Snapshot {
                    protected: *protected,
                    until: until.map(|day| testing::time(day * DAY)),
                    ..taken(&format!("{n:012x}"), *day, made_by.clone())
                })
                .collect();
            let keep = Policy {
                last: Some(Many::Of(last)),
                ..Policy::default()
            };
            let other = Policy {
                period: Some(Period { days, floor: 0 }),
                ..Policy::default()
            };
            let since = since.map(|day| testing::time(day * DAY));
            let rule = |name, keep, since| Rule { name, keep, since };
            let rules = [rule("a", &keep, since), rule("b", &other, None)];
            let all = fates(&snapshots, &rules, limit, testing::time(now * DAY), &TimeZone::UTC);
            prop_assert_eq!(all.len(), snapshots.len());
            for (snapshot, fate) in snapshots.iter().zip(&all) {
                prop_assert_eq!(&snapshot.id, &fate.id);
                if fate.goes {
                    let over = snapshot.until.is_some_and(|until| until.seconds <= now * DAY);
                    let may_go = match snapshot.made_by {
                        MadeBy::Policy(_) => true,
                        MadeBy::Safety(_) => over,
                        _ => false,
                    };
                    prop_assert!(may_go && !snapshot.protected);
                }
            }
            // A limit is kept to, but for what is protected, and while the clock is right.
            if let Some(limit) = limit.filter(|_| ahead(&snapshots, testing::time(now * DAY)).is_none()) {
                let stays = |(snapshot, fate): &(&Snapshot, &Fate)| {
                    matches!(snapshot.made_by, MadeBy::Policy(_)) && !snapshot.protected && !fate.goes
                };
                prop_assert!(snapshots.iter().zip(&all).filter(stays).count() <= limit as usize);
            }
        }
    }
}

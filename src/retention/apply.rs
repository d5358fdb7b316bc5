//! What a rule says of a list of generations.

use std::collections::HashSet;

use jiff::tz::TimeZone;

use super::calendar::{before, stretch};
use super::{Bucket, Many, Oldest, Policy, Reason, Span, is_protected};
use crate::vault::generation::{GroupBy, GroupKey, group};
use crate::vault::{Generation, Id, Time};

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Group by group, in order of their keys.
    pub groups: Vec<Group>,
    /// How it went with the rule's budget; `None` without one, and before it was weighed ([`super::fit`]).
    pub budget: Option<Fitted>,
}

/// What a rule says of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What its generations share.
    pub key: GroupKey,
    /// What stays, newest first.
    pub kept: Vec<Kept>,
    /// What goes, newest first.
    pub removed: Vec<Id>,
}

/// A generation that stays.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Which.
    pub id: Id,
    /// Why; at least one reason, once the budget is weighed.
    pub reasons: Vec<Reason>,
}

/// How it went with a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitted {
    /// What is kept fits, and so many that the rest of the rule would keep go for it.
    Fits {
        /// How many.
        gone: usize,
    },
    /// Not even what must stay fits: the newest of each group, what is protected and what is named. Only that is kept.
    TooMuch {
        /// How many went all the same.
        gone: usize,
    },
}

impl Outcome {
    /// All that stay.
    pub fn kept(&self) -> HashSet<Id> {
        let kept = self.groups.iter().flat_map(|group| &group.kept);
        kept.map(|kept| kept.id).collect()
    }

    /// All that go, group by group.
    pub fn removed(&self) -> Vec<Id> {
        self.groups
            .iter()
            .flat_map(|group| group.removed.iter().copied())
            .collect()
    }

    /// The groups of which nothing would be left.
    pub fn emptied(&self) -> impl Iterator<Item = &GroupKey> {
        let emptied = |group: &&Group| group.kept.is_empty() && !group.removed.is_empty();
        self.groups.iter().filter(emptied).map(|group| &group.key)
    }
}

/// Sorts generations into groups and says of each whether it stays. `now` is the moment the rule is applied at, `zone` the
/// local zone that spans are counted in. What the rule's budget takes is not in it yet: see [`super::fit`].
pub fn apply(policy: &Policy, generations: &[Generation], by: GroupBy, now: Time, zone: &TimeZone) -> Outcome {
    let groups = group(generations, by).into_iter().map(|(key, mut members)| {
        // restic leaves the order of equal moments to chance; here it is that of the ids.
        members.sort_by_key(|generation| (std::cmp::Reverse(generation.time.instant()), generation.id));
        let mut rules = Rules::new(policy, &members, now, zone);
        let (mut kept, mut removed) = (Vec::new(), Vec::new());
        for (nr, generation) in members.iter().enumerate() {
            let reasons = rules.reasons(generation, nr + 1 == members.len());
            // Without a rule beside the budget there is nothing yet that could make one go.
            if reasons.is_empty() && policy.keeps() {
                removed.push(generation.id);
            } else {
                let id = generation.id;
                kept.push(Kept { id, reasons });
            }
        }
        Group { key, kept, removed }
    });
    Outcome {
        groups: groups.collect(),
        budget: None,
    }
}

/// The parts of a rule on their way through a group, from the newest to the oldest.
struct Rules<'a> {
    policy: &'a Policy,
    ids: HashSet<Id>,
    last: Option<Many>,
    within: Option<(Span, (i64, u32))>,
    counted: Vec<(Bucket, Option<Many>, Seen)>,
    spanned: Vec<(Bucket, Span, (i64, u32), Seen)>,
    /// When the period begins.
    young: Option<(i64, u32)>,
    floor: u32,
    now: (i64, u32),
}

/// The stretch of the last one that was taken.
type Seen = Option<i64>;

impl<'a> Rules<'a> {
    fn new(policy: &'a Policy, members: &[&Generation], now: Time, zone: &TimeZone) -> Rules<'a> {
        // Spans count from the newest that is not in the future. If all are, they count from the year 1: everything is within.
        let beginning = Time {
            seconds: -62_135_596_800,
            nanos: 0,
            offset: 0,
        };
        let latest = members.iter().map(|generation| &generation.time);
        let latest = latest
            .filter(|time| time.instant() < now.instant())
            .max_by_key(|time| time.instant());
        let latest = latest
            .filter(|time| time.instant() > beginning.instant())
            .unwrap_or(&beginning);
        let span = |span: Option<Span>| {
            let span = span.filter(|span| !span.is_zero())?;
            Some((span, before(latest, span, zone)))
        };
        let counted = Bucket::ALL
            .into_iter()
            .map(|bucket| (bucket, policy.bucket(bucket), None));
        let spanned = Bucket::ALL.into_iter().filter_map(|bucket| {
            let (span, from) = span(policy.within_bucket(bucket))?;
            Some((bucket, span, from, None))
        });
        Rules {
            policy,
            ids: policy.ids.iter().copied().collect(),
            last: policy.last,
            within: span(policy.within),
            counted: counted.collect(),
            spanned: spanned.collect(),
            young: policy.period.map(|period| {
                let seconds = now.seconds.saturating_sub(i64::from(period.days) * 86_400);
                (seconds, now.nanos)
            }),
            floor: policy.period.map_or(0, |period| period.floor),
            now: now.instant(),
        }
    }

    /// Why the next one stays, in the order restic tells its reasons.
    fn reasons(&mut self, generation: &Generation, is_oldest: bool) -> Vec<Reason> {
        let (policy, time) = (self.policy, &generation.time);
        let mut reasons = Vec::new();
        if is_protected(&generation.tags) {
            reasons.push(Reason::Protected);
        }
        if self.ids.contains(&generation.id) {
            reasons.push(Reason::Id);
        }
        let tags = policy.tags.iter().filter(|list| has_tags(generation, list));
        reasons.extend(tags.map(|list| Reason::Tags(list.clone())));
        if let Some((span, from)) = self.within
            && time.instant() > from
        {
            reasons.push(Reason::Within(span));
        }
        if take(&mut self.last) {
            reasons.push(Reason::Last);
        }
        for (bucket, left, seen) in &mut self.counted {
            let Some(oldest) = is_next(seen, stretch(*bucket, time), is_oldest) else {
                continue;
            };
            if take(left) {
                *seen = Some(stretch(*bucket, time));
                reasons.push(Reason::Bucket(*bucket, oldest));
            }
        }
        for (bucket, span, from, seen) in &mut self.spanned {
            if time.instant() <= *from {
                continue;
            }
            if let Some(oldest) = is_next(seen, stretch(*bucket, time), is_oldest) {
                *seen = Some(stretch(*bucket, time));
                reasons.push(Reason::WithinBucket(*bucket, *span, oldest));
            }
        }
        if let (Some(period), Some(from)) = (policy.period, self.young) {
            if time.instant() > from {
                reasons.push(Reason::Period(period));
            }
            // One whose clock was wrong does not use up the floor: it is kept by its age anyway.
            if self.floor > 0 && time.instant() <= self.now {
                self.floor -= 1;
                reasons.push(Reason::Floor(period));
            }
        }
        if policy.is_empty() {
            reasons.push(Reason::NoRule);
        }
        reasons
    }
}

/// Takes one of a count, if there is one left.
fn take(left: &mut Option<Many>) -> bool {
    match left {
        None | Some(Many::Of(0)) => false,
        Some(Many::Of(n)) => {
            *n -= 1;
            true
        }
        Some(Many::All) => true,
    }
}

/// Whether one is the newest of a stretch: it lies in another than the one before; or else the oldest of all.
fn is_next(seen: &Seen, stretch: i64, is_oldest: bool) -> Option<Oldest> {
    match *seen != Some(stretch) {
        true => Some(Oldest::No),
        false => is_oldest.then_some(Oldest::Yes),
    }
}

/// As restic reads lists: an empty tag says yes for a generation that has none, whatever follows.
fn has_tags(generation: &Generation, list: &[String]) -> bool {
    if list.is_empty() {
        return generation.tags.is_empty();
    }
    for tag in list {
        if tag.is_empty() && generation.tags.is_empty() {
            return true;
        }
        if !generation.tags.contains(tag) {
            return false;
        }
    }
    true
}

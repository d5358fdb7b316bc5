//! What leaves for a budget, and in which order.
//!
//! The order is one of value, and does not depend on sizes. The series are the groups, of what the rest of the rule keeps.
//! Whoever would leave the smallest hole, measured by its age, leaves next; then the holes are measured anew:
//!
//! - The hole of a generation is the time from its older neighbour to its newer one; its rank is that time divided by its age.
//!   So what is old is thinned out before what is new, and of two that are equally old the one in the denser part goes.
//! - The oldest of a series has no older neighbour: without it nothing is left of what is as old. Its rank is 2, as if its hole
//!   were twice its age. A series is thus thinned until each is about 2.4 times as old as the one before (where a hole is twice
//!   the age of who leaves it), and only then becomes shorter, from its old end.
//! - Among equal ranks the older one leaves first, then the one with the lower id.
//! - The newest of each group never leaves (nor the newest that is not in the future, if that is another one), nor what is
//!   protected or named by id.
//!
//! Each one that leaves can only make the rest lighter, so the fewest that must leave are found by halving: a vault with 5,000
//! generations is weighed about 13 times.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap, HashSet};

use super::apply::{Fitted, Group, Outcome};
use super::{Budget, Reason};
use crate::vault::{Generation, Id, Time};

/// Takes away from what a rule keeps until `fits` says that the rest fits, the least valuable first (see the module), and no
/// more than that needs. `fits` is asked a few times and must not turn to "no" when fewer are kept. What goes joins the
/// removed ones; what stays says that it fits, or that it must stay although it does not.
pub fn fit<E>(
    outcome: &mut Outcome,
    generations: &[Generation],
    budget: &Budget,
    now: Time,
    mut fits: impl FnMut(&HashSet<Id>) -> Result<bool, E>,
) -> Result<(), E> {
    let order = leaving(outcome, generations, now);
    let kept = outcome.kept();
    let without = |gone: usize| {
        let mut kept = kept.clone();
        order[..gone].iter().for_each(|id| {
            kept.remove(id);
        });
        kept
    };
    let all = order.len();
    let gone = if fits(&kept)? {
        Some(0)
    } else if all == 0 || !fits(&without(all))? {
        None
    } else {
        // Too much without `low` of them, not without `high`.
        let (mut low, mut high) = (0, all);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            *(if fits(&without(middle))? { &mut high } else { &mut low }) = middle;
        }
        Some(high)
    };
    let leaving: HashSet<Id> = order[..gone.unwrap_or(all)].iter().copied().collect();
    settle(outcome, generations, &leaving, gone.map(|_| budget));
    outcome.budget = Some(match gone {
        Some(gone) => Fitted::Fits { gone },
        None => Fitted::TooMuch { gone: all },
    });
    Ok(())
}

/// Moves what is gone over, and gives the reasons of the rest.
fn settle(outcome: &mut Outcome, generations: &[Generation], gone: &HashSet<Id>, budget: Option<&Budget>) {
    let times: HashMap<Id, _> = generations.iter().map(|one| (one.id, one.time.instant())).collect();
    for group in &mut outcome.groups {
        let leaving = group.kept.iter().map(|kept| kept.id).filter(|id| gone.contains(id));
        group.removed.extend(leaving);
        group.removed.sort_by_key(|id| (Reverse(times.get(id)), *id));
        group.kept.retain(|kept| !gone.contains(&kept.id));
        for kept in &mut group.kept {
            match budget {
                Some(budget) => kept.reasons.push(Reason::Fits(budget.clone())),
                None if kept.reasons.is_empty() => kept.reasons.push(Reason::Newest),
                None => {}
            }
        }
    }
}

/// Those that may leave, in the order they do.
pub(super) fn leaving(outcome: &Outcome, generations: &[Generation], now: Time) -> Vec<Id> {
    let times: HashMap<Id, Time> = generations.iter().map(|one| (one.id, one.time)).collect();
    let mut heap = BinaryHeap::new();
    let mut series: Vec<Series> = Vec::with_capacity(outcome.groups.len());
    for group in &outcome.groups {
        let one = Series::new(group, &times, now);
        heap.extend(
            (0..one.members.len())
                .filter_map(|at| one.candidate(series.len(), at))
                .map(Reverse),
        );
        series.push(one);
    }
    let mut order = Vec::new();
    while let Some(Reverse(next)) = heap.pop() {
        let one = &mut series[next.series];
        // Its neighbours have changed since: it is in the heap once more.
        if one.members[next.at].version != next.version {
            continue;
        }
        order.push(next.id);
        for changed in one.leave(next.at).into_iter().flatten() {
            heap.extend(one.candidate(next.series, changed).map(Reverse));
        }
    }
    order
}

/// What a group keeps, newest first, each with its neighbours.
struct Series {
    members: Vec<Member>,
    now: i64,
}

struct Member {
    id: Id,
    /// Seconds since 1970.
    time: i64,
    newer: Option<usize>,
    older: Option<usize>,
    /// Whether it never leaves.
    stays: bool,
    /// Counts the changes of its neighbours.
    version: u32,
}

impl Series {
    fn new(group: &Group, times: &HashMap<Id, Time>, now: Time) -> Series {
        let count = group.kept.len();
        let mut newest_past = true;
        let members = group.kept.iter().enumerate().map(|(at, kept)| {
            let time = times.get(&kept.id).copied().unwrap_or_default();
            let past = time.instant() <= now.instant();
            let must = |reason: &Reason| matches!(reason, Reason::Protected | Reason::Id);
            let stays = at == 0 || (past && newest_past) || kept.reasons.iter().any(must);
            newest_past &= !past;
            Member {
                id: kept.id,
                time: time.seconds,
                newer: at.checked_sub(1),
                older: (at + 1 < count).then_some(at + 1),
                stays,
                version: 0,
            }
        });
        Series {
            members: members.collect(),
            now: now.seconds,
        }
    }

    /// How it ranks now; `None` for what never leaves.
    fn candidate(&self, series: usize, at: usize) -> Option<Candidate> {
        let member = &self.members[at];
        // The newest stays: there is a newer neighbour.
        let newer = member.newer.filter(|_| !member.stays)?;
        let age = self.now.saturating_sub(member.time).max(1);
        let hole = match member.older {
            Some(older) => self.members[newer].time.saturating_sub(self.members[older].time),
            None => age.saturating_mul(2),
        };
        Some(Candidate {
            hole,
            age,
            time: member.time,
            id: member.id,
            series,
            at,
            version: member.version,
        })
    }

    /// Takes one out; gives those whose hole has changed.
    fn leave(&mut self, at: usize) -> [Option<usize>; 2] {
        let (newer, older) = (self.members[at].newer, self.members[at].older);
        if let Some(newer) = newer {
            self.members[newer].older = older;
            self.members[newer].version += 1;
        }
        if let Some(older) = older {
            self.members[older].newer = newer;
            self.members[older].version += 1;
        }
        [newer, older]
    }
}

/// One that may leave. The least one leaves first.
struct Candidate {
    /// Seconds.
    hole: i64,
    /// Seconds, at least 1.
    age: i64,
    time: i64,
    id: Id,
    series: usize,
    at: usize,
    version: u32,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Candidate) -> Ordering {
        // hole ÷ age without rounding; both are seconds of a calendar of ten thousand years.
        let (this, that) = (
            i128::from(self.hole) * i128::from(other.age),
            i128::from(other.hole) * i128::from(self.age),
        );
        (this, self.time, self.id, self.version).cmp(&(that, other.time, other.id, other.version))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Candidate) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Candidate) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

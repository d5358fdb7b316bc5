//! Sums over all items of the same set, laid out so that what a kept set does not reach is found by bisection.
//!
//! Nearly all sets are one span of one lineage. These are sorted by where they start, then by where they end, with running
//! sums: of those that start between two neighbouring kept generations, the ones that no kept one reaches are those that
//! end before the second, a range for each start. The other sets are looked at one by one.

use super::kept::{Kept, Slots};
use super::spans::{Span, place};
use super::state::State;
use super::{Result, Sums};

#[derive(Debug, Default)]
pub(super) struct Classes {
    /// For each slot, where the spans that start there begin among all of them; one more for the end.
    starts: Vec<u32>,
    /// Where each span ends, in its lineage.
    ends: Vec<u16>,
    /// What all spans before each come to; one more for the end.
    before: Vec<Sums>,
    /// Where the spans of each larger set end among `spans`.
    many: Vec<u32>,
    spans: Vec<Span>,
    many_sums: Vec<Sums>,
}

/// A set's members among the slots: ranges from the first to before the second.
pub(super) type Ranges<'a> = &'a [(usize, usize)];

impl Classes {
    pub fn load(state: &State, slots: &Slots) -> Result<Classes> {
        let mut sums = vec![Sums::default(); state.sets() as usize];
        state.each_sum(|set, more| {
            if let Some(sum) = sums.get_mut(set as usize) {
                *sum += more;
            }
        })?;
        let mut classes = Classes::default();
        let mut singles: Vec<(u64, u32)> = Vec::new();
        state.each_set(|set, spans| {
            let Some(sum) = sums.get(set as usize).filter(|sum| **sum != Sums::default()) else {
                return;
            };
            match spans {
                [] => {}
                [(first, last)] => {
                    let key = (slots.slot(*first) as u64) << 16 | u64::from(place(*last));
                    singles.push((key, set));
                }
                spans => {
                    classes.spans.extend_from_slice(spans);
                    classes.many.push(classes.spans.len() as u32);
                    classes.many_sums.push(*sum);
                }
            }
        })?;
        singles.sort_unstable();
        classes.starts = vec![0; slots.len() + 1];
        classes.ends.reserve_exact(singles.len());
        classes.before.reserve_exact(singles.len() + 1);
        let mut all = Sums::default();
        for (key, set) in singles {
            let slot = (key >> 16) as usize;
            if let Some(count) = classes.starts.get_mut(slot + 1) {
                *count += 1;
                classes.ends.push(key as u16);
                classes.before.push(all);
                all += sums[set as usize];
            }
        }
        classes.before.push(all);
        let mut at = 0;
        for start in &mut classes.starts {
            at += *start;
            *start = at;
        }
        Ok(classes)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len() + self.many.len()
    }

    /// What all of them come to.
    pub fn all(&self) -> Sums {
        let many: Sums = self.many_sums.iter().copied().sum();
        self.before.last().copied().unwrap_or_default() + many
    }

    /// What no kept generation reaches.
    pub fn lost(&self, slots: &Slots, kept: &Kept) -> Sums {
        let mut lost = Sums::default();
        for lineage in 0..slots.lineages() {
            let (start, end) = slots.lineage(lineage);
            let (start, end) = (start as usize, end as usize);
            let mut from = start;
            for slot in (start..end).filter(|slot| kept.has(*slot)) {
                for begins in from..slot {
                    let (low, high) = (self.starts[begins] as usize, self.starts[begins + 1] as usize);
                    let ends = &self.ends[low..high];
                    let count = ends.partition_point(|end| usize::from(*end) < slot - start);
                    lost += self.before[low + count] - self.before[low];
                }
                from = slot + 1;
            }
            lost += self.before[self.starts[end] as usize] - self.before[self.starts[from.min(end)] as usize];
        }
        let mut from = 0;
        for (to, sums) in self.many.iter().zip(&self.many_sums) {
            let spans = &self.spans[from..*to as usize];
            from = *to as usize;
            if spans.iter().all(|span| kept.among(slots.slots(*span)) == 0) {
                lost += *sums;
            }
        }
        lost
    }

    /// Calls `each` for every class with the slots of its set.
    pub fn each(&self, slots: &Slots, mut each: impl FnMut(Ranges, Sums)) {
        for lineage in 0..slots.lineages() {
            let (start, end) = slots.lineage(lineage);
            for slot in start as usize..end as usize {
                for at in self.starts[slot] as usize..self.starts[slot + 1] as usize {
                    let last = (start as usize + usize::from(self.ends[at]) + 1).min(end as usize);
                    each(&[(slot, last)], self.before[at + 1] - self.before[at]);
                }
            }
        }
        let mut ranges = Vec::new();
        let mut from = 0;
        for (to, sums) in self.many.iter().zip(&self.many_sums) {
            ranges.clear();
            ranges.extend(self.spans[from..*to as usize].iter().map(|span| slots.slots(*span)));
            from = *to as usize;
            each(&ranges, *sums);
        }
    }
}

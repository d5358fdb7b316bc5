//! Generations that are kept, so that whether a set meets them is two looks.

use super::record::{Known, Layout};
use super::spans::{Span, lineage, place};

/// How generations are laid out: where each lineage starts among all of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    /// By lineage, and where the last one ends.
    starts: Vec<u32>,
}

impl Slots {
    pub fn new(layout: &Layout) -> Slots {
        let mut at = 0;
        let mut starts = vec![0];
        for lineage in &layout.lineages {
            at += lineage.next;
            starts.push(at);
        }
        Slots { starts }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.starts.last().map_or(0, |end| *end as usize)
    }

    /// Where a lineage starts and ends.
    pub fn lineage(&self, lineage: u32) -> (u32, u32) {
        let at = lineage as usize;
        match self.starts.get(at..at + 2) {
            Some([start, end]) => (*start, *end),
            _ => (0, 0),
        }
    }

    pub fn lineages(&self) -> u32 {
        self.starts.len() as u32 - 1
    }

    /// The slot of a generation.
    pub fn slot(&self, number: u32) -> usize {
        let (start, end) = self.lineage(lineage(number));
        (start + place(number)).min(end) as usize
    }

    /// The slots of a span: from the first to before the second.
    pub fn slots(&self, (first, last): Span) -> (usize, usize) {
        let (start, end) = self.lineage(lineage(first));
        let last = start.saturating_add(place(last)).saturating_add(1).min(end);
        (((start + place(first)).min(end)) as usize, last as usize)
    }
}

/// Some of a vault's generations: those that stay, say. Made by [`super::Lifetimes::kept`].
#[derive(Debug, Clone)]
pub struct Kept {
    /// How many of the slots before each are kept; one more for the end.
    before: Vec<u32>,
}

impl Kept {
    pub(super) fn new(slots: &Slots, generations: impl Iterator<Item = Known>) -> Kept {
        let mut before = vec![0; slots.len() + 1];
        for generation in generations {
            before[slots.slot(generation.number) + 1] = 1;
        }
        let mut sum = 0;
        for count in &mut before {
            sum += *count;
            *count = sum;
        }
        Kept { before }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.before.last().map_or(0, |count| *count as usize)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many are among some slots.
    pub(super) fn among(&self, (from, to): (usize, usize)) -> u32 {
        self.before[to].saturating_sub(self.before[from])
    }

    /// Whether a slot is kept.
    pub(super) fn has(&self, slot: usize) -> bool {
        self.before[slot + 1] > self.before[slot]
    }
}

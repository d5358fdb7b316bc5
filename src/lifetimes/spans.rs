//! Sets of generations. A generation's number is its lineage's in the upper half and its place in the lineage in the lower,
//! so that what lives from one backup to a later one is a single span: nearly all there is.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The first and the last of some generations that follow each other in one lineage.
pub(super) type Span = (u32, u32);

/// As the place of the last one: up to the newest of the lineage, whichever that is. No place is beyond it, so that spans of
/// two lineages never touch.
pub(super) const OPEN: u32 = 0xfffe;

/// The lineage of a generation.
pub(super) fn lineage(generation: u32) -> u32 {
    generation >> 16
}

/// The place of a generation in its lineage.
pub(super) fn place(generation: u32) -> u32 {
    generation & 0xffff
}

/// The number that stands for the newest of a generation's lineage.
pub(super) fn open(generation: u32) -> u32 {
    generation & !0xffff | OPEN
}

/// A set in eight bytes: nothing, a span, or the number of a larger one. No generation has the upper half all ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Packed(pub u64);

impl Packed {
    /// No generation.
    pub const EMPTY: Packed = Packed(u64::MAX);

    /// One span.
    pub fn span((first, last): Span) -> Packed {
        Packed(u64::from(first) << 32 | u64::from(last))
    }

    /// Several spans, kept elsewhere under a number.
    pub fn many(number: u32) -> Packed {
        Packed(u64::from(u32::MAX) << 32 | u64::from(number))
    }

    /// The only span; `None` when there are several, or none.
    pub fn single(self) -> Option<Span> {
        let span = ((self.0 >> 32) as u32, self.0 as u32);
        (span.0 != u32::MAX).then_some(span)
    }

    /// The number of a larger one.
    pub fn number(self) -> Option<u32> {
        (self.0 >> 32 == u64::from(u32::MAX) && self != Packed::EMPTY).then_some(self.0 as u32)
    }
}

/// Adds a span to sorted ones that neither touch nor overlap, so that they stay that.
pub(super) fn insert(spans: &mut Vec<Span>, (mut first, mut last): Span) {
    let from = spans.partition_point(|(_, end)| end.saturating_add(1) < first);
    let mut to = from;
    while let Some((start, end)) = spans.get(to).filter(|(start, _)| *start <= last.saturating_add(1)) {
        first = first.min(*start);
        last = last.max(*end);
        to += 1;
    }
    spans.splice(from..to, [(first, last)]);
}

/// For keys that are numbers spread well enough by multiplying.
#[derive(Debug, Default, Clone)]
pub(super) struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }
    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(23) ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// A map whose keys are numbers.
pub(super) type MixMap<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// With more unions than this remembered, they are forgotten: 100 MB.
const MEMO: usize = 1 << 21;
/// Spans that are kept before those in no use are looked for: 32 MB.
const SPANS: usize = 1 << 22;

/// Sets of more than one span, each kept once.
#[derive(Debug, Default)]
pub(super) struct Sets {
    spans: Vec<Span>,
    /// Where each one's spans end.
    ends: Vec<u32>,
    /// Sets by the hash of their spans.
    found: MixMap<u64, Vec<u32>>,
    unions: MixMap<(u64, u64), Packed>,
    /// Spans that were in use when it was last looked.
    used: usize,
    /// One set's spans while they are put together.
    buffer: Vec<Span>,
}

impl Sets {
    fn many(&self, number: u32) -> &[Span] {
        let number = number as usize;
        let from = number.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        &self.spans[from..self.ends[number] as usize]
    }

    /// A set's spans, sorted.
    pub fn spans<'a>(&'a self, set: Packed, own: &'a mut Option<Span>) -> &'a [Span] {
        match (set.single(), set.number()) {
            (Some(span), _) => std::slice::from_ref(own.insert(span)),
            (_, Some(number)) => self.many(number),
            _ => &[],
        }
    }

    /// The set of some spans, sorted, which neither touch nor overlap.
    pub fn intern(&mut self, spans: &[Span]) -> Packed {
        match spans {
            [] => return Packed::EMPTY,
            [span] => return Packed::span(*span),
            _ => {}
        }
        let mut hash = Mix::default();
        spans.iter().for_each(|span| hash.write_u64(Packed::span(*span).0));
        let hash = hash.finish();
        let known = self.found.get(&hash).into_iter().flatten();
        for number in known {
            if self.many(*number) == spans {
                return Packed::many(*number);
            }
        }
        let number = self.ends.len() as u32;
        self.spans.extend_from_slice(spans);
        self.ends.push(self.spans.len() as u32);
        self.found.entry(hash).or_default().push(number);
        Packed::many(number)
    }

    /// What is in one or the other.
    pub fn union(&mut self, a: Packed, b: Packed) -> Packed {
        if a == b || b == Packed::EMPTY {
            return a;
        }
        if a == Packed::EMPTY {
            return b;
        }
        if let (Some((a0, a1)), Some((b0, b1))) = (a.single(), b.single())
            && a0 <= b1.saturating_add(1)
            && b0 <= a1.saturating_add(1)
        {
            return Packed::span((a0.min(b0), a1.max(b1)));
        }
        let key = (a.0.min(b.0), a.0.max(b.0));
        if let Some(known) = self.unions.get(&key) {
            return *known;
        }
        let mut spans = std::mem::take(&mut self.buffer);
        let (mut own, mut other) = (None, None);
        spans.clear();
        spans.extend_from_slice(self.spans(a, &mut own));
        for span in self.spans(b, &mut other) {
            insert(&mut spans, *span);
        }
        let union = self.intern(&spans);
        self.buffer = spans;
        if self.unions.len() >= MEMO {
            self.unions.clear();
        }
        self.unions.insert(key, union);
        union
    }

    /// Whether so much has gathered that [`Sets::keep`] is worth its time.
    pub fn is_full(&self) -> bool {
        self.spans.len() > SPANS.max(2 * self.used)
    }

    /// Forgets all sets but these, which get other numbers.
    pub fn keep<'a>(&mut self, in_use: impl Iterator<Item = &'a mut Packed>) {
        let old = std::mem::take(self);
        let mut numbers = vec![Packed::EMPTY; old.ends.len()];
        for set in in_use {
            let Some(number) = set.number() else { continue };
            let new = &mut numbers[number as usize];
            if *new == Packed::EMPTY {
                *new = self.intern(old.many(number));
            }
            *set = *new;
        }
        self.used = self.spans.len();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn members(sets: &Sets, set: Packed) -> BTreeSet<u32> {
        let mut own = None;
        sets.spans(set, &mut own).iter().flat_map(|(a, b)| *a..=*b).collect()
    }

    proptest! {
        #[test]
        fn unions_are_unions(all in prop::collection::vec((0u32..60, 0u32..4, any::<bool>()), 1..60)) {
            let mut sets = Sets::default();
            let mut made: Vec<(Packed, BTreeSet<u32>)> = vec![(Packed::EMPTY, BTreeSet::new())];
            for (n, (start, length, deep)) in all.into_iter().enumerate() {
                let (with, mut want) = made[if deep { made.len() - 1 } else { n / 2 }].clone();
                let set = sets.union(with, Packed::span((start, start + length)));
                want.extend(start..=start + length);
                prop_assert_eq!(&members(&sets, set), &want);
                let same = made.iter().find(|(_, members)| *members == want).map(|(set, _)| *set);
                prop_assert!(same.is_none_or(|same| same == set), "one set has one name");
                made.push((set, want));
            }
            sets.keep(made.iter_mut().step_by(2).map(|(set, _)| set));
            for (set, want) in made.iter().step_by(2) {
                prop_assert_eq!(&members(&sets, *set), want);
            }
        }
    }
}

//! Sets that do not change any more, with numbers of their own; and new numbers for the items that have one.

use super::flow::Flowed;
use super::numbers::Numbers;
use super::part::Item;
use super::record::{Layout, SET};
use super::spans::{Packed, Sets, Span, lineage, open, place};
use super::{Error, Result};

/// In place of the word of an item that no generation reaches: it is left out.
pub(super) const UNREACHED: u32 = u32::MAX;

/// The sets there are, by number.
pub(super) struct Finals {
    pub sets: Sets,
    numbers: Numbers<u64>,
}

impl Finals {
    /// Gives numbers to the sets of all items; gives for each item the number of its set, or [`UNREACHED`]. Spans that
    /// reach the newest generation of their lineage have no end from now on.
    pub fn new(flowed: Flowed, layout: &Layout) -> Result<(Finals, [Vec<u32>; 3])> {
        let Flowed { mut sets, of } = flowed;
        let mut numbers = Numbers::default();
        let newest = |last: u32| {
            let next = layout
                .lineages
                .get(lineage(last) as usize)
                .map_or(0, |lineage| lineage.next);
            place(last) + 1 == next
        };
        let opened = |(first, last): Span| (first, if newest(last) { open(last) } else { last });
        let mut known: Vec<Option<Packed>> = Vec::new();
        let mut word = |set: Packed| -> Result<u32> {
            let set = match (set.single(), set.number()) {
                (Some(span), _) => Packed::span(opened(span)),
                (None, Some(number)) => {
                    let at = number as usize;
                    if known.len() <= at {
                        known.resize(at + 1, None);
                    }
                    match known[at] {
                        Some(known) => known,
                        None => {
                            let mut own = None;
                            let spans: Vec<Span> = sets.spans(set, &mut own).iter().map(|span| opened(*span)).collect();
                            *known[at].insert(sets.intern(&spans))
                        }
                    }
                }
                (None, None) => return Ok(UNREACHED),
            };
            let (number, _) = numbers.number(set.0);
            if number >= SET {
                return Err(Error::TooMany("sets of generations"));
            }
            Ok(number)
        };
        let mut words: [Vec<u32>; 3] = Default::default();
        for (item, of) in Item::ALL.into_iter().zip(of) {
            words[item as usize].reserve_exact(of.len());
            for set in of {
                words[item as usize].push(word(set)?);
            }
        }
        Ok((Finals { sets, numbers }, words))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// All, by number.
    pub fn all(&self) -> impl Iterator<Item = Packed> {
        self.numbers.values().iter().map(|packed| Packed(*packed))
    }
}

/// New numbers, in the order of the old ones, for those that stay.
pub(super) struct Map {
    bits: Vec<u64>,
    before: Vec<u32>,
}

impl Map {
    pub fn new(words: &[u32]) -> Map {
        let mut map = Map {
            bits: Vec::with_capacity(words.len().div_ceil(64)),
            before: Vec::with_capacity(words.len().div_ceil(64)),
        };
        let mut count = 0;
        for words in words.chunks(64) {
            let bits = words
                .iter()
                .rev()
                .fold(0, |bits, word| bits << 1 | u64::from(*word != UNREACHED));
            map.before.push(count);
            map.bits.push(bits);
            count += bits.count_ones();
        }
        map
    }

    /// The new number; `None` for one that does not stay.
    pub fn get(&self, old: u32) -> Option<u32> {
        let (at, bit) = (old as usize / 64, old % 64);
        let bits = *self.bits.get(at)?;
        (bits >> bit & 1 == 1).then(|| self.before[at] + (bits & ((1 << bit) - 1)).count_ones())
    }

    /// How many stay.
    pub fn len(&self) -> u32 {
        let last = self.bits.last().map_or(0, |bits| bits.count_ones());
        self.before.last().map_or(0, |before| before + last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_moves_up() {
        let words: Vec<u32> = (0..300).map(|n| if n % 7 < 3 { UNREACHED } else { 0 }).collect();
        let map = Map::new(&words);
        let mut next = 0;
        for (old, word) in words.iter().enumerate() {
            let want = (*word != UNREACHED).then_some(next);
            assert_eq!(map.get(old as u32), want, "{old}");
            next += u32::from(want.is_some());
        }
        assert_eq!((map.len(), map.get(300), Map::new(&[]).len()), (next, None, 0));
    }
}

//! What others ask.

use std::collections::HashMap;
use std::path::Path;

use super::classes::Classes;
use super::kept::{Kept, Slots};
use super::numbers::key_of;
use super::part::Item;
use super::read::content_key;
use super::record::Known;
use super::state::{Identity, State};
use super::walk::Walk;
use super::{Error, Result, Sums};
use crate::vault::{BlobKind, Id};

/// A generation of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made<'a> {
    /// Which.
    pub id: Id,
    /// When, in seconds since 1970.
    pub time: i64,
    /// Where.
    pub host: &'a str,
    /// Of what.
    pub paths: &'a [String],
}

/// What one generation means among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Each {
    /// What no other one of them reaches.
    pub exclusive: Sums,
    /// What no older one of them reaches.
    pub added: Sums,
}

/// All that some generations reach and no others do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// The first of them, by its place in [`Lifetimes::generations`].
    pub first: u32,
    /// The last of them.
    pub last: u32,
    /// Whether the newest generation of a series (host and paths) is one of them.
    pub living: bool,
    /// What it comes to.
    pub sums: Sums,
}

/// The set of generations that reach something. The same number is the same set, as long as the [`Lifetimes`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Class(u32);

/// Which classes a kept set reaches.
#[derive(Debug, Clone)]
pub struct Reach(Vec<u64>);

impl Reach {
    /// Whether a kept generation is in the class.
    pub fn has(&self, class: Class) -> bool {
        self.set(class.0)
    }

    pub(super) fn set(&self, set: u32) -> bool {
        let word = self.0.get(set as usize / 64);
        word.is_some_and(|word| word >> (set % 64) & 1 == 1)
    }
}

/// Which generations reach what, of one vault at one time.
#[derive(Debug)]
pub struct Lifetimes {
    state: State,
    slots: Slots,
    classes: Classes,
    /// Generations that the vault has, by id: their places in the state.
    alive: HashMap<Id, u32>,
    /// What everything comes to that any of them reaches.
    all: Sums,
    /// What only generations reach that are gone.
    dead: Sums,
    missing: u64,
}

impl Lifetimes {
    pub(super) fn load(state: State) -> Result<Lifetimes> {
        let slots = Slots::new(&state.layout);
        let classes = Classes::load(&state, &slots)?;
        let alive = state.generations.iter().enumerate().filter(|(_, known)| known.alive);
        let alive: HashMap<Id, u32> = alive.map(|(n, known)| (known.id, n as u32)).collect();
        let mut lifetimes = Lifetimes {
            state,
            slots,
            classes,
            alive,
            all: Sums::default(),
            dead: Sums::default(),
            missing: 0,
        };
        let kept = lifetimes.kept_all();
        lifetimes.dead = lifetimes.classes.lost(&lifetimes.slots, &kept);
        lifetimes.all = lifetimes.classes.all() - lifetimes.dead;
        if !lifetimes.state.lacking.is_empty() {
            let reach = lifetimes.reach(&kept)?;
            let mut missing = 0;
            for lacking in &lifetimes.state.lacking {
                let record = lifetimes.state.record(lacking.item(), lacking.number)?;
                missing += u64::from(reach.set(record.set()));
            }
            lifetimes.missing = missing;
        }
        Ok(lifetimes)
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    pub(super) fn damaged(&self) -> Error {
        Error::Damaged {
            file: self.state.path.to_path_buf(),
        }
    }

    /// A file found to be damaged is deleted, so that it is made again.
    fn checked<T>(&self, result: Result<T>) -> Result<T> {
        if let Err(Error::Damaged { file }) = &result {
            let _ = std::fs::remove_file(file);
        }
        result
    }

    /// Whether the file on disk is still the one this was read from.
    pub fn is_current(&self) -> bool {
        Identity::of(&self.state.path) == Some(self.state.identity)
    }

    /// The file it was read from.
    pub fn file(&self) -> &Path {
        &self.state.path
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.classes.len()
    }

    /// How many blobs generations need that the vault lacks or cannot give. Unless it is 0 the figures are not exact: what
    /// such a blob takes, and what lies below such a folder, is not known.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// The generations of the vault, oldest first.
    pub fn generations(&self) -> Vec<Made<'_>> {
        let mut alive: Vec<&Known> = self.state.generations.iter().filter(|known| known.alive).collect();
        alive.sort_by_key(|known| (known.time, known.id));
        let made = alive.into_iter().map(|known| {
            let series = self.state.layout.series.get(known.series as usize);
            Made {
                id: known.id,
                time: known.time.0,
                host: series.map_or("", |series| &series.host),
                paths: series.map_or(&[], |series| &series.paths),
            }
        });
        made.collect()
    }

    /// Whether all of these generations are known.
    pub fn knows(&self, ids: &[Id]) -> bool {
        ids.iter().all(|id| self.alive.contains_key(id))
    }

    /// Whether there is nothing to bring up to date: these are the vault's generations and its index files.
    pub fn is_up_to_date<'a>(&self, ids: impl IntoIterator<Item = &'a Id>, index_files: &[Id]) -> bool {
        let mut keys: Vec<_> = index_files.iter().map(key_of).collect();
        keys.sort_unstable();
        let known = &self.state.index_files;
        // One that is gone may mean that blobs weigh something else, one more that something lacking has come.
        let same = match self.state.lacking.is_empty() {
            true => known.iter().all(|file| keys.binary_search(file).is_ok()),
            false => *known == keys,
        };
        same && self.is_of(ids)
    }

    /// Whether it is exactly these generations that are known.
    pub fn is_of<'a>(&self, ids: impl IntoIterator<Item = &'a Id>) -> bool {
        let mut count = 0;
        let known = ids.into_iter().all(|id| {
            count += 1;
            self.alive.contains_key(id)
        });
        known && count == self.alive.len()
    }

    /// These of the vault's generations; ids it does not have are left out.
    pub fn kept<'a>(&self, ids: impl IntoIterator<Item = &'a Id>) -> Kept {
        let known = ids.into_iter().filter_map(|id| self.known(id));
        Kept::new(&self.slots, known)
    }

    /// All of the vault's generations.
    pub fn kept_all(&self) -> Kept {
        let alive = self.state.generations.iter().filter(|known| known.alive);
        Kept::new(&self.slots, alive.copied())
    }

    fn known(&self, id: &Id) -> Option<Known> {
        self.state.generations.get(*self.alive.get(id)? as usize).copied()
    }

    /// What all generations reach.
    pub fn all(&self) -> Sums {
        self.all
    }

    /// What these reach.
    pub fn stored(&self, kept: &Kept) -> Sums {
        self.all - self.freed(kept)
    }

    /// What some generation of the vault reaches and none of these does.
    pub fn freed(&self, kept: &Kept) -> Sums {
        self.classes.lost(&self.slots, kept) - self.dead
    }

    /// What each of these means among them, in the order of [`Lifetimes::generations`].
    pub fn each(&self, among: &Kept) -> Vec<(Id, Each)> {
        let mut chosen: Vec<&Known> = self.state.generations.iter().filter(|known| known.alive).collect();
        chosen.retain(|known| among.has(self.slots.slot(known.number)));
        chosen.sort_by_key(|known| (known.time, known.id));
        let mut each: Vec<(Id, Each)> = chosen.iter().map(|known| (known.id, Each::default())).collect();
        let mut ranks = vec![u32::MAX; self.slots.len()];
        for (rank, known) in chosen.iter().enumerate() {
            ranks[self.slots.slot(known.number)] = rank as u32;
        }
        let oldest = Least::new(ranks);
        self.classes.each(&self.slots, |ranges, sums| {
            let (mut count, mut first) = (0, u32::MAX);
            for range in ranges {
                count += among.among(*range);
                first = first.min(oldest.among(*range));
            }
            if let Some((_, each)) = each.get_mut(first as usize) {
                each.added += sums;
                if count == 1 {
                    each.exclusive += sums;
                }
            }
        });
        each
    }

    /// Calls `each` for every class that some generation of the vault reaches: from when to when it was reached.
    pub fn lives(&self, mut each: impl FnMut(Life)) {
        let alive = self.kept_all();
        let mut ranks = vec![0_i64; self.slots.len()];
        let mut newest: HashMap<u32, &Known> = HashMap::new();
        let mut oldest_first: Vec<&Known> = self.state.generations.iter().filter(|known| known.alive).collect();
        oldest_first.sort_by_key(|known| (known.time, known.id));
        for (rank, known) in oldest_first.into_iter().enumerate() {
            ranks[self.slots.slot(known.number)] = rank as i64;
            let newest = newest.entry(known.series).or_insert(known);
            if (newest.time, newest.id) < (known.time, known.id) {
                *newest = known;
            }
        }
        let newest = Kept::new(&self.slots, newest.into_values().copied());
        let there = |slot: usize| if alive.has(slot) { ranks[slot] } else { i64::MAX };
        let first = Least::new((0..ranks.len()).map(there).collect());
        let there = |slot: usize| if alive.has(slot) { -ranks[slot] } else { i64::MAX };
        let last = Least::new((0..ranks.len()).map(there).collect());
        self.classes.each(&self.slots, |ranges, sums| {
            let least = |of: &Least<i64>| ranges.iter().map(|range| of.among(*range)).min().unwrap_or(i64::MAX);
            let first = least(&first);
            if first != i64::MAX {
                each(Life {
                    first: first as u32,
                    last: -least(&last) as u32,
                    living: ranges.iter().any(|range| newest.among(*range) > 0),
                    sums,
                });
            }
        });
    }

    /// Which classes a kept set reaches, for asking about one blob after the other.
    pub fn reach(&self, kept: &Kept) -> Result<Reach> {
        let mut reached = vec![0_u64; (self.state.sets() as usize).div_ceil(64)];
        let result = self.state.each_set(|set, spans| {
            if spans.iter().any(|span| kept.among(self.slots.slots(*span)) > 0) {
                reached[set as usize / 64] |= 1 << (set % 64);
            }
        });
        self.checked(result)?;
        Ok(Reach(reached))
    }

    pub(super) fn number(&self, item: Item, id: &Id) -> Result<Option<u32>> {
        self.checked(self.state.number(item, &key_of(id)))
    }

    /// The class of a blob; `None` when no generation that is known reaches it.
    pub fn class_of(&self, kind: BlobKind, id: &Id) -> Result<Option<Class>> {
        let item = match kind {
            BlobKind::Data => Item::Blob,
            BlobKind::Tree => Item::Tree,
        };
        let Some(number) = self.number(item, id)? else {
            return Ok(None);
        };
        let record = self.checked(self.state.record(item, number))?;
        Ok(Some(Class(record.set())))
    }

    /// The class of a file's content, by its blobs; `None` when no generation that is known has such a file, or when it is
    /// empty.
    pub fn class_of_content(&self, blobs: &[Id]) -> Result<Option<Class>> {
        let known = self.checked(self.state.number(Item::Content, &content_key(blobs)))?;
        let record = match (known, blobs) {
            (Some(number), _) => self.checked(self.state.record(Item::Content, number))?,
            (None, [blob]) => {
                let Some(number) = self.number(Item::Blob, blob)? else {
                    return Ok(None);
                };
                let record = self.checked(self.state.record(Item::Blob, number))?;
                if record.word & super::record::VERSION == 0 {
                    return Ok(None);
                }
                record
            }
            (None, _) => return Ok(None),
        };
        Ok(Some(Class(record.set())))
    }

    /// For going down the local trees.
    pub fn walk(&self) -> Walk<'_> {
        Walk::new(self)
    }
}

/// The least of any range of some values, in two looks.
struct Least<T> {
    /// By power of two: the least of so many values from each on.
    levels: Vec<Vec<T>>,
    none: T,
}

trait Most {
    const MOST: Self;
}
impl Most for u32 {
    const MOST: u32 = u32::MAX;
}
impl Most for i64 {
    const MOST: i64 = i64::MAX;
}

impl<T: Copy + Ord + Most> Least<T> {
    fn new(values: Vec<T>) -> Least<T> {
        let mut levels = vec![values];
        let mut width = 1;
        while let Some(last) = levels.last().filter(|last| last.len() > width) {
            let next = (0..last.len() - width)
                .map(|at| last[at].min(last[at + width]))
                .collect();
            levels.push(next);
            width *= 2;
        }
        Least { levels, none: T::MOST }
    }

    fn among(&self, (from, to): (usize, usize)) -> T {
        let Some(level) = to.saturating_sub(from).checked_ilog2() else {
            return self.none;
        };
        let values = &self.levels[level as usize];
        values[from].min(values[to - (1 << level)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_of_a_range_is_found() {
        let values: Vec<u32> = (0..37).map(|n| n * 29 % 37).collect();
        let least = Least::new(values.clone());
        for from in 0..=values.len() {
            for to in from..=values.len() {
                let want = values[from..to].iter().min().copied().unwrap_or(u32::MAX);
                assert_eq!(least.among((from, to)), want, "{from}..{to}");
            }
        }
    }
}

//! Lists too long to be told at once, kept while they grow and afterwards, so that any window of them is at hand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many lists are kept, the last used.
const LISTS: usize = 4;
/// How many rows one holds at most; more are only counted.
pub(super) const ROWS: usize = 200_000;

/// Lists, the one asked for last at the end.
type Lists<K, T, S> = VecDeque<(K, Arc<List<T, S>>)>;

/// Lists by what was asked.
#[derive(Debug)]
pub(super) struct Kept<K, T, S = ()>(Mutex<Lists<K, T, S>>);

impl<K, T, S> Default for Kept<K, T, S> {
    fn default() -> Self {
        Kept(Mutex::default())
    }
}

/// One list.
#[derive(Debug)]
pub(super) struct List<T, S = ()>(Mutex<Grown<T, S>>);

/// How far a list has grown.
#[derive(Debug)]
pub(super) struct Grown<T, S = ()> {
    pub(super) rows: Vec<T>,
    /// What all of them come to.
    pub(super) sum: S,
    /// How many there are, those not kept with them.
    pub(super) total: u64,
    /// Whether no more come.
    pub(super) whole: bool,
    /// Whether nobody goes on with it.
    pub(super) broken: bool,
}

impl<K: PartialEq, T, S: Default> Kept<K, T, S> {
    /// The list of an earlier question, unless it was broken off.
    pub(super) fn get(&self, key: &K) -> Option<Arc<List<T, S>>> {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, list) = lists.iter().find(|(k, _)| k == key)?;
        let list = list.clone();
        drop(lists);
        let broken = list.grown().broken;
        (!broken).then_some(list)
    }

    /// A new list in place of an earlier one.
    pub(super) fn start(&self, key: K) -> Arc<List<T, S>> {
        let list = Arc::new(List(Mutex::new(Grown {
            rows: Vec::new(),
            sum: S::default(),
            total: 0,
            whole: false,
            broken: false,
        })));
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|(k, _)| *k != key);
        lists.push_back((key, list.clone()));
        if lists.len() > LISTS {
            lists.pop_front();
        }
        list
    }
}

impl<T, S> List<T, S> {
    pub(super) fn grown(&self) -> MutexGuard<'_, Grown<T, S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a row; gives how many there are.
    pub(super) fn push(&self, row: T) -> u64 {
        let mut grown = self.grown();
        if grown.rows.len() < ROWS {
            grown.rows.push(row);
        }
        grown.total += 1;
        grown.total
    }
}

impl<T: Clone, S> Grown<T, S> {
    /// Some rows, and the number of the first.
    pub(super) fn window(&self, first: u64, rows: u32) -> (u64, Vec<T>) {
        let kept = self.rows.len() as u64;
        let first = first.min(kept.saturating_sub(u64::from(rows)));
        let last = kept.min(first + u64::from(rows));
        let rows = self.rows.get(first as usize..last as usize).unwrap_or_default();
        (first, rows.to_vec())
    }
}

/// Marks a list as broken off unless its maker came to the end.
pub(super) struct Making<'a, T, S>(pub(super) &'a List<T, S>);

impl<T, S> Drop for Making<'_, T, S> {
    fn drop(&mut self) {
        let mut grown = self.0.grown();
        grown.broken = !grown.whole;
    }
}

//! What is staged for deletion, step by step, so that each step can be taken back: nothing is done before it is reviewed.
//!
//! Lists of different things stage alike: by what they are in (a vault, a volume), then by their ids. What does not live
//! here: the keys, the review, and doing it.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// What is staged, by what it is in: each step as it was staged.
#[derive(Debug)]
pub struct Staged<K, I>(HashMap<K, Vec<Step<I>>>);

/// What one key staged, or took back.
#[derive(Debug, Clone)]
struct Step<I> {
    ids: Vec<I>,
    delete: bool,
}

impl<K, I> Default for Staged<K, I> {
    fn default() -> Self {
        Staged(HashMap::new())
    }
}

impl<K: Hash + Eq, I: Clone + Eq + Hash> Staged<K, I> {
    /// What is staged in one of them, in the order it was.
    pub fn of<Q: Hash + Eq + ?Sized>(&self, place: &Q) -> Vec<I>
    where
        K: Borrow<Q>,
    {
        // Where each was staged last; a year of hourly backups is staged by two keys.
        let mut places: HashMap<&I, usize> = HashMap::new();
        let mut staged: Vec<Option<&I>> = Vec::new();
        for step in self.0.get(place).into_iter().flatten() {
            for id in &step.ids {
                if let Some(at) = places.remove(id) {
                    staged[at] = None;
                }
                if step.delete {
                    places.insert(id, staged.len());
                    staged.push(Some(id));
                }
            }
        }
        staged.into_iter().flatten().cloned().collect()
    }

    /// Stages some; if all of them are already, takes that back.
    pub fn turn(&mut self, place: K, ids: Vec<I>) {
        let before: HashSet<I> = self.of(&place).into_iter().collect();
        let delete = !ids.iter().all(|id| before.contains(id));
        self.0.entry(place).or_default().push(Step { ids, delete });
    }

    /// Keeps one that was staged.
    pub fn keep(&mut self, place: K, id: I) {
        let ids = vec![id];
        self.0.entry(place).or_default().push(Step { ids, delete: false });
    }

    /// Takes back the last step; the first of what it was about.
    pub fn undo<Q: Hash + Eq + ?Sized>(&mut self, place: &Q) -> Option<I>
    where
        K: Borrow<Q>,
    {
        let step = self.0.get_mut(place).and_then(Vec::pop);
        step.and_then(|step| step.ids.into_iter().next())
    }

    /// Forgets what is not there any more; whether something was, and others stay staged.
    pub fn retain<Q: Hash + Eq + ?Sized>(&mut self, place: &Q, is_there: impl Fn(&I) -> bool) -> bool
    where
        K: Borrow<Q>,
    {
        let Some(steps) = self.0.get_mut(place) else {
            return false;
        };
        let count = |steps: &[Step<I>]| steps.iter().map(|step| step.ids.len()).sum::<usize>();
        let before = count(steps);
        for step in steps.iter_mut() {
            step.ids.retain(&is_there);
        }
        let after = count(steps);
        steps.retain(|step| !step.ids.is_empty());
        after < before && !steps.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_staged_can_be_taken_back_step_by_step() {
        let mut staged: Staged<String, u8> = Staged::default();
        staged.turn("a".into(), vec![1, 2]);
        staged.turn("a".into(), vec![3]);
        staged.turn("b".into(), vec![1]);
        assert_eq!(staged.of("a"), [1, 2, 3]);
        staged.turn("a".into(), vec![2]);
        assert_eq!(staged.of("a"), [1, 3], "once more takes it back");
        assert_eq!(staged.undo("a"), Some(2));
        assert_eq!(staged.of("a"), [1, 2, 3]);
        staged.keep("a".into(), 1);
        assert!(staged.retain("a", |id| *id != 3), "one that was staged is gone");
        assert_eq!(staged.of("a"), [2]);
        assert_eq!(staged.of("b"), [1]);
        assert!(!staged.retain("b", |_| false), "nothing is left to tell of");
    }
}

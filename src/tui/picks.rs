//! What is selected among the rows of a list: by Space, as a range, all, or the others.
//!
//! Rows are known by an id, so that what is selected stays so when the list is read anew or filtered. What does not live
//! here: what is done with it, and the selection of files, which is made of rules.

use std::ops::RangeInclusive;

use super::window::Window;

/// What is selected, and where a range began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picks<I> {
    picked: Vec<I>,
    anchor: Option<I>,
}

impl<I> Default for Picks<I> {
    fn default() -> Self {
        Picks {
            picked: Vec::new(),
            anchor: None,
        }
    }
}

impl<I: Clone + PartialEq> Picks<I> {
    /// How many are selected.
    pub fn len(&self) -> usize {
        self.picked.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.picked.is_empty()
    }

    /// Whether this one is.
    pub fn holds(&self, id: &I) -> bool {
        self.picked.contains(id)
    }

    /// Whether a range is being made.
    pub fn ranges(&self) -> bool {
        self.anchor.is_some()
    }

    /// The numbers of the rows that the range being made holds.
    pub fn in_range<T>(&self, list: &Window<T>, id: impl Fn(&T) -> I) -> Option<RangeInclusive<u64>> {
        let anchor = self.anchor.as_ref()?;
        Some(list.range(|row| id(row) == *anchor))
    }

    /// The rows of the range, else the one under the cursor.
    fn ranged<'a, T>(&self, list: &'a Window<T>, id: impl Fn(&T) -> I) -> Vec<&'a T> {
        let cursor = list.cursor();
        let rows = self.in_range(list, id).unwrap_or(cursor..=cursor);
        rows.filter_map(|row| list.get(row)).collect()
    }

    /// Those that keys act on: the range, else those selected, else the one under the cursor.
    pub fn chosen<'a, T>(&self, all: &'a [T], list: &'a Window<T>, id: impl Fn(&T) -> I) -> Vec<&'a T> {
        if self.anchor.is_none() && !self.picked.is_empty() {
            return all.iter().filter(|row| self.picked.contains(&id(row))).collect();
        }
        self.ranged(list, id)
    }

    /// Selects what the range holds or the cursor is on, and goes on to the next; if all of that is selected, leaves it.
    pub fn pick<T>(&mut self, list: &mut Window<T>, id: impl Fn(&T) -> I) {
        let ids: Vec<I> = self.ranged(list, &id).into_iter().map(id).collect();
        if ids.iter().all(|id| self.picked.contains(id)) {
            self.picked.retain(|picked| !ids.contains(picked));
        } else {
            let new: Vec<I> = ids.into_iter().filter(|id| !self.picked.contains(id)).collect();
            self.picked.extend(new);
        }
        if self.anchor.take().is_none() {
            list.step(1);
        }
    }

    /// Selects all that are shown, or none.
    pub fn all<T>(&mut self, list: &Window<T>, id: impl Fn(&T) -> I) {
        let shown: Vec<I> = list.held().1.iter().map(id).collect();
        if shown.iter().all(|id| self.picked.contains(id)) {
            self.picked.clear();
        } else {
            self.picked = shown;
        }
    }

    /// Selects those shown that are not, and no others.
    pub fn invert<T>(&mut self, list: &Window<T>, id: impl Fn(&T) -> I) {
        let shown = list.held().1.iter().map(id);
        self.picked = shown.filter(|id| !self.picked.contains(id)).collect();
    }

    /// Begins or leaves a range.
    pub fn range<T>(&mut self, list: &Window<T>, id: impl Fn(&T) -> I) {
        self.anchor = match self.anchor {
            Some(_) => None,
            None => list.current().map(id),
        };
    }

    /// Leaves the range, else what is selected; whether there was one.
    pub fn escape(&mut self) -> bool {
        if self.anchor.take().is_some() {
            return true;
        }
        let picked = !self.picked.is_empty();
        self.picked.clear();
        picked
    }

    /// Nothing is selected or ranged over any more.
    pub fn release(&mut self) {
        *self = Picks::default();
    }

    /// Leaves the range: the rows are others now.
    pub fn leave_range(&mut self) {
        self.anchor = None;
    }

    /// Forgets what is not there any more; whether a range began there, which is left.
    pub fn retain(&mut self, is_there: impl Fn(&I) -> bool) -> bool {
        self.picked.retain(&is_there);
        self.anchor.take_if(|anchor| !is_there(anchor)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_one_by_one_as_a_range_and_the_other_way_round() {
        let all: Vec<u8> = (0..6).collect();
        let mut list = Window::whole(all.clone());
        let mut picks = Picks::default();
        let chosen = |picks: &Picks<u8>, list: &Window<u8>| {
            let rows = picks.chosen(&all, list, |row| *row);
            rows.into_iter().copied().collect::<Vec<u8>>()
        };
        assert_eq!(chosen(&picks, &list), [0], "the one under the cursor");
        picks.pick(&mut list, |row| *row);
        assert_eq!((list.cursor(), chosen(&picks, &list)), (1, vec![0]));
        list.go(3);
        picks.range(&list, |row| *row);
        list.go(5);
        assert_eq!(picks.in_range(&list, |row| *row), Some(3..=5));
        assert_eq!(chosen(&picks, &list), [3, 4, 5], "the range goes first");
        picks.pick(&mut list, |row| *row);
        assert_eq!(chosen(&picks, &list), [0, 3, 4, 5]);
        picks.invert(&list, |row| *row);
        assert_eq!(chosen(&picks, &list), [1, 2]);
        picks.all(&list, |row| *row);
        assert_eq!(picks.len(), 6);
        picks.range(&list, |row| *row);
        assert!(picks.escape() && !picks.is_empty(), "first the range");
        assert!(picks.escape() && picks.is_empty());
        assert!(!picks.escape());
    }

    #[test]
    fn a_range_begins_at_its_row_wherever_that_is_by_now() {
        let all: Vec<u8> = (0..6).collect();
        let mut list = Window::whole(all.clone());
        let mut picks = Picks::default();
        list.go(2);
        picks.range(&list, |row| *row);
        list.go(3);
        // Two more come above; the cursor stays on its row, as the list sees to.
        let all: Vec<u8> = [8, 9].into_iter().chain(all).collect();
        list.hold(all.clone());
        list.go(5);
        assert_eq!(picks.chosen(&all, &list, |row| *row), [&2, &3]);
        assert!(!picks.retain(|row| *row != 0) && picks.ranges());
        assert!(picks.retain(|row| *row != 2), "it began there");
        assert!(!picks.ranges());
    }
}

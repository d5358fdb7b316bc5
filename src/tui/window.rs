//! A list of any length of which only about three screens are held.
//!
//! The cursor and the scroll offset are numbers and move freely; rows that have not arrived show as `…`. What is missing
//! is asked for in one piece around what is on the screen, one question at a time.

/// A windowed list with a cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct Window<T> {
    /// The number of the first row held.
    first: u64,
    /// The rows held.
    rows: Vec<T>,
    /// How many rows there are, once known.
    total: Option<u64>,
    /// The row the keys act on.
    cursor: u64,
    /// The first row on the screen.
    top: u64,
    /// Rows on the screen.
    height: u64,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Window {
            first: 0,
            rows: Vec::new(),
            total: None,
            cursor: 0,
            top: 0,
            height: 1,
        }
    }
}

impl<T> Window<T> {
    /// A list that is held whole.
    pub fn whole(rows: Vec<T>) -> Self {
        let mut window = Window::default();
        window.hold(rows);
        window
    }

    /// The row with this number, if it has arrived.
    pub fn get(&self, index: u64) -> Option<&T> {
        let at = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.rows.get(at)
    }

    /// The row under the cursor, if it has arrived.
    pub fn current(&self) -> Option<&T> {
        self.get(self.cursor)
    }

    /// The rows held, with the number of the first.
    pub fn held(&self) -> (u64, &[T]) {
        (self.first, &self.rows)
    }

    /// The number of the first row held that is this one.
    pub fn find(&self, is: impl Fn(&T) -> bool) -> Option<u64> {
        let at = self.rows.iter().position(is)?;
        Some(self.first.saturating_add(at as u64))
    }

    /// The rows between this one and the cursor, both counted: a range, wherever its start is by now. Only the cursor's row
    /// while the start is not held.
    pub fn range(&self, start: impl Fn(&T) -> bool) -> std::ops::RangeInclusive<u64> {
        let start = self.find(start).unwrap_or(self.cursor);
        start.min(self.cursor)..=start.max(self.cursor)
    }

    /// How many rows there are, once known.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// The cursor's row number.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The number of the first row on the screen.
    pub fn top(&self) -> u64 {
        self.top
    }

    /// The row numbers on the screen.
    pub fn visible(&self) -> std::ops::Range<u64> {
        let end = self.top.saturating_add(self.height).min(self.total.unwrap_or(0));
        self.top.min(end)..end
    }

    /// Rows a page has.
    pub fn page(&self) -> i64 {
        i64::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(i64::MAX)
    }

    /// An empty list that will have its cursor on this row once rows arrive, if there are that many.
    pub fn start_at(&mut self, cursor: u64) {
        *self = Window {
            cursor,
            top: cursor.saturating_sub(self.height / 2),
            height: self.height,
            ..Window::default()
        };
    }

    /// Moves the cursor by some rows, as far as there are any.
    pub fn step(&mut self, by: i64) {
        self.go(self.cursor.saturating_add_signed(by));
    }

    /// Moves the cursor to a row, or as near as there is one.
    pub fn go(&mut self, to: u64) {
        if self.total.is_some() {
            self.cursor = to;
            self.settle();
        }
    }

    /// Gives the list its height on the screen.
    pub fn resize(&mut self, height: u64) {
        self.height = height.max(1);
        self.settle();
    }

    /// Takes rows that arrived.
    pub fn accept(&mut self, first: u64, rows: Vec<T>, total: u64) {
        self.first = first;
        self.rows = rows;
        // What a hostile or racing answer says must not make rows out of nothing, nor hide rows it gave.
        self.total = Some(total.max(first.saturating_add(self.rows.len() as u64)));
        self.settle();
    }

    /// Takes a list that is there whole.
    pub fn hold(&mut self, rows: Vec<T>) {
        let total = rows.len() as u64;
        self.accept(0, rows, total);
    }

    /// Forgets the rows, not the place: for the same list read anew.
    pub fn forget(&mut self) {
        self.rows.clear();
        self.first = 0;
    }

    /// Which rows to ask for: none while what is on the screen, and half a screen on each side, is here.
    pub fn missing(&self) -> Option<(u64, u32)> {
        let want = (
            self.top.saturating_sub(self.height),
            u32::try_from(self.height * 3).unwrap_or(u32::MAX),
        );
        let Some(total) = self.total else { return Some(want) };
        let from = self.top.saturating_sub(self.height / 2);
        let to = self.top.saturating_add(self.height + self.height / 2).min(total);
        let have = self.first..self.first.saturating_add(self.rows.len() as u64);
        let covered = from >= to || (have.start <= from && to <= have.end);
        (!covered).then_some(want)
    }

    /// Keeps the cursor inside the list and on the screen, and the screen full where it can be.
    fn settle(&mut self) {
        let Some(total) = self.total else { return };
        self.cursor = self.cursor.min(total.saturating_sub(1));
        let lowest = (self.cursor + 1).saturating_sub(self.height);
        self.top = self
            .top
            .clamp(lowest, self.cursor)
            .min(total.saturating_sub(self.height));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn asks_for_three_screens_around_the_cursor() {
        let mut list = Window::<u64>::default();
        list.resize(10);
        assert_eq!(list.missing(), Some((0, 30)));
        list.accept(0, (0..30).collect(), 1_000_000);
        assert_eq!(list.missing(), None);
        list.go(u64::MAX);
        assert_eq!((list.cursor(), list.top(), list.current()), (999_999, 999_990, None));
        assert_eq!(list.missing(), Some((999_980, 30)));
        list.accept(999_980, (999_980..1_000_000).collect(), 1_000_000);
        assert_eq!((list.missing(), list.current()), (None, Some(&999_999)));
    }

    #[test]
    fn the_cursor_moves_while_rows_are_on_their_way() {
        let mut list = Window::<u64>::default();
        list.resize(5);
        list.accept(0, (0..15).collect(), 100);
        list.step(50);
        assert_eq!((list.cursor(), list.current()), (50, None));
        list.step(1);
        assert_eq!(list.cursor(), 51);
    }

    proptest! {
        #[test]
        fn the_cursor_stays_in_the_list_and_on_the_screen(
            moves in prop::collection::vec((any::<i64>(), 1u64..60, 0u64..200), 1..30),
        ) {
            let mut list = Window::<u64>::default();
            for (by, height, total) in moves {
                list.resize(height);
                if let Some((first, rows)) = list.missing() {
                    let first = first.min(total);
                    let end = (first + u64::from(rows)).min(total);
                    list.accept(first, (first..end).collect(), total);
                }
                list.step(by);
                let total = list.total().unwrap_or(0);
                prop_assert!(list.cursor() < total.max(1));
                prop_assert!(total == 0 || list.visible().contains(&list.cursor()));
                prop_assert_eq!(list.visible().count() as u64, height.min(total), "the screen is full");
            }
        }
    }
}

//! Finding a text in rows that are read: which rows hold it, and the next of them. Pure; the rows come from `content`.

use super::content::Row;

/// A text that is looked for, and the rows that hold it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Find {
    /// The text; a capital in it makes it exact about case.
    pub(crate) text: String,
    /// The rows where it begins, in order, each once.
    rows: Vec<u64>,
    /// Which of them one is at.
    at: Option<usize>,
}

impl Find {
    /// Looks for a text, from a row on.
    pub(crate) fn new(text: &str, rows: &[Row], from: u64) -> Find {
        let mut find = Find {
            text: text.to_owned(),
            ..Find::default()
        };
        find.look(rows);
        let after = find.rows.iter().position(|row| *row >= from);
        find.at = after.or((!find.rows.is_empty()).then_some(0));
        find
    }

    /// The rows are others now; one stays at the occurrence of the same number, if there is one.
    pub(crate) fn look(&mut self, rows: &[Row]) {
        self.rows.clear();
        let exact = self.text.chars().any(char::is_uppercase);
        let folded = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
        let wanted = folded(&self.text);
        if wanted.is_empty() {
            return;
        }
        let mut start = 0;
        while start < rows.len() {
            // A line that was broken into rows is one text.
            let more = rows
                .iter()
                .skip(start + 1)
                .take_while(|row| row.label.is_empty())
                .count();
            let (mut line, mut begins) = (String::new(), Vec::new());
            for (n, row) in rows.iter().enumerate().skip(start).take(1 + more) {
                begins.push((line.len(), n as u64));
                line.push_str(&folded(&row.text));
            }
            for (place, _) in line.match_indices(&wanted) {
                let row = begins
                    .iter()
                    .rev()
                    .find(|(begin, _)| *begin <= place)
                    .map(|(_, row)| *row);
                if let Some(row) = row.filter(|row| self.rows.last() != Some(row)) {
                    self.rows.push(row);
                }
            }
            start += 1 + more;
        }
        self.at = self.at.filter(|at| *at < self.rows.len());
    }

    /// Goes to the next or the previous one, around at the ends.
    pub(crate) fn step(&mut self, by: isize) {
        let all = self.rows.len();
        if let Some(at) = self.at.filter(|_| all > 0) {
            self.at = Some(at.wrapping_add_signed(by.rem_euclid(all as isize)) % all);
        }
    }

    /// The row one is at.
    pub(crate) fn row(&self) -> Option<u64> {
        self.rows.get(self.at?).copied()
    }

    /// Which of how many.
    pub(crate) fn place(&self) -> Option<(usize, usize)> {
        self.at.map(|at| (at + 1, self.rows.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(texts: &[(&str, &str)]) -> Vec<Row> {
        let row = |(label, text): &(&str, &str)| Row {
            label: (*label).into(),
            text: (*text).into(),
        };
        texts.iter().map(row).collect()
    }

    #[test]
    fn each_row_that_holds_it_is_gone_to_around() {
        let rows = rows(&[("1", "one"), ("2", "ONE one"), ("3", "two"), ("4", "bone")]);
        let mut find = Find::new("one", &rows, 1);
        assert_eq!((find.row(), find.place()), (Some(1), Some((2, 3))));
        for (by, row) in [(1, 3), (1, 0), (-1, 3)] {
            find.step(by);
            assert_eq!(find.row(), Some(row));
        }
        assert_eq!(
            Find::new("ONE", &rows, 0).place(),
            Some((1, 1)),
            "capitals make it exact"
        );
        let mut none = Find::new("xyz", &rows, 0);
        none.step(1);
        assert_eq!(none.row(), None);
        assert_eq!(Find::new("", &rows, 0).row(), None);
    }

    #[test]
    fn a_text_is_found_across_the_end_of_a_broken_line() {
        let broken = rows(&[("1", "abc de"), ("", "f ghi"), ("", "jkl"), ("2", "m")]);
        assert_eq!(Find::new("def", &broken, 0).row(), Some(0));
        assert_eq!(Find::new("hij", &broken, 0).row(), Some(1));
        assert_eq!(Find::new("lm", &broken, 0).row(), None, "lines are apart");
    }
}

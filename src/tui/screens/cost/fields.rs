//! The fields of the rule as rows to move among, under their heads.

use super::super::super::dialog::Moves;
use super::rule::Field;
use crate::retention::Bucket;

/// A line of the pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// The head of a part.
    Head(&'static str),
    /// A field.
    Field(Field),
}

/// All lines of a plan's rule, in order.
pub(super) const LINES: [Line; 27] = [
    Line::Head("What stays"),
    Line::Field(Field::Keep),
    Line::Field(Field::Days),
    Line::Field(Field::Floor),
    Line::Field(Field::Last),
    Line::Field(Field::Bucket(Bucket::Hour)),
    Line::Field(Field::Bucket(Bucket::Day)),
    Line::Field(Field::Bucket(Bucket::Week)),
    Line::Field(Field::Bucket(Bucket::Month)),
    Line::Field(Field::Bucket(Bucket::Quarter)),
    Line::Field(Field::Bucket(Bucket::Year)),
    Line::Field(Field::Within),
    Line::Field(Field::Tags),
    Line::Field(Field::Group),
    Line::Head("At most"),
    Line::Field(Field::Size),
    Line::Field(Field::Cost),
    Line::Head("From then on"),
    Line::Field(Field::Price),
    Line::Field(Field::Every),
    Line::Head("One of each, within"),
    Line::Field(Field::WithinBucket(Bucket::Hour)),
    Line::Field(Field::WithinBucket(Bucket::Day)),
    Line::Field(Field::WithinBucket(Bucket::Week)),
    Line::Field(Field::WithinBucket(Bucket::Month)),
    Line::Field(Field::WithinBucket(Bucket::Quarter)),
    Line::Field(Field::WithinBucket(Bucket::Year)),
];

/// Those of a snapshot policy's rule.
pub(super) const POLICY_LINES: &[Line] = &[
    Line::Head("What stays"),
    Line::Field(Field::Last),
    Line::Field(Field::Days),
    Line::Field(Field::Floor),
    Line::Field(Field::Bucket(Bucket::Hour)),
    Line::Field(Field::Bucket(Bucket::Day)),
    Line::Field(Field::Bucket(Bucket::Week)),
    Line::Field(Field::Bucket(Bucket::Month)),
    Line::Field(Field::Bucket(Bucket::Quarter)),
    Line::Field(Field::Bucket(Bucket::Year)),
    Line::Field(Field::Within),
    Line::Head("One of each, within"),
    Line::Field(Field::WithinBucket(Bucket::Hour)),
    Line::Field(Field::WithinBucket(Bucket::Day)),
    Line::Field(Field::WithinBucket(Bucket::Week)),
    Line::Field(Field::WithinBucket(Bucket::Month)),
    Line::Field(Field::WithinBucket(Bucket::Quarter)),
    Line::Field(Field::WithinBucket(Bucket::Year)),
];

/// The line of the period, where one begins.
const FIRST: usize = 2;

/// The lines on the screen, with a cursor on a field.
#[derive(Debug)]
pub struct Fields {
    lines: &'static [Line],
    cursor: usize,
    top: usize,
    height: usize,
}

impl Default for Fields {
    fn default() -> Fields {
        Fields {
            cursor: FIRST,
            ..Fields::of(&LINES)
        }
    }
}

impl Fields {
    /// These lines, with the cursor on the first field, which stands below a head.
    pub(super) fn of(lines: &'static [Line]) -> Fields {
        Fields {
            lines,
            cursor: 1,
            top: 0,
            height: 1,
        }
    }

    /// The field under the cursor.
    pub(super) fn current(&self) -> Field {
        match self.lines.get(self.cursor) {
            Some(Line::Field(field)) => *field,
            _ => Field::Days,
        }
    }

    /// Gives it its height on the screen.
    pub(super) fn resize(&mut self, height: usize) {
        self.height = height.max(1);
        self.settle();
    }

    /// The lines on the screen, and whether the cursor is on each.
    pub(super) fn visible(&self) -> impl Iterator<Item = (Line, bool)> + '_ {
        let lines = self.lines.iter().enumerate().skip(self.top).take(self.height);
        lines.map(|(n, line)| (*line, n == self.cursor))
    }

    /// Whether there are lines above and below those on the screen.
    pub(super) fn more(&self) -> (bool, bool) {
        (self.top > 0, self.top + self.height < self.lines.len())
    }

    fn settle(&mut self) {
        // The head above the first field of a part is shown with it.
        let first = match self.cursor.checked_sub(1).and_then(|above| self.lines.get(above)) {
            Some(Line::Head(_)) if self.height > 1 => self.cursor - 1,
            _ => self.cursor,
        };
        let lowest = (self.cursor + 1).saturating_sub(self.height);
        self.top = self
            .top
            .clamp(lowest.min(first), first)
            .min(self.lines.len().saturating_sub(self.height));
    }

    fn stop(&mut self, of: impl FnOnce(i64) -> i64) {
        let stops: Vec<usize> = (0..self.lines.len())
            .filter(|n| matches!(self.lines.get(*n), Some(Line::Field(_))))
            .collect();
        let at = stops.iter().position(|stop| *stop == self.cursor).unwrap_or(0);
        let to = usize::try_from(of(at as i64)).unwrap_or(0).min(stops.len() - 1);
        self.cursor = stops[to];
        self.settle();
    }
}

impl Moves for Fields {
    fn step(&mut self, by: i64) {
        self.stop(|at| at.saturating_add(by).max(0));
    }

    fn go(&mut self, to: u64) {
        self.stop(|_| i64::try_from(to).unwrap_or(i64::MAX));
    }

    fn page(&self) -> i64 {
        i64::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stands_on_fields_and_stays_on_the_screen() {
        for height in [1, 2, 5, 19, 40] {
            let mut fields = Fields::default();
            fields.resize(height);
            for by in [1, 1, -5, 9, 100, -1, -100, 3] {
                fields.step(by);
                let on: Vec<Line> = fields.visible().filter(|(_, on)| *on).map(|(line, _)| line).collect();
                assert!(
                    matches!(on[..], [Line::Field(field)] if field == fields.current()),
                    "{height}"
                );
            }
            fields.go(u64::MAX);
            assert_eq!(fields.current(), Field::WithinBucket(Bucket::Year));
            fields.go(0);
            assert_eq!(fields.current(), Field::Keep);
        }
    }
}

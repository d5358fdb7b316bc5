//! What the overview tells, as lines on the screen: some can be gone to, some only say something.

use super::super::super::dialog::Moves;
use crate::engine::overview::Overview;
use crate::text;

/// Cells left of a warning's sentence.
pub(super) const WARNING: u16 = 13;

/// What a line is of. Numbers are places in the engine's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// The first lines: how it all stands.
    Banner(u8),
    /// An empty line.
    Air,
    /// The head of a part.
    Head(Part),
    /// A plan in one of its vaults.
    Plan(usize, usize),
    /// A vault.
    Vault(usize),
    /// Something to know.
    Warning(usize),
    /// What brings something back.
    Cover(usize),
    /// How many are not told one by one.
    Uncovered(u64),
    /// What a vault costs.
    Cost(usize),
    /// A run.
    Run(usize),
    /// There is nothing in this part.
    None(Part),
}

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Plans,
    Vaults,
    Warnings,
    Coverage,
    Costs,
    Runs,
}

impl Item {
    /// Whether the cursor can stand on it.
    fn can_be_gone_to(self) -> bool {
        matches!(
            self,
            Item::Plan(..) | Item::Vault(_) | Item::Warning(_) | Item::Cover(_) | Item::Cost(_) | Item::Run(_)
        )
    }
}

/// How many lines there are of what is told beside the overview itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beside {
    /// Vaults with what they cost.
    pub costs: usize,
    /// What is told of what brings it back.
    pub covered: usize,
    /// What is only counted.
    pub uncovered: u64,
}

/// The lines, with a cursor on one that can be gone to.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// What each line is of, and which line of that.
    lines: Vec<(Item, u16)>,
    /// The line of the cursor, the first one of its item.
    cursor: usize,
    /// Whether the user has moved it: until then it is on the first line, whatever comes in above.
    moved: bool,
    top: usize,
    height: usize,
}

impl Rows {
    /// Lays the lines out anew; the cursor stays on what it was on.
    pub(super) fn lay_out(&mut self, told: &Overview, beside: Beside, width: u16, height: usize) {
        let on = self.current().filter(|_| self.moved);
        self.lines.clear();
        self.height = height.max(1);
        self.put(Item::Banner(0), 1);
        self.put(Item::Banner(1), 1);
        let parts = [
            Part::Plans,
            Part::Vaults,
            Part::Warnings,
            Part::Coverage,
            Part::Costs,
            Part::Runs,
        ];
        for part in parts {
            self.part(part, told, beside, width);
        }
        let same = on.and_then(|on| self.lines.iter().position(|line| *line == (on, 0)));
        let first = self.lines.iter().position(|(item, _)| item.can_be_gone_to());
        self.cursor = same.or(first).unwrap_or(0);
        self.settle();
    }

    fn part(&mut self, part: Part, told: &Overview, beside: Beside, width: u16) {
        let mut items: Vec<(Item, u16)> = Vec::new();
        match part {
            Part::Plans => {
                for (n, plan) in told.plans.iter().enumerate() {
                    items.extend((0..plan.copies.len()).map(|copy| (Item::Plan(n, copy), 1)));
                }
            }
            Part::Vaults => items.extend((0..told.vaults.len()).map(|n| (Item::Vault(n), 1))),
            Part::Warnings => {
                let cells = usize::from(width.saturating_sub(WARNING + 2));
                for (n, warning) in told.warnings.iter().enumerate() {
                    let lines = text::wrap(&text::escape(warning.text.as_bytes()), cells).len();
                    items.push((Item::Warning(n), u16::try_from(lines).unwrap_or(1)));
                }
            }
            // Nothing is said of it before anything is known.
            Part::Coverage if beside.covered == 0 && beside.uncovered == 0 => return,
            Part::Coverage => {
                items.extend((0..beside.covered).map(|n| (Item::Cover(n), 1)));
                items.extend((beside.uncovered > 0).then_some((Item::Uncovered(beside.uncovered), 1)));
            }
            Part::Costs if beside.costs == 0 => return,
            Part::Costs => items.extend((0..beside.costs).map(|n| (Item::Cost(n), 1))),
            Part::Runs => items.extend((0..told.runs.len()).map(|n| (Item::Run(n), 1))),
        }
        if items.is_empty() {
            items.push((Item::None(part), 1));
        }
        self.put(Item::Air, 1);
        self.put(Item::Head(part), 1);
        for (item, lines) in items {
            self.put(item, lines);
        }
    }

    fn put(&mut self, item: Item, lines: u16) {
        self.lines.extend((0..lines).map(|line| (item, line)));
    }

    /// What the cursor is on.
    pub(super) fn current(&self) -> Option<Item> {
        let (item, _) = *self.lines.get(self.cursor)?;
        item.can_be_gone_to().then_some(item)
    }

    /// The lines on the screen.
    pub(super) fn visible(&self) -> impl Iterator<Item = (Item, u16)> + '_ {
        self.lines.iter().skip(self.top).take(self.height).copied()
    }

    /// Whether there are lines above and below those on the screen.
    pub(super) fn more(&self) -> (bool, bool) {
        (self.top > 0, self.top + self.height < self.lines.len())
    }

    /// The lines one can go to, in order.
    fn stops(&self) -> Vec<usize> {
        let stops = self.lines.iter().enumerate();
        let stops = stops.filter(|(_, (item, line))| *line == 0 && item.can_be_gone_to());
        stops.map(|(n, _)| n).collect()
    }

    fn stop(&mut self, of: impl FnOnce(&[usize], usize) -> usize) {
        let stops = self.stops();
        let at = stops.iter().position(|stop| *stop == self.cursor).unwrap_or(0);
        if let Some(last) = stops.len().checked_sub(1) {
            self.cursor = stops[of(&stops, at).min(last)];
        }
        self.settle();
    }

    /// Keeps the cursor's item on the screen, and what belongs above the first one with it.
    fn settle(&mut self) {
        let Some((on, _)) = self.lines.get(self.cursor).copied() else {
            self.top = 0;
            return;
        };
        let lines = self.lines[self.cursor..]
            .iter()
            .take_while(|(item, _)| *item == on)
            .count();
        let end = self.cursor + lines.clamp(1, self.height);
        // The head of its part, or the whole banner, is worth seeing too.
        let above = self.lines[..self.cursor]
            .iter()
            .rposition(|(item, _)| item.can_be_gone_to());
        let first = above.map_or(0, |above| above + 1);
        let lowest = end.saturating_sub(self.height);
        let highest = first.max(lowest);
        // By half a screen: of lines that have nothing in common each shift is a whole screen's bytes.
        if self.top < lowest {
            self.top = (lowest + self.height / 2).min(self.cursor);
        } else if self.top > highest {
            self.top = highest.saturating_sub(self.height / 2).max(lowest);
        }
        self.top = self.top.min(self.lines.len().saturating_sub(self.height));
    }
}

impl Moves for Rows {
    fn step(&mut self, by: i64) {
        self.moved = true;
        self.stop(|_, at| usize::try_from((at as i64).saturating_add(by)).unwrap_or(0));
    }

    fn go(&mut self, to: u64) {
        self.moved = true;
        self.stop(|_, _| usize::try_from(to).unwrap_or(usize::MAX));
    }

    fn page(&self) -> i64 {
        i64::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::overview::{About, PlanCopy, PlanState, Severity, VaultState, Warning};

    fn told(plans: usize, vaults: usize, warnings: usize) -> Overview {
        Overview {
            plans: vec![
                PlanState {
                    copies: vec![PlanCopy::default(); 2],
                    ..PlanState::default()
                };
                plans
            ],
            vaults: vec![VaultState::default(); vaults],
            warnings: vec![
                Warning {
                    severity: Severity::Note,
                    text: "word ".repeat(30),
                    about: About::Setup,
                };
                warnings
            ],
            ..Overview::default()
        }
    }

    fn beside(costs: usize) -> Beside {
        Beside {
            costs,
            covered: costs,
            uncovered: 3,
        }
    }

    #[test]
    fn the_cursor_passes_over_what_cannot_be_gone_to() {
        let mut rows = Rows::default();
        rows.lay_out(&told(1, 1, 1), beside(1), 80, 40);
        let mut seen = Vec::new();
        for _ in 0..7 {
            seen.push(rows.current().unwrap());
            rows.step(1);
        }
        assert_eq!(
            seen,
            [
                Item::Plan(0, 0),
                Item::Plan(0, 1),
                Item::Vault(0),
                Item::Warning(0),
                Item::Cover(0),
                Item::Cost(0),
                Item::Cost(0)
            ]
        );
        rows.go(0);
        assert_eq!(rows.current(), Some(Item::Plan(0, 0)));
    }

    #[test]
    fn what_comes_in_above_does_not_take_the_cursor_along_before_it_was_moved() {
        let mut rows = Rows::default();
        rows.lay_out(&told(0, 0, 0), beside(1), 80, 10);
        assert_eq!(rows.current(), Some(Item::Cover(0)));
        rows.lay_out(&told(3, 9, 9), beside(1), 80, 10);
        assert_eq!((rows.current(), rows.top), (Some(Item::Plan(0, 0)), 0));
        rows.step(1);
        rows.lay_out(&told(3, 9, 9), beside(9), 80, 10);
        assert_eq!(rows.current(), Some(Item::Plan(0, 1)));
    }

    proptest! {
        #[test]
        fn the_cursors_item_is_on_the_screen(
            moves in prop::collection::vec((any::<i8>(), 0usize..4, 0usize..9, 0usize..5, 30u16..130, 6usize..40), 1..20),
        ) {
            let mut rows = Rows::default();
            for (by, plans, vaults, warnings, width, height) in moves {
                rows.lay_out(&told(plans, vaults, warnings), beside(vaults), width, height);
                rows.step(i64::from(by));
                if let Some(current) = rows.current() {
                    prop_assert!(rows.visible().any(|line| line == (current, 0)));
                }
                prop_assert!(rows.visible().count() <= height);
                let lines = rows.lines.iter().filter(|(item, _)| Some(*item) == rows.current()).count();
                if rows.stops().first() == Some(&rows.cursor) && rows.cursor + lines <= height {
                    prop_assert_eq!(rows.top, 0, "what stands above the first one is seen with it");
                }
            }
        }
    }
}

//! A small menu of lettered choices: a letter takes one at once; the moves and Enter work as well.
//!
//! The holder makes it of [`Item`]s and draws it; its letters are actions of the holder, so that they can be remapped.
//! Nothing here knows what a choice means.

use ratatui::layout::Rect;

use super::super::dialog::Moves;
use crate::text;
use crate::tui::theme::Role;
use crate::tui::view::canvas::Canvas;

/// A choice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Item {
    /// The letter that takes it.
    pub(crate) letter: char,
    /// What it is.
    pub(crate) name: String,
    /// What it would do or give, shown dimmed at its right; must be harmless text.
    pub(crate) detail: String,
    /// Whether it is in force now.
    pub(crate) on: bool,
    /// Why it cannot be taken now.
    pub(crate) why_not: Option<String>,
}

impl Item {
    /// A choice.
    pub(crate) fn new(letter: char, name: impl Into<String>) -> Item {
        Item {
            letter,
            name: name.into(),
            ..Item::default()
        }
    }

    /// With what it would do or give.
    pub(crate) fn detail(self, detail: impl Into<String>) -> Item {
        Item {
            detail: detail.into(),
            ..self
        }
    }

    /// That cannot be taken, and why, if so.
    pub(crate) fn why_not(self, why_not: Option<String>) -> Item {
        Item { why_not, ..self }
    }
}

/// The choices, and the one under the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Menu {
    items: Vec<Item>,
    cursor: usize,
}

impl Menu {
    /// A menu with its cursor on the first choice that is in force, or else the first.
    pub(crate) fn new(items: Vec<Item>) -> Menu {
        let cursor = items.iter().position(|item| item.on).unwrap_or(0);
        Menu { items, cursor }
    }

    /// The choices.
    pub(crate) fn items(&self) -> &[Item] {
        &self.items
    }

    /// The number of the choice under the cursor.
    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    /// The number of the choice with this letter.
    pub(crate) fn of_letter(&self, letter: char) -> Option<usize> {
        self.items.iter().position(|item| item.letter == letter)
    }

    /// Columns and rows it wants, its frame included.
    pub(crate) fn size(&self) -> (u16, u16) {
        let names = self.name_width();
        let details = self
            .items
            .iter()
            .map(|item| text::width(detail(item)))
            .max()
            .unwrap_or(0);
        let gap = if details > 0 { 2 } else { 0 };
        // Frame and air on both sides, mark, letter.
        let width = 4 + 2 + 3 + names + gap + details;
        (
            u16::try_from(width).unwrap_or(u16::MAX),
            u16::try_from(self.items.len()).unwrap_or(u16::MAX).saturating_add(2),
        )
    }

    fn name_width(&self) -> usize {
        self.items.iter().map(|item| text::width(&item.name)).max().unwrap_or(0)
    }

    /// Draws it with its frame into `area`, which should have its size; what is wider is cut, what is lower scrolls.
    pub(crate) fn draw(&self, canvas: &mut Canvas, area: Rect, title: &str) {
        if area.width < 8 || area.height < 3 {
            return;
        }
        let inside = canvas.frame(area, title, Role::Focus);
        let symbols = canvas.look.symbols;
        let rows = usize::from(inside.height);
        let first = (self.cursor + 1).saturating_sub(rows).min(self.items.len());
        let names = self.name_width();
        for (row, (n, item)) in self.items.iter().enumerate().skip(first).take(rows).enumerate() {
            let y = inside.y + row as u16;
            let end = inside.right();
            let off = item.why_not.is_some();
            let role = |usual| if off { Role::Disabled } else { usual };
            let mark = if item.on { symbols.radio_on } else { " " };
            canvas.text(inside.x, y, end, mark, role(Role::Marked));
            let x = canvas.text(inside.x + 2, y, end, &item.letter.to_string(), role(Role::Key)) + 2;
            let room = usize::from(end.saturating_sub(x));
            let name = text::cut_end(&item.name, room, symbols.more);
            canvas.text(x, y, end, &name, role(Role::Text));
            let x = x.saturating_add(u16::try_from(names + 2).unwrap_or(u16::MAX));
            let room = usize::from(end.saturating_sub(x));
            if room > 0 {
                let detail = text::cut_middle(detail(item), room, symbols.more);
                canvas.text(x, y, end, &detail, role(Role::Dim));
            }
            if n == self.cursor {
                let style = canvas.look.style(Role::Cursor);
                canvas.paint(inside.x, y, end, style);
            }
        }
    }
}

impl Moves for Menu {
    fn step(&mut self, by: i64) {
        self.go((self.cursor as u64).saturating_add_signed(by));
    }

    fn go(&mut self, to: u64) {
        let last = self.items.len().saturating_sub(1);
        self.cursor = usize::try_from(to).unwrap_or(last).min(last);
    }

    fn page(&self) -> i64 {
        i64::try_from(self.items.len()).unwrap_or(i64::MAX)
    }
}

/// What stands at a choice's right: why it cannot be taken, or what it gives.
fn detail(item: &Item) -> &str {
    item.why_not.as_deref().unwrap_or(&item.detail)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use ratatui::buffer::Buffer;

    use super::*;
    use crate::tui::theme::{ASCII, Look, Theme};

    fn menu() -> Menu {
        Menu::new(vec![
            Item::new('n', "name"),
            Item {
                on: true,
                ..Item::new('s', "size").detail("largest first")
            },
            Item::new('k', "kind"),
            Item::new('h', "history").why_not(Some("Not known yet.".into())),
        ])
    }

    fn drawn(menu: &Menu, width: u16, height: u16, look: Look) -> String {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        menu.draw(&mut Canvas::new(&mut buffer, area, look), area, "Sort by");
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..height).map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_cursor_starts_on_what_is_in_force_and_stays_among_the_choices() {
        let mut menu = menu();
        assert_eq!(
            (menu.cursor(), menu.of_letter('k'), menu.of_letter('x')),
            (1, Some(2), None)
        );
        menu.step(9);
        assert_eq!(menu.items()[menu.cursor()].name, "history");
        menu.go(0);
        menu.step(-1);
        assert_eq!(menu.cursor(), 0);
        Menu::default().step(1);
    }

    #[test]
    fn it_is_drawn_in_its_size_and_in_less() {
        let menu = menu();
        let (width, height) = menu.size();
        assert_snapshot!(drawn(&menu, width, height, Look::default()), @r"
        ╭─ Sort by ────────────────────╮
        │   n  name                    │
        │ ● s  size     largest first  │
        │   k  kind                    │
        │   h  history  Not known yet. │
        ╰──────────────────────────────╯
        ");
        let ascii = Look {
            theme: Theme::Mono,
            symbols: &ASCII,
        };
        assert_snapshot!(drawn(&menu, 18, 4, ascii), @r"
        +- Sort by ------+
        |   n  name      |
        | * s  size      |
        +----------------+
        ");
    }
}

//! Text into cells: by role, clipped, in the symbols of the look.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::field::Field;
use super::super::theme::{Look, Role};
use crate::text;

/// A buffer with the look it is drawn in. Coordinates are those of the area.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    /// The look.
    pub look: Look,
    /// Rows at the bottom that dialogs leave free.
    pub floor: u16,
}

/// Makes the hidden half of each wide character unlike any visible cell, so that it is sent anew once the character is
/// gone: what terminals leave there differs. A character whose other half was drawn over (by a dialog's edge) goes.
pub(crate) fn settle_wide(buffer: &mut Buffer) {
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x + 1 < area.right() {
            let symbol = buffer[(x, y)].symbol();
            if symbol.len() > 1 && text::width(symbol) == 2 {
                if buffer[(x + 1, y)].symbol() == " " {
                    buffer[(x + 1, y)].modifier = ratatui::style::Modifier::HIDDEN;
                    x += 1;
                } else {
                    buffer[(x, y)].set_symbol(" ");
                }
            }
            x += 1;
        }
    }
}

impl<'a> Canvas<'a> {
    /// Draws into an area of a buffer.
    pub fn new(buffer: &'a mut Buffer, area: Rect, look: Look) -> Self {
        let area = area.intersection(buffer.area);
        Canvas {
            buffer,
            area,
            look,
            floor: 0,
        }
    }

    /// Columns.
    pub fn width(&self) -> u16 {
        self.area.width
    }

    /// Rows.
    pub fn height(&self) -> u16 {
        self.area.height
    }

    /// Writes text from `x` on, up to column `end`; gives the column behind it.
    pub fn text(&mut self, x: u16, y: u16, end: u16, text: &str, role: Role) -> u16 {
        self.styled(x, y, end, text, self.look.style(role))
    }

    /// Writes text in a style.
    pub fn styled(&mut self, x: u16, y: u16, end: u16, text: &str, style: Style) -> u16 {
        let end = end.min(self.area.width);
        if x >= end || y >= self.area.height {
            return x;
        }
        let room = usize::from(end - x);
        // Replaced, not mixed with what was drawn there before.
        let style = Style::reset().patch(style);
        let (next, _) = self
            .buffer
            .set_stringn(self.area.x + x, self.area.y + y, text, room, style);
        next - self.area.x
    }

    /// Writes text so that it ends before column `end`.
    pub fn right(&mut self, y: u16, end: u16, text: &str, role: Role) {
        let start = end.saturating_sub(text::width(text) as u16);
        self.text(start, y, end, text, role);
    }

    /// Gives cells from `x` up to `end` a style, whatever they hold.
    pub fn paint(&mut self, x: u16, y: u16, end: u16, style: Style) {
        let area = Rect::new(self.area.x + x, self.area.y + y, end.saturating_sub(x), 1);
        let area = area.intersection(self.area);
        for x in area.left()..area.right() {
            if let Some(cell) = self.buffer.cell_mut((x, area.y)) {
                // Replaced, not mixed: a cursor row is one style from end to end.
                cell.set_style(Style::reset());
                cell.set_style(style);
            }
        }
    }

    /// Repeats a symbol from `x` up to `end`.
    pub fn rule(&mut self, x: u16, y: u16, end: u16, symbol: &str, role: Role) {
        let line = symbol.repeat(usize::from(end.saturating_sub(x)));
        self.text(x, y, end, &line, role);
    }

    /// Empties a rectangle.
    pub fn clear(&mut self, area: Rect) {
        for y in area.top()..area.bottom().min(self.area.height) {
            for x in area.left()..area.right().min(self.area.width) {
                if let Some(cell) = self.buffer.cell_mut((self.area.x + x, self.area.y + y)) {
                    cell.reset();
                }
            }
        }
    }

    /// A frame with a title, emptied; gives what is inside, a column of air on each side.
    pub fn frame(&mut self, area: Rect, title: &str, role: Role) -> Rect {
        self.clear(area);
        let symbols = self.look.symbols;
        let [top_left, top_right, bottom_left, bottom_right] = symbols.corners;
        let (left, right, top, bottom) = (area.x, area.right() - 1, area.y, area.bottom() - 1);
        for (y, start, end) in [(top, top_left, top_right), (bottom, bottom_left, bottom_right)] {
            self.text(left, y, right + 1, start, role);
            self.rule(left + 1, y, right, symbols.rule, role);
            self.text(right, y, right + 1, end, role);
        }
        for y in top + 1..bottom {
            self.text(left, y, left + 1, symbols.side, role);
            self.text(right, y, right + 1, symbols.side, role);
        }
        let room = usize::from(area.width.saturating_sub(6));
        let title = format!(" {} ", text::cut_end(title, room, symbols.more));
        self.text(left + 2, top, right, &title, Role::Title);
        Rect::new(
            area.x + 2,
            area.y + 1,
            area.width.saturating_sub(4),
            area.height.saturating_sub(2),
        )
    }

    /// A rectangle of this size in the middle, as far as there is room; the title and the last rows stay free.
    pub fn middle(&self, width: u16, height: u16) -> Rect {
        let width = width.min(self.area.width.saturating_sub(4));
        let room = self.area.height.saturating_sub(self.floor + 1);
        let height = height.min(room);
        Rect::new((self.area.width - width) / 2, 1 + (room - height) / 2, width, height)
    }

    /// A field one types into, with the place typing goes to; its text as dots where it is a secret.
    pub fn field(&mut self, x: u16, y: u16, width: u16, field: &Field, secret: bool) {
        let style = self.look.style(Role::Field);
        let (before, behind) = field.halves();
        let shown = |part: &str| {
            if secret {
                self.look.symbols.bullet.repeat(part.chars().count().min(4096))
            } else {
                text::escape(part.as_bytes())
            }
        };
        let (before, behind) = (shown(before), shown(behind));
        let before = text::cut_start(&before, usize::from(width.saturating_sub(2)), self.look.symbols.more);
        let blank = " ".repeat(usize::from(width));
        self.styled(x, y, x + width, &blank, style);
        let at = self.styled(x, y, x + width, &before, style);
        self.styled(at, y, x + width, &behind, style);
        let caret = self.look.style(Role::Cursor);
        if at < x + width
            && let Some(cell) = self.buffer.cell_mut((self.area.x + at, self.area.y + y))
        {
            cell.set_style(caret);
        }
    }

    /// A key's name as this look can show it.
    pub fn key_name(&self, key: &str) -> String {
        if self.look.symbols.rule.is_ascii() {
            key.replace('↑', "Up")
                .replace('↓', "Down")
                .replace('←', "Left")
                .replace('→', "Right")
        } else {
            key.to_owned()
        }
    }

    /// A gauge of a done part of 0 to 1.
    pub fn gauge(&mut self, x: u16, y: u16, width: u16, done: f64) {
        let full = (f64::from(width) * done).floor() as u16;
        let symbols = self.look.symbols;
        self.rule(x, y, x + full, symbols.gauge_done, Role::Gauge);
        self.rule(x + full, y, x + width, symbols.gauge_left, Role::Dim);
    }
}

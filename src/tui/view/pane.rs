//! What panes have in common: their columns on the screen, their heading, the cursor's row, and which columns fit.

use super::super::dialogs::jobs::Drawer;
use super::super::model::{Load, Model};
use super::super::theme::Role;
use super::super::window::Window;
use super::canvas::Canvas;
use crate::text;

/// The first row of the panes: their titles.
pub(crate) const TOP: u16 = 1;

/// Columns from `x` up to `end`, and whether the keys act here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) x: u16,
    pub(crate) end: u16,
    pub(crate) focus: bool,
}

impl Span {
    /// All columns.
    pub(crate) fn whole(canvas: &Canvas) -> Span {
        Span {
            x: 0,
            end: canvas.width(),
            focus: true,
        }
    }

    pub(crate) fn width(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }
}

/// The row below the last one of a pane.
pub(crate) fn bottom(model: &Model, canvas: &Canvas) -> u16 {
    canvas.height().saturating_sub(2 + model.strip_rows())
}

/// Draws a line between two panes, in this column.
pub(crate) fn divide(model: &Model, canvas: &mut Canvas, x: u16) {
    for y in TOP + 1..bottom(model, canvas) {
        canvas.text(x, y, x + 1, model.look.symbols.column, Role::Border);
    }
    canvas.text(x, TOP, x + 1, model.look.symbols.tee, Role::Border);
}

/// A title in its rule; gives the column behind it.
pub(crate) fn plain_heading(model: &Model, canvas: &mut Canvas, span: Span, title: &str) -> u16 {
    title_in_rule(model, canvas, span, (TOP, span.end), title)
}

/// The same in another row, for a pane below another.
pub(crate) fn heading_at(model: &Model, canvas: &mut Canvas, span: Span, y: u16, title: &str) {
    title_in_rule(model, canvas, span, (y, span.end), title);
}

/// A title in the rule of a row, up to a column.
fn title_in_rule(model: &Model, canvas: &mut Canvas, span: Span, (y, end): (u16, u16), title: &str) -> u16 {
    let symbols = model.look.symbols;
    let (rule, role, title_role) = if span.focus {
        (symbols.rule_focus, Role::Focus, Role::Focus)
    } else {
        (symbols.rule, Role::Border, Role::Dim)
    };
    canvas.rule(span.x, y, span.end, rule, role);
    let room = usize::from(end.saturating_sub(span.x + 4));
    let title = format!(" {} ", text::cut_start(title, room, symbols.more));
    canvas.text(span.x + 1, y, end, &title, title_role)
}

/// The title in its rule, with where the cursor is, and the filter in force.
pub(crate) fn heading<T>(model: &Model, canvas: &mut Canvas, span: Span, title: &str, filter: &str, list: &Window<T>) {
    let symbols = model.look.symbols;
    let place = match list.total() {
        Some(0) | None => String::new(),
        Some(total) => format!(" {}/{} ", text::count(list.cursor() + 1), text::count(total)),
    };
    let end = span.end.saturating_sub(text::width(&place) as u16 + 1);
    let x = title_in_rule(model, canvas, span, (TOP, end), title);
    canvas.text(end, TOP, span.end, &place, Role::Dim);
    if !filter.is_empty() {
        let room = usize::from(end.saturating_sub(x + 4));
        let chip = format!(
            " {} ",
            text::cut_end(&text::escape(filter.as_bytes()), room, symbols.more)
        );
        canvas.text(x, TOP, end, &chip, Role::Chip);
    }
}

/// How the cursor's row looks.
pub(crate) fn cursor_role(model: &Model, span: Span) -> Role {
    let away = model.dialog::<Drawer>().is_some();
    if span.focus && !away {
        Role::Cursor
    } else {
        Role::CursorAway
    }
}

/// Marks the cursor's row: painted where the keys act, a bar at its side elsewhere.
pub(crate) fn cursor(model: &Model, canvas: &mut Canvas, span: Span, y: u16) {
    if cursor_role(model, span) == Role::Cursor {
        canvas.paint(span.x, y, span.end, model.look.style(Role::Cursor));
    } else {
        canvas.text(span.x, y, span.end, model.look.symbols.cursor, Role::Focus);
    }
}

/// A column: its head, its width, whether its text stands right.
pub(crate) type Column = (&'static str, u16, bool);

/// As many of the columns, most needed first, as fit behind `used`; in the order to be shown.
pub(crate) fn fitting(columns: &[(u8, Column)], room: u16) -> Vec<(usize, Column)> {
    let mut by_need: Vec<usize> = (0..columns.len()).collect();
    by_need.sort_by_key(|n| columns[*n].0);
    let mut used = 0;
    let mut shown: Vec<usize> = Vec::new();
    for n in by_need {
        let width = columns[n].1.1 + 2;
        if used + width > room {
            break;
        }
        used += width;
        shown.push(n);
    }
    shown.sort_unstable();
    shown.into_iter().map(|n| (n, columns[n].1)).collect()
}

/// Draws the heads of columns from `x` on, each two cells apart.
pub(crate) fn heads(canvas: &mut Canvas, mut x: u16, end: u16, columns: &[(usize, Column)]) {
    for (_, (head, width, right)) in columns {
        if *right {
            canvas.right(TOP + 1, x + width, head, Role::Dim);
        } else {
            canvas.text(x, TOP + 1, end, head, Role::Dim);
        }
        x += width + 2;
    }
}

/// Whether a list shows nothing yet but will.
pub(crate) fn is_waiting<T>(load: &Load, list: &Window<T>) -> bool {
    matches!(load, Load::Idle | Load::Loading) && list.total().is_none()
}

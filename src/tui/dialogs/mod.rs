//! The dialogs: each with its state, its actions, what it asks for and its drawing. What they have in common in drawing is
//! here.

pub mod backup;
pub mod confirm;
pub mod filter;
pub mod help;
pub mod jobs;
pub mod password;
pub mod quit;
pub mod restore;

use ratatui::layout::Rect;

use super::actions::Context;
use super::model::Model;
use super::theme::Role;
use super::view::canvas::Canvas;
use super::view::hint_line;
use crate::text;

/// Columns of a dialog where there is room.
pub(crate) const WIDTH: u16 = 72;

/// A dialog of so many lines inside, its keys' line counted.
pub(crate) fn frame(canvas: &mut Canvas, lines: u16, title: &str, role: Role) -> Rect {
    let area = canvas.middle(WIDTH, lines + 2);
    canvas.frame(area, title, role)
}

/// Cells of a dialog's line where the screen is so wide.
pub(crate) fn room(canvas: &Canvas) -> usize {
    usize::from(WIDTH.min(canvas.width().saturating_sub(4)).saturating_sub(6))
}

/// A line of a dialog.
pub(crate) fn line(canvas: &mut Canvas, inside: Rect, n: u16, text: &str, role: Role) {
    if n < inside.height {
        canvas.text(inside.x, inside.y + n, inside.right(), text, role);
    }
}

/// A label and what it labels, in two columns.
pub(crate) fn labelled(canvas: &mut Canvas, inside: Rect, n: u16, label: &str, text: &str, role: Role) {
    line(canvas, inside, n, label, Role::Dim);
    let more = canvas.look.symbols.more;
    let text = text::cut_middle(text, usize::from(inside.width.saturating_sub(12)), more);
    if n < inside.height {
        canvas.text(inside.x + 12, inside.y + n, inside.right(), &text, role);
    }
}

/// The last line of a dialog: its keys.
pub(crate) fn keys_line(model: &Model, canvas: &mut Canvas, inside: Rect, context: Context) {
    let y = inside.bottom().saturating_sub(2);
    hint_line(model, canvas, context, inside.x, y, inside.right());
}

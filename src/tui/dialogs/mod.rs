//! The dialogs: each with its state, its actions, what it asks for and its drawing. What they have in common in drawing is
//! here.

pub mod backup;
pub mod browser;
pub mod changes;
pub mod check;
pub mod compare;
pub mod confirm;
pub mod copy;
pub mod filter;
pub mod first;
pub(crate) mod going;
pub mod help;
pub mod jobs;
pub mod keys;
pub mod locks;
pub mod look;
pub mod notes;
pub mod palette;
pub mod password;
pub mod plans;
pub mod prices;
pub mod problems;
pub mod prune;
pub mod quit;
pub mod restore;
pub mod snapshots;
pub mod sort;
pub mod vault;
pub mod versions;

use ratatui::layout::Rect;

use super::actions::Context;
use super::model::{Load, Model};
use super::theme::Role;
use super::view::canvas::Canvas;
use super::view::hint_line;
use super::widgets::form::Form;
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
    cells(canvas.width())
}

/// Cells of a dialog's line on a screen of so many columns.
pub(crate) fn cells(columns: u16) -> usize {
    usize::from(WIDTH.min(columns.saturating_sub(4)).saturating_sub(6))
}

/// Rows inside a dialog's frame at most: the title, what is said, the strip of jobs and the keys stay in sight.
pub(crate) fn rows_inside(model: &Model) -> u16 {
    model.size.1.saturating_sub(3 + model.strip_rows() + 2)
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

/// Why there is no vault to do something with.
pub(crate) fn no_vault_here(model: &Model) -> Option<String> {
    let none = model.vaults.list.current().is_none();
    none.then(|| "There is no vault here: A sets one up.".into())
}

/// What a dialog asked of a vault needs its password: it is asked for, above the dialog.
pub(crate) fn locked(model: &mut Model, problem: String) {
    model.generations.load = Load::Locked;
    password::open(model, problem);
}

/// Whether a vault that [`locked`] asked a password for is open by now.
pub(crate) fn unlocked(model: &Model, vault: &str) -> bool {
    model.generations.load != Load::Locked && model.generations.vault.as_deref() == Some(vault)
}

/// Columns of a dialog that is a form.
const FORM_WIDTH: u16 = 88;

/// Draws a dialog that is a form: sentences above it, the form, a line about how it stands, its keys. A form that is taller
/// than the screen scrolls.
pub(crate) fn form_dialog(
    model: &Model,
    canvas: &mut Canvas,
    title: &str,
    above: &[String],
    form: &Form,
    standing: (&str, Role),
    context: Context,
) {
    let width = FORM_WIDTH.min(canvas.width().saturating_sub(4));
    let cells = width.saturating_sub(4);
    let above: Vec<String> = above
        .iter()
        .flat_map(|line| text::wrap(line, usize::from(cells)))
        .collect();
    let standing_lines = match standing.0 {
        "" => Vec::new(),
        words if standing.1 == Role::Danger => {
            text::wrap(&format!("{} {words}", model.look.symbols.bad), usize::from(cells))
        }
        words => text::wrap(words, usize::from(cells)),
    };
    let head = above.len() as u16 + u16::from(!above.is_empty());
    let said = standing_lines.len() as u16;
    let tight = head + form.height(cells) + 1 + said + 1;
    // Lines of air where the screen has room: above all, before the keys, below them.
    let airy = tight + 2 + u16::from(said > 0);
    let air = airy <= canvas.height().saturating_sub(canvas.floor + 3);
    let area = canvas.middle(width, if air { airy } else { tight } + 2);
    let inside = canvas.frame(area, title, Role::Focus);
    let top = u16::from(air);
    for (n, text) in above.iter().enumerate() {
        line(canvas, inside, top + n as u16, text, Role::Text);
    }
    let keys = inside.height.saturating_sub(1 + u16::from(air));
    let first = keys.saturating_sub(said + u16::from(air && said > 0));
    let height = first.saturating_sub(top + head + 1);
    form.draw(canvas, Rect::new(inside.x, inside.y + top + head, inside.width, height));
    for (n, text) in standing_lines.iter().enumerate() {
        line(canvas, inside, first + n as u16, text, standing.1);
    }
    hint_line(model, canvas, context, inside.x, inside.y + keys, inside.right());
}

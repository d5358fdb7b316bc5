//! What is about to go, before it does: rows to move among, and what their going means, the gravest first.
//!
//! Where there is no room for all of it, rows give way first, then what is least grave; that is said, and the question that
//! `y` leads to tells it all. What does not live here: what the rows are, and doing it.

use super::super::actions::Context;
use super::super::model::Model;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::view::hint_line;
use super::super::window::Window;
use super::{cells, frame, line, rows_inside};
use crate::text;

/// Rows that are listed at most.
const MOST: u16 = 14;
/// Rows beside those and the sentences: a line of air above, between, before the keys and below them, and the keys.
const AIRY: u16 = 5;

/// Rows that go, and what is to be said of it.
#[derive(Debug)]
pub(crate) struct Going<T> {
    /// The rows.
    pub(crate) list: Window<T>,
    said: Vec<(String, Role)>,
    /// What is said, wrapped.
    lines: Vec<(String, Role)>,
}

/// How grave a sentence is, the gravest lowest.
fn gravity(role: Role) -> u8 {
    match role {
        Role::Danger => 0,
        Role::Warning => 1,
        _ => 2,
    }
}

impl<T> Going<T> {
    /// Rows that go.
    pub(crate) fn new(rows: Vec<T>) -> Going<T> {
        Going {
            list: Window::whole(rows),
            said: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Holds other rows; the cursor stays where it is.
    pub(crate) fn hold(&mut self, rows: Vec<T>) {
        let cursor = self.list.cursor();
        self.list.hold(rows);
        self.list.go(cursor);
    }

    /// What their going means.
    pub(crate) fn say(&mut self, mut said: Vec<(String, Role)>) {
        said.sort_by_key(|(_, role)| gravity(*role));
        self.said = said;
    }

    /// What is said, the gravest first.
    pub(crate) fn sentences(&self) -> impl Iterator<Item = String> {
        self.said.iter().map(|(sentence, _)| sentence.clone())
    }

    /// Gives the rows what the sentences leave of the screen.
    pub(crate) fn layout(&mut self, model: &Model) {
        let cells = cells(model.size.0);
        let wrap = |(sentence, role): &(String, Role)| {
            let (lines, role) = (text::wrap(sentence, cells), *role);
            lines.into_iter().map(move |line| (line, role)).collect::<Vec<_>>()
        };
        self.lines = self.said.iter().flat_map(wrap).collect();
        let lines = self.lines.len() as u16;
        let room = rows_inside(model);
        let rows = match room.saturating_sub(lines + AIRY) {
            0..3 => room.saturating_sub(lines + 1).clamp(1, 3),
            rows => rows,
        };
        self.list.resize(u64::from(rows.min(MOST)));
    }

    /// Draws the dialog; a row is drawn by its place: the first column, the line, and the column behind.
    pub(crate) fn draw(
        &self,
        model: &Model,
        canvas: &mut Canvas,
        title: &str,
        context: Context,
        row: impl Fn(&mut Canvas, &T, (u16, u16, u16)),
    ) {
        let rows = self.list.visible();
        let (count, lines) = (rows.clone().count() as u16, self.lines.len() as u16);
        let airy = count + lines + AIRY <= rows_inside(model);
        let air = u16::from(airy);
        let wanted = count + lines + if airy { AIRY } else { 1 };
        let inside = frame(canvas, wanted, title, Role::Danger);
        for (n, index) in rows.enumerate() {
            let Some(of) = self.list.get(index) else { continue };
            let y = inside.y + air + n as u16;
            row(canvas, of, (inside.x, y, inside.right()));
            if index == self.list.cursor() {
                canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
            }
        }
        let total = self.list.total().unwrap_or(0);
        if total > u64::from(count) {
            let place = format!(" {}/{} ", text::count(self.list.cursor() + 1), text::count(total));
            canvas.right(inside.y - 1, inside.right(), &place, Role::Dim);
        }
        let keys = inside.height.saturating_sub(1 + air);
        let first = count + 2 * air;
        let room = usize::from(keys.saturating_sub(first + air));
        let (shown, left) = match self.lines.len() {
            all if all <= room => (all, 0),
            all => (room.saturating_sub(1), all - room.saturating_sub(1)),
        };
        for (n, (text, role)) in self.lines.iter().take(shown).enumerate() {
            line(canvas, inside, first + n as u16, text, *role);
        }
        if left > 0 {
            let lines = text::counted(left as u64, "more line", "more lines");
            let words = format!(
                "{} {lines}: y shows all, before anything is done",
                model.look.symbols.more
            );
            line(canvas, inside, first + shown as u16, &words, Role::Dim);
        }
        hint_line(model, canvas, context, inside.x, inside.y + keys, inside.right());
    }
}

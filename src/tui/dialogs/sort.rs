//! In which order a folder's entries come: a small menu of letters.

use super::super::actions::{Act, Action, At, Context};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::Model;
use super::super::screens::files;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::window::Window;
use super::keys_line;
use crate::engine::question::{Direction, FolderOrder, SortKey};

const CONTEXT: Context = Context::dialog("sort", "Sort").with_list();

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("sort.take", "take", "Sort by the row under the cursor; once more turns it round", &["Enter", "Space"], At::Only(&[CONTEXT]),
        |act| with_top::<Sort>(act, |dialog, act| choose(act, dialog.list.cursor()))).hint(1),
    Action::new("sort.name", "name", "By name", &["n"], At::Only(&[CONTEXT]), |act| letter(act, 0)),
    Action::new("sort.size", "size", "By size, the largest first, with what folders hold", &["s"], At::Only(&[CONTEXT]), |act| letter(act, 1)),
    Action::new("sort.time", "time", "By the time of the last change, the newest first", &["t", "m"], At::Only(&[CONTEXT]), |act| letter(act, 2)),
    Action::new("sort.turn", "turn round", "The other end first", &["r"], At::Only(&[CONTEXT]), |act| letter(act, 3)),
    Action::new("sort.folders", "folders first", "Folders before everything else, or among it", &["f"], At::Only(&[CONTEXT]),
        |act| letter(act, 4)),
];

/// The menu.
#[derive(Debug)]
pub struct Sort {
    list: Window<()>,
}

/// Opens the menu.
pub fn open(act: &mut Act) {
    let mut list = Window::whole(vec![(); 5]);
    list.resize(5);
    list.go(match act.model.files.order.key {
        SortKey::Name => 0,
        SortKey::Size => 1,
        SortKey::Modified => 2,
    });
    act.model.push(Sort { list });
}

fn letter(act: &mut Act, row: u64) {
    with_top::<Sort>(act, |_, act| choose(act, row));
}

fn choose(act: &mut Act, row: u64) -> Then {
    let now = act.model.files.order;
    files::set_order(act.model, chosen(now, row));
    Then::Close
}

/// The order that a row of the menu leads to.
fn chosen(now: FolderOrder, row: u64) -> FolderOrder {
    let turned = match now.direction {
        Direction::Ascending => Direction::Descending,
        Direction::Descending => Direction::Ascending,
    };
    let (key, first) = match row {
        0 => (SortKey::Name, Direction::Ascending),
        1 => (SortKey::Size, Direction::Descending),
        2 => (SortKey::Modified, Direction::Descending),
        3 => {
            return FolderOrder {
                direction: turned,
                ..now
            };
        }
        _ => {
            return FolderOrder {
                folders_first: !now.folders_first,
                ..now
            };
        }
    };
    FolderOrder {
        key,
        direction: if key == now.key { turned } else { first },
        // What is large is looked for among all.
        folders_first: if key == now.key {
            now.folders_first
        } else {
            key != SortKey::Size
        },
    }
}

/// An order, in words.
pub(crate) fn words(order: FolderOrder) -> &'static str {
    match (order.key, order.direction) {
        (SortKey::Name, Direction::Ascending) => "by name",
        (SortKey::Name, Direction::Descending) => "by name, from the end",
        (SortKey::Size, Direction::Descending) => "largest first",
        (SortKey::Size, Direction::Ascending) => "smallest first",
        (SortKey::Modified, Direction::Descending) => "newest first",
        (SortKey::Modified, Direction::Ascending) => "oldest first",
    }
}

impl Dialog for Sort {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let now = model.files.order;
        let rows = [
            ('n', "name"),
            ('s', "size"),
            ('t', "time"),
            ('r', "turn round"),
            ('f', "folders first"),
        ];
        let row = |(row, (letter, name)): (u64, (char, &'static str))| {
            let on = match row {
                0 => now.key == SortKey::Name,
                1 => now.key == SortKey::Size,
                2 => now.key == SortKey::Modified,
                3 => false,
                _ => now.folders_first,
            };
            let detail = match row {
                4 if now.folders_first => "on",
                4 => "off",
                3 => words(chosen(now, 3)),
                _ if on => words(now),
                _ => words(chosen(now, row)),
            };
            Row {
                letter,
                name,
                on,
                detail,
            }
        };
        let rows: Vec<Row> = (0..).zip(rows).map(row).collect();
        draw_rows(model, canvas, &rows, self.list.cursor(), CONTEXT);
    }
}

/// A row of a menu of orders.
pub(crate) struct Row {
    /// The key that takes it.
    pub(crate) letter: char,
    /// What it sorts by.
    pub(crate) name: &'static str,
    /// Whether that is so now.
    pub(crate) on: bool,
    /// The order it is or leads to, in words.
    pub(crate) detail: &'static str,
}

/// Draws a menu of orders.
pub(crate) fn draw_rows(model: &Model, canvas: &mut Canvas, rows: &[Row], cursor: u64, context: Context) {
    let area = canvas.middle(48, rows.len() as u16 + 5);
    let inside = canvas.frame(area, "Sort", Role::Focus);
    let symbols = model.look.symbols;
    for (n, row) in rows.iter().enumerate() {
        let y = inside.y + n as u16;
        let mark = if row.on { symbols.marked } else { " " };
        canvas.text(inside.x + 1, y, inside.right(), mark, Role::Marked);
        canvas.text(inside.x + 3, y, inside.right(), &row.letter.to_string(), Role::Key);
        canvas.text(inside.x + 6, y, inside.right(), row.name, Role::Text);
        canvas.text(inside.x + 22, y, inside.right(), row.detail, Role::Dim);
        if n as u64 == cursor {
            canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
        }
    }
    keys_line(model, canvas, inside, context);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choosing_the_same_again_turns_it_round() {
        let start = FolderOrder::default();
        let by_size = chosen(start, 1);
        assert_eq!(
            (by_size.key, by_size.direction, by_size.folders_first),
            (SortKey::Size, Direction::Descending, false)
        );
        assert_eq!(words(chosen(by_size, 1)), "smallest first");
        assert_eq!(chosen(by_size, 0), start);
        assert_eq!(chosen(chosen(start, 3), 3), start);
        assert!(!chosen(start, 4).folders_first);
    }
}

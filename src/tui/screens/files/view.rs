//! How a folder of a generation is drawn.

use super::super::super::dialogs::sort;
use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty;
use super::super::super::view::pane::{Column, Span, TOP, cursor, cursor_role, divide, fitting, heading, heads};
use super::super::super::widgets::bars;
use super::{side, side_view};
use crate::engine::Picked;
use crate::engine::question::{Direction, EntryRow, FolderOrder, SortKey};
use crate::text;
use crate::vault::NodeType;

/// The folder shown, as a path.
pub(crate) fn folder_words(model: &Model) -> String {
    let mut out = String::new();
    for name in &model.files.folder {
        out.push('/');
        out.push_str(&text::escape(name));
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

/// Columns of a bar in a narrow and in a wide list.
const BARS: [u16; 2] = [6, 10];

/// Draws the folder, and the pane beside it.
pub(in super::super) fn draw(model: &Model, canvas: &mut Canvas) {
    let mut span = Span::whole(canvas);
    if side::is_shown(model) {
        let whole = span.end;
        span.end = (u32::from(whole) * 58 / 100) as u16;
        divide(model, canvas, span.end);
        let beside = Span {
            x: span.end + 1,
            end: whole,
            focus: false,
        };
        side_view::draw(model, canvas, beside);
    }
    let pane = &model.files;
    heading(model, canvas, span, &title(model), &pane.filter, &pane.list);
    if empty::files(model, canvas, span) {
        return;
    }
    let by_size = pane.order.key == SortKey::Size;
    let table = Table::new(model, span, by_size);
    table.heads(model, canvas);
    let range = pane
        .anchor
        .map(|anchor| anchor.min(pane.list.cursor())..=anchor.max(pane.list.cursor()));
    let selection = model.selected().map(|selected| &selected.selection);
    let mut path = pane.folder.clone();
    for (n, index) in pane.list.visible().enumerate() {
        let y = TOP + 2 + n as u16;
        let on_cursor = index == pane.list.cursor();
        let mut picked = Picked::None;
        match pane.list.get(index) {
            None => {
                _ = canvas.text(
                    table.names.x + 3,
                    y,
                    table.names.end,
                    model.look.symbols.more,
                    Role::Dim,
                )
            }
            Some(row) => {
                path.push(row.name.clone());
                picked = selection.map_or(Picked::None, |selection| selection.state(&path));
                path.pop();
                table.row(model, canvas, y, row, picked == Picked::All);
            }
        }
        if on_cursor {
            cursor(model, canvas, span, y);
        }
        let glyph = match picked {
            Picked::All => model.look.symbols.marked,
            Picked::Some => model.look.symbols.partly,
            Picked::None if range.as_ref().is_some_and(|range| range.contains(&index)) => model.look.symbols.dot,
            Picked::None => continue,
        };
        let role = if on_cursor {
            cursor_role(model, span)
        } else {
            Role::Marked
        };
        canvas.text(span.x + 1, y, span.end, glyph, role);
    }
}

/// The pane's title: what the folder weighs, and the order when it is not the usual one.
fn title(model: &Model) -> String {
    let pane = &model.files;
    let mut out = "Files".to_owned();
    if let Some(below) = pane.below {
        out.push_str(&format!(": {}", text::bytes(below.bytes)));
    } else if let Some((known, of)) = pane.weighing.progress {
        let more = model.look.symbols.more;
        out.push_str(&format!(": weighing {}/{}{more}", text::count(known), text::count(of)));
    }
    if pane.order != FolderOrder::default() {
        let mixed = if pane.order.folders_first || pane.order.key == SortKey::Size {
            ""
        } else {
            ", folders among it"
        };
        out.push_str(&format!(", {}{mixed}", sort::words(pane.order)));
    }
    out
}

/// Where the columns are.
struct Table {
    names: Span,
    /// Columns behind the names: which, and where each begins.
    columns: Vec<(usize, Column)>,
    end: u16,
    /// Where size and bar stand before the name, when one looks for what is large.
    usage: Option<u16>,
    bar: u16,
}

const MODE: usize = 0;
const BAR: usize = 1;
const SIZE: usize = 2;
const MODIFIED: usize = 3;
const OWNER: usize = 4;

impl Table {
    fn new(model: &Model, span: Span, by_size: bool) -> Table {
        let width = span.width();
        let bar = BARS[usize::from(width >= 90)];
        let modified = if width >= 56 { 16 } else { 10 };
        let all = [
            (4, ("mode", 9, false)),
            (3, ("", bar, false)),
            (1, ("size", 9, true)),
            (2, ("modified", modified, false)),
            (5, ("owner", 11, false)),
        ];
        let usage = by_size.then_some(span.x + 3);
        let lead = if by_size { 9 + 1 + bar + 1 } else { 0 };
        let spare = width.saturating_sub(3 + lead + if width >= 66 { 28 } else { 16 });
        let mut columns = fitting(&all, spare);
        if by_size {
            columns.retain(|(n, _)| !matches!(*n, BAR | SIZE));
        } else if model.files.heaviest == 0 {
            columns.retain(|(n, _)| *n != BAR);
        }
        let taken: u16 = columns.iter().map(|(_, (_, width, _))| width + 2).sum();
        Table {
            names: Span {
                x: span.x + lead,
                end: span.end.saturating_sub(taken + 1),
                ..span
            },
            columns,
            end: span.end,
            usage,
            bar,
        }
    }

    fn heads(&self, model: &Model, canvas: &mut Canvas) {
        let symbols = model.look.symbols;
        let order = model.files.order;
        let arrow = match order.direction {
            Direction::Ascending => symbols.up,
            Direction::Descending => symbols.down,
        };
        let head = |key: SortKey, word: &str| {
            if order.key == key {
                format!("{word} {arrow}")
            } else {
                word.to_owned()
            }
        };
        canvas.text(
            self.names.x + 3,
            TOP + 1,
            self.names.end,
            &head(SortKey::Name, "name"),
            Role::Dim,
        );
        if let Some(x) = self.usage {
            canvas.right(TOP + 1, x + 9, &head(SortKey::Size, "size"), Role::Dim);
        }
        heads(canvas, self.names.end + 2, self.end, &self.columns);
        let mut x = self.names.end + 2;
        for (n, (word, width, _)) in &self.columns {
            if *n == MODIFIED && order.key == SortKey::Modified {
                canvas.text(x, TOP + 1, self.end, &head(SortKey::Modified, word), Role::Dim);
            }
            x += width + 2;
        }
    }

    fn row(&self, model: &Model, canvas: &mut Canvas, y: u16, row: &EntryRow, selected: bool) {
        let heaviest = model.files.heaviest;
        let part = row
            .size
            .filter(|_| heaviest > 0)
            .map(|size| size as f64 / heaviest as f64);
        let size = match (row.size, row.kind) {
            (Some(size), _) => text::bytes(size),
            (None, NodeType::Dir) => "?".to_owned(),
            _ => String::new(),
        };
        if let Some(x) = self.usage {
            canvas.right(y, x + 9, &size, Role::Text);
            if let Some(part) = part {
                bars::draw(canvas, x + 10, y, self.bar, part, Role::Gauge);
            }
        }
        entry(model, canvas, self.names, y, row, selected);
        let mut x = self.names.end + 2;
        for (column, (_, width, right)) in &self.columns {
            let value = match *column {
                MODE => mode_words(row),
                BAR => {
                    // Beside a number, slivers under each other would only look like a broken line.
                    if let Some(part) = part.filter(|part| part * f64::from(*width) * 16.0 >= 1.0) {
                        bars::draw(canvas, x, y, *width, part, Role::Dim);
                    }
                    String::new()
                }
                SIZE => size.clone(),
                MODIFIED => text::stamp(row.mtime, &model.zone)
                    .chars()
                    .take(usize::from(*width))
                    .collect(),
                OWNER => format!("{}:{}", row.uid, row.gid),
                _ => String::new(),
            };
            let value = text::cut_end(&value, usize::from(*width), model.look.symbols.more);
            if *right {
                canvas.right(y, x + width, &value, Role::Dim);
            } else {
                canvas.text(x, y, self.end, &value, Role::Dim);
            }
            x += width + 2;
        }
    }
}

/// A name, with what says its kind: a slash, an arrow and the target, a word.
pub(crate) fn entry(model: &Model, canvas: &mut Canvas, span: Span, y: u16, row: &EntryRow, selected: bool) {
    let symbols = model.look.symbols;
    let (suffix, role) = match row.kind {
        NodeType::Dir => ("/".to_owned(), Role::Folder),
        NodeType::Symlink => (
            format!(" {} {}", symbols.arrow, text::escape(&row.link_target)),
            Role::Text,
        ),
        NodeType::File => (String::new(), Role::Text),
        NodeType::Dev => (" (block device)".to_owned(), Role::Text),
        NodeType::CharDev => (" (character device)".to_owned(), Role::Text),
        NodeType::Fifo => (" (pipe)".to_owned(), Role::Text),
        NodeType::Socket => (" (socket)".to_owned(), Role::Text),
    };
    let role = if selected { Role::Marked } else { role };
    let room = usize::from(span.width().saturating_sub(3));
    let name = text::escape(&row.name);
    let for_name = room.saturating_sub(if row.kind == NodeType::Dir { 1 } else { 0 });
    let name = text::cut_middle(&name, for_name, symbols.more);
    let x = canvas.text(span.x + 3, y, span.end, &name, role);
    let left = usize::from(span.end.saturating_sub(x));
    let suffix = text::cut_end(&suffix, left, symbols.more);
    canvas.text(
        x,
        y,
        span.end,
        &suffix,
        if row.kind == NodeType::Dir { role } else { Role::Dim },
    );
}

/// Permissions as `ls` writes them.
pub(crate) fn mode_words(row: &EntryRow) -> String {
    let bits = [
        (0o400, 'r'),
        (0o200, 'w'),
        (0o100, 'x'),
        (0o40, 'r'),
        (0o20, 'w'),
        (0o10, 'x'),
        (4, 'r'),
        (2, 'w'),
        (1, 'x'),
    ];
    let mut out: Vec<char> = bits
        .iter()
        .map(|(bit, c)| if row.mode & bit != 0 { *c } else { '-' })
        .collect();
    for (bit, at, set) in [(0o4000, 2, 's'), (0o2000, 5, 's'), (0o1000, 8, 't')] {
        if row.mode & bit != 0 {
            out[at] = if out[at] == 'x' { set } else { set.to_ascii_uppercase() };
        }
    }
    out.into_iter().collect()
}

//! How a folder of a generation is drawn.

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty;
use super::super::super::view::pane::{Span, TOP, cursor, cursor_role, fitting, heading, heads};
use crate::engine::Picked;
use crate::engine::question::EntryRow;
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

/// Draws the folder.
pub(in super::super) fn draw(model: &Model, canvas: &mut Canvas) {
    let span = Span::whole(canvas);
    let pane = &model.files;
    heading(model, canvas, span, "Files", &pane.filter, &pane.list);
    if empty::files(model, canvas, span) {
        return;
    }
    let modified = if span.width() >= 56 { 16 } else { 10 };
    let columns = [
        (3, ("mode", 9, false)),
        (1, ("size", 9, true)),
        (2, ("modified", modified, false)),
    ];
    let spare = span
        .width()
        .saturating_sub(3 + if span.width() >= 76 { 30 } else { 16 });
    let shown = fitting(&columns, spare);
    let taken: u16 = shown.iter().map(|(_, (_, width, _))| width + 2).sum();
    let names = span.end.saturating_sub(taken + 1);
    canvas.text(span.x + 3, TOP + 1, names, "name", Role::Dim);
    heads(canvas, names + 2, span.end, &shown);
    let range = pane
        .anchor
        .map(|anchor| anchor.min(pane.list.cursor())..=anchor.max(pane.list.cursor()));
    let selection = model.selected().map(|selected| &selected.selection);
    let mut path = pane.folder.clone();
    for (n, index) in pane.list.visible().enumerate() {
        let y = TOP + 2 + n as u16;
        let on_cursor = index == pane.list.cursor();
        let row = pane.list.get(index);
        let mut picked = Picked::None;
        match row {
            None => _ = canvas.text(span.x + 3, y, names, model.look.symbols.more, Role::Dim),
            Some(row) => {
                path.push(row.name.clone());
                picked = selection.map_or(Picked::None, |selection| selection.state(&path));
                path.pop();
                entry(
                    model,
                    canvas,
                    Span { end: names, ..span },
                    y,
                    row,
                    picked == Picked::All,
                );
                let mut x = names + 2;
                for (column, (_, width, right)) in &shown {
                    let value = match column {
                        0 => mode_words(row),
                        1 => row.size.map(text::bytes).unwrap_or_default(),
                        _ => text::stamp(row.mtime, &model.zone)
                            .chars()
                            .take(usize::from(*width))
                            .collect(),
                    };
                    if *right {
                        canvas.right(y, x + width, &value, Role::Dim);
                    } else {
                        canvas.text(x, y, span.end, &value, Role::Dim);
                    }
                    x += width + 2;
                }
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

/// A name, with what says its kind: a slash, an arrow and the target, a word.
fn entry(model: &Model, canvas: &mut Canvas, span: Span, y: u16, row: &EntryRow, selected: bool) {
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
fn mode_words(row: &EntryRow) -> String {
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

//! How the files of a snapshot are drawn: the folder, its rows, what is selected; beside them what is in the one under the
//! cursor, where there is room.

use ratatui::layout::Rect;

use super::super::super::model::{Load, Model};
use super::super::super::screens::files::view::{entry, mode_words};
use super::super::super::screens::snapshots::words;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::hint_line;
use super::super::super::view::pane::Span;
use super::super::sort;
use super::browse::{Browse, CONTEXT, path_words};
use super::peek;
use crate::engine::question::{EntryRow, FolderOrder};
use crate::text;
use crate::vault::NodeType;

/// Rows of the list: without the screen's first line and last two, the frame, two lines above the list and three below.
pub(super) fn rows(model: &Model) -> u16 {
    model.size.1.saturating_sub(3 + model.strip_rows() + 2 + 4).max(3)
}

/// Draws the dialog.
pub(super) fn draw(model: &Model, browse: &Browse, canvas: &mut Canvas) {
    let symbols = model.look.symbols;
    let area = canvas.middle(canvas.width(), rows(model) + 6);
    let target = text::cut_path(&words::target(&browse.snapshot.target), 40, symbols.more);
    let inside = canvas.frame(area, &format!("{target} in snapshot {}", browse.title), Role::Focus);
    let end = inside.right();
    let mut right = match browse.list.total() {
        Some(total) if total > 0 => format!("{}/{}", text::count(browse.list.cursor() + 1), text::count(total)),
        _ => String::new(),
    };
    if browse.order != FolderOrder::default() {
        right = format!("{}  {right}", sort::words(browse.order));
    }
    canvas.right(inside.y, end, &right, Role::Dim);
    let stop = end.saturating_sub(text::width(&right) as u16 + 2);
    let chip = match browse.filter.as_str() {
        "" => String::new(),
        filter => format!(
            " {} ",
            text::cut_end(&text::escape(filter.as_bytes()), 20, symbols.more)
        ),
    };
    let room = usize::from(stop.saturating_sub(inside.x)).saturating_sub(text::width(&chip) + 1);
    let folder = text::cut_path(&path_words(&browse.folder), room, symbols.more);
    let x = canvas.text(inside.x, inside.y, stop, &folder, Role::Title);
    canvas.text(x + 1, inside.y, stop, &chip, Role::Chip);

    let top = inside.y + 2;
    let rows_end = if peek::is_shown(model) {
        let middle = inside.x + inside.width * 11 / 20;
        for y in top..top + rows(model) {
            canvas.text(middle, y, middle + 1, symbols.column, Role::Border);
        }
        let area = Rect::new(middle + 2, top, end.saturating_sub(middle + 2), rows(model));
        peek::draw(model, &browse.peek, canvas, area);
        middle.saturating_sub(1)
    } else {
        end
    };
    let total = browse.list.total();
    let (sentence, role) = match &browse.load {
        Load::Failed(why) => (text::escape(why.as_bytes()), Role::Danger),
        _ if !browse.problem.is_empty() => (text::escape(browse.problem.as_bytes()), Role::Warning),
        _ if total.is_none() => (format!("reading{}", symbols.more), Role::Dim),
        _ if total == Some(0) && browse.filter.is_empty() => ("This folder is empty.".into(), Role::Dim),
        _ if total == Some(0) => ("No name here holds that.".into(), Role::Dim),
        _ => (String::new(), Role::Text),
    };
    let lines = text::wrap(&sentence, usize::from(rows_end.saturating_sub(inside.x + 4)));
    for (n, line) in lines.iter().take(usize::from(rows(model))).enumerate() {
        canvas.text(inside.x + 2, top + n as u16, rows_end, line, role);
    }
    if sentence.is_empty() {
        for (n, index) in browse.list.visible().enumerate() {
            let y = top + n as u16;
            match browse.list.get(index) {
                Some(row) => draw_row(model, browse, row, canvas, (inside.x, y, rows_end)),
                None => _ = canvas.text(inside.x + 2, y, rows_end, symbols.more, Role::Dim),
            }
            if index == browse.list.cursor() {
                canvas.paint(inside.x, y, rows_end, model.look.style(Role::Cursor));
            }
        }
    }
    let y = inside.bottom().saturating_sub(2);
    if !browse.picked.is_empty() {
        let count = text::counted(browse.picked.len() as u64, "item", "items");
        let x = canvas.text(
            inside.x,
            y,
            end,
            &format!("{} {count} selected: ", symbols.marked),
            Role::Marked,
        );
        let paths: Vec<String> = browse.picked.iter().take(20).map(path_words).collect();
        let room = usize::from(end.saturating_sub(x));
        canvas.text(
            x,
            y,
            end,
            &text::cut_end(&paths.join("  "), room, symbols.more),
            Role::Text,
        );
    }
    hint_line(model, canvas, CONTEXT, inside.x, inside.bottom().saturating_sub(1), end);
}

fn draw_row(model: &Model, browse: &Browse, row: &EntryRow, canvas: &mut Canvas, (x, y, end): (u16, u16, u16)) {
    let symbols = model.look.symbols;
    let path = browse.path_of(row);
    let selected = browse.picked.iter().any(|picked| path.starts_with(picked));
    let mark = match () {
        () if selected => symbols.marked,
        () if browse.picked.iter().any(|picked| picked.starts_with(&path)) => symbols.partly,
        () => "",
    };
    canvas.text(x, y, end, mark, Role::Marked);
    let size = match (row.size, row.kind) {
        (Some(size), NodeType::File) => text::bytes(size),
        _ => String::new(),
    };
    let mut behind = format!("{size:>9}  {}", text::stamp(row.mtime, &model.zone));
    if end.saturating_sub(x) >= 84 {
        behind = format!(
            "{}  {behind}  {:>11}",
            mode_words(row),
            format!("{}:{}", row.uid, row.gid)
        );
    }
    canvas.right(y, end, &behind, Role::Dim);
    let span = Span {
        // A name begins three cells behind its column.
        x: x.saturating_sub(1),
        end: end.saturating_sub(text::width(&behind) as u16 + 2),
        focus: true,
    };
    entry(model, canvas, span, y, row, selected);
}

//! How changes are drawn: between when, what they come to, a row for each.

use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::hint_line;
use super::{CONTEXT, Changes};
use crate::engine::question::{Change, ChangeRow};
use crate::text;
use crate::vault::NodeType;

/// Rows of the list: without the screen's first line and last two, the frame, three lines above the list and two below.
pub(super) fn rows(model: &Model) -> u16 {
    model.size.1.saturating_sub(3 + model.strip_rows() + 2 + 5).max(3)
}

/// Draws the dialog.
pub(super) fn draw(model: &Model, changes: &Changes, canvas: &mut Canvas) {
    let (symbols, more) = (model.look.symbols, model.look.symbols.more);
    let area = canvas.middle(canvas.width(), rows(model) + 7);
    let vault = text::escape(changes.compared.vault.as_bytes());
    let inside = canvas.frame(area, &format!("What changed in {vault}"), Role::Focus);
    let end = inside.right();
    let stamp = |time| text::stamp(time, &model.zone);
    let when = format!(
        "{} {} {}",
        stamp(changes.times.0),
        symbols.arrow,
        stamp(changes.times.1)
    );
    let x = canvas.text(inside.x, inside.y, end, &when, Role::Title);
    if !changes.compared.folder.is_empty() {
        let mut folder = String::from("  in ");
        for name in &changes.compared.folder {
            folder.push('/');
            folder.push_str(&text::escape(name));
        }
        let room = usize::from(end.saturating_sub(x));
        canvas.text(x, inside.y, end, &text::cut_start(&folder, room, more), Role::Dim);
    }
    totals(changes, canvas, inside.x, inside.y + 1, end, symbols.arrow);
    let first = inside.y + 3;
    let keys = inside.bottom().saturating_sub(1);
    hint_line(model, canvas, CONTEXT, inside.x, keys, end);
    let state = match &changes.load {
        Load::Failed(why) => Some((text::escape(why.as_bytes()), Role::Danger)),
        Load::Locked => Some((
            "This vault is locked: its password is not known here.".into(),
            Role::Warning,
        )),
        _ if changes.list.total().unwrap_or(0) == 0 && changes.running => Some((format!("comparing{more}"), Role::Dim)),
        _ if changes.list.total() == Some(0) && changes.totals.metadata > 0 => {
            let words = "No content changed, only permissions, owners or times: m lists them.";
            Some((words.into(), Role::Text))
        }
        _ if changes.list.total() == Some(0) => Some(("Nothing changed.".into(), Role::Text)),
        _ => None,
    };
    if let Some((words, role)) = state {
        let room = usize::from(keys.saturating_sub(first + 1));
        let lines = text::wrap_short(&words, usize::from(inside.width), room, more);
        for (n, line) in lines.iter().enumerate() {
            canvas.text(inside.x, first + n as u16, end, line, role);
        }
        return;
    }
    let total = changes.list.total().unwrap_or(0);
    let place = format!("{}/{}", text::count(changes.list.cursor() + 1), text::count(total));
    canvas.right(inside.y, end, &place, Role::Dim);
    for (n, index) in changes.list.visible().enumerate() {
        let y = first + n as u16;
        match changes.list.get(index) {
            None => _ = canvas.text(inside.x + 1, y, end, more, Role::Dim),
            Some(row) => draw_row(model, changes, row, canvas, (inside.x, y, end)),
        }
        if index == changes.list.cursor() {
            canvas.paint(inside.x, y, end, model.look.style(Role::Cursor));
        }
    }
}

/// What all changes come to.
fn totals(changes: &Changes, canvas: &mut Canvas, x: u16, y: u16, end: u16, arrow: &str) {
    let totals = &changes.totals;
    let amount = |count: u64, word: &str| format!("{} {word}", text::count(count));
    let parts = [
        (
            "+",
            amount(totals.added.files, "new"),
            text::bytes(totals.added.bytes),
            Role::Added,
            totals.added.files > 0 || totals.added.folders > 0,
        ),
        (
            "-",
            amount(totals.removed.files, "gone"),
            text::bytes(totals.removed.bytes),
            Role::Removed,
            totals.removed.files > 0 || totals.removed.folders > 0,
        ),
        (
            "~",
            amount(totals.changed, "changed"),
            from_to(totals.changed_before, totals.changed_after, arrow),
            Role::Changed,
            totals.changed > 0,
        ),
        (
            ".",
            amount(totals.metadata, "metadata only"),
            String::new(),
            Role::Dim,
            totals.metadata > 0,
        ),
    ];
    // Where there is no room for all sizes, none is shown: counts matter more.
    let shown = parts.iter().filter(|(.., shown)| *shown);
    let whole: usize = shown
        .map(|(_, words, size, ..)| text::width(words) + text::width(size) + 7)
        .sum();
    let sizes = whole <= usize::from(end.saturating_sub(x)) + 3;
    let mut x = x;
    for (glyph, mut words, size, role, shown) in parts {
        if sizes && !size.is_empty() {
            words.push_str(", ");
            words.push_str(&size);
        }
        if shown && usize::from(end.saturating_sub(x)) > text::width(&words) + 2 {
            x = canvas.text(x, y, end, glyph, role) + 1;
            x = canvas.text(x, y, end, &words, Role::Text) + 3;
        }
    }
    if changes.more {
        canvas.text(x, y, end, "not all are listed", Role::Warning);
    } else if changes.running && changes.list.total().is_some() {
        canvas.text(x, y, end, &format!("comparing{}", canvas.look.symbols.more), Role::Dim);
    }
}

fn draw_row(model: &Model, changes: &Changes, row: &ChangeRow, canvas: &mut Canvas, (x, y, end): (u16, u16, u16)) {
    let symbols = model.look.symbols;
    let (glyph, word, role) = match row.change {
        Change::Added => ("+", "new", Role::Added),
        Change::Removed => ("-", "gone", Role::Removed),
        Change::Content => ("~", "changed", Role::Changed),
        Change::Kind => ("!", "other kind", Role::Warning),
        Change::Metadata => (".", "metadata", Role::Dim),
    };
    let size = size_words(row, symbols.arrow);
    canvas.right(y, end.saturating_sub(1), &size, Role::Dim);
    canvas.text(x + 1, y, end, &format!("{glyph} {word}"), role);
    let start = x + 14;
    let stop = end.saturating_sub(text::width(&size) as u16 + 3);
    let room = usize::from(stop.saturating_sub(start));
    let below = match row.below {
        Some(below) if below.files > 0 => format!("  {}", text::counted(below.files, "file", "files")),
        _ => String::new(),
    };
    let mut words = String::new();
    for (n, name) in row.path.iter().skip(changes.compared.folder.len()).enumerate() {
        if n > 0 {
            words.push('/');
        }
        words.push_str(&text::escape(name));
    }
    if row.kind == NodeType::Dir {
        words.push('/');
    }
    let room_for_path = room.saturating_sub(text::width(&below));
    let words = text::cut_start(&words, room_for_path, symbols.more);
    let role = if row.kind == NodeType::Dir {
        Role::Folder
    } else {
        Role::Text
    };
    let x = canvas.text(start, y, stop, &words, role);
    canvas.text(x, y, stop, &below, Role::Dim);
}

/// Two sizes, or one where they look the same.
pub(in super::super) fn from_to(before: u64, after: u64, arrow: &str) -> String {
    let (before, after) = (text::bytes(before), text::bytes(after));
    if before == after {
        after
    } else {
        format!("{before} {arrow} {after}")
    }
}

fn size_words(row: &ChangeRow, arrow: &str) -> String {
    match (row.change, row.before, row.after) {
        (Change::Added, _, Some(after)) => format!("+{}", text::bytes(after)),
        (Change::Removed, Some(before), _) => format!("-{}", text::bytes(before)),
        (Change::Content | Change::Kind, Some(before), Some(after)) => from_to(before, after, arrow),
        (Change::Content | Change::Kind | Change::Metadata, _, Some(after)) => text::bytes(after),
        _ => String::new(),
    }
}

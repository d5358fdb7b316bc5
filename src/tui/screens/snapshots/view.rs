//! How the targets and their snapshots are drawn.

use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty::{failure, message, unmatched};
use super::super::super::view::pane::{Span, TOP, cursor, cursor_role, divide, fitting, heading, heads, is_waiting};
use super::{Pane, chosen, details, target, words};
use crate::engine::question::{SnapshotRow, SnapshotTargetRow};
use crate::text;

/// Draws the panes that are shown.
pub(in super::super) fn draw(model: &Model, canvas: &mut Canvas) {
    let width = canvas.width();
    let pane = model.snapshots.pane;
    let span = |x, end, of| Span {
        x,
        end,
        focus: pane == of,
    };
    if !model.is_wide() {
        let whole = Span::whole(canvas);
        match pane {
            Pane::Targets => targets(model, canvas, whole),
            Pane::Snapshots => snapshots(model, canvas, whole),
            Pane::Details => details::draw(model, canvas, whole, TOP),
        }
        return;
    }
    let first = match width {
        ..120 => 30,
        120..150 => 34,
        _ => 44,
    };
    targets(model, canvas, span(0, first, Pane::Targets));
    snapshots(model, canvas, span(first + 1, width, Pane::Snapshots));
    let below = details::rows_below(model);
    let y = canvas.height().saturating_sub(2 + model.strip_rows() + below);
    details::draw(model, canvas, span(first + 1, width, Pane::Details), y);
    divide(model, canvas, first);
}

fn targets(model: &Model, canvas: &mut Canvas, span: Span) {
    let pane = &model.snapshots.targets;
    // A filter needs the room more.
    let title = match pane.filter.is_empty() || span.width() >= 60 {
        true => "Volumes and machines",
        false => "Volumes",
    };
    heading(model, canvas, span, title, &pane.filter, &pane.list);
    if failure(canvas, span, &pane.load) || unmatched(canvas, span, &pane.filter, &pane.list) {
        return;
    }
    if is_waiting(&pane.load, &pane.list) {
        let words = format!("looking{}", model.look.symbols.more);
        canvas.text(span.x + 3, 3, span.end, &words, Role::Dim);
        return;
    }
    if pane.list.total() == Some(0) {
        message(
            canvas,
            span,
            3,
            "Nothing that can be snapshotted was found: no btrfs subvolume, no folder on a filesystem that shares blocks \
             (XFS, btrfs), no machine of QEMU, no image, no cloud volume.",
            &[
                ("R", "looks again"),
                ("P", "shows the plans: those back up files of any filesystem"),
            ],
            "coffer snapshot take FOLDER\ncoffer machine add NAME --qmp SOCKET",
        );
        return;
    }
    for (n, index) in pane.list.visible().enumerate() {
        let y = TOP + 1 + 2 * n as u16;
        let Some(row) = pane.list.get(index) else { continue };
        target_row(model, canvas, span, y, row);
        let on_cursor = index == pane.list.cursor();
        if on_cursor {
            cursor(model, canvas, span, y);
            // The second line keeps its own style: a move of the cursor is to cost little.
            canvas.text(span.x, y + 1, span.end, model.look.symbols.cursor, Role::Focus);
        }
        if pane.picks.holds(&row.found.target) {
            let role = match on_cursor {
                true => cursor_role(model, span),
                false => Role::Marked,
            };
            canvas.text(span.x + 1, y, span.end, model.look.symbols.marked, role);
        }
    }
}

/// A target in two rows: its name and how many it has; what it is and when the last one was taken, or what stands against it.
fn target_row(model: &Model, canvas: &mut Canvas, span: Span, y: u16, row: &SnapshotTargetRow) {
    let symbols = model.look.symbols;
    let more = symbols.more;
    let problem = row.found.problem.is_some();
    let wide = span.width() >= 60;
    let amount = match row.snapshots {
        Some(n) if wide => text::counted(n, "snapshot", "snapshots"),
        Some(n) => text::count(n),
        None if problem => String::new(),
        None => more.to_owned(),
    };
    let mut end = span.end - 1;
    canvas.right(y, end, &amount, Role::Dim);
    end = end.saturating_sub(text::width(&amount) as u16 + 1);
    if !row.warnings.is_empty() {
        canvas.right(y, end, symbols.warning, Role::Warning);
        end = end.saturating_sub(2);
    }
    let room = usize::from(end.saturating_sub(span.x + 3));
    let name = text::cut_path(&words::name(row), room, more);
    let role = if problem { Role::Disabled } else { Role::Folder };
    canvas.text(span.x + 3, y, end, &name, role);
    let room = usize::from(span.width()).saturating_sub(4);
    if let Some(problem) = &row.found.problem {
        let words = format!("{} {}", symbols.bad, text::escape(problem.as_bytes()));
        canvas.text(
            span.x + 3,
            y + 1,
            span.end,
            &text::cut_end(&words, room, more),
            Role::Disabled,
        );
        return;
    }
    let last = match (&row.last, row.snapshots) {
        (Some(last), _) => text::ago(last.taken.seconds, model.now.unix),
        (None, Some(0)) => "none yet".into(),
        (None, _) => String::new(),
    };
    canvas.right(y + 1, span.end - 1, &last, Role::Dim);
    let room = room.saturating_sub(text::width(&last) + 1);
    let kind = words::kind(row.found.kind);
    let about = match text::escape(row.found.about.as_bytes()) {
        _ if !wide => kind.to_owned(),
        about if about.contains(kind) => about,
        about => format!("{kind}: {about}"),
    };
    canvas.text(
        span.x + 3,
        y + 1,
        span.end,
        &text::cut_end(&about, room, more),
        Role::Dim,
    );
}

/// What the pane of snapshots says when it has none; whether it did.
fn none(model: &Model, canvas: &mut Canvas, span: Span) -> bool {
    let pane = &model.snapshots.taken;
    let Some(row) = target(model) else { return true };
    let known = pane.list.total().is_some_and(|total| total > 0);
    if known {
        return false;
    }
    if let Some(problem) = &row.found.problem {
        let sentence = format!("{}: {}", words::name(row), text::escape(problem.as_bytes()));
        message(canvas, span, 3, &sentence, &[("R", "looks again")], "");
        return true;
    }
    if failure(canvas, span, &pane.load) || unmatched(canvas, span, &pane.filter, &pane.list) {
        return true;
    }
    if matches!(pane.load, Load::Idle | Load::Loading) {
        let words = format!("reading{}", model.look.symbols.more);
        canvas.text(span.x + 3, 3, span.end, &words, Role::Dim);
        return true;
    }
    let command = format!("coffer snapshot take {}", words::name(row));
    let room = usize::from(span.width().saturating_sub(8));
    let command = text::cut_end(&command, room, model.look.symbols.more);
    message(
        canvas,
        span,
        3,
        "There is no snapshot of it yet. A snapshot is no backup: it goes with its disk.",
        &[("n", "takes one"), ("p", "shows what takes them by itself")],
        &command,
    );
    true
}

fn snapshots(model: &Model, canvas: &mut Canvas, span: Span) {
    let pane = &model.snapshots.taken;
    let title = match target(model).filter(|_| !span.focus || model.is_wide()) {
        Some(row) => format!("Snapshots of {}", words::name(row)),
        None => "Snapshots".into(),
    };
    heading(model, canvas, span, &title, &pane.filter, &pane.list);
    if none(model, canvas, span) {
        return;
    }
    // What is known of none takes no room from what is.
    let priced = pane.all.iter().any(|row| row.monthly.is_some());
    let price = if priced { 6 } else { 200 };
    let columns = [
        (0, ("taken", 16, false)),
        (7, ("", 13, false)),
        (1, ("consistency", 13, false)),
        (2, ("", 1, false)),
        (3, ("label", 12, false)),
        (4, ("by", 8, false)),
        (5, ("alone", 10, true)),
        (price, ("a month", 8, true)),
        (8, ("becomes of it", 26, false)),
    ];
    let room = span.width().saturating_sub(2);
    let mut shown = fitting(&columns, room);
    shown.retain(|(column, _)| priced || *column != 7);
    // Labels have the room that is left.
    let used: u16 = shown.iter().map(|(_, (_, width, _))| width + 2).sum();
    if let Some((_, (_, width, _))) = shown.iter_mut().find(|(column, _)| *column == 4) {
        *width += room.saturating_sub(used).min(24);
    }
    heads(canvas, span.x + 3, span.end, &shown);
    let symbols = model.look.symbols;
    let staged = chosen::staged(model);
    let marks = chosen::marks(model);
    let ranged = pane.picks.in_range(&pane.list, chosen::id_of);
    for (n, index) in pane.list.visible().enumerate() {
        let y = TOP + 2 + n as u16;
        let Some(row) = pane.list.get(index) else { continue };
        let id = &row.snapshot.id;
        let going = staged.contains(id);
        let mut x = span.x + 3;
        for (column, (_, width, right)) in &shown {
            let (value, role) = match *column {
                // Beside the time it is seen at any width.
                2 if going => ("to be deleted".to_owned(), Role::Danger),
                _ => cell(model, row, *column),
            };
            let value = text::cut_end(&value, usize::from(*width), symbols.more);
            if *right {
                canvas.right(y, x + width, &value, role);
            } else {
                canvas.text(x, y, span.end, &value, role);
            }
            x += width + 2;
        }
        let on_cursor = index == pane.list.cursor();
        if on_cursor {
            cursor(model, canvas, span, y);
        }
        let mark = marks.iter().find(|(_, marked)| marked.snapshot.id == *id);
        let (glyph, role) = match mark {
            Some((letter, _)) => (*letter, Role::Chip),
            None if going => (symbols.bad, Role::Danger),
            None if ranged.as_ref().is_some_and(|rows| rows.contains(&index)) => (symbols.dot, Role::Marked),
            None if pane.picks.holds(id) => (symbols.marked, Role::Marked),
            None => continue,
        };
        let role = if on_cursor { cursor_role(model, span) } else { role };
        canvas.text(span.x + 1, y, span.end, glyph, role);
    }
}

fn cell(model: &Model, row: &SnapshotRow, column: usize) -> (String, Role) {
    let snapshot = &row.snapshot;
    let symbols = model.look.symbols;
    match column {
        0 => (text::stamp(snapshot.taken.seconds, &model.zone), Role::Text),
        1 => (text::ago(snapshot.taken.seconds, model.now.unix), Role::Dim),
        2 => words::badge_word(snapshot.consistency, symbols),
        3 if snapshot.protected => ("P".into(), Role::Chip),
        3 => (String::new(), Role::Text),
        4 => (text::escape(snapshot.label.as_bytes()), Role::Text),
        5 => (words::made_by(&snapshot.made_by), Role::Dim),
        6 if row.size.is_none() && !model.snapshots.taken.sized => (symbols.more.into(), Role::Dim),
        6 => (words::alone(row), Role::Text),
        7 => {
            let words = row.monthly.map(|monthly| monthly.to_string()).unwrap_or_default();
            (super::super::cost::words::plain(symbols, &words), Role::Dim)
        }
        _ => (words::becomes(row), Role::Dim),
    }
}

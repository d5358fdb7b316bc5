//! How the vaults and their generations are drawn.

use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty;
use super::super::super::view::pane::{Span, TOP, cursor, cursor_role, divide, fitting, heading, heads};
use super::order::Order;
use super::{Pane, details, staging};
use crate::engine::question::{GenerationRow, VaultRow};
use crate::text;

/// Draws the panes that are shown.
pub(in super::super) fn draw(model: &Model, canvas: &mut Canvas) {
    let width = canvas.width();
    let span = |x, end, pane| Span {
        x,
        end,
        focus: model.pane == pane,
    };
    if !model.is_wide() {
        let whole = Span::whole(canvas);
        match model.pane {
            Pane::Vaults => vaults(model, canvas, whole),
            Pane::Generations => generations(model, canvas, whole),
            Pane::Details => details::draw(model, canvas, whole),
        }
        return;
    }
    let (first, second) = match width {
        ..120 => (22, 59),
        120..150 => (24, 72),
        _ => (27, 95),
    };
    vaults(model, canvas, span(0, first, Pane::Vaults));
    generations(model, canvas, span(first + 1, second, Pane::Generations));
    details::draw(model, canvas, span(second + 1, width, Pane::Details));
    divide(model, canvas, first);
    divide(model, canvas, second);
}

fn vaults(model: &Model, canvas: &mut Canvas, span: Span) {
    let pane = &model.vaults;
    heading(model, canvas, span, "Vaults", &pane.filter, &pane.list);
    if empty::vaults(model, canvas, span) {
        return;
    }
    for (n, index) in pane.list.visible().enumerate() {
        let y = TOP + 1 + 2 * n as u16;
        let Some(row) = pane.list.get(index) else { continue };
        vault(model, canvas, span, y, row);
        if index == pane.list.cursor() {
            cursor(model, canvas, span, y);
            // The second line keeps its own style: a move of the cursor is to cost little.
            canvas.text(span.x, y + 1, span.end, model.look.symbols.cursor, Role::Focus);
        }
    }
}

fn vault(model: &Model, canvas: &mut Canvas, span: Span, y: u16, row: &VaultRow) {
    let (now, symbols) = (model.now.unix, model.look.symbols);
    let more = symbols.more;
    let count = row.generations.map(text::count).unwrap_or_default();
    let wide = span.width() >= 60;
    let amount = match row.generations {
        Some(n) if wide => text::counted(n, "generation", "generations"),
        _ => count,
    };
    canvas.right(y, span.end - 1, &amount, Role::Dim);
    let room = usize::from(span.width()).saturating_sub(text::width(&amount) + 5);
    let name = text::cut_middle(&text::escape(row.name.as_bytes()), room, more);
    canvas.text(span.x + 2, y, span.end, &name, Role::Folder);
    let found = super::super::overview::problem(model, &row.name);
    let problem = if row.problem.is_empty() { found } else { &row.problem };
    if !problem.is_empty() {
        let problem = format!("{} {}", symbols.warning, text::escape(problem.as_bytes()));
        let problem = text::cut_end(&problem, usize::from(span.width()) - 4, more);
        canvas.text(span.x + 2, y + 1, span.end, &problem, Role::Warning);
        return;
    }
    let latest = row.latest.map(|time| text::ago(time, now)).unwrap_or_default();
    let stored = row.stored.map(text::bytes).unwrap_or_default();
    let about = match (latest.is_empty(), stored.is_empty()) {
        (false, false) if wide => format!("{latest}, {stored}"),
        // Where the vault lies says more than that nothing is in it.
        (true, _) if row.generations == Some(0) => String::new(),
        (true, _) => stored,
        _ => latest,
    };
    if wide {
        canvas.right(y + 1, span.end - 1, &about, Role::Dim);
        let room = usize::from(span.width()).saturating_sub(text::width(&about) + 5);
        let place = text::cut_path(&text::escape(row.location.as_bytes()), room, more);
        canvas.text(span.x + 2, y + 1, span.end, &place, Role::Dim);
    } else {
        let about = if about.is_empty() {
            text::cut_path(
                &text::escape(row.location.as_bytes()),
                usize::from(span.width()) - 4,
                more,
            )
        } else {
            about
        };
        canvas.text(span.x + 2, y + 1, span.end, &about, Role::Dim);
    }
}

fn generations(model: &Model, canvas: &mut Canvas, span: Span) {
    let pane = &model.generations;
    // What was known before is shown, and that it is no more than that.
    let known = pane.list.total().is_some_and(|total| total > 0);
    let title = match &pane.load {
        Load::Locked if known => "Generations (vault locked)",
        Load::Failed(_) if known => "Generations (vault unreachable)",
        _ => "Generations",
    };
    let title = match pane.order == Order::default() {
        true => title.to_owned(),
        false => format!("{title}, {}", pane.order.words()),
    };
    heading(model, canvas, span, &title, &pane.filter, &pane.list);
    if !known && empty::generations(model, canvas, span) {
        return;
    }
    // What is not known yet takes no room from what is.
    let known = !pane.costs.is_empty();
    let need = |known_need, need| if known { known_need } else { need };
    let columns = [
        (0, ("made", 16, false)),
        (1, ("", 13, false)),
        (need(5, 3), ("host", 12, false)),
        (need(7, 5), ("files", 9, true)),
        (need(3, 2), ("size", 9, true)),
        (need(6, 4), ("added", 9, true)),
        (need(2, 7), ("alone", 9, true)),
        (need(4, 8), ("a month", 8, true)),
        (need(8, 6), ("tags", 16, false)),
    ];
    let shown = fitting(&columns, span.width().saturating_sub(1));
    heads(canvas, span.x + 3, span.end, &shown);
    let symbols = model.look.symbols;
    let staged = staging::staged_set(model);
    let marks = staging::marks(model);
    let list = &pane.list;
    let range = staging::in_range(model);
    for (n, index) in list.visible().enumerate() {
        let y = TOP + 2 + n as u16;
        let Some(row) = list.get(index) else {
            canvas.text(span.x + 3, y, span.end, symbols.more, Role::Dim);
            continue;
        };
        let going = staged.contains(&row.id);
        let mut x = span.x + 3;
        for (column, (_, width, right)) in &shown {
            let (value, role) = match column {
                1 if going => ("to be deleted".to_owned(), Role::Danger),
                _ => generation_cell(model, row, *column),
            };
            let value = text::cut_end(&value, usize::from(*width), symbols.more);
            if *right {
                canvas.right(y, x + width, &value, role);
            } else {
                canvas.text(x, y, span.end, &value, role);
            }
            x += width + 2;
        }
        let on_cursor = index == list.cursor();
        if on_cursor {
            cursor(model, canvas, span, y);
        }
        let mark = marks.iter().find(|(_, marked)| marked.id == row.id);
        let ranged = range.as_ref().is_some_and(|range| range.contains(&index));
        let (glyph, role) = match mark {
            Some((letter, _)) => (*letter, Role::Chip),
            None if going => (symbols.bad, Role::Danger),
            None if ranged => (symbols.dot, Role::Marked),
            None if pane.picked.contains(&row.id) => (symbols.marked, Role::Marked),
            None if model.selections.contains_key(&row.id) => (symbols.partly, Role::Marked),
            None => continue,
        };
        let role = if on_cursor { cursor_role(model, span) } else { role };
        canvas.text(span.x + 1, y, span.end, glyph, role);
    }
}

fn generation_cell(model: &Model, row: &GenerationRow, column: usize) -> (String, Role) {
    let amount = |n: Option<u64>, tell: fn(u64) -> String| n.map(tell).unwrap_or_default();
    match column {
        0 => (text::stamp(row.time, &model.zone), Role::Text),
        1 => (text::ago(row.time, model.now.unix), Role::Dim),
        2 => (text::escape(row.host.as_bytes()), Role::Dim),
        3 => (amount(row.files, text::count), Role::Dim),
        4 => (amount(row.logical, text::bytes), Role::Dim),
        5 => (amount(row.added, text::bytes), Role::Dim),
        6 => {
            let cost = model.generations.costs.get(&row.id);
            (
                cost.map(|(alone, _)| text::bytes(*alone)).unwrap_or_default(),
                Role::Text,
            )
        }
        7 => {
            let cost = model.generations.costs.get(&row.id).and_then(|(_, monthly)| *monthly);
            let words = cost.map(|monthly| monthly.to_string()).unwrap_or_default();
            (super::super::cost::words::plain(model.look.symbols, &words), Role::Dim)
        }
        _ => (text::escape(row.tags.join(" ").as_bytes()), Role::Dim),
    }
}

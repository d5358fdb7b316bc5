//! The generations with what becomes of each, and the file versions that would be lost.

use ratatui::layout::Rect;

use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty::message;
use super::super::super::view::pane::{Column, Span, cursor, fitting};
use super::{Pane, ask, draft, fates};
use crate::engine::question::{Fate, LostRow};
use crate::text;

/// Draws the list that is shown, its heading in row `y`.
pub(super) fn draw(model: &Model, canvas: &mut Canvas, span: Span, y: u16) {
    let pane = model.cost.lower(model.is_wide()).unwrap_or(Pane::Fates);
    headings(model, canvas, span, y, pane);
    if ask::shown(model).is_none() {
        return;
    }
    match pane {
        Pane::Lost => lost(model, canvas, span, y + 1),
        _ => generations(model, canvas, span, y + 1),
    }
}

/// Both lists by name, with how many rows they have; the one shown stands out.
fn headings(model: &Model, canvas: &mut Canvas, span: Span, y: u16, pane: Pane) {
    let symbols = model.look.symbols;
    let (rule, role) = match span.focus {
        true => (symbols.rule_focus, Role::Focus),
        false => (symbols.rule, Role::Border),
    };
    canvas.rule(span.x, y, span.end, rule, role);
    let mut titles = ["Generations that go".to_owned(), "Lost for ever".to_owned()];
    let (mut place, mut total) = (0, None);
    if let Some((_, what)) = ask::shown(model) {
        let gone = what.fates.iter().filter(|fate| !fate.stays).count() as u64;
        titles[0] = match model.cost.all {
            true => format!(
                "Generations: {} of {} go",
                text::count(gone),
                text::count(what.fates.len() as u64)
            ),
            false => format!(
                "Generations that go: {} of {}",
                text::count(gone),
                text::count(what.fates.len() as u64)
            ),
        };
        titles[1] = format!("Lost for ever: {}", text::counted(what.lost.0, "version", "versions"));
        // One version may lie in several places.
        let places = model
            .cost
            .lost
            .list
            .total()
            .filter(|_| model.cost.lost.load == Load::Ready);
        if let Some(places) = places.filter(|places| pane == Pane::Lost && *places > what.lost.0) {
            titles[1].push_str(&format!(" in {} places", text::count(places)));
        }
        (place, total) = match pane {
            Pane::Lost => (model.cost.lost.list.cursor(), model.cost.lost.list.total()),
            _ => (model.cost.known.fates.cursor(), model.cost.known.fates.total()),
        };
    }
    let mut x = span.x + 1;
    for (title, of) in titles.iter().zip([Pane::Fates, Pane::Lost]) {
        let role = match (of == pane, span.focus) {
            (true, true) => Role::Focus,
            (true, false) => Role::Text,
            _ => Role::Dim,
        };
        x = canvas.text(x, y, span.end, &format!(" {title} "), role) + 1;
    }
    if let Some(total) = total.filter(|total| *total > 0) {
        let place = format!(" {}/{} ", text::count(place + 1), text::count(total));
        if x + text::width(&place) as u16 <= span.end {
            canvas.right(y, span.end.saturating_sub(1), &place, Role::Dim);
        }
    }
}

/// What becomes of a generation: a glyph, a word, and how they look.
fn state(model: &Model, fate: &Fate) -> (&'static str, &'static str, Role) {
    let symbols = model.look.symbols;
    let marked = draft(model).is_some_and(|draft| draft.rule.marked.contains(&fate.id));
    match (fate.stays, marked) {
        (true, _) if fates::is_protected(model, fate.id) => (symbols.marked, "protected", Role::Good),
        (true, false) => (symbols.good, "stays", Role::Good),
        // The answer to the mark is on its way.
        (true, true) => (symbols.more, "marked", Role::Warning),
        (false, true) => (symbols.bad, "marked", Role::Danger),
        (false, false) => (symbols.bad, "goes", Role::Danger),
    }
}

/// Why it stays or goes.
fn why(model: &Model, fate: &Fate) -> String {
    let marked = draft(model).is_some_and(|draft| draft.rule.marked.contains(&fate.id));
    match (fate.stays, marked) {
        (true, _) => text::escape(fate.reasons.join(", ").as_bytes()),
        (false, true) => "marked by hand".to_owned(),
        (false, false) => "nothing in the rule keeps it".to_owned(),
    }
}

fn generations(model: &Model, canvas: &mut Canvas, span: Span, y: u16) {
    let list = &model.cost.known.fates;
    let Some((_, what)) = ask::shown(model).filter(|(_, what)| !what.fates.is_empty()) else {
        // That there is no generation is said above.
        return;
    };
    if list.total() == Some(0) {
        let sentence = match what.fates.len() as u64 {
            1 => "Nothing goes: the only generation stays.".to_owned(),
            all => format!("Nothing goes: all {} stay.", text::count(all)),
        };
        message(canvas, span, y + 1, &sentence, &[("a", "lists them")], "");
        return;
    }
    let columns: [(u8, Column); 6] = [
        (0, ("made", 16, false)),
        (1, ("", 12, false)),
        (2, ("alone", 9, true)),
        (4, ("added", 9, true)),
        (5, ("host", 12, false)),
        (3, ("why", 28, false)),
    ];
    let mut shown = fitting(&columns, span.width().saturating_sub(1));
    stretch(&mut shown, 5, span.width().saturating_sub(4));
    heads(canvas, span, y, &shown);
    for (n, index) in list.visible().enumerate() {
        let y = y + 1 + n as u16;
        let Some(fate) = list.get(index) else { continue };
        let (glyph, word, role) = state(model, fate);
        let mut x = span.x + 3;
        for (column, (_, width, right)) in &shown {
            let (cell, role) = match column {
                0 => (text::stamp(fate.time, &model.zone), Role::Text),
                1 => (format!("{glyph} {word}"), role),
                2 => (text::bytes(fate.exclusive), Role::Text),
                3 => (text::bytes(fate.added), Role::Dim),
                4 => (text::escape(fate.host.as_bytes()), Role::Dim),
                _ => (why(model, fate), Role::Dim),
            };
            put(canvas, (x, span.end), y, &cell, (*width, *right), role);
            x += width + 2;
        }
        if index == list.cursor() {
            cursor(model, canvas, span, y);
        }
    }
}

/// A generation that goes, a line of a dialog.
pub(super) fn going_line(model: &Model, canvas: &mut Canvas, inside: Rect, y: u16, fate: &Fate) {
    let symbols = model.look.symbols;
    let end = inside.right().saturating_sub(1);
    let x = canvas.text(inside.x + 1, y, end, symbols.bad, Role::Danger) + 1;
    let x = canvas.text(x, y, end, &text::stamp(fate.time, &model.zone), Role::Text) + 2;
    let alone = format!("{} alone", text::bytes(fate.exclusive));
    canvas.right(y, end, &alone, Role::Dim);
    let end = end.saturating_sub(text::width(&alone) as u16 + 2);
    let about = format!("{}  {}", fate.host, fate.paths.join(" "));
    let about = text::cut_end(
        &text::escape(about.as_bytes()),
        usize::from(end.saturating_sub(x)),
        symbols.more,
    );
    canvas.text(x, y, end, &about, Role::Dim);
}

/// A path's names, made harmless.
fn path(row: &LostRow) -> String {
    let names: Vec<String> = row.path.iter().map(|name| text::escape(name)).collect();
    format!("/{}", names.join("/"))
}

fn lost(model: &Model, canvas: &mut Canvas, span: Span, y: u16) {
    let lost = &model.cost.lost;
    let symbols = model.look.symbols;
    match &lost.load {
        Load::Failed(why) => {
            message(
                canvas,
                span,
                y + 1,
                &text::escape(why.as_bytes()),
                &[("R", "tries again")],
                "",
            );
            return;
        }
        Load::Locked => {
            let sentence = "This vault is locked: its password is not known here.";
            message(canvas, span, y + 1, sentence, &[("O", "asks for it")], "");
            return;
        }
        Load::Ready if lost.list.total() == Some(0) && !lost.finding => {
            let sentence = "No file version is lost: what stays holds them all.";
            message(canvas, span, y + 1, sentence, &[], "");
            return;
        }
        Load::Ready => {}
        Load::Idle | Load::Loading => {
            let words = format!("looking for them{}", symbols.more);
            canvas.text(span.x + 3, y + 1, span.end, &words, Role::Dim);
            return;
        }
    }
    let columns: [(u8, Column); 5] = [
        (0, ("path", 20, false)),
        (1, ("size", 9, true)),
        (3, ("changed", 16, false)),
        (2, ("last held", 16, false)),
        (1, ("other kept", 12, false)),
    ];
    let mut shown = fitting(&columns, span.width().saturating_sub(1));
    stretch(&mut shown, 0, span.width().saturating_sub(4));
    heads(canvas, span, y, &shown);
    for (n, index) in lost.list.visible().enumerate() {
        let y = y + 1 + n as u16;
        let Some(row) = lost.list.get(index) else {
            canvas.text(span.x + 3, y, span.end, symbols.more, Role::Dim);
            continue;
        };
        let mut x = span.x + 3;
        for (column, (_, width, right)) in &shown {
            let (cell, role) = match column {
                0 => (
                    text::cut_start(&path(row), usize::from(*width), symbols.more),
                    Role::Text,
                ),
                1 => (text::bytes(row.size), Role::Text),
                2 => (text::stamp(row.mtime, &model.zone), Role::Dim),
                3 => (text::stamp(row.time, &model.zone), Role::Text),
                _ if row.other_kept => (format!("{} another", symbols.good), Role::Good),
                _ => (format!("{} none", symbols.bad), Role::Danger),
            };
            put(canvas, (x, span.end), y, &cell, (*width, *right), role);
            x += width + 2;
        }
        if index == lost.list.cursor() {
            cursor(model, canvas, span, y);
        }
    }
}

/// Gives a column the room that is left.
fn stretch(shown: &mut [(usize, Column)], column: usize, room: u16) {
    let used: u16 = shown.iter().map(|(_, (_, width, _))| width + 2).sum();
    let left = (room + 2).saturating_sub(used);
    if let Some((_, (_, width, _))) = shown.iter_mut().find(|(n, _)| *n == column) {
        *width += left;
    }
}

fn heads(canvas: &mut Canvas, span: Span, y: u16, shown: &[(usize, Column)]) {
    let mut x = span.x + 3;
    for (_, (head, width, right)) in shown {
        put(canvas, (x, span.end), y, head, (*width, *right), Role::Dim);
        x += width + 2;
    }
}

fn put(canvas: &mut Canvas, (x, end): (u16, u16), y: u16, cell: &str, (width, right): (u16, bool), role: Role) {
    let cell = text::cut_end(cell, usize::from(width), canvas.look.symbols.more);
    match right {
        true => canvas.right(y, x + width, &cell, role),
        false => _ = canvas.text(x, y, end, &cell, role),
    }
}

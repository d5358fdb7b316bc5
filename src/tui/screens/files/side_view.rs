//! How the pane beside the list is drawn.

use ratatui::layout::Rect;

use super::super::super::dialogs::look::about;
use super::super::super::dialogs::versions::{change_words, growth};
use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty::message;
use super::super::super::view::pane::{Span, TOP, bottom};
use super::super::super::widgets::content::rows;
use super::side::{Piece, Show};
use super::{Spot, travel, view};
use crate::engine::question::{Content, DiskNow, EntryRow, Form};
use crate::text;
use crate::vault::NodeType;

/// Draws the pane.
pub(super) fn draw(model: &Model, canvas: &mut Canvas, span: Span) {
    let side = &model.files.side;
    let symbols = model.look.symbols;
    canvas.rule(span.x, TOP, span.end, symbols.rule, Role::Border);
    let mut x = span.x + 1;
    for (show, word) in [(Show::Preview, "Preview"), (Show::Versions, "Versions")] {
        let role = if side.show == show { Role::Focus } else { Role::Dim };
        x = canvas.text(x, TOP, span.end, &format!(" {word} "), role) + 1;
    }
    canvas.right(TOP, span.end - 1, " Tab changes ", Role::Dim);
    let Some(of) = &side.of else { return };
    let mut y = head(model, canvas, span, of);
    y += 1;
    match side.show {
        Show::Preview => preview(model, canvas, span, y, of),
        Show::Versions => versions(model, canvas, span, y, of),
        Show::Nothing => {}
    }
}

/// Name, kind, size, time, permissions; gives the row below.
fn head(model: &Model, canvas: &mut Canvas, span: Span, of: &Spot) -> u16 {
    let (x, more) = (span.x + 2, model.look.symbols.more);
    let room = usize::from(span.end.saturating_sub(x + 1));
    let row = &of.row;
    let slash = if row.kind == NodeType::Dir { "/" } else { "" };
    let name = text::cut_middle(&text::escape(&row.name), room.saturating_sub(1), more);
    let role = if row.kind == NodeType::Dir {
        Role::Folder
    } else {
        Role::Title
    };
    canvas.text(x, TOP + 1, span.end, &format!("{name}{slash}"), role);
    let mut facts = Vec::new();
    match (&model.files.side.piece, row.kind) {
        (Piece::File(content), NodeType::File) => facts.push(about(content, model.look.symbols.times)),
        (_, NodeType::Symlink) => {
            facts.push(format!(
                "{} {}",
                model.look.symbols.arrow,
                text::escape(&row.link_target)
            ));
        }
        _ => facts.extend(row.size.map(text::bytes)),
    }
    if let Some(entries) = row.entries {
        facts.push(format!("{} below", text::counted(entries, "entry", "entries")));
    }
    canvas.text(
        x,
        TOP + 2,
        span.end,
        &text::cut_end(&facts.join(", "), room, more),
        Role::Text,
    );
    let who = format!(
        "{}  {}  {}:{}",
        text::stamp(row.mtime, &model.zone),
        view::mode_words(row),
        row.uid,
        row.gid
    );
    canvas.text(x, TOP + 3, span.end, &text::cut_end(&who, room, more), Role::Dim);
    TOP + 4
}

/// Says why nothing is shown; whether that is so.
fn troubled(model: &Model, canvas: &mut Canvas, span: Span, y: u16, load: &Load) -> bool {
    match load {
        Load::Failed(why) => message(canvas, span, y, &text::escape(why.as_bytes()), &[], ""),
        Load::Locked => {
            let sentence = "The vault is locked: only what was read before can be shown.";
            message(
                canvas,
                span,
                y,
                sentence,
                &[("2", "goes to it; Enter there asks for the password")],
                "",
            );
        }
        Load::Idle | Load::Loading => {
            let line = format!("reading{}", model.look.symbols.more);
            canvas.text(span.x + 2, y, span.end, &line, Role::Dim);
        }
        Load::Ready => return false,
    }
    true
}

fn preview(model: &Model, canvas: &mut Canvas, span: Span, y: u16, of: &Spot) {
    let side = &model.files.side;
    if !matches!(of.row.kind, NodeType::File | NodeType::Dir) {
        let sentence = match of.row.kind {
            NodeType::Symlink => "A link: it has no content of its own.",
            _ => "It has no content.",
        };
        canvas.text(span.x + 2, y, span.end, sentence, Role::Dim);
        return;
    }
    if troubled(model, canvas, span, y, &side.load) {
        return;
    }
    let height = bottom(model, canvas).saturating_sub(y);
    let area = Rect::new(span.x + 2, y, span.width().saturating_sub(3), height);
    match &side.piece {
        Piece::File(content) => start_of_file(model, canvas, area, content, false),
        Piece::Folder(window) => rows_of_folder(model, canvas, area, &window.rows, window.total),
        Piece::None => {}
    }
}

/// The start of a file, as text or as bytes.
pub(crate) fn start_of_file(model: &Model, canvas: &mut Canvas, area: Rect, content: &Content, hex: bool) {
    let (room, height) = (usize::from(area.width), usize::from(area.height));
    match content.form {
        Form::Empty => _ = canvas.text(area.x, area.y, area.right(), "This file is empty.", Role::Dim),
        Form::Image(..) if !hex => {
            let line = "A picture cannot be shown here; Enter shows its bytes.";
            for (n, line) in text::wrap(line, room).iter().enumerate().take(height) {
                canvas.text(area.x, area.y + n as u16, area.right(), line, Role::Dim);
            }
        }
        _ => {
            for (n, row) in rows(content, hex, false, room, height).iter().enumerate() {
                let text = text::cut_end(&row.text, room, model.look.symbols.more);
                canvas.text(area.x, area.y + n as u16, area.right(), &text, Role::Text);
            }
        }
    }
}

/// The first rows of a folder, and how many more there are.
pub(crate) fn rows_of_folder(model: &Model, canvas: &mut Canvas, area: Rect, rows: &[EntryRow], total: u64) {
    let (x, y, end) = (area.x, area.y, area.right());
    let height = usize::from(area.height);
    if total == 0 {
        canvas.text(x, y, end, "This folder is empty.", Role::Dim);
        return;
    }
    let whole = total as usize <= height;
    let shown = if whole { height } else { height.saturating_sub(1) };
    for (n, row) in rows.iter().take(shown).enumerate() {
        let y = y + n as u16;
        let size = row.size.map(text::bytes).unwrap_or_default();
        canvas.right(y, end, &size, Role::Dim);
        let names = Span {
            x: x.saturating_sub(3),
            end: end.saturating_sub(11),
            focus: false,
        };
        view::entry(model, canvas, names, y, row, false);
    }
    let left = total.saturating_sub(shown.min(rows.len()) as u64);
    if left > 0 {
        let words = format!("{} {} more", model.look.symbols.more, text::count(left));
        canvas.text(x, y + shown as u16, end, &words, Role::Dim);
    }
}

fn versions(model: &Model, canvas: &mut Canvas, span: Span, mut y: u16, of: &Spot) {
    let travel = &model.files.travel;
    let Some(versions) = travel.of(&of.vault, &of.path, of.generation) else {
        _ = troubled(model, canvas, span, y, &Load::Loading);
        return;
    };
    if troubled(model, canvas, span, y, &travel.load) {
        return;
    }
    let (x, end, symbols) = (span.x + 2, span.end.saturating_sub(1), model.look.symbols);
    let last = bottom(model, canvas);
    let all = versions.newest_seen && versions.oldest_seen;
    let count = versions.versions.iter().filter(|run| run.entry.is_some()).count() as u64;
    let words = match all {
        true => format!(
            "{} in {}",
            text::counted(count, "version", "versions"),
            text::counted(versions.of, "generation", "generations")
        ),
        false => format!(
            "looked through {} of {}{}",
            text::count(versions.looked),
            text::counted(versions.of, "generation", "generations"),
            symbols.more
        ),
    };
    canvas.text(x, y, end, &words, Role::Dim);
    y += 1;
    match &versions.disk {
        Some(DiskNow::Gone { .. }) => {
            canvas.text(x, y, end, "- not on the disk now", Role::Removed);
            y += 1;
        }
        Some(DiskNow::There { like_newest, size, .. }) => {
            let (words, role) = match (like_newest, size) {
                (true, _) => ("= on the disk now, like the newest", Role::Good),
                (false, Some(_)) => ("~ differs on the disk now (D compares)", Role::Changed),
                (false, None) => ("on the disk now, not compared", Role::Dim),
            };
            canvas.text(x, y, end, words, role);
            y += 1;
        }
        None => {}
    }
    y += 1;
    let shown = travel::run_of(versions, of.generation);
    // The version shown stays in sight.
    let height = usize::from(last.saturating_sub(y));
    let first = shown.map_or(0, |at| (at + 2).saturating_sub(height));
    for (at, run) in versions.versions.iter().enumerate().skip(first).take(height) {
        let oldest = at + 1 == versions.versions.len();
        let (sign, word, role) = change_words(run.change, oldest);
        let since = run.held.last().map_or(0, |(_, time)| *time);
        let here = shown == Some(at);
        let mark = if here { symbols.cursor } else { " " };
        canvas.text(span.x + 1, y, end, mark, Role::Focus);
        let stamp = text::stamp(since, &model.zone);
        let at_x = canvas.text(x, y, end, &stamp, if here { Role::Title } else { Role::Text }) + 2;
        canvas.text(at_x, y, end, &format!("{sign} {word}"), role);
        let size = run.entry.as_ref().and_then(|entry| entry.size).map(text::bytes);
        let grown = growth(versions, at);
        if span.width() >= 56 {
            canvas.right(y, end.saturating_sub(11), &size.unwrap_or_default(), Role::Text);
            canvas.right(y, end, &grown, Role::Dim);
        } else {
            canvas.right(y, end, &size.unwrap_or_default(), Role::Text);
        }
        y += 1;
    }
}

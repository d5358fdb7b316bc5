//! How the versions are drawn.

use ratatui::layout::Rect;

use super::{CONTEXT, Line, List};
use crate::engine::question::{DiskNow, VersionChange, VersionRow, Versions};
use crate::text;
use crate::tui::model::{Load, Model};
use crate::tui::theme::Role;
use crate::tui::view::canvas::Canvas;
use crate::tui::view::empty::message;
use crate::tui::view::hint_line;
use crate::tui::view::pane::Span;
use crate::vault::{Id, NodeType};

/// Rows of what is said about the version under the cursor.
const ABOUT: u16 = 4;

/// Rows around the list: the frame, the heads, a blank, what is said, the keys.
const AROUND: u16 = 2 + 1 + 1 + ABOUT + 1;
/// Rows the list has at least, so that the frame does not jump while the first versions are found.
const LEAST: u64 = 6;

/// The frame around a list of so many rows.
fn area(size: (u16, u16), rows: u64) -> Rect {
    let width = size.0.saturating_sub(4).min(100);
    let rows = rows.clamp(LEAST, height(size).max(LEAST));
    let height = (rows as u16 + AROUND).min(size.1.saturating_sub(3));
    Rect::new((size.0 - width) / 2, 1, width, height)
}

/// Rows of the list that there is room for.
pub(super) fn height(size: (u16, u16)) -> u64 {
    u64::from(size.1.saturating_sub(3 + AROUND).max(1))
}

/// What sets a version apart from the one before, in a word, and how it is meant.
pub(crate) fn change_words(change: VersionChange, oldest: bool) -> (&'static str, &'static str, Role) {
    match change {
        VersionChange::Added if oldest => ("+", "first seen", Role::Added),
        VersionChange::Added => ("+", "back again", Role::Added),
        VersionChange::Content => ("~", "changed", Role::Changed),
        VersionChange::Access => ("~", "permissions", Role::Changed),
        VersionChange::Kind => ("~", "another kind", Role::Changed),
        VersionChange::Deleted => ("-", "deleted", Role::Removed),
    }
}

/// How much a version grew over the one before: `+1.2 KiB`.
pub(crate) fn growth(versions: &Versions, at: usize) -> String {
    let size = |run: &VersionRow| run.entry.as_ref().and_then(|entry| entry.size);
    let now = versions.versions.get(at).and_then(size);
    let before = versions.versions.get(at + 1..).unwrap_or_default();
    let before = before.iter().find(|run| run.entry.is_some()).and_then(size);
    match (before, now) {
        (Some(before), Some(now)) if now > before => format!("+{}", text::bytes(now - before)),
        (Some(before), Some(now)) if now < before => format!("-{}", text::bytes(before - now)),
        (Some(_), Some(_)) => "same size".to_owned(),
        _ => String::new(),
    }
}

pub(super) fn draw(model: &Model, list: &List, canvas: &mut Canvas) {
    let symbols = model.look.symbols;
    let kind = if list.spot.row.kind == NodeType::Dir { "/" } else { "" };
    let title = format!("Versions of {}{kind}", list.name());
    let inside = canvas.frame(area(model.size, list.list.total().unwrap_or(0)), &title, Role::Focus);
    let keys = inside.bottom().saturating_sub(1);
    hint_line(model, canvas, CONTEXT, inside.x, keys, inside.right());
    let span = Span {
        x: inside.x.saturating_sub(3),
        end: inside.right(),
        focus: true,
    };
    let back = [("Esc", "goes back")];
    match &model.files.travel.load {
        Load::Failed(why) => return message(canvas, span, inside.y + 1, &text::escape(why.as_bytes()), &back, ""),
        Load::Locked => {
            let keys = [("Esc", "goes back; 2, then Enter on the vault, asks for the password")];
            let sentence = "The vault is locked: its other generations cannot be read.";
            return message(canvas, span, inside.y + 1, sentence, &keys, "");
        }
        _ => {}
    }
    let Some(versions) = list.versions(model).filter(|_| list.list.total().is_some()) else {
        let line = format!("looking through the generations{}", symbols.more);
        canvas.text(inside.x, inside.y + 1, inside.right(), &line, Role::Dim);
        return;
    };
    heads(canvas, inside);
    for (n, row) in list.list.visible().enumerate() {
        let y = inside.y + 1 + n as u16;
        let Some(line) = list.line(versions, row) else { continue };
        match line {
            Line::Disk => disk_row(model, canvas, inside, y, versions),
            Line::Version(at) => version_row(model, canvas, inside, y, versions, at),
        }
        let marked = match (line, list.marked) {
            (Line::Disk, Some(None)) => true,
            (Line::Version(at), Some(Some(id))) => holds(versions.versions.get(at), id),
            _ => false,
        };
        if row == list.list.cursor() {
            canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
        }
        if marked {
            let role = if row == list.list.cursor() {
                Role::Cursor
            } else {
                Role::Marked
            };
            canvas.text(inside.x, y, inside.right(), symbols.marked, role);
        }
    }
    about(model, list, canvas, inside, keys.saturating_sub(ABOUT), versions);
}

fn holds(run: Option<&VersionRow>, id: Id) -> bool {
    run.is_some_and(|run| run.held.iter().any(|(held, _)| *held == id))
}

/// Columns: when, what, size, growth, generations.
const WHEN: u16 = 2;
const WHAT: u16 = WHEN + 18;
const SIZE: u16 = WHAT + 14;
const GROWTH: u16 = SIZE + 11;
const HELD: u16 = GROWTH + 12;

fn heads(canvas: &mut Canvas, inside: Rect) {
    let y = inside.y;
    canvas.text(inside.x + WHEN, y, inside.right(), "since", Role::Dim);
    canvas.text(inside.x + WHAT, y, inside.right(), "what", Role::Dim);
    canvas.right(y, inside.x + SIZE + 9, "size", Role::Dim);
    canvas.right(y, inside.x + GROWTH + 10, "change", Role::Dim);
    canvas.text(inside.x + HELD, y, inside.right(), "in", Role::Dim);
}

fn disk_row(model: &Model, canvas: &mut Canvas, inside: Rect, y: u16, versions: &Versions) {
    let Some(disk) = &versions.disk else { return };
    let end = inside.right();
    match disk {
        DiskNow::Gone { .. } => {
            canvas.text(inside.x + WHEN, y, end, "on the disk now", Role::Text);
            canvas.text(inside.x + WHAT, y, end, "- not there", Role::Removed);
        }
        DiskNow::There {
            size,
            mtime,
            like_newest,
            ..
        } => {
            canvas.text(inside.x + WHEN, y, end, "on the disk now", Role::Text);
            let (word, role) = match (*like_newest, size) {
                (true, _) => ("= like newest", Role::Good),
                (false, Some(_)) => ("~ differs", Role::Changed),
                // What lies below a folder is not looked at.
                (false, None) => ("not compared", Role::Dim),
            };
            canvas.text(inside.x + WHAT, y, end, word, role);
            let size = size.map(text::bytes).unwrap_or_default();
            canvas.right(y, inside.x + SIZE + 9, &size, Role::Text);
            let stamp = text::stamp(*mtime, &model.zone);
            let whole = format!("changed {stamp}");
            let room = usize::from(end.saturating_sub(inside.x + HELD));
            let stamp = match text::width(&whole) <= room {
                true => whole,
                // The day alone, rather than half of a time.
                false => stamp.chars().take(10).collect(),
            };
            canvas.text(inside.x + HELD, y, end, &stamp, Role::Dim);
        }
    }
}

fn version_row(model: &Model, canvas: &mut Canvas, inside: Rect, y: u16, versions: &Versions, at: usize) {
    let Some(run) = versions.versions.get(at) else { return };
    let end = inside.right();
    let since = run.held.last().map_or(0, |(_, time)| *time);
    canvas.text(inside.x + WHEN, y, end, &text::stamp(since, &model.zone), Role::Text);
    let oldest = at + 1 == versions.versions.len();
    let (sign, word, role) = change_words(run.change, oldest);
    canvas.text(inside.x + WHAT, y, end, &format!("{sign} {word}"), role);
    let size = run.entry.as_ref().and_then(|entry| entry.size);
    canvas.right(
        y,
        inside.x + SIZE + 9,
        &size.map(text::bytes).unwrap_or_default(),
        Role::Text,
    );
    canvas.right(y, inside.x + GROWTH + 10, &growth(versions, at), Role::Dim);
    let mut held = text::counted(run.held.len() as u64, "generation", "generations");
    if inside.width < HELD + 32 {
        held = text::count(run.held.len() as u64);
    }
    let x = canvas.text(inside.x + HELD, y, end, &held, Role::Dim);
    let here = model.generations.list.current().map(|row| row.id);
    if here.is_some_and(|id| holds(Some(run), id)) {
        canvas.text(x + 1, y, end, &format!("{} shown", model.look.symbols.dot), Role::Key);
    }
}

/// What there is to say about the row under the cursor, and how far the search is.
fn about(model: &Model, list: &List, canvas: &mut Canvas, inside: Rect, y: u16, versions: &Versions) {
    let symbols = model.look.symbols;
    canvas.rule(inside.x, y, inside.right(), symbols.rule, Role::Border);
    let mut lines: Vec<(String, Role)> = Vec::new();
    match list.current(model) {
        Some((Line::Version(at), Some(run))) => {
            let stamps: Vec<String> = run
                .held
                .iter()
                .take(40)
                .map(|(_, time)| text::stamp(*time, &model.zone))
                .collect();
            let verb = if run.entry.is_some() { "Held by" } else { "Not in" };
            lines.push((
                format!(
                    "{verb} {}: {}",
                    text::counted(run.held.len() as u64, "generation", "generations"),
                    stamps.join(", ")
                ),
                Role::Text,
            ));
            let same = |other: &&VersionRow| other.content.is_some() && other.content == run.content;
            let twin = versions
                .versions
                .iter()
                .enumerate()
                .find(|(n, other)| *n != at && same(other));
            if let Some((_, twin)) = twin.filter(|_| run.entry.is_some()) {
                let since = twin.held.last().map_or(0, |(_, time)| *time);
                lines.push((
                    format!(
                        "The same content as the version of {}.",
                        text::stamp(since, &model.zone)
                    ),
                    Role::Dim,
                ));
            } else if let Some(entry) = &run.entry {
                let mode = crate::tui::screens::files::view::mode_words(entry);
                lines.push((
                    format!(
                        "Last changed {}, {mode}, owner {}:{}",
                        text::stamp(entry.mtime, &model.zone),
                        entry.uid,
                        entry.gid
                    ),
                    Role::Dim,
                ));
            }
        }
        Some((Line::Disk, _)) => {
            if let Some(DiskNow::There { path, .. } | DiskNow::Gone { path }) = &versions.disk {
                lines.push((text::escape(path.as_os_str().as_encoded_bytes()), Role::Text));
            }
        }
        _ if versions.versions.is_empty() => lines.push(("No generation holds it.".into(), Role::Text)),
        _ => {}
    }
    let room = usize::from(inside.width);
    for (n, (line, role)) in lines.iter().take(2).enumerate() {
        canvas.text(
            inside.x,
            y + 1 + n as u16,
            inside.right(),
            &text::cut_end(line, room, symbols.more),
            *role,
        );
    }
    if !(versions.newest_seen && versions.oldest_seen) {
        let line = format!(
            "looked through {} of {}{}",
            text::count(versions.looked),
            text::counted(versions.of, "generation", "generations"),
            symbols.more
        );
        canvas.text(inside.x, y + 3, inside.right(), &line, Role::Dim);
    }
}

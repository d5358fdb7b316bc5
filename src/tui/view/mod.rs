//! The model as cells. Pure: what is on the screen follows from the model alone.
//!
//! From the top: where one is; the pane's title, its column heads, its rows; then what is selected or was just said, the
//! strip of running jobs, and the keys of this place. `panes` draws the three lists, `empty` what they say when there is
//! nothing in them, `dialogs`, `help` and `jobs` what lies over them, `canvas` writes text into cells.

pub(crate) mod canvas;
pub(super) mod dialogs;
mod empty;
pub(super) mod help;
pub(super) mod jobs;
mod panes;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use canvas::Canvas;

use super::actions::{self, Context};
use super::model::{Model, Overlay, Pane, SMALLEST, Selected};
use super::text;
use super::theme::Role;

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame) {
    let area = frame.area();
    draw(model, frame.buffer_mut(), area);
}

/// Draws everything into a buffer.
pub fn draw(model: &Model, buffer: &mut Buffer, area: Rect) {
    let mut canvas = Canvas::new(buffer, area, model.look);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let line = format!("Coffer needs {}x{}; q quits", SMALLEST.0, SMALLEST.1);
        canvas.text(0, 0, area.width, &line, Role::Text);
        return;
    }
    title(model, &mut canvas);
    panes::draw(model, &mut canvas);
    let strip = model.strip_rows();
    status(model, &mut canvas, area.height - 2 - strip);
    if strip > 0 {
        jobs::strip(model, &mut canvas, area.height - 2);
    }
    if matches!(
        model.overlays.last(),
        None | Some(Overlay::Filter(_) | Overlay::Jobs(_))
    ) {
        hint_line(model, &mut canvas, model.context(), 1, area.height - 1, area.width - 1);
    }
    canvas.floor = 2 + strip;
    for (n, overlay) in model.overlays.iter().enumerate() {
        // The plan takes its form's place.
        if matches!(model.overlays.get(n + 1), Some(Overlay::RestorePlan(_))) {
            continue;
        }
        match overlay {
            Overlay::Filter(_) => {}
            Overlay::Help(state) => help::draw(model, state, &mut canvas),
            Overlay::Jobs(list) => jobs::drawer(model, list, &mut canvas),
            Overlay::Report(report) => jobs::report(model, report, &mut canvas),
            other => dialogs::draw(model, other, &mut canvas),
        }
    }
    canvas::settle_wide(buffer);
}

/// The first line: the program and the place.
fn title(model: &Model, canvas: &mut Canvas) {
    let width = canvas.width();
    let mut x = canvas.text(1, 0, width, "Coffer", Role::Title) + 2;
    let right = if model.read_only { "read-only" } else { "" };
    let room = width.saturating_sub(text::width(right) as u16 + 2);
    canvas.text(room + 1, 0, width, right, Role::Warning);

    let (crumb, more) = (model.look.symbols.crumb, model.look.symbols.more);
    let mut crumbs = Vec::new();
    if let Some(vault) = &model.generations.vault {
        crumbs.push(text::escape(vault.as_bytes()));
    }
    if model.focus != Pane::Vaults
        && let Some(row) = model.generations.list.current()
    {
        crumbs.push(text::stamp(row.time, &model.zone));
        if model.focus == Pane::Files {
            crumbs.push(folder_words(model));
        }
    }
    let last = crumbs.len().saturating_sub(1);
    for (n, part) in crumbs.iter().enumerate() {
        if n > 0 {
            x = canvas.text(x, 0, room, &format!(" {crumb} "), Role::Dim);
        }
        let left = usize::from(room.saturating_sub(x));
        let cut = if n == last {
            text::cut_start(part, left, more)
        } else {
            text::cut_end(part, left.min(28), more)
        };
        x = canvas.text(x, 0, room, &cut, if n == last { Role::Text } else { Role::Dim });
    }
}

/// The folder shown, as a path.
fn folder_words(model: &Model) -> String {
    let mut out = String::new();
    for name in &model.files.folder {
        out.push('/');
        out.push_str(&text::escape(name));
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

/// What a selection is, in words.
pub(crate) fn selection_words(selected: &Selected) -> String {
    let items = selected.selection.rules().filter(|(_, include)| *include).count() as u64;
    let left_out = selected.selection.rules().count() as u64 - items;
    let mut out = text::counted(items, "item", "items");
    if left_out > 0 {
        out.push_str(&format!(" without {}", text::count(left_out)));
    }
    out
}

/// What a selection weighs, in words.
fn weight_words(model: &Model, selected: &Selected) -> String {
    let more = if selected.counted { "" } else { model.look.symbols.more };
    match selected.totals {
        Some(totals) => format!(
            ": {}, {}, {}{more}",
            text::counted(totals.files, "file", "files"),
            text::counted(totals.folders, "folder", "folders"),
            text::bytes(totals.bytes)
        ),
        None if selected.counted => ": size unknown".to_owned(),
        None => format!(": counting{more}"),
    }
}

/// What is selected, and what was last said.
fn status(model: &Model, canvas: &mut Canvas, y: u16) {
    let width = canvas.width();
    let symbols = model.look.symbols;
    let mut x = 1;
    if let Some(Overlay::Filter(field)) = model.overlays.last() {
        x = canvas.text(x, y, width, "Filter ", Role::Key);
        canvas.field(x, y, width.saturating_sub(x + 1).min(40), field, false);
        return;
    }
    if let Some(selected) = model.selected() {
        let mark = format!("{} {} selected", symbols.marked, selection_words(selected));
        let weight = weight_words(model, selected);
        // What was said needs the room more than the counts do; number and size stay.
        let said = model.notice.as_ref().map_or(0, |notice| text::width(&notice.text) + 6);
        let crowded = text::width(&mark) + text::width(&weight) + said > usize::from(width);
        x = canvas.text(x, y, width, &mark, Role::Marked);
        let weight = match selected.totals {
            Some(totals) if crowded => format!(": {}", text::bytes(totals.bytes)),
            _ => weight,
        };
        x = canvas.text(x, y, width, &weight, Role::Text) + 3;
    }
    if model.files.anchor.is_some() && model.focus == Pane::Files {
        x = canvas.text(x, y, width, "range: Space selects it, Esc leaves it", Role::Chip) + 3;
    }
    if let Some(notice) = &model.notice {
        let glyph = match notice.role {
            Role::Good => symbols.good,
            Role::Danger => symbols.bad,
            Role::Warning => symbols.warning,
            _ => "",
        };
        if !glyph.is_empty() {
            x = canvas.text(x, y, width, glyph, notice.role) + 1;
        }
        let room = usize::from(width.saturating_sub(x + 1));
        let role = if notice.role == Role::Good {
            Role::Text
        } else {
            notice.role
        };
        canvas.text(x, y, width, &text::cut_end(&notice.text, room, symbols.more), role);
    }
}

/// The keys of a place, the most needed first, as many as fit from `x` up to `end`.
pub(super) fn hint_line(model: &Model, canvas: &mut Canvas, context: Context, mut x: u16, y: u16, end: u16) {
    let mut hinted: Vec<_> = actions::of(context).filter(|action| action.hint > 0).collect();
    hinted.sort_by_key(|action| action.hint);
    // Help and quit have their place even where there is little: what does not fit goes from the middle.
    let widths: Vec<u16> = hinted
        .iter()
        .map(|action| {
            let key = model.keymap.keys_of(action).into_iter().next().unwrap_or_default();
            (text::width(&key) + 1 + text::width(action.name) + 2) as u16
        })
        .collect();
    let mut total: u16 = widths.iter().sum();
    let mut keep = vec![true; hinted.len()];
    for n in (1..hinted.len().saturating_sub(2)).rev() {
        if total <= end.saturating_sub(x) + 2 {
            break;
        }
        keep[n] = false;
        total -= widths[n];
    }
    for (action, keep) in hinted.iter().zip(keep) {
        let Some(key) = model.keymap.keys_of(action).into_iter().next().filter(|_| keep) else {
            continue;
        };
        let key = canvas.key_name(&key);
        let usable = actions::why_not(model, action.id).is_none();
        let next = canvas.text(x, y, end, &key, if usable { Role::Key } else { Role::Dim });
        x = canvas.text(
            next + 1,
            y,
            end,
            action.name,
            if usable { Role::Text } else { Role::Dim },
        ) + 2;
        if x >= end {
            return;
        }
    }
}

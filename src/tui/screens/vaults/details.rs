//! What there is to know of one generation, or of the vault while its list has the keys; the vault over time below it.

use ratatui::layout::Rect;

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::pane::{Span, TOP, bottom, plain_heading};
use super::{Pane, charts, staging};
use crate::engine::question::{GenerationRow, VaultRow};
use crate::text;

/// Cells of the labels.
const LABELS: u16 = 9;
/// Columns from which there are two facts beside each other.
const TWO: u16 = 74;

/// A label, what it labels, and how that looks.
pub(in super::super) type Fact = (&'static str, String, Role);

/// Draws the pane.
pub(super) fn draw(model: &Model, canvas: &mut Canvas, span: Span) {
    let vault = model.vaults.list.current();
    let shown = model.generations.shown.id;
    let rows = &model.generations.all;
    let row = rows.iter().find(|row| Some(row.id) == shown);
    let (title, facts) = match (vault, row) {
        (Some(vault), _) if model.pane == Pane::Vaults => {
            (text::escape(vault.name.as_bytes()), vault_facts(model, vault))
        }
        (_, Some(row)) => (format!("Generation {}", row.id.short()), generation_facts(model, row)),
        _ => (String::from("Details"), Vec::new()),
    };
    plain_heading(model, canvas, span, &title);
    let area = Rect::new(
        span.x + 1,
        TOP + 1,
        span.width().saturating_sub(2),
        bottom(model, canvas).saturating_sub(TOP + 1),
    );
    if facts.is_empty() {
        let words = match model.generations.vault {
            Some(_) => "There is no generation to tell of.",
            None => "There is no vault to tell of.",
        };
        canvas.text(area.x + 1, area.y + 1, area.right(), words, Role::Dim);
        return;
    }
    let used = draw_facts(canvas, area, &facts);
    let air = u16::from(area.height > used + 16);
    let below = Rect {
        y: area.y + used + air,
        height: area.height.saturating_sub(used + air),
        ..area
    };
    charts::draw(model, canvas, below);
}

/// Draws facts, in two columns where there is room; gives the rows they took.
pub(in super::super) fn draw_facts(canvas: &mut Canvas, area: Rect, facts: &[Fact]) -> u16 {
    let columns = if area.width >= TWO { 2 } else { 1 };
    let width = area.width / columns;
    let room = usize::from(width.saturating_sub(LABELS + 2));
    let whole = usize::from(area.width.saturating_sub(LABELS + 2));
    let more = canvas.look.symbols.more;
    let mut lines: Vec<Fact> = Vec::new();
    // What is too long for its column has the whole width below, if there is room.
    let mut below: Vec<Fact> = Vec::new();
    for (label, value, role) in facts {
        let cells = if columns == 1 { room } else { whole };
        // One that takes more than two lines is cut, not wrapped: a vault may say a megabyte.
        let mut wrapped = match text::fits(value, 2 * cells) {
            true => text::wrap(value, cells),
            false => Vec::new(),
        };
        let long = !text::fits(value, room);
        if long && (1..=2).contains(&wrapped.len()) && below.len() < usize::from(area.height) / 2 {
            let rest = wrapped.split_off(1);
            let into = if columns == 1 { &mut lines } else { &mut below };
            into.extend(wrapped.into_iter().map(|line| (*label, line, *role)));
            into.extend(rest.into_iter().map(|line| ("", line, *role)));
        } else {
            lines.push((label, text::cut_middle(value, room, more), *role));
        }
    }
    let rows = lines.len().div_ceil(usize::from(columns)) as u16;
    for (n, (label, value, role)) in below.iter().enumerate() {
        let y = area.y + rows + n as u16;
        if y < area.bottom() {
            canvas.text(area.x, y, area.right(), label, Role::Dim);
            canvas.text(area.x + LABELS + 1, y, area.right(), value, *role);
        }
    }
    for (n, (label, value, role)) in lines.iter().enumerate() {
        let n = n as u16;
        let (x, y) = (area.x + n / rows * width, area.y + n % rows);
        let end = (x + width).min(area.right());
        if y < area.bottom() {
            canvas.text(x, y, end, label, Role::Dim);
            canvas.text(x + LABELS + 1, y, end, value, *role);
        }
    }
    rows + below.len() as u16
}

fn generation_facts(model: &Model, row: &GenerationRow) -> Vec<Fact> {
    let escape = |text: &str| text::escape(text.as_bytes());
    let unknown = || "unknown".to_owned();
    let mut facts: Vec<Fact> = Vec::new();
    let made = format!(
        "{}, {}",
        text::stamp(row.time, &model.zone),
        text::ago(row.time, model.now.unix)
    );
    facts.push(("made", made, Role::Text));
    let by = match row.user.as_str() {
        "" => escape(&row.host),
        user => format!("{} by {}", escape(&row.host), escape(user)),
    };
    facts.push(("on", by, Role::Text));
    facts.push(("paths", escape(&row.paths.join(" ")), Role::Text));
    let tags = if row.tags.is_empty() {
        ("tags", "none".to_owned(), Role::Dim)
    } else {
        ("tags", escape(&row.tags.join(", ")), Role::Text)
    };
    facts.push(tags);
    let files = match (row.files, row.changes) {
        (None, _) => unknown(),
        (Some(files), None) => text::count(files),
        (Some(files), Some((new, changed))) => {
            let (new, changed) = (text::count(new), text::count(changed));
            format!("{}: {new} new, {changed} changed", text::count(files))
        }
    };
    facts.push(("files", files, Role::Text));
    facts.push(("size", row.logical.map_or_else(unknown, text::bytes), Role::Text));
    let added = row
        .added
        .map_or_else(unknown, |added| format!("{} stored", text::bytes(added)));
    facts.push(("added", added, Role::Text));
    if let Some((alone, monthly)) = model.generations.costs.get(&row.id) {
        let monthly = monthly
            .map(|monthly| format!(", {monthly} a month"))
            .unwrap_or_default();
        let words = format!("{}{monthly}", text::bytes(*alone));
        let words = super::super::cost::words::plain(model.look.symbols, &words);
        facts.push(("alone", words, Role::Text));
    }
    let kind = if row.parent.is_some() {
        "incremental"
    } else {
        "full: every file was read"
    };
    facts.push(("kind", kind.to_owned(), Role::Text));
    if let Some(parent) = row.parent {
        let parent = model.generations.all.iter().find(|other| other.id == parent);
        let stamp = parent.map(|parent| text::stamp(parent.time, &model.zone));
        facts.push(("after", stamp.unwrap_or_else(|| "one that is gone".into()), Role::Text));
    }
    let took = match (row.took, row.program.as_str()) {
        (Some(took), "") => text::span(took),
        (Some(took), program) => format!("{} with {}", text::span(took), escape(program)),
        (None, "") => unknown(),
        (None, program) => format!("unknown, with {}", escape(program)),
    };
    facts.push(("took", took, Role::Dim));
    if staging::staged(model).contains(&row.id) {
        facts.push((
            "state",
            format!("{} to be deleted", model.look.symbols.bad),
            Role::Danger,
        ));
    }
    facts
}

fn vault_facts(model: &Model, row: &VaultRow) -> Vec<Fact> {
    let escape = |text: &str| text::escape(text.as_bytes());
    let unknown = || "unknown".to_owned();
    let mut facts: Vec<Fact> = vec![("place", escape(&row.location), Role::Text)];
    let (state, role) = super::super::overview::reach_words(model, &row.name);
    facts.push(("state", state, role));
    facts.push((
        "holds",
        row.generations
            .map_or_else(unknown, |n| text::counted(n, "generation", "generations")),
        Role::Text,
    ));
    facts.push(("stored", row.stored.map_or_else(unknown, text::bytes), Role::Text));
    let newest = row.latest.map_or_else(
        || "nothing yet".to_owned(),
        |time| {
            format!(
                "{}, {}",
                text::stamp(time, &model.zone),
                text::ago(time, model.now.unix)
            )
        },
    );
    facts.push(("newest", newest, Role::Text));
    facts.extend(super::super::overview::vault_facts(model, &row.name));
    facts
}

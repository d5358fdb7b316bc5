//! What there is to know of one snapshot, or of the target while its list has the keys; below it when snapshots were taken.

use ratatui::layout::Rect;

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::pane::{Span, bottom, heading_at};
use super::super::super::widgets::timeline::{Kind, Lane, Timeline};
use super::super::vaults::details::{Fact, draw_facts};
use super::{Pane, chosen, snapshot, target, words};
use crate::engine::question::{SnapshotRow, SnapshotTargetRow};
use crate::snapshot::MadeBy;
use crate::text;

/// Rows that the details take below the snapshots where panes stand side by side, their heading counted.
pub(super) fn rows_below(model: &Model) -> u16 {
    match model.is_wide() {
        true => (model.body_rows() * 9 / 20).min(18),
        false => 0,
    }
}

/// Draws the pane, from row `top` on.
pub(super) fn draw(model: &Model, canvas: &mut Canvas, span: Span, top: u16) {
    let of = target(model);
    let of_target = |row: &SnapshotTargetRow| {
        let notes = row.found.problem.iter().chain(&row.warnings).cloned().collect();
        (words::name(row), target_facts(model, row), notes)
    };
    let (title, facts, notes): (String, Vec<Fact>, Vec<String>) = match (of, snapshot(model)) {
        (Some(row), _) if model.snapshots.pane == Pane::Targets => of_target(row),
        (_, Some(row)) => {
            let notes = row.snapshot.notes.iter().chain(&model.snapshots.taken.notes);
            let title = format!("Snapshot {}", row.snapshot.id);
            (title, snapshot_facts(model, row), notes.cloned().collect())
        }
        (Some(row), None) => of_target(row),
        (None, None) => ("Details".to_owned(), Vec::new(), Vec::new()),
    };
    heading_at(model, canvas, span, top, &title);
    let area = Rect::new(
        span.x + 1,
        top + 1,
        span.width().saturating_sub(2),
        bottom(model, canvas).saturating_sub(top + 1),
    );
    if facts.is_empty() {
        canvas.text(
            area.x + 1,
            area.y + 1,
            area.right(),
            "There is nothing to tell of.",
            Role::Dim,
        );
        return;
    }
    let used = draw_facts(canvas, area, &facts);
    let used = used + draw_notes(canvas, area, used, &notes);
    let timeline = timeline(model);
    let left = area.height.saturating_sub(used);
    if timeline.height() > left || model.snapshots.taken.all.is_empty() {
        return;
    }
    let air = u16::from(left > timeline.height());
    let below = Rect {
        y: area.y + used + air,
        height: left - air,
        ..area
    };
    timeline.draw(canvas, below);
}

/// Draws what must be known, a sentence each, below so many rows; gives the rows they took.
fn draw_notes(canvas: &mut Canvas, area: Rect, used: u16, notes: &[String]) -> u16 {
    let room = usize::from(area.width.saturating_sub(2));
    // A hostile sentence must not push the others away: each has an equal part of the lines there are.
    let lines = usize::from(area.height.saturating_sub(used)) / notes.len().max(1);
    let lines = lines.clamp(2, 6);
    let (warning, more) = (canvas.look.symbols.warning, canvas.look.symbols.more);
    let mut y = area.y + used;
    for note in notes {
        let note = text::cut_end(&text::escape(note.as_bytes()), room * lines - room.min(4 * lines), more);
        for (n, line) in text::wrap(&note, room).iter().take(lines).enumerate() {
            if y >= area.bottom() {
                return y - area.y - used;
            }
            if n == 0 {
                canvas.text(area.x, y, area.right(), warning, Role::Warning);
            }
            canvas.text(area.x + 2, y, area.right(), line, Role::Warning);
            y += 1;
        }
    }
    y - area.y - used
}

/// The snapshots in lanes, by who made them.
fn timeline(model: &Model) -> Timeline<'static> {
    let rows = model.snapshots.taken.list.held().1;
    let staged = chosen::staged(model);
    let goes = |row: &SnapshotRow| staged.contains(&row.snapshot.id);
    let times = |wanted: &dyn Fn(&SnapshotRow) -> bool| {
        let wanted = rows.iter().filter(|row| wanted(row));
        wanted.map(|row| row.snapshot.taken.seconds).collect::<Vec<i64>>()
    };
    let by_policy = |row: &SnapshotRow| matches!(row.snapshot.made_by, MadeBy::Policy(_));
    let lane = |name, kind, times| Lane { name, kind, times };
    Timeline {
        lanes: vec![
            lane("by hand", Kind::Full, times(&|row| !by_policy(row) && !goes(row))),
            lane(
                "by policy",
                Kind::Incremental,
                times(&|row| by_policy(row) && !goes(row)),
            ),
            lane("would go", Kind::Leaving, times(&goes)),
        ],
        now: model.now.unix,
        cursor: snapshot(model).map(|row| row.snapshot.taken.seconds),
        marks: chosen::marks(model)
            .iter()
            .map(|(letter, row)| (*letter, row.snapshot.taken.seconds))
            .collect(),
        zone: model.zone.clone(),
    }
}

fn when(model: &Model, seconds: i64) -> String {
    format!(
        "{}, {}",
        text::stamp(seconds, &model.zone),
        text::ago(seconds, model.now.unix)
    )
}

fn target_facts(model: &Model, row: &SnapshotTargetRow) -> Vec<Fact> {
    let escape = |text: &str| text::escape(text.as_bytes());
    let mut facts: Vec<Fact> = Vec::new();
    facts.push(("is", escape(&row.found.about), Role::Text));
    // Where nothing can be done, nothing does it.
    if row.found.problem.is_none() {
        facts.push(("by", words::system(row.found.kind).into(), Role::Text));
    }
    if let Some(size) = row.found.size {
        facts.push(("size", text::bytes(size), Role::Text));
    }
    let holds = row.snapshots.map(|n| text::counted(n, "snapshot", "snapshots"));
    facts.push(("has", holds.unwrap_or_else(|| "not known".into()), Role::Text));
    let newest = row.last.as_ref().map(|last| when(model, last.taken.seconds));
    facts.push(("newest", newest.unwrap_or_else(|| "none".into()), Role::Text));
    if let Some(taken) = row.taken {
        facts.push(("take", text::bytes(taken), Role::Text));
    }
    let policies = match row.policies.as_slice() {
        [] => ("policies", "none".into(), Role::Dim),
        some => ("policies", escape(&some.join(", ")), Role::Text),
    };
    facts.push(policies);
    facts
}

fn snapshot_facts(model: &Model, row: &SnapshotRow) -> Vec<Fact> {
    let escape = |text: &str| text::escape(text.as_bytes());
    let snapshot = &row.snapshot;
    let symbols = model.look.symbols;
    let mut facts: Vec<Fact> = vec![("taken", when(model, snapshot.taken.seconds), Role::Text)];
    let (badge, role) = words::badge_word(snapshot.consistency, symbols);
    facts.push(("level", badge, role));
    facts.push((
        "which is",
        words::meaning_in_short(snapshot.consistency).into(),
        Role::Dim,
    ));
    facts.push(match snapshot.label.as_str() {
        "" => ("label", "none".into(), Role::Dim),
        label => ("label", escape(label), Role::Text),
    });
    facts.push(("made", words::made_by_words(&snapshot.made_by), Role::Text));
    if let Some(group) = &snapshot.group {
        facts.push(("group", format!("{}, at one moment", escape(group)), Role::Text));
    }
    if let Some(pause) = snapshot.pause {
        facts.push(("paused", format!("writers were held for {pause} ms"), Role::Text));
    }
    let (size, alone) = match &row.size {
        Some(size) => (size.logical.map(text::bytes), words::alone(row)),
        None if model.snapshots.taken.sized => (None, "not known".into()),
        None => (None, format!("being counted{}", symbols.more)),
    };
    if let Some(size) = size {
        facts.push(("size", size, Role::Text));
    }
    let monthly = row.monthly.map(|monthly| format!(", {monthly} a month"));
    let alone = format!("{alone}{}", monthly.unwrap_or_default());
    facts.push(("alone", super::super::cost::words::plain(symbols, &alone), Role::Text));
    let staged = chosen::staged(model).contains(&snapshot.id);
    facts.push(match (staged, snapshot.protected) {
        (true, _) => ("state", format!("{} to be deleted", symbols.bad), Role::Danger),
        (_, true) => ("state", "protected: nothing deletes it".into(), Role::Chip),
        _ => ("becomes", words::becomes(row), Role::Text),
    });
    facts.push(("kept as", escape(&snapshot.handle), Role::Dim));
    facts
}

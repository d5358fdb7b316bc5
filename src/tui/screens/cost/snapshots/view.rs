//! How this side is laid out: the targets above the rule at the left, what would change above what goes at the right; one
//! pane at a time where it is narrow, the rule then with the figures beside it.

use ratatui::layout::Rect;

use super::super::super::super::model::{Load, Model};
use super::super::super::super::theme::Role;
use super::super::super::super::view::canvas::Canvas;
use super::super::super::super::view::empty::{failure, message};
use super::super::super::super::view::pane::{
    Span, TOP, bottom, cursor, divide, fitting, heading, heading_at, heads, is_waiting, plain_heading,
};
use super::super::super::snapshots::words::{alone, badge, made_by, target as target_words};
use super::super::{rule_view, words as money_words};
use super::{Pane, ask, no_policy, policy, row, words};
use crate::engine::question::{SnapshotCostRow, SnapshotFate, SnapshotWhatIf};
use crate::text;

/// Cells of the figures' labels, and of each of their columns.
const LABEL: u16 = 13;
const COLUMN: u16 = 13;

/// Rows of the targets above the rule, where panes stand side by side.
fn target_rows(model: &Model) -> u16 {
    let all = u16::try_from(model.cost.snapshots.rows.total().unwrap_or(1)).unwrap_or(u16::MAX);
    all.clamp(2, (model.body_rows() / 3).max(2))
}

/// Rows of the list of snapshots.
fn fate_rows(model: &Model) -> u16 {
    match model.is_wide() {
        true => (model.body_rows() * 9 / 20).max(3),
        false => model.body_rows(),
    }
}

/// Gives the lists the heights they have on the screen.
pub(in super::super) fn layout(model: &mut Model) {
    let (wide, rows) = (model.is_wide(), model.body_rows());
    let (targets, fates) = (target_rows(model), fate_rows(model));
    let side = &mut model.cost.snapshots;
    side.rows.resize(u64::from(if wide { targets } else { rows }));
    let fields = if wide {
        rows.saturating_sub(targets + 1)
    } else {
        rows + 1
    };
    side.fields.resize(usize::from(fields));
    side.known.fates.resize(u64::from(fates));
}

/// Draws this side.
pub(in super::super) fn draw(model: &Model, canvas: &mut Canvas) {
    let side = &model.cost.snapshots;
    let whole = Span::whole(canvas);
    let none = side.rows.total() == Some(0) && side.load == Load::Ready;
    if none || is_waiting(&side.load, &side.rows) || matches!(side.load, Load::Failed(_)) {
        plain_heading(model, canvas, whole, "What snapshots cost");
        if failure(canvas, whole, &side.load) {
            return;
        }
        if none {
            let keys = [
                ("5", "shows what can be snapshotted; n there takes one"),
                ("S", "goes back to the vaults"),
            ];
            let sentence = "There is no snapshot yet: none is kept, and none costs.";
            message(canvas, whole, TOP + 2, sentence, &keys, "coffer snapshot take TARGET");
        } else {
            let words = format!("looking for snapshots{}", model.look.symbols.more);
            canvas.text(whole.x + 3, TOP + 2, whole.end, &words, Role::Dim);
        }
        return;
    }
    if !model.is_wide() {
        narrow(model, canvas, whole);
        return;
    }
    let first = if canvas.width() < 140 { 38 } else { 46 };
    let pane = |x, end, focus| Span { x, end, focus };
    let left = pane(0, first, side.pane == Pane::Targets);
    targets(model, canvas, left);
    let rule = pane(0, first, side.pane == Pane::Rule);
    rule_of(model, canvas, rule, TOP + 1 + target_rows(model) + 1);
    divide(model, canvas, first);
    let lower = bottom(model, canvas).saturating_sub(fate_rows(model) + 2);
    let right = pane(first + 1, canvas.width(), false);
    plain_heading(model, canvas, right, "What would change");
    let area = Rect::new(
        right.x + 2,
        TOP + 1,
        right.width().saturating_sub(3),
        lower.saturating_sub(TOP + 1),
    );
    figures(model, canvas, area);
    canvas.text(first, lower, first + 1, model.look.symbols.column, Role::Border);
    fates(
        model,
        canvas,
        pane(first + 1, canvas.width(), side.pane == Pane::Fates),
        lower,
    );
}

fn narrow(model: &Model, canvas: &mut Canvas, whole: Span) {
    match model.cost.snapshots.pane {
        Pane::Targets => {
            targets(model, canvas, whole);
            let y = TOP + 3 + model.cost.snapshots.rows.visible().count() as u16;
            let height = bottom(model, canvas).saturating_sub(y);
            let area = Rect::new(3, y, whole.end.saturating_sub(6), height);
            if let Some(row) = row(model) {
                say(model, canvas, area, &words::of_target(row, model.look.symbols.more));
            }
        }
        Pane::Fates => fates(model, canvas, whole, TOP),
        Pane::Rule => {
            let first = 38.min(whole.end / 2 + 2);
            rule_of(model, canvas, Span { end: first, ..whole }, TOP);
            divide(model, canvas, first);
            let right = Span {
                x: first + 1,
                focus: false,
                ..whole
            };
            plain_heading(model, canvas, right, "What would change");
            let height = bottom(model, canvas).saturating_sub(TOP + 1);
            figures(
                model,
                canvas,
                Rect::new(right.x + 1, TOP + 1, right.width().saturating_sub(2), height),
            );
        }
    }
}

/// The targets: how many snapshots each has, what they take, what that costs.
fn targets(model: &Model, canvas: &mut Canvas, span: Span) {
    let rows = &model.cost.snapshots.rows;
    let symbols = model.look.symbols;
    heading(model, canvas, span, "What snapshots cost", "", rows);
    let narrow = span.width() < 60;
    let columns = [
        (0, ("target", 14, false)),
        (1, ("count", 5, true)),
        (
            2,
            (
                if narrow { "at least" } else { "alone, in sum" },
                if narrow { 9 } else { 13 },
                true,
            ),
        ),
        (3, ("a month", 10, true)),
        (4, ("policies", 14, false)),
    ];
    let room = span.width().saturating_sub(1);
    let mut shown = fitting(&columns, room.saturating_sub(2));
    let used: u16 = shown.iter().map(|(_, (_, width, _))| width + 2).sum();
    if let Some((_, (_, width, _))) = shown.iter_mut().find(|(column, _)| *column == 0) {
        *width += room.saturating_sub(used + 2).min(40);
    }
    // Where the rule stands below there is no room for heads.
    let top = match model.is_wide() {
        true => TOP + 1,
        false => {
            heads(canvas, span.x + 3, span.end, &shown);
            TOP + 2
        }
    };
    for (n, index) in rows.visible().enumerate() {
        let (y, Some(row)) = (top + n as u16, rows.get(index)) else {
            continue;
        };
        let mut x = span.x + 3;
        for (column, (_, width, right)) in &shown {
            let room = usize::from(*width);
            let (cell, role) = match column {
                0 => (
                    text::cut_path(&target_words(&row.target), room, symbols.more),
                    Role::Folder,
                ),
                _ => (
                    text::cut_end(&target_cell(model, row, *column), room, symbols.more),
                    Role::Text,
                ),
            };
            match right {
                true => canvas.right(y, x + width, &cell, role),
                false => _ = canvas.text(x, y, span.end, &cell, role),
            }
            x += width + 2;
        }
        if index == rows.cursor() {
            cursor(model, canvas, span, y);
        }
    }
}

fn target_cell(model: &Model, row: &SnapshotCostRow, column: usize) -> String {
    let symbols = model.look.symbols;
    match column {
        1 => text::count(row.cost.snapshots),
        2 => words::taken(row, symbols.more),
        3 => match (row.sized, row.cost.monthly) {
            (_, Some(monthly)) => money_words::plain(symbols, &monthly.to_string()),
            (true, None) => "not known".to_owned(),
            (false, None) => symbols.more.to_owned(),
        },
        _ => text::escape(row.policies.join(", ").as_bytes()),
    }
}

/// The fields of the rule that is tried out, below their heading in a row.
fn rule_of(model: &Model, canvas: &mut Canvas, span: Span, y: u16) {
    let title = match policy(model) {
        Some(policy) => format!("Rule of policy {}", text::escape(policy.name.as_bytes())),
        None => "Rule".to_owned(),
    };
    let room = usize::from(span.width().saturating_sub(5));
    heading_at(
        model,
        canvas,
        span,
        y,
        &text::cut_end(&title, room, model.look.symbols.more),
    );
    match no_policy(model) {
        None => rule_view::fields(model, canvas, span, y + 1),
        Some(why) => {
            let keys = [("5", "then p sets one up")];
            message(canvas, span, y + 2, &why, &keys, "");
        }
    }
}

/// What the target's snapshots cost; below that what goes now and under the rule, and what must be said of it.
fn figures(model: &Model, canvas: &mut Canvas, area: Rect) {
    let Some(row) = row(model) else { return };
    let symbols = model.look.symbols;
    let below = |y: u16| Rect {
        y,
        height: area.bottom().saturating_sub(y),
        ..area
    };
    let y = say(model, canvas, area, &words::of_target(row, symbols.more)) + 1;
    if let Some(why) = waiting(model) {
        say(model, canvas, below(y), &[why]);
        return;
    }
    let Some((asked, what)) = ask::shown(model) else { return };
    let y = table(model, canvas, below(y), what) + 1;
    say(model, canvas, below(y), &words::of_rule(asked, what));
}

/// Says sentences, as many as there is room for; gives the row below.
fn say(model: &Model, canvas: &mut Canvas, area: Rect, said: &[(String, Role)]) -> u16 {
    let mut y = area.y;
    for (sentence, role) in said {
        let sentence = money_words::plain(model.look.symbols, sentence);
        for line in text::wrap(&sentence, usize::from(area.width)) {
            if y < area.bottom() {
                canvas.text(area.x, y, area.right(), &line, *role);
            }
            y += 1;
        }
    }
    y
}

/// Why there are no figures of the rule.
fn waiting(model: &Model) -> Option<(String, Role)> {
    let known = &model.cost.snapshots.known;
    if let Some(why) = no_policy(model) {
        return Some((why, Role::Dim));
    }
    if super::draft(model).is_some_and(|draft| !draft.rule.policy.keeps()) {
        let sentence =
            "This rule keeps nothing: it is not worked out, nor ever carried out. u goes back to the policy's.";
        return Some((sentence.to_owned(), Role::Warning));
    }
    match &known.load {
        Load::Failed(why) => Some((text::escape(why.as_bytes()), Role::Danger)),
        _ if ask::shown(model).is_none() => Some((format!("working it out{}", model.look.symbols.more), Role::Dim)),
        _ => None,
    }
}

/// Both sides in numbers; gives the row below.
fn table(model: &Model, canvas: &mut Canvas, area: Rect, what: &SnapshotWhatIf) -> u16 {
    let symbols = model.look.symbols;
    let ends = [area.x + LABEL + COLUMN, area.x + LABEL + 2 * COLUMN].map(|end| end.min(area.right()));
    let old = if ask::fresh(model).is_some() {
        "by this rule"
    } else {
        "working"
    };
    for (end, head) in ends.iter().zip(["now", old]) {
        if area.y < area.bottom() {
            canvas.right(area.y, *end, head, Role::Dim);
        }
    }
    let (now, after) = (&what.now, &what.after);
    let date = |at: Option<i64>| match at {
        Some(at) => text::stamp(at, &model.zone).chars().take(10).collect(),
        None => "none".to_owned(),
    };
    let gap = |gap: Option<i64>| gap.map_or_else(|| "none".to_owned(), money_words::gap);
    let freed = |side| words::freed(side, what.sized, symbols.more);
    let rows = [
        ("go", text::count(now.go), text::count(after.go)),
        ("free at least", freed(now), freed(after)),
        ("save at least", words::saved(now), words::saved(after)),
        ("stay", text::count(now.stay), text::count(after.stay)),
        ("oldest left", date(now.oldest), date(after.oldest)),
        ("largest gap", gap(now.largest_gap), gap(after.largest_gap)),
    ];
    let mut y = area.y + 1;
    for (label, now, after) in rows {
        if y < area.bottom() {
            canvas.text(area.x, y, area.right(), label, Role::Dim);
            let changed = if now == after { Role::Text } else { Role::Changed };
            canvas.right(y, ends[0], &money_words::plain(symbols, &now), Role::Text);
            canvas.right(y, ends[1], &money_words::plain(symbols, &after), changed);
        }
        y += 1;
    }
    y
}

/// The snapshots that go, newest first, or all; their heading in row `y`.
fn fates(model: &Model, canvas: &mut Canvas, span: Span, y: u16) {
    let side = &model.cost.snapshots;
    let list = &side.known.fates;
    let title = match (ask::shown(model), side.all) {
        (Some((_, what)), false) => format!(
            "Snapshots that go: {} of {}",
            text::count(what.after.go),
            text::count(what.fates.len() as u64)
        ),
        (Some((_, what)), true) => {
            format!(
                "Snapshots: {} of {} go",
                text::count(what.after.go),
                text::count(what.fates.len() as u64)
            )
        }
        (None, _) => "Snapshots that go".to_owned(),
    };
    heading_at(model, canvas, span, y, &title);
    if let Some(total) = list.total().filter(|total| *total > 0) {
        let place = format!(" {}/{} ", text::count(list.cursor() + 1), text::count(total));
        canvas.right(y, span.end.saturating_sub(1), &place, Role::Dim);
    }
    let Some((asked, _)) = ask::shown(model).filter(|_| waiting(model).is_none()) else {
        return;
    };
    if list.total().unwrap_or(0) == 0 {
        let sentence = "No snapshot goes, neither as it is nor by this rule.";
        message(canvas, span, y + 2, sentence, &[("a", "lists all")], "");
        return;
    }
    let several = asked.targets.len() > 1;
    for (n, index) in list.visible().enumerate() {
        let (y, Some(fate)) = (y + 1 + n as u16, list.get(index)) else {
            continue;
        };
        fate_row(model, canvas, span, y, fate, several);
        if index == list.cursor() {
            cursor(model, canvas, span, y);
        }
    }
}

/// What becomes of a snapshot: a glyph, a word, and how they look.
pub(crate) fn state(model: &Model, fate: &SnapshotFate) -> (&'static str, &'static str, Role) {
    let symbols = model.look.symbols;
    match (fate.goes, fate.goes_now) {
        (true, true) => (symbols.bad, "goes anyway", Role::Warning),
        (true, false) => (symbols.bad, "goes", Role::Danger),
        (false, true) => (symbols.good, "stays then", Role::Good),
        (false, false) if fate.row.snapshot.protected => (symbols.marked, "protected", Role::Good),
        (false, false) => (symbols.good, "stays", Role::Good),
    }
}

fn fate_row(model: &Model, canvas: &mut Canvas, span: Span, y: u16, fate: &SnapshotFate, several: bool) {
    let symbols = model.look.symbols;
    let snapshot = &fate.row.snapshot;
    let (glyph, word, role) = state(model, fate);
    let x = span.x + 3;
    canvas.text(
        x,
        y,
        span.end,
        &text::stamp(snapshot.taken.seconds, &model.zone),
        Role::Text,
    );
    canvas.text(x + 18, y, span.end, &format!("{glyph} {word}"), role);
    let size = match fate.row.size {
        Some(_) => alone(&fate.row),
        None => symbols.more.to_owned(),
    };
    canvas.right(y, x + 42, &size, Role::Text);
    let (badge, role) = badge(snapshot.consistency, symbols);
    let x = canvas.text(x + 44, y, span.end, &badge, role) + 2;
    let mut about = match fate.row.fate.as_str() {
        "" => made_by(&snapshot.made_by),
        why => text::escape(why.as_bytes()),
    };
    if several {
        about = format!(
            "{}  {about}",
            text::cut_path(&target_words(&snapshot.target), 20, symbols.more)
        );
    }
    let room = usize::from(span.end.saturating_sub(x));
    canvas.text(x, y, span.end, &text::cut_end(&about, room, symbols.more), Role::Dim);
}

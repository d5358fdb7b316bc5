//! Now and after: bars on one scale, a table, and what happens once.

use ratatui::layout::Rect;

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::{outlook, shares};
use super::words;
use crate::cost::{Bill, Money};
use crate::engine::question::WhatIf;
use crate::text;

/// Columns from which what happens once stands beside the table.
pub(super) const WITH_FACTS: u16 = 76;
/// Cells of the table's labels, and of each of its columns.
const LABEL: u16 = 14;
const COLUMN: u16 = 12;

/// A label, what it labels, and how that looks.
type Fact = (&'static str, String, Role);

/// What is stored and what it costs, now and after, each on one scale from nothing.
pub(super) fn bars(model: &Model, canvas: &mut Canvas, area: Rect, what: &WhatIf) {
    let half = area.width.saturating_sub(2) / 2;
    stored(canvas, Rect { width: half, ..area }, what);
    let right = Rect {
        x: area.x + half + 2,
        width: area.width.saturating_sub(half + 2),
        ..area
    };
    cost(model, canvas, right, what);
}

/// The scale's head: what it is of, where it starts and ends; gives the bars' columns.
fn scale(canvas: &mut Canvas, area: Rect, name: &str, top: &str) -> (u16, u16) {
    let (start, end) = (area.x + 6, area.right().saturating_sub(10));
    let width = end.saturating_sub(start);
    canvas.right(area.y, end, top, Role::Axis);
    let x = canvas.text(start, area.y, end, "0", Role::Axis) + 1;
    if x + text::width(name) as u16 + 2 <= end.saturating_sub(text::width(top) as u16) {
        canvas.text(x, area.y, end, name, Role::Dim);
    }
    (start, width)
}

fn stored(canvas: &mut Canvas, area: Rect, what: &WhatIf) {
    if area.height < 3 || area.width < 24 {
        return;
    }
    let most = what.now.stored.max(what.after.stored) as f64;
    let top = outlook::round_up_bytes(most);
    let (start, width) = scale(canvas, area, "stored", &words::size(top as u64));
    for (n, (word, side)) in [("now", &what.now), ("after", &what.after)].into_iter().enumerate() {
        let y = area.y + 1 + n as u16;
        canvas.text(area.x, y, start, word, Role::Text);
        let parts = [side.data as f64, side.folders as f64, side.unused as f64];
        shares::draw(canvas, start, y, width, &parts, top);
        canvas.right(y, area.right(), &text::bytes(side.stored), Role::Text);
    }
}

fn cost(model: &Model, canvas: &mut Canvas, area: Rect, what: &WhatIf) {
    if area.height < 3 || area.width < 24 {
        return;
    }
    let symbols = model.look.symbols;
    let (now, after) = (what.now.monthly.as_ref(), what.after.monthly.as_ref());
    let currency = match (now, after) {
        (Some(now), Some(after)) if now.total.currency == after.total.currency => Some(now.total.currency),
        (Some(one), None) | (None, Some(one)) => Some(one.total.currency),
        _ => None,
    };
    let Some(currency) = currency else {
        let words = match (now, after) {
            (None, None) => "a month: not known",
            _ => "a month: two currencies, no one scale",
        };
        canvas.text(area.x, area.y, area.right(), words, Role::Warning);
        if now.is_none() && after.is_none() {
            canvas.text(area.x, area.y + 1, area.right(), "The vault names no price;", Role::Dim);
            let key = canvas.text(area.x, area.y + 2, area.right(), "p", Role::Key) + 1;
            canvas.text(key, area.y + 2, area.right(), "chooses one from the book.", Role::Dim);
        }
        for (n, (word, bill)) in [("now", now), ("after", after)].into_iter().enumerate() {
            if let Some(bill) = bill {
                let y = area.y + 1 + n as u16;
                canvas.text(area.x, y, area.right(), word, Role::Text);
                canvas.right(
                    y,
                    area.right(),
                    &words::plain(symbols, &bill.total.to_string()),
                    Role::Text,
                );
            }
        }
        return;
    };
    let units = |bill: Option<&Bill>| bill.map_or(0.0, |bill| bill.total.units());
    let top = outlook::round_up(units(now).max(units(after)));
    let end = Money {
        nanos: (top * 1e9) as i128,
        currency,
    };
    let (start, width) = scale(canvas, area, "a month", &words::plain(symbols, &end.to_string()));
    for (n, (word, bill)) in [("now", now), ("after", after)].into_iter().enumerate() {
        let y = area.y + 1 + n as u16;
        canvas.text(area.x, y, start, word, Role::Text);
        let amount = match bill {
            Some(bill) => {
                shares::draw(canvas, start, y, width, &[bill.total.units()], top);
                words::plain(symbols, &bill.total.to_string())
            }
            None => "not known".to_owned(),
        };
        canvas.right(y, area.right(), &amount, Role::Text);
    }
}

/// A row of the table: what, now, after, the difference; what comes before the label.
struct Row {
    glyph: Option<usize>,
    label: &'static str,
    now: String,
    after: String,
    change: String,
    role: Role,
}

fn rows(model: &Model, what: &WhatIf) -> Vec<Row> {
    let (now, after) = (&what.now, &what.after);
    let row = |label, now, after, change| Row {
        glyph: None,
        label,
        now,
        after,
        change,
        role: Role::Text,
    };
    let bytes = |label, now: u64, after: u64| {
        row(
            label,
            text::bytes(now),
            text::bytes(after),
            words::bytes_change(now, after),
        )
    };
    let part = |n, label, now, after| Row {
        glyph: Some(n),
        role: Role::Dim,
        ..bytes(label, now, after)
    };
    let money = |label, now: Option<&Bill>, after: Option<&Bill>| {
        let tell = |bill: Option<&Bill>| bill.map_or_else(|| "not known".to_owned(), |bill| bill.total.to_string());
        row(label, tell(now), tell(after), words::money_change(now, after))
    };
    let day = |time: Option<i64>| {
        time.map_or_else(
            || "none".to_owned(),
            |time| text::stamp(time, &model.zone).chars().take(10).collect(),
        )
    };
    let gap = |gap: Option<i64>| gap.map_or_else(|| "none".to_owned(), words::gap);
    let later = match (now.oldest, after.oldest) {
        (Some(now), Some(after)) if after != now => format!("+{}", words::gap(after - now)),
        (Some(_), Some(_)) => "0".to_owned(),
        _ => String::new(),
    };
    let wider = match (now.largest_gap, after.largest_gap) {
        (Some(now), Some(after)) if after > now => format!("+{}", words::gap(after - now)),
        (Some(now), Some(after)) if after < now => format!("-{}", words::gap(now - after)),
        (Some(_), Some(_)) => "0".to_owned(),
        _ => String::new(),
    };
    vec![
        row(
            "generations",
            text::count(now.generations),
            text::count(after.generations),
            words::change(now.generations, after.generations),
        ),
        bytes("stored", now.stored, after.stored),
        part(0, "files", now.data, after.data),
        part(1, "folders", now.folders, after.folders),
        part(2, "unused", now.unused, after.unused),
        money("cost a month", now.monthly.as_ref(), after.monthly.as_ref()),
        row("oldest point", day(now.oldest), day(after.oldest), later),
        row("largest gap", gap(now.largest_gap), gap(after.largest_gap), wider),
        money("one restore", now.restore.as_ref(), after.restore.as_ref()),
    ]
}

/// What, now, after, the difference; what happens once beside it.
pub(super) fn table(model: &Model, canvas: &mut Canvas, area: Rect, what: &WhatIf) {
    let symbols = model.look.symbols;
    let ends = [1, 2, 3].map(|n| (area.x + LABEL + n * COLUMN).min(area.right()));
    for (end, head) in ends.iter().zip(["now", "after", symbols.delta]) {
        canvas.right(area.y, *end, head, Role::Dim);
    }
    for (n, row) in rows(model, what).into_iter().enumerate() {
        let y = area.y + 1 + n as u16;
        if y >= area.bottom() {
            break;
        }
        let mut x = area.x;
        if let Some(part) = row.glyph {
            canvas.text(x, y, area.right(), shares::glyph(part, symbols), shares::role(part));
            x += 2;
        }
        canvas.text(x, y, area.right(), row.label, Role::Dim);
        let change = if row.role == Role::Dim {
            Role::Dim
        } else {
            Role::Changed
        };
        let change = if row.change == "0" { Role::Dim } else { change };
        for (end, (cell, role)) in
            ends.iter()
                .zip([(&row.now, row.role), (&row.after, row.role), (&row.change, change)])
        {
            canvas.right(y, *end, &words::plain(symbols, cell), role);
        }
    }
    let x = ends[2] + 3;
    if area.width + 2 >= WITH_FACTS && x + 24 <= area.right() {
        for (n, fact) in facts(what).into_iter().enumerate() {
            let y = area.y + 1 + n as u16;
            if y < area.bottom() {
                fact_line(model, canvas, (x, area.right()), y, fact);
            }
        }
    }
}

fn fact_line(model: &Model, canvas: &mut Canvas, (x, end): (u16, u16), y: u16, (label, value, role): Fact) {
    canvas.text(x, y, end, label, Role::Dim);
    let value = words::plain(model.look.symbols, &value);
    let room = usize::from(end.saturating_sub(x + LABEL));
    canvas.right(y, end, &text::cut_end(&value, room, model.look.symbols.more), role);
}

/// What happens once, and what cannot be undone.
fn facts(what: &WhatIf) -> Vec<Fact> {
    let unknown = || ("not known".to_owned(), Role::Warning);
    let (saves, saves_role) = what.saved.map_or_else(unknown, |saved| {
        let role = match saved.nanos {
            0 => Role::Text,
            n if n > 0 => Role::Good,
            _ => Role::Warning,
        };
        (saved.to_string(), role)
    });
    let (once, once_role) = match &what.one_off {
        _ if !words::goes(what) => ("nothing".to_owned(), Role::Text),
        Some(bill) => (bill.total.to_string(), Role::Text),
        None => unknown(),
    };
    let (pays, pays_role) = match (what.payback_months, &what.one_off, what.saved) {
        // Nothing is paid.
        _ if !words::goes(what) => ("-".to_owned(), Role::Dim),
        (Some(after), ..) => (words::months(after), Role::Text),
        (None, Some(bill), Some(saved)) if bill.total.nanos == 0 && saved.nanos > 0 => {
            ("at once".to_owned(), Role::Text)
        }
        (None, Some(bill), Some(_)) if bill.total.nanos == 0 => ("-".to_owned(), Role::Dim),
        (None, Some(_), Some(_)) => ("never".to_owned(), Role::Warning),
        _ => unknown(),
    };
    let (versions, bytes) = what.lost;
    let danger = if versions > 0 { Role::Danger } else { Role::Text };
    vec![
        ("freed", text::bytes(what.freed.stored), Role::Text),
        ("given back", text::bytes(what.reclaimed), Role::Text),
        ("rewritten", text::bytes(what.rewritten), Role::Dim),
        ("saves a month", saves, saves_role),
        ("costs once", once, once_role),
        ("pays back in", pays, pays_role),
        ("versions lost", text::count(versions), danger),
        ("their size", text::bytes(bytes), danger),
    ]
}

/// What matters most, for the narrow pane beside the rule.
pub(super) fn brief(model: &Model, canvas: &mut Canvas, area: Rect, what: &WhatIf) {
    let symbols = model.look.symbols;
    stored(
        canvas,
        Rect {
            height: 3.min(area.height),
            ..area
        },
        what,
    );
    let mut y = area.y + 4;
    for row in rows(model, what).into_iter().filter(|row| row.glyph.is_none()) {
        if y >= area.bottom() {
            return;
        }
        canvas.text(area.x, y, area.right(), row.label, Role::Dim);
        let words = format!("{} {} {}", row.now, symbols.arrow, row.after);
        canvas.right(y, area.right(), &words::plain(symbols, &words), Role::Text);
        y += 1;
    }
    y += 1;
    for fact in facts(what) {
        if y >= area.bottom() {
            return;
        }
        fact_line(model, canvas, (area.x, area.right()), y, fact);
        y += 1;
    }
    if y < area.bottom() {
        let last = area.bottom() - 1;
        canvas.text(
            area.x,
            last,
            area.right(),
            "Tab: charts, what goes, what is lost",
            Role::Dim,
        );
    }
}

//! The next twelve months and the past, as a chart and as its table.

use jiff::{Span, Timestamp};
use ratatui::layout::Rect;

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::outlook::{Fan, Outlook, round_up, round_up_bytes};
use super::{ask, words};
use crate::cost::{Currency, Money};
use crate::engine::question::{Projection, WhatIf};
use crate::text;

/// Why the next months cannot be shown in money.
pub(super) fn no_money(model: &Model) -> Option<String> {
    let projection = ask::shown(model).and_then(|(_, what)| what.projection.as_ref());
    match projection {
        None => Some("The next months are not worked out.".into()),
        Some(_) if currency(model).is_none() => Some("What it costs is not known: p names a price.".into()),
        Some(_) => None,
    }
}

/// The one currency of both sides of the projection.
fn currency(model: &Model) -> Option<Currency> {
    let (_, what) = ask::shown(model)?;
    let projection = what.projection.as_ref()?;
    let (now, after) = (projection.now_monthly.first()?, projection.after_monthly.first()?);
    (now.currency == after.currency).then_some(now.currency)
}

/// The name of the month so many months from now.
fn month(model: &Model, by: i32) -> String {
    let now = Timestamp::from_second(model.now.unix).ok();
    let date = now.map(|now| model.zone.to_datetime(now).date());
    let there = date.and_then(|date| date.checked_add(Span::new().months(by)).ok());
    there.map_or_else(String::new, |date| format!("{:04}-{:02}", date.year(), date.month()))
}

/// How far the method was off on the vault's own past.
pub(super) fn trust(projection: &Projection) -> String {
    match projection.error {
        Some(error) => {
            let percent = error * 100.0;
            format!("What the next months bring is estimated: on this vault's own past it was off by {percent:.0} %.")
        }
        None => "What the next months bring is estimated; there is too little past to try it on.".to_owned(),
    }
}

/// The chart, with what its glyphs mean above it.
pub(super) fn chart(model: &Model, canvas: &mut Canvas, area: Rect, what: &WhatIf) {
    let symbols = model.look.symbols;
    let Some(projection) = &what.projection else {
        let words = "The next months are not foretold: there is too little past.";
        canvas.text(area.x, area.y + 1, area.right(), words, Role::Dim);
        return;
    };
    let money = currency(model).filter(|_| model.cost.money);
    let name = if money.is_some() { "a month" } else { "stored" };
    let x = canvas.text(area.x, area.y, area.right(), name, Role::Text) + 2;
    let below = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    let month = |by| month(model, by);
    match money {
        Some(currency) => {
            let tell = |units: f64| {
                let nanos = (units * 1e9) as i128;
                words::plain(symbols, &Money { nanos, currency }.to_string())
            };
            let units = |series: &[Money], first: Option<Money>| {
                first
                    .iter()
                    .chain(series)
                    .map(|money| money.units())
                    .collect::<Vec<f64>>()
            };
            let total = |bill: &Option<crate::cost::Bill>| bill.as_ref().map(|bill| bill.total);
            let after = units(&projection.after_monthly, total(&what.after.monthly));
            let outlook = Outlook {
                past: Vec::new(),
                now: units(&projection.now_monthly, total(&what.now.monthly)),
                after: after.into_iter().map(Fan::sure).collect(),
                tell: &tell,
                top: &round_up,
                month: &month,
            };
            legend(canvas, &outlook, x, area);
            outlook.draw(canvas, below);
        }
        None => {
            let tell = |bytes: f64| words::size(bytes as u64);
            let fan = |estimate: &crate::engine::question::Estimate| Fan {
                low: estimate.low as f64,
                likely: estimate.likely as f64,
                high: estimate.high as f64,
            };
            let at_once = [Fan::sure(what.after.stored as f64)];
            let now = [what.now.stored as f64];
            let later = projection.now.iter().map(|estimate| estimate.likely as f64);
            let outlook = Outlook {
                past: projection.past.iter().map(|bytes| *bytes as f64).collect(),
                now: now.into_iter().chain(later).collect(),
                after: at_once.into_iter().chain(projection.after.iter().map(fan)).collect(),
                tell: &tell,
                top: &round_up_bytes,
                month: &month,
            };
            legend(canvas, &outlook, x, area);
            outlook.draw(canvas, below);
        }
    }
}

/// What the glyphs mean, as much as there is room for.
fn legend(canvas: &mut Canvas, outlook: &Outlook, mut x: u16, area: Rect) {
    for (glyph, role, words) in outlook.legend(canvas.look.symbols) {
        let cells = (text::width(&glyph) + 1 + text::width(words)) as u16;
        if x + cells > area.right() {
            return;
        }
        let behind = canvas.text(x, area.y, area.right(), &glyph, role) + 1;
        canvas.text(behind, area.y, area.right(), words, Role::Dim);
        x += cells + 2;
    }
}

/// The same in numbers: the months to come, and as much of the past as there is room for.
pub(super) fn table(model: &Model, canvas: &mut Canvas, area: Rect, what: &WhatIf) {
    let symbols = model.look.symbols;
    let Some(projection) = &what.projection else {
        let words = "The next months are not foretold: there is too little past.";
        canvas.text(area.x, area.y + 1, area.right(), words, Role::Dim);
        return;
    };
    let mut columns: Vec<(&str, u16)> = vec![("as it is", 12), ("if so", 12), ("4 in 5 times", 22)];
    let with_money = area.width >= 78 && currency(model).is_some();
    if with_money {
        columns.extend([("a month", 12), ("if so", 12)]);
    }
    let mut ends: Vec<u16> = Vec::new();
    let mut end = area.x + 8;
    for (_, width) in &columns {
        end += width;
        ends.push(end.min(area.right()));
    }
    canvas.text(area.x, area.y, area.right(), "month", Role::Dim);
    for (end, (head, _)) in ends.iter().zip(&columns) {
        canvas.right(area.y, *end, head, Role::Dim);
    }
    let bill = |bill: &Option<crate::cost::Bill>| bill.as_ref().map(|bill| bill.total.to_string()).unwrap_or_default();
    let mut lines: Vec<(String, Vec<String>)> = vec![(
        "now".to_owned(),
        vec![
            text::bytes(what.now.stored),
            text::bytes(what.after.stored),
            String::new(),
            bill(&what.now.monthly),
            bill(&what.after.monthly),
        ],
    )];
    for (n, (now, after)) in projection.now.iter().zip(&projection.after).enumerate() {
        let money = |series: &[Money]| series.get(n).map(|money| money.to_string()).unwrap_or_default();
        lines.push((
            month(model, n as i32 + 1),
            vec![
                text::bytes(now.likely),
                text::bytes(after.likely),
                format!("{} to {}", text::bytes(after.low), text::bytes(after.high)),
                money(&projection.now_monthly),
                money(&projection.after_monthly),
            ],
        ));
    }
    let room = usize::from(area.height.saturating_sub(1)).saturating_sub(lines.len());
    for (n, past) in projection.past.iter().rev().enumerate().skip(1).take(room) {
        lines.insert(0, (month(model, -(n as i32)), vec![text::bytes(*past)]));
    }
    for (n, (month, cells)) in lines.iter().enumerate() {
        let y = area.y + 1 + n as u16;
        if y >= area.bottom() {
            return;
        }
        canvas.text(area.x, y, area.right(), month, Role::Text);
        for (end, cell) in ends.iter().zip(cells) {
            canvas.right(y, *end, &words::plain(symbols, cell), Role::Text);
        }
    }
}

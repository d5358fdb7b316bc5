//! How the screen is laid out: the rule at the left, what it would change at the right, what goes and what is lost below that;
//! one pane at a time where it is narrow, the rule then with the figures that matter most beside it.

use ratatui::layout::Rect;

use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty;
use super::super::super::view::pane::{Span, TOP, bottom, divide, plain_heading};
use super::{Pane, ask, draft, fields, figures, lists, outlook, rule_view};
use crate::text;

/// Rows that sentences about the rule have below its fields.
const NOTES: u16 = 6;
/// Rows of the bars with their scale.
const BARS: u16 = 3;
/// Rows a chart has at least.
const CHART: u16 = 7;
/// Rows of the table.
const TABLE: u16 = 10;

/// Rows of the lower list with its heads, where panes stand side by side in so many rows.
fn lower_rows(rows: u16) -> u16 {
    ((rows + 1) / 4 + 1).max(6).min(rows.saturating_sub(3).max(3))
}

/// Rows for the rule's fields.
pub(super) fn field_rows(wide: bool, rows: u16) -> u16 {
    let all = fields::LINES.len() as u16;
    match wide {
        true => all.min((rows + 1).saturating_sub(NOTES)).max(3),
        false => rows + 1,
    }
}

/// Rows for a list of generations or versions.
pub(super) fn list_rows(wide: bool, rows: u16) -> u16 {
    match wide {
        true => lower_rows(rows).saturating_sub(2).max(1),
        false => rows.max(1),
    }
}

/// Draws the screen.
pub(in super::super) fn draw(model: &Model, canvas: &mut Canvas) {
    let width = canvas.width();
    if model.cost.snapshots.shown {
        super::snapshots::draw(model, canvas);
        return;
    }
    if model.generations.vault.is_none() {
        let span = Span::whole(canvas);
        plain_heading(model, canvas, span, "Retention and cost");
        // Whatever keeps the vaults away is said in their words.
        empty::vaults(model, canvas, span);
        return;
    }
    if !model.is_wide() {
        narrow(model, canvas);
        return;
    }
    let first = if width < 140 { 38 } else { 46 };
    let left = Span {
        x: 0,
        end: first,
        focus: model.cost.pane <= Pane::Figures,
    };
    let right = Span {
        x: first + 1,
        end: width,
        focus: false,
    };
    rule_view::draw(model, canvas, left);
    let rows = model.body_rows();
    let fields = field_rows(true, rows);
    let end = bottom(model, canvas);
    rule_view::notes(
        model,
        canvas,
        left,
        TOP + 1 + fields + 1,
        end,
        right.width() < figures::WITH_FACTS,
    );
    divide(model, canvas, first);
    head(model, canvas, right);
    let area = Rect::new(
        right.x + 1,
        TOP + 1,
        right.width().saturating_sub(2),
        (rows + 1).saturating_sub(lower_rows(rows)),
    );
    if !waiting(model, canvas, right, TOP + 2) {
        everything(model, canvas, area);
    }
    let y = area.bottom();
    canvas.text(first, y, first + 1, model.look.symbols.column, Role::Border);
    let below = Span {
        focus: model.cost.pane >= Pane::Fates,
        ..right
    };
    lists::draw(model, canvas, below, y);
}

/// Bars and chart (or the months in numbers), then the table, as many as there is room for.
fn everything(model: &Model, canvas: &mut Canvas, area: Rect) {
    let Some((_, what)) = ask::shown(model) else { return };
    let roomy = area.height >= BARS + 1 + CHART + 1 + TABLE;
    let table = roomy || model.cost.table || what.projection.is_none();
    let upper = match table {
        true => area.height.saturating_sub(TABLE + 1),
        false => area.height,
    };
    let above = Rect { height: upper, ..area };
    let below = Rect {
        y: area.y + upper + 1,
        height: area.height.saturating_sub(upper + 1),
        ..area
    };
    if table {
        figures::table(model, canvas, below, what);
    }
    if model.cost.table {
        outlook::table(model, canvas, above, what);
        return;
    }
    figures::bars(
        model,
        canvas,
        Rect {
            height: BARS.min(upper),
            ..area
        },
        what,
    );
    if upper > BARS + CHART {
        let chart = Rect {
            y: area.y + BARS + 1,
            height: upper - BARS - 1,
            ..area
        };
        outlook::chart(model, canvas, chart, what);
    }
}

fn narrow(model: &Model, canvas: &mut Canvas) {
    let whole = Span::whole(canvas);
    match super::context(model) {
        context if context == super::RULE => {
            let first = 38.min(whole.end / 2 + 2);
            let left = Span { end: first, ..whole };
            rule_view::draw(model, canvas, left);
            let right = Span {
                x: first + 1,
                focus: false,
                ..whole
            };
            divide(model, canvas, first);
            head(model, canvas, right);
            if !waiting(model, canvas, right, TOP + 2)
                && let Some((_, what)) = ask::shown(model)
            {
                let height = bottom(model, canvas).saturating_sub(TOP + 1);
                let area = Rect::new(right.x + 1, TOP + 1, right.width().saturating_sub(2), height);
                figures::brief(model, canvas, area, what);
            }
        }
        context if context == super::FIGURES => {
            head(model, canvas, whole);
            if !waiting(model, canvas, whole, TOP + 2) {
                let height = bottom(model, canvas).saturating_sub(TOP + 1);
                everything(
                    model,
                    canvas,
                    Rect::new(1, TOP + 1, whole.end.saturating_sub(2), height),
                );
            }
        }
        _ => lists::draw(model, canvas, whole, TOP),
    }
}

/// The heading of the figures: whether they are of the rule that is shown.
fn head(model: &Model, canvas: &mut Canvas, span: Span) {
    let x = plain_heading(model, canvas, span, "What would change");
    if ask::is_old(model) {
        let symbols = model.look.symbols;
        let words = match model.cost.known.measuring {
            Some((done, of)) if of > 0 => format!(" {} old figures, {} % read ", symbols.warning, done * 100 / of),
            _ => format!(" {} old figures, new ones are on their way ", symbols.warning),
        };
        let room = usize::from(span.end.saturating_sub(x + 1));
        canvas.text(
            x,
            TOP,
            span.end,
            &text::cut_end(&words, room, symbols.more),
            Role::Warning,
        );
    }
}

/// Says why there are no figures; whether there are none.
fn waiting(model: &Model, canvas: &mut Canvas, span: Span, y: u16) -> bool {
    let known = &model.cost.known;
    let more = model.look.symbols.more;
    if draft(model).is_some_and(|draft| !draft.rule.says_something()) {
        let keys = [("→", "on a field sets it"), ("u", "goes back to the plan's rule")];
        let sentence = "This rule keeps nothing: it is not worked out, nor ever carried out.";
        empty::message(canvas, span, y, sentence, &keys, "");
        return true;
    }
    let vault = text::escape(model.generations.vault.as_deref().unwrap_or_default().as_bytes());
    match &known.load {
        Load::Locked => {
            let sentence = "This vault is locked: its password is not known here.";
            let command = format!("coffer cost --vault {vault} --password-file FILE");
            empty::message(canvas, span, y, sentence, &[("O", "asks for it")], &command);
            return true;
        }
        Load::Failed(why) => {
            let why = text::escape(why.as_bytes());
            empty::message(canvas, span, y, &why, &[("R", "tries again")], "");
            return true;
        }
        _ => {}
    }
    let Some((_, what)) = ask::shown(model) else {
        let words = match known.measuring {
            Some((done, of)) => format!(
                "Reading which generations hold what: {} of {} folders",
                text::count(done),
                text::count(of)
            ),
            None => format!("working it out{more}"),
        };
        let room = usize::from(span.width().saturating_sub(5));
        for (n, line) in text::wrap(&words, room).iter().enumerate() {
            canvas.text(span.x + 3, y + n as u16, span.end, line, Role::Dim);
        }
        if let Some((done, of)) = known.measuring.filter(|(_, of)| *of > 0) {
            let width = span.width().saturating_sub(6).min(50);
            canvas.gauge(span.x + 3, y + 2, width, (done as f64 / of as f64).clamp(0.0, 1.0));
        }
        return true;
    };
    if what.fates.is_empty() {
        let sentence = "This vault holds no generation yet: nothing is kept, and nothing costs.";
        let command = format!("coffer backup --vault {vault} PATH");
        empty::message(
            canvas,
            span,
            y,
            sentence,
            &[("2", "shows the vault; b there backs up")],
            &command,
        );
        return true;
    }
    false
}

//! How the rule's fields are drawn, and what must be said of the rule.

use super::super::super::actions::Act;
use super::super::super::dialogs::jobs::Drawer;
use super::super::super::dialogs::notes::Notes;
use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::pane::{Span, TOP, cursor, cursor_role, plain_heading};
use super::fields::Line;
use super::rule::{Field, Rule};
use super::{Draft, Typing, ask, draft, edit, outlook, plan, words};
use crate::text;

/// Where values start, from the pane's left.
const VALUE: u16 = 14;

/// Draws the pane.
pub(super) fn draw(model: &Model, canvas: &mut Canvas, span: Span) {
    let vault = text::escape(model.generations.vault.as_deref().unwrap_or_default().as_bytes());
    let title = match plan::of_shown(model).first() {
        Some(plan) => format!("Rule of {vault}, plan {}", text::escape(plan.name.as_bytes())),
        None => format!("Rule of {vault}"),
    };
    let room = usize::from(span.width().saturating_sub(5));
    plain_heading(
        model,
        canvas,
        span,
        &text::cut_end(&title, room, model.look.symbols.more),
    );
    let Some(draft) = draft(model) else {
        let reading = format!("reading{}", model.look.symbols.more);
        canvas.text(span.x + 3, TOP + 2, span.end, &reading, Role::Dim);
        return;
    };
    fields_of(model, canvas, span, TOP + 1, draft);
}

/// The rule's fields, from row `top` on.
pub(super) fn fields(model: &Model, canvas: &mut Canvas, span: Span, top: u16) {
    if let Some(draft) = draft(model) {
        fields_of(model, canvas, span, top, draft);
    }
}

fn fields_of(model: &Model, canvas: &mut Canvas, span: Span, top: u16, draft: &Draft) {
    let fields = super::fields(model);
    for (n, (line, on)) in fields.visible().enumerate() {
        let y = top + n as u16;
        match line {
            Line::Head(head) => {
                let end = span.end.saturating_sub(1);
                let x = canvas.text(span.x + 1, y, end, head, Role::Title) + 1;
                canvas.rule(x, y, end, model.look.symbols.rule, Role::Border);
            }
            Line::Field(field) => draw_field(model, canvas, span, y, field, (&draft.rule, &draft.start), on),
        }
    }
    let (above, below) = fields.more();
    let symbols = model.look.symbols;
    let last = (top + fields.visible().count() as u16).saturating_sub(1);
    for (is_more, y, symbol) in [(above, top, symbols.up), (below, last, symbols.down)] {
        if is_more {
            canvas.right(y, span.end, symbol, Role::Key);
        }
    }
}

fn draw_field(model: &Model, canvas: &mut Canvas, span: Span, y: u16, field: Field, rules: (&Rule, &Rule), on: bool) {
    let symbols = model.look.symbols;
    let around = edit::around(model);
    let (rule, start) = rules;
    let value = words::plain(symbols, &field.words(rule, &around));
    let was = words::plain(symbols, &field.words(start, &around));
    let end = span.end.saturating_sub(1);
    let is_set = |rule: &Rule| field.typed(rule).is_none_or(|typed| !typed.is_empty());
    let label = if is_set(rule) { Role::Text } else { Role::Dim };
    canvas.text(span.x + 3, y, end, field.label(), label);
    let typing = model
        .cost
        .typing
        .as_ref()
        .filter(|typing: &&Typing| on && typing.of == field);
    if let Some(typing) = typing {
        let width = end.saturating_sub(span.x + VALUE);
        canvas.field(span.x + VALUE, y, width, &typing.field, false);
        return;
    }
    // What the rule below says does not count while everything stays.
    let counts = !rule.everything || matches!(field, Field::Keep | Field::Price | Field::Every);
    let changed = value != was;
    let role = match (counts, changed, is_set(rule)) {
        (false, ..) => Role::Disabled,
        (true, true, _) => Role::Changed,
        (true, false, true) => Role::Text,
        (true, false, false) => Role::Dim,
    };
    let room = usize::from(end.saturating_sub(span.x + VALUE));
    let cut = text::cut_end(&value, room, symbols.more);
    let x = canvas.text(span.x + VALUE, y, end, &cut, role) + 2;
    let was = format!("was {was}");
    if changed && x + text::width(&was) as u16 <= end {
        canvas.text(x, y, end, &was, Role::Dim);
    }
    if changed {
        canvas.text(span.x + 1, y, end, symbols.marked, Role::Changed);
    }
    if !on {
        return;
    }
    cursor(model, canvas, span, y);
    let busy = model.dialog::<Drawer>().is_some();
    if span.focus && !busy && !matches!(field, Field::Tags) {
        let role = cursor_role(model, span);
        let (less, more) = if symbols.rule.is_ascii() {
            ("<", ">")
        } else {
            ("‹", "›")
        };
        canvas.text(span.x + VALUE - 2, y, end, less, role);
        if x <= end {
            canvas.text(x - 1, y, end, more, role);
        }
    }
}

/// What must be said of the rule, below its fields; with the sentences themselves where they have no place elsewhere.
pub(super) fn notes(model: &Model, canvas: &mut Canvas, span: Span, y: u16, end: u16, sentences: bool) {
    let said = said(model, sentences);
    let cells = usize::from(span.width().saturating_sub(3));
    let symbols = model.look.symbols;
    let lines = said.iter().flat_map(|(sentence, role)| {
        let wrapped = text::wrap(&words::plain(symbols, sentence), cells);
        wrapped.into_iter().map(|line| (line, *role))
    });
    let lines: Vec<(String, Role)> = lines.collect();
    let room = usize::from(end.saturating_sub(y));
    // The last line says how the rest can be read.
    let shown = if lines.len() > room {
        room.saturating_sub(1)
    } else {
        room
    };
    let cut = lines.len() > shown && room > 0;
    for (n, (line, role)) in lines.into_iter().take(shown).enumerate() {
        canvas.text(span.x + 1, y + n as u16, span.end, &line, role);
    }
    if cut {
        let y = y + shown as u16;
        let x = canvas.text(span.x + 1, y, span.end, "N", Role::Key) + 1;
        canvas.text(x, y, span.end, "shows all that is to be said", Role::Dim);
    }
}

/// Shows all that must be said of the rule.
pub(super) fn show_notes(act: &mut Act) {
    let symbols = act.model.look.symbols;
    let mut said = said(act.model, true);
    for (sentence, _) in &mut said {
        *sentence = words::plain(symbols, sentence);
    }
    let notes = Notes::new("What the rule means", said);
    act.model.push(notes);
}

/// Why there is nothing to say.
pub(super) fn nothing_said(model: &Model) -> Option<String> {
    ask::shown(model)
        .is_none()
        .then(|| "What the rule would do is not known yet.".into())
}

/// What must be said of the rule, with the sentences themselves if wanted.
fn said(model: &Model, sentences: bool) -> Vec<(String, Role)> {
    let Some((_, what)) = ask::shown(model) else {
        return Vec::new();
    };
    let mut said: Vec<(String, Role)> = Vec::new();
    if sentences {
        said.extend(words::sentences(what));
    }
    said.extend(words::notes(what));
    if let [first, .., last] = plan::of_shown(model)[..] {
        let (first, last) = (text::escape(first.name.as_bytes()), text::escape(last.name.as_bytes()));
        let words = format!(
            "Not only the plan {first} writes here, {last} does too: the rule is tried on what all of them made."
        );
        said.push((words, Role::Warning));
    }
    if let Some(projection) = &what.projection {
        said.push((outlook::trust(projection), Role::Dim));
    }
    said
}

//! A filter being typed, for the pane that has the keys: its rows follow each letter.

use super::super::actions::{Action, At, Context};
use super::super::dialog::{Dialog, Then, with_top};
use super::super::field::Field;
use super::super::model::Model;
use super::super::msg::Effect;
use super::super::screens;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;

/// Where keys go.
const CONTEXT: Context = Context::dialog("filter", "Filter");

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("filter.keep", "keep it", "Keep the filter and go back to the rows", &["Enter"], At::Only(&[CONTEXT]),
        |act| with_top::<Filter>(act, |_, _| Then::Close)).hint(1),
];

/// What is typed.
#[derive(Debug)]
pub struct Filter(pub Field);

impl Dialog for Filter {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.0)
    }

    fn edited(&mut self, model: &mut Model, _: &mut Vec<Effect>) {
        screens::set_filter(model, self.0.text());
    }

    fn closed(&mut self, model: &mut Model, _: &mut Vec<Effect>) {
        screens::set_filter(model, "");
    }

    fn in_footer(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw_field(model, canvas, &self.0);
    }
}

/// Draws a filter that is typed, where the status line is.
pub(super) fn draw_field(model: &Model, canvas: &mut Canvas, field: &Field) {
    let (width, y) = (canvas.width(), canvas.height().saturating_sub(2 + model.strip_rows()));
    canvas.rule(0, y, width, " ", Role::Text);
    let x = canvas.text(1, y, width, "Filter ", Role::Key);
    canvas.field(x, y, width.saturating_sub(x + 1).min(40), field, false);
}

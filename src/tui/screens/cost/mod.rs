//! The screen Cost: what keeping costs.

use super::super::actions::{Action, Context};
use super::super::model::Model;
use super::super::view::canvas::Canvas;
use super::super::view::empty::message;
use super::super::view::pane::{Span, plain_heading};

/// Where keys go.
pub const CONTEXT: Context = Context {
    list: false,
    ..Context::screen("cost", "Cost")
};

/// What one can do here.
pub static ACTIONS: &[Action] = &[];

/// Draws it.
pub(super) fn draw(model: &Model, canvas: &mut Canvas) {
    let span = Span::whole(canvas);
    plain_heading(model, canvas, span, "Retention and cost");
    message(
        canvas,
        span,
        3,
        "What keeping costs, and what would go, is not worked out yet: this comes with a later version. How much each vault stores is on the overview.",
        &[
            ("1", "shows the overview"),
            ("d", "on a generation of screen 2 stages it for deletion"),
        ],
        "coffer stats --vault NAME",
    );
}

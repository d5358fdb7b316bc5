//! The screen Snapshots: volumes and machines at one moment.

use super::super::actions::{Action, Context};
use super::super::model::Model;
use super::super::view::canvas::Canvas;
use super::super::view::empty::message;
use super::super::view::pane::{Span, plain_heading};

/// Where keys go.
pub const CONTEXT: Context = Context {
    list: false,
    ..Context::screen("snapshots", "Snapshots")
};

/// What one can do here.
pub static ACTIONS: &[Action] = &[];

/// Draws it.
pub(super) fn draw(model: &Model, canvas: &mut Canvas) {
    let span = Span::whole(canvas);
    plain_heading(model, canvas, span, "Snapshots");
    message(
        canvas,
        span,
        3,
        "No volume or machine can be snapshot yet: this comes with a later version. Until then a plan backs up files, whichever volume they lie on.",
        &[("P", "shows the plans"), ("1", "shows what is protected")],
        "coffer plan list",
    );
}

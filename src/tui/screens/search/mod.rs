//! The screen Search: all generations of all vaults by name.

use super::super::actions::{Action, Context};
use super::super::model::Model;
use super::super::view::canvas::Canvas;
use super::super::view::empty::message;
use super::super::view::pane::Span;

/// Where keys go.
pub const CONTEXT: Context = Context {
    list: false,
    ..Context::screen("search", "Search")
};

/// What one can do here.
pub static ACTIONS: &[Action] = &[];

/// Draws it.
pub(super) fn draw(_model: &Model, canvas: &mut Canvas) {
    let span = Span::whole(canvas);
    message(
        canvas,
        span,
        3,
        "There is nothing here yet.",
        &[("2", "shows the vaults")],
        "",
    );
}

/// More can be searched than before.
pub(in super::super) fn catalogued(_model: &mut Model) {}

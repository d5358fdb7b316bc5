//! The mouse: the wheel moves in the list that has the keys, a click goes to a screen or does what the last line names.
//! Nothing that a dialog guards is done by a click.

use super::actions::Act;
use super::keys::{Code, Key};
use super::model::Model;
use super::msg::{Click, Effect, Pointer};
use super::{global, update, view};

/// Rows that one notch of the wheel moves.
const NOTCH: i64 = 3;

/// Does what the mouse means.
pub(super) fn act(model: &mut Model, pointer: Pointer, effects: &mut Vec<Effect>) {
    let guarded = model.dialogs.last().is_some_and(|dialog| dialog.guard().is_some());
    if model.is_tiny() || guarded {
        return;
    }
    // No key of the keyboard: what is asked before harm is done must not take it for the one that opened it.
    let key = Key::plain(Code::F(0));
    match pointer.click {
        Click::WheelUp => global::step(&mut Act { model, key, effects }, -NOTCH),
        Click::WheelDown => global::step(&mut Act { model, key, effects }, NOTCH),
        Click::Left if pointer.row == 0 && model.dialogs.is_empty() => {
            if let Some(screen) = view::tab_at(model, pointer.column) {
                global::show(&mut Act { model, key, effects }, screen);
            }
        }
        Click::Left if pointer.row + 1 == model.size.1 => {
            if let Some(action) = view::hint_at(model, pointer.column) {
                update::run(model, action, key, effects);
            }
        }
        Click::Left => {}
    }
}

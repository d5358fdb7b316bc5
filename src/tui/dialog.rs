//! Dialogs: what lies over a screen, as a stack of which the top one gets the keys.
//!
//! A dialog is a value with its own state, context, actions and drawing; this file knows none of them. Its actions find it
//! by its type with [`with_top`]; answers find it with [`Model::dialog_mut`], wherever in the stack it lies by then.

use std::any::Any;
use std::fmt::Debug;

use super::actions::{Act, Context};
use super::field::Field;
use super::keys::{Code, Key};
use super::model::Model;
use super::msg::Effect;
use super::view::canvas::Canvas;
use super::widgets::form::Form;
use super::window::Window;

/// Milliseconds for which a dialog that can do harm hears no key.
pub const GUARD: u64 = 300;

/// Keeps a dialog from being answered by a key meant for something else: keys are not heard at first, nor ever the one
/// that opened it, nor Enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// When the question was first on the screen, in milliseconds.
    pub since: u64,
    /// The key that opened it.
    pub opener: Option<Key>,
}

impl Guard {
    /// A guard that starts now.
    pub fn now(act: &Act) -> Guard {
        Guard {
            since: act.model.now.millis,
            opener: Some(act.key),
        }
    }

    /// Whether a key is heard.
    pub fn hears(&self, key: Key, at: u64) -> bool {
        if key.code == Code::Esc {
            return true;
        }
        at >= self.since.saturating_add(GUARD) && Some(key) != self.opener && key.code != Code::Enter
    }
}

/// Rows to move among, whatever they hold.
pub trait Moves {
    /// By some rows.
    fn step(&mut self, by: i64);
    /// To a row, or the last.
    fn go(&mut self, to: u64);
    /// Rows a page has.
    fn page(&self) -> i64;
}

impl<T> Moves for Window<T> {
    fn step(&mut self, by: i64) {
        Window::step(self, by);
    }

    fn go(&mut self, to: u64) {
        Window::go(self, to);
    }

    fn page(&self) -> i64 {
        Window::page(self)
    }
}

/// What lies over a screen.
pub(crate) trait Dialog: Any + Debug {
    /// Which keys mean what in it.
    fn context(&self) -> Context;

    /// Draws it over what is there.
    fn draw(&self, model: &Model, canvas: &mut Canvas);

    /// The rows that the keys move among.
    fn list(&mut self) -> Option<&mut dyn Moves> {
        None
    }

    /// The field that has the keys: plain characters are typed into it, whatever they mean elsewhere.
    fn field(&mut self) -> Option<&mut Field> {
        None
    }

    /// The form that has the keys: it takes those it knows. Enter goes on to the dialog's own action, unless the form is on
    /// a button ([`Dialog::pressed`]) or in a list.
    fn form(&mut self) -> Option<&mut Form> {
        None
    }

    /// Whether it holds something that was typed and is neither saved nor being saved: leaving the program asks first.
    fn unsaved(&mut self) -> bool {
        self.form().is_some_and(|form| form.is_touched())
    }

    /// Enter was typed on this button of its form. It is off the stack while it acts.
    fn pressed(&mut self, _button: &'static str, _act: &mut Act) -> Then {
        Then::Keep
    }

    /// The field's text, or a value of the form, was changed.
    fn edited(&mut self, _model: &mut Model, _effects: &mut Vec<Effect>) {}

    /// What keeps it from hearing keys that are not meant for it.
    fn guard(&self) -> Option<Guard> {
        None
    }

    /// Gives its lists their heights.
    fn layout(&mut self, _model: &Model) {}

    /// Asks for what it shows and does not have.
    fn fetch(&mut self, _model: &mut Model, _effects: &mut Vec<Effect>) {}

    /// What was to be done outside was refused, which is said in the status line; whether it closes for that.
    fn refused(&mut self) -> bool {
        false
    }

    /// It was closed by Esc; it is off the stack already.
    fn closed(&mut self, _model: &mut Model, _effects: &mut Vec<Effect>) {}

    /// Whether the dialog below it is not drawn: it took its place.
    fn replaces_below(&self) -> bool {
        false
    }

    /// Whether the footer shows its keys (it draws no line of keys itself).
    fn in_footer(&self) -> bool {
        false
    }

    /// Whether it is about what lies below it, as the help is: [`Model::dialog`] looks through it.
    fn is_lens(&self) -> bool {
        false
    }
}

/// What becomes of a dialog after an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It stays.
    Keep,
    /// It is taken off the stack.
    Close,
}

impl Model {
    /// Puts a dialog on top.
    pub(crate) fn push(&mut self, dialog: impl Dialog) {
        self.dialogs.push(Box::new(dialog));
    }

    /// The dialog that actions are about, if it is of this type.
    pub(crate) fn dialog<D: Dialog>(&self) -> Option<&D> {
        let top = self.dialogs.iter().rev().find(|dialog| !dialog.is_lens())?;
        (&**top as &dyn Any).downcast_ref()
    }

    /// The uppermost dialog of this type, wherever it lies.
    pub(crate) fn dialog_mut<D: Dialog>(&mut self) -> Option<&mut D> {
        self.dialogs
            .iter_mut()
            .rev()
            .find_map(|dialog| (&mut **dialog as &mut dyn Any).downcast_mut())
    }

    /// Takes all dialogs of this type away.
    pub(crate) fn dismiss<D: Dialog>(&mut self) {
        self.dialogs.retain(|dialog| !(&**dialog as &dyn Any).is::<D>());
    }
}

/// Lets the top dialog act if it is of this type, with the model free to be changed; dialogs that it opens lie above it.
pub(crate) fn with_top<D: Dialog>(act: &mut Act, run: impl FnOnce(&mut D, &mut Act) -> Then) {
    let Some(mut top) = act.model.dialogs.pop() else { return };
    let at = act.model.dialogs.len();
    let then = match (&mut *top as &mut dyn Any).downcast_mut::<D>() {
        Some(dialog) => run(dialog, act),
        None => Then::Keep,
    };
    if then == Then::Keep {
        let at = at.min(act.model.dialogs.len());
        act.model.dialogs.insert(at, top);
    }
}

/// Calls something for each dialog, with the model free to be changed.
pub(super) fn each(model: &mut Model, mut call: impl FnMut(&mut dyn Dialog, &mut Model)) {
    let mut dialogs = std::mem::take(&mut model.dialogs);
    for dialog in &mut dialogs {
        call(&mut **dialog, model);
    }
    // What was opened meanwhile lies above.
    dialogs.append(&mut model.dialogs);
    model.dialogs = dialogs;
}

/// Takes the top dialog away, as Esc does.
pub(super) fn close(act: &mut Act) {
    if let Some(mut dialog) = act.model.dialogs.pop() {
        dialog.closed(act.model, act.effects);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_hears_only_meant_keys() {
        let guard = Guard {
            since: 1000,
            opener: Some(Key::char('y')),
        };
        assert!(!guard.hears(Key::char('n'), 1299));
        assert!(guard.hears(Key::char('n'), 1300));
        assert!(!guard.hears(Key::char('y'), 5000), "the key that opened it");
        assert!(!guard.hears(Key::plain(Code::Enter), 5000));
        assert!(guard.hears(Key::plain(Code::Esc), 1000), "leaving is always possible");
    }
}

//! A vault's password being typed.

use super::super::actions::{Act, Action, At, Context};
use super::super::asking;
use super::super::dialog::{Dialog, Then, with_top};
use super::super::field::Field;
use super::super::model::{Load, Model, Screen};
use super::super::msg::{Effect, Typed};
use super::super::screens::vaults::Pane;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::{frame, keys_line, line, room};
use crate::engine::Answer;
use crate::text;
use crate::vault::Password as Secret;

/// Where keys go.
const CONTEXT: Context = Context::dialog("password", "Password");
const SLOT: &str = "password";

/// What one can do in it.
pub static ACTIONS: &[Action] = &[Action::new(
    "password.open",
    "open",
    "Open the vault",
    &["Enter"],
    At::Only(&[CONTEXT]),
    submit,
)
.hint(1)];

/// A vault's password being typed.
#[derive(Debug)]
pub struct Password {
    /// Whose.
    vault: String,
    /// What is typed.
    field: Field,
    /// Why the last one did not do.
    problem: String,
    /// Whether it is being tried.
    trying: bool,
}

/// Asks for the password of the vault shown.
pub fn open(model: &mut Model, problem: String) {
    let Some(vault) = model.generations.vault.clone() else {
        return;
    };
    model.password_asked = Some(vault.clone());
    model.push(Password {
        vault,
        field: Field::default(),
        problem,
        trying: false,
    });
}

fn submit(act: &mut Act) {
    with_top::<Password>(act, |dialog, act| {
        if dialog.trying || dialog.field.text().is_empty() {
            return Then::Keep;
        }
        dialog.trying = true;
        dialog.problem.clear();
        let password = Typed(Secret(zeroize::Zeroizing::new(dialog.field.text().as_bytes().to_vec())));
        dialog.field = Field::default();
        asking::open(act.model, SLOT, dialog.vault.clone(), password, take, act.effects);
        Then::Keep
    });
}

fn take(model: &mut Model, answer: Answer, _: &mut Vec<Effect>) {
    let why = match answer {
        Answer::Opened { vault } => {
            model.dismiss::<Password>();
            if model.generations.vault.as_ref() == Some(&vault) {
                model.generations.load = Load::Idle;
                if model.screen == Screen::Vaults {
                    model.pane = Pane::Generations;
                }
            }
            return;
        }
        Answer::PasswordNeeded { problem, .. } => problem,
        other => match asking::failed(other) {
            Load::Failed(why) => why,
            _ => String::new(),
        },
    };
    if let Some(dialog) = model.dialog_mut::<Password>() {
        dialog.problem = why;
        dialog.trying = false;
    }
}

impl Dialog for Password {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn field(&mut self) -> Option<&mut Field> {
        (!self.trying).then_some(&mut self.field)
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        asking::abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let more = model.look.symbols.more;
        let problem = match self.problem.as_str() {
            "" => Vec::new(),
            problem => text::wrap(&text::escape(problem.as_bytes()), room(canvas)),
        };
        let lines = problem.len() as u16 + u16::from(!problem.is_empty());
        let inside = frame(canvas, 7 + lines, "Password", Role::Focus);
        let vault = text::cut_middle(&text::escape(self.vault.as_bytes()), 40, more);
        line(
            canvas,
            inside,
            1,
            &format!("The password of the vault {vault}:"),
            Role::Text,
        );
        if self.trying {
            line(canvas, inside, 2, &format!("opening{more}"), Role::Dim);
        } else {
            canvas.field(inside.x, inside.y + 2, inside.width, &self.field, true);
        }
        for (n, words) in problem.iter().enumerate() {
            line(canvas, inside, 4 + n as u16, words, Role::Danger);
        }
        keys_line(model, canvas, inside, CONTEXT);
    }
}

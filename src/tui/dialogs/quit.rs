//! Leaving while jobs run.

use super::super::actions::{Act, Action, At, Context, Danger};
use super::super::dialog::{Dialog, Guard, Then, with_top};
use super::super::model::Model;
use super::super::msg::Effect;
use super::super::theme::Role;
use super::super::update::cancel_all;
use super::super::view::canvas::Canvas;
use super::confirm::Confirm;
use super::{frame, keys_line, line, room};
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("quit", "Quit");

/// The answers.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("quit.detach", "detach", "Leave; the jobs go on in the background", &["d"], At::Only(&[CONTEXT]), detach).hint(1)
        .unless(|model| (!model.can_detach).then(|| "Jobs cannot go on without Coffer here: no process waits for them.".into())),
    Action::new("quit.cancel", "cancel the jobs and quit", "Stop every job, then quit", &["c"], At::Only(&[CONTEXT]), cancel)
        .danger(Danger::Ask).hint(2),
    Action::new("quit.stay", "stay", "Do not quit", &["n"], At::Only(&[CONTEXT]), |act| with_top::<Quit>(act, |_, _| Then::Close)).hint(3),
];

/// Jobs run: what about them?
#[derive(Debug)]
pub struct Quit {
    /// From when on it hears keys.
    guard: Guard,
}

const UNSAVED: &str = "Quit without saving?";

/// Leaves; asks first where something that was typed would be lost, and what about jobs that run.
pub fn quit(act: &mut Act) {
    if asked(act.model).is_some() {
        return;
    }
    if act.model.dialogs.iter_mut().any(|dialog| dialog.unsaved()) {
        let sentence = "What was typed into a form is not saved.".to_owned();
        let confirm = Confirm::ask(act, UNSAVED, sentence, leave);
        return act.model.push(confirm);
    }
    leave(act);
}

fn leave(act: &mut Act) {
    if act.model.jobs.running_here().next().is_none() {
        act.effects.push(Effect::Quit);
    } else {
        let guard = Guard::now(act);
        act.model.push(Quit { guard });
    }
}

/// Why it is being asked whether to leave, in few words; `None` where it is not.
pub fn asked(model: &Model) -> Option<&'static str> {
    let unsaved = model
        .dialog::<Confirm>()
        .is_some_and(|confirm| confirm.title == UNSAVED);
    match model.dialog::<Quit>() {
        Some(_) => Some("Jobs run"),
        None => unsaved.then_some("Not saved"),
    }
}

fn detach(act: &mut Act) {
    act.effects.push(match act.model.jobs.running_here().next() {
        Some(_) => Effect::Detach,
        None => Effect::Quit,
    });
}

fn cancel(act: &mut Act) {
    act.model.dismiss::<Quit>();
    act.model.quitting = true;
    cancel_all(act.model, act.effects);
    act.model.say(
        Role::Warning,
        "Stopping the jobs; Coffer ends when the last one has stopped.",
    );
}

impl Dialog for Quit {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn guard(&self) -> Option<Guard> {
        Some(self.guard)
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let running = model.jobs.running_here().count() as u64;
        let what = match running {
            0 => "No job runs any more".to_owned(),
            1 => "A job runs".to_owned(),
            _ => format!("{running} jobs run"),
        };
        let on = if model.can_detach {
            "Detached, it goes on in the background, also after you log out; the next coffer shows it, and coffer jobs \
             stops it. "
        } else {
            ""
        };
        let sentence = format!(
            "{what}. {on}Stopping is clean: what a backup has stored, the next one uses; what a restore has written stays."
        );
        let lines = text::wrap(&sentence, room(canvas));
        let inside = frame(canvas, lines.len() as u16 + 4, "Quit?", Role::Warning);
        for (n, text) in lines.iter().enumerate() {
            line(canvas, inside, 1 + n as u16, text, Role::Text);
        }
        keys_line(model, canvas, inside, CONTEXT);
    }
}

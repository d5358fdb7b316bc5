//! A question before something that can do harm: answered by `y`, or by typing a name. No is the default.

use super::super::actions::{Act, Action, At, Context, Danger};
use super::super::dialog::{Dialog, Guard, Then, with_top};
use super::super::field::Field;
use super::super::model::Model;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::{frame, keys_line, line, room};
use crate::text;

/// A question answered by `y`.
const ASK: Context = Context::dialog("confirm", "Confirm");
/// A question answered by typing a name.
const TYPE: Context = Context::dialog("confirm-name", "Confirm by name");

/// The answers.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("confirm.yes", "yes", "Do it", &["y"], At::Only(&[ASK]), yes).danger(Danger::Ask).hint(1),
    Action::new("confirm.no", "no", "Leave it", &["n"], At::Only(&[ASK]), |act| with_top::<Confirm>(act, |_, _| Then::Close)).hint(2),
    // Enter alone does nothing: it is heard only once the whole name is there.
    Action::new("confirm.typed", "do it", "Do it, once the name is typed", &["Enter"], At::Only(&[TYPE]), typed).hint(1),
];

/// What a yes does.
pub type Yes = Box<dyn FnOnce(&mut Act)>;

/// A question with yes and no.
pub struct Confirm {
    /// The question, short.
    pub title: String,
    /// What happens, in sentences.
    pub sentences: Vec<String>,
    /// The name to be typed; `None` where `y` does.
    pub name: Option<String>,
    /// From when on it hears keys.
    pub guard: Guard,
    typed: Field,
    problem: bool,
    yes: Option<Yes>,
}

impl std::fmt::Debug for Confirm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Confirm({:?})", self.title)
    }
}

impl Confirm {
    /// A question answered by `y`.
    pub fn ask(act: &Act, title: &str, sentence: String, yes: impl FnOnce(&mut Act) + 'static) -> Confirm {
        Confirm {
            title: title.to_owned(),
            sentences: vec![sentence],
            name: None,
            guard: Guard::now(act),
            typed: Field::default(),
            problem: false,
            yes: Some(Box::new(yes)),
        }
    }

    /// The same, answered by typing a name.
    pub fn by_name(self, name: String) -> Confirm {
        Confirm {
            name: Some(name),
            ..self
        }
    }

    /// The same with one more sentence.
    pub fn and(mut self, sentence: String) -> Confirm {
        self.sentences.push(sentence);
        self
    }
}

impl Dialog for Confirm {
    fn context(&self) -> Context {
        if self.name.is_some() { TYPE } else { ASK }
    }

    fn guard(&self) -> Option<Guard> {
        // A name is typed on purpose; its Enter is checked against it.
        self.name.is_none().then_some(self.guard)
    }

    fn field(&mut self) -> Option<&mut Field> {
        self.name.is_some().then_some(&mut self.typed)
    }

    fn edited(&mut self, _: &mut Model, _: &mut Vec<super::super::msg::Effect>) {
        self.problem = false;
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let cells = room(canvas);
        let lines: Vec<String> = self
            .sentences
            .iter()
            .flat_map(|sentence| text::wrap(sentence, cells))
            .collect();
        let asked = if self.name.is_some() { 4 } else { 0 };
        let inside = frame(canvas, lines.len() as u16 + 4 + asked, &self.title, Role::Warning);
        for (n, text) in lines.iter().enumerate() {
            line(canvas, inside, 1 + n as u16, text, Role::Text);
        }
        if let Some(name) = &self.name {
            let y = 2 + lines.len() as u16;
            let name = text::cut_middle(&text::escape(name.as_bytes()), 40, model.look.symbols.more);
            let (words, role) = match self.problem {
                true => (format!("That is not it. Type {name} to go on:"), Role::Danger),
                false => (format!("Type {name} to go on:"), Role::Text),
            };
            line(canvas, inside, y, &words, role);
            canvas.field(inside.x, inside.y + y + 1, inside.width.min(44), &self.typed, false);
        }
        keys_line(model, canvas, inside, self.context());
    }
}

fn yes(act: &mut Act) {
    let mut then: Option<Yes> = None;
    with_top::<Confirm>(act, |confirm, _| {
        then = confirm.yes.take();
        Then::Close
    });
    if let Some(then) = then {
        then(act);
    }
}

fn typed(act: &mut Act) {
    let mut right = false;
    with_top::<Confirm>(act, |confirm, act| {
        let late = act.model.now.millis >= confirm.guard.since + super::super::dialog::GUARD;
        right = late && confirm.name.as_deref() == Some(confirm.typed.text().trim());
        confirm.problem = !right;
        Then::Keep
    });
    if right {
        yes(act);
    }
}

//! A question before something that can do harm: answered by `y`, or by typing a name. No is the default.

use super::super::actions::{Act, Action, At, Context, Danger};
use super::super::dialog::{Dialog, Guard, Moves, Then, with_top};
use super::super::field::Field;
use super::super::model::Model;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::view::hint_line;
use super::super::widgets::content::Scroll;
use super::{cells, frame, line, room, rows_inside};
use crate::text;

/// A question answered by `y`.
const ASK: Context = Context::dialog("confirm", "Confirm").with_list();
/// A question answered by typing a name.
const TYPE: Context = Context::dialog("confirm-name", "Confirm by name").with_list();

/// The answers.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("confirm.yes", "yes", "Do it", &["y"], At::Only(&[ASK]), yes).danger(Danger::Ask).hint(1).unless(unread),
    Action::new("confirm.no", "no", "Leave it", &["n"], At::Only(&[ASK]), |act| with_top::<Confirm>(act, |_, _| Then::Close)).hint(2),
    // Enter alone does nothing: it is heard only once the whole name is there.
    Action::new("confirm.typed", "do it", "Do it, once the name is typed", &["Enter"], At::Only(&[TYPE]), typed).hint(1).unless(unread),
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
    /// The sentences, wrapped; where there is no room for all, they scroll.
    lines: Vec<String>,
    scroll: Scroll,
    /// Whether there is room for lines of air.
    airy: bool,
    /// How many of them were in sight.
    seen: u64,
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
            lines: Vec::new(),
            scroll: Scroll::default(),
            airy: true,
            seen: 0,
        }
    }

    /// The same, answered by typing a name as [`typed_name`] makes it.
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

    /// What is said above the field, wrapped; none where no name is typed.
    fn prompt(&self, cells: usize) -> Vec<String> {
        let Some(name) = &self.name else { return Vec::new() };
        let name = text::escape(name.as_bytes());
        text::wrap(
            &match self.problem {
                true => format!("That is not it. Type {name} to go on:"),
                false => format!("Type {name} to go on:"),
            },
            cells,
        )
    }

    /// Rows below the sentences: the prompt, the field and the keys, with a line of air around them where there is room.
    fn rows_below(&self, cells: usize, airy: bool) -> u16 {
        let asked = match self.prompt(cells).len() as u16 {
            0 => 0,
            prompt => prompt + 1 + u16::from(airy),
        };
        asked + 1 + 2 * u16::from(airy)
    }
}

/// Longest name that is to be typed, in cells.
const LONGEST: usize = 40;

/// What is typed for a name: the name, of a path its last one; a word where that is long, or not to be typed as it is.
pub(crate) fn typed_name(name: &str, word: &str) -> String {
    let last = name.rsplit('/').find(|part| !part.is_empty()).unwrap_or(name);
    let can_be_typed = !last.is_empty()
        && last.trim() == last
        && text::escape(last.as_bytes()) == last
        && !last.contains(char::REPLACEMENT_CHARACTER)
        && text::fits(last, LONGEST);
    if can_be_typed { last } else { word }.to_owned()
}

/// Why it cannot be answered yet: not all of it was in sight.
fn unread(model: &Model) -> Option<String> {
    let confirm = model.dialog::<Confirm>()?;
    let unread = confirm.seen < confirm.lines.len() as u64;
    unread.then(|| "There is more to read first: ↓ and PgDn go on.".into())
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

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.scroll)
    }

    fn layout(&mut self, model: &Model) {
        let cells = cells(model.size.0);
        let wrapped = self.sentences.iter().flat_map(|sentence| text::wrap(sentence, cells));
        self.lines = wrapped.collect();
        let lines = self.lines.len() as u16;
        let room = rows_inside(model);
        self.airy = 1 + lines + self.rows_below(cells, true) <= room;
        let shown = match self.airy {
            true => lines,
            false => room
                .saturating_sub(self.rows_below(cells, false))
                .clamp(1, lines.max(1)),
        };
        self.scroll.fit(u64::from(lines), u64::from(shown));
        self.seen = self.seen.max(self.scroll.visible().end);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let cells = room(canvas);
        let air = u16::from(self.airy);
        let shown = self.scroll.visible();
        let count = (shown.end - shown.start) as u16;
        let wanted = air + count + self.rows_below(cells, self.airy);
        let inside = frame(canvas, wanted, &self.title, Role::Warning);
        for (n, text) in self
            .lines
            .iter()
            .skip(shown.start as usize)
            .take(usize::from(count))
            .enumerate()
        {
            line(canvas, inside, air + n as u16, text, Role::Text);
        }
        let place = self.scroll.words();
        if !place.is_empty() {
            canvas.right(inside.y - 1, inside.right(), &format!(" {place} "), Role::Text);
        }
        let mut y = count + 2 * air;
        if self.name.is_some() {
            let role = if self.problem { Role::Danger } else { Role::Text };
            for text in self.prompt(cells) {
                line(canvas, inside, y, &text, role);
                y += 1;
            }
            canvas.field(inside.x, inside.y + y, inside.width.min(44), &self.typed, false);
        }
        let keys = inside.bottom().saturating_sub(1 + air);
        hint_line(model, canvas, self.context(), inside.x, keys, inside.right());
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

#[cfg(test)]
mod tests {
    use super::typed_name;

    #[test]
    fn what_is_typed_is_short_and_can_be_typed() {
        let typed = |name: &str| typed_name(name, "vault");
        assert_eq!(
            (typed("home").as_str(), typed("/mnt/usb/server1/vault/").as_str()),
            ("home", "vault")
        );
        assert_eq!(typed("/mnt/usb/server1"), "server1");
        assert_eq!(typed("/"), "/");
        for odd in ["home ", "a\u{1b}b", "a\u{fffd}b", "", &"x".repeat(41)] {
            assert_eq!(typed(odd), "vault", "{odd:?}");
        }
    }
}

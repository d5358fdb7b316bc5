//! The help: every key of the place it was opened from, out of the actions' tables; it is searched by typing, and runs what
//! it shows.

use ratatui::layout::Rect;

use super::super::actions::{self, Act, Action, At, Context};
use super::super::dialog::{Dialog, Then, with_top};
use super::super::field::Field;
use super::super::model::Model;
use super::super::msg::Effect;
use super::super::theme::Role;
use super::super::update;
use super::super::view::canvas::Canvas;
use super::super::view::hint_line;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("help", "Help");

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("help.next", "next", "To the next key", &["↓", "Tab"], At::Only(&[CONTEXT]), |act| step(act, 1)).hint(1),
    Action::new("help.previous", "previous", "To the one before", &["↑", "Shift-Tab"], At::Only(&[CONTEXT]), |act| step(act, -1)),
    Action::new("help.run", "do it", "Do what the cursor is on", &["Enter"], At::Only(&[CONTEXT]), run).hint(2),
];

/// The help.
#[derive(Debug)]
pub struct Help {
    /// What is searched for.
    search: Field,
    /// The row that Enter runs.
    cursor: usize,
    /// The place whose keys it shows.
    over: Context,
}

/// A row of the help.
struct Row {
    /// What it is about.
    action: &'static Action,
    /// Its keys.
    keys: String,
}

/// Opens it over the place that has the keys. The palette makes room for it; from the help itself the same key leaves it.
pub fn open(act: &mut Act) {
    if act.model.dialogs.last().is_some_and(|dialog| dialog.is_lens()) {
        let was = act.model.context();
        super::super::dialog::close(act);
        if was == CONTEXT {
            return;
        }
    }
    let over = act.model.context_below();
    act.model.push(Help {
        search: Field::default(),
        cursor: 0,
        over,
    });
}

/// The rows that fit what is searched for.
fn rows(model: &Model, state: &Help) -> Vec<Row> {
    let wanted = state.search.text().to_lowercase();
    actions::of(state.over)
        .map(|action| Row {
            action,
            keys: model.keymap.keys_in(state.over, action).join("  "),
        })
        .filter(|row| {
            let texts = [row.action.name, row.action.doc, &row.keys];
            texts.iter().any(|text| text.to_lowercase().contains(&wanted))
        })
        .collect()
}

fn step(act: &mut Act, by: isize) {
    with_top::<Help>(act, |state, act| {
        let last = rows(act.model, state).len().saturating_sub(1);
        state.cursor = state.cursor.saturating_add_signed(by).min(last);
        Then::Keep
    });
}

/// Runs what the cursor is on, where the help was opened. What a guarded dialog asks for is answered there by its own key:
/// Enter here would go round the guard.
fn run(act: &mut Act) {
    let mut chosen = None;
    with_top::<Help>(act, |state, act| {
        let row = rows(act.model, state).into_iter().nth(state.cursor);
        chosen = row.map(|row| (row.action, row.keys));
        Then::Close
    });
    let Some((action, keys)) = chosen else { return };
    let guarded = act.model.dialogs.last().is_some_and(|dialog| dialog.guard().is_some());
    if guarded && matches!(action.at, At::Only(_)) {
        return act.model.say(
            Role::Warning,
            format!("Not from here: {keys} in the dialog itself does that."),
        );
    }
    update::run(act.model, action, act.key, act.effects);
}

impl Dialog for Help {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.search)
    }

    fn edited(&mut self, _: &mut Model, _: &mut Vec<Effect>) {
        self.cursor = 0;
    }

    fn is_lens(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw(model, self, canvas);
    }
}

/// What a row says: what it does, and why that cannot be done now.
fn words(model: &Model, row: &Row) -> (String, Role) {
    match (row.action.why_not)(model) {
        Some(reason) => (
            format!("{} ({})", row.action.doc, reason.trim_end_matches('.')),
            Role::Dim,
        ),
        None => (row.action.doc.to_owned(), Role::Text),
    }
}

/// Column of what the keys do.
const DOC: u16 = 22;
/// Rows below the list: a blank, and the whole of what the row under the cursor says.
const ABOUT: u16 = 3;

fn draw(model: &Model, state: &Help, canvas: &mut Canvas) {
    let rows = rows(model, state);
    let area = canvas.middle(104, canvas.height());
    let place = state.over.title;
    let inside = canvas.frame(area, &format!("Keys: {place}"), Role::Focus);
    let x = canvas.text(inside.x, inside.y, inside.right(), "Search ", Role::Key);
    canvas.field(x, inside.y, inside.right().saturating_sub(x), &state.search, false);
    let height = usize::from(inside.height.saturating_sub(3 + ABOUT));
    let first = state.cursor.saturating_sub(height.saturating_sub(1)).min(rows.len());
    if rows.is_empty() {
        canvas.text(
            inside.x,
            inside.y + 2,
            inside.right(),
            "No key does that here: Esc, then : looks among what the other screens do.",
            Role::Dim,
        );
    }
    for (n, row) in rows.iter().enumerate().skip(first).take(height) {
        let y = inside.y + 2 + (n - first) as u16;
        let keys = canvas.key_name(&row.keys);
        canvas.text(inside.x + 1, y, inside.right(), &keys, Role::Key);
        let x = inside.x + DOC;
        let (doc, role) = words(model, row);
        let room = usize::from(inside.right().saturating_sub(x));
        let cut = text::cut_end(&doc, room, model.look.symbols.more);
        canvas.text(x, y, inside.right(), &cut, role);
        if n == state.cursor {
            if cut != doc {
                whole(canvas, inside, &doc, role);
            }
            canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
        }
    }
    hint_line(
        model,
        canvas,
        CONTEXT,
        inside.x,
        inside.bottom().saturating_sub(1),
        inside.right(),
    );
}

/// Two lines above the keys for what the row under the cursor has no room to say.
fn whole(canvas: &mut Canvas, inside: Rect, words: &str, role: Role) {
    let y = inside.bottom().saturating_sub(ABOUT);
    for (n, line) in text::wrap(words, usize::from(inside.width)).iter().take(2).enumerate() {
        canvas.text(inside.x, y + n as u16, inside.right(), line, role);
    }
}

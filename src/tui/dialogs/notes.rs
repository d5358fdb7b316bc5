//! Sentences to read, where a pane has no room for all of them.

use super::super::actions::{Action, At, Context};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::Model;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::window::Window;
use super::{cells, frame, keys_line, line};
use crate::text;

const CONTEXT: Context = Context::dialog("notes", "Notes").with_list();

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("notes.close", "close", "Close this", &["Enter"], At::Only(&[CONTEXT]), |act| with_top::<Notes>(act, |_, _| Then::Close)).hint(1),
];

/// The sentences.
#[derive(Debug)]
pub struct Notes {
    title: String,
    sentences: Vec<(String, Role)>,
    /// They wrapped.
    list: Window<(String, Role)>,
    /// The columns of the screen they were wrapped for.
    made: Option<u16>,
}

impl Notes {
    /// These sentences, safe to show, each with how it is meant.
    pub fn new(title: &str, sentences: Vec<(String, Role)>) -> Notes {
        Notes {
            title: title.to_owned(),
            sentences,
            list: Window::default(),
            made: None,
        }
    }

    fn wrapped(&self, columns: u16) -> Vec<(String, Role)> {
        let mut lines: Vec<(String, Role)> = Vec::new();
        for (sentence, role) in &self.sentences {
            if !lines.is_empty() {
                lines.push((String::new(), Role::Text));
            }
            let wrapped = text::wrap(sentence, cells(columns)).into_iter();
            lines.extend(wrapped.map(|line| (line, *role)));
        }
        lines
    }
}

impl Dialog for Notes {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        if self.made != Some(model.size.0) {
            self.made = Some(model.size.0);
            let lines = self.wrapped(model.size.0);
            self.list.hold(lines);
        }
        let rows = model.size.1.saturating_sub(9 + model.strip_rows()).max(1);
        self.list.resize(u64::from(rows));
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let rows = self.list.visible();
        let inside = frame(canvas, rows.clone().count() as u16 + 4, &self.title, Role::Focus);
        for (n, index) in rows.enumerate() {
            if let Some((words, role)) = self.list.get(index) {
                line(canvas, inside, 1 + n as u16, words, *role);
            }
        }
        let total = self.list.total().unwrap_or(0);
        if total > self.list.visible().count() as u64 {
            let place = format!("{}/{}", text::count(self.list.cursor() + 1), text::count(total));
            canvas.right(inside.y, inside.right(), &place, Role::Dim);
        }
        keys_line(model, canvas, inside, CONTEXT);
    }
}

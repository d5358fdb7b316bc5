//! What is wrong in the config's `[interface]` and `[keys]`, told at the start.

use super::super::actions::{Action, At, Context};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::Model;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::window::Window;
use super::{frame, keys_line, line, room};
use crate::config::Problem;
use crate::text;

const CONTEXT: Context = Context::dialog("problems", "Problems of the config").with_list();

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("problems.go-on", "go on", "Go on without these lines", &["Enter"], At::Only(&[CONTEXT]),
        |act| with_top::<Problems>(act, |_, _| Then::Close)).hint(1),
];

/// The lines that are not understood.
#[derive(Debug)]
pub struct Problems {
    file: String,
    list: Window<Problem>,
}

impl Problems {
    /// These problems of this file.
    pub fn new(file: &std::path::Path, problems: Vec<Problem>) -> Problems {
        Problems {
            file: text::escape(file.as_os_str().as_encoded_bytes()),
            list: Window::whole(problems),
        }
    }

    fn lines(&self, canvas_room: usize) -> Vec<String> {
        let words = format!(
            "Some of what {} says about the interface is not understood. The rest holds. `coffer doctor` says the same.",
            self.file
        );
        text::wrap(&words, canvas_room)
    }
}

impl Dialog for Problems {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        self.list
            .resize(u64::from(model.size.1.saturating_sub(14).clamp(1, 12)) / 2);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let cells = room(canvas);
        let words = self.lines(cells);
        let rows = self.list.visible();
        let many = rows.clone().count() as u16;
        // Two lines each: most complaints name what was meant.
        let inside = frame(canvas, words.len() as u16 + 2 * many + 5, "The config", Role::Warning);
        for (n, words) in words.iter().enumerate() {
            line(canvas, inside, 1 + n as u16, words, Role::Text);
        }
        let top = 2 + words.len() as u16;
        for (n, index) in rows.enumerate() {
            let Some(problem) = self.list.get(index) else { continue };
            let y = top + 2 * n as u16;
            if y + 1 >= inside.height {
                break;
            }
            let mark = format!("{} {}", model.look.symbols.warning, problem.line);
            canvas.text(inside.x, inside.y + y, inside.right(), &mark, Role::Warning);
            let told = text::wrap(&text::escape(problem.what.as_bytes()), cells.saturating_sub(6));
            let more = if told.len() > 2 { model.look.symbols.more } else { "" };
            for (k, part) in told.iter().take(2).enumerate() {
                let part = if k == 1 { format!("{part}{more}") } else { part.clone() };
                let role = if index == self.list.cursor() {
                    Role::Text
                } else {
                    Role::Dim
                };
                canvas.text(inside.x + 6, inside.y + y + k as u16, inside.right(), &part, role);
            }
        }
        keys_line(model, canvas, inside, CONTEXT);
    }
}

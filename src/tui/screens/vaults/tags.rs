//! Editing tags: of one generation, all of them; to a range, some are added.

use super::super::super::actions::{Act, Action, At, Context};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::dialogs::{frame, keys_line, line, room};
use super::super::super::field::Field;
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::staging;
use crate::engine::Task;
use crate::text;
use crate::vault::Id;
use crate::vault::change::TagChange;

/// Where keys go.
const CONTEXT: Context = Context::dialog("tags", "Tags");

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("tags.save", "save", "Write the tags", &["Enter"], At::Only(&[CONTEXT]), save).hint(1),
];

/// The tags being edited.
#[derive(Debug)]
pub struct Tags {
    vault: String,
    ids: Vec<Id>,
    /// The text of those it had: of one generation only.
    before: Option<String>,
    about: String,
    field: Field,
}

/// Opens the dialog on the range, else on what is selected, else on the generation under the cursor.
pub(super) fn open(act: &mut Act) {
    let model = &mut *act.model;
    let rows = staging::chosen(model);
    let Some(vault) = model.generations.vault.clone() else {
        return;
    };
    let (before, about) = match rows.as_slice() {
        [] => return,
        [one] => (Some(one.tags.join(", ")), text::stamp(one.time, &model.zone)),
        many => (None, text::counted(many.len() as u64, "generation", "generations")),
    };
    let field = Field::new(before.as_deref().unwrap_or_default());
    model.push(Tags {
        vault,
        ids: rows.iter().map(|row| row.id).collect(),
        before,
        about,
        field,
    });
}

/// The tags of a text: parted by commas, each once.
fn parse(text: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        if tags.iter().all(|other| other != tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}

fn save(act: &mut Act) {
    with_top::<Tags>(act, |dialog, act| {
        let tags = parse(dialog.field.text());
        let unchanged = dialog
            .before
            .as_deref()
            .map_or(tags.is_empty(), |before| before == dialog.field.text());
        if unchanged {
            act.model.say(Role::Text, "The tags stay as they are.");
            return Then::Close;
        }
        let change = match dialog.before {
            Some(_) => TagChange::Set(tags),
            None => TagChange::Add(tags),
        };
        staging::release(act.model);
        act.effects.push(Effect::Start {
            task: Box::new(Task::Tag {
                vault: dialog.vault.clone(),
                ids: dialog.ids.clone(),
                change,
            }),
            title: format!("Tag {}", dialog.about),
        });
        Then::Close
    });
}

impl Dialog for Tags {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.field)
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let cells = room(canvas);
        let help = match self.before {
            Some(_) => "Tags, parted by commas. Those you take away here are taken from the generation.",
            None => "Tags to add to each of them, parted by commas. Those they have stay.",
        };
        let lines = text::wrap(help, cells);
        let inside = frame(
            canvas,
            lines.len() as u16 + 6,
            &format!("Tags of {}", self.about),
            Role::Focus,
        );
        canvas.field(inside.x, inside.y + 1, inside.width, &self.field, false);
        for (n, text) in lines.iter().enumerate() {
            line(canvas, inside, 3 + n as u16, text, Role::Dim);
        }
        keys_line(model, canvas, inside, CONTEXT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_parted_by_commas() {
        assert_eq!(parse(" weekly,, a b , weekly"), ["weekly", "a b"]);
        assert_eq!(parse(" , "), Vec::<String>::new());
    }
}

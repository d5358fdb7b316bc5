//! The help: every key of the place it was opened from, out of the actions table.

use super::super::actions::{self, Action, Context};
use super::super::model::Model;
use super::super::overlay::Help;
use super::super::text;
use super::super::theme::Role;
use super::super::update::why_not_here;
use super::canvas::Canvas;
use super::hint_line;

/// A row of the help.
pub(crate) struct Row {
    /// What it is about.
    pub(crate) action: &'static Action,
    /// Its keys.
    pub(crate) keys: String,
}

/// The rows that fit what is searched for.
pub(crate) fn rows(model: &Model, state: &Help) -> Vec<Row> {
    let wanted = state.search.text().to_lowercase();
    let context = state.over.unwrap_or_else(|| model.context());
    actions::of(context)
        .map(|action| Row {
            action,
            keys: model.keymap.keys_of(action).join("  "),
        })
        .filter(|row| {
            let texts = [row.action.name, row.action.doc, &row.keys];
            texts.iter().any(|text| text.to_lowercase().contains(&wanted))
        })
        .collect()
}

/// Draws the help over everything.
pub(super) fn draw(model: &Model, state: &Help, canvas: &mut Canvas) {
    let rows = rows(model, state);
    let area = canvas.middle(84, canvas.height());
    let place = state.over.map_or("Keys", |context| context.title());
    let inside = canvas.frame(area, &format!("Keys: {place}"), Role::Focus);
    let x = canvas.text(inside.x, inside.y, inside.right(), "Search ", Role::Key);
    canvas.field(x, inside.y, inside.right().saturating_sub(x), &state.search, false);
    let height = usize::from(inside.height.saturating_sub(4));
    let first = state.cursor.saturating_sub(height.saturating_sub(1)).min(rows.len());
    if rows.is_empty() {
        canvas.text(
            inside.x,
            inside.y + 2,
            inside.right(),
            "No key does that here.",
            Role::Dim,
        );
    }
    for (n, row) in rows.iter().enumerate().skip(first).take(height) {
        let y = inside.y + 2 + (n - first) as u16;
        let keys = canvas.key_name(&row.keys);
        canvas.text(inside.x + 1, y, inside.right(), &keys, Role::Key);
        let x = inside.x + 22;
        let reason = why_not_here(model, row.action.id);
        let role = if reason.is_some() { Role::Dim } else { Role::Text };
        let room = usize::from(inside.right().saturating_sub(x));
        let doc = match reason {
            Some(reason) => format!("{} ({})", row.action.doc, reason.trim_end_matches('.')),
            None => row.action.doc.to_owned(),
        };
        canvas.text(
            x,
            y,
            inside.right(),
            &text::cut_end(&doc, room, model.look.symbols.more),
            role,
        );
        if n == state.cursor {
            canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
        }
    }
    hint_line(
        model,
        canvas,
        Context::Help,
        inside.x,
        inside.bottom().saturating_sub(1),
        inside.right(),
    );
}

//! How the choice of a plan is drawn.

use ratatui::layout::Rect;

use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty::message;
use super::super::super::view::pane::Span;
use super::super::{frame, keys_line};
use super::{Backup, PLANS};
use crate::engine::question::PlanRow;
use crate::text;

const TITLE: &str = "Back up now";

pub(super) fn draw(model: &Model, dialog: &Backup, canvas: &mut Canvas) {
    let list = &dialog.list;
    if dialog.load != Load::Ready || list.total() == Some(0) {
        return empty(model, dialog, canvas);
    }
    let rows = list.visible();
    let inside = frame(canvas, rows.clone().count() as u16 + 5, TITLE, Role::Focus);
    for (n, index) in rows.enumerate() {
        if let Some(row) = list.get(index) {
            let y = inside.y + 1 + n as u16;
            plan(model, dialog, canvas, inside, y, row);
            if index == list.cursor() {
                canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
            }
        }
    }
    keys_line(model, canvas, inside, PLANS);
}

/// The plan, where it goes, what it takes, and how old its newest generation is.
fn plan(model: &Model, dialog: &Backup, canvas: &mut Canvas, inside: Rect, y: u16, row: &PlanRow) {
    let more = model.look.symbols.more;
    let age = match dialog.newest.get(&(row.name.clone(), row.vault.clone())) {
        None => String::new(),
        Some(None) => "never yet".to_owned(),
        Some(Some(newest)) => text::ago(*newest, model.now.unix),
    };
    let end = inside.right().saturating_sub(1);
    canvas.right(y, end, &age, Role::Dim);
    let end = end.saturating_sub(if age.is_empty() { 0 } else { 15 });
    let name = text::cut_middle(&text::escape(row.name.as_bytes()), 18, more);
    canvas.text(inside.x + 1, y, end, &name, Role::Folder);
    let vault = text::cut_middle(&text::escape(row.vault.as_bytes()), 14, more);
    canvas.text(
        inside.x + 21,
        y,
        end,
        &format!("{} {vault}", model.look.symbols.arrow),
        Role::Text,
    );
    let paths: Vec<_> = row
        .paths
        .iter()
        .map(|p| text::escape(p.as_os_str().as_encoded_bytes()))
        .collect();
    let x = inside.x + 39;
    let paths = text::cut_end(&paths.join(" "), usize::from(end.saturating_sub(x)), more);
    canvas.text(x, y, end, &paths, Role::Dim);
}

fn empty(model: &Model, dialog: &Backup, canvas: &mut Canvas) {
    let inside = frame(canvas, 10, TITLE, Role::Focus);
    let span = Span {
        x: inside.x.saturating_sub(3),
        end: inside.right(),
        focus: true,
    };
    let y = inside.y + 1;
    match &dialog.load {
        Load::Failed(why) => message(canvas, span, y, &text::escape(why.as_bytes()), &[], ""),
        Load::Ready => message(
            canvas,
            span,
            y,
            "No plan is set up yet: a plan says what is backed up, into which vault.",
            &[
                ("n", "sets one up"),
                ("p", "backs up paths without one, once; in a shell:"),
            ],
            "coffer plan add home /home --vault NAME",
        ),
        _ => {
            _ = canvas.text(
                inside.x + 1,
                y,
                inside.right(),
                &format!("reading{}", model.look.symbols.more),
                Role::Dim,
            )
        }
    }
    keys_line(model, canvas, inside, PLANS);
}

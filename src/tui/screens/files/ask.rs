//! What the screen asks for: the rows of the folder shown, one question at a time, and the same rows again when more is known
//! of them.

use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::model::{Load, Model, Screen};
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::super::window::Window;
use super::{follow_generation, pass_through, select, show_folder, side, travel, weigh};
use crate::engine::question::{EntryRow, FolderWindow, SortKey};
use crate::engine::{Answer, Question};
use crate::text;

const FOLDER: &str = "files.folder";

/// Asks for rows of the folder, and for the weight of what is selected: one question at a time, so that a cursor held
/// down does not pile them up; the next is asked when the answer comes, for where the cursor is by then.
pub(in super::super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    follow_generation(model);
    // Rows of another folder are on their way: nobody waits for them any more.
    if model.asks(FOLDER) && model.files.load == Load::Idle {
        abandon(model, FOLDER, effects);
    }
    if model.screen == Screen::Files
        && !model.asks(FOLDER)
        && !matches!(model.files.load, Load::Failed(_) | Load::Locked)
        && let Some((first, rows)) = model.files.list.missing()
        && let Some(question) = folder_question(model, first, rows)
    {
        if model.files.load == Load::Idle {
            model.files.load = Load::Loading;
        }
        ask(model, FOLDER, question, take_folder, effects);
    }
    select::fetch(model, effects);
    weigh::fetch(model, effects);
    travel::fetch(model, effects);
    side::fetch(model, effects);
}

/// Reads the rows held once more, in place: more is known of them.
pub(super) fn read_again(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.asks(FOLDER) {
        return;
    }
    let files = &mut model.files;
    let (first, rows) = files.list.held();
    let rows = u32::try_from(rows.len()).unwrap_or(u32::MAX).max(1);
    if let Some(mut question) = folder_question(model, first, rows) {
        if let (Question::Folder { near, .. }, SortKey::Size) = (&mut question, model.files.order.key) {
            *near = model.files.list.current().map(|row| row.name.clone());
        }
        ask(model, FOLDER, question, take_folder, effects);
    }
}

/// Whether rows that are held stand elsewhere in what has arrived.
fn is_reordered(list: &Window<EntryRow>, first: u64, rows: &[EntryRow]) -> bool {
    let held = |at| list.get(at).map(|row| &row.name);
    rows.iter()
        .zip(first..)
        .any(|(row, at)| held(at).is_some_and(|name| *name != row.name))
}

/// The question for rows of the folder shown.
pub(super) fn folder_question(model: &Model, first: u64, rows: u32) -> Option<Question> {
    let files = &model.files;
    let (vault, generation) = files.of.clone()?;
    Some(Question::Folder {
        vault,
        generation,
        folder: files.folder.clone(),
        order: files.order,
        filter: files.filter.clone(),
        first,
        near: files.want.clone(),
        rows,
    })
}

/// Whether a question for rows was about the folder shown.
pub(super) fn is_shown(model: &Model, asked: &Question) -> bool {
    match (asked, folder_question(model, 0, 0)) {
        (
            Question::Folder {
                vault,
                generation,
                folder,
                order,
                filter,
                ..
            },
            Some(Question::Folder {
                vault: now_vault,
                generation: now_generation,
                folder: now_folder,
                order: now_order,
                filter: now_filter,
                ..
            }),
        ) => {
            (vault, generation, folder, order, filter)
                == (&now_vault, &now_generation, &now_folder, &now_order, &now_filter)
        }
        _ => false,
    }
}

fn take_folder(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    if !is_shown(model, asked) {
        return;
    }
    let files = &mut model.files;
    let Question::Folder { near, .. } = asked else { return };
    match told.answer {
        Answer::Folder(window) => {
            let FolderWindow {
                first, rows, total, at, ..
            } = window;
            files.load = Load::Ready;
            (files.heaviest, files.below) = (window.heaviest, window.below);
            let on = files.list.current().map(|row| row.name.clone());
            let left = is_reordered(&files.list, first, &rows) && files.anchor.take().is_some();
            files.list.accept(first, rows, total);
            let to = match files.want.take() {
                Some(_) => at,
                // Read again: the cursor stays on its entry, be it another one by now.
                None if near.is_some() && on == *near => at,
                None if near.is_some() => files.list.find(|row| on.as_ref() == Some(&row.name)),
                None => None,
            };
            if let Some(to) = to {
                files.list.go(to);
            }
            pass_through(model);
            if left {
                model.say(
                    Role::Warning,
                    "The rows are in another order now: begin the range again.",
                );
            }
        }
        Answer::NoSuchFolder if !files.folder.is_empty() => {
            let gone = files.folder.pop().unwrap_or_default();
            show_folder(model, 0);
            let gone = text::escape(&gone);
            model.say(
                Role::Dim,
                format!("{gone} is not in this generation; here is the folder that would hold it."),
            );
        }
        Answer::NoSuchFolder => files.load = Load::Failed("This generation holds nothing.".to_owned()),
        other => files.load = failed(other),
    }
}

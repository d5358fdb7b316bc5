//! What is asked about snapshots before it is done, and what looks into them.
//!
//! `take` takes some, `label` names and protects one, `rollback` goes back to one by a plan, `clone` makes something of its
//! own of one, `review` deletes what was staged; `compare` tells what changed, `browse` looks at its files, with `peek` beside them, and `restore`
//! brings some of them back; `export` sends one into a vault; `policies` is what runs by itself, `policy_editor` with its
//! `policy_form` changes one, `settle` asks whether its rule
//! counts for what is there. Each stands on the screen Snapshots; the work is done by jobs.

pub mod browse;
mod browse_view;
pub mod clone;
pub mod compare;
pub mod export;
pub mod label;
mod peek;
pub mod policies;
pub mod policy_editor;
mod policy_form;
pub mod restore;
pub mod review;
pub mod rollback;
pub mod settle;
pub mod take;

use super::super::actions::Act;
use super::super::asking::{Take, ask};
use super::super::complete;
use super::super::model::Model;
use super::super::msg::Effect;
use super::super::widgets::form::Form;
use crate::engine::setup::DiskWindow;
use crate::engine::{SnapshotTask, Task};
use crate::text;

/// Starts a job on snapshots.
fn start(act: &mut Act, task: SnapshotTask, title: String) {
    act.effects.push(Effect::Start {
        task: Box::new(Task::Snapshot(task)),
        title,
    });
}

/// A snapshot in a few words, safe to show: its label, or when it was taken.
fn short(model: &Model, snapshot: &crate::snapshot::Snapshot) -> String {
    match snapshot.label.as_str() {
        "" => text::stamp(snapshot.taken.seconds, &model.zone),
        label => text::cut_end(&text::escape(label.as_bytes()), 30, model.look.symbols.more),
    }
}

/// A path being typed into a form's entry, with what it could go on with.
#[derive(Debug, Default)]
struct Completed {
    entry: &'static str,
    /// The text that completions were last asked for.
    asked: String,
}

impl Completed {
    /// Completions for an entry whose text is not to be completed as it is.
    fn of(form: &Form, entry: &'static str) -> Completed {
        Completed {
            entry,
            asked: form.text(entry).to_owned(),
        }
    }

    /// Asks for the folders that what is typed could go on with, into a slot.
    fn fetch(&mut self, form: &Form, slot: &'static str, take: Take, model: &mut Model, effects: &mut Vec<Effect>) {
        let typed = form.text(self.entry);
        if form.focused() == self.entry && *typed != *self.asked && !model.asks(slot) {
            self.asked = typed.to_owned();
            if let Some(question) = complete::question(model, typed) {
                ask(model, slot, question, take, effects);
            }
        }
    }
}

/// What a path could go on with, by an answer.
fn suggestion(model: &Model, typed: Option<String>, found: &DiskWindow) -> String {
    typed.map_or_else(String::new, |typed| complete::suggestion(model, &typed, found))
}

//! What a plan would take, and what each exclude drops, counted on the live filesystem while one types.

use super::super::super::asking::{Take, Told, abandon, ask, failed};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::super::widgets::form::Form;
use crate::engine::setup::{CountExcludes, Tally, Weight};
use crate::engine::{Answer, Question};
use crate::text;

/// Milliseconds after the last change before it is counted anew.
const PAUSE: u64 = 500;

/// What a plan would take, counted while one types.
#[derive(Debug, Default)]
pub(in super::super) struct Count {
    /// What was last asked.
    asked: Option<CountExcludes>,
    tally: Option<Tally>,
    complete: bool,
    problem: String,
    /// When to ask anew, in milliseconds.
    due: Option<u64>,
}

impl Count {
    /// To be counted at this moment, in milliseconds.
    pub(super) fn at(due: u64) -> Count {
        Count {
            due: Some(due),
            ..Count::default()
        }
    }

    /// Something changed: to be counted once typing pauses.
    pub(in super::super) fn later(&mut self, model: &Model, effects: &mut Vec<Effect>) {
        let due = model.now.millis + PAUSE;
        self.due = Some(due);
        effects.push(Effect::Wake(due));
    }

    /// At once.
    pub(in super::super) fn now(&mut self, millis: u64) {
        self.due = Some(millis);
    }

    /// Asks, if it is time and something else is to be counted.
    pub(in super::super) fn fetch(
        &mut self,
        model: &mut Model,
        wanted: Option<CountExcludes>,
        slot: &'static str,
        take: Take,
        effects: &mut Vec<Effect>,
    ) {
        if self.due.is_none_or(|due| due > model.now.millis) {
            return;
        }
        self.due = None;
        if self.asked == wanted {
            return;
        }
        abandon(model, slot, effects);
        *self = Count {
            asked: wanted.clone(),
            ..Count::default()
        };
        if let Some(wanted) = wanted {
            ask(model, slot, Question::Excludes(wanted), take, effects);
        }
    }

    /// Takes what was counted so far; the excludes of the form say what they drop.
    pub(in super::super) fn take(&mut self, told: Told, form: &mut Form) {
        match told.answer {
            Answer::Excludes(tally) => {
                let note = |weight: &Weight| match weight.files {
                    0 if told.complete => "drops nothing".to_owned(),
                    0 => String::new(),
                    files => format!(
                        "{}, {}",
                        text::counted(files, "file", "files"),
                        text::bytes(weight.bytes)
                    ),
                };
                form.set_notes("excludes", tally.dropped.iter().map(note).collect());
                self.tally = Some(tally);
                self.complete = told.complete;
            }
            other => {
                if let Load::Failed(why) = failed(other) {
                    self.problem = text::escape(why.as_bytes());
                }
            }
        }
    }

    /// What it comes to, in a sentence.
    pub(in super::super) fn words(&self, more: &str) -> (String, Role) {
        if !self.problem.is_empty() {
            return (self.problem.clone(), Role::Danger);
        }
        let Some(tally) = &self.tally else {
            return match self.asked {
                Some(_) => (format!("Counting what it would take{more}"), Role::Dim),
                None => (String::new(), Role::Dim),
            };
        };
        let mut out = tally.other;
        tally.dropped.iter().for_each(|weight| out += *weight);
        let weight = |weight: Weight| {
            let files = text::counted(weight.files, "file", "files");
            format!("{files}, {}", text::bytes(weight.bytes))
        };
        let so_far = if self.complete { "" } else { " so far" };
        let mut words = format!("Takes {}{so_far}", weight(tally.kept));
        if out.files > 0 {
            words.push_str(&format!("; leaves out {}", weight(out)));
        }
        if tally.unreadable > 0 {
            let places = text::counted(tally.unreadable, "place", "places");
            words.push_str(&format!("; {places} you may not read"));
        }
        words.push_str(if self.complete { "." } else { more });
        let warn = self.complete && (tally.unreadable > 0 || tally.kept.files == 0);
        (words, if warn { Role::Warning } else { Role::Text })
    }
}

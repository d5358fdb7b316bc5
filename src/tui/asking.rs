//! Questions on their way: who asked, what for, and who takes the answer.
//!
//! A question is asked into a slot, a name such as `files.folder`; whether one of that slot is on its way says whether to
//! ask again. Its taker gets the question back with the answer and compares it with what is on the screen by then: an
//! answer to something no longer shown changes nothing.

use super::model::{Load, Model};
use super::msg::{Effect, Typed};
use super::theme::Role;
use crate::engine::setup::Change;
use crate::engine::{Answer, Question, RequestId};

/// Takes the answer to a question.
pub type Take = fn(&mut Model, &Question, Told, &mut Vec<Effect>);

/// Takes what came of something that was to be done.
pub type TakeDone = fn(&mut Model, Answer, &mut Vec<Effect>);

/// An answer, as its taker gets it.
#[derive(Debug)]
pub struct Told {
    /// The answer.
    pub answer: Answer,
    /// Whether no more answers to this question come.
    pub complete: bool,
    /// Whether what it is about has changed since it was asked.
    pub old: bool,
}

impl Told {
    /// How a list stands that this is about: one that has changed since is to be asked for again.
    pub fn here(&self) -> Load {
        match self.complete && self.old {
            true => Load::Idle,
            false => Load::Ready,
        }
    }
}

/// Something asked that has no answer yet.
#[derive(Debug, Clone)]
pub enum Asked {
    /// A question.
    Question {
        /// What for.
        slot: &'static str,
        /// The question.
        question: Box<Question>,
        /// Who takes the answer.
        take: Take,
        /// Whether what it is about has changed since.
        old: bool,
    },
    /// Something that is being done.
    Done {
        /// What for.
        slot: &'static str,
        /// Who takes what came of it.
        take: TakeDone,
    },
}

impl Asked {
    /// What for.
    pub fn slot(&self) -> &'static str {
        match self {
            Asked::Question { slot, .. } | Asked::Done { slot, .. } => slot,
        }
    }
}

impl Model {
    /// Whether something asked into this slot has no answer yet.
    pub fn asks(&self, slot: &str) -> bool {
        self.asked.values().any(|asked| asked.slot() == slot)
    }

    /// What was asked into these slots and has no answer yet is about something that has changed meanwhile: its answer is
    /// taken, and is old.
    pub fn outdate(&mut self, slots: &[&str]) {
        for asked in self.asked.values_mut() {
            if let Asked::Question { slot, old, .. } = asked {
                *old |= slots.contains(slot);
            }
        }
    }

    /// The number of the next question.
    fn request(&mut self, asked: Asked) -> RequestId {
        let request = self.next_request;
        self.next_request += 1;
        self.asked.insert(request, asked);
        request
    }
}

/// Asks a question.
pub fn ask(model: &mut Model, slot: &'static str, question: Question, take: Take, effects: &mut Vec<Effect>) {
    let request = model.request(Asked::Question {
        slot,
        question: Box::new(question.clone()),
        take,
        old: false,
    });
    effects.push(Effect::Ask(request, question));
}

/// Tries a password on a vault.
pub fn open(
    model: &mut Model,
    slot: &'static str,
    vault: String,
    password: Typed,
    take: TakeDone,
    effects: &mut Vec<Effect>,
) {
    let request = model.request(Asked::Done { slot, take });
    effects.push(Effect::Open {
        request,
        vault,
        password,
    });
}

/// Changes the config or a vault's keys.
pub fn change(model: &mut Model, slot: &'static str, change: Change, take: TakeDone, effects: &mut Vec<Effect>) {
    let request = model.request(Asked::Done { slot, take });
    let change = Box::new(change);
    effects.push(Effect::Change { request, change });
}

/// Drops what was asked into this slot.
pub fn abandon(model: &mut Model, slot: &str, effects: &mut Vec<Effect>) {
    let dropped: Vec<_> = model
        .asked
        .iter()
        .filter(|(_, asked)| asked.slot() == slot)
        .map(|(id, _)| *id)
        .collect();
    for request in dropped {
        model.asked.remove(&request);
        effects.push(Effect::Abandon(request));
    }
}

/// Hands an answer to who asked, unless nobody waits for it any more.
pub(super) fn take(model: &mut Model, request: RequestId, answer: Answer, complete: bool, effects: &mut Vec<Effect>) {
    let asked = if complete {
        model.asked.remove(&request)
    } else {
        model.asked.get(&request).cloned()
    };
    match asked {
        Some(Asked::Question {
            question, take, old, ..
        }) => {
            let told = Told { answer, complete, old };
            take(model, &question, told, effects);
        }
        Some(Asked::Done { take, .. }) => take(model, answer, effects),
        None => {}
    }
}

/// How a list stands after an answer that is none.
pub fn failed(answer: Answer) -> Load {
    match answer {
        Answer::Failed(why) => Load::Failed(why),
        Answer::PasswordNeeded { .. } => Load::Locked,
        other => {
            let text = format!("{other:?}");
            let kind: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
            Load::Failed(format!("The engine answered something else: {kind}."))
        }
    }
}

/// Says what went wrong, if something did.
pub fn complain(model: &mut Model, answer: Answer) {
    if let Load::Failed(why) = failed(answer) {
        model.say(Role::Danger, why);
    }
}

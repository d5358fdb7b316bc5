//! What the core asks for, done with the engine; what the engine says, as messages.

use std::collections::VecDeque;

use super::super::model::Model;
use super::super::msg::{Effect, Moment, Msg};
use super::super::place::{self, Place};
use crate::engine::{Engine, Event, JobId, Question, RequestId};
use crate::progress::ProgressSample;

/// The engine, and the questions it had no room for.
pub struct Outside {
    engine: Engine,
    waiting: VecDeque<(RequestId, Question)>,
    /// How many jobs were asked for of which nothing was heard yet.
    starting: usize,
}

impl Outside {
    /// Over this engine.
    pub fn new(engine: Engine) -> Outside {
        Outside {
            engine,
            waiting: VecDeque::new(),
            starting: 0,
        }
    }

    /// Whether a job was asked for of which nothing was heard yet.
    #[cfg(test)]
    pub fn is_starting(&self) -> bool {
        self.starting > 0
    }

    /// Remembers the place for the next start. It is a convenience: that it cannot be written is no news.
    pub fn remember(&self, place: &Place) {
        if let Err(error) = place.write(&place::file(&self.engine.settings().data)) {
            tracing::debug!("the place is not remembered: {error}");
        }
    }

    /// Seconds since 1970, by the engine's clock.
    pub fn unix(&self) -> i64 {
        (self.engine.settings().clock)().seconds
    }

    /// How far the running jobs are.
    pub fn samples(&self, model: &Model) -> Vec<(JobId, ProgressSample)> {
        let sample = |id| self.engine.job(id).map(|job| (id, job.progress.sample()));
        model
            .jobs
            .running_here()
            .filter_map(|job| sample(job.info.id))
            .collect()
    }

    /// An event as a message.
    pub fn message(&mut self, event: Event, at: Moment) -> Msg {
        match event {
            Event::Answer {
                request,
                answer,
                complete,
            } => {
                self.ask_waiting();
                Msg::Answer {
                    request,
                    answer,
                    complete,
                    at,
                }
            }
            Event::JobStarted(info) => Msg::JobStarted(info, at),
            Event::JobNamed { job, title } => {
                self.starting = self.starting.saturating_sub(1);
                Msg::JobNamed(job, title)
            }
            Event::NotStarted(text) => {
                self.starting = self.starting.saturating_sub(1);
                Msg::Refused(text, at)
            }
            Event::JobChanged { job, state } => Msg::JobChanged(job, state, at),
            Event::VaultChanged { vault } => Msg::VaultChanged(vault),
            Event::SnapshotsChanged { target } => Msg::SnapshotsChanged(target),
            Event::Catalogued { vault } => Msg::Catalogued(vault),
            Event::Warning(text) => Msg::Warning(text, at),
        }
    }

    /// Does what an effect asks for; what comes of it at once comes back.
    pub fn perform(&mut self, effect: Effect, at: Moment) -> Vec<Msg> {
        match effect {
            Effect::Ask(request, question) => {
                self.waiting.push_back((request, question));
                self.ask_waiting();
                Vec::new()
            }
            Effect::Abandon(request) => {
                self.waiting.retain(|(waiting, _)| *waiting != request);
                self.engine.abandon(request);
                Vec::new()
            }
            Effect::Open {
                request,
                vault,
                password,
            } => match self.engine.ask_open(request, &vault, password.0) {
                Ok(()) => Vec::new(),
                Err(busy) => {
                    let answer = crate::engine::Answer::PasswordNeeded {
                        vault,
                        problem: busy.to_string(),
                    };
                    vec![Msg::Answer {
                        request,
                        answer,
                        complete: true,
                        at,
                    }]
                }
            },
            Effect::Change { request, change } => match self.engine.ask_change(request, *change) {
                Ok(()) => Vec::new(),
                Err(busy) => vec![Msg::Answer {
                    request,
                    answer: crate::engine::Answer::Failed(busy.to_string()),
                    complete: true,
                    at,
                }],
            },
            Effect::Start { task, title } => {
                self.starting += 1;
                self.engine.ask_start(*task, title);
                Vec::new()
            }
            Effect::CancelJob(id) => {
                match self.engine.job(id) {
                    Some(job) => job.cancel(),
                    None => self.cancel_elsewhere(id),
                }
                Vec::new()
            }
            // The loop's own.
            Effect::Wake(_) | Effect::Suspend | Effect::Copy { .. } | Effect::Detach | Effect::Quit => Vec::new(),
        }
    }

    /// Has another process stop its job. That process may be slow to hear it: not waited for here.
    fn cancel_elsewhere(&self, id: JobId) {
        let engine = self.engine.clone();
        let work = move || {
            if let Err(error) = engine.cancel(id) {
                engine.warn(error.to_string());
            }
        };
        if let Err(error) = std::thread::Builder::new().name("cancel".into()).spawn(work) {
            self.engine.warn(format!("cannot start a thread: {error}"));
        }
    }

    /// Asks what has to wait, as far as there is room.
    fn ask_waiting(&mut self) {
        while let Some((request, question)) = self.waiting.pop_front() {
            if self.engine.ask(request, question.clone()).is_err() {
                self.waiting.push_front((request, question));
                return;
            }
        }
    }
}

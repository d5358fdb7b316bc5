//! Where questions wait: bounded queues, one for what the catalog answers at once, one for what it takes longer over, one
//! for what needs a vault, each with threads of its own, so that no long one holds up a quick one and no vault a search.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use super::setup::Change;
use super::{Answer, Busy, Engine, Event, Inner, Question, RequestId, panic_text};
use crate::progress::Cancel;
use crate::vault::Password;

/// How many questions may wait.
const WAITING: usize = 256;
/// Threads for each.
const THREADS: [(Lane, usize); 3] = [(Lane::Quick, 2), (Lane::Catalog, 2), (Lane::Slow, 3)];

/// What was asked.
pub(super) enum Asked {
    /// A question.
    Question(Question),
    /// To open a vault with a password.
    Open(String, Password),
    /// To change the config or a vault's keys.
    Change(Change),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Quick,
    Catalog,
    Slow,
}

struct Waiting {
    request: RequestId,
    asked: Asked,
    cancel: Cancel,
}

#[derive(Default)]
pub(super) struct Desk(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    quick: VecDeque<Waiting>,
    catalog: VecDeque<Waiting>,
    slow: VecDeque<Waiting>,
    /// Those that are being answered.
    running: Vec<(RequestId, Cancel)>,
    threads: Vec<JoinHandle<()>>,
    closed: bool,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Desk")
    }
}

impl Desk {
    pub(super) fn put(&self, engine: &Engine, request: RequestId, asked: Asked) -> Result<(), Busy> {
        let mut state = self.0.state();
        if state.closed || state.quick.len() + state.catalog.len() + state.slow.len() >= WAITING {
            return Err(Busy);
        }
        if state.threads.is_empty() {
            for (lane, count) in THREADS {
                for _ in 0..count {
                    let (shared, engine) = (self.0.clone(), Arc::downgrade(&engine.0));
                    let thread = std::thread::Builder::new().name("answers".into());
                    // With fewer threads than wanted questions wait longer; with none for its lane one would wait for ever.
                    match thread.spawn(move || shared.work(lane, &engine)) {
                        Ok(thread) => state.threads.push(thread),
                        Err(error) => tracing::warn!("cannot start a thread: {error}"),
                    }
                }
            }
        }
        let lane = match &asked {
            Asked::Question(Question::Search(_) | Question::Changes(_)) => &mut state.catalog,
            _ => &mut state.quick,
        };
        lane.push_back(Waiting {
            request,
            asked,
            cancel: Cancel::default(),
        });
        self.0.wake.notify_all();
        Ok(())
    }

    pub(super) fn abandon(&self, request: RequestId) {
        let mut state = self.0.state();
        state.quick.retain(|waiting| waiting.request != request);
        state.catalog.retain(|waiting| waiting.request != request);
        state.slow.retain(|waiting| waiting.request != request);
        state
            .running
            .iter()
            .filter(|(running, _)| *running == request)
            .for_each(|(_, cancel)| cancel.cancel());
    }

    /// Drops what waits, stops what runs and waits for it. Nothing is answered after it.
    pub(super) fn close(&self) {
        let mut state = self.0.state();
        state.closed = true;
        state.quick.clear();
        state.catalog.clear();
        state.slow.clear();
        state.running.iter().for_each(|(_, cancel)| cancel.cancel());
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        self.0.wake.notify_all();
        // The last of an engine's clones can be one that a thread of the desk held: it cannot wait for itself.
        let this = std::thread::current().id();
        threads
            .into_iter()
            .filter(|thread| thread.thread().id() != this)
            .for_each(|thread| drop(thread.join()));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, lane: Lane, engine: &Weak<Inner>) {
        while let Some(mut waiting) = self.take(lane) {
            let Some(engine) = engine.upgrade().map(Engine) else {
                return;
            };
            let (request, cancel) = (waiting.request, waiting.cancel.clone());
            let emit = |answer: Answer, complete: bool| {
                if !cancel.is_cancelled() {
                    engine.hub().send(Event::Answer {
                        request,
                        answer,
                        complete,
                    });
                }
            };
            let done = std::panic::catch_unwind(AssertUnwindSafe(|| match lane {
                Lane::Quick => engine.answer_quickly(&waiting.asked, &emit),
                Lane::Catalog => engine.answer_from_catalog(&waiting.asked, &cancel, &emit),
                Lane::Slow => {
                    engine.answer_slowly(&mut waiting.asked, &cancel, &emit);
                    true
                }
            }));
            engine.pass_warnings();
            let done = done.unwrap_or_else(|panic| {
                emit(
                    Answer::Failed(format!("internal error: {}; please report it", panic_text(&*panic))),
                    true,
                );
                true
            });
            let mut state = self.state();
            state.running.retain(|(running, _)| *running != request);
            if !done && !state.closed && !cancel.is_cancelled() {
                state.slow.push_back(waiting);
                self.wake.notify_all();
            }
            // Unlocked first: if this is the engine's last clone, its end takes the same lock.
            drop(state);
            drop(engine);
        }
    }

    fn take(&self, lane: Lane) -> Option<Waiting> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            let next = match lane {
                Lane::Quick => state.quick.pop_front(),
                Lane::Catalog => state.catalog.pop_front(),
                Lane::Slow => state.slow.pop_front(),
            };
            if let Some(next) = next {
                state.running.push((next.request, next.cancel.clone()));
                return Some(next);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

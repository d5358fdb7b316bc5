//! Events to all who subscribed. Nothing is dropped: the channels have no bound, and what is sent is small and rare
//! (answers are bounded by the questions that may wait, the rest are lifecycle events).

use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{Event, Events};

#[derive(Debug, Default)]
pub(super) struct Hub(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    subscribers: Vec<UnboundedSender<Event>>,
    /// Warnings from before anybody listened.
    early: Vec<String>,
}

impl Hub {
    pub(super) fn subscribe(&self) -> Events {
        let (sender, receiver) = unbounded_channel();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in state.early.drain(..) {
            let _ = sender.send(Event::Warning(warning));
        }
        state.subscribers.push(sender);
        receiver
    }

    pub(super) fn send(&self, event: Event) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Event::Warning(warning) = &event {
            tracing::warn!("{warning}");
            if state.subscribers.is_empty() {
                state.early.push(warning.clone());
            }
        }
        state
            .subscribers
            .retain(|subscriber| subscriber.send(event.clone()).is_ok());
    }

    /// Warnings that no subscriber has got.
    pub(super) fn take_early(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).early)
    }
}

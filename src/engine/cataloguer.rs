//! Reads the trees of vaults into the catalog in the background, so that search, history and sizes know all of them.
//!
//! One thread, one vault after the other; of each the newest generations first. What was read is stored as it goes, so that
//! nothing is read twice, however often it is stopped. Only processes that show an interface do it
//! ([`Engine::catalogue_in_background`]); a vault's turn comes when it is opened, and all turns come at the first search.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Engine, Error, Event, Inner, PasswordGiven, Result};
use crate::progress::Cancel;
use crate::vault::Id;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// How the reading of a vault stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nothing is under way.
    Not,
    /// It is being read, or waits for its turn.
    Now,
    /// It waits for its password.
    Locked,
    /// It could not be read, or not all of it.
    Failed(String),
}

#[derive(Debug, Default)]
pub(super) struct Cataloguer(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    cancel: Cancel,
}

#[derive(Debug, Default)]
struct State {
    wanted: bool,
    /// Whether all vaults had their turn.
    all: bool,
    closed: bool,
    /// Vaults by name, with their places.
    queue: VecDeque<(String, String)>,
    now: Option<String>,
    /// What came of those read, by place.
    ended: HashMap<String, Reading>,
    thread: Option<JoinHandle<()>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cataloguer {
    /// Stops and waits for it.
    pub(super) fn close(&self) {
        let mut state = self.0.state();
        state.closed = true;
        state.queue.clear();
        let thread = state.thread.take();
        drop(state);
        self.0.cancel.cancel();
        self.0.wake.notify_all();
        // The last of an engine's clones can be the thread's own: it cannot wait for itself.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

impl Engine {
    /// From now on vaults that are opened are read into the catalog in the background.
    pub fn catalogue_in_background(&self) {
        self.0.cataloguer.0.state().wanted = true;
    }

    /// Gives every vault of the config its turn, once, and those again that waited for a password or failed.
    pub(super) fn catalogue_all(&self) {
        let names: Vec<String> = {
            let mut state = self.0.cataloguer.0.state();
            if !state.wanted || std::mem::replace(&mut state.all, true) {
                return;
            }
            self.config().vaults.iter().map(|vault| vault.name.clone()).collect()
        };
        for name in names {
            self.catalogue(&name);
        }
    }

    /// Gives a vault its turn, if it is not its turn already.
    pub(super) fn catalogue(&self, vault: &str) {
        let Ok(place) = self.find(vault) else { return };
        let key = place.key();
        let mut state = self.0.cataloguer.0.state();
        if !state.wanted || state.closed || state.queue.iter().any(|(_, queued)| *queued == key) {
            return;
        }
        state.queue.push_back((place.name, key));
        if state.thread.is_none() {
            let (shared, engine) = (self.0.cataloguer.0.clone(), Arc::downgrade(&self.0));
            let thread = std::thread::Builder::new().name("catalogue".into());
            match thread.spawn(move || work(&shared, &engine)) {
                Ok(thread) => state.thread = Some(thread),
                Err(error) => tracing::warn!("cannot start a thread: {error}"),
            }
        }
        drop(state);
        self.0.cataloguer.0.wake.notify_all();
    }

    /// How the reading of the vault at a place stands.
    pub(super) fn reading(&self, place: &str) -> Reading {
        let state = self.0.cataloguer.0.state();
        if state.now.as_deref() == Some(place) || state.queue.iter().any(|(_, queued)| queued == place) {
            return Reading::Now;
        }
        state.ended.get(place).cloned().unwrap_or(Reading::Not)
    }

    /// Reads all of a vault that the catalog lacks. Says what could not be read.
    fn read_all(&self, vault: &str, cancel: &Cancel) -> Result<Reading> {
        let open = self.open(vault, PasswordGiven::Configured)?;
        if self.catalog().generations(open.place())?.is_empty() {
            self.generations(&open)?;
            // Listing queues the vault, but its turn is now.
            self.0
                .cataloguer
                .0
                .state()
                .queue
                .retain(|(_, queued)| queued != open.place());
        }
        let mut told = Instant::now();
        let mut tell = |last: bool| {
            if last || told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                self.hub().send(Event::Catalogued {
                    vault: vault.to_owned(),
                });
            }
        };
        let mut bad: HashMap<Id, String> = HashMap::new();
        loop {
            // Asked again each time: generations come and go meanwhile.
            let left = self.catalog().uncatalogued(open.place())?;
            let Some((generation, tree)) = left
                .iter()
                .find(|(generation, _)| !bad.contains_key(generation))
                .copied()
            else {
                break;
            };
            match self.weigh_tree(Some(&open), tree, cancel, &mut |_| tell(false)) {
                Ok(Some(_)) => {}
                Ok(None) => {
                    bad.insert(generation, "it changes while it is read".into());
                }
                Err(error) => {
                    cancel.check()?;
                    bad.insert(generation, error.to_string());
                }
            }
            tell(false);
        }
        let dropped = self.catalog().sweep(cancel)?;
        cancel.check()?;
        // For what costs and what would go: asked for at once when somebody looks.
        if let Err(error) = self.lifetimes_quietly(&open, cancel) {
            cancel.check()?;
            tracing::warn!("cannot find out which generations of {vault} reach what: {error}");
        }
        tracing::debug!("{vault} is catalogued, {dropped} trees that nothing reaches were dropped");
        Ok(match bad.values().next() {
            None => Reading::Not,
            Some(why) if bad.len() == 1 => Reading::Failed(format!("one generation cannot be read: {why}")),
            Some(why) => Reading::Failed(format!("{} generations cannot be read: {why}", bad.len())),
        })
    }
}

fn work(shared: &Shared, engine: &Weak<Inner>) {
    loop {
        let (vault, place) = {
            let mut state = shared.state();
            loop {
                if state.closed {
                    return;
                }
                if let Some(next) = state.queue.pop_front() {
                    state.now = Some(next.1.clone());
                    break next;
                }
                state = shared.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let Some(engine) = engine.upgrade().map(Engine) else {
            return;
        };
        let read = || engine.read_all(&vault, &shared.cancel);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
        let ended = match ended {
            Ok(Ok(reading)) => reading,
            Ok(Err(Error::PasswordNeeded { .. })) => Reading::Locked,
            Ok(Err(error)) => Reading::Failed(error.to_string()),
            Err(panic) => Reading::Failed(format!("internal error: {}", super::panic_text(&*panic))),
        };
        {
            let mut state = shared.state();
            state.now = None;
            state.ended.insert(place, ended);
        }
        engine.hub().send(Event::Catalogued { vault });
        drop(engine);
    }
}

//! Trees read ahead by several threads, handed out in the order in which they will be needed.
//!
//! The walk is depth first: what will be needed next lies on top of a stack. Whoever walks puts a folder's subfolders on
//! it as one batch ([`Prefetch::plan`]) and later takes them one after the other ([`Prefetch::take`]), or passes them over
//! ([`Prefetch::pass`]) when it has learnt meanwhile that it needs them no more. Threads read the topmost batch first, a
//! few trees of each, so that what lies ready deep down never keeps them from what is wanted at once. If the tree wanted
//! next is not begun, the walker reads it itself.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Scratch, TreeSource};
use crate::progress::Cancel;
use crate::vault::{Error, Id, Result, Tree};

/// At most so many trees of a batch wait to be taken,
const AHEAD_OF_BATCH: usize = 8;
/// so many of all batches together,
const TREES_AHEAD: usize = 256;
/// and reading ahead pauses while they hold more entries than this together.
const ENTRIES_AHEAD: usize = 50_000;

/// A tree that was planned, to be taken or passed once, in the order of the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    batch: u64,
    index: usize,
}

/// The tickets of one batch, in order.
#[derive(Debug, Clone)]
pub struct Tickets {
    batch: u64,
    left: std::ops::Range<usize>,
}

impl Iterator for Tickets {
    type Item = Ticket;

    fn next(&mut self) -> Option<Ticket> {
        self.left.next().map(|index| Ticket {
            batch: self.batch,
            index,
        })
    }
}

/// See the module.
pub struct Prefetch<'a, S: TreeSource + ?Sized> {
    source: &'a S,
    cancel: &'a Cancel,
    state: Mutex<State>,
    /// Told whenever there is something new to read, or to take.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The batch needed next on top.
    batches: Vec<Batch>,
    /// Begun: `None` until the tree is there.
    ahead: HashMap<Ticket, Option<Result<Tree>>>,
    /// Entries of all trees in `ahead`.
    entries: usize,
    plans: u64,
    done: bool,
}

/// The subfolders of one folder.
struct Batch {
    number: u64,
    ids: Vec<Id>,
    /// How many of `ids` were begun; always the first ones.
    begun: usize,
    /// How many were taken or passed; always the first ones.
    over: usize,
}

impl State {
    /// What to read next, if there is room for it.
    fn begin_next(&mut self) -> Option<(Ticket, Id)> {
        if self.ahead.len() >= TREES_AHEAD || self.entries >= ENTRIES_AHEAD {
            return None;
        }
        let wants = |batch: &&mut Batch| batch.begun < batch.ids.len() && batch.begun - batch.over < AHEAD_OF_BATCH;
        let batch = self.batches.iter_mut().rev().find(wants)?;
        let ticket = Ticket {
            batch: batch.number,
            index: batch.begun,
        };
        batch.begun += 1;
        self.ahead.insert(ticket, None);
        Some((ticket, batch.ids[ticket.index]))
    }

    /// The walker has come to this ticket. Returns the tree's id when nobody has begun it.
    fn come_to(&mut self, ticket: Ticket) -> Option<Id> {
        let batch = self
            .batches
            .iter_mut()
            .rev()
            .find(|batch| batch.number == ticket.batch)?;
        batch.over = ticket.index + 1;
        let id = (batch.begun <= ticket.index)
            .then(|| batch.ids.get(ticket.index).copied())
            .flatten();
        batch.begun = batch.begun.max(batch.over);
        while self.batches.pop_if(|top| top.over == top.ids.len()).is_some() {}
        id
    }
}

/// How many threads read ahead, beside the one that walks.
fn readers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 8)
}

/// Walks with trees read ahead. The threads end with `walk`.
pub fn with_prefetch<S: TreeSource + ?Sized, T>(
    source: &S,
    cancel: &Cancel,
    walk: impl FnOnce(&Prefetch<'_, S>) -> Result<T>,
) -> Result<T> {
    let prefetch = Prefetch {
        source,
        cancel,
        state: Mutex::default(),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        // However the walk ends, the threads must be told.
        let _done = Done(&prefetch);
        for _ in 0..readers() {
            let thread = std::thread::Builder::new().name("tree-reader".into());
            // Without threads the walker reads everything itself.
            if thread.spawn_scoped(scope, || prefetch.read_ahead()).is_err() {
                break;
            }
        }
        walk(&prefetch)
    })
}

struct Done<'a, 'b, S: TreeSource + ?Sized>(&'a Prefetch<'b, S>);

impl<S: TreeSource + ?Sized> Drop for Done<'_, '_, S> {
    fn drop(&mut self) {
        self.0.lock().done = true;
        self.0.changed.notify_all();
    }
}

impl<S: TreeSource + ?Sized> Prefetch<'_, S> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plans trees that will be needed, in this order, before all that are planned already.
    pub fn plan(&self, ids: Vec<Id>) -> Tickets {
        let count = ids.len();
        let mut state = self.lock();
        let batch = state.plans;
        state.plans += 1;
        if count > 0 {
            state.batches.push(Batch {
                number: batch,
                ids,
                begun: 0,
                over: 0,
            });
            drop(state);
            self.changed.notify_all();
        }
        Tickets { batch, left: 0..count }
    }

    /// The tree of the next ticket.
    pub fn take(&self, ticket: Ticket, scratch: &mut Scratch) -> Result<Tree> {
        self.cancel.check()?;
        let mut state = self.lock();
        if let Some(id) = state.come_to(ticket) {
            drop(state);
            return self.source.read_tree(&id, scratch);
        }
        while let Some(None) = state.ahead.get(&ticket) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let Some(tree) = state.ahead.remove(&ticket).flatten() else {
            return Err(Error::Internal("a folder was asked for out of order".into()));
        };
        state.entries -= tree.as_ref().map_or(0, |tree| tree.nodes.len());
        drop(state);
        self.changed.notify_all();
        tree
    }

    /// Says that the tree of the next ticket is not needed.
    pub fn pass(&self, ticket: Ticket) {
        let mut state = self.lock();
        if state.come_to(ticket).is_none()
            && let Some(Some(Ok(tree))) = state.ahead.remove(&ticket)
        {
            state.entries -= tree.nodes.len();
        }
        drop(state);
        self.changed.notify_all();
    }

    fn read_ahead(&self) {
        let mut scratch = Scratch::default();
        let mut state = self.lock();
        while !state.done && !self.cancel.is_cancelled() {
            let Some((ticket, id)) = state.begin_next() else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(state);
            // A panic in here must not leave the walker waiting.
            let read = || self.source.read_tree(&id, &mut scratch);
            let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
            let tree = read.unwrap_or_else(|_| Err(Error::Internal(format!("reading the folder {id} panicked"))));
            state = self.lock();
            // Passed over meanwhile: dropped.
            if let Some(slot) = state.ahead.get_mut(&ticket) {
                let entries = tree.as_ref().map_or(0, |tree| tree.nodes.len());
                *slot = Some(tree);
                state.entries += entries;
                self.changed.notify_all();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::super::testing::{Trees, dir, file};
    use super::*;

    fn names(tree: &Tree) -> Vec<&str> {
        tree.nodes
            .iter()
            .map(|n| std::str::from_utf8(&n.name).unwrap())
            .collect()
    }

    #[test]
    fn gives_each_tree_once_in_the_walkers_order() {
        let mut trees = Trees::default();
        let folders: Vec<Id> = (0..100).map(|i| trees.add(vec![file(&i.to_string(), &[])])).collect();
        let outer: Vec<Id> = folders.iter().map(|id| trees.add(vec![dir("x", *id)])).collect();
        let result = with_prefetch(&trees, &Cancel::default(), |ahead| {
            let mut scratch = Scratch::default();
            for (i, ticket) in ahead.plan(outer.clone()).enumerate() {
                if i % 7 == 3 {
                    ahead.pass(ticket);
                    continue;
                }
                let tree = ahead.take(ticket, &mut scratch)?;
                assert_eq!(names(&tree), ["x"]);
                let inner = ahead
                    .plan(tree.nodes.iter().filter_map(|n| n.subtree).collect())
                    .next()
                    .unwrap();
                assert_eq!(names(&ahead.take(inner, &mut scratch)?), [i.to_string()]);
            }
            let state = ahead.lock();
            assert_eq!((state.batches.len(), state.entries), (0, 0));
            Ok(())
        });
        assert!(result.is_ok());
        // Those passed over may have been read already.
        assert!((172..=186 + 14).contains(&trees.reads.load(Ordering::Relaxed)));
    }

    #[test]
    fn errors_come_where_they_belong_and_threads_end() {
        let mut trees = Trees::default();
        let good = trees.add(vec![file("a", &[])]);
        let lost = trees.add(vec![file("b", &[])]);
        trees.lose(&lost);
        let result = with_prefetch(&trees, &Cancel::default(), |ahead| {
            let mut scratch = Scratch::default();
            let tickets: Vec<_> = ahead.plan(vec![good, lost, good]).collect();
            assert!(ahead.take(tickets[0], &mut scratch).is_ok());
            assert!(matches!(ahead.take(tickets[1], &mut scratch), Err(Error::MissingBlob { id, .. }) if id == lost));
            assert!(ahead.take(tickets[2], &mut scratch).is_ok());
            Err::<(), _>(Error::Internal("mine".into()))
        });
        assert!(matches!(result, Err(Error::Internal(text)) if text == "mine"));
    }

    #[test]
    fn stops_when_cancelled() {
        let mut trees = Trees::default();
        let id = trees.add(Vec::new());
        let cancel = Cancel::default();
        cancel.cancel();
        let result = with_prefetch(&trees, &cancel, |ahead| {
            let ticket = ahead.plan(vec![id]).next().unwrap();
            ahead.take(ticket, &mut Scratch::default())
        });
        assert!(matches!(result, Err(Error::Cancelled(_))));
    }
}

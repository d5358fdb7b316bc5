//! Work that makes more work, done by several threads: they take from one stack until it is empty and nobody can put more
//! on it. For walks over a vault's trees, each of which may lead to others.

use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::progress::Cancel;

/// How many threads work at a time.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, |count| count.get().clamp(2, 8))
}

struct State<T, S> {
    todo: Vec<T>,
    /// Threads that may put more on the stack.
    busy: usize,
    /// Whether nothing more is to be taken from it.
    over: bool,
    shared: S,
}

/// Does all of `todo`, the last first, and what comes of it; returns what the threads shared. Ends early when cancelled.
///
/// `work` does one thing, with buffers of the thread's own (`W`). Then `settle` takes what came of it, one thread at a time:
/// it changes what is shared, and puts what is to be done next on the stack, or ends all.
pub(crate) fn run<T: Send, S: Send, W: Default, R>(
    todo: Vec<T>,
    shared: S,
    cancel: &Cancel,
    work: impl Fn(&T, &mut W) -> R + Sync,
    settle: impl Fn(&mut S, T, R, &mut W, &mut Vec<T>) -> ControlFlow<()> + Sync,
) -> S {
    let state = Mutex::new(State {
        todo,
        busy: 0,
        over: false,
        shared,
    });
    let changed = Condvar::new();
    let worker = || {
        let mut own = W::default();
        let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = lock();
        loop {
            if held.over || cancel.is_cancelled() {
                changed.notify_all();
                return;
            }
            let Some(task) = held.todo.pop() else {
                if held.busy == 0 {
                    changed.notify_all();
                    return;
                }
                held = changed.wait(held).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            held.busy += 1;
            drop(held);
            let result = work(&task, &mut own);
            held = lock();
            held.busy -= 1;
            let State { todo, over, shared, .. } = &mut *held;
            *over |= settle(shared, task, result, &mut own, todo).is_break();
            if !held.todo.is_empty() || held.busy == 0 {
                changed.notify_all();
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads() {
            scope.spawn(worker);
        }
        worker();
    });
    state.into_inner().unwrap_or_else(PoisonError::into_inner).shared
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each number leads to all below it, once.
    fn reached(from: u32, stop_at: Option<u32>) -> Vec<u32> {
        let seen = run(
            vec![from],
            vec![from],
            &Cancel::default(),
            |n, buffer: &mut Vec<u32>| {
                buffer.clear();
                buffer.extend(0..*n);
            },
            |seen, n, (), buffer, todo| {
                for next in buffer.drain(..) {
                    if !seen.contains(&next) {
                        seen.push(next);
                        todo.push(next);
                    }
                }
                if stop_at == Some(n) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        let mut seen = seen;
        seen.sort_unstable();
        seen
    }

    #[test]
    fn everything_that_comes_of_it_is_done_once() {
        assert_eq!(reached(300, None), (0..=300).collect::<Vec<_>>());
        assert_eq!(reached(300, Some(300)).len(), 301, "what is settled counts");
    }

    #[test]
    fn it_ends_when_cancelled_or_told_to() {
        let cancel = Cancel::default();
        cancel.cancel();
        let done = run(
            vec![1],
            0,
            &cancel,
            |_, (): &mut ()| (),
            |done, _, (), (), _| {
                *done += 1;
                ControlFlow::Continue(())
            },
        );
        assert_eq!(done, 0);
        let done = run(
            vec![1; 1000],
            0,
            &Cancel::default(),
            |_, (): &mut ()| (),
            |done, _, (), (), todo| {
                *done += 1;
                todo.push(1);
                if *done >= 10 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        );
        assert!((10..10 + threads()).contains(&done), "{done}");
    }
}

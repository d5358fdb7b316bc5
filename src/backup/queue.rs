//! The jobs that are left, shared by all workers: a stack, so that the tree is worked off depth first and few folders are
//! open at a time, and beside it the chunks on offer, which go first because they hold memory.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::content::ChunkJob;
use super::walk::{FilesJob, FolderJob};

/// A piece of work.
pub(super) enum Job {
    /// List a folder.
    Folder(Box<FolderJob>),
    /// Read some files.
    Files(FilesJob),
    /// Store a chunk of a large file that another worker reads.
    Chunk(ChunkJob),
}

pub(super) struct Queue {
    state: Mutex<State>,
    news: Condvar,
    /// How many chunks may be on offer.
    chunk_limit: usize,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    chunks: VecDeque<ChunkJob>,
    /// Workers with a job in hand, each of which may leave more.
    busy: usize,
    waiting: usize,
    stopped: bool,
}

impl Queue {
    pub(super) fn new(workers: usize) -> Queue {
        Queue {
            state: Mutex::default(),
            news: Condvar::new(),
            // Two for each other worker keep it busy while the reader works on a chunk itself.
            chunk_limit: (workers.saturating_sub(1) * 2).min(12),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves jobs; the last is taken first.
    pub(super) fn push(&self, jobs: impl IntoIterator<Item = Job>) {
        let mut state = self.state();
        let before = state.jobs.len();
        state.jobs.extend(jobs);
        let (new, waiting) = (state.jobs.len() - before, state.waiting);
        drop(state);
        // Whoever pushes goes on to take one itself.
        for _ in 0..new.min(waiting) {
            self.news.notify_one();
        }
    }

    /// Offers a chunk. When enough are on offer it comes back: the reader stores it itself, so that nobody ever waits for
    /// room.
    pub(super) fn offer(&self, chunk: ChunkJob) -> Result<(), ChunkJob> {
        let mut state = self.state();
        if state.chunks.len() >= self.chunk_limit {
            return Err(chunk);
        }
        state.chunks.push_back(chunk);
        let waiting = state.waiting;
        drop(state);
        if waiting > 0 {
            self.news.notify_one();
        }
        Ok(())
    }

    /// Whether a chunk would be taken.
    pub(super) fn wants_chunks(&self) -> bool {
        self.chunk_limit > 0 && self.state().chunks.len() < self.chunk_limit
    }

    /// The next job, or `None` when there is nothing left to do or the queue was stopped. `had_one` says that the worker
    /// is done with the job it took before.
    pub(super) fn next(&self, had_one: bool) -> Option<Job> {
        let mut state = self.state();
        if had_one {
            state.busy -= 1;
        }
        loop {
            if state.stopped {
                return None;
            }
            let job = state.chunks.pop_front().map(Job::Chunk).or_else(|| state.jobs.pop());
            if job.is_some() {
                state.busy += 1;
                return job;
            }
            if state.busy == 0 {
                drop(state);
                self.news.notify_all();
                return None;
            }
            state.waiting += 1;
            state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }

    /// Whether [`Queue::stop`] was called.
    pub(super) fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Lets every worker go home after the job in its hands.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        let left = (std::mem::take(&mut state.jobs), std::mem::take(&mut state.chunks));
        drop(state);
        self.news.notify_all();
        drop(left);
    }
}

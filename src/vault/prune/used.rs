//! Every blob that a generation reaches: each unique tree is read once, by several threads.

use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::progress::{Cancel, Progress};
use crate::vault::compress::Scratch;
use crate::vault::index::{BlobMarks, Mark};
use crate::vault::tree::{BadTree, Node, decode_each};
use crate::vault::{BlobKind, Error, Generation, Id, IndexedVault, Result};

/// What is in use.
#[derive(Debug)]
pub(super) struct Used {
    /// The blobs.
    pub marks: BlobMarks,
    /// How many of them are trees.
    pub trees: u64,
    /// How many there are.
    pub blobs: u64,
}

struct Work {
    marks: BlobMarks,
    stack: Vec<Id>,
    /// Threads that may put more on the stack.
    busy: usize,
    trees: u64,
    blobs: u64,
    failure: Option<Error>,
}

impl Work {
    /// Marks a blob; one that is in no pack is an error: to delete anything then could only make it worse.
    fn mark(&mut self, kind: BlobKind, id: &Id) -> Result<bool> {
        match self.marks.mark(kind, id) {
            Mark::Again => return Ok(false),
            Mark::Missing => return Err(Error::MissingBlob { kind, id: *id }),
            Mark::First(_) => {}
        }
        self.blobs += 1;
        self.trees += u64::from(kind == BlobKind::Tree);
        Ok(true)
    }

    fn push(&mut self, tree: Id) -> Result<u64> {
        let new = self.mark(BlobKind::Tree, &tree)?;
        if new {
            self.stack.push(tree);
        }
        Ok(new.into())
    }
}

struct Walk<'a> {
    vault: &'a IndexedVault,
    progress: &'a Progress,
    cancel: &'a Cancel,
    work: Mutex<Work>,
    changed: Condvar,
}

/// Marks what these generations reach. Counts trees into `progress` as files.
pub(super) fn find(
    vault: &IndexedVault,
    generations: &[Generation],
    progress: &Progress,
    cancel: &Cancel,
) -> Result<Used> {
    let mut work = Work {
        marks: vault.index().marks(),
        stack: Vec::new(),
        busy: 0,
        trees: 0,
        blobs: 0,
        failure: None,
    };
    for generation in generations {
        let new = work.push(generation.tree)?;
        progress.files_total.fetch_add(new, Ordering::Relaxed);
    }
    let walk = Walk {
        vault,
        progress,
        cancel,
        work: Mutex::new(work),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 1..super::execute::threads() {
            scope.spawn(|| walk.run());
        }
        walk.run();
    });
    cancel.check()?;
    let work = walk.work.into_inner().unwrap_or_else(PoisonError::into_inner);
    match work.failure {
        Some(error) => Err(error),
        None => Ok(Used {
            marks: work.marks,
            trees: work.trees,
            blobs: work.blobs,
        }),
    }
}

/// One thread's buffers.
#[derive(Default)]
struct Reader {
    scratch: Scratch,
    bytes: Vec<u8>,
    folders: Vec<Id>,
    content: Vec<Id>,
}

impl Walk<'_> {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread's work: until nothing is on the stack and nobody can put more on it.
    fn run(&self) {
        let mut reader = Reader::default();
        let mut work = self.lock();
        loop {
            if self.cancel.is_cancelled() || work.failure.is_some() {
                self.changed.notify_all();
                return;
            }
            let Some(id) = work.stack.pop() else {
                if work.busy == 0 {
                    self.changed.notify_all();
                    return;
                }
                work = self.changed.wait(work).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            work.busy += 1;
            drop(work);
            let read = self.read(&id, &mut reader);
            work = self.lock();
            work.busy -= 1;
            let marked = read.and_then(|()| {
                for id in reader.content.drain(..) {
                    work.mark(BlobKind::Data, &id)?;
                }
                let mut new = 0;
                for id in reader.folders.drain(..) {
                    new += work.push(id)?;
                }
                Ok(new)
            });
            match marked {
                Ok(new) => _ = self.progress.files_total.fetch_add(new, Ordering::Relaxed),
                Err(error) => _ = work.failure.get_or_insert(error),
            }
            if !work.stack.is_empty() || work.busy == 0 {
                self.changed.notify_all();
            }
        }
    }

    /// What a tree refers to.
    fn read(&self, id: &Id, reader: &mut Reader) -> Result<()> {
        let Reader {
            scratch,
            bytes,
            folders,
            content,
        } = reader;
        self.vault.blob_into(BlobKind::Tree, id, scratch, bytes)?;
        let decoded = decode_each(bytes, &mut |node: Node| {
            folders.extend(node.subtree);
            content.extend(node.content.into_iter().flatten());
            Ok::<(), BadTree>(())
        });
        self.progress.files_done.fetch_add(1, Ordering::Relaxed);
        decoded.map_err(|bad| Error::BadBlob {
            kind: BlobKind::Tree,
            id: *id,
            what: bad.to_string(),
        })
    }
}

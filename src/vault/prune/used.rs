//! Every blob that a generation reaches: each unique tree is read once, by several threads.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use crate::progress::{Cancel, Progress};
use crate::vault::compress::Scratch;
use crate::vault::index::{BlobMarks, Mark};
use crate::vault::tree::{BadTree, Node, decode_each};
use crate::vault::{BlobKind, Error, Generation, Id, IndexedVault, Result, crew};

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

/// What the threads share.
struct Found {
    used: Used,
    failure: Option<Error>,
}

impl Used {
    /// Marks a blob; whether it was new. One that is in no pack is an error: to delete anything then could only make it
    /// worse.
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

    /// Marks what a tree refers to; trees not met before are to be read next.
    fn take(&mut self, reader: &mut Reader, todo: &mut Vec<Id>) -> Result<()> {
        for id in reader.content.drain(..) {
            self.mark(BlobKind::Data, &id)?;
        }
        for id in reader.folders.drain(..) {
            if self.mark(BlobKind::Tree, &id)? {
                todo.push(id);
            }
        }
        Ok(())
    }
}

/// Marks what these generations reach. Counts trees into `progress` as files.
pub(super) fn find(
    vault: &IndexedVault,
    generations: &[Generation],
    progress: &Progress,
    cancel: &Cancel,
) -> Result<Used> {
    let mut used = Used {
        marks: vault.index().marks(),
        trees: 0,
        blobs: 0,
    };
    let mut todo = Vec::new();
    for generation in generations {
        if used.mark(BlobKind::Tree, &generation.tree)? {
            todo.push(generation.tree);
        }
    }
    progress.files_total.fetch_add(todo.len() as u64, Ordering::Relaxed);
    let found = Found { used, failure: None };
    let found = crew::run(
        todo,
        found,
        cancel,
        |id, reader: &mut Reader| {
            let read = read(vault, id, reader);
            progress.files_done.fetch_add(1, Ordering::Relaxed);
            read
        },
        |found, _, read, reader, todo| {
            let before = todo.len();
            let taken = read.and_then(|()| found.used.take(reader, todo));
            let new = todo.len().saturating_sub(before) as u64;
            progress.files_total.fetch_add(new, Ordering::Relaxed);
            match taken {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    found.failure.get_or_insert(error);
                    ControlFlow::Break(())
                }
            }
        },
    );
    cancel.check()?;
    match found.failure {
        Some(error) => Err(error),
        None => Ok(found.used),
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

/// What a tree refers to.
fn read(vault: &IndexedVault, id: &Id, reader: &mut Reader) -> Result<()> {
    let Reader {
        scratch,
        bytes,
        folders,
        content,
    } = reader;
    vault.blob_into(BlobKind::Tree, id, scratch, bytes)?;
    let decoded = decode_each(bytes, &mut |node: Node| {
        folders.extend(node.subtree);
        content.extend(node.content.into_iter().flatten());
        Ok::<(), BadTree>(())
    });
    decoded.map_err(|bad| Error::BadBlob {
        kind: BlobKind::Tree,
        id: *id,
        what: bad.to_string(),
    })
}

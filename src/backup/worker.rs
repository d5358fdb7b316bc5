//! What all workers share, and the loop of one.

use std::io;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use rustix::io::Errno;

use super::content::BUFFER;
use super::folder::{Folder, lock};
use super::listing::Names;
use super::metadata::MetadataReader;
use super::parent::same;
use super::queue::{Job, Queue};
use super::{BackupOptions, Issue, IssueKind};
use crate::progress::{Cancel, Progress};
use crate::vault::chunker::Chunker;
use crate::vault::compress::Scratch;
use crate::vault::time::Zone;
use crate::vault::tree::TreeEncoder;
use crate::vault::writer::BlobWriter;
use crate::vault::{self, BlobKind, Id, IndexedVault, Node, NodeType, Result};

/// What all workers share.
pub(super) struct Shared<'a> {
    pub(super) vault: &'a IndexedVault,
    pub(super) options: &'a BackupOptions,
    pub(super) progress: &'a Progress,
    pub(super) cancel: &'a Cancel,
    pub(super) report: &'a (dyn Fn(Issue) + Sync),
    pub(super) writer: BlobWriter,
    pub(super) chunker: Chunker,
    pub(super) zone: Arc<Zone>,
    pub(super) queue: Queue,
    pub(super) counts: Counts,
    /// The id of the smallest chunk of zeros, once one was stored.
    pub(super) zeros: OnceLock<Id>,
    /// Chunk buffers that nobody uses at the moment.
    pub(super) buffers: Mutex<Vec<Vec<u8>>>,
    /// What stopped the backup first.
    pub(super) failure: Mutex<Option<vault::Error>>,
    /// The root's tree, once it is stored.
    pub(super) root: OnceLock<Id>,
    /// Files of the parent generation that changed after this are read, see [`super::parent::doubtful`].
    pub(super) doubtful: Option<(i64, u32)>,
}

/// What the summary counts, but for blobs.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) files_new: AtomicU64,
    pub(super) files_changed: AtomicU64,
    pub(super) files_unmodified: AtomicU64,
    pub(super) dirs_new: AtomicU64,
    pub(super) dirs_changed: AtomicU64,
    pub(super) dirs_unmodified: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) unreadable: AtomicU64,
    pub(super) changed_while_read: AtomicU64,
}

impl Counts {
    /// Counts a file that is in the generation.
    pub(super) fn file(&self, previous: Option<&Node>, node: &Node) {
        self.bytes.fetch_add(node.size, Ordering::Relaxed);
        let counter = match previous {
            None => &self.files_new,
            Some(previous) if same(previous, node) => &self.files_unmodified,
            Some(_) => &self.files_changed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn folder(&self, previous: Option<&Node>, node: &Node) {
        let counter = match previous {
            None => &self.dirs_new,
            Some(previous) if same(previous, node) => &self.dirs_unmodified,
            Some(_) => &self.dirs_changed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Shared<'_> {
    /// Reports something about an entry.
    pub(super) fn issue(&self, path: Vec<u8>, what: IssueKind, error: io::Error) {
        if what.is_loss() {
            self.counts.unreadable.fetch_add(1, Ordering::Relaxed);
            self.progress.errors.fetch_add(1, Ordering::Relaxed);
        }
        if what == IssueKind::ChangedWhileRead {
            self.counts.changed_while_read.fetch_add(1, Ordering::Relaxed);
        }
        (self.report)(Issue {
            path,
            what,
            error: error.to_string(),
        });
    }

    /// Reports an entry that is not in the generation.
    pub(super) fn entry_failed(&self, path: Vec<u8>, error: io::Error) {
        let gone = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP].map(|errno| Some(errno.raw_os_error()));
        let what = if gone.contains(&error.raw_os_error()) {
            IssueKind::Vanished
        } else {
            IssueKind::Unreadable
        };
        self.issue(path, what, error);
    }

    /// Stops everything. The first reason counts.
    pub(super) fn fail(&self, error: vault::Error) {
        lock(&self.failure).get_or_insert(error);
        self.queue.stop();
    }

    /// A buffer for a chunk and some read-ahead. Its pages take memory only once they are written.
    pub(super) fn buffer(&self) -> Vec<u8> {
        lock(&self.buffers).pop().unwrap_or_else(|| vec![0; BUFFER])
    }
}

/// One worker: its buffers and contexts are its own and live as long as it does.
pub(super) struct Worker<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) metadata: MetadataReader,
    pub(super) scratch: Scratch,
    /// The file being read; empty until the first.
    pub(super) buffer: Vec<u8>,
    pub(super) names: Names,
    /// The tree being decoded or encoded.
    pub(super) tree: Vec<u8>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(shared: &'a Shared<'a>) -> Worker<'a> {
        Worker {
            shared,
            metadata: MetadataReader::new(Arc::clone(&shared.zone), shared.options.with_atime),
            scratch: Scratch::default(),
            buffer: Vec::new(),
            names: Names::default(),
            tree: Vec::new(),
        }
    }

    /// Works until nothing is left or the backup is stopped.
    pub(super) fn run(&mut self) {
        /// A worker that dies of a bug takes its job with it: without this the others would wait for it for ever.
        struct StopOnPanic<'a>(&'a Queue);
        impl Drop for StopOnPanic<'_> {
            fn drop(&mut self) {
                if std::thread::panicking() {
                    self.0.stop();
                }
            }
        }
        let _guard = StopOnPanic(&self.shared.queue);
        let mut had_one = false;
        while let Some(job) = self.shared.queue.next(had_one) {
            had_one = true;
            let done = self
                .shared
                .cancel
                .check()
                .map_err(vault::Error::from)
                .and_then(|()| match job {
                    Job::Folder(job) => self.list_folder(*job),
                    Job::Files(job) => job.files.into_iter().try_for_each(|file| {
                        let dir = job.open.as_ref().map_or(rustix::fs::CWD, |open| open.as_fd());
                        self.store_file(&job.folder, dir, file)
                    }),
                    Job::Chunk(chunk) => self.store_chunk(chunk),
                });
            if let Err(error) = done {
                self.shared.fail(error);
            }
        }
    }

    /// Brings an entry to its folder, and finishes the folder if it was the last one.
    pub(super) fn bring(&mut self, folder: &Arc<Folder>, slot: usize, node: Option<Node>) -> Result<()> {
        if folder.put(slot, node) {
            self.finish(Arc::clone(folder))
        } else {
            Ok(())
        }
    }

    /// Stores the tree of a folder all of whose entries are there, then that of the folder above if it was its last
    /// entry, and so on.
    pub(super) fn finish(&mut self, mut folder: Arc<Folder>) -> Result<()> {
        /// A larger buffer, from a folder of some ten thousand entries, is given back.
        const KEPT: usize = 8 << 20;
        loop {
            let mut encoder = TreeEncoder::reusing(std::mem::take(&mut self.tree));
            for node in folder.take_entries().into_iter().flatten() {
                encoder.push(&node);
            }
            let bytes = encoder.finish();
            let id = self.shared.writer.add(BlobKind::Tree, &bytes, &mut self.scratch)?.id;
            if bytes.capacity() <= KEPT {
                self.tree = bytes;
            }
            let Some((parent, slot)) = folder.parent.clone() else {
                let _ = self.shared.root.set(id);
                return Ok(());
            };
            let mut node = std::mem::take(&mut *lock(&folder.node));
            node.kind = NodeType::Dir;
            node.subtree = Some(id);
            self.shared.counts.folder(folder.previous.as_ref(), &node);
            if !parent.put(slot, Some(node)) {
                return Ok(());
            }
            folder = parent;
        }
    }
}

//! Reading files: whole ones in one call, large ones chunk by chunk with idle workers taking chunks over.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustix::fs::{Advice, Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use super::IssueKind;
use super::folder::{Folder, lock};
use super::metadata::Stat;
use super::walk::PendingFile;
use super::worker::Worker;
use crate::vault::chunker::{MAX_SIZE, MIN_SIZE};
use crate::vault::{self, BlobKind, Id, Node, NodeType, Result};

/// Bytes asked for at once.
const STEP: usize = 1 << 20;
/// Size of a worker's buffer: the largest chunk, and what is read beyond it.
pub(super) const BUFFER: usize = MAX_SIZE + STEP;
/// Files of at least this size have their chunks offered to other workers.
const LARGE: u64 = 4 * MIN_SIZE as u64;

/// A chunk of a large file, for any worker to store.
pub(super) struct ChunkJob {
    buffer: Vec<u8>,
    start: usize,
    length: usize,
    /// Which chunk of the file it is.
    number: usize,
    file: Arc<OpenFile>,
}

/// A large file of which other workers store chunks.
struct OpenFile {
    folder: Arc<Folder>,
    slot: usize,
    /// Chunks that others have stored: number and id.
    stored: Mutex<Vec<(usize, Id)>>,
    /// Chunks with others, and one for the reader.
    pending: AtomicUsize,
    /// What the reader knows at the end. `None` until then, and when the file is given up.
    end: Mutex<Option<(Node, Option<Node>)>>,
}

/// The part of a file that is in the buffer.
#[derive(Default)]
struct Window {
    start: usize,
    end: usize,
    /// Offset of `end` in the file.
    offset: u64,
    /// No more will come.
    complete: bool,
}

/// A failure that is the file's, or the backup's.
enum Failed {
    File(io::Error),
    Backup(vault::Error),
}

impl From<Errno> for Failed {
    fn from(error: Errno) -> Failed {
        Failed::File(error.into())
    }
}

impl From<vault::Error> for Failed {
    fn from(error: vault::Error) -> Failed {
        Failed::Backup(error)
    }
}

impl From<crate::progress::Cancelled> for Failed {
    fn from(cancelled: crate::progress::Cancelled) -> Failed {
        Failed::Backup(cancelled.into())
    }
}

impl Worker<'_> {
    /// Stores a file's content and brings its node to the folder.
    pub(super) fn store_file(
        &mut self,
        folder: &Arc<Folder>,
        dir: BorrowedFd<'_>,
        mut file: PendingFile,
    ) -> Result<()> {
        self.shared.cancel.check()?;
        if self.buffer.is_empty() {
            self.buffer = self.shared.buffer();
        }
        let mut parts = Parts {
            ids: Vec::new(),
            shared_file: None,
            folder,
            slot: file.slot,
        };
        match self.read_file(dir, &mut file, &mut parts) {
            Ok(size) => {
                let mut node = file.node;
                node.size = size;
                node.content = Some(parts.ids);
                self.shared.progress.files_done.fetch_add(1, Ordering::Relaxed);
                match parts.shared_file {
                    None => {
                        self.shared.counts.file(file.previous.as_ref(), &node);
                        self.bring(folder, file.slot, Some(node))
                    }
                    Some(shared) => {
                        *lock(&shared.end) = Some((node, file.previous));
                        self.part_done(&shared)
                    }
                }
            }
            Err(Failed::File(error)) => {
                self.shared.entry_failed(file.told_path(folder), error);
                match parts.shared_file {
                    None => self.bring(folder, file.slot, None),
                    Some(shared) => self.part_done(&shared),
                }
            }
            Err(Failed::Backup(error)) => Err(error),
        }
    }

    /// Reads and stores a file. Returns how many bytes it has; its chunks are in `parts`.
    fn read_file(&mut self, dir: BorrowedFd<'_>, file: &mut PendingFile, parts: &mut Parts<'_>) -> Result<u64, Failed> {
        let fd = open(dir, file)?;
        let raw = rustix::fs::fstat(&fd)?;
        let sparse = (raw.st_blocks as u64).saturating_mul(512) < raw.st_size as u64;
        let mut before = Stat::from(raw);
        self.shared.options.view.correct(&mut before);
        if before.kind() != Some(NodeType::File) {
            return Err(Failed::File(Errno::NOENT.into()));
        }
        if before != file.stat
            && let Some(mut node) = self.metadata.node(&file.node.name, &before)
        {
            // It was touched since it was listed: what is stored is told by what is read.
            node.xattrs = std::mem::take(&mut file.node.xattrs);
            file.node = node;
        }
        let large = before.size >= LARGE;
        if large {
            // Only advice: a filesystem that does not take it reads as well.
            let _ = rustix::fs::fadvise(&fd, 0, None, Advice::Sequential);
            self.shared.progress.set_current(&file.told_path(parts.folder));
        }
        let mut window = Window::default();
        loop {
            if sparse && window.start == window.end {
                self.skip_holes(&fd, before.size, &mut window, parts)?;
            }
            let length = self.next_chunk(&fd, &mut window)?;
            if length == 0 {
                break;
            }
            self.shared.cancel.check()?;
            let zeros = length == MIN_SIZE && is_zero(&self.buffer[window.start..][..length]);
            if zeros && let Some(id) = self.shared.zeros.get() {
                parts.ids.push(*id);
                window.start += length;
            } else if large && !zeros && !window.complete && self.shared.queue.wants_chunks() {
                self.offer(length, &mut window, parts)?;
            } else {
                let chunk = &self.buffer[window.start..][..length];
                let id = self.shared.writer.add(BlobKind::Data, chunk, &mut self.scratch)?.id;
                if zeros {
                    let _ = self.shared.zeros.set(id);
                }
                parts.ids.push(id);
                window.start += length;
            }
            self.shared
                .progress
                .bytes_done
                .fetch_add(length as u64, Ordering::Relaxed);
            if zeros && sparse && !window.complete {
                // What was read ahead is probably the same hole, which need not be read at all.
                let next = window.offset - (window.end - window.start) as u64;
                rustix::fs::seek(&fd, SeekFrom::Start(next))?;
                window = Window {
                    offset: next,
                    ..Window::default()
                };
            }
        }
        let after = Stat::from(rustix::fs::fstat(&fd)?);
        // (The number of bytes read says nothing: files that the system makes up have no size.)
        if (after.size, after.mtime) != (before.size, before.mtime) {
            let text = format!(
                "it had {} bytes before, {} after, and {} were read",
                before.size, after.size, window.offset
            );
            let path = file.told_path(parts.folder);
            self.shared
                .issue(path, IssueKind::ChangedWhileRead, io::Error::other(text));
        }
        Ok(window.offset)
    }

    /// Reads until the chunk at the window's start is complete; returns its length, 0 at the end of the file.
    fn next_chunk(&mut self, fd: &OwnedFd, window: &mut Window) -> Result<usize, Failed> {
        let mut searched = 0;
        loop {
            let there = window.end - window.start;
            if there > searched
                && let Some(length) = self
                    .shared
                    .chunker
                    .next_cut(&self.buffer[window.start..window.end], searched)
            {
                return Ok(length);
            }
            if window.complete {
                return Ok(there);
            }
            searched = there;
            if self.buffer.len() - window.end < STEP {
                self.buffer.copy_within(window.start..window.end, 0);
                (window.start, window.end) = (0, there);
            }
            let room = &mut self.buffer[window.end..][..STEP];
            match rustix::io::read(fd, room) {
                Ok(0) => window.complete = true,
                Ok(n) => {
                    window.end += n;
                    window.offset += n as u64;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes smallest chunks of zeros for as long as the file has nothing but a hole, without reading it.
    fn skip_holes(
        &mut self,
        fd: &OwnedFd,
        size: u64,
        window: &mut Window,
        parts: &mut Parts<'_>,
    ) -> Result<(), Failed> {
        const CHUNK: u64 = MIN_SIZE as u64;
        let data = match rustix::fs::seek(fd, SeekFrom::Data(window.offset)) {
            Ok(data) => data,
            // No data any more.
            Err(Errno::NXIO) => size,
            // The filesystem cannot tell: everything is read.
            Err(_) => window.offset,
        };
        let chunks = data.saturating_sub(window.offset) / CHUNK;
        if chunks > 0 {
            let id = match self.shared.zeros.get() {
                Some(id) => *id,
                None => {
                    let id = self
                        .shared
                        .writer
                        .add(BlobKind::Data, &vec![0; MIN_SIZE], &mut self.scratch)?
                        .id;
                    *self.shared.zeros.get_or_init(|| id)
                }
            };
            for _ in 0..chunks {
                parts.ids.push(id);
                window.offset += CHUNK;
                self.shared.progress.bytes_done.fetch_add(CHUNK, Ordering::Relaxed);
            }
        }
        rustix::fs::seek(fd, SeekFrom::Start(window.offset))?;
        Ok(())
    }

    /// Gives the buffer with a chunk away and goes on with another, into which what was read ahead is copied.
    fn offer(&mut self, length: usize, window: &mut Window, parts: &mut Parts<'_>) -> Result<()> {
        let file = Arc::clone(parts.shared_file.get_or_insert_with(|| {
            Arc::new(OpenFile {
                folder: Arc::clone(parts.folder),
                slot: parts.slot,
                stored: Mutex::default(),
                pending: AtomicUsize::new(1),
                end: Mutex::default(),
            })
        }));
        let mut next = self.shared.buffer();
        let ahead = window.start + length..window.end;
        next[..ahead.len()].copy_from_slice(&self.buffer[ahead.clone()]);
        let chunk = ChunkJob {
            buffer: std::mem::replace(&mut self.buffer, next),
            start: window.start,
            length,
            number: parts.ids.len(),
            file,
        };
        (window.start, window.end) = (0, ahead.len());
        parts.ids.push(Id::ZERO);
        chunk.file.pending.fetch_add(1, Ordering::Relaxed);
        match self.shared.queue.offer(chunk) {
            Ok(()) => Ok(()),
            Err(chunk) => self.store_chunk(chunk),
        }
    }

    /// Stores a chunk that was on offer.
    pub(super) fn store_chunk(&mut self, chunk: ChunkJob) -> Result<()> {
        let ChunkJob {
            buffer,
            start,
            length,
            number,
            file,
        } = chunk;
        let id = self
            .shared
            .writer
            .add(BlobKind::Data, &buffer[start..][..length], &mut self.scratch)?
            .id;
        lock(&self.shared.buffers).push(buffer);
        lock(&file.stored).push((number, id));
        self.part_done(&file)
    }

    /// One part of a large file is done; the last one brings the file to its folder.
    fn part_done(&mut self, file: &OpenFile) -> Result<()> {
        if file.pending.fetch_sub(1, Ordering::AcqRel) != 1 {
            return Ok(());
        }
        let Some((mut node, previous)) = lock(&file.end).take() else {
            return self.bring(&file.folder, file.slot, None);
        };
        let content = node.content.get_or_insert_default();
        for (number, id) in lock(&file.stored).drain(..) {
            if let Some(place) = content.get_mut(number) {
                *place = id;
            }
        }
        self.shared.counts.file(previous.as_ref(), &node);
        self.bring(&file.folder, file.slot, Some(node))
    }
}

/// The chunks of the file being read.
struct Parts<'a> {
    /// Their ids in order; zero for those that other workers have in hand.
    ids: Vec<Id>,
    /// What those workers know the file by, once there are any.
    shared_file: Option<Arc<OpenFile>>,
    folder: &'a Arc<Folder>,
    slot: usize,
}

/// Opens a file without waiting (it may have become a pipe) and, where that is allowed, without touching its time of last
/// access.
fn open(dir: BorrowedFd<'_>, file: &PendingFile) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let open = |flags| match &file.given {
        Some(paths) => rustix::fs::openat(dir, &paths.1, flags, Mode::empty()),
        None => rustix::fs::openat(dir, file.node.name.as_slice(), flags, Mode::empty()),
    };
    let me = rustix::process::geteuid();
    if me.is_root() || me.as_raw() == file.stat.uid {
        match open(flags | OFlags::NOATIME) {
            Err(Errno::PERM) => {}
            done => return done,
        }
    }
    open(flags)
}

fn is_zero(bytes: &[u8]) -> bool {
    // Comparing with itself one byte on runs at the speed of memory.
    bytes.first() == Some(&0) && bytes[1..] == bytes[..bytes.len() - 1]
}

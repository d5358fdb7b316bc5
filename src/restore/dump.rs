//! Content to a stream: one file as it is, a folder as an archive.
//!
//! Blobs are read ahead on all cores within bounds and come out in order. What they go to is a [`Sink`]: the plain stream,
//! or one of the archive formats.

use std::collections::VecDeque;
use std::io::Write;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::links::Links;
use super::selection::{Matcher, trim};
use super::tar::TarSink;
use super::walk::{At, Enter, Start, Visitor, Walk, find_entry};
use super::zip::ZipSink;
use super::{Error, Issue, IssueKind, Problem, Result};
use crate::progress::{Cancel, Progress};
use crate::vault::compress::Scratch;
use crate::vault::{self, BlobKind, Generation, Id, IndexedVault, Node, NodeType};

/// Blobs read ahead at most.
const AHEAD: usize = 256;
/// Bytes read ahead at most, unless one blob is larger.
const AHEAD_BYTES: u64 = 24 << 20;

/// The archive formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// POSIX tar with PAX headers: keeps everything.
    Tar,
    /// zip: content, times, permission bits and symlinks.
    Zip,
}

/// What entries are written to.
pub(super) trait Sink {
    /// Starts an entry; the content of a file (`size` bytes) follows in pieces. `name` is relative, `link` the name of the
    /// first of several hard links. Returns what could not be kept.
    fn entry(&mut self, name: &[u8], node: &Node, size: u64, link: Option<&[u8]>) -> std::io::Result<Option<Issue>>;
    /// The next bytes of the file started last.
    fn content(&mut self, bytes: &[u8]) -> std::io::Result<()>;
    /// The file started last is complete.
    fn end_of_content(&mut self) -> std::io::Result<()>;
    /// No entry follows.
    fn finish(&mut self) -> std::io::Result<()>;
}

/// One file's bytes and nothing else.
struct Plain<'a>(&'a mut dyn Write);

impl Sink for Plain<'_> {
    fn entry(&mut self, _: &[u8], _: &Node, _: u64, _: Option<&[u8]>) -> std::io::Result<Option<Issue>> {
        Ok(None)
    }
    fn content(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes)
    }
    fn end_of_content(&mut self) -> std::io::Result<()> {
        Ok(())
    }
    fn finish(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Writes the content of one file, verified. Fails at the first blob that cannot be read.
pub fn dump_file(
    vault: &IndexedVault,
    generation: &Generation,
    path: &[u8],
    out: &mut dyn Write,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<()> {
    let start = Start::find(vault, generation, path)?;
    let shown = || String::from_utf8_lossy(path).into_owned();
    let wrong = |found| Error::WrongKind {
        path: shown(),
        found,
        wanted: "a file",
    };
    let Some(name) = start.only.first() else {
        return Err(wrong("a folder"));
    };
    let node = find_entry(vault, &start.tree, name)?.ok_or_else(|| Error::NotInGeneration {
        path: shown(),
        generation: generation.id.short(),
    })?;
    match node.kind {
        NodeType::File => {}
        NodeType::Dir => return Err(wrong("a folder")),
        NodeType::Symlink => return Err(wrong("a symlink")),
        NodeType::Dev | NodeType::CharDev => return Err(wrong("a device")),
        NodeType::Fifo => return Err(wrong("a fifo")),
        NodeType::Socket => return Err(wrong("a socket")),
    }
    let mut sink = Plain(out);
    with_readers(vault, progress, cancel, &mut sink, None, |pipeline| {
        pipeline.push(path.to_vec(), name.clone(), node, None)
    })
}

/// Writes a folder (or one file) as an archive; names are relative to `path`. What an archive cannot hold is reported. A
/// damaged blob ends it, since a stream cannot be taken back: the archive is then incomplete and the error says so.
#[allow(clippy::too_many_arguments)] // each is its own thing, and it is called in one place
pub fn dump_archive(
    vault: &IndexedVault,
    generation: &Generation,
    path: &[u8],
    format: ArchiveFormat,
    out: &mut dyn Write,
    progress: &Progress,
    cancel: &Cancel,
    report: &(dyn Fn(Issue) + Sync),
) -> Result<()> {
    let start = Start::find(vault, generation, path)?;
    let mut sink: Box<dyn Sink + '_> = match format {
        ArchiveFormat::Tar => Box::new(TarSink::new(out)),
        ArchiveFormat::Zip => Box::new(ZipSink::new(out)),
    };
    with_readers(vault, progress, cancel, sink.as_mut(), Some(report), |pipeline| {
        let links = (format == ArchiveFormat::Tar).then(Links::default);
        let mut dumping = Dumping {
            pipeline,
            above: start.path.len(),
            links,
        };
        Walk::new(vault, &Matcher::All, cancel).run(&start, &mut dumping)
    })
}

/// A blob that some thread reads, and where it goes when it is there.
struct Request {
    id: Id,
    answer: Sender<vault::Result<Vec<u8>>>,
}

/// A blob that was asked for.
struct Coming {
    blob: Receiver<vault::Result<Vec<u8>>>,
    length: u64,
}

/// An entry whose blobs have been asked for.
struct Waiting {
    path: Vec<u8>,
    name: Vec<u8>,
    node: Node,
    size: u64,
    link: Option<Vec<u8>>,
    blobs: VecDeque<Coming>,
    /// Blobs not asked for yet, last one first.
    rest: Vec<(Id, u64)>,
    started: bool,
}

/// Entries in order, with their blobs on the way.
struct Pipeline<'a> {
    vault: &'a IndexedVault,
    progress: &'a Progress,
    cancel: &'a Cancel,
    sink: &'a mut (dyn Sink + 'a),
    report: Option<&'a (dyn Fn(Issue) + Sync)>,
    requests: Sender<Request>,
    waiting: VecDeque<Waiting>,
    blobs: usize,
    bytes: u64,
}

fn with_readers(
    vault: &IndexedVault,
    progress: &Progress,
    cancel: &Cancel,
    sink: &mut dyn Sink,
    report: Option<&(dyn Fn(Issue) + Sync)>,
    fill: impl FnOnce(&mut Pipeline<'_>) -> Result<()>,
) -> Result<()> {
    std::thread::scope(|scope| {
        let (requests, queue) = bounded::<Request>(AHEAD);
        for _ in 0..super::threads(0) {
            let queue = queue.clone();
            scope.spawn(move || {
                let mut scratch = Scratch::default();
                for Request { id, answer } in queue {
                    let mut blob = Vec::new();
                    let read = vault.blob_into(BlobKind::Data, &id, &mut scratch, &mut blob);
                    // Nobody waits any more when the dump ended early.
                    let _ = answer.send(read.map(|()| blob));
                }
            });
        }
        let waiting = VecDeque::new();
        let mut pipeline = Pipeline {
            vault,
            progress,
            cancel,
            sink,
            report,
            requests,
            waiting,
            blobs: 0,
            bytes: 0,
        };
        fill(&mut pipeline)?;
        while !pipeline.waiting.is_empty() {
            pipeline.write_next()?;
        }
        pipeline.sink.finish().map_err(Error::Output)
    })
}

impl Pipeline<'_> {
    /// Adds an entry; writes earlier ones while too much is on its way.
    fn push(&mut self, path: Vec<u8>, name: Vec<u8>, node: Node, link: Option<Vec<u8>>) -> Result<()> {
        let mut rest = Vec::new();
        let mut size = 0;
        if link.is_none() {
            for id in node.content.as_deref().unwrap_or_default().iter() {
                let location = self.vault.index().find(BlobKind::Data, id);
                let location = location.ok_or(vault::Error::MissingBlob {
                    kind: BlobKind::Data,
                    id: *id,
                })?;
                rest.push((*id, u64::from(location.plain_length())));
                size += u64::from(location.plain_length());
            }
            rest.reverse();
        }
        self.progress
            .files_total
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.progress
            .bytes_total
            .fetch_add(size, std::sync::atomic::Ordering::Relaxed);
        self.waiting.push_back(Waiting {
            path,
            name,
            node,
            size,
            link,
            blobs: VecDeque::new(),
            rest,
            started: false,
        });
        self.ask();
        while self.waiting.back().is_some_and(|last| !last.rest.is_empty()) || self.waiting.len() > AHEAD {
            self.write_next()?;
        }
        Ok(())
    }

    /// Asks for blobs as far as the bounds allow.
    fn ask(&mut self) {
        for entry in &mut self.waiting {
            while let Some(&(id, length)) = entry.rest.last() {
                if self.blobs >= AHEAD || (self.blobs > 0 && self.bytes + length > AHEAD_BYTES) {
                    return;
                }
                entry.rest.pop();
                let (answer, blob) = bounded(1);
                // Never full: it has room for as many as are on their way.
                let _ = self.requests.send(Request { id, answer });
                entry.blobs.push_back(Coming { blob, length });
                self.blobs += 1;
                self.bytes += length;
            }
        }
    }

    /// Writes the next blob, or the start or end of an entry.
    fn write_next(&mut self) -> Result<()> {
        self.cancel.check()?;
        let Some(entry) = self.waiting.front_mut() else {
            return Ok(());
        };
        if !entry.started {
            entry.started = true;
            self.progress.set_current(&entry.path);
            let issue = self
                .sink
                .entry(&entry.name, &entry.node, entry.size, entry.link.as_deref());
            if let (Some(issue), Some(report)) = (issue.map_err(Error::Output)?, self.report) {
                report(Issue {
                    path: entry.path.clone(),
                    ..issue
                });
            }
        }
        if let Some(coming) = entry.blobs.pop_front() {
            let gone = || vault::Error::Internal("a reading thread ended".into());
            let blob = coming.blob.recv().map_err(|_| gone())?;
            let blob = blob.map_err(|error| Error::Content {
                path: String::from_utf8_lossy(&entry.path).into_owned(),
                source: error,
            })?;
            if blob.len() as u64 != coming.length {
                return Err(vault::Error::Internal("a blob is not as long as the index says".into()).into());
            }
            self.sink.content(&blob).map_err(Error::Output)?;
            self.progress
                .bytes_done
                .fetch_add(coming.length, std::sync::atomic::Ordering::Relaxed);
            self.blobs -= 1;
            self.bytes -= coming.length;
        } else {
            if entry.node.kind == NodeType::File && entry.link.is_none() {
                self.sink.end_of_content().map_err(Error::Output)?;
            }
            self.waiting.pop_front();
            self.progress
                .files_done
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        self.ask();
        Ok(())
    }

    fn issue(&self, path: &[u8], kind: IssueKind, error: &str) {
        if let Some(report) = self.report {
            report(Issue {
                path: path.to_vec(),
                kind,
                error: error.to_owned(),
            });
        }
    }
}

/// Sends a walk's entries through the pipeline.
struct Dumping<'a, 'b> {
    pipeline: &'a mut Pipeline<'b>,
    above: usize,
    /// Only where the archive knows hard links; elsewhere each name gets the content.
    links: Option<Links>,
}

impl Dumping<'_, '_> {
    fn name(&self, path: &[u8]) -> Vec<u8> {
        trim(path.get(self.above..).unwrap_or_default()).to_vec()
    }
}

impl Visitor for Dumping<'_, '_> {
    fn enter(&mut self, at: &At<'_>, node: Option<&Node>) -> Result<Enter> {
        if let Some(node) = node.filter(|_| at.index != 0) {
            self.pipeline
                .push(at.path.to_vec(), self.name(at.path), node.clone(), None)?;
        }
        Ok(Enter::Yes)
    }

    fn unreadable(&mut self, at: &At<'_>, error: &vault::Error) -> Result<Enter> {
        self.pipeline.issue(
            at.path,
            IssueKind::Damaged,
            &format!("its listing cannot be read: {error}"),
        );
        Ok(Enter::No)
    }

    fn entry(&mut self, at: &At<'_>, node: Node) -> Result<()> {
        if node.kind == NodeType::Socket {
            self.pipeline.issue(
                at.path,
                IssueKind::NotRestored,
                "a socket has no place in an archive; it was left out",
            );
            return Ok(());
        }
        let links = self.links.as_mut().filter(|_| node.kind == NodeType::File);
        let first = links.and_then(|links| links.see(at.index, at.path, &node));
        let link = first.map(|first| self.name(&first.path));
        self.pipeline.push(at.path.to_vec(), self.name(at.path), node, link)
    }

    fn problem(&mut self, at: &At<'_>, problem: Problem) -> Result<()> {
        let (kind, error) = super::execute::explain(problem.into());
        self.pipeline.issue(at.path, kind, error);
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        Ok(())
    }
}

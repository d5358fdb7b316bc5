//! Backing up a stream, such as standard input, as one file.

use std::io::Read;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::folder::lock;
use super::options::StdinSource;
use super::worker::Shared;
use super::{Error, Result, disk};
use crate::vault::chunker::MAX_SIZE;
use crate::vault::compress::Scratch;
use crate::vault::tree::mode;
use crate::vault::{BlobKind, Id, Node, NodeType, Tree};

/// Bytes that are passed on at once.
const PIECE: usize = 1 << 20;
/// How long a stop may go unnoticed while nothing comes in.
const PATIENCE: Duration = Duration::from_millis(100);

/// The path in the generation.
pub(super) fn path(source: &StdinSource) -> String {
    format!("/{}", names(source).collect::<Vec<_>>().join("/"))
}

fn names(source: &StdinSource) -> impl DoubleEndedIterator<Item = &str> {
    source.name.split('/').filter(|name| !matches!(*name, "" | "." | ".."))
}

/// Stores the stream and the folders above it; returns the root's tree. A stream that fails half way is an error: half a
/// database dump must not look like a whole one.
pub(super) fn store(shared: &Shared<'_>, source: &StdinSource) -> Result<Id> {
    let bad = |why: &str| Error::Target {
        path: source.name.clone().into(),
        why: why.to_owned(),
    };
    let mut names = names(source).rev();
    let name = names.next().ok_or_else(|| bad("it is no file name"))?;
    let reader = lock(&source.reader)
        .take()
        .ok_or_else(|| bad("the stream was read already"))?;
    let mut scratch = Scratch::default();
    let (content, size) = content(shared, reader, &mut scratch).map_err(|error| match error {
        Failed::Stream(source_error) => Error::Stdin {
            name: source.name.clone(),
            source: source_error,
        },
        Failed::Backup(error) => error,
    })?;
    let entry = |name: &str, kind, mode| Node {
        name: name.as_bytes().to_vec(),
        ..disk::node(shared, kind, mode)
    };
    let mut node = entry(name, NodeType::File, 0o644);
    node.size = size;
    node.content = Some(content);
    shared.counts.file(None, &node);
    shared.progress.files_done.fetch_add(1, Ordering::Relaxed);
    loop {
        let bytes = Tree { nodes: vec![node] }.encode();
        let tree = shared.writer.add(BlobKind::Tree, &bytes, &mut scratch)?.id;
        let Some(name) = names.next() else { return Ok(tree) };
        node = entry(name, NodeType::Dir, mode::DIR | 0o755);
        node.subtree = Some(tree);
        shared.counts.dirs_new.fetch_add(1, Ordering::Relaxed);
    }
}

enum Failed {
    Stream(std::io::Error),
    Backup(Error),
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Failed {
        Failed::Backup(error.into())
    }
}

/// Chunks and stores what a thread of its own reads: a read may wait for ever, a stop must not.
fn content(
    shared: &Shared<'_>,
    mut reader: Box<dyn Read + Send>,
    scratch: &mut Scratch,
) -> Result<(Vec<Id>, u64), Failed> {
    let (send, pieces) = bounded(2);
    let read = move || {
        loop {
            let mut piece = Vec::with_capacity(PIECE);
            let done = match reader.by_ref().take(PIECE as u64).read_to_end(&mut piece) {
                Ok(0) => return,
                Ok(_) => send.send(Ok(piece)),
                Err(error) => send.send(Err(error)),
            };
            if done.is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name("backup-stream".to_owned()).spawn(read);
    thread.map_err(Failed::Stream)?;
    let mut buffer: Vec<u8> = Vec::with_capacity(MAX_SIZE + PIECE);
    let (mut ids, mut size, mut searched, mut complete) = (Vec::new(), 0, 0, false);
    while !complete || !buffer.is_empty() {
        let length = match shared.chunker.next_cut(&buffer, searched) {
            Some(length) => length,
            None if complete => buffer.len(),
            None => {
                searched = buffer.len();
                match next_piece(shared, &pieces)? {
                    Some(piece) => buffer.extend_from_slice(&piece),
                    None => complete = true,
                }
                continue;
            }
        };
        ids.push(shared.writer.add(BlobKind::Data, &buffer[..length], scratch)?.id);
        shared.progress.bytes_done.fetch_add(length as u64, Ordering::Relaxed);
        size += length as u64;
        buffer.drain(..length);
        searched = 0;
    }
    Ok((ids, size))
}

fn next_piece(shared: &Shared<'_>, pieces: &Receiver<std::io::Result<Vec<u8>>>) -> Result<Option<Vec<u8>>, Failed> {
    loop {
        shared.cancel.check()?;
        match pieces.recv_timeout(PATIENCE) {
            Ok(Ok(piece)) => return Ok(Some(piece)),
            Ok(Err(error)) => return Err(Failed::Stream(error)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
}

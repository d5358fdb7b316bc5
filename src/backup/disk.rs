//! Backing up disks of machines, each as one file of its content, with a small text beside it that tells what it is.
//!
//! A disk that knows what has changed since the generation before is read only there: elsewhere the chunks of that generation
//! are taken over as they are. Where something changed, it is read from the beginning of the chunk in which that lies until
//! chunks end where they ended before. What is known to be zeros is not read either.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, bounded};

use super::folder::lock;
use super::worker::Shared;
use super::{Error, Result};
use crate::vault::chunker::{MAX_SIZE, MIN_SIZE};
use crate::vault::compress::Scratch;
use crate::vault::generation::Generation;
use crate::vault::tree::mode;
use crate::vault::{self, BlobKind, Id, Node, NodeType, Tree};

/// Bytes asked for at once. What is read beyond the end of a change is read in vain.
const STEP: usize = 256 << 10;

/// The content of a disk.
pub trait Disk: Send + Sync + std::fmt::Debug {
    /// How large it is, bytes.
    fn size(&self) -> u64;

    /// How many bytes from `at` on are zeros for sure; 0 where it must be read.
    fn zeros_at(&self, at: u64) -> u64;

    /// Reads all of `into` from `at` on.
    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()>;

    /// The ranges, in order, that may differ from the disk that was told of as `about`; `None` when that cannot be known.
    fn changed_since(&self, about: &[u8]) -> Option<Vec<Range<u64>>>;

    /// Asked when all is read: whether all of that was the disk of the one moment. On an error no generation is saved.
    fn is_still_there(&self) -> io::Result<()>;
}

/// A disk to back up.
#[derive(Debug)]
pub struct DiskSource {
    /// The file of its content in the generation: absolute.
    pub path: PathBuf,
    /// The file that tells of it: absolute.
    pub about_path: PathBuf,
    /// What that says.
    pub about: Vec<u8>,
    /// The disk.
    pub disk: Box<dyn Disk>,
}

/// The paths as the generation records them.
pub(super) fn paths(sources: &[DiskSource]) -> Vec<String> {
    sources
        .iter()
        .map(|source| super::parent::recorded(&source.path))
        .collect()
}

/// Stores the disks, the texts beside them and the folders above; the root's tree, and how many bytes were read.
pub(super) fn store(shared: &Shared<'_>, sources: &[DiskSource], parent: Option<&Generation>) -> Result<(Id, u64)> {
    let progress = shared.progress;
    progress
        .bytes_total
        .store(sources.iter().map(|source| source.disk.size()).sum(), Ordering::Relaxed);
    progress.files_total.store(sources.len() as u64, Ordering::Relaxed);
    progress.totals_known.store(true, Ordering::Relaxed);
    let mut root = Branch::default();
    let mut read = 0;
    let mut scratch = Scratch::default();
    for source in sources {
        progress.set_current(source.path.as_os_str().as_bytes());
        let find = |path: &Path| parent.and_then(|parent| find(shared, parent, path));
        let (old, old_about) = (find(&source.path), find(&source.about_path));
        let before = old.as_ref().zip(old_about.as_ref());
        let known = before.and_then(|(old, about)| Known::new(shared, source, old, about));
        let (content, bytes) = content(shared, source, known.unwrap_or_default())?;
        read += bytes;
        let mut node = node(shared, NodeType::File, 0o600);
        node.size = source.disk.size();
        node.content = Some(content);
        shared.counts.file(old.as_ref(), &named(&node, &source.path));
        root.put(&source.path, node);
        let mut about = self::node(shared, NodeType::File, 0o600);
        about.size = source.about.len() as u64;
        about.content = Some(vec![shared.writer.add(BlobKind::Data, &source.about, &mut scratch)?.id]);
        shared
            .counts
            .file(old_about.as_ref(), &named(&about, &source.about_path));
        root.put(&source.about_path, about);
        progress.files_done.fetch_add(1, Ordering::Relaxed);
    }
    for source in sources {
        source
            .disk
            .is_still_there()
            .map_err(|error| unreadable(source, error))?;
    }
    Ok((root.store(shared, &mut scratch)?, read))
}

fn named(node: &Node, path: &Path) -> Node {
    let mut node = node.clone();
    node.name = path.file_name().unwrap_or_default().as_bytes().to_vec();
    node
}

/// An entry that stands for nothing on a filesystem: it is the user's, as of the generation's time.
pub(super) fn node(shared: &Shared<'_>, kind: NodeType, mode: u32) -> Node {
    let options = shared.options;
    Node {
        kind,
        mode,
        mtime: options.time,
        atime: options.time,
        ctime: options.time,
        uid: options.uid,
        gid: options.gid,
        user: options.user.as_str().into(),
        ..Node::default()
    }
}

/// A folder of the generation in the making.
#[derive(Default)]
struct Branch(BTreeMap<Vec<u8>, Item>);

enum Item {
    Folder(Branch),
    File(Box<Node>),
}

impl Branch {
    fn put(&mut self, path: &Path, node: Node) {
        let names: Vec<&[u8]> = super::pattern::components(path.as_os_str().as_bytes());
        let Some((name, above)) = names.split_last() else {
            return;
        };
        let mut branch = self;
        for folder in above {
            let item = branch
                .0
                .entry(folder.to_vec())
                .or_insert_with(|| Item::Folder(Branch::default()));
            match item {
                Item::Folder(inner) => branch = inner,
                // Two disks, one of which lies in the other: that cannot be.
                Item::File(_) => return,
            }
        }
        branch.0.insert(name.to_vec(), Item::File(Box::new(node)));
    }

    fn store(self, shared: &Shared<'_>, scratch: &mut Scratch) -> Result<Id> {
        let mut nodes = Vec::new();
        for (name, item) in self.0 {
            let mut node = match item {
                Item::File(node) => *node,
                Item::Folder(inner) => {
                    let mut node = node(shared, NodeType::Dir, mode::DIR | 0o755);
                    node.subtree = Some(inner.store(shared, scratch)?);
                    shared.counts.dirs_new.fetch_add(1, Ordering::Relaxed);
                    node
                }
            };
            node.name = name;
            nodes.push(node);
        }
        let bytes = Tree { nodes }.encode();
        Ok(shared.writer.add(BlobKind::Tree, &bytes, scratch)?.id)
    }
}

/// An entry of a generation. What cannot be read is as if it was not there: then more is read of the disk.
fn find(shared: &Shared<'_>, generation: &Generation, path: &Path) -> Option<Node> {
    let mut tree = generation.tree;
    let names = super::pattern::components(path.as_os_str().as_bytes());
    let (last, above) = names.split_last()?;
    let entry = |tree: &Id, name: &[u8]| {
        let nodes = shared.vault.tree(tree).ok()?.nodes;
        nodes.into_iter().find(|node| node.name == name)
    };
    for name in above {
        tree = entry(&tree, name)?.subtree?;
    }
    entry(&tree, last).filter(|node| node.kind == NodeType::File)
}

/// What is known of a disk from the generation before.
#[derive(Default)]
struct Known {
    /// Its chunks by where they begin: where they end, and their ids.
    chunks: BTreeMap<u64, (u64, Id)>,
    /// What may have changed since, in order.
    changed: Vec<Range<u64>>,
}

impl Known {
    fn new(shared: &Shared<'_>, source: &DiskSource, old: &Node, about: &Node) -> Option<Known> {
        let mut text = Vec::new();
        for id in about.content.as_deref().unwrap_or_default() {
            text.extend(shared.vault.blob(BlobKind::Data, id).ok()?);
        }
        let changed = source.disk.changed_since(&text)?;
        let mut chunks = BTreeMap::new();
        let mut start = 0;
        for id in old.content.as_deref().unwrap_or_default() {
            // Behind one that is lost nobody knows where the others begin.
            let Some(location) = shared.vault.index().find(BlobKind::Data, id) else {
                break;
            };
            let end = start + u64::from(location.plain_length());
            chunks.insert(start, (end, *id));
            start = end;
        }
        Some(Known { chunks, changed })
    }

    /// The chunk that begins at `at` and is as it was.
    fn at(&self, at: u64, size: u64) -> Option<(u64, Id)> {
        let (end, id) = self.chunks.get(&at).copied()?;
        let next = self.changed.partition_point(|range| range.end <= at);
        let same = self.changed.get(next).is_none_or(|range| range.start >= end);
        (same && end <= size && end > at).then_some((end, id))
    }
}

/// A chunk to store, and which one of the disk it is.
type Chunk = (usize, Vec<u8>);

/// The chunks of a disk, and how many bytes were read.
fn content(shared: &Shared<'_>, source: &DiskSource, known: Known) -> Result<(Vec<Id>, u64)> {
    let threads = shared.options.threads.unwrap_or_else(|| {
        let there = std::thread::available_parallelism();
        there.map_or(1, usize::from)
    });
    let threads = threads.clamp(1, 8);
    let (send, chunks) = bounded::<Chunk>(threads);
    let stored = Mutex::new(Vec::new());
    let failure: Mutex<Option<vault::Error>> = Mutex::default();
    let found = std::thread::scope(|scope| {
        for n in 0..threads {
            let chunks = chunks.clone();
            let (stored, failure) = (&stored, &failure);
            let work = move || store_chunks(shared, &chunks, stored, failure);
            // With fewer threads than wanted it takes longer, no more; without any it cannot go on.
            let spawned = std::thread::Builder::new()
                .name(format!("backup-disk-{n}"))
                .spawn_scoped(scope, work);
            if let (Err(error), 0) = (spawned, n) {
                return Err(unreadable(source, error));
            }
        }
        drop(chunks);
        cut(shared, source, &known, &|chunk| send.send(chunk).is_ok()).inspect(|_| drop(send))
    });
    if let Some(error) = lock(&failure).take() {
        return Err(error.into());
    }
    let (mut ids, read) = found?;
    for (number, id) in lock(&stored).drain(..) {
        if let Some(place) = ids.get_mut(number) {
            *place = id;
        }
    }
    Ok((ids, read))
}

fn unreadable(source: &DiskSource, error: io::Error) -> Error {
    Error::Disk {
        path: source.path.clone(),
        source: error,
    }
}

fn store_chunks(
    shared: &Shared<'_>,
    chunks: &Receiver<Chunk>,
    stored: &Mutex<Vec<(usize, Id)>>,
    failure: &Mutex<Option<vault::Error>>,
) {
    let mut scratch = Scratch::default();
    for (number, bytes) in chunks {
        match shared.writer.add(BlobKind::Data, &bytes, &mut scratch) {
            Ok(added) => lock(stored).push((number, added.id)),
            Err(error) => {
                lock(failure).get_or_insert(error);
                // The others go on until there is nothing more: whoever sends must not wait for ever.
                return;
            }
        }
    }
}

/// Cuts a disk into chunks: gives those that must be stored to `store`, with a place in the list of ids that is filled
/// later.
fn cut(
    shared: &Shared<'_>,
    source: &DiskSource,
    known: &Known,
    store: &dyn Fn(Chunk) -> bool,
) -> Result<(Vec<Id>, u64)> {
    let disk = &*source.disk;
    let size = disk.size();
    let mut ids = Vec::new();
    let (mut at, mut read) = (0, 0);
    let mut buffer: Vec<u8> = Vec::with_capacity(MAX_SIZE + STEP);
    let mut zeros = None;
    while at < size {
        shared.cancel.check()?;
        let done = |n: u64| shared.progress.bytes_done.fetch_add(n, Ordering::Relaxed);
        if let Some((end, id)) = known.at(at, size)
            && shared.writer.has(BlobKind::Data, &id)
        {
            ids.push(id);
            done(end - at);
            let passed = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
            buffer.drain(..passed);
            at = end;
            continue;
        }
        if disk.zeros_at(at) >= MIN_SIZE as u64 {
            let id = match zeros {
                Some(id) => id,
                None => {
                    shared
                        .writer
                        .add(BlobKind::Data, &vec![0; MIN_SIZE], &mut Scratch::default())?
                        .id
                }
            };
            zeros = Some(id);
            ids.push(id);
            done(MIN_SIZE as u64);
            buffer.drain(..MIN_SIZE.min(buffer.len()));
            at += MIN_SIZE as u64;
            continue;
        }
        let mut searched = 0;
        let length = loop {
            if buffer.len() > searched
                && let Some(length) = shared.chunker.next_cut(&buffer, searched)
            {
                break length;
            }
            searched = buffer.len();
            let from = at + searched as u64;
            if from >= size {
                break searched;
            }
            let step = STEP.min(usize::try_from(size - from).unwrap_or(STEP));
            buffer.resize(searched + step, 0);
            disk.read_at(from, &mut buffer[searched..])
                .map_err(|error| unreadable(source, error))?;
            read += step as u64;
        };
        let rest = buffer.split_off(length);
        let chunk = std::mem::replace(&mut buffer, rest);
        if !store((ids.len(), chunk)) {
            // Whoever stores has failed, and says why.
            break;
        }
        ids.push(Id::ZERO);
        done(length as u64);
        at += length as u64;
    }
    Ok((ids, read))
}

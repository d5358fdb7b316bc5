//! Reading the trees that are not known yet, each once, and what follows from it: numbers for what is met, and what refers
//! to what.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;

use super::edges::{put_content, put_folder};
use super::numbers::{Key, Numbers, key_of};
use super::part::Item;
use super::record::{Lacking, VERSION};
use super::source::{Folder, Source, Weight};
use super::spans::MixMap;
use super::spool::{Spool, Spooled};
use super::state::State;
use super::{Error, Result};
use crate::progress::{Cancel, Progress};
use crate::storage::StorageError;
use crate::vault::{self, BlobKind, Id, crew};

/// The blob is all there is of some file.
const SINGLE: u8 = 1;
/// The blob is one of several of some file.
const PART: u8 = 2;

/// What is met and not known yet.
pub(super) struct Reading<'a> {
    state: Option<&'a State>,
    /// Numbers from these on are new.
    first: [u32; 3],
    numbers: [Numbers<Key>; 3],
    /// How each new blob is used.
    uses: Vec<u8>,
    /// How known blobs are used, where that has changed.
    known_uses: MixMap<u32, u8>,
    alone: MixMap<u32, u32>,
    lacking: Vec<Lacking>,
    edges: [Spool; 2],
    offsets: [Vec<u64>; 2],
    /// Of new trees and blobs, when they are weighed as they come.
    weights: Option<[Vec<Weight>; 2]>,
    lists: [Vec<u32>; 4],
}

/// What was met, and how it hangs together with what was known.
pub(super) struct Facts<'a> {
    pub state: Option<&'a State>,
    /// Numbers from these on are new.
    pub first: [u32; 3],
    /// New ones' keys, by number.
    pub keys: [Vec<Key>; 3],
    /// How many there are of each, known and new.
    counts: [u32; 3],
    /// Blobs that are a content and part of another since now: with the numbers of those contents.
    pub alone: MixMap<u32, u32>,
    pub lacking: Vec<Lacking>,
    /// Of new trees and blobs, when they were weighed as they came.
    pub weights: Option<[Vec<Weight>; 2]>,
    uses: Vec<u8>,
    known_uses: MixMap<u32, u8>,
    edges: [Spooled; 2],
    offsets: [Vec<u64>; 2],
}

impl<'a> Reading<'a> {
    /// Nothing read yet; what is too much for memory is beside the file that is being made. `weigh`: each new blob is weighed when it is met, which is right for a few.
    pub fn new(state: Option<&'a State>, file: &Path, weigh: bool) -> Result<Reading<'a>> {
        Ok(Reading {
            state,
            first: Item::ALL.map(|item| state.map_or(0, |state| state.count(item))),
            numbers: Default::default(),
            uses: Vec::new(),
            known_uses: MixMap::default(),
            alone: MixMap::default(),
            lacking: Vec::new(),
            edges: [
                Spool::new(file.with_extension("folders"))?,
                Spool::new(file.with_extension("contents"))?,
            ],
            offsets: Default::default(),
            weights: weigh.then(Default::default),
            lists: Default::default(),
        })
    }

    /// The number of something; whether it is new.
    fn number(&mut self, item: Item, key: Key) -> Result<(u32, bool)> {
        if let Some(state) = self.state
            && let Some(known) = state.number(item, &key)?
        {
            return Ok((known, false));
        }
        let first = self.first[item as usize];
        let (number, new) = self.numbers[item as usize].number(key);
        // The last few numbers have meanings of their own.
        let number = first.checked_add(number).filter(|n| *n < u32::MAX - 8);
        let what = ["folders", "blobs", "files"][item as usize];
        Ok((number.ok_or(Error::TooMany(what))?, new))
    }

    fn tree(&mut self, id: &Id, source: &impl Source) -> Result<(u32, bool)> {
        let (number, new) = self.number(Item::Tree, key_of(id))?;
        if new {
            self.offsets[0].push(u64::MAX);
            self.weigh(BlobKind::Tree, number, id, source);
        }
        Ok((number, new))
    }

    fn weigh(&mut self, kind: BlobKind, number: u32, id: &Id, source: &impl Source) {
        let Some(weights) = &mut self.weights else { return };
        let weight = source.weigh(kind, id);
        let lacks = weight.is_none();
        weights[usize::from(kind == BlobKind::Data)].push(weight.unwrap_or_default());
        if lacks {
            let key = key_of(id);
            self.lacking.push(Lacking { kind, number, key });
        }
    }

    /// The number of a blob that is used like this.
    fn blob(&mut self, id: &Id, used: u8, source: &impl Source) -> Result<u32> {
        let (number, new) = self.number(Item::Blob, key_of(id))?;
        if new {
            self.uses.push(0);
            self.weigh(BlobKind::Data, number, id, source);
        }
        let before = self.uses_of(number)?;
        let after = before | used;
        if after != before {
            match number.checked_sub(self.first[Item::Blob as usize]) {
                Some(new) => self.uses[new as usize] = after,
                None => drop(self.known_uses.insert(number, after)),
            }
            if after == SINGLE | PART {
                // As a content it may live shorter than as a blob.
                let content = self.content(content_key(std::slice::from_ref(id)), |out| put_content(out, &[number]))?;
                self.alone.insert(number, content);
            }
        }
        Ok(number)
    }

    fn uses_of(&self, blob: u32) -> Result<u8> {
        if let Some(new) = blob.checked_sub(self.first[Item::Blob as usize]) {
            return Ok(self.uses[new as usize]);
        }
        if let Some(uses) = self.known_uses.get(&blob) {
            return Ok(*uses);
        }
        let Some(state) = self.state else { return Ok(0) };
        Ok(if state.alone.contains_key(&blob) {
            SINGLE | PART
        } else if state.record(Item::Blob, blob)?.word & VERSION != 0 {
            SINGLE
        } else {
            PART
        })
    }

    /// The number of a content, whose edges are written down when it is new.
    fn content(&mut self, key: Key, fill: impl FnOnce(&mut Vec<u8>)) -> Result<u32> {
        let (number, new) = self.number(Item::Content, key)?;
        if new {
            let at = self.edges[1].add(fill)?;
            self.offsets[1].push(at);
        }
        Ok(number)
    }

    /// Takes in a tree that was read; trees that are new go to `todo`.
    fn take(&mut self, tree: u32, read: &Read, todo: &mut Vec<(u32, Id)>, source: &impl Source) -> Result<()> {
        let [mut trees, mut files, mut contents, mut blobs] = std::mem::take(&mut self.lists);
        [&mut trees, &mut files, &mut contents].into_iter().for_each(Vec::clear);
        for id in &read.folder.folders {
            let (number, new) = self.tree(id, source)?;
            trees.push(number);
            if new {
                todo.push((number, *id));
            }
        }
        let mut rest = &read.folder.blobs[..];
        let mut keys = read.contents.iter();
        for count in &read.folder.files {
            let (file, later) = rest.split_at(*count as usize);
            rest = later;
            if let [id] = file {
                files.push(self.blob(id, SINGLE, source)?);
                continue;
            }
            let key = keys.next().copied().unwrap_or_else(|| content_key(file));
            // Numbered first: what is new of it gets numbers that follow each other.
            blobs.clear();
            if self.is_new(&key)? {
                for id in file {
                    blobs.push(self.blob(id, PART, source)?);
                }
            }
            contents.push(self.content(key, |out| put_content(out, &blobs))?);
        }
        let at = self.edges[0].add(|out| put_folder(out, &trees, &files, &contents))?;
        self.offsets[0][(tree - self.first[0]) as usize] = at;
        self.lists = [trees, files, contents, blobs];
        Ok(())
    }

    fn is_new(&self, content: &Key) -> Result<bool> {
        let known = match self.state {
            Some(state) => state.number(Item::Content, content)?,
            None => None,
        };
        Ok(known.is_none() && self.numbers[Item::Content as usize].get(content).is_none())
    }

    /// All is read.
    fn finish(mut self) -> Result<Facts<'a>> {
        // A tree that is in no pack could not be read either.
        self.lacking.sort_unstable();
        self.lacking.dedup();
        let [folders, contents] = self.edges;
        let keys = self.numbers.map(Numbers::into_values);
        Ok(Facts {
            state: self.state,
            first: self.first,
            counts: Item::ALL.map(|item| self.first[item as usize] + keys[item as usize].len() as u32),
            keys,
            alone: self.alone,
            lacking: self.lacking,
            weights: self.weights,
            uses: self.uses,
            known_uses: self.known_uses,
            edges: [folders.finish()?, contents.finish()?],
            offsets: self.offsets,
        })
    }
}

/// The key of a content: of the hash of its blobs' ids.
pub(super) fn content_key(blobs: &[Id]) -> Key {
    let parts: Vec<&[u8]> = blobs.iter().map(|id| &id.0[..]).collect();
    key_of(&Id::of_parts(&parts))
}

impl Facts<'_> {
    /// How many of a kind there are, with those known before.
    pub fn count(&self, item: Item) -> u32 {
        self.counts[item as usize]
    }

    /// What a folder or a content refers to, and perhaps more behind it; empty for a tree that could not be read.
    pub fn edges(&self, item: Item, n: u32) -> Result<&[u8]> {
        let Some(new) = n.checked_sub(self.first[item as usize]) else {
            return self.state.map_or(Ok(&[]), |state| state.edges(item, n));
        };
        let which = usize::from(item == Item::Content);
        let at = self.offsets[which].get(new as usize).copied().unwrap_or(u64::MAX);
        Ok(self.edges[which].from(at))
    }

    /// Gives back memory that is not needed for a while.
    pub fn release(&self) {
        self.edges.iter().for_each(Spooled::release);
    }

    /// The content that stands for a single blob as a whole file, when that is not the blob itself.
    pub fn alone(&self, blob: u32) -> Option<u32> {
        let known = || self.state.and_then(|state| state.alone.get(&blob));
        self.alone.get(&blob).or_else(known).copied()
    }

    /// Whether a blob is a content and part of no other one.
    pub fn is_version(&self, blob: u32) -> Result<bool> {
        Ok(match blob.checked_sub(self.first[Item::Blob as usize]) {
            Some(new) => self.uses.get(new as usize) == Some(&SINGLE),
            None => match (self.known_uses.get(&blob), self.state) {
                (Some(uses), _) => *uses == SINGLE,
                (None, Some(state)) => state.record(Item::Blob, blob)?.word & VERSION != 0,
                (None, None) => false,
            },
        })
    }
}

/// What one thread reads into.
struct Read<S = ()> {
    folder: Folder,
    contents: Vec<Key>,
    scratch: S,
}

impl<S: Default> Default for Read<S> {
    fn default() -> Self {
        Read {
            folder: Folder::default(),
            contents: Vec::new(),
            scratch: S::default(),
        }
    }
}

/// What the threads share.
struct Shared<'a> {
    reading: Reading<'a>,
    failure: Option<Error>,
}

/// Reads all trees below these roots that are not known; gives the roots' numbers. Counts trees into `progress` as files.
pub(super) fn read<'a, S: Source>(
    mut reading: Reading<'a>,
    roots: &[Id],
    source: &S,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<(Facts<'a>, Vec<u32>)> {
    let mut todo = Vec::new();
    let mut numbers = Vec::new();
    for root in roots {
        let (number, new) = reading.tree(root, source)?;
        numbers.push(number);
        if new {
            todo.push((number, *root));
        }
    }
    progress.files_total.fetch_add(todo.len() as u64, Ordering::Relaxed);
    let shared = Shared { reading, failure: None };
    let shared = crew::run(
        todo,
        shared,
        cancel,
        |(_, id), read: &mut Read<S::Scratch>| {
            read.folder.clear();
            read.contents.clear();
            let result = source.read(id, &mut read.scratch, &mut read.folder);
            let mut rest = &read.folder.blobs[..];
            for count in &read.folder.files {
                let (file, later) = rest.split_at(rest.len().min(*count as usize));
                rest = later;
                if file.len() > 1 {
                    read.contents.push(content_key(file));
                }
            }
            progress.files_done.fetch_add(1, Ordering::Relaxed);
            result
        },
        |shared, (number, id), result, read, todo| {
            let before = todo.len();
            let Shared { reading, failure } = shared;
            let taken = match result {
                Ok(()) => {
                    let folder = Read {
                        folder: std::mem::take(&mut read.folder),
                        contents: std::mem::take(&mut read.contents),
                        scratch: (),
                    };
                    let taken = reading.take(number, &folder, todo, source);
                    (read.folder, read.contents) = (folder.folder, folder.contents);
                    taken
                }
                Err(error) if is_lacking(&error) => {
                    reading.lacking.push(Lacking {
                        kind: BlobKind::Tree,
                        number,
                        key: key_of(&id),
                    });
                    Ok(())
                }
                Err(error) => Err(error.into()),
            };
            let new = todo.len().saturating_sub(before) as u64;
            progress.files_total.fetch_add(new, Ordering::Relaxed);
            match taken {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure.get_or_insert(error);
                    ControlFlow::Break(())
                }
            }
        },
    );
    cancel.check()?;
    match shared.failure {
        Some(error) => Err(error),
        None => Ok((shared.reading.finish()?, numbers)),
    }
}

/// Whether an error says that this one blob cannot be had, and not that nothing can.
fn is_lacking(error: &vault::Error) -> bool {
    matches!(
        error,
        vault::Error::MissingBlob { .. }
            | vault::Error::BadBlob { .. }
            | vault::Error::Damaged { .. }
            | vault::Error::Storage(StorageError::NotFound { .. })
    )
}

//! Making the whole file: from trees just read, from what an earlier file knows of those read before, or from both.

use std::fs::File;
use std::path::Path;

use super::edges::{self, Edge};
use super::finals::{Finals, Map, UNREACHED};
use super::flow::flow;
use super::keys::Keys;
use super::numbers::{Key, key_of};
use super::part::{Counts, Item, PartWriter, Section};
use super::read::Facts;
use super::record::{COMPRESSED, Known, LACKS, Lacking, Layout, Record, VERSION};
use super::source::{Source, Weight};
use super::state::{put_set, put_sums};
use super::{Error, Result, Sums, local};
use crate::progress::Cancel;
use crate::vault::{BlobKind, Id};

/// How many items are written between looks at whether to stop.
const STEP: u32 = 1 << 16;

/// Ending of the name of a file that is being written.
pub(super) const TEMPORARY: &str = "temporary";

/// What is written down beside the generations.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub vault: &'a [u8; 16],
    pub path: &'a Path,
    /// Keys of the vault's index files, sorted.
    pub index_files: &'a [Key],
}

/// Writes the file anew, under another name first. Generations are sorted by number.
pub(super) fn rewrite<S: Source>(
    facts: Facts,
    layout: &Layout,
    generations: Vec<Known>,
    source: &S,
    around: Around,
    cancel: &Cancel,
) -> Result<()> {
    let temporary = around.path.with_extension(TEMPORARY);
    let write = || -> Result<()> {
        let mut options = File::options();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&temporary);
        let out = PartWriter::new(file.map_err(local("create", &temporary))?, &temporary, 0)?;
        let roots: Vec<(u32, u32)> = generations.iter().map(|known| (known.number, known.root)).collect();
        let flowed = flow(&facts, &roots, cancel)?;
        facts.release();
        let (finals, words) = Finals::new(flowed, layout)?;
        let mut writing = Writing {
            out,
            maps: Item::ALL.map(|item| Map::new(&words[item as usize])),
            weights: [Item::Tree, Item::Blob].map(|item| vec![[0; 2]; words[item as usize].len()]),
            words,
            lacking: Vec::new(),
            facts,
        };
        writing.keys(source)?;
        writing.items(&finals, cancel)?;
        writing.rest(layout, &generations, &around)?;
        let counts = Counts {
            first: [0; 3],
            items: Item::ALL.map(|item| writing.maps[item as usize].len()),
            first_set: 0,
            sets: finals.len() as u32,
        };
        writing.out.finish(around.vault, &counts)?;
        std::fs::rename(&temporary, around.path).map_err(local("replace", around.path))
    };
    let result = write();
    if result.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

struct Writing<'a> {
    facts: Facts<'a>,
    out: PartWriter,
    /// New numbers by old ones; all else is by old ones.
    maps: [Map; 3],
    /// Set and flags.
    words: [Vec<u32>; 3],
    /// Sealed and plain bytes.
    weights: [Vec<[u32; 2]>; 2],
    lacking: Vec<Lacking>,
}

fn damaged(facts: &Facts) -> Error {
    let file = facts.state.map(|state| state.path.to_path_buf());
    Error::Damaged {
        file: file.unwrap_or_default(),
    }
}

impl Writing<'_> {
    /// Writes the keys and finds out what blobs weigh, both in the order of keys, which is that of the vault's index.
    fn keys<S: Source>(&mut self, source: &S) -> Result<()> {
        for item in [Item::Tree, Item::Blob] {
            let words = self.words[item as usize].iter_mut();
            words.filter(|word| **word != UNREACHED).for_each(|word| *word |= LACKS);
        }
        let facts = &self.facts;
        let mut joining = Joining {
            out: &mut self.out,
            maps: &self.maps,
            words: &mut self.words,
            weights: &mut self.weights,
            lacking: &mut self.lacking,
            keys: [Keys::new(facts, Item::Blob)?, Keys::new(facts, Item::Tree)?],
            kind: BlobKind::Data,
            result: Ok(()),
        };
        joining.out.section(Section::Keys(Item::Blob));
        source.weigh_all(&mut |kind, id, weight| joining.meet(kind, id, weight));
        joining.finish()?;
        let mut keys = Keys::new(facts, Item::Content)?;
        self.out.section(Section::Keys(Item::Content));
        while let Some((key, number)) = keys.take() {
            if let Some(new) = self.maps[Item::Content as usize].get(number) {
                self.out.write(&key)?;
                self.out.write(&new.to_le_bytes())?;
            }
        }
        drop(keys);
        // Trees that are there and cannot be read.
        let known = self.facts.state.iter().flat_map(|state| &state.lacking);
        let trees = known
            .chain(&self.facts.lacking)
            .filter(|lacking| lacking.kind == BlobKind::Tree);
        for lacking in trees {
            let reached = self.maps[Item::Tree as usize].get(lacking.number);
            let new = reached.map(|number| Lacking { number, ..*lacking });
            self.lacking.extend(new);
        }
        self.lacking.sort_unstable();
        self.lacking.dedup();
        // They are large, and not needed any more.
        self.facts.keys = Default::default();
        Ok(())
    }

    /// Writes records, edges and the sums of sets.
    fn items(&mut self, finals: &Finals, cancel: &Cancel) -> Result<()> {
        let mut sums = vec![Sums::default(); finals.len()];
        for item in Item::ALL {
            self.out.section(Section::Records(item));
            for old in 0..self.words[item as usize].len() as u32 {
                if old % STEP == 0 {
                    cancel.check()?;
                }
                if let Some(record) = self.record(item, old)? {
                    sums[record.set() as usize] += record.sums(item);
                    self.out.write(&record.encode())?;
                }
            }
        }
        let mut bytes = Vec::new();
        let mut last = 0;
        for (set, sums) in sums.iter().enumerate() {
            put_sums(&mut bytes, &mut last, set as u32, sums);
        }
        self.out.whole(Section::Sums, &bytes)?;
        drop((bytes, sums));
        for item in [Item::Tree, Item::Content] {
            self.edges(item, cancel)?;
        }
        let (mut sets, mut spans) = (Vec::new(), Vec::new());
        let mut own = None;
        for packed in finals.all() {
            put_set(&mut sets, &mut spans, finals.sets.spans(packed, &mut own))?;
        }
        self.out.whole(Section::Sets, &sets)?;
        self.out.whole(Section::Spans, &spans)
    }

    fn record(&mut self, item: Item, old: u32) -> Result<Option<Record>> {
        let word = self.words[item as usize][old as usize];
        if word == UNREACHED {
            return Ok(None);
        }
        if item == Item::Content {
            let mut bytes = 0_u64;
            let plain = &self.weights[Item::Blob as usize];
            let walked = edges::content(self.facts.edges(item, old)?, |blob| {
                bytes = bytes.saturating_add(plain.get(blob as usize).map_or(0, |[_, plain]| u64::from(*plain)));
            });
            walked.ok_or_else(|| damaged(&self.facts))?;
            return Ok(Some(Record::of_content(word, bytes)));
        }
        let [low, high] = self.weights[item as usize][old as usize];
        let version = item == Item::Blob && self.facts.is_version(old)?;
        let word = word | if version { VERSION } else { 0 };
        Ok(Some(Record { word, low, high }))
    }

    fn edges(&mut self, item: Item, cancel: &Cancel) -> Result<()> {
        let mut offsets = Vec::with_capacity(8 * (self.maps[item as usize].len() as usize + 1));
        let (mut at, mut bytes) = (0_u64, Vec::new());
        let mut lists: [Vec<u32>; 3] = Default::default();
        self.out.section(Section::Edges(item));
        for old in 0..self.words[item as usize].len() as u32 {
            if old % STEP == 0 {
                cancel.check()?;
            }
            if self.maps[item as usize].get(old).is_none() {
                continue;
            }
            offsets.extend_from_slice(&at.to_le_bytes());
            let raw = self.facts.edges(item, old)?;
            if raw.is_empty() {
                continue;
            }
            lists.iter_mut().for_each(Vec::clear);
            bytes.clear();
            let [trees, blobs, contents] = &mut lists;
            let new = |item: Item, n: u32| self.maps[item as usize].get(n);
            let walked = match item {
                Item::Content => edges::content(raw, |n| blobs.extend(new(Item::Blob, n))),
                _ => edges::folder(raw, |edge| match edge {
                    Edge::Tree(n) => trees.extend(new(Item::Tree, n)),
                    Edge::File(n) => blobs.extend(new(Item::Blob, n)),
                    Edge::Content(n) => contents.extend(new(Item::Content, n)),
                }),
            };
            walked.ok_or_else(|| damaged(&self.facts))?;
            match item {
                Item::Content => edges::put_content(&mut bytes, blobs),
                _ => edges::put_folder(&mut bytes, trees, blobs, contents),
            }
            self.out.write(&bytes)?;
            at += bytes.len() as u64;
        }
        offsets.extend_from_slice(&at.to_le_bytes());
        self.out.whole(Section::Offsets(item), &offsets)
    }

    fn rest(&mut self, layout: &Layout, generations: &[Known], around: &Around) -> Result<()> {
        let mut alone = Vec::new();
        let known = self.facts.state.iter().flat_map(|state| &state.alone);
        for (blob, content) in known.chain(&self.facts.alone) {
            let new = |item: Item, n: u32| self.maps[item as usize].get(n);
            if let (Some(blob), Some(content)) = (new(Item::Blob, *blob), new(Item::Content, *content)) {
                alone.extend_from_slice(&blob.to_le_bytes());
                alone.extend_from_slice(&content.to_le_bytes());
            }
        }
        self.out.whole(Section::Alone, &alone)?;
        let roots = generations.iter().map(|known| Known {
            root: self.maps[Item::Tree as usize].get(known.root).unwrap_or(u32::MAX),
            ..*known
        });
        let roots: Vec<Known> = roots.collect();
        write_rest(&mut self.out, layout, &roots, around.index_files, &self.lacking)
    }
}

/// Writes the sections that are whole in every part.
pub(super) fn write_rest(
    out: &mut PartWriter,
    layout: &Layout,
    generations: &[Known],
    index_files: &[Key],
    lacking: &[Lacking],
) -> Result<()> {
    // Texts and numbers, into memory: there is nothing that could fail.
    out.whole(Section::Layout, &serde_json::to_vec(layout).unwrap_or_default())?;
    let mut bytes = Vec::new();
    generations.iter().for_each(|known| known.encode(&mut bytes));
    out.whole(Section::Generations, &bytes)?;
    out.whole(Section::IndexFiles, index_files.as_flattened())?;
    bytes.clear();
    lacking.iter().for_each(|lacking| lacking.encode(&mut bytes));
    out.whole(Section::Missing, &bytes)
}

/// Goes through keys and the vault's blobs side by side.
struct Joining<'a> {
    out: &'a mut PartWriter,
    maps: &'a [Map; 3],
    words: &'a mut [Vec<u32>; 3],
    weights: &'a mut [Vec<[u32; 2]>; 2],
    lacking: &'a mut Vec<Lacking>,
    keys: [Keys<'a>; 2],
    /// Which keys are being written.
    kind: BlobKind,
    result: Result<()>,
}

impl Joining<'_> {
    /// The next blob of the vault.
    fn meet(&mut self, kind: BlobKind, id: &Id, weight: Weight) {
        if self.result.is_ok() {
            self.result = self.advance(kind, Some((key_of(id), weight)));
        }
    }

    fn finish(mut self) -> Result<()> {
        self.result?;
        self.result = Ok(());
        self.advance(BlobKind::Tree, None)
    }

    /// Writes the keys up to one, or up to the end.
    fn advance(&mut self, kind: BlobKind, to: Option<(Key, Weight)>) -> Result<()> {
        if kind != self.kind {
            self.advance(BlobKind::Data, None)?;
            self.kind = kind;
            self.out.section(Section::Keys(Item::Tree));
        }
        let item = match kind {
            BlobKind::Data => Item::Blob,
            BlobKind::Tree => Item::Tree,
        };
        while let Some((key, number)) = self.keys[usize::from(kind == BlobKind::Tree)].peek() {
            let weight = to.filter(|(to, _)| *to == key).map(|(_, weight)| weight);
            if weight.is_none() && to.is_some_and(|(to, _)| to < key) {
                return Ok(());
            }
            self.keys[usize::from(kind == BlobKind::Tree)].take();
            if let Some(new) = self.maps[item as usize].get(number) {
                self.out.write(&key)?;
                self.out.write(&new.to_le_bytes())?;
                match weight {
                    Some(weight) => {
                        let word = &mut self.words[item as usize][number as usize];
                        *word = *word & !LACKS | if weight.compressed { COMPRESSED } else { 0 };
                        self.weights[item as usize][number as usize] = [weight.sealed, weight.plain];
                    }
                    None => self.lacking.push(Lacking { kind, number: new, key }),
                }
            }
            if weight.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }
}

//! One more generation: only what it changes is touched. What the newest generation of its lineage reaches and the new one
//! too is in a set without an end already; what only the old one reaches gets its end, what only the new one reaches begins.

use std::collections::BTreeMap;

use super::edges::{self, Edge};
use super::part::Item;
use super::read::Facts;
use super::record::{COMPRESSED, Known, LACKS, Record, SET, VERSION};
use super::source::Weight;
use super::spans::{MixMap, Span, insert, lineage, open, place};
use super::state::State;
use super::walk::Marks;
use super::{Error, Result, Sums};

/// In place of a set's number: no generation yet.
pub(super) const NONE: u32 = SET;

/// What changes.
pub(super) struct Adding<'a> {
    pub(super) facts: &'a Facts<'a>,
    pub(super) state: &'a State,
    /// Records of new items, by number.
    pub(super) new: [Vec<Record>; 3],
    /// Words of known items that have another set, or other flags.
    pub(super) moved: [MixMap<u32, u32>; 3],
    /// New sets.
    pub(super) sets: Vec<Vec<Span>>,
    pub(super) sums: BTreeMap<u32, Sums>,
    /// For one lineage at a time: whether a set has no end in it.
    open: MixMap<u32, bool>,
    /// For one generation at a time: what becomes of a set.
    changed: MixMap<u32, u32>,
    buffer: Vec<Span>,
}

impl<'a> Adding<'a> {
    /// Nothing added yet.
    pub fn new(facts: &'a Facts<'a>, state: &'a State) -> Result<Adding<'a>> {
        let mut adding = Adding {
            facts,
            state,
            new: Default::default(),
            moved: Default::default(),
            sets: Vec::new(),
            sums: BTreeMap::new(),
            open: MixMap::default(),
            changed: MixMap::default(),
            buffer: Vec::new(),
        };
        adding.make_records()?;
        adding.part_alone()?;
        Ok(adding)
    }

    pub(super) fn damaged(&self) -> Error {
        Error::Damaged {
            file: self.state.path.to_path_buf(),
        }
    }

    /// Records of all that is new, in no set.
    fn make_records(&mut self) -> Result<()> {
        let facts = self.facts;
        let weights = facts.weights.as_ref();
        for (n, item) in [Item::Tree, Item::Blob].into_iter().enumerate() {
            let weights = weights.map_or(&[][..], |weights| &weights[n]);
            for (at, weight) in weights.iter().enumerate() {
                let number = facts.first[item as usize] + at as u32;
                let version = item == Item::Blob && facts.is_version(number)?;
                let lacks = *weight == Weight::default();
                let flags = [(weight.compressed, COMPRESSED), (version, VERSION), (lacks, LACKS)];
                let flags = flags.iter().filter(|(is, _)| *is).fold(0, |all, (_, flag)| all | flag);
                self.new[item as usize].push(Record {
                    word: NONE | flags,
                    low: weight.sealed,
                    high: weight.plain,
                });
            }
        }
        for content in facts.first[Item::Content as usize]..facts.count(Item::Content) {
            let mut blobs = Vec::new();
            let walked = edges::content(facts.edges(Item::Content, content)?, |blob| blobs.push(blob));
            walked.ok_or_else(|| self.damaged())?;
            let mut bytes = 0_u64;
            for blob in blobs {
                bytes = bytes.saturating_add(self.record(Item::Blob, blob)?.high.into());
            }
            self.new[Item::Content as usize].push(Record::of_content(NONE, bytes));
        }
        Ok(())
    }

    /// Blobs that were only whole files until now and are part of others from now on: the whole file is a content of its
    /// own then, with the set that the blob had.
    fn part_alone(&mut self) -> Result<()> {
        for (blob, content) in &self.facts.alone {
            if *blob >= self.facts.first[Item::Blob as usize] {
                continue;
            }
            let before = self.record(Item::Blob, *blob)?;
            if before.word & VERSION == 0 {
                continue;
            }
            let after = Record {
                word: before.word & !VERSION,
                ..before
            };
            self.moved[Item::Blob as usize].insert(*blob, after.word);
            let whole = self.record(Item::Content, *content)?.with_set(before.set());
            self.put(Item::Content, *content, whole);
            let change = after.sums(Item::Blob) + whole.sums(Item::Content) - before.sums(Item::Blob);
            *self.sums.entry(before.set()).or_default() += change;
        }
        Ok(())
    }

    fn record(&self, item: Item, n: u32) -> Result<Record> {
        if let Some(new) = n.checked_sub(self.facts.first[item as usize]) {
            return self.new[item as usize]
                .get(new as usize)
                .copied()
                .ok_or_else(|| self.damaged());
        }
        let mut record = self.state.record(item, n)?;
        if let Some(word) = self.moved[item as usize].get(&n) {
            record.word = *word;
        }
        Ok(record)
    }

    fn put(&mut self, item: Item, n: u32, record: Record) {
        match n.checked_sub(self.facts.first[item as usize]) {
            Some(new) => {
                if let Some(place) = self.new[item as usize].get_mut(new as usize) {
                    *place = record;
                }
            }
            None => drop(self.moved[item as usize].insert(n, record.word)),
        }
    }

    fn spans(&self, set: u32, spans: &mut Vec<Span>) -> Result<()> {
        spans.clear();
        if set == NONE {
            return Ok(());
        }
        match set.checked_sub(self.state.sets()) {
            Some(new) => spans.extend_from_slice(self.sets.get(new as usize).ok_or_else(|| self.damaged())?),
            None => self.state.spans(set, spans)?,
        }
        Ok(())
    }

    /// Whether a set has no end in the lineage of a generation.
    fn is_open(&mut self, set: u32, generation: u32) -> Result<bool> {
        if let Some(known) = self.open.get(&set) {
            return Ok(*known);
        }
        let mut spans = std::mem::take(&mut self.buffer);
        self.spans(set, &mut spans)?;
        let is_open = spans.iter().any(|(_, last)| *last == open(generation));
        self.buffer = spans;
        self.open.insert(set, is_open);
        Ok(is_open)
    }

    /// Puts an item into the set that `change` makes of its own.
    fn change(&mut self, item: Item, n: u32, change: impl FnOnce(&mut Vec<Span>)) -> Result<()> {
        let record = self.record(item, n)?;
        let before = record.set();
        let after = match self.changed.get(&before) {
            Some(after) => *after,
            None => {
                let mut spans = Vec::new();
                self.spans(before, &mut spans)?;
                change(&mut spans);
                let after = self.state.sets() + self.sets.len() as u32;
                if after >= NONE {
                    return Err(Error::TooMany("sets of generations"));
                }
                self.sets.push(spans);
                self.changed.insert(before, after);
                after
            }
        };
        let sums = record.sums(item);
        if before != NONE {
            *self.sums.entry(before).or_default() -= sums;
        }
        *self.sums.entry(after).or_default() += sums;
        self.put(item, n, record.with_set(after));
        Ok(())
    }

    /// Adds a generation, after `last`, the newest of its lineage so far.
    pub fn add(&mut self, generation: &Known, last: Option<&Known>) -> Result<()> {
        let number = generation.number;
        self.open.clear();
        self.changed.clear();
        let reached = self.begin(number, generation.root)?;
        self.open.clear();
        self.changed.clear();
        match last {
            Some(last) => self.end(number, last, &reached),
            None => Ok(()),
        }
    }

    /// Puts all that a root reaches into sets that have the generation; gives what it reaches.
    fn begin(&mut self, generation: u32, root: u32) -> Result<[Marks; 3]> {
        let facts = self.facts;
        let mut marks = Item::ALL.map(|item| Marks::new(facts.count(item) as usize));
        // With each tree: whether it lies below one that the generation before has too, and so all below it is in both.
        let mut todo = vec![(root, false)];
        marks[Item::Tree as usize].mark(root);
        let (mut found, mut contents) = (Vec::new(), Vec::new());
        while let Some((tree, below_known)) = todo.pop() {
            let known = below_known || self.extend(Item::Tree, tree, generation)?;
            let bytes = facts.edges(Item::Tree, tree)?;
            if bytes.is_empty() {
                continue;
            }
            let [trees, blobs, met] = &mut marks;
            let walked = edges::folder(bytes, |edge| match edge {
                Edge::Tree(below) => {
                    if trees.mark(below) {
                        todo.push((below, known));
                    }
                }
                Edge::File(blob) => {
                    if blobs.mark(blob) && !known {
                        found.push((Item::Blob, blob));
                    }
                    if let Some(content) = facts.alone(blob).filter(|content| met.mark(*content))
                        && !known
                    {
                        found.push((Item::Content, content));
                    }
                }
                Edge::Content(content) => {
                    if met.mark(content) {
                        contents.push(content);
                        if !known {
                            found.push((Item::Content, content));
                        }
                    }
                }
            });
            walked.ok_or_else(|| self.damaged())?;
            for content in contents.drain(..) {
                let walked = edges::content(facts.edges(Item::Content, content)?, |blob| {
                    if blobs.mark(blob) && !known {
                        found.push((Item::Blob, blob));
                    }
                });
                walked.ok_or_else(|| self.damaged())?;
            }
            for (item, n) in found.drain(..) {
                self.extend(item, n, generation)?;
            }
        }
        Ok(marks)
    }

    /// Puts an item into a set that has the generation; whether it was in one already.
    fn extend(&mut self, item: Item, n: u32, generation: u32) -> Result<bool> {
        let set = self.record(item, n)?.set();
        if set != NONE && self.is_open(set, generation)? {
            return Ok(true);
        }
        // A new lineage begins, or the item comes back: it is in this one and, so far, in all that follow.
        self.change(item, n, |spans| insert(spans, (generation, open(generation))))?;
        Ok(false)
    }

    /// Ends the sets of what the generation before reaches and the new one does not.
    fn end(&mut self, generation: u32, last: &Known, reached: &[Marks; 3]) -> Result<()> {
        let facts = self.facts;
        let [trees, blobs, contents] = reached;
        let close = |spans: &mut Vec<Span>| {
            for span in spans {
                if span.1 == open(generation) {
                    span.1 = last.number;
                }
            }
        };
        let mut todo = vec![last.root];
        let (mut found, mut inside) = (Vec::new(), Vec::new());
        while let Some(tree) = todo.pop() {
            let set = self.record(Item::Tree, tree)?.set();
            if trees.has(tree) || !self.is_open(set, generation)? {
                continue;
            }
            self.change(Item::Tree, tree, close)?;
            let bytes = facts.edges(Item::Tree, tree)?;
            if bytes.is_empty() {
                continue;
            }
            let walked = edges::folder(bytes, |edge| match edge {
                Edge::Tree(below) => todo.push(below),
                Edge::File(blob) => {
                    found.push((Item::Blob, blob));
                    found.extend(facts.alone(blob).map(|content| (Item::Content, content)));
                }
                Edge::Content(content) => {
                    found.push((Item::Content, content));
                    inside.push(content);
                }
            });
            walked.ok_or_else(|| self.damaged())?;
            for content in inside.drain(..).filter(|content| !contents.has(*content)) {
                let bytes = facts.edges(Item::Content, content)?;
                let walked = edges::content(bytes, |blob| found.push((Item::Blob, blob)));
                walked.ok_or_else(|| self.damaged())?;
            }
            for (item, n) in found.drain(..) {
                let kept = if item == Item::Blob { blobs } else { contents };
                if kept.has(n) {
                    continue;
                }
                let set = self.record(item, n)?.set();
                if self.is_open(set, generation)? {
                    self.change(item, n, close)?;
                }
            }
        }
        Ok(())
    }
}

/// The newest generation of the lineage of one that is to be added.
pub(super) fn newest<'a>(known: &'a [Known], of: &Known) -> Option<&'a Known> {
    let before = place(of.number).checked_sub(1)?;
    let wanted = lineage(of.number) << 16 | before;
    known.iter().find(|known| known.number == wanted)
}

//! Writing what was added as one more part at the end of the file.

use std::fs::File;

use super::add::{Adding, NONE};
use super::edges;
use super::keys::sorted;
use super::part::{Counts, Item, PartWriter, Section};
use super::record::{Known, Lacking, Layout};
use super::rewrite::{Around, write_rest};
use super::state::{put_set, put_sums};
use super::{Result, Sums, local};

impl Adding<'_> {
    /// Writes all of it as one more part at the end of the file.
    pub fn write(mut self, layout: &Layout, generations: &[Known], lacking: &[Lacking], around: Around) -> Result<()> {
        let path = around.path;
        let file = File::options()
            .read(true)
            .write(true)
            .open(path)
            .map_err(local("open", path))?;
        // What is behind the last part was cut off.
        file.set_len(self.state.end).map_err(local("write", path))?;
        let mut out = PartWriter::new(file, path, self.state.end)?;
        self.settle_none();
        let facts = self.facts;
        let mut bytes = Vec::new();
        for item in Item::ALL {
            let first = facts.first[item as usize];
            let keys = &facts.keys[item as usize];
            bytes.clear();
            for n in sorted(keys) {
                bytes.extend_from_slice(&keys[n as usize]);
                bytes.extend_from_slice(&(first + n).to_le_bytes());
            }
            out.whole(Section::Keys(item), &bytes)?;
            bytes.clear();
            self.new[item as usize]
                .iter()
                .for_each(|record| bytes.extend_from_slice(&record.encode()));
            out.whole(Section::Records(item), &bytes)?;
            put_pairs(
                &mut bytes,
                self.moved[item as usize].iter().map(|(n, word)| (*n, *word)),
            );
            out.whole(Section::Moved(item), &bytes)?;
        }
        for item in [Item::Tree, Item::Content] {
            self.write_edges(item, &mut out)?;
        }
        put_pairs(&mut bytes, facts.alone.iter().map(|(blob, content)| (*blob, *content)));
        out.whole(Section::Alone, &bytes)?;
        bytes.clear();
        let mut last = 0;
        self.sums.retain(|_, sums| *sums != Sums::default());
        for (set, sums) in &self.sums {
            put_sums(&mut bytes, &mut last, *set, sums);
        }
        out.whole(Section::Sums, &bytes)?;
        let (mut sets, mut spans) = (Vec::new(), Vec::new());
        for set in &self.sets {
            put_set(&mut sets, &mut spans, set)?;
        }
        out.whole(Section::Sets, &sets)?;
        out.whole(Section::Spans, &spans)?;
        write_rest(&mut out, layout, generations, around.index_files, lacking)?;
        let counts = Counts {
            first: facts.first,
            items: Item::ALL.map(|item| facts.keys[item as usize].len() as u32),
            first_set: self.state.sets(),
            sets: self.sets.len() as u32,
        };
        out.finish(around.vault, &counts).map(drop)
    }

    /// What no generation reaches after all is in a set of none.
    fn settle_none(&mut self) {
        let none = self.state.sets() + self.sets.len() as u32;
        let mut some = false;
        for record in self.new.iter_mut().flatten().filter(|record| record.set() == NONE) {
            *record = record.with_set(none);
            some = true;
        }
        if some {
            self.sets.push(Vec::new());
        }
    }

    fn write_edges(&self, item: Item, out: &mut PartWriter) -> Result<()> {
        let (mut offsets, mut at) = (Vec::new(), 0_u64);
        out.section(Section::Edges(item));
        for n in self.facts.first[item as usize]..self.facts.count(item) {
            offsets.extend_from_slice(&at.to_le_bytes());
            let raw = self.facts.edges(item, n)?;
            let length = match item {
                _ if raw.is_empty() => Some(0),
                Item::Content => edges::content(raw, |_| {}),
                _ => edges::folder(raw, |_| {}),
            };
            let length = length.ok_or_else(|| self.damaged())?;
            out.write(&raw[..length])?;
            at += length as u64;
        }
        offsets.extend_from_slice(&at.to_le_bytes());
        out.whole(Section::Offsets(item), &offsets)
    }
}

fn put_pairs(bytes: &mut Vec<u8>, pairs: impl Iterator<Item = (u32, u32)>) {
    bytes.clear();
    for (a, b) in pairs {
        bytes.extend_from_slice(&a.to_le_bytes());
        bytes.extend_from_slice(&b.to_le_bytes());
    }
}

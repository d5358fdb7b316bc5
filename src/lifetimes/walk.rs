//! Going down the local trees, without the vault.

use super::edges::{self, Edge};
use super::part::Item;
use super::{Lifetimes, Reach, Result, Sums};
use crate::vault::Id;

/// A set of numbers below a bound, one bit each.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks(Vec<u64>);

impl Marks {
    /// None of the numbers below `count`.
    pub fn new(count: usize) -> Marks {
        Marks(vec![0; count.div_ceil(64)])
    }

    /// Marks a number; whether it was not marked before. One beyond the bound never is.
    pub fn mark(&mut self, n: u32) -> bool {
        let Some(word) = self.0.get_mut(n as usize / 64) else {
            return false;
        };
        let bit = 1 << (n % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Whether a number is marked.
    pub fn has(&self, n: u32) -> bool {
        self.0
            .get(n as usize / 64)
            .is_some_and(|word| word >> (n % 64) & 1 == 1)
    }
}

/// Adds up what lies below folders, nothing twice: what a first folder takes, what a second one takes beside it, and so on.
#[derive(Debug)]
pub struct Walk<'a> {
    lifetimes: &'a Lifetimes,
    marks: [Marks; 3],
    todo: Vec<u32>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(lifetimes: &'a Lifetimes) -> Walk<'a> {
        Walk {
            lifetimes,
            marks: Item::ALL.map(|item| Marks::new(lifetimes.state().count(item) as usize)),
            todo: Vec::new(),
        }
    }

    /// What a folder's tree and all below it come to, as far as it was not met on this walk before. `None` when no
    /// generation that is known reaches the tree.
    pub fn add(&mut self, tree: &Id) -> Result<Option<Sums>> {
        self.add_where(tree, None)
    }

    /// The same, counting only what a kept set reaches, or, with `false`, what it does not reach.
    pub fn add_reached(&mut self, tree: &Id, reach: &Reach, reached: bool) -> Result<Option<Sums>> {
        self.add_where(tree, Some((reach, reached)))
    }

    fn add_where(&mut self, tree: &Id, only: Option<(&Reach, bool)>) -> Result<Option<Sums>> {
        let lifetimes = self.lifetimes;
        let state = lifetimes.state();
        let Some(root) = lifetimes.number(Item::Tree, tree)? else {
            return Ok(None);
        };
        let mut sums = Sums::default();
        let mut count = |item: Item, n: u32| -> Result<()> {
            let record = state.record(item, n)?;
            if only.is_none_or(|(reach, reached)| reach.set(record.set()) == reached) {
                sums += record.sums(item);
            }
            Ok(())
        };
        let (mut found, mut contents) = (Vec::new(), Vec::new());
        if self.marks[Item::Tree as usize].mark(root) {
            self.todo.push(root);
        }
        while let Some(tree) = self.todo.pop() {
            count(Item::Tree, tree)?;
            let bytes = state.edges(Item::Tree, tree)?;
            if bytes.is_empty() {
                continue;
            }
            let [trees, blobs, met] = &mut self.marks;
            let walked = edges::folder(bytes, |edge| match edge {
                Edge::Tree(below) if trees.mark(below) => self.todo.push(below),
                Edge::Tree(_) => {}
                Edge::File(blob) => {
                    if blobs.mark(blob) {
                        found.push((Item::Blob, blob));
                    }
                    if let Some(content) = state.alone.get(&blob).filter(|content| met.mark(**content)) {
                        found.push((Item::Content, *content));
                    }
                }
                Edge::Content(content) => {
                    if met.mark(content) {
                        found.push((Item::Content, content));
                        contents.push(content);
                    }
                }
            });
            walked.ok_or_else(|| lifetimes.damaged())?;
            for content in contents.drain(..) {
                let walked = edges::content(state.edges(Item::Content, content)?, |blob| {
                    if blobs.mark(blob) {
                        found.push((Item::Blob, blob));
                    }
                });
                walked.ok_or_else(|| lifetimes.damaged())?;
            }
            for (item, n) in found.drain(..) {
                count(item, n)?;
            }
        }
        Ok(Some(sums))
    }
}

//! Letting sets of generations flow from all roots down to what they reach: each tree passes its set on once, when all
//! trees above it have passed on theirs, so that it does not matter how many generations share it.

use std::collections::VecDeque;

use super::edges::{self, Edge};
use super::part::Item;
use super::read::Facts;
use super::spans::{Packed, Sets};
use super::{Error, Result};
use crate::progress::Cancel;

/// How many trees are done between looks at the clock's and memory's needs.
const STEP: usize = 4096;

/// The sets of all items, by number.
pub(super) struct Flowed {
    pub sets: Sets,
    pub of: [Vec<Packed>; 3],
}

impl Flowed {
    fn add(&mut self, item: Item, n: u32, set: Packed) {
        if let Some(had) = self.of[item as usize].get_mut(n as usize) {
            // Mostly nothing is new of it.
            if *had != set {
                *had = self.sets.union(*had, set);
            }
        }
    }
}

fn damaged(facts: &Facts) -> Error {
    let file = facts.state.map(|state| state.path.to_path_buf());
    Error::Damaged {
        file: file.unwrap_or_default(),
    }
}

/// For each tree below the roots, from how many places it is referred to.
fn references(facts: &Facts, roots: &[(u32, u32)]) -> Result<Vec<u32>> {
    let mut references = vec![0_u32; facts.count(Item::Tree) as usize];
    let mut seen = super::walk::Marks::new(references.len());
    let mut todo: Vec<u32> = Vec::new();
    todo.extend(
        roots
            .iter()
            .rev()
            .map(|(_, root)| *root)
            .filter(|root| seen.mark(*root)),
    );
    while let Some(tree) = todo.pop() {
        let bytes = facts.edges(Item::Tree, tree)?;
        if bytes.is_empty() {
            continue;
        }
        let walked = edges::trees(bytes, |below| {
            if let Some(count) = references.get_mut(below as usize) {
                *count += 1;
                if seen.mark(below) {
                    todo.push(below);
                }
            }
        });
        walked.ok_or_else(|| damaged(facts))?;
    }
    Ok(references)
}

/// The sets of all that is reached from these generations: their numbers, in their order, and the trees of their roots.
pub(super) fn flow(facts: &Facts, roots: &[(u32, u32)], cancel: &Cancel) -> Result<Flowed> {
    let mut references = references(facts, roots)?;
    let mut flowed = Flowed {
        sets: Sets::default(),
        of: Item::ALL.map(|item| vec![Packed::EMPTY; facts.count(item) as usize]),
    };
    let mut ready = VecDeque::new();
    let mut queued = super::walk::Marks::new(references.len());
    for (generation, root) in roots {
        flowed.add(Item::Tree, *root, Packed::span((*generation, *generation)));
        if references.get(*root as usize) == Some(&0) && queued.mark(*root) {
            ready.push_back(*root);
        }
    }
    let mut done = 0;
    while let Some(tree) = ready.pop_front() {
        let set = flowed.of[Item::Tree as usize][tree as usize];
        let bytes = facts.edges(Item::Tree, tree)?;
        if !bytes.is_empty() {
            let walked = edges::folder(bytes, |edge| match edge {
                Edge::Tree(below) => {
                    flowed.add(Item::Tree, below, set);
                    if let Some(left) = references.get_mut(below as usize) {
                        *left = left.saturating_sub(1);
                        if *left == 0 {
                            ready.push_back(below);
                        }
                    }
                }
                Edge::File(blob) => {
                    flowed.add(Item::Blob, blob, set);
                    if let Some(content) = facts.alone(blob) {
                        flowed.add(Item::Content, content, set);
                    }
                }
                Edge::Content(content) => flowed.add(Item::Content, content, set),
            });
            walked.ok_or_else(|| damaged(facts))?;
        }
        done += 1;
        if done % STEP == 0 {
            cancel.check()?;
            if flowed.sets.is_full() {
                let Flowed { sets, of } = &mut flowed;
                sets.keep(of.iter_mut().flatten());
            }
        }
    }
    for content in 0..facts.count(Item::Content) {
        let set = flowed.of[Item::Content as usize][content as usize];
        if set != Packed::EMPTY {
            let bytes = facts.edges(Item::Content, content)?;
            let walked = edges::content(bytes, |blob| flowed.add(Item::Blob, blob, set));
            walked.ok_or_else(|| damaged(facts))?;
        }
    }
    cancel.check()?;
    Ok(flowed)
}

//! Folders of a generation by way of the catalog: a folder that is opened is read from the vault once, for ever.

use std::collections::HashSet;

use super::{Engine, OpenVault, Result, Selection};
use crate::catalog::{Entry, Totals};
use crate::progress::Cancel;
use crate::vault::tree::{BadTree, decode_each};
use crate::vault::{self, BlobKind, Id, NodeType};

/// How many entries, and how many trees, are stored in one transaction.
const BATCH_ENTRIES: usize = 5_000;
const BATCH_TREES: usize = 256;

/// What a path in a generation leads to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Located {
    /// The generation's root, with its tree.
    Root(Id),
    /// An entry.
    Entry(Box<Entry>),
    /// Nothing.
    Missing,
}

impl Located {
    /// The tree of a folder.
    pub(super) fn tree(&self) -> Option<Id> {
        match self {
            Located::Root(tree) => Some(*tree),
            Located::Entry(entry) if entry.kind == NodeType::Dir => entry.subtree,
            _ => None,
        }
    }
}

impl Engine {
    /// The tree of a folder in a generation, by its components' raw names; reads what is missing into the catalog. `None`
    /// when there is no such folder.
    pub fn folder_tree(
        &self,
        open: &OpenVault,
        generation: &Id,
        path: &[Vec<u8>],
        cancel: &Cancel,
    ) -> Result<Option<Id>> {
        let Some(root) = self.root(Some(open), open.place(), generation)? else {
            return Ok(None);
        };
        let located = self.locate(Some(open), root, path, cancel)?;
        Ok(located.and_then(|located| located.tree()))
    }

    /// A generation's root tree. Without a vault at hand: `None` when the catalog does not know it.
    pub(super) fn root(&self, open: Option<&OpenVault>, place: &str, generation: &Id) -> Result<Option<Id>> {
        if let Some(known) = self.catalog().generation(place, generation)? {
            return Ok(Some(known.tree));
        }
        Ok(match open {
            Some(open) => Some(open.vault().generation(generation)?.tree),
            None => None,
        })
    }

    /// What a path below `root` leads to. Without a vault at hand: `None` when the catalog cannot tell.
    pub(super) fn locate(
        &self,
        open: Option<&OpenVault>,
        root: Id,
        path: &[Vec<u8>],
        cancel: &Cancel,
    ) -> Result<Option<Located>> {
        let mut at = Located::Root(root);
        for name in path {
            let Some(tree) = at.tree() else {
                return Ok(Some(Located::Missing));
            };
            if !self.have_tree(open, &tree, cancel)? {
                return Ok(None);
            }
            match self.catalog().lookup(&tree, name)? {
                Some(entry) => at = Located::Entry(Box::new(entry)),
                None => return Ok(Some(Located::Missing)),
            }
        }
        Ok(Some(at))
    }

    /// Makes sure that a tree is in the catalog; without a vault at hand, whether it is.
    pub(super) fn have_tree(&self, open: Option<&OpenVault>, tree: &Id, cancel: &Cancel) -> Result<bool> {
        if self.catalog().tree(tree)?.is_some() {
            return Ok(true);
        }
        let Some(open) = open else { return Ok(false) };
        cancel.check()?;
        let entries = read_tree(open, tree, cancel)?;
        self.catalog().store_trees(&mut [(*tree, entries)])?;
        Ok(true)
    }

    /// What lies below a tree. Without a vault at hand: `None` when the catalog does not know. `partly` gets what was
    /// counted so far, now and then.
    pub(super) fn weigh_tree(
        &self,
        open: Option<&OpenVault>,
        tree: Id,
        cancel: &Cancel,
        partly: &mut dyn FnMut(Totals),
    ) -> Result<Option<Totals>> {
        // Twice: the catalog may be deleted under the first walk.
        for _ in 0..2 {
            if let Some(totals) = self.catalog().tree(&tree)?.and_then(|tree| tree.below) {
                return Ok(Some(totals));
            }
            let Some(open) = open else { return Ok(None) };
            Walk {
                engine: self,
                open,
                pending: Vec::new(),
                entries: 0,
                complete: Vec::new(),
                seen: HashSet::new(),
                partly,
                counted: Totals::default(),
            }
            .run(tree, cancel)?;
        }
        Ok(self.catalog().tree(&tree)?.and_then(|tree| tree.below))
    }

    /// What a selection weighs. Without a vault at hand: `None` when the catalog cannot tell.
    pub(super) fn weigh(
        &self,
        open: Option<&OpenVault>,
        root: Id,
        selection: &Selection,
        cancel: &Cancel,
        partly: &mut dyn FnMut(Totals),
    ) -> Result<Option<Totals>> {
        let (mut taken, mut left) = (Totals::default(), Totals::default());
        // Each rule turns what the rule around it says: its subtree counts in full, and what is within it turns it again.
        for (path, picked) in selection.turns() {
            let Some(located) = self.locate(open, root, path, cancel)? else {
                return Ok(None);
            };
            let before = taken;
            let mut weight = match located.tree() {
                Some(tree) => {
                    let mut partly = |below: Totals| {
                        let mut sum = before;
                        sum.add(below);
                        partly(sum);
                    };
                    match self.weigh_tree(open, tree, cancel, &mut partly)? {
                        Some(below) => below,
                        None => return Ok(None),
                    }
                }
                None => Totals::default(),
            };
            match &located {
                Located::Entry(entry) if entry.kind == NodeType::Dir => weight.folders += 1,
                Located::Entry(entry) => {
                    weight = Totals {
                        files: 1,
                        folders: 0,
                        bytes: entry.size,
                    }
                }
                Located::Root(_) | Located::Missing => {}
            }
            if picked { taken.add(weight) } else { left.add(weight) }
        }
        Ok(Some(Totals {
            files: taken.files.saturating_sub(left.files),
            folders: taken.folders.saturating_sub(left.folders),
            bytes: taken.bytes.saturating_sub(left.bytes),
        }))
    }
}

/// The entries of a tree, from the vault. Takes in what other programs added since, when the tree seems to be missing.
fn read_tree(open: &OpenVault, tree: &Id, cancel: &Cancel) -> Result<Vec<Entry>> {
    let bytes = match open.browsed(cancel)?.blob(BlobKind::Tree, tree) {
        Err(vault::Error::MissingBlob { .. }) => open.indexed(cancel)?.blob(BlobKind::Tree, tree)?,
        result => result?,
    };
    let mut entries = Vec::new();
    decode_each(&bytes, &mut |node| {
        entries.push(Entry::from(node));
        Ok::<(), BadTree>(())
    })
    .map_err(|bad| vault::Error::BadBlob {
        kind: BlobKind::Tree,
        id: *tree,
        what: bad.to_string(),
    })?;
    Ok(entries)
}

/// Reads all of a tree that the catalog lacks, depth first, and completes the totals on the way back.
struct Walk<'a> {
    engine: &'a Engine,
    open: &'a OpenVault,
    /// Trees read and not stored yet, outer before inner.
    pending: Vec<(Id, Vec<Entry>)>,
    /// How many entries they have.
    entries: usize,
    /// Trees whose folders are all known once `pending` is stored, inner before outer.
    complete: Vec<Id>,
    /// The trees in `pending`.
    seen: HashSet<Id>,
    partly: &'a mut dyn FnMut(Totals),
    counted: Totals,
}

/// A tree on the way down: its folders that may have to be read, of which those from `next` on are still to do.
struct Frame {
    tree: Id,
    folders: Vec<Id>,
    next: usize,
}

impl Walk<'_> {
    fn run(mut self, root: Id, cancel: &Cancel) -> Result<()> {
        let mut stack: Vec<Frame> = self.enter(root, cancel)?.into_iter().collect();
        while let Some(frame) = stack.last_mut() {
            if let Some(folder) = frame.folders.get(frame.next).copied() {
                frame.next += 1;
                stack.extend(self.enter(folder, cancel)?);
                continue;
            }
            if !frame.folders.is_empty() {
                self.complete.push(frame.tree);
            }
            stack.pop();
            if self.entries >= BATCH_ENTRIES || self.pending.len() + self.complete.len() >= BATCH_TREES {
                self.flush()?;
            }
        }
        self.flush()
    }

    /// Reads a tree unless all is known about it.
    fn enter(&mut self, tree: Id, cancel: &Cancel) -> Result<Option<Frame>> {
        cancel.check()?;
        if self.seen.contains(&tree) {
            return Ok(None);
        }
        let folders = match self.engine.catalog().tree(&tree)? {
            Some(known) if known.below.is_some() => return Ok(None),
            Some(_) => self.engine.catalog().unknown_folders(&tree)?,
            None => {
                let entries = read_tree(self.open, &tree, cancel)?;
                let mut folders = Vec::new();
                for entry in &entries {
                    if entry.kind == NodeType::Dir {
                        self.counted.add(Totals {
                            files: 0,
                            folders: 1,
                            bytes: 0,
                        });
                        folders.extend(entry.subtree);
                    } else {
                        self.counted.add(Totals {
                            files: 1,
                            folders: 0,
                            bytes: entry.size,
                        });
                    }
                }
                self.entries += entries.len();
                self.seen.insert(tree);
                self.pending.push((tree, entries));
                folders
            }
        };
        Ok(Some(Frame { tree, folders, next: 0 }))
    }

    fn flush(&mut self) -> Result<()> {
        let catalog = self.engine.catalog();
        catalog.store_trees(&mut self.pending)?;
        catalog.complete_totals(&self.complete)?;
        self.pending.clear();
        self.seen.clear();
        self.complete.clear();
        self.entries = 0;
        (self.partly)(self.counted);
        Ok(())
    }
}

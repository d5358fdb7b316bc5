//! What changed from one generation to another: both folders walked side by side, what is equal passed over.
//!
//! A folder that is new or gone is one row with what lies below it, not a row for each file in it.

use std::collections::BTreeMap;
use std::time::Instant;

use super::answers::{Emit, PARTLY_EVERY};
use super::kept::{Grown, List, Making};
use super::question::{Answer, TreePath};
use super::{Engine, OpenVault, Result};
use crate::catalog::{Entry, Totals};
use crate::progress::Cancel;
use crate::vault::{Id, NodeType};

/// Most rows of one window.
const WINDOW_ROWS: u32 = 10_000;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Compared {
    /// Name or folder.
    pub vault: String,
    /// The earlier generation.
    pub before: Id,
    /// The later one.
    pub after: Id,
    /// Only what lies in this folder; empty for all.
    pub folder: TreePath,
    /// Whether entries of which only permissions, owner or time differ count.
    pub metadata: bool,
}

/// What is compared, and which part of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesAsked {
    /// What is compared.
    pub compared: Compared,
    /// The first row wanted (clamped to what there is).
    pub first: u64,
    /// How many rows.
    pub rows: u32,
}

/// Rows of what was found to differ so far, in the order of paths.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChangesWindow {
    /// The number of the first row given.
    pub first: u64,
    /// The rows.
    pub rows: Vec<ChangeRow>,
    /// How many rows there are to look at by now.
    pub total: u64,
    /// Whether more may come.
    pub comparing: bool,
    /// Whether there are more than are kept.
    pub more: bool,
    /// All that differs, those not kept with it.
    pub totals: ChangeTotals,
}

/// How an entry differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It holds something else (a link: it leads elsewhere).
    Content,
    /// It is another kind of thing.
    Kind,
    /// Permissions, owner or time only.
    Metadata,
}

/// An entry that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRow {
    /// Raw names from the root.
    pub path: TreePath,
    /// How it differs.
    pub change: Change,
    /// What it is, after; before, for what is gone.
    pub kind: NodeType,
    /// Bytes before: of a file, or of all below a folder that is gone, where known.
    pub before: Option<u64>,
    /// Bytes after.
    pub after: Option<u64>,
    /// What lies below a folder that is new or gone, where known.
    pub below: Option<Totals>,
}

/// Sums of what differs. What lies below folders that are new or gone counts in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeTotals {
    /// What is new.
    pub added: Totals,
    /// What is gone.
    pub removed: Totals,
    /// Files that hold something else.
    pub changed: u64,
    /// Their bytes before.
    pub changed_before: u64,
    /// Their bytes after.
    pub changed_after: u64,
    /// Entries of which only permissions, owner or time differ.
    pub metadata: u64,
}

impl Engine {
    /// What differs, in parts. Without a vault at hand: `None` when the catalog cannot tell.
    pub(super) fn changes(
        &self,
        open: Option<&OpenVault>,
        asked: &ChangesAsked,
        cancel: &Cancel,
        emit: &Emit,
    ) -> Result<Option<Answer>> {
        if let Some(list) = self.0.changes.get(&asked.compared) {
            return Ok(Some(window(&list.grown(), asked)));
        }
        let Some(sides) = self.sides(open, &asked.compared, cancel)? else {
            return Ok(None);
        };
        let list = self.0.changes.start(asked.compared.clone());
        let making = Making(&list);
        let mut walk = Walk {
            engine: self,
            open,
            asked,
            cancel,
            emit,
            list: &list,
            told: Instant::now(),
        };
        walk.run(sides)?;
        list.grown().whole = true;
        drop(making);
        Ok(Some(window(&list.grown(), asked)))
    }

    /// The folder's tree in both generations (`None` where there is no such folder). Without a vault at hand: `None` unless
    /// all below both is in the catalog.
    fn sides(&self, open: Option<&OpenVault>, compared: &Compared, cancel: &Cancel) -> Result<Option<[Option<Id>; 2]>> {
        let place = self.find(&compared.vault)?.key();
        let mut sides = [None; 2];
        for (side, generation) in sides.iter_mut().zip([&compared.before, &compared.after]) {
            let Some(root) = self.root(open, &place, generation)? else {
                return Ok(None);
            };
            let Some(located) = self.locate(open, root, &compared.folder, cancel)? else {
                return Ok(None);
            };
            *side = located.tree();
            if let Some(tree) = side
                && open.is_none()
                && self.catalog().tree(tree)?.is_none_or(|tree| tree.below.is_none())
            {
                return Ok(None);
            }
        }
        Ok(Some(sides))
    }
}

fn window(grown: &Grown<ChangeRow, ChangeTotals>, asked: &ChangesAsked) -> Answer {
    let (first, rows) = grown.window(asked.first, asked.rows.min(WINDOW_ROWS));
    Answer::Changes(ChangesWindow {
        first,
        rows,
        total: grown.rows.len() as u64,
        comparing: !grown.whole,
        more: grown.total > grown.rows.len() as u64,
        totals: grown.sum,
    })
}

type Sides = (Option<Entry>, Option<Entry>);

struct Walk<'a> {
    engine: &'a Engine,
    open: Option<&'a OpenVault>,
    asked: &'a ChangesAsked,
    cancel: &'a Cancel,
    emit: &'a Emit<'a>,
    list: &'a List<ChangeRow, ChangeTotals>,
    told: Instant,
}

impl Walk<'_> {
    /// Walks a folder on both sides; each level of the stack is a folder's pairs that are still to do, and its path.
    fn run(&mut self, sides: [Option<Id>; 2]) -> Result<()> {
        let mut stack = vec![(self.asked.compared.folder.clone(), self.pairs(sides)?.into_iter())];
        while let Some((path, pairs)) = stack.last_mut() {
            let Some((name, pair)) = pairs.next() else {
                stack.pop();
                continue;
            };
            self.cancel.check()?;
            let mut path = path.clone();
            path.push(name);
            if let Some(below) = self.compare(&path, pair)? {
                let pairs = self.pairs(below.map(Some))?;
                stack.push((path, pairs.into_iter()));
            }
            if self.told.elapsed() >= PARTLY_EVERY {
                self.told = Instant::now();
                (self.emit)(window(&self.list.grown(), self.asked), false);
            }
        }
        Ok(())
    }

    /// The entries of a folder on both sides, by name.
    fn pairs(&self, sides: [Option<Id>; 2]) -> Result<BTreeMap<Vec<u8>, Sides>> {
        let mut pairs: BTreeMap<Vec<u8>, Sides> = BTreeMap::new();
        if sides[0] == sides[1] {
            return Ok(pairs);
        }
        for (side, tree) in sides.into_iter().enumerate() {
            let Some(tree) = tree else { continue };
            self.engine.have_tree(self.open, &tree, self.cancel)?;
            self.engine.catalog().for_each_entry(&tree, |entry| {
                let pair = pairs.entry(entry.name.clone()).or_default();
                if side == 0 {
                    pair.0 = Some(entry);
                } else {
                    pair.1 = Some(entry);
                }
            })?;
        }
        Ok(pairs)
    }

    /// Tells a pair's difference; two folders that differ within come back, to be walked.
    fn compare(&mut self, path: &TreePath, pair: Sides) -> Result<Option<[Id; 2]>> {
        let change = match &pair {
            (None, None) => return Ok(None),
            (None, Some(_)) => Change::Added,
            (Some(_), None) => Change::Removed,
            (Some(before), Some(after)) if before.kind != after.kind => Change::Kind,
            (Some(before), Some(after)) => {
                let same_content = before.content == after.content
                    && before.link_target == after.link_target
                    && (before.kind == NodeType::Dir || before.size == after.size);
                // A folder's time changes with what it holds: that is no news.
                let same = before.mode == after.mode
                    && (before.uid, before.gid) == (after.uid, after.gid)
                    && (before.kind == NodeType::Dir || before.mtime.same_instant(&after.mtime));
                let deeper = match (before.subtree, after.subtree) {
                    (Some(a), Some(b)) if a != b => Some([a, b]),
                    _ => None,
                };
                if !same_content {
                    Change::Content
                } else if !same {
                    self.report(path, Change::Metadata, pair)?;
                    return Ok(deeper);
                } else {
                    return Ok(deeper);
                }
            }
        };
        self.report(path, change, pair)?;
        Ok(None)
    }

    fn report(&mut self, path: &TreePath, change: Change, (before, after): Sides) -> Result<()> {
        let (before_weight, before_size) = self.weigh(before.as_ref(), change)?;
        let (after_weight, after_size) = self.weigh(after.as_ref(), change)?;
        let Some(shown) = after.as_ref().or(before.as_ref()) else {
            return Ok(());
        };
        {
            let mut grown = self.list.grown();
            let sum = &mut grown.sum;
            match change {
                Change::Added => sum.added.add(after_weight),
                Change::Removed => sum.removed.add(before_weight),
                Change::Kind => {
                    sum.removed.add(before_weight);
                    sum.added.add(after_weight);
                }
                Change::Content => {
                    sum.changed = sum.changed.saturating_add(1);
                    sum.changed_before = sum.changed_before.saturating_add(before_size.unwrap_or(0));
                    sum.changed_after = sum.changed_after.saturating_add(after_size.unwrap_or(0));
                }
                Change::Metadata => sum.metadata = sum.metadata.saturating_add(1),
            }
        }
        if change == Change::Metadata && !self.asked.compared.metadata {
            return Ok(());
        }
        let below = match (change, shown.kind) {
            (Change::Added, NodeType::Dir) => Some(without_itself(after_weight)),
            (Change::Removed, NodeType::Dir) => Some(without_itself(before_weight)),
            _ => None,
        };
        self.list.push(ChangeRow {
            path: path.clone(),
            change,
            kind: shown.kind,
            before: before_size,
            after: after_size,
            below,
        });
        Ok(())
    }

    /// What an entry that is new or gone counts for, itself and all below it, and its size.
    fn weigh(&self, entry: Option<&Entry>, change: Change) -> Result<(Totals, Option<u64>)> {
        let Some(entry) = entry else {
            return Ok((Totals::default(), None));
        };
        let mut totals = Totals::default();
        match (entry.kind, entry.subtree) {
            (NodeType::Dir, Some(tree)) if matches!(change, Change::Added | Change::Removed | Change::Kind) => {
                totals.folders = 1;
                let below = self.engine.weigh_tree(self.open, tree, self.cancel, &mut |_| {})?;
                totals.add(below.unwrap_or_default());
                Ok((totals, below.map(|below| below.bytes)))
            }
            (NodeType::Dir, _) => {
                totals.folders = 1;
                Ok((totals, None))
            }
            (kind, _) => {
                totals.files = 1;
                totals.bytes = entry.size;
                Ok((totals, (kind == NodeType::File).then_some(entry.size)))
            }
        }
    }
}

fn without_itself(totals: Totals) -> Totals {
    Totals {
        folders: totals.folders.saturating_sub(1),
        ..totals
    }
}

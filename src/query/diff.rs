//! What changed between two trees.
//!
//! Both are walked side by side; where they share a folder it is passed over, so that the cost is that of the difference.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use super::prefetch::{Prefetch, Tickets, with_prefetch};
use super::{Scratch, TreeSource};
use crate::progress::{Cancel, Progress};
use crate::vault::{BlobKind, Id, Node, NodeType, Result, Tree};

/// How an entry changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has other content: a file's bytes, a link's target, a device's number.
    Content,
    /// Only its mode, owner, time of change or attributes are others.
    Metadata,
    /// It is something else now.
    Type,
}

/// One difference.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    /// Raw names from the root, each after a slash.
    pub path: &'a [u8],
    /// How it changed.
    pub change: Change,
    /// The entry in the first tree.
    pub before: Option<&'a Node>,
    /// The entry in the second tree.
    pub after: Option<&'a Node>,
    /// A file's content changed while size, times and inode say it did not: perhaps a failing disk.
    pub suspicious: bool,
}

/// What is wanted of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffOptions {
    /// Report [`Change::Metadata`] too. Folders in which something changed mostly have another time of change.
    pub metadata: bool,
    /// Do not count a blob as added or removed that an unchanged folder holds as well, as restic's diff. This reads all
    /// folders that both share.
    pub exact_blobs: bool,
}

/// Counts of one side of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Side {
    /// Files.
    pub files: u64,
    /// Folders.
    pub dirs: u64,
    /// Links, devices, pipes.
    pub others: u64,
    /// Bytes of these files.
    pub file_bytes: u64,
    /// Data blobs that the other side does not have.
    pub data_blobs: u64,
    /// Tree blobs that the other side does not have.
    pub tree_blobs: u64,
    /// Bytes of these blobs, before compression.
    pub bytes: u64,
}

/// The sums of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct DiffSummary {
    /// Files of which the content changed.
    pub changed_files: u64,
    /// Entries of which only metadata changed (counted if asked for).
    pub changed_metadata: u64,
    /// What only the second tree has.
    pub added: Side,
    /// What only the first tree has.
    pub removed: Side,
}

/// Compares two trees and calls `each` for every difference, in path order. Counts differences into `progress` as files.
pub fn diff<S: TreeSource + ?Sized>(
    source: &S,
    [before, after]: [&Id; 2],
    options: DiffOptions,
    progress: &Progress,
    cancel: &Cancel,
    each: &mut dyn FnMut(Difference<'_>) -> Result<()>,
) -> Result<DiffSummary> {
    with_prefetch(source, cancel, |ahead| {
        let mut differ = Differ {
            source,
            ahead,
            options,
            progress,
            cancel,
            each,
            path: Vec::new(),
            scratch: Scratch::default(),
            summary: DiffSummary::default(),
            blobs: HashMap::new(),
            shared: Vec::new(),
        };
        differ.run(*before, *after)?;
        differ.sum_up()?;
        Ok(differ.summary)
    })
}

/// What changed from one version of an entry to another of the same name; `None` when nothing worth telling did (times
/// of access and of status change, inode and device numbers do not count).
pub fn compare(before: &Node, after: &Node) -> Option<Change> {
    if before.kind != after.kind {
        return Some(Change::Type);
    }
    if before.content != after.content || before.link_target != after.link_target || before.device != after.device {
        return Some(Change::Content);
    }
    let same = before.mode == after.mode
        && (before.uid, before.gid) == (after.uid, after.gid)
        && (&before.user, &before.group) == (&after.user, &after.group)
        && before.mtime.same_instant(&after.mtime)
        && before.xattrs == after.xattrs
        && before.extra == after.extra;
    (!same).then_some(Change::Metadata)
}

const BEFORE: u8 = 1;
const AFTER: u8 = 2;

/// Half an id, which is plenty to tell blobs apart, and its kind in the last bit.
type BlobKey = [u8; 16];

struct Differ<'a, 'b, S: TreeSource + ?Sized> {
    source: &'a S,
    ahead: &'a Prefetch<'b, S>,
    options: DiffOptions,
    progress: &'a Progress,
    cancel: &'a Cancel,
    each: &'a mut dyn FnMut(Difference<'_>) -> Result<()>,
    path: Vec<u8>,
    scratch: Scratch,
    summary: DiffSummary,
    /// Blobs met in what differs: on which sides, and their length.
    blobs: HashMap<BlobKey, (u8, u32)>,
    /// Folders that both sides share.
    shared: Vec<Id>,
}

type Sides = (Option<Node>, Option<Node>);

struct Level {
    pairs: std::vec::IntoIter<Sides>,
    tickets: Tickets,
    path_length: usize,
}

impl<S: TreeSource + ?Sized> Differ<'_, '_, S> {
    fn run(&mut self, before: Id, after: Id) -> Result<()> {
        let mut ids = Vec::new();
        let root = |id| Node {
            kind: NodeType::Dir,
            subtree: Some(id),
            ..Node::default()
        };
        let roots = (Some(root(before)), Some(root(after)));
        self.note_blobs(&roots);
        let wanted = self.wanted(&roots, &mut ids);
        let ahead = self.ahead;
        let mut tickets = ahead.plan(ids);
        let mut levels = vec![self.open(wanted, &mut tickets, 0)?];
        while let Some(level) = levels.last_mut() {
            self.path.truncate(level.path_length);
            let Some(pair) = level.pairs.next() else {
                levels.pop();
                continue;
            };
            self.cancel.check()?;
            let Some(name) = pair.0.as_ref().or(pair.1.as_ref()).map(|node| &node.name) else {
                continue;
            };
            self.path.push(b'/');
            self.path.extend_from_slice(name);
            self.report(&pair)?;
            self.note_blobs(&pair);
            let wanted = self.wanted(&pair, &mut Vec::new());
            if wanted != [false; 2] {
                let length = self.path.len();
                let deeper = self.open(wanted, &mut level.tickets, length)?;
                levels.push(deeper);
            }
        }
        Ok(())
    }

    /// Which sides of a pair must be read and walked: folders that the other side does not have as they are.
    fn wanted(&mut self, (before, after): &Sides, ids: &mut Vec<Id>) -> [bool; 2] {
        let subtree = |node: &Option<Node>| node.as_ref().and_then(|node| node.subtree);
        let (before, after) = (subtree(before), subtree(after));
        if before == after {
            return [false; 2];
        }
        ids.extend(before);
        ids.extend(after);
        [before.is_some(), after.is_some()]
    }

    /// Reads what is wanted of a pair's folders.
    fn open(&mut self, wanted: [bool; 2], tickets: &mut Tickets, path_length: usize) -> Result<Level> {
        let mut sides = [Tree::default(), Tree::default()];
        for (side, wanted) in sides.iter_mut().zip(wanted) {
            if let Some(ticket) = wanted.then(|| tickets.next()).flatten() {
                *side = self.ahead.take(ticket, &mut self.scratch)?;
            }
        }
        let pairs = pair_up(sides);
        let mut ids = Vec::new();
        for pair in &pairs {
            self.wanted(pair, &mut ids);
        }
        Ok(Level {
            pairs: pairs.into_iter(),
            tickets: self.ahead.plan(ids),
            path_length,
        })
    }

    /// Tells a pair's difference and counts it.
    fn report(&mut self, (before, after): &Sides) -> Result<()> {
        let mut suspicious = false;
        let change = match (before, after) {
            (Some(before), None) => {
                count(&mut self.summary.removed, before);
                Some(Change::Removed)
            }
            (None, Some(after)) => {
                count(&mut self.summary.added, after);
                Some(Change::Added)
            }
            (Some(before), Some(after)) => {
                let change = compare(before, after);
                if change == Some(Change::Content) && after.kind == NodeType::File {
                    self.summary.changed_files += 1;
                    suspicious = untouched(before, after);
                }
                change
            }
            (None, None) => None,
        };
        let Some(change) = change else { return Ok(()) };
        if change == Change::Metadata {
            if !self.options.metadata {
                return Ok(());
            }
            self.summary.changed_metadata += 1;
        }
        self.progress.files_done.fetch_add(1, Ordering::Relaxed);
        let (before, after) = (before.as_ref(), after.as_ref());
        (self.each)(Difference {
            path: &self.path,
            change,
            before,
            after,
            suspicious,
        })
    }

    /// Remembers the blobs of a pair, by side, or the folder both share.
    fn note_blobs(&mut self, (before, after): &Sides) {
        if let (Some(before), Some(after)) = (before, after)
            && let Some(shared) = before.subtree.filter(|_| before.subtree == after.subtree)
        {
            if self.options.exact_blobs {
                self.shared.push(shared);
            }
            return;
        }
        for (side, node) in [(BEFORE, before), (AFTER, after)] {
            let Some(node) = node else { continue };
            for id in node.content.iter().flatten() {
                self.note_blob(side, BlobKind::Data, id);
            }
            if let Some(subtree) = &node.subtree {
                self.note_blob(side, BlobKind::Tree, subtree);
            }
        }
    }

    fn note_blob(&mut self, side: u8, kind: BlobKind, id: &Id) {
        let source = self.source;
        let length = || source.locate(kind, id).map_or(0, |location| location.plain_length());
        self.blobs.entry(blob_key(kind, id)).or_insert_with(|| (0, length())).0 |= side;
    }

    /// Counts the blobs that one side alone has.
    fn sum_up(&mut self) -> Result<()> {
        self.blobs.retain(|_, (sides, _)| *sides != BEFORE | AFTER);
        self.forget_shared()?;
        for (key, (side, length)) in &self.blobs {
            let counts = if *side == BEFORE {
                &mut self.summary.removed
            } else {
                &mut self.summary.added
            };
            if key[15] & 1 == 0 {
                counts.data_blobs += 1;
            } else {
                counts.tree_blobs += 1;
            }
            counts.bytes += u64::from(*length);
        }
        Ok(())
    }

    /// Takes away the blobs that shared folders hold too.
    fn forget_shared(&mut self) -> Result<()> {
        let mut seen = HashSet::new();
        while let Some(id) = self.shared.pop() {
            if self.blobs.is_empty() {
                return Ok(());
            }
            if !seen.insert(blob_key(BlobKind::Tree, &id)) {
                continue;
            }
            self.cancel.check()?;
            self.blobs.remove(&blob_key(BlobKind::Tree, &id));
            for node in self.source.read_tree(&id, &mut self.scratch)?.nodes {
                for id in node.content.iter().flatten() {
                    self.blobs.remove(&blob_key(BlobKind::Data, id));
                }
                self.shared.extend(node.subtree);
            }
        }
        Ok(())
    }
}

fn blob_key(kind: BlobKind, id: &Id) -> BlobKey {
    let mut key = [0; 16];
    key.copy_from_slice(&id.0[..16]);
    key[15] = key[15] & !1 | u8::from(kind == BlobKind::Tree);
    key
}

fn count(side: &mut Side, node: &Node) {
    match node.kind {
        NodeType::File => {
            side.files += 1;
            side.file_bytes = side.file_bytes.saturating_add(node.size);
        }
        NodeType::Dir => side.dirs += 1,
        _ => side.others += 1,
    }
}

/// Whether everything but the content is as it was.
fn untouched(before: &Node, after: &Node) -> bool {
    before.size == after.size
        && before.mtime.same_instant(&after.mtime)
        && before.ctime.same_instant(&after.ctime)
        && before.inode == after.inode
        && before.mode == after.mode
}

/// Two listings side by side, by name.
fn pair_up([before, after]: [Tree; 2]) -> Vec<Sides> {
    let sorted = |mut tree: Tree| {
        // Damaged vaults hold unsorted trees.
        if !tree.nodes.is_sorted_by(|a, b| a.name <= b.name) {
            tree.nodes.sort_by(|a, b| a.name.cmp(&b.name));
        }
        tree.nodes.into_iter().peekable()
    };
    let (mut before, mut after) = (sorted(before), sorted(after));
    let mut pairs = Vec::with_capacity(before.len().max(after.len()));
    loop {
        let order = match (before.peek(), after.peek()) {
            (Some(a), Some(b)) => a.name.cmp(&b.name),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return pairs,
        };
        pairs.push((
            if order.is_le() { before.next() } else { None },
            if order.is_ge() { after.next() } else { None },
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Trees, dir, file, file_at, link};
    use super::*;

    fn differences(trees: &Trees, a: Id, b: Id, options: DiffOptions) -> (Vec<String>, DiffSummary) {
        let mut lines = Vec::new();
        let summary = diff(
            trees,
            [&a, &b],
            options,
            &Progress::default(),
            &Cancel::default(),
            &mut |d| {
                assert_eq!(
                    (d.before.is_some(), d.after.is_some()),
                    (d.change != Change::Added, d.change != Change::Removed)
                );
                lines.push(format!(
                    "{:?} {}{}",
                    d.change,
                    String::from_utf8_lossy(d.path),
                    if d.suspicious { "?" } else { "" }
                ));
                Ok(())
            },
        )
        .unwrap();
        (lines, summary)
    }

    fn vault() -> (Trees, Id, Id) {
        let mut trees = Trees::default();
        let same = trees.add(vec![file("s", &[1]), file("t", &[2])]);
        let sub1 = trees.add(vec![
            file("gone", &[3]),
            file("kept", &[4]),
            file_at("touched", &[5], 1),
        ]);
        let sub2 = trees.add(vec![
            file("kept", &[4]),
            file("new", &[2, 6]),
            file_at("touched", &[5], 2),
        ]);
        let extra = trees.add(vec![file("x", &[7]), link("l", "x")]);
        let a = trees.add(vec![
            dir("same", same),
            dir("sub", sub1),
            dir("type", extra),
            link("link", "a"),
            file("rot", &[8]),
            file_at("work", &[9], 1),
        ]);
        let b = trees.add(vec![
            dir("same", same),
            dir("sub", sub2),
            file("type", &[7]),
            link("link", "b"),
            file("rot", &[10]),
            file_at("work", &[9, 11], 2),
            dir("zz", extra),
        ]);
        (trees, a, b)
    }

    #[test]
    fn each_kind_of_change_in_path_order() {
        let (trees, a, b) = vault();
        let (lines, summary) = differences(&trees, a, b, DiffOptions::default());
        let expected = [
            "Content /link",
            "Content /rot?",
            "Removed /sub/gone",
            "Added /sub/new",
            "Type /type",
            "Removed /type/l",
            "Removed /type/x",
            "Content /work",
            "Added /zz",
            "Added /zz/l",
            "Added /zz/x",
        ];
        assert_eq!(lines, expected);
        assert_eq!(summary.changed_files, 2);
        let added = summary.added;
        assert_eq!(
            (added.files, added.dirs, added.others, added.file_bytes),
            (2, 1, 1, 300)
        );
        // Blobs 2, 6, 10, 11 and the trees b and sub2; x's folder is on both sides.
        assert_eq!((added.data_blobs, added.tree_blobs), (4, 2));
        let removed = summary.removed;
        assert_eq!((removed.files, removed.dirs, removed.others), (2, 0, 1));
        assert_eq!((removed.data_blobs, removed.tree_blobs), (2, 2));
        // The shared folder was not read.
        assert_eq!(trees.take_reads(), 6);
    }

    #[test]
    fn metadata_if_asked_for() {
        let (trees, a, b) = vault();
        let (lines, summary) = differences(
            &trees,
            a,
            b,
            DiffOptions {
                metadata: true,
                ..DiffOptions::default()
            },
        );
        assert!(lines.contains(&"Metadata /sub/touched".to_owned()));
        assert_eq!(summary.changed_metadata, 1);
    }

    #[test]
    fn blobs_of_shared_folders_are_not_new() {
        let (trees, a, b) = vault();
        let (_, summary) = differences(
            &trees,
            a,
            b,
            DiffOptions {
                exact_blobs: true,
                ..DiffOptions::default()
            },
        );
        assert_eq!((summary.added.data_blobs, summary.added.tree_blobs), (3, 2));
        let tree_bytes = |id: &Id| u64::from(trees.locate(BlobKind::Tree, id).unwrap().plain_length());
        let sub2 = trees
            .read_tree(&b, &mut Scratch::default())
            .unwrap()
            .find(b"sub")
            .unwrap()
            .subtree
            .unwrap();
        assert_eq!(summary.added.bytes, 300 + tree_bytes(&b) + tree_bytes(&sub2));
    }

    #[test]
    fn equal_trees_cost_nothing_and_the_other_way_round_is_the_mirror() {
        let (trees, a, b) = vault();
        assert_eq!(
            differences(&trees, a, a, DiffOptions::default()),
            (Vec::new(), DiffSummary::default())
        );
        assert_eq!(trees.take_reads(), 0);
        let there = differences(&trees, a, b, DiffOptions::default()).1;
        let back = differences(&trees, b, a, DiffOptions::default()).1;
        assert_eq!((there.added, there.removed), (back.removed, back.added));
    }

    #[test]
    fn unsorted_trees_are_paired_all_the_same() {
        let nodes = |names: &[&str]| Tree {
            nodes: names.iter().map(|name| file(name, &[])).collect(),
        };
        let pairs = pair_up([nodes(&["c", "a"]), nodes(&["a", "b", "c"])]);
        let sides: Vec<_> = pairs.iter().map(|(a, b)| (a.is_some(), b.is_some())).collect();
        assert_eq!(sides, [(true, true), (false, true), (true, true)]);
    }
}

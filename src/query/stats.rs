//! What generations weigh.
//!
//! Each unique tree is read once and its sums remembered, so that a thousand generations cost little more than what they
//! do not share. Blobs are counted once, in a set with a bit for each blob of the vault.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use super::prefetch::{Prefetch, Tickets, with_prefetch};
use super::{Marks, Scratch, TreeSource};
use crate::progress::{Cancel, Progress};
use crate::vault::index::Mark;
use crate::vault::{BlobKind, Generation, Id, NodeType, Result, Tree};

/// So many files with several links are remembered to count each inode once (a hundred megabytes); in vaults with more,
/// those beyond count with each of their names.
const LINKED_FILES: usize = 2_000_000;

/// Entries, and the bytes that restoring them writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Weight {
    /// Files, each name counted.
    pub files: u64,
    /// Folders, the root not counted.
    pub dirs: u64,
    /// Links, devices, pipes.
    pub others: u64,
    /// Bytes of content; files with several links count once.
    pub bytes: u64,
}

impl Weight {
    fn add(&mut self, other: &Weight) {
        let add = |a: &mut u64, b: u64| *a = a.saturating_add(b);
        add(&mut self.files, other.files);
        add(&mut self.dirs, other.dirs);
        add(&mut self.others, other.others);
        add(&mut self.bytes, other.bytes);
    }
}

/// What some generations weigh together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// How many there are.
    pub generations: u64,
    /// The sum over all generations, as if each were restored.
    pub logical: Weight,
    /// Different data blobs they use.
    pub data_blobs: u64,
    /// Different folders they use.
    pub tree_blobs: u64,
    /// Bytes of all these blobs, before compression.
    pub unique_bytes: u64,
    /// Bytes these blobs take in the vault, compressed and encrypted; without the packs' headers and the index.
    pub stored_bytes: u64,
    /// References to blobs that the vault does not have.
    pub missing: u64,
}

impl Stats {
    /// How many times as much would be stored if nothing were shared within and between generations; `None` without data.
    pub fn deduplication(&self) -> Option<f64> {
        ratio(self.logical.bytes, self.unique_bytes)
    }

    /// How many times as much would be stored without compression.
    pub fn compression(&self) -> Option<f64> {
        ratio(self.unique_bytes, self.stored_bytes)
    }
}

fn ratio(whole: u64, part: u64) -> Option<f64> {
    (part > 0).then(|| whole as f64 / part as f64)
}

/// Weighs these generations. `each` is told what every single one weighs, in order. Counts generations into `progress` as
/// files.
pub fn stats<S: TreeSource + ?Sized>(
    source: &S,
    generations: &[Generation],
    progress: &Progress,
    cancel: &Cancel,
    each: &mut dyn FnMut(&Generation, &Weight) -> Result<()>,
) -> Result<Stats> {
    progress.files_total.store(generations.len() as u64, Ordering::Relaxed);
    progress.totals_known.store(true, Ordering::Relaxed);
    with_prefetch(source, cancel, |ahead| {
        let mut weigher = Weigher {
            ahead,
            marks: source.marks(),
            cancel,
            scratch: Scratch::default(),
            stats: Stats {
                generations: generations.len() as u64,
                ..Stats::default()
            },
            known: HashMap::new(),
            linked: HashMap::new(),
            linked_files: 0,
        };
        let mut roots = ahead.plan(generations.iter().map(|generation| generation.tree).collect());
        for generation in generations {
            let weight = weigher.generation(generation.tree, &mut roots)?;
            each(generation, &weight)?;
            weigher.stats.logical.add(&weight);
            progress.files_done.fetch_add(1, Ordering::Relaxed);
            progress.bytes_done.store(weigher.stats.unique_bytes, Ordering::Relaxed);
        }
        Ok(weigher.stats)
    })
}

/// A file with several links: device, inode, size.
type Linked = (u64, u64, u64);

/// What a tree has of files with several links.
#[derive(Default)]
struct LinkedIn {
    files: Vec<Linked>,
    /// The subfolders with such files in or below them, as often as they are there.
    folders: Vec<Id>,
}

struct Weigher<'a, 'b, S: TreeSource + ?Sized> {
    ahead: &'a Prefetch<'b, S>,
    marks: Box<dyn Marks + 'a>,
    cancel: &'a Cancel,
    scratch: Scratch,
    stats: Stats,
    /// The weight of each tree with all below it, files in `linked` left out.
    known: HashMap<Id, Weight>,
    /// Of the trees with such files in or below them.
    linked: HashMap<Id, LinkedIn>,
    linked_files: usize,
}

/// A folder on the way: its own entries are counted already.
struct Level {
    id: Id,
    folders: std::vec::IntoIter<Id>,
    tickets: Tickets,
    weight: Weight,
    linked: LinkedIn,
}

impl<S: TreeSource + ?Sized> Weigher<'_, '_, S> {
    fn generation(&mut self, root: Id, tickets: &mut Tickets) -> Result<Weight> {
        self.tree(root, tickets)?;
        let mut weight = self.known.get(&root).copied().unwrap_or_default();
        weight.bytes = weight.bytes.saturating_add(self.linked_bytes(root));
        Ok(weight)
    }

    /// Learns the weight of a tree and of all below it.
    fn tree(&mut self, root: Id, tickets: &mut Tickets) -> Result<()> {
        let mut levels = Vec::new();
        levels.extend(self.open(root, tickets)?);
        while let Some(level) = levels.last_mut() {
            if let Some(folder) = level.folders.next() {
                // Deeper first; its weight is added when it is known.
                match self.open(folder, &mut level.tickets)? {
                    Some(deeper) => levels.push(deeper),
                    None => self.include(level, folder),
                }
                continue;
            }
            let Some(done) = levels.pop() else { break };
            self.known.insert(done.id, done.weight);
            if !done.linked.files.is_empty() || !done.linked.folders.is_empty() {
                self.linked.insert(done.id, done.linked);
            }
            if let Some(parent) = levels.last_mut() {
                self.include(parent, done.id);
            }
        }
        Ok(())
    }

    /// Adds a subfolder that is known to its folder.
    fn include(&self, level: &mut Level, folder: Id) {
        if let Some(weight) = self.known.get(&folder) {
            level.weight.add(weight);
        }
        if self.linked.contains_key(&folder) {
            level.linked.folders.push(folder);
        }
    }

    /// Reads a tree and counts its own entries; `None` if it is known. Uses up its ticket.
    fn open(&mut self, id: Id, tickets: &mut Tickets) -> Result<Option<Level>> {
        let Some(ticket) = tickets.next() else { return Ok(None) };
        if self.known.contains_key(&id) {
            self.ahead.pass(ticket);
            return Ok(None);
        }
        self.cancel.check()?;
        self.mark(BlobKind::Tree, &id);
        let Tree { nodes } = self.ahead.take(ticket, &mut self.scratch)?;
        let (mut folders, mut weight, mut linked) = (Vec::new(), Weight::default(), LinkedIn::default());
        for node in nodes {
            folders.extend(node.subtree);
            match node.kind {
                NodeType::Dir => weight.dirs += 1,
                NodeType::File => {
                    weight.files += 1;
                    node.content
                        .iter()
                        .flatten()
                        .for_each(|blob| self.mark(BlobKind::Data, blob));
                    if node.links > 1 && self.linked_files < LINKED_FILES {
                        self.linked_files += 1;
                        linked.files.push((node.device_id, node.inode, node.size));
                    } else {
                        weight.bytes = weight.bytes.saturating_add(node.size);
                    }
                }
                _ => weight.others += 1,
            }
        }
        let tickets = self.ahead.plan(folders.clone());
        Ok(Some(Level {
            id,
            folders: folders.into_iter(),
            tickets,
            weight,
            linked,
        }))
    }

    fn mark(&mut self, kind: BlobKind, id: &Id) {
        let stats = &mut self.stats;
        match self.marks.mark(kind, id) {
            Mark::Again => {}
            Mark::Missing => stats.missing += 1,
            Mark::First(location) => {
                match kind {
                    BlobKind::Data => stats.data_blobs += 1,
                    BlobKind::Tree => stats.tree_blobs += 1,
                }
                stats.unique_bytes += u64::from(location.plain_length());
                stats.stored_bytes += u64::from(location.length);
            }
        }
    }

    /// Bytes of the files with several links below a root, each inode once.
    fn linked_bytes(&self, root: Id) -> u64 {
        let mut inodes = HashSet::new();
        // A folder that is there twice holds the same inodes.
        let mut folders = HashSet::from([root]);
        let mut todo = vec![root];
        let mut bytes = 0_u64;
        while let Some(linked) = todo.pop().and_then(|id| self.linked.get(&id)) {
            for (device, inode, size) in &linked.files {
                if inodes.insert((*device, *inode)) {
                    bytes = bytes.saturating_add(*size);
                }
            }
            todo.extend(linked.folders.iter().copied().filter(|id| folders.insert(*id)));
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Trees, dir, file, link};
    use super::*;
    use crate::vault::Node;
    use crate::vault::generation::tests_support::generation;

    fn weigh(trees: &Trees, roots: &[Id]) -> (Vec<Weight>, Stats) {
        let generations: Vec<_> = roots
            .iter()
            .enumerate()
            .map(|(i, root)| Generation {
                tree: *root,
                ..generation(i as u8, 0)
            })
            .collect();
        let mut each = Vec::new();
        let stats = stats(
            trees,
            &generations,
            &Progress::default(),
            &Cancel::default(),
            &mut |_, weight| {
                each.push(*weight);
                Ok(())
            },
        )
        .unwrap();
        (each, stats)
    }

    #[test]
    fn sums_and_unique_blobs() {
        let mut trees = Trees::default();
        let shared = trees.add(vec![file("a", &[1, 2]), link("l", "a")]);
        let first = trees.add(vec![dir("x", shared), dir("y", shared), file("f", &[2, 3])]);
        let second = trees.add(vec![dir("x", shared), file("g", &[4])]);
        trees.take_reads();
        let (each, stats) = weigh(&trees, &[first, second, first]);
        let weight = |files, dirs, others, bytes| Weight {
            files,
            dirs,
            others,
            bytes,
        };
        assert_eq!(each, [weight(3, 2, 2, 600), weight(2, 1, 1, 300), weight(3, 2, 2, 600)]);
        assert_eq!(stats.logical, weight(8, 5, 5, 1500));
        assert_eq!(
            (stats.generations, stats.data_blobs, stats.tree_blobs, stats.missing),
            (3, 4, 3, 0)
        );
        let trees_plain: u64 = [shared, first, second]
            .iter()
            .map(|id| u64::from(trees.locate(BlobKind::Tree, id).unwrap().plain_length()))
            .sum();
        assert_eq!(stats.unique_bytes, 400 + trees_plain);
        assert!(stats.deduplication().unwrap() > 0.0 && stats.compression().unwrap() > 1.0);
        assert!((3..=5).contains(&trees.take_reads()));
    }

    #[test]
    fn several_links_count_once_for_each_generation() {
        let mut trees = Trees::default();
        let linked = |name: &str, inode| Node {
            links: 2,
            inode,
            ..file(name, &[1, 2])
        };
        let inner = trees.add(vec![linked("a", 7), linked("b", 7), linked("c", 8)]);
        let root = trees.add(vec![dir("x", inner), dir("y", inner), linked("z", 8), file("f", &[3])]);
        let (each, _) = weigh(&trees, &[root, inner]);
        assert_eq!((each[0].files, each[0].bytes), (8, 500));
        assert_eq!((each[1].files, each[1].bytes), (3, 400));
    }

    #[test]
    fn shared_folders_do_not_multiply_the_work() {
        // 2^40 paths in forty trees.
        let mut trees = Trees::default();
        let mut id = trees.add(vec![
            file("f", &[1]),
            Node {
                links: 2,
                ..file("h", &[2])
            },
        ]);
        for _ in 0..40 {
            id = trees.add(vec![dir("a", id), dir("b", id)]);
        }
        let (each, stats) = weigh(&trees, &[id]);
        assert_eq!((each[0].files, each[0].bytes), (2 << 40, (100 << 40) + 100));
        assert_eq!(stats.tree_blobs, 41);
    }

    #[test]
    fn missing_blobs_are_counted() {
        let mut trees = Trees::default();
        let id = trees.add(vec![Node {
            content: Some(Vec::new()),
            ..file("f", &[])
        }]);
        let mut other = Trees::default();
        let lost = other.add(vec![file("f", &[9])]);
        let (_, stats) = weigh(&trees, &[id]);
        assert_eq!((stats.missing, stats.deduplication()), (0, Some(0.0)));
        trees.add_without_blobs(lost, vec![file("f", &[9])]);
        assert_eq!(weigh(&trees, &[lost]).1.missing, 2);
    }
}

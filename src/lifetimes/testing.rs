//! A vault in memory, and what a naive traversal finds in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Folder, Lifetimes, Source, Sums, Weight};
use crate::vault::generation::tests_support::generation;
use crate::vault::{BlobKind, Error, Generation, Id, Result};

/// A folder: the trees of its folders, and the blobs of its files.
type Tree = (Vec<Id>, Vec<Vec<Id>>);

/// A vault in memory.
#[derive(Default)]
pub(super) struct Memory {
    pub trees: HashMap<Id, Tree>,
    pub weights: BTreeMap<(BlobKind, Id), Weight>,
    pub index_files: Vec<Id>,
    pub generations: Vec<Generation>,
    pub reads: AtomicU64,
    /// How many generations were ever made.
    made: u64,
}

impl Source for Memory {
    type Scratch = ();

    fn read(&self, tree: &Id, (): &mut (), folder: &mut Folder) -> Result<()> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let kind = BlobKind::Tree;
        let missing = || Error::MissingBlob { kind, id: *tree };
        let (folders, files) = self.trees.get(tree).ok_or_else(missing)?;
        folder.folders.extend(folders);
        files.iter().for_each(|file| folder.file(file.iter().copied()));
        Ok(())
    }

    fn weigh(&self, kind: BlobKind, id: &Id) -> Option<Weight> {
        self.weights.get(&(kind, *id)).copied()
    }

    fn weigh_all(&self, each: &mut dyn FnMut(BlobKind, &Id, Weight)) {
        for ((kind, id), weight) in &self.weights {
            each(*kind, id, *weight);
            // Some lie in two packs.
            if id.0[0].is_multiple_of(5) {
                each(*kind, id, *weight);
            }
        }
    }

    fn index_files(&self) -> Vec<Id> {
        self.index_files.clone()
    }
}

/// A blob's id by a number.
pub(super) fn blob(n: u8) -> Id {
    Id::of(&[n, 1])
}

impl Memory {
    fn weight(&mut self, kind: BlobKind, id: Id) {
        let plain = u32::from(id.0[1]) * 100 + 1;
        let compressed = !id.0[2].is_multiple_of(3);
        let sealed = if compressed { plain / 3 + 40 } else { plain + 32 };
        let weight = Weight {
            sealed,
            plain,
            compressed,
        };
        self.weights.entry((kind, id)).or_insert(weight);
    }

    /// Stores a folder.
    pub fn tree(&mut self, folders: Vec<Id>, files: Vec<Vec<Id>>) -> Id {
        let mut name = Vec::new();
        folders.iter().for_each(|id| name.extend_from_slice(&id.0));
        for file in &files {
            name.push(b'|');
            file.iter().for_each(|id| name.extend_from_slice(&id.0));
        }
        let id = Id::of(&name);
        self.weight(BlobKind::Tree, id);
        files
            .iter()
            .flatten()
            .for_each(|blob| self.weight(BlobKind::Data, *blob));
        self.trees.insert(id, (folders, files));
        id
    }

    /// Makes a generation.
    pub fn make(&mut self, tree: Id, host: u8, path: u8, seconds: i64) -> Id {
        self.made += 1;
        let id = Id::of(&self.made.to_le_bytes());
        self.generations.push(Generation {
            id,
            tree,
            hostname: format!("host-{host}"),
            paths: vec![format!("/{path}")],
            ..generation(0, seconds)
        });
        id
    }

    /// What these generations reach: trees, blobs, and contents of files.
    pub fn reached(&self, ids: &[Id]) -> (BTreeSet<(BlobKind, Id)>, BTreeSet<Vec<Id>>) {
        let kept = self
            .generations
            .iter()
            .filter(|generation| ids.contains(&generation.id));
        self.below(kept.map(|generation| generation.tree).collect())
    }

    /// What these trees reach.
    pub fn below(&self, mut todo: Vec<Id>) -> (BTreeSet<(BlobKind, Id)>, BTreeSet<Vec<Id>>) {
        let (mut blobs, mut contents) = (BTreeSet::new(), BTreeSet::new());
        while let Some(tree) = todo.pop() {
            if blobs.insert((BlobKind::Tree, tree))
                && let Some((folders, files)) = self.trees.get(&tree)
            {
                todo.extend(folders);
                for file in files.iter().filter(|file| !file.is_empty()) {
                    contents.insert(file.clone());
                    blobs.extend(file.iter().map(|id| (BlobKind::Data, *id)));
                }
            }
        }
        (blobs, contents)
    }

    /// What these come to.
    pub fn sums(&self, (blobs, contents): &(BTreeSet<(BlobKind, Id)>, BTreeSet<Vec<Id>>)) -> Sums {
        let mut sums = Sums::default();
        for (kind, id) in blobs {
            let Some(weight) = self.weights.get(&(*kind, *id)) else {
                continue;
            };
            match kind {
                BlobKind::Data => sums.data_blobs += 1,
                BlobKind::Tree => sums.tree_blobs += 1,
            }
            sums.sealed += u64::from(weight.sealed);
            sums.stored += u64::from(weight.sealed) + if weight.compressed { 41 } else { 37 };
            sums.plain += u64::from(weight.plain);
        }
        for content in contents {
            sums.versions += 1;
            let plain = |id: &Id| {
                self.weights
                    .get(&(BlobKind::Data, *id))
                    .map_or(0, |weight| weight.plain)
            };
            sums.version_bytes += content.iter().map(|id| u64::from(plain(id))).sum::<u64>();
        }
        sums
    }

    /// Compares all that can be asked with what a traversal finds, for the kept set that `keep` chooses.
    pub fn compare(&self, lifetimes: &Lifetimes, keep: impl Fn(usize) -> bool) {
        let ids: Vec<Id> = self.generations.iter().map(|generation| generation.id).collect();
        assert!(lifetimes.is_of(&ids));
        let chosen = ids.iter().enumerate().filter(|(n, _)| keep(*n));
        let chosen: Vec<Id> = chosen.map(|(_, id)| *id).collect();
        let (everything, reached) = (self.reached(&ids), self.reached(&chosen));
        let (all, stored) = (self.sums(&everything), self.sums(&reached));
        let kept = lifetimes.kept(&chosen);
        assert_eq!(kept.len(), chosen.len());
        assert_eq!(lifetimes.all(), all);
        assert_eq!(lifetimes.stored(&kept), stored);
        assert_eq!(lifetimes.freed(&kept), all - stored);
        let reach = lifetimes.reach(&kept).unwrap();
        for (kind, id) in &everything.0 {
            let class = lifetimes.class_of(*kind, id).unwrap().unwrap();
            assert_eq!(reach.has(class), reached.0.contains(&(*kind, *id)), "{kind:?} {id}");
        }
        for content in &everything.1 {
            let class = lifetimes.class_of_content(content).unwrap().unwrap();
            assert_eq!(reach.has(class), reached.1.contains(content), "{content:?}");
        }
        self.compare_each(lifetimes, &chosen);
        self.compare_walks(lifetimes, &reach, &reached);
    }

    fn compare_each(&self, lifetimes: &Lifetimes, chosen: &[Id]) {
        let each = lifetimes.each(&lifetimes.kept(chosen));
        assert_eq!(each.len(), chosen.len());
        let mut older = Vec::new();
        for (id, found) in each {
            let others: Vec<Id> = chosen.iter().filter(|other| **other != id).copied().collect();
            let all = self.sums(&self.reached(chosen));
            assert_eq!(found.exclusive, all - self.sums(&self.reached(&others)));
            let before = self.sums(&self.reached(&older));
            older.push(id);
            assert_eq!(found.added, self.sums(&self.reached(&older)) - before);
        }
        let mut lives = Sums::default();
        lifetimes.lives(|life| {
            assert!(life.first <= life.last);
            lives += life.sums;
        });
        assert_eq!(lives, lifetimes.all());
    }

    fn compare_walks(
        &self,
        lifetimes: &Lifetimes,
        reach: &super::Reach,
        kept: &(BTreeSet<(BlobKind, Id)>, BTreeSet<Vec<Id>>),
    ) {
        let mut walk = lifetimes.walk();
        let (mut lost, mut met) = (lifetimes.walk(), Vec::new());
        let (mut sums, mut lost_sums) = (Sums::default(), Sums::default());
        for generation in &self.generations {
            sums += walk.add(&generation.tree).unwrap().unwrap();
            lost_sums += lost.add_reached(&generation.tree, reach, false).unwrap().unwrap();
            met.push(generation.tree);
            let (mut blobs, mut contents) = self.below(met.clone());
            assert_eq!(sums, self.sums(&(blobs.clone(), contents.clone())));
            blobs.retain(|blob| !kept.0.contains(blob));
            contents.retain(|content| !kept.1.contains(content));
            assert_eq!(lost_sums, self.sums(&(blobs, contents)));
        }
    }
}

//! Random vaults against a naive traversal: made at once, step by step, after kills and damage.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::testing::{Memory, blob};
use super::*;
use crate::progress::{Cancel, Progress};
use crate::vault::{BlobKind, Id};

const VAULT: &str = "a vault";

fn bring(folder: &Path, memory: &Memory) -> Updated {
    let progress = Progress::default();
    update(
        folder,
        VAULT,
        &memory.generations,
        memory,
        &progress,
        &Cancel::default(),
    )
    .unwrap()
}

fn file(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|e| e == "lifetimes"))
        .collect();
    assert_eq!(files.len(), 1);
    files.remove(0)
}

/// Folders that share much, in three levels; generations choose among the roots.
#[derive(Debug, Clone)]
struct Shape {
    contents: Vec<Vec<u8>>,
    leaves: Vec<Vec<usize>>,
    middles: Vec<(Vec<usize>, Vec<usize>)>,
    roots: Vec<(Vec<usize>, Vec<usize>)>,
}

fn shape() -> impl Strategy<Value = Shape> {
    let some = |count: usize| prop::collection::vec(0..count, 0..4_usize);
    let folder = move |below: usize| (some(below), some(8));
    (
        prop::collection::vec(prop::collection::vec(0_u8..12, 0..4), 8),
        prop::collection::vec(some(8), 6),
        prop::collection::vec(folder(6), 5),
        prop::collection::vec((some(5), some(6)), 8),
    )
        .prop_map(|(contents, leaves, middles, roots)| Shape {
            contents,
            leaves,
            middles,
            roots,
        })
}

impl Shape {
    /// Stores all of it; gives the roots.
    fn store(&self, memory: &mut Memory) -> Vec<Id> {
        let files = |of: &[usize]| -> Vec<Vec<Id>> {
            let content = |n: &usize| self.contents[*n].iter().map(|n| blob(*n)).collect();
            of.iter().map(content).collect()
        };
        let pick = |from: &[Id], which: &[usize]| which.iter().map(|n| from[*n]).collect();
        let leaves: Vec<Id> = self
            .leaves
            .iter()
            .map(|of| memory.tree(Vec::new(), files(of)))
            .collect();
        let middles = self
            .middles
            .iter()
            .map(|(below, of)| memory.tree(pick(&leaves, below), files(of)));
        let middles: Vec<Id> = middles.collect();
        let roots = self.roots.iter().enumerate().map(|(n, (below, more))| {
            let mut below: Vec<Id> = pick(&middles, below);
            below.extend(pick(&leaves, more));
            // Each root differs, as the times in it would.
            memory.tree(below, vec![vec![blob(100 + n as u8)]])
        });
        roots.collect()
    }
}

/// What happens between two looks.
#[derive(Debug, Clone)]
enum Step {
    /// Generations are made: root, host, path, time.
    Make(Vec<(usize, u8, u8, i64)>),
    /// Some go.
    Forget(u16),
    /// What nothing needs goes, and some blobs are packed anew.
    Prune,
}

fn step() -> impl Strategy<Value = Step> {
    let made = (0..8_usize, 0..2_u8, 0..3_u8, 0..40_i64);
    prop_oneof![
        4 => prop::collection::vec(made, 1..4).prop_map(Step::Make),
        2 => any::<u16>().prop_map(Step::Forget),
        1 => Just(Step::Prune),
    ]
}

impl Memory {
    fn step(&mut self, step: &Step, roots: &[Id], number: usize) {
        match step {
            Step::Make(made) => {
                for (root, host, path, time) in made {
                    // Mostly in the order of time.
                    self.make(roots[*root], *host, *path, number as i64 * 20 + time);
                }
                self.index_files.push(Id::of(&[1, number as u8]));
            }
            Step::Forget(which) => {
                let mut n = 0;
                self.generations.retain(|_| {
                    n += 1;
                    which >> (n % 16) & 1 == 0
                });
            }
            Step::Prune => {
                let roots = self.generations.iter().map(|generation| generation.tree).collect();
                let (used, _) = self.below(roots);
                self.weights.retain(|blob, _| used.contains(blob));
                self.weights
                    .values_mut()
                    .filter(|weight| !weight.compressed)
                    .for_each(|weight| {
                        weight.compressed = true;
                        weight.sealed = weight.plain / 2 + 32;
                    });
                self.index_files = vec![Id::of(&[2, number as u8])];
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_vault_read_at_once_is_as_a_traversal_finds_it(
        shape in shape(),
        made in prop::collection::vec((0..8_usize, 0..3_u8, 0..3_u8, 0..40_i64), 0..24),
        kept in prop::collection::vec(any::<u32>(), 3),
    ) {
        let mut memory = Memory::default();
        let roots = shape.store(&mut memory);
        for (root, host, path, time) in made {
            memory.make(roots[root], host, path, time);
        }
        let folder = tempfile::tempdir().unwrap();
        let updated = bring(folder.path(), &memory);
        prop_assert!(updated.rewritten);
        let all = memory.below(memory.generations.iter().map(|generation| generation.tree).collect()).0;
        let trees = all.iter().filter(|(kind, _)| *kind == BlobKind::Tree).count();
        prop_assert_eq!(memory.reads.load(std::sync::atomic::Ordering::Relaxed), trees as u64, "each tree once");
        prop_assert_eq!(updated.lifetimes.missing(), 0);
        for kept in kept.into_iter().chain([0, u32::MAX]) {
            memory.compare(&updated.lifetimes, |n| kept >> (n % 32) & 1 == 1);
        }
    }

    #[test]
    fn what_is_brought_up_to_date_is_as_a_traversal_finds_it(
        shape in shape(),
        steps in prop::collection::vec(step(), 1..14),
        kept in prop::collection::vec(any::<u32>(), 2),
    ) {
        let mut memory = Memory::default();
        let roots = shape.store(&mut memory);
        let weights = memory.weights.clone();
        let folder = tempfile::tempdir().unwrap();
        let mut read = HashSet::new();
        for (number, step) in steps.iter().enumerate() {
            // What was pruned away comes back with a generation that needs it.
            if matches!(step, Step::Make(_)) {
                for (blob, weight) in &weights {
                    memory.weights.entry(*blob).or_insert(*weight);
                }
            }
            memory.step(step, &roots, number);
            memory.reads.store(0, std::sync::atomic::Ordering::Relaxed);
            let updated = bring(folder.path(), &memory);
            let all = memory.below(memory.generations.iter().map(|generation| generation.tree).collect()).0;
            let new = all.into_iter().filter(|blob| blob.0 == BlobKind::Tree && !read.contains(blob));
            let new: Vec<_> = new.collect();
            let reads = memory.reads.load(std::sync::atomic::Ordering::Relaxed);
            prop_assert!(reads >= new.len() as u64);
            if !updated.rewritten {
                prop_assert_eq!(reads, new.len() as u64, "each tree once");
            }
            read.extend(new);
            if updated.rewritten {
                // What was not reached any more is forgotten.
                read = memory.below(memory.generations.iter().map(|generation| generation.tree).collect()).0.into_iter().collect();
            }
            for kept in kept.iter().chain([&0, &u32::MAX]) {
                memory.compare(&updated.lifetimes, |n| kept >> (n % 32) & 1 == 1);
            }
            let known = known(folder.path(), VAULT).unwrap().unwrap();
            prop_assert_eq!(known.all(), updated.lifetimes.all());
        }
    }
}

/// A history of one folder with many generations, in which files come, go and come back.
fn long(generations: usize) -> Memory {
    let mut memory = Memory::default();
    for n in 0..generations {
        let at = |every: usize, of: usize| vec![blob((n / every % of) as u8)];
        let inner = memory.tree(
            Vec::new(),
            vec![at(7, 11), at(3, 50), vec![blob(201), blob((n / 5 % 9) as u8)]],
        );
        let steady = memory.tree(vec![], vec![vec![blob(202), blob(203)], vec![blob(202)]]);
        let root = memory.tree(vec![inner, steady], vec![at(1, 200)]);
        memory.make(root, 0, (n % 2) as u8, n as i64);
    }
    memory
}

#[test]
fn a_long_history_is_as_a_traversal_finds_it_however_it_came_to_be_known() {
    let mut memory = long(120);
    let folder = tempfile::tempdir().unwrap();
    let all = std::mem::take(&mut memory.generations);
    for (n, generation) in all.into_iter().enumerate() {
        memory.generations.push(generation);
        let updated = bring(folder.path(), &memory);
        assert_eq!(updated.rewritten, n == 0);
    }
    let stepwise = known(folder.path(), VAULT).unwrap().unwrap();
    let other = tempfile::tempdir().unwrap();
    let at_once = bring(other.path(), &memory).lifetimes;
    for keep in [
        |n| n % 3 == 0,
        |n| n > 60,
        |n: usize| n.is_power_of_two(),
        |_| false,
        |_| true,
    ] {
        memory.compare(&stepwise, keep);
        memory.compare(&at_once, keep);
    }
    assert_eq!(stepwise.each(&stepwise.kept_all()), at_once.each(&at_once.kept_all()));
    // Half of them go: nothing is read, and later all of it is written anew.
    memory.generations.retain(|generation| generation.time.seconds % 2 == 0);
    memory.reads.store(0, std::sync::atomic::Ordering::Relaxed);
    let updated = bring(folder.path(), &memory);
    assert_eq!((updated.gone, updated.rewritten), (60, false));
    memory.compare(&updated.lifetimes, |n| n % 5 == 0);
    memory.generations.truncate(9);
    let updated = bring(folder.path(), &memory);
    assert!(updated.rewritten);
    memory.compare(&updated.lifetimes, |n| n % 5 == 0);
    assert_eq!(memory.reads.load(std::sync::atomic::Ordering::Relaxed), 0);
}

/// A vault of some generations, of which the last one is made after the file was.
fn one_more() -> (TempDir, Memory, Vec<u8>, Vec<u8>) {
    let mut memory = long(20);
    let last = memory.generations.pop().unwrap();
    let folder = tempfile::tempdir().unwrap();
    bring(folder.path(), &memory);
    let before = fs::read(file(folder.path())).unwrap();
    memory.generations.push(last);
    assert!(!bring(folder.path(), &memory).rewritten);
    let after = fs::read(file(folder.path())).unwrap();
    assert_eq!(after[..before.len()], before, "it only grows");
    (folder, memory, before, after)
}

#[test]
fn a_kill_at_any_moment_leaves_what_was_there() {
    let (folder, memory, before, after) = one_more();
    let path = file(folder.path());
    // So much of a new file was written.
    fs::write(path.with_extension("temporary"), &after[..before.len() / 2]).unwrap();
    for length in (before.len()..after.len()).step_by(113) {
        fs::write(&path, &after[..length]).unwrap();
        assert_eq!(known(folder.path(), VAULT).unwrap().unwrap().generations().len(), 19);
        let updated = bring(folder.path(), &memory);
        assert!(!updated.rewritten);
        memory.compare(&updated.lifetimes, |n| n % 2 == 0);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left over");
}

#[test]
fn damage_is_never_believed() {
    let (folder, mut memory, _, after) = one_more();
    let path = file(folder.path());
    let more = long(21).generations.pop().unwrap();
    for at in (0..after.len()).step_by(641) {
        let mut damaged = after.clone();
        damaged[at] ^= 0x20;
        fs::write(&path, &damaged).unwrap();
        memory.generations.truncate(20);
        if at % 3 == 0 {
            let whole = long(21);
            memory.trees.extend(whole.trees);
            memory.weights.extend(whole.weights);
            memory.generations.push(more.clone());
        }
        let updated = bring(folder.path(), &memory);
        let ids: Vec<Id> = memory.generations.iter().map(|generation| generation.id).collect();
        let kept = updated.lifetimes.kept(&ids[..7]);
        assert_eq!(
            updated.lifetimes.stored(&kept),
            memory.sums(&memory.reached(&ids[..7])),
            "byte {at}"
        );
    }
    for what in [&b""[..], b"x", &[0; 5000]] {
        fs::write(&path, what).unwrap();
        assert!(known(folder.path(), VAULT).unwrap().is_none());
        memory.compare(&bring(folder.path(), &memory).lifetimes, |n| n % 2 == 0);
    }
    assert!(known(folder.path(), "another vault").unwrap().is_none());
}

#[test]
fn what_is_lacking_is_counted_and_known_once_it_is_there() {
    let mut memory = long(8);
    let folder = tempfile::tempdir().unwrap();
    let whole = long(8);
    // A data blob, a tree of some generations, and one that is in the index and cannot be read.
    let lost = (BlobKind::Data, blob(203));
    memory.weights.remove(&lost);
    let unreadable = memory.generations[7].tree;
    memory.trees.remove(&unreadable);
    let gone = memory.generations[3].tree;
    memory.trees.remove(&gone);
    memory.weights.remove(&(BlobKind::Tree, gone));
    let updated = bring(folder.path(), &memory);
    assert_eq!(updated.lifetimes.missing(), 3);
    let ids: Vec<Id> = memory.generations.iter().map(|generation| generation.id).collect();
    assert_eq!(updated.lifetimes.missing(), 3);
    assert_eq!(updated.lifetimes.all(), memory.sums(&memory.reached(&ids)));
    // Nothing changes by looking again, also when the index grows.
    memory.index_files.push(Id::of(b"new"));
    assert!(!bring(folder.path(), &memory).rewritten);
    assert!(!bring(folder.path(), &memory).rewritten);
    // One after the other comes back.
    memory.weights.insert(lost, whole.weights[&lost]);
    memory.index_files.push(Id::of(b"newer"));
    assert_eq!(bring(folder.path(), &memory).lifetimes.missing(), 2);
    memory.trees.insert(unreadable, whole.trees[&unreadable].clone());
    memory.index_files.push(Id::of(b"newest"));
    assert_eq!(bring(folder.path(), &memory).lifetimes.missing(), 1);
    memory.trees.insert(gone, whole.trees[&gone].clone());
    memory
        .weights
        .insert((BlobKind::Tree, gone), whole.weights[&(BlobKind::Tree, gone)]);
    memory.index_files.push(Id::of(b"the newest"));
    let updated = bring(folder.path(), &memory);
    assert_eq!(updated.lifetimes.missing(), 0);
    memory.compare(&updated.lifetimes, |n| n % 2 == 0);
}

#[test]
fn many_at_once_do_not_disturb_each_other() {
    let memory = long(30);
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for part in 1..=6 {
            let (memory, folder) = (&memory, folder.path());
            scope.spawn(move || {
                let generations = &memory.generations[..5 * part];
                let progress = Progress::default();
                let updated = update(folder, VAULT, generations, memory, &progress, &Cancel::default()).unwrap();
                let ids: Vec<Id> = generations.iter().map(|generation| generation.id).collect();
                assert!(updated.lifetimes.is_of(&ids));
                assert_eq!(updated.lifetimes.all(), memory.sums(&memory.reached(&ids)));
            });
        }
    });
    memory.compare(&bring(folder.path(), &memory).lifetimes, |n| n % 2 == 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left over");
}

#[test]
fn a_stop_leaves_what_was_there() {
    let memory = long(4);
    let folder = tempfile::tempdir().unwrap();
    let cancel = Cancel::default();
    cancel.cancel();
    let progress = Progress::default();
    let stopped = update(folder.path(), VAULT, &memory.generations, &memory, &progress, &cancel);
    assert!(matches!(stopped, Err(Error::Vault(crate::vault::Error::Cancelled(_)))));
    assert!(known(folder.path(), VAULT).unwrap().is_none());
}

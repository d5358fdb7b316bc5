//! Random vaults, kills at every step, and damage.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::progress::{Cancel, Progress};
use crate::storage::{FileKind, StorageError};
use crate::vault::check::{self, DataSubset};
use crate::vault::compress::Scratch;
use crate::vault::generation::tests_support::generation;
use crate::vault::index::json;
use crate::vault::pack::PackBlob;
use crate::vault::repository::Compression;
use crate::vault::testing::{PASSWORD, Requests, Tampered, storage, test_vault, test_vault_of};
use crate::vault::writer::{BlobWriter, WriterOptions};
use crate::vault::{
    BlobKind, Error, Generation, Id, IndexedVault, LockGuard, LockKind, Node, NodeType, Password, Tree, Vault,
};

/// A vault, and what its generations hold.
struct Sample {
    folder: TempDir,
    vault: Vault,
    lock: Lock,
    /// Generation → the contents of its files.
    holds: BTreeMap<Id, Vec<Vec<u8>>>,
}

fn file(n: usize, content: Id, size: usize) -> Node {
    Node {
        name: format!("file-{n:03}").into(),
        size: size as u64,
        content: Some(vec![content]),
        ..Node::default()
    }
}

fn folder(name: &str, subtree: Id) -> Node {
    Node {
        name: name.into(),
        kind: NodeType::Dir,
        subtree: Some(subtree),
        ..Node::default()
    }
}

/// Content that does not compress, of a number's own.
fn content(seed: u32, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed) * 2 + 1;
    let byte = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(byte).take(length).collect()
}

/// An exclusive lock, for all samples of a test: taking one takes a fifth of a second.
#[derive(Clone)]
struct Lock(Arc<(LockGuard, TempDir)>);

fn exclusive() -> Lock {
    let (folder, vault) = test_vault();
    Lock(Arc::new((vault.lock(LockKind::Exclusive).unwrap(), folder)))
}

impl Sample {
    fn new(lock: &Lock) -> Sample {
        Sample::of(lock, 2)
    }

    fn of(lock: &Lock, version: u32) -> Sample {
        let (folder, vault) = test_vault_of(version);
        Sample {
            folder,
            vault: vault.without_locks(),
            lock: lock.clone(),
            holds: BTreeMap::new(),
        }
    }

    fn open(&self) -> IndexedVault {
        self.vault.indexed(&Cancel::default()).unwrap()
    }

    /// A generation with these files, in packs of its own as far as they are new.
    fn add(&mut self, contents: &[Vec<u8>]) -> Id {
        self.add_with(contents, WriterOptions::default())
    }

    fn add_with(&mut self, contents: &[Vec<u8>], options: WriterOptions) -> Id {
        let indexed = self.open();
        let writer = BlobWriter::new(&indexed, options).unwrap();
        let mut scratch = Scratch::default();
        let mut nodes = Vec::new();
        for (n, content) in contents.iter().enumerate() {
            let added = writer.add(BlobKind::Data, content, &mut scratch).unwrap();
            nodes.push(file(n, added.id, content.len()));
        }
        let below = writer
            .add(BlobKind::Tree, &Tree { nodes }.encode(), &mut scratch)
            .unwrap()
            .id;
        let root = Tree {
            nodes: vec![folder("data", below)],
        };
        let tree = writer.add(BlobKind::Tree, &root.encode(), &mut scratch).unwrap().id;
        writer.finish().unwrap();
        let stored = Generation {
            tree,
            paths: vec![format!("/{}", self.holds.len())],
            ..generation(0, 0)
        };
        let id = self.vault.save_generation(&stored).unwrap();
        self.holds.insert(id, contents.to_vec());
        id
    }

    /// Stores contents once more, as a backup does that another one is not known to: every blob a further copy.
    fn copy(&mut self, contents: &[Vec<u8>]) {
        let files = self.vault.list_files(FileKind::Index).unwrap();
        let hidden: Vec<_> = files
            .iter()
            .map(|file| {
                let bytes = self.vault.storage().read(FileKind::Index, file, u64::MAX >> 1).unwrap();
                self.vault.remove_file(FileKind::Index, file).unwrap();
                (*file, bytes)
            })
            .collect();
        let writer = BlobWriter::new(&self.open(), WriterOptions::default()).unwrap();
        for content in contents {
            writer.add(BlobKind::Data, content, &mut Scratch::default()).unwrap();
        }
        writer.finish().unwrap();
        for (file, bytes) in hidden {
            self.vault.storage().write(FileKind::Index, &file, &[&bytes]).unwrap();
        }
    }

    /// For each blob a generation reaches, which ones do: a bit each, in the order given.
    fn reached(&self, generations: &[Id]) -> HashMap<(BlobKind, Id), u32> {
        let indexed = self.open();
        let mut reached: HashMap<(BlobKind, Id), u32> = HashMap::new();
        for generation in self.vault.generations_stored().unwrap() {
            let bit = 1 << generations.iter().position(|id| *id == generation.id).unwrap();
            let mut left = vec![generation.tree];
            while let Some(tree) = left.pop() {
                *reached.entry((BlobKind::Tree, tree)).or_default() |= bit;
                for node in indexed.tree(&tree).unwrap().nodes {
                    left.extend(node.subtree);
                    for id in node.content.into_iter().flatten() {
                        *reached.entry((BlobKind::Data, id)).or_default() |= bit;
                    }
                }
            }
        }
        reached
    }

    fn forget(&mut self, id: &Id) {
        self.vault.forget(&self.lock.0.0, id).unwrap();
        self.holds.remove(id);
    }

    fn plan(&self, options: &PruneOptions) -> Result<PrunePlan, Error> {
        PrunePlan::make(&self.open(), options, &Progress::default(), &Cancel::default())
    }

    fn prune(&self, options: &PruneOptions) -> PruneFigures {
        self.execute(self.plan(options).unwrap()).unwrap()
    }

    fn execute(&self, plan: PrunePlan) -> Result<PruneFigures, Error> {
        plan.execute(&self.lock.0.0, &Progress::default(), &Cancel::default())
    }

    fn packs(&self) -> BTreeMap<Id, u64> {
        let mut packs = BTreeMap::new();
        let list = self
            .vault
            .storage()
            .list(FileKind::Pack, &mut |id, size| _ = packs.insert(id, size));
        list.unwrap();
        packs
    }

    /// Everything is there and sound, and what the generations hold is read back.
    fn is_whole(&self) {
        let report = check::run(
            &self.vault,
            &self.lock.0.0,
            &DataSubset::All,
            &Progress::default(),
            &Cancel::default(),
        );
        let report = report.unwrap();
        assert!(report.is_sound(), "{:?}", report.errors);
        let indexed = self.open();
        for contents in self.holds.values() {
            for content in contents {
                assert_eq!(indexed.blob(BlobKind::Data, &Id::of(content)).unwrap(), *content);
            }
        }
    }

    /// The blobs of the index, duplicates as often as they are there.
    fn blobs(&self) -> Vec<(BlobKind, Id)> {
        let mut all = Vec::new();
        self.open().index().for_each(&mut |kind, id, _| all.push((kind, id)));
        all
    }

    /// The blobs in use, by a walk of its own.
    fn used(&self) -> BTreeSet<(BlobKind, Id)> {
        let indexed = self.open();
        let mut used = BTreeSet::new();
        for generation in self.vault.generations_stored().unwrap() {
            let mut left = vec![generation.tree];
            while let Some(tree) = left.pop() {
                if used.insert((BlobKind::Tree, tree)) {
                    for node in indexed.tree(&tree).unwrap().nodes {
                        left.extend(node.subtree);
                        used.extend(node.content.into_iter().flatten().map(|id| (BlobKind::Data, id)));
                    }
                }
            }
        }
        used
    }
}

const ALL: PruneOptions = PruneOptions {
    max_unused: MaxUnused::Bytes(0),
    max_repack: None,
    pack_size: pack::DEFAULT_PACK_SIZE,
    repack_small: false,
    repack_uncompressed: false,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is forgotten: what stays is whole, nothing else is stored, and the plan's figures are those of the result.
    #[test]
    fn what_stays_is_what_is_used(
        histories in prop::collection::vec(prop::collection::vec((0u32..30, 1usize..3000), 1..8), 1..7),
        goes in prop::collection::vec(any::<bool>(), 7),
    ) {
        let mut sample = Sample::new(&exclusive());
        let ids: Vec<Id> = histories
            .iter()
            .map(|files| sample.add(&files.iter().map(|(seed, length)| content(*seed, *length)).collect::<Vec<_>>()))
            .collect();
        for (id, _) in ids.iter().zip(goes).filter(|(_, goes)| *goes) {
            sample.forget(id);
        }
        let before: u64 = sample.packs().values().sum();
        let figures = sample.prune(&ALL);
        sample.is_whole();
        let blobs = sample.blobs();
        let used = sample.used();
        prop_assert_eq!(blobs.len(), used.len(), "no blob is there twice");
        prop_assert_eq!(blobs.into_iter().collect::<BTreeSet<_>>(), used);
        let after: u64 = sample.packs().values().sum();
        prop_assert_eq!(figures.bytes_before, before);
        prop_assert_eq!(figures.bytes_before - figures.bytes_freed, figures.bytes_after);
        prop_assert_eq!(figures.bytes_after, after);
        prop_assert!(sample.plan(&ALL).unwrap().is_empty());
    }
}

/// A storage's counts, as figures have them: gets, puts, deletes, lists.
fn counted(requests: &Requests) -> [u64; 4] {
    let Requests {
        gets,
        puts,
        deletes,
        lists,
    } = requests;
    [gets, puts, deletes, lists].map(|count| count.swap(0, Ordering::SeqCst))
}

/// What a test makes of what it drew.
fn options(limit: u8, max_repack: Option<u64>, small: bool, uncompressed: bool) -> PruneOptions {
    PruneOptions {
        max_unused: match limit % 5 {
            0 => MaxUnused::Bytes(0),
            1 => MaxUnused::Percent(5.0),
            2 => MaxUnused::Percent(30.0),
            3 => MaxUnused::Bytes(4000),
            _ => MaxUnused::Unlimited,
        },
        max_repack,
        pack_size: pack::MIN_PACK_SIZE,
        repack_small: small,
        repack_uncompressed: uncompressed,
    }
}

type History = Vec<Vec<(u32, usize)>>;

fn histories() -> impl Strategy<Value = History> {
    prop::collection::vec(prop::collection::vec((0u32..30, 1usize..3000), 1..8), 1..9)
}

fn contents(files: &[(u32, usize)]) -> Vec<Vec<u8>> {
    files.iter().map(|(seed, length)| content(*seed, *length)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is foreseen for the generations that stay, what is planned once the others are forgotten, what is done, what the
    /// storage is asked for it and what lies there afterwards: all the same.
    #[test]
    fn what_is_foreseen_is_what_is_done(
        history in histories(),
        goes in any::<u16>(),
        (limit, max_repack, small, uncompressed) in
            (any::<u8>(), prop::option::of(0u64..20_000), any::<bool>(), any::<bool>()),
        copies in prop::collection::vec(0usize..8, 0..3),
        version in 1u32..3,
    ) {
        let options = options(limit, max_repack, small, uncompressed && version > 1);
        let lock = exclusive();
        let mut sample = Sample::of(&lock, version);
        let ids: Vec<Id> = history.iter().map(|files| sample.add(&contents(files))).collect();
        for copied in copies {
            sample.copy(&contents(&history[copied % history.len()]));
        }
        let reached = sample.reached(&ids);
        let classify = |kind, id: &Id| reached.get(&(kind, *id)).copied().unwrap_or(0);
        let known = Contents::read(&sample.open(), &classify, &Cancel::default()).unwrap();
        let kept = !u32::from(goes);
        let mut foreseen = known.foresee(&|class| class & kept != 0, &options).unwrap();
        prop_assert_eq!(known.sizes().sum::<u64>(), foreseen.figures.bytes_before);

        for (_, id) in ids.iter().enumerate().filter(|(n, _)| kept >> n & 1 == 0) {
            sample.forget(id);
        }
        foreseen.figures.generations = sample.holds.len() as u64;
        let before = sample.packs();
        let tampered = Tampered::new(storage(&sample.folder));
        let requests = tampered.requests.clone();
        let vault = Vault::open(Arc::new(tampered), &Password::new(PASSWORD), None).unwrap().without_locks();
        let indexed = vault.indexed(&Cancel::default()).unwrap();
        let plan = PrunePlan::make(&indexed, &options, &Progress::default(), &Cancel::default()).unwrap();
        let planned = *plan.figures();
        prop_assert_eq!(foreseen.figures, planned);
        counted(&requests);
        let done = sample.execute(plan).unwrap();
        let asked = counted(&requests);
        prop_assert_eq!(asked, [done.gets, done.puts, done.deletes, done.lists]);
        if planned.bytes_to_compress == 0 {
            prop_assert_eq!(planned, done);
        }

        let after = sample.packs();
        prop_assert_eq!(done.bytes_after, after.values().sum::<u64>());
        let gone: Vec<Id> = before.keys().filter(|id| !after.contains_key(id)).copied().collect();
        let mut leaving: Vec<Id> = foreseen.leaving.iter().map(|pack| pack.id).collect();
        leaving.sort_unstable();
        prop_assert_eq!(leaving, gone);
        let mut new: Vec<u64> = after.iter().filter(|(id, _)| !before.contains_key(id)).map(|(_, size)| *size).collect();
        new.sort_unstable();
        foreseen.new.sort_unstable();
        if planned.bytes_to_compress == 0 {
            prop_assert_eq!(new, foreseen.new);
        }
        prop_assert!(max_repack.is_none_or(|limit| done.bytes_repacked <= limit));
        sample.is_whole();
        // The local index that was brought up to date is the one that the vault's files make.
        let mut kept_up = Vec::new();
        indexed.index().for_each(&mut |kind, id, location| kept_up.push((kind, id, location)));
        let mut anew = Vec::new();
        sample.open().index().for_each(&mut |kind, id, location| anew.push((kind, id, location)));
        prop_assert_eq!(kept_up, anew);
    }
}

/// Content that compresses, of a number's own.
fn text(seed: u32, length: usize) -> Vec<u8> {
    let line = format!("{seed} is written again and again\n");
    line.bytes().cycle().take(length).collect()
}

#[test]
fn what_is_uncompressed_is_compressed_once() {
    let mut sample = Sample::new(&exclusive());
    let plain = || WriterOptions {
        compression: Compression::Off,
        ..WriterOptions::default()
    };
    // Some do not get smaller: they too must not be read again the next time.
    sample.add_with(&[text(1, 50_000), content(1, 3000)], plain());
    sample.add_with(&[text(2, 20_000), content(2, 5)], plain());
    assert!(sample.plan(&ALL).unwrap().is_empty());
    let options = PruneOptions {
        repack_uncompressed: true,
        ..ALL
    };
    let planned = *sample.plan(&options).unwrap().figures();
    assert_eq!(planned.packs_repacked, 2, "{planned:?}");
    assert_eq!(planned.bytes_to_compress, 50_000 + 3000 + 20_000 + 5 + 4 * (32 + 37));
    let done = sample.prune(&options);
    assert!(done.bytes_written < 6000 && done.bytes_freed > 60_000, "{done:?}");
    assert_eq!(done.bytes_after, sample.packs().values().sum::<u64>());
    let open = sample.open();
    open.index()
        .for_each(&mut |_, id, location| assert!(location.uncompressed.is_some(), "{id}"));
    sample.is_whole();
    assert!(sample.plan(&options).unwrap().is_empty());
}

#[test]
fn new_packs_are_as_large_as_asked_for() {
    let mut sample = Sample::new(&exclusive());
    let large: Vec<Vec<u8>> = (0..12).map(|n| content(n, 1_400_000)).collect();
    let first = sample.add(&large);
    let second: Vec<Vec<u8>> = large.iter().step_by(2).chain(&large[7..8]).cloned().collect();
    sample.add(&second);
    sample.forget(&first);
    let before = sample.packs();
    let options = PruneOptions {
        pack_size: pack::MIN_PACK_SIZE,
        ..ALL
    };
    let planned = *sample.plan(&options).unwrap().figures();
    assert_eq!(sample.prune(&options), planned);
    // Three of 1.4 million fill a pack of 4 MiB: two full ones, and one with the seventh.
    let mut new: Vec<u64> = sample
        .packs()
        .iter()
        .filter(|(id, _)| !before.contains_key(id))
        .map(|(_, size)| *size)
        .collect();
    new.sort_unstable();
    let blob = 1_400_000 + 32 + 37;
    assert_eq!(new, [blob + 36, 3 * blob + 36, 3 * blob + 36]);
    assert_eq!((planned.packs_new, planned.bytes_written), (3, new.iter().sum()));
    // 6, 7 and 8 lie beside one another, the other four alone; and one index file tells of what goes.
    assert_eq!(planned.gets, 5 + 1);
    assert_eq!(planned.bytes_read, 7 * (blob - 37));
    assert_eq!((planned.puts, planned.deletes, planned.lists), (3 + 1, 2 + 1, 3));
    sample.is_whole();
}

/// A vault of four generations that share some files, of which half go; two packs hold a blob twice, one is in no index.
fn half_forgotten(lock: &Lock) -> Sample {
    let mut sample = Sample::new(lock);
    let shared = content(1000, 5000);
    let ids: Vec<Id> = (0..4u32)
        .map(|n| sample.add(&[content(n, 3000), content(n / 2 + 100, 2000), shared.clone()]))
        .collect();
    for id in ids.iter().step_by(2) {
        sample.forget(id);
    }
    // What a backup leaves that was killed before it saved its index: a pack nobody knows.
    let indexed = sample.open();
    let files = sample.vault.list_files(FileKind::Index).unwrap();
    let writer = BlobWriter::new(&indexed, WriterOptions::default()).unwrap();
    writer
        .add(BlobKind::Data, &content(9999, 4000), &mut Scratch::default())
        .unwrap();
    writer.finish().unwrap();
    for file in sample.vault.list_files(FileKind::Index).unwrap() {
        if !files.contains(&file) {
            sample.vault.remove_file(FileKind::Index, &file).unwrap();
        }
    }
    sample
}

/// Every write and every deletion is the last one once: the vault is whole then, and the next prune finishes.
#[test]
fn a_kill_at_any_step_loses_nothing_and_the_next_prune_finishes() {
    let lock = exclusive();
    let steps = {
        let sample = half_forgotten(&lock);
        let before = sample.packs().len();
        let figures = sample.prune(&ALL);
        assert!(
            figures.packs_repacked > 1 && figures.packs_unindexed == 1,
            "{figures:?}"
        );
        assert!(sample.packs().len() < before);
        sample.is_whole();
        // Packs and index files written and deleted, with some room.
        2 * before as u32 + 20
    };
    let mut finished = 0;
    for last in 0..steps {
        let sample = half_forgotten(&lock);
        let left = Arc::new(AtomicU32::new(last));
        let mut tampered = Tampered::new(storage(&sample.folder));
        let step = move || match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)) {
            Ok(_) => Ok(()),
            Err(_) => Err(StorageError::Io {
                action: "write",
                what: "x".into(),
                source: std::io::Error::other("killed"),
            }),
        };
        let again = step.clone();
        tampered.on_write = Box::new(move |_, _| step());
        tampered.on_remove = Box::new(move |_, _| again());
        let vault = Vault::open(Arc::new(tampered), &Password::new(PASSWORD), None)
            .unwrap()
            .without_locks();
        let indexed = vault.indexed(&Cancel::default()).unwrap();
        let plan = PrunePlan::make(&indexed, &ALL, &Progress::default(), &Cancel::default()).unwrap();
        finished += u32::from(sample.execute(plan).is_ok());
        sample.is_whole();
        sample.prune(&ALL);
        sample.is_whole();
        assert!(sample.plan(&ALL).unwrap().is_empty(), "after a kill at step {last}");
        assert_eq!(sample.blobs().len(), sample.used().len());
    }
    assert!(
        (1..steps).contains(&finished),
        "{finished} of {steps} were not interrupted"
    );
}

/// Old programs split what they told of a pack over two index files.
#[test]
fn what_two_index_files_tell_of_one_pack_is_kept_from_both() {
    let mut sample = Sample::new(&exclusive());
    let stays = sample.add(&[content(1, 3000), content(2, 3000)]);
    let goes = sample.add(&[content(3, 3000)]);
    sample.forget(&goes);
    let mut packs: Vec<(Id, Vec<PackBlob>)> = Vec::new();
    let read = sample.open().index().for_each_pack(|id, blobs| {
        packs.push((*id, blobs.to_vec()));
        Ok::<(), Error>(())
    });
    read.unwrap();
    for file in sample.vault.list_files(FileKind::Index).unwrap() {
        sample.vault.remove_file(FileKind::Index, &file).unwrap();
    }
    for half in 0..2 {
        let mut text = Vec::new();
        json::start(&mut text);
        for (id, blobs) in &packs {
            let skip = if blobs.len() > 1 { half } else { 0 };
            let told: Vec<PackBlob> = blobs.iter().skip(skip).step_by(2).copied().collect();
            json::write_pack(&mut text, id, &told);
        }
        json::end(&mut text);
        sample.vault.write_file(FileKind::Index, &text).unwrap();
    }
    let planned = *sample.plan(&ALL).unwrap().figures();
    assert!(planned.packs_deleted > 0);
    assert_eq!(sample.prune(&ALL), planned);
    // Without what this process has seen of the index before.
    let again = Vault::open(storage(&sample.folder), &Password::new(PASSWORD), None).unwrap();
    let indexed = again.indexed(&Cancel::default()).unwrap();
    for content in &sample.holds[&stays] {
        assert_eq!(indexed.blob(BlobKind::Data, &Id::of(content)).unwrap(), *content);
    }
}

#[test]
fn damage_is_found_before_anything_is_deleted() {
    let damage: [fn(&Sample); 3] = [
        // A pack in use is gone.
        |sample| {
            let used = sample.used();
            let index = sample.open();
            let (kind, id) = used.first().unwrap();
            let pack = index.index().find(*kind, id).unwrap().pack;
            sample.vault.remove_file(FileKind::Pack, &pack).unwrap();
        },
        // A pack in use is too short.
        |sample| {
            let used = sample.used();
            let (kind, id) = used.first().unwrap();
            let pack = sample.open().index().find(*kind, id).unwrap().pack;
            let place = sample.vault.place_of(FileKind::Pack, &pack);
            fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
            let size = fs::metadata(&place).unwrap().len();
            fs::OpenOptions::new()
                .write(true)
                .open(&place)
                .unwrap()
                .set_len(size - 1)
                .unwrap();
        },
        // A generation cannot be read.
        |sample| {
            let id = *sample.holds.keys().next().unwrap();
            let place = sample.vault.place_of(FileKind::Generation, &id);
            fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
            fs::write(&place, b"nonsense").unwrap();
        },
    ];
    for (n, damage) in damage.into_iter().enumerate() {
        let sample = half_forgotten(&exclusive());
        damage(&sample);
        let packs = sample.packs();
        let planned = sample.plan(&ALL);
        assert!(planned.is_err(), "damage {n}");
        assert_eq!(sample.packs(), packs);
    }
}

#[test]
fn a_vault_that_changed_is_not_touched() {
    let mut sample = half_forgotten(&exclusive());
    let plan = sample.plan(&ALL).unwrap();
    sample.add(&[content(0, 3000)]);
    let packs = sample.packs();
    let error = sample.execute(plan).unwrap_err();
    assert!(error.to_string().contains("has changed"), "{error}");
    assert_eq!(sample.packs(), packs);
}

#[test]
fn limits_say_what_is_read() {
    let sample = half_forgotten(&exclusive());
    let unlimited = sample.plan(&PruneOptions {
        max_unused: MaxUnused::Unlimited,
        ..ALL
    });
    let unlimited = *unlimited.unwrap().figures();
    let all = *sample.plan(&ALL).unwrap().figures();
    // Packs of trees are read whatever the limit.
    assert!(unlimited.packs_repacked < all.packs_repacked);
    assert!(unlimited.bytes_left_unused > 0 && all.bytes_left_unused == 0);
    let none = sample.plan(&PruneOptions {
        max_repack: Some(0),
        ..ALL
    });
    let none = *none.unwrap().figures();
    assert_eq!((none.packs_repacked, none.bytes_rewritten), (0, 0));
    assert!(none.bytes_left_unused > 0 && none.bytes_freed > 0, "{none:?}");
    let some = sample.plan(&PruneOptions {
        max_unused: MaxUnused::Bytes(3500),
        ..ALL
    });
    let some = *some.unwrap().figures();
    assert!(
        some.bytes_left_unused <= 3500 && some.packs_repacked < all.packs_repacked,
        "{some:?}"
    );
}

#[test]
fn many_small_packs_are_merged_and_a_few_are_not() {
    let mut sample = Sample::new(&exclusive());
    for n in 0..9 {
        sample.add(&[content(n, 1000)]);
    }
    assert!(sample.plan(&PruneOptions::default()).unwrap().is_empty());
    sample.add(&[content(9, 1000)]);
    let figures = sample.prune(&PruneOptions::default());
    assert_eq!(figures.packs_repacked, 20);
    assert_eq!(sample.packs().len(), 2);
    sample.is_whole();
}

#[test]
fn what_a_killed_program_left_goes_once_it_is_old() {
    let sample = half_forgotten(&exclusive());
    sample.prune(&ALL);
    let id = *sample.packs().keys().next().unwrap();
    let place = sample.vault.place_of(FileKind::Pack, &id);
    let young = format!("{place}-tmp-0011223344556677");
    let old = format!("{place}-tmp-8899aabbccddeeff");
    for path in [&young, &old] {
        fs::write(path, b"half").unwrap();
    }
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 60 * 60);
    fs::File::options()
        .write(true)
        .open(&old)
        .unwrap()
        .set_modified(before)
        .unwrap();
    let figures = sample.prune(&ALL);
    assert_eq!((figures.leftover_files, figures.leftover_bytes), (1, 4));
    assert!(fs::exists(&young).unwrap() && !fs::exists(&old).unwrap());
    sample.is_whole();
}

#[test]
fn limits_are_read_from_text() {
    assert_eq!("5%".parse(), Ok(MaxUnused::Percent(5.0)));
    assert_eq!("0%".parse(), Ok(MaxUnused::Percent(0.0)));
    assert_eq!("500M".parse(), Ok(MaxUnused::Bytes(500 << 20)));
    assert_eq!("0".parse(), Ok(MaxUnused::Bytes(0)));
    assert_eq!("unlimited".parse(), Ok(MaxUnused::Unlimited));
    for bad in ["", "100%", "-1%", "NaN%", "x", "5 %%"] {
        assert!(bad.parse::<MaxUnused>().is_err(), "{bad}");
    }
    assert_eq!(MaxUnused::Percent(50.0).limit(100), 100, "half of what stays");
}

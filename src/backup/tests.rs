//! Backups of real folders into real vaults.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use rustix::fs::{Mode, OFlags};
use tempfile::TempDir;

use super::*;
use crate::progress::{Cancel, Progress};
use crate::storage::{FileKind, LocalStorage, Storage, StorageError};
use crate::vault::testing::{PASSWORD, Tampered, test_options, test_vault};
use crate::vault::{self, BlobKind, Generation, Id, IndexedVault, LockKind, Node, NodeType, Password, Time, Vault};

/// Bytes that do not compress.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length.div_ceil(8)).flat_map(|_| next()).take(length).collect()
}

struct Bench {
    vault: Vault,
    _vault_folder: TempDir,
    source: TempDir,
    issues: Mutex<Vec<Issue>>,
}

impl Bench {
    fn new() -> Bench {
        let (folder, vault) = test_vault();
        Bench {
            vault,
            _vault_folder: folder,
            source: tempfile::tempdir().unwrap(),
            issues: Mutex::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.source.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Relative paths in the source folder.
    fn options(&self, paths: &[&str]) -> BackupOptions {
        BackupOptions {
            paths: paths.iter().map(PathBuf::from).collect(),
            working_folder: self.source.path().to_owned(),
            host: "host".to_owned(),
            // After all that a test writes.
            time: Time {
                seconds: 4_000_000_000,
                ..Time::default()
            },
            threads: Some(3),
            ..BackupOptions::default()
        }
    }

    fn indexed(&self) -> IndexedVault {
        self.vault.indexed(&Cancel::default()).unwrap()
    }

    fn try_run(&self, options: &BackupOptions) -> Result<Outcome> {
        let report = |issue| self.issues.lock().unwrap().push(issue);
        run(
            &self.indexed(),
            options,
            None,
            &Progress::default(),
            &Cancel::default(),
            &report,
        )
    }

    fn run(&self, options: &BackupOptions) -> Outcome {
        self.try_run(options).unwrap()
    }

    fn issues(&self) -> Vec<(IssueKind, String)> {
        let issues = std::mem::take(&mut *self.issues.lock().unwrap());
        issues
            .into_iter()
            .map(|issue| (issue.what, String::from_utf8(issue.path).unwrap()))
            .collect()
    }

    /// All entries by path, of which the names are valid.
    fn listed(&self, outcome: &Outcome) -> BTreeMap<String, Node> {
        let vault = self.indexed();
        let mut entries = BTreeMap::new();
        let mut folders = vec![(String::new(), outcome.tree)];
        while let Some((path, tree)) = folders.pop() {
            let nodes = vault.tree(&tree).unwrap().nodes;
            assert!(nodes.is_sorted_by(|a, b| a.name < b.name));
            for node in nodes {
                let path = format!("{path}/{}", String::from_utf8_lossy(&node.name));
                if let Some(subtree) = node.subtree {
                    folders.push((path.clone(), subtree));
                }
                entries.insert(path, node);
            }
        }
        entries
    }

    fn names(&self, outcome: &Outcome) -> Vec<String> {
        self.listed(outcome).into_keys().collect()
    }

    fn content(&self, node: &Node) -> Vec<u8> {
        let vault = self.indexed();
        let ids = node.content.as_ref().unwrap();
        let content: Vec<u8> = ids
            .iter()
            .flat_map(|id| vault.blob(BlobKind::Data, id).unwrap())
            .collect();
        assert_eq!(content.len() as u64, node.size);
        content
    }
}

fn files(outcome: &Outcome) -> [u64; 3] {
    let summary = &outcome.summary;
    [summary.files_new, summary.files_changed, summary.files_unmodified]
}

fn folders(outcome: &Outcome) -> [u64; 3] {
    let summary = &outcome.summary;
    [summary.dirs_new, summary.dirs_changed, summary.dirs_unmodified]
}

#[test]
fn stores_all_kinds_of_entries_and_content() {
    let bench = Bench::new();
    bench.write("empty", "");
    bench.write("small", "content");
    bench.write("folder/twice", "content");
    let large = noise(3, 30 << 20);
    bench.write("large", &large);
    bench.write("zeros", vec![0; (5 << 20) + 7]);
    bench.write("ones", vec![1; 17 << 20]);
    let sparse = fs::File::create(bench.path("sparse")).unwrap();
    sparse.set_len(40 << 20).unwrap();
    sparse.write_all_at(&large[..3 << 20], 11 << 20).unwrap();
    sparse.write_all_at(b"end", (40 << 20) - 3).unwrap();
    fs::create_dir(bench.path("hollow")).unwrap();
    symlink("nowhere", bench.path("link")).unwrap();
    fs::hard_link(bench.path("small"), bench.path("hard")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        bench.path("pipe"),
        rustix::fs::FileType::Fifo,
        Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(bench.path("socket")).unwrap();

    let outcome = bench.run(&bench.options(&["."]));
    assert_eq!(bench.issues(), []);
    let listed = bench.listed(&outcome);
    let kinds: Vec<String> = listed
        .iter()
        .map(|(path, node)| format!("{path} {}", node.kind.as_str()))
        .collect();
    insta::assert_snapshot!(kinds.join("\n"), @r"
    /empty file
    /folder dir
    /folder/twice file
    /hard file
    /hollow dir
    /large file
    /link symlink
    /ones file
    /pipe fifo
    /small file
    /sparse file
    /zeros file
    ");
    for name in [
        "empty",
        "small",
        "folder/twice",
        "large",
        "zeros",
        "ones",
        "sparse",
        "hard",
    ] {
        let stored = bench.content(&listed[&format!("/{name}")]);
        assert!(stored == fs::read(bench.path(name)).unwrap(), "{name}");
    }
    assert_eq!(listed["/link"].link_target, b"nowhere");
    assert_eq!(listed["/hard"].links, 2);
    let summary = &outcome.summary;
    assert_eq!(files(&outcome), [8, 0, 0]);
    assert_eq!(folders(&outcome), [2, 0, 0]);
    assert_eq!(summary.total_files_processed, 8);
    assert_eq!(summary.tree_blobs, 3);
    let sizes = listed.values().map(|node| node.size).sum::<u64>();
    assert_eq!(summary.total_bytes_processed, sizes);

    // The chunks are those of the chunker, whatever the way they were found.
    let chunker = crate::vault::chunker::Chunker::new(bench.vault.polynomial());
    for name in ["large", "sparse"] {
        let content = fs::read(bench.path(name)).unwrap();
        let mut rest = content.as_slice();
        let mut expected = Vec::new();
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(chunker.cut(rest));
            expected.push(Id::of(chunk));
            rest = after;
        }
        assert_eq!(listed[&format!("/{name}")].content.as_ref(), Some(&expected), "{name}");
    }
}

#[test]
fn a_second_backup_reads_only_what_changed() {
    let bench = Bench::new();
    bench.write("a/same", "same");
    bench.write("a/edited", "before");
    bench.write("b/gone", "gone");
    bench.write("c/mode", "mode");
    let mut options = bench.options(&["a", "b", "c"]);
    let later = |options: &mut BackupOptions| options.time.seconds += 1;
    let first = bench.run(&options);
    assert_eq!((files(&first), folders(&first)), ([4, 0, 0], [3, 0, 0]));

    later(&mut options);
    let second = bench.run(&options);
    assert_eq!(second.parent, first.generation.as_ref().map(|generation| generation.id));
    assert_eq!((files(&second), folders(&second)), ([0, 0, 4], [0, 0, 3]));
    assert_eq!((second.tree, second.summary.data_added), (first.tree, 0));

    bench.write("a/edited", "after it");
    bench.write("a/new", "new");
    fs::remove_file(bench.path("b/gone")).unwrap();
    fs::set_permissions(bench.path("c/mode"), PermissionsExt::from_mode(0o600)).unwrap();
    later(&mut options);
    let third = bench.run(&options);
    assert_eq!((files(&third), folders(&third)), ([1, 2, 1], [0, 3, 0]));
    assert_eq!((third.summary.data_blobs, third.summary.tree_blobs), (2, 4));
    assert_eq!(
        bench.names(&third),
        ["/a", "/a/edited", "/a/new", "/a/same", "/b", "/c", "/c/mode"]
    );

    later(&mut options);
    options.skip_if_unchanged = true;
    let fourth = bench.run(&options);
    assert!(fourth.skipped_unchanged && fourth.generation.is_none());
    assert_eq!(bench.vault.generations().unwrap().len(), 3);

    options.parent = ParentChoice::None;
    let forced = bench.run(&options);
    assert_eq!((files(&forced), forced.parent), ([4, 0, 0], None));
    assert_eq!((forced.tree, forced.summary.data_added), (third.tree, 0));
    assert_eq!(bench.issues(), []);
}

#[test]
fn the_parent_is_the_newest_of_host_and_paths() {
    let bench = Bench::new();
    bench.write("a", "a");
    bench.write("b", "b");
    let run = |paths: &[&str], host: &str, seconds| {
        let mut options = bench.options(paths);
        options.host = host.to_owned();
        options.time = Time {
            seconds,
            ..Time::default()
        };
        let outcome = bench.run(&options);
        (outcome.generation.unwrap().id, outcome.parent)
    };
    let (both, none) = run(&["a", "b"], "one", 100);
    assert_eq!(none, None);
    assert_eq!(run(&["a", "b"], "two", 200).1, None);
    let (a, parent) = run(&["a"], "one", 300);
    assert_eq!(parent, Some(both));
    assert_eq!(run(&["a", "b"], "one", 400).1, Some(both));
    // A backup that stands for an earlier moment has nothing newer as its parent.
    assert_eq!(run(&["a"], "one", 350).1, Some(a));
    assert_eq!(run(&["a"], "one", 50).1, None);
    let mut options = bench.options(&["b"]);
    options.parent = ParentChoice::Id(a);
    assert_eq!(bench.run(&options).parent, Some(a));
    options.parent = ParentChoice::Id(Id::ZERO);
    let error = bench.try_run(&options).unwrap_err();
    assert!(error.to_string().contains(&Id::ZERO.to_string()), "{error}");
}

#[test]
fn paths_are_laid_out_as_given() {
    let bench = Bench::new();
    bench.write("a/b/c", "c");
    bench.write("a/b/d", "d");
    bench.write("a/e", "e");
    let outcome = bench.run(&bench.options(&["a/b/c", "a/e"]));
    assert_eq!(bench.names(&outcome), ["/a", "/a/b", "/a/b/c", "/a/e"]);
    assert_eq!(folders(&outcome), [2, 0, 0]);
    let absolute = bench.path("a/b");
    let recorded = absolute.to_str().unwrap();
    let outcome = bench.run(&bench.options(&[recorded]));
    assert_eq!(outcome.generation.as_ref().unwrap().paths, [recorded]);
    let names = bench.names(&outcome);
    assert_eq!(
        names[names.len() - 3..],
        [recorded.to_owned(), format!("{recorded}/c"), format!("{recorded}/d")]
    );
    let above = &bench.listed(&outcome)[&format!("{}", bench.path("a").display())];
    assert_eq!(
        above.mode & 0o777,
        fs::metadata(bench.path("a")).unwrap().permissions().mode() & 0o777
    );
    // A path below another given path changes nothing.
    let outcome = bench.run(&bench.options(&["a", "a/b"]));
    assert_eq!(bench.names(&outcome), ["/a", "/a/b", "/a/b/c", "/a/b/d", "/a/e"]);
    // A link is stored as such, and followed where it is above a given path.
    symlink("a", bench.path("link")).unwrap();
    let outcome = bench.run(&bench.options(&["link"]));
    assert_eq!(bench.listed(&outcome)["/link"].kind, NodeType::Symlink);
    let outcome = bench.run(&bench.options(&["link/b"]));
    assert_eq!(bench.names(&outcome), ["/link", "/link/b", "/link/b/c", "/link/b/d"]);
    assert_eq!(bench.issues(), []);
    // What does not exist is told; if nothing does, there is no backup.
    let outcome = bench.run(&bench.options(&["a/e", "missing"]));
    assert_eq!(
        (bench.names(&outcome), outcome.unreadable),
        (vec!["/a".to_owned(), "/a/e".to_owned()], 1)
    );
    assert_eq!(
        bench.issues(),
        [(IssueKind::Vanished, bench.path("missing").display().to_string())]
    );
    assert!(matches!(
        bench.try_run(&bench.options(&["missing"])),
        Err(Error::Nothing(_))
    ));
    assert!(matches!(bench.try_run(&bench.options(&[])), Err(Error::Nothing(_))));
}

#[test]
fn leaves_out_what_it_should() {
    let bench = Bench::new();
    bench.write("src/main.c", "");
    bench.write("src/main.o", "");
    bench.write("src/.gitignore", "*.log\n!keep.log\n/only\n");
    bench.write("src/a.log", "");
    bench.write("src/keep.log", "");
    bench.write("src/only", "");
    bench.write("src/deep/only", "");
    bench.write("src/deep/b.log", "");
    bench.write("cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
    bench.write("cache/data/x", "");
    bench.write("fake/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc5X\n");
    bench.write("fake/x", "");
    bench.write("big", vec![1; 5000]);
    let everything = bench.names(&bench.run(&bench.options(&["."]))).len();
    assert_eq!(everything, 18);
    let mut options = bench.options(&["."]);
    options.exclude.add("*.o", false).unwrap();
    options.exclude.caches();
    options.exclude.gitignore = true;
    options.exclude.larger_than = Some(4999);
    options.count_totals = true;
    let outcome = bench.run(&options);
    insta::assert_snapshot!(bench.names(&outcome).join("\n"), @r"
    /cache
    /cache/CACHEDIR.TAG
    /fake
    /fake/CACHEDIR.TAG
    /fake/x
    /src
    /src/.gitignore
    /src/deep
    /src/deep/only
    /src/keep.log
    /src/main.c
    ");
    assert_eq!(outcome.generation.unwrap().excludes, ["*.o"]);

    // Patterns see the whole path, also of given paths and what is above them.
    let mut options = bench.options(&["src", "fake"]);
    options
        .exclude
        .add(bench.path("src/de*").to_str().unwrap(), false)
        .unwrap();
    options.exclude.add("fake", false).unwrap();
    options.exclude.only_extension("c");
    assert_eq!(bench.names(&bench.run(&options)), ["/src", "/src/main.c"]);
    // A marked folder leaves out a given path in it.
    let mut options = bench.options(&["cache/data", "cache/CACHEDIR.TAG", "big"]);
    options.exclude.caches();
    assert_eq!(
        bench.names(&bench.run(&options)),
        ["/big", "/cache", "/cache/CACHEDIR.TAG"]
    );
    assert_eq!(bench.issues(), []);
}

#[test]
fn stays_on_one_filesystem() {
    // A filesystem of its own nearly everywhere, and one where anybody may write.
    let device = |path: &str| rustix::fs::stat(path).map(|stat| stat.st_dev);
    let Ok(there) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    if device("/dev") == device("/dev/shm") {
        return;
    }
    fs::write(there.path().join("file"), "content").unwrap();
    let bench = Bench::new();
    for (one_file_system, expected) in [(true, ([2, 0, 0], [0; 3])), (false, ([3, 0, 0], [1, 0, 0]))] {
        let mut options = bench.options(&["/dev"]);
        options.exclude.one_file_system = one_file_system;
        for pattern in ["/dev/*", "!/dev/shm", "/dev/shm/*"] {
            options.exclude.add(pattern, false).unwrap();
        }
        let ours = format!("!{}", there.path().display());
        options.exclude.add(&ours, false).unwrap();
        options.dry_run = true;
        let outcome = bench.run(&options);
        assert_eq!((folders(&outcome), files(&outcome)), expected);
    }
}

#[test]
fn a_dry_run_stores_nothing() {
    let bench = Bench::new();
    bench.write("file", noise(1, 3 << 20));
    let mut options = bench.options(&["file"]);
    options.dry_run = true;
    let dry = bench.run(&options);
    assert!(dry.generation.is_none() && dry.summary.data_added > 3 << 20);
    for kind in [FileKind::Pack, FileKind::Index, FileKind::Generation] {
        bench
            .vault
            .storage()
            .list(kind, &mut |id, _| panic!("{kind:?} {id}"))
            .unwrap();
    }
    options.dry_run = false;
    let wet = bench.run(&options);
    assert_eq!((dry.tree, dry.summary.data_added), (wet.tree, wet.summary.data_added));
}

#[test]
fn an_unreadable_file_is_told_and_the_rest_is_saved() {
    // Opens, but every read fails: even for root.
    let unreadable = "/proc/self/mem";
    if fs::File::open(unreadable).is_err() {
        return;
    }
    let bench = Bench::new();
    bench.write("file", "content");
    let file = bench.path("file");
    let outcome = bench.run(&bench.options(&[unreadable, file.to_str().unwrap()]));
    assert_eq!(bench.issues(), [(IssueKind::Unreadable, unreadable.to_owned())]);
    assert_eq!((outcome.unreadable, files(&outcome)), (1, [1, 0, 0]));
    assert!(bench.vault.generations().unwrap().len() == 1);
}

#[test]
fn a_file_that_vanishes_is_told() {
    let bench = Bench::new();
    bench.write("file", "content");
    bench.write("other", "content");
    // With one worker /proc comes first; its failure is the signal to delete the file that was there at the start.
    let (file, other) = (bench.path("file"), bench.path("other"));
    let mut options = bench.options(&["/proc/self/mem", file.to_str().unwrap(), other.to_str().unwrap()]);
    options.threads = Some(1);
    let told = Mutex::new(Vec::new());
    let report = |issue: Issue| {
        let _ = fs::remove_file(&file);
        told.lock().unwrap().push(issue.what);
    };
    let outcome = run(
        &bench.indexed(),
        &options,
        None,
        &Progress::default(),
        &Cancel::default(),
        &report,
    )
    .unwrap();
    assert_eq!(*told.lock().unwrap(), [IssueKind::Unreadable, IssueKind::Vanished]);
    assert_eq!(outcome.unreadable, 2);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_told() {
    let bench = Bench::new();
    bench.write("file", noise(5, 24 << 20));
    let stop = AtomicBool::new(false);
    let started = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::File::options().append(true).open(bench.path("file")).unwrap();
            while !stop.load(Ordering::Relaxed) {
                file.write_all(b"x").unwrap();
                started.store(true, Ordering::Relaxed);
            }
        });
        while !started.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        let outcome = bench.try_run(&bench.options(&["file"]));
        stop.store(true, Ordering::Relaxed);
        outcome.unwrap()
    });
    assert_eq!(
        bench.issues(),
        [(IssueKind::ChangedWhileRead, bench.path("file").display().to_string())]
    );
    assert_eq!((outcome.changed_while_read, outcome.unreadable), (1, 0));
    let node = bench.listed(&outcome).remove("/file").unwrap();
    let content = bench.content(&node);
    assert!(fs::read(bench.path("file")).unwrap().starts_with(&content));
    // The next run does not take it as unchanged.
    assert_eq!(files(&bench.run(&bench.options(&["file"]))), [0, 1, 0]);
}

/// A storage that asks for a stop when the first pack comes.
#[derive(Debug)]
struct Stopping(LocalStorage, Cancel);

impl Storage for Stopping {
    fn describe(&self) -> String {
        self.0.describe()
    }
    fn describe_file(&self, kind: FileKind, id: &Id) -> String {
        self.0.describe_file(kind, id)
    }
    fn create_layout(&self) -> Result<(), StorageError> {
        self.0.create_layout()
    }
    fn list(&self, kind: FileKind, each: &mut dyn FnMut(Id, u64)) -> Result<(), StorageError> {
        self.0.list(kind, each)
    }
    fn size(&self, kind: FileKind, id: &Id) -> Result<u64, StorageError> {
        self.0.size(kind, id)
    }
    fn read(&self, kind: FileKind, id: &Id, limit: u64) -> Result<Vec<u8>, StorageError> {
        self.0.read(kind, id, limit)
    }
    fn read_at(&self, kind: FileKind, id: &Id, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        self.0.read_at(kind, id, offset, buffer)
    }
    fn write(&self, kind: FileKind, id: &Id, parts: &[&[u8]]) -> Result<(), StorageError> {
        if kind == FileKind::Pack {
            self.1.cancel();
        }
        self.0.write(kind, id, parts)
    }
    fn remove(&self, kind: FileKind, id: &Id) -> Result<(), StorageError> {
        self.0.remove(kind, id)
    }
}

#[test]
fn a_stop_leaves_what_was_stored_for_the_next_run() {
    let mut bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    let cancel = Cancel::default();
    let storage = Arc::new(Stopping(LocalStorage::new(folder.path()), cancel.clone()));
    bench.vault = Vault::create(storage, &Password::new(PASSWORD), &test_options(2)).unwrap();
    for n in 0..12 {
        bench.write(&format!("file{n:02}"), noise(n + 1, 2 << 20));
    }
    let mut options = bench.options(&["."]);
    options.pack_size = 4 << 20;
    let stopped = run(&bench.indexed(), &options, None, &Progress::default(), &cancel, &|_| {});
    assert!(stopped.unwrap_err().is_cancelled());
    assert_eq!(bench.vault.generations().unwrap(), []);
    let again = bench.run(&options);
    let all = 12 << 21;
    assert_eq!(again.summary.total_bytes_processed, all);
    assert!(
        again.summary.data_added < all,
        "{} bytes were stored again",
        again.summary.data_added
    );
    assert_eq!(bench.listed(&again).len(), 12);
}

#[test]
fn a_backup_whose_lock_is_taken_away_saves_no_index_and_no_generation() {
    let mut bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    let mut storage = Tampered::new(Arc::new(LocalStorage::new(folder.path())));
    let locks = folder.path().join("locks");
    storage.on_write = Box::new(move |kind, _| {
        if kind == FileKind::Pack {
            for lock in fs::read_dir(&locks).unwrap() {
                // Two packs are written at once: the other's turn may have come before.
                let _ = fs::remove_file(lock.unwrap().path());
            }
        }
        Ok(())
    });
    bench.vault = Vault::create(Arc::new(storage), &Password::new(PASSWORD), &test_options(2)).unwrap();
    bench.write("file", "content");
    let held = bench.vault.lock(LockKind::Shared).unwrap();
    let options = bench.options(&["."]);
    let failed = run(
        &bench.indexed(),
        &options,
        Some(&held),
        &Progress::default(),
        &Cancel::default(),
        &|_| {},
    );
    let lost = matches!(failed, Err(Error::Vault(vault::Error::LockLost { .. })));
    assert!(lost, "{failed:?}");
    for kind in [FileKind::Index, FileKind::Generation] {
        let listed = bench
            .vault
            .storage()
            .list(kind, &mut |id, _| panic!("{kind:?} {id} was saved"));
        listed.unwrap();
    }
}

/// Writes an index of the vault that leaves out all data blobs, in place of the real ones.
fn lose_data(bench: &Bench) {
    let mut packs: BTreeMap<Id, Vec<serde_json::Value>> = BTreeMap::new();
    bench.indexed().index().for_each(&mut |kind, id, location| {
        if kind == BlobKind::Tree {
            packs.entry(location.pack).or_default().push(serde_json::json!({
                "id": id, "type": "tree", "offset": location.offset, "length": location.length,
                "uncompressed_length": location.uncompressed,
            }));
        }
    });
    let packs: Vec<_> = packs
        .into_iter()
        .map(|(id, blobs)| serde_json::json!({"id": id, "blobs": blobs}))
        .collect();
    let mut old = Vec::new();
    bench
        .vault
        .storage()
        .list(FileKind::Index, &mut |id, _| old.push(id))
        .unwrap();
    let index = serde_json::to_vec(&serde_json::json!({"packs": packs})).unwrap();
    bench.vault.write_file(FileKind::Index, &index).unwrap();
    for id in old {
        bench.vault.remove_file(FileKind::Index, &id).unwrap();
    }
}

#[test]
fn what_changed_about_when_the_parent_was_made_is_read_again() {
    let bench = Bench::new();
    bench.write("a", "content of a");
    let at = |seconds| BackupOptions {
        time: Time {
            seconds,
            ..Time::default()
        },
        ..bench.options(&["a"])
    };
    // Its parent is as old as the file, or older: whether the file is as it was then cannot be told.
    bench.run(&at(1));
    lose_data(&bench);
    bench.run(&at(2));
    assert!(bench.issues().is_empty(), "it was read, so that nothing is missing");
}

#[test]
fn missing_blobs_are_healed() {
    let bench = Bench::new();
    bench.write("folder/a", "content of a");
    bench.write("folder/empty", "");
    let first = bench.run(&bench.options(&["folder"]));
    lose_data(&bench);
    let healed = bench.run(&bench.options(&["folder"]));
    assert_eq!(
        bench.issues(),
        [(IssueKind::Healed, bench.path("folder/a").display().to_string())]
    );
    assert_eq!(
        (healed.tree, healed.unreadable, healed.summary.data_blobs),
        (first.tree, 0, 1)
    );
    assert_eq!(files(&healed), [0, 0, 2]);
    assert_eq!(bench.content(&bench.listed(&first)["/folder/a"]), b"content of a");

    // Without any index the parent's trees are missing too.
    let mut old = Vec::new();
    bench
        .vault
        .storage()
        .list(FileKind::Index, &mut |id, _| old.push(id))
        .unwrap();
    old.iter()
        .for_each(|id| bench.vault.remove_file(FileKind::Index, id).unwrap());
    let healed = bench.run(&bench.options(&["folder"]));
    assert_eq!(healed.tree, first.tree);
    assert_eq!(bench.issues()[0].0, IssueKind::ParentUnreadable);
    assert_eq!(bench.content(&bench.listed(&first)["/folder/a"]), b"content of a");
}

#[test]
fn a_damaged_generation_is_passed_over_and_told_of() {
    let bench = Bench::new();
    bench.write("a", "content of a");
    let first = bench.run(&bench.options(&["a"]));
    let storage = bench.vault.storage();
    let bad = Id::of(b"whole");
    storage.write(FileKind::Generation, &bad, &[b"rotten"]).unwrap();
    let second = bench.run(&bench.options(&["a"]));
    assert_eq!(second.parent, first.generation.map(|generation| generation.id));
    assert_eq!((files(&second), second.unreadable), ([0, 0, 1], 0));
    let place = bench.vault.place_of(FileKind::Generation, &bad);
    assert_eq!(bench.issues(), [(IssueKind::GenerationUnreadable, place)]);

    let mut options = bench.options(&["a"]);
    options.parent = ParentChoice::Id(bad);
    assert!(bench.try_run(&options).is_err());
    options.parent = ParentChoice::Id(Id::of(b"none"));
    let error = bench.try_run(&options).unwrap_err().to_string();
    assert!(error.contains("has no generation"), "{error}");
}

#[test]
fn a_stream_is_one_file() {
    let bench = Bench::new();
    let content = noise(9, (12 << 20) + 5);
    let mut options = bench.options(&[]);
    let source = |name: &str, reader: Box<dyn std::io::Read + Send>| {
        Some(StdinSource {
            name: name.to_owned(),
            reader: Mutex::new(Some(reader)),
        })
    };
    options.stdin = source("dumps/shop.sql", Box::new(std::io::Cursor::new(content.clone())));
    options.time = Time {
        seconds: 1_700_000_000,
        ..Time::default()
    };
    let outcome = bench.run(&options);
    let listed = bench.listed(&outcome);
    assert_eq!(listed.keys().collect::<Vec<_>>(), ["/dumps", "/dumps/shop.sql"]);
    assert!(bench.content(&listed["/dumps/shop.sql"]) == content);
    assert_eq!((files(&outcome), folders(&outcome)), ([1, 0, 0], [1, 0, 0]));
    let Generation { paths, parent, .. } = outcome.generation.unwrap();
    assert_eq!((paths, parent), (vec!["/dumps/shop.sql".to_owned()], None));

    options.stdin = source("empty", Box::new(std::io::empty()));
    assert_eq!(bench.content(&bench.listed(&bench.run(&options))["/empty"]), b"");

    // Half a stream is no backup.
    struct Failing;
    impl std::io::Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("broken"))
        }
    }
    options.stdin = source("x", Box::new(Failing));
    assert!(matches!(bench.try_run(&options), Err(Error::Stdin { .. })));
    options.stdin = source("/", Box::new(std::io::empty()));
    assert!(matches!(bench.try_run(&options), Err(Error::Target { .. })));
    assert_eq!(bench.vault.generations().unwrap().len(), 2);
}

#[test]
fn a_silent_stream_can_be_stopped() {
    /// Some bytes at first; then it says that it waits, and does.
    struct Silent {
        left: usize,
        waits: std::sync::mpsc::Sender<()>,
        pipe: std::io::PipeReader,
    }
    impl std::io::Read for Silent {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            if self.left == 0 {
                self.waits.send(()).unwrap();
                return self.pipe.read(buffer);
            }
            let count = self.left.min(buffer.len());
            self.left -= count;
            Ok(count)
        }
    }
    let bench = Bench::new();
    let (pipe, writer) = std::io::pipe().unwrap();
    let (waits, waiting) = std::sync::mpsc::channel();
    let mut options = bench.options(&[]);
    let left = 20 << 20;
    options.stdin = Some(StdinSource {
        name: "x".to_owned(),
        reader: Mutex::new(Some(Box::new(Silent { left, waits, pipe }))),
    });
    let cancel = Cancel::default();
    let stopped = std::thread::scope(|scope| {
        let (tells, told) = std::sync::mpsc::channel();
        let (bench, options, cancel) = (&bench, &options, &cancel);
        let backup = scope.spawn(move || {
            tells.send(fs::read_link("/proc/thread-self").unwrap()).unwrap();
            let indexed = bench.indexed();
            run(&indexed, options, None, &Progress::default(), cancel, &|_| {})
        });
        // All is read: once it sleeps, it waits for more.
        waiting.recv().unwrap();
        let stat = Path::new("/proc").join(told.recv().unwrap()).join("stat");
        while !fs::read_to_string(&stat).unwrap().contains(") S ") {
            std::thread::yield_now();
        }
        cancel.cancel();
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !backup.is_finished() && std::time::Instant::now() < end {
            std::thread::yield_now();
        }
        let heeded = backup.is_finished();
        // Lets one that does not heed the stop end all the same.
        drop(writer);
        assert!(heeded, "it waits for the stream for ever");
        backup.join().unwrap()
    });
    assert!(stopped.unwrap_err().is_cancelled());
}

#[test]
fn paths_may_be_deeper_and_longer_than_the_system_takes() {
    let bench = Bench::new();
    let name = "n".repeat(40);
    let mut folder: std::os::fd::OwnedFd = fs::File::open(bench.source.path()).unwrap().into();
    for _ in 0..150 {
        rustix::fs::mkdirat(&folder, &name, Mode::RWXU).unwrap();
        folder = rustix::fs::openat(&folder, &name, OFlags::DIRECTORY | OFlags::RDONLY, Mode::empty()).unwrap();
    }
    let flags = OFlags::CREATE | OFlags::WRONLY;
    let mut file: fs::File = rustix::fs::openat(&folder, "bottom", flags, Mode::RUSR).unwrap().into();
    file.write_all(b"deep").unwrap();
    let outcome = bench.run(&bench.options(&["."]));
    assert_eq!(bench.issues(), []);
    assert_eq!((folders(&outcome)[0], files(&outcome)[0]), (150, 1));
    let listed = bench.listed(&outcome);
    let bottom = listed.keys().max_by_key(|path| path.len()).unwrap();
    assert_eq!(bench.content(&listed[bottom]), b"deep");
    assert_eq!(files(&bench.run(&bench.options(&["."]))), [0, 0, 1]);
}

#[test]
fn progress_counts_everything() {
    let bench = Bench::new();
    bench.write("a", noise(1, 4 << 20));
    bench.write("b/c", "small");
    let progress = Progress::default();
    let mut options = bench.options(&["."]);
    options.count_totals = true;
    run(&bench.indexed(), &options, None, &progress, &Cancel::default(), &|_| {}).unwrap();
    let sample = progress.sample();
    assert_eq!((sample.files_done, sample.bytes_done), (2, (4 << 20) + 5));
    assert!(!sample.totals_known || (sample.files_total, sample.bytes_total) == (2, (4 << 20) + 5));
}

#[test]
fn files_that_grow_sparse_at_the_end_are_whole() {
    let bench = Bench::new();
    let mut file = fs::File::create(bench.path("image")).unwrap();
    // Data, hole, data, hole: none of the edges at a chunk's.
    file.write_all(&noise(2, 700_001)).unwrap();
    file.seek(SeekFrom::Start(9_000_001)).unwrap();
    file.write_all(&noise(3, 1_500_000)).unwrap();
    file.set_len(20_000_003).unwrap();
    let outcome = bench.run(&bench.options(&["image"]));
    let listed = bench.listed(&outcome);
    assert!(bench.content(&listed["/image"]) == fs::read(bench.path("image")).unwrap());
    assert_eq!(bench.issues(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Any tree, any number of workers: every file is there with its content, and the tree's id does not depend on who
    /// did what when.
    #[test]
    fn any_tree_by_any_number_of_workers(
        files in prop::collection::btree_map("[ab]{1,2}/[ab]{1,2}/[abc]", (0usize..3_000_000, any::<u64>()), 1..14),
    ) {
        let bench = Bench::new();
        for (name, (length, seed)) in &files {
            bench.write(name, noise(*seed, *length / if seed % 3 == 0 { 1 } else { 1000 }));
        }
        let mut trees = Vec::new();
        for threads in [1, 2, 5] {
            let mut options = bench.options(&["."]);
            options.threads = Some(threads);
            options.parent = ParentChoice::None;
            let outcome = bench.run(&options);
            trees.push(outcome.tree);
            prop_assert_eq!(outcome.summary.files_new as usize, files.len());
            if threads == 1 {
                let listed = bench.listed(&outcome);
                for name in files.keys() {
                    let content = bench.content(&listed[&format!("/{name}")]);
                    prop_assert!(content == fs::read(bench.path(name)).unwrap());
                }
            }
        }
        prop_assert!(trees.iter().all(|tree| *tree == trees[0]));
    }
}

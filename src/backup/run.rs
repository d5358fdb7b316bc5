//! A backup from beginning to end.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::folder::{Folder, Opening, c_path, lock};
use super::listing::Names;
use super::metadata::{Place, Stat};
use super::queue::{Job, Queue};
use super::targets::{self, Skeleton};
use super::view::ReadFrom;
use super::walk::FolderJob;
use super::worker::{Counts, Shared, Worker};
use super::{BackupOptions, Error, Issue, IssueKind, Outcome, Result, count, disk, parent, stream};
use crate::progress::{Cancel, Progress};
use crate::storage::FileKind;
use crate::vault::chunker::Chunker;
use crate::vault::generation::{Generation, Summary};
use crate::vault::lock::LockGuard;
use crate::vault::time::Zone;
use crate::vault::writer::{BlobWriter, WriterOptions};
use crate::vault::{self, Id, IndexedVault, Node};

/// More workers than this would take more memory than they bring speed.
const MOST_WORKERS: usize = 16;

/// Backs up what the options say. The caller holds a shared lock, and gives it so that it is checked before an index file
/// or the generation is saved. Entries that cannot be read or change meanwhile are told to `report`, from any thread, and left
/// out or stored as they were read; the generation is saved all the same.
///
/// After a stop or an error no generation is saved, but what was stored is indexed, so that the next run finds it.
pub fn run(
    vault: &IndexedVault,
    options: &BackupOptions,
    held: Option<&LockGuard>,
    progress: &Progress,
    cancel: &Cancel,
    report: &(dyn Fn(Issue) + Sync),
) -> Result<Outcome> {
    let start = options.clock.now();
    let workers = options
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let workers = workers.clamp(1, MOST_WORKERS);
    let writer_options = WriterOptions {
        compression: options.compression,
        pack_size: options.pack_size,
        dry_run: options.dry_run,
        lock: held.map(LockGuard::watch),
        ..WriterOptions::default()
    };
    let mut shared = Shared {
        vault,
        options,
        progress,
        cancel,
        report,
        writer: BlobWriter::new(vault, writer_options)?,
        chunker: Chunker::new(vault.vault().polynomial()),
        zone: Arc::new(Zone::new(options.zone.clone())),
        queue: Queue::new(workers),
        counts: Counts::default(),
        zeros: OnceLock::new(),
        buffers: Mutex::default(),
        failure: Mutex::default(),
        root: OnceLock::new(),
        doubtful: None,
    };
    let (paths, skeleton) = match &options.stdin {
        Some(source) => (vec![stream::path(source)], None),
        None if !options.disks.is_empty() => (disk::paths(&options.disks), None),
        None => {
            let (paths, skeleton) = find_paths(&shared)?;
            (paths, Some(skeleton))
        }
    };
    let unread = |id, error: vault::Error| {
        let place = vault.vault().place_of(FileKind::Generation, &id);
        shared.issue(
            place.into_bytes(),
            IssueKind::GenerationUnreadable,
            std::io::Error::other(error),
        );
    };
    let parent = parent::choose(vault, options, &paths, &unread)?;
    shared.doubtful = parent::doubtful(parent.as_ref());
    let mut bytes_read = None;
    let tree = match (&options.stdin, skeleton) {
        (Some(source), _) => stream::store(&shared, source)?,
        (None, None) if !options.disks.is_empty() => {
            let (tree, read) = disk::store(&shared, &options.disks, parent.as_ref())?;
            bytes_read = Some(read);
            tree
        }
        (None, skeleton) => walk(&shared, skeleton.unwrap_or_default(), parent.as_ref(), workers)?,
    };
    let mut outcome = finish(shared, held, start, paths, parent, tree)?;
    outcome.bytes_read = bytes_read;
    Ok(outcome)
}

/// The paths that exist, as the generation records them, and their layout.
fn find_paths(shared: &Shared<'_>) -> Result<(Vec<String>, Skeleton)> {
    let options = shared.options;
    let mut found = Vec::new();
    for path in &options.paths {
        let absolute = targets::absolute(&options.working_folder, path);
        let at = match options.view.of(&absolute) {
            ReadFrom::There(there) => there,
            _ => absolute.clone(),
        };
        match Stat::of(Place::path(&c_path(&at))) {
            Ok(_) => found.push(path.clone()),
            Err(error) => shared.entry_failed(absolute.as_os_str().as_bytes().to_vec(), error),
        }
    }
    if found.is_empty() {
        let why = if options.paths.is_empty() {
            "no path was given"
        } else {
            "none of the given paths can be read"
        };
        return Err(Error::Nothing(why.to_owned()));
    }
    let mut list = |folder: &Path| {
        let there = match options.view.of(folder) {
            ReadFrom::There(there) => there,
            _ => folder.to_path_buf(),
        };
        let open = std::fs::File::open(there)?;
        let mut names = Names::default();
        names.read(&open.into())?;
        Ok(names.iter().map(<[u8]>::to_vec).collect())
    };
    let skeleton = targets::lay_out(&options.working_folder, &found, &mut list)?;
    let mut paths = Vec::new();
    for path in &found {
        let path = parent::recorded(&targets::absolute(&options.working_folder, path));
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    Ok((paths, skeleton))
}

/// Walks and stores everything; returns the root's tree.
fn walk(shared: &Shared<'_>, skeleton: Skeleton, parent: Option<&Generation>, workers: usize) -> Result<Id> {
    let root = Folder::new(None, Vec::new(), Opening::Nowhere, Node::default());
    let counted = shared.options.count_totals.then(|| skeleton.clone());
    shared.queue.push([Job::Folder(Box::new(FolderJob {
        folder: Arc::new(root),
        all: false,
        branches: skeleton,
        previous: parent.map(|parent| parent.tree),
    }))]);
    std::thread::scope(|scope| {
        for number in 1..workers {
            let name = format!("backup-{number}");
            // With fewer threads than wanted it takes longer, no more.
            let _ = std::thread::Builder::new()
                .name(name)
                .spawn_scoped(scope, || Worker::new(shared).run());
        }
        if let Some(skeleton) = counted {
            let _ = std::thread::Builder::new()
                .name("backup-count".to_owned())
                .spawn_scoped(scope, move || count::count(shared, skeleton));
        }
        Worker::new(shared).run();
    });
    if let Some(error) = lock(&shared.failure).take() {
        return Err(error.into());
    }
    let root = shared.root.get().copied();
    root.ok_or_else(|| vault::Error::Internal("the walk ended without a root tree".to_owned()).into())
}

/// Stores what is open, then the generation.
fn finish(
    shared: Shared<'_>,
    held: Option<&LockGuard>,
    start: vault::Time,
    paths: Vec<String>,
    parent: Option<Generation>,
    tree: Id,
) -> Result<Outcome> {
    let Shared {
        vault,
        options,
        writer,
        counts,
        cancel,
        ..
    } = shared;
    let totals = writer.finish()?;
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let files = [&counts.files_new, &counts.files_changed, &counts.files_unmodified].map(get);
    let summary = Summary {
        backup_start: start,
        backup_end: options.clock.now(),
        files_new: files[0],
        files_changed: files[1],
        files_unmodified: files[2],
        dirs_new: get(&counts.dirs_new),
        dirs_changed: get(&counts.dirs_changed),
        dirs_unmodified: get(&counts.dirs_unmodified),
        data_blobs: totals.data_blobs,
        tree_blobs: totals.tree_blobs,
        data_added: totals.added,
        data_added_packed: totals.added_packed,
        total_files_processed: files.iter().sum(),
        total_bytes_processed: get(&counts.bytes),
        unknown: serde_json::Map::new(),
    };
    let skipped_unchanged = options.skip_if_unchanged && parent.as_ref().is_some_and(|parent| parent.tree == tree);
    let mut outcome = Outcome {
        generation: None,
        parent: parent.map(|parent| parent.id),
        summary,
        tree,
        unreadable: get(&counts.unreadable),
        changed_while_read: get(&counts.changed_while_read),
        skipped_unchanged,
        bytes_read: None,
        read_from: Vec::new(),
    };
    if skipped_unchanged || options.dry_run {
        return Ok(outcome);
    }
    cancel.check()?;
    if let Some(held) = held {
        held.watch().confirm()?;
    }
    let mut generation = Generation {
        id: Id::ZERO,
        time: options.time,
        parent: outcome.parent,
        tree,
        paths,
        hostname: options.host.clone(),
        username: options.user.clone(),
        uid: options.uid,
        gid: options.gid,
        excludes: options.exclude.patterns().to_vec(),
        tags: options.tags.clone(),
        original: None,
        program_version: options.program_version.clone(),
        summary: Some(outcome.summary.clone()),
        unknown: serde_json::Map::new(),
    };
    generation.id = vault.vault().save_generation(&generation)?;
    outcome.generation = Some(generation);
    Ok(outcome)
}

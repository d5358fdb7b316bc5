//! One entry of a folder: whether it is backed up, and what is left to do for it.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use super::IssueKind;
use super::exclude::Ignores;
use super::folder::{Folder, Opening};
use super::metadata::{Place, Stat};
use super::parent::is_unchanged;
use super::queue::Job;
use super::targets::Branch;
use super::walk::{FilesJob, FolderJob, PendingFile};
use super::worker::Worker;
use crate::vault::{BlobKind, Node, NodeType};

/// How many files, or bytes of them, make a batch that one worker reads.
const BATCH_FILES: usize = 64;
const BATCH_BYTES: u64 = 8 << 20;

/// One entry of the folder in hand.
pub(super) struct Entry<'a> {
    /// The folder in hand.
    pub(super) folder: &'a Arc<Folder>,
    /// The folder, open; `None` where entries are named by absolute paths.
    pub(super) open: Option<&'a Arc<OwnedFd>>,
    /// The rules of `.gitignore` files that hold for it.
    pub(super) ignores: Option<&'a Arc<Ignores>>,
    /// Its name in the generation, and in the open folder.
    pub(super) name: &'a CStr,
    /// The absolute path, for people, patterns and marks.
    pub(super) path: &'a CStr,
    /// The absolute path at which it is read: another one in a snapshot; of an entry above given paths it ends in `/.`, so
    /// that a symbolic link is followed.
    pub(super) at: &'a CStr,
    /// Whether it is only above given paths, and not itself backed up.
    pub(super) above: bool,
    /// What it leads to, if it was given or is above given paths.
    pub(super) branch: Option<Branch>,
}

impl Entry<'_> {
    fn given(&self) -> bool {
        self.branch.as_ref().is_some_and(|branch| branch.given)
    }

    fn place(&self) -> Place<'_> {
        match self.open {
            Some(open) => Place {
                dir: open.as_fd(),
                name: self.name,
                path: Some(self.at),
            },
            None => Place::path(self.at),
        }
    }
}

/// What a listing gathers.
#[derive(Default)]
pub(super) struct Found {
    /// The entries, `None` for those that are pending.
    pub(super) entries: Vec<Option<Node>>,
    pub(super) pending: usize,
    folders: Vec<Job>,
    files: Vec<Vec<PendingFile>>,
    batch_bytes: u64,
}

impl Found {
    fn folder(&mut self, job: FolderJob) {
        self.entries.push(None);
        self.pending += 1;
        self.folders.push(Job::Folder(Box::new(job)));
    }

    fn file(&mut self, file: PendingFile) {
        self.entries.push(None);
        self.pending += 1;
        self.batch_bytes += file.stat.size;
        match self.files.last_mut() {
            Some(batch) if batch.len() < BATCH_FILES && self.batch_bytes < BATCH_BYTES => batch.push(file),
            _ => {
                self.batch_bytes = file.stat.size;
                self.files.push(vec![file]);
            }
        }
    }

    /// The jobs that are left, in the order of a stack: the first batch of files last, the last folder first.
    pub(super) fn into_jobs(self, folder: &Arc<Folder>, open: Option<&Arc<OwnedFd>>) -> impl Iterator<Item = Job> {
        let files = self.files.into_iter().rev().map(move |files| {
            Job::Files(FilesJob {
                folder: Arc::clone(folder),
                open: open.cloned(),
                files,
            })
        });
        self.folders.into_iter().rev().chain(files)
    }
}

impl Worker<'_> {
    /// Looks at an entry whose path passes. `parts` are the path's components, `previous` is the entry of the parent
    /// generation.
    pub(super) fn entry(&mut self, entry: Entry<'_>, parts: &[&[u8]], previous: Option<Node>, found: &mut Found) {
        let shared = self.shared;
        let exclude = &shared.options.exclude;
        let failed = |error| shared.entry_failed(entry.path.to_bytes().to_vec(), error);
        let stat = match Stat::of(entry.place()) {
            Ok(mut stat) => {
                shared.options.view.correct(&mut stat);
                stat
            }
            Err(error) => return failed(error),
        };
        let Some(kind) = stat.kind().filter(|kind| *kind != NodeType::Socket) else {
            return;
        };
        let is_folder = kind == NodeType::Dir;
        if entry.above && !is_folder {
            return failed(io::ErrorKind::NotADirectory.into());
        }
        let elsewhere =
            exclude.one_file_system && !entry.above && !entry.given() && stat.device_id != entry.folder.device;
        if is_folder && !entry.above && exclude.folder_is_out(&stat) {
            return;
        }
        if !is_folder && (elsewhere || exclude.file_is_out(parts, (kind == NodeType::File).then_some(stat.size))) {
            return;
        }
        if !entry.given()
            && entry
                .ignores
                .is_some_and(|rules| rules.is_out(entry.path.to_bytes(), is_folder))
        {
            return;
        }
        let mut problem = None;
        let node = match self
            .metadata
            .read(entry.name.to_bytes(), entry.place(), &stat, &mut problem)
        {
            Ok(node) => node,
            Err(error) => return failed(error),
        };
        if let Some(error) = problem {
            shared.issue(entry.path.to_bytes().to_vec(), IssueKind::IncompleteMetadata, error);
        }
        match kind {
            NodeType::Dir => found_folder(entry, elsewhere, &stat, node, previous, found),
            NodeType::File => self.found_file(&entry, stat, node, previous, found),
            _ => found.entries.push(Some(node)),
        }
    }

    /// A file is done when it is unchanged, else it must be read.
    fn found_file(&mut self, entry: &Entry<'_>, stat: Stat, mut node: Node, previous: Option<Node>, found: &mut Found) {
        let shared = self.shared;
        if let Some(previous) = &previous
            && is_unchanged(previous, &stat)
            && shared.doubtful.is_none_or(|from| stat.ctime < from)
        {
            if self.has_content(previous) {
                node.content.clone_from(&previous.content);
                shared.counts.file(Some(previous), &node);
                shared.progress.file_done(node.size);
                found.entries.push(Some(node));
                return;
            }
            let text = "the vault lacks parts of it that the parent generation names; reading it stores them";
            shared.issue(
                entry.path.to_bytes().to_vec(),
                IssueKind::Healed,
                io::Error::other(text),
            );
        }
        found.file(PendingFile {
            slot: found.entries.len(),
            node,
            stat,
            previous,
            given: entry
                .open
                .is_none()
                .then(|| Box::new((entry.path.to_owned(), entry.at.to_owned()))),
        });
    }

    fn has_content(&self, node: &Node) -> bool {
        let content = node.content.as_deref().unwrap_or_default();
        // Vaults may say that a file has bytes, and name none.
        content.is_empty() == (node.size == 0) && content.iter().all(|id| self.shared.writer.has(BlobKind::Data, id))
    }
}

fn found_folder(entry: Entry<'_>, elsewhere: bool, stat: &Stat, node: Node, previous: Option<Node>, found: &mut Found) {
    let opening = match entry.open {
        Some(_) => Opening::Name(entry.name.to_owned()),
        None => Opening::Path(entry.at.to_owned(), entry.above),
    };
    let place = Some((Arc::clone(entry.folder), found.entries.len()));
    let mut folder = Folder::new(place, entry.path.to_bytes().to_vec(), opening, node);
    if !entry.above && entry.at != entry.path {
        folder.read_at = Some(entry.at.to_bytes().to_vec());
    }
    folder.device = if entry.given() {
        stat.device_id
    } else {
        entry.folder.device
    };
    folder.ignores = entry.ignores.cloned();
    let is_folder = |node: &&Node| node.kind == NodeType::Dir;
    let tree = previous.as_ref().filter(is_folder).and_then(|node| node.subtree);
    folder.previous = previous;
    found.folder(FolderJob {
        folder: Arc::new(folder),
        // A mount point is kept, empty.
        all: !entry.above && !elsewhere,
        branches: entry.branch.map(|branch| branch.below).unwrap_or_default(),
        previous: tree,
    });
}

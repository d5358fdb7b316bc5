//! A folder's job: list it, compare each entry with the parent generation, leave jobs for what must be looked into.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::IssueKind;
use super::exclude::Ignores;
use super::folder::{Folder, Opening, c_path};
use super::listing::{Names, marked_out};
use super::metadata::{Place, Stat};
use super::parent::{PreviousEntries, is_unchanged};
use super::pattern::components;
use super::queue::Job;
use super::targets::{Branch, Skeleton};
use super::worker::Worker;
use crate::vault::{BlobKind, Id, Node, NodeType, Result, Tree};

/// How many files, or bytes of them, make a batch that one worker reads.
const BATCH_FILES: usize = 64;
const BATCH_BYTES: u64 = 8 << 20;

/// A folder to list.
pub(super) struct FolderJob {
    pub(super) folder: Arc<Folder>,
    /// Whether all its entries are backed up; else only those in `branches`.
    pub(super) all: bool,
    /// Entries that lead to given paths.
    pub(super) branches: Skeleton,
    /// Its tree in the parent generation.
    pub(super) previous: Option<Id>,
}

/// Files of one folder to read.
pub(super) struct FilesJob {
    pub(super) folder: Arc<Folder>,
    /// The open folder; `None` when the files are named by absolute paths.
    pub(super) open: Option<Arc<OwnedFd>>,
    pub(super) files: Vec<PendingFile>,
}

/// A file to read.
pub(super) struct PendingFile {
    /// Its place in the folder.
    pub(super) slot: usize,
    /// Its metadata from the walk.
    pub(super) node: Node,
    /// What `node` was made of.
    pub(super) stat: Stat,
    /// The same file in the parent generation.
    pub(super) previous: Option<Node>,
    /// Its absolute path, when it was given as one.
    pub(super) path: Option<CString>,
}

impl PendingFile {
    /// The path to tell the user.
    pub(super) fn told_path(&self, folder: &Folder) -> Vec<u8> {
        match &self.path {
            Some(path) => path.as_bytes().to_vec(),
            None => join(&folder.path, &self.node.name),
        }
    }
}

/// One entry of the folder in hand.
struct Entry<'a> {
    name: &'a CStr,
    branch: Option<Branch>,
    /// The absolute path, with the NUL.
    path: &'a CStr,
    /// Whether it is above given paths only, and not itself backed up.
    above: bool,
    open: Option<&'a Arc<OwnedFd>>,
}

impl Entry<'_> {
    fn given(&self) -> bool {
        self.branch.as_ref().is_some_and(|branch| branch.given)
    }
}

/// What a listing gathers.
#[derive(Default)]
struct Found {
    entries: Vec<Option<Node>>,
    pending: usize,
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
}

impl Worker<'_> {
    /// Lists a folder.
    pub(super) fn list_folder(&mut self, job: FolderJob) -> Result<()> {
        let mut names = std::mem::take(&mut self.names);
        let folder = Arc::clone(&job.folder);
        self.shared.progress.set_current(&folder.path);
        let done = match self.list(job, &mut names) {
            Ok(true) => self.finish(folder),
            Ok(false) => Ok(()),
            Err(Stop::Folder(error)) => {
                let kind = if error.kind() == io::ErrorKind::NotFound {
                    IssueKind::Vanished
                } else {
                    IssueKind::Unreadable
                };
                self.shared.issue(folder.path.clone(), kind, error);
                match &folder.parent {
                    Some((parent, slot)) if parent.put(*slot, None) => self.finish(Arc::clone(parent)),
                    _ => Ok(()),
                }
            }
            Err(Stop::Backup(error)) => Err(error),
        };
        self.names = names;
        done
    }

    /// Returns whether nothing is pending.
    fn list(&mut self, mut job: FolderJob, names: &mut Names) -> Result<bool, Stop> {
        let shared = self.shared;
        let folder = &job.folder;
        let exclude = &shared.options.exclude;
        let mut ignores = None;
        let mut open = None;
        if job.all {
            let fd = folder.descriptor()?;
            names.read(&fd)?;
            names.apply_marks(&fd, exclude);
            if exclude.gitignore {
                ignores = names.ignores(&fd, &folder.path, folder.ignores.as_ref());
            }
            open = Some(fd);
        } else {
            names.clear();
            job.branches.entries.keys().for_each(|name| names.push(name));
        }
        let mut previous = match &job.previous {
            Some(tree) => self.previous_entries(folder, tree),
            None => PreviousEntries::default(),
        };
        let mut found = Found::default();
        let mut parts = components(&folder.path);
        let mut path = folder.path.clone();
        if path.last() != Some(&b'/') {
            path.push(b'/');
        }
        let prefix = path.len();
        for n in 0..names.len() {
            shared.cancel.check().map_err(crate::vault::Error::from)?;
            let name = names.get(n);
            let mut branch = job.branches.entries.remove(name.to_bytes());
            let previous = previous.take(name.to_bytes());
            if !job.all {
                if let Some(branch) = branch.take() {
                    self.given_path(&job.folder, name, branch, previous, &mut found)?;
                }
                continue;
            }
            path.truncate(prefix);
            path.extend_from_slice(name.to_bytes_with_nul());
            parts.push(name.to_bytes());
            let excluded = exclude.path_is_out(&parts, true);
            if !excluded {
                let path = CStr::from_bytes_with_nul(&path).unwrap_or_default();
                let entry = Entry {
                    name,
                    branch,
                    path,
                    above: false,
                    open: open.as_ref(),
                };
                self.entry(&job.folder, entry, &parts, ignores.as_ref(), previous, &mut found)?;
            }
            parts.pop();
        }
        let Found {
            entries,
            pending,
            folders,
            files,
            ..
        } = found;
        folder.set_entries(entries, pending);
        let files = files.into_iter().rev().map(|files| {
            Job::Files(FilesJob {
                folder: Arc::clone(folder),
                open: open.clone(),
                files,
            })
        });
        shared.queue.push(folders.into_iter().rev().chain(files));
        Ok(folder.one_less())
    }

    /// An entry of the skeleton: a path that was given, or a folder above one.
    fn given_path(
        &mut self,
        folder: &Arc<Folder>,
        name: &CStr,
        branch: Branch,
        previous: Option<Node>,
        found: &mut Found,
    ) -> Result<(), Stop> {
        let exclude = &self.shared.options.exclude;
        let source = branch.source.clone();
        let parts = components(source.as_os_str().as_bytes());
        let above = !branch.given;
        if branch.given {
            if exclude.path_is_out(&parts, false) {
                return Ok(());
            }
            if !exclude.marks().is_empty()
                && let (Some(parent), Some(name)) = (source.parent(), source.file_name())
                && let Ok(beside) = std::fs::File::open(parent)
                && marked_out(&beside.into(), name.as_bytes(), exclude)
            {
                return Ok(());
            }
        }
        // A folder above a given path may be reached through a symbolic link; what is stored is the folder behind it.
        let path = if above { with_dot(&source) } else { c_path(&source) };
        let entry = Entry {
            name,
            branch: Some(branch),
            path: &path,
            above,
            open: None,
        };
        self.entry(folder, entry, &parts, None, previous, found)
    }

    fn entry(
        &mut self,
        folder: &Arc<Folder>,
        mut entry: Entry<'_>,
        parts: &[&[u8]],
        ignores: Option<&Arc<Ignores>>,
        previous: Option<Node>,
        found: &mut Found,
    ) -> Result<(), Stop> {
        let shared = self.shared;
        let exclude = &shared.options.exclude;
        let place = match entry.open {
            Some(open) => Place {
                dir: open.as_fd(),
                name: entry.name,
                path: Some(entry.path),
            },
            None => Place::path(entry.path),
        };
        let told = || entry.path.to_bytes().to_vec();
        let stat = match Stat::of(place) {
            Ok(stat) => stat,
            Err(error) => return Ok(shared.entry_failed(told(), error)),
        };
        let Some(kind) = stat.kind().filter(|kind| *kind != NodeType::Socket) else {
            return Ok(());
        };
        let is_folder = kind == NodeType::Dir;
        if entry.above && !is_folder {
            return Ok(shared.entry_failed(told(), io::ErrorKind::NotADirectory.into()));
        }
        let elsewhere = exclude.one_file_system && !entry.above && !entry.given() && stat.device_id != folder.device;
        if !is_folder {
            let size = (kind == NodeType::File).then_some(stat.size);
            if elsewhere || exclude.file_is_out(parts, size) {
                return Ok(());
            }
        }
        if !entry.given() && ignores.is_some_and(|rules| rules.is_out(entry.path.to_bytes(), is_folder)) {
            return Ok(());
        }
        let mut problem = None;
        let mut node = match self.metadata.read(entry.name.to_bytes(), place, &stat, &mut problem) {
            Ok(node) => node,
            Err(error) => return Ok(shared.entry_failed(told(), error)),
        };
        if let Some(error) = problem {
            shared.issue(told(), IssueKind::IncompleteMetadata, error);
        }
        match kind {
            NodeType::Dir => {
                let branch = entry.branch.take();
                let given = branch.as_ref().is_some_and(|branch| branch.given);
                let opening = match entry.open {
                    Some(_) => Opening::Name(entry.name.to_owned()),
                    None => Opening::Path(entry.path.to_owned(), entry.above),
                };
                let mut path = entry.path.to_bytes().to_vec();
                if entry.above {
                    path.truncate(path.len().saturating_sub(2));
                }
                let place = Some((Arc::clone(folder), found.entries.len()));
                let mut child = Folder::new(place, path, opening, node);
                child.device = if given { stat.device_id } else { folder.device };
                child.ignores = ignores.cloned();
                let is_folder = |node: &&Node| node.kind == NodeType::Dir;
                let tree = previous.as_ref().filter(is_folder).and_then(|node| node.subtree);
                child.previous = previous;
                found.folder(FolderJob {
                    folder: Arc::new(child),
                    // A mount point is kept, empty.
                    all: !entry.above && !elsewhere,
                    branches: branch.map(|branch| branch.below).unwrap_or_default(),
                    previous: tree,
                });
            }
            NodeType::File => {
                if let Some(previous) = &previous
                    && is_unchanged(previous, &stat)
                {
                    if self.has_content(previous) {
                        node.content.clone_from(&previous.content);
                        shared.counts.file(Some(previous), &node);
                        shared.progress.file_done(node.size);
                        found.entries.push(Some(node));
                        return Ok(());
                    }
                    let text = "the vault lacks parts of it that the parent generation names; reading it stores them";
                    shared.issue(told(), IssueKind::Healed, io::Error::other(text));
                }
                let path = entry.open.is_none().then(|| entry.path.to_owned());
                found.file(PendingFile {
                    slot: found.entries.len(),
                    node,
                    stat,
                    previous,
                    path,
                });
            }
            _ => found.entries.push(Some(node)),
        }
        Ok(())
    }

    fn has_content(&self, node: &Node) -> bool {
        let content = node.content.as_deref().unwrap_or_default();
        content.iter().all(|id| self.shared.writer.has(BlobKind::Data, id))
    }

    fn previous_entries(&mut self, folder: &Folder, tree: &Id) -> PreviousEntries {
        let Worker {
            shared,
            scratch,
            tree: bytes,
            ..
        } = self;
        let read = shared
            .vault
            .blob_into(BlobKind::Tree, tree, scratch, bytes)
            .map_err(io::Error::other);
        match read.and_then(|()| Tree::decode(bytes).map_err(io::Error::other)) {
            Ok(tree) => PreviousEntries::new(tree.nodes),
            Err(error) => {
                shared.issue(folder.path.clone(), IssueKind::ParentUnreadable, error);
                PreviousEntries::default()
            }
        }
    }
}

/// Why a listing ended early.
enum Stop {
    /// The folder cannot be listed.
    Folder(io::Error),
    /// The backup cannot go on.
    Backup(crate::vault::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Folder(error)
    }
}

impl From<crate::vault::Error> for Stop {
    fn from(error: crate::vault::Error) -> Stop {
        Stop::Backup(error)
    }
}

/// A folder's path with `/.` behind it: the system then follows a symbolic link at its end.
fn with_dot(path: &Path) -> CString {
    CString::new(join(path.as_os_str().as_bytes(), b".")).unwrap_or_default()
}

/// A folder's path and a name.
pub(super) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if folder.ends_with(b"/") { b"" } else { b"/" };
    [folder, slash, name].concat()
}

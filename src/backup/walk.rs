//! A folder's job: list it, compare each entry with the parent generation, leave jobs for what must be looked into.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::IssueKind;
use super::entry::{Entry, Found};
use super::folder::{Folder, c_path};
use super::listing::{Names, marked_out};
use super::metadata::Stat;
use super::parent::PreviousEntries;
use super::pattern::components;
use super::targets::{Branch, Skeleton};
use super::view::ReadFrom;
use super::worker::Worker;
use crate::vault::{BlobKind, Id, Node, Result, Tree};

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
    /// Its absolute path and the one at which it is read, when it is named by them and not in an open folder.
    pub(super) given: Option<Box<(CString, CString)>>,
}

impl PendingFile {
    /// The path to tell the user.
    pub(super) fn told_path(&self, folder: &Folder) -> Vec<u8> {
        match &self.given {
            Some(paths) => paths.0.as_bytes().to_vec(),
            None => join(&folder.path, &self.node.name),
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
                self.shared.entry_failed(folder.path.clone(), error);
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
        let view = &shared.options.view;
        // The same where it is read, if that is elsewhere.
        let mut there = folder.read_at.clone();
        let there_prefix = there.as_mut().map_or(0, |there| {
            there.push(b'/');
            there.len()
        });
        for n in 0..names.len() {
            shared.cancel.check().map_err(crate::vault::Error::from)?;
            let name = names.get(n);
            let mut branch = job.branches.entries.remove(name.to_bytes());
            let previous = previous.take(name.to_bytes());
            if !job.all {
                if let Some(branch) = branch.take() {
                    self.given_path(&job.folder, name, branch, previous, &mut found);
                }
                continue;
            }
            path.truncate(prefix);
            path.extend_from_slice(name.to_bytes_with_nul());
            parts.push(name.to_bytes());
            let excluded = exclude.path_is_out(&parts, true);
            if !excluded {
                let path = CStr::from_bytes_with_nul(&path).unwrap_or_default();
                let mut at = path;
                if let Some(there) = &mut there {
                    there.truncate(there_prefix);
                    there.extend_from_slice(name.to_bytes_with_nul());
                    at = CStr::from_bytes_with_nul(there).unwrap_or_default();
                }
                let change = if view.is_empty() {
                    None
                } else {
                    view.change_at(path.to_bytes())
                };
                let elsewhere = match change {
                    Some(ReadFrom::Nowhere) => {
                        parts.pop();
                        continue;
                    }
                    Some(ReadFrom::There(there)) => Some(c_path(there)),
                    Some(ReadFrom::Itself) => Some(path.to_owned()),
                    None => None,
                };
                let entry = Entry {
                    folder,
                    open: open.as_ref().filter(|_| elsewhere.is_none()),
                    ignores: ignores.as_ref(),
                    name,
                    path,
                    at: elsewhere.as_deref().unwrap_or(at),
                    above: false,
                    branch,
                };
                self.entry(entry, &parts, previous, &mut found);
            }
            parts.pop();
        }
        folder.set_entries(std::mem::take(&mut found.entries), found.pending);
        shared.queue.push(found.into_jobs(folder, open.as_ref()));
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
    ) {
        let exclude = &self.shared.options.exclude;
        let source = branch.source.clone();
        let there = match self.shared.options.view.of(&source) {
            ReadFrom::Itself => source.clone(),
            ReadFrom::There(there) => there,
            ReadFrom::Nowhere => return,
        };
        let parts = components(source.as_os_str().as_bytes());
        let above = !branch.given;
        if branch.given {
            if exclude.path_is_out(&parts, false) {
                return;
            }
            if !exclude.marks().is_empty()
                && let (Some(parent), Some(name)) = (there.parent(), source.file_name())
                && let Ok(beside) = std::fs::File::open(parent)
                && marked_out(&beside.into(), name.as_bytes(), exclude)
            {
                return;
            }
        }
        // A folder above a given path may be reached through a symbolic link; what is stored is the folder behind it.
        let at = if above { with_dot(&there) } else { c_path(&there) };
        let entry = Entry {
            folder,
            open: None,
            ignores: None,
            name,
            path: &c_path(&source),
            at: &at,
            above,
            branch: Some(branch),
        };
        self.entry(entry, &parts, previous, found);
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

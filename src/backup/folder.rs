//! A folder being backed up: what is known of its entries so far. Whoever brings the last one stores its tree.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{CWD, Mode, OFlags};

use super::exclude::Ignores;
use crate::vault::Node;

/// Folders this deep or deeper are not kept open while their subfolders wait: the descriptors of a very deep tree would run
/// out. They are opened again, from the nearest one that is open.
const KEPT_OPEN: usize = 100;

/// A folder being backed up.
pub(super) struct Folder {
    /// The folder above and the place in it; `None` for the root of the generation.
    pub(super) parent: Option<(Arc<Folder>, usize)>,
    /// The absolute path on the live filesystem.
    pub(super) path: Vec<u8>,
    /// The absolute path at which it is read, where that is another one.
    pub(super) read_at: Option<Vec<u8>>,
    /// How to open it again from the folder above, or, when that is not on the live filesystem, by absolute path.
    pub(super) opening: Opening,
    /// How deep below the root.
    pub(super) depth: usize,
    /// Its own metadata, without the subtree; taken when it is finished.
    pub(super) node: Mutex<Node>,
    /// The same in the parent generation.
    pub(super) previous: Option<Node>,
    /// The device that entries must be on, if the backup stays on one filesystem.
    pub(super) device: u64,
    /// The rules of `.gitignore` files above it.
    pub(super) ignores: Option<Arc<Ignores>>,
    open: Mutex<Option<Arc<OwnedFd>>>,
    entries: Mutex<Vec<Option<Node>>>,
    /// Entries that are not here yet, and one for the listing itself.
    pending: AtomicUsize,
}

/// How a folder is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Opening {
    /// It is not there: the root of the generation, which only holds what leads to given paths.
    Nowhere,
    /// By this name in the folder above.
    Name(CString),
    /// By this absolute path; `true` if its last component may be a symbolic link.
    Path(CString, bool),
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Folder {
    pub(super) fn new(parent: Option<(Arc<Folder>, usize)>, path: Vec<u8>, opening: Opening, node: Node) -> Folder {
        Folder {
            depth: parent.as_ref().map_or(0, |(parent, _)| parent.depth + 1),
            parent,
            path,
            read_at: None,
            opening,
            node: Mutex::new(node),
            previous: None,
            device: 0,
            ignores: None,
            open: Mutex::new(None),
            entries: Mutex::new(Vec::new()),
            pending: AtomicUsize::new(1),
        }
    }

    /// Sets what the listing found: `None` where an entry is still to come, and how many those are.
    pub(super) fn set_entries(&self, entries: Vec<Option<Node>>, pending: usize) {
        *lock(&self.entries) = entries;
        self.pending.fetch_add(pending, Ordering::Relaxed);
    }

    /// Brings an entry, `None` if the generation goes without. Returns whether it was the last one.
    pub(super) fn put(&self, slot: usize, node: Option<Node>) -> bool {
        if let Some(node) = node
            && let Some(entry) = lock(&self.entries).get_mut(slot)
        {
            *entry = Some(node);
        }
        self.one_less()
    }

    /// One pending thing is done, which brings no entry. Returns whether it was the last one.
    pub(super) fn one_less(&self) -> bool {
        self.pending.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// All entries, once the last one is there.
    pub(super) fn take_entries(&self) -> Vec<Option<Node>> {
        std::mem::take(&mut *lock(&self.entries))
    }

    /// The open folder. Opens it, and what is above it, as far as it is not.
    pub(super) fn descriptor(&self) -> io::Result<Arc<OwnedFd>> {
        let mut closed = Vec::new();
        let mut folder = self;
        let mut open = loop {
            if let Some(open) = lock(&folder.open).clone() {
                break Some(open);
            }
            closed.push(folder);
            match (&folder.opening, &folder.parent) {
                (Opening::Name(_), Some((parent, _))) => folder = parent,
                _ => break None,
            }
        };
        for folder in closed.into_iter().rev() {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let fd = match (&folder.opening, &open) {
                (Opening::Name(name), Some(above)) => {
                    rustix::fs::openat(above.as_ref(), name, flags | OFlags::NOFOLLOW, Mode::empty())?
                }
                (Opening::Path(path, follow), _) => {
                    let no_follow = if *follow { OFlags::empty() } else { OFlags::NOFOLLOW };
                    rustix::fs::openat(CWD, path, flags | no_follow, Mode::empty())?
                }
                _ => return Err(io::ErrorKind::NotFound.into()),
            };
            let fd = Arc::new(fd);
            if folder.depth < KEPT_OPEN {
                *lock(&folder.open) = Some(Arc::clone(&fd));
            }
            open = Some(fd);
        }
        open.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A chain of folders may be longer than the stack is deep.
impl Drop for Folder {
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(mut last) = parent.and_then(|(parent, _)| Arc::into_inner(parent)) {
            parent = last.parent.take();
        }
    }
}

/// A path as the system takes it. A path with a NUL in it cannot exist.
pub(super) fn c_path(path: &Path) -> CString {
    use std::os::unix::ffi::OsStrExt;
    CString::new(path.as_os_str().as_bytes()).unwrap_or_default()
}

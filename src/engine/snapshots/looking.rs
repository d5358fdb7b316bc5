//! The snapshot that is looked into: its files are kept open from question to question, since opening can mean to mount
//! something. It cannot be deleted meanwhile; so it is let go when nobody has asked for a while.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::engine::question::{EntryRow, FolderOrder, SnapshotAt, TreePath};
use crate::snapshot::Files;

/// How long it is kept when nobody asks: whoever looks through a folder asks at every turn.
pub(super) const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// The snapshot that is looked into, if any.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct LookedInto(Arc<Mutex<Option<Open>>>);

struct Open {
    at: SnapshotAt,
    files: Box<dyn Files>,
    asked: Instant,
    /// Shared by those whose questions are being answered.
    busy: Arc<()>,
    listed: Option<(Listing, Arc<Vec<EntryRow>>)>,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Open").field(&self.at).finish()
    }
}

/// The rows of a folder: which folder, in which order, and by which names.
pub(super) type Listing = (TreePath, FolderOrder, String);

/// A snapshot whose files stay open until this is dropped.
pub(super) struct Looking {
    /// The folder that stands for the target's root.
    pub root: PathBuf,
    busy: Arc<()>,
}

impl LookedInto {
    fn open(&self) -> MutexGuard<'_, Option<Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files of a snapshot, if it is the one.
    pub(super) fn look(&self, at: &SnapshotAt) -> Option<Looking> {
        let mut open = self.open();
        let open = open.as_mut().filter(|open| open.at == *at)?;
        open.asked = Instant::now();
        Some(Looking {
            root: open.files.root(),
            busy: open.busy.clone(),
        })
    }

    /// Keeps the files of a snapshot in the place of those before, until nobody asks for as long as `patience`.
    pub(super) fn keep(&self, at: &SnapshotAt, files: Box<dyn Files>, patience: Duration) -> Looking {
        let looking = Looking {
            root: files.root(),
            busy: Arc::default(),
        };
        let before = self.open().replace(Open {
            at: at.clone(),
            files,
            asked: Instant::now(),
            busy: looking.busy.clone(),
            listed: None,
        });
        drop(before);
        let (kept, busy) = (Arc::downgrade(&self.0), Arc::downgrade(&looking.busy));
        let watch = move || watch(&kept, &busy, patience);
        // Without it the snapshot stays until another one is looked into.
        let _ = std::thread::Builder::new().name("look-away".into()).spawn(watch);
        looking
    }

    /// Lets go of it, whichever it is.
    pub(super) fn look_away(&self) {
        let open = self.open().take();
        drop(open);
    }

    /// The rows of a folder of it that were listed last.
    pub(super) fn listed(&self, at: &SnapshotAt, listing: &Listing) -> Option<Arc<Vec<EntryRow>>> {
        let open = self.open();
        let open = open.as_ref().filter(|open| open.at == *at)?;
        let (of, rows) = open.listed.as_ref()?;
        (of == listing).then(|| rows.clone())
    }

    /// Keeps the rows of a folder for the next window: nothing changes in a snapshot.
    pub(super) fn keep_listed(&self, at: &SnapshotAt, listing: Listing, rows: &Arc<Vec<EntryRow>>) {
        if let Some(open) = self.open().as_mut().filter(|open| open.at == *at) {
            open.listed = Some((listing, rows.clone()));
        }
    }
}

/// Lets go of files, known by who shares them, when nobody has asked for as long as `patience`.
fn watch(kept: &Weak<Mutex<Option<Open>>>, busy: &Weak<()>, patience: Duration) {
    loop {
        let Some(kept) = kept.upgrade().map(LookedInto) else {
            return;
        };
        let mut open = kept.open();
        let left = match open.as_ref() {
            Some(open) if std::ptr::eq(Arc::as_ptr(&open.busy), busy.as_ptr()) => match Arc::strong_count(&open.busy) {
                1 => patience.saturating_sub(open.asked.elapsed()),
                _ => patience,
            },
            _ => return,
        };
        if left.is_zero() {
            let open = open.take();
            drop(open);
            return;
        }
        drop(open);
        drop(kept);
        std::thread::sleep(left);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::snapshot::{SnapshotId, Target};

    /// Files that tell when they are let go.
    struct Told(Arc<AtomicBool>);

    impl Files for Told {
        fn root(&self) -> PathBuf {
            "/root".into()
        }
    }

    impl Drop for Told {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    fn at(id: &str) -> SnapshotAt {
        SnapshotAt {
            target: Target::Folder("/srv".into()),
            id: SnapshotId(id.into()),
        }
    }

    #[test]
    fn a_snapshot_is_let_go_when_nobody_asks_for_it_and_not_while_it_is_read() {
        let looked = LookedInto::default();
        let gone = Arc::new(AtomicBool::new(false));
        let tick = Duration::from_millis(5);
        let looking = looked.keep(&at("a"), Box::new(Told(gone.clone())), tick);
        assert_eq!(looking.root, PathBuf::from("/root"));
        let begin = Instant::now();
        while begin.elapsed() < 20 * tick {
            std::thread::park_timeout(tick);
        }
        assert!(!gone.load(Ordering::SeqCst), "it is read");
        drop(looking);
        let end = Instant::now() + Duration::from_secs(60);
        while !gone.load(Ordering::SeqCst) {
            assert!(Instant::now() < end, "it is never let go");
            std::thread::park_timeout(tick);
        }
        assert!(looked.look(&at("a")).is_none());
        // One that is asked for stays.
        drop(looked.keep(&at("b"), Box::new(Told(Arc::default())), PATIENCE));
        assert!(looked.look(&at("b")).is_some() && looked.look(&at("a")).is_none());
    }

    #[test]
    fn what_was_listed_is_kept_for_the_same_listing_of_the_same_snapshot() {
        let looked = LookedInto::default();
        drop(looked.keep(&at("a"), Box::new(Told(Arc::default())), PATIENCE));
        let listing = |filter: &str| (Vec::new(), FolderOrder::default(), filter.to_owned());
        let rows = Arc::new(Vec::new());
        looked.keep_listed(&at("a"), listing(""), &rows);
        assert!(Arc::ptr_eq(&looked.listed(&at("a"), &listing("")).unwrap(), &rows));
        assert!(looked.listed(&at("a"), &listing("x")).is_none());
        assert!(looked.listed(&at("b"), &listing("")).is_none());
    }
}

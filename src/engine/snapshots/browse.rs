//! Looking into snapshots: their folders, and how they differ.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::looking::{Looking, PATIENCE};
use crate::catalog::{Direction, SortKey};
use crate::engine::question::{
    CompareSnapshots, EntryRow, FolderOrder, ListSnapshotFolder, SnapshotAt, SnapshotChange, SnapshotChangeKind,
    SnapshotChanges, SnapshotFolder, SnapshotReplaces, TreePath,
};
use crate::engine::{Engine, Error, Result};
use crate::progress::Cancel;
use crate::snapshot::compare::{self, Differs, How};
use crate::snapshot::replaced::{Replaced, replaced};
use crate::snapshot::{SHELF, Target};
use crate::vault::NodeType;

/// Most rows of one window.
const WINDOW_ROWS: u32 = 10_000;

/// A path from a snapshot's root as the system takes it. Refused when it could lead out of it, or be another than it says:
/// left out, a name such as `..` would make it everything.
pub(super) fn path_of(path: &TreePath) -> Result<PathBuf> {
    if let Some(name) = path.iter().find(|name| !crate::vault::tree::is_safe_name(name)) {
        return Err(Error::Usage(format!(
            "{:?} is no name of a file or folder in a snapshot",
            crate::text::escape(name)
        )));
    }
    Ok(path.iter().map(|name| OsStr::from_bytes(name)).collect())
}

fn tree_path(path: &Path) -> TreePath {
    path.iter().map(|name| name.as_bytes().to_vec()).collect()
}

impl Engine {
    /// Lets go of the snapshot that was looked into: it may be about to go.
    pub(super) fn look_away(&self) {
        self.0.looked_into.look_away();
    }

    /// The files of a snapshot.
    fn look_into(&self, at: &SnapshotAt) -> Result<Looking> {
        let kept = &self.0.looked_into;
        if let Some(looking) = kept.look(at) {
            return Ok(looking);
        }
        self.look_away();
        let snapshot = self.snapshot(at)?;
        let files = self.keeper(&snapshot)?.files(&snapshot)?;
        Ok(kept.keep(at, files, PATIENCE))
    }

    /// A window of a folder in a snapshot. A folder that cannot be listed says so; that is no failure.
    pub fn snapshot_folder(&self, asked: &ListSnapshotFolder, cancel: &Cancel) -> Result<SnapshotFolder> {
        let mut window = SnapshotFolder {
            at: asked.at.clone(),
            folder: asked.folder.clone(),
            first: 0,
            rows: Vec::new(),
            total: 0,
            row_of_near: None,
            on_disk: None,
            problem: String::new(),
        };
        let looking = self.look_into(&asked.at)?;
        let folder = looking.root.join(path_of(&asked.folder)?);
        let rows = match self.rows(asked, &folder, cancel)? {
            Ok(rows) => rows,
            Err(error) => {
                window.problem = match error.kind() {
                    std::io::ErrorKind::PermissionDenied => "You may not list this folder.".into(),
                    std::io::ErrorKind::NotFound => "The snapshot has no such folder.".into(),
                    _ => format!("This folder cannot be listed: {error}."),
                };
                return Ok(window);
            }
        };
        window.total = rows.len() as u64;
        window.row_of_near = asked
            .near
            .as_ref()
            .and_then(|near| rows.iter().position(|row| row.name == *near))
            .map(|at| at as u64);
        let most = u64::from(asked.rows.min(WINDOW_ROWS));
        let first = window.row_of_near.map_or(asked.first, |at| at.saturating_sub(most / 2));
        window.first = first.min(window.total.saturating_sub(most));
        let skipped = usize::try_from(window.first).unwrap_or(usize::MAX);
        window.rows = rows.iter().skip(skipped).take(most as usize).cloned().collect();
        window.on_disk = Some(folder);
        Ok(window)
    }

    /// The rows of a folder, in order. Those of more than a window are kept for the next one.
    fn rows(
        &self,
        asked: &ListSnapshotFolder,
        folder: &Path,
        cancel: &Cancel,
    ) -> Result<std::io::Result<Arc<Vec<EntryRow>>>> {
        let wanted = asked.filter.to_lowercase();
        let listing = (asked.folder.clone(), asked.order, wanted.clone());
        if let Some(rows) = self.0.looked_into.listed(&asked.at, &listing) {
            return Ok(Ok(rows));
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return Ok(Err(error)),
        };
        let mut rows = Vec::new();
        for (n, entry) in entries.flatten().enumerate() {
            if n.is_multiple_of(1024) {
                cancel.check()?;
            }
            let name = entry.file_name();
            let fits = wanted.is_empty() || name.to_string_lossy().to_lowercase().contains(&wanted);
            if fits && name != SHELF {
                rows.extend(row(&entry));
            }
        }
        sort(&mut rows, asked.order);
        let rows = Arc::new(rows);
        if rows.len() > asked.rows as usize {
            self.0.looked_into.keep_listed(&asked.at, listing, &rows);
        }
        Ok(Ok(rows))
    }

    /// What restoring files out of a snapshot would write over.
    pub fn snapshot_replaces(&self, asked: &SnapshotReplaces, cancel: &Cancel) -> Result<Replaced> {
        let looking = self.look_into(&asked.at)?;
        let to = match (&asked.to, &asked.at.target) {
            (Some(to), _) => to,
            (None, Target::Folder(path)) => path,
            // The restore itself refuses it, and says what to do.
            (None, _) => return Ok(Replaced::default()),
        };
        let paths: Vec<PathBuf> = asked.paths.iter().map(path_of).collect::<Result<_>>()?;
        let overwrite = crate::engine::answers::to_overwrite(asked.overwrite);
        Ok(replaced(&looking.root, &paths, to, overwrite, cancel)?)
    }

    /// A window of how two snapshots, or one and the present, differ.
    pub fn compare_snapshots(&self, asked: &CompareSnapshots, cancel: &Cancel) -> Result<SnapshotChanges> {
        let key = (asked.before.clone(), asked.after.clone());
        // The present changes: it is compared anew each time a first window is asked for.
        let known = self.0.compared.get(&key);
        let list = match known.filter(|_| asked.after.is_some() || asked.first > 0) {
            Some(list) => list,
            None => {
                let before = self.snapshot(&asked.before)?;
                let files = self.keeper(&before)?.files(&before)?;
                let (_after_files, root) = match &asked.after {
                    Some(id) => {
                        let after = self.snapshot(&SnapshotAt {
                            target: asked.before.target.clone(),
                            id: id.clone(),
                        })?;
                        let files = self.keeper(&after)?.files(&after)?;
                        let root = files.root();
                        (Some(files), root)
                    }
                    None => match &asked.before.target {
                        Target::Folder(path) => (None, path.clone()),
                        target => {
                            return Err(Error::Usage(format!(
                                "the files of {target} as they are now do not lie on this machine: compare two snapshots"
                            )));
                        }
                    },
                };
                let list = self.0.compared.start(key);
                let done = compare::trees(&files.root(), &root, How::Quick, cancel, &mut |found| {
                    let how = match found.how {
                        Differs::Added => SnapshotChangeKind::Added,
                        Differs::Gone => SnapshotChangeKind::Gone,
                        Differs::Content => SnapshotChangeKind::Content,
                        Differs::Attributes => SnapshotChangeKind::Attributes,
                    };
                    let change = SnapshotChange {
                        path: tree_path(&found.path),
                        how,
                        sizes: found.sizes,
                    };
                    let mut grown = list.grown();
                    grown.total += 1;
                    if grown.rows.len() < crate::engine::kept::ROWS {
                        grown.rows.push(change);
                    }
                    true
                });
                let mut grown = list.grown();
                grown.whole = done.is_ok();
                grown.broken = done.is_err();
                drop(grown);
                done?;
                list
            }
        };
        let grown = list.grown();
        let most = asked.rows.min(WINDOW_ROWS) as usize;
        let first = usize::try_from(asked.first).unwrap_or(usize::MAX).min(grown.rows.len());
        Ok(SnapshotChanges {
            first: first as u64,
            rows: grown.rows.iter().skip(first).take(most).cloned().collect(),
            total: grown.total,
            whole: grown.whole,
        })
    }
}

fn row(entry: &std::fs::DirEntry) -> Option<EntryRow> {
    let about = entry.metadata().ok()?;
    let kind = match about.file_type() {
        kind if kind.is_dir() => NodeType::Dir,
        kind if kind.is_symlink() => NodeType::Symlink,
        kind if kind.is_fifo() => NodeType::Fifo,
        kind if kind.is_socket() => NodeType::Socket,
        kind if kind.is_block_device() => NodeType::Dev,
        kind if kind.is_char_device() => NodeType::CharDev,
        _ => NodeType::File,
    };
    let link_target = match kind {
        NodeType::Symlink => std::fs::read_link(entry.path())
            .ok()
            .map(|to| to.as_os_str().as_bytes().to_vec()),
        _ => None,
    };
    Some(EntryRow {
        name: entry.file_name().as_bytes().to_vec(),
        kind,
        size: (kind == NodeType::File).then_some(about.len()),
        entries: None,
        mtime: about.mtime(),
        mode: about.mode() & 0o7777,
        uid: about.uid(),
        gid: about.gid(),
        link_target: link_target.unwrap_or_default(),
    })
}

fn sort(rows: &mut [EntryRow], order: FolderOrder) {
    rows.sort_by(|a, b| {
        let folders = match order.folders_first {
            true => (a.kind != NodeType::Dir).cmp(&(b.kind != NodeType::Dir)),
            false => std::cmp::Ordering::Equal,
        };
        let key = match order.key {
            SortKey::Name => a.name.cmp(&b.name),
            SortKey::Size => a.size.unwrap_or(0).cmp(&b.size.unwrap_or(0)),
            SortKey::Modified => a.mtime.cmp(&b.mtime),
        };
        let key = match order.direction {
            Direction::Ascending => key,
            Direction::Descending => key.reverse(),
        };
        folders.then(key).then_with(|| a.name.cmp(&b.name))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_name_that_is_none_is_refused() {
        let of = |names: &[&str]| path_of(&names.iter().map(|name| name.as_bytes().to_vec()).collect());
        assert_eq!(of(&["web", "a"]).unwrap(), Path::new("web/a"));
        assert_eq!(of(&[]).unwrap(), Path::new(""));
        for hostile in [&[".."][..], &["web", ""], &["a/b"]] {
            assert!(of(hostile).is_err());
        }
    }
}

//! The shelves that lie within a folder that goes back: the snapshots of folders below it, and its own from when it was a
//! mount. They are part of no copy, so they move over into the one that takes the folder's place.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::RenameFlags;

use crate::snapshot::copy::{open_folder, set_open_times, status};
use crate::snapshot::system::io_error;
use crate::snapshot::{Result, SHELF};

/// Where there are any below a folder, from there. Other filesystems within are passed over.
pub(super) fn within(root: &Path) -> Result<Vec<PathBuf>> {
    let own = root.symlink_metadata().map_err(io_error("look at", root))?.dev();
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        let entries = match std::fs::read_dir(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.map_err(io_error("list", &path))?,
        };
        for entry in entries {
            let entry = entry.map_err(io_error("list", &path))?;
            let is_here = |path: &Path| path.symlink_metadata().is_ok_and(|about| about.dev() == own);
            if entry.file_name() == SHELF {
                found.push(folder.join(SHELF));
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_here(&entry.path()) {
                folders.push(folder.join(entry.file_name()));
            }
        }
    }
    Ok(found)
}

fn open(root: &Path) -> io::Result<OwnedFd> {
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let open = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(root);
    open.map(OwnedFd::from)
}

fn parent(shelf: &Path) -> &Path {
    shelf.parent().unwrap_or(Path::new(""))
}

/// Those whose folder is not in a copy.
pub(super) fn without_place<'a>(found: &'a [PathBuf], files: &Path) -> Result<Vec<&'a Path>> {
    let files = open(files).map_err(io_error("open", files))?;
    let is_lost = |shelf: &&Path| open_folder(files.as_fd(), parent(shelf)).is_err();
    Ok(found.iter().map(PathBuf::as_path).filter(is_lost).collect())
}

/// Moves them from one folder to the same places in another, all or none. What is there no more has been moved before.
pub(super) fn move_over(old: &Path, new: &Path, found: &[PathBuf]) -> Result<()> {
    let roots = (
        open(old).map_err(io_error("open", old))?,
        open(new).map_err(io_error("open", new))?,
    );
    let mut moved = Vec::new();
    for shelf in found {
        match move_one(&roots.0, &roots.1, parent(shelf)) {
            Ok(()) => moved.push(parent(shelf)),
            Err(error) => {
                for folder in moved {
                    move_one(&roots.1, &roots.0, folder).map_err(io_error("move back the snapshots in", folder))?;
                }
                return Err(io_error("move the snapshots in", &new.join(parent(shelf)))(error));
            }
        }
    }
    Ok(())
}

/// The folders' times stay.
fn move_one(old: &OwnedFd, new: &OwnedFd, folder: &Path) -> io::Result<()> {
    let from = open_folder(old.as_fd(), folder)?;
    if status(from.as_fd(), OsStr::new(SHELF)).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(());
    }
    let to = open_folder(new.as_fd(), folder)?;
    let stats = (rustix::fs::fstat(&from)?, rustix::fs::fstat(&to)?);
    rustix::fs::renameat_with(&from, SHELF, &to, SHELF, RenameFlags::NOREPLACE)?;
    for (folder, stat) in [(&from, stats.0), (&to, stats.1)] {
        if let Err(error) = set_open_times(folder.as_fd(), &stat) {
            tracing::warn!("cannot set the times of a folder whose snapshots moved: {error}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shelves_move_over_or_none() {
        let place = tempfile::tempdir().unwrap();
        let (old, new) = (place.path().join("old"), place.path().join("new"));
        for folder in ["", "a/b", "gone", "link"] {
            std::fs::create_dir_all(old.join(folder).join(SHELF).join("kept").join(SHELF)).unwrap();
        }
        std::fs::create_dir_all(new.join("a/b")).unwrap();
        std::os::unix::fs::symlink("a", new.join("link")).unwrap();
        let mut found = within(&old).unwrap();
        found.sort();
        let shelf = |folder: &str| Path::new(folder).join(SHELF);
        assert_eq!(found, ["", "a/b", "gone", "link"].map(shelf), "and none within a shelf");
        let mut lost = without_place(&found, &new).unwrap();
        lost.sort_unstable();
        assert_eq!(lost, [shelf("gone"), shelf("link")]);

        assert!(move_over(&old, &new, &found).is_err());
        assert!(
            found.iter().all(|shelf| old.join(shelf).join("kept").exists()),
            "all are back"
        );
        let past = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        std::fs::File::open(new.join("a/b"))
            .unwrap()
            .set_modified(past)
            .unwrap();
        found.truncate(2);
        for time in ["first", "again"] {
            move_over(&old, &new, &found).unwrap();
            assert!(
                found.iter().all(|shelf| new.join(shelf).join("kept").exists()),
                "{time}"
            );
        }
        assert_eq!(within(&old).unwrap().len(), 2);
        assert_eq!(new.join("a/b").metadata().unwrap().modified().unwrap(), past);
    }
}

//! What a restore out of a snapshot would write over, counted before it is done. It only looks: what is there may be another
//! by the time of the restore, which judges anew.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Stat, statat};

use super::copy::kind;
use super::restore::stays;
use super::system::io_error;
use super::{Result, SHELF};
use crate::progress::Cancel;
use crate::restore::Overwrite;

/// What would be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replaced {
    /// Files and everything else that is no folder.
    pub files: u64,
    /// The bytes that the files there hold now.
    pub bytes: u64,
}

/// Counts what restoring `paths` of the snapshot at `root` below `to` would replace. What is missing on one side, or cannot
/// be looked at, is passed over: restoring tells of it.
pub fn replaced(root: &Path, paths: &[PathBuf], to: &Path, overwrite: Overwrite, cancel: &Cancel) -> Result<Replaced> {
    let mut found = Replaced::default();
    for path in paths {
        entry(&root.join(path), &to.join(path), overwrite, cancel, &mut found)?;
    }
    Ok(found)
}

fn status(path: &Path) -> Option<Stat> {
    statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).ok()
}

fn entry(old: &Path, there: &Path, overwrite: Overwrite, cancel: &Cancel, found: &mut Replaced) -> Result<()> {
    cancel.check()?;
    // Mostly nothing is there, and then nothing below it is either.
    let Some(now) = status(there) else { return Ok(()) };
    let Some(then) = status(old) else { return Ok(()) };
    let folder = |stat: &Stat| kind(stat) == FileType::Directory;
    match (folder(&then), folder(&now)) {
        (true, true) => {
            let entries = match std::fs::read_dir(old) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
                Err(error) => return Err(io_error("list", old)(error)),
            };
            for name in entries.flatten().map(|entry| entry.file_name()) {
                if name.as_bytes() != SHELF.as_bytes() {
                    entry(&old.join(&name), &there.join(&name), overwrite, cancel, found)?;
                }
            }
        }
        (false, false) if !stays(overwrite, &then, &now) => {
            found.files += 1;
            if kind(&now) == FileType::RegularFile {
                found.bytes += u64::try_from(now.st_size).unwrap_or(0);
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_what_would_be_written_over_counts() {
        let (snapshot, present) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (root, to) = (snapshot.path(), present.path());
        for (at, name, text) in [
            (root, "web/same", "1"),
            (root, "web/other", "22"),
            (root, "web/gone", "3"),
            (root, "web/kind", "4"),
            (to, "web/other", "4444"),
            (to, "web/mine", "5"),
        ] {
            fs::create_dir_all(at.join("web")).unwrap();
            fs::write(at.join(name), text).unwrap();
        }
        fs::create_dir(to.join("web/kind")).unwrap();
        fs::copy(root.join("web/same"), to.join("web/same")).unwrap();
        let time = fs::metadata(root.join("web/same")).unwrap().modified().unwrap();
        fs::File::options()
            .write(true)
            .open(to.join("web/same"))
            .unwrap()
            .set_modified(time)
            .unwrap();
        let count = |path: &str, to: &Path, overwrite| {
            let found = replaced(root, &[path.into()], to, overwrite, &Cancel::default()).unwrap();
            (found.files, found.bytes)
        };
        assert_eq!(count("web", to, Overwrite::IfChanged), (1, 4));
        assert_eq!(count("", to, Overwrite::Always), (2, 5));
        assert_eq!(count("", to, Overwrite::Never), (0, 0));
        assert_eq!(count("web/other", to, Overwrite::IfChanged), (1, 4));
        assert_eq!(
            count("", &to.join("new"), Overwrite::Always),
            (0, 0),
            "a folder that is not there yet"
        );
    }
}

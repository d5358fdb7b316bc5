//! Whether what lies on a shelf may be believed: only where nobody else could have put it there.
//!
//! Who may write beside a folder can make `.coffer-snapshots` there before anybody else does: a link to another folder, or
//! one with forged records. Root would then delete or hand out what these name. So a shelf counts only as a real folder that
//! belongs to who works with it, or to root, and that nobody else may write to. What is read and deleted there is had by what
//! was opened ([`path_of`]), so that no other folder can take its place meanwhile; only what is made there goes by name.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::system::{errno, is_root};
use super::{Error, Result};

fn distrust(shelf: &Path, why: String) -> Error {
    Error::Cannot {
        what: format!("use the snapshots in {}", shelf.display()),
        why,
    }
}

/// Opens what has the name of a shelf, if it is a folder; with who owns it and its mode.
fn open_folder(shelf: &Path) -> Result<(OwnedFd, rustix::fs::Stat)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match rustix::fs::openat(CWD, shelf, flags, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::LOOP | Errno::NOTDIR) => {
            let why = "it is no folder but a link or a file, which coffer never makes: move it away, then try again";
            return Err(distrust(shelf, why.into()));
        }
        Err(error) => return Err(errno("open", shelf)(error)),
    };
    let about = rustix::fs::fstat(&folder).map_err(errno("look at", shelf))?;
    Ok((folder, about))
}

/// Makes a shelf that was made just now one for its owner alone, if it is still that one.
pub(super) fn close_to_others(shelf: &Path) -> Result<()> {
    let (folder, about) = open_folder(shelf)?;
    if about.st_uid != rustix::process::geteuid().as_raw() {
        return open(shelf).map(drop);
    }
    rustix::fs::fchmod(&folder, Mode::from_raw_mode(0o700)).map_err(errno("set the mode of", shelf))
}

/// Opens a shelf, if it may be believed.
pub(super) fn open(shelf: &Path) -> Result<OwnedFd> {
    let (folder, about) = open_folder(shelf)?;
    let own = rustix::process::geteuid().as_raw();
    if about.st_uid != own && about.st_uid != 0 {
        let trust = match is_root() {
            true => format!(
                "or, if you trust what is in it, make it root's (chown root: {})",
                shelf.display()
            ),
            false => "or have it moved away".into(),
        };
        return Err(distrust(
            shelf,
            format!(
                "it belongs to another user (number {}), who could have put anything there: work as that user, {trust}",
                about.st_uid
            ),
        ));
    }
    if about.st_mode & 0o022 != 0 {
        return Err(distrust(
            shelf,
            format!(
                "others may write to it: if you trust what is in it, take that from them (chmod go-w {})",
                shelf.display()
            ),
        ));
    }
    Ok(folder)
}

/// A path to an open folder, also for programs that are started: what is done by it is done to that folder and no other.
pub(super) fn path_of(folder: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), folder.as_raw_fd()))
}

/// Whether there is a real folder of this name: no link to one.
pub(super) fn is_folder(path: &Path) -> bool {
    rustix::fs::lstat(path).is_ok_and(|about| FileType::from_raw_mode(about.st_mode) == FileType::Directory)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_a_folder_of_ones_own_is_believed() {
        let place = tempfile::tempdir().unwrap();
        let shelf = place.path().join(".coffer-snapshots");
        let said = || open(&shelf).unwrap_err().to_string();
        assert!(matches!(open(&shelf), Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound));
        std::os::unix::fs::symlink("/etc", &shelf).unwrap();
        assert!(said().contains("no folder but a link"), "{}", said());
        std::fs::remove_file(&shelf).unwrap();
        std::fs::create_dir(&shelf).unwrap();
        std::fs::set_permissions(&shelf, std::fs::Permissions::from_mode(0o770)).unwrap();
        assert!(said().contains("others may write to it"), "{}", said());
        close_to_others(&shelf).unwrap();
        assert_eq!(shelf.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        std::fs::set_permissions(&shelf, std::fs::Permissions::from_mode(0o755)).unwrap();
        let open_now = open(&shelf).unwrap();
        // By the path of what was opened it stays the same folder, whatever takes its place.
        std::fs::write(shelf.join("a"), "x").unwrap();
        std::fs::rename(&shelf, place.path().join("moved")).unwrap();
        std::os::unix::fs::symlink("/etc", &shelf).unwrap();
        assert!(path_of(&open_now).join("a").exists());
        if is_root() {
            std::os::unix::fs::chown(place.path().join("moved"), Some(65_534), None).unwrap();
            let moved = close_to_others(&place.path().join("moved")).unwrap_err().to_string();
            assert!(
                moved.contains("number 65534") && moved.contains("chown root:"),
                "{moved}"
            );
        }
    }
}

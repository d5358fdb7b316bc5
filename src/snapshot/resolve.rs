//! What a user writes as a target → the target, and what keeps snapshots of it; or why nothing does.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::btrfs::subvolume::{is_btrfs, is_root_of_subvolume};
use super::shelf::is_shelved;
use super::system::io_error;
use super::{Error, Kind, Result, Target, mounts};

/// The first bytes of a qcow2 image.
const QCOW2: &[u8; 4] = b"QFI\xfb";

/// Resolves what a user wrote. `machines` are the names in the config; `path` is the text as an absolute path.
pub fn resolve(text: &str, path: &Path, machines: &[String]) -> Result<Target> {
    let unable = |why: String| Error::Unable {
        target: text.to_owned(),
        why,
    };
    if let Some(volume) = text.strip_prefix("ebs:") {
        return match volume.is_empty() {
            true => Err(unable("name the volume: ebs:vol-0123456789abcdef0".into())),
            false => Ok(Target::Ebs(volume.to_owned())),
        };
    }
    if machines.iter().any(|name| name == text) {
        return Ok(Target::Machine(text.to_owned()));
    }
    let path = match path.canonicalize() {
        Ok(path) => path,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !text.contains('/') => {
            let known = match machines {
                [] => "the config names no machine (coffer machine add)".to_owned(),
                some => format!("the config has: {}", some.join(", ")),
            };
            return Err(unable(format!(
                "there is no such file or folder, and no such machine; {known} (a folder that is gone is named by its whole path)"
            )));
        }
        // A folder that is gone can still have snapshots.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Target::Folder(gone(path))),
        Err(error) => return Err(io_error("find", path)(error)),
    };
    if path.is_dir() {
        return Ok(Target::Folder(path));
    }
    let mut start = [0; 4];
    let read = std::fs::File::open(&path).and_then(|mut file| file.read_exact(&mut start));
    match read {
        Ok(()) if start == *QCOW2 => Ok(Target::Image(path)),
        Ok(()) => Err(unable(
            "it is a file, and no qcow2 image: name the folder or subvolume it lies in, or back it up (coffer backup)"
                .into(),
        )),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(unable(
            "it is a file, and no qcow2 image: name the folder or subvolume it lies in".into(),
        )),
        Err(error) => Err(io_error("read", &path)(error)),
    }
}

/// What a path that is not there was called, as far as what is above it is there.
fn gone(path: &Path) -> PathBuf {
    let above = path.parent().and_then(|above| above.canonicalize().ok());
    match (above, path.file_name()) {
        (Some(above), Some(name)) => above.join(name),
        _ => path.to_path_buf(),
    }
}

/// What keeps the snapshots of a target.
pub fn kind_of(target: &Target) -> Result<Kind> {
    match target {
        Target::Image(_) => Ok(Kind::Qcow2),
        Target::Machine(_) => Ok(Kind::Qemu),
        Target::Ebs(_) => Ok(Kind::Ebs),
        Target::Folder(path) => kind_of_folder(path).map_err(|why| Error::Unable {
            target: target.to_string(),
            why,
        }),
    }
}

fn kind_of_folder(path: &Path) -> Result<Kind, String> {
    if !path.is_dir() {
        return Err("there is no such folder".into());
    }
    if is_shelved(path) {
        return Err("it lies among snapshots; clone one to work with it: coffer snapshot clone".into());
    }
    if is_root_of_subvolume(path) {
        return Ok(Kind::Btrfs);
    }
    let all = mounts::all();
    let kind = mounts::of(&all, path)
        .map(|mount| mount.kind.clone())
        .unwrap_or_default();
    match kind.as_str() {
        _ if is_btrfs(path) => Ok(Kind::Reflink),
        "xfs" | "bcachefs" | "ocfs2" => Ok(Kind::Reflink),
        "" => Err("its filesystem is not known".into()),
        kind => Err(format!(
            "{kind} keeps no snapshots: btrfs does, and XFS and btrfs can copy a folder by sharing its blocks; a folder here \
             can only be backed up (coffer backup)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_told_by_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::write(root.join("disk"), b"QFI\xfb\0\0\0\x03").unwrap();
        std::fs::write(root.join("note"), b"hello").unwrap();
        std::fs::create_dir(root.join("web")).unwrap();
        let machines = ["web".to_owned()];
        let of = |text: &str| resolve(text, &root.join(text), &machines).map_err(|error| error.to_string());
        assert_eq!(
            of("web"),
            Ok(Target::Machine("web".into())),
            "a machine's name comes first"
        );
        assert_eq!(of("./web"), Ok(Target::Folder(root.join("web"))));
        assert_eq!(of("disk"), Ok(Target::Image(root.join("disk"))));
        assert_eq!(of("ebs:vol-1"), Ok(Target::Ebs("vol-1".into())));
        assert!(of("ebs:").unwrap_err().contains("name the volume"));
        assert_eq!(of("./gone"), Ok(Target::Folder(root.join("gone"))));
        assert!(of("note").unwrap_err().contains("no qcow2 image"));
        assert!(of("wbe").unwrap_err().contains("no such machine; the config has: web"));
    }

    #[test]
    fn a_filesystem_without_snapshots_says_which_have_them() {
        let said = kind_of(&Target::Folder("/proc".into())).unwrap_err().to_string();
        assert!(said.contains("proc keeps no snapshots: btrfs does"), "{said}");
        let within = Target::Folder("/proc/.coffer-snapshots".into());
        assert!(kind_of(&within).is_err());
    }
}

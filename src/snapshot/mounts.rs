//! What is mounted where, as `/proc/self/mountinfo` tells (its format is in proc(5)).

use std::collections::HashSet;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Major and minor number of the filesystem: the same for all mounts of one.
    pub device: String,
    /// Which folder of the filesystem is mounted.
    pub root: PathBuf,
    /// Where.
    pub point: PathBuf,
    /// Options of this mount.
    pub options: String,
    /// The filesystem's kind: `btrfs`.
    pub kind: String,
    /// The device or what stands for it.
    pub source: OsString,
    /// Options of the filesystem.
    pub super_options: String,
}

/// All mounts, later ones above earlier ones.
pub(super) fn all() -> Vec<Mount> {
    let text = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    parse(&text)
}

fn parse(text: &[u8]) -> Vec<Mount> {
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

fn line(line: &[u8]) -> Option<Mount> {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let dash = words.iter().position(|word| *word == b"-")?;
    let text = |n: usize| words.get(n).map(|word| String::from_utf8_lossy(word).into_owned());
    let raw = |n: usize| words.get(n).map(|word| OsString::from_vec(unescape(word)));
    Some(Mount {
        device: text(2)?,
        root: raw(3)?.into(),
        point: raw(4)?.into(),
        options: text(5)?,
        kind: text(dash + 1)?,
        source: raw(dash + 2)?,
        super_options: text(dash + 3).unwrap_or_default(),
    })
}

/// Undoes the octal escapes of blanks, newlines and backslashes.
pub(super) fn unescape(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    while let [first, tail @ ..] = rest {
        match tail {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] if *first == b'\\' => {
                out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// The mount namespace of a process by its folder in `/proc`, if that can be seen.
pub(super) fn namespace(process: &Path) -> Option<PathBuf> {
    std::fs::read_link(process.join("ns/mnt")).ok()
}

/// What is mounted for the processes of another mount namespace.
#[derive(Debug)]
pub(super) struct Others {
    /// Which one.
    pub namespace: PathBuf,
    /// One of its processes.
    pub pid: u32,
    /// Its mounts.
    pub mounts: Vec<Mount>,
}

/// All mount namespaces but this process's own that can be seen: containers have their own.
pub(super) fn of_others() -> Vec<Others> {
    let mut known: HashSet<PathBuf> = namespace(Path::new("/proc/self")).into_iter().collect();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let (Some(pid), Some(namespace)) = (pid, namespace(&entry.path()))
            && !known.contains(&namespace)
            && let Ok(text) = std::fs::read(entry.path().join("mountinfo"))
        {
            known.insert(namespace.clone());
            let mounts = parse(&text);
            found.push(Others { namespace, pid, mounts });
        }
    }
    found
}

/// A file or folder, by where it is on its filesystem: other mounts may show the same by other names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spot {
    device: String,
    inner: PathBuf,
}

impl Spot {
    /// Where a path is, by this process's mounts.
    pub fn of(mounts: &[Mount], path: &Path) -> Option<Spot> {
        let over = of(mounts, path)?;
        Some(Spot {
            device: over.device.clone(),
            inner: join(&over.root, path.strip_prefix(&over.point).ok()?),
        })
    }

    /// Whether a mount begins there or within.
    pub fn is_root_of(&self, mount: &Mount) -> bool {
        mount.device == self.device && mount.root.starts_with(&self.inner)
    }

    /// What it, or what of it is there, is called by some mounts.
    pub fn names(&self, mounts: &[Mount]) -> Vec<PathBuf> {
        let name = |mount: &Mount| match self.inner.strip_prefix(&mount.root) {
            Ok(below) if mount.device == self.device => Some(join(&mount.point, below)),
            _ => self.is_root_of(mount).then(|| mount.point.clone()),
        };
        mounts.iter().filter_map(name).collect()
    }
}

/// Without a slash at the end, which would make a file a folder.
fn join(folder: &Path, below: &Path) -> PathBuf {
    match below.as_os_str().is_empty() {
        true => folder.to_path_buf(),
        false => folder.join(below),
    }
}

/// The mount that a path is on: the deepest one above it, the last one of those at the same point.
pub(super) fn of<'a>(mounts: &'a [Mount], path: &Path) -> Option<&'a Mount> {
    let above = mounts.iter().filter(|mount| path.starts_with(&mount.point));
    above.max_by_key(|mount| mount.point.as_os_str().as_bytes().len())
}

/// Whether what lies at a path comes over a network.
pub fn is_remote(path: &Path) -> bool {
    let all = all();
    let Some(mount) = of(&all, path) else { return false };
    let kinds = [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "ceph",
        "fuse.sshfs",
        "fuse.rclone",
        "fuse.s3fs",
        "9p",
        "afs",
        "davfs",
    ];
    kinds.contains(&mount.kind.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_blanks_are_read_and_the_topmost_mount_counts() {
        let text = b"27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
            43 27 0:39 /@ho\\134me /mnt/a\\040b\\012c rw,noatime - btrfs /dev/loop0 rw,subvolid=256,subvol=/@ho\\134me\n\
            44 43 0:40 / /mnt/a\\040b\\012c rw - tmpfs none rw\n\
            broken\n";
        let mounts = parse(text);
        assert_eq!(mounts.len(), 3);
        assert_eq!(mounts[1].root, Path::new("/@ho\\me"));
        assert_eq!(mounts[1].point, Path::new("/mnt/a b\nc"));
        assert_eq!(mounts[1].super_options, "rw,subvolid=256,subvol=/@ho\\134me");
        let kind = |path: &str| of(&mounts, Path::new(path)).map(|mount| mount.kind.as_str());
        assert_eq!(kind("/mnt/a b\nc/x"), Some("tmpfs"));
        assert_eq!(kind("/mnt/a b"), Some("ext4"));
    }

    #[test]
    fn a_folder_has_a_name_by_each_mount_that_shows_it() {
        let ours = parse(b"1 0 7:0 / /x rw - xfs /dev/loop0 rw\n2 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
        let web = Spot::of(&ours, Path::new("/x/web")).unwrap();
        let others = parse(
            b"1 0 7:0 / /all rw - xfs /dev/loop0 rw\n\
            2 0 7:0 /web /srv rw - xfs /dev/loop0 rw\n\
            3 0 7:0 /web/log /log rw - xfs /dev/loop0 rw\n\
            4 0 7:0 /website /other rw - xfs /dev/loop0 rw\n\
            5 0 8:1 /web /else rw - ext4 /dev/sda1 rw\n",
        );
        assert_eq!(web.names(&others), ["/all/web", "/srv", "/log"].map(PathBuf::from));
        let begin: Vec<bool> = others.iter().map(|mount| web.is_root_of(mount)).collect();
        assert_eq!(begin, [false, true, true, false, false]);
        assert_eq!(
            Spot::of(&ours, Path::new("/x")).unwrap().names(&ours),
            [Path::new("/x")]
        );
    }
}

//! Which processes write to a target now, and which keep it in use: by what `/proc` tells of each process; and what the
//! kernel itself has open there, loop devices and swap files, which no process does.
//!
//! Without root the files of other users' processes cannot be seen; [`Seen::all`] says whether any were hidden.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::mounts::{self, Mount, Spot, unescape};
use super::{Writer, databases};

/// How many paths of each process are told.
const PATHS: usize = 5;

/// Where it is looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The folder or file.
    pub path: PathBuf,
    /// The number of the filesystem, where it is that of the target and nothing else (a btrfs subvolume): then names do
    /// not count, since others may see the same files by other names.
    pub device: Option<u64>,
    /// What it is called, and what of it that is mounted elsewhere.
    names: Vec<PathBuf>,
    spot: Option<Spot>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// Those that can write there through what they hold open.
    pub writers: Vec<Writer>,
    /// Those that have anything of it open, mapped, as their folder or as their root; the writers among them.
    pub holders: Vec<Writer>,
    /// Whether the files of every process could be seen.
    pub all: bool,
}

impl Place {
    /// A folder or file by its name, and by those that other mounts give it.
    pub fn named(path: &Path) -> Place {
        let mounts = mounts::all();
        let place = Place {
            path: path.to_path_buf(),
            device: None,
            names: vec![path.to_path_buf()],
            spot: Spot::of(&mounts, path),
        };
        place.seen_through(&mounts)
    }

    /// The same where a process has these mounts too.
    fn seen_through(mut self, mounts: &[Mount]) -> Place {
        self.names.extend(self.spot.iter().flat_map(|spot| spot.names(mounts)));
        self
    }

    /// The root of a filesystem of its own.
    pub fn filesystem(path: &Path) -> Place {
        let about = path.symlink_metadata();
        Place {
            path: path.to_path_buf(),
            device: about.ok().map(|about| about.dev()),
            names: vec![path.to_path_buf()],
            spot: None,
        }
    }

    fn holds_name(&self, name: &Path) -> bool {
        let bytes = name.as_os_str().as_bytes();
        let name = bytes.strip_suffix(b" (deleted)").unwrap_or(bytes);
        let name = Path::new(std::ffi::OsStr::from_bytes(name));
        self.names.iter().any(|own| name.starts_with(own))
    }

    /// Whether a file of this name is in this place.
    fn has(&self, file: &Path) -> bool {
        match self.device {
            Some(device) => std::fs::metadata(file).is_ok_and(|about| about.dev() == device),
            None => self.holds_name(file),
        }
    }

    /// Whether an open file, by its link in `/proc`, is in this place; what it is called.
    fn holds(&self, link: &Path) -> Option<PathBuf> {
        let name = std::fs::read_link(link).ok()?;
        match self.device {
            Some(device) => (std::fs::metadata(link).ok()?.dev() == device).then_some(name),
            None => self.holds_name(&name).then_some(name),
        }
    }
}

/// The SQLite databases of a place that any process has open.
pub(super) fn sqlite_files(place: &Place) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        for fd in std::fs::read_dir(entry.path().join("fd"))
            .into_iter()
            .flatten()
            .flatten()
        {
            files.extend(place.holds(&fd.path()).filter(|file| databases::is_sqlite(file)));
        }
    }
    files
}

/// Looks at every process but this one.
pub(super) fn seen(place: &Place) -> Seen {
    let mut seen = Seen {
        all: true,
        ..Seen::default()
    };
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Seen::default();
    };
    let own = std::process::id();
    let others = mounts::of_others().into_iter();
    let elsewhere: HashMap<PathBuf, Place> = others
        .map(|others| (others.namespace, place.clone().seen_through(&others.mounts)))
        .collect();
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if pid != own {
            let namespace = mounts::namespace(&entry.path());
            let place = namespace
                .and_then(|namespace| elsewhere.get(&namespace))
                .unwrap_or(place);
            process(pid, &entry.path(), place, &mut seen);
        }
    }
    let swaps = std::fs::read("/proc/swaps").unwrap_or_default();
    kernel(place, Path::new("/sys/block"), &swaps, &mut seen);
    seen
}

/// What the kernel has open: the files behind loop devices, by the folder of all block devices, and swap files, by the
/// text of `/proc/swaps`.
fn kernel(place: &Place, devices: &Path, swaps: &[u8], seen: &mut Seen) {
    let mut found = |name: String, file: PathBuf, writes: bool| {
        if !place.has(&file) {
            return;
        }
        let writer = Writer {
            pid: Writer::KERNEL,
            name,
            database: None,
            files: vec![file],
        };
        if writes {
            seen.writers.push(writer.clone());
        }
        seen.holders.push(writer);
    };
    for device in std::fs::read_dir(devices).into_iter().flatten().flatten() {
        if let Ok(file) = std::fs::read(device.path().join("loop/backing_file")) {
            let file = file.strip_suffix(b"\n").unwrap_or(&file);
            let only_read = std::fs::read(device.path().join("ro")).is_ok_and(|text| text.starts_with(b"1"));
            let name = format!("the loop device /dev/{}", device.file_name().display());
            found(name, std::ffi::OsStr::from_bytes(file).into(), !only_read);
        }
    }
    for line in swaps.split(|byte| *byte == b'\n').skip(1) {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        if let (Some(file), Some(b"file")) = (words.next(), words.next()) {
            let file = std::ffi::OsString::from_vec(unescape(file));
            found("the swap file".into(), file.into(), true);
        }
    }
}

fn process(pid: u32, folder: &Path, place: &Place, seen: &mut Seen) {
    let mut files = Vec::new();
    let mut written = BTreeSet::new();
    for link in ["cwd", "root", "exe"] {
        files.extend(place.holds(&folder.join(link)));
    }
    match std::fs::read_dir(folder.join("fd")) {
        Ok(open) => {
            for fd in open.flatten() {
                let Some(name) = place.holds(&fd.path()) else { continue };
                if opened_for_writing(&folder.join("fdinfo").join(fd.file_name())) {
                    written.insert(name.clone());
                }
                files.push(name);
            }
        }
        // It may have ended; what is refused belongs to others.
        Err(error) => seen.all &= error.kind() != std::io::ErrorKind::PermissionDenied,
    }
    let maps = std::fs::read(folder.join("maps")).unwrap_or_default();
    for (name, writes) in mapped(&maps) {
        if place.holds_name(&name) {
            if writes {
                written.insert(name.clone());
            }
            files.push(name);
        }
    }
    if files.is_empty() {
        return;
    }
    let name = std::fs::read_to_string(folder.join("comm")).unwrap_or_default();
    let name = name.trim_end().to_owned();
    let writer = |files: Vec<PathBuf>| {
        let distinct: BTreeSet<PathBuf> = files.into_iter().collect();
        Writer {
            pid,
            database: databases::of(&name, distinct.iter().map(PathBuf::as_path)).map(|kind| kind.name().to_owned()),
            name: name.clone(),
            files: distinct.into_iter().take(PATHS).collect(),
        }
    };
    // A database may have nothing open at the moment and write the next one.
    if written.is_empty() && databases::of(&name, std::iter::empty()).is_some() {
        written.extend(files.iter().cloned());
    }
    if !written.is_empty() {
        seen.writers.push(writer(written.into_iter().collect()));
    }
    seen.holders.push(writer(files));
}

/// Whether `fdinfo` says that a file was opened for writing: the low two bits of its octal flags.
fn opened_for_writing(info: &Path) -> bool {
    let text = std::fs::read_to_string(info).unwrap_or_default();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & 3 != 0 && flags & O_PATH == 0)
}

/// A handle that cannot be read or written through (Linux, all architectures Coffer is built for).
const O_PATH: u64 = 0o1000_0000;

/// The files a process has mapped, and whether writing to that memory writes to them.
fn mapped(maps: &[u8]) -> Vec<(PathBuf, bool)> {
    let mut found: Vec<(PathBuf, bool)> = Vec::new();
    for line in maps.split(|byte| *byte == b'\n') {
        // address perms offset device inode, blanks, name
        let mut words = line.splitn(6, |byte| *byte == b' ');
        let permissions = words.nth(1).unwrap_or_default();
        let name = words.nth(3).unwrap_or_default().trim_ascii_start();
        if name.starts_with(b"/") {
            let path = PathBuf::from(std::ffi::OsStr::from_bytes(name));
            let writes = permissions.get(1) == Some(&b'w') && permissions.get(3) == Some(&b's');
            match found.last_mut() {
                Some((last, wrote)) if *last == path => *wrote |= writes,
                _ => found.push((path, writes)),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_files_are_read_with_their_names() {
        let maps = b"7f00-7f01 rw-s 00000000 00:27 257                     /srv/a b\n\
            7f01-7f02 r--s 00000000 00:27 258                     /srv/c\n\
            7f02-7f03 rw-p 00000000 00:27 259                     /srv/lib\n\
            7f03-7f04 rw-p 00000000 00:00 0                       [heap]\n\
            7f04-7f05 rw-p 00000000 00:00 0 \n";
        let found = mapped(maps);
        let told: Vec<(&str, bool)> = found
            .iter()
            .map(|(path, writes)| (path.to_str().unwrap(), *writes))
            .collect();
        assert_eq!(told, [("/srv/a b", true), ("/srv/c", false), ("/srv/lib", false)]);
    }

    #[test]
    fn what_the_kernel_has_open_counts_too() {
        let folder = tempfile::tempdir().unwrap();
        let device = |name: &str, file: &str, read_only: &str| {
            let device = folder.path().join(name);
            std::fs::create_dir_all(device.join("loop")).unwrap();
            std::fs::write(device.join("loop/backing_file"), format!("{file}\n")).unwrap();
            std::fs::write(device.join("ro"), read_only).unwrap();
        };
        device("loop0", "/srv/a disk", "0\n");
        device("loop1", "/srv/cd", "1\n");
        device("loop2", "/other/disk", "0\n");
        std::fs::create_dir(folder.path().join("vda")).unwrap();
        let swaps =
            b"Filename\tType\tSize\tUsed\tPriority\n/srv/s\\040w   file  1  0  -2\n/dev/vda2  partition 1 0 -3\n";
        let mut seen = Seen::default();
        kernel(&Place::named(Path::new("/srv")), folder.path(), swaps, &mut seen);
        let told = |all: &[Writer]| {
            let told = all.iter().map(|one| format!("{one}: {}", one.files[0].display()));
            told.collect::<BTreeSet<String>>()
        };
        let writers = ["the loop device /dev/loop0: /srv/a disk", "the swap file: /srv/s w"].map(str::to_owned);
        assert_eq!(told(&seen.writers), BTreeSet::from(writers.clone()));
        let mut holders = BTreeSet::from(writers);
        holders.insert("the loop device /dev/loop1: /srv/cd".into());
        assert_eq!(told(&seen.holders), holders);
    }

    #[test]
    fn who_writes_and_who_only_looks_is_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        std::fs::write(path.join("read"), "x").unwrap();
        let child = |command: &str| {
            let mut child = std::process::Command::new("sh")
                .args(["-c", command])
                .current_dir("/")
                .env("P", &path)
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            // It says when it has opened what it opens.
            let mut said = [0; 1];
            std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut said).unwrap();
            child
        };
        let mut writer = child("exec 3>\"$P/written\"; echo x; read _");
        let mut reader = child("exec 3<\"$P/read\"; echo x; read _");
        let seen = seen(&Place::named(&path));
        let pids = |of: &[Writer]| of.iter().map(|one| one.pid).collect::<BTreeSet<u32>>();
        assert_eq!(pids(&seen.writers), BTreeSet::from([writer.id()]));
        assert_eq!(pids(&seen.holders), BTreeSet::from([writer.id(), reader.id()]));
        assert_eq!(seen.writers[0].files, [path.join("written")]);
        for child in [&mut writer, &mut reader] {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }
}

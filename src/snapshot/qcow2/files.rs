//! The files in a snapshot of disks: each disk is shown as a file by QEMU's own programs, and its filesystems are mounted
//! from that, read-only.
//!
//! ```text
//! image ── qemu-nbd: the snapshot, read-only ── qemu-storage-daemon: an overlay for what the filesystem's journal has yet
//! to put right, thrown away afterwards ── FUSE: a file ── loop device ── mount
//! ```
//!
//! So the image is never written to, a machine may have it open, and what is seen is what the machine would see if it were
//! started from the snapshot. Mounting needs root. All of it goes when it is dropped; what a process that died left is put
//! right by the next one.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::mount::UnmountFlags;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::image::{Internal, QEMU_IMG};
use super::partitions::{Holds, Part, parts};
use crate::snapshot::shelf::path_text;
use crate::snapshot::system::{Program, io_error, is_root};
use crate::snapshot::{Error, Files, Reading, Result, SnapshotId, mounts};

const WHAT: &str = "looking into images";
const NBD: Program = Program {
    name: "qemu-nbd",
    package: "qemu-utils",
    what: WHAT,
};
const DAEMON: Program = Program {
    name: "qemu-storage-daemon",
    package: "qemu-utils",
    what: WHAT,
};
const LOSETUP: Program = Program {
    name: "losetup",
    package: "mount",
    what: WHAT,
};
const MOUNT: Program = Program {
    name: "mount",
    package: "mount",
    what: WHAT,
};

/// How long QEMU's programs may take to end.
const END: Duration = Duration::from_secs(10);

/// A disk of which a snapshot is looked into.
#[derive(Debug, Clone)]
pub(in crate::snapshot) struct Looked<'a> {
    /// The image.
    pub image: &'a Path,
    /// The snapshot.
    pub part: &'a Internal,
    /// The disk's size, bytes.
    pub size: u64,
}

/// What is mounted, until it is dropped.
#[derive(Debug)]
struct Opened {
    folder: PathBuf,
    root: PathBuf,
    /// Goes last, when nothing is mounted any more.
    #[allow(dead_code)]
    reading: Option<Reading>,
}

impl Files for Opened {
    fn root(&self) -> PathBuf {
        self.root.clone()
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        take_down(&self.folder);
    }
}

/// Opens the files in a snapshot of some disks. With one filesystem its root is theirs; else each stands in a folder of its
/// own, named by image and partition. `scratch` is a folder of ours; `reading` keeps the snapshot there.
pub(in crate::snapshot) fn open(
    what: &str,
    disks: &[Looked],
    scratch: &Path,
    reading: Option<Reading>,
) -> Result<Box<dyn Files>> {
    if !is_root() {
        return Err(Error::Rights {
            what: format!("looking into the disks of {what}"),
            help: "they are mounted for that: run it with sudo, or make an image of it (coffer snapshot clone)".into(),
        });
    }
    let scratch = scratch.join("mounted");
    sweep(&scratch);
    let folder = scratch.join(format!("{}-{}", std::process::id(), SnapshotId::random()?));
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(io_error("create", &folder))?;
    let folder = folder.canonicalize().map_err(io_error("find", &folder))?;
    let opened = Opened {
        root: folder.join("files"),
        folder,
        reading,
    };
    std::fs::create_dir(&opened.root).map_err(io_error("create", &opened.root))?;
    let mut found = Vec::new();
    for (n, disk) in disks.iter().enumerate() {
        let file = show(&opened.folder.join(n.to_string()), disk)?;
        let open = File::open(&file).map_err(io_error("open", &file))?;
        let size = open.metadata().map_err(io_error("look at", &file))?.size();
        let all = parts(&open, size).map_err(io_error("read", &file))?;
        found.extend(all.into_iter().map(|part| (disk, file.clone(), part)));
    }
    let mountable = |part: &Part| matches!(part.holds, Holds::Filesystem(..));
    let count = found.iter().filter(|(_, _, part)| mountable(part)).count();
    if count == 0 {
        return Err(Error::NoFiles {
            what: what.to_owned(),
            why: nothing(&found),
        });
    }
    for (disk, file, part) in &found {
        let Holds::Filesystem(kind, options) = part.holds else {
            continue;
        };
        let at = match count {
            1 => opened.root.clone(),
            _ => {
                let at = opened.root.join(name(&opened.root, disk.image, part.number));
                std::fs::create_dir(&at).map_err(io_error("create", &at))?;
                at
            }
        };
        mount(file, part, kind, options, &at)?;
    }
    Ok(Box::new(opened))
}

/// Why there is nothing to look at.
fn nothing(found: &[(&Looked, PathBuf, Part)]) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for (disk, _, part) in found {
        let place = match part.number {
            0 => disk.image.display().to_string(),
            number => format!("partition {number} of {}", disk.image.display()),
        };
        reasons.push(match part.holds {
            Holds::Other(what) => format!("{place} holds {what}"),
            _ => format!("{place} holds no filesystem that is known"),
        });
    }
    match reasons.is_empty() {
        true => "there are no partitions on it".into(),
        false => reasons.join("; "),
    }
}

/// The folder of one filesystem among several.
fn name(within: &Path, image: &Path, partition: usize) -> OsString {
    let stem = image.file_stem().unwrap_or_default();
    let mut name = stem.to_owned();
    if partition > 0 {
        name.push(format!("-{partition}"));
    }
    let mut again = 2;
    while within.join(&name).exists() {
        name = stem.to_owned();
        name.push(format!("-{partition}-{again}"));
        again += 1;
    }
    name
}

/// Shows a disk as a file in a new folder; that file.
fn show(folder: &Path, disk: &Looked) -> Result<PathBuf> {
    std::fs::create_dir(folder).map_err(io_error("create", folder))?;
    let path = |name: &str| folder.join(name);
    let (socket, overlay, file) = (path("nbd"), path("overlay"), path("disk"));
    // In this list of options a comma within a value is written twice.
    let mut options = OsString::from("driver=qcow2,force-share=on,file.driver=file,file.filename=");
    for piece in disk.image.as_os_str().as_bytes().split_inclusive(|byte| *byte == b',') {
        options.push(OsStr::from_bytes(piece));
        if piece.ends_with(b",") {
            options.push(",");
        }
    }
    let chosen = format!("snapshot.id={}", disk.part.id);
    let pid = path("nbd.pid");
    let words = ["--fork", "--read-only", "--load-snapshot", &chosen, "--image-opts"].map(OsStr::new);
    let mut arguments = words.to_vec();
    arguments.extend([
        OsStr::new("--pid-file"),
        pid.as_os_str(),
        OsStr::new("--socket"),
        socket.as_os_str(),
    ]);
    arguments.push(&options);
    NBD.run(&arguments, "")?;
    let size = disk.size.to_string();
    let create = ["create", "-q", "-f", "qcow2"].map(OsStr::new);
    QEMU_IMG.run(&[&create[..], &[overlay.as_os_str(), OsStr::new(&size)]].concat(), "")?;
    File::create(&file).map_err(io_error("create", &file))?;
    let server = json!({ "type": "unix", "path": path_text(&socket) });
    let below = json!({ "driver": "nbd", "node-name": "snapshot", "read-only": true, "server": server }).to_string();
    let over = json!({ "driver": "file", "filename": path_text(&overlay) });
    let above = json!({ "driver": "qcow2", "node-name": "disk", "file": over, "backing": "snapshot" }).to_string();
    let export = json!({
        "type": "fuse", "id": "disk", "node-name": "disk", "mountpoint": path_text(&file), "writable": true,
        "allow-other": "off",
    });
    let export = export.to_string();
    let pid = path("daemon.pid");
    let mut arguments = vec![OsStr::new("--daemonize"), OsStr::new("--pidfile"), pid.as_os_str()];
    for (option, value) in [("--blockdev", &below), ("--blockdev", &above), ("--export", &export)] {
        arguments.extend([OsStr::new(option), OsStr::new(value)]);
    }
    DAEMON.run(&arguments, "")?;
    Ok(file)
}

/// Mounts a part of a disk read-only.
fn mount(file: &Path, part: &Part, kind: &str, options: &str, at: &Path) -> Result<()> {
    let (start, length) = (part.start.to_string(), part.length.to_string());
    let words = ["--find", "--show", "--offset", &start, "--sizelimit", &length].map(OsStr::new);
    let output = LOSETUP.run(&[&words[..], &[file.as_os_str()]].concat(), "")?;
    let device = OsStr::from_bytes(output.stdout.trim_ascii_end()).to_owned();
    // The device itself can be written to, or the journal could not be put right.
    let options = format!("ro,nosuid,nodev,noexec{options}");
    let words = ["-t", kind, "-o", &options].map(OsStr::new);
    let mounted = MOUNT.run(&[&words[..], &[&device, at.as_os_str()]].concat(), "");
    // Goes when the last one lets go of it: at once, or with the mount.
    let detached = LOSETUP.run(&[OsStr::new("--detach"), &device], "");
    mounted.and(detached).map(drop)
}

/// Unmounts all below a folder of ours, ends the programs and removes it.
fn take_down(folder: &Path) {
    let unmount = |wanted: &dyn Fn(&mounts::Mount) -> bool| {
        for mount in mounts::all().iter().rev() {
            if mount.point.starts_with(folder) && wanted(mount) {
                let gone = rustix::mount::unmount(&mount.point, UnmountFlags::empty());
                // Still looked at by somebody: out of sight at once, gone when they are.
                let gone = gone.or_else(|_| rustix::mount::unmount(&mount.point, UnmountFlags::DETACH));
                if let Err(error) = gone {
                    tracing::warn!("cannot unmount {}: {error}", mount.point.display());
                }
            }
        }
    };
    unmount(&|mount| !mount.kind.starts_with("fuse"));
    // Of one that died between the two.
    for device in loops(folder) {
        if let Err(error) = LOSETUP.run(&[OsStr::new("--detach"), device.as_os_str()], "") {
            tracing::warn!("{error}");
        }
    }
    let inner = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let inner: Vec<PathBuf> = inner.map(|entry| entry.path()).collect();
    // In this order: the daemon is the other one's client.
    for name in ["daemon.pid", "nbd.pid"] {
        inner.iter().for_each(|disk| end(&disk.join(name)));
    }
    unmount(&|_| true);
    if let Err(error) = std::fs::remove_dir_all(folder) {
        tracing::warn!("cannot remove {}: {error}", folder.display());
    }
}

/// The loop devices of files below a folder.
fn loops(folder: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let on = |entry: &std::fs::DirEntry| {
        let file = std::fs::read(entry.path().join("loop/backing_file")).unwrap_or_default();
        Path::new(OsStr::from_bytes(&file)).starts_with(folder)
    };
    let found = all.filter(on).map(|entry| Path::new("/dev").join(entry.file_name()));
    found.collect()
}

/// Ends the program whose number is in a file, if it is still one of QEMU's.
fn end(file: &Path) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) else {
        return;
    };
    let number = pid.as_raw_nonzero();
    let is_ours = || {
        let name = std::fs::read_to_string(format!("/proc/{number}/comm"));
        name.is_ok_and(|name| name.starts_with("qemu-"))
    };
    if !is_ours() || kill_process(pid, Signal::TERM).is_err() {
        return;
    }
    let until = Instant::now() + END;
    while is_ours() {
        if Instant::now() > until {
            let _ = kill_process(pid, Signal::KILL);
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Takes down what processes that died left.
fn sweep(scratch: &Path) {
    for entry in std::fs::read_dir(scratch).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.split_once('-')).map(|(pid, _)| pid);
        let is_there = |pid: &str| Path::new("/proc").join(pid).join("comm").exists();
        if pid.is_some_and(|pid| pid.parse::<u32>().is_ok() && !is_there(pid)) {
            take_down(&entry.path());
        }
    }
}

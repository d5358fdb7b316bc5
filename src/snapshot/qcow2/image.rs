//! The program `qemu-img` on one image, and what it and QEMU tell of images in the same words.

use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::Duration;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::{Value, json};

use crate::progress::Cancel;
use crate::snapshot::shelf::path_text;
use crate::snapshot::system::{Program, errno, io_error, is_root, said};
use crate::snapshot::writers::{Place, seen};
use crate::snapshot::{Error, Result, SnapshotId};

/// The program.
pub(in crate::snapshot) const QEMU_IMG: Program = Program {
    name: "qemu-img",
    package: "qemu-utils",
    what: "snapshots of images",
};

/// How often a copy is looked after.
const LOOK: Duration = Duration::from_millis(20);

/// A snapshot in an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::snapshot) struct Internal {
    /// qcow2's number of it, as text.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When, seconds since 1970 and nanoseconds.
    pub taken: (i64, u32),
    /// Bytes of RAM and devices in it; 0 for a disk alone.
    pub ram: u64,
}

/// What an image is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::snapshot) struct Info {
    /// `qcow2`, `raw`, …
    pub format: String,
    /// The disk's size, bytes.
    pub virtual_size: u64,
    /// What the file takes, bytes.
    pub actual_size: Option<u64>,
    /// Its snapshots, in the image's order.
    pub snapshots: Vec<Internal>,
    /// The names of its dirty bitmaps.
    pub bitmaps: Vec<String>,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Whether it was found broken.
    pub corrupt: bool,
}

impl Info {
    /// From what `qemu-img info` or QEMU's `query-block` tells.
    pub fn of(value: &Value) -> Info {
        let specific = &value["format-specific"]["data"];
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let snapshot = |one: &Value| Internal {
            id: text(&one["id"]),
            name: text(&one["name"]),
            taken: (
                one["date-sec"].as_i64().unwrap_or(0),
                one["date-nsec"]
                    .as_u64()
                    .and_then(|n| u32::try_from(n).ok())
                    .unwrap_or(0),
            ),
            ram: one["vm-state-size"].as_u64().unwrap_or(0),
        };
        Info {
            format: text(&value["format"]),
            virtual_size: value["virtual-size"].as_u64().unwrap_or(0),
            actual_size: value["actual-size"].as_u64(),
            snapshots: list(&value["snapshots"]).iter().map(snapshot).collect(),
            bitmaps: list(&specific["bitmaps"])
                .iter()
                .map(|one| text(&one["name"]))
                .collect(),
            encrypted: value["encrypted"].as_bool().unwrap_or(false),
            corrupt: specific["corrupt"].as_bool().unwrap_or(false),
        }
    }

    /// Looks at an image. Also at one that a machine has open: what is told then may be a moment old.
    pub fn read(image: &Path) -> Result<Info> {
        let output = run(image, &words(&["info", "-U", "--output=json", "-f", "qcow2"]), &[])?;
        let value: Value = serde_json::from_slice(&output.stdout).map_err(|error| Error::Command {
            command: format!("qemu-img info {}", path_text(image)),
            said: format!("what it printed cannot be read: {error}"),
        })?;
        Ok(Info::of(&value))
    }

    /// The snapshot of this name.
    pub fn named(&self, name: &str) -> Option<&Internal> {
        self.snapshots.iter().find(|one| one.name == name)
    }
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// Runs it on an image, which comes after `before`.
fn run(image: &Path, before: &[OsString], after: &[&OsStr]) -> Result<Output> {
    let mut arguments: Vec<&OsStr> = before.iter().map(OsString::as_os_str).collect();
    arguments.push(image.as_os_str());
    arguments.extend(after);
    let output = QEMU_IMG.output(&arguments)?;
    match output.status.success() {
        true => Ok(output),
        false => Err(failure(image, before, &output)),
    }
}

/// Why it failed.
fn failure(image: &Path, words: &[OsString], output: &Output) -> Error {
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("Failed to get") && text.contains("lock") {
        return busy(image);
    }
    let command: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let command = format!("qemu-img {} {}", command.join(" "), path_text(image));
    match text.contains("Permission denied") || text.contains("Operation not permitted") {
        true => Error::Rights {
            what: command,
            help: "run it with sudo, or as the image's owner".into(),
        },
        false => Error::Command {
            command,
            said: said(output).trim_start_matches("qemu-img: ").to_owned(),
        },
    }
}

/// That others have an image open.
pub(in crate::snapshot) fn busy(image: &Path) -> Error {
    let holders = seen(&Place::named(image)).holders;
    match holders.is_empty() {
        false => Error::Busy {
            what: path_text(image),
            holders,
        },
        true if is_root() => Error::Unable {
            target: path_text(image),
            why: "another program had it open just now: try again".into(),
        },
        true => Error::Unable {
            target: path_text(image),
            why: "another program has it open, which cannot be seen without root (use sudo)".into(),
        },
    }
}

/// Makes a snapshot in an image that nobody has open.
pub(in crate::snapshot) fn create(image: &Path, name: &str) -> Result<()> {
    run(image, &words(&["snapshot", "-c", name]), &[]).map(drop)
}

/// Makes the image's disk what it was in a snapshot.
pub(in crate::snapshot) fn apply(image: &Path, of: &Internal) -> Result<()> {
    run(image, &words(&["snapshot", "-a", &of.id]), &[]).map(drop)
}

/// Deletes a snapshot of ours, which has a name of its own: the program takes no numbers here.
pub(in crate::snapshot) fn delete(image: &Path, of: &Internal) -> Result<()> {
    run(image, &words(&["snapshot", "-d", &of.name]), &[]).map(drop)
}

/// Looks whether the image's tables agree with each other. Space that nothing refers to is no fault.
pub(in crate::snapshot) fn check(image: &Path) -> Result<()> {
    let arguments = words(&["check", "-q", "-f", "qcow2"]);
    let mut all: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    all.push(image.as_os_str());
    let output = QEMU_IMG.output(&all)?;
    match output.status.code() {
        // 3: leaked clusters alone.
        Some(0 | 3) => Ok(()),
        _ => Err(failure(image, &arguments, &output)),
    }
}

/// Ends a program whatever comes.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Copies an image, or what it was in a snapshot, to a new one; also while a machine has it open, which never changes a
/// snapshot.
pub(in crate::snapshot) fn convert(image: &Path, of: &Internal, to: &Path, cancel: &Cancel) -> Result<()> {
    let part = {
        // A name that nobody else has: whatever is there already is not ours.
        let mut name = to.as_os_str().to_owned();
        name.push(format!(".{}.part", SnapshotId::random()?));
        PathBuf::from(name)
    };
    std::fs::File::create_new(&part).map_err(io_error("create", &part))?;
    let made = convert_to(image, of, &part, cancel).and_then(|()| put(&part, to));
    if made.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    made
}

/// Gives a file its name, unless something else has got it meanwhile.
fn put(part: &Path, to: &Path) -> Result<()> {
    let open = std::fs::File::open(part).map_err(io_error("open", part))?;
    open.sync_all().map_err(io_error("write", part))?;
    let renamed = renameat_with(CWD, part, CWD, to, RenameFlags::NOREPLACE);
    match renamed {
        // A filesystem that cannot be told so: a second name is refused where there is one already.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            std::fs::hard_link(part, to).map_err(io_error("make", to))?;
            std::fs::remove_file(part).map_err(io_error("remove", part))
        }
        renamed => renamed.map_err(errno("make", to)),
    }
}

/// Copies into a file that is there.
fn convert_to(image: &Path, of: &Internal, part: &Path, cancel: &Cancel) -> Result<()> {
    let chosen = format!("snapshot.id={}", of.id);
    let arguments = words(&["convert", "-U", "-f", "qcow2", "-O", "qcow2", "-l", &chosen]);
    let mut all: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    all.extend([image.as_os_str(), part.as_os_str()]);
    let child = QEMU_IMG
        .command(&all)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut running = Running(child.map_err(|error| QEMU_IMG.not_started(error))?);
    let made = loop {
        match running.0.try_wait() {
            Ok(Some(_)) => break Ok(()),
            Ok(None) => {}
            Err(error) => break Err(io_error("wait for", Path::new("qemu-img"))(error)),
        }
        if let Err(cancelled) = cancel.check() {
            break Err(cancelled.into());
        }
        std::thread::sleep(LOOK);
    };
    made.and_then(|()| {
        let mut stderr = Vec::new();
        if let Some(mut pipe) = running.0.stderr.take() {
            let _ = std::io::Read::read_to_end(&mut pipe, &mut stderr);
        }
        let output = Output {
            status: running.0.wait().map_err(io_error("wait for", Path::new("qemu-img")))?,
            stdout: Vec::new(),
            stderr,
        };
        match output.status.success() {
            true => Ok(()),
            false => Err(failure(image, &arguments, &output)),
        }
    })
}

/// The ranges of a disk, in order, that a bitmap marks which QEMU shows by NBD. `qemu-img map` tells of what is marked as it
/// tells of holes.
pub(in crate::snapshot) fn changes_by_nbd(socket: &Path, export: &str, bitmap: &str) -> Result<Vec<Range<u64>>> {
    let disk = json!({
        "driver": "nbd",
        "server": { "type": "unix", "path": socket.to_str() },
        "export": export,
        "x-dirty-bitmap": format!("qemu:dirty-bitmap:{bitmap}"),
    });
    let from = format!("json:{disk}");
    let output = run(Path::new(&from), &words(&["map", "--output=json"]), &[])?;
    marked(&output.stdout).ok_or_else(|| Error::Command {
        command: format!("qemu-img map {}", path_text(socket)),
        said: "what it printed cannot be read".into(),
    })
}

/// What `qemu-img map` tells to be holes. It must tell of everything from the beginning on.
fn marked(printed: &[u8]) -> Option<Vec<Range<u64>>> {
    let told: Value = serde_json::from_slice(printed).ok()?;
    let (mut found, mut end) = (Vec::new(), 0);
    for part in told.as_array()? {
        let (start, length) = (part["start"].as_u64()?, part["length"].as_u64()?);
        if start != end {
            return None;
        }
        end = start.checked_add(length)?;
        if !part["data"].as_bool()? {
            found.push(start..end);
        }
    }
    (end > 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_put_where_nothing_is() {
        let folder = tempfile::tempdir().unwrap();
        let (part, to) = (folder.path().join("a.part"), folder.path().join("a"));
        std::fs::write(&part, "new").unwrap();
        std::fs::write(&to, "theirs").unwrap();
        put(&part, &to).unwrap_err();
        assert_eq!(std::fs::read_to_string(&to).unwrap(), "theirs");
        std::fs::remove_file(&to).unwrap();
        put(&part, &to).unwrap();
        assert!(!part.exists() && std::fs::read_to_string(&to).unwrap() == "new");
    }

    #[test]
    fn what_is_marked_is_told_as_holes_and_all_of_the_disk_is_told() {
        let printed = |parts: &[(u64, u64, bool)]| {
            let part =
                |(start, length, data): &(u64, u64, bool)| json!({ "start": start, "length": length, "data": data });
            json!(parts.iter().map(part).collect::<Vec<_>>())
                .to_string()
                .into_bytes()
        };
        let all = printed(&[(0, 10, true), (10, 5, false), (15, 5, true), (20, 7, false)]);
        assert_eq!(marked(&all), Some(vec![10..15, 20..27]));
        assert_eq!(marked(&printed(&[(0, 10, true)])), Some(Vec::new()));
        for wrong in [
            printed(&[]),
            printed(&[(5, 5, true)]),
            printed(&[(0, 5, true), (6, 5, false)]),
        ] {
            assert_eq!(marked(&wrong), None);
        }
        assert_eq!(marked(b"no"), None);
    }

    #[test]
    fn what_an_image_is_is_read_as_far_as_it_is_told() {
        let told = serde_json::json!({
            "format": "qcow2", "virtual-size": 64, "actual-size": 8,
            "snapshots": [{"id": "1", "name": "a,b", "date-sec": 5, "date-nsec": 6, "vm-state-size": 7}],
            "format-specific": {"type": "qcow2", "data": {"bitmaps": [{"name": "daily"}], "corrupt": false}},
        });
        let info = Info::of(&told);
        assert_eq!((info.virtual_size, info.actual_size), (64, Some(8)));
        let snapshot = info.named("a,b").unwrap();
        assert_eq!((snapshot.id.as_str(), snapshot.taken, snapshot.ram), ("1", (5, 6), 7));
        assert_eq!(info.bitmaps, ["daily"]);
        assert_eq!(Info::of(&Value::Null), Info::default());
    }
}

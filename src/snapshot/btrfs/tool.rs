//! The `btrfs` program, for what changes subvolumes and for what it alone tells.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use super::subvolume::Subvolume;
use crate::progress::Cancel;
use crate::snapshot::system::{Program, is_root, said};
use crate::snapshot::{Error, Result, Size};

/// The program.
pub(in crate::snapshot) const BTRFS: Program = Program {
    name: "btrfs",
    package: "btrfs-progs",
    what: "snapshots of btrfs subvolumes",
};

const OWN: &str = "run it with sudo, or as the owner of the subvolume, with a folder beside it that you may write to";
const DELETE: &str =
    "run it with sudo, or mount the filesystem with user_subvol_rm_allowed to let owners delete their subvolumes";

/// Makes an empty subvolume.
pub(super) fn create(path: &Path) -> Result<()> {
    let arguments = [OsStr::new("subvolume"), OsStr::new("create"), path.as_os_str()];
    BTRFS.run(&arguments, OWN).map(drop)
}

/// Makes a snapshot.
pub(super) fn snapshot(of: &Path, to: &Path, read_only: bool) -> Result<()> {
    let mut arguments = vec![OsStr::new("subvolume"), OsStr::new("snapshot")];
    if read_only {
        arguments.push(OsStr::new("-r"));
    }
    arguments.extend([of.as_os_str(), to.as_os_str()]);
    BTRFS.run(&arguments, OWN).map(drop)
}

/// Makes a subvolume one that cannot be written to, or one that can.
pub(super) fn set_read_only(path: &Path, read_only: bool) -> Result<()> {
    let value = if read_only { "true" } else { "false" };
    let words = ["property", "set", "-ts"].map(OsStr::new);
    let mut arguments = words.to_vec();
    arguments.extend([path.as_os_str(), OsStr::new("ro"), OsStr::new(value)]);
    BTRFS.run(&arguments, OWN).map(drop)
}

/// Deletes a subvolume, which must have none within.
pub(super) fn delete(path: &Path) -> Result<()> {
    let arguments = [OsStr::new("subvolume"), OsStr::new("delete"), path.as_os_str()];
    if is_root() {
        return BTRFS.run(&arguments, DELETE).map(drop);
    }
    // Its owner may delete it only while it can be written to.
    let was_read_only = Subvolume::at(path)?.read_only;
    if was_read_only {
        set_read_only(path, false)?;
    }
    let deleted = BTRFS.run(&arguments, DELETE);
    if deleted.is_err() && was_read_only {
        set_read_only(path, true)?;
    }
    deleted.map(drop)
}

/// The number of the subvolume that is mounted where none is named. Needs root.
pub(super) fn default_of(path: &Path) -> Result<u64> {
    let arguments = [OsStr::new("subvolume"), OsStr::new("get-default"), path.as_os_str()];
    let output = BTRFS.run(&arguments, "run it with sudo")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.strip_prefix("ID ").and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).ok_or(Error::Command {
        command: "btrfs subvolume get-default".into(),
        said: text,
    })
}

/// Whether figures of quotas are exact, by what the program complained of: it warns of figures that are out of date, of a
/// count that is still going on, and of quotas that are off by now.
fn is_exact(complaint: &str) -> bool {
    !complaint.to_lowercase().contains("warning")
}

/// What a subvolume takes: by quotas where they are on, else by its extents. The text says how the latter came about.
pub(super) fn size(subvolume: &Subvolume) -> Result<(Size, Option<String>)> {
    let words = ["qgroup", "show", "--raw", "--sync", "-f"].map(OsStr::new);
    let mut arguments = words.to_vec();
    arguments.push(subvolume.path.as_os_str());
    let why = match is_root() {
        false => "what a snapshot takes is counted by its extents: btrfs tells exact figures to root only".to_owned(),
        true => {
            let output = BTRFS.output(&arguments)?;
            let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
            let sizes = qgroup(&String::from_utf8_lossy(&output.stdout), subvolume.id);
            match sizes {
                Some((logical, exclusive)) if is_exact(&complaint) => {
                    let size = Size {
                        logical: Some(logical),
                        exclusive: Some(exclusive),
                        exact: true,
                    };
                    return Ok((size, None));
                }
                Some(_) => format!(
                    "the quotas of this filesystem are out of date or still being counted (btrfs quota rescan -w {} brings them \
                     up to date): what a snapshot takes is counted by its extents",
                    subvolume.path.display()
                ),
                None => format!(
                    "quotas are off (btrfs quota enable {} turns them on, and costs some speed): what a snapshot takes is \
                     counted by its extents, without metadata",
                    subvolume.path.display()
                ),
            }
        }
    };
    let words = ["filesystem", "du", "--raw", "-s"].map(OsStr::new);
    let mut arguments = words.to_vec();
    arguments.push(subvolume.path.as_os_str());
    let output = BTRFS.run(&arguments, "run it with sudo")?;
    let (logical, exclusive) = disk_usage(&String::from_utf8_lossy(&output.stdout)).unzip();
    let size = Size {
        logical,
        exclusive,
        exact: false,
    };
    Ok((size, Some(why)))
}

/// Referenced and exclusive bytes of a subvolume's own group.
fn qgroup(text: &str, id: u64) -> Option<(u64, u64)> {
    let name = format!("0/{id}");
    let mut words = text.lines().map(str::split_whitespace);
    let mut row = words.find_map(|mut words| (words.next() == Some(&name)).then_some(words))?;
    Some((row.next()?.parse().ok()?, row.next()?.parse().ok()?))
}

/// Total and exclusive bytes, from the last line.
fn disk_usage(text: &str) -> Option<(u64, u64)> {
    let mut words = text
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())?
        .split_whitespace();
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}

/// What must be done to turn one snapshot into a later one: distinct paths, as btrfs escapes them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Differences {
    /// Paths from the root, in the order met, the first ones.
    pub paths: Vec<String>,
    /// How many there are.
    pub count: u64,
}

/// More paths are counted, not kept.
const KEPT: usize = 100_000;

/// Lists how `after` differs from `before`, both read-only and of one line of descent. Needs root.
pub(super) fn differences(before: &Path, after: &Path, cancel: &Cancel) -> Result<Differences> {
    let words = ["send", "--quiet", "--no-data", "-p"].map(OsStr::new);
    let mut arguments = words.to_vec();
    arguments.extend([before.as_os_str(), after.as_os_str()]);
    let start = |child: std::io::Result<Child>| child.map_err(|error| BTRFS.not_started(error));
    let mut send = Sending(start(
        BTRFS
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn(),
    )?);
    let stream = send.0.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let dump = ["receive", "--dump"].map(OsStr::new);
    let mut receive = Sending(start(
        BTRFS
            .command(&dump)
            .stdin(stream)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn(),
    )?);
    let mut found = Differences::default();
    let mut last = String::new();
    if let Some(out) = receive.0.stdout.take() {
        for line in BufReader::new(out).lines() {
            cancel.check()?;
            let line = line.unwrap_or_default();
            let Some(path) = changed_path(&line) else { continue };
            // What is done to one entry follows upon each other, mostly.
            if path != last {
                last = path.clone();
                found.count += 1;
                if found.paths.len() < KEPT {
                    found.paths.push(path);
                }
            }
        }
    }
    found.paths.sort_unstable();
    found.paths.dedup();
    if found.count <= KEPT as u64 {
        found.count = found.paths.len() as u64;
    }
    let failed = |child: Sending, what: &str| {
        use std::os::unix::process::ExitStatusExt as _;
        let output = child.into_output()?;
        // Who receives ends at the end of the stream, perhaps before who sends has closed it; what it lacks it complains of.
        let sent = output.status.signal() == Some(libc::SIGPIPE);
        match output.status.success() || sent {
            true => Ok(()),
            false => Err(Error::Command {
                command: what.to_owned(),
                said: said(&output),
            }),
        }
    };
    failed(send, "btrfs send --no-data")?;
    failed(receive, "btrfs receive --dump")?;
    Ok(found)
}

/// A child that is ended and waited for if it is not seen through.
struct Sending(Child);

impl Sending {
    fn into_output(mut self) -> Result<std::process::Output> {
        let mut stderr = Vec::new();
        if let Some(mut from) = self.0.stderr.take() {
            let _ = std::io::Read::read_to_end(&mut from, &mut stderr);
        }
        let status = self.0.wait().map_err(|error| BTRFS.not_started(error))?;
        Ok(std::process::Output {
            status,
            stdout: Vec::new(),
            stderr,
        })
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The path that a line of the dump is about, from the root: `update_extent   ./s2/a   offset=0`. Blanks in names are
/// escaped. Names that are only in use while it is received do not count, nor does the line that begins.
fn changed_path(line: &str) -> Option<String> {
    let (what, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let path = match what {
        "snapshot" | "subvol" => return None,
        "rename" => rest.split_once("dest=")?.1,
        _ => rest,
    };
    let mut end = path.len();
    let mut escaped = false;
    for (at, character) in path.char_indices() {
        if character == ' ' && !escaped {
            end = at;
            break;
        }
        escaped = character == '\\' && !escaped;
    }
    let path = path.get(..end)?.strip_prefix("./")?;
    // The subvolume's own name comes first.
    let inner = path
        .split_once('/')
        .map_or("", |(_, inner)| inner)
        .trim_end_matches('/');
    let first = inner.split('/').next_back().unwrap_or_default();
    let passing = first.starts_with('o')
        && first.matches('-').count() == 2
        && first[1..].bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (!passing).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_prints_is_read() {
        let old = "qgroupid         rfer         excl \n--------         ----         ---- \n0/5             16384        16384 \n0/257          139264        65536 \n";
        let new = "Qgroupid    Referenced    Exclusive   Path \n--------    ----------    ---------   ---- \n0/257           139264        65536   vol/a b\n";
        assert_eq!(qgroup(old, 257), Some((139_264, 65_536)));
        assert_eq!(qgroup(new, 257), Some((139_264, 65_536)));
        assert_eq!(qgroup(new, 25), None);
        assert!(is_exact(""));
        for warning in [
            "WARNING: qgroup data inconsistent, rescan recommended",
            "WARNING: rescan is running, qgroup data may be incorrect",
            "WARNING: quota disabled, qgroup data may be out of date",
        ] {
            assert!(!is_exact(warning), "{warning}");
        }
        let usage = "     Total   Exclusive  Set shared  Filename\n    131072       65536       65536  /m/vol\n";
        assert_eq!(disk_usage(usage), Some((131_072, 65_536)));
    }

    #[test]
    fn changed_paths_are_read_from_a_dump() {
        let paths = [
            "snapshot        ./s2                            uuid=8b35b2f9 transid=12 parent_uuid=1c98 parent_transid=8",
            "update_extent   ./s2/a                          offset=0 len=8",
            "mkdir           ./s2/o258-12-0",
            "rename          ./s2/o258-12-0                  dest=./s2/d",
            "mkfile          ./s2/o259-12-0",
            "rename          ./s2/o259-12-0                  dest=./s2/d/x\\ y\\nz",
            "chmod           ./s2/d/x\\ y\\nz                  mode=644",
            "utimes          ./s2/                           atime=2026-11-29T08:55:21+0000",
        ]
        .map(changed_path);
        let paths: Vec<Option<&str>> = paths.iter().map(Option::as_deref).collect();
        let file = Some("d/x\\ y\\nz");
        assert_eq!(paths, [None, Some("a"), None, Some("d"), None, file, file, Some("")]);
    }
}

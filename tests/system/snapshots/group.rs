//! Several volumes at one moment, and writers that go on whatever happens.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::{Ended, Volume, files, id, list, results, snapshot, snapshot_any};
use crate::support::{Bench, both, signal, wait_until};

/// Writes 1, 2, 3, … to each of two files in turn, never syncing: the second never holds more than the first.
fn writer(a: &Path, b: &Path) -> Ended {
    let script = "open A, '+>', $ARGV[0]; open B, '+>', $ARGV[1]; for ($n = 1;; $n++) { $t = sprintf '%012d', $n; \
        sysseek A, 0, 0; syswrite A, $t; sysseek B, 0, 0; syswrite B, $t; }";
    let child = Ended::spawn(Command::new("perl").args(["-e", script]).arg(a).arg(b));
    wait_until("the writer writes", || number(b) > 0);
    child
}

fn number(path: &Path) -> u64 {
    let mut text = [0; 12];
    let read = File::open(path).and_then(|file| file.read_exact_at(&mut text, 0));
    read.ok()
        .and_then(|()| std::str::from_utf8(&text).ok()?.parse().ok())
        .unwrap_or(0)
}

#[test]
#[ignore = "needs root, btrfs-progs, perl (tests/run)"]
fn two_volumes_never_hold_a_later_number_without_the_earlier() {
    let bench = Bench::new();
    let (one, two) = (Volume::btrfs(&bench, "m1"), Volume::btrfs(&bench, "m2"));
    let (a, b) = (one.subvolume("a"), two.subvolume("b"));
    let writer = writer(&a.join("n"), &b.join("n"));
    for _ in 0..5 {
        let before = number(&b.join("n"));
        let words = [OsStr::new("group"), "--json".as_ref(), a.as_os_str(), b.as_os_str()];
        let taken = results(&snapshot(&bench, &words));
        assert!(taken.len() == 2 && taken[0]["group"] == taken[1]["group"]);
        assert!(
            taken
                .iter()
                .all(|one| one["pause_ms"].is_u64() && one["consistency"] == "filesystem"),
            "{taken:?}"
        );
        let (first, second) = (number(&files(&taken[0]).join("n")), number(&files(&taken[1]).join("n")));
        assert!(first == second || first == second + 1, "{first} and {second}");
        assert!(second >= before);
        wait_until("the writer goes on", || number(&b.join("n")) > first);
    }
    drop(writer);
    let (first, second) = (list(&bench, &a), list(&bench, &b));
    // After going back to any of these moments, later ones and earlier ones, too.
    for n in [3, 0, 4] {
        for (path, all) in [(&a, &first), (&b, &second)] {
            let words = ["rollback", id(&all[n]), "--no-safety", "--of"].map(OsStr::new);
            snapshot(&bench, &[&words[..], &[path.as_os_str()]].concat());
        }
        let (a, b) = (number(&a.join("n")), number(&b.join("n")));
        assert!(b > 0 && (a == b || a == b + 1), "{a} and {b}");
    }
}

#[test]
#[ignore = "needs root, btrfs-progs, perl (tests/run)"]
fn all_or_none_is_taken() {
    let bench = Bench::new();
    let (one, two) = (Volume::btrfs(&bench, "m1"), Volume::btrfs(&bench, "m2"));
    let (a, b) = (one.subvolume("a"), two.subvolume("b"));
    // Where the second one's snapshots would go there is a file.
    fs::write(two.mount.join(".coffer-snapshots"), "").unwrap();
    let writer = writer(&a.join("n"), &b.join("n"));
    let failed = snapshot_any(&bench, &[OsStr::new("group"), a.as_os_str(), b.as_os_str()]);
    assert!(!failed.status.success(), "{}", both(&failed));
    assert!(list(&bench, &a).is_empty());
    let now = number(&b.join("n"));
    wait_until("the writer goes on", || number(&b.join("n")) > now);
    drop(writer);
}

#[test]
#[ignore = "needs root, btrfs-progs, perl (tests/run)"]
fn writers_go_on_when_coffer_is_killed_while_they_are_held() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let a = volume.subvolume("a");
    let writer = writer(&a.join("n"), &a.join("m"));
    // A program named btrfs that says it was asked for a snapshot, and never ends.
    let bin = bench.path("bin");
    fs::create_dir(&bin).unwrap();
    let asked = bench.path("asked");
    let script = format!(
        "#!/bin/sh\ncase \"$1 $2\" in 'subvolume snapshot') : > '{}'; exec sleep 1000;; esac\nexec {} \"$@\"\n",
        asked.display(),
        real("btrfs").display()
    );
    fs::write(bin.join("btrfs"), script).unwrap();
    fs::set_permissions(bin.join("btrfs"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut coffer = InGroup::spawn(
        bench
            .coffer_command(&[OsStr::new("snapshot"), "take".as_ref(), a.as_os_str()])
            .env("PATH", path),
    );
    wait_until("it is at the snapshot", || asked.exists());
    let held = number(&a.join("n"));
    for _ in 0..1000 {
        assert_eq!(number(&a.join("n")), held, "the writer is held");
    }
    signal(&coffer.0, rustix::process::Signal::KILL);
    wait_until("the writer goes on", || number(&a.join("n")) > held);
    coffer.0.wait().unwrap();
    drop((coffer, writer));
    assert!(list(&bench, &a).is_empty());
    // What the dead one left is put right by the next.
    super::take(&bench, &a, &[]);
    let left = fs::read_dir(volume.mount.join(".coffer-snapshots")).unwrap().flatten();
    let parts = left
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".part"))
        .count();
    assert_eq!(parts, 0);
}

/// A process with all that it starts, ended together when dropped.
struct InGroup(Child);

impl InGroup {
    fn spawn(command: &mut Command) -> InGroup {
        InGroup(
            std::os::unix::process::CommandExt::process_group(command, 0)
                .spawn()
                .unwrap(),
        )
    }
}

impl Drop for InGroup {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.0.wait();
    }
}

/// Where a program lies.
fn real(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|place| place.exists()).unwrap()
}

/// The watchdog by itself: a frozen filesystem is thawed when who froze it dies.
#[test]
#[ignore = "needs root, xfsprogs (tests/run)"]
fn a_frozen_filesystem_is_thawed_by_the_watchdog() {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::Stdio;
    let bench = Bench::new();
    let volume = Volume::xfs(&bench, "x");
    let mut watchdog = Command::new(env!("CARGO_BIN_EXE_coffer"))
        .arg("thaw-watchdog")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut orders = watchdog.stdin.take().unwrap();
    writeln!(orders, "limit 60\nremedy mount:{}\narmed", volume.mount.display()).unwrap();
    let mut ready = String::new();
    BufReader::new(watchdog.stdout.take().unwrap())
        .read_line(&mut ready)
        .unwrap();
    assert_eq!(ready, "ready\n");
    super::run("fsfreeze", &["-f".as_ref(), volume.mount.as_os_str()]);
    // Deaf to what ends a terminal's programs.
    signal(&watchdog, rustix::process::Signal::TERM);
    signal(&watchdog, rustix::process::Signal::INT);
    drop(orders);
    assert!(watchdog.wait().unwrap().success());
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(volume.mount.join("x"))
        .unwrap();
}

//! Backups that read from a fresh snapshot: of one moment, under the live paths, incremental, and gone afterwards.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use rustix::process::{Pid, Signal};
use serde_json::Value;

use super::{BTRFS, Mounted, Volume, XFS, list, mount};
use crate::edge::noise;
use crate::support::{Bench, HOST, Restic, both, last_line, os, signal, wait_until};

/// Ends its process whatever comes.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many bytes each of the writer's files has.
const LENGTH: usize = 65_536;

/// Fills two files with the number 1, then with 2, …, the first one first, never syncing: the second never holds more.
fn writer(folder: &Path) -> Running {
    let script = "open A, '+>', \"$ARGV[0]/a\"; open B, '+>', \"$ARGV[0]/z\"; for ($n = 1;; $n++) { \
        $t = sprintf('%015d ', $n) x 4096; sysseek A, 0, 0; syswrite A, $t; sysseek B, 0, 0; syswrite B, $t; }";
    let child = Command::new("perl").args(["-e", script]).arg(folder).spawn().unwrap();
    let running = Running(child);
    wait_until("the writer writes", || {
        fs::metadata(folder.join("z")).is_ok_and(|about| about.len() == LENGTH as u64)
    });
    running
}

/// The number a file is filled with; `None` when there are several.
fn number(content: &[u8]) -> Option<u64> {
    assert_eq!(content.len(), LENGTH);
    let first = &content[..16];
    let same = content.chunks(16).all(|chunk| chunk == first);
    same.then(|| String::from_utf8_lossy(first).trim().parse().unwrap())
}

/// `coffer backup`, whatever becomes of it.
fn backup_any(bench: &Bench, vault: &Path, source: &Path, more: &[&str]) -> std::process::Output {
    let mut words = os(&["backup", "--json", "--host", HOST, "--vault"]);
    words.extend([vault.into(), source.into()]);
    words.extend(more.iter().map(OsString::from));
    bench.coffer_any(&words)
}

fn dump(bench: &Bench, vault: &Path, generation: &Value, path: &Path) -> Vec<u8> {
    let id = generation["generation"].as_str().unwrap();
    let words = [
        OsStr::new("dump"),
        "--vault".as_ref(),
        vault.as_ref(),
        id.as_ref(),
        path.as_ref(),
    ];
    bench.coffer(&words).stdout
}

fn names(bench: &Bench, vault: &Path) -> Vec<String> {
    let words = [OsStr::new("ls"), "--vault".as_ref(), vault.as_ref(), "latest".as_ref()];
    let output = bench.coffer(&words);
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn one_moment(bench: &Bench, folder: &Path) {
    fs::write(folder.join("m"), noise(1, 20 << 20)).unwrap();
    let vault = bench.coffer_vault("vault", &[]);
    let writer = writer(folder);
    // The test can tell: what is read while it is written is not of one moment.
    let mut mixed = false;
    for _ in 0..5 {
        let live = bench.coffer_backup(&vault, folder, &["--force"]);
        let [a, z] = ["a", "z"].map(|name| number(&dump(bench, &vault, &live, &folder.join(name))));
        mixed |= a.is_none() || z.is_none() || !(a == z || a == z.map(|z| z + 1));
    }
    assert!(mixed, "the live files were of one moment by chance, five times");
    for _ in 0..5 {
        let before = number_now(folder);
        let done = bench.coffer_backup(&vault, folder, &["--from-snapshot"]);
        assert!(
            done["read_from"][0]
                .as_str()
                .unwrap()
                .contains("filesystem consistency"),
            "{done}"
        );
        let [a, z] = ["a", "z"].map(|name| number(&dump(bench, &vault, &done, &folder.join(name))));
        let (a, z) = (a.expect("a is whole"), z.expect("z is whole"));
        assert!(a == z || a == z + 1, "{a} and {z}");
        assert!(z >= before, "it is a fresh one");
        wait_until("the writer goes on", || number_now(folder) > a);
        assert!(list(bench, folder).is_empty(), "the snapshot is gone");
    }
    drop(writer);
    // What restic makes of it.
    bench.restic_check(Restic::New, &vault);
    let to = bench.path("restored");
    bench.restic(
        Restic::New,
        &vault,
        &[
            OsStr::new("restore"),
            "latest".as_ref(),
            "--target".as_ref(),
            to.as_ref(),
        ],
    );
    let inner = to.join(folder.strip_prefix("/").unwrap());
    let [a, z] = ["a", "z"].map(|name| number(&fs::read(inner.join(name)).unwrap()).unwrap());
    assert!(a == z || a == z + 1, "{a} and {z}");
}

/// The number that the writer has finished last, as far as can be seen.
fn number_now(folder: &Path) -> u64 {
    let mut text = [0; 15];
    File::open(folder.join("z"))
        .unwrap()
        .read_exact_at(&mut text, 0)
        .unwrap();
    std::str::from_utf8(&text).unwrap().parse().unwrap()
}

#[test]
#[ignore = "needs root, btrfs-progs, perl, restic (tests/run)"]
fn a_generation_from_a_btrfs_snapshot_is_of_one_moment() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    one_moment(&bench, &volume.subvolume("a"));
}

#[test]
#[ignore = "needs root, xfsprogs, perl, restic (tests/run)"]
fn a_generation_from_a_reflink_copy_is_of_one_moment() {
    let bench = Bench::new();
    let volume = Volume::xfs(&bench, "m");
    let folder = volume.mount.join("a");
    fs::create_dir(&folder).unwrap();
    one_moment(&bench, &folder);
}

fn incremental(bench: &Bench, folder: &Path) {
    fs::create_dir_all(folder.join("d/e")).unwrap();
    for n in 0..200 {
        fs::write(folder.join(format!("d/{n}")), noise(n + 1, 50_000)).unwrap();
    }
    fs::write(folder.join("d/e/x.tmp"), "x").unwrap();
    fs::hard_link(folder.join("d/1"), folder.join("d/e/again")).unwrap();
    std::os::unix::fs::symlink("d/1", folder.join("link")).unwrap();
    xattr::set(folder.join("d/2"), "user.note", b"live").unwrap();
    // Within what is copied: it must not go into itself.
    let vault = folder.join("vault");
    bench.coffer(&[
        OsStr::new("init"),
        "--vault".as_ref(),
        vault.as_ref(),
        "--scrypt-n".as_ref(),
        "1024".as_ref(),
    ]);
    let backup = |more: &[&str]| {
        // Older than the moment of the backup before, so that nothing is in doubt.
        let now = std::time::Instant::now();
        wait_until("some ticks have passed", || now.elapsed().as_millis() > 100);
        bench.coffer_backup(&vault, folder, &[&["--exclude", "*.tmp"], more].concat())
    };
    let first = backup(&["--from-snapshot"]);
    assert_eq!(first["files_new"], 201, "{first}");
    let here = folder.to_str().unwrap();
    let all = names(bench, &vault);
    assert!(all.contains(&format!("{here}/d/e/again")), "{all:?}");
    let stray =
        |name: &&String| name.contains("x.tmp") || name.contains(".coffer-snapshots") || name.contains("/vault");
    let stray: Vec<_> = all.iter().filter(stray).collect();
    assert!(stray.is_empty(), "{stray:?}");
    let generations = bench.coffer_generations(&vault);
    assert_eq!(generations[0]["paths"][0].as_str(), Some(here));

    // Neither a second one from a snapshot nor a live one finds anything changed.
    for more in [
        &["--from-snapshot", "--skip-if-unchanged"][..],
        &["--skip-if-unchanged"],
    ] {
        let again = backup(more);
        assert_eq!(
            (
                &again["files_changed"],
                &again["files_unmodified"],
                &again["skipped_unchanged"]
            ),
            (&0.into(), &201.into(), &true.into()),
            "{more:?}: {again}"
        );
    }
    fs::write(folder.join("d/7"), noise(777, 50_000)).unwrap();
    xattr::set(folder.join("d/2"), "user.note", b"changed").unwrap();
    let third = backup(&["--from-snapshot"]);
    assert_eq!(
        (&third["files_changed"], &third["files_unmodified"]),
        (&2.into(), &199.into()),
        "{third}"
    );
    let added = third["data_added"].as_u64().unwrap();
    assert!((50_000..250_000).contains(&added), "{third}");
    assert_eq!(dump(bench, &vault, &third, &folder.join("d/7")), noise(777, 50_000));
    assert!(list(bench, folder).is_empty());
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn a_second_backup_from_btrfs_reads_what_changed() {
    let bench = Bench::new();
    let volume = Volume::quiet(&bench, "btrfs-subvolume", BTRFS);
    incremental(&bench, &volume.subvolume("a"));
    // A folder within a subvolume is read from that one's snapshot; a mount has its snapshots within.
    let second = Bench::new();
    let inner = Volume::quiet(&second, "btrfs", BTRFS);
    incremental(&second, &inner.mount);
}

#[test]
#[ignore = "needs root, xfsprogs (tests/run)"]
fn a_second_backup_from_reflink_copies_reads_what_changed() {
    let bench = Bench::new();
    let volume = Volume::quiet(&bench, "xfs-folder", XFS);
    let folder = volume.mount.join("a");
    fs::create_dir(&folder).unwrap();
    incremental(&bench, &folder);
    let second = Bench::new();
    let whole = Volume::quiet(&second, "xfs", XFS);
    incremental(&second, &whole.mount);
}

#[test]
#[ignore = "needs root, btrfs-progs, xfsprogs (tests/run)"]
fn subvolumes_and_filesystems_within_are_taken_too_or_refused() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vault = bench.coffer_vault("vault", &[]);
    let a = volume.subvolume("a");
    let nested = volume.subvolume("a/nested");
    let deep = volume.subvolume("a/nested/deep");
    fs::write(nested.join("n"), "n").unwrap();
    fs::write(deep.join("d"), "d").unwrap();
    let xfs = Volume::xfs(&bench, "x");
    fs::create_dir_all(xfs.mount.join("web")).unwrap();
    fs::write(xfs.mount.join("web/w"), "w").unwrap();
    let bound = a.join("bound");
    fs::create_dir(&bound).unwrap();
    mount(&["--bind".as_ref(), xfs.mount.join("web").as_ref(), bound.as_ref()]);
    let _bound = Mounted(bound);
    let link = bench.path("link");
    std::os::unix::fs::symlink(&volume.mount, &link).unwrap();
    // Named through a link, all the same.
    let named = link.join("a");
    let done = bench.coffer_backup(&vault, &named, &["--from-snapshot"]);
    assert_eq!(done["read_from"].as_array().map(Vec::len), Some(4), "{done}");
    let here = named.to_str().unwrap();
    let all = names(&bench, &vault);
    for file in ["nested/n", "nested/deep/d", "bound/w"] {
        assert!(all.contains(&format!("{here}/{file}")), "{file} in {all:?}");
    }

    let memory = a.join("memory");
    fs::create_dir(&memory).unwrap();
    mount(
        &["-t", "tmpfs", "none"]
            .map(OsStr::new)
            .iter()
            .copied()
            .chain([memory.as_os_str()])
            .collect::<Vec<_>>(),
    );
    let _memory = Mounted(memory.clone());
    fs::write(memory.join("r"), "r").unwrap();
    let refused = backup_any(&bench, &vault, &named, &["--from-snapshot"]);
    let said = both(&refused);
    assert!(
        !refused.status.success() && said.contains("tmpfs keeps no snapshots"),
        "{said}"
    );
    assert!(
        said.contains("where-possible") && said.contains(&format!("{here}/memory")),
        "{said}"
    );
    assert_eq!(bench.coffer_generations(&vault).len(), 1, "nothing was backed up");
    let out = bench.coffer_backup(&vault, &named, &["--from-snapshot", "--exclude", "memory"]);
    assert_eq!(out["files_new"], 0, "{out}");
    let mixed = backup_any(&bench, &vault, &named, &["--from-snapshot=where-possible"]);
    assert!(both(&mixed).contains("read as it is"), "{}", both(&mixed));
    assert!(names(&bench, &vault).contains(&format!("{here}/memory/r")));
    bench.coffer_backup(&vault, &named, &["--from-snapshot", "--one-file-system"]);
    let all = names(&bench, &vault);
    for folder in ["nested", "bound", "memory"] {
        assert!(
            all.contains(&format!("{here}/{folder}")) || all.contains(&format!("{here}/{folder}/")),
            "{all:?}"
        );
    }
    assert!(
        !all.iter()
            .any(|name| name.ends_with("/n") || name.ends_with("/w") || name.ends_with("/r")),
        "{all:?}"
    );
    for target in [&a, &nested, &deep] {
        assert!(list(&bench, target).is_empty());
    }
}

#[test]
#[ignore = "needs root, xfsprogs (tests/run)"]
fn what_never_stands_still_is_refused_or_told() {
    let bench = Bench::new();
    let volume = Volume::xfs(&bench, "m");
    let vault = bench.coffer_vault("vault", &[]);
    let folder = volume.mount.join("web");
    fs::create_dir(&folder).unwrap();
    // It opens each file anew, so that there is nobody to hold when it begins.
    let script = "while :; do n=$((n + 1)); echo $n > \"$0/a\"; echo $n > \"$0/b\"; done";
    let writer = Running(Command::new("sh").args(["-c", script]).arg(&folder).spawn().unwrap());
    wait_until("the writer writes", || folder.join("b").exists());
    // On a busy machine the writer may not get its turn while so little is copied.
    wait_until("it is told", || {
        let crash = ["--from-snapshot", "--snapshot-consistency", "crash"];
        let done = backup_any(&bench, &vault, &folder, &crash);
        assert!(done.status.success(), "{}", both(&done));
        both(&done).contains("not of one moment")
    });
    drop(writer);
    assert!(list(&bench, &folder).is_empty());
}

/// Whoever sleeps for a hook ends with the test.
struct Sleeper(PathBuf);

impl Drop for Sleeper {
    fn drop(&mut self) {
        let pid = fs::read_to_string(&self.0)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
}

fn killed(bench: &Bench, folder: &Path) {
    fs::write(folder.join("x"), "x").unwrap();
    let vault = bench.coffer_vault("vault", &[]);
    let mark = bench.path("asleep");
    let sleep = format!(
        "echo $$ > '{0}.new'; mv '{0}.new' '{0}'; exec sleep 1000",
        mark.display()
    );
    let mut words = os(&["backup", "--vault"]);
    words.extend([vault.clone().into(), folder.into()]);
    words.extend(os(&[
        "--from-snapshot",
        "--snapshot-hook-seconds",
        "900",
        "--snapshot-run-after",
        &sleep,
    ]));
    let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
    let mut coffer = bench.coffer_command(&words).spawn().unwrap();
    let _sleeper = Sleeper(mark.clone());
    wait_until("the snapshot is there", || mark.exists());
    assert_eq!(list(bench, folder)[0]["made_by"], "backup");
    // A backup meanwhile leaves it alone.
    bench.coffer_backup(&vault, folder, &["--from-snapshot"]);
    assert_eq!(list(bench, folder).len(), 1);
    signal(&coffer, Signal::KILL);
    coffer.wait().unwrap();
    assert_eq!(list(bench, folder).len(), 1, "it is left behind");
    bench.coffer_backup(&vault, folder, &[]);
    assert!(list(bench, folder).is_empty(), "the next backup deletes it");
}

#[test]
#[ignore = "needs root, btrfs-progs, xfsprogs (tests/run)"]
fn a_snapshot_left_behind_by_a_killed_backup_goes_with_the_next() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    killed(&bench, &volume.subvolume("a"));
    let second = Bench::new();
    let copies = Volume::xfs(&second, "m");
    let folder = copies.mount.join("a");
    fs::create_dir(&folder).unwrap();
    killed(&second, &folder);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn a_backup_that_is_stopped_or_fails_deletes_its_snapshot() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let a = volume.subvolume("a");
    fs::write(a.join("x"), noise(5, 200 << 20)).unwrap();
    let vault = bench.coffer_vault("vault", &[]);
    let words = [
        OsStr::new("backup"),
        "--vault".as_ref(),
        vault.as_ref(),
        a.as_ref(),
        "--from-snapshot".as_ref(),
    ];
    let mut coffer = bench.coffer_command(&words).spawn().unwrap();
    wait_until("the snapshot is there", || !list(&bench, &a).is_empty());
    signal(&coffer, Signal::INT);
    assert_eq!(coffer.wait().unwrap().code(), Some(130));
    assert!(list(&bench, &a).is_empty());
    // A vault that cannot be written to.
    fs::remove_dir_all(vault.join("data")).unwrap();
    fs::write(vault.join("data"), "").unwrap();
    let failed = backup_any(&bench, &vault, &a, &["--from-snapshot"]);
    assert!(!failed.status.success(), "{}", both(&failed));
    assert!(list(&bench, &a).is_empty());
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn a_plan_reads_from_a_snapshot() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let a = volume.subvolume("a");
    let vault = bench.coffer_vault("vault", &[]);
    let add = [OsStr::new("vault"), "add".as_ref(), "main".as_ref(), vault.as_ref()];
    bench.coffer(&add);
    let hook = format!("echo late > '{}'", a.join("late").display());
    let mut words = os(&["plan", "add", "p", "--vault", "main"]);
    words.push(a.clone().into());
    words.extend(os(&["--from-snapshot", "--snapshot-run-after", &hook]));
    bench.coffer(&words);
    fs::write(a.join("early"), "x").unwrap();
    let done = last_line(&bench.coffer(&["plan", "run", "p", "--json"]));
    assert_eq!(
        done["files_new"], 1,
        "what is written after the snapshot is not in it: {done}"
    );
    assert!(a.join("late").exists());
    let shown = bench.coffer(&["plan", "show", "p"]);
    assert!(both(&shown).contains("from snapshot"), "{}", both(&shown));
    // Its moment is the snapshot's: before the hook's file.
    let late = fs::metadata(a.join("late")).unwrap().modified().unwrap();
    let generation = &bench.coffer_generations(&vault)[0];
    let time: jiff::Timestamp = generation["time"].as_str().unwrap().parse().unwrap();
    assert!(time < jiff::Timestamp::try_from(late).unwrap(), "{generation}");
}

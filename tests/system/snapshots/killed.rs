//! kill -9 at any moment leaves nothing half, or what the next command puts right.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Volume, btrfs, files, id, list, snapshot, take};
use crate::support::Bench;

/// Runs `coffer snapshot …`, killed at the `nth` of some system calls; whether it came to that.
fn killed(bench: &Bench, calls: &str, nth: usize, arguments: &[&OsStr]) -> bool {
    let plain = bench.coffer_command(&[&[OsStr::new("snapshot")], arguments].concat());
    let mut traced = Command::new("strace");
    traced
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")])
        .args(["-e", &format!("inject={calls}:signal=KILL:when={nth}")])
        .arg(plain.get_program())
        .args(plain.get_args());
    for (name, value) in plain.get_envs() {
        traced.env(name, value.unwrap_or_default());
    }
    !traced.stdin(Stdio::null()).output().unwrap().status.success()
}

/// The moments: before the Nth of the calls by which something comes into being or is put in the place of something else.
const MOMENTS: [(&str, usize); 14] = [
    ("mkdir", 1),
    ("rename,renameat2", 1),
    ("rename,renameat2", 2),
    ("rename,renameat2", 3),
    ("rename,renameat2", 4),
    ("rename,renameat2", 5),
    ("fsync", 1),
    ("fsync", 2),
    ("fsync", 3),
    ("fsync", 4),
    ("clone3,vfork", 4),
    ("clone3,vfork", 6),
    ("unlink,unlinkat,rmdir", 1),
    ("unlink,unlinkat,rmdir", 2),
];

/// Nothing but snapshots is on a shelf.
fn is_tidy(shelf: &Path) {
    for entry in fs::read_dir(shelf).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(name == "lock" || name.len() == 12, "{name} was left over");
    }
}

fn by<'a>(all: &'a [Value], maker: &str) -> Vec<&'a Value> {
    all.iter().filter(|one| one["made_by"] == maker).collect()
}

/// Takes, goes back and deletes, killed at each moment; `target` has a file `a`.
fn endure(bench: &Bench, target: &Path, shelf: &Path) {
    let read = |path: &Path| fs::read_to_string(path.join("a")).unwrap();
    fs::write(target.join("a"), "one").unwrap();
    let one = take(bench, target, &["--protect"]);
    let mut kills = 0;
    for (calls, nth) in MOMENTS {
        fs::write(target.join("a"), format!("two {kills}")).unwrap();
        kills += usize::from(killed(bench, calls, nth, &["take".as_ref(), target.as_os_str()]));
        for whole in by(&list(bench, target), "hand")
            .iter()
            .filter(|all| id(all) != id(&one))
        {
            // Perhaps one of before, that was whole but for its name.
            assert!(read(&files(whole)).starts_with("two "), "{whole}");
            snapshot(bench, &["delete", id(whole), "--of", target.to_str().unwrap()]);
        }
    }
    assert!(kills >= 5, "only {kills} takings were killed");
    for keep in [&[][..], &["--no-safety"][..]] {
        for (n, (calls, nth)) in MOMENTS.into_iter().enumerate() {
            let present = format!("present {n} {keep:?}");
            fs::write(target.join("a"), &present).unwrap();
            let words = ["rollback", id(&one), "--of", target.to_str().unwrap()];
            let words: Vec<&OsStr> = words.iter().chain(keep).map(OsStr::new).collect();
            kills += usize::from(killed(bench, calls, nth, &words));
            let there = read(target);
            assert!(there == "one" || there == present, "{there}");
            // The next command puts right what is left.
            let next = take(bench, target, &[]);
            assert_eq!(read(target), there);
            assert_eq!(fs::read_to_string(target.join("d/kept")).unwrap(), "stays");
            let all = list(bench, target);
            let kept = by(&all, "safety");
            if there == "one" && keep.is_empty() {
                assert!(
                    kept.iter().any(|safety| read(&files(safety)) == present),
                    "{calls} {nth}: {all:?}"
                );
            }
            is_tidy(shelf);
            let mut words = vec!["delete", "--of", target.to_str().unwrap(), id(&next)];
            words.extend(kept.iter().map(|safety| id(safety)));
            let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
            kills += usize::from(killed(bench, calls, nth, &words));
        }
    }
    assert!(kills >= 20, "only {kills} were killed");
    take(bench, target, &[]);
    is_tidy(shelf);
}

#[test]
#[ignore = "needs root, btrfs-progs, strace (tests/run)"]
fn subvolumes() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    btrfs(&["subvolume", "create"], &[&vol.join("d")]);
    fs::write(vol.join("d/kept"), "stays").unwrap();
    endure(&bench, &vol, &volume.mount.join(".coffer-snapshots"));
    let names = fs::read_dir(&volume.mount).unwrap().flatten().count();
    assert_eq!(names, 2, "the subvolume and the shelf, nothing left over");
}

#[test]
#[ignore = "needs root, xfsprogs, strace (tests/run)"]
fn copies() {
    let bench = Bench::new();
    let volume = Volume::xfs(&bench, "x");
    let web = volume.mount.join("web");
    fs::create_dir_all(web.join("d")).unwrap();
    fs::write(web.join("d/kept"), "stays").unwrap();
    endure(&bench, &web, &volume.mount.join(".coffer-snapshots"));
    let names = fs::read_dir(&volume.mount).unwrap().flatten().count();
    assert_eq!(names, 2, "the folder and the shelf, nothing left over");
}

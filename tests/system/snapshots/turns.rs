//! Several jobs on the snapshots of one place at the same time: each waits for its turn.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;
use std::process::{Child, Output, Stdio};

use super::{Volume, list};
use crate::support::{Bench, both, os, wait_until};

/// A backup from a snapshot that goes on by itself.
fn start(bench: &Bench, vault: &Path, source: &Path, more: &[&str]) -> Child {
    let mut words = os(&["backup", "--json", "--from-snapshot", "--vault"]);
    words.extend([vault.into(), source.into()]);
    words.extend(more.iter().map(OsString::from));
    let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
    let mut command = bench.coffer_command(&words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn done(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
    output
}

/// What the newest job that is still at it has said.
fn said(bench: &Bench, words: &str) -> bool {
    let jobs = crate::support::list(&bench.coffer(&["jobs", "--json"]));
    jobs.iter().any(|job| {
        let shown = bench.coffer(&["jobs", "show", &job["id"].to_string()]);
        job["state"] == "running" && both(&shown).contains(words)
    })
}

fn one_after_the_other(bench: &Bench, folder: &Path) {
    fs::write(folder.join("x"), "x").unwrap();
    let vault = bench.coffer_vault("vault", &[]);
    let (begun, go) = (bench.path("begun"), bench.path("go"));
    // The first one has its turn until it may go on.
    let hook = format!(
        "touch '{}'; until [ -e '{}' ]; do sleep 0.05; done",
        begun.display(),
        go.display()
    );
    // The hook outlasts the waiting.
    let hook = ["--snapshot-hook-seconds", "900", "--snapshot-run-before", &hook];
    let first = start(bench, &vault, folder, &hook);
    wait_until("the first one has its turn", || begun.exists());
    let second = start(bench, &vault, folder, &[]);
    wait_until("the second one waits", || {
        said(bench, "waits for another job that works on the snapshots in")
    });
    // What is known of snapshots can be changed all the same, and what does not wait is refused.
    assert!(list(bench, folder).is_empty());
    fs::write(&go, "").unwrap();
    done(first);
    done(second);
    // Without anything between them.
    let many: Vec<Child> = (0..4).map(|_| start(bench, &vault, folder, &[])).collect();
    many.into_iter().map(done).for_each(drop);
    assert_eq!(bench.coffer_generations(&vault).len(), 6);
    assert!(list(bench, folder).is_empty(), "all their snapshots are gone");
}

#[test]
#[ignore = "needs root, btrfs-progs, xfsprogs (tests/run)"]
fn backups_that_start_at_once_take_their_snapshots_one_after_the_other() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    one_after_the_other(&bench, &volume.subvolume("a"));
    let second = Bench::new();
    let copies = Volume::xfs(&second, "m");
    let folder = copies.mount.join("a");
    fs::create_dir(&folder).unwrap();
    one_after_the_other(&second, &folder);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn groups_that_name_the_same_in_another_order_do_not_wait_for_each_other_for_ever() {
    let bench = Bench::new();
    let (one, two) = (Volume::btrfs(&bench, "m1"), Volume::btrfs(&bench, "m2"));
    let (a, b) = (one.subvolume("a"), two.subvolume("b"));
    let take = |order: [&Path; 2]| {
        let words = [
            OsStr::new("snapshot"),
            "group".as_ref(),
            order[0].as_ref(),
            order[1].as_ref(),
        ];
        let mut command = bench.coffer_command(&words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let all: Vec<Child> = (0..3).flat_map(|_| [take([&a, &b]), take([&b, &a])]).collect();
    all.into_iter().map(done).for_each(drop);
    assert_eq!((list(&bench, &a).len(), list(&bench, &b).len()), (6, 6));
}

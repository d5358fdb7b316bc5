//! Prune: what is deleted is what nobody needs, whatever program wrote it, and whenever it is killed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::edge::noise;
use crate::support::{Bench, Restic, files, last_line, locks};

/// Writes the source as it is at a step of its history: some files change at each, one comes, one goes.
fn source_at(source: &Path, step: u64) {
    fs::create_dir_all(source.join("deep/er")).unwrap();
    for n in 0..12 {
        let age = step - step.min((n + step) % 4);
        fs::write(source.join(format!("file {n}")), noise(n * 1000 + age, 300_000)).unwrap();
    }
    fs::write(source.join("deep/er/same"), noise(1, 2_000_000)).unwrap();
    fs::write(source.join(format!("deep/only at {step}")), noise(step + 77, 900_000)).unwrap();
    if step > 0 {
        fs::remove_file(source.join(format!("deep/only at {}", step - 1))).unwrap();
    }
}

/// A vault with six generations, of which the first, third and fifth are forgotten; the source is as the last one holds it.
fn half_forgotten(bench: &Bench, name: &str) -> (PathBuf, PathBuf) {
    let (vault, source) = (bench.coffer_vault(name, &[]), bench.path(&format!("source of {name}")));
    for step in 0..6 {
        source_at(&source, step);
        bench.coffer_backup(&vault, &source, &["--pack-size", "4"]);
    }
    forget_every_other(bench, &vault);
    (vault, source)
}

fn forget_every_other(bench: &Bench, vault: &Path) {
    let generations = bench.coffer_generations(vault);
    let ids: Vec<&str> = generations
        .iter()
        .step_by(2)
        .map(|g| g["id"].as_str().unwrap())
        .collect();
    let mut arguments = vec!["forget", "--vault", vault.to_str().unwrap()];
    arguments.extend(&ids);
    bench.coffer(&arguments);
}

fn prune(bench: &Bench, vault: &Path, extra: &[&str]) -> Value {
    let mut arguments = vec!["prune", "--json", "--vault", vault.to_str().unwrap()];
    arguments.extend(extra);
    last_line(&bench.coffer(&arguments))
}

fn stored(vault: &Path) -> u64 {
    let packs = files(&vault.join("data"));
    packs.iter().map(|pack| fs::metadata(pack).unwrap().len()).sum()
}

/// What restic counts the blobs of all generations to be.
fn raw_data(bench: &Bench, vault: &Path) -> u64 {
    let stats = bench.restic(Restic::New, vault, &["stats", "--mode", "raw-data", "--json"]);
    last_line(&stats)["total_size"].as_u64().unwrap()
}

/// Nothing is left that restic would prune, and all is sound to it.
fn restic_agrees(bench: &Bench, vault: &Path) {
    bench.restic_check(Restic::New, vault);
    let before = stored(vault);
    bench.restic(Restic::New, vault, &["prune", "--max-unused", "0"]);
    let after = stored(vault);
    // restic may pack the same blobs into another number of packs.
    assert!(before.abs_diff(after) < 40_000, "restic took {before} to {after}");
}

#[test]
#[ignore = "needs restic 0.18 (tests/run)"]
fn what_stays_is_what_restic_counts() {
    let bench = Bench::new();
    let (vault, source) = half_forgotten(&bench, "vault");
    let before = stored(&vault);
    let planned = prune(&bench, &vault, &["--max-unused", "0", "--dry-run"]);
    assert_eq!(stored(&vault), before, "a dry run changes nothing");
    let done = prune(&bench, &vault, &["--max-unused", "0"]);
    assert_eq!(planned, done, "what was planned is what was done");
    assert_eq!(done["bytes_before"].as_u64(), Some(before));
    let (after, told) = (stored(&vault), done["bytes_after"].as_u64().unwrap());
    assert_eq!(after, told);
    // Entries in headers (41 bytes a blob) are all that is beyond the blobs themselves.
    let raw = raw_data(&bench, &vault);
    let blobs = done["blobs_used"].as_u64().unwrap();
    assert!(
        (raw..raw + 45 * blobs + 1000).contains(&after),
        "{after} bytes, restic counts {raw} in {blobs} blobs"
    );
    restic_agrees(&bench, &vault);
    let target = bench.path("target");
    let restored = [
        OsStr::new("restore"),
        "latest".as_ref(),
        "--target".as_ref(),
        target.as_ref(),
    ];
    bench.restic(Restic::New, &vault, &restored);
    let same = Command::new("diff")
        .arg("-r")
        .arg(&source)
        .arg(target.join(source.strip_prefix("/").unwrap()))
        .output()
        .unwrap();
    assert!(same.status.success(), "{}", String::from_utf8_lossy(&same.stdout));
}

#[test]
#[ignore = "needs restic 0.14 and 0.18 (tests/run)"]
fn vaults_that_restic_wrote() {
    let bench = Bench::new();
    for (n, (which, extra, more)) in [
        (Restic::New, &[][..], &["--repack-uncompressed"][..]),
        (Restic::New, &["--repository-version", "1"], &[]),
        (Restic::Old, &[], &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let vault = bench.restic_vault(which, &format!("vault {n}"), extra);
        let source = bench.path(&format!("source {n}"));
        for step in 0..6 {
            source_at(&source, step);
            let compression = if n == 0 && step < 3 {
                &["--compression", "off"][..]
            } else {
                &[]
            };
            bench.restic_backup(which, &vault, &source, compression);
        }
        forget_every_other(&bench, &vault);
        let mut options = vec!["--max-unused", "0"];
        options.extend(more);
        prune(&bench, &vault, &options);
        let again = prune(&bench, &vault, &options);
        let nothing = ["bytes_repacked", "bytes_freed"].map(|key| again[key].as_u64());
        assert_eq!(nothing, [Some(0); 2], "{again}");
        bench.coffer_check(&vault);
        restic_agrees(&bench, &vault);
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

#[test]
#[ignore = "needs restic 0.18 and strace (tests/run)"]
fn killed_at_fifty_moments_nothing_is_lost_and_the_next_finishes() {
    let bench = Bench::new();
    let (original, _) = half_forgotten(&bench, "original");
    let generations = bench.coffer_generations(&original);
    let whole = bench.path("whole");
    copy(&original, &whole);
    prune(&bench, &whole, &["--max-unused", "0"]);
    let wanted = stored(&whole);
    let mut killed = 0;
    // Each thread counts its own; what is opened and listed is so much that only every fiftieth is a moment.
    for (call, times, every) in [
        ("fsync", 12, 1),
        ("rename,renameat,renameat2", 6, 1),
        ("unlink,unlinkat", 16, 1),
        ("pwrite64,write,writev", 24, 1),
        ("pread64", 20, 1),
        ("openat", 20, 50),
    ] {
        for nth in 1..=times {
            let vault = bench.path("vault");
            copy(&original, &vault);
            let plain = bench.coffer_command(&[
                "prune".as_ref(),
                "--max-unused".as_ref(),
                "0".as_ref(),
                "--vault".as_ref(),
                vault.as_ref(),
            ]);
            let mut traced = Command::new("strace");
            traced
                .args(["-f", "-qq", "-o", "/dev/null", "-e"])
                .arg(format!("trace={call}"));
            traced
                .arg("-e")
                .arg(format!("inject={call}:signal=KILL:when={}", nth * every));
            traced.arg(plain.get_program()).args(plain.get_args());
            for (name, value) in plain.get_envs() {
                traced.env(name, value.unwrap_or_default());
            }
            let output = traced.stdin(Stdio::null()).output().unwrap();
            if output.status.success() {
                // It makes no more such calls.
                fs::remove_dir_all(vault).unwrap();
                break;
            }
            killed += 1;
            bench.coffer(&[OsStr::new("unlock"), "--vault".as_ref(), vault.as_ref()]);
            assert!(locks(&vault).is_empty());
            bench.coffer_check(&vault);
            if nth % 5 == 0 {
                assert_eq!(bench.coffer_generations(&vault), generations);
                bench.restic_check(Restic::New, &vault);
            }
            prune(&bench, &vault, &["--max-unused", "0"]);
            bench.coffer_check(&vault);
            let left = stored(&vault);
            assert!(
                left.abs_diff(wanted) < 1000,
                "{call} {nth}: {left} bytes instead of {wanted}"
            );
            fs::remove_dir_all(vault).unwrap();
        }
    }
    assert!(
        killed >= 50,
        "only {killed} runs were killed: the calls are not the ones that coffer makes"
    );
}

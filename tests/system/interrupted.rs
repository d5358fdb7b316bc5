//! A backup killed at any moment, and a disk that fills up: nothing is lost, and the next run completes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::edge::{self, noise};
use crate::support::{Bench, HOST, Restic, both, files, locks, pause};

fn source_of_many(bench: &Bench) -> PathBuf {
    let source = bench.path("source");
    for folder in 0..20 {
        let folder_path = source.join(format!("folder {folder}"));
        fs::create_dir_all(&folder_path).unwrap();
        for file in 0..30 {
            fs::write(
                folder_path.join(format!("file {file}")),
                noise(folder * 100 + file, 40_000),
            )
            .unwrap();
        }
    }
    fs::write(source.join("large"), noise(1, 30 << 20)).unwrap();
    source
}

fn unlock(bench: &Bench, vault: &Path) {
    bench.coffer(&[OsStr::new("unlock"), "--vault".as_ref(), vault.as_ref()]);
    assert_eq!(locks(vault).len(), 0);
}

/// After a kill: all earlier generations whole, the vault sound.
fn sound(bench: &Bench, vault: &Path, generations: usize) {
    unlock(bench, vault);
    bench.coffer_check(vault);
    assert!(bench.coffer_generations(vault).len() >= generations);
}

#[test]
#[ignore = "needs restic 0.18 and strace (tests/run)"]
fn killed_at_fifty_moments() {
    let bench = Bench::new();
    let source = source_of_many(&bench);
    let vault = bench.coffer_vault("vault", &[]);
    let arguments: [&OsStr; 8] = [
        "backup".as_ref(),
        "--pack-size".as_ref(),
        "4".as_ref(),
        "--host".as_ref(),
        HOST.as_ref(),
        "--vault".as_ref(),
        vault.as_ref(),
        source.as_ref(),
    ];

    // At the Nth call that makes something durable or visible: the moments between two states.
    let mut moments = 0;
    for call in [
        "fsync",
        "rename,renameat,renameat2",
        "openat",
        "pwrite64,write,writev",
        "unlink,unlinkat",
    ] {
        for nth in [1, 2, 3, 5, 8] {
            let plain = bench.coffer_command(&arguments);
            let mut traced = Command::new("strace");
            traced
                .args(["-f", "-qq", "-o", "/dev/null", "-e"])
                .arg(format!("trace={call}"))
                .arg("-e");
            // openat is called a lot before the vault is touched at all.
            let when = if call == "openat" { nth * 40 } else { nth };
            traced
                .arg(format!("inject={call}:signal=KILL:when={when}"))
                .arg(plain.get_program())
                .args(plain.get_args());
            for (name, value) in plain.get_envs() {
                traced.env(name, value.unwrap_or_default());
            }
            let output = traced.stdin(Stdio::null()).output().unwrap();
            moments += usize::from(!output.status.success());
            sound(&bench, &vault, 0);
            // Fresh content, so that the next run has something to store.
            fs::write(source.join("changing"), noise(moments as u64 + 1000, 6 << 20)).unwrap();
        }
    }
    assert!(
        moments >= 20,
        "only {moments} runs were killed: the calls are not the ones that coffer makes"
    );

    // At moments in time spread over a whole run.
    fs::write(source.join("changing"), noise(5, 6 << 20)).unwrap();
    let fresh = bench.coffer_vault("measured", &[]);
    let start = Instant::now();
    bench.coffer_backup(&fresh, &source, &[]);
    let whole = start.elapsed();
    for step in 0..30_u32 {
        let name = format!("timed {step}");
        let vault = bench.coffer_vault(&name, &[]);
        let mut child = bench
            .coffer_command(&[
                "backup".as_ref(),
                "--pack-size".as_ref(),
                "4".as_ref(),
                "--vault".as_ref(),
                vault.as_ref(),
                source.as_ref(),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moment = whole * step / 30;
        let killed_at = Instant::now() + moment;
        while Instant::now() < killed_at && child.try_wait().unwrap().is_none() {
            pause();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        unlock(&bench, &vault);
        bench.coffer_check(&vault);
        if step % 10 == 7 {
            bench.restic_check(Restic::New, &vault);
            bench.coffer_backup(&vault, &source, &[]);
            bench.restic_check(Restic::New, &vault);
        }
        fs::remove_dir_all(vault).unwrap();
    }

    bench.restic_check(Restic::New, &vault);
    bench.coffer_backup(&vault, &source, &[]);
    bench.restic_check(Restic::New, &vault);
    let target = bench.path("target");
    bench.coffer(&[
        "restore".as_ref(),
        "latest".as_ref(),
        "--vault".as_ref(),
        vault.as_os_str(),
        "--target".as_ref(),
        target.as_os_str(),
    ]);
    edge::assert_same(&source, &target.join(source.strip_prefix("/").unwrap()));
    let leftovers: Vec<_> = files(&vault)
        .into_iter()
        .filter(|file| file.file_name().unwrap().len() != 64 && file.file_name().unwrap() != "config")
        .collect();
    assert!(
        leftovers.len() <= 60,
        "half-written files are left in the vault: {leftovers:?}"
    );
}

/// What a cancelled backup stored is not stored again.
#[test]
#[ignore = "needs restic 0.18 (tests/run)"]
fn the_next_run_reuses_what_a_cancelled_one_stored() {
    let bench = Bench::new();
    let source = bench.path("source");
    fs::create_dir(&source).unwrap();
    for n in 0..60 {
        fs::write(source.join(format!("{n:02}")), noise(n, 4 << 20)).unwrap();
    }
    let vault = bench.coffer_vault("vault", &[]);
    let stored = |vault: &Path| files(&vault.join("data")).len();
    let mut child = bench
        .coffer_command(&["backup".as_ref(), "--vault".as_ref(), vault.as_ref(), source.as_ref()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    crate::support::wait_until("some packs", || stored(&vault) >= 3);
    crate::support::signal(&child, rustix::process::Signal::INT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(bench.coffer_generations(&vault).len(), 0);
    assert_eq!(locks(&vault).len(), 0);
    bench.restic_check(Restic::New, &vault);
    let summary = bench.coffer_backup(&vault, &source, &[]);
    let all = 60_u64 * (4 << 20);
    assert!(
        summary["data_added"].as_u64().unwrap() <= all - (32 << 20),
        "packs of the cancelled run are reused: {summary}"
    );
    bench.restic_check(Restic::New, &vault);
}

struct Mounted(PathBuf);

impl Mounted {
    fn small(folder: PathBuf, size: &str) -> Mounted {
        fs::create_dir(&folder).unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&folder)
            .status()
            .unwrap();
        assert!(status.success(), "mounting a small disk needs root");
        Mounted(folder)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
#[ignore = "needs root, for a small disk (tests/run)"]
fn full_disks_are_told_and_harm_nothing() {
    let bench = Bench::new();
    let source = bench.path("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("small"), noise(1, 1 << 20)).unwrap();
    let disk = Mounted::small(bench.path("disk"), "24m");
    let vault = bench.coffer_vault("disk/vault", &[]);
    bench.coffer_backup(&vault, &source, &[]);
    fs::write(source.join("large"), noise(2, 60 << 20)).unwrap();
    let output = bench.coffer_any(&[
        "backup".as_ref(),
        "--host".as_ref(),
        HOST.as_ref(),
        "--vault".as_ref(),
        vault.as_os_str(),
        source.as_os_str(),
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    assert!(both(&output).contains("No space left"), "{}", both(&output));
    assert_eq!(locks(&vault).len(), 0);
    assert_eq!(bench.coffer_generations(&vault).len(), 1);

    let target = Mounted::small(bench.path("small target"), "500k");
    let output = bench.coffer_any(&[
        "restore".as_ref(),
        "latest".as_ref(),
        "--vault".as_ref(),
        vault.as_os_str(),
        "--target".as_ref(),
        target.0.as_os_str(),
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    assert!(both(&output).contains("No space left"), "{}", both(&output));
    let half = target.0.join(source.strip_prefix("/").unwrap()).join("small");
    assert!(
        !half.exists() || fs::read(&half).unwrap() == noise(1, 1 << 20),
        "a half file has its final name"
    );
    drop(target);

    // More room, and the same vault goes on.
    let status = Command::new("mount")
        .args(["-o", "remount,size=200m"])
        .arg(&disk.0)
        .status()
        .unwrap();
    assert!(status.success());
    bench.coffer_backup(&vault, &source, &[]);
    bench.coffer_check(&vault);
}

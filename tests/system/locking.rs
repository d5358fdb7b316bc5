//! Locks between the two programs, and that none is left behind.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::Signal;

use crate::edge::noise;
use crate::support::{Bench, Restic, both, locks, os, signal, wait_until};

/// A program that holds a lock for as long as its standard input is open.
fn holding(mut command: std::process::Command, vault: &Path) -> Child {
    let before = locks(vault).len();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(b"something\n").unwrap();
    wait_until("the lock to appear", || locks(vault).len() > before);
    child
}

fn finish(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

/// Stops a program at the moment its lock file is there.
fn stopped_with_lock(mut command: std::process::Command, vault: &Path) -> Child {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the lock to appear", || !locks(vault).is_empty());
    signal(&child, Signal::STOP);
    assert!(!locks(vault).is_empty(), "stopped too late: the lock was gone again");
    child
}

fn vault_with_data(bench: &Bench) -> (std::path::PathBuf, std::path::PathBuf) {
    let vault = bench.coffer_vault("vault", &[]);
    let source = bench.path("source");
    std::fs::create_dir(&source).unwrap();
    for n in 0..40 {
        std::fs::write(source.join(format!("file {n}")), noise(n, 2_000_000)).unwrap();
    }
    bench.coffer_backup(&vault, &source, &[]);
    assert_eq!(locks(&vault).len(), 0);
    (vault, source)
}

#[test]
#[ignore = "needs restic 0.18 (tests/run)"]
fn coffer_respects_restics_locks() {
    let bench = Bench::new();
    let (vault, source) = vault_with_data(&bench);
    let words = |words: &[&str]| -> Vec<OsString> {
        let mut out = os(words);
        out.extend(["--vault".into(), vault.clone().into()]);
        out
    };

    let mut backup = words(&["backup"]);
    backup.push(source.clone().into());

    let shared = holding(
        bench.restic_command(Restic::New, &vault, &["backup".as_ref(), "--stdin".as_ref()]),
        &vault,
    );
    bench.coffer_backup(&vault, &source, &[]);
    let refused = bench.coffer_any(&words(&["check"]));
    assert_eq!(refused.status.code(), Some(11), "{}", both(&refused));
    let text = both(&refused);
    assert!(
        text.contains("unlock") && text.contains(&shared.id().to_string()),
        "says who holds it and what to do: {text}"
    );
    finish(shared);
    bench.coffer(&words(&["check"]));

    let exclusive = stopped_with_lock(
        bench.restic_command(Restic::New, &vault, &["check".as_ref(), "--read-data".as_ref()]),
        &vault,
    );
    let refused = bench.coffer_any(&backup);
    assert_eq!(refused.status.code(), Some(11), "{}", both(&refused));
    // Alive and young: unlock leaves it.
    bench.coffer(&words(&["unlock"]));
    assert_eq!(locks(&vault).len(), 1);
    signal(&exclusive, Signal::CONT);
    let ended = exclusive.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", both(&ended));

    let mut killed = stopped_with_lock(
        bench.restic_command(Restic::New, &vault, &["check".as_ref(), "--read-data".as_ref()]),
        &vault,
    );
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(bench.coffer_any(&backup).status.code(), Some(11));
    bench.coffer(&words(&["unlock"]));
    assert_eq!(locks(&vault).len(), 0, "a dead process's lock on this host is stale");
    bench.coffer_backup(&vault, &source, &[]);
}

#[test]
#[ignore = "needs restic 0.18 (tests/run)"]
fn restic_respects_coffers_locks() {
    let bench = Bench::new();
    let (vault, source) = vault_with_data(&bench);
    let vault_words: [&OsStr; 2] = ["--vault".as_ref(), vault.as_os_str()];

    let stdin: [&OsStr; 4] = [
        "backup".as_ref(),
        "--stdin".as_ref(),
        "--stdin-filename".as_ref(),
        "dump.sql".as_ref(),
    ];
    let shared = holding(bench.coffer_command(&[&stdin[..], &vault_words].concat()), &vault);
    bench.restic_backup(Restic::New, &vault, &source, &[]);
    let refused = bench.restic_any(Restic::New, &vault, &["prune"]);
    assert_eq!(refused.status.code(), Some(11), "{}", both(&refused));
    finish(shared);
    bench.restic(Restic::New, &vault, &["prune"]);
    let generations = bench.coffer_generations(&vault);
    let piped = generations
        .iter()
        .find(|generation| generation["paths"][0] == "/dump.sql")
        .unwrap();
    let id = OsString::from(piped["id"].as_str().unwrap());
    let dump: [&OsStr; 3] = ["dump".as_ref(), id.as_os_str(), "/dump.sql".as_ref()];
    let dumped = bench.coffer(&[&dump[..], &vault_words].concat());
    assert_eq!(dumped.stdout, b"something\n");

    let check: [&OsStr; 2] = ["check".as_ref(), "--read-data".as_ref()];
    let exclusive = stopped_with_lock(bench.coffer_command(&[&check[..], &vault_words].concat()), &vault);
    let refused = bench.restic_any(Restic::New, &vault, &["backup".as_ref(), source.as_os_str()]);
    assert_eq!(refused.status.code(), Some(11), "{}", both(&refused));
    bench.restic(Restic::New, &vault, &["unlock"]);
    assert_eq!(
        locks(&vault).len(),
        1,
        "restic sees a live process of this host behind the lock"
    );
    signal(&exclusive, Signal::CONT);
    let ended = exclusive.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", both(&ended));
    assert_eq!(locks(&vault).len(), 0);
}

#[test]
#[ignore = "needs restic 0.18 (tests/run)"]
fn no_lock_is_left_after_signals() {
    let bench = Bench::new();
    let (vault, source) = vault_with_data(&bench);
    let vault_words: [&OsStr; 2] = ["--vault".as_ref(), vault.as_os_str()];
    for which in [Signal::INT, Signal::TERM] {
        let stdin: [&OsStr; 4] = [
            "backup".as_ref(),
            "--stdin".as_ref(),
            "--stdin-filename".as_ref(),
            "pipe".as_ref(),
        ];
        let mut child = holding(bench.coffer_command(&[&stdin[..], &vault_words].concat()), &vault);
        // Held open: the signal alone must end it, while it waits for input.
        let input = child.stdin.take();
        signal(&child, which);
        let status = child.wait().unwrap();
        drop(input);
        assert_eq!(status.code(), Some(130), "{which:?}");
        assert_eq!(locks(&vault).len(), 0, "{which:?}");
    }

    // The terminal goes away: the system sends SIGHUP.
    let pty = portable_pty::native_pty_system()
        .openpty(portable_pty::PtySize::default())
        .unwrap();
    let plain = bench.coffer_command(
        &[
            &["backup".as_ref(), source.as_os_str(), "--force".as_ref()][..],
            &vault_words,
        ]
        .concat(),
    );
    let mut command = portable_pty::CommandBuilder::new(plain.get_program());
    command.args(plain.get_args());
    command.cwd(&source);
    for (name, value) in plain.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    wait_until("the lock to appear", || !locks(&vault).is_empty());
    // Held still meanwhile, so that it cannot be through before the line is gone; the hang-up itself wakes it.
    let process = child
        .process_id()
        .and_then(|id| rustix::process::Pid::from_raw(id as i32));
    rustix::process::kill_process(process.unwrap(), Signal::STOP).unwrap();
    assert!(!locks(&vault).is_empty(), "stopped too late: the lock was gone again");
    drop(pty.master);
    let status = child.wait().unwrap();
    assert_eq!(status.exit_code(), 130, "{status:?}");
    assert_eq!(locks(&vault).len(), 0, "the terminal is gone");

    // A SIGHUP with the terminal still there, or with none, is restic asking whether a lock's process is alive.
    let stdin: [&OsStr; 4] = [
        "backup".as_ref(),
        "--stdin".as_ref(),
        "--stdin-filename".as_ref(),
        "pipe".as_ref(),
    ];
    let child = holding(bench.coffer_command(&[&stdin[..], &vault_words].concat()), &vault);
    signal(&child, Signal::HUP);
    finish(child);
    assert_eq!(locks(&vault).len(), 0);

    // The reader of our output goes away.
    for words in [vec!["ls", "latest"], vec!["dump", "latest", "/", "--archive", "tar"]] {
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        let mut child = bench
            .coffer_command(&[&words[..], &vault_words].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(locks(&vault).len(), 0, "{words:?}");
        assert!(!both(&output).contains("panicked"), "{}", both(&output));
    }
    bench.coffer_backup(&vault, &source, &[]);
    bench.coffer_check(&vault);
    bench.restic_check(Restic::New, &vault);
}

//! PostgreSQL and SQLite under write load: what was acknowledged before a snapshot is there after going back to it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Volume, files, id, snapshot, snapshot_any, take};
use crate::support::{Bench, both, wait_until};

/// The user that the server runs as: it refuses root.
const NOBODY: u32 = 65_534;

/// A PostgreSQL of the test's own.
struct Server {
    bin: PathBuf,
    data: PathBuf,
    log: PathBuf,
    process: Option<Child>,
}

impl Server {
    fn new(bench: &Bench, data: &Path) -> Server {
        let pg_config = super::run(
            "sh",
            &["-c".as_ref(), "ls -d /usr/lib/postgresql/*/bin | tail -1".as_ref()],
        );
        let bin = PathBuf::from(String::from_utf8(pg_config.stdout).unwrap().trim());
        std::fs::create_dir(data).unwrap();
        std::os::unix::fs::chown(data, Some(NOBODY), Some(NOBODY)).unwrap();
        // Its parents are root's alone.
        for above in data.ancestors().skip(1).take_while(|above| *above != Path::new("/tmp")) {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(above, mode).unwrap();
        }
        let server = Server {
            bin,
            data: data.to_path_buf(),
            log: bench.path("postgres.log"),
            process: None,
        };
        let output = server
            .command("initdb")
            .args(["-A", "trust", "-N", "-D"])
            .arg(data)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", both(&output));
        server
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.uid(NOBODY).gid(NOBODY).current_dir("/").env("LC_ALL", "C");
        command
    }

    fn start(&mut self) {
        let log = File::options().append(true).create(true).open(&self.log).unwrap();
        let mut command = self.command("postgres");
        command.arg("-D").arg(&self.data).arg("-k").arg(&self.data);
        command.args(["-c", "listen_addresses="]).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().unwrap());
        wait_until("PostgreSQL answers", || self.psql("SELECT 1").status.success());
    }

    fn psql(&self, statement: &str) -> std::process::Output {
        self.client().args(["-c", statement]).output().unwrap()
    }

    fn client(&self) -> Command {
        let mut command = self.command("psql");
        command.args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-w",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            "postgres",
            "-h",
        ]);
        command.arg(&self.data);
        command
    }

    /// Ends it at once, as a power cut does.
    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            crate::support::signal(&process, rustix::process::Signal::QUIT);
            process.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Inserts 1, 2, 3, …, each a transaction of its own; what was acknowledged last.
struct Load {
    acknowledged: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    fn new(server: &Server) -> Load {
        let mut client = server
            .client()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut orders, answers) = (client.stdin.take().unwrap(), client.stdout.take().unwrap());
        let (acknowledged, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (told, stopped) = (acknowledged.clone(), stop.clone());
        let writer = std::thread::spawn(move || {
            for n in 1u64.. {
                let done = writeln!(orders, "INSERT INTO t VALUES ({n});\n\\echo {n}");
                if done.is_err() || stopped.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(answers).lines() {
                let Ok(n) = line.unwrap_or_default().trim().parse() else {
                    break;
                };
                told.store(n, Ordering::SeqCst);
            }
            let _ = client.kill();
            client.wait().unwrap();
        });
        Load {
            acknowledged,
            stop,
            threads: vec![writer, reader],
        }
    }

    fn last(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

#[test]
#[ignore = "needs root, btrfs-progs, postgresql (tests/run)"]
fn postgresql_has_every_acknowledged_transaction_after_going_back() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let mut server = Server::new(&bench, &vol.join("pg"));
    server.start();
    assert!(server.psql("CREATE TABLE t (n bigint)").status.success());
    let load = Load::new(&server);
    wait_until("transactions are written", || load.last() > 50);

    let told = both(&snapshot(&bench, &[OsStr::new("list"), "--targets".as_ref()]));
    assert!(told.contains(vol.to_str().unwrap()));
    let mut taken = Vec::new();
    for how in [&["--hook", "postgresql"][..], &["--consistency", "crash"][..]] {
        let before = load.last();
        let one = take(&bench, &vol, how);
        wait_until("the load goes on", || load.last() > before + 20);
        taken.push((before, one));
    }
    assert_eq!(taken[0].1["consistency"], "application");
    assert_eq!(taken[1].1["consistency"], "crash");
    server.kill();
    load.end();

    for (before, one) in &taken {
        std::fs::write(&server.log, "").unwrap();
        snapshot(
            &bench,
            &[
                OsStr::new("rollback"),
                id(one).as_ref(),
                "--of".as_ref(),
                vol.as_os_str(),
            ],
        );
        server.start();
        let counted = server.psql("SELECT count(*) || ' ' || max(n) FROM t");
        let text = String::from_utf8(counted.stdout).unwrap();
        let (count, last) = text.trim().split_once(' ').unwrap();
        assert_eq!(count, last, "none is missing in between");
        assert!(last.parse::<u64>().unwrap() >= *before, "{last} of {before}");
        assert!(
            server
                .psql("INSERT INTO t VALUES (0); DELETE FROM t WHERE n = 0")
                .status
                .success()
        );
        server.kill();
        let log = std::fs::read_to_string(&server.log).unwrap();
        let bad = log
            .lines()
            .find(|line| line.contains("PANIC") || line.contains("corrupt") || line.contains("invalid"));
        // The end of the log is found by a record that is none.
        assert!(bad.is_none_or(|line| line.contains("invalid record length")), "{log}");
    }
}

#[test]
#[ignore = "needs root, btrfs-progs, postgresql (tests/run)"]
fn a_tablespace_elsewhere_is_no_application_consistency() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let mut server = Server::new(&bench, &vol.join("pg"));
    server.start();
    let away = bench.path("away");
    std::fs::create_dir(&away).unwrap();
    std::os::unix::fs::chown(&away, Some(NOBODY), Some(NOBODY)).unwrap();
    let made = server.psql(&format!("CREATE TABLESPACE far LOCATION '{}'", away.display()));
    assert!(made.status.success(), "{}", both(&made));
    let words = [
        OsStr::new("take"),
        vol.as_os_str(),
        "--hook".as_ref(),
        "postgresql".as_ref(),
    ];
    let refused = both(&snapshot_any(&bench, &words));
    assert!(refused.contains("its tablespace far lies in"), "{refused}");
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn the_command_after_is_run_whatever_comes_once_the_one_before_was() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let (before, after) = (bench.path("before"), bench.path("after"));
    let run_after = format!("echo $COFFER_RESULT > '{}'", after.display());
    let words = |before: &str| {
        let words = [
            "take",
            "--run-before",
            before,
            "--run-after",
            &run_after,
            "--hook",
            "sqlite",
        ];
        let words: Vec<std::ffi::OsString> = words.iter().map(Into::into).collect();
        [words, vec![vol.clone().into()]].concat()
    };
    // No process has a database open there.
    let refused = snapshot_any(&bench, &words(&format!("touch '{}'", before.display())));
    assert!(
        both(&refused).contains("no process has a database open"),
        "{}",
        both(&refused)
    );
    assert!(before.exists());
    assert_eq!(fs::read_to_string(&after).unwrap().trim(), "failed");
    // What could not be stopped is not started.
    fs::remove_file(&after).unwrap();
    assert!(!snapshot_any(&bench, &words("exit 1")).status.success());
    assert!(!after.exists());
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn sqlite_has_every_committed_transaction_and_no_log_after_going_back() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let file = vol.join("app.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    database
        .execute_batch("PRAGMA journal_mode=wal; PRAGMA synchronous=full; CREATE TABLE t (n INTEGER)")
        .unwrap();
    database.busy_timeout(std::time::Duration::from_secs(60)).unwrap();
    let (committed, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (told, stopped) = (committed.clone(), stop.clone());
    let writer = std::thread::spawn(move || {
        for n in 1u64.. {
            database
                .execute("INSERT INTO t VALUES (?1)", [i64::try_from(n).unwrap()])
                .unwrap();
            told.store(n, Ordering::SeqCst);
            if stopped.load(Ordering::Relaxed) {
                break;
            }
        }
    });
    let last = || committed.load(Ordering::SeqCst);
    wait_until("transactions are committed", || last() > 50);
    let mut taken = Vec::new();
    for how in [&["--hook", "sqlite"][..], &["--consistency", "crash"][..]] {
        let before = last();
        let one = take(&bench, &vol, how);
        wait_until("the writer goes on", || last() > before + 20);
        taken.push((before, one));
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    let log = files(&taken[0].1).join("app.db-wal");
    assert_eq!(
        log.metadata().map_or(0, |about| about.len()),
        0,
        "the log is in the database file"
    );
    assert_eq!(
        (&taken[0].1["consistency"], &taken[1].1["consistency"]),
        (&"application".into(), &"crash".into())
    );
    for (before, one) in &taken {
        snapshot(
            &bench,
            &[
                OsStr::new("rollback"),
                id(one).as_ref(),
                "--of".as_ref(),
                vol.as_os_str(),
            ],
        );
        let database = rusqlite::Connection::open(&file).unwrap();
        let sound: String = database
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok");
        let (count, most): (i64, i64) = database
            .query_row("SELECT count(*), max(n) FROM t", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(count, most);
        assert!(u64::try_from(most).unwrap() >= *before, "{most} of {before}");
    }
}

//! SQLite: its log is brought into the database file, and a write lock is held for the moment, so that no transaction is
//! half way.
//!
//! The lock is held by a process of its own: a POSIX lock is lost when its process closes any handle on the same file, and
//! this one looks into files to see what they are.

use std::io::{BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Around, Held, Prepared};
use crate::snapshot::databases::{Database, is_sqlite};
use crate::snapshot::writers::{Place, sqlite_files};
use crate::snapshot::{Error, Result};

/// The hidden subcommand.
pub const COMMAND: &str = "hold-sqlite";

fn unable(target: &str, why: String) -> Error {
    Error::Level {
        target: target.to_owned(),
        wanted: crate::snapshot::Consistency::Application,
        why,
    }
}

pub(super) fn prepare(place: Option<&Path>, around: &Around, prepared: &mut Prepared) -> Result<()> {
    let files: Vec<PathBuf> = match place {
        Some(place) => vec![place.to_path_buf()],
        None => around
            .folders
            .iter()
            .flat_map(|folder| sqlite_files(&Place::filesystem(folder)))
            .collect(),
    };
    if files.is_empty() {
        return Err(unable(
            "SQLite",
            "no process has a database open there: name it, --hook sqlite:/srv/app.db".into(),
        ));
    }
    for file in &files {
        if !is_sqlite(file) {
            return Err(unable(&file.display().to_string(), "it is no SQLite database".into()));
        }
        if !around.holds(file) {
            return Err(unable(
                &file.display().to_string(),
                "it does not lie in what is snapshotted".into(),
            ));
        }
    }
    let holder = Holder::start(around, &files)?;
    (around.note)(format!(
        "{}: holds {}",
        Database::Sqlite.name(),
        crate::text::counted(files.len() as u64, "database", "databases")
    ));
    prepared.held.push(Box::new(holder));
    Ok(())
}

/// The process that holds the locks. It ends when its pipe closes.
struct Holder(Child);

impl Holder {
    fn start(around: &Around, files: &[PathBuf]) -> Result<Holder> {
        let (limit, hold) = (around.limit, around.hold);
        let failed = |said: String| Error::Command {
            command: "holding the SQLite databases".into(),
            said,
        };
        let mut child = Command::new(around.program)
            .arg(COMMAND)
            .arg(limit.as_secs().max(1).to_string())
            .arg(hold.as_secs().max(1).to_string())
            .args(files)
            .env_remove("COFFER_PASSWORD")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.to_string()))?;
        let answers = child.stdout.take();
        let complaints = child.stderr.take();
        let holder = Holder(child);
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = answers.map(|answers| BufReader::new(answers).read_line(&mut line));
            if line != "held\n" {
                line.clear();
                let _ = complaints.map(|complaints| BufReader::new(complaints).read_line(&mut line));
            }
            let _ = tell.send(line);
        });
        match told.recv_timeout(limit + Duration::from_secs(5)) {
            Ok(line) if line == "held\n" => Ok(holder),
            Ok(line) => Err(failed(line.trim_end().to_owned())),
            Err(_) => Err(Error::TimedOut {
                what: "waiting for the transactions of the SQLite databases".into(),
                seconds: limit.as_secs(),
                then: "; nothing was taken".into(),
            }),
        }
    }

    fn end(&mut self) -> Option<std::process::ExitStatus> {
        drop(self.0.stdin.take());
        self.0.wait().ok()
    }
}

impl Held for Holder {
    fn release(mut self: Box<Self>) -> Result<()> {
        match self.end() {
            Some(status) if status.success() => Ok(()),
            _ => Err(Error::Command {
                command: "holding the SQLite databases".into(),
                said: "the process that held them ended before it was told to, at the time limit perhaps; nothing was kept"
                    .into(),
            }),
        }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.end();
    }
}

/// How often a lock is asked for. SQLite's own waiting looks every tenth of a second in the end, and so may never find the
/// moment between two transactions of a program that writes without a pause.
const EVERY: Duration = Duration::from_millis(1);

/// How long a lock is let go again because its database's log is not empty.
const EMPTY: Duration = Duration::from_secs(10);

/// Empties a database's log into its file and takes its write lock, for which it waits as long as `patience`. A log that
/// readers keep from being emptied is no harm: it is in the snapshot too.
fn lock(database: &Connection, patience: Duration) -> rusqlite::Result<()> {
    let end = Instant::now() + patience;
    let enough = Instant::now() + patience.min(EMPTY);
    let log = database.path().map(|file| PathBuf::from(format!("{file}-wal")));
    let is_empty = || {
        let length = log.as_ref().and_then(|log| log.metadata().ok());
        length.is_none_or(|about| about.len() == 0)
    };
    database.busy_timeout(Duration::ZERO)?;
    loop {
        // Where there is no log this does nothing. Others hold off for a moment after it, in which the lock is free.
        match database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            Err(error) if !is_busy(&error) => return Err(error),
            _ => {}
        }
        match database.execute_batch("BEGIN IMMEDIATE") {
            Ok(()) if is_empty() || Instant::now() >= enough => return Ok(()),
            Ok(()) => database.execute_batch("ROLLBACK")?,
            Err(error) if !is_busy(&error) || Instant::now() >= end => return Err(error),
            Err(_) => std::thread::sleep(EVERY),
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// The holding process's own side: locks each database, for which it waits as long as `limit`, says `held`, and waits for
/// the end of `orders`. Writers are held no longer than `hold`, whoever hangs: an error then.
pub fn hold(
    files: &[PathBuf],
    limit: Duration,
    hold: Duration,
    mut orders: impl std::io::Read + Send + 'static,
    mut answers: impl Write,
) -> Result<(), String> {
    let mut open = Vec::new();
    let mut until = None;
    for file in files {
        let failed = |error: rusqlite::Error| format!("{}: {error}", file.display());
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(file, flags).map_err(failed)?;
        let left = |until: Instant| until.saturating_duration_since(Instant::now());
        let patience = until.map_or(limit, |until| limit.min(left(until)));
        lock(&database, patience).map_err(failed)?;
        until.get_or_insert_with(|| Instant::now() + hold);
        open.push(database);
    }
    answers
        .write_all(b"held\n")
        .and_then(|()| answers.flush())
        .map_err(|error| error.to_string())?;
    let (tell, told) = channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut orders, &mut std::io::sink());
        drop(tell);
    });
    let left = until.map_or(hold, |until| until.saturating_duration_since(Instant::now()));
    if told.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
        // The locks go with the connections.
        return Err(format!("held for {} seconds, no longer", hold.as_secs()));
    }
    for database in open {
        database.execute_batch("ROLLBACK").map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_else_can_write_while_a_database_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.db");
        let other = Connection::open(&file).unwrap();
        other
            .execute_batch("PRAGMA journal_mode=wal; CREATE TABLE t (n); INSERT INTO t VALUES (1)")
            .unwrap();
        other.busy_timeout(Duration::ZERO).unwrap();
        let (orders, release) = std::io::pipe().unwrap();
        let (told, tell) = std::io::pipe().unwrap();
        let files = [file.clone()];
        let holder =
            std::thread::spawn(move || hold(&files, Duration::from_secs(20), Duration::from_secs(60), orders, tell));
        let mut line = String::new();
        BufReader::new(told).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        let refused = other.execute("INSERT INTO t VALUES (2)", []).unwrap_err().to_string();
        assert!(refused.contains("locked"), "{refused}");
        assert_eq!(
            folder.path().join("app.db-wal").metadata().unwrap().len(),
            0,
            "the log is in the file"
        );
        drop(release);
        holder.join().unwrap().unwrap();
        other.execute("INSERT INTO t VALUES (2)", []).unwrap();
    }

    #[test]
    fn a_database_that_is_written_to_without_a_pause_is_held_with_its_log_empty() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.db");
        let writer = Connection::open(&file).unwrap();
        writer
            .execute_batch("PRAGMA journal_mode=wal; CREATE TABLE t (n)")
            .unwrap();
        writer.busy_timeout(Duration::from_secs(60)).unwrap();
        let (stop, stopped) = channel::<()>();
        let (begin, begun) = channel();
        let writing = std::thread::spawn(move || {
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                writer.execute("INSERT INTO t VALUES (1)", []).unwrap();
                let _ = begin.send(());
            }
        });
        begun.recv().unwrap();
        let database = Connection::open(&file).unwrap();
        for _ in 0..20 {
            lock(&database, Duration::from_secs(60)).unwrap();
            let log = folder.path().join("app.db-wal").metadata().unwrap().len();
            database.execute_batch("ROLLBACK").unwrap();
            assert_eq!(log, 0, "the log is in the file");
        }
        drop(stop);
        writing.join().unwrap();
    }

    #[test]
    fn it_is_let_go_at_the_limit_whoever_hangs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.db");
        let other = Connection::open(&file).unwrap();
        other.execute_batch("CREATE TABLE t (n)").unwrap();
        // Nobody ever says that it may go.
        let (orders, _release) = std::io::pipe().unwrap();
        let mut said = Vec::new();
        let limit = Duration::from_millis(50);
        let late = hold(&[file], Duration::from_secs(20), limit, orders, &mut said).unwrap_err();
        assert!(late.contains("no longer"), "{late}");
        assert_eq!(said, b"held\n");
        other.execute("INSERT INTO t VALUES (2)", []).unwrap();
    }
}

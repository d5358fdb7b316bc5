//! MySQL, MariaDB and Redis, told by their own clients, which find the server and the password as their own configuration
//! says (`~/.my.cnf`, `REDISCLI_AUTH`). `mongodb` does the same in its own way.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Around, Held, Prepared};
use crate::snapshot::databases::Database;
use crate::snapshot::shelf::path_text;
use crate::snapshot::system::{Program, said};
use crate::snapshot::{Consistency, Error, Result, Writer};

const MYSQL: Program = Program {
    name: "mysql",
    package: "default-mysql-client",
    what: "telling MySQL of the snapshot",
};
const REDIS: Program = Program {
    name: "redis-cli",
    package: "redis-tools",
    what: "telling Redis of the snapshot",
};

/// `place` is a server's socket, for one that its own client does not find.
pub(super) fn prepare(
    database: Database,
    place: Option<&Path>,
    around: &Around,
    prepared: &mut Prepared,
) -> Result<()> {
    match (database, place) {
        (Database::MySql, _) => prepared.held.push(Box::new(Tables::hold(place, around)?)),
        _ => redis(place, around)?,
    }
    (around.note)(format!("{}: told of the snapshot", database.name()));
    Ok(())
}

/// Has each Redis that works in what is snapshotted save, or the one at the socket, or the usual one.
fn redis(place: Option<&Path>, around: &Around) -> Result<()> {
    let mut servers: Vec<Vec<String>> = match place {
        Some(socket) => vec![vec!["-s".into(), path_text(socket)]],
        None => redis_servers(around),
    };
    if servers.is_empty() {
        servers.push(Vec::new());
    }
    for server in servers {
        let say = |words: &[&str]| {
            let all: Vec<&str> = server.iter().map(String::as_str).chain(words.iter().copied()).collect();
            ask(&REDIS, &all, &words.join(" "), Database::Redis, around.limit)
        };
        // The answer is the setting's name and its value, a line each; a server may be told not to say.
        let folder = say(&["CONFIG", "GET", "dir"])?;
        if let Some(folder) = folder.lines().nth(1) {
            within(Database::Redis, Path::new(folder), around)?;
        }
        // What it wrote last is the file; its own answer is OK, or says why not.
        let answer = say(&["SAVE"])?;
        if !answer.trim_start().starts_with("OK") {
            return Err(refused(Database::Redis, "SAVE", answer.trim().to_owned()));
        }
    }
    Ok(())
}

/// How those that write here are reached: they call themselves by their address, `redis-server 127.0.0.1:6379`.
fn redis_servers(around: &Around) -> Vec<Vec<String>> {
    let own = |writer: &&Writer| writer.database.as_deref() == Some(Database::Redis.name());
    let called = around.writers.iter().filter(own).filter_map(|writer| {
        let line = std::fs::read(format!("/proc/{}/cmdline", writer.pid)).ok()?;
        redis_address(&String::from_utf8_lossy(&line))
    });
    called.collect()
}

fn redis_address(called: &str) -> Option<Vec<String>> {
    let address = called.trim_matches('\0').split_whitespace().nth(1)?;
    let words = |words: [&str; 4]| Some(words.map(str::to_owned).to_vec());
    match address.rsplit_once(':')? {
        ("unixsocket", socket) => Some(vec!["-s".into(), socket.to_owned()]),
        ("*" | "0.0.0.0" | "[::]" | "::", port) => words(["-h", "127.0.0.1", "-p", port]),
        (host, port) => words(["-h", host.trim_matches(['[', ']']), "-p", port]),
    }
}

/// Refuses where the data lies elsewhere.
pub(super) fn within(database: Database, folder: &Path, around: &Around) -> Result<()> {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    match around.holds(&real) {
        true => Ok(()),
        false => Err(Error::Level {
            target: database.name().into(),
            wanted: Consistency::Application,
            why: format!(
                "its data lie in {}, which is not snapshotted: leave the hook away, or take that too",
                real.display()
            ),
        }),
    }
}

pub(super) fn refused(database: Database, what: &str, said: String) -> Error {
    Error::Refused {
        who: database.name().into(),
        what: what.into(),
        said,
    }
}

/// Runs a client; what it answered. `what` it was told is named when it fails.
pub(super) fn ask(
    program: &Program,
    arguments: &[&str],
    what: &str,
    database: Database,
    limit: Duration,
) -> Result<String> {
    let words: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let output = program.output_within(&words, limit)?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(refused(database, what, said(&output))),
    }
}

/// MySQL's tables, held by a session that ends with its client, and that with our end of its pipe.
struct Tables {
    session: Option<ChildStdin>,
    timer: Timer,
    /// What the client prints, line by line: answers, and what it complains of when it ends.
    answers: Receiver<String>,
    limit: Duration,
}

impl Tables {
    fn hold(socket: Option<&Path>, around: &Around) -> Result<Tables> {
        // A session that came anew would hold nothing.
        let mut words = ["--batch", "--skip-column-names", "--unbuffered", "--skip-reconnect"]
            .map(OsStr::new)
            .to_vec();
        words.extend(
            socket
                .into_iter()
                .flat_map(|socket| [OsStr::new("--socket"), socket.as_os_str()]),
        );
        let mut client = MYSQL
            .command(&words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| MYSQL.not_started(error))?;
        let (out, complaints) = (client.stdout.take(), client.stderr.take());
        let session = client.stdin.take();
        let (tell, answers) = channel();
        std::thread::spawn(move || {
            let out: Option<Box<dyn Read>> = out.map(|out| Box::new(out) as _);
            let complaints: Option<Box<dyn Read>> = complaints.map(|from| Box::new(from) as _);
            let lines = out
                .into_iter()
                .chain(complaints)
                .flat_map(|from| BufReader::new(from).lines());
            let _ = lines.map_while(|line| line.ok()).try_for_each(|line| tell.send(line));
        });
        let mut tables = Tables {
            session,
            timer: Timer::start(client, around.hold),
            answers,
            limit: around.limit,
        };
        let nothing = "; nothing was taken";
        tables.ask("FLUSH TABLES WITH READ LOCK", "hold its tables", nothing)?;
        let folder = tables.ask("SELECT @@datadir", "say where its data are", nothing)?;
        within(Database::MySql, Path::new(&folder), around)?;
        Ok(tables)
    }

    /// Has the session do something, and waits until that is done; the first line that it answered.
    fn ask(&mut self, statement: &'static str, what: &str, then: &str) -> Result<String> {
        let failed = |said: String| refused(Database::MySql, statement, said);
        if let Some(session) = &mut self.session {
            // Where the client has ended, what it said of that is worth more than that the pipe is closed.
            let _ = write!(session, "{statement};\nSELECT '{DONE}';\n").and_then(|()| session.flush());
        }
        let mut first = None;
        loop {
            match self.answers.recv_timeout(self.limit) {
                Ok(line) if line.trim() == DONE => return Ok(first.unwrap_or_default()),
                Ok(line) if line.starts_with("ERROR ") => return Err(failed(line)),
                Ok(line) => {
                    first.get_or_insert(line);
                }
                Err(RecvTimeoutError::Disconnected) if self.timer.rang() => {
                    return Err(Error::TimedOut {
                        what: "holding the tables of MySQL".into(),
                        seconds: self.timer.limit.as_secs(),
                        then: "; they were let go, and nothing was kept".into(),
                    });
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(failed(first.unwrap_or_else(|| "the session has ended".into())));
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Error::TimedOut {
                        what: format!("waiting for MySQL to {what}"),
                        seconds: self.limit.as_secs(),
                        then: then.into(),
                    });
                }
            }
        }
    }
}

/// What the session says when it has done what it was asked.
const DONE: &str = "coffer: done";

impl Held for Tables {
    /// That the session still answers says that its lock was there all the time.
    fn release(mut self: Box<Self>) -> Result<()> {
        self.ask("UNLOCK TABLES", "let its tables go", "; nothing was kept")
            .map(drop)
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        drop(self.session.take());
        // Before the answers' end is closed.
        self.timer.end();
    }
}

/// Ends a client at a time limit, or when it is told to: the server lets the tables go when the session's connection is
/// closed, whatever the client waits for.
struct Timer {
    limit: Duration,
    rang: Arc<AtomicBool>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Timer {
    fn start(mut client: Child, limit: Duration) -> Timer {
        let (stop, stopped) = channel::<()>();
        let rang = Arc::new(AtomicBool::new(false));
        let ring = Arc::clone(&rang);
        let thread = std::thread::spawn(move || {
            let late = stopped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            ring.store(late, Ordering::Release);
            let _ = client.kill();
            let _ = client.wait();
        });
        Timer {
            limit,
            rang,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Whether it was the time limit that ended the client.
    fn rang(&self) -> bool {
        self.rang.load(Ordering::Acquire)
    }

    fn end(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_ended_at_the_limit_and_when_told() {
        let client = || {
            let mut command = std::process::Command::new("sleep");
            command.arg("1000").stdout(Stdio::piped()).spawn().unwrap()
        };
        // Its output ends when it does.
        let wait = |out: Option<std::process::ChildStdout>| out.unwrap().read_to_end(&mut Vec::new()).unwrap();
        let mut late = client();
        let out = late.stdout.take();
        let timer = Timer::start(late, Duration::from_millis(50));
        wait(out);
        assert!(timer.rang());
        let mut told = client();
        let out = told.stdout.take();
        let mut timer = Timer::start(told, Duration::from_secs(1000));
        timer.end();
        wait(out);
        assert!(!timer.rang());
    }

    #[test]
    fn a_redis_is_reached_as_it_calls_itself() {
        let reached = |called: &str| redis_address(called).map(|words| words.join(" "));
        assert_eq!(
            reached("redis-server 127.0.0.1:7391\0\0\0").as_deref(),
            Some("-h 127.0.0.1 -p 7391")
        );
        assert_eq!(
            reached("redis-server *:6379 [cluster]\0").as_deref(),
            Some("-h 127.0.0.1 -p 6379")
        );
        assert_eq!(reached("redis-server [::1]:6379").as_deref(), Some("-h ::1 -p 6379"));
        assert_eq!(
            reached("redis-server unixsocket:/run/r.sock\0").as_deref(),
            Some("-s /run/r.sock")
        );
        assert_eq!(reached("redis-server"), None);
    }
}

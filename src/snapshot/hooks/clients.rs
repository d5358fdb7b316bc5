//! MySQL, MariaDB, Redis and MongoDB, told by their own clients, which find the server and the password as their own
//! configuration says (`~/.my.cnf`, `REDISCLI_AUTH`).

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::{Around, Held, Prepared};
use crate::snapshot::databases::Database;
use crate::snapshot::system::{Program, said};
use crate::snapshot::{Error, Result};

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
const MONGO: Program = Program {
    name: "mongosh",
    package: "mongodb-mongosh",
    what: "telling MongoDB of the snapshot",
};

pub(super) fn prepare(database: Database, around: &Around, prepared: &mut Prepared) -> Result<()> {
    match database {
        Database::MySql => prepared.held.push(Box::new(Tables::hold(around)?)),
        Database::MongoDb => {
            let lock = "const r = db.fsyncLock(); if (!r.ok) { quit(1) }";
            ask(&MONGO, &["--quiet", "--eval", lock], database)?;
            prepared.held.push(Box::new(Locked));
        }
        // What it wrote last is the file; its own answer is OK, or says why not.
        _ => {
            let answer = ask(&REDIS, &["SAVE"], database)?;
            if !answer.trim_start().starts_with("OK") {
                return Err(refused(database, "SAVE", answer.trim().to_owned()));
            }
        }
    }
    (around.note)(format!("{}: told of the snapshot", database.name()));
    Ok(())
}

fn refused(database: Database, what: &str, said: String) -> Error {
    Error::Refused {
        who: database.name().into(),
        what: what.into(),
        said,
    }
}

fn ask(program: &Program, arguments: &[&str], database: Database) -> Result<String> {
    let words: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let output = program.output(&words)?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(refused(database, arguments.last().unwrap_or(&""), said(&output))),
    }
}

/// MongoDB's lock, which outlives the client.
struct Locked;

const UNLOCK: [&str; 3] = ["--quiet", "--eval", "db.fsyncUnlock()"];

impl Held for Locked {
    fn release(self: Box<Self>) -> Result<()> {
        let done = ask(&MONGO, &UNLOCK, Database::MongoDb).map(drop);
        // Not once more by being dropped: locks are counted.
        std::mem::forget(self);
        done
    }

    fn remedy(&self) -> Option<String> {
        let words: Vec<&str> = std::iter::once(MONGO.name).chain(UNLOCK).collect();
        serde_json::to_string(&words).ok().map(|words| format!("run:{words}"))
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if let Err(error) = ask(&MONGO, &UNLOCK, Database::MongoDb) {
            tracing::error!("{error}");
        }
    }
}

/// MySQL's tables, held by a session that ends with its client, and that with our end of its pipe.
struct Tables {
    client: Child,
    session: Option<ChildStdin>,
    /// What the client prints, line by line: answers, and what it complains of when it ends.
    answers: Receiver<String>,
    limit: Duration,
}

impl Tables {
    fn hold(around: &Around) -> Result<Tables> {
        // A session that came anew would hold nothing.
        let words = ["--batch", "--skip-column-names", "--unbuffered", "--skip-reconnect"].map(OsStr::new);
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
            client,
            session,
            answers,
            limit: around.limit,
        };
        tables.ask("FLUSH TABLES WITH READ LOCK", "hold its tables", "; nothing was taken")?;
        Ok(tables)
    }

    /// Has the session do something, and waits until that is done.
    fn ask(&mut self, statement: &'static str, what: &str, then: &str) -> Result<()> {
        let failed = |said: String| refused(Database::MySql, statement, said);
        if let Some(session) = &mut self.session {
            // Where the client has ended, what it said of that is worth more than that the pipe is closed.
            let _ = write!(session, "{statement};\nSELECT 'done';\n").and_then(|()| session.flush());
        }
        match self.answers.recv_timeout(self.limit) {
            Ok(line) if line.trim() == "done" => Ok(()),
            Ok(line) => Err(failed(line.trim().to_owned())),
            Err(RecvTimeoutError::Disconnected) => Err(failed("the session has ended".into())),
            Err(RecvTimeoutError::Timeout) => Err(Error::TimedOut {
                what: format!("waiting for MySQL to {what}"),
                seconds: self.limit.as_secs(),
                then: then.into(),
            }),
        }
    }
}

impl Held for Tables {
    /// That the session still answers says that its lock was there all the time.
    fn release(mut self: Box<Self>) -> Result<()> {
        self.ask("UNLOCK TABLES", "let its tables go", "; nothing was kept")
    }
}

impl Drop for Tables {
    /// The server lets the tables go when the session's connection is closed, whatever the client waits for.
    fn drop(&mut self) {
        drop(self.session.take());
        let _ = self.client.kill();
        let _ = self.client.wait();
    }
}

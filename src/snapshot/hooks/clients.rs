//! MySQL, MariaDB, Redis and MongoDB, told by their own clients, which find the server and the password as their own
//! configuration says (`~/.my.cnf`, `REDISCLI_AUTH`).

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::channel;

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
}

impl Tables {
    fn hold(around: &Around) -> Result<Tables> {
        let failed = |said: String| refused(Database::MySql, "FLUSH TABLES WITH READ LOCK", said);
        let words = ["--batch", "--skip-column-names", "--unbuffered"].map(OsStr::new);
        let mut client = MYSQL
            .command(&words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| MYSQL.not_started(error))?;
        let (answers, complaints) = (client.stdout.take(), client.stderr.take());
        let session = client.stdin.take();
        let mut tables = Tables { client, session };
        if let Some(session) = &mut tables.session {
            session
                .write_all(b"FLUSH TABLES WITH READ LOCK;\nSELECT 'held';\n")
                .and_then(|()| session.flush())
                .map_err(|error| failed(error.to_string()))?;
        }
        let (tell, told) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = answers.map(|answers| BufReader::new(answers).read_line(&mut line));
            if line.trim() != "held" {
                line.clear();
                let _ = complaints.map(|complaints| BufReader::new(complaints).read_line(&mut line));
            }
            let _ = tell.send(line.trim().to_owned());
        });
        match told.recv_timeout(around.limit) {
            Ok(line) if line == "held" => Ok(tables),
            Ok(line) => Err(failed(line)),
            Err(_) => Err(Error::TimedOut {
                what: "waiting for MySQL to hold its tables".into(),
                seconds: around.limit.as_secs(),
                then: "; nothing was taken".into(),
            }),
        }
    }
}

impl Held for Tables {
    fn release(mut self: Box<Self>) -> Result<()> {
        let mut alive = matches!(self.client.try_wait(), Ok(None));
        if let Some(session) = &mut self.session {
            alive &= session.write_all(b"UNLOCK TABLES;\n").is_ok();
        }
        match alive {
            true => Ok(()),
            false => Err(refused(
                Database::MySql,
                "UNLOCK TABLES",
                "the session that held the tables ended before; nothing was kept".into(),
            )),
        }
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        drop(self.session.take());
        let _ = self.client.wait();
    }
}

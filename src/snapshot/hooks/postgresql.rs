//! PostgreSQL. Its documentation ("File System Level Backup") holds a snapshot of one moment to be sound as long as data
//! folder, write-ahead log and all tablespaces are in it: started from it the server replays its log, and every transaction
//! that was acknowledged is there. So this makes sure of just that, and lets the server write a checkpoint, so that there
//! is little to replay. `pg_backup_start` would add nothing: it is for copies that are not of one moment.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};

use super::{Around, Prepared};
use crate::snapshot::databases::Database;
use crate::snapshot::system::{Program, io_error, is_root, said};
use crate::snapshot::{Consistency, Error, Result};

const PSQL: Program = Program {
    name: "psql",
    package: "postgresql-client",
    what: "telling PostgreSQL of the snapshot",
};

/// What is asked: settings that a snapshot relies on, and where tablespaces lie, a row each.
const ASK: &str = "SELECT 'setting', name, setting FROM pg_settings \
    WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') \
    UNION ALL SELECT 'tablespace', spcname, pg_tablespace_location(oid) FROM pg_tablespace \
    WHERE pg_tablespace_location(oid) <> ''";

fn unable(data: &Path, why: String) -> Error {
    Error::Level {
        target: format!("the PostgreSQL in {}", data.display()),
        wanted: Consistency::Application,
        why,
    }
}

pub(super) fn prepare(place: Option<&Path>, around: &Around, prepared: &mut Prepared) -> Result<()> {
    let folders = match place {
        Some(place) => BTreeSet::from([place.to_path_buf()]),
        None => running(around),
    };
    if folders.is_empty() {
        return Err(Error::Level {
            target: Database::PostgreSql.name().into(),
            wanted: Consistency::Application,
            why:
                "no server runs in what is snapshotted: name its data folder (--hook postgresql:/srv/pg), or leave the \
                  hook away"
                    .into(),
        });
    }
    for data in folders {
        let server = Server::of(&data)?;
        server.look(around, prepared)?;
        server.ask("CHECKPOINT", around)?;
        (around.note)(format!("PostgreSQL in {}: checkpoint written", data.display()));
    }
    Ok(())
}

/// The data folders of the servers that write there: their processes work in them.
fn running(around: &Around) -> BTreeSet<PathBuf> {
    let servers = around
        .writers
        .iter()
        .filter(|writer| writer.database.as_deref() == Some(Database::PostgreSql.name()));
    let folders = servers.filter_map(|writer| std::fs::read_link(format!("/proc/{}/cwd", writer.pid)).ok());
    folders
        .filter(|folder| folder.join("postmaster.pid").exists() && around.holds(folder))
        .collect()
}

/// A server that runs.
struct Server {
    data: PathBuf,
    port: String,
    socket: String,
    user: (u32, u32, String),
}

impl Server {
    /// As its `postmaster.pid` tells: number, data folder, start, port, folder of its socket, a line each.
    fn of(data: &Path) -> Result<Server> {
        let file = data.join("postmaster.pid");
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(unable(
                    data,
                    "it does not run: the snapshot holds it whole without the hook".into(),
                ));
            }
            Err(error) => return Err(io_error("read", &file)(error)),
        };
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let (Some(port), Some(socket)) = (lines.get(3), lines.get(4).filter(|socket| !socket.is_empty())) else {
            return Err(unable(
                data,
                "it listens on no local socket: tell it by a command of your own (--run-before)".into(),
            ));
        };
        let about = data.metadata().map_err(io_error("look at", data))?;
        let name = uzers::get_user_by_uid(about.uid()).map(|user| user.name().to_string_lossy().into_owned());
        Ok(Server {
            data: data.to_path_buf(),
            port: (*port).to_owned(),
            socket: (*socket).to_owned(),
            user: (
                about.uid(),
                about.gid(),
                name.unwrap_or_else(|| about.uid().to_string()),
            ),
        })
    }

    /// Asks it something, as the user it belongs to, who is its first administrator.
    fn ask(&self, statement: &str, around: &Around) -> Result<String> {
        let (uid, gid, name) = &self.user;
        let words = [
            "-X",
            "-A",
            "-t",
            "-q",
            "-w",
            "-F",
            "\t",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            "postgres",
        ];
        let mut arguments: Vec<&OsStr> = words.map(OsStr::new).to_vec();
        arguments.extend(["-h", &self.socket, "-p", &self.port, "-U", name, "-c", statement].map(OsStr::new));
        let mut command = PSQL.command(&arguments);
        command.current_dir("/");
        if is_root() {
            command.uid(*uid).gid(*gid);
        }
        let output = PSQL.within(command, around.limit)?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(Error::Refused {
                who: format!("the PostgreSQL in {}", self.data.display()),
                what: statement.split_whitespace().next().unwrap_or_default().to_owned(),
                said: said(&output),
            }),
        }
    }

    /// Refuses where the snapshot would not hold all it takes to start from it.
    fn look(&self, around: &Around, prepared: &mut Prepared) -> Result<()> {
        let within = |what: &str, place: &Path| {
            let real = place.canonicalize().map_err(io_error("find", place))?;
            match around.holds(&real) {
                true => Ok(()),
                false => Err(unable(
                    &self.data,
                    format!(
                        "{what} lies in {}, which is not snapshotted: take both in a group (coffer snapshot group), or use \
                         its own way of backing up",
                        real.display()
                    ),
                )),
            }
        };
        within("its data folder", &self.data)?;
        within("its write-ahead log", &self.data.join("pg_wal"))?;
        for line in self.ask(ASK, around)?.lines() {
            let words: Vec<&str> = line.split('\t').collect();
            match words.as_slice() {
                ["tablespace", name, place] => within(&format!("its tablespace {name}"), Path::new(place))?,
                ["setting", name @ ("fsync" | "full_page_writes"), "off"] => {
                    return Err(unable(
                        &self.data,
                        format!("its setting {name} is off: nothing it has not written in peace can be relied on"),
                    ));
                }
                ["setting", "synchronous_commit", "off"] => prepared.notes.push(
                    "synchronous_commit is off: transactions acknowledged in the last moments may be missing".into(),
                ),
                _ => {}
            }
        }
        Ok(())
    }
}

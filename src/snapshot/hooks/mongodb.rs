//! MongoDB, told by its own client. Its lock outlives whoever took it, so a watchdog knows how to take it away before it is
//! there.

use std::path::Path;
use std::time::Duration;

use super::clients::{ask, refused, within};
use super::{Around, Held, Prepared};
use crate::snapshot::databases::Database;
use crate::snapshot::system::Program;
use crate::snapshot::{Error, Result};

const MONGO: Program = Program {
    name: "mongosh",
    package: "mongodb-mongosh",
    what: "telling MongoDB of the snapshot",
};

/// Where the server keeps its data unless it is told otherwise (mongod's manual).
const USUAL: &str = "/data/db";

/// What is asked: the folder of the data, a line; an empty one where it is the usual one.
const FOLDER: &str = "const s = db.adminCommand({ getCmdLineOpts: 1 }); if (!s.ok) { quit(1) } \
    print(s.parsed?.storage?.dbPath ?? '')";
const LOCK: &str = "const r = db.fsyncLock(); if (!r.ok) { quit(1) }";
const UNLOCK: &str = "db.fsyncUnlock()";

pub(super) fn prepare(
    place: Option<&Path>,
    around: &Around,
    prepared: &mut Prepared,
    watch: &mut dyn FnMut(&str) -> Result<()>,
) -> Result<()> {
    if place.is_some() {
        return Err(refused(
            Database::MongoDb,
            "a socket",
            "it is found by its usual port only: leave the path away".into(),
        ));
    }
    let told = tell(FOLDER, "getCmdLineOpts", around.limit)?;
    within(Database::MongoDb, Path::new(folder(&told)), around)?;
    watch(&remedy()?)?;
    let locked = Locked { limit: around.limit };
    match tell(LOCK, "fsyncLock", around.limit) {
        Ok(_) => prepared.held.push(Box::new(locked)),
        // It may be locked all the same, or in a moment.
        Err(error @ Error::TimedOut { .. }) => {
            prepared.doubtful = Box::new(locked).release().is_err();
            return Err(error);
        }
        Err(error) => {
            // Locks are counted: one that is not ours stays.
            std::mem::forget(locked);
            return Err(error);
        }
    }
    (around.note)(format!("{}: told of the snapshot", Database::MongoDb.name()));
    Ok(())
}

fn folder(told: &str) -> &str {
    match told.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(folder) => folder,
        None => USUAL,
    }
}

fn tell(script: &str, what: &str, limit: Duration) -> Result<String> {
    ask(&MONGO, &["--quiet", "--eval", script], what, Database::MongoDb, limit)
}

/// What a watchdog must do.
fn remedy() -> Result<String> {
    let words = serde_json::to_string(&[MONGO.name, "--quiet", "--eval", UNLOCK]);
    let words = words.map_err(|error| refused(Database::MongoDb, "fsyncUnlock", error.to_string()))?;
    Ok(format!("run:{words}"))
}

/// The lock.
struct Locked {
    limit: Duration,
}

impl Held for Locked {
    fn release(self: Box<Self>) -> Result<()> {
        let done = tell(UNLOCK, "fsyncUnlock", self.limit).map(drop);
        // Not once more by being dropped: locks are counted.
        std::mem::forget(self);
        done
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if let Err(error) = tell(UNLOCK, "fsyncUnlock", self.limit) {
            tracing::error!("{error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_folder_is_read_or_the_usual_one() {
        assert_eq!(folder("/srv/mongo\n"), "/srv/mongo");
        assert_eq!(folder("\n"), "/data/db");
        assert!(remedy().unwrap().starts_with("run:[\"mongosh\","));
    }
}

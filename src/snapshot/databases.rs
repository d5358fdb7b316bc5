//! The databases that are known: how a process is seen to be one, and what to do for a snapshot that holds its
//! transactions whole.

use std::io::Read as _;
use std::path::Path;

/// A database that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each is what it names
pub enum Database {
    PostgreSql,
    MySql,
    Sqlite,
    Redis,
    MongoDb,
}

impl Database {
    /// All.
    pub const ALL: [Database; 5] = [
        Database::PostgreSql,
        Database::MySql,
        Database::Sqlite,
        Database::Redis,
        Database::MongoDb,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Database::PostgreSql => "PostgreSQL",
            Database::MySql => "MySQL or MariaDB",
            Database::Sqlite => "SQLite",
            Database::Redis => "Redis",
            Database::MongoDb => "MongoDB",
        }
    }

    /// The name of the ready-made hook for it.
    pub fn hook(self) -> &'static str {
        match self {
            Database::PostgreSql => "postgresql",
            Database::MySql => "mysql",
            Database::Sqlite => "sqlite",
            Database::Redis => "redis",
            Database::MongoDb => "mongodb",
        }
    }

    /// The database of this name.
    pub fn of_name(name: &str) -> Option<Database> {
        Database::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What a snapshot of one moment gives it without a hook, and what the hook adds, as a sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Database::PostgreSql => {
                "PostgreSQL writes here: from a plain snapshot it recovers by its own log, which takes its time at the next \
                 start; --hook postgresql makes sure that log and tablespaces are all within and does the work beforehand"
            }
            Database::MySql => {
                "MySQL or MariaDB writes here: InnoDB tables recover from a plain snapshot, others may be damaged; \
                 --hook mysql holds all tables still for the moment"
            }
            Database::Sqlite => {
                "SQLite is written here: it recovers from a plain snapshot; --hook sqlite waits for the transaction that runs \
                 and brings the log into the database file"
            }
            Database::Redis => {
                "Redis writes here: a plain snapshot holds what it last saved, which may be minutes old; --hook redis saves \
                 beforehand"
            }
            Database::MongoDb => {
                "MongoDB writes here: it recovers from a plain snapshot when journal and data are both within; --hook mongodb \
                 holds its writes for the moment"
            }
        }
    }
}

/// Which database a process is, by its name, or by the files it has open.
pub(super) fn of<'a>(name: &str, mut files: impl Iterator<Item = &'a Path>) -> Option<Database> {
    match name {
        "postgres" | "postmaster" => Some(Database::PostgreSql),
        "mysqld" | "mariadbd" => Some(Database::MySql),
        "redis-server" | "valkey-server" | "keydb-server" => Some(Database::Redis),
        "mongod" => Some(Database::MongoDb),
        _ => files.any(is_sqlite).then_some(Database::Sqlite),
    }
}

/// The first bytes of every SQLite database (<https://www.sqlite.org/fileformat.html>).
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// Whether a file is an SQLite database.
pub(super) fn is_sqlite(path: &Path) -> bool {
    let mut start = [0; 16];
    // A pipe or a device would make this wait.
    path.metadata().is_ok_and(|about| about.is_file())
        && std::fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok() && start == *SQLITE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_known_by_name_and_by_files() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("app.db");
        std::fs::write(&database, [SQLITE.as_slice(), &[0; 84]].concat()).unwrap();
        assert_eq!(of("postgres", std::iter::empty()), Some(Database::PostgreSql));
        assert_eq!(of("python3", [database.as_path()].into_iter()), Some(Database::Sqlite));
        assert_eq!(of("python3", [folder.path()].into_iter()), None);
        for kind in Database::ALL {
            assert!(kind.advice().contains(&format!("--hook {}", kind.hook())));
            assert_eq!(Database::of_name(kind.name()), Some(kind));
        }
    }
}

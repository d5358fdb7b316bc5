//! Opening, migrating and repairing the file, and handing out connections to it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::search::Searcher;
use super::view::Orders;
use super::{Error, Result, schema};

/// How long to wait for another process's transaction.
const PATIENCE: Duration = Duration::from_secs(30);

/// The catalog: clones share it, any thread may use it.
#[derive(Debug, Clone)]
pub struct Catalog(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The file; `None` keeps everything in memory, in one connection.
    file: Option<PathBuf>,
    idle: Mutex<Vec<Opened>>,
    warnings: Mutex<Vec<String>>,
    orders: Mutex<Orders>,
    searcher: Mutex<Searcher>,
}

/// A connection, and which file it is to: the file can be deleted or moved aside under it.
#[derive(Debug)]
struct Opened {
    connection: Connection,
    identity: Option<(u64, u64)>,
}

impl Catalog {
    /// Opens the catalog in `folder`, or makes it.
    pub fn open(folder: &Path) -> Result<Catalog> {
        let catalog = Catalog::with(Some(folder.join("catalog.db")));
        let opened = catalog.connect()?;
        catalog.idle().push(opened);
        Ok(catalog)
    }

    /// A catalog that is gone with the process, for when none can be kept.
    pub fn in_memory() -> Result<Catalog> {
        let catalog = Catalog::with(None);
        let opened = catalog.connect()?;
        catalog.idle().push(opened);
        Ok(catalog)
    }

    fn with(file: Option<PathBuf>) -> Catalog {
        Catalog(Arc::new(Inner {
            file,
            idle: Mutex::default(),
            warnings: Mutex::default(),
            orders: Mutex::default(),
            searcher: Mutex::default(),
        }))
    }

    /// What the user should be told (a damaged file that was moved aside), once.
    pub fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn orders(&self) -> MutexGuard<'_, Orders> {
        self.0.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn searcher(&self) -> MutexGuard<'_, Searcher> {
        self.0.searcher.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Opened>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self) -> PathBuf {
        self.0.file.clone().unwrap_or_else(|| "in memory".into())
    }

    /// Runs reads on a connection. If the file turns out damaged, it is replaced by an empty one and `work` runs again.
    pub(super) fn read<T>(&self, mut work: impl FnMut(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.run(|connection| work(connection))
    }

    /// Runs `work` as one transaction that holds the write lock from its start.
    pub(super) fn write<T>(&self, mut work: impl FnMut(&Transaction) -> rusqlite::Result<T>) -> Result<T> {
        self.run(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
    }

    fn run<T>(&self, mut work: impl FnMut(&mut Connection) -> rusqlite::Result<T>) -> Result<T> {
        let failed = |source| Error::Sqlite {
            file: self.name(),
            source,
        };
        let Some(file) = &self.0.file else {
            // One connection holds everything, so it never leaves the lock.
            let mut idle = self.idle();
            if idle.is_empty() {
                idle.push(self.connect()?);
            }
            let Some(opened) = idle.last_mut() else {
                return Err(failed(rusqlite::Error::InvalidQuery));
            };
            return work(&mut opened.connection).map_err(failed);
        };
        let mut opened = self.take(file)?;
        let mut result = work(&mut opened.connection);
        if result.as_ref().is_err_and(is_damage) {
            let why = result.as_ref().err().map(ToString::to_string).unwrap_or_default();
            let identity = opened.identity;
            drop(opened);
            self.idle().clear();
            let guard = lock(file)?;
            self.move_aside(file, identity, &why)?;
            drop(guard);
            opened = self.connect()?;
            result = work(&mut opened.connection);
        }
        if result.is_ok() {
            self.idle().push(opened);
        }
        result.map_err(failed)
    }

    /// An idle connection to the file as it is now, or a new one.
    fn take(&self, file: &Path) -> Result<Opened> {
        let now = identity(file);
        let mut idle = self.idle();
        idle.retain(|opened| opened.identity == now && now.is_some());
        match idle.pop() {
            Some(opened) => Ok(opened),
            None => {
                drop(idle);
                self.connect()
            }
        }
    }

    fn connect(&self) -> Result<Opened> {
        let failed = |source| Error::Sqlite {
            file: self.name(),
            source,
        };
        let Some(file) = &self.0.file else {
            let mut connection = Connection::open_in_memory().map_err(failed)?;
            prepare(&mut connection).map_err(failed)?;
            return Ok(Opened {
                connection,
                identity: None,
            });
        };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::Io {
                action: "create",
                path: folder.into(),
                source,
            })?;
        }
        // Making, migrating and moving aside happen under a lock of our own: SQLite's own waits do not cover the switch
        // to WAL, and none covers a rename.
        let _guard = lock(file)?;
        for attempt in 0.. {
            let before = identity(file);
            let opened = Connection::open(file).and_then(|mut connection| {
                let version = prepare(&mut connection)?;
                Ok((connection, version))
            });
            match opened {
                Ok((connection, None)) => {
                    return Ok(Opened {
                        connection,
                        identity: identity(file),
                    });
                }
                Ok((_, Some(version))) => {
                    return Err(Error::Newer {
                        file: file.clone(),
                        version,
                        known: schema::STEPS.len() as i64,
                    });
                }
                Err(e) if attempt == 0 && is_damage(&e) => self.move_aside(file, before, &e.to_string())?,
                Err(e) => return Err(failed(e)),
            }
        }
        Err(failed(rusqlite::Error::InvalidQuery))
    }

    /// Renames a damaged file (and what belongs to it) unless somebody has replaced it already. The lock is held.
    fn move_aside(&self, file: &Path, damaged: Option<(u64, u64)>, why: &str) -> Result<()> {
        if identity(file) != damaged {
            return Ok(());
        }
        let aside = (1u32..)
            .map(|n| beside(file, &format!(".damaged-{n}")))
            .find(|path| !path.exists())
            .unwrap_or_default();
        std::fs::rename(file, &aside).map_err(|source| Error::Io {
            action: "move aside",
            path: file.into(),
            source,
        })?;
        for end in ["-wal", "-shm"] {
            let _ = std::fs::rename(beside(file, end), beside(&aside, end));
        }
        *self.orders() = Orders::default();
        let warning = format!(
            "the catalog {} was damaged ({why}); it is made again, the old one is kept as {}; what it knew of vaults comes \
             back as they are read, the job history starts anew",
            file.display(),
            aside.display()
        );
        tracing::warn!("{warning}");
        self.0
            .warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(warning);
        Ok(())
    }
}

/// Sets a connection up and brings the tables to this program's version. Gives the file's version if that is newer.
fn prepare(connection: &mut Connection) -> rusqlite::Result<Option<i64>> {
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(48);
    let known = schema::STEPS.len() as i64;
    let version = number(connection, "PRAGMA user_version")?;
    let application = number(connection, "PRAGMA application_id")?;
    let tables = || number(connection, "SELECT count(*) FROM sqlite_master");
    if (version > 0 && application != schema::APPLICATION) || (version == 0 && tables()? > 0) {
        return Err(damage("it is not Coffer's"));
    }
    if version > known {
        return Ok(Some(version));
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "cache_size", -8192)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if version < known {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = number(&transaction, "PRAGMA user_version")?;
        for step in schema::STEPS.iter().skip(usize::try_from(version).unwrap_or(0)) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", schema::APPLICATION)?;
        transaction.pragma_update(None, "user_version", known)?;
        transaction.commit()?;
    }
    let mut statement = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")?;
    let tables: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    if !schema::TABLES
        .iter()
        .all(|table| tables.iter().any(|found| found == table))
    {
        return Err(damage("tables are missing"));
    }
    Ok(None)
}

fn number(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
    connection.query_row(sql, [], |row| row.get(0))
}

fn damage(what: &str) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
        Some(what.into()),
    )
}

/// Whether the error means that the file is not what it should be, so that a new one helps.
fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error as E;
    match error {
        E::SqliteFailure(failure, text) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                || text
                    .as_ref()
                    .is_some_and(|text| text.starts_with("no such table") || text.starts_with("no such column"))
        }
        E::SqlInputError { msg, .. } => msg.starts_with("no such table") || msg.starts_with("no such column"),
        E::FromSqlConversionFailure(..) | E::IntegralValueOutOfRange(..) | E::InvalidColumnType(..) => true,
        _ => false,
    }
}

/// Which file this is, whatever its name.
fn identity(file: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(file).ok().map(|m| (m.dev(), m.ino()))
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Held while the file is made, migrated or moved aside.
fn lock(file: &Path) -> Result<std::fs::File> {
    let path = beside(file, ".lock");
    let failed = |source| Error::Io {
        action: "lock",
        path: path.clone(),
        source,
    };
    let lock = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    lock.lock().map_err(failed)?;
    Ok(lock)
}

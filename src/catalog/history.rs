//! Jobs that ran, what they did when, and what went wrong within them.

use rusqlite::{OptionalExtension as _, Row, params};

use super::vaults::{clamp, unsigned};
use super::{Catalog, Result};
use crate::vault::Time;

/// How many jobs are remembered.
const KEPT: i64 = 5_000;

/// A job in the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Its number.
    pub id: i64,
    /// Which process ran it: a token that names a file that process keeps locked.
    pub run: String,
    /// `backup`, `restore`, …
    pub kind: String,
    /// The vault, as the user named it.
    pub vault: String,
    /// The plan it was a run of.
    pub plan: Option<String>,
    /// What it is called, empty when it has no name of its own.
    pub title: String,
    /// When it started.
    pub started: Time,
    /// How it ended; `None` while it runs, or when its process died.
    pub end: Option<JobEnd>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobEnd {
    /// When.
    pub time: Time,
    /// `done`, `failed` or `cancelled`.
    pub state: String,
    /// Files finished.
    pub files: u64,
    /// Bytes finished.
    pub bytes: u64,
    /// Entries that failed.
    pub problems: u64,
    /// Issues reported (of which the first are kept).
    pub issues: u64,
    /// What was done, or the error.
    pub text: String,
    /// The exit code of a command that ran it.
    pub exit_code: u8,
}

/// A line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub time: Time,
    /// What happened, in a few words.
    pub text: String,
}

const COLUMNS: &str = "job, run, kind, vault, plan, started, started_nanos, zone, ended, ended_nanos, state, files, bytes, \
                       problems, issues, text, exit, title";

impl Catalog {
    /// Writes down that a job starts; gives its number, which is above `above`. `record.id` and `record.end` are not used.
    pub fn job_started(&self, record: &JobRecord, above: i64) -> Result<i64> {
        self.write(|t| {
            let last: i64 = t.query_row("SELECT coalesce(max(job), 0) FROM jobs", [], |row| row.get(0))?;
            let id = last.max(above).saturating_add(1);
            for table in ["issues", "log", "jobs"] {
                t.prepare_cached(&format!("DELETE FROM {table} WHERE job <= ?1"))?
                    .execute([id.saturating_sub(KEPT)])?;
            }
            // A number can come again once the catalog was deleted: no line of another job is left under it.
            t.prepare_cached("DELETE FROM log WHERE job = ?1")?.execute([id])?;
            insert(t, id, record)?;
            Ok(id)
        })
    }

    /// Writes down how a job ended, with its issues as path and text. (The record is given whole: the catalog may have been
    /// deleted since the job started.) Whether it did: not when another process's job has the number.
    pub fn job_ended(&self, record: &JobRecord, issues: &[(Vec<u8>, String)]) -> Result<bool> {
        self.write(|t| {
            let mut run = t.prepare_cached("SELECT run FROM jobs WHERE job = ?1")?;
            match run.query_row([record.id], |row| row.get::<_, String>(0)).optional()? {
                None => insert(t, record.id, record)?,
                Some(run) if run == record.run => {}
                // The catalog was made anew and another process's job has this number: that one stays.
                Some(_) => return Ok(false),
            }
            if let Some(end) = &record.end {
                t.prepare_cached(
                    "UPDATE jobs SET ended = ?2, ended_nanos = ?3, state = ?4, files = ?5, bytes = ?6, problems = ?7,
                     issues = ?8, text = ?9, exit = ?10 WHERE job = ?1",
                )?
                .execute(params![
                    record.id,
                    end.time.seconds,
                    end.time.nanos,
                    end.state,
                    clamp(end.files),
                    clamp(end.bytes),
                    clamp(end.problems),
                    clamp(end.issues),
                    end.text,
                    end.exit_code
                ])?;
            }
            let mut insert =
                t.prepare_cached("INSERT OR REPLACE INTO issues (job, n, path, text) VALUES (?1, ?2, ?3, ?4)")?;
            for (n, (path, text)) in issues.iter().enumerate() {
                insert.execute(params![record.id, n as i64, path, text])?;
            }
            Ok(true)
        })
    }

    /// Gives a job a name.
    pub fn name_job(&self, id: i64, run: &str, title: &str) -> Result<()> {
        self.write(|t| {
            t.prepare_cached("UPDATE jobs SET title = ?3 WHERE job = ?1 AND run = ?2")?
                .execute(params![id, run, title])?;
            Ok(())
        })
    }

    /// Writes down lines of a job's log, the first of which has the number `first`. Lines of that number are replaced.
    pub fn log_job(&self, id: i64, run: &str, first: usize, lines: &[LogLine]) -> Result<()> {
        self.write(|t| {
            let mut owner = t.prepare_cached("SELECT run FROM jobs WHERE job = ?1")?;
            let owner = owner.query_row([id], |row| row.get::<_, String>(0)).optional()?;
            if owner.as_deref() != Some(run) {
                return Ok(());
            }
            let mut insert = t.prepare_cached(
                "INSERT OR REPLACE INTO log (job, n, time, nanos, zone, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for (n, line) in lines.iter().enumerate() {
                let LogLine { time, text } = line;
                insert.execute(params![
                    id,
                    clamp((first + n) as u64),
                    time.seconds,
                    time.nanos,
                    time.offset,
                    text
                ])?;
            }
            Ok(())
        })
    }

    /// A job's log, oldest line first.
    pub fn job_log(&self, id: i64) -> Result<Vec<LogLine>> {
        self.read(|c| {
            let mut statement =
                c.prepare_cached("SELECT time, nanos, zone, text FROM log WHERE job = ?1 ORDER BY n")?;
            let line = |row: &Row| {
                let (seconds, nanos, offset) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(LogLine {
                    time: Time { seconds, nanos, offset },
                    text: row.get(3)?,
                })
            };
            statement.query_map([id], line)?.collect()
        })
    }

    /// The last jobs, newest first.
    pub fn jobs(&self, limit: usize) -> Result<Vec<JobRecord>> {
        self.read(|c| {
            let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs ORDER BY job DESC LIMIT ?1"))?;
            statement.query_map([clamp(limit as u64)], to_record)?.collect()
        })
    }

    /// One job.
    pub fn job(&self, id: i64) -> Result<Option<JobRecord>> {
        self.read(|c| {
            let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE job = ?1"))?;
            statement.query_row([id], to_record).optional()
        })
    }

    /// A job's issues: path and text.
    pub fn issues(&self, id: i64) -> Result<Vec<(Vec<u8>, String)>> {
        self.read(|c| {
            let mut statement = c.prepare_cached("SELECT path, text FROM issues WHERE job = ?1 ORDER BY n")?;
            statement
                .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }
}

fn insert(c: &rusqlite::Connection, id: i64, record: &JobRecord) -> rusqlite::Result<()> {
    c.prepare_cached(
        "INSERT INTO jobs (job, run, kind, vault, plan, started, started_nanos, zone, state, files, bytes, problems, issues,
         text, exit, title) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'running', 0, 0, 0, 0, '', 0, ?9)",
    )?
    .execute(params![
        id,
        record.run,
        record.kind,
        record.vault,
        record.plan,
        record.started.seconds,
        record.started.nanos,
        record.started.offset,
        record.title
    ])?;
    Ok(())
}

fn to_record(row: &Row) -> rusqlite::Result<JobRecord> {
    let zone = row.get(7)?;
    let end = match row.get::<_, Option<i64>>(8)? {
        None => None,
        Some(seconds) => Some(JobEnd {
            time: Time {
                seconds,
                nanos: row.get::<_, Option<u32>>(9)?.unwrap_or(0),
                offset: zone,
            },
            state: row.get(10)?,
            files: unsigned(row.get(11)?),
            bytes: unsigned(row.get(12)?),
            problems: unsigned(row.get(13)?),
            issues: unsigned(row.get(14)?),
            text: row.get(15)?,
            exit_code: row.get(16)?,
        }),
    };
    Ok(JobRecord {
        id: row.get(0)?,
        run: row.get(1)?,
        kind: row.get(2)?,
        vault: row.get(3)?,
        plan: row.get(4)?,
        title: row.get(17)?,
        started: Time {
            seconds: row.get(5)?,
            nanos: row.get(6)?,
            offset: zone,
        },
        end,
    })
}

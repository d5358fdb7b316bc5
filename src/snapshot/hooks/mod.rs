//! What is done around taking a snapshot so that programs have their data whole in it: commands of the user's own, and
//! ready-made hooks for databases.
//!
//! A ready-made hook does its work before anything is frozen and may go on holding something until all is thawed. It refuses
//! where a snapshot would not hold what it promises: a log or a tablespace that lies elsewhere.

mod clients;
mod mongodb;
mod postgresql;
pub mod sqlite;

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::databases::Database;
use super::{Error, Result, Target, Work, Writer};
use crate::hook::{self, Hook};

/// How long each command may take unless it is said otherwise.
pub const HOOK_LIMIT: Duration = Duration::from_secs(60);

/// What is done around taking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooks {
    /// Ready-made hooks.
    pub ready: Vec<Ready>,
    /// Run by the shell before anything is frozen; if it fails, nothing is taken.
    pub before: Option<String>,
    /// Run by the shell after everything is thawed, whatever came of it.
    pub after: Option<String>,
    /// How long each may take.
    pub limit: Duration,
    /// This program, for what must be held by a process of its own.
    pub program: PathBuf,
}

/// A ready-made hook: `postgresql`, `sqlite:/srv/app.db`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// For which database.
    pub database: Database,
    /// Its data folder or file, or its socket where it is told by its own client; those that processes have open, or that
    /// the client finds, when `None`.
    pub place: Option<PathBuf>,
}

impl FromStr for Ready {
    type Err = String;

    fn from_str(text: &str) -> Result<Ready, String> {
        let (name, place) = text.split_once(':').unwrap_or((text, ""));
        let database = Database::ALL.into_iter().find(|kind| kind.hook() == name);
        let database = database.ok_or_else(|| {
            let names = Database::ALL.map(Database::hook).join(", ");
            format!("there is no ready-made hook {name:?}: it can be one of {names}, with :PATH behind it")
        })?;
        match Path::new(place) {
            place if place.as_os_str().is_empty() => Ok(Ready { database, place: None }),
            place if place.is_absolute() => Ok(Ready {
                database,
                place: Some(place.to_path_buf()),
            }),
            _ => Err(format!("{place:?} is not an absolute path")),
        }
    }
}

/// Something that is held for the moment of the snapshot.
trait Held: Send {
    /// Lets it go.
    fn release(self: Box<Self>) -> Result<()>;
}

/// What the hooks before have done. What is held goes on when it is released, or dropped.
#[derive(Default)]
pub(super) struct Prepared {
    held: Vec<Box<dyn Held>>,
    /// What must be known of the snapshot, a sentence each.
    pub notes: Vec<String>,
    /// Whether something may be held all the same, now or in a moment, that a watchdog knows of.
    pub doubtful: bool,
}

impl Prepared {
    /// Lets all go, in reverse order.
    pub fn release(mut self) -> Result<()> {
        let mut failed = Ok(());
        while let Some(held) = self.held.pop() {
            failed = failed.and(held.release());
        }
        failed
    }
}

/// What ready-made hooks work with.
struct Around<'a> {
    /// What is snapshotted.
    folders: Vec<&'a Path>,
    /// Who writes there.
    writers: &'a [Writer],
    /// How long each hook may take.
    limit: Duration,
    /// How long a database may be held: it goes on by itself then.
    hold: Duration,
    program: &'a Path,
    note: &'a dyn Fn(String),
}

impl Around<'_> {
    /// Whether a place lies in what is snapshotted.
    fn holds(&self, place: &Path) -> bool {
        self.folders.iter().any(|folder| {
            // A name may lead into another filesystem that is mounted within.
            let device = |path: &Path| {
                use std::os::unix::fs::MetadataExt as _;
                path.metadata().map(|about| about.dev()).ok()
            };
            place.starts_with(folder) && device(place) == device(folder)
        })
    }
}

impl Hooks {
    /// Nothing.
    pub fn none(program: PathBuf) -> Hooks {
        Hooks {
            ready: Vec::new(),
            before: None,
            after: None,
            limit: HOOK_LIMIT,
            program,
        }
    }

    /// Whether no program is told beforehand.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.before.is_none()
    }

    /// Runs the command before.
    pub(super) fn run_before(&self, targets: &[&Target], work: &Work) -> Result<()> {
        match &self.before {
            Some(command) => self.command("before", command, &environment(targets), work),
            None => Ok(()),
        }
    }

    /// Does what the ready-made hooks do; what they hold is in `prepared`, also when one fails. No database is held longer
    /// than `hold`. `watch` is given what a watchdog must do in our stead, before that is needed: nothing where it ends
    /// with us.
    pub(super) fn prepare(
        &self,
        targets: &[&Target],
        writers: &[Writer],
        prepared: &mut Prepared,
        work: &Work,
        hold: Duration,
        watch: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        work.cancel.check()?;
        let folders = targets.iter().filter_map(|target| match target {
            Target::Folder(path) => Some(path.as_path()),
            _ => None,
        });
        let around = Around {
            folders: folders.collect(),
            writers,
            limit: self.limit,
            hold,
            program: &self.program,
            note: work.note,
        };
        for ready in &self.ready {
            match ready.database {
                Database::PostgreSql => postgresql::prepare(ready.place.as_deref(), &around, prepared)?,
                Database::Sqlite => sqlite::prepare(ready.place.as_deref(), &around, prepared)?,
                Database::MongoDb => mongodb::prepare(ready.place.as_deref(), &around, prepared, watch)?,
                other => clients::prepare(other, ready.place.as_deref(), &around, prepared)?,
            }
            work.cancel.check()?;
        }
        Ok(())
    }

    /// Runs what comes after, whatever came of it: `done`, `failed` or `cancelled`.
    pub(super) fn after(&self, targets: &[&Target], result: &str, work: &Work) -> Result<()> {
        let Some(command) = &self.after else { return Ok(()) };
        let mut environment = environment(targets);
        environment.push(("COFFER_RESULT", result.to_owned()));
        self.command("after", command, &environment, work)
    }

    fn command(
        &self,
        when: &'static str,
        command: &str,
        environment: &[(&'static str, String)],
        work: &Work,
    ) -> Result<()> {
        let hook = Hook {
            when,
            what: "the snapshot",
            command,
            limit: self.limit,
            environment,
            cancel: (when == "before").then_some(work.cancel),
            note: work.note,
        };
        hook.run().map_err(|error| match error {
            hook::Error::Cancelled(cancelled) => cancelled.into(),
            hook::Error::Failed(why) => Error::Hook { when, why },
        })
    }
}

fn environment(targets: &[&Target]) -> Vec<(&'static str, String)> {
    let names: Vec<String> = targets.iter().map(ToString::to_string).collect();
    vec![("COFFER_TARGETS", names.join("\n"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_made_hooks_are_read_by_name() {
        let read = |text: &str| text.parse::<Ready>();
        assert_eq!(
            read("sqlite:/srv/app.db"),
            Ok(Ready {
                database: Database::Sqlite,
                place: Some("/srv/app.db".into())
            })
        );
        assert_eq!(read("postgresql").map(|ready| ready.place), Ok(None));
        assert!(
            read("oracle")
                .unwrap_err()
                .contains("one of postgresql, mysql, sqlite, redis, mongodb")
        );
        assert!(read("sqlite:app.db").unwrap_err().contains("absolute"));
    }
}

//! What the commands and the interface both drive: commands in, events out, jobs with progress and cancellation.
//!
//! # How to drive it
//!
//! ```text
//! let engine = Engine::new(settings)?;                       // cheap: no vault is touched; clones share it
//!
//! // a command:
//! let open = engine.open("home", PasswordGiven::Configured)?; // Arc<OpenVault>: key derived once, then cached
//! let job = engine.start(Task::Forget { vault: "home".into(), ids, prune: None })?;
//! while !job.wait_for(Duration::from_millis(200)) { draw(job.progress.sample()) }
//! let outcome = job.wait()?;                                 // Error::exit_code / TaskOutcome::exit_code
//! engine.shutdown(true);                                     // before the process ends: waits until locks are gone
//!
//! // the interface:
//! let mut events = engine.subscribe();                       // tokio's unbounded receiver: recv().await or blocking_recv()
//! engine.ask(7, Question::Vaults)?;                          // returns at once → Event::Answer { request: 7, .. }
//! engine.ask_open(8, "home", password)?;                     // after Answer::PasswordNeeded → Answer::Opened
//! engine.abandon(7);                                         // no longer of interest: dropped, or stopped half-way
//! engine.ask_start(task, title);                             // → Event::JobStarted, Event::JobNamed, Event::JobChanged…
//! engine.job(id)                                             // Option<JobHandle> of this process: progress, cancel
//! engine.job_rows(50)?; engine.cancel(id)?;                  // those of other processes too
//! ```
//!
//! A vault is named as the user wrote it: a name of the config, or a folder. [`Engine::open`] with a password given makes
//! it known for all later questions and tasks that name the same place; with [`PasswordGiven::Configured`] and no source
//! at hand the error is [`Error::PasswordNeeded`]: prompt, open again with the bytes, go on.
//!
//! # How data passes
//! A [`Task`] becomes a job on a thread of its own: the vault's lock is taken inside, the room's function runs
//! (`backup::run`, `restore::execute`, …), counts go to its `Progress`, issues to its log, its start and end to the
//! catalog's history. Panics there are caught and fail that job only. [`Question`]s are answered by a few threads: quick
//! ones from the catalog, long ones apart, so that no long one holds up a quick one.
//!
//! What does not live here: the work itself, and anything a user sees.

mod answers;
mod browse;
mod cataloguer;
pub mod changes;
mod content;
pub mod costs;
pub mod demo;
mod desk;
mod error;
mod folder;
mod hub;
mod jobs;
mod kept;
mod lifetimes;
mod open;
pub mod overview;
mod password;
mod plans;
pub mod question;
mod real;
pub mod restoring;
pub mod search;
mod selection;
mod settings;
pub mod setup;
mod snapshots;
mod task;
#[cfg(test)]
mod tests;
mod versions;

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use crate::catalog::LogLine;
pub use error::{Error, Result};
pub use jobs::job::{JobHandle, JobId, JobInfo, JobIssue, JobState};
pub use jobs::kind::JobKind;
pub use open::OpenVault;
pub use password::read_password;
pub use question::{Answer, Busy, Event, JobRow, Question, RequestId};
pub use selection::{Picked, Selection};
pub use settings::{PATIENCE, PasswordGiven, Settings};
pub use snapshots::{SnapshotOutcome, SnapshotTask};
pub use task::{RestoreWhat, Task, TaskOutcome};

use crate::catalog::Catalog;
use crate::config::Config;
use crate::restore;
use crate::vault::{Password, Time};

/// Where events arrive: `recv().await`, `blocking_recv()` or `try_recv()`.
pub type Events = tokio::sync::mpsc::UnboundedReceiver<Event>;

/// How many restore plans are kept for those who asked for them.
const KEPT_PLANS: usize = 8;

/// How many ended jobs of this process are kept; older ones are in the history only.
const KEPT_JOBS: usize = 64;

/// Drives everything. Clones share one engine.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    config: RwLock<Arc<Config>>,
    catalog: Catalog,
    hub: Arc<hub::Hub>,
    /// Where other processes ask about the jobs here, from the first job on.
    post: Mutex<Option<jobs::post::Post>>,
    runs: Arc<jobs::marks::Runs>,
    /// What is known of each place, by its path.
    slots: Mutex<HashMap<PathBuf, Arc<Mutex<open::Slot>>>>,
    /// Jobs of this process, oldest first.
    jobs: Mutex<Vec<JobHandle>>,
    /// The highest job number given so far.
    last_job: AtomicI64,
    /// How many jobs have a number of this process only, since their start could not be written down.
    unwritten: AtomicI64,
    closed: AtomicBool,
    desk: desk::Desk,
    cataloguer: cataloguer::Cataloguer,
    lifetimes: lifetimes::Cache,
    /// What was found, by what was looked for.
    found: kept::Kept<search::Search, search::FoundRow>,
    /// What changed, by what was compared.
    changes: kept::Kept<changes::Compared, changes::ChangeRow, changes::ChangeTotals>,
    costs: costs::Costs,
    /// Restore plans by number, the latest at the end.
    plans: Mutex<VecDeque<(u64, String, Arc<restore::Plan>)>>,
    last_plan: AtomicU64,
    /// What asks the clouds, and by what config.
    clouds: Mutex<Option<snapshots::AskedClouds>>,
    /// The files of the snapshot that was looked into last.
    looked_into: snapshots::LookedInto,
    /// How snapshots differ, by what was compared.
    compared: kept::Kept<(question::SnapshotAt, Option<crate::snapshot::SnapshotId>), question::SnapshotChange>,
}

impl Engine {
    /// An engine. Touches no vault; opens (or makes) the catalog. Threads start when they are needed.
    ///
    /// A catalog that cannot be used is replaced by one in memory, with a warning: backups go on. Only one made by a newer
    /// version is an error.
    pub fn new(settings: Settings) -> Result<Engine> {
        let hub = Arc::new(hub::Hub::default());
        let catalog = match Catalog::open(&settings.data) {
            Err(error @ crate::catalog::Error::Newer { .. }) => return Err(error.into()),
            Err(error) => {
                hub.send(Event::Warning(format!(
                    "{error}; going on without: nothing is remembered of this run"
                )));
                Catalog::in_memory()?
            }
            Ok(catalog) => catalog,
        };
        catalog
            .take_warnings()
            .into_iter()
            .for_each(|warning| hub.send(Event::Warning(warning)));
        Ok(Engine::over(settings, catalog, hub))
    }

    /// An engine that leaves the catalog's file alone, and remembers nothing.
    pub fn without_memory(settings: Settings) -> Result<Engine> {
        Ok(Engine::over(settings, Catalog::in_memory()?, Arc::default()))
    }

    fn over(settings: Settings, catalog: Catalog, hub: Arc<hub::Hub>) -> Engine {
        Engine(Arc::new(Inner {
            config: RwLock::new(Arc::new(settings.config.clone())),
            post: Mutex::default(),
            runs: Arc::new(jobs::marks::Runs::new(&settings.data)),
            settings,
            catalog,
            hub,
            slots: Mutex::default(),
            jobs: Mutex::default(),
            last_job: AtomicI64::new(0),
            unwritten: AtomicI64::new(0),
            closed: AtomicBool::new(false),
            desk: desk::Desk::default(),
            cataloguer: cataloguer::Cataloguer::default(),
            lifetimes: lifetimes::Cache::default(),
            found: kept::Kept::default(),
            changes: kept::Kept::default(),
            costs: costs::Costs::default(),
            plans: Mutex::default(),
            last_plan: AtomicU64::new(0),
            clouds: Mutex::default(),
            looked_into: snapshots::LookedInto::default(),
            compared: kept::Kept::default(),
        }))
    }

    /// What it was told at its start.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The config in use now.
    pub fn config(&self) -> Arc<Config> {
        self.0.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses another config from now on (after an edit). Open vaults stay open.
    pub fn set_config(&self, config: Config) {
        *self.0.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// What is known without asking a vault.
    pub fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// Events from now on. Several may subscribe; lifecycle events reach each of them.
    pub fn subscribe(&self) -> Events {
        self.0.hub.subscribe()
    }

    /// Warnings that no subscriber has got, for commands, which do not subscribe. Ask at the end.
    pub fn take_warnings(&self) -> Vec<String> {
        self.pass_warnings();
        self.0.hub.take_early()
    }

    /// A job of this process (the last ones that ended are kept).
    pub fn job(&self, id: JobId) -> Option<JobHandle> {
        self.jobs().iter().find(|job| job.id() == id).cloned()
    }

    /// All jobs of this process that have not ended, oldest first.
    pub fn running(&self) -> Vec<JobHandle> {
        self.jobs()
            .iter()
            .filter(|job| !job.state().has_ended())
            .cloned()
            .collect()
    }

    /// Asks a question; the answer comes as an event. Never blocks.
    pub fn ask(&self, request: RequestId, question: Question) -> Result<(), Busy> {
        self.0.desk.put(self, request, desk::Asked::Question(question))
    }

    /// Opens a vault with a password from a prompt, off this thread (deriving the key takes about a second) →
    /// [`Answer::Opened`] or [`Answer::PasswordNeeded`]. Never blocks.
    pub fn ask_open(&self, request: RequestId, vault: &str, password: Password) -> Result<(), Busy> {
        self.0
            .desk
            .put(self, request, desk::Asked::Open(vault.into(), password))
    }

    /// Changes the config or a vault's keys, off this thread → [`Answer::Changed`], [`Answer::Failed`] or
    /// [`Answer::PasswordNeeded`]. Never blocks. Abandoning it does not take it back.
    pub fn ask_change(&self, request: RequestId, change: setup::Change) -> Result<(), Busy> {
        self.0.desk.put(self, request, desk::Asked::Change(change))
    }

    /// The answer to this question is no longer of interest: it is dropped from the queue, or stopped half-way. An answer
    /// may still arrive.
    pub fn abandon(&self, request: RequestId) {
        self.0.desk.abandon(request);
    }

    /// A restore plan by the number it was answered with, and its vault. The last few are kept.
    pub fn restore_plan(&self, number: u64) -> Option<(String, Arc<restore::Plan>)> {
        let plans = self.0.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, vault, plan) = plans.iter().find(|(n, ..)| *n == number)?;
        Some((vault.clone(), plan.clone()))
    }

    /// Ends all work: cancels the running jobs if asked to (otherwise waits for them), waits until their locks are gone
    /// from the vaults, stops the threads that answer questions. No job starts after it.
    pub fn shutdown(&self, cancel_jobs: bool) {
        self.0.closed.store(true, Ordering::SeqCst);
        let jobs = self.running();
        if cancel_jobs {
            jobs.iter().for_each(JobHandle::cancel);
        }
        for job in jobs {
            while !job.wait_for(std::time::Duration::from_secs(3600)) {}
        }
        self.0.cataloguer.close();
        self.0.desk.close();
    }

    fn keep_plan(&self, vault: &str, plan: restore::Plan) -> u64 {
        let number = self.0.last_plan.fetch_add(1, Ordering::Relaxed) + 1;
        let mut plans = self.0.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.push_back((number, vault.to_owned(), Arc::new(plan)));
        if plans.len() > KEPT_PLANS {
            plans.pop_front();
        }
        number
    }

    fn hub(&self) -> &hub::Hub {
        &self.0.hub
    }

    fn now(&self) -> Time {
        (self.0.settings.clock)()
    }

    fn jobs(&self) -> MutexGuard<'_, Vec<JobHandle>> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, place: &Path) -> Arc<Mutex<open::Slot>> {
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(place.to_path_buf()).or_default().clone()
    }

    /// Tells what the catalog has to say, if anything.
    fn pass_warnings(&self) {
        self.0
            .catalog
            .take_warnings()
            .into_iter()
            .for_each(|warning| self.hub().send(Event::Warning(warning)));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.cataloguer.close();
        self.desk.close();
    }
}

/// What a panic said.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without words".into())
}

//! What the commands and the interface both drive: commands in, events out, jobs with progress and cancellation.
//!
//! # How to drive it
//!
//! ```text
//! let engine = Engine::new(settings)?;                       // cheap: no vault is touched; clones share it
//!
//! // a command:
//! let open = engine.open("home", PasswordGiven::Configured)?; // Arc<OpenVault>: key derived once, then cached
//! let job = engine.start(Task::Forget { vault: "home".into(), ids })?;
//! while !job.wait_for(Duration::from_millis(200)) { draw(job.progress.sample()) }
//! let outcome = job.wait()?;                                 // Error::exit_code / TaskOutcome::exit_code
//! engine.shutdown(true);                                     // before the process ends: waits until locks are gone
//!
//! // the interface:
//! let mut events = engine.subscribe();                       // tokio's unbounded receiver: recv().await or blocking_recv()
//! engine.ask(7, Question::Vaults)?;                          // returns at once → Event::Answer { request: 7, .. }
//! engine.ask_open(8, "home", password)?;                     // after Answer::PasswordNeeded → Answer::Opened
//! engine.abandon(7);                                         // no longer of interest: dropped, or stopped half-way
//! let job = engine.start(task)?;                             // → Event::JobStarted, Event::JobChanged…
//! engine.job(id)                                             // Option<JobHandle> of this process: progress, cancel
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

mod error;
mod job;
pub mod question;
mod selection;
mod settings;
mod task;

use std::sync::Arc;

pub use error::{Error, Result};
pub use job::{JobHandle, JobId, JobInfo, JobIssue, JobKind, JobState};
pub use question::{Answer, Busy, Event, JobRow, Question, RequestId};
pub use selection::{Picked, Selection};
pub use settings::{PasswordGiven, Settings};
pub use task::{TagChange, Task, TaskOutcome};

use crate::config::Config;
use crate::progress::Cancel;
use crate::vault::repository::CreateOptions;
use crate::vault::{Id, IndexedVault, Password, Vault};

/// Where events arrive: `recv().await`, `blocking_recv()` or `try_recv()`.
pub type Events = tokio::sync::mpsc::UnboundedReceiver<Event>;

/// Drives everything. Clones share one engine.
#[derive(Debug, Clone)]
pub struct Engine {
    settings: Arc<Settings>,
}

/// An opened vault, shared by all that use it.
#[derive(Debug)]
pub struct OpenVault {
    name: String,
    vault: Vault,
}

impl OpenVault {
    /// As the user names it.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The vault.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }
    /// The vault with its index brought up to date. Cheap when nothing is new.
    pub fn indexed(&self, cancel: &Cancel) -> Result<IndexedVault> {
        let _ = cancel;
        todo!()
    }
    /// The vault with the index as it was last brought up to date, for browsing.
    pub fn browsed(&self, cancel: &Cancel) -> Result<IndexedVault> {
        let _ = cancel;
        todo!()
    }
}

impl Engine {
    /// An engine. Touches no vault; opens (or makes) the catalog. Threads start when they are needed.
    pub fn new(settings: Settings) -> Result<Engine> {
        Ok(Engine {
            settings: Arc::new(settings),
        })
    }

    /// What it was told at its start.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The config in use now.
    pub fn config(&self) -> Arc<Config> {
        todo!()
    }

    /// Uses another config from now on (after an edit). Open vaults stay open.
    pub fn set_config(&self, config: Config) {
        let _ = config;
        todo!()
    }

    /// Events from now on. Several may subscribe; lifecycle events reach each of them.
    pub fn subscribe(&self) -> Events {
        todo!()
    }

    /// The folder that `text` means: a vault's name in the config, else the folder itself. A word that is neither, but
    /// close to a name, is [`Error::UnknownVault`]. `None` for the config entry when it is a folder only.
    pub fn place(&self, text: &str) -> Result<(std::path::PathBuf, Option<crate::config::VaultConfig>)> {
        let _ = text;
        todo!()
    }

    /// Makes a vault and opens it.
    pub fn create(&self, vault: &str, password: PasswordGiven, options: &CreateOptions) -> Result<Arc<OpenVault>> {
        let _ = (vault, password, options);
        todo!()
    }

    /// Opens a vault, or gives the one that is open already.
    pub fn open(&self, vault: &str, password: PasswordGiven) -> Result<Arc<OpenVault>> {
        let _ = (vault, password);
        todo!()
    }

    /// Reads the vault's generations, newest first, and remembers them in the catalog.
    pub fn generations(&self, open: &OpenVault) -> Result<Vec<crate::vault::Generation>> {
        let _ = open;
        todo!()
    }

    /// Starts a job. Errors that can be told at once (unknown names, a plan that runs already) are given here; all
    /// others by the job.
    pub fn start(&self, task: Task) -> Result<JobHandle> {
        let _ = task;
        todo!()
    }

    /// A job of this process.
    pub fn job(&self, id: JobId) -> Option<JobHandle> {
        let _ = id;
        todo!()
    }

    /// All jobs of this process that have not ended, oldest first.
    pub fn running(&self) -> Vec<JobHandle> {
        todo!()
    }

    /// Asks a question; the answer comes as an event. Never blocks.
    pub fn ask(&self, request: RequestId, question: Question) -> Result<(), Busy> {
        let _ = (request, question);
        todo!()
    }

    /// Opens a vault with a password from a prompt, off this thread (deriving the key takes about a second) →
    /// [`Answer::Opened`] or [`Answer::PasswordNeeded`]. Never blocks.
    pub fn ask_open(&self, request: RequestId, vault: &str, password: Password) -> Result<(), Busy> {
        let _ = (request, vault, password);
        todo!()
    }

    /// The answer to this question is no longer of interest: it is dropped from the queue, or stopped half-way. An answer
    /// may still arrive.
    pub fn abandon(&self, request: RequestId) {
        let _ = request;
        todo!()
    }

    /// The tree of a folder in a generation, by its components' raw names; reads what is missing into the catalog.
    pub fn folder_tree(&self, open: &OpenVault, generation: &Id, path: &[Vec<u8>], cancel: &Cancel) -> Result<Id> {
        let _ = (open, generation, path, cancel);
        todo!()
    }

    /// Ends all work: cancels the running jobs if asked to (otherwise waits for them), waits until their locks are gone
    /// from the vaults, stops the threads that answer questions.
    pub fn shutdown(&self, cancel_jobs: bool) {
        let _ = cancel_jobs;
        todo!()
    }
}

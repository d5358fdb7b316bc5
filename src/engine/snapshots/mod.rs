//! Snapshots as jobs and questions: which providers there are, who takes what, and what the interface is told.
//!
//! Providers are listed in one place, [`Engine::providers`]. What does not live here: how a snapshot is taken
//! (`crate::snapshot`), and how any of it is shown.

mod task;

use std::sync::Arc;

pub use task::{SnapshotOutcome, SnapshotTask};

use super::answers::Emit;
use super::question::{Answer, Question, SnapshotAt};
use super::{Engine, Error, Result};
use crate::progress::Cancel;
use crate::snapshot::{Labels, Provider};

impl Engine {
    /// All that make snapshots here, by the config.
    pub fn providers(&self) -> Vec<Arc<dyn Provider>> {
        Vec::new()
    }

    /// Changes a snapshot's label and protection; what was done, as a sentence.
    pub(super) fn label_snapshot(&self, _at: &SnapshotAt, _labels: &Labels) -> Result<String> {
        Err(Error::Usage("snapshots cannot be labelled yet".into()))
    }

    /// Answers a question about snapshots.
    pub(super) fn answer_on_snapshots(&self, question: &Question, _cancel: &Cancel, _emit: &Emit) -> Result<Answer> {
        Err(Error::Usage(format!("there is no answer to {question:?} yet")))
    }
}

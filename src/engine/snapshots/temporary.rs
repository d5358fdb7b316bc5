//! Snapshots that live only as long as a backup reads from them: noted before they are taken, so that whoever comes next
//! deletes them should this process die.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::question::SnapshotAt;
use crate::engine::{Engine, JobHandle, JobState};
use crate::progress::{Cancel, Progress};
use crate::snapshot::{self, MadeBy, SnapshotId, Target, Work};

/// How long a backup that has ended waits for other jobs before it leaves its snapshot to the next backup: several may have
/// their turns.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// The same when it was told to stop.
const STOPPED: Duration = Duration::from_secs(30);

/// What is noted.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    /// The mark of the process that takes them; empty when that has given up deleting them.
    run: String,
    snapshots: Vec<(Target, SnapshotId)>,
}

/// Temporary snapshots: deleted when this is dropped, whatever happened.
pub(super) struct Temporary<'a> {
    engine: &'a Engine,
    job: &'a JobHandle,
    file: PathBuf,
    snapshots: Vec<SnapshotAt>,
    _owed: crate::ending::Owed,
}

impl<'a> Temporary<'a> {
    /// Notes what is about to be taken.
    pub(super) fn note(engine: &'a Engine, job: &'a JobHandle, snapshots: Vec<SnapshotAt>) -> std::io::Result<Self> {
        let folder = engine.temporary_folder();
        std::fs::create_dir_all(&folder)?;
        let name = snapshots.first().map(|at| at.id.0.clone()).unwrap_or_default();
        let file = folder.join(format!("{name}.json"));
        write(&file, engine.0.runs.token(), &snapshots)?;
        Ok(Temporary {
            engine,
            job,
            file,
            snapshots,
            _owed: crate::ending::owe(),
        })
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        let patience = match self.job.state() {
            JobState::Running => PATIENCE,
            _ => STOPPED,
        };
        let left = self.engine.delete_temporary(&self.snapshots, self.job, patience);
        let done = match left.is_empty() {
            true => std::fs::remove_file(&self.file),
            // The next backup tries again, whichever process runs it.
            false => write(&self.file, "", &left),
        };
        if let Err(error) = done {
            tracing::warn!("cannot change {}: {error}", self.file.display());
        }
    }
}

fn write(file: &Path, run: &str, snapshots: &[SnapshotAt]) -> std::io::Result<()> {
    let pairs = snapshots.iter().map(|at| (at.target.clone(), at.id.clone()));
    let noted = Noted {
        run: run.to_owned(),
        snapshots: pairs.collect(),
    };
    let part = file.with_extension("part");
    std::fs::write(&part, serde_json::to_vec(&noted)?)?;
    std::fs::File::open(&part)?.sync_all()?;
    std::fs::rename(&part, file)
}

impl Engine {
    fn temporary_folder(&self) -> PathBuf {
        self.settings().data.join("temporary-snapshots")
    }

    /// Deletes what backups of processes that died left behind.
    pub(in crate::engine) fn clear_left_behind(&self, job: &JobHandle) {
        for entry in std::fs::read_dir(self.temporary_folder())
            .into_iter()
            .flatten()
            .flatten()
        {
            let file = entry.path();
            if file.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = std::fs::read(&file).unwrap_or_default();
            let Ok(noted) = serde_json::from_slice::<Noted>(&text) else {
                continue;
            };
            if !noted.run.is_empty() && self.0.runs.is_alive(&noted.run) {
                continue;
            }
            let at = noted
                .snapshots
                .into_iter()
                .map(|(target, id)| SnapshotAt { target, id });
            if self
                .delete_temporary(&at.collect::<Vec<_>>(), job, Duration::ZERO)
                .is_empty()
            {
                let _ = std::fs::remove_file(&file);
            }
        }
    }

    /// Deletes temporary snapshots; those that could not be deleted.
    fn delete_temporary(&self, snapshots: &[SnapshotAt], job: &JobHandle, patience: Duration) -> Vec<SnapshotAt> {
        let mut left = Vec::new();
        for at in snapshots {
            match self.delete_one(at, job, patience) {
                Ok(true) => self.note(job, format!("deleted the snapshot {} of {}", at.id, at.target)),
                Ok(false) => {}
                Err(error) => {
                    let text = format!(
                        "the snapshot {} of {}, which a backup had taken for itself, could not be deleted: {error}; the next \
                         backup tries again",
                        at.id, at.target
                    );
                    job.report(b"", text);
                    left.push(at.clone());
                }
            }
        }
        left
    }

    /// Whether it was there.
    fn delete_one(&self, at: &SnapshotAt, job: &JobHandle, patience: Duration) -> crate::engine::Result<bool> {
        let snapshot = match self.snapshot(at) {
            Ok(snapshot) if snapshot.made_by == MadeBy::Backup && !snapshot.protected => snapshot,
            // Somebody wants to keep it.
            Ok(_) | Err(crate::engine::Error::Snapshot(snapshot::Error::NoSnapshot(_))) => return Ok(false),
            Err(error) => return Err(error),
        };
        let (progress, cancel) = (Progress::default(), Cancel::default());
        let work = Work {
            progress: &progress,
            cancel: &cancel,
            note: &|line| self.note(job, line),
            now: &|| self.now(),
            safety_days: None,
            patience,
        };
        self.keeper(&snapshot)?.delete(&snapshot, &work)?;
        self.tell_snapshots(&at.target);
        Ok(true)
    }
}

//! What jobs on snapshots do.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::browse::path_of;
use super::{PATIENCE, SnapshotOutcome, SnapshotTask};
use crate::engine::question::{Overwrite, SnapshotAt, TakeAsked, TreePath};
use crate::engine::{Engine, Error, JobHandle, Result, TaskOutcome};
use crate::snapshot::hooks::{HOOK_LIMIT, Hooks, Ready};
use crate::snapshot::run::{self, FREEZE_LIMIT, Request};
use crate::snapshot::watchdog::Starter;
use crate::snapshot::{self, RollbackPlan, Snapshot, SnapshotId, Target, Work};
use crate::text::counted;

impl Engine {
    /// Starts a job on snapshots. In the history it stands under what it is done to.
    pub(in crate::engine) fn start_on_snapshots(&self, task: SnapshotTask) -> Result<JobHandle> {
        let names = |targets: &[Target]| targets.iter().map(Target::to_string).collect::<Vec<_>>().join(", ");
        let on = match &task {
            SnapshotTask::Take(asked) => {
                if asked.targets.is_empty() {
                    return Err(Error::Usage("nothing to take a snapshot of is named".into()));
                }
                names(&asked.targets)
            }
            SnapshotTask::RollBack(plan) => plan.to.target.to_string(),
            SnapshotTask::Delete(all) => {
                let mut targets: Vec<Target> = all.iter().map(|at| at.target.clone()).collect();
                targets.dedup();
                names(&targets)
            }
            SnapshotTask::Clone { at, .. } | SnapshotTask::RestoreFiles { at, .. } => at.target.to_string(),
            SnapshotTask::RunPolicy { policy } => format!("policy {policy}"),
        };
        let kind = task.kind();
        let work = move |engine: &Engine, job: &JobHandle| engine.on_snapshots(task, job).map(TaskOutcome::Snapshot);
        self.start_job(kind, on, None, work)
    }

    fn on_snapshots(&self, task: SnapshotTask, job: &JobHandle) -> Result<SnapshotOutcome> {
        let note = |line: String| self.note(job, line);
        let work = Work {
            progress: &job.progress,
            cancel: job.cancel_flag(),
            note: &note,
            now: &|| self.now(),
            safety_days: self.config().safety_days(),
            patience: PATIENCE,
        };
        match task {
            SnapshotTask::Take(asked) => self.take(*asked, &work).map(SnapshotOutcome::Taken),
            SnapshotTask::RollBack(plan) => self.roll_back(&plan, &work),
            SnapshotTask::Delete(all) => self.delete_snapshots(&all, job, &work),
            SnapshotTask::Clone { at, place } => {
                let snapshot = self.snapshot(&at)?;
                let made = self.keeper(&snapshot)?.clone_to(&snapshot, &place, &work)?;
                Ok(SnapshotOutcome::Cloned(made))
            }
            SnapshotTask::RestoreFiles {
                at,
                paths,
                to,
                overwrite,
            } => self.restore_files(&at, &paths, to, overwrite, job, &work),
            SnapshotTask::RunPolicy { policy } => self.run_policy(&policy, &work),
        }
    }

    /// Takes one, or several at one moment.
    pub(super) fn take(&self, asked: TakeAsked, work: &Work) -> Result<Vec<Snapshot>> {
        let ids = asked.targets.iter().map(|_| SnapshotId::random());
        let ids = ids.collect::<snapshot::Result<_>>()?;
        self.take_as(asked, ids, work)
    }

    /// The same, under ids that are known before.
    pub(super) fn take_as(&self, asked: TakeAsked, ids: Vec<SnapshotId>, work: &Work) -> Result<Vec<Snapshot>> {
        let mut targets = Vec::new();
        for (n, (target, id)) in asked.targets.iter().zip(ids).enumerate() {
            if asked.targets[..n].contains(target) {
                return Err(Error::Usage(format!("{target} is named twice")));
            }
            targets.push((self.provider(target)?, target.clone(), id));
        }
        let group = match targets.as_slice() {
            [_, _, ..] => Some(SnapshotId::random()?.0),
            _ => None,
        };
        let hooks = Hooks {
            ready: asked
                .hooks
                .ready
                .iter()
                .map(|text| text.parse::<Ready>().map_err(Error::Usage))
                .collect::<Result<_>>()?,
            before: asked.hooks.before,
            after: asked.hooks.after,
            limit: asked.hooks.seconds.map_or(HOOK_LIMIT, std::time::Duration::from_secs),
            program: Engine::program(),
        };
        let request = Request {
            targets,
            wanted: asked.consistency,
            label: asked.label,
            protected: asked.protected,
            made_by: asked.made_by,
            group,
            hooks: &hooks,
            limit: FREEZE_LIMIT,
            watchdog: &Starter {
                program: Engine::program(),
            },
        };
        let _owed = crate::ending::owe();
        let taken = run::take(&request, work)?;
        self.remember_targets(&asked.targets);
        asked.targets.iter().for_each(|target| self.tell_snapshots(target));
        Ok(taken)
    }

    fn restore_files(
        &self,
        at: &SnapshotAt,
        paths: &[TreePath],
        to: Option<PathBuf>,
        overwrite: Overwrite,
        job: &JobHandle,
        work: &Work,
    ) -> Result<SnapshotOutcome> {
        let snapshot = self.snapshot(at)?;
        let to = match (to, &snapshot.target) {
            (Some(to), _) => to,
            (None, Target::Folder(path)) => path.clone(),
            (None, target) => {
                return Err(Error::Usage(format!(
                    "the files of {target} do not lie on this machine: say where they go to (--target FOLDER)"
                )));
            }
        };
        let paths: Vec<PathBuf> = paths.iter().map(path_of).collect::<Result<_>>()?;
        let files = self.keeper(&snapshot)?.files(&snapshot)?;
        let report = |path: &Path, why: String| job.report(path.as_os_str().as_bytes(), why);
        let overwrite = crate::engine::answers::to_overwrite(overwrite);
        let done = snapshot::restore::restore(&files.root(), &paths, &to, overwrite, work, &report)?;
        Ok(SnapshotOutcome::Restored {
            files: done.files,
            bytes: done.bytes,
            skipped: done.skipped,
            errors: done.errors,
        })
    }

    fn roll_back(&self, plan: &RollbackPlan, work: &Work) -> Result<SnapshotOutcome> {
        self.look_away();
        let _owed = crate::ending::owe();
        let done = self.keeper(&plan.to)?.roll_back(plan, work);
        if done.is_ok() {
            self.drop_old_safeties(plan, work);
        }
        // Also after a failure: a safety snapshot may be there.
        self.tell_snapshots(&plan.to.target);
        Ok(SnapshotOutcome::RolledBack {
            to: Box::new(plan.to.clone()),
            done: done?,
        })
    }

    /// Deletes some. Nothing is deleted when one of them is protected or not there.
    fn delete_snapshots(&self, all: &[SnapshotAt], job: &JobHandle, work: &Work) -> Result<SnapshotOutcome> {
        let mut snapshots = Vec::new();
        for at in all {
            let snapshot = self.snapshot(at)?;
            if snapshot.protected {
                return Err(snapshot::Error::Protected(snapshot.id.to_string()).into());
            }
            snapshots.push(snapshot);
        }
        self.look_away();
        let mut gone = Vec::new();
        for snapshot in &snapshots {
            let deleted = || -> Result<()> {
                work.cancel.check()?;
                Ok(self.keeper(snapshot)?.delete(snapshot, work)?)
            };
            deleted().inspect_err(|_| {
                if gone.is_empty() {
                    return;
                }
                let (done, left) = (gone.len() as u64, snapshots.len() - gone.len());
                let text = format!("{} deleted, {left} not", counted(done, "snapshot is", "snapshots are"));
                job.report(b"", text);
            })?;
            job.note(format!("deleted {} of {}", snapshot.id, snapshot.target));
            work.progress.file_done(0);
            self.tell_snapshots(&snapshot.target);
            gone.push(SnapshotAt {
                target: snapshot.target.clone(),
                id: snapshot.id.clone(),
            });
        }
        Ok(SnapshotOutcome::Deleted(gone))
    }
}

//! Jobs that take from a vault: generations, and the space of what none of them reaches any more.

use crate::engine::{Engine, Error, JobHandle, OpenVault, Result, TaskOutcome};
use crate::retention;
use crate::text::counted;
use crate::vault::lock::{LockGuard, LockKind};
use crate::vault::prune::{PruneFigures, PruneOptions, PrunePlan};
use crate::vault::{self, Id};

impl Engine {
    /// Deletes generations and, if asked to, gives back their space before anybody else can come between.
    pub(super) fn forget(
        &self,
        open: &OpenVault,
        ids: &[Id],
        prune: Option<&PruneOptions>,
        job: &JobHandle,
    ) -> Result<TaskOutcome> {
        let lock = self.exclusive(open, job)?;
        refuse_protected(open, ids)?;
        let mut gone = Vec::with_capacity(ids.len());
        let stopped = self.forget_each(open, &lock, ids, &mut gone, job);
        // Also when it was stopped half way, and before the prune, which may take long or fail: these are gone.
        self.relist(open);
        stopped.inspect_err(|_| {
            if gone.is_empty() {
                return;
            }
            let (done, left) = (gone.len() as u64, (ids.len() - gone.len()) as u64);
            let pruned = if prune.is_some() { "; nothing was pruned" } else { "" };
            let text = format!(
                "{} forgotten, {left} not{pruned}",
                counted(done, "generation is", "generations are")
            );
            job.report(b"", text);
        })?;
        let pruned = match prune {
            Some(options) => {
                self.note(job, "forgot them, pruning");
                let done = self.plan_and_prune(open, options, &lock, job);
                let done = done.inspect_err(|_| {
                    let gone = counted(gone.len() as u64, "generation is", "generations are");
                    job.report(
                        b"",
                        format!("{gone} forgotten, but the prune after it did not finish: prune again"),
                    );
                });
                Some(done?)
            }
            None => None,
        };
        drop(lock);
        if pruned.is_some() {
            self.relist(open);
        }
        Ok(TaskOutcome::Forget { gone, pruned })
    }

    fn forget_each(
        &self,
        open: &OpenVault,
        lock: &LockGuard,
        ids: &[Id],
        gone: &mut Vec<Id>,
        job: &JobHandle,
    ) -> Result<()> {
        for id in ids {
            job.cancel_flag().check()?;
            open.vault().forget(lock, id)?;
            job.progress.file_done(0);
            job.note(format!("forgot {}", id.short()));
            gone.push(*id);
        }
        Ok(())
    }

    /// Gives back the space of what no generation reaches, or says what that would come to.
    pub(super) fn prune(
        &self,
        open: &OpenVault,
        options: &PruneOptions,
        dry_run: bool,
        job: &JobHandle,
    ) -> Result<TaskOutcome> {
        if dry_run {
            let lock = open.vault().lock(LockKind::Reading)?;
            self.note(job, "holds a shared lock");
            let figures = *self.plan_prune(open, options, job)?.figures();
            drop(lock);
            return Ok(TaskOutcome::Prune(figures));
        }
        let lock = self.exclusive(open, job)?;
        let figures = self.plan_and_prune(open, options, &lock, job)?;
        drop(lock);
        self.relist(open);
        Ok(TaskOutcome::Prune(figures))
    }

    fn exclusive(&self, open: &OpenVault, job: &JobHandle) -> Result<LockGuard> {
        let lock = open.vault().lock(LockKind::Exclusive)?;
        self.note(job, "holds an exclusive lock");
        Ok(lock)
    }

    fn plan_and_prune(
        &self,
        open: &OpenVault,
        options: &PruneOptions,
        lock: &LockGuard,
        job: &JobHandle,
    ) -> Result<PruneFigures> {
        let plan = self.plan_prune(open, options, job)?;
        Ok(plan.execute(lock, &job.progress, job.cancel_flag())?)
    }

    fn plan_prune(&self, open: &OpenVault, options: &PruneOptions, job: &JobHandle) -> Result<PrunePlan> {
        let indexed = open.indexed(job.cancel_flag())?;
        let plan = PrunePlan::make(&indexed, options, &job.progress, job.cancel_flag())?;
        self.note(job, "planned");
        Ok(plan)
    }
}

/// Looked at under the lock: a generation may have been protected since it was chosen. One that cannot be read is damaged,
/// and deleting is what can be done about it.
fn refuse_protected(open: &OpenVault, ids: &[Id]) -> Result<()> {
    for id in ids {
        match open.vault().generation(id) {
            Ok(generation) if retention::is_protected(&generation.tags) => return Err(Error::Protected { id: *id }),
            Ok(_) | Err(vault::Error::Damaged { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

//! Jobs: started here, each on a thread of its own.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::catalog::JobRecord;
use crate::engine::{
    Engine, Error, Event, JobHandle, JobId, JobInfo, JobKind, KEPT_JOBS, OpenVault, PasswordGiven, RestoreWhat, Result,
    Task, TaskOutcome, panic_text,
};
use crate::restore;
use crate::vault::check;
use crate::vault::lock::LockKind;

impl Engine {
    /// Starts a job. Errors that can be told at once (unknown names, a plan that runs already) are given here; all others
    /// by the job. A vault that needs a password nobody gave fails the job: open it first.
    pub fn start(&self, task: Task) -> Result<JobHandle> {
        let kind = task.kind();
        match task {
            Task::Plan { plan, vault, dry_run } => {
                let plan = self.plan(&plan)?;
                let vault = match vault {
                    Some(vault) if plan.vaults.contains(&vault) => vault,
                    Some(vault) => {
                        return Err(Error::Usage(format!("plan {} does not go to vault {vault}", plan.name)));
                    }
                    None => plan.vaults.first().cloned().unwrap_or_default(),
                };
                let mut options = Box::new(self.plan_options(&plan, &vault)?);
                options.dry_run = dry_run;
                options.count_totals = true;
                self.start(Task::Backup {
                    vault,
                    plan: Some(plan.name),
                    options,
                    snapshot: plan.snapshot,
                })
            }
            Task::Paths {
                vault,
                paths,
                excludes,
                tags,
                dry_run,
            } => {
                let mut options = Box::new(self.paths_options(&vault, paths, &excludes)?);
                (options.tags, options.dry_run, options.count_totals) = (tags, dry_run, true);
                self.start(Task::Backup {
                    vault,
                    plan: None,
                    options,
                    snapshot: None,
                })
            }
            Task::Backup {
                vault,
                plan,
                mut options,
                snapshot,
            } => {
                let own = crate::engine::plans::identity(&self.find(&vault)?.path);
                options.exclude.never.extend(own);
                options.exclude.never.extend(self.shelves());
                let work = move |engine: &Engine, open: &OpenVault, job: &JobHandle| {
                    engine.back_up(open, &mut options, snapshot.as_ref(), job)
                };
                self.start_on(kind, vault, plan, work)
            }
            Task::SendSnapshot {
                vault,
                at,
                tags,
                dry_run,
            } => {
                let mut options = Box::new(self.backup_options(&vault)?);
                (options.tags, options.dry_run, options.count_totals) = (tags, dry_run, true);
                self.start(Task::Export { vault, at, options })
            }
            Task::Export { vault, at, mut options } => {
                let work = move |engine: &Engine, open: &OpenVault, job: &JobHandle| {
                    engine.export(open, &at, &mut options, job)
                };
                self.start_on(kind, vault, None, work)
            }
            Task::Restore { vault, what } => {
                let work =
                    move |engine: &Engine, open: &OpenVault, job: &JobHandle| engine.restore_job(open, &what, job);
                self.start_on(kind, vault, None, work)
            }
            Task::PlannedRestore { plan } => {
                let gone = || Error::Usage("this restore plan is gone: make it again".into());
                let (vault, plan) = self.restore_plan(plan).ok_or_else(gone)?;
                self.start(Task::Restore {
                    vault,
                    what: RestoreWhat::Plan(plan),
                })
            }
            Task::Check { vault, data } => {
                let work = move |engine: &Engine, open: &OpenVault, job: &JobHandle| {
                    let lock = open.vault().lock(LockKind::Exclusive)?;
                    engine.note(job, "holds an exclusive lock, checking");
                    let report = check::run(open.vault(), &lock, &data, &job.progress, job.cancel_flag())?;
                    for finding in report.errors.iter().chain(&report.warnings) {
                        job.report(b"", finding.to_string());
                    }
                    Ok(TaskOutcome::Check(Box::new(report)))
                };
                self.start_on(kind, vault, None, work)
            }
            Task::Forget { vault, ids, prune } => {
                let work = move |engine: &Engine, open: &OpenVault, job: &JobHandle| {
                    engine.forget(open, &ids, prune.as_ref(), job)
                };
                self.start_on(kind, vault, None, work)
            }
            Task::Prune {
                vault,
                options,
                dry_run,
            } => {
                let work = move |engine: &Engine, open: &OpenVault, job: &JobHandle| {
                    engine.prune(open, &options, dry_run, job)
                };
                self.start_on(kind, vault, None, work)
            }
            Task::Tag { vault, ids, change } => {
                let work = move |engine: &Engine, open: &OpenVault, job: &JobHandle| {
                    let lock = open.vault().lock(LockKind::Exclusive)?;
                    engine.note(job, "holds an exclusive lock");
                    let mut changed = Vec::new();
                    for id in &ids {
                        job.cancel_flag().check()?;
                        changed.extend(open.vault().change_tags(&lock, id, &change)?.map(|new| (*id, new)));
                        job.progress.file_done(0);
                    }
                    drop(lock);
                    engine.relist(open);
                    Ok(TaskOutcome::Tag(changed))
                };
                self.start_on(kind, vault, None, work)
            }
            Task::Snapshot(task) => self.start_on_snapshots(task),
            Task::Unlock { vault, all } => {
                let work = move |_: &Engine, open: &OpenVault, _: &JobHandle| {
                    Ok(TaskOutcome::Unlock(open.vault().unlock(all)?))
                };
                self.start_on(kind, vault, None, work)
            }
        }
    }

    /// Starts a job and names it, off this thread: paths are looked up, the system is asked for its volumes, the history is
    /// written → [`Event::JobStarted`] and [`Event::JobNamed`], or [`Event::NotStarted`]. Never blocks.
    pub fn ask_start(&self, task: Task, title: String) {
        let engine = self.clone();
        let work = move || match engine.start(task) {
            Ok(job) => engine.name_job(&job, &title),
            Err(error) => engine.hub().send(Event::NotStarted(error.to_string())),
        };
        if let Err(error) = std::thread::Builder::new().name("start".into()).spawn(work) {
            self.hub()
                .send(Event::NotStarted(format!("cannot start a thread: {error}")));
        }
    }

    /// A job that opens a vault and works on it.
    fn start_on(
        &self,
        kind: JobKind,
        vault: String,
        plan: Option<String>,
        work: impl FnOnce(&Engine, &OpenVault, &JobHandle) -> Result<TaskOutcome> + Send + 'static,
    ) -> Result<JobHandle> {
        // By its name in the config, or the folder as it is: the history is read by that, from wherever it was typed.
        let place = self.find(&vault)?;
        let vault = match &place.config {
            Some(_) => place.name,
            None => place.path.to_str().map_or(vault, Into::into),
        };
        self.start_job(kind, vault, plan, |engine, job| {
            let open = engine.open(&job.info.vault, PasswordGiven::Configured)?;
            engine.note(job, format!("opened {}", open.place()));
            job.cancel_flag().check()?;
            work(engine, &open, job)
        })
    }

    /// A job that does `work` on a thread of its own. A panic in it fails the job, and only that.
    pub(in crate::engine) fn start_job(
        &self,
        kind: JobKind,
        vault: String,
        plan: Option<String>,
        work: impl FnOnce(&Engine, &JobHandle) -> Result<TaskOutcome> + Send + 'static,
    ) -> Result<JobHandle> {
        if self.0.closed.load(Ordering::SeqCst) {
            return Err(Error::ShuttingDown);
        }
        let run = match &plan {
            None => None,
            Some(plan) => {
                let run = self.0.runs.start_plan(plan);
                Some(run.ok_or_else(|| Error::PlanRunning { plan: plan.clone() })?)
            }
        };
        self.listen();
        let mut record = JobRecord {
            id: 0,
            title: String::new(),
            run: self.0.runs.token().to_owned(),
            kind: kind.word().into(),
            vault: vault.clone(),
            plan: plan.clone(),
            started: self.now(),
            end: None,
        };
        record.id = self.write_start(&record).unwrap_or_else(|error| {
            self.hub().send(Event::Warning(error.to_string()));
            // Below all numbers that are written down, which other processes give out as well.
            -(self.0.unwritten.fetch_add(1, Ordering::SeqCst) + 1)
        });
        let info = JobInfo {
            id: record.id,
            kind,
            vault,
            plan,
            started: record.started,
        };
        let job = JobHandle::new(info, self.0.hub.clone(), self.settings().clock.clone());
        job.note(format!("started in process {}", std::process::id()));
        {
            let mut jobs = self.jobs();
            let surplus = jobs.len().saturating_sub(KEPT_JOBS);
            let mut dropped = 0;
            jobs.retain(|job| {
                let drop = dropped < surplus && job.state().has_ended();
                dropped += usize::from(drop);
                !drop
            });
            jobs.push(job.clone());
        }
        // Looked at again after the job was listed: a shutdown either sees it there or is seen here.
        if self.0.closed.load(Ordering::SeqCst) {
            job.cancel();
        }
        let (engine, handle) = (self.clone(), job.clone());
        let thread = std::thread::Builder::new()
            .name(format!("{}-{}", kind.word(), record.id))
            .spawn({
                let record = record.clone();
                move || {
                    let result = std::panic::catch_unwind(AssertUnwindSafe(|| {
                        handle.cancel_flag().check()?;
                        work(&engine, &handle)
                    }));
                    let panicked = |panic: Box<dyn std::any::Any + Send>| Error::Panicked {
                        what: format!("job {}", handle.id()),
                        text: panic_text(&*panic),
                    };
                    let result = result.unwrap_or_else(|panic| Err(panicked(panic)));
                    engine.end_job(&handle, record, run, result);
                }
            });
        if let Err(source) = thread {
            let error = || Error::Local {
                action: "start",
                path: "a thread".into(),
                source: source.kind().into(),
            };
            self.end_job(&job, record, None, Err(error()));
            return Err(error());
        }
        Ok(job)
    }

    /// Writes down that a job starts; its number.
    pub(super) fn write_start(&self, record: &JobRecord) -> Result<JobId> {
        let last = self.0.last_job.load(Ordering::SeqCst);
        let id = self.catalog().job_started(record, last)?;
        self.0.last_job.fetch_max(id, Ordering::SeqCst);
        Ok(id)
    }

    /// Brings the remembered generations up to date. What was done is done: if this fails, only the list is old.
    pub(super) fn relist(&self, open: &OpenVault) {
        let listed = open.vault().generations().map_err(Error::from);
        if let Err(error) = listed.map(|generations| self.remember(open, Some(&generations), true)) {
            self.hub().send(Event::Warning(error.to_string()));
        }
    }

    fn restore_job(&self, open: &OpenVault, what: &RestoreWhat, job: &JobHandle) -> Result<TaskOutcome> {
        let lock = open.vault().lock(LockKind::Reading)?;
        self.note(job, "holds a shared lock");
        let indexed = open.indexed(job.cancel_flag())?;
        let plan = match what {
            RestoreWhat::Options(generation, options) => {
                job.progress.set_current(b"comparing");
                // What planning counts is not what is restored: it gets counters of its own.
                let progress = crate::progress::Progress::default();
                Arc::new(restore::plan(
                    &indexed,
                    generation,
                    options,
                    &progress,
                    job.cancel_flag(),
                )?)
            }
            RestoreWhat::Plan(plan) => plan.clone(),
        };
        self.note(job, "read the index and the plan, restoring");
        let report = |issue: restore::Issue| job.report(&issue.path, issue.error);
        let outcome = restore::execute(&indexed, &plan, &job.progress, job.cancel_flag(), &report)?;
        drop(lock);
        Ok(TaskOutcome::Restore(outcome))
    }
}

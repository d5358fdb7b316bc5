//! What a job that backs up does: the commands around it, the snapshot it reads from, the files.

use std::panic::AssertUnwindSafe;

use crate::backup;
use crate::config::{FromSnapshot, Hooks};
use crate::engine::{Engine, Error, Event, JobHandle, OpenVault, Result, TaskOutcome};
use crate::hook::{self, Hook};
use crate::vault::lock::LockKind;

impl Engine {
    /// Backs up, between the commands of the plan. Once the one before did, the one after runs whatever comes of the backup,
    /// also when that is told to stop, or panics.
    pub(super) fn back_up(
        &self,
        open: &OpenVault,
        options: &mut backup::BackupOptions,
        snapshot: Option<&FromSnapshot>,
        job: &JobHandle,
    ) -> Result<TaskOutcome> {
        self.clear_left_behind(job);
        let hooks = match &job.info.plan {
            Some(plan) if !options.dry_run => self.plan(plan).map(|plan| plan.hooks).unwrap_or_default(),
            _ => Hooks::default(),
        };
        let mut environment = vec![
            ("COFFER_VAULT", job.info.vault.clone()),
            ("COFFER_PLAN", job.info.plan.clone().unwrap_or_default()),
        ];
        let hook = |when, command, environment: &[(&'static str, String)]| {
            let hook = Hook {
                when,
                what: "the backup",
                command,
                limit: hooks.limit(),
                environment,
                cancel: (when == "before").then(|| job.cancel_flag()),
                note: &|line| job.note(line),
            };
            let done = hook.run();
            self.write_log(job);
            done
        };
        if let Some(command) = &hooks.before {
            hook("before", command, &environment).map_err(|error| match error {
                hook::Error::Cancelled(cancelled) => cancelled.into(),
                hook::Error::Failed(why) => Error::Hook { why },
            })?;
        }
        let _owed = hooks.after.is_some().then(crate::ending::owe);
        let work = || {
            job.cancel_flag().check()?;
            match snapshot {
                // What would be stored can be told without one.
                Some(from) if !options.dry_run => self.back_up_from_snapshot(open, options, from, job),
                _ => self.back_up_files(open, options, job),
            }
        };
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(work));
        if let Some(command) = &hooks.after {
            let result = match &outcome {
                Ok(Ok(_)) => "done",
                Ok(Err(error)) if error.is_cancelled() => "cancelled",
                _ => "failed",
            };
            environment.push(("COFFER_RESULT", result.to_owned()));
            if let Err(error) = hook("after", command, &environment) {
                let text = format!("the command after the backup failed: {error}");
                self.hub().send(Event::Warning(text.clone()));
                job.report(b"", text);
            }
        }
        outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    pub(in crate::engine) fn back_up_files(
        &self,
        open: &OpenVault,
        options: &backup::BackupOptions,
        job: &JobHandle,
    ) -> Result<TaskOutcome> {
        let kind = match options.dry_run {
            true => LockKind::Reading,
            false => LockKind::Shared,
        };
        let lock = open.vault().lock(kind)?;
        self.note(job, "holds a shared lock");
        let indexed = open.indexed(job.cancel_flag())?;
        self.note(job, "read the index, backing up");
        let report = |issue: backup::Issue| {
            let text = issue.to_string();
            let path = format!("{}: ", String::from_utf8_lossy(&issue.path));
            job.report(&issue.path, text.strip_prefix(&path).unwrap_or(&text).to_owned());
        };
        let outcome = backup::run(
            &indexed,
            options,
            Some(&lock),
            &job.progress,
            job.cancel_flag(),
            &report,
        )?;
        drop(lock);
        if outcome.generation.is_some() {
            self.relist(open);
        }
        Ok(TaskOutcome::Backup(Box::new(outcome)))
    }
}

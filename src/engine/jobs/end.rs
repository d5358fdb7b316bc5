//! How a job ended, written down.

use super::marks::PlanRun;
use crate::catalog::{JobEnd, JobRecord};
use crate::engine::{Engine, Event, JobHandle, JobState, Result, TaskOutcome};
use crate::text::said;
use crate::vault::lock::left_behind;

/// How a job ended that was stopped and could not delete its lock; told so in the history.
pub(super) const LOCK_LEFT: &str = "cancelled, its lock is still in the vault: coffer unlock removes it";

impl Engine {
    /// Writes down how a job ended; then its plan may run again, then who waits for it is told.
    pub(super) fn end_job(
        &self,
        job: &JobHandle,
        mut record: JobRecord,
        run: Option<PlanRun>,
        result: Result<TaskOutcome>,
    ) {
        let now = self.now();
        record.title = job.title();
        let (state, text, problems, exit_code) = match &result {
            Ok(outcome) => {
                let (summary, problems) = (outcome.summary(), outcome.problems());
                (
                    JobState::Done {
                        summary: summary.clone(),
                        problems,
                    },
                    summary,
                    problems,
                    outcome.exit_code(),
                )
            }
            Err(error) if error.is_cancelled() => {
                let place = self.find(&job.info.vault).map(|place| place.key());
                // The rooms have given their locks back, as far as the place let them.
                let cleaned = !place.is_ok_and(|place| left_behind(&place));
                let text = if cleaned {
                    error.to_string()
                } else {
                    LOCK_LEFT.to_owned()
                };
                (JobState::Cancelled { cleaned }, text, 0, 130)
            }
            Err(error) => {
                let (error, exit_code) = (said(error), error.exit_code());
                (
                    JobState::Failed {
                        error: error.clone(),
                        exit_code,
                    },
                    error,
                    0,
                    exit_code,
                )
            }
        };
        let sample = job.progress.sample();
        let issues: Vec<(Vec<u8>, String)> = job
            .issues_after(0)
            .into_iter()
            .map(|issue| (issue.path, issue.text))
            .collect();
        job.note(match &state {
            JobState::Cancelled { cleaned: true } => "cancelled; its locks are gone".to_owned(),
            JobState::Cancelled { cleaned: false } => LOCK_LEFT.to_owned(),
            state => format!("{}: {text}", state.word()),
        });
        record.end = Some(JobEnd {
            time: now,
            state: state.word().into(),
            files: sample.files_done,
            bytes: sample.bytes_done,
            problems: problems.max(sample.errors),
            issues: job.issue_count(),
            text,
            exit_code,
        });
        match self.write_end(&mut record, &issues) {
            Ok(()) => {
                job.rewrite_log();
                self.write_log_as(job, record.id);
            }
            Err(error) => self.hub().send(Event::Warning(error.to_string())),
        }
        self.pass_warnings();
        drop(run);
        job.end(state, result, now);
    }

    /// Writes down how a job ended. One whose start could not be written down, or whose number went to another when the
    /// catalog was made anew, gets a number only now.
    fn write_end(&self, record: &mut JobRecord, issues: &[(Vec<u8>, String)]) -> Result<()> {
        if record.id > 0 && self.catalog().job_ended(record, issues)? {
            return Ok(());
        }
        record.id = self.write_start(record)?;
        self.catalog().job_ended(record, issues)?;
        Ok(())
    }
}

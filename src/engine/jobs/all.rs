//! All jobs one can see: of this process, of others that run now, of the history; and how each is stopped.

use std::io::ErrorKind;
use std::sync::{Arc, PoisonError};

use super::end::LOCK_LEFT;
use super::post::{self, Ask, Post};
use crate::catalog::JobRecord;
use crate::engine::{
    Engine, Error, Event, JobHandle, JobId, JobInfo, JobIssue, JobKind, JobRow, JobState, LogLine, Result,
};
use crate::progress::ProgressSample;

/// What a job without end and without process is taken for.
const DIED: &str = "its process ended before it did";

impl Engine {
    /// Jobs of this process, of others that run, and of the history, newest first. Asks other processes: not for a thread
    /// that draws.
    pub fn job_rows(&self, limit: usize) -> Result<Vec<JobRow>> {
        let mut rows: Vec<JobRow> = self.jobs().iter().map(here).collect();
        // Asked before the history is read, so that none is missed that ends in between.
        rows.extend(self.elsewhere().into_iter().flat_map(|(_, rows)| rows));
        for record in self.catalog().jobs(limit)? {
            if rows.iter().all(|row| row.info.id != record.id) {
                rows.extend(self.to_row(record));
            }
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.info.id));
        rows.truncate(limit);
        Ok(rows)
    }

    /// One job, wherever it runs or ran.
    pub fn job_row(&self, id: JobId) -> Result<Option<JobRow>> {
        if let Some(job) = self.job(id) {
            return Ok(Some(here(&job)));
        }
        let running = self.elsewhere().into_iter().flat_map(|(_, rows)| rows);
        if let Some(row) = running.into_iter().find(|row| row.info.id == id) {
            return Ok(Some(row));
        }
        Ok(self.catalog().job(id)?.and_then(|record| self.to_row(record)))
    }

    /// What went wrong within a job, wherever it runs or ran.
    pub fn job_issues(&self, job: JobId) -> Result<Vec<JobIssue>> {
        if let Some(job) = self.job(job) {
            return Ok(job.issues_after(0));
        }
        let issues = self.catalog().issues(job)?;
        if issues.is_empty()
            && let Some(token) = self.runs_elsewhere(job)?
            && let Ok(reply) = post::ask(
                self.0.runs.folder(),
                &token,
                &Ask::Issues { job },
                self.settings().patience,
            )
        {
            return Ok(reply.issues());
        }
        Ok(issues.into_iter().map(|(path, text)| JobIssue { path, text }).collect())
    }

    /// What a job did when, wherever it runs or ran.
    pub fn job_log(&self, job: JobId) -> Result<Vec<LogLine>> {
        match self.job(job) {
            Some(job) => Ok(job.log()),
            None => Ok(self.catalog().job_log(job)?),
        }
    }

    /// Asks a job to stop, wherever it runs. Waits for the other process to hear it (not for the job's end).
    pub fn cancel(&self, id: JobId) -> Result<()> {
        let ended = || Error::NotRunning { job: id };
        if let Some(job) = self.job(id) {
            return match job.state().has_ended() {
                true => Err(ended()),
                false => {
                    job.cancel();
                    Ok(())
                }
            };
        }
        let token = match self.catalog().job(id)? {
            Some(record) if record.end.is_some() || !self.0.runs.is_alive(&record.run) => return Err(ended()),
            Some(record) => record.run,
            None => self.runs_elsewhere(id)?.ok_or_else(ended)?,
        };
        let by = std::process::id();
        // Somebody waits for just this one.
        let patience = self.settings().patience.saturating_mul(10);
        match post::ask(self.0.runs.folder(), &token, &Ask::Cancel { job: id, by }, patience) {
            Ok(reply) if reply.done => Ok(()),
            Ok(_) => Err(ended()),
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => Err(Error::Silent {
                job: id,
                pid: token.split('-').next().unwrap_or_default().to_owned(),
            }),
            Err(source) => Err(Error::Local {
                action: "reach the process that runs",
                path: format!("job {id}"),
                source,
            }),
        }
    }

    /// Gives a job of this process a name, for people.
    pub fn name_job(&self, job: &JobHandle, title: &str) {
        job.set_title(title);
        self.hub().send(Event::JobNamed {
            job: job.id(),
            title: title.to_owned(),
        });
        if let Err(error) = self.catalog().name_job(job.id(), self.0.runs.token(), title) {
            tracing::warn!("the name of job {} was not written down: {error}", job.id());
        }
    }

    /// Tells the subscribers something that belongs to no question.
    pub fn warn(&self, text: String) {
        self.hub().send(Event::Warning(text));
    }

    /// Adds a line to the logs of all jobs that run here: something that befell all of them.
    pub fn note_all(&self, text: &str) {
        for job in self.running() {
            self.note(&job, text);
        }
    }

    /// Adds a line to a job's log and writes it down. Not for a thread that draws.
    pub(in crate::engine) fn note(&self, job: &JobHandle, text: impl Into<String>) {
        job.note(text);
        self.write_log(job);
    }

    /// Writes down what of a job's log is not yet.
    pub(in crate::engine) fn write_log(&self, job: &JobHandle) {
        self.write_log_as(job, job.id());
    }

    /// The same of a job that goes by another number in the history.
    pub(super) fn write_log_as(&self, job: &JobHandle, id: JobId) {
        let written = job.write_log(|first, lines| self.catalog().log_job(id, self.0.runs.token(), first, lines));
        if let Err(error) = written {
            tracing::warn!("the log of job {} was not written down: {error}", job.id());
        }
    }

    /// From now on other processes can ask about the jobs here.
    pub(in crate::engine) fn listen(&self) {
        let token = self.0.runs.token();
        let mut post = self.0.post.lock().unwrap_or_else(PoisonError::into_inner);
        if post.is_some() {
            return;
        }
        match Post::open(self.0.runs.folder(), token, Arc::downgrade(&self.0)) {
            Ok(opened) => *post = Some(opened),
            Err(e) => self.hub().send(Event::Warning(format!(
                "other processes cannot see how far jobs here are, nor stop them: no socket in {}: {e}",
                self.0.runs.folder().display()
            ))),
        }
    }

    /// The jobs that run in other processes, by those processes' marks.
    fn elsewhere(&self) -> Vec<(String, Vec<JobRow>)> {
        let runs = &self.0.runs;
        let ask = |token: String| {
            let reply = post::ask(runs.folder(), &token, &Ask::Jobs, self.settings().patience).ok()?;
            Some((token, reply.rows()))
        };
        runs.others().into_iter().filter_map(ask).collect()
    }

    /// The mark of the process that runs this job, if another one does.
    fn runs_elsewhere(&self, job: JobId) -> Result<Option<String>> {
        if let Some(record) = self.catalog().job(job)?
            && record.end.is_some()
        {
            return Ok(None);
        }
        let found = self.elsewhere().into_iter();
        Ok(found
            .filter(|(_, rows)| rows.iter().any(|row| row.info.id == job))
            .map(|(token, _)| token)
            .next())
    }

    fn to_row(&self, record: JobRecord) -> Option<JobRow> {
        let info = JobInfo {
            id: record.id,
            kind: JobKind::of_word(&record.kind)?,
            vault: record.vault,
            plan: record.plan,
            started: record.started,
        };
        let end = record.end;
        let state = match &end {
            None if self.0.runs.is_alive(&record.run) => JobState::Running,
            None => JobState::Failed {
                error: DIED.into(),
                exit_code: 1,
            },
            Some(end) => match end.state.as_str() {
                "done" => JobState::Done {
                    summary: end.text.clone(),
                    problems: end.problems,
                },
                "cancelled" => JobState::Cancelled {
                    cleaned: end.text != LOCK_LEFT,
                },
                _ => JobState::Failed {
                    error: end.text.clone(),
                    exit_code: end.exit_code,
                },
            },
        };
        let progress = end.as_ref().map_or_else(ProgressSample::default, |end| ProgressSample {
            files_done: end.files,
            bytes_done: end.bytes,
            errors: end.problems,
            ..ProgressSample::default()
        });
        let issues = end.as_ref().map_or(0, |end| end.issues);
        Some(JobRow {
            info,
            title: record.title,
            state,
            ended: end.map(|end| end.time),
            progress,
            issues,
            here: false,
        })
    }
}

fn here(job: &JobHandle) -> JobRow {
    JobRow {
        info: (*job.info).clone(),
        title: job.title(),
        state: job.state(),
        ended: job.ended_at(),
        progress: job.progress.sample(),
        issues: job.issue_count(),
        here: true,
    }
}

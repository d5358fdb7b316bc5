//! `coffer jobs`: what runs on this machine, what was done on it, and how it went.

use std::time::{Duration, Instant};

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::context::Context;
use super::exit::Exit;
use super::output::{Align, Table, bytes, count, escape, span};
use crate::engine::{JobIssue, JobRow, JobState, LogLine};

/// Show what runs and what ran on this machine: backups, restores, checks
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// Only the newest N
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  coffer jobs
  coffer jobs show 17
  coffer jobs cancel 17";

#[derive(Debug, Subcommand)]
enum Command {
    /// Stop a job, whichever process runs it
    ///
    /// Stopping is clean: what a backup has stored, the next one uses; what a restore has written stays.
    #[command(after_help = "Example:\n  coffer jobs cancel 17")]
    Cancel {
        /// The job's number
        id: i64,
    },
    /// Show one job: what it did when, and everything it reported
    #[command(after_help = "Example:\n  coffer jobs show 17")]
    Show {
        /// The job's number
        id: i64,
    },
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            None => list(context, self.last),
            Some(Command::Show { id }) => show(context, id),
            Some(Command::Cancel { id }) => cancel(context, id),
        }
    }
}

fn list(context: &Context, last: usize) -> Result<Exit, Failure> {
    let mut jobs = context.engine.job_rows(last)?;
    jobs.reverse();
    if context.out.json {
        let values: Vec<Value> = jobs.iter().map(value).collect();
        context.out.value(&values)?;
        return Ok(Exit::Done);
    }
    if jobs.is_empty() {
        context.out.remark("Nothing was done on this machine yet.")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("Job", Align::Right),
        ("Started", Align::Left),
        ("Took", Align::Right),
        ("Kind", Align::Left),
        ("Vault", Align::Left),
        ("Plan", Align::Left),
        ("State", Align::Left),
        ("What", Align::Left),
    ]);
    for job in &jobs {
        let took = job
            .ended
            .map(|end| span(u64::try_from(end.seconds - job.info.started.seconds).unwrap_or(0)));
        table.row(vec![
            job.info.id.to_string(),
            context.out.time(&job.info.started),
            took.unwrap_or_default(),
            job.info.kind.word().to_owned(),
            escape(job.info.vault.as_bytes()),
            escape(job.info.plan.as_deref().unwrap_or_default().as_bytes()),
            job.state.word().to_owned(),
            escape(result(job).as_bytes()),
        ]);
    }
    table.print_cut(&context.out)?;
    Ok(Exit::Done)
}

/// How long a job may take to stop before that is told.
const PATIENCE: Duration = Duration::from_secs(10);

fn cancel(context: &Context, id: i64) -> Result<Exit, Failure> {
    context.engine.cancel(id)?;
    let until = Instant::now() + PATIENCE;
    let ended = loop {
        let job = context.engine.job_row(id)?;
        match job {
            Some(job) if job.state.has_ended() => break Some(job),
            _ if Instant::now() >= until || context.cancel.is_cancelled() => break None,
            _ => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    let state = ended.as_ref().map_or("cancelling", |job| job.state.word());
    if context.out.json {
        context.out.value(&json!({ "id": id, "state": state }))?;
    } else {
        match ended {
            Some(_) => context.out.line(format!("job {id}: {state}"))?,
            None => context.out.line(format!(
                "job {id} was told to stop and has not yet; coffer jobs show {id} tells when it has"
            ))?,
        }
    }
    Ok(Exit::Done)
}

fn show(context: &Context, id: i64) -> Result<Exit, Failure> {
    let Some(job) = context.engine.job_row(id)? else {
        return Err(Failure::failed(format!("there is no job {id}; coffer jobs lists them")));
    };
    let log = context.engine.job_log(id)?;
    let issues = context.engine.job_issues(id)?;
    if context.out.json {
        let mut shown = value(&job);
        if let Some(fields) = shown.as_object_mut() {
            let told =
                |issue: &JobIssue| json!({ "path": String::from_utf8_lossy(&issue.path), "message": issue.text });
            fields.insert("reported".into(), issues.iter().map(told).collect());
            let told = |line: &LogLine| json!({ "time": line.time, "text": line.text });
            fields.insert("log".into(), log.iter().map(told).collect());
        }
        context.out.value(&shown)?;
        return Ok(Exit::Done);
    }
    let ended = job.ended.map(|end| context.out.time(&end)).unwrap_or_default();
    let lines = [
        ("job", job.info.id.to_string()),
        ("title", escape(job.title.as_bytes())),
        ("kind", job.info.kind.word().to_owned()),
        ("vault", escape(job.info.vault.as_bytes())),
        ("plan", escape(job.info.plan.as_deref().unwrap_or_default().as_bytes())),
        ("started", context.out.time(&job.info.started)),
        ("ended", ended),
        ("state", job.state.word().to_owned()),
        (
            "did",
            format!(
                "{} files, {}",
                count(job.progress.files_done),
                bytes(job.progress.bytes_done)
            ),
        ),
        ("result", escape(result(&job).as_bytes())),
    ];
    for (what, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        context.out.line(format!("{what:<8} {text}"))?;
    }
    for line in &log {
        let time = context.out.time(&line.time);
        context
            .out
            .line(format!("  {time}  {}", escape(line.text.as_bytes())))?;
    }
    for issue in &issues {
        context
            .out
            .line(format!("  {}: {}", escape(&issue.path), escape(issue.text.as_bytes())))?;
    }
    let left = job.issues.saturating_sub(issues.len() as u64);
    if left > 0 {
        context.out.line(format!("  and {} more", count(left)))?;
    }
    Ok(Exit::Done)
}

/// What came of it, in words; while it runs, how far it is.
fn result(job: &JobRow) -> String {
    match &job.state {
        JobState::Done { summary, .. } => summary.clone(),
        JobState::Failed { error, .. } => error.clone(),
        JobState::Cancelled { .. } => String::new(),
        JobState::Running | JobState::Cancelling => {
            let done = &job.progress;
            let percent = match done.bytes_total {
                total if total > 0 && done.totals_known => {
                    format!(
                        "{} % of {}, ",
                        u128::from(done.bytes_done) * 100 / u128::from(total),
                        bytes(total)
                    )
                }
                _ => String::new(),
            };
            format!("{percent}{} files, {}", count(done.files_done), bytes(done.bytes_done))
        }
    }
}

fn value(job: &JobRow) -> Value {
    let (problems, code) = match &job.state {
        JobState::Done { problems, .. } => (Some(*problems), None),
        JobState::Failed { exit_code, .. } => (None, Some(*exit_code)),
        _ => (None, None),
    };
    json!({
        "id": job.info.id,
        "kind": job.info.kind.word(),
        "title": job.title,
        "vault": job.info.vault,
        "plan": job.info.plan,
        "started": job.info.started,
        "ended": job.ended,
        "state": job.state.word(),
        "files": job.progress.files_done,
        "bytes": job.progress.bytes_done,
        "bytes_total": job.progress.totals_known.then_some(job.progress.bytes_total),
        "problems": problems,
        "issues": job.issues,
        "exit_code": code,
        "result": if job.state.has_ended() { result(job) } else { String::new() },
    })
}

//! `coffer jobs`: what was done on this machine, and how it went.

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::context::Context;
use super::exit::Exit;
use super::output::{Align, Table, bytes, count, escape, span};
use crate::engine::{JobIssue, JobRow, JobState};

/// Show the history of jobs on this machine: backups, restores, checks
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
  coffer jobs show 17";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show one job with everything it reported
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
            escape(result(&job.state).as_bytes()),
        ]);
    }
    table.print(&context.out)?;
    Ok(Exit::Done)
}

fn show(context: &Context, id: i64) -> Result<Exit, Failure> {
    // Numbers ascend, so the newest of all tells how many there can be.
    let newest = context.engine.job_rows(1)?.first().map_or(0, |job| job.info.id);
    let far = usize::try_from(newest.saturating_sub(id).saturating_add(1)).unwrap_or(0);
    let found = context.engine.job_rows(far)?.into_iter().find(|job| job.info.id == id);
    let Some(job) = found else {
        return Err(Failure::failed(format!("there is no job {id}; coffer jobs lists them")));
    };
    let issues = context.engine.job_issues(id)?;
    if context.out.json {
        let mut shown = value(&job);
        if let Some(fields) = shown.as_object_mut() {
            let told =
                |issue: &JobIssue| json!({ "path": String::from_utf8_lossy(&issue.path), "message": issue.text });
            fields.insert("reported".into(), issues.iter().map(told).collect());
        }
        context.out.value(&shown)?;
        return Ok(Exit::Done);
    }
    let ended = job.ended.map(|end| context.out.time(&end)).unwrap_or_default();
    let lines = [
        ("job", job.info.id.to_string()),
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
        ("result", escape(result(&job.state).as_bytes())),
    ];
    for (what, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        context.out.line(format!("{what:<8} {text}"))?;
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

/// What came of it, in words; empty while it runs.
fn result(state: &JobState) -> &str {
    match state {
        JobState::Done { summary, .. } => summary,
        JobState::Failed { error, .. } => error,
        _ => "",
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
        "vault": job.info.vault,
        "plan": job.info.plan,
        "started": job.info.started,
        "ended": job.ended,
        "state": job.state.word(),
        "files": job.progress.files_done,
        "bytes": job.progress.bytes_done,
        "problems": problems,
        "issues": job.issues,
        "exit_code": code,
        "result": result(&job.state),
    })
}

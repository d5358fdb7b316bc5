//! `coffer jobs`: what was done on this machine, and how it went.

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::context::Context;
use super::exit::Exit;
use super::output::{Align, Table, bytes, count, escape, span};
use crate::catalog::{Catalog, JobRecord};

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
        let catalog = Catalog::open(&context.engine.settings().data)?;
        match self.command {
            None => list(context, &catalog, self.last),
            Some(Command::Show { id }) => show(context, &catalog, id),
        }
    }
}

fn list(context: &Context, catalog: &Catalog, last: usize) -> Result<Exit, Failure> {
    let mut jobs = catalog.jobs(last)?;
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
        let end = job.end.as_ref();
        table.row(vec![
            job.id.to_string(),
            context.out.time(&job.started),
            end.map(|end| span(u64::try_from(end.time.seconds - job.started.seconds).unwrap_or(0)))
                .unwrap_or_default(),
            job.kind.clone(),
            escape(job.vault.as_bytes()),
            escape(job.plan.as_deref().unwrap_or_default().as_bytes()),
            state(job).to_owned(),
            end.map(|end| escape(end.text.as_bytes())).unwrap_or_default(),
        ]);
    }
    table.print(&context.out)?;
    Ok(Exit::Done)
}

fn show(context: &Context, catalog: &Catalog, id: i64) -> Result<Exit, Failure> {
    let Some(job) = catalog.job(id)? else {
        return Err(Failure::failed(format!("there is no job {id}; coffer jobs lists them")));
    };
    let issues = catalog.issues(id)?;
    if context.out.json {
        let mut shown = value(&job);
        if let Some(fields) = shown.as_object_mut() {
            let told =
                |(path, text): &(Vec<u8>, String)| json!({ "path": String::from_utf8_lossy(path), "message": text });
            fields.insert("reported".into(), issues.iter().map(told).collect());
        }
        context.out.value(&shown)?;
        return Ok(Exit::Done);
    }
    let mut lines = vec![
        ("job", job.id.to_string()),
        ("kind", job.kind.clone()),
        ("vault", escape(job.vault.as_bytes())),
        ("plan", escape(job.plan.as_deref().unwrap_or_default().as_bytes())),
        ("started", context.out.time(&job.started)),
        ("state", state(&job).to_owned()),
    ];
    if let Some(end) = &job.end {
        lines.push(("ended", context.out.time(&end.time)));
        lines.push(("files", format!("{}, {}", count(end.files), bytes(end.bytes))));
        lines.push(("problems", count(end.problems)));
        lines.push(("exit code", end.exit_code.to_string()));
        lines.push(("result", escape(end.text.as_bytes())));
    }
    for (what, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        context.out.line(format!("{what:<10} {text}"))?;
    }
    for (path, text) in &issues {
        context
            .out
            .line(format!("  {}: {}", escape(path), escape(text.as_bytes())))?;
    }
    let left = job.end.map_or(0, |end| end.issues).saturating_sub(issues.len() as u64);
    if left > 0 {
        context.out.line(format!("  and {} more", count(left)))?;
    }
    Ok(Exit::Done)
}

fn state(job: &JobRecord) -> &str {
    job.end
        .as_ref()
        .map_or("running, or ended with its process", |end| end.state.as_str())
}

fn value(job: &JobRecord) -> Value {
    let end = job.end.as_ref();
    json!({
        "id": job.id,
        "kind": job.kind,
        "vault": job.vault,
        "plan": job.plan,
        "started": job.started,
        "ended": end.map(|end| end.time),
        "state": end.map(|end| end.state.as_str()),
        "files": end.map(|end| end.files),
        "bytes": end.map(|end| end.bytes),
        "problems": end.map(|end| end.problems),
        "issues": end.map(|end| end.issues),
        "exit_code": end.map(|end| end.exit_code),
        "result": end.map(|end| end.text.as_str()),
    })
}

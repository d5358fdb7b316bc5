//! `coffer restore`: brings files back.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::{ValueEnum, ValueHint};
use serde_json::json;

use super::args::FilterArgs;
use super::context::{Context, Showing, exit_of};
use super::exit::Exit;
use super::output::{bytes, count, counted, escape};
use super::{Failure, select};
use crate::engine::{RestoreWhat, Task, TaskOutcome};
use crate::progress::Progress;
use crate::restore::{self, Action, Overwrite, Plan, RestoreOptions, RestoreOutcome, Selection, Target, Totals};
use crate::vault::Generation;

/// Bring files back, whole or in part, to a folder of your choice or to where they were
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("where").args(["target", "in_place"]).required(true))]
pub struct Args {
    /// Which generation: an id or the beginning of one, `latest`, or a time (the last one at or before it);
    /// with :PATH only that file or folder of it, placed directly in the target
    #[arg(value_name = "GENERATION[:PATH]")]
    generation: String,
    /// Restore into this folder
    #[arg(short, long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    target: Option<PathBuf>,
    /// Restore to where the files were when they were backed up
    #[arg(long)]
    in_place: bool,
    /// Restore only what matches this glob
    #[arg(short, long, value_name = "GLOB")]
    include: Vec<String>,
    /// Leave out what matches this glob
    #[arg(short, long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// Read globs to restore from this file, one a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    include_file: Vec<PathBuf>,
    /// Read globs to leave out from this file, one a line
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    exclude_file: Vec<PathBuf>,
    /// What to do with files that are there already
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = OverwriteArg::Always)]
    overwrite: OverwriteArg,
    /// Delete what is in the target but not in the generation
    #[arg(long)]
    delete: bool,
    /// Leave holes where files hold long runs of zeros
    #[arg(long)]
    sparse: bool,
    /// Read every restored file again and compare it with the vault
    #[arg(long)]
    verify: bool,
    /// Do not set owner and group
    #[arg(long)]
    no_owner: bool,
    /// Say exactly what would happen, change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer restore --vault /srv/backup latest --target /tmp/all
  coffer restore --vault /srv/backup 2026-08-01:/etc/nginx --target /tmp/nginx
  coffer restore --vault /srv/backup 4bba301e --in-place --include '/home/anna/**' --dry-run";

/// What to do with files that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OverwriteArg {
    /// Make them as they were
    Always,
    /// Only those whose size or time of change differs
    IfChanged,
    /// Only those older than in the generation
    IfNewer,
    /// Leave them
    Never,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let vault = context.vault()?;
        let (reading, indexed) = context.reading_indexed()?;
        let (generation, subtree) = select::with_path(context, reading.vault(), &self.generation, &self.filter)?;
        let options = self.options(subtree)?;
        if self.dry_run {
            let plan = restore::plan(&indexed, &generation, &options, &Progress::default(), &context.cancel)?;
            show_plan(context, &plan, &indexed)?;
            return Ok(Exit::Done);
        }
        drop((indexed, reading));
        let what = RestoreWhat::Options(Box::new(generation.clone()), Box::new(options.clone()));
        let task = Task::Restore {
            vault: vault.clone(),
            what,
        };
        let outcome = context.job(&vault, task, Showing::ALL)?;
        if let TaskOutcome::Restore(done) = &outcome {
            told(context, &generation, &options, done)?;
        }
        Ok(exit_of(&outcome))
    }

    fn options(&self, subtree: Vec<u8>) -> Result<RestoreOptions, Failure> {
        let target = match &self.target {
            Some(folder) => Target::Folder(
                std::path::absolute(folder)
                    .map_err(|e| Failure::failed(format!("cannot find {}: {e}", folder.display())))?,
            ),
            None => Target::InPlace,
        };
        let (mut include, mut exclude) = (self.include.clone(), self.exclude.clone());
        for (list, files) in [(&mut include, &self.include_file), (&mut exclude, &self.exclude_file)] {
            for file in files {
                list.extend(pattern_lines(file)?);
            }
        }
        let defaults = RestoreOptions::new(target);
        Ok(RestoreOptions {
            subtree,
            selection: match include.is_empty() && exclude.is_empty() {
                true => Selection::All,
                false => Selection::Globs { include, exclude },
            },
            overwrite: match self.overwrite {
                OverwriteArg::Always => Overwrite::Always,
                OverwriteArg::IfChanged => Overwrite::IfChanged,
                OverwriteArg::IfNewer => Overwrite::IfNewer,
                OverwriteArg::Never => Overwrite::Never,
            },
            delete: self.delete,
            sparse: self.sparse,
            verify: self.verify,
            owner: defaults.owner && !self.no_owner,
            ..defaults
        })
    }
}

/// Lists what would happen to each entry that would not stay as it is, and the counts.
fn show_plan(context: &Context, plan: &Plan, vault: &crate::vault::IndexedVault) -> Result<(), Failure> {
    let mut failed = None;
    plan.for_each(vault, &context.cancel, &mut |entry| {
        if matches!(entry.action, Action::Unchanged) && context.out.verbose == 0 {
            return ControlFlow::Continue(());
        }
        let target = plan.target_path(entry.path);
        let printed = if context.out.json {
            context.out.value(&json!({
                "type": "action", "action": word(&entry.action), "path": String::from_utf8_lossy(entry.path),
                "target": target.to_string_lossy(), "kind": entry.kind.as_str(), "size": entry.size,
            }))
        } else {
            let target = escape(target.as_os_str().as_encoded_bytes());
            context.out.remark(format!("{:<10} {target}", word(&entry.action)))
        };
        match printed {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                failed = Some(failure);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(failure) = failed {
        return Err(failure);
    }
    let totals = plan.totals();
    if context.out.json {
        let mut line = serde_json::to_value(totals).map_err(std::io::Error::from)?;
        if let Some(fields) = line.as_object_mut() {
            fields.insert("type".into(), "summary".into());
            fields.insert("dry_run".into(), true.into());
            fields.insert("generation".into(), json!(plan.generation().id));
        }
        return context.out.value(&line);
    }
    for line in totals_told(totals) {
        context.out.remark(line)?;
    }
    Ok(())
}

fn word(action: &Action) -> String {
    match serde_json::to_value(action) {
        Ok(serde_json::Value::String(word)) => word,
        // Why an entry cannot be restored is the value's only field.
        Ok(other) => other
            .as_object()
            .and_then(|fields| fields.values().next()?.as_str().map(str::to_owned))
            .unwrap_or_default(),
        Err(_) => String::new(),
    }
}

fn totals_told(totals: &Totals) -> Vec<String> {
    let made = totals.create_files + totals.create_folders + totals.create_others;
    let mut lines = vec![format!(
        "Dry run: would make {}, overwrite {}, set metadata of {}; {} right already, {} left alone",
        count(made),
        count(totals.overwrite),
        count(totals.metadata),
        count(totals.unchanged),
        count(totals.skip)
    )];
    lines.push(format!(
        "         and write {} (reading {} from the vault)",
        bytes(totals.write_bytes),
        bytes(totals.fetch_bytes)
    ));
    if totals.delete > 0 {
        lines.push(format!(
            "         and DELETE {} ({})",
            counted(totals.delete, "entry", "entries"),
            bytes(totals.delete_bytes)
        ));
    }
    if totals.problems > 0 {
        lines.push(format!(
            "         {} cannot be restored",
            counted(totals.problems, "entry", "entries")
        ));
    }
    lines
}

fn told(
    context: &Context,
    generation: &Generation,
    options: &RestoreOptions,
    done: &RestoreOutcome,
) -> Result<(), Failure> {
    let target = match &options.target {
        Target::Folder(folder) => folder.as_path(),
        Target::InPlace => Path::new("/"),
    };
    if context.out.json {
        let mut line = serde_json::to_value(done).map_err(std::io::Error::from)?;
        if let Some(fields) = line.as_object_mut() {
            fields.insert("type".into(), "summary".into());
            fields.insert("generation".into(), json!(generation.id));
            fields.insert("target".into(), target.to_string_lossy().into());
        }
        return context.out.value(&line);
    }
    context.out.remark(format!(
        "Restored {} to {}: {} written ({}), {} right already, {} left alone",
        generation.id.short(),
        if options.target == Target::InPlace {
            "where it was".to_owned()
        } else {
            escape(target.as_os_str().as_encoded_bytes())
        },
        counted(done.files_written, "file", "files"),
        bytes(done.bytes_written),
        count(done.files_unchanged),
        count(done.skipped),
    ))?;
    if done.deleted > 0 {
        context.out.remark(format!(
            "Deleted {} that the generation does not have",
            counted(done.deleted, "entry", "entries")
        ))?;
    }
    if options.verify {
        context
            .out
            .remark(format!("Verified {}", counted(done.files_verified, "file", "files")))?;
    }
    if done.warnings > 0 {
        context
            .out
            .remark(format!("{}: see above", counted(done.warnings, "warning", "warnings")))?;
    }
    if done.errors > 0 {
        let entries = counted(done.errors, "entry is", "entries are");
        context
            .out
            .problem(b"", &format!("{entries} not as in the generation; see above"));
    }
    Ok(())
}

fn pattern_lines(file: &Path) -> Result<Vec<String>, Failure> {
    let text =
        std::fs::read_to_string(file).map_err(|e| Failure::failed(format!("cannot read {}: {e}", file.display())))?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

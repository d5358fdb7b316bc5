//! `coffer backup`: stores a generation.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::ValueHint;
use serde_json::json;

use super::context::{Context, Showing, exit_of};
use super::exit::Exit;
use super::from_snapshot::FromSnapshotArgs;
use super::init::CompressionArg;
use super::output::{bytes, count, counted, escape, span};
use super::{Failure, args, select};
use crate::backup::targets::read_list;
use crate::backup::{self, BackupOptions, Exclude, ParentChoice, StdinSource};
use crate::engine::{Task, TaskOutcome};
use crate::vault::{Generation, Time};

/// Back files up: store a generation of them in the vault
///
/// Exit code 3 says that the generation is there but some files could not be read.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Files and folders to back up
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Back up what this plan of the config says: its paths, excludes, vault and tags
    #[arg(long, value_name = "NAME", conflicts_with_all = ["paths", "files_from", "stdin"])]
    pub plan: Option<String>,
    /// Read more paths from this file, one a line or separated by NUL; `-` is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files_from: Vec<PathBuf>,
    /// Store standard input as one file
    #[arg(long, conflicts_with_all = ["paths", "files_from", "from_snapshot"])]
    pub stdin: bool,
    /// The file's name in the generation, with --stdin
    #[arg(long, value_name = "NAME", default_value = "stdin", requires = "stdin")]
    pub stdin_filename: String,

    /// Leave out what matches this glob
    #[arg(short, long, value_name = "GLOB", help_heading = "What to leave out")]
    pub exclude: Vec<String>,
    /// The same, upper and lower case being equal
    #[arg(long, value_name = "GLOB", help_heading = "What to leave out")]
    pub iexclude: Vec<String>,
    /// Read globs to leave out from this file, one a line; # starts a comment
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What to leave out")]
    pub exclude_file: Vec<PathBuf>,
    /// The same, upper and lower case being equal
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "What to leave out")]
    pub iexclude_file: Vec<PathBuf>,
    /// Leave out the content of folders that hold a file of this name (NAME:HEADER: that starts with HEADER)
    #[arg(long, value_name = "NAME[:HEADER]", help_heading = "What to leave out")]
    pub exclude_if_present: Vec<String>,
    /// Leave out the content of folders marked as caches by a CACHEDIR.TAG
    #[arg(long, help_heading = "What to leave out")]
    pub exclude_caches: bool,
    /// Leave out files larger than this (500K, 20M, 1.5G)
    #[arg(long, value_name = "SIZE", value_parser = super::args::size, help_heading = "What to leave out")]
    pub exclude_larger_than: Option<u64>,
    /// Follow the rules of .gitignore files found on the way
    #[arg(long, help_heading = "What to leave out")]
    pub gitignore: bool,
    /// Back up only files that match this glob
    #[arg(long, value_name = "GLOB", help_heading = "What to leave out")]
    pub include: Vec<String>,
    /// Back up only files with this extension (jpg)
    #[arg(long, value_name = "EXT", value_delimiter = ',', help_heading = "What to leave out")]
    pub only_extension: Vec<String>,
    /// Leave out files with this extension
    #[arg(long, value_name = "EXT", value_delimiter = ',', help_heading = "What to leave out")]
    pub exclude_extension: Vec<String>,
    /// Do not cross into other filesystems
    #[arg(short = 'x', long, help_heading = "What to leave out")]
    pub one_file_system: bool,

    /// Label the generation (again for more labels)
    #[arg(long, value_name = "TAG", value_delimiter = ',', help_heading = "The generation")]
    pub tag: Vec<String>,
    /// Say that it was made on this host
    #[arg(short = 'H', long, value_name = "HOST", help_heading = "The generation")]
    pub host: Option<String>,
    /// Say that it was made at this time (RFC 3339, such as 2026-08-01T12:00:00Z)
    #[arg(long, value_name = "TIME", help_heading = "The generation")]
    pub time: Option<String>,
    /// Compare with this generation instead of the newest one of the same host and paths
    #[arg(long, value_name = "ID", help_heading = "The generation")]
    pub parent: Option<String>,
    /// Compare with no generation: read every file again
    #[arg(short, long, conflicts_with = "parent", help_heading = "The generation")]
    pub force: bool,
    /// Store no generation when nothing changed
    #[arg(long, help_heading = "The generation")]
    pub skip_if_unchanged: bool,
    /// Store the time of last access too
    #[arg(long, help_heading = "The generation")]
    pub with_atime: bool,

    /// Say what would be stored, store nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// How new data is compressed
    #[arg(long, value_enum, value_name = "auto|off|max")]
    pub compression: Option<CompressionArg>,
    /// Size of the vault's pack files, in MiB
    #[arg(long, value_name = "MiB", value_parser = clap::value_parser!(u32).range(4..=128))]
    pub pack_size: Option<u32>,

    #[command(flatten)]
    pub snapshot: FromSnapshotArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer backup --vault /srv/backup /etc /home --exclude '*.tmp' --exclude-caches
  coffer backup --plan home
  coffer backup --vault /srv/backup /srv/pg --from-snapshot --snapshot-hook postgresql
  pg_dump shop | coffer backup --vault /srv/backup --stdin --stdin-filename shop.sql";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if !self.dry_run {
            context.writes()?;
        }
        let mut snapshot = self.snapshot.asked();
        let (vault, options) = match &self.plan {
            Some(name) => {
                let plan = context.engine.plan(name)?;
                let vault = match (&context.global.vault, plan.vaults.first()) {
                    (Some(vault), _) | (None, Some(vault)) => vault.clone(),
                    (None, None) => context.vault()?,
                };
                let mut options = context.engine.plan_options(&plan, &vault)?;
                self.adjust(context, &vault, &mut options)?;
                snapshot = snapshot.or(plan.snapshot);
                (vault, options)
            }
            None => {
                let vault = context.vault()?;
                let options = self.options(context, &vault)?;
                (vault, options)
            }
        };
        if snapshot.is_some() && self.time.is_some() {
            return Err(Failure::usage(
                "--time goes with no snapshot: the generation has the moment of that",
            ));
        }
        let task = Task::Backup {
            vault: vault.clone(),
            plan: self.plan,
            options: Box::new(options),
            snapshot,
        };
        let outcome = context.job(&vault, task, Showing::ALL)?;
        finished(context, &outcome)
    }

    fn options(&self, context: &Context, vault: &str) -> Result<BackupOptions, Failure> {
        let mut paths = self.paths.clone();
        for list in &self.files_from {
            paths.extend(listed_paths(list)?);
        }
        if paths.is_empty() && !self.stdin {
            return Err(Failure::usage(
                "what is to be backed up? Give paths, --files-from, --stdin or --plan",
            ));
        }
        let mut options = context.engine.backup_options(vault)?;
        options.paths = paths;
        options.working_folder =
            std::env::current_dir().map_err(|e| Failure::failed(format!("there is no current folder: {e}")))?;
        options.exclude = self.exclude()?;
        options.stdin = self.stdin.then(|| StdinSource {
            name: self.stdin_filename.clone(),
            reader: Mutex::new(Some(Box::new(std::io::stdin()))),
        });
        self.adjust(context, vault, &mut options)?;
        Ok(options)
    }

    /// What holds for plans and paths alike.
    fn adjust(&self, context: &Context, vault: &str, options: &mut BackupOptions) -> Result<(), Failure> {
        if let Some(text) = &self.time {
            options.time = args::time(text, &context.out.zone).map_err(Failure::usage)?;
        }
        if let Some(text) = &self.parent {
            options.parent = ParentChoice::Id(select::one(context, context.open(vault)?.vault(), text)?.id);
        } else if self.force {
            options.parent = ParentChoice::None;
        }
        options.tags.extend(self.tag.iter().cloned());
        if let Some(host) = &self.host {
            options.host.clone_from(host);
        }
        if let Some(compression) = self.compression {
            options.compression = compression.into();
        }
        if let Some(mib) = self.pack_size {
            options.pack_size = mib << 20;
        }
        options.dry_run = self.dry_run;
        options.skip_if_unchanged = self.skip_if_unchanged;
        options.with_atime = self.with_atime;
        options.count_totals = context.shows_progress();
        Ok(())
    }

    fn exclude(&self) -> Result<Exclude, Failure> {
        let mut exclude = Exclude::default();
        let bad = |error: backup::BadPattern| Failure::usage(error.to_string());
        for (patterns, files, ignore_case) in [
            (&self.exclude, &self.exclude_file, false),
            (&self.iexclude, &self.iexclude_file, true),
        ] {
            patterns
                .iter()
                .try_for_each(|pattern| exclude.add(pattern, ignore_case))
                .map_err(bad)?;
            for file in files {
                exclude.add_file(&read_text(file)?, ignore_case).map_err(bad)?;
            }
        }
        self.include
            .iter()
            .try_for_each(|pattern| exclude.include(pattern, false))
            .map_err(bad)?;
        self.exclude_if_present
            .iter()
            .try_for_each(|mark| exclude.if_present(mark))
            .map_err(bad)?;
        self.only_extension
            .iter()
            .for_each(|extension| exclude.only_extension(extension));
        self.exclude_extension
            .iter()
            .for_each(|extension| exclude.not_extension(extension));
        if self.exclude_caches {
            exclude.caches();
        }
        exclude.larger_than = self.exclude_larger_than;
        exclude.gitignore = self.gitignore;
        exclude.one_file_system = self.one_file_system;
        Ok(exclude)
    }
}

/// Runs a plan of the config, in `--vault` if that is given.
pub(super) fn run_plan(context: &Context, plan: String, dry_run: bool) -> Result<Exit, Failure> {
    Args {
        plan: Some(plan),
        dry_run,
        ..Args::default()
    }
    .run(context)
}

pub(super) fn finished(context: &Context, outcome: &TaskOutcome) -> Result<Exit, Failure> {
    let TaskOutcome::Backup(done) = outcome else {
        return Ok(exit_of(outcome));
    };
    if context.out.json {
        print_summary(context, done)?;
    } else {
        for line in told(done) {
            context.out.remark(line)?;
        }
    }
    if done.unreadable > 0 {
        let entries = counted(done.unreadable, "entry", "entries");
        context.out.problem(
            b"",
            &format!("the generation is incomplete: {entries} could not be read (exit code 3)"),
        );
    }
    Ok(exit_of(outcome))
}

fn print_summary(context: &Context, done: &backup::Outcome) -> Result<(), Failure> {
    let mut line = serde_json::to_value(&done.summary).map_err(std::io::Error::from)?;
    if let Some(fields) = line.as_object_mut() {
        fields.insert("type".into(), "summary".into());
        fields.insert("generation".into(), json!(done.generation.as_ref().map(|g| g.id)));
        fields.insert("parent".into(), json!(done.parent));
        fields.insert("tree".into(), json!(done.tree));
        fields.insert("unreadable".into(), done.unreadable.into());
        fields.insert("changed_while_read".into(), done.changed_while_read.into());
        fields.insert("skipped_unchanged".into(), done.skipped_unchanged.into());
        if let Some(read) = done.bytes_read {
            fields.insert("bytes_read".into(), read.into());
        }
        if !done.read_from.is_empty() {
            fields.insert("read_from".into(), json!(done.read_from));
        }
        fields.insert(
            "total_duration".into(),
            json!(seconds(&done.summary.backup_start, &done.summary.backup_end)),
        );
    }
    context.out.value(&line)
}

/// What a backup did, in lines for people.
fn told(done: &backup::Outcome) -> Vec<String> {
    let summary = &done.summary;
    let changes = |new, changed, same| {
        format!(
            "{} new, {} changed, {} unmodified",
            count(new),
            count(changed),
            count(same)
        )
    };
    let took = seconds(&summary.backup_start, &summary.backup_end);
    let end = match &done.generation {
        Some(Generation { id, .. }) => format!("generation {} stored", id.short()),
        None if done.skipped_unchanged => "nothing changed: no generation stored".to_owned(),
        None => "dry run: nothing was stored".to_owned(),
    };
    let read = done
        .read_from
        .iter()
        .map(|line| format!("Read:     {}", escape(line.as_bytes())));
    let disks = done.bytes_read.map(|read| {
        let all = bytes(summary.total_bytes_processed);
        format!("Disks:    {} read of {all}", bytes(read))
    });
    let counts = [
        format!(
            "Files:    {}",
            changes(summary.files_new, summary.files_changed, summary.files_unmodified)
        ),
        format!(
            "Folders:  {}",
            changes(summary.dirs_new, summary.dirs_changed, summary.dirs_unmodified)
        ),
        format!(
            "Added:    {} ({} stored)",
            bytes(summary.data_added),
            bytes(summary.data_added_packed)
        ),
        format!(
            "Total:    {}, {} in {}",
            counted(summary.total_files_processed, "file", "files"),
            bytes(summary.total_bytes_processed),
            if took < 60.0 {
                format!("{took:.1} s")
            } else {
                span(took as u64)
            },
        ),
        end,
    ];
    read.chain(disks).chain(counts).collect()
}

fn seconds(start: &Time, end: &Time) -> f64 {
    (end.seconds - start.seconds) as f64 + (f64::from(end.nanos) - f64::from(start.nanos)) / 1e9
}

/// The paths in a file (or in standard input, for `-`).
fn listed_paths(file: &Path) -> Result<Vec<PathBuf>, Failure> {
    let content = match file.as_os_str() == "-" {
        true => {
            let mut content = Vec::new();
            std::io::stdin().read_to_end(&mut content).map(|_| content)
        }
        false => std::fs::read(file),
    };
    let content = content.map_err(|e| Failure::failed(format!("cannot read {}: {e}", file.display())))?;
    Ok(read_list(&content))
}

fn read_text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|e| Failure::failed(format!("cannot read {}: {e}", file.display())))
}

//! `coffer check`: is the vault sound?

use super::Failure;
use super::context::{Context, Showing, exit_of};
use super::exit::Exit;
use super::output::{bytes, counted, escape};
use crate::engine::{Task, TaskOutcome};
use crate::vault::check::{self, DataSubset, Report};

/// Check that a vault is sound: its structure, and on request its data
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Read and verify all data too
    #[arg(long, conflicts_with = "read_data_subset")]
    read_data: bool,
    /// Read and verify a part of the data: the n-th of t parts (1/7), a random share (5%), or a random amount (2G)
    #[arg(long, value_name = "n/t|P%|SIZE")]
    read_data_subset: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  coffer check --vault /srv/backup
  coffer check --vault /srv/backup --read-data-subset 1/7";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let data = match (&self.read_data_subset, self.read_data) {
            (Some(text), _) => text
                .parse()
                .map_err(|error: check::BadSubset| Failure::usage(error.to_string()))?,
            (None, true) => DataSubset::All,
            (None, false) => DataSubset::None,
        };
        let vault = context.vault()?;
        let outcome = context.job(
            &vault,
            Task::Check {
                vault: vault.clone(),
                data,
            },
            Showing::NOTHING,
        )?;
        let TaskOutcome::Check(report) = &outcome else {
            return Ok(exit_of(&outcome));
        };
        if context.out.json {
            context.out.value(report)?;
            return Ok(exit_of(&outcome));
        }
        for finding in &report.errors {
            context
                .out
                .line(format!("error    {}", escape(finding.to_string().as_bytes())))?;
        }
        for finding in &report.warnings {
            context
                .out
                .remark(format!("warning  {}", escape(finding.to_string().as_bytes())))?;
        }
        for line in told(report) {
            context.out.remark(line)?;
        }
        Ok(exit_of(&outcome))
    }
}

fn told(report: &Report) -> Vec<String> {
    let mut lines = vec![format!(
        "Looked at {}, {} with {}, {} in {}",
        counted(report.generations, "generation", "generations"),
        counted(report.trees, "folder", "folders"),
        counted(report.entries, "entry", "entries"),
        counted(report.packs, "pack", "packs"),
        counted(report.index_files, "index file", "index files"),
    )];
    if report.packs_read > 0 {
        let packs = counted(report.packs_read, "pack", "packs");
        lines.push(format!(
            "Read {packs}: {}, {}",
            counted(report.blobs_read, "blob", "blobs"),
            bytes(report.bytes_read)
        ));
    }
    let warnings = match report.warnings_found {
        0 => String::new(),
        n => format!(" ({})", counted(n, "warning", "warnings")),
    };
    lines.push(match report.errors_found {
        0 => format!("No errors were found{warnings}."),
        n => format!(
            "{}{warnings}: the vault is damaged. What is listed above cannot be relied on.",
            counted(n, "error", "errors")
        ),
    });
    lines
}

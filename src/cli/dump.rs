//! `coffer dump`: a file, or a folder as an archive, to standard output.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;

use super::args::FilterArgs;
use super::context::Context;
use super::exit::Exit;
use super::{Failure, select};
use crate::progress::Progress;
use crate::restore::{ArchiveFormat, Issue, dump_archive, dump_file};

/// Write one file, or a folder as a tar or zip archive, to standard output
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which generation: an id or the beginning of one, `latest`, or a time
    #[arg(value_name = "GENERATION")]
    generation: String,
    /// The file or folder in it
    #[arg(value_name = "PATH")]
    file: String,
    /// Write an archive; folders need it
    #[arg(short, long, value_enum, value_name = "tar|zip")]
    archive: Option<ArchiveArg>,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer dump --vault /srv/backup latest /etc/fstab
  coffer dump --vault /srv/backup latest /srv/www --archive tar | tar -xC /tmp
  coffer dump --vault /srv/backup 2026-08-01 / --archive zip > all.zip";

/// The archive's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum ArchiveArg {
    Tar,
    Zip,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.archive.is_some() && std::io::stdout().is_terminal() {
            return Err(Failure::usage(
                "an archive is nothing for a terminal; redirect it: … --archive tar > files.tar",
            ));
        }
        let (reading, vault) = context.reading_indexed()?;
        let generation = select::filtered(context, reading.vault(), &self.generation, &self.filter)?;
        let path = self.file.as_bytes();
        let progress = Progress::default();
        let mut out = context.out.writer();
        let problems = AtomicU64::new(0);
        let report = |issue: Issue| {
            if !issue.kind.is_warning() {
                problems.fetch_add(1, Ordering::Relaxed);
            }
            context.out.problem(&issue.path, &issue.error);
        };
        match self.archive {
            None => dump_file(&vault, &generation, path, &mut *out, &progress, &context.cancel)?,
            Some(format) => {
                let format = match format {
                    ArchiveArg::Tar => ArchiveFormat::Tar,
                    ArchiveArg::Zip => ArchiveFormat::Zip,
                };
                dump_archive(
                    &vault,
                    &generation,
                    path,
                    format,
                    &mut *out,
                    &progress,
                    &context.cancel,
                    &report,
                )?;
            }
        }
        out.flush()?;
        Ok(if problems.into_inner() > 0 {
            Exit::Failed
        } else {
            Exit::Done
        })
    }
}

//! `coffer ls`: the files of a generation.

use super::args::FilterArgs;
use super::context::Context;
use super::exit::Exit;
use super::output::Streaming;
use super::{Failure, entry, select};
use crate::progress::Progress;
use crate::query::{Depth, list};

/// List the files of a generation
///
/// All of them, or, when paths are given, these and the entries of those that are folders.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Which generation: an id or the beginning of one, `latest`, or a time
    #[arg(value_name = "GENERATION")]
    generation: String,
    /// List these: a folder with its entries, or a file
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    /// Show mode, owner, size and time
    #[arg(short, long)]
    long: bool,
    /// With a path: everything below it
    #[arg(short = 'R', long)]
    recursive: bool,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer ls --vault /srv/backup latest
  coffer ls --vault /srv/backup latest /etc/nginx --long
  coffer ls --vault /srv/backup 2026-08-01 /srv --recursive --json";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (reading, vault) = context.reading_indexed()?;
        let generation = select::filtered(context, reading.vault(), &self.generation, &self.filter)?;
        let (paths, depth) = match self.paths.is_empty() {
            true => (vec![String::new()], Depth::All),
            false => (self.paths, if self.recursive { Depth::All } else { Depth::Entries }),
        };
        for path in &paths {
            let mut streaming = Streaming::default();
            let listed = list(
                &vault,
                &generation.tree,
                path.as_bytes(),
                depth,
                &Progress::default(),
                &context.cancel,
                &mut |found| {
                    streaming.on(match context.out.json {
                        true => context.out.value(&entry::value(found.path, found.node)),
                        false => entry::print(&context.out, found.path, found.node, self.long),
                    })
                },
            );
            streaming.end(listed)?;
        }
        Ok(Exit::Done)
    }
}

//! `coffer prune`: gives back the space of what no generation reaches any more.

use super::Failure;
use super::context::{Context, Showing, exit_of};
use super::exit::Exit;
use super::output::{bytes, counted};
use crate::config::parse_size;
use crate::engine::{Task, TaskOutcome};
use crate::vault::pack;
use crate::vault::prune::{BadMaxUnused, MaxUnused, PruneFigures, PruneOptions};

/// Give back the space of what no generation reaches any more
///
/// Deleting generations (coffer forget) only makes their data free to go; this gives it back. Packs of which nothing is
/// used are deleted. Packs of which a part is used are read and that part is written anew, until no more than --max-unused
/// of the vault is unused. It can be stopped or killed at any moment; the next run finishes.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How much may stay unused: a share of the vault (5%), a size (500M), or unlimited to delete without reading
    #[arg(long, value_name = "P%|SIZE|unlimited", default_value = "5%")]
    max_unused: String,
    /// Read at most so much of packs for it
    #[arg(long, value_name = "SIZE")]
    max_repack_size: Option<String>,
    /// Target size of new packs, 4M to 128M
    #[arg(long, value_name = "SIZE", default_value = "16M")]
    pack_size: String,
    /// Also merge packs that are smaller than four fifths of that, when there are ten; without it, only very small ones
    #[arg(long)]
    repack_small: bool,
    /// Also read packs that hold anything uncompressed, and compress it
    #[arg(long)]
    repack_uncompressed: bool,
    /// Say what would be done, do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  coffer prune --vault /srv/backup --dry-run
  coffer prune --vault /srv/backup --max-unused 0
  coffer prune --vault /srv/backup --max-repack-size 20G";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let size = |what: &str, text: &str| {
            parse_size(text)
                .ok_or_else(|| Failure::usage(format!("{what} is {text:?}: give a size such as 500M or 20G")))
        };
        let pack_size = size("--pack-size", &self.pack_size)?;
        let options = PruneOptions {
            max_unused: self
                .max_unused
                .parse::<MaxUnused>()
                .map_err(|error: BadMaxUnused| Failure::usage(format!("--max-unused: {error}")))?,
            max_repack: match &self.max_repack_size {
                Some(text) => Some(size("--max-repack-size", text)?),
                None => None,
            },
            pack_size: u32::try_from(pack_size)
                .ok()
                .filter(|size| (pack::MIN_PACK_SIZE..=pack::MAX_PACK_SIZE).contains(size))
                .ok_or_else(|| Failure::usage("--pack-size: choose one from 4M to 128M"))?,
            repack_small: self.repack_small,
            repack_uncompressed: self.repack_uncompressed,
        };
        if !self.dry_run {
            context.writes()?;
        }
        let vault = context.vault()?;
        let task = Task::Prune {
            vault: vault.clone(),
            options,
            dry_run: self.dry_run,
        };
        let outcome = context.job(&vault, task, Showing::NOTHING)?;
        if let TaskOutcome::Prune(figures) = &outcome {
            if context.out.json {
                context.out.value(figures)?;
            }
            for line in told(figures, self.dry_run) {
                context.out.remark(line)?;
            }
        }
        Ok(exit_of(&outcome))
    }
}

pub(super) fn told(figures: &PruneFigures, dry_run: bool) -> Vec<String> {
    let would = |done: &str, to_do: &str| if dry_run { to_do.to_owned() } else { done.to_owned() };
    let packs = |n| counted(n, "pack", "packs");
    let mut lines = vec![format!(
        "In use: {} of {}, {} not in use ({})",
        counted(figures.blobs_used, "blob", "blobs"),
        counted(figures.generations, "generation", "generations"),
        counted(figures.blobs_unused, "blob", "blobs"),
        bytes(figures.bytes_unused),
    )];
    let mut line = |n: u64, text: String| {
        if n > 0 {
            lines.push(text);
        }
    };
    let unindexed = figures.packs_unindexed;
    line(
        unindexed,
        format!(
            "{} that no index knows {}",
            packs(unindexed),
            would("deleted", "would be deleted")
        ),
    );
    let deleted = figures.packs_deleted;
    line(
        deleted,
        format!(
            "{} of which nothing is used {}",
            packs(deleted),
            would("deleted", "would be deleted")
        ),
    );
    let repacked = figures.packs_repacked;
    line(
        repacked,
        format!(
            "{} ({}) {}, {} of them kept",
            packs(repacked),
            bytes(figures.bytes_repacked),
            would("rewritten", "would be rewritten"),
            bytes(figures.bytes_rewritten)
        ),
    );
    let left = figures.leftover_files;
    line(
        left,
        format!(
            "{} of programs that were killed {}",
            counted(left, "temporary file", "temporary files"),
            would("deleted", "would be deleted")
        ),
    );
    lines.push(format!(
        "{}: {} of {}; {} stay, {} of them unused",
        would("Given back", "Would be given back"),
        bytes(figures.bytes_freed + figures.leftover_bytes),
        bytes(figures.bytes_before + figures.leftover_bytes),
        bytes(figures.bytes_after),
        bytes(figures.bytes_left_unused)
    ));
    lines
}

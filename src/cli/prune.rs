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
/// used are deleted. Packs of which a part is used are read and that part is written anew, the most wasteful first, until no
/// more than --max-unused of what stays is unused. Packs of folders that hold anything unused are always among them: they
/// are few and small. It can be stopped or killed at any moment; the next run finishes. Nobody else may use the vault
/// meanwhile; --dry-run goes beside backups and restores, and says in advance exactly what will be done.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    how: HowArgs,
    /// Say what would be done, do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// How space is given back; `coffer forget --prune` takes the same.
#[derive(Debug, clap::Args)]
pub(super) struct HowArgs {
    /// How much may stay unused: a share of what stays (5%), a size (500M, or 0 for nothing), or unlimited [default: 5%]
    #[arg(long, value_name = "P%|SIZE|unlimited")]
    max_unused: Option<String>,
    /// Rewrite packs of at most so much; 0 only deletes packs of which nothing is used
    #[arg(long, value_name = "SIZE")]
    max_repack_size: Option<String>,
    /// Target size of new packs, 4M to 128M [default: 16M]
    #[arg(long, value_name = "SIZE")]
    pack_size: Option<String>,
    /// Also merge packs that are smaller than four fifths of that, when there are ten; without it, only very small ones
    #[arg(long)]
    repack_small: bool,
    /// Also read packs that hold anything uncompressed, and compress it
    #[arg(long)]
    repack_uncompressed: bool,
}

const EXAMPLES: &str = "\
Examples:
  coffer prune --vault /srv/backup --dry-run
  coffer prune --vault /srv/backup --max-unused 0
  coffer prune --vault /srv/backup --max-repack-size 20G";

impl HowArgs {
    /// Whether any is given.
    pub(super) fn is_given(&self) -> bool {
        self.max_unused.is_some()
            || self.max_repack_size.is_some()
            || self.pack_size.is_some()
            || self.repack_small
            || self.repack_uncompressed
    }

    /// What they say.
    pub(super) fn options(&self) -> Result<PruneOptions, Failure> {
        let usual = PruneOptions::default();
        let size = |what: &str, text: &str| {
            parse_size(text)
                .ok_or_else(|| Failure::usage(format!("{what} is {text:?}: give a size such as 500M or 20G")))
        };
        let pack_size = match &self.pack_size {
            Some(text) => u32::try_from(size("--pack-size", text)?)
                .ok()
                .filter(|size| (pack::MIN_PACK_SIZE..=pack::MAX_PACK_SIZE).contains(size))
                .ok_or_else(|| Failure::usage("--pack-size: choose one from 4M to 128M"))?,
            None => usual.pack_size,
        };
        Ok(PruneOptions {
            max_unused: match &self.max_unused {
                Some(text) => text
                    .parse::<MaxUnused>()
                    .map_err(|error: BadMaxUnused| Failure::usage(format!("--max-unused: {error}")))?,
                None => usual.max_unused,
            },
            max_repack: match &self.max_repack_size {
                Some(text) => Some(size("--max-repack-size", text)?),
                None => None,
            },
            pack_size,
            repack_small: self.repack_small,
            repack_uncompressed: self.repack_uncompressed,
        })
    }
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let options = self.how.options()?;
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

/// What was done or would be, for people.
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
    let compressed = figures.bytes_to_compress;
    let smaller = would("", ": more than is said below comes back");
    line(
        compressed,
        format!(
            "{} {}{smaller}",
            bytes(compressed),
            would("compressed", "would be compressed")
        ),
    );
    let missing = figures.packs_missing;
    line(
        missing,
        format!(
            "{} that {} not there and nothing needs {} from the index",
            packs(missing),
            if missing == 1 { "is" } else { "are" },
            would("taken", "would be taken")
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
    let requests = figures.gets + figures.puts + figures.deletes;
    if requests > 0 {
        lines.push(format!(
            "{}: {} ({}), {} ({}), {}",
            would("Requests", "Requests it would take"),
            counted(figures.gets, "read", "reads"),
            bytes(figures.bytes_read),
            counted(figures.puts, "write", "writes"),
            bytes(figures.bytes_written),
            counted(figures.deletes, "deletion", "deletions"),
        ));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_in_words() {
        let figures = PruneFigures {
            generations: 5,
            blobs_used: 1200,
            blobs_unused: 301,
            packs_repacked: 3,
            packs_deleted: 2,
            packs_missing: 1,
            bytes_before: 100 << 20,
            bytes_unused: 40 << 20,
            bytes_repacked: 48 << 20,
            bytes_rewritten: 30 << 20,
            bytes_to_compress: 1 << 20,
            bytes_read: 31 << 20,
            bytes_written: 30 << 20,
            bytes_freed: 50 << 20,
            bytes_left_unused: 1 << 20,
            bytes_after: 50 << 20,
            gets: 17,
            puts: 4,
            deletes: 7,
            lists: 3,
            ..PruneFigures::default()
        };
        insta::assert_snapshot!(told(&figures, true).join("\n"), @r"
        In use: 1,200 blobs of 5 generations, 301 blobs not in use (40.0 MiB)
        2 packs of which nothing is used would be deleted
        3 packs (48.0 MiB) would be rewritten, 30.0 MiB of them kept
        1.0 MiB would be compressed: more than is said below comes back
        1 pack that is not there and nothing needs would be taken from the index
        Requests it would take: 17 reads (31.0 MiB), 4 writes (30.0 MiB), 7 deletions
        Would be given back: 50.0 MiB of 100.0 MiB; 50.0 MiB stay, 1.0 MiB of them unused
        ");
        insta::assert_snapshot!(told(&PruneFigures::default(), false).join("\n"), @r"
        In use: 0 blobs of 0 generations, 0 blobs not in use (0 B)
        Given back: 0 B of 0 B; 0 B stay, 0 B of them unused
        ");
    }
}

//! `coffer snapshot export`: a snapshot into a vault.

use super::{Context, Exit, Failure, One, at};
use crate::cli::backup;
use crate::cli::context::Showing;
use crate::engine::Task;

/// Send a snapshot into a vault, as a generation
///
/// A snapshot of a folder or subvolume becomes a generation of its files, under the paths they have. One of an image or a
/// machine becomes the content of its disks, each as IMAGE.raw, with IMAGE.json beside it that tells what it is. The next
/// export reads what has changed, as long as the snapshot exported before is still there. `coffer restore` brings it back;
/// `qemu-img convert -O qcow2` makes an image of a disk again.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    one: One,
    /// Label the generation (again for more labels)
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    tag: Vec<String>,
    /// Say that it was made on this host
    #[arg(short = 'H', long, value_name = "HOST")]
    host: Option<String>,
    /// Say what would be stored, store nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  coffer snapshot export 4bba301e0a12 --vault /srv/backup
  coffer snapshot export 4bba --of /vm/web.qcow2 --vault main --tag release";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if !self.dry_run {
            context.writes()?;
        }
        let vault = context.vault()?;
        let snapshot = self.one.find(context)?;
        let mut options = context.engine.backup_options(&vault)?;
        options.tags = self.tag;
        if let Some(host) = self.host {
            options.host = host;
        }
        options.dry_run = self.dry_run;
        options.count_totals = context.shows_progress();
        let task = Task::Export {
            vault: vault.clone(),
            at: at(&snapshot),
            options: Box::new(options),
        };
        let outcome = context.job(&vault, task, Showing::ALL)?;
        backup::finished(context, &outcome)
    }
}

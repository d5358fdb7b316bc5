//! `coffer unlock`: removes locks left behind.

use serde_json::json;

use super::Failure;
use super::context::{Context, Showing, exit_of};
use super::exit::Exit;
use super::output::counted;
use crate::engine::{Task, TaskOutcome};

/// Remove locks that programs left behind
///
/// Those older than 30 minutes, and those of a process on this machine that is gone.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Remove all locks, even those of programs that may still run
    #[arg(long)]
    remove_all: bool,
}

const EXAMPLES: &str = "\
Example:
  coffer unlock --vault /srv/backup";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.writes()?;
        let vault = context.vault()?;
        let outcome = context.job(
            &vault,
            Task::Unlock {
                vault: vault.clone(),
                all: self.remove_all,
            },
            Showing::ISSUES,
        )?;
        if let TaskOutcome::Unlock(removed) = outcome {
            if context.out.json {
                context.out.value(&json!({ "removed": removed }))?;
            }
            context.out.remark(match removed {
                0 => "no lock was removed".to_owned(),
                n => format!("removed {}", counted(n as u64, "lock", "locks")),
            })?;
        }
        Ok(exit_of(&outcome))
    }
}

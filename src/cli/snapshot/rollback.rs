//! `coffer snapshot rollback`.

use serde_json::json;

use super::{Context, Exit, Failure, One, at, job};
use crate::cli::output::escape;
use crate::engine::question::SnapshotAt;
use crate::engine::{SnapshotOutcome, SnapshotTask};
use crate::snapshot::RollbackPlan;

/// Put a volume or machine back to a snapshot
///
/// What came after it is lost, except that the present state is kept as a snapshot first. To keep newer files: take a
/// snapshot, go back, and restore the files out of the newer one (coffer snapshot restore).
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    one: One,
    /// Do not keep the present state
    #[arg(long)]
    no_safety: bool,
    /// Say what would be done and lost, do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

const EXAMPLES: &str = "\
Examples:
  coffer snapshot rollback 4bba301e0a12 --dry-run
  coffer snapshot rollback 4bba301e0a12";

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let snapshot = self.one.find(context)?;
        let plan = context.engine.plan_rollback(&at(&snapshot), !self.no_safety)?;
        if self.dry_run {
            if context.out.json {
                context.out.value(&plan)?;
            } else {
                shown(&plan).iter().try_for_each(|line| context.out.line(line))?;
            }
            return Ok(match plan.obstacles.is_empty() {
                true => Exit::Done,
                false => Exit::Failed,
            });
        }
        for line in shown(&plan) {
            context.out.remark(line)?;
        }
        let outcome = job(context, SnapshotTask::RollBack(Box::new(plan)))?;
        if let SnapshotOutcome::RolledBack { to, done } = outcome {
            let kept = done.safety.clone().and_then(|id| {
                let target = to.target.clone();
                context.engine.snapshot(&SnapshotAt { target, id }).ok()
            });
            let until = kept.and_then(|kept| kept.until);
            if context.out.json {
                let safety = &done.safety;
                let until = until.map(|until| until.to_string());
                let value = json!({
                    "rolled_back_to": to.id, "safety": safety, "safety_until": until, "verified": done.verified,
                });
                context.out.value(&value)?;
            }
            context
                .out
                .remark(format!("Rolled back to {}: {}.", to.id, done.verified))?;
            if let Some(safety) = done.safety {
                context.out.remark(format!(
                    "The state before is snapshot {safety}; back to it: coffer snapshot rollback {safety}"
                ))?;
                if let Some(until) = until {
                    context.out.remark(format!(
                        "It goes by itself from {} on; to keep it: coffer snapshot protect {safety}",
                        context.out.time(&until)
                    ))?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

fn shown(plan: &RollbackPlan) -> Vec<String> {
    let mut lines = Vec::new();
    let mut part = |title: &str, texts: &[String]| {
        if !texts.is_empty() {
            lines.push(title.to_owned());
            lines.extend(texts.iter().map(|text| format!("  {}", escape(text.as_bytes()))));
        }
    };
    part("Is lost:", &plan.loses);
    part("Is done:", &plan.steps);
    let along: Vec<String> = plan.takes_along.iter().map(|id| format!("snapshot {id}")).collect();
    part("Goes with it:", &along);
    part("Stands against it:", &plan.obstacles);
    lines
}

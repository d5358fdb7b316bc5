//! From the config, the catalog's generations and the history to how a plan stands in each of its vaults.

use std::path::{Path, PathBuf};

use super::{LastRun, PlanCopy, PlanState, Standing};
use crate::catalog::GenerationGroup;
use crate::config::{Config, PlanConfig};
use crate::engine::question::JobRow;
use crate::engine::{JobKind, JobState};
use crate::schedule::Schedule;

/// Seconds of a day: how old a generation may be where no schedule says otherwise.
const DAY: i64 = 86_400;

/// Seconds a generation may be old: what is expected and a quarter more, for runs that take their time.
pub(super) fn patience(every: i64) -> i64 {
    every.saturating_add(every / 4)
}

/// The most seconds between two runs, and whether a schedule says so.
fn rhythm(plan: &PlanConfig) -> (i64, bool) {
    let every = match &plan.schedule {
        None => return (DAY, false),
        Some(Schedule::Hourly { .. }) => 3600,
        Some(Schedule::Hours { every }) => i64::from(*every) * 3600,
        Some(Schedule::Days { on, .. }) => {
            // The longest way from one day to the next one in the week.
            let free = |from: usize| (1..=7).find(|step| on[(from + step) % 7]).unwrap_or(7);
            let longest = (0..7).filter(|day| on[*day]).map(free).max().unwrap_or(7);
            longest as i64 * DAY
        }
        Some(Schedule::Monthly { .. }) => 31 * DAY,
    };
    (every, true)
}

/// Whether a job's vault, as the user named it, is this one.
pub(super) fn is_vault(named: &str, name: &str, folder: Option<&Path>) -> bool {
    named == name || folder.is_some_and(|folder| Path::new(named) == folder)
}

/// Whether generations are a plan's, which their files do not say: those of just its paths; else those of some of its paths
/// (others were not there, or are new in the plan) or of all of them and more, unless they are just another plan's.
fn is_of(group: &GenerationGroup, plan: &PlanConfig, config: &Config) -> bool {
    let paths: Vec<&Path> = group.paths.iter().map(Path::new).collect();
    let same = |plan: &PlanConfig| {
        plan.paths.len() == paths.len() && plan.paths.iter().all(|path| paths.contains(&path.as_path()))
    };
    if same(plan) {
        return true;
    }
    let some = !paths.is_empty() && paths.iter().all(|path| plan.paths.iter().any(|wanted| wanted == path));
    (some || lacks(group, plan).is_empty()) && !config.plans.iter().any(same)
}

/// Paths of a plan that generations do not hold.
fn lacks(group: &GenerationGroup, plan: &PlanConfig) -> Vec<PathBuf> {
    let held = |path: &&PathBuf| group.paths.iter().any(|held| path.starts_with(held));
    plan.paths.iter().filter(|path| !held(path)).cloned().collect()
}

/// How a plan stands in each of its vaults. `groups` are what the vaults hold that were seen.
pub(super) fn state(
    plan: &PlanConfig,
    config: &Config,
    host: &str,
    groups: &[(String, Vec<GenerationGroup>)],
    jobs: &[JobRow],
    now: i64,
) -> PlanState {
    let (every, scheduled) = rhythm(plan);
    let machine = plan.host.as_deref().unwrap_or(host);
    let copy = |name: &String| {
        let known = groups.iter().find(|(vault, _)| vault == name).map(|(_, groups)| groups);
        let groups: Vec<&GenerationGroup> = known
            .into_iter()
            .flatten()
            .filter(|group| group.host == machine && is_of(group, plan, config))
            .collect();
        let group = groups.iter().max_by_key(|group| group.newest);
        let folder = config.vault(name).map(|vault| vault.path.as_path());
        let is_run = |job: &&JobRow| {
            job.info.kind == JobKind::Backup
                && job.info.plan.as_deref() == Some(plan.name.as_str())
                && is_vault(&job.info.vault, name, folder)
        };
        let runs = || jobs.iter().filter(is_run);
        let failed = runs().take_while(|job| !matches!(job.state, JobState::Done { .. }));
        let failed = failed
            .filter(|job| matches!(job.state, JobState::Failed { .. }))
            .count() as u32;
        let last_run = runs().next().map(|job| LastRun {
            job: job.info.id,
            started: job.info.started.seconds,
            ended: job.ended.map(|ended| ended.seconds),
            state: job.state.clone(),
        });
        let newest = group.map(|group| group.newest);
        let standing = match newest {
            None if known.is_none() => Standing::Unknown,
            None => Standing::Never,
            Some(newest) if now.saturating_sub(newest) > patience(every) => Standing::Late,
            Some(_) if failed > 0 => Standing::Failed,
            Some(_) => Standing::Fresh,
        };
        PlanCopy {
            vault: name.clone(),
            generations: groups.iter().fold(0, |sum: u64, group| sum.saturating_add(group.count)),
            newest,
            logical: group.and_then(|group| group.logical),
            files: group.and_then(|group| group.files),
            last_run,
            failed,
            same_disk: None,
            standing,
            lacks: group.map(|group| lacks(group, plan)).unwrap_or_default(),
        }
    };
    PlanState {
        name: plan.name.clone(),
        paths: plan.paths.clone(),
        other_host: plan.host.clone().filter(|other| other != host),
        every,
        scheduled,
        missing: Vec::new(),
        copies: plan.vaults.iter().map(copy).collect(),
    }
}

//! What is protected and what is not, without waiting for any vault.
//!
//! [`Engine::overview`] puts it together from the config, the catalog and the history of jobs; `plans` finds the
//! generations of each plan; `places` looks at this machine: which disk a path lies on, whether a vault is where it should
//! be, which of the usual paths no plan covers; `warnings` says in sentences what the figures mean.
//!
//! The answer comes twice. The first part is what is known; the second says as well where the vaults are and on which
//! disks, which can take as long as a dead network mount takes: each place is looked at on a thread of its own and given
//! up after a moment. What does not live here: opening a vault, and how any of it is shown.

mod places;
mod plans;
#[cfg(test)]
mod tests;
mod warnings;

use std::path::{Path, PathBuf};

pub use places::USUAL;
pub(super) use places::look_at;

use super::plans::Scope;
use super::question::{JobRow, VaultRuns};
use super::snapshots::filesystem;
use super::{Engine, JobKind, JobState, PasswordGiven, Result};
use crate::catalog::{GenerationGroup, VaultRecord};
use crate::config::{Config, VaultConfig};
use crate::progress::Cancel;

/// How many jobs of the history are looked at.
const HISTORY: usize = 2_000;
/// How many of the last runs are told.
const SHOWN_RUNS: usize = 8;

/// What is protected and what is not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Overview {
    /// The plans, in the order of the config.
    pub plans: Vec<PlanState>,
    /// The vaults, in the order of the config.
    pub vaults: Vec<VaultState>,
    /// Usual paths of this machine that no plan covers, or not whole.
    pub uncovered: Vec<Uncovered>,
    /// The last runs of plans, newest first.
    pub runs: Vec<JobRow>,
    /// What to know, the gravest first.
    pub warnings: Vec<Warning>,
    /// Whether the vaults were looked for: not yet in the first part of the answer.
    pub looked: bool,
}

/// A plan, and how far it is kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanState {
    /// Its name.
    pub name: String,
    /// What it backs up.
    pub paths: Vec<PathBuf>,
    /// The machine it is for, when that is not this one.
    pub other_host: Option<String>,
    /// Seconds between two runs.
    pub every: i64,
    /// Whether a schedule says so; else a day is assumed.
    pub scheduled: bool,
    /// Paths of it that are not there now.
    pub missing: Vec<PathBuf>,
    /// Its copies, one for each of its vaults.
    pub copies: Vec<PlanCopy>,
}

/// A plan in one of its vaults.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanCopy {
    /// The vault.
    pub vault: String,
    /// Generations of this plan there, as far as is known.
    pub generations: u64,
    /// When the newest of them was made, in seconds since 1970.
    pub newest: Option<i64>,
    /// What the newest one's files weigh.
    pub logical: Option<u64>,
    /// How many files the newest one has.
    pub files: Option<u64>,
    /// The last run into this vault, running ones included.
    pub last_run: Option<LastRun>,
    /// Runs that failed since the last good one.
    pub failed: u32,
    /// Whether the vault shares a disk with any of what is backed up, where that can be said.
    pub same_disk: Option<bool>,
    /// How it stands.
    pub standing: Standing,
    /// Paths of the plan that the newest one does not hold.
    pub lacks: Vec<PathBuf>,
}

/// How a copy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// There is no generation.
    #[default]
    Never,
    /// Nobody has looked into the vault from here yet.
    Unknown,
    /// The newest generation is older than it should be.
    Late,
    /// The last run failed, though the newest generation is not too old yet.
    Failed,
    /// The newest generation is as new as it should be.
    Fresh,
}

/// A plan's last run.
#[derive(Debug, Clone, PartialEq)]
pub struct LastRun {
    /// Its job.
    pub job: super::JobId,
    /// When it started, in seconds since 1970.
    pub started: i64,
    /// When it ended.
    pub ended: Option<i64>,
    /// How it stands or ended.
    pub state: JobState,
}

/// A vault, as far as is known without opening it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VaultState {
    /// Its name.
    pub name: String,
    /// Where it lies, as text.
    pub location: String,
    /// How many generations, if it was ever seen.
    pub generations: Option<u64>,
    /// When the newest was made, in seconds since 1970.
    pub newest: Option<i64>,
    /// Stored bytes, if known.
    pub stored: Option<u64>,
    /// When it was last seen, in seconds since 1970.
    pub seen: Option<i64>,
    /// The plans that write to it.
    pub plans: Vec<String>,
    /// The fewest copies that any of its plans has, in this and in other vaults; 0 when no plan writes to it.
    pub copies: u32,
    /// When it was last checked whole, and whether it was sound.
    pub checked: Option<(i64, bool)>,
    /// Whether it can be reached.
    pub reach: Reach,
}

/// Whether a vault can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reach {
    /// Not looked yet.
    #[default]
    Unknown,
    /// Open.
    Open,
    /// It is there, and its password is at hand.
    There,
    /// It is there; its password is asked for when it is opened.
    Locked,
    /// It is not there, does not answer, or could not be opened: why.
    Problem(String),
}

/// A path that is not backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncovered {
    /// The path.
    pub path: PathBuf,
    /// The parts of it that plans do back up.
    pub covered: Vec<PathBuf>,
}

/// How grave a warning is; the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Data is at risk now.
    Danger,
    /// It will be, or is if something else fails.
    Warning,
    /// Good to know.
    Note,
}

/// What a warning is about: where to go from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A plan.
    Plan(String),
    /// A vault.
    Vault(String),
    /// A path of this machine.
    Path(PathBuf),
    /// The set-up as a whole.
    Setup,
    /// The prices.
    Prices,
}

/// A sentence, or two, on what is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// How grave.
    pub severity: Severity,
    /// The sentences; raw names in them are not escaped.
    pub text: String,
    /// What about.
    pub about: About,
}

impl PlanState {
    /// How it stands as a whole: as well as its best copy.
    pub fn standing(&self) -> Standing {
        let better = |standing: Standing| match standing {
            Standing::Never => 0,
            Standing::Unknown => 1,
            Standing::Late => 2,
            Standing::Failed => 3,
            Standing::Fresh => 4,
        };
        let best = self.copies.iter().map(|copy| copy.standing).max_by_key(|s| better(*s));
        best.unwrap_or_default()
    }

    /// In how many vaults it has a generation.
    pub fn kept_copies(&self) -> u32 {
        self.copies.iter().filter(|copy| copy.newest.is_some()).count() as u32
    }
}

impl Engine {
    /// What is protected and what is not. With `look`, the vaults are looked for, each for a moment only.
    pub fn overview(&self, look: bool) -> Result<Overview> {
        let config = self.config();
        let seen = self.catalog().vaults()?;
        let jobs = self.job_rows(HISTORY)?;
        let mut groups: Vec<(String, Vec<GenerationGroup>)> = Vec::new();
        for vault in &config.vaults {
            let key = self.find(&vault.name)?.key();
            // What a vault holds that was never seen is not known; that is not nothing.
            if seen.iter().any(|record| record.place == key) {
                groups.push((vault.name.clone(), self.catalog().generation_groups(&key)?));
            }
        }
        let now = self.now().seconds;
        let host = &self.settings().host;
        let plan_states = config.plans.iter();
        let plans: Vec<PlanState> = plan_states
            .map(|plan| plans::state(plan, &config, host, &groups, &jobs, now))
            .collect();
        let mut vaults: Vec<VaultState> = Vec::new();
        for vault in &config.vaults {
            vaults.push(self.vault_state(vault, &plans, &seen, &jobs)?);
        }
        let runs = jobs.into_iter().filter(|job| job.info.kind == JobKind::Backup);
        let mut overview = Overview {
            plans,
            vaults,
            runs: runs.take(SHOWN_RUNS).collect(),
            looked: look,
            ..Overview::default()
        };
        if look {
            self.look(&config, &mut overview);
        }
        overview.warnings = warnings::warnings(&config, &overview, now);
        Ok(overview)
    }

    /// The same, once all has been looked for; `partly` gets what is known before vaults are opened that nobody has looked
    /// into from here. Those are, if their passwords are at hand: else it would not be known what they protect.
    pub fn overview_of_all(&self, partly: &dyn Fn(Overview), cancel: &Cancel) -> Result<Overview> {
        let overview = self.overview(true)?;
        let unseen = |vault: &&VaultState| vault.seen.is_none() && vault.reach == Reach::There;
        let unseen: Vec<String> = overview
            .vaults
            .iter()
            .filter(unseen)
            .map(|vault| vault.name.clone())
            .collect();
        if unseen.is_empty() {
            return Ok(overview);
        }
        partly(overview);
        for vault in &unseen {
            cancel.check()?;
            let listed = self
                .open(vault, PasswordGiven::Configured)
                .and_then(|open| self.generations(&open));
            if let Err(error) = listed {
                // Why it cannot be opened is told with the vault.
                tracing::debug!("{vault}: {error}");
            }
        }
        self.overview(true)
    }

    /// What ran into this vault, and what is to.
    pub fn runs(&self, vault: &str) -> Result<VaultRuns> {
        let config = self.config();
        let writing = config
            .plans
            .iter()
            .filter(|plan| plan.vaults.iter().any(|name| name == vault));
        let folder = config.vault(vault).map(|vault| vault.path.clone());
        let mut jobs = self.job_rows(HISTORY)?;
        jobs.retain(|job| {
            job.info.kind == JobKind::Backup && plans::is_vault(&job.info.vault, vault, folder.as_deref())
        });
        Ok(VaultRuns {
            runs: jobs,
            schedules: writing.filter_map(|plan| plan.schedule).collect(),
        })
    }

    fn vault_state(
        &self,
        vault: &VaultConfig,
        plans: &[PlanState],
        seen: &[VaultRecord],
        jobs: &[JobRow],
    ) -> Result<VaultState> {
        let place = self.find(&vault.name)?;
        let location = place.key();
        let record = seen.iter().find(|record| record.place == location);
        let (open, problem) = self.standing(&place.path).unwrap_or_default();
        let reach = match (open, problem.is_empty()) {
            (Some(_), _) => Reach::Open,
            (None, false) => Reach::Problem(problem),
            (None, true) => Reach::Unknown,
        };
        let writing = plans
            .iter()
            .filter(|plan| plan.copies.iter().any(|copy| copy.vault == vault.name));
        let checked = jobs.iter().filter(|job| {
            job.info.kind == JobKind::Check && plans::is_vault(&job.info.vault, &vault.name, Some(&vault.path))
        });
        let checked = checked.filter_map(|job| match &job.state {
            JobState::Done { problems, .. } => Some((job.ended?.seconds, *problems == 0)),
            _ => None,
        });
        Ok(VaultState {
            name: vault.name.clone(),
            location,
            generations: record.map(|record| record.generations),
            newest: record.and_then(|record| record.newest),
            stored: record.and_then(|record| record.stored),
            seen: record.map(|record| record.seen),
            copies: writing.clone().map(PlanState::kept_copies).min().unwrap_or(0),
            plans: writing.map(|plan| plan.name.clone()).collect(),
            checked: checked.max_by_key(|(time, _)| *time),
            reach,
        })
    }

    /// Looks at this machine: where the vaults are, on which disks, what no plan covers.
    fn look(&self, config: &Config, overview: &mut Overview) {
        let mut paths: Vec<PathBuf> = config.vaults.iter().map(|vault| vault.path.clone()).collect();
        let sources = config.plans.iter().flat_map(|plan| plan.paths.iter().cloned());
        paths.extend(sources);
        let found = places::look_at(paths);
        for (vault, state) in config.vaults.iter().zip(&mut overview.vaults) {
            if state.reach != Reach::Unknown {
                continue;
            }
            let at_hand = vault.password.is_some() || self.settings().password.is_some();
            state.reach = match found.get(&vault.path) {
                Some(place) if place.vault && at_hand => Reach::There,
                Some(place) if place.vault => Reach::Locked,
                Some(place) => Reach::Problem(place.problem.clone()),
                None => Reach::Problem("it does not answer".into()),
            };
        }
        for plan in overview.plans.iter_mut().filter(|plan| plan.other_host.is_none()) {
            for copy in &mut plan.copies {
                let vault = config.vault(&copy.vault).and_then(|vault| found.get(&vault.path));
                copy.same_disk = vault.and_then(|vault| {
                    let shared = |path| found.get(path).and_then(|place| place.shares_disk(vault));
                    let each: Vec<Option<bool>> = plan.paths.iter().map(shared).collect();
                    let one = each.contains(&Some(true)).then_some(true);
                    one.or_else(|| (!each.contains(&None)).then_some(false))
                });
            }
            let there = |path: &&PathBuf| found.get(*path).is_some_and(|place| !place.there);
            plan.missing = plan.paths.iter().filter(there).cloned().collect();
        }
        let this_machine = config.plans.is_empty() || overview.plans.iter().any(|plan| plan.other_host.is_none());
        if this_machine {
            let plans = config.plans.iter().filter(|plan| self.is_for_here(plan));
            let scopes: Vec<Scope> = plans.map(Scope::of).collect();
            let vaults: Vec<&Path> = config.vaults.iter().map(|vault| vault.path.as_path()).collect();
            overview.uncovered = places::uncovered(self.settings().usual, &scopes, &vaults, &filesystem);
        }
    }
}

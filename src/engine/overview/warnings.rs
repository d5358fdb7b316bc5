//! What the figures of an overview mean, in sentences.

use std::path::Path;

use super::plans::patience;
use super::{About, Overview, PlanCopy, PlanState, Reach, Severity, Standing, Uncovered, VaultState, Warning};
use crate::config::Config;
use crate::engine::JobState;
use crate::text;

/// How long a vault may go without a check, in seconds.
const UNCHECKED: i64 = 90 * 86_400;

/// All there is to say, the gravest first, else in the order of the config.
pub(super) fn warnings(config: &Config, overview: &Overview, now: i64) -> Vec<Warning> {
    let mut all = Vec::new();
    for vault in &overview.vaults {
        all.extend(vault_problem(vault, now));
    }
    for plan in &overview.plans {
        for copy in &plan.copies {
            all.extend(copy_warning(plan, copy, now));
            all.extend(lacks_warning(plan, copy));
        }
        all.extend(copies_warning(plan));
        all.extend(inside_itself(plan, config));
        let missing = plan.missing.iter().map(|path| Warning {
            severity: Severity::Warning,
            text: format!(
                "The plan {} backs up {}, which is not there.",
                plan.name,
                path.display()
            ),
            about: About::Plan(plan.name.clone()),
        });
        all.extend(missing);
    }
    all.extend(overview.vaults.iter().filter_map(|vault| check_warning(vault, now)));
    let unchecked = |vault: &&VaultState| vault.checked.is_none() && vault.generations.unwrap_or(0) > 0;
    all.extend(of_vaults(overview, unchecked, |names, many| {
        let were = if many { "were" } else { "was" };
        format!("The {names} {were} never checked from this machine.")
    }));
    if !config.plans.is_empty() {
        let unused = |vault: &&VaultState| vault.plans.is_empty();
        all.extend(of_vaults(overview, unused, |names, _| {
            format!("No plan writes to the {names}.")
        }));
    }
    if config.vaults.is_empty() {
        all.push(setup("There is no vault yet: nothing is backed up."));
    } else if config.plans.is_empty() {
        all.push(setup("There is no plan yet: nothing is backed up by itself."));
    }
    all.extend(config.prices.problems.iter().map(|problem| Warning {
        severity: Severity::Warning,
        text: format!("A price cannot be used, so a cost is missing: {}", ended(problem)),
        about: About::Prices,
    }));
    all.extend(uncovered(&overview.uncovered));
    all.extend(overview.uncovered.iter().filter_map(partly_covered));
    all.sort_by_key(|warning| warning.severity);
    all
}

fn setup(text: &str) -> Warning {
    Warning {
        severity: Severity::Danger,
        text: text.into(),
        about: About::Setup,
    }
}

fn vault_problem(vault: &VaultState, now: i64) -> Option<Warning> {
    let Reach::Problem(problem) = &vault.reach else {
        return None;
    };
    let seen = vault.seen.map_or_else(
        || "It was never seen from here.".into(),
        |seen| format!("It was last seen {}.", text::ago(seen, now)),
    );
    Some(Warning {
        severity: Severity::Danger,
        text: format!("The vault {} cannot be used: {} {seen}", vault.name, ended(problem)),
        about: About::Vault(vault.name.clone()),
    })
}

fn copy_warning(plan: &PlanState, copy: &PlanCopy, now: i64) -> Option<Warning> {
    let (name, vault) = (&plan.name, &copy.vault);
    let error = copy.last_run.as_ref().and_then(|run| match &run.state {
        JobState::Failed { error, .. } => Some(format!(" The last run failed: {}", ended(error))),
        JobState::Cancelled { .. } => Some(" The last run was cancelled.".into()),
        _ => None,
    });
    let running = copy.last_run.as_ref().is_some_and(|run| !run.state.has_ended());
    let error = error.unwrap_or_else(|| {
        if running {
            " It is running now.".into()
        } else {
            String::new()
        }
    });
    let (severity, text) = match (copy.standing, copy.newest) {
        (Standing::Unknown, _) => (
            Severity::Warning,
            format!(
                "Whether {vault} holds anything of the plan {name} is not known: nobody has looked into it from this machine.{error}"
            ),
        ),
        (Standing::Never, _) | (_, None) => (
            Severity::Danger,
            format!("The plan {name} was never backed up to {vault}.{error}"),
        ),
        (Standing::Late, Some(newest)) => {
            let age = now.saturating_sub(newest);
            // Twice the time is more than a run that was missed once.
            let severity = if age > patience(plan.every).saturating_mul(2) {
                Severity::Danger
            } else {
                Severity::Warning
            };
            let due = if plan.scheduled {
                format!("it is due every {}", spell(plan.every))
            } else {
                format!("no schedule is set, a run every {} is assumed", spell(plan.every))
            };
            let text = format!(
                "The newest generation of {name} in {vault} was made {}; {due}.{error}",
                text::ago(newest, now)
            );
            (severity, text)
        }
        (Standing::Failed, _) => {
            let runs = match copy.failed {
                0 | 1 => String::new(),
                n => format!(" {n} runs failed since the last good one."),
            };
            let newest = copy.newest.map_or_else(String::new, |newest| text::ago(newest, now));
            let text = format!("The newest generation of {name} in {vault} was made {newest}.{error}{runs}");
            (Severity::Warning, text)
        }
        (Standing::Fresh, _) => {
            let left_out = copy.last_run.as_ref().and_then(|run| match &run.state {
                JobState::Done { problems, .. } if *problems > 0 => Some(*problems),
                _ => None,
            })?;
            let left_out = text::counted(left_out, "entry", "entries");
            (
                Severity::Warning,
                format!("The last run of {name} into {vault} left out {left_out} that could not be read."),
            )
        }
    };
    Some(Warning {
        severity,
        text,
        about: About::Plan(plan.name.clone()),
    })
}

/// A path that is in the plan, but not in what it last kept.
fn lacks_warning(plan: &PlanState, copy: &PlanCopy) -> Option<Warning> {
    // Those that are not there are told of already.
    let lacks = copy.lacks.iter().filter(|path| !plan.missing.contains(path));
    let lacks: Vec<String> = lacks.map(|path| path.display().to_string()).collect();
    (!lacks.is_empty()).then(|| Warning {
        severity: Severity::Warning,
        text: format!(
            "The newest generation of {} in {} does not hold {} yet.",
            plan.name,
            copy.vault,
            lacks.join(", ")
        ),
        about: About::Plan(plan.name.clone()),
    })
}

/// One copy is few; one on the disk of its source is next to none.
fn copies_warning(plan: &PlanState) -> Option<Warning> {
    let kept: Vec<&PlanCopy> = plan.copies.iter().filter(|copy| copy.newest.is_some()).collect();
    let (first, rest) = kept.split_first()?;
    let all_here = kept.iter().all(|copy| copy.same_disk == Some(true));
    let (severity, text) = match (rest.is_empty(), all_here) {
        (true, true) => (
            Severity::Danger,
            format!(
                "The plan {} has only one copy, in {}, on the same disk as its source: if that disk fails, both are lost.",
                plan.name, first.vault
            ),
        ),
        (false, true) => (
            Severity::Danger,
            format!(
                "All {} copies of the plan {} are on the same disk as its source: if that disk fails, all are lost.",
                kept.len(),
                plan.name
            ),
        ),
        (true, false) => (
            Severity::Note,
            format!("The plan {} has only one copy, in {}.", plan.name, first.vault),
        ),
        (false, false) => return None,
    };
    Some(Warning {
        severity,
        text,
        about: About::Plan(plan.name.clone()),
    })
}

/// A vault within what its own plan backs up grows with every run.
fn inside_itself(plan: &PlanState, config: &Config) -> Option<Warning> {
    let vaults = plan.copies.iter().filter_map(|copy| config.vault(&copy.vault));
    let inside = |vault: &Path| plan.paths.iter().any(|path| vault.starts_with(path));
    let excluded = |vault: &Path| {
        let plan = config.plan(&plan.name);
        let mut excludes = plan.into_iter().flat_map(|plan| &plan.excludes);
        excludes.any(|pattern| vault.starts_with(pattern.trim_end_matches('/')))
    };
    let vault = vaults
        .into_iter()
        .find(|vault| inside(&vault.path) && !excluded(&vault.path))?;
    Some(Warning {
        severity: Severity::Warning,
        text: format!(
            "The plan {} backs up the vault {} itself, which lies in {}: exclude that folder.",
            plan.name,
            vault.name,
            vault.path.display()
        ),
        about: About::Plan(plan.name.clone()),
    })
}

/// One sentence on all vaults of which something is true.
fn of_vaults(
    overview: &Overview,
    which: impl Fn(&&VaultState) -> bool,
    sentence: impl FnOnce(String, bool) -> String,
) -> Option<Warning> {
    let names: Vec<&str> = overview
        .vaults
        .iter()
        .filter(which)
        .map(|vault| vault.name.as_str())
        .collect();
    let words = match names.as_slice() {
        [] => return None,
        [one] => format!("vault {one}"),
        many => format!("vaults {}", listed(many)),
    };
    Some(Warning {
        severity: Severity::Note,
        text: sentence(words, names.len() > 1),
        about: About::Vault((*names.first()?).to_owned()),
    })
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

fn check_warning(vault: &VaultState, now: i64) -> Option<Warning> {
    let (severity, text) = match vault.checked {
        Some((time, false)) => (
            Severity::Danger,
            format!(
                "The last check of the vault {}, {}, found errors.",
                vault.name,
                text::ago(time, now)
            ),
        ),
        Some((time, true)) if now.saturating_sub(time) > UNCHECKED => (
            Severity::Note,
            format!("The vault {} was last checked {}.", vault.name, text::ago(time, now)),
        ),
        _ => return None,
    };
    Some(Warning {
        severity,
        text,
        about: About::Vault(vault.name.clone()),
    })
}

/// The paths of which nothing is backed up, in one sentence.
fn uncovered(paths: &[Uncovered]) -> Option<Warning> {
    let bare = paths.iter().filter(|path| path.covered.is_empty());
    let names: Vec<String> = bare.clone().map(|path| path.path.display().to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.is_empty() {
        return None;
    }
    let text = format!("No plan covers {}.", listed(&names));
    Some(Warning {
        severity: Severity::Warning,
        text,
        about: About::Path(bare.clone().next()?.path.clone()),
    })
}

fn partly_covered(path: &Uncovered) -> Option<Warning> {
    let text = match path.covered.as_slice() {
        [] => return None,
        [one] => format!("Of {}, only {} is backed up.", path.path.display(), one.display()),
        many => format!("Of {}, only {} parts are backed up.", path.path.display(), many.len()),
    };
    Some(Warning {
        severity: Severity::Note,
        text,
        about: About::Path(path.path.clone()),
    })
}

/// `day`, `6 hours`, `2 weeks`: what stands behind "every".
fn spell(seconds: i64) -> String {
    let units = [(604_800, "week"), (86_400, "day"), (3600, "hour"), (60, "minute")];
    let fitting = units
        .into_iter()
        .find(|(unit, _)| seconds >= *unit && seconds % unit == 0);
    match fitting {
        Some((unit, word)) if seconds == unit => word.into(),
        Some((unit, word)) => format!("{} {word}s", seconds / unit),
        None => format!("{seconds} seconds"),
    }
}

/// A text that ends as a sentence does.
fn ended(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) {
        text.into()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_without_a_plan_are_told_in_one_sentence() {
        let path = |path: &str, covered: &[&str]| Uncovered {
            path: path.into(),
            covered: covered.iter().map(Into::into).collect(),
        };
        let paths = [
            path("/etc", &[]),
            path("/home", &["/home/anna"]),
            path("/opt", &[]),
            path("/srv", &[]),
        ];
        let text = |warning: Option<Warning>| warning.map(|warning| warning.text).unwrap_or_default();
        assert_eq!(text(uncovered(&paths)), "No plan covers /etc, /opt and /srv.");
        assert_eq!(text(uncovered(&paths[..2])), "No plan covers /etc.");
        assert_eq!(text(uncovered(&paths[1..2])), "");
        assert_eq!(
            text(partly_covered(&paths[1])),
            "Of /home, only /home/anna is backed up."
        );
    }

    #[test]
    fn spans_are_spelled() {
        assert_eq!(
            [86_400, 172_800, 604_800, 21_600, 5400, 90].map(spell),
            ["day", "2 days", "week", "6 hours", "90 minutes", "90 seconds"]
        );
    }
}

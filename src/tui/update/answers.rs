//! What the engine says: answers to questions, and what becomes of jobs.

use std::sync::Arc;

use super::super::model::{FolderAsk, Load, Model, Overlay, Pane, Purpose};
use super::super::msg::Effect;
use super::super::text;
use super::super::theme::Role;
use super::super::window::Window;
use super::browse;
use crate::engine::question::{FolderWindow, VaultRow};
use crate::engine::{Answer, JobInfo, JobState, RequestId};

/// Takes an answer, unless nobody waits for it any more.
pub(super) fn take(model: &mut Model, request: RequestId, answer: Answer, complete: bool, effects: &mut Vec<Effect>) {
    let purpose = if complete {
        model.asked.remove(&request)
    } else {
        model.asked.get(&request).cloned()
    };
    let Some(purpose) = purpose else { return };
    match (purpose, answer) {
        (Purpose::Vaults, Answer::Vaults(mut rows)) => {
            // A folder the user named is a vault too, though no config knows it.
            if let Some(given) = &model.given_vault
                && rows.iter().all(|row| row.name != *given && row.location != *given)
            {
                let (name, location) = (given.clone(), given.clone());
                rows.insert(
                    0,
                    VaultRow {
                        name,
                        location,
                        ..VaultRow::default()
                    },
                );
            }
            model.vaults.all = rows;
            model.vaults.load = Load::Ready;
            browse::show_vaults(model);
            if let Some(wanted) = model.wanted_vault.take()
                && model
                    .vaults
                    .list
                    .current()
                    .is_some_and(|row| row.name == wanted || row.location == wanted)
            {
                model.focus = Pane::Generations;
            }
        }
        (Purpose::Vaults, answer) => model.vaults.load = failed(answer),
        (Purpose::Generations(vault), answer) => generations(model, &vault, answer),
        (Purpose::Folder(asked), answer) => folder(model, &asked, answer),
        (Purpose::Range(asked), Answer::Folder(window)) => range(model, &asked, window, effects),
        (Purpose::Range(_), answer) => complain(model, answer),
        (Purpose::Totals(generation), Answer::Totals(totals)) => {
            if let Some(selected) = model.selections.get_mut(&generation) {
                selected.totals = Some(totals);
                selected.counted = complete;
            }
        }
        (Purpose::Totals(generation), answer) => {
            if let Some(selected) = model.selections.get_mut(&generation) {
                selected.counted = true;
                selected.totals = None;
            }
            complain(model, answer);
        }
        (Purpose::RestorePlan, answer) => restore_plan(model, answer),
        (Purpose::Plans, answer) => plans(model, answer),
        (Purpose::History, Answer::Jobs(rows)) => model.jobs.remember(rows),
        (Purpose::History, answer) => complain(model, answer),
        (Purpose::Issues(job), Answer::Issues(issues)) => {
            if let Some(Overlay::Report(report)) = model.overlays.last_mut()
                && report.job == job
            {
                let total = issues.len() as u64;
                report.list.accept(0, issues, total);
            }
        }
        (Purpose::Issues(_), answer) => complain(model, answer),
        (Purpose::Open, answer) => opened(model, answer),
    }
}

/// What an answer that is none says.
fn failed(answer: Answer) -> Load {
    match answer {
        Answer::Failed(why) => Load::Failed(why),
        Answer::PasswordNeeded { .. } => Load::Locked,
        other => Load::Failed(format!("The engine answered something else: {}.", kind(&other))),
    }
}

fn kind(answer: &Answer) -> String {
    let text = format!("{answer:?}");
    text.chars().take_while(|c| c.is_alphanumeric()).collect()
}

fn complain(model: &mut Model, answer: Answer) {
    if let Load::Failed(why) = failed(answer) {
        model.say(Role::Danger, why);
    }
}

fn generations(model: &mut Model, vault: &str, answer: Answer) {
    if model.generations.vault.as_deref() != Some(vault) {
        return;
    }
    match answer {
        Answer::Generations(rows) => {
            model.generations.all = rows;
            model.generations.load = Load::Ready;
            browse::show_generations(model);
        }
        Answer::PasswordNeeded { problem, .. } => {
            model.generations.load = Load::Locked;
            // Asked for by itself only where the user went to the vault, and only once.
            if model.focus != Pane::Vaults
                && model.overlays.is_empty()
                && model.password_asked.as_deref() != Some(vault)
            {
                super::dialogs::ask_password(model, problem);
            }
        }
        other => model.generations.load = failed(other),
    }
}

fn folder(model: &mut Model, asked: &FolderAsk, answer: Answer) {
    let files = &mut model.files;
    let still = files
        .of
        .as_ref()
        .is_some_and(|(vault, id)| *vault == asked.vault && *id == asked.generation)
        && files.folder == asked.folder
        && files.filter == asked.filter;
    if !still {
        return;
    }
    match answer {
        Answer::Folder(FolderWindow { first, rows, total, .. }) => {
            files.load = Load::Ready;
            files.list.accept(first, rows, total);
            browse::pass_through(model);
        }
        Answer::NoSuchFolder if !files.folder.is_empty() => {
            let gone = files.folder.pop().unwrap_or_default();
            browse::show_folder(model, 0);
            let gone = text::escape(&gone);
            model.say(
                Role::Dim,
                format!("{gone} is not in this generation; here is the folder that would hold it."),
            );
        }
        Answer::NoSuchFolder => files.load = Load::Failed("This generation holds nothing.".to_owned()),
        other => files.load = failed(other),
    }
}

fn range(model: &mut Model, asked: &FolderAsk, window: FolderWindow, effects: &mut Vec<Effect>) {
    let here = model.files.of.as_ref().is_some_and(|(_, id)| *id == asked.generation)
        && model.files.folder == asked.folder
        && model.files.filter == asked.filter;
    if here {
        let skip = usize::try_from(asked.first.saturating_sub(window.first)).unwrap_or(usize::MAX);
        let names = window
            .rows
            .into_iter()
            .skip(skip)
            .take(asked.rows as usize)
            .map(|row| row.name)
            .collect();
        browse::select_names(model, names, effects);
    }
}

fn restore_plan(model: &mut Model, answer: Answer) {
    let now = model.now.millis;
    let Some(Overlay::RestorePlan(plan)) = model.overlays.last_mut() else {
        return;
    };
    match answer {
        Answer::RestorePlan(summary) => {
            plan.list = Window::whole(summary.overwritten.clone());
            plan.plan = Some(summary);
            // The plan is on the screen only now: so starts the guard.
            plan.guard.since = now;
        }
        other => match failed(other) {
            Load::Failed(why) => plan.problem = why,
            _ => plan.problem = "The vault is locked.".to_owned(),
        },
    }
}

fn plans(model: &mut Model, answer: Answer) {
    let here = model.vaults.list.current().map(|row| row.name.clone());
    let Some(Overlay::BackupChoice(list, load)) = model.overlays.last_mut() else {
        return;
    };
    match answer {
        Answer::Plans(mut rows) => {
            // Those of the vault one looks at first.
            rows.sort_by_key(|row| Some(&row.vault) != here.as_ref());
            *list = Window::whole(rows);
            *load = Load::Ready;
        }
        other => *load = failed(other),
    }
}

fn opened(model: &mut Model, answer: Answer) {
    let Some(at) = model
        .overlays
        .iter()
        .position(|o| matches!(o, Overlay::Password { .. }))
    else {
        return;
    };
    match answer {
        Answer::Opened { vault } => {
            model.overlays.remove(at);
            if model.generations.vault.as_ref() == Some(&vault) {
                model.generations.load = Load::Idle;
                model.focus = model.focus.max(Pane::Generations);
            }
        }
        other => {
            let why = match other {
                Answer::PasswordNeeded { problem, .. } => problem,
                Answer::Failed(why) => why,
                other => kind(&other),
            };
            if let Some(Overlay::Password { problem, trying, .. }) = model.overlays.get_mut(at) {
                *problem = why;
                *trying = false;
            }
        }
    }
}

/// A job goes by another state: told in one line once it has ended.
pub(super) fn job_changed(model: &mut Model, info: Arc<JobInfo>, state: JobState, effects: &mut Vec<Effect>) {
    let id = info.id;
    model.jobs.change(info, state.clone(), model.now);
    let Some(job) = model.jobs.get(id).filter(|_| state.has_ended()) else {
        return;
    };
    let title = job.title.clone();
    match state {
        JobState::Done { summary, problems: 0 } => model.say(Role::Good, format!("{title}: {summary}")),
        JobState::Done { summary, problems } => {
            let problems = text::counted(problems, "problem", "problems");
            model.say(Role::Warning, format!("{title}: {summary}, {problems} (J shows them)"));
        }
        JobState::Cancelled { cleaned: true } => model.say(Role::Warning, format!("{title}: cancelled")),
        JobState::Cancelled { cleaned: false } => {
            model.say(
                Role::Warning,
                format!("{title}: cancelled; its lock is still in the vault (coffer unlock)"),
            );
        }
        JobState::Failed { error, .. } => model.say(Role::Danger, format!("{title} failed: {error}")),
        JobState::Running | JobState::Cancelling => {}
    }
    if model.quitting && model.jobs.running().next().is_none() {
        effects.push(Effect::Quit);
    }
}

/// A vault has other generations now.
pub(super) fn vault_changed(model: &mut Model, vault: &str) {
    model.vaults.load = Load::Idle;
    if model.generations.vault.as_deref() == Some(vault) {
        model.generations.load = Load::Idle;
    }
}

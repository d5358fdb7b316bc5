//! What lies over the panes: opening it, typing into it, answering it.

use super::super::actions::{self, ActionId};
use super::super::field::Field;
use super::super::keys::{Code, Key};
use super::super::model::{Load, Model, Overlay, Pane, Purpose};
use super::super::msg::{Effect, Typed};
use super::super::overlay::{Confirm, Confirmed, Guard, Help, OVERWRITE, Report, RestoreForm, RestorePlan};
use super::super::theme::Role;
use super::super::view::help;
use super::super::window::Window;
use super::{abandon, ask, browse, cancel_all, is_text};
use crate::engine::Question;
use crate::vault::Password;

/// Jobs of the history that the drawer asks for.
const HISTORY: u32 = 200;

/// Does an action that opens an overlay or acts in one.
pub(super) fn run(model: &mut Model, id: ActionId, key: Key, effects: &mut Vec<Effect>) {
    match id {
        ActionId::Help => {
            let over = Some(model.context());
            model.overlays.push(Overlay::Help(Help {
                over,
                ..Help::default()
            }));
        }
        ActionId::Filter => {
            let now = Field::new(browse::filter(model));
            model.overlays.push(Overlay::Filter(now));
        }
        ActionId::Jobs => {
            model.overlays.push(Overlay::Jobs(Window::default()));
            ask(model, Purpose::History, Question::Jobs { limit: HISTORY }, effects);
        }
        ActionId::Backup => {
            model
                .overlays
                .push(Overlay::BackupChoice(Window::default(), Load::Loading));
            ask(model, Purpose::Plans, Question::Plans, effects);
        }
        ActionId::Restore => open_restore(model),
        ActionId::Submit => submit(model, key, effects),
        ActionId::NextField | ActionId::PreviousField => next_field(model, id == ActionId::NextField),
        ActionId::Left | ActionId::Right => sideways(model, key, id == ActionId::Right),
        ActionId::Yes => yes(model, effects),
        ActionId::No | ActionId::Close => close(model, id, effects),
        ActionId::CancelJob => {
            let job = match model.overlays.last() {
                Some(Overlay::Jobs(list)) => model.jobs.shown(list.cursor()).map(|job| job.info.id),
                Some(Overlay::Report(report)) => Some(report.job),
                _ => None,
            };
            if let Some(job) = job {
                let guard = Guard {
                    since: model.now.millis,
                    opener: Some(key),
                };
                model.overlays.push(Overlay::Confirm(Confirm {
                    what: Confirmed::CancelJob(job),
                    guard,
                }));
            }
        }
        ActionId::OpenJob => open_report(model, effects),
        ActionId::QuitCancel => {
            model.overlays.pop();
            model.quitting = true;
            cancel_all(model, effects);
            model.say(
                Role::Warning,
                "Stopping the jobs; Coffer ends when the last one has stopped.",
            );
        }
        _ => {}
    }
}

fn open_restore(model: &mut Model) {
    let Some((rules, what)) = browse::to_restore(model) else {
        return;
    };
    let (Some(vault), Some(row)) = (model.generations.vault.clone(), model.generations.list.current()) else {
        return;
    };
    let target = format!("{}/restored", model.home.trim_end_matches('/'));
    model.overlays.push(Overlay::RestoreForm(RestoreForm {
        vault,
        generation: row.id,
        rules,
        what,
        target: Field::new(&target),
        overwrite: OVERWRITE[0].0,
        at: 0,
        problem: String::new(),
    }));
}

fn open_report(model: &mut Model, effects: &mut Vec<Effect>) {
    let Some(Overlay::Jobs(list)) = model.overlays.last() else {
        return;
    };
    let Some(job) = model.jobs.shown(list.cursor()) else {
        return;
    };
    let job = job.info.id;
    model.overlays.push(Overlay::Report(Report {
        job,
        list: Window::default(),
    }));
    ask(model, Purpose::Issues(job), Question::Issues { job }, effects);
}

/// Opens the password dialog of the vault shown.
pub(super) fn ask_password(model: &mut Model, problem: String) {
    let Some(vault) = model.generations.vault.clone() else {
        return;
    };
    model.password_asked = Some(vault.clone());
    model.overlays.push(Overlay::Password {
        vault,
        field: Field::default(),
        problem,
        trying: false,
    });
}

/// Enter in a dialog.
fn submit(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    match model.overlays.last_mut() {
        Some(Overlay::Filter(_)) => _ = model.overlays.pop(),
        Some(Overlay::Help(_)) => run_from_help(model, key, effects),
        Some(Overlay::RestoreForm(_)) => plan_restore(model, effects),
        Some(Overlay::BackupChoice(list, _)) => {
            let Some(plan) = list.current().cloned() else { return };
            model.overlays.pop();
            let title = format!("Back up {} to {}", plan.name, plan.vault);
            effects.push(Effect::StartBackup {
                plan: plan.name,
                vault: plan.vault,
                title,
            });
        }
        Some(Overlay::Password {
            vault,
            field,
            trying,
            problem,
        }) if !*trying && !field.text().is_empty() => {
            *trying = true;
            problem.clear();
            let password = Typed(Password(zeroize::Zeroizing::new(field.text().as_bytes().to_vec())));
            let vault = vault.clone();
            *field = Field::default();
            let request = model.next_request;
            model.next_request += 1;
            model.asked.insert(request, Purpose::Open);
            effects.push(Effect::Open {
                request,
                vault,
                password,
            });
        }
        _ => {}
    }
}

/// Runs what the help's cursor is on, where the help was opened.
fn run_from_help(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    let Some(Overlay::Help(state)) = model.overlays.pop() else {
        return;
    };
    if let Some(action) = help::rows(model, &state).get(state.cursor).map(|row| row.action) {
        super::run(model, action.id, key, effects);
    }
}

fn plan_restore(model: &mut Model, effects: &mut Vec<Effect>) {
    let home = model.home.clone();
    let now = model.now.millis;
    let Some(Overlay::RestoreForm(form)) = model.overlays.last_mut() else {
        return;
    };
    let typed = form.target.text().trim();
    let target = match typed.strip_prefix('~') {
        Some("") => home,
        Some(rest) if rest.starts_with('/') => format!("{}{rest}", home.trim_end_matches('/')),
        _ => typed.to_owned(),
    };
    if !target.starts_with('/') {
        form.problem = "Give the folder's whole path, from / or ~ on.".to_owned();
        return;
    }
    form.problem.clear();
    let question = Question::PlanRestore {
        vault: form.vault.clone(),
        generation: form.generation,
        rules: form.rules.clone(),
        target: target.clone().into(),
        overwrite: form.overwrite,
    };
    let plan = RestorePlan {
        what: form.what.clone(),
        target,
        overwrite: form.overwrite,
        plan: None,
        problem: String::new(),
        list: Window::default(),
        guard: Guard {
            since: now,
            opener: None,
        },
    };
    model.overlays.push(Overlay::RestorePlan(plan));
    ask(model, Purpose::RestorePlan, question, effects);
}

fn next_field(model: &mut Model, forward: bool) {
    match model.overlays.last_mut() {
        Some(Overlay::RestoreForm(form)) => form.at = 1 - form.at,
        Some(Overlay::Help(_)) => {
            let Some(Overlay::Help(mut state)) = model.overlays.pop() else {
                return;
            };
            let last = help::rows(model, &state).len().saturating_sub(1);
            state.cursor = if forward {
                (state.cursor + 1).min(last)
            } else {
                state.cursor.saturating_sub(1)
            };
            model.overlays.push(Overlay::Help(state));
        }
        _ => {}
    }
}

fn sideways(model: &mut Model, key: Key, right: bool) {
    match model.overlays.last_mut() {
        Some(Overlay::RestoreForm(form)) if form.at == 1 => form.choose(if right { 1 } else { -1 }),
        _ => edit(model, key),
    }
}

fn yes(model: &mut Model, effects: &mut Vec<Effect>) {
    match model.overlays.last() {
        Some(Overlay::RestorePlan(plan)) => {
            let Some(summary) = &plan.plan else { return };
            let title = format!(
                "Restore {} to {}",
                plan.what,
                super::super::text::escape(plan.target.as_bytes())
            );
            effects.push(Effect::StartRestore {
                plan: summary.plan,
                title,
            });
            model.overlays.pop();
            // The form below the plan has done its work.
            if matches!(model.overlays.last(), Some(Overlay::RestoreForm(_))) {
                model.overlays.pop();
            }
        }
        Some(Overlay::Confirm(confirm)) => {
            let what = confirm.what;
            model.overlays.pop();
            match what {
                Confirmed::CancelJob(job) => effects.push(Effect::CancelJob(job)),
                Confirmed::CancelAndQuit => cancel_all(model, effects),
            }
        }
        _ => {}
    }
}

/// Takes the top overlay away; nothing else.
fn close(model: &mut Model, id: ActionId, effects: &mut Vec<Effect>) {
    match model.overlays.pop() {
        Some(Overlay::Filter(_)) if id == ActionId::Close => browse::set_filter(model, ""),
        Some(Overlay::RestorePlan(_)) => abandon(model, |p| *p == Purpose::RestorePlan, effects),
        Some(Overlay::BackupChoice(..)) => abandon(model, |p| *p == Purpose::Plans, effects),
        Some(Overlay::Password { .. }) => abandon(model, |p| *p == Purpose::Open, effects),
        _ => {}
    }
}

/// A key that means no action: text for a field, if there is one.
pub(super) fn edit(model: &mut Model, key: Key) {
    if !is_text(model) {
        if key.code == Code::Char(':') && model.overlays.is_empty() {
            model.say(
                Role::Dim,
                "Type ? for the keys of this place; Enter there runs the one you are on.",
            );
        }
        return;
    }
    let Some(field) = field(model) else { return };
    if field.key(key) {
        edited(model);
    }
}

/// Pasted text goes into a field, or nowhere.
pub(super) fn paste(model: &mut Model, text: &str) {
    if !is_text(model) {
        return;
    }
    if let Some(field) = field(model) {
        field.insert(text);
        edited(model);
    }
}

fn field(model: &mut Model) -> Option<&mut Field> {
    match model.overlays.last_mut()? {
        Overlay::Filter(field) => Some(field),
        Overlay::Help(state) => Some(&mut state.search),
        Overlay::RestoreForm(form) => Some(&mut form.target),
        Overlay::Password {
            field, trying: false, ..
        } => Some(field),
        _ => None,
    }
}

/// What follows from a field's new text.
fn edited(model: &mut Model) {
    match model.overlays.last_mut() {
        Some(Overlay::Filter(field)) => {
            let text = field.text().to_owned();
            browse::set_filter(model, &text);
        }
        Some(Overlay::Help(state)) => state.cursor = 0,
        Some(Overlay::RestoreForm(form)) => form.problem.clear(),
        _ => {}
    }
}

/// Why the pane the help was opened over cannot do this now.
pub(crate) fn why_not_here(model: &Model, id: ActionId) -> Option<&'static str> {
    // The help itself lies on top: what counts is what is below it, which why_not reads from focus and lists.
    match (model.focus, id) {
        (Pane::Vaults, ActionId::Restore) => Some("Choose a generation first."),
        _ => actions::why_not(model, id),
    }
}

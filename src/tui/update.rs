//! What each message does to the model. Pure: no clock, no I/O; what is to be done outside comes back as effects.
//!
//! A key goes to the text field that has the keys, or resolves to an action, which acts. After each message `fetch` looks
//! at what the screen and the dialogs show and asks for what is missing: no place that moves a cursor has to think of
//! loading.

use std::sync::Arc;

use super::actions::{Act, Action};
use super::dialog::Then;
use super::dialogs::{first, quit};
use super::field::Field;
use super::keys::{Code, Key, Resolved};
use super::model::Model;
use super::msg::{Effect, Msg};
use super::theme::Role;
use super::widgets::form::Reply;
use super::{asking, dialog, dialogs, pointer, screens, start};
use crate::engine::{JobInfo, JobState};
use crate::text;

/// Takes a message; what comes back is to be done.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    let said = model.notice.clone();
    match msg {
        Msg::Key(key, at) => {
            model.now = at;
            on_key(model, key, &mut effects);
        }
        Msg::Pointer(pointer, at) => {
            model.now = at;
            pointer::act(model, pointer, &mut effects);
        }
        Msg::Paste(text, at) => {
            model.now = at;
            if !model.is_tiny() && !pasted(model, &text, &mut effects) {
                typed(model, &mut effects, |field| {
                    field.insert(&text);
                    true
                });
            }
        }
        Msg::Resize(columns, rows) => model.size = (columns, rows),
        Msg::Tick(at) => model.now = at,
        Msg::Answer {
            request,
            answer,
            complete,
            at,
        } => {
            model.now = at;
            asking::take(model, request, answer, complete, &mut effects);
        }
        Msg::JobStarted(info, at) => {
            model.now = at;
            model.jobs.change(info, JobState::Running, at);
        }
        Msg::JobChanged(info, state, at) => {
            model.now = at;
            job_changed(model, info, state, &mut effects);
        }
        Msg::Progress(samples, at) => {
            model.now = at;
            model.jobs.progress(samples, at.millis);
        }
        Msg::JobNamed(id, title) => model.jobs.name(id, title),
        Msg::Copied { what, copied, at } => {
            model.now = at;
            match copied {
                true => model.say(Role::Good, format!("copied {what}")),
                false => model.say(
                    Role::Warning,
                    format!("{what} is too long for the terminal's clipboard"),
                ),
            }
        }
        Msg::Refused(text, at) => {
            model.now = at;
            model.say(Role::Danger, text);
            model.dialogs.retain_mut(|dialog| !dialog.refused());
        }
        Msg::VaultChanged(vault) => vault_changed(model, &vault),
        Msg::SnapshotsChanged(target) => screens::snapshots::changed(model, &target),
        Msg::Catalogued(_) => screens::search::catalogued(model),
        Msg::Warning(text, at) => {
            model.now = at;
            model.say(Role::Warning, text);
        }
        Msg::Terminate => {
            cancel_all(model, &mut effects);
            effects.push(Effect::Quit);
        }
    }
    if model
        .notice
        .as_ref()
        .is_some_and(|notice| notice.until <= model.now.millis)
    {
        model.notice = None;
    }
    if model.notice != said
        && let Some(notice) = &model.notice
    {
        effects.push(Effect::Wake(notice.until));
    }
    model.layout();
    dialogs::jobs::watch(model, &mut effects);
    start::go_on(model);
    screens::fetch(model, &mut effects);
    first::offer(model, &mut effects);
    dialog::each(model, |dialog, model| dialog.fetch(model, &mut effects));
    effects
}

fn on_key(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    if model.is_tiny() {
        return unseen(model, key, effects);
    }
    let guard = model.dialogs.last().and_then(|dialog| dialog.guard());
    if guard.is_some_and(|guard| !guard.hears(key, model.now.millis)) {
        return;
    }
    if model.pending.is_empty() && (in_form(model, key, effects) || typed(model, effects, |field| field.key(key))) {
        return;
    }
    let context = model.context();
    model.pending.push(key);
    match model.keymap.resolve(context, &model.pending) {
        Resolved::Prefix => {}
        Resolved::Action(action) => {
            model.pending.clear();
            run(model, action, key, effects);
        }
        Resolved::Nothing => model.pending.clear(),
    }
}

/// A key while one line says that nothing can be seen: it must not act unseen, nor go into a field. One can always leave.
fn unseen(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    model.pending.clear();
    match (key.code, key.ctrl, key.alt) {
        (Code::Char('q'), false, false) | (Code::Char('c'), true, false) => {
            quit::quit(&mut Act { model, key, effects })
        }
        (Code::Char('z'), true, false) => effects.push(Effect::Suspend),
        _ => {}
    }
}

/// Hands a key to the top dialog's form, if it has one; whether the form took it.
pub(super) fn in_form(model: &mut Model, key: Key, effects: &mut Vec<Effect>) -> bool {
    let Some(mut top) = model.dialogs.pop() else {
        return false;
    };
    let at = model.dialogs.len();
    let reply = top.form().map_or(Reply::Ignored, |form| form.key(key));
    let mut then = Then::Keep;
    match reply {
        Reply::Changed => top.edited(model, effects),
        Reply::Pressed(button) => then = top.pressed(button, &mut Act { model, key, effects }),
        Reply::Moved | Reply::Submit | Reply::Ignored => {}
    }
    if then == Then::Keep {
        // What it opened meanwhile lies above.
        model.dialogs.insert(at.min(model.dialogs.len()), top);
    }
    !matches!(reply, Reply::Submit | Reply::Ignored)
}

/// Pastes into the top dialog's form, if it has one; whether the form took it.
fn pasted(model: &mut Model, text: &str, effects: &mut Vec<Effect>) -> bool {
    let Some(mut top) = model.dialogs.pop() else {
        return false;
    };
    let at = model.dialogs.len();
    let took = top.form().is_some_and(|form| form.paste(text) != Reply::Ignored);
    if took {
        top.edited(model, effects);
    }
    model.dialogs.insert(at.min(model.dialogs.len()), top);
    took
}

/// Edits the field that has the keys, if there is one; whether it took what was typed.
fn typed(model: &mut Model, effects: &mut Vec<Effect>, edit: impl FnOnce(&mut Field) -> bool) -> bool {
    match model.dialogs.pop() {
        Some(mut top) => {
            let took = top.field().is_some_and(edit);
            let at = model.dialogs.len();
            if took {
                top.edited(model, effects);
            }
            // What it opened meanwhile lies above.
            model.dialogs.insert(at, top);
            took
        }
        None => {
            let took = screens::field(model).is_some_and(edit);
            if took {
                screens::edited(model, effects);
            }
            took
        }
    }
}

/// Does an action, or says why it cannot be done.
pub(super) fn run(model: &mut Model, action: &Action, key: Key, effects: &mut Vec<Effect>) {
    if let Some(reason) = (action.why_not)(model) {
        model.say(Role::Warning, reason);
        return;
    }
    (action.run)(&mut Act { model, key, effects });
}

/// Asks every running job to stop.
pub(super) fn cancel_all(model: &Model, effects: &mut Vec<Effect>) {
    effects.extend(model.jobs.running_here().map(|job| Effect::CancelJob(job.info.id)));
}

/// A job goes by another state: told in one line once it has ended.
fn job_changed(model: &mut Model, info: Arc<JobInfo>, state: JobState, effects: &mut Vec<Effect>) {
    let id = info.id;
    model.jobs.change(info, state.clone(), model.now);
    let Some(job) = model.jobs.get(id).filter(|_| state.has_ended()) else {
        return;
    };
    let title = job.title.clone();
    screens::stale(model);
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
        JobState::Failed { error, exit_code: 11 } => {
            let error = format!("{title} failed: {error}");
            model.say(
                Role::Danger,
                format!("Locked (U among the vaults shows by whom): {error}"),
            );
        }
        JobState::Failed { error, .. } => model.say(Role::Danger, format!("{title} failed: {error}")),
        JobState::Running | JobState::Cancelling => {}
    }
    if model.quitting && model.jobs.running_here().next().is_none() {
        effects.push(Effect::Quit);
    }
}

/// A vault has other generations now.
fn vault_changed(model: &mut Model, vault: &str) {
    screens::vaults::changed(model);
    screens::stale(model);
    if model.generations.vault.as_deref() == Some(vault) {
        screens::files::vault_changed(model);
        screens::vaults::generations_changed(model);
    }
}

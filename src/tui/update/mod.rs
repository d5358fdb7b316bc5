//! What each message does to the model. Pure: no clock, no I/O; what is to be done outside comes back as effects.
//!
//! `browse` moves among the panes and selects, `dialogs` is what lies over them, `answers` takes what the engine says.
//! After each message [`fetch`] looks at what the screen shows and asks for what is missing: no place that moves the
//! cursor has to think of loading.

mod answers;
mod browse;
mod dialogs;

pub(crate) use dialogs::why_not_here;

use super::actions::{self, ActionId, Context};
use super::keys::{Code, Key, Resolved};
use super::model::{FolderAsk, Load, Model, Overlay, Pane, Purpose};
use super::msg::{Effect, Msg};
use super::overlay::{Confirm, Confirmed, Guard};
use super::theme::Role;
use crate::engine::{JobState, Question};

/// Takes a message; what comes back is to be done.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    let said = model.notice.clone();
    match msg {
        Msg::Key(key, at) => {
            model.now = at;
            on_key(model, key, &mut effects);
        }
        Msg::Paste(text, at) => {
            model.now = at;
            dialogs::paste(model, &text);
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
            answers::take(model, request, answer, complete, &mut effects);
        }
        Msg::JobStarted(info, at) => {
            model.now = at;
            model.jobs.change(info, JobState::Running, at);
        }
        Msg::JobChanged(info, state, at) => {
            model.now = at;
            answers::job_changed(model, info, state, &mut effects);
        }
        Msg::Progress(samples, at) => {
            model.now = at;
            model.jobs.progress(samples, at.millis);
        }
        Msg::JobNamed(id, title) => model.jobs.name(id, title),
        Msg::Refused(text, at) => {
            model.now = at;
            model.say(Role::Danger, text);
        }
        Msg::VaultChanged(vault) => answers::vault_changed(model, &vault),
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
    fetch(model, &mut effects);
    effects
}

fn on_key(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    if model.is_tiny() && key.code != Code::Esc && !key.ctrl && key != Key::char('q') {
        // One line says that nothing can be seen: a key must not act unseen.
        return;
    }
    let guard = match model.overlays.last() {
        Some(Overlay::RestorePlan(plan)) => Some(plan.guard),
        Some(Overlay::Confirm(confirm) | Overlay::Quit(confirm)) => Some(confirm.guard),
        _ => None,
    };
    if guard.is_some_and(|guard| !guard.hears(key, model.now.millis)) {
        return;
    }
    let context = model.context();
    model.pending.push(key);
    match model.keymap.resolve(context, &model.pending) {
        Resolved::Prefix => {}
        Resolved::Action(action) => {
            model.pending.clear();
            run(model, action.id, key, effects);
        }
        Resolved::Nothing => {
            model.pending.clear();
            dialogs::edit(model, key);
        }
    }
}

/// Does an action, or says why it cannot be done.
fn run(model: &mut Model, id: ActionId, key: Key, effects: &mut Vec<Effect>) {
    if let Some(reason) = actions::why_not(model, id) {
        model.say(Role::Warning, reason);
        return;
    }
    match id {
        ActionId::Up | ActionId::Down | ActionId::PageUp | ActionId::PageDown | ActionId::Top | ActionId::Bottom => {
            browse::step(model, id)
        }
        ActionId::Open => browse::open(model),
        ActionId::Back => browse::back(model),
        ActionId::NextPane => browse::change_pane(model, 1),
        ActionId::PreviousPane => browse::change_pane(model, 2),
        ActionId::Zoom => model.zoom = !model.zoom,
        ActionId::Select => browse::select(model, effects),
        ActionId::Range => browse::range(model, effects),
        ActionId::SelectAll | ActionId::Invert | ActionId::Unselect => browse::select_folder(model, id, effects),
        ActionId::Escape => browse::escape(model),
        ActionId::Reload => browse::reload(model),
        ActionId::Suspend => effects.push(Effect::Suspend),
        ActionId::Quit => quit(model, key, effects),
        ActionId::Filter
        | ActionId::Restore
        | ActionId::Backup
        | ActionId::Jobs
        | ActionId::Help
        | ActionId::Close
        | ActionId::Submit
        | ActionId::NextField
        | ActionId::PreviousField
        | ActionId::Left
        | ActionId::Right
        | ActionId::Yes
        | ActionId::No
        | ActionId::CancelJob
        | ActionId::OpenJob
        | ActionId::QuitCancel => dialogs::run(model, id, key, effects),
    }
}

fn quit(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    if model.jobs.running().next().is_none() {
        effects.push(Effect::Quit);
    } else {
        let guard = Guard {
            since: model.now.millis,
            opener: Some(key),
        };
        model.overlays.push(Overlay::Quit(Confirm {
            what: Confirmed::CancelAndQuit,
            guard,
        }));
    }
}

/// Asks every running job to stop.
fn cancel_all(model: &Model, effects: &mut Vec<Effect>) {
    effects.extend(model.jobs.running().map(|job| Effect::CancelJob(job.info.id)));
}

/// Asks a question and remembers what for.
fn ask(model: &mut Model, purpose: Purpose, question: Question, effects: &mut Vec<Effect>) {
    let request = model.next_request;
    model.next_request += 1;
    model.asked.insert(request, purpose);
    effects.push(Effect::Ask(request, question));
}

/// Drops the questions asked for this.
fn abandon(model: &mut Model, what: impl Fn(&Purpose) -> bool, effects: &mut Vec<Effect>) {
    let dropped: Vec<_> = model
        .asked
        .iter()
        .filter(|(_, purpose)| what(purpose))
        .map(|(id, _)| *id)
        .collect();
    for request in dropped {
        model.asked.remove(&request);
        effects.push(Effect::Abandon(request));
    }
}

/// Asks for what the screen shows and what is not here: per list one question at a time, so that a cursor held down
/// does not pile them up; the next is asked when the answer comes, for where the cursor is by then.
fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.vaults.load == Load::Idle {
        model.vaults.load = Load::Loading;
        ask(model, Purpose::Vaults, Question::Vaults, effects);
    }
    let shows = |model: &Model, pane: Pane| model.is_wide() || model.focus == pane;

    let vault = model.vaults.list.current().map(|row| row.name.clone());
    browse::follow_vault(model, vault);
    let running = |model: &Model, what: fn(&Purpose) -> bool| model.asked.values().any(what);
    if (shows(model, Pane::Generations) || model.focus == Pane::Files)
        && model.generations.load == Load::Idle
        && !running(model, |p| matches!(p, Purpose::Generations(_)))
        && let Some(vault) = model.generations.vault.clone()
    {
        model.generations.load = Load::Loading;
        ask(
            model,
            Purpose::Generations(vault.clone()),
            Question::Generations { vault },
            effects,
        );
    }

    browse::follow_generation(model);
    if shows(model, Pane::Files)
        && !running(model, |p| matches!(p, Purpose::Folder(_)))
        && !matches!(model.files.load, Load::Failed(_) | Load::Locked)
        && let Some((vault, generation)) = model.files.of.clone()
        && let Some((first, rows)) = model.files.list.missing()
    {
        if model.files.load == Load::Idle {
            model.files.load = Load::Loading;
        }
        let (folder, filter) = (model.files.folder.clone(), model.files.filter.clone());
        let wanted = FolderAsk {
            vault,
            generation,
            folder,
            filter,
            first,
            rows,
        };
        let question = wanted.question();
        ask(model, Purpose::Folder(wanted), question, effects);
    }

    if let Some((vault, generation)) = model.files.of.clone()
        && let Some(selected) = model.selections.get(&generation)
        && !selected.counted
        && !selected.selection.is_empty()
        && !running(model, |p| matches!(p, Purpose::Totals(_)))
    {
        let rules = browse::rules(&selected.selection);
        ask(
            model,
            Purpose::Totals(generation),
            Question::Totals {
                vault,
                generation,
                rules,
            },
            effects,
        );
    }
}

/// Whether keys of this context type text.
fn is_text(model: &Model) -> bool {
    match model.context() {
        Context::Filter | Context::Help | Context::Password => true,
        Context::RestoreForm => matches!(model.overlays.last(), Some(Overlay::RestoreForm(form)) if form.at == 0),
        _ => false,
    }
}

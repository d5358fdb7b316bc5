//! What the screen asks for: the vaults, and the generations of the one under the cursor once it rests there. Nobody waits
//! for what was asked of a vault that is no longer shown: one that does not answer keeps nothing from the others.

use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::dialogs::password;
use super::super::super::model::{Load, Model, Screen};
use super::super::super::msg::Effect;
use super::{Generations, Pane, follow, show_generations, show_vaults, staging};
use crate::engine::question::VaultRow;
use crate::engine::{Answer, Question};

/// Slots of the questions for the vaults and for one's generations.
const ALL_VAULTS: &str = "vaults";
const GENERATIONS_OF: &str = "generations";

/// Milliseconds that the cursor rests before another vault or generation is shown.
pub(super) const REST: u64 = 160;

/// Asks for the vaults, and for the generations of the one under the cursor.
pub(in super::super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.vaults.load == Load::Idle && !model.asks(ALL_VAULTS) {
        model.vaults.load = Load::Loading;
        ask(model, ALL_VAULTS, Question::Vaults, take_vaults, effects);
    }
    let vault = model.vaults.list.current().map(|row| row.name.clone());
    follow_vault(model, vault, effects);
    let shown = match model.screen {
        // What is staged can be reviewed from each pane.
        Screen::Vaults => model.is_wide() || model.pane != Pane::Vaults || !staging::staged(model).is_empty(),
        Screen::Files | Screen::Cost => true,
        _ => false,
    };
    if shown
        && rests(model)
        && model.generations.load == Load::Idle
        && !model.asks(GENERATIONS_OF)
        && let Some(vault) = model.generations.vault.clone()
    {
        model.generations.load = Load::Loading;
        ask(
            model,
            GENERATIONS_OF,
            Question::Generations { vault },
            take_generations,
            effects,
        );
    }
    follow::fetch(model, effects);
}

/// The generations follow the vault under the cursor. Nobody waits any more for what was asked of the vault before: one that
/// does not answer keeps nothing from the others.
fn follow_vault(model: &mut Model, vault: Option<String>, effects: &mut Vec<Effect>) {
    if model.vaults.load != Load::Ready || model.generations.vault == vault {
        return;
    }
    let due = match model.generations.vault {
        Some(_) => model.now.millis + REST,
        None => 0,
    };
    let mut list = std::mem::take(&mut model.generations.list);
    list.start_at(0);
    model.generations = Generations {
        vault,
        due,
        order: model.generations.order,
        list,
        ..Generations::default()
    };
    for slot in [GENERATIONS_OF, follow::RUNS, follow::COSTS] {
        abandon(model, slot, effects);
    }
    if !rests(model) {
        effects.push(Effect::Wake(due));
    }
}

/// Whether the cursor rests on the vault, or one has gone into it.
pub(super) fn rests(model: &Model) -> bool {
    model.screen != Screen::Vaults || model.pane != Pane::Vaults || model.now.millis >= model.generations.due
}

/// The vaults may not be as they were: reads them anew.
pub(crate) fn changed(model: &mut Model) {
    model.vaults.load = Load::Idle;
    model.outdate(&[ALL_VAULTS]);
}

/// The vault shown may have other generations: reads them anew.
pub(crate) fn generations_changed(model: &mut Model) {
    model.generations.load = Load::Idle;
    model.outdate(&[GENERATIONS_OF]);
}

fn take_vaults(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let here = told.here();
    let mut rows = match told.answer {
        Answer::Vaults(rows) => rows,
        other => {
            model.vaults.load = failed(other);
            return;
        }
    };
    // A folder the user named is a vault too, though no config knows it.
    if let Some(given) = &model.given_vault
        && rows.iter().all(|row| row.name != *given && row.location != *given)
    {
        let (name, location) = (given.clone(), given.clone());
        let row = VaultRow {
            name,
            location,
            ..VaultRow::default()
        };
        rows.insert(0, row);
    }
    model.vaults.all = rows;
    model.vaults.load = here;
    show_vaults(model);
    // One that was made just now is in the answer to come.
    if model.vaults.load == Load::Ready
        && let Some(wanted) = model.wanted_vault.take()
        && model
            .vaults
            .list
            .current()
            .is_some_and(|row| row.name == wanted || row.location == wanted)
    {
        model.screen = Screen::Vaults;
        model.pane = Pane::Generations;
    }
}

fn take_generations(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Generations { vault } = asked else { return };
    if model.generations.vault.as_ref() != Some(vault) {
        return;
    }
    let here = told.here();
    match told.answer {
        Answer::Generations(rows) => {
            model.generations.all = rows;
            model.generations.load = here;
            if told.complete {
                staging::forget_gone(model);
            }
            show_generations(model);
        }
        Answer::PasswordNeeded { problem, .. } => {
            model.generations.load = Load::Locked;
            model.generations.problem.clone_from(&problem);
            // Asked for by itself only where the user went to the vault, and only once.
            let went = matches!(model.screen, Screen::Files | Screen::Cost) || model.pane != Pane::Vaults;
            if went && model.dialogs.is_empty() && model.password_asked.as_ref() != Some(vault) {
                password::open(model, problem);
            }
        }
        other => model.generations.load = failed(other),
    }
}

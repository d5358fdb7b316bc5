//! The third pane follows the cursor of the second, once it rests.

use super::super::super::asking::{Told, ask, failed};
use super::super::super::model::{Load, Model, Screen};
use super::super::super::msg::Effect;
use super::ask::{REST, rests};
use super::order::Key;
use super::{Pane, show_generations};
use crate::engine::{Answer, Question};
use crate::vault::Id;

/// Whose details are shown: they follow the cursor once it rests, so that moving it costs little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    /// The generation.
    pub id: Option<Id>,
    /// The one the cursor went to since.
    wanted: Option<Id>,
    /// When to show that, in milliseconds.
    due: u64,
}

/// Slots of questions.
pub(super) const RUNS: &str = "vaults.runs";
pub(super) const COSTS: &str = "vaults.costs";

/// Asks for what the third pane shows, and lets it follow the cursor.
pub(super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.screen != Screen::Vaults {
        return;
    }
    if rests(model)
        && model.generations.runs_load == Load::Idle
        && !model.asks(RUNS)
        && let Some(vault) = model.generations.vault.clone()
    {
        model.generations.runs_load = Load::Loading;
        ask(model, RUNS, Question::Runs { vault }, take_runs, effects);
    }
    costs(model, effects);
    let now = model.now.millis;
    let current = model.generations.list.current().map(|row| row.id);
    let alone = model.pane == Pane::Details;
    let shown = &mut model.generations.shown;
    if shown.id == current {
        shown.wanted = None;
    } else if shown.id.is_none() || current.is_none() || alone || (shown.wanted == current && now >= shown.due) {
        *shown = Shown {
            id: current,
            ..Shown::default()
        };
    } else if shown.wanted != current {
        shown.wanted = current;
        shown.due = now + REST;
        effects.push(Effect::Wake(shown.due));
    }
}

/// Asks what each generation weighs and costs, once one is among them: that may take a while the first time, and is not
/// shown before.
fn costs(model: &mut Model, effects: &mut Vec<Effect>) {
    let generations = &model.generations;
    let wanted = model.pane != Pane::Vaults && generations.load == Load::Ready && !generations.all.is_empty();
    if wanted
        && generations.costs_load == Load::Idle
        && !model.asks(COSTS)
        && let Some(vault) = generations.vault.clone()
    {
        model.generations.costs_load = Load::Loading;
        let question = Question::GenerationCosts { vault };
        ask(model, COSTS, question, take_costs, effects);
    }
}

fn take_costs(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::GenerationCosts { vault } = asked else {
        return;
    };
    if model.generations.vault.as_ref() != Some(vault) {
        return;
    }
    let here = told.here();
    match told.answer {
        Answer::GenerationCosts(costs) => {
            let rows = costs.rows.into_iter();
            model.generations.costs = rows.map(|row| (row.id, (row.exclusive, row.monthly))).collect();
            model.generations.costs_load = here;
            if model.generations.order.key == Key::Alone {
                // It would hold others in another order.
                model.generations.anchor = None;
                show_generations(model);
            }
        }
        Answer::Measuring { .. } => {}
        other => model.generations.costs_load = failed(other),
    }
}

fn take_runs(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Runs { vault } = asked else { return };
    if model.generations.vault.as_ref() != Some(vault) {
        return;
    }
    let here = told.here();
    match told.answer {
        Answer::Runs(runs) => {
            model.generations.runs = runs;
            model.generations.runs_load = here;
        }
        other => model.generations.runs_load = failed(other),
    }
}

/// Lists may not be as they were: reads them anew.
pub(in super::super) fn stale(model: &mut Model) {
    model.generations.runs_load = Load::Idle;
    model.generations.costs_load = Load::Idle;
    model.outdate(&[RUNS, COSTS]);
}

//! The screen Overview: what is protected and what is not, the last runs, what to know.
//!
//! `rows` lays out what the engine tells as rows to move among, `view` draws them, `costs` those about money, `coverage`
//! those about what brings each thing back.

mod costs;
mod coverage;
mod rows;
mod view;

use super::super::actions::{Act, Action, At, Context};
use super::super::asking::{Told, ask, failed};
use super::super::dialog::Moves;
use super::super::dialogs::{backup, first, jobs, plans};
use super::super::model::{Load, Model, Screen};
use super::super::msg::Effect;
use super::super::theme::Role;
use super::cost;
use super::snapshots;
use super::vaults;
use crate::engine::overview::{self, About, Reach};
use crate::engine::question::{CoverageRow, VaultCost};
use crate::engine::{Answer, Question};
use crate::text;
use rows::{Beside, Item, Rows};
pub(super) use view::draw;

/// Where keys go.
pub const CONTEXT: Context = Context::screen("overview", "Overview");

/// Slots of questions.
const SLOT: &str = "overview";
const COSTS: &str = "overview.costs";
const COVERAGE: &str = "overview.coverage";

/// What one can do here.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("overview.open", "open", "To what this row is about", &["Enter", "l", "→"], At::Only(&[CONTEXT]), open).hint(1)
        .unless(|model| model.overview.rows.current().is_none().then(|| "There is nothing to open yet.".into())),
    Action::new("overview.backup", "back up", "Run a plan's backup now", &["b"], At::Only(&[CONTEXT]), backup::open).hint(6)
        .unless(super::super::actions::read_only),
];

/// What is protected and what is not, as far as it is known here.
#[derive(Debug, Default)]
pub struct Overview {
    /// What the engine told.
    pub told: overview::Overview,
    /// Whether it is here.
    pub load: Load,
    /// What each vault costs.
    pub costs: Vec<VaultCost>,
    /// Whether that is here.
    costs_load: Load,
    /// What brings each thing back, of those that are told one by one.
    coverage: Vec<CoverageRow>,
    /// How many are not.
    uncovered: u64,
    /// Whether that is here.
    coverage_load: Load,
    /// It as rows.
    rows: Rows,
}

/// Asks for what is shown.
pub(super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    let wanted = matches!(model.screen, Screen::Overview | Screen::Vaults);
    if wanted && model.overview.load == Load::Idle && !model.asks(SLOT) {
        model.overview.load = Load::Loading;
        ask(model, SLOT, Question::Overview, take, effects);
    }
    if wanted && model.overview.costs_load == Load::Idle && !model.asks(COSTS) {
        model.overview.costs_load = Load::Loading;
        ask(model, COSTS, Question::VaultCosts, take_costs, effects);
    }
    let shown = model.screen == Screen::Overview;
    if shown && model.overview.coverage_load == Load::Idle && !model.asks(COVERAGE) {
        model.overview.coverage_load = Load::Loading;
        ask(model, COVERAGE, Question::Coverage, take_coverage, effects);
    }
}

fn take_coverage(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let here = told.here();
    match told.answer {
        Answer::Coverage(rows) => {
            let (told, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(coverage::is_told);
            model.overview.coverage = told;
            model.overview.uncovered = others.len() as u64;
            model.overview.coverage_load = here;
        }
        other => model.overview.coverage_load = failed(other),
    }
}

fn take_costs(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let here = told.here();
    match told.answer {
        Answer::VaultCosts(rows) => {
            model.overview.costs = rows;
            model.overview.costs_load = here;
        }
        other => model.overview.costs_load = failed(other),
    }
}

fn take(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let here = told.here();
    match told.answer {
        // A first part that knows less than what is shown is not shown.
        Answer::Overview(part) if model.overview.told.looked && !part.looked => {}
        Answer::Overview(part) => {
            model.overview.told = *part;
            if told.complete || model.overview.load == Load::Loading {
                model.overview.load = here;
            }
        }
        other => model.overview.load = failed(other),
    }
}

/// It may not be as it was.
pub(super) fn stale(model: &mut Model) {
    model.overview.load = Load::Idle;
    model.overview.costs_load = Load::Idle;
    model.overview.coverage_load = Load::Idle;
    model.outdate(&[SLOT, COSTS, COVERAGE]);
}

/// Lays the rows out anew, for the width and the height of the screen.
pub(super) fn layout(model: &mut Model) {
    if model.screen != Screen::Overview {
        return;
    }
    let (width, height) = (model.size.0, model.body_rows() + 1);
    let overview = &mut model.overview;
    let beside = Beside {
        costs: overview.costs.len(),
        covered: overview.coverage.len(),
        uncovered: overview.uncovered,
    };
    overview
        .rows
        .lay_out(&overview.told, beside, width, usize::from(height));
}

/// The rows to move among.
pub(super) fn list(model: &mut Model) -> &mut dyn Moves {
    &mut model.overview.rows
}

fn open(act: &mut Act) {
    let Some(item) = act.model.overview.rows.current() else {
        return;
    };
    let told = &act.model.overview.told;
    let vault_of = |plan: usize, copy: usize| Some(told.plans.get(plan)?.copies.get(copy)?.vault.clone());
    match item {
        Item::Plan(plan, copy) => {
            if let Some(vault) = vault_of(plan, copy) {
                vaults::go_to(act.model, &vault);
            }
        }
        Item::Vault(n) => {
            if let Some(name) = told.vaults.get(n).map(|vault| vault.name.clone()) {
                vaults::go_to(act.model, &name);
            }
        }
        Item::Cost(n) => {
            if let Some(vault) = act.model.overview.costs.get(n).map(|cost| cost.vault.clone()) {
                cost::go_to(act.model, &vault);
            }
        }
        Item::Cover(n) => {
            let row = act.model.overview.coverage.get(n);
            let Some((kind, what, vault)) = row.map(|row| (row.kind, row.what.clone(), row.vaults.first().cloned()))
            else {
                return;
            };
            match vault {
                Some(vault) if kind == "path" => vaults::go_to(act.model, &vault),
                // Nothing can be done for a path but to plan its backup.
                None if kind == "path" => plans::open(act),
                _ => snapshots::go_to(act.model, &what),
            }
        }
        Item::Run(_) => jobs::open(act),
        Item::Warning(n) => match told.warnings.get(n).map(|warning| warning.about.clone()) {
            Some(About::Plan(plan)) => {
                let plan = told.plans.iter().find(|state| state.name == plan);
                let vault = plan.and_then(|plan| Some(plan.copies.first()?.vault.clone()));
                if let Some(vault) = vault {
                    vaults::go_to(act.model, &vault);
                }
            }
            Some(About::Vault(vault)) => vaults::go_to(act.model, &vault),
            Some(About::Path(_)) => plans::open(act),
            Some(About::Setup) if told.vaults.is_empty() => first::open(act),
            Some(About::Setup) => plans::open(act),
            Some(About::Prices) => {
                if let Some(vault) = told.vaults.first().map(|vault| vault.name.clone()) {
                    cost::go_to(act.model, &vault);
                }
            }
            None => {}
        },
        Item::Air | Item::Banner(_) | Item::Head(_) | Item::Uncovered(_) | Item::None(_) => {}
    }
}

/// The plan and the vault of the row under the cursor, while this screen is shown.
pub(in super::super) fn plan_under_cursor(model: &Model) -> Option<(String, String)> {
    let told = &model.overview.told;
    match model
        .overview
        .rows
        .current()
        .filter(|_| model.screen == Screen::Overview)?
    {
        Item::Plan(plan, copy) => {
            let plan = told.plans.get(plan)?;
            Some((plan.name.clone(), plan.copies.get(copy)?.vault.clone()))
        }
        _ => None,
    }
}

/// The vault of the row under the cursor, while this screen is shown.
pub(in super::super) fn vault_under_cursor(model: &Model) -> Option<String> {
    let told = &model.overview.told;
    match model.overview.rows.current()? {
        Item::Vault(n) => Some(told.vaults.get(n)?.name.clone()),
        Item::Cost(n) => Some(model.overview.costs.get(n)?.vault.clone()),
        Item::Plan(..) => plan_under_cursor(model).map(|(_, vault)| vault),
        _ => None,
    }
}

/// How a vault stands, in words.
pub(super) fn reach_words(model: &Model, vault: &str) -> (String, Role) {
    let state = model.overview.told.vaults.iter().find(|state| state.name == vault);
    let reach = state.map(|state| &state.reach).unwrap_or(&Reach::Unknown);
    let (glyph, word, role) = reach_word(model, reach);
    match reach {
        Reach::Problem(why) => (format!("{glyph} {word}: {}", text::escape(why.as_bytes())), role),
        Reach::Locked => (format!("{glyph} {word}: asks for its password"), role),
        _ => (format!("{glyph} {word}"), role),
    }
}

/// Why a vault cannot be used, empty if it can be or nobody knows.
pub(super) fn problem<'a>(model: &'a Model, vault: &str) -> &'a str {
    let state = model.overview.told.vaults.iter().find(|state| state.name == vault);
    match state.map(|state| &state.reach) {
        Some(Reach::Problem(why)) => why,
        _ => "",
    }
}

/// A glyph, a word, and how they look.
fn reach_word(model: &Model, reach: &Reach) -> (&'static str, &'static str, Role) {
    let symbols = model.look.symbols;
    match reach {
        Reach::Unknown => (symbols.more, "looking", Role::Dim),
        Reach::Open => (symbols.good, "open", Role::Good),
        Reach::There => (symbols.good, "reachable", Role::Good),
        Reach::Locked => (symbols.dot, "locked", Role::Text),
        Reach::Problem(_) => (symbols.bad, "unusable", Role::Danger),
    }
}

/// What else is known of a vault, as labels and words.
pub(super) fn vault_facts(model: &Model, vault: &str) -> Vec<(&'static str, String, Role)> {
    let Some(state) = model.overview.told.vaults.iter().find(|state| state.name == vault) else {
        return Vec::new();
    };
    let plans = match state.plans.as_slice() {
        [] => ("no plan writes to it".to_owned(), Role::Warning),
        plans => (text::escape(plans.join(", ").as_bytes()), Role::Text),
    };
    let copies = match state.copies {
        0 => ("none yet".to_owned(), Role::Dim),
        1 => ("one in all".to_owned(), Role::Text),
        copies => (format!("{copies} in all, each in another vault"), Role::Text),
    };
    vec![
        ("plans", plans.0, plans.1),
        ("copies", copies.0, copies.1),
        ("checked", checked_words(state.checked, model.now.unix), Role::Text),
        costs::fact(model, vault),
    ]
}

fn checked_words(checked: Option<(i64, bool)>, now: i64) -> String {
    match checked {
        None => "never from here".into(),
        Some((time, true)) => format!("sound {}", text::ago(time, now)),
        Some((time, false)) => format!("ERRORS {}", text::ago(time, now)),
    }
}

//! What the screen asks: the config and the prices once, what would be at every change of the rule, the versions lost.
//!
//! One what-if is on its way at a time. What is asked meanwhile waits; an answer to something no longer wanted is dropped,
//! and what was shown before stays, said to be old once the new one takes a while.

use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::model::{Load, Model, Screen};
use super::super::super::msg::Effect;
use super::super::super::window::Window;
use super::{Draft, Pane, fates, plan};
use crate::config::Config;
use crate::engine::question::{Fate, LostAsked, LostRow, WhatIf, WhatIfAsked};
use crate::engine::{Answer, Question};

/// Slots of questions.
const CONFIG: &str = "cost.config";
const PRICES: &str = "cost.prices";
const WHAT_IF: &str = "cost.what-if";
const LOST: &str = "cost.lost";
const LOST_WINDOW: &str = "cost.lost-window";

/// Milliseconds after which figures that wait for new ones are said to be old.
const PATIENCE: u64 = 150;

/// What is known of what would be.
#[derive(Debug, Default)]
pub struct Known {
    /// The last answer, and to what.
    pub answer: Option<(WhatIfAsked, WhatIf)>,
    /// What was answered last, be it with a failure; asked again when it is no more.
    answered: Option<WhatIfAsked>,
    /// How the last question went.
    pub load: Load,
    /// Folders read and to be read before the first answer.
    pub measuring: Option<(u64, u64)>,
    /// Whose.
    vault: Option<String>,
    /// Since when an answer is awaited, in milliseconds.
    since: Option<u64>,
    /// Its generations, as the list shows them.
    pub fates: Window<Fate>,
}

/// The file versions that would be lost.
#[derive(Debug, Default)]
pub struct Lost {
    /// If what.
    of: Option<WhatIfAsked>,
    /// They.
    pub list: Window<LostRow>,
    /// Whether they are here.
    pub load: Load,
    /// Whether more are being found.
    pub finding: bool,
}

/// What is asked of the rule that is shown; `None` while there is no vault or the rule says nothing.
pub(super) fn wanted(model: &Model) -> Option<WhatIfAsked> {
    let vault = model.generations.vault.as_ref()?;
    model.cost.drafts.get(vault)?.rule.asked(vault)
}

/// What was answered, if it is about the vault that is shown.
pub(super) fn shown(model: &Model) -> Option<(&WhatIfAsked, &WhatIf)> {
    let vault = model.generations.vault.as_ref()?;
    let (asked, what) = model.cost.known.answer.as_ref()?;
    (asked.vault == *vault).then_some((asked, what))
}

/// Whether what is shown is what the rule says, as of now.
pub(super) fn is_fresh(model: &Model) -> bool {
    let known = &model.cost.known;
    let wanted = wanted(model);
    wanted.is_some() && wanted == known.answered && known.load == Load::Ready
}

/// Whether what is shown waits for something newer, and has for a while.
pub(super) fn is_old(model: &Model) -> bool {
    let known = &model.cost.known;
    let waits = known.since.is_some_and(|since| model.now.millis >= since + PATIENCE);
    shown(model).is_some() && !is_fresh(model) && waits
}

/// The vault is not as it was, or prices are not: asks again.
pub(in super::super) fn stale(model: &mut Model) {
    model.cost.known.answered = None;
    model.outdate(&[WHAT_IF]);
    config_changed(model);
}

/// The config is not as it was.
pub(super) fn config_changed(model: &mut Model) {
    model.cost.config_load = Load::Idle;
    model.outdate(&[CONFIG]);
}

pub(in super::super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.screen != Screen::Cost {
        return;
    }
    if model.cost.config_load == Load::Idle && !model.asks(CONFIG) {
        model.cost.config_load = Load::Loading;
        ask(model, CONFIG, Question::Config, take_config, effects);
    }
    if model.cost.prices_load == Load::Idle && !model.asks(PRICES) {
        model.cost.prices_load = Load::Loading;
        ask(model, PRICES, Question::Prices, take_prices, effects);
    }
    if model.cost.snapshots.shown {
        super::snapshots::fetch(model, effects);
        return;
    }
    start(model);
    what_if(model, effects);
    lost(model, effects);
}

/// A vault seen for the first time starts with its plan's rule.
fn start(model: &mut Model) {
    let cost = &mut model.cost;
    if !matches!(cost.config_load, Load::Ready | Load::Failed(_)) {
        return;
    }
    let Some(vault) = model.generations.vault.clone() else {
        return;
    };
    let nothing = Config::default();
    let config = cost.config.as_ref().map_or(&nothing, |now| &now.config);
    let started = plan::start(config, &vault);
    let price = cost.tried_prices.remove(&vault);
    let draft = cost.drafts.entry(vault).or_insert_with(|| Draft::new(started.clone()));
    // The plan may have another rule by now: one that was not touched follows it.
    draft.follow(started);
    if let Some(price) = price {
        draft.try_price(price);
    }
}

fn what_if(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.cost.known.vault != model.generations.vault {
        let known = &mut model.cost.known;
        known.vault = model.generations.vault.clone();
        known.answered = None;
        known.load = Load::Loading;
        known.measuring = None;
        known.since = None;
        // Another vault may be measured for minutes, or not answer at all.
        abandon(model, WHAT_IF, effects);
        fates::show(model);
    }
    let opened = model.cost.known.load == Load::Locked && model.generations.load == Load::Ready;
    if opened {
        model.cost.known.answered = None;
    }
    let Some(wanted) = wanted(model) else {
        model.cost.known.since = None;
        return;
    };
    if model.cost.known.answered.as_ref() == Some(&wanted) {
        model.cost.known.since = None;
        return;
    }
    let now = model.now.millis;
    if model.cost.known.since.is_none() {
        model.cost.known.since = Some(now);
        effects.push(Effect::Wake(now + PATIENCE));
    }
    if !model.asks(WHAT_IF) {
        if model.cost.known.load != Load::Ready || shown(model).is_none() {
            model.cost.known.load = Load::Loading;
        }
        ask(model, WHAT_IF, Question::WhatIf(wanted), take_what_if, effects);
    }
}

fn take_what_if(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::WhatIf(asked) = asked else { return };
    let is_wanted = wanted(model).as_ref() == Some(asked);
    let known = &mut model.cost.known;
    if let Answer::Measuring { done, of } = told.answer {
        known.measuring = Some((done, of));
        return;
    }
    known.measuring = None;
    if !is_wanted {
        return;
    }
    known.answered = (!told.old).then(|| asked.clone());
    match told.answer {
        Answer::WhatIf(what) => {
            known.answer = Some((asked.clone(), *what));
            known.load = Load::Ready;
            // What would be lost may be something else by now, though the question is the same.
            model.cost.lost.of = None;
            fates::show(model);
        }
        Answer::PasswordNeeded { .. } => known.load = Load::Locked,
        other => known.load = failed(other),
    }
}

fn take_config(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let cost = &mut model.cost;
    let here = told.here();
    match told.answer {
        Answer::Config(now) => {
            cost.config = Some(now);
            cost.config_load = here;
        }
        other => cost.config_load = failed(other),
    }
}

fn take_prices(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let cost = &mut model.cost;
    match told.answer {
        Answer::Prices(rows) => {
            cost.prices = rows;
            cost.prices_load = Load::Ready;
        }
        other => cost.prices_load = failed(other),
    }
}

/// Asks for the versions lost while their list is shown.
fn lost(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.cost.lower(model.is_wide()) != Some(Pane::Lost) || !is_fresh(model) {
        return;
    }
    let Some((asked, what)) = shown(model) else { return };
    let (asked, any) = (asked.clone(), what.lost.0 > 0);
    if model.cost.lost.of.as_ref() != Some(&asked) {
        abandon(model, LOST, effects);
        abandon(model, LOST_WINDOW, effects);
        let lost = &mut model.cost.lost;
        lost.of = Some(asked.clone());
        lost.list.start_at(0);
        lost.load = Load::Idle;
        lost.finding = false;
        if !any {
            lost.list.hold(Vec::new());
            lost.load = Load::Ready;
        }
    }
    let question = |first, rows| {
        Question::Lost(LostAsked {
            what_if: asked,
            first,
            rows,
        })
    };
    let lost = &mut model.cost.lost;
    if lost.load == Load::Idle {
        lost.load = Load::Loading;
        lost.finding = true;
        let rows = u32::try_from(lost.list.page().saturating_mul(3)).unwrap_or(30);
        ask(model, LOST, question(0, rows.max(30)), take_lost, effects);
    } else if any
        && lost.load == Load::Ready
        && let Some((first, rows)) = lost.list.missing()
        && !model.asks(LOST_WINDOW)
    {
        ask(model, LOST_WINDOW, question(first, rows), take_lost, effects);
    }
}

fn take_lost(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Lost(asked) = asked else { return };
    let lost = &mut model.cost.lost;
    if lost.of.as_ref() != Some(&asked.what_if) {
        return;
    }
    let window = match told.answer {
        Answer::Lost(window) => window,
        Answer::Measuring { .. } => return,
        other => {
            lost.finding = false;
            lost.load = failed(other);
            return;
        }
    };
    lost.load = Load::Ready;
    lost.finding = !window.whole && !told.complete;
    let seen = lost.list.visible();
    let covers = window.first <= seen.start && seen.end <= window.first + window.rows.len() as u64;
    if covers || asked.first > 0 || lost.list.total().is_none() {
        lost.list.accept(window.first, window.rows, window.total);
    } else {
        // One has gone further down meanwhile.
        let (first, rows) = lost.list.held();
        let rows = rows.to_vec();
        lost.list.accept(first, rows, window.total);
    }
}

/// Why there is no other vault to go to.
pub(super) fn no_other_vault(model: &Model) -> Option<String> {
    match model.vaults.list.total() {
        Some(2..) => None,
        Some(1) if model.vaults.filter.is_empty() => Some("There is one vault only.".into()),
        Some(1) => Some("The filter of the vaults lets one through only.".into()),
        _ => Some("There is no vault.".into()),
    }
}

/// Goes to the vault `by` rows on, around.
pub(super) fn change_vault(model: &mut Model, by: i64) {
    let total = model.vaults.list.total().unwrap_or(0);
    if total == 0 {
        return;
    }
    let at = i64::try_from(model.vaults.list.cursor()).unwrap_or(0);
    let count = i64::try_from(total).unwrap_or(1);
    let to = (at + by).rem_euclid(count);
    model.vaults.list.go(to.unsigned_abs());
    model.password_asked = None;
}

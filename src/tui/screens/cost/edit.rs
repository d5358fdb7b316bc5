//! The keys that change the rule: stepping, typing, clearing, taking back.

use super::super::super::actions::Act;
use super::super::super::dialogs::{password, prices};
use super::super::super::field;
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::ask;
use super::rule::{Around, Field, Rule};
use super::steps::Step;
use super::{Typing, draft, draft_mut, typed};

/// What fields need to know besides the rule.
pub(super) fn around(model: &Model) -> Around<'_> {
    let now = ask::shown(model).map(|(_, what)| &what.now);
    // The config knows the vault's price before there is any figure.
    let named = || {
        let config = &model.cost.config.as_ref()?.config;
        let id = config.vault(model.generations.vault.as_ref()?)?.price.as_ref()?;
        let row = model.cost.prices.iter().find(|row| row.id == *id);
        Some(row.map_or(id.as_str(), |row| row.name.as_str()))
    };
    Around {
        stored: now.map(|now| now.stored),
        monthly: now.and_then(|now| now.monthly.as_ref()).map(|bill| bill.total),
        own_price: now.and_then(|now| now.price.as_deref()).or_else(named),
        prices: &model.cost.prices,
    }
}

/// Steps the field under the cursor.
pub(super) fn step(act: &mut Act, step: Step) {
    finish(act.model);
    let model = &mut *act.model;
    let field = super::fields(model).current();
    let Some(mut rule) = draft(model).map(|draft| draft.rule.clone()) else {
        return;
    };
    match field.step(&mut rule, step, &around(model)) {
        Ok(()) => change(model, rule),
        Err(why) => model.say(Role::Warning, why),
    }
}

fn change(model: &mut Model, rule: Rule) {
    if let Some(draft) = draft_mut(model) {
        draft.change(rule);
    }
}

/// Begins to type into the field under the cursor, or ends that.
pub(super) fn type_in(act: &mut Act) {
    if finish(act.model) {
        return;
    }
    let field = super::fields(act.model).current();
    match field {
        Field::Price => return prices::open(act),
        Field::Keep | Field::Group => return step(act, Step::More),
        _ => {}
    }
    let model = &mut *act.model;
    let Some(before) = draft(model).map(|draft| draft.rule.clone()) else {
        return;
    };
    match field.typed(&before) {
        Some(text) => {
            model.cost.typing = Some(Typing {
                of: field,
                field: field::Field::new(&text),
                before,
                problem: String::new(),
            });
        }
        None => model.say(Role::Warning, "This belongs to the period, which is not set."),
    }
}

/// What is typed was changed: it counts at once, if it means something.
pub(in super::super) fn edited(model: &mut Model, _: &mut Vec<Effect>) {
    let Some(typing) = &model.cost.typing else { return };
    let mut rule = typing.before.clone();
    let text = typing.field.text().to_owned();
    let outcome = typed::set(&mut rule, typing.of, &text, &around(model));
    let before = typing.before.clone();
    if let Some(draft) = draft_mut(model) {
        // What does not mean anything yet changes nothing.
        draft.rule = if outcome.is_ok() { rule } else { before };
    }
    if let Some(typing) = &mut model.cost.typing {
        typing.problem = outcome.err().unwrap_or_default();
    }
}

/// Ends typing and keeps what it came to; whether something was typed.
fn finish(model: &mut Model) -> bool {
    let Some(typing) = model.cost.typing.take() else {
        return false;
    };
    if let Some(draft) = draft_mut(model)
        && draft.rule != typing.before
    {
        draft.before.push(typing.before);
    }
    true
}

/// Ends typing and takes it back; whether something was typed.
pub(super) fn leave(model: &mut Model) -> bool {
    let Some(typing) = model.cost.typing.take() else {
        return false;
    };
    if let Some(draft) = draft_mut(model) {
        draft.rule = typing.before;
    }
    true
}

/// Typing ends where the cursor goes elsewhere; what was typed stays.
pub(super) fn settle(model: &mut Model) {
    let elsewhere = |typing: &Typing| {
        typing.of != super::fields(model).current()
            || !super::RULES.contains(&super::context(model))
            || model.screen != super::Screen::Cost
    };
    if model.cost.typing.as_ref().is_some_and(elsewhere) {
        finish(model);
    }
}

/// Sets the field under the cursor to nothing.
pub(super) fn clear(act: &mut Act) {
    let model = &mut *act.model;
    let field = super::fields(model).current();
    if let Some(mut rule) = draft(model).map(|draft| draft.rule.clone()) {
        field.clear(&mut rule);
        change(model, rule);
    }
}

/// Back to the rule of the plan or policy.
pub(super) fn reset(act: &mut Act) {
    if let Some(draft) = draft_mut(act.model) {
        let start = draft.start.clone();
        draft.change(start);
    }
}

/// Why there is nothing to go back from.
pub(super) fn unchanged(model: &Model) -> Option<String> {
    let changed = draft(model).is_some_and(|draft| draft.rule != draft.start);
    (!changed).then(|| "This is the rule as it is.".into())
}

/// Takes back the last change.
pub(super) fn undo(act: &mut Act) {
    if leave(act.model) {
        return;
    }
    if let Some(draft) = draft_mut(act.model)
        && let Some(before) = draft.before.pop()
    {
        draft.rule = before;
    }
}

/// Why there is nothing to take back.
pub(super) fn nothing_to_undo(model: &Model) -> Option<String> {
    let any = draft(model).is_some_and(|draft| !draft.before.is_empty());
    (!any).then(|| "Nothing was changed.".into())
}

/// Asks for the vault's password.
pub(super) fn open_vault(act: &mut Act) {
    password::open(act.model, String::new());
}

/// Why no password is asked for.
pub(super) fn is_open(model: &Model) -> Option<String> {
    (model.generations.load != Load::Locked).then(|| "This vault asks for no password.".into())
}

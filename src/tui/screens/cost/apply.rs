//! Doing it: what goes is reviewed, the vault's name typed; then the rule can be written into the vault's plan.

use ratatui::layout::Rect;

use super::super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::super::asking::{change, complain};
use super::super::super::dialog::{Dialog, Guard, Moves, Then, with_top};
use super::super::super::dialogs::confirm::{Confirm, typed_name};
use super::super::super::dialogs::going::Going;
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::rule::Rule;
use super::{ask, draft, plan, words};
use crate::config::PlanConfig;
use crate::engine::question::{Fate, WhatIf};
use crate::engine::setup::Change;
use crate::engine::{Answer, Task};
use crate::text;
use crate::vault::Id;
use crate::vault::generation::GroupBy;
use crate::vault::prune::PruneOptions;

/// Where keys go.
const CONTEXT: Context = Context::dialog("cost-review", "Review what goes").with_list();
const SAVE: &str = "cost.save";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("cost-review.delete", "delete them", "Delete them and give back the space, once the vault's name is typed", &["y"],
        At::Only(&[CONTEXT]), go_on).danger(Danger::Type).hint(1).unless(read_only),
];

/// What goes, before it does.
#[derive(Debug)]
pub struct Apply {
    vault: String,
    going: Going<Fate>,
    guard: Guard,
}

/// Why nothing can be applied now.
pub(super) fn why_not(model: &Model) -> Option<String> {
    if let Some(why) = read_only(model) {
        return Some(why);
    }
    let Some((_, what)) = ask::shown(model).filter(|_| ask::is_fresh(model)) else {
        return Some(match draft(model) {
            Some(draft) if !draft.rule.says_something() => {
                "The rule keeps nothing: set at least one of its fields.".into()
            }
            _ => "What would go is not worked out yet.".into(),
        });
    };
    let nothing = what.fates.iter().all(|fate| fate.stays);
    nothing.then(|| "Nothing goes by this rule.".into())
}

/// Opens the review.
pub(super) fn open(act: &mut Act) {
    let Some((asked, what)) = ask::shown(act.model) else {
        return;
    };
    let vault = asked.vault.clone();
    let mut going = Going::new(what.fates.iter().filter(|fate| !fate.stays).cloned().collect());
    going.say(sentences(act.model, what));
    let dialog = Apply {
        vault,
        going,
        guard: Guard::now(act),
    };
    act.model.push(dialog);
}

/// What it means, in sentences.
fn sentences(model: &Model, what: &WhatIf) -> Vec<(String, Role)> {
    let mut sentences = words::sentences(what);
    // How many go is in the title; that nothing stays is not.
    if sentences.first().is_some_and(|(_, role)| *role != Role::Danger) {
        sentences.remove(0);
    }
    let left = match (what.after.oldest, what.after.largest_gap) {
        (Some(oldest), Some(gap)) => format!(
            "The oldest point left is of {}, the largest gap {}.",
            text::stamp(oldest, &model.zone),
            words::gap(gap)
        ),
        (Some(oldest), None) => format!("The only point left is of {}.", text::stamp(oldest, &model.zone)),
        (None, _) => String::new(),
    };
    if !left.is_empty() {
        sentences.push((left, Role::Text));
    }
    let notes = what.notes.iter();
    sentences.extend(notes.map(|note| (text::escape(note.as_bytes()), Role::Warning)));
    sentences
}

fn go_on(act: &mut Act) {
    with_top::<Apply>(act, |dialog, act| {
        let (_, going) = dialog.going.list.held();
        let ids: Vec<Id> = going.iter().map(|fate| fate.id).collect();
        let words = text::counted(ids.len() as u64, "generation", "generations");
        let name = text::escape(dialog.vault.as_bytes());
        let sentence =
            format!("{words} of the vault {name} will be deleted and their space given back. This cannot be undone.");
        let title = format!("Delete {words} of {name}");
        let task = Task::Forget {
            vault: dialog.vault.clone(),
            ids,
            prune: Some(PruneOptions::default()),
        };
        let confirm = Confirm::ask(act, "Delete generations", sentence, move |act| {
            act.effects.push(Effect::Start {
                task: Box::new(task),
                title,
            });
            offer_to_save(act);
        });
        let confirm = dialog.going.sentences().fold(confirm, Confirm::and);
        act.model.push(confirm.by_name(typed_name(&dialog.vault, "vault")));
        Then::Close
    });
}

/// The plans whose rule is not what is tried out, each with it.
fn to_save(model: &Model) -> Vec<(PlanConfig, PlanConfig)> {
    let (Some(vault), Some(draft), Some(now)) = (&model.generations.vault, draft(model), &model.cost.config) else {
        return Vec::new();
    };
    if draft.rule.everything || draft.rule.policy.is_empty() {
        return Vec::new();
    }
    let plans = plan::of(&now.config, vault).map(|plan| (plan.clone(), plan::with(plan, &draft.rule.policy)));
    plans.filter(|(old, new)| old != new && new.retention.keeps()).collect()
}

/// Why the rule cannot be written into a plan.
pub(super) fn cannot_save(model: &Model) -> Option<String> {
    let none = || match draft(model) {
        Some(draft) if draft.rule.everything => "Only what the rule says can be saved: keep is set to everything.",
        _ => "There is no plan of this vault with another rule.",
    };
    read_only(model).or_else(|| to_save(model).is_empty().then(|| none().to_owned()))
}

/// Asks whether the rule is to be written into the vault's plans.
pub(super) fn save_rule(act: &mut Act) {
    offer_to_save(act);
}

/// What of a rule no plan can say.
fn unsaid(rule: &Rule) -> Option<&'static str> {
    match (rule.policy.fit.is_some(), rule.group != GroupBy::HOST_AND_PATHS) {
        (true, _) => Some("What all of it may take is not written: it holds for this once."),
        (_, true) => Some("Of each host and set of paths, as always: what else you chose there is not written."),
        _ => None,
    }
}

fn offer_to_save(act: &mut Act) {
    let file = act.model.cost.config.as_ref().map(|now| now.file.display().to_string());
    let file = text::escape(file.unwrap_or_default().as_bytes());
    let unsaid = draft(act.model).and_then(|draft| unsaid(&draft.rule));
    // The first plan's question lies on top.
    for (old, new) in to_save(act.model).into_iter().rev() {
        let name = text::escape(old.name.as_bytes());
        let sentence = format!(
            "The plan {name} keeps {} now. Is it to keep {} from now on? This is written to {file}.",
            text::escape(old.retention.to_string().as_bytes()),
            text::escape(new.retention.to_string().as_bytes())
        );
        let others: Vec<&String> = match &act.model.generations.vault {
            Some(vault) => old.vaults.iter().filter(|other| *other != vault).collect(),
            None => Vec::new(),
        };
        let others = others
            .iter()
            .map(|name| text::escape(name.as_bytes()))
            .collect::<Vec<_>>();
        let confirm = Confirm::ask(act, &format!("Save the rule in {name}?"), sentence, move |act| {
            let plan = Change::SavePlan {
                was: Some(old.name),
                plan: Box::new(new),
            };
            change(act.model, SAVE, plan, saved, act.effects);
        });
        let confirm = match unsaid {
            Some(unsaid) => confirm.and(unsaid.to_owned()),
            None => confirm,
        };
        let confirm = match others.is_empty() {
            true => confirm,
            false => confirm.and(format!(
                "It writes to {} as well: the rule holds there too.",
                others.join(", ")
            )),
        };
        act.model.push(confirm);
    }
}

fn saved(model: &mut Model, answer: Answer, _: &mut Vec<Effect>) {
    match answer {
        Answer::Changed(changed) => {
            ask::config_changed(model);
            model.say(Role::Good, text::escape(changed.text.as_bytes()));
        }
        other => complain(model, other),
    }
}

impl Dialog for Apply {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn guard(&self) -> Option<Guard> {
        Some(self.guard)
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.going.list)
    }

    fn layout(&mut self, model: &Model) {
        self.going.layout(model);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let total = self.going.list.total().unwrap_or(0);
        let title = format!(
            "Delete {} of {}?",
            text::counted(total, "generation", "generations"),
            text::escape(self.vault.as_bytes())
        );
        let row = |canvas: &mut Canvas, fate: &Fate, (x, y, end): (u16, u16, u16)| {
            let place = Rect::new(x, y, end.saturating_sub(x), 1);
            super::lists::going_line(model, canvas, place, y, fate);
        };
        self.going.draw(model, canvas, &title, CONTEXT, row);
    }
}

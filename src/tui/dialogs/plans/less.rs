//! Saving a plan that keeps less than before: asked first, with what would go from each of its vaults. The editor hands over
//! both plans and what a yes does; the figures arrive while the question is on the screen.

use super::super::super::actions::Act;
use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::screens::cost::words;
use super::super::confirm::Confirm;
use crate::config::PlanConfig;
use crate::engine::question::{StayRule, WhatIfAsked};
use crate::engine::{Answer, Question};
use crate::text;
use crate::vault::generation::GroupBy;

const SLOT: &str = "plan.less";
const TITLE: &str = "Keep less than before?";

/// Whether a plan keeps its generations for fewer days than it did.
pub(super) fn keeps_less(was: &PlanConfig, plan: &PlanConfig) -> bool {
    let days = |plan: &PlanConfig| plan.retention.period.map(|period| period.days);
    matches!((days(was), days(plan)), (Some(was), Some(now)) if now < was)
}

/// Asks whether the plan is to be saved all the same.
pub(super) fn ask_first(act: &mut Act, was: &PlanConfig, plan: &PlanConfig, yes: impl FnOnce(&mut Act) + 'static) {
    let name = text::escape(was.name.as_bytes());
    let rule = |plan: &PlanConfig| text::escape(plan.retention.to_string().as_bytes());
    let sentence = format!(
        "The plan {name} keeps {} now, and {} from now on.",
        rule(was),
        rule(plan)
    );
    let mut confirm = Confirm::ask(act, TITLE, sentence, move |act| {
        abandon(act.model, SLOT, act.effects);
        yes(act);
    });
    let more = act.model.look.symbols.more;
    for vault in &plan.vaults {
        confirm = confirm.and(format!("{}what would go is being counted{more}", of_vault(vault)));
    }
    act.model
        .push(confirm.and("Saving deletes nothing: what goes is shown and asked for first, on screen 6.".into()));
    abandon(act.model, SLOT, act.effects);
    for vault in &plan.vaults {
        let asked = WhatIfAsked {
            vault: vault.clone(),
            rule: StayRule::Policy(Box::new(plan.retention.clone()), GroupBy::HOST_AND_PATHS),
            go: Vec::new(),
            price: None,
            every_hours: None,
        };
        ask(act.model, SLOT, Question::WhatIf(asked), take, act.effects);
    }
}

/// How the sentence about a vault begins; it is found again by that.
fn of_vault(vault: &str) -> String {
    format!("In {}: ", text::escape(vault.as_bytes()))
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::WhatIf(asked) = asked else { return };
    let begins = of_vault(&asked.vault);
    let words = match told.answer {
        Answer::Measuring { .. } => return,
        Answer::WhatIf(what) => words::in_short(&what),
        other => match failed(other) {
            Load::Failed(why) => format!("what would go is not known ({}).", text::escape(why.as_bytes())),
            _ => "what would go is not known: it is locked.".to_owned(),
        },
    };
    let confirm = model.dialog_mut::<Confirm>().filter(|confirm| confirm.title == TITLE);
    let sentence = confirm.and_then(|confirm| confirm.sentences.iter_mut().find(|words| words.starts_with(&begins)));
    if let Some(sentence) = sentence {
        *sentence = format!("{begins}{words}");
    }
}

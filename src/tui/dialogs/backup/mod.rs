//! Backing up now: by a plan, or paths without one.

mod paths;
mod view;

use std::collections::HashMap;

use super::super::actions::{Act, Action, At, Context, read_only};
use super::super::asking::{Told, abandon, ask, failed};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::screens::overview;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::window::Window;
use crate::engine::question::PlanRow;
use crate::engine::{Answer, Question, Task};
use crate::text;

/// The choice of a plan.
pub(super) const PLANS: Context = Context::dialog("backup", "Back up").with_list();
const PATHS: Context = Context::form("backup-paths", "Back up paths");
const SLOT: &str = "backup.plans";
const AGES: &str = "backup.ages";

/// What one can do in the two dialogs.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("backup.run", "back up", "Run this plan now", &["Enter"], At::Only(&[PLANS]), |act| run(act, false)).hint(1)
        .unless(no_plan),
    Action::new("backup.try", "try it", "Count what this plan would store, and store nothing", &["t"], At::Only(&[PLANS]),
        |act| run(act, true)).hint(3).unless(no_plan),
    Action::new("backup.paths", "other paths", "Back up paths that no plan names", &["p"], At::Only(&[PLANS]), paths::open).hint(2)
        .unless(paths::why_not),
    Action::new("backup.start", "back up", "Back these paths up now", &["Enter"], At::Only(&[PATHS]), paths::start).hint(1),
];

/// The plans one can run.
#[derive(Debug, Default)]
pub struct Backup {
    list: Window<PlanRow>,
    load: Load,
    /// When the newest generation of a plan in a vault was made.
    newest: HashMap<(String, String), Option<i64>>,
}

/// Opens the choice.
pub fn open(act: &mut Act) {
    act.model.push(Backup::default());
    ask(act.model, SLOT, Question::Plans, take, act.effects);
    ask(act.model, AGES, Question::Overview, take_ages, act.effects);
}

fn no_plan(model: &Model) -> Option<String> {
    let none = model
        .dialog::<Backup>()
        .is_none_or(|dialog| dialog.list.current().is_none());
    match none {
        true => Some("There is no plan here to run.".into()),
        false => read_only(model),
    }
}

fn take(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let here = model.vaults.list.current().map(|row| row.name.clone());
    let under_cursor = overview::plan_under_cursor(model);
    let Some(dialog) = model.dialog_mut::<Backup>() else {
        return;
    };
    match told.answer {
        Answer::Plans(mut rows) => {
            // The one the overview's cursor is on first, or those of the vault one looks at.
            let is_meant = |row: &PlanRow| {
                let meant = under_cursor.as_ref();
                meant.is_some_and(|(plan, vault)| row.name == *plan && row.vault == *vault)
            };
            rows.sort_by_key(|row| (!is_meant(row), Some(&row.vault) != here.as_ref()));
            dialog.list = Window::whole(rows);
            dialog.load = Load::Ready;
        }
        other => dialog.load = failed(other),
    }
}

/// When each plan last stored something; nothing is said where that is not known.
fn take_ages(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let (Answer::Overview(overview), Some(dialog)) = (told.answer, model.dialog_mut::<Backup>()) else {
        return;
    };
    for plan in overview.plans {
        for copy in plan.copies {
            dialog.newest.insert((plan.name.clone(), copy.vault), copy.newest);
        }
    }
}

fn run(act: &mut Act, dry_run: bool) {
    with_top::<Backup>(act, |dialog, act| {
        let Some(row) = dialog.list.current().cloned() else {
            return Then::Keep;
        };
        let runs = |plan: &Option<String>, vault: &str| plan.as_deref() == Some(&*row.name) && *vault == *row.vault;
        if act
            .model
            .jobs
            .running()
            .any(|job| runs(&job.info.plan, &job.info.vault))
        {
            act.model
                .say(Role::Warning, "This plan is running already: J shows it.");
            return Then::Keep;
        }
        let (name, vault) = (text::escape(row.name.as_bytes()), text::escape(row.vault.as_bytes()));
        let title = match dry_run {
            true => format!("Try {name} to {vault}, storing nothing"),
            false => format!("Back up {name} to {vault}"),
        };
        let task = Task::Plan {
            plan: row.name,
            vault: Some(row.vault),
            dry_run,
        };
        act.effects.push(Effect::Start {
            task: Box::new(task),
            title,
        });
        Then::Close
    });
}

impl Dialog for Backup {
    fn context(&self) -> Context {
        PLANS
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        self.list.resize(u64::from(model.size.1.saturating_sub(9).clamp(1, 12)));
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
        abandon(model, AGES, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        view::draw(model, self, canvas);
    }
}

//! Restoring: what, where to, what about files that are there; then the plan, and `y`.

mod view;

use super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::asking::{Told, abandon, ask, failed};
use super::super::dialog::{Dialog, Guard, Moves, Then, with_top};
use super::super::field::Field;
use super::super::model::{Load, Model, Screen};
use super::super::msg::Effect;
use super::super::screens::files;
use super::super::view::canvas::Canvas;
use super::super::window::Window;
use crate::engine::question::{Overwrite, RestorePlanSummary, SelectionRules, TreePath};
use crate::engine::{Answer, Question, Task};
use crate::text;
use crate::vault::Id;

const FORM: Context = Context::dialog("restore", "Restore");
const PLAN: Context = Context::dialog("restore-plan", "Restore: the plan").with_list();
const SLOT: &str = "restore.plan";

/// What one can do in the form and in the plan.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("restore.plan", "plan it", "See what it would do; writes nothing", &["Enter"], At::Only(&[FORM]), plan).hint(1),
    Action::new("restore.next", "next field", "To the next field", &["Tab", "↓"], At::Only(&[FORM]), next_field).hint(2),
    Action::new("restore.previous", "previous", "To the field before", &["Shift-Tab", "↑"], At::Only(&[FORM]), next_field),
    Action::new("restore.right", "next choice", "To the next choice", &["→"], At::Only(&[FORM]), |act| choose(act, 1)).hint(3),
    Action::new("restore.left", "choice before", "To the choice before", &["←"], At::Only(&[FORM]), |act| choose(act, -1)),
    Action::new("restore.yes", "restore", "Restore as planned", &["y"], At::Only(&[PLAN]), yes).danger(Danger::Plan).hint(1),
    Action::new("restore.back", "back", "Back to the form", &["n"], At::Only(&[PLAN]), super::super::dialog::close).hint(2),
];

/// What to restore and where to.
#[derive(Debug)]
pub struct RestoreForm {
    /// From which vault.
    pub vault: String,
    /// From which generation.
    pub generation: Id,
    /// What.
    pub rules: SelectionRules,
    /// What it is, in words.
    pub what: String,
    /// The folder it goes to.
    pub target: Field,
    /// What happens to files that are there.
    pub overwrite: Overwrite,
    /// The field being edited: 0 target, 1 overwrite rule.
    pub at: usize,
    /// What is wrong with the input.
    pub problem: String,
}

/// The overwrite rules, in the order the dialog offers them.
pub const OVERWRITE: [(Overwrite, &str, &str); 4] = [
    (
        Overwrite::IfChanged,
        "if changed",
        "files whose content differs are overwritten",
    ),
    (
        Overwrite::IfNewer,
        "if newer",
        "files older than the generation's are overwritten",
    ),
    (Overwrite::Always, "always", "every file that is there is overwritten"),
    (Overwrite::Never, "never", "files that are there stay as they are"),
];

impl RestoreForm {
    /// Goes to the rule that stands `by` places further.
    pub fn choose(&mut self, by: isize) {
        let at = OVERWRITE
            .iter()
            .position(|(rule, ..)| *rule == self.overwrite)
            .unwrap_or(0);
        let next = at.saturating_add_signed(by).min(OVERWRITE.len() - 1);
        self.overwrite = OVERWRITE[next].0;
    }
}

/// What a restore would do.
#[derive(Debug)]
pub struct RestorePlan {
    /// What is restored, in words.
    pub what: String,
    /// Where to.
    pub target: String,
    /// The rule for files that are there.
    pub overwrite: Overwrite,
    /// What it comes to, once known.
    pub plan: Option<RestorePlanSummary>,
    /// Why there is none.
    pub problem: String,
    /// Paths that would be overwritten.
    pub list: Window<TreePath>,
    /// From when on it hears keys.
    guard: Guard,
}

/// Why nothing can be restored here now.
pub fn why_not(model: &Model) -> Option<String> {
    if model.generations.list.current().is_none() {
        return Some("There is no generation to restore.".into());
    }
    if model.screen == Screen::Files && model.files.list.total().unwrap_or(0) == 0 {
        return Some("There is nothing here to restore.".into());
    }
    read_only(model)
}

/// Opens the form for what is selected, or what the cursor is on.
pub fn open(act: &mut Act) {
    let model = &mut *act.model;
    let Some((rules, what)) = files::to_restore(model) else {
        return;
    };
    let (Some(vault), Some(row)) = (model.generations.vault.clone(), model.generations.list.current()) else {
        return;
    };
    let target = format!("{}/restored", model.home.trim_end_matches('/'));
    let form = RestoreForm {
        vault,
        generation: row.id,
        rules,
        what,
        target: Field::new(&target),
        overwrite: OVERWRITE[0].0,
        at: 0,
        problem: String::new(),
    };
    model.push(form);
}

fn next_field(act: &mut Act) {
    with_top::<RestoreForm>(act, |form, _| {
        form.at = 1 - form.at;
        Then::Keep
    });
}

fn choose(act: &mut Act, by: isize) {
    with_top::<RestoreForm>(act, |form, _| {
        if form.at == 1 {
            form.choose(by);
        }
        Then::Keep
    });
}

fn plan(act: &mut Act) {
    with_top::<RestoreForm>(act, |form, act| {
        let target = act.model.expand_home(form.target.text().trim());
        if !target.starts_with('/') {
            form.problem = "Give the folder's whole path, from / or ~ on.".to_owned();
            return Then::Keep;
        }
        form.problem.clear();
        let question = Question::PlanRestore {
            vault: form.vault.clone(),
            generation: form.generation,
            rules: form.rules.clone(),
            target: target.clone().into(),
            overwrite: form.overwrite,
        };
        let since = act.model.now.millis;
        let plan = RestorePlan {
            what: form.what.clone(),
            target,
            overwrite: form.overwrite,
            plan: None,
            problem: String::new(),
            list: Window::default(),
            guard: Guard { since, opener: None },
        };
        act.model.push(plan);
        ask(act.model, SLOT, question, take_plan, act.effects);
        Then::Keep
    });
}

fn take_plan(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let now = model.now.millis;
    let Some(plan) = model.dialog_mut::<RestorePlan>() else {
        return;
    };
    match told.answer {
        Answer::RestorePlan(summary) => {
            plan.list = Window::whole(summary.overwritten.clone());
            plan.plan = Some(summary);
            // The plan is on the screen only now: so starts the guard.
            plan.guard.since = now;
        }
        other => match failed(other) {
            Load::Failed(why) => plan.problem = text::escape(why.as_bytes()),
            _ => plan.problem = "The vault is locked.".to_owned(),
        },
    }
}

fn yes(act: &mut Act) {
    let mut started = false;
    with_top::<RestorePlan>(act, |plan, act| {
        let Some(summary) = &plan.plan else { return Then::Keep };
        let title = format!("Restore {} to {}", plan.what, text::escape(plan.target.as_bytes()));
        act.effects.push(Effect::Start {
            task: Box::new(Task::PlannedRestore { plan: summary.plan }),
            title,
        });
        started = true;
        Then::Close
    });
    if started {
        // The form below the plan has done its work.
        act.model.dismiss::<RestoreForm>();
    }
}

impl Dialog for RestoreForm {
    fn context(&self) -> Context {
        FORM
    }

    fn field(&mut self) -> Option<&mut Field> {
        (self.at == 0).then_some(&mut self.target)
    }

    fn edited(&mut self, _: &mut Model, _: &mut Vec<Effect>) {
        self.problem.clear();
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        view::form(model, self, canvas);
    }
}

impl Dialog for RestorePlan {
    fn context(&self) -> Context {
        PLAN
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn guard(&self) -> Option<Guard> {
        Some(self.guard)
    }

    fn layout(&mut self, _: &Model) {
        self.list.resize(view::PLAN_ROWS);
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn replaces_below(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        view::plan(model, self, canvas);
    }
}

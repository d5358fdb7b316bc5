//! One plan being set up or changed. `entries` makes its form and reads it, `count` counts what it would take, `less` asks
//! before it keeps less than it did.

use std::path::{Path, PathBuf};

use super::super::super::actions::{Act, Action, At, Context, read_only};
use super::super::super::asking::{Told, abandon, change, complain, failed};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::keys::{Code, Key};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::Form;
use super::super::browser::Browser;
use super::super::confirm::Confirm;
use super::super::form_dialog;
use super::count::Count;
use super::entries::{
    command_of, empty_plan, follow, form, paths_of, schedule_of, size_of, within_itself, words_of, wrong_name,
};
use super::less;
use crate::config::{Hooks, PlanConfig};
use crate::engine::setup::{Change, ConfigNow, CountExcludes};
use crate::engine::{Answer, Question};
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::form("plan", "Plan");
const COUNT: &str = "plan.count";
const SAVE: &str = "plan.save";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("plan.save", "save", "Write the plan into the config", &["Enter", "Ctrl-s"], At::Only(&[CONTEXT]), save).hint(1).unless(read_only),
];

/// A plan being changed.
#[derive(Debug)]
pub struct PlanEditor {
    /// What it was called; `None` of a new one.
    was: Option<String>,
    /// What the form does not show stays as it is.
    base: PlanConfig,
    /// Where the vaults lie.
    places: Vec<(String, PathBuf)>,
    form: Form,
    /// The plan as it was, to see whether anything changed.
    before: Form,
    count: Count,
    saving: bool,
    problem: String,
}

impl PlanEditor {
    /// An editor for a plan of the config, or for a new one.
    pub fn new(plan: Option<&PlanConfig>, now: &ConfigNow, millis: u64) -> PlanEditor {
        let base = plan.cloned().unwrap_or_else(|| empty_plan(now));
        let form = form(&base, now);
        PlanEditor {
            was: plan.map(|plan| plan.name.clone()),
            base,
            places: now
                .config
                .vaults
                .iter()
                .map(|vault| (vault.name.clone(), vault.path.clone()))
                .collect(),
            before: form.clone(),
            form,
            count: Count::at(millis),
            saving: false,
            problem: String::new(),
        }
    }

    /// The plan as the form has it; what is wrong is said in the form.
    fn plan(&mut self, model: &Model) -> Option<PlanConfig> {
        let form = &mut self.form;
        form.clear_problems();
        let name = form.text("name").trim().to_owned();
        if let Some(problem) = wrong_name(&name) {
            form.set_problem("name", problem);
        }
        let paths = paths_of(form, model);
        if let Err(problem) = &paths {
            form.set_problem("paths", problem.clone());
        }
        let vaults = form.words("vaults");
        if vaults.is_empty() {
            form.set_problem("vaults", "Choose at least one vault with Space.");
        }
        for (vault, place) in self.places.iter().filter(|(name, _)| vaults.contains(name)) {
            if let Some(problem) = within_itself(form, paths.as_deref().unwrap_or_default(), vault, place) {
                form.set_problem("excludes", problem);
            }
        }
        let larger = size_of(form.text("larger"));
        if larger.is_err() {
            form.set_problem("larger", "Give a size such as 2G or 500M, or leave it empty.");
        }
        let schedule = schedule_of(form.text("schedule"));
        if let Err(problem) = &schedule {
            form.set_problem("schedule", problem.clone());
        }
        if form.focus_problem() {
            return None;
        }
        let mut retention = self.base.retention.clone();
        if let Some(period) = &mut retention.period {
            period.days = u32::try_from(form.number("days")).unwrap_or(u32::MAX);
        }
        Some(PlanConfig {
            name,
            paths: paths.ok()?,
            vaults,
            excludes: form.rows("excludes"),
            exclude_caches: form.on("caches"),
            one_file_system: form.on("one-fs"),
            exclude_larger_than: larger.ok()?,
            schedule: schedule.ok()?,
            hooks: Hooks {
                before: command_of(form.text("before")),
                after: command_of(form.text("after")),
                minutes: u32::try_from(form.number("minutes")).unwrap_or(u32::MAX),
            },
            retention,
            tags: words_of(form.text("tags")),
            ..self.base.clone()
        })
    }

    /// Writes it into the config.
    fn write(&mut self, act: &mut Act, plan: PlanConfig) -> Then {
        self.saving = true;
        let saved = Change::SavePlan {
            was: self.was.clone(),
            plan: Box::new(plan),
        };
        change(act.model, SAVE, saved, saved_as, act.effects);
        Then::Keep
    }

    fn to_count(&self, model: &Model) -> Option<CountExcludes> {
        Some(CountExcludes {
            paths: paths_of(&self.form, model).ok()?,
            excludes: self.form.rows("excludes"),
            exclude_files: self.base.exclude_files.clone(),
            caches: self.form.on("caches"),
            one_file_system: self.form.on("one-fs"),
            larger_than: size_of(self.form.text("larger")).ok()?,
        })
    }
}

fn save(act: &mut Act) {
    with_top::<PlanEditor>(act, |editor, act| {
        if editor.saving {
            return Then::Keep;
        }
        editor.problem.clear();
        match editor.plan(act.model) {
            Some(plan) if editor.was.is_some() && less::keeps_less(&editor.base, &plan) => {
                let base = editor.base.clone();
                less::ask_first(act, &base, &plan.clone(), move |act| {
                    with_top::<PlanEditor>(act, |editor, act| editor.write(act, plan));
                });
            }
            Some(plan) => return editor.write(act, plan),
            None => {}
        }
        Then::Keep
    });
}

fn saved_as(model: &mut Model, answer: Answer, effects: &mut Vec<Effect>) {
    match answer {
        Answer::Changed(changed) => {
            abandon(model, COUNT, effects);
            model.dismiss::<PlanEditor>();
            model.say(Role::Good, text::escape(changed.text.as_bytes()));
        }
        other => match model.dialog_mut::<PlanEditor>() {
            Some(editor) => {
                editor.saving = false;
                if let Load::Failed(why) = failed(other) {
                    editor.problem = text::escape(why.as_bytes());
                }
            }
            // It was closed meanwhile; the change went on.
            None => complain(model, other),
        },
    }
    super::reload(model);
}

fn counted(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    if let Some(editor) = model.dialog_mut::<PlanEditor>() {
        editor.count.take(told, &mut editor.form);
    }
}

fn browsed(model: &mut Model, paths: Vec<String>, effects: &mut Vec<Effect>) {
    let due = model.now.millis;
    if let Some(editor) = model.dialog_mut::<PlanEditor>() {
        editor.form.set_rows("paths", paths);
        editor.form.set_problem("paths", "");
        editor.count.now(due);
        effects.push(Effect::Wake(due));
    }
}

impl Dialog for PlanEditor {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn form(&mut self) -> Option<&mut Form> {
        (!self.saving).then_some(&mut self.form)
    }

    fn pressed(&mut self, _: &'static str, act: &mut Act) -> Then {
        let rows: Vec<String> = self
            .form
            .rows("paths")
            .iter()
            .map(|row| act.model.expand_home(row))
            .collect();
        let start = match rows.first() {
            Some(row) => Path::new(row)
                .parent()
                .map_or("/".into(), |p| p.to_string_lossy().into_owned()),
            None => act.model.home.clone(),
        };
        act.model.push(Browser::many(&start, &rows, browsed));
        Then::Keep
    }

    fn unsaved(&mut self) -> bool {
        !self.saving && !self.form.same_values(&self.before)
    }

    fn edited(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        self.problem.clear();
        let name = self.form.text("name").to_owned();
        follow(&mut self.form, &name);
        self.count.later(model, effects);
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        let wanted = self.to_count(model);
        self.count.fetch(model, wanted, COUNT, counted, effects);
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, COUNT, effects);
        if self.form.same_values(&self.before) || self.saving {
            return;
        }
        // Put back, under the question whether to leave it.
        let kept = PlanEditor {
            was: self.was.clone(),
            base: self.base.clone(),
            places: std::mem::take(&mut self.places),
            form: std::mem::take(&mut self.form),
            before: std::mem::take(&mut self.before),
            count: Count::at(model.now.millis),
            saving: false,
            problem: String::new(),
        };
        model.push(kept);
        let key = Key::plain(Code::Esc);
        let act = Act { model, key, effects };
        let sentence = "The plan was changed and is not saved.".to_owned();
        let confirm = Confirm::ask(&act, "Leave without saving?", sentence, |act| {
            abandon(act.model, COUNT, act.effects);
            act.model.dismiss::<PlanEditor>();
        });
        act.model.push(confirm);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let title = match &self.was {
            Some(name) => format!("Plan {}", text::escape(name.as_bytes())),
            None => "New plan".to_owned(),
        };
        let more = model.look.symbols.more;
        let (words, role) = match () {
            () if !self.problem.is_empty() => (self.problem.clone(), Role::Danger),
            () if self.saving => (format!("saving{more}"), Role::Dim),
            () => self.count.words(more),
        };
        form_dialog(model, canvas, &title, &[], &self.form, (&words, role), CONTEXT);
    }
}

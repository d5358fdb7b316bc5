//! The assistant of the first run: where, password, what, how long; then the first backup.
//!
//! All fields are one form of which each step shows its own. The vault is made at the end of the second step, the plan at
//! the end of the fourth: who leaves in between goes on from there.

use std::path::PathBuf;

use super::super::actions::{Act, Action, At, Context, read_only};
use super::super::asking::{Told, abandon, ask, change, complain, failed};
use super::super::dialog::{Dialog, Then, with_top};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::widgets::form::{Entry, Form};
use super::browser::Browser;
use super::plans::count::Count;
use super::plans::entries::{
    days_entry, excludes, follow, paths_of, schedule_entry, schedule_of, within_itself, wrong_name,
};
use super::vault::{self, Follow};
use super::{form_dialog, plans};
use crate::config::{DEFAULT_RETENTION_DAYS, PlanConfig};
use crate::engine::setup::{Change, ConfigNow, CountExcludes, backs_up_vault};
use crate::engine::{Answer, Question};
use crate::retention::Policy;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::form("assistant", "Assistant");
const DONE: Context = Context::dialog("assistant-done", "Assistant: set up");
const SLOT: &str = "assistant.save";
const COUNT: &str = "assistant.count";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("assistant.show", "assistant", "Set up in four steps: where, password, what, how long", &["A"], At::Screens, open).unless(read_only),
    Action::new("assistant.next", "go on", "To the next step", &["Enter", "Ctrl-s"], At::Only(&[CONTEXT]), next).hint(1).unless(read_only),
    Action::new("assistant.back", "step back", "To the step before", &["Ctrl-b"], At::Only(&[CONTEXT]), back).hint(2)
        .unless(|model| model.dialog::<Assistant>().and_then(Assistant::no_way_back)),
    Action::new("assistant.run", "back up now", "Make the first backup", &["Enter", "b"], At::Only(&[DONE]), run).hint(1),
];

/// The steps: their names, and which entries they show.
const STEPS: [(&str, &[&str], &str); 4] = [
    (
        "Where",
        &["how", "vault-name", "folder", "browse-folder"],
        "A vault is the folder your backups live in: encrypted, each content stored once, readable by restic too.",
    ),
    (
        "Password",
        &["kept", "file", "command", "password", "again"],
        "Everything in the vault is encrypted with a password. Coffer cannot get your data back without it.",
    ),
    (
        "What",
        &["plan-name", "paths", "browse", "excludes", "caches"],
        "A plan says what is backed up. What it would take is counted below while you type.",
    ),
    (
        "How long",
        &["days", "schedule", "cost"],
        "Every backup is a generation that restores whole; each stores only what is new.",
    ),
];

/// The assistant.
#[derive(Debug)]
pub struct Assistant {
    step: usize,
    form: Form,
    follow: Follow,
    count: Count,
    /// The vault that is made, and where.
    vault: Option<(String, PathBuf)>,
    trying: bool,
    problem: String,
}

/// All is set up: the first backup is offered.
#[derive(Debug)]
struct Done {
    plan: String,
    vault: String,
}

/// Opens it where it was left.
pub fn open(act: &mut Act) {
    ask(act.model, "assistant.config", Question::Config, opened, act.effects);
}

/// Opens it by itself where nothing is set up: once, when the program starts.
pub fn offer(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.welcomed || model.vaults.load != Load::Ready {
        return;
    }
    model.welcomed = true;
    if model.vaults.all.is_empty() && !model.read_only && model.dialogs.is_empty() {
        ask(model, "assistant.config", Question::Config, opened, effects);
    }
}

fn opened(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    match told.answer {
        Answer::Config(now) if now.config.plans.is_empty() => {
            let assistant = Assistant::new(&now, model);
            model.push(assistant);
        }
        Answer::Config(_) => model.say(
            Role::Text,
            "A vault and a plan are set up already: P shows the plans, n among the vaults makes another vault.",
        ),
        other => complain(model, other),
    }
}

impl Assistant {
    fn new(now: &ConfigNow, model: &Model) -> Assistant {
        let (mut entries, follow) = vault::entries(now, &model.home);
        let home = if model.home.is_empty() {
            Vec::new()
        } else {
            vec![model.home.clone()]
        };
        let cost = "Unknown until a price can be set for the vault: Coffer does not guess.";
        entries.extend([
            Entry::text("plan-name", "Plan", "home")
                .help("How the plan is called, in a shell too: coffer plan run home."),
            Entry::list("paths", "Paths", home, "a path such as /etc, then Enter")
                .help("Folders and files that are backed up, with all below them."),
            Entry::button("browse", "", "pick in a browser")
                .help("Go through the folders of this machine and pick what is backed up."),
            excludes(vec!["*.tmp".into(), ".cache".into()]),
            Entry::toggle("caches", "Skip caches", true)
                .help("Leave out folders that programs marked as caches (CACHEDIR.TAG)."),
            days_entry(DEFAULT_RETENTION_DAYS),
            schedule_entry(None),
            Entry::note("cost", "Cost a month", cost),
        ]);
        let vault = now
            .config
            .vaults
            .first()
            .map(|vault| (vault.name.clone(), vault.path.clone()));
        let mut assistant = Assistant {
            step: if vault.is_some() { 2 } else { 0 },
            form: Form::new(entries),
            follow,
            count: Count::default(),
            vault,
            trying: false,
            problem: String::new(),
        };
        assistant.leave_out_vault();
        assistant.show(model.now.millis);
        assistant
    }

    /// A vault that lies in what is backed up is left out: it would hold itself.
    fn leave_out_vault(&mut self) {
        let Some((_, place)) = &self.vault else { return };
        let paths: Vec<PathBuf> = self.form.rows("paths").iter().map(PathBuf::from).collect();
        let mut rows = self.form.rows("excludes");
        if backs_up_vault(&paths, &rows, place)
            && let Some(place) = place.to_str()
        {
            rows.push(place.to_owned());
            self.form.set_rows("excludes", rows);
        }
    }

    /// Shows the entries of the step.
    fn show(&mut self, millis: u64) {
        let ids: Vec<&'static str> = self.form.entries().iter().map(|entry| entry.id).collect();
        for id in &ids {
            self.form.show(id, STEPS[self.step].1.contains(id));
        }
        if self.step == 1 {
            self.follow.update(&mut self.form);
        }
        follow(&mut self.form, "home");
        if let Some(first) = STEPS[self.step].1.first() {
            self.form.focus(first);
        }
        if self.step >= 2 {
            self.count.now(millis);
        }
        self.problem.clear();
    }

    fn no_way_back(&self) -> Option<String> {
        match self.step {
            0 => Some("This is the first step.".into()),
            2 => Some("The vault is made already: it stays as it is.".into()),
            _ => None,
        }
    }

    fn to_count(&self, model: &Model) -> Option<CountExcludes> {
        Some(CountExcludes {
            paths: paths_of(&self.form, model).ok()?,
            excludes: self.form.rows("excludes"),
            caches: self.form.on("caches"),
            ..CountExcludes::default()
        })
    }

    fn plan(&self, model: &Model) -> Option<PlanConfig> {
        let form = &self.form;
        Some(PlanConfig {
            name: form.text("plan-name").trim().to_owned(),
            paths: paths_of(form, model).ok()?,
            vaults: self.vault.iter().map(|(vault, _)| vault.clone()).collect(),
            excludes: form.rows("excludes"),
            exclude_caches: form.on("caches"),
            schedule: schedule_of(form.text("schedule")).ok()?,
            retention: Policy::of_days(u32::try_from(form.number("days")).unwrap_or(u32::MAX)),
            ..PlanConfig::default()
        })
    }

    /// Looks at the fields of the step; what is wrong is said in the form.
    fn check(&mut self, model: &Model) -> bool {
        let form = &mut self.form;
        form.clear_problems();
        match self.step {
            0 => vault::check_place(form, model),
            1 => vault::check_password(form, model),
            2 => {
                if let Some(problem) = wrong_name(form.text("plan-name").trim()) {
                    form.set_problem("plan-name", problem);
                }
                match (paths_of(form, model), &self.vault) {
                    (Err(problem), _) => form.set_problem("paths", problem),
                    (Ok(paths), Some((vault, place))) => {
                        if let Some(problem) = within_itself(form, &paths, vault, place) {
                            form.set_problem("excludes", problem);
                        }
                    }
                    _ => {}
                }
            }
            _ => {
                if let Err(problem) = schedule_of(form.text("schedule")) {
                    form.set_problem("schedule", problem);
                }
            }
        }
        !form.focus_problem()
    }
}

fn next(act: &mut Act) {
    with_top::<Assistant>(act, |assistant, act| {
        if assistant.trying || !assistant.check(act.model) {
            return Then::Keep;
        }
        assistant.problem.clear();
        match assistant.step {
            0 | 2 => {
                assistant.step += 1;
                assistant.show(act.model.now.millis);
            }
            1 => {
                assistant.trying = true;
                let new = vault::new_vault(&assistant.form, act.model);
                change(
                    act.model,
                    SLOT,
                    Change::SaveVault(Box::new(new)),
                    vault_made,
                    act.effects,
                );
            }
            _ => {
                if let Some(plan) = assistant.plan(act.model) {
                    assistant.trying = true;
                    let plan = Box::new(plan);
                    change(
                        act.model,
                        SLOT,
                        Change::SavePlan { was: None, plan },
                        plan_made,
                        act.effects,
                    );
                }
            }
        }
        Then::Keep
    });
}

fn back(act: &mut Act) {
    with_top::<Assistant>(act, |assistant, act| {
        if !assistant.trying && assistant.no_way_back().is_none() {
            assistant.step -= 1;
            assistant.show(act.model.now.millis);
        }
        Then::Keep
    });
}

fn vault_made(model: &mut Model, answer: Answer, effects: &mut Vec<Effect>) {
    let millis = model.now.millis;
    let typed = model
        .dialog_mut::<Assistant>()
        .map(|assistant| assistant.form.text("folder").trim().to_owned());
    let place = model.expand_home(&typed.unwrap_or_default());
    let Some(assistant) = model.dialog_mut::<Assistant>() else {
        return left(model, answer);
    };
    assistant.trying = false;
    match answer {
        Answer::Changed(changed) => {
            let vault = assistant.form.text("vault-name").trim().to_owned();
            assistant.vault = Some((vault.clone(), place.into()));
            assistant.leave_out_vault();
            assistant.step = 2;
            assistant.show(millis);
            effects.push(Effect::Wake(millis));
            model.say(Role::Good, text::escape(changed.text.as_bytes()));
            vault::go_to(model, Some(vault));
        }
        other => assistant.fail(other),
    }
}

/// The assistant was left while a vault or a plan was made: that went on.
fn left(model: &mut Model, answer: Answer) {
    match answer {
        Answer::Changed(changed) => {
            model.say(Role::Good, text::escape(changed.text.as_bytes()));
            vault::go_to(model, None);
        }
        other => complain(model, other),
    }
}

fn plan_made(model: &mut Model, answer: Answer, effects: &mut Vec<Effect>) {
    let Some(assistant) = model.dialog_mut::<Assistant>() else {
        return left(model, answer);
    };
    assistant.trying = false;
    match answer {
        Answer::Changed(changed) => {
            let done = Done {
                plan: assistant.form.text("plan-name").trim().to_owned(),
                vault: assistant.vault.clone().map(|(vault, _)| vault).unwrap_or_default(),
            };
            abandon(model, COUNT, effects);
            model.dismiss::<Assistant>();
            model.push(done);
            model.say(Role::Good, text::escape(changed.text.as_bytes()));
        }
        other => assistant.fail(other),
    }
}

impl Assistant {
    fn fail(&mut self, answer: Answer) {
        if let Load::Failed(why) = failed(answer) {
            self.problem = text::escape(why.as_bytes());
        }
    }
}

fn run(act: &mut Act) {
    with_top::<Done>(act, |done, act| {
        plans::start(act.effects, &done.plan, &done.vault);
        Then::Close
    });
}

fn counted(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    if let Some(assistant) = model.dialog_mut::<Assistant>() {
        assistant.count.take(told, &mut assistant.form);
    }
}

fn browsed(model: &mut Model, paths: Vec<String>, effects: &mut Vec<Effect>) {
    let now = model.now.millis;
    let Some(assistant) = model.dialog_mut::<Assistant>() else {
        return;
    };
    match assistant.step {
        0 => {
            if let Some(path) = paths.first() {
                assistant.form.set_text("folder", path);
            }
        }
        _ => {
            assistant.form.set_rows("paths", paths);
            assistant.form.set_problem("paths", "");
            assistant.count.now(now);
            effects.push(Effect::Wake(now));
        }
    }
}

impl Dialog for Assistant {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn form(&mut self) -> Option<&mut Form> {
        (!self.trying).then_some(&mut self.form)
    }

    fn pressed(&mut self, button: &'static str, act: &mut Act) -> Then {
        let browser = match button {
            "browse-folder" => Browser::one(&vault::browse_from(&self.form, act.model), browsed),
            _ => Browser::many(&act.model.home, &self.form.rows("paths"), browsed),
        };
        act.model.push(browser);
        Then::Keep
    }

    fn edited(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        self.problem.clear();
        match self.step {
            0 => {}
            1 => self.follow.update(&mut self.form),
            _ => {
                let name = self.form.text("plan-name").to_owned();
                follow(&mut self.form, &name);
                self.count.later(model, effects);
            }
        }
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        let wanted = self.to_count(model);
        self.count.fetch(model, wanted, COUNT, counted, effects);
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, COUNT, effects);
        let words = match self.vault {
            Some(_) => "The vault is made; A goes on with what it is to hold.",
            None => "A opens the assistant again.",
        };
        model.say(Role::Text, words);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let symbols = model.look.symbols;
        let steps: Vec<String> = STEPS
            .iter()
            .enumerate()
            .map(|(n, (name, ..))| match n {
                n if n < self.step => format!("{} {name}", symbols.good),
                n if n == self.step => format!("{} {name}", symbols.marked),
                _ => format!("{} {name}", symbols.dot),
            })
            .collect();
        let above = [steps.join("   "), String::new(), STEPS[self.step].2.to_owned()];
        let (words, role) = match () {
            () if !self.problem.is_empty() => (self.problem.clone(), Role::Danger),
            () if self.trying && self.step == 1 => (
                format!("setting up the vault: deriving its key takes a second{}", symbols.more),
                Role::Dim,
            ),
            () if self.trying => (format!("saving{}", symbols.more), Role::Dim),
            () if self.step >= 2 => self.count.words(symbols.more),
            () => (String::new(), Role::Dim),
        };
        let title = format!("Welcome to Coffer: step {} of 4", self.step + 1);
        form_dialog(model, canvas, &title, &above, &self.form, (&words, role), CONTEXT);
    }
}

impl Dialog for Done {
    fn context(&self) -> Context {
        DONE
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let inside = super::frame(canvas, 9, "All is set up", Role::Focus);
        let more = model.look.symbols.more;
        let plan = text::cut_middle(&text::escape(self.plan.as_bytes()), 24, more);
        let vault = text::cut_middle(&text::escape(self.vault.as_bytes()), 24, more);
        let done = format!("{} Plan {plan} goes to vault {vault}.", model.look.symbols.good);
        super::line(canvas, inside, 1, &done, Role::Good);
        super::line(
            canvas,
            inside,
            3,
            "The first backup reads everything; later ones only what changed.",
            Role::Text,
        );
        let shell = format!("coffer plan run {plan}");
        super::line(canvas, inside, 5, &shell, Role::Dim);
        super::keys_line(model, canvas, inside, DONE);
    }
}

//! One plan being set up or changed. What it would take, and what each exclude drops, is counted on the live filesystem
//! while one types.

use std::path::{Path, PathBuf};

use super::super::super::actions::{Act, Action, At, Context, read_only};
use super::super::super::asking::{Told, abandon, ask, change, complain, failed};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::keys::{Code, Key};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::{Entry, Form, Number};
use super::super::browser::Browser;
use super::super::confirm::Confirm;
use super::super::form_dialog;
use super::less;
use crate::config::{DEFAULT_RETENTION_DAYS, Hooks, PlanConfig, parse_size};
use crate::engine::setup::{Change, ConfigNow, CountExcludes, Tally, Weight, backs_up_vault};
use crate::engine::{Answer, Question};
use crate::retention::Policy;
use crate::schedule::Schedule;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::form("plan", "Plan");
const COUNT: &str = "plan.count";
const SAVE: &str = "plan.save";
/// Milliseconds after the last change before it is counted anew.
const PAUSE: u64 = 500;

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

/// What a plan would take, counted while one types.
#[derive(Debug, Default)]
pub(in super::super) struct Count {
    /// What was last asked.
    asked: Option<CountExcludes>,
    tally: Option<Tally>,
    complete: bool,
    problem: String,
    /// When to ask anew, in milliseconds.
    due: Option<u64>,
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
            count: Count {
                due: Some(millis),
                ..Count::default()
            },
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

fn empty_plan(now: &ConfigNow) -> PlanConfig {
    PlanConfig {
        vaults: now
            .config
            .vaults
            .first()
            .map(|vault| vault.name.clone())
            .into_iter()
            .collect(),
        exclude_caches: true,
        ..PlanConfig::default()
    }
}

fn form(plan: &PlanConfig, now: &ConfigNow) -> Form {
    let paths = plan
        .paths
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let vaults = now.config.vaults.iter().map(|vault| vault.name.clone()).collect();
    let larger = plan.exclude_larger_than.map(size_words).unwrap_or_default();
    let minutes = Number {
        value: plan.hooks.minutes.into(),
        min: 1,
        max: 1440,
        step: 10,
        unit: ("minute", "minutes"),
    };
    let rule = Policy {
        period: None,
        ..plan.retention.clone()
    };
    let mut form = Form::new(vec![
        Entry::text("name", "Name", &plan.name)
            .help("How the plan is called: in lists, in messages, and in a shell: coffer plan run NAME."),
        Entry::list(
            "paths",
            "Paths",
            paths,
            "a path such as /home or ~/documents, then Enter",
        )
        .help("Folders and files that are backed up, with all below them. The button below picks them in a browser."),
        Entry::button("browse", "", "pick in a browser")
            .help("Go through the folders of this machine and pick what is backed up."),
        Entry::set("vaults", "Into", vaults, &plan.vaults)
            .help("The vaults it goes to: arrows to move, Space to choose."),
        excludes(plan.excludes.clone()),
        Entry::toggle("caches", "Skip caches", plan.exclude_caches)
            .help("Leave out folders that programs marked as caches (CACHEDIR.TAG)."),
        Entry::toggle("one-fs", "One filesystem", plan.one_file_system)
            .help("Do not go into other filesystems that are mounted below the paths."),
        Entry::text("larger", "Skip larger", &larger)
            .help("Leave out files larger than this, such as 2G or 500M; empty for no limit."),
        schedule_entry(plan.schedule),
        days_entry(plan.retention.period.map_or(DEFAULT_RETENTION_DAYS, |period| period.days)),
        Entry::note("rule", "Keep too", &text::escape(rule.to_string().as_bytes()))
            .help("What else stays, as the keep keys in the config file say: it is changed there."),
        Entry::text("before", "Run before", plan.hooks.before.as_deref().unwrap_or_default())
            .help("A command that sh runs before anything is read: a database dump, say. If it fails, nothing is backed up."),
        Entry::text("after", "Run after", plan.hooks.after.as_deref().unwrap_or_default())
            .help("A command that sh runs after the backup, whatever came of it: $COFFER_RESULT is done, failed or cancelled."),
        Entry::number("minutes", "Each at most", minutes).help("How long each of the two commands may take before it is ended."),
        Entry::text("tags", "Tags", &plan.tags.join(", "))
            .help("Labels put on its generations, with commas between them; may be empty."),
    ]);
    form.show("days", plan.retention.period.is_some());
    form.show("rule", rule.keeps());
    follow(&mut form, &plan.name);
    form
}

/// The entry for exclude patterns.
pub(in super::super) fn excludes(rows: Vec<String>) -> Entry {
    Entry::list("excludes", "Excludes", rows, "a pattern such as *.tmp or node_modules, then Enter")
        .help("What is left out: a name anywhere, or a path; * stands for any part of a name, ** for any folders. What each drops is counted at its right.")
}

/// The entry for the schedule.
pub(in super::super) fn schedule_entry(schedule: Option<Schedule>) -> Entry {
    let text = schedule.map(|schedule| schedule.to_string()).unwrap_or_default();
    Entry::text("schedule", "Schedule", &text)
        .help("Such as daily 02:00, mon,thu 21:30, weekly sun 03:00, monthly 1 04:00, every 6 hours; empty to run it by hand.")
}

/// The entry for how long generations are kept.
pub(in super::super) fn days_entry(days: u32) -> Entry {
    let number = Number {
        value: days.into(),
        min: 1,
        max: 36_500,
        step: 30,
        unit: ("day", "days"),
    };
    Entry::number("days", "Keep for", number).help(
        "How long generations are kept: type a number, or change it by 30 with the arrows. Nothing is deleted by itself \
         yet: what goes by this rule is always shown and asked for first.",
    )
}

/// Says of schedule and days what they mean in words.
pub(in super::super) fn follow(form: &mut Form, plan: &str) {
    let note = match schedule_of(form.text("schedule")) {
        Ok(Some(schedule)) => {
            let plan = text::escape(plan.trim().as_bytes());
            let plan = if plan.is_empty() { "NAME".into() } else { plan };
            let when = schedule.words();
            format!(
                "Is to run {when}. Coffer does not start runs by itself yet: let cron or a timer run coffer plan run {plan}"
            )
        }
        _ => String::new(),
    };
    form.set_note("schedule", note);
    let hooks = !form.text("before").trim().is_empty() || !form.text("after").trim().is_empty();
    form.show("minutes", hooks);
    form.set_note("days", period_words(form.number("days")));
}

/// A number of days in words: `about 2 years`.
fn period_words(days: u64) -> String {
    let rounded = |unit: u64| (days + unit / 2) / unit;
    let (n, one, many, exact) = match days {
        0..=13 => return String::new(),
        14..=59 => (rounded(7), "week", "weeks", days.is_multiple_of(7)),
        60..=699 => ((days * 12 + 182) / 365, "month", "months", false),
        _ => (rounded(365), "year", "years", days.is_multiple_of(365)),
    };
    let about = if exact { "" } else { "about " };
    format!("{about}{}", text::counted(n, one, many))
}

/// Why a name is none; names are used on command lines.
pub(in super::super) fn wrong_name(name: &str) -> Option<String> {
    let wrong = match name.chars().next() {
        None => "Give it a name.",
        Some('-' | '.' | '~') => "A name cannot start with -, . or ~.",
        _ if name.contains('/') => "A name cannot hold a slash.",
        _ if name.chars().any(char::is_control) => "A name cannot hold control characters.",
        _ => return None,
    };
    Some(wrong.to_owned())
}

/// The paths of a form.
pub(in super::super) fn paths_of(form: &Form, model: &Model) -> Result<Vec<PathBuf>, String> {
    let rows: Vec<String> = form.rows("paths").iter().map(|row| model.expand_home(row)).collect();
    if rows.is_empty() {
        return Err("Give at least one folder or file.".into());
    }
    match rows.iter().find(|row| !row.starts_with('/')) {
        Some(row) => Err(format!(
            "Give the whole path of {}, from / or ~ on.",
            text::escape(row.as_bytes())
        )),
        None => Ok(rows.into_iter().map(PathBuf::from).collect()),
    }
}

/// What to say of a plan that would back up the vault it goes to.
pub(in super::super) fn within_itself(form: &Form, paths: &[PathBuf], vault: &str, place: &Path) -> Option<String> {
    let excludes = form.rows("excludes");
    backs_up_vault(paths, &excludes, place).then(|| {
        let (vault, place) = (
            text::escape(vault.as_bytes()),
            text::escape(place.as_os_str().as_encoded_bytes()),
        );
        format!("The vault {vault} lies in what is backed up and would hold itself: leave out {place}")
    })
}

/// A schedule as typed; `None` where nothing is.
pub(in super::super) fn schedule_of(typed: &str) -> Result<Option<Schedule>, String> {
    match typed.trim() {
        "" => Ok(None),
        typed => typed
            .parse()
            .map(Some)
            .map_err(|error: crate::schedule::BadSchedule| format!("That is no schedule: {}.", error.why)),
    }
}

fn size_of(typed: &str) -> Result<Option<u64>, ()> {
    match typed.trim() {
        "" => Ok(None),
        typed => parse_size(typed).map(Some).ok_or(()),
    }
}

fn size_words(size: u64) -> String {
    let units = [("T", 40), ("G", 30), ("M", 20), ("K", 10)];
    let fits = units
        .iter()
        .find(|(_, shift)| size > 0 && size.is_multiple_of(1 << shift));
    fits.map_or_else(|| size.to_string(), |(unit, shift)| format!("{}{unit}", size >> shift))
}

fn command_of(typed: &str) -> Option<String> {
    Some(typed.trim()).filter(|typed| !typed.is_empty()).map(str::to_owned)
}

fn words_of(typed: &str) -> Vec<String> {
    let words = typed.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
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
        editor.count.due = Some(due);
        effects.push(Effect::Wake(due));
    }
}

impl Count {
    /// Something changed: to be counted once typing pauses.
    pub(in super::super) fn later(&mut self, model: &Model, effects: &mut Vec<Effect>) {
        let due = model.now.millis + PAUSE;
        self.due = Some(due);
        effects.push(Effect::Wake(due));
    }

    /// At once.
    pub(in super::super) fn now(&mut self, millis: u64) {
        self.due = Some(millis);
    }

    /// Asks, if it is time and something else is to be counted.
    pub(in super::super) fn fetch(
        &mut self,
        model: &mut Model,
        wanted: Option<CountExcludes>,
        slot: &'static str,
        take: super::super::super::asking::Take,
        effects: &mut Vec<Effect>,
    ) {
        if self.due.is_none_or(|due| due > model.now.millis) {
            return;
        }
        self.due = None;
        if self.asked == wanted {
            return;
        }
        abandon(model, slot, effects);
        *self = Count {
            asked: wanted.clone(),
            ..Count::default()
        };
        if let Some(wanted) = wanted {
            ask(model, slot, Question::Excludes(wanted), take, effects);
        }
    }

    /// Takes what was counted so far; the excludes of the form say what they drop.
    pub(in super::super) fn take(&mut self, told: Told, form: &mut Form) {
        match told.answer {
            Answer::Excludes(tally) => {
                let note = |weight: &Weight| match weight.files {
                    0 if told.complete => "drops nothing".to_owned(),
                    0 => String::new(),
                    files => format!(
                        "{}, {}",
                        text::counted(files, "file", "files"),
                        text::bytes(weight.bytes)
                    ),
                };
                form.set_notes("excludes", tally.dropped.iter().map(note).collect());
                self.tally = Some(tally);
                self.complete = told.complete;
            }
            other => {
                if let Load::Failed(why) = failed(other) {
                    self.problem = text::escape(why.as_bytes());
                }
            }
        }
    }

    /// What it comes to, in a sentence.
    pub(in super::super) fn words(&self, more: &str) -> (String, Role) {
        if !self.problem.is_empty() {
            return (self.problem.clone(), Role::Danger);
        }
        let Some(tally) = &self.tally else {
            return match self.asked {
                Some(_) => (format!("Counting what it would take{more}"), Role::Dim),
                None => (String::new(), Role::Dim),
            };
        };
        let mut out = tally.other;
        tally.dropped.iter().for_each(|weight| out += *weight);
        let weight = |weight: Weight| {
            let files = text::counted(weight.files, "file", "files");
            format!("{files}, {}", text::bytes(weight.bytes))
        };
        let so_far = if self.complete { "" } else { " so far" };
        let mut words = format!("Takes {}{so_far}", weight(tally.kept));
        if out.files > 0 {
            words.push_str(&format!("; leaves out {}", weight(out)));
        }
        if tally.unreadable > 0 {
            let places = text::counted(tally.unreadable, "place", "places");
            words.push_str(&format!("; {places} you may not read"));
        }
        words.push_str(if self.complete { "." } else { more });
        let warn = self.complete && (tally.unreadable > 0 || tally.kept.files == 0);
        (words, if warn { Role::Warning } else { Role::Text })
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
            count: Count {
                due: Some(model.now.millis),
                ..Count::default()
            },
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

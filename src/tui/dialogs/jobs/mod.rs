//! Jobs: the strip that shows what runs, the drawer of what runs and what ran (here, in other processes, before), and one
//! job's report with its log and its problems.
//!
//! The engine tells of jobs of this process by itself. Others are asked for: once at the start, then now and then while one
//! is known to run elsewhere or the drawer is open, and not at all otherwise.

mod drawer_view;
mod find;
mod report;
mod report_view;
mod strip;

use super::super::actions::{Act, Action, At, Context, Danger};
use super::super::asking::{Told, ask, complain};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::field::Field;
use super::super::model::Model;
use super::super::msg::Effect;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::window::Window;
use super::confirm::Confirm;
use report::Report;
pub(crate) use strip::strip;

use crate::engine::{Answer, JobId, JobState, Question};
use crate::text;

const DRAWER: Context = Context::dialog("jobs", "Jobs").with_list();
/// The same while its filter is typed.
const TYPING: Context = Context::dialog("jobs-filter", "Jobs: filter");
const REPORT: Context = Context::dialog("report", "Report").with_list();
/// A text to find in it, while it is typed.
const FINDING: Context = Context::dialog("report-find", "Find in a report");

/// Jobs of the history that are asked for.
const HISTORY: u32 = 200;
const SLOT: &str = "jobs.history";
/// Milliseconds between two looks at other processes while one runs something, and while the drawer is open.
const WATCH: u64 = 1_000;
const GLANCE: u64 = 4_000;

/// What one can do in the drawer and in a report.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("jobs.open", "report", "Show what the job did and what went wrong", &["Enter", "l", "→"], At::Only(&[DRAWER]), report::open)
        .hint(1).unless(|model| shown(model).is_none().then(|| "There is no job here.".into())),
    Action::new("jobs.cancel", "cancel it", "Stop the job, wherever it runs", &["x"], At::Only(&[DRAWER, REPORT]), cancel).danger(Danger::Ask)
        .hint(2).unless(|model| shown(model).and_then(|id| model.jobs.get(id)).is_none_or(|job| !job.runs())
            .then(|| "This job does not run.".into())),
    Action::new("jobs.filter", "filter", "Show only jobs that hold a text", &["/"], At::Only(&[DRAWER]), type_filter).hint(3),
    Action::new("jobs.filter-keep", "keep it", "Keep the filter and go back to the jobs", &["Enter"], At::Only(&[TYPING]), keep_filter).hint(1),
    Action::new("report.turn", "log or problems", "Change between what it did and what went wrong", &["Tab", "Shift-Tab"], At::Only(&[REPORT]), report::turn)
        .hint(1),
    Action::new("report.copy", "copy", "Copy the line, a problem's path and words", &["y"], At::Only(&[REPORT]), report::copy).hint(3)
        .unless(report::nothing_to_copy),
    Action::new("report.find", "find", "Find a text in the log or the problems; capitals count if you type one", &["/"], At::Only(&[REPORT]),
        find::open).hint(4).unless(find::nothing_here),
    Action::new("report.next", "next", "To the next line that holds the text", &["n"], At::Only(&[REPORT]), |act| find::step(act, 1)).hint(5)
        .unless(find::nothing_sought),
    Action::new("report.previous", "one before", "To the line before that holds the text", &["N"], At::Only(&[REPORT]), |act| find::step(act, -1))
        .unless(find::nothing_sought),
    Action::new("report.seek", "find it", "Go to the first line that holds the text", &["Enter"], At::Only(&[FINDING]), find::seek).hint(1),
];

/// What runs and ran.
#[derive(Debug, Default)]
pub struct Drawer {
    list: Window<JobId>,
    filter: Field,
    typing: bool,
}

/// Opens the drawer.
pub fn open(act: &mut Act) {
    act.model.push(Drawer::default());
    act.model.jobs.looked = None;
}

/// Asks what other processes do and what the history says, when it is time to.
pub fn watch(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.asks(SLOT) {
        return;
    }
    let open = model.dialog_mut::<Drawer>().is_some();
    let due = match model.jobs.looked {
        None => 0,
        Some(looked) if model.jobs.some_elsewhere() => looked + WATCH,
        Some(looked) if open => looked + GLANCE,
        Some(_) => return,
    };
    let now = model.now.millis;
    if now < due {
        effects.push(Effect::Wake(due));
        return;
    }
    model.jobs.looked = Some(now);
    ask(model, SLOT, Question::Jobs { limit: HISTORY }, take_history, effects);
}

fn take_history(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let rows = match told.answer {
        Answer::Jobs(rows) => rows,
        other => return complain(model, other),
    };
    for id in model.jobs.remember(rows, model.now.millis) {
        let Some(job) = model.jobs.get(id) else { continue };
        let (role, came) = match &job.state {
            JobState::Done { problems: 0, .. } => (Role::Good, "done"),
            JobState::Done { .. } => (Role::Warning, "done, with problems (J shows them)"),
            JobState::Cancelled { .. } => (Role::Warning, "cancelled"),
            _ => (Role::Danger, "failed (J says why)"),
        };
        let told = format!("{}, in another process: {came}", job.title);
        model.say(role, told);
    }
}

/// The job that the drawer's cursor is on, or that the report is about.
fn shown(model: &Model) -> Option<JobId> {
    match (model.dialog::<Drawer>(), model.dialog::<Report>()) {
        (Some(drawer), _) => drawer.list.current().copied(),
        (_, Some(report)) => Some(report.job()),
        _ => None,
    }
}

fn type_filter(act: &mut Act) {
    with_top::<Drawer>(act, |drawer, _| {
        drawer.typing = true;
        Then::Keep
    });
}

fn keep_filter(act: &mut Act) {
    with_top::<Drawer>(act, |drawer, _| {
        drawer.typing = false;
        Then::Keep
    });
}

fn cancel(act: &mut Act) {
    let Some(job) = shown(act.model).and_then(|id| act.model.jobs.get(id)) else {
        return;
    };
    let (id, title) = (job.info.id, job.title.clone());
    let place = if job.here() { "" } else { ", in another process," };
    let sentence = format!("{title}{place} stops. What it has done so far stays; nothing of it is harmed.");
    let yes = move |act: &mut Act| {
        act.model.jobs.looked = None;
        act.effects.push(Effect::CancelJob(id));
    };
    let confirm = Confirm::ask(act, "Cancel the job?", sentence, yes);
    act.model.push(confirm);
}

impl Drawer {
    /// Whether a job is shown under the filter.
    fn holds(&self, job: &super::super::jobs::Job) -> bool {
        let wanted = self.filter.text().to_lowercase();
        let (_, state, _) = strip::state_words(crate::tui::theme::Look::default().symbols, job);
        wanted.is_empty()
            || job.title.to_lowercase().contains(&wanted)
            || state.contains(&wanted)
            || text::escape(job.info.vault.as_bytes()).to_lowercase().contains(&wanted)
    }
}

impl Dialog for Drawer {
    fn context(&self) -> Context {
        if self.typing { TYPING } else { DRAWER }
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn field(&mut self) -> Option<&mut Field> {
        self.typing.then_some(&mut self.filter)
    }

    fn layout(&mut self, model: &Model) {
        self.list.resize(u64::from(drawer_view::rows(model.size)));
        let ids: Vec<JobId> = model
            .jobs
            .iter()
            .filter(|job| self.holds(job))
            .map(|job| job.info.id)
            .collect();
        // The cursor stays on its job when a new one comes above it.
        let at = self
            .list
            .current()
            .and_then(|id| ids.iter().position(|other| other == id));
        let cursor = at.map_or(self.list.cursor(), |at| at as u64);
        self.list.hold(ids);
        self.list.go(cursor);
    }

    fn closed(&mut self, model: &mut Model, _: &mut Vec<Effect>) {
        // As in the lists: the filter goes first.
        if self.typing || !self.filter.text().is_empty() {
            model.push(Drawer::default());
        }
    }

    fn in_footer(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        drawer_view::draw(model, self, canvas);
    }
}

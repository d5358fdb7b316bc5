//! Jobs: the drawer of what runs and what ran, and one job's report.

mod view;

use super::super::actions::{Act, Action, At, Context, Danger};
use super::super::asking::{Told, ask, complain};
use super::super::dialog::{Dialog, Moves};
use super::super::model::Model;
use super::super::msg::Effect;
use super::super::view::canvas::Canvas;
use super::super::window::Window;
use super::confirm::Confirm;
pub(crate) use view::strip;

use crate::engine::{Answer, JobId, JobIssue, Question};

const DRAWER: Context = Context::dialog("jobs", "Jobs").with_list();
const REPORT: Context = Context::dialog("report", "Report").with_list();

/// Jobs of the history that the drawer asks for.
const HISTORY: u32 = 200;

/// What one can do in the drawer and in a report.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("jobs.open", "report", "Show the job's report", &["Enter"], At::Only(&[DRAWER]), open_report).hint(1),
    Action::new("jobs.cancel", "cancel it", "Stop the job", &["x"], At::Only(&[DRAWER, REPORT]), cancel).danger(Danger::Ask).hint(2)
        .unless(|model| shown(model).and_then(|id| model.jobs.get(id)).is_none_or(|job| !job.runs())
            .then(|| "This job does not run.".into())),
];

/// What runs and ran.
#[derive(Debug, Default)]
pub struct Drawer {
    list: Window<()>,
}

/// One job's report.
#[derive(Debug)]
pub struct Report {
    /// Which.
    job: JobId,
    /// What went wrong.
    list: Window<JobIssue>,
}

/// Opens the drawer.
pub fn open(act: &mut Act) {
    act.model.push(Drawer::default());
    let question = Question::Jobs { limit: HISTORY };
    ask(act.model, "jobs.history", question, take_history, act.effects);
}

fn take_history(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    match told.answer {
        Answer::Jobs(rows) => model.jobs.remember(rows),
        other => complain(model, other),
    }
}

/// The job that the drawer's cursor is on, or that the report is about.
fn shown(model: &Model) -> Option<JobId> {
    match (model.dialog::<Drawer>(), model.dialog::<Report>()) {
        (Some(drawer), _) => model.jobs.shown(drawer.list.cursor()).map(|job| job.info.id),
        (_, Some(report)) => Some(report.job),
        _ => None,
    }
}

fn open_report(act: &mut Act) {
    let Some(job) = shown(act.model) else { return };
    act.model.push(Report {
        job,
        list: Window::default(),
    });
    ask(
        act.model,
        "jobs.issues",
        Question::Issues { job },
        take_issues,
        act.effects,
    );
}

fn take_issues(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let (Question::Issues { job }, Answer::Issues(issues)) = (asked, told.answer) else {
        return;
    };
    if let Some(report) = model.dialog_mut::<Report>().filter(|report| report.job == *job) {
        let total = issues.len() as u64;
        report.list.accept(0, issues, total);
    }
}

fn cancel(act: &mut Act) {
    let Some(job) = shown(act.model).and_then(|id| act.model.jobs.get(id)) else {
        return;
    };
    let (id, title) = (job.info.id, job.title.clone());
    let sentence = format!("{title} stops. What it has done so far stays; nothing of it is harmed.");
    let yes = move |act: &mut Act| act.effects.push(Effect::CancelJob(id));
    let confirm = Confirm::ask(act, "Cancel the job?", sentence, yes);
    act.model.push(confirm);
}

impl Dialog for Drawer {
    fn context(&self) -> Context {
        DRAWER
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        self.list.resize(u64::from(view::drawer_rows(model.size)));
        let (cursor, shown) = (self.list.cursor(), model.jobs.len());
        self.list.accept(0, vec![(); shown], shown as u64);
        self.list.go(cursor);
    }

    fn in_footer(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        view::drawer(model, &self.list, canvas);
    }
}

impl Dialog for Report {
    fn context(&self) -> Context {
        REPORT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        self.list.resize(u64::from(model.size.1.saturating_sub(15).max(1)));
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        view::report(model, self, canvas);
    }
}

//! One job: what it did when, and what went wrong.

use super::super::super::actions::{Act, Context};
use super::super::super::asking::{Told, ask};
use super::super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::find::Find;
use super::super::super::window::Window;
use super::strip::outcome;
use super::{REPORT, report_view, shown};
use crate::engine::{Answer, JobId, JobIssue, LogLine, Question};
use crate::text;

/// Milliseconds between two looks at the log of a job that runs.
const FOLLOW: u64 = 2_000;

/// Which of the two lists has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Log,
    Problems,
}

/// A row of the log.
#[derive(Debug)]
pub(super) enum Row {
    /// A line of what came of the job.
    Outcome(String),
    /// A line of its log.
    Line(LogLine),
}

/// Lines of an outcome that are shown above the lists.
pub(super) const OUTCOME: usize = 3;

/// One job's report.
#[derive(Debug)]
pub(super) struct Report {
    job: JobId,
    pub(super) side: Side,
    /// What the log holds, once it is here.
    pub(super) lines: Option<Vec<LogLine>>,
    /// It as rows, what came of the job before it where that is not all in sight above.
    pub(super) log: Window<Row>,
    /// The columns and the outcome the rows were made for.
    made: Option<(u16, String)>,
    pub(super) issues: Window<JobIssue>,
    /// What was last looked for.
    pub(super) find: Find,
    /// When it was asked for last, in milliseconds, and whether the job ran then.
    asked: Option<(u64, bool)>,
}

impl Report {
    /// Which.
    pub(super) fn job(&self) -> JobId {
        self.job
    }

    /// Whether the problems are shown, not the log.
    pub(super) fn shows_problems(&self) -> bool {
        self.side == Side::Problems
    }

    /// The row the cursor is on.
    pub(super) fn cursor(&self) -> u64 {
        match self.side {
            Side::Log => self.log.cursor(),
            Side::Problems => self.issues.cursor(),
        }
    }

    /// Makes the log's rows; an outcome that has more lines than are shown above comes first.
    fn lay_out(&mut self, (columns, outcome): (u16, String)) {
        let told = text::wrap(&outcome, usize::from(columns.saturating_sub(10)));
        let told = told.into_iter().filter(|_| !report_view::fits(&outcome, columns));
        let lines = self.lines.iter().flatten().cloned();
        let rows: Vec<Row> = told.map(Row::Outcome).chain(lines.map(Row::Line)).collect();
        if self.lines.is_some() || !rows.is_empty() {
            self.log.hold(rows);
        }
        self.made = Some((columns, outcome));
    }
}

pub(super) fn open(act: &mut Act) {
    let Some(job) = shown(act.model) else { return };
    let side = match act.model.jobs.get(job) {
        Some(job) if job.issues > 0 => Side::Problems,
        _ => Side::Log,
    };
    act.model.push(Report {
        job,
        side,
        lines: None,
        log: Window::default(),
        made: None,
        issues: Window::default(),
        find: Find::default(),
        asked: None,
    });
}

pub(super) fn turn(act: &mut Act) {
    with_top::<Report>(act, |report, _| {
        report.side = match report.side {
            Side::Log => Side::Problems,
            Side::Problems => Side::Log,
        };
        Then::Keep
    });
}

/// The line under the cursor, as it is: what is copied is not for a screen.
fn line(model: &Model) -> Option<String> {
    let report = model.dialog::<Report>()?;
    match report.side {
        Side::Log => report.log.current().map(|row| match row {
            Row::Outcome(_) => model.jobs.get(report.job).map(outcome).unwrap_or_default(),
            Row::Line(line) => format!("{} {}", line.time, line.text),
        }),
        Side::Problems => report.issues.current().map(|issue| match issue.path.is_empty() {
            true => issue.text.clone(),
            false => format!("{}: {}", text::escape(&issue.path), issue.text),
        }),
    }
}

pub(super) fn nothing_to_copy(model: &Model) -> Option<String> {
    line(model).is_none().then(|| "There is no line to copy.".into())
}

pub(super) fn copy(act: &mut Act) {
    if let Some(text) = line(act.model) {
        let what = "the line".to_owned();
        act.effects.push(Effect::Copy { text, what });
    }
}

fn take_log(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    if let (Question::JobLog { job }, Answer::JobLog(lines)) = (asked, told.answer)
        && let Some(report) = model.dialog_mut::<Report>().filter(|report| report.job == *job)
    {
        report.lines = Some(lines);
        report.made = None;
    }
}

fn take_issues(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    if let (Question::Issues { job }, Answer::Issues(issues)) = (asked, told.answer)
        && let Some(report) = model.dialog_mut::<Report>().filter(|report| report.job == *job)
    {
        let total = issues.len() as u64;
        if report.asked.is_some_and(|(_, ran)| !ran) && report.lines.is_none() && total > 0 {
            report.side = Side::Problems;
        }
        report.issues.accept(0, issues, total);
    }
}

impl Dialog for Report {
    fn context(&self) -> Context {
        REPORT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        match self.side {
            Side::Log => Some(&mut self.log),
            Side::Problems => Some(&mut self.issues),
        }
    }

    fn layout(&mut self, model: &Model) {
        let told = model.jobs.get(self.job).filter(|job| !job.runs()).map(outcome);
        let wanted = (model.size.0, told.unwrap_or_default());
        if self.made.as_ref() != Some(&wanted) {
            self.lay_out(wanted);
        }
        let rows = u64::from(model.size.1.saturating_sub(15).max(1));
        self.log.resize(rows);
        self.issues.resize(rows);
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        let (now, job) = (model.now.millis, self.job);
        let runs = model.jobs.get(job).is_some_and(|job| job.runs());
        match self.asked {
            // Once more after its end: the last lines and problems came with it.
            Some((_, false)) => return,
            Some((at, true)) if runs && now < at + FOLLOW => return effects.push(Effect::Wake(at + FOLLOW)),
            _ => {}
        }
        self.asked = Some((now, runs));
        ask(model, "jobs.issues", Question::Issues { job }, take_issues, effects);
        ask(model, "jobs.log", Question::JobLog { job }, take_log, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        report_view::draw(model, self, canvas);
    }
}

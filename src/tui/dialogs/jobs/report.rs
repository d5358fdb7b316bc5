//! One job: what it did when, and what went wrong.

use super::super::super::actions::{Act, Context};
use super::super::super::asking::{Told, ask};
use super::super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::view::canvas::Canvas;
use super::super::super::window::Window;
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

/// One job's report.
#[derive(Debug)]
pub(super) struct Report {
    job: JobId,
    pub(super) side: Side,
    pub(super) log: Window<LogLine>,
    pub(super) issues: Window<JobIssue>,
    /// When it was asked for last, in milliseconds, and whether the job ran then.
    asked: Option<(u64, bool)>,
}

impl Report {
    /// Which.
    pub(super) fn job(&self) -> JobId {
        self.job
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
        log: Window::default(),
        issues: Window::default(),
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
        Side::Log => report.log.current().map(|line| format!("{} {}", line.time, line.text)),
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
        report.log.hold(lines);
    }
}

fn take_issues(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    if let (Question::Issues { job }, Answer::Issues(issues)) = (asked, told.answer)
        && let Some(report) = model.dialog_mut::<Report>().filter(|report| report.job == *job)
    {
        let total = issues.len() as u64;
        if report.asked.is_some_and(|(_, ran)| !ran) && report.log.total().is_none() && total > 0 {
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

//! Finding a text in a job's log, or in its problems.

use super::super::super::actions::{Act, Context};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::field::Field;
use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::content;
use super::super::super::widgets::find::Find;
use super::super::look::draw_finding;
use super::FINDING;
use super::report::{Report, Row};
use crate::text;

/// A text that is being typed, to be found in the report below.
#[derive(Debug, Default)]
struct Finding(Field);

/// The lines of the list that is shown, each on its own.
fn rows(report: &Report) -> Vec<content::Row> {
    let row = |text: String| content::Row {
        label: "-".into(),
        text,
    };
    if report.shows_problems() {
        let problems = report.issues.held().1.iter();
        let words =
            problems.map(|issue| format!("{}: {}", text::escape(&issue.path), text::escape(issue.text.as_bytes())));
        return words.map(row).collect();
    }
    let words = report.log.held().1.iter().map(|line| match line {
        Row::Outcome(words) => words.clone(),
        Row::Line(line) => text::escape(line.text.as_bytes()),
    });
    words.map(row).collect()
}

pub(super) fn nothing_here(model: &Model) -> Option<String> {
    let none = model.dialog::<Report>().is_none_or(|report| rows(report).is_empty());
    none.then(|| "There is nothing to find yet.".into())
}

pub(super) fn nothing_sought(model: &Model) -> Option<String> {
    let none = model
        .dialog::<Report>()
        .is_none_or(|report| report.find.text.is_empty());
    none.then(|| "Nothing was looked for yet: / does.".into())
}

/// Asks for a text to find; what was looked for before is there to be changed.
pub(super) fn open(act: &mut Act) {
    let before = act.model.dialog::<Report>().map(|report| Field::new(&report.find.text));
    act.model.push(Finding(before.unwrap_or_default()));
}

pub(super) fn seek(act: &mut Act) {
    let mut wanted = String::new();
    with_top::<Finding>(act, |dialog, _| {
        wanted = dialog.0.text().to_owned();
        Then::Close
    });
    with_top::<Report>(act, |report, act| {
        let from = report.cursor();
        report.find = Find::new(&wanted, &rows(report), from);
        go(report, act);
        Then::Keep
    });
}

/// To the next line that holds it, or the one before; around at the ends.
pub(super) fn step(act: &mut Act, by: isize) {
    with_top::<Report>(act, |report, act| {
        // The log of a job that runs grows.
        let rows = rows(report);
        report.find.look(&rows);
        report.find.step(by);
        go(report, act);
        Then::Keep
    });
}

fn go(report: &mut Report, act: &mut Act) {
    match (report.find.row(), report.list()) {
        (Some(row), Some(list)) => list.go(row),
        _ => act.model.say(Role::Warning, "No line here holds that."),
    }
}

impl Dialog for Finding {
    fn context(&self) -> Context {
        FINDING
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.0)
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw_finding(model, canvas, &self.0, FINDING);
    }
}

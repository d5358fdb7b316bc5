//! A report drawn: the job, what came of it, and one of its two lists.

use ratatui::layout::Rect;

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::hint_line;
use super::super::super::window::Window;
use super::REPORT;
use super::report::{OUTCOME, Report, Row, Side};
use super::strip::{outcome, state_words, took};
use crate::text;

/// Cells that an outcome has above the lists, on a screen of so many columns.
fn cells(columns: u16) -> usize {
    usize::from(columns.saturating_sub(8))
}

/// Whether an outcome is all in sight above the lists.
pub(super) fn fits(outcome: &str, columns: u16) -> bool {
    text::wrap(outcome, cells(columns)).len() <= OUTCOME
}

pub(super) fn draw(model: &Model, report: &Report, canvas: &mut Canvas) {
    let area = canvas.middle(canvas.width(), canvas.height());
    let inside = canvas.frame(area, "Report", Role::Focus);
    let end = inside.right();
    let Some(job) = model.jobs.get(report.job()) else {
        canvas.text(
            inside.x,
            inside.y + 1,
            end,
            "This job is not known any more.",
            Role::Dim,
        );
        return;
    };
    let (glyph, state, role) = state_words(model.look.symbols, job);
    let x = canvas.text(inside.x, inside.y + 1, end, glyph, role) + 1;
    let x = canvas.text(x, inside.y + 1, end, state, role) + 2;
    let room = usize::from(end.saturating_sub(x));
    let title = text::cut_end(&job.title, room, model.look.symbols.more);
    canvas.text(x, inside.y + 1, end, &title, Role::Text);
    let started = text::stamp(job.info.started.seconds, &model.zone);
    let took = took(job, model.now.unix);
    let place = if job.here() || !job.runs() {
        ""
    } else {
        ", in another process"
    };
    let verb = if job.runs() { "running for" } else { "took" };
    let when = format!("job {}, started {started}, {verb} {took}{place}", job.info.id);
    canvas.text(inside.x, inside.y + 2, end, &when, Role::Dim);
    let mut y = inside.y + 3;
    let more = model.look.symbols.more;
    for line in text::wrap_short(&outcome(job), cells(canvas.width()), OUTCOME, more) {
        canvas.text(inside.x, y, end, &line, Role::Text);
        y += 1;
    }
    y += 1;
    tabs(report, canvas, inside, y);
    y += 1;
    let rows = usize::from(inside.bottom().saturating_sub(2).saturating_sub(y));
    let list = Rect::new(inside.x, y, inside.width, rows as u16);
    match report.side {
        Side::Log if report.log.total() == Some(0) => {
            canvas.text(list.x, y, end, "It was run by a version that kept no log.", Role::Dim);
        }
        Side::Log => lines(model, canvas, list, &report.log, |row| match row {
            Row::Outcome(words) => (String::new(), words.clone()),
            Row::Line(line) => {
                let stamp = text::stamp(line.time.seconds, &model.zone);
                let second = line.time.seconds.rem_euclid(60);
                (format!("{stamp}:{second:02}  "), text::escape(line.text.as_bytes()))
            }
        }),
        Side::Problems if report.issues.total() == Some(0) => {
            let none = if job.runs() {
                "No entry had a problem so far."
            } else {
                "No entry had a problem."
            };
            canvas.text(list.x, y, end, none, Role::Dim);
        }
        Side::Problems => lines(model, canvas, list, &report.issues, |issue| {
            let what = text::escape(issue.text.as_bytes());
            match text::escape(&issue.path) {
                path if path.is_empty() => (String::new(), what),
                path => (String::new(), format!("{path}: {what}")),
            }
        }),
    }
    hint_line(model, canvas, REPORT, inside.x, inside.bottom() - 1, end);
}

/// The names of the two lists, the one shown first in sight.
fn tabs(report: &Report, canvas: &mut Canvas, inside: Rect, y: u16) {
    let problems = match report.issues.total() {
        Some(total) if total > 0 => format!("problems {}", text::count(total)),
        _ => "problems".to_owned(),
    };
    let mut x = inside.x;
    for (side, name) in [(Side::Log, "log"), (Side::Problems, problems.as_str())] {
        let role = if side == report.side { Role::Focus } else { Role::Dim };
        x = canvas.text(x, y, inside.right(), name, role) + 3;
    }
}

/// The rows of a list, each a dim beginning and a text.
fn lines<T>(model: &Model, canvas: &mut Canvas, area: Rect, list: &Window<T>, words: impl Fn(&T) -> (String, String)) {
    for (n, index) in list.visible().take(usize::from(area.height)).enumerate() {
        let Some(row) = list.get(index) else { continue };
        let y = area.y + n as u16;
        let (begin, rest) = words(row);
        let x = canvas.text(area.x + 1, y, area.right(), &begin, Role::Dim);
        let room = usize::from(area.right().saturating_sub(x + 1));
        let rest = text::cut_middle(&rest, room, model.look.symbols.more);
        canvas.text(x, y, area.right(), &rest, Role::Text);
        if index == list.cursor() {
            canvas.paint(area.x, y, area.right(), model.look.style(Role::Cursor));
        }
    }
}

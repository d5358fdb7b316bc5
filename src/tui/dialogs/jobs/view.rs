//! The strip that shows what runs, the drawer of what runs and ran, a job's report.

use ratatui::layout::Rect;

use super::super::super::jobs::Job;
use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty::message;
use super::super::super::view::hint_line;
use super::super::super::view::pane::Span;
use super::super::super::window::Window;
use super::{REPORT, Report};
use crate::engine::JobState;
use crate::text;

/// Rows of jobs that the drawer shows on a screen of this size.
pub(super) fn drawer_rows(size: (u16, u16)) -> u16 {
    (size.1 / 2).saturating_sub(3).clamp(3, 16)
}

/// The line of running jobs: the oldest one's progress, how many others.
pub(crate) fn strip(model: &Model, canvas: &mut Canvas, y: u16) {
    let mut running = model.jobs.running();
    let Some(job) = running.next() else { return };
    let others = running.count();
    let width = canvas.width();
    let spinner = model.look.symbols.spinner;
    // Five steps a second at most, and only while progress arrives.
    let turn = usize::try_from(model.now.millis / 200).unwrap_or(0) % spinner.len();
    let x = canvas.text(1, y, width, spinner[turn], Role::Focus) + 1;
    let mut right = progress_words(job);
    if others > 0 {
        right.push_str(&format!("  +{others} more"));
    }
    let right = text::cut_end(&right, usize::from(width / 2), model.look.symbols.more);
    let end = width.saturating_sub(text::width(&right) as u16 + 1);
    canvas.text(end, y, width, &right, Role::Text);
    let gauge = if width >= 100 { 24 } else { 12 };
    let title_end = end.saturating_sub(gauge + 3);
    let room = usize::from(title_end.saturating_sub(x));
    let title = if job.state == JobState::Cancelling {
        format!("Stopping: {}", job.title)
    } else {
        job.title.clone()
    };
    canvas.text(
        x,
        y,
        title_end,
        &text::cut_end(&title, room, model.look.symbols.more),
        Role::Text,
    );
    if let Some(done) = job.fraction() {
        canvas.gauge(title_end + 1, y, gauge, done);
    }
}

/// How far a running job is, in words: `45 %  12.3 MiB/s  0:12 left`.
fn progress_words(job: &Job) -> String {
    let mut parts = Vec::new();
    match job.fraction() {
        Some(done) => parts.push(format!("{:.0} %", (done * 100.0).floor())),
        None => {
            parts.push(format!(
                "{}, {}",
                text::counted(job.sample.files_done, "file", "files"),
                text::bytes(job.sample.bytes_done)
            ));
        }
    }
    if let Some(speed) = job.speed() {
        parts.push(format!("{}/s", text::bytes(speed)));
    }
    if let Some(left) = job.seconds_left() {
        parts.push(format!("{} left", text::span(left)));
    }
    parts.join("  ")
}

/// A state as a glyph, a word and how it is meant.
fn state_words(model: &Model, job: &Job) -> (&'static str, &'static str, Role) {
    let symbols = model.look.symbols;
    match &job.state {
        JobState::Running => (symbols.arrow, "running", Role::Focus),
        JobState::Cancelling => (symbols.arrow, "stopping", Role::Warning),
        JobState::Cancelled { .. } => (symbols.warning, "cancelled", Role::Warning),
        JobState::Done { problems: 0, .. } => (symbols.good, "done", Role::Good),
        JobState::Done { .. } => (symbols.warning, "problems", Role::Warning),
        JobState::Failed { .. } => (symbols.bad, "failed", Role::Danger),
    }
}

/// What became of a job, in words.
fn outcome(job: &Job) -> String {
    match &job.state {
        JobState::Running | JobState::Cancelling => progress_words(job),
        JobState::Cancelled { cleaned: true } => "cancelled".to_owned(),
        JobState::Cancelled { cleaned: false } => "cancelled, its lock is still in the vault".to_owned(),
        JobState::Done { summary, problems: 0 } => text::escape(summary.as_bytes()),
        JobState::Done { summary, problems } => {
            let problems = text::counted(*problems, "problem", "problems");
            format!("{problems}; {}", text::escape(summary.as_bytes()))
        }
        JobState::Failed { error, .. } => text::escape(error.as_bytes()),
    }
}

/// The drawer: jobs from below, over the lower half.
pub(super) fn drawer(model: &Model, list: &Window<()>, canvas: &mut Canvas) {
    let rows = drawer_rows((canvas.width(), canvas.height()));
    let height = rows + 3;
    // What was last said stays in sight.
    let bottom = canvas.height() - 2 - model.strip_rows();
    let area = Rect::new(0, bottom - height, canvas.width(), height);
    canvas.clear(area);
    let (top, width) = (area.y, canvas.width());
    canvas.rule(0, top, width, model.look.symbols.rule_focus, Role::Focus);
    canvas.text(1, top, width, " Jobs ", Role::Focus);
    if model.jobs.is_empty() {
        let span = Span {
            x: 0,
            end: width,
            focus: true,
        };
        message(
            canvas,
            span,
            top + 1,
            "Nothing has run yet.",
            &[("b", "in a list backs a plan up now")],
            "",
        );
        return;
    }
    let word = 13;
    let title = if width >= 100 { 44 } else { 28 };
    let columns = [
        (3, "state"),
        (3 + word, "started"),
        (3 + word + 18, "job"),
        (3 + word + 18 + title, "result"),
    ];
    for (x, head) in columns {
        canvas.text(x, top + 1, width, head, Role::Dim);
    }
    let more = model.look.symbols.more;
    for (n, index) in list.visible().enumerate() {
        let Some(job) = model.jobs.shown(index) else { continue };
        let y = top + 2 + n as u16;
        let (glyph, state, role) = state_words(model, job);
        let x = canvas.text(columns[0].0, y, width, glyph, role) + 1;
        canvas.text(x, y, width, state, role);
        canvas.text(
            columns[1].0,
            y,
            width,
            &text::stamp(job.info.started.seconds, &model.zone),
            Role::Dim,
        );
        let name = text::cut_end(&job.title, usize::from(title - 2), more);
        canvas.text(columns[2].0, y, width, &name, Role::Text);
        let room = usize::from(width.saturating_sub(columns[3].0 + 1));
        canvas.text(
            columns[3].0,
            y,
            width,
            &text::cut_end(&outcome(job), room, more),
            Role::Dim,
        );
        if index == list.cursor() {
            canvas.paint(0, y, width, model.look.style(Role::Cursor));
        }
    }
}

/// One job, with what went wrong.
pub(super) fn report(model: &Model, report: &Report, canvas: &mut Canvas) {
    let area = canvas.middle(canvas.width(), canvas.height());
    let inside = canvas.frame(area, "Report", Role::Focus);
    let Some(job) = model.jobs.get(report.job) else {
        canvas.text(
            inside.x,
            inside.y + 1,
            inside.right(),
            "This job is not known any more.",
            Role::Dim,
        );
        return;
    };
    let (glyph, state, role) = state_words(model, job);
    let x = canvas.text(inside.x, inside.y + 1, inside.right(), glyph, role) + 1;
    let x = canvas.text(x, inside.y + 1, inside.right(), state, role) + 2;
    canvas.text(x, inside.y + 1, inside.right(), &job.title, Role::Text);
    let started = text::stamp(job.info.started.seconds, &model.zone);
    let took = match job.ended {
        Some(ended) => {
            let seconds = u64::try_from(ended.saturating_sub(job.info.started.seconds)).unwrap_or(0);
            format!("started {started}, took {}", text::span(seconds))
        }
        None => format!("started {started}"),
    };
    canvas.text(inside.x, inside.y + 2, inside.right(), &took, Role::Dim);
    let mut y = inside.y + 3;
    for line in text::wrap(&outcome(job), usize::from(inside.width)).iter().take(4) {
        canvas.text(inside.x, y, inside.right(), line, Role::Text);
        y += 1;
    }
    y += 1;
    let total = report.list.total().unwrap_or(0);
    let bottom = inside.bottom().saturating_sub(2);
    if total == 0 {
        canvas.text(inside.x, y, inside.right(), "No entry had a problem.", Role::Dim);
    } else {
        let rows = usize::from(bottom.saturating_sub(y));
        for index in report.list.visible().take(rows) {
            let Some(issue) = report.list.get(index) else { continue };
            let what = text::escape(issue.text.as_bytes());
            let path = text::escape(&issue.path);
            let shown = if path.is_empty() {
                what
            } else {
                format!("{path}: {what}")
            };
            let shown = text::cut_middle(
                &shown,
                usize::from(inside.width.saturating_sub(2)),
                model.look.symbols.more,
            );
            canvas.text(inside.x + 1, y, inside.right(), &shown, Role::Text);
            if index == report.list.cursor() {
                canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
            }
            y += 1;
        }
    }
    hint_line(model, canvas, REPORT, inside.x, inside.bottom() - 1, inside.right());
}

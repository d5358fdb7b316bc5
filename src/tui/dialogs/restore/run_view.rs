//! How a running and an ended restore are drawn.

use super::super::super::dialog::Dialog;
use super::super::super::jobs::Job;
use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::{frame, keys_line, line, room};
use super::RUN;
use super::run::RestoreRun;
use crate::engine::{JobIssue, JobState};
use crate::text;

/// Rows the problems have at most.
pub(super) fn issue_rows(model: &Model) -> u16 {
    model.size.1.saturating_sub(16).clamp(3, 12)
}

/// Draws it.
pub(super) fn draw(model: &Model, run: &RestoreRun, canvas: &mut Canvas) {
    match run.job(model) {
        None => {
            let inside = frame(canvas, 6, "Restore", Role::Focus);
            line(canvas, inside, 1, &fitted(model, canvas, run.title()), Role::Text);
            line(
                canvas,
                inside,
                2,
                &format!("starting{}", model.look.symbols.more),
                Role::Dim,
            );
            keys_line(model, canvas, inside, RUN);
        }
        Some(job) if !job.state.has_ended() => running(model, run, job, canvas),
        Some(job) => ended(model, run, job, canvas),
    }
}

fn fitted(model: &Model, canvas: &Canvas, text: &str) -> String {
    text::cut_middle(text, room(canvas), model.look.symbols.more)
}

fn running(model: &Model, run: &RestoreRun, job: &Job, canvas: &mut Canvas) {
    let title = if job.state == JobState::Cancelling {
        "Stopping the restore"
    } else {
        "Restoring"
    };
    let inside = frame(canvas, 9, title, Role::Focus);
    line(canvas, inside, 1, &fitted(model, canvas, run.title()), Role::Text);
    let sample = &job.sample;
    match job.fraction() {
        Some(done) => {
            let words = format!("{:>3.0} %", (done * 100.0).floor());
            canvas.gauge(inside.x, inside.y + 3, inside.width.saturating_sub(7), done);
            canvas.right(inside.y + 3, inside.right(), &words, Role::Text);
        }
        None => line(canvas, inside, 3, "comparing", Role::Dim),
    }
    let counts = format!(
        "{} of {}, {} of {}",
        text::count(sample.files_done),
        text::counted(sample.files_total, "file", "files"),
        text::bytes(sample.bytes_done),
        text::bytes(sample.bytes_total)
    );
    line(canvas, inside, 4, &counts, Role::Dim);
    if sample.errors > 0 {
        let problems = text::counted(sample.errors, "problem", "problems");
        line(
            canvas,
            inside,
            5,
            &format!("{} {problems}", model.look.symbols.warning),
            Role::Warning,
        );
    }
    keys_line(model, canvas, inside, RUN);
}

/// What came of it, and the problems.
fn ended(model: &Model, run: &RestoreRun, job: &Job, canvas: &mut Canvas) {
    let symbols = model.look.symbols;
    let (glyph, words, role) = match &job.state {
        JobState::Done { summary, problems: 0 } => (symbols.good, format!("Done: {summary}"), Role::Good),
        JobState::Done { summary, problems } => (
            symbols.warning,
            format!(
                "Done but for {}: {summary}",
                text::counted(*problems, "problem", "problems")
            ),
            Role::Warning,
        ),
        JobState::Cancelled { .. } => (
            symbols.warning,
            "Cancelled: what was written by then stays; the same restore goes on from there".to_owned(),
            Role::Warning,
        ),
        JobState::Failed { error, .. } => (symbols.bad, format!("Failed: {error}"), Role::Danger),
        JobState::Running | JobState::Cancelling => return,
    };
    let cells = room(canvas);
    let words = text::wrap(&text::escape(words.as_bytes()), cells.saturating_sub(2));
    let rows = run.issues.visible();
    let listed = rows.clone().count() as u16;
    let height = 1 + 1 + words.len() as u16 + 1 + if listed > 0 { listed + 2 } else { 1 } + 2;
    let inside = frame(canvas, height, "Restore: what came of it", role);
    line(canvas, inside, 1, &fitted(model, canvas, run.title()), Role::Text);
    let mut y = 2;
    for (n, text) in words.iter().enumerate() {
        let lead = if n == 0 { glyph } else { " " };
        line(canvas, inside, y, &format!("{lead} {text}"), role);
        y += 1;
    }
    let base = text::escape(run.base.as_os_str().as_encoded_bytes());
    let base = text::cut_start(&base, cells.saturating_sub(3), symbols.more);
    line(canvas, inside, y, &format!("  in {base}"), Role::Dim);
    y += 1;
    if listed > 0 {
        y += 1;
        for index in rows {
            if let Some(issue) = run.issues.get(index) {
                problem(model, canvas, inside, y, issue, index == run.issues.cursor());
            }
            y += 1;
        }
    }
    keys_line(model, canvas, inside, run.context());
}

fn problem(model: &Model, canvas: &mut Canvas, inside: ratatui::layout::Rect, y: u16, issue: &JobIssue, here: bool) {
    if y >= inside.height {
        return;
    }
    let more = model.look.symbols.more;
    let (at, end) = (inside.y + y, inside.right());
    let what = text::escape(issue.text.as_bytes());
    let path = text::escape(&issue.path);
    let room = usize::from(inside.width.saturating_sub(2));
    let path_room = room.saturating_sub(text::width(&what).min(room * 3 / 5) + 2);
    let path = text::cut_start(&path, path_room, more);
    let x = canvas.text(inside.x + 1, at, end, &path, Role::Text) + u16::from(!path.is_empty()) * 2;
    let left = usize::from(end.saturating_sub(x));
    canvas.text(x, at, end, &text::cut_end(&what, left, more), Role::Warning);
    if here {
        canvas.paint(inside.x, at, end, model.look.style(Role::Cursor));
    }
}

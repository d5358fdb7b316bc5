//! A job in words, and the line that shows what runs.

use super::super::super::jobs::Job;
use super::super::super::model::Model;
use super::super::super::theme::{Role, Symbols};
use super::super::super::view::canvas::Canvas;
use crate::engine::JobState;
use crate::text;

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
    let title = match job.state {
        JobState::Cancelling => format!("Stopping: {}", job.title),
        _ if !job.here() => format!("Elsewhere: {}", job.title),
        _ => job.title.clone(),
    };
    let title = text::cut_end(&title, room, model.look.symbols.more);
    canvas.text(x, y, title_end, &title, Role::Text);
    if let Some(done) = job.fraction() {
        canvas.gauge(title_end + 1, y, gauge, done);
    }
}

/// How far a running job is, in words: `45 %  12.3 MiB/s  0:12 left`.
pub(super) fn progress_words(job: &Job) -> String {
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
pub(super) fn state_words(symbols: &Symbols, job: &Job) -> (&'static str, &'static str, Role) {
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
pub(super) fn outcome(job: &Job) -> String {
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

/// How long it took, or has taken so far.
pub(super) fn took(job: &Job, now: i64) -> String {
    let end = job.ended.or_else(|| job.runs().then_some(now));
    end.map_or_else(String::new, |end| {
        text::span(u64::try_from(end.saturating_sub(job.info.started.seconds)).unwrap_or(0))
    })
}

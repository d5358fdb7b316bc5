//! The drawer: jobs from below, over the lower half; under them more of the one the cursor is on.

use ratatui::layout::Rect;

use super::super::super::jobs::Job;
use super::super::super::model::{Model, WIDE};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty::message;
use super::super::super::view::pane::Span;
use super::Drawer;
use super::strip::{outcome, progress_words, state_words, took};
use crate::engine::JobId;
use crate::text;

/// Rows below the jobs: a rule, and two lines about one of them.
const ABOUT: u16 = 3;

/// Rows of jobs that the drawer shows on a screen of this size.
pub(super) fn rows(size: (u16, u16)) -> u16 {
    (size.1 / 2).saturating_sub(4).clamp(3, 16)
}

pub(super) fn draw(model: &Model, drawer: &Drawer, canvas: &mut Canvas) {
    let (width, list) = (canvas.width(), &drawer.list);
    let height = rows((width, canvas.height())) + 2 + ABOUT;
    // What was last said stays in sight.
    let bottom = canvas.height().saturating_sub(2 + model.strip_rows());
    let area = Rect::new(0, bottom.saturating_sub(height), width, height);
    canvas.clear(area);
    let top = area.y;
    canvas.rule(0, top, width, model.look.symbols.rule_focus, Role::Focus);
    canvas.text(1, top, width, " Jobs ", Role::Focus);
    if drawer.typing {
        let x = canvas.text(8, top, width, " filter ", Role::Key);
        canvas.field(x, top, width.saturating_sub(x + 1).min(40), &drawer.filter, false);
    } else if !drawer.filter.text().is_empty() {
        let chip = format!(" /{} ", text::escape(drawer.filter.text().as_bytes()));
        canvas.text(8, top, width, &chip, Role::Chip);
    }
    let span = Span {
        x: 0,
        end: width,
        focus: true,
    };
    if model.jobs.is_empty() {
        let keys = [("b", "in a list backs a plan up now")];
        message(canvas, span, top + 1, "Nothing has run yet.", &keys, "coffer jobs");
        return;
    }
    if list.total() == Some(0) {
        let keys = [("Esc", "shows all jobs again")];
        message(canvas, span, top + 1, "No job holds this text.", &keys, "");
        return;
    }
    let wide = width >= WIDE;
    // Where there is little room the lines below say what came of it.
    let job_at: u16 = if wide { 43 } else { 34 };
    // What came of them gets the room that their names do not need.
    let named = |id: &JobId| model.jobs.get(*id).map_or(0, |job| text::width(&job.title));
    let longest = list.held().1.iter().map(named).max().unwrap_or(0) as u16;
    let result_at = if wide {
        job_at + longest.clamp(22, 42) + 2
    } else {
        width.saturating_sub(10)
    };
    let mut columns = vec![(3, "state"), (16, "started"), (job_at, "job")];
    columns.extend(if wide {
        vec![(34, "took"), (result_at, "result")]
    } else {
        vec![(result_at, "took")]
    });
    for (x, head) in columns {
        canvas.text(x, top + 1, width, head, Role::Dim);
    }
    let more = model.look.symbols.more;
    for (n, index) in list.visible().enumerate() {
        let Some(job) = list.get(index).and_then(|id| model.jobs.get(*id)) else {
            continue;
        };
        let y = top + 2 + n as u16;
        let (glyph, state, role) = state_words(model.look.symbols, job);
        let x = canvas.text(3, y, width, glyph, role) + 1;
        canvas.text(x, y, width, state, role);
        let started = text::stamp(job.info.started.seconds, &model.zone);
        canvas.text(16, y, width, &started, Role::Dim);
        let name = text::cut_end(&job.title, usize::from(result_at - job_at - 2), more);
        canvas.text(job_at, y, width, &name, Role::Text);
        let took = took(job, model.now.unix);
        if wide {
            canvas.right(y, job_at - 2, &took, Role::Dim);
            let room = usize::from(width.saturating_sub(result_at + 1));
            let result = text::cut_end(&outcome(job), room, more);
            canvas.text(result_at, y, width, &result, Role::Dim);
        } else {
            canvas.text(result_at, y, width, &took, Role::Dim);
        }
        if index == list.cursor() {
            canvas.paint(0, y, width, model.look.style(Role::Cursor));
        }
    }
    if let Some(job) = list.current().and_then(|id| model.jobs.get(*id)) {
        canvas.rule(0, area.bottom() - ABOUT, width, model.look.symbols.rule, Role::Dim);
        about(model, job, canvas, area.bottom() - ABOUT + 1);
    }
}

/// Two lines about a job: how it runs, or what came of it.
fn about(model: &Model, job: &Job, canvas: &mut Canvas, y: u16) {
    let width = canvas.width();
    let more = model.look.symbols.more;
    if !job.runs() {
        let room = usize::from(width.saturating_sub(4));
        for (n, line) in text::wrap_short(&outcome(job), room, 2, more).iter().enumerate() {
            canvas.text(3, y + n as u16, width, line, Role::Text);
        }
        return;
    }
    let mut x = 3;
    if let Some(done) = job.fraction() {
        canvas.gauge(x, y, 24, done);
        x += 26;
    }
    canvas.text(x, y, width, &progress_words(job), Role::Text);
    x = 3;
    // A bar for each of the last seconds, on one scale from nothing.
    let spark = model.look.symbols.spark;
    let bars: Vec<u64> = job.throughput(if width >= WIDE { 60 } else { 30 }).collect();
    let most = bars.iter().copied().max().unwrap_or(0);
    if most > 0 && !spark.is_empty() {
        for bytes in &bars {
            let level = (*bytes as f64 / most as f64 * spark.len() as f64).ceil() as usize;
            let symbol = level
                .checked_sub(1)
                .map_or(" ", |level| spark[level.min(spark.len() - 1)]);
            x = canvas.text(x, y + 1, width, symbol, Role::Focus);
        }
        let scale = format!("{} s, at most {}/s", bars.len(), text::bytes(most));
        x = canvas.text(x + 1, y + 1, width, &scale, Role::Dim) + 2;
    }
    let place = if job.here() { "" } else { "in another process  " };
    x = canvas.text(x, y + 1, width, place, Role::Warning);
    let current = text::escape(&job.sample.current);
    let room = usize::from(width.saturating_sub(x + 1));
    canvas.text(x, y + 1, width, &text::cut_start(&current, room, more), Role::Dim);
}

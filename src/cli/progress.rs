//! Showing how far a job has come: lines on a terminal, JSON lines on request, nothing in a pipe.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Failure;
use super::output::{Output, bytes, count, escape, span};
use crate::progress::ProgressSample;

/// How often a terminal is drawn, and signals are looked at.
pub const TICK: Duration = Duration::from_millis(100);
/// How often a JSON line is printed.
const JSON_TICK: Duration = Duration::from_millis(500);

/// One job's progress on the user's side.
pub struct Shown<'a> {
    out: &'a Output,
    bar: Option<ProgressBar>,
    json: bool,
    start: Instant,
    last_json: Option<Instant>,
    speed: f64,
    last: (Instant, u64),
}

impl<'a> Shown<'a> {
    /// Nothing drawn yet. `json`: whether this job prints progress lines with `--json`.
    pub fn new(out: &'a Output, json: bool) -> Shown<'a> {
        let draw = !out.quiet && !out.json && std::io::stderr().is_terminal();
        let bar = draw.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
            // Known to be right; should it not be, indicatif's own style serves as well.
            if let Ok(style) = ProgressStyle::with_template("{prefix}\n{wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        let now = Instant::now();
        Shown {
            out,
            bar,
            json: json && out.json,
            start: now,
            last_json: None,
            speed: 0.0,
            last: (now, 0),
        }
    }

    /// Draws or prints one moment.
    pub fn tick(&mut self, sample: &ProgressSample) -> Result<(), Failure> {
        let now = Instant::now();
        let passed = now.duration_since(self.last.0).as_secs_f64();
        if passed >= 0.05 {
            let done = sample.bytes_done.saturating_sub(self.last.1) as f64 / passed;
            // Smoothed over about two seconds, so that the estimate can be read.
            let weight = (passed / 2.0).min(1.0);
            self.speed += (done - self.speed) * if self.last.1 == 0 { 1.0 } else { weight };
            self.last = (now, sample.bytes_done);
        }
        if let Some(bar) = &self.bar {
            bar.set_prefix(self.headline(sample));
            bar.set_message(escape(&sample.current));
            bar.tick();
        }
        if self.json && self.last_json.is_none_or(|last| now.duration_since(last) >= JSON_TICK) {
            self.last_json = Some(now);
            self.print(sample)?;
        }
        Ok(())
    }

    /// Runs `say` with the progress out of the way, for lines in between.
    pub fn aside(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    /// The last line, with the final counts; a terminal's lines are taken away.
    pub fn finish(&mut self, sample: &ProgressSample) -> Result<(), Failure> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if self.json { self.print(sample) } else { Ok(()) }
    }

    fn eta(&self, sample: &ProgressSample) -> Option<u64> {
        let left = sample.bytes_total.saturating_sub(sample.bytes_done) as f64;
        (sample.totals_known && self.speed > 1.0).then(|| (left / self.speed) as u64)
    }

    fn headline(&self, sample: &ProgressSample) -> String {
        let about = if sample.totals_known { "" } else { "at least " };
        let of = |done: String, total: String| format!("{done} of {about}{total}");
        let mut parts = vec![format!("[{}]", span(self.start.elapsed().as_secs()))];
        if sample.totals_known && sample.bytes_total > 0 {
            parts.push(format!(
                "{:.0} %",
                100.0 * sample.bytes_done as f64 / sample.bytes_total as f64
            ));
        }
        parts.push(format!(
            "{} files",
            of(count(sample.files_done), count(sample.files_total))
        ));
        parts.push(of(bytes(sample.bytes_done), bytes(sample.bytes_total)));
        parts.push(format!("{}/s", bytes(self.speed as u64)));
        parts.extend(self.eta(sample).map(|seconds| format!("{} left", span(seconds))));
        if sample.errors > 0 {
            parts.push(format!("{} errors", count(sample.errors)));
        }
        parts.join("  ")
    }

    fn print(&self, sample: &ProgressSample) -> Result<(), Failure> {
        let percent = (sample.bytes_total > 0).then(|| sample.bytes_done as f64 / sample.bytes_total as f64);
        self.out.value(&serde_json::json!({
            "type": "progress",
            "seconds_elapsed": self.start.elapsed().as_secs(),
            "seconds_remaining": self.eta(sample),
            "percent_done": percent.unwrap_or(0.0).min(1.0),
            "files_done": sample.files_done,
            "total_files": sample.files_total,
            "bytes_done": sample.bytes_done,
            "total_bytes": sample.bytes_total,
            "totals_known": sample.totals_known,
            "error_count": sample.errors,
            "current": String::from_utf8_lossy(&sample.current),
        }))?;
        self.out.flush()
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

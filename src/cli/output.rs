//! What commands print: lines of text or JSON on standard output, remarks on standard error, tables.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use serde::Serialize;

use super::Failure;
use super::args::GlobalArgs;
use crate::progress::Cancelled;
use crate::vault::{self, Time};

use crate::text::cut_end;
pub use crate::text::{bytes, count, counted, escape, pad, span, width};

/// Standard output and standard error, as the user asked for them.
#[derive(Debug)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
    /// No remarks.
    pub quiet: bool,
    /// How much more to say.
    pub verbose: u8,
    /// The zone times are shown in.
    pub zone: TimeZone,
    out: Mutex<BufWriter<Stdout>>,
    live: bool,
}

impl Output {
    /// As the options ask for.
    pub fn new(global: &GlobalArgs, zone: TimeZone) -> Output {
        let live = io::stdout().is_terminal();
        let out = Mutex::new(BufWriter::with_capacity(64 << 10, io::stdout()));
        Output {
            json: global.json,
            quiet: global.quiet,
            verbose: global.verbose,
            zone,
            out,
            live,
        }
    }

    /// Standard output itself, buffered.
    pub fn writer(&self) -> MutexGuard<'_, BufWriter<Stdout>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line of text.
    pub fn line(&self, text: impl Display) -> Result<(), Failure> {
        let mut out = self.writer();
        writeln!(out, "{text}")?;
        if self.live {
            out.flush()?;
        }
        Ok(())
    }

    /// A value as one line of JSON.
    pub fn value(&self, value: &impl Serialize) -> Result<(), Failure> {
        let mut out = self.writer();
        serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
        out.write_all(b"\n")?;
        if self.live {
            out.flush()?;
        }
        Ok(())
    }

    /// Hands on what is buffered, so that whoever reads sees it now.
    pub fn flush(&self) -> Result<(), Failure> {
        Ok(self.writer().flush()?)
    }

    /// A line of text that only people need: not with `--quiet`, not with `--json`.
    pub fn remark(&self, text: impl Display) -> Result<(), Failure> {
        if self.quiet || self.json {
            Ok(())
        } else {
            self.line(text)
        }
    }

    /// Something that went wrong while the work goes on: a line on standard error, or a JSON object there.
    pub fn problem(&self, path: &[u8], text: &str) {
        let line = if self.json {
            serde_json::json!({ "type": "problem", "path": String::from_utf8_lossy(path), "message": text }).to_string()
        } else if path.is_empty() {
            format!("coffer: {text}")
        } else {
            format!("coffer: {}: {text}", escape(path))
        };
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    /// How many columns the terminal has; `None` when nobody looks at one.
    fn columns(&self) -> Option<usize> {
        let (columns, _) = self.live.then(crossterm::terminal::size)?.ok()?;
        (columns > 0).then_some(usize::from(columns))
    }

    /// A time in the local zone, to the second.
    pub fn time(&self, time: &Time) -> String {
        match jiff::Timestamp::from_second(time.seconds) {
            Ok(at) => self
                .zone
                .to_offset(at)
                .to_datetime(at)
                .strftime("%Y-%m-%d %H:%M:%S")
                .to_string(),
            Err(_) => time.to_string(),
        }
    }
}

/// Printing from within a question's callback: a failure to print stops the question, and is what comes out at its end.
#[derive(Debug, Default)]
pub struct Streaming(Option<Failure>);

impl Streaming {
    /// Hands a failure on to the question as a stop.
    pub fn on(&mut self, printed: Result<(), Failure>) -> vault::Result<()> {
        printed.map_err(|failure| {
            self.0 = Some(failure);
            vault::Error::Cancelled(Cancelled)
        })
    }

    /// What came of the question, unless printing failed.
    pub fn end<T>(self, result: vault::Result<T>) -> Result<T, Failure> {
        match self.0 {
            Some(failure) => Err(failure),
            None => Ok(result?),
        }
    }
}

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows of text in aligned columns.
#[derive(Debug)]
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// No rows yet.
    pub fn new(columns: &[(&'static str, Align)]) -> Table {
        Table {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Appends a row. Cells hold no hostile characters: escape them before.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines: header, rule, rows; no blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        let widths = self.widths();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut line = String::new();
            for ((cell, (_, align)), &cells) in cells.zip(&self.columns).zip(&widths) {
                if !line.is_empty() {
                    line.push_str("  ");
                }
                let blanks = " ".repeat(cells.saturating_sub(width(cell)));
                match align {
                    Align::Left => line.extend([cell, &blanks]),
                    Align::Right => line.extend([&blanks, cell]),
                }
            }
            line.truncate(line.trim_end().len());
            line
        };
        let header = line(&mut self.columns.iter().map(|(name, _)| *name));
        let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1));
        let mut lines = vec![header, rule];
        lines.extend(self.rows.iter().map(|row| line(&mut row.iter().map(String::as_str))));
        lines
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |i: usize| {
            let rows = self.rows.iter().filter_map(|row| row.get(i)).map(|cell| width(cell));
            rows.chain([width(self.columns[i].0)]).max().unwrap_or(0)
        };
        (0..self.columns.len()).map(widest).collect()
    }

    /// Cuts the words of the last column, so that no line is longer than this; they keep a few cells in any case.
    fn fit(&mut self, columns: usize) {
        const FEW: usize = 16;
        let widths = self.widths();
        let Some((last, others)) = widths.split_last() else {
            return;
        };
        let room = columns
            .saturating_sub(others.iter().map(|cells| cells + 2).sum())
            .max(FEW);
        if *last <= room || self.columns[others.len()].1 == Align::Right {
            return;
        }
        for cell in self.rows.iter_mut().filter_map(|row| row.get_mut(others.len())) {
            *cell = cut_end(cell, room, "…");
        }
    }

    /// Prints it.
    pub fn print(&self, out: &Output) -> Result<(), Failure> {
        self.lines().iter().try_for_each(|line| out.line(line))
    }

    /// Prints it, no wider than the terminal, if there is one: for last columns of words that another command tells
    /// whole. What reads from a pipe gets it all.
    pub fn print_cut(mut self, out: &Output) -> Result<(), Failure> {
        if let Some(columns) = out.columns() {
            self.fit(columns);
        }
        self.print(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_by_cells_on_screen() {
        let mut table = Table::new(&[("Name", Align::Left), ("Size", Align::Right), ("Tags", Align::Left)]);
        table.row(vec!["日本".into(), "1.5 KiB".into(), "a,b".into()]);
        table.row(vec!["x".into(), "999 B".into(), String::new()]);
        insta::assert_snapshot!(table.lines().join("\n"), @r"
        Name     Size  Tags
        ───────────────────
        日本  1.5 KiB  a,b
        x       999 B
        ");
    }

    #[test]
    fn the_last_words_are_cut_to_the_terminal() {
        let mut table = Table::new(&[("Job", Align::Right), ("What", Align::Left)]);
        table.row(vec![
            "17".into(),
            "7 new, 11 changed of 285 files, 532.1 KiB added".into(),
        ]);
        table.fit(30);
        insta::assert_snapshot!(table.lines().join("\n"), @r"
        Job  What
        ──────────────────────────────
         17  7 new, 11 changed of 285…
        ");
        table.fit(3);
        assert!(
            table.lines()[2].starts_with(" 17  7 new, 11 chan"),
            "still something to read"
        );
    }
}

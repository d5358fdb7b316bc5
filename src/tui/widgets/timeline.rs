//! Moments on a line of time, in lanes: one row for each kind, a column for a stretch of time, dates below.
//!
//! A column with one moment shows the lane's glyph, one with a few their number, one with ten and more a sign for many: what
//! is seen is never only a colour. Numbers side by side would read as one: they give way to the sign for many. The lanes'
//! names carry their counts, so that nothing must be counted by eye.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use ratatui::layout::Rect;

use crate::text;
use crate::tui::theme::{Role, Symbols};
use crate::tui::view::canvas::Canvas;

/// Cells between two dates at least.
const APART: u16 = 2;

/// What a lane holds: its glyph and its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Whole ones.
    Full,
    /// Those that brought what had changed.
    Incremental,
    /// Those that failed.
    Failed,
    /// Those that would go.
    Leaving,
}

impl Kind {
    fn glyph(self, symbols: &Symbols) -> &'static str {
        symbols.lanes[self as usize]
    }

    fn role(self) -> Role {
        match self {
            Kind::Full => Role::LaneFull,
            Kind::Incremental => Role::LaneIncremental,
            Kind::Failed => Role::LaneFailed,
            Kind::Leaving => Role::LaneLeaving,
        }
    }
}

/// Moments of a kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lane<'a> {
    /// What they are.
    pub(crate) name: &'a str,
    /// What kind they are.
    pub(crate) kind: Kind,
    /// When, in seconds since 1970, in any order.
    pub(crate) times: Vec<i64>,
}

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Timeline<'a> {
    /// The rows, from the top.
    pub(crate) lanes: Vec<Lane<'a>>,
    /// The last moment shown; the first is that of the oldest mark.
    pub(crate) now: i64,
    /// Where the cursor is.
    pub(crate) cursor: Option<i64>,
    /// Marks with the letters that stand for them.
    pub(crate) marks: Vec<(&'static str, i64)>,
    /// The zone of the dates.
    pub(crate) zone: TimeZone,
}

impl Timeline<'_> {
    /// Rows it takes: its lanes, a line for the cursor and the marks, and the dates.
    pub(crate) fn height(&self) -> u16 {
        u16::try_from(self.lanes.len()).unwrap_or(u16::MAX - 2) + 2
    }

    /// From when on there is something to show.
    fn from(&self) -> i64 {
        let times = self.lanes.iter().flat_map(|lane| lane.times.iter().copied());
        let first = times.filter(|time| *time <= self.now).min().unwrap_or(self.now);
        // One moment alone stands at the right end of a day, not on a line of no length.
        first.min(self.now.saturating_sub(86_400))
    }

    /// Draws it; what does not fit at the bottom is left out.
    pub(crate) fn draw(&self, canvas: &mut Canvas, area: Rect) {
        let names: Vec<String> = self
            .lanes
            .iter()
            .map(|lane| text::count(lane.times.len() as u64))
            .collect();
        let count = names.iter().map(|name| text::width(name)).max().unwrap_or(0);
        let name = self.lanes.iter().map(|lane| text::width(lane.name)).max().unwrap_or(0);
        let label = (name + 1 + count) as u16;
        let left = area.x + label + 2;
        if area.width < label + 2 + 10 {
            return;
        }
        let axis = Axis {
            from: self.from(),
            to: self.now,
            left,
            width: area.right() - left,
        };
        let symbols = canvas.look.symbols;
        let mut y = area.y;
        for (lane, count) in self.lanes.iter().zip(&names) {
            if y >= area.bottom() {
                return;
            }
            let role = if lane.times.is_empty() {
                Role::Dim
            } else {
                lane.kind.role()
            };
            canvas.text(area.x, y, left, lane.name, role);
            canvas.right(y, area.x + label, count, Role::Dim);
            let mut columns = vec![0u32; usize::from(axis.width)];
            for time in &lane.times {
                if let Some(column) = axis.column(*time) {
                    columns[usize::from(column)] += 1;
                }
            }
            let is_number = |column: Option<usize>| {
                let amount = column.and_then(|column| columns.get(column));
                amount.is_some_and(|amount| (2..10).contains(amount))
            };
            let touches = |column: usize| is_number(column.checked_sub(1)) || is_number(Some(column + 1));
            for (column, amount) in columns.iter().enumerate() {
                let digit;
                let shown = match amount {
                    0 => continue,
                    1 => lane.kind.glyph(symbols),
                    2..=9 if !touches(column) => {
                        digit = amount.to_string();
                        &digit
                    }
                    _ => symbols.several,
                };
                let x = left + column as u16;
                canvas.text(x, y, x + 1, shown, lane.kind.role());
            }
            y += 1;
        }
        if y < area.bottom() {
            self.ruler(canvas, &axis, y);
        }
        if y + 1 < area.bottom() {
            dates(canvas, &axis, y + 1, &self.zone);
        }
    }

    /// The line of time, with the cursor and the marks on it.
    fn ruler(&self, canvas: &mut Canvas, axis: &Axis, y: u16) {
        let symbols = canvas.look.symbols;
        let end = axis.left + axis.width;
        canvas.rule(axis.left, y, end, symbols.axis, Role::Axis);
        for (x, _) in axis.ticks(&self.zone) {
            canvas.text(x, y, end, symbols.tee, Role::Axis);
        }
        if let Some(column) = self.cursor.and_then(|time| axis.column(time)) {
            let pointer = if symbols.rule.is_ascii() { "^" } else { "▲" };
            canvas.text(axis.left + column, y, end, pointer, Role::Focus);
        }
        for (letter, time) in &self.marks {
            if let Some(column) = axis.column(*time) {
                canvas.text(axis.left + column, y, end, letter, Role::Chip);
            }
        }
    }
}

/// Seconds to columns.
struct Axis {
    from: i64,
    to: i64,
    left: u16,
    width: u16,
}

impl Axis {
    fn column(&self, time: i64) -> Option<u16> {
        if time < self.from || time > self.to || self.width == 0 {
            return None;
        }
        let whole = i128::from(self.to) - i128::from(self.from);
        let part = i128::from(time) - i128::from(self.from);
        let last = i128::from(self.width) - 1;
        u16::try_from((part * last * 2 + whole) / (whole.max(1) * 2)).ok()
    }

    /// Where a date stands, and its text: as coarse as there is room for.
    fn ticks(&self, zone: &TimeZone) -> Vec<(u16, String)> {
        for step in STEPS {
            let ticks = self.ticks_of(*step, zone);
            let mut free = self.left;
            let fits = ticks.iter().all(|(x, text)| {
                let fits = *x >= free;
                free = x + text::width(text) as u16 + APART;
                fits
            });
            if fits {
                return ticks;
            }
        }
        Vec::new()
    }

    fn ticks_of(&self, step: Step, zone: &TimeZone) -> Vec<(u16, String)> {
        let local = |seconds| Timestamp::from_second(seconds).ok().map(|at| zone.to_datetime(at));
        let (Some(mut at), Some(end)) = (local(self.from).and_then(|from| step.first(from)), local(self.to)) else {
            return Vec::new();
        };
        let mut ticks = Vec::new();
        let mut shown: Option<Date> = None;
        // One more than fits is enough to know that they do not.
        while at <= end && ticks.len() <= usize::from(self.width) {
            let seconds = zone.to_timestamp(at).map(|at| at.as_second());
            if let Some(column) = seconds.ok().and_then(|seconds| self.column(seconds)) {
                let text = step.text(at, shown);
                // The last one must not be cut.
                if text::width(&text) as u16 + column <= self.width {
                    ticks.push((self.left + column, text));
                    shown = Some(at.date());
                }
            }
            let Some(next) = step.next(at) else { break };
            at = next;
        }
        ticks
    }
}

/// From one date to the next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Hours(i8),
    Days(i8),
    Weeks,
    Months(i8),
    Years(i16),
}

/// From fine to coarse.
const STEPS: &[Step] = &[
    Step::Hours(1),
    Step::Hours(3),
    Step::Hours(6),
    Step::Hours(12),
    Step::Days(1),
    Step::Days(2),
    Step::Weeks,
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Years(1),
    Step::Years(2),
    Step::Years(5),
    Step::Years(10),
    Step::Years(100),
];

impl Step {
    /// The first date of this step not before a moment.
    fn first(self, from: DateTime) -> Option<DateTime> {
        let midnight = from.date().at(0, 0, 0, 0);
        let mut at = match self {
            Step::Hours(_) | Step::Days(_) => midnight,
            Step::Weeks => midnight
                .checked_sub(Span::new().days(i64::from(from.weekday().to_monday_zero_offset())))
                .ok()?,
            Step::Months(_) => from.date().first_of_year().at(0, 0, 0, 0),
            Step::Years(step) => {
                let year = from.year() - from.year().rem_euclid(step);
                Date::new(year, 1, 1).ok()?.at(0, 0, 0, 0)
            }
        };
        while at < from {
            at = self.next(at)?;
        }
        Some(at)
    }

    fn next(self, at: DateTime) -> Option<DateTime> {
        let span = match self {
            Step::Hours(n) => Span::new().hours(n),
            Step::Days(n) => Span::new().days(n),
            Step::Weeks => Span::new().weeks(1),
            Step::Months(n) => Span::new().months(n),
            Step::Years(n) => Span::new().years(n),
        };
        at.checked_add(span).ok()
    }

    fn text(self, at: DateTime, before: Option<Date>) -> String {
        let month = month(at.month());
        match self {
            Step::Hours(_) if at.hour() == 0 => format!("{month} {}", at.day()),
            Step::Hours(_) => format!("{:02}:00", at.hour()),
            Step::Days(_) | Step::Weeks => format!("{month} {}", at.day()),
            // The year where it begins, and at the line's begin.
            Step::Months(_) if before.is_none_or(|before| before.year() != at.year()) && at.month() == 1 => {
                at.year().to_string()
            }
            Step::Months(_) => month.to_owned(),
            Step::Years(_) => at.year().to_string(),
        }
    }
}

/// A month's short name.
pub(crate) fn month(number: i8) -> &'static str {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    usize::try_from(number - 1)
        .ok()
        .and_then(|n| MONTHS.get(n))
        .copied()
        .unwrap_or("")
}

fn dates(canvas: &mut Canvas, axis: &Axis, y: u16, zone: &TimeZone) {
    for (x, date) in axis.ticks(zone) {
        canvas.text(x, y, axis.left + axis.width, &date, Role::Axis);
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::super::testing::{ascii, drawn, plain};
    use super::*;

    const NOW: i64 = 1_795_348_800; // 2026-11-22 12:00 UTC
    const DAY: i64 = 86_400;

    fn timeline<'a>() -> Timeline<'a> {
        let ago = |days: &[i64]| days.iter().map(|days| NOW - days * DAY).collect();
        Timeline {
            lanes: vec![
                Lane {
                    name: "full",
                    kind: Kind::Full,
                    times: ago(&[270]),
                },
                Lane {
                    name: "incremental",
                    kind: Kind::Incremental,
                    times: ago(&[0, 1, 2, 7, 14, 21, 30, 61, 92, 122, 153, 183, 214]),
                },
                Lane {
                    name: "failed",
                    kind: Kind::Failed,
                    times: ago(&[40, 41]),
                },
                Lane {
                    name: "would go",
                    kind: Kind::Leaving,
                    times: Vec::new(),
                },
            ],
            now: NOW,
            cursor: Some(NOW - 30 * DAY),
            marks: vec![("A", NOW - 122 * DAY), ("B", NOW)],
            zone: TimeZone::UTC,
        }
    }

    #[test]
    fn nine_months_in_a_pane() {
        let timeline = timeline();
        let draw = |canvas: &mut Canvas, area| timeline.draw(canvas, area);
        assert_snapshot!(drawn(70, timeline.height(), plain(), draw), @r#"
        full         1  ◆
        incremental 13             ●     ●     ●     ●     ●     ●     ● ●● ●3
        failed       2                                               2
        would go     0
                        ─┬─────┬─────┬─────┬─────┬───A─┬─────┬─────┬───▲─┬───B
                         Mar   Apr   May   Jun   Jul   Aug   Sep   Oct   Nov
        "#);
        assert_snapshot!(drawn(50, timeline.height(), ascii(), draw), @r#"
        full         1  #
        incremental 13         o   o  o   o   o   o  oooo3
        failed       2                              2
        would go     0
                        +-------+------+--A----+-----^+--B
                        Mar     May    Jul     Sep    Nov
        "#);
    }

    #[test]
    fn numbers_side_by_side_do_not_read_as_one() {
        let timeline = timeline();
        let draw = |canvas: &mut Canvas, area| timeline.draw(canvas, area);
        let screen = drawn(45, 2, plain(), draw);
        let lane = screen.lines().nth(1).unwrap_or_default();
        assert!(lane.ends_with("●●■■"), "{lane}");
        let numbers = lane.split("13").last().unwrap_or_default();
        assert!(!numbers.contains(|c: char| c.is_ascii_digit()), "{lane}");
    }

    #[test]
    fn a_few_days_have_hours_and_many_years_have_years() {
        let at = |times: Vec<i64>| {
            let mut timeline = timeline();
            timeline.lanes.truncate(1);
            timeline.lanes[0].times = times;
            timeline.marks.clear();
            drawn(60, 3, plain(), |canvas, area| timeline.draw(canvas, area))
        };
        assert_snapshot!(at(vec![NOW - 3600]), @r#"
        full 1                                                   ◆
                ┬────────────┬────────────┬───────────┬─────────────
                12:00        18:00        Nov 22      06:00
        "#);
        assert_snapshot!(at((0..4000).map(|n| NOW - n * DAY).collect()), @r#"
        full 4,000  ■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■
                    ┬────────┬───────┬────────┬────────┬───────┬───▲
                    2016     2018    2020     2022     2024    2026
        "#);
        assert_snapshot!(at(vec![]), @r#"
        full 0
                ┬────────────┬────────────┬───────────┬─────────────
                12:00        18:00        Nov 22      06:00
        "#);
    }

    proptest! {
        #[test]
        fn any_times_are_drawn_inside(times in proptest::collection::vec(any::<i64>(), 0..20), now: i64, width in 0u16..90, height in 0u16..9) {
            let mut timeline = timeline();
            timeline.lanes[1].times = times.clone();
            timeline.now = now;
            timeline.cursor = times.first().copied();
            drawn(width, height, plain(), |canvas, area| timeline.draw(canvas, area));
        }
    }
}

//! A year of days, a column for each week: how much came on each, and which were missed.
//!
//! A day without a plan, a missed one and a failed one differ in their glyph, not in their colour alone; the line below
//! names and counts them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use ratatui::layout::Rect;

use super::timeline::month;
use crate::text;
use crate::tui::theme::{Role, Symbols};
use crate::tui::view::canvas::Canvas;

/// How many days are shown at most: all of a year's weeks.
const DAYS: i64 = 371;
/// Cells left of the days.
const LABEL: u16 = 4;
const DAY: i64 = 86_400;

/// What a day was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Day {
    /// Nothing was due.
    Free,
    /// A run was due and there was none.
    Missed,
    /// A run failed, and none was good.
    Failed,
    /// Something came: how much of it, from 1 to 4.
    Made(u8),
}

/// When runs are expected.
pub(crate) enum Due<'a> {
    /// Never: nothing can be missed.
    Never,
    /// So many seconds after the last one.
    Every(i64),
    /// On the days of which this is true, from this time on: what was before, nobody knows.
    On(&'a dyn Fn(Date) -> bool, i64),
}

/// A year, the last day first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Year {
    today: Date,
    /// By their distance from today.
    days: Vec<Day>,
}

impl Year {
    /// A year up to `now` from what was made (when, and how much came of it), when runs were good and when they failed, and
    /// when they are expected, from the first one on. A day with a good run of which nothing is left was not missed. All
    /// times in seconds since 1970.
    pub(crate) fn of(made: &[(i64, u64)], good: &[i64], failed: &[i64], due: &Due, now: i64, zone: &TimeZone) -> Year {
        let date = |seconds: i64| {
            Timestamp::from_second(seconds)
                .ok()
                .map(|at| zone.to_datetime(at).date())
        };
        let today = date(now).unwrap_or_default();
        let back = |seconds: i64| {
            let days = date(seconds)?.until(today).ok()?.get_days();
            (days >= 0).then(|| i64::from(days))
        };
        // Newest last, by the negative distance from today.
        let mut sums: BTreeMap<i64, u64> = BTreeMap::new();
        for (time, amount) in made {
            if let Some(back) = back(*time) {
                let sum = sums.entry(-back).or_default();
                *sum = sum.saturating_add(*amount);
            }
        }
        let mut ran: BTreeSet<i64> = sums.keys().copied().collect();
        ran.extend(good.iter().filter_map(|time| back(*time).map(|back| -back)));
        let mut days = vec![Day::Free; DAYS as usize];
        let mut set = |day: i64, what: Day| {
            if let Some(day) = usize::try_from(-day).ok().and_then(|day| days.get_mut(day)) {
                *day = what;
            }
        };
        match due {
            Due::Never => {}
            Due::Every(every) => {
                let step = (every.saturating_add(DAY / 2) / DAY).clamp(1, DAYS);
                for day in missed(ran.iter().copied(), step) {
                    set(day, Day::Missed);
                }
            }
            Due::On(is_due, since) => {
                let first = back(*since).map_or(0, |back| -back).max(-DAYS);
                // Today can still bring its own.
                for day in first..0 {
                    let date = today.checked_add(Span::new().days(day)).ok();
                    if !ran.contains(&day) && date.is_some_and(is_due) {
                        set(day, Day::Missed);
                    }
                }
            }
        }
        for time in failed {
            if let Some(back) = back(*time) {
                set(-back, Day::Failed);
            }
        }
        let mut amounts: Vec<u64> = sums.values().copied().collect();
        amounts.sort_unstable();
        for (day, amount) in &sums {
            // Among its like, not against the largest: a first, full one would make all others look like nothing.
            let rank = amounts.partition_point(|other| other < amount);
            set(*day, Day::Made((1 + rank * 4 / amounts.len().max(1)).min(4) as u8));
        }
        Year { today, days }
    }

    /// The days of the year that were like this.
    pub(crate) fn dates(&self, which: impl Fn(Day) -> bool) -> Vec<Date> {
        let days = self.days.iter().enumerate().filter(|(_, day)| which(**day));
        days.filter_map(|(back, _)| self.today.checked_sub(Span::new().days(back as i64)).ok())
            .collect()
    }

    /// Rows it takes: the months, seven days, what the glyphs mean.
    pub(crate) fn height() -> u16 {
        9
    }

    /// Draws it, as many weeks as fit, newest right; `cursor` is the moment to point out.
    pub(crate) fn draw(&self, canvas: &mut Canvas, area: Rect, cursor: Option<i64>, zone: &TimeZone) {
        if area.width < LABEL + 8 || area.height < 8 {
            return;
        }
        let symbols = canvas.look.symbols;
        let room = area.width - LABEL;
        // Two cells a day where a whole year fits so.
        let cell = if room >= 106 { 2 } else { 1 };
        let weeks = i64::from(room / cell).min(53);
        let weekday = i64::from(self.today.weekday().to_monday_zero_offset());
        let left = area.x + LABEL;
        for (row, name) in [(0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun")] {
            canvas.text(area.x, area.y + 1 + row, left, name, Role::Dim);
        }
        let cursor = cursor
            .and_then(|time| Timestamp::from_second(time).ok())
            .map(|at| zone.to_datetime(at).date());
        let mut last_month = 0;
        let mut free = left;
        for week in 0..weeks {
            let x = left + week as u16 * cell;
            for row in 0..7 {
                let back = (weeks - 1 - week) * 7 + weekday - row;
                let Some(day) = usize::try_from(back).ok().and_then(|back| self.days.get(back)) else {
                    continue;
                };
                let y = area.y + 1 + row as u16;
                let (glyph, role) = day_glyph(*day, symbols);
                let date = self.today.checked_sub(Span::new().days(back)).ok();
                let (glyph, role) = match day {
                    _ if date.is_none() || date != cursor => (glyph, role),
                    // Half a glyph in a colour turned about would be a colour of its own.
                    Day::Made(_) => (symbols.bullet, Role::Chip),
                    _ => (glyph, Role::Chip),
                };
                canvas.text(x, y, area.right(), glyph, role);
                if row == 0
                    && let Some(date) = date
                    && date.month() != last_month
                {
                    // A month that begins with this week, unless its name would touch the one before.
                    if last_month != 0 && date.day() <= 7 && x >= free {
                        free = canvas.text(x, area.y, area.right(), month(date.month()), Role::Dim) + 1;
                    }
                    last_month = date.month();
                }
            }
        }
        if area.height > 8 {
            self.legend(canvas, area, weeks as usize * 7);
        }
    }

    /// What the glyphs mean, and how often they show in the last `shown` days.
    fn legend(&self, canvas: &mut Canvas, area: Rect, shown: usize) {
        let symbols = canvas.look.symbols;
        let y = area.y + 8;
        let mut x = area.x + LABEL;
        let count = |which| self.days.iter().take(shown).filter(|day| **day == which).count() as u64;
        let (missed, failed) = (count(Day::Missed), count(Day::Failed));
        let mut word = |glyph: &str, role, words: &str| {
            let width = (text::width(glyph) + 1 + text::width(words)) as u16;
            if x + width > area.right() {
                return;
            }
            x = canvas.text(x, y, area.right(), glyph, role);
            x = canvas.text(x + 1, y, area.right(), words, Role::Dim) + 2;
        };
        word(&symbols.heat[1..].concat(), Role::Heat(1), "added");
        for (day, words) in [
            (Day::Missed, format!("missed {}", text::count(missed))),
            (Day::Failed, format!("failed {}", text::count(failed))),
            (Day::Free, "none due".to_owned()),
        ] {
            let (glyph, role) = day_glyph(day, symbols);
            word(glyph, role, &words);
        }
    }
}

/// The days on which a run was due and none came: `step` days after the last one (or after the last missed one), with a
/// quarter more to come in. Days count from today (0) backwards into the negative; today can still bring its own.
///
/// The rhythm is a guess: it counts as far back as runs kept to it. Beyond a distance of more than three steps they had
/// another one, or a retention rule has let the others go.
fn missed(made: impl Iterator<Item = i64>, step: i64) -> Vec<i64> {
    let grace = step / 4;
    let mut found = Vec::new();
    let mut made: Vec<i64> = made.collect();
    let begun = made.windows(2).rposition(|pair| pair[1] - pair[0] > 3 * step);
    made.drain(..begun.map_or(0, |at| at + 1));
    made.push(1); // beyond today
    for pair in made.windows(2) {
        let [mut last, next] = *pair else { continue };
        last = last.max(-DAYS - step);
        while last + step + grace < next && last + step < 0 {
            last += step;
            found.push(last);
        }
    }
    found
}

/// The seconds from one run to the next as the runs themselves tell: the middle one of all distances, in whole days, at
/// least one. `None` for fewer than three runs.
pub(crate) fn rhythm(times: &[i64]) -> Option<i64> {
    let mut times = times.to_vec();
    times.sort_unstable();
    let mut apart: Vec<i64> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    apart.sort_unstable();
    let middle = *apart.get(apart.len() / 2).filter(|_| apart.len() >= 2)?;
    Some((middle.saturating_add(DAY / 2) / DAY).max(1).saturating_mul(DAY))
}

/// What stands for a day, and how it looks.
fn day_glyph(day: Day, symbols: &Symbols) -> (&'static str, Role) {
    match day {
        Day::Free => (symbols.heat[0], Role::Heat(0)),
        Day::Missed => (symbols.missed, Role::Missed),
        // A letter, since every set's cross is taken.
        Day::Failed => ("F", Role::Danger),
        Day::Made(level) => {
            let level = level.clamp(1, 4);
            (symbols.heat[usize::from(level)], Role::Heat(level))
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::super::testing::{ascii, drawn, plain};
    use super::*;

    const NOW: i64 = 1_795_348_800; // Sunday, 2026-11-22 12:00 UTC

    fn year(made: &[i64], failed: &[i64], every: Option<i64>) -> Year {
        let made: Vec<(i64, u64)> = made
            .iter()
            .map(|days| (NOW - days * DAY, 1_000 + *days as u64))
            .collect();
        let failed: Vec<i64> = failed.iter().map(|days| NOW - days * DAY).collect();
        let due = every.map_or(Due::Never, Due::Every);
        Year::of(&made, &[], &failed, &due, NOW, &TimeZone::UTC)
    }

    #[test]
    fn a_year_in_a_pane() {
        let made: Vec<i64> = (0..200).filter(|day| ![0, 30, 31, 77].contains(day)).collect();
        let year = year(&made, &[31, 50], Some(DAY));
        let draw = |canvas: &mut Canvas, area| year.draw(canvas, area, Some(NOW - 3 * DAY), &TimeZone::UTC);
        assert_snapshot!(drawn(57, Year::height(), plain(), draw), @r#"
              Dec  Jan Feb Mar  Apr May Jun  Jul Aug  Sep Oct Nov
        Mon ·························███████▓▓▓▓▓▓▓▒▒▒▒▒▒▒░░░░░░░
            ·························███████▓▓▓▓▓▓▓▒▒▒▒▒▒▒░░░░░░░
        Wed ·························███████▓▓▓▓▓▓▓▒▒▒▒▒▒▒░░░░░░░
            ························███████▓▓▓▓▓▓▓▒▒▒▒▒▒▒▒░░F░░░•
        Fri ························███████▓▓▓▓▓▓▓▒▒▒▒▒▒▒░░░×░░░░
            ························███████▓▓▓▓▓▓▓▒▒▒▒▒▒▒░░░░░░░░
        Sun ························███████▓▓▓▓▓▓▓▒▒▒×▒▒▒░░░░░░░·
            ░▒▓█ added  × missed 2  F failed 1  · none due
        "#);
        assert_snapshot!(drawn(40, Year::height(), ascii(), draw), @r#"
               Apr May Jun  Jul Aug  Sep Oct Nov
        Mon ........#######xxxxxxx+++++++-------
            ........#######xxxxxxx+++++++-------
        Wed ........#######xxxxxxx+++++++-------
            .......#######xxxxxxx++++++++--F---*
        Fri .......#######xxxxxxx+++++++---!----
            .......#######xxxxxxx+++++++--------
        Sun .......#######xxxxxxx+++!+++-------.
            -+x# added  ! missed 2  F failed 1
        "#);
        assert_snapshot!(drawn(112, Year::height(), plain(), draw).lines().next().unwrap_or(""), @"        Dec       Jan     Feb     Mar       Apr     May     Jun       Jul     Aug       Sep     Oct     Nov");
    }

    #[test]
    fn missed_days_are_those_a_run_was_due() {
        let missed_of = |made: &[i64], every| {
            let year = year(made, &[], every);
            let days = year.days.iter().enumerate().filter(|(_, day)| **day == Day::Missed);
            days.map(|(day, _)| day).collect::<Vec<_>>()
        };
        assert_eq!(missed_of(&[5, 3, 1], Some(DAY)), [2, 4]);
        // Today is not over.
        assert_eq!(missed_of(&[2], Some(DAY)), [1]);
        // A week has a day of grace; two weeks without one are one missed run.
        assert_eq!(missed_of(&[22, 15, 7], Some(7 * DAY)), Vec::<usize>::new());
        assert_eq!(missed_of(&[21, 7], Some(7 * DAY)), [14]);
        // What was kept at other distances long ago tells nothing of this rhythm.
        assert_eq!(missed_of(&[90, 60, 30, 3, 1], Some(DAY)), [2]);
        // Without a plan nothing is missed, nor before the first one.
        assert_eq!(missed_of(&[21, 7], None), Vec::<usize>::new());
        assert_eq!(missed_of(&[], Some(DAY)), Vec::<usize>::new());
    }

    #[test]
    fn a_schedule_says_which_days_are_due() {
        let made = [(NOW - 20 * DAY, 1), (NOW - 6 * DAY, 1)];
        let sundays = |date: Date| date.weekday() == jiff::civil::Weekday::Sunday;
        let year = Year::of(&made, &[], &[], &Due::On(&sundays, made[0].0), NOW, &TimeZone::UTC);
        let missed: Vec<usize> = (0..year.days.len())
            .filter(|day| year.days[*day] == Day::Missed)
            .collect();
        // Today is a Sunday too, but not over; before the first one nothing was due.
        assert_eq!(missed, [7, 14]);
        let good = [NOW - 14 * DAY];
        for due in [Due::On(&sundays, made[0].0), Due::Every(7 * DAY)] {
            let year = Year::of(&made, &good, &[], &due, NOW, &TimeZone::UTC);
            assert_eq!(
                year.days[14],
                Day::Free,
                "its generation was deleted, but the run was not missed"
            );
        }
    }

    #[test]
    fn a_failed_day_is_none_of_the_missed() {
        let year = year(&[3, 1], &[2, 1], Some(DAY));
        assert_eq!(year.days[..4], [Day::Free, Day::Made(1), Day::Failed, Day::Made(3)]);
        let yesterday = jiff::civil::date(2026, 11, 20);
        assert_eq!(year.dates(|day| day == Day::Failed), [yesterday]);
        assert!(year.dates(|day| day == Day::Missed).is_empty());
    }

    #[test]
    fn the_rhythm_is_the_middle_distance() {
        assert_eq!(rhythm(&[0, DAY, 2 * DAY, 12 * DAY]), Some(DAY));
        assert_eq!(rhythm(&[0, 7 * DAY - 900, 14 * DAY, 28 * DAY]), Some(7 * DAY));
        assert_eq!(rhythm(&[0, 600, 1_200]), Some(DAY));
        assert_eq!(rhythm(&[0, DAY]), None);
    }

    proptest! {
        #[test]
        fn any_times_are_drawn_inside(
            times in proptest::collection::vec((any::<i64>(), any::<u64>()), 0..20),
            near in proptest::collection::vec(0i64..500, 0..20),
            every in proptest::option::of(any::<i64>()), since: i64, now: i64, width in 0u16..130, height in 0u16..12,
        ) {
            let mut times = times;
            times.extend(near.iter().map(|days| (now.saturating_sub(days * DAY), 1)));
            let failed: Vec<i64> = times.iter().map(|(time, _)| *time).collect();
            let due = every.map_or(Due::On(&|_| true, since), Due::Every);
            let year = Year::of(&times, &failed[..failed.len() / 2], &failed, &due, now, &TimeZone::UTC);
            drawn(width, height, plain(), |canvas, area| year.draw(canvas, area, Some(now), &TimeZone::UTC));
        }
    }
}

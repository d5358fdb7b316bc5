//! A vault's generations over time: the timeline and the year, and the table that says the same.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use ratatui::layout::Rect;

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::calendar::{Day, Due, Year, rhythm};
use super::super::super::widgets::timeline::{Kind, Lane, Timeline, month};
use super::staging;
use crate::engine::JobState;
use crate::engine::question::GenerationRow;
use crate::schedule::Schedule;
use crate::text;

/// The generations that the list shows: what is filtered out is not drawn either.
fn rows(model: &Model) -> &[GenerationRow] {
    model.generations.list.held().1
}

/// When runs failed.
fn failed(model: &Model) -> Vec<i64> {
    let runs = &model.generations.runs.runs;
    let failed = runs.iter().filter(|run| matches!(run.state, JobState::Failed { .. }));
    failed.map(|run| run.info.started.seconds).collect()
}

/// When runs were good, whatever is left of them.
fn good(model: &Model) -> Vec<i64> {
    let runs = &model.generations.runs.runs;
    let good = runs.iter().filter(|run| matches!(run.state, JobState::Done { .. }));
    good.map(|run| run.info.started.seconds).collect()
}

/// The generations in lanes.
pub(super) fn timeline(model: &Model) -> Timeline<'static> {
    let rows = rows(model);
    let staged = staging::staged_set(model);
    let times = |wanted: &dyn Fn(&GenerationRow) -> bool| {
        let wanted = rows.iter().filter(|row| wanted(row));
        wanted.map(|row| row.time).collect::<Vec<i64>>()
    };
    let lane = |name, kind, times| Lane { name, kind, times };
    let goes = |row: &GenerationRow| staged.contains(&row.id);
    let cursor = model.generations.shown.id;
    Timeline {
        lanes: vec![
            lane("full", Kind::Full, times(&|row| row.parent.is_none() && !goes(row))),
            lane(
                "incremental",
                Kind::Incremental,
                times(&|row| row.parent.is_some() && !goes(row)),
            ),
            lane("failed", Kind::Failed, failed(model)),
            lane("would go", Kind::Leaving, times(&goes)),
        ],
        now: model.now.unix,
        cursor: rows.iter().find(|row| Some(row.id) == cursor).map(|row| row.time),
        marks: staging::marks(model)
            .iter()
            .map(|(letter, row)| (*letter, row.time))
            .collect(),
        zone: model.zone.clone(),
    }
}

/// Whether a schedule has a run on a day.
fn is_due(schedule: &Schedule, date: Date) -> bool {
    match schedule {
        Schedule::Hourly { .. } | Schedule::Hours { .. } => true,
        Schedule::Days { on, .. } => {
            let day = date.weekday().to_monday_zero_offset();
            usize::try_from(day).is_ok_and(|day| on.get(day) == Some(&true))
        }
        Schedule::Monthly { day, .. } => i16::from(date.day()) == i16::from(*day),
    }
}

/// The year of days, and what runs are held against.
pub(super) fn year(model: &Model) -> (Year, String) {
    let rows = rows(model);
    let made: Vec<(i64, u64)> = rows.iter().map(|row| (row.time, row.added.unwrap_or(0))).collect();
    let times: Vec<i64> = rows.iter().map(|row| row.time).collect();
    let schedules = &model.generations.runs.schedules;
    let on = |date: Date| schedules.iter().any(|schedule| is_due(schedule, date));
    // Of days before the first run that is known one cannot say more than that no generation of them is left.
    let runs = model.generations.runs.runs.iter().map(|run| run.info.started.seconds);
    let since = runs
        .min()
        .or_else(|| times.iter().copied().max())
        .unwrap_or(model.now.unix);
    let (due, words) = match (schedules.as_slice(), rhythm(&times)) {
        ([one], _) => (Due::On(&on, since), one.words()),
        ([_, ..], _) => (Due::On(&on, since), format!("{} plans' schedules", schedules.len())),
        ([], Some(every)) => {
            let days = every / 86_400;
            let words = match days {
                1 => "every day, as most were".to_owned(),
                days => format!("every {days} days, as most were"),
            };
            (Due::Every(every), words)
        }
        ([], None) => (Due::Never, "no rhythm yet".to_owned()),
    };
    let year = Year::of(&made, &good(model), &failed(model), &due, model.now.unix, &model.zone);
    (year, words)
}

/// Draws the charts, as many as there is room for, or their table.
pub(super) fn draw(model: &Model, canvas: &mut Canvas, area: Rect) {
    if rows(model).is_empty() || area.height < 3 {
        return;
    }
    if model.vaults.table {
        table(model, canvas, area);
        return;
    }
    let timeline = timeline(model);
    timeline.draw(canvas, area);
    let used = timeline.height();
    let left = area.height.saturating_sub(used);
    // A line of air and what is due, where there is room for both.
    let air = if left >= Year::height() + 2 {
        2
    } else {
        u16::from(left > Year::height())
    };
    let below = Rect {
        y: area.y + used + air,
        height: left.saturating_sub(air),
        ..area
    };
    if below.height < Year::height() - 1 {
        return;
    }
    let (year, words) = year(model);
    if air == 2 {
        let words = format!("due: {words}");
        let words = text::cut_end(&words, usize::from(area.width), canvas.look.symbols.more);
        canvas.text(area.x, below.y - 1, area.right(), &words, Role::Dim);
    }
    let cursor = timeline.cursor;
    let height = below.height.min(Year::height());
    year.draw(canvas, Rect { height, ..below }, cursor, &model.zone);
}

/// A month of the table.
#[derive(Debug, Default)]
struct Month {
    made: u64,
    added: u64,
    failed: u64,
    missed: u64,
}

/// The same in numbers, by month, newest first.
fn table(model: &Model, canvas: &mut Canvas, area: Rect) {
    let key = |date: Date| (date.year(), date.month());
    let date = |seconds: i64| {
        Timestamp::from_second(seconds)
            .ok()
            .map(|at| model.zone.to_datetime(at).date())
    };
    let mut months: BTreeMap<(i16, i8), Month> = BTreeMap::new();
    for row in rows(model) {
        if let Some(date) = date(row.time) {
            let month = months.entry(key(date)).or_default();
            month.made += 1;
            month.added = month.added.saturating_add(row.added.unwrap_or(0));
        }
    }
    for date in failed(model).into_iter().filter_map(date) {
        months.entry(key(date)).or_default().failed += 1;
    }
    let (year, _) = year(model);
    for date in year.dates(|day| day == Day::Missed) {
        months.entry(key(date)).or_default().missed += 1;
    }
    let columns = [9u16, 17, 24, 32, 44];
    let end = area.right();
    canvas.text(area.x, area.y, end, "month", Role::Dim);
    for (column, head) in columns[1..].iter().zip(["made", "failed", "missed", "added"]) {
        canvas.right(area.y, (area.x + column).min(end), head, Role::Dim);
    }
    let newest = months.iter().rev().take(usize::from(area.height.saturating_sub(1)));
    for (n, ((year, number), of)) in newest.enumerate() {
        let y = area.y + 1 + n as u16;
        canvas.text(area.x, y, end, &format!("{} {year}", month(*number)), Role::Text);
        let cells = [
            (text::count(of.made), Role::Text),
            (
                text::count(of.failed),
                if of.failed > 0 { Role::Danger } else { Role::Dim },
            ),
            (
                text::count(of.missed),
                if of.missed > 0 { Role::Missed } else { Role::Dim },
            ),
            (text::bytes(of.added), Role::Dim),
        ];
        for (column, (cell, role)) in columns[1..].iter().zip(cells) {
            canvas.right(y, (area.x + column).min(end), &cell, role);
        }
    }
}

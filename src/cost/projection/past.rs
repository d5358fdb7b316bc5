//! Looking back: what was stored when, and how well the method would have told it.

use super::{Cohort, History, MONTH, MONTHS, Model, Series};

/// The past that a back-test needs before it, seconds.
const BEFORE: i64 = 3 * MONTH;

/// What was stored a month apart, oldest first, the last one now, at most so many points: as far as the generations that are
/// still there tell. `stored` bytes of packs are there now; what these hold beside is taken to have been there before.
pub fn past(history: &History, stored: u64, points: usize) -> Vec<u64> {
    let Some(oldest) = history.series.iter().filter_map(|series| series.times.first()).min() else {
        return Vec::new();
    };
    let mut births: Vec<(i64, u64)> = Vec::new();
    for series in &history.series {
        let birth = |cohort: &Cohort| Some((*series.times.get(cohort.born as usize)?, cohort.bytes));
        births.extend(series.cohorts.iter().filter_map(birth));
    }
    let held = |at: i64| -> u64 {
        let born = births.iter().filter(|(birth, _)| *birth <= at);
        born.map(|(_, bytes)| *bytes).fold(0, u64::saturating_add)
    };
    let reached = held(i64::MAX);
    let months = history.now.saturating_sub(*oldest).max(0) / MONTH;
    let months = months.min(points.saturating_sub(1) as i64);
    (0..=months)
        .rev()
        .map(|month| match month {
            // What is dated later than now is there all the same.
            0 => stored,
            month => (held(history.now - month * MONTH) + stored).saturating_sub(reached),
        })
        .collect()
}

/// How far the method is off on the vault's own past, as a share; `None` when no month has three months before it.
pub fn error(history: &History) -> Option<f64> {
    let oldest = *history.series.iter().filter_map(|series| series.times.first()).min()?;
    let mut errors = Vec::new();
    for month in 1..=MONTHS as i64 {
        let cut = history.now - month * MONTH;
        if cut.saturating_sub(oldest) < BEFORE {
            break;
        }
        errors.extend(error_at(history, cut));
    }
    match errors.len() {
        0 => None,
        n => Some(errors.iter().sum::<f64>() / n as f64),
    }
}

/// The same, from one moment.
fn error_at(history: &History, cut: i64) -> Option<f64> {
    let mut then = History {
        now: cut,
        series: Vec::new(),
    };
    let (mut future, mut kept, mut truth) = (Vec::new(), Vec::new(), 0u64);
    // A series that began later was the user's decision: no method foresees it.
    for series in history
        .series
        .iter()
        .filter(|series| series.times.first().is_some_and(|time| *time <= cut))
    {
        let known = series.times.partition_point(|time| *time <= cut);
        then.series.push(Series {
            times: series.times[..known].to_vec(),
            cohorts: series
                .cohorts
                .iter()
                .filter(|cohort| (cohort.born as usize) < known)
                .map(|cohort| Cohort {
                    last: cohort.last.min(known as u32 - 1),
                    ..*cohort
                })
                .collect(),
        });
        future.push(series.times[known..].to_vec());
        kept.push(vec![true; series.times.len()]);
        truth = series
            .cohorts
            .iter()
            .map(|cohort| cohort.bytes)
            .fold(truth, u64::saturating_add);
    }
    let told = Model::of(&then)?.stored(&future, &kept, history.now).likely;
    (truth > 0).then(|| (told as f64 / truth as f64 - 1.0).abs())
}

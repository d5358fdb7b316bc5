//! The walk through the future.

use super::pace::{Pace, quantile};
use super::survival::{Life, Survival};
use super::{Estimate, History, MONTH, MONTHS, Series};

/// A vault needs a series of so many generations, over so many seconds, to tell anything.
const ENOUGH: (usize, i64) = (3, 7 * 86_400);
/// A series of fewer generations takes the whole vault's survival.
const OWN_SURVIVAL: usize = 4;
/// How many of the last gaps tell how far apart generations are.
const LAST_GAPS: usize = 30;
/// A series has ended when nothing came for so many gaps, and for so many seconds.
const ENDED: (i64, i64) = (4, 7 * 86_400);
/// Generations come no closer than this, seconds: nothing is known of what lives shorter.
const CLOSEST: i64 = 3_600;

/// What was learnt of a vault. Made once, asked for any rule.
#[derive(Debug, Clone)]
pub struct Model {
    now: i64,
    series: Vec<Learnt>,
}

/// What was learnt of a series.
#[derive(Debug, Clone)]
struct Learnt {
    times: Vec<i64>,
    /// Of what is born with each generation: by its last generation, ascending, the bytes that last so long or longer.
    ends: Vec<Vec<(u32, u64)>>,
    /// Of what came with the first generation, and with the others.
    survival: [Survival; 2],
    pace: Pace,
    /// Seconds between two generations; 0 for a single one.
    gap: i64,
}

impl Model {
    /// Learns. `None` when there is too little: no series with three generations over a week.
    pub fn of(history: &History) -> Option<Model> {
        let enough = history.series.iter().any(|series| {
            let span = series
                .times
                .last()
                .zip(series.times.first())
                .map(|(last, first)| last - first);
            series.times.len() >= ENOUGH.0 && span >= Some(ENOUGH.1)
        });
        if !enough {
            return None;
        }
        let lives: Vec<[Vec<Life>; 2]> = history.series.iter().map(lives).collect();
        let pooled =
            [0, 1].map(|class| Survival::of(lives.iter().flat_map(|lives| lives[class].iter().copied()).collect()));
        let learn = |(series, lives): (&Series, [Vec<Life>; 2])| {
            let survival = match series.times.len() < OWN_SURVIVAL {
                true => pooled.clone(),
                false => lives.map(Survival::of),
            };
            Learnt {
                pace: Pace::of(series, &survival[1], history.now),
                ends: ends(series),
                gap: gap(&series.times),
                times: series.times.clone(),
                survival,
            }
        };
        Some(Model {
            now: history.now,
            series: history.series.iter().zip(lives).map(learn).collect(),
        })
    }

    /// When the generations of the next twelve months will be made, for each series; `every`: seconds between two, when
    /// that changes. None in a series that has ended.
    pub fn future(&self, every: Option<i64>) -> Vec<Vec<i64>> {
        let end = self.now.saturating_add(MONTH * MONTHS as i64);
        let times = |series: &Learnt| {
            let Some(&last) = series.times.last() else {
                return Vec::new();
            };
            let silent = self.now.saturating_sub(last);
            if series.gap == 0 || silent > ENDED.1.max(series.gap.saturating_mul(ENDED.0)) {
                return Vec::new();
            }
            let step = every.unwrap_or(series.gap).max(CLOSEST);
            // The next one is due a step after the last, or now, if that is over.
            let first = (last + step).max(self.now + 1);
            (0..)
                .map(|n| first + n * step)
                .take_while(|time| *time <= end)
                .collect()
        };
        self.series.iter().map(times).collect()
    }

    /// What is stored at a moment. `kept` tells for each series which of its generations are kept then: those that are
    /// there, then those of `future`; later ones than the moment do not count.
    pub fn stored(&self, future: &[Vec<i64>], kept: &[Vec<bool>], at: i64) -> Estimate {
        let (mut fixed, mut born, mut variance, mut freedom) = (0.0, 0.0, 0.0, 0.0);
        for ((series, future), kept) in self.series.iter().zip(future).zip(kept) {
            let (old, new) = series.stored(future, kept, at);
            fixed += old;
            born += new;
            variance += (new * series.pace.off(at.saturating_sub(self.now) as f64)).powi(2);
            freedom += (series.pace.blocks - 1.0).max(0.0);
        }
        let off = variance.sqrt() * quantile(freedom);
        let round = |bytes: f64| bytes.round() as u64;
        Estimate {
            likely: round(fixed + born),
            low: round(fixed + (born - off).max(0.0)),
            high: round(fixed + born + off),
        }
    }

    /// What is stored at the end of each of the next twelve months, in bytes of packs: `stored` of them are there now.
    /// `kept` tells for a moment which generations a rule keeps of those there by then (see [`Model::stored`]).
    pub fn year(&self, future: &[Vec<i64>], stored: u64, kept: &mut dyn FnMut(i64) -> Vec<Vec<bool>>) -> Vec<Estimate> {
        let now = self.stored(future, &kept(self.now), self.now).likely;
        (1..=MONTHS as i64)
            .map(|month| {
                let at = self.now + month * MONTH;
                let then = self.stored(future, &kept(at), at);
                // What packs hold beside stays.
                let shift = |bytes: u64| (bytes + stored).saturating_sub(now);
                Estimate {
                    likely: shift(then.likely),
                    low: shift(then.low),
                    high: shift(then.high),
                }
            })
            .collect()
    }
}

impl Learnt {
    /// Bytes of what is there now, and of what is born until a moment, that are stored then.
    fn stored(&self, future: &[i64], kept: &[bool], at: i64) -> (f64, f64) {
        let known = self.times.len();
        let time = |n: usize| match n < known {
            true => self.times[n],
            false => future[n - known],
        };
        let there = known + future.partition_point(|time| *time <= at);
        // For each generation the first kept one from it on.
        let mut next = vec![usize::MAX; there + 1];
        for n in (0..there).rev() {
            next[n] = match kept.get(n) {
                Some(true) => n,
                _ => next[n + 1],
            };
        }
        let Some(newest) = known.checked_sub(1) else {
            return (0.0, 0.0);
        };
        let mut old = 0.0;
        for (born, ends) in self.ends.iter().enumerate() {
            let holder = next[born];
            if holder == usize::MAX {
                continue;
            }
            let lasting = |n: usize| {
                let from = ends.partition_point(|(last, _)| (*last as usize) < n);
                ends.get(from).map_or(0, |(_, bytes)| *bytes) as f64
            };
            old += if holder < known {
                lasting(holder)
            } else {
                let birth = time(born);
                let ages = [time(newest), time(holder)].map(|time| time.saturating_sub(birth) as f64);
                lasting(newest) * self.survival[usize::from(born > 0)].share_from(ages[0], ages[1])
            };
        }
        let mut new = 0.0;
        for (n, &holder) in next.iter().enumerate().take(there).skip(known) {
            if holder == usize::MAX {
                break;
            }
            let gap = (time(n) - time(n - 1)).max(0) as f64;
            let births = (gap / self.gap.max(1) as f64).round().max(1.0);
            let waits = (time(holder) - time(n)) as f64;
            let living = (0..births as u64).map(|birth| self.survival[1].share(waits + birth as f64 * gap / births));
            new += self.pace.rate * gap / births * living.sum::<f64>();
        }
        (old, new)
    }
}

/// The lives of what came with the first generation, and with the others.
fn lives(series: &Series) -> [Vec<Life>; 2] {
    let mut lives = [Vec::new(), Vec::new()];
    let Some(&newest) = series.times.last() else {
        return lives;
    };
    for cohort in &series.cohorts {
        let Some(&birth) = series.times.get(cohort.born as usize) else {
            continue;
        };
        let death = series.times.get(cohort.last as usize + 1);
        // Two generations of one second are still two.
        let age = death
            .unwrap_or(&newest)
            .saturating_sub(birth)
            .max(i64::from(death.is_some()));
        lives[usize::from(cohort.born > 0)].push(Life {
            age: age as f64,
            ended: death.is_some(),
            bytes: cohort.bytes as f64,
        });
    }
    lives
}

/// See [`Learnt::ends`].
fn ends(series: &Series) -> Vec<Vec<(u32, u64)>> {
    let mut ends: Vec<Vec<(u32, u64)>> = vec![Vec::new(); series.times.len()];
    for cohort in &series.cohorts {
        if let Some(ends) = ends.get_mut(cohort.born as usize) {
            ends.push((cohort.last, cohort.bytes));
        }
    }
    for ends in &mut ends {
        ends.sort_unstable();
        let mut sum = 0u64;
        for (_, bytes) in ends.iter_mut().rev() {
            sum = sum.saturating_add(*bytes);
            *bytes = sum;
        }
    }
    ends
}

/// How far generations are apart: the median of the last gaps, seconds.
fn gap(times: &[i64]) -> i64 {
    let mut gaps: Vec<i64> = times
        .windows(2)
        .rev()
        .take(LAST_GAPS)
        .map(|ends| ends[1] - ends[0])
        .collect();
    gaps.sort_unstable();
    match gaps.len() {
        0 => 0,
        n => gaps[n / 2].max(1),
    }
}

//! How much is born in a second, and how unsteadily.

use super::survival::Survival;
use super::{MONTH, MONTHS, Series};

/// The length of a block of the past, seconds.
const BLOCK: f64 = 30.0 * 86_400.0;
/// A past shorter than so many blocks is cut into this many all the same, if it has the gaps.
const FEW_BLOCKS: f64 = 6.0;
/// Fewer gaps than these in the last year: all count.
const FEW_GAPS: usize = 3;

/// What a series brings.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// Bytes a second.
    pub(super) rate: f64,
    /// The spread of blocks' rates, as a share of the rate.
    spread: f64,
    /// How many blocks there were.
    pub(super) blocks: f64,
    /// How long each is, seconds.
    length: f64,
}

/// The time between two generations, and what the later one brought.
struct Gap {
    start: f64,
    end: f64,
    brought: f64,
}

impl Pace {
    pub(super) fn of(series: &Series, survival: &Survival, now: i64) -> Pace {
        let mut brought = vec![0.0; series.times.len()];
        for cohort in &series.cohorts {
            if let Some(sum) = brought.get_mut(cohort.born as usize) {
                *sum += cohort.bytes as f64;
            }
        }
        let all: Vec<Gap> = series
            .times
            .windows(2)
            .zip(&brought[1.min(brought.len())..])
            .map(|(ends, brought)| Gap {
                start: ends[0] as f64,
                end: ends[1] as f64,
                brought: *brought,
            })
            .collect();
        let year = now.saturating_sub(MONTH * MONTHS as i64) as f64;
        let recent = all.partition_point(|gap| gap.start < year);
        let gaps = match all.len() - recent {
            0..FEW_GAPS => &all[..],
            _ => &all[recent..],
        };
        let (Some(first), Some(last)) = (gaps.first(), gaps.last()) else {
            return Pace::default();
        };
        let span = last.end - first.start;
        let exposure = |gaps: &[Gap]| -> f64 { gaps.iter().map(|gap| survival.exposure(gap.end - gap.start)).sum() };
        let sum = |gaps: &[Gap]| -> f64 { gaps.iter().map(|gap| gap.brought).sum() };
        let (bytes, seconds) = (sum(gaps), exposure(gaps));
        if bytes <= 0.0 || seconds <= 0.0 || span <= 0.0 {
            return Pace::default();
        }
        let rate = bytes / seconds;
        let length = BLOCK.min(span / FEW_BLOCKS);
        let block = |gap: &Gap| ((gap.end - first.start) / length).ceil() as u64;
        let (mut blocks, mut squares) = (0.0, 0.0);
        for block in gaps.chunk_by(|a, b| block(a) == block(b)) {
            let weight = exposure(block);
            if weight > 0.0 {
                blocks += 1.0;
                squares += weight * (sum(block) / weight - rate).powi(2);
            }
        }
        let spread = match blocks > 1.0 {
            true => (squares / seconds * blocks / (blocks - 1.0)).sqrt() / rate,
            // One figure tells nothing of its spread.
            false => 1.0,
        };
        Pace {
            rate,
            spread,
            blocks,
            length: span / blocks,
        }
    }

    /// By how much what is born in so many seconds is off, as a share of it: one standard deviation.
    pub(super) fn off(&self, seconds: f64) -> f64 {
        match self.blocks > 0.0 && seconds > 0.0 {
            true => self.spread * (self.length / seconds + 1.0 / self.blocks).sqrt(),
            false => 0.0,
        }
    }
}

/// The 90 % quantile of Student's t, by degrees of freedom.
pub(super) fn quantile(freedom: f64) -> f64 {
    const TABLE: [(f64, f64); 10] = [
        (1.0, 3.078),
        (2.0, 1.886),
        (3.0, 1.638),
        (4.0, 1.533),
        (5.0, 1.476),
        (6.0, 1.440),
        (8.0, 1.397),
        (11.0, 1.363),
        (20.0, 1.325),
        (40.0, 1.303),
    ];
    let row = TABLE.iter().rev().find(|(at, _)| *at <= freedom.max(1.0));
    row.map_or(1.282, |(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::super::Cohort;
    use super::*;

    const DAY: i64 = 86_400;

    fn series(brought: &[u64]) -> Series {
        Series {
            times: (0..brought.len() as i64).map(|n| n * 10 * DAY).collect(),
            cohorts: brought
                .iter()
                .enumerate()
                .map(|(born, bytes)| Cohort {
                    born: born as u32,
                    last: brought.len() as u32 - 1,
                    bytes: *bytes,
                })
                .collect(),
        }
    }

    /// By hand: gaps of 10 days; the first generation does not count; 60 days with 600 bytes.
    #[test]
    fn the_rate_is_what_came_by_the_time_it_took() {
        let pace = Pace::of(
            &series(&[1_000_000, 100, 100, 100, 100, 100, 100]),
            &Survival::default(),
            60 * DAY,
        );
        assert!((pace.rate * 10.0 * DAY as f64 - 100.0).abs() < 1e-9);
        assert_eq!(pace.blocks, 6.0);
        assert!(pace.off(30.0 * DAY as f64) < 1e-9, "steady");
        // Blocks of 50 and 150 by turns: σ² = 6/5 × 50², so σ/r = 0.5477; 60 days ahead: √(10/60 + 1/6) = 0.5774.
        let unsteady = Pace::of(
            &series(&[1_000_000, 50, 150, 50, 150, 50, 150]),
            &Survival::default(),
            60 * DAY,
        );
        assert!((unsteady.off(60.0 * DAY as f64) - 0.3162).abs() < 1e-3, "{unsteady:?}");
    }

    #[test]
    fn only_the_last_year_counts_if_it_has_enough() {
        let mut long = series(&[0, 9, 9, 9, 9, 1, 1, 1, 1]);
        let now = 10 * MONTH * MONTHS as i64;
        long.times = vec![0, 1, 2, 3, 4]
            .into_iter()
            .chain((0..4).map(|n| now - 100 * DAY + n * 10 * DAY))
            .collect();
        let pace = Pace::of(&long, &Survival::default(), now);
        assert!((pace.rate * 10.0 * DAY as f64 - 1.0).abs() < 1e-9, "{pace:?}");
        assert_eq!(Pace::of(&series(&[5]), &Survival::default(), now).rate, 0.0);
        assert_eq!(Pace::of(&Series::default(), &Survival::default(), now).rate, 0.0);
    }
}

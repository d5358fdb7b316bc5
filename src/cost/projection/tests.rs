//! Histories of which the future is known.

use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400;

/// A series of so many generations, `gap` days apart, the last one at 1000 days: the first brings `base` bytes that live on,
/// each other one `added` that live for so many generations (for ever: `None`).
fn history(generations: u32, gap: i64, base: u64, added: u64, lives: Option<u32>) -> History {
    let now = 1000 * DAY;
    let newest = generations - 1;
    let mut cohorts = vec![Cohort {
        born: 0,
        last: newest,
        bytes: base,
    }];
    cohorts.extend((1..generations).map(|born| Cohort {
        born,
        last: lives.map_or(newest, |lives| newest.min(born + lives - 1)),
        bytes: added,
    }));
    let times = (0..generations)
        .map(|n| now - i64::from(newest - n) * gap * DAY)
        .collect();
    History {
        now,
        series: vec![Series { times, cohorts }],
    }
}

/// A rule that keeps what is younger than so many days.
fn younger(history: &History, future: &[Vec<i64>], days: i64) -> impl FnMut(i64) -> Vec<Vec<bool>> {
    let times: Vec<Vec<i64>> = history
        .series
        .iter()
        .zip(future)
        .map(|(series, future)| series.times.iter().chain(future).copied().collect())
        .collect();
    move |at| {
        let kept = |time: &i64| *time > at - days * DAY;
        times.iter().map(|times| times.iter().map(kept).collect()).collect()
    }
}

fn total(history: &History) -> u64 {
    history
        .series
        .iter()
        .flat_map(|series| &series.cohorts)
        .map(|cohort| cohort.bytes)
        .sum()
}

fn year(history: &History, every: Option<i64>, days: i64) -> Vec<Estimate> {
    let model = Model::of(history).unwrap();
    let future = model.future(every);
    let mut kept = younger(history, &future, days);
    // Nothing lies beside, and what the rule does not keep now is gone already.
    let stored = model.stored(&future, &kept(history.now), history.now).likely;
    model.year(&future, stored, &mut kept)
}

fn near(found: u64, expected: f64, share: f64) -> bool {
    (found as f64 - expected).abs() <= expected * share
}

proptest! {
    #[test]
    fn without_growth_it_stays_as_it_is(generations in 8u32..60, gap in 1i64..8, base in 1u64..1 << 40) {
        let year = year(&history(generations, gap, base, 0, None), None, i64::MAX / DAY);
        prop_assert!(year.iter().all(|month| *month == Estimate { likely: base, low: base, high: base }), "{year:?}");
    }

    #[test]
    fn steady_growth_without_expiry_goes_straight_up(generations in 20u32..60, gap in 1i64..8, added in 1000u64..1 << 30) {
        let history = history(generations, gap, 5 * added, added, None);
        let now = total(&history) as f64;
        let a_month = added as f64 * MONTH as f64 / (gap * DAY) as f64;
        for (n, month) in year(&history, None, i64::MAX / DAY).iter().enumerate() {
            let grown = month.likely as f64 - now;
            // A generation more or less falls into the month.
            prop_assert!((grown - (n + 1) as f64 * a_month).abs() <= added as f64 * 1.01, "{n}: {grown}");
            prop_assert_eq!((month.low, month.high), (month.likely, month.likely), "nothing was unsteady");
        }
    }

    #[test]
    fn with_a_period_it_levels_off_at_the_period_times_the_rate(gap in 1i64..5, added in 1000u64..1 << 30, period in 20i64..150) {
        // What a generation brings is gone in the next one.
        let history = history(80, gap, 3 * added, added, Some(1));
        let year = year(&history, None, period);
        let kept = 3.0 * added as f64 + added as f64 * period as f64 / gap as f64;
        for month in &year[5..] {
            let off = (month.likely as f64 - kept).abs();
            prop_assert!(off <= 1.01 * added as f64, "{month:?} {kept}");
        }
    }

    /// Whatever the past was like: the bounds hold the likely value, and rules that keep more store more.
    #[test]
    fn bounds_contain_and_more_is_more(
        gaps in prop::collection::vec(1i64..20 * DAY, 3..40),
        cohorts in prop::collection::vec((0u32..40, 0u32..40, 0u64..1 << 40), 0..80),
        every in prop::option::of(3_600i64..30 * DAY),
        days in 1i64..500,
    ) {
        let mut times = vec![0];
        times.extend(gaps.iter().scan(0, |time, gap| { *time += gap; Some(*time) }));
        let newest = times.len() as u32 - 1;
        let cohorts = cohorts.into_iter().map(|(born, lives, bytes)| Cohort {
            born: born.min(newest),
            last: (born.min(newest) + lives).min(newest),
            bytes,
        });
        let history = History { now: *times.last().unwrap() + 100, series: vec![Series { cohorts: cohorts.collect(), times }] };
        prop_assume!(Model::of(&history).is_some());
        let few = year(&history, every, days);
        for (month, more) in few.iter().zip(year(&history, every, days + 40)) {
            prop_assert!(month.low <= month.likely && month.likely <= month.high, "{month:?}");
            // To the byte that rounding moves.
            prop_assert!(month.likely <= more.likely + 2, "{month:?} {more:?}");
        }
        if let Some(error) = error(&history) {
            prop_assert!(error.is_finite() && error >= 0.0);
        }
    }
}

/// What lives for two generations: kept ones twice as far apart still hold one of two births, for one of its two gaps.
#[test]
fn more_seldom_generations_hold_what_lives_till_then() {
    let history = history(60, 1, 1000, 100, Some(2));
    let all = i64::MAX / DAY;
    // Each day brings 100; every second day's generation holds that of its own day, and of the day before (alive still).
    let daily = year(&history, None, all)[11].likely as f64 - total(&history) as f64;
    let second = year(&history, Some(2 * DAY), all)[11].likely as f64 - total(&history) as f64;
    assert!((daily - 36_500.0).abs() < 200.0, "{daily}");
    assert!((second - 36_500.0).abs() < 400.0, "{second}");
    // Every fourth day's: of four births two live.
    let fourth = year(&history, Some(4 * DAY), all)[11].likely as f64 - total(&history) as f64;
    assert!((fourth - 18_250.0).abs() < 400.0, "{fourth}");
}

/// Of every second generation only what lives for two gaps is seen; the rate is that of all births all the same.
#[test]
fn thinned_out_pasts_do_not_hide_what_is_born() {
    let full = history(61, 1, 1000, 100, Some(2));
    let mut thin = full.clone();
    let series = &mut thin.series[0];
    // Old generations went but for every second one, the last twenty are all there.
    let keep = |n: u32| n >= 40 || n.is_multiple_of(2);
    let number = |n: u32| (0..n).filter(|n| keep(*n)).count() as u32;
    series.times = (0..61)
        .filter(|n| keep(*n))
        .map(|n| full.series[0].times[n as usize])
        .collect();
    series.cohorts.retain_mut(|cohort| {
        let held: Vec<u32> = (cohort.born..=cohort.last).filter(|n| keep(*n)).collect();
        let (Some(first), Some(last)) = (held.first(), held.last()) else {
            return false;
        };
        (cohort.born, cohort.last) = (number(*first), number(*last));
        true
    });
    let all = i64::MAX / DAY;
    let [a, b] = [&full, &thin].map(|history| (year(history, None, all)[11].likely - total(history)) as f64);
    assert!((a - b).abs() < 0.1 * a, "{a} {b}");
}

#[test]
fn unsteady_pasts_have_wide_bounds() {
    let mut history = history(121, 3, 1 << 20, 1000, None);
    for cohort in &mut history.series[0].cohorts[1..] {
        // Months of much and of little by turns.
        cohort.bytes = if cohort.born / 10 % 2 == 0 { 1_900 } else { 100 };
    }
    let year = year(&history, None, i64::MAX / DAY);
    let grown = (year[11].likely - total(&history)) as f64;
    let width = (year[11].high - year[11].low) as f64;
    assert!(near(grown as u64, 1000.0 * 365.25 / 3.0, 0.1), "{grown}");
    assert!(width > 0.5 * grown && width < 2.0 * grown, "{width} {grown}");
    assert!(year[0].high - year[0].low < year[11].high - year[11].low);
}

#[test]
fn the_back_test_finds_a_steady_past_right_and_a_turn_wrong() {
    let steady = history(70, 3, 1 << 20, 10_000, None);
    assert!(error(&steady).unwrap() < 0.01, "{:?}", error(&steady));
    let mut turned = steady.clone();
    for cohort in &mut turned.series[0].cohorts[50..] {
        cohort.bytes *= 40;
    }
    assert!(error(&turned).unwrap() > 0.3, "{:?}", error(&turned));
    // Four months are needed: three before, one to project.
    assert_eq!(error(&history(30, 3, 100, 10, None)), None);
}

#[test]
fn a_series_that_ended_grows_no_more_and_too_little_tells_nothing() {
    let mut ended = history(20, 1, 1000, 10, None);
    ended.now += 30 * DAY;
    assert!(Model::of(&ended).unwrap().future(None)[0].is_empty());
    assert!(Model::of(&ended).unwrap().future(Some(DAY))[0].is_empty());
    assert!(Model::of(&history(2, 30, 1000, 10, None)).is_none());
    assert!(Model::of(&history(5, 1, 1000, 10, None)).is_none());
    assert!(Model::of(&History::default()).is_none());
}

#[test]
fn the_past_is_what_was_born_by_then() {
    let history = history(70, 3, 1000, 10, Some(1));
    // 207 days: 6.8 months. 30 days hold ten generations, a month ten or eleven.
    let points = past(&history, total(&history) + 7, 24);
    assert_eq!((points.len(), points[6]), (7, 1000 + 690 + 7));
    assert!(
        points.windows(2).all(|pair| (100..=110).contains(&(pair[1] - pair[0]))),
        "{points:?}"
    );
    assert_eq!(past(&history, total(&history), 3).len(), 3);
    assert_eq!(past(&History::default(), 5, 3), Vec::<u64>::new());
}

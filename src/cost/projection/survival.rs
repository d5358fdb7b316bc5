//! How long bytes live: the share of what a backup brings that is still in use after some time.

/// The Kaplan–Meier estimate: a falling step function of age, from lives that ended and lives that go on.
#[derive(Debug, Clone, Default)]
pub(super) struct Survival {
    /// Ages at which it falls, ascending, and the share that lives beyond each.
    steps: Vec<(f64, f64)>,
    /// How fast it falls beyond the last age that was seen: the share a second, and from which age on.
    tail: f64,
    horizon: f64,
}

/// Bytes of one life: how long it lasted, as far as it was seen, seconds, and whether it ended then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life {
    pub(super) age: f64,
    pub(super) ended: bool,
    pub(super) bytes: f64,
}

impl Survival {
    /// From lives, in any order. Without any, everything lives for ever.
    pub(super) fn of(mut lives: Vec<Life>) -> Survival {
        lives.retain(|life| life.bytes > 0.0);
        // At one age those that ended come first: they were at risk together with those last seen there.
        lives.sort_by(|a, b| a.age.total_cmp(&b.age).then(b.ended.cmp(&a.ended)));
        let mut at_risk: f64 = lives.iter().map(|life| life.bytes).sum();
        let horizon = lives.last().map_or(0.0, |life| life.age);
        let mut steps: Vec<(f64, f64)> = Vec::new();
        let mut share = 1.0;
        for same in lives.chunk_by(|a, b| a.age.total_cmp(&b.age).is_eq()) {
            let ended: f64 = same.iter().filter(|life| life.ended).map(|life| life.bytes).sum();
            if ended > 0.0 {
                share *= (1.0 - ended / at_risk).max(0.0);
                steps.push((same[0].age, share));
            }
            at_risk -= same.iter().map(|life| life.bytes).sum::<f64>();
        }
        let mut survival = Survival {
            steps,
            tail: 0.0,
            horizon,
        };
        // Young bytes die much faster than old ones, so the pace of the older half is what goes on.
        let (middle, end) = (survival.share(horizon / 2.0), survival.share(horizon));
        if horizon > 0.0 && middle > 0.0 && end > 0.0 {
            survival.tail = (middle / end).ln() / (horizon / 2.0);
        }
        survival
    }

    /// The share that lives longer than an age in seconds.
    pub(super) fn share(&self, age: f64) -> f64 {
        let after = self.steps.partition_point(|(at, _)| *at <= age);
        let share = match after {
            0 => 1.0,
            n => self.steps[n - 1].1,
        };
        if age > self.horizon {
            share * (-self.tail * (age - self.horizon)).exp()
        } else {
            share
        }
    }

    /// The share of those that have reached an age which also reaches a later one.
    pub(super) fn share_from(&self, age: f64, later: f64) -> f64 {
        let now = self.share(age);
        if later <= age {
            1.0
        } else if now > 0.0 {
            (self.share(later) / now).min(1.0)
        } else {
            // All that was seen to reach this age died on it: nothing tells of those that did not.
            0.0
        }
    }

    /// The mean share over the first seconds of life, times these seconds: how many seconds' worth of new bytes are still
    /// there at the end of so long a time.
    pub(super) fn exposure(&self, seconds: f64) -> f64 {
        let (mut sum, mut from, mut share) = (0.0, 0.0, 1.0);
        for (at, next) in self.steps.iter().take_while(|(at, _)| *at < seconds) {
            sum += (at - from) * share;
            (from, share) = (*at, *next);
        }
        sum + (seconds - from) * share
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn life(age: f64, ended: bool, bytes: f64) -> Life {
        Life { age, ended, bytes }
    }

    /// By hand: 100 bytes; at age 1 20 of 100 die, 10 are last seen; at age 2 35 of 70 die; 35 go on at age 4.
    #[test]
    fn shares_are_those_worked_out_by_hand() {
        let lives = vec![
            life(4.0, false, 35.0),
            life(1.0, true, 20.0),
            life(1.0, false, 10.0),
            life(2.0, true, 35.0),
        ];
        let survival = Survival::of(lives);
        let shares = [0.0, 0.9, 1.0, 1.9, 2.0, 4.0].map(|age| (survival.share(age) * 1000.0).round());
        assert_eq!(shares, [1000.0, 1000.0, 800.0, 800.0, 400.0, 400.0]);
        // 1 s at 1, 1 s at 0.8, 1 s at 0.4.
        assert!((survival.exposure(3.0) - 2.2).abs() < 1e-9);
        assert!((survival.share_from(1.5, 3.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn beyond_what_was_seen_the_older_half_goes_on() {
        let survival = Survival::of(
            (1..=8)
                .map(|age| life(f64::from(age), true, 1.0))
                .chain([life(8.0, false, 8.0)])
                .collect(),
        );
        // At 4 there are 12 of 16 left, at 8 there are 8 of 16: a fall to 2/3 in 4 seconds.
        assert!((survival.share(12.0) - 0.5 * 2.0 / 3.0).abs() < 1e-9);
        assert_eq!(Survival::default().share(1e9), 1.0);
        assert_eq!(Survival::default().exposure(7.0), 7.0);
    }

    proptest! {
        #[test]
        fn it_falls_and_stays_a_share(lives in prop::collection::vec((0u32..50, any::<bool>(), 0u32..1000), 0..40)) {
            let lives = lives.into_iter().map(|(age, ended, bytes)| life(age.into(), ended, bytes.into())).collect();
            let survival = Survival::of(lives);
            let mut last = 1.0;
            for half in 0..200 {
                let share = survival.share(f64::from(half) / 2.0);
                prop_assert!((0.0..=last).contains(&share), "{share} after {last}");
                last = share;
            }
            prop_assert!(survival.exposure(40.0) <= 40.0 + 1e-9);
        }
    }
}

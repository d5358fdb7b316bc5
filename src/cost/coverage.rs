//! How far back one can go, and where the widest hole is: of any set of generations, kept or not.

/// What a set of generations covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    /// How many generations there are.
    pub generations: u64,
    /// When the oldest was made, seconds since 1970.
    pub oldest: Option<i64>,
    /// When the newest was made, seconds since 1970.
    pub newest: Option<i64>,
    /// The longest time between two neighbours of one series, seconds; `None` when no series has two.
    pub largest_gap: Option<i64>,
}

/// What generations cover, each given as the number of its series (what shares host and paths) and its time in seconds
/// since 1970, in any order.
pub fn coverage(generations: impl IntoIterator<Item = (usize, i64)>) -> Coverage {
    let mut all: Vec<(usize, i64)> = generations.into_iter().collect();
    all.sort_unstable();
    let gaps = all
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0)
        .map(|pair| pair[1].1.saturating_sub(pair[0].1));
    Coverage {
        generations: all.len() as u64,
        oldest: all.iter().map(|(_, time)| *time).min(),
        newest: all.iter().map(|(_, time)| *time).max(),
        largest_gap: gaps.max(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gaps_are_between_neighbours_of_one_series() {
        assert_eq!(coverage([]), Coverage::default());
        let found = coverage([(1, 500), (0, 100), (0, 130), (1, 490), (0, 190), (2, 7)]);
        let expected = Coverage {
            generations: 6,
            oldest: Some(7),
            newest: Some(500),
            largest_gap: Some(60),
        };
        assert_eq!(found, expected);
        assert_eq!(coverage([(0, 5), (1, 900)]).largest_gap, None);
    }

    proptest! {
        /// Taking one away never narrows a gap that is left between the ends, and never makes the oldest older.
        #[test]
        fn less_is_never_more(times in prop::collection::vec((0usize..3, 0i64..10_000), 1..30), gone in any::<prop::sample::Index>()) {
            let all = coverage(times.iter().copied());
            let gone = gone.index(times.len());
            let left = coverage(times.iter().copied().enumerate().filter(|(n, _)| *n != gone).map(|(_, point)| point));
            prop_assert!(left.oldest.is_none() || left.oldest >= all.oldest);
            prop_assert!(left.newest <= all.newest);
            // By hand: for each generation the next of its series.
            let naive = times.iter().enumerate().filter_map(|(n, (series, time))| {
                let later = times.iter().enumerate().filter(|(m, (s, t))| *m != n && s == series && (t > time || (t == time && *m > n)));
                later.map(|(_, (_, t))| t - time).min()
            });
            prop_assert_eq!(all.largest_gap, naive.max());
        }
    }
}

//! How generations are numbered: so that those that follow each other and are alike have numbers that do.

use std::collections::HashMap;

use super::record::{Known, Layout, Lineage, Series};
use super::spans::OPEN;
use super::{Error, Result};
use crate::vault::Generation;

/// A series with fewer generations shares a lineage with others of its host: where paths have a date in them, each is a
/// series of its own, and yet all are one history.
const SHORT: usize = 3;
/// How many lineages there can be.
const LINEAGES: usize = 0xfffe;

fn time(generation: &Generation) -> (i64, u32) {
    (generation.time.seconds, generation.time.nanos)
}

/// The same generations, whatever order the paths were given in.
fn series(generation: &Generation) -> Series {
    let mut paths = generation.paths.clone();
    paths.sort_unstable();
    Series {
        host: generation.hostname.clone(),
        paths,
    }
}

impl Layout {
    fn lineage(&mut self, host: &str, pool: bool) -> Result<u32> {
        if self.lineages.len() >= LINEAGES {
            return Err(Error::TooMany("series of generations"));
        }
        self.lineages.push(Lineage {
            host: host.to_owned(),
            pool,
            next: 0,
        });
        Ok(self.lineages.len() as u32 - 1)
    }

    /// The next number of a lineage; `None` when it has no more.
    fn next(&mut self, lineage: u32) -> Option<u32> {
        let place = &mut self.lineages.get_mut(lineage as usize)?.next;
        let next = *place;
        (next < OPEN).then(|| {
            *place += 1;
            lineage << 16 | next
        })
    }

    /// Numbers for all of these, and their roots.
    pub fn new(generations: &[Generation], roots: &[u32]) -> Result<(Layout, Vec<Known>)> {
        let mut layout = Layout::default();
        let mut numbers: HashMap<Series, u32> = HashMap::new();
        let mut of = Vec::with_capacity(generations.len());
        let mut lengths = Vec::new();
        for generation in generations {
            let series = series(generation);
            let number = *numbers.entry(series).or_insert_with_key(|series| {
                layout.series.push(series.clone());
                lengths.push(0_usize);
                layout.series.len() as u32 - 1
            });
            lengths[number as usize] += 1;
            of.push(number);
        }
        let mut order: Vec<usize> = (0..generations.len()).collect();
        order.sort_by_key(|n| (time(&generations[*n]), generations[*n].id));
        // By series, or by host where they are short.
        let mut lineages: HashMap<Result<u32, String>, u32> = HashMap::new();
        let mut known = Vec::with_capacity(generations.len());
        for n in order {
            let (generation, series) = (&generations[n], of[n]);
            let pool = lengths[series as usize] < SHORT;
            let key = if pool {
                Err(generation.hostname.clone())
            } else {
                Ok(series)
            };
            let current = lineages.get(&key).copied();
            let number = match current.and_then(|lineage| layout.next(lineage)) {
                Some(number) => number,
                None => {
                    let lineage = layout.lineage(&generation.hostname, pool)?;
                    lineages.insert(key, lineage);
                    layout.next(lineage).ok_or(Error::TooMany("generations"))?
                }
            };
            known.push(Known {
                id: generation.id,
                time: time(generation),
                number,
                root: roots.get(n).copied().unwrap_or(u32::MAX),
                series,
                alive: true,
            });
        }
        known.sort_unstable_by_key(|known| known.number);
        Ok((layout, known))
    }

    /// A number for one more generation beside those known.
    pub fn add(&mut self, known: &[Known], generation: &Generation, root: u32) -> Result<Known> {
        let wanted = series(generation);
        let found = self.series.iter().position(|series| *series == wanted);
        let latest = found.and_then(|at| {
            let same = known.iter().filter(|known| known.series as usize == at);
            same.max_by_key(|known| (known.time, known.number))
                .map(|known| known.number >> 16)
        });
        let pool = || {
            let mut lineages = self.lineages.iter();
            let found = lineages.rposition(|lineage| lineage.pool && lineage.host == wanted.host);
            found.map(|at| at as u32)
        };
        let lineage = latest.or_else(pool);
        let number = match lineage.and_then(|lineage| self.next(lineage)) {
            Some(number) => number,
            None => {
                let lineage = self.lineage(&generation.hostname, latest.is_none())?;
                self.next(lineage).ok_or(Error::TooMany("generations"))?
            }
        };
        let series = found.unwrap_or_else(|| {
            self.series.push(wanted);
            self.series.len() - 1
        });
        Ok(Known {
            id: generation.id,
            time: time(generation),
            number,
            root,
            series: series as u32,
            alive: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::generation::tests_support::generation;

    fn of(id: u8, seconds: i64, host: &str, path: &str) -> Generation {
        Generation {
            hostname: host.into(),
            paths: vec![path.into()],
            ..generation(id, seconds)
        }
    }

    #[test]
    fn long_series_have_lineages_and_short_ones_share_one() {
        let generations = [
            of(1, 30, "a", "/x"),
            of(2, 10, "a", "/x"),
            of(3, 20, "a", "/x"),
            of(4, 12, "a", "/snapshot/2"),
            of(5, 11, "a", "/snapshot/1"),
            of(6, 13, "b", "/snapshot/1"),
        ];
        let (mut layout, mut known) = Layout::new(&generations, &[1, 2, 3, 4, 5, 6]).unwrap();
        let number = |known: &[Known], id| known.iter().find(|known| known.id.0[0] == id).unwrap().number;
        let lineage = |known: &[Known], id| number(known, id) >> 16;
        assert_eq!(lineage(&known, 1), lineage(&known, 2));
        assert_ne!(lineage(&known, 1), lineage(&known, 4));
        assert_eq!(number(&known, 5) + 1, number(&known, 4), "by time");
        assert_eq!(
            (number(&known, 2) + 1, number(&known, 3) + 1),
            (number(&known, 3), number(&known, 1))
        );
        assert_eq!((layout.series.len(), layout.lineages.len()), (4, 3));

        for (id, host, path, want) in [
            (7, "a", "/x", 1),
            (8, "a", "/snapshot/3", 4),
            (9, "c", "/x", 9),
            (10, "c", "/x", 9),
        ] {
            let more = layout.add(&known, &of(id, 5, host, path), 0).unwrap();
            known.push(more);
            assert_eq!(lineage(&known, id), lineage(&known, want));
        }
        assert_eq!(
            (number(&known, 7), number(&known, 10)),
            (number(&known, 1) + 1, number(&known, 9) + 1)
        );
        assert_eq!((layout.series.len(), layout.lineages.len()), (6, 4));
    }

    #[test]
    fn a_lineage_without_room_is_followed_by_another() {
        let mut layout = Layout::default();
        let lineage = layout.lineage("a", false).unwrap();
        layout.lineages[0].next = OPEN - 1;
        assert_eq!(layout.next(lineage), Some(OPEN - 1));
        assert_eq!(layout.next(lineage), None);
    }
}

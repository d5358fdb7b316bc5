//! All names of the catalog in memory, folded, one after the other: a needle is found in them within milliseconds.

use rusqlite::Connection;

use super::pattern::{Pattern, fold};

/// So many bytes of names are kept (some ten million names); those beyond are not searched.
const MOST_BYTES: usize = 256 << 20;
/// More matches than this are not put in order.
const MOST_SORTED: usize = 50_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Each name and a slash, which no folded name has.
    text: String,
    /// Where each begins.
    starts: Vec<usize>,
    /// The number each has in the catalog, ascending.
    numbers: Vec<i64>,
    /// Whether there was no room for some.
    pub(super) full: bool,
}

impl Names {
    /// Takes in what is new in the catalog.
    pub(super) fn update(&mut self, c: &Connection) -> rusqlite::Result<()> {
        let last = self.numbers.last().copied().unwrap_or(0);
        let mut statement = c.prepare_cached("SELECT name, bytes FROM names WHERE name > ?1 ORDER BY name")?;
        let mut rows = statement.query([last])?;
        while let Some(row) = rows.next()? {
            if self.text.len() >= MOST_BYTES {
                self.full = true;
                break;
            }
            self.numbers.push(row.get(0)?);
            self.starts.push(self.text.len());
            fold(row.get_ref(1)?.as_blob()?, &mut self.text);
            self.text.push('/');
        }
        Ok(())
    }

    fn name(&self, at: usize) -> &str {
        let from = self.starts.get(at).copied().unwrap_or(0);
        let to = self.starts.get(at + 1).copied().unwrap_or(self.text.len());
        self.text.get(from..to.saturating_sub(1)).unwrap_or_default()
    }

    /// The numbers of the names that match: whole names first, then beginnings, then the rest; by name within each.
    pub(super) fn matching(&self, pattern: &Pattern) -> Vec<i64> {
        // By rank.
        let mut found: [Vec<usize>; 3] = Default::default();
        let mut take = |at: usize| {
            if let Some(rank) = pattern.rank(self.name(at))
                && let Some(found) = found.get_mut(usize::from(rank))
            {
                found.push(at);
            }
        };
        let needle = pattern.needle();
        if needle.is_empty() {
            (0..self.numbers.len()).for_each(&mut take);
        } else {
            let mut next = 0;
            for (offset, _) in self.text.match_indices(needle) {
                // The name it is in; a name may hold it more than once.
                let after = self.starts.get(next..).unwrap_or_default();
                let ahead = if after.get(1).is_none_or(|start| *start > offset) {
                    usize::from(after.first().is_some_and(|start| *start <= offset))
                } else {
                    after.partition_point(|start| *start <= offset)
                };
                if ahead > 0 {
                    next += ahead;
                    take(next - 1);
                }
            }
        }
        for ranked in &mut found {
            if ranked.len() <= MOST_SORTED {
                ranked.sort_unstable_by(|a, b| self.name(*a).cmp(self.name(*b)));
            }
        }
        found
            .into_iter()
            .flatten()
            .filter_map(|at| self.numbers.get(at).copied())
            .collect()
    }
}

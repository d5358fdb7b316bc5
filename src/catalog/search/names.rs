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
        let mut found: Vec<(u8, usize)> = Vec::new();
        let needle = pattern.needle();
        if needle.is_empty() {
            let all = (0..self.numbers.len()).filter_map(|at| Some((pattern.rank(self.name(at))?, at)));
            found.extend(all);
        } else {
            let mut from = 0;
            while let Some(offset) = self.text.get(from..).and_then(|text| text.find(needle)) {
                let at = self
                    .starts
                    .partition_point(|start| *start <= from + offset)
                    .saturating_sub(1);
                found.extend(pattern.rank(self.name(at)).map(|rank| (rank, at)));
                // On with the next name.
                let Some(next) = self.starts.get(at + 1) else { break };
                from = *next;
            }
        }
        if found.len() <= MOST_SORTED {
            found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| self.name(a.1).cmp(self.name(b.1))));
        } else {
            found.sort_by_key(|(rank, _)| *rank);
        }
        found
            .into_iter()
            .filter_map(|(_, at)| self.numbers.get(at).copied())
            .collect()
    }
}

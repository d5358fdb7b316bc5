//! Finding entries by name, in all generations of all vaults, from what the catalog knows.
//!
//! - `pattern` is what a user types;
//! - `names` has every name in memory and finds those that match;
//! - `places` works out where the trees that hold them lie, and in which generations, from below;
//! - `hits` puts both together: a [`Hit`] for each vault and path, the best names first.
//!
//! What is in memory is kept from search to search and renewed when the catalog changes. One search runs at a time.

mod hits;
mod names;
mod pattern;
mod places;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use rusqlite::Connection;

pub use self::hits::{Hit, Presence};
use self::names::Names;
use self::pattern::Pattern;
use self::places::{Places, Times};
use super::{Catalog, Result};
use crate::progress::{Cancel, Cancelled};
use crate::vault::{Id, NodeType};

/// For how long hits are gathered before they are told.
const MOMENT: Duration = Duration::from_millis(5);

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// A text anywhere in the name, whatever the case; with `*` or `?` a pattern for the whole name; with a slash also for
    /// the path above. Empty: every name.
    pub text: String,
    /// Only of these types; empty for all.
    pub kinds: Vec<NodeType>,
    /// Only in the vault that lies here.
    pub place: Option<String>,
    /// Only what the newest generations do not hold any more.
    pub gone: bool,
}

/// How much of a vault can be searched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// Where the vault lies.
    pub place: String,
    /// Generations known.
    pub generations: u64,
    /// Those of which all is in the catalog.
    pub catalogued: u64,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Searched {
    /// All was looked through.
    Whole,
    /// All but names beyond what fits into memory.
    Partly,
    /// Whoever took the hits had enough.
    Enough,
    /// Stopped on request.
    Cancelled,
}

/// What is kept between searches.
#[derive(Debug, Default)]
pub(super) struct Searcher {
    epoch: i64,
    names: Names,
    state: u64,
    times: Times,
    places: Places,
}

impl Searcher {
    /// Brings it up to date with the catalog.
    fn update(&mut self, c: &Connection) -> rusqlite::Result<()> {
        let epoch = c.query_row("SELECT epoch FROM about", [], |row| row.get(0))?;
        if epoch != self.epoch {
            *self = Searcher {
                epoch,
                ..Searcher::default()
            };
        }
        self.names.update(c)?;
        let times = Times::read(c)?;
        let mut hasher = DefaultHasher::new();
        places::last_tree(c)?.hash(&mut hasher);
        times.slots.hash(&mut hasher);
        if hasher.finish() != self.state {
            self.state = hasher.finish();
            self.places = Places::new(&times);
        }
        self.times = times;
        Ok(())
    }
}

/// Hits of the first of these names, of one at least and as many as a moment gives; and of how many they are.
fn some_hits(
    c: &Connection,
    searcher: &mut Searcher,
    wanted: &Wanted,
    pattern: &Pattern,
    names: &[i64],
    cancel: &Cancel,
) -> rusqlite::Result<(usize, std::result::Result<Vec<Hit>, Cancelled>)> {
    let (begun, mut found) = (Instant::now(), Vec::new());
    for (n, name) in names.iter().enumerate() {
        match hits::of_name(c, searcher, wanted, pattern, *name, cancel)? {
            Ok(hits) => found.extend(hits),
            Err(Cancelled) => return Ok((n, Err(Cancelled))),
        }
        if begun.elapsed() >= MOMENT {
            return Ok((n + 1, Ok(found)));
        }
    }
    Ok((names.len(), Ok(found)))
}

impl Catalog {
    /// Calls `each` for what is wanted, the best names first, until it breaks off or `cancel` says so.
    pub fn search(
        &self,
        wanted: &Wanted,
        cancel: &Cancel,
        each: &mut dyn FnMut(Hit) -> ControlFlow<()>,
    ) -> Result<Searched> {
        let pattern = Pattern::new(&wanted.text);
        let mut searcher = self.searcher();
        let names = self.read(|c| {
            searcher.update(c)?;
            Ok(searcher.names.matching(&pattern))
        })?;
        let mut left = names.as_slice();
        while !left.is_empty() {
            // `each` may ask the catalog in its turn, which in memory has but one connection: it is called between reads.
            let (read, hits) = self.read(|c| some_hits(c, &mut searcher, wanted, &pattern, left, cancel))?;
            let Ok(hits) = hits else {
                return Ok(Searched::Cancelled);
            };
            for hit in hits {
                if cancel.is_cancelled() {
                    return Ok(Searched::Cancelled);
                }
                if each(hit).is_break() {
                    return Ok(Searched::Enough);
                }
            }
            left = left.get(read..).unwrap_or_default();
        }
        Ok(match searcher.names.full {
            _ if cancel.is_cancelled() => Searched::Cancelled,
            true => Searched::Partly,
            false => Searched::Whole,
        })
    }

    /// Makes ready for searches, so that the first is as quick as the others.
    pub fn prepare_search(&self) -> Result<()> {
        let mut searcher = self.searcher();
        self.read(|c| searcher.update(c))
    }

    /// How much of each vault can be searched, by place.
    pub fn coverage(&self) -> Result<Vec<Coverage>> {
        self.read(|c| {
            let mut statement = c.prepare_cached(
                "SELECT v.place, count(g.id), count(t.files) FROM vaults v LEFT JOIN generations g ON g.vault = v.vault
                 LEFT JOIN trees t ON t.id = g.tree GROUP BY v.place ORDER BY v.place",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(Coverage {
                    place: row.get(0)?,
                    generations: super::vaults::unsigned(row.get(1)?),
                    catalogued: super::vaults::unsigned(row.get(2)?),
                })
            })?;
            rows.collect()
        })
    }

    /// The generations of a vault of which not all is in the catalog yet, in the order in which to read them: the newest of
    /// each host and set of paths first, then by time. Each with its tree.
    pub fn uncatalogued(&self, place: &str) -> Result<Vec<(Id, Id)>> {
        self.read(|c| {
            let mut statement = c.prepare_cached(
                "SELECT g.id, g.tree FROM (
                     SELECT id, tree, time, nanos,
                            row_number() OVER (PARTITION BY kin ORDER BY time DESC, nanos DESC) = 1 AS newest
                     FROM generations WHERE vault = (SELECT vault FROM vaults WHERE place = ?1) AND tree IS NOT NULL
                 ) g LEFT JOIN trees t ON t.id = g.tree WHERE t.files IS NULL
                 ORDER BY g.newest DESC, g.time DESC, g.nanos DESC, g.id",
            )?;
            statement
                .query_map([place], |row| Ok((Id(row.get(0)?), Id(row.get(1)?))))?
                .collect()
        })
    }
}

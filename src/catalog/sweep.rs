//! Dropping what no generation reaches any more, a little at a time: others wait for the lock that writing takes.
//!
//! A tree goes when no generation names it and no tree refers to it, then those that only it referred to: whatever is left
//! when this is interrupted has all that lies below it.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{Catalog, Result};
use crate::progress::Cancel;

/// How long one transaction goes on.
const SLICE: Duration = Duration::from_millis(50);
/// How many trees are looked at in one go.
const LOOKED_AT: i64 = 10_000;

impl Catalog {
    /// Drops the trees that no known generation reaches, if generations were removed since the last time. Gives how many;
    /// what is left when it is cancelled goes the next time.
    pub fn sweep(&self, cancel: &Cancel) -> Result<u64> {
        // Asked first without the lock for writing: mostly there is nothing to do.
        let asked: i64 = self.read(|c| c.query_row("SELECT sweep FROM about", [], |row| row.get(0)))?;
        if asked == 0 {
            return Ok(0);
        }
        let (mut dropped, mut last) = (0, i64::MIN);
        while let Some((to, mut waiting)) = self.read(|c| unreached(c, last))? {
            while !waiting.is_empty() {
                if cancel.is_cancelled() {
                    return Ok(dropped);
                }
                dropped += self.write(|t| drop_some(t, &mut waiting, SLICE))?;
            }
            last = to;
        }
        // Unless more generations were removed meanwhile.
        self.write(|t| t.execute("UPDATE about SET sweep = 0 WHERE sweep = ?1", [asked]))?;
        Ok(dropped)
    }
}

/// Of the trees that come after one, those that nothing refers to; and the last one that was looked at.
fn unreached(c: &Connection, after: i64) -> rusqlite::Result<Option<(i64, Vec<i64>)>> {
    let roots = roots(c)?;
    let mut trees = c.prepare_cached(
        "SELECT tree, id, EXISTS (SELECT 1 FROM nodes WHERE subtree = trees.id) FROM trees
         WHERE tree > ?1 ORDER BY tree LIMIT ?2",
    )?;
    let (mut last, mut found) = (None, Vec::new());
    let mut rows = trees.query([after, LOOKED_AT])?;
    while let Some(row) = rows.next()? {
        let tree = row.get(0)?;
        last = Some(tree);
        if !row.get::<_, bool>(2)? && !roots.contains(&row.get::<_, [u8; 32]>(1)?) {
            found.push(tree);
        }
    }
    Ok(last.map(|last| (last, found)))
}

/// The trees that generations name.
fn roots(c: &Connection) -> rusqlite::Result<HashSet<[u8; 32]>> {
    let mut trees = c.prepare_cached("SELECT tree FROM generations WHERE tree IS NOT NULL")?;
    trees.query_map([], |row| row.get(0))?.collect()
}

/// Drops those of the trees that wait that nothing refers to, for as long as a slice takes; what they alone referred to
/// waits from then on. Gives how many.
fn drop_some(t: &Transaction, waiting: &mut Vec<i64>, slice: Duration) -> rusqlite::Result<u64> {
    let begun = Instant::now();
    let roots = roots(t)?;
    let mut id = t.prepare_cached("SELECT id FROM trees WHERE tree = ?1")?;
    let mut referred = t.prepare_cached("SELECT EXISTS (SELECT 1 FROM nodes WHERE subtree = ?1)")?;
    let mut nodes = t.prepare_cached(
        "SELECT nodes.n, names.name, trees.tree FROM nodes LEFT JOIN names ON names.bytes = nodes.name
         LEFT JOIN trees ON trees.id = nodes.subtree WHERE nodes.tree = ?1",
    )?;
    let mut held = t.prepare_cached("DELETE FROM held WHERE name = ?1 AND tree = ?2 AND n = ?3")?;
    let mut names = BTreeSet::new();
    let mut dropped = 0;
    while let Some(tree) = waiting.pop() {
        let id: Option<[u8; 32]> = id.query_row([tree], |row| row.get(0)).optional()?;
        let Some(id) = id.filter(|id| !roots.contains(id)) else {
            continue;
        };
        if referred.query_row([id], |row| row.get(0))? {
            continue;
        }
        let mut rows = nodes.query([tree])?;
        while let Some(row) = rows.next()? {
            if let Some(name) = row.get::<_, Option<i64>>(1)? {
                held.execute(params![name, tree, row.get::<_, i64>(0)?])?;
                names.insert(name);
            }
            waiting.extend(row.get::<_, Option<i64>>(2)?);
        }
        t.prepare_cached("DELETE FROM nodes WHERE tree = ?1")?.execute([tree])?;
        t.prepare_cached("DELETE FROM trees WHERE tree = ?1")?.execute([tree])?;
        dropped += 1;
        if begun.elapsed() >= slice {
            break;
        }
    }
    let mut unused = t.prepare_cached(
        "DELETE FROM names WHERE name = ?1 AND NOT EXISTS (SELECT 1 FROM held WHERE held.name = names.name)",
    )?;
    for name in names {
        unused.execute([name])?;
    }
    Ok(dropped)
}

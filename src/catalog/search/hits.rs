//! From a name to the vaults, paths and generations that have it.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::pattern::{Pattern, fold};
use super::places::{Run, Times, count, holds, merged};
use super::{Searcher, Wanted};
use crate::catalog::trees::kind_of;
use crate::catalog::vaults::unsigned;
use crate::progress::{Cancel, Cancelled};
use crate::vault::{Id, NodeType};

/// Whether the newest generations still hold something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// The newest generation of its host and set of paths holds it.
    There,
    /// It does not.
    Gone,
    /// The newest is not catalogued yet.
    Unknown,
}

/// A path in a vault, with all that is known about it over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where the vault lies.
    pub place: String,
    /// Raw names from the root.
    pub path: Vec<Vec<u8>>,
    /// What it is, as of the last generation that holds it; size, time of change and tree likewise.
    pub kind: NodeType,
    /// Bytes of a file.
    pub size: u64,
    /// Time of last change of content, in seconds since 1970.
    pub mtime: i64,
    /// The tree of a folder.
    pub subtree: Option<Id>,
    /// The first generation that holds it, and its time in seconds since 1970.
    pub first: (Id, i64),
    /// The last generation that holds it.
    pub last: (Id, i64),
    /// How many generations hold it.
    pub generations: u64,
    /// Whether the newest still hold it.
    pub presence: Presence,
}

/// Where one row of a folder is, and when.
struct Piece {
    runs: Vec<Run>,
    tree: i64,
    n: i64,
}

/// All hits of a name, by vault and path.
pub(super) fn of_name(
    c: &Connection,
    searcher: &mut Searcher,
    wanted: &Wanted,
    pattern: &Pattern,
    name: i64,
    cancel: &Cancel,
) -> rusqlite::Result<Result<Vec<Hit>, Cancelled>> {
    let mut held = c.prepare_cached(
        "SELECT h.tree, h.n FROM held h JOIN trees t ON t.tree = h.tree
         WHERE h.name = ?1 AND (?2 = 0 OR h.n < t.here_folders) AND (?3 = 0 OR h.n >= t.here_folders)",
    )?;
    let folders = wanted.kinds == [NodeType::Dir];
    let others = !wanted.kinds.is_empty() && !wanted.kinds.contains(&NodeType::Dir);
    let mut rows = held.query(params![name, folders, others])?;
    let mut found: BTreeMap<(usize, u32), Vec<Piece>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        if cancel.is_cancelled() {
            return Ok(Err(Cancelled));
        }
        let (tree, n) = (row.get(0)?, row.get(1)?);
        for place in searcher.places.of(c, tree)?.iter() {
            for run in place.runs.iter() {
                let Some(slot) = searcher.times.slot(run.0) else {
                    continue;
                };
                let pieces = found.entry((slot.place, place.folder)).or_default();
                match pieces.last_mut() {
                    Some(last) if (last.tree, last.n) == (tree, n) => last.runs.push(*run),
                    _ => pieces.push(Piece {
                        runs: vec![*run],
                        tree,
                        n,
                    }),
                }
            }
        }
    }
    drop(rows);
    let mut hits = Vec::with_capacity(found.len());
    let Some(name) = c
        .prepare_cached("SELECT bytes FROM names WHERE name = ?1")?
        .query_row([name], |row| row.get::<_, Vec<u8>>(0))
        .optional()?
    else {
        return Ok(Ok(hits));
    };
    for ((place, folder), pieces) in found {
        if cancel.is_cancelled() {
            return Ok(Err(Cancelled));
        }
        let Some(place) = searcher.times.places.get(place) else {
            continue;
        };
        if wanted.place.as_ref().is_some_and(|wanted| wanted != place) {
            continue;
        }
        let times = &searcher.times;
        let runs = merged(pieces.iter().flat_map(|piece| piece.runs.iter().copied()).collect());
        let presence = presence(times, &runs);
        if wanted.gone && presence != Presence::Gone {
            continue;
        }
        let mut path = searcher.places.path(folder);
        if pattern.wants_path() && !takes(pattern, &path) {
            continue;
        }
        let ends = |newest: bool| {
            let slots = runs.iter().filter_map(|run| {
                let n = if newest { run.1 } else { run.0 };
                Some((n, times.slot(n)?))
            });
            let by_time = |slot: &(u32, &super::places::Slot)| slot.1.time;
            if newest {
                slots.max_by_key(by_time)
            } else {
                slots.min_by_key(by_time)
            }
        };
        let (Some((_, first)), Some((last_slot, last))) = (ends(false), ends(true)) else {
            continue;
        };
        let newest = pieces.iter().find(|piece| {
            let runs = merged(piece.runs.clone());
            holds(&runs, last_slot)
        });
        let Some(newest) = newest else { continue };
        let mut facts = c.prepare_cached("SELECT kind, size, mtime, subtree FROM nodes WHERE tree = ?1 AND n = ?2")?;
        let facts = facts
            .query_row(params![newest.tree, newest.n], |row| {
                Ok((
                    kind_of(row.get(0)?),
                    unsigned(row.get(1)?),
                    row.get(2)?,
                    row.get::<_, Option<[u8; 32]>>(3)?.map(Id),
                ))
            })
            .optional()?;
        let Some((kind, size, mtime, subtree)) = facts else {
            continue;
        };
        if !wanted.kinds.is_empty() && !wanted.kinds.contains(&kind) {
            continue;
        }
        path.push(name.clone());
        hits.push(Hit {
            place: place.clone(),
            path,
            kind,
            size,
            mtime,
            subtree,
            first: (first.id, first.time.0),
            last: (last.id, last.time.0),
            generations: count(&runs),
            presence,
        });
    }
    hits.sort_by(|a, b| a.path.cmp(&b.path).then_with(|| a.place.cmp(&b.place)));
    Ok(Ok(hits))
}

/// There when the newest generation of any kin it was in holds it.
fn presence(times: &Times, runs: &[Run]) -> Presence {
    let mut presence = Presence::Gone;
    for (from, _) in runs {
        let Some(slot) = times.slot(*from) else { continue };
        let Some(newest) = times.kins.get(slot.kin) else {
            continue;
        };
        if holds(runs, *newest) {
            return Presence::There;
        }
        if times.slot(*newest).is_none_or(|slot| !slot.complete) {
            presence = Presence::Unknown;
        }
    }
    presence
}

fn takes(pattern: &Pattern, path: &[Vec<u8>]) -> bool {
    let mut folded = String::new();
    for name in path {
        folded.push('/');
        fold(name, &mut folded);
    }
    pattern.takes_path(&folded)
}

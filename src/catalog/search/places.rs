//! Where a tree is to be found, and in which generations: worked out from below, upwards to the roots.
//!
//! A tree lies at the paths at which the trees that hold it lie, with the name it has there; a root lies at the root of its
//! generations. What was worked out for a tree is remembered, so that however many names are looked for, each folder is
//! walked up once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _};

use super::super::vaults::unsigned;
use crate::vault::Id;

/// At so many places one tree is looked at: damage or malice can make them without number.
const MOST_PLACES: usize = 4096;
/// When so many places are remembered, all are forgotten: about 100 MB.
const MOST_REMEMBERED: usize = 2_000_000;

/// From this slot to that one, both included.
pub(super) type Run = (u32, u32);

/// Slots as sorted runs that do not touch.
pub(super) type Runs = Arc<[Run]>;

/// A generation as the search knows it.
#[derive(Debug, Clone, Hash)]
pub(super) struct Slot {
    /// Which of [`Times::places`].
    pub(super) place: usize,
    /// Which of [`Times::kins`].
    pub(super) kin: usize,
    pub(super) id: Id,
    pub(super) time: (i64, u32),
    pub(super) tree: Id,
    /// Whether all of it is in the catalog.
    pub(super) complete: bool,
}

/// All generations of all vaults, those of one vault, host and set of paths (kin) in a row, oldest first, and an empty slot
/// after each kin so that runs end there.
#[derive(Debug, Default, Clone)]
pub(super) struct Times {
    pub(super) slots: Vec<Option<Slot>>,
    /// The last slot of each kin.
    pub(super) kins: Vec<u32>,
    /// Where the vaults lie.
    pub(super) places: Vec<String>,
}

impl Times {
    pub(super) fn read(c: &Connection) -> rusqlite::Result<Times> {
        let mut statement = c.prepare_cached(
            "SELECT v.place, g.kin, g.id, g.time, g.nanos, g.tree, t.files IS NOT NULL
             FROM generations g JOIN vaults v ON v.vault = g.vault LEFT JOIN trees t ON t.id = g.tree
             WHERE g.tree IS NOT NULL ORDER BY v.place, g.kin, g.time, g.nanos, g.id",
        )?;
        let mut rows = statement.query([])?;
        let mut times = Times::default();
        let mut kin = String::new();
        while let Some(row) = rows.next()? {
            let (place, its_kin) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
            let new_place = times.places.last().is_none_or(|last| last != place);
            if new_place || kin != its_kin {
                if !times.slots.is_empty() {
                    times.slots.push(None);
                }
                times.kins.push(0);
                kin.clear();
                kin.push_str(its_kin);
            }
            if new_place {
                times.places.push(place.to_owned());
            }
            if let Some(last) = times.kins.last_mut() {
                *last = times.slots.len() as u32;
            }
            times.slots.push(Some(Slot {
                place: times.places.len() - 1,
                kin: times.kins.len() - 1,
                id: Id(row.get(2)?),
                time: (row.get(3)?, row.get(4)?),
                tree: Id(row.get(5)?),
                complete: row.get(6)?,
            }));
        }
        Ok(times)
    }

    pub(super) fn slot(&self, n: u32) -> Option<&Slot> {
        self.slots.get(n as usize)?.as_ref()
    }
}

/// A folder's path: its folder above and its name. The first is the root.
#[derive(Debug)]
struct Folder {
    above: u32,
    name: Arc<[u8]>,
}

/// Somewhere a tree lies.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) folder: u32,
    pub(super) runs: Runs,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Places {
    roots: HashMap<Id, Vec<u32>>,
    folders: Vec<Folder>,
    numbers: HashMap<(u32, Arc<[u8]>), u32>,
    known: HashMap<i64, Arc<[Place]>>,
    remembered: usize,
    sets: HashSet<Runs>,
}

/// A tree on the way up.
struct Climb {
    tree: i64,
    id: Id,
    above: Vec<(i64, Vec<u8>)>,
    next: usize,
}

impl Places {
    pub(super) fn new(times: &Times) -> Places {
        let mut roots: HashMap<Id, Vec<u32>> = HashMap::new();
        for (n, slot) in times.slots.iter().enumerate() {
            if let Some(slot) = slot {
                roots.entry(slot.tree).or_default().push(n as u32);
            }
        }
        Places {
            roots,
            folders: vec![Folder {
                above: 0,
                name: Arc::from(&b""[..]),
            }],
            ..Places::default()
        }
    }

    /// Where a tree lies.
    pub(super) fn of(&mut self, c: &Connection, tree: i64) -> rusqlite::Result<Arc<[Place]>> {
        if let Some(known) = self.known.get(&tree) {
            return Ok(known.clone());
        }
        if self.remembered > MOST_REMEMBERED {
            self.known.clear();
            self.sets.clear();
            self.remembered = 0;
        }
        let mut stack: Vec<Climb> = self.climb(c, tree)?.into_iter().collect();
        while let Some(climb) = stack.last_mut() {
            if let Some((above, _)) = climb.above.get(climb.next) {
                climb.next += 1;
                if !self.known.contains_key(above) {
                    let above = *above;
                    stack.extend(self.climb(c, above)?);
                }
                continue;
            }
            let Some(climb) = stack.pop() else { break };
            let places = self.gather(&climb);
            self.remembered += places.len();
            self.known.insert(climb.tree, places);
        }
        Ok(self.known.get(&tree).cloned().unwrap_or_default())
    }

    /// What holds a tree. Until it is worked out it counts as lying nowhere, so that a ring of trees, which only a tampered
    /// catalog can have, ends.
    fn climb(&mut self, c: &Connection, tree: i64) -> rusqlite::Result<Option<Climb>> {
        self.known.insert(tree, Arc::from([]));
        let mut id = c.prepare_cached("SELECT id FROM trees WHERE tree = ?1")?;
        let Some(id) = id.query_row([tree], |row| row.get(0).map(Id)).optional()? else {
            return Ok(None);
        };
        let mut above = c.prepare_cached("SELECT tree, name FROM nodes INDEXED BY nodes_up WHERE subtree = ?1")?;
        let above = above.query_map([id.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Some(Climb {
            tree,
            id,
            above: above.collect::<rusqlite::Result<_>>()?,
            next: 0,
        }))
    }

    fn gather(&mut self, climb: &Climb) -> Arc<[Place]> {
        let mut at: HashMap<u32, Vec<Run>> = HashMap::new();
        if let Some(slots) = self.roots.get(&climb.id) {
            at.insert(0, slots.iter().map(|slot| (*slot, *slot)).collect());
        }
        for (above, name) in &climb.above {
            let Some(places) = self.known.get(above).cloned() else {
                continue;
            };
            for place in places.iter() {
                let folder = self.folder(place.folder, name);
                if at.len() < MOST_PLACES || at.contains_key(&folder) {
                    at.entry(folder).or_default().extend_from_slice(&place.runs);
                }
            }
        }
        let mut places: Vec<Place> = at
            .into_iter()
            .map(|(folder, runs)| Place {
                folder,
                runs: self.set(runs),
            })
            .collect();
        places.sort_unstable_by_key(|place| place.folder);
        places.into()
    }

    fn folder(&mut self, above: u32, name: &[u8]) -> u32 {
        let key = (above, Arc::from(name));
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = self.folders.len() as u32;
        self.folders.push(Folder {
            above,
            name: Arc::clone(&key.1),
        });
        self.numbers.insert(key, number);
        number
    }

    /// One value for equal sets, of which there are few.
    fn set(&mut self, runs: Vec<Run>) -> Runs {
        let runs = merged(runs);
        if let Some(known) = self.sets.get(runs.as_slice()) {
            return known.clone();
        }
        let runs: Runs = runs.into();
        self.sets.insert(runs.clone());
        runs
    }

    /// The names on the way from the root to a folder.
    pub(super) fn path(&self, folder: u32) -> Vec<Vec<u8>> {
        let mut path = Vec::new();
        let mut at = folder;
        while let Some(folder) = self.folders.get(at as usize).filter(|_| at != 0) {
            path.push(folder.name.to_vec());
            at = folder.above;
        }
        path.reverse();
        path
    }
}

/// Sorted, and joined where they touch.
pub(super) fn merged(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_unstable();
    let mut out: Vec<Run> = Vec::with_capacity(runs.len().min(16));
    for (from, to) in runs {
        match out.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

/// How many slots runs have.
pub(super) fn count(runs: &[Run]) -> u64 {
    runs.iter().map(|(from, to)| u64::from(to - from) + 1).sum()
}

/// Whether a slot is in one of the runs.
pub(super) fn holds(runs: &[Run], slot: u32) -> bool {
    let after = runs.partition_point(|(from, _)| *from <= slot);
    after > 0 && runs.get(after - 1).is_some_and(|(_, to)| slot <= *to)
}

/// The newest tree, by which a change of the catalog shows.
pub(super) fn last_tree(c: &Connection) -> rusqlite::Result<u64> {
    c.query_row("SELECT coalesce(max(tree), 0) FROM trees", [], |row| {
        row.get(0).map(unsigned)
    })
}

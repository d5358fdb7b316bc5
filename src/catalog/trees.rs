//! Unique trees, each stored once: a tree's id is the hash of its bytes, so what is stored never changes and is the same
//! for every vault that holds it.
//!
//! Rows are numbered folders first, then by raw name, from 0: a window is a range of the primary key, the n-th row a
//! look-up, a name a bisection.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use sha2::{Digest as _, Sha256};

use super::vaults::{clamp, unsigned};
use super::{Catalog, Entry, Result, Totals};
use crate::vault::{Id, Node, NodeType, Time};

/// A tree in the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredTree {
    pub(super) key: i64,
    /// Folders in this one.
    pub here_folders: u64,
    /// Everything else in it.
    pub here_others: u64,
    /// Bytes of the largest file in it.
    pub largest: u64,
    /// What lies below it in all, where known.
    pub below: Option<Totals>,
}

impl StoredTree {
    /// How many entries it has.
    pub fn entries(&self) -> u64 {
        self.here_folders + self.here_others
    }
}

impl From<Node> for Entry {
    fn from(node: Node) -> Entry {
        Entry {
            content: node.content.as_deref().map(fingerprint),
            name: node.name,
            kind: node.kind,
            mode: node.mode,
            size: node.size,
            mtime: node.mtime,
            uid: node.uid,
            gid: node.gid,
            subtree: node.subtree,
            link_target: node.link_target,
            below: None,
        }
    }
}

/// A hash over the ids of a file's blobs, in order. Files of the same content have the same in one vault; in vaults with
/// other chunk borders (another polynomial) they differ all the same.
fn fingerprint(blobs: &[Id]) -> u64 {
    let mut hash = Sha256::new();
    for blob in blobs {
        hash.update(blob.0);
    }
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    u64::from_be_bytes(first)
}

const ENTRY: &str = "name, kind, mode, size, mtime, nanos, zone, uid, gid, subtree, target, content";

impl Catalog {
    /// A tree, if it has been stored.
    pub fn tree(&self, id: &Id) -> Result<Option<StoredTree>> {
        self.read(|c| stored(c, id))
    }

    /// Stores trees with their entries (in any order; of two of one name the first counts), in one transaction. What is
    /// there already stays. What lies below is known when it is known for all folders in it: store inner trees first.
    pub fn store_trees(&self, trees: &mut [(Id, Vec<Entry>)]) -> Result<()> {
        for (_, entries) in trees.iter_mut() {
            let order = |e: &Entry| e.kind != NodeType::Dir;
            entries.sort_by(|a, b| (order(a), &a.name).cmp(&(order(b), &b.name)));
            entries.dedup_by(|later, earlier| later.kind == earlier.kind && later.name == earlier.name);
        }
        self.write(|t| {
            let mut tree = t.prepare_cached(
                "INSERT INTO trees (id, here_folders, here_others, largest) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING",
            )?;
            let mut node = t.prepare_cached(
                "INSERT INTO nodes (tree, n, name, kind, mode, size, mtime, nanos, zone, uid, gid, subtree, target, content)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?;
            let mut known = t.prepare_cached("SELECT name FROM names WHERE bytes = ?1")?;
            let mut new = t.prepare_cached("INSERT INTO names (bytes) VALUES (?1)")?;
            let mut held = t.prepare_cached("INSERT INTO held (name, tree, n) VALUES (?1, ?2, ?3)")?;
            for (id, entries) in trees.iter() {
                let folders = entries.partition_point(|e| e.kind == NodeType::Dir);
                let others = (entries.len() - folders) as i64;
                let largest = entries[folders..].iter().map(|e| e.size).max().unwrap_or(0);
                if tree.execute(params![id.0, folders as i64, others, clamp(largest)])? == 0 {
                    continue;
                }
                let key = t.last_insert_rowid();
                for (n, e) in entries.iter().enumerate() {
                    node.execute(params![
                        key,
                        n as i64,
                        e.name,
                        kind_number(e.kind),
                        e.mode,
                        clamp(e.size),
                        e.mtime.seconds,
                        e.mtime.nanos,
                        e.mtime.offset,
                        e.uid,
                        e.gid,
                        e.subtree.map(|id| id.0),
                        (!e.link_target.is_empty()).then_some(&e.link_target),
                        e.content.map(u64::cast_signed),
                    ])?;
                    let name = match known.query_row([&e.name], |row| row.get::<_, i64>(0)).optional()? {
                        Some(name) => name,
                        None => {
                            new.execute([&e.name])?;
                            t.last_insert_rowid()
                        }
                    };
                    held.execute(params![name, key, n as i64])?;
                }
                if let Some(totals) = sum(t, entries)? {
                    set_totals(t, key, totals)?;
                }
            }
            Ok(())
        })
    }

    /// For each of these trees (inner before outer) adds up what lies below it from its own rows and its folders' totals,
    /// and keeps it, where all of them are known.
    pub fn complete_totals(&self, trees: &[Id]) -> Result<()> {
        self.write(|t| {
            for id in trees {
                let Some(tree) = stored(t, id)? else { continue };
                if tree.below.is_none()
                    && let Some(totals) = add_up(t, &tree)?
                {
                    set_totals(t, tree.key, totals)?;
                }
            }
            Ok(())
        })
    }

    /// The trees of those folders in a stored tree of which it is not known what lies below.
    pub fn unknown_folders(&self, id: &Id) -> Result<Vec<Id>> {
        self.read(|c| {
            let Some(tree) = stored(c, id)? else {
                return Ok(Vec::new());
            };
            let mut statement = c.prepare_cached(
                "SELECT n.subtree FROM nodes n LEFT JOIN trees t ON t.id = n.subtree
                 WHERE n.tree = ?1 AND n.n < ?2 AND n.subtree IS NOT NULL AND t.files IS NULL ORDER BY n.n",
            )?;
            let rows = statement.query_map(params![tree.key, tree.here_folders as i64], |row| row.get(0).map(Id))?;
            rows.collect()
        })
    }

    /// What the heaviest entry of a stored tree weighs, as far as is known: folders count what lies below them.
    pub fn heaviest(&self, id: &Id) -> Result<Option<u64>> {
        self.read(|c| {
            let Some(tree) = stored(c, id)? else { return Ok(None) };
            let mut folders = c.prepare_cached(
                "SELECT coalesce(max(t.bytes), 0) FROM nodes n JOIN trees t ON t.id = n.subtree
                 WHERE n.tree = ?1 AND n.n < ?2",
            )?;
            let folder = folders.query_row(params![tree.key, tree.here_folders as i64], |row| row.get(0))?;
            Ok(Some(tree.largest.max(unsigned(folder))))
        })
    }

    /// The entry of this name in a stored tree.
    pub fn lookup(&self, id: &Id, name: &[u8]) -> Result<Option<Entry>> {
        self.read(|c| {
            let Some(tree) = stored(c, id)? else { return Ok(None) };
            for range in [0..tree.here_folders, tree.here_folders..tree.entries()] {
                let (n, exact) = bisect(c, &tree, range, name)?;
                if exact {
                    return entry(c, &tree, n);
                }
            }
            Ok(None)
        })
    }
}

impl Totals {
    /// Adds another's counts, stopping at the largest number.
    pub fn add(&mut self, other: Totals) {
        self.files = self.files.saturating_add(other.files);
        self.folders = self.folders.saturating_add(other.folders);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

pub(super) fn stored(c: &Connection, id: &Id) -> rusqlite::Result<Option<StoredTree>> {
    c.prepare_cached("SELECT tree, here_folders, here_others, files, folders, bytes, largest FROM trees WHERE id = ?1")?
        .query_row([id.0], |row| {
            Ok(StoredTree {
                key: row.get(0)?,
                here_folders: unsigned(row.get(1)?),
                here_others: unsigned(row.get(2)?),
                below: totals_at(row, 3)?,
                largest: unsigned(row.get(6)?),
            })
        })
        .optional()
}

/// Where `name` is in a range of rows sorted by name, or would be; and whether it is there.
pub(super) fn bisect(
    c: &Connection,
    tree: &StoredTree,
    range: std::ops::Range<u64>,
    name: &[u8],
) -> rusqlite::Result<(u64, bool)> {
    let mut statement = c.prepare_cached("SELECT name FROM nodes WHERE tree = ?1 AND n = ?2")?;
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        let mut rows = statement.query(params![tree.key, middle as i64])?;
        let Some(row) = rows.next()? else { break };
        match row.get_ref(0)?.as_blob()?.cmp(name) {
            std::cmp::Ordering::Equal => return Ok((middle, true)),
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok((low, false))
}

/// The row of this number.
pub(super) fn entry(c: &Connection, tree: &StoredTree, n: u64) -> rusqlite::Result<Option<Entry>> {
    let mut statement = c.prepare_cached(&format!("SELECT {ENTRY} FROM nodes WHERE tree = ?1 AND n = ?2"))?;
    let entry = statement.query_row(params![tree.key, n as i64], to_entry).optional()?;
    entry.map(|entry| with_totals(c, entry)).transpose()
}

/// The rows of these numbers.
pub(super) fn range(c: &Connection, tree: &StoredTree, rows: std::ops::Range<u64>) -> rusqlite::Result<Vec<Entry>> {
    let sql = format!("SELECT {ENTRY} FROM nodes WHERE tree = ?1 AND n >= ?2 AND n < ?3 ORDER BY n");
    let mut statement = c.prepare_cached(&sql)?;
    let found = statement.query_map(params![tree.key, rows.start as i64, rows.end as i64], to_entry)?;
    found.map(|entry| with_totals(c, entry?)).collect()
}

fn with_totals(c: &Connection, mut entry: Entry) -> rusqlite::Result<Entry> {
    if let Some(subtree) = &entry.subtree {
        entry.below = stored(c, subtree)?.and_then(|tree| tree.below);
    }
    Ok(entry)
}

fn to_entry(row: &Row) -> rusqlite::Result<Entry> {
    Ok(Entry {
        name: row.get(0)?,
        kind: kind_of(row.get(1)?),
        mode: row.get(2)?,
        size: unsigned(row.get(3)?),
        mtime: Time {
            seconds: row.get(4)?,
            nanos: row.get(5)?,
            offset: row.get(6)?,
        },
        uid: row.get(7)?,
        gid: row.get(8)?,
        subtree: row.get::<_, Option<[u8; 32]>>(9)?.map(Id),
        link_target: row.get::<_, Option<Vec<u8>>>(10)?.unwrap_or_default(),
        content: row.get::<_, Option<i64>>(11)?.map(i64::cast_unsigned),
        below: None,
    })
}

/// What lies below, from entries that are about to be stored and their folders' totals.
fn sum(c: &Connection, entries: &[Entry]) -> rusqlite::Result<Option<Totals>> {
    let mut totals = Totals::default();
    for entry in entries {
        if entry.kind == NodeType::Dir {
            totals.folders = totals.folders.saturating_add(1);
            // A folder without a tree is damage, and holds nothing.
            let Some(subtree) = &entry.subtree else { continue };
            let Some(below) = stored(c, subtree)?.and_then(|tree| tree.below) else {
                return Ok(None);
            };
            totals.add(below);
        } else {
            totals.add(Totals {
                files: 1,
                folders: 0,
                bytes: entry.size,
            });
        }
    }
    Ok(Some(totals))
}

/// The same from stored rows.
fn add_up(c: &Connection, tree: &StoredTree) -> rusqlite::Result<Option<Totals>> {
    // `total` never overflows, but is exact only to 2^53: hostile sums beyond are rounded.
    let mut others = c.prepare_cached("SELECT total(size) FROM nodes WHERE tree = ?1 AND n >= ?2")?;
    let bytes: f64 = others.query_row(params![tree.key, tree.here_folders as i64], |row| row.get(0))?;
    let mut totals = Totals {
        files: tree.here_others,
        folders: tree.here_folders,
        bytes: bytes as u64,
    };
    let mut folders = c.prepare_cached(
        "SELECT t.files, t.folders, t.bytes FROM nodes n LEFT JOIN trees t ON t.id = n.subtree
         WHERE n.tree = ?1 AND n.n < ?2 AND n.subtree IS NOT NULL",
    )?;
    let mut rows = folders.query(params![tree.key, tree.here_folders as i64])?;
    while let Some(row) = rows.next()? {
        let Some(below) = totals_at(row, 0)? else {
            return Ok(None);
        };
        totals.add(below);
    }
    Ok(Some(totals))
}

fn set_totals(c: &Connection, key: i64, totals: Totals) -> rusqlite::Result<()> {
    c.prepare_cached("UPDATE trees SET files = ?2, folders = ?3, bytes = ?4 WHERE tree = ?1")?
        .execute(params![
            key,
            clamp(totals.files),
            clamp(totals.folders),
            clamp(totals.bytes)
        ])?;
    Ok(())
}

fn totals_at(row: &Row, first: usize) -> rusqlite::Result<Option<Totals>> {
    let get = |n| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(first + n)?.map(unsigned));
    Ok(match (get(0)?, get(1)?, get(2)?) {
        (Some(files), Some(folders), Some(bytes)) => Some(Totals { files, folders, bytes }),
        _ => None,
    })
}

/// The number a kind has in the file. Never change one.
pub(super) fn kind_number(kind: NodeType) -> i64 {
    match kind {
        NodeType::File => 0,
        NodeType::Dir => 1,
        NodeType::Symlink => 2,
        NodeType::Dev => 3,
        NodeType::CharDev => 4,
        NodeType::Fifo => 5,
        NodeType::Socket => 6,
    }
}

pub(super) fn kind_of(number: i64) -> NodeType {
    match number {
        1 => NodeType::Dir,
        2 => NodeType::Symlink,
        3 => NodeType::Dev,
        4 => NodeType::CharDev,
        5 => NodeType::Fifo,
        6 => NodeType::Socket,
        _ => NodeType::File,
    }
}

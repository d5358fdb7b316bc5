//! Windows of a folder, in any order and under a filter.
//!
//! The stored order (folders first, then by name) needs nothing but the rows asked for. For any other order or filter the
//! row numbers are sorted once and kept (a few such lists, bounded), so that scrolling stays as cheap.

use std::sync::Arc;

use rusqlite::{Connection, params};

use super::trees::{self, StoredTree, stored};
use super::vaults::unsigned;
use super::{Catalog, Direction, Entry, FolderView, Position, Result, SortKey, Window};
use crate::vault::Id;

/// Most row numbers kept over all lists (16 MB), and most lists.
const KEPT_ROWS: usize = 4 << 20;
const KEPT_LISTS: usize = 8;

/// Lists of row numbers, the last used at the end.
#[derive(Debug, Default)]
pub(super) struct Orders(Vec<Kept>);

/// The rows of a tree in the order of a view.
#[derive(Debug)]
struct Kept {
    tree: Id,
    view: FolderView,
    rows: Arc<Vec<u32>>,
    /// Whether all that the order depends on was known.
    settled: bool,
}

impl Orders {
    /// A list made before, unless more is known now. While sizes are still being counted an order stays as it is: rows
    /// do not jump about under the cursor.
    fn get(&mut self, id: &Id, view: &FolderView, settled: bool) -> Option<Arc<Vec<u32>>> {
        let at = self.0.iter().position(|kept| kept.tree == *id && kept.view == *view)?;
        let found = self.0.remove(at);
        if settled && !found.settled {
            return None;
        }
        let rows = found.rows.clone();
        self.0.push(found);
        Some(rows)
    }

    fn put(&mut self, id: &Id, view: &FolderView, rows: Arc<Vec<u32>>, settled: bool) {
        self.0.retain(|kept| kept.tree != *id || kept.view != *view);
        self.0.push(Kept {
            tree: *id,
            view: view.clone(),
            rows,
            settled,
        });
        while self.0.len() > KEPT_LISTS
            || (self.0.len() > 1 && self.0.iter().map(|kept| kept.rows.len()).sum::<usize>() > KEPT_ROWS)
        {
            self.0.remove(0);
        }
    }
}

impl FolderView {
    /// Folders first, then by name, everything: the order in which rows are stored.
    pub fn plain() -> FolderView {
        FolderView {
            folders_first: true,
            ..FolderView::default()
        }
    }
}

impl Catalog {
    /// A window of a stored tree, of at most `rows` rows; `None` when the tree is not stored.
    pub fn window(&self, id: &Id, view: &FolderView, position: &Position, rows: usize) -> Result<Option<Window>> {
        let rows = rows as u64;
        self.read(|c| {
            let Some(tree) = stored(c, id)? else { return Ok(None) };
            if *view == FolderView::plain() {
                let total = tree.entries();
                let wanted = match position {
                    Position::Row(n) => *n,
                    Position::End => total,
                    Position::Name(name) => plain_position(c, &tree, name)?,
                };
                let first = start(wanted, rows, total);
                let found = trees::range(c, &tree, first..total.min(first.saturating_add(rows)))?;
                return Ok(Some(Window {
                    first,
                    rows: found,
                    total,
                }));
            }
            let order = self.order(c, id, &tree, view)?;
            let total = order.len() as u64;
            let wanted = match position {
                Position::Row(n) => *n,
                Position::End => total,
                Position::Name(name) => named_position(c, &tree, &order, view, name)?,
            };
            let first = start(wanted, rows, total);
            let last = total.min(first.saturating_add(rows));
            let mut found = Vec::new();
            for n in order.get(first as usize..last as usize).unwrap_or_default() {
                found.extend(trees::entry(c, &tree, u64::from(*n))?);
            }
            Ok(Some(Window {
                first,
                rows: found,
                total,
            }))
        })
    }

    /// The row of the entry with exactly this name; `None` when the view does not show one or the tree is not stored.
    pub fn row_of(&self, id: &Id, view: &FolderView, name: &[u8]) -> Result<Option<u64>> {
        self.read(|c| {
            let Some(tree) = stored(c, id)? else { return Ok(None) };
            for range in [0..tree.here_folders, tree.here_folders..tree.entries()] {
                let (n, exact) = trees::bisect(c, &tree, range, name)?;
                if !exact {
                    continue;
                }
                if *view == FolderView::plain() {
                    return Ok(Some(n));
                }
                let order = self.order(c, id, &tree, view)?;
                return Ok(order.iter().position(|row| u64::from(*row) == n).map(|row| row as u64));
            }
            Ok(None)
        })
    }

    fn order(&self, c: &Connection, id: &Id, tree: &StoredTree, view: &FolderView) -> rusqlite::Result<Arc<Vec<u32>>> {
        let settled = view.sort != SortKey::Size || tree.below.is_some();
        let kept = self.orders().get(id, view, settled);
        if let Some(order) = kept {
            return Ok(order);
        }
        let order = Arc::new(order(c, tree, view)?);
        self.orders().put(id, view, order.clone(), settled);
        Ok(order)
    }

    /// Calls `each` for every entry of a stored tree, folders first, then by name. `false` when it is not stored.
    pub fn for_each_entry(&self, id: &Id, mut each: impl FnMut(Entry)) -> Result<bool> {
        const CHUNK: u64 = 1024;
        let Some(tree) = self.tree(id)? else { return Ok(false) };
        let mut first = 0;
        while first < tree.entries() {
            let last = tree.entries().min(first + CHUNK);
            self.read(|c| trees::range(c, &tree, first..last))?
                .into_iter()
                .for_each(&mut each);
            first = last;
        }
        Ok(true)
    }
}

/// The first row of a window that starts at `wanted` and is as full as can be.
fn start(wanted: u64, rows: u64, total: u64) -> u64 {
    wanted.min(total.saturating_sub(rows))
}

/// The row of a name in the stored order; one that is not there: where it would be among what is no folder.
fn plain_position(c: &Connection, tree: &StoredTree, name: &[u8]) -> rusqlite::Result<u64> {
    match trees::bisect(c, tree, 0..tree.here_folders, name)? {
        (n, true) => Ok(n),
        _ => Ok(trees::bisect(c, tree, tree.here_folders..tree.entries(), name)?.0),
    }
}

/// The place of a name in a sorted list; one that is not there: the first after it when sorted by name, else the start.
fn named_position(
    c: &Connection,
    tree: &StoredTree,
    order: &[u32],
    view: &FolderView,
    name: &[u8],
) -> rusqlite::Result<u64> {
    for range in [0..tree.here_folders, tree.here_folders..tree.entries()] {
        let (n, exact) = trees::bisect(c, tree, range, name)?;
        if exact && let Some(place) = order.iter().position(|row| u64::from(*row) == n) {
            return Ok(place as u64);
        }
    }
    if view.sort != SortKey::Name || view.folders_first {
        return Ok(0);
    }
    let (mut low, mut high) = (0, order.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(entry) = trees::entry(c, tree, u64::from(order[middle]))? else {
            break;
        };
        let before = match view.direction {
            Direction::Ascending => entry.name.as_slice() < name,
            Direction::Descending => entry.name.as_slice() > name,
        };
        if before { low = middle + 1 } else { high = middle }
    }
    Ok(low as u64)
}

/// The row numbers in the view's order, without what its filter hides.
fn order(c: &Connection, tree: &StoredTree, view: &FolderView) -> rusqlite::Result<Vec<u32>> {
    let filter = Filter::new(&view.filter);
    let mut statement = c.prepare_cached(match view.sort {
        SortKey::Size => {
            "SELECT n.n, n.name, coalesce(t.bytes, n.size), 0 FROM nodes n LEFT JOIN trees t ON t.id = n.subtree
             WHERE n.tree = ?1 ORDER BY n.n"
        }
        SortKey::Modified => "SELECT n, name, mtime, nanos FROM nodes WHERE tree = ?1 ORDER BY n",
        SortKey::Name => "SELECT n, name, 0, 0 FROM nodes WHERE tree = ?1 ORDER BY n",
    })?;
    let mut rows = statement.query(params![tree.key])?;
    let stored_order = view.sort == SortKey::Name && view.folders_first && view.direction == Direction::Ascending;
    let mut keys: Vec<(bool, i64, i64, Vec<u8>, u32)> = Vec::new();
    let mut plain: Vec<u32> = Vec::new();
    while let Some(row) = rows.next()? {
        let name = row.get_ref(1)?.as_blob()?;
        if !filter.holds(name) {
            continue;
        }
        let n = row.get::<_, u32>(0)?;
        if stored_order {
            plain.push(n);
        } else {
            let later = view.folders_first && unsigned(n.into()) >= tree.here_folders;
            keys.push((later, row.get(2)?, row.get(3)?, name.to_vec(), n));
        }
    }
    if stored_order {
        return Ok(plain);
    }
    keys.sort_unstable_by(|a, b| {
        let by_key = (a.1, a.2).cmp(&(b.1, b.2));
        let by_name = a.3.cmp(&b.3).then(a.4.cmp(&b.4));
        let ordered = match (view.direction, view.sort) {
            (Direction::Ascending, _) => by_key.then(by_name),
            (Direction::Descending, SortKey::Name) => by_name.reverse(),
            (Direction::Descending, _) => by_key.reverse().then(by_name),
        };
        a.0.cmp(&b.0).then(ordered)
    });
    Ok(keys.into_iter().map(|(.., n)| n).collect())
}

/// Whether a name holds some text, whatever the case.
struct Filter {
    bytes: Vec<u8>,
    text: Option<String>,
}

impl Filter {
    fn new(filter: &[u8]) -> Filter {
        let text = std::str::from_utf8(filter)
            .ok()
            .filter(|text| !text.is_ascii())
            .map(str::to_lowercase);
        Filter {
            bytes: filter.to_ascii_lowercase(),
            text,
        }
    }

    fn holds(&self, name: &[u8]) -> bool {
        if self.bytes.is_empty() {
            return true;
        }
        if let (Some(text), Ok(name)) = (&self.text, std::str::from_utf8(name)) {
            return name.to_lowercase().contains(text.as_str());
        }
        let same = |window: &[u8]| window.eq_ignore_ascii_case(&self.bytes);
        name.windows(self.bytes.len()).any(same)
    }
}

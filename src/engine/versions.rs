//! The versions of one path through the generations of a vault: the catalog remembers each folder on the way, so that
//! asking again reads nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::answers::{Emit, PARTLY_EVERY};
use super::folder::to_entry_row;
use super::question::{Answer, DiskNow, EntryRow, TreePath, VersionChange, VersionRow, Versions};
use super::{Engine, OpenVault, Result};
use crate::catalog::Entry;
use crate::progress::Cancel;
use crate::vault::{Generation, Id, NodeType};

impl Engine {
    /// The versions of what lies at a path, told in parts from the given generation on, both ways. Without a vault at
    /// hand: `None` when the catalog cannot tell all.
    pub(super) fn versions(
        &self,
        open: Option<&OpenVault>,
        vault: &str,
        generation: &Id,
        path: &TreePath,
        cancel: &Cancel,
        emit: &Emit,
    ) -> Result<Option<Answer>> {
        let place = self.find(vault)?.key();
        let mut all = self.catalog().generations(&place)?;
        if all.is_empty() || all.iter().all(|known| known.id != *generation) {
            let Some(open) = open else { return Ok(None) };
            all = self.generations(open)?;
        }
        let Some(from) = all.iter().find(|known| known.id == *generation).cloned() else {
            return Ok(Some(Answer::Failed(
                "this generation is not in the vault any more".into(),
            )));
        };
        let line = lineage(all, &from, path);
        let at = line.iter().position(|known| known.id == *generation).unwrap_or(0);
        let disk = (from.hostname == self.settings().host)
            .then(|| disk_path(&from, path))
            .flatten();
        let mut look = Look {
            engine: self,
            open,
            path,
            known: HashMap::new(),
            same: HashMap::new(),
            left: MOST_COMPARED,
        };
        // What was seen, newest first: a stretch of `line` that grows at both ends.
        let mut seen = std::collections::VecDeque::new();
        let (mut newer, mut older) = (at, at);
        let mut told = Instant::now();
        let tell = |newer: usize, seen: &std::collections::VecDeque<Option<Entry>>| {
            let seen: Vec<&Option<Entry>> = seen.iter().collect();
            Versions {
                versions: to_runs(&line[newer..], &seen, path),
                looked: seen.len() as u64,
                of: line.len() as u64,
                newest_seen: newer == 0,
                oldest_seen: newer + seen.len() == line.len(),
                disk: None,
            }
        };
        let mut stuck = false;
        while !stuck && (older < line.len() || newer > 0) {
            cancel.check()?;
            // Older ones first: what was is asked for more often than what will be.
            if older < line.len() {
                match look.like(line[older].tree, seen.back(), cancel)? {
                    Some(entry) => seen.push_back(entry),
                    None => stuck = true,
                }
                older += 1;
            }
            if newer > 0 && !stuck {
                match look.like(line[newer - 1].tree, seen.front(), cancel)? {
                    Some(entry) => seen.push_front(entry),
                    None => stuck = true,
                }
                newer -= usize::from(!stuck);
            }
            if told.elapsed() >= PARTLY_EVERY && !stuck {
                told = Instant::now();
                emit(Answer::Versions(tell(newer, &seen)), false);
            }
        }
        if stuck {
            if !seen.is_empty() {
                emit(Answer::Versions(tell(newer, &seen)), false);
            }
            return Ok(None);
        }
        let mut versions = tell(newer, &seen);
        versions.disk = disk.map(|disk| on_disk(&disk, versions.versions.first()));
        Ok(Some(Answer::Versions(versions)))
    }
}

/// The generations of the same machine that back this path up, or have something there, newest first.
fn lineage(all: Vec<Generation>, from: &Generation, path: &TreePath) -> Vec<Generation> {
    let same = |other: &Generation| {
        other.id == from.id
            || other.hostname == from.hostname && (other.paths == from.paths || covers(&other.paths, path))
    };
    all.into_iter().filter(same).collect()
}

/// Whether a backup of these paths has what lies at `path`, or would have it if it existed.
fn covers(paths: &[String], path: &TreePath) -> bool {
    paths.iter().any(|covered| {
        let covered: Vec<&[u8]> = covered
            .as_bytes()
            .split(|b| *b == b'/')
            .filter(|n| !n.is_empty())
            .collect();
        let common = covered.iter().zip(path).all(|(a, b)| *a == b.as_slice());
        common && covered.len() <= path.len()
    })
}

/// Where the path lies on this machine, if the generation's paths are absolute.
fn disk_path(generation: &Generation, path: &TreePath) -> Option<PathBuf> {
    let safe = path.iter().all(|name| crate::vault::tree::is_safe_name(name));
    (safe && covers(&generation.paths, path)).then(|| on_disk_path(path))
}

/// A path of a generation with absolute paths as one of this machine.
pub fn on_disk_path(path: &TreePath) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    let mut out = PathBuf::from("/");
    path.iter().for_each(|name| out.push(std::ffi::OsStr::from_bytes(name)));
    out
}

/// What lies there now, beside the newest version.
fn on_disk(path: &Path, newest: Option<&VersionRow>) -> DiskNow {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(about) = std::fs::symlink_metadata(path) else {
        return DiskNow::Gone { path: path.into() };
    };
    let size = about.is_file().then_some(about.len());
    let newest = newest.and_then(|version| version.entry.as_ref());
    DiskNow::There {
        path: path.into(),
        size,
        mtime: about.mtime(),
        like_newest: newest.is_some_and(|newest| newest.size == size && newest.mtime == about.mtime()),
    }
}

/// Finds the path below roots; what a folder held is looked up once.
struct Look<'a> {
    engine: &'a Engine,
    open: Option<&'a OpenVault>,
    path: &'a TreePath,
    /// The entry of `path[depth]` in a tree.
    known: HashMap<(Id, usize), Option<Entry>>,
    /// Whether two trees hold the same versions of all that is below them.
    same: HashMap<(Id, Id), bool>,
    /// How many entries may still be compared.
    left: u64,
}

/// How many entries of folders are compared at most, to find out which of them are the same but for their metadata. Those
/// beyond count as changed.
const MOST_COMPARED: u64 = 400_000;
/// How deep, so that no tree, however it was made, is deeper than the stack.
const DEEPEST: usize = 256;

impl Look<'_> {
    /// What lies at the path below a root; the outer `None`: the catalog cannot tell.
    #[allow(clippy::option_option)] // "cannot tell" and "nothing there" are two things
    fn at(&mut self, root: Id, cancel: &Cancel) -> Result<Option<Option<Entry>>> {
        let mut tree = Some(root);
        let mut found = None;
        for (depth, name) in self.path.iter().enumerate() {
            let Some(at) = tree else { return Ok(Some(None)) };
            if !self.known.contains_key(&(at, depth)) {
                if !self.engine.have_tree(self.open, &at, cancel)? {
                    return Ok(None);
                }
                let entry = self.engine.catalog().lookup(&at, name)?;
                self.known.insert((at, depth), entry);
            }
            let entry = self.known.get(&(at, depth)).and_then(Option::as_ref);
            tree = entry
                .filter(|entry| entry.kind == NodeType::Dir)
                .and_then(|entry| entry.subtree);
            found = entry;
        }
        if self.path.is_empty() {
            return Ok(Some(Some(root_entry(root, self.engine)?)));
        }
        Ok(Some(found.cloned()))
    }

    /// The same, held against what was there in the generation before or after: a folder in which nothing makes another
    /// version has another tree all the same when a time below it differs; it is told as that neighbour's.
    #[allow(clippy::option_option)] // as above
    fn like(&mut self, root: Id, neighbour: Option<&Option<Entry>>, cancel: &Cancel) -> Result<Option<Option<Entry>>> {
        let Some(mut found) = self.at(root, cancel)? else {
            return Ok(None);
        };
        if let Some(tree) = found.as_mut().and_then(|entry| entry.subtree.as_mut())
            && let Some(other) = neighbour.and_then(|other| other.as_ref()?.subtree)
        {
            match self.same(*tree, other, 0, cancel)? {
                Some(true) => *tree = other,
                Some(false) => {}
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// Whether all that is below two trees are the same versions; `None`: the catalog cannot tell.
    fn same(&mut self, a: Id, b: Id, depth: usize, cancel: &Cancel) -> Result<Option<bool>> {
        if a == b {
            return Ok(Some(true));
        }
        if depth > DEEPEST {
            return Ok(Some(false));
        }
        if let Some(same) = self.same.get(&(a, b)) {
            return Ok(Some(*same));
        }
        cancel.check()?;
        for tree in [a, b] {
            if !self.engine.have_tree(self.open, &tree, cancel)? {
                return Ok(None);
            }
        }
        let entries =
            |tree: &Id| Ok::<_, super::Error>(self.engine.catalog().tree(tree)?.map_or(0, |tree| tree.entries()));
        let (there, left) = (entries(&a)?, self.left);
        let mut same = there == entries(&b)? && there <= left;
        if same {
            self.left -= there;
            match self.same_entries(a, b, depth, cancel)? {
                Some(found) => same = found,
                None => return Ok(None),
            }
        }
        self.same.insert((a, b), same);
        Ok(Some(same))
    }

    fn same_entries(&mut self, a: Id, b: Id, depth: usize, cancel: &Cancel) -> Result<Option<bool>> {
        let list = |tree: &Id| {
            let mut found = BTreeMap::new();
            let catalog = self.engine.catalog();
            catalog.for_each_entry(tree, |entry| {
                found.insert(entry.name.clone(), entry);
            })?;
            Ok::<_, super::Error>(found)
        };
        let (mut before, mut after) = (list(&a)?, list(&b)?);
        if !before.keys().eq(after.keys()) {
            return Ok(Some(false));
        }
        // What can be told without going deeper comes first.
        let mut deeper = Vec::new();
        for (one, other) in before.values_mut().zip(after.values_mut()) {
            deeper.extend(one.subtree.take().zip(other.subtree.take()));
            if change(Some(one), Some(other)).is_some() {
                return Ok(Some(false));
            }
        }
        for (one, other) in deeper {
            match self.same(one, other, depth + 1, cancel)? {
                Some(true) => {}
                other => return Ok(other),
            }
        }
        Ok(Some(true))
    }
}

/// The root of a generation as a folder without a name.
fn root_entry(root: Id, engine: &Engine) -> Result<Entry> {
    Ok(Entry {
        kind: NodeType::Dir,
        subtree: Some(root),
        below: engine.catalog().tree(&root)?.and_then(|tree| tree.below),
        ..Entry::from(crate::vault::Node::default())
    })
}

/// What changed from one to the next; `None` when it is the same version (touching a file makes no other).
fn change(before: Option<&Entry>, after: Option<&Entry>) -> Option<VersionChange> {
    match (before, after) {
        (None, None) => None,
        (None, Some(_)) => Some(VersionChange::Added),
        (Some(_), None) => Some(VersionChange::Deleted),
        (Some(a), Some(b)) if a.kind != b.kind => Some(VersionChange::Kind),
        (Some(a), Some(b))
            if (a.size, a.content, &a.link_target, a.subtree) != (b.size, b.content, &b.link_target, b.subtree) =>
        {
            Some(VersionChange::Content)
        }
        (Some(a), Some(b)) if (a.mode, a.uid, a.gid) != (b.mode, b.uid, b.gid) => Some(VersionChange::Access),
        _ => None,
    }
}

/// Joins what is the same from generation to generation; both newest first. What was never there before is left out.
fn to_runs(line: &[Generation], seen: &[&Option<Entry>], path: &TreePath) -> Vec<VersionRow> {
    let mut runs: Vec<VersionRow> = Vec::new();
    let mut last: Option<&Entry> = None;
    let mut begun = false;
    for (generation, entry) in line.iter().zip(seen).rev() {
        let entry = entry.as_ref();
        let held = (generation.id, generation.time.seconds);
        match (change(last, entry), runs.last_mut()) {
            (None, Some(run)) if begun => run.held.insert(0, held),
            (None, _) if entry.is_none() => continue,
            (how, _) => runs.push(VersionRow {
                entry: entry.map(|entry| to_row(entry, path)),
                content: entry.and_then(identity),
                change: how.unwrap_or(VersionChange::Added),
                held: vec![held],
            }),
        }
        begun = true;
        last = entry;
    }
    // Rows were built oldest first; `held` newest first.
    runs.reverse();
    runs
}

fn to_row(entry: &Entry, path: &TreePath) -> EntryRow {
    EntryRow {
        name: path.last().cloned().unwrap_or_default(),
        ..to_entry_row(entry.clone())
    }
}

/// Tells contents apart, for versions that came back.
fn identity(entry: &Entry) -> Option<u64> {
    match entry.subtree {
        Some(tree) => Some(u64::from_be_bytes(*tree.0.first_chunk()?)),
        None => entry.content,
    }
}

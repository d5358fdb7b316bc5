//! Every unique tree that a generation reaches, once.
//!
//! Threads take trees from one stack, read each, look at its entries and put the folders not met before back on it. A tree
//! counts as met by the first half of its id. Where a tree was found first is remembered as a chain of names, for messages.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::finding::{Collector, Finding, FindingKind, count};
use super::listing::reason;
use crate::progress::{Cancel, Progress};
use crate::storage::{FileKind, StorageError};
use crate::vault::compress::Scratch;
use crate::vault::tree::{BadTree, Node, NodeType, Tree, decode_each};
use crate::vault::{BlobKind, Error, Id, IndexedVault, Result, crew};

/// Folders nested deeper than this are not followed. Paths end at 4,096 bytes on any system, so at 2,048 names.
const MAX_DEPTH: u32 = 4096;

/// A tree to read.
struct Task {
    id: Id,
    place: Arc<Place>,
}

/// Where a tree was found.
struct Place {
    /// The folder it is in; `None` for a root.
    parent: Option<Arc<Place>>,
    name: Box<[u8]>,
    generation: Id,
    depth: u32,
}

impl Place {
    /// The path of an entry here, or of the folder itself, made printable.
    fn path(&self, entry: Option<&[u8]>) -> String {
        let mut names: Vec<&[u8]> = entry.into_iter().collect();
        let mut place = self;
        while let Some(parent) = &place.parent {
            names.push(&place.name);
            place = parent;
        }
        if names.is_empty() {
            return "/".into();
        }
        names
            .iter()
            .rev()
            .map(|name| format!("/{}", name.escape_ascii()))
            .collect()
    }
}

/// Halves of the ids of all trees that were met.
#[derive(Default)]
struct Met(HashSet<[u8; 16]>);

impl Met {
    /// Puts a tree not met before among those to be read.
    fn push(&mut self, todo: &mut Vec<Task>, id: Id, place: &Arc<Place>) {
        let mut half = [0; 16];
        half.copy_from_slice(&id.0[..16]);
        if self.0.insert(half) {
            todo.push(Task {
                id,
                place: place.clone(),
            });
        }
    }
}

struct Walk<'a> {
    vault: &'a IndexedVault,
    report: &'a Collector<'a>,
    progress: &'a Progress,
    cancel: &'a Cancel,
}

/// Reads all generations and all trees they reach.
pub(super) fn check_trees(
    vault: &IndexedVault,
    report: &Collector<'_>,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<()> {
    let walk = Walk {
        vault,
        report,
        progress,
        cancel,
    };
    let mut met = Met::default();
    let todo = walk.generations(&mut met)?;
    progress.files_total.fetch_add(todo.len() as u64, Ordering::Relaxed);
    crew::run(
        todo,
        met,
        cancel,
        |task, reader: &mut Reader| walk.check_tree(task, reader),
        |met, task, (), reader, todo| {
            let before = todo.len();
            for (id, name) in reader.folders.drain(..) {
                let place = Place {
                    parent: Some(task.place.clone()),
                    name,
                    generation: task.place.generation,
                    depth: task.place.depth + 1,
                };
                met.push(todo, id, &Arc::new(place));
            }
            let new = todo.len().saturating_sub(before) as u64;
            progress.files_total.fetch_add(new, Ordering::Relaxed);
            ControlFlow::Continue(())
        },
    );
    Ok(cancel.check()?)
}

impl Walk<'_> {
    /// The roots of all generations.
    fn generations(&self, met: &mut Met) -> Result<Vec<Task>> {
        let vault = self.vault.vault();
        let mut todo = Vec::new();
        // Reversed: the stack gives the first back first.
        for id in vault.list_files(FileKind::Generation)?.into_iter().rev() {
            self.cancel.check()?;
            match vault.generation(&id) {
                Ok(generation) => {
                    count(&self.report.generations, 1);
                    let place = Place {
                        parent: None,
                        name: Box::default(),
                        generation: id,
                        depth: 0,
                    };
                    met.push(&mut todo, generation.tree, &Arc::new(place));
                }
                Err(Error::Storage(StorageError::NotFound { .. })) => {}
                Err(error) => {
                    let place = vault.place_of(FileKind::Generation, &id);
                    self.report.error(FindingKind::BadGeneration, place, reason(error));
                }
            }
        }
        Ok(todo)
    }

    fn found(&self, kind: FindingKind, place: &Place, entry: Option<&[u8]>, what: impl ToString) {
        self.report.add_error(Finding {
            kind,
            file: self.vault.vault().place_of(FileKind::Generation, &place.generation),
            path: Some(place.path(entry)),
            what: what.to_string(),
        });
    }

    /// Reads one tree and looks at its entries; its folders are then in `reader`.
    fn check_tree(&self, task: &Task, reader: &mut Reader) {
        let Task { id, place } = task;
        self.progress.files_done.fetch_add(1, Ordering::Relaxed);
        if !self.vault.index().contains(BlobKind::Tree, id) {
            self.found(
                FindingKind::MissingTree,
                place,
                None,
                format!("its listing (tree {id}) is in no pack"),
            );
            return;
        }
        let Reader {
            scratch,
            bytes,
            folders,
        } = reader;
        if let Err(error) = self.vault.blob_into(BlobKind::Tree, id, scratch, bytes) {
            self.found(FindingKind::BadTree, place, None, error);
            return;
        }
        count(&self.report.trees, 1);
        let mut last: Option<Vec<u8>> = None;
        let mut sorted = true;
        let mut entries = 0;
        let decoded = decode_each(bytes, &mut |node: Node| {
            entries += 1;
            self.check_node(place, &node);
            if let (Some(subtree), NodeType::Dir) = (node.subtree, node.kind)
                && node.has_safe_name()
            {
                folders.push((subtree, node.name.as_slice().into()));
            }
            if let Some(last) = &last {
                match node.name.cmp(last) {
                    std::cmp::Ordering::Greater => {}
                    std::cmp::Ordering::Equal => {
                        self.found(
                            FindingKind::DuplicateName,
                            place,
                            Some(&node.name),
                            "its folder lists it twice",
                        );
                    }
                    std::cmp::Ordering::Less => sorted = false,
                }
            }
            last = Some(node.name);
            Ok::<(), BadTree>(())
        });
        count(&self.report.entries, entries);
        if let Err(bad) = decoded {
            self.found(FindingKind::BadTree, place, None, format!("tree {id}: {bad}"));
        } else if !sorted {
            self.found(
                FindingKind::Unsorted,
                place,
                None,
                format!("its listing (tree {id}) is not sorted by name"),
            );
            self.find_scattered_duplicates(place, bytes);
        }
        if place.depth >= MAX_DEPTH && !folders.is_empty() {
            folders.clear();
            let what = format!("folders nest deeper than {MAX_DEPTH} levels; what is below was not checked");
            self.found(FindingKind::TooDeep, place, None, what);
        }
    }

    /// In a listing that is not sorted, names that are the same need not be side by side.
    fn find_scattered_duplicates(&self, place: &Place, bytes: &[u8]) {
        let nodes = Tree::decode(bytes).map(|tree| tree.nodes).unwrap_or_default();
        let beside: HashSet<&[u8]> = nodes
            .windows(2)
            .filter(|pair| pair[0].name == pair[1].name)
            .map(|pair| &*pair[0].name)
            .collect();
        let mut names: Vec<&[u8]> = nodes.iter().map(|node| &*node.name).collect();
        names.sort_unstable();
        for same in names
            .chunk_by(|a, b| a == b)
            .filter(|same| same.len() > 1 && !beside.contains(same[0]))
        {
            self.found(
                FindingKind::DuplicateName,
                place,
                Some(same[0]),
                "its folder lists it more than once",
            );
        }
    }

    fn check_node(&self, place: &Place, node: &Node) {
        let found = |kind, what: String| self.found(kind, place, Some(&node.name), what);
        if !node.has_safe_name() {
            let what = "this name cannot be a file's; restoring it could write elsewhere".to_owned();
            found(FindingKind::UnsafeName, what);
        }
        match (node.kind, &node.content) {
            (NodeType::File, Some(content)) => self.check_content(place, node, content),
            (NodeType::File, None) => found(
                FindingKind::BadNode,
                "it is a file without a list of its content".into(),
            ),
            (NodeType::Dir, _) if node.subtree.is_none() => {
                found(FindingKind::BadNode, "it is a folder without a listing".into());
            }
            _ => {}
        }
    }

    fn check_content(&self, place: &Place, node: &Node, content: &[Id]) {
        let mut size = 0u64;
        let mut missing = 0u64;
        for id in content {
            match self.vault.index().find(BlobKind::Data, id) {
                Some(location) => size = size.saturating_add(location.plain_length().into()),
                None => {
                    missing += 1;
                    if missing == 1 {
                        let what = format!("a part of its content (blob {id}) is in no pack");
                        self.found(FindingKind::MissingBlob, place, Some(&node.name), what);
                    }
                }
            }
        }
        if missing > 1 {
            let what = format!("{} more parts of its content are in no pack", missing - 1);
            self.found(FindingKind::MissingBlob, place, Some(&node.name), what);
        }
        if missing == 0 && size != node.size {
            let what = format!("its size is told to be {} bytes, but its content has {size}", node.size);
            self.found(FindingKind::WrongSize, place, Some(&node.name), what);
        }
    }
}

/// One thread's buffers.
#[derive(Default)]
struct Reader {
    scratch: Scratch,
    bytes: Vec<u8>,
    /// The folders of the tree read last, with their names.
    folders: Vec<(Id, Box<[u8]>)>,
}

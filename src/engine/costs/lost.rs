//! The file versions that no kept generation would hold.
//!
//! The trees of the generations that go are walked, the newest first, and left where a kept generation reaches them: only
//! folders in which something is lost, or beside something lost, are read. A version is a path and what the file there holds,
//! told once, with the newest generation that holds it.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;

use super::ground::Ground;
use super::what_if::Left;
use crate::catalog::Entry;
use crate::engine::answers::{Emit, PARTLY_EVERY};
use crate::engine::kept::{Grown, List, Making};
use crate::engine::question::{Answer, LostAsked, LostRow, LostWindow, TreePath};
use crate::engine::{Engine, OpenVault, Result};
use crate::progress::Cancel;
use crate::query::{Scratch, TreeSource};
use crate::vault::{BlobKind, Generation, Id, IndexedVault, Node, NodeType};

/// Most rows of one window.
const WINDOW_ROWS: u32 = 10_000;

/// What a list is of: the place and state of the vault, and which generations go.
pub(super) type Key = (String, Id, Id);

/// The different trees that kept generations have at a path.
#[derive(Debug, Default)]
pub(super) struct KeptFolders(HashMap<TreePath, Vec<Id>>);

impl Engine {
    /// A window of what would be lost, in parts while it is being found.
    pub(in crate::engine) fn lost(
        &self,
        open: &OpenVault,
        asked: &LostAsked,
        cancel: &Cancel,
        emit: &Emit,
    ) -> Result<Answer> {
        let ground = self.ground_telling(open, cancel, emit)?;
        let packs = self.packs_of(open, &ground, cancel)?;
        let priced = self.price_of(&asked.what_if.vault)?;
        let left = self.left(&ground, &packs, &asked.what_if, priced.price.as_ref())?;
        let mut gone: Vec<&Generation> = Vec::new();
        let mut kept: Vec<&Generation> = Vec::new();
        for generation in &ground.generations {
            let stays = left.kept.contains(&generation.id);
            (if stays { &mut kept } else { &mut gone }).push(generation);
        }
        let ids: Vec<u8> = gone.iter().flat_map(|one| one.id.0).collect();
        let key = (open.place().to_owned(), ground.state, Id::of(&ids));
        let known = self.0.costs.lost.get(&key);
        let list = match known {
            Some(list) => list,
            None => {
                let list = self.0.costs.lost.start(key);
                let making = Making(&*list);
                let indexed = open.browsed(cancel)?;
                let mut told = Instant::now();
                let mut walk = Walk {
                    ground: &ground,
                    left: &left,
                    indexed: &indexed,
                    cancel,
                    scratch: Scratch::default(),
                    seen: HashSet::new(),
                    met: HashSet::new(),
                    found: &mut |row| {
                        list.push(row);
                        if told.elapsed() >= PARTLY_EVERY {
                            told = Instant::now();
                            emit(Answer::Lost(window(&list.grown(), asked)), false);
                        }
                    },
                };
                for generation in &gone {
                    walk.generation(generation)?;
                }
                let mut grown = list.grown();
                grown.rows.sort_by(|a, b| a.path.cmp(&b.path).then(b.time.cmp(&a.time)));
                grown.whole = true;
                drop(grown);
                drop(making);
                list
            }
        };
        Ok(Answer::Lost(self.with_others(open, &list, asked, &kept, cancel)?))
    }

    /// The same for commands: all is found before it is told.
    pub fn lost_versions(&self, open: &OpenVault, asked: &LostAsked, cancel: &Cancel) -> Result<LostWindow> {
        match self.lost(open, asked, cancel, &|_, _| {})? {
            Answer::Lost(window) => Ok(window),
            _ => Ok(LostWindow::default()),
        }
    }

    /// The rows asked for, with whether a kept generation has something else at their paths.
    fn with_others(
        &self,
        open: &OpenVault,
        list: &List<LostRow, KeptFolders>,
        asked: &LostAsked,
        kept: &[&Generation],
        cancel: &Cancel,
    ) -> Result<LostWindow> {
        let (mut window, mut folders) = {
            let mut grown = list.grown();
            (window(&grown, asked), std::mem::take(&mut grown.sum))
        };
        for row in &mut window.rows {
            let Some((name, folder)) = row.path.split_last() else {
                continue;
            };
            for tree in self.kept_folders(open, folder, kept, &mut folders, cancel)? {
                let found: Option<Entry> = self.catalog().lookup(&tree, name)?;
                if found.is_some_and(|entry| entry.kind == NodeType::File) {
                    row.other_kept = true;
                    break;
                }
            }
        }
        list.grown().sum = folders;
        Ok(window)
    }

    /// The different trees of a folder in kept generations, read into the catalog.
    fn kept_folders(
        &self,
        open: &OpenVault,
        path: &[Vec<u8>],
        kept: &[&Generation],
        known: &mut KeptFolders,
        cancel: &Cancel,
    ) -> Result<Vec<Id>> {
        if let Some(trees) = known.0.get(path) {
            return Ok(trees.clone());
        }
        let mut trees = Vec::new();
        let mut seen = HashSet::new();
        match path.split_last() {
            None => trees.extend(kept.iter().map(|one| one.tree).filter(|tree| seen.insert(*tree))),
            Some((name, above)) => {
                for tree in self.kept_folders(open, above, kept, known, cancel)? {
                    let entry = self.catalog().lookup(&tree, name)?;
                    trees.extend(entry.and_then(|entry| entry.subtree).filter(|tree| seen.insert(*tree)));
                }
            }
        }
        for tree in &trees {
            self.have_tree(Some(open), tree, cancel)?;
        }
        known.0.insert(path.to_vec(), trees.clone());
        Ok(trees)
    }
}

fn window(grown: &Grown<LostRow, KeptFolders>, asked: &LostAsked) -> LostWindow {
    let (first, rows) = grown.window(asked.first, asked.rows.min(WINDOW_ROWS));
    LostWindow {
        first,
        rows,
        total: grown.total,
        whole: grown.whole,
    }
}

struct Walk<'a> {
    ground: &'a Ground,
    left: &'a Left,
    indexed: &'a IndexedVault,
    cancel: &'a Cancel,
    scratch: Scratch,
    /// Folders walked: the hash of the path, and the tree.
    seen: HashSet<(u64, Id)>,
    /// Versions told: path and content, hashed.
    met: HashSet<Id>,
    found: &'a mut dyn FnMut(LostRow),
}

impl Walk<'_> {
    fn generation(&mut self, generation: &Generation) -> Result<()> {
        let mut todo: Vec<(TreePath, Id)> = vec![(Vec::new(), generation.tree)];
        while let Some((path, tree)) = todo.pop() {
            self.cancel.check()?;
            if self.is_kept(BlobKind::Tree, &tree)? || !self.seen.insert((hash(&path), tree)) {
                continue;
            }
            for node in self.indexed.read_tree(&tree, &mut self.scratch)?.nodes {
                let mut path = path.clone();
                path.push(node.name.clone());
                match node.subtree {
                    Some(subtree) => todo.push((path, subtree)),
                    None => self.file(generation, path, &node)?,
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, generation: &Generation, path: TreePath, node: &Node) -> Result<()> {
        let content = node.content.as_deref().unwrap_or_default();
        let class = self.ground.lifetimes.class_of_content(content)?;
        if class.is_none_or(|class| self.left.reach.has(class)) {
            return Ok(());
        }
        let mut version = path.join(&b'/');
        version.push(0);
        content.iter().for_each(|id| version.extend_from_slice(&id.0));
        if self.met.insert(Id::of(&version)) {
            (self.found)(LostRow {
                path,
                size: node.size,
                mtime: node.mtime.seconds,
                generation: generation.id,
                time: generation.time.seconds,
                other_kept: false,
            });
        }
        Ok(())
    }

    /// Whether a kept generation reaches a blob. What the vault lacks counts as if: nothing below it can be told.
    fn is_kept(&self, kind: BlobKind, id: &Id) -> Result<bool> {
        let class = self.ground.lifetimes.class_of(kind, id)?;
        Ok(class.is_none_or(|class| self.left.reach.has(class)))
    }
}

fn hash(path: &TreePath) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

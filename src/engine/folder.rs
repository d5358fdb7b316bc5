//! A folder of a generation as a list: windows of its entries in any order, and the weighing of its folders.

use std::time::Instant;

use super::answers::{Emit, PARTLY_EVERY};
use super::question::{Answer, EntryRow, FolderWindow, Question, TreePath, Weighed};
use super::{Engine, OpenVault, Result};
use crate::catalog::{Entry, FolderView, Position, Totals};
use crate::progress::Cancel;
use crate::vault::{self, Id, NodeType};

/// Most rows of one window.
const WINDOW_ROWS: u32 = 10_000;

impl Engine {
    /// A window of a folder. Without a vault at hand: `None` when the catalog cannot tell.
    pub(super) fn folder(
        &self,
        open: Option<&OpenVault>,
        question: &Question,
        cancel: &Cancel,
    ) -> Result<Option<Answer>> {
        let Question::Folder {
            vault,
            generation,
            folder,
            order,
            filter,
            first,
            near,
            rows,
        } = question
        else {
            return Ok(None);
        };
        let tree = match self.tree_of(open, vault, generation, folder, cancel)? {
            Found::Tree(tree) => tree,
            Found::Nothing => return Ok(Some(Answer::NoSuchFolder)),
            Found::Unknown => return Ok(None),
        };
        let view = FolderView {
            sort: order.key,
            direction: order.direction,
            folders_first: order.folders_first,
            filter: filter.as_bytes().to_vec(),
        };
        let rows = u64::from((*rows).min(WINDOW_ROWS));
        let at = match near {
            Some(name) => self.catalog().row_of(&tree, &view, name)?,
            None => None,
        };
        let first = at.map_or(*first, |at| at.saturating_sub(rows / 2));
        let window = self
            .catalog()
            .window(&tree, &view, &Position::Row(first), rows as usize)?;
        let Some(window) = window else { return Ok(None) };
        Ok(Some(Answer::Folder(FolderWindow {
            first: window.first,
            rows: window.rows.into_iter().map(to_entry_row).collect(),
            total: window.total,
            at,
            heaviest: self.catalog().heaviest(&tree)?.unwrap_or(0),
            below: self.catalog().tree(&tree)?.and_then(|tree| tree.below),
        })))
    }

    /// Counts what lies below each folder of a folder. Without a vault at hand: `None` unless all is known.
    pub(super) fn weigh_folders(
        &self,
        open: Option<&OpenVault>,
        vault: &str,
        generation: &Id,
        folder: &TreePath,
        cancel: &Cancel,
        emit: &Emit,
    ) -> Result<Option<Answer>> {
        let tree = match self.tree_of(open, vault, generation, folder, cancel)? {
            Found::Tree(tree) => tree,
            Found::Nothing => return Ok(Some(Answer::NoSuchFolder)),
            Found::Unknown => return Ok(None),
        };
        let of = self.catalog().tree(&tree)?.map_or(0, |tree| tree.here_folders);
        let mut unknown = Vec::new();
        if self.catalog().tree(&tree)?.is_some_and(|tree| tree.below.is_none()) {
            self.catalog().for_each_entry(&tree, |entry| {
                if let (None, Some(subtree)) = (entry.below, entry.subtree) {
                    unknown.push((entry.name, subtree));
                }
            })?;
        }
        let mut weighed = Weighed {
            known: of.saturating_sub(unknown.len() as u64),
            of,
            found: Vec::new(),
        };
        if open.is_none() && !unknown.is_empty() {
            return Ok(None);
        }
        let mut told = Instant::now();
        for (name, subtree) in unknown {
            cancel.check()?;
            let Some(totals) = self.weigh_tree(open, subtree, cancel, &mut |_| {})? else {
                return Ok(None);
            };
            weighed.known += 1;
            weighed.found.push((name, totals));
            if told.elapsed() >= PARTLY_EVERY {
                told = Instant::now();
                let found = std::mem::take(&mut weighed.found);
                emit(Answer::Weighed(Weighed { found, ..weighed }), false);
            }
        }
        self.catalog().complete_totals(&[tree])?;
        Ok(Some(Answer::Weighed(weighed)))
    }

    fn tree_of(
        &self,
        open: Option<&OpenVault>,
        vault: &str,
        generation: &Id,
        folder: &TreePath,
        cancel: &Cancel,
    ) -> Result<Found> {
        let place = self.find(vault)?.key();
        let Some(root) = self.root(open, &place, generation)? else {
            return Ok(Found::Unknown);
        };
        let Some(located) = self.locate(open, root, folder, cancel)? else {
            return Ok(Found::Unknown);
        };
        let Some(tree) = located.tree() else {
            return Ok(Found::Nothing);
        };
        if !self.have_tree(open, &tree, cancel)? {
            return Ok(Found::Unknown);
        }
        Ok(Found::Tree(tree))
    }
}

/// What a folder's path leads to.
enum Found {
    /// A tree that is in the catalog.
    Tree(Id),
    /// No folder.
    Nothing,
    /// The catalog cannot tell.
    Unknown,
}

pub(super) fn to_entry_row(entry: Entry) -> EntryRow {
    let permissions = vault::Node {
        mode: entry.mode,
        ..vault::Node::default()
    }
    .unix_permissions();
    EntryRow {
        size: match entry.kind {
            NodeType::File => Some(entry.size),
            NodeType::Dir => entry.below.map(|below| below.bytes),
            _ => None,
        },
        entries: entry
            .below
            .map(|Totals { files, folders, .. }| files.saturating_add(folders)),
        name: entry.name,
        kind: entry.kind,
        mtime: entry.mtime.seconds,
        mode: permissions,
        uid: entry.uid,
        gid: entry.gid,
        link_target: entry.link_target,
    }
}

//! The generation a backup is compared with.

use std::path::Path;

use super::options::ParentChoice;
use super::{BackupOptions, Result};
use crate::storage::StorageError;
use crate::vault::generation::Generation;
use crate::vault::{self, Id, IndexedVault, Node, NodeType};

use super::metadata::Stat;

/// Finds the parent generation. By itself: the newest of the same host that holds all the paths and is not newer than the
/// backup. Those that cannot be read are told to `unread`.
pub(super) fn choose(
    vault: &IndexedVault,
    options: &BackupOptions,
    paths: &[String],
    unread: &(dyn Fn(Id, vault::Error) + Sync),
) -> Result<Option<Generation>> {
    let vault = vault.vault();
    match options.parent {
        _ if options.stdin.is_some() => Ok(None),
        ParentChoice::None => Ok(None),
        ParentChoice::Id(id) => match vault.generation(&id) {
            Err(vault::Error::Storage(StorageError::NotFound { .. })) => {
                let text = format!("the vault has no generation {id} to compare with; coffer generations lists them");
                Err(vault::Error::Selection(text).into())
            }
            found => Ok(Some(found?)),
        },
        ParentChoice::Auto => {
            let fits = |generation: &Generation| {
                generation.hostname == options.host
                    && paths.iter().all(|path| generation.paths.contains(path))
                    && instant(generation) <= (options.time.seconds, options.time.nanos)
            };
            let all = vault.generations_reporting(&|id, error| {
                unread(id, error);
                Ok(())
            })?;
            Ok(all.into_iter().filter(fits).max_by_key(instant))
        }
    }
}

fn instant(generation: &Generation) -> (i64, u32) {
    (generation.time.seconds, generation.time.nanos)
}

/// A path as the generation records it.
pub(super) fn recorded(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// From when on the parent's times of change say nothing about what it holds: two changes within one tick of the kernel's clock,
/// one before the moment of the parent and one after it, have the same time. The parent may have been read from a snapshot
/// also where this run reads what is there now.
pub(super) fn doubtful(parent: Option<&Generation>) -> Option<(i64, u32)> {
    /// The longest tick there is, and some.
    const TICK: i128 = 20_000_000;
    let (seconds, nanos) = parent.map(instant)?;
    let before = i128::from(seconds) * 1_000_000_000 + i128::from(nanos) - TICK;
    let seconds = i64::try_from(before.div_euclid(1_000_000_000)).ok()?;
    Some((seconds, u32::try_from(before.rem_euclid(1_000_000_000)).ok()?))
}

/// Whether a file's content is taken as unchanged: by size, times and inode, as restic decides.
pub(super) fn is_unchanged(previous: &Node, stat: &Stat) -> bool {
    let time = |time: crate::vault::Time| (time.seconds, time.nanos);
    previous.kind == NodeType::File
        && previous.size == stat.size
        && previous.inode == stat.inode
        && time(previous.mtime) == stat.mtime
        && time(previous.ctime) == stat.ctime
}

/// Whether two nodes say the same: all fields, times by instant.
pub(super) fn same(a: &Node, b: &Node) -> bool {
    let quick = a.inode == b.inode
        && a.mtime.same_instant(&b.mtime)
        && a.ctime.same_instant(&b.ctime)
        && a.atime.same_instant(&b.atime)
        && (a.name == b.name && a.kind == b.kind && a.mode == b.mode && a.size == b.size)
        && (a.uid == b.uid && a.gid == b.gid && a.user == b.user && a.group == b.group)
        && (a.device_id == b.device_id && a.device == b.device && a.links == b.links);
    quick
        && a.subtree == b.subtree
        && a.content == b.content
        && a.link_target == b.link_target
        && a.xattrs == b.xattrs
        && a.extra == b.extra
}

/// The parent generation's listing of one folder, taken entry by entry in order of names.
#[derive(Default)]
pub(super) struct PreviousEntries {
    nodes: Vec<Option<Node>>,
    at: usize,
}

impl PreviousEntries {
    pub(super) fn new(mut nodes: Vec<Node>) -> PreviousEntries {
        // Vaults may hold unsorted trees.
        if !nodes.is_sorted_by(|a, b| a.name < b.name) {
            nodes.sort_by(|a, b| a.name.cmp(&b.name));
        }
        PreviousEntries {
            nodes: nodes.into_iter().map(Some).collect(),
            at: 0,
        }
    }

    /// The entry of this name. Names must be asked for in ascending order.
    pub(super) fn take(&mut self, name: &[u8]) -> Option<Node> {
        while let Some(node) = self.nodes.get_mut(self.at) {
            match node.as_ref().map(|node| node.name.as_slice().cmp(name)) {
                Some(std::cmp::Ordering::Greater) => return None,
                Some(std::cmp::Ordering::Equal) => {
                    self.at += 1;
                    return node.take();
                }
                _ => self.at += 1,
            }
        }
        None
    }
}

//! Vaults made of a few trees in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Scratch, TreeSource};
use crate::vault::index::Location;
use crate::vault::tree::mode;
use crate::vault::{BlobKind, Error, Id, Node, NodeType, Result, Time, Tree};

/// Trees and blob sizes in memory; counts how often each tree is read.
#[derive(Default)]
pub struct Trees {
    trees: HashMap<Id, Tree>,
    blobs: HashMap<(BlobKind, Id), Location>,
    pub reads: AtomicU64,
}

impl TreeSource for Trees {
    fn read_tree(&self, id: &Id, _: &mut Scratch) -> Result<Tree> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.trees.get(id).cloned().ok_or(Error::MissingBlob {
            kind: BlobKind::Tree,
            id: *id,
        })
    }

    fn locate(&self, kind: BlobKind, id: &Id) -> Option<Location> {
        self.blobs.get(&(kind, *id)).copied()
    }
}

impl Trees {
    /// Stores a folder.
    pub fn add(&mut self, mut nodes: Vec<Node>) -> Id {
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let tree = Tree { nodes };
        let bytes = tree.encode();
        let id = Id::of(&bytes);
        self.weigh(BlobKind::Tree, id, bytes.len() as u32);
        for blob in tree.nodes.iter().flat_map(|node| node.content.iter().flatten()) {
            self.weigh(BlobKind::Data, *blob, 100);
        }
        self.trees.insert(id, tree);
        id
    }

    /// Stores a folder that the index does not know, with content it does not know either.
    pub fn add_without_blobs(&mut self, id: Id, nodes: Vec<Node>) {
        self.trees.insert(id, Tree { nodes });
    }

    /// Loses a folder.
    pub fn lose(&mut self, id: &Id) {
        self.trees.remove(id);
    }

    fn weigh(&mut self, kind: BlobKind, id: Id, plain: u32) {
        let location = Location {
            pack: Id::ZERO,
            offset: 0,
            length: plain / 2 + 32,
            uncompressed: Some(plain),
        };
        self.blobs.insert((kind, id), location);
    }

    /// The number of reads so far, counted anew.
    pub fn take_reads(&self) -> u64 {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

/// A file whose content is blobs of these numbers, 100 bytes each.
pub fn file(name: &str, blobs: &[u8]) -> Node {
    Node {
        name: name.into(),
        mode: 0o644,
        size: blobs.len() as u64 * 100,
        links: 1,
        content: Some(blobs.iter().map(|n| Id([*n; 32])).collect()),
        ..Node::default()
    }
}

/// A file changed at this second.
pub fn file_at(name: &str, blobs: &[u8], seconds: i64) -> Node {
    Node {
        mtime: Time {
            seconds,
            nanos: 0,
            offset: 0,
        },
        ..file(name, blobs)
    }
}

/// A folder.
pub fn dir(name: &str, subtree: Id) -> Node {
    Node {
        name: name.into(),
        kind: NodeType::Dir,
        mode: mode::DIR | 0o755,
        subtree: Some(subtree),
        ..Node::default()
    }
}

/// A symbolic link.
pub fn link(name: &str, target: &str) -> Node {
    Node {
        name: name.into(),
        kind: NodeType::Symlink,
        mode: mode::SYMLINK | 0o777,
        link_target: target.into(),
        links: 1,
        ..Node::default()
    }
}

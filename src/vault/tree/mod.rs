//! Folders in a vault: a [`Tree`] is the sorted listing of one folder, a [`Node`] one entry of it.
//!
//! The JSON form must be equal to restic's to the byte, since a tree's id is its hash: `json` writes and reads it, `quote`
//! holds the escaping of names.

mod node;

pub use node::{Extra, Node, NodeType, Xattr, is_safe_name, mode};

/// One folder's listing, sorted by raw name bytes, names unique.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    /// The entries.
    pub nodes: Vec<Node>,
}

/// A tree blob's bytes are not a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid tree: {0}")]
pub struct BadTree(pub String);

impl Tree {
    /// Parses a tree blob. Accepts what restic accepts (`"nodes":null`, any field order); says nothing about order,
    /// duplicates or hostile names: those are for `check` and restore.
    pub fn decode(bytes: &[u8]) -> Result<Tree, BadTree> {
        todo!()
    }

    /// The exact bytes of the tree blob.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }
}

/// Calls `each` for every node of a tree blob without holding them all (large folders). Stops at the first error of `each`.
pub fn decode_each<E: From<BadTree>>(bytes: &[u8], each: &mut dyn FnMut(Node) -> Result<(), E>) -> Result<(), E> {
    todo!()
}

/// Writes a tree blob node by node, in order.
#[derive(Debug, Default)]
pub struct TreeEncoder {}

impl TreeEncoder {
    /// Appends a node; names must ascend.
    pub fn push(&mut self, node: &Node) {
        todo!()
    }
    /// The tree blob.
    pub fn finish(self) -> Vec<u8> {
        todo!()
    }
}

//! Folders in a vault: a [`Tree`] is the sorted listing of one folder, a [`Node`] one entry of it.
//!
//! The JSON form must be equal to restic's to the byte, since a tree's id is its hash: `encode` writes it, `decode` reads
//! it, `quote` holds the escaping of names, `print_table` which characters that escapes.

mod decode;
mod encode;
mod node;
mod print_table;
mod quote;
#[cfg(test)]
mod tests;

pub use decode::decode_each;
pub use encode::TreeEncoder;
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
        let mut nodes = Vec::new();
        decode_each(bytes, &mut |node| {
            nodes.push(node);
            Ok::<(), BadTree>(())
        })?;
        Ok(Tree { nodes })
    }

    /// The exact bytes of the tree blob.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = TreeEncoder::default();
        self.nodes.iter().for_each(|node| encoder.push(node));
        encoder.finish()
    }

    /// The entry of this name.
    pub fn find(&self, name: &[u8]) -> Option<&Node> {
        // Not a binary search: a vault's trees may be unsorted.
        self.nodes.iter().find(|node| node.name == name)
    }
}

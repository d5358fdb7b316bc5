//! Making small vaults by hand.

use tempfile::TempDir;

use crate::progress::Cancel;
use crate::vault::compress::Scratch;
use crate::vault::generation::tests_support::generation;
use crate::vault::testing::test_vault;
use crate::vault::tree::{Tree, mode};
use crate::vault::writer::{BlobWriter, WriterOptions};
use crate::vault::{BlobKind, Generation, Id, IndexedVault, Node, NodeType, Time};

/// An entry to be stored.
pub enum At {
    /// A folder.
    Dir(Node, Vec<At>),
    /// A file of these blobs.
    File(Node, Vec<Vec<u8>>),
    /// Anything else, stored as it is.
    Other(Node),
}

/// A vault with one generation.
pub struct Made {
    pub folder: TempDir,
    pub vault: IndexedVault,
    pub generation: Generation,
}

/// An entry of the current user, of September 2020.
pub fn node(name: &str, kind: NodeType) -> Node {
    let time = Time {
        seconds: 1_600_000_000,
        nanos: 5,
        offset: 0,
    };
    let mode = match kind {
        NodeType::Dir => mode::DIR | 0o755,
        NodeType::Symlink => mode::SYMLINK | 0o777,
        NodeType::Fifo => mode::FIFO | 0o644,
        _ => 0o644,
    };
    Node {
        name: name.into(),
        kind,
        mode,
        mtime: time,
        atime: time,
        ctime: time,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        ..Node::default()
    }
}

pub fn dir(name: &str, entries: Vec<At>) -> At {
    At::Dir(node(name, NodeType::Dir), entries)
}

pub fn file(name: &str, blobs: &[&[u8]]) -> At {
    At::File(
        node(name, NodeType::File),
        blobs.iter().map(|blob| blob.to_vec()).collect(),
    )
}

pub fn link(name: &str, target: &str) -> At {
    At::Other(Node {
        link_target: target.into(),
        ..node(name, NodeType::Symlink)
    })
}

/// Stores a root folder with these entries (in this order, whatever their names) as a generation of these paths.
pub fn make(root: Vec<At>, paths: &[&str]) -> Made {
    let (folder, vault) = test_vault();
    let indexed = vault.indexed(&Cancel::default()).unwrap();
    let writer = BlobWriter::new(&indexed, WriterOptions::default()).unwrap();
    let mut scratch = Scratch::default();
    let tree = store(&writer, root, &mut scratch);
    writer.finish().unwrap();
    let mut made = generation(0, 1_600_000_000);
    made.tree = tree;
    made.paths = paths.iter().map(|&path| path.to_owned()).collect();
    made.id = vault.save_generation(&made).unwrap();
    let vault = vault.indexed(&Cancel::default()).unwrap();
    Made {
        folder,
        vault,
        generation: made,
    }
}

fn store(writer: &BlobWriter, entries: Vec<At>, scratch: &mut Scratch) -> Id {
    let mut tree = Tree::default();
    for entry in entries {
        tree.nodes.push(match entry {
            At::Dir(mut node, entries) => {
                node.subtree = Some(store(writer, entries, scratch));
                node
            }
            At::File(mut node, blobs) => {
                node.size = blobs.iter().map(|blob| blob.len() as u64).sum();
                let add = |blob: &Vec<u8>| writer.add(BlobKind::Data, blob, scratch).unwrap().id;
                node.content = Some(blobs.iter().map(add).collect());
                node
            }
            At::Other(node) => node,
        });
    }
    writer.add(BlobKind::Tree, &tree.encode(), scratch).unwrap().id
}

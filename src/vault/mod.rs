//! One vault: a restic repository (version 2 read and write, version 1 read).
//!
//! What lives here: the formats (config, keys, crypto, compression, chunker, packs, index, trees, generations, locks) and
//! the operations on a vault as a whole. What does not: reading the live filesystem ([`crate::backup`]), writing to it
//! ([`crate::restore`]), policies, or anything a user sees.
//!
//! A [`Vault`] is opened (password known, config read); [`Vault::indexed`] makes it an [`IndexedVault`], which can find
//! and read blobs, and write new ones through a [`writer::BlobWriter`].

pub mod change;
pub mod check;
pub mod chunker;
pub mod compress;
pub mod config;
pub(crate) mod crew;
pub mod crypto;
pub mod error;
mod files;
pub mod generation;
mod generations;
pub mod id;
pub mod index;
pub mod key;
pub mod keys;
pub mod lock;
pub mod pack;
pub mod prune;
pub mod reader;
pub mod repository;
#[cfg(test)]
pub mod testing;
pub mod time;
pub mod tree;
pub mod writer;

pub use error::{Error, Result};
pub use generation::Generation;
pub use id::Id;
pub use lock::{LockGuard, LockKind};
pub use reader::IndexedVault;
pub use repository::{CreateOptions, Password, Vault};
pub use time::Time;
pub use tree::{Node, NodeType, Tree};

/// The two kinds of blob. A blob's identity is its kind and its id together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlobKind {
    /// A piece of a file's content.
    Data,
    /// A folder's listing.
    Tree,
}

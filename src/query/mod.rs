//! Questions asked of a vault: list, find, diff, statistics, the versions of one file.
//!
//! Everything here only reads, streams what it finds through callbacks in path order, and keeps memory bounded whatever the
//! vault holds. Trees come from a [`TreeSource`] (an [`IndexedVault`](crate::vault::IndexedVault), or a few trees in a
//! test), read ahead by several threads ([`prefetch`]), since decrypting and parsing them is all the work there is. What
//! generations share is read once: each question remembers what it learnt of a tree under the tree's id.
//!
//! Names are raw bytes from the vault, which may be hostile: nothing here interprets them; whoever prints them escapes them.

pub mod diff;
pub mod find;
pub mod list;
pub mod pattern;
mod prefetch;
mod source;
pub mod stats;
pub mod versions;

#[cfg(test)]
mod testing;

pub use diff::{Change, DiffOptions, DiffSummary, Difference, compare, diff};
pub use find::{Find, find};
pub use list::{Depth, Entry, list, lookup};
pub use pattern::{BadPattern, Patterns};
pub use source::{Marks, Scratch, TreeSource};
pub use stats::{Stats, Weight, stats};
pub use versions::{Version, versions};

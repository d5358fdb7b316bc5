//! For every blob of a vault, which generations reach it, so that what any set of generations takes is known exactly and at
//! once.
//!
//! Each unique tree is read once; sets of generations flow from roots to children. Blobs of the same set make a class, and
//! the stored size of any kept set is the sum over the classes that meet it. What is found is kept on local disk and brought
//! up to date when generations come and go; it can be deleted at any time. Nothing here knows retention rules or prices.
//!
//! [`update`] brings the local file in step with a vault (any [`Source`]) and gives the [`Lifetimes`], which answer every
//! question without the vault. How data passes:
//!
//! - `source` says what is asked of a vault (`of_vault` is one); `read` goes through the trees nobody read yet, once each, and gives numbers to
//!   trees, blobs and contents of files (`numbers`) in the order they are met; `edges` is what refers to what, in few bytes,
//!   put aside in a `spool`; `layout` gives numbers to generations;
//! - `flow` lets the sets (`spans`) run down from all roots at once; `rewrite` makes a new file of that, with final numbers
//!   (`finals`) and sorted `keys`; `add` instead changes only what one more generation changes, `append` writes that;
//! - `part` is the file's form: a chain of parts, each checked, the first made by `rewrite`, the others added at its end;
//!   `record` is what it has of each thing; `state` reads the parts as if they were one; `update` decides what is to be done and keeps other processes away;
//! - `classes` sums over sets of generations that are `kept`; `lifetimes` is what others ask; `walk` goes down the local trees.
//!
//! # What is exact
//! A blob that several packs hold counts once, with the weight of one of its copies. What the vault lacks or cannot give
//! is counted ([`Lifetimes::missing`]): what lies below an unreadable tree is not known then. Keys are halves of SHA-256.

mod add;
mod append;
mod bytes;
mod classes;
mod edges;
mod finals;
mod flow;
mod kept;
mod keys;
mod layout;
#[expect(clippy::module_inception)]
mod lifetimes;
mod numbers;
mod of_vault;
mod part;
mod read;
mod record;
mod rewrite;
mod source;
mod spans;
mod spool;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod update;
mod walk;

use std::io;
use std::path::{Path, PathBuf};

pub use kept::Kept;
pub use lifetimes::{Class, Each, Life, Lifetimes, Made, Reach};
pub use of_vault::VaultScratch;
pub use source::{Folder, Source, Weight};
pub use update::{Updated, known, update};
pub use walk::Walk;

use crate::vault;

/// What some blobs come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize)]
pub struct Sums {
    /// Blobs of files' content.
    pub data_blobs: u64,
    /// Folders.
    pub tree_blobs: u64,
    /// Bytes they take in packs: sealed, with their entries in the packs' headers (37 or 41 bytes each), without the 36
    /// bytes that each pack has beside.
    pub stored: u64,
    /// Bytes of the sealed blobs alone, as restic's `stats --mode raw-data` counts.
    pub sealed: u64,
    /// Bytes before compression.
    pub plain: u64,
    /// Different contents of files, empty ones left out.
    pub versions: u64,
    /// What these files weigh.
    pub version_bytes: u64,
}

impl Sums {
    /// Calls for each pair of fields.
    fn zip(self, other: Sums, each: impl Fn(u64, u64) -> u64) -> Sums {
        Sums {
            data_blobs: each(self.data_blobs, other.data_blobs),
            tree_blobs: each(self.tree_blobs, other.tree_blobs),
            stored: each(self.stored, other.stored),
            sealed: each(self.sealed, other.sealed),
            plain: each(self.plain, other.plain),
            versions: each(self.versions, other.versions),
            version_bytes: each(self.version_bytes, other.version_bytes),
        }
    }

    /// The fields in their order.
    fn fields(&self) -> [u64; 7] {
        [
            self.data_blobs,
            self.tree_blobs,
            self.stored,
            self.sealed,
            self.plain,
            self.versions,
            self.version_bytes,
        ]
    }

    fn from_fields([data_blobs, tree_blobs, stored, sealed, plain, versions, version_bytes]: [u64; 7]) -> Sums {
        Sums {
            data_blobs,
            tree_blobs,
            stored,
            sealed,
            plain,
            versions,
            version_bytes,
        }
    }
}

// Sums wrap: a hostile index can claim anything, and what is added is later taken away again.
impl std::ops::Add for Sums {
    type Output = Sums;
    fn add(self, other: Sums) -> Sums {
        self.zip(other, u64::wrapping_add)
    }
}

impl std::ops::AddAssign for Sums {
    fn add_assign(&mut self, other: Sums) {
        *self = *self + other;
    }
}

impl std::ops::Sub for Sums {
    type Output = Sums;
    fn sub(self, other: Sums) -> Sums {
        self.zip(other, u64::wrapping_sub)
    }
}

impl std::ops::SubAssign for Sums {
    fn sub_assign(&mut self, other: Sums) {
        *self = *self - other;
    }
}

impl std::iter::Sum for Sums {
    fn sum<I: Iterator<Item = Sums>>(all: I) -> Sums {
        all.fold(Sums::default(), |a, b| a + b)
    }
}

/// Shorthand for results in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. None of it touches a vault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The vault could not be read.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The local file is not as it was written. It is made again the next time.
    #[error("{} is damaged; it is made again from the vault the next time it is needed: run the command again", .file.display())]
    Damaged {
        /// Which.
        file: PathBuf,
    },
    /// The system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Local {
        /// `create`, `read`, …
        action: &'static str,
        /// The local file or folder.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// There are more than can be numbered.
    #[error("the vault has more {0} than can be counted here (four thousand million)")]
    TooMany(&'static str),
}

impl From<crate::progress::Cancelled> for Error {
    fn from(cancelled: crate::progress::Cancelled) -> Error {
        Error::Vault(cancelled.into())
    }
}

fn local(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Local { action, path, source }
}

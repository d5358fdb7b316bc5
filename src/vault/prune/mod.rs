//! Giving back the space of what no generation reaches any more.
//!
//! First a [`PrunePlan`]: `used` walks every unique tree once and marks each blob a generation reaches; [`Contents`] knows
//! what lies in each pack, and from it `decide` says which packs stay, which go, and which are read to keep a part of them;
//! `layout` says how that part is read and written, and so all figures are known. It can be shown and thrown away. Then
//! [`PrunePlan::execute`] does exactly that, in an order in which a kill at any moment leaves a vault that is whole: packs no
//! index tells of are deleted; what is kept of others is written into new packs and those into new index files (`copy`);
//! then it is proved that every blob in use lies in a pack that stays; then index files without the packs that go are
//! written (`index_files`), the old ones deleted, and last the packs. Whatever is interrupted, the next prune finishes.
//!
//! What would come of other generations being kept is asked of [`Contents::foresee`], which touches the vault no more.
//!
//! A plan holds only as long as the vault is as it was: executing it against a vault with other generations or index files
//! is refused. The caller holds an exclusive lock for executing, and at least a shared one for planning.
//!
//! Which generations go is not decided here: see [`crate::retention`] and [`Vault::forget`](super::Vault::forget).

mod contents;
mod copy;
mod decide;
mod execute;
mod foresee;
mod index_files;
mod layout;
mod plan;
#[cfg(test)]
mod tests;
mod used;

use std::str::FromStr;

pub use contents::{Classify, Contents};
pub use foresee::{Foreseen, Leaving};
pub use plan::PrunePlan;

use super::{BlobKind, pack};

/// How much space that nothing uses may stay where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MaxUnused {
    /// This share of all that stays, in percent, below 100.
    Percent(f64),
    /// So many bytes.
    Bytes(u64),
    /// Any: packs are only deleted, never read.
    Unlimited,
}

impl MaxUnused {
    /// Bytes that may stay unused beside so many used ones.
    fn limit(self, used: u64) -> u64 {
        match self {
            MaxUnused::Percent(share) => (used as f64 * share / (100.0 - share)) as u64,
            MaxUnused::Bytes(bytes) => bytes,
            MaxUnused::Unlimited => u64::MAX,
        }
    }
}

/// A limit that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no limit: give a share below 100% (5%), a size (500M), or \"unlimited\"")]
pub struct BadMaxUnused(pub String);

impl FromStr for MaxUnused {
    type Err = BadMaxUnused;

    fn from_str(text: &str) -> Result<MaxUnused, BadMaxUnused> {
        let bad = || BadMaxUnused(text.to_owned());
        if text == "unlimited" {
            return Ok(MaxUnused::Unlimited);
        }
        if let Some(share) = text.strip_suffix('%') {
            let share: f64 = share.trim().parse().map_err(|_| bad())?;
            return match (0.0..100.0).contains(&share) {
                true => Ok(MaxUnused::Percent(share)),
                false => Err(bad()),
            };
        }
        crate::config::parse_size(text).map(MaxUnused::Bytes).ok_or_else(bad)
    }
}

/// How a vault is pruned.
#[derive(Debug, Clone, PartialEq)]
pub struct PruneOptions {
    /// How much unused space may stay; 5 % unless told otherwise. What is beyond is got back by reading packs and writing
    /// what is used of them anew.
    pub max_unused: MaxUnused,
    /// Read at most so many bytes of packs for that.
    pub max_repack: Option<u64>,
    /// Target size of new packs, bytes. Packs below a twenty-fifth of it are merged when there are ten of a kind.
    pub pack_size: u32,
    /// Merge all packs below four fifths of that size, when there are ten of a kind.
    pub repack_small: bool,
    /// Also read packs that hold anything uncompressed, and compress it (version 2 only). Trees always are.
    pub repack_uncompressed: bool,
}

impl PruneOptions {
    /// Whether a blob that lies uncompressed in a pack that is read is compressed.
    fn compresses(&self, kind: BlobKind, version: u32) -> bool {
        version > 1 && (self.repack_uncompressed || kind == BlobKind::Tree)
    }
}

impl Default for PruneOptions {
    fn default() -> PruneOptions {
        PruneOptions {
            max_unused: MaxUnused::Percent(5.0),
            max_repack: None,
            pack_size: pack::DEFAULT_PACK_SIZE,
            repack_small: false,
            repack_uncompressed: false,
        }
    }
}

/// What a plan comes to, and what carrying it out did: the same, byte for byte and request by request. Bytes are those of
/// pack files. Only two things are not known beforehand: what blobs weigh once they are compressed
/// ([`PruneFigures::bytes_to_compress`]), and what has to be read elsewhere because a pack is damaged.
///
/// Requests are those of carrying it out. Planning lists packs and reads index files, generations and trees that no local
/// cache has; the lock and the search for temporary files are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct PruneFigures {
    /// Generations that are kept.
    pub generations: u64,
    /// Folders (unique trees) that they reach.
    pub trees: u64,
    /// Different blobs in use.
    pub blobs_used: u64,
    /// Blobs nothing uses, and further copies of blobs.
    pub blobs_unused: u64,
    /// Packs that stay as they are.
    pub packs_kept: u64,
    /// Packs that are read, of which what is used is written anew.
    pub packs_repacked: u64,
    /// Packs that are written.
    pub packs_new: u64,
    /// Packs that are deleted unread.
    pub packs_deleted: u64,
    /// Packs no index file tells of, deleted too: what an interrupted backup left.
    pub packs_unindexed: u64,
    /// Packs the index tells of that are not there, and nothing needs: they go from the index.
    pub packs_missing: u64,
    /// Bytes of all packs before.
    pub bytes_before: u64,
    /// Bytes of blobs that nothing uses, in packs the index tells of, and of further copies.
    pub bytes_unused: u64,
    /// Bytes of packs that are deleted unread, those no index file tells of among them.
    pub bytes_deleted: u64,
    /// Bytes of packs of which a part is written anew.
    pub bytes_repacked: u64,
    /// Bytes of these that are used, with their entries in the packs' headers.
    pub bytes_rewritten: u64,
    /// Bytes of these that are not compressed yet and will be: what is written is less than `bytes_written` says beforehand.
    pub bytes_to_compress: u64,
    /// Bytes that are read of these packs.
    pub bytes_read: u64,
    /// Bytes of the packs that are written.
    pub bytes_written: u64,
    /// Bytes that come back.
    pub bytes_freed: u64,
    /// Bytes nothing uses that stay where they are.
    pub bytes_left_unused: u64,
    /// Bytes of all packs after.
    pub bytes_after: u64,
    /// Temporary files that a killed program left, and are deleted too.
    pub leftover_files: u64,
    /// Their bytes, which are not among those of packs.
    pub leftover_bytes: u64,
    /// Reads: pieces of packs, and index files that tell of packs that go.
    pub gets: u64,
    /// Writes: packs and index files.
    pub puts: u64,
    /// Deletions: packs and index files.
    pub deletes: u64,
    /// Listings.
    pub lists: u64,
}

impl PruneFigures {
    /// Works out what follows from the others.
    fn sum_up(&mut self) {
        let stay = self
            .bytes_before
            .saturating_sub(self.bytes_deleted + self.bytes_repacked);
        self.bytes_after = stay + self.bytes_written;
        // Packs that mix trees and data become two, which may take a few bytes more.
        self.bytes_freed = self.bytes_before.saturating_sub(self.bytes_after);
    }
}

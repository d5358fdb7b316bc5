//! For every blob of a vault, which generations reach it, so that what any set of generations takes is known exactly and at
//! once.
//!
//! Each unique tree is read once; sets of generations flow from roots to children. Blobs of the same set make a class, and
//! the stored size of any kept set is the sum over the classes that meet it. What is found is kept on local disk and brought
//! up to date when generations come and go; it can be deleted at any time. Nothing here knows retention rules or prices.

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

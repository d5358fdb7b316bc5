//! Counting for a plan: entries by action, and bytes to fetch.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use super::Totals;
use super::plan::Code;
use crate::vault::{BlobKind, Id, IndexedVault, NodeType};

/// Counts the bytes of blobs to fetch, each blob once.
#[derive(Default)]
pub(super) struct Fetch {
    seen: HashSet<u64, BuildHasherDefault<Prefix>>,
    pub bytes: u64,
}

/// Blob ids are hashes themselves.
#[derive(Default)]
struct Prefix(u64);

impl Hasher for Prefix {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Fetch {
    /// Beyond so many blobs, each use counts: the figure is then an upper bound, and memory stays bounded.
    const EXACT: usize = 1 << 21;

    /// Counts a blob; `false` when it is in no pack. Returns its plain length too.
    pub fn add(&mut self, vault: &IndexedVault, id: &Id) -> Option<u32> {
        let location = vault.index().find(BlobKind::Data, id)?;
        self.count(id, location.length);
        Some(location.plain_length())
    }

    fn count(&mut self, id: &Id, length: u32) {
        let [a, b, c, d, e, f, g, h, ..] = id.0;
        let prefix = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        if self.seen.len() >= Fetch::EXACT || self.seen.insert(prefix) {
            self.bytes += u64::from(length);
        }
    }

    /// Adds another count. What both have may count twice: it is a figure for show.
    pub fn absorb(&mut self, other: Fetch) {
        self.bytes += other.bytes;
    }
}

impl Totals {
    /// Counts one entry.
    pub(super) fn count(&mut self, code: Code, kind: NodeType) {
        match (code, kind) {
            (Code::NotNeeded, _) => {}
            (Code::Create, NodeType::File) => self.create_files += 1,
            (Code::Create, NodeType::Dir) => self.create_folders += 1,
            (Code::Create, _) => self.create_others += 1,
            (Code::Overwrite, _) => self.overwrite += 1,
            (Code::Metadata, _) => self.metadata += 1,
            (Code::Unchanged, _) => self.unchanged += 1,
            (Code::Skip, _) => self.skip += 1,
            _ => self.problems += 1,
        }
    }
}

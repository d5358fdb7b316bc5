//! What is written down of each thing, and in how many bytes.

use serde::{Deserialize, Serialize};

use super::Sums;
use super::bytes::{number32, number64};
use super::numbers::Key;
use super::part::Item;
use crate::vault::{BlobKind, Id};

/// The generations of one host and the same paths.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Series {
    pub host: String,
    pub paths: Vec<String>,
}

/// Generations that are numbered one after the other: those of a series, or of a host's short series, all together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lineage {
    pub host: String,
    /// Whether it takes in what belongs to no other.
    pub pool: bool,
    /// The place that the next generation gets.
    pub next: u32,
}

/// How generations are numbered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Layout {
    pub series: Vec<Series>,
    pub lineages: Vec<Lineage>,
}

/// What is known of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub id: Id,
    /// Seconds since 1970, and nanoseconds.
    pub time: (i64, u32),
    /// Its number.
    pub number: u32,
    /// The number of its root's tree.
    pub root: u32,
    /// Which series it belongs to.
    pub series: u32,
    /// Whether the vault still has it.
    pub alive: bool,
}

const KNOWN: usize = 60;

impl Known {
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.0);
        out.extend_from_slice(&self.time.0.to_le_bytes());
        for number in [self.time.1, self.number, self.root, self.series, u32::from(self.alive)] {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }

    pub fn decode(raw: &[u8; KNOWN]) -> Known {
        let mut id = Id::ZERO;
        id.0.copy_from_slice(&raw[..32]);
        Known {
            id,
            time: (number64(raw, 32) as i64, number32(raw, 40)),
            number: number32(raw, 44),
            root: number32(raw, 48),
            series: number32(raw, 52),
            alive: number32(raw, 56) != 0,
        }
    }
}

/// A blob that the vault does not have, or a tree that it cannot give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lacking {
    pub kind: BlobKind,
    pub number: u32,
    pub key: Key,
}

const LACKING: usize = 24;

impl Lacking {
    pub fn item(&self) -> Item {
        match self.kind {
            BlobKind::Data => Item::Blob,
            BlobKind::Tree => Item::Tree,
        }
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.key);
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&u32::from(self.kind == BlobKind::Tree).to_le_bytes());
    }

    pub fn decode(raw: &[u8; LACKING]) -> Lacking {
        let mut key = Key::default();
        key.copy_from_slice(&raw[..16]);
        Lacking {
            kind: match number32(raw, 20) {
                0 => BlobKind::Data,
                _ => BlobKind::Tree,
            },
            number: number32(raw, 16),
            key,
        }
    }
}

/// The set of an item with what else must be known of it, and its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Record {
    /// Set number and flags.
    pub word: u32,
    /// Sealed bytes; of a content, the lower half of its bytes.
    pub low: u32,
    /// Plain bytes; of a content, the upper half of its bytes.
    pub high: u32,
}

pub(super) const RECORD: usize = 12;

/// The blob is stored compressed.
pub(super) const COMPRESSED: u32 = 1 << 31;
/// The blob is all there is of some file, and part of no other content.
pub(super) const VERSION: u32 = 1 << 30;
/// The vault does not have it.
pub(super) const LACKS: u32 = 1 << 29;
/// Sets have numbers below this.
pub(super) const SET: u32 = LACKS - 1;

impl Record {
    pub fn set(&self) -> u32 {
        self.word & SET
    }

    /// The same item in another set.
    pub fn with_set(self, set: u32) -> Record {
        Record {
            word: self.word & !SET | set,
            ..self
        }
    }

    /// The bytes of a content.
    pub fn content_bytes(&self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }

    pub fn of_content(word: u32, bytes: u64) -> Record {
        Record {
            word,
            low: bytes as u32,
            high: (bytes >> 32) as u32,
        }
    }

    pub fn encode(&self) -> [u8; RECORD] {
        let mut raw = [0; RECORD];
        for (n, number) in [self.word, self.low, self.high].into_iter().enumerate() {
            raw[4 * n..4 * n + 4].copy_from_slice(&number.to_le_bytes());
        }
        raw
    }

    pub fn decode(raw: &[u8]) -> Record {
        Record {
            word: number32(raw, 0),
            low: number32(raw, 4),
            high: number32(raw, 8),
        }
    }

    /// What the item adds to its class.
    pub fn sums(&self, item: Item) -> Sums {
        let mut sums = Sums::default();
        if item == Item::Content {
            (sums.versions, sums.version_bytes) = (1, self.content_bytes());
            return sums;
        }
        if self.word & VERSION != 0 {
            (sums.versions, sums.version_bytes) = (1, self.high.into());
        }
        if self.word & LACKS == 0 {
            match item {
                Item::Tree => sums.tree_blobs = 1,
                _ => sums.data_blobs = 1,
            }
            sums.sealed = self.low.into();
            sums.stored = sums.sealed + if self.word & COMPRESSED != 0 { 41 } else { 37 };
            sums.plain = self.high.into();
        }
        sums
    }
}

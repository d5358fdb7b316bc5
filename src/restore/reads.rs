//! How many reads a restore makes of a vault's packs, and of how many bytes, told beforehand.

use std::collections::{HashMap, HashSet};

use super::fetch::{FILES, NEEDS, run_of};
use crate::vault::Id;
use crate::vault::index::Location;

/// Counts what restoring files into an empty folder reads, with the batches and runs of the restore itself. A restore whose
/// files lie in more folders than it may keep open reads a little more.
#[derive(Debug, Default)]
pub struct Reads {
    files: usize,
    /// Pack, offset and length of what the batch needs.
    needs: Vec<(u32, u32, u32)>,
    packs: HashMap<Id, u32>,
    touched: HashSet<Id>,
    counted: Counted,
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Files.
    pub files: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// Reads of pieces of packs.
    pub reads: u64,
    /// Their bytes, with what lies between two blobs and is read along.
    pub bytes_read: u64,
    /// Packs that are read from.
    pub packs: u64,
}

impl Reads {
    /// Counts a file of so many bytes, by where its blobs lie.
    pub fn file(&mut self, bytes: u64, pieces: impl Iterator<Item = Location>) {
        self.counted.files += 1;
        self.counted.bytes = self.counted.bytes.saturating_add(bytes);
        for location in pieces {
            if self.needs.len() >= NEEDS {
                self.flush();
            }
            let next = self.packs.len() as u32;
            let pack = *self.packs.entry(location.pack).or_insert(next);
            self.needs.push((pack, location.offset, location.length));
        }
        self.files += 1;
        if self.files >= FILES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.needs.sort_unstable();
        let mut rest = &self.needs[..];
        while !rest.is_empty() {
            let (run, after) = rest.split_at(run_of(rest.iter().copied()));
            let start = u64::from(run[0].1);
            let end = run
                .iter()
                .map(|(_, offset, length)| u64::from(*offset) + u64::from(*length))
                .max();
            self.counted.reads += 1;
            self.counted.bytes_read += end.unwrap_or(start) - start;
            rest = after;
        }
        self.touched.extend(self.packs.drain().map(|(pack, _)| pack));
        self.needs.clear();
        self.files = 0;
    }

    /// What it comes to.
    pub fn finish(mut self) -> Counted {
        self.flush();
        self.counted.packs = self.touched.len() as u64;
        self.counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(pack: u8, offset: u32, length: u32) -> Location {
        Location {
            pack: Id([pack; 32]),
            offset,
            length,
            uncompressed: None,
        }
    }

    #[test]
    fn neighbours_are_read_at_once() {
        let mut reads = Reads::default();
        // Side by side, though asked for in another order; then a small hole that is read along; then one that is not.
        reads.file(150, [at(1, 100, 50), at(1, 0, 100)].into_iter());
        reads.file(10, [at(1, 200, 10), at(2, 0, 7)].into_iter());
        reads.file(10, [at(1, 500_000, 10)].into_iter());
        // The same blob once more costs nothing.
        reads.file(10, [at(1, 500_000, 10)].into_iter());
        let expected = Counted {
            files: 4,
            bytes: 180,
            reads: 3,
            bytes_read: 210 + 7 + 10,
            packs: 2,
        };
        assert_eq!(reads.finish(), expected);
        assert_eq!(Reads::default().finish(), Counted::default());
    }
}

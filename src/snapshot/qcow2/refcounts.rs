//! How many states refer to each cluster of a qcow2 image, and so what a snapshot alone takes.

use super::format::{COMPRESSED, MOST_L1, OFFSET, Place, State, Tables};
use crate::snapshot::Result;

impl Tables {
    /// What would come back if a snapshot alone went, bytes: the clusters that nothing else refers to, its tables and RAM
    /// included. Exact where nobody writes to the image; compressed clusters are told by their share.
    pub fn exclusive(&self, id: &str) -> Result<u64> {
        let root = self.root(State::Snapshot(id))?;
        let mut counts = Refcounts::new(self)?;
        let mut alone = (root.entries * 8).div_ceil(self.cluster()) * self.cluster();
        for table in self.words(root.offset, root.entries)? {
            let table = table & OFFSET;
            if table == 0 {
                continue;
            }
            if counts.of(table)? != 1 {
                // A table that is shared refers to clusters that are.
                continue;
            }
            alone += self.cluster();
            for (place, _) in self.clusters(table)? {
                match place {
                    Place::File(entry) if entry & COMPRESSED != 0 => {
                        let bits = 62 - (self.cluster_bits - 8);
                        let (offset, sectors) = (entry & ((1 << bits) - 1), (entry & (COMPRESSED - 1)) >> bits);
                        if counts.of(offset & !(self.cluster() - 1))? == 1 {
                            alone += ((sectors + 1) * 512).min(self.cluster());
                        }
                    }
                    Place::File(offset) if counts.of(offset)? == 1 => alone += self.cluster(),
                    _ => {}
                }
            }
        }
        Ok(alone)
    }
}

/// How many refer to each cluster of the file; the block of the table looked at last is kept.
struct Refcounts<'a> {
    tables: &'a Tables,
    blocks: Vec<u64>,
    block: Option<(u64, Vec<u8>)>,
}

impl Refcounts<'_> {
    fn new(tables: &Tables) -> Result<Refcounts<'_>> {
        let entries = tables.refcount_clusters.saturating_mul(tables.cluster()) / 8;
        if entries > MOST_L1 {
            return Err(tables.broken("its tables make no sense"));
        }
        Ok(Refcounts {
            blocks: tables.words(tables.refcounts, entries)?,
            tables,
            block: None,
        })
    }

    fn of(&mut self, offset: u64) -> Result<u64> {
        let tables = self.tables;
        let per_block = (tables.cluster() * 8) >> tables.refcount_order;
        let cluster = offset >> tables.cluster_bits;
        let block = usize::try_from(cluster / per_block).ok();
        let block = block.and_then(|n| self.blocks.get(n)).map_or(0, |entry| entry & !0x1ff);
        if block == 0 {
            return Ok(0);
        }
        if self.block.as_ref().is_none_or(|(at, _)| *at != block) {
            let length = usize::try_from(tables.cluster()).unwrap_or(0);
            self.block = Some((block, tables.bytes(block, length)?));
        }
        let bytes = self
            .block
            .as_ref()
            .map(|(_, bytes)| bytes.as_slice())
            .unwrap_or_default();
        let at = usize::try_from(cluster % per_block).unwrap_or(0);
        let bits = 1usize << tables.refcount_order;
        if bits < 8 {
            let per_byte = 8 / bits;
            let byte = bytes[at / per_byte] >> (at % per_byte * bits);
            return Ok(u64::from(byte) & ((1 << bits) - 1));
        }
        let width = bits / 8;
        let word = &bytes[at * width..(at + 1) * width];
        Ok(word.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }
}

//! How what is kept of packs is read and where it is written: the same rules for saying it beforehand and for doing it.

use crate::vault::BlobKind;
use crate::vault::pack::{MAX_BLOBS, entry_size, pack_size};
use crate::vault::writer::index_is_due;

/// Blobs this close to one another in a pack are read in one go, bytes.
const GAP: u32 = 256 << 10;
/// The longest piece of a pack that is read in one go, bytes.
const PIECE: u32 = 16 << 20;

/// Where a blob lies in its pack.
pub(super) trait Placed {
    fn offset(&self) -> u32;
    fn end(&self) -> u32;
}

/// Parts a pack's wanted blobs, sorted by offset, into pieces that are read in one go each. A blob that is longer than a
/// piece may be is one of its own.
pub(super) fn pieces<T: Placed>(blobs: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = blobs;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut last = first.end();
        let fits = rest[1..].iter().take_while(|blob| {
            let near = blob.offset().saturating_sub(last) <= GAP;
            let fits = near && blob.end().saturating_sub(first.offset()) <= PIECE;
            if fits {
                last = last.max(blob.end());
            }
            fits
        });
        let (piece, after) = rest.split_at(1 + fits.count());
        rest = after;
        Some(piece)
    })
}

/// The bytes of a pack that a piece takes: from, to.
pub(super) fn extent<T: Placed>(piece: &[T]) -> (u32, u32) {
    let from = piece.first().map_or(0, Placed::offset);
    (from, piece.iter().map(Placed::end).max().unwrap_or(from))
}

/// New packs and index files, counted as a [`BlobWriter`](crate::vault::writer::BlobWriter) makes them of blobs that come
/// in this order.
#[derive(Debug)]
pub(super) struct NewPacks {
    target: u32,
    open: [Filling; 2],
    /// The sizes of the packs, bytes.
    pub packs: Vec<u64>,
    /// Index files.
    pub index_files: u64,
    unlisted: (usize, u64),
}

/// A pack that is being filled.
#[derive(Debug, Clone, Copy, Default)]
struct Filling {
    bytes: u64,
    plain: u64,
    compressed: u64,
}

impl NewPacks {
    pub fn new(target: u32) -> NewPacks {
        NewPacks {
            target,
            open: Default::default(),
            packs: Vec::new(),
            index_files: 0,
            unlisted: (0, 0),
        }
    }

    pub fn add(&mut self, kind: BlobKind, length: u32, compressed: bool) {
        let mut filling = if length >= self.target {
            Filling::default()
        } else {
            std::mem::take(&mut self.open[kind as usize])
        };
        filling.bytes += u64::from(length);
        *(if compressed {
            &mut filling.compressed
        } else {
            &mut filling.plain
        }) += 1;
        if filling.bytes >= u64::from(self.target) || filling.blobs() >= MAX_BLOBS {
            self.close(filling);
        } else {
            self.open[kind as usize] = filling;
        }
    }

    fn close(&mut self, pack: Filling) {
        if pack.blobs() == 0 {
            return;
        }
        let size = pack_size(pack.bytes, pack.plain, pack.compressed);
        self.packs.push(size);
        self.unlisted.0 += pack.blobs();
        self.unlisted.1 += size;
        if index_is_due(self.unlisted.0, self.unlisted.1) {
            self.list();
        }
    }

    fn list(&mut self) {
        self.index_files += 1;
        self.unlisted = (0, 0);
    }

    /// No more blobs come.
    pub fn finish(&mut self) {
        for open in std::mem::take(&mut self.open) {
            self.close(open);
        }
        if self.unlisted.0 > 0 {
            self.list();
        }
    }
}

impl Filling {
    fn blobs(&self) -> usize {
        (self.plain + self.compressed) as usize
    }
}

/// Bytes a blob takes in its pack, with its entry in the header.
pub(super) fn stored(length: u32, compressed: bool) -> u64 {
    u64::from(length) + entry_size(compressed) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Blob(u32, u32);

    impl Placed for Blob {
        fn offset(&self) -> u32 {
            self.0
        }
        fn end(&self) -> u32 {
            self.0.saturating_add(self.1)
        }
    }

    fn extents(blobs: &[Blob]) -> Vec<(u32, u32)> {
        pieces(blobs).map(extent).collect()
    }

    #[test]
    fn near_blobs_are_read_together() {
        assert_eq!(extents(&[]), []);
        assert_eq!(
            extents(&[Blob(0, 10), Blob(10, 20), Blob(30 + GAP, 5)]),
            [(0, 35 + GAP)]
        );
        assert_eq!(
            extents(&[Blob(7, 10), Blob(18 + GAP, 5)]),
            [(7, 17), (18 + GAP, 23 + GAP)]
        );
        assert_eq!(
            extents(&[Blob(0, PIECE - 5), Blob(PIECE - 5, 5), Blob(PIECE, 1)]),
            [(0, PIECE), (PIECE, PIECE + 1)]
        );
        assert_eq!(
            extents(&[Blob(0, PIECE + 9), Blob(PIECE + 9, 1)]),
            [(0, PIECE + 9), (PIECE + 9, PIECE + 10)]
        );
        // What lies within another (a hostile index) makes no piece shorter; offsets do not overflow.
        assert_eq!(extents(&[Blob(0, 100), Blob(10, 5), Blob(100, 1)]), [(0, 101)]);
        assert_eq!(extents(&[Blob(u32::MAX - 1, 100)]), [(u32::MAX - 1, u32::MAX)]);
    }

    #[test]
    fn packs_are_filled_and_counted() {
        let mut new = NewPacks::new(100);
        for length in [40, 40, 40, 150, 60] {
            new.add(BlobKind::Data, length, true);
        }
        new.add(BlobKind::Tree, 33, false);
        new.finish();
        // Three make the first; the one that is larger than a pack comes between; then what is left, then trees.
        assert_eq!(
            new.packs,
            [120 + 3 * 41 + 36, 150 + 41 + 36, 60 + 41 + 36, 33 + 37 + 36]
        );
        assert_eq!(new.index_files, 1);
        let mut many = NewPacks::new(u32::MAX);
        for _ in 0..100_001 {
            many.add(BlobKind::Data, 40, true);
        }
        many.finish();
        assert_eq!((many.packs.len(), many.index_files), (3, 3));
        let mut none = NewPacks::new(100);
        none.finish();
        assert_eq!((none.packs.len(), none.index_files), (0, 0));
    }
}

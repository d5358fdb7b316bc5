//! Where trees come from.

use std::collections::HashSet;

use crate::vault::index::{BlobMarks, Location, Mark};
use crate::vault::{BlobKind, Error, Id, IndexedVault, Result, Tree, compress};

/// Buffers of one thread that reads trees.
#[derive(Default)]
pub struct Scratch {
    codec: compress::Scratch,
    plain: Vec<u8>,
}

/// Gives trees by id, from many threads at once, and says what blobs weigh.
pub trait TreeSource: Sync {
    /// A tree, verified and parsed.
    fn read_tree(&self, id: &Id, scratch: &mut Scratch) -> Result<Tree>;

    /// Where a blob lies and what it weighs; `None` when it is missing.
    fn locate(&self, kind: BlobKind, id: &Id) -> Option<Location>;

    /// A set of this vault's blobs, empty to begin with.
    fn marks(&self) -> Box<dyn Marks + '_> {
        Box::new(HashMarks {
            source: self,
            seen: HashSet::new(),
        })
    }
}

/// A set of blobs of a vault.
pub trait Marks {
    /// Marks a blob.
    fn mark(&mut self, kind: BlobKind, id: &Id) -> Mark;
}

/// A set in memory, for sources without an index.
struct HashMarks<'a, S: ?Sized> {
    source: &'a S,
    seen: HashSet<(BlobKind, Id)>,
}

impl<S: TreeSource + ?Sized> Marks for HashMarks<'_, S> {
    fn mark(&mut self, kind: BlobKind, id: &Id) -> Mark {
        match self.source.locate(kind, id) {
            Some(_) if !self.seen.insert((kind, *id)) => Mark::Again,
            Some(location) => Mark::First(location),
            None => Mark::Missing,
        }
    }
}

impl TreeSource for IndexedVault {
    fn read_tree(&self, id: &Id, scratch: &mut Scratch) -> Result<Tree> {
        self.blob_into(BlobKind::Tree, id, &mut scratch.codec, &mut scratch.plain)?;
        let tree = Tree::decode(&scratch.plain);
        // One huge folder must not make every thread keep a huge buffer.
        if scratch.plain.capacity() > 16 << 20 {
            scratch.plain = Vec::new();
        }
        tree.map_err(|bad| Error::BadBlob {
            kind: BlobKind::Tree,
            id: *id,
            what: bad.to_string(),
        })
    }

    fn locate(&self, kind: BlobKind, id: &Id) -> Option<Location> {
        self.index().find(kind, id)
    }

    fn marks(&self) -> Box<dyn Marks + '_> {
        Box::new(self.index().marks())
    }
}

impl Marks for BlobMarks {
    fn mark(&mut self, kind: BlobKind, id: &Id) -> Mark {
        BlobMarks::mark(self, kind, id)
    }
}

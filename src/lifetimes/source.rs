//! Where trees and the weights of blobs come from.

use crate::vault::{BlobKind, Id, Result};

/// What a blob weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weight {
    /// Bytes in its pack, encryption overhead included.
    pub sealed: u32,
    /// Bytes of its content.
    pub plain: u32,
    /// Whether it is stored compressed.
    pub compressed: bool,
}

/// What a folder refers to.
#[derive(Debug, Default)]
pub struct Folder {
    /// The trees of its folders.
    pub folders: Vec<Id>,
    /// The blobs of its files, file after file, those without content left out.
    pub blobs: Vec<Id>,
    /// How many blobs each of these files has.
    pub files: Vec<u32>,
}

impl Folder {
    /// Empties it.
    pub fn clear(&mut self) {
        self.folders.clear();
        self.blobs.clear();
        self.files.clear();
    }

    /// Adds a file.
    pub fn file(&mut self, blobs: impl IntoIterator<Item = Id>) {
        let before = self.blobs.len();
        self.blobs.extend(blobs);
        match u32::try_from(self.blobs.len() - before) {
            Ok(0) | Err(_) => self.blobs.truncate(before),
            Ok(count) => self.files.push(count),
        }
    }
}

/// A vault, as far as lifetimes need it.
pub trait Source: Sync {
    /// One thread's buffers.
    type Scratch: Default;

    /// Reads a tree into `folder`, which is empty.
    fn read(&self, tree: &Id, scratch: &mut Self::Scratch, folder: &mut Folder) -> Result<()>;

    /// What a blob weighs; `None` when the vault does not have it.
    fn weigh(&self, kind: BlobKind, id: &Id) -> Option<Weight>;

    /// Calls `each` for every blob, sorted by kind and id: data first. One that is there several times may come as often.
    fn weigh_all(&self, each: &mut dyn FnMut(BlobKind, &Id, Weight));

    /// The index files: when one of them goes, blobs may weigh something else from then on.
    fn index_files(&self) -> Vec<Id>;
}

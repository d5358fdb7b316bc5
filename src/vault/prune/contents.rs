//! What lies in each pack of a vault, in few bytes a blob: made once by [`Contents::read`], then asked as often as one likes
//! what a prune would come to ([`Contents::foresee`]) for whatever is taken to be in use.
//!
//! Each blob is of a class, a number that the caller gives it; what is in use is said class by class. A prune of the vault as
//! it is has two, used and unused; a what-if has one for each set of generations. A blob takes 8 bytes, a pack about a hundred
//! and 16 for each class of its blobs.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::index_files::{Entry, Summing};
use super::layout::{Placed, stored};
use crate::progress::Cancel;
use crate::storage::{FileKind, Leftovers, Listed};
use crate::vault::compress::Codec;
use crate::vault::crew::threads;
use crate::vault::index::json;
use crate::vault::pack::{PackBlob, pack_size};
use crate::vault::{BlobKind, Error, Id, IndexedVault, Result, Vault};

/// Says what kind and which of its classes a blob is; below [`Contents::CLASSES`].
pub type Classify<'a> = &'a dyn Fn(BlobKind, &Id) -> u32;

/// What lies in each pack.
#[derive(Debug)]
pub struct Contents {
    pub(super) vault: Vault,
    /// The packs the index tells of, sorted by id.
    pub(super) packs: Vec<Pack>,
    /// Their blobs, pack by pack, by offset.
    pub(super) blobs: Vec<Blob>,
    pub(super) shares: Vec<Share>,
    /// Blobs that lie in several places.
    pub(super) copies: Vec<Copies>,
    /// Packs no index file tells of, sorted by id.
    pub(super) unindexed: Vec<Listed>,
    pub(super) index_files: Vec<IndexFile>,
    pub(super) leftovers: Leftovers,
}

/// A pack the index tells of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pack {
    pub id: Id,
    /// Bytes of its file; `None` when it is not there.
    pub size: Option<u64>,
    /// Bytes it must have by the index.
    pub by_index: u64,
    pub modified: Option<i64>,
    /// Where its blobs begin, and its shares. They end where the next pack's begin.
    pub blobs: usize,
    pub shares: usize,
    pub trees: bool,
    pub data: bool,
    pub uncompressed: bool,
}

/// A blob of a pack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blob {
    /// Its class and, in the highest bits, what it is.
    word: u32,
    pub length: u32,
}

const TREE: u32 = 1 << 31;
const COMPRESSED: u32 = 1 << 30;
const COPIED: u32 = 1 << 29;

impl Blob {
    pub fn class(&self) -> u32 {
        self.word & (COPIED - 1)
    }

    pub fn kind(&self) -> BlobKind {
        if self.word & TREE != 0 {
            BlobKind::Tree
        } else {
            BlobKind::Data
        }
    }

    pub fn compressed(&self) -> bool {
        self.word & COMPRESSED != 0
    }

    /// Whether the vault has it more than once.
    pub fn copied(&self) -> bool {
        self.word & COPIED != 0
    }

    pub fn stored(&self) -> u64 {
        stored(self.length, self.compressed())
    }
}

/// The blobs of one class and kind in a pack, those left out that lie in several places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    word: u32,
    pub blobs: u32,
    /// Bytes with their entries.
    pub bytes: u64,
}

impl Share {
    pub fn class(&self) -> u32 {
        self.word & (COPIED - 1)
    }

    pub fn trees(&self) -> bool {
        self.word & TREE != 0
    }
}

/// The places of one blob that lies in several.
#[derive(Debug)]
pub(super) struct Copies {
    pub class: u32,
    pub kind: BlobKind,
    /// Pack and blob, as numbers in [`Contents`].
    pub places: Vec<(u32, usize)>,
}

/// An index file, and the packs it tells of.
#[derive(Debug)]
pub(super) struct IndexFile {
    pub id: Id,
    pub packs: Vec<Entry>,
}

impl Placed for PackBlob {
    fn offset(&self) -> u32 {
        self.offset
    }

    fn end(&self) -> u32 {
        self.offset.saturating_add(self.length)
    }
}

impl Contents {
    /// Classes are numbers below this one.
    pub const CLASSES: u32 = COPIED;

    /// Reads it from the vault's index as it was last brought up to date, a listing of the packs, and the index files. The
    /// caller holds a lock, or takes what others do meanwhile as it comes.
    pub fn read(vault: &IndexedVault, class: Classify, cancel: &Cancel) -> Result<Contents> {
        let storage = vault.vault().storage();
        let mut there = HashMap::new();
        storage.list_dated(FileKind::Pack, &mut |file| _ = there.insert(file.id, file))?;
        cancel.check()?;
        let mut contents = Contents {
            vault: vault.vault().clone(),
            packs: Vec::new(),
            blobs: Vec::with_capacity(usize::try_from(vault.index().len()).unwrap_or(0)),
            shares: Vec::new(),
            copies: Vec::new(),
            unindexed: Vec::new(),
            index_files: read_index_files(vault.vault(), cancel)?,
            leftovers: storage.leftovers(false)?,
        };
        let mut copies = find_copies(vault);
        let mut shares = BTreeMap::new();
        vault.index().for_each_pack(|id, blobs| {
            cancel.check()?;
            contents.add(id, blobs, there.remove(id), class, &mut copies, &mut shares)
        })?;
        contents.copies = copies.into_values().collect();
        // In an order of its own, whatever the map's was.
        contents.copies.sort_unstable_by(|a, b| a.places.cmp(&b.places));
        contents.unindexed = there.into_values().collect();
        contents.unindexed.sort_unstable_by_key(|pack| pack.id);
        Ok(contents)
    }

    fn add(
        &mut self,
        id: &Id,
        blobs: &[PackBlob],
        file: Option<Listed>,
        class: Classify,
        copies: &mut HashMap<(BlobKind, Id), Copies>,
        shares: &mut BTreeMap<u32, (u32, u64)>,
    ) -> Result<()> {
        let number = u32::try_from(self.packs.len()).unwrap_or(u32::MAX);
        let mut pack = Pack {
            id: *id,
            size: file.map(|file| file.size),
            by_index: 0,
            modified: file.and_then(|file| file.modified),
            blobs: self.blobs.len(),
            shares: self.shares.len(),
            trees: false,
            data: false,
            uncompressed: false,
        };
        let (mut bytes, mut compressed) = (0u64, 0u64);
        for blob in blobs {
            let class = class(blob.kind, &blob.id);
            if class >= Contents::CLASSES {
                return Err(Error::Internal(format!("{class} is no class of blobs")));
            }
            let mut word = class;
            bytes += u64::from(blob.length);
            match blob.kind {
                BlobKind::Tree => {
                    pack.trees = true;
                    word |= TREE;
                }
                BlobKind::Data => pack.data = true,
            }
            match copies.get_mut(&(blob.kind, blob.id)) {
                Some(copies) => {
                    copies.class = class;
                    copies.places.push((number, self.blobs.len()));
                }
                None => {
                    let share = shares.entry(word).or_default();
                    share.0 += 1;
                    share.1 += stored(blob.length, blob.uncompressed.is_some());
                }
            }
            if copies.contains_key(&(blob.kind, blob.id)) {
                word |= COPIED;
            }
            if blob.uncompressed.is_some() {
                compressed += 1;
                word |= COMPRESSED;
            } else {
                pack.uncompressed = true;
            }
            let length = blob.length;
            self.blobs.push(Blob { word, length });
        }
        pack.by_index = pack_size(bytes, blobs.len() as u64 - compressed, compressed);
        self.packs.push(pack);
        let shares = std::mem::take(shares).into_iter();
        self.shares
            .extend(shares.map(|(word, (blobs, bytes))| Share { word, blobs, bytes }));
        Ok(())
    }

    /// The numbers of a pack's blobs.
    pub(super) fn blobs_of(&self, pack: usize) -> std::ops::Range<usize> {
        let end = self.packs.get(pack + 1).map_or(self.blobs.len(), |next| next.blobs);
        self.packs.get(pack).map_or(0..0, |pack| pack.blobs..end)
    }

    pub(super) fn shares_of(&self, pack: usize) -> &[Share] {
        let end = self.packs.get(pack + 1).map_or(self.shares.len(), |next| next.shares);
        self.packs
            .get(pack)
            .and_then(|pack| self.shares.get(pack.shares..end))
            .unwrap_or_default()
    }
}

/// Blobs that the index has in more than one place, which are yet to be found.
fn find_copies(vault: &IndexedVault) -> HashMap<(BlobKind, Id), Copies> {
    let mut copies = HashMap::new();
    let mut last = None;
    vault.index().for_each(&mut |kind, id, _| {
        if last == Some((kind, id)) {
            copies.entry((kind, id)).or_insert_with(|| Copies {
                class: 0,
                kind,
                places: Vec::new(),
            });
        }
        last = Some((kind, id));
    });
    copies
}

/// Which packs each index file tells of. Read by several threads; sorted by id.
fn read_index_files(vault: &Vault, cancel: &Cancel) -> Result<Vec<IndexFile>> {
    let files = vault.list_files(FileKind::Index)?;
    let next = AtomicUsize::new(0);
    let read = Mutex::new(Ok(Vec::with_capacity(files.len())));
    let worker = || {
        let mut codec = Codec::default();
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let done = cancel
                .check()
                .map_err(Error::from)
                .and_then(|()| read_index_file(vault, file, &mut codec));
            let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
            match (done, &mut *read) {
                (Ok(file), Ok(read)) => read.push(file),
                (Err(error), Ok(_)) => *read = Err(error),
                (_, Err(_)) => return,
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads().min(files.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut read = read.into_inner().unwrap_or_else(PoisonError::into_inner)?;
    read.sort_unstable_by_key(|file: &IndexFile| file.id);
    Ok(read)
}

fn read_index_file(vault: &Vault, file: &Id, codec: &mut Codec) -> Result<IndexFile> {
    let text = vault.read_file_with(FileKind::Index, file, codec)?;
    let mut counts = Counts::default();
    json::parse(&text, &mut counts)
        .map_err(|error| vault.damaged(FileKind::Index, file, format!("it is not an index file: {error}")))?;
    Ok(IndexFile {
        id: *file,
        packs: counts.packs,
    })
}

/// Sums up what an index file tells of each pack.
#[derive(Default)]
struct Counts {
    packs: Vec<Entry>,
    open: Summing,
}

impl json::Sink for Counts {
    fn pack(&mut self) {
        self.open = Summing::default();
    }

    fn blob(&mut self, blob: &PackBlob) {
        self.open.add(blob);
    }

    fn pack_end(&mut self, id: Id) {
        self.packs.push(self.open.end(id));
    }
}

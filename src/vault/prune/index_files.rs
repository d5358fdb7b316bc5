//! Index files without the packs that go.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::progress::Cancel;
use crate::storage::FileKind;
use crate::vault::compress::Codec;
use crate::vault::index::json;
use crate::vault::pack::PackBlob;
use crate::vault::{Id, Result, Vault};

/// An index file is saved when it lists so many blobs.
const BLOBS: usize = 50_000;

/// Writes anew what these index files tell of packs that stay, and returns the new ones. The old ones may be deleted then;
/// until they are the vault has both, which say the same.
pub(super) fn rewrite(vault: &Vault, old: &[Id], leaving: &dyn Fn(&Id) -> bool, cancel: &Cancel) -> Result<Vec<Id>> {
    let mut codec = Codec::default();
    let mut new = NewFiles::new(vault);
    for file in old {
        cancel.check()?;
        let text = vault.read_file_with(FileKind::Index, file, &mut codec)?;
        let mut packs = Packs::default();
        json::parse(&text, &mut packs)
            .map_err(|error| vault.damaged(FileKind::Index, file, format!("it is not an index file: {error}")))?;
        for (id, blobs) in packs.all {
            if !leaving(&id) {
                new.add(&id, &blobs)?;
            }
        }
    }
    new.save()?;
    Ok(new.written)
}

/// What an index file tells of one pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    /// The pack.
    pub id: Id,
    /// How many blobs it has there.
    pub blobs: u32,
    /// Which.
    digest: u64,
}

/// Sums up the blobs that an index file lists of one pack.
#[derive(Default)]
pub(super) struct Summing {
    blobs: u32,
    digest: DefaultHasher,
}

impl Summing {
    pub fn add(&mut self, blob: &PackBlob) {
        self.blobs = self.blobs.saturating_add(1);
        blob.hash(&mut self.digest);
    }

    /// All were added, and this is their pack.
    pub fn end(&self, id: Id) -> Entry {
        Entry {
            id,
            blobs: self.blobs,
            digest: self.digest.finish(),
        }
    }
}

/// Counts the index files that packs which come in this order make.
#[derive(Default)]
pub(super) struct Counter {
    /// A pack of which two files tell the same is told of once. They may also tell of different blobs of one pack: old
    /// programs split packs so.
    told: HashSet<Entry>,
    blobs: usize,
    full: u64,
}

/// What comes of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The same was told before.
    Before,
    /// It comes into the file.
    Now,
    /// It does, and fills it.
    Full,
}

impl Counter {
    pub fn add(&mut self, pack: Entry) -> Told {
        if !self.told.insert(pack) {
            return Told::Before;
        }
        self.blobs += pack.blobs as usize;
        if self.blobs < BLOBS {
            return Told::Now;
        }
        self.full += 1;
        self.blobs = 0;
        Told::Full
    }

    /// How many files it takes.
    pub fn files(&self) -> u64 {
        self.full + u64::from(self.blobs > 0)
    }
}

/// The packs of one index file.
#[derive(Default)]
struct Packs {
    all: Vec<(Id, Vec<PackBlob>)>,
    blobs: Vec<PackBlob>,
}

impl json::Sink for Packs {
    fn pack(&mut self) {
        self.blobs.clear();
    }

    fn blob(&mut self, blob: &PackBlob) {
        self.blobs.push(*blob);
    }

    fn pack_end(&mut self, id: Id) {
        self.all.push((id, std::mem::take(&mut self.blobs)));
    }
}

struct NewFiles<'a> {
    vault: &'a Vault,
    text: Vec<u8>,
    counter: Counter,
    written: Vec<Id>,
}

impl<'a> NewFiles<'a> {
    fn new(vault: &'a Vault) -> NewFiles<'a> {
        NewFiles {
            vault,
            text: Vec::new(),
            counter: Counter::default(),
            written: Vec::new(),
        }
    }

    fn add(&mut self, id: &Id, blobs: &[PackBlob]) -> Result<()> {
        // It is in the index in no way that matters.
        if blobs.is_empty() {
            return Ok(());
        }
        let mut summing = Summing::default();
        blobs.iter().for_each(|blob| summing.add(blob));
        let told = self.counter.add(summing.end(*id));
        if told == Told::Before {
            return Ok(());
        }
        if self.text.is_empty() {
            json::start(&mut self.text);
        }
        json::write_pack(&mut self.text, id, blobs);
        if told == Told::Full { self.save() } else { Ok(()) }
    }

    fn save(&mut self) -> Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        json::end(&mut self.text);
        let text = std::mem::take(&mut self.text);
        self.written.push(self.vault.write_file(FileKind::Index, &text)?);
        Ok(())
    }
}

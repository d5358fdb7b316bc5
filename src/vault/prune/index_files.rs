//! Index files without the packs that go.

use std::collections::HashSet;

use crate::progress::Cancel;
use crate::storage::FileKind;
use crate::vault::compress::Codec;
use crate::vault::index::json;
use crate::vault::pack::PackBlob;
use crate::vault::{Id, Result, Vault};

/// An index file is saved when it lists so many blobs.
const BLOBS: usize = 50_000;

/// Writes anew what index files tell of packs that stay, of each file that tells of one that goes, and returns those
/// files: they may be deleted now. Until then the vault has both, which say the same.
pub(super) fn rewrite(vault: &Vault, leaving: &dyn Fn(&Id) -> bool, cancel: &Cancel) -> Result<Vec<Id>> {
    let mut codec = Codec::default();
    let mut old = Vec::new();
    let mut new = NewFiles::new(vault);
    for file in vault.list_files(FileKind::Index)? {
        cancel.check()?;
        let text = vault.read_file_with(FileKind::Index, &file, &mut codec)?;
        let mut packs = Packs::default();
        json::parse(&text, &mut packs)
            .map_err(|error| vault.damaged(FileKind::Index, &file, format!("it is not an index file: {error}")))?;
        if !packs.all.iter().any(|(id, _)| leaving(id)) {
            continue;
        }
        for (id, blobs) in packs.all {
            if !leaving(&id) {
                new.add(&id, &blobs)?;
            }
        }
        old.push(file);
    }
    new.save()?;
    // One that came out the same byte for byte (it cannot: it is encrypted with a fresh nonce) must not be deleted.
    old.retain(|file| !new.written.contains(file));
    Ok(old)
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
    blobs: usize,
    /// A pack that two files told of is told of once.
    told: HashSet<Id>,
    written: Vec<Id>,
}

impl<'a> NewFiles<'a> {
    fn new(vault: &'a Vault) -> NewFiles<'a> {
        NewFiles {
            vault,
            text: Vec::new(),
            blobs: 0,
            told: HashSet::new(),
            written: Vec::new(),
        }
    }

    fn add(&mut self, id: &Id, blobs: &[PackBlob]) -> Result<()> {
        if !self.told.insert(*id) {
            return Ok(());
        }
        if self.text.is_empty() {
            json::start(&mut self.text);
        }
        json::write_pack(&mut self.text, id, blobs);
        self.blobs += blobs.len();
        if self.blobs >= BLOBS { self.save() } else { Ok(()) }
    }

    fn save(&mut self) -> Result<()> {
        if self.text.is_empty() {
            return Ok(());
        }
        json::end(&mut self.text);
        let text = std::mem::take(&mut self.text);
        self.blobs = 0;
        self.written.push(self.vault.write_file(FileKind::Index, &text)?);
        Ok(())
    }
}

//! What a prune would come to, worked out from [`Contents`] alone.

use std::collections::HashSet;

use super::contents::{Blob, Contents};
use super::decide::{Fate, PackUse, decide};
use super::index_files;
use super::layout::{NewPacks, Placed, extent, pieces};
use super::{PruneFigures, PruneOptions};
use crate::storage::FileKind;
use crate::vault::{BlobKind, Id, Result};

/// What a prune would come to, and which packs it would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    /// In figures. How many generations are kept is not known here: 0.
    pub figures: PruneFigures,
    /// The packs that go.
    pub leaving: Vec<Leaving>,
    /// The sizes of the packs that are written, bytes.
    pub new: Vec<u64>,
    /// The sizes of the packs that stay, bytes.
    pub staying: Vec<u64>,
}

/// A pack that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// Which.
    pub id: Id,
    /// Bytes of its file.
    pub size: u64,
    /// When it was written, seconds since 1970, where the storage knows.
    pub modified: Option<i64>,
    /// Whether a part of it is written anew before.
    pub repacked: bool,
}

/// A decision about every pack.
#[derive(Debug)]
pub(super) struct Decision {
    pub figures: PruneFigures,
    /// By number of the pack.
    pub fates: Vec<Fate>,
    /// Blobs in use of which another copy is kept, by number.
    pub other_copy: HashSet<usize>,
    /// The index files that tell of packs that go.
    pub old_index: Vec<Id>,
    /// Index files that tell of the new packs.
    pub new_index: u64,
    /// The sizes of these packs.
    new: Vec<u64>,
}

/// A blob that is copied.
struct Wanted {
    offset: u32,
    end: u32,
}

impl Placed for Wanted {
    fn offset(&self) -> u32 {
        self.offset
    }

    fn end(&self) -> u32 {
        self.end
    }
}

impl Contents {
    /// What a prune would come to if just the blobs of some classes were in use.
    ///
    /// Errors: a pack in use that is not there, or has another size than the index says.
    pub fn foresee(&self, used: &dyn Fn(u32) -> bool, options: &PruneOptions) -> Result<Foreseen> {
        let decision = self.decide(used, options)?;
        let mut foreseen = Foreseen {
            figures: decision.figures,
            leaving: Vec::new(),
            new: decision.new,
            staying: Vec::new(),
        };
        for (pack, fate) in self.packs.iter().zip(&decision.fates) {
            let Some(size) = pack.size else { continue };
            match fate {
                Fate::Keep => foreseen.staying.push(size),
                Fate::Repack | Fate::Delete => foreseen.leaving.push(Leaving {
                    id: pack.id,
                    size,
                    modified: pack.modified,
                    repacked: *fate == Fate::Repack,
                }),
            }
        }
        let unindexed = self.unindexed.iter().map(|pack| Leaving {
            id: pack.id,
            size: pack.size,
            modified: pack.modified,
            repacked: false,
        });
        foreseen.leaving.extend(unindexed);
        Ok(foreseen)
    }

    /// The sizes of all packs that are there, bytes.
    pub fn sizes(&self) -> impl Iterator<Item = u64> + '_ {
        let indexed = self.packs.iter().filter_map(|pack| pack.size);
        indexed.chain(self.unindexed.iter().map(|pack| pack.size))
    }

    /// Bytes that the blobs of some classes take, with their entries in the packs' headers, one copy of each: files' content,
    /// and folders.
    pub fn needed(&self, used: &dyn Fn(u32) -> bool) -> [u64; 2] {
        let mut needed = [0; 2];
        for share in self.shares.iter().filter(|share| used(share.class())) {
            needed[usize::from(share.trees())] += share.bytes;
        }
        for copies in self.copies.iter().filter(|copies| used(copies.class)) {
            let first = copies.places.first().and_then(|(_, blob)| self.blobs.get(*blob));
            needed[usize::from(copies.kind == BlobKind::Tree)] += first.map_or(0, Blob::stored);
        }
        needed
    }

    /// The packs that are there: bytes, and when each was written, seconds since 1970, where the storage knows.
    pub fn dated(&self) -> impl Iterator<Item = (u64, Option<i64>)> + '_ {
        let indexed = self.packs.iter().filter_map(|pack| Some((pack.size?, pack.modified)));
        indexed.chain(self.unindexed.iter().map(|pack| (pack.size, pack.modified)))
    }

    pub(super) fn decide(&self, used: &dyn Fn(u32) -> bool, options: &PruneOptions) -> Result<Decision> {
        let mut figures = PruneFigures {
            leftover_files: self.leftovers.files,
            leftover_bytes: self.leftovers.bytes,
            ..PruneFigures::default()
        };
        let (uses, other_copy) = self.weigh(used, &mut figures);
        self.look_at_files(&uses)?;
        let fates = decide(&uses, options, self.vault.version());
        let mut decision = Decision {
            figures,
            fates,
            other_copy,
            old_index: Vec::new(),
            new_index: 0,
            new: Vec::new(),
        };
        for (at, (pack, fate)) in uses.iter().zip(&decision.fates).enumerate() {
            count(&mut decision.figures, pack, *fate, self.packs[at].size.is_some());
        }
        for pack in &self.unindexed {
            decision.figures.packs_unindexed += 1;
            decision.figures.bytes_before += pack.size;
            decision.figures.bytes_deleted += pack.size;
            decision.figures.deletes += 1;
        }
        self.lay_out(used, options, &mut decision);
        self.count_index(&mut decision);
        decision.figures.sum_up();
        Ok(decision)
    }

    /// How much of each pack is used. Of used blobs that lie in several places one copy is kept: in the pack of which most
    /// is used anyway, so that the others may go; the numbers of the others are returned.
    fn weigh(&self, used: &dyn Fn(u32) -> bool, figures: &mut PruneFigures) -> (Vec<PackUse>, HashSet<usize>) {
        let mut uses: Vec<PackUse> = (0..self.packs.len())
            .map(|at| {
                let pack = &self.packs[at];
                let mut use_of = PackUse {
                    id: pack.id,
                    size: pack.size.unwrap_or(0),
                    used: 0,
                    unused: 0,
                    trees: pack.trees,
                    mixed: pack.trees && pack.data,
                    uncompressed: pack.uncompressed,
                };
                for share in self.shares_of(at) {
                    if used(share.class()) {
                        use_of.used += share.bytes;
                        figures.blobs_used += u64::from(share.blobs);
                        figures.trees += if share.trees() { u64::from(share.blobs) } else { 0 };
                    } else {
                        use_of.unused += share.bytes;
                        figures.blobs_unused += u64::from(share.blobs);
                    }
                }
                use_of
            })
            .collect();
        let mut other_copy = HashSet::new();
        let single: Vec<u64> = match self.copies.is_empty() {
            true => Vec::new(),
            false => uses.iter().map(|pack| pack.used).collect(),
        };
        for copies in &self.copies {
            let in_use = used(copies.class);
            figures.blobs_used += u64::from(in_use);
            figures.trees += u64::from(in_use && copies.kind == BlobKind::Tree);
            let weight = |(pack, _): &&(u32, usize)| (single[*pack as usize], *pack);
            // The first of the places that are as good.
            let best = copies.places.iter().rev().max_by_key(weight).filter(|_| in_use);
            for place in &copies.places {
                let (pack, blob) = (&mut uses[place.0 as usize], place.1);
                let bytes = self.blobs[blob].stored();
                if Some(place) == best {
                    pack.used += bytes;
                    continue;
                }
                pack.unused += bytes;
                figures.blobs_unused += 1;
                if in_use {
                    other_copy.insert(blob);
                }
            }
        }
        (uses, other_copy)
    }

    /// Whether packs in use are there as the index says.
    fn look_at_files(&self, uses: &[PackUse]) -> Result<()> {
        for (pack, _) in self.packs.iter().zip(uses).filter(|(_, pack)| pack.used > 0) {
            let what = match pack.size {
                Some(size) if size == pack.by_index => continue,
                Some(size) => format!("it has {size} bytes, but by the index it must have {}", pack.by_index),
                None => "the index tells of it, and generations need it, but it is not there".into(),
            };
            return Err(self.vault.damaged(FileKind::Pack, &pack.id, what));
        }
        Ok(())
    }

    /// Whether a blob, by its number, is copied when its pack is read.
    pub(super) fn keeps(&self, blob: usize, used: &dyn Fn(u32) -> bool, other_copy: &HashSet<usize>) -> bool {
        self.blobs
            .get(blob)
            .is_some_and(|known| used(known.class()) && !(known.copied() && other_copy.contains(&blob)))
    }

    /// How what is kept of packs is read and written.
    fn lay_out(&self, used: &dyn Fn(u32) -> bool, options: &PruneOptions, decision: &mut Decision) {
        let mut new = NewPacks::new(options.pack_size);
        let mut wanted: Vec<Wanted> = Vec::new();
        let figures = &mut decision.figures;
        for (at, fate) in decision.fates.iter().enumerate() {
            if *fate != Fate::Repack {
                continue;
            }
            wanted.clear();
            let mut offset = 0u32;
            for number in self.blobs_of(at) {
                let blob = &self.blobs[number];
                let end = offset.saturating_add(blob.length);
                if self.keeps(number, used, &decision.other_copy) {
                    wanted.push(Wanted { offset, end });
                    new.add(blob.kind(), blob.length, blob.compressed());
                    if !blob.compressed() && options.compresses(blob.kind(), self.vault.version()) {
                        figures.bytes_to_compress += blob.stored();
                    }
                }
                offset = end;
            }
            for piece in pieces(&wanted) {
                let (from, to) = extent(piece);
                figures.gets += 1;
                figures.bytes_read += u64::from(to.saturating_sub(from));
            }
        }
        new.finish();
        figures.packs_new = new.packs.len() as u64;
        figures.bytes_written = new.packs.iter().sum();
        figures.puts += figures.packs_new + new.index_files;
        decision.new_index = new.index_files;
        decision.new = new.packs;
    }

    /// Which index files are read, written anew and deleted.
    fn count_index(&self, decision: &mut Decision) {
        let mut leaving: Vec<Id> = Vec::new();
        for (pack, fate) in self.packs.iter().zip(&decision.fates) {
            if *fate != Fate::Keep {
                leaving.push(pack.id);
            }
        }
        let leaves = |id: &Id| leaving.binary_search(id).is_ok();
        let figures = &mut decision.figures;
        // Which generations and which index files there are is looked at before anything is done.
        figures.lists = 2;
        if leaving.is_empty() {
            return;
        }
        // Before the proof that nothing is lost the index is brought up to date.
        figures.lists += 1;
        let mut new = index_files::Counter::default();
        for file in &self.index_files {
            if file.packs.iter().any(|pack| leaves(&pack.id)) {
                let stay = file.packs.iter().filter(|pack| pack.blobs > 0 && !leaves(&pack.id));
                stay.for_each(|pack| _ = new.add(*pack));
                decision.old_index.push(file.id);
            }
        }
        figures.gets += decision.old_index.len() as u64;
        figures.puts += new.files();
        figures.deletes += decision.old_index.len() as u64;
    }
}

fn count(figures: &mut PruneFigures, pack: &PackUse, fate: Fate, there: bool) {
    figures.bytes_before += pack.size;
    figures.bytes_unused += pack.unused;
    match fate {
        Fate::Keep => {
            figures.packs_kept += 1;
            figures.bytes_left_unused += pack.unused;
        }
        Fate::Repack => {
            figures.packs_repacked += 1;
            figures.deletes += 1;
            figures.bytes_repacked += pack.size;
            figures.bytes_rewritten += pack.used;
        }
        Fate::Delete if !there => figures.packs_missing += 1,
        Fate::Delete => {
            figures.packs_deleted += 1;
            figures.deletes += 1;
            figures.bytes_deleted += pack.size;
        }
    }
}

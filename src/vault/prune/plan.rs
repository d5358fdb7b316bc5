//! What is done with each pack.

use std::collections::{HashMap, HashSet};

use super::used;
use super::{PruneFigures, PruneOptions};
use crate::progress::{Cancel, Progress};
use crate::storage::FileKind;
use crate::vault::index::BlobMarks;
use crate::vault::pack::{PackBlob, entry_size, pack_size};
use crate::vault::{BlobKind, Error, Id, IndexedVault, Result, Vault};

/// Packs below this part of the target size are small.
const SMALL: f64 = 0.8;
/// So many small packs of a kind are merged.
const MANY_SMALL: usize = 10;

/// What a prune would do. Made by [`PrunePlan::make`], done by [`PrunePlan::execute`].
#[derive(Debug)]
pub struct PrunePlan {
    pub(super) vault: IndexedVault,
    pub(super) options: PruneOptions,
    pub(super) figures: PruneFigures,
    /// Tells whether the vault is still as it was.
    pub(super) state: Id,
    pub(super) used: BlobMarks,
    /// Of blobs that lie in several packs: the pack whose copy is kept.
    pub(super) chosen: HashMap<(BlobKind, Id), Id>,
    /// Packs no index file tells of.
    pub(super) unindexed: Vec<Id>,
    /// Packs to be read, of which a part is kept.
    pub(super) repack: Vec<Id>,
    /// Packs that go: those that are read, and those of which nothing is used.
    pub(super) leaving: HashSet<Id>,
    /// Packs the index tells of that are not there, and of which nothing is used.
    pub(super) missing: HashSet<Id>,
}

/// A pack, as far as the decision needs it.
#[derive(Debug, Clone, Copy)]
struct Pack {
    id: Id,
    size: u64,
    /// Bytes of its used blobs with their entries, and of the others.
    used: u64,
    unused: u64,
    blobs: u32,
    blobs_unused: u32,
    trees: bool,
    mixed: bool,
    uncompressed: bool,
    there: bool,
}

/// What is done with a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Keep,
    Repack,
    Delete,
}

/// Bytes a blob takes in its pack.
fn stored(blob: &PackBlob) -> u64 {
    u64::from(blob.length) + entry_size(blob.uncompressed.is_some()) as u64
}

/// What tells a vault's state from another: which generations and which index files there are.
pub(super) fn state(vault: &Vault) -> Result<Id> {
    let mut bytes = Vec::new();
    for kind in [FileKind::Generation, FileKind::Index] {
        for id in vault.list_files(kind)? {
            bytes.extend_from_slice(&id.0);
        }
        bytes.push(0);
    }
    Ok(Id::of(&bytes))
}

impl PrunePlan {
    /// Looks at the whole vault and decides. Reads every unique tree; counts them into `progress` as files.
    ///
    /// Errors: a generation or a tree that cannot be read, a blob or a pack in use that is not there or has another size
    /// than the index says. The vault is then damaged, and nothing should be deleted: `coffer check` tells what it affects.
    pub fn make(
        vault: &IndexedVault,
        options: &PruneOptions,
        progress: &Progress,
        cancel: &Cancel,
    ) -> Result<PrunePlan> {
        progress.set_current(b"index");
        let state = state(vault.vault())?;
        vault.refresh(cancel)?;
        progress.set_current(b"generations");
        // From the vault itself, not from a cache: of one that cannot be read, what it holds would go.
        let generations = vault.vault().generations_stored()?;
        cancel.check()?;
        progress.set_current(b"folders");
        let used = used::find(vault, &generations, progress, cancel)?;
        progress.set_current(b"packs");
        let mut plan = PrunePlan {
            vault: vault.clone(),
            options: options.clone(),
            figures: PruneFigures {
                generations: generations.len() as u64,
                trees: used.trees,
                blobs_used: used.blobs,
                ..PruneFigures::default()
            },
            state,
            chosen: HashMap::new(),
            unindexed: Vec::new(),
            repack: Vec::new(),
            leaving: HashSet::new(),
            missing: HashSet::new(),
            used: used.marks,
        };
        let mut there = plan.list_packs()?;
        let packs = plan.weigh(&mut there, cancel)?;
        plan.unindexed = there.keys().copied().collect();
        plan.unindexed.sort_unstable();
        let unindexed: u64 = there.values().sum();
        plan.figures.packs_unindexed = there.len() as u64;
        plan.decide(&packs);
        let leftovers = vault.vault().storage().leftovers(false)?;
        let figures = &mut plan.figures;
        (figures.leftover_files, figures.leftover_bytes) = (leftovers.files, leftovers.bytes);
        figures.bytes_before += unindexed;
        figures.bytes_freed += unindexed;
        figures.bytes_after = figures.bytes_before - figures.bytes_freed;
        Ok(plan)
    }

    /// What it comes to.
    pub fn figures(&self) -> &PruneFigures {
        &self.figures
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.unindexed.is_empty()
            && self.leaving.is_empty()
            && self.missing.is_empty()
            && self.figures.leftover_files == 0
    }

    /// The packs that are there, with their sizes.
    fn list_packs(&self) -> Result<HashMap<Id, u64>> {
        let mut there = HashMap::new();
        let storage = self.vault.vault().storage();
        storage.list(FileKind::Pack, &mut |id, size| _ = there.insert(id, size))?;
        Ok(there)
    }

    /// Whether a blob of a pack is kept where it lies, or copied from there.
    pub(super) fn keeps(&self, pack: &Id, blob: &PackBlob) -> bool {
        self.used.contains(blob.kind, &blob.id)
            && self
                .chosen
                .get(&(blob.kind, blob.id))
                .is_none_or(|chosen| chosen == pack)
    }

    /// Weighs every pack the index tells of, and takes it out of those that are there; what is left no index tells of.
    fn weigh(&mut self, there: &mut HashMap<Id, u64>, cancel: &Cancel) -> Result<Vec<Pack>> {
        self.choose_copies(cancel)?;
        let mut packs = Vec::new();
        let index = self.vault.clone();
        index.index().for_each_pack(|id, blobs| {
            cancel.check()?;
            let mut pack = Pack {
                id: *id,
                size: 0,
                used: 0,
                unused: 0,
                blobs: 0,
                blobs_unused: 0,
                trees: false,
                mixed: false,
                uncompressed: false,
                there: true,
            };
            let (mut bytes, mut compressed, mut data) = (0u64, 0u64, false);
            for blob in blobs {
                bytes += u64::from(blob.length);
                compressed += u64::from(blob.uncompressed.is_some());
                pack.blobs += 1;
                pack.trees |= blob.kind == BlobKind::Tree;
                data |= blob.kind == BlobKind::Data;
                if self.keeps(id, blob) {
                    pack.used += stored(blob);
                } else {
                    pack.unused += stored(blob);
                    pack.blobs_unused += 1;
                }
            }
            pack.mixed = data && pack.trees;
            pack.uncompressed = compressed < blobs.len() as u64;
            pack.size = pack_size(bytes, blobs.len() as u64 - compressed, compressed);
            let needed = pack.used > 0;
            match there.remove(id) {
                Some(size) if size != pack.size && needed => {
                    let what = format!("it has {size} bytes, but by the index it must have {}", pack.size);
                    return Err(self.vault.vault().damaged(FileKind::Pack, id, what));
                }
                Some(size) => pack.size = size,
                None if needed => {
                    let what = "the index tells of it, and generations need it, but it is not there";
                    return Err(self.vault.vault().damaged(FileKind::Pack, id, what));
                }
                None => {
                    pack.there = false;
                    pack.size = 0;
                }
            }
            packs.push(pack);
            Ok::<(), Error>(())
        })?;
        Ok(packs)
    }

    /// Of used blobs that several packs hold, one copy is kept: in the pack of which most is used anyway, so that the
    /// others may go.
    fn choose_copies(&mut self, cancel: &Cancel) -> Result<()> {
        let mut copies: HashMap<(BlobKind, Id), Vec<Id>> = HashMap::new();
        let mut last: Option<(BlobKind, Id, Id)> = None;
        self.vault.index().for_each(&mut |kind, id, location| {
            if let Some((last_kind, last_id, pack)) = last
                && (last_kind, last_id) == (kind, id)
                && pack != location.pack
                && self.used.contains(kind, &id)
            {
                let places = copies.entry((kind, id)).or_insert_with(|| vec![pack]);
                if !places.contains(&location.pack) {
                    places.push(location.pack);
                }
            }
            last = Some((kind, id, location.pack));
        });
        if copies.is_empty() {
            return Ok(());
        }
        let places: HashSet<Id> = copies.values().flatten().copied().collect();
        let mut used_of: HashMap<Id, u64> = HashMap::new();
        self.vault.index().for_each_pack(|id, blobs| {
            cancel.check()?;
            if places.contains(id) {
                let single = blobs.iter().filter(|blob| {
                    self.used.contains(blob.kind, &blob.id) && !copies.contains_key(&(blob.kind, blob.id))
                });
                used_of.insert(*id, single.map(stored).sum());
            }
            Ok::<(), Error>(())
        })?;
        let best = |places: &Vec<Id>| {
            let weight = |id: &Id| (used_of.get(id).copied().unwrap_or(0), *id);
            places.iter().copied().max_by_key(weight)
        };
        self.chosen = copies
            .iter()
            .filter_map(|(blob, places)| Some((*blob, best(places)?)))
            .collect();
        Ok(())
    }

    /// Decides about every pack and sums up.
    fn decide(&mut self, packs: &[Pack]) {
        let mut fates: Vec<Fate> = packs
            .iter()
            .map(|pack| if pack.used == 0 { Fate::Delete } else { Fate::Keep })
            .collect();
        let mut budget = self.options.max_repack.unwrap_or(u64::MAX);
        let mut repack = |at: usize, fates: &mut Vec<Fate>| {
            if fates[at] == Fate::Keep && packs[at].size <= budget {
                budget -= packs[at].size;
                fates[at] = Fate::Repack;
            }
        };
        // Packs of trees cost little, and every reader caches them: no waste there.
        let version = self.vault.vault().version();
        for (at, pack) in packs.iter().enumerate() {
            let sorts = version > 1 && pack.mixed;
            let compresses = version > 1 && self.options.repack_uncompressed && pack.uncompressed;
            if (pack.trees && pack.unused > 0) || sorts || compresses {
                repack(at, &mut fates);
            }
        }
        let used: u64 = packs.iter().map(|pack| pack.used).sum();
        let limit = self.options.max_unused.limit(used);
        let kept = |fates: &[Fate]| -> u64 {
            let kept = packs.iter().zip(fates).filter(|(_, fate)| **fate == Fate::Keep);
            kept.map(|(pack, _)| pack.unused).sum()
        };
        let mut unused = kept(&fates);
        let mut wasteful: Vec<usize> = (0..packs.len())
            .filter(|at| fates[*at] == Fate::Keep && packs[*at].unused > 0)
            .collect();
        // Those that give back most for what is written first.
        wasteful.sort_by(|a, b| {
            let share = |at: usize| packs[at].unused as f64 / (packs[at].used + packs[at].unused) as f64;
            share(*b).total_cmp(&share(*a)).then(packs[*a].id.cmp(&packs[*b].id))
        });
        for at in wasteful {
            if unused <= limit {
                break;
            }
            repack(at, &mut fates);
            if fates[at] == Fate::Repack {
                unused -= packs[at].unused;
            }
        }
        for trees in [false, true] {
            let small: Vec<usize> = (0..packs.len())
                .filter(|at| {
                    let pack = &packs[*at];
                    let is_small = (pack.size as f64) < SMALL * f64::from(self.options.pack_size);
                    fates[*at] == Fate::Keep && pack.trees == trees && is_small
                })
                .collect();
            if small.len() >= MANY_SMALL {
                small.into_iter().for_each(|at| repack(at, &mut fates));
            }
        }
        for (pack, fate) in packs.iter().zip(fates) {
            self.count(pack, fate);
        }
        self.repack.sort_unstable();
    }

    fn count(&mut self, pack: &Pack, fate: Fate) {
        let figures = &mut self.figures;
        figures.bytes_before += pack.size;
        figures.bytes_unused += pack.unused;
        figures.blobs_unused += u64::from(pack.blobs_unused);
        match fate {
            Fate::Keep => {
                figures.packs_kept += 1;
                figures.bytes_left_unused += pack.unused;
            }
            Fate::Repack => {
                figures.packs_repacked += 1;
                figures.bytes_repacked += pack.size;
                figures.bytes_rewritten += pack.used;
                figures.bytes_freed += pack.size - pack.used.min(pack.size);
                self.repack.push(pack.id);
                self.leaving.insert(pack.id);
            }
            Fate::Delete if !pack.there => _ = self.missing.insert(pack.id),
            Fate::Delete => {
                figures.packs_deleted += 1;
                figures.bytes_freed += pack.size;
                self.leaving.insert(pack.id);
            }
        }
    }
}

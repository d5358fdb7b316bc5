//! What is done with each pack: a pure decision from what is used of it.

use super::PruneOptions;
use crate::vault::Id;

/// Packs below this part of the target size are small …
const VERY_SMALL: f64 = 0.04;
/// … or below this one, if asked to merge all small ones.
const SMALL: f64 = 0.8;
/// So many small packs of a kind are merged.
const MANY_SMALL: usize = 10;

/// A pack, as far as the decision needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackUse {
    pub id: Id,
    /// Bytes of its file.
    pub size: u64,
    /// Bytes of its used blobs with their entries.
    pub used: u64,
    /// Bytes of the others.
    pub unused: u64,
    /// Whether a tree is in it.
    pub trees: bool,
    /// Whether data is in it, too.
    pub mixed: bool,
    /// Whether anything in it is uncompressed.
    pub uncompressed: bool,
}

/// What is done with a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Keep,
    Repack,
    Delete,
}

/// Decides about packs, which come sorted by id, of a vault of this version.
pub(super) fn decide(packs: &[PackUse], options: &PruneOptions, version: u32) -> Vec<Fate> {
    let mut fates = Fates {
        packs,
        fates: packs
            .iter()
            .map(|pack| if pack.used == 0 { Fate::Delete } else { Fate::Keep })
            .collect(),
        budget: options.max_repack.unwrap_or(u64::MAX),
    };
    for (at, pack) in packs.iter().enumerate() {
        // Packs of trees cost little, and every reader caches them: no waste there.
        let wastes = pack.trees && pack.unused > 0;
        let sorts = version > 1 && pack.mixed;
        let compresses = version > 1 && pack.uncompressed && (pack.trees || options.repack_uncompressed);
        if wastes || sorts || compresses {
            fates.repack(at);
        }
    }
    fates.reduce_waste(options);
    fates.merge_small(options);
    fates.fates
}

struct Fates<'a> {
    packs: &'a [PackUse],
    fates: Vec<Fate>,
    /// Bytes of packs that may still be read.
    budget: u64,
}

impl Fates<'_> {
    fn kept(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.packs.len()).filter(|at| self.fates[*at] == Fate::Keep)
    }

    fn repack(&mut self, at: usize) {
        let size = self.packs[at].size;
        if self.fates[at] == Fate::Keep && size <= self.budget {
            self.budget -= size;
            self.fates[at] = Fate::Repack;
        }
    }

    /// Until no more is unused than may be.
    fn reduce_waste(&mut self, options: &PruneOptions) {
        let limit = options.max_unused.limit(self.packs.iter().map(|pack| pack.used).sum());
        let mut unused: u64 = self.kept().map(|at| self.packs[at].unused).sum();
        if unused <= limit {
            return;
        }
        let mut wasteful: Vec<usize> = self.kept().filter(|at| self.packs[*at].unused > 0).collect();
        // Those that give back most for what is written first.
        wasteful.sort_by(|a, b| {
            let (a, b) = (&self.packs[*a], &self.packs[*b]);
            let share = |one: &PackUse, other: &PackUse| u128::from(one.unused) * u128::from(other.used);
            share(b, a).cmp(&share(a, b)).then(a.id.cmp(&b.id))
        });
        for at in wasteful {
            if unused <= limit {
                break;
            }
            self.repack(at);
            if self.fates[at] == Fate::Repack {
                unused -= self.packs[at].unused;
            }
        }
    }

    /// Each kind for itself: that of one never makes a pack of the other larger.
    fn merge_small(&mut self, options: &PruneOptions) {
        let part = if options.repack_small { SMALL } else { VERY_SMALL };
        let limit = part * f64::from(options.pack_size);
        for trees in [false, true] {
            let small = |at: &usize| self.packs[*at].trees == trees && (self.packs[*at].size as f64) < limit;
            let small: Vec<usize> = self.kept().filter(small).collect();
            if small.len() >= MANY_SMALL {
                small.into_iter().for_each(|at| self.repack(at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::prune::MaxUnused;

    /// Packs of data with so many bytes used and unused.
    fn packs(uses: &[(u64, u64)]) -> Vec<PackUse> {
        let pack = |(n, (used, unused)): (usize, &(u64, u64))| PackUse {
            id: Id([n as u8; 32]),
            size: used + unused + 36,
            used: *used,
            unused: *unused,
            trees: false,
            mixed: false,
            uncompressed: false,
        };
        uses.iter().enumerate().map(pack).collect()
    }

    /// A letter a pack: kept, repacked, deleted.
    fn fates(packs: &[PackUse], options: &PruneOptions) -> String {
        let letter = |fate: &Fate| match fate {
            Fate::Keep => 'k',
            Fate::Repack => 'r',
            Fate::Delete => 'd',
        };
        decide(packs, options, 2).iter().map(letter).collect()
    }

    fn with(max_unused: MaxUnused) -> PruneOptions {
        PruneOptions {
            max_unused,
            ..PruneOptions::default()
        }
    }

    #[test]
    fn the_most_wasteful_go_first_until_the_limit_is_kept() {
        let mib = 1 << 20;
        let packs = packs(&[(10 * mib, 0), (9 * mib, mib), (5 * mib, 5 * mib), (0, 10 * mib)]);
        // 24 MiB are used: 5 % of what stays is 1.26 MiB.
        assert_eq!(fates(&packs, &with(MaxUnused::Percent(5.0))), "kkrd");
        assert_eq!(fates(&packs, &with(MaxUnused::Percent(0.0))), "krrd");
        assert_eq!(fates(&packs, &with(MaxUnused::Bytes(0))), "krrd");
        assert_eq!(fates(&packs, &with(MaxUnused::Bytes(mib))), "kkrd");
        assert_eq!(fates(&packs, &with(MaxUnused::Bytes(mib - 1))), "krrd");
        assert_eq!(fates(&packs, &with(MaxUnused::Bytes(6 * mib))), "kkkd");
        assert_eq!(fates(&packs, &with(MaxUnused::Unlimited)), "kkkd");
    }

    #[test]
    fn no_more_is_read_than_allowed() {
        let mib = 1 << 20;
        let packs = packs(&[(9 * mib, mib), (5 * mib, 5 * mib), (4 * mib, mib / 2), (0, mib)]);
        let limited = |max_repack| PruneOptions {
            max_repack: Some(max_repack),
            ..with(MaxUnused::Bytes(0))
        };
        assert_eq!(fates(&packs, &limited(0)), "kkkd");
        assert_eq!(
            fates(&packs, &limited(packs[1].size - 1)),
            "kkrd",
            "one that fits after one that does not"
        );
        assert_eq!(fates(&packs, &limited(packs[1].size)), "krkd");
        assert_eq!(fates(&packs, &limited(packs[1].size + packs[2].size)), "krrd");
    }

    #[test]
    fn trees_mixed_packs_and_what_can_be_compressed() {
        let mut all = packs(&[(9 << 20, 1), (9 << 20, 0), (9 << 20, 0), (9 << 20, 0), (9 << 20, 0)]);
        all[0].trees = true;
        (all[1].trees, all[1].mixed) = (true, true);
        (all[2].trees, all[2].uncompressed) = (true, true);
        all[3].uncompressed = true;
        all[4].trees = true;
        let unlimited = with(MaxUnused::Unlimited);
        assert_eq!(fates(&all, &unlimited), "rrrkk");
        let compress = PruneOptions {
            repack_uncompressed: true,
            ..unlimited.clone()
        };
        assert_eq!(fates(&all, &compress), "rrrrk");
        let old: Vec<bool> = decide(&all, &compress, 1)
            .iter()
            .map(|fate| *fate == Fate::Repack)
            .collect();
        assert_eq!(
            old,
            [true, false, false, false, false],
            "version 1 mixes, and compresses nothing"
        );
    }

    #[test]
    fn many_small_packs_of_a_kind_are_merged() {
        let small = |n, bytes| packs(&vec![(bytes, 0); n]);
        let default = PruneOptions::default();
        let more = PruneOptions {
            repack_small: true,
            ..PruneOptions::default()
        };
        assert_eq!(fates(&small(9, 600_000), &default), "kkkkkkkkk");
        assert_eq!(fates(&small(10, 600_000), &default), "rrrrrrrrrr");
        assert_eq!(fates(&small(10, 700_000), &default), "kkkkkkkkkk");
        assert_eq!(fates(&small(10, 13 << 20), &more), "kkkkkkkkkk");
        assert_eq!(fates(&small(10, 12 << 20), &more), "rrrrrrrrrr");
        let mut two_kinds = small(18, 1000);
        two_kinds[..9].iter_mut().for_each(|pack| pack.trees = true);
        assert_eq!(fates(&two_kinds, &more), "k".repeat(18));
    }
}

//! Which blobs a writer has taken on and the vault's index does not know yet.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::vault::{BlobKind, Id};

/// Enough that threads rarely meet at one.
const SHARDS: usize = 64;

/// What came of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// The caller has to store the blob.
    Yours,
    /// Another call has stored it or is about to.
    Taken,
    /// Claims were released since the epoch given: the index may know the blob now.
    AskAgain,
}

type Shard = HashSet<(BlobKind, Id), BuildHasherDefault<IdHasher>>;

/// The claims, in shards of their own locks.
#[derive(Debug)]
pub(super) struct Claims {
    shards: Vec<Mutex<Shard>>,
    epoch: AtomicU64,
}

impl Default for Claims {
    fn default() -> Claims {
        Claims {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            epoch: AtomicU64::new(0),
        }
    }
}

impl Claims {
    fn shard(&self, id: &Id) -> MutexGuard<'_, Shard> {
        // Another byte than the hash's, so that a shard's blobs spread over its table.
        let shard = &self.shards[id.0[31] as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Take it before asking the index.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Claims a blob that the index did not know when it was asked, after the epoch was taken.
    pub fn claim(&self, kind: BlobKind, id: &Id, epoch: u64) -> Claim {
        let mut shard = self.shard(id);
        if shard.contains(&(kind, *id)) {
            return Claim::Taken;
        }
        if self.epoch() != epoch {
            return Claim::AskAgain;
        }
        shard.insert((kind, *id));
        Claim::Yours
    }

    pub fn contains(&self, kind: BlobKind, id: &Id) -> bool {
        self.shard(id).contains(&(kind, *id))
    }

    /// Forgets blobs that the index knows by now.
    pub fn release(&self, blobs: impl Iterator<Item = (BlobKind, Id)>) {
        // Before any claim goes: whoever then finds a claim gone also finds another epoch.
        self.epoch.fetch_add(1, Ordering::AcqRel);
        for (kind, id) in blobs {
            self.shard(&id).remove(&(kind, id));
        }
    }

    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let count = |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).len();
        self.shards.iter().map(count).sum()
    }
}

/// Ids are hashes already: their first bytes will do.
#[derive(Debug, Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let first = bytes.first_chunk::<8>().map_or(0, |first| u64::from_le_bytes(*first));
        self.0 = self.0.rotate_left(7) ^ first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_two_claims_wins_and_kinds_differ() {
        let claims = Claims::default();
        let id = Id([7; 32]);
        assert_eq!(claims.claim(BlobKind::Data, &id, 0), Claim::Yours);
        assert_eq!(claims.claim(BlobKind::Data, &id, 0), Claim::Taken);
        assert_eq!(claims.claim(BlobKind::Tree, &id, 0), Claim::Yours);
        assert!(claims.contains(BlobKind::Tree, &id));
        claims.release([(BlobKind::Data, id)].into_iter());
        assert!(!claims.contains(BlobKind::Data, &id));
        assert_eq!(claims.claim(BlobKind::Data, &id, 0), Claim::AskAgain);
        assert_eq!(claims.claim(BlobKind::Data, &id, claims.epoch()), Claim::Yours);
        assert_eq!(claims.len(), 2);
    }
}

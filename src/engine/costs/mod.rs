//! What keeping costs, and what would be if something went: the answers behind screen 6 and `coffer cost`.
//!
//! How data passes: a [`Ground`] is everything about a vault that does not change from one question to the next (its
//! generations, their lifetimes, what lies in its packs, what its past tells of its future); it is made once and kept as long
//! as the vault is as it was. A rule or a choice becomes a `stay` (which generations stay, and why); `what_if` works out both
//! sides of it from the ground alone, in milliseconds, so that an answer follows each key; `bills` puts prices to them,
//! `outlook` the next twelve months. `lost` lists the file versions that would be gone, `glance` tells what needs no rule: the
//! share of each generation, the vaults as they are known without opening them; `snapshots` what snapshots cost, `snapshot_what_if`
//! what another policy would change of that; `breakdown` tells which plan and which folder makes a vault grow; `restoring` what a restore reads.
//!
//! Nothing here changes a vault. What a prune would do is worked out by [`crate::vault::prune`], which generations stay by
//! [`crate::retention`], money by [`crate::cost`].

mod bills;
pub mod breakdown;
mod glance;
mod ground;
mod lost;
mod outlook;
pub mod restoring;
mod snapshot_what_if;
pub mod snapshots;
mod stay;
mod what_if;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::kept::Kept;
use super::question::LostRow;
pub use ground::Ground;

/// For so long a vault is taken to be as it was when it was last looked at, unless something happens to it in this process.
const FRESH: Duration = Duration::from_secs(5);

/// Of how many vaults it is kept.
const GROUNDS: usize = 4;

/// What is known of vaults, and the long lists made of it.
#[derive(Debug, Default)]
pub(super) struct Costs {
    /// By place, the one used last at the end.
    grounds: Mutex<Vec<(String, Known)>>,
    /// File versions lost, by which vault in which state, and which generations stay.
    lost: Kept<lost::Key, LostRow, lost::KeptFolders>,
    /// What snapshots were found to take.
    sizes: snapshot_what_if::Sizes,
}

#[derive(Debug)]
struct Known {
    ground: Arc<Ground>,
    /// When the vault was last seen to be as the ground has it.
    seen: Option<Instant>,
}

impl Costs {
    /// The ground of a vault that was looked at a moment ago.
    fn fresh(&self, place: &str) -> Option<Arc<Ground>> {
        let grounds = self.grounds();
        let (_, known) = grounds.iter().find(|(of, _)| of == place)?;
        let fresh = known.seen.is_some_and(|seen| seen.elapsed() < FRESH);
        fresh.then(|| known.ground.clone())
    }

    /// The last one, however old.
    fn last(&self, place: &str) -> Option<Arc<Ground>> {
        let grounds = self.grounds();
        let (_, known) = grounds.iter().find(|(of, _)| of == place)?;
        Some(known.ground.clone())
    }

    fn put(&self, place: &str, ground: &Arc<Ground>) {
        let known = Known {
            ground: ground.clone(),
            seen: Some(Instant::now()),
        };
        let mut grounds = self.grounds();
        grounds.retain(|(of, _)| of != place);
        grounds.push((place.to_owned(), known));
        if grounds.len() > GROUNDS {
            grounds.remove(0);
        }
    }

    /// Something happened to the vault at this place: look at it before the next answer.
    pub(super) fn doubt(&self, place: &str) {
        let mut grounds = self.grounds();
        let known = grounds.iter_mut().filter(|(of, _)| of == place);
        known.for_each(|(_, known)| known.seen = None);
    }

    fn grounds(&self) -> MutexGuard<'_, Vec<(String, Known)>> {
        self.grounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What a policy that is another one would change: which snapshots go, what comes back at least, what is left.
//!
//! Which ones go is decided where policies are run ([`crate::snapshot::policy`]); here sizes and prices are put to it. To
//! size snapshots takes the system a while, so what was found is kept for as long as a target has the same ones: an answer
//! then follows each key.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::config::SnapshotPolicy;
use crate::cost::coverage::coverage;
use crate::engine::answers::Emit;
use crate::engine::question::{Answer, SnapshotCostRow, SnapshotFate, SnapshotList, SnapshotWhatIf, SnapshotsAt};
use crate::engine::{Engine, Result};
use crate::progress::Cancel;
use crate::snapshot::{MadeBy, Snapshot, SnapshotId, Target, kind_of};

/// Of how many targets sizes are kept.
const MOST: usize = 100;

/// The sized lists of targets, the one sized last at the end.
#[derive(Debug, Default)]
pub(super) struct Sizes(Mutex<Vec<SnapshotList>>);

impl Sizes {
    fn keep(&self, list: &SnapshotList) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.target != list.target);
        all.push(list.clone());
        if all.len() > MOST {
            all.remove(0);
        }
    }

    /// Puts the sizes that are known to a list of the same snapshots.
    fn recall(&self, list: &mut SnapshotList) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = all.iter().find(|one| one.target == list.target) else {
            return;
        };
        let ids = |list: &SnapshotList| {
            let ids = list.rows.iter().map(|row| row.snapshot.id.clone());
            ids.collect::<BTreeSet<SnapshotId>>()
        };
        if ids(known) != ids(list) {
            return;
        }
        for row in &mut list.rows {
            let same = known.rows.iter().find(|one| one.snapshot.id == row.snapshot.id);
            row.size = same.and_then(|one| one.size);
            row.monthly = same.and_then(|one| one.monthly);
        }
        list.notes.clone_from(&known.notes);
        list.sized = true;
    }
}

impl Engine {
    /// What the snapshots of each target cost: how many there are is told first, then what they take, target by target.
    pub(in crate::engine) fn answer_snapshot_costs(
        &self,
        cancel: &Cancel,
        emit: &Emit,
    ) -> Result<Vec<SnapshotCostRow>> {
        let (far, near): (Vec<Target>, Vec<Target>) = self
            .targets()
            .into_iter()
            .partition(|target| matches!(target, Target::Ebs(_)));
        let mut rows = Vec::new();
        let mut lists = Vec::new();
        // What is far away is asked last, so that nobody waits for it.
        for targets in [near, far] {
            for target in targets {
                cancel.check()?;
                let (row, list) = self.cost_row(&target)?;
                if let Some(row) = row {
                    rows.push(row);
                    lists.push(list);
                }
            }
            emit(Answer::SnapshotCosts(rows.clone()), false);
        }
        for (row, list) in rows.iter_mut().zip(&mut lists) {
            let Some(list) = list else { continue };
            self.size_snapshots(list, cancel)?;
            self.0.costs.sizes.keep(list);
            row.cost = self.snapshot_cost(list, &BTreeSet::new())?;
            row.sized = true;
        }
        Ok(rows)
    }

    /// A target that has snapshots, or whose snapshots cannot be listed.
    fn cost_row(&self, target: &Target) -> Result<(Option<SnapshotCostRow>, Option<SnapshotList>)> {
        let (list, problem) = match self.snapshot_list(target) {
            Ok(list) if list.rows.is_empty() => return Ok((None, None)),
            Ok(list) => (list, String::new()),
            Err(error) => {
                let nothing = SnapshotList {
                    target: target.clone(),
                    rows: Vec::new(),
                    sized: false,
                    notes: Vec::new(),
                };
                (nothing, error.to_string())
            }
        };
        let kind = list.rows.first().map(|row| row.snapshot.kind);
        let kind = kind.or_else(|| kind_of(target).ok());
        let row = SnapshotCostRow {
            target: target.clone(),
            policies: self.policies_on(target),
            cost: self.snapshot_cost(&list, &BTreeSet::new())?,
            sized: !problem.is_empty(),
            unpriced: kind.and_then(|kind| self.snapshots_unpriced(kind)).unwrap_or_default(),
            problem,
        };
        let listed = row.problem.is_empty().then_some(list);
        Ok((Some(row), listed))
    }

    /// What would be if a policy were this one; without sizes first where they are not known.
    pub(in crate::engine) fn answer_snapshot_what_if(
        &self,
        new: &SnapshotPolicy,
        cancel: &Cancel,
        emit: &Emit,
    ) -> Result<SnapshotWhatIf> {
        let mut lists = Vec::new();
        for target in self.targets_of(new)? {
            cancel.check()?;
            let mut list = self.snapshot_list(&target)?;
            self.0.costs.sizes.recall(&mut list);
            lists.push(list);
        }
        if lists.iter().any(|list| !list.sized) {
            let what = self.snapshot_what_if(new, &lists)?;
            emit(Answer::SnapshotWhatIf(Box::new(what)), false);
        }
        for list in lists.iter_mut().filter(|list| !list.sized) {
            self.size_snapshots(list, cancel)?;
            self.0.costs.sizes.keep(list);
        }
        self.snapshot_what_if(new, &lists)
    }

    /// What would be if a policy were this one, of the lists of its targets, sized or not.
    pub fn snapshot_what_if(&self, new: &SnapshotPolicy, lists: &[SnapshotList]) -> Result<SnapshotWhatIf> {
        let policies = self.policies_with(new);
        let mut what = SnapshotWhatIf {
            policy: new.name.clone(),
            fates: Vec::new(),
            sized: lists.iter().all(|list| list.sized),
            now: SnapshotsAt::default(),
            after: SnapshotsAt::default(),
            by_hand: 0,
            protected: 0,
            notes: Vec::new(),
        };
        let mut fates: Vec<(usize, SnapshotFate)> = Vec::new();
        for (series, list) in lists.iter().enumerate() {
            let snapshots: Vec<Snapshot> = list.rows.iter().map(|row| row.snapshot.clone()).collect();
            let now = self.fates(&list.target, &snapshots);
            let then = self.fates_with(&list.target, &snapshots, &policies);
            for ((row, now), then) in list.rows.iter().zip(now).zip(then) {
                let mut row = row.clone();
                row.fate = then.words;
                let by_policy = matches!(row.snapshot.made_by, MadeBy::Policy(_));
                what.by_hand += u64::from(!by_policy);
                what.protected += u64::from(by_policy && row.snapshot.protected);
                let fate = SnapshotFate {
                    row,
                    goes_now: now.goes,
                    goes: then.goes,
                };
                fates.push((series, fate));
            }
            for note in &list.notes {
                super::bills::note(&mut what.notes, note.clone());
            }
        }
        what.now = self.side(lists, &fates, |fate| fate.goes_now)?;
        what.after = self.side(lists, &fates, |fate| fate.goes)?;
        fates.sort_by_key(|(_, fate)| (fate.row.snapshot.taken.seconds, fate.row.snapshot.taken.nanos));
        what.fates = fates.into_iter().map(|(_, fate)| fate).collect();
        Ok(what)
    }

    /// What goes and what is left of some lists, whose places in order are the first numbers of the fates.
    fn side(
        &self,
        lists: &[SnapshotList],
        fates: &[(usize, SnapshotFate)],
        goes: impl Fn(&SnapshotFate) -> bool,
    ) -> Result<SnapshotsAt> {
        let mut side = SnapshotsAt::default();
        let mut all_priced = true;
        for (series, list) in lists.iter().enumerate() {
            let of_list = fates.iter().filter(|(of, fate)| *of == series && goes(fate));
            let going: BTreeSet<SnapshotId> = of_list.map(|(_, fate)| fate.row.snapshot.id.clone()).collect();
            if going.is_empty() {
                continue;
            }
            let cost = self.snapshot_cost(list, &going)?;
            side.go += cost.snapshots;
            side.freed = side.freed.saturating_add(cost.exclusive);
            side.unknown += cost.unknown;
            let sum = match (side.saved, cost.monthly) {
                (None, one) => one,
                (Some(sum), Some(one)) => sum.plus(one),
                (Some(_), None) => None,
            };
            all_priced &= sum.is_some();
            side.saved = sum.filter(|_| all_priced);
        }
        let staying = fates.iter().filter(|(_, fate)| !goes(fate));
        let left = coverage(staying.map(|(series, fate)| (*series, fate.row.snapshot.taken.seconds)));
        side.stay = left.generations;
        side.oldest = left.oldest;
        side.largest_gap = left.largest_gap;
        Ok(side)
    }
}

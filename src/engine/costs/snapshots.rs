//! What snapshots cost: each one's own bytes at the price that the config names for what keeps it.
//!
//! What several snapshots share comes back only when all of them go, and no system tells how much that is: sums over several
//! are therefore lower bounds, and are called so.

use std::collections::BTreeSet;

use super::bills::{self, Priced};
use crate::cost::Money;
use crate::engine::question::SnapshotList;
use crate::engine::{Engine, Error, Result};
use crate::snapshot::{Kind, SnapshotId, Target};

/// What the snapshots of a target cost, or some of them.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotCost {
    /// Of what.
    pub target: Target,
    /// How many.
    pub snapshots: u64,
    /// What would come back if each went alone, summed, bytes: at least this if all of these go.
    pub exclusive: u64,
    /// Of how many that is not known.
    pub unknown: u64,
    /// What that costs a month; `None` when no price is named, or no size is known.
    pub monthly: Option<Money>,
    /// The price, for people.
    pub price: Option<String>,
}

impl Engine {
    /// The price that the config names for snapshots of a kind.
    fn price_of_snapshots(&self, kind: Kind) -> Priced {
        let id = self.config().snapshot_prices.get(&kind).cloned();
        let word = kind.word();
        match id.map(|id| self.price(&id)) {
            Some(Ok(price)) => Priced {
                price: Some(price),
                problem: None,
            },
            Some(Err(error)) => Priced {
                price: None,
                problem: Some(format!("the price of {word} snapshots: {error}")),
            },
            None => Priced {
                price: None,
                problem: Some(format!(
                    "no price is named for {word} snapshots: {word} = \"ID\" below [snapshot-prices] in the config names one, \
                     coffer prices lists them"
                )),
            },
        }
    }

    /// Puts prices to snapshots that are sized. Says why when there is none but one is named.
    pub(in crate::engine) fn price_snapshots(&self, list: &mut SnapshotList) {
        let all = list.rows.iter().filter_map(|row| row.size?.exclusive).sum();
        for row in &mut list.rows {
            let priced = self.price_of_snapshots(row.snapshot.kind);
            let exclusive = row.size.and_then(|size| size.exclusive);
            row.monthly = exclusive.and_then(|bytes| bills::share(priced.price.as_ref(), all, bytes));
            let named = self.config().snapshot_prices.contains_key(&row.snapshot.kind);
            if let (true, Some(problem)) = (named, priced.problem) {
                bills::note(&mut list.notes, problem);
            }
        }
    }

    /// What the snapshots of a sized list cost, or only those of these ids. Errors when one of them is not there.
    pub fn snapshot_cost(&self, list: &SnapshotList, only: &BTreeSet<SnapshotId>) -> Result<SnapshotCost> {
        let known = |id: &&SnapshotId| list.rows.iter().any(|row| row.snapshot.id == **id);
        if let Some(stranger) = only.iter().find(|id| !known(id)) {
            return Err(Error::Usage(format!(
                "{stranger} is no snapshot of {}: coffer snapshot list shows them",
                list.target
            )));
        }
        let rows = list.rows.iter();
        let rows: Vec<_> = rows
            .filter(|row| only.is_empty() || only.contains(&row.snapshot.id))
            .collect();
        let sizes = rows.iter().filter_map(|row| row.size?.exclusive);
        let (known, exclusive) = sizes.fold((0, 0u64), |(n, sum), size| (n + 1, sum.saturating_add(size)));
        let price = rows
            .first()
            .and_then(|row| self.price_of_snapshots(row.snapshot.kind).price);
        let amounts: Option<Vec<Money>> = rows
            .iter()
            .filter(|row| row.size.is_some_and(|size| size.exclusive.is_some()))
            .map(|row| row.monthly)
            .collect();
        let sum = |amounts: Vec<Money>| {
            amounts.into_iter().try_fold(None, |sum: Option<Money>, one| match sum {
                None => Some(Some(one)),
                Some(sum) => sum.plus(one).map(Some),
            })
        };
        Ok(SnapshotCost {
            target: list.target.clone(),
            snapshots: rows.len() as u64,
            exclusive,
            unknown: rows.len() as u64 - known,
            monthly: amounts.and_then(sum).flatten(),
            price: price.as_ref().map(bills::price_words),
        })
    }

    /// Why snapshots of a kind have no price; `None` when they have one.
    pub fn snapshots_unpriced(&self, kind: Kind) -> Option<String> {
        self.price_of_snapshots(kind).problem
    }
}

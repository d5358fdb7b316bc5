//! What needs no rule: each generation's share, and the vaults as they are known without opening them.

use super::bills;
use super::ground::Ground;
use crate::cost::Sure;
use crate::cost::billing::Holding;
use crate::cost::projection::{Cohort, History, Series, past};
use crate::engine::answers::Emit;
use crate::engine::question::{Answer, GenerationCost, GenerationCosts, VaultCost};
use crate::engine::{Engine, OpenVault, Result};
use crate::lifetimes::Lifetimes;
use crate::progress::Cancel;

/// How many months of the past are told, the one that is now among them.
const TREND: usize = 13;

impl Engine {
    /// Answers if the vault was looked at a moment ago; else `None`.
    pub(in crate::engine) fn generation_costs_quickly(&self, vault: &str) -> Result<Option<Answer>> {
        let place = self.find(vault)?;
        let fresh = self.0.costs.fresh(&place.key());
        fresh.map(|ground| self.generation_costs_of(vault, &ground)).transpose()
    }

    pub(in crate::engine) fn generation_costs(
        &self,
        open: &OpenVault,
        vault: &str,
        cancel: &Cancel,
        emit: &Emit,
    ) -> Result<Answer> {
        let ground = self.ground_telling(open, cancel, emit)?;
        self.generation_costs_of(vault, &ground)
    }

    fn generation_costs_of(&self, vault: &str, ground: &Ground) -> Result<Answer> {
        let price = self.price_of(vault)?.price;
        let stored = ground.lifetimes.all().stored;
        let rows = ground.generations.iter().map(|generation| {
            let each = ground.each.get(&generation.id).copied().unwrap_or_default();
            GenerationCost {
                id: generation.id,
                exclusive: each.exclusive.stored,
                added: each.added.stored,
                monthly: bills::share(price.as_ref(), stored, each.exclusive.stored),
            }
        });
        Ok(Answer::GenerationCosts(GenerationCosts {
            vault: vault.to_owned(),
            rows: rows.collect(),
        }))
    }

    /// What each vault costs, from what is known without opening any.
    pub(in crate::engine) fn vault_costs(&self) -> Result<Vec<VaultCost>> {
        let mut costs = Vec::new();
        for row in self.vaults()? {
            let price = self.price_of(&row.name)?.price;
            let known = self.lifetimes_known(&row.location);
            let stored = row.stored.or_else(|| Some(known.as_ref()?.all().stored));
            let clients = known.as_ref().map(|known| {
                let mut hosts: Vec<&str> = known.generations().iter().map(|one| one.host).collect();
                hosts.sort_unstable();
                hosts.dedup();
                hosts.len() as u32
            });
            let bill = stored.and_then(|bytes| {
                let holding = Holding {
                    clients,
                    ..Holding::of(bytes)
                };
                bills::monthly(price.as_ref(), &holding, &mut Vec::new())
            });
            costs.push(VaultCost {
                trend: known.zip(stored).map_or_else(Vec::new, |(known, stored)| {
                    past(&history(&known, self.now().seconds), stored, TREND)
                }),
                vault: row.name,
                stored,
                price: price.as_ref().map(bills::price_words),
                monthly: bill.map(|bill| bill.total),
                sure: Sure::Estimated,
            });
        }
        Ok(costs)
    }
}

/// When what came, whatever the series.
fn history(lifetimes: &Lifetimes, now: i64) -> History {
    let mut series = Series {
        times: lifetimes.generations().iter().map(|made| made.time).collect(),
        cohorts: Vec::new(),
    };
    lifetimes.lives(|life| {
        series.cohorts.push(Cohort {
            born: life.first,
            last: life.last,
            bytes: life.sums.stored,
        });
    });
    History {
        now,
        series: vec![series],
    }
}

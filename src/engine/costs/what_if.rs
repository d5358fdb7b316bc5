//! Both sides of a change, from what is known already.

use std::collections::HashSet;
use std::time::Instant;

use super::ground::{Ground, Packs};
use super::outlook::Course;
use super::stay::Stay;
use super::{bills, stay};
use crate::cost::coverage::{Coverage, coverage};
use crate::cost::{Bill, Price, billing};
use crate::engine::answers::Emit;
use crate::engine::question::{Answer, Fate, StayRule, VaultAt, WhatIf, WhatIfAsked};
use crate::engine::{Engine, Error, OpenVault, Result};
use crate::lifetimes::{Reach, Sums};
use crate::progress::Cancel;
use crate::retention::Budget;
use crate::text::{bytes, count};
use crate::vault::prune::{Foreseen, PruneFigures, PruneOptions};
use crate::vault::{Generation, Id};

/// What is left of a vault under a rule, and what a prune makes of it.
pub(super) struct Left {
    pub(super) stay: Stay,
    pub(super) kept: HashSet<Id>,
    /// Which blobs are still needed.
    pub(super) reach: Reach,
    pub(super) freed: Sums,
}

impl Engine {
    /// Answers if the vault was looked at a moment ago; else `None`.
    pub(in crate::engine) fn what_if_quickly(&self, asked: &WhatIfAsked) -> Result<Option<Answer>> {
        let place = self.find(&asked.vault)?;
        let Some(ground) = self.0.costs.fresh(&place.key()) else {
            return Ok(None);
        };
        let Some(packs) = ground.packs() else { return Ok(None) };
        let answer = self.work_out(&ground, &packs, asked)?;
        Ok(Some(Answer::WhatIf(Box::new(answer))))
    }

    pub(in crate::engine) fn what_if_slowly(
        &self,
        open: &OpenVault,
        asked: &WhatIfAsked,
        cancel: &Cancel,
        emit: &Emit,
    ) -> Result<Answer> {
        let ground = self.ground_telling(open, cancel, emit)?;
        let packs = self.packs_of(open, &ground, cancel)?;
        Ok(Answer::WhatIf(Box::new(self.work_out(&ground, &packs, asked)?)))
    }

    /// What would be if.
    pub fn what_if(&self, open: &OpenVault, asked: &WhatIfAsked, cancel: &Cancel) -> Result<WhatIf> {
        let ground = self.ground(open, cancel)?;
        let packs = self.packs_of(open, &ground, cancel)?;
        self.work_out(&ground, &packs, asked)
    }

    /// Which generations stay under a rule or choice, and what is freed.
    pub(super) fn left(
        &self,
        ground: &Ground,
        packs: &Packs,
        asked: &WhatIfAsked,
        price: Option<&Price>,
    ) -> Result<Left> {
        let zone = &self.settings().zone;
        let mut fits = |kept: &HashSet<Id>, budget: &Budget| self.is_within(ground, packs, price, kept, budget);
        let stay = Stay::of(ground, &asked.rule, &asked.go, self.now(), zone, &mut fits)?;
        let kept: HashSet<Id> = stay.kept.keys().copied().collect();
        let set = ground.lifetimes.kept(&kept);
        Ok(Left {
            reach: ground.lifetimes.reach(&set)?,
            freed: ground.lifetimes.freed(&set),
            stay,
            kept,
        })
    }

    /// Whether what a prune leaves of a vault, if these generations stay, is within a budget: what [`retention::fit`] asks.
    ///
    /// [`retention::fit`]: crate::retention::fit
    pub fn fits(
        &self,
        open: &OpenVault,
        vault: &str,
        kept: &HashSet<Id>,
        budget: &Budget,
        cancel: &Cancel,
    ) -> Result<bool> {
        let ground = self.ground(open, cancel)?;
        let packs = self.packs_of(open, &ground, cancel)?;
        let price = self.price_of(vault)?.price;
        self.is_within(&ground, &packs, price.as_ref(), kept, budget)
    }

    fn is_within(
        &self,
        ground: &Ground,
        packs: &Packs,
        price: Option<&Price>,
        kept: &HashSet<Id>,
        budget: &Budget,
    ) -> Result<bool> {
        let reach = ground.lifetimes.reach(&ground.lifetimes.kept(kept))?;
        let foreseen = packs.foresee(&reach)?;
        match budget {
            Budget::Size(size) => Ok(foreseen.figures.bytes_after <= *size),
            Budget::Cost(money) => {
                let price = price.ok_or_else(|| {
                    Error::Usage("a budget of money needs the vault's price: name one (coffer prices list)".into())
                })?;
                let sizes = foreseen.staying.iter().chain(&foreseen.new).copied();
                let bill = billing::monthly(price, &bills::holding(sizes, ground.clients()));
                let bill = bill.map_err(|unknown| Error::Usage(unknown.to_string()))?;
                let over = bill.total.minus(*money).ok_or_else(|| {
                    Error::Usage(format!(
                        "the budget is in {}, but {} asks for {}",
                        money.currency, price.id, price.currency
                    ))
                })?;
                Ok(over.nanos <= 0)
            }
        }
    }

    fn work_out(&self, ground: &Ground, packs: &Packs, asked: &WhatIfAsked) -> Result<WhatIf> {
        let started = Instant::now();
        let priced = self.price_of(&asked.vault)?;
        let new_price = asked.price.as_deref().map(|id| self.price(id)).transpose()?;
        let price = priced.price.as_ref();
        let then = new_price.as_ref().or(price);
        let left = self.left(ground, packs, asked, then)?;
        let mut notes = left.stay.notes.clone();
        if price.is_none() && then.is_none() {
            notes.extend(priced.problem.clone());
        }
        let all = ground.lifetimes.reach(&ground.lifetimes.kept_all())?;
        let foreseen = packs.foresee(&left.reach).unwrap_or_else(|error| {
            notes.push(format!(
                "a prune would give nothing back as the vault is ({error}); what is freed is told as if it were given back"
            ));
            packs.as_if_given_back(left.freed.stored)
        });
        let now = self.now().seconds;
        let now_side = side(
            ground,
            packs,
            &all,
            |_| true,
            price,
            packs.contents.sizes().collect(),
            &mut notes,
        );
        let sizes = foreseen.staying.iter().chain(&foreseen.new).copied().collect();
        let stays = |generation: &Generation| left.kept.contains(&generation.id);
        let after_side = side(ground, packs, &left.reach, stays, then, sizes, &mut notes);
        let moves = new_price
            .as_ref()
            .filter(|new| price.is_none_or(|old| old.id != new.id));
        let one_off = match moves {
            Some(new) => bills::moving(price, new, packs, &foreseen, now, &mut notes),
            None => bills::pruning(price, &foreseen, now, packs.stored, &mut notes),
        };
        let saved = match (&now_side.monthly, &after_side.monthly) {
            (Some(now), Some(after)) => billing::saved(now, after),
            _ => None,
        };
        let paid = one_off.as_ref().zip(saved);
        let payback_months = paid.and_then(|(once, saved)| billing::payback_months(once.total, saved));
        if let (Some(price), None) = (price, moves) {
            let nothing = billing::nothing_saved(price, packs.stored, after_side.stored);
            notes.extend(nothing.filter(|_| saved.is_none_or(|saved| saved.nanos == 0)));
        }
        self.tell(ground, &left, &foreseen, &mut notes);
        let [now_course, after_course] = [
            Course {
                stored: now_side.stored,
                kept: &ground.generations.iter().map(|one| one.id).collect(),
                rule: &StayRule::All,
                every: None,
                price,
            },
            Course {
                stored: after_side.stored,
                kept: &left.kept,
                rule: &asked.rule,
                every: asked.every_hours.map(|hours| (hours * 3600.0).round() as i64),
                price: then,
            },
        ];
        let sides = started.elapsed();
        let projection = packs.outlook.project(&now_course, &after_course, &self.settings().zone);
        tracing::debug!(
            "worked a what-if out in {sides:?}, and in {:?} with the next year",
            started.elapsed()
        );
        Ok(WhatIf {
            fates: fates(ground, &left.stay),
            freed: left.freed,
            reclaimed: foreseen.figures.bytes_freed,
            rewritten: foreseen.figures.bytes_written,
            one_off,
            saved,
            payback_months,
            lost: (left.freed.versions, left.freed.version_bytes),
            projection,
            notes,
            now: now_side,
            after: after_side,
        })
    }

    /// What must be said beside the figures.
    fn tell(&self, ground: &Ground, left: &Left, foreseen: &Foreseen, notes: &mut Vec<String>) {
        let missing = ground.lifetimes.missing();
        if missing > 0 {
            bills::note(
                notes,
                format!(
                    "{} blobs are missing from the vault, so these figures are not exact: coffer check tells what that affects",
                    count(missing)
                ),
            );
        }
        let goes = ground.generations.len() > left.kept.len();
        let unused = foreseen.figures.bytes_freed.saturating_sub(left.freed.stored);
        if unused > 0 && (!goes || unused > left.freed.stored / 10) {
            bills::note(
                notes,
                format!("{} that nothing needs now already come back with it", bytes(unused)),
            );
        }
        let left_unused = foreseen.figures.bytes_left_unused;
        if goes && left_unused > 0 {
            let left_unused = bytes(left_unused);
            bills::note(
                notes,
                format!(
                    "{left_unused} that nothing needs stay: a prune rewrites no pack for so little (5 % may be unused)"
                ),
            );
        }
    }
}

impl Packs {
    /// Whether a class of blobs is still needed.
    fn reached(&self, reach: &Reach, class: u32) -> bool {
        // The first number stands for what no generation reaches.
        let class = (class as usize).checked_sub(1).and_then(|at| self.classes.get(at));
        class.is_some_and(|class| reach.has(*class))
    }

    /// What a prune makes of the packs when only this is needed.
    pub(super) fn foresee(&self, reach: &Reach) -> Result<Foreseen> {
        Ok(self
            .contents
            .foresee(&|class| self.reached(reach, class), &PruneOptions::default())?)
    }

    /// What is told of a damaged vault, which no prune touches.
    fn as_if_given_back(&self, freed: u64) -> Foreseen {
        let after = self.stored.saturating_sub(freed);
        Foreseen {
            figures: PruneFigures {
                bytes_before: self.stored,
                bytes_after: after,
                bytes_freed: freed,
                ..PruneFigures::default()
            },
            leaving: Vec::new(),
            new: Vec::new(),
            staying: vec![after],
        }
    }
}

/// A vault at one moment: `sizes` are those of its packs then.
fn side(
    ground: &Ground,
    packs: &Packs,
    reach: &Reach,
    stays: impl Fn(&Generation) -> bool,
    price: Option<&Price>,
    sizes: Vec<u64>,
    notes: &mut Vec<String>,
) -> VaultAt {
    let stored = sizes.iter().sum();
    let [data, folders] = packs.contents.needed(&|class| packs.reached(reach, class));
    let kept = ground
        .generations
        .iter()
        .zip(&ground.series)
        .filter(|(one, _)| stays(one));
    let covered: Coverage = coverage(kept.clone().map(|(one, series)| (*series, one.time.seconds)));
    let newest = kept.map(|(one, _)| one).next();
    let packs_count = sizes.len() as u64;
    let restore = newest.and_then(|newest| restore(ground, newest, price, stored, packs_count, notes));
    VaultAt {
        generations: covered.generations,
        stored,
        data,
        folders,
        unused: u64::saturating_sub(stored, data + folders),
        price: price.map(bills::price_words),
        monthly: bills::monthly(price, &bills::holding(sizes.into_iter(), ground.clients()), notes),
        oldest: covered.oldest,
        largest_gap: covered.largest_gap,
        restore,
    }
}

/// What restoring a generation whole costs, about: each folder is a read, content is read by the mebibyte, and from each pack
/// at least once. [`Engine::restore_cost`] tells it exactly, which takes a walk.
fn restore(
    ground: &Ground,
    generation: &Generation,
    price: Option<&Price>,
    stored: u64,
    packs: u64,
    notes: &mut Vec<String>,
) -> Option<Bill> {
    let needs = ground.lifetimes.stored(&ground.lifetimes.kept([&generation.id]));
    let content = needs.sealed.div_ceil(1 << 20).max(packs.min(needs.data_blobs));
    let reads = needs.tree_blobs + content;
    bills::restore(price, needs.sealed, reads, stored, notes)
}

fn fates(ground: &Ground, stay: &stay::Stay) -> Vec<Fate> {
    let fate = |generation: &Generation| {
        let each = ground.each.get(&generation.id).copied().unwrap_or_default();
        let reasons = stay.kept.get(&generation.id);
        Fate {
            id: generation.id,
            time: generation.time.seconds,
            host: generation.hostname.clone(),
            paths: generation.paths.clone(),
            stays: reasons.is_some(),
            reasons: reasons.cloned().unwrap_or_default(),
            exclusive: each.exclusive.stored,
            added: each.added.stored,
        }
    };
    ground.generations.iter().map(fate).collect()
}

//! Everything about a vault that does not change from one question to the next.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::outlook::Outlook;
use crate::engine::answers::Emit;
use crate::engine::question::Answer;
use crate::engine::{Engine, OpenVault, Result};
use crate::lifetimes::{self, Class, Each, Lifetimes};
use crate::progress::Cancel;
use crate::storage::FileKind;
use crate::vault::generation::{GroupBy, GroupKey};
use crate::vault::lock::LockKind;
use crate::vault::prune::Contents;
use crate::vault::{Generation, Id, Vault};

/// A vault as it was at one moment.
#[derive(Debug)]
pub struct Ground {
    /// Tells it from the vault at another moment.
    pub(super) state: Id,
    /// Newest first.
    pub(super) generations: Vec<Generation>,
    /// For each of them the number of its series: what shares host and paths.
    pub(super) series: Vec<usize>,
    /// What each series shares.
    pub(super) keys: Vec<GroupKey>,
    pub(super) lifetimes: Arc<Lifetimes>,
    /// What each generation holds alone, and what it added.
    pub(super) each: HashMap<Id, Each>,
    packs: Mutex<Option<Arc<Packs>>>,
}

/// What lies in a vault's packs, and what its past tells.
#[derive(Debug)]
pub(super) struct Packs {
    pub(super) contents: Contents,
    /// The classes of their blobs by number, from 1 on; 0 is for those that no generation reaches.
    pub(super) classes: Vec<Class>,
    /// Bytes of all packs.
    pub(super) stored: u64,
    pub(super) outlook: Outlook,
}

/// What tells a vault's state from another: which generations and which index files there are.
fn state(vault: &Vault) -> Result<Id> {
    let mut bytes = Vec::new();
    for kind in [FileKind::Generation, FileKind::Index] {
        for id in vault.list_files(kind)? {
            bytes.extend_from_slice(&id.0);
        }
        bytes.push(0);
    }
    Ok(Id::of(&bytes))
}

impl Ground {
    /// How many machines write to the vault.
    pub(super) fn clients(&self) -> u32 {
        let mut hosts: Vec<&str> = self.generations.iter().map(|one| one.hostname.as_str()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts.len() as u32
    }

    /// What lies in the packs, if that was read.
    pub(super) fn packs(&self) -> Option<Arc<Packs>> {
        self.packs.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Numbers for classes, in the order they are met.
#[derive(Default)]
struct Numbers {
    classes: Vec<Class>,
    known: HashMap<Class, u32>,
    failure: Option<lifetimes::Error>,
}

impl Numbers {
    fn number(&mut self, class: lifetimes::Result<Option<Class>>) -> u32 {
        match class {
            Ok(None) => 0,
            Ok(Some(class)) => *self.known.entry(class).or_insert_with(|| {
                self.classes.push(class);
                self.classes.len() as u32
            }),
            Err(error) => {
                self.failure.get_or_insert(error);
                0
            }
        }
    }
}

impl Engine {
    /// What is known of a vault, brought up to date. Tells on the way how far the trees are read, which the first time takes
    /// as long as reading all of them.
    pub fn ground(&self, open: &OpenVault, cancel: &Cancel) -> Result<Arc<Ground>> {
        self.ground_telling(open, cancel, &|_, _| {})
    }

    pub(super) fn ground_telling(&self, open: &OpenVault, cancel: &Cancel, emit: &Emit) -> Result<Arc<Ground>> {
        let place = open.place();
        if let Some(fresh) = self.0.costs.fresh(place) {
            return Ok(fresh);
        }
        // Before anything is read: what changes meanwhile is seen the next time.
        let state = state(open.vault())?;
        if let Some(last) = self.0.costs.last(place).filter(|last| last.state == state) {
            self.0.costs.put(place, &last);
            return Ok(last);
        }
        let lifetimes = self.lifetimes(open, cancel, &mut |done, of| {
            emit(Answer::Measuring { done, of }, false)
        })?;
        let generations = self.list(open, false)?;
        let mut keys: Vec<GroupKey> = Vec::new();
        let mut numbers: HashMap<GroupKey, usize> = HashMap::new();
        let mut series = Vec::with_capacity(generations.len());
        for generation in &generations {
            let key = GroupKey::of(generation, GroupBy::HOST_AND_PATHS);
            let number = *numbers.entry(key).or_insert_with_key(|key| {
                keys.push(key.clone());
                keys.len() - 1
            });
            series.push(number);
        }
        let all = lifetimes.kept(generations.iter().map(|one| &one.id));
        let ground = Arc::new(Ground {
            state,
            each: lifetimes.each(&all).into_iter().collect(),
            generations,
            series,
            keys,
            lifetimes,
            packs: Mutex::default(),
        });
        self.0.costs.put(place, &ground);
        Ok(ground)
    }

    /// The same, with what lies in the packs.
    pub(super) fn packs_of(&self, open: &OpenVault, ground: &Ground, cancel: &Cancel) -> Result<Arc<Packs>> {
        // Locked while they are read, so that two who ask do not read them twice.
        let mut known = ground.packs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(packs) = &*known {
            return Ok(packs.clone());
        }
        let lock = open.vault().lock(LockKind::Reading)?;
        let indexed = open.indexed(cancel)?;
        let numbers = RefCell::new(Numbers::default());
        let classify = |kind, id: &Id| numbers.borrow_mut().number(ground.lifetimes.class_of(kind, id));
        let contents = Contents::read(&indexed, &classify, cancel)?;
        drop(lock);
        let numbers = numbers.into_inner();
        if let Some(error) = numbers.failure {
            return Err(error.into());
        }
        let packs = Arc::new(Packs {
            stored: contents.sizes().sum(),
            contents,
            classes: numbers.classes,
            outlook: Outlook::of(ground, self.now()),
        });
        *known = Some(packs.clone());
        Ok(packs)
    }
}

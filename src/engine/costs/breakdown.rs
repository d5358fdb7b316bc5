//! Which plan, and which folder, makes a vault grow.

use std::collections::{BTreeMap, HashSet};

use super::Ground;
use super::bills;
use crate::cost::Money;
use crate::engine::question::TreePath;
use crate::engine::{Engine, OpenVault, Result};
use crate::lifetimes::Sums;
use crate::progress::Cancel;
use crate::query::{Scratch, TreeSource};
use crate::vault::Id;
use crate::vault::generation::GroupKey;

/// A month, for "lately": seconds.
const LATELY: i64 = 30 * 86_400;

/// What the generations of one host and set of paths take.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanShare {
    /// Host and paths.
    pub key: GroupKey,
    /// How many generations.
    pub generations: u64,
    /// When the newest was made, seconds since 1970.
    pub newest: i64,
    /// What they need, stored bytes.
    pub stored: u64,
    /// What they alone need.
    pub exclusive: u64,
    /// What those of the last 30 days brought that no older generation of the vault had.
    pub lately: u64,
    /// What would be saved a month without them, at the rate of the next byte; `None` when the price is not known.
    pub monthly: Option<Money>,
}

/// What lies in a folder and below, through all generations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderShare {
    /// Raw names from the root.
    pub path: TreePath,
    /// Stored bytes that the newest generations (of each host and set of paths) need for it.
    pub newest: u64,
    /// That all generations need for it.
    pub all: u64,
    /// That only older ones need for it: what it makes the vault grow by.
    pub old: u64,
}

impl Engine {
    /// What each host and set of paths takes, the largest first.
    pub fn plan_shares(&self, open: &OpenVault, vault: &str, cancel: &Cancel) -> Result<Vec<PlanShare>> {
        let ground = self.ground(open, cancel)?;
        let price = self.price_of(vault)?.price;
        let lifetimes = &ground.lifetimes;
        let lately = self.now().seconds - LATELY;
        let mut shares = Vec::new();
        for (number, key) in ground.keys.iter().enumerate() {
            let all = || ground.generations.iter().zip(&ground.series);
            let own: Vec<_> = all()
                .filter(|(_, series)| **series == number)
                .map(|(one, _)| one)
                .collect();
            let others = all().filter(|(_, series)| **series != number).map(|(one, _)| &one.id);
            let exclusive = lifetimes.freed(&lifetimes.kept(others)).stored;
            let young = own.iter().filter(|one| one.time.seconds > lately);
            let added = young.filter_map(|one| Some(ground.each.get(&one.id)?.added.stored));
            shares.push(PlanShare {
                key: key.clone(),
                generations: own.len() as u64,
                newest: own.first().map_or(0, |one| one.time.seconds),
                stored: lifetimes.stored(&lifetimes.kept(own.iter().map(|one| &one.id))).stored,
                exclusive,
                lately: added.sum(),
                monthly: bills::share(price.as_ref(), lifetimes.all().stored, exclusive),
            });
        }
        shares.sort_by(|a, b| b.stored.cmp(&a.stored).then_with(|| a.key.cmp(&b.key)));
        Ok(shares)
    }

    /// What each folder down to a depth takes, those that hold most of what only old generations need first. Folders that
    /// hold nothing but one folder are passed over and count for no depth. What two folders share counts in both.
    pub fn folder_shares(&self, open: &OpenVault, depth: usize, cancel: &Cancel) -> Result<Vec<FolderShare>> {
        let ground = self.ground(open, cancel)?;
        let source = open.browsed(cancel)?;
        let mut scratch = Scratch::default();
        let mut shares = Vec::new();
        let mut todo = vec![(TreePath::new(), roots(&ground), depth)];
        while let Some((path, trees, left)) = todo.pop() {
            let mut folders: BTreeMap<Vec<u8>, Trees> = BTreeMap::new();
            let mut others = false;
            for (tree, newest) in trees.all() {
                cancel.check()?;
                for node in source.read_tree(&tree, &mut scratch)?.nodes {
                    match node.subtree {
                        Some(subtree) => folders.entry(node.name).or_default().add(subtree, newest),
                        None => others = true,
                    }
                }
            }
            let passed = folders.len() == 1 && !others;
            if !passed {
                shares.push(share(&ground, path.clone(), &trees)?);
            }
            let left = match (passed, left) {
                (true, left) => left,
                (false, 0) => continue,
                (false, left) => left - 1,
            };
            for (name, trees) in folders {
                let mut path = path.clone();
                path.push(name);
                todo.push((path, trees, left));
            }
        }
        shares.sort_by(|a, b| {
            b.old
                .cmp(&a.old)
                .then(b.all.cmp(&a.all))
                .then_with(|| a.path.cmp(&b.path))
        });
        Ok(shares)
    }
}

/// The different trees of one folder.
#[derive(Debug, Default)]
struct Trees {
    /// In the newest generation of a series.
    newest: HashSet<Id>,
    /// In older ones.
    older: HashSet<Id>,
}

impl Trees {
    fn add(&mut self, tree: Id, newest: bool) {
        (if newest { &mut self.newest } else { &mut self.older }).insert(tree);
    }

    /// Each once, and whether it is in a newest one.
    fn all(&self) -> impl Iterator<Item = (Id, bool)> + '_ {
        let newest = self.newest.iter().map(|tree| (*tree, true));
        newest.chain(self.older.difference(&self.newest).map(|tree| (*tree, false)))
    }
}

fn roots(ground: &Ground) -> Trees {
    let mut roots = Trees::default();
    let mut seen = HashSet::new();
    for (generation, series) in ground.generations.iter().zip(&ground.series) {
        roots.add(generation.tree, seen.insert(*series));
    }
    roots
}

fn share(ground: &Ground, path: TreePath, trees: &Trees) -> Result<FolderShare> {
    let mut walk = ground.lifetimes.walk();
    let mut sums = [Sums::default(); 2];
    for (tree, newest) in trees.all() {
        sums[usize::from(!newest)] += walk.add(&tree)?.unwrap_or_default();
    }
    let [newest, old] = sums.map(|sums| sums.stored);
    Ok(FolderShare {
        path,
        newest,
        old,
        all: newest + old,
    })
}

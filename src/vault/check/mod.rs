//! Is a vault sound? Reads everything that leads to the data and, if asked, all data or a part of it.
//!
//! In this order: key files and index files (`listing`), the packs there are against those the index tells of (`listing`),
//! then every unique tree that a generation reaches, once (`trees`), then packs whole (`data`, chosen by `subset`). Every
//! step reports [`Finding`]s to one [`Report`] and goes on; only a vault that cannot be listed at all, a lost lock or a
//! cancellation ends it early. This sees more than restic's check: unsorted trees, names that are unsafe or there twice,
//! sizes that are not those of the content, headers that disagree with the index.
//!
//! Memory: a few bytes for each tree and each pack, and some megabytes a thread. Nothing is repaired here.

mod data;
mod finding;
mod listing;
mod subset;
#[cfg(test)]
mod tests;
mod trees;

pub use finding::{Finding, FindingKind, Report};
pub use subset::{BadSubset, DataSubset};

use super::crew::threads;
use super::lock::LockGuard;
use super::{IndexedVault, Result, Vault};
use crate::progress::{Cancel, Progress};

/// Checks a vault. The caller holds an exclusive lock (or none, if the vault is used without locks).
///
/// Progress counts trees as files, then packs; bytes are those of the packs read.
pub fn run(vault: &Vault, lock: &LockGuard, data: &DataSubset, progress: &Progress, cancel: &Cancel) -> Result<Report> {
    let report = finding::Collector::new(progress);
    progress.set_current(b"keys");
    listing::check_keys(vault, &report)?;
    progress.set_current(b"index");
    let packs = listing::check_packs(vault, &report, cancel)?;
    lock.check()?;

    let index = listing::load_index(vault, cancel)?;
    let vault = IndexedVault::with_index(vault.clone(), index);
    progress.set_current(b"trees");
    trees::check_trees(&vault, &report, progress, cancel)?;
    lock.check()?;

    let chosen = data.choose(&packs)?;
    progress.set_current(b"data");
    data::check_data(&vault, lock, &chosen, &report, progress, cancel)?;
    Ok(report.finish())
}

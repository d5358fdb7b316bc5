//! What lifetimes foretell is what restic counts, and what is in the vault once the others are gone.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use coffer::lifetimes::{self, Lifetimes, Sums};
use coffer::progress::{Cancel, Progress};
use coffer::storage::LocalStorage;
use coffer::vault::{Id, IndexedVault, Password, Vault};
use serde_json::Value;

use crate::edge::noise;
use crate::support::{Bench, PASSWORD, Restic, files};

/// Writes the source as it is at a step of its history: some files change, some come back, some are parts of others.
fn source_at(source: &Path, step: u64) {
    fs::create_dir_all(source.join("deep/er")).unwrap();
    for n in 0..10 {
        let age = step - step.min((n + step) % 5);
        fs::write(source.join(format!("file {n}")), noise(n * 1000 + age, 100_000)).unwrap();
    }
    // Grows: its first blobs stay, several of them at last.
    fs::write(source.join("deep/grows"), noise(7, 900_000 + 1_200_000 * step as usize)).unwrap();
    fs::write(source.join("deep/er/same"), noise(1, 2_000_000)).unwrap();
    fs::write(source.join("deep/er/now and then"), noise(step % 3, 50_000)).unwrap();
    fs::write(
        source.join("text"),
        "the same line again\n".repeat(40_000 + step as usize),
    )
    .unwrap();
    fs::write(source.join("empty"), "").unwrap();
}

fn indexed(vault: &Path) -> IndexedVault {
    let vault = Vault::open(Arc::new(LocalStorage::new(vault)), &Password::new(PASSWORD), None).unwrap();
    vault.indexed(&Cancel::default()).unwrap()
}

fn update(bench: &Bench, vault: &Path) -> Lifetimes {
    let indexed = indexed(vault);
    let generations = indexed.vault().generations().unwrap();
    let (progress, cancel) = (Progress::default(), Cancel::default());
    let folder = bench.path("lifetimes");
    let updated = lifetimes::update(
        &folder,
        indexed.vault().id(),
        &generations,
        &indexed,
        &progress,
        &cancel,
    );
    updated.unwrap().lifetimes
}

/// What restic says that some generations take.
fn restic_stats(bench: &Bench, vault: &Path, ids: &[Id]) -> (u64, u64, u64) {
    let mut arguments = vec!["stats".to_owned(), "--mode".into(), "raw-data".into(), "--json".into()];
    arguments.extend(ids.iter().map(ToString::to_string));
    let output = bench.restic(Restic::New, vault, &arguments);
    let stats: Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |name: &str| stats[name].as_u64().unwrap();
    // It counts the 32 bytes that sealing adds to each blob also where nothing is sealed yet.
    let count = number("total_blob_count");
    (
        number("total_size"),
        number("total_uncompressed_size") - 32 * count,
        count,
    )
}

fn figures(sums: &Sums) -> (u64, u64, u64) {
    (sums.sealed, sums.plain, sums.data_blobs + sums.tree_blobs)
}

#[test]
#[ignore = "needs restic 0.18 (tests/run)"]
fn what_is_foretold_is_what_restic_counts_and_what_is_left() {
    let bench = Bench::new();
    let vault = bench.coffer_vault("vault", &[]);
    let (one, other) = (bench.path("one"), bench.path("other"));
    for step in 0..6 {
        source_at(&one, step);
        bench.coffer_backup(&vault, &one, &[]);
        source_at(&other, step / 2);
        match step % 3 {
            0 => drop(bench.restic_backup(Restic::New, &vault, &other, &[])),
            1 => drop(bench.coffer_backup(&vault, &other, &[])),
            // Found out half-way, then brought up to date.
            _ => drop(update(&bench, &vault)),
        }
    }
    let lifetimes = update(&bench, &vault);
    assert_eq!(lifetimes.missing(), 0);
    let ids: Vec<Id> = lifetimes.generations().iter().map(|made| made.id).collect();
    assert_eq!(ids.len(), 10);
    for which in [0b11_1111_1111_u32, 1, 0b10_0101_0110, 0b01_1010_0001, 0b11_0000_0000] {
        let kept: Vec<Id> = ids
            .iter()
            .enumerate()
            .filter(|(n, _)| which >> n & 1 == 1)
            .map(|(_, id)| *id)
            .collect();
        let stored = lifetimes.stored(&lifetimes.kept(&kept));
        assert_eq!(figures(&stored), restic_stats(&bench, &vault, &kept), "{which:b}");
    }

    // Those of one half go for good.
    let goes: BTreeSet<Id> = ids.iter().step_by(2).copied().collect();
    let stay: Vec<Id> = ids.iter().filter(|id| !goes.contains(id)).copied().collect();
    let kept = lifetimes.kept(&stay);
    let (stored, freed) = (lifetimes.stored(&kept), lifetimes.freed(&kept));
    assert!(freed.stored > 0 && freed.versions > 0);
    let mut arguments = vec!["forget".to_owned(), "--vault".into(), vault.display().to_string()];
    arguments.extend(goes.iter().map(ToString::to_string));
    bench.coffer(&arguments);
    bench.coffer(&["prune", "--max-unused", "0", "--vault", vault.to_str().unwrap()]);
    let totals = indexed(&vault).index().totals();
    assert_eq!(totals.data.duplicates + totals.trees.duplicates, 0);
    let left = (
        totals.data.stored + totals.trees.stored,
        totals.data.plain + totals.trees.plain,
        totals.data.blobs + totals.trees.blobs,
    );
    assert_eq!(figures(&stored), left);
    let packs = files(&vault.join("data"));
    let bytes: u64 = packs.iter().map(|pack| fs::metadata(pack).unwrap().len()).sum();
    assert_eq!(bytes, stored.stored + 36 * packs.len() as u64, "to the byte");
    let after = update(&bench, &vault);
    assert_eq!((after.all(), after.generations().len()), (stored, stay.len()));
    bench.restic_check(Restic::New, &vault);
}

//! Searching a million entries over a thousand generations.

use std::ops::ControlFlow;
use std::time::Instant;

use coffer::catalog::{Catalog, Entry, Wanted};
use coffer::progress::Cancel;
use coffer::vault::{Generation, Id, NodeType};

use super::vaults::{NOW, at};

/// Groups of folders, folders in each, files in each of these: a million entries.
const SHAPE: (usize, usize, usize) = (100, 100, 100);
const GENERATIONS: usize = 1_000;
/// Folders in which something changes from one generation to the next.
const CHANGED: usize = 20;
/// What a list takes at most.
const MOST: usize = 200_000;

pub fn run() {
    let place = tempfile::tempdir().unwrap();
    let catalog = Catalog::open(place.path()).unwrap();
    let started = Instant::now();
    let entries = fill(&catalog);
    let bytes = std::fs::metadata(place.path().join("catalog.db")).map_or(0, |file| file.len());
    println!(
        "search: {} files in {} folders, {GENERATIONS} generations, {entries} entries of unique trees; the catalog has {} MB \
         and took {:.0} s",
        SHAPE.0 * SHAPE.1 * SHAPE.2,
        SHAPE.0 * SHAPE.1,
        bytes / 1_000_000,
        started.elapsed().as_secs_f64()
    );
    // Another process's first search.
    drop(catalog);
    let catalog = Catalog::open(place.path()).unwrap();
    let started = Instant::now();
    catalog.prepare_search().unwrap();
    println!("  made ready in {:.0} ms", started.elapsed().as_secs_f64() * 1000.0);
    for round in ["first", "again"] {
        for text in ["needle", "f0042-07", "*-99.csv", "/d77/f0", "csv"] {
            search(&catalog, round, text);
        }
    }
}

fn search(catalog: &Catalog, round: &str, text: &str) {
    let wanted = Wanted {
        text: text.into(),
        ..Wanted::default()
    };
    let started = Instant::now();
    let ms = || started.elapsed().as_secs_f64() * 1000.0;
    let (mut first, mut screen, mut found, mut held) = (None, None, 0usize, 0u64);
    let each = &mut |hit: coffer::catalog::Hit| {
        found += 1;
        held += hit.generations;
        if found == 1 {
            first = Some(ms());
        }
        if found == 60 {
            screen = Some(ms());
        }
        if found < MOST {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    };
    catalog.search(&wanted, &Cancel::default(), each).unwrap();
    let told = |at: Option<f64>| at.map_or("-".to_owned(), |at| format!("{at:.1} ms"));
    println!(
        "  {round} {text:<10} first row {:>10}, 60 rows {:>10}, all {found:>7} rows {:>8.0} ms, {held} occurrences",
        told(first),
        told(screen),
        ms()
    );
}

/// The first generation whole, then a thousand in each of which a few folders changed. Gives how many entries are stored.
fn fill(catalog: &Catalog) -> u64 {
    let (groups, folders, files) = SHAPE;
    let mut entries = 0u64;
    let mut number = 0u64;
    let mut store = |entries_of: Vec<Entry>| -> Id {
        number += 1;
        entries += entries_of.len() as u64;
        let id = Id::of(&number.to_le_bytes());
        PENDING.with_borrow_mut(|pending| {
            pending.push((id, entries_of));
            if pending.len() >= 256 {
                catalog.store_trees(pending).unwrap();
                pending.clear();
            }
        });
        id
    };
    let leaf = |group: usize, at: usize, version: usize| -> Vec<Entry> {
        let file = |n: usize| {
            let name = match (group, at, n) {
                (42, 42, 42) => "the needle.txt".to_owned(),
                _ => format!("f{:04}-{n:02}.csv", group * folders + at),
            };
            let size = if n == version % files { version } else { n } as u64;
            entry(name, NodeType::File, size, None)
        };
        (0..files).map(file).collect()
    };
    let mut trees: Vec<Vec<Id>> = Vec::new();
    for group in 0..groups {
        trees.push((0..folders).map(|at| store(leaf(group, at, 0))).collect());
    }
    let above = |names: char, ids: &[Id]| -> Vec<Entry> {
        let entries = ids.iter().enumerate();
        entries
            .map(|(n, id)| entry(format!("{names}{n:02}"), NodeType::Dir, 0, Some(*id)))
            .collect()
    };
    let mut tops: Vec<Id> = trees.iter().map(|ids| store(above('d', ids))).collect();
    let mut generations = Vec::new();
    let mut changes = 0usize;
    for n in 0..GENERATIONS {
        if n > 0 {
            for _ in 0..CHANGED {
                changes += 1;
                let (group, at) = (changes * 7 % groups, changes * 13 % folders);
                trees[group][at] = store(leaf(group, at, n));
                tops[group] = store(above('d', &trees[group]));
            }
        }
        let root = store(above('g', &tops));
        let generation: Generation = serde_json::from_value(serde_json::json!({
            "time": at(NOW - 3_600 * (GENERATIONS - n) as i64), "tree": root, "paths": ["/"], "hostname": "web1",
        }))
        .unwrap();
        generations.push(Generation {
            id: Id::of(format!("generation {n}").as_bytes()),
            ..generation
        });
    }
    PENDING.with_borrow_mut(|pending| {
        catalog.store_trees(pending).unwrap();
        pending.clear();
    });
    catalog
        .saw_vault("/srv/vault", "vault", Some("main"), NOW, None)
        .unwrap();
    catalog.store_generations("/srv/vault", &generations).unwrap();
    entries
}

thread_local! {
    static PENDING: std::cell::RefCell<Vec<(Id, Vec<Entry>)>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn entry(name: String, kind: NodeType, size: u64, subtree: Option<Id>) -> Entry {
    Entry {
        name: name.into_bytes(),
        kind,
        mode: 0o644,
        size,
        mtime: at(NOW - size as i64),
        uid: 0,
        gid: 0,
        subtree,
        link_target: Vec::new(),
        content: (kind == NodeType::File).then_some(size),
        below: None,
    }
}

//! Every parser of what lies in a vault, on valid input that was changed at random: the quick form of what `fuzz/` does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests, too")]

#[path = "../fuzz/checks.rs"]
mod checks;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// One change to some bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    Remove(Index, Index),
    Repeat(Index, Index),
    Insert(Index, Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let words = [
        "null",
        "[",
        "{",
        "\"",
        "\\u0000",
        "-1",
        "1e999",
        "18446744073709551616",
        "\\\\xff",
        ",",
        "\u{0}",
    ];
    let words = proptest::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, to)| Change::Set(at, to)),
        (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Remove(from, to)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
        (any::<Index>(), words).prop_map(|(at, word)| Change::Insert(at, word)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let at = |index: &Index| index.index(bytes.len() + 1);
    let range = |a: &Index, b: &Index| at(a).min(at(b))..at(a).max(at(b));
    match change {
        Change::Set(index, _) | Change::Flip(index, _) if at(index) == bytes.len() => {}
        Change::Set(index, to) => {
            let at = at(index);
            bytes[at] = *to;
        }
        Change::Flip(index, bit) => {
            let at = at(index);
            bytes[at] ^= 1 << bit;
        }
        Change::Cut(index) => bytes.truncate(at(index)),
        Change::Remove(a, b) => drop(bytes.drain(range(a, b))),
        Change::Repeat(a, b) => {
            let range = range(a, b);
            let copy = bytes[range.clone()].to_vec();
            bytes.splice(range.end..range.end, copy);
        }
        Change::Insert(index, word) => {
            let at = at(index);
            bytes.splice(at..at, word.iter().copied());
        }
    }
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let read = |entry: std::io::Result<fs::DirEntry>| fs::read(entry.unwrap().path()).unwrap();
    let seeds: Vec<Vec<u8>> = fs::read_dir(folder).unwrap().map(read).collect();
    assert!(!seeds.is_empty());
    seeds
}

/// Runs a check on the seeds as they are, then with up to four changes.
fn try_changed(name: &str, check: fn(&[u8])) {
    let seeds = seeds(name);
    seeds.iter().for_each(|seed| check(seed));
    let changes = (any::<Index>(), proptest::collection::vec(change(), 1..5));
    let config = ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let run = runner.run(&changes, |(seed, changes)| {
        let mut bytes = seeds[seed.index(seeds.len())].clone();
        changes.iter().for_each(|change| apply(&mut bytes, change));
        check(&bytes);
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

macro_rules! parsers {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            try_changed(stringify!($name), checks::$name);
        }
    )*};
}

parsers!(pack_header pack index_json tree_json generation_json config_json key_json lock_json time decompress);

/// The seeds are valid, or the tests above would change what nothing reads.
#[test]
fn seeds_are_accepted() {
    use coffer::vault::{Generation, Id, Time, Tree, config::Config, key::KeyFile, lock::Lock, pack::parse_header};
    for seed in seeds("tree_json") {
        Tree::decode(&seed).unwrap();
    }
    for seed in seeds("generation_json") {
        Generation::decode(Id::ZERO, &seed).unwrap();
    }
    for seed in seeds("config_json") {
        Config::decode(&seed).unwrap();
    }
    for seed in seeds("key_json") {
        KeyFile::decode(&seed).unwrap();
    }
    for seed in seeds("lock_json") {
        serde_json::from_slice::<Lock>(&seed).unwrap();
    }
    for seed in seeds("time") {
        let text = String::from_utf8(seed).unwrap();
        assert!(Time::parse(&text).is_some() || text.contains(":60"), "{text}");
    }
    for seed in seeds("pack_header") {
        let (size, header) = seed.split_first_chunk::<4>().unwrap();
        let size = u64::from(u32::from_le_bytes(*size)) + header.len() as u64 + 36;
        assert_eq!(parse_header(header, size).unwrap().len(), 4);
    }
}

//! Trying out a rule, carrying it out, and finding the space really back.

use super::*;
use crate::text::bytes;

/// Bytes that do not get smaller, other ones for each seed.
fn noise(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = String::with_capacity(300_000);
    while out.len() < 300_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.push_str(&format!("{state:016x}"));
    }
    out
}

/// Bytes of all packs that are really there.
fn packs(journey: &Journey) -> u64 {
    let folders = std::fs::read_dir(journey.path("vault/data")).unwrap();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

/// The cells of a row of the table: now, after, the difference.
fn row(journey: &Journey, label: &str) -> Vec<String> {
    let screen = journey.screen();
    // The chart above has the same word in its legend.
    let line = screen.lines().rev().find_map(|line| {
        let (_, right) = line.split_once('│')?;
        right.trim_start().strip_prefix(label).map(str::to_owned)
    });
    let line = line.unwrap_or_else(|| panic!("no row {label}:\n{screen}"));
    let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
    cells.take(3).map(str::to_owned).collect()
}

#[test]
fn a_rule_is_tried_out_and_its_space_really_comes_back() {
    let mut journey = Journey::new();
    for day in [0, 40, 80] {
        journey.write("files/noise.txt", &noise(day));
        journey.run_plan();
        journey.days(40);
    }
    journey.open(120, 40);
    journey.keys("6");
    journey.sees("Rule of home, plan files");
    journey.sees("Generations that go: 0 of 3");
    assert_eq!(
        row(&journey, "stored")[0],
        bytes(packs(&journey)),
        "what is there is told"
    );
    journey.keys("Enter Ctrl-u");
    journey.text("60");
    journey.keys("Enter");
    journey.sees("Generations that go: 2 of 3");
    journey.sees("Lost for ever: 2 versions");
    let foreseen = row(&journey, "stored")[1].clone();
    assert_ne!(foreseen, bytes(packs(&journey)));
    // What is lost is shown by name, and can be gone to.
    journey.keys("Shift-Tab");
    journey.sees("files/noise.txt");
    journey.sees("✓ another");
    journey.keys("w y");
    journey.text("home");
    journey.keys("Enter");
    journey.sees("Save the rule in files?");
    journey.keys("y");
    assert!(journey.read("config.toml").contains("retention-days = 60"));
    assert_eq!(bytes(packs(&journey)), foreseen, "as much as was said");
    journey.sees("Generations that go: 0 of 1");
    journey.sees("No file version is lost");
}

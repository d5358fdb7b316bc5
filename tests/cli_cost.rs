//! `coffer cost` as a user meets it: the real program on small vaults, what it prints and what comes true.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail as tests do"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder with a config that names the vault `home` and its price, and a folder that is backed up.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// Eight generations, a day apart: a file that stays, one that changes, one that was there only once.
    fn new() -> Bench {
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
        };
        let (vault, source) = (bench.path("vault"), bench.path("source"));
        fs::create_dir_all(source.join("logs")).unwrap();
        fs::write(source.join("stays"), noise(1, 50_000)).unwrap();
        fs::write(
            bench.path("config.toml"),
            format!(
                "[vaults.home]\npath = '{}'\nprice = 'aws-s3-standard-us-east-1'\n",
                vault.display()
            ),
        )
        .unwrap();
        bench.good(&["init", "--vault", "home", "--scrypt-n", "1024"]);
        for day in 1..=8 {
            fs::write(source.join("logs/today"), noise(100 + day, 20_000)).unwrap();
            let once = source.join(format!("once-{day}"));
            fs::write(&once, noise(200 + day, 3_000)).unwrap();
            let time = format!("2026-03-0{day} 12:00:00");
            bench.good(&["backup", "--vault", "home", "source", "--time", &time]);
            fs::remove_file(once).unwrap();
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("TZ", "UTC")
            .env("COFFER_CONFIG", self.path("config.toml"))
            .env("COFFER_CACHE_DIR", self.path("cache"))
            .env("COFFER_DATA_DIR", self.path("data"))
            .env("COFFER_PASSWORD", "a password for tests")
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    /// Runs; must succeed. Standard output.
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "coffer {arguments:?}: {out}{err}");
        out.into_owned()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        serde_json::from_str(&self.good(&all)).unwrap()
    }

    /// Runs; must end with this code. Standard error.
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "coffer {arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Bytes of all packs.
    fn packs(&self) -> u64 {
        fn sum(folder: &Path) -> u64 {
            let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
            let size = |entry: fs::DirEntry| match entry.file_type().unwrap().is_dir() {
                true => sum(&entry.path()),
                false => entry.metadata().unwrap().len(),
            };
            entries.map(size).sum()
        }
        sum(&self.path("vault/data"))
    }
}

/// Bytes that no compression makes smaller.
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed).wrapping_mul(2_862_933_555_777_941_757) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn a_what_if_tells_what_comes_true() {
    let bench = Bench::new();
    let before = bench.packs();
    let found = bench.json(&["cost", "what-if", "--vault", "home", "--keep-last", "2"]);
    for key in [
        "freed_bytes",
        "reclaimed_bytes",
        "stored_before",
        "stored_after",
        "monthly_before",
        "monthly_after",
        "one_off",
        "payback_months",
        "generations_removed",
        "versions_lost",
    ] {
        assert!(found[key].is_number(), "{key}: {}", found[key]);
    }
    assert_eq!(
        (&found["generations_removed"], &found["stored_before"]),
        (&6.into(), &before.into())
    );
    // Of six days each: what the file of that day and the one that was there only once held.
    assert_eq!(found["versions_lost"], 12);
    assert_eq!(found["versions_lost_bytes"], 6 * (20_000 + 3_000));
    // 0.023 USD for 2^30 bytes a month.
    let monthly = before as f64 * 0.023 / f64::from(1 << 30);
    assert!(
        (found["monthly_before"].as_f64().unwrap() - monthly).abs() < 2e-9,
        "{found}"
    );
    bench.good(&["forget", "--vault", "home", "--keep-last", "2", "--prune"]);
    assert_eq!(found["stored_after"], bench.packs());
    assert_eq!(found["reclaimed_bytes"], before - bench.packs());
    let after = bench.json(&["cost", "--vault", "home"]);
    assert_eq!(after["stored_bytes"], bench.packs());
    assert_eq!(after["generations"].as_array().unwrap().len(), 2);
}

#[test]
fn choices_prices_and_schedules_are_asked_for_by_hand() {
    let bench = Bench::new();
    let ids: Vec<String> = bench
        .json(&["generations", "--vault", "home"])
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    let found = bench.json(&["cost", "what-if", "--vault", "home", "--remove", &ids[0], &ids[1][..10]]);
    assert!(found["lost"].is_null());
    let listed = bench.json(&["cost", "what-if", "--vault", "home", "--keep-last", "2", "--lost"]);
    let lost = listed["lost"].as_array().unwrap();
    assert_eq!(lost.len(), 12);
    let today = lost
        .iter()
        .filter(|row| row["path"].as_str().unwrap().ends_with("/source/logs/today"));
    assert_eq!(today.filter(|row| row["other_version_kept"] == true).count(), 6);
    let mut removed: Vec<&str> = found["removed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap())
        .collect();
    removed.sort_unstable();
    let mut expected = vec![ids[0].as_str(), ids[1].as_str()];
    expected.sort_unstable();
    assert_eq!(removed, expected);
    let moved = bench.json(&["cost", "what-if", "--vault", "home", "--price", "backblaze-b2"]);
    assert_eq!(moved["generations_removed"], 0);
    assert_ne!(moved["before"]["price"], moved["after"]["price"]);
    let text = bench.good(&["cost", "what-if", "--vault", "home", "--keep-last", "1", "--every", "6"]);
    for words in ["stored", "largest gap", "lost for ever: 14 versions", "Goes"] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    for (code, arguments, words) in [
        (2, &["--price", "no-such-price"][..], "no-such-price"),
        (2, &["--every", "0.5"], "number of hours"),
        (2, &["--remove", "latest"], "no id"),
    ] {
        let mut all = vec!["cost", "what-if", "--vault", "home"];
        all.extend(arguments);
        let told = bench.fails(code, &all);
        assert!(told.contains(words), "{told}");
    }
    // A vault without a price says how to name one, and everything else is told all the same.
    let config = fs::read_to_string(bench.path("config.toml")).unwrap();
    fs::write(bench.path("config.toml"), config.replace("price", "# price")).unwrap();
    let unknown = bench.json(&["cost", "what-if", "--vault", "home", "--keep-last", "1"]);
    assert!(unknown["monthly_before"].is_null() && unknown["freed_bytes"].as_u64().unwrap() > 0);
    assert!(unknown["notes"].to_string().contains("names no price"), "{unknown}");
}

#[test]
fn budgets_are_kept_by_forget_and_prune() {
    let bench = Bench::new();
    let budget = (bench.packs() * 2 / 3).to_string();
    let found = bench.json(&["cost", "what-if", "--vault", "home", "--fit-size", &budget]);
    let gone = found["generations_removed"].as_u64().unwrap();
    assert!((1..8).contains(&gone), "{found}");
    let told = bench.fails(1, &["forget", "--vault", "home", "--fit-size", "1K"]);
    assert!(told.contains("nothing was deleted"), "{told}");
    bench.good(&["forget", "--vault", "home", "--fit-size", &budget, "--prune"]);
    assert_eq!(found["stored_after"], bench.packs());
    assert!(bench.packs() <= budget.parse().unwrap());
    let left = bench.json(&["generations", "--vault", "home"]);
    assert_eq!(left.as_array().unwrap().len() as u64, 8 - gone);
    // In money: a hundredth of a cent holds a few megabytes.
    let kept = bench.json(&["forget", "--vault", "home", "--fit-cost", "0.01 USD", "--dry-run"]);
    assert_eq!(kept[0]["remove"].as_array().unwrap().len(), 0, "{kept}");
    let told = bench.fails(2, &["forget", "--vault", "home", "--fit-cost", "1 EUR", "--dry-run"]);
    assert!(told.contains("EUR"), "{told}");
}

#[test]
fn breakdowns_and_restores() {
    let bench = Bench::new();
    let text = bench.good(&["cost", "--vault", "home"]);
    assert!(text.contains("a month") && text.contains("stored"), "{text}");
    let plans = bench.json(&["cost", "--vault", "home", "--by", "plan"]);
    assert_eq!(
        (plans.as_array().unwrap().len(), &plans[0]["generations"]),
        (1, &8.into())
    );
    let folders = bench.json(&["cost", "--vault", "home", "--by", "path", "--depth", "30"]);
    let logs = folders
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["path"].as_str().unwrap().ends_with("/source/logs"));
    let logs = logs.unwrap();
    // Seven days of logs are only in old generations, one is in the newest.
    assert!(logs["old_only_bytes"].as_u64().unwrap() > 7 * 20_000, "{logs}");
    assert!(logs["newest_bytes"].as_u64().unwrap() < 2 * 20_000, "{logs}");
    let whole = bench.json(&["cost", "restore", "--vault", "home", "latest"]);
    assert_eq!((&whole["files"], &whole["content_bytes"]), (&3.into(), &73_000.into()));
    assert!(whole["cost"].as_f64().unwrap() > 0.0, "{whole}");
    let part = bench.json(&["cost", "restore", "--vault", "home", "latest:/source/logs"]);
    assert_eq!((&part["files"], &part["content_bytes"]), (&1.into(), &20_000.into()));
    assert!(
        bench
            .good(&["cost", "restore", "--vault", "home", "latest"])
            .contains("to fetch")
    );
}

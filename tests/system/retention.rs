//! Rules: what stays by them, and why, is what restic says of the same generations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coffer::storage::LocalStorage;
use coffer::vault::time::Zone;
use coffer::vault::{Generation, Id, Password, Vault};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::support::{Bench, PASSWORD, Restic, both};

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len() as u64) as usize]
    }
}

/// Zones with and without changes of the clocks, by an hour and by half of one, on both halves of the earth.
const ZONES: [&str; 10] = [
    "Europe/Berlin",
    "UTC",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/London",
    "America/Santiago",
    "Africa/Casablanca",
    "Pacific/Auckland",
    "Europe/Berlin",
];

fn zone(name: &str) -> Zone {
    Zone::new(TimeZone::get(name).unwrap())
}

/// Moments of a history, all different (restic leaves the order of equal ones to chance), some in the same second, some in the
/// future. In half of the histories the newest that is not lies some months after a change of the clocks, so that a span of
/// months reaches back to that change; there is one every 17 minutes around it.
fn moments(dice: &mut Dice, zone_name: &str, now: i64) -> BTreeSet<(i64, u32)> {
    let mut moments = BTreeSet::new();
    let mut at = now - 3600;
    let zone = TimeZone::get(zone_name).unwrap();
    let before = Timestamp::from_second(now - 130 * 86_400).unwrap();
    if let Some(change) = zone.preceding(before).next().filter(|_| dice.one_in(2)) {
        let change = change.timestamp();
        let months = jiff::Span::new().months(1 + dice.below(3) as i64);
        let after = change.to_zoned(zone.clone()).checked_add(months).unwrap();
        at = after.timestamp().as_second() + dice.below(7200) as i64 - 3600;
        moments.extend((-12..12).map(|n| (change.as_second() + n * 1020, 0)));
        // One for each group, so that it is the newest of most.
        moments.extend((1..10).map(|nanos| (at, nanos)));
    }
    for _ in 0..15 + dice.below(60) {
        at -= match dice.below(6) {
            0 => 0,
            1 => 1 + dice.below(600),
            2 => 3600 * (1 + dice.below(5)),
            3 => 43_200 + dice.below(86_400),
            4 => 86_400 * (1 + dice.below(10)),
            _ => 86_400 * (20 + dice.below(50)),
        } as i64;
        moments.insert((at, dice.below(3) as u32 * 333_333_333));
    }
    for _ in 0..dice.below(3) {
        moments.insert((now + 3600 + dice.below(400 * 86_400) as i64, 0));
    }
    moments
}

/// Writes a history into a vault. Most of it was made in the zone that the programs run under.
fn write_history(dice: &mut Dice, vault: &Path, zone_name: &str, now: i64) {
    let opened = Vault::open(Arc::new(LocalStorage::new(vault)), &Password::new(PASSWORD), None).unwrap();
    let home = zone(zone_name);
    let elsewhere = [zone("Asia/Tokyo"), zone("America/St_Johns"), Zone::utc()];
    let hosts = 1 + dice.below(3);
    let few = ["a", "b", "x y", "é"];
    for (seconds, nanos) in moments(dice, zone_name, now) {
        let zone = if dice.one_in(6) {
            &elsewhere[dice.below(3) as usize]
        } else {
            &home
        };
        let tags: Vec<String> = (0..dice.below(3)).map(|_| dice.of(&few).to_owned()).collect();
        let paths: &[&str] = match dice.below(3) {
            0 => &["/srv", "/etc"],
            1 => &["/etc", "/srv"],
            _ => &["/home"],
        };
        let generation = Generation {
            id: Id::ZERO,
            time: zone.time(seconds, nanos),
            parent: None,
            tree: Id::of(&seconds.to_le_bytes()),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            hostname: format!("h{}", dice.below(hosts)),
            username: "u".into(),
            uid: 0,
            gid: 0,
            excludes: Vec::new(),
            tags,
            original: None,
            program_version: String::new(),
            summary: None,
            unknown: serde_json::Map::new(),
        };
        opened.save_generation(&generation).unwrap();
    }
}

/// A rule as both command lines take it.
fn rule(dice: &mut Dice) -> Vec<String> {
    let mut words = Vec::new();
    let span = |dice: &mut Dice| {
        // Whole months are what comes to lie by a change of the clocks.
        if dice.one_in(2) {
            return format!("{}m", 1 + dice.below(4));
        }
        let mut span = String::new();
        for (unit, limit) in [('y', 3), ('m', 14), ('d', 40), ('h', 50)] {
            if dice.one_in(2) {
                span.push_str(&format!("{}{unit}", dice.below(limit)));
            }
        }
        if span.is_empty() { "36h".to_owned() } else { span }
    };
    for what in ["last", "hourly", "daily", "weekly", "monthly", "yearly"] {
        if dice.one_in(4) {
            let many = match dice.below(8) {
                0 => "unlimited".to_owned(),
                _ => dice.below(12).to_string(),
            };
            words.extend([format!("--keep-{what}"), many]);
        }
    }
    for what in ["", "-hourly", "-daily", "-weekly", "-monthly", "-yearly"] {
        if dice.one_in(6) {
            words.extend([format!("--keep-within{what}"), span(dice)]);
        }
    }
    for _ in 0..2 {
        if dice.one_in(6) {
            words.extend([
                "--keep-tag".into(),
                dice.of(&["a", "b", "b,a", "", "x y", "é,a", ",a", "nowhere"]).into(),
            ]);
        }
    }
    if words.is_empty() {
        words.extend(["--keep-last".into(), "3".into()]);
    }
    let by = dice.of(&[
        "host,paths",
        "host,paths",
        "host",
        "paths",
        "tags",
        "host,tags",
        "host,paths,tags",
        "",
    ]);
    words.extend(["--group-by".into(), by.into()]);
    words
}

/// Group → ids that stay with their reasons, ids that go; newest first. `None` when a group would be emptied.
type Said = Option<BTreeMap<String, (Vec<(String, Vec<String>)>, Vec<String>)>>;

fn key(group: &Value) -> String {
    let texts = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let host = group["host"].as_str().unwrap_or_default();
    serde_json::json!([host, texts(&group["paths"]), texts(&group["tags"])]).to_string()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|one| text(&one["id"]))
        .collect()
}

fn coffer_says(bench: &Bench, vault: &Path, rule: &[String]) -> Said {
    let mut words: Vec<&str> = vec![
        "forget",
        "--dry-run",
        "--json",
        "--no-lock",
        "--vault",
        vault.to_str().unwrap(),
    ];
    words.extend(rule.iter().map(String::as_str));
    let output = bench.coffer_any(&words);
    if !output.status.success() && both(&output).contains("nothing would be left of") {
        return None;
    }
    let groups: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{rule:?}: {}", both(&output)));
    let groups = groups.as_array().unwrap().iter().map(|group| {
        let kept = group["keep"].as_array().unwrap().iter();
        let reasons = |one: &Value| one["reasons"].as_array().unwrap().iter().map(text).collect();
        let kept = kept.map(|one| (text(&one["id"]), reasons(one))).collect();
        (key(group), (kept, ids(&group["remove"])))
    });
    Some(groups.collect())
}

fn restic_says(bench: &Bench, vault: &Path, rule: &[String]) -> Said {
    let mut words = vec!["forget", "--dry-run", "--json", "--no-lock"];
    words.extend(rule.iter().map(String::as_str));
    let output = bench.restic_any(Restic::New, vault, &words);
    if !output.status.success() && both(&output).contains("refusing to delete last snapshot") {
        return None;
    }
    let groups: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{rule:?}: {}", both(&output)));
    let groups = groups.as_array().unwrap().iter().map(|group| {
        let reasons = group["reasons"].as_array().unwrap().iter();
        let matches = |one: &Value| one["matches"].as_array().unwrap().iter().map(text).collect();
        let kept: Vec<(String, Vec<String>)> = reasons
            .map(|one| (text(&one["snapshot"]["id"]), matches(one)))
            .collect();
        let listed: Vec<String> = kept.iter().map(|(id, _)| id.clone()).collect();
        assert_eq!(
            listed,
            ids(&group["keep"]),
            "restic gives its reasons in the order of what it keeps"
        );
        (key(group), (kept, ids(&group["remove"])))
    });
    Some(groups.collect())
}

/// Compares on one history; gives how many rules were compared, and how many of them were refused.
fn compare(number: u64, rules: u64) -> (u64, u64) {
    let zone_name = ZONES[number as usize % ZONES.len()];
    let mut bench = Bench::new();
    bench.zone = zone_name;
    let mut dice = Dice(number * 7919 + 1);
    let vault: PathBuf = bench.coffer_vault("vault", &[]);
    write_history(&mut dice, &vault, zone_name, Timestamp::now().as_second());
    let mut refused = 0;
    for nth in 0..rules {
        let rule = rule(&mut dice);
        let zero = |value: &str| value.contains('0') && !value.contains(|c: char| ('1'..='9').contains(&c));
        let nothing = rule.chunks(2).all(|pair| pair[0] == "--group-by" || zero(&pair[1]));
        if nothing {
            // Such a rule says nothing, and both say so.
            let words = |program: &[&str]| {
                let given = rule.iter().map(String::as_str);
                program
                    .iter()
                    .copied()
                    .chain(given)
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let ours = bench.coffer_any(&words(&["forget", "--dry-run", "--vault", vault.to_str().unwrap()]));
            assert!(both(&ours).contains("nothing says what stays"), "{}", both(&ours));
            let theirs = bench.restic_any(Restic::New, &vault, &words(&["forget", "--dry-run"]));
            assert!(both(&theirs).contains("no policy was specified"), "{}", both(&theirs));
            continue;
        }
        let (ours, theirs) = (coffer_says(&bench, &vault, &rule), restic_says(&bench, &vault, &rule));
        assert_eq!(
            ours,
            theirs,
            "history {number} in {zone_name}, rule {nth}: {}",
            rule.join(" ")
        );
        refused += u64::from(theirs.is_none());
    }
    (rules, refused)
}

#[test]
#[ignore = "needs restic 0.18 (tests/run)"]
fn five_hundred_rules_keep_what_restic_keeps() {
    // Two at a time: most of the time goes into starting programs.
    let halves: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let half = |first: u64| {
            (first..20)
                .step_by(2)
                .map(|number| compare(number, 26))
                .collect::<Vec<_>>()
        };
        let halves = [0, 1].map(|first| scope.spawn(move || half(first)));
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let (compared, refused) = halves
        .into_iter()
        .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(compared >= 500, "{compared}");
    // Rules that would empty a group are among them, but do not crowd out the rest.
    assert!(
        (1..compared / 5).contains(&refused),
        "{refused} of {compared} were refused"
    );
}

//! What rollbacks keep beforehand goes by itself after a while, as was said when it was taken, and never when it is protected.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Volume, files, id, list, snapshot, take};
use crate::support::{Bench, both};

fn record(snapshot: &Value) -> PathBuf {
    files(snapshot).with_file_name("record.json")
}

/// Its day has come.
fn let_time_pass(snapshot: &Value) {
    let file = record(snapshot);
    let mut known: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert!(!known["snapshot"]["until"].is_null(), "it has a day: {known}");
    known["snapshot"]["until"] = known["snapshot"]["taken"].clone();
    fs::write(&file, known.to_string()).unwrap();
}

fn safeties(bench: &Bench, of: &Path) -> Vec<Value> {
    let mut all = list(bench, of);
    all.retain(|one| one["made_by"] == "safety");
    all
}

fn has(all: &[Value], one: &Value) -> bool {
    all.iter().any(|other| other["id"] == one["id"])
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn what_a_rollback_keeps_goes_from_the_day_that_was_told_unless_it_is_protected() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let a = volume.subvolume("a");
    fs::write(a.join("x"), "then").unwrap();
    let one = take(&bench, &a, &[]);
    fs::write(a.join("x"), "now").unwrap();
    let plan = both(&snapshot(&bench, &["rollback", id(&one), "--dry-run"]));
    assert!(
        plan.contains("The safety snapshot goes by itself after 14 days"),
        "{plan}"
    );
    let done = both(&snapshot(&bench, &["rollback", id(&one)]));
    assert!(
        done.contains("It goes by itself from") && done.contains("coffer snapshot protect"),
        "{done}"
    );
    let first = safeties(&bench, &a).remove(0);
    let (taken, until) = (first["taken"].as_str().unwrap(), first["until"].as_str().unwrap());
    let days = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second() / 86_400;
    assert_eq!(days(until) - days(taken), 14, "{first}");
    let shown = both(&snapshot(&bench, &["show", id(&first)]));
    assert!(shown.contains("becomes       goes by itself from"), "{shown}");
    assert!(both(&snapshot(&bench, &["list", a.to_str().unwrap()])).contains("safety until"));

    // Its day has come, and that of another one, which is protected.
    snapshot(&bench, &["rollback", id(&one)]);
    let second = safeties(&bench, &a)
        .into_iter()
        .find(|other| other["id"] != first["id"])
        .unwrap();
    let_time_pass(&first);
    let_time_pass(&second);
    snapshot(&bench, &["protect", id(&second)]);
    let shown = both(&snapshot(&bench, &["show", id(&first)]));
    assert!(shown.contains("goes: was to stay until"), "{shown}");
    // Nothing goes before something is done there; and not what is gone back to.
    snapshot(&bench, &["rollback", id(&first), "--no-safety"]);
    assert_eq!(fs::read_to_string(a.join("x")).unwrap(), "now");
    assert!(has(&list(&bench, &a), &first));
    snapshot(&bench, &["rollback", id(&one)]);
    let left = list(&bench, &a);
    assert!(
        !has(&left, &first) && has(&left, &second) && has(&left, &one),
        "{left:?}"
    );

    // A policy too takes away what has had its time, and nothing of its own for that.
    let third = safeties(&bench, &a)
        .into_iter()
        .find(|other| other["id"] != second["id"])
        .unwrap();
    let words = ["policy", "add", "p", a.to_str().unwrap(), "--keep-last", "5"];
    snapshot(&bench, &words);
    snapshot(&bench, &["policy", "run", "p"]);
    assert!(has(&list(&bench, &a), &third), "its day has not come");
    let_time_pass(&third);
    snapshot(&bench, &["policy", "run", "p"]);
    let left = list(&bench, &a);
    assert!(
        !has(&left, &third) && has(&left, &second) && has(&left, &one),
        "{left:?}"
    );

    // For ever, if that is said.
    let config = bench.path("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[snapshots]\nsafety-days = \"unlimited\"\n")).unwrap();
    let done = both(&snapshot(&bench, &["rollback", id(&one)]));
    assert!(!done.contains("goes by itself"), "{done}");
    let last = safeties(&bench, &a).pop().unwrap();
    assert!(last["until"].is_null(), "{last}");
}

//! The strongest test of the format: both programs back up the same source, in either order, and the second finds
//! nothing new and writes the identical tree.

use std::fs;

use crate::edge::{self, Cases, quiet_folder};
use crate::support::{Bench, Restic};

const ZONES: [&str; 3] = ["UTC", "Europe/Berlin", "Asia/Kolkata"];

fn both_orders(which: Restic, cases: Cases) {
    let mut bench = Bench::new();
    let source = quiet_folder(if which == Restic::New { "new" } else { "old" });
    edge::make(&source, cases);
    for zone in ZONES {
        bench.zone = zone;
        if zone == "Asia/Kolkata" {
            // India was 5:21:10 from UTC then. restic writes that clock with +05:21, which is ten seconds off when read
            // again; coffer writes UTC, which is exact.
            fs::remove_file(source.join("times/year 1901")).unwrap();
        }
        let nothing = |summary: &serde_json::Value, who: &str| {
            for field in [
                "files_new",
                "files_changed",
                "dirs_new",
                "dirs_changed",
                "data_blobs",
                "tree_blobs",
            ] {
                assert_eq!(summary[field], 0, "{field} of {who} as the second, {zone}: {summary}");
            }
        };

        let vault = bench.coffer_vault(&format!("{zone} ours first").replace('/', " "), &[]);
        bench.coffer_backup(&vault, &source, &[]);
        nothing(&bench.restic_backup(which, &vault, &source, &[]), "restic");
        let generations = bench.restic_generations(which, &vault);
        assert_eq!(generations.len(), 2);
        assert_eq!(generations[0]["tree"], generations[1]["tree"], "{zone}");

        let vault = bench.restic_vault(which, &format!("{zone} theirs first").replace('/', " "), &[]);
        bench.restic_backup(which, &vault, &source, &[]);
        nothing(&bench.coffer_backup(&vault, &source, &[]), "coffer");
        let generations = bench.restic_generations(which, &vault);
        assert_eq!(generations.len(), 2);
        assert_eq!(generations[0]["tree"], generations[1]["tree"], "{zone}");
        assert_eq!(
            generations,
            bench
                .coffer_generations(&vault)
                .iter()
                .map(without_extras(&generations))
                .collect::<Vec<_>>()
        );
        bench.restic_check(which, &vault);
    }
    fs::remove_dir_all(source).unwrap();
}

/// Only the fields that the other program tells too: restics tell `short_id`, and older ones no `summary`.
fn without_extras(theirs: &[serde_json::Value]) -> impl Fn(&serde_json::Value) -> serde_json::Value {
    let theirs = theirs.to_vec();
    move |ours| {
        let theirs = theirs
            .iter()
            .find(|generation| generation["id"] == ours["id"])
            .expect("both list the same ids");
        let mut out = theirs.clone();
        for (field, value) in out.as_object_mut().unwrap() {
            if field == "short_id" {
                continue;
            }
            *value = ours[field].clone();
        }
        out
    }
}

#[test]
#[ignore = "needs restic 0.18 and root (tests/run)"]
fn same_tree_as_restic_new() {
    both_orders(
        Restic::New,
        Cases {
            links_not_utf8: true,
            over_4_gib: false,
        },
    );
}

#[test]
#[ignore = "needs restic 0.14 and root (tests/run)"]
fn same_tree_as_restic_old() {
    both_orders(
        Restic::Old,
        Cases {
            links_not_utf8: false,
            over_4_gib: false,
        },
    );
}

/// Without a parent to compare with, everything is read again: the blobs and trees must still be the ones there.
#[test]
#[ignore = "needs restic 0.18 and root (tests/run)"]
fn same_blobs_without_a_parent() {
    let bench = Bench::new();
    let source = quiet_folder("without a parent");
    edge::make(
        &source,
        Cases {
            links_not_utf8: true,
            over_4_gib: false,
        },
    );
    let vault = bench.restic_vault(Restic::New, "vault", &[]);
    bench.restic_backup(Restic::New, &vault, &source, &[]);
    let summary = bench.coffer_backup(&vault, &source, &["--force"]);
    assert_eq!(
        (&summary["data_blobs"], &summary["tree_blobs"]),
        (&0.into(), &0.into()),
        "{summary}"
    );
    let summary = bench.restic_backup(Restic::New, &vault, &source, &["--force"]);
    assert_eq!(
        (&summary["data_blobs"], &summary["tree_blobs"]),
        (&0.into(), &0.into()),
        "{summary}"
    );
    fs::remove_dir_all(source).unwrap();
}

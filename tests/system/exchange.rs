//! Vaults change hands: what coffer writes restic checks, restores and rewrites; what restic writes, in all its ways,
//! coffer lists, searches, compares and restores.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::edge::{self, Cases};
use crate::support::{Bench, HOST, PASSWORD, Restic, both, lines, list};

const ALL: Cases = Cases {
    links_not_utf8: true,
    over_4_gib: true,
};
const QUICK: Cases = Cases {
    links_not_utf8: true,
    over_4_gib: false,
};

/// restic counts nanoseconds from 1970 in 64 bits when it sets a file's times: later than 2262 it sets another one.
const PAST_RESTICS_TIME: Option<&str> = Some("times/year 2300");

/// Where a source's copy lies below a restore's target: restores keep the absolute path.
fn below(target: &Path, source: &Path) -> PathBuf {
    target.join(source.strip_prefix("/").unwrap())
}

fn coffer_restore(bench: &Bench, vault: &Path, generation: &str, target: &Path, extra: &[&str]) {
    let mut arguments: Vec<&OsStr> = vec![
        "restore".as_ref(),
        "--vault".as_ref(),
        vault.as_ref(),
        generation.as_ref(),
    ];
    arguments.extend(["--target".as_ref(), target.as_os_str()]);
    arguments.extend(extra.iter().map(OsStr::new));
    bench.coffer(&arguments);
}

#[test]
#[ignore = "needs root, setfacl and setcap (tests/run)"]
fn round_trip_of_the_edge_cases() {
    let bench = Bench::new();
    let source = bench.path("source");
    edge::make(&source, ALL);
    let vault = bench.coffer_vault("vault", &[]);
    let summary = bench.coffer_backup(&vault, &source, &[]);
    assert!(summary["files_new"].as_u64().unwrap() > 80, "{summary}");

    let target = bench.path("target");
    coffer_restore(&bench, &vault, "latest", &target, &["--verify"]);
    edge::assert_same(&source, &below(&target, &source));

    let sparse = bench.path("sparse");
    coffer_restore(&bench, &vault, "latest", &sparse, &["--sparse"]);
    edge::assert_same(&source, &below(&sparse, &source));
    let blocks = std::os::unix::fs::MetadataExt::blocks(
        &fs::metadata(below(&sparse, &source).join("contents/sparse over 4 GiB")).unwrap(),
    );
    assert!(
        blocks * 512 < 256 << 20,
        "a sparse restore of 4 GiB of holes takes {blocks} blocks"
    );

    // Damage the first copy in every way and restore over it: only what differs is put right.
    let copy = below(&target, &source);
    fs::write(copy.join("contents/text"), "not the same").unwrap();
    fs::remove_file(copy.join("links/good")).unwrap();
    fs::write(copy.join("names/not in the generation"), "x").unwrap();
    fs::set_permissions(
        copy.join("modes/file 0644"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    coffer_restore(
        &bench,
        &vault,
        "latest",
        &target,
        &["--overwrite", "if-changed", "--delete"],
    );
    edge::assert_same(&source, &copy);
}

#[test]
#[ignore = "needs restic 0.18 and root (tests/run)"]
fn restic_handles_what_coffer_wrote() {
    let bench = Bench::new();
    let source = edge::quiet_folder("exchange");
    edge::make(&source, QUICK);
    let vault = bench.coffer_vault("vault", &[]);
    bench.coffer_backup(&vault, &source, &["--tag", "first"]);
    fs::write(source.join("contents/text"), "changed").unwrap();
    fs::write(source.join("new"), "new").unwrap();
    bench.coffer_backup(&vault, &source, &["--tag", "second", "--tag", "third"]);

    bench.restic_check(Restic::New, &vault);
    let target = bench.path("target");
    bench.restic(
        Restic::New,
        &vault,
        &[
            "restore".as_ref(),
            "latest".as_ref(),
            "--verify".as_ref(),
            "--target".as_ref(),
            target.as_os_str(),
        ],
    );
    edge::assert_same_but(&source, &below(&target, &source), PAST_RESTICS_TIME);

    // restic's own generation of the same source differs in nothing.
    bench.restic_backup(Restic::New, &vault, &source, &["--force"]);
    let generations = bench.restic_generations(Restic::New, &vault);
    let id = |n: usize| generations[n]["id"].as_str().unwrap().to_owned();
    assert_eq!(generations[1]["tree"], generations[2]["tree"]);
    let diff = bench.restic(Restic::New, &vault, &["diff", "--json", &id(1), &id(2)]);
    assert_eq!(lines(&diff).len(), 1, "only the statistics: {}", both(&diff));

    // A rewrite parses and writes all trees again and refuses what it would lose.
    bench.restic(Restic::New, &vault, &["rewrite", "--exclude", "/nothing/like/this"]);
    bench.restic(Restic::New, &vault, &["repair", "index", "--read-all-packs"]);
    let found = bench.restic(Restic::New, &vault, &["find", "--json", "text"]);
    assert_eq!(list(&found).len(), 3, "{}", both(&found));
    bench.restic(Restic::New, &vault, &["forget", &id(0)]);
    bench.restic(Restic::New, &vault, &["prune", "--max-unused", "0"]);
    bench.restic_check(Restic::New, &vault);
    bench.coffer_check(&vault);

    // And to another vault with another key and another chunker polynomial.
    let copy = bench.restic_vault(Restic::New, "copy", &[]);
    let from = vault.to_str().unwrap();
    let password = bench.path("password");
    bench.restic(
        Restic::New,
        &copy,
        &[
            "copy",
            "--from-repo",
            from,
            "--from-password-file",
            password.to_str().unwrap(),
        ],
    );
    bench.restic_check(Restic::New, &copy);
    bench.coffer_check(&copy);
    fs::remove_dir_all(source).unwrap();
}

#[test]
#[ignore = "needs restic 0.14 and root (tests/run)"]
fn old_restic_handles_what_coffer_wrote() {
    let bench = Bench::new();
    let source = bench.path("source");
    edge::make(
        &source,
        Cases {
            links_not_utf8: false,
            over_4_gib: false,
        },
    );
    for version in ["1", "2"] {
        let vault = bench.coffer_vault(&format!("vault {version}"), &["--repository-version", version]);
        bench.coffer_backup(&vault, &source, &[]);
        bench.restic_check(Restic::Old, &vault);
        let target = bench.path(&format!("target {version}"));
        bench.restic(
            Restic::Old,
            &vault,
            &[
                "restore".as_ref(),
                "latest".as_ref(),
                "--target".as_ref(),
                target.as_os_str(),
            ],
        );
        edge::assert_same_but(&source, &below(&target, &source), PAST_RESTICS_TIME);
    }
}

/// A smaller source than the edge cases, changed between generations.
fn evolving(source: &Path, step: usize) {
    fs::create_dir_all(source.join("docs/deep/er")).unwrap();
    fs::write(source.join("docs/readme"), format!("version {step}\n").repeat(1000)).unwrap();
    fs::write(source.join("docs/deep/er/constant"), "never changes").unwrap();
    fs::write(source.join(format!("log.{step}")), edge::noise(step as u64, 700_000)).unwrap();
    fs::write(source.join("grows"), edge::noise(9, 1_000_000 * (step + 1))).unwrap();
    if step > 1 {
        let _ = fs::remove_file(source.join(format!("log.{}", step - 2)));
    }
}

fn compare_answers(bench: &Bench, which: Restic, vault: &Path, source: &Path) {
    let theirs = bench.restic_generations(which, vault);
    let ours = bench.coffer_generations(vault);
    let ids = |all: &[Value]| {
        all.iter()
            .map(|generation| generation["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&theirs), ids(&ours));
    for (theirs, ours) in theirs.iter().zip(&ours) {
        for (field, value) in theirs.as_object().unwrap() {
            assert!(
                field == "short_id" || &ours[field] == value,
                "{field}: {value} against {}",
                ours[field]
            );
        }
    }
    assert!(theirs.len() >= 2);

    let (first, last) = (
        theirs[0]["id"].as_str().unwrap(),
        theirs.last().unwrap()["id"].as_str().unwrap(),
    );
    let vault_words: [&OsStr; 3] = ["--json".as_ref(), "--vault".as_ref(), vault.as_ref()];
    let coffer = |words: &[&str]| {
        let mut arguments: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        arguments.extend(vault_words);
        bench.coffer(&arguments)
    };

    let entries = |all: Vec<Value>| -> BTreeMap<String, (Value, Value, Value)> {
        all.into_iter()
            .filter(|entry| entry["path"].is_string())
            .map(|entry| {
                (
                    entry["path"].as_str().unwrap().into(),
                    (entry["type"].clone(), entry["mtime"].clone(), entry["uid"].clone()),
                )
            })
            .collect()
    };
    let their_files = entries(lines(&bench.restic(which, vault, &["ls", "--json", last])));
    let our_files = entries(lines(&coffer(&["ls", last])));
    assert_eq!(their_files, our_files);
    assert!(our_files.len() > 5);

    let found: Vec<Value> = list(&bench.restic(which, vault, &["find", "--json", "log.*"]));
    let mut theirs_found: Vec<(String, String)> = found
        .iter()
        .flat_map(|group| {
            let generation = group["snapshot"].as_str().unwrap().to_owned();
            group["matches"]
                .as_array()
                .unwrap()
                .iter()
                .map(move |hit| (generation.clone(), hit["path"].as_str().unwrap().to_owned()))
        })
        .collect();
    let mut ours_found: Vec<(String, String)> = lines(&coffer(&["find", "log.*"]))
        .iter()
        .map(|hit| {
            (
                hit["generation"].as_str().unwrap().to_owned(),
                hit["path"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    theirs_found.sort();
    ours_found.sort();
    assert_eq!(theirs_found, ours_found);
    assert!(!ours_found.is_empty());

    if which == Restic::New {
        let changes = |all: Vec<Value>| -> BTreeMap<String, String> {
            all.iter()
                .filter(|line| line["message_type"] == "change" || line["type"] == "change")
                .map(|line| {
                    (
                        line["path"].as_str().unwrap().to_owned(),
                        line["modifier"].as_str().unwrap().to_owned(),
                    )
                })
                .collect()
        };
        let their_changes = changes(lines(&bench.restic(which, vault, &["diff", "--json", first, last])));
        let our_changes = changes(lines(&coffer(&["diff", first, last])));
        assert_eq!(their_changes, our_changes);

        let their_size: Value = serde_json::from_slice(
            &bench
                .restic(which, vault, &["stats", "--json", "--mode", "restore-size", last])
                .stdout,
        )
        .unwrap();
        let our_size: Value = serde_json::from_slice(&coffer(&["stats", last]).stdout).unwrap();
        assert_eq!(
            their_size["total_size"], our_size["logical_bytes"],
            "{their_size} {our_size}"
        );
        let their_raw: Value = serde_json::from_slice(
            &bench
                .restic(which, vault, &["stats", "--json", "--mode", "raw-data"])
                .stdout,
        )
        .unwrap();
        let our_raw: Value = serde_json::from_slice(&coffer(&["stats"]).stdout).unwrap();
        assert_eq!(
            their_raw["total_size"], our_raw["stored_bytes"],
            "{their_raw} {our_raw}"
        );
    }

    let target = bench.path(&format!(
        "restored from {}",
        vault.file_name().unwrap().to_string_lossy()
    ));
    coffer_restore(bench, vault, "latest", &target, &[]);
    edge::assert_same(source, &below(&target, source));
    bench.coffer_check(vault);
}

#[test]
#[ignore = "needs restic 0.18 and 0.14 (tests/run)"]
fn coffer_answers_as_restic_does_on_its_vaults() {
    let bench = Bench::new();
    for (which, name, init, backup) in [
        (Restic::New, "plain", vec![], vec![]),
        (Restic::New, "version 1", vec!["--repository-version", "1"], vec![]),
        (Restic::New, "uncompressed", vec![], vec!["--compression", "off"]),
        (Restic::New, "max", vec![], vec!["--compression", "max"]),
        (Restic::New, "small packs", vec![], vec!["--pack-size", "4"]),
        (Restic::New, "large packs", vec![], vec!["--pack-size", "128"]),
        (Restic::Old, "old", vec![], vec![]),
        (Restic::Old, "old version 1", vec!["--repository-version", "1"], vec![]),
    ] {
        let source = bench.path(&format!("source of {name}"));
        let vault = bench.restic_vault(which, name, &init);
        for step in 0..3 {
            evolving(&source, step);
            bench.restic_backup(which, &vault, &source, &backup);
        }
        compare_answers(&bench, which, &vault, &source);
    }
}

#[test]
#[ignore = "needs restic 0.18 (tests/run)"]
fn coffer_follows_what_restic_does_to_a_vault() {
    let bench = Bench::new();
    let source = bench.path("source");
    let vault = bench.restic_vault(Restic::New, "vault", &[]);
    for step in 0..5 {
        evolving(&source, step);
        bench.restic_backup(
            Restic::New,
            &vault,
            &source,
            &["--tag", if step % 2 == 0 { "even" } else { "odd" }],
        );
        // Coffer's local index and catalog are filled between the steps and must keep up with what comes after.
        bench.coffer_generations(&vault);
        bench.coffer_check(&vault);
    }
    let restic = |words: &[&str]| bench.restic(Restic::New, &vault, words);
    let second = bench.path("second password");
    fs::write(&second, "another").unwrap();
    restic(&["key", "add", "--new-password-file", second.to_str().unwrap()]);
    let output = bench
        .coffer_command(&[
            "generations".as_ref(),
            "--password-file".as_ref(),
            second.as_ref(),
            "--json".as_ref(),
            "--vault".as_ref(),
            vault.as_ref(),
        ])
        .output()
        .unwrap();
    assert_eq!(list(&output).len(), 5, "{}", both(&output));

    restic(&["tag", "--add", "labelled", "latest"]);
    restic(&["rewrite", "--forget", "--exclude", "log.3"]);
    fs::remove_file(source.join("log.3")).unwrap();
    restic(&["forget", "--keep-last", "3"]);
    restic(&["prune", "--max-unused", "0"]);
    let target = bench.path("target");
    coffer_restore(&bench, &vault, "latest", &target, &[]);
    let restored = below(&target, &source);
    assert!(!restored.join("log.3").exists() && restored.join("log.4").exists());
    bench.coffer_check(&vault);
    assert_eq!(bench.coffer_generations(&vault).len(), 3);

    let copy = bench.restic_vault(
        Restic::New,
        "copy",
        &[
            "--from-repo",
            vault.to_str().unwrap(),
            "--copy-chunker-params",
            "--from-password-file",
            bench.path("password").to_str().unwrap(),
        ],
    );
    bench.restic(
        Restic::New,
        &copy,
        &[
            "copy",
            "--from-repo",
            vault.to_str().unwrap(),
            "--from-password-file",
            bench.path("password").to_str().unwrap(),
        ],
    );
    bench.coffer_check(&copy);
    assert_eq!(bench.coffer_generations(&copy).len(), 3);
}

#[test]
#[ignore = "needs restic 0.18 (tests/run)"]
fn restic_opens_with_the_keys_coffer_made() {
    let bench = Bench::new();
    let source = bench.path("source");
    evolving(&source, 0);
    let vault = bench.coffer_vault("vault", &[]);
    bench.coffer_backup(&vault, &source, &[]);
    let (second, third) = (bench.path("second"), bench.path("third"));
    fs::write(&second, "  second password\n").unwrap();
    fs::write(&third, "third password\n").unwrap();
    let opens = |password: &str| {
        bench
            .restic_command(Restic::New, &vault, &["cat".as_ref(), "config".as_ref()])
            .env("RESTIC_PASSWORD", password)
            .output()
            .unwrap()
            .status
            .success()
    };

    bench.coffer(&[
        "key".as_ref(),
        "add".as_ref(),
        "--new-password-file".as_ref(),
        second.as_os_str(),
        "--vault".as_ref(),
        vault.as_os_str(),
    ]);
    assert!(opens(PASSWORD) && opens("second password") && !opens("third password"));
    bench.coffer(&[
        "key".as_ref(),
        "passwd".as_ref(),
        "--new-password-file".as_ref(),
        third.as_os_str(),
        "--vault".as_ref(),
        vault.as_os_str(),
    ]);
    assert!(!opens(PASSWORD) && opens("second password") && opens("third password"));

    let wrong = bench.coffer_any(&["generations".as_ref(), "--vault".as_ref(), vault.as_os_str()]);
    assert_eq!(wrong.status.code(), Some(12), "{}", both(&wrong));
    let nowhere = bench.coffer_any(&[
        "generations".as_ref(),
        "--vault".as_ref(),
        bench.path("nowhere").as_os_str(),
    ]);
    assert_eq!(nowhere.status.code(), Some(10), "{}", both(&nowhere));
    assert_eq!(
        HOST,
        bench
            .restic_command(Restic::New, &vault, &["snapshots".as_ref(), "--json".as_ref()])
            .env("RESTIC_PASSWORD", "third password")
            .output()
            .map(|output| list(&output)[0]["hostname"].as_str().unwrap().to_owned())
            .unwrap()
    );
}

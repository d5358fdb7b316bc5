//! Whole restores of small vaults that are made by hand, so that they can be as hostile as a test needs.

mod conflicts;
mod dumping;
mod existing;
mod hostile;
mod making;

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::*;
use crate::progress::{Cancel, Progress};
use crate::vault::NodeType;
use making::{At, Made, dir, file, link, make, node};

/// Plans and executes; returns what was planned, done and reported.
fn restore(made: &Made, options: &RestoreOptions) -> (Totals, RestoreOutcome, Vec<Issue>) {
    let (progress, cancel) = (Progress::default(), Cancel::default());
    let plan = plan(&made.vault, &made.generation, options, &progress, &cancel).unwrap();
    let issues = std::sync::Mutex::new(Vec::new());
    let report = |issue| issues.lock().unwrap().push(issue);
    let outcome = execute(&made.vault, &plan, &progress, &cancel, &report).unwrap();
    let sample = progress.sample();
    assert!(
        sample.files_done <= sample.files_total && sample.bytes_done <= sample.bytes_total,
        "{sample:?}"
    );
    (*plan.totals(), outcome, issues.into_inner().unwrap())
}

fn to(folder: &Path) -> RestoreOptions {
    RestoreOptions::new(Target::Folder(folder.to_owned()))
}

fn planned(made: &Made, options: &RestoreOptions) -> (Totals, Vec<(String, Action)>) {
    let (progress, cancel) = (Progress::default(), Cancel::default());
    let plan = plan(&made.vault, &made.generation, options, &progress, &cancel).unwrap();
    let mut entries = Vec::new();
    let listed = plan.for_each(&made.vault, &cancel, &mut |entry| {
        entries.push((String::from_utf8_lossy(entry.path).into_owned(), entry.action));
        ControlFlow::Continue(())
    });
    listed.unwrap();
    (*plan.totals(), entries)
}

fn text(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path).unwrap()
}

/// A little of everything.
fn everything() -> Vec<At> {
    let mut hard = node("h1", NodeType::File);
    (hard.inode, hard.device_id, hard.links) = (77, 1, 3);
    let named = |name: &str| {
        let mut other = hard.clone();
        other.name = name.into();
        At::File(other, vec![b"shared".to_vec()])
    };
    let mut unwritable = node("locked", NodeType::Dir);
    unwritable.mode = crate::vault::tree::mode::DIR | 0o500;
    let mut odd = node("odd", NodeType::File);
    odd.mode = crate::vault::tree::mode::SETUID | 0o751;
    odd.mtime = crate::vault::Time {
        seconds: -2,
        nanos: 999_999_999,
        offset: 0,
    };
    vec![dir(
        "data",
        vec![
            file("empty", &[]),
            file("large", &[&[1; 3 << 20], &[2; 3 << 20], &[0; 70_000]]),
            At::File(odd, vec![b"odd".to_vec()]),
            named("h1"),
            dir(
                "sub",
                vec![named("h2"), named("h3"), link("out", "/nonexistent/target")],
            ),
            At::Dir(unwritable, vec![file("inner", &[b"inner"])]),
            At::Other(node("pipe", NodeType::Fifo)),
        ],
    )]
}

#[test]
fn everything_comes_back_and_a_second_run_changes_nothing() {
    let made = make(everything(), &["/data"]);
    let target = tempfile::tempdir().unwrap();
    let options = to(&target.path().join("new"));
    let (totals, outcome, issues) = restore(&made, &options);
    assert_eq!(issues, []);
    assert_eq!(
        (totals.create_files, totals.create_folders, totals.create_others),
        (7, 3, 2)
    );
    assert_eq!((outcome.files_written, outcome.others, outcome.errors), (7, 2, 0));
    assert_eq!(outcome.bytes_written, totals.write_bytes);
    let data = target.path().join("new/data");
    assert_eq!(fs::metadata(data.join("large")).unwrap().len(), (6 << 20) + 70_000);
    let odd = fs::metadata(data.join("odd")).unwrap();
    assert_eq!(
        (odd.permissions().mode() & 0o7777, odd.mtime(), odd.mtime_nsec()),
        (0o4751, -2, 999_999_999)
    );
    let hard = fs::metadata(data.join("h1")).unwrap();
    assert_eq!(hard.nlink(), 3);
    assert_eq!(hard.ino(), fs::metadata(data.join("sub/h3")).unwrap().ino());
    assert_eq!(
        fs::read_link(data.join("sub/out")).unwrap(),
        Path::new("/nonexistent/target")
    );
    let locked = fs::metadata(data.join("locked")).unwrap();
    assert_eq!(
        (locked.permissions().mode() & 0o7777, locked.mtime()),
        (0o500, 1_600_000_000)
    );
    assert_eq!(fs::metadata(data.join("sub")).unwrap().mtime(), 1_600_000_000);
    assert_eq!(text(data.join("locked/inner")), "inner");
    assert_eq!(fs::read_dir(&data).unwrap().count(), 7, "no temporary file is left");

    let (again, entries) = planned(&made, &options);
    assert_eq!(again.unchanged, 12);
    assert!(
        entries.iter().all(|(_, action)| *action == Action::Unchanged),
        "{entries:?}"
    );
    let (_, outcome, _) = restore(
        &made,
        &RestoreOptions {
            verify: true,
            ..options
        },
    );
    assert_eq!(
        (outcome.files_written, outcome.bytes_fetched, outcome.files_unchanged),
        (0, 0, 7)
    );
}

#[test]
fn holes_are_left_where_content_is_zero() {
    let zeros = vec![0; 1 << 20];
    let made = make(
        vec![file("sparse", &[&zeros, &[7; 5000], &zeros, &zeros])],
        &["/sparse"],
    );
    let target = tempfile::tempdir().unwrap();
    let options = RestoreOptions {
        sparse: true,
        verify: true,
        ..to(target.path())
    };
    let (_, outcome, issues) = restore(&made, &options);
    assert_eq!(issues, []);
    assert_eq!(outcome.files_verified, 1);
    let restored = fs::metadata(target.path().join("sparse")).unwrap();
    assert_eq!(restored.len(), 3 * (1 << 20) + 5000);
    assert!(restored.blocks() * 512 < 1 << 20, "{} blocks", restored.blocks());
}

#[test]
fn a_path_of_the_generation_goes_straight_into_the_target() {
    let made = make(everything(), &["/data"]);
    let target = tempfile::tempdir().unwrap();
    let (_, _, issues) = restore(
        &made,
        &RestoreOptions {
            subtree: b"/data/sub".to_vec(),
            ..to(target.path())
        },
    );
    assert_eq!(issues, []);
    assert_eq!(text(target.path().join("h2")), "shared");
    let one = tempfile::tempdir().unwrap();
    restore(
        &made,
        &RestoreOptions {
            subtree: b"data/locked/inner".to_vec(),
            ..to(one.path())
        },
    );
    assert_eq!(text(one.path().join("inner")), "inner");
    let missing = RestoreOptions {
        subtree: b"/data/nothing".to_vec(),
        ..to(one.path())
    };
    let result = plan(
        &made.vault,
        &made.generation,
        &missing,
        &Progress::default(),
        &Cancel::default(),
    );
    assert!(matches!(result, Err(Error::NotInGeneration { .. })));
}

#[test]
fn only_what_is_selected_is_restored_with_the_folders_above_it() {
    let made = make(everything(), &["/data"]);
    let target = tempfile::tempdir().unwrap();
    let globs = Selection::Globs {
        include: vec!["inner".into(), "h*".into()],
        exclude: vec!["h3".into()],
    };
    let cancel = Cancel::default();
    let measure = measure(&made.vault, &made.generation, b"", &globs, &cancel).unwrap();
    assert_eq!((measure.files, measure.folders), (3, 3));
    let options = RestoreOptions {
        selection: globs,
        ..to(target.path())
    };
    let (totals, entries) = planned(&made, &options);
    assert_eq!(
        (totals.create_files, totals.create_folders, totals.create_others),
        (3, 3, 0)
    );
    assert_eq!(entries.len(), 6, "{entries:?}");
    restore(&made, &options);
    let data = target.path().join("data");
    assert!(data.join("h1").exists() && data.join("locked/inner").exists() && data.join("sub/h2").exists());
    assert!(!data.join("large").exists() && !data.join("sub/h3").exists());

    let mut rules = Rules::new();
    rules.include(b"/");
    rules.exclude(b"/data/sub");
    rules.include(b"/data/sub/out");
    let target = tempfile::tempdir().unwrap();
    restore(
        &made,
        &RestoreOptions {
            selection: Selection::Rules(rules),
            ..to(target.path())
        },
    );
    let sub = target.path().join("data/sub");
    assert!(sub.join("out").is_symlink() && !sub.join("h2").exists() && sub.join("../large").exists());
}

#[test]
fn a_stop_is_heeded_and_the_next_run_goes_on() {
    let made = make(everything(), &["/data"]);
    let target = tempfile::tempdir().unwrap();
    let options = to(target.path());
    let (progress, cancel) = (Progress::default(), Cancel::default());
    let planned = plan(&made.vault, &made.generation, &options, &progress, &cancel).unwrap();
    cancel.cancel();
    let stopped = execute(&made.vault, &planned, &progress, &cancel, &|_| {});
    assert!(matches!(stopped, Err(Error::Cancelled(_))));
    assert!(matches!(
        plan(&made.vault, &made.generation, &options, &progress, &cancel),
        Err(Error::Cancelled(_))
    ));
    let (_, outcome, issues) = restore(&made, &options);
    assert_eq!((outcome.errors, issues), (0, vec![]));
}

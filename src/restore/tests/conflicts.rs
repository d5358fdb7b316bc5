//! What a plan says of that which is there already.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::existing::set_time;
use super::*;

fn conflicts(made: &Made, options: &RestoreOptions) -> (Totals, Vec<(String, Action, Option<Difference>)>) {
    let plan = plan(
        &made.vault,
        &made.generation,
        options,
        &Progress::default(),
        &Cancel::default(),
    )
    .unwrap();
    let list = plan.conflicts().of(&[]).map(|c| {
        let path = String::from_utf8_lossy(&c.path).into_owned();
        (path, c.action, c.difference())
    });
    (*plan.totals(), list.collect())
}

#[test]
fn each_says_why_and_what_is_lost_is_counted() {
    let made = make(
        vec![dir(
            "data",
            vec![
                file("content", &[b"right"]),
                file("newer", &[b"right"]),
                file("same", &[b"right"]),
                file("size", &[b"right"]),
                file("type", &[b"right"]),
                dir("sub", vec![file("gone", &[b"right"])]),
            ],
        )],
        &["/data"],
    );
    let target = tempfile::tempdir().unwrap();
    let data = target.path().join("data");
    fs::create_dir_all(data.join("extra")).unwrap();
    fs::write(data.join("extra/big"), [1; 1000]).unwrap();
    for (name, content, time) in [
        ("content", "wrong", 1_500_000_000),
        ("newer", "my work", 1_700_000_000),
        ("same", "right", 1_500_000_000),
        ("size", "longer than it was", 1_500_000_000),
    ] {
        fs::write(data.join(name), content).unwrap();
        set_time(&data.join(name), time);
    }
    symlink("elsewhere", data.join("type")).unwrap();
    let with = |overwrite, delete| RestoreOptions {
        overwrite,
        delete,
        ..to(target.path())
    };
    let (totals, list) = conflicts(&made, &with(Overwrite::Always, true));
    let path = |name: &str| format!("/data/{name}");
    // A folder's own entries come in the order of the walk: what would be deleted in it first.
    assert_eq!(
        list,
        [
            (path("extra"), Action::Delete, Some(Difference::NotInGeneration)),
            (path("content"), Action::Overwrite, Some(Difference::Content)),
            (path("newer"), Action::Overwrite, Some(Difference::NewerOnDisk)),
            (path("size"), Action::Overwrite, Some(Difference::Size)),
            (path("type"), Action::Overwrite, Some(Difference::OtherType)),
        ]
    );
    assert_eq!(
        (totals.overwrite_newer, totals.overwrite_bytes),
        (1, ("wrong".len() + "my work".len() + "longer than it was".len()) as u64)
    );
    // What is right already need not be written.
    assert_eq!((totals.right_bytes, totals.write_bytes), (5, 25));
    assert!(totals.fetch_bytes > 0);
    let (_, list) = conflicts(&made, &with(Overwrite::Never, false));
    let kept = list.iter().filter(|(_, action, _)| *action == Action::Skip).count();
    assert_eq!((kept, list.len()), (5, 5));
}

#[test]
fn a_file_can_get_another_name_beside_the_one_that_is_there() {
    let made = make(
        vec![dir("data", vec![file("f", &[b"old"]), file("g", &[b"g"])])],
        &["/data"],
    );
    let target = tempfile::tempdir().unwrap();
    fs::write(target.path().join("f"), "current").unwrap();
    let options = RestoreOptions {
        subtree: b"/data/f".to_vec(),
        name: Some(b"f (2020)".to_vec()),
        ..to(target.path())
    };
    let (totals, entries) = planned(&made, &options);
    assert_eq!((totals.create_files, totals.files), (1, 1));
    assert_eq!(entries.last(), Some(&("/data/f (2020)".to_owned(), Action::Create)));
    let (_, outcome, issues) = restore(&made, &options);
    assert_eq!((outcome.files_written, issues), (1, vec![]));
    assert_eq!(text(target.path().join("f")), "current");
    assert_eq!(text(target.path().join("f (2020)")), "old");
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 2);
    let hostile = RestoreOptions {
        name: Some(b"../f".to_vec()),
        ..options
    };
    assert_eq!(planned(&made, &hostile).0.problems, 1);
}

#[test]
fn nothing_is_restored_into_the_vault_itself() {
    let made = make(vec![file("f", &[b"f"])], &["/f"]);
    let inside = made.folder.path().join("data/new");
    let refused = plan(
        &made.vault,
        &made.generation,
        &to(&inside),
        &Progress::default(),
        &Cancel::default(),
    );
    assert!(
        matches!(&refused, Err(Error::Refused(why)) if why.contains("vault")),
        "{refused:?}"
    );
}

#[test]
fn a_target_made_for_a_part_of_a_folder_is_an_ordinary_one() {
    let mut locked = node("data", NodeType::Dir);
    locked.mode = crate::vault::tree::mode::DIR | 0o500;
    let made = make(
        vec![At::Dir(locked, vec![file("f", &[b"f"]), file("g", &[b"g"])])],
        &["/data"],
    );
    let target = tempfile::tempdir().unwrap();
    let new = target.path().join("new");
    let mut rules = Rules::new();
    rules.include(b"/data/f");
    let options = RestoreOptions {
        subtree: b"/data".to_vec(),
        selection: Selection::Rules(rules),
        ..to(&new)
    };
    let (totals, _, issues) = restore(&made, &options);
    assert_eq!((totals.create_files, totals.create_folders, issues), (1, 0, vec![]));
    assert_eq!(text(new.join("f")), "f");
    assert_ne!(fs::metadata(&new).unwrap().permissions().mode() & 0o777, 0o500);
}

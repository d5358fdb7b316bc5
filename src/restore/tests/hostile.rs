//! Vaults that lie, targets with traps, and damage.

use std::os::unix::fs::symlink;

use super::*;
use crate::storage::FileKind;
use crate::vault::{BlobKind, Id, Node};

#[test]
fn names_that_lead_elsewhere_are_refused_and_the_rest_goes_on() {
    let bad = ["..", ".", "a/b", "../evil", "nul\0"];
    let mut entries: Vec<At> = bad.iter().map(|name| file(name, &[b"evil"])).collect();
    entries.push(dir("..", vec![file("evil", &[b"evil"])]));
    entries.push(link("/etc", "x"));
    entries.push(file("good", &[b"good"]));
    let made = make(vec![dir("data", entries)], &["/data"]);
    let target = tempfile::tempdir().unwrap();
    let inner = target.path().join("a/b/c");
    let (totals, outcome, issues) = restore(&made, &to(&inner));
    assert_eq!((totals.problems, outcome.errors), (7, 7));
    assert!(
        issues.iter().all(|issue| issue.kind == IssueKind::UnsafeName),
        "{issues:?}"
    );
    assert_eq!(text(inner.join("data/good")), "good");
    let names: Vec<_> = fs::read_dir(inner.join("data")).unwrap().collect();
    assert_eq!(names.len(), 1);
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 1);
}

#[test]
fn of_two_entries_with_one_name_the_first_is_taken() {
    let entries = || {
        vec![
            file("b", &[b"one"]),
            file("a", &[b"a"]),
            file("b", &[b"two"]),
            dir("a", vec![]),
        ]
    };
    let made = make(entries(), &["/"]);
    let target = tempfile::tempdir().unwrap();
    let (_, _, issues) = restore(&made, &to(target.path()));
    let found: Vec<_> = issues.iter().map(|issue| (issue.path.as_slice(), issue.kind)).collect();
    let expected = |name: &'static [u8]| (name, IssueKind::DuplicateName);
    assert_eq!(found, [expected(b"/b"), expected(b"/a")]);
    assert_eq!(text(target.path().join("b")), "one");
    // A symlink and a folder of one name: writing into the folder must not go through the link.
    let outside = tempfile::tempdir().unwrap();
    let trap = vec![
        link("x", outside.path().to_str().unwrap()),
        dir("x", vec![file("evil", &[b"evil"])]),
    ];
    let made = make(trap, &["/x"]);
    let (_, _, issues) = restore(&made, &to(target.path()));
    assert_eq!(issues.len(), 1);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_symlink_where_a_folder_belongs_is_replaced_or_left_never_followed() {
    let made = make(vec![dir("data", vec![dir("d", vec![file("f", &[b"f"])])])], &["/data"]);
    for overwrite in [
        Overwrite::Always,
        Overwrite::IfChanged,
        Overwrite::IfNewer,
        Overwrite::Never,
    ] {
        let (target, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir(target.path().join("data")).unwrap();
        let trap = target.path().join("data/d");
        symlink(outside.path(), &trap).unwrap();
        restore(
            &made,
            &RestoreOptions {
                overwrite,
                delete: true,
                ..to(target.path())
            },
        );
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0, "{overwrite:?}");
        let kept = matches!(overwrite, Overwrite::Never | Overwrite::IfNewer);
        assert_eq!(trap.is_symlink(), kept, "{overwrite:?}");
    }
}

#[test]
fn a_symlink_planted_after_the_plan_is_not_followed() {
    let made = make(
        vec![dir(
            "data",
            vec![dir("d", vec![file("f", &[b"f"])]), file("g", &[b"g"])],
        )],
        &["/data"],
    );
    let (target, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (progress, cancel) = (Progress::default(), Cancel::default());
    let planned = plan(&made.vault, &made.generation, &to(target.path()), &progress, &cancel).unwrap();
    fs::create_dir(target.path().join("data")).unwrap();
    symlink(outside.path(), target.path().join("data/d")).unwrap();
    symlink(outside.path().join("g"), target.path().join("data/g")).unwrap();
    let issues = std::sync::Mutex::new(Vec::new());
    let report = |issue: Issue| issues.lock().unwrap().push(issue.kind);
    execute(&made.vault, &planned, &progress, &cancel, &report).unwrap();
    assert_eq!(issues.into_inner().unwrap(), [IssueKind::InTheWay]);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    assert_eq!(text(target.path().join("data/g")), "g");
    assert!(!target.path().join("data/g").is_symlink());
}

/// Flips a byte of a blob where it lies.
fn damage(made: &Made, kind: BlobKind, id: &Id) {
    let location = made.vault.index().find(kind, id).unwrap();
    let path = made
        .vault
        .vault()
        .storage()
        .describe_file(FileKind::Pack, &location.pack);
    let mut bytes = fs::read(&path).unwrap();
    bytes[location.offset as usize + 20] ^= 1;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, bytes).unwrap();
}

#[test]
fn a_damaged_blob_costs_only_the_files_that_need_it() {
    let (bad, good) = (vec![5; 100_000], vec![6; 100_000]);
    let entries = vec![
        file("bad", &[&bad]),
        file("bad-too", &[&good, &bad, &good]),
        file("good", &[&good]),
        file("small", &[b"small"]),
    ];
    let made = make(vec![dir("data", entries)], &["/data"]);
    damage(&made, BlobKind::Data, &Id::of(&bad));
    let target = tempfile::tempdir().unwrap();
    let data = target.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("bad-too"), "what was there").unwrap();
    let (_, outcome, mut issues) = restore(&made, &to(target.path()));
    issues.sort_by(|a, b| a.path.cmp(&b.path));
    let found: Vec<_> = issues.iter().map(|issue| (issue.path.as_slice(), issue.kind)).collect();
    let expected = |path: &'static [u8]| (path, IssueKind::Damaged);
    assert_eq!(found, [expected(b"/data/bad"), expected(b"/data/bad-too")]);
    assert!(
        issues[0].error.contains(&Id::of(&bad).to_string()),
        "{}",
        issues[0].error
    );
    assert_eq!((outcome.files_written, outcome.errors), (2, 2));
    assert_eq!(
        text(data.join("bad-too")),
        "what was there",
        "a file is replaced only by a whole one"
    );
    assert_eq!(text(data.join("small")), "small");
    assert_eq!(fs::read_dir(&data).unwrap().count(), 3, "nothing half-written is left");
}

#[test]
fn a_damaged_folder_costs_only_what_is_in_it() {
    let made = make(
        vec![
            dir("bad", vec![file("f", &[b"f"])]),
            dir("good", vec![file("g", &[b"g"])]),
        ],
        &["/"],
    );
    let tree = made.vault.tree(&made.generation.tree).unwrap();
    damage(&made, BlobKind::Tree, &tree.nodes[0].subtree.unwrap());
    let target = tempfile::tempdir().unwrap();
    let (totals, _, issues) = restore(&made, &to(target.path()));
    assert_eq!(totals.problems, 1);
    let found: Vec<_> = issues.iter().map(|issue| (issue.path.as_slice(), issue.kind)).collect();
    assert_eq!(found, [(b"/bad".as_slice(), IssueKind::Damaged)]);
    assert_eq!(text(target.path().join("good/g")), "g");
}

#[test]
fn a_missing_blob_is_known_before_anything_is_done() {
    let lost = Node {
        content: Some(vec![Id::of(b"lost")]),
        size: 4,
        ..node("lost", NodeType::File)
    };
    let made = make(vec![At::Other(lost), file("f", &[b"f"])], &["/"]);
    let target = tempfile::tempdir().unwrap();
    fs::write(target.path().join("lost"), "was here").unwrap();
    let (_, entries) = planned(&made, &to(target.path()));
    assert_eq!(entries[0], ("/lost".to_owned(), Action::Problem(Problem::MissingBlob)));
    let (_, _, issues) = restore(&made, &to(target.path()));
    assert_eq!(issues.len(), 1);
    assert_eq!(text(target.path().join("lost")), "was here");
    assert_eq!(text(target.path().join("f")), "f");
}

#[test]
fn folders_nested_without_end_are_cut_off() {
    // Making it takes a call for each folder, which is more than a test's thread has room for.
    let test = || {
        let deep = (0..1100).fold(vec![file("f", &[b"f"])], |entries, _| vec![dir("d", entries)]);
        let made = make(deep, &["/d"]);
        let target = tempfile::tempdir().unwrap();
        restore(&made, &to(target.path()))
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(test);
    let (totals, _, issues) = thread.unwrap().join().unwrap();
    assert_eq!((totals.problems, issues.len()), (1, 1));
    assert_eq!(issues[0].kind, IssueKind::UnsafeName);
}

#[test]
fn an_unfinished_file_in_the_generation_gives_no_other_its_content() {
    let part = String::from_utf8(place::part_name(b"big")).unwrap();
    let pieces: [&[u8]; 3] = [&[1; 2 << 20], &[2; 2 << 20], &[3; 2 << 20]];
    // Of a kind that is there before any file's last piece, and one that comes in pieces itself.
    let entries = [
        file(&part, &[b"other", b"content"]),
        At::Other(node(&part, NodeType::Fifo)),
    ];
    for entry in entries {
        let made = make(vec![entry, file("big", &pieces)], &["/"]);
        let target = tempfile::tempdir().unwrap();
        let (totals, outcome, issues) = restore(&made, &to(target.path()));
        assert!(fs::read(target.path().join("big")).unwrap() == pieces.concat());
        assert_eq!((totals.problems, outcome.errors, outcome.warnings), (1, 0, 1));
        assert_eq!((issues.len(), issues[0].kind), (1, IssueKind::NotRestored));
        assert!(issues[0].error.contains("left unfinished"), "{}", issues[0].error);
        assert!(!target.path().join(&part).exists());
    }
}

#[test]
fn sockets_are_left_out_with_a_warning() {
    let made = make(vec![At::Other(node("s", NodeType::Socket))], &["/s"]);
    let target = tempfile::tempdir().unwrap();
    let (_, outcome, issues) = restore(&made, &to(target.path()));
    assert_eq!((outcome.errors, outcome.warnings), (0, 1));
    assert_eq!(issues[0].kind, IssueKind::NotRestored);
}

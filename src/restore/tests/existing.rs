//! Restoring over what exists: policies, resuming, deleting.

use std::fs::FileTimes;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use super::*;

pub(super) fn set_time(path: &Path, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    fs::File::open(path)
        .unwrap()
        .set_times(FileTimes::new().set_modified(time).set_accessed(time))
        .unwrap();
}

#[test]
fn the_choice_for_existing_files_is_kept() {
    let made = make(vec![file("f", &[b"right"])], &["/f"]);
    let table = [
        // (what exists, its time, choice, verify, what would happen)
        ("wrong", 1_700_000_000, Overwrite::Always, false, Action::Overwrite),
        ("right", 1_700_000_000, Overwrite::Always, false, Action::Metadata),
        ("wrong", 1_700_000_000, Overwrite::IfChanged, false, Action::Overwrite),
        ("wrong", 1_500_000_000, Overwrite::IfNewer, false, Action::Overwrite),
        ("wrong", 1_700_000_000, Overwrite::IfNewer, false, Action::Skip),
        ("wrong", 1_500_000_000, Overwrite::Never, false, Action::Skip),
    ];
    for (content, time, overwrite, verify, expected) in table {
        let target = tempfile::tempdir().unwrap();
        let path = target.path().join("f");
        fs::write(&path, content).unwrap();
        set_time(&path, time);
        let options = RestoreOptions {
            overwrite,
            verify,
            ..to(target.path())
        };
        let (_, entries) = planned(&made, &options);
        assert_eq!(entries, [("/f".to_owned(), expected)], "{content} {time} {overwrite:?}");
        assert_eq!(text(&path), content, "a plan changes nothing");
        restore(&made, &options);
        let after = if expected == Action::Skip { content } else { "right" };
        assert_eq!(text(&path), after, "{content} {time} {overwrite:?}");
    }
}

#[test]
fn if_changed_trusts_size_and_time_unless_content_is_to_be_verified() {
    let mut odd = node("f", NodeType::File);
    odd.mtime.nanos = 0;
    let made = make(vec![At::File(odd, vec![b"right".to_vec()])], &["/f"]);
    let target = tempfile::tempdir().unwrap();
    let path = target.path().join("f");
    fs::write(&path, "wrong").unwrap();
    set_time(&path, 1_600_000_000);
    let options = RestoreOptions {
        overwrite: Overwrite::IfChanged,
        ..to(target.path())
    };
    restore(&made, &options);
    assert_eq!(text(&path), "wrong");
    restore(
        &made,
        &RestoreOptions {
            verify: true,
            ..options
        },
    );
    assert_eq!(text(&path), "right");
}

#[test]
fn only_wrong_pieces_of_a_large_file_are_written_and_in_place() {
    let pieces: [&[u8]; 3] = [&[1; 2 << 20], &[2; 2 << 20], &[3; 2 << 20]];
    let made = make(vec![file("f", &pieces)], &["/f"]);
    let target = tempfile::tempdir().unwrap();
    let path = target.path().join("f");
    let mut broken = pieces.concat();
    broken[3 << 20] = 9;
    broken.extend_from_slice(b"too long");
    fs::write(&path, &broken).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    let (totals, outcome, issues) = restore(&made, &to(target.path()));
    assert_eq!(issues, []);
    assert_eq!((totals.write_bytes, outcome.bytes_written), (2 << 20, 2 << 20));
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    assert!(fs::read(&path).unwrap() == pieces.concat());
}

#[test]
fn a_file_with_another_name_elsewhere_is_replaced_not_changed() {
    let pieces: [&[u8]; 3] = [&[1; 2 << 20], &[2; 2 << 20], &[3; 2 << 20]];
    let made = make(vec![file("f", &pieces), file("small", &[b"new"])], &["/f", "/small"]);
    let target = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir_in(target.path().parent().unwrap()).unwrap();
    let mut broken = pieces.concat();
    broken[0] = 9;
    fs::write(outside.path().join("f"), &broken).unwrap();
    fs::write(outside.path().join("small"), "old").unwrap();
    for name in ["f", "small"] {
        fs::hard_link(outside.path().join(name), target.path().join(name)).unwrap();
    }
    let (_, _, issues) = restore(&made, &to(target.path()));
    assert_eq!(issues, []);
    assert!(fs::read(target.path().join("f")).unwrap() == pieces.concat());
    assert!(
        fs::read(outside.path().join("f")).unwrap() == broken,
        "the other name's content is as it was"
    );
    assert_eq!(text(outside.path().join("small")), "old");
    assert_eq!(text(target.path().join("small")), "new");
}

#[test]
fn an_unfinished_file_is_gone_on_with() {
    let pieces: [&[u8]; 3] = [&[1; 2 << 20], &[2; 2 << 20], &[3; 2 << 20]];
    let made = make(vec![file("f", &pieces)], &["/f"]);
    let target = tempfile::tempdir().unwrap();
    let part = place::part_name(b"f");
    let part = target.path().join(String::from_utf8(part).unwrap());
    fs::write(&part, pieces[0]).unwrap();
    let (totals, outcome, issues) = restore(&made, &to(target.path()));
    assert_eq!(issues, []);
    assert_eq!((totals.create_files, outcome.bytes_written), (1, 4 << 20));
    assert!(!part.exists());
    assert!(fs::read(target.path().join("f")).unwrap() == pieces.concat());
    // One that holds nothing of use is begun anew.
    fs::remove_file(target.path().join("f")).unwrap();
    fs::write(&part, "junk").unwrap();
    let (_, outcome, _) = restore(&made, &to(target.path()));
    assert_eq!(outcome.bytes_written, 6 << 20);
    assert!(!part.exists() && target.path().join("f").exists());
}

#[test]
fn what_is_not_in_the_generation_is_deleted_only_where_it_was_backed_up() {
    let tree = vec![dir("home", vec![dir("me", vec![file("f", &[b"f"]), dir("d", vec![])])])];
    let made = make(tree, &["/home/me"]);
    let target = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "x").unwrap();
    let me = target.path().join("home/me");
    fs::create_dir_all(me.join("d/extra/deep")).unwrap();
    fs::write(me.join("d/extra/deep/file"), "12345").unwrap();
    symlink(outside.path(), me.join("leads-out")).unwrap();
    fs::create_dir(target.path().join("home/you")).unwrap();
    fs::write(target.path().join("beside"), "x").unwrap();
    let options = RestoreOptions {
        delete: true,
        ..to(target.path())
    };
    let (totals, entries) = planned(&made, &options);
    let deleted: Vec<&str> = entries
        .iter()
        .filter(|(_, action)| *action == Action::Delete)
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(deleted, ["/home/me/leads-out", "/home/me/d/extra"]);
    assert_eq!((totals.delete, totals.delete_bytes), (4, 5));
    let (_, outcome, issues) = restore(&made, &options);
    assert_eq!((outcome.deleted, issues), (4, vec![]));
    assert!(!me.join("leads-out").is_symlink() && !me.join("d/extra").exists());
    assert!(target.path().join("home/you").exists() && target.path().join("beside").exists());
    assert!(outside.path().join("precious").exists());
    assert_eq!(
        fs::metadata(&me).unwrap().mtime(),
        1_600_000_000,
        "deleting came before the folder's time"
    );
}

#[test]
fn the_vault_itself_is_never_deleted() {
    let made = make(vec![dir("data", vec![file("f", &[b"f"])])], &["/data"]);
    let target = made.folder.path().parent().unwrap();
    // The folder that holds the vault plays the target's `data`.
    let holder = tempfile::tempdir_in(target).unwrap();
    fs::create_dir_all(holder.path().join("data/backups")).unwrap();
    let name = std::ffi::OsStr::from_bytes(b"vault-\xff");
    let moved = holder.path().join("data/backups").join(name);
    fs::rename(made.folder.path(), &moved).unwrap();
    let storage = std::sync::Arc::new(crate::storage::LocalStorage::new(&moved));
    let password = crate::vault::Password::new(crate::vault::testing::PASSWORD);
    let vault = crate::vault::Vault::open(storage, &password, None).unwrap();
    let vault = vault.indexed(&Cancel::default()).unwrap();
    let made = Made { vault, ..made };
    let options = RestoreOptions {
        delete: true,
        ..to(holder.path())
    };
    let (totals, outcome, issues) = restore(&made, &options);
    assert_eq!((totals.delete, totals.problems, outcome.deleted), (0, 1, 0));
    assert!(issues.len() == 1 && issues[0].error.contains("vault"), "{issues:?}");
    assert!(moved.join("config").exists());
    fs::rename(&moved, made.folder.path()).unwrap();
}

#[test]
fn a_folder_mounted_elsewhere_is_not_emptied() {
    let made = make(vec![dir("data", vec![file("f", &[b"f"])])], &["/data"]);
    let target = tempfile::tempdir().unwrap();
    let extra = target.path().join("data/jail");
    let home = target.path().join("home");
    for folder in [extra.join("home"), home.clone()] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(home.join("precious"), "x").unwrap();
    struct Mount(std::path::PathBuf);
    impl Drop for Mount {
        fn drop(&mut self) {
            let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
        }
    }
    // Only root may; the same filesystem is there then under another name.
    if rustix::mount::mount_bind(&home, extra.join("home")).is_err() {
        return;
    }
    let mount = Mount(extra.join("home"));
    let options = RestoreOptions {
        delete: true,
        ..to(target.path())
    };
    let (totals, outcome, issues) = restore(&made, &options);
    assert_eq!((totals.delete, totals.problems, outcome.deleted), (0, 1, 0));
    assert!(issues.len() == 1 && issues[0].error.contains("mounted"), "{issues:?}");
    assert!(home.join("precious").exists());
    drop(mount);
    assert_eq!(restore(&made, &options).1.deleted, 2);
}

#[test]
fn deleting_in_place_needs_a_path() {
    let made = make(everything(), &["/data"]);
    let options = RestoreOptions {
        delete: true,
        ..RestoreOptions::new(Target::InPlace)
    };
    let refused = plan(
        &made.vault,
        &made.generation,
        &options,
        &Progress::default(),
        &Cancel::default(),
    );
    assert!(matches!(refused, Err(Error::Refused(_))));
}

#[test]
fn relative_paths_cannot_go_to_their_original_place() {
    let made = make(everything(), &["/home/me/data"]);
    let options = RestoreOptions {
        subtree: b"/data".to_vec(),
        ..RestoreOptions::new(Target::InPlace)
    };
    let refused = plan(
        &made.vault,
        &made.generation,
        &options,
        &Progress::default(),
        &Cancel::default(),
    );
    assert!(matches!(refused, Err(Error::Refused(why)) if why.contains("/home/me/data")));
}

#[test]
fn in_place_goes_to_the_original_path() {
    let target = tempfile::tempdir().unwrap();
    let place = target.path().canonicalize().unwrap().join("x");
    // The folders above, as a backup of `place` stores them.
    let parts: Vec<&str> = place.to_str().unwrap().split('/').skip(1).collect();
    let inner = vec![file("f", &[b"f"])];
    let tree = parts.iter().rev().fold(inner, |entries, name| vec![dir(name, entries)]);
    let made = make(tree, &[place.to_str().unwrap()]);
    let before = fs::metadata(target.path()).unwrap().permissions().mode();
    let subtree = place.to_str().unwrap().as_bytes().to_vec();
    let (totals, _, issues) = restore(
        &made,
        &RestoreOptions {
            subtree,
            ..RestoreOptions::new(Target::InPlace)
        },
    );
    assert_eq!(issues, []);
    assert_eq!((totals.create_files, totals.create_folders), (1, 1));
    assert_eq!(text(place.join("f")), "f");
    assert_eq!(fs::metadata(place).unwrap().mtime(), 1_600_000_000);
    assert_eq!(
        fs::metadata(target.path()).unwrap().permissions().mode(),
        before,
        "folders above stay as they are"
    );
}

#[test]
fn a_folder_in_the_way_is_removed_only_if_empty_or_asked_for() {
    let made = make(vec![dir("data", vec![file("f", &[b"f"]), link("l", "x")])], &["/data"]);
    let target = tempfile::tempdir().unwrap();
    for name in ["f", "l"] {
        fs::create_dir_all(target.path().join("data").join(name).join("content")).unwrap();
    }
    let (totals, _, issues) = restore(&made, &to(target.path()));
    assert_eq!(totals.problems, 2);
    assert!(
        issues.iter().all(|issue| issue.kind == IssueKind::InTheWay),
        "{issues:?}"
    );
    fs::remove_dir(target.path().join("data/f/content")).unwrap();
    restore(&made, &to(target.path()));
    assert_eq!(text(target.path().join("data/f")), "f");
    let (_, _, issues) = restore(
        &made,
        &RestoreOptions {
            delete: true,
            ..to(target.path())
        },
    );
    assert_eq!(issues, []);
    assert!(target.path().join("data/l").is_symlink());
}

#[test]
fn a_link_that_lost_its_file_is_made_again() {
    let made = make(everything(), &["/data"]);
    let target = tempfile::tempdir().unwrap();
    restore(&made, &to(target.path()));
    let data = target.path().join("data");
    fs::remove_file(data.join("sub/h2")).unwrap();
    fs::write(data.join("sub/h2"), "stray!").unwrap();
    let (totals, _, issues) = restore(&made, &to(target.path()));
    assert_eq!((totals.overwrite, issues), (1, vec![]));
    assert_eq!(
        fs::metadata(data.join("sub/h2")).unwrap().ino(),
        fs::metadata(data.join("h1")).unwrap().ino()
    );
    assert_eq!(fs::metadata(data.join("sub")).unwrap().mtime(), 1_600_000_000);
}

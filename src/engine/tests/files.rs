//! Versions and contents of files, through real backups of a small folder.

use super::questions::{answer, answers};
use super::*;
use question::{Comparison, Content, DiffLine, DiskNow, FileAt, Form, TreePath, VersionChange, VersionRow, Versions};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A plan `files` of one folder into the vault `home`; each backup is made a day after the one before.
struct Story {
    bench: Bench,
    files: PathBuf,
    day: Arc<AtomicI64>,
}

impl Story {
    fn new() -> Story {
        let day = Arc::new(AtomicI64::new(0));
        let clock = day.clone();
        let bench = Bench::with(move |settings| {
            settings.clock = Arc::new(move || Time {
                seconds: 1_700_000_000 + 86_400 * clock.load(Ordering::Relaxed),
                nanos: 0,
                offset: 0,
            });
        });
        let files = bench.path("files");
        std::fs::create_dir_all(files.join("sub")).unwrap();
        std::fs::write(bench.path("password"), PASSWORD).unwrap();
        let text = format!(
            "[vaults.home]\npath = 'v'\npassword-file = 'password'\n[plans.files]\npaths = ['{}']\nvault = 'home'\n",
            files.display()
        );
        let config = Config::parse(&text, &bench.path("config.toml")).unwrap();
        bench.engine.set_config(config);
        bench
            .engine
            .create("home", PasswordGiven::Configured, &test_options(2))
            .unwrap();
        Story { bench, files, day }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Story {
        std::fs::write(self.files.join(name), content).unwrap();
        self
    }

    /// A generation of what is there now.
    fn backup(&self) -> Id {
        self.day.fetch_add(1, Ordering::Relaxed);
        let task = Task::Plan {
            plan: "files".into(),
            vault: None,
            dry_run: false,
        };
        match self.bench.engine.start(task).unwrap().wait().unwrap() {
            TaskOutcome::Backup(outcome) => outcome.generation.unwrap().id,
            other => panic!("{other:?}"),
        }
    }

    fn path(&self, name: &str) -> TreePath {
        let path = self.files.join(name).display().to_string();
        path.split('/')
            .filter(|n| !n.is_empty())
            .map(|n| n.as_bytes().to_vec())
            .collect()
    }

    fn stored(&self, generation: Id, name: &str) -> FileAt {
        FileAt::Generation {
            vault: "home".into(),
            generation,
            path: self.path(name),
        }
    }

    fn versions(&self, generation: Id, name: &str) -> Versions {
        let question = Question::Versions {
            vault: "home".into(),
            generation,
            path: self.path(name),
        };
        match answer(&self.bench.engine, question) {
            Answer::Versions(versions) => versions,
            other => panic!("{other:?}"),
        }
    }

    fn content(&self, file: FileAt, limit: u64) -> Content {
        match answer(&self.bench.engine, Question::Content { file, limit }) {
            Answer::Content(content) => content,
            other => panic!("{other:?}"),
        }
    }

    fn compare(&self, before: FileAt, after: FileAt) -> Answer {
        answer(&self.bench.engine, Question::Compare { before, after })
    }
}

#[test]
fn a_folder_in_which_only_times_differ_is_one_version() {
    let story = Story::new();
    std::fs::create_dir_all(story.files.join("folder/inner")).unwrap();
    let first = story.write("folder/inner/notes", "one").backup();
    let later = std::time::SystemTime::now() + Duration::from_secs(60);
    let notes = std::fs::File::options()
        .write(true)
        .open(story.files.join("folder/inner/notes"))
        .unwrap();
    notes.set_modified(later).unwrap();
    let second = story.backup();
    let third = story.write("folder/inner/notes", "two").backup();
    let held = |name: &str| -> Vec<Vec<Id>> {
        let told = story.versions(second, name);
        let ids = |row: &VersionRow| row.held.iter().map(|(id, _)| *id).collect();
        told.versions.iter().map(ids).collect()
    };
    assert_eq!(held("folder"), [vec![third], vec![second, first]]);
    assert_eq!(held("folder/inner"), [vec![third], vec![second, first]]);
}

#[test]
fn another_machines_file_is_not_held_against_the_disk_here() {
    let story = Story::new();
    let text = format!(
        "[vaults.home]\npath = 'v'\npassword-file = 'password'\n[plans.files]\npaths = ['{}']\nvault = 'home'\nhost = 'web9'\n",
        story.files.display()
    );
    let config = Config::parse(&text, &story.bench.path("config.toml")).unwrap();
    story.bench.engine.set_config(config);
    let theirs = story.write("notes", "one").backup();
    let disk = || FileAt::Disk(story.files.join("notes"));
    let told = story.compare(story.stored(theirs, "notes"), disk());
    assert!(
        matches!(&told, Answer::Failed(why) if why.contains("another machine, web9")),
        "{told:?}"
    );
    let told = story.compare(story.stored(theirs, "notes"), story.stored(theirs, "notes"));
    assert_eq!(told, Answer::Comparison(Comparison::Same));
}

#[test]
fn versions_say_what_changed_when_and_which_generations_hold_it() {
    let story = Story::new();
    let first = story.write("other", "1").backup();
    let second = story.write("notes", "one").write("other", "2").backup();
    let third = story.write("other", "3").backup();
    let fourth = story.write("notes", "three").backup();
    std::fs::remove_file(story.files.join("notes")).unwrap();
    let fifth = story.backup();
    let sixth = story.write("notes", "one").backup();
    let told = story.versions(third, "notes");
    assert_eq!(
        (told.looked, told.of, told.newest_seen, told.oldest_seen),
        (6, 6, true, true)
    );
    let rows: Vec<_> = told
        .versions
        .iter()
        .map(|row| {
            let held: Vec<Id> = row.held.iter().map(|(id, _)| *id).collect();
            (row.change, row.entry.as_ref().and_then(|entry| entry.size), held)
        })
        .collect();
    let expected = [
        (VersionChange::Added, Some(3), vec![sixth]),
        (VersionChange::Deleted, None, vec![fifth]),
        (VersionChange::Content, Some(5), vec![fourth]),
        (VersionChange::Added, Some(3), vec![third, second]),
    ];
    assert_eq!(rows, expected);
    // What came back is known to be what was there before.
    assert_eq!(told.versions[0].content, told.versions[3].content);
    assert_ne!(told.versions[0].content, told.versions[2].content);
    assert_eq!(told.versions[3].held[1].1, 1_700_000_000 + 2 * 86_400);
    assert!(
        matches!(&told.disk, Some(DiskNow::There { size: Some(3), like_newest: true, path, .. }) if *path == story.files.join("notes")),
        "{:?}",
        told.disk
    );
    // A folder's versions, the same from whichever generation one begins.
    for from in [first, third, sixth] {
        let told = story.versions(from, "");
        assert_eq!(told.versions.len(), 6, "every backup changed something in the folder");
    }
    let sub = story.versions(sixth, "sub");
    assert_eq!((sub.versions.len(), sub.versions[0].held.len()), (1, 6));
    // Nothing there, ever.
    assert_eq!(story.versions(sixth, "never").versions, []);
}

#[test]
fn versions_are_known_without_the_vault_once_looked_at() {
    let story = Story::new();
    let first = story.write("notes", "one").backup();
    story.write("notes", "two and more").backup();
    let before = story.versions(first, "notes");
    std::fs::remove_file(story.files.join("notes")).unwrap();
    std::fs::rename(story.bench.path("v"), story.bench.path("gone")).unwrap();
    let other = Engine::new(settings(story.bench.folder.path(), |_| {})).unwrap();
    let question = Question::Versions {
        vault: story.bench.path("v").display().to_string(),
        generation: first,
        path: story.path("notes"),
    };
    let told = answers(&other, question);
    let Some(Answer::Versions(after)) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!(after.versions, before.versions);
    assert_eq!(
        after.disk,
        Some(DiskNow::Gone {
            path: story.files.join("notes")
        })
    );
}

#[test]
fn other_permissions_are_another_version_and_another_time_is_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let story = Story::new();
    story.write("tool", "#!/bin/sh").backup();
    std::fs::File::open(story.files.join("tool"))
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000))
        .unwrap();
    story.backup();
    std::fs::set_permissions(story.files.join("tool"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let last = story.backup();
    let told = story.versions(last, "tool");
    let changes: Vec<_> = told.versions.iter().map(|row| (row.change, row.held.len())).collect();
    assert_eq!(changes, [(VersionChange::Access, 1), (VersionChange::Added, 2)]);
}

#[test]
fn the_start_of_a_file_is_read_and_named() {
    let story = Story::new();
    let long: String = (0..40_000).map(|n| format!("line {n}\n")).collect();
    let generation = story
        .write("long", &long)
        .write("empty", "")
        .write("data", [0, 159, 146, 150])
        .write("picture", b"GIF89a\x80\x02\xe0\x01\xf7\0\0")
        .backup();
    let head = story.content(story.stored(generation, "long"), 1000);
    assert_eq!(
        (head.form, head.size, head.whole, head.head.as_slice()),
        (Form::Text, long.len() as u64, false, &long.as_bytes()[..1000])
    );
    let all = story.content(story.stored(generation, "long"), 1 << 20);
    assert!(all.whole && all.head == long.as_bytes());
    let forms =
        ["empty", "data", "picture"].map(|name| story.content(story.stored(generation, name), 4096).form.word());
    assert_eq!(forms, ["empty", "binary", "GIF image"]);
    let disk = story.content(FileAt::Disk(story.files.join("long")), 10);
    assert_eq!((disk.head.len(), disk.size), (10, long.len() as u64));
    for file in [
        story.stored(generation, "none"),
        story.stored(generation, "sub"),
        FileAt::Disk(story.files.join("none")),
        FileAt::Disk(story.files.clone()),
    ] {
        let told = answer(&story.bench.engine, Question::Content { file, limit: 10 });
        assert!(matches!(&told, Answer::Failed(_)), "{told:?}");
    }
}

#[test]
fn versions_are_compared_with_each_other_and_with_the_disk() {
    let story = Story::new();
    let first = story.write("notes", "a\nb\nc\n").write("data", [0, 1]).backup();
    let second = story.write("notes", "a\nB\nc\n").write("data", [0, 1, 2]).backup();
    let Answer::Comparison(Comparison::Text(diff)) =
        story.compare(story.stored(first, "notes"), story.stored(second, "notes"))
    else {
        panic!("no text")
    };
    assert_eq!((diff.added, diff.removed, diff.lines.len()), (1, 1, 4));
    assert!(matches!(
        &diff.lines[1],
        DiffLine::Line {
            before: Some(2),
            after: None,
            ..
        }
    ));
    let disk = FileAt::Disk(story.files.join("notes"));
    assert_eq!(
        story.compare(story.stored(second, "notes"), disk.clone()),
        Answer::Comparison(Comparison::Same)
    );
    story.write("notes", "a\nB\nc\nd\n");
    assert!(matches!(
        story.compare(story.stored(second, "notes"), disk.clone()),
        Answer::Comparison(Comparison::Text(diff)) if diff.added == 1
    ));
    std::fs::remove_file(story.files.join("notes")).unwrap();
    let told = story.compare(story.stored(second, "notes"), disk);
    assert!(
        matches!(&told, Answer::Failed(text) if text.contains("notes")),
        "{told:?}"
    );
    let told = story.compare(story.stored(first, "data"), story.stored(second, "data"));
    assert!(
        matches!(&told, Answer::Comparison(Comparison::Other(text)) if text.contains("1 B more") && text.contains("binary")),
        "{told:?}"
    );
}

#[test]
fn a_locked_vault_asks_for_its_password_before_contents_are_told() {
    let story = Story::new();
    let generation = story.write("notes", "one").backup();
    let other = Engine::new(settings(story.bench.folder.path(), |_| {})).unwrap();
    let file = FileAt::Generation {
        vault: story.bench.path("v").display().to_string(),
        generation,
        path: story.path("notes"),
    };
    let told = answer(&other, Question::Content { file, limit: 10 });
    assert!(matches!(told, Answer::PasswordNeeded { .. }), "{told:?}");
}

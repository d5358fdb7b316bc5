//! What keys do on the screen Snapshots.

use proptest::prelude::*;

use crate::engine::question::SnapshotTargetRow;
use crate::engine::{Answer, SnapshotTask, Task};
use crate::snapshot::Target;
use crate::tui::msg::{Effect, Msg};
use crate::tui::screens::snapshots::Pane;
use crate::tui::stage::Stage;
use crate::tui::theme::Look;

/// On the snapshots of `/srv/www`.
fn www() -> Stage {
    let mut stage = Stage::new(80, 24, Look::default());
    stage.keys("5 j j Enter");
    stage
}

fn names(stage: &Stage) -> Vec<&str> {
    let rows = stage.model.snapshots.targets.all.iter();
    rows.map(|row: &SnapshotTargetRow| row.name.as_str()).collect()
}

#[test]
fn what_runs_comes_first_and_what_cannot_be_comes_last() {
    let mut stage = Stage::new(80, 24, Look::default());
    assert!(names(&stage).is_empty(), "nothing is looked for before one goes there");
    stage.keys("5");
    assert_eq!(names(&stage)[..3], ["db", "/home", "/srv/www"]);
    assert_eq!(names(&stage).last(), Some(&"/boot"));
    stage.keys("G");
    assert!(
        stage.screen().contains("ext4 cannot share blocks"),
        "{}",
        stage.screen()
    );
    stage.keys("n");
    assert!(stage.model.dialogs.is_empty());
    assert!(
        stage.screen().contains("! ext4 cannot share blocks between files"),
        "a disabled key says why"
    );
}

#[test]
fn a_snapshot_is_taken_with_what_was_chosen() {
    let mut stage = www();
    stage.keys("n");
    stage.text("before 13");
    stage.keys("Tab → → Tab Space Enter");
    let done = stage.done();
    assert_eq!(done.len(), 1, "{done:?}\n{}", stage.screen());
    for part in [
        "targets: [Folder(\"/srv/www\")]",
        "consistency: Some(Filesystem)",
        "label: \"before 13\"",
        "protected: true",
        "ready: []",
        "Snapshot /srv/www",
    ] {
        assert!(done[0].contains(part), "{part}: {}", done[0]);
    }
    assert!(stage.model.dialogs.is_empty());
    stage.keys("n Enter");
    assert!(
        stage.done()[0].contains("ready: [\"postgresql\"]"),
        "who writes there is told"
    );
}

#[test]
fn several_are_taken_at_one_moment() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("5 Space Space");
    assert!(
        stage
            .screen()
            .contains("2 selected: n takes snapshots of all at one moment")
    );
    stage.keys("n Enter");
    let done = stage.done();
    assert!(
        done[0].contains("targets: [Machine(\"db\"), Folder(\"/home\")]") && done[0].contains("consistency: None"),
        "{done:?}"
    );
    assert!(stage.model.snapshots.targets.picks.is_empty());
}

#[test]
fn a_folder_that_is_not_listed_is_picked() {
    let mut stage = Stage::bare(80, 24, Look::default());
    stage.keys("5 N w");
    assert!(stage.screen().contains("Take a snapshot"), "{}", stage.screen());
    stage.keys("Enter");
    let done = stage.done();
    assert!(done[0].contains("targets: [Folder(\"/home/anna\")]"), "{done:?}");
}

#[test]
fn labels_and_protection_are_written_down() {
    let mut stage = www();
    stage.keys("e");
    stage.text("good");
    stage.keys("Tab Space Enter");
    assert_eq!(stage.changes.len(), 1);
    assert!(
        stage.changes[0].contains("Labels { label: \"good\", protected: true }"),
        "{:?}",
        stage.changes
    );
    stage.keys("G L");
    assert!(
        stage.changes[1].contains("Labels { label: \"release 11\", protected: false }"),
        "{:?}",
        stage.changes
    );
    stage.keys("e Enter");
    assert_eq!(stage.changes.len(), 2, "nothing changed, nothing is written");
}

#[test]
fn going_back_needs_the_plan_and_the_name() {
    let mut stage = www();
    stage.keys("j r");
    assert!(stage.screen().contains("1,204 files differ"), "{}", stage.screen());
    assert!(stage.screen().contains("a snapshot of /srv/www as it is now is taken"));
    stage.keys("Enter r s");
    assert!(stage.done().is_empty());
    assert!(stage.screen().contains("no snapshot of it first"), "{}", stage.screen());
    stage.keys("s y");
    stage.text("home");
    stage.keys("Enter");
    assert!(stage.done().is_empty() && stage.screen().contains("That is not it"));
    stage.keys("Ctrl-u");
    stage.text("www");
    stage.keys("Enter");
    let done = stage.done();
    assert!(
        done[0].contains("RollBack(") && done[0].contains("safety: true") && done[0].contains("Roll back /srv/www to"),
        "{done:?}"
    );
}

#[test]
fn going_back_is_refused_while_something_is_in_the_way() {
    let mut stage = Stage::new(80, 24, Look::default());
    stage.keys("5 j Enter r y");
    assert!(
        stage.screen().contains("/home is in use by bash (1203)"),
        "{}",
        stage.screen()
    );
    assert!(stage.done().is_empty());
    assert_eq!(stage.model.dialogs.len(), 1, "no name is asked for");
}

#[test]
fn deleting_is_staged_reviewed_and_spares_what_is_protected() {
    let mut stage = www();
    stage.keys("d d G d");
    assert!(
        stage.screen().contains("It is protected: nothing deletes it"),
        "{}",
        stage.screen()
    );
    stage.keys("k d");
    assert!(stage.screen().contains("Another program made it"), "{}", stage.screen());
    stage.keys("g v G d");
    assert!(
        stage.screen().contains("3 snapshots are left out"),
        "{}",
        stage.screen()
    );
    stage.keys("z w");
    assert!(
        stage.screen().contains("Delete 2 snapshots of /srv/www?"),
        "{}",
        stage.screen()
    );
    stage.keys("x y");
    stage.text("www");
    stage.keys("Enter");
    let started = stage.effects.iter().find_map(|effect| match effect {
        Effect::Start { task, .. } => Some(task),
        _ => None,
    });
    let Some(Task::Snapshot(SnapshotTask::Delete(all))) = started.map(|task| &**task) else {
        panic!("nothing is deleted");
    };
    assert_eq!(all.len(), 1);
}

#[test]
fn two_are_compared_or_one_with_the_present() {
    let mut stage = www();
    stage.keys("j c");
    assert!(stage.screen().contains("→ now"), "{}", stage.screen());
    assert!(stage.screen().contains("5 differences"));
    stage.keys("j Enter");
    assert!(
        stage.screen().contains("It is only in the present"),
        "{}",
        stage.screen()
    );
    stage.keys("j Enter");
    assert!(stage.screen().contains("index.html"), "{}", stage.screen());
    stage.keys("Esc Esc m G m c");
    assert!(
        stage
            .screen()
            .contains("2026-10-12 12:00 release 11 → 2026-11-22 10:00"),
        "{}",
        stage.screen()
    );
}

#[test]
fn single_files_come_back_out_of_a_snapshot() {
    let mut stage = www();
    stage.keys("Enter j j j r Enter y");
    let done = stage.done();
    for part in [
        "RestoreFiles",
        "IfChanged",
        "to: Some(\"/home/anna/restored\")",
        "Restore index.html to",
    ] {
        assert!(done[0].contains(part), "{part}: {done:?}");
    }
    stage.keys("Space k k k Enter Space h r → Tab → Enter");
    assert!(stage.screen().contains("Type www to go on"), "{}", stage.screen());
    stage.text("www");
    stage.keys("Enter");
    let done = stage.done();
    assert!(
        done[0].contains("to: None") && done[0].contains("Restore 2 items to /srv/www"),
        "{done:?}"
    );
}

#[test]
fn what_writes_over_nothing_is_not_asked_about() {
    let mut stage = www();
    stage.keys("Enter j j j r → Tab → → → Enter");
    assert!(stage.done()[0].contains("overwrite: Never"));
    let mut stage = www();
    stage.keys("Enter j j j r Tab Ctrl-u");
    stage.text("/srv/new");
    stage.keys("Enter");
    assert!(
        stage.done()[0].contains("IfChanged"),
        "nothing is there: {}",
        stage.screen()
    );
    stage.keys("j r Enter");
    assert!(stage.screen().contains("3 files there are"), "{}", stage.screen());
}

#[test]
fn folders_are_walked_through_and_filtered() {
    let mut stage = www();
    stage.keys("Enter j Enter");
    assert!(stage.screen().contains("/static"), "{}", stage.screen());
    stage.keys("/");
    stage.text("5");
    stage.keys("Enter");
    assert!(stage.screen().contains("part-05.bin") && !stage.screen().contains("part-04.bin"));
    stage.keys("h");
    assert!(stage.screen().contains("robots.txt"), "{}", stage.screen());
    stage.keys("h");
    assert!(stage.model.dialogs.is_empty());
    assert_eq!(stage.model.snapshots.pane, Pane::Snapshots);
}

#[test]
fn a_policy_runs_after_a_yes() {
    let mut stage = Stage::new(80, 24, Look::default());
    stage.keys("5 p r n");
    assert!(stage.done().is_empty());
    stage.keys("r y");
    assert!(stage.done()[0].contains("RunPolicy { policy: \"hourly\" }"));
    stage.keys("G r");
    assert!(
        stage.screen().contains("the cloud does not know it"),
        "{}",
        stage.screen()
    );
}

#[test]
fn the_screen_follows_what_changes() {
    let mut stage = www();
    let before = stage.model.snapshots.taken.all.len();
    stage.world.poison = Some(|answer| {
        if let Answer::Snapshots(list) = answer {
            list.rows.truncate(3);
        }
    });
    stage.send(Msg::SnapshotsChanged(Target::Folder("/srv/www".into())));
    assert_eq!((before, stage.model.snapshots.taken.all.len()), (21, 3));
    stage.keys("h");
    assert!(stage.screen().contains("3/7"), "{}", stage.screen());
}

#[test]
fn read_only_changes_nothing_and_says_why() {
    let mut stage = www();
    stage.model.read_only = true;
    for key in ["n", "r", "e", "L", "d", "C"] {
        stage.keys(key);
        assert!(stage.model.dialogs.is_empty(), "{key}");
        assert!(stage.screen().contains("Started with --read-only"), "{key}");
    }
    stage.keys("Enter r");
    assert_eq!(stage.model.dialogs.len(), 1);
    assert!(stage.done().is_empty() && stage.changes.is_empty());
}

const HANDS: [&str; 30] = [
    "j", "k", "Enter", "Enter", "h", "Tab", "n", "r", "s", "a", "c", "e", "L", "m", "Space", "v", "*", "d", "z", "w",
    "C", "p", "x", "Esc", "g", "G", "/", "R", "i", "Ctrl-s",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing goes back and nothing is deleted but after a y: not by Enter, not by any other key.
    #[test]
    fn only_y_and_a_name_do_harm(hands in prop::collection::vec(prop::sample::select(&HANDS[..]), 1..60), wide: bool) {
        let mut stage = match wide {
            true => Stage::new(120, 40, Look::default()),
            false => Stage::new(80, 24, Look::default()),
        };
        stage.keys("5 j j Enter");
        for key in hands {
            stage.keys(key);
            stage.screen();
            let list = &stage.model.snapshots.taken.list;
            let total = list.total().unwrap_or(0);
            prop_assert!(list.cursor() < total.max(1));
        }
        let harm = stage.effects.iter().any(|effect| matches!(effect, Effect::Start { task, .. }
            if matches!(**task, Task::Snapshot(SnapshotTask::RollBack(_) | SnapshotTask::Delete(_) | SnapshotTask::RunPolicy { .. }))));
        prop_assert!(!harm);
    }
}

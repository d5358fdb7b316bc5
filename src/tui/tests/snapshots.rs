//! What keys do on the screen Snapshots.

use proptest::prelude::*;

use crate::engine::question::SnapshotTargetRow;
use crate::engine::{Answer, Question, SnapshotTask, Task};
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
    assert_eq!(stage.changes.len(), 1, "asked first");
    assert!(
        stage.screen().contains("Take the protection away?"),
        "{}",
        stage.screen()
    );
    stage.keys("y");
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
fn a_policy_is_set_up_in_its_editor() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("5 j j p n Enter");
    assert!(stage.screen().contains("Give it a name"), "{}", stage.screen());
    stage.text("evenings");
    stage.keys("Ctrl-s");
    assert!(stage.screen().contains("Say what stays"), "{}", stage.screen());
    stage.text("7");
    stage.keys("Shift-Tab Shift-Tab");
    stage.text("mon-fri 20:00");
    stage.keys("Enter Ctrl-s");
    assert_eq!(
        stage.changes,
        [
            "add snapshot policy evenings, counting: [\"/srv/www\"] at [\"mon,tue,wed,thu,fri 20:00\"], last 7, at most None, hooks []"
        ],
        "{}",
        stage.screen()
    );
    assert!(
        stage.screen().contains("Saved snapshot policy evenings"),
        "{}",
        stage.screen()
    );
    assert_eq!(stage.model.dialogs.len(), 1, "back at the policies");
}

/// The policy `hourly`, changed to keep the last three and none a day, saved.
fn shorter() -> Stage {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("5 p Enter Tab Tab Tab Ctrl-u");
    stage.text("3");
    stage.keys("Tab Tab Ctrl-u Ctrl-s");
    stage
}

#[test]
fn whether_a_rule_counts_for_existing_ones_is_asked() {
    let mut stage = shorter();
    assert!(stage.screen().contains("would go by this rule"), "{}", stage.screen());
    assert!(stage.changes.is_empty());
    stage.keys("s");
    assert!(
        stage.changes[0].starts_with("replace snapshot policy hourly, sparing"),
        "{:?}",
        stage.changes
    );
    assert_eq!(stage.model.dialogs.len(), 1, "back at the policies");
    // That it counts is asked for by the name.
    let mut stage = shorter();
    stage.keys("y Enter");
    assert!(stage.changes.is_empty());
    stage.text("hourly");
    stage.keys("Enter");
    assert!(
        stage.changes[0].starts_with("replace snapshot policy hourly, counting"),
        "{:?}",
        stage.changes
    );
    // What goes by it goes with its next run, which is offered.
    assert!(stage.screen().contains("Run the policy now?"), "{}", stage.screen());
    stage.keys("y");
    let done = stage.done();
    assert!(done.len() == 1 && done[0].starts_with("RunPolicy"), "{done:?}");
    // Or it is left, and the policy can still be changed.
    let mut stage = shorter();
    stage.keys("Esc Esc n");
    assert!(
        stage.changes.is_empty() && stage.screen().contains("Snapshot policy hourly"),
        "{}",
        stage.screen()
    );
    stage.keys("Esc y");
    assert_eq!(stage.model.dialogs.len(), 1);
}

#[test]
fn a_policy_that_lets_nothing_more_go_is_just_saved() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("5 p Enter Tab Tab Tab Ctrl-u");
    stage.text("200");
    stage.keys("Ctrl-s");
    assert!(
        stage.changes[0].starts_with("replace snapshot policy hourly, counting"),
        "{:?}",
        stage.changes
    );
}

#[test]
fn a_policy_is_removed_after_a_yes() {
    let mut stage = Stage::new(80, 24, Look::default());
    stage.keys("5 p x n");
    assert!(stage.changes.is_empty());
    stage.keys("x y");
    assert_eq!(stage.changes, ["remove snapshot policy hourly"]);
}

#[test]
fn what_a_rule_would_delete_is_shown_before_and_written_after_the_name() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("5 j j $");
    assert!(stage.screen().contains("Rule of policy hourly"), "{}", stage.screen());
    stage.keys("Enter w");
    assert!(
        stage.screen().contains("This is the rule that the policy has"),
        "{}",
        stage.screen()
    );
    stage.keys("← ← ← j j j j j 0 w");
    assert!(stage.screen().contains("would go by this rule"), "{}", stage.screen());
    stage.keys("y");
    stage.text("hourly");
    stage.keys("Enter");
    assert!(
        stage.changes[0].starts_with("replace snapshot policy hourly, counting"),
        "{:?}",
        stage.changes
    );
    assert!(stage.done().is_empty(), "nothing is deleted by that");
    stage.keys("n S");
    assert!(stage.screen().contains("Rule of home"), "{}", stage.screen());
}

#[test]
fn an_answer_to_an_older_rule_is_dropped() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("6 S Enter");
    stage.silent = true;
    stage.keys("← ← ←");
    let asked = |stage: &Stage| {
        let what_ifs = stage
            .unanswered
            .iter()
            .filter(|(_, question)| matches!(question, Question::SnapshotWhatIf(_)));
        what_ifs.count()
    };
    assert_eq!(asked(&stage), 1, "one at a time");
    assert!(stage.screen().contains("working"), "{}", stage.screen());
    stage.silent = false;
    stage.answer();
    assert!(stage.screen().contains("by this rule"), "{}", stage.screen());
}

#[test]
fn a_snapshot_is_sent_into_a_vault() {
    let mut stage = www();
    stage.keys("E → Tab");
    stage.text("release 13");
    stage.keys("Enter");
    let started = stage.effects.iter().find_map(|effect| match effect {
        Effect::Start { task, title } => Some((task, title)),
        _ => None,
    });
    let Some((task, title)) = started else {
        panic!("nothing is sent")
    };
    let Task::SendSnapshot {
        vault,
        at,
        tags,
        dry_run,
    } = &**task
    else {
        panic!("{task:?}")
    };
    assert_eq!(
        (vault.as_str(), at.target.to_string().as_str(), *dry_run),
        ("away", "/srv/www", false)
    );
    assert_eq!(tags, &["release", "13"]);
    assert_eq!(title, "Send a snapshot of /srv/www to away");
    assert!(stage.model.dialogs.is_empty());
    let mut stage = Stage::bare(80, 24, Look::default());
    stage.keys("5 E");
    assert!(stage.model.dialogs.is_empty());
}

#[test]
fn what_is_in_a_file_of_a_snapshot_is_seen_beside_the_list() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("5 j j Enter Enter j j j");
    assert!(!stage.screen().contains("of two lines"), "not before the cursor rests");
    stage.wait(500);
    assert!(stage.screen().contains("of two lines"), "{}", stage.screen());
    stage.keys("x");
    assert!(stage.screen().contains("70 6c 61 69"), "{}", stage.screen());
    stage.keys("k k");
    stage.wait(500);
    assert!(stage.screen().contains("part-00.bin"), "{}", stage.screen());
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

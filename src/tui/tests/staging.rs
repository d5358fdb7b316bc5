//! What is chosen and staged among rows that change meanwhile: a range, a cursor, what is to be deleted.

use super::behaviour::in_files;
use crate::engine::question::GenerationRow;
use crate::engine::{Answer, JobKind, JobState, Question};
use crate::tui::msg::Msg;
use crate::tui::screens::vaults::staging;
use crate::tui::stage::Stage;
use crate::tui::stage::vaults::generations;
use crate::tui::theme::Look;
use crate::vault::Id;

fn stage(keys: &str) -> Stage {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("2 Enter");
    stage.keys(keys);
    stage
}

/// Answers the question of this kind that waits longest.
fn answer(stage: &mut Stage, wanted: impl Fn(&Question) -> bool, change: impl Fn(&mut Answer)) {
    let at = stage.unanswered.iter().position(|(_, question)| wanted(question));
    let (request, question) = at.and_then(|at| stage.unanswered.remove(at)).unwrap();
    let mut answer = stage.world.answer(&question);
    change(&mut answer);
    let at = stage.now();
    stage.send(Msg::Answer {
        request,
        answer,
        complete: true,
        at,
    });
}

/// The list is read anew and has other generations.
fn changed(stage: &mut Stage, change: impl Fn(&mut Vec<GenerationRow>)) {
    stage.silent = true;
    stage.send(Msg::VaultChanged("home".into()));
    let wanted = |question: &Question| matches!(question, Question::Generations { .. });
    answer(stage, wanted, |answer| {
        if let Answer::Generations(rows) = answer {
            change(rows);
        }
    });
}

#[test]
fn a_range_holds_its_generations_when_others_come_and_go() {
    let mut stage = stage("j j v j j");
    changed(&mut stage, |rows| {
        let newest = GenerationRow {
            id: Id::of(b"new"),
            time: rows[0].time + 3600,
            ..rows[0].clone()
        };
        rows.insert(0, newest);
    });
    stage.keys("d");
    let wanted: Vec<Id> = generations()[2..5].iter().map(|row| row.id).collect();
    assert_eq!(staging::staged(&stage.model), wanted);
    stage.keys("g j v j j");
    changed(&mut stage, |rows| _ = rows.remove(0));
    assert!(
        stage.screen().contains("where the range began is gone"),
        "{}",
        stage.screen()
    );
    assert_eq!(stage.model.generations.anchor, None);
}

#[test]
fn rows_in_another_order_leave_a_range_and_keep_the_cursor_on_its_entry() {
    let mut stage = in_files();
    stage.keys("s s");
    let projects = stage.model.files.list.find(|row| row.name == b"projects");
    stage.model.files.list.go(projects.unwrap());
    stage.silent = true;
    stage.keys("Enter");
    let rows = |question: &Question| matches!(question, Question::Folder { .. });
    answer(&mut stage, rows, |_| {});
    stage.keys("v j");
    answer(
        &mut stage,
        |question| matches!(question, Question::Weigh { .. }),
        |_| {},
    );
    // They are read again, by what they weigh; one goes on meanwhile.
    stage.keys("j");
    let on = |stage: &Stage| stage.model.files.list.current().map(|row| row.name.clone());
    let before = on(&stage);
    answer(&mut stage, rows, |answer| {
        if let Answer::Folder(window) = answer {
            window.rows.reverse();
            window.at = window.at.map(|at| window.total - 1 - at);
        }
    });
    assert_eq!(stage.model.files.anchor, None, "it would hold others");
    assert!(stage.screen().contains("begin the range again"), "{}", stage.screen());
    assert_eq!((on(&stage), stage.model.files.list.cursor()), (before, 1));
}

#[test]
fn nothing_is_reviewed_before_it_is_listed() {
    let mut stage = Stage::new(80, 24, Look::default());
    stage.keys("2 Enter d d d h j");
    stage.silent = true;
    stage.keys("k");
    assert!(stage.screen().contains("3 generations to be deleted: w reviews"));
    stage.keys("w");
    assert!(
        stage.model.dialogs.is_empty() && stage.screen().contains("still being read"),
        "{}",
        stage.screen()
    );
    // It is read for that, though the vaults alone are shown.
    answer(
        &mut stage,
        |question| matches!(question, Question::Generations { .. }),
        |_| {},
    );
    stage.keys("w");
    assert!(
        stage.screen().contains("Delete 3 generations of home?"),
        "{}",
        stage.screen()
    );
    // One of them goes elsewhere meanwhile, then all.
    changed(&mut stage, |rows| _ = rows.remove(1));
    assert!(
        stage.screen().contains("Delete 2 generations of home?"),
        "{}",
        stage.screen()
    );
    changed(&mut stage, |rows| _ = rows.drain(..3));
    stage.keys("y");
    assert!(
        stage.screen().contains("All that was staged is gone already"),
        "{}",
        stage.screen()
    );
}

#[test]
fn no_snapshot_is_reviewed_before_it_is_listed() {
    let mut stage = Stage::new(80, 24, Look::default());
    stage.keys("5 j j Enter d h j");
    stage.wait(200);
    stage.silent = true;
    stage.keys("k");
    stage.wait(200);
    stage.keys("w");
    assert!(
        stage.model.dialogs.is_empty() && stage.screen().contains("still being read"),
        "{}",
        stage.screen()
    );
    answer(
        &mut stage,
        |question| matches!(question, Question::Snapshots { .. }),
        |_| {},
    );
    stage.keys("w");
    assert!(
        stage.screen().contains("Delete 1 snapshot of /srv/www?"),
        "{}",
        stage.screen()
    );
}

#[test]
fn nothing_is_deleted_before_it_is_known_what_is_lost() {
    let mut stage = stage("d d");
    stage.silent = true;
    stage.keys("w y");
    let screen = stage.screen();
    assert!(
        screen.contains("Delete 2 generations of home?") && screen.contains("not worked out yet"),
        "{screen}"
    );
    let what_if = |question: &Question| matches!(question, Question::WhatIf(_));
    let failed = |answer: &mut Answer| *answer = Answer::Failed("no room for the catalog".into());
    answer(&mut stage, what_if, failed);
    stage.keys("y");
    let screen = stage.screen();
    assert!(
        screen.contains("Type home to go on:") && screen.contains("lost for ever"),
        "{screen}"
    );
}

#[test]
fn what_is_staged_stays_so_until_it_is_gone() {
    let mut stage = stage("d d d w y");
    stage.text("home");
    stage.keys("Enter");
    let job = stage.start_job(JobKind::Forget, "Delete 3 generations of home");
    stage.keys("w");
    assert!(stage.model.dialogs.is_empty(), "they are being deleted already");
    assert!(
        stage.screen().contains("are being deleted: J shows"),
        "{}",
        stage.screen()
    );
    // Another program holds the vault: nothing was deleted.
    let failed = JobState::Failed {
        error: "the vault is locked".into(),
        exit_code: 11,
    };
    stage.end_job(&job, failed);
    assert_eq!(staging::staged(&stage.model).len(), 3);
    changed(&mut stage, |rows| _ = rows.drain(..3));
    assert!(staging::staged(&stage.model).is_empty());
}

#[test]
fn a_rule_that_is_carried_out_leaves_what_is_staged() {
    let mut stage = stage("d d");
    stage.keys("6 ← ← ← ← w y");
    stage.text("home");
    stage.keys("Enter");
    assert_eq!(staging::staged(&stage.model).len(), 2, "{}", stage.screen());
    let started = stage.done();
    assert!(started.iter().any(|task| task.starts_with("Forget")), "{started:?}");
}

/// Years of hourly backups, all of them staged: a key costs what the list is long, not its square.
#[test]
fn frames_stay_quick_with_years_staged() {
    let mut stage = stage("");
    changed(&mut stage, |rows| {
        let newest = rows[0].clone();
        *rows = (0..15_000u32)
            .map(|n| GenerationRow {
                id: Id::of(&n.to_le_bytes()),
                time: newest.time - 3600 * i64::from(n),
                ..newest.clone()
            })
            .collect();
    });
    let start = std::time::Instant::now();
    for keys in ["a d", "g d", "z", "w", "Space", "Esc"] {
        stage.keys(keys);
        stage.screen();
    }
    assert_eq!(staging::staged(&stage.model).len(), 14_999);
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn generations_are_listed_in_another_order() {
    let mut stage = stage("j j");
    let on = |stage: &Stage| stage.model.generations.list.current().map(|row| row.id);
    let before = on(&stage);
    stage.keys("s a");
    assert_eq!(on(&stage), before, "the cursor stays on its generation");
    assert!(stage.screen().contains("most added first"), "{}", stage.screen());
    stage.keys("g");
    assert_eq!(on(&stage), Some(generations()[13].id), "the first one brought most");
    // It is read anew in the same order; once more turns it round.
    changed(&mut stage, |_| {});
    assert_eq!(
        stage.model.generations.list.get(0).map(|row| row.id),
        Some(generations()[13].id)
    );
    stage.keys("s a G");
    assert_eq!(on(&stage), Some(generations()[13].id));
    stage.keys("s t g");
    assert_eq!(on(&stage), Some(generations()[0].id));
}

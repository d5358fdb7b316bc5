//! Dialogs that delete, where there is little room: what is lost, what is to be typed, the field and the keys are in sight.

use crate::engine::{Answer, JobKind};
use crate::tui::stage::Stage;
use crate::tui::theme::Look;

/// The sizes, each with a job that runs.
const SIZES: [(u16, u16); 3] = [(60, 15), (60, 24), (80, 24)];

fn stage(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::new(columns, rows, Look::default());
    stage.start_job(JobKind::Check, "Check away");
    stage
}

/// The line, from the top, that holds this; the screen where there is none.
fn line_of(stage: &Stage, wanted: &str) -> usize {
    let screen = stage.screen();
    let at = screen.lines().position(|line| line.contains(wanted));
    at.unwrap_or_else(|| panic!("no {wanted:?}\n{screen}"))
}

/// The question on top asks for a name: all of it can be read, then the name is typed in sight, above the keys.
fn asks_for(stage: &mut Stage, name: &str, said: &[&str]) {
    let (prompt, keys) = (
        line_of(stage, &format!("Type {name} to go on:")),
        line_of(stage, "Esc close"),
    );
    assert!(prompt + 1 < keys, "the field is between them\n{}", stage.screen());
    let mut read = stage.screen();
    for _ in 0..30 {
        stage.keys("↓");
        read.push_str(&stage.screen());
    }
    for wanted in said {
        assert!(read.contains(wanted), "no {wanted:?}\n{}", stage.screen());
    }
    stage.text(name);
    let typed = line_of(stage, &format!("│ {name}"));
    assert_eq!(typed, prompt + 1, "{}", stage.screen());
    stage.keys("Enter");
    let done = stage.done();
    assert_eq!(done.len(), 1, "{done:?}\n{}", stage.screen());
}

#[test]
fn generations_are_deleted_with_all_of_it_in_sight() {
    for (columns, rows) in SIZES {
        let mut stage = stage(columns, rows);
        stage.keys("2 Enter a d w");
        line_of(&stage, "the vault will be empty");
        line_of(&stage, "y delete them");
        stage.keys("y");
        asks_for(&mut stage, "home", &["undone", "lost for ever"]);
    }
}

#[test]
fn what_a_rule_lets_go_is_deleted_with_all_of_it_in_sight() {
    for (columns, rows) in SIZES {
        let mut stage = stage(columns, rows);
        stage.keys("6 ← ← ← ← w");
        line_of(&stage, "lost for ever");
        line_of(&stage, "y delete them");
        stage.keys("y");
        asks_for(&mut stage, "home", &["undone", "lost for ever"]);
    }
}

#[test]
fn snapshots_go_and_are_gone_back_to_with_all_of_it_in_sight() {
    for (columns, rows) in SIZES {
        let mut stage = stage(columns, rows);
        stage.keys("5 j j Enter d w");
        line_of(&stage, "come back");
        stage.keys("y");
        asks_for(&mut stage, "www", &["undone", "stay"]);
        let mut stage = self::stage(columns, rows);
        stage.keys("5 j j Enter j r");
        line_of(&stage, "the state now is kept");
        let lost = match &stage.world.answer(&crate::engine::Question::PlanRollback {
            at: crate::tui::screens::snapshots::at(stage.model.snapshots.taken.list.current().unwrap()),
            safety: true,
        }) {
            Answer::RollbackPlan(plan) => plan.loses.clone(),
            other => panic!("{other:?}"),
        };
        let words = lost[0].split(' ').take(3).collect::<Vec<_>>().join(" ");
        stage.keys("y");
        asks_for(&mut stage, "www", &["goes back to how it was", &words]);
    }
}

/// A yes is not heard before all of the question was in sight.
#[test]
fn what_was_not_in_sight_is_not_agreed_to() {
    let mut stage = stage(60, 15);
    stage.keys("2 Enter a d w y");
    let shown = line_of(&stage, " 1-");
    assert!(shown < 4, "how much of it is shown\n{}", stage.screen());
    stage.text("home");
    stage.keys("Enter");
    assert!(stage.done().is_empty());
    line_of(&stage, "There is more to read first");
    stage.keys("PgDn PgDn PgDn Enter");
    assert_eq!(stage.done().len(), 1, "{}", stage.screen());
}

#[test]
fn a_restores_plan_shows_what_is_lost_and_its_warnings() {
    for (columns, rows) in SIZES {
        let mut stage = stage(columns, rows);
        stage.keys("2 Enter Enter G k r");
        let poison = |answer: &mut Answer| {
            if let Answer::RestorePreview(preview) = answer {
                (preview.delete, preview.delete_bytes, preview.problems) = (7, 123, 3);
                (preview.overwrite, preview.left) = (5, 2);
                preview.warnings = vec!["The owner of nothing can be set.".into()];
            }
        };
        stage.world.poison = Some(poison);
        stage.keys("Enter");
        for wanted in [
            "overwrite",
            "delete",
            "impossible",
            "! The owner of nothing",
            "to write",
        ] {
            line_of(&stage, wanted);
        }
        line_of(&stage, "y ");
    }
}

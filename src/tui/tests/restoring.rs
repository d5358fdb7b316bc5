//! What keys do on the way to a restore.

use super::behaviour::in_files;
use crate::engine::question::RestorePreview;
use crate::engine::{Answer, JobState};
use crate::tui::dialog::GUARD;
use crate::tui::dialogs::restore::{RestoreForm, RestorePlan};
use crate::tui::keys::Key;
use crate::tui::msg::Msg;

#[test]
fn restore_goes_by_form_plan_and_y() {
    let mut stage = in_files();
    stage.keys("j Space G Space r Tab Ctrl-u");
    stage.text("~/full");
    stage.keys("Tab → → Enter");
    assert!(
        stage.screen().contains("6 newer than the generation"),
        "{}",
        stage.screen()
    );
    stage.keys("Enter");
    assert!(stage.done().is_empty(), "Enter never confirms");
    stage.keys("y");
    let title = "Restore 2 items to /home/anna/full";
    assert_eq!(stage.done(), [format!("restore by plan 8: {title}")]);
    let gone = stage.model.dialog_mut::<RestoreForm>().is_none() && stage.model.dialog_mut::<RestorePlan>().is_none();
    assert!(gone, "form and plan are gone");
    let job = stage.started(title);
    stage.progress(&job, 50);
    assert!(stage.screen().contains("50 %"), "{}", stage.screen());
    let state = JobState::Done {
        summary: "80 files written".into(),
        problems: 2,
    };
    stage.end_job(&job, state);
    assert!(stage.screen().contains("Done but for 2 problems"), "{}", stage.screen());
    stage.keys("j Enter");
    assert!(stage.model.dialogs.is_empty());
    assert_eq!(
        stage.model.files.folder,
        [b"home".to_vec(), b"anna".to_vec()],
        "the problem's file is reached"
    );
}

#[test]
fn in_place_and_deleting_need_the_vaults_name() {
    for keys in ["j r → → Enter", "j r Tab Tab Tab Space Enter"] {
        let mut stage = in_files();
        stage.keys(keys);
        stage.keys("y");
        assert!(stage.done().is_empty(), "{keys}: {}", stage.screen());
        stage.text("hme");
        stage.keys("Enter");
        assert!(stage.done().is_empty() && stage.screen().contains("That is not it"));
        stage.keys("Ctrl-u");
        stage.text("home");
        stage.keys("Enter");
        assert_eq!(stage.done().len(), 1, "{keys}: {}", stage.screen());
    }
}

#[test]
fn a_refused_restore_leaves_no_dialog() {
    let mut stage = in_files();
    stage.keys("j r Enter y");
    assert!(stage.screen().contains("starting"), "{}", stage.screen());
    stage.send(Msg::Refused(
        "this restore plan is gone: make it again".into(),
        stage.now(),
    ));
    assert!(stage.model.dialogs.is_empty() && stage.screen().contains("make it again"));
}

#[test]
fn keys_of_the_first_moment_and_pasted_ones_confirm_nothing() {
    let mut stage = in_files();
    stage.keys("r Enter");
    let opened = stage.millis;
    for millis in [opened, opened + GUARD - 1] {
        stage.millis = millis;
        stage.send(Msg::Key(Key::char('y'), stage.now()));
        assert!(stage.done().is_empty(), "after {} ms", millis - opened);
    }
    stage.millis = opened + 5000;
    stage.send(Msg::Paste("y\ny".into(), stage.now()));
    assert!(stage.done().is_empty());
    stage.millis = opened + GUARD;
    stage.send(Msg::Key(Key::char('y'), stage.now()));
    assert_eq!(stage.done().len(), 1);
}

#[test]
fn the_guard_starts_when_the_plan_is_there() {
    let mut stage = in_files();
    stage.keys("r");
    stage.silent = true;
    stage.keys("Enter y");
    stage.millis += 60_000;
    stage.keys("y");
    stage.silent = false;
    stage.answer();
    stage.millis += 100;
    stage.send(Msg::Key(Key::char('y'), stage.now()));
    assert!(stage.done().is_empty());
    stage.keys("y");
    assert_eq!(stage.done().len(), 1);
}

#[test]
fn a_plan_that_fails_says_so_and_the_form_is_still_there() {
    let mut stage = in_files();
    stage.keys("r Tab Ctrl-u");
    stage.text("relative");
    stage.keys("Enter");
    assert!(stage.screen().contains("Give the folder's whole path"));
    stage.keys("Ctrl-u");
    stage.text("/root/forbidden");
    stage.keys("Enter");
    assert!(
        stage
            .screen()
            .contains("cannot make /root/forbidden: Permission denied")
    );
    stage.keys("y");
    assert!(stage.done().is_empty());
    stage.keys("Esc");
    assert!(stage.model.dialog::<RestoreForm>().is_some() && stage.model.dialog_mut::<RestorePlan>().is_none());
}

#[test]
fn without_a_selection_the_row_or_the_generation_is_restored() {
    let mut stage = in_files();
    stage.keys("j r");
    assert!(stage.screen().contains("documents/: 41 files"), "{}", stage.screen());
    stage.keys("Esc h h h r");
    assert!(
        stage.screen().contains("everything of 2026-08-22 03:00: 41 files"),
        "{}",
        stage.screen()
    );
}

#[test]
fn what_is_there_already_needs_no_name_and_what_fails_leads_back() {
    let mut stage = in_files();
    stage.world.poison = Some(|answer| {
        if let Answer::RestorePreview(preview) = answer {
            let plan = preview.plan;
            **preview = RestorePreview {
                plan,
                keep: 2,
                room: preview.room.clone(),
                ..RestorePreview::default()
            };
        }
    });
    stage.keys("j r → → Enter");
    assert!(
        stage.screen().contains("there already, all of it"),
        "{}",
        stage.screen()
    );
    stage.keys("y");
    assert_eq!(stage.done().len(), 1, "no name is asked for: {}", stage.screen());
    let mut stage = in_files();
    stage.keys("j r Tab Ctrl-u");
    stage.text("/root/forbidden");
    stage.keys("Enter");
    assert!(stage.screen().contains("n goes back to the form"), "{}", stage.screen());
    stage.keys("n");
    assert!(stage.screen().contains("lands as"), "{}", stage.screen());
}

#[test]
fn a_restore_that_failed_without_a_list_has_no_dead_key() {
    let mut stage = in_files();
    stage.world.poison = Some(|answer| {
        if let Answer::Issues(issues) = answer {
            issues.clear();
        }
    });
    stage.keys("j r Enter y");
    let title = "Restore documents/ to /home/anna/restored";
    let job = stage.started(title);
    stage.end_job(
        &job,
        JobState::Failed {
            error: "the disk is full".into(),
            exit_code: 1,
        },
    );
    assert!(
        stage.screen().contains("Failed: the disk is full"),
        "{}",
        stage.screen()
    );
    assert!(!stage.screen().contains("go to it"), "{}", stage.screen());
}

//! A file through time.

use super::behaviour::in_files;
use crate::tui::msg::Msg;
use crate::tui::stage::Stage;

pub(in super::super) fn on_notes() -> Stage {
    let mut stage = in_files();
    let newest = stage.model.generations.all[0].id;
    assert!(crate::tui::screens::files::travel::go_to(&mut stage.model, newest));
    stage.wait(0);
    stage.keys("G k");
    assert_eq!(
        stage.model.files.list.current().map(|row| row.name.as_slice()),
        Some(&b"notes.txt"[..])
    );
    stage
}

#[test]
fn a_file_is_followed_back_and_forth_through_time() {
    let mut stage = on_notes();
    let shown = |stage: &Stage| stage.model.generations.list.cursor();
    stage.keys("<");
    assert!(
        stage.screen().contains("version 3 of 4") && stage.screen().contains("; deleted"),
        "{}",
        stage.screen()
    );
    assert_eq!(shown(&stage), 3, "the nearest of the generations that hold it");
    stage.keys("< <");
    assert_eq!(shown(&stage), 11);
    stage.keys("<");
    assert_eq!(shown(&stage), 11);
    assert!(stage.screen().contains("this is the oldest version"));
    stage.keys("> > >");
    assert_eq!(shown(&stage), 1);
    let row = stage.model.files.list.current().map(|row| row.name.clone());
    assert_eq!(row.as_deref(), Some(&b"notes.txt"[..]), "the cursor stays on it");
    stage.keys(">");
    assert!(stage.screen().contains("this is the newest version"));
}

#[test]
fn a_step_waits_until_versions_are_known_and_the_cursor_is_still_there() {
    let mut stage = on_notes();
    stage.silent = true;
    stage.keys("<");
    assert!(stage.screen().contains("looking for other versions"));
    assert_eq!(stage.model.generations.list.cursor(), 0);
    // The vault was opened for it: that changes nothing.
    stage.send(Msg::VaultChanged("home".into()));
    stage.silent = false;
    stage.answer();
    assert_eq!(stage.model.generations.list.cursor(), 3);
    let mut stage = on_notes();
    stage.silent = true;
    stage.keys("< k");
    stage.silent = false;
    stage.answer();
    assert_eq!(
        stage.model.generations.list.cursor(),
        0,
        "nothing jumps under the cursor"
    );
}

#[test]
fn a_version_is_brought_back_beside_or_over_the_current_one() {
    let mut stage = on_notes();
    stage.keys("V j j r");
    let form = stage.model.dialog::<crate::tui::dialogs::restore::RestoreForm>();
    assert!(form.is_some());
    assert!(
        stage.screen().contains("notes.txt as of 2026-11-15"),
        "{}",
        stage.screen()
    );
    stage.keys("Esc Esc");
    assert!(stage.model.dialogs.is_empty());
    stage.keys("V Enter");
    assert_eq!(
        stage.model.generations.list.cursor(),
        0,
        "the version shown is the one the list starts on"
    );
    stage.keys("V j j Enter");
    assert_eq!(stage.model.generations.list.cursor(), 3);
}

#[test]
fn sizes_appear_as_they_are_found() {
    let mut stage = in_files();
    stage.keys("j j j j j j j");
    stage.silent = true;
    stage.keys("Enter");
    // The rows, then the weighing.
    let asked: Vec<_> = stage.unanswered.iter().map(|(_, question)| question.clone()).collect();
    assert!(
        matches!(asked.as_slice(), [crate::engine::Question::Folder { .. }]),
        "{asked:?}"
    );
    stage.silent = false;
    stage.answer();
    let row = stage.model.files.list.get(0).map(|row| (row.name.clone(), row.size));
    assert_eq!(
        row,
        Some((b"archive".to_vec(), None)),
        "read anew after the weighing, as the stage knows no sizes"
    );
    assert_eq!(stage.model.files.heaviest, 1_234_567);
    assert!(stage.unanswered.is_empty(), "it is not asked over and over");
}

#[test]
fn the_preview_follows_once_the_cursor_rests() {
    let mut stage = in_files();
    stage.send(Msg::Resize(120, 40));
    stage.keys("G k");
    stage.wait(200);
    assert!(stage.screen().contains("Call the dentist."));
    stage.send(Msg::Key(crate::tui::keys::Key::char('k'), stage.now()));
    assert!(stage.screen().contains("Call the dentist."), "not yet");
    stage.wait(100);
    assert!(stage.screen().contains("Call the dentist."), "not yet");
    stage.wait(100);
    assert!(!stage.screen().contains("Call the dentist."));
    assert!(stage.screen().contains("plain text"), "{}", stage.screen());
}

#[test]
fn sorting_keeps_the_cursor_on_its_row() {
    let mut stage = on_notes();
    stage.keys("s s");
    let current = |stage: &Stage| stage.model.files.list.current().map(|row| row.name.clone());
    assert_eq!(current(&stage).as_deref(), Some(&b"notes.txt"[..]));
    stage.keys("g");
    assert_eq!(current(&stage).as_deref(), Some(&b"photos"[..]), "the largest first");
    assert!(stage.screen().contains("largest first"));
    stage.keys("s r");
    assert!(stage.screen().contains("smallest first"));
}

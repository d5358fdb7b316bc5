//! What keys do.

use crate::engine::{JobKind, JobState, Picked};
use crate::tui::dialog::GUARD;
use crate::tui::dialogs::password::Password;
use crate::tui::dialogs::restore::{RestoreForm, RestorePlan};
use crate::tui::keys::Key;
use crate::tui::model::{Load, Screen};
use crate::tui::msg::{Effect, Msg};
use crate::tui::screens::vaults::Pane;
use crate::tui::stage::Stage;
use crate::tui::theme::Look;

fn stage() -> Stage {
    Stage::new(80, 24, Look::default())
}

/// In `/home/anna` of the generation of three months ago.
fn in_files() -> Stage {
    let mut stage = stage();
    stage.keys("Enter j j j j j j j j Enter");
    stage
}

fn path(text: &str) -> Vec<Vec<u8>> {
    text.split('/')
        .filter(|name| !name.is_empty())
        .map(|name| name.as_bytes().to_vec())
        .collect()
}

#[test]
fn opening_a_generation_goes_to_the_first_folder_that_holds_more_than_one() {
    let stage = in_files();
    assert_eq!(stage.model.screen, Screen::Files);
    assert_eq!(stage.model.files.folder, path("home/anna"));
    assert!(stage.screen().contains("2026-08-22 03:00 › /home/anna"));
}

#[test]
fn going_back_finds_the_cursor_where_it_was() {
    let mut stage = in_files();
    stage.keys("j Enter j Enter");
    assert_eq!(
        stage.model.files.folder,
        path("home/anna/documents"),
        "a file is not entered"
    );
    stage.keys("h h");
    assert_eq!(
        (stage.model.files.folder.clone(), stage.model.files.list.cursor()),
        (path("home/anna"), 1)
    );
    stage.keys("h h");
    assert_eq!(stage.model.files.folder, path(""), "up to the root");
    stage.keys("h");
    assert_eq!(
        (stage.model.screen, stage.model.pane),
        (Screen::Vaults, Pane::Generations)
    );
    assert_eq!(stage.model.generations.list.cursor(), 8);
}

#[test]
fn another_generation_shows_the_same_folder() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("Enter Enter j Enter 2 j");
    assert_eq!(
        (stage.model.screen, stage.model.pane),
        (Screen::Vaults, Pane::Generations)
    );
    assert_eq!(stage.model.files.folder, path("home/anna/documents"));
    stage.keys("3 j j Space 2");
    assert_eq!(
        stage.model.selections.len(),
        1,
        "what is selected stays with its generation"
    );
    stage.keys("j");
    assert!(stage.model.selected().is_none());
    stage.keys("k");
    assert!(stage.model.selected().is_some());
}

#[test]
fn a_folder_that_a_generation_does_not_have_gives_the_one_above() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("Enter Enter j Enter Enter");
    assert_eq!(stage.model.files.folder, path("home/anna/documents/taxes"));
    stage.keys("2 j j j j 3");
    assert_eq!(stage.model.files.folder, path("home/anna/documents"));
    assert!(stage.screen().contains("taxes is not in this generation"));
}

#[test]
fn selecting_counts_and_shows_what_is_selected() {
    let mut stage = in_files();
    stage.keys("j Space G Space");
    let selected = stage.model.selected().unwrap();
    assert_eq!(selected.selection.state(&path("home/anna/documents")), Picked::All);
    assert_eq!(selected.selection.state(&path("home/anna/todo.md")), Picked::All);
    assert!(
        stage
            .screen()
            .contains("● 2 items selected: 82 files, 2 folders, 6.6 MiB"),
        "{}",
        stage.screen()
    );
    stage.keys("g j Enter Space h");
    assert!(stage.screen().contains("◐ documents/"), "{}", stage.screen());
    stage.keys("u");
    assert!(stage.model.selected().is_none());
}

#[test]
fn a_range_takes_rows_that_never_were_on_the_screen() {
    let mut stage = in_files();
    stage.keys("j j j j j Enter v PgDn PgDn PgDn PgDn PgDn PgDn v");
    let selected = stage.model.selected().unwrap();
    assert_eq!(selected.selection.rules().count(), 109);
    assert!(
        selected
            .selection
            .contains(&path("home/anna/many/measurement-000000.csv"))
    );
    assert!(
        selected
            .selection
            .contains(&path("home/anna/many/measurement-000108.csv"))
    );
    stage.keys("u g v G v");
    assert!(stage.model.selected().is_none(), "a range of 150,000 rows is refused");
    assert!(stage.screen().contains("A range takes at most 10,000 rows"));
    stage.keys("a");
    assert_eq!(
        stage.model.selected().unwrap().selection.rules().count(),
        1,
        "all of them are one rule"
    );
}

#[test]
fn the_cursor_moves_while_rows_are_on_their_way() {
    let mut stage = in_files();
    stage.keys("j j j j j Enter");
    stage.silent = true;
    stage.keys("G");
    assert_eq!(stage.model.files.list.cursor(), 149_999);
    assert!(
        stage.screen().lines().filter(|line| line.trim() == "…").count() > 10,
        "{}",
        stage.screen()
    );
    stage.keys("k k PgUp");
    assert_eq!(stage.unanswered.len(), 1, "one question at a time");
    stage.silent = false;
    stage.answer();
    assert!(stage.screen().contains("measurement-149980.csv"), "{}", stage.screen());
}

#[test]
fn answers_nobody_waits_for_change_nothing() {
    let mut stage = in_files();
    stage.silent = true;
    stage.keys("j Enter h h");
    let late = stage.unanswered.pop_front().unwrap();
    let before = stage.model.files.folder.clone();
    stage.unanswered.push_front(late);
    stage.silent = false;
    stage.answer();
    assert_eq!(stage.model.files.folder, before);
    assert_eq!(stage.model.files.load, Load::Ready);
    assert_eq!(
        stage.model.files.list.total(),
        Some(1),
        "the rows are those of the folder shown"
    );
}

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
fn read_only_writes_nothing_and_says_why() {
    let mut stage = in_files();
    stage.model.read_only = true;
    stage.keys("r");
    assert!(stage.model.dialogs.is_empty());
    assert!(stage.screen().contains("Started with --read-only"));
    stage.keys("b");
    assert!(stage.model.dialogs.is_empty());
}

#[test]
fn a_job_is_shown_while_one_goes_on_browsing_and_its_end_is_told() {
    let mut stage = in_files();
    let job = stage.start_job(JobKind::Restore, "Restore 2 items to /tmp/out");
    for percent in [0, 4, 8, 12, 16, 20] {
        stage.progress(&job, percent);
    }
    stage.keys("j Enter");
    let screen = stage.screen();
    assert!(
        screen.contains("Restore 2 items to /tmp/out") && screen.contains("20 %"),
        "{screen}"
    );
    assert!(screen.contains("MiB/s") && screen.contains("left"), "{screen}");
    stage.end_job(
        &job,
        JobState::Done {
            summary: "2 files, 1.2 MiB".into(),
            problems: 0,
        },
    );
    assert!(
        stage
            .screen()
            .contains("✓ Restore 2 items to /tmp/out: 2 files, 1.2 MiB"),
        "{}",
        stage.screen()
    );
    assert_eq!(stage.model.strip_rows(), 0);
}

#[test]
fn problems_of_a_job_are_listed() {
    let mut stage = in_files();
    let job = stage.start_job(JobKind::Restore, "Restore notes.txt to /tmp/out");
    stage.end_job(
        &job,
        JobState::Done {
            summary: "5 files".into(),
            problems: 2,
        },
    );
    assert!(
        stage.screen().contains("2 problems (J shows them)"),
        "{}",
        stage.screen()
    );
    stage.keys("J Enter");
    let screen = stage.screen();
    assert!(screen.contains("/home/anna/secret.key: Permission denied"), "{screen}");
    assert!(screen.contains("a\\x1b[31mb"), "names are harmless here too: {screen}");
    stage.keys("x");
    assert!(stage.screen().contains("This job does not run"), "{}", stage.screen());
}

#[test]
fn cancelling_asks_first() {
    let mut stage = in_files();
    let job = stage.start_job(JobKind::Backup, "Back up everything to home");
    stage.keys("J x");
    assert!(stage.done().is_empty());
    stage.keys("x Enter");
    assert!(
        stage.done().is_empty(),
        "neither the key that opened the question nor Enter"
    );
    stage.keys("y");
    assert_eq!(stage.done(), ["cancel 1"]);
    stage.end_job(&job, JobState::Cancelled { cleaned: true });
    assert!(stage.screen().contains("cancelled"));
}

#[test]
fn quitting_asks_while_jobs_run_and_waits_for_them() {
    let mut stage = in_files();
    stage.keys("q");
    assert_eq!(stage.done(), ["quit"]);
    let job = stage.start_job(JobKind::Backup, "Back up everything to home");
    stage.keys("q q Enter");
    assert!(stage.done().is_empty());
    stage.keys("n q c");
    assert_eq!(stage.done(), ["cancel 1"], "not gone before the job has stopped");
    stage.end_job(&job, JobState::Cancelled { cleaned: true });
    assert_eq!(stage.done(), ["quit"]);
}

#[test]
fn jobs_go_on_when_one_leaves_them() {
    let mut stage = in_files();
    let job = stage.start_job(JobKind::Backup, "Back up everything to home");
    stage.keys("q d");
    assert_eq!(stage.done(), ["detach"]);
    // It ended while the question stood there.
    stage.keys("Esc q");
    stage.end_job(&job, JobState::Cancelled { cleaned: true });
    stage.keys("d");
    assert_eq!(stage.done(), ["quit"]);
}

#[test]
fn detaching_says_why_it_cannot_be_done() {
    let mut stage = in_files();
    stage.model.can_detach = false;
    stage.start_job(JobKind::Backup, "Back up everything to home");
    stage.keys("q d");
    assert!(stage.done().is_empty());
    assert!(stage.screen().contains("Jobs cannot go on without Coffer here"));
}

#[test]
fn terminating_stops_the_jobs_and_ends() {
    let mut stage = in_files();
    stage.start_job(JobKind::Backup, "Back up everything to home");
    stage.send(Msg::Terminate);
    assert_eq!(stage.done(), ["cancel 1", "quit"]);
}

#[test]
fn esc_never_quits() {
    let mut stage = in_files();
    stage.keys("/ Esc ? Esc J Esc r Enter Esc Esc b Esc Esc Esc Esc Esc");
    assert!(stage.model.dialogs.is_empty());
    assert!(stage.done().is_empty());
}

#[test]
fn the_filter_stays_until_it_is_taken_away() {
    let mut stage = in_files();
    stage.keys("/");
    stage.text("note");
    stage.keys("Enter");
    assert_eq!(stage.model.files.list.total(), Some(2));
    assert!(stage.screen().contains(" note "), "the filter shows as a chip");
    stage.keys("a");
    assert!(stage.model.selected().is_none());
    assert!(
        stage.screen().contains("clear the filter with Esc first"),
        "a disabled key says why"
    );
    stage.keys("Esc");
    assert_eq!(stage.model.files.list.total(), Some(15));
    stage.keys("h h h /");
    stage.text("weekly");
    stage.keys("Enter");
    assert_eq!(stage.model.generations.list.total(), Some(3));
}

#[test]
fn the_password_is_asked_for_tried_and_forgotten() {
    let mut stage = stage();
    stage.keys("j Enter");
    assert!(
        stage.screen().contains("The password of the vault away:"),
        "{}",
        stage.screen()
    );
    stage.text("wrong");
    assert!(!stage.screen().contains("wrong"));
    stage.keys("Enter");
    assert!(stage.screen().contains("The password is wrong."), "{}", stage.screen());
    stage.text("secret");
    stage.keys("Enter");
    assert!(stage.model.dialogs.is_empty());
    assert_eq!(stage.model.generations.list.total(), Some(14));
}

#[test]
fn a_locked_vault_asks_only_where_one_goes() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("j");
    assert!(stage.model.dialogs.is_empty(), "passing by asks nothing");
    assert!(stage.screen().contains("This vault is locked"), "{}", stage.screen());
    stage.keys("Enter");
    assert!(stage.model.dialog::<Password>().is_some());
}

#[test]
fn help_searches_and_runs() {
    let mut stage = in_files();
    stage.keys("?");
    stage.text("width");
    stage.keys("Enter");
    assert!(stage.model.dialogs.is_empty() && stage.model.zoom);
}

#[test]
fn a_backup_starts_from_its_plan() {
    let mut stage = in_files();
    stage.keys("b j Enter");
    assert_eq!(stage.done(), ["back up documents to away"]);
}

#[test]
fn a_tiny_screen_says_so_and_hears_only_what_does_no_harm() {
    let mut stage = in_files();
    stage.keys("j r Enter");
    stage.send(Msg::Resize(40, 10));
    assert_eq!(stage.screen().lines().next(), Some("Coffer needs 60x15; q quits"));
    stage.keys("y");
    assert!(stage.done().is_empty(), "what cannot be seen cannot be confirmed");
    stage.send(Msg::Resize(80, 24));
    stage.keys("y");
    assert_eq!(stage.done().len(), 1);
}

#[test]
fn a_notice_goes_when_its_time_is_over() {
    let mut stage = in_files();
    stage.keys("G k k k Enter");
    assert!(stage.screen().contains("Neither a folder nor a file"));
    let wake = stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::Wake(at) => Some(*at),
        _ => None,
    });
    stage.millis = wake.unwrap();
    stage.wait(0);
    assert!(!stage.screen().contains("A file: Space selects it"));
}

/// In the folder of `notes.txt`, with the cursor on it.
fn on_notes() -> Stage {
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
fn the_wheel_moves_and_a_click_does_what_is_named_there() {
    use crate::tui::model::Screen;
    use crate::tui::msg::{Click, Pointer};
    let mut stage = in_files();
    let point = |stage: &mut Stage, click, column: usize, row: u16| {
        let column = u16::try_from(column).unwrap();
        let at = stage.now();
        stage.send(Msg::Pointer(Pointer { click, column, row }, at));
    };
    let before = stage.model.files.list.cursor();
    point(&mut stage, Click::WheelDown, 10, 10);
    assert_eq!(stage.model.files.list.cursor(), before + 3);
    point(&mut stage, Click::WheelUp, 10, 10);
    assert_eq!(stage.model.files.list.cursor(), before);
    let screen = stage.screen();
    let first: Vec<char> = screen.lines().next().unwrap().chars().collect();
    let vaults = first.iter().rposition(|c| *c == '2').unwrap();
    point(&mut stage, Click::Left, vaults, 0);
    assert_eq!(stage.model.screen, Screen::Vaults);
    let screen = stage.screen();
    let last: String = screen.lines().last().unwrap().into();
    let help = last.split("? help").next().unwrap().chars().count();
    let row = stage.model.size.1 - 1;
    point(&mut stage, Click::Left, help, row);
    assert!(!stage.model.dialogs.is_empty(), "the help is open");
    stage.keys("Esc");
    // Where one is asked before harm is done, the mouse says nothing.
    stage.start_job(JobKind::Backup, "Back up everything to home");
    stage.keys("q");
    for column in 0..80 {
        point(&mut stage, Click::Left, column, row);
        point(&mut stage, Click::Left, column, 0);
    }
    assert_eq!(stage.model.dialogs.len(), 1);
    assert!(stage.done().is_empty());
}

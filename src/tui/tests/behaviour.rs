//! What keys do.

use crate::engine::{JobKind, Picked};
use crate::tui::dialogs::password::Password;
use crate::tui::model::{Load, Screen};
use crate::tui::msg::{Effect, Msg};
use crate::tui::screens::vaults::Pane;
use crate::tui::stage::Stage;
use crate::tui::theme::Look;

pub(super) fn stage() -> Stage {
    Stage::new(80, 24, Look::default())
}

/// In `/home/anna` of the generation of three months ago.
pub(super) fn in_files() -> Stage {
    let mut stage = stage();
    stage.keys("Enter j j j j j j j j Enter");
    stage
}

pub(super) fn path(text: &str) -> Vec<Vec<u8>> {
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
            .contains("● 2 items selected: 82 files, 2 folders, 223.7 MiB"),
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
    stage.wait(200);
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

#[test]
fn a_text_is_found_in_a_file_that_is_read() {
    let mut stage = in_files();
    stage.keys("G k Enter n /");
    stage.text("A li");
    stage.keys("Enter");
    assert!(stage.screen().contains("1 of 1 found"), "{}", stage.screen());
    stage.keys("/ Ctrl-u");
    stage.text("ne");
    stage.keys("Enter");
    assert!(stage.screen().contains("1 of 2 found"), "{}", stage.screen());
    stage.keys("n");
    assert!(stage.screen().contains("2 of 2 found"), "{}", stage.screen());
    stage.keys("N N w");
    assert!(
        stage.screen().contains("2 of 2 found"),
        "around, however lines are broken: {}",
        stage.screen()
    );
    stage.keys("/");
    stage.text("q?");
    stage.keys("Enter");
    assert!(
        stage.screen().contains("not found in what is read"),
        "{}",
        stage.screen()
    );
    stage.keys("/ Esc Esc");
    assert!(stage.model.dialogs.is_empty(), "Esc leaves the text, then the file");
}

//! Searching, and going to what was found.

use crate::engine::question::{Kinds, SearchAsked, Standing};
use crate::engine::{Answer, Question};
use crate::tui::model::{Model, Screen};
use crate::tui::msg::{Effect, Msg};
use crate::tui::stage::Stage;
use crate::tui::theme::Look;

fn stage() -> Stage {
    let mut stage = Stage::new(80, 24, Look::default());
    stage.keys("4");
    stage
}

fn searches(stage: &Stage) -> Vec<&SearchAsked> {
    stage
        .unanswered
        .iter()
        .filter_map(|(_, question)| match question {
            Question::Search(asked) if asked.rows > 0 => Some(asked),
            _ => None,
        })
        .collect()
}

fn current(model: &Model) -> String {
    let row = model.search.list.current().unwrap();
    String::from_utf8(row.path.join(&b'/')).unwrap()
}

#[test]
fn the_field_takes_letters_and_only_keys_that_are_heard_are_named() {
    let mut stage = stage();
    stage.keys("J q 1");
    assert_eq!(stage.model.search.field.text(), "Jq1");
    let screen = stage.screen();
    let footer = screen.lines().last().unwrap();
    for heard in ["Esc leave", "F1 help", "Ctrl-c quit"] {
        assert!(footer.contains(heard), "{heard}: {footer}");
    }
    assert!(!footer.contains("J jobs") && !footer.contains("? help"), "{footer}");
    stage.keys("Esc");
    let screen = stage.screen();
    let footer = screen.lines().last().unwrap();
    assert!(footer.contains("/ type") && footer.contains("q quit"), "{footer}");
    stage.keys("1");
    assert_eq!(stage.model.screen, Screen::Overview);
}

#[test]
fn every_letter_asks_anew_and_drops_what_was_asked_before() {
    let mut stage = stage();
    stage.silent = true;
    stage.text("no1");
    let asked: Vec<&str> = searches(&stage)
        .iter()
        .map(|asked| asked.search.text.as_str())
        .collect();
    assert_eq!(asked, ["n", "no", "no1"]);
    let dropped = stage
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Abandon(_)))
        .count();
    assert_eq!(dropped, 2);
    assert_eq!(stage.model.screen, Screen::Search, "1 was typed, it is no screen here");
    stage.keys("Backspace");
    stage.silent = false;
    stage.answer();
    assert_eq!(stage.model.search.list.total(), Some(7));
    assert!(!stage.model.search.running);
}

#[test]
fn enter_goes_to_the_entry_where_it_was_last() {
    let mut stage = stage();
    stage.text("taxes");
    assert_eq!(stage.model.search.list.total(), Some(0));
    stage.keys("Ctrl-u");
    stage.text("2024");
    stage.keys("Enter");
    assert_eq!(current(&stage.model), "home/anna/documents/taxes/Notes on 2024.odt");
    let last = stage.model.search.list.current().unwrap().last.0;
    stage.keys("Enter");
    assert_eq!(stage.model.screen, Screen::Files);
    assert_eq!(stage.model.generations.list.current().map(|row| row.id), Some(last));
    assert_eq!(stage.model.files.folder.join(&b'/'), b"home/anna/documents/taxes");
    stage.keys("4");
    assert_eq!(current(&stage.model), "home/anna/documents/taxes/Notes on 2024.odt");
}

#[test]
fn what_lies_in_another_vault_is_gone_to_once_that_is_open() {
    let mut stage = stage();
    stage.world.unlocked = true;
    stage.text("notes.txt");
    stage.keys("Enter j");
    assert_eq!(stage.model.search.list.current().unwrap().vault, "away");
    stage.silent = true;
    stage.keys("Enter");
    assert_eq!(stage.model.generations.vault.as_deref(), Some("away"));
    stage.silent = false;
    stage.answer();
    assert_eq!(stage.model.files.folder.join(&b'/'), b"home/anna");
    let row = stage.model.files.list.current().unwrap();
    assert_eq!(row.name, b"notes.txt", "the cursor is on it");
}

#[test]
fn going_elsewhere_meanwhile_is_respected() {
    let mut stage = stage();
    stage.world.unlocked = true;
    stage.text("notes.txt");
    stage.keys("Enter j");
    stage.silent = true;
    stage.keys("Enter 2");
    stage.silent = false;
    stage.answer();
    assert_eq!(stage.model.screen, Screen::Vaults);
}

#[test]
fn it_is_narrowed_and_widened() {
    let mut stage = stage();
    stage.text("note");
    stage.keys("Enter f f");
    assert_eq!(stage.model.search.kinds, Kinds::Folders);
    assert_eq!(stage.model.search.list.total(), Some(1));
    stage.keys("x v");
    assert_eq!(stage.model.search.vault.as_deref(), Some("home"));
    assert_eq!(stage.model.search.list.total(), Some(1));
    stage.keys("v");
    assert_eq!(stage.model.search.list.total(), Some(0));
    stage.keys("Esc");
    assert_eq!(stage.model.search.list.total(), Some(7));
    // Without a text, what is gone can still be listed.
    stage.keys("/ Ctrl-u");
    assert_eq!(stage.model.search.asked, None);
    stage.keys("Alt-x");
    assert_eq!(stage.model.search.list.total(), Some(3));
}

#[test]
fn what_is_found_can_be_restored_unless_nothing_may_be_written() {
    let mut stage = stage();
    stage.text("contract");
    stage.keys("Enter r");
    assert!(stage.model.dialogs.is_empty());
    stage.keys("Ctrl-u");
    stage.text("2024");
    stage.keys("Enter");
    stage.model.read_only = true;
    stage.keys("r");
    assert!(stage.model.dialogs.is_empty());
    stage.model.read_only = false;
    stage.keys("r");
    assert!(stage.screen().contains("Notes on 2024.odt"));
    assert_eq!(stage.model.dialogs.len(), 1);
}

#[test]
fn what_was_catalogued_meanwhile_is_looked_for_too_but_not_all_the_time() {
    let mut stage = stage();
    stage.text("2024");
    stage.keys("Enter");
    stage.silent = true;
    for _ in 0..10 {
        stage.send(Msg::Catalogued("away".into()));
    }
    assert_eq!(searches(&stage).len(), 0);
    stage.wait(5_000);
    assert_eq!(searches(&stage).len(), 1);
    stage.send(Msg::Catalogued("away".into()));
    stage.wait(10_000);
    assert_eq!(searches(&stage).len(), 1, "one at a time");
}

#[test]
fn moving_the_cursor_asks_nothing_and_rests_wake_once() {
    let mut stage = stage();
    stage.text("notes");
    stage.keys("Enter");
    stage.wait(1_000);
    let before = stage.model.search.about.clone();
    stage.effects.clear();
    stage.silent = true;
    stage.keys("j");
    assert_eq!(stage.model.search.about, before, "it follows after a pause");
    assert_eq!(stage.unanswered.len(), 0);
    stage.wait(200);
    assert_ne!(stage.model.search.about, before);
    stage.effects.clear();
    stage.wait(1_000);
    assert!(stage.effects.is_empty(), "{:?}", stage.effects);
}

fn compared(stage: &Stage) -> Option<(usize, usize)> {
    let all = stage.model.generations.all.clone();
    let place = |id| all.iter().position(|row| row.id == id);
    let asked = stage.unanswered.iter().rev().find_map(|(_, question)| match question {
        Question::Changes(asked) => Some(asked.compared.clone()),
        _ => None,
    })?;
    Some((place(asked.before)?, place(asked.after)?))
}

#[test]
fn changes_are_those_since_the_one_before_or_between_the_marks() {
    let mut stage = Stage::new(80, 24, Look::default());
    stage.keys("2 Enter j");
    stage.silent = true;
    stage.keys("c");
    assert_eq!(compared(&stage), Some((2, 1)));
    stage.keys("<");
    assert_eq!(compared(&stage), Some((3, 2)));
    stage.keys("> >");
    assert_eq!(compared(&stage), Some((1, 0)));
    stage.keys(">");
    assert!(stage.screen().contains("no generation after"));
    stage.keys("Esc");
    stage.keys("m j j m c");
    assert_eq!(compared(&stage), Some((3, 1)));
    stage.keys("Esc G m Esc Esc c");
    assert!(stage.model.dialogs.is_empty(), "the first has none before it");
}

#[test]
fn from_a_change_one_goes_to_where_it_is_or_was() {
    let mut stage = Stage::new(80, 24, Look::default());
    stage.keys("2 Enter j c j Enter");
    assert_eq!(stage.model.screen, Screen::Files);
    let all = stage.model.generations.all.clone();
    let shown = |stage: &Stage| stage.model.generations.list.current().map(|row| row.id);
    assert_eq!(shown(&stage), Some(all[2].id), "what is gone is shown where it was");
    assert_eq!(stage.model.files.folder.join(&b'/'), b"home/anna/documents");
    stage.keys("2 Enter c Enter");
    assert_eq!(shown(&stage), Some(all[2].id));
}

#[test]
fn nothing_found_where_nothing_can_be_read_says_so() {
    let mut stage = stage();
    stage.world.poison = Some(|answer| {
        if let Answer::Found(window) = answer {
            (window.rows, window.total) = (Vec::new(), 0);
            for vault in &mut window.vaults {
                (vault.catalogued, vault.standing) = (0, Standing::Locked);
            }
        }
    });
    stage.text("x");
    assert!(
        stage.screen().contains("No vault could be searched"),
        "{}",
        stage.screen()
    );
}

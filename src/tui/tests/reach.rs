//! What keys reach: help and leaving out of any dialog, other screens' actions by the palette, each pane its own keys; and
//! what a screen that is too small hears.

use super::behaviour::{in_files, stage};
use super::setup::shows;
use crate::engine::JobKind;
use crate::tui::model::Screen;
use crate::tui::msg::{Effect, Msg};
use crate::tui::screens::vaults::Pane;
use crate::tui::stage::Stage;
use crate::tui::theme::Look;

#[test]
fn help_opens_over_a_dialog_and_runs_what_it_shows_there() {
    let mut s = stage();
    s.keys("P F1");
    shows(&s, "Keys: Plans");
    s.text("new plan");
    s.keys("Enter");
    shows(&s, "New plan");
    s.keys("F1");
    shows(&s, "Keys: Plan");
    s.keys("F1");
    shows(&s, "New plan");
    s.keys("?");
    assert!(!s.screen().contains("Keys: "), "it is typed into the field");
    s.keys("Tab Tab Tab ?");
    shows(&s, "Keys: Plan");
    s.keys("Esc Esc y : F1");
    shows(&s, "Keys: Plans");
}

#[test]
fn help_does_not_go_round_a_guard() {
    let mut s = stage();
    s.keys("P x");
    shows(&s, "Remove the plan?");
    s.keys("F1");
    s.text("do it");
    s.keys("Enter");
    assert!(s.changes.is_empty(), "Enter in the help is no yes");
    shows(&s, "Remove the plan?");
    s.keys("n");
    assert!(s.changes.is_empty());
}

#[test]
fn one_leaves_and_suspends_out_of_a_form() {
    let mut s = stage();
    s.keys("P Enter Ctrl-z");
    assert_eq!(s.done(), ["suspend"]);
    s.keys("Ctrl-c");
    assert_eq!(s.done(), ["quit"]);
    s.start_job(JobKind::Backup, "Back up");
    s.keys("Ctrl-c Ctrl-c");
    shows(&s, "Quit?");
    s.keys("n");
    assert!(s.done().is_empty() && !s.screen().contains("Quit?"), "asked once");
}

#[test]
fn a_tiny_screen_quits_and_types_nothing() {
    let mut s = stage();
    s.keys("P Enter");
    s.send(Msg::Resize(40, 10));
    s.keys("w e b Ctrl-s Ctrl-z");
    s.send(Msg::Paste("x".into(), s.now()));
    assert_eq!(s.done(), ["suspend"]);
    assert!(s.changes.is_empty());
    s.keys("q");
    assert_eq!(s.done(), ["quit"], "out of a form too");
    s.start_job(JobKind::Backup, "Back up");
    s.keys("q q");
    shows(&s, "Jobs run: 60x15 shows what to do");
    s.send(Msg::Resize(80, 24));
    s.keys("n");
    shows(&s, "Plan everything ");
}

#[test]
fn the_palette_finds_what_other_screens_do_and_goes_there() {
    let typed = |from: &str, letters: &str| {
        let mut s = Stage::new(120, 40, Look::default());
        s.keys(from);
        s.keys(":");
        s.text(letters);
        s
    };
    let mut s = typed("1", "restore whole gen");
    shows(&s, "on Vaults: Restore the whole generation");
    s.keys("Enter");
    assert_eq!((s.model.screen, s.model.pane), (Screen::Vaults, Pane::Generations));
    shows(&s, "lands as");
    let mut s = typed("1", "take a snapshot");
    shows(&s, "on Snapshots: Take a snapshot");
    s.keys("Enter");
    assert_eq!(s.model.screen, Screen::Snapshots);
    let s = typed("1", "delete");
    shows(&s, "on Vaults: Stage for deletion");
    let s = typed("2 Enter", "delete");
    let first = s
        .screen()
        .lines()
        .find(|line| line.contains("Stage for deletion"))
        .map(str::to_owned);
    assert!(
        first.is_some_and(|line| !line.contains("on Vaults")),
        "found by its short name: {}",
        s.screen()
    );
}

#[test]
fn the_details_of_a_generation_hear_its_keys() {
    let mut s = stage();
    s.keys("Enter Tab d k m Space");
    shows(&s, "1 generation selected");
    s.keys("Esc");
    shows(&s, "1 generation to be deleted");
    s.keys("r");
    shows(&s, "lands as");
    s.keys("Esc e");
    shows(&s, "Tags");
    let mut s = stage();
    s.keys("5 j j Enter Tab d Space m");
    shows(&s, "1 snapshot selected");
    s.keys("Esc");
    shows(&s, "1 snapshot to be deleted");
}

#[test]
fn hints_name_what_can_be_done() {
    let s = Stage::new(160, 40, Look::default());
    let last = s.screen().lines().last().map(str::to_owned).unwrap_or_default();
    for hint in ["n new vault", "C check", "S prune", "K keys", "U locks", "p price"] {
        assert!(last.contains(hint), "{hint}: {last}");
    }
    let mut s = stage();
    s.keys("1");
    assert!(!s.screen().contains("/ filter"), "{}", s.screen());
    s.keys("2");
    assert!(!s.screen().contains("w review"), "{}", s.screen());
}

#[test]
fn a_price_is_named_by_p_wherever_vaults_are() {
    for keys in ["2 p", "2 $"] {
        let mut s = stage();
        s.keys(keys);
        shows(&s, "save it");
    }
}

#[test]
fn what_has_nothing_to_show_says_why() {
    let mut s = Stage::bare(120, 40, Look::default());
    s.keys("Esc 3");
    shows(&s, "No vault is set up yet");
    shows(&s, "2 goes to the vaults");
    s.keys("6");
    shows(&s, "2 goes to the vaults");
    s.keys("2");
    shows(&s, "n makes one");
    let mut s = stage();
    s.keys("j 3 Esc");
    shows(&s, "This vault is locked");
}

#[test]
fn what_is_copied_out_of_a_dialog_is_what_its_cursor_is_on() {
    let mut s = in_files();
    s.keys("G k V y p");
    let copied = s.effects.iter().any(|effect| matches!(effect, Effect::Copy { .. }));
    assert!(copied, "{}", s.screen());
}

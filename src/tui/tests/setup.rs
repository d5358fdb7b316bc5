//! Setting up: what keys in the dialogs come to.

use crate::engine::setup::CountExcludes;
use crate::engine::{Answer, Question};
use crate::tui::msg::{Effect, Msg};
use crate::tui::stage::Stage;
use crate::tui::theme::Look;

fn stage() -> Stage {
    Stage::new(120, 40, Look::default())
}

fn bare() -> Stage {
    Stage::bare(120, 40, Look::default())
}

pub(super) fn shows(stage: &Stage, text: &str) {
    let screen = stage.screen();
    assert!(screen.contains(text), "{text:?} is not on the screen:\n{screen}");
}

#[test]
fn a_new_plan_is_written_as_typed() {
    let mut s = stage();
    s.keys("P n");
    s.text("docs");
    s.keys("Tab");
    s.text("~/documents");
    s.keys("Enter");
    s.text("/etc");
    s.keys("Tab Tab → Space Tab");
    s.text("*.o");
    s.keys("Tab Tab Tab Tab");
    s.text("weekly sun 3:00");
    s.keys("Tab");
    s.text("90");
    s.keys("Ctrl-s");
    assert_eq!(
        s.changes,
        [
            "save plan docs (was None): [\"/home/anna/documents\", \"/etc\"] into [\"home\", \"away\"] without [\"*.o\"], 90 \
             days, Some(\"sun 03:00\")"
        ]
    );
    shows(&s, "Saved plan docs.");
    shows(&s, "everything → home, away");
}

#[test]
fn a_changed_plan_is_not_left_without_asking() {
    let mut s = stage();
    s.keys("P Enter Esc");
    shows(&s, "Plans");
    assert!(s.changes.is_empty(), "nothing was changed, so nothing is asked");
    s.keys("Enter");
    s.text("2");
    s.keys("Esc");
    shows(&s, "Leave without saving?");
    s.keys("n Enter");
    assert_eq!(s.changes.len(), 1, "back in the editor with what was typed");
    assert!(
        s.changes[0].starts_with("save plan everything2 (was Some(\"everything\"))"),
        "{:?}",
        s.changes
    );
    s.keys("Enter x Esc y");
    shows(&s, "n new  b back up now");
}

#[test]
fn what_is_wrong_is_said_where_it_is_and_nothing_is_written() {
    let mut s = stage();
    s.keys("P n");
    s.text("-x");
    s.keys("Enter");
    shows(&s, "A name cannot start with");
    shows(&s, "Give at least one folder or file.");
    s.keys("Tab");
    s.text("/srv");
    s.keys("Ctrl-s");
    shows(&s, "The vault home lies in what is backed up");
    s.keys("Ctrl-u");
    s.text("taken");
    s.keys("Tab Ctrl-u");
    s.text("/etc");
    s.keys("Ctrl-s");
    shows(&s, "there is a plan taken in");
    assert_eq!(s.changes.len(), 1, "what the engine refuses leaves the form open");
}

#[test]
fn counting_waits_for_a_pause_and_drops_what_is_old() {
    let mut s = stage();
    s.keys("P Enter");
    s.silent = true;
    s.effects.clear();
    s.keys("Tab Tab Tab Tab");
    s.text("a");
    s.text("b");
    let asked = |s: &Stage| -> Vec<CountExcludes> {
        let questions = s.unanswered.iter().filter_map(|(_, question)| match question {
            Question::Excludes(asked) => Some(asked.clone()),
            _ => None,
        });
        questions.collect()
    };
    assert_eq!(asked(&s), [], "not while one types");
    s.wait(600);
    assert_eq!(asked(&s)[0].excludes.last().map(String::as_str), Some("ab"));
    s.text("c");
    s.wait(600);
    assert_eq!(asked(&s).len(), 2);
    assert!(
        s.effects.iter().any(|effect| matches!(effect, Effect::Abandon(_))),
        "the old count is stopped"
    );
    s.wait(5_000);
    assert_eq!(asked(&s).len(), 2, "the same is not counted twice");
}

#[test]
fn an_empty_machine_is_offered_the_assistant_once() {
    let mut s = stage();
    s.silent = true;
    s.model.vaults = Default::default();
    s.model.welcomed = false;
    s.keys("R");
    let (request, _) = *s
        .unanswered
        .iter()
        .find(|(_, question)| matches!(question, Question::Vaults))
        .map(|(request, question)| (*request, question))
        .as_ref()
        .unwrap();
    s.world.bare = true;
    let at = s.now();
    let answer = Answer::Vaults(Vec::new());
    s.send(Msg::Answer {
        request,
        answer,
        complete: true,
        at,
    });
    s.silent = false;
    s.unanswered
        .retain(|(_, question)| matches!(question, Question::Config));
    s.answer();
    shows(&s, "Welcome to Coffer: step 1 of 4");
    s.keys("Esc R");
    shows(&s, "A sets one up with");
}

#[test]
fn the_assistant_makes_vault_and_plan_and_offers_the_first_backup() {
    let mut s = bare();
    s.keys("A Enter Tab Tab");
    s.text("correct horse");
    s.keys("Enter");
    shows(&s, "type it again");
    assert!(s.changes.is_empty());
}

#[test]
fn the_assistant_goes_on_once_all_is_right() {
    let mut s = bare();
    s.keys("A Enter Tab Tab");
    s.text("correct horse");
    s.keys("Tab");
    s.text("correct horse");
    s.keys("Enter");
    shows(&s, "step 3 of 4");
    shows(&s, "/home/anna/backup/home");
    s.keys("Enter");
    s.text("365");
    s.keys("Enter");
    assert_eq!(
        s.changes,
        [
            "make vault home in \"/home/anna/backup/home\", password Some(File(\"/home/anna/.config/coffer/home.password\")), \
             typed Some(13)",
            "save plan home (was None): [\"/home/anna\"] into [\"home\"] without [\"*.tmp\", \".cache\", \
             \"/home/anna/backup/home\"], 365 days, None"
        ]
    );
    s.done();
    s.keys("Enter");
    assert_eq!(s.done(), ["back up home to home"]);
}

#[test]
fn what_is_picked_in_the_browser_comes_into_the_plan() {
    let mut s = stage();
    s.keys("P n Tab Tab Enter w");
    shows(&s, "Nothing is picked yet");
    s.keys("j Space Space");
    s.keys("g Space");
    shows(&s, "3 picked");
    s.keys("h Space");
    shows(&s, "1 picked: /home/anna ");
    s.keys("h l Space k Space");
    s.keys("w");
    shows(&s, "/home/anna");
    assert!(
        !s.screen().contains("/home/anna/music"),
        "what lies below a picked folder comes with it"
    );
}

#[test]
fn locks_go_only_as_the_danger_rules_say() {
    let mut s = stage();
    s.keys("U u Enter");
    assert!(s.done().is_empty(), "never by Enter");
    s.keys("y");
    assert_eq!(s.done(), ["Unlock: Unlock home"]);
    s.keys("U D");
    s.text("hom");
    s.keys("Enter");
    assert!(s.done().is_empty(), "not by a part of the name");
    s.text("e");
    s.keys("Enter");
    assert_eq!(s.done(), ["Unlock: Unlock home"]);
    s.keys("j j U u");
    shows(&s, "There is no lock.");
}

#[test]
fn keys_are_added_changed_and_removed() {
    let mut s = stage();
    s.keys("K x");
    shows(&s, "This is the password in use");
    s.keys("j x y c");
    s.text("new password");
    s.keys("Tab");
    s.text("new password");
    s.keys("Enter a");
    s.text("pässword");
    s.keys("Tab");
    s.text("pässword");
    s.keys("Enter");
    assert_eq!(
        s.changes,
        [
            "remove key dbc1b4c9 from home",
            "change the password of home to one of 12 bytes",
            "add a key of 9 bytes to home"
        ]
    );
}

#[test]
fn keys_of_a_locked_vault_ask_for_its_password_first() {
    let mut s = stage();
    s.keys("j K");
    shows(&s, "The password of the vault away:");
    s.text("secret");
    s.keys("Enter");
    shows(&s, "Keys of away");
    shows(&s, "in use");
}

#[test]
fn a_check_reads_as_much_as_was_chosen() {
    let mut s = stage();
    s.keys("C Enter");
    assert_eq!(s.done(), ["Check: Check home"]);
    s.keys("C → Tab");
    s.text("50");
    shows(&s, "about 10.9 GiB of 21.8 GiB stored");
    s.keys("Enter");
    assert_eq!(s.done(), ["Check: Check home"]);
}

#[test]
fn nothing_is_set_up_where_nothing_may_be_written() {
    let mut s = stage();
    s.model.read_only = true;
    for keys in ["n", "A", "P n", "X", "K a"] {
        s.keys(keys);
        shows(&s, "--read-only");
        s.keys("Esc Esc");
        s.wait(10_000);
    }
    assert!(s.changes.is_empty() && s.done().is_empty());
}

#[test]
fn a_plan_that_keeps_less_is_saved_after_a_question_only() {
    let mut s = stage();
    s.keys("P Enter");
    s.keys("Tab Tab Tab Tab Tab Tab Tab Tab Tab");
    s.text("keep 3 days");
    shows(&s, "Only digits: this is a number");
    s.keys("Ctrl-s");
    shows(&s, "Keep less than before?");
    shows(&s, "In home: ");
    shows(&s, "In away: what would go is not known: it is locked.");
    shows(&s, "generations go");
    assert!(s.changes.is_empty());
    s.keys("n");
    assert!(s.changes.is_empty());
    s.keys("Ctrl-s y");
    assert!(s.changes[0].contains("3 days"), "{:?}", s.changes);
    s.keys("Enter");
    s.keys("Tab Tab Tab Tab Tab Tab Tab Tab Tab");
    s.text("9999");
    s.keys("Ctrl-s");
    assert_eq!(s.changes.len(), 2, "keeping more is not asked about");
}

/// What is being made when one closes its dialog goes on: how it ended is said all the same.
#[test]
fn what_fails_after_its_dialog_was_closed_is_told() {
    let fails = |s: &mut Stage| {
        let mut changes = s.effects.iter().filter_map(|effect| match effect {
            Effect::Change { request, .. } => Some(*request),
            _ => None,
        });
        let request = changes.next_back().unwrap();
        let (at, answer) = (s.now(), Answer::Failed("no space left on device".into()));
        s.send(Msg::Answer {
            request,
            answer,
            complete: true,
            at,
        });
        assert!(s.model.dialogs.is_empty(), "{}", s.screen());
        shows(s, "no space left on device");
    };
    let mut plan = stage();
    plan.keys("P n");
    plan.text("docs");
    plan.keys("Tab");
    plan.text("~/documents");
    plan.silent = true;
    plan.keys("Ctrl-s Esc Esc");
    fails(&mut plan);
    let mut assistant = bare();
    assistant.keys("A Enter Tab Tab");
    assistant.text("correct horse");
    assistant.keys("Tab");
    assistant.text("correct horse");
    assistant.silent = true;
    assistant.keys("Enter Esc");
    fails(&mut assistant);
}

#[test]
fn a_changed_form_is_not_quit_without_asking() {
    for (keys, typed) in [("P n", "docs"), ("P Enter", "2"), ("5 j j Enter n", "before 13")] {
        let mut s = stage();
        s.keys(keys);
        s.keys("Ctrl-c");
        assert_eq!(s.done(), ["quit"], "{keys}: nothing was changed");
        s.text(typed);
        s.keys("Ctrl-c Ctrl-c");
        assert!(s.done().is_empty(), "{keys}");
        shows(&s, "Quit without saving?");
        s.keys("n");
        assert!(
            s.done().is_empty() && s.model.dialogs.last().is_some_and(|top| top.context().form),
            "{keys}"
        );
        s.keys("Ctrl-c y");
        assert_eq!(s.done(), ["quit"], "{keys}");
    }
    // Jobs are asked about as well.
    let mut s = stage();
    s.start_job(crate::engine::JobKind::Backup, "Back up everything to home");
    s.keys("P n");
    s.text("docs");
    s.keys("Ctrl-c y");
    shows(&s, "A job runs.");
    s.keys("d");
    assert_eq!(s.done(), ["detach"]);
}

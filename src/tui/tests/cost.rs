//! The screen Retention and cost: what keys do to the rule, what is asked, and what is done.

use crate::engine::question::{StayRule, WhatIfAsked};
use crate::engine::{Answer, Question, Task};
use crate::retention::Policy;
use crate::tui::model::Screen;
use crate::tui::msg::{Effect, Msg};
use crate::tui::stage::Stage;
use crate::tui::stage::cost::what_if;
use crate::tui::stage::vaults::generations;
use crate::tui::theme::Look;
use crate::vault::Id;

fn stage(keys: &str) -> Stage {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("6");
    stage.keys(keys);
    stage
}

/// The what-ifs that have no answer yet.
fn asked(stage: &Stage) -> Vec<WhatIfAsked> {
    let questions = stage.unanswered.iter().filter_map(|(_, question)| match question {
        Question::WhatIf(asked) => Some(asked.clone()),
        _ => None,
    });
    questions.collect()
}

fn policy(asked: &WhatIfAsked) -> Policy {
    match &asked.rule {
        StayRule::Policy(policy, _) => (**policy).clone(),
        other => panic!("{other:?}"),
    }
}

/// Answers the first question that waits.
fn answer_one(stage: &mut Stage) {
    let at = stage
        .unanswered
        .iter()
        .position(|(_, question)| matches!(question, Question::WhatIf(_)));
    let (request, question) = stage.unanswered.remove(at.unwrap()).unwrap();
    let Question::WhatIf(asked) = question else {
        unreachable!()
    };
    let at = stage.now();
    stage.send(Msg::Answer {
        request,
        answer: Answer::WhatIf(Box::new(what_if(&asked))),
        complete: true,
        at,
    });
}

fn tasks(stage: &mut Stage) -> Vec<Task> {
    let effects = stage.effects.drain(..);
    let tasks = effects.filter_map(|effect| match effect {
        Effect::Start { task, .. } => Some(*task),
        _ => None,
    });
    tasks.collect()
}

#[test]
fn figures_change_at_each_key() {
    let mut stage = stage("");
    let mut seen = Vec::new();
    for _ in 0..6 {
        let screen = stage.screen();
        let line = screen
            .lines()
            .find(|line| line.contains("Generations that go"))
            .unwrap();
        let from = line.find("go: ").unwrap() + 4;
        seen.push(line[from..].split_whitespace().next().unwrap().to_owned());
        stage.keys("←");
    }
    // 730, 545, 365, 270, 180, 120 days.
    assert_eq!(
        seen,
        ["0", "0", "0", "0", "3", "4"],
        "one older than 120 days is protected"
    );
}

#[test]
fn one_question_is_on_its_way_and_what_is_overtaken_is_not_shown() {
    let mut stage = stage("");
    stage.silent = true;
    stage.keys("← ← ← ←");
    let first = asked(&stage);
    assert_eq!(first.len(), 1, "one at a time");
    assert_eq!(policy(&first[0]), Policy::of_days(545));
    assert!(stage.screen().contains("old figures"));
    answer_one(&mut stage);
    let next = asked(&stage);
    assert_eq!(next.len(), 1, "the last of those that waited");
    assert_eq!(policy(&next[0]), Policy::of_days(180));
    assert!(
        stage.screen().contains("old figures"),
        "what was overtaken is not shown"
    );
    answer_one(&mut stage);
    assert!(asked(&stage).is_empty());
    assert!(
        stage.screen().contains("Generations that go: 3 of 14"),
        "{}",
        stage.screen()
    );
    assert!(!stage.screen().contains("old figures"));
}

#[test]
fn what_fails_is_asked_once() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("2 G 6");
    assert!(stage.screen().contains("cannot read /mnt/usb/vault/config"));
    stage.silent = true;
    stage.wait(1000);
    assert!(asked(&stage).is_empty());
    stage.keys("R");
    assert_eq!(asked(&stage).len(), 1, "R tries again");
}

#[test]
fn nothing_is_deleted_before_the_vaults_name_is_typed() {
    let mut stage = stage("← ← ← ← w");
    assert!(
        stage.screen().contains("Delete 3 generations of home?"),
        "{}",
        stage.screen()
    );
    stage.keys("Enter w Space d");
    assert!(tasks(&mut stage).is_empty());
    stage.keys("y");
    stage.text("hom");
    stage.keys("Enter");
    assert!(tasks(&mut stage).is_empty());
    stage.text("e");
    stage.keys("Enter");
    let tasks = tasks(&mut stage);
    let [
        Task::Forget {
            vault,
            ids,
            prune: Some(_),
        },
    ] = tasks.as_slice()
    else {
        panic!("{tasks:?}")
    };
    let all = generations();
    let gone: Vec<Id> = [11, 12, 13].iter().map(|n| all[*n].id).collect();
    assert_eq!((vault.as_str(), ids), ("home", &gone));
    // The rule can be written into the plan, or not.
    assert!(
        stage.screen().contains("Save the rule in everything?"),
        "{}",
        stage.screen()
    );
    stage.keys("Enter n");
    assert!(stage.changes.is_empty() && stage.model.dialogs.is_empty());
}

#[test]
fn keys_of_the_first_moment_are_not_heard() {
    let mut stage = stage("← ← ← ← w");
    stage.millis -= 300;
    stage.keys("y");
    assert!(stage.screen().contains("Delete 3 generations of home?"));
    stage.keys("y");
    assert!(stage.screen().contains("Type home to go on:"));
}

#[test]
fn the_rule_can_be_saved_without_deleting() {
    let mut stage = stage("s");
    assert!(stage.screen().contains("no plan of this vault with another rule"));
    stage.keys("← s y");
    assert_eq!(stage.changes.len(), 1);
    assert!(stage.changes[0].starts_with("save plan everything (was Some(\"everything\"))"));
    assert!(stage.changes[0].contains("545 days"), "{:?}", stage.changes);
    assert!(tasks(&mut stage).is_empty());
}

#[test]
fn read_only_applies_nothing_and_says_why() {
    let mut stage = stage("← ← ← ←");
    stage.model.read_only = true;
    for key in ["w", "s"] {
        stage.keys(key);
        assert!(stage.screen().contains("--read-only"), "{}", stage.screen());
        assert!(stage.model.dialogs.is_empty());
    }
}

#[test]
fn old_figures_are_not_applied() {
    let mut stage = stage("← ← ← ←");
    stage.silent = true;
    stage.keys("← w");
    assert!(stage.model.dialogs.is_empty());
    assert!(stage.screen().contains("not worked out yet"));
}

#[test]
fn a_rule_that_keeps_nothing_is_neither_asked_about_nor_applied() {
    let mut stage = stage("");
    stage.silent = true;
    stage.keys("0");
    assert!(asked(&stage).is_empty());
    stage.keys("w");
    assert!(stage.model.dialogs.is_empty());
    assert!(stage.screen().contains("This rule keeps nothing"));
}

#[test]
fn values_are_typed_and_count_at_once() {
    let mut stage = stage("Enter Ctrl-u");
    stage.text("90");
    assert!(
        stage.screen().contains("Generations that go: 5 of 14"),
        "{}",
        stage.screen()
    );
    stage.keys("Esc");
    assert!(stage.screen().contains("730 days (2 years)"), "taken back");
    stage.keys("Enter Ctrl-u");
    stage.text("90");
    stage.keys("Enter");
    assert!(stage.screen().contains("90 days"));
    stage.keys("z");
    assert!(stage.screen().contains("730 days (2 years)"), "one change, one undo");
    // Digits are screens elsewhere, values while typing.
    stage.keys("Enter 2");
    assert_eq!(stage.model.screen, Screen::Cost);
    stage.keys("Esc 2");
    assert_eq!(stage.model.screen, Screen::Vaults);
}

#[test]
fn what_is_typed_stays_when_one_goes_elsewhere() {
    let mut stage = stage("Enter Ctrl-u");
    stage.text("100");
    stage.keys("↓ z");
    assert!(stage.screen().contains("730 days"), "{}", stage.screen());
    stage.keys("k Enter Ctrl-u");
    stage.text("100");
    stage.keys("Tab");
    assert!(stage.screen().contains("100 days"));
}

#[test]
fn the_protected_cannot_be_marked() {
    let mut stage = stage("Tab a G k k k");
    assert!(stage.screen().contains("protected"));
    stage.keys("d");
    assert!(stage.screen().contains("It is protected"), "{}", stage.screen());
    stage.keys("g d");
    assert!(stage.screen().contains("Generations: 1 of 14 go"), "{}", stage.screen());
    stage.keys("z");
    assert!(stage.screen().contains("Generations: 0 of 14 go"));
}

#[test]
fn what_is_staged_is_looked_at_as_a_what_if() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("2 Enter j d d");
    stage.silent = true;
    stage.keys("W");
    stage.silent = false;
    stage.answer();
    assert_eq!(stage.model.screen, Screen::Cost);
    assert!(
        stage.screen().contains("Generations that go: 2 of 14"),
        "{}",
        stage.screen()
    );
    assert!(stage.screen().contains("marked by hand"));
    // A step of the rule puts the rule in force again, the marks with it.
    stage.keys("Tab Tab ←");
    assert!(stage.screen().contains("what the rule says"), "{}", stage.screen());
}

#[test]
fn each_vault_has_its_own_draft() {
    let mut stage = stage("← ]");
    stage.keys("Esc [");
    assert!(stage.screen().contains("545 days"), "{}", stage.screen());
}

#[test]
fn what_is_lost_is_asked_anew_when_the_vault_changes() {
    let mut stage = stage("← ← ← ← Shift-Tab");
    assert!(stage.screen().contains("notes-0.txt"));
    stage.silent = true;
    stage.send(Msg::VaultChanged("home".into()));
    answer_one(&mut stage);
    let again = |(_, question): &(_, Question)| matches!(question, Question::Lost(_));
    assert!(stage.unanswered.iter().any(again), "{:?}", stage.unanswered);
}

#[test]
fn a_price_is_tried_out() {
    let mut stage = stage("p");
    stage.text("backb");
    stage.keys("Enter");
    assert!(stage.screen().contains("Backblaze B2"), "{}", stage.screen());
    assert!(stage.screen().contains("was AWS") || stage.screen().contains("$0.16"));
}

/// A price is tried out on the vault it was chosen for, be it the first that screen 6 shows of it.
#[test]
fn a_price_is_tried_out_on_its_vault() {
    use crate::tui::screens::cost::price_tried;
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("2 p");
    stage.text("backb");
    stage.keys("Enter");
    assert!(stage.screen().contains("Backblaze B2"), "{}", stage.screen());
    let home = price_tried(&stage.model, "home").map(str::to_owned);
    assert!(home.is_some());
    // From the overview, for another vault than the one shown.
    stage.keys("1 j j j j j j j j j j");
    let row = (0..9).find(|_| {
        stage.keys("k");
        crate::tui::screens::overview::vault_under_cursor(&stage.model).as_deref() == Some("away")
    });
    assert!(row.is_some(), "{}", stage.screen());
    stage.keys("p");
    stage.text("backb");
    stage.keys("Enter");
    assert_eq!(price_tried(&stage.model, "away"), home.as_deref());
    assert_eq!(price_tried(&stage.model, "home"), home.as_deref());
    // Written for one, it is tried out there no more.
    stage.keys("Esc 2 p Ctrl-s");
    assert_eq!(price_tried(&stage.model, "away"), None, "{}", stage.screen());
    assert_eq!(price_tried(&stage.model, "home"), home.as_deref());
}

#[test]
fn a_lost_version_is_gone_to_in_its_generation() {
    let mut stage = stage("← ← ← ← Shift-Tab Enter");
    assert_eq!(stage.model.screen, Screen::Files);
    let shown = stage.model.generations.list.current().map(|row| row.id);
    assert_eq!(shown, Some(generations()[11].id));
    stage.keys("6");
    assert!(stage.screen().contains("Lost for ever"));
}

#[test]
fn notes_that_have_no_room_can_be_read() {
    let mut stage = Stage::new(80, 24, Look::default());
    stage.keys("6 N");
    for words in [
        "What the rule means",
        "No generation goes: all 14 stay.",
        "it was off by 6 %",
    ] {
        assert!(stage.screen().contains(words), "{words}: {}", stage.screen());
    }
}

//! Answers that are long in coming: what they keep from whom, and what is asked again.

use crate::engine::{Answer, Question};
use crate::tui::msg::{Effect, Msg};
use crate::tui::stage::Stage;
use crate::tui::theme::Look;

fn stage(keys: &str) -> Stage {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys(keys);
    stage.silent = true;
    stage
}

/// How many questions without an answer are of this kind.
fn waiting(stage: &Stage, wanted: impl Fn(&Question) -> bool) -> usize {
    let questions = stage.unanswered.iter().filter(|(_, question)| wanted(question));
    questions.count()
}

#[test]
fn a_vault_that_does_not_answer_keeps_nothing_from_the_others() {
    let mut stage = stage("2");
    let lists =
        |stage: &Stage, of: &str| waiting(stage, |q| matches!(q, Question::Generations { vault } if vault == of));
    let runs = |stage: &Stage, of: &str| waiting(stage, |q| matches!(q, Question::Runs { vault } if vault == of));
    stage.keys("j");
    assert_eq!(lists(&stage, "away"), 0, "the cursor may only pass over it");
    stage.wait(200);
    assert_eq!((lists(&stage, "away"), runs(&stage, "away")), (1, 1));
    stage.keys("k");
    stage.wait(200);
    assert_eq!((lists(&stage, "home"), runs(&stage, "home")), (1, 1));
    let dropped = stage
        .effects
        .iter()
        .filter(|effect| matches!(effect, Effect::Abandon(_)));
    assert_eq!(dropped.count(), 2);
    stage.keys("j Enter");
    assert_eq!(lists(&stage, "away"), 2, "at once where one goes into it");
}

#[test]
fn a_vault_that_is_measured_keeps_no_figures_from_the_others() {
    let mut stage = stage("6");
    let what_ifs =
        |stage: &Stage, of: &str| waiting(stage, |q| matches!(q, Question::WhatIf(asked) if asked.vault == of));
    stage.keys("]");
    assert_eq!((what_ifs(&stage, "away"), what_ifs(&stage, "home")), (1, 0));
    let measured = stage.unanswered.iter().find(|(_, q)| matches!(q, Question::WhatIf(_)));
    let request = measured.unwrap().0;
    stage.keys("[");
    assert_eq!(what_ifs(&stage, "home"), 1);
    let (at, answer) = (stage.now(), Answer::Measuring { done: 12, of: 900 });
    stage.send(Msg::Answer {
        request,
        answer,
        complete: false,
        at,
    });
    assert!(!stage.screen().contains("12 of 900"), "that is the other vault's");
}

/// What changes while an answer is on its way may not be in that: it is asked for again.
#[test]
fn a_change_is_not_swallowed_by_an_older_answer() {
    let mut stage = stage("2 Enter");
    let of_it = |question: &Question| {
        matches!(
            question,
            Question::Vaults
                | Question::Generations { .. }
                | Question::Runs { .. }
                | Question::Overview
                | Question::VaultCosts
        )
    };
    stage.send(Msg::VaultChanged("home".into()));
    assert_eq!(waiting(&stage, of_it), 5);
    // Another change, and R, before any of them is answered.
    stage.send(Msg::VaultChanged("home".into()));
    stage.keys("R");
    assert_eq!(waiting(&stage, of_it), 5, "one question at a time");
    let older = std::mem::take(&mut stage.unanswered);
    for (request, question) in older {
        let (at, answer) = (stage.now(), stage.world.answer(&question));
        stage.send(Msg::Answer {
            request,
            answer,
            complete: true,
            at,
        });
    }
    assert_eq!(waiting(&stage, of_it), 5, "what is new is asked for");
    stage.answer();
    stage.silent = false;
    stage.wait(1);
    assert!(stage.unanswered.is_empty(), "once");
}

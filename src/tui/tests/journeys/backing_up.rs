//! Backing up, and looking at what is there.

use super::*;

#[test]
fn a_plan_is_backed_up_and_its_generation_is_there_at_once() {
    let mut journey = Journey::new();
    journey.keys("b");
    journey.sees("never yet");
    journey.keys("Enter");
    journey.sees("Back up files to home: 3 new, 0 changed of 3 files");
    journey.keys("Enter");
    journey.sees("2026-08-22 03:00");
    journey.keys("J");
    journey.sees("Back up files");
    journey.sees("done");
    assert!(
        journey
            .engine
            .open("home", PasswordGiven::Configured)
            .unwrap()
            .vault()
            .locks()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn paths_without_a_plan_are_backed_up_once() {
    let mut journey = Journey::new();
    journey.keys("b p");
    journey.text("~/fil");
    journey.sees("~/files/");
    journey.keys("Tab Enter");
    // Down to what is left out.
    journey.keys("Tab Tab");
    journey.text("*.pdf");
    journey.keys("Enter Enter");
    journey.sees("2 new");
    journey.keys("Enter Enter");
    journey.sees("notes.txt");
    journey.find_row("docs/");
    journey.keys("Enter");
    journey.sees("old/");
    journey.sees_not("report.pdf");
}

#[test]
fn a_trial_stores_nothing() {
    let mut journey = Journey::new();
    journey.keys("b t");
    journey.sees("dry run");
    let generations = journey
        .engine
        .open("home", PasswordGiven::Configured)
        .unwrap()
        .vault()
        .generations()
        .unwrap();
    assert!(generations.is_empty());
}

#[test]
fn yesterdays_folder_is_looked_at() {
    let mut journey = Journey::new();
    journey.run_plan();
    journey.days(1);
    journey.write("files/added.txt", "new");
    journey.run_plan();
    journey.keys("Enter");
    journey.sees("2026-08-23 03:00");
    journey.keys("j Enter");
    journey.sees("notes.txt");
    journey.sees_not("added.txt");
    journey.keys("q");
    assert!(journey.quit);
}

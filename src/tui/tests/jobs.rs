//! What is told of jobs, and what leaving does to them.

use super::behaviour::in_files;
use crate::engine::{JobKind, JobState};
use crate::tui::msg::Msg;

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

/// What came of a job can be read and copied whole, however long it is: what to do stands at its end.
#[test]
fn a_long_outcome_is_cut_with_a_sign_and_read_whole_in_the_log() {
    let mut stage = in_files();
    let job = stage.start_job(JobKind::Restore, "Restore notes.txt to /tmp/out");
    let error = format!(
        "stopped at /srv/{}/notes.txt: No space left on device; make room and run the same restore again: it goes on where \
         it stopped",
        "deep/".repeat(40)
    );
    let state = JobState::Failed {
        error: error.clone(),
        exit_code: 1,
    };
    stage.end_job(&job, state);
    stage.keys("J");
    assert!(stage.screen().contains('…'), "{}", stage.screen());
    stage.keys("Enter");
    if !stage.screen().contains("it goes on where") {
        stage.keys("Tab");
    }
    let screen = stage.screen();
    assert!(screen.contains("…") && screen.contains("it stopped"), "{screen}");
    stage.keys("g y");
    assert_eq!(stage.done(), [format!("copy {error}")]);
}

/// Sentences are wrapped for the columns there are now, not for those there were.
#[test]
fn notes_are_wrapped_anew_on_a_narrower_terminal() {
    let mut stage = in_files();
    stage.keys("6 N");
    // What stands in the dialog's frame.
    let words = |stage: &crate::tui::stage::Stage| {
        let screen = stage.screen();
        let top = screen
            .lines()
            .find(|line| line.contains("What the rule means"))
            .unwrap();
        let at = |corner: char| top.chars().position(|c| c == corner).unwrap();
        let (left, right) = (at('╭'), at('╮'));
        let inside = |line: &str| line.chars().skip(left + 1).take(right - left - 1).collect::<String>();
        let lines = screen.lines().skip_while(|line| *line != top).skip(1).map(inside);
        let words = lines.flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        words.collect::<Vec<_>>()
    };
    let before = words(&stage);
    stage.send(Msg::Resize(62, 40));
    let after = words(&stage);
    let sentence = |words: &[String]| words.iter().take(20).cloned().collect::<Vec<_>>();
    assert_eq!(sentence(&before), sentence(&after));
}

#[test]
fn a_text_is_found_in_a_log_and_gone_to_again() {
    let mut stage = in_files();
    let job = stage.start_job(JobKind::Backup, "Back up everything to home");
    stage.end_job(
        &job,
        JobState::Done {
            summary: "done".into(),
            problems: 0,
        },
    );
    stage.keys("J Enter");
    if stage.screen().contains("Permission denied") {
        stage.keys("Tab");
    }
    stage.keys("n");
    assert!(
        stage.screen().contains("Nothing was looked for yet"),
        "{}",
        stage.screen()
    );
    stage.keys("/");
    stage.text("zzzz");
    stage.keys("Enter");
    assert!(
        stage.screen().contains("No line here holds that."),
        "{}",
        stage.screen()
    );
    // The problems have two lines with this.
    stage.keys("Tab /");
    for _ in 0..4 {
        stage.keys("Backspace");
    }
    stage.text("denied");
    stage.keys("Enter y");
    stage.keys("n y n y");
    let done = stage.done();
    assert!(done.len() == 3 && done[0] == done[2] && done[0] != done[1], "{done:?}");
}

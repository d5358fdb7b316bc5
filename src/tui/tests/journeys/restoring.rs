//! Getting files back.

use super::*;

/// Two generations a day apart; the second without `docs/report.pdf`, and with other notes.
fn two_days() -> Journey {
    let mut journey = Journey::new();
    journey.run_plan();
    journey.days(1);
    std::fs::remove_file(journey.path("files/docs/report.pdf")).unwrap();
    journey.write("files/notes.txt", "second");
    journey.run_plan();
    journey
}

#[test]
fn a_deleted_file_comes_back_into_a_folder() {
    let mut journey = two_days();
    journey.keys("Enter j Enter");
    journey.find_row("docs/");
    journey.keys("Enter");
    journey.find_row("report.pdf");
    journey.keys("r");
    journey.sees("report.pdf: 1 file, 10 B");
    // Flat, into a folder that is completed as far as it is there.
    journey.keys("→ Tab Ctrl-u");
    journey.text("~/restored");
    journey.sees("restored/report.pdf");
    journey.keys("Enter");
    journey.sees("1 file");
    journey.keys("y");
    journey.sees("Done: 1 file written (10 B)");
    assert_eq!(journey.read("restored/report.pdf"), "%PDF first");
}

#[test]
fn a_folder_keeps_its_whole_path() {
    let mut journey = two_days();
    journey.keys("Enter j Enter");
    journey.find_row("docs/");
    journey.keys("Space r Enter y");
    journey.sees("Done: 2 files written");
    let inside = journey.path("files/docs/old/deep.txt");
    let restored = journey.path("restored").join(inside.strip_prefix("/").unwrap());
    assert_eq!(std::fs::read_to_string(restored).unwrap(), "deep");
}

#[test]
fn a_file_goes_back_in_place_after_the_vaults_name() {
    let mut journey = two_days();
    journey.keys("Enter j Enter");
    journey.find_row("notes.txt");
    journey.keys("r → → Enter");
    journey.sees("overwrite");
    journey.keys("y");
    journey.sees("Type home to go on");
    assert_eq!(journey.read("files/notes.txt"), "second", "nothing is written yet");
    journey.text("home");
    journey.keys("Enter");
    journey.sees("Done: 1 file written");
    assert_eq!(journey.read("files/notes.txt"), "first");
}

#[test]
fn an_old_version_comes_beside_the_present_one() {
    let mut journey = two_days();
    journey.keys("Enter j Enter");
    journey.find_row("notes.txt");
    journey.keys("r → → →");
    journey.sees("notes (2026-08-22 03.00).txt");
    journey.keys("Enter y");
    journey.sees("Done: 1 file written");
    assert_eq!(journey.read("files/notes.txt"), "second");
    assert_eq!(journey.read("files/notes (2026-08-22 03.00).txt"), "first");
}

#[test]
fn a_folder_becomes_again_what_it_was() {
    let mut journey = two_days();
    journey.write("files/docs/junk.tmp", "x");
    journey.keys("Enter j Enter");
    journey.find_row("docs/");
    journey.keys("r → → Tab Tab Space Enter");
    journey.sees("delete");
    journey.sees("junk.tmp");
    journey.keys("y");
    journey.text("home");
    journey.keys("Enter");
    journey.sees("1 deleted");
    assert_eq!(journey.read("files/docs/report.pdf"), "%PDF first");
    assert!(!journey.path("files/docs/junk.tmp").exists());
    assert_eq!(
        journey.read("files/notes.txt"),
        "second",
        "beside what was picked nothing changes"
    );
}

#[test]
fn a_problem_is_listed_and_its_file_reached() {
    let mut journey = two_days();
    // A folder that is not empty stands where the file belongs.
    journey.write("restored/notes.txt/mine", "x");
    journey.keys("Enter j Enter");
    journey.find_row("notes.txt");
    journey.keys("Space h");
    journey.keys("r → Enter");
    journey.sees("impossible");
    journey.sees("a folder that is not empty");
    journey.keys("y");
    journey.sees("1 problem");
    journey.keys("Enter");
    journey.sees_not("what came of it");
    journey.find_row("notes.txt");
    assert_eq!(journey.read("restored/notes.txt/mine"), "x");
}

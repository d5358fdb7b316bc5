//! A key that does nothing says why.

use super::behaviour::in_files;
use super::setup::shows;
use crate::tui::stage::Stage;
use crate::tui::theme::Look;

#[test]
fn a_row_that_has_not_arrived_says_so() {
    let mut stage = in_files();
    // Far down in a folder of many: the rows there are on their way.
    let many = stage.model.files.list.find(|row| row.name == b"many");
    stage.model.files.list.go(many.unwrap());
    stage.keys("Enter");
    stage.silent = true;
    stage.keys("G");
    for key in ["r", "Enter", "Space"] {
        stage.model.notice = None;
        stage.keys(key);
        shows(&stage, "still being read");
        assert!(stage.model.dialogs.is_empty());
    }
}

#[test]
fn an_empty_folder_says_so() {
    let mut stage = in_files();
    let empty = stage.model.files.list.find(|row| row.name == b"empty");
    stage.model.files.list.go(empty.unwrap());
    stage.keys("Enter Enter");
    shows(&stage, "There is nothing here to open.");
}

#[test]
fn a_browser_of_an_empty_folder_says_so() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.world.poison = Some(|answer| {
        if let crate::engine::Answer::Disk(window) = answer {
            window.rows.clear();
            window.total = 0;
        }
    });
    stage.keys("P n");
    stage.text("docs");
    stage.keys("Tab Tab Enter");
    for key in ["Enter", "Space"] {
        stage.model.notice = None;
        stage.keys(key);
        shows(&stage, "There is nothing here: h goes to the folder above.");
    }
}

#[test]
fn where_there_is_no_other_pane_or_vault_that_is_said() {
    let mut stage = in_files();
    stage.keys("Tab");
    shows(&stage, "There is no room beside the list");
    stage.keys("1 Shift-Tab");
    shows(&stage, "This screen has one pane.");
    stage.keys("2 h /");
    stage.text("home");
    stage.keys("Enter 6 ]");
    shows(&stage, "lets one through only");
    let mut bare = Stage::bare(120, 40, Look::default());
    bare.keys("6 p");
    shows(&bare, "There is no vault.");
    bare.keys("[");
    shows(&bare, "There is no vault.");
}

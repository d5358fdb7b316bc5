//! Restoring from three months ago.

use std::path::{Path, PathBuf};

use crate::session::{Demo, PATIENCE, Session};

/// All files below a folder, by their paths in it.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut left = vec![folder.to_path_buf()];
    while let Some(at) = left.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                out.push(path.strip_prefix(folder).unwrap().to_path_buf());
            }
        }
    }
    out
}

/// Waits until a list has a row that starts with a name, and not only a title or a field that holds it.
fn see_row(session: &mut Session, name: &str) {
    let row = |screen: &vt100::Screen| {
        let contents = screen.contents();
        contents.lines().any(|line| line.trim_start().starts_with(name))
    };
    let seen = session.watch(PATIENCE, row);
    assert!(seen, "waited for the row {name}, saw:\n{}", session.contents());
}

/// Filters `etc` to one row and selects it.
fn select(session: &mut Session, name: &str, selected: &str) {
    session.press(&format!("/{name}\r"));
    session.see_gone("passwd");
    see_row(session, name);
    session.press(" ");
    session.see(selected);
    session.press("\x1b");
    session.see("passwd");
}

/// Opens the demo's generation of three months ago, selects two files and a folder, restores them elsewhere, sees the job
/// finish, and quits.
fn restore_from_three_months_ago(columns: u16, rows: u16) {
    let demo = Demo::make();
    let target = demo.path().join("out");
    let mut session = Session::start(&demo, columns, rows, &[]);
    session.see("up to date");
    session.press("2");
    session.see("22");
    session.press("\r");
    session.see("/22");
    session.press("/3 months\r");
    session.see_gone("4 months ago");
    session.see("3 months ago");
    session.press("\r");
    let in_files = |screen: &vt100::Screen| {
        screen
            .contents()
            .lines()
            .next()
            .is_some_and(|line| line.contains("web1"))
    };
    assert!(
        session.watch(PATIENCE, in_files),
        "the generation was not opened:\n{}",
        session.contents()
    );
    session.see("etc/");
    session.press("/etc\r");
    session.see_gone("srv/");
    see_row(&mut session, "etc/");
    session.press("\r");
    session.see("passwd");
    select(&mut session, "fstab", "1 item selected");
    select(&mut session, "hosts", "2 items selected");
    select(&mut session, "nginx", "3 items selected");
    session.see("selected: ");
    session.press("r");
    session.see("lands as");
    session.press("\t");
    session.press("\x15");
    session.press(target.to_str().unwrap());
    session.press("\r");
    session.see("nothing that is there is lost");
    session.press_until_gone("y", "Restore: the plan");
    session.see("what came of it");
    session.see("files written");
    session.press("\x1b");
    session.see_gone("what came of it");
    session.press("j");
    let restored = files_below(&target);
    for name in ["fstab", "hosts"] {
        assert!(
            restored.iter().any(|path| path.ends_with(Path::new("etc").join(name))),
            "{name} in {restored:?}"
        );
    }
    assert!(
        restored
            .iter()
            .any(|path| path.to_string_lossy().contains("etc/nginx/")),
        "{restored:?}"
    );
    assert!(
        !restored.iter().any(|path| path.ends_with("etc/passwd")),
        "only what was selected: {restored:?}"
    );
    session.press("J");
    session.see("done");
    session.press("\x1b");
    session.see_gone(" Jobs ");
    session.press("q");
    session.ends(true);
}

#[test]
fn restores_from_three_months_ago_at_80_by_24() {
    restore_from_three_months_ago(80, 24);
}

#[test]
fn restores_from_three_months_ago_at_120_by_40() {
    restore_from_three_months_ago(120, 40);
}

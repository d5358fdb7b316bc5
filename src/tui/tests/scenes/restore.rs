//! Restoring, and backing up now.

use super::Scene;
use crate::engine::JobState;
use crate::tui::stage::Stage;

/// The form, two things selected, towards a folder of this name.
fn towards(s: &mut Stage, folder: &str) {
    s.keys("Enter Enter j Space j j Space r Tab Ctrl-u");
    s.text(folder);
}

pub(super) const SCENES: &[Scene] = &[
    ("restore-form", true, |s| s.keys("Enter Enter j Space j j Space r")),
    ("restore-completing", true, |s| towards(s, "~/doc")),
    ("restore-in-place", true, |s| {
        s.keys("Enter Enter j r → → Tab → Tab Space")
    }),
    ("restore-beside", true, |s| s.keys("Enter Enter j r → → →")),
    ("restore-relative", true, |s| {
        towards(s, "somewhere");
        s.keys("Enter");
    }),
    ("restore-planning", true, |s| {
        towards(s, "~/full");
        s.silent = true;
        s.keys("Enter");
    }),
    ("restore-plan", true, |s| {
        towards(s, "~/full");
        s.keys("Enter j j");
    }),
    ("restore-plan-deleting", true, |s| {
        towards(s, "~/full");
        s.keys("Tab Tab Space Enter f f");
    }),
    ("restore-plan-empty", true, |s| {
        towards(s, "~/new");
        s.keys("Enter");
    }),
    ("restore-confirm", true, |s| {
        s.keys("Enter Enter j r → → Enter y");
        s.text("hom");
    }),
    ("restore-refused", true, |s| {
        towards(s, "/root/forbidden");
        s.keys("Enter");
    }),
    ("restore-running", true, |s| {
        towards(s, "~/new");
        s.keys("Enter y");
        let job = s.started("Restore 2 items to /home/anna/new");
        s.progress(&job, 37);
    }),
    ("restore-problems", true, |s| {
        towards(s, "~/new");
        s.keys("Enter y");
        let job = s.started("Restore 2 items to /home/anna/new");
        s.progress(&job, 37);
        s.end_job(
            &job,
            JobState::Done {
                summary: "80 files written (6.6 MiB), 0 right already".into(),
                problems: 2,
            },
        );
        s.keys("j");
    }),
    ("restore-failed", true, |s| {
        towards(s, "~/new");
        s.keys("Enter y");
        let job = s.started("Restore 2 items to /home/anna/new");
        s.end_job(
            &job,
            JobState::Failed {
                error: "stopped at photos/a\u{1b}[2J.raw: No space left on device; make room and run the same restore \
                        again: it goes on where it stopped"
                    .into(),
                exit_code: 1,
            },
        );
    }),
    ("backup", true, |s| s.keys("b")),
    ("no-plans", false, |s| s.keys("b")),
    ("backup-paths", true, |s| {
        s.keys("b p");
        s.text("/srv/www");
        s.keys("Enter");
        s.text("~/doc");
    }),
    ("backup-no-path", true, |s| s.keys("b p Tab Enter")),
];

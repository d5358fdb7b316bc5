//! Restoring, and backing up now.

use super::Scene;

pub(super) const SCENES: &[Scene] = &[
    ("restore-form", true, |s| {
        s.keys("Enter Enter j Space j j Space r Tab →")
    }),
    ("restore-plan", true, |s| {
        s.keys("Enter Enter j Space j j Space r Ctrl-u");
        s.text("~/full");
        s.keys("Enter");
    }),
    ("restore-refused", true, |s| {
        s.keys("Enter Enter j r Ctrl-u");
        s.text("/root/forbidden");
        s.keys("Enter");
    }),
    ("backup", true, |s| s.keys("b")),
    ("no-plans", false, |s| s.keys("b")),
];

//! The screen Search, and what changed.

use super::Scene;

pub(super) const SCENES: &[Scene] = &[
    ("search", true, |s| s.keys("4")),
    ("search-typing", true, |s| {
        s.keys("4");
        s.text("notes");
        s.wait(1000);
    }),
    ("search-rows", true, |s| {
        s.keys("4");
        s.text("notes");
        s.keys("Enter j j j j");
        s.wait(1000);
    }),
    ("search-gone", true, |s| {
        s.keys("4 Alt-x");
        s.text("note");
        s.keys("Enter f");
        s.wait(1000);
    }),
    ("search-nothing", true, |s| {
        s.keys("4");
        s.text("no such \u{202e}name");
    }),
    ("search-running", true, |s| {
        s.keys("4");
        s.silent = true;
        s.text("notes");
    }),
    ("search-hostile", true, |s| {
        s.keys("4");
        s.text("hostile");
        s.keys("Enter");
        s.wait(1000);
    }),
    ("changes", true, |s| s.keys("2 Enter j c j")),
    ("changes-marked", true, |s| s.keys("2 Enter m j j m c")),
    ("changes-folder-hostile", true, |s| s.keys("2 Enter Enter c")),
    ("search-bare", false, |s| s.keys("4")),
];

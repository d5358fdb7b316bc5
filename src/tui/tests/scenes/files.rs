//! The screen Files.

use super::Scene;

pub(super) const SCENES: &[Scene] = &[
    ("files", true, |s| s.keys("Enter j j j j j j j j Enter j j")),
    ("selected", true, |s| {
        s.keys("Enter Enter Space j Space G Space g j Enter j Space h v j j")
    }),
    ("hostile", true, |s| s.keys("Enter Enter j j j Enter j")),
    ("many", true, |s| s.keys("Enter Enter j j j j j Enter G")),
    ("empty-folder", true, |s| s.keys("Enter Enter j j Enter")),
    ("filtered", true, |s| {
        s.keys("Enter Enter /");
        s.text("note");
        s.keys("Enter");
    }),
    ("filtering-nothing", true, |s| {
        s.keys("Enter Enter /");
        s.text("nowhere");
    }),
];

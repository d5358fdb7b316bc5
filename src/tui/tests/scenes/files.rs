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
    ("preview", true, |s| {
        s.keys("Enter Enter G k");
        s.wait(200);
    }),
    ("preview-folder", true, |s| {
        s.keys("Enter Enter j");
        s.wait(200);
    }),
    ("preview-bytes", true, |s| {
        s.keys("Enter Enter G k k k k");
        s.wait(200);
    }),
    ("beside-versions", true, |s| {
        s.keys("Enter Enter G k Tab");
        s.wait(200);
    }),
    ("usage", true, |s| s.keys("Enter Enter s s")),
    ("sort", true, |s| s.keys("Enter Enter s")),
    ("travelled", true, |s| s.keys("Enter Enter G k <")),
    ("versions", true, |s| s.keys("Enter Enter G k V j j Space j")),
    ("compare", true, |s| s.keys("Enter Enter G k d")),
    ("look", true, |s| s.keys("Enter Enter G k Enter")),
    ("look-bytes", true, |s| s.keys("Enter Enter G k Enter x")),
    ("look-empty", true, |s| s.keys("Enter Enter j j j j j j Enter j Enter")),
    ("filtering-nothing", true, |s| {
        s.keys("Enter Enter /");
        s.text("nowhere");
    }),
];

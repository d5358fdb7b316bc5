//! The screen Vaults.

use super::Scene;

pub(super) const SCENES: &[Scene] = &[
    ("vaults", true, |_| {}),
    ("no-vaults", false, |_| {}),
    ("generations", true, |s| s.keys("Enter j")),
    ("details", true, |s| s.keys("Enter j j Tab")),
    ("details-table", true, |s| s.keys("Enter Tab t")),
    ("marked", true, |s| s.keys("Enter j m j j j m k d v j j d z d j v j")),
    ("staged", true, |s| s.keys("Enter j j d d d G d k")),
    ("review", true, |s| s.keys("Enter j d d w")),
    ("review-all", true, |s| s.keys("Enter v G d w")),
    ("review-confirm", true, |s| {
        s.keys("Enter d d w y");
        s.text("hom");
    }),
    ("tags", true, |s| s.keys("Enter e")),
    ("tags-of-a-range", true, |s| s.keys("Enter v j j e")),
    ("no-generations", true, |s| s.keys("j j Enter")),
    ("unreachable", true, |s| s.keys("G Enter")),
    ("password", true, |s| {
        s.keys("j");
        s.wait(200);
        s.keys("Enter");
        s.text("wrong");
        s.keys("Enter");
        s.text("sec");
    }),
    ("prune", true, |s| s.keys("2 S")),
];

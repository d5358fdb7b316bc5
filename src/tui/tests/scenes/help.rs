//! The help.

use super::Scene;

pub(super) const SCENES: &[Scene] = &[
    ("help", true, |s| s.keys("Enter Enter ? ↓ ↓")),
    ("help-searched", true, |s| {
        s.keys("?");
        s.text("pane");
    }),
];

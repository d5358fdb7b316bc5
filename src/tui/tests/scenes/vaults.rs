//! The screen Vaults.

use super::Scene;

pub(super) const SCENES: &[Scene] = &[
    ("vaults", true, |_| {}),
    ("no-vaults", false, |_| {}),
    ("generations", true, |s| s.keys("Enter j")),
    ("no-generations", true, |s| s.keys("j j Enter")),
    ("unreachable", true, |s| s.keys("G Enter")),
    ("password", true, |s| {
        s.keys("j Enter");
        s.text("wrong");
        s.keys("Enter");
        s.text("sec");
    }),
];

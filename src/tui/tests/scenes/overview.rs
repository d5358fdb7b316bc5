//! The screen Overview.

use super::Scene;
use crate::engine::JobKind;

pub(super) const SCENES: &[Scene] = &[
    ("overview", true, |s| s.keys("1")),
    ("overview-end", true, |s| s.keys("1 G")),
    ("overview-bare", false, |s| s.keys("1")),
    ("overview-running", true, |s| {
        s.keys("1 j");
        let job = s.start_job(JobKind::Backup, "Back up everything to home");
        s.progress(&job, 30);
    }),
    ("cost", true, |s| s.keys("6")),
];

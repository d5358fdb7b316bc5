//! Jobs: strip, drawer, report, questions.

use super::Scene;
use crate::engine::{JobKind, JobState};

pub(super) const SCENES: &[Scene] = &[
    ("jobs", true, |s| {
        let first = s.start_job(JobKind::Backup, "Back up everything to home");
        s.progress(&first, 40);
        s.end_job(
            &first,
            JobState::Failed {
                error: "no space left on device".into(),
                exit_code: 1,
            },
        );
        let second = s.start_job(JobKind::Restore, "Restore photos/ to /home/anna/restored");
        s.end_job(
            &second,
            JobState::Done {
                summary: "41 files, 3.3 MiB".into(),
                problems: 2,
            },
        );
        let third = s.start_job(JobKind::Restore, "Restore 3 items to /home/anna/restored");
        s.progress(&third, 10);
        s.progress(&third, 37);
        s.keys("J j");
    }),
    ("no-jobs", true, |s| s.keys("J")),
    ("report", true, |s| {
        let job = s.start_job(JobKind::Restore, "Restore photos/ to /home/anna/restored");
        s.wait(65_000);
        s.end_job(
            &job,
            JobState::Done {
                summary: "41 files, 3.3 MiB".into(),
                problems: 2,
            },
        );
        s.keys("J Enter j");
    }),
    ("running", true, |s| {
        s.keys("Enter Enter");
        let job = s.start_job(JobKind::Restore, "Restore 3 items to /home/anna/restored");
        s.start_job(JobKind::Backup, "Back up everything to home");
        s.progress(&job, 10);
        s.progress(&job, 62);
    }),
    ("quit", true, |s| {
        s.start_job(JobKind::Backup, "Back up everything to home");
        s.keys("q");
    }),
    ("cancel", true, |s| {
        s.start_job(JobKind::Backup, "Back up everything to home");
        s.keys("J x");
    }),
    ("report-log", true, |s| {
        let job = s.start_job(JobKind::Restore, "Restore photos/ to /home/anna/restored");
        s.progress(&job, 40);
        s.keys("J Enter");
    }),
    ("jobs-running", true, |s| {
        let job = s.start_job(JobKind::Backup, "Back up everything to home");
        for percent in [0, 3, 9, 14, 16, 21, 29, 36, 44, 49, 53] {
            s.progress(&job, percent);
        }
        s.keys("J");
    }),
    ("jobs-filter", true, |s| {
        let first = s.start_job(JobKind::Backup, "Back up everything to home");
        s.end_job(
            &first,
            JobState::Failed {
                error: "no space left on device".into(),
                exit_code: 1,
            },
        );
        s.start_job(JobKind::Restore, "Restore photos/ to /home/anna/restored");
        s.keys("J /");
        s.text("fail");
    }),
];

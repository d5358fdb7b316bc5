//! What is protected in the made-up world, and what ran.

use std::path::PathBuf;

use coffer::engine::overview::{
    About, LastRun, Overview, PlanCopy, PlanState, Reach, Severity, Standing, VaultState, Warning,
};
use coffer::engine::question::{CoverageRow, JobRow, VaultRuns};
use coffer::engine::{Answer, JobInfo, JobKind, JobState, Question};
use coffer::progress::ProgressSample;
use coffer::vault::Time;

use super::{DAY, NOW, World};

const HOUR: i64 = 3600;

pub(super) fn answer(world: &World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::Overview if world.bare => Answer::Overview(Box::new(Overview {
            warnings: vec![warning(
                Severity::Danger,
                "There is no vault yet: nothing is backed up.",
                About::Setup,
            )],
            looked: true,
            ..Overview::default()
        })),
        Question::Overview => Answer::Overview(Box::new(overview())),
        Question::Coverage if world.bare => Answer::Coverage(Vec::new()),
        Question::Coverage => Answer::Coverage(coverage()),
        Question::Runs { vault } if vault == "home" => Answer::Runs(VaultRuns {
            runs: runs(),
            schedules: Vec::new(),
        }),
        Question::Runs { .. } => Answer::Runs(VaultRuns::default()),
        _ => return None,
    })
}

/// What brings each thing back: one whole, one that a fire takes, one that its disk takes, one that nothing does.
fn coverage() -> Vec<CoverageRow> {
    let row = |what: &str, kind: &'static str| CoverageRow {
        what: what.into(),
        kind,
        last_backup: None,
        last_snapshot: None,
        oldest: None,
        largest_gap: None,
        vaults: Vec::new(),
        snapshots: 0,
        consistency: None,
        one_file: String::new(),
        whole_state: String::new(),
        after_disk: String::new(),
        after_site: String::new(),
        copies: (1, 1, 0),
        warnings: Vec::new(),
    };
    let both = || "vault home, away".to_owned();
    let snapshots = || "9 snapshots".to_owned();
    let mut rows = vec![
        CoverageRow {
            last_backup: Some(NOW - 2 * HOUR),
            vaults: vec!["home".into(), "away".into()],
            one_file: both(),
            whole_state: both(),
            after_disk: both(),
            after_site: "vault away".into(),
            copies: (3, 3, 1),
            ..row("/home/anna", "path")
        },
        CoverageRow {
            last_backup: Some(NOW - 30 * HOUR),
            last_snapshot: Some(NOW - HOUR / 2),
            vaults: vec!["home".into()],
            snapshots: 24,
            one_file: "24 snapshots; vault home".into(),
            whole_state: "24 snapshots; vault home".into(),
            after_disk: "vault home".into(),
            copies: (2, 2, 0),
            warnings: vec!["no copy is known to be elsewhere: fire, theft or a lost site take all".into()],
            ..row("/srv/www", "volume")
        },
        CoverageRow {
            last_snapshot: Some(NOW - 5 * HOUR),
            snapshots: 9,
            whole_state: snapshots(),
            warnings: vec!["snapshots only, on the same disk: a dead disk loses both".into()],
            ..row("db", "machine")
        },
        CoverageRow {
            warnings: vec!["nothing brings it back: no backup, no snapshot".into()],
            ..row("/var/lib/mail", "path")
        },
    ];
    rows.extend((0..3).map(|n| row(&format!("/var/lib/machines/{n}"), "volume")));
    rows
}

fn done() -> JobState {
    JobState::Done {
        summary: "311 new, 12 changed of 78,579 files, 4.4 MiB added; generation 6e340b9c".into(),
        problems: 0,
    }
}

fn done_before() -> JobState {
    JobState::Done {
        summary: "311 new, 13 changed of 78,268 files, 8.7 MiB added; generation 084fed08".into(),
        problems: 0,
    }
}

fn failed() -> JobState {
    JobState::Failed {
        error: "no space left on device".into(),
        exit_code: 1,
    }
}

fn run(id: i64, ago: i64, plan: &str, vault: &str, state: JobState) -> JobRow {
    let time = |seconds| Time {
        seconds,
        ..Time::default()
    };
    JobRow {
        info: JobInfo {
            id,
            kind: JobKind::Backup,
            vault: vault.into(),
            plan: Some(plan.into()),
            started: time(NOW - ago),
        },
        state,
        ended: Some(time(NOW - ago + 74)),
        progress: ProgressSample::default(),
        issues: 0,
        title: String::new(),
        here: false,
    }
}

fn runs() -> Vec<JobRow> {
    vec![
        run(9, 9 * HOUR, "everything", "home", done()),
        run(8, DAY + 9 * HOUR, "everything", "home", done_before()),
        run(6, 40 * DAY, "everything", "home", failed()),
        run(5, 41 * DAY, "everything", "home", failed()),
    ]
}

fn warning(severity: Severity, text: &str, about: About) -> Warning {
    Warning {
        severity,
        text: text.into(),
        about,
    }
}

fn overview() -> Overview {
    let copy = |vault: &str, standing, generations, age: i64, state| PlanCopy {
        vault: vault.into(),
        generations,
        newest: Some(NOW - age),
        logical: Some(1_345_678_901),
        files: Some(78_579),
        last_run: Some(LastRun {
            job: 9,
            started: NOW - age.min(9 * HOUR),
            ended: Some(NOW - age.min(9 * HOUR) + 74),
            state,
        }),
        standing,
        ..PlanCopy::default()
    };
    let vault = |name: &str, location: &str, generations, days: Option<i64>, stored, reach| VaultState {
        name: name.into(),
        location: location.into(),
        generations: Some(generations),
        newest: days.map(|days| NOW - days * DAY - 9 * HOUR),
        stored,
        copies: 1,
        reach,
        ..VaultState::default()
    };
    let gone = "/mnt/usb/vault is not there: is its disk mounted?";
    Overview {
        plans: vec![
            PlanState {
                name: "documents".into(),
                paths: vec![PathBuf::from("/home/anna/documents")],
                every: DAY,
                copies: vec![copy("away", Standing::Late, 52, 6 * DAY + 9 * HOUR, failed())],
                ..PlanState::default()
            },
            PlanState {
                name: "everything".into(),
                paths: ["/etc", "/home", "/root", "/srv"].map(PathBuf::from).to_vec(),
                every: DAY,
                copies: vec![
                    copy("home", Standing::Fresh, 14, 9 * HOUR, done()),
                    PlanCopy {
                        vault: "gone".into(),
                        ..PlanCopy::default()
                    },
                ],
                ..PlanState::default()
            },
        ],
        vaults: vec![
            VaultState {
                plans: vec!["everything".into()],
                checked: Some((NOW - 12 * DAY, true)),
                ..vault(
                    "home",
                    "/srv/backup/home",
                    14,
                    Some(0),
                    Some(23_456_789_012),
                    Reach::Open,
                )
            },
            VaultState {
                plans: vec!["documents".into()],
                ..vault(
                    "away",
                    "/mnt/nas/coffer/away",
                    52,
                    Some(6),
                    Some(312_456_789_012),
                    Reach::Locked,
                )
            },
            VaultState {
                copies: 0,
                ..vault("new", "/srv/backup/new", 0, None, None, Reach::There)
            },
            vault("gone", "/mnt/usb/vault", 3, Some(80), None, Reach::Problem(gone.into())),
        ],
        uncovered: Vec::new(),
        runs: std::iter::once(run(10, 9 * HOUR, "documents", "away", failed()))
            .chain(runs())
            .collect(),
        warnings: vec![
            warning(
                Severity::Danger,
                "The vault gone cannot be used: /mnt/usb/vault is not there: is its disk mounted? It was last seen 3 months ago.",
                About::Vault("gone".into()),
            ),
            warning(
                Severity::Danger,
                "The newest generation of documents in away was made 6 days ago; no schedule is set, a run every day is assumed. \
                 The last run failed: no space left on device.",
                About::Plan("documents".into()),
            ),
            warning(
                Severity::Danger,
                "The plan everything has only one copy, in home, on the same disk as its source: if that disk fails, both are lost.",
                About::Plan("everything".into()),
            ),
            warning(
                Severity::Warning,
                "No plan covers /opt and /var/lib.",
                About::Path("/opt".into()),
            ),
            warning(
                Severity::Note,
                "The vault away was never checked from this machine.",
                About::Vault("away".into()),
            ),
            warning(
                Severity::Note,
                "No plan writes to the vault new.",
                About::Vault("new".into()),
            ),
        ],
        looked: true,
    }
}

//! The commands around a plan's backup.

use super::setup::plan;
use super::*;

/// Starts a plan with these hooks.
fn start_with_hooks(bench: &Bench, before: Option<String>, after: Option<String>, seconds: u64) -> JobHandle {
    let (path, _) = bench.vault("v");
    let vault = vault_config("v", path.into(), None);
    let mut plan = plan("p", "v", &bench.path("v"));
    plan.hooks = crate::config::Hooks {
        before,
        after,
        minutes: u32::try_from(seconds / 60).unwrap(),
    };
    bench.engine.set_config(Config {
        vaults: vec![vault],
        plans: vec![*plan],
        ..Config::default()
    });
    let plan = Task::Plan {
        plan: "p".into(),
        vault: None,
        dry_run: false,
    };
    bench.engine.start(plan).unwrap()
}

/// Runs a plan with these hooks; its state, log and issues.
fn run_with_hooks(
    bench: &Bench,
    before: Option<String>,
    after: Option<String>,
    seconds: u64,
) -> (JobState, String, u64) {
    let job = start_with_hooks(bench, before, after, seconds);
    let _ = job.wait();
    let log: Vec<String> = job.log().into_iter().map(|line| line.text).collect();
    (job.state(), log.join("\n"), job.issue_count())
}

#[test]
fn hooks_run_around_the_backup() {
    let bench = Bench::new();
    let file = bench.path("told").display().to_string();
    let before = format!("echo dumping; echo before $COFFER_PLAN $COFFER_VAULT >> {file}");
    let after = format!("echo after $COFFER_RESULT >> {file}; echo trouble >&2; exit 3");
    let (state, log, issues) = run_with_hooks(&bench, Some(before), Some(after), 60);
    assert!(matches!(state, JobState::Done { .. }), "{state:?}");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "before p v\nafter done\n");
    assert!(
        log.contains("before: dumping") && log.contains("after: trouble"),
        "{log}"
    );
    assert_eq!(issues, 1, "what failed after the backup is in its report");
}

#[test]
fn a_hook_that_fails_before_keeps_the_backup_from_running() {
    let bench = Bench::new();
    let file = bench.path("told");
    let after = Some(format!("touch {}", file.display()));
    let (state, _, _) = run_with_hooks(&bench, Some("echo no database >&2; exit 4".into()), after, 60);
    let JobState::Failed { error, .. } = state else {
        panic!("{state:?}")
    };
    assert!(
        error.contains("before the backup failed") && error.contains("no database"),
        "{error}"
    );
    assert!(!file.exists(), "what was not begun is not ended");
    assert_eq!(std::fs::read_dir(bench.path("v/snapshots")).unwrap().count(), 0);
}

#[test]
fn a_hook_that_takes_too_long_is_ended_with_all_it_started() {
    let bench = Bench::new();
    let file = bench.path("late");
    let before = format!("(sleep 600; touch {}) & sleep 600", file.display());
    let started = std::time::Instant::now();
    let (state, _, _) = run_with_hooks(&bench, Some(before), None, 0);
    let JobState::Failed { error, .. } = state else {
        panic!("{state:?}")
    };
    assert!(error.contains("longer than 0 seconds"), "{error}");
    assert!(started.elapsed() < std::time::Duration::from_secs(60) && !file.exists());
}

#[test]
fn what_the_first_hook_stopped_is_started_again_when_the_backup_is_cancelled_right_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let (begun, told) = (folder.path().join("begun"), folder.path().join("told"));
    // Cancels while the hook's last words are written down: it has ended by then, the backup has not begun.
    let canceller = Canceller::default();
    let bench = Bench::with(|settings| {
        let begun = begun.clone();
        settings.clock = cancelling_clock(&canceller, move || begun.exists());
    });
    *canceller.lock().unwrap() = Some(bench.engine.clone());
    let before = format!("touch {}; echo stopped", begun.display());
    let after = format!("echo after $COFFER_RESULT > {}", told.display());
    let (state, ..) = run_with_hooks(&bench, Some(before), Some(after), 60);
    assert!(matches!(state, JobState::Cancelled { .. }), "{state:?}");
    assert_eq!(std::fs::read_to_string(told).unwrap(), "after cancelled\n");
}

#[test]
fn a_stop_during_the_first_hook_is_no_failure() {
    let bench = Bench::new();
    let (begun, told) = (bench.path("begun"), bench.path("told"));
    let before = format!("touch {}; exec sleep 600", begun.display());
    let after = format!("touch {}", told.display());
    let job = start_with_hooks(&bench, Some(before), Some(after), 6000);
    while !begun.exists() {
        std::thread::yield_now();
    }
    job.cancel();
    assert_eq!(job.wait().unwrap_err().exit_code(), 130);
    assert!(matches!(job.state(), JobState::Cancelled { .. }));
    assert!(!told.exists(), "what was not done is not undone");
}

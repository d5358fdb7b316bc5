//! Whole jobs: a plan's files into a vault and out again.

use super::*;
use crate::restore::{RestoreOptions, Target};
use crate::vault::check::DataSubset;

/// An engine with a vault `home` and a plan `files` of a small folder.
pub(super) fn bench() -> (Bench, PathBuf) {
    bench_with(|_| {})
}

fn bench_with(change: impl FnOnce(&mut Settings)) -> (Bench, PathBuf) {
    let bench = Bench::with(change);
    let files = bench.path("files");
    std::fs::create_dir_all(files.join("sub")).unwrap();
    std::fs::write(files.join("a"), "content of a").unwrap();
    std::fs::write(files.join("sub/b"), vec![7; 100_000]).unwrap();
    std::fs::write(files.join("skipped.tmp"), "no").unwrap();
    std::fs::write(bench.path("password"), PASSWORD).unwrap();
    let text = format!(
        "[vaults.home]\npath = 'v'\npassword-file = 'password'\n\
         [plans.files]\npaths = ['{}']\nvault = 'home'\nexcludes = ['*.tmp']\ntags = ['t']\n",
        files.display()
    );
    bench
        .engine
        .set_config(Config::parse(&text, &bench.path("config.toml")).unwrap());
    bench
        .engine
        .create("home", PasswordGiven::Configured, &test_options(2))
        .unwrap();
    (bench, files)
}

pub(super) fn run_plan(bench: &Bench) -> Box<crate::backup::Outcome> {
    let task = Task::Plan {
        plan: "files".into(),
        vault: None,
        dry_run: false,
    };
    match bench.engine.start(task).unwrap().wait().unwrap() {
        TaskOutcome::Backup(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

pub(super) fn ask(engine: &Engine, question: Question) -> Answer {
    let mut events = engine.subscribe();
    engine.ask(1, question).unwrap();
    loop {
        if let Event::Answer {
            request: 1,
            answer,
            complete: true,
        } = events.blocking_recv().unwrap()
        {
            return answer;
        }
    }
}

#[test]
fn a_plan_runs_and_its_generation_is_listed_at_once() {
    let (bench, files) = bench();
    let outcome = run_plan(&bench);
    let generation = outcome.generation.unwrap();
    assert_eq!(
        (outcome.summary.files_new, generation.tags.as_slice()),
        (2, &["t".to_owned()][..])
    );
    // From the catalog, without the vault.
    let open = bench.engine.open("home", PasswordGiven::Configured).unwrap();
    let known = bench.engine.catalog().generations(open.place()).unwrap();
    assert_eq!(known, [generation]);
    assert!(bench.engine.catalog().vaults().unwrap()[0].stored.unwrap() > 100);
    assert!(open.vault().locks().unwrap().is_empty());
    std::fs::write(files.join("c"), "new").unwrap();
    let next = run_plan(&bench);
    assert_eq!((next.summary.files_new, next.summary.files_unmodified), (1, 2));
    let rows = bench.engine.job_rows(10).unwrap();
    assert!(
        matches!(&rows[0].state, JobState::Done { summary, problems: 0 } if summary.contains("1 new")),
        "{rows:?}"
    );
    assert_eq!(
        (rows[0].info.plan.as_deref(), rows[0].info.vault.as_str()),
        (Some("files"), "home")
    );
}

#[test]
fn a_restore_in_one_go_and_a_check() {
    let (bench, files) = bench();
    let generation = run_plan(&bench).generation.unwrap();
    let options = Box::new(RestoreOptions::new(Target::Folder(bench.path("out"))));
    let what = RestoreWhat::Options(Box::new(generation), options);
    let job = bench
        .engine
        .start(Task::Restore {
            vault: "home".into(),
            what,
        })
        .unwrap();
    assert_eq!(job.wait().unwrap().exit_code(), 0);
    let restored = bench.path("out").join(files.strip_prefix("/").unwrap());
    assert_eq!(std::fs::read(restored.join("a")).unwrap(), b"content of a");
    let check = || {
        bench
            .engine
            .start(Task::Check {
                vault: "home".into(),
                data: DataSubset::All,
            })
            .unwrap()
    };
    let sound = check().wait().unwrap();
    assert_eq!((sound.exit_code(), sound.problems()), (0, 0));
    // A pack loses its bytes: the check finds it and says so with its code.
    let pack = walk(&bench.path("v/data"))
        .into_iter()
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    std::fs::remove_file(&pack).unwrap();
    let job = check();
    let damaged = job.wait().unwrap();
    assert_eq!(damaged.exit_code(), 1);
    assert!(job.issue_count() > 0 && !job.issues_after(0)[0].text.is_empty());
    assert!(matches!(job.state(), JobState::Done { problems, .. } if problems > 0));
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .collect()
}

#[test]
fn a_cancelled_backup_leaves_no_lock() {
    let canceller = Canceller::default();
    let (bench, _) = bench_with(|settings| {
        let locks = settings.config_path.with_file_name("v").join("locks");
        let locked = move || std::fs::read_dir(&locks).is_ok_and(|mut locks| locks.next().is_some());
        settings.clock = cancelling_clock(&canceller, locked);
    });
    *canceller.lock().unwrap() = Some(bench.engine.clone());
    let job = bench
        .engine
        .start(Task::Plan {
            plan: "files".into(),
            vault: None,
            dry_run: false,
        })
        .unwrap();
    let result = job.wait();
    let open = bench.engine.open("home", PasswordGiven::Configured).unwrap();
    assert!(open.vault().locks().unwrap().is_empty());
    assert_eq!(result.unwrap_err().exit_code(), 130);
    assert_eq!(job.state(), JobState::Cancelled { cleaned: true });
    assert_eq!(run_plan(&bench).summary.files_new, 2);
}

#[test]
fn without_locks_a_backup_still_heeds_those_of_others() {
    let (bench, _) = bench();
    let config = (*bench.engine.config()).clone();
    let unlocked = Engine::new(settings(bench.folder.path(), |s| {
        s.config = config;
        s.no_lock = true;
    }))
    .unwrap();
    let run = |dry_run| {
        let task = Task::Plan {
            plan: "files".into(),
            vault: None,
            dry_run,
        };
        unlocked.start(task).unwrap().wait()
    };
    let open = bench.engine.open("home", PasswordGiven::Configured).unwrap();
    let held = open.vault().lock(crate::vault::LockKind::Exclusive).unwrap();
    assert_eq!(run(false).unwrap_err().exit_code(), 11);
    assert_eq!(run(true).unwrap().exit_code(), 0);
    drop(held);
    assert_eq!(run(false).unwrap().exit_code(), 0);
}

#[test]
fn a_dry_run_stores_nothing() {
    let (bench, _) = bench();
    let task = Task::Plan {
        plan: "files".into(),
        vault: Some("home".into()),
        dry_run: true,
    };
    let job = bench.engine.start(task).unwrap();
    let TaskOutcome::Backup(outcome) = job.wait().unwrap() else {
        panic!("not a backup")
    };
    assert!(outcome.generation.is_none());
    // Nor is it a run of the plan: what failed before still has.
    let row = bench.engine.job_row(job.id()).unwrap().unwrap();
    assert_eq!(row.info.kind, JobKind::DryBackup);
    let overview = bench.engine.overview(false).unwrap();
    assert_eq!(overview.plans[0].copies[0].last_run, None);
    assert_eq!(
        (overview.runs, bench.engine.runs("home").unwrap().runs),
        (vec![], vec![])
    );
    assert_eq!(walk(&bench.path("v/data")), Vec::<PathBuf>::new());
    let elsewhere = Task::Plan {
        plan: "files".into(),
        vault: Some("other".into()),
        dry_run: true,
    };
    assert!(matches!(bench.engine.start(elsewhere), Err(Error::Usage(_))));
}

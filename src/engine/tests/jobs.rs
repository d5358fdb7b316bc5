//! Jobs: their life, their history, and what must not happen to them.

use super::*;
use crate::progress::Cancel;
use crate::storage::FileKind;
use crate::vault::change::TagChange;
use crate::vault::lock::LockKind;
use crate::vault::prune::PruneOptions;

/// Starts a job that ends when it is told to stop.
fn until_cancelled(engine: &Engine, plan: Option<&str>) -> Result<JobHandle> {
    engine.start_job(JobKind::Backup, "v".into(), plan.map(Into::into), |_, job| {
        while !job.cancel_flag().is_cancelled() {
            std::thread::yield_now();
        }
        Err(Error::Cancelled)
    })
}

/// The states a job went through, as told to a subscriber.
fn states(events: &mut Events, id: JobId) -> Vec<String> {
    let mut words = Vec::new();
    loop {
        match events.blocking_recv().unwrap() {
            Event::JobStarted(info) if info.id == id => words.push("started".into()),
            Event::JobChanged { job, state } if job.id == id => {
                words.push(state.word().to_owned());
                if state.has_ended() {
                    return words;
                }
            }
            _ => {}
        }
    }
}

#[test]
fn a_job_that_is_done_is_told_and_remembered() {
    let bench = Bench::new();
    let mut events = bench.engine.subscribe();
    let job = bench
        .engine
        .start_job(JobKind::Unlock, "home".into(), None, |_, job| {
            job.progress.file_done(10);
            job.report(b"/a\xff", "odd".into());
            Ok(TaskOutcome::Unlock(2))
        })
        .unwrap();
    assert!(matches!(job.wait().unwrap(), TaskOutcome::Unlock(2)));
    assert!(matches!(job.wait(), Err(Error::Usage(_))));
    assert_eq!(states(&mut events, job.id()), ["started", "done"]);
    assert_eq!(
        job.issues_after(0),
        [JobIssue {
            path: b"/a\xff".to_vec(),
            text: "odd".into()
        }]
    );
    assert_eq!(job.issues_after(1), []);
    // As another process sees it.
    let other = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    let rows = other.job_rows(10).unwrap();
    assert_eq!(
        (rows.len(), rows[0].info.id, rows[0].here, rows[0].issues),
        (1, job.id(), false, 1)
    );
    assert_eq!(
        rows[0].state,
        JobState::Done {
            summary: "2 locks removed".into(),
            problems: 0
        }
    );
    assert_eq!((rows[0].progress.files_done, rows[0].progress.bytes_done), (1, 10));
    assert_eq!(other.job_issues(job.id()).unwrap(), job.issues_after(0));
}

#[test]
fn a_cancelled_job_says_so_on_the_way() {
    let bench = Bench::new();
    let mut events = bench.engine.subscribe();
    let job = until_cancelled(&bench.engine, None).unwrap();
    assert!(!job.wait_for(std::time::Duration::from_millis(1)));
    assert_eq!(bench.engine.running().len(), 1);
    job.cancel();
    job.cancel();
    assert_eq!(job.wait().unwrap_err().exit_code(), 130);
    assert_eq!(states(&mut events, job.id()), ["started", "cancelling", "cancelled"]);
    assert_eq!(job.state(), JobState::Cancelled { cleaned: true });
    assert!(bench.engine.running().is_empty());
    job.cancel();
    assert_eq!(job.state(), JobState::Cancelled { cleaned: true });
}

#[test]
fn a_panic_fails_its_job_and_nothing_else() {
    let bench = Bench::new();
    let job = bench
        .engine
        .start_job(JobKind::Check, "v".into(), Some("p".into()), |_, _| {
            panic!("a bug {}", 7)
        })
        .unwrap();
    let error = job.wait().unwrap_err();
    assert!(
        matches!(&error, Error::Panicked { text, .. } if text == "a bug 7"),
        "{error}"
    );
    assert!(matches!(job.state(), JobState::Failed { exit_code: 1, .. }));
    // Its plan may run again.
    let next = bench
        .engine
        .start_job(JobKind::Check, "v".into(), Some("p".into()), |_, _| {
            Ok(TaskOutcome::Unlock(0))
        });
    next.unwrap().wait().unwrap();
}

#[test]
fn runs_of_one_plan_never_overlap() {
    let bench = Bench::new();
    let other = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    let job = until_cancelled(&bench.engine, Some("etc")).unwrap();
    for engine in [&bench.engine, &other] {
        assert!(matches!(
            until_cancelled(engine, Some("etc")),
            Err(Error::PlanRunning { .. })
        ));
    }
    let beside = until_cancelled(&other, Some("home")).unwrap();
    assert_ne!(beside.id(), job.id());
    // Seen from the other side while it runs.
    let row = other
        .job_rows(10)
        .unwrap()
        .into_iter()
        .find(|row| row.info.id == job.id())
        .unwrap();
    assert_eq!((row.state, row.here), (JobState::Running, false));
    job.cancel();
    assert!(job.wait().is_err());
    let next = until_cancelled(&other, Some("etc")).unwrap();
    other.shutdown(true);
    assert!(next.state().has_ended() && beside.state().has_ended());
}

#[test]
fn a_shutdown_ends_jobs_and_starts_none() {
    let bench = Bench::new();
    let jobs: Vec<_> = (0..3).map(|_| until_cancelled(&bench.engine, None).unwrap()).collect();
    bench.engine.shutdown(true);
    assert!(
        jobs.iter()
            .all(|job| job.state() == JobState::Cancelled { cleaned: true })
    );
    assert!(matches!(until_cancelled(&bench.engine, None), Err(Error::ShuttingDown)));
    assert_eq!(bench.engine.ask(1, Question::Vaults), Err(Busy));
}

#[test]
fn a_job_of_a_dead_process_has_failed() {
    let bench = Bench::new();
    let record = crate::catalog::JobRecord {
        id: 0,
        run: "12345-0000000000000000".into(),
        kind: "backup".into(),
        vault: "home".into(),
        plan: None,
        title: String::new(),
        started: Time::default(),
        end: None,
    };
    let id = bench.engine.catalog().job_started(&record, 0).unwrap();
    let rows = bench.engine.job_rows(10).unwrap();
    assert_eq!(rows[0].info.id, id);
    assert!(matches!(&rows[0].state, JobState::Failed { error, .. } if error.contains("process ended")));
}

#[test]
fn many_issues_are_counted_and_the_first_kept() {
    let bench = Bench::new();
    let work = |_: &Engine, job: &JobHandle| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5_000).for_each(|_| job.report(b"/x", "bad".into())));
            }
        });
        Ok(TaskOutcome::Unlock(0))
    };
    let job = bench.engine.start_job(JobKind::Backup, "v".into(), None, work).unwrap();
    job.wait().unwrap();
    assert_eq!((job.issue_count(), job.issues_after(0).len()), (20_000, 10_000));
    assert_eq!(bench.engine.catalog().issues(job.id()).unwrap().len(), 10_000);
}

#[test]
fn generations_are_tagged_and_forgotten_under_a_lock() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let (first, second) = (small_generation(&open, 100), small_generation(&open, 200));
    let change = TagChange::Add(vec!["kept".into()]);
    let tag = Task::Tag {
        vault: path.clone(),
        ids: vec![first],
        change,
    };
    let TaskOutcome::Tag(changed) = bench.engine.start(tag).unwrap().wait().unwrap() else {
        panic!("not a tag")
    };
    assert_eq!((changed.len(), changed[0].0), (1, first));
    let forget = |ids| {
        bench
            .engine
            .start(Task::Forget {
                vault: path.clone(),
                ids,
                prune: None,
            })
            .unwrap()
    };
    // Somebody else's lock is in the way.
    let lock = open.vault().lock(LockKind::Shared).unwrap();
    let job = forget(vec![second]);
    assert_eq!(job.wait().unwrap_err().exit_code(), 11);
    assert!(matches!(job.state(), JobState::Failed { exit_code: 11, .. }));
    drop(lock);
    forget(vec![second]).wait().unwrap();
    let left = bench.engine.catalog().generations(open.place()).unwrap();
    assert_eq!(
        left.iter().map(|g| (g.id, g.tags.clone())).collect::<Vec<_>>(),
        [(changed[0].1, vec!["kept".to_owned()])]
    );
    assert!(open.vault().locks().unwrap().is_empty());
}

#[test]
fn nothing_is_forgotten_when_one_is_protected() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let (first, second) = (small_generation(&open, 100), small_generation(&open, 200));
    let tag = Task::Tag {
        vault: path.clone(),
        ids: vec![second],
        change: TagChange::Add(vec!["protected".into()]),
    };
    let TaskOutcome::Tag(changed) = bench.engine.start(tag).unwrap().wait().unwrap() else {
        panic!("not a tag")
    };
    let task = Task::Forget {
        vault: path,
        ids: vec![first, changed[0].1],
        prune: None,
    };
    let error = bench.engine.start(task).unwrap().wait().unwrap_err().to_string();
    assert!(error.contains("is protected, so nothing was deleted"), "{error}");
    assert_eq!(open.vault().generations().unwrap().len(), 2);
    assert!(open.vault().locks().unwrap().is_empty());
}

#[test]
fn what_is_forgotten_gives_its_space_back_in_the_same_job() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let (first, second) = (small_generation(&open, 100), small_generation(&open, 200));
    let stored = || {
        let mut stored = 0;
        let packs = open
            .vault()
            .storage()
            .list(FileKind::Pack, &mut |_, size| stored += size);
        packs.map(|()| stored).unwrap()
    };
    let before = stored();
    let task = Task::Forget {
        vault: path.clone(),
        ids: vec![first, second],
        prune: Some(PruneOptions::default()),
    };
    let job = bench.engine.start(task).unwrap();
    let TaskOutcome::Forget { gone, pruned } = job.wait().unwrap() else {
        panic!("not a forget")
    };
    assert_eq!(gone, [first, second]);
    let figures = pruned.unwrap();
    assert_eq!(
        (figures.bytes_before, figures.bytes_freed, stored()),
        (before, before, 0)
    );
    assert!(open.vault().locks().unwrap().is_empty());
    assert_eq!(bench.engine.catalog().generations(open.place()).unwrap(), []);
}

#[test]
fn a_forget_that_stops_half_way_says_what_is_gone() {
    let canceller = Canceller::default();
    let bench = Bench::with(|settings| {
        let generations = settings.config_path.with_file_name("v").join("snapshots");
        let one_left = move || std::fs::read_dir(&generations).is_ok_and(|left| left.count() == 1);
        settings.clock = cancelling_clock(&canceller, one_left);
    });
    let (path, open) = bench.vault("v");
    let ids = vec![small_generation(&open, 100), small_generation(&open, 200)];
    *canceller.lock().unwrap() = Some(bench.engine.clone());
    let task = Task::Forget {
        vault: path,
        ids: ids.clone(),
        prune: Some(PruneOptions::default()),
    };
    let job = bench.engine.start(task).unwrap();
    assert!(job.wait().unwrap_err().is_cancelled());
    let told: Vec<String> = job.issues_after(0).into_iter().map(|issue| issue.text).collect();
    assert_eq!(told, ["1 generation is forgotten, 1 not; nothing was pruned"]);
    let log: Vec<String> = job.log().into_iter().map(|line| line.text).collect();
    assert!(log.contains(&format!("forgot {}", ids[0].short())), "{log:?}");
}

#[test]
fn a_prune_that_fails_does_not_hide_what_is_gone() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let (first, second) = (small_generation(&open, 100), small_generation(&open, 200));
    let tree = open.vault().generations().unwrap()[0].tree;
    let indexed = open.indexed(&Cancel::default()).unwrap();
    let pack = indexed.index().find(BlobKind::Tree, &tree).unwrap().pack;
    open.vault().remove_file(FileKind::Pack, &pack).unwrap();
    let task = Task::Forget {
        vault: path.clone(),
        ids: vec![first],
        prune: Some(PruneOptions::default()),
    };
    let job = bench.engine.start(task).unwrap();
    job.wait().unwrap_err();
    let told = &job.issues_after(0)[0].text;
    assert!(told.contains("1 generation is forgotten"), "{told}");
    let left = bench.engine.catalog().generations(open.place()).unwrap();
    assert_eq!(left.iter().map(|g| g.id).collect::<Vec<_>>(), [second]);
    assert!(open.vault().locks().unwrap().is_empty());
}

#[test]
fn a_job_on_a_vault_that_needs_a_password_fails_clearly() {
    let bench = Bench::new();
    let (path, _) = bench.vault("v");
    let other = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    let job = other
        .start(Task::Unlock {
            vault: path,
            all: false,
        })
        .unwrap();
    assert!(matches!(job.wait(), Err(Error::PasswordNeeded { .. })));
}

/// The row of a job as an engine sees it.
fn row(engine: &Engine, id: JobId) -> JobRow {
    let rows = engine.job_rows(10).unwrap();
    rows.into_iter().find(|row| row.info.id == id).unwrap()
}

#[test]
fn another_process_sees_a_job_and_stops_it() {
    let bench = Bench::new();
    let other = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    let job = bench
        .engine
        .start_job(JobKind::Restore, "home".into(), None, |_, job| {
            job.progress.file_done(7);
            job.progress.set_current(b"/etc/\xff");
            job.report(b"/a\xff", "odd".into());
            while !job.cancel_flag().is_cancelled() {
                std::thread::yield_now();
            }
            Err(Error::Cancelled)
        })
        .unwrap();
    bench.engine.name_job(&job, "Restore etc");
    while job.issue_count() == 0 {
        std::thread::yield_now();
    }
    let seen = row(&other, job.id());
    assert_eq!(
        (seen.state, seen.here, seen.title.as_str(), seen.issues),
        (JobState::Running, false, "Restore etc", 1)
    );
    assert_eq!((seen.progress.files_done, seen.progress.bytes_done), (1, 7));
    assert_eq!(seen.progress.current, b"/etc/\xff");
    assert_eq!(other.job_issues(job.id()).unwrap(), job.issues_after(0));
    other.cancel(job.id()).unwrap();
    assert!(job.wait().unwrap_err().is_cancelled());
    let error = other.cancel(job.id()).unwrap_err().to_string();
    assert!(error.contains("does not run"), "{error}");
    assert!(other.cancel(999).is_err());
    let ended = row(&other, job.id());
    assert_eq!(
        (ended.state, ended.title.as_str()),
        (JobState::Cancelled { cleaned: true }, "Restore etc")
    );
    let log = other.job_log(job.id()).unwrap();
    assert_eq!(log, job.log());
    let told: Vec<&str> = log.iter().map(|line| line.text.as_str()).collect();
    let me = std::process::id();
    assert_eq!(
        told,
        [
            format!("started in process {me}").as_str(),
            format!("asked to stop by process {me}").as_str(),
            "cancelled; its locks are gone"
        ]
    );
}

#[test]
fn a_process_that_does_not_answer_is_told_apart_from_a_job_that_has_ended() {
    let bench = Bench::new();
    let other = Engine::new(settings(bench.folder.path(), |settings| {
        settings.patience = std::time::Duration::from_millis(1);
    }))
    .unwrap();
    let job = until_cancelled(&bench.engine, None).unwrap();
    // Nobody listens any more where the process is asked.
    let entries = std::fs::read_dir(bench.path("data/run"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let socket = entries
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "sock"))
        .unwrap();
    std::fs::remove_file(&socket).unwrap();
    let _silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let error = other.cancel(job.id()).unwrap_err();
    assert!(matches!(error, Error::Silent { .. }), "{error}");
    assert!(
        error.to_string().contains(&format!("kill -INT {}", std::process::id())),
        "{error}"
    );
    assert!(!job.state().has_ended());
    job.cancel();
    let _ = job.wait();
    assert!(matches!(other.cancel(job.id()), Err(Error::NotRunning { .. })));
}

#[test]
fn a_job_whose_start_could_not_be_written_down_is_in_the_history_when_it_ends() {
    let bench = Bench::new();
    bench
        .engine
        .start_job(JobKind::Check, "v".into(), None, |_, _| Ok(TaskOutcome::Unlock(0)))
        .unwrap()
        .wait()
        .unwrap();
    let data = bench.path("data");
    std::fs::rename(&data, bench.path("kept")).unwrap();
    std::fs::write(&data, "").unwrap();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let work = move |_: &Engine, job: &JobHandle| {
        gone.recv().unwrap();
        job.report(b"/x", "odd".into());
        Ok(TaskOutcome::Unlock(3))
    };
    let job = bench.engine.start_job(JobKind::Unlock, "v".into(), None, work).unwrap();
    assert!(job.id() < 0, "no other job has this number");
    std::fs::remove_file(&data).unwrap();
    std::fs::rename(bench.path("kept"), &data).unwrap();
    go.send(()).unwrap();
    job.wait().unwrap();
    let other = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    let rows = other.job_rows(10).unwrap();
    let kinds: Vec<JobKind> = rows.iter().map(|row| row.info.kind).collect();
    assert_eq!(kinds, [JobKind::Unlock, JobKind::Check]);
    assert!(matches!(rows[0].state, JobState::Done { .. }));
    assert_eq!(other.job_issues(rows[0].info.id).unwrap().len(), 1);
    assert!(!other.job_log(rows[0].info.id).unwrap().is_empty());
}

#[test]
fn a_lock_that_could_not_be_deleted_is_told() {
    let bench = Bench::new();
    let (path, _) = bench.vault("v");
    let (locks, kept) = (bench.path("v/locks"), bench.path("v/kept"));
    let (from, to) = (locks.clone(), kept.clone());
    let work = move |engine: &Engine, job: &JobHandle| {
        let open = engine.open(&job.info.vault, PasswordGiven::Configured)?;
        let lock = open.vault().lock(LockKind::Shared)?;
        lock.check()?;
        // The place can be written to no more.
        std::fs::rename(&from, &to).unwrap();
        std::fs::write(&from, "").unwrap();
        Err(Error::Cancelled)
    };
    let job = bench.engine.start_job(JobKind::Check, path, None, work).unwrap();
    let _ = job.wait();
    assert_eq!(job.state(), JobState::Cancelled { cleaned: false });
    let other = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    assert_eq!(row(&other, job.id()).state, JobState::Cancelled { cleaned: false });
    assert!(job.log().last().unwrap().text.contains("still in the vault"));
}

#[test]
fn a_vault_goes_into_the_history_by_the_name_that_the_config_has_for_it() {
    let bench = Bench::new();
    let (path, _) = bench.vault("v");
    bench.engine.set_config(Config {
        vaults: vec![vault_config("home", bench.path("v"), None)],
        ..Config::default()
    });
    let unlock = |vault: String| {
        let job = bench.engine.start(Task::Unlock { vault, all: false }).unwrap();
        job.wait().unwrap();
        job.info.vault.clone()
    };
    assert_eq!(unlock(format!("{path}/../v")), "home");
    bench.engine.set_config(Config::default());
    assert_eq!(
        unlock(format!("{path}/../v")),
        std::fs::canonicalize(&path).unwrap().display().to_string()
    );
}

#[test]
fn an_engines_socket_goes_with_it() {
    let bench = Bench::new();
    let run = bench.path("data/run");
    let sockets = || {
        let names = std::fs::read_dir(&run).unwrap().map(|entry| entry.unwrap().path());
        names
            .filter(|path| path.extension().is_some_and(|end| end == "sock"))
            .count()
    };
    let other = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    until_cancelled(&other, None).unwrap();
    assert_eq!(sockets(), 1);
    other.shutdown(true);
    drop(other);
    while sockets() > 0 {
        std::thread::yield_now();
    }
    // One that died leaves both files behind; whoever looks takes them away.
    for end in ["lock", "sock"] {
        std::fs::write(run.join(format!("77-aa.{end}")), "").unwrap();
    }
    assert_eq!(bench.engine.job_rows(10).unwrap().len(), 1);
    assert_eq!(sockets(), 0);
}

#[test]
fn a_socket_far_down_is_reached_too() {
    let bench = Bench::new();
    let far = bench.path(&"a-folder-with-a-long-name/".repeat(8));
    let start = || Engine::new(settings(&far, |_| {})).unwrap();
    let (one, two) = (start(), start());
    let job = until_cancelled(&one, None).unwrap();
    assert_eq!(row(&two, job.id()).state, JobState::Running);
    two.cancel(job.id()).unwrap();
    assert!(job.wait().is_err());
}

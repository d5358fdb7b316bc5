//! Restores as the interface plans them.

use super::work::{ask, bench, run_plan};
use super::*;
use question::{
    Class, ConflictWindow, ConflictsAsked, Difference, Landing, Overwrite, RestorePreview, RestoreRequest, TreePath,
};

fn path(path: &Path) -> TreePath {
    path.iter()
        .skip(1)
        .map(|name| name.as_encoded_bytes().to_vec())
        .collect()
}

fn request(generation: Id, picked: &Path, landing: Landing) -> RestoreRequest {
    RestoreRequest {
        vault: "home".into(),
        generation,
        rules: vec![(path(picked), true)],
        landing,
        overwrite: Overwrite::IfChanged,
        delete: false,
    }
}

fn preview(bench: &Bench, request: &RestoreRequest) -> Box<RestorePreview> {
    match ask(&bench.engine, Question::PreviewRestore(request.clone())) {
        Answer::RestorePreview(preview) => preview,
        other => panic!("{other:?}"),
    }
}

fn conflicts(bench: &Bench, plan: u64, classes: &[Class], first: u64, rows: u32) -> ConflictWindow {
    let asked = ConflictsAsked {
        plan,
        classes: classes.to_vec(),
        first,
        rows,
    };
    match ask(&bench.engine, Question::RestoreConflicts(asked)) {
        Answer::RestoreConflicts(window) => window,
        other => panic!("{other:?}"),
    }
}

fn carry_out(bench: &Bench, plan: u64) -> crate::restore::RestoreOutcome {
    let job = bench.engine.start(Task::PlannedRestore { plan }).unwrap();
    match job.wait().unwrap() {
        TaskOutcome::Restore(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_restore_lands_where_it_was_said_to() {
    let (bench, files) = bench();
    let generation = run_plan(&bench).generation.unwrap().id;
    let out = bench.path("out");
    let full = request(generation, &files.join("sub"), Landing::Below(out.clone()));
    let totals = Question::Totals {
        vault: "home".into(),
        generation,
        rules: full.rules.clone(),
    };
    assert!(
        matches!(ask(&bench.engine, totals), Answer::Totals(t) if (t.files, t.folders, t.bytes) == (1, 1, 100_000))
    );
    let plan = preview(&bench, &full);
    assert_eq!((plan.create_files, plan.overwrite, plan.write_bytes), (1, 0, 100_000));
    assert!((1..100_000).contains(&plan.fetch_bytes), "sevens compress");
    assert_eq!(
        (plan.base.clone(), plan.room.on.as_path()),
        (out.clone(), bench.folder.path())
    );
    assert!(plan.room.writable && plan.room.free_bytes.is_some());
    carry_out(&bench, plan.plan);
    let below = out.join(files.strip_prefix("/").unwrap()).join("sub/b");
    assert_eq!(std::fs::metadata(&below).unwrap().len(), 100_000);
    assert_eq!(below, full.landing.place(&full.rules, &path(&files.join("sub/b"))));

    let flat = request(generation, &files.join("sub"), Landing::Flat(bench.path("flat")));
    carry_out(&bench, preview(&bench, &flat).plan);
    assert_eq!(std::fs::metadata(bench.path("flat/sub/b")).unwrap().len(), 100_000);

    std::fs::write(files.join("a"), "newer").unwrap();
    let beside = Landing::Beside {
        stamp: "2023-11-14 22.13".into(),
    };
    for picked in ["a", "sub"] {
        let request = request(generation, &files.join(picked), beside.clone());
        let plan = preview(&bench, &request);
        assert_eq!(plan.base, files, "the folder keeps its name: the file gets another");
        assert_eq!((plan.overwrite, plan.left, plan.create_files), (0, 0, 1));
        carry_out(&bench, plan.plan);
    }
    assert_eq!(std::fs::read(files.join("a")).unwrap(), b"newer");
    assert_eq!(
        std::fs::read(files.join("a (2023-11-14 22.13)")).unwrap(),
        b"content of a"
    );
    assert!(files.join("sub (2023-11-14 22.13)/b").exists());

    let place = request(generation, &files.join("a"), Landing::InPlace);
    let plan = preview(&bench, &place);
    assert_eq!((plan.overwrite, plan.overwrite_newer, plan.overwrite_bytes), (1, 1, 5));
    assert!(
        plan.warnings[0].contains("changed after this generation"),
        "{:?}",
        plan.warnings
    );
    carry_out(&bench, plan.plan);
    assert_eq!(std::fs::read(files.join("a")).unwrap(), b"content of a");
}

#[test]
fn what_is_in_the_way_is_listed_a_window_at_a_time() {
    let (bench, files) = bench();
    for n in 0..30 {
        std::fs::write(files.join(format!("f{n:02}")), "old").unwrap();
    }
    let generation = run_plan(&bench).generation.unwrap().id;
    for n in 0..30 {
        std::fs::write(files.join(format!("f{n:02}")), "changed").unwrap();
    }
    std::fs::write(files.join("extra"), "x").unwrap();
    let mut all = request(generation, &files, Landing::InPlace);
    all.delete = true;
    let plan = preview(&bench, &all);
    assert_eq!((plan.overwrite, plan.keep, plan.conflicts), (30, 4, [30, 0, 2, 0]));
    assert_eq!((plan.delete, plan.delete_bytes), (2, 3), "extra and skipped.tmp");
    let window = conflicts(&bench, plan.plan, &[Class::Overwritten], 28, 10);
    assert_eq!(
        (window.first, window.rows.len(), window.total, window.beyond),
        (20, 10, 30, 0)
    );
    let last = window.rows.last().unwrap();
    assert_eq!(
        (last.place.clone(), last.difference),
        (files.join("f29"), Some(Difference::NewerOnDisk))
    );
    assert_eq!((last.then.unwrap().size, last.now.unwrap().size), (3, 7));
    assert_eq!(conflicts(&bench, plan.plan, &[], 0, 100).total, 32);
    assert_eq!(
        conflicts(&bench, plan.plan, &[Class::Deleted], 0, 100).rows[0].class,
        Class::Deleted
    );
    assert!(matches!(
        ask(&bench.engine, Question::RestoreConflicts(ConflictsAsked { plan: 99, classes: vec![], first: 0, rows: 1 })),
        Answer::Failed(text) if text.contains("again")
    ));
    assert!(matches!(
        bench.engine.start(Task::PlannedRestore { plan: 999 }),
        Err(Error::Usage(_))
    ));
    assert_eq!(carry_out(&bench, plan.plan).deleted, 2);
    assert!(!files.join("extra").exists());

    let mut never = request(generation, &files, Landing::InPlace);
    never.overwrite = Overwrite::Never;
    std::fs::write(files.join("f00"), "mine").unwrap();
    let plan = preview(&bench, &never);
    assert_eq!((plan.overwrite, plan.conflicts[Class::Left as usize]), (0, 32));
}

#[test]
fn what_cannot_be_done_is_told_before() {
    let (bench, files) = bench();
    let generation = run_plan(&bench).generation.unwrap().id;
    let refused = |landing: Landing| {
        let request = request(generation, &files, landing);
        match ask(&bench.engine, Question::PreviewRestore(request)) {
            Answer::Failed(why) => why,
            other => panic!("{other:?}"),
        }
    };
    assert!(refused(Landing::Below("relative".into())).contains("absolute"));
    assert!(refused(Landing::Below(bench.path("v/data"))).contains("vault itself"));
    let two = RestoreRequest {
        rules: vec![(path(&files.join("a")), true), (path(&files.join("sub")), true)],
        ..request(generation, &files, Landing::Beside { stamp: "d".into() })
    };
    let told = ask(&bench.engine, Question::PreviewRestore(two));
    assert!(
        matches!(&told, Answer::Failed(why) if why.contains("one file")),
        "{told:?}"
    );
    // The machine's name differs: restoring to original places is said to be another machine's.
    let mut elsewhere = bench.engine.settings().clone();
    elsewhere.host = "other".into();
    elsewhere.config = (*bench.engine.config()).clone();
    let other = Bench {
        engine: Engine::new(elsewhere).unwrap(),
        folder: tempfile::tempdir().unwrap(),
    };
    let plan = preview(&other, &request(generation, &files, Landing::InPlace));
    assert!(
        plan.warnings.iter().any(|w| w.contains("this machine is other")),
        "{:?}",
        plan.warnings
    );
}

#[test]
fn paths_are_backed_up_without_a_plan() {
    let (bench, files) = bench();
    let task = |paths: Vec<PathBuf>| Task::Paths {
        vault: "home".into(),
        paths,
        excludes: vec!["*.tmp".into()],
        tags: vec!["by-hand".into()],
        dry_run: false,
    };
    let TaskOutcome::Backup(outcome) = bench.engine.start(task(vec![files.clone()])).unwrap().wait().unwrap() else {
        panic!("not a backup")
    };
    let generation = outcome.generation.unwrap();
    assert_eq!(
        (outcome.summary.files_new, generation.tags),
        (2, vec!["by-hand".to_owned()])
    );
    for (wrong, word) in [(vec![], "no path"), (vec!["relative".into()], "absolute")] {
        let error = bench.engine.start(task(wrong)).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

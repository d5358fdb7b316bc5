//! Questions and their answers.

use proptest::prelude::*;

use super::*;
use crate::catalog::{Catalog, Entry, Totals};
use crate::progress::Cancel;
use question::{Direction, FolderOrder, FolderWindow, SelectionRules, SortKey, TreePath, Weighed};

/// Asks, and waits for the last answer; those before it are given too.
pub(super) fn answers(engine: &Engine, question: Question) -> Vec<Answer> {
    let mut events = engine.subscribe();
    engine.ask(7, question).unwrap();
    collect(&mut events)
}

pub(super) fn collect(events: &mut Events) -> Vec<Answer> {
    let mut answers = Vec::new();
    loop {
        if let Event::Answer {
            request: 7,
            answer,
            complete,
        } = events.blocking_recv().unwrap()
        {
            answers.push(answer);
            if complete {
                return answers;
            }
        }
    }
}

pub(super) fn answer(engine: &Engine, question: Question) -> Answer {
    answers(engine, question).pop().unwrap()
}

fn folder_question(vault: &str, generation: Id, path: &[&str], filter: &str) -> Question {
    Question::Folder {
        vault: vault.into(),
        generation,
        folder: names(path),
        order: Default::default(),
        filter: filter.into(),
        first: 0,
        near: None,
        rows: 50,
    }
}

fn rows(answer: Answer) -> Vec<(String, Option<u64>)> {
    let Answer::Folder(FolderWindow {
        rows, total, first: 0, ..
    }) = answer
    else {
        panic!("{answer:?}")
    };
    assert_eq!(rows.len() as u64, total);
    rows.into_iter()
        .map(|row| (String::from_utf8(row.name).unwrap(), row.size))
        .collect()
}

fn totals(answer: Answer) -> (u64, u64, u64) {
    let Answer::Totals(Totals { files, folders, bytes }) = answer else {
        panic!("{answer:?}")
    };
    (files, folders, bytes)
}

#[test]
fn folders_are_read_once_and_then_known_without_the_vault() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let generation = small_generation(&open, 100);
    let engine = &bench.engine;
    let Answer::Generations(list) = answer(engine, Question::Generations { vault: path.clone() }) else {
        panic!("no list")
    };
    assert_eq!(
        (list.len(), list[0].id, list[0].time, list[0].host.as_str()),
        (1, generation, 100, "h")
    );
    let ask = |path: &[&str]| folder_question(&bench.path("v").display().to_string(), generation, path, "");
    assert_eq!(
        rows(answer(engine, ask(&[]))),
        [("etc".into(), None), ("readme".into(), Some(1))]
    );
    assert_eq!(
        rows(answer(engine, ask(&["etc"]))),
        [("ssh".into(), None), ("passwd".into(), Some(100))]
    );
    assert_eq!(answer(engine, ask(&["etc", "passwd"])), Answer::NoSuchFolder);
    assert_eq!(answer(engine, ask(&["no", "where"])), Answer::NoSuchFolder);
    let rules: SelectionRules = vec![(names(&[]), true), (names(&["etc", "ssh"]), false)];
    let question = Question::Totals {
        vault: path.clone(),
        generation,
        rules,
    };
    assert_eq!(totals(answer(engine, question.clone())), (2, 1, 101));
    assert_eq!(
        rows(answer(engine, ask(&["etc"]))),
        [("ssh".into(), Some(27)), ("passwd".into(), Some(100))]
    );
    assert_eq!(
        rows(answer(engine, folder_question(&path, generation, &["etc"], "PASS"))),
        [("passwd".into(), Some(100))]
    );
    // The vault goes away; another process with no password still browses.
    std::fs::rename(bench.path("v"), bench.path("gone")).unwrap();
    let other = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    assert_eq!(
        rows(answer(&other, ask(&["etc", "ssh"]))),
        [("keys".into(), Some(7)), ("config".into(), Some(20))]
    );
    assert_eq!(totals(answer(&other, question)), (2, 1, 101));
    let told = answers(&other, Question::Generations { vault: path.clone() });
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], Answer::Generations(list));
    assert!(
        matches!(&told[1], Answer::Failed(text) if text.contains("no vault")),
        "{told:?}"
    );
    let Answer::Vaults(vaults) = answer(&other, Question::Vaults) else {
        panic!("no vaults")
    };
    assert_eq!((vaults[0].generations, vaults[0].latest), (Some(1), Some(100)));
    assert!(vaults[0].problem.contains("no vault"));
}

#[test]
fn a_vault_that_needs_a_password_is_asked_for_and_opened() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    small_generation(&open, 100);
    let engine = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    let question = Question::Generations { vault: path.clone() };
    assert_eq!(
        answer(&engine, question.clone()),
        Answer::PasswordNeeded {
            vault: path.clone(),
            problem: String::new()
        }
    );
    let mut events = engine.subscribe();
    engine.ask_open(7, &path, Password::new("wrong")).unwrap();
    let told = collect(&mut events).pop().unwrap();
    assert!(
        matches!(&told, Answer::PasswordNeeded { problem, .. } if problem.contains("wrong password")),
        "{told:?}"
    );
    engine.ask_open(7, &path, Password::new(PASSWORD)).unwrap();
    assert_eq!(collect(&mut events).pop(), Some(Answer::Opened { vault: path }));
    assert!(matches!(answer(&engine, question), Answer::Generations(list) if list.len() == 1));
}

#[test]
fn what_other_programs_add_is_seen() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let first = small_generation(&open, 100);
    rows(answer(&bench.engine, folder_question(&path, first, &[], "")));
    // Stored behind this engine's back, after it has loaded the index.
    let mut trees = Trees::new(&open);
    let root = trees.tree(vec![file("new", 3)]);
    let second = trees.finish(&open, root, 200);
    assert_eq!(
        rows(answer(&bench.engine, folder_question(&path, second, &[], ""))),
        [("new".into(), Some(3))]
    );
}

#[test]
fn a_missing_tree_is_a_clear_answer() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let mut trees = Trees::new(&open);
    let root = trees.tree(vec![folder("lost", Id([9; 32]))]);
    let generation = trees.finish(&open, root, 100);
    let told = answer(&bench.engine, folder_question(&path, generation, &["lost"], ""));
    assert!(
        matches!(&told, Answer::Failed(text) if text.contains("missing")),
        "{told:?}"
    );
    let rules = vec![(names(&[]), true)];
    let told = answer(
        &bench.engine,
        Question::Totals {
            vault: path,
            generation,
            rules,
        },
    );
    assert!(
        matches!(&told, Answer::Failed(text) if text.contains("missing")),
        "{told:?}"
    );
}

#[test]
fn large_selections_are_counted_folder_by_folder() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let mut trees = Trees::new(&open);
    let shared = trees.tree((0..10).map(|n| file(&format!("{n}"), 1)).collect());
    let mut folders = Vec::new();
    for n in 0..600 {
        let own = trees.tree(vec![file(&format!("f{n}"), n), folder("shared", shared)]);
        folders.push(folder(&format!("{n:03}"), own));
    }
    let root = trees.tree(folders);
    let generation = trees.finish(&open, root, 100);
    let rules = vec![(names(&[]), true)];
    let all = Question::Totals {
        vault: path,
        generation,
        rules,
    };
    let expected = (600 * 11, 600 * 2, 600 * 10 + (0..600).sum::<u64>());
    assert_eq!(totals(answer(&bench.engine, all.clone())), expected);
    // At once now: all that was read stays known.
    bench.engine.catalog().tree(&root).unwrap().unwrap().below.unwrap();
    assert_eq!(totals(answer(&bench.engine, all)), expected);
}

#[test]
fn jobs_and_issues_are_listed() {
    let bench = Bench::new();
    let work = |_: &Engine, job: &JobHandle| {
        job.report(b"/x", "bad".into());
        Ok(TaskOutcome::Unlock(0))
    };
    let job = bench.engine.start_job(JobKind::Check, "v".into(), None, work).unwrap();
    job.wait().unwrap();
    let Answer::Jobs(jobs) = answer(&bench.engine, Question::Jobs { limit: 5 }) else {
        panic!("no jobs")
    };
    assert_eq!((jobs.len(), jobs[0].info.id, jobs[0].here), (1, job.id(), true));
    let told = answer(&bench.engine, Question::Issues { job: job.id() });
    assert_eq!(
        told,
        Answer::Issues(vec![JobIssue {
            path: b"/x".to_vec(),
            text: "bad".into()
        }])
    );
}

#[test]
fn the_queue_is_bounded_and_what_is_abandoned_is_not_answered() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let generation = small_generation(&open, 100);
    let mut events = bench.engine.subscribe();
    // Nobody gets at this vault: every question about it that needs it waits.
    let slot = bench.engine.slot(&bench.path("v"));
    let held = slot.lock().unwrap();
    let mut asked = 0;
    let question = || folder_question(&path, generation, &["etc"], "");
    while bench.engine.ask(asked, question()).is_ok() {
        asked += 1;
        assert!(asked < 10_000, "the queue has no end");
    }
    assert!(asked >= 256);
    for request in 0..asked {
        bench.engine.abandon(request);
    }
    drop(held);
    bench.engine.ask(asked, question()).unwrap();
    let mut told = Vec::new();
    while !told.contains(&asked) {
        if let Event::Answer { request, .. } = events.blocking_recv().unwrap() {
            told.push(request);
        }
    }
    assert_eq!(told, [asked]);
}

#[test]
fn plans_are_listed_once_a_vault() {
    let text = "[vaults.a]\npath='/a'\n[vaults.b]\npath='/b'\n[plans.p]\npaths=['/etc']\nvaults=['a','b']\n";
    let bench = Bench::with(|s| s.config = Config::parse(text, Path::new("/c.toml")).unwrap());
    let Answer::Plans(plans) = answer(&bench.engine, Question::Plans) else {
        panic!("no plans")
    };
    assert_eq!(
        plans
            .iter()
            .map(|p| (p.name.as_str(), p.vault.as_str()))
            .collect::<Vec<_>>(),
        [("p", "a"), ("p", "b")]
    );
}

/// A tree of depth 3 below `path`, stored in the catalog; gives its id and all paths with their sizes (`None`: a folder).
fn grow(
    catalog: &Catalog,
    shape: &[u8],
    path: &mut TreePath,
    all: &mut Vec<(TreePath, Option<u64>)>,
    depth: usize,
) -> Id {
    let mut entries = Vec::new();
    for n in 0..3u8 {
        let pick = shape[(usize::from(n) + path.iter().map(|p| usize::from(p[0])).sum::<usize>()) % shape.len()];
        path.push(vec![b'a' + n]);
        let entry = |kind, size, subtree| Entry {
            content: None,
            name: vec![b'a' + n],
            kind,
            mode: 0,
            size,
            mtime: Time::default(),
            uid: 0,
            gid: 0,
            subtree,
            link_target: vec![],
            below: None,
        };
        if pick.is_multiple_of(2) && depth < 3 {
            all.push((path.clone(), None));
            let subtree = grow(catalog, shape, path, all, depth + 1);
            entries.push(entry(NodeType::Dir, 0, Some(subtree)));
        } else if !pick.is_multiple_of(3) {
            all.push((path.clone(), Some(u64::from(pick))));
            entries.push(entry(NodeType::File, u64::from(pick), None));
        }
        path.pop();
    }
    let id = Id::of(format!("{path:?}").as_bytes());
    catalog.store_trees(&mut [(id, entries)]).unwrap();
    id
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_selection_weighs_what_its_entries_weigh(
        shape in prop::collection::vec(any::<u8>(), 1..9),
        rules in prop::collection::vec((prop::collection::vec(0u8..3, 0..5), any::<bool>()), 0..8),
    ) {
        let bench = Bench::new();
        let mut all = Vec::new();
        let root = grow(bench.engine.catalog(), &shape, &mut Vec::new(), &mut all, 0);
        let rules: SelectionRules =
            rules.into_iter().map(|(path, picked)| (path.into_iter().map(|n| vec![b'a' + n]).collect(), picked)).collect();
        let selection = Selection::from_rules(&rules);
        let mut expected = Totals::default();
        for (path, size) in &all {
            if selection.contains(path) {
                expected.add(Totals { files: u64::from(size.is_some()), folders: u64::from(size.is_none()), bytes: size.unwrap_or(0) });
            }
        }
        let weighed = bench.engine.weigh(None, root, &selection, &Cancel::default(), &mut |_| {}).unwrap();
        prop_assert_eq!(weighed, Some(expected));
    }
}

#[test]
#[ignore = "makes a generation of a million files: half a minute"]
fn a_million_files_are_browsed_while_they_are_counted() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let mut trees = Trees::new(&open);
    let mut folders = Vec::new();
    for n in 0..850 {
        let files = (0..1_000).map(|k| file(&format!("file-{n}-{k}"), 1)).collect();
        folders.push(folder(&format!("folder-{n:03}"), trees.tree(files)));
    }
    let large = trees.tree((0..150_000).map(|k| file(&format!("large-{k:06}"), 1)).collect());
    folders.push(folder("large", large));
    let root = trees.tree(folders);
    let generation = trees.finish(&open, root, 100);
    let mut events = bench.engine.subscribe();
    let rules = vec![(names(&[]), true)];
    bench
        .engine
        .ask(
            1,
            Question::Totals {
                vault: path.clone(),
                generation,
                rules,
            },
        )
        .unwrap();
    let started = std::time::Instant::now();
    let (mut asked, mut slowest, mut partly, mut counted) = (0u64, std::time::Duration::ZERO, 0, None);
    while counted.is_none() {
        let at = std::time::Instant::now();
        let parts = [format!("folder-{:03}", asked * 7 % 850)];
        let parts: Vec<&str> = parts.iter().map(String::as_str).take((asked % 2) as usize).collect();
        bench
            .engine
            .ask(1_000 + asked, folder_question(&path, generation, &parts, ""))
            .unwrap();
        loop {
            match events.blocking_recv().unwrap() {
                Event::Answer {
                    request: 1,
                    answer,
                    complete,
                } => {
                    partly += 1;
                    if complete {
                        counted = Some(totals(answer));
                    }
                }
                Event::Answer { request, answer, .. } if request == 1_000 + asked => {
                    assert!(matches!(answer, Answer::Folder(window) if window.total >= 850));
                    break;
                }
                _ => {}
            }
        }
        slowest = slowest.max(at.elapsed());
        asked += 1;
    }
    println!(
        "counted in {:?} ({partly} answers), {asked} folders meanwhile, the slowest in {slowest:?}",
        started.elapsed()
    );
    assert_eq!(counted, Some((1_000_000, 851, 1_000_000)));
    assert!(partly > 1 && slowest.as_millis() < 2_000, "{slowest:?}");
    let at = std::time::Instant::now();
    assert!(matches!(
        answer(&bench.engine, Question::Folder { vault: path, generation, folder: names(&["large"]), order: Default::default(), filter: "49".into(), first: 100, near: None, rows: 60 }),
        Answer::Folder(window) if window.rows.len() == 60
    ));
    println!("filtered 150,000 in {:?}", at.elapsed());
}

fn ordered(vault: &str, generation: Id, key: SortKey, direction: Direction, folders_first: bool) -> Question {
    Question::Folder {
        vault: vault.into(),
        generation,
        folder: vec![],
        order: FolderOrder {
            key,
            direction,
            folders_first,
        },
        filter: String::new(),
        first: 0,
        near: None,
        rows: 50,
    }
}

#[test]
fn a_folder_is_weighed_in_the_background_and_then_sorted_by_size() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let mut trees = Trees::new(&open);
    let deep = trees.tree(vec![file("x", 500)]);
    let big = trees.tree(vec![folder("deep", deep), file("y", 1)]);
    let small = trees.tree(vec![file("z", 20)]);
    let root = trees.tree(vec![folder("big", big), folder("small", small), file("middle", 100)]);
    let generation = trees.finish(&open, root, 100);
    answer(&bench.engine, Question::Generations { vault: path.clone() });
    let by_size = ordered(&path, generation, SortKey::Size, Direction::Descending, false);
    let names_of = |answer| -> Vec<String> { rows(answer).into_iter().map(|(name, _)| name).collect() };
    let before = answer(&bench.engine, by_size.clone());
    assert_eq!(names_of(before), ["middle", "big", "small"]);
    let question = Question::Weigh {
        vault: path.clone(),
        generation,
        folder: vec![],
    };
    let told = answers(&bench.engine, question.clone());
    let Some(Answer::Weighed(last)) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!((last.known, last.of), (2, 2));
    let found: Vec<_> = told
        .iter()
        .flat_map(|answer| match answer {
            Answer::Weighed(weighed) => weighed.found.clone(),
            _ => Vec::new(),
        })
        .map(|(name, totals)| (String::from_utf8(name).unwrap(), totals.bytes))
        .collect();
    assert_eq!(found, [("big".to_owned(), 501), ("small".to_owned(), 20)]);
    // The order made while sizes were unknown is not kept once they are known.
    let Answer::Folder(window) = answer(&bench.engine, by_size) else {
        panic!("no folder")
    };
    assert_eq!(
        (window.heaviest, window.below.map(|below| below.bytes)),
        (501, Some(621))
    );
    assert_eq!(names_of(Answer::Folder(window)), ["big", "middle", "small"]);
    // Known now: no vault is needed, and nothing is left to be told.
    std::fs::rename(bench.path("v"), bench.path("gone")).unwrap();
    let other = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    let weighed = Weighed {
        known: 2,
        of: 2,
        found: vec![],
    };
    assert_eq!(answers(&other, question), [Answer::Weighed(weighed)]);
}

#[test]
fn a_window_can_be_asked_for_around_a_name() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let mut trees = Trees::new(&open);
    let root = trees.tree((0..400).map(|n| file(&format!("f{n:03}"), n)).collect());
    let generation = trees.finish(&open, root, 100);
    for (key, direction, row) in [
        (SortKey::Name, Direction::Ascending, 300),
        (SortKey::Size, Direction::Descending, 99),
    ] {
        for (near, at) in [("f300", Some(row)), ("f999", None)] {
            let Question::Folder { vault, order, .. } = ordered(&path, generation, key, direction, true) else {
                panic!("no question")
            };
            let told = answer(
                &bench.engine,
                Question::Folder {
                    vault,
                    generation,
                    folder: vec![],
                    order,
                    filter: String::new(),
                    first: 7,
                    near: Some(near.into()),
                    rows: 20,
                },
            );
            let Answer::Folder(window) = told else {
                panic!("{told:?}")
            };
            assert_eq!(window.at, at, "{near}");
            assert_eq!(window.first, at.map_or(7, |at| at - 10), "{near}");
        }
    }
}

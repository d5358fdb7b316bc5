//! Cataloguing, searching and comparing on real vaults.

use super::questions::{answer, answers};
use super::*;
use question::{
    ChangeTotals, ChangesAsked, ChangesWindow, Compared, FoundWindow, Presence, Search, SearchAsked, Standing,
};

fn search(text: &str) -> Search {
    Search {
        text: text.into(),
        ..Search::default()
    }
}

fn found(engine: &Engine, search: Search) -> FoundWindow {
    let asked = SearchAsked {
        search,
        anew: true,
        first: 0,
        rows: 100,
    };
    match answer(engine, Question::Search(asked)) {
        Answer::Found(found) => found,
        other => panic!("{other:?}"),
    }
}

/// Waits until nothing is being read any more.
fn catalogued(engine: &Engine, events: &mut Events) -> FoundWindow {
    loop {
        let told = found(engine, search("no such name"));
        if told.vaults.iter().all(|vault| vault.standing != Standing::Reading) {
            return told;
        }
        while !matches!(events.blocking_recv().unwrap(), Event::Catalogued { .. }) {}
    }
}

fn paths(found: &FoundWindow) -> Vec<String> {
    let path = |path: &TreePath| String::from_utf8(path.join(&b'/')).unwrap();
    found.rows.iter().map(|row| path(&row.path)).collect()
}

use question::TreePath;

#[test]
fn vaults_are_catalogued_in_the_background_and_then_searched_without_them() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let first = small_generation(&open, 100);
    let mut trees = Trees::new(&open);
    let root = trees.tree(vec![file("readme", 2)]);
    let second = trees.finish(&open, root, 200);
    let engine = &bench.engine;
    let mut events = engine.subscribe();
    engine.catalogue_in_background();
    engine.generations(&open).unwrap();
    let told = catalogued(engine, &mut events);
    assert_eq!((told.vaults[0].generations, told.vaults[0].catalogued), (2, 2));
    assert_eq!(told.vaults[0].standing, Standing::Ready);
    std::fs::rename(bench.path("v"), bench.path("away")).unwrap();
    let other = Engine::new(settings(bench.folder.path(), |settings| {
        settings.config.vaults = vec![vault_config("home", bench.path("v"), None)];
    }))
    .unwrap();
    let told = found(&other, search("ADM"));
    assert_eq!((told.total, told.searching, told.more), (1, false, false));
    let row = &told.rows[0];
    assert_eq!((row.vault.as_str(), row.size, row.generations), ("home", Some(2), 2));
    assert_eq!(
        (row.first, row.last, row.presence),
        ((first, 100), (second, 200), Presence::There)
    );
    let gone = Search {
        gone: true,
        ..search("*")
    };
    let told = found(&other, gone);
    assert_eq!(
        paths(&told),
        [
            "etc/ssh/keys/a",
            "etc/ssh/config",
            "etc",
            "etc/ssh/keys",
            "etc/passwd",
            "etc/ssh"
        ]
    );
    assert_eq!(told.rows[2].size, Some(127));
    // Rows further down, of the same search.
    let asked = SearchAsked {
        search: search("e"),
        anew: false,
        first: 2,
        rows: 1,
    };
    let Answer::Found(window) = answer(&other, Question::Search(asked)) else {
        panic!("no window")
    };
    assert_eq!((window.first, window.rows.len(), window.total), (2, 1, 3));
    drop(path);
}

#[test]
fn locked_and_damaged_vaults_are_told_as_such() {
    let bench = Bench::new();
    let (_, open) = bench.vault("v");
    let mut trees = Trees::new(&open);
    let root = trees.tree(vec![folder("lost", Id([9; 32])), file("kept", 1)]);
    trees.finish(&open, root, 100);
    small_generation(&open, 50);
    let engine = &bench.engine;
    let mut events = engine.subscribe();
    engine.catalogue_in_background();
    engine.generations(&open).unwrap();
    let told = catalogued(engine, &mut events);
    assert_eq!((told.vaults[0].generations, told.vaults[0].catalogued), (2, 1));
    assert!(
        matches!(&told.vaults[0].standing, Standing::Failed(why) if why.contains("one generation cannot be read")),
        "{:?}",
        told.vaults[0]
    );
    let other = Engine::new(settings(bench.folder.path(), |settings| {
        settings.data = settings.data.join("other");
        settings.config.vaults = vec![
            vault_config("locked", bench.path("v"), None),
            vault_config("nowhere", bench.path("nowhere"), None),
        ];
    }))
    .unwrap();
    let mut events = other.subscribe();
    other.catalogue_in_background();
    let told = catalogued(&other, &mut events);
    assert_eq!(told.vaults[0].standing, Standing::Locked);
    assert!(matches!(&told.vaults[1].standing, Standing::Failed(why) if why.contains("no vault")));
}

#[test]
fn changes_are_told_folder_by_folder() {
    let bench = Bench::new();
    let (vault, open) = bench.vault("v");
    let mut trees = Trees::new(&open);
    let content = |name: &str, size, blob: u8| Node {
        content: Some(vec![Id([blob; 32])]),
        ..file(name, size)
    };
    let gone = trees.tree(vec![file("a", 3), file("b", 4)]);
    let same = trees.tree(vec![file("s", 1)]);
    let sub1 = trees.tree(vec![content("changed", 10, 1), file("mode", 5)]);
    let mode = Node {
        mode: 0o600,
        ..file("mode", 5)
    };
    let sub2 = trees.tree(vec![content("changed", 10, 2), mode, file("new", 7)]);
    let one = trees.tree(vec![
        folder("gone", gone),
        folder("same", same),
        folder("sub", sub1),
        file("type", 1),
    ]);
    let two = trees.tree(vec![folder("same", same), folder("sub", sub2), folder("type", same)]);
    let before = trees.finish(&open, one, 100);
    let trees = Trees::new(&open);
    let after = trees.finish(&open, two, 200);
    let ask = |before, after, folder: &[&str], metadata| {
        let asked = ChangesAsked {
            compared: Compared {
                vault: vault.clone(),
                before,
                after,
                folder: names(folder),
                metadata,
            },
            first: 0,
            rows: 50,
        };
        match answers(&bench.engine, Question::Changes(asked)).pop() {
            Some(Answer::Changes(window)) => window,
            other => panic!("{other:?}"),
        }
    };
    let lines = |window: &ChangesWindow| -> Vec<String> {
        let path = |path: &TreePath| String::from_utf8(path.join(&b'/')).unwrap();
        window
            .rows
            .iter()
            .map(|row| format!("{:?} {} {:?} {:?}", row.change, path(&row.path), row.before, row.after))
            .collect()
    };
    let told = ask(before, after, &[], true);
    assert_eq!(
        lines(&told),
        [
            "Removed gone Some(7) None",
            "Content sub/changed Some(10) Some(10)",
            "Metadata sub/mode Some(5) Some(5)",
            "Added sub/new None Some(7)",
            "Kind type Some(1) Some(1)",
        ]
    );
    let totals = ChangeTotals {
        added: crate::catalog::Totals {
            files: 2,
            folders: 1,
            bytes: 8,
        },
        removed: crate::catalog::Totals {
            files: 3,
            folders: 1,
            bytes: 8,
        },
        changed: 1,
        changed_before: 10,
        changed_after: 10,
        metadata: 1,
    };
    assert_eq!((told.totals, told.comparing, told.total), (totals, false, 5));
    assert_eq!(told.rows[0].below.map(|below| below.files), Some(2));
    assert_eq!(lines(&ask(before, after, &["sub"], false)).len(), 2);
    assert_eq!(
        lines(&ask(after, before, &["sub"], false))[1],
        "Removed sub/new Some(7) None"
    );
    assert_eq!(lines(&ask(before, before, &[], true)), [""; 0]);
}

#[test]
fn a_catalog_in_memory_can_be_searched() {
    // Nothing can be kept in a data folder that is a file.
    let bench = Bench::with(|settings| std::fs::write(&settings.data, "").unwrap());
    let (_, open) = bench.vault("v");
    small_generation(&open, 100);
    let engine = bench.engine.clone();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut events = engine.subscribe();
        engine.catalogue_in_background();
        engine.generations(&open).unwrap();
        catalogued(&engine, &mut events);
        tell.send(paths(&found(&engine, search("etc")))).unwrap();
    });
    let found = told.recv_timeout(std::time::Duration::from_secs(60));
    assert_eq!(found.expect("the search ends"), ["etc"]);
}

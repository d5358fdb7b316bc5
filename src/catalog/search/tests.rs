use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::catalog::Entry;
use crate::vault::{Generation, Time};

fn at(seconds: i64) -> Time {
    Time {
        seconds,
        nanos: 0,
        offset: 0,
    }
}

fn file(name: &str, size: u64) -> Entry {
    Entry {
        name: name.into(),
        kind: NodeType::File,
        mode: 0o644,
        size,
        mtime: at(size as i64),
        uid: 0,
        gid: 0,
        subtree: None,
        link_target: vec![],
        content: Some(size),
        below: None,
    }
}

fn folder(name: &str, subtree: Id) -> Entry {
    Entry {
        kind: NodeType::Dir,
        subtree: Some(subtree),
        ..file(name, 0)
    }
}

fn tree(catalog: &Catalog, entries: Vec<Entry>) -> Id {
    let id = Id::of(format!("{entries:?}").as_bytes());
    catalog.store_trees(&mut [(id, entries)]).unwrap();
    id
}

fn generation(n: u8, host: &str, tree: Id) -> Generation {
    let value = serde_json::json!({ "time": at(i64::from(n)), "tree": tree, "paths": ["/"], "hostname": host });
    let generation: Generation = serde_json::from_value(value).unwrap();
    Generation {
        id: Id([n; 32]),
        ..generation
    }
}

fn store(catalog: &Catalog, place: &str, generations: &[Generation]) {
    catalog.saw_vault(place, place, None, 1, None).unwrap();
    catalog.store_generations(place, generations).unwrap();
}

fn found(catalog: &Catalog, wanted: &Wanted) -> Vec<Hit> {
    let mut hits = Vec::new();
    let end = catalog.search(wanted, &Cancel::default(), &mut |hit| {
        hits.push(hit);
        ControlFlow::Continue(())
    });
    assert_eq!(end.unwrap(), Searched::Whole);
    hits
}

fn text(text: &str) -> Wanted {
    Wanted {
        text: text.into(),
        ..Wanted::default()
    }
}

fn line(hit: &Hit) -> String {
    let path: Vec<_> = hit.path.iter().map(|name| String::from_utf8_lossy(name)).collect();
    format!(
        "{}:/{} {} {}-{} x{} {:?}",
        hit.place,
        path.join("/"),
        hit.size,
        hit.first.1,
        hit.last.1,
        hit.generations,
        hit.presence
    )
}

fn lines(catalog: &Catalog, wanted: &Wanted) -> Vec<String> {
    found(catalog, wanted).iter().map(line).collect()
}

/// Two vaults: in "a" the host `h` at 1 to 4 and the host `o` at 5; in "b" the same tree as a's second.
fn example() -> Catalog {
    let catalog = Catalog::in_memory().unwrap();
    let docs1 = tree(&catalog, vec![file("Plan.odt", 1), file("notes", 2)]);
    let docs2 = tree(&catalog, vec![file("Plan.odt", 10), file("notes", 2)]);
    let docs3 = tree(&catalog, vec![file("notes", 2)]);
    let first = tree(&catalog, vec![folder("docs", docs1), file("plan", 5)]);
    let second = tree(&catalog, vec![folder("docs", docs2), folder("copy", docs1)]);
    let third = tree(&catalog, vec![folder("docs", docs3), folder("copy", docs1)]);
    let list = [
        generation(1, "h", first),
        generation(2, "h", second),
        generation(3, "h", second),
        generation(4, "h", third),
        generation(5, "o", first),
    ];
    store(&catalog, "a", &list);
    store(&catalog, "b", &[generation(9, "h", second)]);
    catalog
}

#[test]
fn a_row_for_each_vault_and_path_the_best_names_first() {
    let catalog = example();
    let expected = [
        "a:/plan 5 1-5 x2 There",
        "a:/copy/Plan.odt 1 2-4 x3 There",
        "b:/copy/Plan.odt 1 9-9 x1 There",
        "a:/docs/Plan.odt 1 1-5 x4 There",
        "b:/docs/Plan.odt 10 9-9 x1 There",
    ];
    assert_eq!(lines(&catalog, &text("pLaN")), expected);
    assert_eq!(lines(&catalog, &text("docs/plan*")), expected[3..]);
    let one = Wanted {
        place: Some("b".into()),
        ..text("plan*")
    };
    assert_eq!(lines(&catalog, &one), [expected[2], expected[4]]);
    let folders = Wanted {
        kinds: vec![NodeType::Dir],
        ..text("o")
    };
    let names: Vec<_> = found(&catalog, &folders).iter().map(|hit| hit.path.concat()).collect();
    assert_eq!(names, [b"copy", b"copy", b"docs", b"docs"]);
    assert_eq!(lines(&catalog, &text("nothing like it")), [""; 0]);
}

#[test]
fn what_the_newest_generation_lacks_is_gone_and_forgotten_generations_do_not_count() {
    let catalog = example();
    let gone = |text_: &str| {
        lines(
            &catalog,
            &Wanted {
                gone: true,
                ..text(text_)
            },
        )
    };
    // The host `o` still has /plan and /docs/Plan.odt.
    assert_eq!(gone("plan"), [""; 0]);
    let left: Vec<_> = catalog
        .generations("a")
        .unwrap()
        .into_iter()
        .filter(|g| g.hostname == "h")
        .collect();
    catalog.store_generations("a", &left).unwrap();
    assert_eq!(
        gone("plan"),
        ["a:/plan 5 1-1 x1 Gone", "a:/docs/Plan.odt 10 1-3 x3 Gone"]
    );
    catalog.store_generations("a", &left[..1]).unwrap();
    assert_eq!(gone(""), [""; 0]);
    catalog.forget_vault("b").unwrap();
    assert_eq!(lines(&catalog, &text("odt")), ["a:/copy/Plan.odt 1 4-4 x1 There"]);
    // What the fourth generation holds stays: docs3, docs1 and itself.
    // One that is told to stop leaves it all to the next.
    let stopped = Cancel::default();
    stopped.cancel();
    assert_eq!(catalog.sweep(&stopped).unwrap(), 0);
    assert_eq!(catalog.sweep(&Cancel::default()).unwrap(), 3);
    assert_eq!(catalog.sweep(&Cancel::default()).unwrap(), 0);
    assert_eq!(lines(&catalog, &text("odt")), ["a:/copy/Plan.odt 1 4-4 x1 There"]);
    assert_eq!(lines(&catalog, &text("plan")), ["a:/copy/Plan.odt 1 4-4 x1 There"]);
}

#[test]
fn what_is_not_catalogued_is_said() {
    let catalog = Catalog::in_memory().unwrap();
    let known = tree(&catalog, vec![file("x", 1)]);
    let lost = Id([77; 32]);
    store(
        &catalog,
        "a",
        &[
            generation(1, "h", known),
            generation(2, "h", lost),
            generation(3, "o", lost),
        ],
    );
    assert_eq!(lines(&catalog, &text("x")), ["a:/x 1 1-1 x1 Unknown"]);
    let coverage = Coverage {
        place: "a".into(),
        generations: 3,
        catalogued: 1,
    };
    assert_eq!(catalog.coverage().unwrap(), [coverage]);
    let order: Vec<u8> = catalog
        .uncatalogued("a")
        .unwrap()
        .iter()
        .map(|(id, _)| id.0[0])
        .collect();
    assert_eq!(order, [3, 2]);
}

#[test]
fn a_search_stops_when_told_to() {
    let catalog = example();
    let cancel = Cancel::default();
    let mut hits = 0;
    let end = catalog.search(&text(""), &cancel, &mut |_| {
        hits += 1;
        cancel.cancel();
        ControlFlow::Continue(())
    });
    assert_eq!(end.unwrap(), Searched::Cancelled);
    assert!(hits <= 2, "{hits}");
    let end = catalog.search(&text(""), &Cancel::default(), &mut |_| ControlFlow::Break(()));
    assert_eq!(end.unwrap(), Searched::Enough);
}

#[test]
fn places_without_number_do_not_fill_the_memory() {
    let catalog = Catalog::in_memory().unwrap();
    let mut id = tree(&catalog, vec![file("x", 1)]);
    for _ in 0..40 {
        id = tree(&catalog, vec![folder("a", id), folder("b", id)]);
    }
    store(&catalog, "a", &[generation(1, "h", id)]);
    assert_eq!(found(&catalog, &text("x")).len(), 4096);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The same as walking every generation from its root.
    #[test]
    fn agrees_with_walking_down(shape in prop::collection::vec((0u8..4, 0u8..4, 0u8..3), 1..12), kept in any::<u16>()) {
        let catalog = Catalog::in_memory().unwrap();
        let mut generations = Vec::new();
        let mut expected: BTreeMap<Vec<Vec<u8>>, BTreeSet<i64>> = BTreeMap::new();
        for (n, (a, b, host)) in shape.iter().enumerate() {
            let n = n as u8 + 1;
            let inner = tree(&catalog, (0..*a).map(|i| file(&format!("f{i}"), u64::from(i + a))).collect());
            let outer = tree(&catalog, vec![folder("in", inner), file("f0", u64::from(*b))]);
            let mut top: Vec<_> = (0..*b).map(|i| folder(&format!("d{i}"), if i == 1 { inner } else { outer })).collect();
            top.push(file("f1", 1));
            let root = tree(&catalog, top);
            if kept & (1 << n) == 0 {
                continue;
            }
            generations.push(generation(n, &format!("h{host}"), root));
            let mut stack = vec![(Vec::new(), root)];
            while let Some((path, id)) = stack.pop() {
                catalog.for_each_entry(&id, |entry| {
                    let mut path: Vec<Vec<u8>> = path.clone();
                    path.push(entry.name.clone());
                    if let Some(subtree) = entry.subtree {
                        stack.push((path.clone(), subtree));
                    }
                    expected.entry(path).or_default().insert(i64::from(n));
                }).unwrap();
            }
        }
        store(&catalog, "a", &generations);
        let swept = if shape.len() % 2 == 0 { catalog.sweep(&Cancel::default()).unwrap() } else { 0 };
        prop_assert!(swept <= 48);
        let hits = found(&catalog, &text(""));
        let told: BTreeMap<_, _> = hits.iter().map(|h| (h.path.clone(), (h.first.1, h.last.1, h.generations))).collect();
        prop_assert_eq!(told.len(), hits.len());
        let wanted: BTreeMap<_, _> = expected.iter().map(|(path, times)| {
            (path.clone(), (*times.first().unwrap(), *times.last().unwrap(), times.len() as u64))
        }).collect();
        prop_assert_eq!(told, wanted);
    }
}

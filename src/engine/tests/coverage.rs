//! What coverage believes a vault to hold.

use super::*;
use crate::engine::snapshots::coverage::VaultCopy;
use crate::progress::Cancel;

#[test]
fn a_path_is_held_where_the_catalog_knows_it_to_be() {
    let bench = Bench::new();
    let (_, open) = bench.vault("v");
    // The folders of the bench, as a backup of all would have stored them: `left` is here and not there, and of `mounted`
    // only the place where it is mounted is.
    for name in ["kept", "left", "mounted"] {
        std::fs::create_dir(bench.path(name)).unwrap();
        std::fs::write(bench.path(name).join("file"), "").unwrap();
    }
    let mut trees = Trees::new(&open);
    let kept = trees.tree(vec![file("file", 1)]);
    let nothing = trees.tree(vec![]);
    let mut tree = trees.tree(vec![folder("kept", kept), folder("mounted", nothing)]);
    for name in bench.folder.path().components().rev() {
        if let std::path::Component::Normal(name) = name {
            tree = trees.tree(vec![folder(name.to_str().unwrap(), tree)]);
        }
    }
    let id = trees.finish(&open, tree, 100);
    let generation = |excludes: &[&str]| Generation {
        paths: vec!["/".into()],
        excludes: excludes.iter().map(ToString::to_string).collect(),
        ..open.vault().generation(&id).unwrap()
    };
    let copy = VaultCopy {
        name: "v".into(),
        moments: Vec::new(),
        same_disk: None,
        elsewhere: false,
        disks: false,
    };
    let held = |name: &str, generation: Generation| {
        let copies = [(copy.clone(), vec![generation])];
        let held = bench.engine.holding(&copies, &[], &bench.path(name)).unwrap();
        held.into_iter().flat_map(|copy| copy.moments).collect::<Vec<_>>()
    };
    // Nothing is catalogued yet: the record must do.
    assert_eq!(held("left", generation(&[])), [100]);
    assert_eq!(held("left", generation(&["left"])), [0; 0]);
    for name in ["kept", "mounted"] {
        let path = bench.path(name);
        let names = path
            .components()
            .skip(1)
            .map(|name| name.as_os_str().as_encoded_bytes().to_vec());
        let names: Vec<Vec<u8>> = names.collect();
        let tree = bench
            .engine
            .folder_tree(&open, &id, &names, &Cancel::default())
            .unwrap();
        assert!(
            bench
                .engine
                .have_tree(Some(&open), &tree.unwrap(), &Cancel::default())
                .unwrap()
        );
    }
    assert_eq!(held("kept", generation(&["kept"])), [100], "what is there is there");
    assert_eq!(held("left", generation(&[])), [0; 0]);
    assert_eq!(held("mounted", generation(&[])), [0; 0]);
}

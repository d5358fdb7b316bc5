//! From the start of the program to the first useful screen, with ten vaults of a thousand generations.

use super::figures;
use super::session::Session;
use super::vaults::{NOW, Trees, file, folder, generation, home, vault};

/// Vaults, and generations in each.
const SHAPE: (usize, usize) = (10, 1_000);
/// How often it is opened.
const TIMES: usize = 30;

pub fn run() {
    let place = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..SHAPE.0).map(|n| format!("vault{n}")).collect();
    let engine = home(place.path(), &names);
    for name in &names {
        let open = vault(&engine, name);
        let mut trees = Trees::new(&open);
        let etc = trees.folder(vec![file("passwd".into(), 1)]);
        let root = trees.folder(vec![folder("etc".into(), etc)]);
        trees.finish();
        for n in 0..SHAPE.1 {
            generation(&open, root, NOW - 21_600 * n as i64);
        }
        // As when the vault was last looked at: what is known of it is in the catalog.
        engine.generations(&open).unwrap();
    }
    engine.shutdown(true);
    drop(engine);
    println!(
        "opening: {} vaults of {} generations, known to the catalog",
        SHAPE.0, SHAPE.1
    );
    for (columns, rows) in [(80, 24), (120, 40)] {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let mut session = Session::start(place.path(), columns, rows);
            // Each vault by name, with what is known of it.
            let useful =
                |screen: &str| screen.contains("vault0") && screen.contains("vault7") && screen.contains("1,000");
            times.push(session.wait(useful));
        }
        figures::print(&format!("first useful screen at {columns}x{rows}"), times);
    }
}

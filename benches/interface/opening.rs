//! From the start of the program to the first useful screen, with ten vaults of a thousand generations.

use std::path::Path;

use coffer::engine::PasswordGiven;

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
    let open = vault(&engine, &names[0]);
    let mut trees = Trees::new(&open);
    let etc = trees.folder(vec![file("passwd".into(), 1)]);
    let root = trees.folder(vec![folder("etc".into(), etc)]);
    trees.finish();
    for n in 0..SHAPE.1 {
        generation(&open, root, NOW - 21_600 * n as i64);
    }
    let vaults = place.path().join("vaults");
    for name in &names {
        if *name != names[0] {
            copy(&vaults.join(&names[0]), &vaults.join(name));
        }
        // As when the vault was last looked at: what is known of it is in the catalog.
        let open = engine.open(name, PasswordGiven::Configured).unwrap();
        engine.generations(&open).unwrap();
    }
    let plans = |name: &String| format!("[plans.{name}]\nvault = {name:?}\npaths = [\"/data\"]\n\n");
    let config = place.path().join("config.toml");
    let mut text = std::fs::read_to_string(&config).unwrap();
    names.iter().take(3).for_each(|name| text.push_str(&plans(name)));
    std::fs::write(&config, text).unwrap();
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
            // Vaults by name, with when the newest generation was made.
            let useful = |screen: &str| {
                let line = |name: &str| screen.lines().any(|line| line.contains(name) && line.contains(" ago"));
                line("vault0") && line("vault7")
            };
            times.push(session.wait(useful));
        }
        figures::print(&format!("first useful screen at {columns}x{rows}"), times);
    }
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

//! From a key to its frame, in a generation of a million files, at rest and while backups take all processors.

use std::time::Duration;

use super::figures;
use super::load::Load;
use super::session::Session;
use super::vaults::{NOW, Trees, file, folder, generation, home, vault};

/// Folders of the generation, and files in each.
const SHAPE: (u32, u32) = (10, 100_000);
/// Keys of each kind.
const KEYS: usize = 500;
/// Between one key and the next, as a held key repeats.
const REPEAT: Duration = Duration::from_millis(33);

pub fn run() {
    let place = tempfile::tempdir().unwrap();
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let loads: Vec<String> = (0..count).map(|n| format!("load{n}")).collect();
    let mut names = vec!["a-million".to_owned()];
    names.extend(loads.iter().cloned());
    let engine = home(place.path(), &names);
    loads.iter().for_each(|name| drop(vault(&engine, name)));
    let open = vault(&engine, &names[0]);
    let mut trees = Trees::new(&open);
    let folders = (0..SHAPE.0).map(|n| {
        let files = (0..SHAPE.1).map(|m| file(format!("measurement-{m:06}.csv"), u64::from(n * m)));
        folder(format!("station-{n:02}"), trees.folder(files.collect()))
    });
    let folders = folders.collect();
    let data = trees.folder(folders);
    let root = trees.folder(vec![folder("data".into(), data)]);
    trees.finish();
    generation(&open, root, NOW);
    drop(open);
    engine.shutdown(true);
    drop(engine);
    println!(
        "keys: a generation of {} files, a folder of {} open, 80x24",
        SHAPE.0 * SHAPE.1,
        SHAPE.1
    );
    measure(place.path(), "at rest", None);
    measure(place.path(), "beside backups", Some(&loads));
}

fn measure(home: &std::path::Path, when: &str, loads: Option<&[String]>) {
    let mut session = Session::start(home, 80, 24);
    session.wait(|screen| screen.contains("a-million"));
    session.type_in("2");
    session.wait(|screen| screen.contains("Vaults") && screen.contains("a-million"));
    session.type_in("\r");
    session.wait(|screen| screen.contains("Generations") && screen.contains("2026-11-22"));
    session.type_in("\r");
    // The second time it opens where one was the first time: in the folder itself.
    let within = |screen: &str| screen.contains("measurement-000005");
    session.wait(|screen| screen.contains("station-01") || within(screen));
    if !within(&session.contents()) {
        session.type_in("\r");
        session.wait(within);
    }
    // What is read in the background at first is no part of this.
    std::thread::sleep(Duration::from_secs(20));
    let load = loads.map(|loads| Load::start(home, loads));
    if load.is_some() {
        std::thread::sleep(Duration::from_secs(3));
    }
    let since = figures::processors();
    let mut all = Vec::new();
    for (what, keys) in [
        ("cursor down", &["j"][..]),
        ("a screen down", &["\x1b[6~"]),
        ("to the end and back", &["G", "g"]),
    ] {
        // Where one is at the top already, this draws nothing.
        session.type_in("g");
        std::thread::sleep(Duration::from_secs(1));
        let mut times = Vec::new();
        for n in 0..KEYS {
            std::thread::sleep(REPEAT);
            times.push(session.key(keys[n % keys.len()]));
        }
        all.extend_from_slice(&times);
        figures::print(&format!("{when}: {what}"), times);
    }
    figures::print(&format!("{when}: all keys"), all);
    println!("  {when}: processors {:.0} % busy", 100.0 * figures::busy(since));
    // The rows may still be on their way.
    if !session.contents().contains("measurement-") {
        session.wait(|screen| screen.contains("measurement-"));
    }
}

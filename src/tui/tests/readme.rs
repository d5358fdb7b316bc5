//! The key table of the README is that of the program.

use std::fmt::Write as _;
use std::path::Path;

use crate::tui::actions::{self, Action, At, Context};
use crate::tui::keys::Keymap;
use crate::tui::screens::{cost, files, overview, search, snapshots, vaults};

const START: &str = "<!-- keys: made by `COFFER_UPDATE_README=1 cargo test --lib readme` -->\n";
const END: &str = "<!-- /keys -->";

fn row(out: &mut String, keymap: &Keymap, action: &Action) {
    let keys: Vec<String> = keymap.keys_of(action).iter().map(|key| format!("`{key}`")).collect();
    if !keys.is_empty() {
        writeln!(out, "| {} | {} | `{}` |", keys.join(" "), action.doc, action.id).unwrap();
    }
}

fn table(out: &mut String, title: &str, actions: impl Iterator<Item = &'static Action>) {
    write!(out, "\n**{title}**\n\n| key | what it does | id |\n|---|---|---|\n").unwrap();
    let keymap = Keymap::default();
    actions.for_each(|action| row(out, &keymap, action));
}

fn tables() -> String {
    let mut out = String::new();
    let everywhere = |action: &&Action| {
        matches!(
            action.at,
            At::Lists | At::Screens | At::ScreensBut(_) | At::Dialogs | At::Everywhere
        )
    };
    table(&mut out, "Everywhere", actions::all().filter(everywhere));
    let places: [(&str, &[Context]); 6] = [
        ("1 Overview", &[overview::CONTEXT]),
        ("2 Vaults", &[vaults::VAULTS, vaults::GENERATIONS, vaults::DETAILS]),
        ("3 Files", &[files::CONTEXT]),
        ("4 Search", &[search::FIELD, search::ROWS]),
        (
            "5 Snapshots",
            &[snapshots::TARGETS, snapshots::SNAPSHOTS, snapshots::DETAILS],
        ),
        ("6 Cost", &[cost::RULE, cost::FIGURES, cost::FATES, cost::LOST]),
    ];
    for (title, contexts) in places {
        let here = |action: &&Action| match action.at {
            At::Only(only) => only.iter().any(|context| contexts.contains(context)),
            _ => false,
        };
        table(&mut out, title, actions::all().filter(here));
    }
    out
}

#[test]
fn the_readmes_keys_are_the_programs() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&file).unwrap();
    let from = readme.find(START).expect("the README has a place for the keys") + START.len();
    let to = from + readme[from..].find(END).expect("the place for the keys ends");
    let wanted = format!("{}\n", tables());
    if std::env::var_os("COFFER_UPDATE_README").is_some() {
        std::fs::write(&file, format!("{}{wanted}{}", &readme[..from], &readme[to..])).unwrap();
        return;
    }
    assert!(
        readme[from..to] == wanted,
        "the keys have changed: COFFER_UPDATE_README=1 cargo test --lib readme"
    );
}

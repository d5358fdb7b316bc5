//! The start: what the user's config says of the interface.

use std::path::Path;

use super::dialogs::problems::Problems;
use super::keys::Keymap;
use super::model::{Model, Screen};
use crate::config::{Interface, StartAt};

/// Takes what the user wants of the interface. `config` is the file that says so; `led` is whether the user named a place
/// to go to, which goes before the usual one.
pub fn take(model: &mut Model, interface: &Interface, config: &Path, led: bool) {
    let (keymap, wrong) = Keymap::new(&interface.keys);
    model.keymap = keymap;
    model.key_hints = interface.key_hints;
    let mut problems = interface.problems.clone();
    problems.extend(wrong);
    problems.sort_by_key(|problem| problem.line);
    if !problems.is_empty() {
        model.push(Problems::new(config, problems));
    }
    match interface.start {
        StartAt::Vaults if !led => model.screen = Screen::Vaults,
        StartAt::Search if !led => model.screen = Screen::Search,
        _ => {}
    }
}

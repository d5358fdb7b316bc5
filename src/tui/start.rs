//! The start: the user's keys, what is wrong with them, and back to the place where one was.

use std::path::Path;

use super::dialogs::problems::Problems;
use super::keys::Keymap;
use super::model::{Load, Model, Screen};
use super::place::Place;
use super::screens::vaults::Pane;
use super::screens::{search, vaults};
use crate::config::{Interface, StartAt};

/// Takes what the user wants of the interface, and where one was at the end of the last time. `config` is the file that
/// says the former. A vault that was named at the start wins over both.
pub(super) fn take(model: &mut Model, interface: &Interface, config: &Path, last: Option<Place>) {
    let (keymap, wrong) = Keymap::new(&interface.keys);
    model.keymap = keymap;
    model.key_hints = interface.key_hints;
    let mut problems = interface.problems.clone();
    problems.extend(wrong);
    problems.sort_by_key(|problem| problem.line);
    if !problems.is_empty() {
        model.push(Problems::new(config, problems));
    }
    if model.wanted_vault.is_some() {
        return;
    }
    // Without a place to go to, one first wants to know how it all stands.
    model.screen = match interface.start {
        StartAt::Last | StartAt::Overview => Screen::Overview,
        StartAt::Vaults => Screen::Vaults,
        StartAt::Search => Screen::Search,
    };
    if interface.start == StartAt::Last
        && let Some(place) = last
    {
        model.screen = screen_of(&place.screen).unwrap_or(Screen::Overview);
        if matches!(model.screen, Screen::Vaults | Screen::Files) {
            model.screen = Screen::Vaults;
            model.wanted_place = Some(place);
        }
    }
}

const SCREENS: [(&str, Screen); 6] = [
    ("overview", Screen::Overview),
    ("vaults", Screen::Vaults),
    ("files", Screen::Files),
    ("search", Screen::Search),
    ("snapshots", Screen::Snapshots),
    ("cost", Screen::Cost),
];

fn screen_of(id: &str) -> Option<Screen> {
    SCREENS.iter().find(|(name, _)| *name == id).map(|(_, screen)| *screen)
}

/// Where one is.
pub(super) fn place(model: &Model) -> Place {
    // Left before all was there: what was wanted still is.
    if let Some(wanted) = &model.wanted_place {
        return wanted.clone();
    }
    let id = SCREENS.iter().find(|(_, screen)| *screen == model.screen);
    let in_files = model.screen == Screen::Files;
    Place {
        screen: id.map(|(name, _)| (*name).to_owned()).unwrap_or_default(),
        vault: (in_files || model.pane != Pane::Vaults)
            .then(|| model.generations.vault.clone())
            .flatten(),
        generation: model
            .files
            .of
            .as_ref()
            .filter(|_| in_files)
            .map(|(_, id)| id.to_string()),
        folder: if in_files {
            model.files.folder.clone()
        } else {
            Vec::new()
        },
        name: model
            .files
            .list
            .current()
            .filter(|_| in_files)
            .map(|row| row.name.clone()),
    }
}

/// Goes to the wanted place once the vaults are here; what of it is no more is let go.
pub(super) fn go_on(model: &mut Model) {
    if model.vaults.load != Load::Ready || model.vaults.list.total().is_none() {
        return;
    }
    let Some(place) = model.wanted_place.take() else { return };
    let Some(vault) = place.vault else { return };
    if model.vaults.all.iter().all(|row| row.name != vault) {
        return;
    }
    let generation = place.generation.and_then(|id| id.parse().ok());
    match generation {
        Some(generation) if place.screen == "files" => {
            let mut path = place.folder;
            path.push(place.name.unwrap_or_default());
            search::go_to(model, &vault, generation, path);
        }
        _ => vaults::go_to(model, &vault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::stage::Stage;
    use crate::tui::theme::Look;

    /// Leaves by these keys and starts anew; what is then on the screen.
    fn left_and_back(keys: &str) -> Stage {
        let mut before = Stage::new(80, 24, Look::default());
        before.keys(keys);
        let place = place(&before.model);
        let mut after = Stage::new(80, 24, Look::default());
        take(&mut after.model, &Interface::default(), Path::new("c"), Some(place));
        after.wait(1);
        after
    }

    #[test]
    fn one_comes_back_to_where_one_was() {
        let files = left_and_back("2 Enter j j Enter j Enter j");
        assert_eq!(files.model.screen, Screen::Files);
        assert!(
            files.screen().contains("2026-11-20 03:00 › /home/anna/documents"),
            "{}",
            files.screen()
        );
        let generations = left_and_back("2 Enter j");
        assert_eq!(
            (generations.model.screen, generations.model.pane),
            (Screen::Vaults, Pane::Generations)
        );
        assert_eq!(left_and_back("1").model.screen, Screen::Overview);
        assert_eq!(left_and_back("4").model.screen, Screen::Search);
    }

    #[test]
    fn a_place_that_is_no_more_is_let_go() {
        let mut stage = Stage::new(80, 24, Look::default());
        let gone = Place {
            screen: "files".into(),
            vault: Some("sold".into()),
            generation: Some("00".repeat(32)),
            folder: vec![b"x".to_vec()],
            name: None,
        };
        take(&mut stage.model, &Interface::default(), Path::new("c"), Some(gone));
        stage.wait(1);
        assert_eq!(stage.model.screen, Screen::Vaults);
        assert!(stage.model.wanted_place.is_none() && stage.model.notice.is_none());
    }

    #[test]
    fn a_vault_named_at_the_start_wins() {
        let mut stage = Stage::new(80, 24, Look::default());
        stage.model.wanted_vault = Some("away".into());
        let screen = stage.model.screen;
        take(&mut stage.model, &Interface::default(), Path::new("c"), None);
        assert_eq!(stage.model.screen, screen);
    }
}

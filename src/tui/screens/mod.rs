//! The six screens. Each is a module with its state, its actions, what it asks for and its drawing; this file knows which
//! one is shown, and asks it.
//!
//! A screen's module has these functions where they make sense: `context` (where the keys go), `list` (rows to move
//! among), `layout` (heights of its lists), `fetch` (asks for what it shows and does not have), `draw`, `filter` and
//! `set_filter`, `escape`, `reload`.

pub mod cost;
pub mod files;
pub mod overview;
pub mod search;
pub mod snapshots;
pub mod vaults;

use super::actions::{Act, Action, At, Context};
use super::dialog::Moves;
use super::dialogs::filter;
use super::field::Field;
use super::model::{Load, Model, Screen};
use super::msg::Effect;
use super::theme::Role;
use super::view::canvas::Canvas;

/// Where keys go while no dialog lies over the screen.
pub(super) fn context(model: &Model) -> Context {
    match model.screen {
        Screen::Overview => overview::CONTEXT,
        Screen::Vaults => vaults::context(model),
        Screen::Files => files::CONTEXT,
        Screen::Search => search::context(model),
        Screen::Snapshots => snapshots::context(model),
        Screen::Cost => cost::context(model),
    }
}

/// A pane, its screen, and what gives it the keys there.
type Pane = (Screen, Context, fn(&mut Model));

/// The panes that other places lead to.
static PANES: &[Pane] = &[
    (Screen::Overview, overview::CONTEXT, |_| {}),
    (Screen::Vaults, vaults::VAULTS, |model| {
        model.pane = vaults::Pane::Vaults
    }),
    (Screen::Vaults, vaults::GENERATIONS, |model| {
        model.pane = vaults::Pane::Generations;
    }),
    (Screen::Vaults, vaults::DETAILS, |model| {
        model.pane = vaults::Pane::Details
    }),
    (Screen::Files, files::CONTEXT, |_| {}),
    (Screen::Search, search::ROWS, |model| model.search.typing = false),
    (Screen::Snapshots, snapshots::TARGETS, |model| {
        model.snapshots.pane = snapshots::Pane::Targets;
    }),
    (Screen::Snapshots, snapshots::SNAPSHOTS, |model| {
        model.snapshots.pane = snapshots::Pane::Snapshots;
    }),
    (Screen::Snapshots, snapshots::DETAILS, |model| {
        model.snapshots.pane = snapshots::Pane::Details;
    }),
    (Screen::Cost, cost::RULE, |model| model.cost.pane = cost::Pane::Rule),
    (Screen::Cost, cost::FATES, |model| model.cost.pane = cost::Pane::Fates),
    (Screen::Cost, cost::LOST, |model| model.cost.pane = cost::Pane::Lost),
];

/// The first pane where an action is at home, if it is one of a screen.
fn home(action: &Action) -> Option<&'static Pane> {
    let At::Only(places) = action.at else { return None };
    PANES.iter().find(|(_, pane, _)| places.contains(pane))
}

/// The screen where an action is at home, if it is one of a screen's own.
pub(super) fn home_of(action: &Action) -> Option<Screen> {
    home(action).map(|(screen, ..)| *screen)
}

/// Goes where an action is at home.
pub(super) fn go_home(model: &mut Model, action: &Action) {
    let Some((screen, _, enter)) = home(action) else { return };
    model.screen = *screen;
    // The pane that has the keys there keeps them if it can.
    if !action.at.holds(context(model)) {
        enter(model);
    }
}

/// The rows the keys move among.
pub(super) fn list(model: &mut Model) -> Option<&mut dyn Moves> {
    match model.screen {
        Screen::Vaults => Some(vaults::list(model)),
        Screen::Files => Some(&mut model.files.list),
        Screen::Overview => Some(overview::list(model)),
        Screen::Search => Some(&mut model.search.list),
        Screen::Cost => cost::list(model),
        Screen::Snapshots => Some(snapshots::list(model)),
    }
}

/// The field that has the keys, if any.
pub(super) fn field(model: &mut Model) -> Option<&mut Field> {
    match model.screen {
        Screen::Search => model.search.typing.then_some(&mut model.search.field),
        Screen::Cost => cost::field(model),
        _ => None,
    }
}

/// That field's text was changed.
pub(super) fn edited(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.screen == Screen::Cost {
        cost::edited(model, effects);
    }
}

/// Gives every list the height it has on the screen.
pub(super) fn layout(model: &mut Model) {
    overview::layout(model);
    vaults::layout(model);
    files::layout(model);
    search::layout(model);
    cost::layout(model);
    snapshots::layout(model);
}

/// Asks for what the screen shows and what is not here.
pub(super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    overview::fetch(model, effects);
    vaults::fetch(model, effects);
    // Before the files: it may lead there.
    search::fetch(model, effects);
    files::fetch(model, effects);
    cost::fetch(model, effects);
    snapshots::fetch(model, effects);
}

/// Draws the screen that is shown.
pub(super) fn draw(model: &Model, canvas: &mut Canvas) {
    match model.screen {
        Screen::Overview => overview::draw(model, canvas),
        Screen::Vaults => vaults::view::draw(model, canvas),
        Screen::Files => files::view::draw(model, canvas),
        Screen::Search => search::view::draw(model, canvas),
        Screen::Snapshots => snapshots::draw(model, canvas),
        Screen::Cost => cost::draw(model, canvas),
    }
}

/// Goes to the pane `by` places on, around.
pub(super) fn change_pane(act: &mut Act, by: isize) {
    match act.model.screen {
        Screen::Vaults => vaults::change_pane(act.model, by),
        Screen::Search => search::change_pane(act.model),
        Screen::Cost => cost::change_pane(act.model, by),
        Screen::Files => files::change_side(act.model, by),
        Screen::Snapshots => snapshots::change_pane(act.model, by),
        _ => {}
    }
}

/// Why there is no other pane to go to.
pub(super) fn no_pane(model: &Model) -> Option<String> {
    match model.screen {
        Screen::Files => files::narrow(model),
        Screen::Overview => Some("This screen has one pane.".into()),
        _ => None,
    }
}

/// The filter in force in the pane that has the keys; `None` where nothing can be filtered.
pub(super) fn filter(model: &Model) -> Option<&str> {
    match model.screen {
        Screen::Vaults => Some(vaults::filter(model)),
        Screen::Files => Some(&model.files.filter),
        Screen::Snapshots => Some(snapshots::filter(model)),
        Screen::Overview | Screen::Search | Screen::Cost => None,
    }
}

/// Filters the pane that has the keys.
pub(super) fn set_filter(model: &mut Model, wanted: &str) {
    if filter(model).is_none_or(|filter| filter == wanted) {
        return;
    }
    match model.screen {
        Screen::Vaults => vaults::set_filter(model, wanted),
        Screen::Files => files::set_filter(model, wanted),
        Screen::Snapshots => snapshots::set_filter(model, wanted),
        Screen::Overview | Screen::Search | Screen::Cost => {}
    }
}

/// Opens the filter of the pane that has the keys.
pub(super) fn open_filter(act: &mut Act) {
    if let Some(now) = filter(act.model) {
        let dialog = filter::Filter(Field::new(now));
        act.model.push(dialog);
    }
}

/// Why nothing can be filtered here now.
pub(super) fn no_filter(model: &Model) -> Option<String> {
    if filter(model).is_none() {
        return Some("There is nothing to filter on this screen.".into());
    }
    let waits = model.screen == Screen::Files && matches!(model.files.load, Load::Failed(_) | Load::Locked);
    waits.then(|| "There is nothing here to filter yet.".into())
}

/// Leaves the range, then the filter.
pub(super) fn escape(act: &mut Act) {
    let model = &mut *act.model;
    if model.screen == Screen::Files && files::escape(model) {
        return;
    }
    if model.screen == Screen::Vaults && vaults::escape(model) {
        return;
    }
    if model.screen == Screen::Search && search::escape(model) {
        return;
    }
    if model.screen == Screen::Cost && cost::escape(model) {
        return;
    }
    if model.screen == Screen::Snapshots && snapshots::escape(model) {
        return;
    }
    set_filter(model, "");
    model.notice = None;
}

/// What is staged or being marked on the screen, for the status line.
pub(super) fn status(model: &Model) -> Option<(String, Role)> {
    match model.screen {
        Screen::Vaults => vaults::status(model),
        Screen::Search => search::status(model),
        Screen::Cost => cost::status(model),
        Screen::Snapshots => snapshots::status(model),
        _ => None,
    }
}

/// What ran or changed made what is shown old: it is asked for again.
pub(super) fn stale(model: &mut Model) {
    overview::stale(model);
    vaults::stale(model);
    cost::stale(model);
    snapshots::stale(model);
}

/// Reads the lists anew.
pub(super) fn reload(act: &mut Act) {
    let model = &mut *act.model;
    vaults::changed(model);
    vaults::generations_changed(model);
    model.files.load = Load::Idle;
    model.files.list.forget();
    model.files.anchor = None;
    search::reload(model);
    snapshots::reload(model);
    cost::reload(model);
    stale(model);
}

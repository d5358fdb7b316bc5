//! What one can do everywhere: moving, changing screens, help, jobs, leaving.

use super::actions::{Act, Action, At, Context};
use super::dialogs::{help, jobs, quit};
use super::keys::{Code, Key};
use super::model::Screen;
use super::msg::Effect;
use super::screens::{cost, overview, search};
use super::{dialog, screens};

/// Where nothing can be filtered.
const UNFILTERED: &[Context] = &[
    overview::CONTEXT,
    search::FIELD,
    search::ROWS,
    cost::RULE,
    cost::FIGURES,
    cost::FATES,
    cost::LOST,
];

/// Moves, screens, help, leaving.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("move.up", "up", "Up one row", &["k", "↑"], At::Lists, |act| step(act, -1)),
    Action::new("move.down", "down", "Down one row", &["j", "↓"], At::Lists, |act| step(act, 1)),
    Action::new("move.page-up", "page up", "Up one screen", &["PgUp", "Ctrl-u"], At::Lists, |act| page(act, -1)),
    Action::new("move.page-down", "page down", "Down one screen", &["PgDn", "Ctrl-d"], At::Lists, |act| page(act, 1)),
    Action::new("move.top", "top", "To the first row", &["g", "Home"], At::Lists, |act| go(act, 0)),
    Action::new("move.bottom", "bottom", "To the last row", &["G", "End"], At::Lists, |act| go(act, u64::MAX)),
    Action::new("screen.overview", "overview", "Overview: what is protected", &["1"], At::Screens, |act| show(act, Screen::Overview)),
    Action::new("screen.vaults", "vaults", "Vaults and their generations", &["2"], At::Screens, |act| show(act, Screen::Vaults)),
    Action::new("screen.files", "files", "Files at one point in time", &["3"], At::Screens, |act| show(act, Screen::Files)),
    Action::new("screen.search", "search", "Search all generations by name", &["4"], At::Screens, |act| show(act, Screen::Search)),
    Action::new("screen.snapshots", "snapshots", "Snapshots of volumes and machines", &["5"], At::Screens, |act| show(act, Screen::Snapshots)),
    Action::new("screen.cost", "cost", "Retention and what it costs", &["6"], At::Screens, |act| show(act, Screen::Cost)),
    Action::new("pane.next", "next pane", "To the next pane", &["Tab"], At::Screens, |act| screens::change_pane(act, 1))
        .unless(screens::no_pane),
    Action::new("pane.previous", "previous pane", "To the previous pane", &["Shift-Tab"], At::Screens, |act| screens::change_pane(act, -1))
        .unless(screens::no_pane),
    Action::new("pane.zoom", "zoom", "Give this pane the whole width, or give it back", &["+"], At::Screens,
        |act| act.model.zoom = !act.model.zoom),
    Action::new("list.filter", "filter", "Show only the rows that hold a text", &["/"], At::ScreensBut(UNFILTERED), screens::open_filter).hint(50)
        .unless(screens::no_filter),
    Action::new("list.reload", "reload", "Read the lists anew", &["R", "F5"], At::Screens, screens::reload),
    Action::new("jobs.show", "jobs", "Show what runs and what ran", &["J"], At::Screens, jobs::open).hint(70),
    Action::new("help.show", "help", "Show every key of this place; type to search", &["?", "F1"], At::Everywhere, help::open).hint(80),
    Action::new("list.undo", "undo", "Leave the range, then the filter; never quits", &["Esc"], At::ScreensBut(&[search::FIELD]), screens::escape),
    Action::new("app.suspend", "suspend", "To the shell; fg comes back", &["Ctrl-z"], At::Everywhere, |act| act.effects.push(Effect::Suspend)),
    Action::new("app.quit", "quit", "Leave; asks while jobs run", &["q"], At::Screens, quit::quit).hint(100),
    Action::new("app.quit", "quit", "Leave, out of a dialog too; asks while jobs run", &["Ctrl-c"], At::Everywhere, quit::quit)
        .hint(100),
    Action::new("form.next", "next", "To the next field", &["Tab", "↓"], At::Forms, |act| form_key(act, Code::Tab)).hint(85),
    Action::new("form.previous", "previous", "To the field before", &["Shift-Tab", "↑"], At::Forms, |act| form_key(act, Code::BackTab)),
    Action::new("form.more", "choose", "The next choice, or more of a number", &["→"], At::Forms, |act| form_key(act, Code::Right)),
    Action::new("form.less", "choice before", "The choice before, or less of a number", &["←"], At::Forms, |act| form_key(act, Code::Left)),
    Action::new("dialog.close", "close", "Close this; never quits", &["Esc"], At::Dialogs, dialog::close).hint(90),
];

/// What a remapped key means in a form; the keys of the table are the form's own.
fn form_key(act: &mut Act, code: Code) {
    super::update::in_form(act.model, Key::plain(code), act.effects);
}

/// Moves in the list that has the keys.
pub(super) fn step(act: &mut Act, by: i64) {
    moved(act, |list| list.step(by));
}

fn page(act: &mut Act, by: i64) {
    moved(act, |list| list.step(by.saturating_mul(list.page())));
}

fn go(act: &mut Act, to: u64) {
    moved(act, |list| list.go(to));
}

fn moved(act: &mut Act, how: impl FnOnce(&mut dyn dialog::Moves)) {
    let list = match act.model.dialogs.last_mut() {
        Some(dialog) => dialog.list(),
        None => screens::list(act.model),
    };
    if let Some(list) = list {
        how(list);
    }
}

/// Goes to a screen.
pub fn show(act: &mut Act, screen: Screen) {
    act.model.screen = screen;
}

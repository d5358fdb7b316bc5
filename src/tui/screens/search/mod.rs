//! The screen Search: all generations of all vaults by name.
//!
//! A field, and the rows that follow each letter: one for each vault and path, with when it was last there. What is asked
//! is answered from the catalog, in parts; how far the vaults are catalogued is always said. `reach` goes from a row to
//! where it lies. `view` draws.

mod reach;
pub(super) mod view;

use super::super::actions::{self, Action, At, Context, Danger};
use super::super::asking::{Told, abandon, ask, failed};
use super::super::field::Field;
use super::super::model::{Load, Model, Screen};
use super::super::msg::Effect;
use super::super::theme::Role;
use super::super::window::Window;
use crate::engine::question::{FoundRow, Kinds, Presence, Search, SearchAsked, SearchedVault};
pub(crate) use reach::go_to;

use crate::engine::{Answer, Question};
use crate::text;

/// The field.
pub const FIELD: Context = Context {
    list: false,
    typing: true,
    ..Context::screen("search-field", "Search")
};
/// The rows.
pub const ROWS: Context = Context::screen("search", "Search: what was found");

/// Slots of questions.
const STANDING: &str = "search.standing";
const RUN: &str = "search.run";
const WINDOW: &str = "search.window";

/// Milliseconds after which an old answer is renewed, at the earliest.
const RENEW: u64 = 5_000;
/// Milliseconds that the cursor rests before the words about its row follow.
const REST: u64 = 200;

/// What one can do here.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("search.rows", "to the rows", "From the field to what was found", &["Enter", "↓"], At::Only(&[FIELD]), |act| to_rows(act.model)).hint(1)
        .unless(nothing),
    Action::new("search-field.leave", "leave", "Out of the field: letters are keys again", &["Esc"], At::Only(&[FIELD]), |act| leave_field(act.model)).hint(2),
    Action::new("search.open", "go to it", "To the file, in the last generation that holds it", &["Enter", "l", "→"], At::Only(&[ROWS]), reach::open)
        .hint(1).unless(nothing),
    Action::new("search.restore", "restore", "Restore it from the last generation that holds it", &["r"], At::Only(&[ROWS]), reach::restore)
        .danger(Danger::Plan).hint(2).unless(|model| nothing(model).or_else(|| actions::read_only(model))),
    Action::new("search.field", "type", "Back to the field", &["/", "i", "h", "Backspace", "←"], At::Only(&[ROWS]), |act| act.model.search.typing = true)
        .hint(3),
    Action::new("search.gone", "only gone", "Only what the newest generations do not hold any more, or everything", &["x", "Alt-x"], At::Only(&[ROWS]),
        |act| act.model.search.gone = !act.model.search.gone).hint(4),
    Action::new("search.kinds", "kinds", "Files, folders, other things, or all", &["f", "Alt-f"], At::Only(&[ROWS]), |act| next_kinds(act.model)).hint(5),
    Action::new("search.vault", "vault", "Only one vault, or all", &["v", "Alt-v"], At::Only(&[ROWS]), |act| next_vault(act.model)).hint(6),
    // The same while the field takes plain letters.
    Action::new("search-field.gone", "only gone", "Only what the newest generations do not hold any more, or everything", &["Alt-x"], At::Only(&[FIELD]),
        |act| act.model.search.gone = !act.model.search.gone).hint(4),
    Action::new("search-field.kinds", "kinds", "Files, folders, other things, or all", &["Alt-f"], At::Only(&[FIELD]), |act| next_kinds(act.model)).hint(5),
    Action::new("search-field.vault", "vault", "Only one vault, or all", &["Alt-v"], At::Only(&[FIELD]), |act| next_vault(act.model)).hint(6),
];

/// What is looked for, and what was found.
#[derive(Debug)]
pub struct Searching {
    /// What is typed.
    pub field: Field,
    /// Whether the field has the keys.
    pub typing: bool,
    /// Only these kinds.
    pub kinds: Kinds,
    /// Only this vault.
    pub vault: Option<String>,
    /// Only what is gone.
    pub gone: bool,
    /// What the rows are, or will be, an answer to.
    pub asked: Option<Search>,
    /// What was found.
    pub list: Window<FoundRow>,
    /// Whether it is here.
    pub load: Load,
    /// Whether more may come.
    pub running: bool,
    /// Whether there is more than can be listed.
    pub more: bool,
    /// How far the vaults can be searched.
    pub vaults: Vec<SearchedVault>,
    /// Whether that was asked for.
    standing: bool,
    /// Whether the catalog knows more than when the rows were asked for.
    stale: bool,
    /// When they were, in milliseconds.
    ran: u64,
    /// Words about the row that the cursor rested on.
    pub about: String,
    /// Since when the cursor is on this row.
    on: (u64, u64),
    /// Where one is on the way to.
    going: Option<reach::Going>,
}

impl Default for Searching {
    fn default() -> Self {
        Searching {
            field: Field::default(),
            typing: true,
            kinds: Kinds::All,
            vault: None,
            gone: false,
            asked: None,
            list: Window::default(),
            load: Load::Idle,
            running: false,
            more: false,
            vaults: Vec::new(),
            standing: false,
            stale: false,
            ran: 0,
            about: String::new(),
            on: (0, 0),
            going: None,
        }
    }
}

impl Searching {
    /// What is to be looked for; `None` while nothing says what.
    fn wanted(&self) -> Option<Search> {
        let text = self.field.text().trim();
        (!text.is_empty() || self.gone).then(|| Search {
            text: text.to_owned(),
            kinds: self.kinds,
            vault: self.vault.clone(),
            gone: self.gone,
        })
    }
}

pub(super) fn context(model: &Model) -> Context {
    if model.search.typing { FIELD } else { ROWS }
}

pub(super) fn layout(model: &mut Model) {
    // The field, and how far the vaults can be searched, take a row each.
    let rows = u64::from(model.body_rows().saturating_sub(2).max(1));
    model.search.list.resize(rows);
}

fn nothing(model: &Model) -> Option<String> {
    let none = model.search.list.total().unwrap_or(0) == 0;
    none.then(|| "Nothing is found yet: type a part of a name.".into())
}

fn to_rows(model: &mut Model) {
    model.search.typing = false;
}

/// Out of the field; filters that leave nothing to see go too.
fn leave_field(model: &mut Model) {
    to_rows(model);
    if model.search.list.total() == Some(0) {
        escape(model);
    }
}

/// Between the field and the rows.
pub(super) fn change_pane(model: &mut Model) {
    model.search.typing = !model.search.typing;
}

fn next_kinds(model: &mut Model) {
    let search = &mut model.search;
    search.kinds = match search.kinds {
        Kinds::All => Kinds::Files,
        Kinds::Files => Kinds::Folders,
        Kinds::Folders => Kinds::Others,
        Kinds::Others => Kinds::All,
    };
}

fn next_vault(model: &mut Model) {
    let names: Vec<String> = model.vaults.all.iter().map(|row| row.name.clone()).collect();
    let search = &mut model.search;
    let at = search
        .vault
        .as_ref()
        .and_then(|vault| names.iter().position(|name| name == vault));
    search.vault = names.get(at.map_or(0, |at| at + 1)).cloned();
}

/// All filters away; whether there was one.
pub(super) fn escape(model: &mut Model) -> bool {
    let search = &mut model.search;
    let filtered = search.gone || search.vault.is_some() || search.kinds != Kinds::All;
    (search.gone, search.vault, search.kinds) = (false, None, Kinds::All);
    filtered
}

/// Looks again.
pub(super) fn reload(model: &mut Model) {
    model.search.asked = None;
    model.search.standing = false;
}

/// More can be searched than before.
pub(in super::super) fn catalogued(model: &mut Model) {
    model.search.stale = true;
    model.search.standing = false;
}

/// Words about the row that the cursor rested on.
pub(super) fn status(model: &Model) -> Option<(String, Role)> {
    let about = &model.search.about;
    (!about.is_empty()).then(|| (about.clone(), Role::Dim))
}

/// Asks for what is typed, for rows that are missing, and how the vaults stand.
pub(super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    reach::go_on(model);
    if model.screen != Screen::Search {
        return;
    }
    if !model.search.standing && !model.asks(STANDING) {
        model.search.standing = true;
        ask(model, STANDING, question(Search::default(), false, 0, 0), take, effects);
    }
    run(model, effects);
    if let Some(search) = model.search.asked.clone()
        && !model.asks(WINDOW)
        && model.search.load == Load::Ready
        && let Some((first, rows)) = model.search.list.missing()
    {
        ask(model, WINDOW, question(search, false, first, rows), take, effects);
    }
    follow_cursor(model, effects);
}

fn question(search: Search, anew: bool, first: u64, rows: u32) -> Question {
    Question::Search(SearchAsked {
        search,
        anew,
        first,
        rows,
    })
}

/// Looks for what is wanted, unless that is what was looked for and nothing new is known.
fn run(model: &mut Model, effects: &mut Vec<Effect>) {
    let wanted = model.search.wanted();
    let now = model.now.millis;
    let another = model.search.asked != wanted;
    if !another {
        if !model.search.stale || wanted.is_none() || model.asks(RUN) {
            return;
        }
        let due = model.search.ran.saturating_add(RENEW);
        if now < due {
            effects.push(Effect::Wake(due));
            return;
        }
    }
    abandon(model, RUN, effects);
    abandon(model, WINDOW, effects);
    let search = &mut model.search;
    search.stale = false;
    search.ran = now;
    search.asked = wanted.clone();
    search.running = wanted.is_some();
    if another {
        // The rows of before stay in sight until there are others: nothing flickers while one types.
        search.list.go(0);
    }
    let Some(wanted) = wanted else {
        search.list.start_at(0);
        search.load = Load::Idle;
        search.about.clear();
        return;
    };
    if !matches!(search.load, Load::Ready) {
        search.load = Load::Loading;
    }
    let rows = u32::try_from(search.list.page().saturating_mul(3)).unwrap_or(u32::MAX);
    ask(model, RUN, question(wanted, true, 0, rows.max(30)), take, effects);
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Search(asked) = asked else { return };
    let search = &mut model.search;
    let window = match told.answer {
        Answer::Found(window) => window,
        other if search.asked.as_ref() == Some(&asked.search) => {
            search.load = failed(other);
            search.running = false;
            return;
        }
        _ => return,
    };
    if asked.rows == 0 {
        // How all vaults stand; what is looked for may be in one of them only.
        if search.vault.is_none() {
            search.vaults = window.vaults;
        }
        return;
    }
    if search.asked.as_ref() != Some(&asked.search) {
        return;
    }
    search.load = Load::Ready;
    search.running = window.searching;
    search.more = window.more;
    search.vaults = window.vaults;
    let on = search.list.current().map(|row| (row.vault.clone(), row.path.clone()));
    let shown = search.list.visible();
    let covers = window.first <= shown.start && shown.end <= window.first + window.rows.len() as u64;
    if covers || !asked.anew || search.list.total().is_none() {
        let renewed = asked.anew && search.list.cursor() > 0;
        search.list.accept(window.first, window.rows, window.total);
        if renewed {
            stay_on(&mut search.list, on);
        }
    } else {
        // One has gone further down meanwhile.
        let (first, rows) = search.list.held();
        let rows = if told.complete { Vec::new() } else { rows.to_vec() };
        search.list.accept(first, rows, window.total);
    }
}

/// Keeps the cursor on its row where rows came in before it.
fn stay_on(list: &mut Window<FoundRow>, on: Option<(String, Vec<Vec<u8>>)>) {
    let Some((vault, path)) = on else { return };
    let (first, rows) = list.held();
    if let Some(at) = rows.iter().position(|row| row.vault == vault && row.path == path) {
        let at = first + at as u64;
        list.go(at);
    }
}

/// The words about a row follow the cursor once it rests, so that moving it costs little.
fn follow_cursor(model: &mut Model, effects: &mut Vec<Effect>) {
    let now = model.now.millis;
    let cursor = model.search.list.cursor();
    if model.search.on.0 != cursor {
        model.search.on = (cursor, now);
    }
    let due = model.search.on.1.saturating_add(REST);
    if now < due {
        effects.push(Effect::Wake(due));
        return;
    }
    let about = model.search.list.current().map(|row| about(model, row));
    model.search.about = about.unwrap_or_default();
}

fn about(model: &Model, row: &FoundRow) -> String {
    let held = text::counted(row.generations, "generation", "generations");
    let day = |time| text::stamp(time, &model.zone).chars().take(10).collect::<String>();
    let when = match row.generations {
        1 => format!("of {}", day(row.last.1)),
        _ => format!("from {} to {}", day(row.first.1), day(row.last.1)),
    };
    let still = match row.presence {
        Presence::There => "the newest has it",
        Presence::Gone => "gone from the newest",
        Presence::Unknown => "the newest is not read yet",
    };
    format!("In {held} {when}; {still}.")
}

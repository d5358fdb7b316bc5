//! The screen Vaults: the vaults, the generations of the one under the cursor, and what there is to know of one of them.
//!
//! Here are the lists; `ask` asks for what they hold, `staging` holds marks and what is to be deleted, `review` shows that
//! before it is done, `tags` edits labels, `order` is how generations are sorted, `follow` lets the third pane follow the
//! cursor, `details` and `charts` draw it, `view` the first two.

mod ask;
mod charts;
pub(super) mod details;
mod follow;
pub mod order;
pub mod review;
pub mod staging;
pub mod tags;
pub(super) mod view;

use std::collections::{HashMap, HashSet};

use super::super::actions::{Act, Action, At, Context, Danger};
use super::super::dialog::Moves;
use super::super::dialogs::{backup, password, restore};
use super::super::model::{Load, Model, Screen};
use super::super::theme::Role;
use super::super::window::Window;
use super::files;
use crate::cost::Money;
use crate::engine::question::{GenerationRow, VaultRow, VaultRuns};
use crate::text;
use crate::vault::Id;
pub(super) use ask::fetch;
pub(crate) use ask::{changed, generations_changed};
pub use follow::Shown;
pub(super) use follow::stale;

/// The vaults' pane.
pub const VAULTS: Context = Context::screen("vaults", "Vaults");
/// The generations' pane.
pub const GENERATIONS: Context = Context::screen("generations", "Generations");
/// The pane of one generation's details.
pub const DETAILS: Context = Context {
    list: false,
    ..Context::screen("details", "Details")
};

/// What one can do here.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("vaults.open", "open", "To the vault's generations", &["Enter", "l", "→"], At::Only(&[VAULTS]), open_vault).hint(1)
        .unless(|model| model.vaults.list.current().is_none().then(|| "There is no vault to open.".into())),
    Action::new("generations.open", "open", "To the generation's files", &["Enter", "l", "→"], At::Only(&[GENERATIONS, DETAILS]),
        open_generation).hint(1).unless(no_generation),
    Action::new("generations.back", "back", "Back to the pane before", &["h", "Backspace", "←"], At::Only(&[GENERATIONS, DETAILS]), back)
        .hint(2),
    Action::new("generations.restore", "restore", "Restore the whole generation", &["r"], At::Only(&[GENERATIONS, DETAILS]), restore::open)
        .danger(Danger::Plan).hint(4).unless(restore::why_not),
    Action::new("generations.mark", "mark", "Mark this point in time, to compare two", &["m"], At::Only(&[GENERATIONS, DETAILS]), staging::mark)
        .hint(10).unless(no_generation),
    Action::new("generations.pick", "select", "Select this generation for d and e, or leave it again", &["Space"], At::Only(&[GENERATIONS, DETAILS]),
        staging::pick).unless(no_generation),
    Action::new("generations.pick-all", "all", "Select all that are shown, or none", &["a"], At::Only(&[GENERATIONS]), staging::pick_all)
        .unless(no_generation),
    Action::new("generations.pick-invert", "invert", "Select those that are not", &["*"], At::Only(&[GENERATIONS]), staging::invert)
        .unless(no_generation),
    Action::new("generations.range", "range", "Begin or leave a range, for d and e", &["v"], At::Only(&[GENERATIONS]), staging::range)
        .unless(no_generation),
    Action::new("generations.stage", "delete", "Stage for deletion, or take that back; w does it", &["d"], At::Only(&[GENERATIONS, DETAILS]),
        staging::stage).hint(12).unless(cannot_change),
    Action::new("generations.unstage", "undo", "Take back the last that was staged for deletion", &["z"], At::Only(&[GENERATIONS, DETAILS]),
        staging::undo).unless(staging::nothing_staged),
    Action::new("generations.review", "review", "Review what is staged for deletion, then do it", &["w"],
        At::Only(&[VAULTS, GENERATIONS, DETAILS]), review::open).hint(13).unless(staging::cannot_review),
    Action::new("generations.tags", "tags", "Edit the tags of this generation, or add some to a range", &["e"], At::Only(&[GENERATIONS, DETAILS]),
        tags::open).hint(14).unless(cannot_change),
    Action::new("generations.sort", "sort", "In which order: time, size, what was added, what each alone holds", &["s"], At::Only(&[GENERATIONS]),
        order::open).hint(45).unless(no_generation),
    Action::new("vaults.backup", "back up", "Run a plan's backup now", &["b"], At::Only(&[VAULTS, GENERATIONS, DETAILS]), backup::open)
        .hint(6).unless(super::super::actions::read_only),
    Action::new("vaults.table", "table", "Show the charts as a table, or as charts again", &["t"], At::Only(&[VAULTS, GENERATIONS, DETAILS]),
        |act| act.model.vaults.table = !act.model.vaults.table).hint(30),
];

/// The panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // each is the list it names
pub enum Pane {
    Vaults,
    Generations,
    Details,
}

/// The vaults.
#[derive(Debug, Default)]
pub struct Vaults {
    /// Whether charts are shown as tables.
    pub table: bool,
    /// All of them.
    pub all: Vec<VaultRow>,
    /// Those shown.
    pub list: Window<VaultRow>,
    /// Whether they are here.
    pub load: Load,
    /// Only names that hold this.
    pub filter: String,
}

/// The generations of the vault under the cursor.
#[derive(Debug, Default)]
pub struct Generations {
    /// Whose.
    pub vault: Option<String>,
    /// From when on they are asked for, in milliseconds: once the cursor rests on their vault.
    due: u64,
    /// All of them, newest first.
    pub all: Vec<GenerationRow>,
    /// Those shown.
    pub list: Window<GenerationRow>,
    /// Whether they are here.
    pub load: Load,
    /// Why the password that is set for the vault does not open it; empty where none is set.
    pub problem: String,
    /// Only those whose date, host, path or tag holds this.
    pub filter: String,
    /// What ran into the vault, and what is to.
    pub runs: VaultRuns,
    /// Whether that is here.
    pub runs_load: Load,
    /// What each alone holds and costs a month, once that is known.
    pub costs: HashMap<Id, (u64, Option<Money>)>,
    /// Whether that is here.
    pub costs_load: Load,
    /// In which order they are listed.
    pub order: order::Order,
    /// Those selected.
    pub picked: HashSet<Id>,
    /// Where a range began.
    pub anchor: Option<Id>,
    /// The points in time to compare: at most two, in the order they were marked.
    pub marks: Vec<Id>,
    /// Whose details are shown.
    pub shown: Shown,
}

pub(super) fn context(model: &Model) -> Context {
    match model.pane {
        Pane::Vaults => VAULTS,
        Pane::Generations => GENERATIONS,
        Pane::Details => DETAILS,
    }
}

pub(super) fn list(model: &mut Model) -> &mut dyn Moves {
    match model.pane {
        Pane::Vaults => &mut model.vaults.list,
        Pane::Generations | Pane::Details => &mut model.generations.list,
    }
}

pub(super) fn layout(model: &mut Model) {
    let rows = u64::from(model.body_rows());
    // The list of vaults has two rows each and no column heads.
    model.vaults.list.resize(rows.div_ceil(2));
    model.generations.list.resize(rows);
}

pub(super) fn change_pane(model: &mut Model, by: isize) {
    const PANES: [Pane; 3] = [Pane::Vaults, Pane::Generations, Pane::Details];
    model.pane = PANES[(model.pane as usize).wrapping_add_signed(by.rem_euclid(3)) % 3];
}

fn back(act: &mut Act) {
    act.model.pane = match act.model.pane {
        Pane::Details => Pane::Generations,
        Pane::Generations | Pane::Vaults => Pane::Vaults,
    };
}

/// Why no generation can be changed now.
fn cannot_change(model: &Model) -> Option<String> {
    super::super::actions::read_only(model).or_else(|| no_generation(model))
}

/// Leaves the range, then what is selected, then the marks; whether there was one.
pub(super) fn escape(model: &mut Model) -> bool {
    let generations = &mut model.generations;
    if model.pane == Pane::Vaults {
        return false;
    }
    if generations.anchor.take().is_some() {
        return true;
    }
    if !generations.picked.is_empty() {
        generations.picked.clear();
        return true;
    }
    // A filter goes first: it hides rows, marks do not.
    let marked = generations.filter.is_empty() && !generations.marks.is_empty();
    if marked {
        generations.marks.clear();
    }
    marked
}

/// What is staged, marked or ranged over, for the status line.
pub(super) fn status(model: &Model) -> Option<(String, Role)> {
    let generations = &model.generations;
    if generations.anchor.is_some() {
        let words = "range: Space selects it, d stages it for deletion, e tags it";
        return Some((words.into(), Role::Chip));
    }
    let picked = generations.picked.len() as u64;
    if picked > 0 {
        let glyph = model.look.symbols.marked;
        let words = text::counted(picked, "generation", "generations");
        let words = format!("{glyph} {words} selected: d stages them for deletion, e tags them");
        return Some((words, Role::Marked));
    }
    let staged = staging::staged(model).len() as u64;
    let words = text::counted(staged, "generation", "generations");
    let what = match staging::is_deleting(model) {
        true => "generations are being deleted: J shows how far that is".to_owned(),
        false => format!("{words} to be deleted: w reviews, z takes back"),
    };
    (staged > 0).then_some((what, Role::Danger))
}

/// Goes to a vault's generations, from another screen.
pub(crate) fn go_to(model: &mut Model, vault: &str) {
    model.screen = Screen::Vaults;
    match put_cursor(model, vault) {
        true => model.pane = Pane::Generations,
        false => model.wanted_vault = Some(vault.to_owned()),
    }
}

/// Puts the cursor on a vault; whether it is in the list.
pub(crate) fn put_cursor(model: &mut Model, vault: &str) -> bool {
    model.vaults.filter.clear();
    model.password_asked = None;
    if model.vaults.load != Load::Ready {
        return false;
    }
    show_vaults(model);
    let at = model.vaults.all.iter().position(|row| row.name == vault);
    if let Some(at) = at {
        model.vaults.list.go(at as u64);
    }
    at.is_some()
}

fn open_vault(act: &mut Act) {
    let model = &mut *act.model;
    if model.generations.load == Load::Locked {
        password::open(model, model.generations.problem.clone());
    } else {
        model.password_asked = None;
        model.pane = Pane::Generations;
    }
}

fn open_generation(act: &mut Act) {
    act.model.screen = Screen::Files;
    files::enter_generation(act.model);
}

fn no_generation(model: &Model) -> Option<String> {
    let none = model.generations.list.current().is_none();
    none.then(|| "There is no generation here.".into())
}

/// The filter of the pane that has the keys.
pub(super) fn filter(model: &Model) -> &str {
    match model.pane {
        Pane::Vaults => &model.vaults.filter,
        Pane::Generations | Pane::Details => &model.generations.filter,
    }
}

/// Filters the pane that has the keys.
pub(super) fn set_filter(model: &mut Model, wanted: &str) {
    match model.pane {
        Pane::Vaults => {
            model.vaults.filter = wanted.to_owned();
            show_vaults(model);
        }
        Pane::Generations | Pane::Details => {
            model.generations.filter = wanted.to_owned();
            model.generations.anchor = None;
            show_generations(model);
        }
    }
}

/// Shows the vaults that the filter lets through; the cursor stays on its vault.
pub(super) fn show_vaults(model: &mut Model) {
    let on = model
        .wanted_vault
        .clone()
        .or_else(|| model.vaults.list.current().map(|row| row.name.clone()));
    let filter = model.vaults.filter.to_lowercase();
    let fits = |row: &&VaultRow| row.name.to_lowercase().contains(&filter) || row.location.contains(&filter);
    let rows: Vec<VaultRow> = model.vaults.all.iter().filter(fits).cloned().collect();
    let at = rows
        .iter()
        .position(|row| Some(&row.name) == on.as_ref() || Some(&row.location) == on.as_ref());
    model.vaults.list.hold(rows);
    if let Some(at) = at {
        model.vaults.list.go(at as u64);
    }
}

/// Shows the generations that the filter lets through; the cursor stays on its generation.
pub(super) fn show_generations(model: &mut Model) {
    let on = model.generations.list.current().map(|row| row.id);
    let filter = model.generations.filter.to_lowercase();
    let (zone, now) = (&model.zone, model.now.unix);
    let fits = |row: &&GenerationRow| {
        // What the row shows is what one filters by: the date, and how long ago it was.
        let stamp = format!("{}  {}", text::stamp(row.time, zone), text::ago(row.time, now));
        let mut texts = [stamp.as_str(), &row.host]
            .into_iter()
            .chain(row.paths.iter().chain(&row.tags).map(|s| &**s));
        filter.is_empty() || texts.any(|t| t.to_lowercase().contains(&filter)) || row.id.short().starts_with(&filter)
    };
    let mut rows: Vec<GenerationRow> = model.generations.all.iter().filter(fits).cloned().collect();
    let order = model.generations.order;
    if order != order::Order::default() {
        order.sort(&mut rows, &model.generations.costs);
    }
    let at = rows.iter().position(|row| Some(row.id) == on);
    let gone = |anchor: &mut Id| rows.iter().all(|row| row.id != *anchor);
    if model.generations.anchor.take_if(gone).is_some() {
        model.say(
            Role::Warning,
            "The generation where the range began is gone: begin it again.",
        );
    }
    model.generations.list.hold(rows);
    if let Some(at) = at {
        model.generations.list.go(at as u64);
    }
}

//! The screen Vaults: the vaults, and the generations of the one under the cursor.

pub(super) mod view;

use super::super::actions::{Act, Action, At, Context};
use super::super::asking::{Told, ask, failed};
use super::super::dialog::Moves;
use super::super::dialogs::{backup, password, restore};
use super::super::model::{Load, Model, Screen};
use super::super::msg::Effect;
use super::super::window::Window;
use super::files;
use crate::engine::question::{GenerationRow, VaultRow};
use crate::engine::{Answer, Question};
use crate::text;

/// The vaults' pane.
pub const VAULTS: Context = Context::screen("vaults", "Vaults");
/// The generations' pane.
pub const GENERATIONS: Context = Context::screen("generations", "Generations");

/// What one can do here.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("vaults.open", "open", "To the vault's generations", &["Enter", "l", "→"], At::Only(&[VAULTS]), open_vault).hint(1)
        .unless(|model| model.vaults.list.current().is_none().then(|| "There is no vault to open.".into())),
    Action::new("generations.open", "open", "To the generation's files", &["Enter", "l", "→"], At::Only(&[GENERATIONS]), open_generation)
        .hint(1).unless(no_generation),
    Action::new("generations.back", "back", "Back to the vaults", &["h", "Backspace", "←"], At::Only(&[GENERATIONS]),
        |act| act.model.pane = Pane::Vaults).hint(2),
    Action::new("generations.restore", "restore", "Restore the whole generation", &["r"], At::Only(&[GENERATIONS]), restore::open)
        .hint(4).unless(restore::why_not),
    Action::new("vaults.backup", "back up", "Run a plan's backup now", &["b"], At::Only(&[VAULTS, GENERATIONS]), backup::open).hint(6)
        .unless(super::super::actions::read_only),
];

/// The panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // each is the list it names
pub enum Pane {
    Vaults,
    Generations,
}

/// The vaults.
#[derive(Debug, Default)]
pub struct Vaults {
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
    /// All of them, newest first.
    pub all: Vec<GenerationRow>,
    /// Those shown.
    pub list: Window<GenerationRow>,
    /// Whether they are here.
    pub load: Load,
    /// Only those whose date, host, path or tag holds this.
    pub filter: String,
}

pub(super) fn context(model: &Model) -> Context {
    match model.pane {
        Pane::Vaults => VAULTS,
        Pane::Generations => GENERATIONS,
    }
}

pub(super) fn list(model: &mut Model) -> &mut dyn Moves {
    match model.pane {
        Pane::Vaults => &mut model.vaults.list,
        Pane::Generations => &mut model.generations.list,
    }
}

pub(super) fn layout(model: &mut Model) {
    let rows = u64::from(model.body_rows());
    // The list of vaults has two rows each and no column heads.
    model.vaults.list.resize(rows.div_ceil(2));
    model.generations.list.resize(rows);
}

pub(super) fn change_pane(model: &mut Model, _by: isize) {
    model.pane = match model.pane {
        Pane::Vaults => Pane::Generations,
        Pane::Generations => Pane::Vaults,
    };
}

/// Asks for the vaults, and for the generations of the one under the cursor.
pub(super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.vaults.load == Load::Idle {
        model.vaults.load = Load::Loading;
        ask(model, "vaults", Question::Vaults, take_vaults, effects);
    }
    let vault = model.vaults.list.current().map(|row| row.name.clone());
    follow_vault(model, vault);
    let shown = match model.screen {
        Screen::Vaults => model.is_wide() || model.pane == Pane::Generations,
        Screen::Files => true,
        _ => false,
    };
    if shown
        && model.generations.load == Load::Idle
        && !model.asks("generations")
        && let Some(vault) = model.generations.vault.clone()
    {
        model.generations.load = Load::Loading;
        ask(
            model,
            "generations",
            Question::Generations { vault },
            take_generations,
            effects,
        );
    }
}

/// The generations follow the vault under the cursor.
fn follow_vault(model: &mut Model, vault: Option<String>) {
    if model.vaults.load == Load::Ready && model.generations.vault != vault {
        let mut list = std::mem::take(&mut model.generations.list);
        list.start_at(0);
        model.generations = Generations {
            vault,
            list,
            ..Generations::default()
        };
    }
}

fn take_vaults(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let mut rows = match told.answer {
        Answer::Vaults(rows) => rows,
        other => {
            model.vaults.load = failed(other);
            return;
        }
    };
    // A folder the user named is a vault too, though no config knows it.
    if let Some(given) = &model.given_vault
        && rows.iter().all(|row| row.name != *given && row.location != *given)
    {
        let (name, location) = (given.clone(), given.clone());
        let row = VaultRow {
            name,
            location,
            ..VaultRow::default()
        };
        rows.insert(0, row);
    }
    model.vaults.all = rows;
    model.vaults.load = Load::Ready;
    show_vaults(model);
    if let Some(wanted) = model.wanted_vault.take()
        && model
            .vaults
            .list
            .current()
            .is_some_and(|row| row.name == wanted || row.location == wanted)
    {
        model.screen = Screen::Vaults;
        model.pane = Pane::Generations;
    }
}

fn take_generations(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Generations { vault } = asked else { return };
    if model.generations.vault.as_ref() != Some(vault) {
        return;
    }
    match told.answer {
        Answer::Generations(rows) => {
            model.generations.all = rows;
            model.generations.load = Load::Ready;
            show_generations(model);
        }
        Answer::PasswordNeeded { problem, .. } => {
            model.generations.load = Load::Locked;
            // Asked for by itself only where the user went to the vault, and only once.
            let went = model.screen == Screen::Files || model.pane == Pane::Generations;
            if went && model.dialogs.is_empty() && model.password_asked.as_ref() != Some(vault) {
                password::open(model, problem);
            }
        }
        other => model.generations.load = failed(other),
    }
}

fn open_vault(act: &mut Act) {
    let model = &mut *act.model;
    if model.generations.load == Load::Locked {
        password::open(model, String::new());
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
    none.then(|| "There is no generation to open.".into())
}

/// The filter of the pane that has the keys.
pub(super) fn filter(model: &Model) -> &str {
    match model.pane {
        Pane::Vaults => &model.vaults.filter,
        Pane::Generations => &model.generations.filter,
    }
}

/// Filters the pane that has the keys.
pub(super) fn set_filter(model: &mut Model, wanted: &str) {
    match model.pane {
        Pane::Vaults => {
            model.vaults.filter = wanted.to_owned();
            show_vaults(model);
        }
        Pane::Generations => {
            model.generations.filter = wanted.to_owned();
            show_generations(model);
        }
    }
}

/// Shows the vaults that the filter lets through; the cursor stays on its vault.
fn show_vaults(model: &mut Model) {
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
    let total = rows.len() as u64;
    model.vaults.list.accept(0, rows, total);
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
    let rows: Vec<GenerationRow> = model.generations.all.iter().filter(fits).cloned().collect();
    let at = rows.iter().position(|row| Some(row.id) == on);
    let total = rows.len() as u64;
    model.generations.list.accept(0, rows, total);
    if let Some(at) = at {
        model.generations.list.go(at as u64);
    }
}

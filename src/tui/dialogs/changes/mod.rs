//! What changed between two points in time: in a whole generation, or below one folder.
//!
//! Opened on two marked generations, on a generation and the one before it, or on the folder that is shown. `view` draws.

mod view;

use super::super::actions::{Act, Action, At, Context};
use super::super::asking::{Told, abandon, ask, failed};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::screens::{files, search, vaults};
use super::super::view::canvas::Canvas;
use super::super::window::Window;
use super::locked;
use crate::engine::question::{Change, ChangeRow, ChangeTotals, ChangesAsked, Compared, GenerationRow, TreePath};
use crate::engine::{Answer, Question};
use crate::vault::Id;
pub(super) use view::from_to;

/// Where keys go.
const CONTEXT: Context = Context::dialog("changes", "What changed").with_list();
/// Slots of questions.
const RUN: &str = "changes.run";
const WINDOW: &str = "changes.window";

/// What one can do in it, and where it is opened.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("generations.changes", "changes", "What changed between the two marked, or since the generation before", &["c"],
        At::Only(&[vaults::GENERATIONS]), open_generations).hint(5).unless(|model| pair(model).err()),
    Action::new("files.changes", "changes", "What changed in this folder since the generation before", &["c"], At::Only(&[files::CONTEXT]),
        open_folder).hint(30).unless(|model| pair_of_files(model).err()),
    Action::new("changes.go", "go to it", "To the file, as it was after; before, for what is gone", &["Enter", "l", "→"], At::Only(&[CONTEXT]), go)
        .hint(1).unless(|model| model.dialog::<Changes>().is_none_or(|changes| changes.list.current().is_none())
            .then(|| "Nothing changed, there is nothing to go to.".into())),
    Action::new("changes.older", "back in time", "Compare the generation before with the one before that", &["<"], At::Only(&[CONTEXT]),
        |act| step(act, 1)).hint(2).unless(|model| shifted(model, 1).is_none().then(|| "There is no generation before these.".into())),
    Action::new("changes.newer", "on", "Compare with the generation after", &[">"], At::Only(&[CONTEXT]),
        |act| step(act, -1)).hint(3).unless(|model| shifted(model, -1).is_none().then(|| "There is no generation after these.".into())),
    Action::new("changes.metadata", "all metadata", "List what has other permissions, owners or times only, or leave it out", &["m"],
        At::Only(&[CONTEXT]), metadata).hint(4),
];

/// What changed.
#[derive(Debug)]
pub(crate) struct Changes {
    compared: Compared,
    /// When both were made, in seconds since 1970.
    times: (i64, i64),
    list: Window<ChangeRow>,
    load: Load,
    totals: ChangeTotals,
    running: bool,
    more: bool,
}

/// The generations to compare on the screen Vaults, the older one first; or why there are none.
fn pair(model: &Model) -> Result<(&GenerationRow, &GenerationRow), String> {
    let all = &model.generations.all;
    let Some(current) = model.generations.list.current() else {
        return Err("There is no generation to compare.".into());
    };
    let marked: Vec<&GenerationRow> = model
        .generations
        .marks
        .iter()
        .filter_map(|id| all.iter().find(|row| row.id == *id))
        .collect();
    let (one, other) = match marked[..] {
        [] => (current, before(model, current)?),
        [one] if one.id == current.id => (current, before(model, current)?),
        [one] => (one, current),
        [one, other, ..] => (one, other),
    };
    Ok(if one.time <= other.time {
        (one, other)
    } else {
        (other, one)
    })
}

/// The generation of the same host and paths before one.
fn before<'a>(model: &'a Model, row: &GenerationRow) -> Result<&'a GenerationRow, String> {
    let same = |other: &&GenerationRow| other.host == row.host && other.paths == row.paths && other.time < row.time;
    let found = model.generations.all.iter().filter(same).max_by_key(|other| other.time);
    found.ok_or_else(|| "It is the first of its host and paths: m marks another to compare it with.".into())
}

/// The generation whose files are shown, and the one before it.
fn pair_of_files(model: &Model) -> Result<(&GenerationRow, &GenerationRow), String> {
    let shown = model.files.of.as_ref().map(|(_, id)| *id);
    let row = model.generations.all.iter().find(|row| Some(row.id) == shown);
    let row = row.ok_or("There is no generation to compare.")?;
    Ok((before(model, row)?, row))
}

fn open_generations(act: &mut Act) {
    let Ok((one, other)) = pair(act.model) else { return };
    let (one, other) = ((one.id, one.time), (other.id, other.time));
    open(act, one, other, Vec::new());
}

fn open_folder(act: &mut Act) {
    let Ok((one, other)) = pair_of_files(act.model) else {
        return;
    };
    let (one, other) = ((one.id, one.time), (other.id, other.time));
    let folder = act.model.files.folder.clone();
    open(act, one, other, folder);
}

/// Opens it on a folder of two generations of the vault shown, each with when it was made (in seconds since 1970).
pub(crate) fn open(act: &mut Act, before: (Id, i64), after: (Id, i64), folder: TreePath) {
    let Some(vault) = act.model.generations.vault.clone() else {
        return;
    };
    act.model.push(Changes {
        compared: Compared {
            vault,
            before: before.0,
            after: after.0,
            folder,
            metadata: false,
        },
        times: (before.1, after.1),
        list: Window::default(),
        load: Load::Idle,
        totals: ChangeTotals::default(),
        running: false,
        more: false,
    });
}

impl Changes {
    /// Compares something else from now on.
    fn anew(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, RUN, effects);
        abandon(model, WINDOW, effects);
        self.list.start_at(0);
        self.load = Load::Idle;
        self.totals = ChangeTotals::default();
    }

    fn question(&self, first: u64, rows: u32) -> Question {
        Question::Changes(ChangesAsked {
            compared: self.compared.clone(),
            first,
            rows,
        })
    }
}

/// The pair so many generations further back (or on, when negative): older id and time, newer id and time.
fn shifted(model: &Model, by: isize) -> Option<[(Id, i64); 2]> {
    let changes = model.dialog::<Changes>()?;
    let all = &model.generations.all;
    let after = all.iter().find(|row| row.id == changes.compared.after)?;
    let mut kin: Vec<&GenerationRow> = all
        .iter()
        .filter(|row| row.host == after.host && row.paths == after.paths)
        .collect();
    kin.sort_by_key(|row| std::cmp::Reverse(row.time));
    let place = |id: Id| kin.iter().position(|row| row.id == id);
    let there = |at: usize| {
        let row = kin.get(at.checked_add_signed(by)?)?;
        Some((row.id, row.time))
    };
    let (newer, older) = (place(changes.compared.after)?, place(changes.compared.before)?);
    Some([there(older)?, there(newer)?])
}

fn step(act: &mut Act, by: isize) {
    let Some([older, newer]) = shifted(act.model, by) else {
        return;
    };
    with_top::<Changes>(act, |changes, act| {
        changes.compared.before = older.0;
        changes.compared.after = newer.0;
        changes.times = (older.1, newer.1);
        changes.anew(act.model, act.effects);
        Then::Keep
    });
}

fn metadata(act: &mut Act) {
    with_top::<Changes>(act, |changes, act| {
        changes.compared.metadata = !changes.compared.metadata;
        changes.anew(act.model, act.effects);
        Then::Keep
    });
}

fn go(act: &mut Act) {
    with_top::<Changes>(act, |changes, act| {
        let Some(row) = changes.list.current() else {
            return Then::Keep;
        };
        let generation = match row.change {
            Change::Removed => changes.compared.before,
            _ => changes.compared.after,
        };
        abandon(act.model, RUN, act.effects);
        abandon(act.model, WINDOW, act.effects);
        search::go_to(act.model, &changes.compared.vault, generation, row.path.clone());
        Then::Close
    });
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Changes(asked) = asked else { return };
    let same = |changes: &&mut Changes| changes.compared == asked.compared;
    let Some(changes) = model.dialog_mut::<Changes>().filter(same) else {
        return;
    };
    let window = match told.answer {
        Answer::Changes(window) => window,
        Answer::PasswordNeeded { problem, .. } => {
            changes.load = Load::Locked;
            return locked(model, problem);
        }
        other => {
            changes.load = failed(other);
            changes.running = false;
            return;
        }
    };
    changes.load = Load::Ready;
    changes.running = window.comparing;
    changes.more = window.more;
    changes.totals = window.totals;
    let shown = changes.list.visible();
    let covers = window.first <= shown.start && shown.end <= window.first + window.rows.len() as u64;
    if covers || asked.first > 0 || changes.list.total().is_none() {
        changes.list.accept(window.first, window.rows, window.total);
    } else {
        // One has gone further down meanwhile.
        let (first, rows) = changes.list.held();
        let rows = rows.to_vec();
        changes.list.accept(first, rows, window.total);
    }
}

impl Dialog for Changes {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        self.list.resize(u64::from(view::rows(model)));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        let unlocked = self.load == Load::Locked && super::unlocked(model, &self.compared.vault);
        if self.load == Load::Idle || unlocked {
            self.load = Load::Loading;
            self.running = true;
            let rows = u32::try_from(self.list.page().saturating_mul(3)).unwrap_or(30);
            ask(model, RUN, self.question(0, rows.max(30)), take, effects);
        } else if self.load == Load::Ready
            && !model.asks(WINDOW)
            && let Some((first, rows)) = self.list.missing()
        {
            ask(model, WINDOW, self.question(first, rows), take, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, RUN, effects);
        abandon(model, WINDOW, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        view::draw(model, self, canvas);
    }
}

//! The screen Snapshots: the machines and volumes of this machine and the config, the snapshots of the one under the
//! cursor, and what there is to know of one of them.
//!
//! Here are the lists. `ask` asks for what is shown, `chosen` holds what is selected, marked and to be deleted, `words`
//! says things as people say them, `view` draws the lists and `details` the third pane. Taking, going back and all else
//! that is asked first are dialogs, in `dialogs::snapshots`.

mod ask;
pub(crate) mod chosen;
mod details;
mod view;
pub(crate) mod words;

use super::super::actions::{self, Act, Action, At, Context, Danger};
use super::super::dialog::Moves;
use super::super::dialogs::snapshots::{browse, clone, compare, export, label, policies, review, rollback, take};
use super::super::model::{Load, Model, Screen};
use super::super::picks::Picks;
use super::super::staged::Staged;
use super::super::theme::Role;
use super::super::window::Window;
use super::cost;
use crate::engine::question::{SnapshotAt, SnapshotRow, SnapshotTargetRow};
use crate::snapshot::{SnapshotId, Target};
use crate::text;
pub(crate) use ask::changed;
pub(super) use ask::{fetch, layout, reload, stale};
pub(super) use view::draw;

/// The pane of machines and volumes.
pub const TARGETS: Context = Context::screen("targets", "Volumes and machines");
/// The pane of snapshots.
pub const SNAPSHOTS: Context = Context::screen("snapshots", "Snapshots");
/// The pane of one snapshot's details.
pub const DETAILS: Context = Context {
    list: false,
    ..Context::screen("snapshot", "A snapshot")
};

const ALL: &[Context] = &[TARGETS, SNAPSHOTS, DETAILS];
const OF_ONE: &[Context] = &[SNAPSHOTS, DETAILS];

/// What one can do here.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("targets.open", "open", "To its snapshots", &["Enter", "l", "→"], At::Only(&[TARGETS]),
        |act| act.model.snapshots.pane = Pane::Snapshots).hint(1).unless(no_target),
    Action::new("snapshots.open", "files", "Look into the snapshot: its files, to read and to restore", &["Enter", "l", "→"], At::Only(OF_ONE),
        browse::open).hint(1).unless(no_snapshot),
    Action::new("snapshots.back", "back", "Back to the pane before", &["h", "Backspace", "←"], At::Only(OF_ONE), back).hint(2),
    Action::new("snapshots.take", "take", "Take a snapshot; of several selected ones all at one moment", &["n"], At::Only(ALL), take::open).hint(3)
        .unless(take::why_not),
    Action::new("snapshots.take-other", "take another", "Take a snapshot of a folder that is not listed", &["N"], At::Only(ALL), take::open_other)
        .hint(16).unless(actions::read_only),
    Action::new("snapshots.roll-back", "roll back", "Go back to this snapshot; shows first what is lost", &["r"], At::Only(OF_ONE),
        rollback::open).danger(Danger::Type).hint(4).unless(cannot_change),
    Action::new("snapshots.compare", "compare", "What changed between the two marked, or from this one to now", &["c"], At::Only(OF_ONE),
        compare::open).hint(5).unless(no_snapshot),
    Action::new("targets.pick", "select", "Select it, to take several at one moment", &["Space"], At::Only(&[TARGETS]), chosen::pick_target).hint(6)
        .unless(chosen::cannot_pick),
    Action::new("targets.pick-all", "all", "Select all that can be snapshotted, or none", &["a"], At::Only(&[TARGETS]), chosen::pick_targets)
        .unless(no_target),
    Action::new("targets.pick-invert", "invert", "Select those that are not", &["*"], At::Only(&[TARGETS]), chosen::invert_targets).unless(no_target),
    Action::new("snapshots.label", "label", "Change its label and its protection", &["e"], At::Only(OF_ONE), label::open).hint(7)
        .unless(cannot_change),
    Action::new("snapshots.protect", "protect", "Protect it, so that nothing deletes it, or no longer", &["L"], At::Only(OF_ONE), label::protect)
        .hint(9).unless(cannot_change),
    Action::new("snapshots.mark", "mark", "Mark this one, to compare two", &["m"], At::Only(OF_ONE), chosen::mark).hint(10)
        .unless(no_snapshot),
    Action::new("snapshots.pick", "select", "Select it for d, or leave it again", &["Space"], At::Only(OF_ONE), chosen::pick)
        .unless(no_snapshot),
    Action::new("snapshots.pick-all", "all", "Select all that are shown, or none", &["a"], At::Only(&[SNAPSHOTS]), chosen::pick_all)
        .unless(no_snapshot),
    Action::new("snapshots.pick-invert", "invert", "Select those that are not", &["*"], At::Only(&[SNAPSHOTS]), chosen::invert)
        .unless(no_snapshot),
    Action::new("snapshots.range", "range", "Begin or leave a range, for d", &["v"], At::Only(&[SNAPSHOTS]), chosen::range).unless(no_snapshot),
    Action::new("snapshots.stage", "delete", "Stage for deletion, or take that back; w does it", &["d"], At::Only(OF_ONE),
        chosen::stage).hint(12).unless(cannot_change),
    Action::new("snapshots.unstage", "undo", "Take back the last that was staged for deletion", &["z"], At::Only(OF_ONE), chosen::undo)
        .unless(chosen::nothing_staged),
    Action::new("snapshots.review", "review", "Review what is staged for deletion, then do it", &["w"], At::Only(ALL), review::open).hint(13)
        .unless(chosen::cannot_review),
    Action::new("snapshots.clone", "clone", "Make a volume, folder or image of its own of it", &["C"], At::Only(OF_ONE), clone::open).hint(14)
        .unless(cannot_change),
    Action::new("snapshots.export", "to a vault", "Send it into a vault, as a generation", &["E"], At::Only(OF_ONE), export::open).hint(15)
        .unless(export::why_not),
    Action::new("snapshots.cost", "cost", "What they cost, and what another rule of their policy would change", &["$"], At::Only(ALL), |act| {
        let target = act.model.snapshots.targets.list.current().map(|row| row.found.target.clone());
        cost::snapshots::go_to(act.model, target);
    }).hint(21),
    Action::new("snapshots.policies", "policies", "What takes snapshots by itself, and how long they stay", &["p"], At::Only(ALL), policies::open)
        .hint(20),
];

/// The panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[allow(missing_docs)] // each is the list it names
pub enum Pane {
    #[default]
    Targets,
    Snapshots,
    Details,
}

/// The whole screen.
#[derive(Debug, Default)]
pub struct Snapshots {
    /// The pane that has the keys.
    pub pane: Pane,
    /// What can be snapshotted.
    pub targets: Targets,
    /// The snapshots of one of them.
    pub taken: Taken,
    /// What is staged for deletion.
    pub staged: Staged<Target, SnapshotId>,
}

/// What can be snapshotted, or could.
#[derive(Debug, Default)]
pub struct Targets {
    /// All of them, in the order shown.
    pub all: Vec<SnapshotTargetRow>,
    /// Those shown.
    pub list: Window<SnapshotTargetRow>,
    /// Whether they are here.
    pub load: Load,
    /// Whether they have changed since they were asked for.
    pub old: bool,
    /// Only names that hold this.
    pub filter: String,
    /// The name to put the cursor on as soon as it is here.
    wanted: Option<String>,
    /// Those selected.
    pub picks: Picks<Target>,
}

/// The snapshots of one target.
#[derive(Debug, Default)]
pub struct Taken {
    /// Of which.
    pub of: Option<Target>,
    /// The target that the cursor went to since, and when its snapshots are to be shown, in milliseconds.
    wanted: Option<(Target, u64)>,
    /// All of them, newest first.
    pub all: Vec<SnapshotRow>,
    /// Those shown.
    pub list: Window<SnapshotRow>,
    /// Whether they are here.
    pub load: Load,
    /// Whether they have changed since they were asked for.
    pub old: bool,
    /// Whether they are sized.
    pub sized: bool,
    /// What must be said of all.
    pub notes: Vec<String>,
    /// Only those whose date, label, level or maker holds this.
    pub filter: String,
    /// Those selected.
    pub picks: Picks<SnapshotId>,
    /// Those to compare: at most two, in the order they were marked.
    pub marks: Vec<SnapshotId>,
}

pub(super) fn context(model: &Model) -> Context {
    ALL[model.snapshots.pane as usize]
}

pub(super) fn list(model: &mut Model) -> &mut dyn Moves {
    match model.snapshots.pane {
        Pane::Targets => &mut model.snapshots.targets.list,
        Pane::Snapshots | Pane::Details => &mut model.snapshots.taken.list,
    }
}

pub(super) fn change_pane(model: &mut Model, by: isize) {
    const PANES: [Pane; 3] = [Pane::Targets, Pane::Snapshots, Pane::Details];
    let pane = &mut model.snapshots.pane;
    *pane = PANES[(*pane as usize).wrapping_add_signed(by.rem_euclid(3)) % 3];
}

/// Goes to a target, from another screen.
pub(super) fn go_to(model: &mut Model, name: &str) {
    model.screen = Screen::Snapshots;
    let snapshots = &mut model.snapshots;
    snapshots.pane = Pane::Targets;
    snapshots.targets.filter.clear();
    snapshots.targets.wanted = Some(name.to_owned());
    show_targets(model);
}

fn back(act: &mut Act) {
    let pane = &mut act.model.snapshots.pane;
    *pane = match pane {
        Pane::Details => Pane::Snapshots,
        Pane::Snapshots | Pane::Targets => Pane::Targets,
    };
}

/// The target whose snapshots are shown, as listed.
pub(crate) fn target(model: &Model) -> Option<&SnapshotTargetRow> {
    let snapshots = &model.snapshots;
    let of = snapshots.taken.of.as_ref();
    snapshots.targets.all.iter().find(|row| Some(&row.found.target) == of)
}

/// The snapshot under the cursor.
pub(crate) fn snapshot(model: &Model) -> Option<&SnapshotRow> {
    model.snapshots.taken.list.current()
}

/// How a snapshot is named to the engine.
pub(crate) fn at(row: &SnapshotRow) -> SnapshotAt {
    SnapshotAt {
        target: row.snapshot.target.clone(),
        id: row.snapshot.id.clone(),
    }
}

/// Why there is no target here.
fn no_target(model: &Model) -> Option<String> {
    let none = model.snapshots.targets.list.current().is_none();
    none.then(|| "There is nothing here that could be snapshotted.".into())
}

/// Why there is no snapshot here.
pub(crate) fn no_snapshot(model: &Model) -> Option<String> {
    let none = snapshot(model).is_none();
    none.then(|| "There is no snapshot here: n takes one.".into())
}

/// Why no snapshot can be changed now.
fn cannot_change(model: &Model) -> Option<String> {
    actions::read_only(model).or_else(|| no_snapshot(model))
}

/// The filter of the pane that has the keys.
pub(super) fn filter(model: &Model) -> &str {
    match model.snapshots.pane {
        Pane::Targets => &model.snapshots.targets.filter,
        Pane::Snapshots | Pane::Details => &model.snapshots.taken.filter,
    }
}

/// Filters the pane that has the keys.
pub(super) fn set_filter(model: &mut Model, wanted: &str) {
    match model.snapshots.pane {
        Pane::Targets => {
            model.snapshots.targets.filter = wanted.to_owned();
            show_targets(model);
        }
        Pane::Snapshots | Pane::Details => {
            model.snapshots.taken.filter = wanted.to_owned();
            model.snapshots.taken.picks.leave_range();
            show_taken(model);
        }
    }
}

/// Shows the targets that the filter lets through; the cursor stays on its target.
fn show_targets(model: &mut Model) {
    let targets = &mut model.snapshots.targets;
    let on = targets.list.current().map(|row| row.found.target.clone());
    let filter = targets.filter.to_lowercase();
    let fits = |row: &&SnapshotTargetRow| {
        let mut texts = [row.name.as_str(), &row.found.about].into_iter();
        texts.any(|text| text.to_lowercase().contains(&filter))
    };
    let rows: Vec<SnapshotTargetRow> = targets.all.iter().filter(fits).cloned().collect();
    let wanted = rows.iter().position(|row| Some(&row.name) == targets.wanted.as_ref());
    if wanted.is_some() {
        targets.wanted = None;
    }
    let at = wanted.or_else(|| rows.iter().position(|row| Some(&row.found.target) == on.as_ref()));
    targets.list.hold(rows);
    if let Some(at) = at {
        targets.list.go(at as u64);
    }
}

/// Shows the snapshots that the filter lets through; the cursor stays on its snapshot.
fn show_taken(model: &mut Model) {
    let taken = &mut model.snapshots.taken;
    let on = taken.list.current().map(|row| row.snapshot.id.clone());
    let filter = taken.filter.to_lowercase();
    let (zone, now) = (&model.zone, model.now.unix);
    let fits = |row: &&SnapshotRow| {
        let snapshot = &row.snapshot;
        let seconds = snapshot.taken.seconds;
        let when = format!("{}  {}", text::stamp(seconds, zone), text::ago(seconds, now));
        let made = words::made_by(&snapshot.made_by);
        let mut texts = [
            when.as_str(),
            &snapshot.label,
            snapshot.consistency.word(),
            &made,
            &row.fate,
        ]
        .into_iter();
        texts.any(|text| text.to_lowercase().contains(&filter)) || snapshot.id.0.starts_with(&filter)
    };
    let rows: Vec<SnapshotRow> = taken.all.iter().filter(fits).cloned().collect();
    let at = rows.iter().position(|row| Some(&row.snapshot.id) == on.as_ref());
    taken.list.hold(rows);
    if let Some(at) = at {
        taken.list.go(at as u64);
    }
}

/// Leaves the range, then what is selected, then the marks; whether there was one.
pub(super) fn escape(model: &mut Model) -> bool {
    let snapshots = &mut model.snapshots;
    match snapshots.pane {
        Pane::Targets => snapshots.targets.picks.escape(),
        Pane::Snapshots | Pane::Details => {
            // A filter goes before the marks: it hides rows, marks do not.
            let marked = snapshots.taken.filter.is_empty() && !snapshots.taken.marks.is_empty();
            let left = snapshots.taken.picks.escape();
            if !left && marked {
                snapshots.taken.marks.clear();
            }
            left || marked
        }
    }
}

/// What is staged, marked or ranged over, for the status line.
pub(super) fn status(model: &Model) -> Option<(String, Role)> {
    let snapshots = &model.snapshots;
    let glyph = model.look.symbols.marked;
    let (targets, picks) = (snapshots.targets.picks.len() as u64, &snapshots.taken.picks);
    if snapshots.pane == Pane::Snapshots && picks.ranges() {
        return Some(("range: Space selects it, d stages it for deletion".into(), Role::Chip));
    }
    if snapshots.pane != Pane::Targets && !picks.is_empty() {
        let words = text::counted(picks.len() as u64, "snapshot", "snapshots");
        return Some((
            format!("{glyph} {words} selected: d stages them for deletion"),
            Role::Marked,
        ));
    }
    let staged = chosen::staged(model).len() as u64;
    if staged > 0 {
        let words = text::counted(staged, "snapshot", "snapshots");
        let what = match chosen::is_deleting(model) {
            true => "snapshots are being deleted: J shows how far that is".to_owned(),
            false => format!("{words} to be deleted: w reviews, z takes back"),
        };
        return Some((what, Role::Danger));
    }
    let words = match targets {
        0 => return None,
        1 => format!("{glyph} 1 selected: n takes a snapshot of it"),
        many => format!("{glyph} {many} selected: n takes snapshots of all at one moment"),
    };
    Some((words, Role::Marked))
}

/// Where one is, for the first line: the target, and the snapshot.
pub(in super::super) fn crumbs(model: &Model) -> Vec<String> {
    let mut crumbs = Vec::new();
    let Some(row) = target(model).filter(|_| model.snapshots.pane != Pane::Targets) else {
        return crumbs;
    };
    crumbs.push(words::name(row));
    crumbs.extend(snapshot(model).map(|row| text::stamp(row.snapshot.taken.seconds, &model.zone)));
    crumbs
}

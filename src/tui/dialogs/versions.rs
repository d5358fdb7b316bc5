//! The versions of a file or folder: when it changed, how much, which generations hold it, where it was deleted. From here
//! one goes to a version, compares two, looks into one, or restores one beside or over what is there.

mod view;

pub(crate) use view::{change_words, growth};

use super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::screens::files::{self, Spot, travel};
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::window::Window;
use super::copy::Kept;
use super::{changes, compare, look, restore};
use crate::engine::question::{DiskNow, FileAt, VersionRow, Versions};
use crate::text;
use crate::vault::{Id, NodeType};

pub(super) const CONTEXT: Context = Context::dialog("versions", "Versions").with_list();

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("versions.go", "go there", "Show the files as they were then", &["Enter", "l", "→"], At::Only(&[CONTEXT]), go).hint(1)
        .unless(not_a_version),
    Action::new("versions.compare", "diff", "Compare with the marked one, or with the version before", &["d"], At::Only(&[CONTEXT]),
        |act| diff(act, false)).hint(2).unless(nothing_to_compare),
    Action::new("versions.restore", "restore", "Restore this version beside the current one, under a name with its date", &["r"],
        At::Only(&[CONTEXT]), |act| bring_back(act, restore::Place::Beside)).danger(Danger::Plan).hint(3)
        .unless(|model| read_only(model).or_else(|| not_a_version(model))),
    Action::new("versions.restore-over", "over", "Restore this version over the current one, where it was", &["o"],
        At::Only(&[CONTEXT]), |act| bring_back(act, restore::Place::Original)).danger(Danger::Plan).hint(4)
        .unless(|model| read_only(model).or_else(|| not_a_version(model))),
    Action::new("versions.mark", "mark", "Mark this one, to compare it with another", &["Space", "m"], At::Only(&[CONTEXT]), mark).hint(5)
        .unless(nothing_to_compare),
    Action::new("versions.look", "look", "Show what is in this one", &["v"], At::Only(&[CONTEXT]), look_at).hint(6)
        .unless(not_a_file),
    Action::new("versions.compare-disk", "diff disk", "Compare with what is on the disk now", &["D"], At::Only(&[CONTEXT]),
        |act| diff(act, true)).hint(7).unless(not_a_file),
    Action::new("versions.back", "back", "Back to the files", &["h", "Backspace", "←"], At::Only(&[CONTEXT]),
        super::super::dialog::close),
];

/// One row of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// What lies on the disk.
    Disk,
    /// The version of this number.
    Version(usize),
}

/// The list.
#[derive(Debug)]
pub struct List {
    /// Of what, as it was when the list was opened.
    spot: Spot,
    list: Window<()>,
    /// The marked row: a version by a generation that holds it; `None` within is the disk.
    marked: Option<Option<Id>>,
    /// What the cursor is on, as `marked` says it: its row is another one when versions come above.
    on: Option<Id>,
    /// The row it was on when rows were last laid out.
    row: u64,
}

/// Opens the list for what the cursor is on.
pub fn open(act: &mut Act) {
    let Some(spot) = files::spot(act.model) else { return };
    travel::ensure(act.model, &spot.vault, &spot.path, spot.generation, act.effects);
    act.model.push(List {
        on: Some(spot.generation),
        row: 0,
        spot,
        list: Window::default(),
        marked: None,
    });
}

impl List {
    /// What is known of the versions.
    fn versions<'a>(&self, model: &'a Model) -> Option<&'a Versions> {
        let spot = &self.spot;
        model.files.travel.of(&spot.vault, &spot.path, spot.generation)
    }

    /// The rows: the disk, then the versions from the newest.
    fn line(&self, versions: &Versions, row: u64) -> Option<Line> {
        let row = usize::try_from(row).ok()?;
        match (&versions.disk, row) {
            (Some(_), 0) => Some(Line::Disk),
            (Some(_), row) => Some(Line::Version(row - 1)),
            (None, row) => Some(Line::Version(row)),
        }
    }

    /// What a row is, in a way that stays when others come: a version by a generation that holds it; `None` within is the disk.
    fn at(&self, versions: &Versions, row: u64) -> Option<Option<Id>> {
        match self.line(versions, row)? {
            Line::Disk => Some(None),
            Line::Version(n) => versions.versions.get(n)?.held.first().map(|(id, _)| Some(*id)),
        }
    }

    /// The row that is this.
    fn row_of(versions: &Versions, what: Option<Id>) -> Option<u64> {
        let disk = u64::from(versions.disk.is_some());
        match what {
            None => versions.disk.is_some().then_some(0),
            Some(id) => travel::run_of(versions, id).map(|at| at as u64 + disk),
        }
    }

    fn current<'a>(&self, model: &'a Model) -> Option<(Line, Option<&'a VersionRow>)> {
        let versions = self.versions(model)?;
        let line = self.line(versions, self.list.cursor())?;
        match line {
            Line::Disk => Some((line, None)),
            Line::Version(n) => versions.versions.get(n).map(|run| (line, Some(run))),
        }
    }

    /// A row as a file: its place, and when.
    fn version(&self, model: &Model, row: Option<&VersionRow>) -> Option<compare::Version> {
        match row {
            None => match self.versions(model)?.disk.as_ref()? {
                DiskNow::There { path, .. } | DiskNow::Gone { path } => Some(compare::Version {
                    file: FileAt::Disk(path.clone()),
                    when: "on the disk now".to_owned(),
                }),
            },
            Some(run) => {
                let (generation, time) = run.held.first()?;
                run.entry.as_ref()?;
                Some(compare::Version {
                    file: FileAt::Generation {
                        vault: self.spot.vault.clone(),
                        generation: *generation,
                        path: self.spot.path.clone(),
                    },
                    when: text::stamp(*time, &model.zone),
                })
            }
        }
    }

    /// The version under the cursor, to copy something of it.
    pub(super) fn kept(&self, model: &Model) -> Option<Kept> {
        let (_, run) = self.current(model)?;
        let run = run.filter(|run| run.entry.is_some())?;
        Some(Kept {
            vault: self.spot.vault.clone(),
            location: None,
            generation: run.held.first().copied(),
            path: Some(self.spot.path.clone()),
        })
    }

    fn name(&self) -> String {
        text::escape(&self.spot.row.name)
    }
}

fn not_a_version(model: &Model) -> Option<String> {
    let dialog = model.dialog::<List>()?;
    match dialog.current(model) {
        Some((Line::Version(_), Some(run))) if run.entry.is_some() => None,
        Some((Line::Version(_), Some(_))) => Some("It was deleted here: there is nothing to show or restore.".into()),
        Some((Line::Disk, _)) => Some("This is the disk as it is now, no version in the vault.".into()),
        _ => Some("The versions are not here yet.".into()),
    }
}

fn not_a_file(model: &Model) -> Option<String> {
    let dialog = model.dialog::<List>()?;
    let gone = || Some("It was deleted here: there is nothing to compare.".to_owned());
    match dialog.current(model) {
        Some((Line::Version(_), Some(run))) => match &run.entry {
            Some(entry) if entry.kind == NodeType::File => None,
            Some(_) => Some("Only files can be looked into and compared line by line.".into()),
            None => gone(),
        },
        Some((Line::Disk, _)) => match dialog.versions(model)?.disk {
            Some(DiskNow::There { size: Some(_), .. }) => None,
            Some(DiskNow::There { .. }) => Some("What lies there now is no file.".into()),
            _ => Some("Nothing lies there on the disk now.".into()),
        },
        _ => Some("The versions are not here yet.".into()),
    }
}

fn is_folder(run: &VersionRow) -> bool {
    run.entry.as_ref().is_some_and(|entry| entry.kind == NodeType::Dir)
}

fn nothing_to_compare(model: &Model) -> Option<String> {
    let dialog = model.dialog::<List>()?;
    match dialog.current(model) {
        Some((_, Some(run))) if is_folder(run) => None,
        _ => not_a_file(model),
    }
}

fn go(act: &mut Act) {
    with_top::<List>(act, |dialog, act| {
        let Some((_, Some(run))) = dialog.current(act.model) else {
            return Then::Keep;
        };
        // Where one is already, one stays.
        let here = act.model.generations.list.current().map(|row| row.id);
        let to = run.held.iter().find(|(id, _)| Some(*id) == here).or(run.held.first());
        let Some((generation, time)) = to.copied() else {
            return Then::Keep;
        };
        if travel::go_to(act.model, generation) {
            act.model.files.want = dialog.spot.path.last().cloned();
            let stamp = text::stamp(time, &act.model.zone);
            act.model.say(Role::Text, format!("{} as of {stamp}", dialog.name()));
            return Then::Close;
        }
        act.model.say(
            Role::Warning,
            "That generation is not in the vault any more: R reads it anew.",
        );
        Then::Keep
    });
}

fn mark(act: &mut Act) {
    with_top::<List>(act, |dialog, act| {
        let row = dialog.list.cursor();
        let Some(id) = dialog.versions(act.model).and_then(|versions| dialog.at(versions, row)) else {
            return Then::Keep;
        };
        dialog.marked = if dialog.marked == Some(id) { None } else { Some(id) };
        dialog.list.step(1);
        Then::Keep
    });
}

/// Compares the row under the cursor with the disk, the marked one, or the version before.
fn diff(act: &mut Act, disk: bool) {
    with_top::<List>(act, |dialog, act| {
        let model = &*act.model;
        let Some(versions) = dialog.versions(model) else {
            return Then::Keep;
        };
        let at = dialog.list.cursor();
        let kind = |run: &VersionRow| run.entry.as_ref().map(|entry| entry.kind);
        let row_of = |row: u64| match dialog.line(versions, row) {
            Some(Line::Version(n)) => versions.versions.get(n),
            _ => None,
        };
        let (other, other_row) = if disk {
            (None, 0)
        } else if let Some(marked) = dialog.marked {
            let rows = dialog.list.total().unwrap_or(0);
            let find = |row: &u64| match marked {
                None => *row == 0 && versions.disk.is_some(),
                Some(id) => row_of(*row).is_some_and(|run| run.held.iter().any(|(held, _)| *held == id)),
            };
            let row = (0..rows).find(find).unwrap_or(at);
            (row_of(row), row)
        } else {
            let rows = dialog.list.total().unwrap_or(0);
            // The disk is newer than all: the newest version is what comes before it.
            let alike =
                |row: &u64| row_of(*row).is_some_and(|run| row_of(at).is_none_or(|this| kind(this) == kind(run)));
            match (at + 1..rows).find(alike) {
                Some(row) => (row_of(row), row),
                None => {
                    let words = match row_of(at).is_some_and(is_folder) {
                        true => "This is the oldest version: there is none before it to compare with.",
                        false => "This is the oldest version. D compares it with the disk.",
                    };
                    act.model.say(Role::Warning, words);
                    return Then::Keep;
                }
            }
        };
        if other_row == at {
            act.model.say(
                Role::Warning,
                "This is the same row: mark another one with Space first, then d here.",
            );
            return Then::Keep;
        }
        if let (Some(this), Some(that)) = (row_of(at), other)
            && (is_folder(this) || is_folder(that))
        {
            if kind(this) != kind(that) {
                act.model.say(
                    Role::Warning,
                    "One of them is a folder, the other is none: there is nothing to compare.",
                );
                return Then::Keep;
            }
            let ends = |run: &VersionRow| run.held.first().copied();
            if let (Some(this), Some(that)) = (ends(this), ends(that)) {
                let (before, after) = if other_row > at { (that, this) } else { (this, that) };
                changes::open(act, before, after, dialog.spot.path.clone());
            }
            return Then::Keep;
        }
        let (this, that) = (dialog.version(model, row_of(at)), dialog.version(model, other));
        let (Some(this), Some(that)) = (this, that) else {
            act.model.say(
                Role::Warning,
                "These generations are of another machine: its disk is not here.",
            );
            return Then::Keep;
        };
        // The older one first: rows go from the newest.
        let (before, after) = if other_row > at { (that, this) } else { (this, that) };
        compare::open(act, dialog.name(), before, after);
        Then::Keep
    });
}

fn look_at(act: &mut Act) {
    with_top::<List>(act, |dialog, act| {
        let Some((_, row)) = dialog.current(act.model) else {
            return Then::Keep;
        };
        if let Some(version) = dialog.version(act.model, row) {
            let join = if row.is_some() { " as of " } else { " " };
            look::open_file(act, version.file, format!("{}{join}{}", dialog.name(), version.when));
        }
        Then::Keep
    });
}

fn bring_back(act: &mut Act, place: restore::Place) {
    with_top::<List>(act, |dialog, act| {
        let Some((_, Some(run))) = dialog.current(act.model) else {
            return Then::Keep;
        };
        let Some((generation, time)) = run.held.first().copied() else {
            return Then::Keep;
        };
        let wanted = restore::Wanted {
            vault: dialog.spot.vault.clone(),
            generation,
            time,
            rules: vec![(dialog.spot.path.clone(), true)],
            what: format!("{} as of {}", dialog.name(), text::stamp(time, &act.model.zone)),
        };
        restore::open_with(act, wanted, place);
        Then::Keep
    });
}

impl Dialog for List {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        self.list.resize(view::height(model.size));
        let ready = model.files.travel.load == Load::Ready;
        let Some(versions) = self.versions(model).filter(|_| ready) else {
            // No row is in sight that one could have gone to.
            self.list.go(self.row);
            return;
        };
        if self.list.cursor() != self.row
            && let Some(on) = self.at(versions, self.list.cursor())
        {
            self.on = on;
        }
        let rows = versions.versions.len() as u64 + u64::from(versions.disk.is_some());
        self.list.accept(0, vec![(); rows as usize], rows);
        let whole = versions.newest_seen && versions.oldest_seen;
        match List::row_of(versions, self.on) {
            Some(row) => self.list.go(row),
            // It is there no more.
            None if whole => self.on = self.at(versions, self.list.cursor()).flatten(),
            None => {}
        }
        self.row = self.list.cursor();
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        let spot = self.spot.clone();
        travel::ensure(model, &spot.vault, &spot.path, spot.generation, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        view::draw(model, self, canvas);
    }
}

#[cfg(test)]
mod tests;

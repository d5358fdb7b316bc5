//! Time travel: the versions of one path, and stepping from one to the next.
//!
//! One path's versions are held at a time; the side pane, the list of versions and `<` `>` share them. They arrive in
//! parts, from the generation shown on both ways: a step waits until its neighbour is known.

use super::super::super::actions::Act;
use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::vaults;
use super::Spot;
use crate::engine::question::{TreePath, VersionRow, Versions};
use crate::engine::{Answer, Question};
use crate::text;
use crate::vault::Id;

const SLOT: &str = "files.versions";

/// Which way in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To what was before.
    Older,
    /// To what came after.
    Newer,
}

/// The versions of one path.
#[derive(Debug, Default)]
pub struct Travel {
    /// Whose: vault and path.
    of: Option<(String, TreePath)>,
    /// From which generation on they were asked for.
    from: Option<Id>,
    /// What is known of them.
    pub versions: Versions,
    /// Whether they are here, at least some.
    pub load: Load,
    /// A step that waits for its neighbour, and from where.
    pending: Option<(Way, Spot)>,
}

impl Travel {
    /// The versions of this path as seen from a generation, if they are held.
    pub fn of(&self, vault: &str, path: &TreePath, from: Id) -> Option<&Versions> {
        self.holds(vault, path, from).then_some(&self.versions)
    }

    fn holds(&self, vault: &str, path: &TreePath, from: Id) -> bool {
        let same = self.of.as_ref().is_some_and(|(v, p)| v == vault && p == path);
        same && (self.from == Some(from) || run_of(&self.versions, from).is_some())
    }

    /// Forgets all versions: what a vault holds has changed. A step that waits goes on waiting.
    pub fn forget(&mut self) {
        *self = Travel {
            pending: self.pending.take(),
            ..Travel::default()
        };
    }
}

/// The number of the version that a generation holds.
pub fn run_of(versions: &Versions, generation: Id) -> Option<usize> {
    let holds = |run: &VersionRow| run.held.iter().any(|(id, _)| *id == generation);
    versions.versions.iter().position(holds)
}

/// Asks for the versions of a path unless they are held.
pub fn ensure(model: &mut Model, vault: &str, path: &TreePath, from: Id, effects: &mut Vec<Effect>) {
    if model.files.travel.holds(vault, path, from) {
        return;
    }
    abandon(model, SLOT, effects);
    model.files.travel = Travel {
        of: Some((vault.to_owned(), path.clone())),
        from: Some(from),
        load: Load::Loading,
        ..Travel::default()
    };
    let question = Question::Versions {
        vault: vault.to_owned(),
        generation: from,
        path: path.clone(),
    };
    ask(model, SLOT, question, take, effects);
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Versions {
        vault,
        path,
        generation,
    } = asked
    else {
        return;
    };
    let travel = &mut model.files.travel;
    let same = travel.of.as_ref().is_some_and(|(v, p)| v == vault && p == path);
    if !same || travel.from != Some(*generation) {
        return;
    }
    match told.answer {
        Answer::Versions(versions) => {
            travel.versions = versions;
            travel.load = Load::Ready;
        }
        other => {
            travel.load = failed(other);
            if let Some((..)) = travel.pending.take() {
                let why = match &model.files.travel.load {
                    Load::Failed(why) => text::escape(why.as_bytes()),
                    _ => "The vault is locked: its other generations cannot be read.".to_owned(),
                };
                model.say(Role::Warning, why);
            }
        }
    }
    resolve(model);
}

/// Asks for what a step waits for.
pub(super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some((way, spot)) = model.files.travel.pending.take() {
        ensure(model, &spot.vault, &spot.path, spot.generation, effects);
        model.files.travel.pending = Some((way, spot));
    }
}

/// Steps from what the cursor is on to its version before or after.
pub(super) fn step(act: &mut Act, way: Way) {
    let model = &mut *act.model;
    let Some(spot) = super::spot(model) else { return };
    ensure(model, &spot.vault, &spot.path, spot.generation, act.effects);
    if model.files.travel.load == Load::Loading {
        let more = model.look.symbols.more;
        model.say(Role::Dim, format!("looking for other versions{more}"));
    }
    model.files.travel.pending = Some((way, spot));
    resolve(model);
}

/// What a step leads to.
enum Step {
    /// More has to be known.
    Wait,
    /// To a version: its number, the generation, and whether it was deleted in between.
    To(usize, Id, bool),
    /// There is none.
    End,
}

fn find(versions: &Versions, from: Id, way: Way) -> Step {
    let seen = match way {
        Way::Older => versions.oldest_seen,
        Way::Newer => versions.newest_seen,
    };
    let Some(at) = run_of(versions, from) else {
        return if seen { Step::End } else { Step::Wait };
    };
    let runs = &versions.versions;
    let mut gone = false;
    let mut next = at;
    loop {
        next = match way {
            Way::Older => next + 1,
            Way::Newer => match next.checked_sub(1) {
                Some(next) => next,
                None => return if seen { Step::End } else { Step::Wait },
            },
        };
        let Some(run) = runs.get(next) else {
            return if seen { Step::End } else { Step::Wait };
        };
        if run.entry.is_none() {
            gone = true;
            continue;
        }
        // The end of the stretch that is nearest in time.
        let nearest = match way {
            Way::Older => run.held.first(),
            Way::Newer => run.held.last(),
        };
        return match nearest {
            Some((id, _)) => Step::To(next, *id, gone),
            None => Step::End,
        };
    }
}

/// Takes the step that waits, if its neighbour is known by now.
fn resolve(model: &mut Model) {
    let Some((way, spot)) = model.files.travel.pending.clone() else {
        return;
    };
    let Some(versions) = model.files.travel.of(&spot.vault, &spot.path, spot.generation) else {
        return;
    };
    let step = match model.files.travel.load {
        Load::Ready => find(versions, spot.generation, way),
        _ => Step::Wait,
    };
    let name = text::escape(spot.path.last().map_or(b"/".as_slice(), Vec::as_slice));
    match step {
        Step::Wait => return,
        Step::End => {
            let words = end_words(model, versions, way, &name);
            model.say(Role::Text, words);
        }
        Step::To(number, generation, gone) => {
            let words = step_words(model, versions, number, gone, &name);
            if super::spot(model).is_none_or(|now| now.path != spot.path) {
                // The cursor went elsewhere meanwhile: nothing jumps under it.
                model.files.travel.pending = None;
                return;
            }
            if go_to(model, generation) {
                model.files.want = spot.path.last().cloned();
                model.say(Role::Text, words);
            } else {
                model.say(
                    Role::Warning,
                    "That generation is not in the vault any more: R reads it anew.",
                );
            }
        }
    }
    model.files.travel.pending = None;
}

/// `3 of 7`, counted from the oldest; with what is known so far.
pub fn place_words(versions: &Versions, number: usize) -> String {
    let there = |runs: &[VersionRow]| runs.iter().filter(|run| run.entry.is_some()).count();
    let all = there(&versions.versions);
    let nth = there(versions.versions.get(number..).unwrap_or_default());
    let least = if versions.oldest_seen && versions.newest_seen {
        ""
    } else {
        "at least "
    };
    format!("{nth} of {least}{all}")
}

fn step_words(model: &Model, versions: &Versions, number: usize, gone: bool, name: &str) -> String {
    let Some(run) = versions.versions.get(number) else {
        return String::new();
    };
    let since = run.held.last().map_or(0, |(_, time)| *time);
    let size = run.entry.as_ref().and_then(|entry| entry.size);
    let size = size.map(|size| format!(", {}", text::bytes(size))).unwrap_or_default();
    let gone = if gone { "; deleted in between" } else { "" };
    format!(
        "{name}: version {}, since {}{size}{gone}",
        place_words(versions, number),
        text::stamp(since, &model.zone)
    )
}

fn end_words(model: &Model, versions: &Versions, way: Way, name: &str) -> String {
    let stamp = |held: Option<&(Id, i64)>| held.map_or_else(String::new, |(_, time)| text::stamp(*time, &model.zone));
    match way {
        Way::Older => {
            let first = versions.versions.iter().rfind(|run| run.entry.is_some());
            let since = stamp(first.and_then(|run| run.held.last()));
            format!("{name}: this is the oldest version, first in the generation of {since}")
        }
        Way::Newer => match versions.versions.first() {
            Some(run) if run.entry.is_none() => {
                format!(
                    "{name}: this is the newest version; deleted by {}",
                    stamp(run.held.last())
                )
            }
            _ => format!("{name}: this is the newest version"),
        },
    }
}

/// Shows another generation of the vault; whether it is there.
pub fn go_to(model: &mut Model, generation: Id) -> bool {
    let find = |model: &Model| {
        let (first, rows) = model.generations.list.held();
        let at = rows.iter().position(|row| row.id == generation)?;
        Some(first + at as u64)
    };
    if find(model).is_none() && model.generations.all.iter().any(|row| row.id == generation) {
        // A filter hides it.
        model.generations.filter.clear();
        vaults::show_generations(model);
    }
    match find(model) {
        Some(at) => {
            model.generations.list.go(at);
            true
        }
        None => false,
    }
}

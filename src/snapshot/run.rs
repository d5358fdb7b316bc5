//! The one way to take snapshots: commands before, freeze in order, take all, thaw in reverse, always, commands after.
//!
//! All or nothing: if one of several cannot be taken, or writers went on too early, those that were taken are deleted
//! again. The level written down is what was really done.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::hooks::{Hooks, Prepared};
use super::levels::{PERHAPS, Told, level, told};
use super::standing;
use super::turns::Turns;
use super::watchdog::{Starter, Watchdog};
use super::{
    Ability, Consistency, Error, Frozen, MadeBy, Order, Provider, Result, Snapshot, SnapshotId, Target, Work, Writer,
};
use crate::progress::Cancel;

/// How long writers may be held unless it is said otherwise.
pub const FREEZE_LIMIT: Duration = Duration::from_secs(30);
/// How long others are waited for when what was taken is to be deleted again.
const UNDO: Duration = Duration::from_secs(5 * 60);
/// How long machines may stand still whose RAM is to be of one moment.
const MEMORY_LIMIT: Duration = Duration::from_secs(30 * 60);

/// What is to be taken.
#[derive(Debug)]
pub struct Request<'a> {
    /// What, in the order in which it is frozen, with what takes it and the id it gets.
    pub targets: Vec<(Arc<dyn Provider>, Target, SnapshotId)>,
    /// The level wanted; the best that can be had without commands and without RAM when `None`.
    pub wanted: Option<Consistency>,
    /// What the user calls it.
    pub label: String,
    /// Whether nothing is to delete it.
    pub protected: bool,
    /// Who takes it.
    pub made_by: MadeBy,
    /// The group's name, when there are several.
    pub group: Option<String>,
    /// What is done around it.
    pub hooks: &'a Hooks,
    /// How long writers may be held.
    pub limit: Duration,
    /// What starts a watchdog.
    pub watchdog: &'a Starter,
}

/// Takes what is asked for; the snapshots in the order of the targets.
pub fn take(request: &Request, work: &Work) -> Result<Vec<Snapshot>> {
    let turns = Turns::first(request, work)?;
    let mut planned = Vec::new();
    let mut writers = Vec::new();
    for (provider, target, _) in &request.targets {
        let ability = provider.preflight(target)?;
        planned.push(Planned::of(request, provider.as_ref(), target, &ability)?);
        writers.extend(ability.writers);
    }
    let targets: Vec<&Target> = request.targets.iter().map(|(_, target, _)| target).collect();
    let turns = turns.all(request, work)?;
    request.hooks.run_before(&targets, work)?;
    // What that stopped is started again by the command after, whatever comes from here on.
    let mut frozen = FrozenAll::default();
    let prepared = frozen.prepare(request, &targets, &writers, work);
    for plan in &mut planned {
        plan.notes.extend(frozen.prepared.notes.iter().cloned());
    }
    let taken = match prepared {
        Ok(()) => take_frozen(request, &planned, frozen, turns, work),
        Err(error) => {
            drop(frozen);
            Err(error)
        }
    };
    let result = match &taken {
        Ok(_) => "done",
        Err(Error::Cancelled(_)) => "cancelled",
        Err(_) => "failed",
    };
    let after = request.hooks.after(&targets, result, work);
    let mut taken = taken?;
    // Only now: nobody is held while a cloud writes for hours.
    let mut pairs = taken.iter().zip(&request.targets);
    if let Err(error) = pairs.try_for_each(|(snapshot, (provider, ..))| provider.finish(snapshot, work)) {
        give_up(request, &taken, work);
        return Err(error);
    }
    let complaint = after.err().map(|error| error.to_string());
    for (snapshot, (provider, target, _)) in taken.iter_mut().zip(&request.targets) {
        snapshot.notes.extend(complaint.clone());
        // It is there, and its level is true: what else is known of it is no reason to be without it.
        if (snapshot.pause.is_some() || !snapshot.notes.is_empty())
            && let Err(error) = provider.amend(snapshot)
        {
            (work.note)(format!(
                "how long the writers of {target} were held, and what else became known since, could not be written down: {error}"
            ));
        }
    }
    if let Some(complaint) = complaint {
        (work.note)(complaint);
    }
    Ok(taken)
}

/// How one target is taken.
struct Planned {
    /// The level by which it is held.
    level: Consistency,
    /// The level that it then has.
    true_level: Consistency,
    /// What must be known of it.
    notes: Vec<String>,
}

impl Planned {
    fn of(request: &Request, provider: &dyn Provider, target: &Target, ability: &Ability) -> Result<Planned> {
        let run_on = disks_run_on(request, target, ability)?;
        let told = told(target, &ability.writers, request.hooks);
        let level = level(target, ability, request.wanted, told)?;
        let perhaps = told == Told::Perhaps && level < Consistency::Application;
        Ok(Planned {
            level,
            true_level: match run_on {
                Some(_) => Consistency::Crash,
                None => level,
            },
            notes: [
                run_on,
                perhaps.then(|| PERHAPS.to_owned()),
                not_frozen(request, provider, target, ability),
            ]
            .into_iter()
            .flatten()
            .collect(),
        })
    }
}

/// Why a machine that runs and could be held by its agent is not held just now, where nobody asked for that.
fn not_frozen(request: &Request, provider: &dyn Provider, target: &Target, ability: &Ability) -> Option<String> {
    let has = |level: Consistency| ability.levels.contains(&level);
    let could = provider.remedy(target).is_some() && has(Consistency::Memory);
    let lacks = could && !has(Consistency::Filesystem) && request.wanted.is_none();
    let why = ability.hints.first().filter(|_| lacks)?;
    Some(format!("the filesystems of its guest were not frozen: {why}"))
}

/// What must be known of a snapshot of a folder in which disks lie that go on being written to, since nobody holds them.
/// Refused where a level is wanted that it then does not have.
fn disks_run_on(request: &Request, target: &Target, ability: &Ability) -> Result<Option<String>> {
    // Which machine writes which disk is not known: one of the same group is believed to be the one.
    let with_machine = |(_, other, _): &(_, Target, _)| matches!(other, Target::Machine(_));
    if !matches!(target, Target::Folder(_)) || request.targets.iter().any(with_machine) {
        return Ok(None);
    }
    let why = standing::disks_run_on(&ability.writers);
    match (why, request.wanted) {
        (Some(why), Some(wanted)) if wanted > Consistency::Crash => Err(Error::Level {
            target: target.to_string(),
            wanted,
            why,
        }),
        (why, _) => Ok(why),
    }
}

/// Why a snapshot that has a lower level than was asked for is not kept.
fn too_low(request: &Request, taken: &Snapshot) -> Option<Error> {
    let wanted = request.wanted.filter(|wanted| taken.consistency < *wanted)?;
    Some(Error::Level {
        target: taken.target.to_string(),
        wanted,
        why: format!(
            "{}; --consistency crash takes it all the same and says so on it",
            taken.notes.last().map_or("it came out lower", String::as_str)
        ),
    })
}

/// Freezes, takes, thaws, and lets the next one have its turn.
fn take_frozen(
    request: &Request,
    planned: &[Planned],
    mut frozen: FrozenAll,
    turns: Turns,
    work: &Work,
) -> Result<Vec<Snapshot>> {
    let begin = frozen.since.unwrap_or_else(Instant::now);
    // RAM is written while all of its group stand still, which takes its time.
    let together = |level: &Consistency| *level == Consistency::Memory && request.targets.len() > 1;
    let levels = || planned.iter().map(|plan| &plan.level);
    let limit = match levels().any(together) {
        true => MEMORY_LIMIT,
        false => request.limit,
    };
    let freezes = |level: &Consistency| matches!(level, Consistency::Filesystem | Consistency::Application);
    for ((provider, target, _), level) in request.targets.iter().zip(levels()) {
        let remedy = match together(level) {
            true => provider.stand_still_remedy(target),
            false => provider.remedy(target).filter(|_| freezes(level)),
        };
        if let Some(remedy) = remedy {
            frozen.watch(&remedy, request.watchdog, limit)?;
        }
    }
    for ((provider, target, _), level) in request.targets.iter().zip(levels()) {
        let held = match freezes(level) {
            true => provider.freeze(target, limit),
            false if together(level) => provider.stand_still(target),
            false => Ok(None),
        };
        let held = held.map_err(|not| {
            frozen.doubtful |= not.doubtful;
            not.error
        })?;
        if let Some(held) = &held {
            (work.note)(format!("holds the writers of {target}"));
            let remedy = held.remedy();
            if !remedy.is_empty() {
                frozen.watch(&remedy, request.watchdog, limit)?;
            }
        }
        frozen.held.push(held);
    }
    // One moment for all: they are held, or taken one right after the other.
    let moment = (work.now)();
    let work = &Work {
        now: &|| moment,
        ..*work
    };
    let mut taken: Vec<Snapshot> = Vec::new();
    let mut failed = None;
    let first = Instant::now();
    for ((provider, target, id), plan) in request.targets.iter().zip(planned) {
        let order = Order {
            id: id.clone(),
            consistency: plan.true_level,
            label: request.label.clone(),
            made_by: request.made_by.clone(),
            group: request.group.clone(),
            protected: request.protected,
            until: None,
            notes: plan.notes.clone(),
        };
        let step = work.cancel.check().map_err(Error::from);
        let overdue = begin.elapsed() >= limit && frozen.any();
        match step.and_then(|()| match overdue {
            true => Err(too_late(limit)),
            false => provider.take(target, &order, work),
        }) {
            Ok(snapshot) => {
                (work.note)(format!("took {} of {target}", snapshot.id));
                failed = too_low(request, &snapshot);
                taken.push(snapshot);
                if failed.is_some() {
                    break;
                }
            }
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    if taken.len() > 1 && levels().any(|level| *level == Consistency::Crash) {
        let apart = format!(
            "those of its group were taken one after the other, within {} ms, while programs went on: they are not of one moment",
            first.elapsed().as_millis()
        );
        taken.iter_mut().for_each(|snapshot| snapshot.notes.push(apart.clone()));
    }
    let pauses = frozen.thaw();
    drop(turns);
    match (failed, pauses) {
        (None, Ok(pauses)) => {
            for (snapshot, pause) in taken.iter_mut().zip(pauses) {
                // A machine that stands still while its RAM is written has said so itself.
                if let Some(pause) = pause {
                    snapshot.pause = Some(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
                }
            }
            Ok(taken)
        }
        (Some(error), _) | (None, Err(error)) => {
            give_up(request, &taken, work);
            Err(error)
        }
    }
}

fn too_late(limit: Duration) -> Error {
    Error::TimedOut {
        what: "taking the snapshots".into(),
        seconds: limit.as_secs(),
        then: "; the writers went on and nothing was kept".into(),
    }
}

/// Deletes what was taken: all or nothing, also when it was told to stop.
fn give_up(request: &Request, taken: &[Snapshot], work: &Work) {
    let work = &Work {
        cancel: &Cancel::default(),
        patience: work.patience.min(UNDO),
        ..*work
    };
    for (snapshot, (provider, target, _)) in taken.iter().zip(&request.targets) {
        // One that was to be protected is not yet worth it.
        let unprotected = super::Labels {
            label: snapshot.label.clone(),
            protected: false,
        };
        let plain = match snapshot.protected {
            true => provider.relabel(snapshot, &unprotected),
            false => Ok(snapshot.clone()),
        };
        match plain.and_then(|plain| provider.delete(&plain, work)) {
            Ok(()) => (work.note)(format!("deleted {} of {target} again", snapshot.id)),
            // Its provider has given it up itself.
            Err(Error::NoSnapshot(_)) => {}
            Err(error) => (work.note)(format!("could not delete {} of {target} again: {error}", snapshot.id)),
        }
    }
}

/// What is held, with the watchdog beside it. Thawed in reverse order when told to, and when dropped; last of all the
/// databases go on.
#[derive(Default)]
struct FrozenAll {
    held: Vec<Option<Box<dyn Frozen>>>,
    prepared: Prepared,
    watchdog: Option<Watchdog>,
    /// What the watchdog knows of.
    remedies: Vec<String>,
    /// Since when anything is held of which it knows.
    since: Option<Instant>,
    /// Whether something may be held of which nothing is known here.
    doubtful: bool,
}

impl FrozenAll {
    fn any(&self) -> bool {
        self.held.iter().any(Option::is_some)
    }

    /// Does what ready-made hooks do before anything is frozen.
    fn prepare(&mut self, request: &Request, targets: &[&Target], writers: &[Writer], work: &Work) -> Result<()> {
        let mut prepared = Prepared::default();
        let done = request
            .hooks
            .prepare(targets, writers, &mut prepared, work, request.limit, &mut |remedy| {
                self.watch(remedy, request.watchdog, request.limit)
            });
        self.doubtful |= prepared.doubtful;
        self.prepared = prepared;
        done
    }

    /// Has the watchdog see to one more remedy, before what it undoes is done. It waits a little longer than we do: it is
    /// there for when we cannot.
    fn watch(&mut self, remedy: &str, starter: &Starter, limit: Duration) -> Result<()> {
        if self.remedies.iter().any(|known| known == remedy) {
            return Ok(());
        }
        match &mut self.watchdog {
            Some(watchdog) => watchdog.add(remedy)?,
            None => {
                let limit = limit + Duration::from_secs(2);
                self.watchdog = Some(starter.start(&[remedy.to_owned()], limit)?);
                self.since = Some(Instant::now());
            }
        }
        self.remedies.push(remedy.to_owned());
        Ok(())
    }

    /// Thaws all, whatever fails; how long each was held, in the order in which they were frozen.
    fn thaw(mut self) -> Result<Vec<Option<Duration>>> {
        self.thaw_all()
    }

    fn thaw_all(&mut self) -> Result<Vec<Option<Duration>>> {
        let mut pauses = Vec::new();
        let mut failed = None;
        while let Some(held) = self.held.pop() {
            match held.map(|held| held.thaw()).transpose() {
                Ok(pause) => pauses.push(pause),
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        if let Err(error) = std::mem::take(&mut self.prepared).release() {
            failed.get_or_insert(error);
        }
        match failed {
            None => {
                // The watchdog is dropped without a word where it is to try on.
                if let Some(watchdog) = self.watchdog.take().filter(|_| !self.doubtful) {
                    watchdog.done();
                }
                pauses.reverse();
                Ok(pauses)
            }
            // The watchdog is dropped without a word: it tries too.
            Some(error) => Err(error),
        }
    }
}

impl Drop for FrozenAll {
    fn drop(&mut self) {
        let _ = self.thaw_all();
    }
}

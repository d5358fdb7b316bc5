//! Going back while the machine runs: it is stopped, its present state is saved with RAM, the snapshot is loaded, the disks
//! are compared with it while nothing runs, and it goes on.
//!
//! Only a snapshot with RAM can be loaded into a machine that runs. For one of the disks alone it must be off: what it has
//! in RAM would write over what was put back.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Machine;
use super::agent::Agent;
use super::live::Live;
use super::still;
use super::watch::Watch;
use crate::snapshot::qcow2::{
    self, Images,
    format::{State, Tables},
};
use crate::snapshot::watchdog::{Starter, Watchdog};
use crate::snapshot::{
    Consistency, Error, Order, Result, RollbackPlan, RolledBack, Snapshot, SnapshotId, Target, Work,
};

/// How long the machine and its agent may take to answer afterwards.
const ANSWERS: Duration = Duration::from_secs(15);
/// How long it may stand still: more than QEMU is given to write the RAM, to read it, and to read it again.
const STILL: Duration = Duration::from_secs(2 * 60 * 60);
/// Between two tries.
const AGAIN: Duration = Duration::from_millis(100);

/// Whether a snapshot holds RAM, as the disks tell.
fn has_ram(images: &Images, snapshot: &Snapshot) -> bool {
    let parts = images.parts(snapshot);
    parts.iter().any(|(_, part)| part.is_some_and(|part| part.ram > 0))
}

fn state(live: &Live, snapshot: &Snapshot, safety: bool) -> String {
    format!("on {} {safety} {:?} {:?}", snapshot.id, live.nodes(), live.images())
}

fn obstacles(live: &Live, images: &Images, snapshot: &Snapshot) -> Vec<String> {
    let mut found: Vec<String> = live.problem.iter().cloned().collect();
    for (disk, part) in images.parts(snapshot) {
        if part.is_none() {
            found.push(format!("{} has no part of this snapshot", disk.image.display()));
        }
        for bitmap in &disk.info.bitmaps {
            found.push(format!(
                "{} has the dirty bitmap {bitmap:?}, and qcow2 does not go back with one: have the program that made it take \
                 it away (block-dirty-bitmap-remove); its next incremental backup will be a full one",
                disk.image.display()
            ));
        }
    }
    if !has_ram(images, snapshot) {
        found.push(format!(
            "{} runs, and this snapshot holds its disks without RAM: shut the machine down, roll back by this same command, \
             and start it again",
            live.name
        ));
    }
    found
}

/// What going back would do.
pub(super) fn plan(live: &Live, snapshot: &Snapshot, safety: bool) -> RollbackPlan {
    let images = live.as_images(&snapshot.target);
    let mut loses = vec![format!(
        "All that {} did since {}, in RAM and on its disks.",
        live.name,
        snapshot.when()
    )];
    loses.extend(images.loses(snapshot, safety));
    let steps = vec![
        "The machine stands still.".to_owned(),
        match safety {
            true => "Its present state, RAM included, becomes the safety snapshot.".into(),
            false => "Its present state is kept until it is sure that the snapshot is loaded, and then deleted.".into(),
        },
        "The snapshot is loaded, and the disks are compared with it.".into(),
        "The machine goes on where it was then; its connections of then are broken, and its clock is behind until its time \
         service sets it."
            .into(),
    ];
    RollbackPlan {
        state: state(live, snapshot, safety),
        obstacles: obstacles(live, &images, snapshot),
        to: snapshot.clone(),
        loses,
        steps,
        safety,
        takes_along: Vec::new(),
    }
}

fn load(live: &mut Live, snapshot: &Snapshot, images: &Images, work: &Work) -> Result<()> {
    let parts = images.whole(snapshot)?;
    let with_ram = parts.iter().position(|(_, part)| part.ram > 0).unwrap_or(0);
    let nodes: Vec<String> = live.nodes().into_iter().map(str::to_owned).collect();
    let vmstate = nodes.get(with_ram).cloned().unwrap_or_default();
    let arguments = json!({ "tag": snapshot.handle, "vmstate": vmstate, "devices": nodes });
    live.drop_all_bitmaps()?;
    let mut watch = Watch::back(live, parts.iter().map(|(_, part)| part.ram).sum(), work);
    live.qmp.job("snapshot-load", arguments, &mut || watch.look())
}

/// Whether the disks are the snapshot's, while the machine stands still.
fn compare(images: &Images, snapshot: &Snapshot, safety: &Snapshot) -> Result<()> {
    for (disk, part) in images.whole(snapshot)? {
        if !Tables::open(&disk.image)?.same(State::Now, State::Snapshot(&part.id))? {
            return Err(Error::NotTheSame {
                what: disk.image.display().to_string(),
                difference: "its tables are not those of the snapshot".into(),
                safety: safety.id.to_string(),
            });
        }
    }
    Ok(())
}

/// Whether the disks are still those of before: then so is the RAM, which is read when all disks have gone back. Where they
/// equal both, that is not known.
fn is_untouched(images: &Images, snapshot: &Snapshot, before: &Snapshot) -> bool {
    compare(images, before, before).is_ok() && compare(images, snapshot, before).is_err()
}

/// Goes back.
pub(super) fn carry_out(
    machine: &Machine,
    live: &mut Live,
    target: &Target,
    plan: &RollbackPlan,
    starter: &Starter,
    work: &Work,
) -> Result<RolledBack> {
    let snapshot = &plan.to;
    let images = live.as_images(target);
    qcow2::refuse(
        plan,
        &state(live, snapshot, plan.safety),
        obstacles(live, &images, snapshot),
    )?;
    let shelf = live.shelf()?;
    let _held = shelf.hold()?;
    live.sweep(&shelf)?;
    live.end_left_over()?;
    work.cancel.check()?;
    let goes_on = live.status == "running";
    let mut watchdog = None;
    if goes_on {
        // Should we die it goes on, as what it then is.
        watchdog = Some(starter.start(&[still::remedy(live.qmp.path())], STILL)?);
        live.qmp.ask("stop", json!({}))?;
    }
    let order = Order::safety(SnapshotId::random()?, snapshot, Consistency::Memory, work);
    let before = match live.take(&shelf, target, &order, work) {
        Ok(before) => before,
        Err(error) => {
            go_on(live, goes_on)?;
            rest(watchdog);
            return Err(error);
        }
    };
    (work.note)(format!("saved the present state as {}", before.id));
    let loaded = load(live, snapshot, &images, work)
        .and_then(|()| live.look_again())
        .and_then(|()| compare(&live.as_images(target), snapshot, &before));
    if let Err(error) = loaded {
        let now = live.as_images(target);
        let back = match is_untouched(&now, snapshot, &before) {
            true => Ok(()),
            false => load(live, &before, &now, work),
        };
        (work.note)(match &back {
            Ok(()) => "the machine is as it was before".into(),
            Err(error) => format!("the machine could not be put back: {error}"),
        });
        if let Err(why) = back {
            // Its disks and its RAM may be of two moments: it must not go on.
            rest(watchdog);
            return Err(Error::Cannot {
                what: format!("roll {} back", live.name),
                why: format!(
                    "{error}; nor could it be made what it was before ({why}). The machine stands still: end it, roll back by \
                     this same command, and start it again with -loadvm {}, or -loadvm {} for what it was before",
                    snapshot.handle, before.handle
                ),
            });
        }
        go_on(live, goes_on)?;
        rest(watchdog);
        return Err(error);
    }
    go_on(live, goes_on)?;
    rest(watchdog);
    let answered = answers(machine, goes_on);
    if !plan.safety
        && let Err(error) = live.discard(&shelf, &before.id)
    {
        (work.note)(format!(
            "the state of before, {}, was to be kept for the while only, and could not be deleted: {error}. Delete it by hand \
             (coffer snapshot delete {} --of {})",
            before.id, before.id, live.name
        ));
    }
    let ran = match (goes_on, answered) {
        (false, _) => "it stands still, as before",
        (true, Some(true)) => "it runs, and its guest agent answers",
        (true, Some(false)) => "it runs; its guest agent did not answer",
        (true, None) => "it runs",
    };
    Ok(RolledBack {
        safety: plan.safety.then(|| before.id.clone()),
        verified: format!("the disks were the snapshot's, block by block, before it went on; {ran}"),
    })
}

/// It is not needed any more.
fn rest(watchdog: Option<Watchdog>) {
    if let Some(watchdog) = watchdog {
        watchdog.done();
    }
}

fn go_on(live: &mut Live, goes_on: bool) -> Result<()> {
    if !goes_on {
        return Ok(());
    }
    live.qmp.ask("cont", json!({}))?;
    let until = Instant::now() + ANSWERS;
    loop {
        let status = live.qmp.status()?;
        if status == "running" {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(Error::Refused {
                who: format!("QEMU (machine {})", live.name),
                what: "letting the machine run on".into(),
                said: format!("it is {status}"),
            });
        }
        std::thread::sleep(AGAIN);
    }
}

/// Whether the guest's agent answers; `None` when there is none.
fn answers(machine: &Machine, runs: bool) -> Option<bool> {
    let socket = machine.agent.as_ref().filter(|_| runs)?;
    let until = Instant::now() + ANSWERS;
    loop {
        if Agent::open(socket).is_ok() {
            return Some(true);
        }
        if Instant::now() > until {
            return Some(false);
        }
        std::thread::sleep(AGAIN);
    }
}

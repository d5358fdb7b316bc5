//! Snapshots of machines that QEMU runs, by its monitor (QMP) and the agent within the guest.
//!
//! `wire` is the socket, `qmp` and `agent` speak over it, `find` looks for QEMU's processes, `ability` tells which levels
//! can be had, `live` takes and deletes while the machine runs, `watch` tells how far it is, `bitmaps` what has changed since a
//! snapshot that is gone; `rollback` goes back while the machine runs, `still` lets it stand still meanwhile. With the machine
//! off, its images are `qcow2`'s: those that `memory` remembers.
//!
//! How a snapshot is made:
//! - with RAM (`memory`): QEMU's own job `snapshot-save`, during which the machine stands still; disks and RAM are of one
//!   moment, and loading it goes on from there;
//! - of the disks alone: an internal snapshot of all disks in one transaction, frozen by the agent before (`filesystem`) or
//!   not (`crash`). The machine must be off to go back to it.
//!
//! Both lie within the images, under one name in each, so they stay usable with QEMU's own tools. Disks that are not qcow2
//! keep none: a machine that writes to such a disk is refused, since a snapshot without it would not be the machine.

mod ability;
mod agent;
mod bitmaps;
mod find;
mod live;
mod memory;
mod qmp;
mod rollback;
mod still;
mod watch;
mod wire;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::ability::ability;
use self::agent::FrozenGuest;
pub(super) use self::agent::thaw_within;
use self::live::Live;
use self::memory::Known;
pub(super) use self::still::go_on;
use self::wire::Unreached;
use super::qcow2::{self, Images};
use super::watchdog::Starter;
use super::{
    Ability, Consistency, DiskOf, Error, Files, Found, Frozen, Kind, Labels, NotHeld, Order, Provider, Reading, Result,
    RollbackPlan, RolledBack, Size, Snapshot, Target, Work,
};

/// How long a monitor may take to greet when something is to be done.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long when it is asked for what it has.
const LOOK: Duration = Duration::from_secs(3);
/// How long when it is only looked around.
const GLANCE: Duration = Duration::from_millis(300);

/// A machine as the config names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// The socket of its QMP monitor.
    pub qmp: PathBuf,
    /// The socket of its guest agent, if it has one.
    pub agent: Option<PathBuf>,
}

/// Makes snapshots of machines that QEMU runs.
#[derive(Debug, Clone)]
pub struct Qemu {
    /// Those of the config.
    pub machines: Vec<Machine>,
    /// A folder of ours: there it is remembered which disks a machine had, for when it does not run.
    pub data: PathBuf,
    /// What lets a machine go on should we die while it stands still.
    pub watchdog: Starter,
}

fn memory_in(data: &Path) -> PathBuf {
    data.join("machines.json")
}

/// Forgets which disks a machine had: the next one of its name is another. `data` is [`Qemu::data`].
pub fn forget(data: &Path, name: &str) {
    memory::forget(&memory_in(data), name);
}

/// A machine as it is now.
enum Now {
    Live(Box<Live>),
    /// It does not run: what it had when it last did, and why it is thought to be off.
    Off(Known, String),
}

impl Qemu {
    fn machine(&self, target: &Target) -> Result<&Machine> {
        let Target::Machine(name) = target else {
            return Err(Error::Unable {
                target: target.to_string(),
                why: "it is no machine".into(),
            });
        };
        let found = self.machines.iter().find(|machine| machine.name == *name);
        found.ok_or_else(|| Error::Unable {
            target: name.clone(),
            why: "the config names no such machine: coffer machine add".into(),
        })
    }

    fn now(&self, target: &Target) -> Result<(&Machine, Now)> {
        self.now_within(target, PATIENCE)
    }

    fn now_within(&self, target: &Target, patience: Duration) -> Result<(&Machine, Now)> {
        let machine = self.machine(target)?;
        let now = match Live::open(machine, patience) {
            Ok(live) => {
                let live = live?;
                self.remember(&live);
                Now::Live(Box::new(live))
            }
            Err(Unreached::Off(why)) => Now::Off(self.remembered(machine), why),
            Err(error) => return Err(error.about(&machine.name)),
        };
        Ok((machine, now))
    }

    /// Its images, wherever they are told from, and whether it runs.
    fn images<'a>(&self, target: &'a Target, patience: Duration) -> Result<(Images<'a>, bool)> {
        match self.now_within(target, patience)? {
            (_, Now::Live(live)) => Ok((live.as_images(target), true)),
            (machine, Now::Off(known, why)) => Ok((there(machine, target, &known, &why)?, false)),
        }
    }

    /// The same where it must be all of them.
    fn all_images<'a>(&self, target: &'a Target) -> Result<Images<'a>> {
        match self.now(target)? {
            (_, Now::Live(live)) => Ok(live.as_images(target)),
            (machine, Now::Off(known, why)) => off(machine, target, &known, &why),
        }
    }

    /// A guest that stands still answers nothing: that is told rather than its silence.
    fn why_not_frozen(&self, target: &Target, doubtful: bool) -> Option<Error> {
        let Ok((machine, Now::Live(live))) = self.now(target) else {
            return None;
        };
        let why = match live.status.as_str() {
            "running" => return None,
            "io-error" => {
                "QEMU stopped it, since its disk could not be written to: is the disk that its images lie on full? \
                           Make room, then let it go on (QMP: cont)"
                    .to_owned()
            }
            status => format!("it is {status}: let it go on first (QMP: cont)"),
        };
        let doubt = match doubtful {
            true => format!(". When it goes on, {}", agent::DOUBTFUL),
            false => String::new(),
        };
        Some(Error::Unable {
            target: machine.name.clone(),
            why: format!("its guest could not freeze its filesystems. {why}{doubt}"),
        })
    }

    fn remembered(&self, machine: &Machine) -> Known {
        memory::known(&memory_in(&self.data), &machine.name, &machine.qmp)
    }

    fn remember(&self, live: &Live) {
        // While a disk is copied by another program it is not listed as what it is.
        if !live.passing {
            let now = Known {
                images: live.images(),
                problem: live.problem.clone(),
            };
            memory::remember(&memory_in(&self.data), &live.name, live.qmp.path(), now);
        }
    }

    /// What a machine of the config is, at a glance.
    fn found(&self, machine: &Machine) -> Found {
        let target = Target::Machine(machine.name.clone());
        let mut found = Found {
            target,
            kind: Kind::Qemu,
            about: String::new(),
            size: None,
            problem: None,
        };
        let disks = |count: usize| crate::text::counted(count as u64, "disk", "disks");
        match Live::open(machine, GLANCE) {
            Ok(Ok(live)) => {
                found.about = format!(
                    "{}, QEMU {}, {}",
                    live.status,
                    live.qmp.version,
                    disks(live.devices.len())
                );
                found.size = Some(live.devices.iter().map(|device| device.disk.info.virtual_size).sum());
                found.problem.clone_from(&live.problem);
                self.remember(&live);
            }
            Ok(Err(error)) => {
                found.about = "a machine of QEMU".into();
                found.problem = Some(error.to_string());
            }
            Err(Unreached::Off(why)) => {
                let known = self.remembered(machine);
                found.about = format!("off, {} when it last ran", disks(known.images.len()));
                found.problem = known.lacks();
                if known.images.is_empty() && known.problem.is_none() {
                    found.about = "off".into();
                    found.problem = Some(format!("{why}; start it, so that its disks become known"));
                }
            }
            Err(error) => {
                found.about = "a machine of QEMU".into();
                found.problem = Some(error.about(&machine.name).to_string());
            }
        }
        found
    }

    /// QEMUs that run and that the config does not name.
    fn others(&self) -> Vec<Found> {
        let known = |path: &PathBuf| self.machines.iter().any(|machine| machine.qmp == *path);
        let others = find::processes()
            .into_iter()
            .filter(|process| !process.qmp.iter().any(known));
        let found = |process: find::Process| {
            // A machine of the config is known by its socket: another one of its name is not it.
            let taken = |name: &String| self.machines.iter().any(|machine| machine.name == *name);
            let name = process.name.filter(|name| !taken(name));
            let name = name.unwrap_or_else(|| format!("qemu-{}", process.pid));
            let escape = |path: &Path| crate::text::escape(path.as_os_str().as_encoded_bytes());
            let agent = process
                .agent
                .map_or(String::new(), |agent| format!(" --agent {}", escape(&agent)));
            Found {
                problem: Some(match process.qmp.first() {
                    Some(qmp) => format!(
                        "the config does not name it: coffer machine add {} --qmp {}{agent}",
                        crate::text::escape(name.as_bytes()),
                        escape(qmp)
                    ),
                    None => {
                        "it has no QMP socket of its own: start it with -qmp unix:PATH,server=on,wait=off (beside what \
                             manages it), then coffer machine add"
                            .into()
                    }
                }),
                target: Target::Machine(name),
                kind: Kind::Qemu,
                about: format!("a QEMU that runs, process {}", process.pid),
                size: None,
            }
        };
        others.map(found).collect()
    }
}

/// The images of a machine that does not run: all of them, or none.
fn off<'a>(machine: &Machine, target: &'a Target, known: &Known, why: &str) -> Result<Images<'a>> {
    match known.lacks() {
        None => there(machine, target, known, why),
        Some(lacks) => Err(Error::Unable {
            target: machine.name.clone(),
            why: format!("{why}; and {lacks}"),
        }),
    }
}

/// Those that are there, for what is only looked at or deleted.
fn there<'a>(machine: &Machine, target: &'a Target, known: &Known, why: &str) -> Result<Images<'a>> {
    let images = known.there();
    match images.is_empty() {
        false => Images::read(Kind::Qemu, target, &images),
        true => Err(Error::Unable {
            target: machine.name.clone(),
            why: format!("{why}; and which disks it has is not known: start it, or name its image instead"),
        }),
    }
}

impl Provider for Qemu {
    fn kind(&self) -> Kind {
        Kind::Qemu
    }

    fn discover(&self) -> Vec<Found> {
        let mut found: Vec<Found> = self.machines.iter().map(|machine| self.found(machine)).collect();
        found.extend(self.others());
        found
    }

    fn preflight(&self, target: &Target) -> Result<Ability> {
        Ok(match self.now(target)? {
            (machine, Now::Live(live)) => ability(machine, &live),
            (machine, Now::Off(known, why)) => match off(machine, target, &known, &why) {
                Ok(_) => Ability {
                    levels: vec![Consistency::Crash],
                    hints: vec![format!(
                        "{why}: a snapshot of its disks can be taken ({})",
                        live::names(&known.images)
                    )],
                    writers: Vec::new(),
                },
                Err(error) => Ability {
                    levels: Vec::new(),
                    hints: vec![error.to_string()],
                    writers: Vec::new(),
                },
            },
        })
    }

    fn remedy(&self, target: &Target) -> Option<String> {
        let agent = self.machine(target).ok()?.agent.as_deref();
        agent.map(agent::remedy)
    }

    fn freeze(&self, target: &Target, limit: Duration) -> Result<Option<Box<dyn Frozen>>, NotHeld> {
        let machine = self.machine(target)?;
        let Some(socket) = &machine.agent else { return Ok(None) };
        if let (_, Now::Off(..)) = self.now(target)? {
            return Ok(None);
        }
        match FrozenGuest::freeze(&machine.name, socket, limit) {
            Ok(frozen) => Ok(Some(Box::new(frozen))),
            Err(not) => Err(NotHeld {
                error: self.why_not_frozen(target, not.doubtful).unwrap_or(not.error),
                doubtful: not.doubtful,
            }),
        }
    }

    fn stand_still_remedy(&self, target: &Target) -> Option<String> {
        self.machine(target).ok().map(|machine| still::remedy(&machine.qmp))
    }

    fn stand_still(&self, target: &Target) -> Result<Option<Box<dyn Frozen>>, NotHeld> {
        match self.now(target)? {
            (_, Now::Live(live)) => Ok(still::stop(*live)?.map(|still| Box::new(still) as _)),
            (_, Now::Off(..)) => Ok(None),
        }
    }

    fn shelf(&self, target: &Target, make: bool) -> Result<Option<PathBuf>> {
        if !make {
            let known = self.remembered(self.machine(target)?);
            return Ok(known.images.first().map(|image| qcow2::shelf(image).path));
        }
        let shelf = match self.now(target)? {
            (_, Now::Live(live)) => live.shelf(),
            (machine, Now::Off(known, why)) => off(machine, target, &known, &why)?.shelf(),
        };
        shelf.map(|shelf| Some(shelf.path))
    }

    fn take(&self, target: &Target, order: &Order, work: &Work) -> Result<Snapshot> {
        match self.now(target)? {
            (_, Now::Live(mut live)) => {
                let shelf = live.shelf()?;
                live.sweep(&shelf)?;
                live.take(&shelf, target, order, work)
            }
            (machine, Now::Off(known, why)) => {
                let mut order = order.clone();
                order.notes.push(format!(
                    "of the disks that it had when it last ran: {}",
                    live::names(&known.images)
                ));
                off(machine, target, &known, &why)?.take(&order, work)
            }
        }
    }

    fn amend(&self, snapshot: &Snapshot) -> Result<()> {
        qcow2::amend(&self.images(&snapshot.target, PATIENCE)?.0.disks, snapshot)
    }

    fn list(&self, target: &Target) -> Result<Vec<Snapshot>> {
        Ok(self.images(target, LOOK)?.0.list())
    }

    fn relabel(&self, snapshot: &Snapshot, labels: &Labels) -> Result<Snapshot> {
        qcow2::relabel(&self.images(&snapshot.target, PATIENCE)?.0.disks, snapshot, labels)
    }

    fn sizing(&self, target: &Target) -> Result<Option<String>> {
        let (_, runs) = self.images(target, LOOK)?;
        Ok(runs.then(|| "the machine writes to its disks now: sizes may be a moment old".into()))
    }

    fn size(&self, snapshot: &Snapshot) -> Result<Size> {
        let (images, runs) = self.images(&snapshot.target, LOOK)?;
        images.size(snapshot, !runs)
    }

    fn plan_rollback(&self, snapshot: &Snapshot, safety: bool) -> Result<RollbackPlan> {
        match self.now(&snapshot.target)? {
            (_, Now::Live(live)) => Ok(rollback::plan(&live, snapshot, safety)),
            (machine, Now::Off(known, why)) => Ok(off(machine, &snapshot.target, &known, &why)?.plan(snapshot, safety)),
        }
    }

    fn roll_back(&self, plan: &RollbackPlan, work: &Work) -> Result<RolledBack> {
        let target = &plan.to.target;
        match self.now(target)? {
            (machine, Now::Live(mut live)) => {
                rollback::carry_out(machine, &mut live, target, plan, &self.watchdog, work)
            }
            (machine, Now::Off(known, why)) => off(machine, target, &known, &why)?.carry_out(plan, work),
        }
    }

    fn clone_to(&self, snapshot: &Snapshot, place: &str, work: &Work) -> Result<String> {
        self.all_images(&snapshot.target)?.clone_to(snapshot, place, work)
    }

    fn delete(&self, snapshot: &Snapshot, work: &Work) -> Result<()> {
        match self.now(&snapshot.target)? {
            (_, Now::Live(mut live)) => live.delete(&snapshot.target, snapshot, work),
            (machine, Now::Off(known, why)) => there(machine, &snapshot.target, &known, &why)?.delete(snapshot, work),
        }
    }

    fn changed_since(&self, snapshot: &Snapshot, image: &Path, gone: &str) -> Result<Option<Vec<Range<u64>>>> {
        match self.now(&snapshot.target)? {
            (_, Now::Live(mut live)) => live.changed_since(image, gone, &snapshot.handle),
            (_, Now::Off(..)) => Ok(None),
        }
    }

    fn keep_there(&self, snapshot: &Snapshot) -> Result<Option<Reading>> {
        qcow2::keep_there(&self.images(&snapshot.target, PATIENCE)?.0.disks, snapshot)
    }

    fn disks(&self, snapshot: &Snapshot) -> Result<Vec<DiskOf>> {
        qcow2::disks_of(&self.all_images(&snapshot.target)?, snapshot)
    }

    fn files(&self, snapshot: &Snapshot) -> Result<Box<dyn Files>> {
        let (images, _) = self.images(&snapshot.target, PATIENCE)?;
        qcow2::files_in(&images, snapshot, &self.data)
    }
}

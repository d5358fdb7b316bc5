//! Snapshots as jobs and questions: which providers there are, who takes what, and what the interface is told.
//!
//! Providers are listed in one place, [`Engine::providers`]. `work` does what a [`SnapshotTask`] asks for, `ask` answers
//! questions, `browse` and `looking` show what is in a snapshot, `bridge` backs up from snapshots, `export` sends them into
//! vaults, `known` remembers what was snapshotted where it could not be found by looking. What does not live here: how a
//! snapshot is taken (`crate::snapshot`), and how any of it is shown.

mod ask;
mod bridge;
mod browse;
mod clouds;
pub mod coverage;
mod export;
mod holding;
mod known;
mod looking;
mod policies;
mod task;
mod temporary;
mod work;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(super) use clouds::AskedClouds;
pub(super) use holding::filesystem;
pub(super) use looking::LookedInto;
pub use task::{SnapshotOutcome, SnapshotTask};

use super::question::SnapshotAt;
use super::{Engine, Error, Event, Result};
use crate::config::MachineConfig;
use crate::snapshot::btrfs::Btrfs;
use crate::snapshot::qcow2::Qcow2;
use crate::snapshot::qemu::{Machine, Qemu};
use crate::snapshot::reflink::Reflink;
use crate::snapshot::watchdog::Starter;
use crate::snapshot::{self, Kind, Labels, Provider, Snapshot, SnapshotId, Target, kind_of};

/// Beginnings of ids shorter than this are not looked for.
const SHORTEST: usize = 4;

/// How long a job waits for another one that works on the same snapshots: as long as the copy of a large folder may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30 * 60);

/// How long a whole id is.
const WHOLE: usize = 12;

impl Engine {
    /// All that make snapshots here, by the config.
    pub fn providers(&self) -> Vec<Arc<dyn Provider>> {
        let data = self.settings().data.clone();
        let machine = |named: &MachineConfig| Machine {
            name: named.name.clone(),
            qmp: named.qmp.clone(),
            agent: named.agent.clone(),
        };
        let machines = self.config().machines.iter().map(machine).collect();
        vec![
            Arc::new(Btrfs),
            Arc::new(Reflink),
            Arc::new(Qcow2 { scratch: data.clone() }),
            Arc::new(Qemu {
                machines,
                data,
                watchdog: Starter {
                    program: Engine::program(),
                },
            }),
            self.ebs(),
        ]
    }

    /// Forgets which disks a machine had: one that gets its name later is another.
    pub fn forget_machine(&self, name: &str) {
        crate::snapshot::qemu::forget(&self.settings().data, name);
    }

    /// What keeps the snapshots of a target.
    pub fn provider(&self, target: &Target) -> Result<Arc<dyn Provider>> {
        self.provider_of(kind_of(target)?, target)
    }

    /// The provider of a kind.
    fn provider_of(&self, kind: Kind, target: &Target) -> Result<Arc<dyn Provider>> {
        let found = self.providers().into_iter().find(|provider| provider.kind() == kind);
        Ok(found.ok_or_else(|| snapshot::Error::Unable {
            target: target.to_string(),
            why: "this program was built without what snapshots it".into(),
        })?)
    }

    /// What keeps a snapshot.
    pub fn keeper(&self, of: &Snapshot) -> Result<Arc<dyn Provider>> {
        self.provider_of(of.kind, &of.target)
    }

    /// What a user calls a target.
    pub fn target(&self, text: &str) -> Result<Target> {
        let path = std::path::absolute(text).map_err(|source| Error::Local {
            action: "find",
            path: text.to_owned(),
            source,
        })?;
        Ok(snapshot::resolve(text, &path, &self.machine_names())?)
    }

    fn machine_names(&self) -> Vec<String> {
        let config = self.config();
        config.machines.iter().map(|machine| machine.name.clone()).collect()
    }

    /// Every target that is known to be one: found by looking, named by the config, or snapshotted before. One that this
    /// user may not snapshot is among them if it has any.
    pub fn targets(&self) -> Vec<Target> {
        let has_any = |target: &Target| match target {
            Target::Folder(path) => !snapshot::identities(path).is_empty(),
            _ => false,
        };
        let found = self.providers().into_iter().flat_map(|provider| provider.discover());
        let mut all: BTreeSet<Target> = found
            .filter(|found| found.problem.is_none() || has_any(&found.target))
            .map(|found| found.target)
            .collect();
        all.extend(self.known_targets());
        let config = self.config();
        let named = config.snapshots.iter().flat_map(|policy| &policy.targets);
        all.extend(named.filter_map(|text| self.target(text).ok()));
        all.into_iter().collect()
    }

    /// The snapshots of a target, oldest first. Of a folder those of each kind that it has had.
    ///
    /// Also those of a folder that is gone, or that is a plain one where a subvolume was: that is when they are wanted most.
    pub fn snapshots_of(&self, target: &Target) -> Result<Vec<Snapshot>> {
        if !matches!(target, Target::Folder(_)) {
            return Ok(self.provider(target)?.list(target)?);
        }
        let mut found = Vec::new();
        for kind in [Kind::Btrfs, Kind::Reflink] {
            found.extend(self.provider_of(kind, target)?.list(target)?);
        }
        if found.is_empty() {
            // Says why it has none, where it can have none.
            kind_of(target)?;
        }
        found.sort_by_key(|one| (one.taken.seconds, one.taken.nanos));
        Ok(found)
    }

    /// The snapshot that a question or task names.
    pub fn snapshot(&self, at: &SnapshotAt) -> Result<Snapshot> {
        let all = self.snapshots_of(&at.target)?;
        let found = all.into_iter().find(|one| one.id == at.id);
        Ok(found.ok_or_else(|| snapshot::Error::NoSnapshot(at.id.to_string()))?)
    }

    /// The snapshot whose id begins with `text`, of whatever target; `of` narrows it down to one.
    pub fn find_snapshot(&self, text: &str, of: Option<&Target>) -> Result<Snapshot> {
        let text = text.to_lowercase();
        if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::Usage(format!(
                "{text:?} is no id of a snapshot: give {SHORTEST} hex digits of it or more; coffer snapshot list shows them"
            )));
        }
        let targets = match of {
            Some(target) => vec![target.clone()],
            None => self.targets(),
        };
        let mut found: Vec<Snapshot> = Vec::new();
        let mut refused = None;
        for target in targets {
            // A whole id that is found here need not be looked for far away: clouds come last.
            if matches!(target, Target::Ebs(_)) && text.len() == WHOLE && !found.is_empty() {
                break;
            }
            match self.snapshots_of(&target) {
                Ok(all) => found.extend(all.into_iter().filter(|one| one.id.0.starts_with(&text))),
                Err(error) => refused = Some(error),
            }
        }
        // The same one can be seen by two names: of a machine and of its image, the machine is what was meant.
        found.sort_by_key(|one| one.kind != Kind::Qemu);
        let ids: BTreeSet<&SnapshotId> = found.iter().map(|one| &one.id).collect();
        match ids.len() {
            0 => Err(match refused {
                Some(error) if of.is_some() => error,
                Some(error) => snapshot::Error::NotSeen {
                    id: text,
                    why: error.to_string(),
                }
                .into(),
                None => snapshot::Error::NoSnapshot(text).into(),
            }),
            1 => Ok(found.swap_remove(0)),
            several => Err(Error::Usage(format!(
                "{several} snapshots begin with {text:?}: give more of the id"
            ))),
        }
    }

    /// Changes a snapshot's label and protection; what was done, as a sentence.
    pub fn label_snapshot(&self, at: &SnapshotAt, labels: &Labels) -> Result<String> {
        let snapshot = self.snapshot(at)?;
        let new = self.keeper(&snapshot)?.relabel(&snapshot, labels)?;
        self.tell_snapshots(&at.target);
        let label = match new.label.as_str() {
            "" => "no label".to_owned(),
            label => format!("the label {label:?}"),
        };
        let protection = match new.protected {
            true => "nothing deletes it",
            false => "it can be deleted",
        };
        Ok(format!("Snapshot {} has {label} now; {protection}.", new.id))
    }

    /// Tells those who show a target's snapshots that they are others now.
    fn tell_snapshots(&self, target: &Target) {
        self.hub().send(Event::SnapshotsChanged { target: target.clone() });
    }

    /// The folders in which snapshots are, by device and inode: backups leave them out.
    pub(super) fn shelves(&self) -> Vec<(u64, u64)> {
        let folders = self.targets().into_iter().filter_map(|target| match target {
            Target::Folder(path) => Some(path),
            _ => None,
        });
        folders.flat_map(|path| snapshot::identities(&path)).collect()
    }

    /// This program, for what must be a process of its own.
    fn program() -> PathBuf {
        // The very file that runs, also after it was replaced by a newer one.
        PathBuf::from("/proc/self/exe")
    }
}

//! What each real system is asked for.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::model::{
    Ability, Consistency, Found, Kind, MadeBy, RollbackPlan, RolledBack, Size, Snapshot, SnapshotId, Target, Whole,
};
use super::origins::Origins;
use super::{Error, NotHeld, Reading, Result};
use crate::progress::{Cancel, Progress};
use crate::vault::Time;

/// Seconds.
const DAY: i64 = 86_400;

/// What every piece of work is given.
pub struct Work<'a> {
    /// Counts bytes where there are any to count.
    pub progress: &'a Progress,
    /// The request to stop.
    pub cancel: &'a Cancel,
    /// Takes a line for the log.
    pub note: &'a dyn Fn(String),
    /// The caller's clock.
    pub now: &'a dyn Fn() -> Time,
    /// How many days a snapshot that a rollback takes beforehand stays; for ever when `None`.
    pub safety_days: Option<u32>,
    /// How long another job that works on the same snapshots is waited for.
    pub patience: Duration,
}

/// A snapshot to be taken.
#[derive(Debug, Clone)]
pub struct Order {
    /// What it will be called.
    pub id: SnapshotId,
    /// The level it will have: `Memory` includes RAM, `Filesystem` and `Application` are made by the caller, who has frozen
    /// the target (or the provider's own way of taking needs no freezing).
    pub consistency: Consistency,
    /// What the user calls it.
    pub label: String,
    /// Who makes it.
    pub made_by: MadeBy,
    /// The group it belongs to.
    pub group: Option<String>,
    /// Whether nothing is to delete it.
    pub protected: bool,
    /// From when on it goes by itself.
    pub until: Option<Time>,
    /// What must be known of it, a sentence each, as far as that is known before it is taken.
    pub notes: Vec<String>,
}

impl Order {
    /// The snapshot that comes of it.
    pub(super) fn snapshot(&self, kind: Kind, target: Target, handle: String, work: &Work) -> Snapshot {
        Snapshot {
            id: self.id.clone(),
            kind,
            target,
            taken: (work.now)(),
            consistency: self.consistency,
            label: self.label.clone(),
            protected: self.protected,
            made_by: self.made_by.clone(),
            until: self.until,
            group: self.group.clone(),
            pause: None,
            notes: self.notes.clone(),
            whole: Whole::Yes,
            handle,
        }
    }

    /// The snapshot of the present before going back.
    pub(super) fn safety(id: SnapshotId, to: &Snapshot, consistency: Consistency, work: &Work) -> Order {
        let now = (work.now)();
        let later = |days: u32| Time {
            seconds: now.seconds.saturating_add(i64::from(days) * DAY),
            ..now
        };
        Order {
            id,
            consistency,
            label: format!("before going back to {}", to.id),
            made_by: MadeBy::Safety(to.id.clone()),
            group: None,
            protected: false,
            until: work.safety_days.map(later),
            notes: Vec::new(),
        }
    }
}

/// What can be changed of a snapshot afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// What the user calls it.
    pub label: String,
    /// Whether nothing deletes it.
    pub protected: bool,
}

/// Writers are held. Thawed when told to, and when dropped.
pub trait Frozen: Send {
    /// Lets them go on; how long they were held.
    fn thaw(self: Box<Self>) -> Result<Duration>;

    /// What a watchdog must do in our stead should we die: what `coffer thaw` takes, such as `mount:/srv` or
    /// `agent:/run/vm1.agent`.
    fn remedy(&self) -> String;
}

/// The files of a snapshot, as a folder that can be read until this is dropped.
pub trait Files: Send {
    /// The folder that stands for the target's root.
    fn root(&self) -> PathBuf;

    /// What its entries were called by the filesystem, where they have other inodes and times of change than those they
    /// are copies of.
    fn origins(&self) -> Result<Option<Origins>> {
        Ok(None)
    }
}

/// A disk of a snapshot of an image or a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskOf {
    /// The image it lies in.
    pub image: PathBuf,
    /// The snapshot within the image.
    pub within: Within,
    /// All snapshots that the image has now.
    pub all: Vec<Within>,
    /// Bytes of RAM and devices that are in it too.
    pub ram: u64,
}

/// A snapshot within an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    /// Its number there, as text.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was taken: seconds since 1970, and nanoseconds from there on.
    pub taken: (i64, u32),
}

/// A system that makes snapshots. Blocking: called from the threads of jobs and questions.
pub trait Provider: Send + Sync + std::fmt::Debug {
    /// Which one.
    fn kind(&self) -> Kind;

    /// What of it is on this machine. Quick: nothing is waited for.
    fn discover(&self) -> Vec<Found>;

    /// The same, with what only others far away can tell: may take a while, and may fail.
    fn survey(&self) -> Result<Vec<Found>> {
        Ok(self.discover())
    }

    /// What can be had of a target now. An error when the target is not this provider's.
    fn preflight(&self, target: &Target) -> Result<Ability>;

    /// What a watchdog must do to let the writers go on should we die while they are held, see [`Frozen::remedy`]: known
    /// before, so that there is no moment without it. `None` when the kernel does it.
    fn remedy(&self, target: &Target) -> Option<String> {
        let _ = target;
        None
    }

    /// Holds all writers of a target for at most `limit`; `None` where taking is one moment anyway.
    fn freeze(&self, target: &Target, limit: Duration) -> Result<Option<Box<dyn Frozen>>, NotHeld>;

    /// What a watchdog must do for what [`Provider::stand_still`] stops, known before.
    fn stand_still_remedy(&self, target: &Target) -> Option<String> {
        let _ = target;
        None
    }

    /// Has a machine stand still, so that several can be saved with their RAM of one moment; `None` where nothing runs.
    fn stand_still(&self, target: &Target) -> Result<Option<Box<dyn Frozen>>, NotHeld> {
        let _ = target;
        Ok(None)
    }

    /// The folder in which a target's snapshots are kept, which one job at a time may change; `None` where several can. With
    /// `make` it is made if it is not there; without, nothing is asked of the target.
    fn shelf(&self, target: &Target, make: bool) -> Result<Option<PathBuf>> {
        let _ = (target, make);
        Ok(None)
    }

    /// Takes a snapshot: it is there whole, with its record, or not at all. The caller holds the [`Provider::shelf`].
    fn take(&self, target: &Target, order: &Order, work: &Work) -> Result<Snapshot>;

    /// Waits until what was taken is whole, where taking it only began it. Called when the writers go on; on an error it is
    /// given up.
    fn finish(&self, snapshot: &Snapshot, work: &Work) -> Result<()> {
        let _ = (snapshot, work);
        Ok(())
    }

    /// Writes down what became known of a snapshot after it was taken: how long writers were held, more notes.
    fn amend(&self, snapshot: &Snapshot) -> Result<()> {
        let _ = snapshot;
        Ok(())
    }

    /// The snapshots of a target, oldest first, those of other programs included.
    fn list(&self, target: &Target) -> Result<Vec<Snapshot>>;

    /// Changes a snapshot's label and protection.
    fn relabel(&self, snapshot: &Snapshot, labels: &Labels) -> Result<Snapshot>;

    /// What must be said of how the snapshots of a target are sized; `None` when they are counted to the byte.
    fn sizing(&self, target: &Target) -> Result<Option<String>> {
        let _ = target;
        Ok(None)
    }

    /// What it takes.
    fn size(&self, snapshot: &Snapshot) -> Result<Size>;

    /// What going back to it would do.
    fn plan_rollback(&self, snapshot: &Snapshot, safety: bool) -> Result<RollbackPlan>;

    /// Goes back: all of it or nothing, verified. Refused when the plan has obstacles or things have changed since.
    fn roll_back(&self, plan: &RollbackPlan, work: &Work) -> Result<RolledBack>;

    /// Makes a volume, folder or image of its own of it, at a place that does not exist yet; gives what came of it.
    fn clone_to(&self, snapshot: &Snapshot, place: &str, work: &Work) -> Result<String>;

    /// Deletes it. Refused when it is protected.
    fn delete(&self, snapshot: &Snapshot, work: &Work) -> Result<()>;

    /// Keeps it from being deleted while its disks are read; `None` where that cannot be had. Its [`Files`] do so themselves.
    fn keep_there(&self, snapshot: &Snapshot) -> Result<Option<Reading>> {
        let _ = snapshot;
        Ok(None)
    }

    /// The ranges, in order, of a disk of it, by its image, that may differ from what the disk held in an earlier snapshot of
    /// this name, which is gone; `None` where that was not recorded.
    fn changed_since(&self, snapshot: &Snapshot, image: &Path, gone: &str) -> Result<Option<Vec<Range<u64>>>> {
        let _ = (snapshot, image, gone);
        Ok(None)
    }

    /// Its disks, if it is of an image or a machine.
    fn disks(&self, snapshot: &Snapshot) -> Result<Vec<DiskOf>> {
        Err(Error::Unable {
            target: snapshot.target.to_string(),
            why: "its disks cannot be read from here: back up what is on them from within (coffer backup)".into(),
        })
    }

    /// Its files, read-only.
    fn files(&self, snapshot: &Snapshot) -> Result<Box<dyn Files>>;
}

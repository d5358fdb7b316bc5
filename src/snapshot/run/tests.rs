//! Taking with a provider that does what it is told.

use std::process::Command;
use std::sync::Mutex;

use super::*;
use crate::progress::{Cancel, Progress};
use crate::snapshot::testing;
use crate::snapshot::{Files, Found, Kind, Labels, NotHeld, RollbackPlan, RolledBack, Size};

/// Whether taking fails where it freezes, and what it leaves then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freezing {
    Works,
    Refused,
    Doubtful,
}

#[derive(Debug)]
struct Fake {
    freezing: Freezing,
    levels: Vec<Consistency>,
    hints: Vec<String>,
    writers: Vec<Writer>,
    /// Whether it is told to stop while it takes.
    stops: bool,
    taken: Mutex<Vec<Snapshot>>,
    amended: Mutex<Vec<Snapshot>>,
    /// Whether what had to be deleted could take its time.
    deleted: Mutex<Vec<bool>>,
}

impl Fake {
    fn new(freezing: Freezing, writers: &[Writer]) -> Fake {
        Fake {
            freezing,
            levels: vec![Consistency::Crash, Consistency::Filesystem],
            hints: Vec::new(),
            writers: writers.to_vec(),
            stops: false,
            taken: Mutex::default(),
            amended: Mutex::default(),
            deleted: Mutex::default(),
        }
    }
}

fn refused<T>() -> Result<T> {
    Err(Error::NoSnapshot("x".into()))
}

impl Provider for Fake {
    fn kind(&self) -> Kind {
        Kind::Reflink
    }

    fn discover(&self) -> Vec<Found> {
        Vec::new()
    }

    fn preflight(&self, _: &Target) -> Result<Ability> {
        Ok(Ability {
            levels: self.levels.clone(),
            hints: self.hints.clone(),
            writers: self.writers.clone(),
        })
    }

    fn remedy(&self, _: &Target) -> Option<String> {
        Some("agent:/a".into())
    }

    fn freeze(&self, _: &Target, _: Duration) -> Result<Option<Box<dyn Frozen>>, NotHeld> {
        match self.freezing {
            Freezing::Works => Ok(None),
            other => Err(NotHeld {
                error: Error::NoSnapshot("frozen".into()),
                doubtful: other == Freezing::Doubtful,
            }),
        }
    }

    fn take(&self, target: &Target, order: &Order, work: &Work) -> Result<Snapshot> {
        let snapshot = order.snapshot(Kind::Reflink, target.clone(), String::new(), work);
        self.taken.lock().unwrap().push(snapshot.clone());
        if self.stops {
            work.cancel.cancel();
        }
        Ok(snapshot)
    }

    /// Writes down, and says that it could not.
    fn amend(&self, snapshot: &Snapshot) -> Result<()> {
        self.amended.lock().unwrap().push(snapshot.clone());
        Err(Error::Occupied("/shelf".into()))
    }

    fn list(&self, _: &Target) -> Result<Vec<Snapshot>> {
        Ok(Vec::new())
    }

    fn relabel(&self, _: &Snapshot, _: &Labels) -> Result<Snapshot> {
        refused()
    }

    fn size(&self, _: &Snapshot) -> Result<Size> {
        refused()
    }

    fn plan_rollback(&self, _: &Snapshot, _: bool) -> Result<RollbackPlan> {
        refused()
    }

    fn roll_back(&self, _: &RollbackPlan, _: &Work) -> Result<RolledBack> {
        refused()
    }

    fn clone_to(&self, _: &Snapshot, _: &str, _: &Work) -> Result<String> {
        refused()
    }

    fn delete(&self, _: &Snapshot, work: &Work) -> Result<()> {
        self.deleted.lock().unwrap().push(!work.cancel.is_cancelled());
        Ok(())
    }

    fn files(&self, _: &Snapshot) -> Result<Box<dyn Files>> {
        refused()
    }
}

/// A watchdog that writes down what it is told, in `told` beside it. Another process writes it: one that is being written
/// cannot be run.
fn watchdog(folder: &std::path::Path) -> Starter {
    let program = folder.join("watchdog");
    let text =
        "#!/bin/sh\nwhile read -r line; do echo \"$line\" >> \"$0.told\"; [ \"$line\" != armed ] || echo ready; done\n";
    let script = "printf %s \"$1\" > \"$0\" && chmod 700 \"$0\"";
    let made = Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg(&program)
        .arg(text)
        .status();
    assert!(made.unwrap().success());
    Starter { program }
}

/// Takes one of each of these folders; what came of it, and the lines of the job's log.
fn taken(
    folders: &[&str],
    fake: &Arc<Fake>,
    hooks: &Hooks,
    watchdog: &Starter,
) -> (Result<Vec<Snapshot>>, Vec<String>) {
    let said = Mutex::<Vec<String>>::default();
    let note = |line| said.lock().unwrap().push(line);
    let target = |folder: &&str| {
        let id = SnapshotId("aaaaaaaaaaaa".into());
        (fake.clone() as Arc<dyn Provider>, Target::Folder((*folder).into()), id)
    };
    let request = Request {
        targets: folders.iter().map(target).collect(),
        wanted: None,
        label: String::new(),
        protected: false,
        made_by: MadeBy::Hand,
        group: None,
        hooks,
        limit: FREEZE_LIMIT,
        watchdog,
    };
    let work = Work {
        progress: &Progress::default(),
        cancel: &Cancel::default(),
        note: &note,
        now: &|| testing::time(5),
        safety_days: None,
        patience: Duration::ZERO,
    };
    let done = take(&request, &work);
    (done, said.into_inner().unwrap())
}

#[test]
fn the_level_and_what_is_known_are_written_down_from_the_beginning() {
    let machine = Writer {
        pid: 7,
        name: "qemu-system-x86_64".into(),
        database: None,
        files: Vec::new(),
    };
    let fake = Arc::new(Fake::new(Freezing::Works, &[machine]));
    let hooks = Hooks {
        before: Some("true".into()),
        after: Some("false".into()),
        ..Hooks::none("/proc/self/exe".into())
    };
    let folder = tempfile::tempdir().unwrap();
    let (done, said) = taken(&["/srv"], &fake, &hooks, &watchdog(folder.path()));
    let written = fake.taken.lock().unwrap().clone();
    assert_eq!(written[0].consistency, Consistency::Crash);
    let notes = &written[0].notes;
    assert!(
        notes[0].starts_with("disks that are written to lie here (qemu-system"),
        "{notes:?}"
    );
    assert_eq!(notes[1..], [PERHAPS]);
    // What comes later is written down too, and that it could not be is no reason to be without the snapshot.
    let done = done.unwrap();
    assert!(
        done[0].notes[2].contains("the command after the snapshot failed"),
        "{done:?}"
    );
    assert_eq!(*fake.amended.lock().unwrap(), done);
    assert!(
        said.iter().any(|line| line.contains("could not be written down")),
        "{said:?}"
    );
}

#[test]
fn a_machine_whose_agent_does_not_answer_just_now_says_so_on_the_snapshot() {
    let fake = Fake {
        levels: vec![Consistency::Crash, Consistency::Memory],
        hints: vec!["its agent does not answer".into(), "with RAM it can be had".into()],
        ..Fake::new(Freezing::Works, &[])
    };
    let folder = tempfile::tempdir().unwrap();
    let hooks = Hooks::none("/proc/self/exe".into());
    let (done, _) = taken(&["/srv"], &Arc::new(fake), &hooks, &watchdog(folder.path()));
    let done = done.unwrap();
    assert_eq!(done[0].consistency, Consistency::Crash);
    assert_eq!(
        done[0].notes,
        ["the filesystems of its guest were not frozen: its agent does not answer"]
    );
}

#[test]
fn what_was_taken_is_deleted_again_also_when_it_was_told_to_stop() {
    let fake = Arc::new(Fake {
        stops: true,
        ..Fake::new(Freezing::Works, &[])
    });
    let folder = tempfile::tempdir().unwrap();
    let hooks = Hooks::none("/proc/self/exe".into());
    let (done, _) = taken(&["/srv", "/home"], &fake, &hooks, &watchdog(folder.path()));
    assert!(matches!(done, Err(Error::Cancelled(_))), "{done:?}");
    assert_eq!(*fake.deleted.lock().unwrap(), [true]);
}

#[test]
fn a_watchdog_stays_at_work_while_it_is_doubtful_whether_writers_are_held() {
    let folder = tempfile::tempdir().unwrap();
    let watchdog = watchdog(folder.path());
    let told = |freezing: Freezing| {
        let fake = Arc::new(Fake::new(freezing, &[]));
        let (done, _) = taken(&["/srv"], &fake, &Hooks::none("/proc/self/exe".into()), &watchdog);
        assert_eq!(done.is_ok(), freezing == Freezing::Works, "{done:?}");
        let file = folder.path().join("watchdog.told");
        let told = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(file).unwrap();
        told
    };
    let armed = "limit 32\nremedy agent:/a\narmed\n";
    assert_eq!(told(Freezing::Works), format!("{armed}done\n"));
    assert_eq!(told(Freezing::Refused), format!("{armed}done\n"));
    assert_eq!(told(Freezing::Doubtful), armed);
}

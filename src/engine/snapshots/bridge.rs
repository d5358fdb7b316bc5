//! Backups that read from a fresh snapshot, so that all is of one moment: it is taken for that, read under the paths of the
//! live files, and deleted, whatever becomes of the backup.
//!
//! Everything below the paths is taken, subvolumes and filesystems within included, as one group. What cannot be taken is
//! refused, or, if that is allowed, read as it is, and told. What does not live here: finding out what must be taken
//! (`crate::snapshot::cover`), and reading (`crate::backup`).

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::PATIENCE;
use super::temporary::Temporary;
use crate::backup::view::{OriginOf, ReadFrom, Region, View};
use crate::backup::{BackupOptions, targets};
use crate::config::FromSnapshot;
use crate::engine::question::{SnapshotAt, SnapshotHooks, TakeAsked};
use crate::engine::{Engine, Error, JobHandle, OpenVault, Result, TaskOutcome};
use crate::progress::Progress;
use crate::snapshot::cover::{Cover, Lies, Obstacle, cover};
use crate::snapshot::{self, Consistency, Files, Kind, MadeBy, Snapshot, SnapshotId, Target, Work};

/// More obstacles than this are counted, not named.
const NAMED: usize = 5;

impl Engine {
    /// Backs up from a fresh snapshot.
    pub(in crate::engine) fn back_up_from_snapshot(
        &self,
        open: &OpenVault,
        options: &mut BackupOptions,
        from: &FromSnapshot,
        job: &JobHandle,
    ) -> Result<TaskOutcome> {
        let found = self.to_be_taken(options);
        if !found.obstacles.is_empty() && !from.or_live {
            return Err(refused(&found.obstacles).into());
        }
        let mut told: Vec<String> = found.obstacles.iter().map(read_live).collect();
        for obstacle in &found.obstacles {
            let text = format!("read as it is, and so perhaps not all of one moment: {}", obstacle.why);
            job.report(obstacle.path.as_os_str().as_bytes(), text);
        }
        let mut ids = Vec::new();
        for target in &found.targets {
            ids.push(SnapshotAt {
                target: target.clone(),
                id: SnapshotId::random()?,
            });
        }
        if ids.is_empty() {
            return self.read_it(open, options, told, job);
        }
        let _temporary = Temporary::note(self, job, ids.clone()).map_err(|source| Error::Local {
            action: "write",
            path: "a note of the snapshot in the data folder".into(),
            source,
        })?;
        job.progress.set_current(b"taking a snapshot");
        let taken = self.take_temporary(&ids, from, job)?;
        // They hold the files in place until all is read.
        let mut files = Vec::new();
        for snapshot in &taken {
            files.push(self.keeper(snapshot)?.files(snapshot)?);
            told.push(read_from(snapshot));
            self.tell_of(snapshot, job);
        }
        options.view = view(&found, &taken, &files)?;
        options.time = taken
            .iter()
            .map(|snapshot| snapshot.taken)
            .min_by_key(|time| (time.seconds, time.nanos))
            .unwrap_or(options.time);
        self.read_it(open, options, told, job)
    }

    pub(super) fn read_it(
        &self,
        open: &OpenVault,
        options: &BackupOptions,
        told: Vec<String>,
        job: &JobHandle,
    ) -> Result<TaskOutcome> {
        job.cancel_flag().check()?;
        let mut outcome = self.back_up_files(open, options, job)?;
        if let TaskOutcome::Backup(outcome) = &mut outcome {
            outcome.read_from = told;
        }
        Ok(outcome)
    }

    /// What must be taken for the paths of a backup.
    fn to_be_taken(&self, options: &BackupOptions) -> Cover {
        let absolute = |path: &PathBuf| targets::absolute(&options.working_folder, path);
        let paths: Vec<PathBuf> = options.paths.iter().map(absolute).collect();
        let exclude = &options.exclude;
        let is_out = |path: &Path| {
            let known = path.symlink_metadata().map(|about| (about.dev(), about.ino()));
            exclude.leaves_out(path) || known.is_ok_and(|known| exclude.never.contains(&known))
        };
        cover(&paths, exclude.one_file_system, &is_out)
    }

    fn take_temporary(&self, ids: &[SnapshotAt], from: &FromSnapshot, job: &JobHandle) -> Result<Vec<Snapshot>> {
        // What is copied meanwhile is no part of the backup's own count.
        let progress = Progress::default();
        let note = |line: String| self.note(job, line);
        let work = Work {
            progress: &progress,
            cancel: job.cancel_flag(),
            note: &note,
            now: &|| self.now(),
            safety_days: None,
            patience: PATIENCE,
        };
        let asked = TakeAsked {
            targets: ids.iter().map(|at| at.target.clone()).collect(),
            consistency: from.consistency,
            label: match &job.info.plan {
                Some(plan) => format!("backup of plan {plan}"),
                None => "backup".into(),
            },
            protected: false,
            hooks: SnapshotHooks {
                ready: from.hooks.clone(),
                before: from.before.clone(),
                after: from.after.clone(),
                seconds: from.hook_seconds,
            },
            made_by: MadeBy::Backup,
        };
        let ids = ids.iter().map(|at| at.id.clone()).collect();
        self.take_as(asked, ids, &work).map_err(|error| match error {
            Error::Snapshot(snapshot::Error::Level { target, wanted, why }) if from.consistency.is_none() => {
                let why = format!(
                    "{why}; for a backup: --snapshot-consistency crash, or snapshot-consistency = \"crash\" in its plan"
                );
                snapshot::Error::Level { target, wanted, why }.into()
            }
            error => error,
        })
    }

    /// What must be known of a snapshot that is read from. That it is not of one moment is no side note.
    fn tell_of(&self, snapshot: &Snapshot, job: &JobHandle) {
        let weak = snapshot.kind == Kind::Reflink && snapshot.consistency == Consistency::Crash;
        for note in &snapshot.notes {
            match (weak, &snapshot.target) {
                (true, Target::Folder(path)) => job.report(path.as_os_str().as_bytes(), note.clone()),
                _ => self.note(job, format!("{}: {note}", snapshot.target)),
            }
        }
    }
}

/// Where everything is read, and what stands for what.
pub(super) fn view(found: &Cover, taken: &[Snapshot], files: &[Box<dyn Files>]) -> Result<View> {
    let mut regions = Vec::new();
    let mut roots = Vec::new();
    for (snapshot, files) in taken.iter().zip(files) {
        let root = files.root();
        let Target::Folder(live) = &snapshot.target else {
            continue;
        };
        let device = |path: &Path| {
            let about = path.symlink_metadata();
            about.map(|about| about.dev()).map_err(|source| snapshot::Error::Io {
                action: "look at",
                path: path.to_path_buf(),
                source,
            })
        };
        let origins = files.origins()?;
        regions.push(Region {
            here: device(&root)?,
            stands_for: device(live)?,
            origin: origins.map(|origins| -> OriginOf {
                Box::new(move |inode| origins.of(inode).map(|origin| (origin.inode, origin.ctime)))
            }),
        });
        roots.push(root);
    }
    let place = |(path, lies): &(PathBuf, Lies)| {
        let from = match lies {
            Lies::In { target, below } => ReadFrom::There(match (roots.get(*target), below) {
                (Some(root), below) if below.as_os_str().is_empty() => root.clone(),
                (Some(root), below) => root.join(below),
                (None, _) => path.clone(),
            }),
            Lies::Live => ReadFrom::Itself,
            Lies::OnShelf => ReadFrom::Nowhere,
        };
        (path.clone(), from)
    };
    Ok(View::new(found.places.iter().map(place).collect(), regions))
}

/// What a snapshot was, for people.
pub(super) fn read_from(snapshot: &Snapshot) -> String {
    let how = match snapshot.kind {
        Kind::Btrfs => "btrfs",
        _ => "a copy that shares its blocks",
    };
    let pause = snapshot.pause.map(|ms| format!(", writers held for {ms} ms"));
    format!(
        "{} from a snapshot ({how}, {} consistency{})",
        snapshot.target,
        snapshot.consistency,
        pause.unwrap_or_default()
    )
}

fn read_live(obstacle: &Obstacle) -> String {
    format!(
        "{} as it is, not from a snapshot: {}",
        obstacle.path.display(),
        obstacle.why
    )
}

/// Why nothing is backed up.
fn refused(obstacles: &[Obstacle]) -> snapshot::Error {
    let (first, others) = match obstacles {
        [first, others @ ..] => (first.clone(), others),
        [] => (
            Obstacle {
                path: PathBuf::new(),
                why: String::new(),
            },
            obstacles,
        ),
    };
    let names: Vec<String> = others
        .iter()
        .take(NAMED)
        .map(|one| one.path.display().to_string())
        .collect();
    let more = match others.len() {
        0 => String::new(),
        n if n > NAMED => format!(" Nor can {} and {} more.", names.join(", "), n - NAMED),
        _ => format!(" Nor can {}.", names.join(", ")),
    };
    snapshot::Error::Unable {
        target: first.path.display().to_string(),
        why: format!(
            "{}.{more} Nothing was backed up: leave that out (--exclude, --one-file-system), or let it be read as it is \
             (--from-snapshot=where-possible; in a plan snapshot = \"where-possible\")",
            first.why
        ),
    }
}

//! Going back: a new subvolume made of the snapshot takes the place of the present one in a single step, and the present
//! one becomes the safety snapshot.
//!
//! It is compared with the snapshot before it is seen by anybody, so that nothing can have been written to it. A subvolume
//! that is a mount of its own is unmounted, exchanged from the top level of its filesystem, which is opened for that without
//! being mounted anywhere, and mounted again.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::exchange::{New, Pending, exchange, finish, new_name};
use super::remount::{TopLevel, Unmounted};
use super::subvolume::{Subvolume, TOP_LEVEL, uuid_text};
use super::{boot, files_of, standing, take, tool};
use crate::progress::Cancel;
use crate::snapshot::mounts::{self, Mount};
use crate::snapshot::shelf::{Shelf, path_text};
use crate::snapshot::system::{io_error, is_full, is_root};
use crate::snapshot::writers::{Place, seen};
use crate::snapshot::{Error, Result, RollbackPlan, RolledBack, SHELF, Snapshot, SnapshotId, Work};

/// How many paths a plan names.
const NAMED: usize = 5;

/// The present state of a target.
pub(super) struct Present {
    pub path: PathBuf,
    pub subvolume: Subvolume,
    /// The mount, if the target is the root of one.
    pub mount: Option<Mount>,
    /// Where the subvolume is from the top level of its filesystem.
    inner: PathBuf,
    obstacles: Vec<String>,
    holders: Vec<crate::snapshot::Writer>,
}

fn target_path(snapshot: &Snapshot) -> Result<&Path> {
    super::path_of(&snapshot.target).map_err(|error| standing::no_target(snapshot, error))
}

fn look(path: &Path) -> Result<Present> {
    let subvolume = Subvolume::at(path)?;
    let all = mounts::all();
    let over = mounts::of(&all, path).cloned().ok_or_else(|| Error::Unable {
        target: path.display().to_string(),
        why: "no mount holds it, as /proc tells".into(),
    })?;
    let below = path.strip_prefix(&over.point).unwrap_or(Path::new(""));
    let inner = over.root.join(below);
    let is_mount = over.point == path;
    let mut obstacles = Vec::new();
    if subvolume.id == TOP_LEVEL {
        obstacles.push(format!(
            "{0} is the top level of its filesystem, which nothing can take the place of. Make a subvolume of the snapshot \
             (coffer snapshot clone ID {1}), make that the one to mount (btrfs subvolume set-default {1}) and mount again; \
             or put single files back (coffer snapshot restore)",
            path.display(),
            path.join("rolled-back").display()
        ));
    } else if path == Path::new("/") {
        obstacles.push(
            "it is mounted as / and cannot be exchanged while the system runs from it: start another system, mount the \
             filesystem's top level there, and roll the subvolume back"
                .into(),
        );
    }
    for mount in &all {
        let within = mount.point != path && mount.point.starts_with(path);
        let elsewhere = mount.device == over.device && mount.root.starts_with(&inner) && mount.point != path;
        if within {
            obstacles.push(format!(
                "{0} is mounted within: unmount it first (umount {0})",
                mount.point.display()
            ));
        } else if elsewhere {
            obstacles.push(format!(
                "it is mounted at {0} too, where the old state would go on being used: unmount it first (umount {0})",
                mount.point.display()
            ));
        }
    }
    obstacles.extend(boot::obstacles(&subvolume, &over, &inner, &all));
    let holders = seen(&Place::filesystem(path)).holders;
    obstacles.extend(standing::in_use(&holders));
    Ok(Present {
        path: path.to_path_buf(),
        mount: is_mount.then_some(over),
        subvolume,
        inner,
        obstacles,
        holders,
    })
}

/// Tells whether things are as they were: which subvolume is there, and how.
fn state(present: &Present, snapshot: &Snapshot, safety: bool) -> String {
    format!(
        "{} {} {} {safety}",
        snapshot.id,
        uuid_text(&present.subvolume.uuid),
        present.mount.is_some()
    )
}

/// The subvolumes within that have no place in the snapshot.
fn without_place(present: &Present, files: &Path) -> Result<Vec<PathBuf>> {
    let children = present.subvolume.children()?;
    let inner = children
        .iter()
        .filter_map(|child| child.strip_prefix(&present.path).ok());
    let lost = inner.filter(|child| {
        let parent = files.join(child).parent().map(Path::to_path_buf).unwrap_or_default();
        let place = files.join(child).symlink_metadata();
        !parent.is_dir() || place.is_ok_and(|place| !is_placeholder(&place))
    });
    Ok(lost.map(Path::to_path_buf).collect())
}

/// What stands in a snapshot where a subvolume was: a folder of inode 2.
pub(super) fn is_placeholder(about: &std::fs::Metadata) -> bool {
    about.is_dir() && about.ino() == 2
}

/// What going back would do.
pub(super) fn plan(snapshot: &Snapshot, safety: bool) -> Result<RollbackPlan> {
    let path = target_path(snapshot)?;
    let files = files_of(snapshot)?;
    if !is_root() {
        return Err(Error::Rights {
            what: format!("rolling {} back", path.display()),
            help:
                "run it with sudo: without root it cannot be seen who uses the subvolume; single files can be put back \
                   without (coffer snapshot restore)"
                    .into(),
        });
    }
    let mut present = look(path)?;
    let lost = without_place(&present, &files)?;
    let mut steps = Vec::new();
    if !lost.is_empty() {
        let names: Vec<String> = lost.iter().map(|path| path_text(path)).collect();
        match safety {
            true => steps.push(format!(
                "The subvolumes {}, which have no place in the snapshot, stay in the safety snapshot.",
                names.join(", ")
            )),
            false => present.obstacles.push(format!(
                "the subvolumes {} have no place in the snapshot and would be deleted: keep the safety snapshot, or move them \
                 away first",
                names.join(", ")
            )),
        }
    }
    let loses = match differences(&present, &files, &Cancel::default()) {
        Ok(changed) => {
            // The root itself only has another time.
            let named: Vec<&String> = changed.paths.iter().filter(|path| !path.is_empty()).collect();
            let count = changed.count - (changed.paths.len() - named.len()) as u64;
            let named: Vec<String> = named.into_iter().take(NAMED).cloned().collect();
            standing::loses(path, snapshot, count, &named, safety)
        }
        Err(error) => vec![format!(
            "Everything written to {} since {} (what it is cannot be listed: {error}).",
            path.display(),
            snapshot.when()
        )],
    };
    steps.insert(
        0,
        "A new subvolume is made of the snapshot and compared with it.".into(),
    );
    if present.mount.is_some() {
        steps.push(format!("{} is unmounted for a moment.", path.display()));
    }
    steps.push(format!("It takes the place of {} in one step.", path.display()));
    if present.mount.is_some() {
        steps.push(format!("{} is mounted again.", path.display()));
    }
    steps.push(match safety {
        true => "The present state becomes the safety snapshot.".into(),
        false => "The present state is deleted: it cannot be brought back.".into(),
    });
    Ok(RollbackPlan {
        state: state(&present, snapshot, safety),
        to: snapshot.clone(),
        loses,
        steps,
        safety,
        takes_along: Vec::new(),
        obstacles: present.obstacles,
    })
}

/// How the present differs from the snapshot, by a passing snapshot of it.
fn differences(present: &Present, files: &Path, cancel: &Cancel) -> Result<tool::Differences> {
    let shelf = Shelf::of(&present.path);
    take::make(&shelf)?;
    let _held = shelf.hold()?;
    let passing = Passing::new(&shelf, &present.path)?;
    tool::differences(files, &passing.files, cancel)
}

/// A read-only snapshot for comparing; gone when dropped.
struct Passing {
    folder: PathBuf,
    files: PathBuf,
}

impl Passing {
    fn new(shelf: &Shelf, of: &Path) -> Result<Passing> {
        let folder = shelf.path.join(format!("{}.part", SnapshotId::random()?));
        std::fs::create_dir(&folder).map_err(io_error("create", &folder))?;
        let passing = Passing {
            files: folder.join("files"),
            folder,
        };
        tool::snapshot(of, &passing.files, true)?;
        Ok(passing)
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        take::discard(&self.folder);
    }
}

/// Goes back.
pub(super) fn carry_out(plan: &RollbackPlan, work: &Work) -> Result<RolledBack> {
    let snapshot = &plan.to;
    let path = target_path(snapshot)?;
    let files = files_of(snapshot)?;
    let present = look(path)?;
    let changed = state(&present, snapshot, plan.safety) != plan.state;
    if !present.holders.is_empty() {
        return Err(Error::Busy {
            what: path.display().to_string(),
            holders: present.holders,
        });
    }
    let lost = !plan.safety && !without_place(&present, &files)?.is_empty();
    if changed || lost || !present.obstacles.is_empty() || !plan.obstacles.is_empty() {
        let mut obstacles = plan.obstacles.iter().chain(&present.obstacles);
        return Err(standing::refusal(path, obstacles.next().cloned()));
    }
    let shelf = Shelf::of(path);
    take::make(&shelf)?;
    let held = shelf.hold()?;
    take::sweep(&shelf);
    let safety = SnapshotId::random()?;
    let mut pending = match Pending::write(&present, &shelf, &safety, plan, work) {
        Ok(pending) => Some(pending),
        Err(error) if !is_full(&error) => return Err(error),
        // Where nothing is kept, going back is what may make room.
        Err(_) if !plan.safety => None,
        Err(_) => {
            return Err(Error::Cannot {
                what: format!("roll {} back", path.display()),
                why: "its filesystem is full, so that the present state cannot be kept: delete a snapshot or files first, \
                      or go back without a safety snapshot (--no-safety)"
                    .into(),
            });
        }
    };
    let mut made = || {
        if let Some(pending) = &mut pending {
            pending.made = true;
        }
    };
    let new = New::make(&present, &shelf, &safety, &files)?;
    work.progress.set_current(b"comparing");
    let check = Passing::new(&shelf, &new.path)?;
    let differs = tool::differences(&files, &check.files, work.cancel)?;
    drop(check);
    if let Some(first) = differs.paths.first() {
        return Err(Error::Command {
            command: format!("making a subvolume of snapshot {}", snapshot.id),
            said: format!("it differs from the snapshot at {first:?}; nothing was changed"),
        });
    }
    work.cancel.check()?;
    let uuid = Subvolume::at(&new.path)?.uuid;
    // It may have taken a while to compare.
    let holders = seen(&Place::filesystem(path)).holders;
    if !holders.is_empty() {
        let what = path.display().to_string();
        return Err(Error::Busy { what, holders });
    }
    work.progress.set_current(b"exchanging");
    match present.mount.clone() {
        None => {
            exchange(&present, new, path, &shelf)?;
            made();
            finish(path, &shelf, &safety, plan.safety)?;
        }
        Some(mount) => {
            // The lock's file is on the subvolume that is to be unmounted.
            drop(held);
            let top = TopLevel::open(&mount)?;
            let target = top.below(&present.inner);
            let shelf = Shelf {
                path: target.join(SHELF),
                inside: true,
            };
            let unmounted = Unmounted::new(&mount)?;
            // By way of the top level its names are others.
            let new = new.seen_from(&target.with_file_name(new_name(&safety)));
            let done = exchange(&present, new, &target, &shelf).and_then(|()| {
                made();
                finish(&target, &shelf, &safety, plan.safety)
            });
            drop(top);
            unmounted.again()?;
            done?;
        }
    }
    let there = Subvolume::at(path)?;
    if there.uuid != uuid {
        return Err(Error::NotTheSame {
            what: path.display().to_string(),
            difference: "another subvolume is there".into(),
            safety: if plan.safety { safety.to_string() } else { "none".into() },
        });
    }
    Ok(RolledBack {
        safety: plan.safety.then_some(safety),
        verified: "compared with the snapshot before it took its place: nothing differs".into(),
    })
}

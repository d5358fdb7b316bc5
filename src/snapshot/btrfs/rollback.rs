//! Going back: a new subvolume made of the snapshot takes the place of the present one in a single step, and the present
//! one becomes the safety snapshot.
//!
//! It is compared with the snapshot before it is seen by anybody, so that nothing can have been written to it. A subvolume
//! that is a mount of its own is unmounted, exchanged from the top level of its filesystem, which is opened for that without
//! being mounted anywhere, and mounted again.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, UnmountFlags};

use super::subvolume::{Subvolume, TOP_LEVEL, uuid_text};
use super::{files_of, take, tool};
use crate::progress::Cancel;
use crate::snapshot::mounts::{self, Mount};
use crate::snapshot::record::{Record, sync_folder};
use crate::snapshot::shelf::{Shelf, path_text};
use crate::snapshot::system::{Program, errno, io_error, is_root};
use crate::snapshot::writers::{Place, seen};
use crate::snapshot::{
    Consistency, Error, Kind, MadeBy, Result, RollbackPlan, RolledBack, SHELF, Snapshot, SnapshotId, Target, Work,
};
use crate::vault::Time;

/// How many paths a plan names.
const NAMED: usize = 5;

const MOUNT: Program = Program {
    name: "mount",
    package: "mount",
    what: "mounting the subvolume again",
};

/// The present state of a target.
struct Present {
    path: PathBuf,
    subvolume: Subvolume,
    /// The mount, if the target is the root of one.
    mount: Option<Mount>,
    /// Where the subvolume is from the top level of its filesystem.
    inner: PathBuf,
    obstacles: Vec<String>,
    holders: Vec<crate::snapshot::Writer>,
}

fn target_path(snapshot: &Snapshot) -> Result<&Path> {
    super::path_of(&snapshot.target)
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
    let holders = seen(&Place::filesystem(path)).holders;
    obstacles.extend(holders.iter().map(|holder| {
        let files: Vec<String> = holder.files.iter().take(2).map(|file| path_text(file)).collect();
        format!("{holder} uses {}: end it first", files.join(" and "))
    }));
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
fn is_placeholder(about: &std::fs::Metadata) -> bool {
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
    let taken = snapshot.taken;
    let mut loses = match differences(&present, &files, &Cancel::default()) {
        Ok(changed) if changed.count == 0 => {
            vec![format!("Nothing: {} is as it was then.", path.display())]
        }
        Ok(changed) => {
            let named: Vec<&str> = changed
                .paths
                .iter()
                .filter(|path| !path.is_empty())
                .map(String::as_str)
                .collect();
            let shown = named.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            let more = match named.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            vec![format!(
                "What was done in {} since {taken}: {} files and folders differ ({shown}{more}).",
                path.display(),
                changed.count
            )]
        }
        Err(error) => vec![format!(
            "Everything written to {} since {taken} (what it is cannot be listed: {error}).",
            path.display()
        )],
    };
    if safety {
        loses.push("All of it stays in the safety snapshot.".into());
    }
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
        let obstacles = [&plan.obstacles, &present.obstacles].into_iter().flatten();
        return Err(Error::Unable {
            target: format!("{} cannot be rolled back: it", path.display()),
            why: match obstacles.map(String::as_str).next() {
                Some(first) => first.to_owned(),
                None => "things have changed since the plan was made: make it again".into(),
            },
        });
    }
    let shelf = Shelf::of(path);
    take::make(&shelf)?;
    let held = shelf.hold()?;
    let safety = SnapshotId::random()?;
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
    work.progress.set_current(b"exchanging");
    match present.mount.clone() {
        None => {
            exchange(&present, new, path, &shelf)?;
            finish(&present, path, &shelf, &safety, plan, work)?;
        }
        Some(mount) => {
            // The lock's file is on the subvolume that is to be unmounted.
            drop(held);
            let top = top_level(&mount)?;
            let base = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), top.as_raw_fd()));
            let below = |path: &Path| base.join(path.strip_prefix("/").unwrap_or(path));
            let target = below(&present.inner);
            let shelf = Shelf {
                path: target.join(SHELF),
                inside: true,
            };
            let unmounted = Unmounted::new(&mount)?;
            // By way of the top level its names are others.
            let new = new.seen_from(&below(&present.inner.with_file_name(new_name(&safety))));
            let done = exchange(&present, new, &target, &shelf)
                .and_then(|()| finish(&present, &target, &shelf, &safety, plan, work));
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

/// What the subvolume that is to take the place is called while it is made beside it.
fn new_name(safety: &SnapshotId) -> String {
    format!(".coffer-{safety}")
}

/// The subvolume that is to take the place; deleted again unless it has taken it.
struct New {
    path: PathBuf,
    keep: bool,
}

impl New {
    fn make(present: &Present, shelf: &Shelf, safety: &SnapshotId, files: &Path) -> Result<New> {
        if present.mount.is_none() {
            let path = present.path.with_file_name(new_name(safety));
            tool::snapshot(files, &path, false)?;
            return Ok(New { path, keep: false });
        }
        // Nothing beside the target can be seen: it is made within and moved later.
        let path = shelf.path.join(new_name(safety));
        tool::snapshot(files, &path, false)?;
        Ok(New { path, keep: false })
    }

    /// Moves it beside the target, as seen from the top level: `beside`.
    fn seen_from(mut self, beside: &Path) -> New {
        self.keep = true;
        New {
            path: beside.to_path_buf(),
            keep: false,
        }
    }
}

impl Drop for New {
    fn drop(&mut self) {
        if !self.keep && self.path.symlink_metadata().is_ok() {
            let _ = tool::delete(&self.path);
        }
    }
}

fn rename(from: &Path, to: &Path, flags: RenameFlags) -> Result<()> {
    rustix::fs::renameat_with(CWD, from, CWD, to, flags).map_err(errno("rename", from))
}

/// Puts the new subvolume in the place of the present one, and the subvolumes within where they were.
fn exchange(present: &Present, mut new: New, target: &Path, shelf: &Shelf) -> Result<()> {
    if present.mount.is_some() {
        let name = new.path.file_name().map(OsStr::to_owned).unwrap_or_default();
        rename(&shelf.path.join(name), &new.path, RenameFlags::NOREPLACE)?;
    }
    // The shelf goes along where it lies within: it is one of these.
    let children = Subvolume::at(target)?.children()?;
    rename(&new.path, target, RenameFlags::EXCHANGE)?;
    // From here on the old state is where the new one was made, and must not be deleted.
    new.keep = true;
    let old = &new.path;
    let mut moved: Vec<(PathBuf, PathBuf)> = Vec::new();
    let inner = children.iter().filter_map(|child| child.strip_prefix(target).ok());
    for child in inner {
        let (from, to) = (old.join(child), target.join(child));
        match put_back(&from, &to) {
            Ok(true) => moved.push((from, to)),
            Ok(false) => {}
            Err(error) => {
                // All or nothing: back to where it was.
                for (from, to) in moved.iter().rev() {
                    rename(to, from, RenameFlags::NOREPLACE)?;
                }
                rename(old, target, RenameFlags::EXCHANGE)?;
                new.keep = false;
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Moves a subvolume into the place that stands empty for it; whether there is one. The folder's time stays.
fn put_back(from: &Path, to: &Path) -> Result<bool> {
    let Some(parent) = to.parent().filter(|parent| parent.is_dir()) else {
        return Ok(false);
    };
    let times = parent.metadata().map_err(io_error("look at", parent))?;
    match to.symlink_metadata() {
        Ok(about) if is_placeholder(&about) => std::fs::remove_dir(to).map_err(io_error("remove", to))?,
        Ok(_) => return Ok(false),
        Err(_) => {}
    }
    rename(from, to, RenameFlags::NOREPLACE)?;
    let times = rustix::fs::Timestamps {
        last_access: timespec(times.atime(), times.atime_nsec()),
        last_modification: timespec(times.mtime(), times.mtime_nsec()),
    };
    let _ = rustix::fs::utimensat(CWD, parent, &times, rustix::fs::AtFlags::empty());
    Ok(true)
}

fn timespec(seconds: i64, nanos: i64) -> rustix::fs::Timespec {
    rustix::fs::Timespec {
        tv_sec: seconds,
        tv_nsec: nanos,
    }
}

/// Makes the old state the safety snapshot, or deletes it.
fn finish(
    present: &Present,
    target: &Path,
    shelf: &Shelf,
    id: &SnapshotId,
    plan: &RollbackPlan,
    work: &Work,
) -> Result<()> {
    let old = target.with_file_name(new_name(id));
    if !plan.safety {
        return tool::delete(&old);
    }
    let part = shelf.part(id);
    std::fs::create_dir(&part).map_err(io_error("create", &part))?;
    let files = part.join("files");
    let snapshot = Snapshot {
        id: id.clone(),
        kind: Kind::Btrfs,
        target: Target::Folder(present.path.clone()),
        taken: now(work),
        consistency: Consistency::Filesystem,
        label: format!("before going back to {}", plan.to.id),
        protected: false,
        made_by: MadeBy::Safety(plan.to.id.clone()),
        group: None,
        pause: None,
        notes: Vec::new(),
        handle: String::new(),
    };
    let details = take::details(&present.subvolume, &present.subvolume, shelf);
    Record::new(snapshot, details).write(&part.join("record.json"))?;
    rename(&old, &files, RenameFlags::NOREPLACE)?;
    tool::set_read_only(&files, true)?;
    let folder = shelf.folder(id);
    std::fs::rename(&part, &folder).map_err(io_error("rename", &part))?;
    sync_folder(&shelf.path)
}

fn now(work: &Work) -> Time {
    work.now
}

/// The top level of a mount's filesystem, opened without being mounted anywhere.
fn top_level(mount: &Mount) -> Result<OwnedFd> {
    let path = &mount.point;
    let opened = (|| {
        let filesystem = rustix::mount::fsopen("btrfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        rustix::mount::fsconfig_set_string(&filesystem, "source", mount.source.as_os_str())?;
        rustix::mount::fsconfig_set_string(&filesystem, "subvolid", TOP_LEVEL.to_string())?;
        rustix::mount::fsconfig_create(&filesystem)?;
        rustix::mount::fsmount(&filesystem, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
    })();
    opened.map_err(errno("open the top level of", path))
}

/// A mount that was taken away and comes again.
struct Unmounted<'a> {
    mount: &'a Mount,
    done: bool,
}

impl Unmounted<'_> {
    fn new(mount: &Mount) -> Result<Unmounted<'_>> {
        match rustix::mount::unmount(&mount.point, UnmountFlags::NOFOLLOW) {
            Ok(()) => Ok(Unmounted { mount, done: false }),
            Err(rustix::io::Errno::BUSY) => Err(Error::Busy {
                what: mount.point.display().to_string(),
                holders: seen(&Place::filesystem(&mount.point)).holders,
            }),
            Err(error) => Err(errno("unmount", &mount.point)(error)),
        }
    }

    fn again(mut self) -> Result<()> {
        self.done = true;
        self.mount_again()
    }

    /// With the options it had; which subvolume is told by its name, since its number is another now.
    fn mount_again(&self) -> Result<()> {
        let mount = self.mount;
        let of_the_filesystem = mount.super_options.split(',');
        let options = mount.options.split(',').chain(of_the_filesystem);
        let kept = options.filter(|option| {
            let name = option.split('=').next().unwrap_or_default();
            !matches!(name, "subvol" | "subvolid" | "seclabel")
        });
        let mut text = OsString::from(kept.collect::<Vec<_>>().join(","));
        text.push(",subvol=");
        text.push(mount.root.as_os_str());
        let arguments = [
            OsStr::new("-t"),
            OsStr::new("btrfs"),
            OsStr::new("-o"),
            text.as_os_str(),
            mount.source.as_os_str(),
            mount.point.as_os_str(),
        ];
        MOUNT.run(&arguments, "run it with sudo").map(drop)
    }
}

impl Drop for Unmounted<'_> {
    fn drop(&mut self) {
        if !self.done
            && let Err(error) = self.mount_again()
        {
            tracing::error!("{error}");
        }
    }
}

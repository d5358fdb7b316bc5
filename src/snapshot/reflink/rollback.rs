//! Going back to a copy: another copy is made of it, compared with it, and exchanged with the folder in one step; the
//! folder as it was becomes the safety snapshot.

use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use super::settle::{DROPPED, delete_tree, discard, is_whole, sweep};
use super::{UNLIKE, details, files_of, make, path_of, shelves, tree};
use crate::progress::Cancel;
use crate::snapshot::compare::{self, How};
use crate::snapshot::copy::set_times;
use crate::snapshot::mounts::{self, Mount, Spot};
use crate::snapshot::record::{Record, sync_folder};
use crate::snapshot::shelf::{Shelf, path_text};
use crate::snapshot::standing;
use crate::snapshot::system::{errno, io_error, is_full, is_root};
use crate::snapshot::writers::{Place, seen};
use crate::snapshot::{Error, Kind, Result, RollbackPlan, RolledBack, Snapshot, SnapshotId, Work};
use crate::text::{bytes, counted};

/// How many paths a plan names.
const NAMED: usize = 5;

/// `within` are the shelves that lie below.
fn obstacles(path: &Path, files: &Path, within: &[PathBuf]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let all = mounts::all();
    if all.iter().any(|mount| mount.point == path) {
        found.push(format!(
            "{0} is where a filesystem is mounted, and nothing can be exchanged with that: put the files back (coffer snapshot \
             restore ID), or keep what is to go back in a folder below {0}",
            path.display()
        ));
    }
    for mount in all
        .iter()
        .filter(|mount| mount.point != path && mount.point.starts_with(path))
    {
        found.push(format!(
            "{0} is mounted within: unmount it first (umount {0})",
            mount.point.display()
        ));
    }
    found.extend(mounted_elsewhere(path, &all));
    // On btrfs the snapshots may lie in a subvolume of their own.
    let shelf = Shelf::of(path).path;
    let device = |path: &Path| rustix::fs::lstat(path).ok().map(|about| about.st_dev);
    if let (Some(there), Some(here)) = (device(&shelf), device(path))
        && there != here
    {
        found.push(format!(
            "its snapshots lie in {}, a subvolume of its own, out of which no folder can be exchanged in one step: clone the \
             snapshot to a free place beside it (coffer snapshot clone) and rename the two yourself, or put the files back \
             (coffer snapshot restore)",
            shelf.display()
        ));
    }
    for below in super::super::btrfs::within(path) {
        found.push(format!(
            "the subvolume {} lies within and would be moved aside with it: roll back the subvolume that holds all, or move \
             it away first",
            below.display()
        ));
    }
    for lost in shelves::without_place(within, files)? {
        found.push(format!(
            "the snapshots in {} are of what lies in a folder that this snapshot does not have: delete them first (coffer \
             snapshot list), or put single files back (coffer snapshot restore)",
            path.join(lost).display()
        ));
    }
    let seen = seen(&Place::named(path));
    if !seen.all && !is_root() {
        found.push(
            "the files of other users' processes cannot be seen: use sudo, so that nothing in use is moved".into(),
        );
    }
    found.extend(standing::in_use(&seen.holders));
    Ok(found)
}

/// The mounts outside a folder that show it or what is in it: they would go on showing the old state. Containers have theirs
/// for themselves.
fn mounted_elsewhere(path: &Path, all: &[Mount]) -> Vec<String> {
    let Some(spot) = Spot::of(all, path) else {
        return Vec::new();
    };
    let ours = all
        .iter()
        .filter(|mount| !mount.point.starts_with(path) && spot.is_root_of(mount));
    let mut found: Vec<String> = ours
        .map(|mount| {
            format!(
                "it, or a folder in it, is mounted at {0} too, where the old state would go on being used: unmount it first \
                 (umount {0})",
                mount.point.display()
            )
        })
        .collect();
    for others in mounts::of_others() {
        let is_ours = |mount: &Mount| {
            all.iter()
                .any(|own| (&own.root, &own.point) == (&mount.root, &mount.point))
        };
        let theirs = others
            .mounts
            .iter()
            .find(|mount| spot.is_root_of(mount) && !is_ours(mount));
        if let Some(mount) = theirs {
            let name = std::fs::read_to_string(format!("/proc/{}/comm", others.pid)).unwrap_or_default();
            found.push(format!(
                "it, or a folder in it, is mounted at {} where {} ({}) runs, a container perhaps, and the old state would go on \
                 being used there: stop that first",
                mount.point.display(),
                name.trim_end(),
                others.pid
            ));
        }
    }
    found
}

fn state(path: &Path, snapshot: &Snapshot, safety: bool) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let inode = path.symlink_metadata().map_or(0, |about| about.ino());
    format!("{} {inode} {safety}", snapshot.id)
}

fn target_path(snapshot: &Snapshot) -> Result<&Path> {
    path_of(&snapshot.target).map_err(|error| standing::no_target(snapshot, error))
}

/// What going back would do.
pub(super) fn plan(snapshot: &Snapshot, safety: bool) -> Result<RollbackPlan> {
    let path = target_path(snapshot)?;
    let files = files_of(snapshot)?;
    let mut differ = 0;
    let mut named = Vec::new();
    compare::trees(&files, path, How::Quick, &Cancel::default(), &mut |found| {
        differ += 1;
        if named.len() < NAMED {
            named.push(path_text(&found.path));
        }
        true
    })?;
    let loses = standing::loses(path, snapshot, differ, &named, safety);
    let within = shelves::within(path)?;
    let mut steps = vec![
        "A copy of the snapshot that shares its blocks is made and compared with it.".into(),
        format!("It takes the place of {} in one step.", path.display()),
        match safety {
            true => "The present state becomes the safety snapshot.".into(),
            false => "The present state is deleted: it cannot be brought back.".into(),
        },
    ];
    if !within.is_empty() {
        steps.insert(2, "The snapshots of folders within stay where they are.".into());
    }
    let mut obstacles = obstacles(path, &files, &within)?;
    obstacles.extend(owners_differ(&files));
    Ok(RollbackPlan {
        state: state(path, snapshot, safety),
        to: snapshot.clone(),
        loses,
        steps,
        safety,
        takes_along: Vec::new(),
        obstacles,
    })
}

/// What stands against going back to a copy that does not have the owners of what it is a copy of.
fn owners_differ(files: &Path) -> Option<String> {
    let record = Record::read(&files.with_file_name("record.json")).ok()?;
    let count = record.details.get(UNLIKE)?.as_u64().filter(|count| *count > 0)?;
    Some(format!(
        "{} not the owner, group or mode of what was copied: put the files back that are wanted (coffer snapshot restore)",
        counted(count, "entry of the snapshot has", "entries of the snapshot have")
    ))
}

/// Refuses where things are no longer as they were, or something stands against it.
fn check(plan: &RollbackPlan, path: &Path, files: &Path, within: &[PathBuf]) -> Result<()> {
    let holders = seen(&Place::named(path)).holders;
    if !holders.is_empty() {
        return Err(Error::Busy {
            what: path.display().to_string(),
            holders,
        });
    }
    let mut now = obstacles(path, files, within)?;
    now.extend(plan.obstacles.iter().cloned());
    if state(path, &plan.to, plan.safety) != plan.state || !now.is_empty() {
        return Err(standing::refusal(path, now.into_iter().next()));
    }
    Ok(())
}

/// Goes back.
pub(super) fn carry_out(plan: &RollbackPlan, work: &Work) -> Result<RolledBack> {
    let snapshot = &plan.to;
    let path = target_path(snapshot)?;
    let files = files_of(snapshot)?;
    check(plan, path, &files, &shelves::within(path)?)?;
    let shelf = Shelf::of(path);
    make(&shelf)?;
    let _held = shelf.hold()?;
    sweep(&shelf);
    let id = SnapshotId::random()?;
    let part = shelf.part(&id);
    if let Err(error) = std::fs::create_dir(&part).map_err(io_error("create", &part)) {
        return Err(if is_full(&error) { full(path, &files) } else { error });
    }
    let made = exchange(plan, path, &files, (&shelf, &id), work);
    if let Err(error) = made {
        // Unless it is what was there before.
        if !is_whole(&part) {
            discard(&part);
        }
        return Err(match is_full(&error) {
            true => full(path, &files),
            false => error,
        });
    }
    let aside = match plan.safety {
        true => std::fs::rename(&part, shelf.folder(&id)).map_err(io_error("rename", &part)),
        false => delete_tree(&part),
    };
    // It has gone back all the same; what is left is put right by the next one that works here.
    if let Err(error) = aside.and_then(|()| sync_folder(&shelf.path)) {
        (work.note)(format!("went back, but the state before is not put away yet: {error}"));
    }
    Ok(RolledBack {
        safety: plan.safety.then_some(id),
        verified: "compared with the snapshot, byte by byte where blocks are not shared: nothing differs".into(),
    })
}

/// What the record of a file or folder takes, about: its inode, its name, and that its blocks are shared.
const EACH: u64 = 1024;

/// Why there is no going back on a full disk. That nothing of the present is kept would not help: the copy comes first.
fn full(path: &Path, files: &Path) -> Error {
    let (mut entries, mut folders) = (1, vec![files.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            entries += 1;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
    Error::Cannot {
        what: format!("roll {} back", path.display()),
        why: format!(
            "its filesystem is full. The copy of the snapshot shares its blocks, but needs room for the records of {}, about \
             {}: delete files or other snapshots first (coffer snapshot list tells what each one takes alone), or put single \
             files back in place (coffer snapshot restore); --no-safety would not help. Nothing was changed",
            counted(entries, "file or folder", "files and folders"),
            bytes(entries * EACH)
        ),
    }
}

/// Makes the copy, compares it, exchanges it. Before the last step nothing is changed; after it what was there lies where
/// the copy was made, with its record: should we die, the next one puts it right.
fn exchange(
    plan: &RollbackPlan,
    path: &Path,
    files: &Path,
    (shelf, id): (&Shelf, &SnapshotId),
    work: &Work,
) -> Result<()> {
    let part = &shelf.part(id);
    let new = part.join("files");
    let _reading = standing::files(files.to_path_buf())?;
    tree::make_root(&new)?;
    tree::copy_tree(files, &new, None, work.progress, work.cancel)?;
    let mut first: Option<PathBuf> = None;
    compare::trees(files, &new, How::Whole, work.cancel, &mut |found| {
        first.get_or_insert(found.path);
        false
    })?;
    if let Some(first) = first {
        return Err(Error::Command {
            command: format!("copying snapshot {}", plan.to.id),
            said: format!("the copy differs from it at {}; nothing was changed", first.display()),
        });
    }
    let snapshot = standing::safety(Kind::Reflink, path, id, plan, shelf, work);
    let mut details = details(shelf, path)?;
    details[DROPPED] = (!plan.safety).into();
    Record::new(snapshot, details).write(&part.join("record.json"))?;
    let open = std::fs::File::open(part).map_err(io_error("open", part))?;
    rustix::fs::syncfs(&open).map_err(errno("sync", part))?;
    work.cancel.check()?;
    // It may have taken long to copy and compare.
    let within = shelves::within(path)?;
    check(plan, path, files, &within)?;
    let look = |folder: &Path| rustix::fs::lstat(folder).map_err(errno("look at", folder));
    let (then, now) = (look(&new)?, look(path)?);
    let swap = || rustix::fs::renameat_with(CWD, &new, CWD, path, RenameFlags::EXCHANGE);
    swap().map_err(errno("exchange", path))?;
    let moved = shelves::move_over(&new, path, &within);
    let (there, aside) = match moved {
        Ok(()) => (&then, &now),
        Err(_) => {
            swap().map_err(errno("exchange back", path))?;
            (&now, &then)
        }
    };
    // XFS counts it as a change of a folder that it has another parent now.
    for (folder, stat) in [(path, there), (new.as_path(), aside)] {
        if let Err(error) = set_times(folder, stat) {
            tracing::warn!("cannot set the times of {}: {error}", folder.display());
        }
    }
    moved
}

//! One subvolume in the place of another in a single step, with the subvolumes within put back where they were, and what
//! becomes of the one that was there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};

use super::remount::TopLevel;
use super::rollback::{Present, is_placeholder};
use super::subvolume::{Subvolume, is_root_of_subvolume, uuid_text};
use super::{standing, take, tool};
use crate::snapshot::copy::set_times;
use crate::snapshot::record::{Record, sync_folder};
use crate::snapshot::shelf::Shelf;
use crate::snapshot::system::{errno, io_error};
use crate::snapshot::{Kind, Result, RollbackPlan, SHELF, SnapshotId, Target, Work, mounts};

/// What the subvolume that is to take the place is called while it is made beside it.
pub(super) fn new_name(safety: &SnapshotId) -> String {
    format!(".coffer-{safety}")
}

/// Whether a path is called as such a one.
pub(super) fn is_new(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let id = name.strip_prefix(".coffer-").map(|id| SnapshotId(id.to_owned()));
    id.is_some_and(|id| id.is_sound())
}

/// The subvolume that is to take the place; deleted again unless it has taken it.
pub(super) struct New {
    /// Where it is.
    pub path: PathBuf,
    keep: bool,
}

impl New {
    /// Makes it of the files of a snapshot.
    pub fn make(present: &Present, shelf: &Shelf, safety: &SnapshotId, files: &Path) -> Result<New> {
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
    pub fn seen_from(mut self, beside: &Path) -> New {
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
pub(super) fn exchange(present: &Present, mut new: New, target: &Path, shelf: &Shelf) -> Result<()> {
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
    let before = rustix::fs::lstat(parent).map_err(errno("look at", parent))?;
    match to.symlink_metadata() {
        Ok(about) if is_placeholder(&about) => std::fs::remove_dir(to).map_err(io_error("remove", to))?,
        Ok(_) => return Ok(false),
        Err(_) => {}
    }
    rename(from, to, RenameFlags::NOREPLACE)?;
    let _ = set_times(parent, &before);
    Ok(true)
}

/// What is written down before anything is exchanged, on the shelf, so that the next command puts right what is left should
/// we die. Taken away again unless the exchange was made.
pub(super) struct Pending {
    part: PathBuf,
    /// Whether the exchange was made.
    pub made: bool,
}

impl Pending {
    /// Writes it down: the record of the safety snapshot, or of what is only to be deleted.
    pub fn write(
        present: &Present,
        shelf: &Shelf,
        id: &SnapshotId,
        plan: &RollbackPlan,
        work: &Work,
    ) -> Result<Pending> {
        let part = shelf.part(id);
        std::fs::create_dir(&part).map_err(io_error("create", &part))?;
        let pending = Pending { part, made: false };
        let snapshot = standing::safety(Kind::Btrfs, &present.path, id, plan, shelf, work);
        let mut details = take::details(&present.subvolume, &present.subvolume, shelf);
        details[DROPPED] = (!plan.safety).into();
        Record::new(snapshot, details).write(&pending.part.join("record.json"))?;
        Ok(pending)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.made {
            take::discard(&self.part);
        }
    }
}

/// In a record: the old state is not kept.
const DROPPED: &str = "dropped";

/// Makes the old state the safety snapshot, or deletes it.
pub(super) fn finish(target: &Path, shelf: &Shelf, id: &SnapshotId, safety: bool) -> Result<()> {
    let (old, part) = (target.with_file_name(new_name(id)), shelf.part(id));
    if safety {
        rename(&old, &part.join("files"), RenameFlags::NOREPLACE)?;
        take::complete(&part)?;
    } else {
        tool::delete(&old)?;
        take::discard(&part);
    }
    sync_folder(&shelf.path)
}

/// Puts right a rollback whose process died, by what it had written down.
pub(super) fn settle(shelf: &Shelf, id: &SnapshotId, record: &Record) -> Result<()> {
    // It lies beside its target or in it: what else the record may say counts for nothing.
    let (Target::Folder(named), Some(home)) = (&record.snapshot.target, shelf.path.parent()) else {
        return Ok(());
    };
    let inside = record.details.get("inside").and_then(serde_json::Value::as_bool);
    if inside == Some(false) {
        return match named.file_name() {
            Some(name) => settle_at(&home.join(name), shelf, id, record),
            None => Ok(()),
        };
    }
    let all = mounts::all();
    let Some(mount) = mounts::of(&all, home).filter(|mount| mount.point == home) else {
        return Ok(());
    };
    let top = TopLevel::open(mount)?;
    let target = top.below(&mount.root);
    let shelf = Shelf {
        path: target.join(SHELF),
        inside: true,
    };
    settle_at(&target, &shelf, id, record)
}

fn settle_at(target: &Path, shelf: &Shelf, id: &SnapshotId, record: &Record) -> Result<()> {
    let beside = target.with_file_name(new_name(id));
    let detail = |name: &str| record.details.get(name);
    let there = is_root_of_subvolume(&beside).then(|| Subvolume::at(&beside).ok());
    let there = there.flatten();
    let uuid = there.as_ref().map(|there| uuid_text(&there.uuid));
    match there {
        // The old one: the exchange was made.
        Some(old) if uuid.as_deref() == detail("uuid").and_then(|uuid| uuid.as_str()) => {
            let children = old.children()?;
            for child in children.iter().filter_map(|child| child.strip_prefix(&beside).ok()) {
                put_back(&beside.join(child), &target.join(child))?;
            }
            let dropped = detail(DROPPED).and_then(serde_json::Value::as_bool);
            finish(target, shelf, id, dropped != Some(true))
        }
        Some(_) => {
            tool::delete(&beside)?;
            take::discard(&shelf.part(id));
            Ok(())
        }
        None => {
            take::discard(&shelf.part(id));
            Ok(())
        }
    }
}

/// Brings back the shelf of a subvolume that is a mount of its own, where a rollback was cut off between the exchange and
/// that: it lies within the old state at the top level. Needs root.
pub(super) fn bring_back(shelf: &Shelf) -> Result<()> {
    let Some(home) = shelf.path.parent() else { return Ok(()) };
    let all = mounts::all();
    let Some(mount) = mounts::of(&all, home).filter(|mount| mount.point == home) else {
        return Ok(());
    };
    let top = TopLevel::open(mount)?;
    let target = top.below(&mount.root);
    let beside = target.parent().map(std::fs::read_dir);
    for old in beside
        .into_iter()
        .flatten()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
    {
        let there = Shelf {
            path: old.join(SHELF),
            inside: true,
        };
        let name = old.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let id = SnapshotId(name.trim_start_matches(".coffer-").to_owned());
        let is_ours = |record: Record| record.snapshot.target == Target::Folder(home.to_path_buf());
        if is_new(&old) && there.open().is_ok() && standing::half_record(&there.part(&id)).is_some_and(is_ours) {
            put_back(&there.path, &target.join(SHELF))?;
        }
    }
    Ok(())
}

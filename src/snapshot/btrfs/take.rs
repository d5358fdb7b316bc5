//! Taking, labelling, cloning and deleting.

use std::path::Path;

use serde_json::json;

use super::exchange::{self, is_new};
use super::rollback::is_placeholder;
use super::subvolume::{Subvolume, is_btrfs, is_root_of_subvolume, uuid_text};
use super::{Consistency, Kind, MadeBy, Order, Result, Snapshot, Work, standing, tool};
use crate::snapshot::record::{Record, sync_folder};
use crate::snapshot::shelf::{Shelf, path_text};
use crate::snapshot::system::{errno, io_error, is_root};
use crate::snapshot::trust;

/// Makes the shelf if it is not there: a subvolume, for its owner alone, since snapshots hold what was deleted since.
pub(super) fn make(shelf: &Shelf) -> Result<()> {
    // Where one was when a snapshot was made, an empty place stands in that.
    let there = || shelf.path.symlink_metadata().ok();
    let is_missing = || there().is_none_or(|about| is_placeholder(&about));
    if shelf.inside && is_root() && is_missing() {
        exchange::bring_back(shelf)?;
    }
    match there() {
        Some(about) if is_placeholder(&about) => {
            std::fs::remove_dir(&shelf.path).map_err(io_error("remove", &shelf.path))?;
        }
        Some(_) => return Ok(()),
        None => {}
    }
    match tool::create(&shelf.path) {
        // Another process may have been quicker.
        Err(_) if trust::is_folder(&shelf.path) => Ok(()),
        Err(error) => Err(error),
        // Not believed before: by the umask others may write to it until then.
        Ok(()) => trust::close_to_others(&shelf.path),
    }
}

/// What a record remembers of a subvolume's snapshot.
pub(super) fn details(of: &Subvolume, files: &Subvolume, shelf: &Shelf) -> serde_json::Value {
    json!({
        "of": uuid_text(&of.uuid),
        "uuid": uuid_text(&files.uuid),
        "inside": shelf.inside,
    })
}

/// Takes one while the shelf is held.
pub(super) fn take(path: &Path, order: &Order, work: &Work) -> Result<Snapshot> {
    let now = Subvolume::at(path)?;
    let shelf = Shelf::of(path);
    sweep(&shelf);
    let part = shelf.part(&order.id);
    std::fs::create_dir(&part).map_err(io_error("create", &part))?;
    let files = part.join("files");
    let taken = (|| {
        let still = snapshot_still(path, &files, order.consistency)?;
        let mut snapshot = standing::ordered(Kind::Btrfs, path, order, &shelf, work);
        snapshot.notes.extend(without(path, &now));
        if !still {
            snapshot.consistency = Consistency::Crash;
            snapshot.notes.push(
                "something was written here while it was made, by a program that could not be held: of that the later may be \
                 in it without the earlier"
                    .into(),
            );
        }
        let details = details(&now, &Subvolume::at(&files)?, &shelf);
        Record::new(snapshot.clone(), details).write(&part.join("record.json"))?;
        let folder = shelf.folder(&order.id);
        std::fs::rename(&part, &folder).map_err(io_error("rename", &part))?;
        sync_folder(&shelf.path)?;
        Ok(snapshot)
    })();
    if taken.is_err() {
        discard(&part);
    }
    taken
}

/// How often it is tried to make one while nobody writes.
const TRIES: usize = 4;

/// Makes the snapshot; whether nothing was written while it was made, where that matters. Writers are held by then, but a
/// program may come that opens a file, writes and is gone.
fn snapshot_still(path: &Path, files: &Path, level: Consistency) -> Result<bool> {
    if level == Consistency::Crash {
        tool::snapshot(path, files, true)?;
        return Ok(true);
    }
    let folder = std::fs::File::open(path).map_err(io_error("open", path))?;
    for attempt in 1..=TRIES {
        let before = Subvolume::at(path)?.changed;
        tool::snapshot(path, files, true)?;
        // What was written counts as a change once it is on its way to the disk. A change just afterwards cannot be told
        // from one meanwhile.
        rustix::fs::syncfs(&folder).map_err(errno("sync", path))?;
        if Subvolume::at(path)?.changed == before {
            return Ok(true);
        }
        // Not everybody may delete it again.
        if attempt == TRIES || tool::delete(files).is_err() {
            break;
        }
    }
    Ok(false)
}

/// What a snapshot does not hold: the subvolumes within.
fn without(path: &Path, now: &Subvolume) -> Vec<String> {
    let children = now.children().unwrap_or_default();
    let inner = children.iter().filter_map(|child| child.strip_prefix(path).ok());
    let names: Vec<String> = inner
        .filter(|child| *child != Path::new(crate::snapshot::SHELF))
        .map(path_text)
        .collect();
    match names.as_slice() {
        [] => Vec::new(),
        names => {
            let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
            let more = match names.len() - shown.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            vec![format!(
                "the subvolumes within ({}{more}) are not in it: each has snapshots of its own",
                shown.join(", ")
            )]
        }
    }
}

/// Puts right what a process that died left: completes what was whole, takes away the rest.
pub(super) fn sweep(shelf: &Shelf) {
    let Ok(open) = shelf.open() else { return };
    let through = trust::path_of(&open);
    for entry in std::fs::read_dir(&through).into_iter().flatten().flatten() {
        let path = entry.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let done = match extension {
            // Copies of folders are for another provider to put right.
            Some("gone" | "part") if !standing::is_kind(&path, Kind::Btrfs) => Ok(()),
            Some("gone") => {
                discard(&path);
                Ok(())
            }
            Some("part") => settle(shelf, &path),
            _ if is_new(&path) && is_root_of_subvolume(&path) => tool::delete(&path),
            _ => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!("cannot put {} right: {error}", path.display());
        }
    }
}

/// One that was being made, by a taking or a rollback.
fn settle(shelf: &Shelf, part: &Path) -> Result<()> {
    let record = standing::half_record(part);
    let files = Subvolume::at(&part.join("files")).ok();
    match (record, files) {
        (Some(record), Some(files)) => {
            let uuid = record.details.get("uuid").and_then(serde_json::Value::as_str);
            // One that a backup took for itself is of no use once that has died.
            let is_wanted = record.snapshot.made_by != MadeBy::Backup;
            match is_wanted && uuid == Some(&uuid_text(&files.uuid)) {
                true => return complete(part),
                false => discard(part),
            }
        }
        (Some(record), None) => return exchange::settle(shelf, &record.snapshot.id, &record),
        (None, _) => discard(part),
    }
    Ok(())
}

/// Makes what is whole a snapshot.
pub(super) fn complete(part: &Path) -> Result<()> {
    tool::set_read_only(&part.join("files"), true)?;
    std::fs::rename(part, part.with_extension("")).map_err(io_error("rename", part))
}

/// Deletes a folder of the shelf with the subvolumes in it. What cannot be deleted is left for the next sweep.
pub(super) fn discard(folder: &Path) {
    // What is no real folder is none of ours.
    let entries = trust::is_folder(folder).then(|| std::fs::read_dir(folder));
    for entry in entries.into_iter().flatten().flatten().flatten() {
        let path = entry.path();
        let gone = match is_root_of_subvolume(&path) {
            true => tool::delete(&path).map_err(|error| error.to_string()),
            false => std::fs::remove_file(&path).map_err(|error| error.to_string()),
        };
        if let Err(error) = gone {
            tracing::warn!("{error}");
        }
    }
    let _ = std::fs::remove_dir(folder);
}

/// Makes a subvolume that can be written to.
pub(super) fn clone_to(files: &Path, place: &Path) -> Result<String> {
    let device = |path: &Path| {
        let mounts = crate::snapshot::mounts::all();
        crate::snapshot::mounts::of(&mounts, path).map(|mount| mount.device.clone())
    };
    standing::check_place(place, |parent| is_btrfs(parent) && device(parent) == device(files))?;
    let _reading = standing::files(files.to_path_buf())?;
    tool::snapshot(files, place, false)?;
    Ok(path_text(place))
}

/// Deletes one.
pub(super) fn delete(shelf: &Shelf, snapshot: &Snapshot, work: &Work) -> Result<()> {
    let _held = shelf.wait(work)?;
    let aside = standing::set_aside(shelf, &snapshot.id)?;
    let gone = &aside.path;
    let files = gone.join("files");
    // The program would follow a link to any subvolume.
    let deleted = match trust::is_folder(&files) {
        true => tool::delete(&files),
        false => Ok(()),
    };
    if let Err(error) = deleted {
        std::fs::rename(gone, gone.with_extension("")).map_err(io_error("rename", &shelf.folder(&snapshot.id)))?;
        return Err(error);
    }
    discard(gone);
    sync_folder(&shelf.path)
}

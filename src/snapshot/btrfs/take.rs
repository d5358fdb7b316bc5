//! Taking, labelling, cloning and deleting.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;

use super::subvolume::{Subvolume, is_btrfs, is_root_of_subvolume, uuid_text};
use super::{Error, Kind, Labels, Order, Result, Snapshot, Target, Work, tool};
use crate::snapshot::record::{Record, sync_folder};
use crate::snapshot::shelf::{Shelf, path_text};
use crate::snapshot::system::io_error;

/// Makes the shelf if it is not there: a subvolume, for its owner alone, since snapshots hold what was deleted since.
pub(super) fn make(shelf: &Shelf) -> Result<()> {
    if shelf.path.symlink_metadata().is_ok() {
        return Ok(());
    }
    match tool::create(&shelf.path) {
        // Another process may have been quicker.
        Err(_) if shelf.path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            let only_owner = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(&shelf.path, only_owner).map_err(io_error("set the mode of", &shelf.path))
        }
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

/// Takes one.
pub(super) fn take(path: &Path, order: &Order, work: &Work) -> Result<Snapshot> {
    let now = Subvolume::at(path)?;
    let shelf = Shelf::of(path);
    make(&shelf)?;
    let _held = shelf.hold()?;
    sweep(&shelf);
    let part = shelf.part(&order.id);
    std::fs::create_dir(&part).map_err(io_error("create", &part))?;
    let files = part.join("files");
    let taken = (|| {
        tool::snapshot(path, &files, true)?;
        let snapshot = Snapshot {
            id: order.id.clone(),
            kind: Kind::Btrfs,
            target: Target::Folder(path.to_path_buf()),
            taken: work.now,
            consistency: order.consistency,
            label: order.label.clone(),
            protected: order.protected,
            made_by: order.made_by.clone(),
            group: order.group.clone(),
            pause: None,
            notes: without(path, &now),
            handle: path_text(&shelf.files(&order.id)),
        };
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
fn sweep(shelf: &Shelf) {
    let Ok(entries) = std::fs::read_dir(&shelf.path) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gone") => discard(&path),
            Some("part") => {
                let record = Record::read(&path.join("record.json"));
                let files = Subvolume::at(&path.join("files"));
                let whole = record.ok().zip(files.ok()).is_some_and(|(record, files)| {
                    let uuid = record.details.get("uuid").and_then(serde_json::Value::as_str);
                    uuid == Some(&uuid_text(&files.uuid))
                });
                match whole {
                    true => drop(std::fs::rename(&path, path.with_extension(""))),
                    false => discard(&path),
                }
            }
            _ => {}
        }
    }
}

/// Deletes a folder of the shelf with the subvolumes in it. What cannot be deleted is left for the next sweep.
pub(super) fn discard(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
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

/// Changes what is known of a snapshot.
fn change(shelf: &Shelf, snapshot: &Snapshot, change: impl FnOnce(&mut Snapshot)) -> Result<Snapshot> {
    let _held = shelf.hold()?;
    let file = shelf.record(&snapshot.id);
    let mut record = Record::read(&file)?;
    change(&mut record.snapshot);
    record.write(&file)?;
    Ok(Snapshot {
        target: snapshot.target.clone(),
        handle: snapshot.handle.clone(),
        ..record.snapshot
    })
}

/// Gives it another label, protects it or stops that.
pub(super) fn relabel(shelf: &Shelf, snapshot: &Snapshot, labels: &Labels) -> Result<Snapshot> {
    change(shelf, snapshot, |known| {
        known.label.clone_from(&labels.label);
        known.protected = labels.protected;
    })
}

/// Writes down what became known after it was taken.
pub(super) fn amend(shelf: &Shelf, snapshot: &Snapshot) -> Result<()> {
    change(shelf, snapshot, |known| {
        known.pause = snapshot.pause;
        known.notes.clone_from(&snapshot.notes);
        known.consistency = snapshot.consistency;
    })
    .map(drop)
}

/// Makes a subvolume that can be written to.
pub(super) fn clone_to(files: &Path, place: &Path) -> Result<String> {
    let unable = |why: String| {
        Err(Error::Unable {
            target: place.display().to_string(),
            why,
        })
    };
    if !place.is_absolute() || place.symlink_metadata().is_ok() {
        return unable("name a place that is not there yet, as an absolute path".into());
    }
    let parent = place.parent().unwrap_or(place);
    if !parent.is_dir() {
        return unable("its parent folder is not there: make it first".into());
    }
    let device = |path: &Path| {
        let mounts = crate::snapshot::mounts::all();
        crate::snapshot::mounts::of(&mounts, path).map(|mount| mount.device.clone())
    };
    if !is_btrfs(parent) || device(parent) != device(files) {
        return unable(
            "a clone shares its blocks with the snapshot, so it must be on the same filesystem; to copy the files \
             elsewhere: coffer snapshot restore"
                .into(),
        );
    }
    tool::snapshot(files, place, false)?;
    Ok(path_text(place))
}

/// Deletes one. What is half deleted is no snapshot any more.
pub(super) fn delete(shelf: &Shelf, snapshot: &Snapshot) -> Result<()> {
    let _held = shelf.hold()?;
    let folder = shelf.folder(&snapshot.id);
    let record = Record::read(&shelf.record(&snapshot.id))?;
    if record.snapshot.protected {
        return Err(Error::Protected(snapshot.id.to_string()));
    }
    let gone = folder.with_extension("gone");
    std::fs::rename(&folder, &gone).map_err(io_error("rename", &folder))?;
    if let Err(error) = tool::delete(&gone.join("files")) {
        std::fs::rename(&gone, &folder).map_err(io_error("rename", &gone))?;
        return Err(error);
    }
    discard(&gone);
    sync_folder(&shelf.path)
}

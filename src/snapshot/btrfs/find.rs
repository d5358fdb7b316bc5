//! Looking for subvolumes, and for the snapshots of one: ours by their records, those of others by their descent.

use std::collections::BTreeSet;
use std::path::Path;

use super::subvolume::{Subvolume, TOP_LEVEL, is_root_of_subvolume, uuid_text};
use super::{Found, Kind, MadeBy, Result, Snapshot, Target, may_take, standing};
use crate::snapshot::mounts::{self, Mount};
use crate::snapshot::shelf::{Shelf, is_shelved, path_text};
use crate::snapshot::{Consistency, SnapshotId, Whole};
use crate::vault::Time;

/// All mounts of btrfs, one of each folder of each filesystem.
fn mounts_of_btrfs() -> Vec<Mount> {
    let mut seen = BTreeSet::new();
    let all = mounts::all().into_iter().filter(|mount| mount.kind == "btrfs");
    all.filter(|mount| seen.insert((mount.device.clone(), mount.root.clone())))
        .collect()
}

/// The subvolumes that can be seen and written to, each once.
pub(super) fn subvolumes() -> Vec<Found> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for mount in mounts_of_btrfs() {
        for subvolume in Subvolume::family(&mount.point) {
            let is_target = !subvolume.read_only && !is_shelved(&subvolume.path);
            if !is_target || !seen.insert((mount.device.clone(), subvolume.id)) {
                continue;
            }
            let what = match subvolume.id {
                TOP_LEVEL => "top level of",
                _ => "subvolume on",
            };
            found.push(Found {
                about: format!("{what} {}", mount.source.to_string_lossy()),
                problem: may_take(&subvolume.path).err(),
                target: Target::Folder(subvolume.path),
                kind: Kind::Btrfs,
                size: None,
            });
        }
    }
    found
}

/// The snapshots of the subvolume at `path`, oldest first. Also where there is none any more.
pub(super) fn snapshots(path: &Path) -> Result<Vec<Snapshot>> {
    let mut found = Vec::new();
    // Snapshots of what it was before a rollback are its own too: the records of what was taken then tell its id.
    let mut line = BTreeSet::new();
    if is_root_of_subvolume(path) {
        line.insert(uuid_text(&Subvolume::at(path)?.uuid));
    }
    let mut ours = BTreeSet::new();
    for (snapshot, record) in Shelf::all_records(path)? {
        if record.snapshot.kind != Kind::Btrfs {
            continue;
        }
        let Ok(files) = Subvolume::at(Path::new(&snapshot.handle)) else {
            continue;
        };
        let origin = record.details.get("of").and_then(serde_json::Value::as_str);
        line.extend(origin.map(str::to_owned));
        if ours.insert(uuid_text(&files.uuid)) {
            found.push(snapshot);
        }
    }
    if line.is_empty() {
        return Ok(found);
    }
    let mounts = mounts::all();
    let device = mounts::of(&mounts, path).map(|mount| mount.device.clone());
    for mount in mounts_of_btrfs() {
        if Some(&mount.device) != device.as_ref() {
            continue;
        }
        for other in Subvolume::family(&mount.point) {
            let descends = other.read_only && line.contains(&uuid_text(&other.parent));
            // What lies on a shelf without a record is not whole.
            if descends && !is_shelved(&other.path) && ours.insert(uuid_text(&other.uuid)) {
                found.push(foreign(path, &other));
            }
        }
    }
    standing::sort(&mut found);
    Ok(found)
}

/// One that another program made.
fn foreign(of: &Path, subvolume: &Subvolume) -> Snapshot {
    Snapshot {
        id: SnapshotId::foreign(Kind::Btrfs, &subvolume.uuid),
        kind: Kind::Btrfs,
        target: Target::Folder(of.to_path_buf()),
        taken: Time {
            seconds: subvolume.made,
            nanos: 0,
            offset: 0,
        },
        consistency: Consistency::Crash,
        label: path_text(&subvolume.path),
        protected: false,
        made_by: MadeBy::Other,
        until: None,
        group: None,
        pause: None,
        notes: vec!["another program made it and says nothing of its consistency".into()],
        whole: Whole::Yes,
        handle: path_text(&subvolume.path),
    }
}

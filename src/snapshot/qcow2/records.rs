//! Where the records of the snapshots in images lie, and how one is found.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::kept::Disk;
use crate::snapshot::record::Record;
use crate::snapshot::shelf::{SHELF, Shelf};
use crate::snapshot::system::io_error;
use crate::snapshot::{Error, MadeBy, Result, Snapshot, SnapshotId};

/// Where the records of an image's snapshots are.
pub(in crate::snapshot) fn shelf(image: &Path) -> Shelf {
    Shelf {
        path: image.parent().unwrap_or(Path::new("/")).join(SHELF),
        inside: false,
    }
}

/// The same, made if it is not there.
pub(in crate::snapshot) fn make_shelf(image: &Path) -> Result<Shelf> {
    let shelf = shelf(image);
    match std::fs::DirBuilder::new().mode(0o700).create(&shelf.path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Error::Rights {
            what: format!("keeping records of snapshots in {}", shelf.path.display()),
            help: "run it with sudo, or as the image's owner".into(),
        }),
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(io_error("create", &shelf.path)(error)),
        _ => Ok(shelf),
    }
}

/// The record of a snapshot and the shelf beside some images on which it lies; `None` when it is lost, or the snapshot is
/// another program's. What may not be read or believed is not lost: that is an error.
pub(in crate::snapshot) fn record_of(disks: &[Disk], snapshot: &Snapshot) -> Result<Option<(Shelf, Record)>> {
    match snapshot.made_by {
        MadeBy::Other => Ok(None),
        _ => record_by_id(disks, &snapshot.id),
    }
}

/// The same of one of ours.
pub(super) fn record_by_id(disks: &[Disk], id: &SnapshotId) -> Result<Option<(Shelf, Record)>> {
    let shelves: BTreeSet<PathBuf> = disks.iter().map(|disk| shelf(&disk.image).path).collect();
    let mut refused = None;
    for path in shelves {
        let shelf = Shelf { path, inside: false };
        match record_on(&shelf, id) {
            Ok(Some(record)) => return Ok(Some((shelf, record))),
            Ok(None) => {}
            Err(error) => {
                refused.get_or_insert(error);
            }
        }
    }
    refused.map_or(Ok(None), Err)
}

fn record_on(shelf: &Shelf, id: &SnapshotId) -> Result<Option<Record>> {
    match shelf.open().and_then(|_| Record::read(&shelf.record(id))) {
        Ok(record) => Ok((record.snapshot.id == *id).then_some(record)),
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied => Err(Error::Rights {
            what: format!("reading what is known of snapshot {id} in {}", shelf.path.display()),
            help: "run it with sudo, or as the user who took it".into(),
        }),
        Err(error) => Err(error),
    }
}

/// The images that a snapshot of ours was made in, as its record tells.
pub(in crate::snapshot) fn images_of(record: &Record) -> Vec<PathBuf> {
    let images = record.details["images"].as_array();
    let paths = images.into_iter().flatten().filter_map(Value::as_str);
    paths.map(PathBuf::from).collect()
}

/// In the record of the state before a rollback: what is gone back to, until all images have.
const GOING_BACK: &str = "going_back";

/// Writes down that images go back to a snapshot, or, with `None`, that they do so no more.
pub(super) fn mark(shelf: &Shelf, before: &SnapshotId, to: Option<&SnapshotId>) -> Result<()> {
    let _held = shelf.hold_records()?;
    let file = shelf.record(before);
    let mut record = Record::read(&file)?;
    record.details[GOING_BACK] = to.map(|to| to.0.as_str()).into();
    record.write(&file)
}

/// A rollback of several images that has begun and not ended: they may be of two moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CutOff {
    /// Where it is written down.
    pub shelf: Shelf,
    /// The snapshot of what was before.
    pub before: SnapshotId,
    /// What was gone back to.
    pub to: String,
}

/// What a record says of one.
pub(super) fn going_back(record: &Record) -> Option<&str> {
    record.details.get(GOING_BACK)?.as_str()
}

/// Those of these images, all of whose are among them.
pub(super) fn cut_off(disks: &[Disk]) -> Vec<CutOff> {
    let ids: BTreeSet<SnapshotId> = disks.iter().flat_map(Disk::own).collect();
    let mut found = Vec::new();
    for before in ids {
        if let Ok(Some((shelf, record))) = record_by_id(disks, &before)
            && let Some(to) = going_back(&record)
            && (images_of(&record).iter()).all(|image| disks.iter().any(|disk| disk.image == *image))
        {
            let to = to.to_owned();
            found.push(CutOff { shelf, before, to });
        }
    }
    found
}

//! What is known of snapshots in images: qcow2 itself keeps a name, a time and the size of the RAM; the rest lies in a record
//! on a shelf beside the (first) image, see [`SHELF`](crate::snapshot::SHELF).
//!
//! A snapshot of ours has the name `coffer-<id>` in each image it is in. Its record is written before the snapshot is made,
//! as `<id>.part`, so that what a process that died left can be told and put right.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::image::{Info, Internal};
use super::records::{going_back, record_by_id};
pub(in crate::snapshot) use super::records::{images_of, make_shelf, record_of, shelf};
use crate::snapshot::reading::{self, Reading};
use crate::snapshot::record::{Record, sync_folder};
use crate::snapshot::shelf::{Held, Shelf, path_text};
use crate::snapshot::standing::sort;
use crate::snapshot::system::io_error;
use crate::snapshot::{Consistency, Error, Kind, Labels, MadeBy, Result, Snapshot, SnapshotId, Target, Whole};
use crate::vault::Time;

/// What begins the names of our snapshots.
const PREFIX: &str = "coffer-";

/// The name in the images of a snapshot of ours.
pub(in crate::snapshot) fn name_of(id: &SnapshotId) -> String {
    format!("{PREFIX}{id}")
}

fn id_in(name: &str) -> Option<SnapshotId> {
    let id = SnapshotId(name.strip_prefix(PREFIX)?.to_owned());
    id.is_sound().then_some(id)
}

/// An image and what it is.
#[derive(Debug, Clone)]
pub(in crate::snapshot) struct Disk {
    /// The image.
    pub image: PathBuf,
    /// What it is now.
    pub info: Info,
}

impl Disk {
    /// Looks at one.
    pub fn read(image: &Path) -> Result<Disk> {
        Ok(Disk {
            image: image.to_path_buf(),
            info: Info::read(image)?,
        })
    }

    /// The ids of our snapshots in it.
    pub fn own(&self) -> impl Iterator<Item = SnapshotId> {
        self.info.snapshots.iter().filter_map(|one| id_in(&one.name))
    }

    /// The snapshot in this image that is meant.
    pub fn find(&self, snapshot: &Snapshot) -> Option<&Internal> {
        let names = self.info.snapshots.iter();
        match snapshot.made_by {
            MadeBy::Other => names
                .into_iter()
                .find(|one| foreign(snapshot.kind, &snapshot.target, one) == snapshot.id),
            _ => self.info.named(&name_of(&snapshot.id)),
        }
    }
}

/// The id of a snapshot that another program made: the same in all images of a machine, where its name is.
fn foreign(kind: Kind, target: &Target, one: &Internal) -> SnapshotId {
    let number = match target {
        // In one image there may be two of one name.
        Target::Image(_) => one.id.as_str(),
        _ => "",
    };
    SnapshotId::foreign(kind, format!("{target}\0{number}\0{}", one.name).as_bytes())
}

/// All snapshots in the images of a target, oldest first.
pub(in crate::snapshot) fn list(kind: Kind, target: &Target, disks: &[Disk]) -> Vec<Snapshot> {
    let mut found: BTreeMap<SnapshotId, (Snapshot, usize)> = BTreeMap::new();
    for disk in disks {
        for one in &disk.info.snapshots {
            let own = id_in(&one.name);
            let id = own.clone().unwrap_or_else(|| foreign(kind, target, one));
            if let Some((snapshot, disks)) = found.get_mut(&id) {
                *disks += 1;
                if own.is_none() && one.ram > 0 {
                    snapshot.consistency = Consistency::Memory;
                }
                continue;
            }
            let known = own.map_or(Ok(None), |id| record_by_id(disks, &id));
            let snapshot = match known {
                Ok(Some((_, record))) => of_record(&record, kind, target, &one.name),
                Ok(None) => of_image(&id, kind, target, one, LOST.into()),
                Err(error) => of_image(&id, kind, target, one, format!("{HIDDEN}: {error}")),
            };
            found.insert(id, (snapshot, 1));
        }
    }
    let whole = |(mut snapshot, seen): (Snapshot, usize)| {
        if seen < disks.len() {
            snapshot.notes.push(format!(
                "in {seen} of {} disks only: going back to it is refused",
                disks.len()
            ));
        }
        snapshot
    };
    let mut all: Vec<Snapshot> = found.into_values().map(whole).collect();
    sort(&mut all);
    all
}

fn of_record(record: &Record, kind: Kind, target: &Target, name: &str) -> Snapshot {
    let mut snapshot = record.snapshot.clone();
    if let (Target::Image(_), Target::Machine(machine)) = (target, &snapshot.target) {
        let disks = images_of(record).len();
        let disks = crate::text::counted(disks as u64, "disk", "disks");
        snapshot.notes.push(format!(
            "taken of the machine {machine} with {disks}: by this image only its disk can be had, without RAM"
        ));
    }
    if let Some(to) = going_back(record) {
        snapshot.notes.push(format!(
            "going back to {to} was begun and has not ended: unless a job still does (coffer jobs), the disks are of two \
             moments; go back to this one, or to that again"
        ));
    }
    snapshot.kind = kind;
    snapshot.target = target.clone();
    name.clone_into(&mut snapshot.handle);
    snapshot
}

/// What is said of a snapshot of ours whose record is lost.
const LOST: &str = "its record is lost: label, level and who made it are not known";
/// What begins what is said of one whose record cannot be had.
const HIDDEN: &str = "label, level, protection and who made it are not known";

/// One without a record: of another program, or of ours, with why there is none.
fn of_image(id: &SnapshotId, kind: Kind, target: &Target, one: &Internal, why: String) -> Snapshot {
    let own = id_in(&one.name).is_some();
    Snapshot {
        id: id.clone(),
        kind,
        target: target.clone(),
        taken: Time {
            seconds: one.taken.0,
            nanos: one.taken.1,
            offset: 0,
        },
        consistency: match one.ram {
            0 => Consistency::Crash,
            _ => Consistency::Memory,
        },
        label: match own {
            true => String::new(),
            false => one.name.clone(),
        },
        protected: false,
        made_by: match own {
            true => MadeBy::Hand,
            false => MadeBy::Other,
        },
        until: None,
        group: None,
        pause: None,
        notes: match own {
            true => vec![why],
            false => Vec::new(),
        },
        whole: Whole::Yes,
        handle: one.name.clone(),
    }
}

/// A record that is written before its snapshot is made. Taken away again unless it is kept.
#[derive(Debug)]
pub(in crate::snapshot) struct Begun {
    shelf: Shelf,
    id: SnapshotId,
    kept: bool,
}

/// Writes down a snapshot that is about to be made in some images.
pub(in crate::snapshot) fn begin(shelf: &Shelf, snapshot: &Snapshot, disks: &[PathBuf]) -> Result<Begun> {
    let part = shelf.part(&snapshot.id);
    std::fs::create_dir(&part).map_err(io_error("create", &part))?;
    let begun = Begun {
        shelf: shelf.clone(),
        id: snapshot.id.clone(),
        kept: false,
    };
    let images: Vec<String> = disks.iter().map(|image| path_text(image)).collect();
    Record::new(snapshot.clone(), json!({ "images": images })).write(&part.join("record.json"))?;
    Ok(begun)
}

impl Begun {
    /// The snapshot is there: so is its record from now on.
    pub fn keep(mut self) -> Result<()> {
        let part = self.shelf.part(&self.id);
        std::fs::rename(&part, self.shelf.folder(&self.id)).map_err(io_error("rename", &part))?;
        self.kept = true;
        sync_folder(&self.shelf.path)
    }

    /// Something may be left in the images: the record stays where the next one finds it.
    pub fn leave(mut self) {
        self.kept = true;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.kept {
            discard(&self.shelf.part(&self.id));
        }
    }
}

/// The snapshots that were begun on a shelf in these images and never kept, by processes that died: their names, to be
/// deleted from the images. Hold the shelf.
pub(in crate::snapshot) fn left_over(shelf: &Shelf, images: &[PathBuf]) -> Vec<SnapshotId> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&shelf.path).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_suffix(".part"));
        let Some(id) = id.map(|id| SnapshotId(id.to_owned())).filter(SnapshotId::is_sound) else {
            continue;
        };
        let Ok(record) = Record::read(&entry.path().join("record.json")) else {
            continue;
        };
        // The shelf is that of folders too, whose providers look after their own.
        let is_own = matches!(record.snapshot.kind, Kind::Qcow2 | Kind::Qemu);
        let of = images_of(&record);
        if is_own && !of.is_empty() && of.iter().all(|image| images.contains(image)) {
            found.push(id);
        }
    }
    found
}

/// Takes away what is known of a snapshot that is gone.
pub(in crate::snapshot) fn forget(shelf: &Shelf, id: &SnapshotId) {
    discard(&shelf.part(id));
    discard(&shelf.folder(id));
}

fn discard(folder: &Path) {
    for name in ["record.json", "record.part"] {
        let _ = std::fs::remove_file(folder.join(name));
    }
    match std::fs::remove_dir(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!("cannot delete {}: {error}", folder.display());
        }
        _ => {}
    }
}

/// Changes what is known of a snapshot of ours.
pub(in crate::snapshot) fn change(
    disks: &[Disk],
    snapshot: &Snapshot,
    change: impl FnOnce(&mut Snapshot),
) -> Result<Snapshot> {
    let Some((shelf, _)) = record_of(disks, snapshot)? else {
        return Err(Error::Unable {
            target: format!("snapshot {}", snapshot.id),
            why: match snapshot.made_by {
                MadeBy::Other => "another program made it, and nothing can be written down of it".into(),
                _ => "its record is lost, and nothing more can be written down of it".into(),
            },
        });
    };
    let _held = shelf.hold_records()?;
    // Not of one that goes just now.
    let _stays = reading::begin(&shelf, &snapshot.id)?;
    // Only now: another one may have changed it until here.
    let mut record = Record::read(&shelf.record(&snapshot.id))?;
    change(&mut record.snapshot);
    record.write(&shelf.record(&snapshot.id))?;
    Ok(of_record(&record, snapshot.kind, &snapshot.target, &snapshot.handle))
}

/// Gives it another label, protects it or stops that.
pub(in crate::snapshot) fn relabel(disks: &[Disk], snapshot: &Snapshot, labels: &Labels) -> Result<Snapshot> {
    change(disks, snapshot, |record| {
        record.label.clone_from(&labels.label);
        record.protected = labels.protected;
    })
}

/// Writes down what became known afterwards.
pub(in crate::snapshot) fn amend(disks: &[Disk], snapshot: &Snapshot) -> Result<()> {
    let now = change(disks, snapshot, |record| {
        record.pause = snapshot.pause;
        record.notes.clone_from(&snapshot.notes);
        record.consistency = snapshot.consistency;
    });
    now.map(drop)
}

/// A snapshot that may go, until this is dropped: nobody changes what is known of it, and nobody reads it.
#[derive(Debug)]
pub(in crate::snapshot) struct Going {
    shelf: Shelf,
    id: SnapshotId,
    #[allow(dead_code)]
    held: (Held, Option<Held>),
    #[allow(dead_code)]
    unread: Option<Reading>,
}

impl Going {
    /// It is gone from the images: so is what is known of it.
    pub fn forget(self) {
        forget(&self.shelf, &self.id);
    }
}

/// Refuses to delete what is protected, being read or another program's. `None` for one whose record is lost. `hold` gets the
/// shelf.
pub(in crate::snapshot) fn may_go(
    disks: &[Disk],
    snapshot: &Snapshot,
    hold: impl FnOnce(&Shelf) -> Result<Held>,
) -> Result<Option<Going>> {
    if snapshot.made_by == MadeBy::Other {
        return Err(Error::Unable {
            target: format!("snapshot {}", snapshot.id),
            why: format!(
                "another program made it, so that one deletes it (or: qemu-img snapshot -d {})",
                crate::text::escape(snapshot.handle.as_bytes())
            ),
        });
    }
    let Some((shelf, _)) = record_of(disks, snapshot)? else {
        return Ok(None);
    };
    let held = hold(&shelf)?;
    let records = shelf.hold_records()?;
    // Only now: it may have been protected until here, or deleted.
    if !shelf.folder(&snapshot.id).is_dir() {
        return Err(Error::NoSnapshot(snapshot.id.to_string()));
    }
    if Record::read(&shelf.record(&snapshot.id))?.snapshot.protected {
        return Err(Error::Protected(snapshot.id.to_string()));
    }
    let unread = reading::nobody(&shelf, &snapshot.id)?;
    // Deleting may take minutes: from here on nobody can change what is known of this one, and of the others they may.
    let records = unread.is_none().then_some(records);
    Ok(Some(Going {
        id: snapshot.id.clone(),
        shelf,
        held: (held, records),
        unread,
    }))
}

/// Keeps a snapshot of ours from being deleted while it is read.
pub(in crate::snapshot) fn keep_there(disks: &[Disk], snapshot: &Snapshot) -> Result<Option<Reading>> {
    match record_of(disks, snapshot) {
        Ok(Some((shelf, _))) => reading::begin(&shelf, &snapshot.id),
        // Who may read the image but not its records may do so without, as of what has no record.
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::records::{cut_off, mark};
    use super::*;
    use crate::snapshot::testing;

    /// A shelf with one that was begun of each of these: its kind, and the images it is in.
    fn begun(shelf: &Shelf, id: &str, kind: Kind, images: &[&str]) {
        let mut snapshot = testing::snapshot(id, 5);
        snapshot.kind = kind;
        let images: Vec<PathBuf> = images.iter().map(PathBuf::from).collect();
        begin(shelf, &snapshot, &images).unwrap().leave();
    }

    #[test]
    fn what_is_known_of_others_can_be_changed_while_one_goes() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("a");
        let shelf = make_shelf(&image).unwrap();
        let ids = ["aaaaaaaaaaaa", "bbbbbbbbbbbb"];
        for id in ids {
            begun(&shelf, id, Kind::Qcow2, &[]);
            let id = SnapshotId(id.into());
            std::fs::rename(shelf.part(&id), shelf.folder(&id)).unwrap();
        }
        let parts = ids.map(|id| json!({ "id": id, "name": format!("coffer-{id}") }));
        let info = Info::of(&json!({ "snapshots": parts }));
        let disks = [Disk { image, info }];
        let [goes, stays] = ids.map(|id| testing::snapshot(id, 5));
        let labels = Labels {
            label: "x".into(),
            protected: true,
        };
        let going = may_go(&disks, &goes, Shelf::hold).unwrap().unwrap();
        assert!(matches!(relabel(&disks, &goes, &labels), Err(Error::NoSnapshot(_))));
        assert!(relabel(&disks, &stays, &labels).unwrap().protected);
        drop(going);
        relabel(&disks, &goes, &labels).unwrap();
        let refused = may_go(&disks, &goes, Shelf::hold);
        assert!(matches!(refused, Err(Error::Protected(_))), "{refused:?}");
    }

    #[test]
    fn only_what_was_begun_in_these_images_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf {
            path: folder.path().into(),
            inside: false,
        };
        begun(&shelf, "aaaaaaaaaaaa", Kind::Qcow2, &["/vm/a"]);
        begun(&shelf, "bbbbbbbbbbbb", Kind::Qemu, &["/vm/a", "/vm/b"]);
        begun(&shelf, "cccccccccccc", Kind::Qemu, &[]);
        // Of folders beside the images, a state before a rollback perhaps.
        begun(&shelf, "dddddddddddd", Kind::Btrfs, &[]);
        begun(&shelf, "eeeeeeeeeeee", Kind::Reflink, &["/vm/a"]);
        let of = |images: &[&str]| {
            let images: Vec<PathBuf> = images.iter().map(PathBuf::from).collect();
            let mut found = left_over(&shelf, &images);
            found.sort();
            found.into_iter().map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(of(&["/vm/a"]), ["aaaaaaaaaaaa"]);
        assert_eq!(of(&["/vm/a", "/vm/b"]), ["aaaaaaaaaaaa", "bbbbbbbbbbbb"]);
        assert!(of(&[]).is_empty());
    }

    #[test]
    fn what_is_protected_or_read_does_not_go() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("a.qcow2");
        let mut snapshot = testing::snapshot("aaaaaaaaaaaa", 5);
        snapshot.made_by = MadeBy::Hand;
        snapshot.kind = Kind::Qcow2;
        let shelf = make_shelf(&image).unwrap();
        begin(&shelf, &snapshot, std::slice::from_ref(&image))
            .unwrap()
            .keep()
            .unwrap();
        let part = Internal {
            id: "1".into(),
            name: name_of(&snapshot.id),
            taken: (5, 0),
            ram: 0,
        };
        let info = Info {
            snapshots: vec![part],
            ..Info::default()
        };
        let disks = [Disk { image, info }];
        let reading = keep_there(&disks, &snapshot).unwrap();
        assert!(matches!(
            may_go(&disks, &snapshot, Shelf::hold),
            Err(Error::BeingRead(_))
        ));
        drop(reading);
        let protected = |protected| Labels {
            label: String::new(),
            protected,
        };
        relabel(&disks, &snapshot, &protected(true)).unwrap();
        // What the caller still takes for unprotected.
        assert!(matches!(
            may_go(&disks, &snapshot, Shelf::hold),
            Err(Error::Protected(_))
        ));
        // Nor where that cannot be told.
        let others_may_write = std::fs::Permissions::from_mode(0o770);
        std::fs::set_permissions(&shelf.path, others_may_write).unwrap();
        let refused = may_go(&disks, &snapshot, Shelf::hold).unwrap_err().to_string();
        assert!(refused.contains("others may write to it"), "{refused}");
        let listed = list(Kind::Qcow2, &snapshot.target, &disks).remove(0);
        assert!(listed.notes[0].contains("protection"), "{:?}", listed.notes);
        std::fs::set_permissions(&shelf.path, std::fs::Permissions::from_mode(0o700)).unwrap();
        let record = std::fs::read(shelf.record(&snapshot.id)).unwrap();
        std::fs::write(shelf.record(&snapshot.id), "of a later version").unwrap();
        assert!(may_go(&disks, &snapshot, Shelf::hold).is_err());
        std::fs::write(shelf.record(&snapshot.id), record).unwrap();
        relabel(&disks, &snapshot, &protected(false)).unwrap();
        may_go(&disks, &snapshot, Shelf::hold).unwrap().unwrap().forget();
        assert!(may_go(&disks, &snapshot, Shelf::hold).unwrap().is_none());
    }

    #[test]
    fn a_rollback_of_several_images_that_was_cut_off_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let images = ["a.qcow2", "b.qcow2"].map(|name| folder.path().join(name));
        let mut snapshot = testing::snapshot("aaaaaaaaaaaa", 5);
        snapshot.kind = Kind::Qemu;
        let shelf = make_shelf(&images[0]).unwrap();
        begin(&shelf, &snapshot, &images).unwrap().keep().unwrap();
        let disk = |image: &PathBuf| Disk {
            image: image.clone(),
            info: Info {
                snapshots: vec![Internal {
                    id: "1".into(),
                    name: name_of(&snapshot.id),
                    taken: (5, 0),
                    ram: 0,
                }],
                ..Info::default()
            },
        };
        let disks: Vec<Disk> = images.iter().map(disk).collect();
        let noted = || {
            let listed = list(Kind::Qemu, &snapshot.target, &disks);
            listed[0].notes.iter().any(|note| note.contains("of two moments"))
        };
        assert!(cut_off(&disks).is_empty() && !noted());
        mark(&shelf, &snapshot.id, Some(&SnapshotId("bbbbbbbbbbbb".into()))).unwrap();
        assert_eq!(cut_off(&disks)[0].to, "bbbbbbbbbbbb");
        assert!(noted());
        assert!(cut_off(&disks[..1]).is_empty(), "one alone is of one moment");
        // Nothing is taken of them until that is settled.
        let target = Target::Machine("web".into());
        let images = crate::snapshot::qcow2::Images {
            kind: Kind::Qemu,
            target: &target,
            disks: disks.clone(),
        };
        let refused = images.refuse_mixed().unwrap_err().to_string();
        assert!(refused.contains("going back to bbbbbbbbbbbb was cut off"), "{refused}");
        mark(&shelf, &snapshot.id, None).unwrap();
        assert!(cut_off(&disks).is_empty() && !noted());
        images.refuse_mixed().unwrap();
    }
}

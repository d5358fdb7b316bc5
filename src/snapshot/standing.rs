//! What providers have in common whose snapshots stand as folders on a shelf: btrfs and reflink copies.
//!
//! How such a folder is made and deleted does not live here, nor how one takes the place of another.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::btrfs::subvolume::is_root_of_subvolume;
use super::databases::Database;
use super::origins::{self, Origins};
use super::reading::{self, Reading};
use super::record::Record;
use super::shelf::{Shelf, path_text, shelf_of};
use super::system::io_error;
use super::{
    Consistency, Error, Files, Kind, Labels, Order, Result, RollbackPlan, Snapshot, SnapshotId, Target, Work, Writer,
    trust,
};
use crate::text::counted;

/// A snapshot's files are where it is. It is not deleted while they are in use.
#[derive(Debug)]
struct Standing(PathBuf, #[allow(dead_code)] Option<Reading>);

impl Files for Standing {
    fn root(&self) -> PathBuf {
        self.0.clone()
    }

    fn origins(&self) -> Result<Option<Origins>> {
        let file = self.0.with_file_name(origins::FILE);
        match file.exists() {
            true => Origins::read(&file).map(Some),
            false => Ok(None),
        }
    }
}

/// The files of a snapshot, if this user may see them.
pub(super) fn files(path: PathBuf) -> Result<Box<dyn Files>> {
    let id = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let id = id.map(|id| SnapshotId(id.to_owned())).filter(SnapshotId::is_sound);
    let reading = match shelf_of(&path).zip(id) {
        Some((shelf, id)) => reading::begin(&shelf, &id)?,
        None => None,
    };
    match std::fs::read_dir(&path) {
        Ok(_) => Ok(Box::new(Standing(path, reading))),
        Err(error) => Err(io_error("open", &path)(error)),
    }
}

/// The snapshot that an order makes of a folder, to stand on this shelf.
pub(super) fn ordered(kind: Kind, path: &Path, order: &Order, shelf: &Shelf, work: &Work) -> Snapshot {
    let handle = path_text(&shelf.files(&order.id));
    order.snapshot(kind, Target::Folder(path.to_path_buf()), handle, work)
}

/// What a rollback calls the state before, which nobody used when it was set aside.
pub(super) fn safety(
    kind: Kind,
    path: &Path,
    id: &SnapshotId,
    plan: &RollbackPlan,
    shelf: &Shelf,
    work: &Work,
) -> Snapshot {
    let order = Order::safety(id.clone(), &plan.to, Consistency::Filesystem, work);
    ordered(kind, path, &order, shelf, work)
}

/// Changes what is known of a snapshot.
fn change(shelf: &Shelf, snapshot: &Snapshot, change: impl FnOnce(&mut Snapshot)) -> Result<Snapshot> {
    let _held = shelf.hold_records()?;
    let open = shelf.open()?;
    let file = shelf.through(&open).record(&snapshot.id);
    let by_name = |error| called(error, &shelf.record(&snapshot.id));
    let mut record = Record::read(&file).map_err(by_name)?;
    change(&mut record.snapshot);
    record.write(&file).map_err(by_name)?;
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

/// A snapshot that is in the list no more, and is to be deleted.
#[derive(Debug)]
pub(super) struct Aside {
    /// The folder it is in now, on the very shelf that was looked at, while this is kept.
    pub path: PathBuf,
    #[allow(dead_code)]
    shelf: OwnedFd,
}

/// An error as one of a file by its own name, not by that of what was opened.
pub(super) fn called(error: Error, name: &Path) -> Error {
    let path = name.to_path_buf();
    match error {
        Error::Io { action, source, .. } => Error::Io { action, path, source },
        Error::Record { why, .. } => Error::Record { path, why },
        other => other,
    }
}

/// Takes a snapshot out of the list, before its files are deleted: what is half deleted is none any more. Refused when it
/// is protected.
pub(super) fn set_aside(shelf: &Shelf, id: &SnapshotId) -> Result<Aside> {
    let _held = shelf.hold_records()?;
    // By what was opened, since its name may become that of another folder.
    let open = shelf.open()?;
    let through = shelf.through(&open);
    let folder = through.folder(id);
    if !trust::is_folder(&folder) {
        return Err(Error::NoSnapshot(id.to_string()));
    }
    let record = Record::read(&through.record(id)).map_err(|error| called(error, &shelf.record(id)))?;
    if record.snapshot.protected {
        return Err(Error::Protected(id.to_string()));
    }
    let _unread = reading::nobody(&through, id)?;
    let path = folder.with_extension("gone");
    std::fs::rename(&folder, &path).map_err(io_error("rename", &shelf.folder(id)))?;
    Ok(Aside { path, shelf: open })
}

/// The id of what lies half made or half deleted on a shelf; `None` when it is none of ours: only real folders are.
pub(super) fn half_of(half: &Path) -> Option<SnapshotId> {
    let id = SnapshotId(half.file_stem()?.to_str()?.to_owned());
    (id.is_sound() && trust::is_folder(half)).then_some(id)
}

/// The record of such a one, if it is its own.
pub(super) fn half_record(half: &Path) -> Option<Record> {
    let record = Record::read(&half.join("record.json")).ok()?;
    (Some(&record.snapshot.id) == half_of(half).as_ref()).then_some(record)
}

/// Whether what lies half made or half deleted on a shelf is of this kind, as its record or its files tell. What has neither
/// is anybody's.
pub(super) fn is_kind(half: &Path, kind: Kind) -> bool {
    if half_of(half).is_none() {
        return false;
    }
    match half_record(half) {
        Some(record) => record.snapshot.kind == kind,
        None => {
            let files = half.join("files");
            !files.is_dir() || is_root_of_subvolume(&files) == (kind == Kind::Btrfs)
        }
    }
}

/// The folder in which a clone is to be made, if the place is free. It must be on the filesystem of the snapshot, as
/// `is_near` tells.
pub(super) fn check_place(place: &Path, is_near: impl FnOnce(&Path) -> bool) -> Result<()> {
    let unable = |why: &str| {
        Err(Error::Cannot {
            what: format!("make {}", place.display()),
            why: why.into(),
        })
    };
    if !place.is_absolute() || place.symlink_metadata().is_ok() {
        return unable("name a place that is not there yet, as an absolute path");
    }
    match place.parent().filter(|parent| parent.is_dir()) {
        None => unable("its parent folder is not there: make it first"),
        Some(parent) if is_near(parent) => Ok(()),
        Some(_) => unable(
            "a clone shares its blocks with the snapshot, so it must be on the same filesystem; to copy the files \
             elsewhere: coffer snapshot restore",
        ),
    }
}

/// What a rollback loses of what was done since, by how many entries differ, some of which are named.
pub(super) fn loses(path: &Path, to: &Snapshot, count: u64, named: &[String], safety: bool) -> Vec<String> {
    if count == 0 {
        return vec![format!("Nothing: {} is as it was then.", path.display())];
    }
    let more = match count.saturating_sub(named.len() as u64) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let mut loses = vec![format!(
        "What was done in {} since {}: {} ({}{more}).",
        path.display(),
        to.when(),
        counted(count, "file or folder differs", "files and folders differ"),
        named.join(", ")
    )];
    if safety {
        loses.push("All of it stays in the safety snapshot.".into());
    }
    loses
}

/// Why there is no going back where the target is not what it was: gone, or another kind of folder.
pub(super) fn no_target(snapshot: &Snapshot, error: Error) -> Error {
    let (Target::Folder(path), Error::Unable { .. }) = (&snapshot.target, &error) else {
        return error;
    };
    let make = format!(
        "make it anew of the snapshot: coffer snapshot clone {} {}",
        snapshot.id,
        path.display()
    );
    Error::Cannot {
        what: format!("roll {} back", path.display()),
        why: match path.symlink_metadata() {
            Err(_) => format!("it is not there any more, and nothing can be exchanged with it: {make}"),
            Ok(_) => format!(
                "what is there now cannot be exchanged with a {} snapshot ({error}): move it away, then {make}; or put the \
                 files back (coffer snapshot restore)",
                snapshot.kind.word()
            ),
        },
    }
}

/// A rollback that is refused when it is to be carried out: by what stands against it, or since things have changed.
pub(super) fn refusal(path: &Path, obstacle: Option<String>) -> Error {
    Error::Cannot {
        what: format!("roll {} back", path.display()),
        why: obstacle.unwrap_or_else(|| "things have changed since the plan was made: make it again".into()),
    }
}

/// Oldest first.
pub(super) fn sort(snapshots: &mut [Snapshot]) {
    snapshots.sort_by(|a, b| (a.taken.seconds, a.taken.nanos, &a.id).cmp(&(b.taken.seconds, b.taken.nanos, &b.id)));
}

/// Machines are held by themselves: one that stands still cannot answer. Nor is the kernel held.
pub(super) fn is_machine(writer: &Writer) -> bool {
    writer.pid == Writer::KERNEL || writer.name.starts_with("qemu-") || writer.name.starts_with("kvm")
}

/// What must be known of a snapshot of a folder in which disks lie that go on being written to; `None` when there are none.
pub(super) fn disks_run_on(writers: &[Writer]) -> Option<String> {
    let names: Vec<String> = writers
        .iter()
        .filter(|one| is_machine(one))
        .map(Writer::to_string)
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "disks that are written to lie here ({}): what is in them is as after a power cut, unless their machine is taken \
             in the same group",
            names.join(", ")
        )
    })
}

/// What to do for the databases that write to a target, a sentence each.
pub(super) fn advice(writers: &[Writer]) -> Vec<String> {
    let writes = |kind: &Database| {
        let is_it = |writer: &Writer| writer.database.as_deref() == Some(kind.name());
        writers.iter().any(is_it)
    };
    let there = Database::ALL.into_iter().filter(writes);
    there.map(|kind| kind.advice().to_owned()).collect()
}

/// What stands against a rollback: each of those who use the target.
pub(super) fn in_use(holders: &[Writer]) -> Vec<String> {
    let say = |holder: &Writer| {
        let files: Vec<String> = holder.files.iter().take(2).map(|file| path_text(file)).collect();
        format!("{holder} uses {}: end it first", files.join(" and "))
    };
    holders.iter().map(say).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::testing;

    #[test]
    fn only_real_folders_with_records_of_their_own_are_put_right() {
        let folder = tempfile::tempdir().unwrap();
        let part = |name: &str, of: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            let record = Record::new(testing::snapshot(of, 0), serde_json::Value::Null);
            record.write(&path.join("record.json")).unwrap();
            path
        };
        let own = part("aaaaaaaaaaaa.part", "aaaaaaaaaaaa");
        assert!(is_kind(&own, Kind::Btrfs) && !is_kind(&own, Kind::Reflink));
        assert!(half_record(&own).is_some());
        let forged = part("bbbbbbbbbbbb.part", "aaaaaaaaaaaa");
        assert!(half_record(&forged).is_none());
        let link = folder.path().join("cccccccccccc.part");
        std::os::unix::fs::symlink(&own, &link).unwrap();
        assert!(!is_kind(&link, Kind::Btrfs) && !is_kind(&link, Kind::Reflink));
        let unsound = part("0.part", "aaaaaaaaaaaa");
        assert!(!is_kind(&unsound, Kind::Btrfs) && !is_kind(&unsound, Kind::Reflink));
    }

    #[test]
    fn what_is_to_be_deleted_lies_on_the_shelf_that_was_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let put = |shelf: &Shelf| {
            let record = Record::new(testing::snapshot("aaaaaaaaaaaa", 0), serde_json::Value::Null);
            let id = record.snapshot.id.clone();
            std::fs::create_dir_all(shelf.files(&id)).unwrap();
            record.write(&shelf.record(&id)).unwrap();
            id
        };
        let shelf = |name: &str| Shelf {
            path: folder.path().join(name),
            inside: false,
        };
        let (one, other) = (shelf("one"), shelf("other"));
        let id = put(&one);
        put(&other);
        let aside = set_aside(&one, &id).unwrap();
        std::fs::rename(&one.path, folder.path().join("moved")).unwrap();
        std::fs::rename(&other.path, &one.path).unwrap();
        std::fs::remove_dir(aside.path.join("files")).unwrap();
        assert!(one.files(&id).exists());
        // Nor is a link followed to it.
        std::fs::rename(one.folder(&id), folder.path().join("real")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("real"), one.folder(&id)).unwrap();
        assert!(matches!(set_aside(&one, &id), Err(Error::NoSnapshot(_))));
    }
}

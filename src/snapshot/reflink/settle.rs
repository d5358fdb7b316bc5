//! What is half made or half deleted on a shelf: told apart, completed, taken away.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::remove::remove_all;
use super::shelves;
use crate::snapshot::shelf::Shelf;
use crate::snapshot::system::io_error;
use crate::snapshot::{Kind, MadeBy, Result, Target, standing, trust};

/// Puts right what processes that died left on the shelf: completes what was whole, takes away the rest.
pub(super) fn sweep(shelf: &Shelf) {
    let Ok(open) = shelf.open() else { return };
    for entry in std::fs::read_dir(trust::path_of(&open)).into_iter().flatten().flatten() {
        let path = entry.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        // Subvolumes are for another provider to put right.
        let left = matches!(extension, Some("part" | "gone")) && standing::is_kind(&path, Kind::Reflink);
        let done = match left && extension == Some("part") && is_whole(&path) {
            true => complete(shelf, &path),
            false if left => delete_tree(&path),
            false => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!("cannot put {} right: {error}", path.display());
        }
    }
}

/// In a record: the state before a rollback is not kept.
pub(super) const DROPPED: &str = "dropped";

/// Makes what is whole a snapshot. What a rollback set aside gives the shelves within back first.
fn complete(shelf: &Shelf, part: &Path) -> Result<()> {
    let record = standing::half_record(part);
    let aside = record.filter(|record| matches!(record.snapshot.made_by, MadeBy::Safety(_)));
    // It lay beside the shelf: what else the record may say counts for nothing.
    if let Some(record) = aside
        && let Target::Folder(named) = &record.snapshot.target
        && let Some((home, name)) = shelf.path.parent().zip(named.file_name())
    {
        let old = part.join("files");
        let within = shelves::within(&old)?;
        if !within.is_empty() {
            shelves::move_over(&old, &home.join(name), &within)?;
        }
        if record.details.get(DROPPED).and_then(serde_json::Value::as_bool) == Some(true) {
            return delete_tree(part);
        }
    }
    std::fs::rename(part, part.with_extension("")).map_err(io_error("rename", part))
}

/// Whether what is being made is whole: its record is written last, or, by a rollback, for the folder that is to come there
/// in exchange.
pub(super) fn is_whole(part: &Path) -> bool {
    // One that a backup took for itself is of no use once that has died.
    let record = standing::half_record(part).filter(|record| record.snapshot.made_by != MadeBy::Backup);
    let meant = record.and_then(|record| record.details.get("inode")?.as_u64());
    let there = part.join("files").symlink_metadata();
    there.is_ok_and(|there| Some(there.ino()) == meant)
}

pub(super) fn discard(path: &Path) {
    if let Err(error) = delete_tree(path) {
        tracing::warn!("{error}");
    }
}

pub(super) fn delete_tree(path: &Path) -> Result<()> {
    let parent = path.parent().unwrap_or(path);
    let open = std::fs::File::open(parent).map_err(io_error("open", parent))?;
    remove_all(&open.into(), path.file_name().unwrap_or_default()).map_err(io_error("delete", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::record::Record;
    use crate::snapshot::{SHELF, SnapshotId, testing};

    #[test]
    fn a_rollback_that_was_cut_off_gives_the_shelves_back_and_a_backups_copy_goes() {
        let place = tempfile::tempdir().unwrap();
        let web = place.path().join("web");
        std::fs::create_dir_all(web.join("d")).unwrap();
        let shelf = Shelf::of(&web);
        std::fs::create_dir(&shelf.path).unwrap();
        let safety = || MadeBy::Safety(SnapshotId("ffffffffffff".into()));
        let part = |id: &str, made_by: MadeBy, dropped: bool| {
            let path = shelf.part(&SnapshotId(id.into()));
            std::fs::create_dir_all(path.join("files/d")).unwrap();
            let mut snapshot = testing::snapshot(id, 5);
            (snapshot.kind, snapshot.made_by) = (Kind::Reflink, made_by);
            snapshot.target = Target::Folder(web.clone());
            let inode = path.join("files").metadata().unwrap().ino();
            let details = serde_json::json!({ "inode": inode, DROPPED: dropped });
            Record::new(snapshot, details).write(&path.join("record.json")).unwrap();
            path
        };
        let kept = part("aaaaaaaaaaaa", safety(), false);
        std::fs::create_dir_all(kept.join("files").join(SHELF).join("own")).unwrap();
        let dropped = part("bbbbbbbbbbbb", safety(), true);
        std::fs::create_dir_all(dropped.join("files/d").join(SHELF).join("inner")).unwrap();
        part("cccccccccccc", MadeBy::Backup, false);
        part("dddddddddddd", MadeBy::Hand, false);
        sweep(&shelf);
        let mut left: Vec<_> = std::fs::read_dir(&shelf.path).unwrap().flatten().collect();
        left.sort_by_key(std::fs::DirEntry::file_name);
        let left: Vec<_> = left.iter().map(std::fs::DirEntry::file_name).collect();
        assert_eq!(left, ["aaaaaaaaaaaa", "dddddddddddd"]);
        assert!(web.join(SHELF).join("own").exists() && web.join("d").join(SHELF).join("inner").exists());

        // What has no place stays where it is.
        std::fs::remove_dir(web.join("d").join(SHELF).join("inner")).unwrap();
        std::fs::remove_dir(web.join("d").join(SHELF)).unwrap();
        std::fs::remove_dir(web.join("d")).unwrap();
        let stays = part("eeeeeeeeeeee", safety(), true);
        std::fs::create_dir_all(stays.join("files/d").join(SHELF).join("inner")).unwrap();
        sweep(&shelf);
        assert!(stays.join("files/d").join(SHELF).join("inner").exists());
    }
}

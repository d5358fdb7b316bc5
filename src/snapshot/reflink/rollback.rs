//! Going back to a copy: another copy is made of it, compared with it, and exchanged with the folder in one step; the
//! folder as it was becomes the safety snapshot.

use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use serde_json::json;

use super::{delete_tree, discard, files_of, make, path_of, sweep, tree};
use crate::progress::Cancel;
use crate::snapshot::compare::{self, How};
use crate::snapshot::record::{Record, sync_folder};
use crate::snapshot::shelf::{Shelf, path_text};
use crate::snapshot::system::{errno, io_error, is_root};
use crate::snapshot::writers::{Place, seen};
use crate::snapshot::{
    Consistency, Error, Kind, MadeBy, Result, RollbackPlan, RolledBack, Snapshot, SnapshotId, Target, Work, mounts,
};

/// How many paths a plan names.
const NAMED: usize = 5;

fn obstacles(path: &Path) -> Vec<String> {
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
    for below in super::super::btrfs::within(path) {
        found.push(format!(
            "the subvolume {} lies within and would be moved aside with it: roll back the subvolume that holds all, or move \
             it away first",
            below.display()
        ));
    }
    let seen = seen(&Place::named(path));
    if !seen.all && !is_root() {
        found.push(
            "the files of other users' processes cannot be seen: use sudo, so that nothing in use is moved".into(),
        );
    }
    found.extend(seen.holders.iter().map(|holder| {
        let files: Vec<String> = holder.files.iter().take(2).map(|file| path_text(file)).collect();
        format!("{holder} uses {}: end it first", files.join(" and "))
    }));
    found
}

fn state(path: &Path, snapshot: &Snapshot, safety: bool) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let inode = path.symlink_metadata().map_or(0, |about| about.ino());
    format!("{} {inode} {safety}", snapshot.id)
}

/// What going back would do.
pub(super) fn plan(snapshot: &Snapshot, safety: bool) -> Result<RollbackPlan> {
    let path = path_of(&snapshot.target)?;
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
    let mut loses = match differ {
        0 => vec![format!("Nothing: {} is as it was then.", path.display())],
        _ => vec![format!(
            "What was done in {} since {}: {} differ ({}{}).",
            path.display(),
            snapshot.taken,
            crate::text::counted(differ, "entry", "entries"),
            named.join(", "),
            if differ > NAMED as u64 { ", …" } else { "" }
        )],
    };
    if safety {
        loses.push("All of it stays in the safety snapshot.".into());
    }
    let steps = vec![
        "A copy of the snapshot that shares its blocks is made and compared with it.".into(),
        format!("It takes the place of {} in one step.", path.display()),
        match safety {
            true => "The present state becomes the safety snapshot.".into(),
            false => "The present state is deleted: it cannot be brought back.".into(),
        },
    ];
    Ok(RollbackPlan {
        state: state(path, snapshot, safety),
        to: snapshot.clone(),
        loses,
        steps,
        safety,
        takes_along: Vec::new(),
        obstacles: obstacles(path),
    })
}

/// Goes back.
pub(super) fn carry_out(plan: &RollbackPlan, work: &Work) -> Result<RolledBack> {
    let snapshot = &plan.to;
    let path = path_of(&snapshot.target)?;
    let files = files_of(snapshot)?;
    let holders = seen(&Place::named(path)).holders;
    if !holders.is_empty() {
        return Err(Error::Busy {
            what: path.display().to_string(),
            holders,
        });
    }
    let now = obstacles(path);
    if state(path, snapshot, plan.safety) != plan.state || !now.is_empty() {
        return Err(Error::Unable {
            target: format!("{} cannot be rolled back: it", path.display()),
            why: now
                .into_iter()
                .next()
                .unwrap_or_else(|| "things have changed since the plan was made: make it again".into()),
        });
    }
    let shelf = Shelf::of(path);
    make(&shelf)?;
    let _held = shelf.hold()?;
    sweep(&shelf);
    let id = SnapshotId::random()?;
    let part = shelf.part(&id);
    std::fs::create_dir(&part).map_err(io_error("create", &part))?;
    let made = exchange(plan, path, &files, &part, work);
    if let Err(error) = made {
        discard(&part);
        return Err(error);
    }
    if plan.safety {
        keep(plan, path, &shelf, &id, &part, work)?;
    } else {
        delete_tree(&part)?;
    }
    Ok(RolledBack {
        safety: plan.safety.then_some(id),
        verified: "compared with the snapshot, byte by byte where blocks are not shared: nothing differs".into(),
    })
}

/// Makes the copy, compares it, exchanges it. Before the last step nothing is changed.
fn exchange(plan: &RollbackPlan, path: &Path, files: &Path, part: &Path, work: &Work) -> Result<()> {
    let new = part.join("files");
    tree::copy_tree(files, &new, work.progress, work.cancel)?;
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
    let open = std::fs::File::open(part).map_err(io_error("open", part))?;
    rustix::fs::syncfs(&open).map_err(errno("sync", part))?;
    work.cancel.check()?;
    rustix::fs::renameat_with(CWD, &new, CWD, path, RenameFlags::EXCHANGE).map_err(errno("exchange", path))
}

/// Makes what was there the safety snapshot.
fn keep(plan: &RollbackPlan, path: &Path, shelf: &Shelf, id: &SnapshotId, part: &Path, work: &Work) -> Result<()> {
    let snapshot = Snapshot {
        id: id.clone(),
        kind: Kind::Reflink,
        target: Target::Folder(path.to_path_buf()),
        taken: work.now,
        consistency: Consistency::Filesystem,
        label: format!("before going back to {}", plan.to.id),
        protected: false,
        made_by: MadeBy::Safety(plan.to.id.clone()),
        group: None,
        pause: None,
        notes: Vec::new(),
        handle: path_text(&shelf.files(id)),
    };
    Record::new(snapshot, json!({ "inside": shelf.inside })).write(&part.join("record.json"))?;
    std::fs::rename(part, shelf.folder(id)).map_err(io_error("rename", part))?;
    sync_folder(&shelf.path)
}

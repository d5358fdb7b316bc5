//! Restores for the interface: from what the user picked to a plan that can be shown, and windows of what the plan would
//! change among the things that are there already.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::question::{
    Answer, ConflictRow, ConflictWindow, ConflictsAsked, Landing, RestorePreview, RestoreRequest, Room, SelectionRules,
    TreePath,
};
use super::{Engine, Error, OpenVault, Result, Selection, answers};
use crate::progress::{Cancel, Progress};
use crate::restore::{self, Class, RestoreOptions, Target};
use crate::text;
use crate::vault::{Generation, IndexedVault};

/// How often is told how far a plan has come.
const PARTLY_EVERY: Duration = Duration::from_millis(250);
/// Most rows of one window.
const WINDOW_ROWS: u32 = 1000;

/// The folder under which everything picked lies: what is beside it needs no place in the target. Empty for the root.
pub fn common_folder(rules: &SelectionRules) -> TreePath {
    let selection = Selection::from_rules(rules);
    let mut common: Option<TreePath> = None;
    for (path, _) in selection.turns().filter(|(_, picked)| *picked) {
        let folder = path.split_last().map(|(_, folder)| folder).unwrap_or_default();
        common = Some(match common {
            None => folder.to_vec(),
            Some(common) => {
                let same = common.iter().zip(folder).take_while(|(a, b)| a == b).count();
                common[..same].to_vec()
            }
        });
    }
    common.unwrap_or_default()
}

/// The only path picked, if it is one with all below it.
pub fn only_path(rules: &SelectionRules) -> Option<TreePath> {
    let selection = Selection::from_rules(rules);
    let mut turns = selection.turns();
    match (turns.next(), turns.next()) {
        (Some((path, true)), None) => Some(path.clone()),
        _ => None,
    }
}

impl Landing {
    /// Where a path of the generation would land. Pure: for showing it while the user chooses.
    pub fn place(&self, rules: &SelectionRules, path: &[Vec<u8>]) -> PathBuf {
        let (base, skipped) = match self {
            Landing::Below(folder) => (folder.clone(), 0),
            Landing::Flat(folder) => (folder.clone(), common_folder(rules).len()),
            Landing::InPlace | Landing::Beside { .. } => (PathBuf::from("/"), 0),
        };
        let mut place = base;
        let parts = path.get(skipped.min(path.len())..).unwrap_or_default();
        for (number, name) in parts.iter().enumerate() {
            match self {
                Landing::Beside { stamp } if number + 1 == parts.len() => {
                    place.push(OsStr::from_bytes(&stamped(name, stamp)));
                }
                _ => place.push(OsStr::from_bytes(name)),
            }
        }
        place
    }
}

/// A name with a date before its extension: `report (2026-08-22 03.00).pdf`.
pub fn stamped(name: &[u8], stamp: &str) -> Vec<u8> {
    let dot = name.iter().rposition(|&b| b == b'.').filter(|&dot| dot > 0);
    let mut split = dot.unwrap_or(name.len());
    if name[..split].ends_with(b".tar") && split > 4 {
        split -= 4;
    }
    let mut out = name[..split].to_vec();
    out.extend_from_slice(b" (");
    out.extend(stamp.bytes().filter(|b| *b != b'/'));
    out.push(b')');
    out.extend_from_slice(&name[split..]);
    out
}

impl Engine {
    /// Plans a restore; tells how far it has come while it compares.
    pub(super) fn preview_restore(
        &self,
        open: &OpenVault,
        asked: &RestoreRequest,
        cancel: &Cancel,
        emit: &answers::Emit,
    ) -> Result<Answer> {
        let generation = open.vault().generation(&asked.generation)?;
        let indexed = open.indexed(cancel)?;
        let options = options(asked, &indexed, &generation)?;
        let progress = Progress::default();
        let plan = std::thread::scope(|scope| {
            let (done, finished) = mpsc::channel();
            let (indexed, generation, options, progress) = (&indexed, &generation, &options, &progress);
            scope.spawn(move || {
                // Nobody listens any more only when this scope is left.
                _ = done.send(restore::plan(indexed, generation, options, progress, cancel));
            });
            loop {
                match finished.recv_timeout(PARTLY_EVERY) {
                    Ok(plan) => return Ok(plan?),
                    Err(RecvTimeoutError::Timeout) => {
                        let files = progress.files_total.load(Ordering::Relaxed);
                        let bytes = progress.bytes_total.load(Ordering::Relaxed);
                        emit(Answer::RestorePlanning { files, bytes }, false);
                    }
                    // The thread panicked: leaving the scope hands that on.
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(Error::Usage("planning the restore ended early".into()));
                    }
                }
            }
        })?;
        let base = base(asked);
        let room = room(&base);
        let totals = *plan.totals();
        let conflicts = [Class::Overwritten, Class::Left, Class::Deleted, Class::Problem]
            .map(|class| plan.conflicts().count(class));
        let mut preview = RestorePreview {
            base,
            create_files: totals.create_files,
            create_folders: totals.create_folders,
            create_others: totals.create_others,
            overwrite: totals.overwrite,
            overwrite_newer: totals.overwrite_newer,
            overwrite_bytes: totals.overwrite_bytes,
            keep: totals.unchanged + totals.metadata,
            left: totals.skip,
            delete: totals.delete,
            delete_bytes: totals.delete_bytes,
            problems: totals.problems,
            bytes: totals.bytes,
            write_bytes: totals.write_bytes,
            right_bytes: totals.right_bytes,
            fetch_bytes: totals.fetch_bytes,
            conflicts,
            room,
            ..RestorePreview::default()
        };
        preview.warnings = self.restore_warnings(asked, &generation, options.owner, &preview);
        preview.plan = self.keep_plan(open.name(), plan);
        Ok(Answer::RestorePreview(Box::new(preview)))
    }

    /// A window of what a plan would change; from memory.
    pub(super) fn restore_conflicts(&self, asked: &ConflictsAsked) -> Result<Answer> {
        let gone = || Error::Usage("this restore plan is gone: make it again".into());
        let (_, plan) = self.restore_plan(asked.plan).ok_or_else(gone)?;
        let conflicts = plan.conflicts();
        let total = conflicts.of(&asked.classes).count() as u64;
        let rows = asked.rows.min(WINDOW_ROWS);
        let first = asked.first.min(total.saturating_sub(u64::from(rows)));
        let list = conflicts.of(&asked.classes);
        let list = list
            .skip(usize::try_from(first).unwrap_or(usize::MAX))
            .take(rows as usize);
        let rows = list.map(|conflict| ConflictRow {
            path: answers::to_path(&conflict.path),
            place: plan.target_path(&conflict.path),
            class: conflict.class(),
            difference: conflict.difference(),
            then: conflict.then,
            now: conflict.now,
            why: conflict.why().to_owned(),
        });
        let counted = |class: &Class| conflicts.count(*class);
        let all = match asked.classes.is_empty() {
            true => conflicts.count_all(),
            false => asked.classes.iter().map(counted).fold(0, u64::saturating_add),
        };
        Ok(Answer::RestoreConflicts(ConflictWindow {
            first,
            rows: rows.collect(),
            total,
            beyond: all.saturating_sub(total),
        }))
    }

    /// What to know before saying yes, the gravest first.
    fn restore_warnings(
        &self,
        asked: &RestoreRequest,
        generation: &Generation,
        owner: bool,
        preview: &RestorePreview,
    ) -> Vec<String> {
        let mut warnings = Vec::new();
        let room = &preview.room;
        let on = || text::escape(room.on.as_os_str().as_bytes());
        if !room.writable {
            warnings.push(format!("You may not write in {}.", on()));
        }
        if room.free_bytes.is_some_and(|free| preview.write_bytes > free) {
            warnings.push(format!(
                "It does not fit: {} to write, {} free at {}.",
                text::bytes(preview.write_bytes),
                text::bytes(room.free_bytes.unwrap_or(0)),
                on()
            ));
        }
        let made = preview.create_files + preview.create_folders + preview.create_others;
        if room.free_entries.is_some_and(|free| made > free) {
            warnings.push(format!(
                "The filesystem at {} has room for {} only.",
                on(),
                text::counted(room.free_entries.unwrap_or(0), "more entry", "more entries")
            ));
        }
        if preview.overwrite_newer > 0 {
            warnings.push(format!(
                "{} on disk changed after this generation: what {} now is lost unless another generation has it.",
                text::counted(preview.overwrite_newer, "file", "files"),
                if preview.overwrite_newer == 1 {
                    "it holds"
                } else {
                    "they hold"
                }
            ));
        }
        if asked.landing == Landing::InPlace && generation.hostname != self.settings().host {
            warnings.push(format!(
                "The generation was made on {}, this machine is {}.",
                text::escape(generation.hostname.as_bytes()),
                text::escape(self.settings().host.as_bytes())
            ));
        }
        if preview.problems > 0 {
            warnings.push(format!(
                "{} cannot be restored: the list says why.",
                text::counted(preview.problems, "entry", "entries")
            ));
        }
        if !owner && preview.create_files + preview.create_folders + preview.overwrite > 0 {
            warnings.push("Files will belong to you: only root can give them their owners back.".into());
        }
        warnings
    }
}

/// What the restore is told.
fn options(asked: &RestoreRequest, vault: &IndexedVault, generation: &Generation) -> Result<RestoreOptions> {
    let rules = || restore::Selection::Rules(answers::to_rules(&asked.rules));
    let plain = |target| RestoreOptions {
        overwrite: answers::to_overwrite(asked.overwrite),
        delete: asked.delete,
        ..RestoreOptions::new(target)
    };
    Ok(match &asked.landing {
        Landing::Below(folder) => RestoreOptions {
            selection: rules(),
            ..plain(Target::Folder(absolute(folder)?))
        },
        Landing::Flat(folder) => RestoreOptions {
            subtree: joined(&common_folder(&asked.rules)),
            selection: rules(),
            ..plain(Target::Folder(absolute(folder)?))
        },
        Landing::InPlace => RestoreOptions {
            selection: rules(),
            ..plain(Target::InPlace)
        },
        Landing::Beside { stamp } => {
            let path = only_path(&asked.rules).filter(|path| !path.is_empty());
            let one = || Error::Usage("only one file or folder at a time can go beside the one that is there".into());
            let path = path.ok_or_else(one)?;
            let (name, _) = path.split_last().ok_or_else(one)?;
            let place = asked.landing.place(&asked.rules, &path);
            // A file gets another name in the folder it came from; a folder's content goes into a folder of another name.
            let file = !restore::is_folder(vault, generation, &joined(&path))?;
            let target = match file {
                true => place.parent().unwrap_or(Path::new("/")).to_owned(),
                false => place,
            };
            RestoreOptions {
                subtree: joined(&path),
                name: file.then(|| stamped(name, stamp)),
                delete: false,
                ..plain(Target::Folder(target))
            }
        }
    })
}

fn absolute(folder: &Path) -> Result<PathBuf> {
    if folder.is_absolute() {
        return Ok(folder.to_owned());
    }
    Err(Error::Usage(format!(
        "{} is not an absolute path; write the folder out from /",
        text::escape(folder.as_os_str().as_bytes())
    )))
}

fn joined(path: &[Vec<u8>]) -> Vec<u8> {
    path.join(&b'/')
}

/// The folder under which everything is written.
fn base(asked: &RestoreRequest) -> PathBuf {
    match &asked.landing {
        Landing::Below(folder) | Landing::Flat(folder) => folder.clone(),
        // Beside or over the present one, it is the same folder: only files get another name.
        Landing::InPlace | Landing::Beside { .. } => Landing::InPlace.place(&asked.rules, &common_folder(&asked.rules)),
    }
}

/// How much room there is where a folder lies or would be made.
fn room(folder: &Path) -> Room {
    use rustix::fs::{Access, AtFlags, CWD};
    let Some(on) = folder.ancestors().find(|path| path.is_dir()) else {
        return Room::default();
    };
    let space = rustix::fs::statvfs(on).ok();
    Room {
        free_bytes: space
            .as_ref()
            .map(|space| space.f_bavail.saturating_mul(space.f_frsize)),
        // Some filesystems count none.
        free_entries: space.filter(|space| space.f_files > 0).map(|space| space.f_favail),
        writable: rustix::fs::accessat(CWD, on, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_ok(),
        on: on.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        text.split('/')
            .filter(|p| !p.is_empty())
            .map(|p| p.as_bytes().to_vec())
            .collect()
    }

    fn rules(list: &[(&str, bool)]) -> SelectionRules {
        list.iter().map(|(text, picked)| (path(text), *picked)).collect()
    }

    #[test]
    fn things_land_where_the_form_says() {
        let one = rules(&[("/home/me/docs", true), ("/home/me/docs/tmp", false)]);
        let two = rules(&[("/home/me/docs/a", true), ("/home/me/x", true)]);
        let landed = |landing: Landing, rules: &SelectionRules, text: &str| {
            landing.place(rules, &path(text)).display().to_string()
        };
        assert_eq!(
            landed(Landing::Below("/t".into()), &one, "/home/me/docs/f"),
            "/t/home/me/docs/f"
        );
        assert_eq!(landed(Landing::Flat("/t".into()), &one, "/home/me/docs/f"), "/t/docs/f");
        assert_eq!(landed(Landing::Flat("/t".into()), &two, "/home/me/docs/a"), "/t/docs/a");
        assert_eq!(landed(Landing::InPlace, &two, "/home/me/x"), "/home/me/x");
        let beside = Landing::Beside {
            stamp: "2026-08-22 03.00".into(),
        };
        assert_eq!(
            landed(beside, &two, "/home/me/x.tar.gz"),
            "/home/me/x (2026-08-22 03.00).tar.gz"
        );
        let all = rules(&[("", true)]);
        assert_eq!(landed(Landing::Flat("/t".into()), &all, "/home"), "/t/home");
        assert_eq!(only_path(&two), None);
        assert_eq!(only_path(&rules(&[("/a/b", true)])), Some(path("/a/b")));
    }

    #[test]
    fn dates_go_before_the_extension() {
        let with = |name: &str| String::from_utf8(stamped(name.as_bytes(), "d")).unwrap();
        assert_eq!(
            ["a", "a.b", ".bashrc", "a.tar.xz", ".tar.xz"].map(with),
            ["a (d)", "a (d).b", ".bashrc (d)", "a (d).tar.xz", ".tar (d).xz"]
        );
    }

    #[test]
    fn room_is_that_of_the_folder_that_exists() {
        let folder = tempfile::tempdir().unwrap();
        let room = room(&folder.path().join("new/deep"));
        assert_eq!(room.on, folder.path());
        assert!(room.writable && room.free_bytes.is_some_and(|free| free > 0));
    }
}

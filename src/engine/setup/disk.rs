//! The live filesystem for pickers: a window of a folder's entries, and what a plan would take of it.

use std::path::Path;

use rustix::fs::Access;

use super::{CountExcludes, DiskRow, DiskWindow, ListDisk};
use crate::backup::BackupOptions;
use crate::backup::tally::{Tally, tally};
use crate::config::Config;
use crate::engine::plans::{exclude_of, identity};
use crate::engine::question::Answer;
use crate::engine::{Error, Result};
use crate::progress::Cancel;
use crate::vault::NodeType;

/// Most rows of one window.
const WINDOW_ROWS: u32 = 10_000;

/// A listed name: folders sort before all else.
type Listed = (bool, Vec<u8>, NodeType);

/// A window of a folder of the live filesystem. A folder that cannot be listed says so; that is no failure.
pub(in crate::engine) fn list_disk(asked: &ListDisk, cancel: &Cancel) -> Result<Answer> {
    let mut window = DiskWindow {
        folder: asked.folder.clone(),
        ..DiskWindow::default()
    };
    match names(asked, cancel)? {
        Err(error) => window.problem = problem(&error),
        Ok(mut listed) => {
            listed.sort_unstable();
            window.total = listed.len() as u64;
            let rows = u64::from(asked.rows.min(WINDOW_ROWS));
            window.first = asked.first.min(window.total.saturating_sub(rows));
            let first = usize::try_from(window.first).unwrap_or(usize::MAX);
            let rows = listed.into_iter().skip(first).take(rows as usize);
            window.rows = rows.map(|(_, name, kind)| row(&asked.folder, name, kind)).collect();
        }
    }
    Ok(Answer::Disk(window))
}

fn problem(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => "You may not list this folder.".into(),
        std::io::ErrorKind::NotFound => "There is no such folder.".into(),
        std::io::ErrorKind::NotADirectory => "This is no folder.".into(),
        _ => format!("This folder cannot be listed: {error}."),
    }
}

/// All names that pass the filter; the outer error is that nobody waits for them any more.
fn names(asked: &ListDisk, cancel: &Cancel) -> Result<std::io::Result<Vec<Listed>>> {
    use std::os::unix::ffi::OsStringExt as _;
    let wanted = asked.filter.to_lowercase();
    let entries = match std::fs::read_dir(&asked.folder) {
        Ok(entries) => entries,
        Err(error) => return Ok(Err(error)),
    };
    let mut listed = Vec::new();
    for (n, entry) in entries.enumerate() {
        if n.is_multiple_of(1024) {
            cancel.check()?;
        }
        let Ok(entry) = entry else { continue };
        let kind = entry.file_type().ok().map_or(NodeType::File, |kind| kind_of(&kind));
        let is_folder = kind == NodeType::Dir || (kind == NodeType::Symlink && entry.path().is_dir());
        let name = entry.file_name().into_vec();
        let hidden = name.starts_with(b".") && !asked.hidden;
        if hidden || (asked.folders_only && !is_folder) {
            continue;
        }
        if wanted.is_empty() || String::from_utf8_lossy(&name).to_lowercase().contains(&wanted) {
            listed.push((!is_folder, name, kind));
        }
    }
    Ok(Ok(listed))
}

fn kind_of(kind: &std::fs::FileType) -> NodeType {
    use std::os::unix::fs::FileTypeExt as _;
    match kind {
        kind if kind.is_dir() => NodeType::Dir,
        kind if kind.is_symlink() => NodeType::Symlink,
        kind if kind.is_fifo() => NodeType::Fifo,
        kind if kind.is_socket() => NodeType::Socket,
        kind if kind.is_block_device() => NodeType::Dev,
        kind if kind.is_char_device() => NodeType::CharDev,
        _ => NodeType::File,
    }
}

fn row(folder: &Path, name: Vec<u8>, kind: NodeType) -> DiskRow {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    let path = folder.join(std::ffi::OsStr::from_bytes(&name));
    let metadata = path.symlink_metadata().ok();
    let folder = kind == NodeType::Dir || (kind == NodeType::Symlink && path.is_dir());
    // Only asked of folders: whether a file can be read is seen when it is.
    let readable = !folder || rustix::fs::access(&path, Access::READ_OK | Access::EXEC_OK).is_ok();
    DiskRow {
        name,
        kind,
        folder,
        size: metadata
            .as_ref()
            .filter(|_| kind == NodeType::File)
            .map(std::fs::Metadata::len),
        mtime: metadata.map(|metadata| metadata.mtime()),
        readable,
    }
}

/// Counts what a plan would take, telling how far it is.
pub(in crate::engine) fn count_excludes(
    asked: &CountExcludes,
    config: &Config,
    cancel: &Cancel,
    emit: &dyn Fn(Answer, bool),
) -> Result<Answer> {
    let mut exclude = exclude_of(asked)?;
    // As a backup does with the vault it goes to.
    exclude.never = config.vaults.iter().filter_map(|vault| identity(&vault.path)).collect();
    let options = BackupOptions {
        paths: asked.paths.clone(),
        exclude,
        ..BackupOptions::default()
    };
    let mut partly = |tally: &Tally| emit(Answer::Excludes(tally.clone()), false);
    tally(&options, &asked.excludes, cancel, &mut partly)
        .map(Answer::Excludes)
        .map_err(Error::from)
}

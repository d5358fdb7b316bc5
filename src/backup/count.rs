//! Counting beside the backup what there is to do, so that progress has totals. A walk of its own, without reading.

use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::{CWD, Mode, OFlags};

use super::exclude::Ignores;
use super::folder::c_path;
use super::listing::Names;
use super::metadata::{Place, Stat};
use super::pattern::components;
use super::targets::Skeleton;
use super::view::ReadFrom;
use super::walk::join;
use super::worker::Shared;
use crate::vault::NodeType;

/// A folder to count.
struct Pending {
    path: Vec<u8>,
    /// Where it is read, when it is not named in an open folder.
    at: PathBuf,
    /// The open folder above and the name in it; none for paths that were given.
    above: Option<(Arc<OwnedFd>, CString)>,
    device: u64,
    ignores: Option<Arc<Ignores>>,
}

/// Counts files and bytes into the progress. What cannot be listed is passed over: the backup itself reports it.
pub(super) fn count(shared: &Shared<'_>, skeleton: Skeleton) {
    let mut stack = Vec::new();
    start(shared, skeleton, &mut stack);
    let mut names = Names::default();
    while let Some(folder) = stack.pop() {
        if shared.cancel.is_cancelled() || shared.queue.is_stopped() || shared.root.get().is_some() {
            return;
        }
        let _ = folder_entries(shared, folder, &mut names, &mut stack);
    }
    shared.progress.totals_known.store(true, Ordering::Relaxed);
}

fn start(shared: &Shared<'_>, skeleton: Skeleton, stack: &mut Vec<Pending>) {
    for branch in skeleton.entries.into_values() {
        if !branch.given {
            start(shared, branch.below, stack);
            continue;
        }
        let path = branch.source.as_os_str().as_bytes().to_vec();
        let at = match shared.options.view.of(&branch.source) {
            ReadFrom::Itself => branch.source,
            ReadFrom::There(there) => there,
            ReadFrom::Nowhere => continue,
        };
        let Ok(mut stat) = Stat::of(Place::path(&c_path(&at))) else {
            continue;
        };
        shared.options.view.correct(&mut stat);
        let parts = components(&path);
        if shared.options.exclude.path_is_out(&parts, false) {
            continue;
        }
        match stat.kind() {
            Some(NodeType::Dir) => stack.push(Pending {
                path,
                at,
                above: None,
                device: stat.device_id,
                ignores: None,
            }),
            Some(NodeType::File) if !shared.options.exclude.file_is_out(&parts, Some(stat.size)) => add(shared, &stat),
            _ => {}
        }
    }
}

fn add(shared: &Shared<'_>, stat: &Stat) {
    shared.progress.files_total.fetch_add(1, Ordering::Relaxed);
    shared.progress.bytes_total.fetch_add(stat.size, Ordering::Relaxed);
}

fn folder_entries(
    shared: &Shared<'_>,
    folder: Pending,
    names: &mut Names,
    stack: &mut Vec<Pending>,
) -> std::io::Result<()> {
    let exclude = &shared.options.exclude;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fd = Arc::new(match &folder.above {
        Some((above, name)) => rustix::fs::openat(above, name, flags, Mode::empty())?,
        None => rustix::fs::openat(CWD, &folder.at, flags, Mode::empty())?,
    });
    names.read(&fd)?;
    names.apply_marks(&fd, exclude);
    let ignores = if exclude.gitignore {
        names.ignores(&fd, &folder.path, folder.ignores.as_ref())
    } else {
        None
    };
    let mut parts = components(&folder.path);
    let view = &shared.options.view;
    for n in 0..names.len() {
        let name = names.get(n);
        let own_path = || join(&folder.path, name.to_bytes());
        let elsewhere = match view.is_empty() {
            true => None,
            false => view.change_at(&own_path()),
        };
        let at = match elsewhere {
            None => None,
            Some(ReadFrom::Itself) => Some(PathBuf::from(OsString::from_vec(own_path()))),
            Some(ReadFrom::There(there)) => Some(there.clone()),
            Some(ReadFrom::Nowhere) => continue,
        };
        let by_path = at.as_deref().map(c_path);
        let place = match &by_path {
            Some(path) => Place::path(path),
            None => Place {
                dir: fd.as_fd(),
                name,
                path: None,
            },
        };
        parts.push(name.to_bytes());
        let out = exclude.path_is_out(&parts, true);
        if !out && let Ok(mut stat) = Stat::of(place) {
            view.correct(&mut stat);
            let here = !exclude.one_file_system || stat.device_id == folder.device;
            let ignored = |is_folder| {
                ignores
                    .as_ref()
                    .is_some_and(|rules| rules.is_out(&own_path(), is_folder))
            };
            match stat.kind() {
                Some(NodeType::Dir) if here && !exclude.folder_is_out(&stat) && !ignored(true) => stack.push(Pending {
                    path: own_path(),
                    above: at.is_none().then(|| (Arc::clone(&fd), name.to_owned())),
                    at: at.unwrap_or_default(),
                    device: folder.device,
                    ignores: ignores.clone(),
                }),
                Some(NodeType::File) if here && !ignored(false) && !exclude.file_is_out(&parts, Some(stat.size)) => {
                    add(shared, &stat);
                }
                _ => {}
            }
        }
        parts.pop();
    }
    Ok(())
}

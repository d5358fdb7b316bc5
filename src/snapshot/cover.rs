//! What must be snapshotted so that all that lies at some paths is of one moment: the subvolumes that hold them and those
//! nested within, copies of folders elsewhere, the filesystems mounted within. And what stands against it.
//!
//! Nothing is taken here. Paths may lead through symbolic links; each is told where it lies under the name it was given.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::btrfs::subvolume::{is_btrfs, is_root_of_subvolume};
use super::mounts::{self, Mount};
use super::resolve::kind_of;
use super::shelf::Shelf;
use super::system::is_root;
use super::{Kind, SHELF, Target, btrfs};

/// What must be taken for some paths, and where each then lies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cover {
    /// What is to be snapshotted, all at one moment.
    pub targets: Vec<Target>,
    /// Where the paths lie, and places within them that lie elsewhere than what is around them.
    pub places: Vec<(PathBuf, Lies)>,
    /// What lies on nothing that can be snapshotted.
    pub obstacles: Vec<Obstacle>,
}

/// Where a place lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lies {
    /// In a snapshot.
    In {
        /// Of which of the targets.
        target: usize,
        /// Where in it, from its root.
        below: PathBuf,
    },
    /// In none: it is where it is.
    Live,
    /// Among the snapshots themselves.
    OnShelf,
}

/// A place that cannot be snapshotted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Where.
    pub path: PathBuf,
    /// Why not.
    pub why: String,
}

/// Finds out what must be taken for some absolute paths. With `one_filesystem` what is mounted within them does not count;
/// neither does what `is_out`.
pub fn cover(paths: &[PathBuf], one_filesystem: bool, is_out: &dyn Fn(&Path) -> bool) -> Cover {
    let mut search = Search {
        mounts: mounts::all(),
        cover: Cover::default(),
        folders: Vec::new(),
    };
    let mut paths: Vec<&PathBuf> = paths.iter().collect();
    // Copies of what is around come first, so that what is within needs none.
    paths.sort();
    paths.dedup();
    for path in paths {
        search.path(path, one_filesystem, is_out);
    }
    search.shelves();
    search.cover
}

struct Search {
    mounts: Vec<Mount>,
    cover: Cover,
    /// The paths that are folders, and where they really are.
    folders: Vec<(PathBuf, PathBuf)>,
}

/// Where a path really lies: links above it are followed, itself it may be one.
fn real(path: &Path) -> Option<PathBuf> {
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => Some(parent.canonicalize().ok()?.join(name)),
        _ => path.canonicalize().ok(),
    }
}

impl Search {
    fn path(&mut self, path: &Path, one_filesystem: bool, is_out: &dyn Fn(&Path) -> bool) {
        // What is not there is the backup's to tell.
        let Some(about) = path.symlink_metadata().ok() else {
            return;
        };
        let Some(root) = real(path) else { return };
        self.place(path, &root);
        if !about.is_dir() {
            return;
        }
        self.folders.push((path.to_path_buf(), root.clone()));
        for inner in self.inner(&root) {
            let Ok(below) = inner.strip_prefix(&root) else { continue };
            let name = path.join(below);
            if is_out(&name) {
                continue;
            }
            if below.components().any(|part| part.as_os_str() == SHELF) {
                continue;
            }
            let Ok(here) = inner.symlink_metadata() else { continue };
            if one_filesystem && here.dev() != about.dev() {
                // It is kept as an empty folder, as it is where it is.
                self.cover.places.push((name, Lies::Live));
                continue;
            }
            self.place(&name, &inner);
        }
    }

    /// The folders of snapshots within the paths, those that are made when these are taken included.
    fn shelves(&mut self) {
        for target in &self.cover.targets {
            let Target::Folder(target) = target else { continue };
            for shelf in Shelf::all_of(target) {
                let within = self.folders.iter().filter_map(|(name, root)| {
                    let below = shelf.path.strip_prefix(root).ok()?;
                    Some((name.join(below), Lies::OnShelf))
                });
                self.cover.places.extend(within);
            }
        }
    }

    /// Subvolumes and mounts below a folder, those around others first.
    fn inner(&self, root: &Path) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = self.mounts.iter().map(|mount| mount.point.clone()).collect();
        found.retain(|point| point.starts_with(root) && point != root);
        let mut next = vec![root.to_path_buf()];
        next.extend(found.iter().filter(|point| is_root_of_subvolume(point)).cloned());
        while let Some(one) = next.pop() {
            let within = btrfs::within(&one).into_iter().filter(|child| *child != one);
            let new: Vec<PathBuf> = within.filter(|child| !found.contains(child)).collect();
            next.extend(new.iter().cloned());
            found.extend(new);
        }
        found.sort();
        found.dedup();
        found
    }

    /// Notes where a place lies that is called `name` and really is at `path`.
    fn place(&mut self, name: &Path, path: &Path) {
        let lies = match self.region(path) {
            Ok((root, below)) => {
                let target = Target::Folder(root);
                let known = self.cover.targets.iter().position(|known| *known == target);
                let number = known.unwrap_or_else(|| {
                    self.cover.targets.push(target);
                    self.cover.targets.len() - 1
                });
                Lies::In { target: number, below }
            }
            Err(why) => {
                let path = name.to_path_buf();
                self.cover.obstacles.push(Obstacle { path, why });
                Lies::Live
            }
        };
        self.cover.places.push((name.to_path_buf(), lies));
    }

    /// What is snapshotted for a path, and where in it the path is.
    fn region(&self, path: &Path) -> Result<(PathBuf, PathBuf), String> {
        let below = |root: &Path| path.strip_prefix(root).map(Path::to_path_buf).unwrap_or_default();
        for above in path.ancestors() {
            if is_root_of_subvolume(above) {
                self.can_delete(above)?;
                return Ok((above.to_path_buf(), below(above)));
            }
            let copied = |target: &&Target| matches!(target, Target::Folder(root) if root == above) && !is_btrfs(above);
            if self.cover.targets.iter().any(|target| copied(&target)) {
                return Ok((above.to_path_buf(), below(above)));
            }
            if self.mounts.iter().any(|mount| mount.point == above) {
                break;
            }
        }
        let target = Target::Folder(path.to_path_buf());
        if !path.symlink_metadata().is_ok_and(|about| about.is_dir()) {
            return Err(
                match path.parent().map(|folder| kind_of(&Target::Folder(folder.into()))) {
                    Some(Ok(_)) => {
                        "it is a single file, and here only folders can be copied: name the folder it lies in".into()
                    }
                    Some(Err(super::Error::Unable { why, .. })) => why,
                    _ => "there is no snapshot of its filesystem".into(),
                },
            );
        }
        match kind_of(&target) {
            Ok(Kind::Reflink | Kind::Btrfs) => Ok((path.to_path_buf(), PathBuf::new())),
            Ok(_) => Err("there is no snapshot of its filesystem".into()),
            Err(super::Error::Unable { why, .. }) => Err(why),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A snapshot that cannot be deleted afterwards is not taken.
    fn can_delete(&self, path: &Path) -> Result<(), String> {
        let mount = mounts::of(&self.mounts, path);
        let allowed = |mount: &Mount| {
            mount
                .super_options
                .split(',')
                .any(|word| word == "user_subvol_rm_allowed")
        };
        match is_root() || mount.is_some_and(allowed) {
            true => Ok(()),
            false => Err(
                "btrfs lets only root delete its snapshot afterwards: use sudo, or mount it with user_subvol_rm_allowed"
                    .into(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_no_snapshots_is_an_obstacle_and_lies_where_it_is() {
        let found = cover(&["/proc/self".into(), "/nowhere".into()], false, &|_| false);
        assert!(found.targets.is_empty());
        let [(path, Lies::Live)] = found.places.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(path, Path::new("/proc/self"));
        assert!(found.obstacles[0].why.contains("proc keeps no snapshots"), "{found:?}");
    }

    #[test]
    fn what_is_left_out_is_no_obstacle() {
        let all = |out: &dyn Fn(&Path) -> bool, one: bool| {
            let found = cover(&["/".into()], one, out);
            found
                .obstacles
                .into_iter()
                .map(|obstacle| obstacle.path)
                .collect::<Vec<_>>()
        };
        assert!(all(&|_| false, false).contains(&"/proc".into()));
        assert!(!all(&|path| path.starts_with("/proc"), false).contains(&"/proc".into()));
        assert!(!all(&|_| false, true).contains(&"/proc".into()));
    }
}

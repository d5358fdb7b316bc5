//! Which vaults hold a path of this machine, and of which moments.
//!
//! A generation's record names the paths that it was made of, not what lay below them: another filesystem can have been left
//! out, or a pattern can say so. The catalog is asked first, which knows the trees; the record and the plans where it does not.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use super::coverage::VaultCopy;
use super::export::content_path;
use crate::backup::Exclude;
use crate::engine::browse::Located;
use crate::engine::plans::Scope;
use crate::engine::{Engine, Result};
use crate::progress::Cancel;
use crate::snapshot::{Snapshot, Target};
use crate::vault::{Generation, Id};

/// The number of the filesystem that a path lies in; of one that is not there, of the folder that it was in.
pub(in crate::engine) fn filesystem(path: &Path) -> Option<u64> {
    let about = path.ancestors().find_map(|at| at.symlink_metadata().ok());
    about.map(|about| about.dev())
}

impl Engine {
    /// The snapshots of the volume that a path lies in.
    pub(super) fn snapshots_above(&self, path: &Path) -> Vec<Snapshot> {
        // A snapshot holds nothing of what is mounted below its target, nor of volumes within it.
        let targets = self.targets().into_iter().filter(|target| match target {
            Target::Folder(folder) => path.starts_with(folder) && filesystem(path) == filesystem(folder),
            _ => false,
        });
        // The innermost one is the volume that holds it.
        let innermost = targets.max_by_key(|target| target.to_string().len());
        innermost
            .and_then(|target| self.snapshots_of(&target).ok())
            .unwrap_or_default()
    }

    /// The images that hold a target's disks, as far as they are known from here.
    pub(super) fn images(&self, target: &Target, newest: Option<&Snapshot>) -> Vec<PathBuf> {
        if matches!(target, Target::Folder(_) | Target::Ebs(_)) {
            return Vec::new();
        }
        let disks = newest.and_then(|snapshot| self.keeper(snapshot).ok()?.disks(snapshot).ok());
        match (disks, target) {
            (Some(disks), _) => disks.into_iter().map(|disk| disk.image).collect(),
            (None, Target::Image(path)) => vec![path.clone()],
            (None, _) => Vec::new(),
        }
    }

    /// The vaults, each with its generations of this machine, the newest first.
    pub(super) fn vault_copies(&self) -> Result<Vec<(VaultCopy, Vec<Generation>)>> {
        let config = self.config();
        let mut copies = Vec::new();
        for vault in &config.vaults {
            let place = self.find(&vault.name)?;
            let mut own = self.catalog().generations(&place.key())?;
            own.retain(|generation| generation.hostname == self.settings().host);
            own.sort_by_key(|generation| std::cmp::Reverse(generation.time.seconds));
            let copy = VaultCopy {
                name: vault.name.clone(),
                moments: Vec::new(),
                same_disk: None,
                elsewhere: crate::snapshot::is_remote(&vault.path),
                disks: false,
            };
            copies.push((copy, own));
        }
        Ok(copies)
    }

    /// Those of the vaults that hold a path, with the moments at which they do. `copies` come with this machine's
    /// generations, the newest first.
    pub(in crate::engine) fn holding(
        &self,
        copies: &[(VaultCopy, Vec<Generation>)],
        scopes: &[Scope],
        path: &Path,
    ) -> Result<Vec<VaultCopy>> {
        let mut held = Vec::new();
        for (copy, generations) in copies {
            let mut moments = Vec::new();
            // Once one of its kind is known to hold it, the older ones are taken to.
            let mut proven: HashSet<&[String]> = HashSet::new();
            for generation in generations {
                if !generation.paths.iter().any(|above| path.starts_with(above)) {
                    continue;
                }
                let known = match proven.contains(generation.paths.as_slice()) {
                    true => Some(true),
                    false => self.holds(generation.tree, path)?,
                };
                if known == Some(true) {
                    proven.insert(&generation.paths);
                }
                if known.unwrap_or_else(|| may_hold(generation, scopes, path, &filesystem)) {
                    moments.push(generation.time.seconds);
                }
            }
            if !moments.is_empty() {
                held.push(VaultCopy {
                    moments,
                    ..copy.clone()
                });
            }
        }
        Ok(held)
    }

    /// Whether a generation's tree has a path; `None` where the catalog cannot tell. A folder that is empty there and not
    /// here is the place where another filesystem was mounted.
    fn holds(&self, root: Id, path: &Path) -> Result<Option<bool>> {
        let names = path.components().filter_map(|component| match component {
            Component::Normal(name) => Some(name.as_bytes().to_vec()),
            _ => None,
        });
        let names: Vec<Vec<u8>> = names.collect();
        let Some(located) = self.locate(None, root, &names, &Cancel::default())? else {
            return Ok(None);
        };
        let tree = match (&located, located.tree()) {
            (Located::Missing, _) => return Ok(Some(false)),
            (_, None) => return Ok(Some(true)),
            (_, Some(tree)) => tree,
        };
        let Some(stored) = self.catalog().tree(&tree)? else {
            return Ok(None);
        };
        let something_here = || std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
        Ok(Some(stored.entries() > 0 || !something_here()))
    }
}

/// Those of the vaults that hold the content of all these images, as sending a snapshot there puts it, with the moments at
/// which they do.
pub(super) fn holding_disks(copies: &[(VaultCopy, Vec<Generation>)], images: &[PathBuf]) -> Vec<VaultCopy> {
    let contents: Vec<PathBuf> = images.iter().map(|image| content_path(image)).collect();
    if contents.is_empty() {
        return Vec::new();
    }
    let with_moments = copies.iter().map(|(copy, generations)| {
        let whole = generations.iter().filter(|generation| {
            let held = |content: &PathBuf| generation.paths.iter().any(|path| Path::new(path) == content);
            contents.iter().all(held)
        });
        VaultCopy {
            moments: whole.map(|generation| generation.time.seconds).collect(),
            disks: true,
            ..copy.clone()
        }
    });
    with_moments.filter(|copy| !copy.moments.is_empty()).collect()
}

/// Whether a generation made of what is above a path can hold it, as far as its record and the plans say.
fn may_hold(generation: &Generation, scopes: &[Scope], path: &Path, filesystem: &dyn Fn(&Path) -> Option<u64>) -> bool {
    let mut exclude = Exclude::default();
    for pattern in &generation.excludes {
        // One that another program understands and this one does not says nothing here.
        let _ = exclude.add(pattern, false);
    }
    if exclude.leaves_out(path) {
        return false;
    }
    let same = |scope: &&Scope| {
        scope.paths.len() == generation.paths.len()
            && generation
                .paths
                .iter()
                .all(|one| scope.paths.iter().any(|path| path == Path::new(one)))
    };
    let mut plans = scopes.iter().filter(same).peekable();
    plans.peek().is_none() || plans.any(|scope| scope.takes(path, filesystem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::vault::generation::tests_support::generation;

    #[test]
    fn disks_are_held_where_all_of_them_are() {
        let of = |seconds: i64, paths: &[&str]| Generation {
            paths: paths.iter().map(ToString::to_string).collect(),
            ..generation(1, seconds)
        };
        let vault = |name: &str, generations: Vec<Generation>| {
            let copy = VaultCopy {
                name: name.into(),
                moments: Vec::new(),
                same_disk: None,
                elsewhere: false,
                disks: false,
            };
            (copy, generations)
        };
        let copies = [
            vault(
                "both",
                vec![
                    of(3, &["/vm/a.qcow2.raw", "/vm/b.qcow2.raw"]),
                    of(1, &["/vm/a.qcow2.raw"]),
                ],
            ),
            vault("one", vec![of(2, &["/vm/b.qcow2.raw"])]),
        ];
        let held = |images: &[&str]| {
            let images: Vec<PathBuf> = images.iter().map(PathBuf::from).collect();
            let held = holding_disks(&copies, &images);
            assert!(held.iter().all(|copy| copy.disks));
            held.into_iter()
                .map(|copy| (copy.name, copy.moments))
                .collect::<Vec<_>>()
        };
        assert_eq!(held(&["/vm/a.qcow2", "/vm/b.qcow2"]), [("both".to_owned(), vec![3])]);
        assert_eq!(held(&["/vm/a.qcow2"]), [("both".to_owned(), vec![3, 1])]);
        assert_eq!(held(&["/vm/c.qcow2"]), []);
        assert_eq!(held(&[]), []);
    }

    #[test]
    fn what_lies_below_a_path_may_have_been_left_out() {
        let scope = |more: &str| {
            let text = format!("[vaults.v]\npath = '/v'\n[plans.p]\nvault = 'v'\npaths = ['/']\n{more}");
            let config = Config::parse(&text, Path::new("/c.toml")).unwrap();
            Scope::of(&config.plans[0])
        };
        let generation = |excludes: &[&str]| -> Generation {
            let record = serde_json::json!({
                "time": "2026-01-01T00:00:00Z", "tree": Id::of(b""), "paths": ["/"], "excludes": excludes,
            });
            serde_json::from_value(record).unwrap()
        };
        // `/home` is a filesystem of its own.
        let filesystem = |path: &Path| Some(u64::from(path.starts_with("/home")));
        let holds =
            |generation: &Generation, scopes: &[Scope]| may_hold(generation, scopes, Path::new("/home"), &filesystem);
        assert!(holds(&generation(&[]), &[]) && holds(&generation(&["/srv"]), &[scope("")]));
        assert!(!holds(&generation(&["/home"]), &[]));
        assert!(!holds(&generation(&[]), &[scope("one-file-system = true")]));
        assert!(holds(&generation(&[]), &[scope("one-file-system = true"), scope("")]));
        assert!(!holds(&generation(&[]), &[scope("excludes = ['/home']")]));
    }
}

//! Which vaults hold a path of this machine, and of which moments.
//!
//! A generation's record names the paths that it was made of, not what lay below them: another filesystem can have been left
//! out, or a pattern can say so. The catalog is asked first, which knows the trees; the record and the plans where it does not.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path};

use super::coverage::VaultCopy;
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

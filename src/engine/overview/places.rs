//! This machine: which disk a path lies on, whether a vault is where it should be, what no plan covers.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Uncovered;
use crate::engine::plans::Scope;
use crate::storage::local::LocalStorage;
use crate::storage::{FileKind, Storage, StorageError};
use crate::vault::Id;

/// What most machines keep things in that are worth keeping.
pub const USUAL: &[&str] = &["/etc", "/home", "/root", "/srv", "/var/lib", "/opt"];
/// How long all places together have to answer.
const MOMENT: Duration = Duration::from_secs(3);
/// How deep disks are followed through what lies on them (crypt on volumes on arrays on partitions).
const DEPTH: u32 = 8;

/// A path as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::engine) struct Place {
    /// Whether a vault lies there.
    pub(super) vault: bool,
    /// Whether anything is there.
    pub(super) there: bool,
    /// Why there is no vault, in words.
    pub(super) problem: String,
    /// The filesystem's number.
    filesystem: Option<u64>,
    /// The disks it lies on, by their names in `/sys`; empty where the system does not say.
    disks: BTreeSet<String>,
}

impl Place {
    /// Whether both would be lost with one disk; `None` where that cannot be said.
    pub(in crate::engine) fn shares_disk(&self, other: &Place) -> Option<bool> {
        let same = self.filesystem? == other.filesystem?;
        let shared = !self.disks.is_disjoint(&other.disks);
        let known = !self.disks.is_empty() && !other.disks.is_empty();
        match (same || shared, known) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            // Two filesystems of which the system does not say where they lie.
            (false, false) => None,
        }
    }
}

/// Looks at paths, each on a thread of its own: a dead mount holds up nothing but itself. Those that do not answer in time
/// are not in the answer.
pub(in crate::engine) fn look_at(paths: Vec<PathBuf>) -> HashMap<PathBuf, Place> {
    let (sender, receiver) = mpsc::channel();
    let mut asked = 0;
    let wanted: BTreeSet<PathBuf> = paths.into_iter().collect();
    for path in wanted {
        let sender = sender.clone();
        let look = move || {
            let place = look(&path);
            let _ = sender.send((path, place));
        };
        asked += usize::from(std::thread::Builder::new().name("look".into()).spawn(look).is_ok());
    }
    let end = Instant::now() + MOMENT;
    let mut found = HashMap::new();
    while found.len() < asked {
        let left = end.saturating_duration_since(Instant::now());
        let Ok((path, place)) = receiver.recv_timeout(left) else {
            break;
        };
        found.insert(path, place);
    }
    found
}

fn look(path: &Path) -> Place {
    let there = path.symlink_metadata().is_ok();
    let (vault, problem) = match LocalStorage::new(path).size(FileKind::Config, &Id::ZERO) {
        Ok(_) => (true, String::new()),
        Err(StorageError::NotFound { .. }) if !there => {
            (false, format!("{} is not there: is its disk mounted?", path.display()))
        }
        Err(StorageError::NotFound { .. }) => (false, format!("there is no vault in {}", path.display())),
        Err(error) => (false, error.to_string()),
    };
    let filesystem = path.metadata().ok().map(|metadata| metadata.dev());
    let device = filesystem.filter(|dev| rustix::fs::major(*dev) != 0).or_else(|| {
        // btrfs and its like have no device of their own: the mount says which one is below.
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        let real = std::fs::canonicalize(path).ok()?;
        Some(Path::new(&mounted_from(&mounts, &real)?).metadata().ok()?.rdev())
    });
    let disks = device.map(|dev| {
        let number = format!("{}:{}", rustix::fs::major(dev), rustix::fs::minor(dev));
        disks(Path::new("/sys/dev/block"), &number)
    });
    Place {
        vault,
        there,
        problem,
        filesystem,
        disks: disks.unwrap_or_default(),
    }
}

/// The device below a path, of the text of `mountinfo`; `None` where it is no device.
fn mounted_from(mounts: &str, path: &Path) -> Option<String> {
    let mount = |line: &str| {
        let (before, behind) = line.split_once(" - ")?;
        let point = before.split(' ').nth(4)?.replace("\\040", " ");
        let source = behind.split(' ').nth(1)?;
        path.starts_with(&point).then(|| (point.len(), source.to_owned()))
    };
    let found = mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length);
    found
        .map(|(_, source)| source)
        .filter(|source| source.starts_with("/dev/"))
}

/// The disks a block device lies on in the end. `sys` is `/sys/dev/block`.
fn disks(sys: &Path, number: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let Ok(device) = std::fs::canonicalize(sys.join(number)) {
        below(&device, DEPTH, &mut found);
    }
    found
}

fn below(device: &Path, depth: u32, found: &mut BTreeSet<String>) {
    if depth == 0 {
        return;
    }
    let slaves = std::fs::read_dir(device.join("slaves")).into_iter().flatten();
    let slaves: Vec<PathBuf> = slaves
        .filter_map(|slave| slave.ok()?.path().canonicalize().ok())
        .collect();
    if !slaves.is_empty() {
        slaves.iter().for_each(|slave| below(slave, depth - 1, found));
        return;
    }
    let disk = match device.parent() {
        Some(parent) if device.join("partition").exists() => return below(parent, depth - 1, found),
        _ => device,
    };
    found.extend(disk.file_name().map(|name| name.to_string_lossy().into_owned()));
}

/// Those of the usual paths that hold something and that no plan covers whole. A folder with nothing but vaults in it needs
/// no plan. `filesystem` gives the number of the one that a path lies in.
pub(super) fn uncovered(
    usual: &[&str],
    plans: &[Scope],
    vaults: &[&Path],
    filesystem: &dyn Fn(&Path) -> Option<u64>,
) -> Vec<Uncovered> {
    let mut found = Vec::new();
    for path in usual.iter().map(Path::new) {
        if plans.iter().any(|plan| plan.takes(path, filesystem)) || !holds_something(path, vaults) {
            continue;
        }
        let paths = plans.iter().flat_map(|plan| &plan.paths);
        found.push(Uncovered {
            path: path.to_path_buf(),
            covered: paths
                .filter(|inner| inner.starts_with(path) && *inner != path)
                .cloned()
                .collect(),
        });
    }
    found
}

/// Whether a folder has an entry that is not on the way to a vault.
fn holds_something(path: &Path, vaults: &[&Path]) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else {
        // Not readable is not the same as empty.
        return path.is_dir();
    };
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.any(|entry| !vaults.iter().any(|vault| vault.starts_with(&entry)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn disks_are_found_below_partitions_and_volumes() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let sys = root.join("dev");
        for path in [
            "devices/sda/sda1",
            "devices/sda/sda2",
            "devices/sdb",
            "devices/dm-0/slaves",
            "dev",
        ] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        for partition in ["sda1", "sda2"] {
            fs::write(root.join("devices/sda").join(partition).join("partition"), "1").unwrap();
        }
        symlink(root.join("devices/sda/sda2"), root.join("devices/dm-0/slaves/sda2")).unwrap();
        symlink(root.join("devices/sdb"), root.join("devices/dm-0/slaves/sdb")).unwrap();
        for (number, device) in [("8:1", "sda/sda1"), ("8:16", "sdb"), ("253:0", "dm-0")] {
            symlink(root.join("devices").join(device), sys.join(number)).unwrap();
        }
        let names = |number: &str| disks(&sys, number).into_iter().collect::<Vec<_>>();
        assert_eq!(names("8:1"), ["sda"]);
        assert_eq!(names("8:16"), ["sdb"]);
        assert_eq!(names("253:0"), ["sda", "sdb"]);
        assert!(names("9:9").is_empty());
    }

    #[test]
    fn a_shared_disk_counts_and_an_unknown_one_is_said_to_be() {
        let place = |filesystem, disks: &[&str]| Place {
            filesystem: Some(filesystem),
            disks: disks.iter().map(ToString::to_string).collect(),
            ..Place::default()
        };
        let here = place(1, &["sda"]);
        assert_eq!(here.shares_disk(&place(2, &["sda", "sdb"])), Some(true));
        assert_eq!(here.shares_disk(&place(2, &["sdb"])), Some(false));
        assert_eq!(here.shares_disk(&place(2, &[])), None);
        assert_eq!(place(1, &[]).shares_disk(&place(1, &[])), Some(true));
        assert_eq!(here.shares_disk(&Place::default()), None);
    }

    #[test]
    fn the_mount_says_what_is_below() {
        let mounts = "22 1 0:20 / / rw shared:1 - btrfs /dev/nvme0n1p2 rw\n\
                      30 22 0:25 /home /home rw - btrfs /dev/mapper/home rw\n\
                      31 22 0:40 / /mnt/a\\040b rw - nfs4 nas:/export rw\n";
        let from = |path: &str| mounted_from(mounts, Path::new(path));
        assert_eq!(from("/etc").as_deref(), Some("/dev/nvme0n1p2"));
        assert_eq!(from("/home/anna").as_deref(), Some("/dev/mapper/home"));
        assert_eq!(from("/homes").as_deref(), Some("/dev/nvme0n1p2"));
        assert_eq!(from("/mnt/a b/vault"), None);
    }

    #[test]
    fn what_no_plan_covers() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for path in ["etc/ssh", "srv/vault/data", "home/anna", "home/ben", "opt"] {
            fs::create_dir_all(at(path)).unwrap();
        }
        let usual: Vec<String> = ["etc", "srv", "home", "opt", "none"]
            .iter()
            .map(|name| at(name).display().to_string())
            .collect();
        let usual: Vec<&str> = usual.iter().map(String::as_str).collect();
        let filesystem = |path: &Path| Some(u64::from(path.starts_with(at("home"))));
        let found = |paths: &[PathBuf], more: &str| {
            let paths: Vec<String> = paths.iter().map(|path| format!("'{}'", path.display())).collect();
            let text = format!(
                "[vaults.v]\npath = '/v'\n[plans.p]\nvault = 'v'\npaths = [{}]\n{more}",
                paths.join(", ")
            );
            let config = crate::config::Config::parse(&text, Path::new("/c.toml")).unwrap();
            let plans: Vec<Scope> = config.plans.iter().map(Scope::of).collect();
            uncovered(&usual, &plans, &[&at("srv/vault")], &filesystem)
                .into_iter()
                .map(|path| {
                    (
                        path.path.file_name().unwrap().to_string_lossy().into_owned(),
                        path.covered.len(),
                    )
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(found(&[at("none")], ""), [("etc".into(), 0), ("home".into(), 0)]);
        assert_eq!(found(&[at("etc"), at("home/anna")], ""), [("home".into(), 1)]);
        let all = [folder.path().to_path_buf()];
        assert_eq!(found(&all, ""), []);
        // The name of a path is not enough: what is below it can be left out.
        let without = format!("excludes = ['{}']", at("etc").display());
        assert_eq!(found(&all, &without), [("etc".into(), 0)]);
        assert_eq!(found(&all, "one-file-system = true"), [("home".into(), 0)]);
    }

    #[test]
    fn a_place_without_a_vault_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let found = look_at(vec![folder.path().to_path_buf(), gone.clone()]);
        assert!(found[folder.path()].problem.starts_with("there is no vault in"));
        assert!(found[&gone].problem.ends_with("is not there: is its disk mounted?"));
    }
}

//! What a plan would take and what it would leave out, counted on the live filesystem without reading any file.

use std::ffi::{CStr, CString};
use std::ops::AddAssign;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags};

use super::exclude::{Exclude, Ignores};
use super::folder::c_path;
use super::listing::Names;
use super::metadata::{Place, Stat};
use super::pattern::components;
use super::targets::{Skeleton, lay_out};
use super::walk::join;
use super::{BackupOptions, Result};
use crate::progress::Cancel;
use crate::vault::NodeType;

/// How often an unfinished tally is told.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// Files and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weight {
    /// How many.
    pub files: u64,
    /// What they weigh.
    pub bytes: u64,
}

impl AddAssign for Weight {
    fn add_assign(&mut self, other: Weight) {
        self.files = self.files.saturating_add(other.files);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// What is taken and what is left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// What is backed up.
    pub kept: Weight,
    /// What each of the patterns leaves out, in their order. Where several would, the last one counts.
    pub dropped: Vec<Weight>,
    /// What is left out for another reason: marked as a cache, too large, on another filesystem, or by an exclude file.
    pub other: Weight,
    /// Folders and files that could not be looked at.
    pub unreadable: u64,
}

struct Folder {
    path: Vec<u8>,
    above: Option<(Arc<OwnedFd>, CString)>,
    device: u64,
    ignores: Option<Arc<Ignores>>,
    verdict: Verdict,
}

/// Where something is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Verdict {
    Kept,
    Dropped(usize),
    Other,
}

struct Walk<'a> {
    exclude: &'a Exclude,
    /// Each of the patterns alone.
    single: Vec<Exclude>,
    tally: Tally,
    stack: Vec<Folder>,
    /// Files seen, kept or not.
    seen: u64,
    told: Instant,
    partly: &'a mut dyn FnMut(&Tally),
}

/// Counts what a backup with these options would take. `patterns` are those that are counted one by one; all of them are
/// in `options.exclude` too. `partly` hears of it every quarter of a second.
pub fn tally(
    options: &BackupOptions,
    patterns: &[String],
    cancel: &Cancel,
    partly: &mut dyn FnMut(&Tally),
) -> Result<Tally> {
    let mut single = Vec::new();
    for pattern in patterns {
        let mut exclude = Exclude::default();
        exclude.add(pattern, false)?;
        single.push(exclude);
    }
    let mut list = |folder: &Path| -> std::io::Result<Vec<Vec<u8>>> {
        let mut names = Names::default();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        names.read(&rustix::fs::openat(CWD, folder, flags, Mode::empty())?)?;
        Ok(names.iter().map(<[u8]>::to_vec).collect())
    };
    let paths: Vec<PathBuf> = options
        .paths
        .iter()
        .filter(|path| path.symlink_metadata().is_ok())
        .cloned()
        .collect();
    let skeleton = lay_out(Path::new("/"), &paths, &mut list)?;
    let mut walk = Walk {
        exclude: &options.exclude,
        tally: Tally {
            dropped: vec![Weight::default(); single.len()],
            unreadable: (options.paths.len() - paths.len()) as u64,
            ..Tally::default()
        },
        single,
        stack: Vec::new(),
        seen: 0,
        told: Instant::now(),
        partly,
    };
    walk.start(skeleton);
    let mut names = Names::default();
    while let Some(folder) = walk.stack.pop() {
        cancel.check().map_err(crate::vault::Error::from)?;
        if walk.folder(&folder, &mut names, cancel).is_err() {
            walk.tally.unreadable += 1;
        }
    }
    cancel.check().map_err(crate::vault::Error::from)?;
    Ok(walk.tally)
}

impl Walk<'_> {
    fn start(&mut self, skeleton: Skeleton) {
        for branch in skeleton.entries.into_values() {
            if !branch.given {
                self.start(branch.below);
                continue;
            }
            let path = branch.source.as_os_str().as_bytes().to_vec();
            let Ok(stat) = Stat::of(Place::path(&c_path(&branch.source))) else {
                self.tally.unreadable += 1;
                continue;
            };
            let verdict = self.judge(&components(&path), false, &stat);
            match stat.kind() {
                Some(NodeType::Dir) => self.stack.push(Folder {
                    path,
                    above: None,
                    device: stat.device_id,
                    ignores: None,
                    verdict,
                }),
                Some(NodeType::File) => self.add(verdict, &stat),
                _ => {}
            }
        }
    }

    fn add(&mut self, verdict: Verdict, stat: &Stat) {
        let weight = Weight {
            files: 1,
            bytes: stat.size,
        };
        match verdict {
            Verdict::Kept => self.tally.kept += weight,
            Verdict::Dropped(n) => {
                if let Some(dropped) = self.tally.dropped.get_mut(n) {
                    *dropped += weight;
                }
            }
            Verdict::Other => self.tally.other += weight,
        }
        self.seen += 1;
        if self.seen.is_multiple_of(256) && self.told.elapsed() >= TOLD_EVERY {
            self.told = Instant::now();
            (self.partly)(&self.tally);
        }
    }

    /// Where an entry is counted, going by its path and size.
    fn judge(&self, parts: &[&[u8]], folders_pass: bool, stat: &Stat) -> Verdict {
        if self.exclude.path_is_out(parts, folders_pass) {
            let by = self.single.iter().rposition(|one| one.path_is_out(parts, folders_pass));
            return by.map_or(Verdict::Other, Verdict::Dropped);
        }
        let is_file = stat.kind() == Some(NodeType::File);
        if stat.kind() == Some(NodeType::Dir) && self.exclude.folder_is_out(stat) {
            return Verdict::Other;
        }
        if is_file && self.exclude.file_is_out(parts, Some(stat.size)) {
            return Verdict::Other;
        }
        Verdict::Kept
    }

    fn folder(&mut self, folder: &Folder, names: &mut Names, cancel: &Cancel) -> std::io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = Arc::new(match &folder.above {
            Some((above, name)) => rustix::fs::openat(above, name, flags, Mode::empty())?,
            None => rustix::fs::openat(CWD, folder.path.as_slice(), flags, Mode::empty())?,
        });
        names.read(&fd)?;
        let kept = folder.verdict == Verdict::Kept;
        let mut ignores = None;
        if kept && self.exclude.gitignore {
            ignores = names.ignores(&fd, &folder.path, folder.ignores.as_ref());
        }
        if kept && !self.exclude.marks().is_empty() {
            let all: Vec<CString> = (0..names.len()).map(|n| names.get(n).to_owned()).collect();
            names.apply_marks(&fd, self.exclude);
            if names.len() < all.len() {
                for name in all
                    .iter()
                    .filter(|name| names.iter().all(|left| left != name.to_bytes()))
                {
                    self.entry(folder, &fd, name, None, Some(Verdict::Other));
                }
            }
        }
        for n in 0..names.len() {
            if n.is_multiple_of(1024) && cancel.is_cancelled() {
                break;
            }
            self.entry(
                folder,
                &fd,
                names.get(n),
                ignores.as_ref(),
                (!kept).then_some(folder.verdict),
            );
        }
        Ok(())
    }

    fn entry(
        &mut self,
        folder: &Folder,
        fd: &Arc<OwnedFd>,
        name: &CStr,
        ignores: Option<&Arc<Ignores>>,
        given: Option<Verdict>,
    ) {
        let place = Place {
            dir: fd.as_fd(),
            name,
            path: None,
        };
        let Ok(stat) = Stat::of(place) else {
            self.tally.unreadable += 1;
            return;
        };
        let path = join(&folder.path, name.to_bytes());
        let is_folder = stat.kind() == Some(NodeType::Dir);
        let elsewhere = stat.device_id != folder.device;
        // What lies on other filesystems is not weighed where a backup would not go: that could be all of a server.
        if is_folder && elsewhere && (self.exclude.one_file_system || given.is_some()) {
            return;
        }
        let verdict = given.unwrap_or_else(|| match self.judge(&components(&path), true, &stat) {
            Verdict::Kept if ignores.is_some_and(|rules| rules.is_out(&path, is_folder)) => Verdict::Other,
            Verdict::Kept if elsewhere && self.exclude.one_file_system => Verdict::Other,
            verdict => verdict,
        });
        match stat.kind() {
            Some(NodeType::Dir) => self.stack.push(Folder {
                path,
                above: Some((Arc::clone(fd), name.to_owned())),
                device: folder.device,
                ignores: ignores.cloned(),
                verdict,
            }),
            Some(NodeType::File) => self.add(verdict, &stat),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, path: &str, bytes: usize) {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, vec![b'x'; bytes]).unwrap();
    }

    fn options(folder: &Path, patterns: &[String]) -> BackupOptions {
        let mut exclude = Exclude::default();
        for pattern in patterns {
            exclude.add(pattern, false).unwrap();
        }
        BackupOptions {
            paths: vec![folder.into(), folder.join("a")],
            exclude,
            ..BackupOptions::default()
        }
    }

    fn weight(files: u64, bytes: u64) -> Weight {
        Weight { files, bytes }
    }

    #[test]
    fn each_pattern_says_what_it_drops() {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in [
            ("a/keep", 1),
            ("a/one.tmp", 10),
            ("cache/x", 100),
            ("cache/deep/y.tmp", 200),
            ("tagged/CACHEDIR.TAG", 0),
            ("tagged/z", 1000),
            ("large", 5000),
        ] {
            write(folder.path(), path, bytes);
        }
        let signature = b"Signature: 8a477f597d28d172789f06886806bc55";
        std::fs::write(folder.path().join("tagged/CACHEDIR.TAG"), signature).unwrap();
        let patterns: Vec<String> = ["*.tmp", "cache", "nothing"].map(Into::into).into();
        let mut options = options(folder.path(), &patterns);
        options.exclude.caches();
        options.exclude.larger_than = Some(4000);
        options.paths.push("/nonexistent/path".into());
        let tally = tally(&options, &patterns, &Cancel::default(), &mut |_| {}).unwrap();
        assert_eq!(
            tally.kept,
            weight(2, 1 + 43),
            "a path in another path is counted once; the tag itself is kept"
        );
        assert_eq!(
            tally.dropped,
            [weight(1, 10), weight(2, 300), weight(0, 0)],
            "a dropped folder goes whole"
        );
        assert_eq!((tally.other, tally.unreadable), (weight(2, 6000), 1));
    }

    #[test]
    fn a_negated_pattern_takes_back_what_another_drops() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a.tmp", 1);
        write(folder.path(), "keep.tmp", 2);
        let patterns: Vec<String> = ["*.tmp", "!keep.tmp"].map(Into::into).into();
        let tally = tally(
            &options(folder.path(), &patterns),
            &patterns,
            &Cancel::default(),
            &mut |_| {},
        )
        .unwrap();
        assert_eq!(
            (tally.kept, tally.dropped),
            (weight(1, 2), vec![weight(1, 1), weight(0, 0)])
        );
    }

    #[test]
    fn it_stops_when_told_and_says_what_is_no_pattern() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "a/b", 1);
        let cancel = Cancel::default();
        cancel.cancel();
        let stopped = tally(&options(folder.path(), &[]), &[], &cancel, &mut |_| {});
        assert!(matches!(
            stopped,
            Err(super::super::Error::Vault(crate::vault::Error::Cancelled(_)))
        ));
        let bad = ["[".to_owned()];
        assert!(tally(&options(folder.path(), &[]), &bad, &Cancel::default(), &mut |_| {}).is_err());
    }
}

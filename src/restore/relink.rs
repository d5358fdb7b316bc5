//! Hard links, made when all files are there. Their folders keep the times they were given.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, Timespec, Timestamps};
use rustix::io::Errno;

use super::IssueKind;
use super::file::replace;
use super::job::{Job, add};
use super::place::{Status, open_path, part_name, split_path};
use super::selection::trim;

/// Links to be made. Paths lie one after the other in one buffer: there may be a million.
#[derive(Debug, Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    links: Vec<Link>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    start: usize,
    middle: usize,
    end: usize,
}

impl Pending {
    /// Remembers to make `path` a link to `first`, both paths of the generation.
    pub fn push(&mut self, path: &[u8], first: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(path);
        let middle = self.bytes.len();
        self.bytes.extend_from_slice(first);
        self.links.push(Link {
            start,
            middle,
            end: self.bytes.len(),
        });
    }

    /// Makes them, below the open folder `root` whose path in the generation has `above` bytes.
    pub fn make(&self, job: &Job<'_>, root: &OwnedFd, above: usize) {
        let mut at: Option<(&[u8], Open)> = None;
        for link in &self.links {
            if job.is_stopped() {
                return;
            }
            let path = &self.bytes[link.start..link.middle];
            let first = &self.bytes[link.middle..link.end];
            let (folder, name) = split_path(trim(path.get(above..).unwrap_or_default()));
            if at.as_ref().is_none_or(|(open, _)| *open != folder) {
                at = match Open::new(root, folder) {
                    Ok(open) => Some((folder, open)),
                    Err(error) => {
                        job.refused(path, "open the folder it belongs in", error);
                        None
                    }
                };
            }
            let Some((_, open)) = &at else { continue };
            let made = make(job, root, trim(first.get(above..).unwrap_or_default()), open, name);
            match made {
                Ok(()) => add(&job.counters.files_written, 1),
                Err(Errno::NOENT) => {
                    let first = String::from_utf8_lossy(first);
                    let error = format!("it is a hard link to {first}, which was not restored");
                    job.issue(path, IssueKind::Failed, error);
                }
                Err(error) => job.refused(path, "make the hard link", error),
            }
            add(&job.progress.files_done, 1);
        }
    }
}

fn make(job: &Job<'_>, root: &OwnedFd, first: &[u8], open: &Open, name: &[u8]) -> Result<(), Errno> {
    let (folder, first_name) = split_path(first);
    let first_folder = open_path(root.as_fd(), folder)?;
    let here = open.folder.as_fd();
    let link = |name: &[u8]| rustix::fs::linkat(&first_folder, first_name, here, name, AtFlags::empty());
    match link(name) {
        Err(Errno::EXIST) => {}
        linked => return linked,
    }
    let identity = |status: Option<Status>| status.map(|status| (status.device, status.inode));
    if identity(Status::at(here, name)?) == identity(Status::at(first_folder.as_fd(), first_name)?) {
        return Ok(());
    }
    let part = part_name(name);
    if link(&part) == Err(Errno::EXIST) {
        rustix::fs::unlinkat(here, part.as_slice(), AtFlags::empty())?;
        link(&part)?;
    }
    let renamed = replace(job, here, &part, name);
    if renamed.is_err() {
        let _ = rustix::fs::unlinkat(here, part.as_slice(), AtFlags::empty());
    }
    renamed
}

/// A finished folder that is opened once more; put back as it was when dropped.
struct Open {
    folder: OwnedFd,
    times: Timestamps,
    mode: u32,
}

impl Open {
    #[allow(clippy::unnecessary_cast)] // the field types differ between architectures
    fn new(root: &OwnedFd, path: &[u8]) -> Result<Open, Errno> {
        let folder = open_path(root.as_fd(), path)?;
        let stat = rustix::fs::fstat(&folder)?;
        let mode = Status::of(&stat).mode;
        if mode & 0o300 != 0o300 {
            // Its owner may, root need not: a refusal shows when the link is made.
            let _ = rustix::fs::fchmod(&folder, Mode::from_raw_mode(mode | 0o700));
        }
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: stat.st_atime as i64,
                tv_nsec: stat.st_atime_nsec as i64,
            },
            last_modification: Timespec {
                tv_sec: stat.st_mtime as i64,
                tv_nsec: stat.st_mtime_nsec as i64,
            },
        };
        Ok(Open { folder, times, mode })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.mode & 0o300 != 0o300 {
            let _ = rustix::fs::fchmod(&self.folder, Mode::from_raw_mode(self.mode));
        }
        let _ = rustix::fs::futimens(&self.folder, &self.times);
    }
}

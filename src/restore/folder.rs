//! Folders of the target while entries are restored into them.
//!
//! A [`Folder`] is shared by everything that is still to be written in it. When the last of these lets go of it, what does
//! not belong is deleted, and it gets its metadata: no later write can change its time again, and a folder that is to be
//! unwritable is writable until then.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use super::IssueKind;
use super::job::{Job, add};
use super::metadata::{chmod_nofollow, has_default_acl};
use super::place::{Deletion, Status, open_folder, open_folder_through};
use super::plan::Code;
use super::roots::is_above_roots;
use super::walk::At;
use super::{Error, Target};
use crate::vault::{Node, NodeType};

/// An open folder of the target.
pub(super) struct Folder<'a> {
    pub job: &'a Job<'a>,
    /// Its path in the generation.
    pub path: Box<[u8]>,
    handle: OwnedFd,
    /// Its number in the walk.
    index: u32,
    /// Its entry, if its metadata is to be set.
    node: Option<Box<Node>>,
    /// The mode it had, if it was made writable for the time being.
    mode_before: Option<u32>,
    /// It was made by this job and has no attributes of its own.
    clean: bool,
    /// What is made in it gets an ACL by itself.
    pub default_acl: bool,
    /// Kept so that the folder above is finished after this one.
    _above: Option<Arc<Folder<'a>>>,
}

impl<'a> Folder<'a> {
    /// The target's own root.
    pub fn root(job: &'a Job<'a>, node: Option<&Node>) -> Result<Folder<'a>, Error> {
        let path = match &job.plan.options.target {
            Target::InPlace => std::path::Path::new("/"),
            Target::Folder(path) => path.as_path(),
        };
        let fails = |action: &'static str| {
            move |source: std::io::Error| Error::Target {
                action,
                path: path.to_owned(),
                source,
            }
        };
        let make = job.plan.steps.get(0).code == Code::Create;
        if make {
            std::fs::create_dir_all(path).map_err(fails("make"))?;
        }
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| fails("open")(error.into()))?;
        let node = node.filter(|_| make).map(|node| Box::new(node.clone()));
        if node.is_some() {
            let _ = rustix::fs::fchmod(&handle, Mode::RWXU);
        }
        Ok(Folder {
            job,
            path: job.plan.start.path.clone().into(),
            default_acl: has_default_acl(handle.as_fd()),
            handle,
            index: 0,
            node,
            mode_before: None,
            clean: false,
            _above: None,
        })
    }

    /// Opens a folder in `above`, made or put in the place of something else if the plan says so. `None`: it could not be,
    /// which is reported.
    pub fn below(above: &Arc<Folder<'a>>, at: &At<'_>, node: &Node, code: Code) -> Option<Folder<'a>> {
        let job = above.job;
        match Folder::open(above, at, node, code) {
            Ok(folder) => Some(folder),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let error = "something that is no folder stands in its place; nothing in it was restored".to_owned();
                job.issue(at.path, IssueKind::InTheWay, error);
                None
            }
            Err(error) => {
                job.refused(at.path, "make or open this folder (nothing in it was restored)", error);
                None
            }
        }
    }

    fn open(above: &Arc<Folder<'a>>, at: &At<'_>, node: &Node, code: Code) -> Result<Folder<'a>, Errno> {
        let job = above.job;
        let parent = above.handle.as_fd();
        if code == Code::Overwrite {
            match rustix::fs::unlinkat(parent, at.name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT | Errno::ISDIR) => {}
                Err(error) => return Err(error),
            }
        }
        let mut made = false;
        if matches!(code, Code::Create | Code::Overwrite | Code::UnreadableFolder) {
            match rustix::fs::mkdirat(parent, at.name, Mode::RWXU) {
                Ok(()) => made = true,
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            }
        }
        let mut mode_before = None;
        let handle = match open_folder(parent, at.name) {
            Ok(handle) => handle,
            Err(Errno::NOTDIR | Errno::LOOP) if is_above(job, at.path) => open_folder_through(parent, at.name)?,
            Err(Errno::ACCESS) => {
                let now = Status::at(parent, at.name)?
                    .filter(|now| now.kind == NodeType::Dir)
                    .ok_or(Errno::ACCESS)?;
                chmod_nofollow(parent, at.name, now.mode | 0o700)?;
                mode_before = Some(now.mode);
                open_folder(parent, at.name)?
            }
            Err(error) => return Err(error),
        };
        if !made && !job.rules.root && mode_before.is_none() {
            let now = Status::of_open(&handle)?;
            if now.mode & 0o700 != 0o700 && now.uid == job.user.0 {
                rustix::fs::fchmod(&handle, Mode::from_raw_mode(now.mode | 0o700))?;
                mode_before = Some(now.mode);
            }
        }
        let keeps = made || (at.taken && code != Code::Skip);
        Ok(Folder {
            job,
            path: at.path.into(),
            default_acl: if made {
                above.default_acl
            } else {
                has_default_acl(handle.as_fd())
            },
            handle,
            index: at.index,
            node: keeps.then(|| Box::new(node.clone())),
            mode_before,
            clean: made && !above.default_acl,
            _above: Some(Arc::clone(above)),
        })
    }

    /// The open folder.
    pub fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// The path in the generation of an entry.
    pub fn path_of(&self, name: &[u8]) -> Vec<u8> {
        [&self.path, b"/".as_slice(), name].concat()
    }

    fn delete_the_rest(&self) {
        let job = self.job;
        for (_, name) in job.plan.steps.deletes(self.index) {
            let mut deletion = Deletion {
                protected: job.protected,
                cancel: job.cancel,
                entries: 0,
                bytes: 0,
            };
            let deleted = deletion.delete(self.handle.as_fd(), name);
            add(&job.counters.deleted, deletion.entries);
            if let Err(why) = deleted
                && !job.is_stopped()
            {
                job.issue(&self.path_of(name), IssueKind::Failed, why.to_string());
            }
        }
    }
}

fn is_above(job: &Job<'_>, path: &[u8]) -> bool {
    is_above_roots(job.plan.options.target == Target::InPlace, &job.plan.roots, path)
}

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        let job = self.job;
        if !job.is_stopped() {
            self.delete_the_rest();
        }
        let Some(node) = &self.node else {
            if let Some(mode) = self.mode_before {
                let _ = rustix::fs::fchmod(&self.handle, Mode::from_raw_mode(mode));
            }
            return;
        };
        add(&job.counters.folders, 1);
        match Status::of_open(&self.handle) {
            Ok(now) => {
                let mut report = |kind, error| job.issue(&self.path, kind, error);
                job.rules
                    .apply_open(self.handle.as_fd(), node, &now, self.clean, &mut report);
            }
            Err(error) => job.issue(&self.path, IssueKind::Metadata, format!("cannot look at it: {error}")),
        }
    }
}

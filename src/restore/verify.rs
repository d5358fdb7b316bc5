//! Reading back what was written.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;

use super::compare::{self, Comparing, Comparison, Found};
use super::job::{Job, add};
use super::place::{open_folder, open_folder_through};
use super::plan::Code;
use super::roots::is_above_roots;
use super::walk::{At, Enter, Visitor, Walk};
use super::{Error, IssueKind, Problem, Result, Target};
use crate::vault::{self, BlobKind, Node, NodeType};

/// Compares every file that was written with the generation.
pub(super) fn verify(job: &Job<'_>, root: OwnedFd, threads: usize) -> Result<()> {
    let done = |what: &Comparison<Box<[u8]>>, found: Result<Found, Errno>| {
        let wrong = match found {
            Ok(found) if found.whole => return add(&job.counters.files_verified, 1),
            Ok(_) => {
                "its content is not what was written: the disk or the memory of this machine may be failing".into()
            }
            Err(Errno::NOENT) => return, // it was not written, which has been reported
            Err(error) => format!("cannot read it back: {error}"),
        };
        job.issue(&what.tag, IssueKind::VerifyFailed, wrong);
    };
    compare::run(threads, job.cancel, &done, |comparing| {
        let mut verifying = Verifying {
            job,
            comparing,
            root: Some(Arc::new(root)),
            levels: Vec::new(),
        };
        Walk::new(job.vault, &job.plan.matcher, job.cancel).run(&job.plan.start, &mut verifying)
    })?;
    Ok(job.cancel.check()?)
}

struct Verifying<'a> {
    job: &'a Job<'a>,
    comparing: &'a Comparing<Box<[u8]>>,
    root: Option<Arc<OwnedFd>>,
    levels: Vec<Option<Arc<OwnedFd>>>,
}

impl Visitor for Verifying<'_> {
    fn enter(&mut self, at: &At<'_>, _node: Option<&Node>) -> Result<Enter> {
        let plan = self.job.plan;
        let enter = plan.steps.enter(at.index);
        if enter == Enter::Yes {
            let folder = match (at.index, self.levels.last()) {
                (0, _) => self.root.take(),
                (_, Some(Some(above))) => {
                    let through = is_above_roots(plan.options.target == Target::InPlace, &plan.roots, at.path);
                    let open = if through { open_folder_through } else { open_folder };
                    open(above.as_fd(), at.name).ok().map(Arc::new)
                }
                _ => None,
            };
            self.levels.push(folder);
        }
        Ok(enter)
    }

    fn unreadable(&mut self, at: &At<'_>, _error: &vault::Error) -> Result<Enter> {
        Ok(Enter::SkipTo(self.job.plan.steps.end_of(at.index)))
    }

    fn entry(&mut self, at: &At<'_>, node: Node) -> Result<()> {
        let written = matches!(self.job.plan.steps.get(at.index).code, Code::Create | Code::Overwrite);
        if !written || node.kind != NodeType::File {
            return Ok(());
        }
        let Some(Some(folder)) = self.levels.last() else {
            return Ok(());
        };
        let mut pieces = Vec::new();
        for id in node.content.as_deref().unwrap_or_default() {
            let location = self.job.vault.index().find(BlobKind::Data, id);
            let location = location.ok_or(vault::Error::MissingBlob {
                kind: BlobKind::Data,
                id: *id,
            });
            pieces.push((*id, location.map_err(Error::Vault)?.plain_length()));
        }
        let (folder, tag) = (Arc::clone(folder), at.path.into());
        self.comparing.push(Comparison {
            folder,
            name: at.name.to_vec(),
            pieces,
            tag,
            try_writing: false,
        });
        Ok(())
    }

    fn problem(&mut self, _at: &At<'_>, _problem: Problem) -> Result<()> {
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        self.levels.pop();
        Ok(())
    }
}

//! Carrying a plan out: the walk makes folders and gathers files, workers fetch and write, then come hard links and, if
//! asked for, reading back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::bounded;

use super::fetch::{self, Gather};
use super::file::{FileTask, How};
use super::folder::Folder;
use super::job::{Job, add};
use super::links::Links;
use super::plan::{Code, Plan, Step};
use super::relink::Pending;
use super::walk::{At, Enter, Visitor, Walk};
use super::{Error, Issue, IssueKind, Problem, RestoreOutcome, Result, place, special, verify};
use crate::progress::{Cancel, Cancelled, Progress};
use crate::vault::{self, BlobKind, Id, IndexedVault, Node, NodeType};

/// Carries a plan out. Problems with single entries go to `report` and the rest goes on; a full disk, a vault that cannot
/// be read at all or a stop end it, and what is finished by then stays. Running the same restore again goes on from there.
pub fn execute(
    vault: &IndexedVault,
    plan: &Plan,
    progress: &Progress,
    cancel: &Cancel,
    report: &(dyn Fn(Issue) + Sync),
) -> Result<RestoreOutcome> {
    let job = Job::new(vault, plan, progress, cancel, report);
    progress.files_total.store(plan.totals.files, Ordering::Relaxed);
    progress.bytes_total.store(plan.totals.bytes, Ordering::Relaxed);
    progress.totals_known.store(true, Ordering::Relaxed);
    let threads = super::threads(plan.options.threads);
    // Folders stay open while files in them are on their way: in batches that workers hold or that wait for them.
    let folders = place::raise_open_files() / 2 / (3 * threads as u64 + 2);
    let folders = usize::try_from(folders).unwrap_or(usize::MAX).clamp(4, 4096);
    for (path, why) in &plan.steps.kept {
        job.issue(path, IssueKind::Failed, why.clone());
    }
    let mut links = Pending::default();
    let mut root = None;
    let walked = std::thread::scope(|scope| {
        let (work, queue) = bounded(2 * threads);
        for _ in 0..threads {
            let queue = queue.clone();
            let job = &job;
            scope.spawn(move || fetch::work(job, &queue));
        }
        drop(queue);
        let mut executing = Executing {
            job: &job,
            gather: Gather::new(&job, work, folders),
            levels: Vec::new(),
            links: Links::default(),
            pending: &mut links,
            root: &mut root,
        };
        let walked = Walk::new(vault, &plan.matcher, cancel).run(&plan.start, &mut executing);
        executing.gather.flush();
        walked
    });
    job.fatal()?;
    walked?;
    if let Some(root) = root {
        links.make(&job, &root, plan.start.path.len());
        job.fatal()?;
        if plan.options.verify {
            verify::verify(&job, root, threads)?;
        }
    }
    Ok(job.outcome())
}

struct Executing<'a, 'b> {
    job: &'a Job<'a>,
    gather: Gather<'a>,
    levels: Vec<Level<'a>>,
    links: Links,
    pending: &'b mut Pending,
    /// The target's root, for what comes at the end.
    root: &'b mut Option<std::os::fd::OwnedFd>,
}

struct Level<'a> {
    folder: Arc<Folder<'a>>,
    index: u32,
}

impl Executing<'_, '_> {
    fn check(&self) -> Result<()> {
        if self.job.is_stopped() {
            Err(Error::Cancelled(Cancelled))
        } else {
            Ok(())
        }
    }

    fn file(&mut self, at: &At<'_>, mut node: Node, code: Code) {
        let job = self.job;
        if let Some(first) = self.links.see(at.index, at.path, &node) {
            match code {
                Code::Create | Code::Overwrite => {
                    self.pending.push(at.path, &first.path);
                    add(&job.progress.bytes_done, node.size);
                }
                _ => self.is_right(&node),
            }
            return;
        }
        if code == Code::Unchanged {
            return self.is_right(&node);
        }
        let Some(level) = self.levels.last() else { return };
        let (folder, number) = (Arc::clone(&level.folder), level.index);
        if code == Code::Metadata {
            add(&job.progress.bytes_done, node.size);
            let size = node.size;
            return self.gather.add(
                FileTask::new(folder, node, How::Metadata, size, 0),
                number,
                std::iter::empty(),
            );
        }
        // The blobs are looked up twice rather than kept: a file can have millions.
        let content = node.content.take().unwrap_or_default();
        let find = |id: &Id| job.vault.index().find(BlobKind::Data, id);
        let size = match content
            .iter()
            .try_fold(0_u64, |sum, id| Some(sum + u64::from(find(id)?.plain_length())))
        {
            Some(size) => size,
            None => return self.explain(at, Code::MissingBlob, &node),
        };
        let partial = job.plan.steps.partial.get(&at.index);
        let is_right = |position: usize| partial.is_some_and(|partial| partial.right.get(position));
        let how = match partial {
            Some(partial) => How::Patch {
                before: partial.status,
                part: partial.part,
            },
            None if code == Code::Overwrite => How::Replace,
            None => How::New,
        };
        let count = (0..content.len()).filter(|position| !is_right(*position)).count();
        let mut offset = 0;
        let pieces = content.iter().enumerate().filter_map(|(position, id)| {
            let location = find(id)?;
            let (at, length) = (offset, u64::from(location.plain_length()));
            offset += length;
            if is_right(position) {
                add(&job.progress.bytes_done, length);
                return None;
            }
            Some((at, *id, location))
        });
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.gather
            .add(FileTask::new(folder, node, how, size, count), number, pieces);
    }

    fn is_right(&self, node: &Node) {
        add(&self.job.counters.files_unchanged, 1);
        self.job.progress.file_done(node.size);
    }
}

impl Visitor for Executing<'_, '_> {
    fn enter(&mut self, at: &At<'_>, node: Option<&Node>) -> Result<Enter> {
        self.check()?;
        let steps = &self.job.plan.steps;
        let Step { code, .. } = steps.get(at.index);
        let enter = steps.enter(at.index);
        if code == Code::NotNeeded {
            return Ok(enter);
        }
        if enter == Enter::No {
            add(&self.job.counters.skipped, 1);
            return Ok(enter);
        }
        let folder = match (self.levels.last(), node) {
            (Some(above), Some(node)) => match Folder::below(&above.folder, at, node, code) {
                Some(folder) => folder,
                None => return Ok(Enter::SkipTo(steps.end_of(at.index))),
            },
            _ => {
                let folder = Folder::root(self.job, node.filter(|_| at.taken))?;
                let handle = rustix::io::dup(folder.handle()).map_err(|error| Error::Target {
                    action: "open",
                    path: self.job.plan.target_path(at.path),
                    source: error.into(),
                })?;
                *self.root = Some(handle);
                folder
            }
        };
        if code == Code::Skip {
            add(&self.job.counters.skipped, 1);
        }
        if code == Code::UnreadableFolder {
            let error = "its listing in the vault is missing or damaged; nothing in it was restored".to_owned();
            self.job.issue(at.path, IssueKind::Damaged, error);
            return Ok(enter);
        }
        self.levels.push(Level {
            folder: Arc::new(folder),
            index: at.index,
        });
        Ok(enter)
    }

    fn unreadable(&mut self, at: &At<'_>, error: &vault::Error) -> Result<Enter> {
        self.job.issue(
            at.path,
            IssueKind::Damaged,
            format!("its listing cannot be read: {error}"),
        );
        Ok(Enter::SkipTo(self.job.plan.steps.end_of(at.index)))
    }

    fn entry(&mut self, at: &At<'_>, node: Node) -> Result<()> {
        self.check()?;
        let code = self.job.plan.steps.get(at.index).code;
        match code {
            Code::Create | Code::Overwrite | Code::Metadata | Code::Unchanged if node.kind == NodeType::File => {
                self.file(at, node, code);
            }
            Code::Create | Code::Overwrite | Code::Metadata => {
                if let Some(level) = self.levels.last() {
                    special::restore(&level.folder, &node, code);
                }
            }
            Code::Skip => {
                add(&self.job.counters.skipped, 1);
                if node.kind == NodeType::File {
                    self.job.progress.file_done(node.size);
                }
            }
            Code::NotNeeded | Code::Unchanged => {}
            problem => {
                if problem == Code::InTheWay && node.kind == NodeType::File {
                    self.job.progress.file_done(node.size);
                }
                self.explain(at, problem, &node);
            }
        }
        Ok(())
    }

    fn problem(&mut self, at: &At<'_>, problem: Problem) -> Result<()> {
        self.explain(at, problem.into(), &Node::default());
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        self.levels.pop();
        Ok(())
    }
}

impl Executing<'_, '_> {
    fn explain(&self, at: &At<'_>, code: Code, node: &Node) {
        let (kind, error) = match node.kind {
            NodeType::Socket => (
                IssueKind::NotRestored,
                "a socket is made by the program that listens on it; it was left out",
            ),
            _ if code == Code::NotRestorable && place::is_part_name(at.name) => (
                IssueKind::NotRestored,
                "it is a file that a restore left unfinished; it was left out",
            ),
            _ => explain(code),
        };
        self.job.issue(at.path, kind, error.to_owned());
    }
}

/// Why an entry is not restored.
pub(super) fn explain(code: Code) -> (IssueKind, &'static str) {
    match code {
        Code::UnsafeName => (
            IssueKind::UnsafeName,
            "its name is not one a file can have; it was left out",
        ),
        Code::TooDeep => (
            IssueKind::UnsafeName,
            "it is nested more than 1,000 folders deep; it was left out",
        ),
        Code::DuplicateName => (
            IssueKind::DuplicateName,
            "its folder has two entries of this name; only the first one was taken",
        ),
        Code::InTheWay => (
            IssueKind::InTheWay,
            "a folder that is not empty stands in its place; --delete would remove it",
        ),
        Code::MissingBlob => (IssueKind::Damaged, "part of its content is in no pack of the vault"),
        Code::UnreadableFolder => (IssueKind::Damaged, "its listing is missing; nothing in it was restored"),
        _ => (IssueKind::NotRestored, "this kind of entry is not restored"),
    }
}

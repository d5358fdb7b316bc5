//! One regular file while it is restored.
//!
//! A file of one piece that does not exist yet is made under its own name, written, and given its metadata in one go; if
//! that fails it is removed. Every other file is written under a temporary name beside its place and renamed when it is
//! complete: an existing file (which others may hold by another name) is replaced, never changed, and what is unfinished
//! never has the final name. The one exception is a large existing file of which much is right and which has no other
//! name: only its wrong pieces are written, in place; its time is set last, so that a run that breaks off shows.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use super::folder::Folder;
use super::job::{Job, add};
use super::place::{Deletion, Status, part_name};
use super::planner::LARGE;
use super::{IssueKind, Overwrite};
use crate::vault::{Node, NodeType};

/// Unfinished files that stay open; beyond that they are opened again for each piece.
const OPEN_AT_ONCE: usize = 128;
/// Zeros shorter than this are written out even when holes are wanted: filesystems have no smaller ones.
const HOLE: usize = 4096;

/// How a file comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It does not exist.
    New,
    /// Something stands in its place.
    Replace,
    /// The wrong pieces of the file that was in this state are written; `part`: of the unfinished file.
    Patch { before: Status, part: bool },
    /// Its content is right.
    Metadata,
}

/// A file to be restored; shared by the pieces that are written to it.
pub(super) struct FileTask<'a> {
    pub folder: Arc<Folder<'a>>,
    pub node: Node,
    pub how: How,
    pub size: u64,
    /// Pieces to be written in all.
    pieces: u32,
    left: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    file: Option<OwnedFd>,
    /// As it was when it was made or first opened.
    before: Option<Status>,
    /// It was made or changed by this job.
    touched: bool,
    /// It is as it should be, or was given up.
    over: bool,
}

impl<'a> FileTask<'a> {
    pub fn new(folder: Arc<Folder<'a>>, node: Node, how: How, size: u64, pieces: u32) -> FileTask<'a> {
        FileTask {
            folder,
            node,
            how,
            size,
            pieces,
            left: AtomicU32::new(pieces),
            state: Mutex::default(),
        }
    }

    fn job(&self) -> &'a Job<'a> {
        self.folder.job
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is written under its own name.
    fn is_direct(&self) -> bool {
        match self.how {
            How::New => self.pieces <= 1,
            How::Replace => false,
            How::Patch { part, .. } => !part,
            How::Metadata => true,
        }
    }

    /// Whether no piece is to be written.
    pub fn needs_nothing(&self) -> bool {
        self.pieces == 0
    }

    /// Its path in the generation.
    pub fn path(&self) -> Vec<u8> {
        self.folder.path_of(&self.node.name)
    }

    /// Writes one piece, and finishes the file when it was the last.
    pub fn write(&self, offset: u64, content: &[u8]) {
        let job = self.job();
        let mut state = self.lock();
        if !state.over {
            let written = self.open(&mut state).and_then(|()| match &state.file {
                Some(file) => self.put(file, offset, content),
                None => Err(Errno::BADF),
            });
            match written {
                Ok(()) => {
                    add(&job.counters.bytes_written, content.len() as u64);
                    add(&job.progress.bytes_done, content.len() as u64);
                }
                Err(error) => self.give_up(&mut state, |path| job.refused(path, "write it", error)),
            }
        }
        self.piece_is_over(state);
    }

    /// A piece cannot be had: the file is given up, the reason reported.
    pub fn miss(&self, reason: &str) {
        let job = self.job();
        let mut state = self.lock();
        if !state.over {
            let kept = match self.how {
                How::Patch { part: false, .. } => "; it was being written in place and is incomplete now".to_owned(),
                _ if state.touched && self.keeps_part() => {
                    let part = part_name(&self.node.name);
                    format!("; what could be read is in {}", String::from_utf8_lossy(&part))
                }
                _ => String::new(),
            };
            let error = format!("its content cannot be restored: {reason}{kept}");
            self.give_up(&mut state, |path| job.issue(path, IssueKind::Damaged, error));
        }
        self.piece_is_over(state);
    }

    /// For a file without pieces to write.
    pub fn finish_without_pieces(&self) {
        let state = self.lock();
        self.finish(state);
    }

    fn piece_is_over(&self, mut state: MutexGuard<'_, State>) {
        let was_last = self.left.fetch_sub(1, Ordering::AcqRel) == 1;
        if was_last {
            if state.over {
                // Given up. Pieces that came after the first loss were passed over.
                return;
            }
            return self.finish(state);
        }
        if self.job().open_files.load(Ordering::Relaxed) > OPEN_AT_ONCE {
            self.close(&mut state);
        }
    }

    /// A part of a large file is worth keeping: the next restore goes on with it.
    fn keeps_part(&self) -> bool {
        !self.is_direct() && self.size >= LARGE
    }

    fn give_up(&self, state: &mut State, report: impl FnOnce(&[u8])) {
        state.over = true;
        self.close(state);
        let patched = matches!(self.how, How::Patch { part: false, .. } | How::Metadata);
        if state.touched && !patched && !self.keeps_part() {
            let part = part_name(&self.node.name);
            let name = if self.is_direct() { &self.node.name } else { &part };
            let _ = rustix::fs::unlinkat(self.folder.handle(), name.as_slice(), AtFlags::empty());
        }
        report(&self.path());
        add(&self.job().progress.files_done, 1);
    }

    fn close(&self, state: &mut State) {
        if state.file.take().is_some() {
            self.job().open_files.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Opens the file that is written to, makes it the first time.
    fn open(&self, state: &mut State) -> Result<(), Errno> {
        if state.file.is_some() {
            return Ok(());
        }
        let folder = self.folder.handle();
        let part;
        let name = if self.is_direct() {
            &self.node.name
        } else {
            part = part_name(&self.node.name);
            &part
        };
        let again = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match self.how {
            _ if state.touched => rustix::fs::openat(folder, name.as_slice(), again, Mode::empty())?,
            How::Patch { before, .. } => {
                let file = rustix::fs::openat(folder, name.as_slice(), again, Mode::empty())?;
                if !Status::of_open(&file)?.is_same(&before) {
                    return Err(Errno::STALE);
                }
                if before.size != self.size {
                    rustix::fs::ftruncate(&file, self.size)?;
                }
                state.before = Some(before);
                file
            }
            How::Metadata => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let file = rustix::fs::openat(folder, name.as_slice(), flags, Mode::empty())?;
                let before = Status::of_open(&file)?;
                if before.kind != NodeType::File {
                    return Err(Errno::STALE);
                }
                state.before = Some(before);
                file
            }
            How::New | How::Replace => {
                let file = self.make(name)?;
                if self.pieces > 1 || (self.job().plan.options.sparse && self.size > 0) {
                    rustix::fs::ftruncate(&file, self.size)?;
                }
                state.before = Some(Status::of_open(&file)?);
                file
            }
        };
        state.touched = true;
        state.file = Some(file);
        self.job().open_files.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn make(&self, name: &[u8]) -> Result<OwnedFd, Errno> {
        use Overwrite::{Always, IfChanged};
        let job = self.job();
        // Nobody else may read it before its owner is right.
        let changes_owner = job.rules.owner && (self.node.uid, self.node.gid) != job.user;
        let mode = match changes_owner || !self.node.xattrs.is_empty() || self.folder.default_acl {
            true => 0o600,
            false => self.node.unix_permissions() & 0o777,
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let make = || rustix::fs::openat(self.folder.handle(), name, flags, Mode::from_raw_mode(mode));
        match make() {
            Err(Errno::EXIST) if !self.is_direct() || matches!(job.plan.options.overwrite, Always | IfChanged) => {
                // Left over from a run that broke off, or appeared since the plan was made.
                rustix::fs::unlinkat(self.folder.handle(), name, AtFlags::empty())?;
                make()
            }
            made => made,
        }
    }

    fn put(&self, file: &OwnedFd, offset: u64, content: &[u8]) -> Result<(), Errno> {
        let holes = self.job().plan.options.sparse && !matches!(self.how, How::Patch { .. });
        if !holes {
            return put_all(file, offset, content);
        }
        each_filled(content, &mut |start, filled| {
            put_all(file, offset + start as u64, filled)
        })
    }

    /// Metadata, and the final name.
    fn finish(&self, mut state: MutexGuard<'_, State>) {
        let job = self.job();
        if let Err(error) = self.open(&mut state) {
            if self.how == How::Metadata && error == Errno::ACCESS {
                return self.metadata_unopened(&mut state);
            }
            return self.give_up(&mut state, |path| job.refused(path, "open it", error));
        }
        if let (Some(file), Some(before)) = (&state.file, &state.before) {
            let clean = matches!(self.how, How::New | How::Replace) && !self.folder.default_acl;
            let mut report = |kind, error| job.issue(&self.path(), kind, error);
            job.rules
                .apply_open(file.as_fd(), &self.node, before, clean, &mut report);
        }
        self.close(&mut state);
        if !self.is_direct()
            && let Err(error) = self.rename()
        {
            return self.give_up(&mut state, |path| match error {
                Errno::EXIST | Errno::NOTEMPTY | Errno::ISDIR => {
                    job.issue(
                        path,
                        IssueKind::InTheWay,
                        format!("something else stands in its place: {error}"),
                    );
                }
                _ => job.refused(path, "give it its name", error),
            });
        }
        self.is_done(&mut state);
    }

    fn is_done(&self, state: &mut State) {
        let job = self.job();
        state.over = true;
        let counter = match self.how {
            How::Metadata => &job.counters.files_unchanged,
            _ => &job.counters.files_written,
        };
        add(counter, 1);
        add(&job.progress.files_done, 1);
    }

    fn metadata_unopened(&self, state: &mut State) {
        let job = self.job();
        let mut report = |kind, error| job.issue(&self.path(), kind, error);
        job.rules
            .apply_at(self.folder.handle(), &self.node.name, &self.node, false, &mut report);
        self.is_done(state);
    }

    fn rename(&self) -> Result<(), Errno> {
        let folder = self.folder.handle();
        let part = part_name(&self.node.name);
        let name = self.node.name.as_slice();
        if self.job().plan.options.overwrite == Overwrite::Never {
            match rustix::fs::renameat_with(folder, part.as_slice(), folder, name, RenameFlags::NOREPLACE) {
                Err(Errno::INVAL | Errno::NOSYS) => {}
                renamed => return renamed,
            }
        }
        replace(self.folder.job, folder, &part, name)
    }
}

/// Renames within a folder over whatever stands there; over a folder only if it is empty, or deleting is wanted.
pub(super) fn replace(
    job: &Job<'_>,
    folder: std::os::fd::BorrowedFd<'_>,
    part: &[u8],
    name: &[u8],
) -> Result<(), Errno> {
    match rustix::fs::renameat(folder, part, folder, name) {
        Err(Errno::ISDIR | Errno::EXIST | Errno::NOTEMPTY) => {
            if job.plan.options.delete {
                let mut deletion = Deletion {
                    protected: job.protected,
                    cancel: job.cancel,
                    entries: 0,
                    bytes: 0,
                };
                let deleted = deletion.delete(folder, name);
                add(&job.counters.deleted, deletion.entries);
                deleted.map_err(|_| Errno::NOTEMPTY)?;
            } else {
                rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)?;
            }
            rustix::fs::renameat(folder, part, folder, name)
        }
        renamed => renamed,
    }
}

impl Drop for FileTask<'_> {
    /// What was not finished when the job stopped: nothing stays but the parts of large files.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let unfinished = state.touched && !state.over && matches!(self.how, How::New | How::Replace);
        let direct = match self.how {
            How::New => self.pieces <= 1,
            _ => false,
        };
        if unfinished && (direct || self.size < LARGE) {
            let part = part_name(&self.node.name);
            let name = if direct { &self.node.name } else { &part };
            let _ = rustix::fs::unlinkat(self.folder.handle(), name.as_slice(), AtFlags::empty());
        }
    }
}

fn put_all(file: &OwnedFd, mut offset: u64, mut content: &[u8]) -> Result<(), Errno> {
    while !content.is_empty() {
        match rustix::io::pwrite(file, content, offset) {
            Ok(0) => return Err(Errno::IO),
            Ok(written) => {
                content = &content[written..];
                offset += written as u64;
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes bytes at an offset.
type Put<'a> = dyn FnMut(usize, &[u8]) -> Result<(), Errno> + 'a;

/// Calls `each` with the runs of `content` that are not long zeros, and where they start.
fn each_filled(content: &[u8], each: &mut Put<'_>) -> Result<(), Errno> {
    let is_zero = |block: &[u8]| block.iter().all(|&b| b == 0);
    let mut start = 0;
    let mut position = 0;
    for block in content.chunks(HOLE) {
        let next = position + block.len();
        if block.len() == HOLE && is_zero(block) {
            if start < position {
                each(start, &content[start..position])?;
            }
            start = next;
        }
        position = next;
    }
    // A short rest of zeros is a hole as well: the length was set when the file was made.
    match content.get(start..) {
        Some(rest) if !is_zero(rest) => each(start, rest),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn filled_runs_and_holes_make_the_content(blocks in prop::collection::vec((any::<bool>(), 1_usize..9000), 0..8)) {
            let content: Vec<u8> = blocks.iter().flat_map(|&(zero, length)| vec![if zero { 0 } else { 7 }; length]).collect();
            let mut rebuilt = vec![0; content.len()];
            let mut last = 0;
            each_filled(&content, &mut |start, filled| {
                assert!(start >= last && !filled.is_empty());
                rebuilt[start..start + filled.len()].copy_from_slice(filled);
                last = start + filled.len();
                Ok(())
            }).unwrap();
            prop_assert_eq!(rebuilt, content);
        }
    }

    #[test]
    fn long_zeros_are_not_written() {
        let mut written = 0;
        let content = [vec![0; 3 * HOLE], vec![1; 10], vec![0; 3 * HOLE]].concat();
        each_filled(&content, &mut |_, filled| {
            written += filled.len();
            Ok(())
        })
        .unwrap();
        assert_eq!(written, HOLE);
    }
}

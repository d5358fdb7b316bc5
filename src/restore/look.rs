//! The generation's entries beside what is in the target: what would happen to each.

use std::collections::HashSet;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::compare::{Comparing, Comparison, Piece};
use super::conflict::{Conflict, Conflicts, State};
use super::judge::{Shared, Tag};
use super::links::Links;
use super::metadata::{Rules, same_xattrs};
use super::place::{self, Deletion, PART_PREFIX, Status};
use super::plan::{Action, Code, Problem, Step, Steps, Totals, type_letter};
use super::planner::LARGE;
use super::roots::{is_above_roots, is_in_roots};
use super::selection::{Matcher, trim};
use super::walk::{At, Enter, Visitor};
use super::weigh::Fetch;
use super::{Error, Overwrite, RestoreOptions, Result};
use crate::progress::Cancel;
use crate::vault::{self, BlobKind, Node, NodeType};

/// A folder of the generation whose entries are being looked at.
pub(super) struct Level {
    index: u32,
    /// Its place in the list of entered folders.
    position: usize,
    /// The same folder in the target, if it exists as one.
    folder: Option<Arc<OwnedFd>>,
    /// Whether it is restored itself, or something in it is.
    needed: bool,
    code: Code,
    /// Its own entry exists, so that it is counted.
    counted: bool,
    /// The generation's names, when others are to be deleted.
    names: Option<HashSet<Vec<u8>>>,
}

/// The walk that decides what would happen to each entry.
pub(super) struct Planner<'a> {
    pub shared: &'a Shared<'a>,
    pub comparing: &'a Comparing<Tag>,
    pub options: &'a RestoreOptions,
    pub rules: Rules,
    pub matcher: &'a Matcher,
    pub in_place: bool,
    pub start_length: usize,
    pub roots: &'a [Vec<u8>],
    pub protected: Option<(u64, u64)>,
    pub cancel: &'a Cancel,
    pub target: Option<Arc<OwnedFd>>,
    pub levels: Vec<Level>,
    pub steps: Steps,
    pub totals: Totals,
    pub links: Links,
    /// Names that are a link to their first name's file already.
    pub linked: Vec<(u32, u32, Conflict)>,
    pub fetch: Fetch,
    pub conflicts: Conflicts,
}

impl Planner<'_> {
    fn step(&mut self, index: u32, code: Code, entered: bool) {
        let index = index as usize;
        if self.steps.steps.len() <= index {
            self.steps.steps.resize(
                index + 1,
                Step {
                    code: Code::NotNeeded,
                    entered: false,
                },
            );
        }
        self.steps.steps[index] = Step { code, entered };
    }

    fn need(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.needed = true;
        }
    }

    fn set(&mut self, index: u32, code: Code, kind: NodeType) {
        self.step(index, code, false);
        self.totals.count(code, kind);
        self.need();
    }

    /// The same for an entry that somebody may want to know of.
    fn clash(&mut self, at: &At<'_>, code: Code, node: &Node, now: Option<&Status>) {
        self.conflicts.add(Conflict::new(at, code, Some(node), now));
        self.set(at.index, code, node.kind);
    }

    fn folder(&self) -> Option<Arc<OwnedFd>> {
        self.levels.last().and_then(|level| level.folder.clone())
    }

    /// Whether the choice of [`Overwrite`] lets an existing entry be changed.
    fn may_change(&self, node: &Node, now: &Status) -> bool {
        match self.options.overwrite {
            Overwrite::Always | Overwrite::IfChanged => true,
            Overwrite::IfNewer => (node.mtime.seconds, node.mtime.nanos) > now.mtime,
            Overwrite::Never => false,
        }
    }

    /// What happens to an entry that exists as what it should be and whose content is right.
    fn metadata_step(&self, folder: &OwnedFd, name: &[u8], node: &Node, now: &Status) -> Code {
        match self.rules.differs(node, now) || !same_xattrs(folder.as_fd(), name, node) {
            true => Code::Metadata,
            false => Code::Unchanged,
        }
    }

    /// A folder's step, whether its entries are visited, and the folder in the target.
    fn place_folder(&mut self, at: &At<'_>, node: &Node) -> Result<(Code, bool, Option<Arc<OwnedFd>>)> {
        let Some(above) = self.folder() else {
            return Ok((Code::Create, true, None));
        };
        let Some(now) = look(&above, at.name) else {
            return Ok((Code::Create, true, None));
        };
        if now.kind == NodeType::Dir {
            let folder = place::open_folder(above.as_fd(), at.name).ok().map(Arc::new);
            let code = if !at.taken {
                Code::Unchanged
            } else if !self.may_change(node, &now) {
                Code::Skip
            } else {
                self.metadata_step(&above, at.name, node, &now)
            };
            return Ok((code, true, folder));
        }
        if now.kind == NodeType::Symlink && is_above_roots(self.in_place, self.roots, at.path) {
            let folder = place::open_folder_through(above.as_fd(), at.name).map_err(|source| Error::Target {
                action: "open",
                path: at.shown(),
                source: source.into(),
            })?;
            return Ok((Code::Unchanged, true, Some(Arc::new(folder))));
        }
        let (code, enter) = match self.may_change(node, &now) {
            true => (Code::Overwrite, true),
            false => (Code::Skip, false),
        };
        self.conflicts.add(Conflict::new(at, code, Some(node), Some(&now)));
        Ok((code, enter, None))
    }

    fn file(&mut self, at: &At<'_>, node: Node) -> Result<()> {
        let index = at.index;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut size = 0_u64;
        let content = node.content.as_deref().unwrap_or_default();
        for id in content {
            let Some(location) = self.shared.vault.index().find(BlobKind::Data, id) else {
                self.clash(at, Code::MissingBlob, &node, None);
                return Ok(());
            };
            pieces.push((*id, location.plain_length()));
            size += u64::from(location.plain_length());
        }
        self.totals.files += 1;
        self.totals.bytes += size;
        let progress = self.shared.progress;
        progress.files_total.fetch_add(1, Ordering::Relaxed);
        progress.bytes_total.fetch_add(size, Ordering::Relaxed);
        let Some(folder) = self.folder() else {
            let code = Code::Create;
            if self.links.see(index, at.path, &node).is_none() {
                self.write_all(size, &pieces);
            }
            self.set(index, code, NodeType::File);
            return Ok(());
        };
        let now = look(&folder, at.name);
        if let Some(now) = &now {
            if !self.may_change(&node, now) {
                self.clash(at, Code::Skip, &node, Some(now));
                return Ok(());
            }
            if now.kind == NodeType::Dir && !self.may_replace_folder(&folder, at.name) {
                self.clash(at, Code::InTheWay, &node, Some(now));
                return Ok(());
            }
        }
        if let Some(first) = self.links.see(index, at.path, &node) {
            match now {
                None => self.set(index, Code::Create, NodeType::File),
                Some(now) if now.kind == NodeType::File && self.is_link_to(&now, &first.path) => {
                    self.step(index, Code::Unchanged, false);
                    self.need();
                    let conflict = Conflict::new(at, Code::Overwrite, Some(&node), Some(&now));
                    self.linked.push((index, first.index, conflict));
                }
                Some(now) => self.clash(at, Code::Overwrite, &node, Some(&now)),
            }
            return Ok(());
        }
        match now {
            None if size >= LARGE => {
                let part = place::part_name(at.name);
                match Status::at(folder.as_fd(), &part) {
                    Ok(Some(found)) if found.kind == NodeType::File => {
                        let tag = Tag {
                            index,
                            size,
                            differs: true,
                            part: true,
                            conflict: None,
                        };
                        self.compare(folder, part, pieces, tag);
                    }
                    _ => {
                        self.write_all(size, &pieces);
                        self.set(index, Code::Create, NodeType::File);
                    }
                }
            }
            None => {
                self.write_all(size, &pieces);
                self.set(index, Code::Create, NodeType::File);
            }
            Some(now) if now.kind != NodeType::File || (now.size != size && size < LARGE) => {
                self.write_all(size, &pieces);
                self.clash(at, Code::Overwrite, &node, Some(&now));
            }
            Some(now) => {
                let code = self.metadata_step(&folder, at.name, &node, &now);
                let same = now.size == size && now.mtime == (node.mtime.seconds, node.mtime.nanos);
                let trusted = self.options.overwrite == Overwrite::IfChanged && !self.options.verify;
                if (same && trusted) || (size == 0 && now.size == 0) {
                    self.totals.right_bytes = self.totals.right_bytes.saturating_add(size);
                    self.set(index, code, NodeType::File);
                } else {
                    let tag = Tag {
                        index,
                        size,
                        differs: code == Code::Metadata,
                        part: false,
                        conflict: Some(Conflict::new(at, Code::Overwrite, Some(&node), Some(&now))),
                    };
                    self.compare(folder, at.name.to_vec(), pieces, tag);
                }
            }
        }
        Ok(())
    }

    /// Whether an existing file is another name of the file at `first`, a path of the generation.
    fn is_link_to(&self, now: &Status, first: &[u8]) -> bool {
        if now.links < 2 {
            return false;
        }
        let Some(level) = self.levels.first() else { return false };
        let Some(root) = &level.folder else { return false };
        let below = first.get(self.start_length..).unwrap_or_default();
        place::status_of_path(root, trim(below))
            .is_ok_and(|first| first.is_some_and(|first| (first.device, first.inode) == (now.device, now.inode)))
    }

    fn write_all(&mut self, size: u64, pieces: &[Piece]) {
        self.totals.write_bytes += size;
        for (id, _) in pieces {
            self.fetch.add(self.shared.vault, id);
        }
    }

    fn compare(&mut self, folder: Arc<OwnedFd>, name: Vec<u8>, pieces: Vec<Piece>, tag: Tag) {
        // The step is set when the result is there; until then it stands for "will be in the target".
        self.step(tag.index, Code::Overwrite, false);
        self.need();
        let try_writing = tag.size >= LARGE;
        self.comparing.push(Comparison {
            folder,
            name,
            pieces,
            tag,
            try_writing,
        });
    }

    /// A folder stands where something else belongs.
    fn may_replace_folder(&self, folder: &OwnedFd, name: &[u8]) -> bool {
        let inner = place::open_folder(folder.as_fd(), name);
        match inner.and_then(|inner| place::is_empty_folder(inner.as_fd())) {
            Ok(true) => true,
            Ok(false) if self.options.delete => {
                let mut count = Deletion {
                    protected: self.protected,
                    cancel: self.cancel,
                    entries: 0,
                    bytes: 0,
                };
                count.count(folder.as_fd(), name).is_ok()
            }
            _ => false,
        }
    }

    /// A symlink, fifo or device.
    fn other(&mut self, at: &At<'_>, node: &Node) -> Result<()> {
        let kind = node.kind;
        if kind == NodeType::Socket {
            self.clash(at, Code::NotRestorable, node, None);
            return Ok(());
        }
        let Some(folder) = self.folder() else {
            self.set(at.index, Code::Create, kind);
            return Ok(());
        };
        let now = look(&folder, at.name);
        let code = match now {
            None => Code::Create,
            Some(now) if !self.may_change(node, &now) => Code::Skip,
            Some(now) if now.kind == NodeType::Dir => match self.may_replace_folder(&folder, at.name) {
                true => Code::Overwrite,
                false => Code::InTheWay,
            },
            Some(now) if is_same_special(&folder, at.name, node, &now) => {
                self.metadata_step(&folder, at.name, node, &now)
            }
            Some(_) => Code::Overwrite,
        };
        match code {
            Code::Skip | Code::InTheWay | Code::Overwrite => self.clash(at, code, node, now.as_ref()),
            _ => self.set(at.index, code, kind),
        }
        Ok(())
    }
}

/// An entry of the target. One that cannot be looked at counts as missing: making it will say why.
fn look(folder: &OwnedFd, name: &[u8]) -> Option<Status> {
    Status::at(folder.as_fd(), name).ok().flatten()
}

/// Whether an existing entry is the symlink, fifo or device that it should be.
fn is_same_special(folder: &OwnedFd, name: &[u8], node: &Node, now: &Status) -> bool {
    now.kind == node.kind
        && match node.kind {
            NodeType::Symlink => rustix::fs::readlinkat(folder, name, Vec::new())
                .is_ok_and(|target| target.to_bytes() == node.link_target),
            NodeType::Dev | NodeType::CharDev => now.special == node.device,
            _ => true,
        }
}

impl Visitor for Planner<'_> {
    fn enter(&mut self, at: &At<'_>, node: Option<&Node>) -> Result<Enter> {
        let (code, entered, folder) = match node {
            Some(node) if at.index != 0 => self.place_folder(at, node)?,
            // The target's own root. It gets the metadata of GENERATION:PATH only if it is made for it.
            _ => match self.target.take() {
                Some(folder) => (Code::Unchanged, true, Some(folder)),
                None => (Code::Create, true, None),
            },
        };
        self.step(at.index, code, entered);
        if !entered {
            self.totals.count(code, NodeType::Dir);
            self.need();
            return Ok(Enter::No);
        }
        let delete =
            self.options.delete && folder.is_some() && !at.scope.is_nothing() && is_in_roots(self.roots, at.path);
        let delete = delete && (at.taken || at.scope.mixed);
        self.levels.push(Level {
            index: at.index,
            position: self.steps.folders.len(),
            folder,
            needed: at.taken || at.index == 0,
            code,
            // Folders on the way to what is picked count only when they are made.
            counted: node.is_some() && (at.taken || (at.index != 0 && code != Code::Unchanged)),
            names: delete.then(HashSet::new),
        });
        self.steps.folders.push((at.index, at.index + 1));
        Ok(Enter::Yes)
    }

    fn unreadable(&mut self, at: &At<'_>, _error: &vault::Error) -> Result<Enter> {
        self.conflicts
            .add(Conflict::new(at, Code::UnreadableFolder, None, None));
        self.step(at.index, Code::UnreadableFolder, true);
        if let Some(level) = self.levels.last_mut() {
            level.code = Code::UnreadableFolder;
            level.needed = true;
            level.names = None;
        }
        Ok(Enter::No)
    }

    fn listed(&mut self, node: &Node) {
        if let Some(names) = self.levels.last_mut().and_then(|level| level.names.as_mut()) {
            names.insert(node.name.clone());
        }
    }

    fn entry(&mut self, at: &At<'_>, node: Node) -> Result<()> {
        match node.kind {
            _ if place::is_part_name(at.name) => {
                self.clash(at, Code::NotRestorable, &node, None);
                Ok(())
            }
            NodeType::File => self.file(at, node),
            _ => self.other(at, &node),
        }
    }

    fn problem(&mut self, at: &At<'_>, problem: Problem) -> Result<()> {
        self.conflicts.add(Conflict::new(at, problem.into(), None, None));
        self.set(at.index, problem.into(), NodeType::File);
        Ok(())
    }

    fn all_listed(&mut self, at: &At<'_>) -> Result<()> {
        let Some(names) = self.levels.last_mut().and_then(|level| level.names.take()) else {
            return Ok(());
        };
        let Some(folder) = self.folder() else { return Ok(()) };
        let mut extra = Vec::new();
        let read = place::read_names(folder.as_fd(), &mut |name| {
            if !names.contains(name) {
                extra.push(name.to_vec());
            }
            Ok(())
        });
        read.map_err(|error| Error::Target {
            action: "list",
            path: at.shown(),
            source: error.into(),
        })?;
        drop(names);
        extra.sort_unstable();
        let mut list = Vec::new();
        let kept = self.steps.kept.len();
        let mut deletion = Deletion {
            protected: self.protected,
            cancel: self.cancel,
            entries: 0,
            bytes: 0,
        };
        for name in extra {
            let Ok(Some(now)) = Status::at(folder.as_fd(), &name) else {
                continue;
            };
            let path = [at.path, b"/", &name].concat();
            let taken = self.matcher.below(at.scope, &path, false).taken;
            // An unfinished file may belong to one of this folder's entries, which goes on with it.
            if !taken || name.starts_with(PART_PREFIX) {
                continue;
            }
            let before = (deletion.entries, deletion.bytes);
            let mut conflict = Conflict {
                path: path.into(),
                action: Action::Delete,
                then: None,
                now: Some(State::now(&now)),
                note: String::new(),
                index: at.index,
            };
            if let Err(why) = deletion.count(folder.as_fd(), &name) {
                (deletion.entries, deletion.bytes) = before;
                self.cancel.check()?;
                conflict.action = Action::Problem(Problem::InTheWay);
                conflict.note = why.to_string();
                self.steps.kept.push((conflict.path.to_vec(), why.to_string()));
                self.conflicts.add(conflict);
                continue;
            }
            if let Some(state) = &mut conflict.now {
                state.size = deletion.bytes - before.1;
            }
            self.conflicts.add(conflict);
            list.push(type_letter(now.kind));
            list.extend_from_slice(&name);
            list.push(0);
        }
        let (entries, bytes) = (deletion.entries, deletion.bytes);
        self.totals.problems += (self.steps.kept.len() - kept) as u64;
        self.totals.delete += entries;
        self.totals.delete_bytes += bytes;
        if !list.is_empty() {
            self.steps.delete.insert(at.index, list);
            self.need();
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        let Some(level) = self.levels.pop() else { return Ok(()) };
        let end = u32::try_from(self.steps.steps.len()).unwrap_or(u32::MAX);
        self.steps.folders[level.position].1 = end;
        let code = if level.needed { level.code } else { Code::NotNeeded };
        self.step(level.index, code, true);
        if level.counted {
            self.totals.count(code, NodeType::Dir);
        }
        if level.needed {
            self.need();
        }
        Ok(())
    }
}

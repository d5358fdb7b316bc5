//! Making a plan: the generation's trees beside what is in the target.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::compare::{self, Comparing, Comparison, Found, Piece};
use super::links::Links;
use super::metadata::{Rules, same_xattrs};
use super::place::{self, Deletion, PART_PREFIX, Status};
use super::plan::{Code, Partial, Plan, Problem, Step, Steps, Totals, type_letter};
use super::selection::{Matcher, Selection, is_at_or_below, trim};
use super::walk::{At, Enter, Start, Visitor, Walk, find_entry};
use super::{Error, Overwrite, RestoreOptions, Result, Target};
use crate::progress::{Cancel, Progress};
use crate::vault::{self, BlobKind, Generation, Id, IndexedVault, Node, NodeType};

/// Files from this size on are looked for under their temporary name, to go on with an interrupted restore, and are written
/// in place where only some of their content is wrong.
pub(super) const LARGE: u64 = 4 << 20;

/// Finds out what a restore would do: reads the trees, looks at the target, hashes existing files where the choice of
/// [`Overwrite`] needs it. Changes nothing.
pub fn plan(
    vault: &IndexedVault,
    generation: &Generation,
    options: &RestoreOptions,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<Plan> {
    let in_place = options.target == Target::InPlace;
    let whole = trim(&options.subtree).is_empty();
    if options.delete && in_place && whole && options.selection == Selection::All {
        return Err(Error::Refused(
            "deleting in place needs a path: name the folder to make like the generation, as in GENERATION:/home/me"
                .into(),
        ));
    }
    let matcher = Matcher::new(&options.selection)?;
    let start = match in_place {
        true => Start::through(vault, generation, &options.subtree)?,
        false => Start::find(vault, generation, &options.subtree)?,
    };
    let roots = match in_place || options.delete {
        true => roots(vault, generation, in_place)?,
        false => Vec::new(),
    };
    place::raise_open_files();
    let target = open_target(&options.target)?;
    let shared = Shared {
        vault,
        results: Mutex::new(Results::default()),
        fetch: Mutex::new(Fetch::default()),
        progress,
    };
    let done = |what: &Comparison<Tag>, found: Result<Found, Errno>| shared.compared(what, found);
    let threads = super::threads(options.threads);
    let walked = compare::run(threads, cancel, &done, |comparing| {
        let mut planner = Planner {
            shared: &shared,
            comparing,
            options,
            rules: Rules {
                owner: options.owner,
                root: rustix::process::geteuid().is_root(),
            },
            matcher: &matcher,
            in_place,
            start_length: start.path.len(),
            roots: &roots,
            protected: protected(vault),
            cancel,
            target: target.map(Arc::new),
            levels: Vec::new(),
            steps: Steps::default(),
            totals: Totals::default(),
            links: Links::default(),
            linked: Vec::new(),
            fetch: Fetch::default(),
        };
        let walk = Walk::new(vault, &matcher, cancel).run(&start, &mut planner);
        walk.map(|()| (planner.steps, planner.totals, planner.linked, planner.fetch))
    });
    let (mut steps, mut totals, linked, mut fetch) = walked?;
    cancel.check()?;
    let results = shared.results.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (index, code, written, partial) in results.0 {
        if let Some(step) = steps.steps.get_mut(index as usize) {
            step.code = code;
        }
        if let Some(partial) = partial {
            steps.partial.insert(index, partial);
        }
        totals.count(code, NodeType::File);
        totals.write_bytes += written;
    }
    for (index, first) in linked {
        // The link stands if the file it is a link to keeps its place.
        let replaced = match steps.get(first).code {
            Code::Create => true,
            Code::Overwrite => steps.partial.get(&first).is_none_or(|partial| partial.part),
            _ => false,
        };
        let code = if replaced { Code::Overwrite } else { Code::Unchanged };
        if let Some(step) = steps.steps.get_mut(index as usize) {
            step.code = code;
        }
        totals.count(code, NodeType::File);
    }
    fetch.absorb(shared.fetch.into_inner().unwrap_or_else(PoisonError::into_inner));
    totals.fetch_bytes = fetch.bytes;
    progress.totals_known.store(true, Ordering::Relaxed);
    Ok(Plan {
        generation: generation.clone(),
        options: options.clone(),
        totals,
        matcher,
        start,
        steps,
        roots,
    })
}

/// Opens the target folder; `None` when it does not exist.
fn open_target(target: &Target) -> Result<Option<OwnedFd>> {
    let path = match target {
        Target::InPlace => std::path::Path::new("/"),
        Target::Folder(path) => path.as_path(),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(folder) => Ok(Some(folder)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(Error::Target {
            action: "open",
            path: path.to_owned(),
            source: error.into(),
        }),
    }
}

/// The vault's own folder, if it lies on this machine.
pub(super) fn protected(vault: &IndexedVault) -> Option<(u64, u64)> {
    let stat = rustix::fs::stat(vault.vault().place()).ok()?;
    let status = Status::of(&stat);
    Some((status.device, status.inode))
}

/// The paths that were backed up, as they are in the tree. restic keeps a relative path relative there, while the
/// generation tells it absolute: the longest end of it that exists is meant.
fn roots(vault: &IndexedVault, generation: &Generation, absolute: bool) -> Result<Vec<Vec<u8>>> {
    let mut roots = Vec::new();
    for path in &generation.paths {
        let parts: Vec<&[u8]> = trim(path.as_bytes())
            .split(|&b| b == b'/')
            .filter(|part| !part.is_empty())
            .collect();
        let found = (0..=parts.len()).find_map(|skip| match exists(vault, generation, &parts[skip..]) {
            Ok(true) => Some(Ok(skip)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        });
        match found.transpose()? {
            Some(0) => roots.push(parts.join(&b'/')),
            // An empty end says nothing when there are other paths.
            Some(skip) if !absolute && (skip < parts.len() || generation.paths.len() == 1) => {
                roots.push(parts[skip..].join(&b'/'));
            }
            Some(_) if absolute => {
                return Err(Error::Refused(format!(
                    "{path} is kept with a relative path in this generation, so that its original place is not known for \
                     sure; restore it with --target"
                )));
            }
            _ => {}
        }
    }
    Ok(roots)
}

fn exists(vault: &IndexedVault, generation: &Generation, parts: &[&[u8]]) -> Result<bool> {
    let mut tree = Some(generation.tree);
    for part in parts {
        let Some(folder) = tree else { return Ok(false) };
        match find_entry(vault, &folder, part)? {
            Some(node) => tree = node.subtree,
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// What the comparing threads and the walk share.
struct Shared<'a> {
    vault: &'a IndexedVault,
    results: Mutex<Results>,
    fetch: Mutex<Fetch>,
    progress: &'a Progress,
}

/// Number, what would happen, bytes that would be written, what is right already.
#[derive(Default)]
struct Results(Vec<(u32, Code, u64, Option<Partial>)>);

/// What a comparison is for.
struct Tag {
    index: u32,
    size: u64,
    /// Whether owner, mode, time or attributes are to be set.
    differs: bool,
    /// The file is an unfinished one under its temporary name.
    part: bool,
}

impl Shared<'_> {
    fn compared(&self, what: &Comparison<Tag>, found: Result<Found, Errno>) {
        let tag = &what.tag;
        let (code, written, partial) = match found {
            Ok(found) if found.whole && !tag.part => {
                (if tag.differs { Code::Metadata } else { Code::Unchanged }, 0, None)
            }
            Ok(found) => {
                // Written in place only where that saves much and nobody else holds the file by another name.
                let keep = found.right_bytes > 0 && tag.size >= LARGE && found.status.links == 1 && found.writable;
                let keep = keep && (!tag.part || found.status.uid == rustix::process::geteuid().as_raw());
                let code = if tag.part { Code::Create } else { Code::Overwrite };
                match keep {
                    true => {
                        let partial = Partial {
                            status: found.status,
                            right: found.right,
                            part: tag.part,
                        };
                        (code, tag.size - found.right_bytes, Some(partial))
                    }
                    false => (code, tag.size, None),
                }
            }
            // What cannot be read is replaced.
            Err(_) => (if tag.part { Code::Create } else { Code::Overwrite }, tag.size, None),
        };
        if matches!(code, Code::Create | Code::Overwrite) {
            let right = partial.as_ref().map(|partial| &partial.right);
            let wrong = what
                .pieces
                .iter()
                .enumerate()
                .filter(|(n, _)| right.is_none_or(|right| !right.get(*n)));
            let mut fetch = self.fetch.lock().unwrap_or_else(PoisonError::into_inner);
            for (_, (id, _)) in wrong {
                fetch.add(self.vault, id);
            }
        }
        self.progress.set_current(&what.name);
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        results.0.push((tag.index, code, written, partial));
    }
}

/// Counts the bytes of blobs to fetch, each blob once.
#[derive(Default)]
struct Fetch {
    seen: HashSet<u64, BuildHasherDefault<Prefix>>,
    bytes: u64,
}

/// Blob ids are hashes themselves.
#[derive(Default)]
struct Prefix(u64);

impl Hasher for Prefix {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Fetch {
    /// Beyond so many blobs, each use counts: the figure is then an upper bound, and memory stays bounded.
    const EXACT: usize = 1 << 21;

    /// Counts a blob; `false` when it is in no pack. Returns its plain length too.
    fn add(&mut self, vault: &IndexedVault, id: &Id) -> Option<u32> {
        let location = vault.index().find(BlobKind::Data, id)?;
        self.count(id, location.length);
        Some(location.plain_length())
    }

    fn count(&mut self, id: &Id, length: u32) {
        let [a, b, c, d, e, f, g, h, ..] = id.0;
        let prefix = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        if self.seen.len() >= Fetch::EXACT || self.seen.insert(prefix) {
            self.bytes += u64::from(length);
        }
    }

    /// Adds another count. What both have may count twice: it is a figure for show.
    fn absorb(&mut self, other: Fetch) {
        self.bytes += other.bytes;
    }
}

impl Totals {
    fn count(&mut self, code: Code, kind: NodeType) {
        match (code, kind) {
            (Code::NotNeeded, _) => {}
            (Code::Create, NodeType::File) => self.create_files += 1,
            (Code::Create, NodeType::Dir) => self.create_folders += 1,
            (Code::Create, _) => self.create_others += 1,
            (Code::Overwrite, _) => self.overwrite += 1,
            (Code::Metadata, _) => self.metadata += 1,
            (Code::Unchanged, _) => self.unchanged += 1,
            (Code::Skip, _) => self.skip += 1,
            _ => self.problems += 1,
        }
    }
}

/// A folder of the generation whose entries are being looked at.
struct Level {
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

struct Planner<'a> {
    shared: &'a Shared<'a>,
    comparing: &'a Comparing<Tag>,
    options: &'a RestoreOptions,
    rules: Rules,
    matcher: &'a Matcher,
    in_place: bool,
    start_length: usize,
    roots: &'a [Vec<u8>],
    protected: Option<(u64, u64)>,
    cancel: &'a Cancel,
    target: Option<Arc<OwnedFd>>,
    levels: Vec<Level>,
    steps: Steps,
    totals: Totals,
    links: Links,
    /// Names that are a link to their first name's file already.
    linked: Vec<(u32, u32)>,
    fetch: Fetch,
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
    fn place_folder(&self, at: &At<'_>, node: &Node) -> Result<(Code, bool, Option<Arc<OwnedFd>>)> {
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
        Ok(match self.may_change(node, &now) {
            true => (Code::Overwrite, true, None),
            false => (Code::Skip, false, None),
        })
    }

    fn file(&mut self, at: &At<'_>, node: Node) -> Result<()> {
        let index = at.index;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut size = 0_u64;
        let content = node.content.as_deref().unwrap_or_default();
        for id in content {
            let Some(location) = self.shared.vault.index().find(BlobKind::Data, id) else {
                self.set(index, Code::MissingBlob, NodeType::File);
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
                self.set(index, Code::Skip, NodeType::File);
                return Ok(());
            }
            if now.kind == NodeType::Dir && !self.may_replace_folder(&folder, at.name) {
                self.set(index, Code::InTheWay, NodeType::File);
                return Ok(());
            }
        }
        if let Some(first) = self.links.see(index, at.path, &node) {
            match now {
                None => self.set(index, Code::Create, NodeType::File),
                Some(now) if now.kind == NodeType::File && self.is_link_to(&now, &first.path) => {
                    self.step(index, Code::Unchanged, false);
                    self.need();
                    self.linked.push((index, first.index));
                }
                Some(_) => self.set(index, Code::Overwrite, NodeType::File),
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
                self.set(index, Code::Overwrite, NodeType::File);
            }
            Some(now) => {
                let code = self.metadata_step(&folder, at.name, &node, &now);
                let same = now.size == size && now.mtime == (node.mtime.seconds, node.mtime.nanos);
                let trusted = self.options.overwrite == Overwrite::IfChanged && !self.options.verify;
                if (same && trusted) || (size == 0 && now.size == 0) {
                    self.set(index, code, NodeType::File);
                } else {
                    let tag = Tag {
                        index,
                        size,
                        differs: code == Code::Metadata,
                        part: false,
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
            self.set(at.index, Code::NotRestorable, kind);
            return Ok(());
        }
        let Some(folder) = self.folder() else {
            self.set(at.index, Code::Create, kind);
            return Ok(());
        };
        let code = match look(&folder, at.name) {
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
        self.set(at.index, code, kind);
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

/// Whether a folder lies strictly above what was backed up: restoring in place takes it as the machine has it.
pub(super) fn is_above_roots(in_place: bool, roots: &[Vec<u8>], path: &[u8]) -> bool {
    let path = trim(path);
    in_place && roots.iter().any(|root| root != path && is_at_or_below(root, path)) && !is_in_roots(roots, path)
}

/// Whether a folder is held in full: it was backed up, or lies below what was.
fn is_in_roots(roots: &[Vec<u8>], path: &[u8]) -> bool {
    roots.iter().any(|root| is_at_or_below(trim(path), root))
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
            counted: node.is_some(),
            names: delete.then(HashSet::new),
        });
        self.steps.folders.push((at.index, at.index + 1));
        Ok(Enter::Yes)
    }

    fn unreadable(&mut self, at: &At<'_>, _error: &vault::Error) -> Result<Enter> {
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
            NodeType::File => self.file(at, node),
            _ => self.other(at, &node),
        }
    }

    fn problem(&mut self, at: &At<'_>, problem: Problem) -> Result<()> {
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
            if let Err(why) = deletion.count(folder.as_fd(), &name) {
                (deletion.entries, deletion.bytes) = before;
                self.cancel.check()?;
                self.steps.kept.push((path, why.to_string()));
                continue;
            }
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

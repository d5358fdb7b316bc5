//! Walking a generation's trees in one fixed order, so that a plan's entries can be numbered and found again.
//!
//! A folder comes first, then its other entries, then its subfolders one after the other: a tree's bytes need not be kept
//! while its subfolders are read, and the entries below a folder have consecutive numbers.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::selection::{Matcher, Scope, trim};
use super::{Error, Problem, Result};
use crate::progress::Cancel;
use crate::vault::compress::Scratch;
use crate::vault::tree::{BadTree, decode_each};
use crate::vault::{self, BlobKind, Generation, Id, IndexedVault, Node, NodeType};

/// Folders nested deeper are not followed: no real tree has them, and a hostile one can have any depth.
pub(super) const MAX_DEPTH: usize = 1000;
/// More entries than this are refused: a few crafted trees can claim any number.
const MAX_ENTRIES: u32 = 500_000_000;

/// Where a walk begins.
#[derive(Debug)]
pub(super) struct Start {
    /// The path of the folder in the generation, with a leading slash at each component; empty for the root.
    pub path: Vec<u8>,
    /// Its tree.
    pub tree: Id,
    /// Its own entry; the root has none.
    pub node: Option<Box<Node>>,
    /// The components from there on that lead to what is asked for; nothing beside them is visited.
    pub only: Vec<Vec<u8>>,
    /// Another name for the file that is asked for.
    pub rename: Option<Vec<u8>>,
}

impl Start {
    /// Begins at the folder `path`, or at the folder that holds the file `path`.
    pub fn find(vault: &IndexedVault, generation: &Generation, path: &[u8]) -> Result<Start> {
        let mut start = Start {
            path: Vec::new(),
            tree: generation.tree,
            node: None,
            only: Vec::new(),
            rename: None,
        };
        let parts: Vec<&[u8]> = trim(path)
            .split(|&b| b == b'/')
            .filter(|part| !part.is_empty())
            .collect();
        for (number, part) in parts.iter().enumerate() {
            let node = find_entry(vault, &start.tree, part)?.ok_or_else(|| Error::NotInGeneration {
                path: String::from_utf8_lossy(path).into_owned(),
                generation: generation.id.short(),
            })?;
            match (node.kind, node.subtree) {
                (NodeType::Dir, Some(tree)) => {
                    start.path.push(b'/');
                    start.path.extend_from_slice(part);
                    start.tree = tree;
                    start.node = Some(Box::new(node));
                }
                _ if number + 1 == parts.len() => start.only = vec![part.to_vec()],
                _ => {
                    return Err(Error::NotInGeneration {
                        path: String::from_utf8_lossy(path).into_owned(),
                        generation: generation.id.short(),
                    });
                }
            }
        }
        Ok(start)
    }

    /// Begins at the root and goes only to `path`, which must exist: for restoring in place, where the folders above
    /// matter too.
    pub fn through(vault: &IndexedVault, generation: &Generation, path: &[u8]) -> Result<Start> {
        Start::find(vault, generation, path)?;
        let parts = trim(path).split(|&b| b == b'/').filter(|part| !part.is_empty());
        let only = parts.map(<[u8]>::to_vec).collect();
        Ok(Start {
            path: Vec::new(),
            tree: generation.tree,
            node: None,
            only,
            rename: None,
        })
    }
}

/// Whether a path of the generation is a folder; an error if it is not there.
pub fn is_folder(vault: &IndexedVault, generation: &Generation, path: &[u8]) -> Result<bool> {
    Ok(Start::find(vault, generation, path)?.only.is_empty())
}

/// The first entry of this name in a tree.
pub(super) fn find_entry(vault: &IndexedVault, tree: &Id, name: &[u8]) -> Result<Option<Node>> {
    let mut bytes = Vec::new();
    vault.blob_into(BlobKind::Tree, tree, &mut Scratch::default(), &mut bytes)?;
    let mut found = None;
    let decoded = decode_each(&bytes, &mut |node| {
        if node.name == name {
            found = Some(node);
            return Err(Stop::Enough);
        }
        Ok(())
    });
    match decoded {
        Ok(()) | Err(Stop::Enough) => Ok(found),
        Err(Stop::Bad(bad)) => Err(bad_tree(tree, &bad).into()),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// Why reading a tree ended early.
enum Stop {
    Enough,
    Bad(BadTree),
    Failed(Error),
}

impl From<BadTree> for Stop {
    fn from(bad: BadTree) -> Stop {
        Stop::Bad(bad)
    }
}

fn bad_tree(tree: &Id, bad: &BadTree) -> vault::Error {
    vault::Error::BadBlob {
        kind: BlobKind::Tree,
        id: *tree,
        what: bad.to_string(),
    }
}

/// Where the walk is.
#[derive(Debug)]
pub(super) struct At<'a> {
    /// The entry's number, in the order of the walk. The start has none of its own: it is 0.
    pub index: u32,
    /// Its path in the generation, with a leading slash.
    pub path: &'a [u8],
    /// Its name, safe to use; empty for the start.
    pub name: &'a [u8],
    /// Whether the selection takes it itself (else it is a folder on the way to something).
    pub taken: bool,
    /// The selection's decision, for entries that are not in the generation.
    pub scope: Scope,
}

impl At<'_> {
    /// The path for an error.
    pub fn shown(&self) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(self.path))
    }
}

/// Whether a folder's entries are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enter {
    /// Yes.
    Yes,
    /// No; they get no numbers.
    No,
    /// No; they were numbered when the plan was made, up to this one (not included).
    SkipTo(u32),
}

/// What is done with a walk.
pub(super) trait Visitor {
    /// A folder. The start comes first, with its own entry if it has one.
    fn enter(&mut self, at: &At<'_>, node: Option<&Node>) -> Result<Enter>;
    /// The folder just entered cannot be read; nothing in it will come.
    fn unreadable(&mut self, at: &At<'_>, error: &vault::Error) -> Result<Enter> {
        let _ = (at, error);
        Ok(Enter::No)
    }
    /// Any entry of the folder just entered, taken or not.
    fn listed(&mut self, node: &Node) {
        let _ = node;
    }
    /// A selected entry that is not a folder, in the folder entered last.
    fn entry(&mut self, at: &At<'_>, node: Node) -> Result<()>;
    /// A selected entry that cannot be restored.
    fn problem(&mut self, at: &At<'_>, problem: Problem) -> Result<()>;
    /// All entries of the folder entered last have been listed; its subfolders come next.
    fn all_listed(&mut self, at: &At<'_>) -> Result<()> {
        let _ = at;
        Ok(())
    }
    /// The folder entered last (and not left) is done.
    fn leave(&mut self) -> Result<()>;
}

/// One walk over a generation.
pub(super) struct Walk<'a> {
    vault: &'a IndexedVault,
    matcher: &'a Matcher,
    cancel: &'a Cancel,
    scratch: Scratch,
    bytes: Vec<u8>,
    path: Vec<u8>,
    next: u32,
    rename: Option<Vec<u8>>,
}

/// A folder whose subfolders are being visited.
struct Level {
    /// In reverse order.
    folders: Vec<Folder>,
    path_length: usize,
}

/// A folder to be visited.
struct Folder {
    node: Box<Node>,
    scope: Scope,
}

impl<'a> Walk<'a> {
    /// Prepares a walk of what `matcher` takes.
    pub fn new(vault: &'a IndexedVault, matcher: &'a Matcher, cancel: &'a Cancel) -> Walk<'a> {
        Walk {
            vault,
            matcher,
            cancel,
            scratch: Scratch::default(),
            bytes: Vec::new(),
            path: Vec::new(),
            next: 1,
            rename: None,
        }
    }

    /// Visits everything from `start` on.
    pub fn run(mut self, start: &Start, visitor: &mut impl Visitor) -> Result<()> {
        self.path.clone_from(&start.path);
        self.rename.clone_from(&start.rename);
        let mut scope = self.matcher.root();
        for (end, _) in start.path.iter().enumerate().skip(1).filter(|(_, b)| **b == b'/') {
            scope = self.matcher.below(scope, &start.path[..end], true);
        }
        if !start.path.is_empty() {
            scope = self.matcher.below(scope, &start.path, true);
        }
        let at = At {
            index: 0,
            path: &self.path,
            name: b"",
            taken: scope.taken,
            scope,
        };
        if visitor.enter(&at, start.node.as_deref())? != Enter::Yes {
            return Ok(());
        }
        let mut levels: Vec<Level> = Vec::new();
        let first = self.list(0, b"", start.tree, scope, start.only.first(), visitor)?;
        levels.push(Level {
            folders: first,
            path_length: self.path.len(),
        });
        while let Some(level) = levels.last_mut() {
            self.path.truncate(level.path_length);
            let Some(Folder { node, scope }) = level.folders.pop() else {
                levels.pop();
                visitor.leave()?;
                continue;
            };
            self.cancel.check()?;
            self.push_name(&node.name);
            let index = self.number()?;
            let at = At {
                index,
                path: &self.path,
                name: &node.name,
                taken: scope.taken,
                scope,
            };
            let Some(tree) = node.subtree else {
                visitor.problem(&at, Problem::UnreadableFolder)?;
                continue;
            };
            if levels.len() >= MAX_DEPTH {
                visitor.problem(&at, Problem::TooDeep)?;
                continue;
            }
            match visitor.enter(&at, Some(&node))? {
                Enter::Yes => {}
                Enter::No => continue,
                Enter::SkipTo(next) => {
                    self.next = next;
                    continue;
                }
            }
            let folders = self.list(index, &node.name, tree, scope, start.only.get(levels.len()), visitor)?;
            levels.push(Level {
                folders,
                path_length: self.path.len(),
            });
        }
        Ok(())
    }

    /// Reads one folder: visits its entries but the subfolders, which are returned in reverse order.
    fn list(
        &mut self,
        index: u32,
        name: &[u8],
        tree: Id,
        scope: Scope,
        only: Option<&Vec<u8>>,
        visitor: &mut impl Visitor,
    ) -> Result<Vec<Folder>> {
        let mut bytes = std::mem::take(&mut self.bytes);
        let length = self.path.len();
        let mut folders: Vec<Folder> = Vec::new();
        let mut skip_to = Enter::No;
        let read = self
            .vault
            .blob_into(BlobKind::Tree, &tree, &mut self.scratch, &mut bytes);
        let read = read.map_err(Stop::from_vault).and_then(|()| {
            let mut names = Names::default();
            let mut position = 0;
            decode_each(&bytes, &mut |node: Node| -> Result<(), Stop> {
                let repeated = names.is_repeated(&bytes, position, &node.name);
                position += 1;
                self.node(node, repeated, scope, only, &mut folders, visitor)
                    .map_err(Stop::Failed)
            })
        });
        self.path.truncate(length);
        let at = At {
            index,
            path: &self.path,
            name,
            taken: scope.taken,
            scope,
        };
        match read {
            Ok(()) | Err(Stop::Enough) => {}
            Err(Stop::Bad(bad)) => skip_to = visitor.unreadable(&at, &bad_tree(&tree, &bad))?,
            Err(Stop::Failed(Error::Vault(error))) if is_about_one_blob(&error) => {
                skip_to = visitor.unreadable(&at, &error)?;
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
        if let Enter::SkipTo(next) = skip_to {
            self.next = next;
            folders.clear();
        }
        visitor.all_listed(&at)?;
        folders.reverse();
        bytes.clear();
        if bytes.capacity() > 4 << 20 {
            bytes = Vec::new();
        }
        self.bytes = bytes;
        Ok(folders)
    }

    fn node(
        &mut self,
        mut node: Node,
        repeated: bool,
        scope: Scope,
        only: Option<&Vec<u8>>,
        folders: &mut Vec<Folder>,
        visitor: &mut impl Visitor,
    ) -> Result<()> {
        visitor.listed(&node);
        if only.is_some_and(|only| *only != node.name) {
            return Ok(());
        }
        let length = self.path.len();
        self.push_name(&node.name);
        let scope = self.matcher.below(scope, &self.path, node.is_dir());
        if scope.is_nothing() {
            self.path.truncate(length);
            return Ok(());
        }
        if let (Some(_), false, Some(name)) = (only, node.is_dir(), &self.rename) {
            node.name.clone_from(name);
            self.path.truncate(length);
            self.push_name(&node.name);
        }
        let problem = if !node.has_safe_name() {
            Some(Problem::UnsafeName)
        } else if repeated {
            Some(Problem::DuplicateName)
        } else {
            None
        };
        if node.is_dir() && problem.is_none() {
            folders.push(Folder {
                node: Box::new(node),
                scope,
            });
        } else if scope.taken || problem.is_some() {
            self.cancel.check()?;
            let index = self.number()?;
            let at = At {
                index,
                path: &self.path,
                name: &node.name.clone(),
                taken: scope.taken,
                scope,
            };
            match problem {
                Some(problem) => visitor.problem(&at, problem)?,
                None => visitor.entry(&at, node)?,
            }
        }
        self.path.truncate(length);
        Ok(())
    }

    fn push_name(&mut self, name: &[u8]) {
        self.path.push(b'/');
        self.path.extend_from_slice(name);
    }

    fn number(&mut self) -> Result<u32> {
        let index = self.next;
        if index >= MAX_ENTRIES {
            return Err(Error::TooMany(u64::from(MAX_ENTRIES)));
        }
        self.next += 1;
        Ok(index)
    }
}

impl Stop {
    fn from_vault(error: vault::Error) -> Stop {
        Stop::Failed(Error::Vault(error))
    }
}

/// Whether an error is about one blob or pack, so that the rest of the vault may be readable.
pub(super) fn is_about_one_blob(error: &vault::Error) -> bool {
    !matches!(
        error,
        vault::Error::Cancelled(_) | vault::Error::LockLost { .. } | vault::Error::Internal(_)
    )
}

/// Finds names that come twice in one tree. Sorted trees need no memory for it; at the first name out of order all names
/// up to there are gathered.
#[derive(Default)]
struct Names {
    last: Vec<u8>,
    seen: Option<HashSet<Vec<u8>>>,
}

impl Names {
    fn is_repeated(&mut self, tree: &[u8], position: usize, name: &[u8]) -> bool {
        if let Some(seen) = &mut self.seen {
            return !seen.insert(name.to_vec());
        }
        if position == 0 || *self.last < *name {
            self.last.clear();
            self.last.extend_from_slice(name);
            return false;
        }
        let mut before: Range<usize> = 0..position;
        let mut seen = HashSet::new();
        // Gathering stops at this very entry; the bytes up to there have been read once without an error.
        let _ = decode_each(tree, &mut |node: Node| {
            if before.next().is_none() {
                return Err(Stop::Enough);
            }
            seen.insert(node.name);
            Ok(())
        });
        let repeated = !seen.insert(name.to_vec());
        self.seen = Some(seen);
        repeated
    }
}

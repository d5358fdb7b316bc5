//! What a restore would do, entry by entry.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::compare::Bits;
use super::conflict::Conflicts;
use super::place::Status;
use super::selection::Matcher;
use super::walk::{At, Enter, Start, Visitor, Walk};
use super::{Error, RestoreOptions, Result, Target};
use crate::progress::Cancel;
use crate::vault::{self, Generation, IndexedVault, Node, NodeType};

/// What would happen to one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It does not exist and would be made.
    Create,
    /// It exists with other content (or as something else) and would be replaced, or written where it is wrong.
    Overwrite,
    /// Its content is right; its metadata would be set.
    Metadata,
    /// It is as in the generation.
    Unchanged,
    /// It exists and would be left alone because of the [`Overwrite`](super::Overwrite) choice.
    Skip,
    /// It is not in the generation and would be deleted, with all below it.
    Delete,
    /// It cannot be restored.
    Problem(Problem),
}

/// Why an entry cannot be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// Its name cannot be made safely.
    UnsafeName,
    /// An earlier entry of the folder has the same name.
    DuplicateName,
    /// A folder that is not empty stands where it belongs.
    InTheWay,
    /// A folder's listing is missing or damaged; the folder is made, nothing in it.
    UnreadableFolder,
    /// A blob of its content is in no pack.
    MissingBlob,
    /// Nested deeper than 1,000 folders.
    TooDeep,
    /// A socket, a kind of entry this program does not know, or a file that an earlier restore left unfinished.
    NotRestorable,
}

/// Counts of a plan. Entries of all kinds are counted by action; bytes are bytes of content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Entries that would be made: regular files.
    pub create_files: u64,
    /// Entries that would be made: folders.
    pub create_folders: u64,
    /// Entries that would be made: symlinks, fifos, devices.
    pub create_others: u64,
    /// Entries that would be overwritten.
    pub overwrite: u64,
    /// Of these, files that were changed after the generation's.
    pub overwrite_newer: u64,
    /// Bytes of the existing files that would be overwritten.
    pub overwrite_bytes: u64,
    /// Entries whose metadata would be set.
    pub metadata: u64,
    /// Entries that are right.
    pub unchanged: u64,
    /// Entries that would be left alone.
    pub skip: u64,
    /// Entries that would be deleted (a folder counts with everything in it).
    pub delete: u64,
    /// Bytes of the files that would be deleted.
    pub delete_bytes: u64,
    /// Entries that cannot be restored.
    pub problems: u64,
    /// Regular files in the selection.
    pub files: u64,
    /// Bytes of content in the selection.
    pub bytes: u64,
    /// Bytes of content that are in the target already.
    pub right_bytes: u64,
    /// Bytes of content that would be written.
    pub write_bytes: u64,
    /// Bytes that would be read from packs: each blob once.
    pub fetch_bytes: u64,
}

/// One entry of a plan, as [`Plan::for_each`] shows it.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its path in the generation, raw bytes.
    pub path: &'a [u8],
    /// What it is in the generation; for [`Action::Delete`], what it is now.
    pub kind: NodeType,
    /// Bytes of content (files).
    pub size: u64,
    /// What would happen.
    pub action: Action,
}

/// What a restore would do. Holds about a byte for each entry.
#[derive(Debug)]
pub struct Plan {
    pub(super) generation: Generation,
    pub(super) options: RestoreOptions,
    pub(super) totals: Totals,
    pub(super) conflicts: Conflicts,
    pub(super) matcher: Matcher,
    pub(super) start: Start,
    pub(super) steps: Steps,
    /// What backups were told to keep, as paths in the tree: deleting happens only there and below.
    pub(super) roots: Vec<Vec<u8>>,
}

/// What would happen to each entry, by its number in the walk.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// A [`Step`] for each entry.
    pub steps: Vec<Step>,
    /// For each folder that is entered: its number, and the number after the last entry below it.
    pub folders: Vec<(u32, u32)>,
    /// Existing files (or unfinished ones) that are partly right.
    pub partial: HashMap<u32, Partial>,
    /// For each folder with something to delete in it: for each such entry its type, name and a zero byte.
    pub delete: HashMap<u32, Vec<u8>>,
    /// What is not in the generation but stays all the same, and why.
    pub kept: Vec<(Vec<u8>, String)>,
}

/// An [`Action`] in a byte, and whether a folder's entries are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub code: Code,
    pub entered: bool,
}

/// The actions, and a folder that turns out not to be needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Code {
    NotNeeded,
    Create,
    Overwrite,
    Metadata,
    Unchanged,
    Skip,
    UnsafeName,
    DuplicateName,
    InTheWay,
    UnreadableFolder,
    MissingBlob,
    TooDeep,
    NotRestorable,
}

impl Code {
    /// The action, but for folders that are not needed.
    pub fn action(self) -> Option<Action> {
        Some(match self {
            Code::NotNeeded => return None,
            Code::Create => Action::Create,
            Code::Overwrite => Action::Overwrite,
            Code::Metadata => Action::Metadata,
            Code::Unchanged => Action::Unchanged,
            Code::Skip => Action::Skip,
            Code::UnsafeName => Action::Problem(Problem::UnsafeName),
            Code::DuplicateName => Action::Problem(Problem::DuplicateName),
            Code::InTheWay => Action::Problem(Problem::InTheWay),
            Code::UnreadableFolder => Action::Problem(Problem::UnreadableFolder),
            Code::MissingBlob => Action::Problem(Problem::MissingBlob),
            Code::TooDeep => Action::Problem(Problem::TooDeep),
            Code::NotRestorable => Action::Problem(Problem::NotRestorable),
        })
    }
}

impl From<Problem> for Code {
    fn from(problem: Problem) -> Code {
        match problem {
            Problem::UnsafeName => Code::UnsafeName,
            Problem::DuplicateName => Code::DuplicateName,
            Problem::InTheWay => Code::InTheWay,
            Problem::UnreadableFolder => Code::UnreadableFolder,
            Problem::MissingBlob => Code::MissingBlob,
            Problem::TooDeep => Code::TooDeep,
            Problem::NotRestorable => Code::NotRestorable,
        }
    }
}

/// A file that is partly right.
#[derive(Debug)]
pub(super) struct Partial {
    /// The file when it was compared: if it is another by the time it is written to, it is left alone.
    pub status: Status,
    /// Which blobs are right.
    pub right: Bits,
    /// It is an unfinished file under its temporary name.
    pub part: bool,
}

impl Steps {
    /// What happens to an entry.
    pub fn get(&self, index: u32) -> Step {
        let missing = Step {
            code: Code::NotNeeded,
            entered: false,
        };
        self.steps.get(index as usize).copied().unwrap_or(missing)
    }

    /// The number after the last entry below a folder.
    pub fn end_of(&self, index: u32) -> u32 {
        match self.folders.binary_search_by_key(&index, |folder| folder.0) {
            Ok(found) => self.folders[found].1,
            Err(_) => index + 1,
        }
    }

    /// How a walk that follows the plan goes on from a folder.
    pub fn enter(&self, index: u32) -> Enter {
        match self.get(index) {
            Step { entered: false, .. } => Enter::No,
            Step {
                code: Code::NotNeeded | Code::UnreadableFolder,
                ..
            } => Enter::SkipTo(self.end_of(index)),
            _ => Enter::Yes,
        }
    }

    /// What is deleted in a folder: types and names.
    pub fn deletes(&self, index: u32) -> impl Iterator<Item = (NodeType, &[u8])> {
        let list = self.delete.get(&index).map(Vec::as_slice).unwrap_or_default();
        list.split(|&b| b == 0)
            .filter_map(|entry| entry.split_first())
            .map(|(kind, name)| {
                let kind = match kind {
                    b'd' => NodeType::Dir,
                    b'l' => NodeType::Symlink,
                    b'b' => NodeType::Dev,
                    b'c' => NodeType::CharDev,
                    b'p' => NodeType::Fifo,
                    b's' => NodeType::Socket,
                    _ => NodeType::File,
                };
                (kind, name)
            })
    }
}

/// A type in a byte, as [`Steps::delete`] holds it.
pub(super) fn type_letter(kind: NodeType) -> u8 {
    match kind {
        NodeType::File => b'f',
        NodeType::Dir => b'd',
        NodeType::Symlink => b'l',
        NodeType::Dev => b'b',
        NodeType::CharDev => b'c',
        NodeType::Fifo => b'p',
        NodeType::Socket => b's',
    }
}

impl Plan {
    /// The generation restored.
    pub fn generation(&self) -> &Generation {
        &self.generation
    }

    /// What was asked for.
    pub fn options(&self) -> &RestoreOptions {
        &self.options
    }

    /// The counts.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// What somebody may want to look at before saying yes.
    pub fn conflicts(&self) -> &Conflicts {
        &self.conflicts
    }

    /// Where a path of the generation goes, for messages.
    pub fn target_path(&self, path: &[u8]) -> PathBuf {
        match &self.options.target {
            Target::InPlace => PathBuf::from(OsStr::from_bytes(path)),
            Target::Folder(folder) => {
                let below = path.strip_prefix(self.start.path.as_slice()).unwrap_or(path);
                let below = below.strip_prefix(b"/").unwrap_or(below);
                if below.is_empty() {
                    folder.clone()
                } else {
                    folder.join(OsStr::from_bytes(below))
                }
            }
        }
    }

    /// Calls `each` for every entry in the order of the walk: a folder, the files in it, what would be deleted in it, then
    /// its subfolders. Reads the trees again.
    pub fn for_each(
        &self,
        vault: &IndexedVault,
        cancel: &Cancel,
        each: &mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut listing = Listing {
            plan: self,
            each,
            stopped: false,
        };
        match Walk::new(vault, &self.matcher, cancel).run(&self.start, &mut listing) {
            Err(Error::Cancelled(_)) if listing.stopped => Ok(()),
            walked => walked,
        }
    }
}

/// Shows a plan's entries.
struct Listing<'a> {
    plan: &'a Plan,
    each: &'a mut dyn FnMut(&Entry<'_>) -> ControlFlow<()>,
    stopped: bool,
}

impl Listing<'_> {
    fn show(&mut self, entry: &Entry<'_>) -> Result<()> {
        if (self.each)(entry).is_break() {
            self.stopped = true;
            return Err(Error::Cancelled(crate::progress::Cancelled));
        }
        Ok(())
    }
}

impl Visitor for Listing<'_> {
    fn enter(&mut self, at: &At<'_>, node: Option<&Node>) -> Result<Enter> {
        let action = self.plan.steps.get(at.index).code.action();
        if let (Some(action), Some(_)) = (action, node)
            && (at.taken || at.index != 0)
        {
            self.show(&Entry {
                path: at.path,
                kind: NodeType::Dir,
                size: 0,
                action,
            })?;
        }
        Ok(self.plan.steps.enter(at.index))
    }

    fn unreadable(&mut self, at: &At<'_>, error: &vault::Error) -> Result<Enter> {
        let _ = error;
        Ok(Enter::SkipTo(self.plan.steps.end_of(at.index)))
    }

    fn entry(&mut self, at: &At<'_>, node: Node) -> Result<()> {
        match self.plan.steps.get(at.index).code.action() {
            Some(action) => self.show(&Entry {
                path: at.path,
                kind: node.kind,
                size: node.size,
                action,
            }),
            None => Ok(()),
        }
    }

    fn problem(&mut self, at: &At<'_>, problem: Problem) -> Result<()> {
        let action = Action::Problem(problem);
        self.show(&Entry {
            path: at.path,
            kind: NodeType::File,
            size: 0,
            action,
        })
    }

    fn all_listed(&mut self, at: &At<'_>) -> Result<()> {
        let plan = self.plan;
        for (kind, name) in plan.steps.deletes(at.index) {
            let path = [at.path, b"/", name].concat();
            self.show(&Entry {
                path: &path,
                kind,
                size: 0,
                action: Action::Delete,
            })?;
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        Ok(())
    }
}

//! What a restore would change or pass over among that which is there already, entry by entry: the part of a plan that
//! somebody has to look at before saying yes.
//!
//! The list is kept whole with the plan, so that any window of it is at hand at once; beyond [`Conflicts::MOST`] entries
//! only their number is.

use super::place::Status;
use super::plan::{Action, Code, Problem};
use super::walk::At;
use crate::vault::{Node, NodeType};

/// One entry that somebody may want to know of before a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Its path in the generation, raw bytes with a leading slash.
    pub path: Box<[u8]>,
    /// What would happen to it: overwrite, skip, delete, or a problem.
    pub action: Action,
    /// What the generation has, if it has it.
    pub then: Option<State>,
    /// What is there now, if anything is.
    pub now: Option<State>,
    /// Why it cannot be done, in words, where the action does not say it.
    pub note: String,
    /// Its place in the walk, which is the list's order.
    pub(super) index: u32,
}

/// The state of an entry, as far as one compares by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// What it is.
    pub kind: NodeType,
    /// Bytes of content; of a folder that would be deleted, of all below it.
    pub size: u64,
    /// Last change of content, in seconds since 1970.
    pub mtime: i64,
    /// Nanoseconds on top.
    pub nanos: u32,
}

/// How what is there differs from the generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Difference {
    /// It is something else: a folder where the generation has a file, for one.
    OtherType,
    /// It was changed after the generation's.
    NewerOnDisk,
    /// Its size differs.
    Size,
    /// Its size is the same, its content differs (or was not compared).
    Content,
    /// The generation does not have it.
    NotInGeneration,
}

/// Which conflicts are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// What would be overwritten.
    Overwritten,
    /// What would be left alone.
    Left,
    /// What would be deleted.
    Deleted,
    /// What cannot be restored, or must stay.
    Problem,
}

/// All conflicts of a plan, in the order of the walk.
#[derive(Debug, Default)]
pub struct Conflicts {
    pub(super) list: Vec<Conflict>,
    pub(super) counts: [u64; 4],
    /// Overwritten files that were changed after the generation's.
    pub(super) newer: u64,
    /// Bytes of the files overwritten.
    pub(super) bytes: u64,
}

impl State {
    /// As the generation has it.
    pub(super) fn then(node: &Node) -> State {
        State {
            kind: node.kind,
            size: node.size,
            mtime: node.mtime.seconds,
            nanos: node.mtime.nanos,
        }
    }

    /// As it is now.
    pub(super) fn now(status: &Status) -> State {
        State {
            kind: status.kind,
            size: if status.kind == NodeType::File { status.size } else { 0 },
            mtime: status.mtime.0,
            nanos: status.mtime.1,
        }
    }
}

impl Conflict {
    /// What would happen to an entry that the generation has.
    pub(super) fn new(at: &At<'_>, code: Code, node: Option<&Node>, now: Option<&Status>) -> Conflict {
        Conflict {
            path: at.path.into(),
            action: code.action().unwrap_or(Action::Problem(Problem::NotRestorable)),
            then: node.map(State::then),
            now: now.map(State::now),
            note: String::new(),
            index: at.index,
        }
    }

    /// How what is there differs, as far as it matters most; `None` for what cannot be restored.
    pub fn difference(&self) -> Option<Difference> {
        let now = self.now?;
        let Some(then) = self.then else {
            return Some(Difference::NotInGeneration);
        };
        Some(if now.kind != then.kind {
            Difference::OtherType
        } else if (now.mtime, now.nanos) > (then.mtime, then.nanos) {
            Difference::NewerOnDisk
        } else if now.size != then.size {
            Difference::Size
        } else {
            Difference::Content
        })
    }

    /// Which list it belongs to.
    pub fn class(&self) -> Class {
        match self.action {
            Action::Overwrite => Class::Overwritten,
            Action::Delete => Class::Deleted,
            Action::Problem(_) => Class::Problem,
            _ => Class::Left,
        }
    }

    /// Why it cannot be restored, in words; empty for all others.
    pub fn why(&self) -> &str {
        match self.action {
            _ if !self.note.is_empty() => &self.note,
            Action::Problem(problem) => super::execute::explain(problem.into()).1,
            _ => "",
        }
    }
}

impl Conflicts {
    /// So many are listed, about 200 bytes each; all are counted.
    pub const MOST: usize = 100_000;

    /// How many of a class there are, listed or not.
    pub fn count(&self, class: Class) -> u64 {
        self.counts[class as usize]
    }

    /// How many there are in all.
    pub fn count_all(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Those of the classes wanted (all, when none is named), in the order of the walk.
    pub fn of<'a>(&'a self, classes: &'a [Class]) -> impl Iterator<Item = &'a Conflict> {
        let wanted = move |conflict: &&Conflict| classes.is_empty() || classes.contains(&conflict.class());
        self.list.iter().filter(wanted)
    }

    pub(super) fn add(&mut self, conflict: Conflict) {
        let count = &mut self.counts[conflict.class() as usize];
        *count = count.saturating_add(1);
        if let (Class::Overwritten, Some(now)) = (conflict.class(), conflict.now) {
            self.bytes = self.bytes.saturating_add(now.size);
            self.newer += u64::from(conflict.difference() == Some(Difference::NewerOnDisk));
        }
        if self.list.len() < Conflicts::MOST {
            self.list.push(conflict);
        }
    }

    /// Takes in what the comparing threads found, and puts all in order.
    pub(super) fn absorb(&mut self, other: Conflicts) {
        other.list.into_iter().for_each(|conflict| {
            if self.list.len() < Conflicts::MOST {
                self.list.push(conflict);
            }
        });
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.newer = self.newer.saturating_add(other.newer);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.list.sort_by_key(|conflict| conflict.index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict(index: u32, action: Action) -> Conflict {
        Conflict {
            path: format!("/{index}").into_bytes().into(),
            action,
            then: None,
            now: None,
            note: String::new(),
            index,
        }
    }

    #[test]
    fn beyond_the_most_they_are_counted_only() {
        let mut all = Conflicts::default();
        for index in 0..Conflicts::MOST as u32 {
            all.add(conflict(index, Action::Skip));
        }
        let mut more = Conflicts::default();
        more.add(conflict(3, Action::Overwrite));
        all.absorb(more);
        all.add(conflict(1, Action::Delete));
        assert_eq!(all.of(&[]).count(), Conflicts::MOST);
        assert_eq!(
            [Class::Overwritten, Class::Left, Class::Deleted].map(|class| all.count(class)),
            [1, Conflicts::MOST as u64, 1]
        );
    }

    #[test]
    fn what_matters_most_is_said() {
        let state = |kind, size, mtime| {
            Some(State {
                kind,
                size,
                mtime,
                nanos: 0,
            })
        };
        let then = state(NodeType::File, 5, 100);
        for (now, expected) in [
            (state(NodeType::Dir, 0, 100), Difference::OtherType),
            (state(NodeType::File, 6, 101), Difference::NewerOnDisk),
            (state(NodeType::File, 6, 99), Difference::Size),
            (state(NodeType::File, 5, 100), Difference::Content),
        ] {
            let conflict = Conflict {
                then,
                now,
                ..conflict(1, Action::Overwrite)
            };
            assert_eq!(conflict.difference(), Some(expected));
        }
        let extra = Conflict {
            now: then,
            ..conflict(1, Action::Delete)
        };
        assert_eq!(extra.difference(), Some(Difference::NotInGeneration));
        let damaged = conflict(1, Action::Problem(Problem::MissingBlob));
        assert!(damaged.difference().is_none() && damaged.why().contains("no pack"));
    }
}

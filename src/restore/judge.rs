//! What would happen to an existing file, once its content has been compared.

use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;

use super::Result;
use super::compare::{Comparison, Found};
use super::conflict::{Conflict, Conflicts};
use super::plan::{Code, Partial};
use super::planner::LARGE;
use super::weigh::Fetch;
use crate::progress::Progress;
use crate::vault::IndexedVault;

/// What the comparing threads and the walk share.
pub(super) struct Shared<'a> {
    pub vault: &'a IndexedVault,
    pub results: Mutex<Results>,
    pub fetch: Mutex<Fetch>,
    pub conflicts: Mutex<Conflicts>,
    pub progress: &'a Progress,
}

/// What became of the comparisons.
#[derive(Default)]
pub(super) struct Results(pub Vec<Judged>);

/// What would happen to one file.
pub(super) struct Judged {
    pub index: u32,
    pub code: Code,
    /// Bytes that would be written.
    pub written: u64,
    /// Bytes that are right already.
    pub right: u64,
    /// Which they are, where that is made use of.
    pub partial: Option<Partial>,
}

/// What a comparison is for.
pub(super) struct Tag {
    pub index: u32,
    pub size: u64,
    /// Whether owner, mode, time or attributes are to be set.
    pub differs: bool,
    /// The file is an unfinished one under its temporary name.
    pub part: bool,
    /// What there is to say if it is overwritten.
    pub conflict: Option<Conflict>,
}

impl Shared<'_> {
    /// Takes the result for one file: decides what would happen to it.
    pub fn compared(&self, what: &Comparison<Tag>, found: Result<Found, Errno>) {
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
        results.0.push(Judged {
            index: tag.index,
            code,
            written,
            right: tag.size.saturating_sub(written),
            partial,
        });
        drop(results);
        if let (Code::Overwrite, Some(conflict)) = (code, &tag.conflict) {
            let mut conflicts = self.conflicts.lock().unwrap_or_else(PoisonError::into_inner);
            conflicts.add(conflict.clone());
        }
    }
}

//! What the dialogs hold, and the guard of those that can do harm.

use super::field::Field;
use super::keys::{Code, Key};
use super::window::Window;
use crate::engine::question::{Overwrite, RestorePlanSummary, SelectionRules, TreePath};
use crate::engine::{JobId, JobIssue};
use crate::vault::Id;

/// Milliseconds for which a dialog that can do harm hears no key.
pub const GUARD: u64 = 300;

/// Keeps a dialog from being answered by a key meant for something else: keys are not heard at first, nor ever the one
/// that opened it, nor Enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// When the question was first on the screen.
    pub since: u64,
    /// The key that opened it.
    pub opener: Option<Key>,
}

impl Guard {
    /// Whether a key is heard.
    pub fn hears(&self, key: Key, at: u64) -> bool {
        if key.code == Code::Esc {
            return true;
        }
        at >= self.since.saturating_add(GUARD) && Some(key) != self.opener && key.code != Code::Enter
    }
}

/// The help.
#[derive(Debug, Default)]
pub struct Help {
    /// What is searched for.
    pub search: Field,
    /// The row that Enter runs.
    pub cursor: usize,
    /// Where it was opened: the context whose keys it shows.
    pub over: Option<super::actions::Context>,
}

/// One job's report.
#[derive(Debug)]
pub struct Report {
    /// Which.
    pub job: JobId,
    /// What went wrong.
    pub list: Window<JobIssue>,
}

/// What to restore and where to.
#[derive(Debug)]
pub struct RestoreForm {
    /// From which vault.
    pub vault: String,
    /// From which generation.
    pub generation: Id,
    /// What.
    pub rules: SelectionRules,
    /// What it is, in words.
    pub what: String,
    /// The folder it goes to.
    pub target: Field,
    /// What happens to files that are there.
    pub overwrite: Overwrite,
    /// The field being edited: 0 target, 1 overwrite rule.
    pub at: usize,
    /// What is wrong with the input.
    pub problem: String,
}

/// The overwrite rules, in the order the dialog offers them.
pub const OVERWRITE: [(Overwrite, &str, &str); 4] = [
    (
        Overwrite::IfChanged,
        "if changed",
        "files whose content differs are overwritten",
    ),
    (
        Overwrite::IfNewer,
        "if newer",
        "files older than the generation's are overwritten",
    ),
    (Overwrite::Always, "always", "every file that is there is overwritten"),
    (Overwrite::Never, "never", "files that are there stay as they are"),
];

impl RestoreForm {
    /// Goes to the rule that stands `by` places further.
    pub fn choose(&mut self, by: isize) {
        let at = OVERWRITE
            .iter()
            .position(|(rule, ..)| *rule == self.overwrite)
            .unwrap_or(0);
        let next = at.saturating_add_signed(by).min(OVERWRITE.len() - 1);
        self.overwrite = OVERWRITE[next].0;
    }
}

/// What a restore would do.
#[derive(Debug)]
pub struct RestorePlan {
    /// What is restored, in words.
    pub what: String,
    /// Where to.
    pub target: String,
    /// The rule for files that are there.
    pub overwrite: Overwrite,
    /// What it comes to, once known.
    pub plan: Option<RestorePlanSummary>,
    /// Why there is none.
    pub problem: String,
    /// Paths that would be overwritten.
    pub list: Window<TreePath>,
    /// From when on it hears keys.
    pub guard: Guard,
}

/// A question with yes and no; no is the default.
#[derive(Debug)]
pub struct Confirm {
    /// What yes does.
    pub what: Confirmed,
    /// From when on it hears keys.
    pub guard: Guard,
}

/// What a confirmed question does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// Stops a job.
    CancelJob(JobId),
    /// Stops all jobs, then quits.
    CancelAndQuit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_hears_only_meant_keys() {
        let guard = Guard {
            since: 1000,
            opener: Some(Key::char('y')),
        };
        assert!(!guard.hears(Key::char('n'), 1299));
        assert!(guard.hears(Key::char('n'), 1300));
        assert!(!guard.hears(Key::char('y'), 5000), "the key that opened it");
        assert!(!guard.hears(Key::plain(Code::Enter), 5000));
        assert!(guard.hears(Key::plain(Code::Esc), 1000), "leaving is always possible");
    }
}

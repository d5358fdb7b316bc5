//! What happens to the interface, and what it wants done: all that passes between the pure core and the loop around it.

use std::sync::Arc;

use super::keys::Key;
use crate::engine::setup::Change;
use crate::engine::{Answer, JobId, JobInfo, JobState, Question, RequestId, Task};
use crate::progress::ProgressSample;
use crate::snapshot::Target;
use crate::vault::Password;

/// When something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Milliseconds since the interface started; never goes back.
    pub millis: u64,
    /// Seconds since 1970.
    pub unix: i64,
}

/// What the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is what it names
pub enum Click {
    Left,
    WheelUp,
    WheelDown,
}

/// The mouse, and where it is, in cells from the upper left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// What it did.
    pub click: Click,
    /// The column.
    pub column: u16,
    /// The row.
    pub row: u16,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key.
    Key(Key, Moment),
    /// The mouse.
    Pointer(Pointer, Moment),
    /// Pasted text: text for a field, never a command.
    Paste(String, Moment),
    /// The terminal's size, in columns and rows.
    Resize(u16, u16),
    /// The moment a [`Effect::Wake`] asked for, or of the first draw.
    Tick(Moment),
    /// An answer of the engine.
    Answer {
        /// The question's number.
        request: RequestId,
        /// The answer.
        answer: Answer,
        /// Whether it is the last to this question.
        complete: bool,
        /// When it arrived.
        at: Moment,
    },
    /// A job started.
    JobStarted(Arc<JobInfo>, Moment),
    /// A job goes by another state now.
    JobChanged(Arc<JobInfo>, JobState, Moment),
    /// How far the running jobs are.
    Progress(Vec<(JobId, ProgressSample)>, Moment),
    /// The job that an effect asked for has this number.
    JobNamed(JobId, String),
    /// A text was sent to the clipboard, or was too long for it.
    Copied {
        /// What it is, in words.
        what: String,
        /// Whether it was sent.
        copied: bool,
        /// When.
        at: Moment,
    },
    /// What an effect asked for could not be done.
    Refused(String, Moment),
    /// What is known of a vault has changed.
    VaultChanged(String),
    /// The snapshots of a target have changed.
    SnapshotsChanged(Target),
    /// More of a vault can be searched, or all that there is.
    Catalogued(String),
    /// Something worth telling.
    Warning(String, Moment),
    /// The program was asked to end (SIGTERM, SIGHUP).
    Terminate,
}

/// A password as typed, which no debug output shows.
pub struct Typed(pub Password);

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(…)")
    }
}

/// Something the loop is to do.
#[derive(Debug)]
pub enum Effect {
    /// Ask the engine.
    Ask(RequestId, Question),
    /// Drop a question.
    Abandon(RequestId),
    /// Try a password on a vault.
    Open {
        /// Its answer's number.
        request: RequestId,
        /// Name or folder.
        vault: String,
        /// What was typed.
        password: Typed,
    },
    /// Change the config or a vault's keys.
    Change {
        /// Its answer's number.
        request: RequestId,
        /// How.
        change: Box<Change>,
    },
    /// Start a job.
    Start {
        /// What it is to do.
        task: Box<Task>,
        /// What to call it.
        title: String,
    },
    /// Ask a job to stop.
    CancelJob(JobId),
    /// Send a [`Msg::Tick`] once this many milliseconds since the start have passed.
    Wake(u64),
    /// Put a text into the clipboard of whoever looks at the terminal.
    Copy {
        /// The text.
        text: String,
        /// What it is, in words.
        what: String,
    },
    /// Give the terminal back until the shell continues us.
    Suspend,
    /// End the loop; the jobs go on in the background.
    Detach,
    /// End the loop.
    Quit,
}

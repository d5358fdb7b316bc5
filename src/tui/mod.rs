//! The full-screen interface.
//!
//! A pure core and a loop around it. The core: [`model`] is everything known, [`update()`] changes it by messages and says
//! what is to be done as effects, [`view()`] turns it into cells. [`screens`] are the six places one can be at, [`dialogs`]
//! what lies over them, each a module with its state, actions, questions and drawing; [`dialog`] and [`asking`] are what
//! they have in common. [`actions`] declares how one says once what one can do, for the keys, the hints and the help;
//! [`keys`] resolves what is typed; [`window`] holds three screens of a list of any length, [`picks`] what is selected in one,
//! [`staged`] what is to be deleted of one; [`theme`] says how things look.
//! [`terminal`] is the loop, and all that touches the terminal.
//!
//! What does not live here: reading vaults, backing up, restoring; the engine does, and is asked without ever waiting.

pub mod actions;
pub mod asking;
mod complete;
pub mod dialog;
pub mod dialogs;
pub mod field;
pub mod fuzzy;
mod global;
pub mod jobs;
pub mod keys;
pub mod model;
pub mod msg;
pub mod picks;
pub mod place;
mod pointer;
pub mod screens;
#[cfg(test)]
mod stage;
pub mod staged;
mod start;
mod terminal;
#[cfg(test)]
mod tests;
pub mod theme;
mod update;
mod view;
mod widgets;
pub mod window;

use std::path::PathBuf;

pub use terminal::{Error, Line, Untouched, run};
pub use update::update;
pub use view::{draw, view};

/// What the interface is told at its start.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The vault to go to, as a name of the config or a folder; the first one when `None`.
    pub vault: Option<String>,
    /// Whether nothing may be written.
    pub read_only: bool,
    /// Where `~` is, and where a restore goes when nothing else is said: `restored` in it.
    pub home: PathBuf,
    /// Theme and symbols: see [`theme::Look::new`].
    pub look: theme::Look,
    /// The process that waits in the shell's sight, if one does: without it jobs cannot go on when the interface is left.
    pub front: Option<rustix::process::Pid>,
    /// Whether clicks and the wheel are heard.
    pub mouse: bool,
    /// Whether F12 makes the interface fail on purpose: for tests.
    pub panic_key: bool,
}

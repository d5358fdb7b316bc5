//! The scenes that are looked at: a file for each topic.

mod cost;
mod files;
mod help;
mod jobs;
mod overview;
mod restore;
mod search;
mod setup;
mod snapshots;
mod vaults;

use crate::tui::stage::Stage;

/// A scene: a name, whether a vault is set up, and what is done.
pub(super) type Scene = (&'static str, bool, fn(&mut Stage));

/// All scenes.
pub(super) fn all() -> impl Iterator<Item = &'static Scene> {
    [
        overview::SCENES,
        vaults::SCENES,
        files::SCENES,
        cost::SCENES,
        restore::SCENES,
        search::SCENES,
        jobs::SCENES,
        help::SCENES,
        setup::SCENES,
        snapshots::SCENES,
    ]
    .into_iter()
    .flatten()
}

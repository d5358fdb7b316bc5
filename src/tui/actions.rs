//! Everything one can do, declared once: the table feeds the key resolution, the footer's hints and the help.

use super::model::{Load, Model, Overlay, Pane};

/// Where keys are typed: a pane, or what lies over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is the pane or overlay it names
pub enum Context {
    Vaults,
    Generations,
    Files,
    Filter,
    Help,
    Jobs,
    Report,
    RestoreForm,
    RestorePlan,
    BackupChoice,
    Password,
    Confirm,
    Quit,
}

/// How much an action can destroy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Nothing.
    None,
    /// `y` is asked for; no is the default.
    Ask,
    /// `y` is asked for after a plan with its counts and bytes.
    Plan,
}

/// What an action does, as the update matches on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // ACTIONS documents each
pub enum ActionId {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Open,
    Back,
    NextPane,
    PreviousPane,
    Zoom,
    Filter,
    Select,
    Range,
    SelectAll,
    Invert,
    Unselect,
    Restore,
    Backup,
    Jobs,
    Reload,
    Help,
    Quit,
    Suspend,
    Escape,
    Close,
    Submit,
    NextField,
    PreviousField,
    Left,
    Right,
    Yes,
    No,
    CancelJob,
    OpenJob,
    QuitCancel,
}

/// One thing one can do.
#[derive(Debug, PartialEq)]
pub struct Action {
    /// What.
    pub id: ActionId,
    /// Its name, for the footer.
    pub name: &'static str,
    /// What it does, a line for the help.
    pub doc: &'static str,
    /// The key sequences that mean it.
    pub keys: &'static [&'static str],
    /// Where.
    pub contexts: &'static [Context],
    /// How much it can destroy.
    pub danger: Danger,
    /// Its place among the footer's hints, lower first; 0 is not shown.
    pub hint: u8,
}

use Context as C;

const BROWSE: &[Context] = &[C::Vaults, C::Generations, C::Files];
const LISTS: &[Context] = &[
    C::Vaults,
    C::Generations,
    C::Files,
    C::Jobs,
    C::Report,
    C::BackupChoice,
    C::RestorePlan,
];

const OVERLAYS: &[Context] = &[
    C::Filter,
    C::Help,
    C::Jobs,
    C::Report,
    C::RestoreForm,
    C::RestorePlan,
    C::BackupChoice,
    C::Password,
    C::Confirm,
    C::Quit,
];

const fn action(
    id: ActionId,
    name: &'static str,
    doc: &'static str,
    keys: &'static [&'static str],
    contexts: &'static [Context],
    hint: u8,
) -> Action {
    Action {
        id,
        name,
        doc,
        keys,
        contexts,
        danger: Danger::None,
        hint,
    }
}

const fn dangerous(danger: Danger, action: Action) -> Action {
    Action { danger, ..action }
}

/// All actions.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    action(ActionId::Open, "open", "Open the vault, generation or folder", &["Enter", "l", "→"], BROWSE, 1),
    action(ActionId::Back, "back", "Back to what holds this", &["h", "Backspace", "←"], &[C::Generations, C::Files], 2),
    action(ActionId::Select, "select", "Select or unselect, and go down", &["Space"], &[C::Files], 3),
    dangerous(Danger::Plan, action(ActionId::Restore, "restore", "Restore the selection, or the row under the cursor",
        &["r"], &[C::Generations, C::Files], 4)),
    action(ActionId::Backup, "back up", "Run a plan's backup now", &["b"], BROWSE, 6),
    action(ActionId::Filter, "filter", "Show only the rows that hold a text", &["/"], BROWSE, 5),
    action(ActionId::SelectAll, "all", "Select everything in this folder", &["a"], &[C::Files], 0),
    action(ActionId::Range, "range", "Start a range; Space or v again selects it", &["v"], &[C::Files], 0),
    action(ActionId::Invert, "invert", "Turn this folder's selection into its opposite", &["*"], &[C::Files], 0),
    action(ActionId::Unselect, "unselect", "Forget the whole selection", &["u"], &[C::Files], 0),
    action(ActionId::Up, "up", "Up one row", &["k", "↑"], LISTS, 0),
    action(ActionId::Down, "down", "Down one row", &["j", "↓"], LISTS, 0),
    action(ActionId::PageUp, "page up", "Up one screen", &["PgUp", "Ctrl-u"], LISTS, 0),
    action(ActionId::PageDown, "page down", "Down one screen", &["PgDn", "Ctrl-d"], LISTS, 0),
    action(ActionId::Top, "top", "To the first row", &["g", "Home"], LISTS, 0),
    action(ActionId::Bottom, "bottom", "To the last row", &["G", "End"], LISTS, 0),
    action(ActionId::NextPane, "next pane", "To the next pane", &["Tab"], BROWSE, 0),
    action(ActionId::PreviousPane, "previous pane", "To the previous pane", &["Shift-Tab"], BROWSE, 0),
    action(ActionId::Zoom, "zoom", "Give this pane the whole width, or give it back", &["+"], BROWSE, 0),
    action(ActionId::Jobs, "jobs", "Show what runs and what ran", &["J"], BROWSE, 7),
    action(ActionId::Reload, "reload", "Read the lists anew", &["R", "F5"], BROWSE, 0),
    action(ActionId::Help, "help", "Show every key of this place; type to search", &["?", "F1"], BROWSE, 8),
    action(ActionId::Escape, "undo", "Leave the range, then the filter; never quits", &["Esc"], BROWSE, 0),
    action(ActionId::Suspend, "suspend", "To the shell; fg comes back", &["Ctrl-z"], BROWSE, 0),
    action(ActionId::Quit, "quit", "Leave; asks while jobs run", &["q", "Ctrl-c"], BROWSE, 10),
    // What lies over the panes.
    action(ActionId::Submit, "keep it", "Keep the filter and go back to the rows", &["Enter"], &[C::Filter], 1),
    action(ActionId::Submit, "do it", "Do what the cursor is on", &["Enter"], &[C::Help], 2),
    action(ActionId::Submit, "plan it", "See what it would do; writes nothing", &["Enter"], &[C::RestoreForm], 1),
    action(ActionId::Submit, "back up", "Run this plan now", &["Enter"], &[C::BackupChoice], 1),
    action(ActionId::Submit, "open", "Open the vault", &["Enter"], &[C::Password], 1),
    action(ActionId::OpenJob, "report", "Show the job's report", &["Enter"], &[C::Jobs], 1),
    dangerous(Danger::Ask, action(ActionId::CancelJob, "cancel it", "Stop the job", &["x"], &[C::Jobs, C::Report], 2)),
    action(ActionId::NextField, "next field", "To the next field", &["Tab", "↓"], &[C::RestoreForm], 2),
    action(ActionId::NextField, "next", "To the next key", &["↓", "Tab"], &[C::Help], 1),
    action(ActionId::PreviousField, "previous", "To the one before", &["↑", "Shift-Tab"], &[C::RestoreForm, C::Help], 0),
    action(ActionId::Left, "left", "To the left, or the choice before", &["←"], &[C::RestoreForm, C::Filter, C::Password], 0),
    action(ActionId::Right, "next choice", "To the right, or the next choice", &["→"], &[C::RestoreForm], 3),
    action(ActionId::Right, "right", "To the right", &["→"], &[C::Filter, C::Password], 0),
    dangerous(Danger::Plan, action(ActionId::Yes, "restore", "Restore as planned", &["y"], &[C::RestorePlan], 1)),
    action(ActionId::No, "back", "Back to the form", &["n"], &[C::RestorePlan], 2),
    dangerous(Danger::Ask, action(ActionId::Yes, "yes", "Do it", &["y"], &[C::Confirm], 1)),
    action(ActionId::No, "no", "Leave it", &["n"], &[C::Confirm], 2),
    dangerous(Danger::Ask, action(ActionId::QuitCancel, "cancel the jobs and quit", "Stop every job, then quit", &["c"],
        &[C::Quit], 1)),
    action(ActionId::No, "stay", "Do not quit", &["n"], &[C::Quit], 2),
    action(ActionId::Close, "close", "Close this; never quits", &["Esc"], OVERLAYS, 9),
];

impl Context {
    /// The heading of its part of the help.
    pub fn title(self) -> &'static str {
        match self {
            C::Vaults => "Vaults",
            C::Generations => "Generations",
            C::Files => "Files",
            C::Filter => "Filter",
            C::Help => "Help",
            C::Jobs => "Jobs",
            C::Report => "Report",
            C::RestoreForm | C::RestorePlan => "Restore",
            C::BackupChoice => "Back up",
            C::Password => "Password",
            C::Confirm => "Confirm",
            C::Quit => "Quit",
        }
    }
}

/// Why an action cannot be done now, or `None` if it can.
pub fn why_not(model: &Model, id: ActionId) -> Option<&'static str> {
    let no_rows = |rows: Option<u64>| rows.unwrap_or(0) == 0;
    match id {
        ActionId::Restore if model.generations.list.current().is_none() => Some("There is no generation to restore."),
        ActionId::Restore if model.read_only => Some("Started with --read-only: nothing is written."),
        ActionId::Restore if model.focus == Pane::Files && no_rows(model.files.list.total()) => {
            Some("There is nothing here to restore.")
        }
        ActionId::Backup if model.read_only => Some("Started with --read-only: nothing is written."),
        ActionId::Select | ActionId::Range | ActionId::Invert if no_rows(model.files.list.total()) => {
            Some("There is nothing here to select.")
        }
        ActionId::SelectAll if no_rows(model.files.list.total()) => Some("There is nothing here to select."),
        ActionId::SelectAll | ActionId::Invert if !model.files.filter.is_empty() => {
            Some("Acts on the whole folder: clear the filter with Esc first.")
        }
        ActionId::Unselect if model.selected().is_none_or(|s| s.selection.is_empty()) => Some("Nothing is selected."),
        ActionId::Open if model.focus == Pane::Vaults && no_rows(model.vaults.list.total()) => {
            Some("There is no vault to open.")
        }
        ActionId::Open if model.focus == Pane::Generations && model.generations.list.current().is_none() => {
            Some("There is no generation to open.")
        }
        ActionId::Filter
            if model.focus == Pane::Files && matches!(model.files.load, Load::Failed(_) | Load::Locked) =>
        {
            Some("There is nothing here to filter yet.")
        }
        ActionId::CancelJob => match model.overlays.last() {
            Some(Overlay::Jobs(list)) if model.jobs.shown(list.cursor()).is_none_or(|job| !job.runs()) => {
                Some("This job does not run.")
            }
            Some(Overlay::Report(report)) if model.jobs.get(report.job).is_none_or(|job| !job.runs()) => {
                Some("This job does not run.")
            }
            _ => None,
        },
        _ => None,
    }
}

/// The actions of a context, in the table's order.
pub fn of(context: Context) -> impl Iterator<Item = &'static Action> {
    ACTIONS.iter().filter(move |action| action.contexts.contains(&context))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_destructive_never_share_enter() {
        for action in ACTIONS.iter().filter(|a| a.danger != Danger::None) {
            assert!(!action.keys.contains(&"Enter"), "{}", action.name);
        }
    }

    #[test]
    fn every_overlay_closes_with_esc() {
        for context in [
            C::Filter,
            C::Help,
            C::Jobs,
            C::Report,
            C::RestoreForm,
            C::RestorePlan,
            C::BackupChoice,
        ] {
            assert!(of(context).any(|a| a.id == ActionId::Close), "{context:?}");
        }
    }
}

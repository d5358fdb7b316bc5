//! Everything the interface knows: what is loaded, where one is, what lies over it. Changed by [`super::update`] only.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::actions::Context;
use super::asking::Asked;
use super::dialog::{self, Dialog};
use super::jobs::Jobs;
use super::keys::{Key, Keymap};
use super::msg::Moment;
use super::place::Place;
use super::screens;
use super::screens::cost::Costs;
use super::screens::files::{Files, Selected};
use super::screens::overview::Overview;
use super::screens::search::Searching;
use super::screens::snapshots::Snapshots;
use super::screens::vaults::staging::Staged;
use super::screens::vaults::{Generations, Pane, Vaults};
use super::theme::{Look, Role};
use crate::engine::RequestId;
use crate::vault::Id;

/// Columns from which panes stand side by side.
pub const WIDE: u16 = 100;

/// The smallest screen that is drawn.
pub const SMALLEST: (u16, u16) = (60, 15);

/// The screens, in the order of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each is what it names
pub enum Screen {
    Overview,
    Vaults,
    Files,
    Search,
    Snapshots,
    Cost,
}

impl Screen {
    /// All, in the order of their keys.
    pub const ALL: [Screen; 6] = [
        Screen::Overview,
        Screen::Vaults,
        Screen::Files,
        Screen::Search,
        Screen::Snapshots,
        Screen::Cost,
    ];

    /// Its name, for people.
    pub fn title(self) -> &'static str {
        match self {
            Screen::Overview => "Overview",
            Screen::Vaults => "Vaults",
            Screen::Files => "Files",
            Screen::Search => "Search",
            Screen::Snapshots => "Snapshots",
            Screen::Cost => "Cost",
        }
    }
}

/// How far a list is from being here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Load {
    /// Nothing is asked for.
    #[default]
    Idle,
    /// The first answer is on its way.
    Loading,
    /// It is here.
    Ready,
    /// The vault waits for a password.
    Locked,
    /// It did not work, and why.
    Failed(String),
}

/// A line that says what came of something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub text: String,
    /// How it is meant.
    pub role: Role,
    /// Until when it is shown, in milliseconds.
    pub until: u64,
}

/// Everything.
#[derive(Debug)]
pub struct Model {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Theme and symbols.
    pub look: Look,
    /// The zone times are shown in.
    pub zone: TimeZone,
    /// When the last thing happened.
    pub now: Moment,
    /// Whether nothing may be written.
    pub read_only: bool,
    /// Which key means what.
    pub keymap: Keymap,
    /// Whether the last line shows the keys of the place.
    pub key_hints: bool,
    /// The keys of a sequence that is not whole yet.
    pub pending: Vec<Key>,
    /// The screen shown.
    pub screen: Screen,
    /// Whether the pane that has the keys has the whole width.
    pub zoom: bool,
    /// What is protected and what is not.
    pub overview: Overview,
    /// The pane of the screen Vaults that has the keys.
    pub pane: Pane,
    /// The vaults.
    pub vaults: Vaults,
    /// The generations of the vault under the cursor.
    pub generations: Generations,
    /// A folder of the generation under the cursor.
    pub files: Files,
    /// Generations staged for deletion.
    pub staged: Staged,
    /// A rule that is tried out, and what it would change.
    pub cost: Costs,
    /// What is looked for, and what was found.
    pub search: Searching,
    /// Volumes and machines, and their snapshots.
    pub snapshots: Snapshots,
    /// What is selected, by generation.
    pub selections: HashMap<Id, Selected>,
    /// What lies over the screen; the last one gets the keys.
    pub(crate) dialogs: Vec<Box<dyn Dialog>>,
    /// What runs and ran.
    pub jobs: Jobs,
    /// What was last said.
    pub notice: Option<Notice>,
    /// What was asked and has no answer yet.
    pub asked: HashMap<RequestId, Asked>,
    /// The number of the next question.
    pub next_request: RequestId,
    /// The vault the user named at the start.
    pub given_vault: Option<String>,
    /// The vault to go to once the vaults are here.
    pub wanted_vault: Option<String>,
    /// Where one was the last time, until the vaults are here.
    pub wanted_place: Option<Place>,
    /// The vault whose password dialog opened by itself: not again.
    pub password_asked: Option<String>,
    /// Whether it was looked at whether anything is set up, and the assistant offered if not.
    pub welcomed: bool,
    /// Whether the program ends once no job runs.
    pub quitting: bool,
    /// Whether jobs can go on when the interface is left.
    pub can_detach: bool,
    /// The user's home folder: what `~` means, and where a restore goes at first.
    pub home: String,
}

impl Model {
    /// A model that has asked for nothing yet.
    pub fn new(size: (u16, u16), look: Look, zone: TimeZone) -> Model {
        let mut model = Model {
            size,
            look,
            zone,
            now: Moment::default(),
            read_only: false,
            keymap: Keymap::default(),
            key_hints: true,
            pending: Vec::new(),
            screen: Screen::Vaults,
            zoom: false,
            overview: Overview::default(),
            pane: Pane::Vaults,
            vaults: Vaults::default(),
            generations: Generations::default(),
            files: Files::default(),
            staged: Staged::default(),
            cost: Costs::default(),
            search: Searching::default(),
            snapshots: Snapshots::default(),
            selections: HashMap::new(),
            dialogs: Vec::new(),
            jobs: Jobs::default(),
            notice: None,
            asked: HashMap::new(),
            next_request: 1,
            given_vault: None,
            wanted_vault: None,
            wanted_place: None,
            password_asked: None,
            welcomed: false,
            quitting: false,
            can_detach: true,
            home: String::new(),
        };
        model.layout();
        model
    }

    /// Where keys go.
    pub fn context(&self) -> Context {
        match self.dialogs.last() {
            Some(dialog) => dialog.context(),
            None => screens::context(self),
        }
    }

    /// The place that a lens such as the help looks at.
    pub fn context_below(&self) -> Context {
        match self.dialogs.iter().rev().find(|dialog| !dialog.is_lens()) {
            Some(dialog) => dialog.context(),
            None => screens::context(self),
        }
    }

    /// Whether panes stand side by side.
    pub fn is_wide(&self) -> bool {
        self.size.0 >= WIDE && !self.zoom
    }

    /// Whether the screen is too small to draw on.
    pub fn is_tiny(&self) -> bool {
        self.size.0 < SMALLEST.0 || self.size.1 < SMALLEST.1
    }

    /// Rows that the strip of running jobs takes.
    pub fn strip_rows(&self) -> u16 {
        u16::from(self.jobs.running().next().is_some())
    }

    /// Rows a pane has for its rows: without the title, the pane's title and column heads above, and status, jobs and hints
    /// below.
    pub fn body_rows(&self) -> u16 {
        self.size.1.saturating_sub(3 + 2 + self.strip_rows()).max(1)
    }

    /// Gives every list the height it has on the screen.
    pub fn layout(&mut self) {
        screens::layout(self);
        dialog::each(self, |dialog, model| dialog.layout(model));
    }

    /// A path as typed, with `~` for the home folder.
    pub fn expand_home(&self, typed: &str) -> String {
        match typed.strip_prefix('~') {
            Some("") => self.home.clone(),
            Some(rest) if rest.starts_with('/') => format!("{}{rest}", self.home.trim_end_matches('/')),
            _ => typed.to_owned(),
        }
    }

    /// Says something for a while.
    pub fn say(&mut self, role: Role, text: impl Into<String>) {
        let shown = if role == Role::Danger { 15_000 } else { 6_000 };
        self.notice = Some(Notice {
            text: text.into(),
            role,
            until: self.now.millis + shown,
        });
    }
}

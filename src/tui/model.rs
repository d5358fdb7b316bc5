//! Everything the interface knows: what is loaded, where one is, what lies over it. Changed by [`super::update`] only.

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::actions::Context;
use super::field::Field;
use super::jobs::Jobs;
use super::keys::{Key, Keymap};
use super::msg::Moment;
use super::overlay::{Confirm, Help, Report, RestoreForm, RestorePlan};
use super::theme::{Look, Role};
use super::window::Window;
use crate::engine::question::{EntryRow, GenerationRow, PlanRow, TreePath, VaultRow};
use crate::engine::{Question, RequestId, Selection};
use crate::progress::ProgressSample;
use crate::vault::Id;

pub use crate::catalog::Totals;

/// Columns from which panes stand side by side.
pub const WIDE: u16 = 100;

/// The smallest screen that is drawn.
pub const SMALLEST: (u16, u16) = (60, 15);

/// The three panes, from what holds to what is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // each is the list it names
pub enum Pane {
    Vaults,
    Generations,
    Files,
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

/// The vaults.
#[derive(Debug, Default)]
pub struct Vaults {
    /// All of them.
    pub all: Vec<VaultRow>,
    /// Those shown.
    pub list: Window<VaultRow>,
    /// Whether they are here.
    pub load: Load,
    /// Only names that hold this.
    pub filter: String,
}

/// The generations of the vault under the cursor.
#[derive(Debug, Default)]
pub struct Generations {
    /// Whose.
    pub vault: Option<String>,
    /// All of them, newest first.
    pub all: Vec<GenerationRow>,
    /// Those shown.
    pub list: Window<GenerationRow>,
    /// Whether they are here.
    pub load: Load,
    /// Only those whose date, host, path or tag holds this.
    pub filter: String,
}

/// A folder of the generation under the cursor.
#[derive(Debug, Default)]
pub struct Files {
    /// Whose: vault and generation.
    pub of: Option<(String, Id)>,
    /// Which folder.
    pub folder: TreePath,
    /// Its entries.
    pub list: Window<EntryRow>,
    /// Whether they are here.
    pub load: Load,
    /// Only names that hold this.
    pub filter: String,
    /// Where a range starts.
    pub anchor: Option<u64>,
    /// Where the cursor was in folders one left, by path.
    pub left_at: HashMap<TreePath, u64>,
    /// Whether a folder that holds nothing but one folder is passed through: until the first answer after a generation
    /// is opened, and while one goes down.
    pub pass_through: bool,
}

/// What is selected in a generation.
#[derive(Debug, Default, Clone)]
pub struct Selected {
    /// The rules.
    pub selection: Selection,
    /// What they pick weighs, as far as is known.
    pub totals: Option<Totals>,
    /// Whether the totals are of these rules and final.
    pub counted: bool,
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

/// What lies over the panes.
#[derive(Debug)]
pub enum Overlay {
    /// A filter for the focused pane being typed.
    Filter(Field),
    /// The keys.
    Help(Help),
    /// What runs and ran.
    Jobs(Window<()>),
    /// One job's report.
    Report(Report),
    /// What to restore, where to.
    RestoreForm(RestoreForm),
    /// What a restore would do.
    RestorePlan(RestorePlan),
    /// The plans one can run.
    BackupChoice(Window<PlanRow>, Load),
    /// A vault's password being typed.
    Password {
        /// Whose.
        vault: String,
        /// What is typed.
        field: Field,
        /// Why the last one did not do.
        problem: String,
        /// Whether it is being tried.
        trying: bool,
    },
    /// A question with yes and no.
    Confirm(Confirm),
    /// Jobs run: what about them?
    Quit(Confirm),
}

/// What an asked question was for.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    /// The list of vaults.
    Vaults,
    /// A vault's generations.
    Generations(String),
    /// Rows of a folder.
    Folder(FolderAsk),
    /// Names of a range to be selected: vault, generation and folder as they were.
    Range(FolderAsk),
    /// The weight of a generation's selection.
    Totals(Id),
    /// What a restore would do.
    RestorePlan,
    /// The plans.
    Plans,
    /// The jobs of the history.
    History,
    /// A job's issues.
    Issues(crate::engine::JobId),
    /// A password being tried.
    Open,
}

/// Which rows of which folder.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs)] // as in Question::Folder
pub struct FolderAsk {
    pub vault: String,
    pub generation: Id,
    pub folder: TreePath,
    pub filter: String,
    pub first: u64,
    pub rows: u32,
}

impl FolderAsk {
    /// The question.
    pub fn question(&self) -> Question {
        let FolderAsk {
            vault,
            generation,
            folder,
            filter,
            first,
            rows,
        } = self.clone();
        Question::Folder {
            vault,
            generation,
            folder,
            order: Default::default(),
            filter,
            first,
            near: None,
            rows,
        }
    }
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
    /// The keys of a sequence that is not whole yet.
    pub pending: Vec<Key>,
    /// The pane the keys act on.
    pub focus: Pane,
    /// Whether it has the whole width.
    pub zoom: bool,
    /// The vaults.
    pub vaults: Vaults,
    /// The generations.
    pub generations: Generations,
    /// The files.
    pub files: Files,
    /// What is selected, by generation.
    pub selections: HashMap<Id, Selected>,
    /// What lies over the panes; the last one gets the keys.
    pub overlays: Vec<Overlay>,
    /// What runs and ran.
    pub jobs: Jobs,
    /// What was last said.
    pub notice: Option<Notice>,
    /// Questions that have no answer yet.
    pub asked: HashMap<RequestId, Purpose>,
    /// The number of the next question.
    pub next_request: RequestId,
    /// The vault the user named at the start.
    pub given_vault: Option<String>,
    /// The vault to go to once the vaults are here.
    pub wanted_vault: Option<String>,
    /// Whether vaults opened by the user (Enter) have shown their password dialog: not again by itself.
    pub password_asked: Option<String>,
    /// Whether the program ends once no job runs.
    pub quitting: bool,
    /// Where the user's home folder or working folder is: for the restore dialog's first suggestion.
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
            pending: Vec::new(),
            focus: Pane::Vaults,
            zoom: false,
            vaults: Vaults::default(),
            generations: Generations::default(),
            files: Files::default(),
            selections: HashMap::new(),
            overlays: Vec::new(),
            jobs: Jobs::default(),
            notice: None,
            asked: HashMap::new(),
            next_request: 1,
            given_vault: None,
            wanted_vault: None,
            password_asked: None,
            quitting: false,
            home: String::new(),
        };
        model.layout();
        model
    }

    /// Where keys go.
    pub fn context(&self) -> Context {
        match self.overlays.last() {
            None => match self.focus {
                Pane::Vaults => Context::Vaults,
                Pane::Generations => Context::Generations,
                Pane::Files => Context::Files,
            },
            Some(Overlay::Filter(_)) => Context::Filter,
            Some(Overlay::Help(_)) => Context::Help,
            Some(Overlay::Jobs(_)) => Context::Jobs,
            Some(Overlay::Report(_)) => Context::Report,
            Some(Overlay::RestoreForm(_)) => Context::RestoreForm,
            Some(Overlay::RestorePlan(_)) => Context::RestorePlan,
            Some(Overlay::BackupChoice(..)) => Context::BackupChoice,
            Some(Overlay::Password { .. }) => Context::Password,
            Some(Overlay::Confirm(_)) => Context::Confirm,
            Some(Overlay::Quit(_)) => Context::Quit,
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

    /// What is selected in the generation shown.
    pub fn selected(&self) -> Option<&Selected> {
        self.selections.get(&self.files.of.as_ref()?.1)
    }

    /// Rows that the strip of running jobs takes.
    pub fn strip_rows(&self) -> u16 {
        u16::from(self.jobs.running().next().is_some())
    }

    /// Gives every list the height it has on the screen.
    pub fn layout(&mut self) {
        // Title, pane title, column heads above; status, jobs, hints below.
        let body = self.size.1.saturating_sub(3 + 2 + self.strip_rows()).max(1);
        let rows = u64::from(body);
        // The list of vaults has two rows each and no column heads.
        self.vaults.list.resize(rows.div_ceil(2));
        self.generations.list.resize(rows);
        self.files.list.resize(rows);
        let drawer = u64::from(super::view::jobs::drawer_rows(self.size));
        let shown = self.jobs.len() as u64;
        let dialog = u64::from(self.size.1.saturating_sub(9).max(1));
        for overlay in &mut self.overlays {
            match overlay {
                Overlay::Jobs(list) => {
                    list.resize(drawer);
                    let cursor = list.cursor();
                    list.accept(0, vec![(); shown as usize], shown);
                    list.go(cursor);
                }
                Overlay::BackupChoice(list, _) => list.resize(dialog.min(10)),
                Overlay::Report(report) => report.list.resize(dialog.saturating_sub(6).max(1)),
                Overlay::RestorePlan(plan) => plan.list.resize(super::view::dialogs::PLAN_ROWS),
                _ => {}
            }
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

    /// How far a job is, if it runs.
    pub fn sample_of(&self, job: crate::engine::JobId) -> Option<&ProgressSample> {
        self.jobs.get(job).map(|job| &job.sample)
    }
}

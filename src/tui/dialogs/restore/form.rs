//! The form: what, where to, what about that which is there.

use std::path::PathBuf;

use super::super::super::actions::{Act, Context};
use super::super::super::asking::{Told, abandon, ask};
use super::super::super::complete;
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::{Choice, Entry, Form};
use super::super::{frame, keys_line, room};
use super::FORM;
use super::plan::RestorePlan;
use crate::engine::question::{Landing, Overwrite, RestoreRequest, SelectionRules, Totals};
use crate::engine::restoring::only_path;
use crate::engine::{Answer, Question};
use crate::text;
use crate::vault::Id;

const TOTALS: &str = "restore.totals";
const FOLDERS: &str = "restore.folders";

/// What is to be restored.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// From which vault.
    pub vault: String,
    /// From which generation.
    pub generation: Id,
    /// When that was made, in seconds since 1970.
    pub time: i64,
    /// What.
    pub rules: SelectionRules,
    /// What it is, in words, safe to show.
    pub what: String,
}

/// Where things land, in the order the form offers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a folder, with their whole paths.
    Keep,
    /// Directly in a folder.
    Flat,
    /// Where they were.
    Original,
    /// Beside what is there, under a name with the date.
    Beside,
}

const PLACES: [(Place, &str, &str); 4] = [
    (
        Place::Keep,
        "folder",
        "Into the folder below, each with its whole path: nothing of one place mixes with another's.",
    ),
    (
        Place::Flat,
        "flat",
        "Straight into the folder below, without the folders above what is picked.",
    ),
    (
        Place::Original,
        "in place",
        "To where they were. Asks for the vault's name before anything is written.",
    ),
    (
        Place::Beside,
        "beside",
        "Beside the one that is there, under its name with the date: the present one stays.",
    ),
];

/// What becomes of files that are there, in the order that every restore offers it.
pub(in super::super) const OVERWRITE: [(Overwrite, &str, &str); 4] = [
    (
        Overwrite::IfChanged,
        "if changed",
        "Files whose content differs are overwritten; size and time tell.",
    ),
    (
        Overwrite::IfNewer,
        "if older",
        "Only files older than those that come back are overwritten (if-newer in a shell).",
    ),
    (Overwrite::Always, "always", "Every file is made as it was."),
    (
        Overwrite::Never,
        "never",
        "Files that are there stay as they are: only what is missing comes back.",
    ),
];

/// The choice among them.
pub(in super::super) fn existing() -> Entry {
    let choices = OVERWRITE.iter().map(|(_, word, help)| Choice::new(*word, *help));
    Entry::choice("existing", "existing", choices.collect(), 0)
}

/// What was chosen.
pub(in super::super) fn chosen_overwrite(form: &Form) -> Overwrite {
    let chosen = OVERWRITE.get(form.chosen("existing"));
    chosen.map_or(Overwrite::Never, |(overwrite, ..)| *overwrite)
}

/// What to restore, where to, and how.
#[derive(Debug)]
pub(crate) struct RestoreForm {
    pub(super) wanted: Wanted,
    form: Form,
    /// The date for a name beside.
    stamp: String,
    totals: Option<Totals>,
    counted: bool,
    /// The text of the folder that completions were last asked for.
    completed: String,
}

impl RestoreForm {
    /// The form for what is wanted.
    pub(super) fn new(model: &Model, wanted: Wanted, place: Place) -> RestoreForm {
        let choices = |list: &[(&str, &str)]| list.iter().map(|(word, help)| Choice::new(*word, *help)).collect();
        let places: Vec<(&str, &str)> = offered(&wanted).map(|(_, word, help)| (*word, *help)).collect();
        let at = offered(&wanted)
            .position(|(offered, ..)| *offered == place)
            .unwrap_or(0);
        let from = format!(
            "{}, {} ({})",
            text::escape(wanted.vault.as_bytes()),
            text::stamp(wanted.time, &model.zone),
            text::ago(wanted.time, model.now.unix)
        );
        let target = format!("{}/restored", model.home.trim_end_matches('/'));
        let form = Form::new(vec![
            Entry::note("what", "restore", &wanted.what),
            Entry::note("from", "of", &from),
            Entry::choice("place", "to", choices(&places), at),
            Entry::text("target", "folder", &target).help("From / or ~ on; it is made if it is not there. Tab completes it."),
            Entry::note("lands", "lands as", ""),
            existing(),
            Entry::toggle("delete", "delete", false).help(
                "Deletes what is there and not in the generation, within the picked folders only. Asks for the vault's name.",
            ),
        ]);
        let mut form = RestoreForm {
            stamp: text::stamp(wanted.time, &model.zone).replace(':', "."),
            wanted,
            form,
            totals: None,
            counted: false,
            completed: target,
        };
        form.refresh(model);
        form
    }

    /// Where things land, by the values now.
    fn place(&self) -> Place {
        offered(&self.wanted)
            .nth(self.form.chosen("place"))
            .map_or(Place::Keep, |(place, ..)| *place)
    }

    fn landing(&self, model: &Model) -> Landing {
        let folder = || PathBuf::from(model.expand_home(self.form.text("target").trim()));
        match self.place() {
            Place::Keep => Landing::Below(folder()),
            Place::Flat => Landing::Flat(folder()),
            Place::Original => Landing::InPlace,
            Place::Beside => Landing::Beside {
                stamp: self.stamp.clone(),
            },
        }
    }

    /// What the engine is asked.
    fn request(&self, model: &Model) -> RestoreRequest {
        let beside = self.place() == Place::Beside;
        RestoreRequest {
            vault: self.wanted.vault.clone(),
            generation: self.wanted.generation,
            rules: self.wanted.rules.clone(),
            landing: self.landing(model),
            overwrite: match beside {
                true => Overwrite::IfChanged,
                false => chosen_overwrite(&self.form),
            },
            delete: !beside && self.form.on("delete"),
        }
    }

    /// Shows what belongs to the values: which fields make sense, and where the first thing lands.
    fn refresh(&mut self, model: &Model) {
        let place = self.place();
        self.form.show("target", matches!(place, Place::Keep | Place::Flat));
        self.form.show("existing", place != Place::Beside);
        self.form.show("delete", place != Place::Beside);
        let first = self.wanted.rules.iter().find(|(_, picked)| *picked);
        let path = first.map(|(path, _)| path.clone()).unwrap_or_default();
        let lands = self.landing(model).place(&self.wanted.rules, &path);
        let lands = text::escape(lands.as_os_str().as_encoded_bytes());
        // One line, whatever the path: nothing below it jumps while one types.
        let lands = text::cut_start(&lands, usize::from(super::super::WIDTH) - 22, model.look.symbols.more);
        self.form.set_note("lands", lands);
    }

    fn weigh(&mut self) {
        let Some(totals) = self.totals else { return };
        let mut words = format!(
            "{}: {}, {}",
            self.wanted.what,
            text::counted(totals.files, "file", "files"),
            text::bytes(totals.bytes)
        );
        if !self.counted {
            words.push_str(" so far");
        }
        self.form.set_note("what", words);
    }
}

/// The places that make sense for what is wanted.
fn offered(wanted: &Wanted) -> impl Iterator<Item = &'static (Place, &'static str, &'static str)> {
    let one = only_path(&wanted.rules).is_some_and(|path| !path.is_empty());
    PLACES.iter().filter(move |(place, ..)| one || *place != Place::Beside)
}

/// Asks for the plan and shows it.
pub(super) fn plan(act: &mut Act) {
    with_top::<RestoreForm>(act, |form, act| {
        let request = form.request(act.model);
        if let Landing::Below(folder) | Landing::Flat(folder) = &request.landing
            && !folder.is_absolute()
        {
            form.form
                .set_problem("target", "Give the folder's whole path, from / or ~ on.");
            form.form.focus("target");
            return Then::Keep;
        }
        form.form.clear_problems();
        let plan = RestorePlan::new(act.model, form.wanted.clone(), request);
        act.model.push(plan);
        super::plan::start(act.model, act.effects);
        Then::Keep
    });
}

fn take_totals(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Totals { rules, .. } = asked else { return };
    let form = model
        .dialog_mut::<RestoreForm>()
        .filter(|form| form.wanted.rules == *rules);
    if let (Some(form), Answer::Totals(totals)) = (form, told.answer) {
        form.totals = Some(totals);
        form.counted = told.complete;
        form.weigh();
    }
}

fn take_folders(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let Answer::Disk(found) = told.answer else { return };
    let Some(typed) = model
        .dialog::<RestoreForm>()
        .map(|form| form.form.text("target").to_owned())
    else {
        return;
    };
    let suggestion = complete::suggestion(model, &typed, &found);
    if let Some(form) = model.dialog_mut::<RestoreForm>() {
        form.form.suggest("target", suggestion);
    }
}

impl Dialog for RestoreForm {
    fn context(&self) -> Context {
        FORM
    }

    fn form(&mut self) -> Option<&mut Form> {
        Some(&mut self.form)
    }

    fn edited(&mut self, model: &mut Model, _: &mut Vec<Effect>) {
        self.refresh(model);
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if self.totals.is_none() && !self.counted && !model.asks(TOTALS) {
            // Asked once, whatever comes of it.
            self.counted = true;
            let question = Question::Totals {
                vault: self.wanted.vault.clone(),
                generation: self.wanted.generation,
                rules: self.wanted.rules.clone(),
            };
            ask(model, TOTALS, question, take_totals, effects);
        }
        let typed = self.form.text("target");
        if self.form.focused() == "target" && *typed != *self.completed && !model.asks(FOLDERS) {
            self.completed = typed.to_owned();
            if let Some(question) = complete::question(model, typed) {
                ask(model, FOLDERS, question, take_folders, effects);
            }
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, TOTALS, effects);
        abandon(model, FOLDERS, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let height = self.form.height(room(canvas) as u16);
        let inside = frame(canvas, height + 4, "Restore", Role::Focus);
        let area = ratatui::layout::Rect {
            y: inside.y + 1,
            height: inside.height.saturating_sub(4),
            ..inside
        };
        self.form.draw(canvas, area);
        keys_line(model, canvas, inside, FORM);
    }
}
